// Softmax, its logarithm, and the loss that is made of it.

#include "cpu/isa/functions.h"
#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// The sum of e^(x - largest) without one of the largest elements, whose part is 1: what is small beside that keeps its
/// digits.
float sum_exp_of_rest(const float* x, float largest, int64_t n) {
  const Vec shift(largest), one(1.0f), zero(0.0f);
  Vec ties(0.0f);
  const float sum = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec element = lanes.load(x + j), e = exp_below_89(element - shift);
    const Mask less = element < shift;
    ties = ties + lanes.keep(select(less, zero, one), zero);
    // The difference is 0, or NaN.
    return select(less, e, e - one);
  });
  return sum + (reduce_add(ties) - 1.0f);
}

void softmax(Rows y, Rows x, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    float* ys = row(y, i);
    const Vec shift(largest_of(xs, n));
    const float sum = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec e = exp_below_89(lanes.load(xs + j) - shift);
      lanes.store(ys + j, e);
      return e;
    });
    const Vec scale(1.0f / sum);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(ys + j, lanes.load(ys + j) * scale); });
  }
}

void softmax_backward(Rows dx, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    with_size(n, [&](auto size) DYNNET_INLINE_BODY {
      for (int64_t i = 0; i < rows; ++i) {
        float* to = row(dx, i);
        const float *ys = row(y, i), *dys = row(dy, i);
        const Vec mean(dot_of(ys, dys, size));
        for_vectors(size, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          put<decltype(flag)::value>(lanes, to + j, lanes.load(ys + j) * (lanes.load(dys + j) - mean));
        });
      }
    });
  });
}

/// A vector of distributions at a time, each with its elements `inner` apart.
void softmax_across(Rows y, Rows x, int64_t blocks, int64_t inner, int64_t n) {
  for (int64_t block = 0; block < blocks; ++block) {
    const float* xs = row(x, block);
    float* ys = row(y, block);
    for_vectors(inner, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
      Vec shift = lanes.load(xs + i);
      for (int64_t j = i + inner; j < n * inner; j += inner) shift = max(shift, lanes.load(xs + j));
      Vec sum(0.0f);
      for (int64_t j = i; j < n * inner; j += inner) {
        const Vec e = exp(lanes.load(xs + j) - shift);
        lanes.store(ys + j, e);
        sum = sum + e;
      }
      const Vec scale = Vec(1.0f) / sum;
      for (int64_t j = i; j < n * inner; j += inner) lanes.store(ys + j, lanes.load(ys + j) * scale);
    });
  }
}

void softmax_across_backward(Rows dx, Rows y, Rows dy, int64_t blocks, int64_t inner, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t block = 0; block < blocks; ++block) {
      float* to = row(dx, block);
      const float *ys = row(y, block), *dys = row(dy, block);
      for_vectors(inner, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
        Vec mean(0.0f);
        for (int64_t j = i; j < n * inner; j += inner) mean = fma(lanes.load(ys + j), lanes.load(dys + j), mean);
        for (int64_t j = i; j < n * inner; j += inner)
          put<decltype(flag)::value>(lanes, to + j, lanes.load(ys + j) * (lanes.load(dys + j) - mean));
      });
    }
  });
}

/// Ln sum exp x is taken in two parts, of which the first is the largest element: nothing overflows, and (x - largest)
/// - remainder has the precision of the differences even where the elements are large, or the remainder is small.
void log_softmax(Rows y, Rows x, int64_t rows, int64_t n) {
  // Rows that stay in the first cache share the work on their logarithms.
  const int64_t step = n <= 256 ? kWidth : 1;
  for (int64_t begin = 0; begin < rows; begin += step) {
    const int64_t count = smaller(step, rows - begin);
    float largest[kWidth], remainders[kWidth];
    store(remainders, Vec(0.0f));
    for (int64_t i = 0; i < count; ++i) {
      const float* xs = row(x, begin + i);
      largest[i] = largest_of(xs, n);
      remainders[i] = sum_exp_of_rest(xs, largest[i], n);
    }
    store(remainders, log1p(load(remainders)));
    for (int64_t i = 0; i < count; ++i) {
      const float* xs = row(x, begin + i);
      float* ys = row(y, begin + i);
      const Vec shift(largest[i]), remainder(remainders[i]);
      for_vectors(n, [&](int64_t j, auto lanes)
                         DYNNET_INLINE_BODY { lanes.store(ys + j, (lanes.load(xs + j) - shift) - remainder); });
    }
  }
}

void log_softmax_backward(Rows dx, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(dx, i);
      const float *ys = row(y, i), *dys = row(dy, i);
      const Vec sum(sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { return lanes.load(dys + j); }));
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<decltype(flag)::value>(lanes, to + j, fnma(exp(lanes.load(ys + j)), sum, lanes.load(dys + j)));
      });
    }
  });
}

void pick_neg_log_softmax(Rows y, Rows z, Rows x, const int32_t* labels, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    const float largest = largest_of(xs, n), remainder = first(log1p(Vec(sum_exp_of_rest(xs, largest, n))));
    float* kept = row(z, i);
    kept[0] = largest;
    kept[1] = remainder;
    *row(y, i) = remainder - (xs[labels[i]] - largest);
  }
}

void pick_neg_log_softmax_backward(Rows dx, Rows x, Rows z, Rows g, const int32_t* labels, int64_t rows, int64_t n,
                                   bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(dx, i);
      const float* xs = row(x, i);
      const float* kept = row(z, i);
      const Vec shift(kept[0]), remainder(kept[1]);
      const float scale = *row(g, i), before = kAccumulate ? to[labels[i]] : 0.0f;
      const auto probability = [&](Vec e) DYNNET_INLINE_BODY { return exp_below_89((e - shift) - remainder); };
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<kAccumulate>(lanes, to + j, Vec(scale) * probability(lanes.load(xs + j)));
      });
      // The label's probability less 1.
      const Vec rest = expm1(max(Vec(-87.0f), (Vec(xs[labels[i]]) - shift) - remainder));
      to[labels[i]] = before + scale * first(rest);
    }
  });
}

}  // namespace

void fill_softmax(Kernels* table) {
  table->softmax = softmax;
  table->softmax_backward = softmax_backward;
  table->softmax_across = softmax_across;
  table->softmax_across_backward = softmax_across_backward;
  table->log_softmax = log_softmax;
  table->log_softmax_backward = log_softmax_backward;
  table->pick_neg_log_softmax = pick_neg_log_softmax;
  table->pick_neg_log_softmax_backward = pick_neg_log_softmax_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

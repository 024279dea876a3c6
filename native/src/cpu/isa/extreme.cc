// Smallest and largest elements over some loops of each row, and the logarithm of the sum of exponentials.

#include "cpu/isa/functions.h"
#include "cpu/isa/reduction.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// The smallest is the largest of the negatives.
template <bool kSmallest>
DYNNET_INLINE Vec oriented(Vec x) {
  return kSmallest ? -x : x;
}

template <bool kSmallest>
void extreme_of(Rows y, Rows x, int64_t rows, const Reduction& shape) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    float* ys = row(y, i);
    each_result(shape, [&](auto at) DYNNET_INLINE_BODY {
      constexpr int kCount = decltype(at)::kCount;
      Vec most[kCount];
      at.template fold<Largest>(
          shape, xs, most, [](Vec so_far, Vec e) DYNNET_INLINE_BODY { return max(so_far, oriented<kSmallest>(e)); });
      each_vector<kCount>([&](int v) DYNNET_INLINE_BODY { at.store(ys, v, oriented<kSmallest>(most[v])); });
    });
  }
}

void extreme(bool smallest, Rows y, Rows x, int64_t rows, const Reduction& shape) {
  if (smallest) {
    extreme_of<true>(y, x, rows, shape);
  } else {
    extreme_of<false>(y, x, rows, shape);
  }
}

/// The first of n elements that is the extreme one, which must be there. 64 elements at a time, without a branch that
/// depends on where it is.
template <bool kSmallest>
DYNNET_INLINE int64_t first_extreme(const float* x, int64_t n, float extreme) {
  constexpr int64_t kStep = 64;
  const Vec bound = oriented<kSmallest>(Vec(extreme));
  // A bit for each element that is not less.
  const auto bits = [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    return uint64_t{lane_bits(oriented<kSmallest>(lanes.load(x + j)) < bound) ^ ((1u << kWidth) - 1u)};
  };
  int64_t j = 0;
  for (; j + kStep <= n; j += kStep) {
    uint64_t found = 0;
#pragma GCC unroll 16
    for (int v = 0; v < kStep / kWidth; ++v) found |= bits(j + v * kWidth, Whole()) << (v * kWidth);
    if (found != 0) return j + __builtin_ctzll(found);
  }
  for (; j + kWidth <= n; j += kWidth) {
    const uint64_t found = bits(j, Whole());
    if (found != 0) return j + __builtin_ctzll(found);
  }
  const uint64_t found = j < n ? bits(j, Part(n - j)) & ((uint64_t{1} << (n - j)) - 1u) : 0;
  return found != 0 ? j + __builtin_ctzll(found) : n - 1;
}

template <bool kAccumulate, bool kSmallest>
DYNNET_INLINE void extreme_gradient(Single at, const Reduction& s, float* d, const float* x, const float* y,
                                    const float* dy) {
  if constexpr (!kAccumulate) {
    for_vectors(s.run, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(d + at.begin + j, Vec(0.0f)); });
  }
  put<kAccumulate>(d + at.begin + first_extreme<kSmallest>(x + at.begin, s.run, y[at.index]), dy[at.index]);
}

template <bool kAccumulate, bool kSmallest, int kVectors, class Lanes>
DYNNET_INLINE void extreme_gradient(Beside<kVectors, Lanes> at, const Reduction& s, float* d, const float* x,
                                    const float* y, const float* dy) {
  const Vec zero(0.0f);
  // What is left of the gradient: nothing, once an element has got it.
  Vec bound[kVectors], rest[kVectors];
  each_vector<kVectors>([&](int v) DYNNET_INLINE_BODY {
    bound[v] = oriented<kSmallest>(at.load(y, v));
    rest[v] = at.load(dy, v);
  });
  at.template spread<kAccumulate, true>(
      s, d, x,
      [zero](Vec e, Vec extreme, Vec& left) DYNNET_INLINE_BODY {
        const Mask less = oriented<kSmallest>(e) < extreme;
        const Vec gradient = select(less, zero, left);
        left = select(less, left, zero);
        return gradient;
      },
      bound, rest);
}

template <bool kSmallest>
void extreme_backward_of(Rows dx, Rows x, Rows y, Rows dy, int64_t rows, const Reduction& shape, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      const float *xs = row(x, i), *ys = row(y, i), *dys = row(dy, i);
      float* to = row(dx, i);
      each_result<false>(shape, [&](auto at) DYNNET_INLINE_BODY {
        extreme_gradient<decltype(flag)::value, kSmallest>(at, shape, to, xs, ys, dys);
      });
    }
  });
}

void extreme_backward(bool smallest, Rows dx, Rows x, Rows y, Rows dy, int64_t rows, const Reduction& shape,
                      bool accumulate) {
  if (smallest) {
    extreme_backward_of<true>(dx, x, y, dy, rows, shape, accumulate);
  } else {
    extreme_backward_of<false>(dx, x, y, dy, rows, shape, accumulate);
  }
}

void argmax(Rows y, Rows x, int64_t rows, int64_t n) {
  const Vec zero(0.0f);
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    float* ys = row(y, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(ys + j, zero); });
    ys[first_extreme<false>(xs, n, largest_of(xs, n))] = 1.0f;
  }
}

void log_sum_exp(Rows y, Rows z, Rows x, int64_t rows, const Reduction& shape) {
  const Vec zero(0.0f), one(1.0f), infinity(__builtin_inff());
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    float *ys = row(y, i), *shifts = row(z, i), *rests = shifts + shape.results;
    each_result(shape, [&](auto at) DYNNET_INLINE_BODY {
      constexpr int kCount = decltype(at)::kCount;
      Vec shift[kCount], rest[kCount], ties[kCount];
      at.template fold<Largest>(shape, xs, shift, [](Vec so_far, Vec e) DYNNET_INLINE_BODY { return max(so_far, e); });
      // The difference of two infinities is no number.
      each_vector<kCount>([&](int v)
                              DYNNET_INLINE_BODY { shift[v] = select(abs(shift[v]) < infinity, shift[v], zero); });
      // Without one of the largest, whose part is 1: what is small beside that keeps its digits.
      at.template fold<Adding>(
          shape, xs, rest,
          [one](Vec so_far, Vec e, Vec from) DYNNET_INLINE_BODY {
            const Vec power = exp(e - from);
            return so_far + select(e < from, power, power - one);
          },
          shift);
      at.template fold<Adding>(
          shape, xs, ties,
          [zero, one](Vec so_far, Vec e, Vec from) DYNNET_INLINE_BODY { return so_far + select(e < from, zero, one); },
          shift);
      each_vector<kCount>([&](int v) DYNNET_INLINE_BODY {
        const Vec others = rest[v] + (ties[v] - one), ln = log1p(others);
        at.store(ys, v, shift[v] + ln);
        at.store(shifts, v, shift[v]);
        // Where all exponentials are 0, so are their gradients.
        at.store(rests, v, select(-one < others, ln, zero));
      });
    });
  }
}

void log_sum_exp_backward(Rows dx, Rows x, Rows z, Rows dy, int64_t rows, const Reduction& shape, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      const float *xs = row(x, i), *shifts = row(z, i), *rests = shifts + shape.results, *dys = row(dy, i);
      float* to = row(dx, i);
      each_result(shape, [&](auto at) DYNNET_INLINE_BODY {
        constexpr int kCount = decltype(at)::kCount;
        Vec shift[kCount], rest[kCount], scale[kCount];
        each_vector<kCount>([&](int v) DYNNET_INLINE_BODY {
          shift[v] = at.load(shifts, v);
          rest[v] = at.load(rests, v);
          scale[v] = at.load(dys, v);
        });
        at.template spread<decltype(flag)::value, true>(
            shape, to, xs,
            [](Vec e, Vec from, Vec log_of_sum, Vec by)
                DYNNET_INLINE_BODY { return by * exp((e - from) - log_of_sum); },
            shift, rest, scale);
      });
    }
  });
}

}  // namespace

void fill_extreme(Kernels* table) {
  table->extreme = extreme;
  table->extreme_backward = extreme_backward;
  table->argmax = argmax;
  table->log_sum_exp = log_sum_exp;
  table->log_sum_exp_backward = log_sum_exp_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

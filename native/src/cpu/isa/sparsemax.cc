// Distributions that are exactly 0, or at a bound, in places: sparsemax, its loss, and the constrained softmax.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

constexpr float kInfinity = __builtin_inff();

/// Calls add(turn, j, lanes) for all vectors of n elements: four sums take turns.
template <class Add>
DYNNET_INLINE void in_turns(int64_t n, Add add) {
  int64_t j = 0;
  for (; j + 4 * kWidth <= n; j += 4 * kWidth) {
#pragma GCC unroll 4
    for (int turn = 0; turn < 4; ++turn) add(turn, j + turn * kWidth, Whole());
  }
  for (; j + kWidth <= n; j += kWidth) add(0, j, Whole());
  if (j < n) add(1, j, Part(n - j));
}

/// What a pass over a row adds up.
template <int kCount>
struct Sums {
  float of[kCount];
};

/// Over n elements, of each the terms that value(j, lanes, terms) gives. Four of each sum take turns.
template <int kCount, class Value>
DYNNET_INLINE Sums<kCount> sums_of(int64_t n, Value value) {
  const Vec zero(0.0f);
  Vec sum[4][kCount];
#pragma GCC unroll 4
  for (int turn = 0; turn < 4; ++turn)
    for (int i = 0; i < kCount; ++i) sum[turn][i] = zero;
  in_turns(n, [&](int turn, int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec terms[kCount];
    value(j, lanes, terms);
    for (int i = 0; i < kCount; ++i) sum[turn][i] = sum[turn][i] + lanes.keep(terms[i], zero);
  });
  Sums<kCount> result;
  for (int i = 0; i < kCount; ++i) result.of[i] = reduce_add((sum[0][i] + sum[1][i]) + (sum[2][i] + sum[3][i]));
  return result;
}

/// The sum over some of n elements, and their number, which is exact.
struct Counted {
  float sum, number;
};

/// Of those elements for which counts(j, lanes, element) is true; it sets the element. Four of each sum take turns.
template <class Counts>
DYNNET_INLINE Counted counted_sum_of(int64_t n, Counts counts) {
  const Vec zero(0.0f), one(1.0f);
  Vec sum[4] = {zero, zero, zero, zero}, number[4] = {zero, zero, zero, zero};
  in_turns(n, [&](int turn, int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec element;
    const Mask counted = counts(j, lanes, element);
    sum[turn] = lanes.keep(select(counted, sum[turn] + element, sum[turn]), sum[turn]);
    number[turn] = lanes.keep(select(counted, number[turn] + one, number[turn]), number[turn]);
  });
  return {reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3])),
          reduce_add((number[0] + number[1]) + (number[2] + number[3]))};
}

// ---- sparsemax ----

/// The threshold of sparsemax in two parts, as the logarithm in softmax.cc: the largest element, and the rest.
struct Threshold {
  float largest, rest;
};

/// Newton's method on sum max(0, x - t) = 1, which is convex and made of straight lines: from below it reaches the
/// solution itself, after each step among fewer elements (Michelot 1986). The largest element less 1 is below.
Threshold threshold_of(const float* x, int64_t n) {
  const float largest = largest_of(x, n);
  const Vec shift(largest);
  float t = -1.0f, before = kInfinity;
  for (;;) {
    const Vec threshold(t);
    const Counted above = counted_sum_of(n, [&](int64_t j, auto lanes, Vec& z) DYNNET_INLINE_BODY {
      z = lanes.load(x + j) - shift;
      return threshold < z;
    });
    if (!(above.number < before)) return {largest, t};
    before = above.number;
    t = (above.sum - 1.0f) / before;
  }
}

void sparsemax(Rows y, Rows x, int64_t rows, int64_t n) {
  const Vec zero(0.0f);
  for (int64_t i = 0; i < rows; ++i) {
    float* ys = row(y, i);
    const float* xs = row(x, i);
    const Threshold t = threshold_of(xs, n);
    const Vec shift(t.largest), rest(t.rest);
    for_vectors(n, [&](int64_t j, auto lanes)
                       DYNNET_INLINE_BODY { lanes.store(ys + j, max(zero, (lanes.load(xs + j) - shift) - rest)); });
  }
}

void sparsemax_backward(Rows dx, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  const Vec zero(0.0f);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(dx, i);
      const float *ys = row(y, i), *dys = row(dy, i);
      const Counted support = counted_sum_of(n, [&](int64_t j, auto lanes, Vec& slope) DYNNET_INLINE_BODY {
        slope = lanes.load(dys + j);
        return zero < lanes.load(ys + j);
      });
      const Vec mean(support.sum / support.number);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<decltype(flag)::value>(lanes, to + j, select(zero < lanes.load(ys + j), lanes.load(dys + j) - mean, zero));
      });
    }
  });
}

void sparsemax_loss(Rows y, Rows z, Rows x, Rows q, int64_t rows, int64_t n) {
  const Vec zero(0.0f), half(0.5f), lowest(-3.40282347e38f), infinity(kInfinity);
  for (int64_t i = 0; i < rows; ++i) {
    const float *xs = row(x, i), *qs = row(q, i);
    const Threshold t = threshold_of(xs, n);
    float* kept = row(z, i);
    kept[0] = t.largest;
    kept[1] = t.rest;
    const Vec shift(t.largest), rest(t.rest);
    // Less the largest element everywhere, which changes nothing since p and q both add up to 1.
    const float loss = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec score = lanes.load(xs + j) - shift, target = lanes.load(qs + j), p = max(zero, score - rest);
      const Vec term = fma(half, fma(p, score + rest, target * target), -(target * score));
      return select(score < lowest, select(zero < target, infinity, zero), term);
    });
    // Rounding may leave a little less than nothing; what is not a number stays it.
    *row(y, i) = loss < 0.0f ? 0.0f : loss;
  }
}

void sparsemax_loss_backward(Rows dx, Rows x, Rows z, Rows q, Rows g, int64_t rows, int64_t n, bool accumulate) {
  const Vec zero(0.0f);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    with_flag(given(q), [&](auto targets) DYNNET_INLINE_BODY {
      constexpr bool kAccumulate = decltype(flag)::value, kTargets = decltype(targets)::value;
      for (int64_t i = 0; i < rows; ++i) {
        float* to = row(dx, i);
        const float *xs = row(x, i), *qs = kTargets ? row(q, i) : nullptr, *kept = row(z, i);
        const Vec shift(kept[0]), rest(kept[1]), scale(*row(g, i));
        for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          Vec slope = max(zero, (lanes.load(xs + j) - shift) - rest);
          if constexpr (kTargets) slope = slope - lanes.load(qs + j);
          put<kAccumulate>(lanes, to + j, scale * slope);
        });
      }
    });
  });
}

// ---- constrained softmax ----
//
// With e = e^(x - shift), an element is e times a scale, or at its bound u where that is less. Starting with a scale
// for which all of them add up to 1, what those at their bounds leave is divided among the others, so that the scale
// grows, until no more come to their bounds; nothing that is at its bound leaves it again.

/// An element is at its bound where that is less than e times `limit`; the others are e times `scale`.
struct Scale {
  float limit, scale;
};

DYNNET_INLINE Mask is_bound(Vec e, Vec u, float limit) { return u < e * Vec(limit); }

/// Leaves the exponentials in e. All elements are taken less the largest that is not at its bound, or one not far above
/// it, so that large ones keep the digits by which they differ.
Scale scale_of(float* e, const float* x, const float* u, int64_t n) {
  enum { kBounds, kBound, kFree };
  const Vec zero(0.0f), one(1.0f), none(-kInfinity);
  const float most = largest_of(x, n);
  const Vec shift(most == -kInfinity ? 0.0f : most);
  const float sum = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec power = exp_below_89(lanes.load(x + j) - shift);
    lanes.store(e + j, power);
    return power;
  });
  // There is nothing but minus infinity.
  if (sum == 0.0f) return {0.0f, 0.0f};
  float limit = 1.0f / sum, before = 0.0f;
  for (;;) {
    const Sums<3> sums = sums_of<3>(n, [&](int64_t j, auto lanes, Vec(&terms)[3]) DYNNET_INLINE_BODY {
      const Vec power = lanes.load(e + j), bound = lanes.load(u + j);
      const Mask bounded = is_bound(power, bound, limit);
      terms[kBounds] = select(bounded, bound, zero);
      terms[kBound] = select(bounded, one, zero);
      terms[kFree] = select(bounded, zero, power);
    });
    if (!(before < sums.of[kBound])) return {limit, limit};
    before = sums.of[kBound];
    const float left = 1.0f - sums.of[kBounds];
    if (left <= 0.0f) return {limit, 0.0f};
    float free = sums.of[kFree];
    if (free < 1e-10f) {
      // So far below those at their bounds that digits are lost: anew, less the largest of their own.
      Vec free_most = none;
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Mask bounded = is_bound(lanes.load(e + j), lanes.load(u + j), limit);
        free_most = max(free_most, lanes.keep(select(bounded, none, lanes.load(x + j)), none));
      });
      const float largest = reduce_max(free_most);
      // There are none.
      if (largest == -kInfinity) return {limit, 0.0f};
      free = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Mask bounded = is_bound(lanes.load(e + j), lanes.load(u + j), limit);
        // At a bound it is large enough to stay there.
        const Vec power = exp_below_89(min(Vec(80.0f), lanes.load(x + j) - Vec(largest)));
        lanes.store(e + j, power);
        return select(bounded, zero, power);
      });
    }
    limit = left / free;
  }
}

void constrained_softmax(Rows y, Rows x, Rows u, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float* ys = row(y, i);
    const float* us = row(u, i);
    const Scale scale = scale_of(ys, row(x, i), us, n);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec e = lanes.load(ys + j), bound = lanes.load(us + j);
      lanes.store(ys + j, select(is_bound(e, bound, scale.limit), bound, e * Vec(scale.scale)));
    });
  }
}

void constrained_softmax_backward(Rows dx, Rows du, Rows y, Rows u, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  const Vec zero(0.0f);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    for (int64_t i = 0; i < rows; ++i) {
      float *to_x = given(dx) ? row(dx, i) : nullptr, *to_u = given(du) ? row(du, i) : nullptr;
      const float *ys = row(y, i), *us = row(u, i), *dys = row(dy, i);
      enum { kFree, kWeighted };
      const Sums<2> sums = sums_of<2>(n, [&](int64_t j, auto lanes, Vec(&terms)[2]) DYNNET_INLINE_BODY {
        const Vec p = lanes.load(ys + j);
        terms[kFree] = select(p < lanes.load(us + j), p, zero);
        terms[kWeighted] = terms[kFree] * lanes.load(dys + j);
      });
      const Vec mean(sums.of[kFree] > 0.0f ? sums.of[kWeighted] / sums.of[kFree] : 0.0f);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec p = lanes.load(ys + j), slope = lanes.load(dys + j) - mean;
        const Mask is_free = p < lanes.load(us + j);
        if (to_x != nullptr) put<kAccumulate>(lanes, to_x + j, select(is_free, p * slope, zero));
        if (to_u != nullptr) put<kAccumulate>(lanes, to_u + j, select(is_free, zero, slope));
      });
    }
  });
}

}  // namespace

void fill_sparsemax(Kernels* table) {
  table->sparsemax = sparsemax;
  table->sparsemax_backward = sparsemax_backward;
  table->sparsemax_loss = sparsemax_loss;
  table->sparsemax_loss_backward = sparsemax_loss_backward;
  table->constrained_softmax = constrained_softmax;
  table->constrained_softmax_backward = constrained_softmax_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

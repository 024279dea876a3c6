// Distributions that are exactly 0, or at a bound, in places: sparsemax, its loss, and the constrained softmax.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

constexpr float kInfinity = __builtin_inff();

/// What a pass over a row adds up: a sum, and a count, which is exact.
struct Tally {
  float sum, count;
};

/// Over n elements, of each the term that value(j, lanes, counted) gives, and whether it counts. Four of both take
/// turns.
template <class Value>
DYNNET_INLINE Tally tally_of(int64_t n, Value value) {
  const Vec zero(0.0f), one(1.0f);
  Vec sum[4] = {zero, zero, zero, zero}, count[4] = {zero, zero, zero, zero};
  const auto add = [&](int turn, int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Mask counted;
    const Vec term = value(j, lanes, counted);
    sum[turn] = sum[turn] + lanes.keep(select(counted, term, zero), zero);
    count[turn] = count[turn] + lanes.keep(select(counted, one, zero), zero);
  };
  int64_t j = 0;
  for (; j + 4 * kWidth <= n; j += 4 * kWidth) {
#pragma GCC unroll 4
    for (int turn = 0; turn < 4; ++turn) add(turn, j + turn * kWidth, Whole());
  }
  for (; j + kWidth <= n; j += kWidth) add(0, j, Whole());
  if (j < n) add(1, j, Part(n - j));
  return {reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3])), reduce_add((count[0] + count[1]) + (count[2] + count[3]))};
}

// ---- sparsemax ----

/// The threshold of sparsemax in two parts, as LogSum in softmax.cc: the largest element, and the rest.
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
    const Tally above = tally_of(n, [&](int64_t j, auto lanes, Mask& counted) DYNNET_INLINE_BODY {
      const Vec z = lanes.load(x + j) - shift;
      counted = threshold < z;
      return z;
    });
    if (!(above.count < before)) return {largest, t};
    before = above.count;
    t = (above.sum - 1.0f) / above.count;
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
      const Tally support = tally_of(n, [&](int64_t j, auto lanes, Mask& counted) DYNNET_INLINE_BODY {
        counted = zero < lanes.load(ys + j);
        return lanes.load(dys + j);
      });
      const Vec mean(support.sum / support.count);
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
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(dx, i);
      const float *xs = row(x, i), *qs = row(q, i), *kept = row(z, i);
      const Vec shift(kept[0]), rest(kept[1]), scale(*row(g, i));
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec p = max(zero, (lanes.load(xs + j) - shift) - rest);
        put<decltype(flag)::value>(lanes, to + j, scale * (p - lanes.load(qs + j)));
      });
    }
  });
}

// ---- constrained softmax ----
//
// An element is at its bound where ln z < x - ln u. Starting with none there, ln z is worked out for the others, and
// falls, until no more come to their bounds; nothing that is at its bound leaves it again.

/// The elements that are not at their bounds: their largest, what their exponentials are to be multiplied by, and by
/// how much ln z is more than the largest. All elements are taken less the largest, so that large ones keep the digits
/// by which they differ.
struct Free {
  float shift, scale;
  float rest;
};

/// Whether an element is at its bound u, of which `log_u` is the logarithm.
DYNNET_INLINE Mask is_bound(Vec x, Vec log_u, Vec shift, Vec rest) { return rest < (x - shift) - log_u; }

Free free_elements(const float* log_u, const float* x, const float* u, int64_t n) {
  const Vec zero(0.0f), none(-kInfinity);
  Free result{0.0f, 0.0f, kInfinity};
  float before = -1.0f;
  for (;;) {
    const Vec shift(result.shift), limit(result.rest);
    const auto at_bound = [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      return is_bound(lanes.load(x + j), lanes.load(log_u + j), shift, limit);
    };
    Vec most = none;
    const Tally bound = tally_of(n, [&](int64_t j, auto lanes, Mask& counted) DYNNET_INLINE_BODY {
      counted = at_bound(j, lanes);
      most = max(most, lanes.keep(select(counted, none, lanes.load(x + j)), none));
      return lanes.load(u + j);
    });
    if (!(before < bound.count)) return result;
    before = bound.count;
    const float largest = reduce_max(most), left = 1.0f - bound.sum;
    // There are none, or nothing is left for them.
    if (largest == -kInfinity || left <= 0.0f) return {result.shift, 0.0f, result.rest};
    const Vec next_shift(largest);
    const float sum = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      return select(at_bound(j, lanes), zero, exp(lanes.load(x + j) - next_shift));
    });
    const float rest = first(log(Vec(sum / left))), most_rest = result.rest + (result.shift - largest);
    result = {largest, left / sum, rest < most_rest ? rest : most_rest};
  }
}

void constrained_softmax(Rows y, Rows x, Rows u, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float* ys = row(y, i);
    const float *xs = row(x, i), *us = row(u, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(ys + j, log(lanes.load(us + j))); });
    const Free free = free_elements(ys, xs, us, n);
    const Vec shift(free.shift), scale(free.scale), rest(free.rest);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec score = lanes.load(xs + j), p = exp(score - shift) * scale;
      lanes.store(ys + j, select(is_bound(score, lanes.load(ys + j), shift, rest), lanes.load(us + j), p));
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
      const auto free = [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec p = lanes.load(ys + j);
        return select(p < lanes.load(us + j), p, zero);
      };
      const float sum = sum_of(n, free), weighted = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
                                           return free(j, lanes) * lanes.load(dys + j);
                                         });
      const Vec mean(sum > 0.0f ? weighted / sum : 0.0f);
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

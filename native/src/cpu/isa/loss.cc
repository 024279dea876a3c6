// Losses beside softmax's: binary cross entropy and hinge.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// The smallest argument of a logarithm: the smallest normal float. NaN passes.
DYNNET_INLINE Vec bounded(Vec x) { return max(Vec(1.17549435e-38f), x); }

/// 1 - x as a denominator: at least 2^-23.
DYNNET_INLINE Vec bounded_rest(Vec x) { return max(Vec(1.1920929e-7f), Vec(1.0f) - x); }

/// ln(1 - p), bounded: from what 1 - p is rounded to and what that loses, whose weight 1 / (1 - p) is 1 + p where it
/// matters.
DYNNET_INLINE Vec log_of_rest(Vec p) {
  const Vec one(1.0f), rest = one - p, lost = (one - rest) - p;
  return fma(lost, one + p, log(bounded(rest)));
}

void binary_log_loss(Rows y, Rows x, Rows t, int64_t rows, int64_t n) {
  const Vec one(1.0f);
  for (int64_t i = 0; i < rows; ++i) {
    const float *xs = row(x, i), *ts = row(t, i);
    *row(y, i) = -sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec p = lanes.load(xs + j), target = lanes.load(ts + j);
      return fma(target, log(bounded(p)), (one - target) * log_of_rest(p));
    });
  }
}

void binary_log_loss_backward(int side, Rows d, Rows x, Rows t, Rows g, int64_t rows, int64_t n, bool accumulate) {
  const Vec one(1.0f);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float *xs = row(x, i), *ts = row(t, i);
      const Vec scale(*row(g, i));
      if (side == 0) {
        for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          const Vec p = lanes.load(xs + j), target = lanes.load(ts + j);
          const Vec slope = (one - target) / bounded_rest(p) - target / bounded(p);
          put<decltype(flag)::value>(lanes, to + j, scale * slope);
        });
      } else {
        for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          const Vec p = lanes.load(xs + j);
          put<decltype(flag)::value>(lanes, to + j, scale * (log_of_rest(p) - log(bounded(p))));
        });
      }
    }
  });
}

/// The sum over all but the label of max(0, score + offset), a part in each lane.
DYNNET_INLINE Vec hinge_sums(const float* xs, int64_t label, Vec offset, int64_t n) {
  constexpr int64_t kTurns = 4 * kWidth;
  const Vec zero(0.0f);
  Vec sum[4] = {zero, zero, zero, zero};
  const auto excess = [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { return max(zero, lanes.load(xs + j) + offset); };
  const auto add_whole = [&](int64_t j, int64_t last) DYNNET_INLINE_BODY {
    for (; j < last; j += kTurns) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) sum[v] = sum[v] + excess(j + v * kWidth, Whole());
    }
  };
  // The label's own is no part of the sum.
  const auto add_others = [&](Vec& to, int64_t j, auto lanes, Mask it)
                              DYNNET_INLINE_BODY { to = to + select(it, zero, lanes.keep(excess(j, lanes), zero)); };
  // So four vectors at a time but for those with the label.
  const int64_t end = n & -kTurns, own = label & -kTurns;
  add_whole(0, own);
  if (own < end) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) add_others(sum[v], own + v * kWidth, Whole(), near_lane(label - own - v * kWidth));
    add_whole(own + kTurns, end);
  }
  int64_t j = end;
  for (; j + kWidth <= n; j += kWidth) add_others(sum[0], j, Whole(), lane(label - j));
  if (j < n) add_others(sum[1], j, Part(n - j), lane(label - j));
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void hinge(Rows y, Rows x, const int32_t* labels, const float* margins, int64_t rows, int64_t n) {
  const auto sums = [&](int64_t i) DYNNET_INLINE_BODY {
    const float* xs = row(x, i);
    return hinge_sums(xs, labels[i], Vec(margins[i] - xs[labels[i]]), n);
  };
  // The lanes of as many rows as a vector has are added up together, in the order of one.
  int64_t i = 0;
  for (; i + kWidth <= rows; i += kWidth) {
    Vec each[kWidth];
    for (int64_t r = 0; r < kWidth; ++r) each[r] = sums(i + r);
    float total[kWidth];
    store(total, reduce_add_each(each));
    for (int64_t r = 0; r < kWidth; ++r) *row(y, i + r) = total[r];
  }
  for (; i < rows; ++i) *row(y, i) = reduce_add(sums(i));
}

void hinge_backward(Rows dx, Rows x, Rows g, const int32_t* labels, const float* margins, int64_t rows, int64_t n,
                    bool accumulate) {
  const Vec zero(0.0f), one(1.0f);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(dx, i);
      const float* xs = row(x, i);
      const int64_t label = labels[i];
      const float scale = *row(g, i);
      const Vec offset(margins[i] - xs[label]), slope(scale);
      const float before = kAccumulate ? to[label] : 0.0f;
      // Whole numbers in floats: exact, so their order is of no matter. The label itself is taken off again.
      Vec violations[2] = {zero, zero};
      const auto add = [&](Vec& count, int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Mask over = zero < lanes.keep(lanes.load(xs + j) + offset, zero);
        const Vec old = kAccumulate ? lanes.load(to + j) : zero;
        lanes.store(to + j, select(over, old + slope, old));
        count = select(over, count + one, count);
      };
      int64_t j = 0;
      for (; j + 2 * kWidth <= n; j += 2 * kWidth) {
        add(violations[0], j, Whole());
        add(violations[1], j + kWidth, Whole());
      }
      if (j + kWidth <= n) {
        add(violations[0], j, Whole());
        j += kWidth;
      }
      if (j < n) add(violations[1], j, Part(n - j));
      const float own = xs[label] + (margins[i] - xs[label]) > 0.0f ? 1.0f : 0.0f;
      to[label] = before - scale * (reduce_add(violations[0] + violations[1]) - own);
    }
  });
}

}  // namespace

void fill_loss(Kernels* table) {
  table->binary_log_loss = binary_log_loss;
  table->binary_log_loss_backward = binary_log_loss_backward;
  table->hinge = hinge;
  table->hinge_backward = hinge_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

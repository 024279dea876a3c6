// Losses beside softmax's: binary cross entropy and hinge.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// The smallest argument of a logarithm: the smallest normal float. NaN passes.
DYNNET_INLINE Vec bounded(Vec x) { return max(Vec(1.17549435e-38f), x); }

/// 1 - x as a denominator: at least 2^-23.
DYNNET_INLINE Vec bounded_rest(Vec x) { return max(Vec(1.1920929e-7f), Vec(1.0f) - x); }

void binary_log_loss(Rows y, Rows x, Rows t, int64_t rows, int64_t n) {
  const Vec one(1.0f);
  for (int64_t i = 0; i < rows; ++i) {
    const float *xs = row(x, i), *ts = row(t, i);
    *row(y, i) = -sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec p = lanes.load(xs + j), target = lanes.load(ts + j);
      return fma(target, log(bounded(p)), (one - target) * log(bounded(one - p)));
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
          put<decltype(flag)::value>(lanes, to + j, scale * (log(bounded(one - p)) - log(bounded(p))));
        });
      }
    }
  });
}

void hinge(Rows y, Rows x, const int32_t* labels, const float* margins, int64_t rows, int64_t n) {
  const Vec zero(0.0f);
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    const int64_t label = labels[i];
    const Vec offset(margins[i] - xs[label]);
    *row(y, i) = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      return select(lane(label - j), zero, max(zero, lanes.load(xs + j) + offset));
    });
  }
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
      // Whole numbers in floats: exact, so their order is of no matter.
      const float violations = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        return select(lane(label - j), zero, select(zero < lanes.load(xs + j) + offset, one, zero));
      });
      const float before = kAccumulate ? to[label] : 0.0f;
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<kAccumulate>(lanes, to + j, select(zero < lanes.load(xs + j) + offset, slope, zero));
      });
      to[label] = before - scale * violations;
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

// Moments and standard deviations over some loops of each row.

#include "cpu/isa/reduction.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// x^kOrder
template <int kOrder>
struct Power {
  static constexpr bool kReads = kOrder > 0, kWide = true;
  DYNNET_INLINE Vec operator()(Vec x) const {
    if constexpr (kOrder == 0) return Vec(1.0f);
    if constexpr (kOrder == 1) return x;
    if constexpr (kOrder == 2) return x * x;
    if constexpr (kOrder == 3) return x * x * x;
  }
};

/// x^order, by squares.
struct AnyPower {
  static constexpr bool kReads = true, kWide = false;
  int32_t order;
  DYNNET_INLINE Vec operator()(Vec x) const {
    Vec y(1.0f);
    for (int32_t rest = order; rest > 0; rest >>= 1) {
      if ((rest & 1) != 0) y = y * x;
      x = x * x;
    }
    return y;
  }
};

/// Calls body with the power: the three first from kLeast on are loops of their own.
template <int kLeast, class Body>
DYNNET_INLINE void with_power(int32_t order, Body body) {
  if (order == kLeast) {
    body(Power<kLeast>());
  } else if (order == kLeast + 1) {
    body(Power<kLeast + 1>());
  } else if (order == kLeast + 2) {
    body(Power<kLeast + 2>());
  } else {
    body(AnyPower{order});
  }
}

/// Divides sums by a number: by its reciprocal where that is exact, as for powers of two.
class Quotient {
 public:
  explicit Quotient(float divisor) : by_(divisor), share_(1.0f / divisor) {
    uint32_t bits;
    __builtin_memcpy(&bits, &divisor, sizeof bits);
    exact_ = (bits & 0x7fffffu) == 0;
  }
  DYNNET_INLINE Vec operator()(Vec sum) const { return exact_ ? sum * share_ : sum / by_; }

 private:
  Vec by_, share_;
  bool exact_;
};

void moment(Rows y, Rows x, int64_t rows, const Reduction& shape, int32_t order, float divisor) {
  const Quotient quotient(divisor);
  with_power<1>(order, [&](auto power) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      const float* xs = row(x, i);
      float* ys = row(y, i);
      each_result<true, decltype(power)::kWide>(shape, [&](auto at) DYNNET_INLINE_BODY {
        constexpr int kCount = decltype(at)::kCount;
        Vec sum[kCount];
        at.template fold<Adding>(shape, xs, sum,
                                 [&](Vec so_far, Vec e) DYNNET_INLINE_BODY { return so_far + power(e); });
        each_vector<kCount>([&](int v) DYNNET_INLINE_BODY { at.store(ys, v, quotient(sum[v])); });
      });
    }
  });
}

/// Whether all that is reduced are rows of the results, as for the batch, so long that they are gone through one after
/// the other.
bool of_rows(const Reduction& shape) {
  constexpr int64_t kLong = 1024;
  return shape.inner >= kLong && shape.kept_loops == 0 && shape.reduced_loops == 0;
}

void moment_backward(Rows dx, Rows x, Rows dy, int64_t rows, const Reduction& shape, int32_t order, float divisor,
                     bool accumulate) {
  const Vec factor(static_cast<float>(order) / divisor);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    with_power<0>(order - 1, [&](auto power) DYNNET_INLINE_BODY {
      constexpr bool kReads = decltype(power)::kReads;
      for (int64_t i = 0; i < rows; ++i) {
        const float* xs = kReads ? row(x, i) : nullptr;
        const float* dys = row(dy, i);
        float* to = row(dx, i);
        if (of_rows(shape)) {
          for (int64_t r = 0; r < shape.run; ++r) {
            float* const d = to + r * shape.step;
            const float* const from = kReads ? xs + r * shape.step : nullptr;
            for_vectors(shape.inner, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
              const Vec element = kReads ? lanes.load(from + j) : Vec(0.0f);
              put<decltype(flag)::value>(lanes, d + j, (factor * lanes.load(dys + j)) * power(element));
            });
          }
          continue;
        }
        each_result<true, decltype(power)::kWide>(shape, [&](auto at) DYNNET_INLINE_BODY {
          constexpr int kCount = decltype(at)::kCount;
          Vec scale[kCount];
          each_vector<kCount>([&](int v) DYNNET_INLINE_BODY { scale[v] = factor * at.load(dys, v); });
          at.template spread<decltype(flag)::value, kReads>(
              shape, to, xs, [&](Vec e, Vec by) DYNNET_INLINE_BODY { return by * power(e); }, scale);
        });
      }
    });
  });
}

/// Whether elements are taken as distances from the first: what is nearly equal then keeps its digits, and what is
/// equal has a deviation of exactly 0. With another divisor than their number, equal elements have none of 0.
DYNNET_INLINE bool from_first(const Reduction& shape, float divisor) {
  return divisor == static_cast<float>(shape.count);
}

void deviation(Rows y, Rows mean, Rows x, int64_t rows, const Reduction& shape, float divisor) {
  const Quotient quotient(divisor);
  const Vec zero(0.0f);
  const bool shifted = from_first(shape, divisor);
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    float *ys = row(y, i), *means = row(mean, i);
    each_result(shape, [&](auto at) DYNNET_INLINE_BODY {
      constexpr int kCount = decltype(at)::kCount;
      Vec origin[kCount], center[kCount], sum[kCount];
      each_vector<kCount>([&](int v) DYNNET_INLINE_BODY { origin[v] = shifted ? at.origin(xs, v) : zero; });
      at.template fold<Adding>(
          shape, xs, sum, [](Vec so_far, Vec e, Vec from) DYNNET_INLINE_BODY { return so_far + (e - from); }, origin);
      each_vector<kCount>([&](int v) DYNNET_INLINE_BODY {
        center[v] = quotient(sum[v]);
        at.store(means, v, center[v]);
      });
      at.template fold<Adding>(
          shape, xs, sum,
          [](Vec so_far, Vec e, Vec from, Vec mean_of) DYNNET_INLINE_BODY {
            const Vec d = (e - from) - mean_of;
            return fma(d, d, so_far);
          },
          origin, center);
      each_vector<kCount>([&](int v) DYNNET_INLINE_BODY { at.store(ys, v, sqrt(quotient(sum[v]))); });
    });
  }
}

/// With a divisor n that is not the number of elements N, the distances from the mean do not add up to 0, so that it
/// counts again: the derivative is (x - mean - mean (n - N) / n) / (n y).
void deviation_backward(Rows dx, Rows x, Rows y, Rows mean, Rows dy, int64_t rows, const Reduction& shape,
                        float divisor, bool accumulate) {
  const Vec zero(0.0f), by(divisor), share(2.0f - static_cast<float>(shape.count) / divisor);
  const bool shifted = from_first(shape, divisor);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      const float *xs = row(x, i), *ys = row(y, i), *means = row(mean, i), *dys = row(dy, i);
      float* to = row(dx, i);
      each_result(shape, [&](auto at) DYNNET_INLINE_BODY {
        constexpr int kCount = decltype(at)::kCount;
        Vec origin[kCount], center[kCount], scale[kCount];
        each_vector<kCount>([&](int v) DYNNET_INLINE_BODY {
          origin[v] = shifted ? at.origin(xs, v) : zero;
          const Vec deviation = at.load(ys, v);
          center[v] = at.load(means, v) * share;
          scale[v] = select(zero < deviation, at.load(dys, v) / (by * deviation), zero);
        });
        at.template spread<decltype(flag)::value, true>(
            shape, to, xs,
            [](Vec e, Vec from, Vec mean_of, Vec slope) DYNNET_INLINE_BODY { return slope * ((e - from) - mean_of); },
            origin, center, scale);
      });
    }
  });
}

}  // namespace

void fill_moment(Kernels* table) {
  table->moment = moment;
  table->moment_backward = moment_backward;
  table->deviation = deviation;
  table->deviation_backward = deviation_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

// Moments and standard deviations over some loops of each row.

#include "cpu/isa/reduction.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// x^kOrder
template <int kOrder>
struct Power {
  static constexpr bool kReads = kOrder > 0;
  static constexpr Most kMost = Most::kFour;
  DYNNET_INLINE Vec operator()(Vec x) const {
    if constexpr (kOrder == 0) return Vec(1.0f);
    if constexpr (kOrder == 1) return x;
    if constexpr (kOrder == 2) return x * x;
    if constexpr (kOrder == 3) return x * x * x;
  }
};

/// x^order, by squares.
struct AnyPower {
  static constexpr bool kReads = true;
  static constexpr Most kMost = Most::kOne;
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

/// Whether all that is reduced are rows of the results, as for the batch, so long that they are gone through one after
/// the other.
bool of_rows(const Reduction& shape) {
  constexpr int64_t kLong = 1024;
  return shape.inner >= kLong && shape.kept_loops == 0 && shape.reduced_loops == 0;
}

/// Of so many results at a time, rows are gone through, so that what is known of the results stays at hand.
constexpr int64_t kBlock = 1024;

/// How many rows are gone through at once: what the processor follows without a miss.
constexpr int kRows = 4;

template <int kNumber>
struct Count {
  static constexpr int value = kNumber;
};

/// Calls body with a Count of the rows, of kRows where there are more.
template <class Body>
DYNNET_INLINE void with_rows(int64_t rows, Body body) {
  if (rows == 1) {
    body(Count<1>());
  } else if (rows == 2) {
    body(Count<2>());
  } else if (rows == 3) {
    body(Count<3>());
  } else {
    body(Count<kRows>());
  }
}

/// Adds the powers of so many rows to sums that are 0 before the first ones, and become moments with the last ones.
template <int kCount, class Power>
DYNNET_APART void add_powers(float* y, const float* x, int64_t step, int64_t n, Power power, Quotient quotient,
                             bool first, bool last) {
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec sum = first ? Vec(0.0f) : lanes.load(y + j);
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) sum = sum + power(lanes.load(x + r * step + j));
    lanes.store(y + j, last ? quotient(sum) : sum);
  });
}

template <class Power>
void moment_of_rows(float* y, const float* x, const Reduction& shape, Power power, Quotient quotient) {
  for (int64_t j = 0; j < shape.inner; j += kBlock) {
    const int64_t n = smaller(kBlock, shape.inner - j);
    for (int64_t r = 0; r < shape.run; r += kRows) {
      with_rows(shape.run - r, [&](auto count) {
        add_powers<decltype(count)::value>(y + j, x + r * shape.step + j, shape.step, n, power, quotient, r == 0,
                                           r + kRows >= shape.run);
      });
    }
  }
}

/// The sums of lines of n elements, `stride` apart, or what is added to them; kLong if they are of more than kShort.
template <bool kLong, class Power>
DYNNET_APART void add_lines(float* y, const float* x, int64_t stride, int64_t lines, int64_t n, Power power,
                            bool fresh) {
  const auto add = [power](Vec so_far, Vec e) DYNNET_INLINE_BODY { return so_far + power(e); };
  for (int64_t i = 0; i < lines; ++i, x += stride) {
    const float sum = reduce_add(kLong ? fold_long_line<Adding>(x, n, add) : fold_line<Adding>(x, n, add));
    y[i] = fresh ? sum : y[i] + sum;
  }
}

template <class Power>
DYNNET_APART void moment_of(float* y, const float* x, const Reduction& shape, Power power, Quotient quotient) {
  if (shape.inner == 1) {
    const auto add = shape.run > kShort ? add_lines<true, Power> : add_lines<false, Power>;
    each_line(shape, [&](int64_t first, int64_t offset, int64_t index, int64_t lines) {
      add(y + index, x + first + offset, shape.kept_stride[0], lines, shape.run, power, offset == 0);
    });
    for_vectors(shape.results,
                [&](int64_t i, auto lanes) DYNNET_INLINE_BODY { lanes.store(y + i, quotient(lanes.load(y + i))); });
  } else if (of_rows(shape)) {
    moment_of_rows(y, x, shape, power, quotient);
  } else {
    each_beside<Power::kMost>(shape, [&](auto at) DYNNET_INLINE_BODY {
      constexpr int kCount = decltype(at)::kCount;
      Vec sum[kCount];
      at.template fold<Adding>(shape, x, sum,
                               [power](Vec so_far, Vec e) DYNNET_INLINE_BODY { return so_far + power(e); });
      each_vector<kCount>([&](int v) DYNNET_INLINE_BODY { at.store(y, v, quotient(sum[v])); });
    });
  }
}

void moment(Rows y, Rows x, int64_t rows, const Reduction& shape, int32_t order, float divisor) {
  const Quotient quotient(divisor);
  with_power<1>(order, [&](auto power) {
    for (int64_t i = 0; i < rows; ++i) moment_of(row(y, i), row(x, i), shape, power, quotient);
  });
}

/// by * x^k, which is `by` itself where k is 0.
template <class Power>
DYNNET_INLINE auto slope(Vec by, Vec x, Power power) {
  if constexpr (Power::kReads) {
    return Product{by, power(x)};
  } else {
    return by;
  }
}

/// The gradients of results whose elements lie beside one another: of lines of n elements, `stride` apart.
template <bool kAccumulate, class Power>
DYNNET_APART void gradient_of_lines(float* d, const float* x, int64_t stride, const float* dy, int64_t lines, int64_t n,
                                    Vec factor, Power power) {
  for (int64_t i = 0; i < lines; ++i, d += stride) {
    spread_line<kAccumulate, Power::kReads>(
        d, x, n, [power](Vec e, Vec by) DYNNET_INLINE_BODY { return slope(by, e, power); }, factor * Vec(dy[i]));
    if constexpr (Power::kReads) x += stride;
  }
}

/// Those of results that lie beside one another, with respect to one element of each.
template <bool kAccumulate, class Power>
DYNNET_APART void gradient_of_row(float* d, const float* x, const float* dy, int64_t n, Vec factor, Power power) {
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec element = Power::kReads ? lanes.load(x + j) : Vec(0.0f);
    put<kAccumulate>(lanes, d + j, slope(factor * lanes.load(dy + j), element, power));
  });
}

template <bool kAccumulate, class Power>
DYNNET_APART void moment_gradient(float* d, const float* x, const float* dy, const Reduction& shape, Vec factor,
                                  Power power) {
  constexpr bool kReads = Power::kReads;
  if (shape.inner == 1) {
    each_line(shape, [&](int64_t first, int64_t offset, int64_t index, int64_t lines) {
      const int64_t at = first + offset;
      gradient_of_lines<kAccumulate>(d + at, kReads ? x + at : nullptr, shape.kept_stride[0], dy + index, lines,
                                     shape.run, factor, power);
    });
  } else if (of_rows(shape)) {
    for (int64_t r = 0; r < shape.run; ++r) {
      const int64_t at = r * shape.step;
      gradient_of_row<kAccumulate>(d + at, kReads ? x + at : nullptr, dy, shape.inner, factor, power);
    }
  } else {
    each_beside<Power::kMost>(shape, [&](auto at) DYNNET_INLINE_BODY {
      constexpr int kCount = decltype(at)::kCount;
      Vec scale[kCount];
      each_vector<kCount>([&](int v) DYNNET_INLINE_BODY { scale[v] = factor * at.load(dy, v); });
      at.template spread<kAccumulate, kReads>(
          shape, d, x, [power](Vec e, Vec by) DYNNET_INLINE_BODY { return slope(by, e, power); }, scale);
    });
  }
}

void moment_backward(Rows dx, Rows x, Rows dy, int64_t rows, const Reduction& shape, int32_t order, float divisor,
                     bool accumulate) {
  const Vec factor(static_cast<float>(order) / divisor);
  with_flag(accumulate, [&](auto flag) {
    with_power<0>(order - 1, [&](auto power) {
      constexpr bool kReads = decltype(power)::kReads;
      for (int64_t i = 0; i < rows; ++i)
        moment_gradient<decltype(flag)::value>(row(dx, i), kReads ? row(x, i) : nullptr, row(dy, i), shape, factor,
                                               power);
    });
  });
}

/// Whether elements are taken as distances from the first: what is nearly equal then keeps its digits, and what is
/// equal has a deviation of exactly 0. With another divisor than their number, equal elements have none of 0.
DYNNET_INLINE bool from_first(const Reduction& shape, float divisor) {
  return divisor == static_cast<float>(shape.count);
}

/// Of kCount rows, 2 at least, as distances from the first one.
template <int kCount>
DYNNET_APART void deviation_of_rows(float* y, float* mean, const float* x, int64_t step, int64_t n, Quotient quotient) {
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec origin = lanes.load(x + j);
    Vec d[kCount - 1];
#pragma GCC unroll 4
    for (int r = 1; r < kCount; ++r) d[r - 1] = lanes.load(x + r * step + j) - origin;
    Vec sum = d[0];
#pragma GCC unroll 4
    for (int r = 2; r < kCount; ++r) sum = sum + d[r - 1];
    const Vec center = quotient(sum);
    lanes.store(mean + j, center);
    Vec squares = center * center;
#pragma GCC unroll 4
    for (int r = 1; r < kCount; ++r) squares = fma(d[r - 1] - center, d[r - 1] - center, squares);
    lanes.store(y + j, sqrt(quotient(squares)));
  });
}

void deviation(Rows y, Rows mean, Rows x, int64_t rows, const Reduction& shape, float divisor) {
  const Quotient quotient(divisor);
  const Vec zero(0.0f);
  const bool shifted = from_first(shape, divisor);
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    float *ys = row(y, i), *means = row(mean, i);
    if (shifted && of_rows(shape) && shape.run > 1 && shape.run <= kRows) {
      with_rows(shape.run, [&](auto count) {
        constexpr int kCount = decltype(count)::value;
        if constexpr (kCount > 1) deviation_of_rows<kCount>(ys, means, xs, shape.step, shape.inner, quotient);
      });
      continue;
    }
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

/// by * (x - from - mean), which is put somewhere.
DYNNET_INLINE Product slope_of_deviation(Vec x, Vec from, Vec mean, Vec by) { return {by, (x - from) - mean}; }

/// Those of results that lie beside one another, with respect to one element of each.
template <bool kAccumulate>
DYNNET_APART void deviation_gradient_of_row(float* d, const float* x, const float* first, const float* mean,
                                            const float* by, int64_t n) {
  const Vec zero(0.0f);
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec from = first != nullptr ? lanes.load(first + j) : zero;
    put<kAccumulate>(lanes, d + j,
                     slope_of_deviation(lanes.load(x + j), from, lanes.load(mean + j), lanes.load(by + j)));
  });
}

/// Those of lines of n elements, `stride` apart; `first` is what each result begins with, if that counts.
template <bool kAccumulate>
DYNNET_APART void deviation_gradient_of_lines(float* d, const float* x, const float* first, int64_t stride,
                                              const float* mean, const float* by, int64_t lines, int64_t n) {
  for (int64_t i = 0; i < lines; ++i, d += stride, x += stride) {
    const Vec from(first != nullptr ? first[i * stride] : 0.0f);
    spread_line<kAccumulate, true>(d, x, n, slope_of_deviation, from, Vec(mean[i]), Vec(by[i]));
  }
}

/// With a divisor n that is not the number of elements N, the distances from the mean do not add up to 0, so that it
/// counts again: the derivative is (x - mean - mean (n - N) / n) / (n y).
class Slope {
 public:
  Slope(const Reduction& shape, float divisor)
      : divisor_(divisor), share_(2.0f - static_cast<float>(shape.count) / divisor) {}
  /// What is taken from the elements.
  DYNNET_INLINE Vec center(Vec mean) const { return mean * share_; }
  /// What that is multiplied by.
  DYNNET_INLINE Vec factor(Vec y, Vec dy) const {
    const Vec zero(0.0f);
    return select(zero < y, dy / (divisor_ * y), zero);
  }

 private:
  Vec divisor_, share_;
};

template <bool kAccumulate>
DYNNET_APART void deviation_gradient(float* d, const float* x, const float* y, const float* mean, const float* dy,
                                     const Reduction& shape, bool shifted, const Slope& slope) {
  float centers[kBlock], factors[kBlock];
  const auto prepare = [&](int64_t index, int64_t n) {
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      lanes.store(centers + j, slope.center(lanes.load(mean + index + j)));
      lanes.store(factors + j, slope.factor(lanes.load(y + index + j), lanes.load(dy + index + j)));
    });
  };
  if (shape.inner == 1) {
    const int64_t stride = shape.kept_stride[0];
    each_line(shape, [&](int64_t first, int64_t offset, int64_t index, int64_t lines) {
      for (int64_t i = 0; i < lines; i += kBlock) {
        const int64_t n = smaller(kBlock, lines - i), at = first + i * stride;
        prepare(index + i, n);
        deviation_gradient_of_lines<kAccumulate>(d + at + offset, x + at + offset, shifted ? x + at : nullptr, stride,
                                                 centers, factors, n, shape.run);
      }
    });
    return;
  }
  if (of_rows(shape)) {
    for (int64_t i = 0; i < shape.inner; i += kBlock) {
      const int64_t n = smaller(kBlock, shape.inner - i);
      prepare(i, n);
      for (int64_t r = 0; r < shape.run; ++r) {
        const int64_t at = i + r * shape.step;
        deviation_gradient_of_row<kAccumulate>(d + at, x + at, shifted ? x + i : nullptr, centers, factors, n);
      }
    }
    return;
  }
  each_beside<Most::kFour>(shape, [&](auto at) DYNNET_INLINE_BODY {
    constexpr int kCount = decltype(at)::kCount;
    Vec origin[kCount], center[kCount], factor[kCount];
    each_vector<kCount>([&](int v) DYNNET_INLINE_BODY {
      origin[v] = shifted ? at.origin(x, v) : Vec(0.0f);
      center[v] = slope.center(at.load(mean, v));
      factor[v] = slope.factor(at.load(y, v), at.load(dy, v));
    });
    at.template spread<kAccumulate, true>(shape, d, x, slope_of_deviation, origin, center, factor);
  });
}

void deviation_backward(Rows dx, Rows x, Rows y, Rows mean, Rows dy, int64_t rows, const Reduction& shape,
                        float divisor, bool accumulate) {
  const Slope slope(shape, divisor);
  const bool shifted = from_first(shape, divisor);
  with_flag(accumulate, [&](auto flag) {
    for (int64_t i = 0; i < rows; ++i)
      deviation_gradient<decltype(flag)::value>(row(dx, i), row(x, i), row(y, i), row(mean, i), row(dy, i), shape,
                                                shifted, slope);
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

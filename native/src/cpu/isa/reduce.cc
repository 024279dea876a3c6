// Reductions of rows to one number each, their gradients, and the sum over rows.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

void sum_elements(Rows y, Rows x, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i);
    *row(y, i) = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { return lanes.load(xs + j); });
  }
}

void dot(Rows y, Rows a, Rows b, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const float *as = row(a, i), *bs = row(b, i);
    *row(y, i) =
        sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { return lanes.load(as + j) * lanes.load(bs + j); });
  }
}

void squared_distance(Rows y, Rows a, Rows b, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const float *as = row(a, i), *bs = row(b, i);
    *row(y, i) = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec d = lanes.load(as + j) - lanes.load(bs + j);
      return d * d;
    });
  }
}

void scale_by(Rows d, Rows x, Rows g, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    with_size(n, [&](auto size) DYNNET_INLINE_BODY {
      for (int64_t i = 0; i < rows; ++i) {
        float* to = row(d, i);
        const float* xs = row(x, i);
        const Vec scale(*row(g, i));
        for_vectors(size, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          put<decltype(flag)::value>(lanes, to + j, scale * lanes.load(xs + j));
        });
      }
    });
  });
}

void spread(Rows d, Rows g, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const Vec value(*row(g, i));
      for_vectors(n,
                  [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { put<decltype(flag)::value>(lanes, to + j, value); });
    }
  });
}

/// Adds the rows up for kVectors vectors of columns at a time, the sums in registers, and stores what `finish` makes of
/// a sum.
template <int kVectors, class Lanes, class Finish>
DYNNET_INLINE void sum_columns(float* y, const Rows& x, int64_t rows, int64_t column, bool accumulate, Lanes lanes,
                               Finish finish) {
  Vec sum[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) sum[v] = accumulate ? lanes.load(y + column + v * kWidth) : Vec(0.0f);
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i) + column;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[v] = sum[v] + lanes.load(xs + v * kWidth);
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) lanes.store(y + column + v * kWidth, finish(sum[v]));
}

template <class Finish>
DYNNET_INLINE void sum_all_columns(float* y, const Rows& x, int64_t rows, int64_t n, bool accumulate, Finish finish) {
  int64_t j = 0;
  for (; j + 8 * kWidth <= n; j += 8 * kWidth) sum_columns<8>(y, x, rows, j, accumulate, Whole(), finish);
  if (j + 4 * kWidth <= n) {
    sum_columns<4>(y, x, rows, j, accumulate, Whole(), finish);
    j += 4 * kWidth;
  }
  for (; j + kWidth <= n; j += kWidth) sum_columns<1>(y, x, rows, j, accumulate, Whole(), finish);
  if (j < n) sum_columns<1>(y, x, rows, j, accumulate, Part(n - j), finish);
}

/// Sums begin at what is in y, so that one call and several over parts of the rows, in order, give the same bits.
void sum_rows(float* y, Rows x, int64_t rows, int64_t n, bool accumulate) {
  sum_all_columns(y, x, rows, n, accumulate, [](Vec sum) DYNNET_INLINE_BODY { return sum; });
}

void scaled_sum_rows(float* y, Rows x, float scale, int64_t rows, int64_t n) {
  const Vec by(scale);
  sum_all_columns(y, x, rows, n, false, [by](Vec sum) DYNNET_INLINE_BODY { return by * sum; });
}

/// For kVectors vectors of columns, which are read once.
template <bool kAccumulate, int kVectors, class Lanes>
DYNNET_INLINE void add_columns(const Rows& d, const float* x, Vec scale, int64_t rows, int64_t column, Lanes lanes) {
  Vec value[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) value[v] = scale * lanes.load(x + column + v * kWidth);
  for (int64_t i = 0; i < rows; ++i) {
    float* to = row(d, i) + column;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) put<kAccumulate>(lanes, to + v * kWidth, value[v]);
  }
}

void add_to_rows(Rows d, const float* x, float scale, int64_t rows, int64_t n, bool accumulate) {
  const Vec by(scale);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    int64_t j = 0;
    for (; j + 4 * kWidth <= n; j += 4 * kWidth) add_columns<kAccumulate, 4>(d, x, by, rows, j, Whole());
    for (; j + kWidth <= n; j += kWidth) add_columns<kAccumulate, 1>(d, x, by, rows, j, Whole());
    if (j < n) add_columns<kAccumulate, 1>(d, x, by, rows, j, Part(n - j));
  });
}

}  // namespace

void fill_reduce(Kernels* table) {
  table->sum_elements = sum_elements;
  table->dot = dot;
  table->squared_distance = squared_distance;
  table->scale_by = scale_by;
  table->spread = spread;
  table->sum_rows = sum_rows;
  table->scaled_sum_rows = scaled_sum_rows;
  table->add_to_rows = add_to_rows;
}

}  // namespace dynnet::cpu::DYNNET_ISA

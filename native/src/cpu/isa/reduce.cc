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
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float* xs = row(x, i);
      const Vec scale(*row(g, i));
      for_vectors(n, [&](int64_t j, auto lanes)
                         DYNNET_INLINE_BODY { put<decltype(flag)::value>(lanes, to + j, scale * lanes.load(xs + j)); });
    }
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

/// Adds the rows up for kVectors vectors of columns at a time, the sums in registers.
template <int kVectors, class Lanes>
DYNNET_INLINE void sum_columns(float* y, const Rows& x, int64_t rows, int64_t column, bool accumulate, Lanes lanes) {
  Vec sum[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) sum[v] = accumulate ? lanes.load(y + column + v * kWidth) : Vec(0.0f);
  for (int64_t i = 0; i < rows; ++i) {
    const float* xs = row(x, i) + column;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[v] = sum[v] + lanes.load(xs + v * kWidth);
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) lanes.store(y + column + v * kWidth, sum[v]);
}

/// Sums begin at what is in y, so that one call and several over parts of the rows, in order, give the same bits.
void sum_rows(float* y, Rows x, int64_t rows, int64_t n, bool accumulate) {
  int64_t j = 0;
  for (; j + 8 * kWidth <= n; j += 8 * kWidth) sum_columns<8>(y, x, rows, j, accumulate, Whole());
  if (j + 4 * kWidth <= n) {
    sum_columns<4>(y, x, rows, j, accumulate, Whole());
    j += 4 * kWidth;
  }
  for (; j + kWidth <= n; j += kWidth) sum_columns<1>(y, x, rows, j, accumulate, Whole());
  if (j < n) sum_columns<1>(y, x, rows, j, accumulate, Part(n - j));
}

}  // namespace

void fill_reduce(Kernels* table) {
  table->sum_elements = sum_elements;
  table->dot = dot;
  table->squared_distance = squared_distance;
  table->scale_by = scale_by;
  table->spread = spread;
  table->sum_rows = sum_rows;
}

}  // namespace dynnet::cpu::DYNNET_ISA

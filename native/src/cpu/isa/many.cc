// Elementwise operations of any number of operands, which are rows: the largest, and the logarithm of a sum of
// exponentials.

#include "cpu/isa/functions.h"
#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// Calls columns.run<kVectors>(j, lanes) for n columns, several vectors at a time.
template <class Columns>
DYNNET_INLINE void each_block(int64_t n, const Columns& columns) {
  int64_t j = 0;
  for (; j + 4 * kWidth <= n; j += 4 * kWidth) columns.template run<4>(j, Whole());
  for (; j + kWidth <= n; j += kWidth) columns.template run<1>(j, Whole());
  if (j < n) columns.template run<1>(j, Part(n - j));
}

struct MaxForward {
  float* y;
  const Rows& x;
  int64_t rows;

  template <int kVectors, class Lanes>
  DYNNET_INLINE void run(int64_t j, Lanes lanes) const {
    Vec largest[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) largest[v] = lanes.load(row(x, 0) + j + v * kWidth);
    for (int64_t i = 1; i < rows; ++i) {
      const float* xs = row(x, i) + j;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) largest[v] = max(largest[v], lanes.load(xs + v * kWidth));
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) lanes.store(y + j + v * kWidth, largest[v]);
  }
};

void max_rows(float* y, Rows x, int64_t rows, int64_t n) { each_block(n, MaxForward{y, x, rows}); }

template <bool kAccumulate>
struct MaxBackward {
  const Rows& d;
  const Rows& x;
  const float *y, *dy;
  int64_t rows;

  template <int kVectors, class Lanes>
  DYNNET_INLINE void run(int64_t j, Lanes lanes) const {
    const Vec zero(0.0f), half(0.5f);
    Vec number[kVectors], gradient[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      number[v] = zero;
      gradient[v] = lanes.load(dy + j + v * kWidth);
    }
    for (int64_t i = 1; i < rows; ++i) {
      const float* xs = row(x, i) + j;
      const Vec own(static_cast<float>(i));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        number[v] = select(lanes.load(xs + v * kWidth) < lanes.load(y + j + v * kWidth), number[v], own);
    }
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i) + j;
      const Vec own(static_cast<float>(i));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        put<kAccumulate>(lanes, to + v * kWidth, select(abs(number[v] - own) < half, gradient[v], zero));
    }
  }
};

void max_rows_backward(Rows d, Rows x, const float* y, const float* dy, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    each_block(n, MaxBackward<decltype(flag)::value>{d, x, y, dy, rows});
  });
}

void log_sum_exp_rows(float* y, float* z, Rows x, int64_t rows, int64_t n) {
  const Vec zero(0.0f), one(1.0f);
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec largest = lanes.load(row(x, 0) + j);
    for (int64_t i = 1; i < rows; ++i) largest = max(largest, lanes.load(row(x, i) + j));
    // Finite, so that no infinity is taken from itself.
    largest = max(Vec(-kLargest), min(Vec(kLargest), largest));
    // Without one of the largest, whose part is 1: what is small beside that keeps its digits.
    Vec rest(0.0f), ties(-1.0f);
    for (int64_t i = 0; i < rows; ++i) {
      const Vec element = lanes.load(row(x, i) + j), e = exp(element - largest);
      const Mask less = element < largest;
      rest = rest + select(less, e, e - one);
      ties = ties + select(less, zero, one);
    }
    rest = rest + ties;
    lanes.store(y + j, largest + log1p(rest));
    lanes.store(z + j, largest);
    // 1 if all are minus infinity, whose gradients are 0 by their exponentials.
    lanes.store(z + n + j, one / (one + max(zero, rest)));
  });
}

void log_sum_exp_rows_backward(Rows d, Rows x, Rows z, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float *xs = row(x, i), *largest = row(z, i), *inverse = largest + n, *dys = row(dy, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec part = exp(lanes.load(xs + j) - lanes.load(largest + j)) * lanes.load(inverse + j);
        put<decltype(flag)::value>(lanes, to + j, lanes.load(dys + j) * part);
      });
    }
  });
}

}  // namespace

void fill_many(Kernels* table) {
  table->max_rows = max_rows;
  table->max_rows_backward = max_rows_backward;
  table->log_sum_exp_rows = log_sum_exp_rows;
  table->log_sum_exp_rows_backward = log_sum_exp_rows_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

// Sums up to each element of a dimension, or from it on.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// The place of step i of n, from the first on or from the last.
template <bool kReverse>
DYNNET_INLINE int64_t place(int64_t i, int64_t n) {
  return kReverse ? n - 1 - i : i;
}

/// Along one line, which is a chain of sums.
template <bool kReverse, bool kAccumulate>
void sum_line(float* y, const float* x, int64_t n) {
  float sum = 0.0f;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t j = place<kReverse>(i, n);
    sum = sum + x[j];
    put<kAccumulate>(y + j, sum);
  }
}

/// Along kWidth lines that lie one after the other, in blocks that turn in registers: one vector is one step of all.
template <bool kReverse, bool kAccumulate>
void sum_lines(float* y, const float* x, int64_t n) {
  const int64_t blocks = (n + kWidth - 1) / kWidth;
  Vec sum(0.0f);
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t begin = place<kReverse>(i, blocks) * kWidth;
    const int64_t steps = n - begin < kWidth ? n - begin : kWidth;
    const Part part(steps);
    Vec block[kWidth];
    for (int l = 0; l < kWidth; ++l) block[l] = part.load(x + begin + n * l);
    transpose(block);
    // The steps beyond the end are zeros, and come first where sums run backwards.
    for (int64_t s = 0; s < kWidth; ++s) {
      Vec& at = block[place<kReverse>(s, kWidth)];
      at = sum = sum + at;
    }
    transpose(block);
    for (int l = 0; l < kWidth; ++l) put<kAccumulate>(part, y + begin + n * l, block[l]);
  }
}

/// Along lines that lie side by side: kVectors vectors of them, the sums in registers.
template <bool kReverse, bool kAccumulate, int kVectors, class Lanes>
DYNNET_INLINE void sum_beside(float* y, const float* x, int64_t n, int64_t step, Lanes lanes) {
  Vec sum[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) sum[v] = Vec(0.0f);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = place<kReverse>(i, n) * step;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[v] = sum[v] + lanes.load(x + at + v * kWidth);
      put<kAccumulate>(lanes, y + at + v * kWidth, sum[v]);
    }
  }
}

template <bool kReverse, bool kAccumulate>
void sum_row(float* y, const float* x, int64_t inner, int64_t n, int64_t outer) {
  int64_t o = 0;
  if (inner == 1) {
    for (; o + kWidth <= outer; o += kWidth) sum_lines<kReverse, kAccumulate>(y + o * n, x + o * n, n);
    for (; o < outer; ++o) sum_line<kReverse, kAccumulate>(y + o * n, x + o * n, n);
    return;
  }
  for (; o < outer; ++o) {
    float* ys = y + o * n * inner;
    const float* xs = x + o * n * inner;
    int64_t j = 0;
    for (; j + 4 * kWidth <= inner; j += 4 * kWidth)
      sum_beside<kReverse, kAccumulate, 4>(ys + j, xs + j, n, inner, Whole());
    for (; j + kWidth <= inner; j += kWidth) sum_beside<kReverse, kAccumulate, 1>(ys + j, xs + j, n, inner, Whole());
    if (j < inner) sum_beside<kReverse, kAccumulate, 1>(ys + j, xs + j, n, inner, Part(inner - j));
  }
}

void cumulative_sum(Rows y, Rows x, int64_t rows, int64_t inner, int64_t n, int64_t outer, bool reverse,
                    bool accumulate) {
  with_flag(reverse, [&](auto backwards) DYNNET_INLINE_BODY {
    with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
      for (int64_t i = 0; i < rows; ++i)
        sum_row<decltype(backwards)::value, decltype(flag)::value>(row(y, i), row(x, i), inner, n, outer);
    });
  });
}

}  // namespace

void fill_cumulative(Kernels* table) { table->cumulative_sum = cumulative_sum; }

}  // namespace dynnet::cpu::DYNNET_ISA

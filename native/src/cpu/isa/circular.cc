// Circular convolution and correlation, as sums over shifted copies.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// Elements k on of y, kVectors vectors of them, whose sums over j, ascending, stay in registers. `w` is where they are
/// multiplied by u[0]; each further element of u is `step` further there.
template <int kVectors, class Lanes>
DYNNET_INLINE void add_shifted(float* y, const float* u, const float* w, int64_t step, int64_t n, bool accumulate,
                               Lanes lanes) {
  Vec sum[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) sum[v] = Vec(0.0f);
  for (int64_t j = 0; j < n; ++j, w += step) {
    const Vec factor(u[j]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[v] = fma(factor, lanes.load(w + v * kWidth), sum[v]);
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    float* to = y + v * kWidth;
    lanes.store(to, accumulate ? lanes.load(to) + sum[v] : sum[v]);
  }
}

void circular(Rows y, Rows u, Rows w, bool backwards, int64_t rows, int64_t n, bool accumulate) {
  const int64_t step = backwards ? -1 : 1;
  for (int64_t i = 0; i < rows; ++i) {
    float* ys = row(y, i);
    const float *us = row(u, i), *ws = row(w, i) + (backwards ? n : 0);
    int64_t k = 0;
    for (; k + 4 * kWidth <= n; k += 4 * kWidth) add_shifted<4>(ys + k, us, ws + k, step, n, accumulate, Whole());
    for (; k + kWidth <= n; k += kWidth) add_shifted<1>(ys + k, us, ws + k, step, n, accumulate, Whole());
    if (k < n) add_shifted<1>(ys + k, us, ws + k, step, n, accumulate, Part(n - k));
  }
}

}  // namespace

void fill_circular(Kernels* table) { table->circular = circular; }

}  // namespace dynnet::cpu::DYNNET_ISA

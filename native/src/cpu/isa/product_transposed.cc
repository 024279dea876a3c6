// Products with the transpose of a column-major matrix: dot products over its contiguous columns.
//
// Each element is a vector of sums over the rows, then added up across the lanes in the order of reduce_add. As many
// sums as a vector has lanes are in flight, so that one turn of a block in registers adds up all of them.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// kK columns of A with kN columns of d. Of the columns of A, the first `count` are wanted; the pointers of the others
/// repeat one.
template <int kK, int kN>
void tile(int64_t m, const float* const* a, const float* const* d, float* const* y, int64_t count, bool accumulate) {
  static_assert(kK * kN <= kWidth, "the sums of a tile fit into one vector");
  Vec sum[kWidth];
#pragma GCC unroll 16
  for (int s = 0; s < kWidth; ++s) sum[s] = Vec(0.0f);
  const float *as[kK], *ds[kN];
#pragma GCC unroll 16
  for (int i = 0; i < kK; ++i) as[i] = a[i];
#pragma GCC unroll 16
  for (int j = 0; j < kN; ++j) ds[j] = d[j];
  for_vectors(m, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    Vec v[kN];
#pragma GCC unroll 16
    for (int j = 0; j < kN; ++j) v[j] = lanes.load(ds[j] + i);
#pragma GCC unroll 16
    for (int c = 0; c < kK; ++c) {
      Vec w = lanes.load(as[c] + i);
      if constexpr (kN > 1) hold(w);
#pragma GCC unroll 16
      for (int j = 0; j < kN; ++j) sum[j * kK + c] = fma(w, v[j], sum[j * kK + c]);
    }
  });
  alignas(64) float total[kWidth];
  store(total, reduce_add_each(sum));
  for (int j = 0; j < kN; ++j) {
    float* to = y[j];
    const float* from = total + j * kK;
    if (count == kK) {
      // A number of turns that the compiler knows: it becomes one load and one store.
      float sums[kK];
#pragma GCC unroll 16
      for (int c = 0; c < kK; ++c) sums[c] = accumulate ? to[c] + from[c] : from[c];
#pragma GCC unroll 16
      for (int c = 0; c < kK; ++c) to[c] = sums[c];
    } else {
      for (int64_t c = 0; c < count; ++c) to[c] = accumulate ? to[c] + from[c] : from[c];
    }
  }
}

template <int kN>
void columns(int64_t m, int64_t k, const float* a, int64_t lda, Rows d, Rows y, int64_t first_column, bool accumulate) {
  constexpr int kK = kWidth / kN;
  const float* ds[kN];
  float* ys[kN];
  for (int j = 0; j < kN; ++j) {
    ds[j] = row(d, first_column + j);
    ys[j] = row(y, first_column + j);
  }
  for (int64_t i = 0; i < k; i += kK) {
    const int64_t count = k - i < kK ? k - i : kK;
    const float* as[kK];
    for (int c = 0; c < kK; ++c) as[c] = a + (i + (c < count ? c : 0)) * lda;
    tile<kK, kN>(m, as, ds, ys, count, accumulate);
    for (int j = 0; j < kN; ++j) ys[j] += count;
  }
}

void product_transposed(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, Rows d, Rows y, bool accumulate) {
  int64_t j = 0;
  while (j < n) {
    // A column alone reads all of A for little: 3 and 2 rather than 4 and 1.
    const int64_t left = n - j, count = left == 5 ? 3 : left < 4 ? left : 4;
    if (count == 4) {
      columns<4>(m, k, a, lda, d, y, j, accumulate);
    } else if (count == 3) {
      columns<3>(m, k, a, lda, d, y, j, accumulate);
    } else if (count == 2) {
      columns<2>(m, k, a, lda, d, y, j, accumulate);
    } else {
      columns<1>(m, k, a, lda, d, y, j, accumulate);
    }
    j += count;
  }
}

}  // namespace

void fill_product_transposed(Kernels* table) { table->product_transposed = product_transposed; }

}  // namespace dynnet::cpu::DYNNET_ISA

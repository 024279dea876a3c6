// Packing matrices into strips of 16 rows, as `product` reads them best.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

constexpr int kStrip = 16;

void pack(int64_t m, int64_t k, const float* a, int64_t lda, float* to) {
  for (int64_t i = 0; i < m; i += kStrip, to += kStrip * k) {
    const int64_t rows = m - i < kStrip ? m - i : kStrip;
    if (rows == kStrip) {
      for (int64_t j = 0; j < k; ++j) {
#pragma GCC unroll 4
        for (int v = 0; v < kStrip; v += kWidth) store(to + j * kStrip + v, load(a + i + j * lda + v));
      }
      continue;
    }
    for (int64_t j = 0; j < k; ++j) {
#pragma GCC unroll 4
      for (int v = 0; v < kStrip; v += kWidth) {
        const int64_t left = rows - v;
        store(to + j * kStrip + v,
              left > 0 ? Part(left < kWidth ? left : kWidth).load(a + i + j * lda + v) : Vec(0.0f));
      }
    }
  }
}

void pack_transposed(int64_t m, int64_t k, const float* a, int64_t lda, float* to) {
  for (int64_t j = 0; j < k; j += kStrip, to += kStrip * m) {
    for (int64_t v = 0; v < kStrip; v += kWidth) {
      // These columns become rows v to v + kWidth of the strip; those beyond the matrix are the padding.
      const int64_t columns = k - j - v;
      for (int64_t i = 0; i < m; i += kWidth) {
        const int64_t lines = m - i < kWidth ? m - i : kWidth;
        const Part down(lines);
        Vec block[kWidth];
        if (lines == kWidth && columns >= kWidth) {
#pragma GCC unroll 16
          for (int64_t c = 0; c < kWidth; ++c) block[c] = load(a + i + (j + v + c) * lda);
        } else {
          for (int64_t c = 0; c < kWidth; ++c) {
            block[c] = c < columns ? down.load(a + i + (j + v + c) * lda) : Vec(0.0f);
          }
        }
        transpose(block);
        if (lines == kWidth) {
#pragma GCC unroll 16
          for (int64_t l = 0; l < kWidth; ++l) store(to + (i + l) * kStrip + v, block[l]);
        } else {
          for (int64_t l = 0; l < lines; ++l) store(to + (i + l) * kStrip + v, block[l]);
        }
      }
    }
  }
}

}  // namespace

void fill_pack(Kernels* table) {
  table->pack = pack;
  table->pack_transposed = pack_transposed;
}

}  // namespace dynnet::cpu::DYNNET_ISA

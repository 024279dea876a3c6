// Sums of outer products: the gradients of weights, over all their uses, from columns that lie anywhere.
//
// A tile of G stays in registers while a block of uses goes by. Sums begin at what is in G (or 0), so that one call
// over all uses and several over parts of them, in order, give the same bits.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

constexpr int kStrip = 16;
constexpr int kVectors = kStrip / kWidth;
constexpr int kStrips = kWidth == 16 ? 2 : 1;
constexpr int kColumns = kWidth == 16 ? 12 : kWidth == 8 ? 6 : 3;
/// Uses in a block: those of one tile stay in the first cache.
constexpr int kUses = 128;
/// Rows in a block: what the uses of a block have of them stays in the second cache while all columns go by.
constexpr int64_t kRows = 512;

/// Vectors of the last strip of a tile: whole ones, or those that the matrix has left.
template <bool kWhole>
DYNNET_INLINE auto lanes_of(int64_t rows, int v) {
  if constexpr (kWhole) {
    return Whole();
  } else {
    const int64_t left = rows - v * kWidth;
    return Part(left < 0 ? 0 : left < kWidth ? left : kWidth);
  }
}

/// kS strips of rows from row r by kN columns from column c, over `uses` uses. The last strip has `last` rows.
template <int kS, int kN, bool kWhole>
void tile(const float* const* d, const float* const* x, int64_t uses, int64_t r, int64_t c, int64_t last, float* g,
          int64_t ldg, bool add) {
  constexpr int kR = kS * kVectors, kLast = kR - kVectors;
  Vec sum[kN][kR];
  g += r + c * ldg;
#pragma GCC unroll 16
  for (int j = 0; j < kN; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < kR; ++v) {
      const float* p = g + j * ldg + v * kWidth;
      sum[j][v] = !add ? Vec(0.0f) : v < kLast ? load(p) : lanes_of<kWhole>(last, v - kLast).load(p);
    }
  }
  for (int64_t i = 0; i < uses; ++i) {
    const float *di = d[i] + r, *xi = x[i] + c;
    Vec w[kR];
#pragma GCC unroll 16
    for (int v = 0; v < kR; ++v) {
      w[v] = v < kLast ? load(di + v * kWidth) : lanes_of<kWhole>(last, v - kLast).load(di + v * kWidth);
      if constexpr (kN > 1) hold(w[v]);
    }
#pragma GCC unroll 16
    for (int j = 0; j < kN; ++j) {
      const Vec b(xi[j]);
#pragma GCC unroll 16
      for (int v = 0; v < kR; ++v) sum[j][v] = fma(w[v], b, sum[j][v]);
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < kN; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < kR; ++v) {
      float* p = g + j * ldg + v * kWidth;
      if (v < kLast) {
        store(p, sum[j][v]);
      } else {
        lanes_of<kWhole>(last, v - kLast).store(p, sum[j][v]);
      }
    }
  }
}

/// Rows r to m of kN columns from column c.
template <int kN>
void run_columns(int64_t r, int64_t m, const float* const* d, const float* const* x, int64_t uses, int64_t c, float* g,
                 int64_t ldg, bool add) {
  for (; r + kStrips * kStrip <= m; r += kStrips * kStrip) {
    tile<kStrips, kN, true>(d, x, uses, r, c, kStrip, g, ldg, add);
  }
  if (m - r > kStrip) {
    tile<kStrips, kN, false>(d, x, uses, r, c, m - r - kStrip, g, ldg, add);
  } else if (m - r == kStrip) {
    tile<1, kN, true>(d, x, uses, r, c, kStrip, g, ldg, add);
  } else if (m > r) {
    tile<1, kN, false>(d, x, uses, r, c, m - r, g, ldg, add);
  }
}

template <int kN>
void run(int columns, int64_t r, int64_t m, const float* const* d, const float* const* x, int64_t uses, int64_t c,
         float* g, int64_t ldg, bool add) {
  if (columns == kN) return run_columns<kN>(r, m, d, x, uses, c, g, ldg, add);
  if constexpr (kN > 1) run<kN - 1>(columns, r, m, d, x, uses, c, g, ldg, add);
}

void outer_sum(int64_t m, int64_t n, int64_t k0, int64_t k1, Rows d, Rows x, float* g, int64_t ldg, bool accumulate) {
  const float *ds[kUses], *xs[kUses];
  // Runs once even without uses: then the sum is 0, and overwrites.
  for (int64_t i = 0; i == 0 || i < n; i += kUses) {
    const int64_t uses = n - i < kUses ? n - i : kUses;
    for (int64_t u = 0; u < uses; ++u) {
      ds[u] = row(d, i + u);
      xs[u] = row(x, i + u);
    }
    const bool add = accumulate || i > 0;
    for (int64_t r = 0; r < m; r += kRows) {
      const int64_t end = m - r < kRows ? m : r + kRows;
      int64_t blocks = (k1 - k0 + kColumns - 1) / kColumns;
      for (int64_t c = k0; c < k1; --blocks) {
        const int columns = static_cast<int>((k1 - c + blocks - 1) / blocks);
        run<kColumns>(columns, r, end, ds, xs, uses, c, g, ldg, add);
        c += columns;
      }
    }
  }
}

}  // namespace

void fill_outer(Kernels* table) { table->outer_sum = outer_sum; }

}  // namespace dynnet::cpu::DYNNET_ISA

// Sums of outer products: the gradients of weights, over all their uses, from columns that lie anywhere.
//
// A tile of G stays in registers while a block of uses goes by. Sums begin at what is in G (or 0), so that one call
// over all uses and several over parts of them, in order, give the same bits. What a block of uses has of d and x is
// copied side by side first: rows a power of two apart, as a network's are, would all want the same places in the
// first cache, and each is read by many tiles.

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
constexpr int64_t kRows = 128;
/// Floats between a strip of the copied d and the next, a line more than a power of two, since a use's part of all of
/// them is written at once; and between the copied columns of a use and the next's: one vector holds them.
constexpr int64_t kStripFloats = int64_t{kUses} * kStrip + 16;
constexpr int64_t kXStride = kWidth;

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

/// kS strips of rows by kN columns of G, over `uses` uses. The last strip has `last` rows.
template <int kS, int kN, bool kWhole>
void tile(const float* d, const float* x, int64_t uses, int64_t last, float* g, int64_t ldg, bool add) {
  constexpr int kR = kS * kVectors, kLast = kR - kVectors;
  Vec sum[kN][kR];
#pragma GCC unroll 16
  for (int j = 0; j < kN; ++j) {
#pragma GCC unroll 16
    for (int v = 0; v < kR; ++v) {
      const float* p = g + j * ldg + v * kWidth;
      sum[j][v] = !add ? Vec(0.0f) : v < kLast ? load(p) : lanes_of<kWhole>(last, v - kLast).load(p);
    }
  }
  for (int64_t i = 0; i < uses; ++i, d += kStrip, x += kXStride) {
    Vec w[kR];
#pragma GCC unroll 16
    for (int v = 0; v < kR; ++v) {
      w[v] = load(d + (v / kVectors) * kStripFloats + (v % kVectors) * kWidth);
      if constexpr (kN > 1) hold(w[v]);
    }
#pragma GCC unroll 16
    for (int j = 0; j < kN; ++j) {
      const Vec b(x[j]);
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

/// `rows` rows of kN columns.
template <int kN>
void run_columns(int64_t rows, const float* d, const float* x, int64_t uses, float* g, int64_t ldg, bool add) {
  constexpr int64_t kTile = int64_t{kStrips} * kStrip;
  for (; rows >= kTile; rows -= kTile, g += kTile, d += kStrips * kStripFloats)
    tile<kStrips, kN, true>(d, x, uses, kStrip, g, ldg, add);
  if (rows > kStrip) {
    tile<kStrips, kN, false>(d, x, uses, rows - kStrip, g, ldg, add);
  } else if (rows == kStrip) {
    tile<1, kN, true>(d, x, uses, kStrip, g, ldg, add);
  } else if (rows > 0) {
    tile<1, kN, false>(d, x, uses, rows, g, ldg, add);
  }
}

template <int kN>
void run(int columns, int64_t rows, const float* d, const float* x, int64_t uses, float* g, int64_t ldg, bool add) {
  if (columns == kN) return run_columns<kN>(rows, d, x, uses, g, ldg, add);
  if constexpr (kN > 1) run<kN - 1>(columns, rows, d, x, uses, g, ldg, add);
}

/// Rows r to r + rows of each use's d, in strips: kStrip floats a use, the last strip's padded with zeros. Use by use,
/// so that memory is read in its order.
void copy_rows(const float* const* d, int64_t uses, int64_t r, int64_t rows, float* to) {
  for (int64_t i = 0; i < uses; ++i, to += kStrip) {
    const float* from = d[i] + r;
    float* strip = to;
    int64_t left = rows;
    for (; left >= kStrip; left -= kStrip, from += kStrip, strip += kStripFloats) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) store(strip + v * kWidth, load(from + v * kWidth));
    }
    if (left <= 0) continue;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(strip + v * kWidth, lanes_of<false>(left, v).load(from + v * kWidth));
  }
}

/// Columns from c on of each use's x, of which `left` are there: as many as a vector holds.
void copy_columns(const float* const* x, int64_t uses, int64_t c, int64_t left, float* to) {
  if (left >= kWidth) {
    for (int64_t i = 0; i < uses; ++i) store(to + i * kXStride, load(x[i] + c));
    return;
  }
  const Part part(left);
  for (int64_t i = 0; i < uses; ++i) store(to + i * kXStride, part.load(x[i] + c));
}

/// One use: each column of g once, which no copies make faster.
void outer_product(int64_t r0, int64_t r1, int64_t k, const float* d, const float* x, float* g, int64_t ldg,
                   bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t c = 0; c < k; ++c) {
      float* to = g + c * ldg;
      const Vec factor(x[c]);
      for_vectors(r1 - r0, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec before = decltype(flag)::value ? lanes.load(to + r0 + j) : Vec(0.0f);
        lanes.store(to + r0 + j, fma(lanes.load(d + r0 + j), factor, before));
      });
    }
  });
}

void outer_sum(int64_t r0, int64_t r1, int64_t n, int64_t k, Rows d, Rows x, float* g, int64_t ldg, bool accumulate) {
  if (n == 1) return outer_product(r0, r1, k, row(d, 0), row(x, 0), g, ldg, accumulate);
  alignas(64) float d_copy[kRows / kStrip * kStripFloats];
  alignas(64) float x_copy[kUses * kXStride];
  const float *ds[kUses], *xs[kUses];
  // Runs once even without uses: then the sum is 0, and overwrites.
  for (int64_t i = 0; i == 0 || i < n; i += kUses) {
    const int64_t uses = n - i < kUses ? n - i : kUses;
    for (int64_t u = 0; u < uses; ++u) {
      ds[u] = row(d, i + u);
      xs[u] = row(x, i + u);
    }
    const bool add = accumulate || i > 0;
    for (int64_t r = r0; r < r1; r += kRows) {
      const int64_t rows = r1 - r < kRows ? r1 - r : kRows;
      copy_rows(ds, uses, r, rows, d_copy);
      int64_t blocks = (k + kColumns - 1) / kColumns;
      for (int64_t c = 0; c < k; --blocks) {
        const int columns = static_cast<int>((k - c + blocks - 1) / blocks);
        copy_columns(xs, uses, c, k - c, x_copy);
        run<kColumns>(columns, rows, d_copy, x_copy, uses, g + r + c * ldg, ldg, add);
        c += columns;
      }
    }
  }
}

}  // namespace

void fill_outer(Kernels* table) { table->outer_sum = outer_sum; }

}  // namespace dynnet::cpu::DYNNET_ISA

// Products with a packed or column-major left operand: the heart of every network.
//
// A tile is up to 8 strips of 16 rows by up to 12 columns; its sums stay in registers while k goes by. Each output
// element is one chain of multiply-adds over ascending k, whatever the tile, so the tiling changes no bit.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

constexpr int kStrip = 16;
constexpr int kVectors = kStrip / kWidth;

// The most columns of a tile, and the most whose x are read where they lie; for more, x is copied side by side first,
// so that one register addresses all of it.
constexpr int kColumns = kWidth == 16 ? 12 : kWidth == 8 ? 6 : 3;
constexpr int kDirect = kWidth == 16 ? 4 : 3;

/// The most strips of a tile of n columns: as many as the registers hold.
constexpr int max_strips(int n) {
  if (kWidth == 16) return n <= 2 ? 8 : n == 3 ? 7 : n == 4 ? 6 : n == 5 ? 5 : n == 6 ? 4 : n <= 9 ? 3 : 2;
  if (kWidth == 8) return n == 1 ? 6 : n == 2 ? 3 : n == 3 ? 2 : 1;
  return n == 1 ? 3 : 1;
}

// Blocks that stay in a core's caches: k of a copied x, and the strips that one block of columns meets.
constexpr int64_t kDepth = 512;
constexpr int64_t kBlockFloats = 64 * 1024;
constexpr int64_t kBlockStrips = 32;
// Copied columns are a line more than a power of two apart, or all of them would want the same places in the cache.
constexpr int64_t kScratchStride = kDepth + 16;

struct Tile {
  const float* a;
  int64_t strip, step;
  int64_t k;
  /// How far ahead of `a` lies what to fetch into the cache meanwhile; 0 where there is nothing.
  int64_t ahead;
  /// Where x begins: a pointer for each column, or one for all if it was copied.
  const float* const* x;
  const float* scratch;
  float* const* y;
  /// The first row of the tile in y and bias, and the rows of its last strip.
  int64_t row;
  int64_t last;
  const float* bias;
  /// Whether this is the first and the last block of k; where it is not, sums are read from and left in `partial`,
  /// column j at partial + j * kBlockStrips * kStrip. Only tiles with copied x have several.
  bool begin, end;
  float* partial;
  bool accumulate;
};

/// Loads or stores vector v of the last strip, of which `rows` rows are there.
DYNNET_INLINE Part part_of(int64_t rows, int v) {
  const int64_t left = rows - v * kWidth;
  return Part(left < 0 ? 0 : left < kWidth ? left : kWidth);
}

/// One tile of kStrips strips and kN columns. kMasked: the last strip's rows beyond the matrix must not be read.
template <int kStrips, int kN, bool kMasked>
void tile(const Tile& t) {
  constexpr int kR = kStrips * kVectors;
  constexpr int kLast = kR - kVectors;
  Vec sum[kN][kR];
  const bool whole = t.last == kStrip;
  if (kN <= kDirect || t.begin) {
#pragma GCC unroll 32
    for (int r = 0; r < kR; ++r) {
      Vec start(0.0f);
      if (t.bias != nullptr) {
        const float* p = t.bias + t.row + r * kWidth;
        start = r < kLast || whole ? load(p) : part_of(t.last, r - kLast).load(p);
      }
#pragma GCC unroll 16
      for (int j = 0; j < kN; ++j) sum[j][r] = start;
    }
  } else {
#pragma GCC unroll 16
    for (int j = 0; j < kN; ++j) {
#pragma GCC unroll 32
      for (int r = 0; r < kR; ++r) sum[j][r] = load(t.partial + j * (kBlockStrips * kStrip) + r * kWidth);
    }
  }

  const float* a = t.a;
  const int64_t strip = t.strip, step = t.step, k = t.k, ahead = t.ahead;
  const float* x[kN];
#pragma GCC unroll 16
  for (int j = 0; j < kN; ++j) x[j] = kN <= kDirect ? t.x[j] : t.scratch + j * kScratchStride;
  for (int64_t i = 0; i < k; ++i, a += step) {
    if constexpr (kN > kDirect) __builtin_prefetch(a + ahead, 0, 2);
    // What there is less of waits in registers, beside the sums: all of x, or all of the left operand.
    const auto left = [&](int r) DYNNET_INLINE_BODY {
      const float* p = a + (r / kVectors) * strip + (r % kVectors) * kWidth;
      return kMasked && r >= kLast ? part_of(t.last, r - kLast).load(p) : load(p);
    };
    if constexpr (kR > kN) {
      Vec b[kN];
#pragma GCC unroll 16
      for (int j = 0; j < kN; ++j) {
        b[j] = Vec(x[j][i]);
        hold(b[j]);
      }
#pragma GCC unroll 32
      for (int r = 0; r < kR; ++r) {
        Vec w = left(r);
        if constexpr (kN > 1) hold(w);
#pragma GCC unroll 16
        for (int j = 0; j < kN; ++j) sum[j][r] = fma(w, b[j], sum[j][r]);
      }
    } else {
      Vec w[kR];
#pragma GCC unroll 32
      for (int r = 0; r < kR; ++r) {
        w[r] = left(r);
        hold(w[r]);
      }
#pragma GCC unroll 16
      for (int j = 0; j < kN; ++j) {
        const Vec b(x[j][i]);
#pragma GCC unroll 32
        for (int r = 0; r < kR; ++r) sum[j][r] = fma(w[r], b, sum[j][r]);
      }
    }
  }

  if (kN > kDirect && !t.end) {
#pragma GCC unroll 16
    for (int j = 0; j < kN; ++j) {
#pragma GCC unroll 32
      for (int r = 0; r < kR; ++r) store(t.partial + j * (kBlockStrips * kStrip) + r * kWidth, sum[j][r]);
    }
    return;
  }
#pragma GCC unroll 16
  for (int j = 0; j < kN; ++j) {
    float* y = t.y[j] + t.row;
#pragma GCC unroll 32
    for (int r = 0; r < kR; ++r) {
      float* p = y + r * kWidth;
      if (r < kLast || whole) {
        store(p, t.accumulate ? load(p) + sum[j][r] : sum[j][r]);
      } else {
        const Part part = part_of(t.last, r - kLast);
        part.store(p, t.accumulate ? part.load(p) + sum[j][r] : sum[j][r]);
      }
    }
  }
}

/// With few columns a tile's last strip may be masked; with many, a masked strip is a tile of its own, which has sums
/// enough in flight, and the code is half as long.
constexpr bool masks_groups(int n) { return n <= kDirect; }

template <int kStrips, int kN>
void run_tile(int strips, const Tile& t, bool masked) {
  if (strips != kStrips) {
    if constexpr (kStrips > 1) run_tile<kStrips - 1, kN>(strips, t, masked);
    return;
  }
  if constexpr (kStrips == 1 || masks_groups(kN)) {
    if (masked) return tile<kStrips, kN, true>(t);
  }
  tile<kStrips, kN, false>(t);
}

struct Block {
  int64_t strips;
  /// Which strip of each group to fetch from the next block of as many; -1 for none.
  int64_t fetch;
  /// The rows of the last strip, and whether those beyond may be read.
  int64_t last;
  bool padded;
};

template <int kN>
void run_columns(Tile t, const Block& block) {
  constexpr int kMax = max_strips(kN);
  const bool masked = block.last != kStrip && !block.padded;
  const int64_t alone = masked && !masks_groups(kN) ? 1 : 0;
  // Groups of strips as even as they can be, so that none is left with too few sums in flight.
  int64_t groups = (block.strips - alone + kMax - 1) / kMax;
  for (int64_t left = block.strips; left > 0; --groups) {
    const int64_t strips = groups > 0 ? (left - alone + groups - 1) / groups : alone;
    left -= strips;
    t.last = left == 0 ? block.last : kStrip;
    t.ahead = block.fetch >= 0 && block.fetch < strips ? (block.strips + block.fetch) * t.strip : 0;
    run_tile<kMax, kN>(static_cast<int>(strips), t, masked && left == 0);
    t.a += strips * t.strip;
    t.row += strips * kStrip;
    if constexpr (kN > kDirect) t.partial += strips * kStrip;
  }
}

template <int kN>
void run_block(int columns, const Tile& t, const Block& block) {
  if (columns == kN) return run_columns<kN>(t, block);
  if constexpr (kN > 1) run_block<kN - 1>(columns, t, block);
}

void product(int64_t m, int64_t n, int64_t k, Left a, Rows x, Rows y, const float* bias, bool accumulate) {
  if (m <= 0 || n <= 0) return;
  alignas(64) float scratch[kColumns * kScratchStride];
  alignas(64) float partial[kColumns * kBlockStrips * kStrip];
  const int64_t strips = (m + kStrip - 1) / kStrip;
  const int64_t blocks = (n + kColumns - 1) / kColumns;
  const int64_t depths = k > kDepth ? (k + kDepth - 1) / kDepth : 1;
  const int64_t depth = (k + depths - 1) / depths;
  int64_t block_strips = strips;
  if (blocks > 1 || n > kDirect) {
    block_strips = kBlockFloats / (kStrip * (depth > 0 ? depth : 1));
    if (block_strips < 8) block_strips = 8;
    if (block_strips > kBlockStrips) block_strips = kBlockStrips;
  }

  Tile t;
  t.strip = a.strip;
  t.step = a.step;
  t.scratch = scratch;
  t.bias = bias;
  t.accumulate = accumulate;
  t.last = kStrip;
  for (int64_t s = 0; s < strips; s += block_strips) {
    Block block;
    block.strips = strips - s < block_strips ? strips - s : block_strips;
    block.last = s + block.strips == strips ? m - (strips - 1) * kStrip : kStrip;
    block.padded = a.padded;
    // While a large left operand's block is multiplied, the next is fetched, strip by strip: else the first of its
    // columns would wait for memory, and the others leave it idle.
    const bool fetch = depths == 1 && s + 2 * block_strips <= strips;
    t.row = s * kStrip;
    for (int64_t b = 0, j = 0; b < blocks; ++b) {
      const int columns = static_cast<int>((n - j + blocks - b - 1) / (blocks - b));
      const float* xs[kColumns];
      float* ys[kColumns];
      for (int c = 0; c < columns; ++c) {
        xs[c] = row(x, j + c);
        ys[c] = row(y, j + c);
      }
      t.x = xs;
      t.y = ys;
      t.partial = partial;
      j += columns;
      t.a = a.data + s * a.strip;
      block.fetch = fetch ? b : -1;
      if (columns <= kDirect) {
        t.k = k;
        run_block<kDirect>(columns, t, block);
        continue;
      }
      for (int64_t d = 0; d < depths; ++d, t.a += depth * a.step) {
        const int64_t from = d * depth;
        t.k = k - from < depth ? k - from : depth;
        t.begin = d == 0;
        t.end = d == depths - 1;
        for (int c = 0; c < columns; ++c) {
          const float* source = xs[c] + from;
          float* to = scratch + c * kScratchStride;
          for_vectors(t.k,
                      [&](int64_t i, auto lanes) DYNNET_INLINE_BODY { lanes.store(to + i, lanes.load(source + i)); });
        }
        run_block<kColumns>(columns, t, block);
      }
    }
  }
}

}  // namespace

void fill_product(Kernels* table) { table->product = product; }

}  // namespace dynnet::cpu::DYNNET_ISA

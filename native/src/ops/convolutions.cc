// Convolutions of feature maps and of sequences.
#include <algorithm>

#include "ops/context.h"
#include "ops/product.h"
#include "ops/sliding.h"

namespace dynnet {
namespace {

// ---- conv2d ----

enum Conv2dOperand { kX, kF, kBias };

// What two dimensions of the map, the filters and the padding come to.
struct Geometry {
  int64_t channels, filters, taps;
  Slide down, across;
  ImageLayout layout;
  /// The places that a kernel is told of, and how far apart their filters are: the columns of results by themselves;
  /// or, where these are short, all of them with what lies between as one.
  bool joined;
  Sliding sliding;

  /// Whether images are not what they are laid out as.
  bool is_laid_out() const {
    return layout.top > 0 || layout.left > 0 || layout.stride > 1 || layout.lines != layout.h ||
           layout.width != layout.w;
  }
  int64_t pitch() const { return layout.phases * layout.lines; }
  int64_t layout_size() const { return pitch() * layout.width * layout.channels; }
  int64_t image_size() const { return layout.h * layout.w * layout.channels; }
  int64_t places() const { return down.places * across.places; }
};

Geometry geometry_of(const Type& type) {
  const Dim& x = type.operands[kX];
  const Dim& f = type.operands[kF];
  const std::vector<int32_t> stride = type.static_list(0);
  const bool is_valid = type.static_int(3) != 0;
  Geometry g;
  g.channels = x.d[2];
  g.filters = f.d[3];
  g.taps = f.size() / g.filters;
  g.down = slide(x.d[0], f.d[0], stride[0], is_valid);
  g.across = slide(x.d[1], f.d[1], stride[1], is_valid);
  // A map that needs no padding and no turning of its rows stays what it is.
  const int64_t lines = stride[0] == 1 ? std::max<int64_t>(g.down.extent(), g.down.before + x.d[0])
                                       : (g.down.extent() + stride[0] - 1) / stride[0];
  g.layout = {x.d[0],
              x.d[1],
              g.channels,
              g.down.before,
              g.across.before,
              g.down.stride,
              std::min(g.down.stride, g.down.size),
              lines,
              std::max<int64_t>(g.across.extent(), g.across.before + x.d[1])};
  // Vectors take whole columns of results, or all columns of the layout, of which some rows are no results.
  constexpr int64_t kVector = 16;
  g.joined = stride[0] == 1 && stride[1] == 1 && (g.down.places + kVector - 1) / kVector * kVector > g.pitch();
  g.sliding = {
      g.taps, g.filters, g.down.places, g.across.places, g.across.stride * g.pitch(), g.down.places * g.across.places,
      nullptr};
  if (g.joined) {
    g.sliding.rows = g.pitch() * (g.across.places - 1) + g.down.places;
    g.sliding.columns = 1;
    g.sliding.pitch = g.pitch() * g.across.places;
  }
  return g;
}

// Where each tap's first element is in the layout. In the order of the filters channels come last; or first, so that
// taps which follow each other meet in no element.
const int64_t* offsets_of(const BatchContext& b, const Geometry& g, bool channels_first = false) {
  auto* offsets = b.scratch.allocate<int64_t>(g.taps);
  const int64_t size = g.down.size * g.across.size;
  for (int64_t c = 0; c < g.channels; ++c)
    for (int64_t j = 0; j < g.across.size; ++j)
      for (int64_t i = 0; i < g.down.size; ++i) {
        const int64_t tap = i + g.down.size * j;
        offsets[channels_first ? c + g.channels * tap : tap + size * c] =
            i % g.down.stride * g.layout.lines + i / g.down.stride + g.pitch() * (j + g.layout.width * c);
      }
  return offsets;
}

void conv2d_shape(Shaping& s) {
  const Dim& x = s[kX];
  const Dim& f = s[kF];
  if (s.type.statics[0] != 2) s.bad_argument("%u strides, expected 2", s.type.statics[0]);
  if (x.size() != int64_t{x.d[0]} * x.d[1] * x.d[2])
    s.mismatch("the feature map %s has more than three dimensions", x.text().c_str());
  if (f.size() != int64_t{f.d[0]} * f.d[1] * f.d[2] * f.d[3])
    s.mismatch("the filters %s have more than four dimensions", f.text().c_str());
  if (f.d[2] != x.d[2])
    s.mismatch("the filters %s are for %u channels, the feature map %s has %u", f.text().c_str(), f.d[2],
               x.text().c_str(), x.d[2]);
  uint32_t batch = common_batch(s, x.bd, f.bd);
  if (s.count() > kBias) {
    const Dim& bias = s[kBias];
    if (!bias.is_vector() || bias.rows() != f.d[3])
      s.mismatch("expected a bias {%u} for the filters %s, got %s", f.d[3], f.text().c_str(), bias.text().c_str());
    batch = common_batch(s, batch, bias.bd);
  }
  const std::vector<int32_t> stride = s.type.static_list(0);
  const bool is_valid = s.type.static_int(3) != 0;
  s.type.dim = Dim(
      {checked_places(s, 0, f.d[0], stride[0], is_valid), checked_places(s, 1, f.d[1], stride[1], is_valid), f.d[3]},
      batch);
}

// Rows of images or of their gradients: those that a batch of 1 has, or one for each batch element.
Rows images(const BatchContext& b, Rows rows, int operand) {
  const Dim& dim = b.type.operands[static_cast<size_t>(operand)];
  return b.elements(rows, dim.size(), dim.bd, dim.bd);
}

// Of rows for each batch element of an operand, one for each batch element of the result.
Rows repeated(const BatchContext& b, Rows rows, int operand) {
  const int64_t batch = b.type.operands[static_cast<size_t>(operand)].bd;
  if (batch == static_cast<int64_t>(b.type.dim.bd)) return rows;
  auto** list = b.scratch.allocate<float*>(b.element_count());
  for (int64_t i = 0; i < b.element_count(); ++i) list[i] = rows.at(i / b.type.dim.bd);
  return {nullptr, list, 0};
}

// The maps laid out, one row for each batch element of the result.
Rows laid_out(const BatchContext& b, const Geometry& g) {
  const Rows x = images(b, b.x[kX], kX);
  if (!g.is_laid_out()) return repeated(b, x, kX);
  const int64_t count = b.count * b.type.operands[kX].bd;
  const Rows to{b.scratch.allocate<float>(g.layout_size() * count), nullptr, g.layout_size()};
  b.parallel(count, kMoveCost * static_cast<double>(g.layout_size()),
             [&](int64_t begin, int64_t end) { b.k.lay_out(to.from(begin), x.from(begin), g.layout, end - begin); });
  return repeated(b, to, kX);
}

// Columns of results as the kernels have them, `blocks` of each batch element, and as a node has them.
int64_t result_columns(const Geometry& g) { return g.across.places * g.filters; }

// The gradient of the results as kernels read it: what lies between joined columns is zeros.
Rows results_gradient(const Backward& b, const Geometry& g) {
  const Rows dy = b.dy_elements();
  if (!g.joined) return dy;
  const int64_t size = g.sliding.pitch * g.filters;
  const Rows to{b.scratch.allocate<float>(size * b.element_count()), nullptr, size};
  b.parallel(b.element_count(), kMoveCost * static_cast<double>(size), [&](int64_t begin, int64_t end) {
    b.k.fill(to.from(begin), 0, end - begin, size);
    b.k.copy_blocks(to.from(begin), g.pitch(), dy.from(begin), g.down.places, result_columns(g), g.down.places,
                    end - begin, false);
  });
  return to;
}

double convolution_cost(const Geometry& g, int64_t filters) {
  constexpr double kSpeed = 40;
  return 2.0 * static_cast<double>(g.places() * g.taps * filters) / kSpeed + 2;
}

// Filters that one chunk of work has.
constexpr int64_t kFilterBlock = 32;

void conv2d_forward(const Forward& b) {
  Geometry g = geometry_of(b.type);
  g.sliding.offsets = offsets_of(b, g);
  const Rows x = laid_out(b, g);
  const Rows f = b.x_elements(kF);
  const Rows bias = b.type.operands.size() > kBias ? b.x_elements(kBias) : Rows{};
  const Rows results = b.y_elements();
  const int64_t size = g.sliding.pitch * g.filters;
  const Rows y = g.joined ? Rows{b.scratch.allocate<float>(size * b.element_count()), nullptr, size} : results;
  const int64_t blocks = (g.filters + kFilterBlock - 1) / kFilterBlock;
  b.parallel(b.element_count() * blocks, convolution_cost(g, std::min(g.filters, kFilterBlock)),
             [&](int64_t begin, int64_t end) {
               for (int64_t i = begin; i < end; ++i) {
                 const int64_t e = i / blocks;
                 const int64_t o = i % blocks * kFilterBlock;
                 b.k.convolve(y.from(e), x.from(e), f.from(e), bias.from(e), g.sliding, o,
                              std::min(o + kFilterBlock, g.filters), 1);
               }
             });
  if (!g.joined) return;
  b.parallel(b.element_count(), kMoveCost * static_cast<double>(size), [&](int64_t begin, int64_t end) {
    b.k.copy_blocks(results.from(begin), g.down.places, y.from(begin), g.pitch(), result_columns(g), g.down.places,
                    end - begin, false);
  });
}

// The filters, their taps with the channels first, one row for each batch element of the result.
Rows filters_by_channel(const Backward& b, const Geometry& g) {
  const int64_t size = g.taps * g.filters;
  const bool one = b.type.is_one(kF);
  const int64_t count = one ? 1 : b.element_count();
  const Rows to{b.scratch.allocate<float>(size * count), nullptr, one ? 0 : size};
  const Rows f = b.x_elements(kF);
  for (int64_t e = 0; e < count; ++e)
    b.k.transpose(Rows{to.at(e), nullptr, g.taps}, Rows{f.at(e), nullptr, g.taps}, g.taps / g.channels, g.channels,
                  g.filters, false);
  return to;
}

void map_backward(const Backward& b, Geometry g, Rows dy) {
  g.sliding.offsets = offsets_of(b, g, true);
  const Rows f = filters_by_channel(b, g);
  const Backward::Operand dx = b.dx(kX);
  const Rows rows = images(b, dx.rows, kX);
  const int64_t batch = b.type.operands[kX].bd;
  const int64_t each = b.type.dim.bd / batch;
  const int64_t count = b.count * batch;
  const int64_t size = g.layout_size();
  const Rows laid = g.is_laid_out() ? Rows{b.scratch.allocate<float>(size * count), nullptr, size} : rows;
  b.parallel(
      count, convolution_cost(g, g.filters) * static_cast<double>(each),
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          if (g.is_laid_out() || !dx.accumulate) b.k.fill(laid.from(i), 0, 1, size);
          // A map that all batch elements share has the sum of their gradients.
          for (int64_t e = i * each; e < (i + 1) * each; ++e)
            b.k.convolve_back(laid.from(i), dy.from(e), f.from(e), g.sliding, 1);
          if (g.is_laid_out()) b.k.lay_back(rows.from(i), laid.from(i), g.layout, 1, dx.accumulate);
        }
      },
      dx.collides);
}

// The gradients of the filters, one row for each node or, if those have a batch, each batch element.
void filters_backward(const Backward& b, Geometry g, Rows dy) {
  g.sliding.offsets = offsets_of(b, g);
  const Rows x = laid_out(b, g);
  const int64_t batch = b.type.operands[kF].bd;
  const int64_t each = b.type.dim.bd / batch;
  const int64_t size = g.taps * g.filters;
  // Filters that all nodes share get a sum from each, so that these can be added up at the end.
  const bool deferred = b.type.deferred[kF] != 0;
  Backward::Operand df{};
  if (deferred)
    df.rows = {b.scratch.allocate<float>(size * b.count), nullptr, size};
  else
    df = b.dx(kF);
  const Rows to = images(b, df.rows, kF);
  const int64_t blocks = (g.filters + kFilterBlock - 1) / kFilterBlock;
  b.parallel(
      b.count * batch * blocks, convolution_cost(g, std::min(g.filters, kFilterBlock)) * static_cast<double>(each),
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t row = i / blocks;
          const int64_t o = i % blocks * kFilterBlock;
          b.k.convolve_filters(to.at(row), x.from(row * each), dy.from(row * each), g.sliding, o,
                               std::min(o + kFilterBlock, g.filters), each, df.accumulate);
        }
      },
      df.collides);
  if (deferred) b.defer_sum(kF, size, df.rows, b.count);
}

void bias_backward(const Backward& b, const Geometry& g) {
  const int64_t each = g.filters * b.type.dim.bd;
  const int64_t places = g.places();
  const Rows dy = b.elements(b.dy, places, each, each);
  // The sums over the places, one row for each batch element.
  const Rows sums{b.scratch.allocate<float>(each * b.count), nullptr, g.filters};
  b.parallel(each * b.count, kMoveCost * static_cast<double>(places), [&](int64_t begin, int64_t end) {
    b.k.sum_elements(Rows{sums.base + begin, nullptr, 1}, dy.from(begin), end - begin, places);
  });
  if (b.type.deferred[kBias]) {
    b.defer_sum(kBias, g.filters, sums, b.element_count());
    return;
  }
  const Backward::Operand db = b.dx(kBias);
  const int64_t batch = b.type.operands[kBias].bd;
  const int64_t shared = b.type.dim.bd / batch;
  const Rows to = images(b, db.rows, kBias);
  for (int64_t i = 0; i < b.count * batch; ++i)
    b.k.sum_rows(to.at(i), sums.from(i * shared), shared, g.filters, db.accumulate);
}

void conv2d_backward(const Backward& b) {
  const Geometry g = geometry_of(b.type);
  if (b.wants(kX) || b.wants(kF)) {
    const Rows dy = results_gradient(b, g);
    if (b.wants(kX)) map_backward(b, g, dy);
    if (b.wants(kF)) filters_backward(b, g, dy);
  }
  if (b.type.operands.size() > kBias && b.wants(kBias)) bias_backward(b, g);
}

bool conv2d_defers(const Type& type, int i) { return i != kX && type.is_one(static_cast<size_t>(i)); }

// ---- filter1d_narrow: a product of the transposed filters and of windows of x, which lie as columns in memory ----

void filter1d_narrow_shape(Shaping& s) {
  const Dim& x = s[0];
  const Dim& f = s[1];
  if (!x.is_matrix()) s.mismatch("expected a matrix, got %s", x.text().c_str());
  if (f.size() != int64_t{f.d[0]} * f.d[1] * f.d[2])
    s.mismatch("the filters %s have more than three dimensions", f.text().c_str());
  if (f.rows() != x.rows() || f.cols() > x.cols())
    s.mismatch("filters %s do not fit %s: expected %u rows and at most %u columns", f.text().c_str(), x.text().c_str(),
               x.rows(), x.cols());
  s.type.dim = Dim({f.d[2], x.cols() - f.cols() + 1}, common_batch(s, x.bd, f.bd));
}

// The sizes of that product: filters, windows, elements of a window.
struct Narrow {
  int64_t m, n, k;
};

Narrow narrow_of(const Type& type) {
  const Dim& f = type.operands[1];
  return {f.d[2], type.dim.d[1], int64_t{f.d[0]} * f.d[1]};
}

// The windows of x of all nodes, one row each.
Rows windows(const BatchContext& b) {
  const Narrow s = narrow_of(b.type);
  const int64_t d = b.type.operands[0].rows();
  const Rows x = b.x_elements(0);
  if (b.element_count() == 1) return {x.at(0), nullptr, d};
  auto** list = b.scratch.allocate<float*>(b.element_count() * s.n);
  for (int64_t e = 0; e < b.element_count(); ++e)
    for (int64_t j = 0; j < s.n; ++j) list[e * s.n + j] = x.at(e) + j * d;
  return {nullptr, list, 0};
}

double narrow_cost(const Narrow& s) {
  constexpr double kSpeed = 40;
  return 2.0 * static_cast<double>(s.m * s.n * s.k) / kSpeed + 2;
}

void filter1d_narrow_forward(const Forward& b) {
  // A strip of the transpose for fewer filters would be mostly padding.
  constexpr int64_t kWorthStrips = 8;
  const Narrow s = narrow_of(b.type);
  const Rows x = windows(b);
  const Rows f = b.x_elements(1);
  const Rows y = b.y_elements();
  const bool pack = s.m >= kWorthStrips && s.n >= kWorthStrips;
  const bool one = b.type.is_one(1);
  const int64_t size = packed_size(s.m, s.k);
  float* packed = pack ? b.scratch.allocate<float>(size * (one ? 1 : b.element_count())) : nullptr;
  if (pack && one) b.k.pack_transposed(s.k, s.m, f.at(0), s.k, packed);
  b.parallel(b.element_count(), narrow_cost(s), [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      const Rows results{y.at(e), nullptr, s.m};
      if (!pack) {
        b.k.product_transposed(s.k, s.n, s.m, f.at(e), s.k, x.from(e * s.n), results, false);
        continue;
      }
      float* own = one ? packed : packed + e * size;
      if (!one) b.k.pack_transposed(s.k, s.m, f.at(e), s.k, own);
      b.k.product(s.m, s.n, s.k, Left{own, 16 * s.k, 16, true}, x.from(e * s.n), results, nullptr, false);
    }
  });
}

void sequence_backward(const Backward& b) {
  const Narrow s = narrow_of(b.type);
  const int64_t d = b.type.operands[0].rows();
  const int64_t width = b.type.operands[1].cols();
  const Backward::Operand dx = b.dx_elements(0);
  const Rows f = b.x_elements(1);
  const Rows dy = b.dy_elements();
  // The gradients of the windows, which overlap in x.
  const int64_t size = s.n * s.k;
  float* const parts = b.scratch.allocate<float>(size * b.element_count());
  b.parallel(
      b.element_count(), narrow_cost(s),
      [&](int64_t begin, int64_t end) {
        for (int64_t e = begin; e < end; ++e) {
          float* const part = parts + e * size;
          b.k.product(s.k, s.n, s.m, column_major(f.at(e), s.k), Rows{dy.at(e), nullptr, s.m}, Rows{part, nullptr, s.k},
                      nullptr, false);
          if (!dx.accumulate) b.k.fill(dx.rows.from(e), 0, 1, b.type.operands[0].size());
          for (int64_t i = 0; i < width; ++i)
            b.k.copy_blocks(Rows{dx.rows.at(e) + i * d}, d, Rows{part + i * d}, s.k, s.n, d, 1, true);
        }
      },
      dx.collides);
}

void filter1d_narrow_backward(const Backward& b) {
  const Narrow s = narrow_of(b.type);
  if (b.wants(0)) sequence_backward(b);
  if (!b.wants(1)) return;
  const Rows x = windows(b);
  if (b.type.deferred[1]) {
    const int64_t each = s.n * b.type.dim.bd;
    b.defer_product(1, s.k, s.m, x, b.elements(b.dy, s.m, each, each), b.count * each);
    return;
  }
  const Backward::Operand df = b.dx_elements(1);
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), narrow_cost(s),
      [&](int64_t begin, int64_t end) {
        for (int64_t e = begin; e < end; ++e)
          b.k.outer_sum(0, s.k, s.n, s.m, x.from(e * s.n), Rows{dy.at(e), nullptr, s.m}, df.rows.at(e), s.k,
                        df.accumulate);
      },
      df.collides);
}

}  // namespace

const OpDef op_conv2d = {.name = "conv2d",
                         .shape = conv2d_shape,
                         .forward = conv2d_forward,
                         .backward = conv2d_backward,
                         .defers = conv2d_defers,
                         .weights = 0b10,
                         .static_lists = true};

const OpDef op_conv2d_bias = {.name = "conv2d_bias",
                              .shape = conv2d_shape,
                              .forward = conv2d_forward,
                              .backward = conv2d_backward,
                              .defers = conv2d_defers,
                              .weights = 0b110,
                              .static_lists = true};

const OpDef op_filter1d_narrow = {.name = "filter1d_narrow",
                                  .shape = filter1d_narrow_shape,
                                  .forward = filter1d_narrow_forward,
                                  .backward = filter1d_narrow_backward,
                                  .defers = [](const Type& type, int i) { return i == 1 && type.is_one(1); },
                                  .weights = 0b10};

}  // namespace dynnet

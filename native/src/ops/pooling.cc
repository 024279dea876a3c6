// Pooling: the largest of windows and of lines, and sums of neighbours.
#include <algorithm>

#include "ops/context.h"
#include "ops/sliding.h"

namespace dynnet {
namespace {

// Places are kept as floats.
constexpr int64_t kMostPlaces = int64_t{1} << 24;

// ---- maxpooling2d ----

// The attributes: two lists of two, each after its count, then whether only whole windows count.
enum PoolStatics { kSizeCount, kSizes, kStrideCount = 3, kStrides, kIsValid = 6 };

Window window_of(const Type& type) {
  const Dim& x = type.operands[0];
  const bool is_valid = type.static_int(kIsValid) != 0;
  const Slide down = slide(x.d[0], type.static_int(kSizes), type.static_int(kStrides), is_valid);
  const Slide across = slide(x.d[1], type.static_int(kSizes + 1), type.static_int(kStrides + 1), is_valid);
  return {x.d[0],        x.d[1],      down.size,     across.size, down.stride,
          across.stride, down.before, across.before, down.places, across.places};
}

// Windows that fill the map side by side: backward compares for little, so that no places are kept.
bool are_quads(const Window& w) {
  return w.fh == 2 && w.fw == 2 && w.sh == 2 && w.sw == 2 && 2 * w.oh <= w.h && 2 * w.ow <= w.w;
}

void maxpooling2d_shape(Shaping& s) {
  const Dim& x = s[0];
  const std::vector<int32_t> sizes = s.type.static_list(kSizeCount);
  if (sizes.size() != 2) s.bad_argument("%zu sizes of the window, expected 2", sizes.size());
  const std::vector<int32_t> strides = s.type.static_list(kStrideCount);
  if (strides.size() != 2) s.bad_argument("%zu strides, expected 2", strides.size());
  if (x.size() != int64_t{x.d[0]} * x.d[1] * x.d[2])
    s.mismatch("the feature map %s has more than three dimensions", x.text().c_str());
  const bool is_valid = s.type.static_int(kIsValid) != 0;
  s.type.dim = Dim({checked_places(s, 0, sizes[0], strides[0], is_valid),
                    checked_places(s, 1, sizes[1], strides[1], is_valid), x.d[2]},
                   x.bd);
  if (int64_t{x.d[0]} * x.d[1] > kMostPlaces)
    s.mismatch("a channel of %s has more than %lld elements", x.text().c_str(), static_cast<long long>(kMostPlaces));
  s.type.aux = are_quads(window_of(s.type)) ? 0 : s.type.dim.total();
}

// Each channel of each batch element of a node is a plane, one row.
int64_t planes_of(const Type& type) { return int64_t{type.dim.d[2]} * type.dim.bd; }

// Calls f(first, planes, rows) for planes of one node after the other, from number `first` of all on; rows(of, size)
// are theirs, of size floats each.
template <class F>
void for_planes(const BatchContext& b, double cost, bool serial, F f) {
  const int64_t each = planes_of(b.type);
  b.parallel(
      each * b.count, cost,
      [&](int64_t begin, int64_t end) {
        while (begin < end) {
          const int64_t node = begin / each;
          const int64_t first = begin % each;
          const int64_t planes = std::min(each - first, end - begin);
          f(begin, planes, [&](const Rows& of, int64_t size) {
            return Rows{of.at(node) + first * size, nullptr, size};
          });
          begin += planes;
        }
      },
      serial);
}

void maxpooling2d_forward(const Forward& b) {
  const Window w = window_of(b.type);
  const int64_t from = w.h * w.w;
  const int64_t to = w.oh * w.ow;
  // A window may be far larger than the map.
  const double columns = static_cast<double>(std::min(w.fw, w.w)) * static_cast<double>(w.ow);
  const double cost = kMoveCost * static_cast<double>(w.h) * columns;
  if (are_quads(w)) {
    for_planes(b, cost, false, [&](int64_t, int64_t planes, auto rows) {
      b.k.max_pool_quads(rows(b.y, to), rows(b.x[0], from), w, planes);
    });
    return;
  }
  // What runs together has the scratch of its first plane.
  float* const scratch = b.scratch.allocate<float>(3 * w.h * planes_of(b.type) * b.count);
  for_planes(b, cost, false, [&](int64_t first, int64_t planes, auto rows) {
    b.k.max_pool(rows(b.y, to), rows(b.aux, to), rows(b.x[0], from), w, planes, scratch + 3 * w.h * first);
  });
}

void maxpooling2d_backward(const Backward& b) {
  const Window w = window_of(b.type);
  const int64_t image = w.h * w.w;
  const int64_t places = w.oh * w.ow;
  const Backward::Operand dx = b.dx(0);
  const double cost = kMoveCost * static_cast<double>(image + 5 * places);
  for_planes(b, cost, dx.collides, [&](int64_t, int64_t planes, auto rows) {
    const Rows to = rows(dx.rows, image);
    if (!dx.accumulate) b.k.fill(to, 0, planes, image);
    if (are_quads(w))
      b.k.max_pool_quads_backward(to, rows(b.x[0], image), rows(b.y, places), rows(b.dy, places), w, planes);
    else
      b.k.max_pool_backward(to, rows(b.aux, places), rows(b.dy, places), w, planes);
  });
}

// ---- kmax_pooling ----

enum { kInner, kSize, kOuter, kMost };

void kmax_pooling_shape(Shaping& s) {
  const int32_t k = s.type.static_int(0);
  const int32_t dim = s.type.static_int(1);
  if (dim < 0 || dim >= DN_MAX_DIMS) s.bad_argument("dimension %d, expected 0 to %d", dim, DN_MAX_DIMS - 1);
  const Dim& x = s[0];
  if (k < 1) s.bad_argument("the %d largest, expected 1 or more", k);
  if (static_cast<uint32_t>(k) > x.d[dim])
    s.mismatch("the %d largest of dimension %d of %s, which has %u", k, dim, x.text().c_str(), x.d[dim]);
  s.type.dim = x;
  s.type.dim.d[dim] = static_cast<uint32_t>(k);
  int64_t* v = s.type.v;
  v[kInner] = 1;
  for (int i = 0; i < dim; ++i) v[kInner] *= x.d[i];
  v[kSize] = x.d[dim];
  v[kOuter] = x.size() / (v[kInner] * v[kSize]);
  v[kMost] = k;
  if (v[kSize] > kMostPlaces)
    s.mismatch("dimension %d of %s has more than %lld elements", dim, x.text().c_str(),
               static_cast<long long>(kMostPlaces));
  s.type.aux = s.type.dim.total();
}

// From so many on, the work and the scratch of the kernel do not grow.
int64_t ranks(const int64_t* v) { return std::min<int64_t>(v[kMost], 32); }

double kmax_cost(const int64_t* v) {
  return kMoveCost * static_cast<double>(v[kInner] * v[kOuter] * v[kSize]) * static_cast<double>(ranks(v) + 4);
}

void kmax_pooling_forward(const Forward& b) {
  constexpr int64_t kLanes = 16;
  const int64_t* v = b.type.v;
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  const Rows where = b.elements(b.aux, b.type.dim.size(), b.type.dim.bd, b.type.dim.bd);
  float* const scratch = b.scratch.allocate<float>(kLanes * ranks(v) * b.element_count());
  b.parallel(b.element_count(), kmax_cost(v), [&](int64_t begin, int64_t end) {
    b.k.k_max(y.from(begin), where.from(begin), x.from(begin), v[kInner], v[kSize], v[kMost], v[kOuter], end - begin,
              scratch + kLanes * ranks(v) * begin);
  });
}

void kmax_pooling_backward(const Backward& b) {
  const int64_t* v = b.type.v;
  const Backward::Operand dx = b.dx_elements(0);
  const Rows dy = b.dy_elements();
  const Rows where = b.elements(b.aux, b.type.dim.size(), b.type.dim.bd, b.type.dim.bd);
  const int64_t size = b.type.operands[0].size();
  b.parallel(
      b.element_count(), kMoveCost * static_cast<double>(size + 5 * b.type.dim.size()),
      [&](int64_t begin, int64_t end) {
        if (!dx.accumulate) b.k.fill(dx.rows.from(begin), 0, end - begin, size);
        b.k.k_max_backward(dx.rows.from(begin), where.from(begin), dy.from(begin), v[kInner], v[kSize], v[kMost],
                           v[kOuter], end - begin);
      },
      dx.collides);
}

// ---- kmh_ngram ----

void kmh_ngram_shape(Shaping& s) {
  const int32_t n = s.type.static_int(0);
  if (!s[0].is_matrix()) s.mismatch("expected a matrix, got %s", s[0].text().c_str());
  if (n < 1) s.bad_argument("sums of %d columns, expected 1 or more", n);
  if (static_cast<uint32_t>(n) > s[0].cols()) s.mismatch("sums of %d columns of %s", n, s[0].text().c_str());
  s.type.dim = Dim({s[0].rows(), s[0].cols() - static_cast<uint32_t>(n) + 1}, s[0].bd);
}

void kmh_ngram_forward(const Forward& b) {
  const int64_t rows = b.type.dim.rows();
  const int32_t n = b.type.static_int(0);
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), kMoveCost * static_cast<double>(n * b.type.dim.size()),
             [&](int64_t begin, int64_t end) {
               b.k.sum_steps(y.from(begin), x.from(begin), rows, n, end - begin, b.type.dim.size(), false);
             });
}

void kmh_ngram_backward(const Backward& b) {
  const int64_t rows = b.type.dim.rows();
  const int64_t sums = b.type.dim.cols();
  const int64_t cols = b.type.operands[0].cols();
  const int64_t n = b.type.static_int(0);
  const Backward::Operand dx = b.dx_elements(0);
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), kMoveCost * static_cast<double>(n * rows * cols),
      [&](int64_t begin, int64_t end) {
        for (int64_t e = begin; e < end; ++e) {
          // Column j is in the sums from j - n + 1 to j, as far as there are such; those that are in n go together.
          for (int64_t j = 0; j < cols;) {
            const int64_t first = std::max<int64_t>(0, j - n + 1);
            const int64_t last = std::min(j, sums - 1);
            const int64_t together = last - first + 1 == n ? sums - j : 1;
            b.k.sum_steps({dx.rows.at(e) + j * rows}, {dy.at(e) + first * rows}, rows, last - first + 1, 1,
                          together * rows, dx.accumulate);
            j += together;
          }
        }
      },
      dx.collides);
}

// ---- fold_rows ----

void fold_rows_shape(Shaping& s) {
  const int32_t nrows = s.type.static_int(0);
  if (!s[0].is_matrix()) s.mismatch("expected a matrix, got %s", s[0].text().c_str());
  if (nrows < 1) s.bad_argument("sums of %d rows, expected 1 or more", nrows);
  if (s[0].rows() % static_cast<uint32_t>(nrows) != 0)
    s.mismatch("the rows of %s are no multiple of %d", s[0].text().c_str(), nrows);
  s.type.dim = Dim({s[0].rows() / static_cast<uint32_t>(nrows), s[0].cols()}, s[0].bd);
}

void fold_rows_forward(const Forward& b) {
  b.parallel(b.count, kMoveCost * static_cast<double>(b.type.operands[0].total()), [&](int64_t begin, int64_t end) {
    b.k.sum_groups(b.y.from(begin), b.x[0].from(begin), b.type.static_int(0), end - begin, b.type.size);
  });
}

void fold_rows_backward(const Backward& b) {
  const Backward::Operand dx = b.dx(0);
  b.parallel(
      b.count, kMoveCost * static_cast<double>(b.type.operands[0].total()),
      [&](int64_t begin, int64_t end) {
        b.k.spread_groups(dx.rows.from(begin), b.dy.from(begin), b.type.static_int(0), end - begin, b.type.size,
                          dx.accumulate);
      },
      dx.collides);
}

}  // namespace

const OpDef op_maxpooling2d = {.name = "maxpooling2d",
                               .shape = maxpooling2d_shape,
                               .forward = maxpooling2d_forward,
                               .backward = maxpooling2d_backward,
                               .static_lists = true};

const OpDef op_kmax_pooling = {.name = "kmax_pooling",
                               .shape = kmax_pooling_shape,
                               .forward = kmax_pooling_forward,
                               .backward = kmax_pooling_backward};

const OpDef op_kmh_ngram = {
    .name = "kmh_ngram", .shape = kmh_ngram_shape, .forward = kmh_ngram_forward, .backward = kmh_ngram_backward};

const OpDef op_fold_rows = {
    .name = "fold_rows", .shape = fold_rows_shape, .forward = fold_rows_forward, .backward = fold_rows_backward};

}  // namespace dynnet

// Operations that move elements and compute nothing: reshape, transpose. Slices and concatenation are in files of their
// own.
#include "ops/shapes.h"

#include "ops/moves.h"

namespace dynnet {

int64_t below(const Dim& d, int dim) {
  int64_t product = 1;
  for (int i = 0; i < dim; ++i) product *= d.d[i];
  return product;
}

Rows shifted(const BatchContext& b, Rows rows, int64_t offset, int64_t count) {
  if (rows.list == nullptr) return {rows.base + offset, nullptr, rows.stride};
  auto** list = b.scratch.allocate<float*>(count);
  for (int64_t i = 0; i < count; ++i) list[i] = rows.list[i] + offset;
  return {nullptr, list, 0};
}

void add_rows(const Backward& b, const Backward::Operand& to, Rows from, int64_t count, int64_t n) {
  if (to.accumulate)
    b.k.add(to.rows, from, 1, count, n);
  else
    b.k.copy(to.rows, from, count, n);
}

int64_t whole_view(const Type&, const uint32_t*) { return 0; }

void copy_forward(const Forward& b) { b.k.copy(b.y, b.x[0], b.count, b.type.size); }

void copy_gradient(const Backward& b) { add_rows(b, b.dx(0), b.dy, b.count, b.type.size); }

namespace {

// ---- reshape ----

void reshape_shape(Shaping& s) {
  Dim dim = s.type.static_dim();
  if (dim.bd == 1 && dim.size() == s[0].size()) dim.bd = s[0].bd;
  if (dim.total() != s[0].total())
    s.mismatch("%s has %lld elements, %s has %lld", s[0].text().c_str(), static_cast<long long>(s[0].total()),
               dim.text().c_str(), static_cast<long long>(dim.total()));
  s.type.dim = dim;
}

// ---- transpose ----

void transpose_shape(Shaping& s) {
  if (!s[0].is_matrix()) s.mismatch("expected a matrix, got %s", s[0].text().c_str());
  s.type.dim = Dim({s[0].cols(), s[0].rows()}, s[0].bd);
}

int64_t transpose_view(const Type& type, const uint32_t*) {
  return type.dim.rows() == 1 || type.dim.cols() == 1 ? 0 : -1;
}

void transpose_forward(const Forward& b) {
  const Dim& x = b.type.operands[0];
  b.k.transpose(b.y_elements(), b.x_elements(0), x.rows(), x.cols(), b.element_count(), false);
}

void transpose_backward(const Backward& b) {
  const Dim& x = b.type.operands[0];
  const Backward::Operand dx = b.dx_elements(0);
  b.k.transpose(dx.rows, b.dy_elements(), x.cols(), x.rows(), b.element_count(), dx.accumulate);
}

// ---- transpose_dims ----

// The list as an order of dimensions, those behind it where they were.
void read_order(const Type& type, int (&order)[DN_MAX_DIMS]) {
  const int count = type.static_int(0);
  for (int i = 0; i < DN_MAX_DIMS; ++i) order[i] = i < count ? type.static_int(1 + static_cast<size_t>(i)) : i;
}

// From an operand of shape x to the result, or back.
Moves permutation(const Type& type, bool back) {
  const Dim& x = type.operands[0];
  int order[DN_MAX_DIMS];
  read_order(type, order);
  MovedDim dims[DN_MAX_DIMS + 1];
  int64_t y_stride = 1;
  for (int i = 0; i < DN_MAX_DIMS; ++i) {
    const int64_t x_stride = below(x, order[i]);
    dims[i] = {type.dim.d[i], back ? x_stride : y_stride, back ? y_stride : x_stride};
    y_stride *= type.dim.d[i];
  }
  dims[DN_MAX_DIMS] = {x.bd, y_stride, y_stride};
  return make_moves(dims, DN_MAX_DIMS + 1);
}

void transpose_dims_shape(Shaping& s) {
  const auto count = static_cast<uint32_t>(s.type.static_int(0));
  uint32_t seen = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const int32_t dim = s.type.static_int(1 + i);
    if (dim < 0 || static_cast<uint32_t>(dim) >= count)
      s.bad_argument("dimension %d in a list of %u, expected 0 to %d", dim, count, static_cast<int>(count) - 1);
    if ((seen >> dim & 1) != 0) s.bad_argument("dimension %d is in the list more than once", dim);
    seen |= 1u << dim;
  }
  if (above(s[0], static_cast<int>(count) - 1) != 1)
    s.mismatch("an order of %u dimensions for %s", count, s[0].text().c_str());
  s.type.dim = s[0];
  s.type.dim.nd = count;
  for (uint32_t i = 0; i < count; ++i) s.type.dim.d[i] = s[0].d[s.type.static_int(1 + i)];
  s.type.v[0] = is_contiguous(permutation(s.type, false)) ? 0 : -1;
}

void transpose_dims_forward(const Forward& b) { b.k.move(b.y, b.x[0], permutation(b.type, false), b.count, false); }

void transpose_dims_backward(const Backward& b) {
  const Backward::Operand dx = b.dx(0);
  b.k.move(dx.rows, b.dy, permutation(b.type, true), b.count, dx.accumulate);
}

}  // namespace

const OpDef op_reshape = {
    .name = "reshape", .shape = reshape_shape, .forward = copy_forward, .backward = copy_gradient, .view = whole_view};

const OpDef op_transpose = {.name = "transpose",
                            .shape = transpose_shape,
                            .forward = transpose_forward,
                            .backward = transpose_backward,
                            .view = transpose_view};

const OpDef op_transpose_dims = {.name = "transpose_dims",
                                 .shape = transpose_dims_shape,
                                 .forward = transpose_dims_forward,
                                 .backward = transpose_dims_backward,
                                 .view = [](const Type& type, const uint32_t*) { return type.v[0]; },
                                 .static_lists = true};

}  // namespace dynnet

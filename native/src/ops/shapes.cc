// Operations that move elements and compute nothing: reshape, transpose, slices, concatenation.
#include <algorithm>

#include "ops/context.h"

namespace dynnet {
namespace {

// The product of sizes [0, dim).
int64_t below(const Dim& d, int dim) {
  int64_t product = 1;
  for (int i = 0; i < dim; ++i) product *= d.d[i];
  return product;
}

// The product of sizes (dim, 7).
int64_t above(const Dim& d, int dim) { return d.size() / below(d, dim + 1); }

// The result takes or adds to all elements, in the same order.
void copy_gradient(const Backward& b) {
  const Backward::Operand dx = b.dx(0);
  if (dx.accumulate)
    b.k.add(dx.rows, b.dy, 1, b.count, b.type.size);
  else
    b.k.copy(dx.rows, b.dy, b.count, b.type.size);
}

// ---- reshape ----

void reshape_shape(Shaping& s) {
  Dim dim = s.type.static_dim();
  if (dim.bd == 1 && dim.size() == s[0].size()) dim.bd = s[0].bd;
  if (dim.total() != s[0].total())
    s.mismatch("%s has %lld elements, %s has %lld", s[0].text().c_str(), static_cast<long long>(s[0].total()),
               dim.text().c_str(), static_cast<long long>(dim.total()));
  s.type.dim = dim;
}

int64_t whole_view(const Type&, const uint32_t*) { return 0; }

void copy_forward(const Forward& b) { b.k.copy(b.y, b.x[0], b.count, b.type.size); }

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

// ---- slices: pick, pick_batch, pick_range ----
//
// Of an operand seen as {inner, size, outer}, the slices [start, start + length) of each node, or of each batch
// element.

int checked_dimension(const Shaping& s, int32_t dim) {
  if (dim < 0 || dim >= DN_MAX_DIMS) s.bad_argument("dimension %d, expected 0 to %d", dim, DN_MAX_DIMS - 1);
  return dim;
}

Dim without(const Dim& x, int dim) {
  Dim y;
  for (uint32_t i = 0; i < x.nd; ++i)
    if (static_cast<int>(i) != dim) y.d[y.nd++] = x.d[i];
  if (y.nd == 0) y.nd = 1;
  y.bd = x.bd;
  return y;
}

enum { kInner, kSize, kOuter, kLength };

void describe_slices(Shaping& s, int dim, int64_t length) {
  s.type.v[kInner] = below(s[0], dim);
  s.type.v[kSize] = s[0].d[dim];
  s.type.v[kOuter] = above(s[0], dim);
  s.type.v[kLength] = length;
}

void pick_shape(Shaping& s) {
  const int dim = checked_dimension(s, s.type.static_int(0));
  s.type.dim = without(s[0], dim);
  describe_slices(s, dim, 1);
}

void pick_batch_shape(Shaping& s) {
  pick_shape(s);
  if (s.type.span_count == 0) s.bad_argument("no indices");
  const auto batch = static_cast<uint32_t>(s.type.span_count);
  if (s[0].bd != batch && s[0].bd != 1)
    s.mismatch("%u indices for %s, which has a batch of %u", batch, s[0].text().c_str(), s[0].bd);
  s.type.dim.bd = batch;
}

void check_picks(const Checking& c) {
  const int64_t each = std::max<int64_t>(c.type.span_count, 1);
  for (int64_t i = 0; i < each; ++i) {
    const auto index = static_cast<int32_t>(c.data[i]);
    if (index < 0 || index >= c.type.v[kSize])
      fail(DN_E_INDEX, "%s: index %d of dimension %d of %s, which has 0 to %lld", c.type.def->name, index,
           c.type.static_int(0), c.type.operands[0].text().c_str(), static_cast<long long>(c.type.v[kSize] - 1));
  }
}

// Start and end are the node's own, but their difference is part of the shape, so both are the type's.
void pick_range_shape(Shaping& s) {
  const int32_t start = s.type.static_int(0);
  const int32_t end = s.type.static_int(1);
  const int dim = checked_dimension(s, s.type.static_int(2));
  if (start < 0 || start >= end || static_cast<uint32_t>(end) > s[0].d[dim])
    fail(DN_E_INDEX, "%s: from %d to %d of dimension %d of %s, which has 0 to %u", s.name(), start, end, dim,
         s[0].text().c_str(), s[0].d[dim]);
  s.type.dim = s[0];
  s.type.dim.nd = std::max(s[0].nd, static_cast<uint32_t>(dim) + 1);
  s.type.dim.d[dim] = static_cast<uint32_t>(end - start);
  describe_slices(s, dim, end - start);
}

// One slice after the other in memory: the result can be a view.
bool contiguous(const Type& type) { return type.v[kOuter] == 1 && type.operands[0].bd == 1 && type.dim.bd == 1; }

int64_t pick_view(const Type& type, const uint32_t* data) {
  return contiguous(type) ? static_cast<int32_t>(data[0]) * type.v[kInner] : -1;
}

int64_t pick_range_view(const Type& type, const uint32_t*) {
  return contiguous(type) ? type.static_int(0) * type.v[kInner] : -1;
}

// `rows` (of x or its gradient, one for each batch element) moved to where each element's slices begin.
template <class Start>
Rows at_starts(const BatchContext& b, Rows rows, Start start) {
  const int64_t elements = b.element_count();
  auto** list = b.scratch.allocate<float*>(elements);
  for (int64_t i = 0; i < elements; ++i) list[i] = rows.at(i) + start(i) * b.type.v[kInner];
  return {nullptr, list, 0};
}

template <class Start>
void slice_forward(const Forward& b, Start start) {
  const int64_t* v = b.type.v;
  b.k.copy_blocks(b.y_elements(), v[kInner] * v[kLength], at_starts(b, b.x_elements(0), start), v[kInner] * v[kSize],
                  v[kOuter], v[kInner] * v[kLength], b.element_count(), false);
}

template <class Start>
void slice_backward(const Backward& b, Start start) {
  const int64_t* v = b.type.v;
  Backward::Operand dx = b.dx_elements(0);
  if (!dx.accumulate) b.k.fill(dx.rows, 0, b.element_count(), b.type.operands[0].size());
  b.k.copy_blocks(at_starts(b, dx.rows, start), v[kInner] * v[kSize], b.dy_elements(), v[kInner] * v[kLength],
                  v[kOuter], v[kInner] * v[kLength], b.element_count(), true);
}

// Each node has one index for its whole batch.
auto pick_start(const BatchContext& b) {
  return [indices = b.indices(), batch = static_cast<int64_t>(b.type.dim.bd)](int64_t i) {
    return int64_t{indices[i / batch]};
  };
}

// Each batch element has its own index.
auto pick_batch_start(const BatchContext& b) {
  return [indices = b.indices()](int64_t i) { return int64_t{indices[i]}; };
}

auto pick_range_start(const BatchContext& b) {
  return [start = int64_t{b.type.static_int(0)}](int64_t) { return start; };
}

// ---- concatenation ----

// The sum of two sizes of one dimension.
uint32_t added(const Shaping& s, uint32_t a, uint32_t b, const char* what) {
  if (b > UINT32_MAX - a) s.mismatch("the sum of the %s is more than 2^32 - 1", what);
  return a + b;
}

void concatenate_along(Shaping& s, int dim) {
  if (s.count() == 0) s.bad_argument("no operands");
  s.type.dim = s[0];
  s.type.dim.nd = std::max(s[0].nd, static_cast<uint32_t>(dim) + 1);
  s.type.v[0] = dim;
  for (int i = 1; i < s.count(); ++i) {
    for (int j = 0; j < DN_MAX_DIMS; ++j)
      if (j != dim && s[i].d[j] != s[0].d[j])
        s.mismatch("%s (operand 0) and %s (operand %d) differ in dimension %d; only dimension %d may differ",
                   s[0].text().c_str(), s[i].text().c_str(), i, j, dim);
    s.type.dim.d[dim] = added(s, s.type.dim.d[dim], s[i].d[dim], "sizes");
    s.type.dim.nd = std::max(s.type.dim.nd, s[i].nd);
    s.type.dim.bd = common_batch(s, s.type.dim.bd, s[i].bd);
  }
}

void concatenate_shape(Shaping& s) { concatenate_along(s, checked_dimension(s, s.type.static_int(0))); }

void concatenate_cols_shape(Shaping& s) { concatenate_along(s, 1); }

// `rows` with `offset` added to each.
Rows shifted(const BatchContext& b, Rows rows, int64_t offset, int64_t count) {
  if (rows.list == nullptr) return {rows.base + offset, nullptr, rows.stride};
  auto** list = b.scratch.allocate<float*>(count);
  for (int64_t i = 0; i < count; ++i) list[i] = rows.list[i] + offset;
  return {nullptr, list, 0};
}

void concatenate_forward(const Forward& b) {
  const auto dim = static_cast<int>(b.type.v[0]);
  const int64_t step = below(b.type.dim, dim + 1);
  const Rows y = b.y_elements();
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t length = below(b.type.operands[i], dim + 1);
    b.k.copy_blocks(shifted(b, y, offset, b.element_count()), step, b.x_elements(static_cast<int>(i)), length,
                    above(b.type.dim, dim), length, b.element_count(), false);
    offset += length;
  }
}

void concatenate_backward(const Backward& b) {
  const auto dim = static_cast<int>(b.type.v[0]);
  const int64_t step = below(b.type.dim, dim + 1);
  const Rows dy = b.dy_elements();
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t length = below(b.type.operands[i], dim + 1);
    if (b.wants(static_cast<int>(i))) {
      const Backward::Operand dx = b.dx_elements(static_cast<int>(i));
      b.k.copy_blocks(dx.rows, length, shifted(b, dy, offset, b.element_count()), step, above(b.type.dim, dim), length,
                      b.element_count(), dx.accumulate);
    }
    offset += length;
  }
}

// ---- concatenate_to_batch ----

void concatenate_to_batch_shape(Shaping& s) {
  if (s.count() == 0) s.bad_argument("no operands");
  s.type.dim = s[0];
  for (int i = 1; i < s.count(); ++i) {
    if (!s[i].same_shape(s[0]))
      s.mismatch("%s (operand 0) and %s (operand %d) are not of one shape", s[0].text().c_str(), s[i].text().c_str(),
                 i);
    s.type.dim.bd = added(s, s.type.dim.bd, s[i].bd, "batches");
  }
}

void concatenate_to_batch_forward(const Forward& b) {
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t total = b.type.operands[i].total();
    b.k.copy(shifted(b, b.y, offset, b.count), b.x[i], b.count, total);
    offset += total;
  }
}

void concatenate_to_batch_backward(const Backward& b) {
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t total = b.type.operands[i].total();
    if (b.wants(static_cast<int>(i))) {
      const Backward::Operand dx = b.dx(static_cast<int>(i));
      b.k.copy_blocks(dx.rows, total, shifted(b, b.dy, offset, b.count), total, 1, total, b.count, dx.accumulate);
    }
    offset += total;
  }
}

}  // namespace

const OpDef op_reshape = {
    .name = "reshape", .shape = reshape_shape, .forward = copy_forward, .backward = copy_gradient, .view = whole_view};

const OpDef op_transpose = {.name = "transpose",
                            .shape = transpose_shape,
                            .forward = transpose_forward,
                            .backward = transpose_backward,
                            .view = transpose_view};

const OpDef op_pick = {.name = "pick",
                       .shape = pick_shape,
                       .forward = [](const Forward& b) { slice_forward(b, pick_start(b)); },
                       .backward = [](const Backward& b) { slice_backward(b, pick_start(b)); },
                       .check = check_picks,
                       .view = pick_view,
                       .data_words = 1,
                       .indexed = true};

const OpDef op_pick_batch = {.name = "pick_batch",
                             .shape = pick_batch_shape,
                             .forward = [](const Forward& b) { slice_forward(b, pick_batch_start(b)); },
                             .backward = [](const Backward& b) { slice_backward(b, pick_batch_start(b)); },
                             .check = check_picks};

const OpDef op_pick_range = {.name = "pick_range",
                             .shape = pick_range_shape,
                             .forward = [](const Forward& b) { slice_forward(b, pick_range_start(b)); },
                             .backward = [](const Backward& b) { slice_backward(b, pick_range_start(b)); },
                             .view = pick_range_view};

const OpDef op_concatenate = {.name = "concatenate",
                              .shape = concatenate_shape,
                              .forward = concatenate_forward,
                              .backward = concatenate_backward};

const OpDef op_concatenate_cols = {.name = "concatenate_cols",
                                   .shape = concatenate_cols_shape,
                                   .forward = concatenate_forward,
                                   .backward = concatenate_backward};

const OpDef op_concatenate_to_batch = {.name = "concatenate_to_batch",
                                       .shape = concatenate_to_batch_shape,
                                       .forward = concatenate_to_batch_forward,
                                       .backward = concatenate_to_batch_backward};

}  // namespace dynnet

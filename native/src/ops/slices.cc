// Parts of a tensor, along a dimension.
#include <algorithm>

#include "ops/reduction.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

// ---- pick, pick_batch, pick_range ----
//
// Of an operand seen as {inner, size, outer}, the slices [start, start + length) of each node, or of each batch
// element.

enum { kInner, kSize, kOuter, kLength };

void describe_slices(Shaping& s, int dim, int64_t length) {
  s.type.v[kInner] = below(s[0], dim);
  s.type.v[kSize] = s[0].d[dim];
  s.type.v[kOuter] = above(s[0], dim);
  s.type.v[kLength] = length;
}

void pick_shape(Shaping& s) {
  const int dim = checked_dimension(s, s.type.static_int(0));
  s.type.dim = without(s[0], uint32_t{1} << dim);
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

// The indices of a node, along a dimension or, where that is kBatch, along the batch.
constexpr int kBatch = -1;

void check_indices(const Checking& c, int dim) {
  const int64_t each = std::max<int64_t>(c.type.span_count, 1);
  for (int64_t i = 0; i < each; ++i) {
    const auto index = static_cast<int32_t>(c.data[i]);
    if (index >= 0 && index < c.type.v[kSize]) continue;
    const std::string where = dim == kBatch ? "the batch" : format("dimension %d", dim);
    fail(DN_E_INDEX, "%s: index %d of %s of %s, which has 0 to %lld", c.type.def->name, index, where.c_str(),
         c.type.operands[0].text().c_str(), static_cast<long long>(c.type.v[kSize] - 1));
  }
}

void check_picks(const Checking& c) { check_indices(c, c.type.static_int(0)); }

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

// `rows` (of x or its gradient, one for each node) as one row for each batch element, moved to where its slices begin.
template <class Start>
Rows at_starts(const BatchContext& b, Rows rows, Start start) {
  const int64_t batch = b.type.dim.bd;
  const int64_t step = b.type.operands[0].bd == 1 ? 0 : b.type.operands[0].size();
  auto** list = b.scratch.allocate<float*>(b.count * batch);
  for (int64_t node = 0; node < b.count; ++node) {
    float* const first = rows.at(node);
    for (int64_t e = 0; e < batch; ++e)
      list[node * batch + e] = first + e * step + start(node, static_cast<int>(e)) * b.type.v[kInner];
  }
  return {nullptr, list, 0};
}

template <class Start>
void slice_forward(const Forward& b, Start start) {
  const int64_t* v = b.type.v;
  b.k.copy_blocks(b.y_elements(), v[kInner] * v[kLength], at_starts(b, b.x[0], start), v[kInner] * v[kSize], v[kOuter],
                  v[kInner] * v[kLength], b.element_count(), false);
}

template <class Start>
void slice_backward(const Backward& b, Start start) {
  const int64_t* v = b.type.v;
  const Backward::Operand dx = b.dx(0);
  if (!dx.accumulate) b.k.fill(dx.rows, 0, b.count, b.type.operands[0].total());
  b.k.copy_blocks(at_starts(b, dx.rows, start), v[kInner] * v[kSize], b.dy_elements(), v[kInner] * v[kLength],
                  v[kOuter], v[kInner] * v[kLength], b.element_count(), true);
}

// Each node has one index for its whole batch.
auto pick_start(const BatchContext& b) {
  return [&b](int64_t node, int) { return int64_t{b.data_int(node)}; };
}

// Each batch element has its own index.
auto pick_batch_start(const BatchContext& b) {
  return [&b](int64_t node, int element) { return int64_t{b.data_int(node, element)}; };
}

auto pick_range_start(const BatchContext& b) {
  return [start = int64_t{b.type.static_int(0)}](int64_t, int) { return start; };
}

// ---- select_rows, select_cols: slices by a list of indices ----

template <int dim>
void select_shape(Shaping& s) {
  if (s.type.span_count == 0) s.bad_argument("no indices");
  s.type.dim = s[0];
  s.type.dim.nd = std::max(s[0].nd, static_cast<uint32_t>(dim) + 1);
  s.type.dim.d[dim] = static_cast<uint32_t>(s.type.span_count);
  describe_slices(s, dim, s.type.span_count);
}

// How often the dimension lies in a node's operand.
int64_t blocks_of(const Type& type) { return type.operands[0].total() / (type.v[kInner] * type.v[kSize]); }

void select_forward(const Forward& b) {
  const int64_t* v = b.type.v;
  for (int64_t i = 0; i < b.count; ++i)
    b.k.select({b.y.at(i)}, {b.x[0].at(i)}, b.own_indices(i), v[kInner], v[kLength], v[kSize], blocks_of(b.type), 1);
}

void select_backward(const Backward& b) {
  const int64_t* v = b.type.v;
  const Backward::Operand dx = b.dx(0);
  if (!dx.accumulate) b.k.fill(dx.rows, 0, b.count, b.type.operands[0].total());
  for (int64_t i = 0; i < b.count; ++i)
    b.k.add_selected({dx.rows.at(i)}, {b.dy.at(i)}, b.own_indices(i), v[kInner], v[kLength], v[kSize],
                     blocks_of(b.type), 1);
}

// ---- pick_batch_elem, pick_batch_elems: the same along the batch ----

void pick_batch_elem_shape(Shaping& s) {
  s.type.dim = s[0];
  s.type.dim.bd = 1;
  s.type.v[kInner] = s[0].size();
  s.type.v[kSize] = s[0].bd;
  s.type.v[kOuter] = 1;
  s.type.v[kLength] = 1;
}

void pick_batch_elems_shape(Shaping& s) {
  if (s.type.span_count == 0) s.bad_argument("no indices");
  pick_batch_elem_shape(s);
  s.type.dim.bd = static_cast<uint32_t>(s.type.span_count);
  s.type.v[kLength] = s.type.span_count;
}

}  // namespace

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

const OpDef op_select_rows = {.name = "select_rows",
                              .shape = select_shape<0>,
                              .forward = select_forward,
                              .backward = select_backward,
                              .check = [](const Checking& c) { check_indices(c, 0); }};

const OpDef op_select_cols = {.name = "select_cols",
                              .shape = select_shape<1>,
                              .forward = select_forward,
                              .backward = select_backward,
                              .check = [](const Checking& c) { check_indices(c, 1); }};

const OpDef op_pick_batch_elem = {
    .name = "pick_batch_elem",
    .shape = pick_batch_elem_shape,
    .forward = select_forward,
    .backward = select_backward,
    .check = [](const Checking& c) { check_indices(c, kBatch); },
    .view = [](const Type& type, const uint32_t* data) { return static_cast<int32_t>(data[0]) * type.v[kInner]; },
    .data_words = 1,
    .indexed = true};

const OpDef op_pick_batch_elems = {.name = "pick_batch_elems",
                                   .shape = pick_batch_elems_shape,
                                   .forward = select_forward,
                                   .backward = select_backward,
                                   .check = [](const Checking& c) { check_indices(c, kBatch); }};

}  // namespace dynnet

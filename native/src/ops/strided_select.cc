// Every so many-th slice of a range, in all dimensions at once.
#include "ops/moves.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

// Entry i of a list, where it is so long.
struct List {
  const Type& type;
  size_t at;
  int count() const { return type.static_int(at); }
  int32_t get(int i, int32_t otherwise) const {
    return i < count() ? type.static_int(at + 1 + static_cast<size_t>(i)) : otherwise;
  }
  List next() const { return {type, at + 1 + static_cast<size_t>(count())}; }
};

// What is taken of one dimension, or of the batch.
struct Range {
  int64_t from, to, stride;
  int64_t size() const { return (to - from + stride - 1) / stride; }
};

Range range(const Type& type, int i, uint32_t size) {
  const List strides{type, 0};
  const List from = strides.next();
  const List to = from.next();
  const auto whole = static_cast<int64_t>(size);
  return {from.get(i, 0), i < to.count() ? to.get(i, 0) : whole, strides.get(i, 1)};
}

// Calls visit(i, range, floats between neighbours of the operand) for each dimension of the operand and then the batch.
template <class Visit>
void visit_ranges(const Type& type, Visit&& visit) {
  const Dim& x = type.operands[0];
  const auto nd = static_cast<int>(x.nd);
  for (int i = 0; i < nd; ++i) visit(i, range(type, i, x.d[i]), below(x, i));
  visit(nd, range(type, nd, x.bd), x.size());
}

Moves selection(const Type& type, bool back) {
  MovedDim dims[DN_MAX_DIMS + 1];
  int64_t y_stride = 1;
  visit_ranges(type, [&](int i, const Range& r, int64_t step) {
    const int64_t x_stride = step * r.stride;
    dims[i] = {r.size(), back ? x_stride : y_stride, back ? y_stride : x_stride};
    y_stride *= r.size();
  });
  return make_moves(dims, static_cast<int>(type.operands[0].nd) + 1);
}

enum { kStart, kView };

void strided_select_shape(Shaping& s) {
  const List strides{s.type, 0};
  const List from = strides.next();
  const List to = from.next();
  const auto nd = static_cast<int>(s[0].nd);
  for (const List* list : {&strides, &from, &to})
    if (list->count() > nd + 1)
      s.bad_argument("a list of %d numbers for %s, which has %d dimensions and the batch", list->count(),
                     s[0].text().c_str(), nd);
  s.type.dim = s[0];
  int64_t start = 0;
  visit_ranges(s.type, [&](int i, const Range& r, int64_t step) {
    const uint32_t size = i < nd ? s[0].d[i] : s[0].bd;
    const std::string what = i < nd ? format("dimension %d", i) : "the batch";
    if (r.stride < 1)
      s.bad_argument("a stride of %lld in %s, expected 1 or more", static_cast<long long>(r.stride), what.c_str());
    if (r.from < 0 || r.from >= r.to || r.to > size)
      fail(DN_E_INDEX, "%s: from %lld to %lld of %s of %s, which has 0 to %u", s.name(), static_cast<long long>(r.from),
           static_cast<long long>(r.to), what.c_str(), s[0].text().c_str(), size);
    (i < nd ? s.type.dim.d[i] : s.type.dim.bd) = static_cast<uint32_t>(r.size());
    start += r.from * step;
  });
  s.type.v[kStart] = start;
  s.type.v[kView] = is_contiguous(selection(s.type, false));
}

void strided_select_forward(const Forward& b) {
  b.k.move(b.y, shifted(b, b.x[0], b.type.v[kStart], b.count), selection(b.type, false), b.count, false);
}

void strided_select_backward(const Backward& b) {
  const Backward::Operand dx = b.dx(0);
  if (!dx.accumulate) b.k.fill(dx.rows, 0, b.count, b.type.operands[0].total());
  b.k.move(shifted(b, dx.rows, b.type.v[kStart], b.count), b.dy, selection(b.type, true), b.count, true);
}

}  // namespace

const OpDef op_strided_select = {
    .name = "strided_select",
    .shape = strided_select_shape,
    .forward = strided_select_forward,
    .backward = strided_select_backward,
    .view = [](const Type& type, const uint32_t*) { return type.v[kView] != 0 ? type.v[kStart] : -1; },
    .static_lists = true,
    .lists_name_batch = true};

}  // namespace dynnet

// Operations that take some elements, or all in another order.
#include <algorithm>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

// Each element is one of the operand's, whose coordinates `from` makes of its own.
template <class From>
void take(const Context& x, const Term& term, From from) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    Coordinates of = c;
    from(c, of);
    term(i, 1, {0, place(x.x_shapes[0], of)}, {});
  });
}

// ---- transpose_dims ----

Shape transpose_dims_shape(const Signature& s) {
  const Indices& order = s.attributes.dims;
  Indices sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) require(sorted[i] == static_cast<int32_t>(i), s, "no order");
  Shape y;
  y.batch = s.x.at(0).batch;
  for (size_t i = 0; i < kBatch; ++i)
    if (i < order.size())
      y.d[i] = s.x[0].d[static_cast<size_t>(order[i])];
    else
      require(s.x[0].d[i] == 1, s, "more dimensions than the order has");
  return y;
}

void transpose_dims_terms(const Context& x, const Term& term) {
  const Indices& order = x.attributes.dims;
  take(x, term, [&](const Coordinates& c, Coordinates& of) {
    for (size_t i = 0; i < order.size(); ++i) of[static_cast<size_t>(order[i])] = c[i];
  });
}

// ---- slices by a list of indices ----

int64_t& size_of(Shape& shape, size_t dim) { return dim == kBatch ? shape.batch : shape.d[dim]; }

template <size_t dim>
Shape select_shape(const Signature& s) {
  Shape y = s.x.at(0);
  require(!s.attributes.indices.empty(), s, "no indices");
  for (const int32_t index : s.attributes.indices) require(index >= 0 && index < size_of(y, dim), s, "no such slice");
  size_of(y, dim) = static_cast<int64_t>(s.attributes.indices.size());
  return y;
}

template <size_t dim>
void select_terms(const Context& x, const Term& term) {
  take(x, term,
       [&](const Coordinates& c, Coordinates& of) { of[dim] = x.attributes.indices[static_cast<size_t>(c[dim])]; });
}

template <size_t dim>
Rule select(std::string_view name) {
  return {.name = name, .shape = select_shape<dim>, .terms = select_terms<dim>};
}

// ---- strided_select ----

Shape strided_shape(const Signature& s) {
  const Attributes& a = s.attributes;
  Shape y = s.x.at(0);
  for (size_t i = 0; i <= kBatch; ++i) {
    int64_t& size = size_of(y, i);
    require(a.strides.at(i) >= 1, s, "no such stride");
    require(0 <= a.from.at(i) && a.from[i] < a.to.at(i) && a.to[i] <= size, s, "no such slices");
    int64_t taken = 0;
    for (int64_t at = a.from[i]; at < a.to[i]; at += a.strides[i]) ++taken;
    size = taken;
  }
  return y;
}

void strided_terms(const Context& x, const Term& term) {
  const Attributes& a = x.attributes;
  take(x, term, [&](const Coordinates& c, Coordinates& of) {
    for (size_t i = 0; i <= kBatch; ++i) of[i] = a.from[i] + c[i] * a.strides[i];
  });
}

}  // namespace

const std::vector<Rule> kSlices = {
    {.name = "transpose_dims", .shape = transpose_dims_shape, .terms = transpose_dims_terms},
    select<0>("select_rows"),
    select<1>("select_cols"),
    select<kBatch>("pick_batch_elem"),
    select<kBatch>("pick_batch_elems"),
    {.name = "strided_select", .shape = strided_shape, .terms = strided_terms},
};

}  // namespace dynnet::reference

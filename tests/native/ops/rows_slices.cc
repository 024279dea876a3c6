// Elements that move: some of a tensor's, or all in another order.
#include <algorithm>
#include <numeric>

#include "ops/rows.h"

namespace dynnet::test {
namespace {

bool draw_order(Draw& d, World&, Example& e) {
  const auto nd = static_cast<int64_t>(to_dim(e.x[0]).nd);
  e.a.dims.resize(static_cast<size_t>(d.chance(0.7) ? nd : d.between(nd, DN_MAX_DIMS)));
  std::iota(e.a.dims.begin(), e.a.dims.end(), 0);
  for (size_t i = e.a.dims.size(); i > 1; --i)
    std::swap(e.a.dims[i - 1], e.a.dims[static_cast<size_t>(d.below(static_cast<int64_t>(i)))]);
  return true;
}

template <int dim>
bool draw_selected(Draw& d, World&, Example& e) {
  const int64_t size = e.x[0].d[dim];
  e.a.indices = d.indices(d.between(1, size), size);
  return true;
}

bool draw_batch_element(Draw& d, World&, Example& e) {
  e.a.indices = d.indices(1, e.x[0].batch);
  return true;
}

bool draw_batch_elements(Draw& d, World&, Example& e) {
  e.a.indices = d.indices(d.between(1, e.x[0].batch), e.x[0].batch);
  return true;
}

// Of all dimensions and the batch; how lists are written is up to the number of dimensions.
bool draw_strides(Draw& d, World&, Example& e) {
  e.least_dims = static_cast<uint32_t>(d.below(2));
  for (size_t i = 0; i <= DN_MAX_DIMS; ++i) {
    const int64_t size = i < DN_MAX_DIMS ? e.x[0].d[i] : e.x[0].batch;
    const bool whole = d.chance(0.4);
    const int64_t from = whole ? 0 : d.below(size);
    const int64_t to = whole ? size : d.between(from + 1, size);
    e.a.from.push_back(static_cast<int32_t>(from));
    e.a.to.push_back(static_cast<int32_t>(to));
    e.a.strides.push_back(static_cast<int32_t>(d.chance(0.5) ? 1 : d.between(1, to - from)));
  }
  return true;
}

// The lists as the operand's number of dimensions asks for: that many entries and one for the batch. Some are cut where
// their ends say nothing.
dn_status record_strided(const Recording& r) {
  Indices strides = r.a.strides;
  Indices from = r.a.from;
  Indices to = r.a.to;
  constexpr size_t kAll = DN_MAX_DIMS + 1;
  if (strides.size() == kAll && from.size() == kAll && to.size() == kAll) {
    dn_dim x{};
    if (dn_graph_dim(r.graph, r.x[0], &x) != DN_OK) x = to_dim(r.e.x[0]);
    // What is asked of dimensions that are not there makes the lists too long.
    bool fits = true;
    for (size_t i = x.nd; i < DN_MAX_DIMS; ++i) fits = fits && from[i] == 0 && to[i] == 1 && strides[i] >= 1;
    for (Indices* list : {&strides, &from, &to})
      if (fits) list->erase(list->begin() + x.nd, list->end() - 1);
    const bool cut = r.e.least_dims == 0;
    auto size = [&](size_t i) { return static_cast<int32_t>(i < x.nd ? x.d[i] : x.bd); };
    while (cut && !strides.empty() && strides.back() == 1) strides.pop_back();
    while (cut && !from.empty() && from.back() == 0) from.pop_back();
    while (cut && fits && !to.empty() && to.back() == size(to.size() - 1)) to.pop_back();
  }
  const auto count = [](const Indices& list) { return static_cast<int32_t>(list.size()); };
  return dn_op_strided_select(r.graph, r.x[0], strides.data(), count(strides), from.data(), count(from), to.data(),
                              count(to), r.out);
}

}  // namespace

std::vector<OpRow> order_rows() {
  return {
      {.name = "transpose_dims",
       .draw = draw_order,
       .record =
           RECORD(dn_op_transpose_dims(r.graph, r.x[0], r.a.dims.data(), static_cast<int32_t>(r.a.dims.size()), r.out)),
       .bad = {{{{2, 3, 4}}, {.dims = {1, 0}}, DN_E_SHAPE, "an order of 2 dimensions for {2,3,4}"},
               {{{2}}, {}, DN_E_SHAPE, "an order of 0 dimensions for {2}"},
               {{{2, 3}}, {.dims = {1, 2}}, DN_E_ARGUMENT, "dimension 2 in a list of 2, expected 0 to 1"},
               {{{2, 3}}, {.dims = {0, -1}}, DN_E_ARGUMENT, "dimension -1"},
               {{{2, 3}}, {.dims = {1, 1}}, DN_E_ARGUMENT, "dimension 1 is in the list more than once"},
               {{{2}}, {.dims = {0, 1, 2, 3, 4, 5, 6, 7}}, DN_E_ARGUMENT, "a list of 8 numbers, at most 7"}}},
      {.name = "select_rows",
       .draw = draw_selected<0>,
       .record = RECORD(dn_op_select_rows(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.out)),
       .bad = {{{{3, 2}}, {.indices = {0, 3}}, DN_E_INDEX, "index 3 of dimension 0 of {3,2}, which has 0 to 2"},
               {{{3, 2}}, {.indices = {-1}}, DN_E_INDEX, "index -1"},
               {{{3, 2}}, {}, DN_E_ARGUMENT, "no indices"}}},
      {.name = "select_cols",
       .draw = draw_selected<1>,
       .record = RECORD(dn_op_select_cols(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.out)),
       .bad = {{{{3, 2}}, {.indices = {0, 2}}, DN_E_INDEX, "index 2 of dimension 1 of {3,2}, which has 0 to 1"},
               {{{3}}, {.indices = {1}}, DN_E_INDEX, "0 to 0"},
               {{{3, 2}}, {}, DN_E_ARGUMENT, "no indices"}}},
  };
}

std::vector<OpRow> selection_rows() {
  return {
      {.name = "pick_batch_elem",
       .draw = draw_batch_element,
       .record = RECORD(dn_op_pick_batch_elem(r.graph, r.x[0], r.index(), r.out)),
       .bad = {{{Shape({3}, 2)}, {.indices = {2}}, DN_E_INDEX, "index 2 of the batch of {3}X2, which has 0 to 1"},
               {{{3}}, {.indices = {-1}}, DN_E_INDEX, "index -1"}}},
      {.name = "pick_batch_elems",
       .draw = draw_batch_elements,
       .record = RECORD(dn_op_pick_batch_elems(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.out)),
       .bad = {{{Shape({3}, 2)}, {.indices = {0, 1, 2}}, DN_E_INDEX, "index 2 of the batch of {3}X2"},
               {{{3}}, {.indices = {1}}, DN_E_INDEX, "0 to 0"},
               {{{3}}, {}, DN_E_ARGUMENT, "no indices"}}},
      {.name = "strided_select",
       .draw = draw_strides,
       .record = record_strided,
       .bad = {{{{4}}, {.strides = {0}}, DN_E_ARGUMENT, "a stride of 0 in dimension 0, expected 1 or more"},
               {{Shape({4}, 2)}, {.strides = {1, -2}}, DN_E_ARGUMENT, "a stride of -2 in the batch"},
               {{{4}}, {.strides = {1, 1, 1}}, DN_E_ARGUMENT, "a list of 3 numbers for {4}, which has 1 dimensions"},
               {{{4}}, {.from = {0, 0, 0}}, DN_E_ARGUMENT, "a list of 3 numbers"},
               {{{4}}, {.to = {1, 1, 1}}, DN_E_ARGUMENT, "a list of 3 numbers"},
               {{{4}}, {.to = {1, 1, 1, 1, 1, 1, 1, 1, 1}}, DN_E_ARGUMENT, "a list of 9 numbers, at most 8"},
               {{{4, 5}}, {.from = {0, 5}}, DN_E_INDEX, "from 5 to 5 of dimension 1 of {4,5}, which has 0 to 5"},
               {{{4}}, {.from = {-1}}, DN_E_INDEX, "from -1 to 4"},
               {{{4}}, {.from = {2}, .to = {2}}, DN_E_INDEX, "from 2 to 2"},
               {{{4}}, {.to = {5}}, DN_E_INDEX, "from 0 to 5 of dimension 0"},
               {{{4}}, {.to = {0}}, DN_E_INDEX, "from 0 to 0"},
               {{Shape({4}, 2)}, {.to = {4, 3}}, DN_E_INDEX, "from 0 to 3 of the batch of {4}X2, which has 0 to 2"}}},
  };
}

}  // namespace dynnet::test

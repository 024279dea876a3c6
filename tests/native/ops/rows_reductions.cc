// Many elements to one.
#include <algorithm>
#include <cmath>

#include "ops/rows.h"

namespace dynnet::test {
namespace {

using D = Domain;

// Some dimensions, in any order, and now and then the batch.
bool some_dimensions(Draw& d, World& world, Example& e) {
  for (int64_t more = d.below(4); more > 0; --more) {
    draws::one_dimension(d, world, e);
    if (std::find(e.a.dims.begin(), e.a.dims.end(), e.a.dim) == e.a.dims.end()) e.a.dims.push_back(e.a.dim);
  }
  e.a.batch = e.a.dims.empty() || d.chance(0.4) ? 1 : 0;
  e.a.divisor = 1;
  return true;
}

bool dimensions_and_divisor(Draw& d, World& world, Example& e) {
  some_dimensions(d, world, e);
  e.a.divisor = d.chance(0.7) ? 0 : static_cast<int32_t>(d.between(1, 8));
  return true;
}

bool order(Draw& d, World&, Example& e) {
  e.a.order = static_cast<int32_t>(d.between(1, 5));
  return true;
}

bool dimensions_order_and_divisor(Draw& d, World& world, Example& e) {
  return dimensions_and_divisor(d, world, e) && order(d, world, e);
}

bool mode(Draw& d, World&, Example& e) {
  e.a.mode = static_cast<int32_t>(d.below(2));
  return true;
}

// Nothing is near 0, but for what is 0 of single elements.
bool not_small(Program& program, const Step& step) {
  const Numbers& y = program.value(program.count() - 1);
  const bool single = program.shape(step.x[0]).total() == static_cast<int64_t>(y.size());
  return std::all_of(y.begin(), y.end(), [&](double number) { return number >= 0.05 || (single && number == 0); });
}

// Along each line of a dimension, the largest element, or the smallest if `sign` is -1, leads by more than rounding.
bool one_leads(Program& program, int step, int32_t dim, int sign) {
  const Numbers& x = program.value(step);
  const Shape& shape = program.shape(step);
  size_t inner = 1;
  for (size_t i = 0; i < static_cast<size_t>(dim); ++i) inner *= static_cast<size_t>(shape.d[i]);
  const auto n = static_cast<size_t>(shape.d[static_cast<size_t>(dim)]);
  for (size_t line = 0; n > 1 && line < x.size() / n; ++line) {
    Numbers elements;
    for (size_t i = 0; i < n; ++i) elements.push_back(sign * x[line / inner * inner * n + line % inner + i * inner]);
    std::nth_element(elements.begin(), elements.begin() + 1, elements.end(), std::greater<>());
    if (elements[0] - elements[1] < 1e-4) return false;
  }
  return true;
}

bool largest_leads(Program& p, const Step& step) { return one_leads(p, step.x[0], step.example.a.dim, 1); }
bool smallest_leads(Program& p, const Step& step) { return one_leads(p, step.x[0], step.example.a.dim, -1); }

// ---- bad examples ----

const std::vector<Bad> kBadDimensions = {
    {{{2, 3}}, {}, DN_E_ARGUMENT, "nothing to reduce"},
    {{{2, 3}}, {.dims = {0, 7}}, DN_E_ARGUMENT, "dimension 7, expected 0 to 6"},
    {{{2, 3}}, {.dims = {-1}}, DN_E_ARGUMENT, "dimension -1"},
    {{{2, 3}}, {.dims = {1, 0, 1}}, DN_E_ARGUMENT, "dimension 1 more than once"},
    {{{2, 3}}, {.dims = {0, 1, 2, 3, 4, 5, 6, 0}}, DN_E_ARGUMENT, "8 numbers, at most 7"}};
const std::vector<Bad> kBadDivisor = {{{{2, 3}}, {.dims = {0}, .divisor = -1}, DN_E_ARGUMENT, "a divisor of -1"}};
const std::vector<Bad> kBadOrder = {{{{2, 3}}, {.dims = {0}, .order = 0}, DN_E_ARGUMENT, "a moment of order 0"}};
const std::vector<Bad> kBadDimension = {{{{2, 3}}, {.dim = 7}, DN_E_ARGUMENT, "dimension 7, expected 0 to 6"},
                                        {{{2, 3}}, {.dim = -1}, DN_E_ARGUMENT, "dimension -1"}};

int32_t dims_count(const Recording& r) { return static_cast<int32_t>(r.a.dims.size()); }

}  // namespace

std::vector<OpRow> reduction_rows() {
  return {
      {.name = "sum_elems", .draw = draws::any, .record = RECORD_UNARY(sum_elems)},
      {.name = "sum_batches", .draw = draws::any, .record = RECORD_UNARY(sum_batches)},
      {.name = "sum_dim",
       .draw = some_dimensions,
       .record = RECORD(dn_op_sum_dim(r.graph, r.x[0], r.a.dims.data(), dims_count(r), r.a.batch, r.out)),
       .bad = kBadDimensions},
      {.name = "sum_rows", .draw = draws::any, .record = RECORD_UNARY(sum_rows)},
      {.name = "sum_cols", .draw = draws::any, .record = RECORD_UNARY(sum_cols)},
      {.name = "mean_elems", .draw = draws::any, .record = RECORD_UNARY(mean_elems)},
      {.name = "mean_batches", .draw = draws::any, .record = RECORD_UNARY(mean_batches)},
      {.name = "mean_dim",
       .draw = dimensions_and_divisor,
       .record = RECORD(dn_op_mean_dim(r.graph, r.x[0], r.a.dims.data(), dims_count(r), r.a.batch, r.a.divisor, r.out)),
       .bad = kBadDimensions + kBadDivisor},
      {.name = "average_cols", .draw = draws::any, .record = RECORD_UNARY(average_cols)},
      {.name = "moment_elems",
       .draw = order,
       .record = RECORD(dn_op_moment_elems(r.graph, r.x[0], r.a.order, r.out)),
       .bad = kBadOrder,
       .domains = {D::kSmall}},
      {.name = "moment_batches",
       .draw = order,
       .record = RECORD(dn_op_moment_batches(r.graph, r.x[0], r.a.order, r.out)),
       .bad = kBadOrder,
       .domains = {D::kSmall}},
      {.name = "moment_dim",
       .draw = dimensions_order_and_divisor,
       .record = RECORD(
           dn_op_moment_dim(r.graph, r.x[0], r.a.dims.data(), dims_count(r), r.a.order, r.a.batch, r.a.divisor, r.out)),
       .bad = kBadDimensions + kBadOrder + kBadDivisor,
       .domains = {D::kSmall}},
      {.name = "std_elems", .draw = draws::any, .record = RECORD_UNARY(std_elems), .settled = not_small},
      {.name = "std_batches", .draw = draws::any, .record = RECORD_UNARY(std_batches), .settled = not_small},
      {.name = "std_dim",
       .draw = dimensions_and_divisor,
       .record = RECORD(dn_op_std_dim(r.graph, r.x[0], r.a.dims.data(), dims_count(r), r.a.batch, r.a.divisor, r.out)),
       .bad = kBadDimensions + kBadDivisor,
       .settled = not_small},
      {.name = "squared_norm", .draw = draws::any, .record = RECORD_UNARY(squared_norm)},
      {.name = "l2_norm", .draw = draws::any, .record = RECORD_UNARY(l2_norm), .settled = not_small},
      {.name = "min_dim",
       .draw = draws::one_dimension,
       .record = RECORD(dn_op_min_dim(r.graph, r.x[0], r.a.dim, r.out)),
       .bad = kBadDimension,
       .settled = smallest_leads},
      {.name = "max_dim",
       .draw = draws::one_dimension,
       .record = RECORD(dn_op_max_dim(r.graph, r.x[0], r.a.dim, r.out)),
       .bad = kBadDimension,
       .settled = largest_leads},
      {.name = "argmax",
       .draw = mode,
       .record = RECORD(dn_op_argmax(r.graph, r.x[0], r.a.mode, r.out)),
       .bad = {{{{3}}, {.mode = 2}, DN_E_ARGUMENT, "gradient mode 2, expected 0 (zero) or 1"},
               {{{3}}, {.mode = -1}, DN_E_ARGUMENT, "gradient mode -1"}},
       .settled = largest_leads,
       .estimated = [](const Example& e) { return e.a.mode == 1; }},
      {.name = "logsumexp_dim",
       .draw = draws::one_dimension,
       .record = RECORD(dn_op_logsumexp_dim(r.graph, r.x[0], r.a.dim, r.out)),
       .bad = kBadDimension},
      {.name = "cumsum",
       .draw = draws::one_dimension,
       .record = RECORD(dn_op_cumsum(r.graph, r.x[0], r.a.dim, r.out)),
       .bad = kBadDimension},
      {.name = "dot_product", .draw = draws::pair, .record = RECORD_BINARY(dot_product), .bad = bad_pair()},
      {.name = "squared_distance", .draw = draws::pair, .record = RECORD_BINARY(squared_distance), .bad = bad_pair()},
  };
}

}  // namespace dynnet::test

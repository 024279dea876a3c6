// Reductions to one number for each batch element, over some dimensions, or over the batch: sums, moments, standard
// deviations, norms, products and distances.
#include "ops/context.h"
#include "ops/pairs.h"
#include "ops/reduction.h"

namespace dynnet {
namespace {

constexpr double kCost = 0.1;

// ---- sum_elems ----

void scalar_shape(Shaping& s) { s.type.dim = Dim({1}, s[0].bd); }

void sum_elems_forward(const Forward& b) {
  const int64_t n = b.type.operands[0].size();
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), kCost * static_cast<double>(n),
             [&](int64_t begin, int64_t end) { b.k.sum_elements(y.from(begin), x.from(begin), end - begin, n); });
}

void sum_elems_backward(const Backward& b) {
  const Backward::Operand dx = b.dx_elements(0);
  b.k.spread(dx.rows, b.dy_elements(), b.element_count(), b.type.operands[0].size(), dx.accumulate);
}

// ---- moments and standard deviations over some dimensions, the batch or all elements ----
//
// Where the batch is reduced there is one row for each node, else one for each batch element.

constexpr uint32_t kAllDims = (uint32_t{1} << DN_MAX_DIMS) - 1;

enum { kOrder, kDivisor };

// What attributes say of a reduction; those that an operation does not have are as here.
struct Attributes {
  uint32_t dims = 0;
  bool batch = false;
  int32_t order = 1;
  /// 0 for the number of elements.
  int32_t divisor = 0;
};

// Reads a list of dimensions, and moves on to the attribute behind it.
uint32_t dimensions(const Shaping& s, size_t& attribute) {
  const std::vector<int32_t> list = s.type.static_list(attribute);
  attribute += 1 + list.size();
  uint32_t dims = 0;
  for (const int32_t dim : list) {
    const uint32_t bit = uint32_t{1} << checked_dimension(s, dim);
    if ((dims & bit) != 0) s.bad_argument("dimension %d more than once", dim);
    dims |= bit;
  }
  return dims;
}

int32_t checked_order(const Shaping& s, int32_t order) {
  if (order < 1) s.bad_argument("a moment of order %d, expected 1 or more", order);
  return order;
}

// A list of dimensions, the order if there is one, whether to reduce the batch, the divisor if there is one.
Attributes listed(const Shaping& s, bool has_order, bool has_divisor) {
  size_t next = 0;
  Attributes a;
  a.dims = dimensions(s, next);
  if (has_order) a.order = checked_order(s, s.type.static_int(next++));
  a.batch = s.type.static_int(next++) != 0;
  if (has_divisor) a.divisor = s.type.static_int(next);
  if (a.dims == 0 && !a.batch) s.bad_argument("no dimensions and not the batch: nothing to reduce");
  if (a.divisor < 0) s.bad_argument("a divisor of %d, expected 0 or more", a.divisor);
  return a;
}

void reduce(Shaping& s, const Attributes& a) {
  s.type.dim = without(s[0], a.dims);
  if (a.batch) s.type.dim.bd = 1;
  s.type.reduction = reduction_loops(s[0], a.dims, a.batch);
  s.type.v[kOrder] = a.order;
  s.type.v[kDivisor] = a.divisor > 0 ? a.divisor : s.type.reduction.count;
}

// A sum is a mean with a divisor of 1.
void sum_dim_shape(Shaping& s) {
  Attributes a = listed(s, false, false);
  a.divisor = 1;
  reduce(s, a);
}

template <uint32_t dims, bool batch>
void sum_shape(Shaping& s) {
  reduce(s, {.dims = dims, .batch = batch, .divisor = 1});
}

template <uint32_t dims, bool batch>
void mean_shape(Shaping& s) {
  reduce(s, {.dims = dims, .batch = batch});
}

void mean_dim_shape(Shaping& s) { reduce(s, listed(s, false, true)); }

template <uint32_t dims, bool batch>
void moment_shape(Shaping& s) {
  reduce(s, {.dims = dims, .batch = batch, .order = checked_order(s, s.type.static_int(0))});
}

void moment_dim_shape(Shaping& s) { reduce(s, listed(s, true, true)); }

void squared_norm_shape(Shaping& s) { reduce(s, {.dims = kAllDims, .order = 2, .divisor = 1}); }

double row_cost(const BatchContext& b) {
  return kCost * static_cast<double>(b.type.reduction.count * b.type.reduction.results);
}

float divisor(const BatchContext& b) { return static_cast<float>(b.type.v[kDivisor]); }

// The gradients of the operand, one row for each batch element of the result.
Backward::Operand reduced_dx(const Backward& b) { return b.type.dim.bd == 1 ? b.dx(0) : b.dx_elements(0); }

void moment_forward(const Forward& b) {
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), row_cost(b), [&](int64_t begin, int64_t end) {
    b.k.moment(y.from(begin), x.from(begin), end - begin, b.type.reduction, static_cast<int32_t>(b.type.v[kOrder]),
               divisor(b));
  });
}

void moment_backward(const Backward& b) {
  const Backward::Operand dx = reduced_dx(b);
  const Rows x = b.x_elements(0);
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), row_cost(b),
      [&](int64_t begin, int64_t end) {
        b.k.moment_backward(dx.rows.from(begin), x.from(begin), dy.from(begin), end - begin, b.type.reduction,
                            static_cast<int32_t>(b.type.v[kOrder]), divisor(b), dx.accumulate);
      },
      dx.collides);
}

constexpr OpDef moment(const char* name, void (*shape)(Shaping&), bool lists = false) {
  return {.name = name, .shape = shape, .forward = moment_forward, .backward = moment_backward, .static_lists = lists};
}

// Forward keeps the means.
template <uint32_t dims, bool batch>
void std_shape(Shaping& s) {
  mean_shape<dims, batch>(s);
  s.type.aux = s.type.dim.total();
}

void std_dim_shape(Shaping& s) {
  mean_dim_shape(s);
  s.type.aux = s.type.dim.total();
}

// The means, one row for each batch element of the result.
Rows means(const BatchContext& b) { return b.elements(b.aux, b.type.dim.size(), b.type.dim.bd, b.type.dim.bd); }

void std_forward(const Forward& b) {
  const Rows y = b.y_elements();
  const Rows mean = means(b);
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), 2 * row_cost(b), [&](int64_t begin, int64_t end) {
    b.k.deviation(y.from(begin), mean.from(begin), x.from(begin), end - begin, b.type.reduction, divisor(b));
  });
}

void std_backward(const Backward& b) {
  const Backward::Operand dx = reduced_dx(b);
  const Rows x = b.x_elements(0);
  const Rows y = b.y_elements();
  const Rows mean = means(b);
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), row_cost(b),
      [&](int64_t begin, int64_t end) {
        b.k.deviation_backward(dx.rows.from(begin), x.from(begin), y.from(begin), mean.from(begin), dy.from(begin),
                               end - begin, b.type.reduction, divisor(b), dx.accumulate);
      },
      dx.collides);
}

constexpr OpDef deviation(const char* name, void (*shape)(Shaping&), bool lists = false) {
  return {.name = name, .shape = shape, .forward = std_forward, .backward = std_backward, .static_lists = lists};
}

// ---- l2_norm ----

void l2_norm_forward(const Forward& b) {
  const int64_t n = b.type.operands[0].size();
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), kCost * static_cast<double>(n),
             [&](int64_t begin, int64_t end) { b.k.l2_norm(y.from(begin), x.from(begin), end - begin, n); });
}

void l2_norm_backward(const Backward& b) {
  const int64_t n = b.type.operands[0].size();
  const Backward::Operand dx = b.dx_elements(0);
  const Rows x = b.x_elements(0);
  const Rows y = b.y_elements();
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), kCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.l2_norm_backward(dx.rows.from(begin), x.from(begin), y.from(begin), dy.from(begin), end - begin, n,
                             dx.accumulate);
      },
      dx.collides);
}

// ---- dot_product and squared_distance ----

void dot_product_forward(const Forward& b) {
  b.k.dot(b.y_elements(), b.x_elements(0), b.x_elements(1), b.element_count(), b.type.operands[0].size());
}

void dot_product_backward(const Backward& b) { pair_sum_backward(b, PairSum::kDot); }

void squared_distance_forward(const Forward& b) {
  b.k.squared_distance(b.y_elements(), b.x_elements(0), b.x_elements(1), b.element_count(), b.type.operands[0].size());
}

void squared_distance_backward(const Backward& b) { pair_sum_backward(b, PairSum::kSquared); }

}  // namespace

const OpDef op_sum_elems = {
    .name = "sum_elems", .shape = scalar_shape, .forward = sum_elems_forward, .backward = sum_elems_backward};

const OpDef op_sum_dim = moment("sum_dim", sum_dim_shape, true);
const OpDef op_sum_rows = moment("sum_rows", sum_shape<0b01, false>);
const OpDef op_sum_cols = moment("sum_cols", sum_shape<0b10, false>);
const OpDef op_sum_batches = moment("sum_batches", sum_shape<0, true>);
const OpDef op_mean_elems = moment("mean_elems", mean_shape<kAllDims, false>);
const OpDef op_mean_batches = moment("mean_batches", mean_shape<0, true>);
const OpDef op_mean_dim = moment("mean_dim", mean_dim_shape, true);
const OpDef op_average_cols = moment("average_cols", mean_shape<0b10, false>);
const OpDef op_moment_elems = moment("moment_elems", moment_shape<kAllDims, false>);
const OpDef op_moment_batches = moment("moment_batches", moment_shape<0, true>);
const OpDef op_moment_dim = moment("moment_dim", moment_dim_shape, true);
const OpDef op_std_elems = deviation("std_elems", std_shape<kAllDims, false>);
const OpDef op_std_batches = deviation("std_batches", std_shape<0, true>);
const OpDef op_std_dim = deviation("std_dim", std_dim_shape, true);
const OpDef op_squared_norm = moment("squared_norm", squared_norm_shape);

const OpDef op_l2_norm = {
    .name = "l2_norm", .shape = scalar_shape, .forward = l2_norm_forward, .backward = l2_norm_backward};

const OpDef op_dot_product = {
    .name = "dot_product", .shape = pair_to_scalar, .forward = dot_product_forward, .backward = dot_product_backward};

const OpDef op_squared_distance = {.name = "squared_distance",
                                   .shape = pair_to_scalar,
                                   .forward = squared_distance_forward,
                                   .backward = squared_distance_backward};

}  // namespace dynnet

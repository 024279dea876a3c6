// Along one dimension: the smallest or largest elements and where they are, the logarithm of the sum of exponentials,
// and cumulative sums.
#include "ops/reduction.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

constexpr double kCost = 0.1;
constexpr double kExpCost = 0.6;

// The elements of one batch element that a row reads, and what they cost.
double row_cost(const BatchContext& b, double each) { return each * static_cast<double>(b.type.operands[0].size()); }

void one_dimension_shape(Shaping& s) {
  const uint32_t dims = uint32_t{1} << checked_dimension(s, s.type.static_int(0));
  s.type.dim = without(s[0], dims);
  s.type.reduction = reduction_loops(s[0], dims, false);
}

// ---- min_dim and max_dim ----

template <bool smallest>
void extreme_forward(const Forward& b) {
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), row_cost(b, kCost), [&](int64_t begin, int64_t end) {
    b.k.extreme(smallest, y.from(begin), x.from(begin), end - begin, b.type.reduction);
  });
}

template <bool smallest>
void extreme_backward(const Backward& b) {
  const Backward::Operand dx = b.dx_elements(0);
  const Rows x = b.x_elements(0);
  const Rows y = b.y_elements();
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), row_cost(b, kCost),
      [&](int64_t begin, int64_t end) {
        b.k.extreme_backward(smallest, dx.rows.from(begin), x.from(begin), y.from(begin), dy.from(begin), end - begin,
                             b.type.reduction, dx.accumulate);
      },
      dx.collides);
}

template <bool smallest>
constexpr OpDef extreme(const char* name) {
  return {.name = name,
          .shape = one_dimension_shape,
          .forward = extreme_forward<smallest>,
          .backward = extreme_backward<smallest>};
}

// ---- argmax ----

void argmax_shape(Shaping& s) {
  check_gradient_mode(s, s.type.static_int(0));
  s.type.dim = s[0];
}

// All vectors along dimension 0, one row each.
int64_t vectors_of(const BatchContext& b) { return b.type.size / b.type.dim.rows(); }

void argmax_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const int64_t each = vectors_of(b);
  const Rows y = b.elements(b.y, n, each, each);
  const Rows x = b.elements(b.x[0], n, each, each);
  b.parallel(b.count * each, kCost * static_cast<double>(n),
             [&](int64_t begin, int64_t end) { b.k.argmax(y.from(begin), x.from(begin), end - begin, n); });
}

void argmax_backward(const Backward& b) {
  if (b.type.static_int(0) == DN_GRADIENT_STRAIGHT_THROUGH) return copy_gradient(b);
  const Backward::Operand dx = b.dx(0);
  if (!dx.accumulate) b.k.fill(dx.rows, 0, b.count, b.type.size);
}

// ---- logsumexp_dim ----

void logsumexp_dim_shape(Shaping& s) {
  one_dimension_shape(s);
  s.type.aux = 2 * s.type.dim.total();
}

Rows kept_parts(const BatchContext& b) {
  return b.elements(b.aux, 2 * b.type.dim.size(), b.type.dim.bd, b.type.dim.bd);
}

void logsumexp_dim_forward(const Forward& b) {
  const Rows y = b.y_elements();
  const Rows z = kept_parts(b);
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), row_cost(b, kExpCost), [&](int64_t begin, int64_t end) {
    b.k.log_sum_exp(y.from(begin), z.from(begin), x.from(begin), end - begin, b.type.reduction);
  });
}

void logsumexp_dim_backward(const Backward& b) {
  const Backward::Operand dx = b.dx_elements(0);
  const Rows x = b.x_elements(0);
  const Rows z = kept_parts(b);
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), row_cost(b, kExpCost),
      [&](int64_t begin, int64_t end) {
        b.k.log_sum_exp_backward(dx.rows.from(begin), x.from(begin), z.from(begin), dy.from(begin), end - begin,
                                 b.type.reduction, dx.accumulate);
      },
      dx.collides);
}

// ---- cumsum: each batch element seen as {inner, size, outer} ----

enum { kInner, kSize, kOuter };

void cumsum_shape(Shaping& s) {
  const int dim = checked_dimension(s, s.type.static_int(0));
  s.type.dim = s[0];
  s.type.v[kInner] = below(s[0], dim);
  s.type.v[kSize] = s[0].d[dim];
  s.type.v[kOuter] = above(s[0], dim);
}

void cumulative_sum(const BatchContext& b, Rows to, Rows from, int64_t rows, bool reverse, bool accumulate) {
  const int64_t* v = b.type.v;
  b.k.cumulative_sum(to, from, rows, v[kInner], v[kSize], v[kOuter], reverse, accumulate);
}

void cumsum_forward(const Forward& b) {
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  b.parallel(b.element_count(), row_cost(b, kCost), [&](int64_t begin, int64_t end) {
    cumulative_sum(b, y.from(begin), x.from(begin), end - begin, false, false);
  });
}

void cumsum_backward(const Backward& b) {
  const Backward::Operand dx = b.dx_elements(0);
  const Rows dy = b.dy_elements();
  b.parallel(
      b.element_count(), row_cost(b, kCost),
      [&](int64_t begin, int64_t end) {
        cumulative_sum(b, dx.rows.from(begin), dy.from(begin), end - begin, true, dx.accumulate);
      },
      dx.collides);
}

}  // namespace

const OpDef op_min_dim = extreme<true>("min_dim");
const OpDef op_max_dim = extreme<false>("max_dim");

const OpDef op_argmax = {
    .name = "argmax", .shape = argmax_shape, .forward = argmax_forward, .backward = argmax_backward};

const OpDef op_logsumexp_dim = {.name = "logsumexp_dim",
                                .shape = logsumexp_dim_shape,
                                .forward = logsumexp_dim_forward,
                                .backward = logsumexp_dim_backward};

const OpDef op_cumsum = {
    .name = "cumsum", .shape = cumsum_shape, .forward = cumsum_forward, .backward = cumsum_backward};

}  // namespace dynnet

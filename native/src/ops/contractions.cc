// A tensor of three dimensions times one vector or two. Seen as a matrix {d1 d2, d3} it is the left operand of a
// product with y, whose result, as a matrix {d1, d2}, is that of one with z.
#include "ops/context.h"
#include "ops/product.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

// Nanoseconds a multiplication, roughly, for the choice of chunks.
constexpr double kCost = 0.05;

enum { kRows, kInner, kBias };

void check_tensor(Shaping& s) {
  const Dim& x = s[0];
  if (x.size() != static_cast<int64_t>(x.d[0]) * x.d[1] * x.d[2])
    s.mismatch("expected a tensor of three dimensions, got %s", x.text().c_str());
}

void check_factor(const Shaping& s, int operand, int dim) {
  if (!s[operand].is_vector() || s[operand].rows() != s[0].d[dim])
    s.mismatch("dimension %d of %s has size %u, expected a vector of that size, got %s (operand %d)", dim,
               s[0].text().c_str(), s[0].d[dim], s[operand].text().c_str(), operand);
}

// The rest of the shape rule, once the result's shape is there; operands from `bias` on are its terms.
void finish_shape(Shaping& s, int64_t m, int bias) {
  s.type.v[kRows] = m;
  s.type.v[kInner] = s[0].size() / m;
  s.type.v[kBias] = bias;
  for (int i = 0; i < s.count(); ++i) s.type.dim.bd = common_batch(s, s.type.dim.bd, s[i].bd);
  if (bias < s.count() && !s[bias].same_shape(s.type.dim))
    s.mismatch("the bias %s does not fit the result %s", s[bias].text().c_str(), s.type.dim.text().c_str());
}

void contract3d_1d_shape(Shaping& s) {
  check_tensor(s);
  check_factor(s, 1, 2);
  s.type.dim = Dim({s[0].d[0], s[0].d[1]});
  finish_shape(s, s.type.dim.size(), 2);
}

void contract3d_1d_1d_shape(Shaping& s) {
  check_tensor(s);
  check_factor(s, 1, 2);
  check_factor(s, 2, 1);
  s.type.dim = Dim({s[0].d[0]});
  finish_shape(s, s[0].d[0] * int64_t{s[0].d[1]}, 3);
  // The product with y of each batch element.
  s.type.aux = total_if_possible(Dim({s[0].d[0], s[0].d[1]}, s.type.dim.bd));
}

bool has_bias(const Type& type) { return static_cast<int64_t>(type.operands.size()) > type.v[kBias]; }

bool contract_defers(const Type& type, int i) {
  return (i == 0 || i == type.v[kBias]) && type.is_one(static_cast<size_t>(i));
}

// How many columns a node's matrix is multiplied by: those of all batch elements, or each its own.
int64_t columns_each(const BatchContext& b) { return b.type.operands[0].bd == 1 ? b.type.dim.bd : 1; }

// Calls f(matrix, first column) for each matrix of each node.
template <class F>
void for_matrices(const BatchContext& b, bool serial, F f) {
  const int64_t each = columns_each(b);
  b.parallel(
      b.element_count() / each, kCost * static_cast<double>(each * b.type.v[kRows] * b.type.v[kInner]),
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) f(i, i * each);
      },
      serial);
}

// Of x or its gradient, one row for each matrix.
Rows matrices(const BatchContext& b, Rows rows) {
  const Dim& x = b.type.operands[0];
  return b.elements(rows, x.size(), x.bd, x.bd);
}

// to = the tensor times y (+ what is there), one column for each batch element.
void times_y(const Forward& b, Rows to, bool accumulate) {
  const int64_t m = b.type.v[kRows];
  const int64_t k = b.type.v[kInner];
  const int64_t n = b.element_count();
  const Rows y = b.x_elements(1);
  if (b.type.is_one(0)) return run_product(b, m, n, k, shared_left(b, 0, m, k, n), y, to, nullptr, accumulate);
  const int64_t each = columns_each(b);
  const Rows x = matrices(b, b.x[0]);
  for_matrices(b, false, [&](int64_t i, int64_t first) {
    b.k.product(m, each, k, column_major(x.at(i), m), y.from(first), to.from(first), nullptr, accumulate);
  });
}

// Puts the bias into the result, if there is one.
bool put_bias(const Forward& b) {
  if (!has_bias(b.type)) return false;
  b.k.copy(b.y_elements(), b.x_elements(static_cast<int>(b.type.v[kBias])), b.element_count(), b.type.dim.size());
  return true;
}

void bias_backward(const Backward& b) {
  const auto operand = static_cast<int>(b.type.v[kBias]);
  if (!has_bias(b.type) || !b.wants(operand)) return;
  const int64_t m = b.type.dim.size();
  const Rows dy = b.dy_elements();
  if (b.type.deferred[static_cast<size_t>(operand)]) return b.defer_sum(operand, m, dy, b.element_count());
  add_rows(b, b.dx_elements(operand), dy, b.element_count(), m);
}

// The gradients of the tensor and of y, from that of their product.
void product_backward(const Backward& b, Rows d) {
  const int64_t m = b.type.v[kRows];
  const int64_t k = b.type.v[kInner];
  const int64_t n = b.element_count();
  const int64_t each = columns_each(b);
  const Rows y = b.x_elements(1);
  if (b.wants(0) && b.type.deferred[0]) {
    b.defer_product(0, m, k, d, y, n);
  } else if (b.wants(0)) {
    const Backward::Operand dx = b.dx(0);
    const Rows to = matrices(b, dx.rows);
    for_matrices(b, dx.collides, [&](int64_t i, int64_t first) {
      b.k.outer_sum(0, m, each, k, d.from(first), y.from(first), to.at(i), m, dx.accumulate);
    });
  }
  if (!b.wants(1)) return;
  const Rows sums{b.scratch.allocate<float>(n * k), nullptr, k};
  if (b.type.is_one(0) && n >= kWorthPacking) {
    run_product(b, k, n, m, packed_transpose(b, 0, m, k), d, sums, nullptr, false);
  } else {
    const Rows x = matrices(b, b.x[0]);
    for_matrices(b, false, [&](int64_t i, int64_t first) {
      b.k.product_transposed(m, each, k, x.at(i), m, d.from(first), sums.from(first), false);
    });
  }
  add_rows(b, b.dx_elements(1), sums, b.element_count(), k);
}

// ---- z_ij = sum_k x_ijk y_k (+ b_ij) ----

void contract3d_1d_forward(const Forward& b) {
  const bool bias = put_bias(b);
  times_y(b, b.y_elements(), bias);
}

void contract3d_1d_backward(const Backward& b) {
  bias_backward(b);
  product_backward(b, b.dy_elements());
}

// ---- t_i = sum_jk x_ijk y_k z_j (+ b_i) ----

// The product with y of each batch element, as a matrix {d1, d2}.
Rows products(const BatchContext& b) { return b.elements(b.aux, b.type.v[kRows], b.type.dim.bd, b.type.dim.bd); }

void contract3d_1d_1d_forward(const Forward& b) {
  const int64_t d1 = b.type.dim.rows();
  const int64_t d2 = b.type.operands[2].rows();
  const Rows y = b.y_elements();
  const Rows z = b.x_elements(2);
  const Rows xy = products(b);
  const bool bias = put_bias(b);
  times_y(b, xy, false);
  b.parallel(b.element_count(), kCost * static_cast<double>(d1 * d2), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      b.k.product(d1, 1, d2, column_major(xy.at(i), d1), z.from(i), y.from(i), nullptr, bias);
  });
}

void contract3d_1d_1d_backward(const Backward& b) {
  bias_backward(b);
  const int64_t n = b.element_count();
  const int64_t d1 = b.type.dim.rows();
  const int64_t d2 = b.type.operands[2].rows();
  const Rows dt = b.dy_elements();
  if (b.wants(0) || b.wants(1)) {
    const Rows z = b.x_elements(2);
    // What is deferred lasts until the end of the pass.
    const Rows d{b.scratch.allocate<float>(n * d1 * d2), nullptr, d1 * d2};
    for (int64_t i = 0; i < n; ++i) b.k.outer_sum(0, d1, 1, d2, dt.from(i), z.from(i), d.at(i), d1, false);
    product_backward(b, d);
  }
  if (!b.wants(2)) return;
  const Rows xy = products(b);
  const Backward::Operand dz = b.dx_elements(2);
  for (int64_t i = 0; i < n; ++i)
    b.k.product_transposed(d1, 1, d2, xy.at(i), d1, dt.from(i), dz.rows.from(i), dz.accumulate);
}

// The tensor and the bias are weights.
constexpr OpDef contraction(const char* name, void (*shape)(Shaping&), void (*forward)(const Forward&),
                            void (*backward)(const Backward&), uint32_t weights) {
  return {.name = name,
          .shape = shape,
          .forward = forward,
          .backward = backward,
          .defers = contract_defers,
          .weights = weights};
}

}  // namespace

const OpDef op_contract3d_1d =
    contraction("contract3d_1d", contract3d_1d_shape, contract3d_1d_forward, contract3d_1d_backward, 0b1);

const OpDef op_contract3d_1d_bias =
    contraction("contract3d_1d_bias", contract3d_1d_shape, contract3d_1d_forward, contract3d_1d_backward, 0b101);

const OpDef op_contract3d_1d_1d =
    contraction("contract3d_1d_1d", contract3d_1d_1d_shape, contract3d_1d_1d_forward, contract3d_1d_1d_backward, 0b1);

const OpDef op_contract3d_1d_1d_bias = contraction("contract3d_1d_1d_bias", contract3d_1d_1d_shape,
                                                   contract3d_1d_1d_forward, contract3d_1d_1d_backward, 0b1001);

}  // namespace dynnet

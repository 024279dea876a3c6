// A tensor of three dimensions times one vector or two. Seen as a matrix {m, k} it is the left operand of a product:
// {d1 d2, d3} of y, or {d1, d2 d3} of z y^T in one column.
#include "ops/context.h"
#include "ops/product.h"

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
  finish_shape(s, s[0].d[0], 3);
  // z y^T of each batch element.
  s.type.aux = total_if_possible(Dim({s[0].d[1], s[0].d[2]}, s.type.dim.bd));
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

// One column for each batch element.
void contract_forward(const Forward& b, Rows columns) {
  const int64_t m = b.type.v[kRows];
  const int64_t k = b.type.v[kInner];
  const int64_t n = b.element_count();
  const bool bias = has_bias(b.type);
  const Rows y = b.y_elements();
  if (bias) b.k.copy(y, b.x_elements(static_cast<int>(b.type.v[kBias])), n, m);
  if (b.type.is_one(0)) return run_product(b, m, n, k, shared_left(b, 0, m, k, n), columns, y, nullptr, bias);
  const int64_t each = columns_each(b);
  const Rows x = matrices(b, b.x[0]);
  for_matrices(b, false, [&](int64_t i, int64_t first) {
    b.k.product(m, each, k, column_major(x.at(i), m), columns.from(first), y.from(first), nullptr, bias);
  });
}

void bias_backward(const Backward& b) {
  const auto operand = static_cast<int>(b.type.v[kBias]);
  if (!has_bias(b.type) || !b.wants(operand)) return;
  const int64_t m = b.type.v[kRows];
  const Rows dy = b.dy_elements();
  if (b.type.deferred[static_cast<size_t>(operand)]) return b.defer_sum(operand, m, dy, b.element_count());
  const Backward::Operand dx = b.dx_elements(operand);
  if (dx.accumulate)
    b.k.add(dx.rows, dy, 1, b.element_count(), m);
  else
    b.k.copy(dx.rows, dy, b.element_count(), m);
}

void tensor_backward(const Backward& b, Rows columns) {
  if (!b.wants(0)) return;
  const int64_t m = b.type.v[kRows];
  const int64_t k = b.type.v[kInner];
  const Rows dy = b.dy_elements();
  if (b.type.deferred[0]) return b.defer_product(0, m, k, dy, columns, b.element_count());
  const Backward::Operand dx = b.dx(0);
  const Rows to = matrices(b, dx.rows);
  const int64_t each = columns_each(b);
  for_matrices(b, dx.collides, [&](int64_t i, int64_t first) {
    b.k.outer_sum(0, m, each, k, dy.from(first), columns.from(first), to.at(i), m, dx.accumulate);
  });
}

// The gradients of the columns, in scratch memory.
Rows columns_backward(const Backward& b) {
  const int64_t m = b.type.v[kRows];
  const int64_t k = b.type.v[kInner];
  const int64_t n = b.element_count();
  const Rows dy = b.dy_elements();
  const Rows to{b.scratch.allocate<float>(n * k), nullptr, k};
  if (b.type.is_one(0)) {
    run_product(b, k, n, m, packed_transpose(b, 0, m, k), dy, to, nullptr, false);
    return to;
  }
  const int64_t each = columns_each(b);
  const Rows x = matrices(b, b.x[0]);
  for_matrices(b, false, [&](int64_t i, int64_t first) {
    b.k.product_transposed(m, each, k, x.at(i), m, dy.from(first), to.from(first), false);
  });
  return to;
}

// ---- z_ij = sum_k x_ijk y_k (+ b_ij) ----

void contract3d_1d_forward(const Forward& b) { contract_forward(b, b.x_elements(1)); }

void contract3d_1d_backward(const Backward& b) {
  bias_backward(b);
  tensor_backward(b, b.x_elements(1));
  if (!b.wants(1)) return;
  const int64_t k = b.type.v[kInner];
  const Rows d = columns_backward(b);
  const Backward::Operand dx = b.dx_elements(1);
  if (dx.accumulate)
    b.k.add(dx.rows, d, 1, b.element_count(), k);
  else
    b.k.copy(dx.rows, d, b.element_count(), k);
}

// ---- t_i = sum_jk x_ijk y_k z_j (+ b_i) ----

// z y^T of each batch element, in one column.
Rows products(const BatchContext& b) { return b.elements(b.aux, b.type.v[kInner], b.type.dim.bd, b.type.dim.bd); }

void contract3d_1d_1d_forward(const Forward& b) {
  const int64_t d2 = b.type.operands[2].rows();
  const int64_t d3 = b.type.operands[1].rows();
  const Rows y = b.x_elements(1);
  const Rows z = b.x_elements(2);
  const Rows zy = products(b);
  b.parallel(b.element_count(), kCost * static_cast<double>(d2 * d3), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) b.k.outer_sum(0, d2, 1, d3, z.from(i), y.from(i), zy.at(i), d2, false);
  });
  contract_forward(b, zy);
}

void contract3d_1d_1d_backward(const Backward& b) {
  bias_backward(b);
  tensor_backward(b, products(b));
  if (!b.wants(1) && !b.wants(2)) return;
  const int64_t d2 = b.type.operands[2].rows();
  const int64_t d3 = b.type.operands[1].rows();
  // As matrices {d2, d3}: dy = d^T z, dz = d y.
  const Rows d = columns_backward(b);
  if (b.wants(1)) {
    const Backward::Operand dx = b.dx_elements(1);
    const Rows z = b.x_elements(2);
    for (int64_t i = 0; i < b.element_count(); ++i)
      b.k.product_transposed(d2, 1, d3, d.at(i), d2, z.from(i), dx.rows.from(i), dx.accumulate);
  }
  if (b.wants(2)) {
    const Backward::Operand dx = b.dx_elements(2);
    const Rows y = b.x_elements(1);
    for (int64_t i = 0; i < b.element_count(); ++i)
      b.k.product(d2, 1, d3, column_major(d.at(i), d2), y.from(i), dx.rows.from(i), nullptr, dx.accumulate);
  }
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

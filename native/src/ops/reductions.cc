// Reductions to one number for each batch element, or over the batch.
#include "ops/context.h"

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

// ---- sum_batches ----

void sum_batches_shape(Shaping& s) {
  s.type.dim = s[0];
  s.type.dim.bd = 1;
}

void sum_batches_forward(const Forward& b) {
  const int64_t n = b.type.size;
  const int64_t batch = b.type.operands[0].bd;
  b.parallel(b.count, kCost * static_cast<double>(n * batch), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) b.k.sum_rows(b.y.at(i), Rows{b.x[0].at(i), nullptr, n}, batch, n, false);
  });
}

void sum_batches_backward(const Backward& b) {
  const int64_t n = b.type.size;
  const int64_t batch = b.type.operands[0].bd;
  const Backward::Operand dx = b.dx(0);
  for (int64_t i = 0; i < b.count; ++i) {
    const Rows to{dx.rows.at(i), nullptr, n};
    const Rows from{b.dy.at(i), nullptr, 0};
    if (dx.accumulate)
      b.k.add(to, from, 1, batch, n);
    else
      b.k.copy(to, from, batch, n);
  }
}

// ---- dot_product and squared_distance ----

void dot_product_forward(const Forward& b) {
  b.k.dot(b.y_elements(), b.x_elements(0), b.x_elements(1), b.element_count(), b.type.operands[0].size());
}

void dot_product_backward(const Backward& b) {
  for (int side = 0; side < 2; ++side) {
    if (!b.wants(side)) continue;
    const Backward::Operand dx = b.dx_elements(side);
    b.k.scale_by(dx.rows, b.x_elements(1 - side), b.dy_elements(), b.element_count(), b.type.operands[0].size(),
                 dx.accumulate);
  }
}

void squared_distance_forward(const Forward& b) {
  b.k.squared_distance(b.y_elements(), b.x_elements(0), b.x_elements(1), b.element_count(), b.type.operands[0].size());
}

void squared_distance_backward(const Backward& b) {
  for (int side = 0; side < 2; ++side) {
    if (!b.wants(side)) continue;
    const Backward::Operand dx = b.dx_elements(side);
    b.k.squared_distance_backward(dx.rows, b.x_elements(0), b.x_elements(1), b.dy_elements(), side == 0 ? 2.f : -2.f,
                                  b.element_count(), b.type.operands[0].size(), dx.accumulate);
  }
}

}  // namespace

const OpDef op_sum_elems = {
    .name = "sum_elems", .shape = scalar_shape, .forward = sum_elems_forward, .backward = sum_elems_backward};

const OpDef op_sum_batches = {.name = "sum_batches",
                              .shape = sum_batches_shape,
                              .forward = sum_batches_forward,
                              .backward = sum_batches_backward};

const OpDef op_dot_product = {
    .name = "dot_product", .shape = pair_to_scalar, .forward = dot_product_forward, .backward = dot_product_backward};

const OpDef op_squared_distance = {.name = "squared_distance",
                                   .shape = pair_to_scalar,
                                   .forward = squared_distance_forward,
                                   .backward = squared_distance_backward};

}  // namespace dynnet

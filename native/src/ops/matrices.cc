// Linear algebra, and circular convolution.
#include "ops/context.h"
#include "ops/elementwise.h"
#include "ops/product.h"

namespace dynnet {
namespace {

// Nanoseconds a multiplication, roughly, for the choice of chunks.
constexpr double kLuCost = 0.3;
constexpr double kCircularCost = 0.08;

// ---- trace_of_product ----

void trace_of_product_shape(Shaping& s) {
  if (!s[0].is_matrix()) s.mismatch("expected matrices, got %s", s[0].text().c_str());
  pair_to_scalar(s);
}

// ---- inverse and logdet ----

void square_matrix(const Shaping& s) {
  if (!s[0].is_matrix() || s[0].rows() != s[0].cols())
    s.mismatch("expected a square matrix, got %s", s[0].text().c_str());
}

void inverse_shape(Shaping& s) {
  square_matrix(s);
  s.type.dim = s[0];
}

void logdet_shape(Shaping& s) {
  square_matrix(s);
  s.type.dim = Dim({1}, s[0].bd);
}

// Calls kernel(to, from, work, rows, n) for the matrices of all nodes.
void for_matrices(const BatchContext& b, Rows to, Rows from, void (*kernel)(Rows, Rows, double*, int64_t, int64_t)) {
  const int64_t n = b.type.operands[0].rows();
  const int64_t size = 2 * n * n + n;
  auto* work = b.scratch.allocate<double>(size * b.element_count());
  b.parallel(b.element_count(), kLuCost * static_cast<double>(n * n * n), [&](int64_t begin, int64_t end) {
    kernel(to.from(begin), from.from(begin), work + begin * size, end - begin, n);
  });
}

void inverse_forward(const Forward& b) { for_matrices(b, b.y_elements(), b.x_elements(0), b.k.inverse); }

// dx = -Y^T dY Y^T
void inverse_backward(const Backward& b) {
  const int64_t n = b.type.dim.rows();
  const int64_t size = packed_size(n, n);
  const Backward::Operand dx = b.dx_elements(0);
  const Rows y = b.y_elements();
  const Rows dy = b.dy_elements();
  const Rows negated{b.scratch.allocate<float>(b.element_count() * n * n), nullptr, n * n};
  float* packed = b.scratch.allocate<float>(b.element_count() * size);
  b.parallel(
      b.element_count(), 2 * kCircularCost * static_cast<double>(n * n * n),
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          float* transposed = packed + i * size;
          const Rows left{negated.at(i), nullptr, n};
          b.k.pack_transposed(n, n, y.at(i), n, transposed);
          b.k.product(n, n, n, Left{transposed, 16 * n, 16, true}, Rows{dy.at(i), nullptr, n}, left, nullptr, false);
          b.k.unary_forward(static_cast<int>(UnaryOp::kNegate), left, left, nullptr, n, n);
          b.k.outer_sum(0, n, n, n, left, Rows{y.at(i), nullptr, n}, dx.rows.at(i), n, dx.accumulate);
        }
      },
      dx.collides);
}

void logdet_forward(const Forward& b) { for_matrices(b, b.y_elements(), b.x_elements(0), b.k.logdet); }

// dx = dy X^-T
void logdet_backward(const Backward& b) {
  const int64_t n = b.type.operands[0].rows();
  auto memory = [&] { return Rows{b.scratch.allocate<float>(b.element_count() * n * n), nullptr, n * n}; };
  const Backward::Operand dx = b.dx_elements(0);
  const Rows inverse = memory();
  const Rows transposed = memory();
  for_matrices(b, inverse, b.x_elements(0), b.k.inverse);
  b.k.transpose(transposed, inverse, n, n, b.element_count(), false);
  b.k.scale_by(dx.rows, transposed, b.dy_elements(), b.element_count(), n * n, dx.accumulate);
}

// ---- circ_conv and circ_corr ----

// Each row twice, one after the other.
Rows twice(const BatchContext& b, Rows rows) {
  const int64_t n = b.type.dim.rows();
  auto* memory = b.scratch.allocate<float>(2 * n * b.element_count());
  for (float* half : {memory, memory + n}) b.k.copy(Rows{half, nullptr, 2 * n}, rows, b.element_count(), n);
  return {memory, nullptr, 2 * n};
}

void circular(const BatchContext& b, const Backward::Operand& to, Rows u, Rows w, bool backwards) {
  const int64_t n = b.type.dim.rows();
  b.parallel(
      b.element_count(), kCircularCost * static_cast<double>(n * n),
      [&](int64_t begin, int64_t end) {
        b.k.circular(to.rows.from(begin), u.from(begin), w.from(begin), backwards, end - begin, n, to.accumulate);
      },
      to.collides);
}

template <bool kConvolution>
void circular_forward(const Forward& b) {
  circular(b, {b.y_elements(), false, false}, b.x_elements(0), twice(b, b.x_elements(1)), kConvolution);
}

void circ_conv_backward(const Backward& b) {
  const Rows dy = twice(b, b.dy_elements());
  for (int side = 0; side < 2; ++side)
    if (b.wants(side)) circular(b, b.dx_elements(side), b.x_elements(1 - side), dy, false);
}

void circ_corr_backward(const Backward& b) {
  const Rows dy = b.dy_elements();
  if (b.wants(0)) circular(b, b.dx_elements(0), dy, twice(b, b.x_elements(1)), false);
  if (b.wants(1)) circular(b, b.dx_elements(1), b.x_elements(0), twice(b, dy), true);
}

}  // namespace

const OpDef op_trace_of_product = {.name = "trace_of_product",
                                   .shape = trace_of_product_shape,
                                   .forward = [](const Forward& b) { op_dot_product.forward(b); },
                                   .backward = [](const Backward& b) { op_dot_product.backward(b); }};

const OpDef op_inverse = {
    .name = "inverse", .shape = inverse_shape, .forward = inverse_forward, .backward = inverse_backward};

const OpDef op_logdet = {
    .name = "logdet", .shape = logdet_shape, .forward = logdet_forward, .backward = logdet_backward};

const OpDef op_circ_conv = {
    .name = "circ_conv", .shape = vectors_shape, .forward = circular_forward<true>, .backward = circ_conv_backward};

const OpDef op_circ_corr = {
    .name = "circ_corr", .shape = vectors_shape, .forward = circular_forward<false>, .backward = circ_corr_backward};

}  // namespace dynnet

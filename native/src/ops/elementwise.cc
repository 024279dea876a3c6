// Elementwise operations: the shape rules and batching of what ops/elementwise.h defines.
#include "ops/elementwise.h"

#include "ops/broadcast.h"
#include "ops/context.h"
#include "ops/pairs.h"

namespace dynnet {
namespace {

// Nanoseconds an element, roughly, for the choice of chunks.
constexpr double kCost = 0.3;

template <UnaryOp op, bool scalar>
void unary_forward(const Forward& b) {
  const float* scalars = scalar ? b.data_floats() : nullptr;
  const int64_t n = b.type.size;
  b.parallel(b.count, kCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.unary_forward(static_cast<int>(op), b.y.from(begin), b.x[0].from(begin), scalar ? scalars + begin : nullptr,
                      end - begin, n);
  });
}

template <UnaryOp op, bool scalar>
void unary_backward(const Backward& b) {
  const float* scalars = scalar ? b.data_floats() : nullptr;
  const int64_t n = b.type.size;
  const Backward::Operand dx = b.dx(0);
  b.parallel(
      b.count, kCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.unary_backward(static_cast<int>(op), dx.rows.from(begin), b.x[0].from(begin), b.y.from(begin),
                           b.dy.from(begin), scalar ? scalars + begin : nullptr, end - begin, n, dx.accumulate);
      },
      dx.collides);
}

constexpr const OpDef* after_affine(UnaryOp op) {
  switch (op) {
    case UnaryOp::kTanh:
      return &op_affine_tanh;
    case UnaryOp::kLogistic:
      return &op_affine_logistic;
    case UnaryOp::kRectify:
      return &op_affine_rectify;
    default:
      return nullptr;
  }
}

// A slope or factor that is not finite makes NaN of zeros; what is added or multiplied may be infinite.
void check_finite_number(const Checking& c) { check_finite(c, 0, "a factor"); }

constexpr bool wants_finite(UnaryOp op) {
  return op == UnaryOp::kElu || op == UnaryOp::kLeakyRectify || op == UnaryOp::kSilu;
}

template <UnaryOp op, bool scalar>
constexpr OpDef unary(const char* name) {
  return {.name = name,
          .shape = same_shape,
          .forward = unary_forward<op, scalar>,
          .backward = unary_backward<op, scalar>,
          .check = wants_finite(op) ? check_finite_number : nullptr,
          .data_words = scalar ? 1u : 0u,
          .after_affine = after_affine(op)};
}

// ---- to whole numbers: the gradient is 0, or passed through as if there were no rounding ----

bool passes_gradient(const Type& type) { return type.static_int(0) == DN_GRADIENT_STRAIGHT_THROUGH; }

void rounding_shape(Shaping& s) {
  check_gradient_mode(s, s.type.static_int(0));
  s.type.dim = s[0];
}

template <UnaryOp op>
void rounding_backward(const Backward& b) {
  if (passes_gradient(b.type)) return unary_backward<op, false>(b);
  const Backward::Operand dx = b.dx(0);
  if (!dx.accumulate) b.k.fill(dx.rows, 0, b.count, b.type.size);
}

template <UnaryOp op>
constexpr OpDef rounding(const char* name) {
  return {
      .name = name, .shape = rounding_shape, .forward = unary_forward<op, false>, .backward = rounding_backward<op>};
}

// ---- two operands ----

void binary_shape(Shaping& s) {
  s.type.dim = broadcast_dim(s, s[0], s[1]);
  s.type.broadcast = broadcast_loops(s.type.dim, s[0], s[1]);
}

template <BinaryOp op>
void binary_forward(const Forward& b) {
  b.parallel(b.count, kCost * static_cast<double>(b.type.size), [&](int64_t begin, int64_t end) {
    b.k.binary_forward(static_cast<int>(op), b.y.from(begin), b.x[0].from(begin), b.x[1].from(begin), end - begin,
                       b.type.broadcast);
  });
}

template <BinaryOp op>
void binary_backward(const Backward& b) {
  const auto number = static_cast<int>(op);
  const double cost = kCost * static_cast<double>(b.type.size);
  const auto one = [&](int side, Rows d, int64_t first, int64_t count, bool accumulate) {
    b.k.binary_backward(number, side, d, b.x[0].from(first), b.x[1].from(first), b.y.from(first), b.dy.from(first),
                        count, b.type.broadcast, b.type.operands[static_cast<size_t>(side)].total(), accumulate);
  };
  const auto of_side = [&](int side) { return b.dx(side); };
  if (b.type.broadcast.is_plain()) {
    const auto both = [&](Rows da, Rows db, int64_t first, int64_t count, bool accumulate) {
      b.k.binary_backward_both(number, da, db, b.x[0].from(first), b.x[1].from(first), b.y.from(first),
                               b.dy.from(first), count, b.type.size, accumulate);
    };
    backward_of_sides(b, b.count, b.type.size, cost, of_side, both, one);
    return;
  }
  for (int side = 0; side < 2; ++side) {
    if (!b.wants(side)) continue;
    const Backward::Operand dx = of_side(side);
    b.parallel(
        b.count, cost,
        [&](int64_t begin, int64_t end) { one(side, dx.rows.from(begin), begin, end - begin, dx.accumulate); },
        dx.collides);
  }
}

template <BinaryOp op>
constexpr OpDef binary(const char* name) {
  return {.name = name, .shape = binary_shape, .forward = binary_forward<op>, .backward = binary_backward<op>};
}

// A vector added to each column of a matrix: a sum whose shapes are checked more strictly.
void colwise_add_shape(Shaping& s) {
  const Dim& x = s[0];
  const Dim& bias = s[1];
  if (!x.is_matrix() || !bias.is_vector() || x.rows() != bias.rows())
    s.mismatch("expected a matrix {m, n} and a bias {m}, got %s and %s", x.text().c_str(), bias.text().c_str());
  common_batch(s, x.bd, bias.bd);
  binary_shape(s);
}

}  // namespace

#define DYNNET_UNARY_DEFINITION(type, name) \
  const OpDef op_##name = unary<UnaryOp::k##type, elementwise::type::kScalar>(#name);
DYNNET_FUNCTION_OPS(DYNNET_UNARY_DEFINITION)
#undef DYNNET_UNARY_DEFINITION

#define DYNNET_ROUNDING_DEFINITION(type, name) const OpDef op_##name = rounding<UnaryOp::k##type>(#name);
DYNNET_ROUNDING_OPS(DYNNET_ROUNDING_DEFINITION)
#undef DYNNET_ROUNDING_DEFINITION

#define DYNNET_BINARY_DEFINITION(type, name) const OpDef op_##name = binary<BinaryOp::k##type>(#name);
DYNNET_BINARY_OPS(DYNNET_BINARY_DEFINITION)
#undef DYNNET_BINARY_DEFINITION

const OpDef op_colwise_add = {.name = "colwise_add",
                              .shape = colwise_add_shape,
                              .forward = binary_forward<BinaryOp::kAdd>,
                              .backward = binary_backward<BinaryOp::kAdd>};

}  // namespace dynnet

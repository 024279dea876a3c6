// Elementwise operations: the shape rules and batching of what ops/elementwise.h defines.
#include "ops/elementwise.h"

#include <algorithm>

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

bool passes_gradient(const Type& type) { return type.static_int(0) == 1; }

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

// ---- sum and average: y = scale * (x1 + x2 + ...) ----

void sum_shape(Shaping& s) {
  if (s.count() == 0) s.bad_argument("no operands");
  s.type.dim = s[0];
  for (int i = 1; i < s.count(); ++i) s.type.dim = broadcast_dim(s, s.type.dim, s[i]);
}

// Whether no operand is broadcast.
bool all_of_one_shape(const Type& type) {
  return std::all_of(type.operands.begin(), type.operands.end(), [&](const Dim& d) { return d == type.dim; });
}

void add_broadcast(const Forward& b, Rows y, int64_t begin, int64_t end) {
  b.k.fill(y, 0, end - begin, b.type.size);
  for (size_t i = 0; i < b.type.operands.size(); ++i)
    b.k.binary_forward(static_cast<int>(BinaryOp::kAdd), y, y, b.x[i].from(begin), end - begin,
                       broadcast_loops(b.type.dim, b.type.dim, b.type.operands[i]));
}

template <bool average>
void sum_forward(const Forward& b) {
  const auto terms = static_cast<int64_t>(b.type.operands.size());
  const int64_t n = b.type.size;
  const float scale = average ? 1.0f / static_cast<float>(terms) : 1.0f;
  const double cost = kCost * static_cast<double>(n * terms);
  if (all_of_one_shape(b.type)) {
    // The operands of each node, side by side.
    float** lists = b.scratch.allocate<float*>(b.count * terms);
    b.parallel(b.count, cost, [&](int64_t begin, int64_t end) {
      for (int64_t node = begin; node < end; ++node) {
        float** list = lists + node * terms;
        for (int64_t i = 0; i < terms; ++i) list[i] = b.x[i].at(node);
        if (average)
          b.k.scaled_sum_rows(b.y.at(node), Rows{nullptr, list, 0}, scale, terms, n);
        else
          b.k.sum_rows(b.y.at(node), Rows{nullptr, list, 0}, terms, n, false);
      }
    });
    return;
  }
  auto* scales = b.scratch.allocate<float>(b.count);
  std::fill(scales, scales + b.count, scale);
  b.parallel(b.count, cost, [&](int64_t begin, int64_t end) {
    const Rows y = b.y.from(begin);
    add_broadcast(b, y, begin, end);
    if (average) b.k.unary_forward(static_cast<int>(UnaryOp::kMultiplyScalar), y, y, scales + begin, end - begin, n);
  });
}

// The gradients of operands that all have the result's shape, of each node in one pass. False, and nothing is done, if
// some are not wanted or there already.
bool sum_backward_of_all(const Backward& b, const Backward::Operand* dx, float scale) {
  const auto terms = static_cast<int64_t>(b.type.operands.size());
  for (int64_t i = 0; i < terms; ++i)
    if (!b.wants(static_cast<int>(i)) || dx[i].accumulate != dx[0].accumulate) return false;
  auto** list = b.scratch.allocate<float*>(terms);
  for (int64_t node = 0; node < b.count; ++node) {
    for (int64_t i = 0; i < terms; ++i) list[i] = dx[i].rows.at(node);
    b.k.add_to_rows(Rows{nullptr, list, 0}, b.dy.at(node), scale, terms, b.type.size, dx[0].accumulate);
  }
  return true;
}

template <bool average>
void sum_backward(const Backward& b) {
  const auto terms = static_cast<int>(b.type.operands.size());
  const int64_t n = b.type.size;
  const float scale = average ? 1.0f / static_cast<float>(terms) : 1.0f;
  auto* gradients = b.scratch.allocate<Backward::Operand>(terms);
  for (int i = 0; i < terms; ++i) gradients[i] = b.wants(i) ? b.dx(i) : Backward::Operand{};
  const bool one_shape = all_of_one_shape(b.type);
  if (one_shape && sum_backward_of_all(b, gradients, scale)) return;
  // What an operand gets that is broadcast: scaled once for all of them.
  Rows dy = b.dy;
  if (average && !one_shape) {
    dy = {b.scratch.allocate<float>(b.count * n), nullptr, n};
    b.k.fill(dy, 0, b.count, n);
    b.k.add(dy, b.dy, scale, b.count, n);
  }
  for (int i = 0; i < terms; ++i) {
    if (!b.wants(i)) continue;
    const Backward::Operand& dx = gradients[i];
    const Dim& dim = b.type.operands[static_cast<size_t>(i)];
    if (dim != b.type.dim) {
      // The gradient of one side of y = rest + x_i.
      b.k.binary_backward(static_cast<int>(BinaryOp::kAdd), 1, dx.rows, b.y, b.x[i], b.y, dy, b.count,
                          broadcast_loops(b.type.dim, b.type.dim, dim), dim.total(), dx.accumulate);
      continue;
    }
    if (!dx.accumulate && !average) {
      b.k.copy(dx.rows, b.dy, b.count, n);
      continue;
    }
    if (!dx.accumulate) b.k.fill(dx.rows, 0, b.count, n);
    b.k.add(dx.rows, b.dy, scale, b.count, n);
  }
}

template <bool average>
constexpr OpDef sum(const char* name) {
  return {.name = name, .shape = sum_shape, .forward = sum_forward<average>, .backward = sum_backward<average>};
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

const OpDef op_sum = sum<false>("sum");
const OpDef op_average = sum<true>("average");

}  // namespace dynnet

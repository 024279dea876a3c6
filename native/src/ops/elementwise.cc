// Elementwise operations: the shape rules and batching of what ops/elementwise.h defines.
#include "ops/elementwise.h"

#include <algorithm>

#include "ops/broadcast.h"
#include "ops/context.h"

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

template <UnaryOp op, bool scalar>
constexpr OpDef unary(const char* name) {
  return {.name = name,
          .shape = same_shape,
          .forward = unary_forward<op, scalar>,
          .backward = unary_backward<op, scalar>,
          .data_words = scalar ? 1u : 0u,
          .after_affine = after_affine(op)};
}

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
  for (int side = 0; side < 2; ++side) {
    if (!b.wants(side)) continue;
    const Backward::Operand dx = b.dx(side);
    b.parallel(
        b.count, kCost * static_cast<double>(b.type.size),
        [&](int64_t begin, int64_t end) {
          b.k.binary_backward(static_cast<int>(op), side, dx.rows.from(begin), b.x[0].from(begin), b.x[1].from(begin),
                              b.y.from(begin), b.dy.from(begin), end - begin, b.type.broadcast,
                              b.type.operands[static_cast<size_t>(side)].total(), dx.accumulate);
        },
        dx.collides);
  }
}

template <BinaryOp op>
constexpr OpDef binary(const char* name) {
  return {.name = name, .shape = binary_shape, .forward = binary_forward<op>, .backward = binary_backward<op>};
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
  const bool one_shape = all_of_one_shape(b.type);
  // The operands of each node, side by side.
  float** lists = one_shape ? b.scratch.allocate<float*>(b.count * terms) : nullptr;
  auto* scales = b.scratch.allocate<float>(b.count);
  std::fill(scales, scales + b.count, 1.0f / static_cast<float>(terms));
  b.parallel(b.count, kCost * static_cast<double>(n * terms), [&](int64_t begin, int64_t end) {
    const Rows y = b.y.from(begin);
    for (int64_t node = begin; one_shape && node < end; ++node) {
      float** list = lists + node * terms;
      for (int64_t i = 0; i < terms; ++i) list[i] = b.x[i].at(node);
      b.k.sum_rows(b.y.at(node), Rows{nullptr, list, 0}, terms, n, false);
    }
    if (!one_shape) add_broadcast(b, y, begin, end);
    if (average) b.k.unary_forward(static_cast<int>(UnaryOp::kMultiplyScalar), y, y, scales + begin, end - begin, n);
  });
}

template <bool average>
void sum_backward(const Backward& b) {
  const auto terms = static_cast<int>(b.type.operands.size());
  const int64_t n = b.type.size;
  Rows dy = b.dy;
  if (average) {
    dy = {b.scratch.allocate<float>(b.count * n), nullptr, n};
    b.k.fill(dy, 0, b.count, n);
    b.k.add(dy, b.dy, 1.0f / static_cast<float>(terms), b.count, n);
  }
  for (int i = 0; i < terms; ++i) {
    if (!b.wants(i)) continue;
    const Backward::Operand dx = b.dx(i);
    const Dim& dim = b.type.operands[static_cast<size_t>(i)];
    if (dim != b.type.dim) {
      // The gradient of one side of y = rest + x_i.
      b.k.binary_backward(static_cast<int>(BinaryOp::kAdd), 1, dx.rows, b.y, b.x[i], b.y, dy, b.count,
                          broadcast_loops(b.type.dim, b.type.dim, dim), dim.total(), dx.accumulate);
    } else if (dx.accumulate) {
      b.k.add(dx.rows, dy, 1, b.count, n);
    } else {
      b.k.copy(dx.rows, dy, b.count, n);
    }
  }
}

template <bool average>
constexpr OpDef sum(const char* name) {
  return {.name = name, .shape = sum_shape, .forward = sum_forward<average>, .backward = sum_backward<average>};
}

// ---- dropout: the mask is kept ----

void dropout_shape(Shaping& s) {
  const float rate = s.type.static_float(0);
  if (!(rate >= 0 && rate < 1)) s.bad_argument("a rate of %g, expected 0 or more and less than 1", rate);
  s.type.dim = s[0];
  s.type.aux = s[0].total();
}

void dropout_forward(const Forward& b) {
  const int64_t n = b.type.size;
  auto* rates = b.scratch.allocate<float>(b.count);
  std::fill(rates, rates + b.count, b.type.static_float(0));
  Broadcast loops;
  loops.size[0] = n;
  b.parallel(b.count, 3 * kCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.dropout_mask(b.aux.from(begin), b.keys + begin, rates + begin, end - begin, n);
    b.k.binary_forward(static_cast<int>(BinaryOp::kCmult), b.y.from(begin), b.x[0].from(begin), b.aux.from(begin),
                       end - begin, loops);
  });
}

void dropout_backward(const Backward& b) {
  const int64_t n = b.type.size;
  Broadcast loops;
  loops.size[0] = n;
  const Backward::Operand dx = b.dx(0);
  b.k.binary_backward(static_cast<int>(BinaryOp::kCmult), 0, dx.rows, b.x[0], b.aux, b.y, b.dy, b.count, loops, n,
                      dx.accumulate);
}

}  // namespace

#define DYNNET_UNARY_DEFINITION(type, name) \
  const OpDef op_##name = unary<UnaryOp::k##type, elementwise::type::kScalar>(#name);
DYNNET_UNARY_OPS(DYNNET_UNARY_DEFINITION)
#undef DYNNET_UNARY_DEFINITION

#define DYNNET_BINARY_DEFINITION(type, name) const OpDef op_##name = binary<BinaryOp::k##type>(#name);
DYNNET_BINARY_OPS(DYNNET_BINARY_DEFINITION)
#undef DYNNET_BINARY_DEFINITION

const OpDef op_sum = sum<false>("sum");
const OpDef op_average = sum<true>("average");

const OpDef op_dropout = {.name = "dropout",
                          .shape = dropout_shape,
                          .forward = dropout_forward,
                          .backward = dropout_backward,
                          .random = true};

}  // namespace dynnet

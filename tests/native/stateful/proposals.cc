// What a sequence records: leaves of all kinds, and operations on nodes that are there, most of which fit.
#include <algorithm>
#include <cmath>

#include "stateful/sequence.h"

namespace dynnet::stateful {
namespace {

// Results beyond this are not recorded: through many nodes they would lose all digits.
constexpr double kLargestValue = 4;

// Logarithms, roots, quotients and kinks are taken no closer to 0.
constexpr double kAwayFromZero = 0.05;

// Parameters are kept between -kWeight and kWeight.
constexpr double kWeight = 2;

Interval around_zero(double magnitude) { return {-magnitude, magnitude}; }

template <class F>
Interval rising(const Interval& x, F f) {
  return {f(x.low), f(x.high)};
}

Interval product(const Interval& a, const Interval& b) {
  const auto [low, high] = std::minmax({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
  return {low, high};
}

Interval hull(const Interval& a, const Interval& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

}  // namespace

// ------------------------------------------------------------------------------------------------------------ leaves

Node Sequence::input_leaf(int kind) {
  static const std::vector<Shape> shapes = {Shape({1}),    Shape({3}),      Shape({3}),    Shape({4}),
                                            Shape({4}),    Shape({3, 3}),   Shape({4, 3}), Shape({3, 2}),
                                            Shape({2, 3}), Shape({3, 1, 2})};
  Shape shape = shapes[static_cast<size_t>(below(static_cast<int>(shapes.size())))];
  if (chance(30)) shape.batch = 2 + below(2);
  if (kind == 0) {
    Node node{.op = "input", .shape = shape};
    const std::vector<float> values = numbers(shape.total());
    node.value.assign(values.begin(), values.end());
    return node;
  }
  if (kind == 1) return {.op = "input_scalar", .shape = Shape({1}), .value = {number()}};
  if (kind == 2) {
    bound_.push_back({.values = numbers(shape.total())});
    return {.op = "input_bound", .shape = shape, .bound = bound_.back().values.data()};
  }
  return {.op = "constant", .attributes = {.scalar = number()}, .shape = shape};
}

Node Sequence::weight_leaf(int kind) {
  static const char* const names[] = {"parameter",    "parameter",    "parameter",          "const_parameter", "lookup",
                                      "lookup_batch", "lookup_bound", "const_lookup_batch", "const_lookup"};
  Node node{.op = names[kind]};
  const bool table = kind > 3;
  do node.weight = below(static_cast<int>(weights_.size()));
  while ((weights_[static_cast<size_t>(node.weight)].rows != 0) != table);
  const Weight& weight = weights_[static_cast<size_t>(node.weight)];
  node.shape = weight.shape;
  if (!table) return node;
  const bool batch = node.op.ends_with("batch");
  node.attributes.indices = some_indices(batch ? 1 + below(3) : 1, weight.rows);
  node.shape.batch = static_cast<int64_t>(node.attributes.indices.size());
  if (node.op == "lookup_bound") {
    bound_.push_back({.index = node.attributes.indices[0], .rows = static_cast<int32_t>(weight.rows)});
    node.bound_index = &bound_.back().index;
    node.attributes.indices = {0};
  }
  return node;
}

Node Sequence::leaf() { return chance(45) ? input_leaf(below(4)) : weight_leaf(below(9)); }

// -------------------------------------------------------------------------------------------------------- operations

// A node of that shape up to the batch, or any if there is none.
int Sequence::some_of_shape(const Live& g, const Shape& shape) {
  std::vector<int> found;
  for (int i = 0; i < g.model.size(); ++i)
    if (g.model[i].shape.d == shape.d) found.push_back(i);
  return found.empty() ? some_node(g) : found[static_cast<size_t>(below(static_cast<int>(found.size())))];
}

// A node whose elements all are well above 0, or any if there is none.
int Sequence::some_positive(const Live& g) {
  std::vector<int> found;
  for (int i = 0; i < g.model.size(); ++i)
    if (g.intervals[static_cast<size_t>(i)].low >= kAwayFromZero) found.push_back(i);
  return found.empty() ? some_node(g) : found[static_cast<size_t>(below(static_cast<int>(found.size())))];
}

Node Sequence::operation(Live& g) {
  static const char* const unary[] = {"negate", "tanh", "logistic",  "rectify",     "exp",       "log",
                                      "square", "sqrt", "sum_elems", "sum_batches", "transpose", "log_softmax"};
  static const char* const binary[] = {"add", "subtract", "cmult", "cdiv", "dot_product", "squared_distance"};
  static const char* const variadic[] = {"sum", "average", "concatenate_to_batch", "concatenate_cols", "concatenate"};
  Node node;
  const int x = some_node(g);
  const Shape shape = g.model[x].shape;
  auto index_of = [&](int dim) {
    return static_cast<int32_t>(below(static_cast<int>(shape.d[static_cast<size_t>(dim)])));
  };
  switch (below(15)) {
    case 0:
    case 1:
    case 2:
      node = {.op = unary[below(12)], .operands = {x}};
      break;
    case 3:
    case 4:
      node = {.op = binary[below(6)], .operands = {x, chance(80) ? some_of_shape(g, shape) : some_node(g)}};
      if (chance(20)) std::swap(node.operands[0], node.operands[1]);
      break;
    case 5:
      node = {.op = variadic[below(5)], .operands = {x}};
      for (int more = below(4); more > 0; --more) node.operands.push_back(some_of_shape(g, shape));
      if (node.op == "concatenate") node.attributes.dim = below(2);
      break;
    case 6:
    case 7:
      node = {.op = "multiply", .operands = {some_of_shape(g, Shape({chance(50) ? 4 : 3, shape.d[0]})), x}};
      break;
    case 8: {
      const int w = some_of_shape(g, Shape({4, 3}));
      node = {.op = "affine_transform", .operands = {some_of_shape(g, Shape({4})), w, some_of_shape(g, Shape({3}))}};
      for (int more = below(3); more > 0; --more) {
        node.operands.push_back(chance(70) ? w : some_of_shape(g, Shape({4, 3})));
        node.operands.push_back(some_of_shape(g, Shape({3})));
      }
      break;
    }
    case 9:
      node = {
          .op = chance(50) ? "add_scalar" : "multiply_scalar", .operands = {x}, .attributes = {.scalar = number() * 2}};
      break;
    case 10:
      // What needs operands away from 0.
      node = {.op = chance(60) ? "dropout" : "rectify", .operands = {some_positive(g)}, .attributes = {.scalar = 0.5}};
      if (chance(30)) node = {.op = chance(50) ? "log" : "sqrt", .operands = {some_positive(g)}};
      if (chance(30)) node = {.op = "cdiv", .operands = {x, some_positive(g)}};
      break;
    case 11: {
      const int dim = below(2);
      const int32_t start = index_of(dim);
      node = {
          .op = "pick_range", .operands = {x}, .attributes = {.dim = dim, .start = start, .end = start + 1 + below(2)}};
      if (chance(50)) node = {.op = "pick", .operands = {x}, .attributes = {.indices = {index_of(dim)}, .dim = dim}};
      if (chance(30)) {
        node = {.op = "pick_batch", .operands = {x}, .attributes = {.dim = dim}};
        const auto batch = static_cast<int>(shape.batch == 1 ? 1 + below(3) : shape.batch);
        for (int i = 0; i < batch; ++i) node.attributes.indices.push_back(index_of(dim));
      }
      break;
    }
    case 12: {
      Shape other = shape;
      std::swap(other.d[0], other.d[chance(50) ? 1 : 2]);
      node = {.op = "reshape", .operands = {x}, .attributes = {.shape = other}};
      if (chance(30)) node = {.op = "softmax", .operands = {x}, .attributes = {.dim = below(2)}};
      break;
    }
    case 13:
      node = {.op = "pick_neg_log_softmax", .operands = {x}, .attributes = {.indices = {index_of(0)}}};
      if (chance(40)) {
        node.op = "pick_neg_log_softmax_batch";
        for (int64_t i = 1; i < shape.batch; ++i) node.attributes.indices.push_back(index_of(0));
      } else if (chance(30)) {
        // A margin that no two elements are apart, so that no gradient has a kink.
        node.op = "hinge";
        node.attributes.scalar = 2 * kLargestValue + 1;
      }
      break;
    default: {
      const int h = some_of_shape(g, Shape({1}));
      node = {.op = "vanilla_lstm_gates",
              .operands = {some_of_shape(g, Shape({3})), h, some_of_shape(g, Shape({4, 3})),
                           some_of_shape(g, Shape({4})), some_of_shape(g, Shape({4}))}};
      if (chance(60)) node = {.op = chance(50) ? "vanilla_lstm_c" : "vanilla_lstm_h", .operands = {h, x}};
      break;
    }
  }
  return node;
}

// What the elements of a result lie between, given that its operands fit; nothing if it is not to be recorded.
std::optional<Interval> Sequence::interval_of(const Live& g, const Node& node) const {
  const std::string_view op = node.op;
  if (node.weight >= 0) return around_zero(kWeight);
  if (node.operands.empty()) return around_zero(1);
  auto of = [&](size_t i) { return g.intervals[static_cast<size_t>(node.operands[i])]; };
  auto elements = [&](size_t i) { return static_cast<double>(g.model[node.operands[i]].shape.size()); };
  auto columns = [&](size_t i) { return static_cast<double>(g.model[node.operands[i]].shape.d[1]); };
  const Interval x = of(0);
  Interval y = x;
  if (op == "negate") y = {-x.high, -x.low};
  if (op == "tanh") y = rising(x, [](double v) { return std::tanh(v); });
  if (op == "logistic") y = rising(x, [](double v) { return 1 / (1 + std::exp(-v)); });
  if (op == "exp") y = rising(x, [](double v) { return std::exp(v); });
  if (op == "add_scalar") y = rising(x, [&](double v) { return v + node.attributes.scalar; });
  if (op == "multiply_scalar") y = product(x, {node.attributes.scalar, node.attributes.scalar});
  if (op == "rectify") {
    if (x.low < kAwayFromZero && x.high > -kAwayFromZero) return std::nullopt;
    y = rising(x, [](double v) { return std::max(v, 0.0); });
  }
  if (op == "log" || op == "sqrt") {
    if (x.low < kAwayFromZero) return std::nullopt;
    y = rising(x, [&](double v) { return op == "log" ? std::log(v) : std::sqrt(v); });
  }
  if (op == "square") {
    const double least = x.low > 0 ? x.low : x.high < 0 ? -x.high : 0;
    y = {least * least, x.magnitude() * x.magnitude()};
  }
  if (op == "sum_elems") y = {x.low * elements(0), x.high * elements(0)};
  if (op == "sum_batches") {
    const auto batch = static_cast<double>(g.model[node.operands[0]].shape.batch);
    y = {x.low * batch, x.high * batch};
  }
  if (op == "dropout") {
    // An element that is 0 would hide whether it was dropped.
    if (x.low < kAwayFromZero && x.high > -kAwayFromZero) return std::nullopt;
    y = hull({0, 0}, {x.low * 2, x.high * 2});
  }
  if (op == "softmax" || op == "vanilla_lstm_gates") y = {-1, 1};
  if (op == "log_softmax") y = {-2 * x.magnitude() - std::log(elements(0)), 0};
  if (op == "pick_neg_log_softmax" || op == "pick_neg_log_softmax_batch")
    y = {0, 2 * x.magnitude() + std::log(elements(0))};
  // Losses may be large: little more is computed from them.
  if (op == "hinge") return Interval{0, elements(0) * (2 * x.magnitude() + node.attributes.scalar)};
  if (op == "add") y = {x.low + of(1).low, x.high + of(1).high};
  if (op == "subtract") y = {x.low - of(1).high, x.high - of(1).low};
  if (op == "cmult") y = product(x, of(1));
  if (op == "cdiv") {
    if (of(1).low < kAwayFromZero) return std::nullopt;
    y = product(x, {1 / of(1).high, 1 / of(1).low});
  }
  if (op == "dot_product") y = around_zero(x.magnitude() * of(1).magnitude() * elements(0));
  if (op == "squared_distance") y = {0, std::pow(x.magnitude() + of(1).magnitude(), 2) * elements(0)};
  if (op == "multiply") y = around_zero(x.magnitude() * of(1).magnitude() * columns(0));
  if (op == "vanilla_lstm_c") y = around_zero((x.magnitude() + of(1).magnitude()) * of(1).magnitude());
  if (op == "vanilla_lstm_h") y = around_zero(of(1).magnitude());
  if (op == "affine_transform") {
    double sum = x.magnitude();
    for (size_t i = 1; i + 1 < node.operands.size(); i += 2)
      sum += of(i).magnitude() * of(i + 1).magnitude() * columns(i);
    y = around_zero(sum);
  }
  if (op == "sum" || op == "average") {
    for (size_t i = 1; i < node.operands.size(); ++i) y = {y.low + of(i).low, y.high + of(i).high};
    const auto count = static_cast<double>(node.operands.size());
    if (op == "average") y = {y.low / count, y.high / count};
  }
  if (op.starts_with("concatenate"))
    for (size_t i = 1; i < node.operands.size(); ++i) y = hull(y, of(i));
  // The sum of a product may be larger, if something bounded follows.
  const bool is_product = op == "multiply" || op == "affine_transform" || op == "dot_product";
  if (y.magnitude() > (is_product ? 8 * kLargestValue : kLargestValue)) return std::nullopt;
  return y;
}

}  // namespace dynnet::stateful

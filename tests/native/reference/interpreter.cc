#include "reference/interpreter.h"

#include <cmath>
#include <limits>
#include <unordered_map>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

double at(const std::vector<const Numbers*>& x, Element e) {
  return e.operand < 0 ? 1.0 : (*x[static_cast<size_t>(e.operand)])[static_cast<size_t>(e.at)];
}

}  // namespace

const Rule* find_rule(std::string_view name) {
  static const auto rules = [] {
    std::unordered_map<std::string_view, const Rule*> by_name;
    for (const auto* family : {&kPolynomials, &kElementwise, &kNoise, &kSlices, &kGradients, &kReductions, &kDistances,
                               &kLosses, &kMatrices, &kConvolutions, &kAttention})
      for (const Rule& rule : *family) by_name[rule.name] = &rule;
    return by_name;
  }();
  const auto found = rules.find(name);
  return found == rules.end() ? nullptr : found->second;
}

void Rule::apply(const Context& context) const {
  if (terms == nullptr) return forward(context);
  terms(context, [&](int64_t to, double factor, Element a, Element b) {
    context.y[static_cast<size_t>(to)] += factor * at(context.x, a) * at(context.x, b);
  });
}

void Rule::differentiate(const Context& context) const {
  if (terms == nullptr) return backward(context);
  terms(context, [&](int64_t to, double factor, Element a, Element b) {
    const double dy = context.dy[static_cast<size_t>(to)] * factor;
    auto add = [&](Element e, Element other) {
      if (e.operand >= 0)
        (*context.dx[static_cast<size_t>(e.operand)])[static_cast<size_t>(e.at)] += dy * at(context.x, other);
    };
    add(a, b);
    add(b, a);
  });
}

Shape::Shape(std::initializer_list<int64_t> sizes, int64_t batch_size) : batch(batch_size) {
  size_t i = 0;
  for (const int64_t n : sizes) d.at(i++) = n;
}

Shape::Shape(const dn_dim& dim) : batch(dim.bd) {
  for (uint32_t i = 0; i < dim.nd; ++i) d.at(i) = dim.d[i];
}

int64_t Shape::size() const {
  int64_t product = 1;
  for (const int64_t n : d) product *= n;
  return product;
}

std::string Shape::text() const {
  std::string text;
  size_t last = DN_MAX_DIMS;
  while (last > 1 && d[last - 1] == 1) --last;
  for (size_t i = 0; i < last; ++i) text += (i == 0 ? "{" : ",") + std::to_string(d[i]);
  return text + "}X" + std::to_string(batch);
}

int Graph::add_node(Node node) {
  nodes_.push_back(std::move(node));
  return count() - 1;
}

int Graph::input(const Shape& shape, Numbers values) {
  if (static_cast<int64_t>(values.size()) != shape.total()) throw Rejected("input: another number of values");
  return add_node({.shape = shape, .leaf = Leaf::kInput, .given = std::move(values)});
}

int Graph::input_bound(const Shape& shape, const float* values) {
  return add_node({.shape = shape, .leaf = Leaf::kInput, .memory = values});
}

int Graph::constant(const Shape& shape, double value) {
  return input(shape, Numbers(static_cast<size_t>(shape.total()), value));
}

int Graph::parameter(int id, const Shape& shape, const float* values, bool constant) {
  for (int i = 0; i < count(); ++i) {
    const Node& node = nodes_[static_cast<size_t>(i)];
    if (node.leaf == Leaf::kParameter && node.id == id && node.constant == constant) return i;
  }
  return add_node({.shape = shape, .leaf = Leaf::kParameter, .id = id, .constant = constant, .memory = values});
}

int Graph::lookup(int id, const Shape& row, int64_t rows, const float* table, Indices indices, bool constant) {
  if (indices.empty()) throw Rejected("lookup: no indices");
  for (const int32_t index : indices)
    if (index < 0 || index >= rows) throw Rejected("lookup: no such row");
  Node node{.shape = row, .leaf = Leaf::kLookup, .id = id, .constant = constant, .rows = rows, .memory = table};
  node.shape.batch = static_cast<int64_t>(indices.size());
  node.attributes.indices = std::move(indices);
  return add_node(std::move(node));
}

int Graph::lookup_bound(int id, const Shape& row, int64_t rows, const float* table, const int32_t* index) {
  const int node = lookup(id, row, rows, table, {0});
  nodes_.back().index = index;
  return node;
}

int Graph::lookup_table(int id, const Shape& row, int64_t rows, const float* table, bool constant) {
  for (int i = 0; i < count(); ++i) {
    const Node& node = nodes_[static_cast<size_t>(i)];
    if (node.leaf == Leaf::kTable && node.id == id && node.constant == constant) return i;
  }
  size_t last = DN_MAX_DIMS;
  while (last > 1 && row.d[last - 1] == 1) --last;
  if (last == DN_MAX_DIMS) throw Rejected("lookup_table: no dimension for the rows");
  Node node{.shape = row, .leaf = Leaf::kTable, .id = id, .constant = constant, .rows = rows, .memory = table};
  node.shape.d[last] = rows;
  for (int64_t i = 0; i < rows; ++i) node.attributes.indices.push_back(static_cast<int32_t>(i));
  return add_node(std::move(node));
}

int Graph::apply(std::string_view op, const std::vector<int>& operands, const Attributes& attributes) {
  if (const Rule* rule = find_rule(op)) return add_rule(*rule, operands, attributes);
  const int before = count();
  try {
    const int composed = compose(op, operands);
    if (composed >= 0) return composed;
  } catch (const Rejected&) {
    truncate(before);
    throw;
  }
  throw std::logic_error("the interpreter has no operation " + std::string(op));
}

int Graph::add_rule(const Rule& rule, const std::vector<int>& operands, const Attributes& attributes) {
  Signature signature{{}, attributes};
  for (const int operand : operands) signature.x.push_back(shape(operand));
  const Shape result = rule.shape(signature);
  return add_node({.rule = &rule, .operands = operands, .attributes = attributes, .shape = result});
}

int Graph::compose(std::string_view op, const std::vector<int>& x) {
  const Attributes none;
  Signature s{{}, none};
  for (const int operand : x) s.x.push_back(shape(operand));
  auto expect_vectors = [&](int64_t n, std::initializer_list<int64_t> sizes) {
    size_t i = 0;
    for (const int64_t size : sizes) {
      require(s.x.at(i).is_vector() && s.x[i].size() == size * n, s, "not the sizes of this cell");
      ++i;
    }
  };
  auto part = [&](int of, int64_t number, int64_t n) {
    return apply("pick_range", {of},
                 {.start = static_cast<int32_t>(number * n), .end = static_cast<int32_t>((number + 1) * n)});
  };

  if (op == "squared_distance") {
    pair_to_scalar(s);
    return sum_elems(square(subtract(x[0], x[1])));
  }
  if (op == "squared_norm") return sum_elems(square(x[0]));
  if (op == "layer_norm") {
    require(s.x.at(1).d == s.x.at(0).d && s.x.at(2).d == s.x[0].d, s, "a gain or bias of another shape");
    const int center = subtract(x[0], apply("mean_elems", {x[0]}));
    const int deviation = apply("add_scalar", {apply("std_elems", {x[0]})}, {.scalar = 1e-8});
    return add(cmult(x[1], apply("cdiv", {center, deviation})), x[2]);
  }
  if (op == "weight_norm") {
    require(s.x.at(1).size() == 1, s, "a gain of several elements");
    return cmult(x[0], apply("cdiv", {x[1], apply("l2_norm", {x[0]})}));
  }
  if (op == "binary_log_loss") {
    pair_to_scalar(s);
    auto complement = [&](int of) { return apply("add_scalar", {apply("negate", {of})}, {.scalar = 1}); };
    // The smallest normal float, and what a float near 1 can be less than it.
    const int yes = cmult(x[1], apply("bounded_log", {x[0]}, {.scalar = std::ldexp(1.0, -126)}));
    const int no = cmult(complement(x[1]), apply("bounded_log", {complement(x[0])}, {.scalar = std::ldexp(1.0, -23)}));
    return apply("negate", {sum_elems(add(yes, no))});
  }
  if (op == "contract3d_1d_1d" || op == "contract3d_1d_1d_bias") {
    require(s.x.at(2).is_vector(), s, "no vector");
    const int y = apply("multiply", {apply("contract3d_1d", {x[0], x[1]}), x[2]});
    if (op == "contract3d_1d_1d") return y;
    require(s.x.at(3).d == shape(y).d, s, "a bias that does not fit");
    return add(y, x[3]);
  }
  if (op == "vanilla_lstm_gates") {
    const int64_t n = s.x[1].size();
    expect_vectors(1, {s.x[0].size(), n});
    require(s.x[2] == Shape({4 * n, s.x[0].size()}) && s.x[3] == Shape({4 * n, n}) && s.x[4] == Shape({4 * n}), s,
            "weights that do not fit x and h");
    const int sums = affine_transform({x[4], x[2], x[0], x[3], x[1]});
    const int forget = apply("add_scalar", {part(sums, 1, n)}, {.scalar = 1});
    return concatenate(
        {logistic(part(sums, 0, n)), logistic(forget), logistic(part(sums, 2, n)), tanh(part(sums, 3, n))});
  }
  if (op == "vanilla_lstm_c") {
    const int64_t n = s.x[0].size();
    expect_vectors(n, {1, 4});
    return add(cmult(part(x[1], 1, n), x[0]), cmult(part(x[1], 0, n), part(x[1], 3, n)));
  }
  if (op == "vanilla_lstm_h") {
    const int64_t n = s.x[0].size();
    expect_vectors(n, {1, 4});
    return cmult(part(x[1], 2, n), tanh(x[0]));
  }
  if (op == "tree_lstm_c") {
    require(x.size() % 2 == 1 && s.x[0].size() % 3 == 0, s, "expected [i; o; u], then pairs");
    const int64_t n = s.x[0].size() / 3;
    expect_vectors(n, {3});
    std::vector<int> terms{cmult(logistic(part(x[0], 0, n)), tanh(part(x[0], 2, n)))};
    for (size_t i = 1; i < x.size(); i += 2) {
      for (const size_t j : {i, i + 1}) require(s.x[j].is_vector() && s.x[j].size() == n, s, "a child of another size");
      terms.push_back(cmult(logistic(x[i]), x[i + 1]));
    }
    return sum(terms);
  }
  if (op == "tree_lstm_h") {
    const int64_t n = s.x[1].size();
    expect_vectors(n, {3, 1});
    return cmult(logistic(part(x[0], 1, n)), tanh(x[1]));
  }
  return -1;
}

void Graph::truncate(int count) { nodes_.erase(nodes_.begin() + count, nodes_.end()); }

void Graph::forget() {
  for (Node& node : nodes_) node.evaluated = false;
}

void Graph::set_input(int node, Numbers values) { nodes_.at(static_cast<size_t>(node)).given = std::move(values); }

void Graph::set_indices(int node, Indices indices) {
  nodes_.at(static_cast<size_t>(node)).attributes.indices = std::move(indices);
}

void Graph::set_mask(int node, Numbers mask) { nodes_.at(static_cast<size_t>(node)).attributes.mask = std::move(mask); }

void Graph::evaluate_leaf(Node& node) {
  if (!node.given.empty()) {
    node.value = node.given;
    return;
  }
  const auto total = static_cast<size_t>(node.shape.total());
  if (node.leaf != Leaf::kLookup) {
    node.value.assign(node.memory, node.memory + total);
    return;
  }
  if (node.index != nullptr) node.attributes.indices = {*node.index};
  const int64_t n = node.shape.size();
  node.value.clear();
  for (const int32_t row : node.attributes.indices) {
    if (row < 0 || row >= node.rows) throw Rejected("lookup: no such row");
    node.value.insert(node.value.end(), node.memory + row * n, node.memory + (row + 1) * n);
  }
}

namespace {

// The context of a node's rule; `nodes` is a Graph's own list.
template <class Nodes, class Node>
Context context_of(Nodes& nodes, Node& node) {
  Context context{{}, node.shape, node.attributes, {}, node.value, node.gradient, {}};
  for (const int operand : node.operands) {
    Node& x = nodes[static_cast<size_t>(operand)];
    context.x_shapes.push_back(x.shape);
    context.x.push_back(&x.value);
    context.dx.push_back(&x.gradient);
  }
  return context;
}

}  // namespace

void Graph::evaluate(Node& node) {
  if (node.leaf != Leaf::kNone) return evaluate_leaf(node);
  node.value.assign(static_cast<size_t>(node.shape.total()), 0);
  node.rule->apply(context_of(nodes_, node));
  add_noise(node.value);
}

void Graph::disturb(double relative, uint64_t seed) {
  disturbed_ = true;
  noise_ = relative;
  noise_state_ = seed;
}

void Graph::add_noise(Numbers& values) {
  if (!disturbed_) return;
  for (double& value : values) {
    // Knuth's MMIX generator; its upper half is random enough.
    noise_state_ = noise_state_ * 6364136223846793005u + 1442695040888963407u;
    value *= 1 + noise_ * (static_cast<double>(noise_state_ >> 32) * 0x1p-31 - 1);
    // What is smaller than a normal float is 0, as in the engine.
    const auto rounded = static_cast<float>(value);
    value = std::abs(rounded) < std::numeric_limits<float>::min() ? 0 : static_cast<double>(rounded);
  }
}

const Numbers& Graph::value(int node) {
  for (int i = 0; i <= node; ++i) {
    Node& each = nodes_.at(static_cast<size_t>(i));
    if (each.evaluated) continue;
    evaluate(each);
    each.evaluated = true;
  }
  return nodes_[static_cast<size_t>(node)].value;
}

void Graph::backward(int node) {
  value(node);
  if (shape(node).total() != 1) throw Rejected("backward: not one element");
  for (Node& each : nodes_) each.gradient.assign(static_cast<size_t>(each.shape.total()), 0);
  nodes_[static_cast<size_t>(node)].gradient[0] = 1;
  for (int i = node; i >= 0; --i) {
    Node& each = nodes_[static_cast<size_t>(i)];
    if (each.leaf != Leaf::kNone) continue;
    add_noise(each.gradient);
    each.rule->differentiate(context_of(nodes_, each));
  }
}

Numbers Graph::parameter_gradient(int id, int64_t elements) const {
  for (const Node& node : nodes_)
    if (node.leaf == Leaf::kParameter && node.id == id && !node.constant) return node.gradient;
  return Numbers(static_cast<size_t>(elements), 0);
}

std::map<std::pair<int, int>, Numbers> Graph::row_gradients() const {
  std::map<std::pair<int, int>, Numbers> rows;
  for (const Node& node : nodes_) {
    const bool reads_rows = node.leaf == Leaf::kLookup || node.leaf == Leaf::kTable;
    if (!reads_rows || node.constant || node.gradient.empty()) continue;
    const size_t n = node.gradient.size() / node.attributes.indices.size();
    for (size_t b = 0; b < node.attributes.indices.size(); ++b) {
      Numbers& row = rows[{node.id, node.attributes.indices[b]}];
      row.resize(n, 0);
      for (size_t i = 0; i < n; ++i) row[i] += node.gradient[b * n + i];
    }
  }
  return rows;
}

}  // namespace dynnet::reference

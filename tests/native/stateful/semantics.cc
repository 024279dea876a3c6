#include "stateful/semantics.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dynnet::stateful {
namespace {

bool is_parameter(std::string_view op) { return op == "parameter" || op == "const_parameter"; }
bool is_input(std::string_view op) { return op == "input" || op == "input_scalar" || op == "input_bound"; }
bool is_lookup(std::string_view op) { return op.find("lookup") != std::string_view::npos; }
bool has_rule(const Node& node) { return node.weight < 0 && !is_input(node.op) && node.op != "constant"; }

// A node alone: its operands as inputs of a graph of the interpreter's.
struct Alone {
  reference::Graph graph;
  std::vector<int> operands;
  int result = -1;
};

void add_up(Numbers& to, const Numbers& from) {
  to.resize(from.size(), 0);
  for (size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

uint64_t mixed(uint64_t origin, uint64_t number) {
  origin ^= number + 0x9e3779b97f4a7c15u;
  origin *= 0xff51afd7ed558ccdu;
  return origin ^ origin >> 32;
}

// ---------------------------------------------------------------------------------------------------------- gradients

void Gradients::add(int parameter, const Numbers& gradient) { add_up(parameters[parameter], gradient); }

void Gradients::add_row(int table, int row, const double* gradient, int64_t n) {
  add_up(rows[{table, row}], Numbers(gradient, gradient + n));
}

void Gradients::merge(Gradients& other) {
  for (const auto& [parameter, gradient] : other.parameters) add(parameter, gradient);
  for (const auto& [row, gradient] : other.rows) add_up(rows[row], gradient);
  other.clear();
}

void Gradients::clear() {
  parameters.clear();
  rows.clear();
}

// ---------------------------------------------------------------------------------------------------------- recording

int Graph::find_parameter(std::string_view op, int weight) const {
  for (int i = 0; i < size(); ++i)
    if ((*this)[i].op == op && (*this)[i].weight == weight) return i;
  return -1;
}

std::optional<Shape> Graph::shape_of(const Node& node) const {
  try {
    Alone alone;
    for (const int operand : node.operands) {
      const Shape& shape = (*this)[operand].shape;
      alone.operands.push_back(alone.graph.input(shape, Numbers(static_cast<size_t>(shape.total()), 0)));
    }
    return alone.graph.shape(alone.graph.apply(node.op, alone.operands, node.attributes));
  } catch (const reference::Rejected&) {
    return std::nullopt;
  }
}

dn_status Graph::record(Node node) {
  node.given = is_parameter(node.op) || is_input(node.op);
  node.has_value = node.given && node.bound == nullptr;
  node.was_read = node.bound == nullptr && node.bound_index == nullptr;
  node.trained = node.weight >= 0 && node.op.find("const") == std::string_view::npos;
  for (const int operand : node.operands) node.trained |= (*this)[operand].trained;
  node.reverts = reverts_;
  nodes_.push_back(std::move(node));
  if (nodes_.back().has_value) nodes_.back().origin = origin_of(nodes_.back(), size() - 1);
  if (!immediate) return DN_OK;
  const dn_status status = incremental_forward(size() - 1);
  if (status != DN_OK) nodes_.pop_back();
  return status;
}

void Graph::renew() {
  nodes_.clear();
  checkpoints_.clear();
  computed_ = forwards_ = reverts_ = 0;
  ++renewals_;
  differentiated_ = -1;
}

void Graph::checkpoint() { checkpoints_.push_back({size(), computed_, forwards_}); }

dn_status Graph::revert() {
  if (checkpoints_.empty()) return DN_E_STATE;
  const Checkpoint then = checkpoints_.back();
  checkpoints_.pop_back();
  nodes_.resize(static_cast<size_t>(then.nodes));
  // What was computed since is computed again when asked for, from what it was computed from: bound memory is not read
  // again. A forward since computed all.
  computed_ = forwards_ == then.forwards ? std::min(computed_, then.computed) : 0;
  drop(computed_, then.nodes);
  ++reverts_;
  differentiated_ = -1;
  return DN_OK;
}

void Graph::drop(int begin, int end) {
  for (int i = begin; i < end; ++i)
    if (!at(i).given) at(i).has_value = false;
}

// ---------------------------------------------------------------------------------------------------------- computing

bool Graph::index_is_bad(const Node& node) const {
  if (node.bound_index == nullptr) return false;
  return *node.bound_index < 0 || *node.bound_index >= weights_[static_cast<size_t>(node.weight)].rows;
}

void Graph::read(Node& node) {
  if (node.bound != nullptr) node.value.assign(node.bound, node.bound + node.shape.total());
  if (node.bound_index != nullptr) node.attributes.indices = {*node.bound_index};
}

dn_status Graph::forward(int node) {
  const int end = std::max(node + 1, computed_);
  for (int i = 0; i < end; ++i)
    if (index_is_bad(at(i))) return DN_E_INDEX;
  drop(0, computed_);
  computed_ = 0;
  ++forwards_;
  for (Node& each : nodes_) {
    if (each.bound != nullptr) each.has_value = false;
    each.was_read = each.bound == nullptr && each.bound_index == nullptr;
  }
  for (int i = 0; i < end; ++i) {
    Node& each = at(i);
    if (each.pending) each.value = *std::exchange(each.pending, std::nullopt);
    if (each.pending_indices) each.attributes.indices = *std::exchange(each.pending_indices, std::nullopt);
    if (each.given) each.origin = origin_of(each, i);
  }
  return compute(end);
}

dn_status Graph::incremental_forward(int node) {
  if (node < computed_ || has_value(node)) return DN_OK;
  return compute(node + 1);
}

dn_status Graph::compute(int end) {
  for (int i = 0; i < end; ++i)
    if (!at(i).was_read && index_is_bad(at(i))) return DN_E_INDEX;
  if (engine_failed != DN_OK) {
    // A failed computation leaves no new values; what is bound is read again at the next.
    for (int i = computed_; i < end; ++i)
      if (at(i).bound != nullptr && !at(i).was_read) at(i).has_value = false;
    return engine_failed;
  }
  for (int i = 0; i < end; ++i) {
    Node& node = at(i);
    if (!node.was_read) {
      read(node);
      node.was_read = true;
      if (node.given) {
        node.has_value = true;
        node.origin = origin_of(node, i);
      }
    }
    if (i < computed_) continue;
    if (node.weight >= 0) node.version = weights_[static_cast<size_t>(node.weight)].version;
    if (!node.has_value) evaluate(i);
  }
  computed_ = end;
  return DN_OK;
}

const Numbers& Graph::value(int node) {
  Node& n = at(node);
  if (is_parameter(n.op)) {
    const std::vector<float>& now = weights_[static_cast<size_t>(n.weight)].values;
    n.value.assign(now.begin(), now.end());
    n.origin = origin_of(n, node);
  }
  return n.value;
}

void Graph::evaluate(int number) {
  Node& node = at(number);
  node.has_value = true;
  node.unsure = false;
  for (const int operand : node.operands) {
    value(operand);
    node.unsure |= (*this)[operand].unsure;
  }
  node.origin = origin_of(node, number);
  if (node.op == "constant") {
    node.value.assign(static_cast<size_t>(node.shape.total()), static_cast<float>(node.attributes.scalar));
    return;
  }
  if (is_lookup(node.op)) {
    const Weight& table = weights_[static_cast<size_t>(node.weight)];
    node.value.clear();
    for (const int32_t row : node.attributes.indices) {
      const auto begin = table.values.begin() + row * table.row_size();
      node.value.insert(node.value.end(), begin, begin + table.row_size());
    }
    return;
  }
  if (node.op == "dropout") node.attributes.mask = draws_(node);
  Alone alone;
  for (const int operand : node.operands)
    alone.operands.push_back(alone.graph.input((*this)[operand].shape, value(operand)));
  node.value = alone.graph.value(alone.graph.apply(node.op, alone.operands, node.attributes));
}

uint64_t Graph::origin_of(const Node& node, int number) const {
  uint64_t origin = std::hash<std::string_view>()(node.op);
  const Attributes& a = node.attributes;
  for (const int64_t size : node.shape.d) origin = mixed(origin, static_cast<uint64_t>(size));
  origin = mixed(origin, static_cast<uint64_t>(node.shape.batch));
  origin = mixed(origin, std::bit_cast<uint64_t>(a.scalar));
  for (const int32_t index : a.indices) origin = mixed(origin, static_cast<uint64_t>(index));
  for (const int32_t word : {a.dim, a.start, a.end}) origin = mixed(origin, static_cast<uint64_t>(word));
  for (const int operand : node.operands) origin = mixed(origin, (*this)[operand].origin);
  if (is_input(node.op))
    for (const double x : node.value) origin = mixed(origin, std::bit_cast<uint64_t>(x));
  if (node.weight >= 0) {
    origin = mixed(origin, static_cast<uint64_t>(node.weight));
    origin = mixed(origin, static_cast<uint64_t>(weights_[static_cast<size_t>(node.weight)].version));
  }
  if (node.op == "dropout")
    for (const int word : {number_, renewals_, node.reverts, number, forwards_})
      origin = mixed(origin, static_cast<uint64_t>(word));
  return origin;
}

// ------------------------------------------------------------------------------------------------------------ weights

bool Graph::shows_parameter(int node, int weight) const {
  const Node& n = (*this)[node];
  if (is_parameter(n.op)) return n.weight == weight;
  if (n.op != "reshape" && n.op != "transpose" && n.op != "pick" && n.op != "pick_range") return false;
  return shows_parameter(n.operands[0], weight);
}

void Graph::written(int weight) {
  for (int i = 0; i < size(); ++i)
    if (has_rule((*this)[i]) && shows_parameter(i, weight)) at(i).unsure = true;
}

bool Graph::weights_changed() const {
  for (int i = 0; i < computed_; ++i) {
    const Node& node = (*this)[i];
    if (node.weight >= 0 && node.version != weights_[static_cast<size_t>(node.weight)].version) return true;
  }
  return false;
}

// ----------------------------------------------------------------------------------------------------------- gradients

dn_status Graph::backward(int node, bool full, Gradients* of_models, Gradients* own) {
  if ((*this)[node].shape.total() != 1) return DN_E_SHAPE;
  const dn_status status = weights_changed() ? forward(node) : incremental_forward(node);
  if (status != DN_OK) return status;
  differentiate(node);
  differentiated_ = -1;
  if (own != nullptr && !fits_own(node)) return DN_E_ARGUMENT;
  differentiated_ = node;
  differentiated_forward_ = forwards_;
  full_ = full;
  kept_.assign(nodes_.size(), false);

  for (int i = 0; i <= node; ++i) {
    const Node& n = (*this)[i];
    if (n.weight < 0 || !n.trained || !reached_[static_cast<size_t>(i)]) continue;
    const Weight& weight = weights_[static_cast<size_t>(n.weight)];
    // A set takes the gradients of its own model, which is the first.
    Gradients& to = own != nullptr && weight.model == 0 ? *own : of_models[weight.model];
    const Numbers& gradient = gradients_[static_cast<size_t>(i)];
    if (weight.rows == 0) {
      to.add(n.weight, gradient);
      continue;
    }
    for (size_t b = 0; b < n.attributes.indices.size(); ++b)
      to.add_row(n.weight, n.attributes.indices[b], gradient.data() + static_cast<int64_t>(b) * weight.row_size(),
                 weight.row_size());
  }
  return DN_OK;
}

// Whether gradients go to a set of the first model, if any go anywhere.
bool Graph::fits_own(int root) const {
  bool any = false;
  for (int i = 0; i <= root; ++i) {
    const Node& node = (*this)[i];
    if (node.weight < 0 || !node.trained || !reached_[static_cast<size_t>(i)]) continue;
    if (weights_[static_cast<size_t>(node.weight)].model == 0) return true;
    any = true;
  }
  return !any;
}

void Graph::differentiate(int root) {
  gradients_.assign(nodes_.size(), {});
  reached_.assign(nodes_.size(), false);
  for (int i = 0; i < size(); ++i)
    gradients_[static_cast<size_t>(i)].assign(static_cast<size_t>((*this)[i].shape.total()), 0);
  gradients_[static_cast<size_t>(root)][0] = 1;
  reached_[static_cast<size_t>(root)] = true;
  for (int i = root; i >= 0; --i)
    if (reached_[static_cast<size_t>(i)] && has_rule((*this)[i])) differentiate_operands(i);
}

void Graph::differentiate_operands(int number) {
  const Node& node = (*this)[number];
  Alone alone;
  reference::Graph& graph = alone.graph;
  for (const int operand : node.operands) alone.operands.push_back(graph.input((*this)[operand].shape, value(operand)));
  alone.result = graph.apply(node.op, alone.operands, node.attributes);
  const int weights = graph.input(node.shape, gradients_[static_cast<size_t>(number)]);
  graph.backward(graph.sum_batches(graph.sum_elems(graph.cmult(alone.result, weights))));
  for (size_t i = 0; i < node.operands.size(); ++i) {
    const auto operand = static_cast<size_t>(node.operands[i]);
    reached_[operand] = true;
    add_up(gradients_[operand], graph.gradient(alone.operands[i]));
  }
}

double Graph::gradient_scale() const {
  double largest = 0;
  for (const Numbers& gradient : gradients_)
    for (const double x : gradient) largest = std::max(largest, std::abs(x));
  return largest;
}

dn_status Graph::gradient(int node, Numbers* out) {
  if (differentiated_ < 0) return DN_E_STATE;
  const auto i = static_cast<size_t>(node);
  const bool old = i < reached_.size();
  *out = old ? gradients_[i] : Numbers(static_cast<size_t>((*this)[node].shape.total()), 0);
  if (!old || !reached_[i] || kept_[i]) return DN_OK;
  const Node& n = (*this)[node];
  if (n.op != "parameter") return full_ || n.trained ? DN_OK : DN_E_STATE;
  // A parameter's gradient is found from the values, which must be those of the backward still.
  if (weights_changed() || forwards_ != differentiated_forward_) return DN_E_STATE;
  for (size_t at = 0; at < kept_.size(); ++at) kept_[at] = (*this)[static_cast<int>(at)].op == "parameter";
  return DN_OK;
}

}  // namespace dynnet::stateful

// Affine transformations that are computed together with their activation, and nothing else: what is recorded of them,
// and their values and gradients where those are asked for all the same.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "graph/graph.h"
#include "graph/recorder.h"

namespace dynnet {

// The operand must have no use but this one: it is the latest node, of which nothing is known yet but the record. Where
// values are checked each node has its own, since an activation may hide what is not finite. A copy is there for what
// uses it on its own.
bool Graph::folds(const Call& call, const OpDef& def) const {
  const uint32_t node = checked(call.operands[0], def.name);
  const Type& type = type_of(node);
  return node + 1 == size() && type.def == &op_affine_transform && node >= computed_ && !immediate_ && !check_values_ &&
         (nodes_[node].flags & (Node::kOfParameters | Node::kCopy)) == 0 &&
         (checkpoints_.empty() || checkpoints_.back().nodes <= node);
}

// The new node takes over the operands of the one before it, where they lie, and its own comes behind them.
dn_expr Graph::fold(Op activation) {
  const uint32_t folded = size() - 1;
  if (folded + 1 == kNone) fail(DN_E_MEMORY, "the graph has 2^32 - 1 nodes");
  if (operands_.size() == kNone) [[unlikely]]
    fail(DN_E_MEMORY, "the nodes of the graph have 2^32 - 1 operands");
  const Node before = nodes_[folded];
  uint32_t words[2];
  KeyWriter key(words);
  // No operation that is recorded has this number.
  key.add(static_cast<uint32_t>(Op::kCount) + static_cast<uint32_t>(activation));
  key.add(before.type);
  uint32_t type = types_.find(key);
  if (type == KeyTable::kNone) [[unlikely]] {
    auto made = std::make_unique<Type>(types_[before.type]);
    made->def = op_def(activation).after_affine;
    made->activation = activation;
    type = types_.add(key, std::move(made));
  }
  values_.reserve(values_.size() + 1);
  operands_.reserve(operands_.size() + 1);
  nodes_.push_back({type, before.operands, before.data, stamp_, before.depth, before.flags | Node::kFolds});
  values_.push_back(nullptr);
  operands_.push_back(folded);
  nodes_[folded].flags |= Node::kFolded;
  latest_folded_ = folded;
  return {folded + 1, stamp_};
}

// Gives both nodes what they would have had.
void Graph::unfold(uint32_t folded) {
  Node& activation = nodes_[folded + 1];
  const Type& type = types_[activation.type];
  uint32_t words[2];
  KeyWriter key(words);
  key.add(static_cast<uint32_t>(type.activation) | 1u << 16);
  key.add(types_.shape_of(activation.type));
  uint32_t own_type = types_.find(key);
  if (own_type == KeyTable::kNone) {
    auto made = std::make_unique<Type>();
    made->op = type.activation;
    made->def = &op_def(type.activation);
    made->operands = {type.dim};
    made->shared = {0};
    own_type = types_.add(key, std::move(made));
  }
  activation.operands = recorded().operands_end(folded + 1);
  activation.type = own_type;
  ++activation.depth;
  activation.flags &= ~Node::kFolds;
  nodes_[folded].flags &= ~Node::kFolded;
}

dn_expr Graph::record_unfolded(const Call& call) {
  const uint32_t end = size();
  const size_t operands_end = operands_.size();
  const size_t data_end = data_.size();
  std::vector<dn_expr> operands(call.operands, call.operands + call.operand_count);
  try {
    for (dn_expr& operand : operands) {
      if (!is_folded(operand.node)) continue;
      const uint32_t own = unfolded(operand.node, op_def(call.op).name);
      operand = {own, nodes_[own].stamp};
    }
    Call changed = call;
    changed.operands = operands.data();
    return record(changed);
  } catch (...) {
    // As if nothing had been recorded.
    nodes_.resize(end);
    values_.resize(end);
    operands_.resize(operands_end);
    data_.resize(data_end);
    forget_copies(end);
    if (computed_ > end) {
      computed_ = end;
      plan_.clear();
      latest_batch_ = 0;
      plan_is_whole_ = false;
    }
    throw;
  }
}

// Once it was computed as one with its activation, it stays so; what uses it then gets one that is recorded once more.
uint32_t Graph::unfolded(uint32_t node, const char* what) {
  if (node >= computed_) {
    unfold(node);
    return node;
  }
  if (const auto known = copies_.find(node); known != copies_.end()) return known->second;
  check_current(node, what);
  const Type& type = type_of(node);
  std::vector<dn_expr> operands;
  for (size_t i = 0; i < type.operands.size(); ++i) {
    const uint32_t operand = operands_[nodes_[node].operands + i];
    operands.push_back({operand, nodes_[operand].stamp});
  }
  const auto count = static_cast<int64_t>(operands.size());
  const uint32_t copy = dynnet::record(*this, type.op, span(operands.data(), count)).node;
  nodes_[copy].flags |= Node::kCopy;
  copied_.reserve(copied_.size() + 1);
  copies_[node] = copy;
  copied_.push_back(node);
  return copy;
}

uint32_t Graph::root_of(uint32_t node, const char* what) {
  if (!is_folded(node)) return node;
  // A copy has the operands' values, which must be those of the parameters as they are.
  if (node < computed_ && parameters_changed()) forward(node);
  return unfolded(node, what);
}

void Graph::forget_copies(uint32_t end) {
  for (; !copied_.empty() && copies_[copied_.back()] >= end; copied_.pop_back()) copies_.erase(copied_.back());
}

uint64_t Graph::sum_of_versions(uint32_t end) const {
  uint64_t sum = 0;
  for (const UsedParameter& used : parameters_) {
    if (used.node >= end) break;
    sum += used.parameter->version.load(std::memory_order_relaxed);
  }
  for (const WholeTable& whole : whole_tables_)
    if (whole.node < end) sum += whole.table->version.load(std::memory_order_relaxed);
  return sum;
}

// A node and the one that it was folded into are always computed at one time.
void Graph::check_current(uint32_t folded, const char* what) const {
  if (values_[folded] != nullptr || folded + 1 >= computed_) return;
  const auto range = std::partition_point(computed_ranges_.begin(), computed_ranges_.end(),
                                          [&](const Computed& computed) { return computed.end <= folded + 1; });
  if (range == computed_ranges_.end() || range->versions == sum_of_versions(range->end)) return;
  fail(DN_E_STATE,
       "%s: node %u (%s) was computed together with its activation only, and parameters have changed since: its value "
       "is gone; ask for it before the update, or after another forward",
       what, folded, type_of(folded).def->name);
}

void Graph::drop_folded_values(size_t kept) {
  for (; folded_values_.size() > kept; folded_values_.pop_back())
    if (folded_values_.back() < size()) values_[folded_values_.back()] = nullptr;
}

// With the node that it was folded into all its operands are computed.
void Graph::compute_folded(uint32_t node) {
  if (values_[node] != nullptr) return;
  incremental_forward(node + 1);
  check_current(node, "value");
  const size_t kept = folded_values_.size();
  const Arena::Mark values = value_memory_.mark();
  try {
    run_folded(node);
    if (check_values_) check(&node, 1);
  } catch (...) {
    drop_folded_values(kept);
    value_memory_.rewind(values);
    throw;
  }
  if (profile_ != nullptr) profile_->settle();
}

void Graph::run_folded(uint32_t node) {
  if (values_[node] != nullptr) return;
  aux_.resize(size(), nullptr);
  folded_values_.push_back(node);
  const Plan::Batch batch{0, 1, nodes_[node].type};
  const FlushDenormals flush;
  const Arena::Mark scratch = scratch_.mark();
  run(batch, &node, 1, allocate_results(batch, node), scratch_, scratch_);
  scratch_.rewind(scratch);
}

// Through the activation that it was folded into, and through the node that stands for it elsewhere.
const float* Graph::gradient_of_folded(uint32_t node) {
  const uint32_t activation = node + 1;
  const int64_t n = type_of(node).size;
  float* const dy = const_cast<float*>(gradient(activation, node));
  const float* other = nullptr;
  if (const auto copy = copies_.find(node); copy != copies_.end()) other = gradient(copy->second);
  if (forwards_ != differentiated_forward_)
    fail(DN_E_STATE, "gradient: the graph was computed anew since the backward, so the gradient of node %u is gone",
         node);
  float* const y = values_[activation];
  auto* const result = gradient_memory_.allocate<float>(n);
  const Type& type = type_of(activation);
  // An activation that was recorded since the backward may have no value; its gradient is zeros then.
  if (y == nullptr)
    std::memset(result, 0, n * sizeof(float));
  else
    kernels().unary_backward(type.def->activation, Rows{result}, Rows{y}, Rows{y}, Rows{dy}, nullptr, 1, n, false);
  if (other != nullptr) kernels().add(Rows{result}, Rows{const_cast<float*>(other)}, 1, 1, n);
  if (gradients_.size() <= node) gradients_.resize(node + 1, nullptr);
  return gradients_[node] = result;
}

}  // namespace dynnet

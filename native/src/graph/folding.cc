// Affine transformations that are computed together with their activation, and nothing else: what is recorded of them,
// and their values and gradients where those are asked for all the same.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "graph/graph.h"
#include "graph/recorder.h"

namespace dynnet {

// The operand must have no use but this one: it is the latest node, of which nothing is known yet but the record.
bool Graph::folds(const Call& call, const OpDef& def) const {
  const uint32_t node = checked(call.operands[0], def.name);
  const Type& type = type_of(node);
  return node + 1 == size() && type.def == &op_affine_transform && !type.stays_apart && node >= computed_ &&
         !immediate_ && (nodes_[node].flags & Node::kOfParameters) == 0 &&
         (checkpoints_.empty() || checkpoints_.back().nodes <= node);
}

// The new node takes over the operands of the one before it, where they lie; that keeps its type, and where they begin.
dn_expr Graph::fold(Op activation) {
  const uint32_t folded = size() - 1;
  if (folded + 1 == kNone) fail(DN_E_MEMORY, "the graph has 2^32 - 1 nodes");
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
    type = types_.add(key, std::move(made));
  }
  values_.reserve(values_.size() + 1);
  nodes_.push_back({type, before.operands, before.data, stamp_, before.depth, before.flags});
  values_.push_back(nullptr);
  nodes_[folded].flags |= Node::kFolded;
  return {folded + 1, stamp_};
}

dn_expr Graph::record_unfolded(const Call& call) {
  std::vector<dn_expr> operands(call.operands, call.operands + call.operand_count);
  for (dn_expr& operand : operands) {
    if (!is_folded(operand.node)) continue;
    const uint32_t copy = unfolded(operand.node);
    operand = {copy, nodes_[copy].stamp};
  }
  Call changed = call;
  changed.operands = operands.data();
  return record(changed);
}

// The product is then computed twice; from now on nodes of the type stay apart.
uint32_t Graph::unfolded(uint32_t node) {
  if (const auto known = copies_.find(node); known != copies_.end()) return known->second;
  types_.keep_apart(nodes_[node].type);
  const Type& type = type_of(node);
  std::vector<dn_expr> operands;
  for (size_t i = 0; i < type.operands.size(); ++i) {
    const uint32_t operand = operands_[nodes_[node].operands + i];
    operands.push_back({operand, nodes_[operand].stamp});
  }
  const auto count = static_cast<int64_t>(operands.size());
  return copies_[node] = dynnet::record(*this, type.op, span(operands.data(), count)).node;
}

uint64_t Graph::sum_of_versions(uint32_t end) const {
  uint64_t sum = 0;
  for (const UsedParameter& used : parameters_) {
    if (used.node >= end) break;
    sum += used.parameter->version.load(std::memory_order_relaxed);
  }
  return sum;
}

// With the node that it was folded into all its operands are computed.
void Graph::compute_folded(uint32_t node) {
  incremental_forward(node + 1);
  const auto range = std::find_if(computed_ranges_.begin(), computed_ranges_.end(),
                                  [&](const Computed& computed) { return node + 1 < computed.end; });
  if (values_[node] == nullptr && range->versions != sum_of_versions(range->end))
    fail(DN_E_STATE,
         "value: node %u (%s) was computed together with its activation only, and parameters have changed since: ask "
         "for it before the update, or after another forward",
         node, type_of(node).def->name);
  run_folded(node);
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
  float* const dy = const_cast<float*>(gradient(activation));
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

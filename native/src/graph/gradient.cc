// What a graph's callers ask for: a backward, and the gradient of one node after it.
#include <algorithm>
#include <cstring>

#include "graph/backward.h"

namespace dynnet {

void Graph::backward(uint32_t node, GradientSet* gradients, bool full) {
  const Type& type = type_of(node);
  if (type.size != 1)
    fail(DN_E_SHAPE, "backward: the expression (node %u, %s) has shape %s; gradients are of one number", node,
         type.def->name, type.dim.text().c_str());
  node = root_of(node, "backward");
  if (parameters_changed())
    forward(node);
  else
    incremental_forward(node);
  gradient_memory_.reset();
  differentiated_ = kNone;
  GradientTargets targets(gradients);
  BackwardPass(*this, targets, full).run(node);
  differentiated_ = node;
  merged_ = plan_is_whole_ && !full && !plan_.aliases.empty();
  differentiated_forward_ = forwards_;
  full_ = full;
}

const float* Graph::gradient(uint32_t node, uint32_t asked) {
  if (differentiated_ == kNone) fail(DN_E_STATE, "gradient: no backward has been run since the graph was last changed");
  if (node < gradients_.size() && gradients_[node] != nullptr) return gradients_[node];
  if (is_folded(node)) return gradient_of_folded(node);
  const Type& type = type_of(node);

  // Which nodes the latest backward's result depends on.
  scratch_.reset();
  auto* reached = scratch_.allocate<uint8_t>(size());
  std::memset(reached, 0, size());
  reached[differentiated_] = 1;
  for (uint32_t i = differentiated_ + 1; i-- > 0;) {
    if (!reached[i] || type_of(i).def->backward == nullptr) continue;
    for (uint32_t at = 0; at < type_of(i).operands.size(); ++at) reached[operands_[nodes_[i].operands + at]] = 1;
  }
  if (gradients_.size() <= node) gradients_.resize(node + 1, nullptr);
  if (!reached[node]) {
    auto* zeros = gradient_memory_.allocate<float>(type.size);
    std::memset(zeros, 0, type.size * sizeof(float));
    return gradients_[node] = zeros;
  }
  const bool merged = merged_ && type.op != Op::parameter;
  const auto fail_for_no_path = [&] {
    fail(DN_E_STATE, "gradient: node %u (%s) is on no path to a parameter; ask backward for the full gradients", asked,
         type_of(asked).def->name);
  };
  const bool on_path = full_ || (nodes_[node].flags & Node::kTrained) != 0;
  if (type.op != Op::parameter && (!merged || !on_path)) fail_for_no_path();
  if (parameters_changed())
    fail(DN_E_STATE, "gradient: parameters have changed since the backward, so the gradient of node %u is gone", asked);
  if (forwards_ != differentiated_forward_)
    fail(DN_E_STATE, "gradient: the graph was computed anew since the backward, so the gradient of node %u is gone",
         asked);

  // A parameter's gradient went straight into the gradient set, and that of nodes that equal others is of all of them.
  // The pass is run again, into a set that is thrown away and for each node on its own; the gradients that were handed
  // out stay where they are.
  Array<float*> handed_out = gradients_;
  GradientTargets targets(nullptr);
  targets.use_temporary();
  try {
    BackwardPass(*this, targets, full_, merged).run(differentiated_);
  } catch (...) {
    gradients_ = std::move(handed_out);
    throw;
  }
  if (merged) {
    handed_out.resize(std::max(handed_out.size(), gradients_.size()), nullptr);
    for (size_t i = 0; i < gradients_.size(); ++i)
      if (handed_out[i] == nullptr) handed_out[i] = gradients_[i];
  }
  gradients_ = std::move(handed_out);
  for (const UsedParameter& used : parameters_) {
    const Type& parameter_type = type_of(used.node);
    const bool known = used.node < gradients_.size() && gradients_[used.node] != nullptr;
    if (merged || known || parameter_type.op != Op::parameter) continue;
    auto* copy = gradient_memory_.allocate<float>(parameter_type.size);
    std::memcpy(copy, targets.of(*used.parameter->storage).accumulate(*used.parameter),
                parameter_type.size * sizeof(float));
    if (gradients_.size() <= used.node) gradients_.resize(used.node + 1, nullptr);
    gradients_[used.node] = copy;
  }
  if (gradients_[node] == nullptr) fail_for_no_path();
  return gradients_[node];
}

}  // namespace dynnet

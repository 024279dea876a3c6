#include "schedule/schedule.h"

#include "graph/graph.h"

namespace dynnet {
namespace {

constexpr uint32_t kNone = ~uint32_t{0};

}  // namespace

void Scheduler::make_ready(const Node& node, uint32_t local) {
  Group& group = groups_[group_of_[local]];
  next_[local] = kNone;
  if (group.ready == 0) {
    group.first = local;
    group.depth = node.depth;
    active_.push_back(group_of_[local]);
  } else {
    next_[group.last] = local;
  }
  group.last = local;
  ++group.ready;
}

void Scheduler::schedule(const Node* nodes, const uint32_t* operands, uint32_t operands_end, uint32_t node_count,
                         uint32_t begin, uint32_t end, const uint8_t* include, uint32_t type_count, Plan* plan) {
  const uint32_t n = end - begin;
  auto last_operand = [&](uint32_t node) { return node + 1 < node_count ? nodes[node + 1].operands : operands_end; };

  // Who waits for how many, and who waits for whom.
  waiting_.assign(n, 0);
  successors_begin_.assign(n + 1, 0);
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    const uint32_t stop = last_operand(begin + i);
    for (uint32_t at = nodes[begin + i].operands; at < stop; ++at) {
      const uint32_t operand = operands[at];
      if (operand < begin || !include[operand - begin]) continue;
      ++waiting_[i];
      ++successors_begin_[operand - begin + 1];
    }
  }
  for (uint32_t i = 0; i < n; ++i) successors_begin_[i + 1] += successors_begin_[i];
  successors_.resize(successors_begin_[n]);
  next_.assign(successors_begin_.begin(), successors_begin_.end() - 1);
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i] || waiting_[i] == 0) continue;
    const uint32_t stop = last_operand(begin + i);
    for (uint32_t at = nodes[begin + i].operands; at < stop; ++at) {
      const uint32_t operand = operands[at];
      if (operand >= begin && include[operand - begin]) successors_[next_[operand - begin]++] = i;
    }
  }

  // Groups by type. group_of_type_ keeps an entry for each type that was ever seen; only those of this plan are valid,
  // which comparing with the group's own type tells.
  if (group_of_type_.size() < type_count) group_of_type_.resize(type_count, 0);
  groups_.clear();
  active_.clear();
  group_of_.resize(n);
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    const uint32_t type = nodes[begin + i].type;
    uint32_t group = group_of_type_[type];
    if (group >= groups_.size() || groups_[group].type != type) {
      group = static_cast<uint32_t>(groups_.size());
      group_of_type_[type] = group;
      groups_.push_back({type, 0, 0, 0, kNone, kNone});
    }
    ++groups_[group].remaining;
    group_of_[i] = group;
  }
  for (uint32_t i = 0; i < n; ++i)
    if (include[i] && waiting_[i] == 0) make_ready(nodes[begin + i], i);

  while (!active_.empty()) {
    size_t best = 0;
    for (size_t i = 0; i < active_.size(); ++i) {
      const Group& candidate = groups_[active_[i]];
      const Group& current = groups_[active_[best]];
      // candidate.ready / candidate.remaining > current.ready / current.remaining, without division.
      const uint64_t left = uint64_t{candidate.ready} * current.remaining;
      const uint64_t right = uint64_t{current.ready} * candidate.remaining;
      if (left > right || (left == right && candidate.depth < current.depth)) best = i;
      // Nothing is better than all that remains.
      if (groups_[active_[best]].ready == groups_[active_[best]].remaining) break;
    }
    Group& group = groups_[active_[best]];
    active_[best] = active_.back();
    active_.pop_back();
    plan->batches.push_back({static_cast<uint32_t>(plan->nodes.size()), group.ready, group.type});
    group.remaining -= group.ready;
    group.ready = 0;
    const size_t first_of_batch = plan->nodes.size();
    for (uint32_t i = group.first; i != kNone; i = next_[i]) plan->nodes.push_back(begin + i);
    for (size_t at = first_of_batch; at < plan->nodes.size(); ++at) {
      const uint32_t i = plan->nodes[at] - begin;
      for (uint32_t s = successors_begin_[i]; s < successors_begin_[i + 1]; ++s) {
        const uint32_t successor = successors_[s];
        if (--waiting_[successor] == 0) make_ready(nodes[begin + successor], successor);
      }
    }
  }
}

}  // namespace dynnet

#include "schedule/schedule.h"

#include <algorithm>
#include <utility>

namespace dynnet {
namespace {

constexpr uint32_t kNone = ~uint32_t{0};
// For more groups than this, all are one component: a search over them would take longer than it saves.
constexpr size_t kMostGroups = 1024;

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

// group_of_type_ keeps an entry for each type that was ever seen; only those of this plan are valid, which comparing
// with the group's own type tells.
void Scheduler::make_groups(const Node* nodes, uint32_t n, const uint8_t* include, uint32_t type_count) {
  if (group_of_type_.size() < type_count) group_of_type_.resize(type_count, 0);
  groups_.clear();
  active_.clear();
  group_of_.resize(n);
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    const uint32_t type = nodes[i].type;
    uint32_t group = group_of_type_[type];
    if (group >= groups_.size() || groups_[group].type != type) {
      group = static_cast<uint32_t>(groups_.size());
      group_of_type_[type] = group;
      groups_.push_back({type, 0, 0, 0, 0, kNone, kNone, 0, kNone});
    }
    ++groups_[group].remaining;
    group_of_[i] = group;
  }
}

// Who waits for how many, who waits for whom, and which groups use which.
void Scheduler::find_dependences(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include) {
  const Node* nodes = record.nodes;
  const bool components = groups_.size() <= kMostGroups;
  row_words_ = components ? (groups_.size() + 63) / 64 : 0;
  uses_.assign(row_words_ * groups_.size(), 0);
  waiting_.assign(n, 0);
  successors_begin_.assign(n + 1, 0);
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    const uint32_t stop = record.operands_end(begin + i);
    uint64_t* const uses = components ? &uses_[group_of_[i] * row_words_] : nullptr;
    for (uint32_t at = nodes[begin + i].operands; at < stop; ++at) {
      const uint32_t operand = record.operands[at];
      if (operand < begin || !include[operand - begin]) continue;
      ++waiting_[i];
      ++successors_begin_[operand - begin + 1];
      const uint32_t used = group_of_[operand - begin];
      if (components) uses[used / 64] |= uint64_t{1} << used % 64;
    }
  }
  for (uint32_t i = 0; i < n; ++i) successors_begin_[i + 1] += successors_begin_[i];
  successors_.resize(successors_begin_[n]);
  next_.assign(successors_begin_.begin(), successors_begin_.end() - 1);
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i] || waiting_[i] == 0) continue;
    const uint32_t stop = record.operands_end(begin + i);
    for (uint32_t at = nodes[begin + i].operands; at < stop; ++at) {
      const uint32_t operand = record.operands[at];
      if (operand >= begin && include[operand - begin]) successors_[next_[operand - begin]++] = i;
    }
  }
}

// Strongly connected components (Tarjan 1972). A component is complete when all that it uses are, so their numbers are
// an order in which they can run.
void Scheduler::find_components() {
  if (row_words_ == 0) return;
  seen_.assign(groups_.size(), kNone);
  back_.resize(groups_.size());
  open_.clear();
  uint32_t visited = 0;
  uint32_t components = 0;
  for (uint32_t group = 0; group < groups_.size(); ++group)
    if (seen_[group] == kNone) visit(group, &visited, &components);
}

void Scheduler::visit(uint32_t group, uint32_t* visited, uint32_t* components) {
  seen_[group] = back_[group] = (*visited)++;
  groups_[group].component = kNone;
  open_.push_back(group);
  for (size_t word = 0; word < row_words_; ++word) {
    for (uint64_t bits = uses_[group * row_words_ + word]; bits != 0; bits &= bits - 1) {
      const auto used = static_cast<uint32_t>(word * 64 + static_cast<size_t>(__builtin_ctzll(bits)));
      if (seen_[used] == kNone) visit(used, visited, components);
      if (groups_[used].component == kNone && back_[used] < back_[group]) back_[group] = back_[used];
    }
  }
  if (back_[group] != seen_[group]) return;
  uint32_t member;
  do {
    member = open_.back();
    open_.pop_back();
    groups_[member].component = *components;
  } while (member != group);
  ++*components;
}

void Scheduler::find_unready(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include,
                             const TypeTable& types) {
  constexpr uint32_t kMostOperands = 32;
  bool any = false;
  for (const Group& group : groups_) any |= types[group.type].def->early != nullptr;
  if (!any || row_words_ == 0) return;
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    Group& group = groups_[group_of_[i]];
    if (types[group.type].def->early == nullptr) continue;
    const uint32_t first = record.nodes[begin + i].operands;
    const uint32_t count = std::min(record.operands_end(begin + i) - first, kMostOperands);
    for (uint32_t operand = 0; operand < count; ++operand) {
      const uint32_t node = record.operands[first + operand];
      if (node >= begin && include[node - begin] && groups_[group_of_[node - begin]].component == group.component)
        group.unready |= uint32_t{1} << operand;
    }
  }
}

// The ready nodes of a group; before the first of several batches the early stage of all of them.
void Scheduler::append_batch(Group& group, const Type& type, Plan* plan) {
  Plan::Batch batch{static_cast<uint32_t>(plan->nodes.size()), group.ready, group.type};
  if (group.early_batch != kNone) {
    batch.stage = Stage::kLate;
    batch.early = plan->batches[group.early_batch].early;
    batch.owner = group.early_batch;
  } else if (group.remaining > group.ready && type.def->early != nullptr && row_words_ != 0) {
    batch.early = type.def->early(type, ~group.unready);
    if (batch.early > 0) {
      batch.stage = Stage::kLate;
      batch.owner = group.early_batch = static_cast<uint32_t>(plan->batches.size());
      plan->batches.push_back({0, 0, group.type, Stage::kEarly, batch.early});
    }
  }
  plan->batches.push_back(batch);
}

void Scheduler::list_early_nodes(size_t first_batch, Plan* plan) {
  for (size_t b = first_batch; b < plan->batches.size(); ++b)
    if (plan->batches[b].stage == Stage::kLate) plan->batches[plan->batches[b].owner].count += plan->batches[b].count;
  auto end = static_cast<uint32_t>(plan->nodes.size());
  for (size_t b = first_batch; b < plan->batches.size(); ++b) {
    if (plan->batches[b].stage != Stage::kEarly) continue;
    plan->batches[b].begin = end;
    end += std::exchange(plan->batches[b].count, 0);
  }
  plan->nodes.resize(end);
  for (size_t b = first_batch; b < plan->batches.size(); ++b) {
    const Plan::Batch& late = plan->batches[b];
    if (late.stage != Stage::kLate) continue;
    Plan::Batch& early = plan->batches[late.owner];
    std::copy_n(&plan->nodes[late.begin], late.count, &plan->nodes[early.begin + early.count]);
    early.count += late.count;
  }
}

bool Scheduler::better(const Group& a, const Group& b) const {
  if (a.component != b.component) return a.component < b.component;
  // a.ready / a.remaining > b.ready / b.remaining, without division.
  const uint64_t left = uint64_t{a.ready} * b.remaining;
  const uint64_t right = uint64_t{b.ready} * a.remaining;
  return left > right || (left == right && a.depth < b.depth);
}

void Scheduler::schedule(const Recorded& record, uint32_t begin, uint32_t end, const uint8_t* include,
                         const TypeTable& types, Plan* plan) {
  const Node* nodes = record.nodes;
  const uint32_t n = end - begin;
  const size_t first_batch = plan->batches.size();
  make_groups(nodes + begin, n, include, types.size());
  find_dependences(record, begin, n, include);
  find_components();
  find_unready(record, begin, n, include, types);
  for (uint32_t i = 0; i < n; ++i)
    if (include[i] && waiting_[i] == 0) make_ready(nodes[begin + i], i);

  while (!active_.empty()) {
    size_t best = 0;
    for (size_t i = 1; i < active_.size(); ++i)
      if (better(groups_[active_[i]], groups_[active_[best]])) best = i;
    Group& group = groups_[active_[best]];
    active_[best] = active_.back();
    active_.pop_back();
    append_batch(group, types[group.type], plan);
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
  list_early_nodes(first_batch, plan);
}

}  // namespace dynnet

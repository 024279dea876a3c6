#include "schedule/schedule.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace dynnet {
namespace {

constexpr uint32_t kNone = Plan::kNone;

uint8_t is_trained(const Node& node) { return (node.flags & Node::kTrained) != 0; }

}  // namespace

inline void Scheduler::make_ready(const Node& node, uint32_t local) {
  const uint32_t number = locals_[local].group;
  Group& group = groups_[number];
  if (group.ready == 0) {
    group.depth = node.depth;
    active_.push_back(number);
  }
  ready_[group.first + group.ready++] = local;
}

inline uint32_t Scheduler::group_of(uint32_t type, bool common) {
  uint32_t& group = group_of_type_[common][type];
  if (group == kNone) [[unlikely]] {
    const auto added = static_cast<uint32_t>(groups_.size());
    groups_.push_back({type, 0, 0, 0, 0, 0, 0, kNone, false, common});
    if (added < kMostGroups) uses_.resize((added + 1) * size_t{row_size_}, 0);
    // Last, since the memory may not suffice.
    group = added;
  }
  return group;
}

// Who waits for how many, who waits for whom, and which groups use which.
void Scheduler::find_dependences(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include,
                                 uint32_t type_count, Plan* plan) {
  for (const Group& group : groups_) group_of_type_[group.common][group.type] = kNone;
  for (Array<uint32_t>& groups : group_of_type_)
    if (groups.size() < type_count) groups.resize(type_count, kNone);
  row_size_ = std::bit_ceil(std::clamp<uint32_t>(2 * type_count, sizeof(uint64_t), kMostGroups));
  groups_.clear();
  active_.clear();
  uses_.clear();
  locals_.resize(n);
  successors_.resize(n > 0 ? record.operands_end(begin + n - 1) - record.nodes[begin].operands : 0);
  plan->wanted.assign(n, 0);
  if (merged_) {
    used_.assign(n, 0);
    visit_edges<true>(record, begin, n, include, plan->wanted.data());
  } else {
    visit_edges<false>(record, begin, n, include, plan->wanted.data());
  }
}

// A function of its own, and copies of what it reads, so that all of it stays in registers: what bytes are written to
// might be anything, as far as the compiler knows.
template <bool kMerged>
void Scheduler::visit_edges(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include,
                            uint8_t* wanted) {
  const Recorded r = record;
  const Node* const nodes = r.nodes + begin;
  Local* const locals = locals_.data();
  Successor* const successors = successors_.data();
  const uint32_t* const same = kMerged ? merger_.all_same() : nullptr;
  uint8_t* const operand_used = used_.data();
  const uint32_t row_mask = row_size_ - 1;
  uint32_t edges = 0;
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    const uint8_t trained = is_trained(nodes[i]);
    const uint32_t group = group_of(nodes[i].type, kMerged && merger_.is_common(i));
    ++groups_[group].remaining;
    // With more groups than rows, of which no use is made then, one row serves several.
    uint8_t* const uses = &uses_[size_t{group & row_mask} * (row_mask + 1)];
    uint32_t waiting = 0;
    const uint32_t* const stop = r.operands + r.operands_end(begin + i);
    for (const uint32_t* at = r.operands + nodes[i].operands; at < stop; ++at) {
      uint32_t operand = *at - begin;
      if (operand >= n) continue;
      wanted[operand] |= trained;
      if constexpr (kMerged) {
        operand_used[operand] = 1;
        operand = same[operand];
        wanted[operand] |= trained;
      }
      if (!include[operand]) continue;
      ++waiting;
      Local& used = locals[operand];
      uses[used.group & row_mask] = 1;
      successors[edges] = {i, used.successor};
      used.successor = edges++;
    }
    locals[i] = {group, waiting, kNone};
  }
}

// Those that wait for none; and what backward will want.
void Scheduler::find_ready(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include, Plan* plan) {
  uint32_t first = 0;
  for (Group& group : groups_) {
    group.first = first;
    first += group.remaining;
  }
  ready_.resize(first);
  uint8_t* const wanted = plan->wanted.data();
  uint32_t ends = 0;
  uint32_t end = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const Node& node = record.nodes[begin + i];
    const uint8_t trained = is_trained(node);
    wanted[i] &= trained;
    if (!include[i]) continue;
    if (trained && !wanted[i]) {
      ++ends;
      end = i;
    }
    if (locals_[i].waiting == 0) make_ready(node, i);
  }
  plan->sink = kNone;
  if (begin > 0 || ends != 1) return;
  plan->sink = end;
  wanted[end] = 1;
}

// Strongly connected components (Tarjan 1972). A component is complete when all that it uses are, so their numbers are
// an order in which they can run.
void Scheduler::find_components() {
  has_components_ = groups_.size() <= kMostGroups;
  if (!has_components_) return;
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
  for (uint32_t first = 0; first < groups_.size(); first += sizeof(uint64_t)) {
    uint64_t bytes;
    std::memcpy(&bytes, &uses_[size_t{group} * row_size_ + first], sizeof bytes);
    for (; bytes != 0; bytes &= bytes - 1) {
      const uint32_t used = first + static_cast<uint32_t>(std::countr_zero(bytes)) / 8;
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
  for (Group& group : groups_) {
    group.may_be_early = has_components_ && types[group.type].may_be_early;
    any |= group.may_be_early;
  }
  if (!any) return;
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    Group& group = groups_[locals_[i].group];
    if (!group.may_be_early) continue;
    const uint32_t first = record.nodes[begin + i].operands;
    const uint32_t count = std::min(record.operands_end(begin + i) - first, kMostOperands);
    for (uint32_t operand = 0; operand < count; ++operand) {
      if (record.operands[first + operand] < begin) continue;
      const uint32_t node = computed(record.operands[first + operand] - begin);
      if (include[node] && groups_[locals_[node].group].component == group.component)
        group.unready |= uint32_t{1} << operand;
    }
  }
}

// The ready nodes of a group; before the first of several batches the early stage of all of them.
void Scheduler::append_batch(Group& group, const Type& type, Plan* plan) {
  Plan::Batch batch{static_cast<uint32_t>(plan->nodes.size()), group.ready, group.type};
  batch.common = group.common;
  if (group.early_batch != kNone) {
    batch.stage = Stage::kLate;
    batch.early = plan->batches[group.early_batch].early;
    batch.owner = group.early_batch;
  } else if (group.remaining > group.ready && group.may_be_early) {
    batch.early = type.def->early(type, ~group.unready);
    if (batch.early > 0) {
      batch.stage = Stage::kLate;
      batch.owner = group.early_batch = static_cast<uint32_t>(plan->batches.size());
      plan->batches.push_back({0, 0, group.type, Stage::kEarly, batch.early, 0, group.common});
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

// The nodes that equal those of the latest batch.
void Scheduler::append_aliases(size_t first_node, uint32_t begin, Plan* plan) {
  Plan::Batch& batch = plan->batches.back();
  batch.aliases = static_cast<uint32_t>(plan->aliases.size());
  for (size_t at = first_node; at < plan->nodes.size(); ++at) {
    const uint32_t node = plan->nodes[at];
    merger_.visit_others(node - begin, [&](uint32_t other) {
      plan->aliases.push_back({begin + other, node, used_[other] != 0});
    });
  }
  batch.alias_count = static_cast<uint32_t>(plan->aliases.size()) - batch.aliases;
}

bool Scheduler::better(const Group& a, const Group& b) const {
  if (a.common != b.common) return a.common;
  if (a.component != b.component) return a.component < b.component;
  // a.ready / a.remaining > b.ready / b.remaining, without division.
  const uint64_t left = uint64_t{a.ready} * b.remaining;
  const uint64_t right = uint64_t{b.ready} * a.remaining;
  return left > right || (left == right && a.depth < b.depth);
}

void Scheduler::schedule(const Recorded& record, uint32_t begin, uint32_t end, uint8_t* include, const TypeTable& types,
                         bool merge, Plan* plan) {
  const Node* nodes = record.nodes;
  const uint32_t n = end - begin;
  const size_t first_batch = plan->batches.size();
  merged_ = merge && merger_.find(record, begin, end, include, types);
  find_dependences(record, begin, n, include, types.size(), plan);
  find_components();
  find_unready(record, begin, n, include, types);
  find_ready(record, begin, n, include, plan);
  plan->nodes.reserve(plan->nodes.size() + ready_.size());
  while (!active_.empty()) {
    size_t best = 0;
    for (size_t i = 1; i < active_.size(); ++i)
      if (better(groups_[active_[i]], groups_[active_[best]])) best = i;
    Group& group = groups_[active_[best]];
    active_[best] = active_.back();
    active_.pop_back();
    append_batch(group, types[group.type], plan);
    const uint32_t* const batch = &ready_[group.first];
    const uint32_t count = std::exchange(group.ready, 0);
    group.remaining -= count;
    group.first += count;
    const size_t first_of_batch = plan->nodes.size();
    uint32_t* const planned = plan->nodes.extend(count);
    for (uint32_t i = 0; i < count; ++i) planned[i] = begin + batch[i];
    if (group.common) append_aliases(first_of_batch, begin, plan);
    for (uint32_t i = 0; i < count; ++i) {
      for (uint32_t s = locals_[batch[i]].successor; s != kNone; s = successors_[s].next) {
        const uint32_t successor = successors_[s].node;
        if (--locals_[successor].waiting == 0) make_ready(nodes[begin + successor], successor);
      }
    }
  }
  list_early_nodes(first_batch, plan);
}

}  // namespace dynnet

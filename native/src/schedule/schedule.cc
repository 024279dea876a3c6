#include "schedule/schedule.h"

#include <algorithm>
#include <utility>

namespace dynnet {
namespace {

constexpr uint32_t kNone = ~uint32_t{0};

}  // namespace

inline void Scheduler::make_ready(const Node& node, uint32_t local) {
  Local& own = locals_[local];
  Group& group = groups_[own.group];
  own.next = kNone;
  if (group.ready == 0) {
    group.first = local;
    group.depth = node.depth;
    active_.push_back(own.group);
  } else {
    locals_[group.last].next = local;
  }
  group.last = local;
  ++group.ready;
}

// group_of_type_ keeps an entry for each type that was ever seen; only those of this plan are valid, which comparing
// with the group's own type tells.
inline uint32_t Scheduler::group_of(uint32_t type, bool common) {
  uint32_t& group = group_of_type_[common][type];
  if (group >= groups_.size() || groups_[group].type != type || groups_[group].common != common) [[unlikely]] {
    group = static_cast<uint32_t>(groups_.size());
    groups_.push_back({type, 0, 0, 0, 0, kNone, kNone, 0, kNone, false, common});
    if (groups_.size() <= kMostGroups) uses_.resize(groups_.size() * kRowWords, 0);
  }
  return group;
}

// Who waits for how many, who waits for whom, and which groups use which.
void Scheduler::find_dependences(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include,
                                 uint32_t type_count) {
  const Node* nodes = record.nodes + begin;
  for (Array<uint32_t>& groups : group_of_type_)
    if (groups.size() < type_count) groups.resize(type_count, 0);
  groups_.clear();
  active_.clear();
  uses_.clear();
  locals_.resize(n);
  const uint32_t first_operand = n > 0 ? nodes[0].operands : 0;
  const uint32_t operands = n > 0 ? record.operands_end(begin + n - 1) - first_operand : 0;
  successors_.resize(operands);
  for (uint32_t i = 0; i < n; ++i) {
    if (!include[i]) continue;
    const uint32_t group = group_of(nodes[i].type, merged_ && merger_.is_common(i));
    ++groups_[group].remaining;
    uint32_t waiting = 0;
    const uint32_t stop = record.operands_end(begin + i);
    for (uint32_t at = nodes[i].operands; at < stop; ++at) {
      if (record.operands[at] < begin) continue;
      uint32_t operand = record.operands[at] - begin;
      if (merged_) {
        used_[operand] = 1;
        operand = merger_.same(operand);
      }
      if (!include[operand]) continue;
      ++waiting;
      Local& used = locals_[operand];
      successors_[at - first_operand] = {i, used.successor};
      used.successor = at - first_operand;
      if (group < kMostGroups && used.group < kMostGroups)
        uses_[group * kRowWords + used.group / 64] |= uint64_t{1} << used.group % 64;
    }
    locals_[i] = {group, waiting, kNone, kNone};
  }
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
  for (size_t word = 0; word < (groups_.size() + 63) / 64; ++word) {
    for (uint64_t bits = uses_[group * kRowWords + word]; bits != 0; bits &= bits - 1) {
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
  if (merged_) used_.assign(n, 0);
  find_dependences(record, begin, n, include, types.size());
  find_components();
  find_unready(record, begin, n, include, types);
  for (uint32_t i = 0; i < n; ++i)
    if (include[i] && locals_[i].waiting == 0) make_ready(nodes[begin + i], i);

  size_t planned = plan->nodes.size();
  for (const Group& group : groups_) planned += group.remaining;
  plan->nodes.reserve(planned);
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
    for (uint32_t i = group.first; i != kNone; i = locals_[i].next) plan->nodes.push_back(begin + i);
    if (group.common) append_aliases(first_of_batch, begin, plan);
    for (size_t at = first_of_batch; at < plan->nodes.size(); ++at) {
      for (uint32_t s = locals_[plan->nodes[at] - begin].successor; s != kNone; s = successors_[s].next) {
        const uint32_t successor = successors_[s].node;
        if (--locals_[successor].waiting == 0) make_ready(nodes[begin + successor], successor);
      }
    }
  }
  list_early_nodes(first_batch, plan);
}

}  // namespace dynnet

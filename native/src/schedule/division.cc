#include "schedule/division.h"

#include <algorithm>
#include <utility>

namespace dynnet {
namespace {

// A smaller plan is done before a second thread has begun.
constexpr uint32_t kLeastNodes = 128;
// The largest part may be larger than the mean by this factor: it is what the others wait for.
constexpr double kLargestPart = 1.3;

}  // namespace

// Calls visit(node, batch) for each node of the batches before `end`, once.
template <class Visit>
void visit_nodes(const Plan& plan, uint32_t end, Visit&& visit) {
  for (uint32_t b = 0; b < end; ++b) {
    const Plan::Batch& batch = plan.batches[b];
    for (uint32_t i = 0; i < batch.count && batch.stage != Stage::kEarly; ++i)
      visit(plan.nodes[batch.begin + i], batch);
  }
}

// The root of a piece, with all paths to it made half as long (Tarjan and van Leeuwen 1984).
uint32_t Divider::root(uint32_t local) {
  while (parent_[local] != local) local = parent_[local] = parent_[parent_[local]];
  return local;
}

// What depends on nothing and is not learned. All nodes of its type are such, so that whole batches are.
bool Divider::is_constant(const Recorded& record, uint32_t node) {
  return record.nodes[node].operands == record.operands_end(node) && (record.nodes[node].flags & Node::kTrained) == 0;
}

bool Divider::find_parts(const Recorded& record, uint32_t begin, uint32_t end, const uint8_t* include, const Plan& plan,
                         uint32_t joint_batch, uint32_t threads) {
  uint32_t nodes = 0;
  visit_nodes(plan, joint_batch, [&](uint32_t, const Plan::Batch&) { ++nodes; });
  threads = std::min(threads, kMostParts);
  if (threads < 2 || nodes < kLeastNodes) return false;
  begin_ = begin;
  parent_.resize(end - begin);
  for (uint32_t i = 0; i < end - begin; ++i) parent_[i] = i;
  part_of_.assign(end - begin, kJoint);
  visit_nodes(plan, joint_batch, [&](uint32_t node, const Plan::Batch& batch) {
    part_of_[node - begin] = batch.common || is_constant(record, node) ? kFirst : 0;
  });
  for (uint32_t local = 0; local < end - begin; ++local) {
    if (!include[local] || part_of_[local] >= kFirst) continue;
    uint32_t own = root(local);
    const uint32_t stop = record.operands_end(begin + local);
    for (uint32_t i = record.nodes[begin + local].operands; i < stop; ++i) {
      const uint32_t operand = record.operands[i];
      if (operand < begin || !include[operand - begin] || part_of_[operand - begin] == kFirst) continue;
      const uint32_t other = root(operand - begin);
      // The earlier root stays, so that most nodes find theirs in one step.
      if (other < own) {
        parent_[own] = other;
        own = other;
      } else {
        parent_[other] = own;
      }
    }
  }
  return assign_parts(plan, joint_batch, threads);
}

// Each piece, in the order of the record, goes to the part that is smallest so far.
bool Divider::assign_parts(const Plan& plan, uint32_t joint_batch, uint32_t threads) {
  size_.assign(parent_.size(), 0);
  uint32_t divided = 0;
  visit_nodes(plan, joint_batch, [&](uint32_t node, const Plan::Batch&) {
    if (part_of(node) == kFirst) return;
    ++size_[root(node - begin_)];
    ++divided;
  });
  Array<uint32_t> load(threads, 0);
  for (uint32_t local = 0; local < parent_.size(); ++local) {
    if (parent_[local] != local || size_[local] == 0) continue;
    const auto smallest = std::min_element(load.begin(), load.end());
    *smallest += size_[local];
    part_of_[local] = static_cast<uint8_t>(smallest - load.begin());
  }
  const uint32_t largest = *std::max_element(load.begin(), load.end());
  if (largest * static_cast<double>(threads) > kLargestPart * divided) return false;
  visit_nodes(plan, joint_batch, [&](uint32_t node, const Plan::Batch&) {
    uint8_t& part = part_of_[node - begin_];
    if (part != kFirst) part = part_of_[root(node - begin_)];
  });
  parts_ = threads;
  return true;
}

void Divider::divide(const Plan& plan, Division* division) {
  Division& d = *division;
  d.parts_ = parts_;
  d.joint_batch_ = static_cast<uint32_t>(plan.batches.size());
  const auto is_joint = [&](const Plan::Batch& batch) {
    return batch.count == 0 || part_of(plan.nodes[batch.begin]) == kJoint;
  };
  while (d.joint_batch_ > 0 && is_joint(plan.batches[d.joint_batch_ - 1])) --d.joint_batch_;
  uint32_t nodes = 0;
  for (uint32_t b = 0; b < d.joint_batch_; ++b) nodes += plan.batches[b].count;
  d.nodes_.resize(nodes);
  d.places_.resize(nodes);
  d.begins_.resize(size_t{d.joint_batch_} * parts_ + 1);
  next_.resize(parts_);
  uint32_t end = 0;
  for (uint32_t b = 0; b < d.joint_batch_; ++b) {
    const Plan::Batch& batch = plan.batches[b];
    const bool first = batch.count > 0 && part_of(plan.nodes[batch.begin]) == kFirst;
    std::fill(next_.begin(), next_.end(), 0);
    for (uint32_t i = 0; i < batch.count && !first; ++i) ++next_[part_of(plan.nodes[batch.begin + i])];
    for (uint32_t p = 0; p < parts_; ++p) {
      d.begins_[size_t{b} * parts_ + p] = end;
      end += std::exchange(next_[p], end);
    }
    for (uint32_t i = 0; i < batch.count && !first; ++i) {
      const uint32_t node = plan.nodes[batch.begin + i];
      const uint32_t to = next_[part_of(node)]++;
      d.nodes_[to] = node;
      d.places_[to] = i;
    }
  }
  d.begins_.back() = end;
  // A backward from one example's loss has all its nodes in one part: another thread can only help inside batches.
  uint32_t used = 0;
  for (uint32_t p = 0; p < parts_; ++p) {
    uint32_t nodes_of_part = 0;
    for (uint32_t b = 0; b < d.joint_batch_; ++b) nodes_of_part += d.part(b, p).count;
    used += nodes_of_part > 0;
  }
  if (used < 2) d.clear();
}

}  // namespace dynnet

#include "schedule/division.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dynnet {
namespace {

// A smaller plan is done before a second thread has begun.
constexpr uint32_t kLeastNodes = 128;
// The largest part may be larger than the mean by this factor: it is what the others wait for.
constexpr double kLargestPart = 1.3;

}  // namespace

// Calls visit(node) for each node of the batches before `end`, once.
template <class Visit>
void visit_nodes(const Plan& plan, uint32_t end, Visit&& visit) {
  for (uint32_t b = 0; b < end; ++b) {
    const Plan::Batch& batch = plan.batches[b];
    for (uint32_t i = 0; i < batch.count && batch.stage != Stage::kEarly; ++i) visit(plan.nodes[batch.begin + i]);
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
  for (uint32_t b = 0; b < joint_batch; ++b)
    if (plan.batches[b].stage != Stage::kEarly) nodes += plan.batches[b].count;
  threads = std::min(threads, kMostParts);
  if (threads < 2 || nodes < kLeastNodes) return false;
  begin_ = begin;
  const uint32_t n = end - begin;
  part_of_.resize(n);
  for (uint32_t local = 0; local < n; ++local) part_of_[local] = include[local] ? 0 : kJoint;
  for (uint32_t b = 0; b < plan.batches.size(); ++b) {
    const Plan::Batch& batch = plan.batches[b];
    if (batch.count == 0) continue;
    const bool first = batch.common || is_constant(record, plan.nodes[batch.begin]);
    if (b < joint_batch && !first) continue;
    for (uint32_t i = 0; i < batch.count; ++i)
      part_of_[plan.nodes[batch.begin + i] - begin] = b < joint_batch ? kFirst : kJoint;
  }
  if (cut(record, n, threads)) return true;
  parent_.resize(n);
  for (uint32_t i = 0; i < n; ++i) parent_[i] = i;
  for (uint32_t local = 0; local < end - begin; ++local) {
    if (!include[local] || part_of_[local] >= kFirst) continue;
    uint32_t own = root(local);
    const uint32_t stop = record.operands_end(begin + local);
    for (uint32_t i = record.nodes[begin + local].operands; i < stop; ++i) {
      const uint32_t operand = record.operands[i];
      if (operand < begin || !ties(record, operand - begin)) continue;
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

// Whether all that use a node must be in one part: it is in one itself, or it is computed before all parts but its
// gradient is what they add to.
inline bool Divider::ties(const Recorded& record, uint32_t local) const {
  const uint32_t flags = record.nodes[begin_ + local].flags;
  return part_of_[local] < kFirst || (flags & (Node::kTrained | Node::kGiven)) == Node::kTrained;
}

// Examples that were recorded one after the other: cuts the record between them, so that no node uses one from before
// its cut. Where examples are recorded side by side there is no place for a cut.
bool Divider::cut(const Recorded& record, uint32_t n, uint32_t threads) {
  // The earliest node that is used by nodes from `local` on, and how many of them are to be divided.
  cuts_.clear();
  uint32_t earliest = n;
  uint32_t behind = 0;
  for (uint32_t local = n; local-- > 0;) {
    if (part_of_[local] < kFirst) {
      ++behind;
      const uint32_t stop = record.operands_end(begin_ + local);
      for (uint32_t at = record.nodes[begin_ + local].operands; at < stop; ++at) {
        const uint32_t operand = record.operands[at] - begin_;
        if (record.operands[at] >= begin_ && operand < earliest && ties(record, operand)) earliest = operand;
      }
      if (earliest >= local) cuts_.push_back({local, behind});
    }
  }
  if (cuts_.size() < threads) return false;
  // The last cuts come first. Each part begins where what is behind comes closest to its share and that of the parts
  // after it.
  const uint32_t all = behind;
  size_t next = 0;
  uint32_t end = n;
  uint32_t taken = 0;
  for (uint32_t p = threads; p-- > 0;) {
    const double share = static_cast<double>(all) * (threads - p) / threads;
    while (next + 1 < cuts_.size() && std::abs(cuts_[next + 1].behind - share) <= std::abs(cuts_[next].behind - share))
      ++next;
    const Cut own = p == 0 ? Cut{0, all} : cuts_[next];
    if ((own.behind - taken) * static_cast<double>(threads) > kLargestPart * all) return false;
    for (uint32_t local = own.local; local < end; ++local)
      if (part_of_[local] < kFirst) part_of_[local] = static_cast<uint8_t>(p);
    end = own.local;
    taken = own.behind;
  }
  parts_ = threads;
  return true;
}

// Each piece, in the order of the record, goes to the part that is smallest so far.
bool Divider::assign_parts(const Plan& plan, uint32_t joint_batch, uint32_t threads) {
  size_.assign(parent_.size(), 0);
  uint32_t divided = 0;
  visit_nodes(plan, joint_batch, [&](uint32_t node) {
    if (part_of(node) == kFirst) return;
    ++size_[root(node - begin_)];
    ++divided;
  });
  Array<uint32_t> load(threads, 0);
  for (uint32_t local = 0; local < parent_.size(); ++local) {
    if (parent_[local] != local || size_[local] == 0) continue;
    const auto smallest = std::min_element(load.begin(), load.end());
    *smallest += size_[local];
    // From here on, the number of its part.
    size_[local] = static_cast<uint32_t>(smallest - load.begin());
  }
  const uint32_t largest = *std::max_element(load.begin(), load.end());
  if (largest * static_cast<double>(threads) > kLargestPart * divided) return false;
  visit_nodes(plan, joint_batch, [&](uint32_t node) {
    uint8_t& part = part_of_[node - begin_];
    if (part != kFirst) part = static_cast<uint8_t>(size_[root(node - begin_)]);
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

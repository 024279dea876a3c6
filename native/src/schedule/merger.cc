#include "schedule/merger.h"

#include <algorithm>

namespace dynnet {

// A node can equal an earlier one only if all its operands do, but for those that had a value before. The last operands
// are looked at first, since the first are mostly weights.
inline bool Merger::may_equal(const uint32_t* first, const uint32_t* stop) const {
  bool any = false;
  while (stop > first) {
    --stop;
    if (*stop < begin_) continue;
    const uint32_t operand = *stop - begin_;
    if (same_[operand] != operand)
      any = true;
    else if (include_[operand])
      return false;
  }
  return any;
}

bool Merger::find(const Recorded& record, uint32_t begin, uint32_t end, uint8_t* include, const TypeTable& types) {
  record_ = record;
  begin_ = begin;
  include_ = include;
  types_ = &types;
  const uint32_t n = end - begin;
  same_.resize(n);
  constexpr size_t kFirstSlots = 64;
  slots_.assign(kFirstSlots, kNone);
  sources_ = 0;
  any_ = false;
  derived_ = 0;
  merged_.clear();
  const Recorded r = record;
  uint32_t* const same = same_.data();
  const uint32_t probe = n < kLeastProbed ? n : n / 4;
  for (uint32_t i = 0; i < n; ++i) {
    if (i == probe && derived_ * kHopeful < i) {
      unjoin_all();
      return false;
    }
    same[i] = i;
    if (!include[i]) continue;
    const uint32_t* const first = r.operands + r.nodes[begin + i].operands;
    const uint32_t* const stop = r.operands + r.operands_end(begin + i);
    if (first == stop)
      merge_source(i);
    else if (any_ && may_equal(first, stop))
      merge(i);
  }
  return any_ && link();
}

// Nodes without operands are found by their hash.
void Merger::merge_source(uint32_t local) {
  const Node& node = record_.nodes[begin_ + local];
  if ((*types_)[node.type].random) return;
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15u;
  const auto hash_of = [&](uint32_t of) {
    uint64_t hash = record_.nodes[begin_ + of].type * kOdd;
    const uint32_t stop = record_.data_end(begin_ + of);
    for (uint32_t at = record_.nodes[begin_ + of].data; at < stop; ++at) hash = (hash ^ record_.data[at]) * kOdd;
    return hash >> 32;
  };
  if (2 * (sources_ + 1) > slots_.size()) {
    Array<uint32_t> old(2 * slots_.size(), kNone);
    old.swap(slots_);
    for (const uint32_t held : old) {
      if (held == kNone) continue;
      size_t slot = hash_of(held) & (slots_.size() - 1);
      while (slots_[slot] != kNone) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = held;
    }
  }
  for (size_t slot = hash_of(local) & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot] == kNone) {
      slots_[slot] = local;
      ++sources_;
      return;
    }
    if (equal(local, slots_[slot])) return join(local, slots_[slot]);
  }
}

// Where the same program recorded this node and its equal, both lie as far behind their operands. If what lies there
// is no equal, as where words begin alike and go on differently, those are tried that came to the same place before.
void Merger::merge(uint32_t local) {
  if ((*types_)[record_.nodes[begin_ + local].type].random) return;
  uint32_t latest = kNone;
  const uint32_t stop = record_.operands_end(begin_ + local);
  for (uint32_t at = record_.nodes[begin_ + local].operands; at < stop; ++at) {
    if (record_.operands[at] < begin_) continue;
    const uint32_t operand = record_.operands[at] - begin_;
    if (same_[operand] != operand && (latest == kNone || same_[operand] > same_[latest])) latest = operand;
  }
  const uint32_t place = same_[latest] + (local - latest);
  // Enough for the letters that follow one beginning; a bound, so that many different ones take no quadratic time.
  constexpr int kMostTries = 64;
  int tries = 0;
  for (uint32_t other = place; other != kNone && tries < kMostTries; ++tries) {
    if (same_[other] == other && include_[other] && equal(local, other)) {
      join(local, other);
      use_operands(local);
      use_operands(other);
      ++derived_;
      return;
    }
    other = other == place ? others_[place] : next_other_[other];
  }
  next_other_[local] = others_[place];
  others_[place] = local;
}

void Merger::unjoin(uint32_t local) {
  same_[local] = local;
  include_[local] = 1;
}

void Merger::unjoin_all() {
  for (const uint32_t i : merged_) unjoin(i);
}

void Merger::use_operands(uint32_t local) {
  const uint32_t stop = record_.operands_end(begin_ + local);
  for (uint32_t at = record_.nodes[begin_ + local].operands; at < stop; ++at)
    if (record_.operands[at] >= begin_) used_[record_.operands[at] - begin_] = 1;
}

bool Merger::equal(uint32_t a, uint32_t b) const {
  const Node& left = record_.nodes[begin_ + a];
  const Node& right = record_.nodes[begin_ + b];
  if (left.type != right.type) return false;
  const uint32_t words = record_.data_end(begin_ + a) - left.data;
  return words == record_.data_end(begin_ + b) - right.data &&
         std::equal(record_.data + left.data, record_.data + left.data + words, record_.data + right.data) &&
         equal_operands(a, b);
}

bool Merger::equal_operands(uint32_t a, uint32_t b) const {
  const uint32_t* left = record_.operands + record_.nodes[begin_ + a].operands;
  const uint32_t* right = record_.operands + record_.nodes[begin_ + b].operands;
  const uint32_t* const end = record_.operands + record_.operands_end(begin_ + a);
  for (; left < end; ++left, ++right) {
    if (*left == *right) continue;
    if (*left < begin_ || *right < begin_ || same_[*left - begin_] != same_[*right - begin_]) return false;
  }
  return true;
}

void Merger::join(uint32_t local, uint32_t same) {
  if (!any_) {
    any_ = true;
    used_.assign(same_.size(), 0);
    others_.assign(same_.size(), kNone);
    next_other_.resize(same_.size());
  }
  same_[local] = same;
  include_[local] = 0;
  merged_.push_back(local);
}

// Lists the nodes that equal each common one, if they are worth the batches of their own that those have. A node
// without operands that equals another is left as it is unless that serves a node with operands: reading a row twice
// costs less than keeping account of it.
bool Merger::link() {
  constexpr uint32_t kWorth = 16;
  const auto n = static_cast<uint32_t>(same_.size());
  uint32_t kept = 0;
  for (const uint32_t i : merged_) {
    const bool source = record_.nodes[begin_ + i].operands == record_.operands_end(begin_ + i);
    if (source && !used_[i])
      unjoin(i);
    else
      merged_[kept++] = i;
  }
  merged_.resize(kept);
  if (kept * kWorth < n) {
    unjoin_all();
    return false;
  }
  next_.assign(n, kNone);
  Array<uint32_t>& last = next_other_;
  for (const uint32_t i : merged_) {
    const uint32_t same = same_[i];
    next_[next_[same] == kNone ? same : last[same]] = i;
    last[same] = i;
  }
  return true;
}

}  // namespace dynnet

// Nodes that compute the same: the same words, the same beginnings of words, the same small trees of several examples.
#ifndef DYNNET_SCHEDULE_MERGER_H_
#define DYNNET_SCHEDULE_MERGER_H_

#include <cstdint>

#include "graph/node.h"
#include "graph/type_table.h"
#include "memory/array.h"

namespace dynnet {

/// Finds nodes of one type with equal attributes whose operands are equal, down to nodes without operands; the first of
/// them is computed for all. All that such a common node depends on is common too, or was computed before, so common
/// nodes can run before all others.
class Merger {
 public:
  /// Looks among those nodes of [begin, end) for which `include` is not 0, and sets it to 0 for each that equals an
  /// earlier one. include[i] is for node begin + i, as all numbers below. False if there are none, or so few that
  /// finding them was all the gain.
  bool find(const Recorded& record, uint32_t begin, uint32_t end, uint8_t* include, const TypeTable& types);

  /// The node that is computed for a node, which may be itself.
  uint32_t same(uint32_t local) const { return same_[local]; }
  /// The same for each node, one after the other.
  const uint32_t* all_same() const { return same_.data(); }
  /// Whether a node is computed for others too.
  bool is_common(uint32_t local) const { return next_[local] != kNone && same_[local] == local; }
  /// Calls visit(local) for each node that is computed by another one, in ascending order.
  template <class Visit>
  void visit_others(uint32_t common, Visit&& visit) const {
    for (uint32_t i = next_[common]; i != kNone; i = next_[i]) visit(i);
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  /// Of so many nodes, the search ends after a quarter if of those fewer than one in `kHopeful` equals another by its
  /// operands: where examples have little in common, looking at all of them would be all that comes of it.
  static constexpr uint32_t kLeastProbed = 512;
  static constexpr uint32_t kHopeful = 64;

  void merge_source(uint32_t local);
  /// Whether a node with these operands may.
  bool may_equal(const uint32_t* first, const uint32_t* stop) const;
  void merge(uint32_t local);
  bool equal(uint32_t a, uint32_t b) const;
  bool equal_operands(uint32_t a, uint32_t b) const;
  void join(uint32_t local, uint32_t same);
  void unjoin(uint32_t local);
  void unjoin_all();
  void use_operands(uint32_t local);
  bool link();

  // Of the call.
  Recorded record_{};
  uint32_t begin_ = 0;
  uint8_t* include_ = nullptr;
  const TypeTable* types_ = nullptr;

  /// By node: the one that it equals; the next that equals the same one; whether it is an operand of one that equals
  /// another.
  Array<uint32_t> same_;
  Array<uint32_t> next_;
  Array<uint8_t> used_;
  /// By node: the first and the next of those that looked for an equal there and found none.
  Array<uint32_t> others_;
  Array<uint32_t> next_other_;
  /// A hash table of nodes without operands, and how many there are.
  Array<uint32_t> slots_;
  uint32_t sources_ = 0;
  bool any_ = false;
  /// How many nodes with operands equal another.
  uint32_t derived_ = 0;
  /// The nodes that equal another, ascending.
  Array<uint32_t> merged_;
};

}  // namespace dynnet

#endif  // DYNNET_SCHEDULE_MERGER_H_

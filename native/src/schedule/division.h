// A plan divided among threads. A graph of several examples mostly falls apart into as many pieces, which meet only
// where their losses are summed: each thread computes its own examples' part of every batch and waits for nobody.
#ifndef DYNNET_SCHEDULE_DIVISION_H_
#define DYNNET_SCHEDULE_DIVISION_H_

#include <cstdint>

#include "schedule/schedule.h"

namespace dynnet {

/// The nodes of a plan by batch and part. No node uses a result of another part; but all may use what is computed
/// first: constants, and nodes that are computed for others too, since one that many examples use must not make one
/// piece of them.
class Division {
 public:
  struct Part {
    /// Its nodes of the batch.
    const uint32_t* nodes;
    /// The place of each among the nodes of the plan's batch, ascending.
    const uint32_t* places;
    uint32_t count;
  };

  /// 0 where the plan is not divided.
  uint32_t parts() const { return parts_; }
  /// The batches from this one on belong to no part, and come after all of them.
  uint32_t joint_batch() const { return joint_batch_; }
  Part part(uint32_t batch, uint32_t part) const {
    const uint32_t* begin = &begins_[first_part(batch) + part];
    return {nodes_.data() + begin[0], places_.data() + begin[0], begin[1] - begin[0]};
  }
  /// The nodes of a batch, part after part; none if it has to be computed before the parts.
  const uint32_t* nodes(uint32_t batch) const { return nodes_.data() + begins_[first_part(batch)]; }
  bool is_first(uint32_t batch) const { return begins_[first_part(batch)] == begins_[first_part(batch) + parts_]; }
  void clear() { parts_ = 0; }

 private:
  friend class Divider;
  size_t first_part(uint32_t batch) const { return size_t{batch} * parts_; }
  uint32_t parts_ = 0;
  uint32_t joint_batch_ = 0;
  Array<uint32_t> nodes_;
  Array<uint32_t> places_;
  Array<uint32_t> begins_;
};

class Divider {
 public:
  static constexpr uint32_t kMostParts = 253;

  /// Finds `threads` parts of about the same size for the nodes of a plan, all of which are in [begin, end) and have
  /// not 0 in `include`; all their other operands have values. False if there are none, or the plan is too small.
  /// @param joint_batch the batches from this one on need not be divided
  bool find_parts(const Recorded& record, uint32_t begin, uint32_t end, const uint8_t* include, const Plan& plan,
                  uint32_t joint_batch, uint32_t threads);
  /// Divides a plan by the parts that were found; its nodes are among those of the plan that they were found for, in an
  /// order of batches that agrees with that one's.
  void divide(const Plan& plan, Division* division);

 private:
  uint32_t root(uint32_t local);
  /// The part of a node; kJoint for those that were recorded since.
  uint8_t part_of(uint32_t node) const { return node - begin_ < part_of_.size() ? part_of_[node - begin_] : kJoint; }
  bool ties(const Recorded& record, uint32_t local) const;
  bool cut(const Recorded& record, uint32_t n, uint32_t threads);
  bool assign_parts(const Plan& plan, uint32_t joint_batch, uint32_t threads);

  static constexpr uint8_t kJoint = 255;
  static constexpr uint8_t kFirst = 254;
  static bool is_constant(const Recorded& record, uint32_t node);
  uint32_t begin_ = 0;
  uint32_t parts_ = 0;
  /// A place in the record that no node uses another across, and how many nodes are to be divided from there on.
  struct Cut {
    uint32_t local;
    uint32_t behind;
  };
  Array<Cut> cuts_;
  // By local node number: another node of the same piece; the piece's size, at its root; the node's part.
  Array<uint32_t> parent_;
  Array<uint32_t> size_;
  Array<uint8_t> part_of_;
  Array<uint32_t> next_;
};

}  // namespace dynnet

#endif  // DYNNET_SCHEDULE_DIVISION_H_

// Automatic batching: the order in which nodes run, and which run together.
#ifndef DYNNET_SCHEDULE_SCHEDULE_H_
#define DYNNET_SCHEDULE_SCHEDULE_H_

#include <cstdint>

#include "graph/node.h"
#include "graph/type_table.h"
#include "memory/array.h"
#include "schedule/merger.h"

namespace dynnet {

/// Batches of nodes in an order that respects dependencies.
struct Plan {
  struct Batch {
    /// Where its nodes begin in `nodes`.
    uint32_t begin;
    uint32_t count;
    uint32_t type;
    Stage stage = Stage::kWhole;
    /// What OpDef::early said.
    int32_t early = 0;
    /// Of a late stage: the batch that is its early stage, whose nodes are those of all its late stages in their order.
    uint32_t owner = 0;
    /// Whether its nodes are computed for others too. Such batches come first.
    bool common = false;
    /// Where those others begin in `aliases`, and how many there are.
    uint32_t aliases = 0;
    uint32_t alias_count = 0;
  };
  /// A node that is not computed, since it equals another one.
  struct Alias {
    uint32_t node;
    uint32_t of;
    /// Whether it is an operand of a node that is computed.
    bool used;
  };
  static constexpr uint32_t kNone = ~uint32_t{0};

  Array<Batch> batches;
  Array<uint32_t> nodes;
  Array<Alias> aliases;
  /// The trained node that all other trained nodes of the plan lead to by trained ones; none if there is no such node,
  /// or the plan does not begin with the first node of the graph.
  uint32_t sink = kNone;
  /// By node: whether backward from `sink` wants its gradient. It is trained and an operand of a trained one.
  Array<uint8_t> wanted;

  void clear() {
    batches.clear();
    nodes.clear();
    aliases.clear();
    sink = kNone;
  }
  /// A batch of one node.
  void append_alone(uint32_t node, uint32_t type) {
    sink = kNone;
    batches.push_back({static_cast<uint32_t>(nodes.size()), 1, type});
    nodes.push_back(node);
  }
};

/// Makes plans. Types depend on each other as their nodes do; those that do so in a circle, as the parts of a recurrent
/// cell, are a component. Components run one after the other in the order of their dependence, so that what comes after
/// a recurrence, such as the losses, runs once and whole. Within a component the type with the largest share of its
/// remaining nodes ready runs next, all its ready nodes together, so that types wait until they can run whole (the
/// ratio heuristic of ED-Batch, Chen et al. 2023); of equals the one whose first ready node is least deep. Nodes that
/// equal others are computed once, and first.
class Scheduler {
 public:
  /// Plans those nodes of [begin, end) for which `include` is not 0; all their other operands have values. include[i]
  /// is for node begin + i, and is set to 0 for nodes that equal others, if those are merged.
  void schedule(const Recorded& record, uint32_t begin, uint32_t end, uint8_t* include, const TypeTable& types,
                bool merge, Plan* plan);

 private:
  struct Group {
    uint32_t type;
    uint32_t component;
    uint32_t remaining;
    uint32_t ready;
    uint32_t depth;
    /// Where the ready ones begin in `ready_`; before them are those that have run.
    uint32_t first;
    /// Bit i is set if operand i of some node is computed in the group's own component; only where types have an early
    /// stage.
    uint32_t unready;
    /// The early stage, once there is one.
    uint32_t early_batch;
    bool may_be_early = false;
    bool common = false;
  };
  /// What a plan knows of a node, by its number counted from the first.
  struct Local {
    uint32_t group;
    /// For how many operands it waits, counted as often as they are used.
    uint32_t waiting;
    /// The first of the list of those that wait for it, in `successors_`.
    uint32_t successor;
  };
  struct Successor {
    uint32_t node;
    uint32_t next;
  };
  // For more groups than this, all are one component: a search over them would take longer than it saves.
  static constexpr size_t kMostGroups = 1024;

  uint32_t group_of(uint32_t type, bool common);
  /// The node that is computed for a node.
  uint32_t computed(uint32_t local) const { return merged_ ? merger_.same(local) : local; }
  void append_aliases(size_t first_node, uint32_t begin, Plan* plan);
  void find_dependences(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include, uint32_t type_count,
                        Plan* plan);
  template <bool kMerged>
  void visit_edges(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include, uint8_t* wanted);
  void find_ready(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include, Plan* plan);
  void find_components();
  void visit(uint32_t group, uint32_t* visited, uint32_t* components);
  void find_unready(const Recorded& record, uint32_t begin, uint32_t n, const uint8_t* include, const TypeTable& types);
  void append_batch(Group& group, const Type& type, Plan* plan);
  static void list_early_nodes(size_t first_batch, Plan* plan);
  void make_ready(const Node& node, uint32_t local);
  bool better(const Group& a, const Group& b) const;

  Merger merger_;
  bool merged_ = false;

  // Scratch, kept between plans.
  Array<Local> locals_;
  /// The nodes that wait, in a list for each that they wait for.
  Array<Successor> successors_;
  Array<Group> groups_;
  /// Nodes that are ready or have run, group by group.
  Array<uint32_t> ready_;
  Array<uint32_t> active_;
  /// Of common nodes and of others.
  Array<uint32_t> group_of_type_[2];
  /// By node: whether it is an operand of one that is computed; only where nodes were merged.
  Array<uint8_t> used_;
  // For each group a row of bytes, as many as a power of two: whether it uses the results of each group.
  Array<uint8_t> uses_;
  uint32_t row_size_ = 0;
  bool has_components_ = false;
  // Tarjan's depth-first search: when each group was first seen, the earliest that it leads back to, and the groups
  // that have no component yet.
  Array<uint32_t> seen_;
  Array<uint32_t> back_;
  Array<uint32_t> open_;
};

}  // namespace dynnet

#endif  // DYNNET_SCHEDULE_SCHEDULE_H_

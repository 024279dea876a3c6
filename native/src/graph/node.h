// What a graph records of each node.
#ifndef DYNNET_GRAPH_NODE_H_
#define DYNNET_GRAPH_NODE_H_

#include <cstdint>

namespace dynnet {

struct Node {
  uint32_t type;
  /// Where its operands begin.
  uint32_t operands;
  /// Where its own attributes begin.
  uint32_t data;
  uint32_t stamp;
  /// The longest path from a node without operands.
  uint32_t depth;
  uint32_t flags;

  /// Depends on parameters only, so that it may be a weight.
  static constexpr uint32_t kOfParameters = 1;
  /// Depends on a parameter or lookup whose gradient is wanted.
  static constexpr uint32_t kTrained = 2;
  /// Has its value from when it was recorded: parameters and inputs.
  static constexpr uint32_t kGiven = 4;
  /// Is computed together with the next node only, which is its activation; it has a value when that is asked for.
  static constexpr uint32_t kFolded = 8;
  /// Has taken over the operands of the node before it, whose activation it is.
  static constexpr uint32_t kFolds = 16;
  /// Stands for a folded one that was computed with its activation already.
  static constexpr uint32_t kCopy = 32;
  /// From this bit on: how often the graph had been reverted when the node was recorded.
  static constexpr int kRevertsShift = 8;
};

/// All nodes of a graph, their operands and attributes, as those see them who only read.
struct Recorded {
  const Node* nodes;
  uint32_t count;
  const uint32_t* operands;
  uint32_t operands_count;
  const uint32_t* data;
  uint32_t data_count;

  /// Where the operands of a node end. A folded node has none: the next one took them over, behind which lies its own.
  uint32_t operands_end(uint32_t node) const {
    const uint32_t next = node + 1 < count ? nodes[node + 1].operands : operands_count;
    return next - ((nodes[node].flags & Node::kFolds) != 0 ? 1 : 0);
  }
  /// Where the attributes of a node end.
  uint32_t data_end(uint32_t node) const { return node + 1 < count ? nodes[node + 1].data : data_count; }
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_NODE_H_

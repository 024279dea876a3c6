// One backward pass over a graph.
#ifndef DYNNET_GRAPH_BACKWARD_H_
#define DYNNET_GRAPH_BACKWARD_H_

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace dynnet {

/// Products with a shared left operand W: y = W x. The gradient of W, the sum of dy x^T over all uses in the graph, is
/// one product per weight, done when all uses have been seen.
class DeferredProducts {
 public:
  /// One use: n columns d of m floats and x of k floats. Their memory must last until the sum is done.
  struct Use {
    Rows d;
    Rows x;
    int64_t n;
  };
  struct Weight {
    uint32_t node;
    int64_t m;
    int64_t k;
    std::vector<Use> uses;
  };

  void add(uint32_t node, int64_t m, int64_t k, const Use& use);
  /// The weight's uses so far, or null.
  Weight* find(uint32_t node);
  std::vector<Weight>& weights() { return weights_; }

  /// g (+)= the sum of d x^T over all uses, which are then forgotten.
  static void sum(Weight& weight, float* g, bool accumulate, const Kernels& k, Arena& scratch);

 private:
  std::vector<Weight> weights_;
};

/// Which gradient set takes a model's gradients, and the locks of those in use.
class GradientTargets {
 public:
  /// `given` takes its own model's gradients, each other model's own set the rest.
  explicit GradientTargets(GradientSet* given) : given_(given) {}
  GradientTargets(const GradientTargets&) = delete;
  GradientTargets& operator=(const GradientTargets&) = delete;
  ~GradientTargets();

  /// Uses sets that are thrown away afterwards, instead of any model's own.
  void use_temporary() { temporary_ = true; }
  /// Throws DN_E_BUSY if another pass writes the set.
  GradientSet& of(Storage& storage);
  /// Throws DN_E_ARGUMENT if the given set takes none of the gradients.
  void check_given() const;

 private:
  GradientSet* given_;
  bool temporary_ = false;
  std::vector<GradientSet*> locked_;
  std::vector<std::unique_ptr<GradientSet>> made_;
};

class BackwardPass {
 public:
  BackwardPass(Graph& graph, GradientTargets& targets, bool full) : graph_(graph), targets_(targets), full_(full) {}
  void run(uint32_t root);

  // What Backward offers to operations.
  bool wants(const Backward& batch, int operand) const;
  Backward::Operand operand(const Backward& batch, int number);
  DeferredProducts& deferred() { return deferred_; }
  GradientTargets& targets() { return targets_; }
  uint32_t operand_of(uint32_t node, int operand) const {
    return graph_.operands_[graph_.nodes_[node].operands + static_cast<uint32_t>(operand)];
  }

 private:
  void lock_targets(uint32_t root);
  void find_wanted(uint32_t root);
  void make_plan(uint32_t root);
  void run_batch(const Plan::Batch& batch, const uint32_t* nodes);
  /// The memory of a node's gradient; `first` tells whether nothing was put there yet, so that it is not set.
  float* touch(uint32_t node, bool* first);
  void finish_weights_among(const uint32_t* nodes, uint32_t count);
  void finish_parameters();

  Graph& graph_;
  GradientTargets& targets_;
  const bool full_;
  uint8_t* wanted_ = nullptr;
  uint8_t* touched_ = nullptr;
  DeferredProducts deferred_;
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_BACKWARD_H_

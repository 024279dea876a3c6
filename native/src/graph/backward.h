// One backward pass over a graph.
#ifndef DYNNET_GRAPH_BACKWARD_H_
#define DYNNET_GRAPH_BACKWARD_H_

#include <cstdint>
#include <vector>

#include "graph/deferred.h"
#include "graph/graph.h"

namespace dynnet {

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

class BackwardPass;

/// What one thread of a pass works with.
struct BackwardPart {
  BackwardPass& pass;
  Arena& scratch;
  /// The batch that is being run.
  BatchPlace place{};
  Deferred deferred{};

  // What Backward offers to operations.
  bool wants(const Backward& batch, int operand) const;
  Backward::Operand operand(const Backward& batch, int number);
  void defer(const Backward& batch, int operand, int64_t m, int64_t k, Rows d, Rows x, int64_t n);
  void add_rows(const dn_lookup_parameter& table, const int32_t* rows, const float* const* values, int64_t n);
};

class BackwardPass {
 public:
  /// @param each whether to find the gradient of each node, of those too that equal others
  BackwardPass(Graph& graph, GradientTargets& targets, bool full, bool each = false)
      : graph_(graph),
        targets_(targets),
        full_(full),
        replans_(!graph.plan_is_whole_ || ((full || each) && !graph.plan_.aliases.empty())),
        main_{*this, graph.scratch_} {}
  void run(uint32_t root);

 private:
  friend struct BackwardPart;

  /// What is known of a node's gradient, as bits.
  static constexpr uint8_t kWanted = 1;
  /// Something was put there; before that, it is not set.
  static constexpr uint8_t kTouched = 2;

  uint32_t operand_of(uint32_t node, int operand) const {
    return graph_.operands_[graph_.nodes_[node].operands + static_cast<uint32_t>(operand)];
  }
  void lock_targets(uint32_t root);
  void find_wanted(uint32_t root);
  /// The nodes that equal others, of those that the pass runs.
  const Array<Plan::Alias>& aliases() const { return plan_->aliases; }
  /// For each node the one that was computed for it; null where that is itself for all.
  const uint32_t* computed_nodes(uint32_t root) const;
  void make_plan(uint32_t root);
  /// Whether the forward's plan may run as it is: the nodes of each batch are all wanted, or none of them.
  bool is_as_forward(uint32_t root) const;
  /// Whether the nodes of a batch of the plan are wanted.
  bool is_run(const Plan::Batch& batch) const { return batch.count > 0 && wanted_[plan_->nodes[batch.begin]] != 0; }
  void copy_plan(uint32_t root, const uint8_t* include);
  void divide(uint32_t root, const uint8_t* include);
  /// Whether each parameter whose gradient is wanted has it from what is deferred, so that threads do not meet there.
  bool defers_all() const;
  /// Whether a node is trained and its gradient what uses of all parts would add to: parameters and whole tables.
  bool is_shared_target(uint32_t node) const {
    constexpr uint32_t kBoth = Node::kGiven | Node::kTrained;
    return (graph_.nodes_[node].flags & kBoth) == kBoth;
  }
  bool takes_gradient(const Graph::WholeTable& whole, uint32_t root) const {
    return whole.node <= root && wanted_[whole.node] != 0 && is_shared_target(whole.node);
  }
  float* allocate_gradients(const Plan::Batch& batch);
  void number_slots(uint32_t root);
  /// Calls visit(parameter, node) for the parameters whose gradients go straight into a gradient set, which other uses
  /// and other graphs add to as well.
  template <class Visit>
  void visit_parameters(uint32_t root, Visit visit) const {
    for (const Graph::UsedParameter& used : graph_.parameters_)
      if (used.node <= root && wanted_[used.node] && graph_.type_of(used.node).def->trained)
        visit(*used.parameter, used.node);
  }
  /// Finds the memory of these parameters' gradients, once for all uses.
  void place_parameters(uint32_t root);
  /// Their gradients are there. Each node's own stays unknown: Graph::gradient finds it when it is asked for.
  void keep_parameters(uint32_t root);
  uint8_t& state(uint32_t node) { return states_[slots_[node]]; }
  float* gradient_of(uint32_t node) const { return graph_.gradients_[node]; }
  bool wants(uint32_t node) const { return (states_[slots_[node]] & kWanted) != 0; }
  /// The states of the nodes that are operand `number` of a batch's nodes, one after the other as their gradients are;
  /// null where those lie otherwise.
  uint8_t* row_of_states(const Backward& batch, int number, int64_t size);
  void run_divided();
  /// Adds the gradients of the nodes that equal those of a batch to theirs.
  void merge_gradients(const Plan::Batch& batch);
  /// Runs some nodes of a batch, which are all of it unless it is divided.
  /// @param lane of the profile
  void run_batch(BackwardPart& part, uint32_t batch, const uint32_t* nodes, uint32_t count, uint32_t lane = 0);
  const Rows* operand_rows(uint32_t batch, const uint32_t* nodes, uint32_t count, uint32_t lane, Arena& scratch);
  /// The memory of a node's gradient; `first` tells whether nothing was put there yet, so that it is not set.
  float* touch(uint32_t node, bool* first);
  void finish_weights_among(const uint32_t* nodes, uint32_t count);
  void finish_parameters();
  void finish_tables(uint32_t root);

  Graph& graph_;
  GradientTargets& targets_;
  const bool full_;
  /// Whether the pass has a plan of its own instead of the forward's, or what is wanted of that.
  const bool replans_;
  const Plan* plan_ = &graph_.backward_plan_;
  const Division* division_ = &graph_.backward_division_;
  const uint8_t* wanted_ = nullptr;
  /// Whether the forward's plan knew what is wanted.
  bool knows_wanted_ = false;
  /// Each node's place in `states_`: first the nodes of the plan, in the order in which their gradients lie.
  uint32_t* slots_ = nullptr;
  uint8_t* states_ = nullptr;
  /// How many nodes the plan has that are run, which is where their slots end.
  uint32_t planned_ = 0;
  /// Whether the pass runs the batches of the forward, the same nodes together or fewer.
  bool as_forward_ = false;
  /// Of what is not divided.
  BackwardPart main_;
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_BACKWARD_H_

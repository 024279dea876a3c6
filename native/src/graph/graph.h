// A computation graph: arrays in which nodes are recorded, and the values and gradients that were computed from them.
#ifndef DYNNET_GRAPH_GRAPH_H_
#define DYNNET_GRAPH_GRAPH_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "dynnet/dynnet.h"
#include "graph/entrance.h"
#include "graph/node.h"
#include "graph/profile.h"
#include "graph/type_table.h"
#include "memory/arena.h"
#include "nn/gradients.h"
#include "nn/model.h"
#include "ops/context.h"
#include "schedule/division.h"
#include "schedule/schedule.h"

namespace dynnet {

/// An operation as it is recorded: what the extern "C" bodies gather from their arguments.
struct Call {
  static constexpr int kMostWords = 32;
  Op op;
  const dn_expr* operands = nullptr;
  int32_t operand_count = 0;
  /// Scalars, shapes and lists of the type (OpDef::static_lists) in the order of the C parameters.
  uint32_t words[kMostWords];
  int32_t word_count = 0;
  /// The parameter or lookup parameter, and the number that identifies it.
  void* object = nullptr;
  uint64_t object_id = 0;
  Storage* storage = nullptr;
  /// The values of an input.
  const float* values = nullptr;
  int64_t values_count = -1;
  /// Indices: the node's own, or the places of an input's values.
  const int32_t* indices = nullptr;
  int64_t indices_count = -1;
  /// Memory that is read at each forward.
  const void* bound = nullptr;
};

class Graph {
 public:
  Graph();
  ~Graph();

  // ---- life; see pool.cc ----
  static dn_graph* create(uint64_t seed);
  /// Frees the graph now, or when the call that is inside leaves.
  static void free(dn_graph* graph);
  /// Throws DN_E_BUSY if a call is inside, DN_E_DISPOSED if the graph is freed.
  Entrance::Entry enter() {
    const Entrance::Entry entry = entrance_.enter();
    if (entry > Entrance::Entry::kOther) [[unlikely]]
      refuse(entry);
    return entry;
  }
  void leave(Entrance::Entry entry) {
    if (entrance_.leave(entry)) [[unlikely]]
      recycle();
  }

  // ---- recording ----
  dn_expr record(const Call& call);
  void renew();
  void checkpoint();
  void revert();
  uint32_t size() const { return static_cast<uint32_t>(nodes_.size()); }
  /// The node of an expression; throws if it is none of this graph's, naming `what`.
  uint32_t checked(dn_expr x, const char* what) const {
    if (x.node < nodes_.size() && nodes_[x.node].stamp == x.stamp && x.stamp != 0) [[likely]]
      return x.node;
    report_stale(x, what);
  }
  const Type& type_of(uint32_t node) const { return types_[nodes_[node].type]; }
  /// The parameter that an operand of a node is, or null.
  dn_parameter* parameter(uint32_t node, uint32_t operand) const;
  void set_input(uint32_t node, const float* values, int64_t count);
  void set_indices(uint32_t node, const int32_t* indices, int64_t count);

  // ---- computing ----
  void forward(uint32_t node);
  /// Forgets all values.
  void invalidate() { forget(size()); }
  void incremental_forward(uint32_t node);
  /// The node's value, computed if it was not yet.
  const float* value(uint32_t node);
  void backward(uint32_t node, GradientSet* gradients, bool full);
  const float* gradient(uint32_t node) { return gradient(node, node); }

  /// See the dn_graph functions of these names.
  void top_k(uint32_t node, int32_t dim, int32_t k, int32_t* indices, int64_t count);
  void sample(uint32_t node, int32_t dim, int32_t draws, int32_t* indices, int64_t count);
  dn_gradient_check check_gradients(uint32_t node, const dn_model& model, double step, double tolerance, int64_t most);
  const std::string& gradient_report() const { return gradient_report_; }
  const std::string& graphviz();

  void set_immediate(bool on) { immediate_ = on; }
  void set_check_values(bool on) { check_values_ = on; }
  void set_batching(bool on) { batching_ = on; }
  dn_batch_stats batch_stats() const;
  const std::string& batching_report();
  /// Begins a new profile, or ends and forgets it.
  void set_profiling(bool on);
  /// Throws DN_E_STATE if there is none.
  Profile& profile();

 private:
  friend class BackwardPass;

  /// A node whose value or index comes from outside.
  struct Input {
    uint32_t node;
    /// Where an input's value lies until renewal; null for a lookup.
    float* value;
    /// The caller's memory, read at each forward; or null.
    const void* bound;
    /// What the next forward copies to `value`; empty if that stays.
    Buffer pending;
  };
  /// What the next forward makes a node's own attributes.
  struct PendingIndices {
    uint32_t node;
    Array<uint32_t> words;
  };
  /// The version is that which the values were computed from, once the node is below `computed_`.
  struct UsedParameter {
    dn_parameter* parameter;
    uint32_t node;
    uint64_t version;
  };
  struct UsedTable {
    dn_lookup_parameter* table;
    /// The first that reads it.
    uint32_t node;
    uint64_t version;
  };
  /// A table that is a node as a whole.
  struct WholeTable {
    dn_lookup_parameter* table;
    uint32_t node;
  };
  struct Checkpoint {
    uint32_t nodes, computed, forwards;
    size_t operands, data, inputs, parameters, tables, whole_tables, models, folded_values;
    Arena::Mark values, inputs_memory;
  };

  [[noreturn]] void report_stale(dn_expr x, const char* what) const;
  Recorded recorded() const {
    return {nodes_.data(),    size(),
            operands_.data(), static_cast<uint32_t>(operands_.size()),
            data_.data(),     static_cast<uint32_t>(data_.size())};
  }
  uint32_t make_type(const Call& call, const KeyWriter& key);
  std::unique_ptr<Type> describe(const Call& call) const;
  /// Whether an operation can be one with its operand: with the affine transformation that was recorded just before.
  bool folds(const Call& call, const OpDef& def) const;
  dn_expr fold(Op activation);
  void unfold(uint32_t folded);
  /// As `record`, where some operands are folded.
  dn_expr record_unfolded(const Call& call);
  /// The node that is used for a folded one: itself, no longer folded, or a copy.
  /// @param what uses it, for messages
  uint32_t unfolded(uint32_t node, const char* what);
  /// The node that gradients begin at for the one that was asked for. Parameters may have changed since its value was
  /// computed.
  uint32_t root_of(uint32_t node, const char* what);
  dn_expr append(const Call& call, uint32_t type, uint32_t depth, uint32_t flags);
  void append_data(const Call& call, uint32_t type);
  /// The node that a parameter or whole table has already; none if it has not.
  dn_expr existing(const Call& call) const;
  dn_expr existing_parameter(const Call& call) const;
  void give_value(const Call& call, uint32_t node);
  void use_table(dn_lookup_parameter* table, uint32_t node);
  void use_model(Storage* storage);
  void advance_stamp();

  bool is_folded(uint32_t node) const { return (nodes_[node].flags & Node::kFolded) != 0; }
  /// Gives a folded node its value.
  void compute_folded(uint32_t node);
  /// The same where all its operands have values.
  void run_folded(uint32_t node);
  const float* gradient_of_folded(uint32_t node);
  /// @param asked the node that messages name
  const float* gradient(uint32_t node, uint32_t asked);
  bool parameters_changed() const;
  void note_versions(uint32_t begin, uint32_t end);
  void check_bound_indices(uint32_t end) const;
  void take_pending(uint32_t end);
  /// Reads the callers' memory for nodes before `end` that have not read it yet. What it returns is `inputs_read_` once
  /// they are computed.
  size_t read_inputs(uint32_t end);
  void drop_values(uint32_t begin, uint32_t end);
  /// Forgets the values of all nodes, and takes what was set for those before `end`.
  void forget(uint32_t end);
  void compute(uint32_t end);
  void make_plan(uint32_t begin, uint32_t end);
  /// Divides a plan of nodes in [begin, end) among threads if that is worth it.
  void divide(const Plan& plan, uint32_t begin, uint32_t end, const uint8_t* include, Divider* divider,
              Division* division);
  /// Which batches at the end of a plan add up what others computed.
  uint32_t first_joint_batch(const Plan& plan) const;
  void make_parts(uint32_t count);
  /// Runs all parts, and throws the first one's error. Whether other threads took part.
  bool run_parts(uint32_t count, const std::function<void(uint32_t)>& run_part);
  void run_batches(uint32_t first);
  void run_divided();
  uint64_t random_key(uint32_t node) const;
  /// Where the values of some nodes of one type lie, and what forward keeps for backward; y is null if they are views.
  struct Results {
    float* y;
    float* aux;
  };
  Results allocate_results(const Plan::Batch& batch, uint32_t node);
  /// Runs some nodes of a batch, which are all of it unless it is divided.
  /// @param lane of the profile
  /// @return the rows of the operands, in `rows`
  const Rows* run(const Plan::Batch& batch, const uint32_t* nodes, uint32_t count, Results results, Arena& rows,
                  Arena& scratch, uint32_t lane = 0);
  /// The time now, if there is a profile; else none, which costs nothing.
  Profile::Clock::time_point profile_time() const {
    return profile_ != nullptr ? Profile::Clock::now() : Profile::Clock::time_point{};
  }
  void note(Phase phase, Profile::Clock::time_point begin, const Type* type = nullptr, uint32_t nodes = 0,
            uint32_t lane = 0) {
    if (profile_ != nullptr) [[unlikely]]
      profile_->lane(lane).add(phase, type, nodes, begin);
  }
  void check(const uint32_t* nodes, uint32_t count);
  /// Gives the nodes that equal those of a batch their values.
  void assign_aliases(const Plan::Batch& batch);
  void assign_views(const Type& type, const uint32_t* nodes, uint32_t count);
  /// The rows that the values of the operands of some nodes are, for each operand.
  Rows* operand_rows(const Type& type, const uint32_t* nodes, uint32_t count, Arena& memory) const;
  Rows rows_of(const uint32_t* nodes, uint32_t count, uint32_t operand, Arena& memory) const;
  /// The values of some nodes of one type, or what forward kept of them.
  Rows own_rows(const Array<float*>& of, const uint32_t* nodes, uint32_t count, int64_t size, Arena& memory) const;
  /// Each node's own attributes; null if nodes of the type have none.
  const uint32_t* const* data_of(const Type& type, const uint32_t* nodes, uint32_t count, Arena& scratch) const;
  [[noreturn]] void report_nonfinite(uint32_t node, int64_t element, float value) const;

  // The record.
  Array<Node> nodes_;
  Array<uint32_t> operands_;
  Array<uint32_t> data_;
  TypeTable types_;
  uint32_t stamp_ = 0;
  uint64_t seed_ = 0;
  /// Counted from when the graph was made, and from the latest renewal: unlike stamps they depend on nothing but what
  /// is done with this graph, so random numbers are keyed by them.
  uint32_t renewals_ = 0;
  uint32_t reverts_ = 0;
  std::vector<Checkpoint> checkpoints_;
  std::vector<Input> inputs_;
  std::vector<PendingIndices> pending_indices_;
  std::vector<UsedParameter> parameters_;
  /// The nodes that stand for folded ones where those are used after they were computed.
  std::unordered_map<uint32_t, uint32_t> copies_;
  /// Those that have one, in the order of the copies.
  std::vector<uint32_t> copied_;
  /// The folded nodes that have a value.
  std::vector<uint32_t> folded_values_;
  /// The latest folded node, or one that was and is reverted; 0 if there was none.
  uint32_t latest_folded_ = 0;
  /// Nodes before `end` that were computed at one time, folded ones among them.
  struct Computed {
    uint32_t end;
    /// The sum of the versions of all parameters before `end` at that time.
    uint64_t versions;
  };
  std::vector<Computed> computed_ranges_;
  /// Throws DN_E_STATE, naming `what`, if a folded node has no value and parameters have changed since the one was
  /// computed that it was folded into.
  void check_current(uint32_t folded, const char* what) const;
  /// The values of all folded nodes but the first `kept` of them.
  void drop_folded_values(size_t kept);
  /// Forgets those copies that come after a node.
  void forget_copies(uint32_t end);
  uint64_t sum_of_versions(uint32_t end) const;
  /// Whether any node was computed from parameters only, so that it may be a weight whose gradient has operands to go
  /// to.
  bool has_derived_weights_ = false;
  /// Places in `parameters_`, by the parameter's address; entries may be out of date.
  mutable uint32_t parameter_places_[64] = {};
  std::vector<UsedTable> tables_;
  std::vector<WholeTable> whole_tables_;
  std::vector<StorageRef> models_;
  std::vector<uint32_t> key_;

  // What was computed.
  Array<float*> values_;
  Array<float*> aux_;
  Arena value_memory_{"a graph's values"};
  Arena input_memory_{"a graph's inputs"};
  Arena scratch_{"a graph's scratch memory"};
  /// All nodes before this one have a value; of the others only those that were given one.
  uint32_t computed_ = 0;
  /// All inputs before this one have been read.
  size_t inputs_read_ = 0;
  uint32_t forwards_ = 0;
  /// Lines that `sample` has drawn from since the latest renewal.
  uint32_t samples_ = 0;
  Scheduler scheduler_;
  /// The latest forward, and those before it that `plan_is_whole_` needs.
  Plan plan_;
  size_t latest_batch_ = 0;
  /// Whether `plan_` computed all nodes that have a value.
  bool plan_is_whole_ = false;
  /// Of what `plan_` begins with.
  Divider divider_;
  Division division_;
  /// What each thread of a divided computation has of its own.
  struct Part {
    Arena scratch{"a thread's scratch memory"};
    /// Where `operand_rows_` of the part are.
    Arena rows{"a thread's rows"};
    std::exception_ptr error;
  };
  std::vector<std::unique_ptr<Part>> parts_;
  /// Whether several threads computed `division_`.
  bool was_shared_ = false;
  /// The rows of each batch's operands, part by part where the plan is divided, for the backward of a whole plan. Null
  /// for views.
  Array<const Rows*> operand_rows_;
  Arena rows_memory_{"a graph's rows"};

  // What backward left.
  Array<float*> gradients_;
  Arena gradient_memory_{"a graph's gradients"};
  Plan backward_plan_;
  Divider backward_divider_;
  Division backward_division_;
  uint32_t differentiated_ = kNone;
  /// `forwards_` at the time.
  uint32_t differentiated_forward_ = 0;
  bool full_ = false;
  /// Whether nodes that equal others had one gradient, which is of none of them alone.
  bool merged_ = false;
  static constexpr uint32_t kNone = ~uint32_t{0};

  bool immediate_ = false;
  bool check_values_ = false;
  bool batching_ = true;
  std::string report_;
  std::string graphviz_;
  std::string gradient_report_;
  std::unique_ptr<Profile> profile_;

  // Life.
  Graph* next_idle_ = nullptr;
  Entrance entrance_;
  void recycle();
  [[noreturn]] void refuse(Entrance::Entry entry);
  void clear(bool keep_memory);
};

}  // namespace dynnet

struct dn_graph final : public dynnet::Graph {};

namespace dynnet {

/// A call into a graph, from the border: one at a time.
class Entered {
 public:
  explicit Entered(dn_graph* graph) : graph_(graph) {
    if (graph == nullptr) [[unlikely]]
      fail(DN_E_ARGUMENT, "the graph is null");
    entry_ = graph->enter();
  }
  ~Entered() { graph_->leave(entry_); }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  dn_graph* graph_;
  Entrance::Entry entry_;
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_GRAPH_H_

// A random sequence of calls, made on the engine and on the model of its semantics alike, and compared after each.
#ifndef DYNNET_TESTS_STATEFUL_SEQUENCE_H_
#define DYNNET_TESTS_STATEFUL_SEQUENCE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model_support.h"
#include "stateful/semantics.h"

namespace dynnet::stateful {

inline constexpr double kLearningRate = 0.05;

/// What a node's elements lie between, whatever the inputs: keeps logarithms, quotients and roots away from where
/// float32 and float64 part ways.
struct Interval {
  double low = 0, high = 0;

  double magnitude() const { return std::max(std::abs(low), std::abs(high)); }
};

class Sequence {
 public:
  explicit Sequence(uint64_t seed);
  ~Sequence();
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  /// Takes some dozens of steps, up to the first failed expectation.
  void run();
  /// What was done, one line a step.
  const std::string& trace() const { return trace_; }
  int64_t nodes_recorded() const { return nodes_recorded_; }

 private:
  struct Live {
    dn_graph* real;
    Graph model;
    std::vector<Interval> intervals;
    /// Expressions of nodes that are no more.
    std::vector<dn_expr> stale;
  };
  struct Bound {
    std::vector<float> values{};
    int32_t index = 0;
    int32_t rows = 0;
  };

  // ---- chance ----
  int below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  /// Between -1 and 1, and not close to 0.
  float number();
  std::vector<float> numbers(int64_t n);
  /// Most steps go to the first graph, so that much happens to it.
  Live& some_graph() { return *graphs_[chance(60) ? 0 : static_cast<size_t>(below(static_cast<int>(graphs_.size())))]; }
  int some_node(const Live& g);
  Indices some_indices(int count, int64_t end);

  // ---- what to record; see proposals.cc ----
  Node leaf();
  Node input_leaf(int kind);
  static constexpr int kBoundLookup = 6;
  Node weight_leaf(int kind);
  Node operation(Live& g);
  int some_of_shape(const Live& g, const Shape& shape);
  int some_positive(const Live& g);
  std::optional<Interval> interval_of(const Live& g, const Node& node) const;

  // ---- steps ----
  void step();
  void record();
  void ask_value();
  void forward();
  void incremental_forward();
  void backward();
  void backward_of(Live& g);
  void ask_gradient();
  void ask_gradients_of(Live& g);
  void set_input();
  void set_indices();
  void change_bound_memory();
  void write_parameter();
  void write_row();
  void checkpoint();
  void revert();
  void renew();
  void change_options();
  void update();
  void reset_gradients();
  void misuse();
  void bad_bound_index();
  void computes_nan();
  void exhausts_memory();
  void audit();

  // ---- both sides at once ----
  /// Makes a call on both sides, and expects the same status.
  template <class Real, class Model>
  dn_status both(Live& g, Real&& real, Model&& model);
  /// -1 if both sides refused.
  int record_node(Live& g, Node node);
  int record_operation(Live& g, std::string_view op, const std::vector<int>& operands,
                       const Attributes& attributes = {});
  dn_status record_real(Live& g, const Node& node, dn_expr* out);
  void record_twins(Live& g, const Node& node, int first);
  /// A node of one element that depends on all elements of `node`, each in its own way; -1 if it was refused.
  int reduce(Live& g, int node);
  void do_checkpoint(Live& g);
  void do_revert(Live& g);
  dn_status do_forward(Live& g, int node);
  bool is_gone(Live& g, int node);
  void compare_value(Live& g, int node);
  void compare_numbers(const float* real, const Numbers& model, double tolerance, const std::string& what);
  void compare_bits(const Live& g, int node, const float* real);
  void compare_gradients();
  void compare_set(GradientSet& real, const Gradients& model, int number, const char* what);
  void write(int weight, const std::vector<float>& values);
  void adopt(int weight);
  Numbers draws_of(dn_graph* graph, const Node& node) const;
  void say(const char* format, ...) __attribute__((format(printf, 2, 3)));

  std::mt19937_64 random_;
  std::string trace_;
  int64_t nodes_recorded_ = 0;
  /// A failure that the step provokes.
  dn_status provoked_ = DN_OK;

  std::vector<test::ModelHandle> models_;
  std::vector<Weight> weights_;
  std::vector<dn_parameter*> parameters_;
  std::vector<dn_lookup_parameter*> tables_;
  test::TrainerHandle trainer_;
  test::GradientsHandle own_;
  Gradients model_gradients_[2];
  Gradients own_gradients_;
  double gradient_scale_ = 1;
  std::vector<std::unique_ptr<Live>> graphs_;
  /// Memory that nodes are bound to.
  std::deque<Bound> bound_;
  /// The bits of each value seen, by its origin.
  std::unordered_map<uint64_t, std::vector<float>> bits_;
};

template <class Real, class Model>
dn_status Sequence::both(Live& g, Real&& real, Model&& model) {
  const dn_status got = real();
  g.model.engine_failed = got == provoked_ ? got : DN_OK;
  const dn_status wanted = model();
  g.model.engine_failed = DN_OK;
  EXPECT_EQ(got, wanted) << (got != DN_OK ? test::last_error() : "");
  if (got != DN_OK) say("  fails: %s", test::last_error().c_str());
  return got;
}

}  // namespace dynnet::stateful

#endif  // DYNNET_TESTS_STATEFUL_SEQUENCE_H_

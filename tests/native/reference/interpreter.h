// The naive interpreter: every operation in float64, one node after the other, written from its formula in dynnet.h. It
// knows nothing of batching, views, shared weights or fusion, and shares no code with the engine, so it is wrong in
// other places than the engine is.
#ifndef DYNNET_TESTS_REFERENCE_INTERPRETER_H_
#define DYNNET_TESTS_REFERENCE_INTERPRETER_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dynnet/dynnet.h"

namespace dynnet::reference {

using Numbers = std::vector<double>;
using Indices = std::vector<int32_t>;

/// Sizes and batch. Trailing sizes of 1 do not count: {n} and {n,1} are one shape.
struct Shape {
  std::array<int64_t, DN_MAX_DIMS> d{1, 1, 1, 1, 1, 1, 1};
  int64_t batch = 1;

  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes, int64_t batch_size = 1);
  explicit Shape(const dn_dim& dim);

  /// Elements of one batch element.
  int64_t size() const;
  int64_t total() const { return size() * batch; }
  bool is_matrix() const { return size() == d[0] * d[1]; }
  bool is_vector() const { return size() == d[0]; }
  std::string text() const;
  bool operator==(const Shape&) const = default;
};

/// Operands or attributes that an operation does not take.
struct Rejected : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// What an operation takes besides operands; each reads what it has.
struct Attributes {
  /// The number of operations with one, the margin of hinges and of pairwise_rank_loss, the rate of dropout, also in
  /// attention, the bound of huber_distance.
  double scalar = 0;
  /// The second of two numbers, as of a distribution; the scale of attention.
  double second = 0;
  /// The index, or indices, of picks, labels, lookups and selections; the count of poisson_loss; the sizes of a window
  /// and the strides of convolutions and pooling.
  Indices indices{};
  /// The dimension of pick, pick_range, concatenate, softmax, hinge_dim, kmax_pooling, and of reductions of one.
  int32_t dim = 0;
  /// The bounds of pick_range.
  int32_t start = 0, end = 0;
  /// How many: the largest of kmax_pooling, the columns of kmh_ngram, the rows of fold_rows, the heads of attention.
  int32_t count = 1;
  /// Whether windows must be whole, or attention is causal.
  bool flag = false;
  /// What strided_select takes of each of the 7 dimensions and then of the batch.
  Indices strides{}, from{}, to{};
  /// The shape of reshape.
  Shape shape{};
  /// What dropout multiplies each element by, in attention each weight, and noise adds: the engine's draw, which the
  /// test has to find out.
  Numbers mask{};
  /// The dimensions that sum_dim and its like reduce, and whether they reduce the batch too; the order of dimensions of
  /// transpose_dims.
  Indices dims{};
  int32_t batch = 0;
  /// The divisor of mean_dim and its like, the order of moments, the gradient mode of argmax, floor, ceil and round.
  int32_t divisor = 0, order = 1, mode = 0;
};

struct Rule;

class Graph {
 public:
  // Each adds nodes and returns the number of the result; Rejected leaves the graph as it was. Numbers ascend, but not
  // by one: a cell is several nodes.

  int input(const Shape& shape, Numbers values);
  /// Reads the values when it is evaluated, as the next two do.
  int input_bound(const Shape& shape, const float* values);
  /// One node for one id, as in the engine; a constant one is another node, and no parameter to `backward`.
  int parameter(int id, const Shape& shape, const float* values, bool constant = false);
  /// Rows of a table of `rows` rows, one for each batch element.
  int lookup(int id, const Shape& row, int64_t rows, const float* table, Indices indices, bool constant = false);
  /// A row whose number is read when it is evaluated.
  int lookup_bound(int id, const Shape& row, int64_t rows, const float* table, const int32_t* index);
  /// All rows as one tensor, one node for one id; a constant one is another node.
  int lookup_table(int id, const Shape& row, int64_t rows, const float* table, bool constant = false);
  int constant(const Shape& shape, double value);
  /// An operation by its name in dynnet.h, without dn_op_.
  int apply(std::string_view op, const std::vector<int>& operands, const Attributes& attributes = {});

  // The operations that tests write by hand most.
  int add(int a, int b) { return apply("add", {a, b}); }
  int subtract(int a, int b) { return apply("subtract", {a, b}); }
  int cmult(int a, int b) { return apply("cmult", {a, b}); }
  int multiply(int a, int b) { return apply("multiply", {a, b}); }
  int affine_transform(const std::vector<int>& xs) { return apply("affine_transform", xs); }
  int sum(const std::vector<int>& xs) { return apply("sum", xs); }
  int concatenate(const std::vector<int>& xs, int dim = 0) { return apply("concatenate", xs, {.dim = dim}); }
  int tanh(int x) { return apply("tanh", {x}); }
  int logistic(int x) { return apply("logistic", {x}); }
  int rectify(int x) { return apply("rectify", {x}); }
  int exp(int x) { return apply("exp", {x}); }
  int log(int x) { return apply("log", {x}); }
  int square(int x) { return apply("square", {x}); }
  int sqrt(int x) { return apply("sqrt", {x}); }
  int sum_elems(int x) { return apply("sum_elems", {x}); }
  int sum_batches(int x) { return apply("sum_batches", {x}); }
  int squared_distance(int a, int b) { return apply("squared_distance", {a, b}); }
  int pick(int x, int32_t index, int dim = 0) { return apply("pick", {x}, {.indices = {index}, .dim = dim}); }
  int pick_neg_log_softmax(int x, int32_t index) { return apply("pick_neg_log_softmax", {x}, {.indices = {index}}); }

  /// Nodes so far.
  int count() const { return static_cast<int>(nodes_.size()); }
  /// Takes back all nodes from `count` on.
  void truncate(int count);
  const Shape& shape(int node) const { return nodes_.at(static_cast<size_t>(node)).shape; }

  /// The value of a node, column-major. All nodes up to it that have none are evaluated.
  const Numbers& value(int node);
  /// The value of a node of one element.
  double scalar(int node) { return value(node).at(0); }
  bool has_value(int node) const { return nodes_.at(static_cast<size_t>(node)).evaluated; }
  /// Forgets all values, so that inputs, parameters and tables are read again.
  void forget();
  /// From now on changes each value that is computed at random by up to this part of it, and rounds it to a float: what
  /// that does to a result tells how far off it may be in float32. Without numbers: computes in double again.
  void disturb(double relative, uint64_t seed);
  void disturb() { disturbed_ = false; }
  /// Gives an input other values, or an operation with indices other indices, for the next evaluation.
  void set_input(int node, Numbers values);
  void set_indices(int node, Indices indices);
  /// Gives a dropout the mask, or noise the numbers, that the engine drew.
  void set_mask(int node, Numbers mask);

  /// Finds the gradients of a node of one element with respect to all nodes, evaluating what has no value.
  void backward(int node);
  /// Those of the latest backward; zeros where the result does not depend on the node.
  const Numbers& gradient(int node) const { return nodes_.at(static_cast<size_t>(node)).gradient; }
  /// The gradient of the parameter with this id; zeros if the graph does not use it.
  Numbers parameter_gradient(int id, int64_t elements) const;
  /// The gradients of the rows of all tables that have one, by table id and row.
  std::map<std::pair<int, int>, Numbers> row_gradients() const;

 private:
  enum class Leaf { kNone, kInput, kParameter, kLookup, kTable };
  struct Node {
    const Rule* rule = nullptr;
    std::vector<int> operands{};
    Attributes attributes{};
    Shape shape{};
    Leaf leaf = Leaf::kNone;
    /// Of a parameter or table.
    int id = 0;
    bool constant = false;
    int64_t rows = 0;
    const float* memory = nullptr;
    const int32_t* index = nullptr;
    /// Of an input that has its values here.
    Numbers given{};
    bool evaluated = false;
    Numbers value{};
    Numbers gradient{};
  };

  int add_node(Node node);
  int add_rule(const Rule& rule, const std::vector<int>& operands, const Attributes& attributes);
  /// A cell or a loss that is a formula over other operations; -1 if it is none.
  int compose(std::string_view op, const std::vector<int>& operands);
  void evaluate(Node& node);
  void evaluate_leaf(Node& node);
  void add_noise(Numbers& values);

  std::vector<Node> nodes_;
  bool disturbed_ = false;
  double noise_ = 0;
  uint64_t noise_state_ = 0;
};

}  // namespace dynnet::reference

#endif  // DYNNET_TESTS_REFERENCE_INTERPRETER_H_

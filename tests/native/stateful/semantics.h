// A model of what dynnet.h says about when values are computed and from what: for each node whether it has a value, and
// which. The numbers come from the naive interpreter, one node at a time, so nothing here knows of batches, of memory
// or of schedules.
#ifndef DYNNET_TESTS_STATEFUL_SEMANTICS_H_
#define DYNNET_TESTS_STATEFUL_SEMANTICS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dynnet/dynnet.h"
#include "reference/interpreter.h"

namespace dynnet::stateful {

using reference::Attributes;
using reference::Indices;
using reference::Numbers;
using reference::Shape;

/// A parameter, or a table: then `rows` is not 0 and the shape is that of a row. Versions count the writes.
struct Weight {
  int model = 0;
  Shape shape;
  int64_t rows = 0;
  std::vector<float> values;
  int64_t version = 1;

  int64_t row_size() const { return shape.size(); }
};

/// What a gradient set holds: entries are there from the first gradient to the next reset.
struct Gradients {
  std::map<int, Numbers> parameters;
  /// By table and row.
  std::map<std::pair<int, int>, Numbers> rows;

  void add(int parameter, const Numbers& gradient);
  void add_row(int table, int row, const double* gradient, int64_t n);
  void merge(Gradients& other);
  void clear();
};

struct Node {
  std::string_view op;
  std::vector<int> operands{};
  Attributes attributes{};
  Shape shape{};
  /// The parameter or table, or -1.
  int weight = -1;
  /// The caller's memory, if it is bound.
  const float* bound = nullptr;
  const int32_t* bound_index = nullptr;
  /// The expression that the engine made of it.
  dn_expr real{};

  // The rest is the model's own.

  /// Parameters and inputs: has its value when it is recorded, or, if it is bound, when it is read.
  bool given = false;
  bool has_value = false;
  bool was_read = false;
  Numbers value{};
  std::optional<Numbers> pending{};
  std::optional<Indices> pending_indices{};
  /// Shows parts of a parameter that was written since: nothing says which of its values they are.
  bool unsure = false;
  /// On a path to a parameter or table that gets gradients.
  bool trained = false;
  /// Of the weight, when the value was computed.
  int64_t version = 0;
  /// How often the graph had been reverted when it was recorded.
  int reverts = 0;
  /// Stands for all that the value was computed from: equal origins promise equal bits.
  uint64_t origin = 0;
};

class Graph {
 public:
  /// `draws` finds out what the engine multiplied the elements of a dropout node by.
  Graph(int number, std::vector<Weight>& weights, std::function<Numbers(const Node&)> draws)
      : number_(number), weights_(weights), draws_(std::move(draws)) {}

  // Each call returns the status that it must have. Before each, `engine_failed` tells the model of a failure that it
  // cannot foresee: of memory, or of a value that is not finite. 0 is none.
  dn_status engine_failed = DN_OK;

  /// The node of a parameter that was recorded before; -1 if there is none.
  int find_parameter(std::string_view op, int weight) const;
  /// The shape that an operation gives; nothing if it does not take such operands.
  std::optional<Shape> shape_of(const Node& node) const;
  /// A node whose shape is set. What fails is not recorded.
  dn_status record(Node node);
  void renew();
  void checkpoint();
  dn_status revert();

  dn_status forward(int node);
  dn_status incremental_forward(int node);
  dn_status backward(int node, bool full, Gradients* of_models, Gradients* own);
  /// Gives the gradient, or says why there is none.
  dn_status gradient(int node, Numbers* out);
  void set_input(int node, Numbers values) { at(node).pending = std::move(values); }
  void set_indices(int node, Indices indices) { at(node).pending_indices = std::move(indices); }
  /// Something wrote a weight.
  void written(int weight);

  int size() const { return static_cast<int>(nodes_.size()); }
  const Node& operator[](int node) const { return nodes_[static_cast<size_t>(node)]; }
  bool has_value(int node) const { return (*this)[node].has_value; }
  /// The value as it is now.
  const Numbers& value(int node);
  bool can_revert() const { return !checkpoints_.empty(); }
  bool was_differentiated() const { return differentiated_ >= 0; }
  /// The largest gradient in the latest backward.
  double gradient_scale() const;

  bool immediate = false;

 private:
  struct Checkpoint {
    int nodes, computed, forwards;
  };

  Node& at(int node) { return nodes_[static_cast<size_t>(node)]; }
  dn_status compute(int end);
  bool index_is_bad(const Node& node) const;
  void read(Node& node);
  void evaluate(int node);
  uint64_t origin_of(const Node& node, int number) const;
  void drop(int begin, int end);
  bool weights_changed() const;
  bool shows_parameter(int node, int weight) const;
  void differentiate(int root);
  bool fits_own(int root) const;
  void differentiate_operands(int node);

  int number_;
  std::vector<Weight>& weights_;
  std::function<Numbers(const Node&)> draws_;
  std::vector<Node> nodes_;
  std::vector<Checkpoint> checkpoints_;
  /// All nodes before this one have a value.
  int computed_ = 0;
  int forwards_ = 0;
  int renewals_ = 0;
  int reverts_ = 0;

  // The latest backward.
  int differentiated_ = -1;
  int differentiated_forward_ = 0;
  bool full_ = false;
  std::vector<Numbers> gradients_;
  std::vector<bool> reached_;
  /// Parameters whose gradients were asked for, which keeps them.
  std::vector<bool> kept_;
};

/// Mixes a number into an origin.
uint64_t mixed(uint64_t origin, uint64_t number);

}  // namespace dynnet::stateful

#endif  // DYNNET_TESTS_STATEFUL_SEMANTICS_H_

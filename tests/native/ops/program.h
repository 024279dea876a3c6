// Programs: operations applied to one another, written down once and then run by the engine and by the interpreter.
#ifndef DYNNET_TESTS_OPS_PROGRAM_H_
#define DYNNET_TESTS_OPS_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "dynnet/dynnet.h"
#include "graph_support.h"
#include "reference/interpreter.h"

namespace dynnet::test {

using reference::Attributes;
using reference::Indices;
using reference::Numbers;
using reference::Shape;

/// What the values of an operand have to be, so that an operation has a finite value and a gradient.
enum class Domain {
  kAny,
  kSmall,
  kPositive,
  kNonZero,
  kProbability,
  /// Between -1 and 1.
  kUnit,
  /// Larger than 1.
  kAboveOne,
  /// Away from whole numbers and from those and a half.
  kBetween,
  /// Multiples of 0.4, whose differences are none of 1 / k apart, so that none is near the threshold of sparsemax.
  kApart,
  /// Square matrices with a positive diagonal, of which each element is larger than the sum of the others in its row.
  kDominant,
  /// No two alike, nor nearly so.
  kDistinct
};

/// Random choices: the same for one seed on every machine.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}

  uint64_t bits();
  int64_t below(int64_t n) { return static_cast<int64_t>(bits() % static_cast<uint64_t>(n)); }
  /// Both ends included.
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool chance(double p) { return uniform(0, 1) < p; }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[static_cast<size_t>(below(static_cast<int64_t>(list.size())))];
  }

  /// The sizes that shapes are made of; those that come up often are there more than once.
  std::vector<int64_t> sizes{1, 1, 2, 3, 4, 7, 16, 17, 33};
  std::vector<int64_t> batches{1, 1, 2, 5};
  /// How large operands get.
  int64_t most_elements = 3000;
  int64_t size() { return of(sizes); }
  int64_t batch() { return of(batches); }
  /// Mostly vectors and matrices, but up to seven dimensions.
  Shape shape();
  /// The shape with a batch that can be broadcast to its own, or its own to that.
  Shape other_batch(Shape shape);
  std::vector<float> values(const Shape& shape, Domain domain);
  Indices indices(int64_t count, int64_t end);

 private:
  uint64_t state_;
};

/// Parameters and tables, which graphs of both kinds refer to by number.
class World {
 public:
  struct Parameter {
    dn_parameter* handle;
    Shape shape;
    const float* values;
  };
  struct Table {
    dn_lookup_parameter* handle;
    Shape shape;
    int64_t rows;
    const float* values;
  };

  int add_parameter(const Shape& shape, const std::vector<float>& values);
  int add_table(const Shape& row, int64_t rows, const std::vector<float>& values);

  const ModelHandle& model() const { return model_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const std::vector<Table>& tables() const { return tables_; }
  const Parameter& parameter(int number) const { return parameters_.at(static_cast<size_t>(number)); }
  const Table& table(int number) const { return tables_.at(static_cast<size_t>(number)); }

 private:
  ModelHandle model_ = new_model();
  std::vector<Parameter> parameters_;
  std::vector<Table> tables_;
};

/// One way to apply an operation: the shapes of its operands, and all that is not an operand.
struct Example {
  std::vector<Shape> x{};
  Attributes a{};
  /// The values of an input.
  std::vector<float> values{};
  /// The number of a parameter or table.
  int object = 0;
  /// How many dimensions a shape that is given is written with, at least: {n} may come as {n,1}, {1} as {}.
  uint32_t least_dims = 1;
};

struct OpRow;

struct Step {
  const OpRow* row;
  Example example;
  /// The steps that are its operands.
  std::vector<int> x;
};

/// A shape for the C ABI, without trailing sizes of 1 but for those of the first `least_dims`.
dn_dim to_dim(const Shape& shape, uint32_t least_dims = 1);

/// Records one step, whose operands are `x`. A failure leaves `out` as it was.
dn_status record(dn_graph* graph, const World& world, const OpRow& row, const Example& example,
                 const std::vector<dn_expr>& x, dn_expr* out);
/// Adds one step to the interpreter's graph.
int interpret(reference::Graph& graph, const World& world, const OpRow& row, const Example& example,
              const std::vector<int>& x);

/// A list of steps, in which operands come before what uses them. It grows together with its interpretation.
class Program {
 public:
  explicit Program(World& world) : world_(world) {}

  /// Adds a step and returns its number. Rejected leaves the program as it was.
  int add(const OpRow& row, Example example, std::vector<int> x = {});
  /// Adds a step by its operation's name.
  int add(std::string_view op, std::vector<int> x, Attributes a = {});
  int input(const Shape& shape, std::vector<float> values);
  int parameter(int number);
  /// Takes back the steps from `count` on.
  void truncate(int count);

  int count() const { return static_cast<int>(steps_.size()); }
  const std::vector<Step>& steps() const { return steps_; }
  World& world() const { return world_; }
  reference::Graph& reference() { return reference_; }
  /// The interpreter's node of a step.
  int node(int step) const { return nodes_.at(static_cast<size_t>(step)); }
  const Shape& shape(int step) const { return reference_.shape(node(step)); }
  const Numbers& value(int step) { return reference_.value(node(step)); }
  const Numbers& gradient(int step) const { return reference_.gradient(node(step)); }

  /// Records all steps.
  std::vector<dn_expr> record(dn_graph* graph) const;

 private:
  World& world_;
  std::vector<Step> steps_;
  reference::Graph reference_;
  std::vector<int> nodes_;
};

/// How far `actual` is from `expected`, in units of what is allowed: `tolerance` times the larger of the number itself
/// and `floor`. Infinite where one is not finite and the other is another number.
double distance(const std::vector<float>& actual, const Numbers& expected, double tolerance, double floor);
double largest(const Numbers& numbers);

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_OPS_PROGRAM_H_

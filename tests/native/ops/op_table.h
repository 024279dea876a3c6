// The table of operations: one row for each dn_op_*, from which their tests and the random graphs are made. Adding an
// operation to the tests is adding its row, and its formula to the interpreter.
#ifndef DYNNET_TESTS_OPS_OP_TABLE_H_
#define DYNNET_TESTS_OPS_OP_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

#include "ops/program.h"

namespace dynnet {
struct OpDef;
}

namespace dynnet::test {

/// What a row needs to record its operation.
struct Recording {
  dn_graph* graph;
  const World& world;
  const Example& e;
  const Attributes& a;
  const dn_expr* x;
  int32_t count;
  dn_expr* out;

  int32_t index() const { return a.indices.at(0); }
  int32_t indices() const { return static_cast<int32_t>(a.indices.size()); }
};

/// Operands and attributes that an operation must refuse: with which status, and what the message says besides the
/// operation's name.
struct Bad {
  std::vector<Shape> x;
  Attributes a;
  dn_status status;
  std::string_view message;
};

/// A node that drew at random: that of the interpreter, which is to be told what, and that of the engine, with its
/// value y beside the value x of its first operand, if it has one.
struct Drawn {
  reference::Graph& graph;
  int node;
  const Example& e;
  dn_expr expr;
  const std::vector<float>& y;
  const std::vector<float>& x;
};

struct OpRow {
  /// The name after dn_op_.
  std::string_view name;
  /// Draws an example around a first shape, e.x[0], or returns false if that shape cannot be among its operands. Where
  /// there are no operands, the first shape is that of the result.
  bool (*draw)(Draw&, World&, Example& e);
  dn_status (*record)(const Recording&);
  std::vector<Bad> bad{};
  /// What the values of the operands have to be; the last holds for all further ones.
  std::vector<Domain> domains{Domain::kAny};
  /// Bit i is set if operand i is a weight, which batches only if it is the same for all nodes.
  uint32_t weights = 0;
  /// Takes any number of operands.
  bool variadic = false;
  /// Whether a step's operands are far from where its result or gradient jumps, so that rounding does not decide which
  /// side they are on. Null where nothing jumps.
  bool (*settled)(Program&, const Step&) = nullptr;
  /// Whether the gradient of an example is an estimate, other than the differences of its values. Null if none is.
  bool (*estimated)(const Example&) = nullptr;
  /// Some of what it gives is minus infinity: tests go on with the exponential.
  bool infinite = false;
  /// Of an operation that draws at random: tells the interpreter's node what the engine drew.
  void (*take_draws)(const Drawn&) = nullptr;
  /// Of an operation that draws with some attributes only: the shape of what an example draws, of no element if it
  /// draws nothing. Null: one number for each element of the result, or nothing without take_draws.
  Shape (*drawn)(const Example&) = nullptr;
  /// Of an operation whose gradient is not that of its value: what it multiplies the gradient by instead.
  double (*gradient_factor)(const Attributes&) = nullptr;
  /// No gradient flows through it.
  bool stops_gradient = false;
  /// Why independent nodes of it do not run together; empty if they do, as all but a few have to.
  std::string_view never_batches{};
  /// How the interpreter makes what has no operands; null: as an operation of the same name.
  int (*interpret)(reference::Graph&, const World&, const Example&) = nullptr;

  bool is_leaf() const { return interpret != nullptr; }
  /// Whether all its examples draw at random.
  bool is_random() const { return take_draws != nullptr && drawn == nullptr; }
  /// Whether an example does.
  bool draws(const Example& e) const { return take_draws != nullptr && (drawn == nullptr || drawn(e).total() > 0); }
  bool is_weight(size_t operand) const { return (weights >> operand & 1) != 0; }
  Domain domain(size_t operand) const { return domains[std::min(operand, domains.size() - 1)]; }
};

/// What is shown of the gradient of an operation with respect to its operands, or to the parameter or table that it
/// reads.
enum class GradientKind {
  /// None flows.
  kNone,
  /// It is the differences of the values.
  kDifferences,
  /// It is another by definition: an estimate, or the differences times a factor.
  kDefined
};
GradientKind gradient_kind(const OpRow& row);

/// All rows, in the order of dynnet.h.
const std::vector<OpRow>& op_table();
/// The names of its rows, in its order.
std::vector<std::string> op_names();
/// A seed of an operation's own.
uint64_t seed_of(std::string_view name);
/// A row by its name, which must be there.
const OpRow& op_row(std::string_view name);
/// What the engine knows of an operation; null if there is none of that name.
const OpDef* definition(std::string_view name);
/// Draws shapes until one fits.
Example draw_example(const OpRow& row, Draw& draw, World& world);

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_OPS_OP_TABLE_H_

// Random programs of all operations: what random graphs are tested with.
#ifndef DYNNET_TESTS_OPS_RANDOM_PROGRAM_H_
#define DYNNET_TESTS_OPS_RANDOM_PROGRAM_H_

#include <cstdint>
#include <vector>

#include "ops/program.h"

namespace dynnet::test {

/// Grows a program of about as many nodes as are asked for, all of whose values are finite and of modest size. As in
/// real networks most steps repeat an earlier one with other operands, weights are parameters, results are used more
/// than once, and several losses are added up.
class RandomProgram {
 public:
  RandomProgram(Program& program, Draw& draw) : program_(program), draw_(draw) {}
  /// With operations that draw at random, as a graph with this seed that nothing else was recorded in draws.
  RandomProgram(Program& program, Draw& draw, uint64_t graph_seed)
      : program_(program), draw_(draw), is_random_(true), graph_seed_(graph_seed) {}

  /// Returns the step of the loss.
  int grow(int nodes);

 private:
  /// Whether values are what a domain asks for.
  bool holds(Domain domain, int step);
  /// A step with the given one's shape whose values are in the domain.
  int squash(int step, Domain domain);
  int leaf(const Shape& shape);
  int weight(const Shape& shape);
  int operand(const Shape& shape, Domain domain);
  /// Adds a step to the program. If it draws at random, the interpreter gets the engine's draws.
  int add(const OpRow& row, const Example& example, const std::vector<int>& x);
  /// Applies an operation and makes the result an operand of others; -1 if it is too large, or near a jump.
  int apply(const OpRow& row, const Example& example, const std::vector<int>& x);
  void invent();
  void repeat();
  /// Adds what equals a step, down to what has no operands but at most `depth` operations deep.
  int again(int step, int depth);
  int loss_of(int step);

  Program& program_;
  Draw& draw_;
  bool is_random_ = false;
  uint64_t graph_seed_ = 0;
  /// Steps that may be operands.
  std::vector<int> pool_;
  /// Steps that may be repeated.
  std::vector<int> patterns_;
  std::vector<bool> used_;
};

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_OPS_RANDOM_PROGRAM_H_

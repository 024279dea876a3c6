// Comparing what the engine computed of a program with the interpreter.
#ifndef DYNNET_TESTS_OPS_COMPARE_H_
#define DYNNET_TESTS_OPS_COMPARE_H_

#include <string>
#include <vector>

#include "ops/program.h"

namespace dynnet::test {

/// A difference is measured relative to the number, or to the largest one of its tensor, or to `floor`, whichever is
/// largest: a small sum of large terms is as uncertain as the terms are.
struct Tolerance {
  double relative = 1e-5;
  double floor = 2;
};

/// The largest difference in a comparison, in units of what is allowed, and where it is.
struct Worst {
  double distance = 0;
  std::string where = "nothing";

  void see(const std::vector<float>& actual, const Numbers& expected, Tolerance tolerance, const std::string& what);
};

/// What draws at random gets the draws that the engine's values show.
void take_draws(Program& program, dn_graph* graph, const std::vector<dn_expr>& exprs);

/// The values of all steps.
Worst compare_values(Program& program, dn_graph* graph, const std::vector<dn_expr>& exprs, Tolerance tolerance);

/// After a backward of both: the gradients of all steps or, if not `full`, of those on a path to a parameter; the
/// others have to be refused.
Worst compare_gradients(Program& program, dn_graph* graph, const std::vector<dn_expr>& exprs, bool full,
                        Tolerance tolerance);

/// After a backward of both: the gradients in the model's own set, of parameters and rows.
Worst compare_trained(Program& program, Tolerance tolerance);

/// All gradients in the model's own set, one after the other, for comparing bits.
std::vector<float> trained_gradients(const World& world);

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_OPS_COMPARE_H_

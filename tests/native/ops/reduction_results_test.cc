// Reductions, normalisation and distances where the table's random examples do not reach: equal elements, zeros, the
// ends of the number range, the exact number of dimensions.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "ops/compare.h"
#include "ops/op_table.h"
#include "special.h"

namespace dynnet::test {
namespace {

using Floats = std::vector<float>;

// An operation on inputs, and the gradients of the weighted sum of its results, in which no two count the same.
struct Results {
  Floats y;
  std::vector<Floats> dx;
};

Results results_of(std::string_view op, const std::vector<std::pair<Shape, Floats>>& x, const Attributes& a = {}) {
  World world;
  Program program(world);
  std::vector<int> inputs;
  for (const auto& [shape, values] : x) inputs.push_back(program.input(shape, values));
  const int step = program.add(op, inputs, a);
  const Shape shape = program.shape(step);
  Floats weights;
  for (int64_t i = 0; i < shape.total(); ++i) weights.push_back(static_cast<float>(i + 1));
  program.add("sum_batches", {program.add("dot_product", {step, program.input(shape, weights)})});
  const GraphHandle graph = new_graph();
  const std::vector<dn_expr> exprs = program.record(graph.get());
  EXPECT_OK(dn_graph_backward(graph.get(), exprs.back(), nullptr, 1));
  Results result{value(graph.get(), exprs[static_cast<size_t>(step)]), {}};
  for (const int input : inputs) result.dx.push_back(gradient(graph.get(), exprs[static_cast<size_t>(input)]));
  return result;
}

Results results_of(std::string_view op, const Floats& x, const Attributes& a = {}) {
  return results_of(op, {{Shape({static_cast<int64_t>(x.size())}), x}}, a);
}

TEST(ReductionResults, OfEqualElementsHaveNoDeviationAndNoGradient) {
  // 0.1 is no float: its mean would be off by rounding.
  for (const int64_t n : {1, 3, 10, 77}) {
    const Floats equal(static_cast<size_t>(n), 0.1f);
    const Floats zeros(equal.size());
    EXPECT_EQ(results_of("std_elems", equal).y, Floats{0});
    EXPECT_EQ(results_of("std_elems", equal).dx[0], zeros);
    // The same along the other loops: {2, n} over its columns.
    const Floats twice(2 * equal.size(), 0.1f);
    const Results columns = results_of("std_dim", {{Shape({2, n}), twice}}, {.dims = {1}});
    EXPECT_EQ(columns.y, Floats(2));
    EXPECT_EQ(columns.dx[0], Floats(twice.size()));
  }
}

TEST(ReductionResults, OfZerosHaveNoNormAndNoGradient) {
  EXPECT_EQ(results_of("l2_norm", {0, 0, 0}).y, Floats{0});
  EXPECT_EQ(results_of("l2_norm", {0, 0, 0}).dx[0], Floats(3));
  const Results weights = results_of("weight_norm", {{{3}, {0, 0, 0}}, {{1}, {2}}});
  EXPECT_EQ(weights.y, Floats(3));
  EXPECT_EQ(weights.dx[0], Floats(3));
  EXPECT_EQ(weights.dx[1], Floats(1));
}

TEST(ReductionResults, OfLayersOfEqualElementsAreTheBias) {
  const Results layer = results_of("layer_norm", {{{3}, {0.1f, 0.1f, 0.1f}}, {{3}, {1, 2, 3}}, {{3}, {4, 5, 6}}});
  EXPECT_EQ(layer.y, (Floats{4, 5, 6}));
  // Gain times gradient is 1, 4, 9, less its mean, over 1e-8.
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(layer.dx[0][i] * 1e-8f, Floats({1, 4, 9})[i] - 14.0f / 3, 1e-5f);
  EXPECT_EQ(layer.dx[1], Floats(3));
  EXPECT_EQ(layer.dx[2], (Floats{1, 2, 3}));
}

TEST(ReductionResults, OfExtremesThatAreEqualGoToTheFirst) {
  EXPECT_EQ(results_of("max_dim", {1, 3, 3, 2}).dx[0], (Floats{0, 1, 0, 0}));
  EXPECT_EQ(results_of("min_dim", {2, 1, 1, 3}).dx[0], (Floats{0, 1, 0, 0}));
  EXPECT_EQ(results_of("max_dim", {{Shape({2, 3}), {1, 5, 4, 5, 4, 5}}}, {.dim = 1}).dx[0], (Floats{0, 2, 1, 0, 0, 0}));
  EXPECT_EQ(results_of("argmax", {1, 3, 3}).y, (Floats{0, 1, 0}));
  EXPECT_EQ(results_of("argmax", {-kInfinity, -kInfinity}).y, (Floats{1, 0}));
  EXPECT_EQ(results_of("argmax", {1, 3, 3}).dx[0], Floats(3));
  EXPECT_EQ(results_of("argmax", {1, 3, 3}, {.mode = 1}).dx[0], (Floats{1, 2, 3}));
  EXPECT_EQ(results_of("max_dim", {-kInfinity, -kInfinity}).y, Floats{-kInfinity});
}

TEST(ReductionResults, OfLogsumexpDoNotOverflow) {
  EXPECT_FLOAT_EQ(results_of("logsumexp_dim", {1000, 1000}).y[0], 1000.6931f);
  EXPECT_EQ(results_of("logsumexp_dim", {1000, 1000}).dx[0], (Floats{0.5f, 0.5f}));
  EXPECT_EQ(results_of("logsumexp_dim", {-kInfinity, 3}).dx[0], (Floats{0, 1}));
  EXPECT_EQ(results_of("logsumexp_dim", {-kInfinity, -kInfinity}).y, Floats{-kInfinity});
  EXPECT_EQ(results_of("logsumexp_dim", {-kInfinity, -kInfinity}).dx[0], Floats(2));
}

TEST(ReductionResults, OfDistancesAtTheirKinks) {
  EXPECT_EQ(results_of("l1_distance", {{{3}, {1, 2, 3}}, {{3}, {1, 3, 2}}}).dx[0], (Floats{0, -1, 1}));
  EXPECT_EQ(results_of("pairwise_rank_loss", {{{2}, {2, 1}}, {{2}, {1, 1}}}, {.scalar = 1}).dx[0], (Floats{0, -2}));
  EXPECT_EQ(results_of("huber_distance", {{{2}, {2, 5}}, {{2}, {0, 0}}}, {.scalar = 2}).dx[0], (Floats{2, 2}));
}

// exp(x) - y x + ln(y!), the last by its series from 32 on.
TEST(ReductionResults, OfPoissonLossForLargeCounts) {
  for (const int32_t count : {0, 1, 2, 31, 32, 33, 1000, 1000000}) {
    const float x = std::log(static_cast<float>(count) + 1.5f);
    const double expected =
        std::exp(static_cast<double>(x)) - count * static_cast<double>(x) + std::lgamma(count + 1.0);
    // The exponential is a float.
    EXPECT_NEAR(results_of("poisson_loss", Floats{x}, {.indices = {count}}).y[0], expected, 2e-7 * (count + 10))
        << count;
  }
}

TEST(ReductionResults, OfPoissonLossFollowACountThatIsSet) {
  World world;
  Program program(world);
  program.add("poisson_loss", {program.input({1}, {0})}, {.indices = {0}});
  const GraphHandle graph = new_graph();
  const std::vector<dn_expr> exprs = program.record(graph.get());
  EXPECT_FLOAT_EQ(value(graph.get(), exprs[1])[0], 1);
  const int32_t three = 3;
  EXPECT_OK(dn_graph_set_indices(graph.get(), exprs[1], &three, 1));
  EXPECT_OK(dn_graph_forward(graph.get(), exprs[1]));
  EXPECT_FLOAT_EQ(value(graph.get(), exprs[1])[0], 1 + std::log(6.0f));
  const int32_t negative = -1;
  EXPECT_EQ(dn_graph_set_indices(graph.get(), exprs[1], &negative, 1), DN_E_INDEX);
}

// ---- the number of dimensions, which the comparison of shapes disregards ----

void expect_dims(std::string_view op, const dn_dim& operand, const Attributes& a, uint32_t nd) {
  World world;
  const GraphHandle graph = new_graph();
  dn_expr x{};
  dn_expr y{};
  dn_dim result{};
  EXPECT_OK(dn_op_constant(graph.get(), &operand, 0.5, &x));
  EXPECT_OK(record(graph.get(), world, op_row(op), {.a = a}, {x}, &y));
  EXPECT_OK(dn_graph_dim(graph.get(), y, &result));
  EXPECT_EQ(result.nd, nd) << op;
}

TEST(ReductionResults, HaveTheDimensionsOfTheHeader) {
  expect_dims("sum_dim", dim({2, 3, 4}), {.dims = {1}}, 2);
  expect_dims("sum_dim", dim({2, 3, 4}), {.dims = {2, 0}}, 1);
  expect_dims("sum_dim", dim({2, 3}), {.dims = {1, 0}}, 1);
  // A dimension beyond the last has one element.
  expect_dims("sum_dim", dim({2, 3}), {.dims = {5}}, 2);
  expect_dims("sum_rows", dim({2, 3}), {}, 1);
  expect_dims("mean_batches", dim({2, 3}, 4), {}, 2);
  expect_dims("mean_elems", dim({2, 3}, 4), {}, 1);
  expect_dims("max_dim", dim({2, 3}), {.dim = 1}, 1);
  expect_dims("logsumexp_dim", dim({3}), {}, 1);
  expect_dims("cumsum", dim({2, 3}), {.dim = 1}, 2);
}

}  // namespace
}  // namespace dynnet::test

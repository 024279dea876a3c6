// What the table's random examples do not reach: the ends of the number range, points without derivative, the exact
// number of dimensions, and dropout's draws.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "ops/compare.h"
#include "ops/op_table.h"
#include "special.h"

namespace dynnet::test {
namespace {

// An operation of one vector through the C ABI, and what its weighted sum says of the gradient.
struct Result {
  std::vector<float> y;
  std::vector<float> dx;
};

Result apply(std::string_view op, const std::vector<float>& x, const Attributes& a = {}) {
  World world;
  Program program(world);
  const int input = program.input({static_cast<int64_t>(x.size())}, x);
  const int step = program.add(op, {input}, a);
  program.add("sum_elems", {step});
  const GraphHandle graph = new_graph();
  const std::vector<dn_expr> exprs = program.record(graph.get());
  EXPECT_OK(dn_graph_backward(graph.get(), exprs[2], nullptr, 1));
  return {value(graph.get(), exprs[1]), gradient(graph.get(), exprs[0])};
}

void expect_floats(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(expected[i]))
      EXPECT_TRUE(std::isnan(actual[i])) << i << ": " << actual[i];
    else
      EXPECT_FLOAT_EQ(actual[i], expected[i]) << i;
  }
}

TEST(OpResults, AtTheEndsOfTheRange) {
  expect_floats(apply("tanh", {-1000, -20, 0, 20, 1000, kInfinity, -kInfinity, kNaN}).y,
                {-1, -1, 0, 1, 1, 1, -1, kNaN});
  expect_floats(apply("logistic", {-1000, 0, 1000, kInfinity, -kInfinity, kNaN}).y, {0, 0.5f, 1, 1, 0, kNaN});
  expect_floats(apply("exp", {-1000, 0, 1000, kInfinity, -kInfinity, kNaN}).y, {0, 1, kInfinity, kInfinity, 0, kNaN});
  expect_floats(apply("log", {0, 1, kInfinity, -1, kNaN}).y, {-kInfinity, 0, kInfinity, kNaN, kNaN});
  expect_floats(apply("sqrt", {0, 4, kInfinity, -1, kNaN}).y, {0, 2, kInfinity, kNaN, kNaN});
  expect_floats(apply("rectify", {-kInfinity, -1, 0, 1, kInfinity, kNaN}).y, {0, 0, 0, 1, kInfinity, kNaN});
  expect_floats(apply("square", {1e30f, -kInfinity, kNaN}).y, {kInfinity, kInfinity, kNaN});
}

TEST(OpResults, WhereThereIsNoDerivative) {
  expect_floats(apply("rectify", {-1, 0, 1}).dx, {0, 0, 1});
  expect_floats(apply("sqrt", {0, 4}).dx, {kInfinity, 0.25f});
  // At the margin exactly, and with all others far below.
  expect_floats(apply("hinge", {1, 2, 0}, {.scalar = 1, .indices = {1}}).dx, {0, 0, 0});
  expect_floats(apply("hinge", {1, 2, 2.5f}, {.scalar = 1, .indices = {1}}).dx, {0, -1, 1});
  // The second element is at the threshold of sparsemax exactly, and counts as below.
  expect_floats(apply("sparsemax", {3, 2, 0}).dx, {0, 0, 0});
  expect_floats(apply("sparsemax_loss", {3, 2, 0}, {.indices = {1}}).dx, {1, -1, 0});
}

TEST(OpResults, OfSaturatedFunctionsHaveFiniteGradients) {
  for (const char* op : {"tanh", "logistic"}) expect_floats(apply(op, {-1000, 1000}).dx, {0, 0});
}

TEST(OpResults, OfProbabilitiesDoNotOverflow) {
  expect_floats(apply("softmax", {1000, 1000, -1000}).y, {0.5f, 0.5f, 0});
  expect_floats(apply("softmax", {kLargest, -kLargest}).y, {1, 0});
  // As exact as a float near 1000 is.
  EXPECT_NEAR(apply("log_softmax", {1000, 1000, -1000}).y[1], -std::log(2.0), 1e-4);
  EXPECT_FLOAT_EQ(apply("log_softmax", {1000, 1000, -1000}).y[2], -2000.6931f);
  expect_floats(apply("pick_neg_log_softmax", {-2000, 1000}, {.indices = {0}}).y, {3000});
  expect_floats(apply("pick_neg_log_softmax", {-2000, 1000}, {.indices = {0}}).dx, {-1, 1});
  // One class is certain.
  expect_floats(apply("softmax", {7}).y, {1});
  expect_floats(apply("pick_neg_log_softmax", {7}, {.indices = {0}}).y, {0});
}

TEST(OpResults, OfARestrictionAreInfiniteElsewhere) {
  const Attributes a{.indices = {2, 0, 2}};
  const float half = -std::log(2.0f);
  expect_floats(apply("log_softmax_restricted", {1, 9, 1}, a).y, {half, -kInfinity, half});
  // Each element of the sum loses what all of them gain; none of it comes from elsewhere.
  expect_floats(apply("log_softmax_restricted", {1, 9, 1}, a).dx, {0, 0, 0});
  expect_floats(apply("log_softmax_restricted", {1, 9, 1}, {.indices = {1}}).y, {-kInfinity, 0, -kInfinity});
  // No distribution over those that are left; the others stay what they are.
  expect_floats(apply("log_softmax_restricted", {-kInfinity, 9, -kInfinity, 2}, {.indices = {2, 0}}).y,
                {kNaN, -kInfinity, kNaN, -kInfinity});
}

TEST(OpResults, OfLabelsAreDistributions) {
  // The first label counts twice.
  expect_floats(apply("sparsemax_loss", {0, 0, 0}, {.indices = {0, 0, 1}}).dx, {-1.0f / 3, 0, 1.0f / 3});
  // The scores are right: no loss.
  expect_floats(apply("sparsemax_loss", {0.5f, 0.5f, -9}, {.indices = {1, 0}}).y, {0});
  expect_floats(apply("sparsemax_loss", {0.5f, 0.5f, -9}, {.indices = {1, 0}}).dx, {0, 0, 0});
}

// The sum of the results, and its gradients with respect to both operands.
TEST(OpResults, OfBoundsThatAddUpToLessThanOneAreTheBounds) {
  World world;
  Program program(world);
  const int x = program.input({2}, {1, 2});
  const int u = program.input({2}, {0.25f, 0.5f});
  program.add("sum_elems", {program.add("constrained_softmax", {x, u})});
  const GraphHandle graph = new_graph();
  const std::vector<dn_expr> exprs = program.record(graph.get());
  EXPECT_OK(dn_graph_backward(graph.get(), exprs[3], nullptr, 1));
  expect_floats(value(graph.get(), exprs[2]), {0.25f, 0.5f});
  expect_floats(gradient(graph.get(), exprs[0]), {0, 0});
  expect_floats(gradient(graph.get(), exprs[1]), {1, 1});
}

TEST(OpResults, OfMatricesWithoutInverse) {
  auto of = [](std::string_view op, const std::vector<float>& matrix) {
    World world;
    Program program(world);
    const int x = program.input({2, 2}, matrix);
    program.add(op, {x});
    const GraphHandle graph = new_graph();
    return value(graph.get(), program.record(graph.get()).back());
  };
  expect_floats(of("inverse", {1, 2, 2, 4}), {kNaN, kNaN, kNaN, kNaN});
  expect_floats(of("inverse", {0, 2, 4, 0}), {0, 0.25f, 0.5f, 0});
  expect_floats(of("logdet", {1, 2, 2, 4}), {-kInfinity});
  expect_floats(of("logdet", {0, 2, 4, 0}), {kNaN});
  expect_floats(of("logdet", {0, 2, -4, 0}), {std::log(8.0f)});
}

// As in DyNet a probability of exactly 0 or 1 gives a finite loss: the logarithm is that of the smallest normal float.
TEST(OpResults, OfBinaryLogLossAreBounded) {
  World world;
  Program program(world);
  const int x = program.input({4}, {0, 1, 0, 1});
  const int y = program.input({4}, {0, 1, 1, 0});
  const int loss = program.add("binary_log_loss", {x, y});
  program.reference().backward(program.node(loss));
  const GraphHandle graph = new_graph();
  const std::vector<dn_expr> exprs = program.record(graph.get());
  EXPECT_OK(dn_graph_backward(graph.get(), exprs[2], nullptr, 1));
  EXPECT_NEAR(value(graph.get(), exprs[2])[0], 2 * 87.336544, 1e-3);
  // Element by element: 1 / x is bounded by that of the smallest normal float, 1 / (1 - x) by 2^23.
  const float most = 1 / std::numeric_limits<float>::min();
  expect_floats(gradient(graph.get(), exprs[0]), {1, -1, -most, 8388608});
  for (const int operand : {x, y}) {
    const Numbers& expected = program.reference().gradient(program.node(operand));
    const std::vector<float> actual = gradient(graph.get(), exprs[static_cast<size_t>(operand)]);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) EXPECT_FLOAT_EQ(actual[i], static_cast<float>(expected[i])) << i;
  }
}

// ---- the number of dimensions, which the comparison of shapes disregards ----

dn_dim dim_of(std::string_view op, const std::vector<dn_dim>& operands, const Attributes& a = {}) {
  World world;
  const GraphHandle graph = new_graph();
  std::vector<dn_expr> x;
  for (const dn_dim& operand : operands) {
    x.emplace_back();
    EXPECT_OK(dn_op_constant(graph.get(), &operand, 0.5, &x.back()));
  }
  dn_expr out{};
  EXPECT_OK(record(graph.get(), world, op_row(op), {.a = a}, x, &out));
  dn_dim result{};
  EXPECT_OK(dn_graph_dim(graph.get(), out, &result));
  return result;
}

void expect_dim(const dn_dim& actual, std::initializer_list<uint32_t> sizes, uint32_t batch = 1) {
  EXPECT_EQ(to_c(Dim(sizes, batch)).nd, actual.nd);
  EXPECT_EQ(Shape(to_c(Dim(sizes, batch))), Shape(actual));
}

TEST(OpResults, HaveTheDimensionsOfTheHeader) {
  expect_dim(dim_of("multiply", {dim({2, 3}), dim({3})}), {2});
  expect_dim(dim_of("multiply", {dim({2, 3}), dim({3, 1})}), {2, 1});
  expect_dim(dim_of("multiply", {dim({2, 3}), dim({3, 4}, 5)}), {2, 4}, 5);
  expect_dim(dim_of("multiply", {dim({2}), dim({1, 2})}), {2, 2});
  expect_dim(dim_of("affine_transform", {dim({2}), dim({2, 3}), dim({3})}), {2});
  expect_dim(dim_of("affine_transform", {dim({2}), dim({2, 3}), dim({3, 4})}), {2, 4});
  expect_dim(dim_of("add", {dim({2}), dim({1, 3}, 4)}), {2, 3}, 4);
  expect_dim(dim_of("transpose", {dim({3})}), {1, 3});
  expect_dim(dim_of("transpose", {dim({1, 3})}), {3, 1});
  expect_dim(dim_of("sum_elems", {dim({2, 3}, 4)}), {1}, 4);
  expect_dim(dim_of("pick", {dim({3}, 2)}, {.indices = {1}}), {1}, 2);
  expect_dim(dim_of("pick", {dim({3, 4, 5})}, {.indices = {1}, .dim = 1}), {3, 5});
  expect_dim(dim_of("transpose_dims", {dim({3, 4, 5}, 2)}, {.dims = {2, 0, 1}}), {5, 3, 4}, 2);
  expect_dim(dim_of("transpose_dims", {dim({3})}, {.dims = {1, 0}}), {1, 3});
  expect_dim(dim_of("transpose_dims", {dim({})}), {});
  expect_dim(dim_of("select_rows", {dim({3}, 2)}, {.indices = {0, 0, 1, 2}}), {4}, 2);
  expect_dim(dim_of("select_cols", {dim({3})}, {.indices = {0, 0}}), {3, 2});
  expect_dim(dim_of("pick_batch_elem", {dim({3, 1}, 4)}, {.indices = {3}}), {3, 1});
  expect_dim(dim_of("pick_batch_elems", {dim({3}, 4)}, {.indices = {3, 0}}), {3}, 2);
  // The entry behind those of the dimensions is the batch's, however many of these are 1.
  expect_dim(dim_of("strided_select", {dim({5}, 4)}, {.strides = {2, 3}}), {3}, 2);
  expect_dim(dim_of("strided_select", {dim({5, 1}, 4)}, {.strides = {2, 1, 3}}), {3, 1}, 2);
  expect_dim(dim_of("strided_select", {dim({}, 4)}, {.from = {1}}), {}, 3);
  expect_dim(dim_of("strided_select", {dim({5, 3}, 4)}), {5, 3}, 4);
  expect_dim(dim_of("pick_range", {dim({3, 4})}, {.dim = 1, .start = 1, .end = 2}), {3, 1});
  expect_dim(dim_of("concatenate_cols", {dim({3}), dim({3})}), {3, 2});
  expect_dim(dim_of("concatenate", {dim({3}), dim({3})}, {.dim = 2}), {3, 1, 2});
  expect_dim(dim_of("concatenate_to_batch", {dim({3}), dim({3}, 4)}), {3}, 5);
  expect_dim(dim_of("hinge_dim", {dim({3, 2})}, {.scalar = 1, .indices = {0, 1}}), {2});
  expect_dim(dim_of("hinge_dim", {dim({3, 2})}, {.scalar = 1, .indices = {0, 1, 0, 1, 0, 1}, .dim = 1}), {3}, 2);
  expect_dim(dim_of("contract3d_1d", {dim({2, 1, 4}), dim({4}, 3)}), {2, 1}, 3);
  expect_dim(dim_of("contract3d_1d_1d", {dim({2, 3, 4}), dim({4}), dim({3}, 5)}), {2}, 5);
  expect_dim(dim_of("tanh", {dim({})}), {});
  expect_dim(dim_of("reshape", {dim({6}, 2)}, {.shape = {2, 3}}), {2, 3}, 2);
  expect_dim(dim_of("reshape", {dim({6}, 2)}, {.shape = {12}}), {12});
}

// ---- dropout ----

constexpr int64_t kMany = 20000;

std::vector<float> dropped(const GraphHandle& graph, double rate) {
  const dn_dim shape = dim({static_cast<uint32_t>(kMany)});
  dn_expr x{};
  dn_expr y{};
  EXPECT_OK(dn_op_constant(graph.get(), &shape, 1, &x));
  EXPECT_OK(dn_op_dropout(graph.get(), x, rate, &y));
  return value(graph.get(), y);
}

TEST(Dropout, DropsAtItsRate) {
  const GraphHandle graph = new_graph();
  for (const double rate : {0.0, 0.1, 0.5, 0.9}) {
    double zeros = 0;
    // Neighbours are independent: how often both are dropped.
    double pairs = 0;
    const std::vector<float> y = dropped(graph, rate);
    for (size_t i = 0; i < y.size(); ++i) {
      if (y[i] != 0) {
        EXPECT_FLOAT_EQ(y[i], static_cast<float>(1 / (1 - rate)));
      }
      zeros += y[i] == 0;
      pairs += i > 0 && y[i] == 0 && y[i - 1] == 0;
    }
    const double deviation = std::sqrt(rate * (1 - rate) / kMany);
    EXPECT_NEAR(zeros / kMany, rate, 4 * deviation);
    EXPECT_NEAR(pairs / kMany, rate * rate, 6 * deviation + 1.0 / kMany);
  }
}

TEST(Dropout, DrawsAnewForEachNodeAndRenewal) {
  const GraphHandle graph = new_graph();
  const std::vector<float> first = dropped(graph, 0.5);
  EXPECT_NE(dropped(graph, 0.5), first) << "another node of the graph";
  ASSERT_OK(dn_graph_renew(graph.get()));
  EXPECT_NE(dropped(graph, 0.5), first) << "the same node after a renewal";
}

TEST(Dropout, DrawsTheSameInTheSameProgram) {
  const GraphHandle graph = new_graph(3);
  const GraphHandle same = new_graph(3);
  const GraphHandle other = new_graph(4);
  const std::vector<float> first = dropped(graph, 0.5);
  EXPECT_EQ(dropped(same, 0.5), first);
  EXPECT_NE(dropped(other, 0.5), first);
  ASSERT_OK(dn_graph_renew(graph.get()));
  ASSERT_OK(dn_graph_renew(same.get()));
  EXPECT_EQ(dropped(same, 0.5), dropped(graph, 0.5)) << "after a renewal";
}

TEST(Dropout, DrawsAnewAtEachForward) {
  const GraphHandle graph = new_graph();
  const dn_dim shape = dim({100});
  dn_expr x{};
  dn_expr y{};
  ASSERT_OK(dn_op_constant(graph.get(), &shape, 1, &x));
  ASSERT_OK(dn_op_dropout(graph.get(), x, 0.5, &y));
  const std::vector<float> first = value(graph.get(), y);
  EXPECT_EQ(value(graph.get(), y), first) << "a value that is there is not drawn again";
  ASSERT_OK(dn_graph_forward(graph.get(), y));
  EXPECT_NE(value(graph.get(), y), first);
}

}  // namespace
}  // namespace dynnet::test

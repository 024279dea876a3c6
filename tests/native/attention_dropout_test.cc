// Dropout of the weights of attention, beyond the table of operations: what is drawn, when, and how often.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

constexpr double kDropped = 0.25;

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected, double relative) {
  ASSERT_EQ(actual.size(), expected.size());
  double largest = 0;
  for (const float each : expected) largest = std::max(largest, std::abs(static_cast<double>(each)));
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], relative * largest) << i;
}

// The weights of n keys for as many queries in each of several heads, all 1 / n before dropout: a value of a 1 each.
std::vector<float> drawn_weights(const GraphHandle& graph, uint32_t n, uint32_t heads, uint32_t batch = 1) {
  const dn_expr zeros = constant(graph, {heads, n}, 0, batch);
  std::vector<float> ones(size_t{heads} * n * n, 0);
  for (uint32_t key = 0; key < n; ++key)
    for (uint32_t head = 0; head < heads; ++head) ones[size_t{key} * heads * n + head * n + key] = 1;
  const dn_expr values = input(graph, {heads * n, n}, ones);
  return value(graph, make(graph, dn_op_multi_head_attention, zeros, zeros, values, static_cast<int32_t>(heads),
                           int32_t{0}, kDropped, 0.0));
}

// Each weight is dropped with the rate's probability, whatever its neighbours, head or batch element, and is divided by
// 1 - rate otherwise.
TEST(AttentionDropout, DropsAtItsRate) {
  constexpr uint32_t kKeys = 64;
  const GraphHandle graph = new_graph();
  const std::vector<float> weights = drawn_weights(graph, kKeys, 3, 4);
  const auto count = static_cast<double>(weights.size());
  double zeros = 0;
  for (const float each : weights) {
    if (each == 0)
      ++zeros;
    else
      ASSERT_NEAR(each, 1 / (1 - kDropped) / kKeys, 1e-6 / kKeys);
  }
  EXPECT_NEAR(zeros / count, kDropped, 4 * std::sqrt(kDropped * (1 - kDropped) / count));
  // To the next key, head, query and batch element.
  for (const size_t step : {size_t{1}, size_t{kKeys}, size_t{3 * kKeys}, size_t{3 * kKeys * kKeys}}) {
    double sum = 0;
    for (size_t i = step; i < weights.size(); ++i)
      sum += ((weights[i] == 0) - kDropped) * ((weights[i - step] == 0) - kDropped);
    const auto pairs = static_cast<double>(weights.size() - step);
    EXPECT_LT(std::abs(sum / pairs / (kDropped * (1 - kDropped))), 4 / std::sqrt(pairs)) << step;
  }
}

// Two graphs of one seed: in the place of one's attention the other has a dropout of the weights.
TEST(AttentionDropout, IsThatOfTheWeightsStepByStep) {
  struct Result {
    std::vector<float> value;
    std::vector<std::vector<float>> gradients;
  };
  for (const uint32_t queries : {1u, 5u, 20u}) {
    SCOPED_TRACE(queries);
    const auto result = [&](bool steps) {
      const GraphHandle graph = new_graph(7);
      const dn_expr q = input(graph, {6, queries}, some_values(int64_t{12} * queries, 1), 2);
      const dn_expr k = input(graph, {6, 9}, some_values(54, 2));
      const dn_expr v = input(graph, {8, 9}, some_values(144, 3), 2);
      const dn_expr mask = input(graph, {9, 1, 2}, some_values(18, 4));
      const dn_expr weights = make(graph, dn_op_attention_weights_masked, q, k, mask, int32_t{2}, int32_t{1}, -0.7);
      dn_expr y{};
      if (steps) {
        const dn_expr dropped = make(graph, dn_op_dropout, weights, kDropped);
        std::vector<dn_expr> heads;
        for (int32_t head = 0; head < 2; ++head)
          heads.push_back(make(graph, dn_op_multiply,
                               make(graph, dn_op_pick_range, v, 4 * head, 4 * head + 4, int32_t{0}),
                               make(graph, dn_op_pick, dropped, head, int32_t{2})));
        y = make(graph, dn_op_concatenate, heads.data(), int32_t{2}, int32_t{0});
      } else {
        y = make(graph, dn_op_multi_head_attention_masked, q, k, v, mask, int32_t{2}, int32_t{1}, kDropped, -0.7);
      }
      const dn_expr squares = make(graph, dn_op_sum_elems, make(graph, dn_op_square, y));
      const dn_expr loss = make(graph, dn_op_sum_batches, squares);
      EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 1));
      Result r{value(graph, y), {}};
      for (const dn_expr x : {q, k, v, mask}) r.gradients.push_back(gradient(graph, x));
      return r;
    };
    const Result once = result(false);
    const Result steps = result(true);
    expect_near(once.value, steps.value, 1e-6);
    for (size_t i = 0; i < once.gradients.size(); ++i) {
      SCOPED_TRACE(i);
      expect_near(once.gradients[i], steps.gradients[i], 1e-5);
    }
  }
}

TEST(AttentionDropout, DrawsAnewForEachNodeRenewalAndSeed) {
  const GraphHandle graph = new_graph(3);
  const GraphHandle same = new_graph(3);
  const GraphHandle other = new_graph(4);
  const std::vector<float> first = drawn_weights(graph, 8, 2);
  EXPECT_EQ(drawn_weights(same, 8, 2), first);
  EXPECT_NE(drawn_weights(graph, 8, 2), first) << "another node";
  EXPECT_NE(drawn_weights(other, 8, 2), first) << "another seed";
  ASSERT_OK(dn_graph_renew(graph.get()));
  ASSERT_OK(dn_graph_renew(same.get()));
  const std::vector<float> renewed = drawn_weights(graph, 8, 2);
  EXPECT_NE(renewed, first) << "after a renewal";
  EXPECT_EQ(drawn_weights(same, 8, 2), renewed);
}

TEST(AttentionDropout, DrawsAnewAtEachForwardOnly) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {4, 16}, some_values(64));
  const dn_expr y = make(graph, dn_op_scaled_dot_product_attention, x, x, x, int32_t{0}, kDropped, 0.0);
  const dn_expr loss = make(graph, dn_op_sum_elems, y);
  const std::vector<float> first = value(graph, y);
  ASSERT_OK(dn_graph_backward(graph.get(), loss, nullptr, 1));
  EXPECT_EQ(value(graph, y), first);
  ASSERT_OK(dn_graph_forward(graph.get(), loss));
  EXPECT_NE(value(graph, y), first);
}

// Nodes that compute the same are computed once, but not if they draw: recorded twice from equal operands.
TEST(AttentionDropout, IsNotThatOfAnEqualNode) {
  for (const double rate : {0.0, kDropped}) {
    const GraphHandle graph = new_graph();
    std::vector<dn_expr> y;
    for (int i = 0; i < 2; ++i) {
      const dn_expr x = make(graph, dn_op_tanh, constant(graph, {4, 16}, 0.5));
      y.push_back(make(graph, dn_op_scaled_dot_product_attention, x, x, x, int32_t{0}, rate, 0.0));
    }
    make(graph, dn_op_sum, y.data(), int32_t{2});
    ASSERT_OK(dn_graph_forward(graph.get(), y[1]));
    EXPECT_EQ(value(graph, y[0]) == value(graph, y[1]), rate == 0);
  }
}

TEST(AttentionDropout, OfManyNodesRunsTogether) {
  const GraphHandle graph = new_graph();
  std::vector<dn_expr> y;
  for (int i = 0; i < 32; ++i) {
    const dn_expr x = input(graph, {4, 5}, some_values(20, i));
    y.push_back(make(graph, dn_op_scaled_dot_product_attention, x, x, x, int32_t{0}, kDropped, 0.0));
  }
  ASSERT_OK(dn_graph_forward(graph.get(), make(graph, dn_op_sum, y.data(), int32_t{32})));
  EXPECT_EQ(stats(graph).batches, 2);
}

}  // namespace
}  // namespace dynnet::test

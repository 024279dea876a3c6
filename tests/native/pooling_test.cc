// Pooling where elements are equal, which the table of operations draws away from: the first one wins.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

std::vector<float> gradient_of_sum(const GraphHandle& graph, dn_expr y, dn_expr x) {
  const dn_expr sum = make(graph, dn_op_sum_elems, y);
  EXPECT_OK(dn_graph_backward(graph.get(), sum, nullptr, 1));
  return gradient(graph, x);
}

dn_expr max_pool(const GraphHandle& graph, dn_expr x, std::vector<int32_t> ksize, std::vector<int32_t> stride,
                 int32_t is_valid) {
  return make(graph, dn_op_maxpooling2d, x, ksize.data(), int32_t{2}, stride.data(), int32_t{2}, is_valid);
}

TEST(PoolingTest, TheTopmostAndThenTheLeftmostOfEqualElementsGetsTheGradient) {
  const GraphHandle graph = new_graph();
  // Rows 1 3 3, 3 0 0.
  const dn_expr x = input(graph, {2, 3}, {1, 3, 3, 0, 3, 0});
  const dn_expr y = max_pool(graph, x, {2, 3}, {1, 1}, 1);
  EXPECT_EQ(value(graph, y), (std::vector<float>{3}));
  EXPECT_EQ(gradient_of_sum(graph, y, x), (std::vector<float>{0, 0, 1, 0, 0, 0}));
}

TEST(PoolingTest, PaddingNeverWins) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {3, 3}, {-1, -2, -3, -4, -5, -6, -7, -8, -9});
  const dn_expr y = max_pool(graph, x, {3, 3}, {1, 1}, 0);
  EXPECT_EQ(value(graph, y), (std::vector<float>{-1, -1, -2, -1, -1, -2, -4, -4, -5}));
  EXPECT_EQ(gradient_of_sum(graph, y, x), (std::vector<float>{4, 2, 0, 2, 1, 0, 0, 0, 0}));
}

TEST(PoolingTest, AWindowMayBeFarLargerThanTheMap) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {3, 1}, {9, 1, 1});
  // Half of the window and of the padding are more than floats can count.
  const dn_expr y = max_pool(graph, x, {33554435, 1}, {1, 1}, 0);
  EXPECT_EQ(value(graph, y), (std::vector<float>{9, 9, 9}));
  EXPECT_EQ(gradient_of_sum(graph, y, x), (std::vector<float>{3, 0, 0}));
}

// The work is that of the map: as many steps as the window has rows, for each column, would not end.
TEST(PoolingTest, TheWorkDoesNotGrowWithTheWindow) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  const GraphHandle graph = new_graph();
  const std::vector<float> values = some_values(4000);
  const dn_expr x = input(graph, {4, 1000}, values);
  const dn_expr y = max_pool(graph, x, {kMost, kMost}, {1, 1}, 0);
  EXPECT_EQ(value(graph, y), std::vector<float>(4000, *std::max_element(values.begin(), values.end())));
}

TEST(PoolingTest, PlacesThatAFloatCannotHoldAreRefused) {
  const GraphHandle graph = new_graph();
  dn_expr out{};
  const int32_t numbers[] = {2, 2};
  const auto pool = [&](dn_expr x) { return dn_op_maxpooling2d(graph.get(), x, numbers, 2, numbers, 2, 1, &out); };
  EXPECT_OK(pool(constant(graph, {4096, 4096}, 1)));
  expect_failure(pool(constant(graph, {4097, 4096}, 1)), DN_E_SHAPE,
                 {"maxpooling2d", "{4097,4096}", "more than 16777216 elements"});
  EXPECT_OK(dn_op_kmax_pooling(graph.get(), constant(graph, {1, 1 << 24}, 1), 2, 1, &out));
  expect_failure(dn_op_kmax_pooling(graph.get(), constant(graph, {1, (1 << 24) + 1}, 1), 2, 1, &out), DN_E_SHAPE,
                 {"kmax_pooling", "dimension 1 of {1,16777217}"});
}

TEST(PoolingTest, TheFirstOfEqualElementsAreAmongTheLargest) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {1, 6}, {2, 1, 2, 3, 2, 0});
  const dn_expr y = make(graph, dn_op_kmax_pooling, x, int32_t{3}, int32_t{1});
  EXPECT_EQ(value(graph, y), (std::vector<float>{2, 2, 3}));
  EXPECT_EQ(gradient_of_sum(graph, y, x), (std::vector<float>{1, 0, 1, 1, 0, 0}));
}

TEST(PoolingTest, AllElementsOfALineStayInTheirOrder) {
  const GraphHandle graph = new_graph();
  const std::vector<float> values = some_values(60);
  const dn_expr x = input(graph, {20, 3}, values);
  EXPECT_EQ(value(graph, make(graph, dn_op_kmax_pooling, x, int32_t{20}, int32_t{0})), values);
  EXPECT_EQ(value(graph, make(graph, dn_op_kmax_pooling, x, int32_t{3}, int32_t{1})), values);
}

}  // namespace
}  // namespace dynnet::test

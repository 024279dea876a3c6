// Pooling where elements are equal, which the table of operations draws away from: the first one wins.
#include <gtest/gtest.h>

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

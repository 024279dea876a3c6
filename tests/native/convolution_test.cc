// Convolutions whose strides are far larger than what they move over.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

dn_expr convolve(const GraphHandle& graph, dn_expr x, dn_expr f, std::vector<int32_t> stride, int32_t is_valid) {
  return make(graph, dn_op_conv2d, x, f, stride.data(), int32_t{2}, is_valid);
}

void backward(const GraphHandle& graph, dn_expr y) {
  EXPECT_OK(dn_graph_backward(graph.get(), make(graph, dn_op_sum_elems, y), nullptr, 1));
}

TEST(ConvolutionTest, MemoryDoesNotGrowWithTheStride) {
  const std::vector<float> values = some_values(64);
  for (const int32_t is_valid : {0, 1}) {
    const GraphHandle graph = new_graph();
    const dn_expr x = input(graph, {8, 8, 1}, values);
    const dn_expr f = input(graph, {1, 1, 1, 1}, {2});
    const dn_expr y = convolve(graph, x, f, {kMost, 1}, is_valid);
    // The first row of x, and of its gradient.
    std::vector<float> expected(8), slope(64);
    float sum = 0;
    for (size_t j = 0; j < 8; ++j) {
      expected[j] = 2 * values[8 * j];
      slope[8 * j] = 2;
      sum += values[8 * j];
    }
    EXPECT_EQ(value(graph, y), expected);
    backward(graph, y);
    EXPECT_EQ(gradient(graph, x), slope);
    EXPECT_NEAR(gradient(graph, f)[0], sum, 1e-6);
  }
}

TEST(ConvolutionTest, OnePlaceOfALargeStrideIsTheWholeFilter) {
  const std::vector<float> values = some_values(40), weights = some_values(6, 2);
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {8, 5}, values);
  const dn_expr f = input(graph, {3, 2}, weights);
  const dn_expr y = convolve(graph, x, f, {kMost, kMost}, 1);
  float sum = 0;
  std::vector<float> of_x(40), of_f(6);
  for (size_t b = 0; b < 2; ++b)
    for (size_t a = 0; a < 3; ++a) {
      sum += values[a + 8 * b] * weights[a + 3 * b];
      of_x[a + 8 * b] = weights[a + 3 * b];
      of_f[a + 3 * b] = values[a + 8 * b];
    }
  ASSERT_EQ(value(graph, y).size(), 1u);
  EXPECT_NEAR(value(graph, y)[0], sum, 1e-6);
  backward(graph, y);
  EXPECT_EQ(gradient(graph, x), of_x);
  EXPECT_EQ(gradient(graph, f), of_f);
}

// Rows 0, 5 and 10 and those below them, of which no other is met.
TEST(ConvolutionTest, RowsBetweenThePlacesAreNotMet) {
  const std::vector<float> values = some_values(12), weights = some_values(2, 2);
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {12, 1}, values);
  const dn_expr f = input(graph, {2, 1}, weights);
  const dn_expr y = convolve(graph, x, f, {5, 1}, 1);
  const std::vector<float> actual = value(graph, y);
  ASSERT_EQ(actual.size(), 3u);
  std::vector<float> of_x(12);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(actual[i], values[5 * i] * weights[0] + values[5 * i + 1] * weights[1], 1e-6);
    for (size_t a = 0; a < 2; ++a) of_x[5 * i + a] = weights[a];
  }
  backward(graph, y);
  EXPECT_EQ(gradient(graph, x), of_x);
}

}  // namespace
}  // namespace dynnet::test

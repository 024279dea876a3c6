// Inputs of which some numbers are given, and one-hot vectors: what the table of operations does not reach.
#include <gtest/gtest.h>

#include "graph_support.h"

namespace dynnet::test {
namespace {

class SparseInputTest : public testing::Test {
 protected:
  dn_status record(const std::vector<int32_t>& indices, const std::vector<float>& values, double otherwise,
                   dn_expr* out) {
    const dn_dim shape = dim({2, 2}, 2);
    return dn_op_input_sparse(graph_.get(), &shape, indices.data(), static_cast<int32_t>(indices.size()), values.data(),
                              static_cast<int64_t>(values.size()), otherwise, out);
  }

  GraphHandle graph_ = new_graph();
};

TEST_F(SparseInputTest, PutsNumbersInTheirPlaces) {
  dn_expr x{};
  ASSERT_OK(record({7, 0, 3}, {1, 2, 3}, -1, &x));
  EXPECT_EQ(value(graph_, x), (std::vector<float>{2, -1, -1, 3, -1, -1, -1, 1}));
  ASSERT_OK(record({}, {}, 0.5, &x));
  EXPECT_EQ(value(graph_, x), std::vector<float>(8, 0.5f));
  ASSERT_OK(record({1, 1, 1}, {1, 2, 3}, 0, &x));
  EXPECT_EQ(value(graph_, x)[1], 3) << "the last one counts";
}

TEST_F(SparseInputTest, TakesNewNumbersForAllElements) {
  dn_expr x{};
  ASSERT_OK(record({0}, {1}, 0, &x));
  const dn_expr sum = make(graph_, dn_op_sum_batches, make(graph_, dn_op_sum_elems, x));
  EXPECT_EQ(scalar(graph_, sum), 1);
  const std::vector<float> all{1, 2, 3, 4, 5, 6, 7, 8};
  ASSERT_OK(dn_graph_set_input(graph_.get(), x, all.data(), 8));
  ASSERT_OK(dn_graph_forward(graph_.get(), sum));
  EXPECT_EQ(scalar(graph_, sum), 36);
  EXPECT_EQ(value(graph_, x), all);
  expect_failure(dn_graph_set_input(graph_.get(), x, all.data(), 1), DN_E_SHAPE, {"1 values", "{2,2}X2"});
  const int32_t index = 0;
  expect_failure(dn_graph_set_indices(graph_.get(), x, &index, 1), DN_E_ARGUMENT,
                 {"input_sparse", "no indices to set"});
}

TEST_F(SparseInputTest, RefusesWhatDoesNotFit) {
  dn_expr x{};
  expect_failure(record({0, 8}, {1, 2}, 0, &x), DN_E_INDEX, {"input_sparse: index 8 of {2,2}X2", "0 to 7"});
  expect_failure(record({-1}, {1}, 0, &x), DN_E_INDEX, {"input_sparse: index -1"});
  expect_failure(record({0, 1}, {1}, 0, &x), DN_E_ARGUMENT, {"input_sparse: 2 indices and 1 values"});
  EXPECT_EQ(nodes_count(graph_), 0);
  // What was refused leaves no input behind.
  const dn_expr y = input(graph_, {2}, {1, 2});
  const float numbers[] = {3, 4};
  ASSERT_OK(dn_graph_set_input(graph_.get(), y, numbers, 2));
  ASSERT_OK(dn_graph_forward(graph_.get(), y));
  EXPECT_EQ(value(graph_, y), (std::vector<float>{3, 4}));
}

TEST_F(SparseInputTest, IndicesOfOneHotCanBeSet) {
  const dn_expr one = make(graph_, dn_op_one_hot, 3, 1);
  const int32_t two[] = {0, 2};
  const dn_expr batch = make(graph_, dn_op_one_hot_batch, 3, two, 2);
  EXPECT_EQ(value(graph_, one), (std::vector<float>{0, 1, 0}));
  EXPECT_EQ(value(graph_, batch), (std::vector<float>{1, 0, 0, 0, 0, 1}));
  const int32_t other[] = {2, 1};
  ASSERT_OK(dn_graph_set_indices(graph_.get(), one, other, 1));
  ASSERT_OK(dn_graph_set_indices(graph_.get(), batch, other, 2));
  ASSERT_OK(dn_graph_forward(graph_.get(), batch));
  EXPECT_EQ(value(graph_, one), (std::vector<float>{0, 0, 1}));
  EXPECT_EQ(value(graph_, batch), (std::vector<float>{0, 0, 1, 0, 1, 0}));
  const int32_t bad = 3;
  expect_failure(dn_graph_set_indices(graph_.get(), one, &bad, 1), DN_E_INDEX, {"one_hot: index 3"});
}

// Indices of selections are the node's own too.
TEST_F(SparseInputTest, IndicesOfSelectionsCanBeSet) {
  const dn_expr x = input(graph_, {2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}, 2);
  const int32_t first[] = {0, 0};
  const dn_expr rows = make(graph_, dn_op_select_rows, x, first, 2);
  const dn_expr cols = make(graph_, dn_op_select_cols, x, first, 2);
  const dn_expr element = make(graph_, dn_op_pick_batch_elem, x, 0);
  const dn_expr elements = make(graph_, dn_op_pick_batch_elems, x, first, 2);
  EXPECT_EQ(value(graph_, rows), (std::vector<float>{1, 1, 3, 3, 5, 5, 7, 7}));
  EXPECT_EQ(value(graph_, cols), (std::vector<float>{1, 2, 1, 2, 5, 6, 5, 6}));
  EXPECT_EQ(value(graph_, element), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(value(graph_, elements), (std::vector<float>{1, 2, 3, 4, 1, 2, 3, 4}));
  const int32_t other[] = {1, 0};
  for (const dn_expr y : {rows, cols, elements}) ASSERT_OK(dn_graph_set_indices(graph_.get(), y, other, 2));
  ASSERT_OK(dn_graph_set_indices(graph_.get(), element, other, 1));
  ASSERT_OK(dn_graph_forward(graph_.get(), elements));
  EXPECT_EQ(value(graph_, rows), (std::vector<float>{2, 1, 4, 3, 6, 5, 8, 7}));
  EXPECT_EQ(value(graph_, cols), (std::vector<float>{3, 4, 1, 2, 7, 8, 5, 6}));
  EXPECT_EQ(value(graph_, element), (std::vector<float>{5, 6, 7, 8}));
  EXPECT_EQ(value(graph_, elements), (std::vector<float>{5, 6, 7, 8, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace dynnet::test

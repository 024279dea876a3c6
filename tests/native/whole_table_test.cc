// A whole lookup table as a node: the table's own memory, one node in a graph, gradients for its rows.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

class WholeTableTest : public testing::Test {
 protected:
  static constexpr uint32_t kSize = 5;
  static constexpr int32_t kRows = 4;

  dn_expr whole(const GraphHandle& graph) { return make(graph, dn_op_lookup_table, table_); }
  dn_expr loss_of(const std::vector<dn_expr>& xs) {
    std::vector<dn_expr> losses;
    for (const dn_expr x : xs) losses.push_back(make(graph_, dn_op_sum_elems, make(graph_, dn_op_square, x)));
    return make(graph_, dn_op_sum, losses.data(), static_cast<int32_t>(losses.size()));
  }
  std::vector<float> all_row_gradients() {
    std::vector<float> all;
    for (int32_t row = 0; row < kRows; ++row) {
      const std::vector<float> more = row_gradient(table_, row);
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }

  const ThreadsKept threads_kept_;
  ModelHandle model_ = new_model();
  dn_lookup_parameter* table_ = add_table(model_, kRows, {kSize}, values_of(some_values(kSize* kRows)), "E");
  GraphHandle graph_ = new_graph();
};

TEST_F(WholeTableTest, IsTheTablesOwnMemory) {
  const dn_expr x = whole(graph_);
  dn_dim shape{};
  ASSERT_OK(dn_graph_dim(graph_.get(), x, &shape));
  EXPECT_EQ(shape.nd, 2u);
  EXPECT_EQ(shape.d[0], kSize);
  EXPECT_EQ(shape.d[1], static_cast<uint32_t>(kRows));
  const float* value = nullptr;
  const float* values = nullptr;
  int64_t count = 0;
  ASSERT_OK(dn_graph_value(graph_.get(), x, &value, &count));
  ASSERT_OK(dn_lookup_parameter_values(table_, &values, &count));
  EXPECT_EQ(value, values);
}

TEST_F(WholeTableTest, IsOneNodeOfAGraph) {
  const dn_expr x = whole(graph_);
  const dn_expr constant = make(graph_, dn_op_const_lookup_table, table_);
  EXPECT_EQ(whole(graph_).node, x.node);
  EXPECT_EQ(make(graph_, dn_op_const_lookup_table, table_).node, constant.node);
  EXPECT_NE(constant.node, x.node);
  EXPECT_EQ(nodes_count(graph_), 2);
  ASSERT_OK(dn_graph_renew(graph_.get()));
  make(graph_, dn_op_lookup, table_, 1);
  EXPECT_EQ(whole(graph_).node, 1u) << "what an earlier graph held is forgotten";
}

TEST_F(WholeTableTest, IsTakenBackByARevert) {
  ASSERT_OK(dn_graph_checkpoint(graph_.get()));
  whole(graph_);
  ASSERT_OK(dn_graph_revert(graph_.get()));
  constant(graph_, {2}, 1);
  const dn_expr x = whole(graph_);
  EXPECT_EQ(x.node, 1u);
  EXPECT_EQ(value(graph_, x), values(table_));
}

// Products with the table as the weight are one batch, and their gradient one product.
TEST_F(WholeTableTest, IsAWeight) {
  const dn_expr scores = make(graph_, dn_op_transpose, whole(graph_));
  std::vector<dn_expr> ys;
  for (int i = 0; i < 8; ++i)
    ys.push_back(make(graph_, dn_op_multiply, whole(graph_), input(graph_, {kRows}, some_values(kRows, i))));
  for (int i = 0; i < 8; ++i)
    ys.push_back(make(graph_, dn_op_multiply, scores, input(graph_, {kSize}, some_values(kSize, i))));
  const dn_expr loss = loss_of(ys);
  value(graph_, loss);
  // The transpose, two products, square and sum_elems of two sizes, the sum.
  EXPECT_EQ(stats(graph_).batches, 8);
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
  std::vector<double> expected(kSize * kRows, 0);
  const std::vector<float> e = values(table_);
  for (int i = 0; i < 8; ++i) {
    const std::vector<float> a = some_values(kRows, i);
    const std::vector<float> b = some_values(kSize, i);
    const std::vector<float> y = value(graph_, ys[static_cast<size_t>(i)]);
    const std::vector<float> z = value(graph_, ys[static_cast<size_t>(8 + i)]);
    for (size_t row = 0; row < kRows; ++row)
      for (size_t j = 0; j < kSize; ++j) expected[row * kSize + j] += 2.0 * y[j] * a[row] + 2.0 * z[row] * b[j];
  }
  const std::vector<float> actual = all_row_gradients();
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5 * (1 + std::abs(expected[i])));
  EXPECT_EQ(gradient(graph_, whole(graph_)), actual) << "the gradient of the node is that of the rows";
}

TEST_F(WholeTableTest, AddsToTheGradientsOfItsRows) {
  const dn_expr row = make(graph_, dn_op_lookup, table_, 2);
  const dn_expr loss = make_of(graph_.get(), dn_op_sum,
                               {make(graph_, dn_op_sum_elems, whole(graph_)), make(graph_, dn_op_sum_elems, row)});
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
  for (int32_t i = 0; i < kRows; ++i)
    EXPECT_EQ(row_gradient(table_, i), std::vector<float>(kSize, i == 2 ? 2.0f : 1.0f)) << i;
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
  EXPECT_EQ(row_gradient(table_, 0), std::vector<float>(kSize, 2.0f)) << "gradients add up";
}

TEST_F(WholeTableTest, GivesItsGradientToTheGivenSet) {
  const GradientsHandle set = new_gradients(model_);
  const dn_expr loss = make(graph_, dn_op_sum_elems, whole(graph_));
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, set.get(), 0));
  EXPECT_EQ(all_row_gradients(), std::vector<float>(kSize * kRows, 0.0f));
  for (int32_t i = 0; i < kRows; ++i) EXPECT_EQ(set->set.row(*table_, i)[0], 1.0f);
}

TEST_F(WholeTableTest, OfAConstantGivesNone) {
  const dn_expr x = make(graph_, dn_op_const_lookup_table, table_);
  const dn_expr loss = make(graph_, dn_op_sum_elems, x);
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 1));
  EXPECT_EQ(all_row_gradients(), std::vector<float>(kSize * kRows, 0.0f));
  EXPECT_EQ(gradient(graph_, x), std::vector<float>(kSize * kRows, 1.0f));
}

TEST_F(WholeTableTest, ShowsAnUpdate) {
  const TrainerHandle trainer = new_sgd(model_, 0.125);
  const dn_expr x = whole(graph_);
  const dn_expr square = make(graph_, dn_op_square, x);
  const dn_expr loss = make(graph_, dn_op_sum_elems, square);
  std::vector<float> expected = values(table_);
  for (int i = 0; i < 3; ++i) {
    // Computed anew after the update, though nobody asked for a forward.
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
    for (size_t j = 0; j < expected.size(); ++j) {
      ASSERT_FLOAT_EQ(value(graph_, square)[j], expected[j] * expected[j]);
      ASSERT_FLOAT_EQ(all_row_gradients()[j], 2 * expected[j]);
      expected[j] -= 0.125f * 2 * expected[j];
    }
    EXPECT_OK(dn_trainer_update(trainer.get()));
    for (size_t j = 0; j < expected.size(); ++j) ASSERT_FLOAT_EQ(value(graph_, x)[j], expected[j]);
  }
}

// The value of an affine transformation that was computed with its activation is gone once its weight has changed.
TEST_F(WholeTableTest, AsAWeightOfWhatWasFolded) {
  const TrainerHandle trainer = new_sgd(model_);
  const dn_expr x = input(graph_, {kRows}, some_values(kRows));
  const dn_expr sum = make_of(graph_.get(), dn_op_affine_transform, {constant(graph_, {kSize}, 0), whole(graph_), x});
  const dn_expr loss = loss_of({make(graph_, dn_op_tanh, sum)});
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
  EXPECT_OK(dn_trainer_update(trainer.get()));
  const float* data = nullptr;
  int64_t count = 0;
  expect_failure(dn_graph_value(graph_.get(), sum, &data, &count), DN_E_STATE, {"parameters have changed"});
}

// Several examples on two threads, the table a weight in all of them or an operand that is not left to the end.
TEST_F(WholeTableTest, GivesTheSameBitsOnTwoThreads) {
  const auto run = [&](int32_t threads, bool as_weight) {
    EXPECT_OK(dn_device_set_threads(threads));
    EXPECT_OK(dn_graph_renew(graph_.get()));
    EXPECT_OK(dn_model_reset_gradients(model_.get()));
    std::vector<dn_expr> ends;
    for (int example = 0; example < 24; ++example) {
      dn_expr h = input(graph_, {kRows}, some_values(kRows, example));
      for (int step = 0; step < 10; ++step) {
        const dn_expr y = as_weight ? make(graph_, dn_op_multiply, whole(graph_), h)
                                    : make(graph_, dn_op_pick,
                                           make(graph_, dn_op_cmult, whole(graph_), make(graph_, dn_op_transpose, h)),
                                           step % kRows, 1);
        h = make(graph_, dn_op_pick_range, make(graph_, dn_op_tanh, y), 0, kRows, 0);
      }
      ends.push_back(h);
    }
    const dn_expr loss = loss_of(ends);
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
    return std::pair(all_row_gradients(), value(graph_, loss));
  };
  for (const bool as_weight : {true, false}) {
    const auto alone = run(1, as_weight);
    EXPECT_NE(alone.first, std::vector<float>(kSize * kRows, 0.0f));
    EXPECT_TRUE(until_shared([&] { EXPECT_EQ(run(2, as_weight), alone) << as_weight; }));
  }
}

TEST_F(WholeTableTest, RefusesNone) {
  dn_expr out{};
  expect_failure(dn_op_lookup_table(graph_.get(), nullptr, &out), DN_E_ARGUMENT, {"lookup_table", "null"});
  expect_failure(dn_op_const_lookup_table(graph_.get(), nullptr, &out), DN_E_ARGUMENT, {"const_lookup_table", "null"});
  EXPECT_EQ(nodes_count(graph_), 0);
}

}  // namespace
}  // namespace dynnet::test

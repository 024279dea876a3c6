// What a backward reaches: gradients of the expression that was asked for, whatever else is recorded beside it and
// shares its batches.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

class BackwardTest : public testing::Test {
 protected:
  /// The sum of squares of log(W x), of a type for all.
  dn_expr loss(float x) {
    const dn_expr w = make(graph_, dn_op_parameter, w_);
    return make(graph_, dn_op_squared_norm,
                make(graph_, dn_op_log, make(graph_, dn_op_multiply, w, input(graph_, {1}, {x}))));
  }
  /// The gradient of W after a backward from an expression.
  std::vector<float> differentiated(dn_expr from) {
    EXPECT_OK(dn_model_reset_gradients(model_.get()));
    EXPECT_OK(dn_graph_backward(graph_.get(), from, nullptr, 0));
    return gradient(w_);
  }

  ModelHandle model_ = new_model();
  dn_parameter* w_ = add(model_, {2.0f, 3.0f}, "W");
  GraphHandle graph_ = new_graph();
};

std::vector<float> by_the_book(float x) {
  return {static_cast<float>(2 * std::log(2 * x) / 2), static_cast<float>(2 * std::log(3 * x) / 3)};
}

void expect_floats_near(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5f * std::abs(expected[i])) << i;
}

TEST_F(BackwardTest, WhatIsComputedBesideIsLeftAlone) {
  const dn_expr asked = loss(4);
  // Its logarithm and so its gradients are infinite.
  const dn_expr beside = loss(0);
  ASSERT_OK(dn_graph_forward(graph_.get(), beside));
  ASSERT_TRUE(std::isinf(scalar(graph_, beside)));
  expect_floats_near(differentiated(asked), by_the_book(4));
}

TEST_F(BackwardTest, WhatIsComputedBeforeIsLeftAlone) {
  const dn_expr beside = loss(0);
  const dn_expr asked = loss(4);
  expect_floats_near(differentiated(asked), by_the_book(4));
  ASSERT_TRUE(std::isinf(scalar(graph_, beside)));
}

TEST_F(BackwardTest, OneAfterTheOtherFromOneForward) {
  const std::vector<dn_expr> losses{loss(4), loss(5), loss(6)};
  ASSERT_OK(dn_graph_forward(graph_.get(), losses.back()));
  for (size_t i = 0; i < losses.size(); ++i) {
    SCOPED_TRACE(i);
    expect_floats_near(differentiated(losses[i]), by_the_book(4 + static_cast<float>(i)));
  }
  const dn_expr sum = make(graph_, dn_op_sum, losses.data(), 3);
  std::vector<float> expected(2, 0);
  for (const float x : {4.0f, 5.0f, 6.0f})
    for (size_t i = 0; i < 2; ++i) expected[i] += by_the_book(x)[i];
  expect_floats_near(differentiated(sum), expected);
  expect_floats_near(differentiated(losses[1]), by_the_book(5));
}

// The plan of the forward knows what is wanted from its last node only, and not what an update or a revert left of it.
TEST_F(BackwardTest, FromTheLastNodeAgainAndAgain) {
  const dn_expr asked = loss(4);
  expect_floats_near(differentiated(asked), by_the_book(4));
  expect_floats_near(gradient(graph_, asked), {1});
  expect_floats_near(differentiated(asked), by_the_book(4));
  ASSERT_OK(dn_graph_checkpoint(graph_.get()));
  const dn_expr reverted = loss(0);
  ASSERT_TRUE(std::isinf(scalar(graph_, reverted)));
  ASSERT_OK(dn_graph_revert(graph_.get()));
  expect_floats_near(differentiated(asked), by_the_book(4));
  const std::vector<float> other{1, 1};
  ASSERT_OK(dn_parameter_set_values(w_, other.data(), 2));
  const auto now = static_cast<float>(2 * std::log(4.0));
  expect_floats_near(differentiated(asked), {now, now});
}

// A parameter that no trained node uses belongs to no set that is written.
TEST_F(BackwardTest, ParametersThatAreOnlyRecordedAreNotWritten) {
  const ModelHandle other = new_model();
  dn_parameter* unused = add(other, {2.0f, 3.0f}, "U");
  make(graph_, dn_op_parameter, unused);
  const dn_expr stopped = make(graph_, dn_op_nobackprop, make(graph_, dn_op_parameter, unused));
  const dn_expr asked = make_of(graph_.get(), dn_op_sum, {loss(4), make(graph_, dn_op_sum_elems, stopped)});
  const GradientsHandle set = new_gradients(other);
  expect_failure(dn_graph_backward(graph_.get(), asked, set.get(), 0), DN_E_ARGUMENT, {"depends on no parameter"});
  expect_floats_near(differentiated(asked), by_the_book(4));
  EXPECT_EQ(gradient(unused), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace dynnet::test

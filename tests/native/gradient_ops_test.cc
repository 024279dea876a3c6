// Operations that leave values as they are: whether gradients flow, and what is not computed.
#include <gtest/gtest.h>

#include <limits>

#include "graph_support.h"
#include "special.h"

namespace dynnet::test {
namespace {

class GradientOpsTest : public testing::Test {
 protected:
  static constexpr uint32_t kSize = 3;

  const float* address(dn_expr x) {
    const float* data = nullptr;
    int64_t count = 0;
    EXPECT_OK(dn_graph_value(graph_.get(), x, &data, &count));
    return data;
  }
  dn_status gradient_status(dn_expr x) {
    const float* data = nullptr;
    int64_t count = 0;
    return dn_graph_gradient(graph_.get(), x, &data, &count);
  }
  dn_expr sum_of(dn_expr x) { return make(graph_, dn_op_sum_elems, x); }
  std::string profile() {
    const char* text = nullptr;
    int64_t length = 0;
    EXPECT_OK(dn_graph_profile(graph_.get(), &text, &length));
    return {text, static_cast<size_t>(length)};
  }

  const std::vector<float> zeros_ = std::vector<float>(kSize, 0.0f);
  ModelHandle model_ = new_model();
  dn_parameter* w_ = add(model_, {1, 2, 3}, "w");
  dn_parameter* v_ = add(model_, {4, 5, 6}, "v");
  GraphHandle graph_ = new_graph();
  dn_expr w() { return make(graph_, dn_op_parameter, w_); }
  dn_expr v() { return make(graph_, dn_op_parameter, v_); }
};

TEST_F(GradientOpsTest, ValuesAreNotCopied) {
  const dn_expr x = make(graph_, dn_op_square, w());
  for (const dn_expr y : {make(graph_, dn_op_nobackprop, x), make(graph_, dn_op_flip_gradient, x),
                          make(graph_, dn_op_scale_gradient, x, 2.0)})
    EXPECT_EQ(address(y), address(x));
  EXPECT_EQ(address(make(graph_, dn_op_nobackprop, w())), address(w()));
}

// loss = sum(w * nobackprop(w)): only the first factor is differentiated.
TEST_F(GradientOpsTest, NoBackpropMakesAConstant) {
  const dn_expr stopped = make(graph_, dn_op_nobackprop, w());
  const dn_expr loss = sum_of(make(graph_, dn_op_cmult, w(), stopped));
  for (const int32_t full : {0, 1}) {
    ASSERT_OK(dn_model_reset_gradients(model_.get()));
    ASSERT_OK(dn_graph_backward(graph_.get(), loss, nullptr, full));
    EXPECT_EQ(gradient(w_), (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(gradient(graph_, w()), (std::vector<float>{1, 2, 3}));
    // It is on no path to a parameter itself.
    if (full == 0) {
      EXPECT_EQ(gradient_status(stopped), DN_E_STATE);
    } else {
      EXPECT_EQ(gradient(graph_, stopped), (std::vector<float>{1, 2, 3}));
    }
  }
}

// What lies behind has no gradient from there: zeros to read, none in the model's set, and nothing is computed for it.
TEST_F(GradientOpsTest, NothingIsComputedBehindNoBackprop) {
  ASSERT_OK(dn_graph_set_profiling(graph_.get(), 1));
  const dn_expr x = input(graph_, {kSize}, {1, 1, 1});
  const dn_expr hidden = make(graph_, dn_op_tanh, make(graph_, dn_op_exp, make(graph_, dn_op_add, w(), x)));
  const dn_expr stopped = make(graph_, dn_op_nobackprop, hidden);
  const dn_expr loss = sum_of(make(graph_, dn_op_cmult, make(graph_, dn_op_square, v()), stopped));
  for (const int32_t full : {0, 1}) {
    ASSERT_OK(dn_graph_backward(graph_.get(), loss, nullptr, full));
    for (const dn_expr behind : {hidden, x, w()}) EXPECT_EQ(gradient(graph_, behind), zeros_) << full;
    EXPECT_FALSE(model_->storage->gradients().has(*w_));
    EXPECT_TRUE(model_->storage->gradients().has(*v_));
  }
  const std::string text = profile();
  EXPECT_NE(text.find("forward tanh"), std::string::npos) << text;
  EXPECT_NE(text.find("backward square"), std::string::npos) << text;
  for (const char* behind : {"backward tanh", "backward exp", "backward add"})
    EXPECT_EQ(text.find(behind), std::string::npos) << text;
}

TEST_F(GradientOpsTest, ALossOfNothingButConstantsHasNoGradients) {
  const dn_expr hidden = make(graph_, dn_op_square, w());
  const dn_expr loss = sum_of(make(graph_, dn_op_nobackprop, hidden));
  for (const int32_t full : {0, 1}) {
    ASSERT_OK(dn_graph_backward(graph_.get(), loss, nullptr, full));
    EXPECT_FALSE(model_->storage->gradients().has(*w_));
    EXPECT_EQ(gradient(graph_, hidden), zeros_);
    EXPECT_EQ(gradient(graph_, w()), zeros_);
  }
}

// A node that is used before and behind.
TEST_F(GradientOpsTest, OtherPathsStay) {
  const dn_expr hidden = make(graph_, dn_op_square, w());
  const dn_expr both = make(graph_, dn_op_add, make(graph_, dn_op_nobackprop, hidden), hidden);
  ASSERT_OK(dn_graph_backward(graph_.get(), sum_of(both), nullptr, 0));
  EXPECT_EQ(gradient(graph_, hidden), std::vector<float>(kSize, 1.0f));
  EXPECT_EQ(gradient(w_), (std::vector<float>{2, 4, 6}));
}

// As a weight it still batches, and its gradient is not left to the end for anything.
TEST_F(GradientOpsTest, OfAWeight) {
  const dn_expr weight = make(graph_, dn_op_nobackprop, make(graph_, dn_op_transpose, w()));
  std::vector<dn_expr> ys;
  for (int i = 0; i < 5; ++i) {
    const dn_expr x = make(graph_, dn_op_multiply_scalar, v(), 1.0 + i);
    ys.push_back(make(graph_, dn_op_multiply, weight, x));
  }
  const dn_expr loss = make(graph_, dn_op_sum, ys.data(), 5);
  value(graph_, loss);
  EXPECT_EQ(stats(graph_).batches, 5) << report(graph_);
  for (const int32_t full : {0, 1}) {
    ASSERT_OK(dn_model_reset_gradients(model_.get()));
    ASSERT_OK(dn_graph_backward(graph_.get(), loss, nullptr, full));
    EXPECT_FALSE(model_->storage->gradients().has(*w_));
    EXPECT_EQ(gradient(v_), (std::vector<float>{15, 30, 45}));
  }
  EXPECT_EQ(gradient(graph_, weight), (std::vector<float>{60, 75, 90}));
}

TEST_F(GradientOpsTest, FlippedAndScaledGradients) {
  const dn_expr flipped = make(graph_, dn_op_flip_gradient, make(graph_, dn_op_square, w()));
  const dn_expr scaled = make(graph_, dn_op_scale_gradient, make(graph_, dn_op_square, v()), 0.5);
  const dn_expr loss = sum_of(make(graph_, dn_op_add, flipped, scaled));
  EXPECT_FLOAT_EQ(value(graph_, loss)[0], 1 + 4 + 9 + 16 + 25 + 36);
  ASSERT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
  EXPECT_EQ(gradient(w_), (std::vector<float>{-2, -4, -6}));
  EXPECT_EQ(gradient(v_), (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(gradient(graph_, flipped), std::vector<float>(kSize, 1.0f)) << "its own gradient is as ever";
}

// Factors are the nodes' own, so different ones run together.
TEST_F(GradientOpsTest, FactorsOfOneBatch) {
  std::vector<dn_expr> ys;
  for (int i = 0; i < 6; ++i)
    ys.push_back(make(graph_, dn_op_scale_gradient, make(graph_, dn_op_multiply_scalar, w(), 1.0 + i), 1.0 * i));
  ASSERT_OK(dn_graph_backward(graph_.get(), sum_of(make(graph_, dn_op_sum, ys.data(), 6)), nullptr, 0));
  EXPECT_EQ(gradient(w_), std::vector<float>(kSize, 0 * 1 + 1 * 2 + 2 * 3 + 3 * 4 + 4 * 5 + 5 * 6.0f));
  EXPECT_EQ(stats(graph_).batches, 4) << report(graph_);
}

TEST_F(GradientOpsTest, FactorsAreFinite) {
  dn_expr out{};
  for (const double bad : std::initializer_list<double>{kInfinity, -kInfinity, kNaN, 1e300})
    expect_failure(dn_op_scale_gradient(graph_.get(), w(), bad, &out), DN_E_ARGUMENT, {"scale_gradient: a factor of"});
  expect_failure(dn_op_noise(graph_.get(), w(), kNaN, &out), DN_E_ARGUMENT, {"noise: a standard deviation of nan"});
  EXPECT_EQ(nodes_count(graph_), 1);
}

}  // namespace
}  // namespace dynnet::test

// Values at the ends of what functions are defined for, in a graph: there denormals are zeros.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "graph_support.h"
#include "special.h"

namespace dynnet::test {
namespace {

class SpecialValues : public testing::Test {
 protected:
  // f(p) of parameters p, and the gradient of the sum.
  template <class F>
  void compute(const std::vector<float>& p, F f) {
    dn_parameter* const x = add(model_, p);
    const dn_expr y = f(make(graph_, dn_op_parameter, x));
    ASSERT_OK(dn_model_reset_gradients(model_.get()));
    ASSERT_OK(dn_graph_backward(graph_.get(), make(graph_, dn_op_sum_elems, y), nullptr, 0));
    values_ = value(graph_.get(), y);
    gradients_ = gradient(x);
  }

  ModelHandle model_ = new_model();
  GraphHandle graph_ = new_graph();
  // Zeros exactly, other numbers to the last digits.
  static void expect(const std::vector<float>& actual, const std::vector<float>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i)
      EXPECT_NEAR(actual[i], expected[i], 5e-7F * std::abs(expected[i])) << "element " << i;
  }
  std::vector<float> values_, gradients_;
};

TEST_F(SpecialValues, PowersOfZeroAndOfNegativeNumbers) {
  const auto power = [&](double y) {
    compute({0, 2, -3, -0.0F},
            [&](dn_expr x) { return make(graph_, dn_op_pow, x, make(graph_, dn_op_input_scalar, y)); });
  };
  power(2);
  expect(values_, {0, 4, 9, 0});
  expect(gradients_, {0, 4, -6, 0});
  power(1);
  expect(values_, {0, 2, -3, 0});
  expect(gradients_, {1, 1, 1, 1});
  power(0);
  expect(values_, {1, 1, 1, 1});
  expect(gradients_, {0, 0, 0, 0});
  power(-1);
  EXPECT_EQ(values_[0], kInfinity);
  EXPECT_FLOAT_EQ(values_[2], -1.0F / 3);
  power(0.5);
  EXPECT_EQ(values_[0], 0.0F);
  EXPECT_TRUE(std::isnan(values_[2]));
}

TEST_F(SpecialValues, SiluOfLargeNumbersIsTheNumber) {
  compute({1e10F, -1e10F}, [&](dn_expr x) { return make(graph_, dn_op_silu, x, 1e30); });
  EXPECT_EQ(values_, (std::vector<float>{1e10F, 0}));
  EXPECT_EQ(gradients_[0], 1.0F);
  EXPECT_NEAR(gradients_[1], 0, 1e-30F);
}

TEST_F(SpecialValues, LogGammaIsInfiniteAtAllPoles) {
  compute({-3.4e38F, -1e6F, -2, 0}, [&](dn_expr x) { return make(graph_, dn_op_lgamma, x); });
  EXPECT_EQ(values_, std::vector<float>(4, kInfinity));
}

TEST_F(SpecialValues, LossesOfWhatIsNearlyCertainKeepTheirDigits) {
  const auto expect_near = [](double actual, double right) { EXPECT_NEAR(actual, right, 1e-6 * std::abs(right)); };
  for (const double lead : {0.0, 2.0, 8.0, 14.0, 19.0, 40.0}) {
    SCOPED_TRACE(lead);
    const GraphHandle graph = new_graph();
    const dn_expr x = input(graph, {3}, {static_cast<float>(lead + 1), 1, -30});
    const dn_expr loss = make(graph, dn_op_pick_neg_log_softmax, x, 0);
    const double right = std::log1p(std::exp(-lead) + std::exp(-31 - lead));
    expect_near(value(graph, loss)[0], right);
    expect_near(value(graph, make(graph, dn_op_log_softmax, x))[0], -right);
    EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 1));
    expect_near(gradient(graph, x)[0], std::expm1(-right));
    const dn_expr shifted = make(graph, dn_op_add_scalar, x, -lead - 1);
    expect_near(value(graph, make(graph, dn_op_logsumexp_dim, shifted, 0))[0], right);
    const dn_expr parts[] = {make(graph, dn_op_pick, shifted, 0, 0), make(graph, dn_op_pick, shifted, 1, 0),
                             make(graph, dn_op_pick, shifted, 2, 0)};
    expect_near(value(graph, make(graph, dn_op_logsumexp, parts, 3))[0], right);
  }
  for (const float p : {0.3f, 1e-3f, 1e-6f, 1e-20f}) {
    SCOPED_TRACE(p);
    const GraphHandle graph = new_graph();
    const dn_expr loss = make(graph, dn_op_binary_log_loss, input(graph, {1}, {p}), constant(graph, {1}, 0));
    expect_near(value(graph, loss)[0], -std::log1p(-static_cast<double>(p)));
  }
}

TEST_F(SpecialValues, NumbersThatMakeNothingAreRefused) {
  const dn_expr x = constant(graph_, {2}, 1);
  dn_expr out{};
  for (const double bad : {std::nan(""), static_cast<double>(kInfinity)}) {
    expect_failure(dn_op_elu(graph_.get(), x, bad, &out), DN_E_ARGUMENT, {"elu", "expected a number"});
    expect_failure(dn_op_leaky_rectify(graph_.get(), x, bad, &out), DN_E_ARGUMENT, {"leaky_rectify"});
    expect_failure(dn_op_silu(graph_.get(), x, bad, &out), DN_E_ARGUMENT, {"silu"});
    expect_failure(dn_op_huber_distance(graph_.get(), x, x, bad, &out), DN_E_ARGUMENT, {"huber_distance"});
  }
}

}  // namespace
}  // namespace dynnet::test

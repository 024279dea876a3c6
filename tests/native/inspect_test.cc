// What a graph tells of itself: a drawing, choices read off values, gradients against differences, values forgotten.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "graph_support.h"
#include "special.h"

namespace dynnet::test {
namespace {

std::string graphviz(const GraphHandle& graph) {
  const char* text = nullptr;
  int64_t length = 0;
  EXPECT_OK(dn_graph_graphviz(graph.get(), &text, &length));
  return {text, static_cast<size_t>(length)};
}

std::vector<int32_t> top_k(const GraphHandle& graph, dn_expr x, int32_t dim, int32_t k, size_t count) {
  std::vector<int32_t> indices(count, -1);
  EXPECT_OK(dn_graph_top_k(graph.get(), x, dim, k, indices.data(), static_cast<int64_t>(count)));
  return indices;
}

std::vector<int32_t> sample(const GraphHandle& graph, dn_expr x, int32_t dim, int32_t draws, size_t count) {
  std::vector<int32_t> indices(count, -1);
  EXPECT_OK(dn_graph_sample(graph.get(), x, dim, draws, indices.data(), static_cast<int64_t>(count)));
  return indices;
}

using Ints = std::vector<int32_t>;

// ---- the drawing ----

TEST(Graphviz, ShowsEachNodeWithItsOperands) {
  const ModelHandle model = new_model();
  const GraphHandle graph = new_graph();
  dn_lookup_parameter* table = add_table(model, 5, {2}, initializer(DN_INIT_CONSTANT, 1), "E");
  dn_parameter* bias = add(model, {2}, initializer(DN_INIT_CONSTANT, 0), "b");
  const dn_expr x = make(graph, dn_op_lookup, table, 3);
  const dn_expr b = make(graph, dn_op_parameter, bias);
  make(graph, dn_op_add, x, b);
  EXPECT_EQ(graphviz(graph),
            "digraph {\n"
            "  rankdir=LR;\n"
            "  node [shape=box];\n"
            "  0 [label=\"0: lookup /E [3] {2}\"];\n"
            "  1 [label=\"1: parameter /b {2}\"];\n"
            "  2 [label=\"2: add {2}\"];\n"
            "  0 -> 2;\n"
            "  1 -> 2;\n"
            "}\n");
}

TEST(Graphviz, ShowsWhatWasRecordedAndNotWhatIsComputedTogether) {
  const GraphHandle graph = new_graph();
  const dn_expr w = input(graph, {1, 1}, {2});
  const dn_expr x = input(graph, {1}, {3});
  const dn_expr y = make_of(graph.get(), dn_op_affine_transform, {x, w, x});
  make(graph, dn_op_tanh, y);
  const std::string drawing = graphviz(graph);
  for (const char* line : {"2 [label=\"2: affine_transform {1}\"];", "3 [label=\"3: tanh {1}\"];",
                           "  1 -> 2;\n  0 -> 2;\n", "  2 -> 3;\n"})
    EXPECT_NE(drawing.find(line), std::string::npos) << line << " in\n" << drawing;
  EXPECT_EQ(std::count(drawing.begin(), drawing.end(), '>'), 4);
}

TEST(Graphviz, ShortensLongListsAndQuotesNames) {
  const ModelHandle model = new_model();
  const GraphHandle graph = new_graph();
  dn_lookup_parameter* table = add_table(model, 9, {2}, initializer(DN_INIT_CONSTANT, 1), "a\"b\\c");
  const Ints rows{8, 7, 6, 5, 4};
  make(graph, dn_op_lookup_batch, table, rows.data(), 5);
  const dn_dim three = dim({3});
  const float one = 1;
  make(graph, dn_op_input_sparse, &three, rows.data() + 4, 0, &one, 0, 1.0);
  EXPECT_NE(graphviz(graph).find("1: input_sparse {3}"), std::string::npos) << "its default is no index";
  EXPECT_NE(graphviz(graph).find(R"(0: lookup_batch /a\"b\\c [8, 7, 6, 5, ...] {2}X5)"), std::string::npos)
      << graphviz(graph);
}

// ---- choices ----

TEST(TopK, IsTheLargestFirstAndTheFirstOfEquals) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {5}, {1, 3, 2, 3, kNaN});
  EXPECT_EQ(top_k(graph, x, 0, 1, 1), Ints{1});
  EXPECT_EQ(top_k(graph, x, 0, 5, 5), (Ints{1, 3, 2, 0, 4})) << "NaN comes last";
  EXPECT_EQ(top_k(graph, input(graph, {3}, {kNaN, -kInfinity, kNaN}), 0, 2, 2), (Ints{1, 0}));
}

TEST(TopK, GoesAlongAnyDimensionAndTheBatch) {
  const GraphHandle graph = new_graph();
  // Two matrices {2, 3}, column by column.
  const dn_expr x = input(graph, {2, 3}, {1, 9, 5, 4, 3, 6, 0, 1, 2, 3, 4, 5}, 2);
  EXPECT_EQ(top_k(graph, x, 0, 1, 6), (Ints{1, 0, 1, 1, 1, 1}));
  EXPECT_EQ(top_k(graph, x, 1, 1, 4), (Ints{1, 0, 2, 2}));
  EXPECT_EQ(top_k(graph, x, 1, 2, 8), (Ints{1, 0, 2, 2, 2, 2, 1, 1}));
  EXPECT_EQ(top_k(graph, x, 2, 1, 12), Ints(12, 0));
}

TEST(TopK, RefusesWhatDoesNotFit) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {3}, {1, 2, 3});
  Ints indices(3);
  expect_failure(dn_graph_top_k(graph.get(), x, 0, 4, indices.data(), 3), DN_E_ARGUMENT, {"top_k", "4", "{3}"});
  expect_failure(dn_graph_top_k(graph.get(), x, 0, 0, indices.data(), 3), DN_E_ARGUMENT, {"top_k", "0"});
  expect_failure(dn_graph_top_k(graph.get(), x, 7, 1, indices.data(), 3), DN_E_ARGUMENT, {"dimension 7"});
  expect_failure(dn_graph_top_k(graph.get(), x, 0, 2, indices.data(), 3), DN_E_ARGUMENT, {"room for 3"});
  expect_failure(dn_graph_top_k(graph.get(), x, 0, 1, nullptr, 1), DN_E_ARGUMENT, {"null"});
}

TEST(Sample, DrawsWithTheProbabilities) {
  const GraphHandle graph = new_graph();
  const std::vector<double> probabilities{0.5, 0, 0.3, 0.2};
  std::vector<float> logs;
  // Not normalised: a constant more changes nothing.
  for (const double p : probabilities) logs.push_back(static_cast<float>(std::log(p) + 40));
  const dn_expr x = input(graph, {4}, logs);
  constexpr int32_t kDraws = 100000;
  std::array<double, 4> counts{};
  for (const int32_t i : sample(graph, x, 0, kDraws, kDraws)) counts.at(static_cast<size_t>(i)) += 1;
  for (size_t i = 0; i < 4; ++i) {
    const double deviation = std::sqrt(probabilities[i] * (1 - probabilities[i]) / kDraws);
    EXPECT_NEAR(counts.at(i) / kDraws, probabilities[i], 5 * deviation) << i;
  }
}

TEST(Sample, ReachesWhatIsImprobable) {
  const GraphHandle graph = new_graph();
  // 65536 elements of one part in 16 million each beside a large one: together 1 in 257.
  std::vector<float> logs(65537, -16 * std::log(2.0F) + std::log(1.0F / 256));
  logs[0] = 0;
  const dn_expr x = input(graph, {65537}, logs);
  constexpr int32_t kDraws = 50000;
  Ints drawn = sample(graph, x, 0, kDraws, kDraws);
  std::erase(drawn, 0);
  EXPECT_NEAR(static_cast<double>(drawn.size()), kDraws / 257.0, 5 * std::sqrt(kDraws / 257.0));
  std::sort(drawn.begin(), drawn.end());
  const auto different = std::unique(drawn.begin(), drawn.end()) - drawn.begin();
  EXPECT_GT(different, static_cast<ptrdiff_t>(drawn.size() * 9 / 10)) << "spread over all of them";
}

TEST(Sample, DrawsAnewAndRepeatsWithTheGraph) {
  const auto draw = [](const GraphHandle& graph) {
    const dn_expr x = input(graph, {100}, std::vector<float>(100, 0));
    Ints all = sample(graph, x, 0, 5, 5);
    const Ints more = sample(graph, x, 0, 5, 5);
    EXPECT_NE(all, more);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const GraphHandle a = new_graph(7);
  const GraphHandle b = new_graph(7);
  const GraphHandle c = new_graph(8);
  const Ints first = draw(a);
  EXPECT_EQ(first, draw(b));
  EXPECT_NE(first, draw(c));
  ASSERT_OK(dn_graph_renew(a.get()));
  EXPECT_NE(first, draw(a));
}

TEST(Sample, TakesEachLineForItself) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {2, 2}, {0, -kInfinity, -kInfinity, 0, -kInfinity, 0, 0, -kInfinity}, 2);
  EXPECT_EQ(sample(graph, x, 0, 2, 8), (Ints{0, 0, 1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(sample(graph, x, 1, 1, 4), (Ints{0, 1, 1, 0}));
}

TEST(Sample, RefusesWhatIsNoDistribution) {
  const GraphHandle graph = new_graph();
  Ints indices(1);
  for (const std::vector<float>& bad :
       {std::vector<float>{-kInfinity, -kInfinity}, std::vector<float>{0, kNaN}, std::vector<float>{kInfinity, 0}})
    expect_failure(dn_graph_sample(graph.get(), input(graph, {2}, bad), 0, 1, indices.data(), 1), DN_E_VALUE,
                   {"sample", "{2}", "no distribution"});
  expect_failure(dn_graph_sample(graph.get(), input(graph, {2}, {0, 0}), 0, 0, indices.data(), 0), DN_E_ARGUMENT,
                 {"0 draws"});
  expect_failure(dn_graph_sample(graph.get(), input(graph, {2}, {0, 0}), -1, 1, indices.data(), 1), DN_E_ARGUMENT,
                 {"dimension -1"});
}

// ---- gradients against differences ----

class GradientCheck : public testing::Test {
 protected:
  dn_gradient_check check(dn_expr loss, int64_t most = 0, double step = 1e-3) {
    dn_gradient_check result{};
    const char* text = nullptr;
    int64_t length = 0;
    EXPECT_OK(dn_graph_check_gradients(graph_.get(), loss, model_.get(), step, 0.01, most, &result, &text, &length));
    report_ = std::string(text, static_cast<size_t>(length));
    return result;
  }
  dn_expr loss_of(dn_expr x) { return make(graph_, dn_op_sum_elems, make(graph_, dn_op_square, x)); }

  ModelHandle model_ = new_model();
  GraphHandle graph_ = new_graph();
  dn_parameter* w_ = add(model_, {4, 3}, initializer(DN_INIT_NORMAL, 0, 1), "W");
  dn_lookup_parameter* e_ = add_table(model_, 6, {3}, initializer(DN_INIT_NORMAL, 0, 1), "E");
  std::string report_;
};

TEST_F(GradientCheck, PassesWhereGradientsAreRight) {
  const std::vector<float> before = values(w_);
  const dn_expr x =
      make(graph_, dn_op_tanh,
           make(graph_, dn_op_multiply, make(graph_, dn_op_parameter, w_), make(graph_, dn_op_lookup, e_, 2)));
  const dn_expr loss = loss_of(x);
  const std::vector<float> value_before = value(graph_.get(), loss);
  const dn_gradient_check result = check(loss);
  EXPECT_EQ(result.elements, 12 + 3) << "one row of the table is used";
  EXPECT_EQ(result.failed, 0) << report_;
  EXPECT_LT(result.undecided, 8) << "a saturated tanh lets little through";
  EXPECT_LT(result.worst, 0.01);
  EXPECT_EQ(report_, "");
  EXPECT_EQ(values(w_), before);
  EXPECT_EQ(value(graph_.get(), loss), value_before);
  EXPECT_EQ(gradient(w_), std::vector<float>(12, 0)) << "the model's own gradients are not touched";
  EXPECT_EQ(check(loss, 5).elements, 5 + 3);
}

TEST_F(GradientCheck, PassesWithDropout) {
  const dn_expr w = make(graph_, dn_op_parameter, w_);
  const dn_gradient_check result = check(loss_of(make(graph_, dn_op_dropout, w, 0.5)));
  EXPECT_EQ(result.failed, 0) << report_;
  EXPECT_EQ(result.elements, 12);
}

// The rectifier's derivative at 0 is 0, the central difference there 1/2: a gradient that is no difference is told.
TEST_F(GradientCheck, FailsWhereTheyDiffer) {
  const dn_parameter* zeros = add(model_, {2}, initializer(DN_INIT_CONSTANT, 0), "zeros");
  const dn_expr x = make(graph_, dn_op_rectify, make(graph_, dn_op_parameter, const_cast<dn_parameter*>(zeros)));
  const dn_gradient_check result = check(make(graph_, dn_op_sum_elems, x));
  EXPECT_EQ(result.elements, 12 + 2);
  EXPECT_EQ(result.failed, 2);
  EXPECT_NEAR(result.worst, 1, 1e-6);
  EXPECT_NE(report_.find("/zeros, element 0: gradient 0, difference 0.5\n"), std::string::npos) << report_;
  EXPECT_NE(report_.find("/zeros, element 1: "), std::string::npos);
}

// A large loss has no digits left for the differences, and what does not depend on a parameter has none.
TEST_F(GradientCheck, TellsWhatItCannotDecide) {
  const dn_expr small = make(graph_, dn_op_sum_elems, make(graph_, dn_op_parameter, w_));
  EXPECT_EQ(check(make(graph_, dn_op_add_scalar, small, 1e6)).undecided, 12);
  const dn_parameter* unused = add(model_, {3}, initializer(DN_INIT_CONSTANT, 1), "unused");
  const dn_gradient_check result = check(small);
  EXPECT_EQ(result.undecided, unused->dim.size());
  EXPECT_EQ(result.failed, 0) << report_;
}

TEST_F(GradientCheck, LeavesOtherModelsAlone) {
  const ModelHandle other = new_model();
  dn_parameter* v = add(other, {4}, initializer(DN_INIT_CONSTANT, 1), "v");
  const dn_expr x = make(graph_, dn_op_add, make(graph_, dn_op_parameter, w_), make(graph_, dn_op_parameter, v));
  EXPECT_EQ(check(loss_of(x)).failed, 0) << report_;
  EXPECT_EQ(gradient(v), std::vector<float>(4, 0));
  EXPECT_EQ(values(v), std::vector<float>(4, 1));
}

TEST_F(GradientCheck, RestoresParametersWhenItFails) {
  ASSERT_OK(dn_graph_set_check_values(graph_.get(), 1));
  dn_parameter* p = add(model_, {1}, initializer(DN_INIT_CONSTANT, 0.5), "p");
  // The logarithm has no value a step of 1 lower.
  const dn_expr loss = make(graph_, dn_op_log, make(graph_, dn_op_parameter, p));
  dn_gradient_check result{};
  expect_failure(dn_graph_check_gradients(graph_.get(), loss, model_.get(), 1, 0.01, 0, &result, nullptr, nullptr),
                 DN_E_VALUE, {"log"});
  EXPECT_EQ(values(p), std::vector<float>{0.5F});
  EXPECT_FLOAT_EQ(value(graph_.get(), loss)[0], std::log(0.5F));
}

TEST_F(GradientCheck, TakesItsStepFromTheSizeOfAValue) {
  // To the largest of these a thousandth adds nothing.
  const std::vector<float> sizes{0, 1e-3f, 1, 1e3f, -65536, 3e7f, -1e20f};
  for (const double step : {1e-3, 1e-10}) {
    for (const float size : sizes) {
      const ModelHandle model = new_model();
      dn_parameter* const p = add(model, {size}, "p");
      const GraphHandle graph = new_graph();
      const dn_expr x = make(graph, dn_op_parameter, p);
      const dn_expr scaled = make(graph, dn_op_multiply_scalar, x, size == 0 ? 1.0 : 1.0 / static_cast<double>(size));
      dn_gradient_check result{};
      ASSERT_OK(dn_graph_check_gradients(graph.get(), make(graph, dn_op_multiply_scalar, scaled, 3.0), model.get(),
                                         step, 0.01, 0, &result, nullptr, nullptr));
      EXPECT_EQ(result.elements, 1);
      EXPECT_EQ(result.failed, 0) << size << ", step " << step;
      EXPECT_TRUE(std::isfinite(result.worst)) << size << ", step " << step;
      if (step == 1e-3) {
        EXPECT_EQ(result.undecided, 0) << size;
      }
      EXPECT_EQ(values(p), std::vector<float>{size});
    }
  }
}

TEST_F(GradientCheck, RefusesWhatIsNoCheck) {
  const dn_expr w = make(graph_, dn_op_parameter, w_);
  dn_gradient_check result{};
  const auto refuse = [&](dn_expr x, double step, double tolerance, int64_t most, dn_status status, const char* why) {
    expect_failure(
        dn_graph_check_gradients(graph_.get(), x, model_.get(), step, tolerance, most, &result, nullptr, nullptr),
        status, {"check_gradients", why});
  };
  const dn_expr loss = loss_of(w);
  refuse(w, 1e-3, 0.01, 0, DN_E_SHAPE, "{4,3}");
  for (const double step : {0.0, 1e-50, 1e-40, 1e39, -1e-3, std::nan("")})
    refuse(loss, step, 0.01, 0, DN_E_ARGUMENT, format("step of %g", step).c_str());
  refuse(loss, 1e-3, -1, 0, DN_E_ARGUMENT, "tolerance of -1");
  refuse(loss, 1e-3, 0.01, -1, DN_E_ARGUMENT, "-1 elements");
}

// ---- values forgotten ----

TEST(Invalidate, ComputesAnewWhatIsAskedForNext) {
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {1}, {2});
  const dn_expr y = make(graph, dn_op_square, x);
  const dn_expr z = make(graph, dn_op_add_scalar, y, 1.0);
  EXPECT_EQ(value(graph.get(), z), std::vector<float>{5});
  const std::vector<float> three{3};
  ASSERT_OK(dn_graph_set_input(graph.get(), x, three.data(), 1));
  EXPECT_EQ(value(graph.get(), z), std::vector<float>{5}) << "until the next forward";
  ASSERT_OK(dn_graph_invalidate(graph.get()));
  EXPECT_EQ(value(graph.get(), y), std::vector<float>{9});
  EXPECT_EQ(value(graph.get(), z), std::vector<float>{10});
}

TEST(Invalidate, DrawsRandomNumbersAnewAndDiffersNotFromForward) {
  const GraphHandle a = new_graph(3);
  const GraphHandle b = new_graph(3);
  const dn_expr xa = make(a, dn_op_dropout, constant(a, {64}, 1), 0.5);
  const dn_expr xb = make(b, dn_op_dropout, constant(b, {64}, 1), 0.5);
  const std::vector<float> first = value(a.get(), xa);
  EXPECT_EQ(first, value(b.get(), xb));
  ASSERT_OK(dn_graph_invalidate(a.get()));
  ASSERT_OK(dn_graph_forward(b.get(), xb));
  EXPECT_NE(first, value(a.get(), xa));
  EXPECT_EQ(value(a.get(), xa), value(b.get(), xb));
}

TEST(Invalidate, LetsBackwardComputeAnew) {
  const ModelHandle model = new_model();
  const GraphHandle graph = new_graph();
  dn_parameter* w = add(model, {1}, initializer(DN_INIT_CONSTANT, 2), "w");
  const dn_expr x = input(graph, {1}, {1});
  const dn_expr y = make(graph, dn_op_cmult, x, make(graph, dn_op_parameter, w));
  EXPECT_EQ(value(graph.get(), y), std::vector<float>{2});
  const std::vector<float> five{5};
  ASSERT_OK(dn_graph_set_input(graph.get(), x, five.data(), 1));
  ASSERT_OK(dn_graph_invalidate(graph.get()));
  ASSERT_OK(dn_graph_backward(graph.get(), y, nullptr, 0));
  EXPECT_EQ(gradient(w), std::vector<float>{5});
}

}  // namespace
}  // namespace dynnet::test

// What draws at random: the distributions, what is drawn together, and when draws are made anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "ops/op_table.h"

namespace dynnet::test {
namespace {

constexpr uint32_t kDraws = 40000;

// A graph's draws by an operation without operands.
std::vector<float> draws(dn_graph* graph, std::string_view op, double first, double second, uint32_t n = kDraws) {
  World world;
  dn_expr y{};
  EXPECT_OK(record(graph, world, op_row(op),
                   {.a = {.scalar = first, .second = second, .shape = {static_cast<int64_t>(n)}}}, {}, &y));
  return value(graph, y);
}

std::vector<float> draws(std::string_view op, double first, double second, uint64_t seed = 1) {
  const GraphHandle graph = new_graph(seed);
  return draws(graph.get(), op, first, second);
}

// The largest distance between the distribution function and that of the draws (Kolmogorov). It exceeds 1.95 / sqrt(n)
// for one seed in a thousand.
void expect_distributed(std::vector<float> x, const std::function<double(double)>& below) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double most = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double p = below(x[i]);
    const auto rank = static_cast<double>(i);
    most = std::max({most, p - rank / n, (rank + 1) / n - p});
  }
  EXPECT_LT(most, 1.95 / std::sqrt(n));
}

void expect_moments(const std::vector<float>& x, double mean, double variance) {
  const auto n = static_cast<double>(x.size());
  double sum = 0;
  double squares = 0;
  for (const float value : x) sum += value;
  for (const float value : x) squares += (value - sum / n) * (value - sum / n);
  EXPECT_NEAR(sum / n, mean, 4 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 0.03 * variance);
}

// Neighbours have nothing to do with each other: their correlation is that of chance.
void expect_independent(const std::vector<float>& x, double mean, double variance) {
  const auto n = static_cast<double>(x.size());
  for (const size_t step : {size_t{1}, size_t{16}, size_t{64}}) {
    double sum = 0;
    for (size_t i = step; i < x.size(); ++i) sum += (x[i] - mean) * (x[i - step] - mean);
    EXPECT_LT(std::abs(sum / n / variance), 4 / std::sqrt(n)) << step;
  }
}

TEST(RandomOps, NormalIsNormal) {
  const std::vector<float> x = draws("random_normal", -2, 3);
  expect_moments(x, -2, 9);
  expect_independent(x, -2, 9);
  expect_distributed(x, [](double value) { return 0.5 * std::erfc(-(value + 2) / (3 * std::sqrt(2.0))); });
  for (const float value : draws("random_normal", 0.5, 0)) ASSERT_EQ(value, 0.5f);
}

TEST(RandomOps, UniformIsUniform) {
  const std::vector<float> x = draws("random_uniform", -1, 3);
  expect_moments(x, 1, 16.0 / 12);
  expect_independent(x, 1, 16.0 / 12);
  expect_distributed(x, [](double value) { return (value + 1) / 4; });
  for (const float value : draws("random_uniform", 2, 2)) ASSERT_EQ(value, 2.0f);
}

// Where floats are few, rounding would give the end of the interval.
TEST(RandomOps, UniformNeverIsTheEnd) {
  const float begin = 16777216;
  const float end = begin + 4;
  int seen[2] = {};
  for (const float value : draws("random_uniform", begin, end)) {
    ASSERT_GE(value, begin);
    ASSERT_LT(value, end);
    ++seen[value > begin];
  }
  EXPECT_GT(seen[0], 0);
  EXPECT_GT(seen[1], 0);
}

TEST(RandomOps, BernoulliHasItsProbability) {
  for (const double p : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    const std::vector<float> x = draws("random_bernoulli", p, -2.5);
    double hits = 0;
    for (const float value : x) {
      ASSERT_TRUE(value == 0 || value == -2.5f) << value;
      hits += value != 0;
    }
    EXPECT_NEAR(hits / kDraws, p, 4 * std::sqrt(p * (1 - p) / kDraws));
    if (p == 0.5) expect_independent(x, -1.25, 1.25 * 1.25);
  }
}

TEST(RandomOps, GumbelIsGumbel) {
  constexpr double kEuler = 0.5772156649015329;
  const double variance = 4 * std::acos(-1.0) * std::acos(-1.0) / 6;
  const std::vector<float> x = draws("random_gumbel", 1, 2);
  expect_moments(x, 1 + 2 * kEuler, variance);
  expect_independent(x, 1 + 2 * kEuler, variance);
  expect_distributed(x, [](double value) { return std::exp(-std::exp(-(value - 1) / 2)); });
  for (const float value : draws("random_gumbel", -1, 0)) ASSERT_EQ(value, -1.0f);
}

TEST(RandomOps, GumbelIsFinite) {
  const GraphHandle graph = new_graph();
  for (const float value : draws(graph.get(), "random_gumbel", 0, 1, 4000000)) {
    ASSERT_GT(value, -2.9f);
    ASSERT_LT(value, 17.4f);
  }
}

// ---- noise and dropouts ----

// A random operation applied to ones of a shape.
std::vector<float> apply(dn_graph* graph, std::string_view op, const Shape& shape, const Attributes& a) {
  World world;
  const dn_dim dim = to_dim(shape);
  dn_expr x{};
  dn_expr y{};
  EXPECT_OK(dn_op_constant(graph, &dim, 1, &x));
  EXPECT_OK(record(graph, world, op_row(op), {.x = {shape}, .a = a}, {x}, &y));
  return value(graph, y);
}

TEST(RandomOps, NoiseIsNormal) {
  const GraphHandle graph = new_graph();
  const std::vector<float> x = apply(graph.get(), "noise", {kDraws}, {.scalar = 0.5});
  expect_moments(x, 1, 0.25);
  expect_independent(x, 1, 0.25);
  expect_distributed(x, [](double value) { return 0.5 * std::erfc(-(value - 1) / (0.5 * std::sqrt(2.0))); });
  for (const float value : apply(graph.get(), "noise", {kDraws}, {.scalar = 0})) ASSERT_EQ(value, 1.0f);
}

// Of 4 x 500 x 3 elements in a batch of 2, each dropout drops together those that it should, and those only.
TEST(RandomOps, DropoutsDropWhatBelongsTogether) {
  const Shape shape({4, 500, 3}, 2);
  struct Case {
    std::string_view op;
    Attributes a;
    /// Of an element at i, j, k of batch element b: the number of the draw.
    int64_t (*group)(int64_t i, int64_t j, int64_t k, int64_t b);
  };
  const Case cases[] = {
      {"dropout_dim",
       {.scalar = 0.25, .dim = 0},
       [](int64_t, int64_t j, int64_t k, int64_t b) { return j + 500 * (k + 3 * b); }},
      {"dropout_dim",
       {.scalar = 0.25, .dim = 1},
       [](int64_t i, int64_t, int64_t k, int64_t b) { return i + 4 * (k + 3 * b); }},
      {"dropout_dim",
       {.scalar = 0.25, .dim = 2},
       [](int64_t i, int64_t j, int64_t, int64_t b) { return i + 4 * (j + 500 * b); }},
      {"dropout_dim",
       {.scalar = 0.25, .dim = 6},
       [](int64_t i, int64_t j, int64_t k, int64_t b) { return i + 4 * (j + 500 * (k + 3 * b)); }},
      {"dropout_batch", {.scalar = 0.25}, [](int64_t, int64_t, int64_t, int64_t b) { return b; }},
      {"block_dropout", {.scalar = 0.25}, [](int64_t, int64_t, int64_t, int64_t) { return int64_t{0}; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.op) + " " + std::to_string(c.a.dim));
    const GraphHandle graph = new_graph();
    double draws = 0;
    double zeros = 0;
    // One graph draws few numbers where much is dropped together.
    for (int repeat = 0; repeat < 400; ++repeat) {
      ASSERT_OK(dn_graph_renew(graph.get()));
      const std::vector<float> y = apply(graph.get(), c.op, shape, c.a);
      std::vector<float> of_group(static_cast<size_t>(shape.total()), -1);
      for (int64_t at = 0; at < shape.total(); ++at) {
        const float own = y[static_cast<size_t>(at)];
        ASSERT_TRUE(own == 0 || own == 1 / 0.75f) << own;
        float& other = of_group[static_cast<size_t>(c.group(at % 4, at / 4 % 500, at / 2000 % 3, at / 6000))];
        if (other < 0) {
          ++draws;
          zeros += own == 0;
          other = own;
        }
        ASSERT_EQ(own, other) << "element " << at;
      }
    }
    EXPECT_NEAR(zeros / draws, 0.25, 4 * std::sqrt(0.25 * 0.75 / draws));
  }
}

TEST(RandomOps, BlockDropoutAtTheEndsOfItsRange) {
  const GraphHandle graph = new_graph();
  for (const float y : apply(graph.get(), "block_dropout", {20}, {.scalar = 1})) EXPECT_EQ(y, 0.0f);
  for (const float y : apply(graph.get(), "block_dropout", {20}, {.scalar = 0})) EXPECT_EQ(y, 1.0f);
}

// ---- when draws are the same ----

// Of all random operations: the draws of one application.
std::vector<float> any_draws(dn_graph* graph, const OpRow& row) {
  return row.is_leaf()
             ? draws(graph, row.name, 0.5, 1, 100)
             : apply(graph, row.name,
                     row.name == "block_dropout" || row.name == "dropout_batch" ? Shape({1}, 100) : Shape({100}),
                     {.scalar = 0.5, .dim = 1});
}

std::vector<std::string> random_ops() {
  std::vector<std::string> names;
  for (const OpRow& row : op_table())
    if (row.is_random()) names.emplace_back(row.name);
  return names;
}

class RandomOp : public testing::TestWithParam<std::string> {
 protected:
  const OpRow& row() const { return op_row(GetParam()); }
  // Of 64 applications; those of block_dropout are all or nothing, so that one says little.
  std::vector<float> drawn(const GraphHandle& graph) const {
    std::vector<float> all;
    for (int i = 0; i < 64; ++i) {
      const std::vector<float> more = any_draws(graph.get(), row());
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
};

INSTANTIATE_TEST_SUITE_P(All, RandomOp, testing::ValuesIn(random_ops()), [](const auto& test) { return test.param; });

TEST_P(RandomOp, DrawsAnewForEachNodeRenewalAndSeed) {
  const GraphHandle graph = new_graph();
  const GraphHandle other = new_graph(2);
  const std::vector<float> first = drawn(graph);
  const auto half = static_cast<ptrdiff_t>(first.size() / 2);
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + half, first.begin() + half)) << "other nodes";
  EXPECT_NE(drawn(graph), first) << "other nodes";
  EXPECT_NE(drawn(other), first) << "another seed";
  ASSERT_OK(dn_graph_renew(graph.get()));
  EXPECT_NE(drawn(graph), first) << "after a renewal";
}

TEST_P(RandomOp, DrawsTheSameInTheSameProgram) {
  const GraphHandle graph = new_graph(3);
  const GraphHandle same = new_graph(3);
  EXPECT_EQ(drawn(graph), drawn(same));
  ASSERT_OK(dn_graph_renew(graph.get()));
  ASSERT_OK(dn_graph_renew(same.get()));
  EXPECT_EQ(drawn(graph), drawn(same)) << "after a renewal";
}

TEST_P(RandomOp, DrawsAnewAtEachForwardOnly) {
  const GraphHandle graph = new_graph();
  World world;
  std::vector<dn_expr> y;
  for (int i = 0; i < 64; ++i) {
    const dn_dim dim = to_dim({100});
    std::vector<dn_expr> x;
    if (!row().is_leaf()) {
      ASSERT_OK(dn_op_constant(graph.get(), &dim, 1, &x.emplace_back()));
    }
    const Example example{.x = {Shape({100})}, .a = {.scalar = 0.5, .second = 1, .dim = 1, .shape = {100}}};
    ASSERT_OK(record(graph.get(), world, row(), example, x, &y.emplace_back()));
  }
  const auto values = [&] {
    std::vector<float> all;
    for (const dn_expr node : y) {
      const std::vector<float> more = value(graph.get(), node);
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  };
  const std::vector<float> first = values();
  EXPECT_EQ(values(), first) << "a value that is there is not drawn again";
  ASSERT_OK(dn_graph_forward(graph.get(), y.back()));
  EXPECT_NE(values(), first);
}

// What is drawn of nothing is a constant to backward.
TEST(RandomOps, HaveNoGradientOfTheirOwn) {
  for (const std::string& name : random_ops()) {
    SCOPED_TRACE(name);
    if (!op_row(name).is_leaf()) continue;
    World world;
    Program program(world);
    const int parameter = program.parameter(world.add_parameter({3}, {1, 2, 3}));
    Example example{.a = {.scalar = 0.5, .second = 1, .shape = {3}}};
    const int drawn = program.add(op_row(name), std::move(example));
    program.add("dot_product", {drawn, parameter});
    const GraphHandle graph = new_graph();
    const std::vector<dn_expr> exprs = program.record(graph.get());
    ASSERT_OK(dn_graph_backward(graph.get(), exprs[2], nullptr, 0));
    EXPECT_EQ(gradient(graph.get(), exprs[0]), value(graph.get(), exprs[1]));
    const float* data = nullptr;
    int64_t count = 0;
    EXPECT_EQ(dn_graph_gradient(graph.get(), exprs[1], &data, &count), DN_E_STATE);
    ASSERT_OK(dn_graph_backward(graph.get(), exprs[2], nullptr, 1));
    EXPECT_EQ(gradient(graph.get(), exprs[1]), (std::vector<float>{1, 2, 3}));
  }
}

TEST(RandomOps, OfManyNodesRunTogether) {
  for (const std::string& name : random_ops()) {
    SCOPED_TRACE(name);
    const GraphHandle graph = new_graph();
    World world;
    std::vector<dn_expr> y;
    for (int i = 0; i < 32; ++i) {
      const dn_dim dim = to_dim({10});
      std::vector<dn_expr> x;
      if (!op_row(name).is_leaf()) {
        ASSERT_OK(dn_op_constant(graph.get(), &dim, i, &x.emplace_back()));
      }
      const Example example{.x = {Shape({10})}, .a = {.scalar = 0.5, .second = 1, .shape = {10}}};
      ASSERT_OK(record(graph.get(), world, op_row(name), example, x, &y.emplace_back()));
    }
    dn_expr sum{};
    ASSERT_OK(dn_op_sum(graph.get(), y.data(), 32, &sum));
    ASSERT_OK(dn_graph_forward(graph.get(), sum));
    dn_batch_stats stats{};
    ASSERT_OK(dn_graph_batch_stats(graph.get(), &stats));
    EXPECT_LE(stats.batches, 3);
    EXPECT_GE(stats.batched_nodes, 32);
  }
}

}  // namespace
}  // namespace dynnet::test

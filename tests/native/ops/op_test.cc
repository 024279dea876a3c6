// Every operation of the table, in many shapes: values and gradients against the interpreter, the interpreter's own
// gradients against differences, and batched against one by one.
#include "ops/op.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ops/compare.h"
#include "ops/op_table.h"
#include "ops/ops.g.h"

namespace dynnet::test {
namespace {

constexpr int kPrograms = 90;

// An operand of each kind that the engine treats in its own way.
int make_operand(Program& program, Draw& d, const Shape& shape, Domain domain) {
  const Shape flat({shape.total()});
  const bool can_be_row = shape.d.back() == 1;
  switch (d.below(can_be_row ? 4 : 3) + (can_be_row ? 0 : 1)) {
    case 1:
      return program.add(
          op_row("input"),
          {.a = {.shape = shape}, .values = d.values(shape, domain), .least_dims = static_cast<uint32_t>(d.below(4))});
    case 0: {
      // Rows, some of them more than once.
      Shape row = shape;
      row.batch = 1;
      const int64_t rows = d.between(1, shape.batch + 1);
      Shape all = row;
      all.batch = rows;
      const int table = program.world().add_table(row, rows, d.values(all, domain));
      return program.add(op_row(shape.batch == 1 ? "lookup" : "lookup_batch"),
                         {.a = {.indices = d.indices(shape.batch, rows)}, .object = table});
    }
    default: {
      // A parameter has no batch, so one is made of it, which is a view; or the operand is computed from a parameter,
      // and as a weight still the same for all nodes.
      const bool plain = shape.batch == 1;
      const int parameter =
          program.parameter(program.world().add_parameter(plain ? shape : flat, d.values(shape, domain)));
      const int shaped = plain ? parameter : program.add("reshape", {parameter}, {.shape = shape});
      return d.chance(0.5) ? shaped : program.add("multiply_scalar", {shaped}, {.scalar = 1});
    }
  }
}

// Reduces a step to one number in which no two elements count the same.
int reduce(Program& program, Draw& d, int step) {
  const Shape shape = program.shape(step);
  if (d.chance(0.5)) {
    const int weights = program.input(shape, d.values(shape, Domain::kAny));
    return program.add("sum_batches", {program.add("dot_product", {step, weights})});
  }
  const int squares = program.add("sum_batches", {program.add("sum_elems", {program.add("square", {step})})});
  return program.add("sqrt", {program.add("add_scalar", {squares}, {.scalar = 0.1})});
}

// Several applications of one example to operands of their own, the weights now and then the same; then one loss.
int build(Program& program, Draw& d, const OpRow& row, int instances) {
  const Example example = draw_example(row, d, program.world());
  std::vector<int> losses;
  std::vector<int> x(example.x.size());
  for (int i = 0; i < instances; ++i) {
    Example own = example;
    if (row.is_leaf()) {
      own.x = {program.count() == 0 ? d.shape() : program.shape(0)};
      while (!row.draw(d, program.world(), own)) own.x = {d.shape()};
    }
    for (size_t j = 0; j < x.size(); ++j)
      if (i == 0 || !row.is_weight(j) || d.chance(0.3)) x[j] = make_operand(program, d, example.x[j], row.domain(j));
    const int step = program.add(row, std::move(own), x);
    losses.push_back(reduce(program, d, row.infinite ? program.add("exp", {step}) : step));
  }
  return program.add("sum", losses);
}

class Ops : public testing::TestWithParam<std::string> {
 protected:
  const OpRow& row() const { return op_row(GetParam()); }

  /// Not each program has work for two threads, and beside other processes a pool rests: but some have to be shared.
  static void TearDownTestSuite() {
    if (on_two_threads < 1000) return;
    EXPECT_GT(shared, on_two_threads / 200) << "second threads took part in nearly nothing";
  }

  /// Programs that were run on two threads, and those of them in which the second one had a part.
  static inline int on_two_threads = 0;
  static inline int shared = 0;
};

INSTANTIATE_TEST_SUITE_P(All, Ops, testing::ValuesIn(op_names()), [](const auto& test) { return test.param; });

TEST(OpTable, HasEveryOperationOfTheHeader) {
  std::vector<std::string> header;
#define DYNNET_OP_NAME(name) header.emplace_back(#name);
  DYNNET_OPS(DYNNET_OP_NAME)
#undef DYNNET_OP_NAME
  EXPECT_EQ(op_names(), header) << "each dn_op_* needs its row in a rows_*.cc, in the order of dynnet.h";
}

// The examples are no better than the shapes they are made of.
TEST_P(Ops, AreDrawnInAllKindsOfShapes) {
  bool degenerate = false;
  bool batched = false;
  bool broadcast = false;
  Draw d(seed_of(GetParam()));
  for (int i = 0; i < kPrograms; ++i) {
    World world;
    const Example example = draw_example(row(), d, world);
    for (const Shape& x : example.x) {
      degenerate = degenerate || x.size() == 1 || x.d[0] == 1;
      batched = batched || x.batch > 1;
      broadcast = broadcast || x.batch != example.x[0].batch;
    }
  }
  if (row().is_leaf()) return;
  EXPECT_TRUE(degenerate && batched);
  const Example example = draw_example(row(), d, *std::make_unique<World>());
  EXPECT_TRUE(broadcast || (example.x.size() == 1 && !row().variadic));
}

TEST_P(Ops, HaveTheValuesAndGradientsOfTheInterpreter) {
  for (int i = 0; i < kPrograms; ++i) {
    SCOPED_TRACE(i);
    Draw d(seed_of(GetParam()) + static_cast<uint64_t>(i));
    World world;
    Program program(world);
    const int loss = build(program, d, row(), 1 + i % 3);
    const GraphHandle graph = new_graph();
    const std::vector<dn_expr> exprs = program.record(graph.get());
    for (const bool full : {true, false}) {
      ASSERT_OK(dn_model_reset_gradients(world.model().get()));
      ASSERT_OK(dn_graph_backward(graph.get(), exprs.back(), nullptr, full ? 1 : 0));
      take_draws(program, graph.get(), exprs);
      program.reference().backward(program.node(loss));
      for (const Worst& worst :
           {compare_values(program, graph.get(), exprs, {}), compare_gradients(program, graph.get(), exprs, full, {}),
            compare_trained(program, {})})
        ASSERT_LE(worst.distance, 1) << worst.where;
    }
    for (size_t step = 0; step < exprs.size(); ++step) {
      dn_dim dim;
      ASSERT_OK(dn_graph_dim(graph.get(), exprs[step], &dim));
      EXPECT_EQ(Shape(dim), program.shape(static_cast<int>(step)));
    }
  }
}

// Central differences of the interpreter, which computes in double. A comparison of nothing but zeros shows nothing.
TEST_P(Ops, HaveGradientsThatAreDifferences) {
  const bool is_trained = row().is_leaf() && definition(row().name)->trained;
  bool flows = false;
  int compared = 0;
  for (int i = 0; i < kPrograms / 3; ++i) {
    SCOPED_TRACE(i);
    Draw d(seed_of(GetParam()) + static_cast<uint64_t>(i));
    World world;
    Program program(world);
    const int loss = program.node(build(program, d, row(), 1));
    if (std::any_of(program.steps().begin(), program.steps().end(), [](const Step& step) {
          return step.row->estimated != nullptr && step.row->estimated(step.example);
        }))
      continue;
    ++compared;
    reference::Graph& g = program.reference();
    for (int step = 0; step < program.count(); ++step)
      if (const auto& [drawn, example, x] = program.steps()[static_cast<size_t>(step)];
          drawn->draws(example) && !drawn->is_leaf()) {
        const Shape shape = drawn->drawn == nullptr ? program.shape(step) : drawn->drawn(example);
        g.set_mask(program.node(step), Numbers(static_cast<size_t>(shape.total()), 1.5));
      }
    g.backward(loss);
    // Where the gradient is another by definition, it is so for all that comes before the operation.
    int applied = 0;
    while (program.steps()[static_cast<size_t>(applied)].row != &row()) ++applied;
    const Attributes& attributes = program.steps()[static_cast<size_t>(applied)].example.a;
    const double factor = row().gradient_factor == nullptr ? 1 : row().gradient_factor(attributes);
    for (int step = 0; step < program.count(); ++step) {
      if (!program.steps()[static_cast<size_t>(step)].row->is_leaf()) continue;
      const Numbers values = program.value(step);
      const Numbers gradient = program.gradient(step);
      for (int64_t sample = std::min<int64_t>(6, static_cast<int64_t>(values.size())); sample > 0; --sample) {
        const auto at = static_cast<size_t>(d.below(static_cast<int64_t>(values.size())));
        auto loss_with = [&](double change) {
          Numbers changed = values;
          changed[at] += change;
          g.set_input(program.node(step), changed);
          g.forget();
          return g.scalar(loss);
        };
        constexpr double kStep = 1e-5;
        const double difference = (loss_with(kStep) - loss_with(-kStep)) / (2 * kStep);
        loss_with(0);
        flows = flows || (gradient[at] != 0 && (step < applied || (step == applied && is_trained)));
        EXPECT_NEAR(gradient[at], difference * (step < applied ? factor : 1),
                    1e-6 * std::max(1.0, std::abs(difference)))
            << "element " << at << " of step " << step;
      }
    }
  }
  EXPECT_GT(compared, kPrograms / 9);
  const GradientKind kind = gradient_kind(row());
  const bool is_multiple = kind == GradientKind::kDefined && row().gradient_factor != nullptr;
  EXPECT_EQ(flows, kind == GradientKind::kDifferences || is_multiple);
}

// Enough work for chunks on both threads: the same bits as on one.
TEST_P(Ops, GiveTheSameBitsOnTwoThreads) {
  const int32_t threads = dn_device_threads();
  for (int i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    Draw d(seed_of(GetParam()) + static_cast<uint64_t>(i));
    d.sizes = {1, 64, 100, 300, 1000};
    d.batches = {1, 1, 3};
    d.most_elements = 20000;
    World world;
    Program program(world);
    build(program, d, row(), 40);
    std::vector<std::vector<float>> bits;
    const int64_t shares = parallel::shares_done();
    for (const int32_t count : {1, 2}) {
      ASSERT_OK(dn_device_set_threads(count));
      ASSERT_OK(dn_model_reset_gradients(world.model().get()));
      const GraphHandle graph = new_graph();
      const std::vector<dn_expr> exprs = program.record(graph.get());
      ASSERT_OK(dn_graph_backward(graph.get(), exprs.back(), nullptr, 1));
      bits.push_back(trained_gradients(world));
      for (const dn_expr x : exprs) {
        bits.push_back(value(graph.get(), x));
        bits.push_back(gradient(graph.get(), x));
      }
    }
    ASSERT_OK(dn_device_set_threads(threads));
    ++on_two_threads;
    if (parallel::shares_done() > shares) ++shared;
    for (size_t j = 0; j < bits.size() / 2; ++j)
      ASSERT_TRUE(same_bits(bits[j], bits[j + bits.size() / 2])) << "of step " << (j - 1) / 2;
  }
}

// Several applications in one graph, together and one by one: the same bits.
TEST_P(Ops, GiveTheSameBitsBatchedOrNot) {
  for (int i = 0; i < kPrograms / 3; ++i) {
    SCOPED_TRACE(i);
    Draw d(seed_of(GetParam()) + static_cast<uint64_t>(i));
    World world;
    Program program(world);
    build(program, d, row(), 6);
    const GraphHandle together = new_graph();
    const GraphHandle alone = new_graph();
    ASSERT_OK(dn_graph_set_batching(alone.get(), 0));
    const std::vector<dn_expr> exprs = program.record(together.get());
    const std::vector<dn_expr> alone_exprs = program.record(alone.get());
    ASSERT_OK(dn_graph_backward(together.get(), exprs.back(), nullptr, 1));
    ASSERT_OK(dn_graph_backward(alone.get(), alone_exprs.back(), nullptr, 1));
    dn_batch_stats stats;
    ASSERT_OK(dn_graph_batch_stats(alone.get(), &stats));
    EXPECT_EQ(stats.batched_nodes, 0);
    for (size_t step = 0; step < exprs.size(); ++step) {
      ASSERT_TRUE(same_bits(value(together.get(), exprs[step]), value(alone.get(), alone_exprs[step])))
          << "value of step " << step;
      const std::vector<float> da = gradient(together.get(), exprs[step]);
      const std::vector<float> db = gradient(alone.get(), alone_exprs[step]);
      const Numbers expected(db.begin(), db.end());
      EXPECT_LE(distance(da, expected, 1e-5, std::max(1.0, largest(expected))), 1) << "gradient of step " << step;
    }
  }
}

}  // namespace
}  // namespace dynnet::test

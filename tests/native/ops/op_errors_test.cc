// What each operation refuses: the status, a message that names the operation and the shapes, and a graph as it was.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ops/op.h"
#include "ops/op_table.h"

namespace dynnet::test {
namespace {

// Inputs of these shapes.
std::vector<dn_expr> inputs(const GraphHandle& graph, const std::vector<Shape>& shapes) {
  std::vector<dn_expr> x;
  for (const Shape& shape : shapes) {
    const dn_dim dim = to_dim(shape);
    x.emplace_back();
    EXPECT_OK(dn_op_constant(graph.get(), &dim, 0.5, &x.back()));
  }
  return x;
}

class OpErrors : public testing::TestWithParam<std::string> {
 protected:
  OpErrors() {
    // What bad examples refer to by the number 0.
    world_.add_parameter({3}, std::vector<float>(3));
    world_.add_table({3}, 4, std::vector<float>(12));
  }
  const OpRow& row() const { return op_row(GetParam()); }
  dn_status record(const Example& example, const std::vector<dn_expr>& x, dn_expr* out) const {
    return test::record(graph_.get(), world_, row(), example, x, out);
  }
  // A refusal that leaves everything as it was.
  void expect_refused(const Example& example, const std::vector<dn_expr>& x) const {
    const int64_t before = nodes_count(graph_);
    dn_expr out{77, 77};
    EXPECT_NE(record(example, x, &out), DN_OK);
    EXPECT_TRUE(out.node == 77 && out.stamp == 77) << "the result was touched";
    EXPECT_EQ(nodes_count(graph_), before) << "something was recorded";
  }
  void expect_usable() const {
    const std::vector<dn_expr> x = inputs(graph_, {{2}});
    dn_expr y{};
    EXPECT_OK(dn_op_tanh(graph_.get(), x[0], &y));
    EXPECT_EQ(value(graph_.get(), y).size(), 2u);
  }

  World world_;
  GraphHandle graph_ = new_graph();
};

INSTANTIATE_TEST_SUITE_P(All, OpErrors, testing::ValuesIn(op_names()), [](const auto& test) { return test.param; });

TEST_P(OpErrors, OfTheTableAreTypedAndNamed) {
  for (const Bad& bad : row().bad) {
    SCOPED_TRACE(bad.message);
    const std::vector<dn_expr> x = inputs(graph_, bad.x);
    const Example example{.x = bad.x, .a = bad.a};
    dn_expr out{};
    expect_failure(record(example, x, &out), bad.status, {GetParam(), bad.message});
    expect_refused(example, x);
    expect_usable();
  }
}

// An operation with operands can be given operands that are not there.
TEST_P(OpErrors, OfExpressionsThatAreNotThere) {
  Draw d(1);
  const Example example = draw_example(row(), d, world_);
  const std::vector<dn_expr> x = inputs(graph_, example.x);
  const GraphHandle other = new_graph();
  const std::vector<dn_expr> foreign = inputs(other, example.x);
  for (size_t i = 0; i < x.size(); ++i) {
    for (const dn_expr bad : {dn_expr{}, foreign[i], dn_expr{x[i].node + 1000, x[i].stamp}}) {
      std::vector<dn_expr> changed = x;
      changed[i] = bad;
      dn_expr out{};
      expect_failure(record(example, changed, &out), DN_E_STALE, {GetParam()});
      expect_refused(example, changed);
    }
  }
  EXPECT_EQ(record(example, x, nullptr), DN_E_ARGUMENT);
  dn_expr out{};
  EXPECT_EQ(test::record(nullptr, world_, row(), example, x, &out), DN_E_ARGUMENT);
  EXPECT_OK(record(example, x, &out));
  expect_usable();
}

// Changes an example a little, so that it may fit or not.
void change(Draw& d, const OpRow& row, Example& e) {
  if (row.variadic && d.chance(0.2)) {
    if (d.chance(0.5) && !e.x.empty())
      e.x.pop_back();
    else
      e.x.push_back(d.shape());
    return;
  }
  const int64_t which = d.below(8);
  auto near = [&](int32_t& number) { number += static_cast<int32_t>(d.between(-1, 1)); };
  if (which == 0) near(e.a.dim);
  if (which == 0 && !e.a.dims.empty())
    near(e.a.dims[static_cast<size_t>(d.below(static_cast<int64_t>(e.a.dims.size())))]);
  if (which == 1) near(e.a.start);
  if (which == 1) e.a.order = static_cast<int32_t>(d.between(-1, 3));
  if (which == 2) near(e.a.end);
  if (which == 2) near(e.a.divisor);
  if (which == 2) near(e.a.mode);
  if (which == 2) near(e.a.count);
  if (which == 3) e.a.scalar = d.uniform(-2, 2);
  if (which == 4 && !e.a.indices.empty())
    near(e.a.indices[static_cast<size_t>(d.below(static_cast<int64_t>(e.a.indices.size())))]);
  for (Indices* list : {&e.a.strides, &e.a.from, &e.a.to})
    if (which == 4 && !list->empty()) near((*list)[static_cast<size_t>(d.below(static_cast<int64_t>(list->size())))]);
  if (which == 5) e.a.shape.d[static_cast<size_t>(d.below(3))] = d.size();
  if (which < 6 || e.x.empty()) return;
  Shape& x = e.x[static_cast<size_t>(d.below(static_cast<int64_t>(e.x.size())))];
  if (d.chance(0.3))
    x.batch = d.batch();
  else
    x.d[static_cast<size_t>(d.below(3))] = d.size();
}

// The interpreter has shape rules of its own, from the header: the engine refuses what it refuses, and nothing else.
TEST_P(OpErrors, AreThoseOfTheInterpreter) {
  if (row().is_leaf()) return;
  int accepted = 0;
  int refused = 0;
  Draw d(7);
  for (int i = 0; i < 400; ++i) {
    Example example = draw_example(row(), d, world_);
    for (int64_t changes = d.between(1, 2); changes > 0; --changes) change(d, row(), example);
    std::string description;
    for (const Shape& x : example.x) description += x.text() + " ";
    SCOPED_TRACE(description + "dim " + std::to_string(example.a.dim));
    ASSERT_OK(dn_graph_renew(graph_.get()));
    const std::vector<dn_expr> x = inputs(graph_, example.x);
    reference::Graph reference;
    std::vector<int> operands;
    for (const Shape& shape : example.x) operands.push_back(reference.constant(shape, 0.5));
    try {
      const Shape expected = reference.shape(interpret(reference, world_, row(), example, operands));
      dn_expr out{};
      dn_dim dim{};
      ASSERT_OK(record(example, x, &out));
      ASSERT_OK(dn_graph_dim(graph_.get(), out, &dim));
      ASSERT_EQ(Shape(dim), expected) << "the engine says " << Shape(dim).text() << ", not " << expected.text();
      ++accepted;
    } catch (const reference::Rejected& rejected) {
      SCOPED_TRACE(rejected.what());
      dn_expr out{};
      const dn_status status = record(example, x, &out);
      ASSERT_TRUE(status == DN_E_SHAPE || status == DN_E_ARGUMENT || status == DN_E_INDEX) << status;
      ASSERT_EQ(last_error().rfind(GetParam() + ": ", 0), 0u) << last_error();
      expect_refused(example, x);
      ++refused;
    }
  }
  expect_usable();
  EXPECT_GT(accepted, 10);
  // Elementwise operations take everything; whatever does not has examples of what it refuses in the table.
  if (row().bad.empty()) {
    EXPECT_EQ(refused, 0) << "the row of the table has no bad example";
  } else {
    EXPECT_GT(refused, 10);
  }
}

// ---- what an operation keeps for its gradient ----

// Shapes that are allowed, of which an operation would keep more than any tensor may have, or than 64 bits can count.
TEST(OpKeeps, NoMoreThanATensorMayHave) {
  const GraphHandle graph = new_graph();
  const auto attention = [&](uint32_t queries, uint32_t keys, int32_t heads, uint32_t batch, double dropout = 0) {
    const auto rows = heads;
    const std::vector<dn_expr> x = inputs(graph, {Shape({rows, queries}, batch), {rows, keys}, {rows, keys}});
    const int64_t before = nodes_count(graph);
    dn_expr out{};
    expect_failure(dn_op_multi_head_attention(graph.get(), x[0], x[1], x[2], heads, 0, dropout, 0, &out), DN_E_MEMORY,
                   {"multi_head_attention", "2^40"});
    EXPECT_EQ(nodes_count(graph), before);
  };
  attention(1 << 21, 1 << 20, 1, 1);
  attention(1 << 20, 1 << 20, 2, 1);
  attention(1 << 20, 1 << 10, 1, 1 << 11);
  attention(1 << 20, 1 << 20, 1, 1, 0.5);
  // 0 in 64 bits, and negative.
  attention(1u << 31, 1u << 31, 4, 1);
  attention(1u << 31, 1u << 31, 2, 1);
  // The product with the first vector, of 2^39 elements, is kept for each of 2^20 batch elements.
  const std::vector<dn_expr> x = inputs(graph, {{1 << 20, 1 << 19, 2}, {2}, Shape({1 << 19}, 1 << 20)});
  dn_expr out{};
  expect_failure(dn_op_contract3d_1d_1d(graph.get(), x[0], x[1], x[2], &out), DN_E_MEMORY,
                 {"contract3d_1d_1d", "2^40"});
}

// Two numbers for each of 2^31 batch elements are more than 32 bits can count.
TEST(OpKeeps, AsMuchAsItNeeds) {
  constexpr uint32_t kBatch = 1u << 31;
  for (const OpDef* def :
       {&op_pick_neg_log_softmax, &op_pick_neg_log_softmax_batch, &op_sparsemax_loss, &op_layer_norm}) {
    Type type;
    type.def = def;
    type.span_count = kBatch;
    type.operands = {Dim({1}, kBatch), Dim({1}), Dim({1})};
    Shaping shaping(type);
    def->shape(shaping);
    EXPECT_EQ(type.aux, int64_t{2} * kBatch) << def->name;
  }
}

}  // namespace
}  // namespace dynnet::test

// What runs together: exact counts of batches for graphs whose best schedule is known, and the report.
#include <gtest/gtest.h>

#include <cmath>

#include "graph_support.h"

namespace dynnet::test {
namespace {

void expect_stats(const GraphHandle& graph, int64_t nodes, int64_t batches, int64_t batched_nodes) {
  const dn_batch_stats result = stats(graph);
  EXPECT_EQ(result.nodes, nodes);
  EXPECT_EQ(result.batches, batches);
  EXPECT_EQ(result.batched_nodes, batched_nodes);
}

void expect_report(const GraphHandle& graph, std::initializer_list<std::string_view> words) {
  const std::string text = report(graph);
  for (const std::string_view word : words) EXPECT_NE(text.find(word), std::string::npos) << text;
}

dn_expr sum_of(const GraphHandle& graph, const std::vector<dn_expr>& xs) {
  return make(graph, dn_op_sum, xs.data(), static_cast<int32_t>(xs.size()));
}

TEST(Batching, IndependentNodesOfOneTypeAreOneBatch) {
  const GraphHandle graph = new_graph();
  dn_expr last{};
  for (int i = 0; i < 10; ++i) last = make(graph, dn_op_tanh, input(graph, {5}, some_values(5, i)));
  EXPECT_OK(dn_graph_forward(graph.get(), last));
  expect_stats(graph, 10, 1, 10);
  expect_report(graph, {"10 nodes in 1 batches, 10 of them with company",
                        "tanh({5}) -> {5}: 10 nodes in 1 batches, at most 10 together"});
}

TEST(Batching, ShapesAndOperationsKeepApart) {
  const GraphHandle graph = new_graph();
  std::vector<dn_expr> sums;
  for (int i = 0; i < 3; ++i) {
    sums.push_back(make(graph, dn_op_sum_elems, make(graph, dn_op_tanh, input(graph, {5}, some_values(5, i)))));
    sums.push_back(make(graph, dn_op_sum_elems, make(graph, dn_op_tanh, input(graph, {6}, some_values(6, i)))));
    sums.push_back(make(graph, dn_op_sum_elems, make(graph, dn_op_exp, input(graph, {5}, some_values(5, i)))));
  }
  EXPECT_OK(dn_graph_forward(graph.get(), sum_of(graph, sums)));
  // tanh of {5} and of {6}, exp; sums of {5} (of both) and of {6}; and the sum.
  expect_stats(graph, 19, 6, 18);
  expect_report(graph, {"sum_elems({5}) -> {1}: 6 nodes in 1 batches", "sum_elems({6}) -> {1}: 3 nodes in 1 batches",
                        "1 alone: the only node with this operation"});
}

TEST(Batching, AChainIsAsManyBatchesAsNodes) {
  const GraphHandle graph = new_graph();
  dn_expr x = constant(graph, {3}, 1);
  for (int i = 0; i < 5; ++i) x = make(graph, dn_op_tanh, x);
  EXPECT_OK(dn_graph_forward(graph.get(), x));
  expect_stats(graph, 6, 6, 0);
  expect_report(graph, {"tanh({3}) -> {3}: 5 nodes in 5 batches, at most 1 together; 5 alone: each waited"});
}

TEST(Batching, NumbersOfANodeDoNotKeepApart) {
  const GraphHandle graph = new_graph();
  const ModelHandle model = new_model();
  dn_lookup_parameter* table = add_table(model, 9, {4}, initializer(DN_INIT_GLOROT, 1));
  std::vector<dn_expr> all;
  for (int i = 0; i < 8; ++i) {
    const dn_expr scaled = make(graph, dn_op_multiply_scalar, make(graph, dn_op_lookup, table, i), i * 0.5);
    all.push_back(make(graph, dn_op_pick_neg_log_softmax, scaled, i % 4));
  }
  EXPECT_OK(dn_graph_forward(graph.get(), sum_of(graph, all)));
  // Rows of a table, scalars and labels: one batch of each, and the sum.
  expect_stats(graph, 25, 4, 24);
}

TEST(Batching, WeightsKeepApartAndInputsDoNot) {
  const GraphHandle graph = new_graph();
  const ModelHandle model = new_model();
  const dn_expr w = make(graph, dn_op_parameter, add(model, {3, 3}, initializer(DN_INIT_GLOROT, 1)));
  const dn_expr v = make(graph, dn_op_parameter, add(model, {3, 3}, initializer(DN_INIT_GLOROT, 1)));
  std::vector<dn_expr> all;
  for (int i = 0; i < 4; ++i) all.push_back(make(graph, dn_op_multiply, w, input(graph, {3}, some_values(3, i))));
  for (int i = 0; i < 4; ++i) all.push_back(make(graph, dn_op_multiply, v, input(graph, {3}, some_values(3, i))));
  EXPECT_OK(dn_graph_forward(graph.get(), sum_of(graph, all)));
  expect_stats(graph, 9, 3, 8);
  expect_report(graph, {"multiply({3,3} shared, {3}) -> {3}: 4 nodes in 1 batches"});

  // Matrices that are no weights differ from node to node, and run together.
  EXPECT_OK(dn_graph_renew(graph.get()));
  all.clear();
  for (int i = 0; i < 4; ++i)
    all.push_back(make(graph, dn_op_multiply, input(graph, {3, 3}, some_values(9, i)), input(graph, {3}, {1, 2, 3})));
  EXPECT_OK(dn_graph_forward(graph.get(), sum_of(graph, all)));
  expect_stats(graph, 5, 2, 4);
}

TEST(Batching, SequencesOfDifferentLengthsRunStepByStep) {
  const GraphHandle graph = new_graph();
  const ModelHandle model = new_model();
  dn_lstm* made = nullptr;
  ASSERT_OK(dn_lstm_create(model.get(), 1, 3, 4, &made));
  const LstmHandle lstm(made);
  std::vector<dn_expr> ends;
  for (int length = 1; length <= 5; ++length) {
    dn_expr state[2];
    ASSERT_OK(dn_lstm_initial_state(made, graph.get(), nullptr, 0, state, 2));
    for (int i = 0; i < length; ++i) {
      const dn_expr x = input(graph, {3}, some_values(3, i));
      ASSERT_OK(dn_lstm_add_input(made, graph.get(), state, 2, x, state, 2));
    }
    ends.push_back(state[1]);
  }
  EXPECT_OK(dn_graph_forward(graph.get(), sum_of(graph, ends)));
  // Of 15 steps those of the same place run together: 5 times gates, c and h. Then 5 constants in one batch, and a sum.
  expect_stats(graph, 15 * 3 + 5 + 1, 5 * 3 + 1 + 1, (5 + 4 + 3 + 2) * 3 + 5);
}

// Trees of TreeLSTM cells, as the treelstm sample builds them.
class Trees : public testing::Test {
 protected:
  struct Cell {
    dn_expr c, h;
  };

  dn_expr weight(dn_parameter* parameter) { return make(graph_, dn_op_parameter, parameter); }

  Cell leaf(int seed) {
    const dn_expr iou = make(graph_, dn_op_multiply, weight(w_), input(graph_, {2}, some_values(2, seed)));
    return cell(iou, {});
  }

  Cell node(const Cell& left, const Cell& right) {
    const dn_expr iou =
        make_of(graph_.get(), dn_op_affine_transform, {weight(b_), weight(u_left_), left.h, weight(u_right_), right.h});
    return cell(iou, {forget(left), left.c, forget(right), right.c});
  }

  dn_expr forget(const Cell& child) {
    return make_of(graph_.get(), dn_op_affine_transform, {weight(b_forget_), weight(u_forget_), child.h});
  }

  Cell cell(dn_expr iou, const std::vector<dn_expr>& children) {
    std::vector<dn_expr> xs = {iou};
    xs.insert(xs.end(), children.begin(), children.end());
    const dn_expr c = make(graph_, dn_op_tree_lstm_c, xs.data(), static_cast<int32_t>(xs.size()));
    return {c, make(graph_, dn_op_tree_lstm_h, iou, c)};
  }

  Cell full_tree(int depth, int seed) {
    if (depth == 0) return leaf(seed);
    const Cell left = full_tree(depth - 1, 2 * seed);
    return node(left, full_tree(depth - 1, 2 * seed + 1));
  }

  // Every inner node has a leaf on its right.
  Cell left_tree(int depth) { return depth == 0 ? leaf(0) : node(left_tree(depth - 1), leaf(depth)); }

  GraphHandle graph_ = new_graph();
  ModelHandle model_ = new_model();
  dn_parameter* w_ = add(model_, {9, 2}, initializer(DN_INIT_GLOROT, 1));
  dn_parameter* b_ = add(model_, {9}, initializer(DN_INIT_CONSTANT, 0));
  dn_parameter* u_left_ = add(model_, {9, 3}, initializer(DN_INIT_GLOROT, 1));
  dn_parameter* u_right_ = add(model_, {9, 3}, initializer(DN_INIT_GLOROT, 1));
  dn_parameter* b_forget_ = add(model_, {3}, initializer(DN_INIT_CONSTANT, 1));
  dn_parameter* u_forget_ = add(model_, {3, 3}, initializer(DN_INIT_GLOROT, 1));
};

TEST_F(Trees, AFullTreeRunsLevelByLevel) {
  const Cell root = full_tree(3, 1);
  EXPECT_OK(dn_graph_forward(graph_.get(), root.h));
  // 8 leaves of 3 nodes each in 3 batches; 7 inner nodes of 5 (two are forget gates of one type) in 4 batches a level.
  // Of the root, only the forget gates have company.
  expect_stats(graph_, 8 * 3 + 7 * 5, 3 + 3 * 4, 8 * 3 + 6 * 5 + 2);
}

TEST_F(Trees, ManyTreesTakeNoMoreBatchesThanOne) {
  std::vector<dn_expr> roots;
  for (int i = 0; i < 10; ++i) roots.push_back(full_tree(3, i).h);
  EXPECT_OK(dn_graph_forward(graph_.get(), sum_of(graph_, roots)));
  expect_stats(graph_, 10 * 59 + 1, 15 + 1, 10 * 59);
}

TEST_F(Trees, ALeaningTreeRunsItsLeavesTogether) {
  const Cell root = left_tree(6);
  EXPECT_OK(dn_graph_forward(graph_.get(), root.h));
  const dn_batch_stats result = stats(graph_);
  EXPECT_EQ(result.nodes, 7 * 3 + 6 * 5);
  // Leaves: 3 batches. Each of 6 levels: 4, for the forget gates of leaves may run with those of the level below.
  EXPECT_LE(result.batches, 3 + 6 * 4 + 1);
}

TEST_F(Trees, WhatFollowsTheRecurrenceRunsOnce) {
  // A loss at every node of trees of different heights: half of what the losses need is ready with the leaves.
  std::vector<dn_expr> losses;
  const auto add_losses = [&](const Cell& cell) { losses.push_back(make(graph_, dn_op_sum_elems, cell.h)); };
  for (int height = 1; height <= 4; ++height) {
    Cell cell = leaf(height);
    add_losses(cell);
    for (int i = 0; i < height; ++i) {
      const Cell right = leaf(10 * height + i);
      add_losses(right);
      cell = node(cell, right);
      add_losses(cell);
    }
  }
  EXPECT_OK(dn_graph_forward(graph_.get(), sum_of(graph_, losses)));
  expect_report(graph_, {"sum_elems({3}) -> {1}: " + std::to_string(losses.size()) + " nodes in 1 batches"});
}

TEST_F(Trees, BatchedOrNotTheBitsAreTheSame) {
  const Cell root = full_tree(4, 3);
  EXPECT_OK(dn_graph_forward(graph_.get(), root.h));
  const std::vector<float> batched = value(graph_, root.h);
  EXPECT_OK(dn_graph_set_batching(graph_.get(), 0));
  EXPECT_OK(dn_graph_forward(graph_.get(), root.h));
  EXPECT_EQ(value(graph_, root.h), batched);
  const int64_t nodes = 16 * 3 + 15 * 5;
  expect_stats(graph_, nodes, nodes, 0);
  expect_report(graph_, {"batching is off"});
}

// A recurrence h = tanh(b + Wx x + Wh h): what the inputs contribute is computed for all steps at once, and changes no
// bit of any value; nor does it count as another node.
TEST(Batching, InputsOfARecurrenceComeEarly) {
  const ModelHandle model = new_model();
  dn_parameter* const b = add(model, {3}, initializer(DN_INIT_GLOROT, 1), "b");
  dn_parameter* const wx = add(model, {3, 4}, initializer(DN_INIT_GLOROT, 1), "wx");
  dn_parameter* const wh = add(model, {3, 3}, initializer(DN_INIT_GLOROT, 1), "wh");
  const GraphHandle graph = new_graph();
  const dn_expr bias = make(graph, dn_op_parameter, b);
  const dn_expr x_weight = make(graph, dn_op_parameter, wx);
  const dn_expr h_weight = make(graph, dn_op_parameter, wh);
  constexpr int kSequences = 3, kSteps = 5;
  std::vector<dn_expr> outputs, losses;
  for (int sequence = 0; sequence < kSequences; ++sequence) {
    dn_expr h = constant(graph, {3}, 0);
    for (int step = 0; step < kSteps; ++step) {
      const dn_expr x = make(graph, dn_op_tanh, input(graph, {4}, some_values(4, sequence * kSteps + step)));
      h = make(graph, dn_op_tanh, make_of(graph.get(), dn_op_affine_transform, {bias, x_weight, x, h_weight, h}));
      outputs.push_back(h);
      losses.push_back(make(graph, dn_op_sum_elems, make(graph, dn_op_square, h)));
    }
  }
  const dn_expr loss = sum_of(graph, losses);
  const auto run = [&](int32_t batching) {
    EXPECT_OK(dn_graph_set_batching(graph.get(), batching));
    EXPECT_OK(dn_graph_forward(graph.get(), loss));
    EXPECT_OK(dn_model_reset_gradients(model.get()));
    EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
    std::vector<std::vector<float>> all;
    for (const dn_expr h : outputs) all.push_back(value(graph, h));
    for (dn_parameter* const parameter : {b, wx, wh}) all.push_back(gradient(parameter));
    return all;
  };
  const std::vector<std::vector<float>> batched = run(1);
  // For each step the sums with their tanh; once the constants, tanh of x, squares, their sums; and the loss.
  expect_stats(graph, kSequences * (1 + 4 * kSteps) + 1, 4 + kSteps + 1, kSequences * (1 + 4 * kSteps));
  expect_report(graph, {"affine_transform, tanh(", "what their first operands contribute, of all nodes at once"});
  const std::vector<std::vector<float>> alone = run(0);
  for (size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(batched[i], alone[i]) << "step " << i;
  for (size_t i = outputs.size(); i < batched.size(); ++i)
    for (size_t j = 0; j < batched[i].size(); ++j) EXPECT_NEAR(batched[i][j], alone[i][j], 1e-5) << i << ", " << j;
}

TEST(Batching, TheReportIsOfTheLatestForward) {
  const GraphHandle graph = new_graph();
  expect_stats(graph, 0, 0, 0);
  const dn_expr x = make(graph, dn_op_tanh, input(graph, {1}, {1}));
  value(graph, x);
  expect_stats(graph, 1, 1, 0);
  const dn_expr y = make(graph, dn_op_exp, x);
  const dn_expr z = make(graph, dn_op_log, y);
  value(graph, z);
  expect_stats(graph, 2, 2, 0);
  EXPECT_OK(dn_graph_forward(graph.get(), z));
  expect_stats(graph, 3, 3, 0);
  EXPECT_OK(dn_graph_renew(graph.get()));
  expect_stats(graph, 0, 0, 0);
  expect_report(graph, {"0 nodes in 0 batches"});
}

// Dependences between types are found for 1,024 of them at most.
TEST(Batching, AnyNumberOfTypes) {
  const GraphHandle graph = new_graph();
  const ModelHandle model = new_model();
  constexpr uint32_t kTypes = 1100;
  const dn_expr w = make(graph, dn_op_parameter, add(model, {1.0f}, "W"));
  std::vector<dn_expr> sums;
  for (uint32_t n = 1; n <= kTypes; ++n) {
    const dn_expr x = make(graph, dn_op_tanh, make(graph, dn_op_cmult, constant(graph, {n}, 1), w));
    sums.push_back(make(graph, dn_op_sum_elems, x));
  }
  const dn_expr sum = sum_of(graph, sums);
  EXPECT_OK(dn_graph_forward(graph.get(), sum));
  expect_stats(graph, 4 * kTypes + 1, 4 * kTypes + 1, 0);
  const double all = kTypes * (kTypes + 1) / 2.0;
  EXPECT_NEAR(scalar(graph, sum), all * std::tanh(1.0), 1e-5 * all);
  EXPECT_OK(dn_graph_backward(graph.get(), sum, nullptr, 0));
  EXPECT_NEAR(gradient(graph, w)[0], all * (1 - std::tanh(1.0) * std::tanh(1.0)), 1e-5 * all);
}

}  // namespace
}  // namespace dynnet::test

// Lifetime: objects may be freed in any order and at any time, and what refers to them afterwards is an error, never a
// crash.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "graph_support.h"

namespace dynnet::test {
namespace {

// A model with something of everything that refers to it.
struct Household {
  ModelHandle model = new_model();
  ModelHandle child = add_subcollection(model, "child");
  dn_parameter* w = add(model, {3, 2}, values_of({1, 2, 3, 4, 5, 6}), "w");
  dn_lookup_parameter* table = add_table(child, 4, {2}, initializer(DN_INIT_CONSTANT, 0.5), "table");
  LstmHandle lstm = new_lstm();
  TrainerHandle trainer = new_sgd(model);
  GradientsHandle gradients = new_gradients(model);
  GraphHandle graph = new_graph();
  dn_expr loss{};

  Household() {
    const dn_expr row = make(graph, dn_op_lookup, table, 1);
    const dn_expr weight = make(graph, dn_op_parameter, w);
    const dn_expr product = make(graph, dn_op_multiply, weight, row);
    loss = make(graph, dn_op_squared_distance, product, constant(graph, {3}, 1));
  }

  LstmHandle new_lstm() const {
    dn_lstm* made = nullptr;
    EXPECT_OK(dn_lstm_create(model.get(), 1, 2, 2, &made));
    return LstmHandle(made);
  }

  // Everything that is still there still works.
  void use() const {
    if (graph != nullptr) {
      EXPECT_OK(dn_graph_forward(graph.get(), loss));
      EXPECT_OK(dn_graph_backward(graph.get(), loss, gradients.get(), 0));
      EXPECT_EQ(test::value(graph, loss).size(), 1u);
    }
    if (trainer != nullptr) {
      dn_gradients* sets[] = {gradients.get()};
      EXPECT_OK(dn_trainer_update_from(trainer.get(), sets, gradients != nullptr ? 1 : 0));
    }
    if (lstm != nullptr && graph != nullptr) {
      dn_expr state[2], next[2];
      EXPECT_OK(dn_lstm_initial_state(lstm.get(), graph.get(), nullptr, 0, state, 2));
      EXPECT_OK(dn_lstm_add_input(lstm.get(), graph.get(), state, 2, constant(graph, {2}, 1), next, 2));
      EXPECT_EQ(test::value(graph, next[1]).size(), 2u);
    }
    if (child != nullptr) {
      dn_lookup_parameter* found = nullptr;
      EXPECT_OK(dn_model_lookup_parameter_at(child.get(), 0, &found));
      EXPECT_EQ(found, table);
    }
    if (gradients != nullptr) {
      EXPECT_OK(dn_gradients_reset(gradients.get()));
    }
  }

  void free(int which) {
    switch (which) {
      case 0:
        return model.reset();
      case 1:
        return child.reset();
      case 2:
        return lstm.reset();
      case 3:
        return trainer.reset();
      case 4:
        return gradients.reset();
      default:
        return graph.reset();
    }
  }
};

TEST(Lifetime, FreeInAnyOrder) {
  const int64_t before = dn_memory_used();
  std::array<int, 6> order = {0, 1, 2, 3, 4, 5};
  int orders = 0;
  do {
    // Each of the 720 orders, but with the uses in between only of some: they are the slow part.
    const bool uses = orders++ % 7 == 0;
    Household household;
    for (const int which : order) {
      if (uses) household.use();
      household.free(which);
    }
    ASSERT_EQ(dn_memory_used(), before);
  } while (std::next_permutation(order.begin(), order.end()) && !HasFailure());
  EXPECT_EQ(orders, 720);
}

TEST(Lifetime, FreeTakesNull) {
  dn_model_free(nullptr);
  dn_graph_free(nullptr);
  dn_trainer_free(nullptr);
  dn_gradients_free(nullptr);
  dn_lstm_free(nullptr);
}

TEST(Lifetime, AGraphKeepsItsModelUntilItIsRenewed) {
  const GraphHandle graph = new_graph();
  ModelHandle model = new_model();
  const dn_expr x = make(graph, dn_op_parameter, add(model, {1000}, initializer(DN_INIT_CONSTANT, 2)));
  model.reset();
  EXPECT_EQ(value(graph, make(graph, dn_op_square, x)), std::vector<float>(1000, 4));
  const int64_t before = dn_memory_used();
  EXPECT_OK(dn_graph_renew(graph.get()));
  EXPECT_EQ(dn_memory_used(), before - 4000);
}

TEST(Lifetime, ARevertLetsGoOfModelsThatWereUsedSince) {
  const GraphHandle graph = new_graph();
  EXPECT_OK(dn_graph_checkpoint(graph.get()));
  constant(graph, {1}, 0);
  ModelHandle model = new_model();
  make(graph, dn_op_parameter, add(model, {1000}, initializer(DN_INIT_CONSTANT, 2)));
  model.reset();
  const int64_t before = dn_memory_used();
  EXPECT_OK(dn_graph_revert(graph.get()));
  EXPECT_EQ(dn_memory_used(), before - 4000);
}

// ---------------------------------------------------------------------------------------------------- stale handles

// Every call that takes an expression.
std::vector<std::function<dn_status(dn_graph*, dn_expr)>> calls_with_expression() {
  static const float* values = nullptr;
  static int64_t count = 0;
  static dn_expr out{};
  static float number = 0;
  static dn_dim shape{};
  static const int32_t index = 0;
  return {
      [](dn_graph* g, dn_expr x) { return dn_graph_dim(g, x, &shape); },
      [](dn_graph* g, dn_expr x) { return dn_graph_forward(g, x); },
      [](dn_graph* g, dn_expr x) { return dn_graph_incremental_forward(g, x); },
      [](dn_graph* g, dn_expr x) { return dn_graph_value(g, x, &values, &count); },
      [](dn_graph* g, dn_expr x) { return dn_graph_scalar_value(g, x, &number); },
      [](dn_graph* g, dn_expr x) { return dn_graph_backward(g, x, nullptr, 0); },
      [](dn_graph* g, dn_expr x) { return dn_graph_gradient(g, x, &values, &count); },
      [](dn_graph* g, dn_expr x) { return dn_graph_set_input(g, x, &number, 1); },
      [](dn_graph* g, dn_expr x) { return dn_graph_set_indices(g, x, &index, 1); },
      [](dn_graph* g, dn_expr x) { return dn_op_tanh(g, x, &out); },
      [](dn_graph* g, dn_expr x) { return dn_op_add(g, x, x, &out); },
      [](dn_graph* g, dn_expr x) { return dn_op_sum(g, &x, 1, &out); },
      [](dn_graph* g, dn_expr x) { return dn_op_pick(g, x, 0, 0, &out); },
  };
}

void expect_stale(const GraphHandle& graph, dn_expr x) {
  const int64_t before = nodes_count(graph);
  for (const auto& call : calls_with_expression()) EXPECT_EQ(call(graph.get(), x), DN_E_STALE) << last_error();
  EXPECT_EQ(nodes_count(graph), before);
}

TEST(StaleExpressions, OfBeforeARenewal) {
  const GraphHandle graph = new_graph();
  const dn_expr old = constant(graph, {1}, 1);
  EXPECT_OK(dn_graph_renew(graph.get()));
  expect_stale(graph, old);
  // Nor is it the new node with its number.
  const dn_expr young = constant(graph, {1}, 2);
  EXPECT_EQ(young.node, old.node);
  expect_stale(graph, old);
  EXPECT_EQ(scalar(graph, young), 2);
  dn_expr out{};
  expect_failure(dn_op_tanh(graph.get(), old, &out), DN_E_STALE, {"tanh", "expression 0", "renewed", "another graph"});
}

TEST(StaleExpressions, OfARevertedPart) {
  const GraphHandle graph = new_graph();
  const dn_expr kept = constant(graph, {1}, 1);
  EXPECT_OK(dn_graph_checkpoint(graph.get()));
  const dn_expr lost = constant(graph, {1}, 2);
  EXPECT_OK(dn_graph_revert(graph.get()));
  expect_stale(graph, lost);
  constant(graph, {1}, 3);
  expect_stale(graph, lost);
  EXPECT_EQ(scalar(graph, kept), 1);
}

TEST(StaleExpressions, OfAnotherGraph) {
  const GraphHandle graph = new_graph();
  const GraphHandle other = new_graph();
  constant(graph, {1}, 1);
  expect_stale(graph, constant(other, {1}, 2));
}

TEST(StaleExpressions, TheDefaultValue) {
  const GraphHandle graph = new_graph();
  constant(graph, {1}, 1);
  expect_stale(graph, dn_expr{});
  dn_expr out{};
  expect_failure(dn_op_tanh(graph.get(), dn_expr{}, &out), DN_E_STALE, {"tanh", "never made"});
}

TEST(StaleExpressions, MadeUp) {
  const GraphHandle graph = new_graph();
  const dn_expr x = constant(graph, {1}, 1);
  expect_stale(graph, {x.node + 1, x.stamp});
  expect_stale(graph, {~0u, x.stamp});
  expect_stale(graph, {x.node, x.stamp + 1});
}

TEST(StaleExpressions, OfAFreedGraphWhoseHeaderServesAnother) {
  GraphHandle first = new_graph();
  dn_graph* const raw = first.get();
  const dn_expr old = constant(first, {1}, 1);
  first.reset();
  const float* values = nullptr;
  int64_t count = 0;
  expect_failure(dn_graph_value(raw, old, &values, &count), DN_E_DISPOSED, {"disposed"});

  // Headers rest before they are used again; then the old pointer is the new graph, and the expression is stale.
  std::vector<GraphHandle> graphs;
  for (int i = 0; i < 1000; ++i) {
    graphs.push_back(new_graph());
    if (graphs.back().get() == raw) break;
    if (i % 2 == 1) graphs.erase(graphs.begin());
  }
  ASSERT_EQ(graphs.back().get(), raw) << "the header was never used again";
  constant(graphs.back(), {1}, 2);
  expect_stale(graphs.back(), old);
}

TEST(StaleExpressions, AFreedGraphIsDisposed) {
  GraphHandle graph = new_graph();
  const dn_expr x = constant(graph, {1}, 1);
  dn_graph* const raw = graph.release();
  dn_graph_free(raw);
  for (const auto& call : calls_with_expression()) EXPECT_EQ(call(raw, x), DN_E_DISPOSED) << last_error();
  for (const auto call : {dn_graph_renew, dn_graph_checkpoint, dn_graph_revert}) EXPECT_EQ(call(raw), DN_E_DISPOSED);
  int64_t count = 0;
  EXPECT_EQ(dn_graph_nodes_count(raw, &count), DN_E_DISPOSED);
  // Freeing twice is harmless as long as the header rests.
  dn_graph_free(raw);
  EXPECT_EQ(dn_graph_nodes_count(raw, &count), DN_E_DISPOSED);
}

TEST(StaleExpressions, StampsAreNeverShared) {
  std::set<uint32_t> stamps;
  const GraphHandle graph = new_graph();
  const GraphHandle other = new_graph();
  for (int i = 0; i < 100; ++i) {
    EXPECT_OK(dn_graph_checkpoint(graph.get()));
    EXPECT_TRUE(stamps.insert(constant(graph, {1}, 1).stamp).second);
    EXPECT_OK(i % 2 == 0 ? dn_graph_revert(graph.get()) : dn_graph_renew(graph.get()));
    EXPECT_TRUE(stamps.insert(constant(other, {1}, 1).stamp).second);
    EXPECT_OK(dn_graph_renew(other.get()));
  }
}

// ------------------------------------------------------------------------------------------------------- late reads

// Memory of values is not unmapped while the graph lives: a late read gives some numbers. AddressSanitizer tells.
TEST(LateReads, AfterRenewalRevertAndForwardAreOfReadableMemory) {
  for (const int64_t size : {int64_t{10}, int64_t{100000}}) {
    const GraphHandle graph = new_graph();
    const std::vector<float> numbers = some_values(size);
    const dn_dim shape = dim({static_cast<uint32_t>(size)});
    std::vector<const float*> pointers;
    auto compute = [&] {
      const dn_expr x = make(graph, dn_op_input, &shape, numbers.data(), size);
      const dn_expr y = make(graph, dn_op_tanh, x);
      for (const dn_expr e : {x, y}) {
        const float* values = nullptr;
        int64_t count = 0;
        EXPECT_OK(dn_graph_value(graph.get(), e, &values, &count));
        pointers.push_back(values);
      }
      return y;
    };
    auto read_all = [&] {
      double sum = 0;
      for (const float* values : pointers)
        for (int64_t i = 0; i < size; ++i) sum += values[i];
      return sum;
    };
    const dn_expr y = compute();
    EXPECT_OK(dn_graph_forward(graph.get(), y));
    read_all();
    EXPECT_OK(dn_graph_checkpoint(graph.get()));
    compute();
    EXPECT_OK(dn_graph_revert(graph.get()));
    read_all();
    EXPECT_OK(dn_graph_renew(graph.get()));
    read_all();
    compute();
    read_all();
  }
}

TEST(LateReads, AValueStaysWhereItIsWhileOthersAreComputed) {
  const GraphHandle graph = new_graph();
  dn_expr x = make(graph, dn_op_tanh, constant(graph, {100}, 0.5));
  const float* first = nullptr;
  int64_t count = 0;
  ASSERT_OK(dn_graph_value(graph.get(), x, &first, &count));
  const std::vector<float> then(first, first + count);
  const dn_expr y = x;
  for (int i = 0; i < 2000; ++i) x = make(graph, dn_op_tanh, x);
  value(graph, x);
  const float* now = nullptr;
  ASSERT_OK(dn_graph_value(graph.get(), y, &now, &count));
  EXPECT_EQ(now, first);
  EXPECT_EQ(std::vector<float>(first, first + count), then);
}

// ------------------------------------------------------------------------------------------------- beside other calls

// A graph whose forward takes a while.
struct SlowGraph {
  GraphHandle graph = new_graph();
  dn_expr x{};

  SlowGraph() {
    constexpr uint32_t kSize = 300;
    x = input(graph, {kSize, kSize}, some_values(kSize * kSize));
    const dn_expr left = x;
    for (int i = 0; i < (DYNNET_SANITIZED ? 30 : 150); ++i)
      x = make(graph, dn_op_tanh, make(graph, dn_op_multiply, left, x));
  }

  static bool is_busy(dn_graph* raw) {
    int64_t count = 0;
    return dn_graph_nodes_count(raw, &count) == DN_E_BUSY;
  }
};

TEST(GraphCalls, TwoAtOnceAreBusy) {
  SlowGraph slow;
  std::atomic<bool> done{false};
  std::atomic<int> failures{0};
  std::thread other([&] {
    // The calls of this thread may meet those of the other, too.
    while (!done)
      if (dn_graph_forward(slow.graph.get(), slow.x) == DN_E_BUSY) ++failures;
  });
  EXPECT_TRUE(wait_until([&] { return SlowGraph::is_busy(slow.graph.get()); }));
  EXPECT_NE(last_error().find("another thread's call is inside this graph"), std::string::npos) << last_error();
  done = true;
  other.join();
  // The graph is as good as ever.
  EXPECT_OK(dn_graph_forward(slow.graph.get(), slow.x));
}

TEST(GraphCalls, AGraphMovesBetweenThreads) {
  const GraphHandle graph = new_graph();
  dn_expr x = constant(graph, {4}, 1);
  for (int i = 0; i < 20; ++i) std::thread([&] { x = make(graph, dn_op_add_scalar, x, 1.0); }).join();
  EXPECT_EQ(value(graph, x), std::vector<float>(4, 21));
}

TEST(GraphCalls, FreeDuringACallWaitsForItsEnd) {
  const int64_t before = dn_memory_used();
  for (int round = 0; round < 3; ++round) {
    SlowGraph slow;
    dn_graph* const raw = slow.graph.release();
    std::atomic<bool> entered{false};
    std::atomic<dn_status> in_call{DN_E_INTERNAL};
    dn_status after = DN_OK;
    std::thread other([&] {
      entered = true;
      in_call = dn_graph_forward(raw, slow.x);
      after = dn_graph_forward(raw, slow.x);
    });
    EXPECT_TRUE(wait_until([&] { return entered.load(); }));
    const bool overlaps = wait_until([&] { return SlowGraph::is_busy(raw) || in_call == DN_OK; });
    EXPECT_TRUE(overlaps);
    dn_graph_free(raw);
    int64_t count = 0;
    EXPECT_EQ(dn_graph_nodes_count(raw, &count), DN_E_DISPOSED);
    other.join();
    EXPECT_EQ(in_call, DN_OK);
    EXPECT_EQ(after, DN_E_DISPOSED);
    EXPECT_EQ(dn_memory_used(), before);
  }
}

// ------------------------------------------------------------------------------------------------------ random draws

// What a graph draws depends on its seed and on what was done with it, not on the rest of the process.
TEST(Draws, TheSameProgramDrawsTheSameNumbers) {
  auto draw = [](const GraphHandle& graph) {
    return value(graph, make(graph, dn_op_dropout, constant(graph, {1000}, 1), 0.5));
  };
  const GraphHandle first = new_graph(7);
  const GraphHandle second = new_graph(7);
  const GraphHandle other = new_graph(8);
  const std::vector<float> drawn = draw(first);
  EXPECT_EQ(draw(second), drawn);
  EXPECT_NE(draw(other), drawn);
  EXPECT_NE(draw(first), drawn) << "another node of the same graph";
  EXPECT_OK(dn_graph_renew(first.get()));
  EXPECT_OK(dn_graph_renew(second.get()));
  const std::vector<float> renewed = draw(first);
  EXPECT_NE(renewed, drawn);
  EXPECT_EQ(draw(second), renewed);
  EXPECT_OK(dn_graph_checkpoint(first.get()));
  const std::vector<float> reverted = draw(first);
  EXPECT_OK(dn_graph_revert(first.get()));
  EXPECT_NE(draw(first), reverted) << "another node after a revert";
}

TEST(Draws, AForwardDrawsAnew) {
  const GraphHandle graph = new_graph();
  const dn_expr x = make(graph, dn_op_dropout, constant(graph, {1000}, 1), 0.5);
  const std::vector<float> drawn = value(graph, x);
  EXPECT_EQ(value(graph, x), drawn);
  EXPECT_OK(dn_graph_forward(graph.get(), x));
  EXPECT_NE(value(graph, x), drawn);
}

}  // namespace
}  // namespace dynnet::test

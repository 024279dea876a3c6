// Memory: counted, given back, bounded over many graphs; and refused beyond the limit, with everything usable after.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "graph_support.h"

namespace dynnet::test {
namespace {

// The process's resident memory in bytes.
int64_t resident() {
  long long pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%*d %lld", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

// A small step of training on a graph.
void train(const GraphHandle& graph, dn_parameter* w, dn_lookup_parameter* table, const TrainerHandle& trainer, int i) {
  const dn_expr row = make(graph, dn_op_lookup, table, i % 7);
  const dn_expr h = make(graph, dn_op_tanh, make(graph, dn_op_multiply, make(graph, dn_op_parameter, w), row));
  const dn_expr loss = make(graph, dn_op_squared_distance, h, constant(graph, {4}, 0.1));
  EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
  EXPECT_OK(dn_trainer_update(trainer.get()));
}

class Growth : public testing::Test {
 protected:
  // Runs `step` often, and expects that after the first tenth memory hardly grows.
  template <class Step>
  void expect_no_growth(Step step) {
    const int count = DYNNET_SANITIZED ? 3000 : 100000;
    constexpr int64_t kAllowed = 5000000;
    int64_t resident_then = 0;
    int64_t used_then = 0;
    for (int i = 0; i < count && !HasFailure(); ++i) {
      if (i == count / 10) {
        resident_then = resident();
        used_then = dn_memory_used();
      }
      step(i);
    }
    if (!DYNNET_SANITIZED) {
      EXPECT_LT(resident() - resident_then, kAllowed);
    }
    EXPECT_LT(dn_memory_used() - used_then, kAllowed);
  }

  ModelHandle model_ = new_model();
  dn_parameter* w_ = add(model_, {4, 3}, initializer(DN_INIT_GLOROT, 1));
  dn_lookup_parameter* table_ = add_table(model_, 7, {3}, initializer(DN_INIT_UNIFORM, -1, 1));
  TrainerHandle trainer_ = new_sgd(model_);
};

TEST_F(Growth, GraphsRenewed) {
  const GraphHandle graph = new_graph();
  expect_no_growth([&](int i) {
    EXPECT_OK(dn_graph_renew(graph.get()));
    train(graph, w_, table_, trainer_, i);
  });
}

TEST_F(Growth, GraphsCreatedAndFreed) {
  expect_no_growth([&](int i) { train(new_graph(), w_, table_, trainer_, i); });
}

TEST_F(Growth, ManyShapes) {
  // Every graph has shapes, and so types, that no other had.
  const GraphHandle graph = new_graph();
  expect_no_growth([&](int i) {
    EXPECT_OK(dn_graph_renew(graph.get()));
    const auto rows = static_cast<uint32_t>(1 + i % 50);
    const auto cols = static_cast<uint32_t>(1 + i / 50 % 2000);
    value(graph, make(graph, dn_op_sum_elems, make(graph, dn_op_tanh, constant(graph, {rows, cols}, 0.5))));
  });
}

TEST_F(Growth, CheckpointsAndReverts) {
  const GraphHandle graph = new_graph();
  const dn_expr x = constant(graph, {10}, 0.5);
  expect_no_growth([&](int) {
    EXPECT_OK(dn_graph_checkpoint(graph.get()));
    value(graph, make(graph, dn_op_tanh, x));
    EXPECT_OK(dn_graph_revert(graph.get()));
  });
}

TEST_F(Growth, ForwardAndBackwardAgain) {
  const GraphHandle graph = new_graph();
  train(graph, w_, table_, trainer_, 0);
  const dn_expr loss = make(graph, dn_op_sum_elems, make(graph, dn_op_parameter, w_));
  expect_no_growth([&](int) {
    EXPECT_OK(dn_graph_forward(graph.get(), loss));
    EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
    gradient(graph, make(graph, dn_op_parameter, w_));
  });
}

TEST_F(Growth, RefusedRecordings) {
  const GraphHandle graph = new_graph();
  const dn_expr x = constant(graph, {10}, 0.5);
  const dn_expr y = constant(graph, {11}, 0.5);
  expect_no_growth([&](int i) {
    dn_expr out{};
    // Refused by the operation, and by the node.
    if (i % 2 == 0)
      EXPECT_EQ(dn_op_multiply(graph.get(), x, y, &out), DN_E_SHAPE);
    else
      EXPECT_EQ(dn_op_pick(graph.get(), x, 10, 0, &out), DN_E_INDEX);
  });
  EXPECT_EQ(nodes_count(graph), 2);
}

TEST(Accounting, ReturnsToWhereItBegan) {
  // Headers of graphs that rest hold no counted memory.
  const int64_t before = dn_memory_used();
  {
    const ModelHandle model = new_model();
    dn_parameter* w = add(model, {100, 50}, initializer(DN_INIT_GLOROT, 1));
    dn_lookup_parameter* table = add_table(model, 7, {3}, initializer(DN_INIT_UNIFORM, -1, 1));
    EXPECT_EQ(dn_memory_used(), before + 4 * (5000 + 21));
    dn_trainer* adam = nullptr;
    ASSERT_OK(dn_trainer_create_adam(model.get(), 0.01, 0.9, 0.999, 1e-8, &adam));
    const TrainerHandle trainer(adam);
    const GradientsHandle own = new_gradients(model);
    const GraphHandle graph = new_graph();
    const dn_expr h = make(graph, dn_op_multiply, make(graph, dn_op_parameter, w), constant(graph, {50, 20}, 1));
    dn_expr loss = make(graph, dn_op_sum_elems, make(graph, dn_op_tanh, h));
    loss = make(graph, dn_op_add, loss, make(graph, dn_op_sum_elems, make(graph, dn_op_lookup, table, 1)));
    EXPECT_OK(dn_graph_backward(graph.get(), loss, own.get(), 1));
    gradient(graph, make(graph, dn_op_parameter, w));
    dn_gradients* sets[] = {own.get()};
    EXPECT_OK(dn_trainer_update_from(adam, sets, 1));
    EXPECT_GT(dn_memory_used(), before + 4 * (5000 * 4));
  }
  EXPECT_EQ(dn_memory_used(), before);
}

// What attention works with, far more than its results, is given back batch by batch.
TEST(Memory, ABackwardPassUsesItsWorkingMemoryAgain) {
  const ModelHandle model = new_model();
  dn_parameter* const w = add(model, {4, 128}, initializer(DN_INIT_UNIFORM, -1, 1));
  const GraphHandle graph = new_graph();
  dn_expr x = make(graph, dn_op_parameter, w);
  constexpr int kSteps = 50;
  for (int i = 0; i < kSteps; ++i) x = make(graph, dn_op_scaled_dot_product_attention, x, x, x, 0, 0.0, 0.0);
  const dn_expr sum = make(graph, dn_op_sum_elems, x);
  value(graph, sum);
  const int64_t before = dn_memory_used();
  ASSERT_OK(dn_graph_backward(graph.get(), sum, nullptr, 0));
  constexpr int64_t kScores = 128 * 128 * sizeof(float);
  EXPECT_LT(dn_memory_used() - before, kSteps * kScores / 2);
}

// --------------------------------------------------------------------------------------------------------- the limit

TEST(MemoryLimit, AFailedInputNamesTheNumbersAndTheGraphGoesOn) {
  const LimitRestorer restore;
  const GraphHandle graph = new_graph();
  const dn_expr x = make(graph, dn_op_tanh, constant(graph, {3}, 0.5));
  const std::vector<float> before = value(graph, x);
  const std::vector<float> numbers = some_values(1000000);
  const dn_dim shape = dim({1000000});
  const int64_t used = dn_memory_used();
  ASSERT_OK(dn_memory_set_limit(used + 100000));
  dn_expr big{9, 9};
  expect_failure(
      dn_op_input(graph.get(), &shape, numbers.data(), 1000000, &big), DN_E_MEMORY,
      {"a graph's inputs", "4000000 bytes asked for", "in use", "limit is " + std::to_string(used + 100000)});
  EXPECT_EQ(big.node, 9u);
  EXPECT_EQ(nodes_count(graph), 2);
  EXPECT_EQ(value(graph, x), before);
  ASSERT_OK(dn_memory_set_limit(0));
  ASSERT_OK(dn_op_input(graph.get(), &shape, numbers.data(), 1000000, &big));
  EXPECT_EQ(value(graph, big), numbers);
}

TEST(MemoryLimit, AFailedForwardCanBeRepeated) {
  const LimitRestorer restore;
  const GraphHandle graph = new_graph();
  const dn_expr x = make(graph, dn_op_tanh, constant(graph, {3}, 0.5));
  const dn_expr y = make(graph, dn_op_tanh, constant(graph, {1000000}, 0.5));
  ASSERT_OK(dn_memory_set_limit(dn_memory_used() + 100000));
  expect_failure(dn_graph_forward(graph.get(), y), DN_E_MEMORY, {"a graph's values", "4000000 bytes", "limit"});
  EXPECT_EQ(value(graph, x).size(), 3u);
  EXPECT_EQ(dn_graph_forward(graph.get(), y), DN_E_MEMORY);
  ASSERT_OK(dn_memory_set_limit(0));
  EXPECT_OK(dn_graph_forward(graph.get(), y));
  EXPECT_EQ(value(graph, y)[999999], value(graph, x)[0]);
}

TEST(MemoryLimit, AFailedBackwardCanBeRepeated) {
  const LimitRestorer restore;
  const ModelHandle model = new_model();
  const std::vector<float> numbers = some_values(300000);
  dn_parameter* w = add(model, numbers);
  const GraphHandle graph = new_graph();
  const dn_expr x = make(graph, dn_op_parameter, w);
  const dn_expr loss = make(graph, dn_op_sum_elems, make(graph, dn_op_square, make(graph, dn_op_add_scalar, x, 0.0)));
  scalar(graph, loss);
  ASSERT_OK(dn_memory_set_limit(dn_memory_used() + 100000));
  EXPECT_EQ(dn_graph_backward(graph.get(), loss, nullptr, 0), DN_E_MEMORY);
  ASSERT_OK(dn_memory_set_limit(0));
  EXPECT_OK(dn_model_reset_gradients(model.get()));
  EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
  const std::vector<float> gradients = gradient(w);
  for (size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(gradients[i], 2 * numbers[i]);
}

// What gives back memory must not need any.
TEST(MemoryLimit, RenewalRevertAndFreeNeedNoMemory) {
  const LimitRestorer restore;
  const int64_t before = dn_memory_used();
  GraphHandle graph = new_graph();
  EXPECT_OK(dn_graph_checkpoint(graph.get()));
  value(graph, make(graph, dn_op_tanh, constant(graph, {100}, 1)));
  ASSERT_OK(dn_memory_set_limit(1));
  EXPECT_OK(dn_graph_revert(graph.get()));
  EXPECT_OK(dn_graph_renew(graph.get()));
  EXPECT_LT(before, dn_memory_used());
  graph.reset();
  EXPECT_EQ(dn_memory_used(), before);
}

TEST(MemoryLimit, AFailedParameterIsNotAdded) {
  const LimitRestorer restore;
  const ModelHandle model = new_model();
  const dn_initializer init = initializer(DN_INIT_CONSTANT, 1);
  const dn_dim shape = dim({1000, 1000});
  ASSERT_OK(dn_memory_set_limit(dn_memory_used() + 1000000));
  dn_parameter* w = nullptr;
  expect_failure(dn_model_add_parameters(model.get(), &shape, &init, "w", 1, &w), DN_E_MEMORY,
                 {"/w", "4000000 bytes asked for"});
  dn_lookup_parameter* table = nullptr;
  EXPECT_EQ(dn_model_add_lookup_parameters(model.get(), 1000, &shape, &init, "t", 1, &table), DN_E_MEMORY);
  EXPECT_EQ(w, nullptr);
  EXPECT_EQ(table, nullptr);
  EXPECT_EQ(parameters_count(model), 0);
  ASSERT_OK(dn_memory_set_limit(0));
  // The name is still free.
  ASSERT_OK(dn_model_add_parameters(model.get(), &shape, &init, "w", 1, &w));
  EXPECT_EQ(name(w), "/w");
}

// What is set waits in memory that is counted, and given back when it is taken.
TEST(MemoryLimit, WhatIsSetForTheNextForwardIsCounted) {
  const LimitRestorer restore;
  constexpr int32_t kMany = 100000;
  const ModelHandle model = new_model();
  dn_lookup_parameter* const table = add_table(model, 3, {1}, initializer(DN_INIT_UNIFORM, -1, 1));
  const GraphHandle graph = new_graph();
  const dn_expr x = input(graph, {kMany}, std::vector<float>(kMany, 1));
  const std::vector<int32_t> rows(kMany, 1);
  const dn_expr y = make(graph, dn_op_lookup_batch, table, rows.data(), int64_t{kMany});
  const dn_expr sum = make(graph, dn_op_add, make(graph, dn_op_sum_elems, x), make(graph, dn_op_sum_batches, y));
  const float before = scalar(graph, sum);
  const std::vector<float> twos(kMany, 2);
  const std::vector<int32_t> others(kMany, 2);
  std::vector<int32_t> drawn(kMany);
  const int64_t used = dn_memory_used();
  ASSERT_OK(dn_memory_set_limit(used + 1000));
  expect_failure(dn_graph_set_input(graph.get(), x, twos.data(), kMany), DN_E_MEMORY, {"a graph's inputs", "400000"});
  expect_failure(dn_graph_set_indices(graph.get(), y, others.data(), kMany), DN_E_MEMORY, {"400000 bytes"});
  expect_failure(dn_graph_sample(graph.get(), x, 0, kMany, drawn.data(), kMany), DN_E_MEMORY, {"800000 bytes"});
  expect_failure(dn_graph_top_k(graph.get(), x, 0, kMany, drawn.data(), kMany), DN_E_MEMORY, {"400000 bytes"});
  EXPECT_EQ(dn_memory_used(), used);
  ASSERT_OK(dn_graph_forward(graph.get(), sum));
  EXPECT_EQ(scalar(graph, sum), before) << "what was refused is not set";
  ASSERT_OK(dn_memory_set_limit(0));
  // Twice, of which the second holds.
  for (const float factor : {3.0f, 1.0f}) {
    std::vector<float> numbers = twos;
    for (float& number : numbers) number *= factor;
    ASSERT_OK(dn_graph_set_input(graph.get(), x, numbers.data(), kMany));
    ASSERT_OK(dn_graph_set_indices(graph.get(), y, others.data(), kMany));
    EXPECT_EQ(dn_memory_used(), used + 8 * kMany);
  }
  ASSERT_OK(dn_graph_forward(graph.get(), sum));
  EXPECT_EQ(dn_memory_used(), used);
  EXPECT_EQ(value(graph, x), twos);
  EXPECT_EQ(value(graph, y), std::vector<float>(kMany, values(table)[2]));
}

// More bytes than 64 bits can count, from nodes that themselves are small.
TEST(MemoryLimit, ABatchOfMoreBytesThanCanBeCountedIsRefused) {
  const GraphHandle graph = new_graph();
  const dn_dim shape = dim({1u << 20, 1u << 20});
  dn_expr last{};
  for (int i = 0; i < 1 << 21; ++i) ASSERT_EQ(dn_op_random_uniform(graph.get(), &shape, 0, 1, &last), DN_OK);
  expect_failure(dn_graph_forward(graph.get(), last), DN_E_MEMORY, {"a graph's values", "no machine"});
  EXPECT_OK(dn_graph_renew(graph.get()));
  EXPECT_EQ(scalar(graph, constant(graph, {1}, 3)), 3);
}

// However low the limit is, a call succeeds or says why not, and nothing is lost.
TEST(MemoryLimit, AnywhereInAStepOfTraining) {
  const LimitRestorer restore;
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {64, 64}, initializer(DN_INIT_GLOROT, 1));
  int failures = 0;
  for (int64_t room = 0; room < 600000; room += 9000) {
    const GraphHandle graph = new_graph();
    ASSERT_OK(dn_memory_set_limit(dn_memory_used() + room + 1));
    const dn_dim shape = dim({64}, 16);
    dn_expr x{}, y{}, sum{}, loss{};
    dn_expr p{};
    dn_status status = dn_op_constant(graph.get(), &shape, 0.5, &x);
    if (status == DN_OK) status = dn_op_parameter(graph.get(), w, &p);
    if (status == DN_OK) status = dn_op_multiply(graph.get(), p, x, &y);
    if (status == DN_OK) status = dn_op_sum_batches(graph.get(), y, &sum);
    if (status == DN_OK) status = dn_op_sum_elems(graph.get(), sum, &loss);
    if (status == DN_OK) status = dn_graph_backward(graph.get(), loss, nullptr, 1);
    EXPECT_TRUE(status == DN_OK || status == DN_E_MEMORY) << last_error();
    if (status != DN_OK) ++failures;
    ASSERT_OK(dn_memory_set_limit(0));
    EXPECT_OK(dn_graph_renew(graph.get()));
    EXPECT_EQ(scalar(graph, constant(graph, {1}, 3)), 3);
  }
  EXPECT_GT(failures, 5);
}

TEST(MemoryLimit, ATerabyteIsRefusedWhereverItIsAskedFor) {
  const int64_t before = dn_memory_used();
  {
    const GraphHandle graph = new_graph();
    const ModelHandle model = new_model();
    const dn_initializer init = initializer(DN_INIT_CONSTANT, 1);
    const dn_dim shape = dim({1u << 19, 1u << 19});  // 2^38 floats
    dn_parameter* w = nullptr;
    expect_failure(dn_model_add_parameters(model.get(), &shape, &init, "w", 1, &w), DN_E_MEMORY,
                   {std::to_string(kTerabyte) + " bytes asked for"});
    dn_lookup_parameter* table = nullptr;
    const dn_dim row = dim({1u << 19});
    EXPECT_EQ(dn_model_add_lookup_parameters(model.get(), 1 << 19, &row, &init, "t", 1, &table), DN_E_MEMORY);
    const float number = 0;
    dn_expr x{};
    EXPECT_EQ(dn_op_input_bound(graph.get(), &shape, &number, &x), DN_E_MEMORY);
    const dn_expr big = constant(graph, {1u << 19, 1u << 19}, 1);
    expect_failure(dn_graph_forward(graph.get(), big), DN_E_MEMORY, {std::to_string(kTerabyte) + " bytes asked for"});
    // A product of two that are small.
    const dn_expr column = constant(graph, {1u << 19, 1}, 1);
    const dn_expr product = make(graph, dn_op_multiply, column, make(graph, dn_op_transpose, column));
    EXPECT_EQ(dn_graph_forward(graph.get(), product), DN_E_MEMORY);
    // More than any machine has.
    const dn_dim absurd = dim({1u << 31, 1u << 31, 1u << 31});
    EXPECT_EQ(dn_op_constant(graph.get(), &absurd, 1, &x), DN_E_MEMORY);
    EXPECT_OK(dn_graph_renew(graph.get()));
    EXPECT_EQ(scalar(graph, make(graph, dn_op_sum_elems, constant(graph, {1u << 19}, 1))), 1 << 19);
  }
  EXPECT_EQ(dn_memory_used(), before);
}

}  // namespace
}  // namespace dynnet::test

// What was added to a model since a mark, taken back.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"
#include "graph_support.h"
#include "memory/memory.h"
#include "trainer_support.h"

namespace dynnet::test {
namespace {

TEST(Rollback, TakesBackWhatWasAddedSince) {
  const ModelHandle model = new_model();
  const ModelHandle twin = new_model();
  const auto begin = [](const ModelHandle& of) {
    add(of, {2}, kGlorot, "W");
    add_table(of, 2, {2}, kGlorot);
    return add_subcollection(of, "part");
  };
  const ModelHandle part = begin(model);
  const ModelHandle twin_part = begin(twin);
  const int64_t used = memory_used();
  dn_mark* mark = nullptr;
  ASSERT_OK(dn_mark_create(part.get(), &mark));
  const std::unique_ptr<dn_mark, Freer<dn_mark_free>> owned(mark);
  for (int round = 0; round < 2; ++round) {
    add(model, {100}, kGlorot, "W");
    add_table(part, 3, {50}, kGlorot);
    const ModelHandle deeper = add_subcollection(part, "part");
    add(deeper, {100}, kGlorot);
    ASSERT_OK(dn_model_rollback(model.get(), mark));
    EXPECT_EQ(memory_used(), used);
    EXPECT_EQ(text_of(model), text_of(twin));
    EXPECT_EQ(subcollections(model), (std::vector<std::string>{"/part/"}));
  }
  // What follows has the names and values that it would have had.
  for (const ModelHandle* each : {&model, &twin}) {
    add(*each, {3}, kGlorot, "W");
    add_table(*each, 3, {2}, kGlorot);
  }
  EXPECT_EQ(path(add_subcollection(part, "part")), path(add_subcollection(twin_part, "part")));
  EXPECT_EQ(text_of(model), text_of(twin));
}

TEST(Rollback, NeedsAMarkOfTheModel) {
  const ModelHandle model = new_model();
  const ModelHandle other = new_model();
  const auto mark_of = [](const ModelHandle& of) {
    dn_mark* mark = nullptr;
    EXPECT_OK(dn_mark_create(of.get(), &mark));
    return std::unique_ptr<dn_mark, Freer<dn_mark_free>>(mark);
  };
  const auto first = mark_of(model);
  add(model, {2}, kZero);
  const auto second = mark_of(model);
  expect_failure(dn_model_rollback(other.get(), first.get()), DN_E_ARGUMENT, {"another model"});
  EXPECT_EQ(parameters_count(model), 1);
  ASSERT_OK(dn_model_rollback(model.get(), first.get()));
  EXPECT_EQ(parameters_count(model), 0);
  expect_failure(dn_model_rollback(model.get(), second.get()), DN_E_STATE, {"taken back"});
  // As many as it noted, but not the same.
  add(model, {2}, kZero);
  expect_failure(dn_model_rollback(model.get(), second.get()), DN_E_STATE, {"taken back"});
  EXPECT_EQ(parameters_count(model), 1);
  expect_failure(dn_model_rollback(nullptr, first.get()), DN_E_ARGUMENT, {"null"});
  expect_failure(dn_model_rollback(model.get(), nullptr), DN_E_ARGUMENT, {"null"});
  expect_failure(dn_mark_create(model.get(), nullptr), DN_E_ARGUMENT, {"null"});
  dn_mark_free(nullptr);
}

TEST(Rollback, WhatWasTakenBackSaysSoAndNothingElseIsTakenForIt) {
  const ModelHandle model = new_model();
  dn_trainer* momentum = nullptr;
  ASSERT_OK(dn_trainer_create_momentum_sgd(model.get(), 0.1, 0.9, &momentum));
  const TrainerHandle trainer(momentum);
  dn_mark* made = nullptr;
  ASSERT_OK(dn_mark_create(model.get(), &made));
  const std::unique_ptr<dn_mark, Freer<dn_mark_free>> mark(made);
  const GraphHandle graph = new_graph();
  const ModelHandle part = add_subcollection(model, "part");
  dn_parameter* const w = add(model, {0.5f, 0.25f}, "W");
  dn_lookup_parameter* const e = add_table(model, 2, {2}, kZero, "E");
  const dn_expr x = make(graph, dn_op_parameter, w);
  const dn_expr loss = make(graph, dn_op_dot_product, x, x);
  ASSERT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
  ASSERT_OK(dn_trainer_update(trainer.get()));
  const std::vector<float> trained = values(w);
  ASSERT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
  ASSERT_OK(dn_model_rollback(model.get(), mark.get()));

  const float* data = nullptr;
  int64_t count = 0;
  expect_failure(dn_parameter_values(w, &data, &count), DN_E_STATE, {"/W", "taken back"});
  expect_failure(dn_parameter_gradient(w, &data, &count), DN_E_STATE, {"/W", "taken back"});
  expect_failure(dn_parameter_zero(w), DN_E_STATE, {"/W", "taken back"});
  expect_failure(dn_lookup_parameter_zero(e), DN_E_STATE, {"/E", "taken back"});
  expect_failure(dn_trainer_update_subset(trainer.get(), &w, 1, nullptr, 0), DN_E_ARGUMENT, {"/W"});
  const GraphHandle later = new_graph();
  dn_expr node{};
  expect_failure(dn_op_parameter(later.get(), w, &node), DN_E_STATE, {"/W", "taken back"});
  expect_failure(dn_op_lookup(later.get(), e, 1, &node), DN_E_STATE, {"/E", "taken back"});
  // A graph keeps what it has read.
  EXPECT_EQ(value(graph, x), trained);
  dn_parameter* below = nullptr;
  const dn_dim shape{{3}, 1, 1};
  expect_failure(dn_model_add_parameters(part.get(), &shape, &kZero, "V", 1, &below), DN_E_STATE,
                 {"/part/", "taken back"});

  // What comes next has its own gradients and moments, of its own size.
  dn_parameter* const next = add(model, random_floats(20, 1), "W");
  EXPECT_EQ(gradient(next), std::vector<float>(20, 0.0f));
  const std::vector<float> before = values(next);
  const dn_expr y = make(later, dn_op_parameter, next);
  ASSERT_OK(dn_graph_backward(later.get(), make(later, dn_op_sum_elems, y), nullptr, 0));
  ASSERT_OK(dn_trainer_update(trainer.get()));
  for (size_t i = 0; i < before.size(); ++i) EXPECT_FLOAT_EQ(values(next)[i], before[i] - 0.1f);
}

}  // namespace
}  // namespace dynnet::test

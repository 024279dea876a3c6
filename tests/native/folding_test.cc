// An affine transformation and its activation run as one: the same numbers as apart, and both can be asked for.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "graph_support.h"

namespace dynnet::test {
namespace {

using Activation = dn_status (*)(dn_graph*, dn_expr, dn_expr*);

class Folding : public testing::TestWithParam<Activation> {
 protected:
  static constexpr uint32_t kIn = 20, kOut = 33;

  dn_expr weight(dn_parameter* parameter) { return make(graph_, dn_op_parameter, parameter); }
  dn_expr affine(dn_expr x) { return make_of(graph_.get(), dn_op_affine_transform, {weight(b_), weight(w_), x}); }
  dn_expr some_input(int seed) { return input(graph_, {kIn}, some_values(kIn, seed)); }

  struct Pair {
    dn_expr before, after;
  };
  // @param apart whether something is recorded in between, so that both are nodes of their own
  Pair layer(dn_expr x, bool apart, Activation activation) {
    const dn_expr before = affine(x);
    if (apart) constant(graph_, {1}, 0);
    return {before, make(graph_, activation, before)};
  }
  dn_expr loss_of(const std::vector<dn_expr>& xs) {
    std::vector<dn_expr> losses;
    for (const dn_expr x : xs) losses.push_back(make(graph_, dn_op_sum_elems, make(graph_, dn_op_square, x)));
    return make(graph_, dn_op_sum, losses.data(), static_cast<int32_t>(losses.size()));
  }
  // The gradients of both parameters.
  std::vector<float> weight_gradients() {
    std::vector<float> all = gradient(w_);
    const std::vector<float> bias = gradient(b_);
    all.insert(all.end(), bias.begin(), bias.end());
    return all;
  }
  void reset() {
    EXPECT_OK(dn_graph_renew(graph_.get()));
    EXPECT_OK(dn_model_reset_gradients(model_.get()));
  }

  ModelHandle model_ = new_model();
  dn_parameter* w_ = add(model_, {kOut, kIn}, values_of(some_values(kOut* kIn, 3)), "W");
  dn_parameter* b_ = add(model_, {kOut}, values_of(some_values(kOut, 4)), "b");
  GraphHandle graph_ = new_graph();
};

struct Seen {
  std::vector<std::vector<float>> values;
  std::vector<std::vector<float>> gradients;
};

TEST_P(Folding, GivesTheSameNumbersAsApart) {
  constexpr int kNodes = 7;
  Seen seen[2];
  for (const bool apart : {true, false}) {
    reset();
    std::vector<dn_expr> befores, afters;
    for (int i = 0; i < kNodes; ++i) {
      const Pair pair = layer(some_input(i), apart, GetParam());
      befores.push_back(pair.before);
      afters.push_back(pair.after);
    }
    const dn_expr loss = loss_of(afters);
    Seen& own = seen[apart];
    for (const dn_expr x : afters) own.values.push_back(value(graph_, x));
    EXPECT_EQ(report(graph_).find("affine_transform, ") != std::string::npos, !apart) << report(graph_);
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
    own.gradients.push_back(weight_gradients());
    // Of those that were folded only now that they are asked for.
    for (const dn_expr x : befores) own.values.push_back(value(graph_, x));
    for (const dn_expr x : befores) own.gradients.push_back(gradient(graph_, x));
  }
  EXPECT_EQ(seen[0].values, seen[1].values);
  for (size_t i = 0; i < seen[0].gradients.size(); ++i) expect_near(seen[0].gradients[i], seen[1].gradients[i]);
}

TEST_P(Folding, WhatIsFoldedMayBeUsedElsewhere) {
  Seen seen[2];
  for (const bool apart : {true, false}) {
    reset();
    std::vector<dn_expr> ends, befores;
    for (int i = 0; i < 3; ++i) {
      const Pair pair = layer(some_input(i), apart, GetParam());
      befores.push_back(pair.before);
      // A residual connection around the activation, twice.
      const dn_expr once = make(graph_, dn_op_add, pair.after, pair.before);
      ends.push_back(make(graph_, dn_op_cmult, once, pair.before));
    }
    const dn_expr loss = loss_of(ends);
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
    Seen& own = seen[apart];
    for (const dn_expr x : ends) own.values.push_back(value(graph_, x));
    for (const dn_expr x : befores) own.values.push_back(value(graph_, x));
    own.gradients.push_back(weight_gradients());
    for (const dn_expr x : befores) own.gradients.push_back(gradient(graph_, x));
  }
  EXPECT_EQ(seen[0].values, seen[1].values);
  for (size_t i = 0; i < seen[0].gradients.size(); ++i) expect_near(seen[0].gradients[i], seen[1].gradients[i]);
}

TEST_P(Folding, WhatIsUsedElsewhereIsComputedOnce) {
  dn_expr last{};
  for (int i = 0; i < 5; ++i) {
    const Pair pair = layer(some_input(i), false, GetParam());
    last = make(graph_, dn_op_cmult, pair.before, pair.after);
  }
  // Both parameters, and of each an input, the sum, the activation, and their product.
  EXPECT_EQ(nodes_count(graph_), 2 + 5 * 4);
  value(graph_, last);
  EXPECT_EQ(stats(graph_).nodes, 5 * 3);
  EXPECT_EQ(stats(graph_).batches, 3);
}

TEST_P(Folding, ARecurrenceIsTheSameForAnyStage) {
  // The input's part of each step is computed early; some sequences are longer.
  Seen seen[2];
  for (const bool apart : {true, false}) {
    reset();
    dn_parameter* const u = add(model_, {kOut, kOut}, values_of(some_values(kOut * kOut, 8)), apart ? "U1" : "U2");
    std::vector<dn_expr> states;
    for (int sequence = 0; sequence < 4; ++sequence) {
      dn_expr h = constant(graph_, {kOut}, 0);
      for (int step = 0; step < 3 + sequence; ++step) {
        const dn_expr x = some_input(10 * sequence + step);
        const dn_expr before = make_of(graph_.get(), dn_op_affine_transform, {weight(b_), weight(w_), x, weight(u), h});
        if (apart) constant(graph_, {1}, 0);
        states.push_back(h = make(graph_, GetParam(), before));
      }
    }
    const dn_expr loss = loss_of(states);
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
    Seen& own = seen[apart];
    for (const dn_expr x : states) own.values.push_back(value(graph_, x));
    own.gradients = {weight_gradients(), gradient(u)};
    EXPECT_NE(report(graph_).find("what their first operands contribute"), std::string::npos);
  }
  EXPECT_EQ(seen[0].values, seen[1].values);
  for (size_t i = 0; i < seen[0].gradients.size(); ++i) expect_near(seen[0].gradients[i], seen[1].gradients[i]);
}

INSTANTIATE_TEST_SUITE_P(Activations, Folding, testing::Values(dn_op_tanh, dn_op_logistic, dn_op_rectify));

class FoldingStates : public Folding {};
INSTANTIATE_TEST_SUITE_P(Tanh, FoldingStates, testing::Values(dn_op_tanh));

TEST_P(FoldingStates, ValuesAreThoseOfTheForward) {
  const Pair pair = layer(some_input(1), false, GetParam());
  const std::vector<float> first = value(graph_, pair.before);
  const std::vector<float> after = value(graph_, pair.after);
  for (uint32_t i = 0; i < kOut; ++i) EXPECT_NEAR(std::tanh(first[i]), after[i], 1e-6);
  EXPECT_OK(dn_graph_forward(graph_.get(), pair.after));
  EXPECT_EQ(value(graph_, pair.before), first);

  const std::vector<float> others(kOut, 0.5f);
  EXPECT_OK(dn_parameter_set_values(b_, others.data(), kOut));
  EXPECT_EQ(value(graph_, pair.before), first) << "it had a value";
  EXPECT_OK(dn_graph_forward(graph_.get(), pair.before));
  EXPECT_NE(value(graph_, pair.before), first);
}

TEST_P(FoldingStates, ItsValueIsGoneOnceParametersChange) {
  const Pair pair = layer(some_input(1), false, GetParam());
  value(graph_, pair.after);
  const std::vector<float> others(kOut, 0.5f);
  EXPECT_OK(dn_parameter_set_values(b_, others.data(), kOut));
  const float* values = nullptr;
  int64_t count = 0;
  EXPECT_EQ(dn_graph_value(graph_.get(), pair.before, &values, &count), DN_E_STATE);
  EXPECT_NE(last_error().find("affine_transform"), std::string::npos) << last_error();
  EXPECT_OK(dn_graph_forward(graph_.get(), pair.after));
  EXPECT_EQ(value(graph_, pair.before).size(), kOut);
}

TEST_P(FoldingStates, BackwardMayBeginBeforeTheActivation) {
  dn_parameter* const v = add(model_, {1, kIn}, values_of(some_values(kIn, 6)), "v");
  const dn_expr x = some_input(2);
  const dn_expr score = make_of(graph_.get(), dn_op_affine_transform, {constant(graph_, {1}, 0.5), weight(v), x});
  const dn_expr squashed = make(graph_, GetParam(), score);
  EXPECT_OK(dn_graph_backward(graph_.get(), score, nullptr, 0));
  EXPECT_EQ(gradient(v), some_values(kIn, 2));
  EXPECT_EQ(gradient(graph_, score), std::vector<float>{1});
  EXPECT_EQ(gradient(graph_, squashed), std::vector<float>{0});
}

// What was computed as one with its activation has a copy, and another activation of that leaves it as it is.
TEST_P(FoldingStates, BackwardMayBeginAtWhatIsUsedAgain) {
  dn_parameter* const v = add(model_, {1, kIn}, values_of(some_values(kIn, 6)), "v");
  const std::vector<float> x = some_values(kIn, 2);
  const dn_expr score =
      make_of(graph_.get(), dn_op_affine_transform, {constant(graph_, {1}, 0.5), weight(v), input(graph_, {kIn}, x)});
  value(graph_, make(graph_, GetParam(), score));
  value(graph_, make(graph_, dn_op_logistic, score));
  EXPECT_OK(dn_graph_backward(graph_.get(), score, nullptr, 0));
  EXPECT_EQ(gradient(v), x);
  EXPECT_EQ(gradient(graph_, score), std::vector<float>{1});
}

TEST_P(FoldingStates, AnyNumberOfUsesHasOneCopy) {
  const Pair pair = layer(some_input(1), false, GetParam());
  const std::vector<float> after = value(graph_, pair.after);
  const int64_t nodes = nodes_count(graph_);
  constexpr int kUses = 20;
  for (int i = 0; i < kUses; ++i) EXPECT_EQ(value(graph_, make(graph_, GetParam(), pair.before)), after);
  EXPECT_EQ(nodes_count(graph_), nodes + 1 + kUses);
}

TEST_P(FoldingStates, BackwardAndItsCheckComputeAnewAfterAnUpdate) {
  for (const bool checks : {false, true}) {
    reset();
    dn_parameter* const v = add(model_, {1, kIn}, values_of(some_values(kIn, 6)), checks ? "v1" : "v2");
    const std::vector<float> x = some_values(kIn, 2);
    const dn_expr score =
        make_of(graph_.get(), dn_op_affine_transform, {constant(graph_, {1}, 0.5), weight(v), input(graph_, {kIn}, x)});
    const dn_expr after = make(graph_, GetParam(), score);
    value(graph_, after);
    const std::vector<float> others = some_values(kIn, 7);
    EXPECT_OK(dn_parameter_set_values(v, others.data(), kIn));
    if (checks) {
      dn_gradient_check result{};
      EXPECT_OK(dn_graph_check_gradients(graph_.get(), score, model_.get(), 0.001, 0.01, 0, &result, nullptr, nullptr));
      EXPECT_EQ(result.failed, 0);
    } else {
      EXPECT_OK(dn_graph_backward(graph_.get(), score, nullptr, 0));
      EXPECT_EQ(gradient(v), x);
    }
    const float now = scalar(graph_, score);
    double expected = 0.5;
    for (uint32_t i = 0; i < kIn; ++i) expected += static_cast<double>(others[i]) * static_cast<double>(x[i]);
    EXPECT_NEAR(now, expected, 1e-5);
    EXPECT_NEAR(scalar(graph_, after), std::tanh(now), 1e-6);
  }
}

TEST_P(FoldingStates, RevertTakesBackValuesAndCopies) {
  const Pair kept = layer(some_input(1), false, GetParam());
  const std::vector<float> before = value(graph_, kept.after);
  EXPECT_OK(dn_graph_checkpoint(graph_.get()));
  const std::vector<float> folded = value(graph_, kept.before);
  const dn_expr sum = make(graph_, dn_op_add, kept.before, kept.after);
  const std::vector<float> added = value(graph_, sum);
  EXPECT_OK(dn_graph_revert(graph_.get()));
  // What is recorded now takes the place of what was there.
  std::vector<dn_expr> others;
  for (int i = 0; i < 20; ++i) others.push_back(layer(some_input(30 + i), false, GetParam()).after);
  for (const dn_expr x : others) value(graph_, x);
  EXPECT_EQ(value(graph_, kept.after), before);
  EXPECT_EQ(value(graph_, kept.before), folded);
  EXPECT_EQ(value(graph_, make(graph_, dn_op_add, kept.before, kept.after)), added);
}

TEST_P(FoldingStates, ACheckpointInBetweenKeepsThemApart) {
  const dn_expr before = affine(some_input(1));
  EXPECT_OK(dn_graph_checkpoint(graph_.get()));
  const std::vector<float> after = value(graph_, make(graph_, GetParam(), before));
  EXPECT_OK(dn_graph_revert(graph_.get()));
  EXPECT_EQ(value(graph_, make(graph_, GetParam(), before)), after);
}

TEST_P(FoldingStates, TheCheckOfValuesLooksBehindTheActivation) {
  std::vector<float> values = some_values(kIn, 1);
  values[3] = std::numeric_limits<float>::infinity();
  for (const bool before : {true, false}) {
    reset();
    EXPECT_OK(dn_graph_set_check_values(graph_.get(), before));
    const Pair pair = layer(input(graph_, {kIn}, values), false, GetParam());
    EXPECT_OK(dn_graph_set_check_values(graph_.get(), 1));
    for (const dn_expr x : {pair.after, pair.before}) {
      EXPECT_EQ(dn_graph_forward(graph_.get(), x), DN_E_VALUE);
      EXPECT_NE(last_error().find("affine_transform: element"), std::string::npos) << last_error();
    }
  }
}

TEST_P(FoldingStates, AValueThatFailsTheCheckIsNotKept) {
  std::vector<float> values = some_values(kIn, 1);
  values[3] = std::numeric_limits<float>::infinity();
  const Pair pair = layer(input(graph_, {kIn}, values), false, GetParam());
  value(graph_, pair.after);
  EXPECT_OK(dn_graph_set_check_values(graph_.get(), 1));
  for (int i = 0; i < 3; ++i) {
    const float* data = nullptr;
    int64_t count = 0;
    EXPECT_EQ(dn_graph_value(graph_.get(), pair.before, &data, &count), DN_E_VALUE);
    EXPECT_NE(last_error().find("affine_transform: element"), std::string::npos) << last_error();
  }
  EXPECT_OK(dn_graph_set_check_values(graph_.get(), 0));
  EXPECT_EQ(value(graph_, pair.before).size(), kOut);
}

TEST_P(FoldingStates, AForwardOfWhatWasFoldedComputesIt) {
  const Pair pair = layer(some_input(1), false, GetParam());
  EXPECT_OK(dn_graph_forward(graph_.get(), pair.before));
  const std::vector<float> others(kOut, 0.5f);
  EXPECT_OK(dn_parameter_set_values(b_, others.data(), kOut));
  const std::vector<float> before = value(graph_, pair.before);
  const std::vector<float> after = value(graph_, pair.after);
  for (uint32_t i = 0; i < kOut; ++i) EXPECT_NEAR(std::tanh(before[i]), after[i], 1e-6);
}

TEST_P(FoldingStates, UsesAfterParametersHaveChangedAreRefused) {
  const Pair pair = layer(some_input(1), false, GetParam());
  value(graph_, pair.after);
  const std::vector<float> others(kOut, 0.5f);
  EXPECT_OK(dn_parameter_set_values(b_, others.data(), kOut));
  const int64_t nodes = nodes_count(graph_);
  dn_expr sum{};
  EXPECT_EQ(dn_op_add(graph_.get(), pair.before, pair.after, &sum), DN_E_STATE);
  EXPECT_EQ(nodes_count(graph_), nodes);
  EXPECT_OK(dn_graph_forward(graph_.get(), pair.after));
  EXPECT_OK(dn_op_add(graph_.get(), pair.before, pair.after, &sum));
}

TEST_P(FoldingStates, WhatFailsLeavesNoNodeBehind) {
  const Pair pair = layer(some_input(1), false, GetParam());
  const dn_expr other = some_input(2);
  const int64_t nodes = nodes_count(graph_);
  dn_expr wrong{};
  EXPECT_EQ(dn_op_cdiv(graph_.get(), pair.before, other, &wrong), DN_E_SHAPE);
  EXPECT_EQ(dn_graph_backward(graph_.get(), pair.before, nullptr, 0), DN_E_SHAPE);
  EXPECT_EQ(nodes_count(graph_), nodes);
  EXPECT_OK(dn_graph_set_immediate(graph_.get(), 1));
  EXPECT_EQ(dn_op_cdiv(graph_.get(), pair.before, other, &wrong), DN_E_SHAPE);
  EXPECT_EQ(nodes_count(graph_), nodes);
  EXPECT_OK(dn_graph_backward(graph_.get(), loss_of({pair.before, pair.after}), nullptr, 0));
}

TEST_P(FoldingStates, RevertKeepsTheValuesOfBefore) {
  const Pair pair = layer(some_input(1), false, GetParam());
  const std::vector<float> before = value(graph_, pair.before);
  EXPECT_OK(dn_graph_checkpoint(graph_.get()));
  const std::vector<float> others(kOut, 0.5f);
  EXPECT_OK(dn_parameter_set_values(b_, others.data(), kOut));
  EXPECT_OK(dn_graph_revert(graph_.get()));
  EXPECT_EQ(value(graph_, pair.before), before);
}

TEST_P(FoldingStates, AFailedComputationLeavesNoValueThatIsOverwritten) {
  const Pair pair = layer(some_input(1), false, GetParam());
  const std::vector<float> after = value(graph_, pair.after);
  const dn_expr zero = make(graph_, dn_op_multiply_scalar, pair.after, 0.0);
  const dn_expr infinite = make(graph_, dn_op_log, zero);
  EXPECT_OK(dn_graph_set_check_values(graph_.get(), 1));
  EXPECT_EQ(dn_graph_incremental_forward(graph_.get(), infinite), DN_E_VALUE);
  EXPECT_OK(dn_graph_set_check_values(graph_.get(), 0));
  const std::vector<float> before = value(graph_, pair.before);
  for (int i = 0; i < 20; ++i) value(graph_, layer(some_input(40 + i), false, GetParam()).after);
  EXPECT_EQ(value(graph_, pair.before), before);
  for (uint32_t i = 0; i < kOut; ++i) EXPECT_NEAR(std::tanh(before[i]), after[i], 1e-6);
}

TEST_P(FoldingStates, AUseAfterItWasComputedGetsACopy) {
  const Pair pair = layer(some_input(1), false, GetParam());
  const std::vector<float> after = value(graph_, pair.after);
  const std::vector<float> sums = value(graph_, make(graph_, dn_op_add, pair.before, pair.after));
  EXPECT_EQ(nodes_count(graph_), 2 + 3 + 2);
  const std::vector<float> before = value(graph_, pair.before);
  for (uint32_t i = 0; i < kOut; ++i) EXPECT_EQ(sums[i], before[i] + after[i]);
}

TEST_P(FoldingStates, ImmediateValuesAreOfEachNode) {
  EXPECT_OK(dn_graph_set_immediate(graph_.get(), 1));
  const Pair pair = layer(some_input(1), false, GetParam());
  const std::vector<float> before = value(graph_, pair.before);
  const std::vector<float> after = value(graph_, pair.after);
  for (uint32_t i = 0; i < kOut; ++i) EXPECT_NEAR(std::tanh(before[i]), after[i], 1e-6);
}

}  // namespace
}  // namespace dynnet::test

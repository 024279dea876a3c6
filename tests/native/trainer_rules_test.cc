// Every kind of trainer against its published rule in double, over 100 updates, dense and sparse; and what holds for
// some kinds only.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "dynnet/dynnet.h"
#include "graph_support.h"
#include "special.h"
#include "trainer_support.h"

namespace dynnet::test {
namespace {

constexpr int kUpdates = 100;
constexpr double kTolerance = 1e-5;

class TrainerRule : public testing::TestWithParam<TrainerKind> {};

void expect_near(const std::vector<float>& values, const Row& expected, const std::string& where) {
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) {
    // No value comes near 0: the error is relative to each.
    ASSERT_NEAR(values[i], expected[i].w, kTolerance * std::abs(expected[i].w)) << where << ", element " << i;
  }
}

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

TEST_P(TrainerRule, OfAParameter) {
  // No vector length divides it.
  constexpr int64_t kLength = 203;
  const ModelHandle model = new_model();
  const std::vector<float> start = random_floats(kLength, 1, 1, 2);
  dn_parameter* w = add(model, start, "W");
  const TrainerHandle trainer = GetParam().make(model);
  Row expected = row_of(start);
  for (int t = 1; t <= kUpdates; ++t) {
    const std::vector<float> g = random_floats(kLength, static_cast<uint32_t>(100 + t));
    add_gradient(w, g);
    ASSERT_OK(dn_trainer_update(trainer.get()));
    GetParam().by_the_book(expected, doubles(g), t);
    expect_near(values(w), expected, "update " + std::to_string(t));
  }
}

constexpr int64_t kTableRows = 7;
constexpr int64_t kLength = 37;

// Which rows of the table have a gradient in an update; the last row never has.
bool has_gradient(int row, int t) { return row < kTableRows - 1 && (row + t) % 3 != 0; }

std::vector<float> row_gradient_at(int row, int t) {
  return random_floats(kLength, static_cast<uint32_t>(1000 * (row + 1) + t));
}

void expect_rule_of_tables(const TrainerKind& kind, bool sparse) {
  const ModelHandle model = new_model();
  const std::vector<float> start = random_floats(kTableRows * kLength, 1, 1, 2);
  dn_lookup_parameter* e = add_table(model, kTableRows, {kLength}, values_of(start), "E");
  const TrainerHandle trainer = kind.make(model);
  ASSERT_OK(dn_trainer_set_sparse_updates(trainer.get(), sparse ? 1 : 0));
  std::vector<Row> expected;
  for (int row = 0; row < kTableRows; ++row)
    expected.push_back(row_of({start.begin() + row * kLength, start.begin() + (row + 1) * kLength}));
  for (int t = 1; t <= kUpdates; ++t) {
    for (int row = 0; row < kTableRows; ++row) {
      Row& own = expected[static_cast<size_t>(row)];
      if (has_gradient(row, t)) {
        add_row_gradient(e, row, row_gradient_at(row, t));
        kind.by_the_book(own, doubles(row_gradient_at(row, t)), t);
      } else if (!sparse) {
        kind.by_the_book(own, std::vector<double>(kLength, 0.0), t);
      } else if (kind.name == "adam_w") {
        // Decay is of all rows; moments rest.
        for (Remembered& r : own) r.w -= 1e-3 * 0.5 * r.w;
      }
    }
    ASSERT_OK(dn_trainer_update(trainer.get()));
    const std::vector<float> now = values(e);
    for (int row = 0; row < kTableRows; ++row) {
      expect_near({now.begin() + row * kLength, now.begin() + (row + 1) * kLength}, expected[static_cast<size_t>(row)],
                  "update " + std::to_string(t) + ", row " + std::to_string(row));
    }
  }
}

TEST_P(TrainerRule, OfTheRowsOfATable) { expect_rule_of_tables(GetParam(), true); }

TEST_P(TrainerRule, OfAllRowsOfATable) { expect_rule_of_tables(GetParam(), false); }

// The values of a table after some updates, each row with its gradients.
std::vector<float> trained_table(const TrainerKind& kind, bool sparse) {
  const ModelHandle model = new_model();
  const std::vector<float> start = random_floats(kTableRows * kLength, 1, 1, 2);
  dn_lookup_parameter* e = add_table(model, kTableRows, {kLength}, values_of(start), "E");
  const TrainerHandle trainer = kind.make(model);
  EXPECT_OK(dn_trainer_set_sparse_updates(trainer.get(), sparse ? 1 : 0));
  for (int t = 1; t <= 10; ++t) {
    for (int row = 0; row < kTableRows; ++row)
      if (has_gradient(row, t)) add_row_gradient(e, row, row_gradient_at(row, t));
    EXPECT_OK(dn_trainer_update(trainer.get()));
  }
  return values(e);
}

TEST_P(TrainerRule, ExactUpdatesOfATableAreThoseOfParametersToTheBit) {
  const ModelHandle model = new_model();
  const std::vector<float> start = random_floats(kTableRows * kLength, 1, 1, 2);
  std::vector<dn_parameter*> rows;
  for (int row = 0; row < kTableRows; ++row)
    rows.push_back(add(model, std::vector<float>(start.begin() + row * kLength, start.begin() + (row + 1) * kLength)));
  const TrainerHandle trainer = GetParam().make(model);
  for (int t = 1; t <= 10; ++t) {
    for (int row = 0; row < kTableRows; ++row) {
      // As in a table, all have moments from the first update on.
      const bool has = has_gradient(row, t);
      add_gradient(rows[static_cast<size_t>(row)], has ? row_gradient_at(row, t) : std::vector<float>(kLength, 0.0f));
    }
    ASSERT_OK(dn_trainer_update(trainer.get()));
  }
  std::vector<float> expected;
  for (const dn_parameter* row : rows)
    for (const float value : values(row)) expected.push_back(value);
  EXPECT_EQ(trained_table(GetParam(), false), expected);
}

TEST_P(TrainerRule, SparseUpdatesAreExactWhereAGradientOf0MovesNothing) {
  EXPECT_EQ(trained_table(GetParam(), true) == trained_table(GetParam(), false), GetParam().rests);
}

TEST_P(TrainerRule, WeightDecayComesAfterTheStep) {
  constexpr double kKeep = 0.875;
  const ModelHandle model = new_model();
  const ModelHandle plain = new_model();
  const std::vector<float> start = random_floats(19, 1, 1, 2);
  dn_parameter* decayed = add(model, start, "W");
  dn_parameter* other = add(plain, start, "W");
  ASSERT_OK(dn_model_set_weight_decay(model.get(), 1 - kKeep));
  const TrainerHandle trainer = GetParam().make(model);
  const TrainerHandle reference = GetParam().make(plain);
  const std::vector<float> g = random_floats(19, 2);
  add_gradient(decayed, g);
  add_gradient(other, g);
  ASSERT_OK(dn_trainer_update(trainer.get()));
  ASSERT_OK(dn_trainer_update(reference.get()));
  // Of what is a distribution afterwards, a common factor makes no difference.
  const double keep = GetParam().name == "eg" ? 1 : kKeep;
  for (size_t i = 0; i < start.size(); ++i)
    EXPECT_NEAR(values(decayed)[i], keep * values(other)[i], 1e-6 * values(other)[i]);
}

TEST_P(TrainerRule, TheNumberOfThreadsChangesNoBit) {
  const ThreadsKept restore;
  const auto train = [&](int thread_count) {
    set_threads(thread_count);
    const ModelHandle model = new_model();
    // Two, since some rules take a parameter as a whole.
    dn_parameter* w = add(model, random_floats(40001, 1, 1, 2), "W");
    dn_parameter* u = add(model, random_floats(40001, 2, 1, 2), "U");
    const TrainerHandle trainer = GetParam().make(model);
    for (uint32_t t = 1; t <= 3; ++t) {
      add_gradient(w, random_floats(40001, t));
      add_gradient(u, random_floats(40001, 10 + t));
      EXPECT_OK(dn_trainer_update(trainer.get()));
    }
    return std::pair(values(w), values(u));
  };
  const auto one = train(1);
  EXPECT_TRUE(until_shared([&] { EXPECT_EQ(one, train(3)); }));
}

TEST_P(TrainerRule, RestartForgetsMomentsAndSteps) {
  const auto train = [&](bool restarted) {
    const ModelHandle model = new_model();
    dn_parameter* w = add(model, random_floats(11, 1, 1, 2), "W");
    dn_lookup_parameter* e = add_table(model, 2, {11}, initializer(DN_INIT_CONSTANT, 1), "E");
    const TrainerHandle trainer = GetParam().make(model);
    const auto update = [&](uint32_t t) {
      add_gradient(w, random_floats(11, t));
      add_row_gradient(e, 1, random_floats(11, 50 + t));
      EXPECT_OK(dn_trainer_update(trainer.get()));
    };
    if (restarted) {
      const std::vector<float> start = values(w), table_start = values(e);
      for (uint32_t t = 10; t < 15; ++t) update(t);
      EXPECT_OK(dn_trainer_restart(trainer.get()));
      int64_t steps = -1, updates = -1;
      EXPECT_OK(dn_trainer_steps_count(trainer.get(), &steps));
      EXPECT_OK(dn_trainer_updates_count(trainer.get(), &updates));
      EXPECT_EQ(steps, 0);
      EXPECT_EQ(updates, 5);
      EXPECT_OK(dn_parameter_set_values(w, start.data(), 11));
      EXPECT_OK(dn_lookup_parameter_set_values(e, table_start.data(), 22));
    }
    for (uint32_t t = 1; t <= 3; ++t) update(t);
    std::vector<float> all = values(w);
    for (const float value : values(e)) all.push_back(value);
    return all;
  };
  EXPECT_EQ(train(true), train(false));
}

INSTANTIATE_TEST_SUITE_P(All, TrainerRule, testing::ValuesIn(trainer_kinds()),
                         [](const auto& kind) { return kind.param.name; });

TEST(TrainerKinds, ACyclicalRateGoesUpAndDown) {
  const ModelHandle model = new_model();
  dn_trainer* made = nullptr;
  ASSERT_OK(dn_trainer_create_cyclical_sgd(model.get(), 0.001, 0.01, 10, 0.99, &made));
  const TrainerHandle trainer(made);
  double rate = 0;
  for (int t = 1; t <= 50; ++t) {
    ASSERT_OK(dn_trainer_learning_rate(trainer.get(), &rate));
    EXPECT_NEAR(rate, cyclical_rate(t), 1e-15) << "update " << t;
    ASSERT_OK(dn_trainer_update(trainer.get()));
  }
  ASSERT_OK(dn_trainer_restart(trainer.get()));
  ASSERT_OK(dn_trainer_learning_rate(trainer.get(), &rate));
  EXPECT_EQ(rate, 0.001);
}

TEST(TrainerKinds, DecoupledDecayIsOfValuesWithoutGradientsToo) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f}, "W");
  dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  dn_trainer* made = nullptr;
  ASSERT_OK(dn_trainer_create_adam_w(model.get(), 0.5, 0.9, 0.999, 1e-8, 0.25, &made));
  const TrainerHandle trainer(made);
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(w), (std::vector<float>{0.875f}));
  EXPECT_EQ(values(e), (std::vector<float>{0.875f, 0.875f}));
}

TEST(TrainerKinds, ExponentiatedGradientsAreForDistributions) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.5f, 0.5f}, "W");
  dn_parameter* bad = add(model, {1.0f, -0.25f}, "bad");
  dn_lookup_parameter* e = add_table(model, 2, {2}, initializer(DN_INIT_CONSTANT, 0), "E");
  dn_trainer* made = nullptr;
  ASSERT_OK(dn_trainer_create_eg(model.get(), 0.1, 0.9, &made));
  const TrainerHandle trainer(made);
  // Weight decay would leave what is not updated without its sum of 1.
  ASSERT_OK(dn_model_set_weight_decay(model.get(), 0.5));
  add_gradient(w, {1, 0});
  add_gradient(bad, {1, 0});
  expect_failure(dn_trainer_update(trainer.get()), DN_E_STATE, {"distributions", "/bad is -0.25 at element 1"});
  EXPECT_EQ(values(w), (std::vector<float>{0.5f, 0.5f}));
  ASSERT_OK(dn_model_reset_gradients(model.get()));
  add_gradient(w, {1, 0});
  add_row_gradient(e, 1, {1, 0});
  expect_failure(dn_trainer_update(trainer.get()), DN_E_STATE, {"row 1 of /E is 0 everywhere"});
  const float infinite[] = {std::numeric_limits<float>::infinity(), 1};
  ASSERT_OK(dn_lookup_parameter_set_row(e, 1, infinite, 2));
  expect_failure(dn_trainer_update(trainer.get()), DN_E_STATE, {"row 1 of /E is inf at element 0"});
  EXPECT_EQ(values(w), (std::vector<float>{0.5f, 0.5f}));
  const float even[] = {2, 2};
  ASSERT_OK(dn_lookup_parameter_set_row(e, 1, even, 2));
  ASSERT_OK(dn_trainer_update(trainer.get()));
  const double shifted = std::exp(-0.1) / (1 + std::exp(-0.1));
  EXPECT_NEAR(values(w)[0], shifted, 1e-6);
  EXPECT_NEAR(values(e)[2], shifted, 1e-6);
  EXPECT_EQ(values(bad), (std::vector<float>{1.0f, -0.25f})) << "it has no gradient";
}

TEST(TrainerKinds, SettingsAreChecked) {
  const ModelHandle held = new_model();
  dn_model* const model = held.get();
  dn_trainer* made = nullptr;
  for (const double bad : std::initializer_list<double>{-1, kNaN, kInfinity}) {
    expect_failure(dn_trainer_create_cyclical_sgd(model, bad, 1, 10, 1, &made), DN_E_ARGUMENT, {"cyclical"});
    expect_failure(dn_trainer_create_cyclical_sgd(model, 0.1, bad, 10, 1, &made), DN_E_ARGUMENT, {"cyclical"});
    expect_failure(dn_trainer_create_cyclical_sgd(model, 0.1, 1, bad, 1, &made), DN_E_ARGUMENT, {"step size"});
    expect_failure(dn_trainer_create_cyclical_sgd(model, 0.1, 1, 10, bad, &made), DN_E_ARGUMENT, {"gamma"});
    expect_failure(dn_trainer_create_nesterov_sgd(model, bad, 0.9, &made), DN_E_ARGUMENT, {"learning rate"});
    expect_failure(dn_trainer_create_nesterov_sgd(model, 0.1, bad, &made), DN_E_ARGUMENT, {"momentum"});
    expect_failure(dn_trainer_create_adagrad(model, bad, 1e-20, &made), DN_E_ARGUMENT, {"learning rate"});
    expect_failure(dn_trainer_create_adagrad(model, 0.1, bad, &made), DN_E_ARGUMENT, {"Adagrad", "epsilon"});
    expect_failure(dn_trainer_create_adadelta(model, bad, 0.95, &made), DN_E_ARGUMENT, {"Adadelta", "epsilon"});
    expect_failure(dn_trainer_create_adadelta(model, 1e-6, bad, &made), DN_E_ARGUMENT, {"Adadelta", "rho"});
    expect_failure(dn_trainer_create_rms_prop(model, bad, 1e-20, 0.95, &made), DN_E_ARGUMENT, {"learning rate"});
    expect_failure(dn_trainer_create_rms_prop(model, 0.1, bad, 0.95, &made), DN_E_ARGUMENT, {"RMSProp", "epsilon"});
    expect_failure(dn_trainer_create_rms_prop(model, 0.1, 1e-20, bad, &made), DN_E_ARGUMENT, {"RMSProp", "rho"});
    expect_failure(dn_trainer_create_adam_w(model, 0.1, bad, 0.9, 1e-8, 0, &made), DN_E_ARGUMENT, {"AdamW", "betas"});
    expect_failure(dn_trainer_create_adam_w(model, 0.1, 0.9, 0.9, bad, 0, &made), DN_E_ARGUMENT, {"AdamW", "epsilon"});
    expect_failure(dn_trainer_create_adam_w(model, 0.1, 0.9, 0.9, 1e-8, bad, &made), DN_E_ARGUMENT, {"decay"});
    expect_failure(dn_trainer_create_amsgrad(model, 0.1, 0.9, bad, 1e-8, &made), DN_E_ARGUMENT, {"AMSGrad", "betas"});
    expect_failure(dn_trainer_create_eg(model, bad, 0.9, &made), DN_E_ARGUMENT, {"learning rate"});
    expect_failure(dn_trainer_create_eg(model, 0.1, bad, &made), DN_E_ARGUMENT, {"momentum"});
  }
  expect_failure(dn_trainer_create_cyclical_sgd(model, 0.2, 0.1, 10, 1, &made), DN_E_ARGUMENT, {"0.2 to 0.1"});
  expect_failure(dn_trainer_create_cyclical_sgd(model, 0.1, 1, 0, 1, &made), DN_E_ARGUMENT, {"step size of 0"});
  expect_failure(dn_trainer_create_cyclical_sgd(model, 0.1, 1, 10, 1.5, &made), DN_E_ARGUMENT, {"gamma of 1.5"});
  EXPECT_EQ(made, nullptr);
}

TEST(TrainerKinds, ADecayOfMoreThanAllIsRefused) {
  const ModelHandle model = new_model();
  dn_parameter* const w = add(model, {0.5f, -0.25f}, "W");
  dn_trainer* made = nullptr;
  ASSERT_OK(dn_trainer_create_adam_w(model.get(), 0.5, 0.9, 0.999, 1e-8, 2.5, &made));
  const TrainerHandle trainer(made);
  add_gradient(w, {1, 1});
  expect_failure(dn_trainer_update(trainer.get()), DN_E_ARGUMENT, {"rate of 0.5", "1.25 of each value"});
  EXPECT_EQ(values(w), (std::vector<float>{0.5f, -0.25f}));
  ASSERT_OK(dn_trainer_set_learning_rate(trainer.get(), 0.1));
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_NEAR(values(w)[0], 0.5 * 0.75 - 0.1, 1e-6);
}

}  // namespace
}  // namespace dynnet::test

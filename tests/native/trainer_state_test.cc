// What trainers do beside their rules: bounds of gradients, counts, updates of some parameters, frozen ones, and moving
// averages.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"
#include "trainer_support.h"

namespace dynnet::test {
namespace {

using Floats = std::vector<float>;

TEST(TrainerClipping, OfElements) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f, 0.0f, 0.0f}, "W");
  dn_lookup_parameter* e = add_table(model, 3, {1}, initializer(DN_INIT_CONSTANT, 0), "E");
  const TrainerHandle trainer = new_sgd(model, 1);
  double bound = -1;
  ASSERT_OK(dn_trainer_clip_value(trainer.get(), &bound));
  EXPECT_EQ(bound, 0);
  ASSERT_OK(dn_trainer_set_clip_value(trainer.get(), 0.5));
  ASSERT_OK(dn_trainer_clip_value(trainer.get(), &bound));
  EXPECT_EQ(bound, 0.5);
  ASSERT_OK(dn_trainer_set_sparse_updates(trainer.get(), 0));
  add_gradient(w, {3, -0.25f, std::numeric_limits<float>::lowest()});
  add_row_gradient(e, 1, {-7});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(w), (Floats{-0.5f, 0.25f, 0.5f}));
  EXPECT_EQ(values(e), (Floats{0, 0.5f, 0}));
  add_gradient(w, {0.5f, 0, 0});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  int64_t clips = 0;
  ASSERT_OK(dn_trainer_clips_count(trainer.get(), &clips));
  EXPECT_EQ(clips, 1) << "the bound itself is inside";
  expect_failure(dn_trainer_set_clip_value(trainer.get(), -1), DN_E_ARGUMENT, {"-1"});
  expect_failure(dn_trainer_set_clip_value(trainer.get(), NAN), DN_E_ARGUMENT, {"nan"});
}

TEST(TrainerClipping, TheNormIsThatOfTheClippedElements) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f, 0.0f}, "W");
  const TrainerHandle trainer = new_sgd(model, 1);
  ASSERT_OK(dn_trainer_set_clip_value(trainer.get(), 4));
  ASSERT_OK(dn_trainer_set_clip_threshold(trainer.get(), 2.5));
  add_gradient(w, {100, 3});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_NEAR(values(w)[0], -2, 1e-6);
  EXPECT_NEAR(values(w)[1], -1.5, 1e-6);
  add_gradient(w, {NAN, 3});
  expect_failure(dn_trainer_update(trainer.get()), DN_E_VALUE, {"/W", "nan", "element 0"});
}

TEST(TrainerStatus, CountsSinceTheLastReset) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f}, "W");
  const TrainerHandle trainer = new_sgd(model, 1);
  int64_t updates = -1, clips = -1;
  const auto update = [&](float g) {
    add_gradient(w, {g});
    EXPECT_OK(dn_trainer_update(trainer.get()));
  };
  update(10);
  update(1);
  ASSERT_OK(dn_trainer_status(trainer.get(), 0, &updates, &clips));
  EXPECT_EQ(updates, 2);
  EXPECT_EQ(clips, 1);
  ASSERT_OK(dn_trainer_status(trainer.get(), 1, &updates, &clips));
  EXPECT_EQ(updates, 2);
  EXPECT_EQ(clips, 1);
  update(20);
  update(1);
  update(1);
  ASSERT_OK(dn_trainer_status(trainer.get(), 0, &updates, &clips));
  EXPECT_EQ(updates, 3);
  EXPECT_EQ(clips, 1);
  ASSERT_OK(dn_trainer_updates_count(trainer.get(), &updates));
  ASSERT_OK(dn_trainer_clips_count(trainer.get(), &clips));
  EXPECT_EQ(updates, 5);
  EXPECT_EQ(clips, 2);
}

TEST(TrainerSubset, UpdatesWhatIsNamedAndNothingElse) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f}, "W");
  dn_parameter* v = add(model, {0.0f}, "V");
  dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 0), "E");
  dn_lookup_parameter* f = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 0), "F");
  const TrainerHandle trainer = new_momentum_sgd(model, 1, 0.5);
  add_gradient(w, {3});
  // Neither counts for the norm, nor for its being finite.
  add_gradient(v, {NAN});
  add_row_gradient(f, 0, {1000});
  add_row_gradient(e, 1, {4});
  ASSERT_OK(dn_trainer_update_subset(trainer.get(), &w, 1, &e, 1));
  EXPECT_EQ(values(w), (Floats{-3}));
  EXPECT_EQ(values(e), (Floats{0, -4}));
  EXPECT_EQ(values(v), (Floats{0}));
  EXPECT_EQ(values(f), (Floats{0, 0}));
  EXPECT_EQ(gradient(w), (Floats{0}));
  EXPECT_EQ(row_gradient(e, 1), (Floats{0}));
  EXPECT_TRUE(std::isnan(gradient(v)[0]));
  EXPECT_EQ(row_gradient(f, 0), (Floats{1000}));
  // The moments of the others rest.
  ASSERT_OK(dn_trainer_update_subset(trainer.get(), nullptr, 0, nullptr, 0));
  EXPECT_EQ(values(w), (Floats{-3}));
  ASSERT_OK(dn_model_reset_gradients(model.get()));
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(w), (Floats{-4.5f}));
  int64_t count = 0;
  ASSERT_OK(dn_trainer_updates_count(trainer.get(), &count));
  EXPECT_EQ(count, 3);
}

TEST(TrainerSubset, IsChecked) {
  const ModelHandle model = new_model();
  const ModelHandle part = add_subcollection(model, "part");
  const ModelHandle stranger = new_model();
  dn_parameter* outer = add(model, {1.0f}, "W");
  dn_parameter* inner = add(part, {1.0f}, "W");
  dn_parameter* foreign = add(stranger, {1.0f}, "X");
  dn_lookup_parameter* table = add_table(stranger, 1, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  const TrainerHandle trainer = new_sgd(part, 1);
  dn_trainer* const t = trainer.get();
  add_gradient(inner, {1});
  dn_parameter* with_outer[] = {inner, outer};
  expect_failure(dn_trainer_update_subset(t, with_outer, 2, nullptr, 0), DN_E_ARGUMENT, {"parameter 1", "/W"});
  expect_failure(dn_trainer_update_subset(t, &foreign, 1, nullptr, 0), DN_E_ARGUMENT, {"/X", "not of the trainer's"});
  expect_failure(dn_trainer_update_subset(t, nullptr, 0, &table, 1), DN_E_ARGUMENT, {"lookup parameter 0", "/E"});
  dn_parameter* none = nullptr;
  expect_failure(dn_trainer_update_subset(t, &none, 1, nullptr, 0), DN_E_ARGUMENT, {"parameter 0 is null"});
  expect_failure(dn_trainer_update_subset(t, nullptr, 1, nullptr, 0), DN_E_ARGUMENT, {"null"});
  expect_failure(dn_trainer_update_subset(t, nullptr, 0, nullptr, -1), DN_E_ARGUMENT, {"negative"});
  EXPECT_EQ(values(inner), (Floats{1}));
  // A failure leaves nothing behind that would keep the next update from being of all.
  ASSERT_OK(dn_trainer_update(t));
  EXPECT_EQ(values(inner), (Floats{0}));
}

TEST(TrainerFreezing, LeavesWhatIsFrozenAlone) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f}, "W");
  dn_parameter* frozen = add(model, {1.0f}, "frozen");
  dn_lookup_parameter* table = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  const TrainerHandle trainer = new_momentum_sgd(model, 1, 0.5);
  add_gradient(frozen, {1});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(frozen), (Floats{0}));
  int32_t updated = -1;
  ASSERT_OK(dn_parameter_updated(frozen, &updated));
  EXPECT_EQ(updated, 1);
  ASSERT_OK(dn_parameter_set_updated(frozen, 0));
  ASSERT_OK(dn_lookup_parameter_set_updated(table, 0));
  ASSERT_OK(dn_parameter_updated(frozen, &updated));
  EXPECT_EQ(updated, 0);
  ASSERT_OK(dn_lookup_parameter_updated(table, &updated));
  EXPECT_EQ(updated, 0);
  int64_t count = 0;
  ASSERT_OK(dn_model_updated_values_count(model.get(), &count));
  EXPECT_EQ(count, 1);
  ASSERT_OK(dn_model_values_count(model.get(), &count));
  EXPECT_EQ(count, 4);

  ASSERT_OK(dn_model_set_weight_decay(model.get(), 0.5));
  add_gradient(w, {4});
  add_gradient(frozen, {1e6f});
  add_row_gradient(table, 0, {1e6f});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(w), (Floats{-2})) << "frozen gradients do not count for the norm";
  EXPECT_EQ(values(frozen), (Floats{0})) << "nor do moments move it on";
  EXPECT_EQ(values(table), (Floats{1, 1}));
  EXPECT_EQ(gradient(frozen), (Floats{1e6f})) << "it stays until it is reset";
  EXPECT_EQ(row_gradient(table, 0), (Floats{1e6f}));
  add_gradient(frozen, {1e6f});
  EXPECT_EQ(gradient(frozen), (Floats{2e6f}));

  ASSERT_OK(dn_model_reset_gradients(model.get()));
  ASSERT_OK(dn_model_set_weight_decay(model.get(), 0));
  ASSERT_OK(dn_parameter_set_updated(frozen, 1));
  add_gradient(frozen, {1});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(frozen), (Floats{-1.5f})) << "its moments rested";
}

TEST(TrainerFreezing, OfASubcollection) {
  const ModelHandle model = new_model();
  const ModelHandle part = add_subcollection(model, "part");
  dn_parameter* outer = add(model, {1.0f}, "W");
  dn_parameter* inner = add(part, {1.0f}, "W");
  dn_lookup_parameter* table = add_table(part, 1, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  ASSERT_OK(dn_model_set_updated(part.get(), 0));
  const TrainerHandle trainer = new_sgd(model, 1);
  const auto update = [&] {
    add_gradient(outer, {1});
    add_gradient(inner, {1});
    add_row_gradient(table, 0, {1});
    EXPECT_OK(dn_trainer_update(trainer.get()));
    EXPECT_OK(dn_model_reset_gradients(model.get()));
  };
  update();
  EXPECT_EQ(values(outer), (Floats{0}));
  EXPECT_EQ(values(inner), (Floats{1}));
  EXPECT_EQ(values(table), (Floats{1}));
  ASSERT_OK(dn_model_set_updated(part.get(), 1));
  update();
  EXPECT_EQ(values(inner), (Floats{0}));
  EXPECT_EQ(values(table), (Floats{0}));
}

/// A model whose one weight goes 1, 2, 3, ... by updates, and a table that goes with it.
struct Climb {
  ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f}, "W");
  dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 0), "E");
  TrainerHandle trainer = new_sgd(model, 1);

  void update() {
    add_gradient(w, {-1});
    add_row_gradient(e, 1, {-2});
    EXPECT_OK(dn_trainer_update(trainer.get()));
  }
  void swap(bool save = true, bool correct = false) {
    EXPECT_OK(dn_trainer_swap_to_average(trainer.get(), save ? 1 : 0, correct ? 1 : 0));
  }
  bool is_swapped() const {
    int32_t swapped = -1;
    EXPECT_OK(dn_trainer_is_swapped(trainer.get(), &swapped));
    return swapped != 0;
  }
};

TEST(TrainerAverages, CumulativeIsTheMean) {
  Climb climb;
  int32_t kind = -1;
  ASSERT_OK(dn_trainer_average_kind(climb.trainer.get(), &kind));
  EXPECT_EQ(kind, DN_AVERAGE_NONE);
  ASSERT_OK(dn_trainer_use_cumulative_average(climb.trainer.get(), 1));
  ASSERT_OK(dn_trainer_average_kind(climb.trainer.get(), &kind));
  EXPECT_EQ(kind, DN_AVERAGE_CUMULATIVE);
  for (int i = 0; i < 5; ++i) climb.update();
  const uint64_t version = climb.w->version, table_version = climb.e->version;
  EXPECT_FALSE(climb.is_swapped());
  climb.swap();
  EXPECT_TRUE(climb.is_swapped());
  EXPECT_NEAR(values(climb.w)[0], 3, 1e-6);
  EXPECT_NEAR(values(climb.e)[1], 6, 1e-6);
  EXPECT_EQ(values(climb.e)[0], 0.0f);
  EXPECT_GT(climb.w->version, version);
  EXPECT_GT(climb.e->version, table_version);
  climb.swap();
  EXPECT_NEAR(values(climb.w)[0], 3, 1e-6) << "a second time changes nothing";
  ASSERT_OK(dn_trainer_swap_to_weights(climb.trainer.get()));
  EXPECT_FALSE(climb.is_swapped());
  EXPECT_EQ(values(climb.w), (Floats{5}));
  EXPECT_EQ(values(climb.e), (Floats{0, 10}));
  ASSERT_OK(dn_trainer_swap_to_weights(climb.trainer.get()));
  EXPECT_EQ(values(climb.w), (Floats{5}));
}

TEST(TrainerAverages, AreTakenAfterTheFirstUpdateAndEachNthAfterIt) {
  Climb climb;
  ASSERT_OK(dn_trainer_use_cumulative_average(climb.trainer.get(), 3));
  for (int i = 0; i < 6; ++i) climb.update();
  climb.swap();
  EXPECT_NEAR(values(climb.w)[0], (1 + 4) / 2.0, 1e-6);
}

TEST(TrainerAverages, ExponentialBeginsAt0) {
  Climb climb;
  ASSERT_OK(dn_trainer_use_exponential_average(climb.trainer.get(), 0.75, 1));
  double average = 0;
  for (int i = 1; i <= 6; ++i) {
    climb.update();
    average = 0.75 * average + 0.25 * i;
  }
  climb.swap();
  EXPECT_NEAR(values(climb.w)[0], average, 1e-6);
  ASSERT_OK(dn_trainer_swap_to_weights(climb.trainer.get()));
  climb.swap(true, true);
  EXPECT_NEAR(values(climb.w)[0], average / (1 - std::pow(0.75, 6)), 1e-6);
  EXPECT_NEAR(values(climb.e)[1], 2 * average / (1 - std::pow(0.75, 6)), 1e-6);
}

TEST(TrainerAverages, AnUpdateGoesBackToTheWeightsFirst) {
  Climb climb;
  ASSERT_OK(dn_trainer_use_cumulative_average(climb.trainer.get(), 1));
  climb.update();
  climb.update();
  climb.swap();
  climb.update();
  EXPECT_FALSE(climb.is_swapped());
  EXPECT_EQ(values(climb.w), (Floats{3}));
  climb.swap();
  EXPECT_NEAR(values(climb.w)[0], 2, 1e-6);
}

TEST(TrainerAverages, WithoutSavedWeightsThereIsNoWayBack) {
  Climb climb;
  ASSERT_OK(dn_trainer_use_cumulative_average(climb.trainer.get(), 1));
  climb.update();
  climb.update();
  climb.swap(false);
  expect_failure(dn_trainer_swap_to_weights(climb.trainer.get()), DN_E_STATE, {"not saved"});
  add_gradient(climb.w, {-1});
  expect_failure(dn_trainer_update(climb.trainer.get()), DN_E_STATE, {"not saved"});
  EXPECT_NEAR(values(climb.w)[0], 1.5, 1e-6);
  EXPECT_EQ(gradient(climb.w), (Floats{-1}));
}

TEST(TrainerAverages, OfAParameterAddedLaterIsThatSinceThen) {
  Climb climb;
  ASSERT_OK(dn_trainer_use_cumulative_average(climb.trainer.get(), 1));
  climb.update();
  climb.update();
  dn_parameter* late = add(climb.model, {8.0f}, "late");
  climb.swap();
  EXPECT_EQ(values(late), (Floats{8})) << "it has no average yet";
  climb.update();
  climb.swap();
  EXPECT_EQ(values(late), (Floats{8}));
  EXPECT_NEAR(values(climb.w)[0], 2, 1e-6);
}

TEST(TrainerAverages, AreChecked) {
  Climb climb;
  dn_trainer* const trainer = climb.trainer.get();
  expect_failure(dn_trainer_swap_to_average(trainer, 1, 0), DN_E_STATE, {"no moving average"});
  expect_failure(dn_trainer_use_cumulative_average(trainer, 0), DN_E_ARGUMENT, {"every 0"});
  expect_failure(dn_trainer_use_exponential_average(trainer, 1, 1), DN_E_ARGUMENT, {"beta of 1"});
  expect_failure(dn_trainer_use_exponential_average(trainer, NAN, 1), DN_E_ARGUMENT, {"beta of"});
  expect_failure(dn_trainer_use_exponential_average(trainer, 0.5, -2), DN_E_ARGUMENT, {"every -2"});
  ASSERT_OK(dn_trainer_use_cumulative_average(trainer, 1));
  expect_failure(dn_trainer_swap_to_average(trainer, 1, 0), DN_E_STATE, {"nothing averaged"});
  climb.update();
  expect_failure(dn_trainer_use_exponential_average(trainer, 0.5, 1), DN_E_STATE, {"before the first update"});
}

TEST(TrainerAverages, WithoutMemoryForThemNothingIsUpdated) {
  const LimitRestorer restore;
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {100000}, initializer(DN_INIT_CONSTANT, 1), "W");
  const TrainerHandle trainer = new_sgd(model, 1);
  ASSERT_OK(dn_trainer_use_cumulative_average(trainer.get(), 1));
  add_gradient(w, Floats(100000, 1e-3f));
  set_memory_limit(memory_used() + 1000);
  expect_failure(dn_trainer_update(trainer.get()), DN_E_MEMORY, {"moving average"});
  EXPECT_EQ(values(w)[0], 1.0f);
  set_memory_limit(0);
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_LT(values(w)[0], 1.0f);
  set_memory_limit(memory_used() + 1000);
  expect_failure(dn_trainer_swap_to_average(trainer.get(), 1, 0), DN_E_MEMORY, {"beside their moving average"});
  set_memory_limit(0);
  EXPECT_LT(values(w)[0], 1.0f);
}

}  // namespace
}  // namespace dynnet::test

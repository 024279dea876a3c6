// Trainers against their formulas in double, in dense and sparse updates, with clipping and weight decay.
#include "training/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
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

constexpr double kRate = 0.1;
constexpr double kMomentum = 0.9;
constexpr double kEpsilon = 1e-8;

TrainerHandle adam(const ModelHandle& model) {
  dn_trainer* trainer = nullptr;
  EXPECT_OK(dn_trainer_create_adam(model.get(), kRate, 0.9, 0.999, kEpsilon, &trainer));
  return TrainerHandle(trainer);
}

/// One value's history by the book.
struct Reference : Remembered {
  explicit Reference(double first = 0) { w = first; }

  void sgd(double g) { w -= kRate * g; }
  void momentum(double g) {
    a = kMomentum * a - kRate * g;
    w += a;
  }
  void adam(double g, int t) { adam_by_the_book(*this, g, t, kRate, kEpsilon); }
};

// Some updates of one parameter of a length that no vector length divides.
void expect_rule(TrainerHandle (*create)(const ModelHandle&),
                 const std::function<void(Reference&, double, int)>& by_the_book) {
  constexpr int64_t kLength = 1003;
  const ModelHandle model = new_model();
  const std::vector<float> start = random_floats(kLength, 1);
  dn_parameter* w = add(model, start, "W");
  const TrainerHandle trainer = create(model);
  ASSERT_OK(dn_trainer_set_clip_threshold(trainer.get(), 0));
  std::vector<Reference> expected(start.size(), Reference());
  for (size_t i = 0; i < start.size(); ++i) expected[i].w = start[i];
  for (int t = 1; t <= 5; ++t) {
    const std::vector<float> g = random_floats(kLength, static_cast<uint32_t>(100 + t));
    add_gradient(w, g);
    ASSERT_OK(dn_trainer_update(trainer.get()));
    const std::vector<float> now = values(w);
    for (size_t i = 0; i < start.size(); ++i) {
      by_the_book(expected[i], g[i], t);
      ASSERT_NEAR(now[i], expected[i].w, 1e-5) << "update " << t << ", element " << i;
    }
    EXPECT_FALSE(w->storage->gradients().has(*w)) << "an update sets the gradients to 0";
  }
}

TrainerHandle sgd(const ModelHandle& model) { return new_sgd(model, kRate); }

TrainerHandle momentum(const ModelHandle& model) { return new_momentum_sgd(model, kRate, kMomentum); }

TEST(Trainer, SimpleSgd) {
  expect_rule(sgd, [](Reference& r, double g, int) { r.sgd(g); });
}

TEST(Trainer, MomentumSgd) {
  expect_rule(momentum, [](Reference& r, double g, int) { r.momentum(g); });
}

TEST(Trainer, Adam) {
  expect_rule(adam, [](Reference& r, double g, int t) { r.adam(g, t); });
}

TEST(Trainer, AnUpdateAdvancesTheVersionOfWhatItWrites) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f}, "W");
  dn_parameter* unused = add(model, {1.0f}, "unused");
  dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  const uint64_t w_version = w->version;
  const uint64_t unused_version = unused->version;
  const uint64_t e_version = e->version;
  const TrainerHandle trainer = adam(model);
  add_gradient(w, {1});
  add_row_gradient(e, 0, {1});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_GT(w->version, w_version);
  EXPECT_GT(e->version, e_version);
  EXPECT_EQ(unused->version, unused_version);
  EXPECT_EQ(values(unused), (std::vector<float>{1}));
}

TEST(Trainer, WithoutGradientsAnUpdateOnlyCounts) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f, 2.0f}, "W");
  dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  for (const auto create : {sgd, momentum, adam}) {
    const TrainerHandle trainer = create(model);
    ASSERT_OK(dn_trainer_set_sparse_updates(trainer.get(), 0));
    ASSERT_OK(dn_trainer_update(trainer.get()));
    int64_t count = 0;
    ASSERT_OK(dn_trainer_updates_count(trainer.get(), &count));
    EXPECT_EQ(count, 1);
  }
  EXPECT_EQ(values(w), (std::vector<float>{1, 2}));
  EXPECT_EQ(values(e), (std::vector<float>{1, 1}));
}

TEST(Trainer, MomentsMoveAParameterOnWithoutAGradient) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f}, "W");
  const TrainerHandle trainer = adam(model);
  Reference expected{1};
  add_gradient(w, {0.5f});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  expected.adam(0.5, 1);
  ASSERT_OK(dn_trainer_update(trainer.get()));
  expected.adam(0, 2);
  EXPECT_NEAR(values(w)[0], expected.w, 1e-5);
  // ... and counts the update in the correction of the next.
  add_gradient(w, {0.25f});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  expected.adam(0.25, 3);
  EXPECT_NEAR(values(w)[0], expected.w, 1e-5);
}

TEST(Trainer, SparseUpdatesTouchOnlyRowsWithGradients) {
  const ModelHandle model = new_model();
  dn_lookup_parameter* e = add_table(model, 4, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  const TrainerHandle trainer = adam(model);
  std::vector<Reference> expected(4, Reference{1});
  const std::vector<std::vector<int32_t>> rows{{0, 2}, {2}, {0, 3}};
  for (int t = 1; t <= 3; ++t) {
    for (const int32_t row : rows[static_cast<size_t>(t - 1)]) {
      add_row_gradient(e, row, {0.5f});
      // Moments rest where there is no gradient; the correction is by the trainer's count, as in DyNet.
      expected[static_cast<size_t>(row)].adam(0.5, t);
    }
    ASSERT_OK(dn_trainer_update(trainer.get()));
    EXPECT_EQ(row_gradient(e, 2), (std::vector<float>{0}));
  }
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(values(e)[i], expected[i].w, 1e-5) << "row " << i;
  EXPECT_EQ(values(e)[1], 1.0f);
}

// Rows without a gradient share zeros, which must be those of the longest rows from the start.
TEST(Trainer, DenseUpdatesOfTablesWithLongerAndLongerRows) {
  const ModelHandle model = new_model();
  std::vector<dn_lookup_parameter*> tables;
  for (const uint32_t size : {2u, 3000u, 40000u})
    tables.push_back(add_table(model, 4, {size}, initializer(DN_INIT_CONSTANT, 1), "E" + std::to_string(size)));
  const TrainerHandle trainer = adam(model);
  ASSERT_OK(dn_trainer_set_sparse_updates(trainer.get(), 0));
  ASSERT_OK(dn_trainer_set_clip_threshold(trainer.get(), 0));
  ASSERT_OK(dn_trainer_set_clip_value(trainer.get(), 0.5));
  std::vector<Reference> expected(4, Reference{1});
  for (int t = 1; t <= 3; ++t) {
    for (dn_lookup_parameter* table : tables)
      add_row_gradient(table, t, std::vector<float>(static_cast<size_t>(table->row_size()), 2.0f));
    for (int row = 0; row < 4; ++row) expected[static_cast<size_t>(row)].adam(row == t ? 0.5 : 0, t);
    ASSERT_OK(dn_trainer_update(trainer.get()));
  }
  for (dn_lookup_parameter* table : tables) {
    const std::vector<float> now = values(table);
    for (size_t i = 0; i < now.size(); ++i)
      ASSERT_NEAR(now[i], expected[i / static_cast<size_t>(table->row_size())].w, 1e-5) << table->name << " " << i;
  }
}

TEST(Trainer, DenseUpdatesMoveAllRows) {
  const ModelHandle model = new_model();
  dn_lookup_parameter* e = add_table(model, 3, {2}, initializer(DN_INIT_CONSTANT, 1), "E");
  const TrainerHandle trainer = new_momentum_sgd(model, kRate, kMomentum);
  int32_t sparse = -1;
  ASSERT_OK(dn_trainer_sparse_updates(trainer.get(), &sparse));
  EXPECT_EQ(sparse, 1);
  ASSERT_OK(dn_trainer_set_sparse_updates(trainer.get(), 0));
  ASSERT_OK(dn_trainer_sparse_updates(trainer.get(), &sparse));
  EXPECT_EQ(sparse, 0);
  std::vector<Reference> expected(3, Reference{1});
  for (int t = 0; t < 4; ++t) {
    // The last update has no gradient at all.
    for (int32_t row = 0; row < 3; ++row) {
      const bool has = t < 3 && row <= t;
      if (has) add_row_gradient(e, row, {0.5f, 0.5f});
      expected[static_cast<size_t>(row)].momentum(has ? 0.5 : 0);
    }
    ASSERT_OK(dn_trainer_update(trainer.get()));
  }
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(values(e)[2 * i], expected[i].w, 1e-5) << "row " << i;
    EXPECT_NEAR(values(e)[2 * i + 1], expected[i].w, 1e-5) << "row " << i;
  }
}

TEST(Trainer, ClipsByTheNormOfAllGradients) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f, 0.0f}, "W");
  dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 0), "E");
  const TrainerHandle trainer = new_sgd(model, 1);
  double threshold = 0;
  ASSERT_OK(dn_trainer_clip_threshold(trainer.get(), &threshold));
  EXPECT_EQ(threshold, 5);
  // The norm of (6, 0), (8) is 10.
  add_gradient(w, {6, 0});
  add_row_gradient(e, 1, {8});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_NEAR(values(w)[0], -3, 1e-6);
  EXPECT_NEAR(values(e)[1], -4, 1e-6);
  int64_t clips = 0;
  ASSERT_OK(dn_trainer_clips_count(trainer.get(), &clips));
  EXPECT_EQ(clips, 1);
  // At the threshold nothing is scaled.
  ASSERT_OK(dn_trainer_set_clip_threshold(trainer.get(), 2));
  add_gradient(w, {0, 2});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(w)[1], -2.0f);
  // Off.
  ASSERT_OK(dn_trainer_set_clip_threshold(trainer.get(), 0));
  add_gradient(w, {0, 1000});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(w)[1], -1002.0f);
  ASSERT_OK(dn_trainer_clips_count(trainer.get(), &clips));
  EXPECT_EQ(clips, 1);
}

TEST(Trainer, NormsBeyondTheRangeOfFloatsAreClippedRight) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {0.0f, 0.0f}, "W");
  const TrainerHandle trainer = new_sgd(model, 1);
  add_gradient(w, {3e38f, 0});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_NEAR(values(w)[0], -5, 1e-5);
}

TEST(Trainer, ANonfiniteGradientIsNamedAndNothingIsUpdated) {
  const ModelHandle model = new_model();
  dn_parameter* good = add(model, {1.0f}, "good");
  dn_parameter* bad = add(model, {1.0f, 1.0f}, "bad");
  dn_lookup_parameter* e = add_table(model, 3, {2}, initializer(DN_INIT_CONSTANT, 1), "E");
  const TrainerHandle trainer = adam(model);
  const uint64_t version = good->version;
  add_gradient(good, {1});
  add_gradient(bad, {1, NAN});
  expect_failure(dn_trainer_update(trainer.get()), DN_E_VALUE, {"/bad", "nan", "element 1"});
  EXPECT_EQ(values(good), (std::vector<float>{1}));
  EXPECT_EQ(good->version, version);
  EXPECT_EQ(gradient(good), (std::vector<float>{1})) << "the gradients stay, to be looked at";
  int64_t count = -1;
  ASSERT_OK(dn_trainer_updates_count(trainer.get(), &count));
  EXPECT_EQ(count, 0);

  ASSERT_OK(dn_model_reset_gradients(model.get()));
  add_row_gradient(e, 2, {-kInfinity, 0});
  expect_failure(dn_trainer_update(trainer.get()), DN_E_VALUE, {"row 2 of /E", "-inf", "element 0"});
  EXPECT_EQ(values(e), (std::vector<float>{1, 1, 1, 1, 1, 1}));
  ASSERT_OK(dn_model_reset_gradients(model.get()));
  EXPECT_OK(dn_trainer_update(trainer.get()));
}

// Whatever the clipping, and with what else of the gradients is out of bounds.
TEST(Trainer, ANonfiniteGradientLeavesTheOthersAsTheyAre) {
  for (const auto& [threshold, bound] : {std::pair{5.0, 0.5}, {0.0, 0.5}, {5.0, 0.0}}) {
    for (const float bad : {NAN, kInfinity, -kInfinity}) {
      const ModelHandle model = new_model();
      dn_parameter* w = add(model, {1.0f, 1.0f}, "W");
      dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
      const TrainerHandle trainer = new_sgd(model, 1);
      ASSERT_OK(dn_trainer_set_clip_threshold(trainer.get(), threshold));
      ASSERT_OK(dn_trainer_set_clip_value(trainer.get(), bound));
      add_gradient(w, {3, -4});
      add_row_gradient(e, 1, {bad});
      expect_failure(dn_trainer_update(trainer.get()), DN_E_VALUE, {"row 1 of /E", "nothing was updated"});
      EXPECT_EQ(gradient(w), (std::vector<float>{3, -4}));
      EXPECT_EQ(values(w), (std::vector<float>{1, 1}));
      ASSERT_OK(dn_model_reset_gradients(model.get()));
      add_gradient(w, {0.25f, -4});
      ASSERT_OK(dn_trainer_update(trainer.get()));
      EXPECT_EQ(values(w), (std::vector<float>{0.75f, bound > 0 ? 1.5f : 5.0f}));
    }
  }
}

TEST(Trainer, OfASubcollectionLeavesTheRestAlone) {
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  dn_parameter* outer = add(model, {1.0f}, "W");
  dn_parameter* inner = add(encoder, {1.0f}, "W");
  dn_lookup_parameter* outer_table = add_table(model, 1, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
  const TrainerHandle trainer = new_sgd(encoder, 1);
  // The outer gradient counts neither for the norm nor for its being finite.
  add_gradient(outer, {NAN});
  add_gradient(inner, {1});
  add_row_gradient(outer_table, 0, {1});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(outer), (std::vector<float>{1}));
  EXPECT_EQ(values(inner), (std::vector<float>{0}));
  EXPECT_EQ(values(outer_table), (std::vector<float>{1}));
  EXPECT_TRUE(std::isnan(gradient(outer)[0]));
  EXPECT_EQ(row_gradient(outer_table, 0), (std::vector<float>{1}));
  EXPECT_EQ(gradient(inner), (std::vector<float>{0}));
}

TEST(Trainer, MergesSetsInTheOrderGiven) {
  const auto result_of = [](const std::vector<int>& order) {
    const ModelHandle model = new_model();
    dn_parameter* w = add(model, {0.0f}, "W");
    const TrainerHandle trainer = new_sgd(model, 1);
    EXPECT_OK(dn_trainer_set_clip_threshold(trainer.get(), 0));
    std::vector<GradientsHandle> sets;
    for (const float g : {1e8f, 1.0f, -1e8f}) {
      dn_gradients* set = nullptr;
      EXPECT_OK(dn_gradients_create(model.get(), &set));
      sets.emplace_back(set);
      add_gradient(set->set, w, {g});
    }
    std::vector<dn_gradients*> given;
    for (const int i : order) given.push_back(sets[static_cast<size_t>(i)].get());
    EXPECT_OK(dn_trainer_update_from(trainer.get(), given.data(), static_cast<int32_t>(given.size())));
    for (const GradientsHandle& set : sets) EXPECT_FALSE(set->set.has(*w));
    return values(w)[0];
  };
  EXPECT_EQ(result_of({0, 1, 2}), 0.0f);
  EXPECT_EQ(result_of({0, 2, 1}), -1.0f);
}

TEST(Trainer, SetsAreChecked) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f}, "W");
  const ModelHandle stranger = new_model();
  const TrainerHandle trainer = new_sgd(model, kRate);
  dn_gradients* made = nullptr;
  ASSERT_OK(dn_gradients_create(model.get(), &made));
  const GradientsHandle set(made);
  ASSERT_OK(dn_gradients_create(stranger.get(), &made));
  const GradientsHandle foreign(made);
  add_gradient(w, {1});
  dn_gradients* const with_foreign[] = {set.get(), foreign.get()};
  expect_failure(dn_trainer_update_from(trainer.get(), with_foreign, 2), DN_E_ARGUMENT, {"set 1", "another model"});
  dn_gradients* const with_null[] = {set.get(), nullptr};
  expect_failure(dn_trainer_update_from(trainer.get(), with_null, 2), DN_E_ARGUMENT, {"set 1 is null"});
  expect_failure(dn_trainer_update_from(trainer.get(), nullptr, 1), DN_E_ARGUMENT, {"null"});
  expect_failure(dn_trainer_update_from(trainer.get(), nullptr, -1), DN_E_ARGUMENT, {"negative"});
  EXPECT_EQ(values(w), (std::vector<float>{1}));
  dn_gradients* const one[] = {set.get()};
  ASSERT_TRUE(set->set.try_lock());
  expect_failure(dn_trainer_update_from(trainer.get(), one, 1), DN_E_BUSY, {"another call"});
  set->set.unlock();
  ASSERT_TRUE(w->storage->gradients().try_lock());
  expect_failure(dn_trainer_update(trainer.get()), DN_E_BUSY, {"another call"});
  w->storage->gradients().unlock();
  EXPECT_EQ(values(w), (std::vector<float>{1}));
  EXPECT_OK(dn_trainer_update_from(trainer.get(), nullptr, 0));
  EXPECT_NEAR(values(w)[0], 1 - kRate, 1e-6);
}

TEST(Trainer, WithoutMemoryForMomentsNothingIsUpdated) {
  const LimitRestorer restore;
  const ModelHandle model = new_model();
  dn_parameter* small = add(model, {1.0f}, "small");
  dn_parameter* large = add(model, {100000}, initializer(DN_INIT_CONSTANT, 1), "large");
  const TrainerHandle trainer = adam(model);
  add_gradient(small, {1});
  add_gradient(large, {1});
  set_memory_limit(memory_used() + 500000);
  expect_failure(dn_trainer_update(trainer.get()), DN_E_MEMORY, {"moments", "400000 bytes asked for"});
  EXPECT_EQ(values(small), (std::vector<float>{1}));
  set_memory_limit(0);
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_NE(values(small)[0], 1.0f);
}

TEST(Trainer, TheNumberOfThreadsChangesNoBit) {
  const ThreadsKept restore;
  const auto train = [](int thread_count) {
    set_threads(thread_count);
    const ModelHandle model = new_model(5);
    std::vector<dn_parameter*> parameters;
    for (const uint32_t n : {100000u, 17u, 40001u})
      parameters.push_back(add(model, {n}, initializer(DN_INIT_GLOROT, 1)));
    dn_lookup_parameter* e = add_table(model, 500, {129}, initializer(DN_INIT_GLOROT, 1), "E");
    const TrainerHandle trainer = adam(model);
    for (uint32_t t = 1; t <= 3; ++t) {
      for (dn_parameter* parameter : parameters) add_gradient(parameter, random_floats(parameter->dim.size(), t));
      for (int32_t row = 0; row < 500; row += static_cast<int32_t>(t)) add_row_gradient(e, row, random_floats(129, t));
      EXPECT_OK(dn_trainer_update(trainer.get()));
    }
    std::vector<float> all = values(e);
    for (dn_parameter* parameter : parameters)
      for (const float value : values(parameter)) all.push_back(value);
    return all;
  };
  const std::vector<float> one = train(1);
  for (const int count : {2, 4}) EXPECT_TRUE(until_shared([&] { EXPECT_EQ(one, train(count)); }));
}

TEST(Trainer, ParametersAddedLaterAreTrainedToo) {
  const ModelHandle model = new_model();
  dn_parameter* first = add(model, {1.0f}, "first");
  const TrainerHandle trainer = adam(model);
  add_gradient(first, {1});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  dn_parameter* second = add(model, {1.0f}, "second");
  add_gradient(second, {1});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  Reference expected{1};
  expected.adam(1, 2);
  EXPECT_NEAR(values(second)[0], expected.w, 1e-5);
}

TEST(Trainer, SettingsAreChecked) {
  const ModelHandle model = new_model();
  dn_trainer* made = nullptr;
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    expect_failure(dn_trainer_create_simple_sgd(model.get(), bad, &made), DN_E_ARGUMENT, {"learning rate"});
    expect_failure(dn_trainer_create_momentum_sgd(model.get(), 0.1, bad, &made), DN_E_ARGUMENT, {"momentum"});
    expect_failure(dn_trainer_create_adam(model.get(), 0.1, bad, 0.9, 1e-8, &made), DN_E_ARGUMENT, {"betas"});
    expect_failure(dn_trainer_create_adam(model.get(), 0.1, 0.9, bad, 1e-8, &made), DN_E_ARGUMENT, {"betas"});
    expect_failure(dn_trainer_create_adam(model.get(), 0.1, 0.9, 0.9, bad, &made), DN_E_ARGUMENT, {"epsilon"});
  }
  expect_failure(dn_trainer_create_momentum_sgd(model.get(), 0.1, 1, &made), DN_E_ARGUMENT, {"momentum of 1"});
  expect_failure(dn_trainer_create_simple_sgd(nullptr, 0.1, &made), DN_E_ARGUMENT, {"model is null"});
  expect_failure(dn_trainer_create_simple_sgd(model.get(), 0.1, nullptr), DN_E_ARGUMENT, {"out is null"});
  EXPECT_EQ(made, nullptr);

  const TrainerHandle trainer = new_sgd(model, kRate);
  double number = 0;
  ASSERT_OK(dn_trainer_set_learning_rate(trainer.get(), 0.5));
  ASSERT_OK(dn_trainer_learning_rate(trainer.get(), &number));
  EXPECT_EQ(number, 0.5);
  expect_failure(dn_trainer_set_learning_rate(trainer.get(), -0.5), DN_E_ARGUMENT, {"-0.5"});
  expect_failure(dn_trainer_set_clip_threshold(trainer.get(), -1), DN_E_ARGUMENT, {"-1"});
  expect_failure(dn_trainer_set_clip_threshold(trainer.get(), std::nan("")), DN_E_ARGUMENT, {"nan"});
  expect_failure(dn_trainer_update(nullptr), DN_E_ARGUMENT, {"trainer is null"});
  dn_trainer_free(nullptr);
}

TEST(Trainer, OutlivesItsModelsHandle) {
  ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f}, "W");
  const TrainerHandle trainer = new_sgd(model, kRate);
  model.reset();
  add_gradient(w, {1});
  EXPECT_OK(dn_trainer_update(trainer.get()));
  EXPECT_NEAR(values(w)[0], 1 - kRate, 1e-6);
}

}  // namespace
}  // namespace dynnet::test

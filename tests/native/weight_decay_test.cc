// Weight decay: of a model, and of sub-collections that have one of their own.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string_view>
#include <vector>

#include "dynnet/dynnet.h"
#include "graph_support.h"
#include "model_support.h"
#include "trainer_support.h"

namespace dynnet::test {
namespace {

constexpr double kLearningRate = 0.1;

TEST(WeightDecay, IsChecked) {
  const ModelHandle model = new_model();
  double lambda = -1;
  ASSERT_OK(dn_model_weight_decay(model.get(), &lambda));
  EXPECT_EQ(lambda, 0);
  ASSERT_OK(dn_model_set_weight_decay(model.get(), 0.25));
  ASSERT_OK(dn_model_weight_decay(model.get(), &lambda));
  EXPECT_EQ(lambda, 0.25);
  for (const double bad : {-0.1, 1.0, std::nan("")})
    expect_failure(dn_model_set_weight_decay(model.get(), bad), DN_E_ARGUMENT, {"weight decay"});
}

TEST(WeightDecay, OfASubcollectionIsTakenBackWithIt) {
  const ModelHandle model = new_model();
  ASSERT_OK(dn_model_set_weight_decay(model.get(), 0.25));
  dn_mark* noted = nullptr;
  ASSERT_OK(dn_mark_create(model.get(), &noted));
  const std::unique_ptr<dn_mark, Freer<dn_mark_free>> mark(noted);
  const ModelHandle gone = add_subcollection(model, "part");
  double lambda = -1;
  ASSERT_OK(dn_model_weight_decay(gone.get(), &lambda));
  EXPECT_EQ(lambda, 0.25);
  ASSERT_OK(dn_model_set_weight_decay(gone.get(), 0.5));
  ASSERT_OK(dn_model_weight_decay(gone.get(), &lambda));
  EXPECT_EQ(lambda, 0.5);
  ASSERT_OK(dn_model_weight_decay(model.get(), &lambda));
  EXPECT_EQ(lambda, 0.25);
  ASSERT_OK(dn_model_rollback(model.get(), mark.get()));
  expect_failure(dn_model_set_weight_decay(gone.get(), 0.5), DN_E_STATE, {"/part/", "taken back"});
  const ModelHandle again = add_subcollection(model, "part");
  ASSERT_OK(dn_model_weight_decay(again.get(), &lambda));
  EXPECT_EQ(lambda, 0.25);
}

TEST(WeightDecay, ShrinksEveryValue) {
  for (const bool sparse : {true, false}) {
    const ModelHandle model = new_model();
    dn_parameter* w = add(model, {1.0f}, "W");
    dn_parameter* unused = add(model, {1.0f}, "unused");
    dn_lookup_parameter* e = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
    dn_lookup_parameter* idle = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "idle");
    ASSERT_OK(dn_model_set_weight_decay(model.get(), 0.25));
    const TrainerHandle trainer = new_sgd(model, kLearningRate);
    ASSERT_OK(dn_trainer_set_sparse_updates(trainer.get(), sparse ? 1 : 0));
    const uint64_t version = unused->version;
    add_gradient(w, {1});
    add_row_gradient(e, 0, {1});
    ASSERT_OK(dn_trainer_update(trainer.get()));
    // First the step, then the decay, as in DyNet.
    EXPECT_NEAR(values(w)[0], 0.75 * (1 - kLearningRate), 1e-6);
    EXPECT_EQ(values(unused), (std::vector<float>{0.75f}));
    EXPECT_GT(unused->version, version);
    EXPECT_NEAR(values(e)[0], 0.75 * (1 - kLearningRate), 1e-6);
    EXPECT_EQ(values(e)[1], 0.75f);
    EXPECT_EQ(values(idle), (std::vector<float>{0.75f, 0.75f}));
    ASSERT_OK(dn_trainer_update(trainer.get()));
    EXPECT_EQ(values(unused), (std::vector<float>{0.5625f}));
  }
}

TEST(WeightDecay, IsThatOfTheInnermostCollectionThatHasOne) {
  for (const bool remembers : {false, true}) {
    const ModelHandle model = new_model();
    const ModelHandle kept = add_subcollection(model, "kept"), inner = add_subcollection(kept, "inner"),
                      other = add_subcollection(model, "other");
    dn_parameter* const parameters[] = {add(model, {1.0f}, "W"), add(kept, {1.0f}, "W"), add(inner, {1.0f}, "W"),
                                        add(other, {1.0f}, "W")};
    dn_lookup_parameter* const table = add_table(kept, 2, {1}, initializer(DN_INIT_CONSTANT, 1), "E");
    dn_parameter* const idle = add(inner, {1.0f}, "idle");
    ASSERT_OK(dn_model_set_weight_decay(model.get(), 0.5));
    ASSERT_OK(dn_model_set_weight_decay(kept.get(), 0));
    const TrainerHandle trainer = remembers ? new_momentum_sgd(model, kLearningRate) : new_sgd(model, kLearningRate);
    for (dn_parameter* parameter : parameters) add_gradient(parameter, {1});
    add_row_gradient(table, 0, {1});
    ASSERT_OK(dn_trainer_update(trainer.get()));
    const double step = 1 - kLearningRate;
    EXPECT_NEAR(values(parameters[0])[0], 0.5 * step, 1e-6);
    EXPECT_NEAR(values(parameters[1])[0], step, 1e-6);
    EXPECT_NEAR(values(parameters[2])[0], step, 1e-6) << "that of the collection around it";
    EXPECT_NEAR(values(parameters[3])[0], 0.5 * step, 1e-6);
    EXPECT_NEAR(values(table)[0], step, 1e-6);
    EXPECT_EQ(values(table)[1], 1);
    EXPECT_EQ(values(idle), (std::vector<float>{1}));
    // It is looked up at each update.
    ASSERT_OK(dn_model_set_weight_decay(inner.get(), 0.75));
    ASSERT_OK(dn_model_set_weight_decay(model.get(), 0));
    ASSERT_OK(dn_trainer_restart(trainer.get()));
    ASSERT_OK(dn_trainer_update(trainer.get()));
    EXPECT_NEAR(values(parameters[0])[0], 0.5 * step, 1e-6);
    EXPECT_NEAR(values(parameters[2])[0], 0.25 * step, 1e-6);
    EXPECT_EQ(values(idle), (std::vector<float>{0.25f}));
  }
}

TEST(WeightDecay, IsThatAroundTheTrainersOwnCollection) {
  const ModelHandle model = new_model();
  const ModelHandle part = add_subcollection(model, "part");
  dn_parameter* w = add(part, {1.0f}, "W");
  ASSERT_OK(dn_model_set_weight_decay(model.get(), 0.25));
  const TrainerHandle trainer = new_sgd(part, kLearningRate);
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(values(w), (std::vector<float>{0.75f}));
}

}  // namespace
}  // namespace dynnet::test

// Gradient sets: dense and sparse sums, resets, merges, locks.
#include "nn/gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "dynnet/dynnet.h"
#include "model_support.h"

namespace dynnet::test {
namespace {

GradientsHandle new_set(const ModelHandle& model) {
  dn_gradients* set = nullptr;
  EXPECT_OK(dn_gradients_create(model.get(), &set));
  return GradientsHandle(set);
}

class Gradients : public testing::Test {
 protected:
  ModelHandle model_ = new_model();
  dn_parameter* w_ = add(model_, {2}, kZero, "W");
  dn_lookup_parameter* e_ = add_table(model_, 10, {2}, kZero, "E");
  GradientSet& own_ = w_->storage->gradients();
};

TEST_F(Gradients, AreZeroBeforeAnyBackward) {
  EXPECT_FALSE(own_.has(*w_));
  EXPECT_EQ(gradient(w_), (std::vector<float>{0, 0}));
  EXPECT_FALSE(own_.has(*w_)) << "reading must not make a gradient";
  EXPECT_EQ(row_gradient(e_, 9), (std::vector<float>{0, 0}));
}

TEST_F(Gradients, AccumulateUntilReset) {
  add_gradient(w_, {1, 2});
  add_gradient(w_, {10, 20});
  EXPECT_TRUE(own_.has(*w_));
  EXPECT_EQ(gradient(w_), (std::vector<float>{11, 22}));
  ASSERT_OK(dn_model_reset_gradients(model_.get()));
  EXPECT_FALSE(own_.has(*w_));
  EXPECT_EQ(gradient(w_), (std::vector<float>{0, 0}));
  add_gradient(w_, {3, 4});
  EXPECT_EQ(gradient(w_), (std::vector<float>{3, 4}));
}

TEST_F(Gradients, TheFirstWriterMayOverwrite) {
  add_gradient(w_, {1, 2});
  own_.reset();
  bool fresh = false;
  float* to = own_.begin(*w_, &fresh);
  EXPECT_TRUE(fresh);
  to[0] = 5;
  to[1] = 6;
  EXPECT_EQ(own_.begin(*w_, &fresh), to);
  EXPECT_FALSE(fresh);
  EXPECT_EQ(gradient(w_), (std::vector<float>{5, 6}));
}

TEST_F(Gradients, AReadBetweenResetAndWriteLosesNothing) {
  add_gradient(w_, {1, 2});
  own_.reset();
  EXPECT_EQ(gradient(w_), (std::vector<float>{0, 0}));
  bool fresh = false;
  float* to = own_.begin(*w_, &fresh);
  EXPECT_TRUE(fresh);
  to[0] = to[1] = 7;
  EXPECT_EQ(gradient(w_), (std::vector<float>{7, 7}));
}

TEST_F(Gradients, OneThatMayBeWrittenNowIsNotTakenForZeros) {
  const float* read = nullptr;
  int64_t count = 0;
  {
    const GradientLock lock(own_, "test");
    std::fill_n(own_.place(*w_), 2, 3.0f);
    expect_failure(dn_parameter_gradient(w_, &read, &count), DN_E_BUSY, {"W", "another call"});
    own_.keep(*w_);
    EXPECT_OK(dn_parameter_gradient(w_, &read, &count));
    EXPECT_EQ(read[1], 3.0f);
    // Rows move as they come.
    std::vector<float> row(static_cast<size_t>(e_->row_size()));
    expect_failure(dn_lookup_parameter_row_gradient(e_, 1, row.data(), e_->row_size()), DN_E_BUSY,
                   {"row 1", e_->name, "another call"});
  }
  own_.reset();
  EXPECT_EQ(gradient(w_), (std::vector<float>{0, 0}));
  {
    const GradientLock lock(own_, "test");
    std::fill_n(own_.place(*w_), 2, 4.0f);
    own_.keep(*w_);
  }
  own_.reset();
  EXPECT_EQ(gradient(w_), (std::vector<float>{0, 0}));
}

TEST_F(Gradients, StayWhereTheyAre) {
  const float* before = nullptr;
  int64_t count = 0;
  ASSERT_OK(dn_parameter_gradient(w_, &before, &count));
  for (int i = 0; i < 100; ++i) add(model_, {2}, kZero);
  add_gradient(parameter_at(model_, 100), {1, 1});
  add_gradient(w_, {1, 2});
  own_.reset();
  const float* after = nullptr;
  ASSERT_OK(dn_parameter_gradient(w_, &after, &count));
  EXPECT_EQ(before, after);
}

TEST_F(Gradients, RowsAreSummedInTheOrderGiven) {
  // In float, 1e8 + 1 - 1e8 is 0 and 1e8 - 1e8 + 1 is 1.
  const float big[] = {1e8f, 1e8f};
  const float one[] = {1, 1};
  const float minus[] = {-1e8f, -1e8f};
  const int32_t rows[] = {3, 7, 3, 3};
  const float* const lost[] = {big, one, one, minus};
  own_.add_rows(*e_, rows, lost, 4);
  EXPECT_EQ(own_.rows(*e_), (std::vector<int32_t>{3, 7}));
  EXPECT_EQ(row_gradient(e_, 3), (std::vector<float>{0, 0}));
  EXPECT_EQ(row_gradient(e_, 7), (std::vector<float>{1, 1}));
  own_.reset();
  EXPECT_TRUE(own_.rows(*e_).empty());
  const float* const kept[] = {big, one, minus, one};
  own_.add_rows(*e_, rows, kept, 4);
  EXPECT_EQ(row_gradient(e_, 3), (std::vector<float>{1, 1}));
}

TEST_F(Gradients, RowsGrowToTheWholeTable) {
  for (int32_t i = 9; i >= 0; --i) add_row_gradient(e_, i, {static_cast<float>(i), 1});
  EXPECT_EQ(own_.rows(*e_).size(), 10u);
  for (int32_t i = 0; i < 10; ++i) EXPECT_EQ(row_gradient(e_, i), (std::vector<float>{static_cast<float>(i), 1}));
  ASSERT_OK(dn_model_reset_gradients(model_.get()));
  EXPECT_EQ(own_.row(*e_, 4), nullptr);
}

TEST_F(Gradients, RowsAreChecked) {
  float two[2];
  expect_failure(dn_lookup_parameter_row_gradient(e_, 10, two, 2), DN_E_INDEX, {"/E has no row 10"});
  expect_failure(dn_lookup_parameter_row_gradient(e_, -1, two, 2), DN_E_INDEX, {"-1"});
  expect_failure(dn_lookup_parameter_row_gradient(e_, 0, two, 1), DN_E_SHAPE, {"2 values needed, 1 given"});
}

TEST_F(Gradients, AResetOfASubcollectionLeavesTheRest) {
  const ModelHandle encoder = add_subcollection(model_, "encoder");
  dn_parameter* inner = add(encoder, {1}, kZero, "b");
  add_gradient(w_, {1, 2});
  add_gradient(inner, {3});
  add_row_gradient(e_, 0, {4, 5});
  ASSERT_OK(dn_model_reset_gradients(encoder.get()));
  EXPECT_EQ(gradient(inner), (std::vector<float>{0}));
  EXPECT_EQ(gradient(w_), (std::vector<float>{1, 2}));
  EXPECT_EQ(row_gradient(e_, 0), (std::vector<float>{4, 5}));
}

TEST_F(Gradients, MergeAddsAndResetsTheOther) {
  dn_parameter* other_only = add(model_, {1}, kZero, "b");
  const GradientsHandle set = new_set(model_);
  add_gradient(w_, {1, 2});
  add_row_gradient(e_, 5, {1, 1});
  add_gradient(set->set, w_, {10, 20});
  add_gradient(set->set, other_only, {7});
  add_row_gradient(set->set, e_, 5, {2, 2});
  add_row_gradient(set->set, e_, 6, {3, 3});
  own_.merge(set->set);
  EXPECT_EQ(gradient(w_), (std::vector<float>{11, 22}));
  EXPECT_EQ(gradient(other_only), (std::vector<float>{7}));
  EXPECT_EQ(row_gradient(e_, 5), (std::vector<float>{3, 3}));
  EXPECT_EQ(row_gradient(e_, 6), (std::vector<float>{3, 3}));
  EXPECT_FALSE(set->set.has(*w_));
  EXPECT_TRUE(set->set.rows(*e_).empty());
}

TEST_F(Gradients, AMergeWithoutMemoryChangesNothing) {
  const LimitRestorer restore;
  dn_lookup_parameter* large = add_table(model_, 1000, {1000}, kZero, "large");
  const GradientsHandle set = new_set(model_);
  add_gradient(set->set, w_, {10, 20});
  for (int32_t i = 0; i < 500; ++i) add_row_gradient(set->set, large, i, std::vector<float>(1000, 1.0f));
  set_memory_limit(memory_used() + 10000);
  EXPECT_THROW(own_.merge(set->set), Error);
  EXPECT_FALSE(own_.has(*w_));
  EXPECT_TRUE(own_.rows(*large).empty());
  EXPECT_TRUE(set->set.has(*w_));
  EXPECT_EQ(set->set.rows(*large).size(), 500u);
}

TEST_F(Gradients, ASetOfItsOwn) {
  const GradientsHandle set = new_set(model_);
  add_gradient(set->set, w_, {1, 2});
  const float* data = nullptr;
  int64_t count = 0;
  ASSERT_OK(dn_gradients_parameter(set.get(), w_, &data, &count));
  EXPECT_EQ(std::vector<float>(data, data + count), (std::vector<float>{1, 2}));
  EXPECT_EQ(gradient(w_), (std::vector<float>{0, 0}));
  ASSERT_OK(dn_gradients_reset(set.get()));
  ASSERT_OK(dn_gradients_parameter(set.get(), w_, &data, &count));
  EXPECT_EQ(std::vector<float>(data, data + count), (std::vector<float>{0, 0}));

  const ModelHandle stranger = new_model();
  expect_failure(dn_gradients_parameter(set.get(), add(stranger, {2}, kZero, "S"), &data, &count), DN_E_ARGUMENT,
                 {"/S", "another model"});
  expect_failure(dn_gradients_create(nullptr, nullptr), DN_E_ARGUMENT, {"null"});
  expect_failure(dn_gradients_parameter(set.get(), nullptr, &data, &count), DN_E_ARGUMENT, {"null"});
  dn_gradients_free(nullptr);
}

TEST_F(Gradients, ASetOutlivesItsModel) {
  GradientsHandle set = new_set(model_);
  model_.reset();
  add_gradient(set->set, w_, {1, 2});
  EXPECT_TRUE(set->set.has(*w_));
}

TEST_F(Gradients, OneWriterAtATime) {
  const GradientsHandle set = new_set(model_);
  ASSERT_TRUE(own_.try_lock());
  EXPECT_FALSE(own_.try_lock());
  expect_failure(dn_model_reset_gradients(model_.get()), DN_E_BUSY, {"another call"});
  EXPECT_OK(dn_gradients_reset(set.get()));
  own_.unlock();
  EXPECT_OK(dn_model_reset_gradients(model_.get()));
  ASSERT_TRUE(set->set.try_lock());
  expect_failure(dn_gradients_reset(set.get()), DN_E_BUSY, {"another call"});
  set->set.unlock();
}

TEST_F(Gradients, DifferentParametersMayBeWrittenSideBySide) {
  constexpr int kParameters = 64;
  for (int i = 1; i < kParameters; ++i) add(model_, {2}, kZero);
  const GradientLock lock(own_, "test");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < kParameters; i += 4)
        own_.accumulate(*w_->storage->parameters()[i])[0] = static_cast<float>(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kParameters; ++i)
    EXPECT_EQ(gradient(parameter_at(model_, i)), (std::vector<float>{static_cast<float>(i), 0}));
}

}  // namespace
}  // namespace dynnet::test

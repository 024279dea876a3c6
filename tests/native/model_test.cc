// Models: names, shapes, first values, views of sub-collections, packed copies.
#include "nn/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "dynnet/dynnet.h"
#include "memory/memory.h"
#include "model_support.h"
#include "special.h"

namespace dynnet::test {
namespace {

dn_status try_add(const ModelHandle& model, const dn_dim& shape, const dn_initializer& init, std::string_view name) {
  dn_parameter* parameter = nullptr;
  return dn_model_add_parameters(model.get(), &shape, &init, name.data(), static_cast<int64_t>(name.size()),
                                 &parameter);
}

TEST(ModelNames, AreMadeUniqueAsInDyNet) {
  const ModelHandle model = new_model();
  EXPECT_EQ(name(add(model, {2}, kZero, "W")), "/W");
  EXPECT_EQ(name(add(model, {2}, kZero, "W")), "/W_1");
  EXPECT_EQ(name(add(model, {2}, kZero, "W")), "/W_2");
  EXPECT_EQ(name(add(model, {2}, kZero)), "/_0");
  EXPECT_EQ(name(add(model, {2}, kZero)), "/_1");
  // Tables share the names of parameters.
  EXPECT_EQ(name(add_table(model, 3, {2}, kZero)), "/_2");
  EXPECT_EQ(name(add_table(model, 3, {2}, kZero, "W")), "/W_3");
}

TEST(ModelNames, ANumberedNameThatIsInUseIsPassedOver) {
  const ModelHandle model = new_model();
  EXPECT_EQ(name(add(model, {2}, kZero, "W_1")), "/W_1");
  EXPECT_EQ(name(add(model, {2}, kZero, "W")), "/W");
  EXPECT_EQ(name(add(model, {2}, kZero, "W")), "/W_2");
  EXPECT_EQ(name(add(model, {2}, kZero, "_0")), "/_0");
  EXPECT_EQ(name(add(model, {2}, kZero)), "/_1");
}

TEST(ModelNames, SubcollectionsNumberTheirOwn) {
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  const ModelHandle second = add_subcollection(model, "encoder");
  const ModelHandle inner = add_subcollection(encoder, "");
  EXPECT_EQ(path(model), "/");
  EXPECT_EQ(path(encoder), "/encoder/");
  EXPECT_EQ(path(second), "/encoder_1/");
  EXPECT_EQ(path(inner), "/encoder/_0/");
  EXPECT_EQ(name(add(encoder, {2}, kZero)), "/encoder/_0");
  EXPECT_EQ(name(add(encoder, {2}, kZero)), "/encoder/_1");
  EXPECT_EQ(name(add(second, {2}, kZero, "W")), "/encoder_1/W");
  EXPECT_EQ(name(add(inner, {2}, kZero, "W")), "/encoder/_0/W");
  // A parameter and a sub-collection may have one name.
  EXPECT_EQ(name(add(model, {2}, kZero, "encoder")), "/encoder");
}

TEST(ModelNames, AreChecked) {
  const ModelHandle model = new_model();
  for (const char* bad : {"a/b", "a b", "a\tb", "a\n", "\x01"})
    expect_failure(try_add(model, dim({2}), kZero, bad), DN_E_ARGUMENT, {"name"});
  dn_model* child = nullptr;
  expect_failure(dn_model_add_subcollection(model.get(), "/", 1, &child), DN_E_ARGUMENT, {"sub-collection"});
  expect_failure(dn_model_add_subcollection(model.get(), nullptr, 1, &child), DN_E_ARGUMENT, {"null"});
  expect_failure(dn_model_add_subcollection(model.get(), "a", -1, &child), DN_E_ARGUMENT, {"negative"});
  EXPECT_EQ(child, nullptr);
  EXPECT_EQ(name(add(model, {2}, kZero, "größe")), "/größe");
}

TEST(ModelNames, AFailureUsesNoNameUp) {
  const LimitRestorer restore;
  set_memory_limit(std::min(memory_limit(), int64_t{1} << 36));
  const ModelHandle model = new_model();
  expect_failure(try_add(model, dim({1u << 20, 1u << 18}), kZero, "W"), DN_E_MEMORY,
                 {"/W", "1099511627776 bytes asked for", "in use", "limit"});
  expect_failure(try_add(model, dim({2}), initializer(DN_INIT_CONSTANT, NAN), "W"), DN_E_ARGUMENT, {"/W", "nan"});
  EXPECT_EQ(parameters_count(model), 0);
  EXPECT_EQ(name(add(model, {2}, kZero, "W")), "/W");
}

TEST(Model, ShapesAreChecked) {
  const LimitRestorer restore;
  set_memory_limit(std::min(memory_limit(), int64_t{1} << 36));
  const ModelHandle model = new_model();
  expect_failure(try_add(model, dim({2}, 3), kZero, "W"), DN_E_ARGUMENT, {"batch", "{2}X3"});
  expect_failure(try_add(model, dim({2, 0}), kZero, "W"), DN_E_ARGUMENT, {"0"});
  dn_lookup_parameter* table = nullptr;
  const dn_dim row = dim({2});
  expect_failure(dn_model_add_lookup_parameters(model.get(), 0, &row, &kZero, "E", 1, &table), DN_E_ARGUMENT,
                 {"0 rows"});
  expect_failure(dn_model_add_lookup_parameters(model.get(), int64_t{1} << 31, &row, &kZero, "E", 1, &table),
                 DN_E_ARGUMENT, {"rows"});
  const dn_dim deep = dim({1, 1, 1, 1, 1, 1, 2});
  expect_failure(dn_model_add_lookup_parameters(model.get(), 2, &deep, &kZero, "E", 1, &table), DN_E_ARGUMENT, {"6"});
  const dn_dim wide = dim({1u << 20});
  expect_failure(dn_model_add_lookup_parameters(model.get(), 1 << 30, &wide, &kZero, "E", 1, &table), DN_E_MEMORY,
                 {"2^40"});
  expect_failure(dn_model_add_lookup_parameters(model.get(), 1 << 20, &wide, &kZero, "E", 1, &table), DN_E_MEMORY,
                 {"4398046511104 bytes asked for"});
  EXPECT_EQ(table, nullptr);
}

TEST(Model, NullsAreErrors) {
  const ModelHandle model = new_model();
  const dn_dim shape = dim({2});
  dn_parameter* parameter = nullptr;
  expect_failure(dn_model_create(1, nullptr), DN_E_ARGUMENT, {"out is null"});
  expect_failure(dn_model_add_parameters(nullptr, &shape, &kZero, "", 0, &parameter), DN_E_ARGUMENT, {"model is null"});
  expect_failure(dn_model_add_parameters(model.get(), nullptr, &kZero, "", 0, &parameter), DN_E_ARGUMENT, {"null"});
  expect_failure(dn_model_add_parameters(model.get(), &shape, nullptr, "", 0, &parameter), DN_E_ARGUMENT,
                 {"initializer is null"});
  expect_failure(dn_model_add_parameters(model.get(), &shape, &kZero, "", 0, nullptr), DN_E_ARGUMENT, {"out is null"});
  expect_failure(dn_parameter_values(nullptr, nullptr, nullptr), DN_E_ARGUMENT, {"null"});
  EXPECT_EQ(parameters_count(model), 0);
  dn_model_free(nullptr);
}

TEST(Model, AViewShowsWhatLiesBelowItsPath) {
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  add(model, {2, 3}, kZero, "W");
  add(encoder, {4}, kZero, "b");
  add_table(encoder, 5, {2}, kZero, "E");
  add(model, {1}, kZero, "encoder");
  EXPECT_EQ(parameters_count(model), 3);
  EXPECT_EQ(parameters_count(encoder), 1);
  EXPECT_EQ(name(parameter_at(model, 1)), "/encoder/b");
  EXPECT_EQ(name(parameter_at(encoder, 0)), "/encoder/b");
  EXPECT_EQ(name(table_at(encoder, 0)), "/encoder/E");
  int64_t count = 0;
  ASSERT_OK(dn_model_values_count(model.get(), &count));
  EXPECT_EQ(count, 6 + 4 + 10 + 1);
  ASSERT_OK(dn_model_values_count(encoder.get(), &count));
  EXPECT_EQ(count, 14);
  ASSERT_OK(dn_model_lookup_parameters_count(model.get(), &count));
  EXPECT_EQ(count, 1);
  dn_parameter* none = nullptr;
  expect_failure(dn_model_parameter_at(encoder.get(), 1, &none), DN_E_INDEX, {"parameter 1", "/encoder/ has 1"});
  expect_failure(dn_model_parameter_at(encoder.get(), -1, &none), DN_E_INDEX, {"parameter -1"});
}

TEST(Model, ASubcollectionKeepsTheParametersAlive) {
  const int64_t before = memory_used();
  ModelHandle model = new_model();
  ModelHandle encoder = add_subcollection(model, "encoder");
  dn_parameter* parameter = add(model, {1.0f, 2.0f}, "W");
  model.reset();
  EXPECT_EQ(values(parameter), (std::vector<float>{1, 2}));
  encoder.reset();
  EXPECT_EQ(memory_used(), before);
}

TEST(Model, SubcollectionsAreListedInTheirOrder) {
  const ModelHandle model = new_model();
  const ModelHandle z = add_subcollection(model, "z");
  const ModelHandle a = add_subcollection(model, "a");
  const ModelHandle inner = add_subcollection(z, "inner");
  add(a, {2}, kZero, "W");
  add(inner, {2}, kZero, "W");
  EXPECT_EQ(subcollections(model), (std::vector<std::string>{"/z/", "/a/", "/z/inner/"}));
  EXPECT_EQ(subcollections(z), (std::vector<std::string>{"/z/inner/"}));
  EXPECT_TRUE(subcollections(inner).empty());
  ModelHandle loaded;
  ASSERT_OK(load_from(text_of(model), &loaded));
  EXPECT_EQ(subcollections(loaded), (std::vector<std::string>{"/a/", "/z/", "/z/inner/"}));
  dn_model* part = nullptr;
  expect_failure(dn_model_subcollection_at(z.get(), 1, &part), DN_E_INDEX, {"/z/", "has 1"});
  const auto find = [](const ModelHandle& in, std::string_view wanted) {
    dn_model* found = nullptr;
    EXPECT_OK(dn_model_find_subcollection(in.get(), wanted.data(), static_cast<int64_t>(wanted.size()), &found));
    return found == nullptr ? "" : path(ModelHandle(found));
  };
  for (const char* each : {"/z/", "/a/", "/z/inner/"}) EXPECT_EQ(find(model, each), each);
  EXPECT_EQ(find(z, "/z/inner/"), "/z/inner/");
  for (const char* other : {"/z/", "/a/", "/", "", "/z/inner", "/z/other/"}) EXPECT_EQ(find(z, other), "") << other;
  expect_failure(dn_model_subcollection_at(z.get(), -1, &part), DN_E_INDEX, {"-1"});
  EXPECT_EQ(part, nullptr);
}

TEST(Model, ParametersAnswerForThemselves) {
  const ModelHandle model = new_model();
  dn_parameter* parameter = add(model, {3, 2}, kZero, "W");
  dn_lookup_parameter* table = add_table(model, 4, {2}, kZero, "E");
  dn_dim shape{};
  ASSERT_OK(dn_parameter_dim(parameter, &shape));
  EXPECT_EQ(shape.nd, 2u);
  EXPECT_EQ(shape.d[0], 3u);
  EXPECT_EQ(shape.d[1], 2u);
  ASSERT_OK(dn_lookup_parameter_dim(table, &shape));
  EXPECT_EQ(shape.nd, 1u);
  int64_t rows = 0;
  ASSERT_OK(dn_lookup_parameter_rows(table, &rows));
  EXPECT_EQ(rows, 4);
}

TEST(Model, SettingValuesAdvancesTheVersion) {
  const ModelHandle model = new_model();
  dn_parameter* parameter = add(model, {0.0f, 0.0f}, "W");
  dn_lookup_parameter* table = add_table(model, 2, {2}, kZero, "E");
  const uint64_t version = parameter->version;
  const float two[] = {1, 2};
  ASSERT_OK(dn_parameter_set_values(parameter, two, 2));
  EXPECT_EQ(values(parameter), (std::vector<float>{1, 2}));
  EXPECT_GT(parameter->version, version);
  expect_failure(dn_parameter_set_values(parameter, two, 1), DN_E_SHAPE, {"/W", "2 values needed, 1 given"});
  expect_failure(dn_parameter_set_values(parameter, nullptr, 2), DN_E_ARGUMENT, {"null"});

  const uint64_t table_version = table->version;
  ASSERT_OK(dn_lookup_parameter_set_row(table, 1, two, 2));
  EXPECT_EQ(values(table), (std::vector<float>{0, 0, 1, 2}));
  EXPECT_GT(table->version, table_version);
  const float four[] = {5, 6, 7, 8};
  ASSERT_OK(dn_lookup_parameter_set_values(table, four, 4));
  EXPECT_EQ(values(table), (std::vector<float>{5, 6, 7, 8}));
  expect_failure(dn_lookup_parameter_set_row(table, 2, two, 2), DN_E_INDEX, {"/E has no row 2", "2"});
  expect_failure(dn_lookup_parameter_set_row(table, -1, two, 2), DN_E_INDEX, {"-1"});
  expect_failure(dn_lookup_parameter_set_row(table, 0, two, 1), DN_E_SHAPE, {"2 values needed"});
  expect_failure(dn_lookup_parameter_set_values(table, two, 2), DN_E_SHAPE, {"4 values needed"});
}

TEST(Initializers, OneSeedGivesOneModel) {
  const auto draw = [](uint64_t seed) {
    const ModelHandle model = new_model(seed);
    std::vector<float> all = values(add(model, {5, 7}, kGlorot));
    for (const float value : values(add(model, {5, 7}, kGlorot))) all.push_back(value);
    for (const float value : values(add_table(model, 5, {7}, kGlorot))) all.push_back(value);
    return all;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
  const std::vector<float> all = draw(7);
  EXPECT_NE(std::vector<float>(all.begin(), all.begin() + 35), std::vector<float>(all.begin() + 35, all.begin() + 70));
  EXPECT_NE(std::vector<float>(all.begin(), all.begin() + 35), std::vector<float>(all.begin() + 70, all.end()));
}

TEST(Initializers, TablesDoNotChangeParameters) {
  const ModelHandle plain = new_model(3);
  const ModelHandle mixed = new_model(3);
  add_table(mixed, 2, {2}, kGlorot);
  EXPECT_EQ(values(add(plain, {4, 4}, kGlorot)), values(add(mixed, {4, 4}, kGlorot)));
}

// The largest magnitude of many uniform draws is near the scale.
void expect_scale(const std::vector<float>& drawn, double scale) {
  double largest = 0;
  for (const float value : drawn) largest = std::max(largest, static_cast<double>(std::abs(value)));
  EXPECT_LE(largest, scale * 1.0001);
  EXPECT_GE(largest, scale * 0.99);
}

TEST(Initializers, GlorotScalesAreDyNets) {
  const ModelHandle model = new_model();
  expect_scale(values(add(model, {100, 50}, kGlorot)), std::sqrt(6.0 / 150));
  expect_scale(values(add(model, {2000}, kGlorot)), std::sqrt(3.0 / 2000));
  expect_scale(values(add(model, {20, 10, 30}, kGlorot)), std::sqrt(9.0 / 60));
  expect_scale(values(add(model, {3, 5, 10, 20}, kGlorot)), std::sqrt(6.0 / (15 * 30)));
  expect_scale(values(add(model, {100, 50}, initializer(DN_INIT_GLOROT, 2))), 2 * std::sqrt(6.0 / 150));
  // A table's rows are drawn alike, however many there are.
  expect_scale(values(add_table(model, 500, {10}, kGlorot)), std::sqrt(3.0 / 10));
  expect_scale(values(add_table(model, 500, {10, 5}, kGlorot)), std::sqrt(6.0 / 15));
}

TEST(Initializers, Uniform) {
  const ModelHandle model = new_model();
  double sum = 0;
  for (const float value : values(add(model, {10000}, initializer(DN_INIT_UNIFORM, 2, 3)))) {
    ASSERT_GE(value, 2.0f);
    ASSERT_LT(value, 3.0f);
    sum += value;
  }
  EXPECT_NEAR(sum / 10000, 2.5, 0.02);
  for (const float value : values(add(model, {3}, initializer(DN_INIT_UNIFORM, 2, 2)))) EXPECT_EQ(value, 2.0f);
}

TEST(Initializers, Normal) {
  const ModelHandle model = new_model();
  double sum = 0;
  double squares = 0;
  for (const float value : values(add(model, {10000}, initializer(DN_INIT_NORMAL, 1, 3)))) {
    sum += value;
    squares += (value - 1.0) * (value - 1.0);
  }
  EXPECT_NEAR(sum / 10000, 1, 0.15);
  EXPECT_NEAR(std::sqrt(squares / 10000), 3, 0.15);
}

TEST(Initializers, ConstantIdentityAndValues) {
  const ModelHandle model = new_model();
  const dn_initializer identity = initializer(DN_INIT_IDENTITY);
  EXPECT_EQ(values(add(model, {2}, initializer(DN_INIT_CONSTANT, 0.5))), (std::vector<float>{0.5f, 0.5f}));
  EXPECT_EQ(values(add(model, {2, 2}, identity)), (std::vector<float>{1, 0, 0, 1}));
  EXPECT_EQ(values(add_table(model, 2, {2}, identity)), (std::vector<float>{1, 0, 0, 1}));
  EXPECT_EQ(values(add(model, std::vector<float>{3, 4, 5})), (std::vector<float>{3, 4, 5}));
  const std::vector<float> table_values{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(values(add_table(model, 3, {2}, values_of(table_values))), table_values);
}

TEST(Initializers, AreChecked) {
  const ModelHandle model = new_model();
  const dn_dim two = dim({2});
  expect_failure(try_add(model, dim({2, 3}), initializer(DN_INIT_IDENTITY), "W"), DN_E_SHAPE,
                 {"/W", "square", "{2,3}"});
  expect_failure(try_add(model, two, initializer(DN_INIT_GLOROT, kInfinity), "W"), DN_E_ARGUMENT, {"gain", "inf"});
  expect_failure(try_add(model, two, initializer(DN_INIT_UNIFORM, 1, 0), "W"), DN_E_ARGUMENT, {"[1, 0)"});
  expect_failure(try_add(model, two, initializer(DN_INIT_NORMAL, 0, -1), "W"), DN_E_ARGUMENT, {"-1"});
  expect_failure(try_add(model, two, initializer(static_cast<dn_initializer_kind>(99)), "W"), DN_E_ARGUMENT, {"99"});
  const std::vector<float> three{1, 2, 3};
  expect_failure(try_add(model, two, values_of(three), "W"), DN_E_SHAPE, {"/W", "2 values needed, 3 given"});
  expect_failure(try_add(model, two, initializer(DN_INIT_VALUES), "W"), DN_E_ARGUMENT, {"null"});
  dn_lookup_parameter* table = nullptr;
  const dn_initializer identity = initializer(DN_INIT_IDENTITY);
  expect_failure(dn_model_add_lookup_parameters(model.get(), 3, &two, &identity, "E", 1, &table), DN_E_SHAPE,
                 {"3 rows of {2}"});
  EXPECT_EQ(parameters_count(model), 0);
}

TEST(PackedTranspose, FollowsTheVersion) {
  const ModelHandle model = new_model();
  // {2, 3}: columns (1, 2), (3, 4), (5, 6)
  dn_parameter* parameter = add(model, {2, 3}, values_of({1, 2, 3, 4, 5, 6}), "W");
  const float* packed = parameter->packed_transpose();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(packed) % 64, 0u);
  // A strip of 16 rows of the {3, 2} transpose, step 16.
  EXPECT_EQ(packed[0], 1.0f);
  EXPECT_EQ(packed[1], 3.0f);
  EXPECT_EQ(packed[2], 5.0f);
  EXPECT_EQ(packed[3], 0.0f);
  EXPECT_EQ(packed[16], 2.0f);
  EXPECT_EQ(parameter->packed_transpose(), packed);
  const float changed[] = {7, 8, 9, 10, 11, 12};
  ASSERT_OK(dn_parameter_set_values(parameter, changed, 6));
  EXPECT_EQ(parameter->packed_transpose()[1], 9.0f);
}

TEST(Packed, FollowsTheVersion) {
  const ModelHandle model = new_model();
  // {2, 3}: columns (1, 2), (3, 4), (5, 6)
  dn_parameter* parameter = add(model, {2, 3}, values_of({1, 2, 3, 4, 5, 6}), "W");
  const float* packed = parameter->packed();
  EXPECT_EQ(packed[0], 1.0f);
  EXPECT_EQ(packed[1], 2.0f);
  EXPECT_EQ(packed[2], 0.0f);
  EXPECT_EQ(packed[16], 3.0f);
  EXPECT_EQ(packed[33], 6.0f);
  EXPECT_NE(parameter->packed_transpose(), packed);
  const float changed[] = {7, 8, 9, 10, 11, 12};
  ASSERT_OK(dn_parameter_set_values(parameter, changed, 6));
  EXPECT_EQ(parameter->packed()[1], 8.0f);
}

TEST(Packed, IsWorthItAfterSomeColumnsOfOneVersion) {
  const ModelHandle model = new_model();
  dn_parameter* parameter = add(model, {2, 3}, kGlorot, "W");
  EXPECT_FALSE(parameter->is_worth_packing(1));
  EXPECT_FALSE(parameter->is_worth_packing(14));
  const float changed[] = {7, 8, 9, 10, 11, 12};
  ASSERT_OK(dn_parameter_set_values(parameter, changed, 6));
  EXPECT_FALSE(parameter->is_worth_packing(15));
  EXPECT_TRUE(parameter->is_worth_packing(1));
  ASSERT_OK(dn_parameter_set_values(parameter, changed, 6));
  EXPECT_TRUE(parameter->is_worth_packing(100));
  // What is packed is read, however few the columns.
  ASSERT_NE(parameter->packed(), nullptr);
  EXPECT_TRUE(parameter->is_worth_packing(1));
}

TEST(PackedTranspose, ManyThreadsMayAskAtOnce) {
  const ModelHandle model = new_model();
  dn_parameter* parameter = add(model, {64, 48}, kGlorot, "W");
  for (int round = 0; round < 50; ++round) {
    std::vector<float> next(64 * 48, static_cast<float>(round));
    ASSERT_OK(dn_parameter_set_values(parameter, next.data(), static_cast<int64_t>(next.size())));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const float* packed = parameter->packed_transpose();
        for (int j = 0; j < 48 * 64; ++j) EXPECT_EQ(packed[j], static_cast<float>(round));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace dynnet::test

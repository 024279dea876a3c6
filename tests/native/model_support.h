// Handles and shorthands for tests of models, gradients and trainers through the C ABI.
#ifndef DYNNET_TESTS_MODEL_SUPPORT_H_
#define DYNNET_TESTS_MODEL_SUPPORT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dynnet/dynnet.h"
#include "memory/memory.h"
#include "nn/gradients.h"
#include "nn/model.h"

namespace dynnet::test {

inline std::string last_error() {
  int64_t length = 0;
  const char* text = dn_last_error(&length);
  return {text, static_cast<size_t>(length)};
}

/// Expects a status, and that the message contains every one of the words.
inline void expect_failure(dn_status status, dn_status expected, std::initializer_list<std::string_view> words) {
  EXPECT_EQ(status, expected) << last_error();
  for (const std::string_view word : words) EXPECT_NE(last_error().find(word), std::string::npos) << last_error();
}

#define EXPECT_OK(call) EXPECT_EQ(call, DN_OK) << ::dynnet::test::last_error()
#define ASSERT_OK(call) ASSERT_EQ(call, DN_OK) << ::dynnet::test::last_error()

inline constexpr int64_t kTerabyte = int64_t{1} << 40;

/// Restores the default memory limit when a test ends.
struct LimitRestorer {
  ~LimitRestorer() { set_memory_limit(0); }
};

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
using ModelHandle = std::unique_ptr<dn_model, Freer<dn_model_free>>;
using TrainerHandle = std::unique_ptr<dn_trainer, Freer<dn_trainer_free>>;
using GradientsHandle = std::unique_ptr<dn_gradients, Freer<dn_gradients_free>>;

inline dn_dim dim(std::initializer_list<uint32_t> sizes, uint32_t batch = 1) { return to_c(Dim(sizes, batch)); }

inline dn_initializer initializer(dn_initializer_kind kind, double a = 0, double b = 0) {
  dn_initializer result{};
  result.kind = kind;
  result.a = a;
  result.b = b;
  return result;
}

inline const dn_initializer kGlorot = initializer(DN_INIT_GLOROT, 1);
inline const dn_initializer kZero = initializer(DN_INIT_CONSTANT, 0);

inline dn_initializer values_of(const std::vector<float>& values) {
  dn_initializer result = initializer(DN_INIT_VALUES);
  result.values = values.data();
  result.values_count = static_cast<int64_t>(values.size());
  return result;
}

inline ModelHandle new_model(uint64_t seed = 1) {
  dn_model* model = nullptr;
  EXPECT_OK(dn_model_create(seed, &model));
  return ModelHandle(model);
}

inline TrainerHandle new_sgd(const ModelHandle& model, double rate = 0.1) {
  dn_trainer* trainer = nullptr;
  EXPECT_OK(dn_trainer_create_simple_sgd(model.get(), rate, &trainer));
  return TrainerHandle(trainer);
}

inline TrainerHandle new_momentum_sgd(const ModelHandle& model, double rate = 0.1, double momentum = 0.9) {
  dn_trainer* trainer = nullptr;
  EXPECT_OK(dn_trainer_create_momentum_sgd(model.get(), rate, momentum, &trainer));
  return TrainerHandle(trainer);
}

inline ModelHandle add_subcollection(const ModelHandle& model, std::string_view name) {
  dn_model* child = nullptr;
  EXPECT_OK(dn_model_add_subcollection(model.get(), name.data(), static_cast<int64_t>(name.size()), &child));
  return ModelHandle(child);
}

inline dn_parameter* add(const ModelHandle& model, std::initializer_list<uint32_t> sizes, const dn_initializer& init,
                         std::string_view name = "") {
  const dn_dim shape = dim(sizes);
  dn_parameter* parameter = nullptr;
  EXPECT_OK(
      dn_model_add_parameters(model.get(), &shape, &init, name.data(), static_cast<int64_t>(name.size()), &parameter));
  return parameter;
}

inline dn_parameter* add(const ModelHandle& model, const std::vector<float>& values, std::string_view name = "") {
  return add(model, {static_cast<uint32_t>(values.size())}, values_of(values), name);
}

inline dn_lookup_parameter* add_table(const ModelHandle& model, int64_t rows, std::initializer_list<uint32_t> sizes,
                                      const dn_initializer& init, std::string_view name = "") {
  const dn_dim shape = dim(sizes);
  dn_lookup_parameter* table = nullptr;
  EXPECT_OK(dn_model_add_lookup_parameters(model.get(), rows, &shape, &init, name.data(),
                                           static_cast<int64_t>(name.size()), &table));
  return table;
}

inline std::vector<float> values(const dn_parameter* parameter) {
  const float* data = nullptr;
  int64_t count = 0;
  EXPECT_OK(dn_parameter_values(parameter, &data, &count));
  return {data, data + count};
}

inline std::vector<float> values(const dn_lookup_parameter* table) {
  const float* data = nullptr;
  int64_t count = 0;
  EXPECT_OK(dn_lookup_parameter_values(table, &data, &count));
  return {data, data + count};
}

inline std::vector<float> gradient(dn_parameter* parameter) {
  const float* data = nullptr;
  int64_t count = 0;
  EXPECT_OK(dn_parameter_gradient(parameter, &data, &count));
  return {data, data + count};
}

inline std::vector<float> row_gradient(dn_lookup_parameter* table, int64_t row) {
  std::vector<float> result(static_cast<size_t>(table->row_size()), -1.0f);
  EXPECT_OK(dn_lookup_parameter_row_gradient(table, row, result.data(), table->row_size()));
  return result;
}

/// Adds to a gradient as backward does.
inline void add_gradient(GradientSet& set, const dn_parameter* parameter, const std::vector<float>& values) {
  float* to = set.accumulate(*parameter);
  for (size_t i = 0; i < values.size(); ++i) to[i] += values[i];
}

inline void add_gradient(const dn_parameter* parameter, const std::vector<float>& values) {
  add_gradient(parameter->storage->gradients(), parameter, values);
}

inline void add_row_gradient(GradientSet& set, const dn_lookup_parameter* table, int32_t row,
                             const std::vector<float>& values) {
  const float* data = values.data();
  set.add_rows(*table, &row, &data, 1);
}

inline void add_row_gradient(const dn_lookup_parameter* table, int32_t row, const std::vector<float>& values) {
  add_row_gradient(table->storage->gradients(), table, row, values);
}

inline std::string name(const dn_parameter* parameter) {
  const char* text = nullptr;
  int64_t length = 0;
  EXPECT_OK(dn_parameter_name(parameter, &text, &length));
  return {text, static_cast<size_t>(length)};
}

inline std::string name(const dn_lookup_parameter* table) {
  const char* text = nullptr;
  int64_t length = 0;
  EXPECT_OK(dn_lookup_parameter_name(table, &text, &length));
  return {text, static_cast<size_t>(length)};
}

inline dn_parameter* parameter_at(const ModelHandle& model, int64_t index) {
  dn_parameter* result = nullptr;
  EXPECT_OK(dn_model_parameter_at(model.get(), index, &result));
  return result;
}

inline dn_lookup_parameter* table_at(const ModelHandle& model, int64_t index) {
  dn_lookup_parameter* result = nullptr;
  EXPECT_OK(dn_model_lookup_parameter_at(model.get(), index, &result));
  return result;
}

inline int64_t parameters_count(const ModelHandle& model) {
  int64_t count = -1;
  EXPECT_OK(dn_model_parameters_count(model.get(), &count));
  return count;
}

/// What a model looks like as text.
inline std::string text_of(const ModelHandle& model, bool with_gradients = false, std::string_view key = "") {
  std::string text;
  const dn_write_callback append = [](void* context, const uint8_t* bytes, int64_t count) {
    static_cast<std::string*>(context)->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
    return DN_OK;
  };
  EXPECT_OK(dn_model_save_to(model.get(), append, &text, key.data(), static_cast<int64_t>(key.size()),
                             with_gradients ? 1 : 0));
  return text;
}

inline dn_status load_from(std::string_view text, ModelHandle* out, std::string_view key = "") {
  dn_model* model = nullptr;
  const dn_status status =
      dn_model_load_from(reinterpret_cast<const uint8_t*>(text.data()), static_cast<int64_t>(text.size()), key.data(),
                         static_cast<int64_t>(key.size()), &model);
  EXPECT_EQ(status == DN_OK, model != nullptr);
  out->reset(model);
  return status;
}

inline dn_status populate_from(const ModelHandle& model, std::string_view text, std::string_view key = "") {
  return dn_model_populate_from(model.get(), reinterpret_cast<const uint8_t*>(text.data()),
                                static_cast<int64_t>(text.size()), key.data(), static_cast<int64_t>(key.size()));
}

inline std::string path(const ModelHandle& model) {
  const char* text = nullptr;
  int64_t length = 0;
  EXPECT_OK(dn_model_path(model.get(), &text, &length));
  return {text, static_cast<size_t>(length)};
}

/// The paths of all sub-collections.
inline std::vector<std::string> subcollections(const ModelHandle& model) {
  int64_t count = -1;
  EXPECT_OK(dn_model_subcollections_count(model.get(), &count));
  std::vector<std::string> paths;
  for (int64_t i = 0; i < count; ++i) {
    dn_model* part = nullptr;
    EXPECT_OK(dn_model_subcollection_at(model.get(), i, &part));
    paths.push_back(path(ModelHandle(part)));
  }
  return paths;
}

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_MODEL_SUPPORT_H_

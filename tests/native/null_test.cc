// Null where a pointer is needed: in every call of the C ABI, all pointers at once and each alone.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "graph_support.h"
#include "ops/ops.g.h"

namespace dynnet::test {
namespace {

// clang-format off
#define DYNNET_CALLS(X) \
  X(dn_model_create) X(dn_model_add_subcollection) X(dn_model_path) X(dn_model_add_parameters) \
  X(dn_model_add_lookup_parameters) X(dn_model_parameters_count) X(dn_model_parameter_at) \
  X(dn_model_lookup_parameters_count) X(dn_model_lookup_parameter_at) X(dn_model_values_count) \
  X(dn_model_weight_decay) X(dn_model_set_weight_decay) X(dn_model_reset_gradients) X(dn_model_save) \
  X(dn_model_save_to) X(dn_model_load_from) X(dn_model_populate) X(dn_model_populate_from) \
  X(dn_parameter_name) X(dn_parameter_dim) X(dn_parameter_values) X(dn_parameter_set_values) \
  X(dn_parameter_gradient) X(dn_lookup_parameter_name) X(dn_lookup_parameter_dim) X(dn_lookup_parameter_rows) \
  X(dn_lookup_parameter_values) X(dn_lookup_parameter_set_values) X(dn_lookup_parameter_set_row) \
  X(dn_lookup_parameter_row_gradient) X(dn_gradients_create) X(dn_gradients_reset) X(dn_gradients_parameter) \
  X(dn_graph_create) X(dn_graph_renew) X(dn_graph_checkpoint) X(dn_graph_revert) X(dn_graph_nodes_count) \
  X(dn_graph_set_immediate) X(dn_graph_set_check_values) X(dn_graph_set_batching) X(dn_graph_dim) \
  X(dn_graph_forward) X(dn_graph_incremental_forward) X(dn_graph_value) X(dn_graph_scalar_value) \
  X(dn_graph_backward) X(dn_graph_gradient) X(dn_graph_set_input) X(dn_graph_set_indices) X(dn_graph_batch_stats) \
  X(dn_graph_batching_report) X(dn_trainer_create_simple_sgd) X(dn_trainer_create_momentum_sgd) \
  X(dn_trainer_create_adam) X(dn_trainer_update) X(dn_trainer_update_from) X(dn_trainer_learning_rate) \
  X(dn_trainer_set_learning_rate) X(dn_trainer_clip_threshold) X(dn_trainer_set_clip_threshold) \
  X(dn_trainer_sparse_updates) X(dn_trainer_set_sparse_updates) X(dn_trainer_updates_count) \
  X(dn_trainer_clips_count) X(dn_trainer_create_cyclical_sgd) X(dn_trainer_create_nesterov_sgd) \
  X(dn_trainer_create_adagrad) X(dn_trainer_create_adadelta) X(dn_trainer_create_rms_prop) \
  X(dn_trainer_create_adam_w) X(dn_trainer_create_amsgrad) X(dn_trainer_create_eg) X(dn_trainer_update_subset) \
  X(dn_trainer_restart) X(dn_trainer_clip_value) X(dn_trainer_set_clip_value) X(dn_trainer_steps_count) \
  X(dn_trainer_status) X(dn_trainer_use_cumulative_average) X(dn_trainer_use_exponential_average) \
  X(dn_trainer_average_kind) X(dn_trainer_swap_to_average) X(dn_trainer_swap_to_weights) \
  X(dn_trainer_is_swapped) X(dn_trainer_save) X(dn_trainer_save_to) X(dn_trainer_populate) \
  X(dn_trainer_populate_from) X(dn_model_updated_values_count) X(dn_model_set_updated) X(dn_model_gradient_norm) \
  X(dn_model_scale_gradients) X(dn_model_scale_values) X(dn_model_project_weights) X(dn_parameter_updated) \
  X(dn_parameter_set_updated) X(dn_parameter_zero) X(dn_parameter_clip) X(dn_parameter_scale) \
  X(dn_parameter_scale_gradient) X(dn_lookup_parameter_updated) X(dn_lookup_parameter_set_updated) \
  X(dn_lookup_parameter_zero) X(dn_lookup_parameter_clip) X(dn_lookup_parameter_scale) \
  X(dn_lookup_parameter_scale_gradient) X(dn_lstm_create) X(dn_lstm_set_dropout) X(dn_lstm_state_size) \
  X(dn_lstm_initial_state) X(dn_lstm_add_input) X(dn_file_create) X(dn_file_write) X(dn_file_commit) \
  X(dn_gradients_lookup_row) X(dn_graph_check_gradients) X(dn_graph_graphviz) X(dn_graph_invalidate) \
  X(dn_graph_profile) X(dn_graph_profile_trace) X(dn_graph_sample) X(dn_graph_set_profiling) X(dn_graph_top_k) \
  X(dn_lookup_parameter_populate) X(dn_lookup_parameter_populate_from) X(dn_lookup_parameter_save) \
  X(dn_lookup_parameter_save_to) X(dn_mark_create) X(dn_model_find_subcollection) \
  X(dn_model_load_lookup_parameters) X(dn_model_load_parameters) X(dn_model_rollback) X(dn_model_subcollection_at) \
  X(dn_model_subcollections_count) X(dn_parameter_populate) X(dn_parameter_populate_from) X(dn_parameter_save) \
  X(dn_parameter_save_to)
// clang-format on

template <class... Arguments>
dn_status with_nothing(dn_status (*call)(Arguments...)) {
  return call(Arguments{}...);
}

void expect_null_is_named(const char* name, dn_status status) {
  EXPECT_EQ(status, DN_E_ARGUMENT) << name;
  EXPECT_NE(last_error().find("null"), std::string::npos) << name << ": " << last_error();
}

// Those that take nothing that could be null, or an empty path first.
const std::set<std::string> kOthers = {"dn_device_set_threads", "dn_memory_set_limit", "dn_memory_reserve",
                                       "dn_memory_unreserve", "dn_model_load"};

TEST(NullArguments, AreRefusedByEveryCall) {
#define DYNNET_NAME(name) #name,
  const std::set<std::string> checked = {DYNNET_CALLS(DYNNET_NAME)};
#undef DYNNET_NAME
  int calls = 0;
  for (const auto& header : std::filesystem::directory_iterator(DYNNET_ROOT "/native/include/dynnet")) {
    std::ifstream stream(header.path());
    constexpr std::string_view kBegin = "DN_API dn_status ";
    for (std::string line; std::getline(stream, line);) {
      if (!line.starts_with(kBegin)) continue;
      const std::string name = line.substr(kBegin.size(), line.find('(') - kBegin.size());
      ++calls;
      EXPECT_TRUE(checked.contains(name) || kOthers.contains(name)) << name;
    }
  }
  EXPECT_EQ(calls, static_cast<int>(checked.size() + kOthers.size()));
#define DYNNET_CHECK(name) expect_null_is_named(#name, with_nothing(name));
  DYNNET_CALLS(DYNNET_CHECK)
#undef DYNNET_CHECK
#define DYNNET_CHECK(name) expect_null_is_named("dn_op_" #name, with_nothing(dn_op_##name));
  DYNNET_OPS(DYNNET_CHECK)
#undef DYNNET_CHECK
}

// ------------------------------------------------------------------------------------------------------ one at a time

// Something to call everything with; all that has a size has size 1.
class Everything {
 public:
  /// @param text for names, or for paths and keys
  /// @param number for lengths, counts and indices
  Everything(const char* text, int32_t number) : text_(text), number_(number) {
    EXPECT_OK(dn_graph_set_profiling(graph_.get(), 1));
    add_table(model_, 2, {1}, initializer(DN_INIT_CONSTANT, 1));
    const std::string path = testing::TempDir() + "null_test";
    EXPECT_OK(dn_file_create(path.data(), static_cast<int64_t>(path.size()), &file_));
    EXPECT_OK(dn_mark_create(model_.get(), &mark_));
    dn_lstm* lstm = nullptr;
    EXPECT_OK(dn_lstm_create(model_.get(), 1, 1, 1, &lstm));
    lstm_.reset(lstm);
  }
  ~Everything() {
    dn_file_free(file_);
    dn_mark_free(mark_);
  }
  Everything(const Everything&) = delete;
  Everything& operator=(const Everything&) = delete;

  /// An argument of a type.
  template <class T>
  T get() {
    if constexpr (std::is_integral_v<T>)
      return number_;
    else if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(0.5);
    else if constexpr (std::is_same_v<T, dn_expr>)
      return x_;
    else if constexpr (std::is_same_v<T, dn_initializer>)
      return kGlorot;
    else
      return static_cast<T>(pointer(static_cast<const std::remove_pointer_t<T>*>(nullptr)));
  }

 private:
  dn_graph* pointer(const dn_graph*) { return graph_.get(); }
  dn_model* pointer(const dn_model*) { return model_.get(); }
  dn_parameter* pointer(const dn_parameter*) { return parameter_; }
  dn_lookup_parameter* pointer(const dn_lookup_parameter*) { return table_; }
  dn_trainer* pointer(const dn_trainer*) { return trainer_.get(); }
  dn_gradients* pointer(const dn_gradients*) { return gradients_.get(); }
  dn_lstm* pointer(const dn_lstm*) { return lstm_.get(); }
  dn_file* pointer(const dn_file*) { return file_; }
  dn_mark* pointer(const dn_mark*) { return mark_; }
  dn_write_callback pointer(dn_write_callback) {
    return [](void*, const uint8_t*, int64_t) { return DN_OK; };
  }
  dn_gradients** pointer(dn_gradients* const*) { return &(gradients_list_ = gradients_.get()); }
  dn_parameter** pointer(dn_parameter* const*) { return &parameter_; }
  dn_lookup_parameter** pointer(dn_lookup_parameter* const*) { return &table_; }
  dn_expr* pointer(const dn_expr*) { return &x_; }
  dn_dim* pointer(const dn_dim*) { return &shape_; }
  const dn_initializer* pointer(const dn_initializer*) { return &kGlorot; }
  const char* pointer(const char*) { return text_; }
  /// Numbers and bytes, and places for results.
  void* pointer(const void*) { return place_.data(); }

  const char* text_;
  int32_t number_;
  ModelHandle model_ = new_model();
  dn_parameter* parameter_ = add(model_, {1}, initializer(DN_INIT_CONSTANT, 1));
  dn_lookup_parameter* table_ = add_table(model_, 2, {1}, initializer(DN_INIT_CONSTANT, 1));
  GraphHandle graph_ = new_graph();
  TrainerHandle trainer_ = new_sgd(model_);
  GradientsHandle gradients_ = new_gradients(model_);
  LstmHandle lstm_;
  dn_file* file_ = nullptr;
  dn_mark* mark_ = nullptr;
  dn_gradients* gradients_list_ = nullptr;
  dn_expr x_ = input(graph_, {1}, {0.5f});
  dn_dim shape_ = dim({1});
  alignas(16) std::array<std::byte, 256> place_{};
};

// Pointers that may be null, by the places of the parameters: lengths of what is handed out that is known otherwise,
// contexts of callbacks, and what the header says of each.
const std::set<std::pair<std::string, size_t>> kMayBeNull = {{"dn_model_path", 2},
                                                             {"dn_parameter_name", 2},
                                                             {"dn_parameter_values", 2},
                                                             {"dn_parameter_gradient", 2},
                                                             {"dn_lookup_parameter_name", 2},
                                                             {"dn_lookup_parameter_values", 2},
                                                             {"dn_gradients_parameter", 3},
                                                             {"dn_graph_backward", 2},
                                                             {"dn_graph_batching_report", 2},
                                                             {"dn_graph_check_gradients", 7},
                                                             {"dn_graph_check_gradients", 8},
                                                             {"dn_graph_graphviz", 2},
                                                             {"dn_graph_profile", 2},
                                                             {"dn_graph_profile_trace", 2},
                                                             {"dn_model_save_to", 2},
                                                             {"dn_parameter_save_to", 2},
                                                             {"dn_lookup_parameter_save_to", 2},
                                                             {"dn_trainer_save_to", 2}};

template <class... Arguments, size_t... kPlaces>
void expect_each_null_is_named(const char* name, dn_status (*call)(Arguments...), std::index_sequence<kPlaces...>) {
  const std::array is_pointer{std::is_pointer_v<Arguments>...};
  for (size_t null = 0; null < sizeof...(Arguments); ++null) {
    if (!is_pointer[null] || kMayBeNull.contains({name, null})) continue;
    // The key of a parameter has a letter, that of a model may be its root, and a new name is no key.
    const std::string_view text(name);
    const bool has_name = text.find("_add_") != std::string_view::npos;
    const bool has_key =
        !has_name && text.find("parameter") != std::string_view::npos &&
        (text.find("_save") != std::string_view::npos || text.find("_populate") != std::string_view::npos ||
         text.find("_load") != std::string_view::npos);
    Everything everything(has_name ? "x" : "/x", has_key ? 2 : 1);
    const dn_status status = call((kPlaces == null ? Arguments{} : everything.get<Arguments>())...);
    EXPECT_EQ(status, DN_E_ARGUMENT) << name << ", parameter " << null;
    if (status == DN_OK) continue;
    EXPECT_NE(last_error().find("null"), std::string::npos) << name << ", parameter " << null << ": " << last_error();
  }
}

template <class... Arguments>
void expect_each_null_is_named(const char* name, dn_status (*call)(Arguments...)) {
  expect_each_null_is_named(name, call, std::index_sequence_for<Arguments...>());
}

TEST(NullArguments, AreRefusedAmongOthersThatAreRight) {
#define DYNNET_CHECK(name) expect_each_null_is_named(#name, name);
  DYNNET_CALLS(DYNNET_CHECK)
#undef DYNNET_CHECK
#define DYNNET_CHECK(name) expect_each_null_is_named("dn_op_" #name, dn_op_##name);
  DYNNET_OPS(DYNNET_CHECK)
#undef DYNNET_CHECK
}

}  // namespace
}  // namespace dynnet::test

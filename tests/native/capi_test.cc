// The C ABI as such: every status with its message, arguments that are wrong, and results that a failed call leaves
// alone.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

#include "graph_support.h"
#include "ops/ops.g.h"

namespace dynnet::test {
namespace {

// ----------------------------------------------------------------------------------------------------------- library

TEST(Library, AnswersWithItsVersions) {
  EXPECT_EQ(dn_abi_version(), DN_ABI_VERSION);
  int64_t length = -1;
  const char* version = dn_version(&length);
  EXPECT_EQ(length, static_cast<int64_t>(std::strlen(version)));
  int major = -1, minor = -1, patch = -1;
  EXPECT_EQ(std::sscanf(version, "%d.%d.%d", &major, &minor, &patch), 3) << version;
  EXPECT_EQ(dn_version(nullptr), version);
  const std::string isa = dn_device_isa(&length);
  EXPECT_EQ(length, static_cast<int64_t>(isa.size()));
  EXPECT_TRUE(isa == "v2" || isa == "v3" || isa == "v4" || isa == "portable") << isa;
  EXPECT_GE(dn_device_threads(), 1);
}

TEST(LastError, BelongsToItsThread) {
  const GraphHandle graph = new_graph();
  dn_expr out{};
  EXPECT_EQ(dn_op_tanh(graph.get(), {}, &out), DN_E_STALE);
  const std::string here = last_error();
  std::thread([] {
    int64_t length = -1;
    EXPECT_STREQ(dn_last_error(&length), "") << "no call has failed on this thread";
    EXPECT_EQ(length, 0);
    EXPECT_EQ(dn_device_set_threads(0), DN_E_ARGUMENT);
    EXPECT_NE(last_error().find("threads"), std::string::npos);
  }).join();
  EXPECT_EQ(last_error(), here);
}

TEST(LastError, StaysUntilTheNextFailure) {
  const GraphHandle graph = new_graph();
  dn_expr out{};
  EXPECT_EQ(dn_op_tanh(graph.get(), {}, &out), DN_E_STALE);
  const std::string before = last_error();
  value(graph, constant(graph, {1}, 1));
  EXPECT_EQ(last_error(), before);
  EXPECT_STREQ(dn_last_error(nullptr), before.c_str());
}

TEST(LastError, ALongMessageIsCut) {
  const GraphHandle graph = new_graph();
  const ModelHandle model = new_model();
  const std::string long_name(5000, 'n');
  dn_lookup_parameter* table = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1), long_name);
  dn_expr out{};
  expect_failure(dn_op_lookup(graph.get(), table, 2, &out), DN_E_INDEX, {"lookup: index 2 of table /nnn"});
  EXPECT_LT(last_error().size(), 5000u);
}

// -------------------------------------------------------------------------------------- operations with less or more

// What an operation is called with, by the types of its parameters.
struct Filling {
  dn_graph* graph;
  dn_expr x;
  dn_expr* out;
  bool with_pointers;
  int64_t count;
  dn_parameter* parameter;
  dn_lookup_parameter* table;
  std::vector<float> floats = std::vector<float>(16, 0.5f);
  std::vector<int32_t> integers = std::vector<int32_t>(16, 0);
  std::vector<dn_expr> expressions = std::vector<dn_expr>(16, x);
  dn_dim shape = dim({4});

  template <class T>
  T get() const {
    if constexpr (std::is_same_v<T, dn_graph*>) {
      return graph;
    } else if constexpr (std::is_same_v<T, dn_expr>) {
      return x;
    } else if constexpr (std::is_same_v<T, dn_expr*>) {
      return out;
    } else if constexpr (std::is_same_v<T, double>) {
      return -1;
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(count);
    } else {
      return with_pointers ? pointer(T{}) : nullptr;
    }
  }
  const dn_expr* pointer(const dn_expr*) const { return expressions.data(); }
  const float* pointer(const float*) const { return floats.data(); }
  const int32_t* pointer(const int32_t*) const { return integers.data(); }
  const dn_dim* pointer(const dn_dim*) const { return &shape; }
  dn_parameter* pointer(dn_parameter*) const { return parameter; }
  dn_lookup_parameter* pointer(dn_lookup_parameter*) const { return table; }
};

template <class... Arguments>
constexpr bool takes_spans(dn_status (*)(Arguments...)) {
  // A pointer with a count: all pointers to const but shapes and bound memory, which have none.
  constexpr bool has_pointer = ((std::is_same_v<Arguments, const dn_expr*> || std::is_same_v<Arguments, const float*> ||
                                 std::is_same_v<Arguments, const int32_t*>) ||
                                ...);
  return has_pointer && (std::is_integral_v<Arguments> || ...);
}

// A sparse input in which every element is the default, and a selection of all there is.
bool may_be_without(std::string_view operation) { return operation == "input_sparse" || operation == "strided_select"; }

class Operations : public testing::Test {
 protected:
  template <class... Arguments>
  void check(const char* name, dn_status (*call)(Arguments...), Filling filling) {
    const int64_t before = nodes_count(graph_);
    dn_expr out{123, 456};
    filling.out = &out;
    const dn_status status = call(filling.get<Arguments>()...);
    if (status == DN_OK) {
      EXPECT_TRUE(!takes_spans(call) || (filling.count == 0 && may_be_without(name)))
          << name << " takes " << filling.count << " values";
      // A parameter that is there is not made again.
      EXPECT_LE(nodes_count(graph_), before + 1) << name;
      return;
    }
    EXPECT_NE(status, DN_E_INTERNAL) << name << ": " << last_error();
    EXPECT_FALSE(last_error().empty()) << name;
    EXPECT_EQ(nodes_count(graph_), before) << name;
    EXPECT_TRUE(out.node == 123 && out.stamp == 456) << name << " fails, and changes its result";
  }

  void check_all(bool with_pointers, int64_t count) {
    const Filling filling{graph_.get(), x_, nullptr, with_pointers, count, parameter_, table_};
#define DYNNET_CHECK(name) check(#name, dn_op_##name, filling);
    DYNNET_OPS(DYNNET_CHECK)
#undef DYNNET_CHECK
  }

  GraphHandle graph_ = new_graph();
  ModelHandle model_ = new_model();
  dn_parameter* parameter_ = add(model_, {4, 4}, initializer(DN_INIT_GLOROT, 1));
  dn_lookup_parameter* table_ = add_table(model_, 3, {4}, initializer(DN_INIT_GLOROT, 1));
  dn_expr x_ = constant(graph_, {4}, 0.5);
};

TEST_F(Operations, NegativeCountsAndIndicesAreRefused) {
  check_all(true, -1);
  check_all(true, std::numeric_limits<int32_t>::min());
}

TEST_F(Operations, HugeCountsOfNothingAreRefused) {
  check_all(false, std::numeric_limits<int32_t>::max());
  check_all(false, 1);
}

TEST_F(Operations, NoOperandsAreRefused) {
  check_all(true, 0);
  check_all(false, 0);
}

TEST_F(Operations, NoPlaceForTheResultIsRefused) {
  EXPECT_EQ(dn_op_tanh(graph_.get(), x_, nullptr), DN_E_ARGUMENT);
  EXPECT_EQ(nodes_count(graph_), 1);
}

TEST_F(Operations, TooManyOperandsAreRefused) {
  const std::vector<dn_expr> xs(70000, x_);
  dn_expr out{};
  expect_failure(dn_op_sum(graph_.get(), xs.data(), 70000, &out), DN_E_ARGUMENT, {"sum", "70000 operands", "65535"});
  EXPECT_OK(dn_op_sum(graph_.get(), xs.data(), 65535, &out));
}

// ----------------------------------------------------------------------------------------------------------- messages

TEST_F(Operations, ShapeMessagesNameTheOperationAndTheShapes) {
  dn_graph* const g = graph_.get();
  dn_expr out{};
  const dn_expr w = constant(graph_, {8, 3}, 1);
  const dn_expr x = constant(graph_, {2}, 1);
  const dn_expr b = constant(graph_, {8}, 1);
  const dn_expr pairs[] = {b, w, x};
  expect_failure(dn_op_affine_transform(g, pairs, 3, &out), DN_E_SHAPE,
                 {"affine_transform: expected W {8,3} times x {2}: W has 3 columns, x has 2 rows"});
  expect_failure(dn_op_multiply(g, w, x, &out), DN_E_SHAPE, {"multiply", "{8,3}", "{2}"});
  expect_failure(dn_op_add(g, b, x, &out), DN_E_SHAPE, {"add", "{8}", "{2}"});
  const dn_expr two = constant(graph_, {8}, 1, 2);
  const dn_expr three = constant(graph_, {8}, 1, 3);
  expect_failure(dn_op_dot_product(g, two, three, &out), DN_E_SHAPE, {"dot_product", "batches of 2 and 3"});
  expect_failure(dn_op_cmult(g, two, three, &out), DN_E_SHAPE, {"cmult", "{8}X2", "{8}X3"});
  const dn_expr different[] = {b, x};
  expect_failure(dn_op_concatenate_cols(g, different, 2, &out), DN_E_SHAPE, {"concatenate_cols", "{8}", "{2}"});
  expect_failure(dn_op_concatenate_to_batch(g, different, 2, &out), DN_E_SHAPE, {"concatenate_to_batch", "operand 1"});
  const dn_dim shape = dim({5, 5});
  expect_failure(dn_op_reshape(g, w, &shape, &out), DN_E_SHAPE, {"reshape", "{8,3}", "24", "{5,5}", "25"});
  const std::vector<float> numbers(24);
  expect_failure(dn_op_input(g, &shape, numbers.data(), 24, &out), DN_E_SHAPE, {"input", "24 values", "{5,5}", "25"});
  expect_failure(dn_op_pick_neg_log_softmax(g, w, 0, &out), DN_E_SHAPE, {"pick_neg_log_softmax", "{8,3}"});
}

TEST_F(Operations, IndexMessagesNameTheRange) {
  dn_graph* const g = graph_.get();
  dn_expr out{};
  expect_failure(dn_op_lookup(g, table_, 3, &out), DN_E_INDEX, {"lookup: index 3", "rows 0 to 2"});
  expect_failure(dn_op_lookup(g, table_, -1, &out), DN_E_INDEX, {"index -1"});
  const int32_t rows[] = {0, 1, 7};
  expect_failure(dn_op_lookup_batch(g, table_, rows, 3, &out), DN_E_INDEX, {"lookup_batch: index 7"});
  expect_failure(dn_op_pick(g, x_, 4, 0, &out), DN_E_INDEX, {"pick: index 4", "{4}", "0 to 3"});
  expect_failure(dn_op_pick_range(g, x_, 1, 5, 0, &out), DN_E_INDEX, {"pick_range: from 1 to 5", "{4}"});
  expect_failure(dn_op_pick_range(g, x_, 2, 2, 0, &out), DN_E_INDEX, {"from 2 to 2"});
  expect_failure(dn_op_pick_neg_log_softmax(g, x_, 4, &out), DN_E_INDEX, {"label 4", "{4}"});
  expect_failure(dn_op_pick(g, x_, 0, 7, &out), DN_E_ARGUMENT, {"pick: dimension 7", "0 to 6"});
  EXPECT_EQ(nodes_count(graph_), 1);
}

TEST_F(Operations, ArgumentMessagesNameTheNumber) {
  dn_graph* const g = graph_.get();
  dn_expr out{};
  expect_failure(dn_op_dropout(g, x_, 1, &out), DN_E_ARGUMENT, {"dropout: a rate of 1"});
  expect_failure(dn_op_dropout(g, x_, -0.5, &out), DN_E_ARGUMENT, {"a rate of -0.5"});
  expect_failure(dn_op_dropout(g, x_, std::nan(""), &out), DN_E_ARGUMENT, {"nan"});
  // Just below 1 as a double, and 1 as a float.
  EXPECT_EQ(dn_op_dropout(g, x_, 1 - 1e-12, &out), DN_E_ARGUMENT);
  expect_failure(dn_op_hinge(g, x_, 0, -1, &out), DN_E_ARGUMENT, {"hinge: a margin of -1"});
  expect_failure(dn_op_softmax(g, x_, 2, &out), DN_E_ARGUMENT, {"softmax: dimension 2"});
  dn_dim shape = dim({2, 2});
  shape.d[1] = 0;
  expect_failure(dn_op_constant(g, &shape, 1, &out), DN_E_ARGUMENT, {"constant", "{2,0}", "size 0"});
  shape = dim({2});
  shape.bd = 0;
  expect_failure(dn_op_constant(g, &shape, 1, &out), DN_E_ARGUMENT, {"batch of 0"});
  shape.nd = 8;
  expect_failure(dn_op_constant(g, &shape, 1, &out), DN_E_ARGUMENT, {"8 dimensions", "at most 7"});
  shape = dim({1u << 31, 1u << 31});
  expect_failure(dn_op_constant(g, &shape, 1, &out), DN_E_MEMORY, {"2^40"});
  EXPECT_EQ(nodes_count(graph_), 1);
}

TEST_F(Operations, GraphCallsNameWhatIsWrong) {
  dn_graph* const g = graph_.get();
  float number = 7;
  const int32_t index = 0;
  expect_failure(dn_graph_scalar_value(g, x_, &number), DN_E_SHAPE, {"scalar_value", "constant", "{4}"});
  EXPECT_EQ(number, 7);
  expect_failure(dn_graph_backward(g, x_, nullptr, 0), DN_E_SHAPE, {"backward", "constant", "{4}"});
  expect_failure(dn_graph_set_input(g, x_, &number, 1), DN_E_ARGUMENT, {"set_input", "constant", "not an input"});
  expect_failure(dn_graph_set_indices(g, x_, &index, 1), DN_E_ARGUMENT, {"set_indices", "constant"});
  const dn_expr in = input(graph_, {2}, {1, 2});
  expect_failure(dn_graph_set_input(g, in, &number, 1), DN_E_SHAPE, {"1 values", "{2}"});
  EXPECT_EQ(dn_graph_set_input(g, in, nullptr, 2), DN_E_ARGUMENT);
  EXPECT_EQ(dn_graph_set_indices(g, in, &index, 1), DN_E_ARGUMENT);
  const dn_expr row = make(graph_, dn_op_lookup, table_, 0);
  const int32_t two[] = {0, 0};
  expect_failure(dn_graph_set_indices(g, row, two, 2), DN_E_ARGUMENT, {"2 indices for lookup, which has 1"});
  const int32_t bad = 3;
  expect_failure(dn_graph_set_indices(g, row, &bad, 1), DN_E_INDEX, {"index 3"});
  EXPECT_EQ(dn_graph_set_indices(g, row, &index, -1), DN_E_ARGUMENT);
  const float* values = nullptr;
  int64_t count = 0;
  expect_failure(dn_graph_gradient(g, x_, &values, &count), DN_E_STATE, {"gradient: no backward"});
  expect_failure(dn_graph_revert(g), DN_E_STATE, {"revert", "no checkpoint"});
  EXPECT_EQ(dn_graph_value(g, x_, &values, nullptr), DN_E_ARGUMENT);
  EXPECT_EQ(values, nullptr);
}

TEST_F(Operations, AGradientOffThePathIsNamed) {
  const dn_expr w = make(graph_, dn_op_parameter, parameter_);
  const dn_expr h = make(graph_, dn_op_multiply, w, x_);
  const dn_expr loss = make(graph_, dn_op_sum_elems, h);
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
  EXPECT_EQ(gradient(graph_, h), std::vector<float>(4, 1));
  const float* values = nullptr;
  int64_t count = 0;
  expect_failure(dn_graph_gradient(graph_.get(), x_, &values, &count), DN_E_STATE,
                 {"node 0 (constant)", "no path to a parameter", "full"});
  EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 1));
  EXPECT_EQ(gradient(graph_, x_).size(), 4u);
  // What the loss does not depend on has a gradient of 0 in any case.
  EXPECT_EQ(gradient(graph_, constant(graph_, {3}, 1)), std::vector<float>(3, 0));
}

// -------------------------------------------------------------------------------------------------- checks, immediate

TEST(CheckValues, NamesTheOperationTheNodeAndTheOperands) {
  const GraphHandle graph = new_graph();
  EXPECT_OK(dn_graph_set_check_values(graph.get(), 1));
  const dn_expr x = input(graph, {3}, {1, -1, 2});
  const dn_expr y = make(graph, dn_op_log, x);
  const dn_expr z = make(graph, dn_op_tanh, y);
  expect_failure(dn_graph_forward(graph.get(), z), DN_E_VALUE, {"log", "element 1", "node 1", "{3}", "nan", "input"});
  expect_failure(dn_graph_forward(graph.get(), z), DN_E_VALUE, {"log"});
  const std::vector<float> good = {1, 2, 3};
  EXPECT_OK(dn_graph_set_input(graph.get(), x, good.data(), 3));
  EXPECT_OK(dn_graph_forward(graph.get(), z));
  const std::vector<float> zero = {1, 0, 3};
  EXPECT_OK(dn_graph_set_input(graph.get(), x, zero.data(), 3));
  expect_failure(dn_graph_forward(graph.get(), z), DN_E_VALUE, {"log", "-inf"});
  EXPECT_OK(dn_graph_set_check_values(graph.get(), 0));
  EXPECT_EQ(value(graph, y)[1], -std::numeric_limits<float>::infinity());
}

TEST(Immediate, AnErrorLeavesTheGraphAsItWas) {
  const GraphHandle graph = new_graph();
  EXPECT_OK(dn_graph_set_immediate(graph.get(), 1));
  EXPECT_OK(dn_graph_set_check_values(graph.get(), 1));
  const dn_expr x = input(graph, {2}, {-1, 1});
  const dn_expr y = make(graph, dn_op_square, x);
  dn_expr out{5, 6};
  expect_failure(dn_op_log(graph.get(), x, &out), DN_E_VALUE, {"log", "node 2"});
  EXPECT_TRUE(out.node == 5 && out.stamp == 6);
  EXPECT_EQ(nodes_count(graph), 2);
  EXPECT_EQ(value(graph, y), (std::vector<float>{1, 1}));
  const dn_expr z = make(graph, dn_op_log, y);
  EXPECT_EQ(z.node, 2u);
  EXPECT_EQ(value(graph, z), (std::vector<float>{0, 0}));
  const ModelHandle model = new_model();
  dn_lookup_parameter* table = add_table(model, 2, {1}, initializer(DN_INIT_CONSTANT, 1));
  int32_t index = 2;
  expect_failure(dn_op_lookup_bound(graph.get(), table, &index, &out), DN_E_INDEX, {"lookup_bound: index 2"});
  EXPECT_EQ(nodes_count(graph), 3);
  index = 1;
  EXPECT_EQ(scalar(graph, make(graph, dn_op_lookup_bound, table, &index)), 1);
}

// ----------------------------------------------------------------------------------------------------------- statuses

// Those of the graph are above and in lifetime_test.cc and thread_test.cc; these come from files and callbacks.
// DN_E_DEVICE has nothing to report on a CPU, and DN_E_INTERNAL is a defect.
TEST(Statuses, OfFilesAndCallbacks) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  auto load = [](const std::string& path) {
    dn_model* model = nullptr;
    const dn_status status = dn_model_load(path.data(), static_cast<int64_t>(path.size()), nullptr, 0, &model);
    EXPECT_EQ(model, nullptr);
    return status;
  };
  const std::string nowhere = (folder / "dynnet-there-is-no-such-file").string();
  expect_failure(load(nowhere), DN_E_NOT_FOUND, {nowhere});
  expect_failure(load(folder.string()), DN_E_IO, {folder.string()});
  EXPECT_EQ(load(""), DN_E_ARGUMENT);
  ModelHandle foreign;
  expect_failure(load_from("this is no model\n", &foreign), DN_E_FORMAT, {"line 1"});

  const ModelHandle model = new_model();
  add(model, {1, 2, 3});
  for (const dn_status wanted : {DN_E_CANCELLED, DN_E_IO, DN_E_INTERNAL}) {
    dn_status status = wanted;
    const dn_write_callback stop = [](void* context, const uint8_t*, int64_t) {
      return *static_cast<dn_status*>(context);
    };
    EXPECT_EQ(dn_model_save_to(model.get(), stop, &status, nullptr, 0, 0), wanted);
  }
}

}  // namespace
}  // namespace dynnet::test

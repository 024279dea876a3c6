// The LSTM builder: its parameters, its steps against the formulas in double, states, masks, and values from DyNet.
#include "builders/lstm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"
#include "graph_support.h"

namespace dynnet::test {
namespace {

namespace fs = std::filesystem;
using State = std::vector<dn_expr>;

LstmHandle new_lstm(const ModelHandle& model, int32_t layers, int32_t input, int32_t hidden) {
  dn_lstm* lstm = nullptr;
  EXPECT_OK(dn_lstm_create(model.get(), layers, input, hidden, &lstm));
  return LstmHandle(lstm);
}

int32_t state_size(const LstmHandle& lstm) {
  int32_t size = -1;
  EXPECT_OK(dn_lstm_state_size(lstm.get(), &size));
  return size;
}

State start(const LstmHandle& lstm, const GraphHandle& graph, const State& values = {}) {
  State state(static_cast<size_t>(state_size(lstm)));
  EXPECT_OK(dn_lstm_initial_state(lstm.get(), graph.get(), values.data(), static_cast<int32_t>(values.size()),
                                  state.data(), static_cast<int32_t>(state.size())));
  return state;
}

State step(const LstmHandle& lstm, const GraphHandle& graph, const State& state, dn_expr x) {
  State next(state.size());
  EXPECT_OK(dn_lstm_add_input(lstm.get(), graph.get(), state.data(), static_cast<int32_t>(state.size()), x, next.data(),
                              static_cast<int32_t>(next.size())));
  return next;
}

dn_expr vector_input(const GraphHandle& graph, const std::vector<float>& values, uint32_t batch = 1) {
  const dn_dim shape = dim({static_cast<uint32_t>(values.size()) / batch}, batch);
  dn_expr x{};
  EXPECT_OK(dn_op_input(graph.get(), &shape, values.data(), static_cast<int64_t>(values.size()), &x));
  return x;
}

/// The h of the last layer.
dn_expr output(const State& state, int32_t layers) { return state[static_cast<size_t>(2 * layers - 1)]; }

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// One layer by the book.
struct ReferenceLayer {
  std::vector<float> wx, wh, b;
  std::vector<double> c, h;

  explicit ReferenceLayer(const ModelHandle& model, int64_t first)
      : wx(values(parameter_at(model, first))),
        wh(values(parameter_at(model, first + 1))),
        b(values(parameter_at(model, first + 2))),
        c(b.size() / 4, 0.0),
        h(b.size() / 4, 0.0) {}

  const std::vector<double>& step(const std::vector<double>& x) {
    const size_t n = h.size();
    std::vector<double> gates(b.begin(), b.end());
    for (size_t i = 0; i < 4 * n; ++i) {
      for (size_t j = 0; j < x.size(); ++j) gates[i] += wx[i + 4 * n * j] * x[j];
      for (size_t j = 0; j < n; ++j) gates[i] += wh[i + 4 * n * j] * h[j];
    }
    for (size_t i = 0; i < n; ++i) {
      c[i] = logistic(gates[n + i] + 1) * c[i] + logistic(gates[i]) * std::tanh(gates[3 * n + i]);
      h[i] = logistic(gates[2 * n + i]) * std::tanh(c[i]);
    }
    return h;
  }
};

TEST(Lstm, HasDyNetsParameters) {
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  const LstmHandle lstm = new_lstm(encoder, 2, 6, 5);
  const LstmHandle second = new_lstm(encoder, 1, 6, 5);
  ASSERT_EQ(parameters_count(model), 9);
  const std::vector<std::string> names{"_0", "_1", "_2", "_3", "_4", "_5"};
  const std::vector<Dim> dims{{20, 6}, {20, 5}, {20}, {20, 5}, {20, 5}, {20}};
  for (size_t i = 0; i < names.size(); ++i) {
    const dn_parameter* parameter = parameter_at(model, static_cast<int64_t>(i));
    EXPECT_EQ(parameter->name, "/encoder/vanilla-lstm-builder/" + names[i]);
    EXPECT_TRUE(parameter->dim == dims[i]) << parameter->dim.text();
    const std::vector<float> now = values(parameter);
    const bool is_bias = i % 3 == 2;
    for (const float v : now) EXPECT_LE(std::abs(v), is_bias ? 0.0f : std::sqrt(6.0f / 25));
    EXPECT_EQ(now == std::vector<float>(now.size(), 0.0f), is_bias);
  }
  EXPECT_EQ(parameter_at(model, 6)->name, "/encoder/vanilla-lstm-builder_1/_0");
}

TEST(Lstm, StepsFollowTheFormulas) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 2, 3, 4);
  std::vector<ReferenceLayer> reference{ReferenceLayer(model, 0), ReferenceLayer(model, 3)};
  const GraphHandle graph = new_graph();
  State state = start(lstm, graph);
  for (int t = 0; t < 6; ++t) {
    const std::vector<float> x{0.5f * static_cast<float>(t), -1, 1.0f / static_cast<float>(t + 1)};
    state = step(lstm, graph, state, vector_input(graph, x));
    const std::vector<double> expected = reference[1].step(reference[0].step({x.begin(), x.end()}));
    const std::vector<float> now = value(graph, output(state, 2));
    ASSERT_EQ(now.size(), 4u);
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(now[i], expected[i], 1e-5) << "step " << t;
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(value(graph, state[0])[i], reference[0].c[i], 1e-5);
  }
}

TEST(Lstm, StatesBranch) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 1, 2, 3);
  const GraphHandle graph = new_graph();
  const State first = step(lstm, graph, start(lstm, graph), vector_input(graph, {1, 2}));
  const State left = step(lstm, graph, first, vector_input(graph, {3, 4}));
  const State right = step(lstm, graph, first, vector_input(graph, {-3, -4}));
  const State again = step(lstm, graph, first, vector_input(graph, {3, 4}));
  EXPECT_NE(value(graph, output(left, 1)), value(graph, output(right, 1)));
  EXPECT_EQ(value(graph, output(left, 1)), value(graph, output(again, 1)));
}

TEST(Lstm, StartsFromGivenValues) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 1, 2, 3);
  const GraphHandle graph = new_graph();
  const State two = step(lstm, graph, step(lstm, graph, start(lstm, graph), vector_input(graph, {1, 2})),
                         vector_input(graph, {3, 4}));
  const State one = step(lstm, graph, start(lstm, graph), vector_input(graph, {1, 2}));
  const State given =
      start(lstm, graph, {vector_input(graph, value(graph, one[0])), vector_input(graph, value(graph, one[1]))});
  EXPECT_EQ(value(graph, output(step(lstm, graph, given, vector_input(graph, {3, 4})), 1)),
            value(graph, output(two, 1)));
}

TEST(Lstm, TakesBatches) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 2, 2, 3);
  const GraphHandle graph = new_graph();
  State batch = start(lstm, graph);
  State first = start(lstm, graph);
  State second = start(lstm, graph);
  for (int t = 0; t < 3; ++t) {
    batch = step(lstm, graph, batch, vector_input(graph, {1, 2, 3, 4}, 2));
    first = step(lstm, graph, first, vector_input(graph, {1, 2}));
    second = step(lstm, graph, second, vector_input(graph, {3, 4}));
  }
  std::vector<float> apart = value(graph, output(first, 2));
  for (const float v : value(graph, output(second, 2))) apart.push_back(v);
  EXPECT_EQ(value(graph, output(batch, 2)), apart);
}

TEST(Lstm, TrainsThroughItsSteps) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 2, 2, 3);
  const GraphHandle graph = new_graph();
  State state = start(lstm, graph);
  for (int t = 0; t < 3; ++t) state = step(lstm, graph, state, vector_input(graph, {1, 2}));
  dn_expr loss{};
  ASSERT_OK(dn_op_sum_elems(graph.get(), output(state, 2), &loss));
  ASSERT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
  for (int64_t i = 0; i < parameters_count(model); ++i) {
    const std::vector<float> g = gradient(parameter_at(model, i));
    EXPECT_NE(g, std::vector<float>(g.size(), 0.0f)) << parameter_at(model, i)->name;
  }
}

TEST(LstmDropout, OneMaskServesAWholeSequence) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 2, 4, 50);
  EXPECT_EQ(state_size(lstm), 4);
  ASSERT_OK(dn_lstm_set_dropout(lstm.get(), 0.5, 0.25));
  EXPECT_EQ(state_size(lstm), 8);
  const GraphHandle graph = new_graph();
  const State first = step(lstm, graph, start(lstm, graph), vector_input(graph, {1, 1, 1, 1}));
  const State second = step(lstm, graph, first, vector_input(graph, {1, 1, 1, 1}));
  for (size_t i = 4; i < 8; ++i) {
    EXPECT_EQ(first[i].node, second[i].node);
    EXPECT_EQ(first[i].stamp, second[i].stamp);
  }
  // Masks of the inputs of both layers, then of both h.
  EXPECT_EQ(value(graph, first[4]).size(), 4u);
  for (const float v : value(graph, first[5])) EXPECT_TRUE(v == 0.0f || v == 2.0f) << v;
  for (const float v : value(graph, first[6])) EXPECT_TRUE(v == 0.0f || std::abs(v - 1 / 0.75f) < 1e-6f) << v;
  EXPECT_EQ(value(graph, first[7]).size(), 50u);
  const State other = step(lstm, graph, start(lstm, graph), vector_input(graph, {1, 1, 1, 1}));
  EXPECT_NE(value(graph, first[5]), value(graph, other[5]));
}

TEST(LstmDropout, MasksDifferWithinABatch) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 1, 50, 3);
  ASSERT_OK(dn_lstm_set_dropout(lstm.get(), 0.5, 0));
  const GraphHandle graph = new_graph();
  const State state = step(lstm, graph, start(lstm, graph), vector_input(graph, std::vector<float>(100, 1.0f), 2));
  const std::vector<float> mask = value(graph, state[2]);
  ASSERT_EQ(mask.size(), 100u);
  EXPECT_NE(std::vector<float>(mask.begin(), mask.begin() + 50), std::vector<float>(mask.begin() + 50, mask.end()));
  EXPECT_EQ(state[3].stamp, 0u) << "a rate of 0 needs no mask";
}

TEST(LstmDropout, MaskedInputsDoNotCount) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 1, 8, 3);
  ASSERT_OK(dn_lstm_set_dropout(lstm.get(), 0.5, 0.5));
  const GraphHandle graph = new_graph();
  const State state = step(lstm, graph, start(lstm, graph), vector_input(graph, std::vector<float>(8, 1.0f)));
  const std::vector<float> mask = value(graph, state[2]);
  ReferenceLayer reference(model, 0);
  const std::vector<double> expected = reference.step({mask.begin(), mask.end()});
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(value(graph, output(state, 1))[i], expected[i], 1e-5);
  // The next step's h is masked too.
  const std::vector<float> h_mask = value(graph, state[3]);
  for (size_t i = 0; i < 3; ++i) reference.h[i] *= h_mask[i];
  const std::vector<double> next = reference.step({mask.begin(), mask.end()});
  const State second = step(lstm, graph, state, vector_input(graph, std::vector<float>(8, 1.0f)));
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(value(graph, output(second, 1))[i], next[i], 1e-5);
}

TEST(LstmDropout, ASequenceGoesOnAsItBegan) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 1, 2, 3);
  const GraphHandle graph = new_graph();
  const State without = step(lstm, graph, start(lstm, graph), vector_input(graph, {1, 2}));
  ASSERT_OK(dn_lstm_set_dropout(lstm.get(), 0.5, 0.5));
  EXPECT_EQ(step(lstm, graph, without, vector_input(graph, {1, 2})).size(), 2u);
  const State with = step(lstm, graph, start(lstm, graph), vector_input(graph, {1, 2}));
  ASSERT_OK(dn_lstm_set_dropout(lstm.get(), 0, 0));
  EXPECT_EQ(step(lstm, graph, with, vector_input(graph, {1, 2}))[2].node, with[2].node);
  EXPECT_EQ(state_size(lstm), 2);
}

TEST(LstmDropout, IsThatOfTheStartAndNotOfTheFirstInput) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 1, 64, 3);
  const GraphHandle graph = new_graph();
  ASSERT_OK(dn_lstm_set_dropout(lstm.get(), 0.5, 0));
  const State begun = start(lstm, graph);
  ASSERT_OK(dn_lstm_set_dropout(lstm.get(), 0, 0.5));
  const State next = step(lstm, graph, begun, vector_input(graph, std::vector<float>(64, 1)));
  const std::vector<float> mask = value(graph, next[2]);
  ASSERT_EQ(mask.size(), 64u) << "the input's mask, drawn by the rate of the start";
  EXPECT_GT(std::count(mask.begin(), mask.end(), 0.0F), 0);
  EXPECT_GT(std::count(mask.begin(), mask.end(), 2.0F), 0);
  EXPECT_EQ(next[3].stamp, 0u) << "no mask for h";
}

TEST(LstmErrors, NameTheBuilder) {
  const ModelHandle model = new_model();
  const LstmHandle lstm = new_lstm(model, 1, 2, 3);
  const GraphHandle graph = new_graph();
  const State state = start(lstm, graph);
  State next(2);
  const auto add_to = [&](int32_t state_count, dn_expr x, int32_t next_count) {
    return dn_lstm_add_input(lstm.get(), graph.get(), state.data(), state_count, x, next.data(), next_count);
  };
  const dn_expr x = vector_input(graph, {1, 2});
  expect_failure(add_to(2, vector_input(graph, {1, 2, 3}), 2), DN_E_SHAPE,
                 {"/vanilla-lstm-builder/", "x is {3}", "expected {2}"});
  expect_failure(add_to(1, x, 2), DN_E_ARGUMENT, {"/vanilla-lstm-builder/", "state of 1"});
  expect_failure(add_to(2, x, 1), DN_E_ARGUMENT, {"room for 1"});
  EXPECT_EQ(add_to(2, dn_expr{}, 2), DN_E_STALE);
  expect_failure(dn_lstm_add_input(lstm.get(), nullptr, state.data(), 2, x, next.data(), 2), DN_E_ARGUMENT,
                 {"graph is null"});
  expect_failure(dn_lstm_add_input(nullptr, graph.get(), state.data(), 2, x, next.data(), 2), DN_E_ARGUMENT,
                 {"builder is null"});
  const dn_expr values[] = {x, x};
  expect_failure(dn_lstm_initial_state(lstm.get(), graph.get(), values, 2, next.data(), 2), DN_E_SHAPE,
                 {"c is {2}", "expected {3}"});
  expect_failure(dn_lstm_initial_state(lstm.get(), graph.get(), values, 1, next.data(), 2), DN_E_ARGUMENT,
                 {"1 values"});
  expect_failure(dn_lstm_initial_state(lstm.get(), graph.get(), nullptr, 0, next.data(), 3), DN_E_ARGUMENT,
                 {"room for 3", "a state has 2"});
  ASSERT_OK(dn_graph_renew(graph.get()));
  EXPECT_EQ(add_to(2, vector_input(graph, {1, 2}), 2), DN_E_STALE);
}

TEST(LstmErrors, SettingsAreChecked) {
  const ModelHandle model = new_model();
  dn_lstm* made = nullptr;
  for (const auto& [layers, in, hidden] :
       std::vector<std::array<int32_t, 3>>{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {1, 1, INT32_MAX}}) {
    expect_failure(dn_lstm_create(model.get(), layers, in, hidden, &made), DN_E_ARGUMENT, {"LSTM"});
  }
  expect_failure(dn_lstm_create(nullptr, 1, 1, 1, &made), DN_E_ARGUMENT, {"model is null"});
  EXPECT_EQ(made, nullptr);
  const LstmHandle lstm = new_lstm(model, 1, 1, 1);
  // The last one is 1 as a float.
  for (const double bad : {-0.1, 1.0, std::nan(""), 0.99999999}) {
    expect_failure(dn_lstm_set_dropout(lstm.get(), bad, 0), DN_E_ARGUMENT, {"inputs"});
    expect_failure(dn_lstm_set_dropout(lstm.get(), 0.5, bad), DN_E_ARGUMENT, {"recurrent"});
  }
  EXPECT_EQ(state_size(lstm), 2) << "what was refused changed nothing";
  dn_lstm_free(nullptr);
}

TEST(LstmErrors, WithoutMemoryTheModelIsAsItWas) {
  const LimitRestorer restore;
  const ModelHandle model = new_model();
  set_memory_limit(memory_used() + (1 << 20));
  dn_lstm* made = nullptr;
  // The first layer fits, the second does not.
  expect_failure(dn_lstm_create(model.get(), 2, 1, 200, &made), DN_E_MEMORY, {"vanilla-lstm-builder"});
  EXPECT_EQ(parameters_count(model), 0);
  set_memory_limit(0);
  const LstmHandle lstm = new_lstm(model, 2, 1, 200);
  EXPECT_EQ(parameter_at(model, 0)->name, "/vanilla-lstm-builder/_0");
}

TEST(Lstm, GivesDyNetsValues) {
  const fs::path file = fs::path(__FILE__).parent_path() / "../../../shared/data/dynet-models/lstm.model";
  if (!fs::exists(file)) GTEST_SKIP() << "no files written by DyNet: " << file << " is not there";
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  const dn_initializer zero = initializer(DN_INIT_CONSTANT, 0);
  dn_lookup_parameter* embeddings = add_table(encoder, 11, {6}, zero, "embeddings");
  const LstmHandle lstm = new_lstm(encoder, 2, 6, 5);
  dn_parameter* readout = add(model, {4, 5}, zero, "readout");
  const std::string path = file.string();
  ASSERT_OK(dn_model_populate(model.get(), path.data(), static_cast<int64_t>(path.size()), "", 0));
  const GraphHandle graph = new_graph();
  State state = start(lstm, graph);
  for (const int32_t id : {3, 1, 4, 1, 5, 9, 2, 6, 10, 0}) {
    dn_expr x{};
    ASSERT_OK(dn_op_lookup(graph.get(), embeddings, id, &x));
    state = step(lstm, graph, state, x);
  }
  // From lstm.expected.json.
  const std::vector<float> hidden{-0.0428372025f, 0.0413393602f, 0.0554775372f, -0.0306955259f, 0.0414511301f};
  const std::vector<float> expected{-1.35827053f, -1.44959748f, -1.40860045f, -1.33277261f};
  const std::vector<float> h = value(graph, output(state, 2));
  for (size_t i = 0; i < hidden.size(); ++i) EXPECT_NEAR(h[i], hidden[i], 1e-5);
  dn_expr r{};
  dn_expr product{};
  dn_expr y{};
  ASSERT_OK(dn_op_parameter(graph.get(), readout, &r));
  ASSERT_OK(dn_op_multiply(graph.get(), r, output(state, 2), &product));
  ASSERT_OK(dn_op_log_softmax(graph.get(), product, &y));
  const std::vector<float> log_softmax = value(graph, y);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(log_softmax[i], expected[i], 1e-5);
}

}  // namespace
}  // namespace dynnet::test

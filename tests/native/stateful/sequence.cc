#include "stateful/sequence.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>

#include "stateful/engine_ops.h"

namespace dynnet::stateful {
namespace {

constexpr int kGraphs = 3;
constexpr int kMostNodes = 70;

}  // namespace

// ------------------------------------------------------------------------------------------------------- life, chance

Sequence::Sequence(uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15u + 1) {
  models_.push_back(test::new_model(1));
  models_.push_back(test::new_model(2));
  auto add = [&](int model, std::initializer_list<uint32_t> sizes, int64_t rows) {
    Weight weight;
    weight.model = model;
    weight.shape = Shape(test::dim(sizes));
    weight.rows = rows;
    weight.values = numbers(weight.shape.size() * std::max<int64_t>(rows, 1));
    const auto& owner = models_[static_cast<size_t>(model)];
    const dn_initializer init = test::values_of(weight.values);
    parameters_.push_back(rows == 0 ? test::add(owner, sizes, init) : nullptr);
    tables_.push_back(rows == 0 ? nullptr : test::add_table(owner, rows, sizes, init));
    weights_.push_back(std::move(weight));
  };
  add(0, {4, 3}, 0);
  add(0, {3, 3}, 0);
  add(0, {3, 4}, 0);
  add(0, {4}, 0);
  add(0, {4}, 0);
  add(0, {3}, 0);
  add(0, {1}, 0);
  add(0, {3}, 5);
  add(0, {4}, 3);
  add(1, {4, 3}, 0);
  add(1, {3}, 4);
  dn_trainer* trainer = nullptr;
  EXPECT_OK(dn_trainer_create_simple_sgd(models_[0].get(), kLearningRate, &trainer));
  trainer_.reset(trainer);
  EXPECT_OK(dn_trainer_set_clip_threshold(trainer, 0));
  dn_gradients* own = nullptr;
  EXPECT_OK(dn_gradients_create(models_[0].get(), &own));
  own_.reset(own);
  for (int i = 0; i < kGraphs; ++i) {
    dn_graph* graph = nullptr;
    EXPECT_OK(dn_graph_create(static_cast<uint64_t>(i), &graph));
    graphs_.push_back(std::make_unique<Live>(
        Live{graph, Graph(i, weights_, [this, graph](const Node& node) { return draws_of(graph, node); }), {}, {}}));
  }
}

Sequence::~Sequence() {
  dn_memory_set_limit(0);
  for (const auto& g : graphs_) dn_graph_free(g->real);
}

float Sequence::number() {
  const float magnitude = 0.05f + static_cast<float>(below(1 << 20)) / (1 << 20) * 0.95f;
  return chance(50) ? magnitude : -magnitude;
}

std::vector<float> Sequence::numbers(int64_t n) {
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = number();
  return values;
}

// More often one of the latest, so that graphs grow deep.
int Sequence::some_node(const Live& g) {
  const int size = g.model.size();
  return chance(50) ? below(size) : size - 1 - below(std::min(size, 6));
}

Indices Sequence::some_indices(int count, int64_t end) {
  Indices indices;
  for (int i = 0; i < count; ++i) indices.push_back(below(static_cast<int>(end)));
  return indices;
}

void Sequence::say(const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  trace_ += line;
  trace_ += '\n';
}

void Sequence::run() {
  for (const auto& g : graphs_)
    for (int i = 0; i < 3; ++i) record_node(*g, leaf());
  const int steps = 40 + below(50);
  for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
  if (!testing::Test::HasFailure()) audit();
}

void Sequence::step() {
  struct Choice {
    int weight;
    void (Sequence::*take)();
  };
  static const Choice choices[] = {
      {60, &Sequence::record},
      {12, &Sequence::ask_value},
      {8, &Sequence::forward},
      {6, &Sequence::incremental_forward},
      {20, &Sequence::backward},
      {12, &Sequence::ask_gradient},
      {6, &Sequence::set_input},
      {5, &Sequence::set_indices},
      {6, &Sequence::change_bound_memory},
      {5, &Sequence::write_parameter},
      {3, &Sequence::write_row},
      {7, &Sequence::checkpoint},
      {7, &Sequence::revert},
      {1, &Sequence::renew},
      {3, &Sequence::change_options},
      {4, &Sequence::update},
      {1, &Sequence::reset_gradients},
      {3, &Sequence::misuse},
      {2, &Sequence::bad_bound_index},
      {2, &Sequence::computes_nan},
      {1, &Sequence::exhausts_memory},
      {2, &Sequence::audit},
  };
  static const int total = [] {
    int sum = 0;
    for (const Choice& choice : choices) sum += choice.weight;
    return sum;
  }();
  int at = below(total);
  for (const Choice& choice : choices) {
    at -= choice.weight;
    if (at >= 0) continue;
    (this->*choice.take)();
    return;
  }
}

// ---------------------------------------------------------------------------------------------------------- recording

dn_status Sequence::record_real(Live& g, const Node& node, dn_expr* out) {
  const dn_dim dim = to_dim(node.shape);
  const auto weight = static_cast<size_t>(std::max(node.weight, 0));
  const Indices& indices = node.attributes.indices;
  const auto count = static_cast<int32_t>(indices.size());
  if (node.op == "input") {
    const std::vector<float> values(node.value.begin(), node.value.end());
    return dn_op_input(g.real, &dim, values.data(), static_cast<int64_t>(values.size()), out);
  }
  if (node.op == "input_scalar") return dn_op_input_scalar(g.real, node.value[0], out);
  if (node.op == "input_bound") return dn_op_input_bound(g.real, &dim, node.bound, out);
  if (node.op == "constant") return dn_op_constant(g.real, &dim, node.attributes.scalar, out);
  if (node.op == "parameter") return dn_op_parameter(g.real, parameters_[weight], out);
  if (node.op == "const_parameter") return dn_op_const_parameter(g.real, parameters_[weight], out);
  if (node.op == "lookup") return dn_op_lookup(g.real, tables_[weight], indices[0], out);
  if (node.op == "const_lookup") return dn_op_const_lookup(g.real, tables_[weight], indices[0], out);
  if (node.op == "lookup_batch") return dn_op_lookup_batch(g.real, tables_[weight], indices.data(), count, out);
  if (node.op == "const_lookup_batch")
    return dn_op_const_lookup_batch(g.real, tables_[weight], indices.data(), count, out);
  if (node.op == "lookup_bound") return dn_op_lookup_bound(g.real, tables_[weight], node.bound_index, out);
  std::vector<dn_expr> operands;
  for (const int operand : node.operands) operands.push_back(g.model[operand].real);
  return stateful::record(g.real, node.op, operands, node.attributes, out);
}

int Sequence::record_node(Live& g, Node node) {
  const bool is_parameter = node.op == "parameter" || node.op == "const_parameter";
  if (const int found = is_parameter ? g.model.find_parameter(node.op, node.weight) : -1; found >= 0) {
    dn_expr again{};
    EXPECT_OK(record_real(g, node, &again));
    EXPECT_EQ(again.node, g.model[found].real.node) << "a parameter is one node";
    EXPECT_EQ(again.stamp, g.model[found].real.stamp);
    return found;
  }
  if (!node.operands.empty()) {
    const std::optional<Shape> shape = g.model.shape_of(node);
    if (!shape) {
      dn_expr untouched{77, 77};
      const dn_status status = record_real(g, node, &untouched);
      EXPECT_TRUE(status == DN_E_SHAPE || status == DN_E_ARGUMENT || status == DN_E_INDEX)
          << node.op << ": " << status << " " << test::last_error();
      EXPECT_TRUE(untouched.node == 77 && untouched.stamp == 77) << "a failed call has changed its result";
      return -1;
    }
    node.shape = *shape;
  }
  const std::optional<Interval> interval = interval_of(g, node);
  if (!interval) return -1;
  std::string operands;
  for (const int operand : node.operands) operands += " " + std::to_string(operand);
  say("graph %p: node %d = %s%s -> %s weight %d", static_cast<void*>(g.real), g.model.size(),
      std::string(node.op).c_str(), operands.c_str(), node.shape.text().c_str(), node.weight);
  int64_t before = 0, after = 0;
  EXPECT_OK(dn_graph_nodes_count(g.real, &before));
  const dn_status status = record_real(g, node, &node.real);
  if (status == DN_E_STATE && test::last_error().find("its value is gone") != std::string::npos) {
    say("  gone: %s", test::last_error().c_str());
    return -1;
  }
  if (both(
          g, [&] { return status; }, [&] { return g.model.record(node); }) != DN_OK)
    return -1;
  g.intervals.push_back(*interval);
  ++nodes_recorded_;
  const int number = g.model.size() - 1;
  // One that was computed as one with its activation is recorded once more for another use.
  EXPECT_OK(dn_graph_nodes_count(g.real, &after));
  EXPECT_EQ(node.real.node, static_cast<uint32_t>(after - 1));
  const auto copies = std::count_if(node.operands.begin(), node.operands.end(),
                                    [&](int operand) { return g.model[operand].op == "affine_transform"; });
  EXPECT_GE(after, before + 1);
  EXPECT_LE(after, before + 1 + copies);
  dn_dim dim{};
  EXPECT_OK(dn_graph_dim(g.real, node.real, &dim));
  EXPECT_EQ(Shape(dim).text(), g.model[number].shape.text()) << node.op;
  return number;
}

int Sequence::record_operation(Live& g, std::string_view op, const std::vector<int>& operands,
                               const Attributes& attributes) {
  return record_node(g, {.op = op, .operands = operands, .attributes = attributes});
}

void Sequence::record() {
  Live& g = some_graph();
  if (g.model.size() > kMostNodes) return;
  for (int count = 1 + below(8); count > 0 && !testing::Test::HasFailure(); --count) {
    if (g.model.size() < 3 || chance(20)) {
      record_node(g, leaf());
      continue;
    }
    for (int attempt = 0; attempt < 10; ++attempt) {
      const Node node = operation(g);
      const bool fits = g.model.shape_of(node).has_value();
      if (!fits && !chance(5)) continue;
      if (fits && !interval_of(g, node)) continue;
      const int first = record_node(g, node);
      if (first >= 0 && chance(30)) record_twins(g, node, first);
      break;
    }
  }
}

// The same operation on other operands of the same shapes, and the mean of all: nodes that run in one batch, some of
// them with an operand in common.
void Sequence::record_twins(Live& g, const Node& node, int first) {
  std::vector<int> all = {first};
  for (int count = 1 + below(4); count > 0 && !testing::Test::HasFailure(); --count) {
    Node twin = node;
    for (int& operand : twin.operands) {
      std::vector<int> found;
      for (int i = 0; i < g.model.size(); ++i)
        if (g.model[i].shape == g.model[operand].shape) found.push_back(i);
      if (chance(60)) operand = found[static_cast<size_t>(below(static_cast<int>(found.size())))];
    }
    if (!interval_of(g, twin)) continue;
    if (const int recorded = record_node(g, twin); recorded >= 0) all.push_back(recorded);
  }
  if (!testing::Test::HasFailure()) record_operation(g, "average", all);
}

int Sequence::reduce(Live& g, int node) {
  if (g.intervals[static_cast<size_t>(node)].magnitude() > 1) node = record_operation(g, "tanh", {node});
  if (node < 0) return -1;
  // Unequal weights, then a function that is not linear.
  Node weights{.op = "input", .shape = g.model[node].shape};
  for (const float value : numbers(weights.shape.total()))
    weights.value.push_back(value / static_cast<float>(weights.shape.total()));
  const int w = record_node(g, std::move(weights));
  if (w < 0) return -1;
  int sum = record_operation(g, "cmult", {node, w});
  for (const char* op : {"sum_elems", "sum_batches", "square"})
    if (sum >= 0) sum = record_operation(g, op, {sum});
  if (sum >= 0) sum = record_operation(g, "add_scalar", {sum}, {.scalar = 1});
  return sum < 0 ? -1 : record_operation(g, "sqrt", {sum});
}

// ---------------------------------------------------------------------------------------------------------- computing

Numbers Sequence::draws_of(dn_graph* graph, const Node& node) const {
  // The engine has computed the node, so asking for its value changes nothing.
  const float* values = nullptr;
  int64_t count = 0;
  EXPECT_OK(dn_graph_value(graph, node.real, &values, &count));
  Numbers mask(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    mask[static_cast<size_t>(i)] = values[i] == 0 ? 0 : 1 / (1 - node.attributes.scalar);
  return mask;
}

dn_status Sequence::do_forward(Live& g, int node) {
  say("graph %p: forward %d", static_cast<void*>(g.real), node);
  return both(
      g, [&] { return dn_graph_forward(g.real, g.model[node].real); }, [&] { return g.model.forward(node); });
}

// An affine transformation that was folded into its activation has no value of its own until that is asked for, and
// then no more if parameters have changed.
bool Sequence::is_gone(Live& g, int node) {
  if (g.model[node].op != "affine_transform" || !g.model.has_value(node)) return false;
  const dn_status status = dn_graph_incremental_forward(g.real, g.model[node].real);
  if (status == DN_OK) return false;
  say("  gone: %s", test::last_error().c_str());
  const bool changed = test::last_error().find("parameters have changed since") != std::string::npos;
  EXPECT_TRUE(status == provoked_ || (status == DN_E_STATE && changed)) << test::last_error();
  return true;
}

void Sequence::compare_value(Live& g, int node) {
  if (is_gone(g, node)) return;
  const float* real = nullptr;
  int64_t count = 0;
  const dn_status status = both(
      g, [&] { return dn_graph_value(g.real, g.model[node].real, &real, &count); },
      [&] { return g.model.incremental_forward(node); });
  if (status != DN_OK || testing::Test::HasFailure()) return;
  const Numbers& model = g.model.value(node);
  ASSERT_EQ(count, static_cast<int64_t>(model.size()));
  if (g.model[node].unsure) return;
  compare_numbers(real, model, 1e-4, "value of node " + std::to_string(node) + ", " + std::string(g.model[node].op));
  compare_bits(g, node, real);
}

void Sequence::compare_numbers(const float* real, const Numbers& model, double tolerance, const std::string& what) {
  for (size_t i = 0; i < model.size(); ++i) {
    if (std::abs(real[i] - model[i]) <= tolerance * (1 + std::abs(model[i]))) continue;
    ADD_FAILURE() << what << ", element " << i << ": " << real[i] << ", expected " << model[i];
    return;
  }
}

void Sequence::compare_bits(const Live& g, int node, const float* real) {
  const auto size = static_cast<size_t>(g.model[node].shape.total());
  const auto [seen, is_new] = bits_.try_emplace(g.model[node].origin, real, real + size);
  if (is_new) return;
  ASSERT_EQ(seen->second.size(), size);
  EXPECT_EQ(std::memcmp(seen->second.data(), real, size * sizeof(float)), 0)
      << "node " << node << ", " << g.model[node].op << ": not the bits of before, though computed from the same; "
      << "element 0 is " << real[0] << " and was " << seen->second[0];
}

void Sequence::ask_value() {
  Live& g = some_graph();
  if (g.model.size() == 0) return;
  const int node = some_node(g);
  say("graph %p: value %d", static_cast<void*>(g.real), node);
  compare_value(g, node);
}

void Sequence::forward() {
  Live& g = some_graph();
  if (g.model.size() == 0) return;
  const int node = some_node(g);
  if (do_forward(g, node) == DN_OK && !testing::Test::HasFailure()) compare_value(g, node);
}

void Sequence::incremental_forward() {
  Live& g = some_graph();
  if (g.model.size() == 0) return;
  const int node = some_node(g);
  say("graph %p: incremental forward %d", static_cast<void*>(g.real), node);
  if (is_gone(g, node)) return;
  both(
      g, [&] { return dn_graph_incremental_forward(g.real, g.model[node].real); },
      [&] { return g.model.incremental_forward(node); });
}

// All that has a value, and nothing else: asking must not compute.
void Sequence::audit() {
  for (const auto& g : graphs_) {
    int64_t count = 0;
    EXPECT_OK(dn_graph_nodes_count(g->real, &count));
    int affine = 0;
    for (int i = 0; i < g->model.size(); ++i) affine += g->model[i].op == "affine_transform";
    EXPECT_GE(count, g->model.size());
    EXPECT_LE(count, g->model.size() + affine) << "each has one copy at most";
    for (int i = 0; i < g->model.size() && !testing::Test::HasFailure(); ++i)
      if (g->model.has_value(i)) compare_value(*g, i);
  }
  compare_gradients();
}

// ---------------------------------------------------------------------------------------------------------- gradients

void Sequence::compare_set(GradientSet& real, const Gradients& model, int number, const char* what) {
  for (size_t i = 0; i < weights_.size() && !testing::Test::HasFailure(); ++i) {
    const Weight& weight = weights_[i];
    if (weight.model != number) continue;
    const std::string name = std::string(what) + ", weight " + std::to_string(i);
    const Numbers zeros(static_cast<size_t>(weight.row_size()), 0);
    const double tolerance = 2e-5 * gradient_scale_;
    if (weight.rows == 0) {
      const auto found = model.parameters.find(static_cast<int>(i));
      compare_numbers(real.read(*parameters_[i]), found == model.parameters.end() ? zeros : found->second, tolerance,
                      name);
      continue;
    }
    for (int row = 0; row < weight.rows; ++row) {
      const auto found = model.rows.find({static_cast<int>(i), row});
      const float* const values = real.row(*tables_[i], row);
      EXPECT_EQ(values != nullptr, found != model.rows.end()) << name << ", row " << row;
      if (values != nullptr && found != model.rows.end()) compare_numbers(values, found->second, tolerance, name);
    }
  }
}

void Sequence::compare_gradients() {
  for (int i = 0; i < 2; ++i)
    compare_set(models_[static_cast<size_t>(i)]->storage->gradients(), model_gradients_[i], i, "a model's gradients");
  compare_set(own_->set, own_gradients_, 0, "own gradients");
}

void Sequence::backward() {
  Live& g = some_graph();
  if (g.model.size() > 0) backward_of(g);
}

void Sequence::backward_of(Live& g) {
  int node = some_node(g);
  if (!chance(10)) node = reduce(g, node);
  if (node < 0 || testing::Test::HasFailure()) return;
  const bool full = chance(30);
  const bool own = chance(30);
  for (int times = chance(20) ? 2 : 1; times > 0 && !testing::Test::HasFailure(); --times) {
    say("graph %p: backward %d%s%s", static_cast<void*>(g.real), node, full ? " full" : "", own ? " own" : "");
    const dn_status status = both(
        g, [&] { return dn_graph_backward(g.real, g.model[node].real, own ? own_.get() : nullptr, full); },
        [&] { return g.model.backward(node, full, model_gradients_, own ? &own_gradients_ : nullptr); });
    if (status != DN_OK || testing::Test::HasFailure()) return;
    gradient_scale_ += g.model.gradient_scale();
    compare_gradients();
  }
  if (chance(50) && !testing::Test::HasFailure()) compare_value(g, node);
  if (chance(50) && !testing::Test::HasFailure()) ask_gradients_of(g);
}

void Sequence::ask_gradient() {
  Live& g = some_graph();
  if (g.model.size() > 0 && (g.model.was_differentiated() || chance(10))) ask_gradients_of(g);
}

void Sequence::ask_gradients_of(Live& g) {
  const bool all = chance(20);
  for (int count = all ? g.model.size() : 1 + below(4); count > 0 && !testing::Test::HasFailure(); --count) {
    const int node = all ? count - 1 : below(g.model.size());
    say("graph %p: gradient %d", static_cast<void*>(g.real), node);
    const float* real = nullptr;
    int64_t elements = 0;
    Numbers model;
    // One that was folded into its activation has none of its own until it is asked for, and none after a forward.
    if (g.model[node].op == "affine_transform" &&
        dn_graph_gradient(g.real, g.model[node].real, &real, &elements) == DN_E_STATE &&
        test::last_error().find("computed anew since the backward") != std::string::npos)
      continue;
    const dn_status status = both(
        g, [&] { return dn_graph_gradient(g.real, g.model[node].real, &real, &elements); },
        [&] { return g.model.gradient(node, &model); });
    if (status != DN_OK || testing::Test::HasFailure()) continue;
    ASSERT_EQ(elements, static_cast<int64_t>(model.size()));
    compare_numbers(real, model, 2e-5 * gradient_scale_, "gradient of node " + std::to_string(node));
  }
}

}  // namespace dynnet::stateful

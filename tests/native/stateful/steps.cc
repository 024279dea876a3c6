// The steps of a sequence that change something: inputs, weights, options, the record itself; and those that must fail.
#include <algorithm>
#include <cmath>

#include "stateful/sequence.h"

namespace dynnet::stateful {
namespace {

// Weights beyond this are written anew, since what is recorded relies on it; see interval_of.
constexpr float kLargestWeight = 2;

}  // namespace

// ------------------------------------------------------------------------------------------------- inputs and indices

void Sequence::set_input() {
  Live& g = some_graph();
  std::vector<int> inputs;
  for (int i = 0; i < g.model.size(); ++i)
    if (g.model[i].op == "input" || g.model[i].op == "input_scalar") inputs.push_back(i);
  if (inputs.empty()) return;
  const int node = inputs[static_cast<size_t>(below(static_cast<int>(inputs.size())))];
  say("graph %p: set input %d", static_cast<void*>(g.real), node);
  const std::vector<float> values = numbers(g.model[node].shape.total());
  both(
      g,
      [&] {
        return dn_graph_set_input(g.real, g.model[node].real, values.data(), static_cast<int64_t>(values.size()));
      },
      [&] {
        g.model.set_input(node, Numbers(values.begin(), values.end()));
        return DN_OK;
      });
}

void Sequence::set_indices() {
  Live& g = some_graph();
  std::vector<int> nodes;
  for (int i = 0; i < g.model.size(); ++i)
    if (!g.model[i].attributes.indices.empty() && g.model[i].bound_index == nullptr) nodes.push_back(i);
  if (nodes.empty()) return;
  const int number = nodes[static_cast<size_t>(below(static_cast<int>(nodes.size())))];
  const Node& node = g.model[number];
  const int64_t end = node.weight >= 0 ? weights_[static_cast<size_t>(node.weight)].rows
                                       : g.model[node.operands[0]].shape.d[static_cast<size_t>(node.attributes.dim)];
  Indices indices = some_indices(static_cast<int>(node.attributes.indices.size()), end);
  const bool bad = chance(15);
  if (bad) indices.back() = chance(50) ? -1 : static_cast<int32_t>(end);
  say("graph %p: set indices %d%s", static_cast<void*>(g.real), number, bad ? " to bad ones" : "");
  both(
      g, [&] { return dn_graph_set_indices(g.real, node.real, indices.data(), static_cast<int32_t>(indices.size())); },
      [&] {
        if (bad) return DN_E_INDEX;
        g.model.set_indices(number, indices);
        return DN_OK;
      });
}

void Sequence::change_bound_memory() {
  if (bound_.empty()) return;
  Bound& bound = bound_[static_cast<size_t>(below(static_cast<int>(bound_.size())))];
  say("bound memory changes");
  if (bound.rows > 0)
    bound.index = below(bound.rows);
  else
    bound.values.assign(bound.values.size(), number());
}

// ------------------------------------------------------------------------------------------------------------ weights

void Sequence::write(int weight, const std::vector<float>& values) {
  const auto at = static_cast<size_t>(weight);
  const auto count = static_cast<int64_t>(values.size());
  if (weights_[at].rows == 0)
    EXPECT_OK(dn_parameter_set_values(parameters_[at], values.data(), count));
  else
    EXPECT_OK(dn_lookup_parameter_set_values(tables_[at], values.data(), count));
  weights_[at].values = values;
  ++weights_[at].version;
  for (const auto& g : graphs_) g->model.written(weight);
}

void Sequence::write_parameter() {
  const int weight = below(static_cast<int>(weights_.size()));
  say("write weight %d", weight);
  write(weight, numbers(static_cast<int64_t>(weights_[static_cast<size_t>(weight)].values.size())));
}

void Sequence::write_row() {
  size_t at = 0;
  do at = static_cast<size_t>(below(static_cast<int>(weights_.size())));
  while (weights_[at].rows == 0);
  Weight& table = weights_[at];
  const int row = below(static_cast<int>(table.rows));
  say("write row %d of weight %d", row, static_cast<int>(at));
  const std::vector<float> values = numbers(table.row_size());
  EXPECT_OK(dn_lookup_parameter_set_row(tables_[at], row, values.data(), table.row_size()));
  std::copy(values.begin(), values.end(), table.values.begin() + row * table.row_size());
  ++table.version;
}

// Compares a weight after an update with what it should be, and goes on from what it is: errors do not add up.
void Sequence::adopt(int weight) {
  const auto at = static_cast<size_t>(weight);
  Weight& w = weights_[at];
  Numbers expected(w.values.begin(), w.values.end());
  if (const auto found = model_gradients_[0].parameters.find(weight); found != model_gradients_[0].parameters.end())
    for (size_t i = 0; i < expected.size(); ++i) expected[i] -= kLearningRate * found->second[i];
  for (const auto& [place, gradient] : model_gradients_[0].rows) {
    if (place.first != weight) continue;
    const auto begin = static_cast<size_t>(place.second * w.row_size());
    for (size_t i = 0; i < gradient.size(); ++i) expected[begin + i] -= kLearningRate * gradient[i];
  }
  const std::vector<float> now = w.rows == 0 ? test::values(parameters_[at]) : test::values(tables_[at]);
  compare_numbers(now.data(), expected, 2e-5 * gradient_scale_,
                  "weight " + std::to_string(weight) + " after an update");
  w.values = now;
}

void Sequence::update() {
  const bool from_own = chance(50);
  say("update%s", from_own ? " from the own gradients" : "");
  if (from_own) {
    dn_gradients* sets[] = {own_.get()};
    EXPECT_OK(dn_trainer_update_from(trainer_.get(), sets, 1));
    model_gradients_[0].merge(own_gradients_);
  } else {
    EXPECT_OK(dn_trainer_update(trainer_.get()));
  }
  std::vector<bool> has_gradient(weights_.size(), false);
  for (const auto& [weight, gradient] : model_gradients_[0].parameters)
    has_gradient[static_cast<size_t>(weight)] = true;
  for (const auto& [place, gradient] : model_gradients_[0].rows) has_gradient[static_cast<size_t>(place.first)] = true;
  for (int i = 0; i < static_cast<int>(weights_.size()); ++i) {
    adopt(i);
    if (!has_gradient[static_cast<size_t>(i)]) continue;
    ++weights_[static_cast<size_t>(i)].version;
    for (const auto& g : graphs_) g->model.written(i);
  }
  model_gradients_[0].clear();
  // Not always: reading a gradient sets it to 0, which the next backward should not need.
  if (chance(30)) compare_gradients();
  for (int i = 0; i < static_cast<int>(weights_.size()); ++i) {
    const std::vector<float>& values = weights_[static_cast<size_t>(i)].values;
    if (std::any_of(values.begin(), values.end(), [](float v) { return std::abs(v) > kLargestWeight; }))
      write(i, numbers(static_cast<int64_t>(values.size())));
  }
}

void Sequence::reset_gradients() {
  say("reset gradients");
  if (chance(50)) {
    EXPECT_OK(dn_model_reset_gradients(models_[1].get()));
    model_gradients_[1].clear();
  } else {
    EXPECT_OK(dn_gradients_reset(own_.get()));
    own_gradients_.clear();
  }
  if (chance(30)) compare_gradients();
}

// --------------------------------------------------------------------------------------------------------- the record

void Sequence::do_checkpoint(Live& g) {
  say("graph %p: checkpoint", static_cast<void*>(g.real));
  EXPECT_OK(dn_graph_checkpoint(g.real));
  g.model.checkpoint();
}

void Sequence::do_revert(Live& g) {
  say("graph %p: revert", static_cast<void*>(g.real));
  std::vector<dn_expr> before;
  for (int i = 0; i < g.model.size(); ++i) before.push_back(g.model[i].real);
  both(
      g, [&] { return dn_graph_revert(g.real); }, [&] { return g.model.revert(); });
  const auto size = static_cast<size_t>(g.model.size());
  g.stale.insert(g.stale.end(), before.begin() + static_cast<ptrdiff_t>(size), before.end());
  g.intervals.resize(size);
}

void Sequence::checkpoint() { do_checkpoint(some_graph()); }

void Sequence::revert() {
  Live& g = some_graph();
  if (!g.model.can_revert() && !chance(10)) return;
  do_revert(g);
  if (g.model.size() > 0 && chance(50)) compare_value(g, some_node(g));
}

void Sequence::renew() {
  Live& g = some_graph();
  say("graph %p: renew", static_cast<void*>(g.real));
  for (int i = 0; i < g.model.size(); ++i) g.stale.push_back(g.model[i].real);
  EXPECT_OK(dn_graph_renew(g.real));
  g.model.renew();
  g.intervals.clear();
}

void Sequence::change_options() {
  Live& g = some_graph();
  if (chance(60)) {
    const bool on = chance(60);
    say("graph %p: batching %s", static_cast<void*>(g.real), on ? "on" : "off");
    EXPECT_OK(dn_graph_set_batching(g.real, on));
    return;
  }
  g.model.immediate = chance(40);
  say("graph %p: immediate %s", static_cast<void*>(g.real), g.model.immediate ? "on" : "off");
  EXPECT_OK(dn_graph_set_immediate(g.real, g.model.immediate));
}

// ----------------------------------------------------------------------------------------------------- what must fail

void Sequence::misuse() {
  Live& g = some_graph();
  Live& other = some_graph();
  dn_expr x{};
  if (!g.stale.empty() && chance(60))
    x = g.stale[static_cast<size_t>(below(static_cast<int>(g.stale.size())))];
  else if (&other != &g && other.model.size() > 0)
    x = other.model[below(other.model.size())].real;
  say("graph %p: stale expression %u, %u", static_cast<void*>(g.real), x.node, x.stamp);
  const float* values = nullptr;
  int64_t count = 0;
  dn_expr y{};
  EXPECT_EQ(dn_graph_value(g.real, x, &values, &count), DN_E_STALE);
  EXPECT_EQ(dn_graph_forward(g.real, x), DN_E_STALE);
  EXPECT_EQ(dn_graph_backward(g.real, x, nullptr, 0), DN_E_STALE);
  EXPECT_EQ(dn_op_tanh(g.real, x, &y), DN_E_STALE);
  EXPECT_EQ(values, nullptr);
}

void Sequence::bad_bound_index() {
  std::vector<Bound*> indices;
  for (Bound& bound : bound_)
    if (bound.rows > 0) indices.push_back(&bound);
  if (indices.empty()) return;
  Bound& bound = *indices[static_cast<size_t>(below(static_cast<int>(indices.size())))];
  const int32_t good = bound.index;
  bound.index = chance(50) ? -1 : bound.rows;
  say("a bound index is bad");
  for (const auto& g : graphs_) {
    if (g->model.size() == 0 || testing::Test::HasFailure()) continue;
    if (g->model.immediate && chance(50)) {
      // Refused at once, and read as soon as it is recorded.
      Node node = weight_leaf(kBoundLookup);
      const int32_t its_good = std::exchange(bound_.back().index, bound_.back().rows);
      EXPECT_EQ(record_node(*g, node), -1);
      bound_.back().index = its_good;
    }
    if (chance(50))
      compare_value(*g, some_node(*g));
    else
      do_forward(*g, some_node(*g));
  }
  bound.index = good;
  say("the bound index is good again");
}

void Sequence::computes_nan() {
  Live& g = some_graph();
  do_checkpoint(g);
  EXPECT_OK(dn_graph_set_check_values(g.real, 1));
  say("graph %p: checks on", static_cast<void*>(g.real));
  const int x = record_node(g, {.op = "input", .shape = Shape({2}), .value = {0.5, -0.5}});
  if (x >= 0) {
    // Recorded as what it is not, since nobody would record this on purpose.
    g.intervals.back() = {1, 1};
    provoked_ = DN_E_VALUE;
    const int node = record_operation(g, "log", {x});
    EXPECT_EQ(node < 0, g.model.immediate);
    if (node >= 0 && !testing::Test::HasFailure()) {
      const dn_expr bad = g.model[node].real;
      if (chance(50))
        EXPECT_EQ(do_forward(g, node), DN_E_VALUE);
      else
        EXPECT_EQ(both(
                      g, [&] { return dn_graph_incremental_forward(g.real, bad); },
                      [&] { return g.model.incremental_forward(node); }),
                  DN_E_VALUE);
      EXPECT_NE(test::last_error().find("log: element 1 of node " + std::to_string(bad.node)), std::string::npos)
          << test::last_error();
    }
    provoked_ = DN_OK;
  }
  EXPECT_OK(dn_graph_set_check_values(g.real, 0));
  say("graph %p: checks off", static_cast<void*>(g.real));
  do_revert(g);
}

// A computation without the memory that it needs fails, and succeeds once there is memory.
void Sequence::exhausts_memory() {
  Live& g = some_graph();
  if (g.model.immediate) return;
  do_checkpoint(g);
  const int x = record_node(g, {.op = "constant", .attributes = {.scalar = 0.5}, .shape = Shape({100, 100})});
  const int node = x < 0 ? -1 : record_operation(g, "tanh", {x});
  if (node >= 0 && !testing::Test::HasFailure()) {
    provoked_ = DN_E_MEMORY;
    EXPECT_OK(dn_memory_set_limit(dn_memory_used() + 1 + below(150000)));
    say("no memory left");
    if (chance(50))
      do_forward(g, node);
    else
      compare_value(g, node);
    EXPECT_OK(dn_memory_set_limit(0));
    provoked_ = DN_OK;
    say("memory again");
    if (!testing::Test::HasFailure() && chance(50)) write_parameter();
    if (!testing::Test::HasFailure() && chance(50)) compare_value(g, chance(50) ? node : some_node(g));
    if (!testing::Test::HasFailure() && chance(50)) backward_of(g);
  }
  do_revert(g);
}

}  // namespace dynnet::stateful

#include "builders/lstm.h"

#include <algorithm>

#include "core/error.h"
#include "graph/recorder.h"

using dynnet::Dim;
using dynnet::fail;
using dynnet::Graph;
using dynnet::Op;
using dynnet::record;
using dynnet::Storage;

namespace {

bool is_none(dn_expr x) { return x.stamp == 0; }

dn_expr constant(Graph& graph, uint32_t size, uint32_t batch, double value) {
  const dn_dim dim = dynnet::to_c(Dim({size}, batch));
  return record(graph, Op::constant, &dim, value);
}

dn_expr masked(Graph& graph, dn_expr x, dn_expr mask) { return is_none(mask) ? x : record(graph, Op::cmult, x, mask); }

// A mask of a rate of 0 would change nothing and is left out.
dn_expr draw_mask(Graph& graph, uint32_t size, uint32_t batch, float rate) {
  return rate == 0 ? dn_expr{} : record(graph, Op::dropout, constant(graph, size, batch, 1), static_cast<double>(rate));
}

// A rate as the operation takes it: closer to 1 than a float can be it is 1.
float checked_rate(double rate, const char* what) {
  const auto number = static_cast<float>(rate);
  if (!(number >= 0 && number < 1))
    fail(DN_E_ARGUMENT, "a dropout rate of %.9g for %s: 0 or more, less than 1", rate, what);
  return number;
}

}  // namespace

dn_lstm::dn_lstm(const dn_model& model, int32_t layers, uint32_t input, uint32_t hidden)
    : storage_(model.storage), hidden_(hidden) {
  Storage& storage = *storage_;
  const Storage::Mark mark = storage.mark();
  try {
    path_ = storage.unique_name(model.path, "vanilla-lstm-builder", "builder", "/");
    storage.take_path(path_);
    for (int32_t i = 0; i < layers; ++i) add_layer(i == 0 ? input : hidden);
  } catch (...) {
    storage.rollback(mark);
    throw;
  }
}

// The order of the parameters is DyNet's, and so are their first values: Glorot for the matrices, 0 for the bias. The 1
// that is added to the forget gate is in the cell, not in the bias.
void dn_lstm::add_layer(uint32_t input) {
  dn_initializer glorot{};
  glorot.kind = DN_INIT_GLOROT;
  glorot.a = 1;
  dn_initializer zero{};
  zero.kind = DN_INIT_CONSTANT;
  const auto add = [&](const Dim& dim, const dn_initializer& initializer) {
    return &storage_->add(dim, initializer, storage_->unique_name(path_, "", "parameter"));
  };
  Layer layer{};
  layer.wx = add({4 * hidden_, input}, glorot);
  layer.wh = add({4 * hidden_, hidden_}, glorot);
  layer.b = add({4 * hidden_}, zero);
  layer.input = input;
  layers_.push_back(layer);
}

void dn_lstm::set_dropout(double input_rate, double hidden_rate) {
  const float checked_input_rate = checked_rate(input_rate, "inputs");
  hidden_rate_ = checked_rate(hidden_rate, "recurrent states");
  input_rate_ = checked_input_rate;
}

int32_t dn_lstm::state_size() const {
  const bool has_masks = input_rate_ > 0 || hidden_rate_ > 0;
  return layers() * (has_masks ? 4 : 2);
}

void dn_lstm::check_vector(Graph& graph, dn_expr x, uint32_t size, const char* what) const {
  const Dim& found = graph.type_of(graph.checked(x, what)).dim;
  if (found.is_vector() && found.rows() == size) return;
  fail(DN_E_SHAPE, "%s: %s is %s, expected {%u}", path_.c_str(), what, found.text().c_str(), size);
}

void dn_lstm::initial_state(Graph& graph, const dn_expr* values, int32_t values_count, dn_expr* state,
                            int32_t state_count) const {
  const int32_t vectors = 2 * layers();
  if (state_count != state_size())
    fail(DN_E_ARGUMENT, "%s: room for %d expressions, a state has %d", path_.c_str(), state_count, state_size());
  if (values_count != 0 && values_count != vectors)
    fail(DN_E_ARGUMENT, "%s: %d values for an initial state, expected none or c and h of %d layers", path_.c_str(),
         values_count, layers());
  std::vector<dn_expr> made(static_cast<size_t>(state_count), dn_expr{});
  if (values_count != 0) {
    for (int32_t i = 0; i < vectors; ++i) check_vector(graph, values[i], hidden_, i < layers() ? "c" : "h");
    std::copy_n(values, vectors, made.begin());
  } else {
    std::fill_n(made.begin(), vectors, constant(graph, hidden_, 1, 0));
  }
  if (state_count > vectors) {
    const float rates[] = {input_rate_, hidden_rate_};
    const dn_dim pair = dynnet::to_c(Dim({2}));
    made[static_cast<size_t>(vectors)] = record(graph, Op::input, &pair, dynnet::span(rates, 2));
  }
  std::copy(made.begin(), made.end(), state);
}

void dn_lstm::draw_masks(Graph& graph, uint32_t batch, dn_expr* masks) const {
  // Masks are results of dropout or none, so an input is what the start of the sequence left.
  if (is_none(masks[0])) return;
  const uint32_t node = graph.checked(masks[0], "state");
  if (graph.type_of(node).op != Op::input) return;
  const float* const values = graph.value(node);
  const float rates[] = {values[0], values[1]};
  for (int32_t i = 0; i < layers(); ++i) {
    masks[i] = draw_mask(graph, layers_[static_cast<size_t>(i)].input, batch, rates[0]);
    masks[layers() + i] = draw_mask(graph, hidden_, batch, rates[1]);
  }
}

void dn_lstm::add_input(Graph& graph, const dn_expr* state, int32_t state_count, dn_expr x, dn_expr* next,
                        int32_t next_count) const {
  const int32_t n = layers();
  // A sequence keeps what was decided at its start, whatever set_dropout said since.
  if (state_count != 2 * n && state_count != 4 * n)
    fail(DN_E_ARGUMENT, "%s: a state of %d expressions, expected %d", path_.c_str(), state_count, state_size());
  if (next_count != state_count)
    fail(DN_E_ARGUMENT, "%s: room for %d expressions, the state has %d", path_.c_str(), next_count, state_count);
  check_vector(graph, x, layers_[0].input, "x");

  std::vector<dn_expr> made(state, state + state_count);
  dn_expr* const masks = state_count == 4 * n ? made.data() + 2 * n : nullptr;
  if (masks != nullptr) draw_masks(graph, graph.type_of(graph.checked(x, "x")).dim.bd, masks);
  dn_expr in = x;
  for (int32_t i = 0; i < n; ++i) {
    dn_expr& c = made[static_cast<size_t>(i)];
    dn_expr& h = made[static_cast<size_t>(n + i)];
    const dn_expr masked_in = masks != nullptr ? masked(graph, in, masks[i]) : in;
    const dn_expr masked_h = masks != nullptr ? masked(graph, h, masks[n + i]) : h;
    step(graph, layers_[static_cast<size_t>(i)], masked_in, masked_h, &c, &h);
    in = h;
  }
  std::copy(made.begin(), made.end(), next);
}

void dn_lstm::step(Graph& graph, const Layer& layer, dn_expr x, dn_expr h, dn_expr* c, dn_expr* next_h) const {
  const auto parameter = [&](dn_parameter* of) { return record(graph, Op::parameter, of); };
  const dn_expr gates =
      record(graph, Op::vanilla_lstm_gates, x, h, parameter(layer.wx), parameter(layer.wh), parameter(layer.b));
  *c = record(graph, Op::vanilla_lstm_c, *c, gates);
  *next_h = record(graph, Op::vanilla_lstm_h, *c, gates);
}

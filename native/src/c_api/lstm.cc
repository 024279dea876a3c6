#include "builders/lstm.h"

#include "c_api/guard.h"
#include "dynnet/dynnet.h"

using dynnet::fail;
using dynnet::required;
using dynnet::c_api::guard;

namespace {

const dn_lstm& checked(const dn_lstm* lstm) { return required(lstm, "the builder"); }

}  // namespace

dn_status dn_lstm_create(dn_model* model, int32_t layers, int32_t input_dim, int32_t hidden_dim, dn_lstm** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    constexpr int32_t kLargest = INT32_MAX / 4;
    if (layers < 1 || input_dim < 1 || hidden_dim < 1 || hidden_dim > kLargest) {
      fail(DN_E_ARGUMENT, "an LSTM of %d layers, input %d, hidden %d: each is at least 1, hidden at most %d", layers,
           input_dim, hidden_dim, kLargest);
    }
    *out = new dn_lstm(owner, layers, static_cast<uint32_t>(input_dim), static_cast<uint32_t>(hidden_dim));
  });
}

void dn_lstm_free(dn_lstm* lstm) { delete lstm; }

dn_status dn_lstm_set_dropout(dn_lstm* lstm, double input_rate, double hidden_rate) {
  return guard([&] { required(lstm, "the builder").set_dropout(input_rate, hidden_rate); });
}

dn_status dn_lstm_state_size(const dn_lstm* lstm, int32_t* out) {
  return guard([&] { required(out, "out") = checked(lstm).state_size(); });
}

dn_status dn_lstm_initial_state(const dn_lstm* lstm, dn_graph* graph, const dn_expr* values, int32_t values_count,
                                dn_expr* state, int32_t state_count) {
  return guard([&] {
    required(state, "the state");
    if (values == nullptr && values_count != 0) fail(DN_E_ARGUMENT, "the values are null");
    const dynnet::Entered entered(graph);
    checked(lstm).initial_state(*graph, values, values_count, state, state_count);
  });
}

dn_status dn_lstm_add_input(const dn_lstm* lstm, dn_graph* graph, const dn_expr* state, int32_t state_count, dn_expr x,
                            dn_expr* next, int32_t next_count) {
  return guard([&] {
    required(state, "the state");
    required(next, "the next state");
    const dynnet::Entered entered(graph);
    checked(lstm).add_input(*graph, state, state_count, x, next, next_count);
  });
}

// Builders of recurrent networks.
#ifndef DYNNET_DYNNET_BUILDERS_H_
#define DYNNET_DYNNET_BUILDERS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Makes the parameters of a stack of LSTM layers in a sub-collection "vanilla-lstm-builder" of the model, as DyNet
/// does: for each layer Wx {4h, input}, Wh {4h, h} and b {4h}, gates in the order i, f, o, g.
/// i = s(..), f = s(.. + 1), o = s(..), g = tanh(..); c' = f * c + i * g; h' = o * tanh(c').
/// @param layers at least 1
DN_API dn_status dn_lstm_create(dn_model* model, int32_t layers, int32_t input_dim, int32_t hidden_dim, dn_lstm** out);

/// Gives back a builder.
DN_API void dn_lstm_free(dn_lstm* lstm);

/// Sets the dropout rates of inputs and of recurrent states; one mask is drawn for a whole sequence (Gal and Ghahramani
/// 2016), as in DyNet. Takes effect at the next initial state.
/// @param input_rate 0 or more, less than 1
/// @param hidden_rate 0 or more, less than 1
DN_API dn_status dn_lstm_set_dropout(dn_lstm* lstm, double input_rate, double hidden_rate);

/// The number of expressions in a state: c and h of each layer, and the dropout masks of each layer.
DN_API dn_status dn_lstm_state_size(const dn_lstm* lstm, int32_t* out);

/// Starts a sequence.
/// @param values null for zeros, else c of each layer, then h of each layer
/// @param values_count 0 or twice the number of layers
/// @param state gets dn_lstm_state_size expressions: c of each layer, h of each layer, then room for the masks, with
/// the rates that hold for the sequence, which
/// the first dn_lstm_add_input draws for the batch of its input, one mask for each batch element
DN_API dn_status dn_lstm_initial_state(const dn_lstm* lstm, dn_graph* graph, const dn_expr* values,
                                       int32_t values_count, dn_expr* state, int32_t state_count);

/// Takes one step: a state and an input give the next state. The old state stays valid; states may branch.
/// @param x {input_dim}, or with a batch
/// @param next gets the new state; its output is the last layer's h
DN_API dn_status dn_lstm_add_input(const dn_lstm* lstm, dn_graph* graph, const dn_expr* state, int32_t state_count,
                                   dn_expr x, dn_expr* next, int32_t next_count);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_BUILDERS_H_

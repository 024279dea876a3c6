// Operations: the parts of recurrent cells.
#ifndef DYNNET_DYNNET_OPS_CELLS_H_
#define DYNNET_DYNNET_OPS_CELLS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The gates of an LSTM cell, activated: [i; f; o] = logistic(b + Wx x + Wh h) with 1 added in f's part, g = tanh of
/// its part.
/// @param x {input}
/// @param h {n}
/// @param wx {4n, input}
/// @param wh {4n, n}
/// @param b {4n}
/// @returns {4n}, in the order i, f, o, g
DN_API dn_status dn_op_vanilla_lstm_gates(dn_graph* graph, dn_expr x, dn_expr h, dn_expr wx, dn_expr wh, dn_expr b,
                                          dn_expr* out);

/// The memory of an LSTM cell: c' = f * c + i * g.
/// @param c {n}
/// @param gates {4n}, as by dn_op_vanilla_lstm_gates
/// @returns {n}
DN_API dn_status dn_op_vanilla_lstm_c(dn_graph* graph, dn_expr c, dn_expr gates, dn_expr* out);

/// The output of an LSTM cell: h' = o * tanh(c').
/// @param c {n}, the new memory
/// @param gates {4n}, as by dn_op_vanilla_lstm_gates
/// @returns {n}
DN_API dn_status dn_op_vanilla_lstm_h(dn_graph* graph, dn_expr c, dn_expr gates, dn_expr* out);

/// The memory of a TreeLSTM cell with any number of children (Tai, Socher and Manning 2015):
/// c = logistic(i) * tanh(u) + sum over children k of logistic(f_k) * c_k. A leaf has no children.
/// @param xs the stacked inputs [i; o; u] {3n} before their activation, then for each child f_k {n} before its
/// activation and c_k {n}
/// @returns {n}
/// @throws DN_E_ARGUMENT if the number of operands is even: something has no pair
DN_API dn_status dn_op_tree_lstm_c(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The output of a TreeLSTM cell: h = logistic(o) * tanh(c).
/// @param iou the stacked inputs [i; o; u] {3n} before their activation
/// @param c {n}
/// @returns {n}
DN_API dn_status dn_op_tree_lstm_h(dn_graph* graph, dn_expr iou, dn_expr c, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_CELLS_H_

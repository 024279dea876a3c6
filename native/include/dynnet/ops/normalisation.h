// Operations: normalisation.
#ifndef DYNNET_DYNNET_OPS_NORMALISATION_H_
#define DYNNET_DYNNET_OPS_NORMALISATION_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Layer normalisation: g (x - m) / (s + 1e-8) + b, elementwise, m being the mean and s the standard deviation of all
/// elements, for each batch element. The 1e-8, DyNet's, makes the result b where all elements are equal; there, the
/// gradient of x is large, but finite. By Ba, Kiros and Hinton 2016, arXiv:1607.06450.
/// @param x any shape
/// @param g the gain, of the shape of x; mostly a parameter. A batch of 1 is broadcast
/// @param b the bias, likewise
/// @returns the shape of x
DN_API dn_status dn_op_layer_norm(dn_graph* graph, dn_expr x, dn_expr g, dn_expr b, dn_expr* out);

/// Weight normalisation: g w / |w|, |w| being the norm of all elements, for each batch element. Where it is 0, so are
/// the result and all gradients. By Salimans and Kingma 2016, arXiv:1602.07868.
/// @param w any shape
/// @param g the gain, of one element. A batch of 1 is broadcast, of either
/// @returns the shape of w
DN_API dn_status dn_op_weight_norm(dn_graph* graph, dn_expr w, dn_expr g, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_NORMALISATION_H_

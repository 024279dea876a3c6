// Operations that leave values as they are and change gradients. Their values are their operand's, not copies.
#ifndef DYNNET_DYNNET_OPS_GRADIENTS_H_
#define DYNNET_DYNNET_OPS_GRADIENTS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// x as a constant: no gradient flows back through this operation, so that what x depends on gets none from here, and
/// none is computed for it, also not by a backward that keeps the gradients of all nodes. It is itself on no path to a
/// parameter.
/// @op NoBackprop
/// @returns the shape of x
DN_API dn_status dn_op_nobackprop(dn_graph* graph, dn_expr x, dn_expr* out);

/// x, with its gradient negated: the gradient of x is -1 times that of the result (Ganin and Lempitsky 2015).
/// @returns the shape of x
DN_API dn_status dn_op_flip_gradient(dn_graph* graph, dn_expr x, dn_expr* out);

/// x, with its gradient multiplied by a number: the gradient of x is `lambda` times that of the result.
/// @param lambda any finite number
/// @default lambda 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `lambda` is not finite
DN_API dn_status dn_op_scale_gradient(dn_graph* graph, dn_expr x, double lambda, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_GRADIENTS_H_

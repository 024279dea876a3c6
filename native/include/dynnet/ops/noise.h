// Operations: noise, drawn anew at each forward. As all draws it is a function of the graph's seed and the node's
// place: see dn_graph_create. The gradient is that of the draws that the value was computed with.
#ifndef DYNNET_DYNNET_OPS_NOISE_H_
#define DYNNET_DYNNET_OPS_NOISE_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Dropout: each element is 0 with the given probability, else divided by 1 - rate, so that its mean stays.
/// @param rate 0 or more, less than 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `rate` is out of its range
DN_API dn_status dn_op_dropout(dn_graph* graph, dn_expr x, double rate, dn_expr* out);

/// Dropout of whole slices along a dimension: all elements that differ in that dimension only are 0 together, with the
/// given probability, or else divided by 1 - rate. One draw is made for each index of all other dimensions, the batch
/// included: of a matrix, dim 0 drops columns and dim 1 rows.
/// @param dim along which dimension, 0 to 6
/// @param rate 0 or more, less than 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `rate` or `dim` is out of its range
DN_API dn_status dn_op_dropout_dim(dn_graph* graph, dn_expr x, int32_t dim, double rate, dn_expr* out);

/// Dropout of whole batch elements: each is 0 with the given probability, else divided by 1 - rate.
/// @param rate 0 or more, less than 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `rate` is out of its range
DN_API dn_status dn_op_dropout_batch(dn_graph* graph, dn_expr x, double rate, dn_expr* out);

/// Dropout of all or nothing: with the given probability the whole tensor, batch included, is 0, else it is divided by
/// 1 - rate.
/// @param rate 0 to 1; at 1 the result is always 0
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `rate` is out of its range
DN_API dn_status dn_op_block_dropout(dn_graph* graph, dn_expr x, double rate, dn_expr* out);

/// Each element plus a draw of its own from a normal distribution of mean 0.
/// @param stddev the standard deviation, 0 or more
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `stddev` is negative or not finite
DN_API dn_status dn_op_noise(dn_graph* graph, dn_expr x, double stddev, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_NOISE_H_

// Choices that are read off the value of an expression, where it lies.
#ifndef DYNNET_DYNNET_VALUES_H_
#define DYNNET_DYNNET_VALUES_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The indices of the k largest elements of each line of a value along a dimension, the largest first; of equal ones
/// the first, and NaN after all numbers. With k = 1 it is the argmax. The value is computed if it was not yet.
/// @param dim along which dimension, 0 to 6
/// @param k 1 to the dimension's size
/// @param indices gets the indices, each 0 to the dimension's size - 1, as a column-major tensor: the shape of x with k
/// in dim, batch included
/// @param indices_count the number of elements of that
/// @throws DN_E_ARGUMENT if dim, k or indices_count is another; DN_E_STATE as dn_graph_value
DN_API dn_status dn_graph_top_k(dn_graph* graph, dn_expr x, int32_t dim, int32_t k, int32_t* indices,
                                int64_t indices_count);

/// Draws indices from the distribution that each line of a value along a dimension is the logarithm of, such as a log
/// softmax; it need not be normalised, and minus infinity is never drawn. The value is computed if it was not yet. The
/// draws follow from the graph's seed, its renewals, reverts and forwards, the node, and how often was drawn since the
/// latest renewal.
/// @param dim along which dimension, 0 to 6
/// @param draws how many for each line, at least 1
/// @param indices gets the indices, each 0 to the dimension's size - 1, as a column-major tensor: the shape of x with
/// draws in dim, batch included
/// @param indices_count the number of elements of that
/// @throws DN_E_ARGUMENT if dim, draws or indices_count is another; DN_E_VALUE if a line has NaN or plus infinity, or
/// minus infinity only; DN_E_STATE as dn_graph_value
DN_API dn_status dn_graph_sample(dn_graph* graph, dn_expr x, int32_t dim, int32_t draws, int32_t* indices,
                                 int64_t indices_count);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_VALUES_H_

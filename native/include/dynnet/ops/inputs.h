// Operations: what graphs begin with.
#ifndef DYNNET_DYNNET_OPS_INPUTS_H_
#define DYNNET_DYNNET_OPS_INPUTS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A tensor of given numbers, copied when recorded. New numbers may be set with dn_graph_set_input.
/// @param dim the shape, batch included
/// @param values column-major, as many as dim has elements
/// @returns dim
DN_API dn_status dn_op_input(dn_graph* graph, const dn_dim* dim, const float* values, int64_t values_count,
                             dn_expr* out);

/// A tensor of which only some numbers are given, copied when recorded; all others are `default_value`. New numbers,
/// for all elements, may be set with dn_graph_set_input.
/// @op Input
/// @param dim the shape, batch included
/// @param indices the places in column-major order, the batch last: 0 to the number of elements - 1; of a place that is
/// there more than once the last number counts
/// @param values as many as there are indices
/// @param default_value of the elements that are not named
/// @default default_value 0
/// @returns dim
/// @throws DN_E_INDEX if there is no such element; DN_E_ARGUMENT if there are more or fewer values than indices
DN_API dn_status dn_op_input_sparse(dn_graph* graph, const dn_dim* dim, const int32_t* indices, int32_t indices_count,
                                    const float* values, int64_t values_count, double default_value, dn_expr* out);

/// A number. A new one may be set with dn_graph_set_input.
/// @op Input
/// @param value the number
/// @returns {1}
DN_API dn_status dn_op_input_scalar(dn_graph* graph, double value, dn_expr* out);

/// A tensor whose numbers are read from the caller's memory at each forward. Native callers only.
/// @op -
/// @param values column-major, as many as dim has elements; must stay readable while the graph uses it
/// @returns dim
DN_API dn_status dn_op_input_bound(dn_graph* graph, const dn_dim* dim, const float* values, dn_expr* out);

/// A tensor of one number, such as zeros or ones; it has no gradient.
/// @param dim the shape, batch included
/// @param value of every element
/// @returns dim
DN_API dn_status dn_op_constant(dn_graph* graph, const dn_dim* dim, double value, dn_expr* out);

/// A tensor of zeros; it has no gradient.
/// @param dim the shape, batch included
/// @returns dim
DN_API dn_status dn_op_zeros(dn_graph* graph, const dn_dim* dim, dn_expr* out);

/// A tensor of ones; it has no gradient.
/// @param dim the shape, batch included
/// @returns dim
DN_API dn_status dn_op_ones(dn_graph* graph, const dn_dim* dim, dn_expr* out);

/// A vector that is 1 at one index and 0 elsewhere; it has no gradient.
/// @param size the number of elements, 1 or more
/// @param index 0 to size - 1
/// @returns {size}
/// @throws DN_E_INDEX if there is no such element; DN_E_ARGUMENT if `size` is less than 1
DN_API dn_status dn_op_one_hot(dn_graph* graph, int32_t size, int32_t index, dn_expr* out);

/// A batch of vectors that are 1 at one index each and 0 elsewhere; they have no gradient.
/// @op OneHot
/// @param size the number of elements of one vector, 1 or more
/// @param indices one for each batch element, each 0 to size - 1
/// @returns {size}, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such element; DN_E_ARGUMENT if `size` is less than 1, or there are no indices
DN_API dn_status dn_op_one_hot_batch(dn_graph* graph, int32_t size, const int32_t* indices, int32_t indices_count,
                                     dn_expr* out);

/// Draws from a normal distribution, made anew at each forward; they have no gradient. As all draws they are a function
/// of the graph's seed and the node's place.
/// @param dim the shape, batch included; each element is a draw of its own
/// @param mean any finite number
/// @param stddev the standard deviation, 0 or more
/// @default mean 0
/// @default stddev 1
/// @returns dim
/// @throws DN_E_ARGUMENT if a number is out of its range
DN_API dn_status dn_op_random_normal(dn_graph* graph, const dn_dim* dim, double mean, double stddev, dn_expr* out);

/// Draws from the uniform distribution on [left, right), made anew at each forward; they have no gradient.
/// @param dim the shape, batch included; each element is a draw of its own
/// @param left the least number that is drawn
/// @param right more than any number that is drawn; or left, and then all are left
/// @returns dim
/// @throws DN_E_ARGUMENT if `right` is less than `left`, or they are further apart than floats can be
DN_API dn_status dn_op_random_uniform(dn_graph* graph, const dn_dim* dim, double left, double right, dn_expr* out);

/// Draws that are `scale` with probability p and else 0, made anew at each forward; they have no gradient.
/// @param dim the shape, batch included; each element is a draw of its own
/// @param p 0 to 1
/// @param scale any finite number
/// @default scale 1
/// @returns dim
/// @throws DN_E_ARGUMENT if a number is out of its range
DN_API dn_status dn_op_random_bernoulli(dn_graph* graph, const dn_dim* dim, double p, double scale, dn_expr* out);

/// Draws from Gumbel's distribution, mu - beta ln(-ln u) with u uniform on (0, 1), made anew at each forward; they have
/// no gradient. The logarithms are bounded, so that all draws are finite: from mu - 2.9 beta to mu + 17.4 beta, beyond
/// which lies less than 1 draw in 10^7.
/// @param dim the shape, batch included; each element is a draw of its own
/// @param mu the location, any finite number
/// @param beta the scale, 0 or more
/// @default mu 0
/// @default beta 1
/// @returns dim
/// @throws DN_E_ARGUMENT if a number is out of its range
DN_API dn_status dn_op_random_gumbel(dn_graph* graph, const dn_dim* dim, double mu, double beta, dn_expr* out);

/// A parameter as an expression. In one graph each parameter is one node, however often it is asked for.
/// @returns the parameter's shape
DN_API dn_status dn_op_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out);

/// A parameter as an expression through which no gradient flows.
/// @returns the parameter's shape
DN_API dn_status dn_op_const_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out);

/// A whole lookup table as an expression: its rows side by side, not copied. In one graph each table is one node,
/// however often it is asked for. Its gradient goes to all rows of the table, so that the next update touches all of
/// them.
/// @op Parameter
/// @returns the shape of one row with the number of rows as one more, last dimension
DN_API dn_status dn_op_lookup_table(dn_graph* graph, dn_lookup_parameter* table, dn_expr* out);

/// A whole lookup table as an expression through which no gradient flows.
/// @op ConstParameter
/// @returns the shape of one row with the number of rows as one more, last dimension
DN_API dn_status dn_op_const_lookup_table(dn_graph* graph, dn_lookup_parameter* table, dn_expr* out);

/// A row of a lookup table.
/// @param index 0 to rows - 1
/// @returns the shape of one row
/// @throws DN_E_INDEX if there is no such row
DN_API dn_status dn_op_lookup(dn_graph* graph, dn_lookup_parameter* table, int32_t index, dn_expr* out);

/// Rows of a lookup table, one for each batch element.
/// @op Lookup
/// @param indices each 0 to rows - 1
/// @returns the shape of one row, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such row; DN_E_ARGUMENT if there are no indices
DN_API dn_status dn_op_lookup_batch(dn_graph* graph, dn_lookup_parameter* table, const int32_t* indices,
                                    int32_t indices_count, dn_expr* out);

/// A row of a lookup table, through which no gradient flows.
/// @param index 0 to rows - 1
/// @returns the shape of one row
/// @throws DN_E_INDEX if there is no such row
DN_API dn_status dn_op_const_lookup(dn_graph* graph, dn_lookup_parameter* table, int32_t index, dn_expr* out);

/// Rows of a lookup table, one for each batch element, through which no gradient flows.
/// @op ConstLookup
/// @param indices each 0 to rows - 1
/// @returns the shape of one row, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such row; DN_E_ARGUMENT if there are no indices
DN_API dn_status dn_op_const_lookup_batch(dn_graph* graph, dn_lookup_parameter* table, const int32_t* indices,
                                          int32_t indices_count, dn_expr* out);

/// A row of a lookup table whose index is read from the caller's memory at each forward. Native callers only.
/// @op -
/// @param index must stay readable while the graph uses it
/// @returns the shape of one row
/// @throws DN_E_INDEX at the forward, if there is no such row
DN_API dn_status dn_op_lookup_bound(dn_graph* graph, dn_lookup_parameter* table, const int32_t* index, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_INPUTS_H_

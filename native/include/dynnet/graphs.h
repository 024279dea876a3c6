// Computation graphs: recording, values, gradients.
#ifndef DYNNET_DYNNET_GRAPHS_H_
#define DYNNET_DYNNET_GRAPHS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Makes an empty graph.
/// @param seed keys the graph's random draws together with a node's place: the same program draws the same numbers
DN_API dn_status dn_graph_create(uint64_t seed, dn_graph** out);

/// Gives back a graph. A call that another thread is making into it goes on; the graph is freed when that call leaves.
DN_API void dn_graph_free(dn_graph* graph);

/// Empties the graph, keeping its memory for the next example. All its expressions become stale.
DN_API dn_status dn_graph_renew(dn_graph* graph);

/// Remembers the graph as it is, for dn_graph_revert. Checkpoints nest.
DN_API dn_status dn_graph_checkpoint(dn_graph* graph);

/// Takes back everything recorded since the latest checkpoint, which is thereby used up. Expressions of before it stay
/// valid; their values are computed again when they are asked for, with the same bits, if they were computed after it.
/// @throws DN_E_STATE without a checkpoint
DN_API dn_status dn_graph_revert(dn_graph* graph);

/// The number of nodes recorded. An affine transformation that was computed as one with its activation and is used by
/// something else, or a backward, only then counts twice.
DN_API dn_status dn_graph_nodes_count(const dn_graph* graph, int64_t* out);

/// Computes each node when it is recorded. Off by default.
DN_API dn_status dn_graph_set_immediate(dn_graph* graph, int32_t on);

/// Reports the first NaN or infinity that is computed as DN_E_VALUE, with its operation and node. Off by default.
DN_API dn_status dn_graph_set_check_values(dn_graph* graph, int32_t on);

/// Runs nodes of one type together where they are independent. On by default; values are the same bits either way.
DN_API dn_status dn_graph_set_batching(dn_graph* graph, int32_t on);

/// The shape of an expression.
DN_API dn_status dn_graph_dim(dn_graph* graph, dn_expr x, dn_dim* out);

/// Computes all nodes up to x anew, reading inputs and indices as they are now.
DN_API dn_status dn_graph_forward(dn_graph* graph, dn_expr x);

/// Computes those nodes up to x that have no value yet.
/// @throws DN_E_STATE as dn_graph_value
DN_API dn_status dn_graph_incremental_forward(dn_graph* graph, dn_expr x);

/// Forgets all values: what is asked for next is computed anew, from inputs and indices as they are then.
DN_API dn_status dn_graph_invalidate(dn_graph* graph);

/// The value of an expression, column-major, computed if it was not yet. Borrowed until the graph is renewed, reverted,
/// freed, or computed anew by dn_graph_forward or by a dn_graph_backward after parameters changed; the memory stays
/// readable while the graph lives. An affine transformation that was computed as one with its activation has its own
/// value from when it is first asked for.
/// @throws DN_E_STATE if that is after a parameter of the graph has changed
DN_API dn_status dn_graph_value(dn_graph* graph, dn_expr x, const float** out, int64_t* out_count);

/// The value of an expression of one element, computed if it was not yet.
/// @throws DN_E_STATE as dn_graph_value
DN_API dn_status dn_graph_scalar_value(dn_graph* graph, dn_expr x, float* out);

/// Adds the gradients of x with respect to the parameters to a gradient set, running the forward if need be: nodes
/// without a value are computed; if a parameter that the graph uses has changed since, all nodes are computed anew, as
/// by dn_graph_forward. If it fails for want of memory, the set may hold a part of the gradients: reset it.
/// @param x one element, batch included
/// @param gradients where to add the gradients of its model; null for each model's own set
/// @param full keeps the gradients of all nodes that x depends on, not only of those on a path to a parameter; what x
/// depends on through dn_op_nobackprop only does not count
/// @throws DN_E_SHAPE if x has more than one element; DN_E_BUSY if another backward writes the same set; DN_E_ARGUMENT
/// if x depends on no parameter of the given set's model, but on some of others
DN_API dn_status dn_graph_backward(dn_graph* graph, dn_expr x, dn_gradients* gradients, int32_t full);

/// The gradient of the latest backward's result with respect to an expression, column-major; zeros if it does not
/// depend on it, or through dn_op_nobackprop only. Borrowed until the next backward, renewal or revert. Of parameters,
/// and of nodes that compute the same as others, it is found when it is first asked for, which takes as long as a
/// backward; that of an affine transformation that was computed as one with its activation is found then from the
/// activation's.
/// @throws DN_E_STATE without a backward; if the expression is on no path to a parameter and `full` was not asked for;
/// or, where it has yet to be found, if a parameter has changed or a forward has been run since the backward
DN_API dn_status dn_graph_gradient(dn_graph* graph, dn_expr x, const float** out, int64_t* out_count);

/// Compares the gradients of x with respect to a model's parameters with central differences: each element is set a
/// step higher and lower, and the graph computed anew. An element fails if the two differ by more than tolerance times
/// the larger of them, plus what rounding of x to float32 explains (8 units in the last place of x, over the step): the
/// smaller x, the sharper the check. Where both are smaller than that, the element is undecided. It begins with a
/// dn_graph_forward, whose random numbers all further ones draw, so that networks with dropout can be checked. The
/// gradient of what has another than its derivative on purpose (constant parameters and lookups, nobackprop,
/// flip_gradient, scale_gradient, rounding and argmax straight through) fails. Afterwards parameters are as before and
/// values those of the first forward; the model's own gradients are not touched, and those of the latest backward are
/// gone. Must not run beside anything else that uses the model.
/// @param x one element, batch included
/// @param model of which parameters; those of a sub-collection if it is one. Of lookup tables the rows that the latest
/// gradient is of
/// @param step of values up to 1; of larger ones it is this part of them; 0.001 is usual; at least 1.2e-38, which is
/// the least that a float can be
/// @param tolerance 0.01 is usual; 0 or more
/// @param most how many elements of each parameter to check at most, evenly spread; 0 for all
/// @param out gets the counts
/// @param report gets a line of text for each element that failed, borrowed until the next call of this function on the
/// graph; or null
/// @throws DN_E_SHAPE if x has more than one element; DN_E_ARGUMENT if a number is out of its range
DN_API dn_status dn_graph_check_gradients(dn_graph* graph, dn_expr x, dn_model* model, double step, double tolerance,
                                          int64_t most, dn_gradient_check* out, const char** report,
                                          int64_t* report_length);

/// Gives an input new values, which the next dn_graph_forward reads.
/// @param x made by dn_op_input, dn_op_input_sparse or dn_op_input_scalar
DN_API dn_status dn_graph_set_input(dn_graph* graph, dn_expr x, const float* values, int64_t values_count);

/// Gives an operation with indices (lookup, one_hot, pick, select_rows, pick_neg_log_softmax, hinge and others) or a
/// count (poisson_loss) new ones, which the next dn_graph_forward reads. Their number stays.
DN_API dn_status dn_graph_set_indices(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count);

/// Counts of the latest forward.
DN_API dn_status dn_graph_batch_stats(const dn_graph* graph, dn_batch_stats* out);

/// A report of the latest forward as text: what ran together, and what could not and why. Borrowed until the next call
/// of this function on the graph.
DN_API dn_status dn_graph_batching_report(dn_graph* graph, const char** out, int64_t* out_length);

/// The graph as a drawing: a digraph in Graphviz's language, with each node's number, operation, shape, parameter and
/// first indices. Borrowed until the next call of this function on the graph.
DN_API dn_status dn_graph_graphviz(dn_graph* graph, const char** out, int64_t* out_length);

/// Begins a profile of what the graph computes from now on, renewals included, or ends and forgets it. Off by default;
/// a batch then takes some 50 ns longer.
DN_API dn_status dn_graph_set_profiling(dn_graph* graph, int32_t on);

/// The profile as text: for each operation and shapes, forward and backward, how many batches and nodes and how long
/// they took, in milliseconds; how long planning, the sums of parameters' gradients and waiting for other threads took.
/// Borrowed until the next call of this function on the graph.
/// @throws DN_E_STATE if no profile was begun
DN_API dn_status dn_graph_profile(dn_graph* graph, const char** out, int64_t* out_length);

/// The profile as a trace, a JSON object in Chromium's trace event format: each of the first million batches with its
/// time and size; thread 0 is the one that computes the graph, the others are parts that threads computed side by side.
/// Borrowed until the next call of this function on the graph.
/// @throws DN_E_STATE if no profile was begun
DN_API dn_status dn_graph_profile_trace(dn_graph* graph, const char** out, int64_t* out_length);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_GRAPHS_H_

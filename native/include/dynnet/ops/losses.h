// Operations: probabilities and losses.
#ifndef DYNNET_DYNNET_OPS_LOSSES_H_
#define DYNNET_DYNNET_OPS_LOSSES_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The softmax along a dimension: y_i = exp(x_i) / sum_j exp(x_j).
/// @param x any shape
/// @param dim along which dimension: one that x has, or 1
/// @default dim 0
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_softmax(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out);

/// The logarithm of the softmax of each column: y_i = x_i - ln sum_j exp(x_j).
/// @param x {n} or {n, cols}
/// @returns the shape of x
DN_API dn_status dn_op_log_softmax(dn_graph* graph, dn_expr x, dn_expr* out);

/// The logarithm of the softmax over some of the elements of each column: y_i = x_i - ln sum_j exp(x_j), j and i among
/// `indices`; all other elements are minus infinity, and no gradient flows through them. An element that is among
/// `indices` twice counts once (in DyNet twice). Where all x_i among them are minus infinity, so that there is no
/// distribution, these are NaN.
/// @op LogSoftmax
/// @param x {n} or {n, cols}
/// @param indices the elements, at least one, each 0 to n - 1, in any order; the same for all columns and batch
/// elements
/// @returns the shape of x
/// @throws DN_E_INDEX if there is no such element; DN_E_ARGUMENT if there are no indices
DN_API dn_status dn_op_log_softmax_restricted(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                              dn_expr* out);

/// The sparsemax of each column: the distribution that is nearest to it, y_i = max(0, x_i - t) with t such that they
/// add up to 1 (Martins and Astudillo, From Softmax to Sparsemax, 2016). The gradient of an element of exactly 0 is 0,
/// also where x_i = t.
/// @param x {n} or {n, cols}
/// @returns the shape of x
DN_API dn_status dn_op_sparsemax(dn_graph* graph, dn_expr x, dn_expr* out);

/// The softmax with an upper bound for each probability: of all distributions within the bounds the nearest to
/// softmax(x) by the Kullback-Leibler divergence, y_i = min(u_i, exp(x_i) / z) with z such that they add up to 1
/// (Martins and Kreutzer, Learning What's Easy, 2017). Where the bounds add up to less than 1 there is none, and the
/// result is u. The gradient of an element that equals its bound is that of the bound.
/// @param x {n}; a batch of 1 is broadcast
/// @param u {n}, each 0 or more; a batch of 1 is broadcast
/// @returns {n}
DN_API dn_status dn_op_constrained_softmax(dn_graph* graph, dn_expr x, dn_expr u, dn_expr* out);

/// The negative log likelihood of a label: ln sum_j exp(x_j) - x_index, for each batch element.
/// @param x {n}
/// @param index 0 to n - 1
/// @returns {1}
/// @throws DN_E_INDEX if there is no such label
DN_API dn_status dn_op_pick_neg_log_softmax(dn_graph* graph, dn_expr x, int32_t index, dn_expr* out);

/// The negative log likelihood of a label for each batch element.
/// @op PickNegLogSoftmax
/// @param x {n}; a batch of 1 is broadcast
/// @param indices one for each batch element, each 0 to n - 1
/// @returns {1}, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such label; DN_E_ARGUMENT if there are no indices
DN_API dn_status dn_op_pick_neg_log_softmax_batch(dn_graph* graph, dn_expr x, const int32_t* indices,
                                                  int32_t indices_count, dn_expr* out);

/// The binary cross entropy -(y ln x + (1 - y) ln(1 - x)), summed over the elements, for each batch element. Logarithms
/// are bounded below by that of the smallest normal float, so that x of 0 or 1 gives a finite loss, as in DyNet. So are
/// the denominators of the gradient (1 - y) / (1 - x) - y / x, x by the smallest normal float, 1.2e-38, and 1 - x by
/// 2^-23, so that x of 1 gives at most 8388608, DyNet's number for it too.
/// @param x probabilities, 0 to 1
/// @param y targets, 0 to 1, of the shape of x; its batch may be broadcast
/// @returns {1}
DN_API dn_status dn_op_binary_log_loss(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out);

/// The sum of the absolute differences of corresponding elements, for each batch element. The derivative is taken to be
/// 0 where two elements are equal.
/// @param x any shape
/// @param y the shape of x; its batch may be broadcast
/// @returns {1}
DN_API dn_status dn_op_l1_distance(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out);

/// The Huber distance, for each batch element: the sum of (x - y)^2 / 2 where |x - y| is at most c, and of
/// c |x - y| - c^2 / 2 elsewhere (Huber 1964).
/// @param x any shape
/// @param y the shape of x; its batch may be broadcast
/// @param c more than 0
/// @default c 1.345
/// @returns {1}
/// @throws DN_E_ARGUMENT if `c` is not a finite number above 0
DN_API dn_status dn_op_huber_distance(dn_graph* graph, dn_expr x, dn_expr y, double c, dn_expr* out);

/// How much each x falls short of being larger than its y by a margin: max(0, m - x + y), elementwise. The derivative
/// is taken to be 0 where the margin is just kept.
/// @param x any shape
/// @param y the shape of x; its batch may be broadcast
/// @param m the margin
/// @default m 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `m` is not finite
DN_API dn_status dn_op_pairwise_rank_loss(dn_graph* graph, dn_expr x, dn_expr y, double m, dn_expr* out);

/// The negative log likelihood of a count under a Poisson distribution whose rate is exp(`log_lambda`), for each batch
/// element: exp(`log_lambda`) - y `log_lambda` + ln(y!).
/// @param log_lambda one element
/// @param y 0 or more, the same for the whole batch
/// @returns {1}
/// @throws DN_E_INDEX if `y` is negative
DN_API dn_status dn_op_poisson_loss(dn_graph* graph, dn_expr log_lambda, int32_t y, dn_expr* out);

/// The multi-class hinge loss: sum over j other than index of max(0, margin - x_index + x_j), for each batch element.
/// @param x {n}
/// @param index 0 to n - 1
/// @param margin 0 or more
/// @default margin 1
/// @returns {1}
/// @throws DN_E_INDEX if there is no such label; DN_E_ARGUMENT if `margin` is negative or not finite
DN_API dn_status dn_op_hinge(dn_graph* graph, dn_expr x, int32_t index, double margin, dn_expr* out);

/// The multi-class hinge loss of a label for each batch element.
/// @op Hinge
/// @param x {n}; a batch of 1 is broadcast
/// @param indices one for each batch element, each 0 to n - 1
/// @param margin 0 or more
/// @default margin 1
/// @returns {1}, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such label; DN_E_ARGUMENT if `margin` is negative or not finite, or there are no
/// indices
DN_API dn_status dn_op_hinge_batch(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                   double margin, dn_expr* out);

/// The multi-class hinge losses along a dimension of a matrix: one for each column (dim 0) or row (dim 1).
/// @param x {rows, cols}
/// @param indices the labels, each 0 to the size of dim - 1: one for each column or row, the same for all batch
/// elements; or as many for each batch element, one batch element after the other, where a batch of 1 is broadcast
/// @param dim along which dimension, 0 or 1
/// @param margin 0 or more
/// @default dim 0
/// @default margin 1
/// @returns {cols} or, along dimension 1, {rows}
/// @throws DN_E_INDEX if there is no such label; DN_E_ARGUMENT if `dim` or `margin` is out of its range, or there are
/// no indices
DN_API dn_status dn_op_hinge_dim(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count, int32_t dim,
                                 double margin, dn_expr* out);

/// The loss that goes with sparsemax (Martins and Astudillo 2016), for each batch element: with p = sparsemax(x), the
/// threshold t of p, and q the distribution of the labels, (sum over p_i > 0 of (x_i^2 - t^2) + sum of q_i^2) / 2 -
/// q.x, which is 0 where p = q and has the gradient p - q.
/// @param x {n}
/// @param indices the labels, at least one, each 0 to n - 1, the same for all batch elements: each has the same part of
/// q, and twice that if it is there twice
/// @returns {1}
/// @throws DN_E_INDEX if there is no such label; DN_E_ARGUMENT if there are no indices
DN_API dn_status dn_op_sparsemax_loss(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                      dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_LOSSES_H_

// Operations: many elements to one.
#ifndef DYNNET_DYNNET_OPS_REDUCTIONS_H_
#define DYNNET_DYNNET_OPS_REDUCTIONS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The sum of all elements, for each batch element.
/// @returns {1}, with the batch of x
DN_API dn_status dn_op_sum_elems(dn_graph* graph, dn_expr x, dn_expr* out);

/// The sum over the batch.
/// @returns the shape of x without its batch
DN_API dn_status dn_op_sum_batches(dn_graph* graph, dn_expr x, dn_expr* out);

/// The sum over some dimensions, which are removed, and over the batch if it is asked for.
/// @param x any shape
/// @param dims each 0 to 6, none twice; may be empty if the batch is summed over
/// @param batch whether to sum over the batch too
/// @default batch 0
/// @flag batch
/// @returns the shape of x without dims; {1} if no dimension is left
/// @throws DN_E_ARGUMENT if a dimension is out of its range or there twice, or there is nothing to sum over
DN_API dn_status dn_op_sum_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t batch,
                               dn_expr* out);

/// The sum over dimension 0: the rows of a matrix added up.
/// @param x any shape
/// @returns the shape of x without dimension 0: {cols} of a matrix
DN_API dn_status dn_op_sum_rows(dn_graph* graph, dn_expr x, dn_expr* out);

/// The sum over dimension 1: the columns of a matrix added up.
/// @param x any shape
/// @returns the shape of x without dimension 1: {rows} of a matrix
DN_API dn_status dn_op_sum_cols(dn_graph* graph, dn_expr x, dn_expr* out);

/// The mean of all elements, for each batch element.
/// @returns {1}, with the batch of x
DN_API dn_status dn_op_mean_elems(dn_graph* graph, dn_expr x, dn_expr* out);

/// The mean over the batch.
/// @returns the shape of x without its batch
DN_API dn_status dn_op_mean_batches(dn_graph* graph, dn_expr x, dn_expr* out);

/// The mean over some dimensions, which are removed, and over the batch if it is asked for.
/// @param x any shape
/// @param dims each 0 to 6, none twice; may be empty if the mean is over the batch
/// @param batch whether the mean is over the batch too
/// @default batch 0
/// @flag batch
/// @param n by what the sum is divided, for operands of which a part counts only; 0 for the number of elements
/// @default n 0
/// @returns the shape of x without dims; {1} if no dimension is left
/// @throws DN_E_ARGUMENT if a dimension is out of its range or there twice, there is nothing to take the mean over, or
/// `n` is negative
DN_API dn_status dn_op_mean_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t batch,
                                int32_t n, dn_expr* out);

/// The mean of the columns of a matrix: the mean over dimension 1.
/// @param x any shape
/// @returns the shape of x without dimension 1: {rows} of a matrix
DN_API dn_status dn_op_average_cols(dn_graph* graph, dn_expr x, dn_expr* out);

/// The moment of order r of all elements, for each batch element: the mean of x^r, which is not taken about the mean.
/// @param x any shape
/// @param r 1 or more
/// @returns {1}, with the batch of x
/// @throws DN_E_ARGUMENT if `r` is less than 1
DN_API dn_status dn_op_moment_elems(dn_graph* graph, dn_expr x, int32_t r, dn_expr* out);

/// The moment of order r over the batch: the mean of x^r.
/// @param x any shape
/// @param r 1 or more
/// @returns the shape of x without its batch
/// @throws DN_E_ARGUMENT if `r` is less than 1
DN_API dn_status dn_op_moment_batches(dn_graph* graph, dn_expr x, int32_t r, dn_expr* out);

/// The moment of order r, the mean of x^r, over some dimensions, which are removed, and over the batch if it is asked
/// for.
/// @param x any shape
/// @param dims each 0 to 6, none twice; may be empty if the moment is over the batch
/// @param r 1 or more
/// @param batch whether the moment is over the batch too
/// @default batch 0
/// @flag batch
/// @param n by what the sum is divided, for operands of which a part counts only; 0 for the number of elements
/// @default n 0
/// @returns the shape of x without dims; {1} if no dimension is left
/// @throws DN_E_ARGUMENT if a dimension is out of its range or there twice, there is nothing to take the moment over,
/// `r` is less than 1, or `n` is negative
DN_API dn_status dn_op_moment_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t r,
                                  int32_t batch, int32_t n, dn_expr* out);

/// The standard deviation of all elements, for each batch element: the square root of the mean of (x - mean)^2. Where
/// it is 0, as of elements that are all equal, its gradient is taken to be 0.
/// @returns {1}, with the batch of x
DN_API dn_status dn_op_std_elems(dn_graph* graph, dn_expr x, dn_expr* out);

/// The standard deviation over the batch; see dn_op_std_elems.
/// @returns the shape of x without its batch
DN_API dn_status dn_op_std_batches(dn_graph* graph, dn_expr x, dn_expr* out);

/// The standard deviation over some dimensions, which are removed, and over the batch if it is asked for; see
/// dn_op_std_elems.
/// @param x any shape
/// @param dims each 0 to 6, none twice; may be empty if the deviation is over the batch
/// @param batch whether the deviation is over the batch too
/// @default batch 0
/// @flag batch
/// @param n by what both sums are divided, that of the mean and that of the squares; 0 for the number of elements
/// @default n 0
/// @returns the shape of x without dims; {1} if no dimension is left
/// @throws DN_E_ARGUMENT if a dimension is out of its range or there twice, there is nothing to take the deviation
/// over, or `n` is negative
DN_API dn_status dn_op_std_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t batch,
                               int32_t n, dn_expr* out);

/// The sum of the squares of all elements, for each batch element.
/// @returns {1}, with the batch of x
DN_API dn_status dn_op_squared_norm(dn_graph* graph, dn_expr x, dn_expr* out);

/// The square root of the sum of the squares of all elements, for each batch element. Where it is 0, its gradient is
/// taken to be 0.
/// @returns {1}, with the batch of x
DN_API dn_status dn_op_l2_norm(dn_graph* graph, dn_expr x, dn_expr* out);

/// The smallest elements along a dimension, which is removed. The gradient goes to the first of several that are equal.
/// An element that is not a number may be passed over, and those before it with it.
/// @param x any shape
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the shape of x without dim; {1} if x has one dimension
/// @throws DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_min_dim(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out);

/// The largest elements along a dimension, which is removed. The gradient goes to the first of several that are equal.
/// An element that is not a number may be passed over, and those before it with it.
/// @param x any shape
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the shape of x without dim; {1} if x has one dimension
/// @throws DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_max_dim(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out);

/// Where the largest elements along dimension 0 are: 1 at the first of them, 0 elsewhere. It has no derivative other
/// than 0; the gradient can be estimated by that of the identity. An element that is not a number may be passed over,
/// and those before it with it.
/// @op ArgMax
/// @param x {n}; of more dimensions, each vector along dimension 0
/// @param gradient_mode what backward passes on
/// @enum gradient_mode dn_gradient_mode
/// @default gradient_mode DN_GRADIENT_ZERO
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `gradient_mode` is no dn_gradient_mode
DN_API dn_status dn_op_argmax(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out);

/// ln sum exp(x) along a dimension, which is removed. Large elements do not overflow; of elements that all are minus
/// infinity it is minus infinity, with a gradient of 0.
/// @op LogSumExpDim
/// @param x any shape
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the shape of x without dim; {1} if x has one dimension
/// @throws DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_logsumexp_dim(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out);

/// The cumulative sum along a dimension: y_i is the sum of the elements up to x_i, which counts.
/// @op CumSum
/// @param x any shape
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_cumsum(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out);

/// The sum of the products of corresponding elements, for each batch element.
/// @param a any shape
/// @param b the shape of a; its batch may be broadcast
/// @returns {1}
DN_API dn_status dn_op_dot_product(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The sum of the squared differences of corresponding elements, for each batch element.
/// @param a any shape
/// @param b the shape of a; its batch may be broadcast
/// @returns {1}
DN_API dn_status dn_op_squared_distance(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_REDUCTIONS_H_

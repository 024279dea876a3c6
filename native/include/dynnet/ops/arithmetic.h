// Operations: sums, products, quotients.
#ifndef DYNNET_DYNNET_OPS_ARITHMETIC_H_
#define DYNNET_DYNNET_OPS_ARITHMETIC_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The sum of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @param a one
/// @param b the other
/// @returns the larger size in each dimension
DN_API dn_status dn_op_add(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The difference of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @param a what is subtracted from
/// @param b what is subtracted
/// @returns the larger size in each dimension
DN_API dn_status dn_op_subtract(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The product of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @op CMult
/// @param a one
/// @param b the other
/// @returns the larger size in each dimension
DN_API dn_status dn_op_cmult(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The quotient of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @op CDiv
/// @param a the dividends
/// @param b the divisors
/// @returns the larger size in each dimension
DN_API dn_status dn_op_cdiv(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// Each element of x to the power of one of y. A dimension of size 1, the batch included, is broadcast, so y may be one
/// number for all. Of a negative element the power is that of its size, negative if the exponent is odd, and NaN if the
/// exponent is not whole; of 0 it is 0, 1 or infinite, as the exponent is positive, 0 or negative. The gradient of x is
/// y x^(y - 1), that of y is x^y ln x, and 0 where x is not positive: there is no derivative, or none but 0.
/// @param x the bases
/// @param y the exponents
/// @returns the larger size in each dimension
DN_API dn_status dn_op_pow(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out);

/// The smaller of two elements. A dimension of size 1, the batch included, is broadcast. Where the two are equal, the
/// gradient goes to b, as in DyNet; where one of them is NaN, the result is b.
/// @param a one
/// @param b the other
/// @returns the larger size in each dimension
DN_API dn_status dn_op_min(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The larger of two elements. A dimension of size 1, the batch included, is broadcast. Where the two are equal, the
/// gradient goes to b, as in DyNet; where one of them is NaN, the result is b.
/// @param a one
/// @param b the other
/// @returns the larger size in each dimension
DN_API dn_status dn_op_max(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// Each element plus a number: y = x + scalar.
/// @op Add
/// @returns the shape of x
DN_API dn_status dn_op_add_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out);

/// Each element times a number: y = x scalar.
/// @op Multiply
/// @returns the shape of x
DN_API dn_status dn_op_multiply_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out);

/// A number minus each element: y = scalar - x.
/// @op SubtractFrom
/// @returns the shape of x
DN_API dn_status dn_op_subtract_from_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out);

/// Each element divided by a number: y = x / scalar. By 0 it is infinite, or NaN where x is 0.
/// @op CDiv
/// @returns the shape of x
DN_API dn_status dn_op_divide_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out);

/// A number divided by each element: y = scalar / x. Where x is 0 it is infinite, or NaN if the number is 0.
/// @op DivideInto
/// @returns the shape of x
DN_API dn_status dn_op_divide_into_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out);

/// The matrix product. Where only one of the two has a batch, the other is used for each of its elements.
/// @param a {m, k}
/// @param b {k, n} or {k}
/// @returns {m, n} or {m}
DN_API dn_status dn_op_multiply(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// An affine transformation: b + W1 x1 + W2 x2 + ..., one node for all of it. If the next operation that is recorded is
/// its tanh, logistic or rectify, and nothing else that is recorded before they are computed uses it, the two are
/// computed as one, and its own value and gradient when they are asked for; not so where nodes are computed when they
/// are recorded, or where values are checked.
/// @param xs b {m} or {m, n}, then pairs of W {m, k} and x {k, n} or {k}; b {m} is added to each column
/// @returns {m, n} or {m}
/// @throws DN_E_ARGUMENT if the number of operands is even: something has no pair
DN_API dn_status dn_op_affine_transform(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The sum of any number of tensors. A dimension of size 1, the batch included, is broadcast.
/// @param xs at least 1
/// @returns the largest size in each dimension
DN_API dn_status dn_op_sum(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The mean of any number of tensors. A dimension of size 1, the batch included, is broadcast.
/// @param xs at least 1
/// @returns the largest size in each dimension
DN_API dn_status dn_op_average(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The largest of any number of tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// Where several are the largest, the gradient goes to the last of them, as with `dn_op_max`. An element that is not a
/// number may be passed over, and those of the tensors before it with it.
/// @op Max
/// @param xs at least 1
/// @returns the largest size in each dimension
DN_API dn_status dn_op_max_list(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The logarithm of the sum of the exponentials of any number of tensors, element by element: ln(e^x1 + e^x2 + ...), of
/// elements of any finite size and of minus infinity. A dimension of size 1, the batch included, is broadcast.
/// @op LogSumExp
/// @param xs at least 1
/// @returns the largest size in each dimension
DN_API dn_status dn_op_logsumexp(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// A vector added to each column of a matrix.
/// @param x {m, n} or {m}
/// @param bias {m}
/// @returns the shape of x; a batch of 1 in either is broadcast
DN_API dn_status dn_op_colwise_add(dn_graph* graph, dn_expr x, dn_expr bias, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_ARITHMETIC_H_

// Operations: linear algebra, contractions, circular convolution.
#ifndef DYNNET_DYNNET_OPS_MATRICES_H_
#define DYNNET_DYNNET_OPS_MATRICES_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The trace of a product, trace(a b^T): the sum of the products of the elements in the same places, for each batch
/// element.
/// @param a {m, n}
/// @param b {m, n}; one of the two batches may be 1
/// @returns {1}
DN_API dn_status dn_op_trace_of_product(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The inverse of a matrix, for each batch element, by LU decomposition with partial pivoting in double precision. If
/// it is singular, a pivot being exactly 0, all elements are NaN.
/// @param x {n, n}
/// @returns {n, n}
DN_API dn_status dn_op_inverse(dn_graph* graph, dn_expr x, dn_expr* out);

/// ln det x for each batch element, computed as the inverse is: minus infinity if x is singular, NaN if det x < 0.
/// @op LogDet
/// @param x {n, n}
/// @returns {1}
DN_API dn_status dn_op_logdet(dn_graph* graph, dn_expr x, dn_expr* out);

/// A tensor times a vector: z_ij = sum_k x_ijk y_k. Where only one of the two has a batch, the other is used for each
/// of its elements.
/// @op Contract3D1D
/// @param x {d1, d2, d3}
/// @param y {d3}
/// @returns {d1, d2}
DN_API dn_status dn_op_contract3d_1d(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out);

/// A tensor times a vector, plus a matrix: z_ij = b_ij + sum_k x_ijk y_k. A batch of 1 is broadcast.
/// @op Contract3D1D
/// @param x {d1, d2, d3}
/// @param y {d3}
/// @param b {d1, d2}
/// @returns {d1, d2}
DN_API dn_status dn_op_contract3d_1d_bias(dn_graph* graph, dn_expr x, dn_expr y, dn_expr b, dn_expr* out);

/// A tensor times two vectors: t_i = sum_jk x_ijk y_k z_j. A batch of 1 is broadcast.
/// @op Contract3D1D1D
/// @param x {d1, d2, d3}
/// @param y {d3}
/// @param z {d2}
/// @returns {d1}
DN_API dn_status dn_op_contract3d_1d_1d(dn_graph* graph, dn_expr x, dn_expr y, dn_expr z, dn_expr* out);

/// A tensor times two vectors, plus a vector: t_i = b_i + sum_jk x_ijk y_k z_j. A batch of 1 is broadcast.
/// @op Contract3D1D1D
/// @param x {d1, d2, d3}
/// @param y {d3}
/// @param z {d2}
/// @param b {d1}
/// @returns {d1}
DN_API dn_status dn_op_contract3d_1d_1d_bias(dn_graph* graph, dn_expr x, dn_expr y, dn_expr z, dn_expr b, dn_expr* out);

/// The circular convolution of two vectors: y_k = sum_i u_i v_((k - i) mod n). It takes n^2 multiplications.
/// @param u {n}; a batch of 1 is broadcast
/// @param v {n}; a batch of 1 is broadcast
/// @returns {n}
DN_API dn_status dn_op_circ_conv(dn_graph* graph, dn_expr u, dn_expr v, dn_expr* out);

/// The circular correlation of two vectors: y_k = sum_i u_i v_((k + i) mod n). It takes n^2 multiplications.
/// @param u {n}; a batch of 1 is broadcast
/// @param v {n}; a batch of 1 is broadcast
/// @returns {n}
DN_API dn_status dn_op_circ_corr(dn_graph* graph, dn_expr u, dn_expr v, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_MATRICES_H_

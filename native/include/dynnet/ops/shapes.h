// Operations that move elements.
#ifndef DYNNET_DYNNET_OPS_SHAPES_H_
#define DYNNET_DYNNET_OPS_SHAPES_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The same elements in another shape.
/// @param dim as many elements as x has; a batch of 1 in dim keeps the batch of x if the elements then fit
/// @returns dim
DN_API dn_status dn_op_reshape(dn_graph* graph, dn_expr x, const dn_dim* dim, dn_expr* out);

/// The transpose of a matrix.
/// @param x {m, n} or {m}
/// @returns {n, m} or {1, m}
DN_API dn_status dn_op_transpose(dn_graph* graph, dn_expr x, dn_expr* out);

/// The dimensions in another order: y's dimension i is x's dimension dims[i]. It is a view, not a copy, where the
/// elements keep their order, as where all dimensions that move past each other have size 1.
/// @op Transpose
/// @param x up to as many dimensions as the list has numbers; all further ones have size 1
/// @param dims each number from 0 to dims_count - 1 once; at most 7
/// @returns sizes x[dims[0]], x[dims[1]], ...; the batch of x
/// @throws DN_E_ARGUMENT if the list is no such order; DN_E_SHAPE if x has more dimensions
DN_API dn_status dn_op_transpose_dims(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count,
                                      dn_expr* out);

/// Some rows of a matrix, in the given order: slices of dimension 0. The same for all batch elements.
/// @param x any shape
/// @param rows at least 1, each 0 to the number of rows - 1; one may be there more than once
/// @returns the shape of x with rows_count in dimension 0
/// @throws DN_E_INDEX if there is no such row; DN_E_ARGUMENT if `rows` is empty
DN_API dn_status dn_op_select_rows(dn_graph* graph, dn_expr x, const int32_t* rows, int32_t rows_count, dn_expr* out);

/// Some columns of a matrix, in the given order: slices of dimension 1. The same for all batch elements. Columns lie
/// together in memory, so this is faster than selecting rows.
/// @param x any shape
/// @param cols at least 1, each 0 to the number of columns - 1; one may be there more than once
/// @returns the shape of x with cols_count in dimension 1
/// @throws DN_E_INDEX if there is no such column; DN_E_ARGUMENT if `cols` is empty
DN_API dn_status dn_op_select_cols(dn_graph* graph, dn_expr x, const int32_t* cols, int32_t cols_count, dn_expr* out);

/// The slice at one index of a dimension, which is removed.
/// @param x any shape
/// @param index 0 to the dimension's size - 1
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the shape of x without dim; {1} if x has one dimension
/// @throws DN_E_INDEX if there is no such slice; DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_pick(dn_graph* graph, dn_expr x, int32_t index, int32_t dim, dn_expr* out);

/// For each batch element the slice at its own index of a dimension, which is removed.
/// @op Pick
/// @param x any shape; a batch of 1 is broadcast
/// @param indices one for each batch element, each 0 to the dimension's size - 1
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the shape of x without dim, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such slice; DN_E_ARGUMENT if `dim` is out of its range, or there are no indices
DN_API dn_status dn_op_pick_batch(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                  int32_t dim, dn_expr* out);

/// The slices from `start` up to, not including, `end` of a dimension.
/// @param x any shape
/// @param start 0 or more
/// @param end more than start, at most the dimension's size
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the shape of x with end - start in dim
/// @throws DN_E_INDEX if there are no such slices; DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_pick_range(dn_graph* graph, dn_expr x, int32_t start, int32_t end, int32_t dim, dn_expr* out);

/// One element of the batch. It is a view, not a copy.
/// @param x any shape
/// @param index 0 to the batch size - 1
/// @returns the shape of x without its batch
/// @throws DN_E_INDEX if there is no such batch element
DN_API dn_status dn_op_pick_batch_elem(dn_graph* graph, dn_expr x, int32_t index, dn_expr* out);

/// Some elements of the batch, in the given order.
/// @param x any shape
/// @param indices at least 1, each 0 to the batch size - 1; one may be there more than once
/// @returns the shape of x, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such batch element; DN_E_ARGUMENT if there are no indices
DN_API dn_status dn_op_pick_batch_elems(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                        dn_expr* out);

/// In each dimension every stride-th slice from `from` up to, not including, `to`. Entry i of a list is for dimension
/// i; one more than x has dimensions is for the batch. Lists may be shorter, or empty: strides are then 1, `from` 0 and
/// `to` the size.
/// @param x any shape
/// @param strides each 1 or more
/// @param from each 0 to the size - 1
/// @param to each more than `from`, at most the size
/// @default from []
/// @default to []
/// @returns (to - from) / stride in each dimension, rounded up
/// @throws DN_E_INDEX if there are no such slices; DN_E_ARGUMENT if a stride is less than 1, or a list is too long
DN_API dn_status dn_op_strided_select(dn_graph* graph, dn_expr x, const int32_t* strides, int32_t strides_count,
                                      const int32_t* from, int32_t from_count, const int32_t* to, int32_t to_count,
                                      dn_expr* out);

/// Tensors put one after the other in a dimension. A batch of 1 is broadcast.
/// @param xs at least 1; the same sizes in all other dimensions
/// @param dim which dimension, 0 to 6
/// @default dim 0
/// @returns the sum of the sizes in dim
/// @throws DN_E_ARGUMENT if `dim` is out of its range
DN_API dn_status dn_op_concatenate(dn_graph* graph, const dn_expr* xs, int32_t xs_count, int32_t dim, dn_expr* out);

/// Columns put side by side: concatenation in dimension 1.
/// @param xs at least 1; the same number of rows
/// @returns {rows, sum of the columns}
DN_API dn_status dn_op_concatenate_cols(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// Tensors of one shape put into one batch.
/// @param xs at least 1, of one shape; each may have a batch of its own
/// @returns the shape of one, with the sum of the batches
DN_API dn_status dn_op_concatenate_to_batch(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_SHAPES_H_

// Operations: convolutions and pooling.
//
// A feature map is {h, w} or {h, w, channels}. What slides over it, a filter or a window of fh rows and fw columns,
// stops every stride[0] rows and every stride[1] columns. Where only whole windows count (is_valid), it stops ceil((h -
// fh + 1) / stride[0]) times from top to bottom. Else the map is padded so that it stops ceil(h / stride[0]) times: by
// p = max((stops - 1) * stride[0] + fh - h, 0) rows, p / 2 of them, rounded down, above the first and the others below
// the last. The same holds for columns. These are the sizes and paddings of DyNet, and of TensorFlow's VALID and SAME.
#ifndef DYNNET_DYNNET_OPS_CONVOLUTIONS_H_
#define DYNNET_DYNNET_OPS_CONVOLUTIONS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The convolution of a feature map with filters, which are not turned: element (i, j) of channel o of the result is
/// the sum over a, b and c of x(i s0 + a, j s1 + b, c) f(a, b, c, o), strides s and the padding, which is zeros, taken
/// into account. A batch of 1 is broadcast.
/// @op Conv2D
/// @param x the feature map, {h, w} or {h, w, channels}
/// @param f the filters, {fh, fw, channels, filters}
/// @param stride two numbers of 1 or more: by how many rows and columns the filters move
/// @param is_valid whether only filters that lie in x as a whole count; else x is padded, and the result has
/// ceil(h / stride[0]) rows and ceil(w / stride[1]) columns
/// @default is_valid 1
/// @flag is_valid
/// @returns {rows, columns, filters}, of which there are ceil((h - fh + 1) / stride[0]) rows and
/// ceil((w - fw + 1) / stride[1]) columns if `is_valid`
/// @throws DN_E_ARGUMENT if there are not two strides, or one is less than 1
DN_API dn_status dn_op_conv2d(dn_graph* graph, dn_expr x, dn_expr f, const int32_t* stride, int32_t stride_count,
                              int32_t is_valid, dn_expr* out);

/// The convolution of a feature map with filters, plus a number for each filter. A batch of 1 is broadcast.
/// @op Conv2D
/// @param x the feature map, {h, w} or {h, w, channels}
/// @param f the filters, {fh, fw, channels, filters}
/// @param b the bias, {filters}
/// @param stride two numbers of 1 or more: by how many rows and columns the filters move
/// @param is_valid whether only filters that lie in x as a whole count; else x is padded, and the result has
/// ceil(h / stride[0]) rows and ceil(w / stride[1]) columns
/// @default is_valid 1
/// @flag is_valid
/// @returns {rows, columns, filters}, of which there are ceil((h - fh + 1) / stride[0]) rows and
/// ceil((w - fw + 1) / stride[1]) columns if `is_valid`
/// @throws DN_E_ARGUMENT if there are not two strides, or one is less than 1
DN_API dn_status dn_op_conv2d_bias(dn_graph* graph, dn_expr x, dn_expr f, dn_expr b, const int32_t* stride,
                                   int32_t stride_count, int32_t is_valid, dn_expr* out);

/// The largest element of each window of a feature map, channel by channel. The padding does not count. The gradient
/// goes to the first of several that are equal: of those in the topmost row to the leftmost one. NaN counts as larger
/// than all numbers, so that a window that has one gives NaN.
/// @op MaxPooling2D
/// @param x the feature map, {h, w} or {h, w, channels}
/// @param ksize two numbers of 1 or more: the rows and columns of the window
/// @param stride two numbers of 1 or more: by how many rows and columns the window moves
/// @param is_valid whether only windows that lie in x as a whole count; else the result has ceil(h / stride[0]) rows
/// and ceil(w / stride[1]) columns
/// @default is_valid 1
/// @flag is_valid
/// @returns {rows, columns, channels}, of which there are ceil((h - ksize[0] + 1) / stride[0]) rows and
/// ceil((w - ksize[1] + 1) / stride[1]) columns if `is_valid`
/// @throws DN_E_ARGUMENT if there are not two sizes and two strides, or one is less than 1
/// @throws DN_E_SHAPE if a channel of x has more than 2^24 elements
DN_API dn_status dn_op_maxpooling2d(dn_graph* graph, dn_expr x, const int32_t* ksize, int32_t ksize_count,
                                    const int32_t* stride, int32_t stride_count, int32_t is_valid, dn_expr* out);

/// Narrow convolutions along the columns: element (o, j) of the result is the sum of the products of filter o and of
/// columns j to j + k - 1 of x. A batch of 1 is broadcast.
/// @op Filter1DNarrow
/// @param x {d, n}
/// @param f {d, k} or {d, k, filters}, k not more than n
/// @returns {filters, n - k + 1}
DN_API dn_status dn_op_filter1d_narrow(dn_graph* graph, dn_expr x, dn_expr f, dn_expr* out);

/// The k largest elements along a dimension, in the order in which they stand there (Kalchbrenner et al. 2014). Of
/// equal ones the first are taken, and get the gradient. NaN counts as larger than all numbers.
/// @op KMaxPooling
/// @param x any shape
/// @param k 1 to the size of the dimension
/// @param dim which dimension, 0 to 6
/// @default dim 1
/// @returns the shape of x, with k in dim
/// @throws DN_E_SHAPE if the dimension has more than 2^24 elements, or fewer than k
/// @throws DN_E_ARGUMENT if `k` is less than 1, or `dim` is out of its range
DN_API dn_status dn_op_kmax_pooling(dn_graph* graph, dn_expr x, int32_t k, int32_t dim, dn_expr* out);

/// The sums of n columns each that stand side by side: column j is the sum of columns j to j + n - 1 of x.
/// @op KmhNgram
/// @param x {rows, cols}
/// @param n 1 to the number of columns
/// @returns {rows, cols - n + 1}
/// @throws DN_E_ARGUMENT if `n` is less than 1
DN_API dn_status dn_op_kmh_ngram(dn_graph* graph, dn_expr x, int32_t n, dn_expr* out);

/// The sums of nrows rows each: row i is the sum of rows i nrows to (i + 1) nrows - 1 of x.
/// @param x {rows, cols}
/// @param nrows 1 or more, a divisor of the number of rows
/// @default nrows 2
/// @returns {rows / nrows, cols}
/// @throws DN_E_ARGUMENT if `nrows` is less than 1
DN_API dn_status dn_op_fold_rows(dn_graph* graph, dn_expr x, int32_t nrows, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_CONVOLUTIONS_H_

// Operations: attention.
//
// Scaled dot-product attention and its form with several heads are those of Vaswani et al. 2017. A query, a key, a
// value and a result is a column each. The scores of a query are its dot products with all keys, times a scale; their
// softmax weighs the values.
//
// A causal attention lets a query see the keys up to its own place. Where there are as many queries as keys, query i
// sees keys 0 to i. Where there are not, the last query sees all keys, the one before it all but the last, and so on:
// queries may be the last of a longer sequence. A mask is added to the scores: 0 where a key is seen, minus infinity
// where it is not, or any number in between, such as a bias for the distance (Press et al. 2022, with a mask for each
// head). A query that sees no key gets zeros, and gives no gradient. Of n keys, m queries and several heads, a mask is
// {n, m, heads}; a size of 1 in any of the three stands for all: {n} or {n, 1} is the same for all queries and heads,
// {n, m} for all heads, {n, 1, heads} for all queries; {1, m} and {1, m, heads} have one number for all keys of a
// query, so that minus infinity leaves the query out. Its gradient is summed where it stands for several.
//
// The scale is 1 / sqrt(d), d being the rows of a head's queries and keys, unless another is given. It may be negative,
// which prefers what is unlike. A scale of 0 stands for 1 / sqrt(d), as does one that is 0 in float32.
//
// Dropout of a rate makes each weight 0 with that probability, and divides the others by 1 - rate, as `dropout` does
// with the weights as its operand: it draws what that would draw in the node's place (see noise.h). What was drawn for
// the value holds for the gradient. Dropout is for training: record the nodes without it otherwise.
//
// A score of NaN that a query sees makes its whole result NaN. What a query does not see weighs 0, but is multiplied
// all the same: a value that is not finite makes the results NaN of queries that do not see it too (0 times infinity),
// and so does a mask of minus infinity for a key whose score is NaN or infinity. Padding must be finite. The same holds
// for weights that are dropped.
//
// Nodes are computed together if their operands have the same shapes, and their flags, dropout and scale are the same
// numbers. Sequences of different lengths are different shapes and do not share a batch. To have them share one, put
// columns of zeros behind queries, keys and values up to a common length (`concatenate` along dimension 1), and give
// each a mask {n} of zeros for its own keys and minus infinity for those put there, which is data and keeps nothing
// apart. Leave out the results of queries put there with `pick_range`; the others are, rounding apart, what they are
// without padding. The products are each sequence's own in any case: sharing a batch saves a fraction of a microsecond
// a sequence, and padding to the longest costs more than that from some ten columns on. Padding to the next multiple
// of 8 costs least.
#ifndef DYNNET_DYNNET_OPS_ATTENTION_H_
#define DYNNET_DYNNET_OPS_ATTENTION_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Attention: V softmax(scale K^T Q), the softmax along each column. A batch of 1 is broadcast.
/// @param queries Q {d, m}
/// @param keys K {d, n}
/// @param values V {e, n}
/// @param causal whether query i sees keys 0 to i + n - m only
/// @param dropout the rate at which weights are dropped, 0 or more, less than 1
/// @param scale what scores are multiplied by, finite; 0 for 1 / sqrt(d)
/// @default causal 0
/// @flag causal
/// @default dropout 0
/// @default scale 0
/// @returns {e, m}
/// @throws DN_E_ARGUMENT if `dropout` is out of its range, or `scale` is not finite
DN_API dn_status dn_op_scaled_dot_product_attention(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                                    int32_t causal, double dropout, double scale, dn_expr* out);

/// Attention with a mask: V softmax(scale K^T Q + M), the softmax along each column. A batch of 1 is broadcast.
/// @op ScaledDotProductAttention
/// @param queries Q {d, m}
/// @param keys K {d, n}
/// @param values V {e, n}
/// @param mask M {n, m}, {n} for all queries, or {1, m} for all keys: finite, or minus infinity where a key is not
/// seen; a query that sees no key gets zeros
/// @param causal whether query i sees keys 0 to i + n - m only
/// @param dropout the rate at which weights are dropped, 0 or more, less than 1
/// @param scale what scores are multiplied by, finite; 0 for 1 / sqrt(d)
/// @default causal 0
/// @flag causal
/// @default dropout 0
/// @default scale 0
/// @returns {e, m}
/// @throws DN_E_ARGUMENT if `dropout` is out of its range, or `scale` is not finite
DN_API dn_status dn_op_scaled_dot_product_attention_masked(dn_graph* graph, dn_expr queries, dn_expr keys,
                                                           dn_expr values, dn_expr mask, int32_t causal, double dropout,
                                                           double scale, dn_expr* out);

/// Attention with several heads: the rows of queries, keys and values are cut into as many slices, and the results of
/// attention in each put one below the other. A batch of 1 is broadcast.
/// @param queries {heads * d, m}
/// @param keys {heads * d, n}
/// @param values {heads * e, n}
/// @param heads 1 or more
/// @param causal whether query i sees keys 0 to i + n - m only
/// @param dropout the rate at which weights are dropped, 0 or more, less than 1
/// @param scale what scores are multiplied by, finite; 0 for 1 / sqrt(d)
/// @default causal 0
/// @flag causal
/// @default dropout 0
/// @default scale 0
/// @returns {heads * e, m}
/// @throws DN_E_ARGUMENT if `heads` is less than 1, `dropout` is out of its range, or `scale` is not finite
DN_API dn_status dn_op_multi_head_attention(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                            int32_t heads, int32_t causal, double dropout, double scale, dn_expr* out);

/// Attention with several heads and a mask. A batch of 1 is broadcast.
/// @op MultiHeadAttention
/// @param queries {heads * d, m}
/// @param keys {heads * d, n}
/// @param values {heads * e, n}
/// @param mask {n, m, heads}; a size of 1 stands for all keys, queries or heads, such as {n} or {n, m}. It is finite,
/// or minus infinity where a key is not seen; a query that sees no key gets zeros
/// @param heads 1 or more
/// @param causal whether query i sees keys 0 to i + n - m only
/// @param dropout the rate at which weights are dropped, 0 or more, less than 1
/// @param scale what scores are multiplied by, finite; 0 for 1 / sqrt(d)
/// @default causal 0
/// @flag causal
/// @default dropout 0
/// @default scale 0
/// @returns {heads * e, m}
/// @throws DN_E_ARGUMENT if `heads` is less than 1, `dropout` is out of its range, or `scale` is not finite
DN_API dn_status dn_op_multi_head_attention_masked(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                                   dn_expr mask, int32_t heads, int32_t causal, double dropout,
                                                   double scale, dn_expr* out);

/// The weights of attention alone: softmax(scale K^T Q) of each head, the softmax along each column, before dropout.
/// With `dropout` of them, `pick` of a head and a product of its values with that, it is step by step what attention
/// does at once. A batch of 1 is broadcast.
/// @param queries {heads * d, m}
/// @param keys {heads * d, n}
/// @param heads 1 or more
/// @param causal whether query i sees keys 0 to i + n - m only
/// @param scale what scores are multiplied by, finite; 0 for 1 / sqrt(d)
/// @default heads 1
/// @default causal 0
/// @flag causal
/// @default scale 0
/// @returns {n, m, heads}
/// @throws DN_E_ARGUMENT if `heads` is less than 1, or `scale` is not finite
DN_API dn_status dn_op_attention_weights(dn_graph* graph, dn_expr queries, dn_expr keys, int32_t heads, int32_t causal,
                                         double scale, dn_expr* out);

/// The weights of attention with a mask. A batch of 1 is broadcast.
/// @op AttentionWeights
/// @param queries {heads * d, m}
/// @param keys {heads * d, n}
/// @param mask {n, m, heads}; a size of 1 stands for all keys, queries or heads, such as {n} or {n, m}. It is finite,
/// or minus infinity where a key is not seen; a query that sees no key gets zeros
/// @param heads 1 or more
/// @param causal whether query i sees keys 0 to i + n - m only
/// @param scale what scores are multiplied by, finite; 0 for 1 / sqrt(d)
/// @default heads 1
/// @default causal 0
/// @flag causal
/// @default scale 0
/// @returns {n, m, heads}
/// @throws DN_E_ARGUMENT if `heads` is less than 1, or `scale` is not finite
DN_API dn_status dn_op_attention_weights_masked(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr mask,
                                                int32_t heads, int32_t causal, double scale, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_ATTENTION_H_

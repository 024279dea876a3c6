// Operations: attention.
//
// Scaled dot-product attention and its form with several heads are those of Vaswani et al. 2017. A query, a key, a
// value and a result is a column each. The scores of a query are its dot products with all keys, divided by the square
// root of their length; their softmax weighs the values.
//
// A causal attention lets a query see the keys up to its own place. Where there are as many queries as keys, query i
// sees keys 0 to i. Where there are not, the last query sees all keys, the one before it all but the last, and so on:
// queries may be the last of a longer sequence. A mask is added to the scores: 0 where a key is seen, minus infinity
// where it is not, or any number in between, such as a bias for the distance. A query that sees no key gets zeros, and
// gives no gradient.
//
// A score of NaN that a query sees makes its whole result NaN. What a query does not see weighs 0, but is multiplied
// all the same: a value that is not finite makes the results NaN of queries that do not see it too (0 times infinity),
// and so does a mask of minus infinity for a key whose score is NaN or infinity. Padding must be finite.
#ifndef DYNNET_DYNNET_OPS_ATTENTION_H_
#define DYNNET_DYNNET_OPS_ATTENTION_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Attention: V softmax(K^T Q / sqrt(d)), the softmax along each column. A batch of 1 is broadcast.
/// @param queries Q {d, m}
/// @param keys K {d, n}
/// @param values V {e, n}
/// @param causal whether query i sees keys 0 to i + n - m only
/// @default causal 0
/// @flag causal
/// @returns {e, m}
DN_API dn_status dn_op_scaled_dot_product_attention(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                                    int32_t causal, dn_expr* out);

/// Attention with a mask: V softmax(K^T Q / sqrt(d) + M), the softmax along each column. A batch of 1 is broadcast.
/// @op ScaledDotProductAttention
/// @param queries Q {d, m}
/// @param keys K {d, n}
/// @param values V {e, n}
/// @param mask M {n, m}, or {n} for all queries: finite, or minus infinity where a key is not seen; a query that sees
/// no key gets zeros
/// @param causal whether query i sees keys 0 to i + n - m only
/// @default causal 0
/// @flag causal
/// @returns {e, m}
DN_API dn_status dn_op_scaled_dot_product_attention_masked(dn_graph* graph, dn_expr queries, dn_expr keys,
                                                           dn_expr values, dn_expr mask, int32_t causal, dn_expr* out);

/// Attention with several heads: the rows of queries, keys and values are cut into as many slices, and the results of
/// attention in each put one below the other. A batch of 1 is broadcast.
/// @param queries {heads * d, m}
/// @param keys {heads * d, n}
/// @param values {heads * e, n}
/// @param heads 1 or more
/// @param causal whether query i sees keys 0 to i + n - m only
/// @default causal 0
/// @flag causal
/// @returns {heads * e, m}
/// @throws DN_E_ARGUMENT if heads is less than 1
DN_API dn_status dn_op_multi_head_attention(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                            int32_t heads, int32_t causal, dn_expr* out);

/// Attention with several heads and a mask, which is the same for all heads. A batch of 1 is broadcast.
/// @op MultiHeadAttention
/// @param queries {heads * d, m}
/// @param keys {heads * d, n}
/// @param values {heads * e, n}
/// @param mask {n, m}, or {n} for all queries: finite, or minus infinity where a key is not seen; a query that sees no
/// key gets zeros
/// @param heads 1 or more
/// @param causal whether query i sees keys 0 to i + n - m only
/// @default causal 0
/// @flag causal
/// @returns {heads * e, m}
/// @throws DN_E_ARGUMENT if heads is less than 1
DN_API dn_status dn_op_multi_head_attention_masked(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                                   dn_expr mask, int32_t heads, int32_t causal, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_ATTENTION_H_

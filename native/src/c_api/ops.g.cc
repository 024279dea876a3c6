// Written by bindings/ from native/include/dynnet/dynnet.h: do not edit, run ./build.sh bindings.
// CppSharp 1.2.0+42ccd59b112072a6bcf3e1406efca174a46c8cf8
// dynnet.h SHA-256 c71eb87eac4f3f03ed4499c26c905b297f1e34f73af92df00248f7766efd718e
#include "c_api/record.h"
#include "dynnet/dynnet.h"

using dynnet::Op;
using dynnet::span;
using dynnet::c_api::record;

DN_API dn_status dn_op_input(dn_graph* graph, const dn_dim* dim, const float* values, int64_t values_count,
                             dn_expr* out) {
  return record(graph, Op::input, out, dim, span(values, values_count));
}

DN_API dn_status dn_op_input_scalar(dn_graph* graph, double value, dn_expr* out) {
  return record(graph, Op::input_scalar, out, value);
}

DN_API dn_status dn_op_input_bound(dn_graph* graph, const dn_dim* dim, const float* values, dn_expr* out) {
  return record(graph, Op::input_bound, out, dim, values);
}

DN_API dn_status dn_op_constant(dn_graph* graph, const dn_dim* dim, double value, dn_expr* out) {
  return record(graph, Op::constant, out, dim, value);
}

DN_API dn_status dn_op_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out) {
  return record(graph, Op::parameter, out, parameter);
}

DN_API dn_status dn_op_const_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out) {
  return record(graph, Op::const_parameter, out, parameter);
}

DN_API dn_status dn_op_lookup(dn_graph* graph, dn_lookup_parameter* table, int32_t index, dn_expr* out) {
  return record(graph, Op::lookup, out, table, index);
}

DN_API dn_status dn_op_lookup_batch(dn_graph* graph, dn_lookup_parameter* table, const int32_t* indices,
                                    int32_t indices_count, dn_expr* out) {
  return record(graph, Op::lookup_batch, out, table, span(indices, indices_count));
}

DN_API dn_status dn_op_const_lookup(dn_graph* graph, dn_lookup_parameter* table, int32_t index, dn_expr* out) {
  return record(graph, Op::const_lookup, out, table, index);
}

DN_API dn_status dn_op_const_lookup_batch(dn_graph* graph, dn_lookup_parameter* table, const int32_t* indices,
                                          int32_t indices_count, dn_expr* out) {
  return record(graph, Op::const_lookup_batch, out, table, span(indices, indices_count));
}

DN_API dn_status dn_op_lookup_bound(dn_graph* graph, dn_lookup_parameter* table, const int32_t* index, dn_expr* out) {
  return record(graph, Op::lookup_bound, out, table, index);
}

DN_API dn_status dn_op_add(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::add, out, a, b);
}

DN_API dn_status dn_op_subtract(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::subtract, out, a, b);
}

DN_API dn_status dn_op_cmult(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::cmult, out, a, b);
}

DN_API dn_status dn_op_cdiv(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::cdiv, out, a, b);
}

DN_API dn_status dn_op_add_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out) {
  return record(graph, Op::add_scalar, out, x, scalar);
}

DN_API dn_status dn_op_multiply_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out) {
  return record(graph, Op::multiply_scalar, out, x, scalar);
}

DN_API dn_status dn_op_multiply(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::multiply, out, a, b);
}

DN_API dn_status dn_op_affine_transform(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::affine_transform, out, span(xs, xs_count));
}

DN_API dn_status dn_op_sum(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::sum, out, span(xs, xs_count));
}

DN_API dn_status dn_op_average(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::average, out, span(xs, xs_count));
}

DN_API dn_status dn_op_negate(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::negate, out, x); }

DN_API dn_status dn_op_tanh(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::tanh, out, x); }

DN_API dn_status dn_op_logistic(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::logistic, out, x);
}

DN_API dn_status dn_op_rectify(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::rectify, out, x); }

DN_API dn_status dn_op_exp(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::exp, out, x); }

DN_API dn_status dn_op_log(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::log, out, x); }

DN_API dn_status dn_op_square(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::square, out, x); }

DN_API dn_status dn_op_sqrt(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::sqrt, out, x); }

DN_API dn_status dn_op_dropout(dn_graph* graph, dn_expr x, double rate, dn_expr* out) {
  return record(graph, Op::dropout, out, x, rate);
}

DN_API dn_status dn_op_sum_elems(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::sum_elems, out, x);
}

DN_API dn_status dn_op_sum_batches(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::sum_batches, out, x);
}

DN_API dn_status dn_op_dot_product(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::dot_product, out, a, b);
}

DN_API dn_status dn_op_squared_distance(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::squared_distance, out, a, b);
}

DN_API dn_status dn_op_reshape(dn_graph* graph, dn_expr x, const dn_dim* dim, dn_expr* out) {
  return record(graph, Op::reshape, out, x, dim);
}

DN_API dn_status dn_op_transpose(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::transpose, out, x);
}

DN_API dn_status dn_op_pick(dn_graph* graph, dn_expr x, int32_t index, int32_t dim, dn_expr* out) {
  return record(graph, Op::pick, out, x, index, dim);
}

DN_API dn_status dn_op_pick_batch(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                  int32_t dim, dn_expr* out) {
  return record(graph, Op::pick_batch, out, x, span(indices, indices_count), dim);
}

DN_API dn_status dn_op_pick_range(dn_graph* graph, dn_expr x, int32_t start, int32_t end, int32_t dim, dn_expr* out) {
  return record(graph, Op::pick_range, out, x, start, end, dim);
}

DN_API dn_status dn_op_concatenate(dn_graph* graph, const dn_expr* xs, int32_t xs_count, int32_t dim, dn_expr* out) {
  return record(graph, Op::concatenate, out, span(xs, xs_count), dim);
}

DN_API dn_status dn_op_concatenate_cols(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::concatenate_cols, out, span(xs, xs_count));
}

DN_API dn_status dn_op_concatenate_to_batch(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::concatenate_to_batch, out, span(xs, xs_count));
}

DN_API dn_status dn_op_softmax(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out) {
  return record(graph, Op::softmax, out, x, dim);
}

DN_API dn_status dn_op_log_softmax(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::log_softmax, out, x);
}

DN_API dn_status dn_op_pick_neg_log_softmax(dn_graph* graph, dn_expr x, int32_t index, dn_expr* out) {
  return record(graph, Op::pick_neg_log_softmax, out, x, index);
}

DN_API dn_status dn_op_pick_neg_log_softmax_batch(dn_graph* graph, dn_expr x, const int32_t* indices,
                                                  int32_t indices_count, dn_expr* out) {
  return record(graph, Op::pick_neg_log_softmax_batch, out, x, span(indices, indices_count));
}

DN_API dn_status dn_op_binary_log_loss(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out) {
  return record(graph, Op::binary_log_loss, out, x, y);
}

DN_API dn_status dn_op_hinge(dn_graph* graph, dn_expr x, int32_t index, double margin, dn_expr* out) {
  return record(graph, Op::hinge, out, x, index, margin);
}

DN_API dn_status dn_op_vanilla_lstm_gates(dn_graph* graph, dn_expr x, dn_expr h, dn_expr wx, dn_expr wh, dn_expr b,
                                          dn_expr* out) {
  return record(graph, Op::vanilla_lstm_gates, out, x, h, wx, wh, b);
}

DN_API dn_status dn_op_vanilla_lstm_c(dn_graph* graph, dn_expr c, dn_expr gates, dn_expr* out) {
  return record(graph, Op::vanilla_lstm_c, out, c, gates);
}

DN_API dn_status dn_op_vanilla_lstm_h(dn_graph* graph, dn_expr c, dn_expr gates, dn_expr* out) {
  return record(graph, Op::vanilla_lstm_h, out, c, gates);
}

DN_API dn_status dn_op_tree_lstm_c(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::tree_lstm_c, out, span(xs, xs_count));
}

DN_API dn_status dn_op_tree_lstm_h(dn_graph* graph, dn_expr iou, dn_expr c, dn_expr* out) {
  return record(graph, Op::tree_lstm_h, out, iou, c);
}

// Written by bindings/ from native/include/dynnet: do not edit, run ./build.sh bindings.
// CppSharp 1.2.0+42ccd59b112072a6bcf3e1406efca174a46c8cf8
// headers SHA-256 e874afa2f9e58e07aa014af538ee640b380a48a47a577d332fbc931d59eebbff
#include "c_api/record.h"
#include "dynnet/dynnet.h"

using dynnet::Op;
using dynnet::span;
using dynnet::c_api::record;

DN_API dn_status dn_op_input(dn_graph* graph, const dn_dim* dim, const float* values, int64_t values_count,
                             dn_expr* out) {
  return record(graph, Op::input, out, dim, span(values, values_count));
}

DN_API dn_status dn_op_input_sparse(dn_graph* graph, const dn_dim* dim, const int32_t* indices, int32_t indices_count,
                                    const float* values, int64_t values_count, double default_value, dn_expr* out) {
  return record(graph, Op::input_sparse, out, dim, span(indices, indices_count), span(values, values_count), default_value);
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

DN_API dn_status dn_op_zeros(dn_graph* graph, const dn_dim* dim, dn_expr* out) {
  return record(graph, Op::zeros, out, dim);
}

DN_API dn_status dn_op_ones(dn_graph* graph, const dn_dim* dim, dn_expr* out) {
  return record(graph, Op::ones, out, dim);
}

DN_API dn_status dn_op_one_hot(dn_graph* graph, int32_t size, int32_t index, dn_expr* out) {
  return record(graph, Op::one_hot, out, size, index);
}

DN_API dn_status dn_op_one_hot_batch(dn_graph* graph, int32_t size, const int32_t* indices, int32_t indices_count,
                                     dn_expr* out) {
  return record(graph, Op::one_hot_batch, out, size, span(indices, indices_count));
}

DN_API dn_status dn_op_random_normal(dn_graph* graph, const dn_dim* dim, double mean, double stddev, dn_expr* out) {
  return record(graph, Op::random_normal, out, dim, mean, stddev);
}

DN_API dn_status dn_op_random_uniform(dn_graph* graph, const dn_dim* dim, double left, double right, dn_expr* out) {
  return record(graph, Op::random_uniform, out, dim, left, right);
}

DN_API dn_status dn_op_random_bernoulli(dn_graph* graph, const dn_dim* dim, double p, double scale, dn_expr* out) {
  return record(graph, Op::random_bernoulli, out, dim, p, scale);
}

DN_API dn_status dn_op_random_gumbel(dn_graph* graph, const dn_dim* dim, double mu, double beta, dn_expr* out) {
  return record(graph, Op::random_gumbel, out, dim, mu, beta);
}

DN_API dn_status dn_op_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out) {
  return record(graph, Op::parameter, out, parameter);
}

DN_API dn_status dn_op_const_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out) {
  return record(graph, Op::const_parameter, out, parameter);
}

DN_API dn_status dn_op_lookup_table(dn_graph* graph, dn_lookup_parameter* table, dn_expr* out) {
  return record(graph, Op::lookup_table, out, table);
}

DN_API dn_status dn_op_const_lookup_table(dn_graph* graph, dn_lookup_parameter* table, dn_expr* out) {
  return record(graph, Op::const_lookup_table, out, table);
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

DN_API dn_status dn_op_pow(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out) {
  return record(graph, Op::pow, out, x, y);
}

DN_API dn_status dn_op_min(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::min, out, a, b);
}

DN_API dn_status dn_op_max(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::max, out, a, b);
}

DN_API dn_status dn_op_add_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out) {
  return record(graph, Op::add_scalar, out, x, scalar);
}

DN_API dn_status dn_op_multiply_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out) {
  return record(graph, Op::multiply_scalar, out, x, scalar);
}

DN_API dn_status dn_op_subtract_from_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out) {
  return record(graph, Op::subtract_from_scalar, out, x, scalar);
}

DN_API dn_status dn_op_divide_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out) {
  return record(graph, Op::divide_scalar, out, x, scalar);
}

DN_API dn_status dn_op_divide_into_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out) {
  return record(graph, Op::divide_into_scalar, out, x, scalar);
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

DN_API dn_status dn_op_max_list(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::max_list, out, span(xs, xs_count));
}

DN_API dn_status dn_op_logsumexp(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out) {
  return record(graph, Op::logsumexp, out, span(xs, xs_count));
}

DN_API dn_status dn_op_colwise_add(dn_graph* graph, dn_expr x, dn_expr bias, dn_expr* out) {
  return record(graph, Op::colwise_add, out, x, bias);
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

DN_API dn_status dn_op_abs(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::abs, out, x); }

DN_API dn_status dn_op_cube(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::cube, out, x); }

DN_API dn_status dn_op_erf(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::erf, out, x); }

DN_API dn_status dn_op_lgamma(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::lgamma, out, x); }

DN_API dn_status dn_op_sin(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::sin, out, x); }

DN_API dn_status dn_op_cos(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::cos, out, x); }

DN_API dn_status dn_op_tan(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::tan, out, x); }

DN_API dn_status dn_op_asin(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::asin, out, x); }

DN_API dn_status dn_op_acos(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::acos, out, x); }

DN_API dn_status dn_op_atan(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::atan, out, x); }

DN_API dn_status dn_op_sinh(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::sinh, out, x); }

DN_API dn_status dn_op_cosh(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::cosh, out, x); }

DN_API dn_status dn_op_asinh(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::asinh, out, x); }

DN_API dn_status dn_op_acosh(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::acosh, out, x); }

DN_API dn_status dn_op_atanh(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::atanh, out, x); }

DN_API dn_status dn_op_log_sigmoid(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::log_sigmoid, out, x);
}

DN_API dn_status dn_op_softplus(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::softplus, out, x);
}

DN_API dn_status dn_op_elu(dn_graph* graph, dn_expr x, double alpha, dn_expr* out) {
  return record(graph, Op::elu, out, x, alpha);
}

DN_API dn_status dn_op_selu(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::selu, out, x); }

DN_API dn_status dn_op_silu(dn_graph* graph, dn_expr x, double beta, dn_expr* out) {
  return record(graph, Op::silu, out, x, beta);
}

DN_API dn_status dn_op_gelu(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::gelu, out, x); }

DN_API dn_status dn_op_softsign(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::softsign, out, x);
}

DN_API dn_status dn_op_leaky_rectify(dn_graph* graph, dn_expr x, double alpha, dn_expr* out) {
  return record(graph, Op::leaky_rectify, out, x, alpha);
}

DN_API dn_status dn_op_hard_tanh(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::hard_tanh, out, x);
}

DN_API dn_status dn_op_floor(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out) {
  return record(graph, Op::floor, out, x, gradient_mode);
}

DN_API dn_status dn_op_ceil(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out) {
  return record(graph, Op::ceil, out, x, gradient_mode);
}

DN_API dn_status dn_op_round(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out) {
  return record(graph, Op::round, out, x, gradient_mode);
}

DN_API dn_status dn_op_dropout(dn_graph* graph, dn_expr x, double rate, dn_expr* out) {
  return record(graph, Op::dropout, out, x, rate);
}

DN_API dn_status dn_op_dropout_dim(dn_graph* graph, dn_expr x, int32_t dim, double rate, dn_expr* out) {
  return record(graph, Op::dropout_dim, out, x, dim, rate);
}

DN_API dn_status dn_op_dropout_batch(dn_graph* graph, dn_expr x, double rate, dn_expr* out) {
  return record(graph, Op::dropout_batch, out, x, rate);
}

DN_API dn_status dn_op_block_dropout(dn_graph* graph, dn_expr x, double rate, dn_expr* out) {
  return record(graph, Op::block_dropout, out, x, rate);
}

DN_API dn_status dn_op_noise(dn_graph* graph, dn_expr x, double stddev, dn_expr* out) {
  return record(graph, Op::noise, out, x, stddev);
}

DN_API dn_status dn_op_sum_elems(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::sum_elems, out, x);
}

DN_API dn_status dn_op_sum_batches(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::sum_batches, out, x);
}

DN_API dn_status dn_op_sum_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t batch,
                               dn_expr* out) {
  return record(graph, Op::sum_dim, out, x, span(dims, dims_count), batch);
}

DN_API dn_status dn_op_sum_rows(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::sum_rows, out, x);
}

DN_API dn_status dn_op_sum_cols(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::sum_cols, out, x);
}

DN_API dn_status dn_op_mean_elems(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::mean_elems, out, x);
}

DN_API dn_status dn_op_mean_batches(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::mean_batches, out, x);
}

DN_API dn_status dn_op_mean_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t batch,
                                int32_t n, dn_expr* out) {
  return record(graph, Op::mean_dim, out, x, span(dims, dims_count), batch, n);
}

DN_API dn_status dn_op_average_cols(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::average_cols, out, x);
}

DN_API dn_status dn_op_moment_elems(dn_graph* graph, dn_expr x, int32_t r, dn_expr* out) {
  return record(graph, Op::moment_elems, out, x, r);
}

DN_API dn_status dn_op_moment_batches(dn_graph* graph, dn_expr x, int32_t r, dn_expr* out) {
  return record(graph, Op::moment_batches, out, x, r);
}

DN_API dn_status dn_op_moment_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t r,
                                  int32_t batch, int32_t n, dn_expr* out) {
  return record(graph, Op::moment_dim, out, x, span(dims, dims_count), r, batch, n);
}

DN_API dn_status dn_op_std_elems(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::std_elems, out, x);
}

DN_API dn_status dn_op_std_batches(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::std_batches, out, x);
}

DN_API dn_status dn_op_std_dim(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count, int32_t batch,
                               int32_t n, dn_expr* out) {
  return record(graph, Op::std_dim, out, x, span(dims, dims_count), batch, n);
}

DN_API dn_status dn_op_squared_norm(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::squared_norm, out, x);
}

DN_API dn_status dn_op_l2_norm(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::l2_norm, out, x); }

DN_API dn_status dn_op_min_dim(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out) {
  return record(graph, Op::min_dim, out, x, dim);
}

DN_API dn_status dn_op_max_dim(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out) {
  return record(graph, Op::max_dim, out, x, dim);
}

DN_API dn_status dn_op_argmax(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out) {
  return record(graph, Op::argmax, out, x, gradient_mode);
}

DN_API dn_status dn_op_logsumexp_dim(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out) {
  return record(graph, Op::logsumexp_dim, out, x, dim);
}

DN_API dn_status dn_op_cumsum(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out) {
  return record(graph, Op::cumsum, out, x, dim);
}

DN_API dn_status dn_op_dot_product(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::dot_product, out, a, b);
}

DN_API dn_status dn_op_squared_distance(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::squared_distance, out, a, b);
}

DN_API dn_status dn_op_layer_norm(dn_graph* graph, dn_expr x, dn_expr g, dn_expr b, dn_expr* out) {
  return record(graph, Op::layer_norm, out, x, g, b);
}

DN_API dn_status dn_op_weight_norm(dn_graph* graph, dn_expr w, dn_expr g, dn_expr* out) {
  return record(graph, Op::weight_norm, out, w, g);
}

DN_API dn_status dn_op_reshape(dn_graph* graph, dn_expr x, const dn_dim* dim, dn_expr* out) {
  return record(graph, Op::reshape, out, x, dim);
}

DN_API dn_status dn_op_transpose(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::transpose, out, x);
}

DN_API dn_status dn_op_transpose_dims(dn_graph* graph, dn_expr x, const int32_t* dims, int32_t dims_count,
                                      dn_expr* out) {
  return record(graph, Op::transpose_dims, out, x, span(dims, dims_count));
}

DN_API dn_status dn_op_select_rows(dn_graph* graph, dn_expr x, const int32_t* rows, int32_t rows_count, dn_expr* out) {
  return record(graph, Op::select_rows, out, x, span(rows, rows_count));
}

DN_API dn_status dn_op_select_cols(dn_graph* graph, dn_expr x, const int32_t* cols, int32_t cols_count, dn_expr* out) {
  return record(graph, Op::select_cols, out, x, span(cols, cols_count));
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

DN_API dn_status dn_op_pick_batch_elem(dn_graph* graph, dn_expr x, int32_t index, dn_expr* out) {
  return record(graph, Op::pick_batch_elem, out, x, index);
}

DN_API dn_status dn_op_pick_batch_elems(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                        dn_expr* out) {
  return record(graph, Op::pick_batch_elems, out, x, span(indices, indices_count));
}

DN_API dn_status dn_op_strided_select(dn_graph* graph, dn_expr x, const int32_t* strides, int32_t strides_count,
                                      const int32_t* from, int32_t from_count, const int32_t* to, int32_t to_count,
                                      dn_expr* out) {
  return record(graph, Op::strided_select, out, x, span(strides, strides_count), span(from, from_count), span(to, to_count));
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

DN_API dn_status dn_op_nobackprop(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::nobackprop, out, x);
}

DN_API dn_status dn_op_flip_gradient(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::flip_gradient, out, x);
}

DN_API dn_status dn_op_scale_gradient(dn_graph* graph, dn_expr x, double lambda, dn_expr* out) {
  return record(graph, Op::scale_gradient, out, x, lambda);
}

DN_API dn_status dn_op_softmax(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out) {
  return record(graph, Op::softmax, out, x, dim);
}

DN_API dn_status dn_op_log_softmax(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::log_softmax, out, x);
}

DN_API dn_status dn_op_log_softmax_restricted(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                              dn_expr* out) {
  return record(graph, Op::log_softmax_restricted, out, x, span(indices, indices_count));
}

DN_API dn_status dn_op_sparsemax(dn_graph* graph, dn_expr x, dn_expr* out) {
  return record(graph, Op::sparsemax, out, x);
}

DN_API dn_status dn_op_constrained_softmax(dn_graph* graph, dn_expr x, dn_expr u, dn_expr* out) {
  return record(graph, Op::constrained_softmax, out, x, u);
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

DN_API dn_status dn_op_l1_distance(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out) {
  return record(graph, Op::l1_distance, out, x, y);
}

DN_API dn_status dn_op_huber_distance(dn_graph* graph, dn_expr x, dn_expr y, double c, dn_expr* out) {
  return record(graph, Op::huber_distance, out, x, y, c);
}

DN_API dn_status dn_op_pairwise_rank_loss(dn_graph* graph, dn_expr x, dn_expr y, double m, dn_expr* out) {
  return record(graph, Op::pairwise_rank_loss, out, x, y, m);
}

DN_API dn_status dn_op_poisson_loss(dn_graph* graph, dn_expr log_lambda, int32_t y, dn_expr* out) {
  return record(graph, Op::poisson_loss, out, log_lambda, y);
}

DN_API dn_status dn_op_hinge(dn_graph* graph, dn_expr x, int32_t index, double margin, dn_expr* out) {
  return record(graph, Op::hinge, out, x, index, margin);
}

DN_API dn_status dn_op_hinge_batch(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                   double margin, dn_expr* out) {
  return record(graph, Op::hinge_batch, out, x, span(indices, indices_count), margin);
}

DN_API dn_status dn_op_hinge_dim(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count, int32_t dim,
                                 double margin, dn_expr* out) {
  return record(graph, Op::hinge_dim, out, x, span(indices, indices_count), dim, margin);
}

DN_API dn_status dn_op_sparsemax_loss(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                      dn_expr* out) {
  return record(graph, Op::sparsemax_loss, out, x, span(indices, indices_count));
}

DN_API dn_status dn_op_trace_of_product(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out) {
  return record(graph, Op::trace_of_product, out, a, b);
}

DN_API dn_status dn_op_inverse(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::inverse, out, x); }

DN_API dn_status dn_op_logdet(dn_graph* graph, dn_expr x, dn_expr* out) { return record(graph, Op::logdet, out, x); }

DN_API dn_status dn_op_contract3d_1d(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out) {
  return record(graph, Op::contract3d_1d, out, x, y);
}

DN_API dn_status dn_op_contract3d_1d_bias(dn_graph* graph, dn_expr x, dn_expr y, dn_expr b, dn_expr* out) {
  return record(graph, Op::contract3d_1d_bias, out, x, y, b);
}

DN_API dn_status dn_op_contract3d_1d_1d(dn_graph* graph, dn_expr x, dn_expr y, dn_expr z, dn_expr* out) {
  return record(graph, Op::contract3d_1d_1d, out, x, y, z);
}

DN_API dn_status dn_op_contract3d_1d_1d_bias(dn_graph* graph, dn_expr x, dn_expr y, dn_expr z, dn_expr b,
                                             dn_expr* out) {
  return record(graph, Op::contract3d_1d_1d_bias, out, x, y, z, b);
}

DN_API dn_status dn_op_circ_conv(dn_graph* graph, dn_expr u, dn_expr v, dn_expr* out) {
  return record(graph, Op::circ_conv, out, u, v);
}

DN_API dn_status dn_op_circ_corr(dn_graph* graph, dn_expr u, dn_expr v, dn_expr* out) {
  return record(graph, Op::circ_corr, out, u, v);
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

DN_API dn_status dn_op_conv2d(dn_graph* graph, dn_expr x, dn_expr f, const int32_t* stride, int32_t stride_count,
                              int32_t is_valid, dn_expr* out) {
  return record(graph, Op::conv2d, out, x, f, span(stride, stride_count), is_valid);
}

DN_API dn_status dn_op_conv2d_bias(dn_graph* graph, dn_expr x, dn_expr f, dn_expr b, const int32_t* stride,
                                   int32_t stride_count, int32_t is_valid, dn_expr* out) {
  return record(graph, Op::conv2d_bias, out, x, f, b, span(stride, stride_count), is_valid);
}

DN_API dn_status dn_op_maxpooling2d(dn_graph* graph, dn_expr x, const int32_t* ksize, int32_t ksize_count,
                                    const int32_t* stride, int32_t stride_count, int32_t is_valid, dn_expr* out) {
  return record(graph, Op::maxpooling2d, out, x, span(ksize, ksize_count), span(stride, stride_count), is_valid);
}

DN_API dn_status dn_op_filter1d_narrow(dn_graph* graph, dn_expr x, dn_expr f, dn_expr* out) {
  return record(graph, Op::filter1d_narrow, out, x, f);
}

DN_API dn_status dn_op_kmax_pooling(dn_graph* graph, dn_expr x, int32_t k, int32_t dim, dn_expr* out) {
  return record(graph, Op::kmax_pooling, out, x, k, dim);
}

DN_API dn_status dn_op_kmh_ngram(dn_graph* graph, dn_expr x, int32_t n, dn_expr* out) {
  return record(graph, Op::kmh_ngram, out, x, n);
}

DN_API dn_status dn_op_fold_rows(dn_graph* graph, dn_expr x, int32_t nrows, dn_expr* out) {
  return record(graph, Op::fold_rows, out, x, nrows);
}

DN_API dn_status dn_op_scaled_dot_product_attention(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                                    int32_t causal, double dropout, double scale, dn_expr* out) {
  return record(graph, Op::scaled_dot_product_attention, out, queries, keys, values, causal, dropout, scale);
}

DN_API dn_status dn_op_scaled_dot_product_attention_masked(dn_graph* graph, dn_expr queries, dn_expr keys,
                                                           dn_expr values, dn_expr mask, int32_t causal, double dropout,
                                                           double scale, dn_expr* out) {
  return record(graph, Op::scaled_dot_product_attention_masked, out, queries, keys, values, mask, causal, dropout, scale);
}

DN_API dn_status dn_op_multi_head_attention(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                            int32_t heads, int32_t causal, double dropout, double scale, dn_expr* out) {
  return record(graph, Op::multi_head_attention, out, queries, keys, values, heads, causal, dropout, scale);
}

DN_API dn_status dn_op_multi_head_attention_masked(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr values,
                                                   dn_expr mask, int32_t heads, int32_t causal, double dropout,
                                                   double scale, dn_expr* out) {
  return record(graph, Op::multi_head_attention_masked, out, queries, keys, values, mask, heads, causal, dropout, scale);
}

DN_API dn_status dn_op_attention_weights(dn_graph* graph, dn_expr queries, dn_expr keys, int32_t heads, int32_t causal,
                                         double scale, dn_expr* out) {
  return record(graph, Op::attention_weights, out, queries, keys, heads, causal, scale);
}

DN_API dn_status dn_op_attention_weights_masked(dn_graph* graph, dn_expr queries, dn_expr keys, dn_expr mask,
                                                int32_t heads, int32_t causal, double scale, dn_expr* out) {
  return record(graph, Op::attention_weights_masked, out, queries, keys, mask, heads, causal, scale);
}

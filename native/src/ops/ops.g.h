// Written by bindings/ from native/include/dynnet/dynnet.h: do not edit, run ./build.sh bindings.
// CppSharp 1.2.0+42ccd59b112072a6bcf3e1406efca174a46c8cf8
// dynnet.h SHA-256 c71eb87eac4f3f03ed4499c26c905b297f1e34f73af92df00248f7766efd718e
#ifndef DYNNET_OPS_OPS_G_H_
#define DYNNET_OPS_OPS_G_H_

// X(name) for every dn_op_<name>, in the order of dynnet.h.
// clang-format off
#define DYNNET_OPS(X) \
  X(input) \
  X(input_scalar) \
  X(input_bound) \
  X(constant) \
  X(parameter) \
  X(const_parameter) \
  X(lookup) \
  X(lookup_batch) \
  X(const_lookup) \
  X(const_lookup_batch) \
  X(lookup_bound) \
  X(add) \
  X(subtract) \
  X(cmult) \
  X(cdiv) \
  X(add_scalar) \
  X(multiply_scalar) \
  X(multiply) \
  X(affine_transform) \
  X(sum) \
  X(average) \
  X(negate) \
  X(tanh) \
  X(logistic) \
  X(rectify) \
  X(exp) \
  X(log) \
  X(square) \
  X(sqrt) \
  X(dropout) \
  X(sum_elems) \
  X(sum_batches) \
  X(dot_product) \
  X(squared_distance) \
  X(reshape) \
  X(transpose) \
  X(pick) \
  X(pick_batch) \
  X(pick_range) \
  X(concatenate) \
  X(concatenate_cols) \
  X(concatenate_to_batch) \
  X(softmax) \
  X(log_softmax) \
  X(pick_neg_log_softmax) \
  X(pick_neg_log_softmax_batch) \
  X(binary_log_loss) \
  X(hinge) \
  X(vanilla_lstm_gates) \
  X(vanilla_lstm_c) \
  X(vanilla_lstm_h) \
  X(tree_lstm_c) \
  X(tree_lstm_h)
// clang-format on

#endif  // DYNNET_OPS_OPS_G_H_

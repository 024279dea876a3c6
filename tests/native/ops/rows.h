// What the rows of the table are written with, and the families that it is made of.
#ifndef DYNNET_TESTS_OPS_ROWS_H_
#define DYNNET_TESTS_OPS_ROWS_H_

#include <vector>

#include "ops/draws.h"
#include "ops/op_table.h"

namespace dynnet::test {

// The body of a row's `record`, in which `r` is the Recording.
#define RECORD(call) [](const Recording& r) -> dn_status { return call; }
#define RECORD_UNARY(name) RECORD(dn_op_##name(r.graph, r.x[0], r.out))
#define RECORD_BINARY(name) RECORD(dn_op_##name(r.graph, r.x[0], r.x[1], r.out))
#define RECORD_LIST(name) RECORD(dn_op_##name(r.graph, r.x, r.count, r.out))

/// The shape among the attributes, for the call that records; valid until the next.
const dn_dim* shape_of(const Recording& r);

// The rows of one family each, in the order of its header.
std::vector<OpRow> input_rows();
std::vector<OpRow> arithmetic_rows();
std::vector<OpRow> elementwise_rows();
std::vector<OpRow> noise_rows();
std::vector<OpRow> reduction_rows();
std::vector<OpRow> normalisation_rows();
std::vector<OpRow> shape_rows();
/// Parts of the shape rows: those after transpose, and those after pick_range.
std::vector<OpRow> order_rows();
std::vector<OpRow> selection_rows();
std::vector<OpRow> gradient_rows();
std::vector<OpRow> loss_rows();
std::vector<OpRow> matrix_rows();
std::vector<OpRow> cell_rows();
std::vector<OpRow> convolution_rows();
std::vector<OpRow> attention_rows();

// Bad examples that rows of several families share.
std::vector<Bad> bad_broadcast();
std::vector<Bad> bad_pair();
std::vector<Bad> no_operands();
std::vector<Bad> no_matrix();
std::vector<Bad> operator+(std::vector<Bad> a, const std::vector<Bad>& b);

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_OPS_ROWS_H_

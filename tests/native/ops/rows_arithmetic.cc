// Sums, products, quotients.
#include "ops/rows.h"

namespace dynnet::test {
namespace {

using D = Domain;

// A number to divide by.
bool divisor(Draw& d, World&, Example& e) {
  e.a.scalar = d.uniform(0.3, 2) * (d.chance(0.5) ? 1 : -1);
  return true;
}

bool matrix_and_bias(Draw& d, World&, Example& e) {
  e.x.push_back(Shape({e.x[0].d[0]}, d.other_batch(e.x[0]).batch));
  return e.x[0].is_matrix();
}

}  // namespace

std::vector<OpRow> arithmetic_rows() {
  return {
      {.name = "add", .draw = draws::broadcast_pair, .record = RECORD_BINARY(add), .bad = bad_broadcast()},
      {.name = "subtract", .draw = draws::broadcast_pair, .record = RECORD_BINARY(subtract), .bad = bad_broadcast()},
      {.name = "cmult", .draw = draws::broadcast_pair, .record = RECORD_BINARY(cmult), .bad = bad_broadcast()},
      {.name = "cdiv",
       .draw = draws::broadcast_pair,
       .record = RECORD_BINARY(cdiv),
       .bad = bad_broadcast(),
       .domains = {D::kAny, D::kNonZero}},
      {.name = "pow",
       .draw = draws::broadcast_pair,
       .record = RECORD_BINARY(pow),
       .bad = bad_broadcast(),
       .domains = {D::kPositive, D::kSmall}},
      {.name = "min", .draw = draws::broadcast_pair, .record = RECORD_BINARY(min), .bad = bad_broadcast()},
      {.name = "max", .draw = draws::broadcast_pair, .record = RECORD_BINARY(max), .bad = bad_broadcast()},
      {.name = "add_scalar",
       .draw = draws::any_and_scalar,
       .record = RECORD(dn_op_add_scalar(r.graph, r.x[0], r.a.scalar, r.out))},
      {.name = "multiply_scalar",
       .draw = draws::any_and_scalar,
       .record = RECORD(dn_op_multiply_scalar(r.graph, r.x[0], r.a.scalar, r.out))},
      {.name = "subtract_from_scalar",
       .draw = draws::any_and_scalar,
       .record = RECORD(dn_op_subtract_from_scalar(r.graph, r.x[0], r.a.scalar, r.out))},
      {.name = "divide_scalar",
       .draw = divisor,
       .record = RECORD(dn_op_divide_scalar(r.graph, r.x[0], r.a.scalar, r.out))},
      {.name = "divide_into_scalar",
       .draw = draws::any_and_scalar,
       .record = RECORD(dn_op_divide_into_scalar(r.graph, r.x[0], r.a.scalar, r.out)),
       .domains = {D::kNonZero}},
      {.name = "multiply",
       .draw = draws::product,
       .record = RECORD_BINARY(multiply),
       .bad = {{{{8, 3}, {2}}, {}, DN_E_SHAPE, "{8,3} times x {2}: W has 3 columns, x has 2 rows"},
               {{{2, 2, 2}, {2}}, {}, DN_E_SHAPE, "{2,2,2}"},
               {{Shape({2, 2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "2 and 3"}},
       .weights = 0b1},
      {.name = "affine_transform",
       .draw = draws::affine,
       .record = RECORD_LIST(affine_transform),
       .bad = {{{{2}, {2, 3}}, {}, DN_E_ARGUMENT, "2 operands"},
               {{}, {}, DN_E_ARGUMENT, "0 operands"},
               {{{8}, {8, 3}, {2}}, {}, DN_E_SHAPE, "{8,3} times x {2}: W has 3 columns, x has 2 rows"},
               {{{7}, {8, 3}, {3}}, {}, DN_E_SHAPE, "bias {7}"},
               {{{8}, {8, 3}, {3}, {7, 3}, {3}}, {}, DN_E_SHAPE, "{7,3}"},
               {{{8, 2}, {8, 3}, {3, 4}}, {}, DN_E_SHAPE, "{8,2}"},
               {{{2, 2, 2}}, {}, DN_E_SHAPE, "{2,2,2}"},
               {{Shape({8}, 2), {8, 3}, Shape({3}, 3)}, {}, DN_E_SHAPE, "2 and 3"}},
       .weights = 0b10101011,
       .variadic = true},
      {.name = "sum",
       .draw = draws::broadcast_list,
       .record = RECORD_LIST(sum),
       .bad = bad_broadcast() + no_operands(),
       .variadic = true},
      {.name = "average",
       .draw = draws::broadcast_list,
       .record = RECORD_LIST(average),
       .bad = bad_broadcast() + no_operands(),
       .variadic = true},
      {.name = "max_list",
       .draw = draws::broadcast_list,
       .record = RECORD_LIST(max_list),
       .bad = bad_broadcast() + no_operands(),
       .variadic = true},
      {.name = "logsumexp",
       .draw = draws::broadcast_list,
       .record = RECORD_LIST(logsumexp),
       .bad = bad_broadcast() + no_operands(),
       .variadic = true},
      {.name = "colwise_add",
       .draw = matrix_and_bias,
       .record = RECORD_BINARY(colwise_add),
       .bad = {{{{8, 3}, {3}}, {}, DN_E_SHAPE, "{8,3} and {3}"},
               {{{8, 3}, {8, 3}}, {}, DN_E_SHAPE, "{8,3} and {8,3}"},
               {{{8, 3}, {1}}, {}, DN_E_SHAPE, "{8,3} and {1}"},
               {{{2, 2, 2}, {2}}, {}, DN_E_SHAPE, "{2,2,2}"},
               {{Shape({2, 3}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "2 and 3"}}},
  };
}

}  // namespace dynnet::test

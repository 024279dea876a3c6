// Elements that move.
#include "ops/rows.h"

namespace dynnet::test {
namespace {

std::vector<OpRow> whole_rows() {
  return {
      {.name = "reshape",
       .draw = draws::reshape,
       .record = RECORD(dn_op_reshape(r.graph, r.x[0], shape_of(r), r.out)),
       .bad = {{{{2, 3}}, {.shape = {5}}, DN_E_SHAPE, "{2,3} has 6 elements, {5} has 5"},
               {{{2}}, {.shape = {0}}, DN_E_ARGUMENT, "size 0"}}},
      {.name = "transpose", .draw = draws::matrix, .record = RECORD_UNARY(transpose), .bad = no_matrix()},
  };
}

std::vector<OpRow> pick_rows() {
  return {
      {.name = "pick",
       .draw = draws::pick,
       .record = RECORD(dn_op_pick(r.graph, r.x[0], r.index(), r.a.dim, r.out)),
       .bad = {{{{3, 2}}, {.indices = {3}}, DN_E_INDEX, "index 3 of dimension 0 of {3,2}"},
               {{{3, 2}}, {.indices = {-1}}, DN_E_INDEX, "index -1"},
               {{{3, 2}}, {.indices = {2}, .dim = 1}, DN_E_INDEX, "0 to 1"},
               {{{3}}, {.indices = {0}, .dim = 7}, DN_E_ARGUMENT, "dimension 7"},
               {{{3}}, {.indices = {0}, .dim = -1}, DN_E_ARGUMENT, "dimension -1"}}},
      {.name = "pick_batch",
       .draw = draws::pick_batch,
       .record = RECORD(dn_op_pick_batch(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.a.dim, r.out)),
       .bad = {{{Shape({3}, 2)}, {.indices = {0, 3}}, DN_E_INDEX, "index 3"},
               {{Shape({3}, 2)}, {.indices = {0, 1, 2}}, DN_E_SHAPE, "3 indices for {3}X2"},
               {{{3}}, {}, DN_E_ARGUMENT, "no indices"}}},
      {.name = "pick_range",
       .draw = draws::pick_range,
       .record = RECORD(dn_op_pick_range(r.graph, r.x[0], r.a.start, r.a.end, r.a.dim, r.out)),
       .bad = {{{{4}}, {.start = 2, .end = 5}, DN_E_INDEX, "from 2 to 5 of dimension 0 of {4}"},
               {{{4}}, {.start = 2, .end = 2}, DN_E_INDEX, "from 2 to 2"},
               {{{4}}, {.start = -1, .end = 2}, DN_E_INDEX, "from -1"},
               {{{4}}, {.dim = 9, .start = 0, .end = 1}, DN_E_ARGUMENT, "dimension 9"}}},
  };
}

std::vector<OpRow> concatenation_rows() {
  return {
      {.name = "concatenate",
       .draw = draws::concatenate,
       .record = RECORD(dn_op_concatenate(r.graph, r.x, r.count, r.a.dim, r.out)),
       .bad = {{{{2, 3}, {2, 4}}, {}, DN_E_SHAPE, "{2,3} (operand 0) and {2,4} (operand 1)"},
               {{Shape({2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "2 and 3"},
               {{{2}}, {.dim = 7}, DN_E_ARGUMENT, "dimension 7"},
               {{}, {}, DN_E_ARGUMENT, "no operands"}},
       .variadic = true},
      {.name = "concatenate_cols",
       .draw = draws::concatenate_cols,
       .record = RECORD_LIST(concatenate_cols),
       .bad = std::vector<Bad>{{{{2, 3}, {3, 3}}, {}, DN_E_SHAPE, "{2,3} (operand 0) and {3,3} (operand 1)"}} +
              no_operands(),
       .variadic = true},
      {.name = "concatenate_to_batch",
       .draw = draws::concatenate_to_batch,
       .record = RECORD_LIST(concatenate_to_batch),
       .bad = std::vector<Bad>{{{{2}, {3}}, {}, DN_E_SHAPE, "{2} (operand 0) and {3} (operand 1)"}} + no_operands(),
       .variadic = true},
  };
}

}  // namespace

std::vector<OpRow> shape_rows() {
  std::vector<OpRow> rows;
  for (auto part : {whole_rows, order_rows, pick_rows, selection_rows, concatenation_rows}) {
    const std::vector<OpRow> more = part();
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace dynnet::test

// The parts of recurrent cells.
#include "ops/rows.h"

namespace dynnet::test {

std::vector<OpRow> cell_rows() {
  return {
      {.name = "vanilla_lstm_gates",
       .draw = draws::lstm_gates,
       .record = RECORD(dn_op_vanilla_lstm_gates(r.graph, r.x[0], r.x[1], r.x[2], r.x[3], r.x[4], r.out)),
       .bad = {{{{3}, {2}, {8, 2}, {8, 2}, {8}}, {}, DN_E_SHAPE, "expected wx {8,3} for x {3} and h {2}, got {8,2}"},
               {{{3}, {2}, {8, 3}, {8, 3}, {8}}, {}, DN_E_SHAPE, "expected wh {8,2}"},
               {{{3}, {2}, {8, 3}, {8, 2}, {2}}, {}, DN_E_SHAPE, "expected b {8}, got {2}"},
               {{{3, 2}, {2}, {8, 3}, {8, 2}, {8}}, {}, DN_E_SHAPE, "{3,2}"},
               {{{3}, {2, 2}, {8, 3}, {8, 2}, {8}}, {}, DN_E_SHAPE, "{2,2}"},
               {{{3}, {2}, {8, 3}, {8, 2}, Shape({8}, 2)}, {}, DN_E_SHAPE, "{8}X2"},
               {{Shape({3}, 2), Shape({2}, 3), {8, 3}, {8, 2}, {8}}, {}, DN_E_SHAPE, "2 and 3"}},
       .weights = 0b11100},
      {.name = "vanilla_lstm_c",
       .draw = draws::lstm_state,
       .record = RECORD_BINARY(vanilla_lstm_c),
       .bad = {{{{2}, {6}}, {}, DN_E_SHAPE, "expected gates {8}, got {6}"},
               {{{2, 2}, {8}}, {}, DN_E_SHAPE, "{2,2}"},
               {{Shape({2}, 2), Shape({8}, 3)}, {}, DN_E_SHAPE, "2 and 3"}}},
      {.name = "vanilla_lstm_h",
       .draw = draws::lstm_state,
       .record = RECORD_BINARY(vanilla_lstm_h),
       .bad = {{{{2}, {6}}, {}, DN_E_SHAPE, "expected gates {8}, got {6}"}}},
      {.name = "tree_lstm_c",
       .draw = draws::tree_c,
       .record = RECORD_LIST(tree_lstm_c),
       .bad = {{{{6}, {2}}, {}, DN_E_ARGUMENT, "2 operands"},
               {{}, {}, DN_E_ARGUMENT, "0 operands"},
               {{{7}}, {}, DN_E_SHAPE, "{7}"},
               {{{6}, {2}, {3}}, {}, DN_E_SHAPE, "expected c {2}, got {3}"},
               {{{6}, {3}, {2}}, {}, DN_E_SHAPE, "expected f {2}, got {3}"}},
       .variadic = true},
      {.name = "tree_lstm_h",
       .draw = draws::tree_h,
       .record = RECORD_BINARY(tree_lstm_h),
       .bad = {{{{6}, {3}}, {}, DN_E_SHAPE, "expected [i; o; u] {9}, got {6}"},
               {{{6}, {2, 1, 2}}, {}, DN_E_SHAPE, "{2,1,2}"}}},
  };
}

}  // namespace dynnet::test

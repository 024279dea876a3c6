#include "ops/op_table.h"

#include <stdexcept>
#include <string>

#include "ops/draws.h"

namespace dynnet::test {
namespace {

// The body of a row's `record`, in which `r` is the Recording.
#define RECORD(call) [](const Recording& r) -> dn_status { return call; }
#define RECORD_UNARY(name) RECORD(dn_op_##name(r.graph, r.x[0], r.out))
#define RECORD_BINARY(name) RECORD(dn_op_##name(r.graph, r.x[0], r.x[1], r.out))
#define RECORD_LIST(name) RECORD(dn_op_##name(r.graph, r.x, r.count, r.out))

const dn_dim* shape_of(const Recording& r) {
  static thread_local dn_dim dim;
  dim = to_dim(r.a.shape, r.e.least_dims);
  return &dim;
}

int64_t values_count(const Recording& r) { return static_cast<int64_t>(r.e.values.size()); }

// Where these rows' bad examples refer to a table, it is one of 4 rows {3}.
dn_lookup_parameter* table_of(const Recording& r) { return r.world.table(r.e.object).handle; }
dn_parameter* parameter_of(const Recording& r) { return r.world.parameter(r.e.object).handle; }

// ---- how the interpreter makes what has no operands ----

int make_input(reference::Graph& g, const World&, const Example& e) {
  return g.input(e.a.shape, Numbers(e.values.begin(), e.values.end()));
}

int make_scalar(reference::Graph& g, const World&, const Example& e) { return g.constant({1}, e.a.scalar); }

int make_bound(reference::Graph& g, const World&, const Example& e) {
  return g.input_bound(e.a.shape, e.values.data());
}

int make_constant(reference::Graph& g, const World&, const Example& e) { return g.constant(e.a.shape, e.a.scalar); }

template <bool constant>
int make_parameter(reference::Graph& g, const World& world, const Example& e) {
  const World::Parameter& p = world.parameter(e.object);
  return g.parameter(e.object, p.shape, p.values, constant);
}

template <bool constant>
int make_lookup(reference::Graph& g, const World& world, const Example& e) {
  const World::Table& t = world.table(e.object);
  return g.lookup(e.object, t.shape, t.rows, t.values, e.a.indices, constant);
}

int make_bound_lookup(reference::Graph& g, const World& world, const Example& e) {
  const World::Table& t = world.table(e.object);
  return g.lookup_bound(e.object, t.shape, t.rows, t.values, e.a.indices.data());
}

// ---- bad examples that several rows share ----

const std::vector<Bad> kBadBroadcast = {
    {{{2}, {3}}, {}, DN_E_SHAPE, "{2} and {3}"},
    {{{4, 2}, {4, 3}}, {}, DN_E_SHAPE, "{4,2} and {4,3}"},
    {{Shape({2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "{2}X2 and {2}X3"},
};
const std::vector<Bad> kBadPair = {
    {{{2}, {3}}, {}, DN_E_SHAPE, "{2} and {3}"},
    {{{2}, {1, 2}}, {}, DN_E_SHAPE, "{2} and {1,2}"},
    {{Shape({2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "2 and 3"},
};
const std::vector<Bad> kNoOperands = {{{}, {}, DN_E_ARGUMENT, "no operands"}};
const std::vector<Bad> kNoMatrix = {{{{2, 3, 2}}, {}, DN_E_SHAPE, "{2,3,2}"}};
const std::vector<Bad> kBadRow = {{{}, {.indices = {4}}, DN_E_INDEX, "index 4"},
                                  {{}, {.indices = {-1}}, DN_E_INDEX, "0 to 3"}};
const std::vector<Bad> kBadRows = {{{}, {.indices = {0, 4}}, DN_E_INDEX, "index 4"},
                                   {{}, {.indices = {}}, DN_E_ARGUMENT, "no indices"}};
const std::vector<Bad> kBadLabel = {{{{3}}, {.indices = {3}}, DN_E_INDEX, "label 3 of {3}"},
                                    {{{3}}, {.indices = {-1}}, DN_E_INDEX, "0 to 2"},
                                    {{{3, 2}}, {.indices = {0}}, DN_E_SHAPE, "{3,2}"}};

std::vector<Bad> operator+(std::vector<Bad> a, const std::vector<Bad>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

using D = Domain;

const std::vector<OpRow> kTable = {
    // ---- inputs ----
    {.name = "input",
     .draw = draws::input,
     .record = RECORD(dn_op_input(r.graph, shape_of(r), r.e.values.data(), values_count(r), r.out)),
     .bad = {{{}, {.shape = {3}}, DN_E_SHAPE, "0 values for shape {3}"},
             {{}, {.shape = {0}}, DN_E_ARGUMENT, "size 0"},
             {{}, {.shape = {1 << 30, 1 << 30}}, DN_E_MEMORY, "{1073741824,1073741824}"}},
     .interpret = make_input},
    {.name = "input_scalar",
     .draw = draws::input_scalar,
     .record = RECORD(dn_op_input_scalar(r.graph, r.a.scalar, r.out)),
     .interpret = make_scalar},
    {.name = "input_bound",
     .draw = draws::input,
     .record = RECORD(dn_op_input_bound(r.graph, shape_of(r), r.e.values.data(), r.out)),
     .bad = {{{}, {.shape = {3}}, DN_E_ARGUMENT, "null"}},
     .interpret = make_bound},
    {.name = "constant",
     .draw = draws::constant,
     .record = RECORD(dn_op_constant(r.graph, shape_of(r), r.a.scalar, r.out)),
     .bad = {{{}, {.shape = {2, 0}}, DN_E_ARGUMENT, "size 0"}, {{}, {.shape = Shape({2}, 0)}, DN_E_ARGUMENT, "batch"}},
     .interpret = make_constant},
    {.name = "parameter",
     .draw = draws::parameter,
     .record = RECORD(dn_op_parameter(r.graph, parameter_of(r), r.out)),
     .interpret = make_parameter<false>},
    {.name = "const_parameter",
     .draw = draws::parameter,
     .record = RECORD(dn_op_const_parameter(r.graph, parameter_of(r), r.out)),
     .interpret = make_parameter<true>},
    {.name = "lookup",
     .draw = draws::lookup,
     .record = RECORD(dn_op_lookup(r.graph, table_of(r), r.index(), r.out)),
     .bad = kBadRow,
     .interpret = make_lookup<false>},
    {.name = "lookup_batch",
     .draw = draws::lookup_batch,
     .record = RECORD(dn_op_lookup_batch(r.graph, table_of(r), r.a.indices.data(), r.indices(), r.out)),
     .bad = kBadRows,
     .interpret = make_lookup<false>},
    {.name = "const_lookup",
     .draw = draws::lookup,
     .record = RECORD(dn_op_const_lookup(r.graph, table_of(r), r.index(), r.out)),
     .bad = kBadRow,
     .interpret = make_lookup<true>},
    {.name = "const_lookup_batch",
     .draw = draws::lookup_batch,
     .record = RECORD(dn_op_const_lookup_batch(r.graph, table_of(r), r.a.indices.data(), r.indices(), r.out)),
     .bad = kBadRows,
     .interpret = make_lookup<true>},
    {.name = "lookup_bound",
     .draw = draws::lookup,
     .record = RECORD(dn_op_lookup_bound(r.graph, table_of(r), r.a.indices.data(), r.out)),
     .bad = {{{}, {}, DN_E_ARGUMENT, "null"}},
     .interpret = make_bound_lookup},

    // ---- arithmetic ----
    {.name = "add", .draw = draws::broadcast_pair, .record = RECORD_BINARY(add), .bad = kBadBroadcast},
    {.name = "subtract", .draw = draws::broadcast_pair, .record = RECORD_BINARY(subtract), .bad = kBadBroadcast},
    {.name = "cmult", .draw = draws::broadcast_pair, .record = RECORD_BINARY(cmult), .bad = kBadBroadcast},
    {.name = "cdiv",
     .draw = draws::broadcast_pair,
     .record = RECORD_BINARY(cdiv),
     .bad = kBadBroadcast,
     .domains = {D::kAny, D::kNonZero}},
    {.name = "add_scalar",
     .draw = draws::any_and_scalar,
     .record = RECORD(dn_op_add_scalar(r.graph, r.x[0], r.a.scalar, r.out))},
    {.name = "multiply_scalar",
     .draw = draws::any_and_scalar,
     .record = RECORD(dn_op_multiply_scalar(r.graph, r.x[0], r.a.scalar, r.out))},
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
     .bad = kBadBroadcast + kNoOperands,
     .variadic = true},
    {.name = "average",
     .draw = draws::broadcast_list,
     .record = RECORD_LIST(average),
     .bad = kBadBroadcast + kNoOperands,
     .variadic = true},

    // ---- elementwise ----
    {.name = "negate", .draw = draws::any, .record = RECORD_UNARY(negate)},
    {.name = "tanh", .draw = draws::any, .record = RECORD_UNARY(tanh)},
    {.name = "logistic", .draw = draws::any, .record = RECORD_UNARY(logistic)},
    {.name = "rectify", .draw = draws::any, .record = RECORD_UNARY(rectify)},
    {.name = "exp", .draw = draws::any, .record = RECORD_UNARY(exp), .domains = {D::kSmall}},
    {.name = "log", .draw = draws::any, .record = RECORD_UNARY(log), .domains = {D::kPositive}},
    {.name = "square", .draw = draws::any, .record = RECORD_UNARY(square)},
    {.name = "sqrt", .draw = draws::any, .record = RECORD_UNARY(sqrt), .domains = {D::kPositive}},
    {.name = "dropout",
     .draw = draws::dropout,
     .record = RECORD(dn_op_dropout(r.graph, r.x[0], r.a.scalar, r.out)),
     .bad = {{{{2}}, {.scalar = 1}, DN_E_ARGUMENT, "rate of 1"}, {{{2}}, {.scalar = -0.5}, DN_E_ARGUMENT, "-0.5"}}},

    // ---- reductions ----
    {.name = "sum_elems", .draw = draws::any, .record = RECORD_UNARY(sum_elems)},
    {.name = "sum_batches", .draw = draws::any, .record = RECORD_UNARY(sum_batches)},
    {.name = "dot_product", .draw = draws::pair, .record = RECORD_BINARY(dot_product), .bad = kBadPair},
    {.name = "squared_distance", .draw = draws::pair, .record = RECORD_BINARY(squared_distance), .bad = kBadPair},

    // ---- shapes ----
    {.name = "reshape",
     .draw = draws::reshape,
     .record = RECORD(dn_op_reshape(r.graph, r.x[0], shape_of(r), r.out)),
     .bad = {{{{2, 3}}, {.shape = {5}}, DN_E_SHAPE, "{2,3} has 6 elements, {5} has 5"},
             {{{2}}, {.shape = {0}}, DN_E_ARGUMENT, "size 0"}}},
    {.name = "transpose", .draw = draws::matrix, .record = RECORD_UNARY(transpose), .bad = kNoMatrix},
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
     .bad =
         std::vector<Bad>{{{{2, 3}, {3, 3}}, {}, DN_E_SHAPE, "{2,3} (operand 0) and {3,3} (operand 1)"}} + kNoOperands,
     .variadic = true},
    {.name = "concatenate_to_batch",
     .draw = draws::concatenate_to_batch,
     .record = RECORD_LIST(concatenate_to_batch),
     .bad = std::vector<Bad>{{{{2}, {3}}, {}, DN_E_SHAPE, "{2} (operand 0) and {3} (operand 1)"}} + kNoOperands,
     .variadic = true},

    // ---- probabilities and losses ----
    {.name = "softmax",
     .draw = draws::softmax,
     .record = RECORD(dn_op_softmax(r.graph, r.x[0], r.a.dim, r.out)),
     .bad = kNoMatrix + std::vector<Bad>{{{{2, 3}}, {.dim = 2}, DN_E_ARGUMENT, "dimension 2"},
                                         {{{2, 3}}, {.dim = -1}, DN_E_ARGUMENT, "dimension -1"}}},
    {.name = "log_softmax", .draw = draws::matrix, .record = RECORD_UNARY(log_softmax), .bad = kNoMatrix},
    {.name = "pick_neg_log_softmax",
     .draw = draws::label,
     .record = RECORD(dn_op_pick_neg_log_softmax(r.graph, r.x[0], r.index(), r.out)),
     .bad = kBadLabel},
    {.name = "pick_neg_log_softmax_batch",
     .draw = draws::label_batch,
     .record = RECORD(dn_op_pick_neg_log_softmax_batch(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.out)),
     .bad = kBadLabel + std::vector<Bad>{{{{3}}, {}, DN_E_ARGUMENT, "no indices"},
                                         {{Shape({3}, 2)}, {.indices = {0, 1, 2}}, DN_E_SHAPE, "3 indices for {3}X2"}}},
    {.name = "binary_log_loss",
     .draw = draws::pair,
     .record = RECORD_BINARY(binary_log_loss),
     .bad = kBadPair,
     .domains = {D::kProbability}},
    {.name = "hinge",
     .draw = draws::hinge,
     .record = RECORD(dn_op_hinge(r.graph, r.x[0], r.index(), r.a.scalar, r.out)),
     .bad = kBadLabel + std::vector<Bad>{{{{3}}, {.scalar = -1, .indices = {0}}, DN_E_ARGUMENT, "margin of -1"}}},

    // ---- cells ----
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

}  // namespace

const std::vector<OpRow>& op_table() { return kTable; }

const OpRow& op_row(std::string_view name) {
  for (const OpRow& row : kTable)
    if (row.name == name) return row;
  throw std::logic_error("the table has no operation " + std::string(name));
}

Example draw_example(const OpRow& row, Draw& draw, World& world) {
  for (;;) {
    Example example;
    example.x = {draw.shape()};
    if (row.draw(draw, world, example)) return example;
  }
}

}  // namespace dynnet::test

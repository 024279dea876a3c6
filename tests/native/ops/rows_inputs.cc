// What graphs begin with.
#include <limits>

#include "ops/rows.h"
#include "special.h"

namespace dynnet::test {
namespace {

int64_t values_count(const Recording& r) { return static_cast<int64_t>(r.e.values.size()); }

// Where these rows' bad examples refer to a table, it is one of 4 rows {3}.
dn_lookup_parameter* table_of(const Recording& r) { return r.world.table(r.e.object).handle; }
dn_parameter* parameter_of(const Recording& r) { return r.world.parameter(r.e.object).handle; }

// ---- how the interpreter makes what has no operands ----

int make_input(reference::Graph& g, const World&, const Example& e) {
  return g.input(e.a.shape, Numbers(e.values.begin(), e.values.end()));
}

// All elements of an input of which some are given.
int make_sparse(reference::Graph& g, const World&, const Example& e) {
  Numbers values(static_cast<size_t>(e.a.shape.total()), e.a.scalar);
  for (size_t i = 0; i < e.a.indices.size(); ++i) values[static_cast<size_t>(e.a.indices[i])] = e.values[i];
  return g.input(e.a.shape, std::move(values));
}

bool draw_sparse(Draw& d, World& world, Example& e) {
  if (!draws::constant(d, world, e)) return false;
  // As the engine gets it.
  e.a.scalar = static_cast<float>(e.a.scalar);
  e.a.indices = d.indices(d.below(e.a.shape.total() + 1), e.a.shape.total());
  e.values = d.values(Shape({static_cast<int64_t>(e.a.indices.size())}), Domain::kAny);
  return true;
}

int make_scalar(reference::Graph& g, const World&, const Example& e) { return g.constant({1}, e.a.scalar); }

int make_bound(reference::Graph& g, const World&, const Example& e) {
  return g.input_bound(e.a.shape, e.values.data());
}

int make_constant(reference::Graph& g, const World&, const Example& e) { return g.constant(e.a.shape, e.a.scalar); }

template <int value>
int make_filled(reference::Graph& g, const World&, const Example& e) {
  return g.constant(e.a.shape, value);
}

int make_hot(reference::Graph& g, const World&, const Example& e) {
  const int64_t size = e.a.shape.d[0];
  Numbers values(static_cast<size_t>(e.a.shape.total()));
  for (size_t i = 0; i < e.a.indices.size(); ++i)
    values[i * static_cast<size_t>(size) + static_cast<size_t>(e.a.indices[i])] = 1;
  return g.input(e.a.shape, std::move(values));
}

bool draw_hot_batch(Draw& d, World&, Example& e) {
  if (!e.x[0].is_vector()) return false;
  e.a.shape = e.x[0];
  e.a.indices = d.indices(e.x[0].batch, e.x[0].d[0]);
  e.x.clear();
  return true;
}

bool draw_hot(Draw& d, World& world, Example& e) { return e.x[0].batch == 1 && draw_hot_batch(d, world, e); }

int32_t hot_size(const Recording& r) { return static_cast<int32_t>(r.a.shape.d[0]); }

// Until the engine has drawn, any numbers.
int make_draws(reference::Graph& g, const World&, const Example& e) { return g.constant(e.a.shape, 0); }

void take_values(const Drawn& d) { d.graph.set_input(d.node, Numbers(d.y.begin(), d.y.end())); }

// Both numbers fit each distribution.
bool draw_distribution(Draw& d, World& world, Example& e) {
  if (!draws::constant(d, world, e)) return false;
  e.a.scalar = d.uniform(0, 1);
  e.a.second = d.uniform(1, 2);
  return true;
}

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

template <bool constant>
int make_table(reference::Graph& g, const World& world, const Example& e) {
  const World::Table& t = world.table(e.object);
  return g.lookup_table(e.object, t.shape, t.rows, t.values, constant);
}

int make_bound_lookup(reference::Graph& g, const World& world, const Example& e) {
  const World::Table& t = world.table(e.object);
  return g.lookup_bound(e.object, t.shape, t.rows, t.values, e.a.indices.data());
}

// ---- bad examples ----

const std::vector<Bad> kBadRow = {{{}, {.indices = {4}}, DN_E_INDEX, "index 4"},
                                  {{}, {.indices = {-1}}, DN_E_INDEX, "0 to 3"}};
const std::vector<Bad> kBadRows = {{{}, {.indices = {0, 4}}, DN_E_INDEX, "index 4"},
                                   {{}, {.indices = {}}, DN_E_ARGUMENT, "no indices"}};

const std::vector<Bad> kBadShape = {{{}, {.shape = {2, 0}}, DN_E_ARGUMENT, "size 0"},
                                    {{}, {.shape = Shape({2}, 0)}, DN_E_ARGUMENT, "batch"}};

// A distribution's bad example, of two numbers.
Bad bad_numbers(double first, double second, std::string_view message) {
  return {{}, {.scalar = first, .second = second, .shape = {2}}, DN_E_ARGUMENT, message};
}

OpRow distribution(std::string_view name, dn_status (*record)(const Recording&), const std::vector<Bad>& bad) {
  return {.name = name,
          .draw = draw_distribution,
          .record = record,
          .bad = kBadShape + bad,
          .take_draws = take_values,
          .interpret = make_draws};
}

#define RECORD_DRAWS(name) RECORD(dn_op_##name(r.graph, shape_of(r), r.a.scalar, r.a.second, r.out))

}  // namespace

std::vector<OpRow> input_rows() {
  return {
      {.name = "input",
       .draw = draws::input,
       .record = RECORD(dn_op_input(r.graph, shape_of(r), r.e.values.data(), values_count(r), r.out)),
       .bad = {{{}, {.shape = {3}}, DN_E_SHAPE, "0 values for shape {3}"},
               {{}, {.shape = {0}}, DN_E_ARGUMENT, "size 0"},
               {{}, {.shape = {1 << 30, 1 << 30}}, DN_E_MEMORY, "{1073741824,1073741824}"}},
       .interpret = make_input},
      {.name = "input_sparse",
       .draw = draw_sparse,
       .record = RECORD(dn_op_input_sparse(r.graph, shape_of(r), r.a.indices.data(), r.indices(), r.e.values.data(),
                                           values_count(r), r.a.scalar, r.out)),
       .bad =
           kBadShape + std::vector<Bad>{{{}, {.indices = {0}, .shape = {3}}, DN_E_ARGUMENT, "1 indices and 0 values"}},
       .interpret = make_sparse},
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
       .bad = kBadShape,
       .interpret = make_constant},
      {.name = "zeros",
       .draw = draws::constant,
       .record = RECORD(dn_op_zeros(r.graph, shape_of(r), r.out)),
       .bad = kBadShape,
       .interpret = make_filled<0>},
      {.name = "ones",
       .draw = draws::constant,
       .record = RECORD(dn_op_ones(r.graph, shape_of(r), r.out)),
       .bad = kBadShape,
       .interpret = make_filled<1>},
      {.name = "one_hot",
       .draw = draw_hot,
       .record = RECORD(dn_op_one_hot(r.graph, hot_size(r), r.index(), r.out)),
       .bad = {{{}, {.indices = {3}, .shape = {3}}, DN_E_INDEX, "index 3 of a vector of 3 elements, 0 to 2"},
               {{}, {.indices = {-1}, .shape = {3}}, DN_E_INDEX, "index -1"},
               {{}, {.indices = {0}, .shape = {0}}, DN_E_ARGUMENT, "a size of 0"},
               {{}, {.indices = {0}, .shape = {-4}}, DN_E_ARGUMENT, "a size of -4"}},
       .interpret = make_hot},
      {.name = "one_hot_batch",
       .draw = draw_hot_batch,
       .record = RECORD(dn_op_one_hot_batch(r.graph, hot_size(r), r.a.indices.data(), r.indices(), r.out)),
       .bad = {{{}, {.indices = {0, 3}, .shape = {3}}, DN_E_INDEX, "index 3"},
               {{}, {.indices = {0}, .shape = {0}}, DN_E_ARGUMENT, "a size of 0"},
               {{}, {.shape = {3}}, DN_E_ARGUMENT, "no indices"}},
       .interpret = make_hot},
      distribution("random_normal", RECORD_DRAWS(random_normal),
                   {bad_numbers(0, -1, "a standard deviation of -1, expected 0 or more"),
                    bad_numbers(0, kInfinity, "a standard deviation of inf"), bad_numbers(kNaN, 1, "a mean of nan"),
                    bad_numbers(1e40, 1, "a mean of inf")}),
      distribution("random_uniform", RECORD_DRAWS(random_uniform),
                   {bad_numbers(1, 0.5, "from 1 to 0.5"), bad_numbers(kNaN, 1, "from nan to 1"),
                    bad_numbers(0, kInfinity, "from 0 to inf"), bad_numbers(-3e38, 3e38, "from -3e+38 to 3e+38")}),
      distribution("random_bernoulli", RECORD_DRAWS(random_bernoulli),
                   {bad_numbers(1.5, 1, "a probability of 1.5, expected 0 to 1"), bad_numbers(-0.5, 1, "of -0.5"),
                    bad_numbers(kNaN, 1, "of nan"), bad_numbers(0.5, kInfinity, "a scale of inf")}),
      distribution("random_gumbel", RECORD_DRAWS(random_gumbel),
                   {bad_numbers(0, -1, "a scale of -1, expected 0 or more"), bad_numbers(0, kNaN, "a scale of nan"),
                    bad_numbers(kInfinity, 1, "a location of inf")}),
      {.name = "parameter",
       .draw = draws::parameter,
       .record = RECORD(dn_op_parameter(r.graph, parameter_of(r), r.out)),
       .interpret = make_parameter<false>},
      {.name = "const_parameter",
       .draw = draws::parameter,
       .record = RECORD(dn_op_const_parameter(r.graph, parameter_of(r), r.out)),
       .interpret = make_parameter<true>},
      {.name = "lookup_table",
       .draw = draws::lookup_table,
       .record = RECORD(dn_op_lookup_table(r.graph, table_of(r), r.out)),
       .interpret = make_table<false>},
      {.name = "const_lookup_table",
       .draw = draws::lookup_table,
       .record = RECORD(dn_op_const_lookup_table(r.graph, table_of(r), r.out)),
       .interpret = make_table<true>},
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
  };
}

}  // namespace dynnet::test

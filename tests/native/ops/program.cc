#include "ops/program.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/op_table.h"

namespace dynnet::test {

// ---- random choices ----

// SplitMix64.
uint64_t Draw::bits() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Shape Draw::shape() {
  static const std::vector<int> kDimensions{0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4, 7};
  for (;;) {
    const int nd = of(kDimensions);
    Shape shape;
    for (size_t i = 0; i < static_cast<size_t>(nd); ++i) shape.d[i] = nd <= 2 ? size() : between(1, nd <= 3 ? 4 : 2);
    shape.batch = batch();
    if (shape.total() <= most_elements) return shape;
  }
}

Shape Draw::other_batch(Shape shape) {
  shape.batch = shape.batch == 1 ? batch() : (chance(0.5) ? 1 : shape.batch);
  return shape;
}

std::vector<float> Draw::values(const Shape& shape, Domain domain) {
  std::vector<float> values(static_cast<size_t>(shape.total()));
  if (domain == Domain::kDistinct) {
    // Steps in a random order, each moved within the middle half of its own.
    const double step = 3.0 / static_cast<double>(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const auto other = static_cast<size_t>(below(static_cast<int64_t>(i) + 1));
      values[i] = values[other];
      values[other] = static_cast<float>(step * (static_cast<double>(i) + uniform(0.25, 0.75)) - 1.5);
    }
    return values;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    double x = uniform(-1.5, 1.5);
    if (domain == Domain::kPositive) x = uniform(0.3, 2);
    if (domain == Domain::kNonZero) x = uniform(0.3, 2) * (chance(0.5) ? 1 : -1);
    if (domain == Domain::kProbability) x = uniform(0.05, 0.95);
    if (domain == Domain::kApart) x = 0.4 * static_cast<double>(between(-4, 4));
    if (domain == Domain::kDominant) {
      const auto n = static_cast<size_t>(shape.d[0]);
      x = i % n == i / n % n ? uniform(1, 2) : x * 0.6 / static_cast<double>(n);
    }
    if (domain == Domain::kUnit) x = uniform(-0.9, 0.9);
    if (domain == Domain::kAboveOne) x = uniform(1.2, 3);
    if (domain == Domain::kBetween) x = static_cast<double>(between(-4, 3)) / 2 + uniform(0.05, 0.45);
    values[i] = static_cast<float>(x);
  }
  return values;
}

Indices Draw::indices(int64_t count, int64_t end) {
  Indices result(static_cast<size_t>(count));
  for (int32_t& index : result) index = static_cast<int32_t>(below(end));
  return result;
}

// ---- parameters ----

dn_dim to_dim(const Shape& shape, uint32_t least_dims) {
  dn_dim dim{};
  for (uint32_t i = 0; i < DN_MAX_DIMS; ++i) {
    dim.d[i] = static_cast<uint32_t>(shape.d[i]);
    if (shape.d[i] != 1) dim.nd = i + 1;
  }
  dim.nd = std::max(dim.nd, least_dims);
  dim.bd = static_cast<uint32_t>(shape.batch);
  return dim;
}

int World::add_parameter(const Shape& shape, const std::vector<float>& values) {
  const dn_dim dim = to_dim(shape);
  const dn_initializer first = values_of(values);
  Parameter parameter{nullptr, shape, nullptr};
  int64_t count;
  EXPECT_OK(dn_model_add_parameters(model_.get(), &dim, &first, "", 0, &parameter.handle));
  EXPECT_OK(dn_parameter_values(parameter.handle, &parameter.values, &count));
  parameters_.push_back(parameter);
  return static_cast<int>(parameters_.size()) - 1;
}

int World::add_table(const Shape& row, int64_t rows, const std::vector<float>& values) {
  const dn_dim dim = to_dim(row);
  const dn_initializer first = values_of(values);
  Table table{nullptr, row, rows, nullptr};
  int64_t count;
  EXPECT_OK(dn_model_add_lookup_parameters(model_.get(), rows, &dim, &first, "", 0, &table.handle));
  EXPECT_OK(dn_lookup_parameter_values(table.handle, &table.values, &count));
  tables_.push_back(table);
  return static_cast<int>(tables_.size()) - 1;
}

// ---- programs ----

dn_status record(dn_graph* graph, const World& world, const OpRow& row, const Example& example,
                 const std::vector<dn_expr>& x, dn_expr* out) {
  return row.record({graph, world, example, example.a, x.data(), static_cast<int32_t>(x.size()), out});
}

int interpret(reference::Graph& graph, const World& world, const OpRow& row, const Example& example,
              const std::vector<int>& x) {
  return row.interpret != nullptr ? row.interpret(graph, world, example) : graph.apply(row.name, x, example.a);
}

int Program::add(const OpRow& row, Example example, std::vector<int> x) {
  std::vector<int> operands;
  for (const int step : x) operands.push_back(node(step));
  // An input's or index's memory is read through: it must be in its place first.
  steps_.push_back({&row, std::move(example), std::move(x)});
  try {
    nodes_.push_back(interpret(reference_, world_, row, steps_.back().example, operands));
  } catch (const reference::Rejected&) {
    steps_.pop_back();
    throw;
  }
  return count() - 1;
}

int Program::add(std::string_view op, std::vector<int> x, Attributes a) {
  Example example{.a = std::move(a)};
  for (const int step : x) example.x.push_back(shape(step));
  return add(op_row(op), std::move(example), std::move(x));
}

int Program::input(const Shape& shape, std::vector<float> values) {
  return add(op_row("input"), {.a = {.shape = shape}, .values = std::move(values)});
}

int Program::parameter(int number) { return add(op_row("parameter"), {.object = number}); }

void Program::truncate(int count) {
  if (count == this->count()) return;
  reference_.truncate(node(count));
  nodes_.resize(static_cast<size_t>(count));
  steps_.resize(static_cast<size_t>(count));
}

std::vector<dn_expr> Program::record(dn_graph* graph) const {
  std::vector<dn_expr> exprs;
  for (const Step& step : steps_) {
    std::vector<dn_expr> x;
    for (const int operand : step.x) x.push_back(exprs[static_cast<size_t>(operand)]);
    dn_expr out{};
    EXPECT_OK(test::record(graph, world_, *step.row, step.example, x, &out));
    exprs.push_back(out);
  }
  return exprs;
}

// ---- comparing ----

double largest(const Numbers& numbers) {
  double result = 0;
  // An infinity, which has to be met exactly, says nothing of the others.
  for (const double number : numbers)
    if (std::isfinite(number)) result = std::max(result, std::abs(number));
  return result;
}

double distance(const std::vector<float>& actual, const Numbers& expected, double tolerance, double floor) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double a = actual[i];
    if (a == expected[i]) continue;
    const double off = std::abs(a - expected[i]) / (tolerance * std::max(std::abs(expected[i]), floor));
    // Not std::max, which would pass over a NaN.
    if (!(off <= most)) most = std::isfinite(off) ? off : std::numeric_limits<double>::infinity();
  }
  return most;
}

}  // namespace dynnet::test

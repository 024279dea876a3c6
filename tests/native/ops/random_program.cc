#include "ops/random_program.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "ops/compare.h"
#include "ops/draws.h"
#include "ops/op.h"
#include "ops/op_table.h"

namespace dynnet::test {
namespace {

// All rows with or without operands, those that draw at random or not.
const std::vector<const OpRow*>& rows(bool is_leaf, bool with_random) {
  static const auto all = [] {
    std::array<std::vector<const OpRow*>, 4> found;
    for (const OpRow& row : op_table())
      for (const bool random : {false, true})
        if (random || !row.is_random()) found[(row.is_leaf() ? 2 : 0) + (random ? 1 : 0)].push_back(&row);
    return found;
  }();
  return all[(is_leaf ? 2 : 0) + (with_random ? 1 : 0)];
}

// Whether a batch element adds up to 1: as bounds of constrained_softmax that is where its derivative jumps.
bool has_distribution(const Numbers& values, const Shape& shape) {
  for (auto from = values.begin(); from != values.end(); from += shape.size())
    if (std::abs(std::accumulate(from, from + shape.size(), -1.0)) < 1e-3) return true;
  return false;
}

}  // namespace

bool RandomProgram::holds(Domain domain, int step) {
  const Numbers& values = program_.value(step);
  auto all = [&](auto fits) { return std::all_of(values.begin(), values.end(), fits); };
  switch (domain) {
    case Domain::kAny:
      return all([](double x) { return std::abs(x) <= 6; });
    case Domain::kSmall:
      return all([](double x) { return std::abs(x) <= 2; });
    case Domain::kPositive:
      return all([](double x) { return 0.3 <= x && x <= 6; });
    case Domain::kNonZero:
      return all([](double x) { return 0.3 <= std::abs(x) && std::abs(x) <= 6; });
    case Domain::kProbability:
      return all([](double x) { return 0.05 <= x && x <= 0.95; }) && !has_distribution(values, program_.shape(step));
    // Made so each time. What is a distribution already would be at the threshold of sparsemax exactly.
    case Domain::kApart:
    case Domain::kDominant:
      return false;
    case Domain::kDistinct: {
      Numbers sorted = values;
      std::sort(sorted.begin(), sorted.end());
      const auto close = [](double a, double b) { return b - a < 3e-4; };
      return all([](double x) { return std::abs(x) <= 6; }) &&
             std::adjacent_find(sorted.begin(), sorted.end(), close) == sorted.end();
    }
    case Domain::kUnit:
      return all([](double x) { return std::abs(x) <= 0.9; });
    case Domain::kAboveOne:
      return all([](double x) { return 1.2 <= x && x <= 6; });
    case Domain::kBetween:
      return all([](double x) {
        const double part = 2 * x - std::floor(2 * x);
        return std::abs(x) <= 6 && 0.1 <= part && part <= 0.9;
      });
  }
  return false;
}

int RandomProgram::squash(int step, Domain domain) {
  if (holds(domain, step)) return step;
  auto then = [&](std::string_view op, double scalar = 0) {
    used_.resize(static_cast<size_t>(program_.count()));
    used_[static_cast<size_t>(step)] = true;
    step = program_.add(op, {step}, {.scalar = scalar});
    patterns_.push_back(step);
  };
  if (domain == Domain::kAny || domain == Domain::kSmall || domain == Domain::kApart || domain == Domain::kUnit) {
    then("tanh");
    if (domain == Domain::kUnit) then("multiply_scalar", 0.9);
    return step;
  }
  if (domain == Domain::kDominant) {
    const int64_t n = program_.shape(step).d[0];
    then("tanh");
    then("multiply_scalar", 0.9 / static_cast<double>(n));
    std::vector<float> identity(static_cast<size_t>(n * n), 0);
    for (int64_t i = 0; i < n; ++i) identity[static_cast<size_t>(i + i * n)] = 1.5f;
    return program_.add("add", {step, program_.input(Shape({n, n}), std::move(identity))});
  }
  if (domain == Domain::kDistinct) {
    // A little of it, on top of numbers that stay apart.
    const Shape shape = program_.shape(step);
    then("tanh");
    then("multiply_scalar", 0.3 / static_cast<double>(shape.total()));
    const int apart = program_.input(shape, draw_.values(shape, domain));
    used_.resize(static_cast<size_t>(program_.count()));
    used_[static_cast<size_t>(step)] = used_[static_cast<size_t>(apart)] = true;
    step = program_.add("add", {step, apart});
    patterns_.push_back(step);
    return step;
  }
  then("logistic");
  if (domain == Domain::kProbability) then("multiply_scalar", 0.9);
  if (domain == Domain::kBetween) then("multiply_scalar", 0.4);
  const bool is_part = domain == Domain::kProbability || domain == Domain::kBetween;
  then("add_scalar", is_part ? 0.05 : domain == Domain::kAboveOne ? 1.2 : 0.3);
  return step;
}

int RandomProgram::leaf(const Shape& shape) {
  for (;;) {
    const OpRow& row = *draw_.of(rows(true, is_random_));
    Example example{.x = {shape}};
    if (!row.draw(draw_, program_.world(), example)) continue;
    const int step = add(row, example, {});
    pool_.push_back(step);
    return step;
  }
}

int RandomProgram::weight(const Shape& shape) {
  if (shape.batch != 1 || draw_.chance(0.1)) return operand(shape, Domain::kAny);
  auto parameter = [&](const Shape& of) {
    Example example{.x = {of}};
    draws::parameter(draw_, program_.world(), example);
    return program_.add(op_row(draw_.chance(0.1) ? "const_parameter" : "parameter"), std::move(example));
  };
  // Computed from parameters, it still is one weight for all.
  switch (draw_.below(16)) {
    case 0:
      return program_.add("multiply_scalar", {parameter(shape)}, {.scalar = draw_.uniform(0.5, 1)});
    case 1:
      return program_.add("average", {parameter(shape), parameter(shape)});
    case 2:
      return program_.add("reshape", {parameter(Shape({shape.size()}))}, {.shape = shape});
    case 3:
      if (shape.is_matrix()) return program_.add("transpose", {parameter(Shape({shape.d[1], shape.d[0]}))});
      break;
    case 4:
      // Elementwise operations use it too.
      pool_.push_back(parameter(shape));
      return pool_.back();
    case 5:
      // A whole table.
      if (Example example{.x = {shape}}; draws::lookup_table(draw_, program_.world(), example))
        return program_.add(op_row("lookup_table"), std::move(example));
      break;
    default:
      break;
  }
  return parameter(shape);
}

int RandomProgram::operand(const Shape& shape, Domain domain) {
  std::vector<int> fitting;
  for (const int step : pool_)
    if (program_.shape(step) == shape) fitting.push_back(step);
  if (fitting.empty() || draw_.chance(0.1)) return squash(leaf(shape), domain);
  // Some tries to do without squashing.
  for (int tries = 0; tries < 4; ++tries)
    if (const int step = draw_.of(fitting); holds(domain, step)) return step;
  return squash(draw_.of(fitting), domain);
}

int RandomProgram::add(const OpRow& row, const Example& example, const std::vector<int>& x) {
  const int step = program_.add(row, example, x);
  if (!row.is_random()) return step;
  // Draws are a function of the graph's seed and the node's number, so that any graph with both shows them.
  const GraphHandle graph = new_graph(graph_seed_);
  take_draws(program_, graph.get(), program_.record(graph.get()));
  return step;
}

int RandomProgram::apply(const OpRow& row, const Example& example, const std::vector<int>& x) {
  const int step = add(row, example, x);
  const bool settled = row.settled == nullptr || row.settled(program_, program_.steps()[static_cast<size_t>(step)]);
  if (!settled || program_.shape(step).total() > draw_.most_elements) {
    program_.truncate(step);
    return -1;
  }
  used_.resize(static_cast<size_t>(program_.count()));
  for (const int operand : x) used_[static_cast<size_t>(operand)] = true;
  pool_.push_back(squash(step, Domain::kAny));
  patterns_.push_back(step);
  return step;
}

void RandomProgram::invent() {
  const OpRow& row = *draw_.of(rows(false, is_random_));
  Example example{.x = {pool_.empty() || draw_.chance(0.2) ? draw_.shape() : program_.shape(draw_.of(pool_))}};
  if (!row.draw(draw_, program_.world(), example)) return;
  // What attention drops is only known of graphs of one seed.
  if (row.draws(example) && !row.is_random()) return;
  std::vector<int> x;
  for (size_t i = 0; i < example.x.size(); ++i) {
    if (example.x[i].total() > draw_.most_elements) return;
    x.push_back(row.is_weight(i) ? weight(example.x[i]) : operand(example.x[i], row.domain(i)));
  }
  apply(row, example, x);
}

void RandomProgram::repeat() {
  const int pattern = draw_.of(patterns_);
  for (int64_t times = draw_.between(1, 5); times > 0; --times) {
    // Copied, since the list of steps grows.
    const Step step = program_.steps()[static_cast<size_t>(pattern)];
    Example example = step.example;
    if (!definition(step.row->name)->static_lists)
      for (int32_t& index : example.a.indices) index = static_cast<int32_t>(draw_.below(index + 1));
    if (step.row->draw == draws::any_and_scalar) example.a.scalar = draw_.uniform(-1.5, 1.5);
    std::vector<int> x = step.x;
    for (size_t i = 0; i < x.size(); ++i) {
      if (draw_.chance(step.row->is_weight(i) ? 0.9 : 0.1)) continue;
      x[i] = step.row->is_weight(i) ? weight(example.x[i]) : operand(example.x[i], step.row->domain(i));
    }
    apply(*step.row, example, x);
  }
}

int RandomProgram::again(int step, int depth) {
  const Step of = program_.steps()[static_cast<size_t>(step)];
  const bool has_value = of.row->name == "parameter" || of.row->name.starts_with("input");
  if (has_value || depth == 0 || of.row->draws(of.example)) return step;
  std::vector<int> x;
  for (const int operand : of.x) x.push_back(again(operand, depth - 1));
  const int copy = program_.add(*of.row, of.example, x);
  used_.resize(static_cast<size_t>(program_.count()));
  for (const int operand : x) used_[static_cast<size_t>(operand)] = true;
  return copy;
}

int RandomProgram::loss_of(int step) {
  const Shape shape = program_.shape(step);
  auto other = [&](Domain domain) { return program_.input(shape, draw_.values(shape, domain)); };
  int loss = -1;
  const int64_t kind = draw_.below(shape.is_vector() && shape.size() > 1 ? 7 : 4);
  if (kind == 0) loss = program_.add("dot_product", {step, other(Domain::kAny)});
  if (kind == 1) loss = program_.add("squared_distance", {step, other(Domain::kAny)});
  if (kind == 2) loss = program_.add("sum_elems", {program_.add("square", {step})});
  if (kind == 3)
    loss = program_.add("binary_log_loss", {squash(step, Domain::kProbability), other(Domain::kProbability)});
  if (kind == 4) loss = program_.add("hinge", {step}, {.scalar = 1, .indices = draw_.indices(1, shape.size())});
  if (kind == 5) loss = program_.add("pick_neg_log_softmax", {step}, {.indices = draw_.indices(1, shape.size())});
  if (kind == 6) {
    const Indices labels = draw_.indices(shape.batch, shape.size());
    loss = program_.add("pick_neg_log_softmax_batch", {step}, {.indices = labels});
  }
  return shape.batch == 1 ? loss : program_.add("sum_batches", {loss});
}

int RandomProgram::grow(int nodes) {
  while (program_.count() * 10 < nodes * 7) {
    if (patterns_.empty() || draw_.chance(0.3))
      invent();
    else if (draw_.chance(0.05))
      pool_.push_back(again(draw_.of(patterns_), 3));
    else
      repeat();
  }
  // What nothing has used yet, several of a shape together.
  used_.resize(static_cast<size_t>(program_.count()));
  std::vector<int> losses;
  std::vector<int> ends;
  for (const int step : pool_)
    if (!used_[static_cast<size_t>(step)] && !program_.steps()[static_cast<size_t>(step)].row->is_leaf())
      ends.push_back(step);
  if (ends.empty()) ends.push_back(pool_.back());
  while (!ends.empty()) {
    const Shape shape = program_.shape(ends.back());
    std::vector<int> same;
    for (const int step : ends)
      if (program_.shape(step) == shape && same.size() < 6) same.push_back(step);
    std::erase_if(ends, [&](int step) { return std::find(same.begin(), same.end(), step) != same.end(); });
    const int end = same.size() == 1 ? same[0] : program_.add(draw_.chance(0.5) ? "sum" : "average", same);
    losses.push_back(loss_of(squash(end, Domain::kAny)));
  }
  return program_.add(draw_.chance(0.5) ? "sum" : "average", losses);
}

}  // namespace dynnet::test

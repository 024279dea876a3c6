#include "ops/compare.h"

#include <algorithm>

#include "ops/op_table.h"

namespace dynnet::test {
namespace {

std::string name_of(Program& program, size_t step) {
  const Step& s = program.steps()[step];
  std::string text = "step " + std::to_string(step) + ", " + std::string(s.row->name);
  for (const Shape& x : s.example.x) text += " " + x.text();
  return text + " -> " + program.shape(static_cast<int>(step)).text();
}

bool is_trained_leaf(std::string_view op) {
  return op == "parameter" || op == "lookup_table" || op == "lookup" || op == "lookup_batch" || op == "lookup_bound";
}

}  // namespace

void Worst::see(const std::vector<float>& actual, const Numbers& expected, Tolerance tolerance,
                const std::string& what) {
  const double off = test::distance(actual, expected, tolerance.relative, std::max(tolerance.floor, largest(expected)));
  if (off <= distance) return;
  distance = off;
  where = what + ":";
  for (size_t i = 0; i < std::min<size_t>(expected.size(), 8); ++i)
    where += " " + std::to_string(i < actual.size() ? actual[i] : 0) + "/" + std::to_string(expected[i]);
}

void take_draws(Program& program, dn_graph* graph, const std::vector<dn_expr>& exprs) {
  for (size_t i = 0; i < exprs.size(); ++i) {
    const Step& step = program.steps()[i];
    if (!step.row->draws(step.example)) continue;
    const std::vector<float> x =
        step.x.empty() ? std::vector<float>() : value(graph, exprs[static_cast<size_t>(step.x[0])]);
    const std::vector<float> y = value(graph, exprs[i]);
    step.row->take_draws({program.reference(), program.node(static_cast<int>(i)), step.example, exprs[i], y, x});
  }
}

Worst compare_values(Program& program, dn_graph* graph, const std::vector<dn_expr>& exprs, Tolerance tolerance) {
  Worst worst;
  for (size_t i = 0; i < exprs.size(); ++i)
    worst.see(value(graph, exprs[i]), program.value(static_cast<int>(i)), tolerance, "value of " + name_of(program, i));
  return worst;
}

Worst compare_gradients(Program& program, dn_graph* graph, const std::vector<dn_expr>& exprs, bool full,
                        Tolerance tolerance) {
  Worst worst;
  std::vector<bool> trained(exprs.size());
  for (size_t i = 0; i < exprs.size(); ++i) {
    const Step& step = program.steps()[i];
    trained[i] = is_trained_leaf(step.row->name);
    for (const int x : step.x)
      trained[i] = trained[i] || (trained[static_cast<size_t>(x)] && !step.row->stops_gradient);
    const float* data = nullptr;
    int64_t count = 0;
    const dn_status status = dn_graph_gradient(graph, exprs[i], &data, &count);
    if (!full && !trained[i] && status == DN_E_STATE) continue;
    EXPECT_EQ(status, DN_OK) << last_error() << "\nfor " << name_of(program, i);
    if (status != DN_OK) continue;
    worst.see({data, data + count}, program.gradient(static_cast<int>(i)), tolerance,
              (full ? "full gradient of " : "gradient of ") + name_of(program, i));
  }
  return worst;
}

Worst compare_trained(Program& program, Tolerance tolerance) {
  Worst worst;
  const World& world = program.world();
  for (size_t i = 0; i < world.parameters().size(); ++i) {
    const World::Parameter& p = world.parameters()[i];
    worst.see(gradient(p.handle), program.reference().parameter_gradient(static_cast<int>(i), p.shape.size()),
              tolerance, "gradient of parameter " + std::to_string(i) + " " + p.shape.text());
  }
  const auto rows = program.reference().row_gradients();
  for (size_t i = 0; i < world.tables().size(); ++i) {
    const World::Table& t = world.tables()[i];
    for (int row = 0; row < t.rows; ++row) {
      const auto found = rows.find({static_cast<int>(i), row});
      const Numbers zeros(static_cast<size_t>(t.shape.size()), 0);
      worst.see(row_gradient(t.handle, row), found == rows.end() ? zeros : found->second, tolerance,
                "gradient of row " + std::to_string(row) + " of table " + std::to_string(i) + " " + t.shape.text());
    }
  }
  return worst;
}

std::vector<float> trained_gradients(const World& world) {
  std::vector<float> all;
  auto append = [&](const std::vector<float>& part) { all.insert(all.end(), part.begin(), part.end()); };
  for (const World::Parameter& p : world.parameters()) append(gradient(p.handle));
  for (const World::Table& t : world.tables())
    for (int64_t row = 0; row < t.rows; ++row) append(row_gradient(t.handle, row));
  return all;
}

}  // namespace dynnet::test

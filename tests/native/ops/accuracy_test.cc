// Every number of a result relative to itself: where the others are large, a small one is as good. Only as far as the
// operands' own last digits allow.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ops/compare.h"
#include "ops/op_table.h"

namespace dynnet::test {
namespace {

constexpr int kExamples = 40;
/// What the numbers of a result may be off by, relative to each.
constexpr double kRelative = 1e-5;
/// How far they move where operands change by half a unit of their last digits, and how often that they may be off.
constexpr int kDisturbances = 8;
constexpr double kMoves = 16;

class Accuracy : public testing::TestWithParam<std::string> {
 protected:
  /// What the interpreter says with operands that are moved, or with the operands themselves.
  static Numbers value(Program& program, const std::vector<int>& x, const std::vector<Numbers>& operands, Draw* d) {
    for (size_t i = 0; i < x.size(); ++i) {
      Numbers moved = operands[i];
      if (d != nullptr)
        for (double& number : moved) number *= 1 + (d->chance(0.5) ? 0x1p-24 : -0x1p-24);
      program.reference().set_input(program.node(x[i]), std::move(moved));
    }
    program.reference().forget();
    return program.value(program.count() - 1);
  }
};

TEST_P(Accuracy, OfEachNumberIsThatOfItsOperands) {
  const OpRow& row = op_row(GetParam());
  for (int i = 0; i < kExamples; ++i) {
    SCOPED_TRACE(i);
    Draw d(static_cast<uint64_t>(i) + 1);
    World world;
    Program program(world);
    const Example example = draw_example(row, d, world);
    if (row.draws(example)) continue;
    // Numbers that lie apart too, so that what is small beside others shows.
    const float scale = i % 2 == 0 ? 1.0f : 8.0f;
    std::vector<int> x;
    std::vector<Numbers> operands;
    for (size_t j = 0; j < example.x.size(); ++j) {
      std::vector<float> values = d.values(example.x[j], row.domain(j));
      if (row.domain(j) == Domain::kAny)
        for (float& number : values) number *= scale;
      operands.emplace_back(values.begin(), values.end());
      x.push_back(program.input(example.x[j], std::move(values)));
    }
    program.add(row, example, x);
    const GraphHandle graph = new_graph();
    const std::vector<float> actual = test::value(graph.get(), program.record(graph.get()).back());
    const Numbers right = value(program, x, operands, nullptr);
    Numbers moves(right.size(), 0);
    for (int k = 0; k < kDisturbances; ++k) {
      const Numbers moved = value(program, x, operands, &d);
      for (size_t j = 0; j < moves.size(); ++j) moves[j] = std::max(moves[j], std::abs(moved[j] - right[j]));
    }
    ASSERT_EQ(actual.size(), right.size());
    for (size_t j = 0; j < right.size(); ++j) {
      if (!std::isfinite(right[j])) {
        ASSERT_EQ(actual[j], right[j]) << "element " << j;
        continue;
      }
      // Below the smallest normal float everything is 0.
      ASSERT_NEAR(actual[j], right[j], kRelative * std::abs(right[j]) + kMoves * moves[j] + 1.2e-38)
          << "element " << j << " of " << right.size();
    }
  }
}

std::vector<std::string> accurate_ops() {
  std::vector<std::string> names;
  for (const OpRow& row : op_table())
    if (!row.is_leaf() && !row.is_random()) names.emplace_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Accuracy, testing::ValuesIn(accurate_ops()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace dynnet::test

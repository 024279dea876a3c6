// Every number of a result, and of a gradient, relative to itself: where the others are large, a small one is as good.
// Only as far as the operands' own last digits allow.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <string_view>
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

/// Operations whose gradient is a difference of numbers that were rounded, which may cancel: 1 - y of a logistic, 1 -
/// y^2 of a tanh, dy - sum(y dy) of a softmax, what is left of dy beside the direction of a norm. What it may be off
/// by, as a part of the result's gradient; that is multiplied by the output gate of an LSTM and by the values of
/// attention, which here are up to 12.
const std::map<std::string_view, double> kDifferences{{"tanh", 2e-7},
                                                      {"logistic", 2e-7},
                                                      {"softmax", 2e-7},
                                                      {"constrained_softmax", 2e-7},
                                                      {"layer_norm", 4e-7},
                                                      {"weight_norm", 4e-7},
                                                      {"vanilla_lstm_gates", 1e-6},
                                                      {"vanilla_lstm_h", 3e-6},
                                                      {"tree_lstm_c", 5e-7},
                                                      {"tree_lstm_h", 2e-7},
                                                      {"attention_weights", 2e-6},
                                                      {"attention_weights_masked", 2e-6},
                                                      {"scaled_dot_product_attention", 1e-5},
                                                      {"scaled_dot_product_attention_masked", 1e-5},
                                                      {"multi_head_attention", 1e-5},
                                                      {"multi_head_attention_masked", 1e-5}};

class Accuracy : public testing::TestWithParam<std::string> {
 protected:
  /// The operation on operands of its own, with numbers that lie apart too, so that what is small beside others shows.
  struct Applied {
    Applied(const OpRow& row, const Example& example, Draw& d, World& world, float scale) : program(world) {
      for (size_t j = 0; j < example.x.size(); ++j) {
        std::vector<float> values = d.values(example.x[j], row.domain(j));
        if (row.domain(j) == Domain::kAny)
          for (float& number : values) number *= scale;
        input(example.x[j], values);
      }
      result = program.add(row, example, inputs);
    }
    int input(const Shape& shape, const std::vector<float>& values) {
      inputs.push_back(program.input(shape, values));
      numbers.emplace_back(values.begin(), values.end());
      return inputs.back();
    }
    /// The interpreter's inputs from now on: moved by half a unit of their last digits, or as they are without draw.
    void set_inputs(Draw* d) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        Numbers moved = numbers[i];
        if (d != nullptr)
          for (double& number : moved) number *= 1 + (d->chance(0.5) ? 0x1p-24 : -0x1p-24);
        program.reference().set_input(program.node(inputs[i]), std::move(moved));
      }
      program.reference().forget();
    }

    Program program;
    std::vector<int> inputs;
    std::vector<Numbers> numbers;
    int result;
  };

  /// Calls check(applied, d) with the operation on operands that are drawn anew each time.
  template <class Check>
  static void for_examples(Check check) {
    const OpRow& row = op_row(GetParam());
    for (int i = 0; i < kExamples; ++i) {
      SCOPED_TRACE(i);
      Draw d(static_cast<uint64_t>(i) + 1);
      World world;
      const Example example = draw_example(row, d, world);
      if (row.draws(example)) continue;
      Applied applied(row, example, d, world, i % 2 == 0 ? 1.0f : 8.0f);
      check(applied, d);
      if (HasFatalFailure()) return;
    }
  }

  /// Compares what the engine says with what `exact` says with the operands moved or, without a draw, as they are.
  /// @param slack what each number may be off by besides
  static void expect_accurate(const std::vector<float>& actual, Draw& d, double slack,
                              const std::function<Numbers(Draw*)>& exact) {
    const Numbers right = exact(nullptr);
    Numbers moves(right.size(), 0);
    for (int k = 0; k < kDisturbances; ++k) {
      const Numbers moved = exact(&d);
      for (size_t j = 0; j < moves.size(); ++j) moves[j] = std::max(moves[j], std::abs(moved[j] - right[j]));
    }
    ASSERT_EQ(actual.size(), right.size());
    for (size_t j = 0; j < right.size(); ++j) {
      if (!std::isfinite(right[j])) {
        ASSERT_EQ(actual[j], right[j]) << "element " << j;
        continue;
      }
      // Below the smallest normal float everything is 0.
      ASSERT_NEAR(actual[j], right[j], kRelative * std::abs(right[j]) + kMoves * moves[j] + slack + 1.2e-38)
          << "element " << j << " of " << right.size();
    }
  }
};

TEST_P(Accuracy, OfEachNumberIsThatOfItsOperands) {
  for_examples([](Applied& applied, Draw& d) {
    const GraphHandle graph = new_graph();
    expect_accurate(value(graph, applied.program.record(graph.get()).back()), d, 0, [&](Draw* draw) {
      applied.set_inputs(draw);
      return applied.program.value(applied.result);
    });
  });
}

TEST_P(Accuracy, OfEachGradientIsThatOfItsOperands) {
  const OpRow& row = op_row(GetParam());
  const auto found = kDifferences.find(row.name);
  for_examples([&](Applied& applied, Draw& d) {
    Program& program = applied.program;
    if (row.settled != nullptr && !row.settled(program, program.steps().back())) return;
    // The weights are the gradient of the result.
    const std::vector<float> weights = d.values(program.shape(applied.result), Domain::kAny);
    const double largest_weight = largest({weights.begin(), weights.end()});
    const int dot = program.add("dot_product", {applied.result, applied.input(program.shape(applied.result), weights)});
    const int loss = program.node(program.add("sum_batches", {dot}));
    const GraphHandle graph = new_graph();
    const std::vector<dn_expr> exprs = program.record(graph.get());
    ASSERT_OK(dn_graph_backward(graph.get(), exprs.back(), nullptr, 1));
    for (const int x : applied.inputs) {
      SCOPED_TRACE("operand " + std::to_string(x));
      expect_accurate(gradient(graph, exprs[static_cast<size_t>(x)]), d,
                      found == kDifferences.end() ? 0 : found->second * largest_weight, [&](Draw* draw) {
                        applied.set_inputs(draw);
                        program.reference().backward(loss);
                        return program.gradient(x);
                      });
    }
  });
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

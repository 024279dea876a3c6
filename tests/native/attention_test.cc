// Attention beyond the table of operations: keys that no query sees, and what does not depend on them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

constexpr float kUnseen = -std::numeric_limits<float>::infinity();

class AttentionTest : public testing::Test {
 protected:
  // Six numbers for each of a query, key and value, in as many columns.
  dn_expr columns(uint32_t count, int seed) { return input(graph_, {6, count}, some_values(int64_t{6} * count, seed)); }
  dn_expr part(dn_expr x, int32_t from, int32_t to, int32_t dim) {
    return make(graph_, dn_op_pick_range, x, from, to, dim);
  }
  void backward(dn_expr y) {
    const dn_expr squares = make(graph_, dn_op_sum_elems, make(graph_, dn_op_square, y));
    ASSERT_OK(dn_graph_backward(graph_.get(), squares, nullptr, 1));
  }

  // Relative to the largest.
  struct Operands {
    dn_expr q, k, v;
  };
  /// So many queries, five keys and values.
  Operands operands_of_new_graph(uint32_t queries) {
    graph_ = new_graph();
    return {columns(queries, 1), columns(5, 2), columns(5, 3)};
  }

  static void expect_near(const std::vector<float>& actual, const std::vector<float>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    double largest = 0;
    for (const float each : expected) largest = std::max(largest, std::abs(static_cast<double>(each)));
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 3e-6 * largest) << i;
  }

  GraphHandle graph_ = new_graph();
};

TEST_F(AttentionTest, IsTheFormulaStepByStep) {
  for (const uint32_t queries : {1u, 4u, 20u}) {
    SCOPED_TRACE(queries);
    const auto [q, k, v] = operands_of_new_graph(queries);
    const dn_expr one = make(graph_, dn_op_multi_head_attention, q, k, v, int32_t{3}, int32_t{0}, 0.0, 0.0);
    std::vector<dn_expr> heads;
    for (int32_t head = 0; head < 3; ++head) {
      auto rows = [&](dn_expr x) { return part(x, 2 * head, 2 * head + 2, 0); };
      const dn_expr scores = make(graph_, dn_op_multiply, make(graph_, dn_op_transpose, rows(k)), rows(q));
      const dn_expr scaled = make(graph_, dn_op_multiply_scalar, scores, 1 / std::sqrt(2.0));
      heads.push_back(make(graph_, dn_op_multiply, rows(v), make(graph_, dn_op_softmax, scaled, int32_t{0})));
    }
    const dn_expr steps = make(graph_, dn_op_concatenate, heads.data(), int32_t{3}, int32_t{0});
    const std::vector<float> expected = value(graph_, steps);
    const std::vector<float> actual = value(graph_, one);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-6);
    backward(steps);
    std::vector<std::vector<float>> gradients;
    for (const dn_expr x : {q, k, v}) gradients.push_back(gradient(graph_, x));
    backward(one);
    size_t operand = 0;
    for (const dn_expr x : {q, k, v}) {
      const std::vector<float> of_one = gradient(graph_, x);
      for (size_t i = 0; i < of_one.size(); ++i) EXPECT_NEAR(of_one[i], gradients[operand][i], 1e-6);
      ++operand;
    }
  }
}

// The weights alone, and attention made of them.
TEST_F(AttentionTest, GivesTheWeightsThatItUses) {
  for (const uint32_t queries : {1u, 4u, 20u}) {
    SCOPED_TRACE(queries);
    const auto [q, k, v] = operands_of_new_graph(queries);
    const dn_expr mask = input(graph_, {5, queries}, some_values(int64_t{5} * queries, 4));
    const dn_expr one =
        make(graph_, dn_op_multi_head_attention_masked, q, k, v, mask, int32_t{3}, int32_t{1}, 0.0, 1.5);
    const dn_expr weights = make(graph_, dn_op_attention_weights_masked, q, k, mask, int32_t{3}, int32_t{1}, 1.5);
    const std::vector<float> numbers = value(graph_, weights);
    ASSERT_EQ(numbers.size(), size_t{15} * queries);
    for (size_t i = 0; i < numbers.size(); i += 5) {
      // More queries than keys: the first see none.
      const auto seen = static_cast<ptrdiff_t>(i / 5 % queries) + 6 - static_cast<ptrdiff_t>(queries);
      float sum = 0;
      for (ptrdiff_t j = 0; j < 5; ++j) {
        const float weight = numbers[i + static_cast<size_t>(j)];
        EXPECT_EQ(weight > 0, j < seen);
        sum += weight;
      }
      EXPECT_NEAR(sum, seen > 0 ? 1 : 0, 1e-6);
    }
    std::vector<dn_expr> heads;
    for (int32_t head = 0; head < 3; ++head)
      heads.push_back(make(graph_, dn_op_multiply, part(v, 2 * head, 2 * head + 2, 0),
                           make(graph_, dn_op_pick, weights, head, int32_t{2})));
    const dn_expr steps = make(graph_, dn_op_concatenate, heads.data(), int32_t{3}, int32_t{0});
    expect_near(value(graph_, one), value(graph_, steps));
    backward(steps);
    std::vector<std::vector<float>> gradients;
    for (const dn_expr x : {q, k, v, mask}) gradients.push_back(gradient(graph_, x));
    backward(one);
    size_t operand = 0;
    for (const dn_expr x : {q, k, v, mask}) expect_near(gradient(graph_, x), gradients[operand++]);
  }
}

// A size of 1 in a mask stands for all: what the whole mask gives, and the sums of its gradient.
TEST_F(AttentionTest, RepeatsWhatAMaskHasOneOf) {
  constexpr uint32_t kSizes[] = {5, 4, 3};
  for (int of_one = 0; of_one < 8; ++of_one) {
    SCOPED_TRACE(of_one);
    graph_ = new_graph();
    const dn_expr q = columns(4, 1);
    const dn_expr k = columns(5, 2);
    const dn_expr v = columns(5, 3);
    uint32_t sizes[3];
    for (int i = 0; i < 3; ++i) sizes[i] = (of_one >> i & 1) != 0 ? 1 : kSizes[i];
    std::vector<float> few = some_values(int64_t{sizes[0]} * sizes[1] * sizes[2], 4);
    if (few.size() > 1) few[1] = kUnseen;
    // Of each number of the whole mask, where it is among the few.
    std::vector<size_t> from;
    for (uint32_t head = 0; head < 3; ++head)
      for (uint32_t query = 0; query < 4; ++query)
        for (uint32_t key = 0; key < 5; ++key)
          from.push_back(key % sizes[0] + size_t{sizes[0]} * (query % sizes[1] + sizes[1] * (head % sizes[2])));
    std::vector<float> all;
    for (const size_t i : from) all.push_back(few[i]);
    const dn_expr short_mask = input(graph_, {sizes[0], sizes[1], sizes[2]}, few);
    const dn_expr whole_mask = input(graph_, {5, 4, 3}, all);
    const auto attend = [&](dn_expr mask) {
      return make(graph_, dn_op_multi_head_attention_masked, q, k, v, mask, int32_t{3}, int32_t{0}, 0.0, 0.0);
    };
    const dn_expr of_short = attend(short_mask);
    const dn_expr of_whole = attend(whole_mask);
    EXPECT_EQ(value(graph_, of_short), value(graph_, of_whole));
    backward(of_whole);
    std::vector<float> sums(few.size(), 0);
    const std::vector<float> whole = gradient(graph_, whole_mask);
    for (size_t i = 0; i < whole.size(); ++i) sums[from[i]] += whole[i];
    std::vector<std::vector<float>> gradients;
    for (const dn_expr x : {q, k, v}) gradients.push_back(gradient(graph_, x));
    backward(of_short);
    // Where all keys have one number, it changes no weight.
    const std::vector<float> summed = gradient(graph_, short_mask);
    ASSERT_EQ(summed.size(), sums.size());
    for (size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(summed[i], sums[i], 1e-6);
    size_t operand = 0;
    for (const dn_expr x : {q, k, v}) EXPECT_EQ(gradient(graph_, x), gradients[operand++]);
  }
}

// Sequences of all lengths that are padded to one, with masks that hide the padding, are one batch.
TEST_F(AttentionTest, OfPaddedSequencesSharesABatch) {
  constexpr int32_t kLength = 8;
  const dn_dim none = dim({6, kLength});
  const dn_expr zeros = make(graph_, dn_op_zeros, &none);
  std::vector<dn_expr> own;
  std::vector<dn_expr> padded;
  for (int32_t length = 1; length <= kLength; ++length) {
    const dn_expr x = columns(static_cast<uint32_t>(length), length);
    own.push_back(make(graph_, dn_op_multi_head_attention, x, x, x, int32_t{2}, int32_t{0}, 0.0, 0.0));
    const dn_expr parts[] = {x, part(zeros, 0, std::max(1, kLength - length), 1)};
    const dn_expr all = make(graph_, dn_op_concatenate, parts, length < kLength ? 2 : 1, int32_t{1});
    std::vector<float> hidden(kLength, kUnseen);
    std::fill(hidden.begin(), hidden.begin() + length, 0.0f);
    const dn_expr mask = input(graph_, {kLength}, hidden);
    padded.push_back(
        make(graph_, dn_op_multi_head_attention_masked, all, all, all, mask, int32_t{2}, int32_t{0}, 0.0, 0.0));
  }
  const dn_expr sum = make(graph_, dn_op_sum, padded.data(), kLength);
  ASSERT_OK(dn_graph_forward(graph_.get(), sum));
  const std::string text = report(graph_);
  const size_t at = text.find("multi_head_attention_masked(");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_NE(text.find("8 nodes in 1 batches", at), std::string::npos) << text;
  for (int32_t length = 1; length <= kLength; ++length) {
    const auto i = static_cast<size_t>(length - 1);
    std::vector<float> begin = value(graph_, padded[i]);
    begin.resize(static_cast<size_t>(6 * length));
    expect_near(begin, value(graph_, own[i]));
  }
}

// A mask of minus infinity leaves what attention to the other keys alone gives, and no gradient to those it hides.
TEST_F(AttentionTest, DoesNotSeeKeysThatAMaskHides) {
  const dn_expr q = columns(4, 1);
  const dn_expr k = columns(5, 2);
  const dn_expr v = columns(5, 3);
  const dn_expr mask = input(graph_, {5}, {0, 0, 0, kUnseen, kUnseen});
  const dn_expr masked =
      make(graph_, dn_op_multi_head_attention_masked, q, k, v, mask, int32_t{2}, int32_t{0}, 0.0, 0.0);
  const dn_expr seen =
      make(graph_, dn_op_multi_head_attention, q, part(k, 0, 3, 1), part(v, 0, 3, 1), int32_t{2}, int32_t{0}, 0.0, 0.0);
  const std::vector<float> expected = value(graph_, seen);
  const std::vector<float> actual = value(graph_, masked);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-6);
  backward(masked);
  for (const dn_expr x : {k, v}) {
    const std::vector<float> d = gradient(graph_, x);
    for (size_t i = 0; i < d.size(); ++i) {
      EXPECT_TRUE(std::isfinite(d[i]));
      if (i >= 18) {
        EXPECT_EQ(d[i], 0) << "a hidden key has a gradient";
      }
    }
  }
  for (const size_t i : {3u, 4u}) EXPECT_EQ(gradient(graph_, mask)[i], 0);
}

TEST_F(AttentionTest, GivesZerosToQueriesThatSeeNoKey) {
  for (const uint32_t queries : {3u, 15u}) {
    graph_ = new_graph();
    const dn_expr q = columns(queries, 1);
    const dn_expr k = columns(2, 2);
    const dn_expr v = columns(2, 3);
    std::vector<float> hidden{0, 0, kUnseen, kUnseen};
    hidden.resize(2 * queries, 0);
    const dn_expr mask = input(graph_, {2, queries}, hidden);
    const dn_expr y = make(graph_, dn_op_scaled_dot_product_attention_masked, q, k, v, mask, int32_t{0}, 0.0, 0.0);
    const std::vector<float> values = value(graph_, y);
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i] == 0, i / 6 == 1) << i;
    backward(y);
    for (const dn_expr x : {q, k, v, mask})
      for (const float d : gradient(graph_, x)) EXPECT_TRUE(std::isfinite(d));
    for (size_t i = 6; i < 12; ++i) EXPECT_EQ(gradient(graph_, q)[i], 0);
    // More queries than keys, of which the last sees both: all but two see none.
    const dn_expr causal = make(graph_, dn_op_scaled_dot_product_attention, q, k, v, int32_t{1}, 0.0, 0.0);
    const std::vector<float> late = value(graph_, causal);
    for (size_t i = 0; i < late.size(); ++i) EXPECT_EQ(late[i] == 0, i / 6 + 2 < queries) << i;
  }
}

// The results of causal attention stay when keys are added, but for the new query.
TEST_F(AttentionTest, IsCausalFromTheEnd) {
  const dn_expr x = columns(15, 1);
  const std::vector<float> whole =
      value(graph_, make(graph_, dn_op_scaled_dot_product_attention, x, x, x, int32_t{1}, 0.0, 0.0));
  for (const int32_t count : {1, 7, 14}) {
    const dn_expr keys = part(x, 0, count, 1);
    // The last three queries, or as many as there are.
    const int32_t first = std::max(0, count - 3);
    const std::vector<float> last = value(graph_, make(graph_, dn_op_scaled_dot_product_attention,
                                                       part(x, first, count, 1), keys, keys, int32_t{1}, 0.0, 0.0));
    for (size_t i = 0; i < last.size(); ++i)
      EXPECT_NEAR(last[i], whole[static_cast<size_t>(6 * first) + i], 1e-6) << "of " << count;
  }
}

// One node is queries, keys and values: its gradient is the sum of theirs.
TEST_F(AttentionTest, AddsTheGradientsOfOneOperandUsedThrice) {
  const std::vector<float> values = some_values(24, 4);
  const dn_expr x = input(graph_, {6, 4}, values);
  const dn_expr apart[] = {input(graph_, {6, 4}, values), input(graph_, {6, 4}, values), input(graph_, {6, 4}, values)};
  backward(make(graph_, dn_op_multi_head_attention, x, x, x, int32_t{2}, int32_t{1}, 0.0, 0.0));
  const std::vector<float> together = gradient(graph_, x);
  backward(make(graph_, dn_op_multi_head_attention, apart[0], apart[1], apart[2], int32_t{2}, int32_t{1}, 0.0, 0.0));
  for (size_t i = 0; i < together.size(); ++i) {
    float sum = 0;
    for (const dn_expr each : apart) sum += gradient(graph_, each)[i];
    EXPECT_NEAR(together[i], sum, 1e-6);
  }
}

}  // namespace
}  // namespace dynnet::test

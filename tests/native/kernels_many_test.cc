// Elementwise operations of many operands: against double, and what becomes of ties and infinities.

#include <cmath>
#include <limits>
#include <vector>

#include "kernels_testing.h"
#include "special.h"

namespace dynnet::test {
namespace {

using ManyKernels = KernelsTest;

TEST_P(ManyKernels, AgreeWithDouble) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(9), n = Size(200);
    for (Layout layout : kLayouts) {
      Operand x(layout, rows, n), y(Layout::kDense, 1, n), z(Layout::kDense, 1, 2 * n);
      x.Fill(random_, -3, 3);
      k().max_rows(y.Row(0), x.view(), rows, n);
      for (int64_t j = 0; j < n; ++j) {
        float largest = x.At(0, j);
        for (int64_t i = 1; i < rows; ++i) largest = std::max(largest, x.At(i, j));
        ASSERT_EQ(y.At(0, j), largest);
      }
      k().log_sum_exp_rows(y.Row(0), z.Row(0), x.view(), rows, n);
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t i = 0; i < rows; ++i) sum += std::exp(static_cast<double>(x.At(i, j)));
        ASSERT_NEAR(y.At(0, j), std::log(sum), 5e-7);
        ASSERT_NEAR(std::exp(static_cast<double>(z.At(0, j))) / z.At(0, n + j), sum, 1e-6 * sum);
      }
      for (const Operand* operand : {&x, &y, &z}) ASSERT_TRUE(operand->GuardsAreIntact());
    }
  }
}

TEST_P(ManyKernels, Backward) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t rows = Size(9), n = Size(200);
    const bool accumulate = trial % 2 == 1;
    CheckRowKernel(
        "log_sum_exp_rows_backward",
        {.inputs = {{n}, {2 * n, 0.1, 1}, {n}},
         .outputs = {{n}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().log_sum_exp_rows_backward(out[0], in[0], in[1], in[2], r, n, accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               const size_t size = in[0].size();
               for (size_t j = 0; j < size; ++j)
                 Put(accumulate, out[0][j], in[2][j] * std::exp(in[0][j] - in[1][j]) * in[1][size + j]);
             },
         .tolerance = 1e-6},
        rows, random_);
  }
}

TEST_P(ManyKernels, TheGradientOfTheLargestIsThatOfTheLastOfEquals) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(9), n = Size(200);
    const bool accumulate = trial % 2 == 1;
    for (Layout layout : kLayouts) {
      Operand x(layout, rows, n), d(layout, rows, n), y(Layout::kDense, 1, n), dy(Layout::kDense, 1, n);
      // Few different numbers, so that many are equal.
      x.Fill(random_, -2, 2);
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < n; ++j) x.At(i, j) = std::floor(x.At(i, j));
      d.Fill(random_, -1, 1);
      dy.Fill(random_, 1, 2);
      std::vector<float> expected;
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < n; ++j) expected.push_back(accumulate ? d.At(i, j) : 0.0f);
      for (int64_t j = 0; j < n; ++j) {
        int64_t last = 0;
        for (int64_t i = 1; i < rows; ++i)
          if (x.At(i, j) >= x.At(last, j)) last = i;
        expected[static_cast<size_t>(last * n + j)] += dy.At(0, j);
      }
      k().max_rows(y.Row(0), x.view(), rows, n);
      k().max_rows_backward(d.view(), x.view(), y.Row(0), dy.Row(0), rows, n, accumulate);
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < n; ++j) ASSERT_EQ(d.At(i, j), expected[static_cast<size_t>(i * n + j)]);
      for (const Operand* operand : {&x, &y, &d, &dy}) ASSERT_TRUE(operand->GuardsAreIntact());
    }
  }
}

TEST_P(ManyKernels, LogSumExpOfLargeAndInfiniteNumbers) {
  const auto log_sum_exp = [&](float a, float b) {
    Operand x(Layout::kDense, 2, 21), y(Layout::kDense, 1, 21), z(Layout::kDense, 1, 42), d(Layout::kDense, 1, 21);
    for (int64_t j = 0; j < 21; ++j) {
      x.At(0, j) = a;
      x.At(1, j) = b;
    }
    k().log_sum_exp_rows(y.Row(0), z.Row(0), x.view(), 2, 21);
    Operand ones(Layout::kDense, 1, 21);
    ones.Fill(random_, 1, 1);
    k().log_sum_exp_rows_backward(d.view(), x.view(), z.view(), ones.view(), 1, 21, false);
    return std::pair{y.At(0, 20), d.At(0, 20)};
  };
  EXPECT_EQ(log_sum_exp(1000, 1000).first, 1000 + std::log(2.0f));
  EXPECT_EQ(log_sum_exp(1000, 1000).second, 0.5f);
  EXPECT_EQ(log_sum_exp(-1e30f, 1e30f).first, 1e30f);
  EXPECT_EQ(log_sum_exp(-1e30f, 1e30f).second, 0.0f);
  EXPECT_EQ(log_sum_exp(-kInfinity, 3).first, 3.0f);
  EXPECT_EQ(log_sum_exp(-kInfinity, -kInfinity).first, -kInfinity);
  EXPECT_EQ(log_sum_exp(-kInfinity, -kInfinity).second, 0.0f);
  EXPECT_EQ(log_sum_exp(kInfinity, 3).first, kInfinity);
}

DYNNET_TEST_ALL_KERNELS(ManyKernels);

}  // namespace
}  // namespace dynnet::test

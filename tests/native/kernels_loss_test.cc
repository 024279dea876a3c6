// Reductions, probabilities and losses: against double, in all layouts; and what becomes of infinities.

#include <limits>
#include <numeric>

#include "kernels_testing.h"
#include "special.h"

namespace dynnet::test {
namespace {

using Values = std::vector<double>;

double LogSumExp(const Values& x) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (double v : x) sum += std::exp(v - largest);
  return largest + std::log(sum);
}

class LossKernels : public KernelsTest {
 protected:
  std::vector<int32_t> Labels(int64_t rows, int64_t n) {
    std::vector<int32_t> labels;
    for (int64_t i = 0; i < rows; ++i) labels.push_back(static_cast<int32_t>(random_() % static_cast<uint64_t>(n)));
    return labels;
  }
};

TEST_P(LossKernels, ReductionsToOneNumber) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(9), n = Size(300);
    CheckRowKernel(
        "sum_elements",
        {.inputs = {{n}},
         .outputs = {{1}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().sum_elements(out[0], in[0], r, n); },
         .reference = [](int64_t, const auto& in,
                         auto& out) { out[0][0] = std::accumulate(in[0].begin(), in[0].end(), 0.0); },
         .tolerance = 1e-4},
        rows, random_);
    CheckRowKernel(
        "dot",
        {.inputs = {{n}, {n}},
         .outputs = {{1}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().dot(out[0], in[0], in[1], r, n); },
         .reference = [](int64_t, const auto& in,
                         auto& out) { out[0][0] = std::inner_product(in[0].begin(), in[0].end(), in[1].begin(), 0.0); },
         .tolerance = 1e-4},
        rows, random_);
    CheckRowKernel("squared_distance",
                   {.inputs = {{n}, {n}},
                    .outputs = {{1}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().squared_distance(out[0], in[0], in[1], r, n); },
                    .reference =
                        [](int64_t, const auto& in, auto& out) {
                          out[0][0] = 0;
                          for (size_t j = 0; j < in[0].size(); ++j) out[0][0] += std::pow(in[0][j] - in[1][j], 2);
                        }},
                   rows, random_);
  }
}

TEST_P(LossKernels, GradientsOfReductions) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(9), n = Size(100);
    const bool accumulate = trial % 2 == 1;
    CheckRowKernel("scale_by",
                   {.inputs = {{n}, {1}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().scale_by(out[0], in[0], in[1], r, n, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t j = 0; j < in[0].size(); ++j) Put(accumulate, out[0][j], in[1][0] * in[0][j]);
                        }},
                   rows, random_);
    CheckRowKernel("spread",
                   {.inputs = {{1}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().spread(out[0], in[0], r, n, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (double& d : out[0]) Put(accumulate, d, in[0][0]);
                        }},
                   rows, random_);
  }
}

TEST_P(LossKernels, SumRows) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(20), n = Size(300);
    const bool accumulate = trial % 2 == 1;
    Operand x(Layout::kList, rows, n), dense(Layout::kDense, rows, n), y(Layout::kDense, 1, n), z(Layout::kDense, 1, n),
        one_by_one(Layout::kDense, 1, n);
    x.Fill(random_, -1, 1);
    dense.CopyFrom(x);
    y.Fill(random_, -1, 1);
    z.CopyFrom(y);
    one_by_one.CopyFrom(y);
    Values want(static_cast<size_t>(n));
    for (int64_t j = 0; j < n; ++j) {
      want[j] = accumulate ? y.At(0, j) : 0;
      for (int64_t i = 0; i < rows; ++i) want[j] += x.At(i, j);
    }
    k().sum_rows(y.Row(0), x.view(), rows, n, accumulate);
    k().sum_rows(z.Row(0), dense.view(), rows, n, accumulate);
    for (int64_t i = 0; i < rows; ++i) {
      k().sum_rows(one_by_one.Row(0), x.view().from(i), 1, n, accumulate || i > 0);
    }
    ASSERT_TRUE(y.GuardsAreIntact());
    ExpectSameBits(y, z, "sum_rows, dense and list");
    ExpectSameBits(y, one_by_one, "sum_rows, at once and one by one");
    for (int64_t j = 0; j < n; ++j) ASSERT_NEAR(y.At(0, j), want[j], 1e-5);
    if (accumulate) continue;
    k().scaled_sum_rows(z.Row(0), x.view(), 0.25f, rows, n);
    ASSERT_TRUE(z.GuardsAreIntact());
    // A power of two: exact.
    for (int64_t j = 0; j < n; ++j) ASSERT_EQ(z.At(0, j), 0.25f * y.At(0, j));
  }
}

TEST_P(LossKernels, AddToRows) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(9), n = Size(300);
    const bool accumulate = trial % 2 == 1;
    for (Layout layout : kLayouts) {
      Operand d(layout, rows, n), before(Layout::kDense, rows, n), x(Layout::kDense, 1, n);
      d.Fill(random_, -1, 1);
      before.CopyFrom(d);
      x.Fill(random_, -1, 1);
      k().add_to_rows(d.view(), x.Row(0), 0.75f, rows, n, accumulate);
      ASSERT_TRUE(d.GuardsAreIntact());
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < n; ++j)
          ASSERT_FLOAT_EQ(d.At(i, j), (accumulate ? before.At(i, j) : 0) + 0.75f * x.At(0, j));
    }
  }
}

TEST_P(LossKernels, Softmax) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(9), n = Size(200);
    const bool accumulate = trial % 2 == 1;
    CheckRowKernel(
        "softmax",
        {.inputs = {{n, -10, 10}},
         .outputs = {{n}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().softmax(out[0], in[0], r, n); },
         .reference =
             [](int64_t, const auto& in, auto& out) {
               const double z = LogSumExp(in[0]);
               for (size_t j = 0; j < in[0].size(); ++j) out[0][j] = std::exp(in[0][j] - z);
             },
         .tolerance = 1e-6},
        rows, random_);
    CheckRowKernel(
        "log_softmax",
        {.inputs = {{n, -10, 10}},
         .outputs = {{n}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().log_softmax(out[0], in[0], r, n); },
         .reference =
             [](int64_t, const auto& in, auto& out) {
               const double z = LogSumExp(in[0]);
               for (size_t j = 0; j < in[0].size(); ++j) out[0][j] = in[0][j] - z;
             },
         .tolerance = 1e-6},
        rows, random_);
    CheckRowKernel("softmax_backward",
                   {.inputs = {{n, 0, 1}, {n}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().softmax_backward(out[0], in[0], in[1], r, n, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const double mean = std::inner_product(in[0].begin(), in[0].end(), in[1].begin(), 0.0);
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            Put(accumulate, out[0][j], in[0][j] * (in[1][j] - mean));
                          }
                        }},
                   rows, random_);
    CheckRowKernel("log_softmax_backward",
                   {.inputs = {{n, -5, 0}, {n}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().log_softmax_backward(out[0], in[0], in[1], r, n, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const double sum = std::accumulate(in[1].begin(), in[1].end(), 0.0);
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            Put(accumulate, out[0][j], in[1][j] - std::exp(in[0][j]) * sum);
                          }
                        }},
                   rows, random_);
  }
}

TEST_P(LossKernels, SoftmaxOfInfinities) {
  // What is masked out has no probability, and a large number no overflow.
  for (int64_t n : {3, 16, 21}) {
    Operand x(Layout::kDense, 1, n), y(Layout::kDense, 1, n);
    for (int64_t j = 0; j < n; ++j) x.At(0, j) = -kInfinity;
    x.At(0, 0) = x.At(0, n - 1) = 3e38f;
    k().softmax(y.view(), x.view(), 1, n);
    EXPECT_EQ(y.At(0, 0), 0.5f);
    EXPECT_EQ(y.At(0, n - 1), 0.5f);
    EXPECT_EQ(y.At(0, 1), 0.0f);
    x.At(0, 0) = 1;
    x.At(0, n - 1) = 1;
    k().log_softmax(y.view(), x.view(), 1, n);
    EXPECT_FLOAT_EQ(y.At(0, 0), -std::log(2.0f));
    EXPECT_EQ(y.At(0, 1), -kInfinity);
  }
}

TEST_P(LossKernels, PickNegLogSoftmax) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(20), n = Size(100);
    const bool accumulate = trial % 2 == 1;
    const std::vector<int32_t> labels = Labels(rows, n);
    CheckRowKernel(
        "pick_neg_log_softmax",
        {.inputs = {{n, -5, 5}},
         .outputs = {{1}, {2}},
         .run = [&](const Rows* in, const Rows* out, int64_t first,
                    int64_t r) { k().pick_neg_log_softmax(out[0], out[1], in[0], labels.data() + first, r, n); },
         .reference =
             [&](int64_t i, const auto& in, auto& out) {
               out[1][0] = *std::max_element(in[0].begin(), in[0].end());
               out[1][1] = LogSumExp(in[0]) - out[1][0];
               out[0][0] = LogSumExp(in[0]) - in[0][labels[i]];
             },
         .tolerance = 2e-6},
        rows, random_);
    CheckRowKernel("pick_neg_log_softmax_backward",
                   {.inputs = {{n}, {2, 1, 2}, {1}},
                    .outputs = {{n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t first, int64_t r) {
                          k().pick_neg_log_softmax_backward(out[0], in[0], in[1], in[2], labels.data() + first, r, n,
                                                            accumulate);
                        },
                    .reference =
                        [&](int64_t i, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            Put(accumulate, out[0][j],
                                in[2][0] * (std::exp(in[0][j] - in[1][0] - in[1][1]) - (j == labels[i] ? 1 : 0)));
                          }
                        },
                    .tolerance = 2e-6},
                   rows, random_);
  }
}

TEST_P(LossKernels, LargeScoresLoseNoPrecision) {
  // Differences of scores are exact here, so that probabilities are as precise as for small scores.
  const int64_t n = 21;
  const int32_t label = 4;
  Operand x(Layout::kDense, 1, n), small(Layout::kDense, 1, n), y(Layout::kDense, 1, n), expected(Layout::kDense, 1, n);
  for (int64_t j = 0; j < n; ++j) {
    small.At(0, j) = static_cast<float>(j % 7) * 0.25f;
    x.At(0, j) = small.At(0, j) + 4096;
  }
  k().log_softmax(y.view(), x.view(), 1, n);
  k().log_softmax(expected.view(), small.view(), 1, n);
  for (int64_t j = 0; j < n; ++j) EXPECT_EQ(y.At(0, j), expected.At(0, j)) << j;

  Operand loss(Layout::kDense, 1, 1), kept(Layout::kDense, 1, 2), scale(Layout::kDense, 1, 1);
  k().pick_neg_log_softmax(loss.view(), kept.view(), x.view(), &label, 1, n);
  EXPECT_EQ(loss.At(0, 0), -expected.At(0, label));
  scale.At(0, 0) = 1;
  k().pick_neg_log_softmax_backward(y.view(), x.view(), kept.view(), scale.view(), &label, 1, n, false);
  for (int64_t j = 0; j < n; ++j)
    EXPECT_NEAR(y.At(0, j), std::exp(expected.At(0, j)) - (j == label ? 1 : 0), 1e-6) << j;
}

TEST_P(LossKernels, BinaryLogLoss) {
  const double least = std::numeric_limits<float>::min();
  const auto bounded = [&](double p) { return std::max(p, least); };
  const auto bounded_rest = [](double p) { return std::max(1 - p, std::ldexp(1.0, -23)); };
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(9), n = Size(60);
    const bool accumulate = trial % 2 == 1;
    // Probabilities of 0 and 1 included: the targets differ from them in every other trial.
    const double low = trial % 4 == 0 ? trial / 4 % 2 : 0.01, high = trial % 4 == 0 ? low : 0.99;
    CheckRowKernel("binary_log_loss",
                   {.inputs = {{n, low, high}, {n, 0, 1}},
                    .outputs = {{1}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().binary_log_loss(out[0], in[0], in[1], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          out[0][0] = 0;
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            out[0][0] -= in[1][j] * std::log(bounded(in[0][j])) +
                                         (1 - in[1][j]) * std::log(bounded(1 - in[0][j]));
                          }
                        }},
                   rows, random_);
    for (int side : {0, 1}) {
      CheckRowKernel(
          "binary_log_loss_backward",
          {.inputs = {{n, low, high}, {n, 0, 1}, {1}},
           .outputs = {{n}},
           .run = [&](const Rows* in, const Rows* out, int64_t,
                      int64_t r) { k().binary_log_loss_backward(side, out[0], in[0], in[1], in[2], r, n, accumulate); },
           .reference =
               [&](int64_t, const auto& in, auto& out) {
                 for (size_t j = 0; j < in[0].size(); ++j) {
                   const double x = in[0][j], t = in[1][j];
                   Put(accumulate, out[0][j],
                       in[2][0] * (side == 0 ? (1 - t) / bounded_rest(x) - t / bounded(x)
                                             : std::log(bounded(1 - x)) - std::log(bounded(x))));
                 }
               }},
          rows, random_);
    }
  }
}

TEST_P(LossKernels, Hinge) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(9), n = Size(60);
    const bool accumulate = trial % 2 == 1;
    const std::vector<int32_t> labels = Labels(rows, n);
    std::vector<float> margins;
    for (int64_t i = 0; i < rows; ++i) margins.push_back(0.25f * static_cast<float>(i));
    CheckRowKernel(
        "hinge",
        {.inputs = {{n}},
         .outputs = {{1}},
         .run = [&](const Rows* in, const Rows* out, int64_t first,
                    int64_t r) { k().hinge(out[0], in[0], labels.data() + first, margins.data() + first, r, n); },
         .reference =
             [&](int64_t i, const auto& in, auto& out) {
               out[0][0] = 0;
               for (int64_t j = 0; j < n; ++j) {
                 if (j != labels[i]) {
                   out[0][0] += std::max(0.0, margins[i] - in[0][labels[i]] + in[0][j]);
                 }
               }
             }},
        rows, random_);
    CheckRowKernel("hinge_backward",
                   {.inputs = {{n}, {1}},
                    .outputs = {{n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t first, int64_t r) {
                          k().hinge_backward(out[0], in[0], in[1], labels.data() + first, margins.data() + first, r, n,
                                             accumulate);
                        },
                    .reference =
                        [&](int64_t i, const auto& in, auto& out) {
                          Values d(static_cast<size_t>(n), 0.0);
                          for (int64_t j = 0; j < n; ++j) {
                            if (j == labels[i] || margins[i] - in[0][labels[i]] + in[0][j] <= 0) continue;
                            d[j] += in[1][0];
                            d[labels[i]] -= in[1][0];
                          }
                          for (int64_t j = 0; j < n; ++j) Put(accumulate, out[0][j], d[j]);
                        }},
                   rows, random_);
  }
}

DYNNET_TEST_ALL_KERNELS(LossKernels);

}  // namespace
}  // namespace dynnet::test

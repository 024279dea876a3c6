// Softmax across columns, sparsemax and its loss, the constrained softmax: against double, in all layouts; and what
// becomes of ties, infinities and impossible bounds.

#include <limits>
#include <numeric>

#include "kernels_testing.h"
#include "special.h"

namespace dynnet::test {
namespace {

using Values = std::vector<double>;

// The threshold of sparsemax, by halving where it must lie.
double Threshold(const Values& x) {
  double high = *std::max_element(x.begin(), x.end()), low = high - 1;
  for (int i = 0; i < 200; ++i) {
    const double t = (low + high) / 2;
    double sum = 0;
    for (double v : x) sum += std::max(0.0, v - t);
    (sum > 1 ? low : high) = t;
  }
  return low;
}

Values Sparsemax(const Values& x) {
  const double t = Threshold(x);
  Values p;
  for (double v : x) p.push_back(std::max(0.0, v - t));
  return p;
}

// min(u, exp(x - t)) that adds up to 1, t by halving; u where that cannot be.
Values ConstrainedSoftmax(const Values& x, const Values& u) {
  if (std::accumulate(u.begin(), u.end(), 0.0) <= 1) return u;
  double low = -1000, high = 1000;
  const auto at = [&](double t) {
    Values p;
    for (size_t j = 0; j < x.size(); ++j) p.push_back(std::min(u[j], std::exp(x[j] - t)));
    return p;
  };
  for (int i = 0; i < 200; ++i) {
    const double t = (low + high) / 2;
    const Values p = at(t);
    (std::accumulate(p.begin(), p.end(), 0.0) > 1 ? low : high) = t;
  }
  return at(low);
}

class SparsemaxKernels : public KernelsTest {
 protected:
  // A kernel of one row with operands of its own.
  Values Run(const Values& x, const std::function<void(Rows y, Rows x)>& kernel) {
    const auto n = static_cast<int64_t>(x.size());
    Operand in(Layout::kDense, 1, n), out(Layout::kDense, 1, n);
    for (int64_t j = 0; j < n; ++j) in.At(0, j) = static_cast<float>(x[static_cast<size_t>(j)]);
    kernel(out.view(), in.view());
    return Values(out.Row(0), out.Row(0) + n);
  }

  Values Constrained(const Values& x, const Values& u) {
    const auto n = static_cast<int64_t>(x.size());
    Operand bounds(Layout::kDense, 1, n);
    for (int64_t j = 0; j < n; ++j) bounds.At(0, j) = static_cast<float>(u[static_cast<size_t>(j)]);
    return Run(x, [&](Rows y, Rows in) { k().constrained_softmax(y, in, bounds.view(), 1, n); });
  }
};

TEST_P(SparsemaxKernels, SoftmaxAcross) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t blocks = Size(5), inner = Size(40), n = Size(40);
    const bool accumulate = trial % 2 == 1;
    const auto line = [&](const Values& block, int64_t i) {
      Values values;
      for (int64_t j = 0; j < n; ++j) values.push_back(block[static_cast<size_t>(i + j * inner)]);
      return values;
    };
    CheckRowKernel("softmax_across",
                   {.inputs = {{inner * n, -10, 10}},
                    .outputs = {{inner * n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().softmax_across(out[0], in[0], r, inner, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t i = 0; i < inner; ++i) {
                            double sum = 0;
                            for (double v : line(in[0], i)) sum += std::exp(v);
                            for (int64_t j = i; j < inner * n; j += inner) out[0][j] = std::exp(in[0][j]) / sum;
                          }
                        },
                    .tolerance = 1e-6},
                   blocks, random_);
    CheckRowKernel(
        "softmax_across_backward",
        {.inputs = {{inner * n, 0, 1}, {inner * n}},
         .outputs = {{inner * n}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().softmax_across_backward(out[0], in[0], in[1], r, inner, n, accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (int64_t i = 0; i < inner; ++i) {
                 const Values y = line(in[0], i), dy = line(in[1], i);
                 const double mean = std::inner_product(y.begin(), y.end(), dy.begin(), 0.0);
                 for (int64_t j = i; j < inner * n; j += inner)
                   Put(accumulate, out[0][j], in[0][j] * (in[1][j] - mean));
               }
             }},
        blocks, random_);
  }
}

TEST_P(SparsemaxKernels, Sparsemax) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(9), n = Size(200);
    const bool accumulate = trial % 2 == 1;
    // From all in the support to one or two.
    const double range = trial % 3 == 0 ? 0.001 : trial % 3 == 1 ? 1 : 20;
    CheckRowKernel(
        "sparsemax",
        {.inputs = {{n, -range, range}},
         .outputs = {{n}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().sparsemax(out[0], in[0], r, n); },
         .reference = [](int64_t, const auto& in, auto& out) { out[0] = Sparsemax(in[0]); },
         .tolerance = 4e-6},
        rows, random_);
    CheckRowKernel("sparsemax_backward",
                   {.inputs = {{n, -1, 1}, {n}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().sparsemax_backward(out[0], in[0], in[1], r, n, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          double sum = 0, count = 0;
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            if (in[0][j] <= 0) continue;
                            sum += in[1][j];
                            ++count;
                          }
                          for (size_t j = 0; j < in[0].size(); ++j)
                            Put(accumulate, out[0][j], in[0][j] > 0 ? in[1][j] - sum / count : 0);
                        }},
                   rows, random_);
    CheckRowKernel("sparsemax_loss",
                   {.inputs = {{n, -range, range}, {n, 0, 2 / static_cast<double>(n)}},
                    .outputs = {{1}, {2}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().sparsemax_loss(out[0], out[1], in[0], in[1], r, n); },
                    .reference =
                        [](int64_t, const auto& in, auto& out) {
                          const double t = Threshold(in[0]);
                          out[1][0] = *std::max_element(in[0].begin(), in[0].end());
                          out[1][1] = t - out[1][0];
                          out[0][0] = 0;
                          // The kernel takes the largest element off, which for numbers that add up to 1 changes
                          // nothing.
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            const double x = in[0][j] - out[1][0], q = in[1][j];
                            if (x > out[1][1]) out[0][0] += (x * x - out[1][1] * out[1][1]) / 2;
                            out[0][0] += q * q / 2 - q * x;
                          }
                          // Of a q that adds up to less than 1, which no distribution does.
                          out[0][0] = std::max(0.0, out[0][0]);
                        }},
                   rows, random_);
    CheckRowKernel(
        "sparsemax_loss_backward",
        {.inputs = {{n}, {2, -1, 1}, {n, 0, 1}, {1}},
         .outputs = {{n}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().sparsemax_loss_backward(out[0], in[0], in[1], in[2], in[3], r, n, accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (size_t j = 0; j < in[0].size(); ++j) {
                 const double p = std::max(0.0, in[0][j] - in[1][0] - in[1][1]);
                 Put(accumulate, out[0][j], in[3][0] * (p - in[2][j]));
               }
             }},
        rows, random_);
  }
}

TEST_P(SparsemaxKernels, SparsemaxOfTiesAndInfinities) {
  const auto sparsemax = [&](const Values& x) {
    return Run(x, [&](Rows y, Rows in) { k().sparsemax(y, in, 1, static_cast<int64_t>(x.size())); });
  };
  EXPECT_EQ(sparsemax({3}), Values({1}));
  EXPECT_EQ(sparsemax({3, 3}), Values({0.5, 0.5}));
  // The second is at the threshold exactly.
  EXPECT_EQ(sparsemax({3, 2, -5}), Values({1, 0, 0}));
  EXPECT_EQ(sparsemax({1e30, -1e30, 1e30, 0}), Values({0.5, 0, 0.5, 0}));
  EXPECT_EQ(sparsemax({-kInfinity, 0.25, -kInfinity, 0, 0}), Values({0, 0.5, 0, 0.25, 0.25}));
  EXPECT_TRUE(std::isnan(sparsemax({std::nan(""), 1, 2})[0]));
  // What falls by halves: each step of the search leaves few.
  Values halves;
  for (int i = 0; i < 60; ++i) halves.push_back(-std::exp2(-i));
  const Values p = sparsemax(halves), want = Sparsemax(halves);
  for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], want[i], 1e-6);
  // A masked score costs nothing unless it is a label, which then costs everything.
  Operand x(Layout::kDense, 1, 3), q(Layout::kDense, 1, 3), y(Layout::kDense, 1, 1), z(Layout::kDense, 1, 2);
  const float scores[] = {-kInfinity, 0, 0}, target[] = {0, 0.5f, 0.5f};
  for (int j = 0; j < 3; ++j) {
    x.At(0, j) = scores[j];
    q.At(0, j) = target[j];
  }
  k().sparsemax_loss(y.view(), z.view(), x.view(), q.view(), 1, 3);
  EXPECT_EQ(y.At(0, 0), 0);
  q.At(0, 0) = 0.5f;
  q.At(0, 1) = 0;
  k().sparsemax_loss(y.view(), z.view(), x.view(), q.view(), 1, 3);
  EXPECT_EQ(y.At(0, 0), kInfinity);
}

TEST_P(SparsemaxKernels, ConstrainedSoftmax) {
  for (int trial = 0; trial < 80; ++trial) {
    const int64_t rows = Size(9), n = Size(100);
    const bool accumulate = trial % 2 == 1;
    const double most = trial % 3 == 0 ? 1 : 4 / static_cast<double>(n);
    CheckRowKernel("constrained_softmax",
                   {.inputs = {{n, -8, 8}, {n, 0, most}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().constrained_softmax(out[0], in[0], in[1], r, n); },
                    .reference = [](int64_t, const auto& in, auto& out) { out[0] = ConstrainedSoftmax(in[0], in[1]); },
                    .tolerance = 4e-6},
                   rows, random_);
    for (int side = 0; side < 2; ++side) {
      CheckRowKernel("constrained_softmax_backward",
                     {.inputs = {{n, 0.1, 1}, {n, 0.1, 1}, {n}},
                      .outputs = {{n}},
                      .run =
                          [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                            k().constrained_softmax_backward(side == 0 ? out[0] : Rows{}, side == 0 ? Rows{} : out[0],
                                                             in[0], in[1], in[2], r, n, accumulate);
                          },
                      .reference =
                          [&](int64_t, const auto& in, auto& out) {
                            double weighted = 0, sum = 0;
                            for (size_t j = 0; j < in[0].size(); ++j) {
                              if (in[0][j] >= in[1][j]) continue;
                              weighted += in[0][j] * in[2][j];
                              sum += in[0][j];
                            }
                            const double mean = sum > 0 ? weighted / sum : 0;
                            for (size_t j = 0; j < in[0].size(); ++j) {
                              const bool is_free = in[0][j] < in[1][j];
                              Put(accumulate, out[0][j],
                                  is_free == (side == 0) ? (in[2][j] - mean) * (is_free ? in[0][j] : 1) : 0);
                            }
                          }},
                     rows, random_);
    }
  }
}

TEST_P(SparsemaxKernels, ConstrainedSoftmaxOfLargeScores) {
  const auto expect = [&](const Values& x, const Values& u, const Values& want) {
    const Values y = Constrained(x, u);
    for (size_t j = 0; j < want.size(); ++j) EXPECT_NEAR(y[j], want[j], 1e-6) << j;
  };
  for (const double shift : {1e8, -1e8, 3e30}) {
    expect({shift, shift}, {0.4, 0.9}, {0.4, 0.6});
    expect({shift, shift, shift}, {0.1, 0.4, 0.9}, {0.1, 0.4, 0.5});
  }
  // What is far above has its bound, and the others lie together far below.
  expect({1e8, 0, 0}, {0.1, 0.4, 0.9}, {0.1, 0.4, 0.5});
  expect({0, -1e8, -1e8}, {0, 0.4, 0.9}, {0, 0.4, 0.6});
}

TEST_P(SparsemaxKernels, ConstrainedSoftmaxOfImpossibleBounds) {
  const auto constrained = [&](const Values& x, const Values& u) { return Constrained(x, u); };
  EXPECT_EQ(constrained({1, 2, 3}, {0.25, 0.125, 0}), Values({0.25, 0.125, 0}));
  // What must not be leaves all to the others, however far below they are.
  EXPECT_EQ(constrained({1, 1, 90}, {1, 1, 0}), Values({0.5, 0.5, 0}));
  EXPECT_EQ(constrained({-200, -200, 90}, {1, 1, 0.5}), Values({0.25, 0.25, 0.5}));
  EXPECT_EQ(constrained({-kInfinity, 0, 0}, {1, 1, 0.25}), Values({0, 0.75, 0.25}));
  EXPECT_EQ(constrained({-kInfinity, 0, 0}, {1, 0.25, 0.25}), Values({0, 0.25, 0.25}));
  EXPECT_EQ(constrained({0, 0}, {0.5, 0.5}), Values({0.5, 0.5}));
}

DYNNET_TEST_ALL_KERNELS(SparsemaxKernels);

}  // namespace
}  // namespace dynnet::test

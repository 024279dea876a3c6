// Reductions over some loops of each row, norms and distances: against double, in all layouts.

#include <numeric>

#include "kernels_testing.h"
#include "ops/reduction.h"

namespace dynnet::test {
namespace {

using Values = std::vector<double>;
using Lists = std::vector<std::vector<size_t>>;

class ReductionKernels : public KernelsTest {
 protected:
  /// Up to four dimensions, any of them reduced.
  struct Case {
    Dim dim;
    uint32_t dims = 0;
    Reduction shape;
    /// The elements of each result.
    Lists groups;
    int64_t n() const { return dim.size(); }
    int64_t results() const { return static_cast<int64_t>(groups.size()); }
  };

  static Case Make(const Dim& dim, uint32_t dims) {
    Case c;
    c.dim = dim;
    c.dims = dims;
    c.shape = reduction_loops(c.dim, c.dims, false);
    c.groups.resize(static_cast<size_t>(without(c.dim, c.dims).size()));
    for (int64_t at = 0; at < c.n(); ++at) {
      int64_t rest = at, to = 0, step = 1;
      for (uint32_t i = 0; i < dim.nd; ++i) {
        if ((c.dims >> i & 1) == 0) {
          to += rest % c.dim.d[i] * step;
          step *= c.dim.d[i];
        }
        rest /= c.dim.d[i];
      }
      c.groups[static_cast<size_t>(to)].push_back(static_cast<size_t>(at));
    }
    return c;
  }

  Case Draw(bool one) {
    Dim dim;
    dim.nd = 1 + random_() % 4;
    const int64_t largest[] = {300, 70, 12, 7};
    for (uint32_t i = 0; i < dim.nd; ++i) dim.d[i] = static_cast<uint32_t>(Size(largest[dim.nd - 1]));
    return Make(dim, one ? 1u << random_() % dim.nd : random_() % (1u << dim.nd));
  }

  /// Many results, of a few elements each, which lie beside one another or not.
  Case DrawMany() {
    const auto many = static_cast<uint32_t>(1000 + Size(1500)), few = static_cast<uint32_t>(Size(10));
    return random_() % 2 == 0 ? Make(Dim({many, few}), 0b10) : Make(Dim({few, many}), 0b01);
  }

  static double Mean(const Values& x, const std::vector<size_t>& group, double divisor) {
    double sum = 0;
    for (size_t at : group) sum += x[at];
    return sum / divisor;
  }

  /// What the mean of result i is kept less.
  static double Origin(const Case& c, float divisor, const Values& x, size_t i) {
    return divisor == static_cast<float>(c.shape.count) ? x[c.groups[i][0]] : 0;
  }

  static double Squares(const Values& x, const std::vector<size_t>& group, double from) {
    double sum = 0;
    for (size_t at : group) sum += std::pow(x[at] - from, 2);
    return sum;
  }
};

TEST_P(ReductionKernels, LoopsAreMerged) {
  const Reduction columns = reduction_loops(Dim({4, 3, 5}), 0b110, false);
  EXPECT_EQ(columns.inner, 4);
  EXPECT_EQ(columns.run, 15);
  EXPECT_EQ(columns.step, 4);
  EXPECT_EQ(columns.reduced_loops + columns.kept_loops, 0);
  EXPECT_EQ(columns.results, 4);
  const Reduction middle = reduction_loops(Dim({4, 3, 1, 5}, 2), 0b0001, true);
  EXPECT_EQ(middle.inner, 1);
  EXPECT_EQ(middle.run, 4);
  EXPECT_EQ(middle.kept_loops, 1);
  EXPECT_EQ(middle.kept_size[0], 15);
  EXPECT_EQ(middle.reduced_loops, 1);
  EXPECT_EQ(middle.reduced_stride[0], 60);
  EXPECT_EQ(middle.count, 8);
}

TEST_P(ReductionKernels, Moments) {
  for (int trial = 0; trial < 60; ++trial) {
    const Case c = trial % 7 >= 5 ? DrawMany() : Draw(false);
    const int64_t rows = Size(4);
    const int32_t order = 1 + trial % 4;
    const bool accumulate = trial % 3 == 0;
    const float divisor = trial % 5 == 0 ? 3.0f : static_cast<float>(c.shape.count);
    CheckRowKernel("moment",
                   {.inputs = {{c.n()}},
                    .outputs = {{c.results()}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().moment(out[0], in[0], r, c.shape, order, divisor); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t i = 0; i < c.groups.size(); ++i) {
                            out[0][i] = 0;
                            for (size_t at : c.groups[i]) out[0][i] += std::pow(in[0][at], order) / divisor;
                          }
                        }},
                   rows, random_);
    CheckRowKernel(
        "moment_backward",
        {.inputs = {{c.n()}, {c.results()}},
         .outputs = {{c.n()}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().moment_backward(out[0], in[0], in[1], r, c.shape, order, divisor, accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (size_t i = 0; i < c.groups.size(); ++i)
                 for (size_t at : c.groups[i])
                   Put(accumulate, out[0][at], order * std::pow(in[0][at], order - 1) * in[1][i] / divisor);
             }},
        rows, random_);
  }
}

TEST_P(ReductionKernels, Deviations) {
  for (int trial = 0; trial < 60; ++trial) {
    const Case c = trial % 7 >= 5 ? DrawMany() : Draw(false);
    const int64_t rows = Size(4);
    const bool accumulate = trial % 3 == 0;
    const float divisor = trial % 5 == 0 ? 3.0f : static_cast<float>(c.shape.count);
    CheckRowKernel("deviation",
                   {.inputs = {{c.n()}},
                    .outputs = {{c.results()}, {c.results()}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().deviation(out[0], out[1], in[0], r, c.shape, divisor); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t i = 0; i < c.groups.size(); ++i) {
                            const double mean = Mean(in[0], c.groups[i], divisor);
                            out[0][i] = std::sqrt(Squares(in[0], c.groups[i], mean) / divisor);
                            out[1][i] = mean - Origin(c, divisor, in[0], i);
                          }
                        }},
                   rows, random_);
    CheckRowKernel("deviation_backward",
                   {.inputs = {{c.n()}, {c.results(), 0.5, 2}, {c.results()}, {c.results()}},
                    .outputs = {{c.n()}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().deviation_backward(out[0], in[0], in[1], in[2], in[3], r, c.shape, divisor, accumulate);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t i = 0; i < c.groups.size(); ++i) {
                            const double n = divisor, mean = in[2][i] + Origin(c, divisor, in[0], i);
                            const double again = mean * (n - static_cast<double>(c.groups[i].size())) / n;
                            for (size_t at : c.groups[i])
                              Put(accumulate, out[0][at], in[3][i] * (in[0][at] - mean - again) / (n * in[1][i]));
                          }
                        },
                    .tolerance = 1e-4},
                   rows, random_);
  }
}

TEST_P(ReductionKernels, Extremes) {
  for (int trial = 0; trial < 60; ++trial) {
    const Case c = trial % 7 >= 5 ? DrawMany() : Draw(true);
    const int64_t rows = Size(4);
    const bool accumulate = trial % 3 == 0, smallest = trial % 2 == 0;
    const auto best = [&](const Values& x, const std::vector<size_t>& group) {
      size_t at = group[0];
      for (size_t other : group)
        if (smallest ? x[other] < x[at] : x[other] > x[at]) at = other;
      return at;
    };
    const auto forward = [&](const Values& x, Values& y) {
      for (size_t i = 0; i < c.groups.size(); ++i) y[i] = x[best(x, c.groups[i])];
    };
    CheckRowKernel("extreme",
                   {.inputs = {{c.n()}},
                    .outputs = {{c.results()}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().extreme(smallest, out[0], in[0], r, c.shape); },
                    .reference = [&](int64_t, const auto& in, auto& out) { forward(in[0], out[0]); },
                    .tolerance = 0},
                   rows, random_);
    CheckRowKernel("extreme_backward",
                   {.inputs = {{c.n()}, {c.results()}},
                    .outputs = {{c.n()}, {c.results()}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().extreme(smallest, out[1], in[0], r, c.shape);
                          k().extreme_backward(smallest, out[0], in[0], out[1], in[1], r, c.shape, accumulate);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          forward(in[0], out[1]);
                          for (double& d : out[0]) Put(accumulate, d, 0);
                          for (size_t i = 0; i < c.groups.size(); ++i) out[0][best(in[0], c.groups[i])] += in[1][i];
                        }},
                   rows, random_);
    CheckRowKernel("log_sum_exp",
                   {.inputs = {{c.n(), -20, 20}},
                    .outputs = {{c.results()}, {2 * c.results()}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().log_sum_exp(out[0], out[1], in[0], r, c.shape); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t i = 0; i < c.groups.size(); ++i) {
                            double sum = 0, most = -100;
                            for (size_t at : c.groups[i]) {
                              sum += std::exp(in[0][at]);
                              most = std::max(most, in[0][at]);
                            }
                            out[0][i] = std::log(sum);
                            out[1][i] = most;
                            out[1][i + c.groups.size()] = out[0][i] - most;
                          }
                        }},
                   rows, random_);
    CheckRowKernel(
        "log_sum_exp_backward",
        {.inputs = {{c.n()}, {2 * c.results(), 0, 2}, {c.results()}},
         .outputs = {{c.n()}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().log_sum_exp_backward(out[0], in[0], in[1], in[2], r, c.shape, accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (size_t i = 0; i < c.groups.size(); ++i)
                 for (size_t at : c.groups[i])
                   Put(accumulate, out[0][at], in[2][i] * std::exp(in[0][at] - in[1][i] - in[1][i + c.groups.size()]));
             }},
        rows, random_);
  }
}

TEST_P(ReductionKernels, ExtremesOfEqualElements) {
  for (int64_t n : {1, 3, 40, 200}) {
    std::vector<float> x(static_cast<size_t>(n), 1.0f), y(x.size());
    if (n > 2) x[0] = 0.0f;
    k().argmax({y.data(), nullptr, n}, {x.data(), nullptr, n}, 1, n);
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(y[static_cast<size_t>(i)], i == (n > 2 ? 1 : 0) ? 1.0f : 0.0f) << n;
  }
}

TEST_P(ReductionKernels, CumulativeSums) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(4), inner = trial % 2 == 0 ? 1 : Size(40), n = Size(50), outer = Size(20);
    const bool accumulate = trial % 3 == 0, reverse = trial % 4 >= 2;
    CheckRowKernel(
        "cumulative_sum",
        {.inputs = {{inner * n * outer}},
         .outputs = {{inner * n * outer}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().cumulative_sum(out[0], in[0], r, inner, n, outer, reverse, accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (int64_t line = 0; line < inner * outer; ++line) {
                 double sum = 0;
                 for (int64_t i = 0; i < n; ++i) {
                   const int64_t j = reverse ? n - 1 - i : i;
                   const auto at = static_cast<size_t>((line / inner * n + j) * inner + line % inner);
                   sum += in[0][at];
                   Put(accumulate, out[0][at], sum);
                 }
               }
             }},
        rows, random_);
  }
}

TEST_P(ReductionKernels, Distances) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(6), n = Size(100);
    const bool accumulate = trial % 2 == 1;
    const float factor = trial % 3 == 0 ? -1.0f : 1.0f, c = 0.7f;
    const auto sign = [](double d) { return d > 0 ? 1.0 : -1.0; };
    CheckRowKernel("l1_distance and huber_distance",
                   {.inputs = {{n}, {n}},
                    .outputs = {{1}, {1}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().l1_distance(out[0], in[0], in[1], r, n);
                          k().huber_distance(out[1], in[0], in[1], c, r, n);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          out[0][0] = out[1][0] = 0;
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            const double d = std::abs(in[0][j] - in[1][j]);
                            out[0][0] += d;
                            out[1][0] += d <= c ? d * d / 2 : c * (d - static_cast<double>(c) / 2);
                          }
                        }},
                   rows, random_);
    // Both at once, and each alone.
    for (const PairSum sum : {PairSum::kDot, PairSum::kSquared, PairSum::kL1, PairSum::kHuber}) {
      CheckRowKernel("pair_sum_backward",
                     {.inputs = {{n}, {n}, {1}},
                      .outputs = {{n}, {n}, {n}, {n}},
                      .run =
                          [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                            const auto run = [&](Rows da, Rows db) {
                              k().pair_sum_backward(sum, da, db, in[0], in[1], in[2], c, r, n, accumulate);
                            };
                            run(out[0], out[1]);
                            run(out[2], {});
                            run({}, out[3]);
                          },
                      .reference =
                          [&](int64_t, const auto& in, auto& out) {
                            for (size_t j = 0; j < in[0].size(); ++j) {
                              const double d = in[0][j] - in[1][j], g = in[2][0];
                              double slope = 2 * d;
                              if (sum == PairSum::kL1) slope = sign(d);
                              if (sum == PairSum::kHuber) slope = std::abs(d) <= c ? d : c * sign(d);
                              const bool is_dot = sum == PairSum::kDot;
                              for (const size_t first : {0, 2}) {
                                Put(accumulate, out[first][j], g * (is_dot ? in[1][j] : slope));
                                Put(accumulate, out[first + 1][j], g * (is_dot ? in[0][j] : -slope));
                              }
                            }
                          }},
                     rows, random_);
    }
    CheckRowKernel("rank_loss",
                   {.inputs = {{n}, {n}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().rank_loss(out[0], in[0], in[1], c, r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t j = 0; j < in[0].size(); ++j) out[0][j] = std::max(0.0, c - in[0][j] + in[1][j]);
                        }},
                   rows, random_);
    CheckRowKernel("rank_loss_backward",
                   {.inputs = {{n}, {n}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().rank_loss_backward(out[0], in[0], in[1], factor, r, n, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t j = 0; j < in[0].size(); ++j)
                            Put(accumulate, out[0][j], in[0][j] > 0 ? factor * in[1][j] : 0);
                        }},
                   rows, random_);
  }
}

TEST_P(ReductionKernels, Norms) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(6), n = Size(100);
    const bool accumulate = trial % 2 == 1;
    const auto length = [](const Values& x) {
      return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
    };
    CheckRowKernel("l2_norm and weight_norm",
                   {.inputs = {{n, 0.5, 2}, {1}},
                    .outputs = {{1}, {n}, {1}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().l2_norm(out[0], in[0], r, n);
                          k().weight_norm(out[1], out[2], in[0], in[1], r, n);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          out[0][0] = out[2][0] = length(in[0]);
                          for (size_t j = 0; j < in[0].size(); ++j) out[1][j] = in[1][0] * in[0][j] / out[0][0];
                        }},
                   rows, random_);
    CheckRowKernel("the gradients of l2_norm and weight_norm",
                   {.inputs = {{n, 0.5, 2}, {1}, {n}, {1, 0.5, 2}},
                    .outputs = {{n}, {n}, {1}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().l2_norm_backward(out[0], in[0], in[3], in[1], r, n, accumulate);
                          std::vector<float> dots(static_cast<size_t>(r));
                          const Rows products{dots.data(), nullptr, 1};
                          k().weight_norm_backward(out[1], in[0], in[3], in[1], products, in[2], r, n, accumulate);
                          k().weight_norm_backward_g(out[2], products, in[3], r, accumulate);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const double norm = in[3][0], g = in[1][0];
                          const double along = std::inner_product(in[0].begin(), in[0].end(), in[2].begin(), 0.0);
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            Put(accumulate, out[0][j], g * in[0][j] / norm);
                            Put(accumulate, out[1][j], g / norm * (in[2][j] - in[0][j] * along / (norm * norm)));
                          }
                          Put(accumulate, out[2][0], along / norm);
                        },
                    .tolerance = 1e-4},
                   rows, random_);
  }
}

TEST_P(ReductionKernels, LayerNorm) {
  for (int trial = 0; trial < 40; ++trial) {
    const int64_t rows = Size(6), n = Size(100);
    const bool accumulate = trial % 2 == 1;
    CheckRowKernel("layer_norm",
                   {.inputs = {{n}, {n}, {n}},
                    .outputs = {{n}, {2}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().layer_norm(out[0], out[1], in[0], in[1], in[2], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const double mean = std::accumulate(in[0].begin(), in[0].end(), 0.0) / static_cast<double>(n);
                          double squares = 0;
                          for (double x : in[0]) squares += (x - mean) * (x - mean);
                          const double deviation = std::sqrt(squares / static_cast<double>(n));
                          out[1] = {mean - in[0][0], deviation};
                          for (size_t j = 0; j < in[0].size(); ++j)
                            out[0][j] = in[1][j] * (in[0][j] - mean) / (deviation + 1e-8) + in[2][j];
                        },
                    .tolerance = 1e-4},
                   rows, random_);
    CheckRowKernel("the gradients of layer_norm",
                   {.inputs = {{n}, {2, 0.5, 2}, {n}, {n}},
                    .outputs = {{n}, {n}, {n}, {n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().layer_norm_backward(out[0], accumulate, {}, false, in[0], in[1], in[2], in[3], r, n);
                          k().layer_norm_backward_g(out[1], in[0], in[1], in[3], r, n, accumulate);
                          // Both in one pass.
                          k().layer_norm_backward(out[2], accumulate, out[3], accumulate, in[0], in[1], in[2], in[3], r,
                                                  n);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const double mean = in[1][0] + in[0][0], s = in[1][1];
                          double sum = 0, along = 0;
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            sum += in[2][j] * in[3][j] / static_cast<double>(n);
                            along += in[2][j] * in[3][j] * (in[0][j] - mean) / static_cast<double>(n);
                          }
                          for (size_t j = 0; j < in[0].size(); ++j) {
                            const double c = in[0][j] - mean;
                            for (const size_t first : {0, 2}) {
                              Put(accumulate, out[first][j], (in[2][j] * in[3][j] - sum - c * along / (s * s)) / s);
                              Put(accumulate, out[first + 1][j], in[3][j] * c / s);
                            }
                          }
                        },
                    .tolerance = 1e-4},
                   rows, random_);
  }
}

DYNNET_TEST_ALL_KERNELS(ReductionKernels);

}  // namespace
}  // namespace dynnet::test

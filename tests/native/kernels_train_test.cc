// Random numbers and updates of weights.

#include <limits>

#include "kernels_testing.h"
#include "special.h"

namespace dynnet::test {
namespace {

using TrainKernels = KernelsTest;

/// One word of Philox 4x32-10 for a counter of 64 bits, written down from the paper.
uint32_t Philox(uint64_t key, uint64_t counter, int word) {
  uint32_t c[4] = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0};
  uint32_t k[2] = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = 0xd2511f53ull * c[0], p1 = 0xcd9e8d57ull * c[2];
    const uint32_t next[4] = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
                              static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    memcpy(c, next, sizeof c);
    k[0] += 0x9e3779b9u;
    k[1] += 0xbb67ae85u;
  }
  return c[word];
}

TEST(Philox, IsTheGeneratorOfThePaper) {
  // The first of the known answers that its authors publish: key and counter 0.
  EXPECT_EQ(Philox(0, 0, 0), 0x6627e8d5u);
  EXPECT_EQ(Philox(0, 0, 1), 0xe169c58du);
  EXPECT_EQ(Philox(0, 0, 2), 0xbc57ac4cu);
  EXPECT_EQ(Philox(0, 0, 3), 0x9b00dbd8u);
}

TEST_P(TrainKernels, UniformNumbersAreThoseOfTheirPositions) {
  for (uint64_t key : {uint64_t{0}, uint64_t{0x123456789abcdef0}}) {
    for (int64_t n : {1, 15, 64, 65, 1000}) {
      Operand to(Layout::kStrided, 1, n);
      k().random_uniform(to.Row(0), n, key);
      ASSERT_TRUE(to.GuardsAreIntact());
      for (int64_t j = 0; j < n; ++j) {
        const uint32_t bits = Philox(key, static_cast<uint64_t>(j / 64 * 16 + j % 16), static_cast<int>(j % 64 / 16));
        ASSERT_EQ(to.At(0, j), static_cast<float>(bits >> 8) / 16777216.0f) << j;
      }
    }
  }
}

TEST_P(TrainKernels, NormalNumbersAreNormal) {
  constexpr int64_t kN = 200000;
  std::vector<float> z(kN), part(kN);
  k().random_normal(z.data(), kN, 42);
  double moments[5] = {};
  int64_t within_one = 0, beyond_three = 0;
  for (float x : z) {
    double power = 1;
    for (double& m : moments) m += power / kN, power *= x;
    within_one += std::abs(x) < 1;
    beyond_three += std::abs(x) > 3;
  }
  EXPECT_NEAR(moments[1], 0, 0.01);
  EXPECT_NEAR(moments[2], 1, 0.02);
  EXPECT_NEAR(moments[3], 0, 0.05);
  EXPECT_NEAR(moments[4], 3, 0.15);
  EXPECT_NEAR(static_cast<double>(within_one) / kN, 0.6827, 0.005);
  EXPECT_NEAR(static_cast<double>(beyond_three) / kN, 0.0027, 0.0006);
  // A shorter run draws the same numbers, and each pair is that of its uniform numbers.
  k().random_normal(part.data(), 777, 42);
  for (int64_t j = 0; j < 777; ++j) ASSERT_TRUE(SameBits(part[j], z[j])) << j;
  std::vector<float> u(256);
  k().random_uniform(u.data(), 256, 42);
  for (int64_t j = 0; j < 256; ++j) {
    const int64_t radius = j - j % 32 + j % 16, angle = radius + 16;
    const double r = std::sqrt(-2 * std::log(1.0 - u[radius])), a = 2 * std::acos(-1.0) * u[angle];
    ASSERT_NEAR(z[j], r * (j % 32 < 16 ? std::cos(a) : std::sin(a)), 2e-6) << j;
  }
}

TEST_P(TrainKernels, DropoutMask) {
  constexpr int64_t kRows = 4, kN = 1000;
  const uint64_t keys[] = {1, 2, 1, 4};
  const float rates[] = {0.5f, 0.25f, 0.5f, 0.0f};
  CheckRowKernel("dropout_mask",
                 {.outputs = {{kN}},
                  .run = [&](const Rows*, const Rows* out, int64_t first,
                             int64_t r) { k().dropout_mask(out[0], keys + first, rates + first, r, kN); },
                  .reference =
                      [&](int64_t i, const auto&, auto& out) {
                        std::vector<float> u(kN);
                        k().random_uniform(u.data(), kN, keys[i]);
                        for (int64_t j = 0; j < kN; ++j) out[0][j] = u[j] < rates[i] ? 0 : 1 / (1 - rates[i]);
                      },
                  .tolerance = 1e-6},
                 kRows, random_);
  Operand mask(Layout::kDense, kRows, kN);
  k().dropout_mask(mask.view(), keys, rates, kRows, kN);
  int zeros = 0, same = 0;
  for (int64_t j = 0; j < kN; ++j) {
    zeros += mask.At(0, j) == 0;
    same += (mask.At(0, j) == 0) == (mask.At(1, j) == 0);
    EXPECT_EQ(mask.At(0, j), mask.At(2, j));
    EXPECT_EQ(mask.At(3, j), 1.0f);
  }
  EXPECT_NEAR(zeros, 500, 60);
  EXPECT_LT(same, 600);
}

// Each distribution from the uniform or normal numbers of the row's key.
TEST_P(TrainKernels, Draws) {
  constexpr int64_t kRows = 3, kN = 333;
  const uint64_t keys[] = {5, 6, 5};
  const float a[] = {0.25f, 0.5f, 1.0f}, b[] = {1.5f, 4.0f, 3.0f};
  struct Case {
    Distribution distribution;
    bool normal;
    double (*number)(double drawn, double a, double b);
  };
  const Case cases[] = {
      {Distribution::kUniform, false, [](double u, double low, double high) { return low + u * (high - low); }},
      {Distribution::kNormal, true, [](double z, double mean, double deviation) { return mean + deviation * z; }},
      {Distribution::kBernoulli, false, [](double u, double p, double scale) { return u < p ? scale : 0; }},
      {Distribution::kGumbel, false,
       [](double u, double mu, double beta) { return mu - beta * std::log(std::max(-std::log(1 - u), 0x1p-25)); }},
  };
  const auto drawn = [&](bool normal, int64_t i) {
    std::vector<float> numbers(kN);
    (normal ? k().random_normal : k().random_uniform)(numbers.data(), kN, keys[i]);
    return numbers;
  };
  for (const Case& c : cases) {
    CheckRowKernel(
        "draw",
        {.outputs = {{kN}},
         .run = [&](const Rows*, const Rows* out, int64_t first,
                    int64_t r) { k().draw(c.distribution, out[0], keys + first, a + first, b + first, r, kN); },
         .reference =
             [&](int64_t i, const auto&, auto& out) {
               const std::vector<float> numbers = drawn(c.normal, i);
               for (int64_t j = 0; j < kN; ++j) out[0][j] = c.number(numbers[j], a[i], b[i]);
             },
         .tolerance = 2e-6},
        kRows, random_);
  }
  CheckRowKernel("add_noise",
                 {.inputs = {{kN}},
                  .outputs = {{kN}},
                  .run = [&](const Rows* in, const Rows* out, int64_t first,
                             int64_t r) { k().add_noise(out[0], in[0], keys + first, b + first, r, kN); },
                  .reference =
                      [&](int64_t i, const auto& in, auto& out) {
                        const std::vector<float> z = drawn(true, i);
                        for (int64_t j = 0; j < kN; ++j) out[0][j] = in[0][j] + static_cast<double>(b[i]) * z[j];
                      },
                  .tolerance = 1e-6},
                 kRows, random_);
}

TEST_P(TrainKernels, Adam) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t n = Size(200);
    const AdamStep step{0.9f, 0.999f, 1e-6f, 0.01f, 0.5f, 0.99f, 0.1f, 0.001f};
    CheckRowKernel("adam",
                   {.inputs = {{n}},
                    .outputs = {{n}, {n}, {n, 0.1, 1}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) {
                            k().adam(out[0].at(i), in[0].at(i), out[1].at(i), out[2].at(i), n, step);
                          }
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            const double g = 0.5 * in[0][j];
                            out[1][j] = 0.9 * out[1][j] + 0.1 * g;
                            out[2][j] = 0.999 * out[2][j] + 0.001 * g * g;
                            out[0][j] = 0.99 * out[0][j] - 0.01 * out[1][j] / (std::sqrt(out[2][j]) + 1e-6);
                          }
                        },
                    .tolerance = 1e-6},
                   3, random_);
  }
}

TEST_P(TrainKernels, AdamOfAWeightWithoutAGradientYet) {
  float w[3] = {1, 2, 3}, g[3] = {}, m[3] = {}, v[3] = {};
  k().adam(w, g, m, v, 3, {0.9f, 0.999f, 1e-8f, 0.1f, 1.0f, 1.0f, 0.1f, 0.001f});
  EXPECT_EQ(w[0], 1.0f);
  EXPECT_EQ(w[2], 3.0f);
}

TEST_P(TrainKernels, GradientDescent) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t n = Size(200);
    CheckRowKernel("sgd",
                   {.inputs = {{n}},
                    .outputs = {{n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) k().sgd(out[0].at(i), in[0].at(i), n, 0.1f, 0.9f);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) out[0][j] = 0.9 * out[0][j] - 0.1 * in[0][j];
                        },
                    .tolerance = 1e-6},
                   3, random_);
    const MomentumStep step{0.1f, 0.8f, 0.9f, 0.7f};
    CheckRowKernel("momentum_sgd",
                   {.inputs = {{n}},
                    .outputs = {{n}, {n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) {
                            k().momentum_sgd(out[0].at(i), in[0].at(i), out[1].at(i), n, step);
                          }
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = 0.8 * out[1][j] - 0.1 * in[0][j];
                            out[0][j] = 0.9 * out[0][j] + 0.7 * out[1][j];
                          }
                        },
                    .tolerance = 1e-6},
                   3, random_);
    CheckRowKernel("nesterov",
                   {.inputs = {{n}},
                    .outputs = {{n}, {n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) {
                            k().nesterov(out[0].at(i), in[0].at(i), out[1].at(i), n, step);
                          }
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = 0.8 * out[1][j] - 0.1 * in[0][j];
                            out[0][j] = 0.9 * out[0][j] + 0.7 * (0.8 * out[1][j] - 0.1 * in[0][j]);
                          }
                        },
                    .tolerance = 1e-6},
                   3, random_);
  }
}

TEST_P(TrainKernels, AdaptiveRates) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t n = Size(200);
    const AdaptiveStep step{0.9f, 0.1f, 1e-6f, 0.01f, 0.5f, 0.99f};
    CheckRowKernel("rms_prop",
                   {.inputs = {{n}},
                    .outputs = {{n}, {n, 0.1, 1}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i)
                            k().rms_prop(out[0].at(i), in[0].at(i), out[1].at(i), n, step);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            const double g = 0.5 * in[0][j];
                            out[1][j] = 0.9 * out[1][j] + 0.1 * g * g;
                            out[0][j] = 0.99 * out[0][j] - 0.01 * g / std::sqrt(out[1][j] + 1e-6);
                          }
                        },
                    .tolerance = 1e-6},
                   3, random_);
    CheckRowKernel("adadelta",
                   {.inputs = {{n}},
                    .outputs = {{n}, {n, 0.1, 1}, {n, 0.1, 1}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) {
                            k().adadelta(out[0].at(i), in[0].at(i), out[1].at(i), out[2].at(i), n, step);
                          }
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            const double g = 0.5 * in[0][j];
                            out[1][j] = 0.9 * out[1][j] + 0.1 * g * g;
                            const double d = g * std::sqrt(out[2][j] + 1e-6) / std::sqrt(out[1][j] + 1e-6);
                            out[2][j] = 0.9 * out[2][j] + 0.1 * d * d;
                            out[0][j] = 0.99 * out[0][j] - 0.01 * d;
                          }
                        },
                    .tolerance = 1e-6},
                   3, random_);
  }
}

TEST_P(TrainKernels, Amsgrad) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t n = Size(200);
    const AdamStep step{0.9f, 0.5f, 1e-6f, 0.01f, 0.5f, 0.99f, 0.1f, 0.5f};
    // Some of the largest squares so far are larger than the new one, some are not.
    CheckRowKernel("amsgrad",
                   {.inputs = {{n}},
                    .outputs = {{n}, {n, 0.1, 1}, {n, 0.1, 1}, {n, 0.1, 1}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) {
                            k().amsgrad(out[0].at(i), in[0].at(i), out[1].at(i), out[2].at(i), out[3].at(i), n, step);
                          }
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            const double g = 0.5 * in[0][j];
                            out[1][j] = 0.9 * out[1][j] + 0.1 * g;
                            out[2][j] = 0.5 * out[2][j] + 0.5 * g * g;
                            out[3][j] = std::max<double>(out[3][j], out[2][j]);
                            out[0][j] = 0.99 * out[0][j] - 0.01 * out[1][j] / (std::sqrt(out[3][j]) + 1e-6);
                          }
                        },
                    .tolerance = 1e-6},
                   3, random_);
  }
}

TEST_P(TrainKernels, ExponentiatedGradient) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t n = Size(200);
    CheckRowKernel("exponentiated_gradient",
                   {.inputs = {{n}},
                    .outputs = {{n, 0.1, 1}, {n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) {
                            k().exponentiated_gradient(out[0].at(i), in[0].at(i), out[1].at(i), n, 0.3f, 0.8f);
                          }
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          double sum = 0;
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = 0.8 * out[1][j] - 0.3 * in[0][j];
                            out[0][j] *= std::exp(out[1][j]);
                            sum += out[0][j];
                          }
                          for (int64_t j = 0; j < n; ++j) out[0][j] /= sum;
                        },
                    .tolerance = 1e-6},
                   3, random_);
  }
}

TEST_P(TrainKernels, ExponentiatedGradientOfWhatIsFarApart) {
  // Exponents beyond those of floats; the largest is that of a weight of 0, which stays 0.
  float w[4] = {0.5f, 0.25f, 0.25f, 0.0f}, g[4] = {-900, -901, 1000, -2000}, v[4] = {};
  k().exponentiated_gradient(w, g, v, 4, 1.0f, 0.0f);
  EXPECT_NEAR(w[0], 1 / (1 + 0.5 * std::exp(1.0)), 1e-6);
  EXPECT_NEAR(w[1], 0.5 * std::exp(1.0) / (1 + 0.5 * std::exp(1.0)), 1e-6);
  EXPECT_EQ(w[2], 0.0f);
  EXPECT_EQ(w[3], 0.0f);
}

TEST_P(TrainKernels, Blend) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t n = Size(200);
    CheckRowKernel("blend",
                   {.inputs = {{n}},
                    .outputs = {{n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) k().blend(out[0].at(i), in[0].at(i), n, 0.25f);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) out[0][j] = 0.75 * out[0][j] + 0.25 * in[0][j];
                        },
                    .tolerance = 1e-6},
                   3, random_);
  }
}

TEST_P(TrainKernels, Clip) {
  for (const int64_t n : {1, 7, 16, 33, 100}) {
    for (int64_t place = 0; place < n; ++place) {
      std::vector<float> x(static_cast<size_t>(n), 0.5f);
      EXPECT_FALSE(k().clip(x.data(), n, -1.0f, 0.5f)) << "the bound itself is inside";
      float& one = x[static_cast<size_t>(place)];
      for (const float outside : {2.0f, kInfinity, -1.5f, -kInfinity}) {
        one = outside;
        EXPECT_TRUE(k().clip(x.data(), n, -1.0f, 0.5f));
        EXPECT_EQ(one, outside > 0 ? 0.5f : -1.0f);
      }
      one = std::nanf("");
      EXPECT_FALSE(k().clip(x.data(), n, -1.0f, 0.5f));
      EXPECT_TRUE(std::isnan(one));
      one = 0.5f;
      EXPECT_EQ(x, std::vector<float>(static_cast<size_t>(n), 0.5f));
    }
  }
}

TEST_P(TrainKernels, SumSquares) {
  for (int trial = 0; trial < 30; ++trial) {
    const int64_t n = trial == 0 ? 0 : Size(500);
    Operand x(Layout::kDense, 1, std::max<int64_t>(n, 1));
    x.Fill(random_, -1, 1);
    double want = 0;
    for (int64_t j = 0; j < n; ++j) want += static_cast<double>(x.At(0, j)) * x.At(0, j);
    EXPECT_NEAR(k().sum_squares(x.Row(0), n), want, 1e-12 * static_cast<double>(n));
    // The same on all instruction sets: clipping must not depend on the machine.
    EXPECT_EQ(k().sum_squares(x.Row(0), n), AllKernels()[0]->sum_squares(x.Row(0), n));
  }
}

TEST_P(TrainKernels, FindNonfinite) {
  for (int64_t n : {1, 5, 63, 64, 65, 200}) {
    std::vector<float> x(static_cast<size_t>(n), std::numeric_limits<float>::max());
    EXPECT_EQ(k().find_nonfinite(x.data(), n), -1);
    EXPECT_EQ(k().find_nonfinite(x.data(), 0), -1);
    for (float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      for (int64_t place : {int64_t{0}, n / 2, n - 1}) {
        std::vector<float> y = x;
        y[static_cast<size_t>(place)] = bad;
        y.back() = bad;
        EXPECT_EQ(k().find_nonfinite(y.data(), n), place);
      }
    }
  }
}

DYNNET_TEST_ALL_KERNELS(TrainKernels);

}  // namespace
}  // namespace dynnet::test

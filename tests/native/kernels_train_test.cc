// Random numbers and updates of weights.

#include <limits>

#include "kernels_testing.h"

namespace dynnet::testing {
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

TEST_P(TrainKernels, Adam) {
  for (int trial = 0; trial < 20; ++trial) {
    const int64_t n = Size(200);
    const AdamStep step{0.9f, 0.999f, 1e-6f, 0.01f, 0.5f, 0.99f};
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
  k().adam(w, g, m, v, 3, {0.9f, 0.999f, 1e-8f, 0.1f, 1.0f, 1.0f});
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
    CheckRowKernel("momentum_sgd",
                   {.inputs = {{n}},
                    .outputs = {{n}, {n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          for (int64_t i = 0; i < r; ++i) {
                            k().momentum_sgd(out[0].at(i), in[0].at(i), out[1].at(i), n, 0.1f, 0.8f, 0.9f);
                          }
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = 0.8 * out[1][j] - 0.1 * in[0][j];
                            out[0][j] = 0.9 * out[0][j] + out[1][j];
                          }
                        },
                    .tolerance = 1e-6},
                   3, random_);
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
}  // namespace dynnet::testing

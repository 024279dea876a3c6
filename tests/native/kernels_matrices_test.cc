// Inverse, determinant and circular convolution: against double, in all layouts; and singular matrices.

#include <limits>

#include "kernels_testing.h"

namespace dynnet::test {
namespace {

using Values = std::vector<double>;

class MatrixKernels : public KernelsTest {};

// a b of column-major {n, n} matrices.
Values Product(const Values& a, const Values& b, int64_t n) {
  Values c(a.size(), 0);
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < n; ++i)
      for (int64_t l = 0; l < n; ++l) c[i + j * n] += a[i + l * n] * b[l + j * n];
  return c;
}

double Determinant(Values a, int64_t n) {
  double result = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k; i < n; ++i)
      if (std::abs(a[i + k * n]) > std::abs(a[pivot + k * n])) pivot = i;
    if (pivot != k) result = -result;
    for (int64_t j = 0; j < n; ++j) std::swap(a[k + j * n], a[pivot + j * n]);
    result *= a[k + k * n];
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = a[i + k * n] / a[k + k * n];
      for (int64_t j = k; j < n; ++j) a[i + j * n] -= factor * a[k + j * n];
    }
  }
  return result;
}

// Matrices of any kind, so that rows must be exchanged: x x^-1 is the identity, to what rounding x^-1 to floats costs.
TEST_P(MatrixKernels, Inverse) {
  for (int trial = 0; trial < 30; ++trial) {
    const int64_t rows = Size(4), n = Size(40);
    Operand x(Layout::kList, rows, n * n), y(Layout::kStrided, rows, n * n), again(Layout::kDense, rows, n * n);
    x.Fill(random_, -1, 1);
    std::vector<double> work(static_cast<size_t>(2 * n * n + n));
    k().inverse(y.view(), x.view(), work.data(), rows, n);
    for (int64_t i = 0; i < rows; ++i) k().inverse(again.view().from(i), x.view().from(i), work.data(), 1, n);
    ASSERT_TRUE(x.GuardsAreIntact() && y.GuardsAreIntact() && again.GuardsAreIntact());
    ExpectSameBits(y, again, "inverse, at once and one by one");
    for (int64_t i = 0; i < rows; ++i) {
      const Values a(x.Row(i), x.Row(i) + n * n), b(y.Row(i), y.Row(i) + n * n);
      double largest = 1;
      for (double v : b) largest = std::max(largest, std::abs(v));
      const Values c = Product(a, b, n);
      for (int64_t j = 0; j < n * n; ++j)
        ASSERT_NEAR(c[j], j / n == j % n ? 1 : 0, 1e-7 * largest * static_cast<double>(n)) << n;
    }
  }
}

TEST_P(MatrixKernels, LogDet) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(9), n = Size(33);
    std::vector<double> work(static_cast<size_t>(2 * n * n + n));
    Operand x(Layout::kList, rows, n * n), y(Layout::kStrided, rows, 1);
    x.Fill(random_, -1, 1);
    k().logdet(y.view(), x.view(), work.data(), rows, n);
    ASSERT_TRUE(x.GuardsAreIntact() && y.GuardsAreIntact());
    for (int64_t i = 0; i < rows; ++i) {
      const double want = Determinant(Values(x.Row(i), x.Row(i) + n * n), n);
      if (want < 0)
        ASSERT_TRUE(std::isnan(y.At(i, 0))) << want;
      else
        ASSERT_NEAR(y.At(i, 0), std::log(want), 1e-6 * std::max(1.0, std::abs(std::log(want))));
    }
  }
}

TEST_P(MatrixKernels, OfSingularMatrices) {
  std::vector<double> work(10);
  // Singular; regular, but with a pivot of 0 where rows are not exchanged; negative.
  const float matrices[3][4] = {{1, 2, 2, 4}, {0, 2, 4, 0}, {1, 0, 0, -1}};
  const float inverses[3][4] = {{0, 0, 0, 0}, {0, 0.25f, 0.5f, 0}, {1, 0, 0, -1}};
  for (int m = 0; m < 3; ++m) {
    Operand x(Layout::kDense, 1, 4), y(Layout::kDense, 1, 4), z(Layout::kDense, 1, 1);
    for (int j = 0; j < 4; ++j) x.At(0, j) = matrices[m][j];
    k().inverse(y.view(), x.view(), work.data(), 1, 2);
    k().logdet(z.view(), x.view(), work.data(), 1, 2);
    for (int j = 0; j < 4; ++j) {
      if (m == 0)
        EXPECT_TRUE(std::isnan(y.At(0, j)));
      else
        EXPECT_EQ(y.At(0, j), inverses[m][j]);
    }
    if (m == 0)
      EXPECT_EQ(z.At(0, 0), -std::numeric_limits<float>::infinity());
    else
      EXPECT_TRUE(std::isnan(z.At(0, 0))) << "a negative determinant";
  }
}

TEST_P(MatrixKernels, NaNIsNoDeterminant) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto run = [&](const std::vector<float>& matrix, int64_t n, Operand& y, Operand& z) {
    std::vector<double> work(static_cast<size_t>(2 * n * n + n));
    Operand x(Layout::kDense, 1, n * n);
    std::copy(matrix.begin(), matrix.end(), x.Row(0));
    k().inverse(y.view(), x.view(), work.data(), 1, n);
    k().logdet(z.view(), x.view(), work.data(), 1, n);
  };
  Operand z(Layout::kDense, 1, 1);
  // Where the pivot is sought, and in what is left when there is no pivot.
  for (const std::vector<float>& matrix : {std::vector<float>{0, nan, 1, 1}, {nan, 0, 1, 1}, {0, 0, 1, nan}}) {
    Operand y(Layout::kDense, 1, 4);
    run(matrix, 2, y, z);
    for (int j = 0; j < 4; ++j) EXPECT_TRUE(std::isnan(y.At(0, j))) << j;
    EXPECT_TRUE(std::isnan(z.At(0, 0))) << z.At(0, 0);
  }
  for (size_t at = 0; at < 9; ++at) {
    Operand y(Layout::kDense, 1, 9);
    std::vector<float> matrix{3, 1, 2, 0, 4, 1, 1, 0, 5};
    matrix[at] = nan;
    run(matrix, 3, y, z);
    EXPECT_TRUE(std::isnan(z.At(0, 0))) << at << ": " << z.At(0, 0);
  }
}

TEST_P(MatrixKernels, Circular) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(9), n = Size(200);
    const bool accumulate = trial % 2 == 1;
    for (bool backwards : {false, true}) {
      CheckRowKernel("circular",
                     {.inputs = {{n}, {2 * n}},
                      .outputs = {{n}},
                      .run = [&](const Rows* in, const Rows* out, int64_t,
                                 int64_t r) { k().circular(out[0], in[0], in[1], backwards, r, n, accumulate); },
                      .reference =
                          [&](int64_t, const auto& in, auto& out) {
                            for (int64_t i = 0; i < n; ++i) {
                              double sum = 0;
                              for (int64_t j = 0; j < n; ++j) sum += in[0][j] * in[1][backwards ? n + i - j : i + j];
                              Put(accumulate, out[0][i], sum);
                            }
                          },
                      .tolerance = 1e-4},
                     rows, random_);
    }
  }
}

DYNNET_TEST_ALL_KERNELS(MatrixKernels);

}  // namespace
}  // namespace dynnet::test

// Products, sums of outer products and packing: against sums in double, and the same bits however the columns, rows and
// uses are split and wherever they lie.

#include "kernels_testing.h"

namespace dynnet::test {
namespace {

/// A column-major matrix with a leading dimension, guarded as operands are: its columns are the rows of an operand.
struct Matrix {
  Matrix(int64_t m, int64_t k, Layout layout, std::mt19937& random) : columns(layout, k, m) {
    columns.Fill(random, -1, 1);
  }
  const float* data() const { return columns.Row(0); }
  int64_t lda() const { return columns.view().stride; }
  float at(int64_t i, int64_t j) const { return columns.At(j, i); }
  Left left() const { return {data(), 16, lda(), false}; }

  Operand columns;
};

std::vector<float> Aligned(int64_t n, float*& start) {
  std::vector<float> memory(static_cast<size_t>(n) + 16, std::nanf("5"));
  start = memory.data();
  while (reinterpret_cast<uintptr_t>(start) % 64 != 0) ++start;
  return memory;
}

struct Packed {
  Packed(const Kernels& kernels, const Matrix& a, int64_t m, int64_t k) {
    memory = Aligned((m + 15) / 16 * 16 * k, start);
    kernels.pack(m, k, a.data(), a.lda(), start);
    left = {start, 16 * k, 16, true};
  }
  std::vector<float> memory;
  float* start;
  Left left;
};

using ProductKernels = KernelsTest;

TEST_P(ProductKernels, PackAndPackTransposed) {
  for (int trial = 0; trial < 80; ++trial) {
    const int64_t m = Size(70), k_size = Size(70);
    const Matrix a(m, k_size, trial % 2 == 0 ? Layout::kDense : Layout::kStrided, random_);
    const int64_t strips = (m + 15) / 16, turned_strips = (k_size + 15) / 16;
    float *to, *turned;
    const auto memory = Aligned(strips * 16 * k_size, to);
    const auto turned_memory = Aligned(turned_strips * 16 * m, turned);
    k().pack(m, k_size, a.data(), a.lda(), to);
    k().pack_transposed(m, k_size, a.data(), a.lda(), turned);
    for (int64_t i = 0; i < strips * 16; ++i) {
      for (int64_t j = 0; j < k_size; ++j) {
        ASSERT_EQ(to[i / 16 * 16 * k_size + j * 16 + i % 16], i < m ? a.at(i, j) : 0.0f) << i << " " << j;
      }
    }
    for (int64_t j = 0; j < turned_strips * 16; ++j) {
      for (int64_t i = 0; i < m; ++i) {
        ASSERT_EQ(turned[j / 16 * 16 * m + i * 16 + j % 16], j < k_size ? a.at(i, j) : 0.0f) << i << " " << j;
      }
    }
    // Nothing is written behind the last strip.
    ASSERT_TRUE(to + strips * 16 * k_size > &memory.back() || std::isnan(to[strips * 16 * k_size]));
    ASSERT_TRUE(turned + turned_strips * 16 * m > &turned_memory.back() || std::isnan(turned[turned_strips * 16 * m]));
    ASSERT_TRUE(a.columns.GuardsAreIntact());
  }
}

/// One product in every way that may not matter: packed or not, dense or listed, all columns at once or in parts, all
/// rows at once or from some strip on.
void CheckProduct(const Kernels& kernels, int64_t m, int64_t n, int64_t k, std::mt19937& random) {
  const Matrix a(m, k, random() % 2 == 0 ? Layout::kDense : Layout::kStrided, random);
  const Packed packed(kernels, a, m, k);
  const bool accumulate = random() % 2 == 0, with_bias = random() % 2 == 0;
  Operand bias(Layout::kDense, 1, m), x(Layout::kDense, n, k), before(Layout::kDense, n, m),
      expected(Layout::kDense, n, m);
  bias.Fill(random, -1, 1);
  x.Fill(random, -1, 1);
  before.Fill(random, -1, 1);
  const float* b = with_bias ? bias.Row(0) : nullptr;
  const std::string what = std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k);

  // One by one, unpacked: the reference for bits, itself held against double.
  expected.CopyFrom(before);
  for (int64_t j = 0; j < n; ++j) {
    kernels.product(m, 1, k, a.left(), x.view().from(j), expected.view().from(j), b, accumulate);
  }
  ASSERT_TRUE(expected.GuardsAreIntact()) << what;
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < m; ++i) {
      double sum = with_bias ? bias.At(0, i) : 0;
      for (int64_t l = 0; l < k; ++l) sum += static_cast<double>(a.at(i, l)) * x.At(j, l);
      if (accumulate) sum += before.At(j, i);
      ASSERT_NEAR(expected.At(j, i), sum, 4e-7 * std::sqrt(k) * std::max(4.0, std::abs(sum))) << what;
    }
  }
  for (Layout x_layout : kLayouts) {
    for (Layout y_layout : kLayouts) {
      for (const Left& left : {a.left(), packed.left}) {
        Operand xs(x_layout, n, k), ys(y_layout, n, m);
        xs.CopyFrom(x);
        ys.CopyFrom(before);
        kernels.product(m, n, k, left, xs.view(), ys.view(), b, accumulate);
        ASSERT_TRUE(ys.GuardsAreIntact()) << what;
        ExpectSameBits(ys, expected, what + " at once");
      }
    }
  }
  // Split at some column and some strip; either part may be empty.
  Operand ys(Layout::kList, n, m);
  ys.CopyFrom(before);
  const int64_t column = static_cast<int64_t>(random() % static_cast<uint64_t>(n + 1));
  const int64_t row = static_cast<int64_t>(random() % static_cast<uint64_t>((m + 15) / 16)) * 16;
  std::vector<float*> lower;
  for (int64_t j = 0; j < n; ++j) lower.push_back(ys.Row(j) + row);
  Left rest = packed.left;
  rest.data += row / 16 * rest.strip;
  for (int64_t j : {int64_t{0}, column}) {
    const int64_t columns = j == column ? n - column : column;
    const Rows below{nullptr, lower.data() + j, 0};
    kernels.product(row, columns, k, packed.left, x.view().from(j), ys.view().from(j), b, accumulate);
    kernels.product(m - row, columns, k, rest, x.view().from(j), below, b == nullptr ? b : b + row, accumulate);
    if (column == 0) break;
  }
  ASSERT_TRUE(ys.GuardsAreIntact()) << what;
  ExpectSameBits(ys, expected, what + " in parts");
}

TEST_P(ProductKernels, Product) {
  for (int trial = 0; trial < 100; ++trial) CheckProduct(k(), Size(140), Size(40), Size(90), random_);
}

TEST_P(ProductKernels, ProductOfSizesThatAreBlocked) {
  CheckProduct(k(), 700, 29, 300, random_);
  CheckProduct(k(), 203, 13, 1100, random_);
  CheckProduct(k(), 530, 7, 520, random_);
  CheckProduct(k(), 1, 9, 2000, random_);
}

TEST_P(ProductKernels, ProductOfEveryNumberOfColumnsAndStrips) {
  for (int64_t n = 1; n <= 26; ++n) {
    for (int64_t m = 8; m <= 16 * 9; m += 16) CheckProduct(k(), m, n, 5, random_);
  }
}

TEST_P(ProductKernels, ProductOverNothing) {
  // k of 0: the bias, or 0.
  Operand y(Layout::kDense, 3, 20), x(Layout::kDense, 3, 1), bias(Layout::kDense, 1, 20);
  y.Fill(random_, 1, 2);
  x.Fill(random_, 1, 2);
  bias.Fill(random_, 1, 2);
  const float a = 1;
  k().product(20, 3, 0, {&a, 16, 20, false}, x.view(), y.view(), bias.Row(0), false);
  for (int64_t j = 0; j < 3; ++j) {
    for (int64_t i = 0; i < 20; ++i) EXPECT_EQ(y.At(j, i), bias.At(0, i));
  }
  k().product(20, 3, 0, {&a, 16, 20, false}, x.view(), y.view(), nullptr, false);
  EXPECT_EQ(y.At(2, 19), 0.0f);
}

TEST_P(ProductKernels, ProductFormsTheSumBeforeItAdds) {
  // So that a value is the same bits whether an operation's terms are added to it or computed first.
  for (int64_t n : {1, 3, 12}) {
    for (int64_t m : {40, 200}) {
      const int64_t depth = 600;
      const Matrix a(m, depth, Layout::kDense, random_);
      Operand x(Layout::kDense, n, depth), sum(Layout::kDense, n, m), y(Layout::kDense, n, m);
      x.Fill(random_, -1, 1);
      y.Fill(random_, -100, 100);
      k().product(m, n, depth, a.left(), x.view(), sum.view(), nullptr, false);
      for (int64_t j = 0; j < n; ++j) {
        for (int64_t i = 0; i < m; ++i) sum.At(j, i) += y.At(j, i);
      }
      k().product(m, n, depth, a.left(), x.view(), y.view(), nullptr, true);
      ExpectSameBits(y, sum, "product that adds");
    }
  }
}

TEST_P(ProductKernels, ProductAddsToOneColumnTwice) {
  const Matrix a(40, 12, Layout::kDense, random_);
  Operand x(Layout::kDense, 5, 12), y(Layout::kDense, 1, 40), one(Layout::kDense, 1, 40);
  x.Fill(random_, -1, 1);
  y.Fill(random_, 0, 0);
  one.Fill(random_, 0, 0);
  float* same[] = {y.Row(0), y.Row(0), y.Row(0), y.Row(0), y.Row(0)};
  k().product(40, 5, 12, a.left(), x.view(), {.list = same}, nullptr, true);
  for (int64_t j = 0; j < 5; ++j) k().product(40, 1, 12, a.left(), x.view().from(j), one.view(), nullptr, true);
  ExpectSameBits(y, one, "five columns that are one");
}

TEST_P(ProductKernels, ProductTransposed) {
  for (int trial = 0; trial < 120; ++trial) {
    const int64_t m = Size(140), n = Size(14), k_size = Size(60);
    const bool accumulate = trial % 2 == 1;
    const Matrix a(m, k_size, trial % 4 < 2 ? Layout::kDense : Layout::kStrided, random_);
    CheckRowKernel(
        "product_transposed",
        {.inputs = {{m, -1, 1}},
         .outputs = {{k_size, -1, 1}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().product_transposed(m, r, k_size, a.data(), a.lda(), in[0], out[0], accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (int64_t j = 0; j < k_size; ++j) {
                 double sum = 0;
                 for (int64_t i = 0; i < m; ++i) sum += a.at(i, j) * in[0][i];
                 Put(accumulate, out[0][j], sum);
               }
             }},
        n, random_);
  }
}

TEST_P(ProductKernels, OuterSum) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t m = trial % 6 == 0 ? 200 + Size(100) : Size(80);
    const int64_t n = trial % 10 == 0 ? 300 : Size(60), k_size = Size(60);
    const bool accumulate = trial % 2 == 1;
    Operand d(Layout::kDense, n, m), x(Layout::kDense, n, k_size);
    d.Fill(random_, -1, 1);
    x.Fill(random_, -1, 1);
    Matrix before(m, k_size, Layout::kStrided, random_);
    // By single uses: the reference for bits.
    Operand expected(Layout::kStrided, k_size, m);
    expected.CopyFrom(before.columns);
    for (int64_t i = 0; i < n; ++i) {
      k().outer_sum(0, m, 1, k_size, d.view().from(i), x.view().from(i), expected.Row(0), before.lda(),
                    accumulate || i > 0);
    }
    for (int64_t c = 0; c < k_size; ++c) {
      for (int64_t r = 0; r < m; ++r) {
        double sum = accumulate ? before.at(r, c) : 0;
        for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(d.At(i, r)) * x.At(i, c);
        ASSERT_NEAR(expected.At(c, r), sum, 1e-6 * std::sqrt(n) * std::max(4.0, std::abs(sum)));
      }
    }
    for (Layout layout : kLayouts) {
      Operand ds(layout, n, m), xs(layout, n, k_size), g(Layout::kStrided, k_size, m);
      ds.CopyFrom(d);
      xs.CopyFrom(x);
      g.CopyFrom(before.columns);
      const int64_t split = static_cast<int64_t>(random_() % static_cast<uint64_t>(m + 1));
      k().outer_sum(split, m, n, k_size, ds.view(), xs.view(), g.Row(0), before.lda(), accumulate);
      k().outer_sum(0, split, n, k_size, ds.view(), xs.view(), g.Row(0), before.lda(), accumulate);
      ASSERT_TRUE(g.GuardsAreIntact());
      ExpectSameBits(g, expected, "outer_sum");
    }
  }
}

TEST_P(ProductKernels, OuterSumOfNothingIsZero) {
  Operand g(Layout::kDense, 5, 20);
  g.Fill(random_, 1, 2);
  k().outer_sum(0, 20, 0, 5, {}, {}, g.Row(0), 20, true);
  EXPECT_NE(g.At(4, 19), 0.0f);
  k().outer_sum(0, 20, 0, 5, {}, {}, g.Row(0), 20, false);
  for (int64_t c = 0; c < 5; ++c) {
    for (int64_t r = 0; r < 20; ++r) EXPECT_EQ(g.At(c, r), 0.0f);
  }
}

DYNNET_TEST_ALL_KERNELS(ProductKernels);

}  // namespace
}  // namespace dynnet::test

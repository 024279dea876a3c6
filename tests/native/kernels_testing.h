// What the tests of kernels share: operands that lie in memory in every allowed way, with guards around them, and a
// harness that holds a kernel on rows against a naive computation in double and against itself.
#ifndef DYNNET_TESTS_KERNELS_TESTING_H_
#define DYNNET_TESTS_KERNELS_TESTING_H_

#include <gtest/gtest.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "core/kernels.h"
#include "cpu/kernels.h"

namespace dynnet::test {

/// The tables that this processor can run and this build has.
inline std::vector<const Kernels*> AllKernels() {
  std::vector<const Kernels*> all;
  for (const char* isa : {"v2", "v3", "v4", "portable"}) {
    if (const Kernels* table = kernels_for(isa)) all.push_back(table);
  }
  return all;
}

class KernelsTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& k() const { return *GetParam(); }
  std::mt19937 random_{20260517};

  /// Mostly sizes where something happens: 1, and those around the sizes of vectors and strips.
  int64_t Size(int64_t largest) {
    static const int64_t special[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 64, 100};
    const int64_t s = random_() % 3 != 0 ? special[random_() % std::size(special)] : 1 + random_() % largest;
    return s < largest ? s : largest;
  }
};

inline std::string KernelsName(const ::testing::TestParamInfo<const Kernels*>& info) { return info.param->name; }

#define DYNNET_TEST_ALL_KERNELS(fixture) \
  INSTANTIATE_TEST_SUITE_P(Isa, fixture, ::testing::ValuesIn(::dynnet::test::AllKernels()), ::dynnet::test::KernelsName)

/// How the rows of an operand lie.
enum class Layout { kDense, kStrided, kList };
constexpr Layout kLayouts[] = {Layout::kDense, Layout::kStrided, Layout::kList};

inline bool SameBits(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

/// Rows of n floats in one of the layouts. Between and around them are guards, which are NaN (what is read beyond a row
/// shows) and must stay what they are.
class Operand {
 public:
  Operand(Layout layout, int64_t rows, int64_t n) : rows_(rows), n_(n) {
    gap_ = layout == Layout::kDense ? 0 : layout == Layout::kStrided ? 3 : 5;
    memory_.assign(static_cast<size_t>(2 * kGuard + rows * (n + gap_)), Guard());
    for (int64_t i = 0; i < rows; ++i) {
      // In a list, the rows lie in no order.
      const int64_t place = layout == Layout::kList ? rows - 1 - i : i;
      list_.push_back(memory_.data() + kGuard + place * (n + gap_));
    }
    if (layout == Layout::kList) {
      view_.list = list_.data();
    } else {
      view_.base = memory_.data() + kGuard;
      view_.stride = n + gap_;
    }
  }
  Operand(const Operand&) = delete;

  void Fill(std::mt19937& random, double low, double high) {
    std::uniform_real_distribution<double> draw(low, high);
    for (int64_t i = 0; i < rows_; ++i) {
      for (int64_t j = 0; j < n_; ++j) At(i, j) = static_cast<float>(draw(random));
    }
  }
  void CopyFrom(const Operand& other) {
    for (int64_t i = 0; i < rows_; ++i) memcpy(Row(i), other.Row(i), static_cast<size_t>(n_) * sizeof(float));
  }

  const Rows& view() const { return view_; }
  int64_t rows() const { return rows_; }
  int64_t n() const { return n_; }
  float* Row(int64_t i) const { return list_[static_cast<size_t>(i)]; }
  float& At(int64_t i, int64_t j) const { return Row(i)[j]; }

  bool GuardsAreIntact() const {
    std::vector<float> copy = memory_;
    for (const float* row : list_) {
      for (int64_t j = 0; j < n_; ++j) copy[static_cast<size_t>(row - memory_.data() + j)] = Guard();
    }
    for (float x : copy) {
      if (!SameBits(x, Guard())) return false;
    }
    return true;
  }

 private:
  // An odd number, so that rows are as badly aligned as floats can be.
  static constexpr int64_t kGuard = 37;
  static float Guard() { return std::nanf("77"); }

  int64_t rows_, n_, gap_;
  std::vector<float> memory_;
  std::vector<float*> list_;
  Rows view_;
};

inline void ExpectSameBits(const Operand& a, const Operand& b, const std::string& what) {
  for (int64_t i = 0; i < a.rows(); ++i) {
    for (int64_t j = 0; j < a.n(); ++j) {
      ASSERT_TRUE(SameBits(a.At(i, j), b.At(i, j))) << what << ": row " << i << " element " << j << " of " << a.rows()
                                                    << " x " << a.n() << ": " << a.At(i, j) << " and " << b.At(i, j);
    }
  }
}

/// A kernel on rows: what it reads and writes, how it is called, and what is right.
struct RowKernel {
  struct Range {
    int64_t n;
    double low = -2, high = 2;
  };
  std::vector<Range> inputs = {};
  /// Outputs begin with these numbers: for kernels that add, or work in place.
  std::vector<Range> outputs = {};
  /// Calls the kernel on rows `first` to first + rows.
  std::function<void(const Rows* in, const Rows* out, int64_t first, int64_t rows)> run;
  /// Row i: `out` holds what was there before and gets what is right.
  std::function<void(int64_t i, const std::vector<std::vector<double>>& in, std::vector<std::vector<double>>& out)>
      reference;
  /// Allowed error, relative to 1 or the right value, whichever is larger.
  double tolerance = 1e-5;
};

/// Runs a kernel with its rows in each layout, all at once and one by one: all must be near the reference, and the same
/// bits among each other.
inline void CheckRowKernel(const std::string& name, const RowKernel& kernel, int64_t rows, std::mt19937& random) {
  using Operands = std::vector<std::unique_ptr<Operand>>;
  const auto make = [&](const std::vector<RowKernel::Range>& ranges, Layout layout) {
    Operands made;
    for (const auto& range : ranges) made.push_back(std::make_unique<Operand>(layout, rows, range.n));
    return made;
  };
  const auto views = [](const Operands& operands, int64_t first) {
    std::vector<Rows> made;
    for (const auto& operand : operands) made.push_back(operand->view().from(first));
    return made;
  };
  Operands in = make(kernel.inputs, Layout::kDense), before = make(kernel.outputs, Layout::kDense), out;
  for (size_t o = 0; o < in.size(); ++o) in[o]->Fill(random, kernel.inputs[o].low, kernel.inputs[o].high);
  for (size_t o = 0; o < before.size(); ++o) before[o]->Fill(random, kernel.outputs[o].low, kernel.outputs[o].high);

  for (Layout layout : kLayouts) {
    for (bool one_by_one : {false, true}) {
      Operands these_in = make(kernel.inputs, layout), these_out = make(kernel.outputs, layout);
      for (size_t o = 0; o < in.size(); ++o) these_in[o]->CopyFrom(*in[o]);
      for (size_t o = 0; o < before.size(); ++o) these_out[o]->CopyFrom(*before[o]);
      for (int64_t first = 0; first < rows; first += one_by_one ? 1 : rows) {
        kernel.run(views(these_in, first).data(), views(these_out, first).data(), first, one_by_one ? 1 : rows);
      }
      for (const auto& operand : these_in) ASSERT_TRUE(operand->GuardsAreIntact()) << name;
      for (const auto& operand : these_out) ASSERT_TRUE(operand->GuardsAreIntact()) << name;
      if (out.empty()) {
        out = std::move(these_out);
      } else {
        for (size_t o = 0; o < out.size(); ++o) {
          ExpectSameBits(*out[o], *these_out[o], name + ", output " + std::to_string(o));
        }
      }
    }
  }

  for (int64_t i = 0; i < rows; ++i) {
    const auto row_of = [&](const Operands& operands) {
      std::vector<std::vector<double>> made;
      for (const auto& operand : operands) made.emplace_back(operand->Row(i), operand->Row(i) + operand->n());
      return made;
    };
    std::vector<std::vector<double>> want = row_of(before);
    kernel.reference(i, row_of(in), want);
    for (size_t o = 0; o < want.size(); ++o) {
      for (size_t j = 0; j < want[o].size(); ++j) {
        const double got = out[o]->At(i, static_cast<int64_t>(j));
        ASSERT_NEAR(got, want[o][j], kernel.tolerance * std::max(1.0, std::abs(want[o][j])))
            << name << ": output " << o << ", row " << i << ", element " << j << " of " << want[o].size();
      }
    }
  }
}

/// Stores x, or adds it.
inline void Put(bool accumulate, double& to, double x) { to = accumulate ? to + x : x; }

inline double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_KERNELS_TESTING_H_

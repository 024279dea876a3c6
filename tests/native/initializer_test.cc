// Initializers that keep norms and variances, and those that read files.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"
#include "model_support.h"

namespace dynnet::test {
namespace {

// The inner products of columns, or of rows where those are fewer, are those of orthonormal vectors times the gain.
void expect_orthonormal(const std::vector<float>& matrix, int64_t m, int64_t n, double gain) {
  const bool columns = m >= n;
  const int64_t count = columns ? n : m, length = columns ? m : n;
  const auto at = [&](int64_t vector, int64_t i) {
    return static_cast<double>(matrix[static_cast<size_t>(columns ? i + vector * m : vector + i * m)]);
  };
  for (int64_t a = 0; a < count; ++a) {
    for (int64_t b = 0; b <= a; ++b) {
      double product = 0;
      for (int64_t i = 0; i < length; ++i) product += at(a, i) * at(b, i);
      ASSERT_NEAR(product, a == b ? gain * gain : 0, 2e-6 * gain * gain) << a << " and " << b;
    }
  }
}

TEST(Initializer, AUniformRangeMustBeAFloat) {
  const ModelHandle model = new_model();
  const dn_dim two{{2}, 1, 1};
  const dn_initializer wide = initializer(DN_INIT_UNIFORM, -2e38, 2e38);
  dn_parameter* w = nullptr;
  expect_failure(dn_model_add_parameters(model.get(), &two, &wide, "W", 1, &w), DN_E_ARGUMENT, {"/W", "uniform"});
}

TEST(Initializers, SaxeIsOrthonormal) {
  const ModelHandle model = new_model();
  const dn_initializer init = initializer(DN_INIT_SAXE, 1);
  expect_orthonormal(values(add(model, {1, 1}, init)), 1, 1, 1);
  expect_orthonormal(values(add(model, {50, 50}, init)), 50, 50, 1);
  expect_orthonormal(values(add(model, {7, 3}, init)), 7, 3, 1);
  expect_orthonormal(values(add(model, {3, 19}, init)), 3, 19, 1);
  expect_orthonormal(values(add(model, {9, 9}, initializer(DN_INIT_SAXE, 2.5))), 9, 9, 2.5);
  expect_orthonormal(values(add_table(model, 4, {6}, init)), 6, 4, 1);
}

TEST(Initializers, SaxeIsDrawnFromTheSeed) {
  const auto draw = [](uint64_t seed) {
    const ModelHandle model = new_model(seed);
    return values(add(model, {5, 5}, initializer(DN_INIT_SAXE, 1)));
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
  // Each element of a uniform orthonormal matrix has mean 0 and variance 1 / n.
  double sum = 0, squares = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const double first = draw(seed)[0];
    sum += first;
    squares += first * first;
  }
  EXPECT_NEAR(sum / 400, 0, 0.09);
  EXPECT_NEAR(squares / 400, 0.2, 0.05);
}

TEST(Initializers, SaxeIsForMatrices) {
  const ModelHandle model = new_model();
  const dn_initializer init = initializer(DN_INIT_SAXE, 1);
  const dn_dim cube = dim({2, 2, 2});
  dn_parameter* out = nullptr;
  expect_failure(dn_model_add_parameters(model.get(), &cube, &init, "W", 1, &out), DN_E_SHAPE,
                 {"/W", "matrix", "{2,2,2}"});
  const dn_dim matrix = dim({2, 3});
  dn_lookup_parameter* table = nullptr;
  expect_failure(dn_model_add_lookup_parameters(model.get(), 5, &matrix, &init, "E", 1, &table), DN_E_SHAPE,
                 {"/E", "5 rows of {2,3}"});
  const dn_initializer bad = initializer(DN_INIT_SAXE, NAN);
  expect_failure(dn_model_add_parameters(model.get(), &matrix, &bad, "W", 1, &out), DN_E_ARGUMENT, {"/W", "nan"});
  EXPECT_EQ(parameters_count(model), 0);
}

void expect_deviation(const std::vector<float>& drawn, double deviation) {
  double sum = 0, squares = 0;
  for (const float value : drawn) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto n = static_cast<double>(drawn.size());
  EXPECT_NEAR(sum / n, 0, 5 * deviation / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(squares / n), deviation, 5 * deviation / std::sqrt(n));
}

TEST(Initializers, HeHasTheVarianceOfItsInputs) {
  const ModelHandle model = new_model();
  for (const dn_initializer_kind kind : {DN_INIT_HE_NORMAL, DN_INIT_HE_UNIFORM}) {
    const dn_initializer init = initializer(kind, 1);
    expect_deviation(values(add(model, {40, 250}, init)), std::sqrt(2.0 / 250));
    expect_deviation(values(add(model, {10000}, init)), std::sqrt(2.0 / 10000));
    expect_deviation(values(add(model, {3, 5, 20, 30}, init)), std::sqrt(2.0 / 300));
    expect_deviation(values(add(model, {20, 10, 40}, init)), std::sqrt(2.0 / 400));
    expect_deviation(values(add_table(model, 1000, {10}, init)), std::sqrt(2.0 / 10));
    expect_deviation(values(add(model, {40, 250}, initializer(kind, 0.5))), 0.5 * std::sqrt(2.0 / 250));
    const dn_initializer bad = initializer(kind, NAN);
    const dn_dim shape = dim({2, 2});
    dn_parameter* out = nullptr;
    expect_failure(dn_model_add_parameters(model.get(), &shape, &bad, "W", 1, &out), DN_E_ARGUMENT, {"/W", "nan"});
  }
  double largest = 0;
  for (const float value : values(add(model, {40, 250}, initializer(DN_INIT_HE_UNIFORM, 1))))
    largest = std::max<double>(largest, std::abs(value));
  EXPECT_LE(largest, std::sqrt(6.0 / 250));
  EXPECT_GE(largest, 0.99 * std::sqrt(6.0 / 250));
}

class FileInitializers : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(folder_), nullptr);
    path_ = std::string(folder_) + "/values";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  dn_initializer of(const std::string& text) {
    std::ofstream(path_) << text;
    return at();
  }
  dn_initializer at() const {
    dn_initializer init = initializer(DN_INIT_FILE);
    init.path = path_.data();
    init.path_length = static_cast<int64_t>(path_.size());
    return init;
  }
  dn_status try_add(const dn_initializer& init) {
    const dn_dim shape = dim({2, 2});
    dn_parameter* out = nullptr;
    return dn_model_add_parameters(model_.get(), &shape, &init, "W", 1, &out);
  }

  char folder_[32] = "/tmp/dynnet-values-XXXXXX";
  std::string path_;
  ModelHandle model_ = new_model();
};

TEST_F(FileInitializers, ReadNumbers) {
  EXPECT_EQ(values(add(model_, {2, 2}, of("1 -2.5\n +3e-2\t\r\n4\n"))), (std::vector<float>{1, -2.5f, 3e-2f, 4}));
  EXPECT_EQ(values(add_table(model_, 2, {1}, of("7\n8"))), (std::vector<float>{7, 8}));
}

TEST_F(FileInitializers, SayWhatIsWrong) {
  expect_failure(try_add(of("1 2 3")), DN_E_SHAPE, {"/W", "4 values needed, 3 given"});
  expect_failure(try_add(of("")), DN_E_SHAPE, {"/W", "4 values needed, 0 given"});
  expect_failure(try_add(of("1 2 3 4 5")), DN_E_SHAPE, {"/W", "5 given"});
  expect_failure(try_add(of("1 2 x3 4")), DN_E_FORMAT, {"/W", path_, "number 3", "\"x3\""});
  std::filesystem::remove(path_);
  expect_failure(try_add(at()), DN_E_NOT_FOUND, {path_});
  expect_failure(try_add(initializer(DN_INIT_FILE)), DN_E_ARGUMENT, {"path is empty"});
  EXPECT_EQ(parameters_count(model_), 0);
}

}  // namespace
}  // namespace dynnet::test

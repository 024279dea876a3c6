// Models that DyNet wrote give the values that DyNet computed. The files lie beside the repository, not in it; each
// expected.json there holds the numbers below.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"
#include "model_support.h"

namespace dynnet::test {
namespace {

namespace fs = std::filesystem;

class DynetModels : public testing::Test {
 protected:
  DynetModels() {
    dn_graph* graph = nullptr;
    EXPECT_OK(dn_graph_create(1, &graph));
    graph_.reset(graph);
  }

  /// Loads a file; false if it is not there.
  bool load(const std::string& name) {
    const fs::path file = fs::path(__FILE__).parent_path() / "../../../shared/data/dynet-models" / name;
    if (!fs::exists(file)) return false;
    const std::string path = file.string();
    dn_model* model = nullptr;
    EXPECT_OK(dn_model_load(path.data(), static_cast<int64_t>(path.size()), "", 0, &model));
    model_.reset(model);
    return model != nullptr;
  }

  dn_graph* graph() { return graph_.get(); }
  dn_expr parameter(int64_t index) {
    return made([&](dn_expr* out) { return dn_op_parameter(graph(), parameter_at(model_, index), out); });
  }
  dn_expr input(const std::vector<float>& values) {
    const dn_dim shape = dim({static_cast<uint32_t>(values.size())});
    return made([&](dn_expr* out) {
      return dn_op_input(graph(), &shape, values.data(), static_cast<int64_t>(values.size()), out);
    });
  }
  dn_expr affine(const std::vector<dn_expr>& xs) {
    return made(
        [&](dn_expr* out) { return dn_op_affine_transform(graph(), xs.data(), static_cast<int32_t>(xs.size()), out); });
  }
  dn_expr unary(dn_status (*op)(dn_graph*, dn_expr, dn_expr*), dn_expr x) {
    return made([&](dn_expr* out) { return op(graph(), x, out); });
  }
  dn_expr binary(dn_status (*op)(dn_graph*, dn_expr, dn_expr, dn_expr*), dn_expr a, dn_expr b) {
    return made([&](dn_expr* out) { return op(graph(), a, b, out); });
  }
  float scalar(dn_expr x) {
    float value = 0;
    EXPECT_OK(dn_graph_scalar_value(graph(), x, &value));
    return value;
  }

  template <class Call>
  static dn_expr made(Call&& call) {
    dn_expr result{};
    EXPECT_OK(call(&result));
    return result;
  }

  ModelHandle model_;
  std::unique_ptr<dn_graph, Freer<dn_graph_free>> graph_;
};

TEST_F(DynetModels, Xor) {
  if (!load("xor.model")) GTEST_SKIP() << "no files written by DyNet beside the repository";
  // W, b, V, a
  const auto f = [&](float x1, float x2) {
    const dn_expr h = unary(dn_op_tanh, affine({parameter(1), parameter(0), input({x1, x2})}));
    return scalar(affine({parameter(3), parameter(2), h}));
  };
  EXPECT_NEAR(f(1, 1), -0.999999881, 1e-5);
  EXPECT_NEAR(f(1, -1), 1.00000012, 1e-5);
  EXPECT_NEAR(f(-1, 1), 1, 1e-5);
  EXPECT_NEAR(f(-1, -1), -1, 1e-5);
}

TEST_F(DynetModels, GruWithGradients) {
  if (!load("gru_with_gradients.model")) GTEST_SKIP() << "no files written by DyNet beside the repository";
  dn_lookup_parameter* table = table_at(model_, 0);
  const auto gate = [&](int64_t first, dn_expr x, dn_expr h) {
    return affine({parameter(first + 2), parameter(first), x, parameter(first + 1), h});
  };
  dn_expr h = input({0, 0, 0});
  for (const int32_t id : {1, 2, 2, 6}) {
    const dn_expr x = made([&](dn_expr* out) { return dn_op_lookup(graph(), table, id, out); });
    const dn_expr z = unary(dn_op_logistic, gate(0, x, h));
    const dn_expr r = unary(dn_op_logistic, gate(3, x, h));
    const dn_expr c = unary(dn_op_tanh, gate(6, x, binary(dn_op_cmult, r, h)));
    // h + z (c - h)
    h = binary(dn_op_add, h, binary(dn_op_cmult, z, binary(dn_op_subtract, c, h)));
  }
  const dn_expr y = binary(dn_op_multiply, parameter(9), h);
  const dn_expr loss = made([&](dn_expr* out) { return dn_op_pick_neg_log_softmax(graph(), y, 1, out); });
  EXPECT_NEAR(scalar(loss), 0.658920288, 1e-5);

  // The file has the gradients of this very loss, for every parameter.
  std::vector<std::vector<float>> expected;
  for (int64_t i = 0; i < parameters_count(model_); ++i) expected.push_back(gradient(parameter_at(model_, i)));
  std::vector<std::vector<float>> expected_rows;
  for (int64_t i = 0; i < table->rows; ++i) expected_rows.push_back(row_gradient(table, i));
  ASSERT_OK(dn_model_reset_gradients(model_.get()));
  ASSERT_OK(dn_graph_backward(graph(), loss, nullptr, 0));
  for (size_t i = 0; i < expected.size(); ++i) {
    dn_parameter* of = parameter_at(model_, static_cast<int64_t>(i));
    const std::vector<float> now = gradient(of);
    for (size_t j = 0; j < now.size(); ++j) EXPECT_NEAR(now[j], expected[i][j], 1e-5) << name(of) << ", " << j;
  }
  for (int64_t i = 0; i < table->rows; ++i) {
    const std::vector<float> now = row_gradient(table, i);
    for (size_t j = 0; j < now.size(); ++j) EXPECT_NEAR(now[j], expected_rows[static_cast<size_t>(i)][j], 1e-5);
  }
}

}  // namespace
}  // namespace dynnet::test

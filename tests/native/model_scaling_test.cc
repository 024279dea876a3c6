// Values and gradients scaled, clipped, zeroed and measured.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "dynnet/dynnet.h"
#include "model_support.h"

namespace dynnet::test {
namespace {

using Floats = std::vector<float>;

/// A root and a part, each with a parameter and a table.
struct Scaled {
  ModelHandle model = new_model();
  ModelHandle part = add_subcollection(model, "part");
  dn_parameter* w = add(model, {3.0f, -4.0f}, "W");
  dn_parameter* v = add(part, {2.0f}, "V");
  dn_lookup_parameter* e = add_table(model, 3, {1}, values_of({1, 2, 3}), "E");
  dn_lookup_parameter* f = add_table(part, 2, {2}, values_of({1, 1, -1, 1}), "F");

  double norm(const ModelHandle& of) const {
    double result = -1;
    EXPECT_OK(dn_model_gradient_norm(of.get(), &result));
    return result;
  }
};

TEST(ModelScaling, TheNormIsThatOfAllGradients) {
  const Scaled s;
  EXPECT_EQ(s.norm(s.model), 0);
  add_gradient(s.w, {3, 0});
  add_row_gradient(s.e, 2, {4});
  add_gradient(s.v, {12});
  EXPECT_EQ(s.norm(s.model), 13);
  EXPECT_EQ(s.norm(s.part), 12);
  ASSERT_OK(dn_parameter_set_updated(s.v, 0));
  EXPECT_EQ(s.norm(s.model), 13) << "frozen ones included";
  add_gradient(s.w, {3e38f, 0});
  EXPECT_NEAR(s.norm(s.model) / 3e38, 1, 1e-6) << "summed in double";
  ASSERT_OK(dn_model_reset_gradients(s.model.get()));
  EXPECT_EQ(s.norm(s.model), 0);
}

TEST(ModelScaling, OfGradients) {
  const Scaled s;
  add_gradient(s.w, {3, -1});
  add_gradient(s.v, {5});
  add_row_gradient(s.e, 1, {2});
  add_row_gradient(s.f, 0, {1, 2});
  ASSERT_OK(dn_model_scale_gradients(s.part.get(), 2));
  EXPECT_EQ(gradient(s.w), (Floats{3, -1}));
  EXPECT_EQ(gradient(s.v), (Floats{10}));
  EXPECT_EQ(row_gradient(s.f, 0), (Floats{2, 4}));
  ASSERT_OK(dn_model_scale_gradients(s.model.get(), -0.5));
  EXPECT_EQ(gradient(s.w), (Floats{-1.5f, 0.5f}));
  EXPECT_EQ(gradient(s.v), (Floats{-5}));
  EXPECT_EQ(row_gradient(s.e, 1), (Floats{-1}));
  EXPECT_EQ(row_gradient(s.e, 0), (Floats{0}));
  ASSERT_OK(dn_parameter_scale_gradient(s.w, 4));
  EXPECT_EQ(gradient(s.w), (Floats{-6, 2}));
  ASSERT_OK(dn_lookup_parameter_scale_gradient(s.e, 3));
  EXPECT_EQ(row_gradient(s.e, 1), (Floats{-3}));
  EXPECT_EQ(values(s.w), (Floats{3, -4}));
  // One that has none has none afterwards.
  ASSERT_OK(dn_model_reset_gradients(s.model.get()));
  ASSERT_OK(dn_parameter_scale_gradient(s.w, 4));
  EXPECT_FALSE(s.w->storage->gradients().has(*s.w));
  ASSERT_TRUE(s.w->storage->gradients().try_lock());
  expect_failure(dn_model_scale_gradients(s.model.get(), 2), DN_E_BUSY, {"another call"});
  expect_failure(dn_parameter_scale_gradient(s.w, 2), DN_E_BUSY, {"another call"});
  s.w->storage->gradients().unlock();
}

TEST(ModelScaling, OfValues) {
  const Scaled s;
  const uint64_t version = s.w->version, table_version = s.f->version;
  ASSERT_OK(dn_model_scale_values(s.part.get(), 3));
  EXPECT_EQ(values(s.w), (Floats{3, -4}));
  EXPECT_EQ(values(s.v), (Floats{6}));
  EXPECT_EQ(values(s.f), (Floats{3, 3, -3, 3}));
  EXPECT_EQ(s.w->version, version);
  EXPECT_GT(s.f->version, table_version);
  ASSERT_OK(dn_parameter_scale(s.w, 0.5));
  EXPECT_EQ(values(s.w), (Floats{1.5f, -2}));
  EXPECT_GT(s.w->version, version);
  ASSERT_OK(dn_lookup_parameter_scale(s.e, -1));
  EXPECT_EQ(values(s.e), (Floats{-1, -2, -3}));
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e300}) {
    expect_failure(dn_model_scale_values(s.model.get(), bad), DN_E_ARGUMENT, {"factor"});
    expect_failure(dn_model_scale_gradients(s.model.get(), bad), DN_E_ARGUMENT, {"factor"});
    expect_failure(dn_parameter_scale(s.w, bad), DN_E_ARGUMENT, {"factor"});
    expect_failure(dn_lookup_parameter_scale_gradient(s.e, bad), DN_E_ARGUMENT, {"factor"});
  }
  EXPECT_EQ(values(s.w), (Floats{1.5f, -2}));
}

TEST(ModelScaling, ProjectionGivesTheValuesANorm) {
  const Scaled s;
  // 9 + 16 + 4 + 14 + 4 = 47
  ASSERT_OK(dn_model_project_weights(s.model.get(), 2));
  const double factor = 2 / std::sqrt(47.0);
  EXPECT_NEAR(values(s.w)[1], -4 * factor, 1e-6);
  EXPECT_NEAR(values(s.v)[0], 2 * factor, 1e-6);
  EXPECT_NEAR(values(s.e)[2], 3 * factor, 1e-6);
  EXPECT_NEAR(values(s.f)[0], factor, 1e-6);
  const uint64_t version = s.w->version;
  ASSERT_OK(dn_model_project_weights(s.part.get(), 5));
  EXPECT_EQ(s.w->version, version);
  EXPECT_NEAR(values(s.v)[0], 5 * 2 / std::sqrt(8.0), 1e-5);
  for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    expect_failure(dn_model_project_weights(s.model.get(), bad), DN_E_ARGUMENT, {"radius"});
  ASSERT_OK(dn_model_scale_values(s.part.get(), 0));
  expect_failure(dn_model_project_weights(s.part.get(), 1), DN_E_STATE, {"/part/", "is 0"});
}

TEST(ModelScaling, ProjectionThatNoFactorGivesChangesNothing) {
  const ModelHandle model = new_model();
  for (const auto& [value, radius] : {std::pair{1e-30f, 1e10}, std::pair{1e20f, 1e-30}}) {
    dn_parameter* const w = add(model, {value, 0}, "");
    expect_failure(dn_model_project_weights(model.get(), radius), DN_E_STATE, {"cannot be made"});
    EXPECT_EQ(values(w), (Floats{value, 0}));
    ASSERT_OK(dn_parameter_scale(w, 0));
  }
}

TEST(ModelScaling, Zero) {
  const Scaled s;
  const uint64_t version = s.w->version, table_version = s.e->version;
  add_gradient(s.w, {1, 1});
  add_row_gradient(s.e, 1, {1});
  ASSERT_OK(dn_parameter_zero(s.w));
  ASSERT_OK(dn_lookup_parameter_zero(s.e));
  EXPECT_EQ(values(s.w), (Floats{0, 0}));
  EXPECT_EQ(values(s.e), (Floats{0, 0, 0}));
  EXPECT_EQ(gradient(s.w), (Floats{0, 0}));
  EXPECT_EQ(row_gradient(s.e, 1), (Floats{0}));
  EXPECT_GT(s.w->version, version);
  EXPECT_GT(s.e->version, table_version);
  EXPECT_EQ(values(s.v), (Floats{2}));
}

TEST(ModelScaling, Clip) {
  const Scaled s;
  const uint64_t version = s.w->version, table_version = s.e->version;
  ASSERT_OK(dn_parameter_clip(s.w, -1, 10));
  ASSERT_OK(dn_lookup_parameter_clip(s.e, 1.5, std::numeric_limits<double>::infinity()));
  EXPECT_EQ(values(s.w), (Floats{3, -1}));
  EXPECT_EQ(values(s.e), (Floats{1.5f, 2, 3}));
  EXPECT_GT(s.w->version, version);
  EXPECT_GT(s.e->version, table_version);
  expect_failure(dn_parameter_clip(s.w, 1, -1), DN_E_ARGUMENT, {"/W", "1 and -1"});
  expect_failure(dn_lookup_parameter_clip(s.e, std::nan(""), 1), DN_E_ARGUMENT, {"/E", "nan"});
  EXPECT_EQ(values(s.w), (Floats{3, -1}));
}

}  // namespace
}  // namespace dynnet::test

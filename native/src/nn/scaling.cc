#include "nn/scaling.h"

#include <cmath>

#include "core/error.h"
#include "parallel/parallel.h"

namespace dynnet {

void scale(float* values, int64_t n, float factor) {
  constexpr int64_t kGrain = 65536;
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) values[i] *= factor;
  });
}

void scale_gradient(GradientSet& gradients, const dn_parameter& parameter, float factor) {
  if (gradients.has(parameter)) scale(gradients.accumulate(parameter), parameter.dim.size(), factor);
}

void scale_gradient(GradientSet& gradients, const dn_lookup_parameter& table, float factor) {
  for (const int32_t row : gradients.rows(table)) scale(gradients.row(table, row), table.row_size(), factor);
}

double squared_norm(GradientSet& gradients, const dn_parameter& parameter) {
  return gradients.has(parameter) ? kernels().sum_squares(gradients.read(parameter), parameter.dim.size()) : 0;
}

double squared_norm(GradientSet& gradients, const dn_lookup_parameter& table) {
  double sum = 0;
  for (const int32_t row : gradients.rows(table))
    sum += kernels().sum_squares(gradients.row(table, row), table.row_size());
  return sum;
}

void project_weights(const dn_model& model, double radius) {
  double sum = 0;
  model.for_each(
      [&](const auto& trained) { sum += kernels().sum_squares(trained.values.data(), trained.values.size()); });
  const double norm = std::sqrt(sum);
  const auto factor = static_cast<float>(radius / norm);
  if (!(norm > 0) || !(factor > 0) || std::isinf(factor))
    fail(DN_E_STATE, "project weights: the norm of all values of %s is %g, which cannot be made %g", model.path.c_str(),
         norm, radius);
  model.for_each([&](auto& trained) {
    scale(trained.values.data(), trained.values.size(), factor);
    trained.version.fetch_add(1, std::memory_order_release);
  });
}

}  // namespace dynnet

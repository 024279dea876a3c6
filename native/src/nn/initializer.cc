#include "nn/initializer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/kernels.h"

namespace dynnet {
namespace {

int64_t elements(const Dim& dim, int64_t rows) { return dim.size() * std::max<int64_t>(rows, 1); }

// Glorot and Bengio 2010, generalised as in DyNet: U(-s, s) with s = gain * sqrt(3 * nd / sum of the nd dimensions), so
// sqrt(6 / (m + n)) for a matrix {m, n} and sqrt(3 / n) for a vector {n}. Four dimensions {h, w, in, out} are the
// filters of a convolution: s = gain * sqrt(6 / (h * w * (in + out))). The rows of a table are drawn alike and do not
// count.
double glorot_scale(const Dim& dim, double gain) {
  if (dim.nd == 4) return gain * std::sqrt(6.0 / (static_cast<double>(dim.d[0]) * dim.d[1] * (dim.d[2] + dim.d[3])));
  // A scalar is a vector of one element.
  const uint32_t nd = std::max(dim.nd, 1u);
  double sum = 0;
  for (uint32_t i = 0; i < nd; ++i) sum += dim.d[i];
  return gain * std::sqrt(3.0 * nd / sum);
}

void fill_uniform(float* values, int64_t n, uint64_t key, double low, double high) {
  kernels().random_uniform(values, n, key);
  const float base = static_cast<float>(low);
  const float range = static_cast<float>(high - low);
  // Rounding may reach the end that the interval excludes.
  const float last = high > low ? std::nextafter(static_cast<float>(high), base) : base;
  for (int64_t i = 0; i < n; ++i) values[i] = std::min(base + range * values[i], last);
}

void fill_normal(float* values, int64_t n, uint64_t key, double mean, double deviation) {
  kernels().random_normal(values, n, key);
  for (int64_t i = 0; i < n; ++i) values[i] = static_cast<float>(mean) + static_cast<float>(deviation) * values[i];
}

bool is_square(const Dim& dim, int64_t rows) {
  if (rows > 0) return dim.is_vector() && dim.rows() == rows;
  return dim.is_matrix() && dim.rows() == dim.cols();
}

}  // namespace

void check_initializer(const dn_initializer& initializer, const Dim& dim, int64_t rows, const std::string& name) {
  const double a = initializer.a;
  const double b = initializer.b;
  switch (initializer.kind) {
    case DN_INIT_GLOROT:
      if (!std::isfinite(a)) fail(DN_E_ARGUMENT, "%s: the gain of a Glorot initializer is %g", name.c_str(), a);
      return;
    case DN_INIT_UNIFORM:
      if (!std::isfinite(a) || !std::isfinite(b) || a > b)
        fail(DN_E_ARGUMENT, "%s: a uniform initializer on [%g, %g)", name.c_str(), a, b);
      return;
    case DN_INIT_NORMAL:
      if (!std::isfinite(a) || !std::isfinite(b) || b < 0)
        fail(DN_E_ARGUMENT, "%s: a normal initializer with mean %g and standard deviation %g", name.c_str(), a, b);
      return;
    case DN_INIT_CONSTANT:
      if (!std::isfinite(a)) fail(DN_E_ARGUMENT, "%s: a constant initializer of %g", name.c_str(), a);
      return;
    case DN_INIT_IDENTITY:
      if (!is_square(dim, rows)) {
        const std::string shape = rows > 0 ? format("%lld rows of ", static_cast<long long>(rows)) : "";
        fail(DN_E_SHAPE, "%s: an identity initializer needs a square matrix, not %s%s", name.c_str(), shape.c_str(),
             dim.text().c_str());
      }
      return;
    case DN_INIT_VALUES:
      if (initializer.values == nullptr) fail(DN_E_ARGUMENT, "%s: the initializer's values are null", name.c_str());
      if (initializer.values_count != elements(dim, rows)) {
        fail(DN_E_SHAPE, "%s: %lld values needed, %lld given", name.c_str(),
             static_cast<long long>(elements(dim, rows)), static_cast<long long>(initializer.values_count));
      }
      return;
    default:
      fail(DN_E_ARGUMENT, "%s: no initializer has the kind %d", name.c_str(), initializer.kind);
  }
}

void initialize(const dn_initializer& initializer, const Dim& dim, int64_t rows, uint64_t key, float* values) {
  const int64_t n = elements(dim, rows);
  switch (initializer.kind) {
    case DN_INIT_GLOROT: {
      const double scale = std::abs(glorot_scale(dim, initializer.a));
      fill_uniform(values, n, key, -scale, scale);
      return;
    }
    case DN_INIT_UNIFORM:
      fill_uniform(values, n, key, initializer.a, initializer.b);
      return;
    case DN_INIT_NORMAL:
      fill_normal(values, n, key, initializer.a, initializer.b);
      return;
    case DN_INIT_CONSTANT:
      std::fill_n(values, n, static_cast<float>(initializer.a));
      return;
    case DN_INIT_IDENTITY: {
      std::fill_n(values, n, 0.0f);
      const int64_t side = dim.rows();
      for (int64_t i = 0; i < side; ++i) values[i * (side + 1)] = 1.0f;
      return;
    }
    default:
      std::memcpy(values, initializer.values, static_cast<size_t>(n) * sizeof(float));
  }
}

}  // namespace dynnet

#include "nn/initializer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/kernels.h"

namespace dynnet {
namespace {

// As the float that values are made of.
bool is_finite(double x) { return std::isfinite(static_cast<float>(x)); }

int64_t elements(const Dim& dim, int64_t rows) { return dim.size() * std::max<int64_t>(rows, 1); }

// Glorot and Bengio 2010, generalised as in DyNet: U(-s, s) with s = gain * sqrt(3 * nd / sum of the nd dimensions), so
// sqrt(6 / (m + n)) for a matrix {m, n} and sqrt(3 / n) for a vector {n}. Four dimensions {h, w, in, out} are the
// filters of a convolution: s = gain * sqrt(6 / (h * w * (in + out))).
double glorot_scale(const Dim& dim, double gain) {
  if (dim.nd == 4) return gain * std::sqrt(6.0 / (static_cast<double>(dim.d[0]) * dim.d[1] * (dim.d[2] + dim.d[3])));
  // A scalar is a vector of one element.
  const uint32_t nd = std::max(dim.nd, 1u);
  double sum = 0;
  for (uint32_t i = 0; i < nd; ++i) sum += dim.d[i];
  return gain * std::sqrt(3.0 * nd / sum);
}

// What counts as the shape: of a lookup all but its last dimension, which in a table is the number of rows.
Dim glorot_dim(int32_t form, Dim dim, int64_t rows) {
  if (form == DN_GLOROT_LOOKUP && rows == 0) {
    --dim.nd;
  } else if (form == DN_GLOROT_TENSOR && rows > 0) {
    dim.d[dim.nd++] = static_cast<uint32_t>(rows);
  }
  return dim;
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

// How many inputs each output is a sum over: of a filter {h, w, in, out} h * w * in, of a vector all its elements.
double inputs(const Dim& dim) {
  if (dim.nd == 4) return static_cast<double>(dim.d[0]) * dim.d[1] * dim.d[2];
  return static_cast<double>(dim.nd <= 1 ? dim.size() : dim.size() / dim.d[0]);
}

// The matrix that a parameter is, or a table whose rows are its columns; false if it is none.
bool is_matrix(const Dim& dim, int64_t rows, int64_t* m, int64_t* n) {
  *m = dim.rows();
  *n = rows > 0 ? rows : dim.cols();
  return rows > 0 ? dim.is_vector() : dim.is_matrix();
}

// The sum is in 8 parts, which the compiler keeps in vectors.
double dot(const double* a, const double* b, int64_t n) {
  constexpr int64_t kParts = 8;
  double part[kParts] = {};
  int64_t i = 0;
  for (; i + kParts <= n; i += kParts)
    for (int64_t l = 0; l < kParts; ++l) part[l] += a[i + l] * b[i + l];
  for (int64_t l = 0; i < n; ++i, ++l) part[l] += a[i] * b[i];
  double sum = 0;
  for (const double p : part) sum += p;
  return sum;
}

// Makes vectors of normal numbers orthonormal, one after the other (Gram and Schmidt), which leaves each matrix as
// likely as any other. Projections are taken twice: what rounding leaves of the first is gone after the second (Giraud,
// Langou and Rozloznik 2005).
void fill_orthonormal(float* values, int64_t m, int64_t n, uint64_t key, double gain) {
  const int64_t length = std::max(m, n), count = std::min(m, n);
  kernels().random_normal(values, m * n, key);
  std::vector<double> vectors(static_cast<size_t>(length * count));
  // Columns where there are fewer of them, else rows.
  const int64_t along = m >= n ? 1 : m, across = m >= n ? m : 1;
  for (int64_t j = 0; j < count; ++j) {
    double* const own = vectors.data() + j * length;
    for (int64_t i = 0; i < length; ++i) own[i] = values[i * along + j * across];
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t k = 0; k < j; ++k) {
        const double* const other = vectors.data() + k * length;
        const double share = dot(own, other, length);
        for (int64_t i = 0; i < length; ++i) own[i] -= share * other[i];
      }
    }
    const double norm = std::sqrt(dot(own, own, length));
    for (int64_t i = 0; i < length; ++i) own[i] /= norm;
    for (int64_t i = 0; i < length; ++i) values[i * along + j * across] = static_cast<float>(gain * own[i]);
  }
}

bool is_square(const Dim& dim, int64_t rows) {
  int64_t m = 0, n = 0;
  return is_matrix(dim, rows, &m, &n) && m == n;
}

// For messages.
std::string shape(const Dim& dim, int64_t rows) {
  return (rows > 0 ? format("%lld rows of ", static_cast<long long>(rows)) : "") + dim.text();
}

}  // namespace

void check_initializer(const dn_initializer& initializer, const Dim& dim, int64_t rows, const std::string& name) {
  const double a = initializer.a;
  const double b = initializer.b;
  switch (initializer.kind) {
    case DN_INIT_GLOROT:
      if (!is_finite(a)) fail(DN_E_ARGUMENT, "%s: the gain of a Glorot initializer is %g", name.c_str(), a);
      if (initializer.form < DN_GLOROT_AUTO || initializer.form > DN_GLOROT_TENSOR)
        fail(DN_E_ARGUMENT, "%s: no Glorot initializer has the form %d", name.c_str(), initializer.form);
      if (initializer.form == DN_GLOROT_LOOKUP && rows == 0 && dim.nd < 2)
        fail(DN_E_SHAPE, "%s: a Glorot initializer for lookups leaves nothing of %s", name.c_str(), dim.text().c_str());
      return;
    case DN_INIT_UNIFORM:
      if (!is_finite(a) || !is_finite(b) || !is_finite(b - a) || a > b)
        fail(DN_E_ARGUMENT, "%s: a uniform initializer on [%g, %g)", name.c_str(), a, b);
      return;
    case DN_INIT_NORMAL:
      if (!is_finite(a) || !is_finite(b) || b < 0)
        fail(DN_E_ARGUMENT, "%s: a normal initializer with mean %g and standard deviation %g", name.c_str(), a, b);
      return;
    case DN_INIT_CONSTANT:
      if (!is_finite(a)) fail(DN_E_ARGUMENT, "%s: a constant initializer of %g", name.c_str(), a);
      return;
    case DN_INIT_IDENTITY:
      if (!is_square(dim, rows))
        fail(DN_E_SHAPE, "%s: an identity initializer needs a square matrix, not %s", name.c_str(),
             shape(dim, rows).c_str());
      return;
    case DN_INIT_SAXE: {
      if (!is_finite(a)) fail(DN_E_ARGUMENT, "%s: the gain of a Saxe initializer is %g", name.c_str(), a);
      int64_t m = 0, n = 0;
      if (!is_matrix(dim, rows, &m, &n))
        fail(DN_E_SHAPE, "%s: a Saxe initializer needs a matrix, not %s", name.c_str(), shape(dim, rows).c_str());
      return;
    }
    case DN_INIT_HE_NORMAL:
    case DN_INIT_HE_UNIFORM:
      if (!is_finite(a)) fail(DN_E_ARGUMENT, "%s: the gain of a He initializer is %g", name.c_str(), a);
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
      const double scale = std::abs(glorot_scale(glorot_dim(initializer.form, dim, rows), initializer.a));
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
    case DN_INIT_SAXE: {
      int64_t matrix_rows = 0, matrix_columns = 0;
      is_matrix(dim, rows, &matrix_rows, &matrix_columns);
      fill_orthonormal(values, matrix_rows, matrix_columns, key, initializer.a);
      return;
    }
    case DN_INIT_HE_NORMAL:
      fill_normal(values, n, key, 0, std::abs(initializer.a) * std::sqrt(2 / inputs(dim)));
      return;
    case DN_INIT_HE_UNIFORM: {
      const double scale = std::abs(initializer.a) * std::sqrt(6 / inputs(dim));
      fill_uniform(values, n, key, -scale, scale);
      return;
    }
    default:
      std::memcpy(values, initializer.values, static_cast<size_t>(n) * sizeof(float));
  }
}

}  // namespace dynnet

// Checks of values that callers give and of places for those that they get.
#ifndef DYNNET_C_API_VALUES_H_
#define DYNNET_C_API_VALUES_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/error.h"
#include "nn/gradients.h"

namespace dynnet::c_api {

/// A parameter or table that was given, and was not taken back.
template <class Trained>
Trained& living(Trained* trained) {
  Trained& self = required(trained, "the parameter");
  check_living(self);
  return self;
}

inline size_t bytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

inline void check_count(const float* values, int64_t given, int64_t needed, const std::string& name) {
  if (values == nullptr) fail(DN_E_ARGUMENT, "%s: the values are null", name.c_str());
  if (given != needed)
    fail(DN_E_SHAPE, "%s: %lld values needed, %lld given", name.c_str(), static_cast<long long>(needed),
         static_cast<long long>(given));
}

/// A finite number to multiply floats by.
inline float checked_factor(double factor) {
  if (!std::isfinite(static_cast<float>(factor))) fail(DN_E_ARGUMENT, "a factor of %g: finite", factor);
  return static_cast<float>(factor);
}

inline void check_row(const dn_lookup_parameter& table, int64_t row) {
  if (row < 0 || row >= table.rows)
    fail(DN_E_INDEX, "%s has no row %lld: it has %lld", table.name.c_str(), static_cast<long long>(row),
         static_cast<long long>(table.rows));
}

/// Copies the gradient of a row; zeros if the set has none, DN_E_BUSY if it is being written.
inline void copy_row_gradient(GradientSet& set, const dn_lookup_parameter& table, int64_t row, float* values,
                              int64_t count) {
  check_row(table, row);
  check_count(values, count, table.row_size(), table.name);
  set.copy_row(table, static_cast<int32_t>(row), values);
}

}  // namespace dynnet::c_api

#endif  // DYNNET_C_API_VALUES_H_

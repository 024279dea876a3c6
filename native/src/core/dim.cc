#include "core/dim.h"

#include "core/error.h"

namespace dynnet {

std::string Dim::text() const {
  std::string text = "{";
  for (uint32_t i = 0; i < nd; ++i) {
    if (i > 0) text += ',';
    text += std::to_string(d[i]);
  }
  text += '}';
  if (bd != 1) text += "X" + std::to_string(bd);
  return text;
}

Dim checked_dim(const dn_dim* dim, const char* what) {
  if (dim == nullptr) fail(DN_E_ARGUMENT, "%s: the shape is null", what);
  if (dim->nd > DN_MAX_DIMS)
    fail(DN_E_ARGUMENT, "%s: %u dimensions, at most %d are possible", what, dim->nd, DN_MAX_DIMS);
  if (dim->bd < 1) fail(DN_E_ARGUMENT, "%s: a batch of 0 elements", what);
  constexpr int64_t kMostElements = int64_t{1} << 40;
  Dim result;
  result.nd = dim->nd;
  result.bd = dim->bd;
  int64_t elements = dim->bd;
  for (uint32_t i = 0; i < dim->nd; ++i) {
    result.d[i] = dim->d[i];
    if (dim->d[i] == 0) fail(DN_E_ARGUMENT, "%s: %s has a dimension of size 0", what, result.text().c_str());
    if (elements > kMostElements / static_cast<int64_t>(dim->d[i])) {
      for (uint32_t rest = i; rest < dim->nd; ++rest) result.d[rest] = dim->d[rest];
      fail(DN_E_MEMORY, "%s: %s has more than 2^40 elements", what, result.text().c_str());
    }
    elements *= dim->d[i];
  }
  return result;
}

dn_dim to_c(const Dim& dim) {
  dn_dim result;
  for (int i = 0; i < DN_MAX_DIMS; ++i) result.d[i] = dim.d[i];
  result.nd = dim.nd;
  result.bd = dim.bd;
  return result;
}

}  // namespace dynnet

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

int64_t total_if_possible(const Dim& dim) {
  int64_t elements = dim.bd;
  for (const uint32_t size : dim.d) {
    if (elements > kMostElements / static_cast<int64_t>(size)) return -1;
    elements *= size;
  }
  return elements;
}

Dim checked_dim(const dn_dim* dim, const char* what) {
  if (dim == nullptr) fail(DN_E_ARGUMENT, "%s: the shape is null", what);
  if (dim->nd > DN_MAX_DIMS)
    fail(DN_E_ARGUMENT, "%s: %u dimensions, at most %d are possible", what, dim->nd, DN_MAX_DIMS);
  if (dim->bd < 1) fail(DN_E_ARGUMENT, "%s: a batch of 0 elements", what);
  Dim result;
  result.nd = dim->nd;
  result.bd = dim->bd;
  for (uint32_t i = 0; i < dim->nd; ++i) result.d[i] = dim->d[i];
  for (const uint32_t size : result.d)
    if (size == 0) fail(DN_E_ARGUMENT, "%s: %s has a dimension of size 0", what, result.text().c_str());
  if (total_if_possible(result) < 0)
    fail(DN_E_MEMORY, "%s: %s has more than 2^40 elements", what, result.text().c_str());
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

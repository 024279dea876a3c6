#include "ops/op.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace dynnet {
namespace {

[[noreturn]] void report(dn_status status, const char* name, const char* format, va_list arguments,
                         const std::string& more = {}) {
  char text[1024];
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fail(status, "%s: %s%s", name, text, more.c_str());
}

// The shapes of all operands, where there are several: a message may name some of them only.
std::string operand_list(const Shaping& s) {
  constexpr int kMost = 8;
  if (s.count() < 2) return {};
  std::string list = " (operands:";
  for (int i = 0; i < s.count() && i < kMost; ++i) list += " " + s[i].text();
  return list + (s.count() > kMost ? " ...)" : ")");
}

}  // namespace

Dim Type::static_dim() const {
  Dim result;
  result.nd = statics[0];
  result.bd = statics[1];
  for (size_t i = 0; i < DN_MAX_DIMS; ++i) result.d[i] = statics[i + 2];
  return result;
}

std::vector<int32_t> Type::static_list(size_t i) const {
  std::vector<int32_t> list(statics[i]);
  for (size_t j = 0; j < list.size(); ++j) list[j] = static_int(i + 1 + j);
  return list;
}

#define DYNNET_OP_ADDRESS(name) &op_##name,
const OpDef* const op_defs[] = {DYNNET_OPS(DYNNET_OP_ADDRESS)};
#undef DYNNET_OP_ADDRESS

const char* Shaping::name() const { return type.def->name; }

void Shaping::mismatch(const char* format, ...) const {
  va_list arguments;
  va_start(arguments, format);
  report(DN_E_SHAPE, name(), format, arguments, operand_list(*this));
}

void Shaping::bad_argument(const char* format, ...) const {
  va_list arguments;
  va_start(arguments, format);
  report(DN_E_ARGUMENT, name(), format, arguments);
}

void same_shape(Shaping& s) { s.type.dim = s[0]; }

void static_shape(Shaping& s) { s.type.dim = s.type.static_dim(); }

void check_gradient_mode(const Shaping& s, int32_t mode) {
  if (mode != DN_GRADIENT_ZERO && mode != DN_GRADIENT_STRAIGHT_THROUGH)
    s.bad_argument("gradient mode %d, expected 0 (zero) or 1 (straight through)", mode);
}

void matrix_shape(Shaping& s) {
  if (!s[0].is_matrix()) s.mismatch("expected a vector or matrix, got %s", s[0].text().c_str());
  s.type.dim = s[0];
}

void vectors_shape(Shaping& s) {
  if (!s[0].is_vector() || !s[0].same_shape(s[1]))
    s.mismatch("expected two vectors of one size, got %s and %s", s[0].text().c_str(), s[1].text().c_str());
  s.type.dim = s[0];
  s.type.dim.bd = common_batch(s, s[0].bd, s[1].bd);
}

int checked_dimension(const Shaping& s, int32_t dim) {
  if (dim < 0 || dim >= DN_MAX_DIMS) s.bad_argument("dimension %d, expected 0 to %d", dim, DN_MAX_DIMS - 1);
  return dim;
}

void check_finite(const Checking& c, int i, const char* what) {
  const double value = c.number(i);
  if (!std::isfinite(value)) fail(DN_E_ARGUMENT, "%s: %s of %g, expected a number", c.type.def->name, what, value);
}

void check_not_negative(const Checking& c, int i, const char* what) {
  const double value = c.number(i);
  if (!std::isfinite(value) || value < 0)
    fail(DN_E_ARGUMENT, "%s: %s of %g, expected 0 or more", c.type.def->name, what, value);
}

uint32_t common_batch(const Shaping& s, uint32_t a, uint32_t b) {
  if (a != b && a != 1 && b != 1) s.mismatch("the operands have batches of %u and %u elements", a, b);
  return a > b ? a : b;
}

void pair_to_scalar(Shaping& s) {
  if (!s[0].same_shape(s[1]))
    s.mismatch("expected two operands of one shape, got %s and %s", s[0].text().c_str(), s[1].text().c_str());
  s.type.dim = Dim({1}, common_batch(s, s[0].bd, s[1].bd));
}

}  // namespace dynnet

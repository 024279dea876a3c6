// Functions of each element.
#include "ops/rows.h"

namespace dynnet::test {
namespace {

using D = Domain;

bool any_and_mode(Draw& d, World&, Example& e) {
  e.a.mode = static_cast<int32_t>(d.below(2));
  return true;
}

bool passes_gradient(const Example& e) { return e.a.mode == 1; }

std::vector<Bad> bad_mode() {
  return {{{{2}}, {.mode = 2}, DN_E_ARGUMENT, "gradient mode 2"}, {{{2}}, {.mode = -1}, DN_E_ARGUMENT, "-1"}};
}

OpRow function(std::string_view name, dn_status (*record)(const Recording&), Domain domain = D::kAny) {
  return {.name = name, .draw = draws::any, .record = record, .domains = {domain}};
}

OpRow function_with_number(std::string_view name, dn_status (*record)(const Recording&), Domain domain = D::kAny) {
  return {.name = name, .draw = draws::any_and_scalar, .record = record, .domains = {domain}};
}

OpRow rounding(std::string_view name, dn_status (*record)(const Recording&)) {
  return {.name = name,
          .draw = any_and_mode,
          .record = record,
          .bad = bad_mode(),
          .domains = {D::kBetween},
          .estimated = passes_gradient};
}

}  // namespace

std::vector<OpRow> elementwise_rows() {
  return {
      {.name = "negate", .draw = draws::any, .record = RECORD_UNARY(negate)},
      {.name = "tanh", .draw = draws::any, .record = RECORD_UNARY(tanh)},
      {.name = "logistic", .draw = draws::any, .record = RECORD_UNARY(logistic)},
      {.name = "rectify", .draw = draws::any, .record = RECORD_UNARY(rectify)},
      {.name = "exp", .draw = draws::any, .record = RECORD_UNARY(exp), .domains = {D::kSmall}},
      {.name = "log", .draw = draws::any, .record = RECORD_UNARY(log), .domains = {D::kPositive}},
      {.name = "square", .draw = draws::any, .record = RECORD_UNARY(square)},
      {.name = "sqrt", .draw = draws::any, .record = RECORD_UNARY(sqrt), .domains = {D::kPositive}},
      function("abs", RECORD_UNARY(abs), D::kNonZero),
      function("cube", RECORD_UNARY(cube), D::kSmall),
      function("erf", RECORD_UNARY(erf)),
      function("lgamma", RECORD_UNARY(lgamma), D::kPositive),
      function("sin", RECORD_UNARY(sin)),
      function("cos", RECORD_UNARY(cos)),
      function("tan", RECORD_UNARY(tan), D::kUnit),
      function("asin", RECORD_UNARY(asin), D::kUnit),
      function("acos", RECORD_UNARY(acos), D::kUnit),
      function("atan", RECORD_UNARY(atan)),
      function("sinh", RECORD_UNARY(sinh), D::kSmall),
      function("cosh", RECORD_UNARY(cosh), D::kSmall),
      function("asinh", RECORD_UNARY(asinh)),
      function("acosh", RECORD_UNARY(acosh), D::kAboveOne),
      function("atanh", RECORD_UNARY(atanh), D::kUnit),
      function("log_sigmoid", RECORD_UNARY(log_sigmoid)),
      function("softplus", RECORD_UNARY(softplus)),
      function_with_number("elu", RECORD(dn_op_elu(r.graph, r.x[0], r.a.scalar, r.out)), D::kNonZero),
      function("selu", RECORD_UNARY(selu), D::kNonZero),
      function_with_number("silu", RECORD(dn_op_silu(r.graph, r.x[0], r.a.scalar, r.out))),
      function("gelu", RECORD_UNARY(gelu)),
      function("softsign", RECORD_UNARY(softsign)),
      function_with_number("leaky_rectify", RECORD(dn_op_leaky_rectify(r.graph, r.x[0], r.a.scalar, r.out)),
                           D::kNonZero),
      function("hard_tanh", RECORD_UNARY(hard_tanh), D::kBetween),
      rounding("floor", RECORD(dn_op_floor(r.graph, r.x[0], r.a.mode, r.out))),
      rounding("ceil", RECORD(dn_op_ceil(r.graph, r.x[0], r.a.mode, r.out))),
      rounding("round", RECORD(dn_op_round(r.graph, r.x[0], r.a.mode, r.out))),
  };
}

}  // namespace dynnet::test

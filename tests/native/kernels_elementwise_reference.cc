#include "kernels_elementwise_reference.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ops/op_table.h"
#include "reference/rules.h"

namespace dynnet::test {
namespace {

#define DYNNET_NAME(type, name) #name,
constexpr std::string_view kUnaryNames[] = {DYNNET_UNARY_OPS(DYNNET_NAME)};
constexpr std::string_view kBinaryNames[] = {DYNNET_BINARY_OPS(DYNNET_NAME)};
#undef DYNNET_NAME

/// The interval in which an operation is tried: as far as its domain in the table of operations allows.
std::pair<double, double> IntervalOf(std::string_view name) {
  // It has no derivative only from 1.57 on.
  if (name == "tan") return {-1.2, 1.2};
  switch (test::op_row(name).domain(0)) {
    case test::Domain::kPositive:
      return {0.1, 6};
    case test::Domain::kProbability:
      return {0.05, 0.95};
    case test::Domain::kUnit:
      return {-0.9, 0.9};
    case test::Domain::kAboveOne:
      return {1.2, 6};
    default:
      return {-3, 3};
  }
}

}  // namespace

struct ElementRule::State {
  const reference::Rule* rule;
  reference::Attributes attributes;
  reference::Shape shape;
  std::array<reference::Numbers, 2> x{reference::Numbers(1), reference::Numbers(1)};
  std::array<reference::Numbers, 2> dx{reference::Numbers(1), reference::Numbers(1)};
  reference::Numbers y{0.0};
  reference::Numbers dy{1.0};
  reference::Context context{{}, shape, attributes, {}, y, dy, {}};
};

ElementRule::ElementRule(std::string_view name, size_t operands) : state_(std::make_unique<State>()) {
  state_->rule = reference::find_rule(name);
  if (state_->rule == nullptr) throw std::logic_error("no rule for " + std::string(name));
  // Rounding passes gradients through.
  state_->attributes.mode = 1;
  for (size_t i = 0; i < operands; ++i) {
    state_->context.x_shapes.emplace_back();
    state_->context.x.push_back(&state_->x[i]);
    state_->context.dx.push_back(&state_->dx[i]);
  }
}

ElementRule::~ElementRule() = default;
ElementRule::ElementRule(ElementRule&&) noexcept = default;

double ElementRule::Value(std::array<double, 2> x, double s) const {
  for (size_t i = 0; i < x.size(); ++i) state_->x[i][0] = x[i];
  state_->attributes.scalar = s;
  state_->y[0] = 0;
  state_->rule->apply(state_->context);
  return state_->y[0];
}

double ElementRule::Derivative(size_t operand, std::array<double, 2> x, double y, double s) const {
  for (size_t i = 0; i < x.size(); ++i) {
    state_->x[i][0] = x[i];
    state_->dx[i][0] = 0;
  }
  state_->attributes.scalar = s;
  state_->y[0] = y;
  state_->rule->differentiate(state_->context);
  return state_->dx[operand][0];
}

Unary ReferenceOf(UnaryOp op) {
  const std::string_view name = kUnaryNames[static_cast<int>(op)];
  const auto [low, high] = IntervalOf(name);
  return {name, low, high};
}

Binary ReferenceOf(BinaryOp op) { return Binary(kBinaryNames[static_cast<int>(op)]); }

}  // namespace dynnet::test

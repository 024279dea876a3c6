// What is right of each elementwise operation, in double: the interpreter's rules, number by number.
#ifndef DYNNET_TESTS_KERNELS_ELEMENTWISE_REFERENCE_H_
#define DYNNET_TESTS_KERNELS_ELEMENTWISE_REFERENCE_H_

#include <array>
#include <memory>
#include <string_view>

#include "ops/elementwise.h"

namespace dynnet::test {

/// An operation's rule, applied to one element.
class ElementRule {
 public:
  ElementRule(std::string_view name, size_t operands);
  ~ElementRule();
  ElementRule(ElementRule&&) noexcept;

 protected:
  struct State;
  double Value(std::array<double, 2> x, double s) const;
  /// Of y as it is given, as far as the rule reads it.
  double Derivative(size_t operand, std::array<double, 2> x, double y, double s) const;

 private:
  std::unique_ptr<State> state_;
};

struct Unary : ElementRule {
  Unary(std::string_view name, double low, double high) : ElementRule(name, 1), low(low), high(high) {}
  double forward(double x, double s) const { return Value({x, 0}, s); }
  double backward(double x, double y, double s) const { return Derivative(0, {x, 0}, y, s); }
  /// Between which numbers it is tried in all layouts.
  double low, high;
};

struct Binary : ElementRule {
  explicit Binary(std::string_view name) : ElementRule(name, 2) {}
  double forward(double a, double b) const { return Value({a, b}, 0); }
  double backward(int side, double a, double b) const {
    return Derivative(static_cast<size_t>(side), {a, b}, forward(a, b), 0);
  }
};

Unary ReferenceOf(UnaryOp op);
Binary ReferenceOf(BinaryOp op);

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_KERNELS_ELEMENTWISE_REFERENCE_H_

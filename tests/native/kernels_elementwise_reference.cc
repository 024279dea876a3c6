#include "kernels_elementwise_reference.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels_testing.h"
#include "reference/digamma.h"

namespace dynnet::testing {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kSeluScale = 1.0507009873554805;
constexpr double kSeluAlpha = 1.6732632423543772;

double Softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double NormalDistribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

}  // namespace

Unary ReferenceOf(UnaryOp op) {
  switch (op) {
    case UnaryOp::kTanh:
      return {[](double x, double) { return std::tanh(x); }, [](double, double y, double) { return 1 - y * y; }};
    case UnaryOp::kLogistic:
      return {[](double x, double) { return Logistic(x); }, [](double, double y, double) { return y * (1 - y); }};
    case UnaryOp::kRectify:
      return {[](double x, double) { return x > 0 ? x : 0; },
              [](double, double y, double) { return y > 0 ? 1.0 : 0.0; }};
    case UnaryOp::kExp:
      return {[](double x, double) { return std::exp(x); }, [](double, double y, double) { return y; }};
    case UnaryOp::kLog:
      return {[](double x, double) { return std::log(x); }, [](double x, double, double) { return 1 / x; }, 0.1, 5};
    case UnaryOp::kSquare:
      return {[](double x, double) { return x * x; }, [](double x, double, double) { return 2 * x; }};
    case UnaryOp::kSqrt:
      return {[](double x, double) { return std::sqrt(x); }, [](double, double y, double) { return 0.5 / y; }, 0.1, 5};
    case UnaryOp::kNegate:
      return {[](double x, double) { return -x; }, [](double, double, double) { return -1.0; }};
    case UnaryOp::kAddScalar:
      return {[](double x, double s) { return x + s; }, [](double, double, double) { return 1.0; }};
    case UnaryOp::kMultiplyScalar:
      return {[](double x, double s) { return x * s; }, [](double, double, double s) { return s; }};
    case UnaryOp::kSubtractFromScalar:
      return {[](double x, double s) { return s - x; }, [](double, double, double) { return -1.0; }};
    case UnaryOp::kDivideScalar:
      return {[](double x, double s) { return x / s; }, [](double, double, double s) { return 1 / s; }};
    case UnaryOp::kDivideIntoScalar:
      return {[](double x, double s) { return s / x; }, [](double x, double y, double) { return -y / x; }, 0.5, 5};
    case UnaryOp::kAbs:
      return {[](double x, double) { return std::abs(x); },
              [](double x, double, double) { return x > 0   ? 1.0
                                                    : x < 0 ? -1.0
                                                            : 0.0; }};
    case UnaryOp::kCube:
      return {[](double x, double) { return x * x * x; }, [](double x, double, double) { return 3 * x * x; }};
    case UnaryOp::kErf:
      return {[](double x, double) { return std::erf(x); },
              [](double x, double, double) { return 2 / std::sqrt(kPi) * std::exp(-x * x); }};
    case UnaryOp::kLgamma:
      return {[](double x, double) { return std::lgamma(x); },
              [](double x, double, double) { return reference::digamma(x); }, 0.2, 6};
    case UnaryOp::kSin:
      return {[](double x, double) { return std::sin(x); }, [](double x, double, double) { return std::cos(x); }};
    case UnaryOp::kCos:
      return {[](double x, double) { return std::cos(x); }, [](double x, double, double) { return -std::sin(x); }};
    case UnaryOp::kTan:
      return {[](double x, double) { return std::tan(x); }, [](double, double y, double) { return 1 + y * y; }, -1.2,
              1.2};
    case UnaryOp::kAsin:
      return {[](double x, double) { return std::asin(x); },
              [](double x, double, double) { return 1 / std::sqrt(1 - x * x); }, -0.9, 0.9};
    case UnaryOp::kAcos:
      return {[](double x, double) { return std::acos(x); },
              [](double x, double, double) { return -1 / std::sqrt(1 - x * x); }, -0.9, 0.9};
    case UnaryOp::kAtan:
      return {[](double x, double) { return std::atan(x); }, [](double x, double, double) { return 1 / (1 + x * x); }};
    case UnaryOp::kSinh:
      return {[](double x, double) { return std::sinh(x); }, [](double x, double, double) { return std::cosh(x); }};
    case UnaryOp::kCosh:
      return {[](double x, double) { return std::cosh(x); }, [](double x, double, double) { return std::sinh(x); }};
    case UnaryOp::kAsinh:
      return {[](double x, double) { return std::asinh(x); },
              [](double x, double, double) { return 1 / std::sqrt(x * x + 1); }};
    case UnaryOp::kAcosh:
      return {[](double x, double) { return std::acosh(x); },
              [](double x, double, double) { return 1 / std::sqrt(x * x - 1); }, 1.2, 6};
    case UnaryOp::kAtanh:
      return {[](double x, double) { return std::atanh(x); }, [](double x, double, double) { return 1 / (1 - x * x); },
              -0.9, 0.9};
    case UnaryOp::kLogSigmoid:
      return {[](double x, double) { return -Softplus(-x); }, [](double, double y, double) { return -std::expm1(y); }};
    case UnaryOp::kSoftplus:
      return {[](double x, double) { return Softplus(x); }, [](double, double y, double) { return -std::expm1(-y); }};
    case UnaryOp::kElu:
      return {[](double x, double s) { return x > 0 ? x : s * std::expm1(x); },
              [](double x, double, double s) { return x > 0 ? 1 : s * std::exp(x); }};
    case UnaryOp::kSelu:
      return {[](double x, double) { return kSeluScale * (x > 0 ? x : kSeluAlpha * std::expm1(x)); },
              [](double x, double, double) { return kSeluScale * (x > 0 ? 1 : kSeluAlpha * std::exp(x)); }};
    case UnaryOp::kSilu:
      return {[](double x, double s) { return x * Logistic(s * x); },
              [](double x, double, double s) { return Logistic(s * x) * (1 + s * x * Logistic(-s * x)); }};
    case UnaryOp::kGelu:
      return {[](double x, double) { return x * NormalDistribution(x); },
              [](double x, double, double) {
                return NormalDistribution(x) + x * std::exp(-0.5 * x * x) / std::sqrt(2 * kPi);
              }};
    case UnaryOp::kSoftsign:
      return {[](double x, double) { return x / (1 + std::abs(x)); },
              [](double x, double, double) { return 1 / std::pow(1 + std::abs(x), 2); }};
    case UnaryOp::kLeakyRectify:
      return {[](double x, double s) { return x > 0 ? x : s * x; },
              [](double x, double, double s) { return x > 0 ? 1 : s; }};
    case UnaryOp::kHardTanh:
      return {[](double x, double) { return std::clamp(x, -1.0, 1.0); },
              [](double, double y, double) { return std::abs(y) < 1 ? 1.0 : 0.0; }};
    case UnaryOp::kFloor:
      return {[](double x, double) { return std::floor(x); }, [](double, double, double) { return 1.0; }};
    case UnaryOp::kCeil:
      return {[](double x, double) { return std::ceil(x); }, [](double, double, double) { return 1.0; }};
    case UnaryOp::kRound:
      return {[](double x, double) { return std::round(x); }, [](double, double, double) { return 1.0; }};
    case UnaryOp::kCount:
      break;
  }
  ADD_FAILURE() << "no reference for operation " << static_cast<int>(op);
  return {};
}

Binary ReferenceOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return {[](double a, double b) { return a + b; },
              {[](double, double) { return 1.0; }, [](double, double) { return 1.0; }}};
    case BinaryOp::kSubtract:
      return {[](double a, double b) { return a - b; },
              {[](double, double) { return 1.0; }, [](double, double) { return -1.0; }}};
    case BinaryOp::kCmult:
      return {[](double a, double b) { return a * b; },
              {[](double, double b) { return b; }, [](double a, double) { return a; }}};
    case BinaryOp::kCdiv:
      return {[](double a, double b) { return a / b; },
              {[](double, double b) { return 1 / b; }, [](double a, double b) { return -a / (b * b); }}};
    case BinaryOp::kPow:
      return {[](double a, double b) { return std::pow(a, b); },
              {[](double a, double b) { return b * std::pow(a, b - 1); },
               [](double a, double b) { return std::pow(a, b) * std::log(a); }}};
    case BinaryOp::kMin:
      return {
          [](double a, double b) { return std::min(a, b); },
          {[](double a, double b) { return a < b ? 1.0 : 0.0; }, [](double a, double b) { return a < b ? 0.0 : 1.0; }}};
    case BinaryOp::kMax:
      return {
          [](double a, double b) { return std::max(a, b); },
          {[](double a, double b) { return a > b ? 1.0 : 0.0; }, [](double a, double b) { return a > b ? 0.0 : 1.0; }}};
    case BinaryOp::kCount:
      break;
  }
  ADD_FAILURE() << "no reference for operation " << static_cast<int>(op);
  return {};
}

}  // namespace dynnet::testing

// Elementwise functions of one operand: y = F, dx += dy DF, in terms of x and y.
#include <unsupported/Eigen/SpecialFunctions>

#include "references.h"

namespace references {
namespace {

#define UNARY_LOOP(name, F, DF)                          \
  void name##_loop(const Node& n) {                      \
    const float* __restrict xs = n.x[0];                 \
    float* __restrict ys = n.y;                          \
    EACH(i, elements) {                                  \
      const float x = xs[i];                             \
      ys[i] = (F);                                       \
    }                                                    \
  }                                                      \
  void name##_loop_backward(const Node& n) {             \
    const float* __restrict xs = n.x[0];                 \
    const float* __restrict ys = n.y;                    \
    const float* __restrict dys = n.dy;                  \
    float* __restrict d = n.dx[0];                       \
    EACH(i, elements) {                                  \
      [[maybe_unused]] const float x = xs[i], y = ys[i]; \
      d[i] += dys[i] * (DF);                             \
    }                                                    \
  }

#define UNARY(name, F, DF, EF, EDF)                                          \
  UNARY_LOOP(name, F, DF)                                                    \
  void name##_eigen(const Node& n) {                                         \
    const ConstArray x(n.x[0], elements);                                    \
    Array(n.y, elements) = (EF);                                             \
  }                                                                          \
  void name##_eigen_backward(const Node& n) {                                \
    [[maybe_unused]] const ConstArray x(n.x[0], elements), y(n.y, elements); \
    const ConstArray dy(n.dy, elements);                                     \
    Array(n.dx[0], elements) += dy * (EDF);                                  \
  }

constexpr float kSeluScale = 1.05070098f, kSeluAlpha = 1.67326324f, kSlope = 0.01f;

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }
float phi(float x) { return 0.5f * (1 + std::erf(x * 0.707106781f)); }
float density(float x) { return 0.39894228f * std::exp(-0.5f * x * x); }

/// psi(x) for positive x: eight steps up in two quotients of the same degree, then the asymptotic series.
float digamma(float x) {
  float sum = 0;
  for (int i = 0; i < 6; ++i) sum += 1 / (x + static_cast<float>(i));
  const float s = x + 6, w = 1 / (s * s);
  return std::log(s) - 0.5f / s - w * (1.0f / 12 - w * (1.0f / 120 - w * (1.0f / 252))) - sum;
}

UNARY(negate, -x, -1.0f, -x, -1.0f)
UNARY(tanh, std::tanh(x), 1 - y * y, x.tanh(), 1 - y.square())
UNARY(logistic, sigmoid(x), y*(1 - y), x.logistic(), y*(1 - y))
UNARY(rectify, x > 0 ? x : 0, x > 0 ? 1 : 0, x.max(0.0f), (x > 0).cast<float>())
UNARY(exp, std::exp(x), y, x.exp(), y)
UNARY(log, std::log(x), 1 / x, x.log(), x.inverse())
UNARY(square, x* x, 2 * x, x.square(), 2 * x)
UNARY(sqrt, std::sqrt(x), 0.5f / y, x.sqrt(), 0.5f / y)
UNARY(abs, std::abs(x), x > 0 ? 1 : -1, x.abs(), x.sign())
UNARY(cube, x* x* x, 3 * x * x, x.cube(), 3 * x.square())
UNARY(erf, std::erf(x), 1.12837917f * std::exp(-x * x), x.erf(), 1.12837917f * (-x.square()).exp())
UNARY_LOOP(lgamma, std::lgamma(x), digamma(x))
UNARY(sin, std::sin(x), std::cos(x), x.sin(), x.cos())
UNARY(cos, std::cos(x), -std::sin(x), x.cos(), -x.sin())
UNARY(tan, std::tan(x), 1 + y * y, x.tan(), 1 + y.square())
UNARY(asin, std::asin(x), 1 / std::sqrt(1 - x * x), x.asin(), (1 - x.square()).rsqrt())
UNARY(acos, std::acos(x), -1 / std::sqrt(1 - x * x), x.acos(), -(1 - x.square()).rsqrt())
UNARY(atan, std::atan(x), 1 / (1 + x * x), x.atan(), (1 + x.square()).inverse())
UNARY(sinh, std::sinh(x), std::cosh(x), x.sinh(), x.cosh())
UNARY(cosh, std::cosh(x), std::sinh(x), x.cosh(), x.sinh())
UNARY(asinh, std::asinh(x), 1 / std::sqrt(1 + x * x), x.asinh(), (1 + x.square()).rsqrt())
UNARY(acosh, std::acosh(x), 1 / std::sqrt(x * x - 1), x.acosh(), (x.square() - 1).rsqrt())
UNARY(atanh, std::atanh(x), 1 / (1 - x * x), x.atanh(), (1 - x.square()).inverse())
UNARY(log_sigmoid, std::min(x, 0.0f) - std::log1p(std::exp(-std::abs(x))), 1 - std::exp(y),
      x.min(0.0f) - (-x.abs()).exp().log1p(), 1 - y.exp())
UNARY(softplus, std::max(x, 0.0f) + std::log1p(std::exp(-std::abs(x))), sigmoid(x),
      x.max(0.0f) + (-x.abs()).exp().log1p(), x.logistic())
// y + alpha, which would be cheaper than the exponential, loses all digits where y is near -alpha.
UNARY(elu, x > 0 ? x : std::expm1(x), x > 0 ? 1 : std::exp(x), (x > 0).select(x, x.expm1()),
      (x > 0).select(Eigen::ArrayXf::Ones(elements), x.exp()))
UNARY(selu, kSeluScale*(x > 0 ? x : kSeluAlpha * std::expm1(x)),
      x > 0 ? kSeluScale : kSeluScale * kSeluAlpha * std::exp(x), kSeluScale*(x > 0).select(x, kSeluAlpha* x.expm1()),
      (x > 0).select(Eigen::ArrayXf::Constant(elements, kSeluScale), kSeluScale* kSeluAlpha* x.exp()))
UNARY(silu, x* sigmoid(x), sigmoid(x) * (1 + x * (1 - sigmoid(x))), x* x.logistic(),
      x.logistic() * (1 + x * (1 - x.logistic())))
UNARY(gelu, x* phi(x), phi(x) + x * density(x), 0.5f * x * (1 + (x * 0.707106781f).erf()),
      0.5f * (1 + (x * 0.707106781f).erf()) + x * (0.39894228f * (-0.5f * x.square()).exp()))
UNARY(softsign, x / (1 + std::abs(x)), 1 / ((1 + std::abs(x)) * (1 + std::abs(x))), x / (1 + x.abs()),
      (1 + x.abs()).square().inverse())
UNARY(leaky_rectify, x > 0 ? x : kSlope * x, x > 0 ? 1 : kSlope, x.max(kSlope* x),
      (x > 0).select(Eigen::ArrayXf::Ones(elements), kSlope))
UNARY(hard_tanh, std::min(std::max(x, -1.0f), 1.0f), std::abs(y) < 1 ? 1 : 0, x.max(-1.0f).min(1.0f),
      (y.abs() < 1).cast<float>())
UNARY(floor, std::floor(x), 1.0f, x.floor(), 1.0f)
UNARY(ceil, std::ceil(x), 1.0f, x.ceil(), 1.0f)
UNARY(round, std::round(x), 1.0f, x.round(), 1.0f)
UNARY(add_scalar, x + 2, 1.0f, x + 2, 1.0f)
UNARY(multiply_scalar, 2 * x, 2.0f, 2 * x, 2.0f)
UNARY(divide_scalar, x / 2, 0.5f, x / 2, 0.5f)
UNARY(divide_into_scalar, 2 / x, -y / x, 2 / x, -y / x)
UNARY(subtract_from_scalar, 2 - x, -1.0f, 2 - x, -1.0f)

#define ROW_LOOP(name)                                                    \
  {                                                                       \
#name, {kElements }, kElements, { name##_loop, name##_loop_backward } \
  }
#define ROW(name)                                                                                                 \
  {                                                                                                               \
#name, {kElements }, kElements, {name##_loop, name##_loop_backward }, { name##_eigen, name##_eigen_backward } \
  }

}  // namespace

std::span<const Reference> elementwise_references() {
  static const Reference table[] = {ROW(negate),
                                    ROW(tanh),
                                    ROW(logistic),
                                    ROW(rectify),
                                    ROW(exp),
                                    ROW(log),
                                    ROW(square),
                                    ROW(sqrt),
                                    ROW(abs),
                                    ROW(cube),
                                    ROW(erf),
                                    ROW_LOOP(lgamma),
                                    ROW(sin),
                                    ROW(cos),
                                    ROW(tan),
                                    ROW(asin),
                                    ROW(acos),
                                    ROW(atan),
                                    ROW(sinh),
                                    ROW(cosh),
                                    ROW(asinh),
                                    ROW(acosh),
                                    ROW(atanh),
                                    ROW(log_sigmoid),
                                    ROW(softplus),
                                    ROW(elu),
                                    ROW(selu),
                                    ROW(silu),
                                    ROW(gelu),
                                    ROW(softsign),
                                    ROW(leaky_rectify),
                                    ROW(hard_tanh),
                                    ROW(floor),
                                    ROW(ceil),
                                    ROW(round),
                                    ROW(add_scalar),
                                    ROW(multiply_scalar),
                                    ROW(divide_scalar),
                                    ROW(divide_into_scalar),
                                    ROW(subtract_from_scalar)};
  return table;
}

}  // namespace references

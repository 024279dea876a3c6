// Operations on each element by itself: functions, arithmetic that is no polynomial, and what compares operands.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "reference/digamma.h"
#include "reference/rules.h"

namespace dynnet::reference {

double digamma(double x) {
  if (x <= 0 && x == std::floor(x)) return std::numeric_limits<double>::infinity();
  constexpr double kPi = std::numbers::pi;
  // The tangent of the part behind the point, which is exact.
  if (x < 0) return digamma(1 - x) - kPi / std::tan(kPi * (x - std::round(x)));
  double sum = 0;
  for (; x < 12; x += 1) sum -= 1 / x;
  // The asymptotic series, by Bernoulli numbers.
  const double w = 1 / (x * x);
  const double series = w * (1.0 / 12 - w * (1.0 / 120 - w * (1.0 / 252 - w * (1.0 / 240 - w / 132))));
  return sum + std::log(x) - 0.5 / x - series;
}

namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi); }

double elu(double x, double alpha) { return x > 0 ? x : alpha * std::expm1(x); }

double elu_slope(double x, double alpha) { return x > 0 ? 1 : alpha * std::exp(x); }

constexpr double kSeluScale = 1.0507009873554805;
constexpr double kSeluAlpha = 1.6732632423543772;

// Below this, the logarithms of binary_log_loss stay as they are.
double bounded(double x) { return std::max(x, static_cast<double>(std::numeric_limits<float>::min())); }

// One function of one element and the operation's number; its derivative is of the element, the function's value and
// the number.
template <double (*f)(double x, double s), double (*derivative)(double x, double y, double s)>
Rule unary(std::string_view name) {
  return {.name = name,
          .shape = same_shape,
          .forward =
              [](const Context& c) {
                for (size_t i = 0; i < c.y.size(); ++i) c.y[i] = f((*c.x[0])[i], c.attributes.scalar);
              },
          .backward =
              [](const Context& c) {
                for (size_t i = 0; i < c.y.size(); ++i)
                  (*c.dx[0])[i] += c.dy[i] * derivative((*c.x[0])[i], c.y[i], c.attributes.scalar);
              }};
}

// To a whole number; the gradient is 0 or passed through.
template <double (*f)(double x)>
Rule rounding(std::string_view name) {
  return {.name = name,
          .shape =
              [](const Signature& s) {
                require(s.attributes.mode == 0 || s.attributes.mode == 1, s, "no such mode");
                return s.x.at(0);
              },
          .forward =
              [](const Context& c) {
                for (size_t i = 0; i < c.y.size(); ++i) c.y[i] = f((*c.x[0])[i]);
              },
          .backward =
              [](const Context& c) {
                for (size_t i = 0; i < c.y.size(); ++i) (*c.dx[0])[i] += c.dy[i] * c.attributes.mode;
              }};
}

double number(const Context& x, size_t operand, const Coordinates& c) {
  return (*x.x[operand])[static_cast<size_t>(place(x.x_shapes[operand], c))];
}

void add_gradient(const Context& x, size_t operand, const Coordinates& c, double gradient) {
  (*x.dx[operand])[static_cast<size_t>(place(x.x_shapes[operand], c))] += gradient;
}

// One function of two elements, and its derivatives.
template <double (*f)(double a, double b), double (*da)(double a, double b), double (*db)(double a, double b)>
Rule binary(std::string_view name) {
  return {.name = name,
          .shape = broadcast_shape,
          .forward =
              [](const Context& x) {
                each_element(x.shape, [&](const Coordinates& c, int64_t i) {
                  x.y[static_cast<size_t>(i)] = f(number(x, 0, c), number(x, 1, c));
                });
              },
          .backward =
              [](const Context& x) {
                each_element(x.shape, [&](const Coordinates& c, int64_t i) {
                  const double a = number(x, 0, c);
                  const double b = number(x, 1, c);
                  add_gradient(x, 0, c, x.dy[static_cast<size_t>(i)] * da(a, b));
                  add_gradient(x, 1, c, x.dy[static_cast<size_t>(i)] * db(a, b));
                });
              }};
}

Shape colwise_add_shape(const Signature& s) {
  require(s.x.at(0).is_matrix() && s.x.at(1).is_vector(), s, "no matrix, or no vector");
  require(s.x[0].d[0] == s.x[1].d[0], s, "different numbers of rows");
  return broadcast_shape(s);
}

void colwise_add_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    term(i, 1, {0, place(x.x_shapes[0], c)}, {});
    term(i, 1, {1, place(x.x_shapes[1], c)}, {});
  });
}

// ---- of many operands ----

// The last of the largest.
size_t largest(const Context& x, const Coordinates& c) {
  size_t at = 0;
  for (size_t k = 1; k < x.x.size(); ++k)
    if (number(x, k, c) >= number(x, at, c)) at = k;
  return at;
}

void max_list_forward(const Context& x) {
  each_element(x.shape,
               [&](const Coordinates& c, int64_t i) { x.y[static_cast<size_t>(i)] = number(x, largest(x, c), c); });
}

void max_list_backward(const Context& x) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    add_gradient(x, largest(x, c), c, x.dy[static_cast<size_t>(i)]);
  });
}

void logsumexp_forward(const Context& x) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    const double most = number(x, largest(x, c), c);
    double sum = 0;
    for (size_t k = 0; k < x.x.size(); ++k) sum += std::exp(number(x, k, c) - most);
    x.y[static_cast<size_t>(i)] = most + std::log(sum);
  });
}

void logsumexp_backward(const Context& x) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    const auto at = static_cast<size_t>(i);
    for (size_t k = 0; k < x.x.size(); ++k) add_gradient(x, k, c, x.dy[at] * std::exp(number(x, k, c) - x.y[at]));
  });
}

}  // namespace

const std::vector<Rule> kElementwise = {
    unary<[](double x, double) { return std::tanh(x); }, [](double, double y, double) { return 1 - y * y; }>("tanh"),
    unary<[](double x, double) { return logistic(x); }, [](double, double y, double) { return y * (1 - y); }>(
        "logistic"),
    unary<[](double x, double) { return std::max(x, 0.0); },
          [](double x, double, double) { return 0 < x ? 1.0 : 0.0; }>("rectify"),
    unary<[](double x, double) { return std::exp(x); }, [](double, double y, double) { return y; }>("exp"),
    unary<[](double x, double) { return std::log(x); }, [](double x, double, double) { return 1 / x; }>("log"),
    unary<[](double x, double) { return std::sqrt(x); }, [](double, double y, double) { return 0.5 / y; }>("sqrt"),
    // Of binary_log_loss; no operation of its own.
    // The derivative has a bound of its own.
    unary<[](double x, double) { return std::log(bounded(x)); },
          [](double x, double, double least) { return 1 / std::max(x, least); }>("bounded_log"),
    unary<[](double x, double) { return std::abs(x); },
          [](double x, double, double) { return 0 < x   ? 1.0
                                                : x < 0 ? -1.0
                                                        : 0.0; }>("abs"),
    unary<[](double x, double) { return x * x * x; }, [](double x, double, double) { return 3 * x * x; }>("cube"),
    unary<[](double x, double) { return std::erf(x); },
          [](double x, double, double) { return 2 / std::sqrt(std::numbers::pi) * std::exp(-x * x); }>("erf"),
    unary<[](double x, double) { return std::lgamma(x); }, [](double x, double, double) { return digamma(x); }>(
        "lgamma"),
    unary<[](double x, double) { return std::sin(x); }, [](double x, double, double) { return std::cos(x); }>("sin"),
    unary<[](double x, double) { return std::cos(x); }, [](double x, double, double) { return -std::sin(x); }>("cos"),
    unary<[](double x, double) { return std::tan(x); }, [](double, double y, double) { return 1 + y * y; }>("tan"),
    unary<[](double x, double) { return std::asin(x); },
          [](double x, double, double) { return 1 / std::sqrt(1 - x * x); }>("asin"),
    unary<[](double x, double) { return std::acos(x); },
          [](double x, double, double) { return -1 / std::sqrt(1 - x * x); }>("acos"),
    unary<[](double x, double) { return std::atan(x); }, [](double x, double, double) { return 1 / (1 + x * x); }>(
        "atan"),
    unary<[](double x, double) { return std::sinh(x); }, [](double x, double, double) { return std::cosh(x); }>("sinh"),
    unary<[](double x, double) { return std::cosh(x); }, [](double x, double, double) { return std::sinh(x); }>("cosh"),
    unary<[](double x, double) { return std::asinh(x); },
          [](double x, double, double) { return 1 / std::sqrt(x * x + 1); }>("asinh"),
    unary<[](double x, double) { return std::acosh(x); },
          [](double x, double, double) { return 1 / std::sqrt(x * x - 1); }>("acosh"),
    unary<[](double x, double) { return std::atanh(x); }, [](double x, double, double) { return 1 / (1 - x * x); }>(
        "atanh"),
    unary<[](double x, double) { return -softplus(-x); }, [](double x, double, double) { return logistic(-x); }>(
        "log_sigmoid"),
    unary<[](double x, double) { return softplus(x); }, [](double x, double, double) { return logistic(x); }>(
        "softplus"),
    unary<elu, [](double x, double, double s) { return elu_slope(x, s); }>("elu"),
    unary<[](double x, double) { return kSeluScale * elu(x, kSeluAlpha); },
          [](double x, double, double) { return kSeluScale * elu_slope(x, kSeluAlpha); }>("selu"),
    unary<[](double x, double s) { return x * logistic(s * x); },
          [](double x, double, double s) { return logistic(s * x) + s * x * logistic(s * x) * (1 - logistic(s * x)); }>(
        "silu"),
    unary<[](double x, double) { return x * normal_distribution(x); },
          [](double x, double, double) { return normal_distribution(x) + x * normal_density(x); }>("gelu"),
    unary<[](double x, double) { return x / (1 + std::abs(x)); },
          [](double x, double, double) { return 1 / std::pow(1 + std::abs(x), 2); }>("softsign"),
    unary<[](double x, double s) { return 0 < x ? x : s * x; },
          [](double x, double, double s) { return 0 < x ? 1 : s; }>("leaky_rectify"),
    unary<[](double x, double) { return std::clamp(x, -1.0, 1.0); },
          [](double x, double, double) { return std::abs(x) < 1 ? 1.0 : 0.0; }>("hard_tanh"),
    rounding<[](double x) { return std::floor(x); }>("floor"),
    rounding<[](double x) { return std::ceil(x); }>("ceil"),
    rounding<[](double x) { return std::round(x); }>("round"),

    unary<[](double x, double s) { return s - x; }, [](double, double, double) { return -1.0; }>(
        "subtract_from_scalar"),
    unary<[](double x, double s) { return x / s; }, [](double, double, double s) { return 1 / s; }>("divide_scalar"),
    unary<[](double x, double s) { return s / x; }, [](double x, double, double s) { return -s / (x * x); }>(
        "divide_into_scalar"),
    binary<[](double a, double b) { return a / b; }, [](double, double b) { return 1 / b; },
           [](double a, double b) { return -a / (b * b); }>("cdiv"),
    binary<[](double a, double b) { return std::pow(a, b); }, [](double a, double b) { return b * std::pow(a, b - 1); },
           [](double a, double b) { return std::pow(a, b) * std::log(a); }>("pow"),
    binary<[](double a, double b) { return std::min(a, b); }, [](double a, double b) { return a < b ? 1.0 : 0.0; },
           [](double a, double b) { return a < b ? 0.0 : 1.0; }>("min"),
    binary<[](double a, double b) { return std::max(a, b); }, [](double a, double b) { return b < a ? 1.0 : 0.0; },
           [](double a, double b) { return b < a ? 0.0 : 1.0; }>("max"),
    {.name = "colwise_add", .shape = colwise_add_shape, .terms = colwise_add_terms},
    {.name = "max_list", .shape = broadcast_shape, .forward = max_list_forward, .backward = max_list_backward},
    {.name = "logsumexp", .shape = broadcast_shape, .forward = logsumexp_forward, .backward = logsumexp_backward},
};

}  // namespace dynnet::reference

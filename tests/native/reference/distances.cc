// Distances and losses of two operands that are no polynomials, and the loss of a Poisson distribution.
#include <cmath>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

// The operands' shape with the batch of both.
Shape both(const Context& c) {
  Shape shape = c.x_shapes[0];
  shape.batch = std::max(shape.batch, c.x_shapes[1].batch);
  return shape;
}

// Calls f(place in y, place in x0, place in x1) for each pair of elements.
template <class F>
void each_pair(const Context& c, F f) {
  each_element(both(c), [&](const Coordinates& at, int64_t i) {
    const bool to_scalar = c.shape.size() == 1;
    f(static_cast<size_t>(to_scalar ? at[kBatch] : i), static_cast<size_t>(place(c.x_shapes[0], at)),
      static_cast<size_t>(place(c.x_shapes[1], at)));
  });
}

// The sum of f(x0 - x1, attribute); the derivative is of the difference.
template <double (*f)(double d, double a), double (*derivative)(double d, double a)>
Rule distance(std::string_view name, Shape (*shape)(const Signature&)) {
  return {.name = name,
          .shape = shape,
          .forward =
              [](const Context& c) {
                each_pair(c, [&](size_t y, size_t i, size_t j) {
                  c.y[y] += f((*c.x[0])[i] - (*c.x[1])[j], c.attributes.scalar);
                });
              },
          .backward =
              [](const Context& c) {
                each_pair(c, [&](size_t y, size_t i, size_t j) {
                  const double slope = derivative((*c.x[0])[i] - (*c.x[1])[j], c.attributes.scalar);
                  (*c.dx[0])[i] += c.dy[y] * slope;
                  (*c.dx[1])[j] -= c.dy[y] * slope;
                });
              }};
}

double absolute(double d, double) { return std::abs(d); }
double sign(double d, double) { return d > 0 ? 1 : d < 0 ? -1 : 0; }
double huber(double d, double c) { return std::abs(d) <= c ? d * d / 2 : c * std::abs(d) - c * c / 2; }
double huber_slope(double d, double c) { return std::abs(d) <= c ? d : c * sign(d, c); }
double shortfall(double d, double m) { return std::max(0.0, m - d); }
double shortfall_slope(double d, double m) { return m - d > 0 ? -1 : 0; }

Shape huber_shape(const Signature& s) {
  require(s.attributes.scalar > 0, s, "no such bound");
  return pair_to_scalar(s);
}

Shape rank_shape(const Signature& s) {
  Shape y = s.x.at(0);
  y.batch = pair_to_scalar(s).batch;
  return y;
}

// ---- poisson_loss ----

Shape poisson_shape(const Signature& s) {
  require(s.x.at(0).size() == 1, s, "several elements");
  require(s.attributes.indices.at(0) >= 0, s, "a negative count");
  return Shape({1}, s.x[0].batch);
}

void poisson_forward(const Context& c) {
  const double count = c.attributes.indices[0];
  for (size_t i = 0; i < c.y.size(); ++i) {
    const double x = (*c.x[0])[i];
    c.y[i] = std::exp(x) - count * x + std::lgamma(count + 1);
  }
}

void poisson_backward(const Context& c) {
  for (size_t i = 0; i < c.y.size(); ++i) (*c.dx[0])[i] += c.dy[i] * (std::exp((*c.x[0])[i]) - c.attributes.indices[0]);
}

}  // namespace

const std::vector<Rule> kDistances = {
    distance<absolute, sign>("l1_distance", pair_to_scalar),
    distance<huber, huber_slope>("huber_distance", huber_shape),
    distance<shortfall, shortfall_slope>("pairwise_rank_loss", rank_shape),
    {.name = "poisson_loss", .shape = poisson_shape, .forward = poisson_forward, .backward = poisson_backward},
};

}  // namespace dynnet::reference

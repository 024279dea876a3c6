// Tensors of random numbers.
#include <cmath>

#include "ops/context.h"

namespace dynnet {
namespace {

// Nanoseconds a number, roughly.
constexpr double kCost = 1.5;

template <Distribution distribution>
void draw_forward(const Forward& b) {
  const float* first = b.data_floats(0);
  const float* second = b.data_floats(1);
  b.parallel(b.count, kCost * static_cast<double>(b.type.size), [&](int64_t begin, int64_t end) {
    b.k.draw(distribution, b.y.from(begin), b.keys + begin, first + begin, second + begin, end - begin, b.type.size);
  });
}

void check_normal(const Checking& c) {
  check_finite(c, 0, "a mean");
  check_not_negative(c, 1, "a standard deviation");
}

void check_uniform(const Checking& c) {
  const float left = c.number(0);
  const float right = c.number(1);
  if (!std::isfinite(right - left) || right < left)
    fail(DN_E_ARGUMENT, "%s: from %g to %g", c.type.def->name, static_cast<double>(left), static_cast<double>(right));
}

void check_bernoulli(const Checking& c) {
  const float p = c.number(0);
  if (!(p >= 0 && p <= 1))
    fail(DN_E_ARGUMENT, "%s: a probability of %g, expected 0 to 1", c.type.def->name, static_cast<double>(p));
  check_finite(c, 1, "a scale");
}

void check_gumbel(const Checking& c) {
  check_finite(c, 0, "a location");
  check_not_negative(c, 1, "a scale");
}

// The two numbers are the node's own; the nine words of the shape before them are not.
template <Distribution distribution>
constexpr OpDef draw(const char* name, void (*check)(const Checking&)) {
  return {.name = name,
          .shape = static_shape,
          .forward = draw_forward<distribution>,
          .check = check,
          .data_words = 3u << 9,
          .random = true};
}

}  // namespace

const OpDef op_random_normal = draw<Distribution::kNormal>("random_normal", check_normal);
const OpDef op_random_uniform = draw<Distribution::kUniform>("random_uniform", check_uniform);
const OpDef op_random_bernoulli = draw<Distribution::kBernoulli>("random_bernoulli", check_bernoulli);
const OpDef op_random_gumbel = draw<Distribution::kGumbel>("random_gumbel", check_gumbel);

}  // namespace dynnet

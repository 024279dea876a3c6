// Updates of weights, each one pass over memory, and what is asked of gradients before.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// The step of Adam; `bound(i, lanes, v)` is what its square root is taken of.
template <class Bound>
DYNNET_INLINE void adam_with(float* w, const float* g, float* m, float* v, int64_t n, const AdamStep& step,
                             Bound bound) {
  const Vec beta1(step.beta1), beta2(step.beta2), rest1(step.rest1), rest2(step.rest2);
  const Vec epsilon(step.epsilon), rate(step.rate), scale(step.gradient_scale), decay(step.decay);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec gradient = scale * lanes.load(g + i);
    const Vec mean = fma(beta1, lanes.load(m + i), rest1 * gradient);
    const Vec square = fma(beta2, lanes.load(v + i), rest2 * (gradient * gradient));
    lanes.store(m + i, mean);
    lanes.store(v + i, square);
    // The square root and the quotient exact to the last bit: the same on every processor of an instruction set.
    const Vec root = sqrt(bound(i, lanes, square));
    lanes.store(w + i, fma(decay, lanes.load(w + i), -(rate * mean / (root + epsilon))));
  });
}

void adam(float* w, const float* g, float* m, float* v, int64_t n, const AdamStep& step) {
  adam_with(w, g, m, v, n, step, [](int64_t, auto, Vec square) DYNNET_INLINE_BODY { return square; });
}

void amsgrad(float* w, const float* g, float* m, float* v, float* most, int64_t n, const AdamStep& step) {
  adam_with(w, g, m, v, n, step, [&](int64_t i, auto lanes, Vec square) DYNNET_INLINE_BODY {
    // A square that is no number is the second operand, so that it is not lost.
    const Vec largest = max(lanes.load(most + i), square);
    lanes.store(most + i, largest);
    return largest;
  });
}

void sgd(float* w, const float* g, int64_t n, float rate, float decay) {
  const Vec r(rate), d(decay);
  for_vectors(n, [&](int64_t i, auto lanes)
                     DYNNET_INLINE_BODY { lanes.store(w + i, fnma(r, lanes.load(g + i), d * lanes.load(w + i))); });
}

/// The new velocity, which is kept.
template <class Lanes>
DYNNET_INLINE Vec velocity_of(const float* g, float* v, int64_t i, Lanes lanes, Vec rate, Vec momentum) {
  const Vec velocity = fnma(rate, lanes.load(g + i), momentum * lanes.load(v + i));
  lanes.store(v + i, velocity);
  return velocity;
}

void momentum_sgd(float* w, const float* g, float* v, int64_t n, const MomentumStep& step) {
  const Vec rate(step.rate), momentum(step.momentum), decay(step.decay), push(step.push);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec velocity = velocity_of(g, v, i, lanes, rate, momentum);
    lanes.store(w + i, fma(decay, lanes.load(w + i), push * velocity));
  });
}

void nesterov(float* w, const float* g, float* v, int64_t n, const MomentumStep& step) {
  const Vec rate(step.rate), momentum(step.momentum), decay(step.decay), push(step.push);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec velocity = velocity_of(g, v, i, lanes, rate, momentum);
    const Vec ahead = fnma(rate, lanes.load(g + i), momentum * velocity);
    lanes.store(w + i, fma(decay, lanes.load(w + i), push * ahead));
  });
}

void rms_prop(float* w, const float* g, float* h, int64_t n, const AdaptiveStep& step) {
  const Vec rho(step.rho), rest(step.rest), epsilon(step.epsilon), rate(step.rate);
  const Vec scale(step.gradient_scale), decay(step.decay);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec gradient = scale * lanes.load(g + i);
    const Vec square = fma(rho, lanes.load(h + i), rest * (gradient * gradient));
    lanes.store(h + i, square);
    lanes.store(w + i, fma(decay, lanes.load(w + i), -(rate * gradient / sqrt(square + epsilon))));
  });
}

void adadelta(float* w, const float* g, float* h, float* e, int64_t n, const AdaptiveStep& step) {
  const Vec rho(step.rho), rest(step.rest), epsilon(step.epsilon), rate(step.rate);
  const Vec scale(step.gradient_scale), decay(step.decay);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec gradient = scale * lanes.load(g + i);
    const Vec square = fma(rho, lanes.load(h + i), rest * (gradient * gradient));
    const Vec moved = lanes.load(e + i);
    const Vec delta = gradient * sqrt(moved + epsilon) / sqrt(square + epsilon);
    lanes.store(h + i, square);
    lanes.store(e + i, fma(rho, moved, rest * (delta * delta)));
    lanes.store(w + i, fnma(rate, delta, decay * lanes.load(w + i)));
  });
}

void exponentiated_gradient(float* w, const float* g, float* v, int64_t n, float rate, float momentum) {
  const Vec r(rate), mu(momentum), zero(0.0f), least(-__builtin_inff());
  // The exponents count from the largest whose weight is not 0: no power overflows, and the sum is not 0.
  Vec largest = least;
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec velocity = velocity_of(g, v, i, lanes, r, mu);
    largest = max(lanes.keep(select(zero < lanes.load(w + i), velocity, least), least), largest);
  });
  const Vec start(reduce_max(largest));
  const float sum = sum_of(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    // More than the largest is a velocity whose weight is 0, and its power must not be infinite.
    const Vec weight = lanes.load(w + i) * exp(min(zero, lanes.load(v + i) - start));
    lanes.store(w + i, weight);
    return weight;
  });
  const Vec total(sum);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY { lanes.store(w + i, lanes.load(w + i) / total); });
}

void blend(float* a, const float* x, int64_t n, float share) {
  const Vec s(share);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec old = lanes.load(a + i);
    lanes.store(a + i, fma(s, lanes.load(x + i) - old, old));
  });
}

bool clip(float* x, int64_t n, float low, float high) {
  const Vec lowest(low), highest(high), zero(0.0f);
  Vec moved = zero;
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec value = lanes.load(x + i);
    // What is no number is the second operand, and passes.
    const Vec clipped = max(lowest, min(highest, value));
    lanes.store(x + i, clipped);
    moved = max(lanes.keep(abs(clipped - value), zero), moved);
  });
  return reduce_max(moved) > 0.0f;
}

/// Plain loops over arrays from here on: the compiler makes vectors of them, and the order is in the source.
constexpr int kSums = 32;

double sum_squares(const float* x, int64_t n) {
  double sum[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int l = 0; l < kSums; ++l) {
      const double d = x[i + l];
      sum[l] += d * d;
    }
  }
  for (int l = 0; i < n; ++i, ++l) {
    const double d = x[i];
    sum[l] += d * d;
  }
  for (int half = kSums / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) sum[l] += sum[l + half];
  }
  return sum[0];
}

DYNNET_INLINE bool finite(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7f800000u) != 0x7f800000u;
}

int64_t find_nonfinite(const float* x, int64_t n) {
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    uint32_t bad = 0;
    for (int l = 0; l < 64; ++l) bad |= finite(x[i + l]) ? 0u : 1u;
    if (bad != 0) break;
  }
  for (; i < n; ++i) {
    if (!finite(x[i])) return i;
  }
  return -1;
}

}  // namespace

void fill_train(Kernels* table) {
  table->adam = adam;
  table->amsgrad = amsgrad;
  table->sgd = sgd;
  table->momentum_sgd = momentum_sgd;
  table->nesterov = nesterov;
  table->rms_prop = rms_prop;
  table->adadelta = adadelta;
  table->exponentiated_gradient = exponentiated_gradient;
  table->blend = blend;
  table->clip = clip;
  table->sum_squares = sum_squares;
  table->find_nonfinite = find_nonfinite;
}

}  // namespace dynnet::cpu::DYNNET_ISA

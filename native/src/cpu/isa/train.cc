// Updates of weights, each one pass over memory, and what is asked of gradients before.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

void adam(float* w, const float* g, float* m, float* v, int64_t n, const AdamStep& step) {
  const Vec beta1(step.beta1), beta2(step.beta2), rest1(1.0f - step.beta1), rest2(1.0f - step.beta2);
  const Vec epsilon(step.epsilon), rate(step.rate), scale(step.gradient_scale), decay(step.decay);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec gradient = scale * lanes.load(g + i);
    const Vec mean = fma(beta1, lanes.load(m + i), rest1 * gradient);
    const Vec square = fma(beta2, lanes.load(v + i), rest2 * (gradient * gradient));
    lanes.store(m + i, mean);
    lanes.store(v + i, square);
    // The square root and the quotient exact to the last bit: the same on every processor of an instruction set.
    lanes.store(w + i, fma(decay, lanes.load(w + i), -(rate * mean / (sqrt(square) + epsilon))));
  });
}

void sgd(float* w, const float* g, int64_t n, float rate, float decay) {
  const Vec r(rate), d(decay);
  for_vectors(n, [&](int64_t i, auto lanes)
                     DYNNET_INLINE_BODY { lanes.store(w + i, fnma(r, lanes.load(g + i), d * lanes.load(w + i))); });
}

void momentum_sgd(float* w, const float* g, float* v, int64_t n, float rate, float momentum, float decay) {
  const Vec r(rate), mu(momentum), d(decay);
  for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec velocity = fnma(r, lanes.load(g + i), mu * lanes.load(v + i));
    lanes.store(v + i, velocity);
    lanes.store(w + i, fma(d, lanes.load(w + i), velocity));
  });
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
  table->sgd = sgd;
  table->momentum_sgd = momentum_sgd;
  table->sum_squares = sum_squares;
  table->find_nonfinite = find_nonfinite;
}

}  // namespace dynnet::cpu::DYNNET_ISA

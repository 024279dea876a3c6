// The vectors that the kernels are written in, for the instruction set that this file is compiled for: 16, 8 or 4
// floats of x86-64-v4, -v3, -v2, or 4 floats of whatever the processor is. On top of each set's own header, this one
// has the functions that are the same for all.
//
// All that is defined here and in the files beside it is in the namespace of its instruction set, and nothing of the
// standard library is used: an inline function with one name in two sets would be one function in the program, the
// newest set's, and crash elsewhere. For the same reason the kernels call no member function of core/kernels.h.
#ifndef DYNNET_CPU_ISA_SIMD_H_
#define DYNNET_CPU_ISA_SIMD_H_

#include <stdint.h>

#ifndef DYNNET_ISA
#error "DYNNET_ISA names the instruction set: v2, v3, v4 or portable"
#endif

#define DYNNET_INLINE __attribute__((always_inline)) inline
/// Behind the parameters of a lambda that is the body of a loop: it must not become a call.
#define DYNNET_INLINE_BODY __attribute__((always_inline))
/// Before a function with a loop whose needs are to stay in registers, as they do not where many loops are inlined.
#define DYNNET_APART __attribute__((noinline))

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include "cpu/isa/simd_v4.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "cpu/isa/simd_v3.h"
#elif defined(__SSE4_2__)
#include "cpu/isa/simd_v2.h"
#else
#include "cpu/isa/simd_portable.h"
#endif

namespace dynnet::cpu::DYNNET_ISA {

/// Whole vectors, where a loop's body is written once for them and for the Part at the end.
struct Whole {
  DYNNET_INLINE Vec load(const float* p) const { return DYNNET_ISA::load(p); }
  DYNNET_INLINE void store(float* p, Vec a) const { DYNNET_ISA::store(p, a); }
  DYNNET_INLINE Vec keep(Vec a, Vec) const { return a; }
};

/// Calls body(i, lanes) for n elements, vector by vector. The end runs the same arithmetic in a part of a vector, so an
/// element's value does not depend on its place.
template <class Body>
DYNNET_INLINE void for_vectors(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) body(i, Whole());
  if (i < n) body(i, Part(n - i));
}

/// The sum over n elements of value(i, lanes). The order depends on n only: four sums that take turns, added in pairs.
template <class Value>
DYNNET_INLINE float sum_of(int64_t n, Value value) {
  Vec a(0.0f), b(0.0f), c(0.0f), d(0.0f);
  int64_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
    a = a + value(i, Whole());
    b = b + value(i + kWidth, Whole());
    c = c + value(i + 2 * kWidth, Whole());
    d = d + value(i + 3 * kWidth, Whole());
  }
  for (; i + kWidth <= n; i += kWidth) a = a + value(i, Whole());
  if (i < n) {
    const Part part(n - i);
    b = b + part.keep(value(i, part), Vec(0.0f));
  }
  return reduce_add((a + b) + (c + d));
}

/// The sum of the products of n elements of two rows, in such an order.
DYNNET_INLINE float dot_of(const float* x, const float* y, int64_t n) {
  Vec sum[4] = {Vec(0.0f), Vec(0.0f), Vec(0.0f), Vec(0.0f)};
  int64_t j = 0;
  for (; j + 4 * kWidth <= n; j += 4 * kWidth) {
#pragma GCC unroll 4
    for (int turn = 0; turn < 4; ++turn)
      sum[turn] = fma(load(x + j + turn * kWidth), load(y + j + turn * kWidth), sum[turn]);
  }
  for (; j + kWidth <= n; j += kWidth) sum[0] = fma(load(x + j), load(y + j), sum[0]);
  if (j < n) {
    const Part part(n - j);
    sum[1] = fma(part.load(x + j), part.load(y + j), sum[1]);
  }
  return reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// The largest of n elements; four take turns.
DYNNET_INLINE float largest_of(const float* x, int64_t n) {
  const Vec none(-__builtin_inff());
  Vec most[4] = {none, none, none, none};
  int64_t j = 0;
  for (; j + 4 * kWidth <= n; j += 4 * kWidth) {
#pragma GCC unroll 4
    for (int turn = 0; turn < 4; ++turn) most[turn] = max(most[turn], load(x + j + turn * kWidth));
  }
  for (; j + kWidth <= n; j += kWidth) most[0] = max(most[0], load(x + j));
  if (j < n) {
    const Part part(n - j);
    most[1] = max(most[1], part.keep(part.load(x + j), none));
  }
  return reduce_max(max(max(most[0], most[1]), max(most[2], most[3])));
}

/// Ln 2 in two parts, of which the first times the exponent of a float is exact.
constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

/// x - n ln 2 with the n for which that is nearest to 0.
DYNNET_INLINE Vec minus_ln2(Vec x, Vec& n) {
  n = round(x * Vec(1.44269504f));
  return fnma(n, Vec(kLn2Low), fnma(n, Vec(kLn2High), x));
}

/// e^r - 1 = r + r^2 p(r) for |r| <= ln 2 / 2
DYNNET_INLINE Vec small_expm1(Vec r) {
  Vec p = Vec(1.38825168e-3f);
  p = fma(p, r, Vec(8.36651549e-3f));
  p = fma(p, r, Vec(4.16671998e-2f));
  p = fma(p, r, Vec(1.66665437e-1f));
  p = fma(p, r, Vec(4.99999982e-1f));
  return fma(p, r * r, r);
}

/// e^x = (1 + the result) * 2^n with whole n, the result between -0.3 and 0.42 and accurate near 0.
DYNNET_INLINE Vec exp_parts(Vec x, Vec& n) { return small_expm1(minus_ln2(x, n)); }

/// e^x to about 1 ulp, for an x of at most 89: 0 below ln of the smallest float.
DYNNET_INLINE Vec exp_below_89(Vec x) {
  // Beyond this bound the result stays 0; NaN passes, being the second operand.
  Vec n;
  const Vec p = exp_parts(max(Vec(-104.0f), x), n);
  return scale_by_power(p + Vec(1.0f), n);
}

/// e^x to about 1 ulp: infinity above ln of the largest float.
DYNNET_INLINE Vec exp(Vec x) { return exp_below_89(min(Vec(89.0f), x)); }

/// e^x - 1, which keeps all digits near 0; for x between -87 and 88.
DYNNET_INLINE Vec expm1(Vec x) {
  Vec n;
  const Vec p = exp_parts(x, n), power = scale_by_power(Vec(1.0f), n);
  return fma(p, power, power - Vec(1.0f));
}

/// ln x to about 1 ulp: minus infinity for 0, NaN below.
DYNNET_INLINE Vec log(Vec x) {
  Vec e;
  Vec m = split_exponent(x, e);
  // Into [sqrt(1/2), sqrt(2)], where ln is small and the exponent's part exact.
  const Mask large = Vec(1.41421356f) < m;
  m = select(large, m * Vec(0.5f), m);
  e = select(large, e + Vec(1.0f), e);
  const Vec f = m - Vec(1.0f), f2 = f * f;
  Vec p = Vec(7.0376836292e-2f);
  p = fma(p, f, Vec(-1.1514610310e-1f));
  p = fma(p, f, Vec(1.1676998740e-1f));
  p = fma(p, f, Vec(-1.2420140846e-1f));
  p = fma(p, f, Vec(1.4249322787e-1f));
  p = fma(p, f, Vec(-1.6668057665e-1f));
  p = fma(p, f, Vec(2.0000714765e-1f));
  p = fma(p, f, Vec(-2.4999993993e-1f));
  p = fma(p, f, Vec(3.3333331174e-1f));
  p = p * f * f2;
  // e ln 2 in two parts of one sign, so that an infinite e gives no NaN.
  p = fma(e, Vec(1.42860677e-6f), p);
  p = fnma(Vec(0.5f), f2, p);
  return fma(e, Vec(0.693145752f), f + p);
}

/// 1 / (1 + e^-x)
DYNNET_INLINE Vec logistic(Vec x) { return Vec(1.0f) / (Vec(1.0f) + exp(-x)); }

/// By e^2|x| - 1, which keeps all digits near 0: t / (t + 2).
DYNNET_INLINE Vec tanh(Vec x) {
  // At the bound the result is 1 already.
  const Vec t = expm1(min(Vec(20.0f), abs(x) + abs(x)));
  return copysign(t / (t + Vec(2.0f)), x);
}

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_SIMD_H_

// Polynomials over vectors, from which the other functions are made.
#ifndef DYNNET_CPU_ISA_POLYNOMIAL_H_
#define DYNNET_CPU_ISA_POLYNOMIAL_H_

#include "cpu/isa/simd.h"

namespace dynnet::cpu::DYNNET_ISA {

/// For functions so long that a call costs nothing, and their many copies in loops would.
#define DYNNET_CALLED __attribute__((noinline)) inline

DYNNET_INLINE Vec polynomial(Vec, Vec sum) { return sum; }

/// A polynomial by Horner's rule; the coefficients from that of the highest power to the constant.
template <class... Floats>
DYNNET_INLINE Vec polynomial(Vec x, Vec sum, float next, Floats... rest) {
  return polynomial(x, fma(sum, x, Vec(next)), rest...);
}

template <class... Floats>
DYNNET_INLINE Vec polynomial(Vec x, float first, float second, Floats... rest) {
  return polynomial(x, Vec(first), second, rest...);
}

/// The odd function x + x^3 p(x^2), by the coefficients of p.
template <class... Floats>
DYNNET_INLINE Vec odd_polynomial(Vec x, Floats... coefficients) {
  const Vec z = x * x;
  return fma(x * z, polynomial(z, coefficients...), x);
}

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_POLYNOMIAL_H_

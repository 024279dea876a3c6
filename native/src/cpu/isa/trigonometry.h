// The functions of angles over vectors, as functions.h has the others.
#ifndef DYNNET_CPU_ISA_TRIGONOMETRY_H_
#define DYNNET_CPU_ISA_TRIGONOMETRY_H_

#include "cpu/isa/polynomial.h"

namespace dynnet::cpu::DYNNET_ISA {

// ---- the multiple of pi that is nearest to an angle, and what is left ----

/// x - k pi, for k a multiple of 1/2. Up to a |k| of 2^15 the products of k and the parts of pi, 8 digits each, are
/// exact, and so is the result to a few units of its own last digit, however small it is (Cody and Waite 1980).
DYNNET_INLINE Vec minus_pi(Vec x, Vec k) {
  Vec r = fnma(k, Vec(3.140625f), x);
  r = fnma(k, Vec(9.68933105e-4f), r);
  r = fnma(k, Vec(-1.28149986e-6f), r);
  r = fnma(k, Vec(1.97906047e-9f), r);
  r = fnma(k, Vec(5.1159077e-12f), r);
  return fnma(k, Vec(1.07806059e-14f), r);
}

/// 1 for even whole k, -1 for odd.
DYNNET_INLINE Vec alternate(Vec k) {
  const Vec half = Vec(0.5f) * k;
  return fnma(Vec(4.0f), abs(half - floor(half)), Vec(1.0f));
}

/// x / pi modulo 2, in units of 2^-63, for 1e5 < x (Payne and Hanek 1983): of 1 / pi, only the digits count that are
/// neither so high that their product with x is even nor so low that it is too small.
inline uint64_t over_pi(float x) {
  // One word before the point, then the digits behind it.
  static constexpr uint32_t kDigits[] = {0,          0x517cc1b7, 0x27220a94, 0xfe13abe8, 0xfa9a6ee0,
                                         0x6db14acc, 0x9e21c820, 0xff28b1d5, 0xef5de2b0};
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const uint64_t significand = (bits & 0x007fffffu) | 0x00800000u;
  // x = significand * 2^exponent; the first digit that counts is the one with the weight 2^-exponent.
  const int exponent = static_cast<int>(bits >> 23) - 150, first = exponent + 31;
  const uint32_t* digits = kDigits + first / 32;
  const int shift = first % 32;
  const auto word = [&](int i) {
    return (((static_cast<uint64_t>(digits[i]) << 32 | digits[i + 1]) << shift) >> 32) & 0xffffffffu;
  };
  return (significand * word(0) << 32) + significand * word(1) + (significand * word(2) >> 32);
}

/// For any x: x * multiple + ahead * pi / 2 = (k + rest) * pi, rest from -1/2 to 1/2; gives what rest stands for in x,
/// and 1 for even k, -1 for odd. One by one: such angles are rare.
DYNNET_CALLED void reduce_exactly(Vec x, int multiple, int ahead, Vec& rest, Vec& sign) {
  float xs[kWidth], rests[kWidth], signs[kWidth];
  store(xs, x);
  for (int i = 0; i < kWidth; ++i) {
    const float size = xs[i] < 0.0f ? -xs[i] : xs[i];
    rests[i] = signs[i] = __builtin_nanf("");
    if (!(size > 1e5f && size <= 3.40282347e38f)) continue;
    uint64_t turns = over_pi(size) * static_cast<uint64_t>(multiple);
    if (xs[i] < 0.0f) turns = -turns;
    turns += static_cast<uint64_t>(ahead) << 62;
    signs[i] = (turns + (uint64_t{1} << 62)) >> 63 == 0 ? 1.0f : -1.0f;
    const double part = static_cast<double>(static_cast<int64_t>(turns << 1)) * 0x1p-64;
    rests[i] = static_cast<float>(part * 3.14159265358979323846 / multiple);
  }
  rest = load(rests);
  sign = load(signs);
}

/// Puts the exact reduction in the place of one with too few digits, where there are such.
DYNNET_INLINE void mend(Vec x, int multiple, int ahead, Vec& rest, Vec& sign) {
  const Mask far = Vec(1e5f) < abs(x);
  if (!any(far)) return;
  Vec exact_rest, exact_sign;
  reduce_exactly(x, multiple, ahead, exact_rest, exact_sign);
  rest = select(far, exact_rest, rest);
  sign = select(far, exact_sign, sign);
}

// ---- the functions ----

/// sin x for |x| up to 1.6, a little more than pi / 2, since the multiple of pi may be the second nearest.
DYNNET_INLINE Vec small_sin(Vec x) {
  return odd_polynomial(x, 2.600171e-6f, -0.00019807159f, 0.00833303481f, -0.166666582f);
}

DYNNET_INLINE Vec sin(Vec x) {
  const Vec k = round(x * Vec(0.318309886f));
  Vec rest = minus_pi(x, k), sign = alternate(k);
  mend(x, 1, 0, rest, sign);
  return small_sin(rest) * sign;
}

/// The sine of x + pi / 2.
DYNNET_INLINE Vec cos(Vec x) {
  const Vec k = round(fma(x, Vec(0.318309886f), Vec(0.5f)));
  Vec rest = minus_pi(x, k - Vec(0.5f)), sign = alternate(k);
  mend(x, 1, 1, rest, sign);
  return small_sin(rest) * sign;
}

DYNNET_INLINE Vec tan(Vec x) {
  const Vec k = round(x * Vec(0.636619772f)), one(1.0f);
  Vec rest = minus_pi(x, Vec(0.5f) * k), sign = alternate(k);
  mend(x, 2, 0, rest, sign);
  const Vec t =
      odd_polynomial(rest, 0.0093856249f, 0.00311953924f, 0.0244303755f, 0.0534112155f, 0.133387998f, 0.333331555f);
  const Mask odd = sign < Vec(0.0f);
  return select(odd, -one, t) / select(odd, t, one);
}

// ---- their inverses ----

// Pi and its half in two parts.
constexpr float kPiHigh = 3.14159274f, kPiLow = -8.74227766e-8f;
constexpr float kHalfPiHigh = 1.57079637f, kHalfPiLow = -4.37113883e-8f;

/// arcsin of `size` if that is at most 1/2, else of sqrt((1 - size) / 2), which is half of arccos of it.
DYNNET_INLINE Vec part_of_asin(Vec size, Mask large) {
  const Vec half(0.5f);
  const Vec z = select(large, fnma(half, size, half), size * size), s = select(large, sqrt(z), size);
  return fma(s * z, polynomial(z, 0.0421662033f, 0.0241795778f, 0.0454703607f, 0.0749529749f, 0.166667521f), s);
}

/// NaN beyond -1 and 1.
DYNNET_INLINE Vec asin(Vec x) {
  const Vec size = abs(x);
  const Mask large = Vec(0.5f) < size;
  const Vec p = part_of_asin(size, large);
  return copysign(select(large, (Vec(kHalfPiHigh) - (p + p)) + Vec(kHalfPiLow), p), x);
}

/// NaN beyond -1 and 1.
DYNNET_INLINE Vec acos(Vec x) {
  const Vec size = abs(x), zero(0.0f);
  const Mask large = Vec(0.5f) < size;
  const Vec p = part_of_asin(size, large), twice = p + p;
  const Vec near_end = select(x < zero, Vec(kPiHigh) - (twice - Vec(kPiLow)), twice);
  return select(large, near_end, Vec(kHalfPiHigh) - (copysign(p, x) - Vec(kHalfPiLow)));
}

DYNNET_INLINE Vec atan(Vec x) {
  const Vec size = abs(x), one(1.0f);
  // The arc's tangent or, beyond 1, that of the rest of the right angle.
  const Vec p = odd_polynomial(min(one, size) / max(one, size), -0.00179360143f, 0.0109145045f, -0.0311776362f,
                               0.0579573587f, -0.084034346f, 0.109521799f, -0.142642409f, 0.199985474f, -0.333332986f);
  return copysign(select(one < size, Vec(kHalfPiHigh) - (p - Vec(kHalfPiLow)), p), x);
}

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_TRIGONOMETRY_H_

// The functions of one or two numbers that simd.h does not have, over vectors; those of angles are in trigonometry.h.
// Relative errors are two to three units of the last digit, of tan four, of lgamma five, of gelu up to seven where it
// is near 0; where they are larger, a comment says so. The coefficients of polynomials are minimax fits (Remez) for the
// range where they are used.
#ifndef DYNNET_CPU_ISA_FUNCTIONS_H_
#define DYNNET_CPU_ISA_FUNCTIONS_H_

#include "cpu/isa/polynomial.h"

namespace dynnet::cpu::DYNNET_ISA {

constexpr float kInfinity = __builtin_inff(), kLargest = 3.40282347e38f;
constexpr float kPi = 3.14159274f;

/// What is lost in the rounding of the product of a and b (Dekker 1971). Their sizes are at most 1e30.
DYNNET_INLINE Vec product_rest(Vec a, Vec b, Vec product) {
  if constexpr (kFused) return fma(a, b, -product);
  const Vec split(4097.0f);
  const Vec ta = a * split, a1 = ta - (ta - a), a2 = a - a1;
  const Vec tb = b * split, b1 = tb - (tb - b), b2 = b - b1;
  return fma(a2, b2, fma(a2, b1, fma(a1, b2, fma(a1, b1, -product))));
}

// ---- to whole numbers ----

/// To the nearest whole number, halves away from 0. (The largest float below 1/2 lets just these reach the next one.)
DYNNET_INLINE Vec round_half_away(Vec x) { return copysign(floor(abs(x) + Vec(0.49999997f)), x); }

// ---- exponentials ----

/// artanh for sizes up to 1/2.
DYNNET_INLINE Vec small_atanh(Vec x) {
  return odd_polynomial(x, 0.176690951f, 0.0513583757f, 0.118237272f, 0.14222762f, 0.200025186f, 0.333333015f);
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + z) with z = e^-|x|, and ln(1 + z) = 2 artanh(z / (2 + z)).
DYNNET_INLINE Vec softplus(Vec x) {
  const Vec z = exp(-abs(x)), half = small_atanh(z / (Vec(2.0f) + z));
  return max(Vec(0.0f), x) + (half + half);
}

/// ln(1 + x) from what 1 + x is rounded to and what that loses, whose weight 1 / (1 + x) is 1 - x where it matters.
DYNNET_INLINE Vec log1p(Vec x) {
  const Vec one(1.0f), u = one + x, lost = x - (u - one);
  return log(u) + select(u < Vec(kInfinity), lost * max(Vec(0.0f), one - x), Vec(0.0f));
}

/// e^x / 2, which is finite where the hyperbolic functions are.
DYNNET_INLINE Vec half_exp(Vec x) {
  Vec n;
  const Vec p = exp_parts(max(Vec(-104.0f), min(Vec(90.0f), x)), n);
  return scale_by_power(p + Vec(1.0f), n - Vec(1.0f));
}

DYNNET_INLINE Vec sinh(Vec x) {
  const Vec size = abs(x), half = half_exp(size);
  const Vec large = copysign(half - Vec(0.25f) / half, x);
  const Vec small = odd_polynomial(x, 0.000203721909f, 0.00833028369f, 0.166667163f);
  return select(size < Vec(1.0f), small, large);
}

DYNNET_INLINE Vec cosh(Vec x) {
  const Vec half = half_exp(abs(x));
  return half + Vec(0.25f) / half;
}

// ---- the inverse hyperbolic functions ----

/// ln(x + root), root being sqrt(x^2 +- 1): from 1e4 on that is ln 2x, without the square's overflow.
DYNNET_INLINE Vec log_with_root(Vec x, Vec root) {
  const Mask large = Vec(1e4f) < x;
  return log(select(large, x, x + root)) + select(large, Vec(0.693147181f), Vec(0.0f));
}

DYNNET_INLINE Vec asinh(Vec x) {
  const Vec size = abs(x);
  const Vec large = copysign(log_with_root(size, sqrt(fma(size, size, Vec(1.0f)))), x);
  const Vec small = odd_polynomial(x, -0.0132375807f, 0.0281691551f, -0.0443845242f, 0.0749865249f, -0.166666433f);
  return select(size < Vec(0.5f), small, large);
}

/// NaN below 1.
DYNNET_INLINE Vec acosh(Vec x) {
  const Vec z = x - Vec(1.0f), root = sqrt(z + z);
  // arcosh(1 + z) = sqrt(2 z) (1 + z p(z)) for z up to 1/2.
  const Vec p = polynomial(z, -0.000413674396f, 0.0017605722f, -0.00554806553f, 0.0187466312f, -0.0833332166f);
  return select(z < Vec(0.5f), fma(root * z, p, root), log_with_root(x, sqrt(z * (x + Vec(1.0f)))));
}

/// Infinite at 1 and -1, NaN beyond. That is e ln 2 / 2 + artanh s, s = (1 + x - 2^e (1 - x)) / (1 + x + 2^e (1 - x)),
/// with the power 2^e for which s is between -0.1 and 0.25. Where e is 0, s is x.
DYNNET_INLINE Vec atanh(Vec x) {
  const Vec one(1.0f), size = abs(x), above = one + size, below = one - size;
  Vec e;
  split_exponent(above / below * Vec(1.2f), e);
  // At 1, where e is infinite, a power that is not makes the rest a number.
  const Vec part = scale_by_power(below, min(Vec(30.0f), e));
  const Vec s = select(e < one, size, (above - part) / (above + part));
  const Vec rest = odd_polynomial(s, 0.126262377f, 0.14203678f, 0.200017264f, 0.333333221f);
  return copysign(select(one < size, Vec(__builtin_nanf("")), fma(e, Vec(0.346573590f), rest)), x);
}

// ---- the normal distribution ----

/// From here on e^(-x^2 / kDivisor) is 0.
template <int kDivisor>
constexpr float kGaussEnd = kDivisor == 1 ? 10.198f : 14.4222f;

/// e^(-x^2 / kDivisor), kDivisor 1 or 2, in the parts that exp_parts gives: the digits that the square loses count.
template <int kDivisor>
DYNNET_INLINE Vec gauss_parts(Vec x, Vec& n) {
  const Vec a = min(Vec(kGaussEnd<kDivisor>), abs(x)), b = Vec(-1.0f / kDivisor) * a, exponent = b * a;
  Vec r = minus_ln2(exponent, n);
  if constexpr (kFused) {
    r = fnma(n, Vec(kLn2Low), fma(b, a, n * Vec(-kLn2High)));
  } else {
    r = r + product_rest(b, a, exponent);
  }
  return small_expm1(r);
}

template <int kDivisor>
DYNNET_INLINE Vec gauss(Vec x) {
  Vec n;
  const Vec p = gauss_parts<kDivisor>(x, n);
  return scale_by_power(p + Vec(1.0f), n);
}

/// factor e^(-x^2 / 2)
DYNNET_INLINE Vec times_gauss(Vec x, Vec factor) {
  Vec n;
  const Vec p = gauss_parts<2>(x, n), scaled = scale_by_power(factor, n);
  // Where it is not fused, p times what is scaled may be too small.
  return kFused ? fma(p, scaled, scaled) : (p + Vec(1.0f)) * scaled;
}

/// The distance of the points that erf is tabulated at.
constexpr float kErfStep = 67.0f / 256.0f;

/// Polynomials in t that are erf(x) / x for x = k kErfStep + t, k of 0 to 15: the coefficients of each power, the
/// highest first.
constexpr float kErf[6][16] = {
    {-0.0104457144f, -0.0369122962f, -0.0495859359f, -0.0344249686f, -0.00781039468f, 0.0116842567f, 0.017209294f,
     0.0131067964f, 0.00660865845f, 0.00192276761f, -0.000268809281f, -0.00086533184f, -0.000803621621f,
     -0.000590500031f, -0.000403054686f, -0.000298080198f},
    {0.114368267f, 0.0864413715f, 0.0265406982f, -0.0308418535f, -0.0586522775f, -0.0547650398f, -0.0344600893f,
     -0.0139866845f, -0.00111593571f, 0.00419481204f, 0.00505070247f, 0.00419584319f, 0.00306844668f, 0.00215350177f,
     0.00150897945f, 0.00106747559f},
    {-0.000103535043f, 0.108842775f, 0.169655371f, 0.165386608f, 0.115012336f, 0.0530701352f, 0.00564680714f,
     -0.0191614129f, -0.0262056467f, -0.0239772805f, -0.018851499f, -0.0139347384f, -0.0101412668f, -0.0074361653f,
     -0.00554374189f, -0.00420971747f},
    {-0.37612322f, -0.331593922f, -0.218078765f, -0.0825602718f, 0.0294263451f, 0.0951121132f, 0.116738283f,
     0.110015154f, 0.0913244089f, 0.0712666372f, 0.0543998919f, 0.0415900173f, 0.032216374f, 0.0253785893f,
     0.0203269709f, 0.016527804f},
    {-3.54913082e-08f, -0.1889818f, -0.334934923f, -0.413458491f, -0.425616588f, -0.39088457f, -0.33381065f,
     -0.273619002f, -0.220688968f, -0.178216105f, -0.14550418f, -0.120550687f, -0.101364027f, -0.0863828076f,
     -0.0744854603f, -0.0648854626f},
    {1.12837917f, 1.10313664f, 1.03327169f, 0.933781134f, 0.822697484f, 0.715101497f, 0.620024735f, 0.540616874f,
     0.476147427f, 0.424176748f, 0.382007583f, 0.347337905f, 0.318405116f, 0.2939146f, 0.272921049f, 0.254726361f},
};

DYNNET_INLINE Vec erf(Vec x) {
  // From this bound on the result is 1, to which it is rounded there.
  const Vec size = min(Vec(3.926f), abs(x)), number = round(size * Vec(1.0f / kErfStep));
  const Vec t = fnma(number, Vec(kErfStep), size);
  Vec p = look_up(kErf[0], number);
#pragma GCC unroll 5
  for (int i = 1; i < 6; ++i) p = fma(p, t, look_up(kErf[i], number));
  return copysign(min(Vec(1.0f), size * p), x);
}

/// The standard normal distribution function at -a, divided by e^(-a^2 / 2), for a of 0 to 14.5.
DYNNET_INLINE Vec scaled_tail(Vec a) {
  return polynomial(a, 0.00411628377f, 0.0406330752f, 0.183234718f, 0.438294429f, 0.500000003f) /
         polynomial(a, 0.0103178735f, 0.101858462f, 0.469469514f, 1.20250147f, 1.67447384f, 1.0f);
}

/// x times the standard normal distribution function, all digits kept below 0: x or 0, less what is missing to it.
DYNNET_INLINE Vec gelu(Vec x) {
  const Vec a = min(Vec(kGaussEnd<2>), abs(x));
  return fnma(a, times_gauss(x, scaled_tail(a)), max(Vec(0.0f), x));
}

DYNNET_INLINE Vec gelu_slope(Vec x) {
  const Vec a = min(Vec(kGaussEnd<2>), abs(x));
  // Below 0 the distribution function less a times the density; above it is what is missing to 1.
  const Vec below = times_gauss(x, fnma(Vec(0.39894228f), a, scaled_tail(a)));
  return select(Vec(0.0f) < x, Vec(1.0f) - below, below);
}

// ---- powers ----

/// x^y for x > 0, finite. The logarithm is kept in two parts, for it is multiplied by y: the error stays within four
/// units of the last digit for an |y| of 100 and x near 1, where it is largest.
DYNNET_INLINE Vec positive_pow(Vec x, Vec y) {
  Vec e;
  Vec m = split_exponent(x, e);
  const Mask large = Vec(1.41421356f) < m;
  m = select(large, m * Vec(0.5f), m);
  e = select(large, e + Vec(1.0f), e);
  const Vec f = m - Vec(1.0f), square = f * f, half_square = Vec(0.5f) * square;
  // ln m = f - f^2 / 2 + f^3 p(f)
  const Vec p = polynomial(f, 0.0691554025f, -0.117898494f, 0.118729174f, -0.123843379f, 0.142186657f, -0.16669251f,
                           0.200022265f, -0.249999866f, 0.333333105f);
  Vec rest = fma(f * square, p, Vec(-0.5f) * product_rest(f, f, square));
  // e ln 2, f and half_square added in turn, the larger one first, with what the sums lose.
  const Vec e_log = e * Vec(0.693145752f), a = f - half_square, b = e_log + a;
  rest = rest + (((f - a) - half_square) + ((e_log - b) + a));
  rest = fma(e, Vec(1.42860677e-6f), rest);
  const Vec high = b + rest, low = (b - high) + rest;
  // Beyond 1e30 the power is 0, 1 or infinite.
  y = max(Vec(-1e30f), min(Vec(1e30f), y));
  const Vec product = y * high;
  const Vec more = fma(y, low, product_rest(y, high, product));
  // Where the product is large, the result is 0 or infinite, and the rest may be NaN.
  return exp(product) * (Vec(1.0f) + select(abs(product) < Vec(200.0f), more, Vec(0.0f)));
}

/// x^y: of negative x, where y is whole, else NaN; 0^y is 0, 1 or infinite by the sign of y. Denormals are zeros, as
/// the processor takes them while a graph is computed.
DYNNET_CALLED Vec pow(Vec x, Vec y) {
  const Vec zero(0.0f), one(1.0f), size = abs(x), least(1.17549435e-38f), largest(kLargest), half = Vec(0.5f) * y;
  // Of 0; of infinity it is the same with -y.
  const Vec s = select(size < one, y, -y);
  const Vec end = select(zero < s, zero, select(s < zero, Vec(kInfinity), one));
  Vec result = positive_pow(size, y);
  result = select(size < least, end, select(largest < size, end, result));
  const Vec negative = select(floor(half) < half, -result, result);
  return select(x < zero, select(floor(y) < y, Vec(__builtin_nanf("")), negative), result);
}

// ---- the gamma function ----

/// sin(pi x) / (pi x) for |x| up to 1/2.
DYNNET_INLINE Vec sinc(Vec x) {
  return polynomial(x * x, -0.00223714998f, 0.0261175465f, -0.190747961f, 0.811742187f, -1.64493406f, 1.0f);
}

/// ln |gamma(x)|; infinite at 0 and at negative whole numbers. Below 0 it is the difference of two logarithms, to whose
/// sizes the error is relative.
DYNNET_CALLED Vec lgamma(Vec x) {
  const Vec a = abs(x), zero(0.0f), one(1.0f), two(2.0f);
  const Mask below_1 = a < one, below_2 = a < two, below_3 = a < Vec(3.0f), negative = x < zero;
  // Below 3, from ln gamma(1 + b) = b (b - 1) p(b - 1/2), b of 0 to 1, by one step of gamma(t + 1) = t gamma(t). The
  // zeros of ln gamma, at 1 and 2, are those of the factors.
  const Vec b = select(below_1, a, select(below_2, a - one, a - two));
  const Vec p = polynomial(b - Vec(0.5f), -0.00152644352f, 0.00244835787f, -0.00311588566f, 0.005325187f,
                           -0.00943649281f, 0.016808223f, -0.0313079916f, 0.0629110485f, -0.145959899f, 0.483128965f);
  // ln gamma(1 + a) is what is wanted of a negative number above -1: without the step.
  const Vec step = select(below_1, select(negative, one, a), select(below_2, one, select(below_3, a - one, a)));
  const Vec log_step = log(step), small = fma(b * (b - one), p, select(below_1, -log_step, log_step));
  // Else Stirling's formula, so that little cancels: (x - 1/2) (ln x - 1) + (ln(2 pi) - 1) / 2 + p(1 / x^2) / x.
  const Vec inverse = one / a;
  const Vec series = polynomial(inverse * inverse, 0.000678978162f, -0.00276988768f, 0.0833331645f);
  const Vec large = fma(a - Vec(0.5f), log_step - one, fma(inverse, series, Vec(0.418938533f)));
  const Vec of_size = select(below_3, small, large);
  // gamma(-a) gamma(a) = -pi / (a sin(pi a)), gamma(-a) gamma(1 + a) = -pi / sin(pi a)
  const Vec above = a - floor(a), f = min(above, one - above);
  // At a pole f is 0, however large the number: infinite, and not infinity less infinity.
  const Vec reflected = select(zero < f, -log(f * sinc(f) * select(below_1, one, a)) - of_size, Vec(kInfinity));
  return select(negative, reflected, of_size);
}

/// The derivative of lgamma, infinite where that is. Near zeros the error is relative to 1, not to the result.
DYNNET_CALLED Vec digamma(Vec x) {
  const Vec zero(0.0f), one(1.0f), half(0.5f), a = abs(x);
  const Mask negative = x < zero;
  const Vec t = select(negative, a + one, x);
  // Four steps of psi(t) = psi(t + 1) - 1 / t for small t, their sum as one quotient; u = t (t + 3).
  const Mask small = t < Vec(4.0f);
  const Vec u = t * (t + Vec(3.0f)), two(2.0f);
  const Vec steps = two * (u + one) * fma(two, t, Vec(3.0f)) / (u * (u + two));
  const Vec s = select(small, t + Vec(4.0f), t), inverse = one / s, w = inverse * inverse;
  // psi(s) = ln s - 1 / (2 s) + p(1 / s^2) / s^2
  const Vec series = polynomial(w, -0.00353414798f, 0.00831837859f, -0.0833331868f);
  const Vec psi = log(s) + fma(w, series, -(half * inverse)) - select(small, steps, zero);
  if (!any(negative)) return psi;
  // psi(-a) = psi(1 + a) + pi cot(pi a); the cosine is the sine of what is missing to 1/2.
  const Vec above = a - floor(a), f = select(half < above, above - one, above), g = half - abs(f);
  const Vec cotangent = Vec(kPi) * g * sinc(g) / (f * sinc(f));
  return select(negative, psi + cotangent, psi);
}

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_FUNCTIONS_H_

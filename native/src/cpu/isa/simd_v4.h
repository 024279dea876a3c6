// Vectors of 16 floats: x86-64-v4 (AVX-512 F, BW, CD, DQ, VL). Included by simd.h only.
#ifndef DYNNET_CPU_ISA_SIMD_V4_H_
#define DYNNET_CPU_ISA_SIMD_V4_H_

#include <immintrin.h>

namespace dynnet::cpu::DYNNET_ISA {

constexpr int kWidth = 16;
/// Whether fma and fnma round once.
constexpr bool kFused = true;

struct Vec {
  __m512 v;
  Vec() = default;
  DYNNET_INLINE Vec(__m512 raw) : v(raw) {}
  DYNNET_INLINE explicit Vec(float x) : v(_mm512_set1_ps(x)) {}
};

/// One truth value for each lane.
struct Mask {
  __mmask16 m;
};

DYNNET_INLINE Vec operator+(Vec a, Vec b) { return _mm512_add_ps(a.v, b.v); }
DYNNET_INLINE Vec operator-(Vec a, Vec b) { return _mm512_sub_ps(a.v, b.v); }
DYNNET_INLINE Vec operator*(Vec a, Vec b) { return _mm512_mul_ps(a.v, b.v); }
DYNNET_INLINE Vec operator/(Vec a, Vec b) { return _mm512_div_ps(a.v, b.v); }
DYNNET_INLINE Vec operator-(Vec a) { return _mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f)); }
DYNNET_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
DYNNET_INLINE Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a.v, b.v, c.v); }
DYNNET_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a.v, b.v); }
DYNNET_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a.v, b.v); }
/// To less than 1 ulp, and exact where the root is a float; in half the time of the instruction for it.
DYNNET_INLINE Vec sqrt(Vec a) {
  // One step of Newton's method, but not for 0 or infinity, which are their own roots.
  const __m512 r = _mm512_rsqrt14_ps(a.v), root = _mm512_mul_ps(a.v, r), half = _mm512_set1_ps(0.5f);
  const __m512 missing = _mm512_fnmadd_ps(root, _mm512_mul_ps(r, half), half);
  constexpr int kZerosAndInfinity = 0x02 | 0x04 | 0x08;
  return _mm512_mask_blend_ps(_mm512_fpclass_ps_mask(a.v, kZerosAndInfinity), _mm512_fmadd_ps(root, missing, root),
                              a.v);
}
/// 1 / sqrt a, to about 1 ulp: infinity for 0, 0 for infinity, NaN below 0.
DYNNET_INLINE Vec rsqrt(Vec a) {
  // One step of Newton's method, but not from 0 or infinity.
  const __m512 r = _mm512_rsqrt14_ps(a.v), half = _mm512_mul_ps(r, _mm512_set1_ps(0.5f));
  const __m512 missing = _mm512_fnmadd_ps(_mm512_mul_ps(a.v, r), half, _mm512_set1_ps(0.5f));
  constexpr int kZerosAndInfinities = 0x02 | 0x04 | 0x08 | 0x10;
  return _mm512_mask3_fmadd_ps(missing, r, r,
                               static_cast<__mmask16>(~_mm512_fpclass_ps_mask(a.v, kZerosAndInfinities)));
}
DYNNET_INLINE Vec abs(Vec a) { return _mm512_abs_ps(a.v); }
DYNNET_INLINE Vec round(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec floor(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec ceil(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec copysign(Vec a, Vec sign) {
  // 0xd8: the bits of the last operand choose between the first two.
  const __m512i bits = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(
      _mm512_ternarylogic_epi32(_mm512_castps_si512(a.v), _mm512_castps_si512(sign.v), bits, 0xd8));
}

DYNNET_INLINE Mask operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
DYNNET_INLINE Mask operator==(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
/// Whether one of the two is no number.
DYNNET_INLINE Mask either_is_nan(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_UNORD_Q)}; }
DYNNET_INLINE Mask operator|(Mask a, Mask b) { return {static_cast<__mmask16>(a.m | b.m)}; }
DYNNET_INLINE bool any(Mask m) { return m.m != 0; }
/// A bit for each lane, the first one lowest.
DYNNET_INLINE uint32_t lane_bits(Mask m) { return m.m; }
DYNNET_INLINE Vec select(Mask m, Vec yes, Vec no) { return _mm512_mask_blend_ps(m.m, no.v, yes.v); }
DYNNET_INLINE Mask first_lanes(int64_t n) {
  return {static_cast<__mmask16>(n >= kWidth ? 0xffffu : (1u << static_cast<unsigned>(n)) - 1u)};
}
DYNNET_INLINE Mask lane(int64_t i) {
  return {static_cast<__mmask16>(i >= 0 && i < kWidth ? 1u << static_cast<unsigned>(i) : 0u)};
}
/// As lane, for an i from -3 kWidth + 1 to 4 kWidth - 1: what is beyond the lanes falls off.
DYNNET_INLINE Mask near_lane(int64_t i) { return {static_cast<__mmask16>(uint64_t{1} << (i & 63))}; }

DYNNET_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
DYNNET_INLINE void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }

/// The first n of a vector's lanes, 0 <= n <= kWidth: loads and stores touch no memory beyond them.
struct Part {
  __mmask16 m;
  DYNNET_INLINE explicit Part(int64_t n) : m(first_lanes(n).m) {}
  DYNNET_INLINE Vec load(const float* p) const { return _mm512_maskz_loadu_ps(m, p); }
  DYNNET_INLINE void store(float* p, Vec a) const { _mm512_mask_storeu_ps(p, m, a.v); }
  DYNNET_INLINE Vec keep(Vec a, Vec other) const { return select(Mask{m}, a, other); }
};

/// p * 2^n for whole n.
DYNNET_INLINE Vec scale_by_power(Vec p, Vec n) { return _mm512_scalef_ps(p.v, n.v); }

/// x = m * 2^e with 1 <= m < 2; e is minus infinity for 0 and infinity for infinity, m NaN for what has no logarithm.
DYNNET_INLINE Vec split_exponent(Vec x, Vec& e) {
  e = _mm512_getexp_ps(x.v);
  return _mm512_getmant_ps(x.v, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_nan);
}

/// Every second lane of a, from the first on, and then of b.
DYNNET_INLINE Vec evens(Vec a, Vec b) {
  const __m512i lanes = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_ps(a.v, lanes, b.v);
}
/// The other ones.
DYNNET_INLINE Vec odds(Vec a, Vec b) {
  const __m512i lanes = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return _mm512_permutex2var_ps(a.v, lanes, b.v);
}

/// The lanes of a and b in turns: the first vector of them, and the second.
DYNNET_INLINE void interleave(Vec a, Vec b, Vec& low, Vec& high) {
  const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  low = _mm512_permutex2var_ps(a.v, first, b.v);
  high = _mm512_permutex2var_ps(a.v, _mm512_add_epi32(first, _mm512_set1_epi32(8)), b.v);
}

/// table[n] for whole n from 0 to 15; any of them for what is not a number.
DYNNET_INLINE Vec look_up(const float (&table)[16], Vec n) {
  return _mm512_permutexvar_ps(_mm512_cvtps_epi32(n.v), _mm512_loadu_ps(table));
}

/// Makes the compiler load a once: left alone, it reads memory again for each of a few uses.
DYNNET_INLINE void hold(Vec& a) { asm("" : "+v"(a.v)); }

DYNNET_INLINE float first(Vec a) { return _mm512_cvtss_f32(a.v); }

DYNNET_INLINE float reduce_add(Vec a) {
  const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}

DYNNET_INLINE float reduce_max(Vec a) {
  const __m256 b = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

/// Lane i of the result is reduce_add(a[i]), to the bit; destroys a.
DYNNET_INLINE Vec reduce_add_each(Vec (&a)[16]) {
  __m512 t[8], u[4];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    const __m512 p = a[i % 4 + i / 4 * 8].v, q = a[i % 4 + i / 4 * 8 + 4].v;
    t[i] = _mm512_add_ps(_mm512_shuffle_f32x4(p, q, 0x44), _mm512_shuffle_f32x4(p, q, 0xee));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    u[i] = _mm512_add_ps(_mm512_shuffle_f32x4(t[i], t[i + 4], 0x88), _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd));
  }
  const __m512 v = _mm512_add_ps(_mm512_shuffle_ps(u[0], u[1], 0x44), _mm512_shuffle_ps(u[0], u[1], 0xee));
  const __m512 w = _mm512_add_ps(_mm512_shuffle_ps(u[2], u[3], 0x44), _mm512_shuffle_ps(u[2], u[3], 0xee));
  return _mm512_add_ps(_mm512_shuffle_ps(v, w, 0x88), _mm512_shuffle_ps(v, w, 0xdd));
}

/// Lane j of a[i] and lane i of a[j] change places.
DYNNET_INLINE void transpose(Vec (&a)[16]) {
  __m512 t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(a[i].v, a[i + 1].v);
    t[i + 1] = _mm512_unpackhi_ps(a[i].v, a[i + 1].v);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    const __m512d p = _mm512_castps_pd(t[i]), q = _mm512_castps_pd(t[i + 1]);
    const __m512d r = _mm512_castps_pd(t[i + 2]), s = _mm512_castps_pd(t[i + 3]);
    a[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(p, r));
    a[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(p, r));
    a[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(q, s));
    a[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(q, s));
  }
  // Now each quarter of a[4 g + c] holds column c of that quarter, rows 4 g to 4 g + 3: only quarters move from here
  // on.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_f32x4(a[c].v, a[c + 4].v, 0x88);
    t[c + 4] = _mm512_shuffle_f32x4(a[c].v, a[c + 4].v, 0xdd);
    t[c + 8] = _mm512_shuffle_f32x4(a[c + 8].v, a[c + 12].v, 0x88);
    t[c + 12] = _mm512_shuffle_f32x4(a[c + 8].v, a[c + 12].v, 0xdd);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    a[c] = _mm512_shuffle_f32x4(t[c], t[c + 8], 0x88);
    a[c + 8] = _mm512_shuffle_f32x4(t[c], t[c + 8], 0xdd);
    a[c + 4] = _mm512_shuffle_f32x4(t[c + 4], t[c + 12], 0x88);
    a[c + 12] = _mm512_shuffle_f32x4(t[c + 4], t[c + 12], 0xdd);
  }
}

/// kWidth / 2 whole numbers of 64 bits, for random numbers.
struct Wide {
  __m512i v;
};

DYNNET_INLINE Wide wide(uint64_t x) { return {_mm512_set1_epi64(static_cast<long long>(x))}; }
DYNNET_INLINE Wide load_wide(const uint64_t* p) { return {_mm512_loadu_si512(p)}; }
DYNNET_INLINE void store_wide(uint64_t* p, Wide a) { _mm512_storeu_si512(p, a.v); }
DYNNET_INLINE Wide operator^(Wide a, Wide b) { return {_mm512_xor_si512(a.v, b.v)}; }
DYNNET_INLINE Wide high_half(Wide a) { return {_mm512_srli_epi64(a.v, 32)}; }
/// The products of the low halves.
DYNNET_INLINE Wide multiply_low(Wide a, Wide b) { return {_mm512_mul_epu32(a.v, b.v)}; }

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_SIMD_V4_H_

// Vectors of 8 floats: x86-64-v3 (AVX2, FMA). Included by simd.h only.
#ifndef DYNNET_CPU_ISA_SIMD_V3_H_
#define DYNNET_CPU_ISA_SIMD_V3_H_

#include <immintrin.h>

namespace dynnet::cpu::DYNNET_ISA {

constexpr int kWidth = 8;
/// Whether fma and fnma round once.
constexpr bool kFused = true;

struct Vec {
  __m256 v;
  Vec() = default;
  DYNNET_INLINE Vec(__m256 raw) : v(raw) {}
  DYNNET_INLINE explicit Vec(float x) : v(_mm256_set1_ps(x)) {}
};

/// One truth value for each lane: all bits or none.
struct Mask {
  __m256 m;
};

DYNNET_INLINE Vec operator+(Vec a, Vec b) { return _mm256_add_ps(a.v, b.v); }
DYNNET_INLINE Vec operator-(Vec a, Vec b) { return _mm256_sub_ps(a.v, b.v); }
DYNNET_INLINE Vec operator*(Vec a, Vec b) { return _mm256_mul_ps(a.v, b.v); }
DYNNET_INLINE Vec operator/(Vec a, Vec b) { return _mm256_div_ps(a.v, b.v); }
DYNNET_INLINE Vec operator-(Vec a) { return _mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f)); }
DYNNET_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
DYNNET_INLINE Vec fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a.v, b.v, c.v); }
DYNNET_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a.v, b.v); }
DYNNET_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a.v, b.v); }
DYNNET_INLINE Vec sqrt(Vec a) { return _mm256_sqrt_ps(a.v); }
/// 1 / sqrt a, to about 1 ulp: infinity for 0, 0 for infinity, NaN below 0.
DYNNET_INLINE Vec rsqrt(Vec a) { return Vec(1.0f) / sqrt(a); }
DYNNET_INLINE Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v); }
DYNNET_INLINE Vec round(Vec a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec floor(Vec a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec ceil(Vec a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec copysign(Vec a, Vec sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return _mm256_or_ps(_mm256_andnot_ps(bit, a.v), _mm256_and_ps(bit, sign.v));
}

DYNNET_INLINE Mask operator<(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
DYNNET_INLINE Mask operator==(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
/// Whether one of the two is no number.
DYNNET_INLINE Mask either_is_nan(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_UNORD_Q)}; }
DYNNET_INLINE Mask operator|(Mask a, Mask b) { return {_mm256_or_ps(a.m, b.m)}; }
DYNNET_INLINE bool any(Mask m) { return _mm256_movemask_ps(m.m) != 0; }
/// A bit for each lane, the first one lowest.
DYNNET_INLINE uint32_t lane_bits(Mask m) { return static_cast<uint32_t>(_mm256_movemask_ps(m.m)); }
DYNNET_INLINE Vec select(Mask m, Vec yes, Vec no) { return _mm256_blendv_ps(no.v, yes.v, m.m); }
DYNNET_INLINE __m256i lane_numbers() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
DYNNET_INLINE Mask first_lanes(int64_t n) {
  const __m256i count = _mm256_set1_epi32(static_cast<int>(n < kWidth ? n : kWidth));
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(count, lane_numbers()))};
}
DYNNET_INLINE Mask lane(int64_t i) {
  const __m256i number = _mm256_set1_epi32(static_cast<int>(i >= 0 && i < kWidth ? i : -1));
  return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(number, lane_numbers()))};
}
/// As lane, for an i from -3 kWidth + 1 to 4 kWidth - 1.
DYNNET_INLINE Mask near_lane(int64_t i) { return lane(i); }

DYNNET_INLINE Vec load(const float* p) { return _mm256_loadu_ps(p); }
DYNNET_INLINE void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }

/// The first n of a vector's lanes, 0 <= n <= kWidth: loads and stores touch no memory beyond them.
struct Part {
  __m256i m;
  DYNNET_INLINE explicit Part(int64_t n) : m(_mm256_castps_si256(first_lanes(n).m)) {}
  DYNNET_INLINE Vec load(const float* p) const { return _mm256_maskload_ps(p, m); }
  DYNNET_INLINE void store(float* p, Vec a) const { _mm256_maskstore_ps(p, m, a.v); }
  DYNNET_INLINE Vec keep(Vec a, Vec other) const { return select(Mask{_mm256_castsi256_ps(m)}, a, other); }
};

/// p * 2^n for whole n. In two factors, since n may be beyond what one exponent holds.
DYNNET_INLINE Vec scale_by_power(Vec p, Vec n) {
  const __m256i bias = _mm256_set1_epi32(127), whole = _mm256_cvtps_epi32(n.v);
  const __m256i half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
  const __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return _mm256_mul_ps(_mm256_mul_ps(p.v, a), b);
}

/// x = m * 2^e with 1 <= m < 2; e is minus infinity for 0 and infinity for infinity, m NaN for what has no logarithm.
DYNNET_INLINE Vec split_exponent(Vec x, Vec& e) {
  const Vec zero(0.0f), infinity(__builtin_inff());
  const Mask tiny = x < Vec(1.17549435e-38f);
  const Vec normal = select(tiny, x * Vec(8388608.0f), x);
  const __m256i bits = _mm256_castps_si256(normal.v);
  const __m256i exponent = _mm256_sub_epi32(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(127));
  e = Vec(_mm256_cvtepi32_ps(exponent)) - select(tiny, Vec(23.0f), zero);
  Vec m = _mm256_castsi256_ps(
      _mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0x007fffff)), _mm256_set1_epi32(0x3f800000)));
  const Mask positive = zero < x, finite = x < infinity;
  const Mask none = {_mm256_cmp_ps(x.v, zero.v, _CMP_NGE_UQ)};
  e = select(finite, select(positive, e, -infinity), infinity);
  return select(none, Vec(__builtin_nanf("")), m);
}

/// Every second lane of a, from the first on, and then of b.
DYNNET_INLINE Vec evens(Vec a, Vec b) {
  const __m256d quarters = _mm256_castps_pd(_mm256_shuffle_ps(a.v, b.v, 0x88));
  return _mm256_castpd_ps(_mm256_permute4x64_pd(quarters, 0xd8));
}
/// The other ones.
DYNNET_INLINE Vec odds(Vec a, Vec b) {
  const __m256d quarters = _mm256_castps_pd(_mm256_shuffle_ps(a.v, b.v, 0xdd));
  return _mm256_castpd_ps(_mm256_permute4x64_pd(quarters, 0xd8));
}

/// The lanes of a and b in turns: the first vector of them, and the second.
DYNNET_INLINE void interleave(Vec a, Vec b, Vec& low, Vec& high) {
  const __m256 p = _mm256_unpacklo_ps(a.v, b.v), q = _mm256_unpackhi_ps(a.v, b.v);
  low = _mm256_permute2f128_ps(p, q, 0x20);
  high = _mm256_permute2f128_ps(p, q, 0x31);
}

/// table[n] for whole n from 0 to 15; any of them for what is not a number.
DYNNET_INLINE Vec look_up(const float (&table)[16], Vec n) {
  // Of the halves that hold it: bit 3 chooses.
  const __m256i number = _mm256_cvtps_epi32(n.v);
  const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), number);
  const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), number);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(number, 28)));
}

/// Makes the compiler load a once: left alone, it reads memory again for each of a few uses.
DYNNET_INLINE void hold(Vec& a) { asm("" : "+x"(a.v)); }

DYNNET_INLINE float first(Vec a) { return _mm256_cvtss_f32(a.v); }

DYNNET_INLINE float reduce_add(Vec a) {
  const __m128 c = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}

DYNNET_INLINE float reduce_max(Vec a) {
  const __m128 c = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

/// Lane i of the result is reduce_add(a[i]), to the bit; destroys a.
DYNNET_INLINE Vec reduce_add_each(Vec (&a)[8]) {
  __m256 u[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    u[i] = _mm256_add_ps(_mm256_permute2f128_ps(a[i].v, a[i + 4].v, 0x20),
                         _mm256_permute2f128_ps(a[i].v, a[i + 4].v, 0x31));
  }
  const __m256 v = _mm256_add_ps(_mm256_shuffle_ps(u[0], u[1], 0x44), _mm256_shuffle_ps(u[0], u[1], 0xee));
  const __m256 w = _mm256_add_ps(_mm256_shuffle_ps(u[2], u[3], 0x44), _mm256_shuffle_ps(u[2], u[3], 0xee));
  return _mm256_add_ps(_mm256_shuffle_ps(v, w, 0x88), _mm256_shuffle_ps(v, w, 0xdd));
}

/// Lane j of a[i] and lane i of a[j] change places.
DYNNET_INLINE void transpose(Vec (&a)[8]) {
  __m256 t[8], u[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(a[i].v, a[i + 1].v);
    t[i + 1] = _mm256_unpackhi_ps(a[i].v, a[i + 1].v);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    a[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    a[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}

/// kWidth / 2 whole numbers of 64 bits, for random numbers.
struct Wide {
  __m256i v;
};

DYNNET_INLINE Wide wide(uint64_t x) { return {_mm256_set1_epi64x(static_cast<long long>(x))}; }
DYNNET_INLINE Wide load_wide(const uint64_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
DYNNET_INLINE void store_wide(uint64_t* p, Wide a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
DYNNET_INLINE Wide operator^(Wide a, Wide b) { return {_mm256_xor_si256(a.v, b.v)}; }
DYNNET_INLINE Wide high_half(Wide a) { return {_mm256_srli_epi64(a.v, 32)}; }
/// The products of the low halves.
DYNNET_INLINE Wide multiply_low(Wide a, Wide b) { return {_mm256_mul_epu32(a.v, b.v)}; }

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_SIMD_V3_H_

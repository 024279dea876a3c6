// Vectors of 4 floats: x86-64-v2 (SSE 4.2, no fused multiply-add). Included by simd.h only.
#ifndef DYNNET_CPU_ISA_SIMD_V2_H_
#define DYNNET_CPU_ISA_SIMD_V2_H_

#include <immintrin.h>

namespace dynnet::cpu::DYNNET_ISA {

constexpr int kWidth = 4;
/// Whether fma and fnma round once.
constexpr bool kFused = false;

struct Vec {
  __m128 v;
  Vec() = default;
  DYNNET_INLINE Vec(__m128 raw) : v(raw) {}
  DYNNET_INLINE explicit Vec(float x) : v(_mm_set1_ps(x)) {}
};

/// One truth value for each lane: all bits or none.
struct Mask {
  __m128 m;
};

DYNNET_INLINE Vec operator+(Vec a, Vec b) { return _mm_add_ps(a.v, b.v); }
DYNNET_INLINE Vec operator-(Vec a, Vec b) { return _mm_sub_ps(a.v, b.v); }
DYNNET_INLINE Vec operator*(Vec a, Vec b) { return _mm_mul_ps(a.v, b.v); }
DYNNET_INLINE Vec operator/(Vec a, Vec b) { return _mm_div_ps(a.v, b.v); }
DYNNET_INLINE Vec operator-(Vec a) { return _mm_xor_ps(a.v, _mm_set1_ps(-0.0f)); }
DYNNET_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm_add_ps(_mm_mul_ps(a.v, b.v), c.v); }
DYNNET_INLINE Vec fnma(Vec a, Vec b, Vec c) { return _mm_sub_ps(c.v, _mm_mul_ps(a.v, b.v)); }
DYNNET_INLINE Vec min(Vec a, Vec b) { return _mm_min_ps(a.v, b.v); }
DYNNET_INLINE Vec max(Vec a, Vec b) { return _mm_max_ps(a.v, b.v); }
DYNNET_INLINE Vec sqrt(Vec a) { return _mm_sqrt_ps(a.v); }
/// 1 / sqrt a, to about 1 ulp: infinity for 0, 0 for infinity, NaN below 0.
DYNNET_INLINE Vec rsqrt(Vec a) { return Vec(1.0f) / sqrt(a); }
DYNNET_INLINE Vec abs(Vec a) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), a.v); }
DYNNET_INLINE Vec round(Vec a) { return _mm_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec floor(Vec a) { return _mm_round_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec ceil(Vec a) { return _mm_round_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
DYNNET_INLINE Vec copysign(Vec a, Vec sign) {
  const __m128 bit = _mm_set1_ps(-0.0f);
  return _mm_or_ps(_mm_andnot_ps(bit, a.v), _mm_and_ps(bit, sign.v));
}

DYNNET_INLINE Mask operator<(Vec a, Vec b) { return {_mm_cmplt_ps(a.v, b.v)}; }
DYNNET_INLINE Mask operator==(Vec a, Vec b) { return {_mm_cmpeq_ps(a.v, b.v)}; }
/// Whether one of the two is no number.
DYNNET_INLINE Mask either_is_nan(Vec a, Vec b) { return {_mm_cmpunord_ps(a.v, b.v)}; }
DYNNET_INLINE Mask operator|(Mask a, Mask b) { return {_mm_or_ps(a.m, b.m)}; }
DYNNET_INLINE bool any(Mask m) { return _mm_movemask_ps(m.m) != 0; }
/// A bit for each lane, the first one lowest.
DYNNET_INLINE uint32_t lane_bits(Mask m) { return static_cast<uint32_t>(_mm_movemask_ps(m.m)); }
DYNNET_INLINE Vec select(Mask m, Vec yes, Vec no) { return _mm_blendv_ps(no.v, yes.v, m.m); }
DYNNET_INLINE Mask first_lanes(int64_t n) {
  const __m128i count = _mm_set1_epi32(static_cast<int>(n < kWidth ? n : kWidth));
  return {_mm_castsi128_ps(_mm_cmpgt_epi32(count, _mm_setr_epi32(0, 1, 2, 3)))};
}
DYNNET_INLINE Mask lane(int64_t i) {
  const __m128i number = _mm_set1_epi32(static_cast<int>(i >= 0 && i < kWidth ? i : -1));
  return {_mm_castsi128_ps(_mm_cmpeq_epi32(number, _mm_setr_epi32(0, 1, 2, 3)))};
}
/// As lane, for an i from -3 kWidth + 1 to 4 kWidth - 1.
DYNNET_INLINE Mask near_lane(int64_t i) { return lane(i); }

DYNNET_INLINE Vec load(const float* p) { return _mm_loadu_ps(p); }
DYNNET_INLINE void store(float* p, Vec a) { _mm_storeu_ps(p, a.v); }

/// The first n of a vector's lanes, 0 <= n <= kWidth: loads and stores touch no memory beyond them.
struct Part {
  int64_t n;
  DYNNET_INLINE explicit Part(int64_t count) : n(count) {}
  DYNNET_INLINE Vec load(const float* p) const {
    if (n >= 4) return _mm_loadu_ps(p);
    if (n == 3) return _mm_setr_ps(p[0], p[1], p[2], 0.0f);
    if (n == 2) return _mm_setr_ps(p[0], p[1], 0.0f, 0.0f);
    return n == 1 ? _mm_load_ss(p) : _mm_setzero_ps();
  }
  DYNNET_INLINE void store(float* p, Vec a) const {
    if (n >= 4) return _mm_storeu_ps(p, a.v);
    if (n >= 1) _mm_store_ss(p, a.v);
    if (n >= 2) _mm_store_ss(p + 1, _mm_movehdup_ps(a.v));
    if (n >= 3) _mm_store_ss(p + 2, _mm_movehl_ps(a.v, a.v));
  }
  DYNNET_INLINE Vec keep(Vec a, Vec other) const { return select(first_lanes(n), a, other); }
};

/// p * 2^n for whole n. In two factors, since n may be beyond what one exponent holds.
DYNNET_INLINE Vec scale_by_power(Vec p, Vec n) {
  const __m128i bias = _mm_set1_epi32(127), whole = _mm_cvtps_epi32(n.v);
  const __m128i half = _mm_srai_epi32(whole, 1), rest = _mm_sub_epi32(whole, half);
  const __m128 a = _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(half, bias), 23));
  const __m128 b = _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(rest, bias), 23));
  return _mm_mul_ps(_mm_mul_ps(p.v, a), b);
}

/// x = m * 2^e with 1 <= m < 2; e is minus infinity for 0 and infinity for infinity, m NaN for what has no logarithm.
DYNNET_INLINE Vec split_exponent(Vec x, Vec& e) {
  const Vec zero(0.0f), infinity(__builtin_inff());
  const Mask tiny = x < Vec(1.17549435e-38f);
  const Vec normal = select(tiny, x * Vec(8388608.0f), x);
  const __m128i bits = _mm_castps_si128(normal.v);
  e = Vec(_mm_cvtepi32_ps(_mm_sub_epi32(_mm_srli_epi32(bits, 23), _mm_set1_epi32(127)))) -
      select(tiny, Vec(23.0f), zero);
  Vec m = _mm_castsi128_ps(_mm_or_si128(_mm_and_si128(bits, _mm_set1_epi32(0x007fffff)), _mm_set1_epi32(0x3f800000)));
  const Mask positive = zero < x, finite = x < infinity, none = {_mm_cmpnge_ps(x.v, zero.v)};
  e = select(finite, select(positive, e, -infinity), infinity);
  return select(none, Vec(__builtin_nanf("")), m);
}

/// Every second lane of a, from the first on, and then of b.
DYNNET_INLINE Vec evens(Vec a, Vec b) { return _mm_shuffle_ps(a.v, b.v, 0x88); }
/// The other ones.
DYNNET_INLINE Vec odds(Vec a, Vec b) { return _mm_shuffle_ps(a.v, b.v, 0xdd); }

/// The lanes of a and b in turns: the first vector of them, and the second.
DYNNET_INLINE void interleave(Vec a, Vec b, Vec& low, Vec& high) {
  low = _mm_unpacklo_ps(a.v, b.v);
  high = _mm_unpackhi_ps(a.v, b.v);
}

/// table[n] for whole n from 0 to 15; any of them for what is not a number.
DYNNET_INLINE Vec look_up(const float (&table)[16], Vec n) {
  const __m128i number = _mm_cvtps_epi32(n.v);
  return _mm_setr_ps(table[_mm_extract_epi32(number, 0) & 15], table[_mm_extract_epi32(number, 1) & 15],
                     table[_mm_extract_epi32(number, 2) & 15], table[_mm_extract_epi32(number, 3) & 15]);
}

/// Makes the compiler load a once: left alone, it reads memory again for each of a few uses.
DYNNET_INLINE void hold(Vec& a) { asm("" : "+x"(a.v)); }

DYNNET_INLINE float first(Vec a) { return _mm_cvtss_f32(a.v); }

DYNNET_INLINE float reduce_add(Vec a) {
  const __m128 d = _mm_add_ps(a.v, _mm_movehl_ps(a.v, a.v));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}

DYNNET_INLINE float reduce_max(Vec a) {
  const __m128 d = _mm_max_ps(a.v, _mm_movehl_ps(a.v, a.v));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

/// Lane i of the result is reduce_add(a[i]), to the bit; destroys a.
DYNNET_INLINE Vec reduce_add_each(Vec (&a)[4]) {
  const __m128 v = _mm_add_ps(_mm_shuffle_ps(a[0].v, a[1].v, 0x44), _mm_shuffle_ps(a[0].v, a[1].v, 0xee));
  const __m128 w = _mm_add_ps(_mm_shuffle_ps(a[2].v, a[3].v, 0x44), _mm_shuffle_ps(a[2].v, a[3].v, 0xee));
  return _mm_add_ps(_mm_shuffle_ps(v, w, 0x88), _mm_shuffle_ps(v, w, 0xdd));
}

/// Lane j of a[i] and lane i of a[j] change places.
DYNNET_INLINE void transpose(Vec (&a)[4]) { _MM_TRANSPOSE4_PS(a[0].v, a[1].v, a[2].v, a[3].v); }

/// kWidth / 2 whole numbers of 64 bits, for random numbers.
struct Wide {
  __m128i v;
};

DYNNET_INLINE Wide wide(uint64_t x) { return {_mm_set1_epi64x(static_cast<long long>(x))}; }
DYNNET_INLINE Wide load_wide(const uint64_t* p) { return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))}; }
DYNNET_INLINE void store_wide(uint64_t* p, Wide a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a.v); }
DYNNET_INLINE Wide operator^(Wide a, Wide b) { return {_mm_xor_si128(a.v, b.v)}; }
DYNNET_INLINE Wide high_half(Wide a) { return {_mm_srli_epi64(a.v, 32)}; }
/// The products of the low halves.
DYNNET_INLINE Wide multiply_low(Wide a, Wide b) { return {_mm_mul_epu32(a.v, b.v)}; }

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_SIMD_V2_H_

// Vectors of 4 floats in the vector extension of GCC and Clang: any processor. Included by simd.h only.
#ifndef DYNNET_CPU_ISA_SIMD_PORTABLE_H_
#define DYNNET_CPU_ISA_SIMD_PORTABLE_H_

namespace dynnet::cpu::DYNNET_ISA {

constexpr int kWidth = 4;
/// Whether fma and fnma round once.
constexpr bool kFused = false;

typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
typedef uint32_t Bits __attribute__((vector_size(16)));

struct Vec {
  Floats v;
  Vec() = default;
  DYNNET_INLINE Vec(Floats raw) : v(raw) {}
  DYNNET_INLINE explicit Vec(float x) : v(Floats{x, x, x, x}) {}
};

/// One truth value for each lane: all bits or none.
struct Mask {
  Ints m;
};

DYNNET_INLINE Bits bits(Vec a) { return reinterpret_cast<Bits>(a.v); }
DYNNET_INLINE Vec from_bits(Bits a) { return reinterpret_cast<Floats>(a); }

DYNNET_INLINE Vec operator+(Vec a, Vec b) { return a.v + b.v; }
DYNNET_INLINE Vec operator-(Vec a, Vec b) { return a.v - b.v; }
DYNNET_INLINE Vec operator*(Vec a, Vec b) { return a.v * b.v; }
DYNNET_INLINE Vec operator/(Vec a, Vec b) { return a.v / b.v; }
DYNNET_INLINE Vec operator-(Vec a) { return from_bits(bits(a) ^ 0x80000000u); }
// Not fused, since not every processor can: the same bits everywhere.
DYNNET_INLINE Vec fma(Vec a, Vec b, Vec c) { return a.v * b.v + c.v; }
DYNNET_INLINE Vec fnma(Vec a, Vec b, Vec c) { return c.v - a.v * b.v; }

DYNNET_INLINE Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
DYNNET_INLINE Mask operator==(Vec a, Vec b) { return {a.v == b.v}; }
/// Whether one of the two is no number.
DYNNET_INLINE Mask either_is_nan(Vec a, Vec b) { return {(a.v != a.v) | (b.v != b.v)}; }
DYNNET_INLINE Mask operator|(Mask a, Mask b) { return {a.m | b.m}; }
DYNNET_INLINE bool any(Mask m) { return (m.m[0] | m.m[1] | m.m[2] | m.m[3]) != 0; }
/// A bit for each lane, the first one lowest.
DYNNET_INLINE uint32_t lane_bits(Mask m) {
  return static_cast<uint32_t>((m.m[0] & 1) | (m.m[1] & 2) | (m.m[2] & 4) | (m.m[3] & 8));
}
DYNNET_INLINE Vec select(Mask m, Vec yes, Vec no) {
  const Bits chosen = reinterpret_cast<Bits>(m.m);
  return from_bits((bits(yes) & chosen) | (bits(no) & ~chosen));
}
// As on x86: the second operand where one is not a number.
DYNNET_INLINE Vec min(Vec a, Vec b) { return select(a < b, a, b); }
DYNNET_INLINE Vec max(Vec a, Vec b) { return select(b < a, a, b); }
DYNNET_INLINE Vec sqrt(Vec a) {
  return Floats{__builtin_sqrtf(a.v[0]), __builtin_sqrtf(a.v[1]), __builtin_sqrtf(a.v[2]), __builtin_sqrtf(a.v[3])};
}
/// 1 / sqrt a, to about 1 ulp: infinity for 0, 0 for infinity, NaN below 0.
DYNNET_INLINE Vec rsqrt(Vec a) { return Vec(1.0f) / sqrt(a); }
DYNNET_INLINE Vec abs(Vec a) { return from_bits(bits(a) & 0x7fffffffu); }
/// To the nearest whole number, for numbers of less than 2^22.
DYNNET_INLINE Vec round(Vec a) { return a + Vec(12582912.0f) - Vec(12582912.0f); }
DYNNET_INLINE Vec copysign(Vec a, Vec sign) { return from_bits((bits(a) & 0x7fffffffu) | (bits(sign) & 0x80000000u)); }
DYNNET_INLINE Vec floor(Vec a) {
  // From 2^23 on all numbers are whole.
  const Vec limit(8388608.0f), size = abs(a);
  const Vec nearest = copysign(size + limit - limit, a);
  return select(size < limit, nearest - select(a < nearest, Vec(1.0f), Vec(0.0f)), a);
}
DYNNET_INLINE Vec ceil(Vec a) { return -floor(-a); }

DYNNET_INLINE Mask first_lanes(int64_t n) {
  const int32_t count = static_cast<int32_t>(n < kWidth ? n : kWidth);
  return {Ints{0, 1, 2, 3} < Ints{count, count, count, count}};
}
DYNNET_INLINE Mask lane(int64_t i) {
  const int32_t number = static_cast<int32_t>(i >= 0 && i < kWidth ? i : -1);
  return {Ints{0, 1, 2, 3} == Ints{number, number, number, number}};
}
/// As lane, for an i from -3 kWidth + 1 to 4 kWidth - 1.
DYNNET_INLINE Mask near_lane(int64_t i) { return lane(i); }

DYNNET_INLINE Vec load(const float* p) { return Floats{p[0], p[1], p[2], p[3]}; }
DYNNET_INLINE void store(float* p, Vec a) { __builtin_memcpy(p, &a.v, sizeof a.v); }

/// The first n of a vector's lanes, 0 <= n <= kWidth: loads and stores touch no memory beyond them.
struct Part {
  int64_t n;
  DYNNET_INLINE explicit Part(int64_t count) : n(count) {}
  DYNNET_INLINE Vec load(const float* p) const {
    return Floats{n > 0 ? p[0] : 0.0f, n > 1 ? p[1] : 0.0f, n > 2 ? p[2] : 0.0f, n > 3 ? p[3] : 0.0f};
  }
  DYNNET_INLINE void store(float* p, Vec a) const {
    if (n > 0) p[0] = a.v[0];
    if (n > 1) p[1] = a.v[1];
    if (n > 2) p[2] = a.v[2];
    if (n > 3) p[3] = a.v[3];
  }
  DYNNET_INLINE Vec keep(Vec a, Vec other) const { return select(first_lanes(n), a, other); }
};

/// p * 2^n for whole n. In two factors, since n may be beyond what one exponent holds.
DYNNET_INLINE Vec scale_by_power(Vec p, Vec n) {
  // Whole numbers read off the end of the significand, which is defined for what is not a number, too.
  const Ints whole = reinterpret_cast<Ints>(bits(n + Vec(12582912.0f)) - 0x4b400000u);
  const Ints half = whole >> 1, rest = whole - half;
  return p * from_bits(reinterpret_cast<Bits>(half + 127) << 23) * from_bits(reinterpret_cast<Bits>(rest + 127) << 23);
}

/// x = m * 2^e with 1 <= m < 2; e is minus infinity for 0 and infinity for infinity, m NaN for what has no logarithm.
DYNNET_INLINE Vec split_exponent(Vec x, Vec& e) {
  const Vec zero(0.0f), infinity(__builtin_inff());
  const Mask tiny = x < Vec(1.17549435e-38f);
  const Bits b = bits(select(tiny, x * Vec(8388608.0f), x));
  const Ints exponent = reinterpret_cast<Ints>(b >> 23) - 127;
  e = Vec(__builtin_convertvector(exponent, Floats)) - select(tiny, Vec(23.0f), zero);
  const Vec m = from_bits((b & 0x007fffffu) | 0x3f800000u);
  const Mask positive = zero < x, finite = x < infinity, some = {x.v >= zero.v};
  e = select(finite, select(positive, e, -infinity), infinity);
  return select(some, m, Vec(__builtin_nanf("")));
}

/// Every second lane of a, from the first on, and then of b.
DYNNET_INLINE Vec evens(Vec a, Vec b) { return Floats{a.v[0], a.v[2], b.v[0], b.v[2]}; }
/// The other ones.
DYNNET_INLINE Vec odds(Vec a, Vec b) { return Floats{a.v[1], a.v[3], b.v[1], b.v[3]}; }

/// The lanes of a and b in turns: the first vector of them, and the second.
DYNNET_INLINE void interleave(Vec a, Vec b, Vec& low, Vec& high) {
  low = Floats{a.v[0], b.v[0], a.v[1], b.v[1]};
  high = Floats{a.v[2], b.v[2], a.v[3], b.v[3]};
}

/// table[n] for whole n from 0 to 15; any of them for what is not a number.
DYNNET_INLINE Vec look_up(const float (&table)[16], Vec n) {
  const Bits number = bits(n + Vec(12582912.0f)) & 15u;
  return Floats{table[number[0]], table[number[1]], table[number[2]], table[number[3]]};
}

/// A hint to keep a in a register, for instruction sets that have one.
DYNNET_INLINE void hold(Vec&) {}

DYNNET_INLINE float first(Vec a) { return a.v[0]; }
DYNNET_INLINE float reduce_add(Vec a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
DYNNET_INLINE float reduce_max(Vec a) {
  const float b = a.v[0] > a.v[2] ? a.v[0] : a.v[2], c = a.v[1] > a.v[3] ? a.v[1] : a.v[3];
  return b > c ? b : c;
}

/// Lane j of a[i] and lane i of a[j] change places.
DYNNET_INLINE void transpose(Vec (&a)[4]) {
  const Floats t[4] = {a[0].v, a[1].v, a[2].v, a[3].v};
  for (int i = 0; i < 4; ++i) a[i] = Floats{t[0][i], t[1][i], t[2][i], t[3][i]};
}

/// Lane i of the result is reduce_add(a[i]), to the bit; destroys a.
DYNNET_INLINE Vec reduce_add_each(Vec (&a)[4]) {
  transpose(a);
  return (a[0] + a[2]) + (a[1] + a[3]);
}

typedef uint64_t Longs __attribute__((vector_size(16)));

/// kWidth / 2 whole numbers of 64 bits, for random numbers.
struct Wide {
  Longs v;
};

DYNNET_INLINE Wide wide(uint64_t x) { return {Longs{x, x}}; }
DYNNET_INLINE Wide load_wide(const uint64_t* p) { return {Longs{p[0], p[1]}}; }
DYNNET_INLINE void store_wide(uint64_t* p, Wide a) { __builtin_memcpy(p, &a.v, sizeof a.v); }
DYNNET_INLINE Wide operator^(Wide a, Wide b) { return {a.v ^ b.v}; }
DYNNET_INLINE Wide high_half(Wide a) { return {a.v >> 32}; }
/// The products of the low halves.
DYNNET_INLINE Wide multiply_low(Wide a, Wide b) { return {(a.v & 0xffffffffu) * (b.v & 0xffffffffu)}; }

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_SIMD_PORTABLE_H_

// Random numbers by a counter: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3,
// 2011). Each number is a function of the key and its position, so draws can be made in any order and never run out.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// Counters that go through the rounds together. Part of the definition of the draws: word w of counter 16 b + l is
/// number 64 b + 16 w + l, on every instruction set.
constexpr int kCounters = 16;
constexpr int kWords = 4;
constexpr int kNumbers = kCounters * kWords;

/// The 64 words of block b, in the low halves of `words`. What is in high halves on the way is of no matter: products
/// take the low ones only.
void philox(uint64_t key, int64_t b, uint64_t (&words)[kWords][kCounters]) {
  constexpr int kLanes = kWidth / 2;
  constexpr uint64_t kLowHalf = 0xffffffffu;
  const Wide m0 = wide(0xd2511f53u), m1 = wide(0xcd9e8d57u);
  for (int l = 0; l < kCounters; ++l) words[0][l] = static_cast<uint64_t>(b) * kCounters + static_cast<uint64_t>(l);
#pragma GCC unroll 2
  for (int l = 0; l < kCounters; l += kLanes) {
    Wide c0 = load_wide(&words[0][l]), c1 = high_half(c0), c2 = wide(0), c3 = wide(0);
    uint64_t k0 = key & kLowHalf, k1 = key >> 32;
    for (int round = 0; round < 10; ++round) {
      const Wide p0 = multiply_low(m0, c0), p1 = multiply_low(m1, c2);
      c0 = high_half(p1) ^ c1 ^ wide(k0);
      c2 = high_half(p0) ^ c3 ^ wide(k1);
      c1 = p1;
      c3 = p0;
      k0 += 0x9e3779b9u;
      k1 += 0xbb67ae85u;
    }
    store_wide(&words[0][l], c0);
    store_wide(&words[1][l], c1);
    store_wide(&words[2][l], c2);
    store_wide(&words[3][l], c3);
  }
}

/// The 64 numbers of block b, uniform on [0, 1).
void uniform_block(uint64_t key, int64_t b, float (&u)[kNumbers]) {
  alignas(64) uint64_t words[kWords][kCounters];
  philox(key, b, words);
  for (int w = 0; w < kWords; ++w) {
    for (int l = 0; l < kCounters; ++l) {
      u[w * kCounters + l] =
          static_cast<float>(static_cast<int32_t>(static_cast<uint32_t>(words[w][l]) >> 8)) * 0x1p-24f;
    }
  }
}

/// Calls body(j, numbers) for each block of up to 64 numbers from j on.
template <class Fill, class Body>
DYNNET_INLINE void for_blocks(int64_t n, uint64_t key, Fill fill_block, Body body) {
  alignas(64) float numbers[kNumbers];
  for (int64_t j = 0; j < n; j += kNumbers) {
    fill_block(key, j / kNumbers, numbers);
    const float* from = numbers;
    for_vectors(n - j < kNumbers ? n - j : kNumbers,
                [&](int64_t l, auto lanes) DYNNET_INLINE_BODY { body(j + l, lanes, lanes.load(from + l)); });
  }
}

void random_uniform(float* to, int64_t n, uint64_t key) {
  for_blocks(n, key, uniform_block, [&](int64_t j, auto lanes, Vec u) DYNNET_INLINE_BODY { lanes.store(to + j, u); });
}

/// sin and cos of 2 pi u for 0 <= u < 1, of which `u` is split into quarters and a rest of at most an eighth.
DYNNET_INLINE void sin_cos_turns(Vec u, Vec& sine, Vec& cosine) {
  const Vec quarters = round(u * Vec(4.0f));
  const Vec r = fnma(quarters, Vec(0.25f), u) * Vec(6.28318531f), r2 = r * r;
  Vec s = fma(Vec(-1.95152959e-4f), r2, Vec(8.33216087e-3f));
  s = fma(s, r2, Vec(-1.66666546e-1f));
  s = fma(s * r2, r, r);
  Vec c = fma(Vec(2.44331571e-5f), r2, Vec(-1.38873162e-3f));
  c = fma(c, r2, Vec(4.16666457e-2f));
  c = fma(c * r2, r2, fnma(Vec(0.5f), r2, Vec(1.0f)));
  // Quarters 0 to 4; odd ones exchange the two, and each second half turns a sign.
  const Vec half = Vec(0.5f);
  const auto is = [&](float q) DYNNET_INLINE_BODY { return abs(quarters - Vec(q)) < half; };
  const Mask one = is(1.0f), two = is(2.0f), three = is(3.0f);
  sine = select(one, c, select(two, -s, select(three, -c, s)));
  cosine = select(one, -s, select(two, -c, select(three, s, c)));
}

/// The 64 numbers of block b, standard normal, by the transform of Box and Muller: words 0 and 1 give numbers 0 and 1
/// of a counter, words 2 and 3 the others.
void normal_block(uint64_t key, int64_t b, float (&z)[kNumbers]) {
  alignas(64) float u[kNumbers];
  uniform_block(key, b, u);
  for (int pair = 0; pair < 2; ++pair) {
    for (int l = 0; l < kCounters; l += kWidth) {
      float* to = z + 2 * pair * kCounters + l;
      const float* from = u + 2 * pair * kCounters + l;
      // 1 - u is never 0, and exact.
      const Vec radius = sqrt(Vec(-2.0f) * log(Vec(1.0f) - load(from)));
      Vec sine, cosine;
      sin_cos_turns(load(from + kCounters), sine, cosine);
      store(to, radius * cosine);
      store(to + kCounters, radius * sine);
    }
  }
}

void random_normal(float* to, int64_t n, uint64_t key) {
  for_blocks(n, key, normal_block, [&](int64_t j, auto lanes, Vec z) DYNNET_INLINE_BODY { lanes.store(to + j, z); });
}

/// Draws from block to block for each row: body(a, b) gives what makes a number of y of a random one and its place.
template <class Fill, class Body>
DYNNET_INLINE void draw_rows(Rows y, const uint64_t* keys, const float* a, const float* b, int64_t rows, int64_t n,
                             Fill fill_block, Body body) {
  for (int64_t i = 0; i < rows; ++i) {
    float* to = row(y, i);
    const Vec va(a[i]), vb(b[i]);
    for_blocks(n, keys[i], fill_block,
               [&](int64_t j, auto lanes, Vec r) DYNNET_INLINE_BODY { lanes.store(to + j, body(r, va, vb)); });
  }
}

/// -ln of an exponential draw. 1 - u is exact and never 0; where it is 1, the draw is half of the next smallest.
DYNNET_INLINE Vec gumbel(Vec u) { return -log(max(Vec(0x1p-25f), -log(Vec(1.0f) - u))); }

void draw(Distribution distribution, Rows y, const uint64_t* keys, const float* a, const float* b, int64_t rows,
          int64_t n) {
  const Vec zero(0.0f);
  switch (distribution) {
    case Distribution::kUniform:
      // What is rounded up to the end of the interval goes to its beginning.
      draw_rows(y, keys, a, b, rows, n, uniform_block, [](Vec u, Vec low, Vec high) DYNNET_INLINE_BODY {
        const Vec x = fma(u, high - low, low);
        return select(x < high, x, low);
      });
      return;
    case Distribution::kNormal:
      draw_rows(y, keys, a, b, rows, n, normal_block,
                [](Vec z, Vec mean, Vec deviation) DYNNET_INLINE_BODY { return fma(z, deviation, mean); });
      return;
    case Distribution::kBernoulli:
      draw_rows(y, keys, a, b, rows, n, uniform_block,
                [zero](Vec u, Vec p, Vec scale) DYNNET_INLINE_BODY { return select(u < p, scale, zero); });
      return;
    case Distribution::kGumbel:
      draw_rows(y, keys, a, b, rows, n, uniform_block,
                [](Vec u, Vec mu, Vec beta) DYNNET_INLINE_BODY { return fma(beta, gumbel(u), mu); });
      return;
  }
}

void add_noise(Rows y, Rows x, const uint64_t* keys, const float* deviations, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float* to = row(y, i);
    const float* from = row(x, i);
    const Vec deviation(deviations[i]);
    for_blocks(n, keys[i], normal_block, [&](int64_t j, auto lanes, Vec z) DYNNET_INLINE_BODY {
      lanes.store(to + j, fma(z, deviation, lanes.load(from + j)));
    });
  }
}

void dropout_mask(Rows mask, const uint64_t* keys, const float* rates, int64_t rows, int64_t n) {
  const Vec zero(0.0f);
  for (int64_t i = 0; i < rows; ++i) {
    float* to = row(mask, i);
    const Vec rate(rates[i]), kept(1.0f / (1.0f - rates[i]));
    for_blocks(n, keys[i], uniform_block, [&](int64_t j, auto lanes, Vec u) DYNNET_INLINE_BODY {
      lanes.store(to + j, select(u < rate, zero, kept));
    });
  }
}

}  // namespace

void fill_random(Kernels* table) {
  table->random_uniform = random_uniform;
  table->random_normal = random_normal;
  table->draw = draw;
  table->add_noise = add_noise;
  table->dropout_mask = dropout_mask;
}

}  // namespace dynnet::cpu::DYNNET_ISA

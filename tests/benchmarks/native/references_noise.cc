// Random numbers and what is made of them, by the generator of the engine: Philox 4x32-10 (Salmon et al. 2011), a
// function of a counter, sixteen of which go through the rounds side by side. Eigen has no such generator.
#include <algorithm>

#include "references.h"

namespace references {
namespace {

constexpr int kLanes = 16;

/// The four words of sixteen counters.
void philox(uint64_t key, int64_t block, uint32_t (&w)[4][kLanes]) {
  EACH(l, kLanes) {
    uint32_t c0 = static_cast<uint32_t>(block * kLanes + l), c1 = 0, c2 = 0, c3 = 0;
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{0xd2511f53u} * c0, p1 = uint64_t{0xcd9e8d57u} * c2;
      c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<uint32_t>(p1);
      c3 = static_cast<uint32_t>(p0);
      k0 += 0x9e3779b9u;
      k1 += 0xbb67ae85u;
    }
    w[0][l] = c0;
    w[1][l] = c1;
    w[2][l] = c2;
    w[3][l] = c3;
  }
}

uint64_t next_key() {
  static uint64_t key = 1;
  return key += 0x9e3779b97f4a7c15u;
}

/// Calls body(i, u) for n numbers that are uniform on [0, 1).
template <class Body>
inline void uniform(int64_t n, Body body) {
  const uint64_t key = next_key();
  for (int64_t block = 0; block * 4 * kLanes < n; ++block) {
    uint32_t w[4][kLanes];
    philox(key, block, w);
    for (int v = 0; v < 4; ++v) {
      const int64_t begin = (block * 4 + v) * kLanes;
      EACH(l, kLanes) body(begin + l, static_cast<float>(static_cast<int32_t>(w[v][l] >> 8)) * 0x1p-24f);
    }
  }
}

/// Calls body(i, z) for n standard normal numbers, by the transform of Box and Muller.
template <class Body>
inline void normal(int64_t n, Body body) {
  const uint64_t key = next_key();
  for (int64_t block = 0; block * 4 * kLanes < n; ++block) {
    uint32_t w[4][kLanes];
    philox(key, block, w);
    for (int v = 0; v < 4; v += 2) {
      const int64_t begin = (block * 4 + v) * kLanes;
      EACH(l, kLanes) {
        const float u = static_cast<float>(static_cast<int32_t>(w[v][l] >> 8)) * 0x1p-24f;
        const float turn = static_cast<float>(static_cast<int32_t>(w[v + 1][l] >> 8)) * 0x1p-24f * 6.28318531f;
        const float radius = std::sqrt(-2 * std::log(1 - u));
        body(begin + l, radius * std::cos(turn));
        body(begin + kLanes + l, radius * std::sin(turn));
      }
    }
  }
}

void zeros(const Node& n) { std::fill_n(n.y, elements, 0.0f); }
void constant(const Node& n) { std::fill_n(n.y, elements, 0.5f); }
void zeros_eigen(const Node& n) { Array(n.y, elements).setZero(); }
void constant_eigen(const Node& n) { Array(n.y, elements).setConstant(0.5f); }

void random_normal(const Node& n) {
  float* __restrict y = n.y;
  normal(elements, [=](int64_t i, float z) { y[i] = z; });
}

void random_uniform(const Node& n) {
  float* __restrict y = n.y;
  uniform(elements, [=](int64_t i, float u) { y[i] = u; });
}

void random_bernoulli(const Node& n) {
  float* __restrict y = n.y;
  uniform(elements, [=](int64_t i, float u) { y[i] = u < 0.5f ? 1.0f : 0.0f; });
}

void random_gumbel(const Node& n) {
  float* __restrict y = n.y;
  uniform(elements, [=](int64_t i, float u) { y[i] = -std::log(std::max(0x1p-25f, -std::log(1 - u))); });
}

// ---- dropout: the mask is kept ----

void dropout(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  float* __restrict mask = n.aux;
  uniform(elements, [=](int64_t i, float u) {
    mask[i] = u < 0.5f ? 0.0f : 2.0f;
    y[i] = x[i] * mask[i];
  });
}

void dropout_backward(const Node& n) {
  const float* __restrict mask = n.aux;
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  EACH(i, elements) d[i] += dy[i] * mask[i];
}

void dropout_dim(const Node& n) {
  float* __restrict mask = n.aux;
  uniform(columns, [=](int64_t i, float u) { mask[i] = u < 0.5f ? 0.0f : 2.0f; });
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    const float m = mask[j];
    EACH(i, side) y[i] = x[i] * m;
  }
}

void dropout_dim_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict dy = n.dy + j * side;
    float* __restrict d = n.dx[0] + j * side;
    const float m = n.aux[j];
    EACH(i, side) d[i] += dy[i] * m;
  }
}

/// All or nothing.
void whole_dropout(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  uint32_t w[4][kLanes];
  philox(next_key(), 0, w);
  const float m = n.aux[0] = (w[0][0] & 1) == 0 ? 0.0f : 2.0f;
  EACH(i, elements) y[i] = x[i] * m;
}

void whole_dropout_backward(const Node& n) {
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  const float m = n.aux[0];
  EACH(i, elements) d[i] += dy[i] * m;
}

void noise(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  normal(elements, [=](int64_t i, float z) { y[i] = x[i] + 0.1f * z; });
}

void noise_backward(const Node& n) {
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  EACH(i, elements) d[i] += dy[i];
}

}  // namespace

std::span<const Reference> noise_references() {
  constexpr int64_t k = kElements;
  static const Reference table[] = {{"zeros", {}, k, {zeros}, {zeros_eigen}},
                                    {"constant", {}, k, {constant}, {constant_eigen}},
                                    {"random_normal", {}, k, {random_normal}},
                                    {"random_uniform", {}, k, {random_uniform}},
                                    {"random_bernoulli", {}, k, {random_bernoulli}},
                                    {"random_gumbel", {}, k, {random_gumbel}},
                                    {"dropout", {k}, k, {dropout, dropout_backward}, {}, k},
                                    {"dropout_dim", {k}, k, {dropout_dim, dropout_dim_backward}, {}, kColumns},
                                    {"dropout_batch", {k}, k, {whole_dropout, whole_dropout_backward}, {}, 1},
                                    {"block_dropout", {k}, k, {whole_dropout, whole_dropout_backward}, {}, 1},
                                    {"noise", {k}, k, {noise, noise_backward}}};
  return table;
}

}  // namespace references

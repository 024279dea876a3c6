// Distances of rows beside the squared one, and losses that are differences: ranking, Poisson.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// A distance is the sum of value(d) over the differences d; its derivative is slope(d).
struct L1 {
  DYNNET_INLINE Vec value(Vec d) const { return abs(d); }
  /// -1, 0 or 1
  DYNNET_INLINE Vec slope(Vec d) const {
    const Vec zero(0.0f);
    return select(zero < d, Vec(1.0f), select(d < zero, Vec(-1.0f), zero));
  }
};

struct Huber {
  Vec c, half;
  DYNNET_INLINE explicit Huber(float bound) : c(bound), half(0.5f) {}
  DYNNET_INLINE Vec value(Vec d) const {
    const Vec a = abs(d);
    return select(c < a, c * fnma(half, c, a), half * d * d);
  }
  DYNNET_INLINE Vec slope(Vec d) const { return max(-c, min(c, d)); }
};

template <class Distance>
DYNNET_INLINE void forward(const Distance& distance, Rows y, Rows a, Rows b, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const float *as = row(a, i), *bs = row(b, i);
    *row(y, i) = sum_of(n, [&](int64_t j, auto lanes)
                               DYNNET_INLINE_BODY { return distance.value(lanes.load(as + j) - lanes.load(bs + j)); });
  }
}

template <class Distance>
DYNNET_INLINE void backward(const Distance& distance, Rows d, Rows a, Rows b, Rows g, float factor, int64_t rows,
                            int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float *as = row(a, i), *bs = row(b, i);
      const Vec scale(factor * *row(g, i));
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<decltype(flag)::value>(lanes, to + j, scale * distance.slope(lanes.load(as + j) - lanes.load(bs + j)));
      });
    }
  });
}

void l1_distance(Rows y, Rows a, Rows b, int64_t rows, int64_t n) { forward(L1(), y, a, b, rows, n); }

void l1_distance_backward(Rows d, Rows a, Rows b, Rows g, float factor, int64_t rows, int64_t n, bool accumulate) {
  backward(L1(), d, a, b, g, factor, rows, n, accumulate);
}

void huber_distance(Rows y, Rows a, Rows b, float c, int64_t rows, int64_t n) { forward(Huber(c), y, a, b, rows, n); }

void huber_distance_backward(Rows d, Rows a, Rows b, Rows g, float c, float factor, int64_t rows, int64_t n,
                             bool accumulate) {
  backward(Huber(c), d, a, b, g, factor, rows, n, accumulate);
}

void rank_loss(Rows y, Rows a, Rows b, float margin, int64_t rows, int64_t n) {
  flatten(rows, n, y, a, b);
  const Vec zero(0.0f), m(margin);
  for (int64_t i = 0; i < rows; ++i) {
    float* to = row(y, i);
    const float *as = row(a, i), *bs = row(b, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      lanes.store(to + j, max(zero, (m - lanes.load(as + j)) + lanes.load(bs + j)));
    });
  }
}

void rank_loss_backward(Rows d, Rows y, Rows dy, float factor, int64_t rows, int64_t n, bool accumulate) {
  flatten(rows, n, d, y, dy);
  const Vec zero(0.0f), f(factor);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float *ys = row(y, i), *dys = row(dy, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<decltype(flag)::value>(lanes, to + j, select(zero < lanes.load(ys + j), f * lanes.load(dys + j), zero));
      });
    }
  });
}

/// Rows of one number. The terms may be much larger than their sum, so it is taken in double.
void poisson_loss(Rows y, Rows x, const float* targets, const double* constants, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    const float rate = *row(x, i);
    const double sum = static_cast<double>(first(exp(Vec(rate)))) -
                       static_cast<double>(targets[i]) * static_cast<double>(rate) + constants[i];
    *row(y, i) = static_cast<float>(sum);
  }
}

void poisson_loss_backward(Rows dx, Rows x, Rows g, const float* targets, int64_t rows, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i)
      put<decltype(flag)::value>(row(dx, i), *row(g, i) * (first(exp(Vec(*row(x, i)))) - targets[i]));
  });
}

}  // namespace

void fill_distance(Kernels* table) {
  table->l1_distance = l1_distance;
  table->l1_distance_backward = l1_distance_backward;
  table->huber_distance = huber_distance;
  table->huber_distance_backward = huber_distance_backward;
  table->rank_loss = rank_loss;
  table->rank_loss_backward = rank_loss_backward;
  table->poisson_loss = poisson_loss;
  table->poisson_loss_backward = poisson_loss_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

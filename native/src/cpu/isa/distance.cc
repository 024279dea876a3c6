// Distances of rows beside the squared one, the gradients of all that two rows are reduced to, and losses that are
// differences: ranking, Poisson.

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

struct Squared {
  DYNNET_INLINE Vec slope(Vec d) const { return d + d; }
};

/// The gradients of both rows through a sum over their differences, before they are scaled.
template <class Distance>
struct OfDifference {
  Distance distance;
  DYNNET_INLINE void operator()(Vec a, Vec b, Vec& da, Vec& db) const {
    da = distance.slope(a - b);
    db = -da;
  }
};

struct OfProduct {
  DYNNET_INLINE void operator()(Vec a, Vec b, Vec& da, Vec& db) const {
    da = b;
    db = a;
  }
};

template <bool kAccumulate, class Lanes>
DYNNET_INLINE void put_scaled(const Lanes& lanes, float* p, Vec scale, Vec a) {
  lanes.store(p, kAccumulate ? fma(scale, a, lanes.load(p)) : scale * a);
}

template <bool kA, bool kB, class Gradients>
DYNNET_INLINE void backward(const Gradients& gradients, Rows da, Rows db, Rows a, Rows b, Rows g, int64_t rows,
                            int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float *to_a = kA ? row(da, i) : nullptr, *to_b = kB ? row(db, i) : nullptr;
      const float *as = row(a, i), *bs = row(b, i);
      const Vec scale(*row(g, i));
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        Vec of_a, of_b;
        gradients(lanes.load(as + j), lanes.load(bs + j), of_a, of_b);
        if constexpr (kA) put_scaled<decltype(flag)::value>(lanes, to_a + j, scale, of_a);
        if constexpr (kB) put_scaled<decltype(flag)::value>(lanes, to_b + j, scale, of_b);
      });
    }
  });
}

template <class Gradients>
void backward_of_wanted(const Gradients& gradients, Rows da, Rows db, Rows a, Rows b, Rows g, int64_t rows, int64_t n,
                        bool accumulate) {
  if (given(da) && given(db)) {
    backward<true, true>(gradients, da, db, a, b, g, rows, n, accumulate);
  } else if (given(da)) {
    backward<true, false>(gradients, da, db, a, b, g, rows, n, accumulate);
  } else if (given(db)) {
    backward<false, true>(gradients, da, db, a, b, g, rows, n, accumulate);
  }
}

void pair_sum_backward(PairSum sum, Rows da, Rows db, Rows a, Rows b, Rows g, float c, int64_t rows, int64_t n,
                       bool accumulate) {
  switch (sum) {
    case PairSum::kDot:
      return backward_of_wanted(OfProduct(), da, db, a, b, g, rows, n, accumulate);
    case PairSum::kSquared:
      return backward_of_wanted(OfDifference<Squared>{}, da, db, a, b, g, rows, n, accumulate);
    case PairSum::kL1:
      return backward_of_wanted(OfDifference<L1>{}, da, db, a, b, g, rows, n, accumulate);
    case PairSum::kHuber:
      return backward_of_wanted(OfDifference<Huber>{Huber(c)}, da, db, a, b, g, rows, n, accumulate);
  }
}

void l1_distance(Rows y, Rows a, Rows b, int64_t rows, int64_t n) { forward(L1(), y, a, b, rows, n); }

void huber_distance(Rows y, Rows a, Rows b, float c, int64_t rows, int64_t n) { forward(Huber(c), y, a, b, rows, n); }

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

/// Rows i to i + count - 1 of one number each, in an array; zeros behind them.
struct Numbers {
  float of[kWidth];

  DYNNET_INLINE Numbers(const Rows& r, int64_t i, int64_t count) {
    if (dense(r, 2, 1) && count == kWidth) {
      store(of, load(r.base + i));
      return;
    }
    for (int64_t l = 0; l < kWidth; ++l) of[l] = l < count ? *row(r, i + l) : 0.0f;
  }
  DYNNET_INLINE void put_back(const Rows& r, int64_t i, int64_t count) const {
    if (dense(r, 2, 1) && count == kWidth) return store(r.base + i, load(of));
    for (int64_t l = 0; l < count; ++l) *row(r, i + l) = of[l];
  }
};

/// The terms may be much larger than their sum, so it is taken in double. Out of line, since there the compiler knows
/// what is apart.
__attribute__((noinline)) void poisson_terms(float* __restrict to, const float* __restrict e,
                                             const float* __restrict rates, const float* __restrict targets,
                                             const double* __restrict constants, int64_t count) {
  for (int64_t l = 0; l < count; ++l) {
    const double rest = constants[l] - static_cast<double>(targets[l]) * static_cast<double>(rates[l]);
    to[l] = static_cast<float>(static_cast<double>(e[l]) + rest);
  }
}

void poisson_loss(Rows y, Rows x, const float* targets, const double* constants, int64_t rows) {
  for (int64_t i = 0; i < rows; i += kWidth) {
    const int64_t count = smaller(kWidth, rows - i);
    const Numbers rates(x, i, count);
    Numbers e = rates, sums = rates;
    store(e.of, exp(load(rates.of)));
    poisson_terms(sums.of, e.of, rates.of, targets + i, constants + i, count);
    sums.put_back(y, i, count);
  }
}

void poisson_loss_backward(Rows dx, Rows x, Rows g, const float* targets, int64_t rows, bool accumulate) {
  for (int64_t i = 0; i < rows; i += kWidth) {
    const int64_t count = smaller(kWidth, rows - i);
    const Numbers rates(x, i, count), wanted(Rows{const_cast<float*>(targets), nullptr, 1}, i, count), dy(g, i, count);
    const Vec slopes = load(dy.of) * (exp(load(rates.of)) - load(wanted.of));
    if (dense(dx, 2, 1)) {
      const Part part(count);
      part.store(dx.base + i, accumulate ? part.load(dx.base + i) + slopes : slopes);
      continue;
    }
    float numbers[kWidth];
    store(numbers, slopes);
    // Rows that are the same memory are added one after the other.
    with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
      for (int64_t l = 0; l < count; ++l) put<decltype(flag)::value>(row(dx, i + l), numbers[l]);
    });
  }
}

}  // namespace

void fill_distance(Kernels* table) {
  table->pair_sum_backward = pair_sum_backward;
  table->l1_distance = l1_distance;
  table->huber_distance = huber_distance;
  table->rank_loss = rank_loss;
  table->rank_loss_backward = rank_loss_backward;
  table->poisson_loss = poisson_loss;
  table->poisson_loss_backward = poisson_loss_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

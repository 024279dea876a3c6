// Distances of rows beside the squared one, the gradients of all that two rows are reduced to, and losses that are
// differences: ranking, Poisson.

#include "cpu/isa/functions.h"
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

/// A vector, or a part of one, of rows of one number each, from row i on.
template <class Lanes>
DYNNET_INLINE Vec numbers_of(const Lanes& lanes, const Rows& r, int64_t i, int64_t count) {
  if (dense(r, 2, 1)) return lanes.load(r.base + i);
  float numbers[kWidth] = {};
  for (int64_t l = 0; l < smaller(kWidth, count - i); ++l) numbers[l] = *row(r, i + l);
  return load(numbers);
}

template <bool kAccumulate, class Lanes>
DYNNET_INLINE void put_numbers(const Lanes& lanes, const Rows& r, int64_t i, int64_t count, Vec a) {
  if (dense(r, 2, 1)) return put<kAccumulate>(lanes, r.base + i, a);
  float numbers[kWidth];
  store(numbers, a);
  // Rows that are the same memory are added one after the other.
  for (int64_t l = 0; l < smaller(kWidth, count - i); ++l) put<kAccumulate>(row(r, i + l), numbers[l]);
}

/// The terms may be much larger than their sum: constant - target * x is right to the last digit, the constant being in
/// two parts, of which the second is added with what the product loses.
DYNNET_INLINE Vec poisson_rest(Vec target, Vec x, Vec constant, Vec constant_rest) {
  if constexpr (kFused) return fnma(target, x, constant) + constant_rest;
  const Vec product = target * x, lost = product_rest(target, x, product);
  // Of what is not finite, or nearly not, the product loses nothing that counts.
  return (constant - product) + (constant_rest - select(abs(product) < Vec(1e30f), lost, Vec(0.0f)));
}

/// The two parts of a constant.
DYNNET_INLINE void split(double constant, float& high, float& low) {
  high = static_cast<float>(constant);
  low = static_cast<float>(constant - static_cast<double>(high));
}

/// Rows of one number each, as many side by side as there are lanes.
void poisson_loss_numbers(Rows y, Rows x, const float* targets, const double* constants, int64_t rows) {
  for_vectors(rows, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    float high[kWidth], low[kWidth];
    for (int64_t l = 0; l < smaller(kWidth, rows - i); ++l) split(constants[i + l], high[l], low[l]);
    const Vec rates = numbers_of(lanes, x, i, rows);
    const Vec rest = poisson_rest(lanes.load(targets + i), rates, lanes.load(high), lanes.load(low));
    put_numbers<false>(lanes, y, i, rows, exp(rates) + rest);
  });
}

void poisson_loss(Rows y, Rows x, const float* targets, const double* constants, int64_t rows, int64_t n) {
  if (n == 1) return poisson_loss_numbers(y, x, targets, constants, rows);
  for (int64_t i = 0; i < rows; ++i) {
    float high, low;
    split(constants[i], high, low);
    const Vec target(targets[i]), constant(high), constant_rest(low);
    float* to = row(y, i);
    const float* xs = row(x, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec rates = lanes.load(xs + j);
      lanes.store(to + j, exp(rates) + poisson_rest(target, rates, constant, constant_rest));
    });
  }
}

template <bool kAccumulate>
void poisson_loss_backward_numbers(Rows dx, Rows x, Rows g, const float* targets, int64_t rows) {
  for_vectors(rows, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec slope = exp(numbers_of(lanes, x, i, rows)) - lanes.load(targets + i);
    put_numbers<kAccumulate>(lanes, dx, i, rows, numbers_of(lanes, g, i, rows) * slope);
  });
}

void poisson_loss_backward(Rows dx, Rows x, Rows g, const float* targets, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    if (n == 1) return poisson_loss_backward_numbers<kAccumulate>(dx, x, g, targets, rows);
    for (int64_t i = 0; i < rows; ++i) {
      const Vec target(targets[i]);
      float* to = row(dx, i);
      const float *xs = row(x, i), *gs = row(g, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<kAccumulate>(lanes, to + j, lanes.load(gs + j) * (exp(lanes.load(xs + j)) - target));
      });
    }
  });
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

// The norm of a row, and what divides by a norm or a standard deviation: weight and layer normalisation.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

DYNNET_INLINE float norm(const float* x, int64_t n) {
  const float squares = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec e = lanes.load(x + j);
    return e * e;
  });
  return first(sqrt(Vec(squares)));
}

/// a / b, or 0 where b is 0
DYNNET_INLINE float quotient(float a, float b) { return b != 0.0f ? a / b : 0.0f; }

DYNNET_INLINE float dot(const float* a, const float* b, int64_t n) {
  return sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { return lanes.load(a + j) * lanes.load(b + j); });
}

template <bool kAccumulate>
DYNNET_INLINE void scale(float* to, const float* x, float factor, int64_t n) {
  const Vec f(factor);
  for_vectors(
      n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { put<kAccumulate>(lanes, to + j, f * lanes.load(x + j)); });
}

void l2_norm(Rows y, Rows x, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) *row(y, i) = norm(row(x, i), n);
}

void l2_norm_backward(Rows dx, Rows x, Rows y, Rows g, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i)
      scale<decltype(flag)::value>(row(dx, i), row(x, i), quotient(*row(g, i), *row(y, i)), n);
  });
}

void weight_norm(Rows y, Rows z, Rows w, Rows g, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const float length = norm(row(w, i), n);
    *row(z, i) = length;
    scale<false>(row(y, i), row(w, i), quotient(*row(g, i), length), n);
  }
}

void weight_norm_backward(Rows dw, Rows w, Rows z, Rows g, Rows dots, Rows dy, int64_t rows, int64_t n,
                          bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      const float *ws = row(w, i), *dys = row(dy, i);
      float* to = row(dw, i);
      const float length = *row(z, i);
      const Vec factor(quotient(*row(g, i), length));
      // The part of dy along w does not change the direction.
      const float projection = dot(ws, dys, n);
      *row(dots, i) = projection;
      const Vec along(quotient(quotient(projection, length), length));
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        put<decltype(flag)::value>(lanes, to + j, factor * fnma(along, lanes.load(ws + j), lanes.load(dys + j)));
      });
    }
  });
}

void weight_norm_backward_g(Rows dg, Rows dots, Rows z, int64_t rows, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) put<decltype(flag)::value>(row(dg, i), quotient(*row(dots, i), *row(z, i)));
  });
}

// ---- layer normalisation ----

DYNNET_INLINE float inverse(float deviation) { return 1.0f / (deviation + 1e-8f); }

void layer_norm(Rows y, Rows z, Rows x, Rows g, Rows b, int64_t rows, int64_t n) {
  const float count = static_cast<float>(n);
  for (int64_t i = 0; i < rows; ++i) {
    const float *xs = row(x, i), *gs = row(g, i), *bs = row(b, i);
    float *ys = row(y, i), *kept = row(z, i);
    // The mean is that of the distances from the first element: what is nearly equal keeps its digits, and what is
    // equal has a deviation of exactly 0.
    const Vec origin(xs[0]);
    const float rest = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { return lanes.load(xs + j) - origin; });
    const float mean = rest / count;
    const Vec center(mean);
    const float squares = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec d = (lanes.load(xs + j) - origin) - center;
      return d * d;
    });
    const float deviation = first(sqrt(Vec(squares / count)));
    kept[0] = mean;
    kept[1] = deviation;
    const Vec factor(inverse(deviation));
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec normal = ((lanes.load(xs + j) - origin) - center) * factor;
      lanes.store(ys + j, fma(normal, lanes.load(gs + j), lanes.load(bs + j)));
    });
  }
}

/// With h = g dy, c = x - mean, s the deviation and r = 1 / (s + 1e-8), the gradient of x is
/// r (h - mean(h) - c r mean(h c) / s); that of g is dy c r.
template <bool kAccumulate, bool kGain, bool kAccumulateGain>
void layer_norm_gradient(float* to, float* to_gain, const float* xs, const float* kept, const float* gs,
                         const float* dys, int64_t n) {
  const float count = static_cast<float>(n);
  const Vec origin(xs[0]), center(kept[0]), zero(0.0f);
  const float deviation = kept[1], r = inverse(deviation);
  // Both sums in one pass, two of each that take turns.
  Vec sum[2] = {zero, zero}, along[2] = {zero, zero};
  const auto add = [&](int turn, int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec h = lanes.load(gs + j) * lanes.load(dys + j);
    sum[turn] = sum[turn] + lanes.keep(h, zero);
    along[turn] = along[turn] + lanes.keep(h * ((lanes.load(xs + j) - origin) - center), zero);
  };
  int64_t j = 0;
  for (; j + 2 * kWidth <= n; j += 2 * kWidth) {
    add(0, j, Whole());
    add(1, j + kWidth, Whole());
  }
  if (j + kWidth <= n) {
    add(0, j, Whole());
    j += kWidth;
  }
  if (j < n) add(1, j, Part(n - j));
  const Vec mean(reduce_add(sum[0] + sum[1]) / count), factor(r);
  const Vec slope(quotient(r * (reduce_add(along[0] + along[1]) / count), deviation));
  for_vectors(n, [&](int64_t k, auto lanes) DYNNET_INLINE_BODY {
    const Vec d = lanes.load(dys + k), h = lanes.load(gs + k) * d, c = (lanes.load(xs + k) - origin) - center;
    put<kAccumulate>(lanes, to + k, factor * fnma(c, slope, h - mean));
    if constexpr (kGain) put<kAccumulateGain>(lanes, to_gain + k, c * factor * d);
  });
}

void layer_norm_backward(Rows dx, bool accumulate, Rows dg, bool accumulate_g, Rows x, Rows z, Rows g, Rows dy,
                         int64_t rows, int64_t n) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    for (int64_t i = 0; i < rows; ++i) {
      const float *xs = row(x, i), *gs = row(g, i), *dys = row(dy, i), *kept = row(z, i);
      float* to = row(dx, i);
      if (!given(dg)) {
        layer_norm_gradient<kAccumulate, false, false>(to, nullptr, xs, kept, gs, dys, n);
      } else if (accumulate_g) {
        layer_norm_gradient<kAccumulate, true, true>(to, row(dg, i), xs, kept, gs, dys, n);
      } else {
        layer_norm_gradient<kAccumulate, true, false>(to, row(dg, i), xs, kept, gs, dys, n);
      }
    }
  });
}

void layer_norm_backward_g(Rows dg, Rows x, Rows z, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      const float *xs = row(x, i), *dys = row(dy, i), *kept = row(z, i);
      float* to = row(dg, i);
      const Vec origin(xs[0]), center(kept[0]), factor(inverse(kept[1]));
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec normal = ((lanes.load(xs + j) - origin) - center) * factor;
        put<decltype(flag)::value>(lanes, to + j, normal * lanes.load(dys + j));
      });
    }
  });
}

}  // namespace

void fill_norm(Kernels* table) {
  table->l2_norm = l2_norm;
  table->l2_norm_backward = l2_norm_backward;
  table->weight_norm = weight_norm;
  table->weight_norm_backward = weight_norm_backward;
  table->weight_norm_backward_g = weight_norm_backward_g;
  table->layer_norm = layer_norm;
  table->layer_norm_backward = layer_norm_backward;
  table->layer_norm_backward_g = layer_norm_backward_g;
}

}  // namespace dynnet::cpu::DYNNET_ISA

// Pooling: the largest of each window, the k largest of each line, sums of neighbours.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

DYNNET_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
DYNNET_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// ---- the largest of each window ----

/// The window's rows at one column of places, of which the largest element of each row of the image is known, and its
/// distance from the window's first column. A stride that the compiler knows (0: it does not) becomes shuffles.
template <int kStride>
void pool_rows(float* __restrict y, float* __restrict where, const float* __restrict most,
               const float* __restrict distance, const Window& w) {
  const int64_t stride = kStride > 0 ? kStride : w.sh;
  // The first row of each window that lies in the image: the window's first but at the top.
  const int64_t cut = smaller(w.oh, (w.top + stride - 1) / stride);
  for (int64_t i = 0; i < cut; ++i) {
    y[i] = most[0];
    where[i] = static_cast<float>(w.top - i * stride) + distance[0];
  }
  for (int64_t i = cut; i < w.oh; ++i) {
    y[i] = most[i * stride - w.top];
    where[i] = distance[i * stride - w.top];
  }
  for (int64_t a = 1; a < w.fh; ++a) {
    const int64_t shift = a - w.top;
    const int64_t begin = shift >= 0 ? 0 : smaller(w.oh, (stride - 1 - shift) / stride);
    const int64_t end = w.h > shift ? smaller(w.oh, (w.h - 1 - shift) / stride + 1) : 0;
    const auto down = static_cast<float>(a);
    for (int64_t i = begin; i < end; ++i) {
      const float value = most[i * stride + shift], place = distance[i * stride + shift] + down;
      where[i] = y[i] < value ? place : where[i];
      y[i] = y[i] < value ? value : y[i];
    }
  }
}

void max_pool(Rows y, Rows where, Rows x, const Window& w, int64_t rows, float* scratch) {
  float* const most = scratch;
  float* const distance = scratch + w.h;
  for (int64_t row_number = 0; row_number < rows; ++row_number) {
    const float* image = row(x, row_number);
    float *ys = row(y, row_number), *places = row(where, row_number);
    for (int64_t j = 0; j < w.ow; ++j, ys += w.oh, places += w.oh) {
      const int64_t first = j * w.sw - w.left;
      const int64_t begin = larger(0, -first), end = smaller(w.fw, w.w - first);
      for_vectors(w.h, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
        const float* p = image + (first + begin) * w.h + i;
        Vec best = lanes.load(p), place(static_cast<float>(begin * w.h));
        for (int64_t b = begin + 1; b < end; ++b) {
          p += w.h;
          const Vec value = lanes.load(p);
          const Mask more = best < value;
          best = select(more, value, best);
          place = select(more, Vec(static_cast<float>(b * w.h)), place);
        }
        lanes.store(most + i, best);
        lanes.store(distance + i, place);
      });
      if (w.sh == 1) {
        pool_rows<1>(ys, places, most, distance, w);
      } else if (w.sh == 2) {
        pool_rows<2>(ys, places, most, distance, w);
      } else {
        pool_rows<0>(ys, places, most, distance, w);
      }
    }
  }
}

void max_pool_backward(Rows dx, Rows where, Rows dy, const Window& w, int64_t rows) {
  for (int64_t row_number = 0; row_number < rows; ++row_number) {
    float* to = row(dx, row_number);
    const float *places = row(where, row_number), *dys = row(dy, row_number);
    for (int64_t j = 0; j < w.ow; ++j, places += w.oh, dys += w.oh) {
      const int64_t first = (j * w.sw - w.left) * w.h - w.top;
      for (int64_t i = 0; i < w.oh; ++i) to[first + i * w.sh + static_cast<int64_t>(places[i])] += dys[i];
    }
  }
}

// ---- the k largest of each line ----

/// As many lines side by side as there are lanes, or fewer. Each line's largest so far are kept in order, a vector for
/// each rank; what a new element displaces goes on to the next rank. `ranks` are k vectors.
template <class Lanes>
void k_max_lines(float* y, float* where, const float* x, int64_t inner, int64_t size, int64_t k, int64_t count,
                 float* ranks, Lanes lanes) {
  const Vec none(-__builtin_inff());
  for (int64_t r = 0; r < k; ++r) store(ranks + r * kWidth, none);
  for (int64_t i = 0; i < size; ++i) {
    Vec value = lanes.load(x + i * inner);
    for (int64_t r = 0; r < k; ++r) {
      const Vec kept = load(ranks + r * kWidth);
      store(ranks + r * kWidth, max(value, kept));
      value = min(value, kept);
    }
  }
  // How many there are of the least of them, and where each line's next goes.
  int64_t equal[kWidth], next[kWidth];
  for (int64_t l = 0; l < count; ++l) {
    const float least = ranks[(k - 1) * kWidth + l];
    equal[l] = next[l] = 0;
    for (int64_t r = 0; r < k; ++r) equal[l] += ranks[r * kWidth + l] > least ? 0 : 1;
  }
  const float* const least = ranks + (k - 1) * kWidth;
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t l = 0; l < count; ++l) {
      const float value = x[i * inner + l];
      const bool is_equal = !(value > least[l]) && !(value < least[l]);
      // NaN leave gaps, which the last elements fill.
      const bool taken = value > least[l] || (is_equal && equal[l] > 0) || size - i <= k - next[l];
      if (!taken || next[l] == k) continue;
      equal[l] -= is_equal ? 1 : 0;
      y[next[l] * inner + l] = value;
      where[next[l] * inner + l] = static_cast<float>(i);
      ++next[l];
    }
  }
}

void k_max(Rows y, Rows where, Rows x, int64_t inner, int64_t size, int64_t k, int64_t outer, int64_t rows,
           float* ranks) {
  for (int64_t row_number = 0; row_number < rows; ++row_number) {
    const float* xs = row(x, row_number);
    float *ys = row(y, row_number), *places = row(where, row_number);
    for (int64_t o = 0; o < outer; ++o, xs += inner * size, ys += inner * k, places += inner * k) {
      for_vectors(inner, [&](int64_t l, auto lanes) DYNNET_INLINE_BODY {
        k_max_lines(ys + l, places + l, xs + l, inner, size, k, smaller(kWidth, inner - l), ranks, lanes);
      });
    }
  }
}

void k_max_backward(Rows dx, Rows where, Rows dy, int64_t inner, int64_t size, int64_t k, int64_t outer, int64_t rows) {
  for (int64_t row_number = 0; row_number < rows; ++row_number) {
    float* to = row(dx, row_number);
    const float *places = row(where, row_number), *dys = row(dy, row_number);
    for (int64_t o = 0; o < outer; ++o, to += inner * size, dys += inner * k, places += inner * k) {
      for (int64_t r = 0; r < k; ++r)
        for (int64_t l = 0; l < inner; ++l)
          to[static_cast<int64_t>(places[r * inner + l]) * inner + l] += dys[r * inner + l];
    }
  }
}

// ---- sums of neighbours ----

/// Calls body with the group's size as a constant where it is small, so that the loop over it goes and the one over
/// sums becomes shuffles; else with 0.
template <class Body>
DYNNET_INLINE void with_group(int64_t group, Body body) {
  switch (group) {
    case 2:
      return body.template run<2>();
    case 3:
      return body.template run<3>();
    case 4:
      return body.template run<4>();
    default:
      return body.template run<0>();
  }
}

struct SumGroups {
  const Rows &y, &x;
  int64_t group, rows, n;

  template <int kGroup>
  DYNNET_INLINE void run() const {
    for (int64_t i = 0; i < rows; ++i) {
      float* __restrict to = row(y, i);
      const float* __restrict from = row(x, i);
      if constexpr (kGroup > 0) {
        for (int64_t j = 0; j < n; ++j) {
          float sum = from[j * kGroup];
#pragma GCC unroll 4
          for (int g = 1; g < kGroup; ++g) sum += from[j * kGroup + g];
          to[j] = sum;
        }
      } else {
        for (int64_t j = 0; j < n; ++j, from += group)
          to[j] = sum_of(group, [&](int64_t g, auto lanes) DYNNET_INLINE_BODY { return lanes.load(from + g); });
      }
    }
  }
};

void sum_groups(Rows y, Rows x, int64_t group, int64_t rows, int64_t n) {
  if (dense(y, rows, n) && dense(x, rows, n * group)) {
    n *= rows;
    rows = rows > 0 ? 1 : 0;
  }
  with_group(group, SumGroups{y, x, group, rows, n});
}

struct SpreadGroups {
  const Rows &d, &g;
  int64_t group, rows, n;
  bool accumulate;

  template <int kGroup>
  DYNNET_INLINE void run() const {
    with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
      constexpr bool kAccumulate = decltype(flag)::value;
      for (int64_t i = 0; i < rows; ++i) {
        float* __restrict to = row(d, i);
        const float* __restrict from = row(g, i);
        if constexpr (kGroup > 0) {
          for (int64_t j = 0; j < n; ++j) {
#pragma GCC unroll 4
            for (int e = 0; e < kGroup; ++e) put<kAccumulate>(to + j * kGroup + e, from[j]);
          }
        } else {
          for (int64_t j = 0; j < n; ++j, to += group) {
            const Vec value(from[j]);
            for_vectors(group,
                        [&](int64_t e, auto lanes) DYNNET_INLINE_BODY { put<kAccumulate>(lanes, to + e, value); });
          }
        }
      }
    });
  }
};

void spread_groups(Rows d, Rows g, int64_t group, int64_t rows, int64_t n, bool accumulate) {
  if (dense(g, rows, n) && dense(d, rows, n * group)) {
    n *= rows;
    rows = rows > 0 ? 1 : 0;
  }
  with_group(group, SpreadGroups{d, g, group, rows, n, accumulate});
}

}  // namespace

void fill_pooling(Kernels* table) {
  table->max_pool = max_pool;
  table->max_pool_backward = max_pool_backward;
  table->k_max = k_max;
  table->k_max_backward = k_max_backward;
  table->sum_groups = sum_groups;
  table->spread_groups = spread_groups;
}

}  // namespace dynnet::cpu::DYNNET_ISA

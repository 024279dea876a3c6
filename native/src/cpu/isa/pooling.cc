// Pooling: the largest of each window, the k largest of each line, sums of neighbours.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

DYNNET_INLINE Mask is_nan(Vec x) { return either_is_nan(x, x); }

/// Whether a value takes the place of the best so far: it is larger, or the first NaN where there may be such.
template <bool kFinite>
DYNNET_INLINE Mask beats(Vec value, Vec best) {
  if constexpr (kFinite) return best < value;
  const Vec zero(0.0f), one(1.0f), nan = select(is_nan(value), one, zero), before = select(is_nan(best), one, zero);
  return (before < nan) | (best < value);
}

template <bool kFinite>
DYNNET_INLINE bool beats(float value, float best) {
  return best < value || (!kFinite && value != value && best == best);
}

// ---- the largest of each window ----

/// The window's rows at one column of places, of which the largest element of each row of the image is known, and its
/// place. A stride that the compiler knows (0: it does not) becomes shuffles.
template <bool kFinite, int kStride>
void pool_rows(float* __restrict y, float* __restrict where, const float* __restrict most,
               const float* __restrict place, const Window& w) {
  const int64_t stride = kStride > 0 ? kStride : w.sh;
  // The first row of each window that lies in the image: the window's first but at the top.
  const int64_t cut = smaller(w.oh, (w.top + stride - 1) / stride);
  for (int64_t i = 0; i < cut; ++i) {
    y[i] = most[0];
    where[i] = place[0];
  }
  for (int64_t i = cut; i < w.oh; ++i) {
    y[i] = most[i * stride - w.top];
    where[i] = place[i * stride - w.top];
  }
  // Only the rows of windows that lie in the image in some place.
  const int64_t last = smaller(w.fh, w.top + w.h);
  for (int64_t a = larger(1, w.top - (w.oh - 1) * stride); a < last; ++a) {
    const int64_t shift = a - w.top;
    const int64_t begin = shift >= 0 ? 0 : smaller(w.oh, (stride - 1 - shift) / stride);
    const int64_t end = smaller(w.oh, (w.h - 1 - shift) / stride + 1);
    for (int64_t i = begin; i < end; ++i) {
      const float value = most[i * stride + shift], from = place[i * stride + shift];
      const bool more = beats<kFinite>(value, y[i]);
      where[i] = more ? from : where[i];
      y[i] = more ? value : y[i];
    }
  }
}

template <bool kFinite>
void pool_plane(float* y, float* where, const float* image, const Window& w, float* scratch) {
  float *most = scratch, *place = scratch + w.h;
  const float* numbers = scratch + 2 * w.h;
  for (int64_t j = 0; j < w.ow; ++j, y += w.oh, where += w.oh) {
    const int64_t first = j * w.sw - w.left;
    const int64_t begin = larger(0, first), end = smaller(first + w.fw, w.w);
    for_vectors(w.h, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
      const float* p = image + begin * w.h + i;
      Vec best = lanes.load(p), column(static_cast<float>(begin * w.h));
      for (int64_t b = begin + 1; b < end; ++b) {
        p += w.h;
        const Vec value = lanes.load(p);
        const Mask more = beats<kFinite>(value, best);
        best = select(more, value, best);
        column = select(more, Vec(static_cast<float>(b * w.h)), column);
      }
      lanes.store(most + i, best);
      lanes.store(place + i, column + lanes.load(numbers + i));
    });
    if (w.sh == 1) {
      pool_rows<kFinite, 1>(y, where, most, place, w);
    } else if (w.sh == 2) {
      pool_rows<kFinite, 2>(y, where, most, place, w);
    } else {
      pool_rows<kFinite, 0>(y, where, most, place, w);
    }
  }
}

void max_pool(Rows y, Rows where, Rows x, const Window& w, int64_t rows, float* scratch) {
  for (int64_t i = 0; i < w.h; ++i) scratch[2 * w.h + i] = static_cast<float>(i);
  for (int64_t i = 0; i < rows; ++i) {
    const float* image = row(x, i);
    // NaN if there is one, or an infinity.
    const float check = sum_of(w.h * w.w, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec value = lanes.load(image + j);
      return value - value;
    });
    if (check == 0.0f) {
      pool_plane<true>(row(y, i), row(where, i), image, w, scratch);
    } else {
      pool_plane<false>(row(y, i), row(where, i), image, w, scratch);
    }
  }
}

void max_pool_backward(Rows dx, Rows where, Rows dy, const Window& w, int64_t rows) {
  for (int64_t row_number = 0; row_number < rows; ++row_number) {
    float* to = row(dx, row_number);
    const float *places = row(where, row_number), *dys = row(dy, row_number);
    for (int64_t i = 0; i < w.oh * w.ow; ++i) to[static_cast<int64_t>(places[i])] += dys[i];
  }
}

// ---- the largest of two by two ----

/// The larger one, `best` of equal ones. Where there may be NaN, that is the largest.
template <bool kNumbers>
DYNNET_INLINE Vec larger_of(Vec best, Vec value) {
  const Vec most = max(value, best);
  return kNumbers ? most : select(is_nan(value), value, most);
}

/// for_quads where a column of places is so many whole vectors.
template <int kVectors, class Body>
DYNNET_INLINE void for_whole_quads(int64_t h, int64_t ow, Body body) {
  for (int64_t j = 0; j < ow; ++j) {
#pragma GCC unroll 2
    for (int i = 0; i < kVectors * kWidth; i += kWidth)
      body(j * kVectors * kWidth + i, j * 2 * h + 2 * i, Whole(), Whole(), Whole());
  }
}

/// Calls body(place, first element, lanes of the places, lanes of the two vectors of elements of a column) for vectors
/// of windows.
template <class Body>
DYNNET_INLINE void for_quads(int64_t h, int64_t oh, int64_t ow, Body body) {
  // In short columns a loop inside costs as much as its body.
  if (oh == kWidth) return for_whole_quads<1>(h, ow, body);
  if (oh == 2 * kWidth) return for_whole_quads<2>(h, ow, body);
  const int64_t whole = oh / kWidth * kWidth, left = 2 * (oh - whole);
  const Part rest(oh - whole), low(smaller(left, kWidth)), high(larger(left - kWidth, 0));
  int64_t place = 0, column = 0;
  for (int64_t j = 0; j < ow; ++j, place += oh, column += 2 * h) {
    for (int64_t i = 0; i < whole; i += kWidth) body(place + i, column + 2 * i, Whole(), Whole(), Whole());
    if (left > 0) body(place + whole, column + 2 * whole, rest, low, high);
  }
}

/// With kNumbers, whether there may have been NaN, so that the results are none.
template <bool kNumbers>
bool pool_quads(float* y, const float* image, int64_t h, int64_t oh, int64_t ow) {
  // NaN stays in these sums, as does what infinities of two signs make.
  Vec left_sum(0.0f), right_sum(0.0f);
  for_quads(h, oh, ow, [&](int64_t place, int64_t element, auto lanes, auto low, auto high) DYNNET_INLINE_BODY {
    const float *left = image + element, *right = left + h;
    Vec l0 = low.load(left), r0 = low.load(right), l1 = high.load(left + kWidth), r1 = high.load(right + kWidth);
    if constexpr (kNumbers) {
      hold(l0);
      hold(r0);
      hold(l1);
      hold(r1);
      left_sum = fma(l0, l1, left_sum);
      right_sum = fma(r0, r1, right_sum);
    }
    const Vec a = larger_of<kNumbers>(l0, r0), b = larger_of<kNumbers>(l1, r1);
    lanes.store(y + place, larger_of<kNumbers>(evens(a, b), odds(a, b)));
  });
  return any(either_is_nan(left_sum, right_sum));
}

void max_pool_quads(Rows y, Rows x, const Window& w, int64_t rows) {
  const int64_t h = w.h, oh = w.oh, ow = w.ow;
  for (int64_t i = 0; i < rows; ++i) {
    if (pool_quads<true>(row(y, i), row(x, i), h, oh, ow)) pool_quads<false>(row(y, i), row(x, i), h, oh, ow);
  }
}

/// Whether an element is the result of its window: no other one is NaN where that is a number.
DYNNET_INLINE Mask is_result(Vec element, Vec y) { return (element == y) | is_nan(element); }

void max_pool_quads_backward(Rows dx, Rows x, Rows y, Rows dy, const Window& w, int64_t rows) {
  const Vec zero(0.0f);
  const int64_t h = w.h, oh = w.oh, ow = w.ow;
  for (int64_t r = 0; r < rows; ++r) {
    const float *image = row(x, r), *ys = row(y, r), *dys = row(dy, r);
    float* to = row(dx, r);
    for_quads(h, oh, ow, [&](int64_t place, int64_t element, auto lanes, auto low, auto high) DYNNET_INLINE_BODY {
      const float *left = image + element, *right = left + h;
      const Vec l0 = low.load(left), l1 = high.load(left + kWidth), largest = lanes.load(ys + place);
      const Vec upper_right = evens(low.load(right), high.load(right + kWidth));
      // The first one in the upper row and then the lower that is the result takes the gradient.
      Vec rest = lanes.load(dys + place);
      const auto take = [&](Vec candidate) DYNNET_INLINE_BODY {
        const Mask found = is_result(candidate, largest);
        const Vec taken = select(found, rest, zero);
        rest = select(found, zero, rest);
        return taken;
      };
      const Vec a = take(evens(l0, l1)), b = take(upper_right), c = take(odds(l0, l1));
      const auto add = [&](float* p, Vec upper, Vec lower) DYNNET_INLINE_BODY {
        Vec first, second;
        interleave(upper, lower, first, second);
        put<true>(low, p, first);
        put<true>(high, p + kWidth, second);
      };
      add(to + element, a, c);
      add(to + element + h, b, rest);
    });
  }
}

// ---- the k largest of each line ----

/// As many lines side by side as there are lanes, or fewer.
template <class Lanes>
struct Lines {
  const float* x;
  int64_t inner, size, count;
  Lanes lanes;

  /// The sum over each line of value(element, the line's number in `limits`).
  template <class Value>
  DYNNET_INLINE void sum(const float* limits, float* to, Value value) const {
    if (inner == 1) {
      const Vec limit(limits[0]);
      to[0] = sum_of(size, [&](int64_t i, auto part) DYNNET_INLINE_BODY { return value(part.load(x + i), limit); });
      return;
    }
    const Vec limit = load(limits);
    Vec total(0.0f);
    for (int64_t i = 0; i < size; ++i) total = total + value(lanes.load(x + i * inner), limit);
    store(to, total);
  }
};

/// The kth largest element of each line, for a small k: the largest so far are kept in order, a vector for each rank;
/// what a new element displaces goes on to the next rank. `ranks` are k vectors. NaN counts as infinity.
template <class Lanes>
void find_by_rank(const Lines<Lanes>& lines, int64_t k, float* ranks, float* least) {
  const Vec infinity(__builtin_inff());
  for (int64_t r = 0; r < k; ++r) store(ranks + r * kWidth, -infinity);
  for (int64_t i = 0; i < lines.size; ++i) {
    Vec value = min(lines.lanes.load(lines.x + i * lines.inner), infinity);
    for (int64_t r = 0; r < k; ++r) {
      const Vec kept = load(ranks + r * kWidth);
      store(ranks + r * kWidth, max(value, kept));
      value = min(value, kept);
    }
  }
  store(least, load(ranks + (k - 1) * kWidth));
}

/// The floats in their order, from minus infinity, the number -kInfinityRank - 1, to infinity.
constexpr int64_t kInfinityRank = 0x7f800000;

DYNNET_INLINE float float_of_rank(int64_t rank) {
  const auto bits = static_cast<uint32_t>(rank >= 0 ? rank : rank ^ 0x7fffffff);
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

/// As find_by_rank, for any k: the largest float that no fewer than k elements reach, by halving, so that there are as
/// many passes over the line as a float has bits.
template <class Lanes>
void find_by_halving(const Lines<Lanes>& lines, int64_t k, float* least) {
  int64_t low[kWidth], high[kWidth];
  for (int l = 0; l < kWidth; ++l) {
    low[l] = -kInfinityRank - 1;
    high[l] = kInfinityRank;
  }
  for (;;) {
    bool found = true;
    for (int64_t l = 0; l < kWidth; ++l) {
      least[l] = float_of_rank(low[l] + (high[l] - low[l] + 1) / 2);
      found = found && (low[l] == high[l] || l >= lines.count);
    }
    if (found) return;
    float below[kWidth];
    lines.sum(least, below,
              [](Vec value, Vec limit) DYNNET_INLINE_BODY { return select(value < limit, Vec(1.0f), Vec(0.0f)); });
    for (int64_t l = 0; l < lines.count; ++l) {
      const int64_t middle = low[l] + (high[l] - low[l] + 1) / 2;
      if (lines.size - static_cast<int64_t>(below[l]) >= k) {
        low[l] = middle;
      } else {
        high[l] = middle - 1;
      }
    }
  }
}

template <class Lanes>
void k_max_lines(float* y, float* where, const Lines<Lanes>& lines, int64_t k, float* ranks) {
  // From here on ranks cost more than halving. A single line is counted in whole vectors.
  const int64_t few = lines.inner == 1 ? 8 : 32;
  float least[kWidth], above[kWidth];
  if (k <= few) {
    find_by_rank(lines, k, ranks, least);
  } else {
    find_by_halving(lines, k, least);
  }
  lines.sum(least, above, [](Vec value, Vec limit) DYNNET_INLINE_BODY {
    return select(is_nan(value) | (limit < value), Vec(1.0f), Vec(0.0f));
  });
  // How many of those that equal the least are taken, and where each line's next goes. NaN may be more than k.
  int64_t equal[kWidth], next[kWidth];
  for (int64_t l = 0; l < lines.count; ++l) {
    equal[l] = k - static_cast<int64_t>(above[l]);
    next[l] = 0;
  }
  const auto take = [&](int64_t i, int64_t l) DYNNET_INLINE_BODY {
    const float value = lines.x[i * lines.inner + l];
    if (value < least[l] || next[l] == k) return;
    if (value == least[l] && equal[l]-- <= 0) return;
    y[next[l] * lines.inner + l] = value;
    where[next[l] * lines.inner + l] = static_cast<float>(i);
    ++next[l];
  };
  if (lines.count == 1) {
    for (int64_t i = 0; i < lines.size; ++i) take(i, 0);
    return;
  }
  // Most elements are less than what their lines keep.
  const Vec limit = load(least);
  const uint32_t all = (1u << lines.count) - 1u;
  for (int64_t i = 0; i < lines.size; ++i) {
    uint32_t kept = all & ~lane_bits(lines.lanes.load(lines.x + i * lines.inner) < limit);
    for (; kept != 0; kept &= kept - 1u) take(i, __builtin_ctz(kept));
  }
}

void k_max(Rows y, Rows where, Rows x, int64_t inner, int64_t size, int64_t k, int64_t outer, int64_t rows,
           float* ranks) {
  for (int64_t row_number = 0; row_number < rows; ++row_number) {
    const float* xs = row(x, row_number);
    float *ys = row(y, row_number), *places = row(where, row_number);
    for (int64_t o = 0; o < outer; ++o, xs += inner * size, ys += inner * k, places += inner * k) {
      for_vectors(inner, [&](int64_t l, auto lanes) DYNNET_INLINE_BODY {
        const Lines<decltype(lanes)> lines{xs + l, inner, size, smaller(kWidth, inner - l), lanes};
        k_max_lines(ys + l, places + l, lines, k, ranks);
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

/// The number of terms as a constant where it is small; else 0.
template <int kTerms, bool kAccumulate>
void sum_terms(float* y, const float* x, int64_t step, int64_t terms, int64_t n) {
  if constexpr (kTerms > 0) terms = kTerms;
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const float* from = x + j;
    Vec sum = lanes.load(from);
#pragma GCC unroll 4
    for (int64_t t = 1; t < terms; ++t) sum = sum + lanes.load(from += step);
    put<kAccumulate>(lanes, y + j, sum);
  });
}

void sum_steps(Rows y, Rows x, int64_t step, int64_t terms, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    const auto sum = terms == 1   ? sum_terms<1, kAccumulate>
                     : terms == 2 ? sum_terms<2, kAccumulate>
                     : terms == 3 ? sum_terms<3, kAccumulate>
                     : terms == 4 ? sum_terms<4, kAccumulate>
                                  : sum_terms<0, kAccumulate>;
    for (int64_t i = 0; i < rows; ++i) sum(row(y, i), row(x, i), step, terms, n);
  });
}

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
  table->max_pool_quads = max_pool_quads;
  table->max_pool_quads_backward = max_pool_quads_backward;
  table->k_max = k_max;
  table->k_max_backward = k_max_backward;
  table->sum_steps = sum_steps;
  table->sum_groups = sum_groups;
  table->spread_groups = spread_groups;
}

}  // namespace dynnet::cpu::DYNNET_ISA

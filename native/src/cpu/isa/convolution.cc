// Convolutions over images that are laid out: each tap of a filter meets the rows of a column of results one after the
// other in memory, so that a vector holds as many results, and nothing is copied for each tap.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

// ---- laying out ----

/// Calls body(begin, end, row) for each phase of a column of the image: its lines from `begin` to `end`, counted from
/// that of the column's first phase, are rows `row`, row + stride and so on.
template <class Body>
DYNNET_INLINE void each_phase(const ImageLayout& l, Body body) {
  for (int64_t p = 0; p < l.phases; ++p) {
    const int64_t begin = larger(0, (l.top - p + l.stride - 1) / l.stride);
    const int64_t end = larger(begin, smaller(l.lines, (l.top + l.h - p + l.stride - 1) / l.stride));
    body(p * l.lines, begin, end, begin * l.stride + p - l.top);
  }
}

/// The columns of the layout that are some of the image.
DYNNET_INLINE int64_t columns_end(const ImageLayout& l) { return smaller(l.width, l.left + l.w); }

void lay_out(Rows to, Rows x, const ImageLayout& l, int64_t rows) {
  const int64_t pitch = l.phases * l.lines;
  const Vec zero(0.0f);
  const auto clear = [&](float* p, int64_t n) DYNNET_INLINE_BODY {
    for_vectors(n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY { lanes.store(p + i, zero); });
  };
  for (int64_t row_number = 0; row_number < rows; ++row_number) {
    float* t = row(to, row_number);
    const float* image = row(x, row_number);
    for (int64_t c = 0; c < l.channels; ++c, image += l.h * l.w) {
      clear(t, l.left * pitch);
      t += l.left * pitch;
      for (int64_t j = l.left; j < columns_end(l); ++j, t += pitch) {
        const float* from = image + (j - l.left) * l.h;
        each_phase(l, [&](int64_t at, int64_t begin, int64_t end, int64_t first) DYNNET_INLINE_BODY {
          clear(t + at, begin);
          float* lines = t + at + begin;
          const float* source = from + first;
          if (l.stride == 1) {
            for_vectors(end - begin, [&](int64_t i, auto lanes)
                                         DYNNET_INLINE_BODY { lanes.store(lines + i, lanes.load(source + i)); });
          } else {
            for (int64_t i = 0; i < end - begin; ++i) lines[i] = source[i * l.stride];
          }
          clear(t + at + end, l.lines - end);
        });
      }
      const int64_t after = larger(0, l.width - larger(l.left, columns_end(l)));
      clear(t, after * pitch);
      t += after * pitch;
    }
  }
}

void lay_back(Rows x, Rows from, const ImageLayout& l, int64_t rows, bool accumulate) {
  const int64_t pitch = l.phases * l.lines;
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAccumulate = decltype(flag)::value;
    for (int64_t row_number = 0; row_number < rows; ++row_number) {
      float* image = row(x, row_number);
      const float* f = row(from, row_number);
      if (!kAccumulate) {
        // Rows and columns that no place meets get nothing below.
        for_vectors(l.h * l.w * l.channels,
                    [&](int64_t i, auto lanes) DYNNET_INLINE_BODY { lanes.store(image + i, Vec(0.0f)); });
      }
      for (int64_t c = 0; c < l.channels; ++c, image += l.h * l.w, f += l.width * pitch) {
        for (int64_t j = l.left; j < columns_end(l); ++j) {
          float* to = image + (j - l.left) * l.h;
          each_phase(l, [&](int64_t at, int64_t begin, int64_t end, int64_t first) DYNNET_INLINE_BODY {
            const float* lines = f + j * pitch + at + begin;
            float* target = to + first;
            if (l.stride == 1) {
              for_vectors(end - begin, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
                put<kAccumulate>(lanes, target + i, lanes.load(lines + i));
              });
            } else {
              for (int64_t i = 0; i < end - begin; ++i) put<kAccumulate>(target + i * l.stride, lines[i]);
            }
          });
        }
      }
    }
  });
}

// ---- sliding ----

/// Filters, or taps, whose sums are in registers together, for one or two vectors of places.
constexpr int group_of(int vectors) { return (kWidth == 16 ? 16 : 8) / vectors; }

/// Runs body(Count, first) for groups of at most kMost of [begin, end).
template <int kMost, class Body>
DYNNET_INLINE void for_groups(int64_t begin, int64_t end, Body body) {
  int64_t i = begin;
  for (; i + kMost <= end; i += kMost) body.template run<kMost>(i);
  if constexpr (kMost > 1) {
    if (i < end) for_groups<kMost / 2>(i, end, body);
  }
}

/// Calls body.run<vectors>(i, lanes) for the rows of a column, up to kMost vectors at a time, of which `lanes` are the
/// last one's.
template <int kMost, class Body>
DYNNET_INLINE void for_rows(int64_t rows, Body body) {
  int64_t i = 0;
  for (; i + kMost * kWidth <= rows; i += kMost * kWidth) body.template run<kMost>(i, Whole());
  const int64_t left = rows - i;
  if (kMost == 2 && left > kWidth) {
    body.template run<kMost>(i, Part(left - kWidth));
  } else if (left == kWidth) {
    body.template run<1>(i, Whole());
  } else if (left > 0) {
    body.template run<1>(i, Part(left));
  }
}

template <int kR, class Lanes>
DYNNET_INLINE Vec load_of(const float* p, int r, const Lanes& last) {
  return r < kR - 1 ? load(p + r * kWidth) : last.load(p + r * kWidth);
}

/// kF filters at kR vectors of places.
template <int kF>
struct ConvolveRows {
  const Sliding& s;
  const float *x, *f, *bias;
  float* y;

  template <int kR, class Lanes>
  DYNNET_INLINE void run(int64_t i, Lanes last) const {
    Vec sum[kF][kR];
#pragma GCC unroll 16
    for (int o = 0; o < kF; ++o) {
#pragma GCC unroll 2
      for (int r = 0; r < kR; ++r) sum[o][r] = bias != nullptr ? Vec(bias[o]) : Vec(0.0f);
    }
    const float* weights = f;
    for (int64_t k = 0; k < s.taps; ++k, ++weights) {
      const float* p = x + s.offsets[k] + i;
      Vec v[kR];
#pragma GCC unroll 2
      for (int r = 0; r < kR; ++r) {
        v[r] = load_of<kR>(p, r, last);
        hold(v[r]);
      }
#pragma GCC unroll 16
      for (int o = 0; o < kF; ++o) {
        const Vec w(weights[o * s.taps]);
#pragma GCC unroll 2
        for (int r = 0; r < kR; ++r) sum[o][r] = fma(v[r], w, sum[o][r]);
      }
    }
#pragma GCC unroll 16
    for (int o = 0; o < kF; ++o) {
      float* to = y + o * s.pitch + i;
#pragma GCC unroll 2
      for (int r = 0; r < kR; ++r) {
        if (r < kR - 1) {
          store(to + r * kWidth, sum[o][r]);
        } else {
          last.store(to + r * kWidth, sum[o][r]);
        }
      }
    }
  }
};

/// All places of a group of filters.
template <int kVectors>
struct ConvolveFilters {
  const Sliding& s;
  const float *x, *f, *bias;
  float* y;

  template <int kF>
  DYNNET_INLINE void run(int64_t o) const {
    for (int64_t j = 0; j < s.columns; ++j)
      for_rows<kVectors>(s.rows, ConvolveRows<kF>{s, x + j * s.step, f + o * s.taps, bias != nullptr ? bias + o : bias,
                                                  y + o * s.pitch + j * s.rows});
  }
};

void convolve(Rows y, Rows x, Rows f, Rows bias, const Sliding& s, int64_t o0, int64_t o1, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    const float *xs = row(x, i), *fs = row(f, i), *bs = given(bias) ? row(bias, i) : nullptr;
    if (s.rows <= kWidth) {
      for_groups<group_of(1)>(o0, o1, ConvolveFilters<1>{s, xs, fs, bs, row(y, i)});
    } else {
      for_groups<group_of(2)>(o0, o1, ConvolveFilters<2>{s, xs, fs, bs, row(y, i)});
    }
  }
}

/// kT taps at kR vectors of places: what they get from all filters.
template <int kT>
struct BackRows {
  const Sliding& s;
  const float *dy, *f;
  const int64_t* offsets;
  float* dx;

  template <int kR, class Lanes>
  DYNNET_INLINE void run(int64_t i, Lanes last) const {
    Vec sum[kT][kR];
#pragma GCC unroll 16
    for (int t = 0; t < kT; ++t) {
#pragma GCC unroll 2
      for (int r = 0; r < kR; ++r) sum[t][r] = Vec(0.0f);
    }
    const float *p = dy + i, *weights = f;
    for (int64_t o = 0; o < s.filters; ++o, p += s.pitch, weights += s.taps) {
      Vec v[kR];
#pragma GCC unroll 2
      for (int r = 0; r < kR; ++r) {
        v[r] = load_of<kR>(p, r, last);
        hold(v[r]);
      }
#pragma GCC unroll 16
      for (int t = 0; t < kT; ++t) {
        const Vec w(weights[t]);
#pragma GCC unroll 2
        for (int r = 0; r < kR; ++r) sum[t][r] = fma(v[r], w, sum[t][r]);
      }
    }
    // One after the other: taps meet in the same elements.
#pragma GCC unroll 16
    for (int t = 0; t < kT; ++t) {
      float* to = dx + offsets[t] + i;
#pragma GCC unroll 2
      for (int r = 0; r < kR; ++r) {
        if (r < kR - 1) {
          put<true>(Whole(), to + r * kWidth, sum[t][r]);
        } else {
          put<true>(last, to + r * kWidth, sum[t][r]);
        }
      }
    }
  }
};

template <int kVectors>
struct BackTaps {
  const Sliding& s;
  const float *dy, *f;
  float* dx;

  template <int kT>
  DYNNET_INLINE void run(int64_t k) const {
    for (int64_t j = 0; j < s.columns; ++j)
      for_rows<kVectors>(s.rows, BackRows<kT>{s, dy + j * s.rows, f + k, s.offsets + k, dx + j * s.step});
  }
};

void convolve_back(Rows dx, Rows dy, Rows f, const Sliding& s, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    const float *dys = row(dy, i), *fs = row(f, i);
    if (s.rows <= kWidth) {
      for_groups<group_of(1)>(0, s.taps, BackTaps<1>{s, dys, fs, row(dx, i)});
    } else {
      for_groups<group_of(2)>(0, s.taps, BackTaps<2>{s, dys, fs, row(dx, i)});
    }
  }
}

// ---- the gradient of filters: sums over places, of which each lane has its part ----

constexpr int kTaps = 4;
constexpr int kFilters = kWidth / kTaps;

/// The sums of kTaps taps, of which the first `count` are wanted and the offsets of the others repeat one, and of kO
/// filters.
template <int kO>
void filters_tile(float* g, const Rows& x, const Rows& dy, const Sliding& s, const int64_t* offsets, int64_t count,
                  int64_t o, int64_t rows, bool accumulate) {
  Vec sum[kWidth];
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) sum[i] = Vec(0.0f);
  const int64_t whole = s.rows / kWidth * kWidth;
  const Part rest(s.rows - whole);
  for (int64_t e = 0; e < rows; ++e) {
    const float *xs = row(x, e), *ds = row(dy, e) + o * s.pitch;
    for (int64_t j = 0; j < s.columns; ++j, xs += s.step, ds += s.rows) {
      const auto add = [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
        Vec d[kO];
#pragma GCC unroll 4
        for (int n = 0; n < kO; ++n) d[n] = lanes.load(ds + n * s.pitch + i);
#pragma GCC unroll 4
        for (int t = 0; t < kTaps; ++t) {
          Vec v = lanes.load(xs + offsets[t] + i);
          if constexpr (kO > 1) hold(v);
#pragma GCC unroll 4
          for (int n = 0; n < kO; ++n) sum[n * kTaps + t] = fma(v, d[n], sum[n * kTaps + t]);
        }
      };
      for (int64_t i = 0; i < whole; i += kWidth) add(i, Whole());
      if (whole < s.rows) add(whole, rest);
    }
  }
  alignas(64) float total[kWidth];
  store(total, reduce_add_each(sum));
  for (int n = 0; n < kO; ++n)
    for (int64_t t = 0; t < count; ++t) {
      float* to = g + (o + n) * s.taps + t;
      *to = accumulate ? *to + total[n * kTaps + t] : total[n * kTaps + t];
    }
}

struct FilterSums {
  float* g;
  const Rows &x, &dy;
  const Sliding& s;
  const int64_t* offsets;
  int64_t count, rows;
  bool accumulate;

  template <int kO>
  DYNNET_INLINE void run(int64_t o) const {
    filters_tile<kO>(g, x, dy, s, offsets, count, o, rows, accumulate);
  }
};

void convolve_filters(float* g, Rows x, Rows dy, const Sliding& s, int64_t o0, int64_t o1, int64_t rows,
                      bool accumulate) {
  for (int64_t k = 0; k < s.taps; k += kTaps) {
    const int64_t count = smaller(kTaps, s.taps - k);
    int64_t offsets[kTaps];
    for (int64_t t = 0; t < kTaps; ++t) offsets[t] = s.offsets[k + (t < count ? t : 0)];
    for_groups<kFilters>(o0, o1, FilterSums{g + k, x, dy, s, offsets, count, rows, accumulate});
  }
}

}  // namespace

void fill_convolution(Kernels* table) {
  table->lay_out = lay_out;
  table->lay_back = lay_back;
  table->convolve = convolve;
  table->convolve_back = convolve_back;
  table->convolve_filters = convolve_filters;
}

}  // namespace dynnet::cpu::DYNNET_ISA

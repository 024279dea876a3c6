// The loops of reductions: a kernel is written once, for one result or for the vectors of results that lie beside one
// another.
#ifndef DYNNET_CPU_ISA_REDUCTION_H_
#define DYNNET_CPU_ISA_REDUCTION_H_

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {

/// How vectors are folded into one: from where, and how several such are joined.
struct Adding {
  static DYNNET_INLINE Vec start() { return Vec(0.0f); }
  static DYNNET_INLINE Vec join(Vec a, Vec b) { return a + b; }
  static DYNNET_INLINE float across(Vec a) { return reduce_add(a); }
};

struct Largest {
  static DYNNET_INLINE Vec start() { return Vec(-__builtin_inff()); }
  static DYNNET_INLINE Vec join(Vec a, Vec b) { return max(a, b); }
  static DYNNET_INLINE float across(Vec a) { return reduce_max(a); }
};

/// Calls body(offset) for each place of nested loops, the innermost first.
template <class Body>
DYNNET_INLINE void each_place(int32_t loops, const int64_t* size, const int64_t* stride, Body body) {
  // The bound lets the compiler see that no digit beyond the last is read.
  if (loops > Reduction::kMaxLoops) loops = Reduction::kMaxLoops;
  int64_t digit[Reduction::kMaxLoops];
  for (int32_t l = 0; l < loops; ++l) digit[l] = 0;
  int64_t at = 0;
  for (;;) {
    body(at);
    int32_t l = 0;
    for (; l < loops; ++l) {
      at += stride[l];
      if (++digit[l] < size[l]) break;
      at -= size[l] * stride[l];
      digit[l] = 0;
    }
    if (l == loops) return;
  }
}

/// Calls body(offset) for the beginning of each run that is reduced.
template <class Body>
DYNNET_INLINE void each_run(const Reduction& s, Body body) {
  each_place(s.reduced_loops, s.reduced_size, s.reduced_stride, body);
}

/// Puts value(elements of x, states...) into n places of d, from `at` on.
template <bool kAccumulate, bool kReads, class Value, class... States>
DYNNET_INLINE void spread_line(float* d, const float* x, int64_t at, int64_t n, Value value, States... states) {
  const auto place = [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec element = kReads ? lanes.load(x + i) : Vec(0.0f);
    put<kAccumulate>(lanes, d + i, value(element, states...));
  };
  int64_t i = at;
  const int64_t end = at + n;
  for (; i + 4 * kWidth <= end; i += 4 * kWidth) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) place(i + v * kWidth, Whole());
  }
  for (; i + kWidth <= end; i += kWidth) place(i, Whole());
  if (i < end) place(i, Part(end - i));
}

/// One result, whose elements lie beside one another in each run. It begins at x[begin] and is y[index].
struct Single {
  static constexpr int kCount = 1;
  int64_t begin, index;

  DYNNET_INLINE Vec load(const float* p, int) const { return Vec(p[index]); }
  DYNNET_INLINE void store(float* p, int, Vec a) const { p[index] = first(a); }
  /// The element of x that it begins with.
  DYNNET_INLINE Vec origin(const float* x, int) const { return Vec(x[begin]); }

  /// result[v] = all its elements folded by add(so far, elements, states[v]...), v being 0: a state is what the result
  /// is known by already. In the order of sum_of.
  template <class Fold, class Add, class... States>
  DYNNET_INLINE void fold(const Reduction& s, const float* x, Vec (&result)[1], Add add,
                          const States&... states) const {
    Vec a = Fold::start(), b = a, c = a, d = a;
    const float* from = x + begin;
    const int64_t n = s.run;
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      const float* p = from + offset;
      int64_t i = 0;
      for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
        a = add(a, DYNNET_ISA::load(p + i), states[0]...);
        b = add(b, DYNNET_ISA::load(p + i + kWidth), states[0]...);
        c = add(c, DYNNET_ISA::load(p + i + 2 * kWidth), states[0]...);
        d = add(d, DYNNET_ISA::load(p + i + 3 * kWidth), states[0]...);
      }
      for (; i + kWidth <= n; i += kWidth) a = add(a, DYNNET_ISA::load(p + i), states[0]...);
      if (i < n) {
        const Part part(n - i);
        b = part.keep(add(b, part.load(p + i), states[0]...), b);
      }
    });
    const Vec more = n < 4 * kWidth ? Fold::join(a, b) : Fold::join(Fold::join(a, b), Fold::join(c, d));
    result[0] = Vec(Fold::across(more));
  }

  /// Puts value(elements of x, states[v]...) into the same places of d; x may be null where it is not read.
  template <bool kAccumulate, bool kReads, class Value, class... States>
  DYNNET_INLINE void spread(const Reduction& s, float* d, const float* x, Value value, const States&... states) const {
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      spread_line<kAccumulate, kReads>(d, x, begin + offset, s.run, value, states[0]...);
    });
  }
};

/// The lanes of a vector, each to be had for all lanes.
struct Spread {
  float of[kWidth];
  DYNNET_INLINE explicit Spread(const Vec (&a)[1]) { store(of, a[0]); }
  DYNNET_INLINE Vec operator[](int l) const { return Vec(of[l]); }
};

/// One vector of results, whose elements lie beside one another in short runs: each is folded into a vector, and only
/// those turn in registers, so that none is folded across.
struct Across {
  static constexpr int kCount = 1;
  int64_t begin, index;
  /// From one result's elements to the next one's.
  int64_t stride;

  DYNNET_INLINE Vec load(const float* p, int) const { return DYNNET_ISA::load(p + index); }
  DYNNET_INLINE void store(float* p, int, Vec a) const { DYNNET_ISA::store(p + index, a); }
  DYNNET_INLINE Vec origin(const float* x, int) const {
    float first[kWidth];
    for (int l = 0; l < kWidth; ++l) first[l] = x[begin + l * stride];
    return DYNNET_ISA::load(first);
  }

  template <class Fold, class Add, class... States>
  DYNNET_INLINE void fold(const Reduction& s, const float* x, Vec (&result)[1], Add add,
                          const States&... states) const {
    result[0] = fold_lines<Fold>(s, x, add, Spread(states)...);
  }

  template <bool kAccumulate, bool kReads, class Value, class... States>
  DYNNET_INLINE void spread(const Reduction& s, float* d, const float* x, Value value, const States&... states) const {
    spread_lines<kAccumulate, kReads>(s, d, x, value, Spread(states)...);
  }

 private:
  template <bool kAccumulate, bool kReads, class Value, class... States>
  DYNNET_INLINE void spread_lines(const Reduction& s, float* d, const float* x, Value value,
                                  const States&... states) const {
    const int64_t n = s.run;
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      for (int l = 0; l < kWidth; ++l)
        spread_line<kAccumulate, kReads>(d, x, begin + offset + l * stride, n, value, states[l]...);
    });
  }

  template <class Fold, class Add, class... States>
  DYNNET_INLINE Vec fold_lines(const Reduction& s, const float* x, Add add, const States&... states) const {
    Vec line[kWidth];
#pragma GCC unroll 16
    for (int l = 0; l < kWidth; ++l) line[l] = Fold::start();
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      const float* from = x + begin + offset;
      int64_t i = 0;
      for (; i + kWidth <= s.run; i += kWidth) {
#pragma GCC unroll 16
        for (int l = 0; l < kWidth; ++l) line[l] = add(line[l], DYNNET_ISA::load(from + i + l * stride), states[l]...);
      }
      if (i < s.run) {
        const Part part(s.run - i);
#pragma GCC unroll 16
        for (int l = 0; l < kWidth; ++l)
          line[l] = part.keep(add(line[l], part.load(from + i + l * stride), states[l]...), line[l]);
      }
    });
    transpose(line);
#pragma GCC unroll 4
    for (int half = kWidth / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
      for (int l = 0; l < half; ++l) line[l] = Fold::join(line[l], line[l + half]);
    }
    return line[0];
  }
};

/// Several vectors of results that lie beside one another, as their elements do.
template <int kVectors, class Lanes>
struct Beside {
  static constexpr int kCount = kVectors;
  Lanes lanes;
  int64_t begin, index;

  DYNNET_INLINE Vec load(const float* p, int v) const { return lanes.load(p + index + v * kWidth); }
  DYNNET_INLINE void store(float* p, int v, Vec a) const { lanes.store(p + index + v * kWidth, a); }
  DYNNET_INLINE Vec origin(const float* x, int v) const { return lanes.load(x + begin + v * kWidth); }

  template <class Fold, class Add, class... States>
  DYNNET_INLINE void fold(const Reduction& s, const float* x, Vec (&result)[kVectors], Add add,
                          const States&... states) const {
    Vec sofar[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sofar[v] = Fold::start();
    const float* from = x + begin;
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      const float* p = from + offset;
      for (int64_t i = 0; i < s.run; ++i, p += s.step) {
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sofar[v] = add(sofar[v], lanes.load(p + v * kWidth), states[v]...);
      }
    });
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) result[v] = sofar[v];
  }

  template <bool kAccumulate, bool kReads, class Value, class... States>
  DYNNET_INLINE void spread(const Reduction& s, float* d, const float* x, Value value, States&... states) const {
    // Copies, since a store might change what it was read from.
    const int64_t n = s.run, step = s.step;
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      int64_t at = begin + offset;
      for (int64_t i = 0; i < n; ++i, at += step) {
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          const Vec element = kReads ? lanes.load(x + at + v * kWidth) : Vec(0.0f);
          put<kAccumulate>(lanes, d + at + v * kWidth, value(element, states[v]...));
        }
      }
    });
  }
};

/// Up to this many elements, runs are folded side by side.
constexpr int64_t kShort = 256;

/// Calls body with a Single, an Across unless kAcross is false, or a Beside for all results of one row. Not kWide: with
/// one result or one vector at a time, for what is rare and takes long to compile.
template <bool kAcross = true, bool kWide = true, class Body>
DYNNET_INLINE void each_result(const Reduction& s, Body body) {
  if (s.inner == 1) {
    const int64_t lines = s.kept_loops > 0 ? s.kept_size[0] : 1;
    const int64_t stride = s.kept_stride[0];
    int64_t index = 0;
    each_place(s.kept_loops > 0 ? s.kept_loops - 1 : 0, s.kept_size + 1, s.kept_stride + 1,
               [&](int64_t offset) DYNNET_INLINE_BODY {
                 int64_t i = 0;
                 if constexpr (kAcross && kWide) {
                   if (s.run <= kShort) {
                     for (; i + kWidth <= lines; i += kWidth) body(Across{offset + i * stride, index + i, stride});
                   }
                 }
                 for (; i < lines; ++i) body(Single{offset + i * stride, index + i});
                 index += lines;
               });
    return;
  }
  constexpr int kVectors = 4;
  // Twice as many where there are registers enough.
  constexpr int kMany = kWidth == 16 ? 8 : kVectors;
  int64_t index = 0;
  each_place(s.kept_loops, s.kept_size, s.kept_stride, [&](int64_t offset) DYNNET_INLINE_BODY {
    int64_t j = 0;
    if constexpr (kWide) {
      for (; kMany > kVectors && j + kMany * kWidth <= s.inner; j += kMany * kWidth)
        body(Beside<kMany, Whole>{Whole(), offset + j, index + j});
      for (; j + kVectors * kWidth <= s.inner; j += kVectors * kWidth)
        body(Beside<kVectors, Whole>{Whole(), offset + j, index + j});
    }
    for (; j + kWidth <= s.inner; j += kWidth) body(Beside<1, Whole>{Whole(), offset + j, index + j});
    if (j < s.inner) body(Beside<1, Part>{Part(s.inner - j), offset + j, index + j});
    index += s.inner;
  });
}

/// f(v) for all vectors of results.
template <int kCount, class F>
DYNNET_INLINE void each_vector(F f) {
#pragma GCC unroll 8
  for (int v = 0; v < kCount; ++v) f(v);
}

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_REDUCTION_H_

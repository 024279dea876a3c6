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
  static DYNNET_INLINE Vec across_each(Vec (&a)[kWidth]) { return reduce_add_each(a); }
};

struct Largest {
  static DYNNET_INLINE Vec start() { return Vec(-__builtin_inff()); }
  static DYNNET_INLINE Vec join(Vec a, Vec b) { return max(a, b); }
  static DYNNET_INLINE float across(Vec a) { return reduce_max(a); }
  static DYNNET_INLINE Vec across_each(Vec (&a)[kWidth]) {
    transpose(a);
#pragma GCC unroll 4
    for (int half = kWidth / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
      for (int l = 0; l < half; ++l) a[l] = max(a[l], a[l + half]);
    }
    return a[0];
  }
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

/// A product that is put somewhere, rounded once with what it is added to.
struct Product {
  Vec a, b;
};

template <bool kAccumulate, class Lanes>
DYNNET_INLINE void put(const Lanes& lanes, float* p, Product product) {
  if constexpr (kAccumulate) {
    lanes.store(p, fma(product.a, product.b, lanes.load(p)));
  } else {
    lanes.store(p, product.a * product.b);
  }
}

/// Up to this many elements, a run is folded into two vectors that take turns, and runs are folded side by side; longer
/// ones into four.
constexpr int64_t kShort = 256;

/// n elements folded into one vector.
template <class Fold, class Add, class... States>
DYNNET_INLINE Vec fold_line(const float* x, int64_t n, Add add, States... states) {
  Vec a = Fold::start(), b = a;
  const int64_t pairs = n & -2 * kWidth;
  int64_t i = 0;
  for (; i < pairs; i += 2 * kWidth) {
    a = add(a, load(x + i), states...);
    b = add(b, load(x + i + kWidth), states...);
  }
  if (i + kWidth <= n) {
    a = add(a, load(x + i), states...);
    i += kWidth;
  }
  if (i < n) {
    const Part part(n - i);
    b = part.keep(add(b, part.load(x + i), states...), b);
  }
  return Fold::join(a, b);
}

/// As fold_line, for more elements.
template <class Fold, class Add, class... States>
DYNNET_INLINE Vec fold_long_line(const float* x, int64_t n, Add add, States... states) {
  Vec a = Fold::start(), b = a, c = a, d = a;
  const int64_t turns = n & -4 * kWidth;
  for (int64_t i = 0; i < turns; i += 4 * kWidth) {
    a = add(a, load(x + i), states...);
    b = add(b, load(x + i + kWidth), states...);
    c = add(c, load(x + i + 2 * kWidth), states...);
    d = add(d, load(x + i + 3 * kWidth), states...);
  }
  const Vec most = Fold::join(Fold::join(a, b), Fold::join(c, d));
  return turns < n ? Fold::join(most, fold_line<Fold>(x + turns, n - turns, add, states...)) : most;
}

/// Puts value(elements of x, states...), which is a Vec or a Product, into n places of d.
template <bool kAccumulate, bool kReads, class Value, class... States>
DYNNET_INLINE void spread_line(float* d, const float* x, int64_t n, Value value, States... states) {
  const auto place = [&](int64_t i, auto lanes) DYNNET_INLINE_BODY {
    const Vec element = kReads ? lanes.load(x + i) : Vec(0.0f);
    put<kAccumulate>(lanes, d + i, value(element, states...));
  };
  const int64_t whole = n & -kWidth;
  int64_t i = 0;
  for (; i < whole; i += kWidth) place(i, Whole());
  if (i < n) place(i, Part(n - i));
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
  /// is known by already.
  template <class Fold, class Add, class... States>
  DYNNET_INLINE void fold(const Reduction& s, const float* x, Vec (&result)[1], Add add,
                          const States&... states) const {
    Vec a = Fold::start();
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      const float* p = x + begin + offset;
      a = Fold::join(a, s.run > kShort ? fold_long_line<Fold>(p, s.run, add, states[0]...)
                                       : fold_line<Fold>(p, s.run, add, states[0]...));
    });
    result[0] = Vec(Fold::across(a));
  }

  /// Puts value(elements of x, states[v]...) into the same places of d; x may be null where it is not read.
  template <bool kAccumulate, bool kReads, class Value, class... States>
  DYNNET_INLINE void spread(const Reduction& s, float* d, const float* x, Value value, const States&... states) const {
    each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
      const int64_t at = begin + offset;
      spread_line<kAccumulate, kReads>(d + at, kReads ? x + at : nullptr, s.run, value, states[0]...);
    });
  }
};

/// The lanes of a vector, each to be had for all lanes.
struct Spread {
  float of[kWidth];
  DYNNET_INLINE explicit Spread(const Vec (&a)[1]) { store(of, a[0]); }
  DYNNET_INLINE Vec operator[](int l) const { return Vec(of[l]); }
};

/// One vector of results, each of the elements of one short run: they are folded as if alone, but turned together.
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
    result[0] = fold_lines<Fold>(x + begin, s.run, add, Spread(states)...);
  }

  template <bool kAccumulate, bool kReads, class Value, class... States>
  DYNNET_INLINE void spread(const Reduction& s, float* d, const float* x, Value value, const States&... states) const {
    spread_lines<kAccumulate, kReads>(d + begin, kReads ? x + begin : nullptr, s.run, value, Spread(states)...);
  }

 private:
  template <class Fold, class Add, class... States>
  DYNNET_INLINE Vec fold_lines(const float* x, int64_t n, Add add, const States&... states) const {
    Vec line[kWidth];
    for (int l = 0; l < kWidth; ++l) line[l] = fold_line<Fold>(x + l * stride, n, add, states[l]...);
    return Fold::across_each(line);
  }

  template <bool kAccumulate, bool kReads, class Value, class... States>
  DYNNET_INLINE void spread_lines(float* d, const float* x, int64_t n, Value value, const States&... states) const {
    for (int l = 0; l < kWidth; ++l, d += stride) {
      spread_line<kAccumulate, kReads>(d, x, n, value, states[l]...);
      if constexpr (kReads) x += stride;
    }
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

/// How many vectors of results a Beside has at most: 8, where there are registers enough, 4 or 1, for what takes long
/// to compile and gains little by more.
enum class Most { kOne, kFour, kEight };

/// Calls body with a Beside for all results of one row, where s.inner is more than 1.
template <Most kMost, class Body>
DYNNET_APART void each_beside(const Reduction& s, Body body) {
  int64_t index = 0;
  each_place(s.kept_loops, s.kept_size, s.kept_stride, [&](int64_t offset) DYNNET_INLINE_BODY {
    int64_t j = 0;
    if constexpr (kMost == Most::kEight && kWidth == 16) {
      for (; j + 8 * kWidth <= s.inner; j += 8 * kWidth) body(Beside<8, Whole>{Whole(), offset + j, index + j});
    }
    if constexpr (kMost != Most::kOne) {
      for (; j + 4 * kWidth <= s.inner; j += 4 * kWidth) body(Beside<4, Whole>{Whole(), offset + j, index + j});
    }
    for (; j + kWidth <= s.inner; j += kWidth) body(Beside<1, Whole>{Whole(), offset + j, index + j});
    if (j < s.inner) body(Beside<1, Part>{Part(s.inner - j), offset + j, index + j});
    index += s.inner;
  });
}

/// Calls body with a Single, or an Across if kAcross, for all results of one row, where s.inner is 1.
template <bool kAcross, class Body>
DYNNET_APART void each_single(const Reduction& s, Body body) {
  const int64_t lines = s.kept_loops > 0 ? s.kept_size[0] : 1, stride = s.kept_stride[0];
  int64_t index = 0;
  each_place(s.kept_loops > 0 ? s.kept_loops - 1 : 0, s.kept_size + 1, s.kept_stride + 1,
             [&](int64_t offset) DYNNET_INLINE_BODY {
               int64_t i = 0;
               if constexpr (kAcross) {
                 if (s.run <= kShort && s.reduced_loops == 0) {
                   for (; i + kWidth <= lines; i += kWidth) body(Across{offset + i * stride, index + i, stride});
                 }
               }
               for (; i < lines; ++i) body(Single{offset + i * stride, index + i});
               index += lines;
             });
}

/// Calls body with a Single, an Across unless kAcross is false, or a Beside for all results of one row.
template <bool kAcross = true, class Body>
DYNNET_INLINE void each_result(const Reduction& s, Body body) {
  if (s.inner == 1) {
    each_single<kAcross>(s, body);
  } else {
    each_beside<Most::kEight>(s, body);
  }
}

/// Where the elements of one result lie beside one another in each run: calls body(first, offset, index, lines) for
/// results that lie side by side, which begin at x[first], s.kept_stride[0] apart, and are y[index] and so on. Their
/// runs lie `offset` behind that.
template <class Body>
DYNNET_INLINE void each_line(const Reduction& s, Body body) {
  const int64_t lines = s.kept_loops > 0 ? s.kept_size[0] : 1;
  // Without any further loop, which is the most frequent, by a short way.
  if (s.kept_loops <= 1 && s.reduced_loops == 0) return body(0, 0, 0, lines);
  each_run(s, [&](int64_t offset) DYNNET_INLINE_BODY {
    int64_t index = 0;
    each_place(s.kept_loops > 0 ? s.kept_loops - 1 : 0, s.kept_size + 1, s.kept_stride + 1,
               [&](int64_t first) DYNNET_INLINE_BODY {
                 body(first, offset, index, lines);
                 index += lines;
               });
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

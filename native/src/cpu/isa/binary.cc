// Elementwise operations of two operands, with broadcasting: the loops around the functions in ops/elementwise.h.

#include "cpu/isa/functions.h"
#include "cpu/isa/rows.h"
#include "ops/elementwise.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// How an operand moves in the innermost loop.
enum class Step { kRepeat, kNext };

/// Reads elements i and following of an operand in the innermost loop.
template <Step kOf>
struct Reader {
  static constexpr Step kStep = kOf;
  const float* p;
  Vec repeated;

  DYNNET_INLINE explicit Reader(const float* from) : p(from) {
    if constexpr (kStep == Step::kRepeat) repeated = Vec(*from);
  }

  template <class Lanes>
  DYNNET_INLINE Vec load(int64_t i, const Lanes& lanes) const {
    if constexpr (kStep == Step::kNext) {
      return lanes.load(p + i);
    } else {
      return repeated;
    }
  }
};

/// Makes a reader of what begins at p.
template <Step kOf>
struct Start {
  DYNNET_INLINE Reader<kOf> operator()(const float* p) const { return Reader<kOf>(p); }
};

/// Calls body with what makes the two readers, of the kinds that the strides ask for: one operand repeats an element at
/// most. An operand that is not read counts as moving on, unless kOwn is its number, which is where results go.
template <int kOwn = -1, int kReads = elementwise::kReadsA | elementwise::kReadsB, class Body>
DYNNET_INLINE void with_readers(const Broadcast& shape, Body body) {
  constexpr Start<Step::kRepeat> repeat;
  constexpr Start<Step::kNext> next;
  constexpr bool kAsksA = kOwn == 0 || (kReads & elementwise::kReadsA) != 0;
  constexpr bool kAsksB = kOwn == 1 || (kReads & elementwise::kReadsB) != 0;
  if (kAsksA && shape.a_stride[0] == 0) {
    if constexpr (kAsksA) body(repeat, next);
  } else if (kAsksB && shape.b_stride[0] == 0) {
    if constexpr (kAsksB) body(next, repeat);
  } else {
    body(next, next);
  }
}

/// The loops outside the innermost, as a counter with a digit for each.
struct Outer {
  const Broadcast& shape;
  const int32_t loops;
  int64_t digit[Broadcast::kMaxLoops] = {};
  int64_t a = 0, b = 0, y = 0;

  // The bound lets the compiler see that no digit beyond the last is read.
  explicit Outer(const Broadcast& s)
      : shape(s), loops(s.loops < Broadcast::kMaxLoops ? s.loops : Broadcast::kMaxLoops) {}

  /// To the next run of the innermost loop; false after the last.
  bool next() {
    y += shape.size[0];
    for (int32_t l = 1; l < loops; ++l) {
      a += shape.a_stride[l];
      b += shape.b_stride[l];
      if (++digit[l] < shape.size[l]) return true;
      a -= digit[l] * shape.a_stride[l];
      b -= digit[l] * shape.b_stride[l];
      digit[l] = 0;
    }
    return false;
  }

  /// Whether no earlier run wrote to what this one writes to, in an operand of the given strides.
  bool first_visit(const int64_t* strides) const {
    for (int32_t l = 1; l < loops; ++l) {
      if (strides[l] == 0 && digit[l] != 0) return false;
    }
    return true;
  }
};

int64_t elements(const Broadcast& shape) {
  int64_t n = 1;
  for (int32_t l = 0; l < shape.loops; ++l) n *= shape.size[l];
  return n;
}

template <class Op>
void forward(Rows y, Rows a, Rows b, int64_t rows, const Broadcast& shape) {
  if (elements(shape) == 0) return;
  if (shape.is_plain()) {
    int64_t n = shape.size[0];
    flatten(rows, n, y, a, b);
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(y, i);
      const float *as = row(a, i), *bs = row(b, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        lanes.store(to + j, Op::forward(lanes.load(as + j), lanes.load(bs + j)));
      });
    }
    return;
  }
  with_readers(shape, [&](auto read_a, auto read_b) {
    with_size(shape.size[0], [&](auto n) DYNNET_INLINE_BODY {
      for (int64_t i = 0; i < rows; ++i) {
        float* to = row(y, i);
        const float *as = row(a, i), *bs = row(b, i);
        Outer at(shape);
        do {
          const auto from_a = read_a(as + at.a);
          const auto from_b = read_b(bs + at.b);
          for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
            lanes.store(to + at.y + j, Op::forward(from_a.load(j, lanes), from_b.load(j, lanes)));
          });
        } while (at.next());
      }
    });
  });
}

template <class Op, int kSide>
DYNNET_INLINE Vec gradient(Vec a, Vec b, Vec y, Vec dy) {
  if constexpr (kSide == 0) return Op::backward_a(a, b, y, dy);
  if constexpr (kSide == 1) return Op::backward_b(a, b, y, dy);
}

template <class Op, int kSide>
void backward_plain(Rows d, Rows a, Rows b, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  constexpr int kReads = kSide == 0 ? Op::kForA : Op::kForB;
  // An operand that is not read may be left out, and counts as lying as the others do.
  if constexpr ((kReads & elementwise::kReadsA) == 0) a = dy;
  if constexpr ((kReads & elementwise::kReadsB) == 0) b = dy;
  if constexpr ((kReads & elementwise::kReadsY) == 0) y = dy;
  flatten(rows, n, d, a, b, y, dy);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float *as = row(a, i), *bs = row(b, i), *ys = row(y, i), *dys = row(dy, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec zero(0.0f);
        put<decltype(flag)::value>(
            lanes, to + j,
            gradient<Op, kSide>((kReads & elementwise::kReadsA) != 0 ? lanes.load(as + j) : zero,
                                (kReads & elementwise::kReadsB) != 0 ? lanes.load(bs + j) : zero,
                                (kReads & elementwise::kReadsY) != 0 ? lanes.load(ys + j) : zero, lanes.load(dys + j)));
      });
    }
  });
}

/// Both sides of backward_plain in one pass.
template <class Op>
void backward_both(Rows da, Rows db, Rows a, Rows b, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  constexpr int kReads = Op::kForA | Op::kForB;
  if constexpr ((kReads & elementwise::kReadsA) == 0) a = dy;
  if constexpr ((kReads & elementwise::kReadsB) == 0) b = dy;
  if constexpr ((kReads & elementwise::kReadsY) == 0) y = dy;
  flatten(rows, n, da, db, a, b, y, dy);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float *to_a = row(da, i), *to_b = row(db, i);
      const float *as = row(a, i), *bs = row(b, i), *ys = row(y, i), *dys = row(dy, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec zero(0.0f), d = lanes.load(dys + j);
        const Vec va = (kReads & elementwise::kReadsA) != 0 ? lanes.load(as + j) : zero;
        const Vec vb = (kReads & elementwise::kReadsB) != 0 ? lanes.load(bs + j) : zero;
        const Vec vy = (kReads & elementwise::kReadsY) != 0 ? lanes.load(ys + j) : zero;
        put<decltype(flag)::value>(lanes, to_a + j, gradient<Op, 0>(va, vb, vy, d));
        put<decltype(flag)::value>(lanes, to_b + j, gradient<Op, 1>(va, vb, vy, d));
      });
    }
  });
}

/// Whether an operand is one vector for all runs of the innermost of two loops, as the bias of a matrix is.
bool is_bias(const Broadcast& shape, const int64_t* strides) {
  return shape.loops == 2 && shape.a_stride[0] == 1 && shape.b_stride[0] == 1 && strides[1] == 0;
}

/// The gradient of such an operand for kVectors vectors from j on, the sums over the runs in registers.
template <class Op, int kSide, int kVectors, class Lanes>
DYNNET_INLINE void bias_columns(float* to, const float* as, const float* bs, const float* ys, const float* dys,
                                const Broadcast& shape, int64_t j, bool accumulate, Lanes lanes) {
  constexpr int kReads = kSide == 0 ? Op::kForA : Op::kForB;
  const Vec zero(0.0f);
  Vec sum[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) sum[v] = accumulate ? lanes.load(to + j + v * kWidth) : zero;
  for (int64_t run = 0; run < shape.size[1]; ++run) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t from = j + v * kWidth, at = run * shape.size[0] + from;
      sum[v] =
          sum[v] + gradient<Op, kSide>(
                       (kReads & elementwise::kReadsA) != 0 ? lanes.load(as + run * shape.a_stride[1] + from) : zero,
                       (kReads & elementwise::kReadsB) != 0 ? lanes.load(bs + run * shape.b_stride[1] + from) : zero,
                       (kReads & elementwise::kReadsY) != 0 ? lanes.load(ys + at) : zero, lanes.load(dys + at));
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) lanes.store(to + j + v * kWidth, sum[v]);
}

template <class Op, int kSide>
void backward_bias(float* to, const float* as, const float* bs, const float* ys, const float* dys,
                   const Broadcast& shape, bool accumulate) {
  const int64_t n = shape.size[0];
  int64_t j = 0;
  for (; j + 4 * kWidth <= n; j += 4 * kWidth)
    bias_columns<Op, kSide, 4>(to, as, bs, ys, dys, shape, j, accumulate, Whole());
  for (; j + kWidth <= n; j += kWidth) bias_columns<Op, kSide, 1>(to, as, bs, ys, dys, shape, j, accumulate, Whole());
  if (j < n) bias_columns<Op, kSide, 1>(to, as, bs, ys, dys, shape, j, accumulate, Part(n - j));
}

/// Whether an operand has all elements of the result, in the same order.
bool is_whole(const Broadcast& shape, const int64_t* strides) {
  int64_t n = 1;
  for (int32_t l = 0; l < shape.loops; ++l) {
    if (strides[l] != n) return false;
    n *= shape.size[l];
  }
  return true;
}

template <class Op, int kSide>
void backward(Rows d, Rows a, Rows b, Rows y, Rows dy, int64_t rows, const Broadcast& shape, bool accumulate) {
  if (elements(shape) == 0) return;
  if (shape.is_plain()) return backward_plain<Op, kSide>(d, a, b, y, dy, rows, shape.size[0], accumulate);
  constexpr int kReads = kSide == 0 ? Op::kForA : Op::kForB;
  constexpr int kOther = kSide == 0 ? elementwise::kReadsB : elementwise::kReadsA;
  const int64_t n = shape.size[0];
  const int64_t* strides = kSide == 0 ? shape.a_stride : shape.b_stride;
  if constexpr ((kReads & kOther) == 0) {
    if (is_whole(shape, strides)) return backward_plain<Op, kSide>(d, a, b, y, dy, rows, elements(shape), accumulate);
  }
  const float nothing = 0.0f;
  with_readers<kSide, kReads>(shape, [&](auto read_a, auto read_b) {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float* as = (kReads & elementwise::kReadsA) != 0 ? row(a, i) : nullptr;
      const float* bs = (kReads & elementwise::kReadsB) != 0 ? row(b, i) : nullptr;
      const float* ys = (kReads & elementwise::kReadsY) != 0 ? row(y, i) : nullptr;
      const float* dys = row(dy, i);
      if (is_bias(shape, strides)) {
        backward_bias<Op, kSide>(to, as, bs, ys, dys, shape, accumulate);
        continue;
      }
      Outer at(shape);
      do {
        // The readers of what is not read are never asked, but read where they begin.
        const auto from_a = read_a(as != nullptr ? as + at.a : &nothing);
        const auto from_b = read_b(bs != nullptr ? bs + at.b : &nothing);
        const auto value = [&](int64_t j, const auto& lanes) DYNNET_INLINE_BODY {
          const Vec zero(0.0f);
          return gradient<Op, kSide>((kReads & elementwise::kReadsA) != 0 ? from_a.load(j, lanes) : zero,
                                     (kReads & elementwise::kReadsB) != 0 ? from_b.load(j, lanes) : zero,
                                     (kReads & elementwise::kReadsY) != 0 ? lanes.load(ys + at.y + j) : zero,
                                     lanes.load(dys + at.y + j));
        };
        constexpr Step kStep = kSide == 0 ? decltype(from_a)::kStep : decltype(from_b)::kStep;
        float* there = to + (kSide == 0 ? at.a : at.b);
        const bool add = accumulate || !at.first_visit(strides);
        if constexpr (kStep == Step::kRepeat) {
          Vec sum(0.0f);
          for_vectors(
              n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { sum = sum + lanes.keep(value(j, lanes), Vec(0.0f)); });
          const float total = reduce_add(sum);
          *there = add ? *there + total : total;
        } else {
          with_flag(add, [&](auto flag) DYNNET_INLINE_BODY {
            for_vectors(n, [&](int64_t j, auto lanes)
                               DYNNET_INLINE_BODY { put<decltype(flag)::value>(lanes, there + j, value(j, lanes)); });
          });
        }
      } while (at.next());
    }
  });
}

#define DYNNET_ENTRY(type, name) forward<elementwise::type>,
void binary_forward(int op, Rows y, Rows a, Rows b, int64_t rows, const Broadcast& broadcast) {
  static constexpr void (*kTable[])(Rows, Rows, Rows, int64_t, const Broadcast&) = {DYNNET_BINARY_OPS(DYNNET_ENTRY)};
  kTable[op](y, a, b, rows, broadcast);
}
#undef DYNNET_ENTRY

#define DYNNET_ENTRY(type, name) {backward<elementwise::type, 0>, backward<elementwise::type, 1>},
void binary_backward(int op, int side, Rows d, Rows a, Rows b, Rows y, Rows dy, int64_t rows,
                     const Broadcast& broadcast, int64_t /*d_size*/, bool accumulate) {
  // What is overwritten and what is added to follows from the loops: d_size is for devices that clear first.
  static constexpr void (*kTable[][2])(Rows, Rows, Rows, Rows, Rows, int64_t, const Broadcast&,
                                       bool) = {DYNNET_BINARY_OPS(DYNNET_ENTRY)};
  kTable[op][side](d, a, b, y, dy, rows, broadcast, accumulate);
}
#undef DYNNET_ENTRY

#define DYNNET_ENTRY(type, name) backward_both<elementwise::type>,
void binary_backward_both(int op, Rows da, Rows db, Rows a, Rows b, Rows y, Rows dy, int64_t rows, int64_t n,
                          bool accumulate) {
  static constexpr void (*kTable[])(Rows, Rows, Rows, Rows, Rows, Rows, int64_t, int64_t,
                                    bool) = {DYNNET_BINARY_OPS(DYNNET_ENTRY)};
  kTable[op](da, db, a, b, y, dy, rows, n, accumulate);
}
#undef DYNNET_ENTRY

}  // namespace

void fill_binary(Kernels* table) {
  table->binary_forward = binary_forward;
  table->binary_backward = binary_backward;
  table->binary_backward_both = binary_backward_both;
}

}  // namespace dynnet::cpu::DYNNET_ISA

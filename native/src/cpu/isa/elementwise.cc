// Elementwise operations of one operand: the loops around the functions in ops/elementwise.h.

#include "ops/elementwise.h"

#include "cpu/isa/functions.h"
#include "cpu/isa/rows.h"
#include "cpu/isa/trigonometry.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

template <class Op>
void forward(Rows y, Rows x, const float* scalars, int64_t rows, int64_t n) {
  if constexpr (!Op::kScalar) flatten(rows, n, y, x);
  for (int64_t i = 0; i < rows; ++i) {
    float* to = row(y, i);
    const float* from = row(x, i);
    const Vec scalar(Op::kScalar ? scalars[i] : 0.0f);
    for_vectors(n, [&](int64_t j, auto lanes)
                       DYNNET_INLINE_BODY { lanes.store(to + j, Op::forward(lanes.load(from + j), scalar)); });
  }
}

/// An operand that the operation does not read may be left out, and counts as lying as the others do.
template <bool kUsed>
Rows used(Rows r, Rows other) {
  return kUsed ? r : other;
}

template <class Op>
void backward(Rows dx, Rows x, Rows y, Rows dy, const float* scalars, int64_t rows, int64_t n, bool accumulate) {
  x = used<Op::kUsesX>(x, dy);
  y = used<Op::kUsesY>(y, dy);
  if constexpr (!Op::kScalar) flatten(rows, n, dx, x, y, dy);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(dx, i);
      const float *xs = row(x, i), *ys = row(y, i), *dys = row(dy, i);
      const Vec scalar(Op::kScalar ? scalars[i] : 0.0f);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec zero(0.0f);
        const Vec d = Op::backward(Op::kUsesX ? lanes.load(xs + j) : zero, Op::kUsesY ? lanes.load(ys + j) : zero,
                                   lanes.load(dys + j), scalar);
        put<decltype(flag)::value>(lanes, to + j, d);
      });
    }
  });
}

#define DYNNET_ENTRY(type, name) forward<elementwise::type>,
void unary_forward(int op, Rows y, Rows x, const float* scalars, int64_t rows, int64_t n) {
  static constexpr void (*kTable[])(Rows, Rows, const float*, int64_t, int64_t) = {DYNNET_UNARY_OPS(DYNNET_ENTRY)};
  kTable[op](y, x, scalars, rows, n);
}
#undef DYNNET_ENTRY

#define DYNNET_ENTRY(type, name) backward<elementwise::type>,
void unary_backward(int op, Rows dx, Rows x, Rows y, Rows dy, const float* scalars, int64_t rows, int64_t n,
                    bool accumulate) {
  static constexpr void (*kTable[])(Rows, Rows, Rows, Rows, const float*, int64_t, int64_t,
                                    bool) = {DYNNET_UNARY_OPS(DYNNET_ENTRY)};
  kTable[op](dx, x, y, dy, scalars, rows, n, accumulate);
}
#undef DYNNET_ENTRY

}  // namespace

void fill_elementwise(Kernels* table) {
  table->unary_forward = unary_forward;
  table->unary_backward = unary_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

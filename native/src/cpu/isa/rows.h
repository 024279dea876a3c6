// Rows as the kernels read them, and the list of the families of kernels.
#ifndef DYNNET_CPU_ISA_ROWS_H_
#define DYNNET_CPU_ISA_ROWS_H_

#include "core/kernels.h"
#include "cpu/isa/simd.h"

namespace dynnet::cpu::DYNNET_ISA {

DYNNET_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
DYNNET_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/// Row i. (What Rows::at does, but in this namespace.)
DYNNET_INLINE float* row(const Rows& r, int64_t i) { return r.list != nullptr ? r.list[i] : r.base + i * r.stride; }

/// Whether an operand that may be left out is there.
DYNNET_INLINE bool given(const Rows& r) { return r.list != nullptr || r.base != nullptr; }

DYNNET_INLINE bool dense(const Rows& r, int64_t rows, int64_t n) {
  return r.list == nullptr && (r.stride == n || rows == 1);
}

/// Makes one long row of rows that lie one after the other in all operands.
template <class... Operands>
DYNNET_INLINE void flatten(int64_t& rows, int64_t& n, const Operands&... operands) {
  if ((dense(operands, rows, n) && ...)) {
    n *= rows;
    rows = rows > 0 ? 1 : 0;
  }
}

/// Stores a, or adds it to what is there.
template <bool kAccumulate, class Lanes>
DYNNET_INLINE void put(const Lanes& lanes, float* p, Vec a) {
  if constexpr (kAccumulate) {
    lanes.store(p, lanes.load(p) + a);
  } else {
    lanes.store(p, a);
  }
}

template <bool kAccumulate>
DYNNET_INLINE void put(float* p, float a) {
  *p = kAccumulate ? *p + a : a;
}

/// The constants true and false as types, so that a generic lambda can be instantiated for both.
template <bool kValue>
struct Constant {
  static constexpr bool value = kValue;
};

/// Calls body with a Constant of the flag's value: one loop for each, without the question inside.
template <class Body>
DYNNET_INLINE void with_flag(bool flag, Body body) {
  if (flag) {
    body(Constant<true>());
  } else {
    body(Constant<false>());
  }
}

/// A number of elements that the compiler knows: few whole vectors.
template <int64_t kSize>
struct Size {
  DYNNET_INLINE constexpr operator int64_t() const { return kSize; }
};

/// Calls body with the number of elements of a row, as a Size where it is one: in short rows a loop costs as much as
/// its body.
template <class Body>
DYNNET_INLINE void with_size(int64_t n, Body body) {
  switch (n) {
    case kWidth:
      return body(Size<kWidth>());
    case 2 * kWidth:
      return body(Size<2 * kWidth>());
    case 4 * kWidth:
      return body(Size<4 * kWidth>());
    default:
      return body(n);
  }
}

/// The same without a loop.
template <int64_t kSize, class Body>
DYNNET_INLINE void for_vectors(Size<kSize>, Body body) {
#pragma GCC unroll 4
  for (int64_t i = 0; i < kSize; i += kWidth) body(i, Whole());
}

// Each family fills in its part of the table.
void fill_elementwise(Kernels* table);
void fill_binary(Kernels* table);
void fill_many(Kernels* table);
void fill_move(Kernels* table);
void fill_product(Kernels* table);
void fill_product_transposed(Kernels* table);
void fill_outer(Kernels* table);
void fill_pack(Kernels* table);
void fill_reduce(Kernels* table);
void fill_moment(Kernels* table);
void fill_extreme(Kernels* table);
void fill_cumulative(Kernels* table);
void fill_norm(Kernels* table);
void fill_distance(Kernels* table);
void fill_softmax(Kernels* table);
void fill_loss(Kernels* table);
void fill_sparsemax(Kernels* table);
void fill_lu(Kernels* table);
void fill_circular(Kernels* table);
void fill_lstm(Kernels* table);
void fill_tree_lstm(Kernels* table);
void fill_convolution(Kernels* table);
void fill_pooling(Kernels* table);
void fill_attention(Kernels* table);
void fill_random(Kernels* table);
void fill_train(Kernels* table);

/// The whole table of this instruction set.
void fill(Kernels* table);

}  // namespace dynnet::cpu::DYNNET_ISA

#endif  // DYNNET_CPU_ISA_ROWS_H_

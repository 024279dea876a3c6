// The elementwise operations. Each is one small struct, with its forward and its backward, written once for all vector
// types: those of the CPU's instruction sets and, wrapped alike, CUDA's float. To add one: write its struct, and add
// its name to the list. Kernel tables are instantiated from the lists.
//
// V is a vector type (or a wrapped float) with the usual operators, < giving a mask, a constructor that repeats one
// float, and, found by its namespace: fma(a, b, c) = a b + c, fnma(a, b, c) = c - a b, max (the second operand where
// one is NaN), select(mask, yes, no), exp, log, tanh, logistic, sqrt.
//
// C++17, nothing of the standard library: kernel and CUDA files include it.
#ifndef DYNNET_OPS_ELEMENTWISE_H_
#define DYNNET_OPS_ELEMENTWISE_H_

#ifdef __CUDACC__
#define DYNNET_ELEMENTWISE __host__ __device__ __forceinline__ static
#else
#define DYNNET_ELEMENTWISE __attribute__((always_inline)) static inline
#endif

namespace dynnet {
namespace elementwise {

// ---- of one operand: y = f(x) ----
//
// forward(x, s) is y, s the scalar attribute where kScalar; backward(x, y, dy, s) is the gradient of x. Of x and y it
// reads those that kUsesX and kUsesY name; the other need not be kept.

struct Tanh {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return tanh(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    return dy * fnma(y, y, V(1.0f));
  }
};

struct Logistic {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return logistic(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    return dy * (y * (V(1.0f) - y));
  }
};

struct Rectify {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return max(V(0.0f), x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    return select(V(0.0f) < y, dy, V(0.0f));
  }
};

struct Exp {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return exp(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    return dy * y;
  }
};

struct Log {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return log(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy / x;
  }
};

struct Square {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return x * x;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * (x + x);
  }
};

struct Sqrt {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return sqrt(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    return dy / (y + y);
  }
};

struct Negate {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return -x;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V) {
    return -dy;
  }
};

struct AddScalar {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    return x + s;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V) {
    return dy;
  }
};

struct MultiplyScalar {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    return x * s;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V s) {
    return dy * s;
  }
};

// ---- of two operands: y = f(a, b) ----
//
// forward(a, b) is y; backward_a(a, b, y, dy) and backward_b(a, b, y, dy) are the gradients of a and b, before they are
// summed where the operand is broadcast. kForA and kForB name what each of them reads.

/// What a backward of two operands reads, as bits.
enum Reads { kReadsNone = 0, kReadsA = 1, kReadsB = 2, kReadsY = 4 };

struct Add {
  static constexpr int kForA = kReadsNone, kForB = kReadsNone;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V a, V b) {
    return a + b;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_a(V, V, V, V dy) {
    return dy;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_b(V, V, V, V dy) {
    return dy;
  }
};

struct Subtract {
  static constexpr int kForA = kReadsNone, kForB = kReadsNone;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V a, V b) {
    return a - b;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_a(V, V, V, V dy) {
    return dy;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_b(V, V, V, V dy) {
    return -dy;
  }
};

struct Cmult {
  static constexpr int kForA = kReadsB, kForB = kReadsA;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V a, V b) {
    return a * b;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_a(V, V b, V, V dy) {
    return dy * b;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_b(V a, V, V, V dy) {
    return dy * a;
  }
};

struct Cdiv {
  static constexpr int kForA = kReadsB, kForB = kReadsB | kReadsY;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V a, V b) {
    return a / b;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_a(V, V b, V, V dy) {
    return dy / b;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_b(V, V b, V y, V dy) {
    return -(dy * y / b);
  }
};

}  // namespace elementwise

// clang-format off
// X(struct, name): the struct above, and the operation dn_op_<name>.
#define DYNNET_UNARY_OPS(X) \
  X(Tanh, tanh) X(Logistic, logistic) X(Rectify, rectify) X(Exp, exp) X(Log, log) X(Square, square) X(Sqrt, sqrt) \
  X(Negate, negate) X(AddScalar, add_scalar) X(MultiplyScalar, multiply_scalar)
#define DYNNET_BINARY_OPS(X) \
  X(Add, add) X(Subtract, subtract) X(Cmult, cmult) X(Cdiv, cdiv)

#define DYNNET_ENUMERATOR(type, name) k##type,
/// The numbers of the operations of one operand, as kernels take them.
enum class UnaryOp : int { DYNNET_UNARY_OPS(DYNNET_ENUMERATOR) kCount };
/// The numbers of the operations of two operands.
enum class BinaryOp : int { DYNNET_BINARY_OPS(DYNNET_ENUMERATOR) kCount };
#undef DYNNET_ENUMERATOR
// clang-format on

}  // namespace dynnet

#endif  // DYNNET_OPS_ELEMENTWISE_H_

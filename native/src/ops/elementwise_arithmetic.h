// Elementwise arithmetic, with numbers and between two operands. Included by ops/elementwise.h only.
#ifndef DYNNET_OPS_ELEMENTWISE_ARITHMETIC_H_
#define DYNNET_OPS_ELEMENTWISE_ARITHMETIC_H_

namespace dynnet {
namespace elementwise {

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

struct SubtractFromScalar {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    return s - x;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V) {
    return -dy;
  }
};

struct DivideScalar {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    return x / s;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V s) {
    return dy / s;
  }
};

struct DivideIntoScalar {
  static constexpr bool kUsesX = true, kUsesY = true, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    return s / x;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V y, V dy, V) {
    return -(dy * y / x);
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

struct Pow {
  static constexpr int kForA = kReadsA | kReadsB, kForB = kReadsA | kReadsY;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V a, V b) {
    return pow(a, b);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_a(V a, V b, V, V dy) {
    // Of a^0 it is 0, for an a of 0, too. The bound is the smallest number that is no denormal.
    return select(abs(b) < V(1.17549435e-38f), V(0.0f), dy * (b * pow(a, b - V(1.0f))));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_b(V a, V, V y, V dy) {
    // There is no derivative where a is negative, and where it is 0, that of 0 to a positive power is 0.
    return select(V(0.0f) < a, dy * (y * log(a)), V(0.0f));
  }
};

struct Min {
  static constexpr int kForA = kReadsA | kReadsB, kForB = kReadsA | kReadsB;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V a, V b) {
    return min(a, b);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_a(V a, V b, V, V dy) {
    return select(a < b, dy, V(0.0f));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_b(V a, V b, V, V dy) {
    return select(a < b, V(0.0f), dy);
  }
};

struct Max {
  static constexpr int kForA = kReadsA | kReadsB, kForB = kReadsA | kReadsB;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V a, V b) {
    return max(a, b);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_a(V a, V b, V, V dy) {
    return select(b < a, dy, V(0.0f));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward_b(V a, V b, V, V dy) {
    return select(b < a, V(0.0f), dy);
  }
};

}  // namespace elementwise
}  // namespace dynnet

#endif  // DYNNET_OPS_ELEMENTWISE_ARITHMETIC_H_

// Mathematical functions. Included by ops/elementwise.h only.
#ifndef DYNNET_OPS_ELEMENTWISE_FUNCTIONS_H_
#define DYNNET_OPS_ELEMENTWISE_FUNCTIONS_H_

namespace dynnet {
namespace elementwise {

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

struct Cube {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return x * x * x;
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * (V(3.0f) * x * x);
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

struct Abs {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return abs(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return select(V(0.0f) < abs(x), copysign(V(1.0f), x) * dy, V(0.0f));
  }
};

struct Erf {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return erf(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * (V(1.12837917f) * gauss<1>(x));
  }
};

struct Lgamma {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return lgamma(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * digamma(x);
  }
};

struct Sin {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return sin(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * cos(x);
  }
};

struct Cos {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return cos(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return -(dy * sin(x));
  }
};

struct Tan {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return tan(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    return dy * fma(y, y, V(1.0f));
  }
};

struct Asin {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return asin(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    const V one(1.0f);
    return dy * rsqrt((one - x) * (one + x));
  }
};

struct Acos {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return acos(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return -Asin::backward(x, x, dy, x);
  }
};

struct Atan {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return atan(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy / fma(x, x, V(1.0f));
  }
};

struct Sinh {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return sinh(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * cosh(x);
  }
};

struct Cosh {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return cosh(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * sinh(x);
  }
};

/// 1 / sqrt(square), square being x^2 + 1 or x^2 - 1, or too large: from an x of 1e4 on, 1 / x, since the 1 does not
/// count.
template <class V>
DYNNET_ELEMENTWISE V rsqrt_with_square(V x, V square) {
  const V root = rsqrt(select(V(1e4f) < x, x, square));
  return select(V(1e4f) < x, root * root, root);
}

struct Asinh {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return asinh(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * rsqrt_with_square(abs(x), fma(x, x, V(1.0f)));
  }
};

struct Acosh {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return acosh(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    const V one(1.0f);
    return dy * rsqrt_with_square(x, (x - one) * (x + one));
  }
};

struct Atanh {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return atanh(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    const V one(1.0f);
    return dy / ((one - x) * (one + x));
  }
};

// ---- to whole numbers; the gradient is passed on as it is, which not all callers want ----

struct Floor {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return floor(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V) {
    return dy;
  }
};

struct Ceil {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return ceil(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V) {
    return dy;
  }
};

struct Round {
  static constexpr bool kUsesX = false, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return round_half_away(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V, V dy, V) {
    return dy;
  }
};

}  // namespace elementwise
}  // namespace dynnet

#endif  // DYNNET_OPS_ELEMENTWISE_FUNCTIONS_H_

// Activations. Included by ops/elementwise.h only.
#ifndef DYNNET_OPS_ELEMENTWISE_ACTIVATIONS_H_
#define DYNNET_OPS_ELEMENTWISE_ACTIVATIONS_H_

namespace dynnet {
namespace elementwise {

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

struct LogSigmoid {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return -softplus(-x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    // 1 - e^y
    return -(dy * expm1(max(V(-87.0f), y)));
  }
};

struct Softplus {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return softplus(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    // logistic(x) = 1 - e^-y
    return -(dy * expm1(max(V(-87.0f), -y)));
  }
};

struct Elu {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    const V zero(0.0f);
    return select(zero < x, x, s * expm1(max(V(-87.0f), min(zero, x))));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V s) {
    const V zero(0.0f);
    return select(zero < x, dy, dy * (s * exp(min(zero, x))));
  }
};

struct Selu {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  static constexpr float kScale = 1.05070099f, kAlpha = 1.67326324f;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return V(kScale) * Elu::forward(x, V(kAlpha));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V y, V dy, V) {
    return Elu::backward(x, y, V(kScale) * dy, V(kAlpha));
  }
};

struct Silu {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    return x / (V(1.0f) + exp(-s * x));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V s) {
    // The logistic function p of z, and 1 - p by e^-z p, which keeps its digits. Below -88 the result is as good as 0,
    // above 88 as good as 1.
    const V one(1.0f), z = min(V(88.0f), max(V(-88.0f), s * x)), e = exp(-z), p = one / (one + e);
    return dy * (p * fma(z, e * p, one));
  }
};

struct Gelu {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return gelu(x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    return dy * gelu_slope(x);
  }
};

struct Softsign {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return x / (V(1.0f) + abs(x));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V) {
    // In this order, since the square may be too small.
    const V one(1.0f), factor = one / (one + abs(x));
    return dy * factor * factor;
  }
};

struct LeakyRectify {
  static constexpr bool kUsesX = true, kUsesY = false, kScalar = true;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V s) {
    return select(V(0.0f) < x, x, s * x);
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V x, V, V dy, V s) {
    return select(V(0.0f) < x, dy, s * dy);
  }
};

struct HardTanh {
  static constexpr bool kUsesX = false, kUsesY = true, kScalar = false;
  template <class V>
  DYNNET_ELEMENTWISE V forward(V x, V) {
    return max(V(-1.0f), min(V(1.0f), x));
  }
  template <class V>
  DYNNET_ELEMENTWISE V backward(V, V y, V dy, V) {
    return select(abs(y) < V(1.0f), dy, V(0.0f));
  }
};

}  // namespace elementwise
}  // namespace dynnet

#endif  // DYNNET_OPS_ELEMENTWISE_ACTIVATIONS_H_

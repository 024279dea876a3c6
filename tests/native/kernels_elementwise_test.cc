// Elementwise operations: every one of the lists against double, in all layouts and broadcasts; accuracy and special
// values of the functions.

#include <limits>

#include "kernels_testing.h"
#include "ops/elementwise.h"

namespace dynnet::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Unary {
  double (*forward)(double x, double s);
  double (*backward)(double x, double y, double s);
  double low = -3, high = 3;
};

/// What is right, by operation. A new operation needs its case here.
Unary ReferenceOf(UnaryOp op) {
  switch (op) {
    case UnaryOp::kTanh:
      return {[](double x, double) { return std::tanh(x); }, [](double, double y, double) { return 1 - y * y; }};
    case UnaryOp::kLogistic:
      return {[](double x, double) { return Logistic(x); }, [](double, double y, double) { return y * (1 - y); }};
    case UnaryOp::kRectify:
      return {[](double x, double) { return x > 0 ? x : 0; },
              [](double, double y, double) { return y > 0 ? 1.0 : 0.0; }};
    case UnaryOp::kExp:
      return {[](double x, double) { return std::exp(x); }, [](double, double y, double) { return y; }};
    case UnaryOp::kLog:
      return {[](double x, double) { return std::log(x); }, [](double x, double, double) { return 1 / x; }, 0.1, 5};
    case UnaryOp::kSquare:
      return {[](double x, double) { return x * x; }, [](double x, double, double) { return 2 * x; }};
    case UnaryOp::kSqrt:
      return {[](double x, double) { return std::sqrt(x); }, [](double, double y, double) { return 0.5 / y; }, 0.1, 5};
    case UnaryOp::kNegate:
      return {[](double x, double) { return -x; }, [](double, double, double) { return -1.0; }};
    case UnaryOp::kAddScalar:
      return {[](double x, double s) { return x + s; }, [](double, double, double) { return 1.0; }};
    case UnaryOp::kMultiplyScalar:
      return {[](double x, double s) { return x * s; }, [](double, double, double s) { return s; }};
    case UnaryOp::kCount:
      break;
  }
  ADD_FAILURE() << "no reference for operation " << static_cast<int>(op);
  return {};
}

using ElementwiseKernels = KernelsTest;

TEST_P(ElementwiseKernels, Unary) {
  for (int op = 0; op < static_cast<int>(UnaryOp::kCount); ++op) {
    const Unary right = ReferenceOf(static_cast<UnaryOp>(op));
    for (int trial = 0; trial < 12; ++trial) {
      const int64_t rows = Size(9), n = Size(200);
      std::vector<float> scalars;
      for (int64_t i = 0; i < rows; ++i) scalars.push_back(static_cast<float>(i) - 1.5f);
      const std::string name = "unary operation " + std::to_string(op);
      CheckRowKernel(name,
                     {.inputs = {{n, right.low, right.high}},
                      .outputs = {{n}},
                      .run = [&](const Rows* in, const Rows* out, int64_t first,
                                 int64_t r) { k().unary_forward(op, out[0], in[0], scalars.data() + first, r, n); },
                      .reference =
                          [&](int64_t i, const auto& in, auto& out) {
                            for (size_t j = 0; j < in[0].size(); ++j) out[0][j] = right.forward(in[0][j], scalars[i]);
                          },
                      .tolerance = 3e-7},
                     rows, random_);
      const bool accumulate = trial % 2 == 1;
      CheckRowKernel(name + ", backward",
                     {.inputs = {{n, right.low, right.high}, {n, right.low, right.high}, {n}},
                      .outputs = {{n}},
                      .run =
                          [&](const Rows* in, const Rows* out, int64_t first, int64_t r) {
                            k().unary_backward(op, out[0], in[0], in[1], in[2], scalars.data() + first, r, n,
                                               accumulate);
                          },
                      .reference =
                          [&](int64_t i, const auto& in, auto& out) {
                            for (size_t j = 0; j < in[0].size(); ++j) {
                              Put(accumulate, out[0][j], in[2][j] * right.backward(in[0][j], in[1][j], scalars[i]));
                            }
                          },
                      .tolerance = 2e-6},
                     rows, random_);
    }
  }
}

TEST_P(ElementwiseKernels, UnaryBackwardReadsOnlyWhatItUses) {
#define DYNNET_CASE(type, name) {elementwise::type::kUsesX, elementwise::type::kUsesY},
  static constexpr bool kUses[][2] = {DYNNET_UNARY_OPS(DYNNET_CASE)};
#undef DYNNET_CASE
  Operand x(Layout::kDense, 3, 21), dx(Layout::kDense, 3, 21);
  const std::vector<float> scalars(3, 1.0f);
  x.Fill(random_, 1, 2);
  for (int op = 0; op < static_cast<int>(UnaryOp::kCount); ++op) {
    k().unary_backward(op, dx.view(), kUses[op][0] ? x.view() : Rows{}, kUses[op][1] ? x.view() : Rows{}, x.view(),
                       scalars.data(), 3, 21, false);
    EXPECT_TRUE(std::isfinite(dx.At(2, 20)));
  }
}

struct Binary {
  double (*forward)(double a, double b);
  double (*backward[2])(double a, double b);
};

Binary ReferenceOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return {[](double a, double b) { return a + b; },
              {[](double, double) { return 1.0; }, [](double, double) { return 1.0; }}};
    case BinaryOp::kSubtract:
      return {[](double a, double b) { return a - b; },
              {[](double, double) { return 1.0; }, [](double, double) { return -1.0; }}};
    case BinaryOp::kCmult:
      return {[](double a, double b) { return a * b; },
              {[](double, double b) { return b; }, [](double a, double) { return a; }}};
    case BinaryOp::kCdiv:
      return {[](double a, double b) { return a / b; },
              {[](double, double b) { return 1 / b; }, [](double a, double b) { return -a / (b * b); }}};
    case BinaryOp::kCount:
      break;
  }
  ADD_FAILURE() << "no reference for operation " << static_cast<int>(op);
  return {};
}

/// Loops with random sizes; in each, an operand may be broadcast.
struct Shape {
  Broadcast loops;
  int64_t a_size = 1, b_size = 1, size = 1;
};

Shape RandomShape(std::mt19937& random, bool one_loop) {
  Shape shape;
  shape.loops.loops = one_loop ? 1 : 1 + static_cast<int32_t>(random() % 4);
  for (int32_t l = 0; l < shape.loops.loops; ++l) {
    const int64_t n = 1 + static_cast<int64_t>(random() % (l == 0 ? 70 : 4));
    const int kind = l == 0 && one_loop && random() % 2 == 0 ? 0 : static_cast<int>(random() % 3);
    shape.loops.size[l] = n;
    shape.loops.a_stride[l] = kind == 1 ? 0 : shape.a_size;
    shape.loops.b_stride[l] = kind == 2 ? 0 : shape.b_size;
    if (kind != 1) shape.a_size *= n;
    if (kind != 2) shape.b_size *= n;
    shape.size *= n;
  }
  return shape;
}

/// Calls body(index in a, in b, in y) for all elements.
template <class Body>
void ForElements(const Shape& shape, Body body) {
  for (int64_t y = 0; y < shape.size; ++y) {
    int64_t rest = y, a = 0, b = 0;
    for (int32_t l = 0; l < shape.loops.loops; ++l) {
      a += rest % shape.loops.size[l] * shape.loops.a_stride[l];
      b += rest % shape.loops.size[l] * shape.loops.b_stride[l];
      rest /= shape.loops.size[l];
    }
    body(static_cast<size_t>(a), static_cast<size_t>(b), static_cast<size_t>(y));
  }
}

TEST_P(ElementwiseKernels, Binary) {
  for (int op = 0; op < static_cast<int>(BinaryOp::kCount); ++op) {
    const Binary right = ReferenceOf(static_cast<BinaryOp>(op));
    const std::string name = "binary operation " + std::to_string(op);
    for (int trial = 0; trial < 40; ++trial) {
      const Shape shape = RandomShape(random_, trial % 2 == 0);
      const int64_t rows = Size(5);
      const double a_low = 0.5, b_low = 0.5;
      CheckRowKernel(name,
                     {.inputs = {{shape.a_size, a_low, 2}, {shape.b_size, b_low, 2}},
                      .outputs = {{shape.size}},
                      .run = [&](const Rows* in, const Rows* out, int64_t,
                                 int64_t r) { k().binary_forward(op, out[0], in[0], in[1], r, shape.loops); },
                      .reference =
                          [&](int64_t, const auto& in, auto& out) {
                            ForElements(shape, [&](size_t a, size_t b, size_t y) {
                              out[0][y] = right.forward(in[0][a], in[1][b]);
                            });
                          },
                      .tolerance = 3e-7},
                     rows, random_);
      for (int side : {0, 1}) {
        for (bool accumulate : {false, true}) {
          const int64_t d_size = side == 0 ? shape.a_size : shape.b_size;
          CheckRowKernel(name + ", backward",
                         {.inputs = {{shape.a_size, a_low, 2}, {shape.b_size, b_low, 2}, {shape.size, -1, 1}},
                          .outputs = {{d_size}},
                          .run =
                              [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                                Operand y(Layout::kStrided, r, shape.size);
                                k().binary_forward(op, y.view(), in[0], in[1], r, shape.loops);
                                k().binary_backward(op, side, out[0], in[0], in[1], y.view(), in[2], r, shape.loops,
                                                    d_size, accumulate);
                              },
                          .reference =
                              [&](int64_t, const auto& in, auto& out) {
                                if (!accumulate) out[0].assign(out[0].size(), 0.0);
                                ForElements(shape, [&](size_t a, size_t b, size_t y) {
                                  out[0][side == 0 ? a : b] += in[2][y] * right.backward[side](in[0][a], in[1][b]);
                                });
                              },
                          .tolerance = 1e-4},
                         rows, random_);
        }
      }
    }
  }
}

TEST_P(ElementwiseKernels, BinaryOfAnyStride) {
  // Nothing makes such strides yet; the interface allows them.
  Broadcast loops;
  loops.loops = 2;
  loops.size[0] = 21;
  loops.size[1] = 3;
  loops.a_stride[0] = 2;
  loops.a_stride[1] = 50;
  loops.b_stride[0] = 3;
  loops.b_stride[1] = 0;
  Operand a(Layout::kDense, 1, 150), b(Layout::kDense, 1, 63), y(Layout::kDense, 1, 63), d(Layout::kDense, 1, 63);
  a.Fill(random_, -1, 1);
  b.Fill(random_, -1, 1);
  k().binary_forward(static_cast<int>(BinaryOp::kCmult), y.view(), a.view(), b.view(), 1, loops);
  k().fill(d.view(), 0.0f, 1, 63);
  k().binary_backward(static_cast<int>(BinaryOp::kCmult), 1, d.view(), a.view(), b.view(), y.view(), y.view(), 1, loops,
                      63, false);
  for (int64_t i = 0; i < 21; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < 3; ++j) {
      EXPECT_EQ(y.At(0, i + 21 * j), a.At(0, 2 * i + 50 * j) * b.At(0, 3 * i));
      sum += static_cast<double>(y.At(0, i + 21 * j)) * a.At(0, 2 * i + 50 * j);
    }
    EXPECT_NEAR(d.At(0, 3 * i), sum, 1e-6);
  }
}

float Apply(const Kernels& kernels, UnaryOp op, float x) {
  // Twenty of them, so that whole vectors and parts both have their say.
  std::vector<float> xs(21, x), ys(21);
  kernels.unary_forward(static_cast<int>(op), {ys.data(), nullptr, 0}, {xs.data(), nullptr, 0}, nullptr, 1, 21);
  for (float y : ys) EXPECT_TRUE(SameBits(y, ys[0]) || (std::isnan(y) && std::isnan(ys[0]))) << x;
  return ys[0];
}

TEST_P(ElementwiseKernels, SpecialValues) {
  const auto apply = [&](UnaryOp op, float x) { return Apply(k(), op, x); };
  EXPECT_EQ(apply(UnaryOp::kExp, 0.0f), 1.0f);
  EXPECT_EQ(apply(UnaryOp::kExp, 88.8f), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kExp, 1e30f), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kExp, kInfinity), kInfinity);
  EXPECT_LT(apply(UnaryOp::kExp, 88.72f), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kExp, -104.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kExp, -kInfinity), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kLog, 1.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kLog, 0.0f), -kInfinity);
  EXPECT_EQ(apply(UnaryOp::kLog, -0.0f), -kInfinity);
  EXPECT_EQ(apply(UnaryOp::kLog, kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(apply(UnaryOp::kLog, -1.0f)));
  EXPECT_TRUE(std::isnan(apply(UnaryOp::kLog, -kInfinity)));
  EXPECT_NEAR(apply(UnaryOp::kLog, 1e-40f), std::log(1e-40f), 1e-5);
  EXPECT_EQ(apply(UnaryOp::kTanh, kInfinity), 1.0f);
  EXPECT_EQ(apply(UnaryOp::kTanh, -kInfinity), -1.0f);
  EXPECT_EQ(apply(UnaryOp::kTanh, 0.0f), 0.0f);
  EXPECT_TRUE(std::signbit(apply(UnaryOp::kTanh, -0.0f)));
  EXPECT_EQ(apply(UnaryOp::kTanh, 1e-20f), 1e-20f);
  EXPECT_EQ(apply(UnaryOp::kTanh, 50.0f), 1.0f);
  EXPECT_EQ(apply(UnaryOp::kLogistic, 0.0f), 0.5f);
  EXPECT_EQ(apply(UnaryOp::kLogistic, kInfinity), 1.0f);
  EXPECT_EQ(apply(UnaryOp::kLogistic, -kInfinity), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kLogistic, 200.0f), 1.0f);
  EXPECT_EQ(apply(UnaryOp::kLogistic, -200.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kRectify, -1.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kSqrt, 0.0f), 0.0f);
  for (UnaryOp op : {UnaryOp::kExp, UnaryOp::kLog, UnaryOp::kTanh, UnaryOp::kLogistic, UnaryOp::kRectify,
                     UnaryOp::kSquare, UnaryOp::kSqrt, UnaryOp::kNegate}) {
    EXPECT_TRUE(std::isnan(apply(op, std::nanf("")))) << static_cast<int>(op);
  }
}

/// The largest relative error over floats between two, in steps through their bit patterns.
double LargestError(const Kernels& kernels, UnaryOp op, double (*right)(double), float low, float high) {
  std::vector<float> xs;
  const auto add = [&](float from, float to) {
    uint32_t a, b;
    memcpy(&a, &from, 4);
    memcpy(&b, &to, 4);
    for (uint32_t bits = a; bits <= b; bits += 3001) {
      float x;
      memcpy(&x, &bits, 4);
      xs.push_back(x);
    }
  };
  if (low < 0) add(-0.0f, low);
  add(low < 0 ? 0.0f : low, high);
  std::vector<float> ys(xs.size());
  kernels.unary_forward(static_cast<int>(op), {ys.data(), nullptr, 0}, {xs.data(), nullptr, 0}, nullptr, 1,
                        static_cast<int64_t>(xs.size()));
  double largest = 0;
  for (size_t i = 0; i < xs.size(); ++i) {
    const double want = right(xs[i]);
    // Where results are not normal floats, they have fewer digits.
    if (std::abs(want) < std::numeric_limits<float>::min()) continue;
    largest = std::max(largest, std::abs(ys[i] - want) / std::abs(want));
  }
  return largest;
}

TEST_P(ElementwiseKernels, Accuracy) {
  // About two units of the last digit.
  constexpr double kAllowed = 2.4e-7;
  EXPECT_LT(LargestError(
                k(), UnaryOp::kExp, [](double x) { return std::exp(x); }, -87.3f, 88.7f),
            kAllowed);
  EXPECT_LT(LargestError(
                k(), UnaryOp::kLog, [](double x) { return std::log(x); }, 1.2e-38f, 3e38f),
            kAllowed);
  EXPECT_LT(LargestError(
                k(), UnaryOp::kTanh, [](double x) { return std::tanh(x); }, -30.0f, 30.0f),
            kAllowed);
  EXPECT_LT(LargestError(
                k(), UnaryOp::kLogistic, [](double x) { return Logistic(x); }, -87.0f, 30.0f),
            kAllowed);
}

DYNNET_TEST_ALL_KERNELS(ElementwiseKernels);

}  // namespace
}  // namespace dynnet::testing

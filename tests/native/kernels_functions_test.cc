// Accuracy of the elementwise functions over all floats, and their special values.

#include <limits>

#include "kernels_elementwise_reference.h"
#include "kernels_testing.h"
#include "ops/elementwise.h"
#include "reference/digamma.h"
#include "special.h"

namespace dynnet::test {
namespace {

using FunctionKernels = KernelsTest;

std::vector<float> Forward(const Kernels& kernels, UnaryOp op, const std::vector<float>& xs) {
  const float scalar = 1;
  std::vector<float> ys(xs.size());
  // The kernel only reads x.
  kernels.unary_forward(static_cast<int>(op), {ys.data(), nullptr, 0}, {const_cast<float*>(xs.data()), nullptr, 0},
                        &scalar, 1, static_cast<int64_t>(xs.size()));
  return ys;
}

/// The derivative, of an operation that reads x.
std::vector<float> Slope(const Kernels& kernels, UnaryOp op, const std::vector<float>& xs) {
  const float scalar = 1;
  std::vector<float> ys = Forward(kernels, op, xs), ones(xs.size(), 1.0f), slopes(xs.size());
  kernels.unary_backward(static_cast<int>(op), {slopes.data(), nullptr, 0}, {const_cast<float*>(xs.data()), nullptr, 0},
                         {ys.data(), nullptr, 0}, {ones.data(), nullptr, 0}, &scalar, 1,
                         static_cast<int64_t>(xs.size()), false);
  return slopes;
}

float Apply(const Kernels& kernels, UnaryOp op, float x) {
  // Twenty of them, so that whole vectors and parts both have their say.
  const std::vector<float> ys = Forward(kernels, op, std::vector<float>(21, x));
  for (float y : ys) EXPECT_TRUE(SameBits(y, ys[0]) || (std::isnan(y) && std::isnan(ys[0]))) << x;
  return ys[0];
}

float SlopeAt(const Kernels& kernels, UnaryOp op, float x) { return Slope(kernels, op, std::vector<float>(21, x))[20]; }

TEST_P(FunctionKernels, SpecialValues) {
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
  for (int op = 0; op < static_cast<int>(UnaryOp::kCount); ++op) {
    EXPECT_TRUE(std::isnan(apply(static_cast<UnaryOp>(op), std::nanf("")))) << op;
  }
}

TEST_P(FunctionKernels, SpecialValuesOfFurtherFunctions) {
  const auto apply = [&](UnaryOp op, float x) { return Apply(k(), op, x); };
  EXPECT_EQ(apply(UnaryOp::kSin, 0.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kCos, 0.0f), 1.0f);
  for (UnaryOp op : {UnaryOp::kSin, UnaryOp::kCos, UnaryOp::kTan}) {
    EXPECT_TRUE(std::isnan(apply(op, kInfinity)));
    EXPECT_TRUE(std::isnan(apply(op, -kInfinity)));
  }
  EXPECT_EQ(apply(UnaryOp::kAsin, 1.0f), 1.57079633f);
  EXPECT_EQ(apply(UnaryOp::kAcos, 1.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kAcos, -1.0f), 3.14159265f);
  EXPECT_EQ(apply(UnaryOp::kAtan, kInfinity), 1.57079633f);
  EXPECT_EQ(apply(UnaryOp::kAtan, -kInfinity), -1.57079633f);
  EXPECT_TRUE(std::isnan(apply(UnaryOp::kAsin, 1.01f)));
  EXPECT_TRUE(std::isnan(apply(UnaryOp::kAcos, -1.01f)));
  EXPECT_TRUE(std::isnan(apply(UnaryOp::kAcosh, 0.99f)));
  EXPECT_EQ(apply(UnaryOp::kAcosh, 1.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kAcosh, kInfinity), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kAsinh, -kInfinity), -kInfinity);
  EXPECT_EQ(apply(UnaryOp::kAtanh, 1.0f), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kAtanh, -1.0f), -kInfinity);
  EXPECT_TRUE(std::isnan(apply(UnaryOp::kAtanh, 1.01f)));
  EXPECT_EQ(apply(UnaryOp::kSinh, 90.0f), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kSinh, -kInfinity), -kInfinity);
  EXPECT_EQ(apply(UnaryOp::kCosh, -kInfinity), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kErf, kInfinity), 1.0f);
  EXPECT_EQ(apply(UnaryOp::kErf, -kInfinity), -1.0f);
  EXPECT_EQ(apply(UnaryOp::kLgamma, 0.0f), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kLgamma, 1.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kLgamma, 2.0f), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kLgamma, -3.0f), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kLgamma, kInfinity), kInfinity);
  EXPECT_TRUE(std::isinf(SlopeAt(k(), UnaryOp::kLgamma, -3.0f)));
  EXPECT_TRUE(std::isinf(SlopeAt(k(), UnaryOp::kLgamma, 0.0f)));
  EXPECT_EQ(apply(UnaryOp::kSoftplus, -kInfinity), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kSoftplus, kInfinity), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kLogSigmoid, kInfinity), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kLogSigmoid, -kInfinity), -kInfinity);
  EXPECT_EQ(apply(UnaryOp::kElu, -kInfinity), -1.0f);
  EXPECT_EQ(apply(UnaryOp::kGelu, -kInfinity), 0.0f);
  EXPECT_EQ(apply(UnaryOp::kGelu, kInfinity), kInfinity);
  EXPECT_EQ(apply(UnaryOp::kHardTanh, 7.0f), 1.0f);
  EXPECT_EQ(SlopeAt(k(), UnaryOp::kAbs, 0.0f), 0.0f);
  EXPECT_EQ(SlopeAt(k(), UnaryOp::kElu, 0.0f), 1.0f);
  EXPECT_EQ(SlopeAt(k(), UnaryOp::kHardTanh, 1.0f), 0.0f);
}

TEST_P(FunctionKernels, RoundHalvesAwayFromZero) {
  const auto apply = [&](UnaryOp op, float x) { return Apply(k(), op, x); };
  for (float x : {0.5f, 1.5f, 2.5f, 1234.5f, 4194303.5f, 4194304.5f, 8388607.5f, 0.49999997f, 0.50000006f, 8388609.0f,
                  16777217.0f, 1e20f, kLargest, kInfinity}) {
    for (float signed_x : {x, -x}) {
      EXPECT_EQ(apply(UnaryOp::kRound, signed_x), std::round(signed_x));
      EXPECT_EQ(apply(UnaryOp::kFloor, signed_x), std::floor(signed_x));
      EXPECT_EQ(apply(UnaryOp::kCeil, signed_x), std::ceil(signed_x));
    }
  }
}

float Power(const Kernels& kernels, float a, float b) {
  std::vector<float> as(21, a), bs(21, b), ys(21);
  Broadcast loops;
  loops.size[0] = 21;
  kernels.binary_forward(static_cast<int>(BinaryOp::kPow), {ys.data(), nullptr, 0}, {as.data(), nullptr, 0},
                         {bs.data(), nullptr, 0}, 1, loops);
  return ys[20];
}

float PowerSlope(const Kernels& kernels, int side, float a, float b) {
  float y = Power(kernels, a, b), dy = 1, d = 0;
  kernels.binary_backward(static_cast<int>(BinaryOp::kPow), side, {&d, nullptr, 0}, {&a, nullptr, 0}, {&b, nullptr, 0},
                          {&y, nullptr, 0}, {&dy, nullptr, 0}, 1, Broadcast(), 1, false);
  return d;
}

TEST_P(FunctionKernels, SpecialPowers) {
  const auto power = [&](float a, float b) { return Power(k(), a, b); };
  EXPECT_EQ(power(0.0f, 0.0f), 1.0f);
  EXPECT_EQ(power(0.0f, 2.0f), 0.0f);
  EXPECT_EQ(power(0.0f, -1.0f), kInfinity);
  EXPECT_EQ(power(3.0f, 0.0f), 1.0f);
  EXPECT_EQ(power(1.0f, 1e38f), 1.0f);
  EXPECT_EQ(power(1.0f, kInfinity), 1.0f);
  EXPECT_EQ(power(2.0f, 1e38f), kInfinity);
  EXPECT_EQ(power(2.0f, -1e38f), 0.0f);
  EXPECT_EQ(power(kInfinity, 0.5f), kInfinity);
  EXPECT_EQ(power(kInfinity, -2.0f), 0.0f);
  EXPECT_EQ(power(-2.0f, 2.0f), 4.0f);
  EXPECT_EQ(power(-2.0f, 3.0f), -8.0f);
  EXPECT_EQ(power(-2.0f, -1.0f), -0.5f);
  EXPECT_TRUE(std::isnan(power(-2.0f, 0.5f)));
  EXPECT_TRUE(std::isnan(power(std::nanf(""), 2.0f)));
  EXPECT_TRUE(std::isnan(power(2.0f, std::nanf(""))));
  EXPECT_EQ(PowerSlope(k(), 0, 0.0f, 0.0f), 0.0f);
  EXPECT_EQ(PowerSlope(k(), 0, 0.0f, 1.0f), 1.0f);
  EXPECT_EQ(PowerSlope(k(), 0, 0.0f, 2.0f), 0.0f);
  EXPECT_EQ(PowerSlope(k(), 0, -3.0f, 2.0f), -6.0f);
  EXPECT_EQ(PowerSlope(k(), 1, -3.0f, 2.0f), 0.0f);
  EXPECT_EQ(PowerSlope(k(), 1, 0.0f, 2.0f), 0.0f);
}

TEST_P(FunctionKernels, EqualOperandsGiveTheGradientToTheSecond) {
  for (BinaryOp op : {BinaryOp::kMin, BinaryOp::kMax}) {
    for (int side : {0, 1}) {
      float a = 2, y = 2, dy = 5, d = -1;
      k().binary_backward(static_cast<int>(op), side, {&d, nullptr, 0}, {&a, nullptr, 0}, {&a, nullptr, 0},
                          {&y, nullptr, 0}, {&dy, nullptr, 0}, 1, Broadcast(), 1, false);
      EXPECT_EQ(d, side == 0 ? 0.0f : 5.0f);
    }
  }
}

/// Floats between two, in steps through their bit patterns.
std::vector<float> Between(float low, float high) {
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
  if (low < 0) add(high < 0 ? high : -0.0f, low);
  if (high > 0) add(low < 0 ? 0.0f : low, high);
  return xs;
}

/// The largest error, relative to what is right or, where larger, to `scale`.
template <class Right, class Scale>
double LargestError(const std::vector<float>& xs, const std::vector<float>& ys, Right right, Scale scale) {
  double largest = 0;
  for (size_t i = 0; i < xs.size(); ++i) {
    const double want = right(xs[i]), size = std::max(std::abs(want), scale(xs[i]));
    // Where results are not normal floats, they have fewer digits.
    if (size < std::numeric_limits<float>::min()) continue;
    const double error = std::abs(ys[i] - want) / size;
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

double NoScale(double) { return 0; }

struct Range {
  UnaryOp op;
  float low, high;
};

TEST_P(FunctionKernels, Accuracy) {
  // About two units of the last digit.
  constexpr double kAllowed = 2.4e-7;
  for (const Range& range : {
           Range{UnaryOp::kExp, -87.3f, 88.7f},
           {UnaryOp::kLog, 1.2e-38f, 3e38f},
           {UnaryOp::kTanh, -30, 30},
           {UnaryOp::kLogistic, -87, 30},
           {UnaryOp::kErf, -20, 20},
           {UnaryOp::kSin, -kLargest, kLargest},
           {UnaryOp::kCos, -kLargest, kLargest},
           {UnaryOp::kAsin, -1, 1},
           {UnaryOp::kAcos, -1, 0.999999f},
           {UnaryOp::kAtan, -kLargest, kLargest},
           {UnaryOp::kSinh, -89.4f, 89.4f},
           {UnaryOp::kCosh, -89.4f, 89.4f},
           {UnaryOp::kAsinh, -kLargest, kLargest},
           {UnaryOp::kAcosh, 1.000001f, kLargest},
           {UnaryOp::kAtanh, -0.9999999f, 0.9999999f},
           {UnaryOp::kLogSigmoid, -kLargest, 87},
           {UnaryOp::kSoftplus, -87, kLargest},
           {UnaryOp::kElu, -kLargest, kLargest},
           {UnaryOp::kSelu, -1e38f, 1e38f},
           {UnaryOp::kSilu, -87, kLargest},
           {UnaryOp::kSoftsign, -1e38f, 1e38f},
           {UnaryOp::kCube, -1e12f, 1e12f},
       }) {
    const std::vector<float> xs = Between(range.low, range.high);
    const Unary rule = ReferenceOf(range.op);
    const auto right = [&](double x) { return rule.forward(x, 1); };
    EXPECT_LT(LargestError(xs, Forward(k(), range.op, xs), right, NoScale), kAllowed) << static_cast<int>(range.op);
  }
}

TEST_P(FunctionKernels, AccuracyOfTheLessExact) {
  // Three or four units of the last digit.
  constexpr double kAllowed = 4.8e-7;
  for (const Range& range : {
           Range{UnaryOp::kTan, -kLargest, kLargest},
           {UnaryOp::kGelu, -12.5f, kLargest},
           {UnaryOp::kLgamma, 1e-38f, 4e36f},
       }) {
    const std::vector<float> xs = Between(range.low, range.high);
    const Unary rule = ReferenceOf(range.op);
    const auto right = [&](double x) { return rule.forward(x, 1); };
    EXPECT_LT(LargestError(xs, Forward(k(), range.op, xs), right, NoScale), kAllowed) << static_cast<int>(range.op);
  }
}

// Below 0 ln gamma is a difference of two logarithms.
TEST_P(FunctionKernels, AccuracyOfTheGammaFunctionBelowZero) {
  const std::vector<float> xs = Between(-3000, -1e-38f);
  const auto right = [](double x) { return std::lgamma(x); };
  const auto scale = [](double x) {
    return std::max(std::abs(std::lgamma(-x)), std::abs(std::lgamma(x) + std::lgamma(-x)));
  };
  EXPECT_LT(LargestError(xs, Forward(k(), UnaryOp::kLgamma, xs), right, scale), 4.8e-7);
}

// The derivatives that are functions of their own; near their zeros the error is relative to 1.
TEST_P(FunctionKernels, AccuracyOfDerivatives) {
  constexpr double kAllowed = 4.8e-7;
  const auto one = [](double) { return 1.0; };
  for (const Range& range : {
           Range{UnaryOp::kGelu, -kLargest, kLargest},
           {UnaryOp::kSilu, -87, kLargest},
           {UnaryOp::kErf, -kLargest, kLargest},
           {UnaryOp::kAsinh, -kLargest, kLargest},
           {UnaryOp::kAcosh, 1.000001f, kLargest},
           {UnaryOp::kAtanh, -0.999999f, 0.999999f},
           {UnaryOp::kAsin, -0.999999f, 0.999999f},
           {UnaryOp::kSoftsign, -kLargest, kLargest},
       }) {
    const std::vector<float> xs = Between(range.low, range.high);
    const Unary rule = ReferenceOf(range.op);
    const auto right = [&](double x) { return rule.backward(x, rule.forward(x, 1), 1); };
    EXPECT_LT(LargestError(xs, Slope(k(), range.op, xs), right, one), kAllowed) << static_cast<int>(range.op);
  }
}

// The digamma function is a sum of up to four terms.
TEST_P(FunctionKernels, AccuracyOfTheDigammaFunction) {
  for (const Range& range : {Range{UnaryOp::kLgamma, 1e-37f, kLargest}, {UnaryOp::kLgamma, -20, -1e-37f}}) {
    const std::vector<float> xs = Between(range.low, range.high);
    const auto one = [](double) { return 1.0; };
    EXPECT_LT(LargestError(xs, Slope(k(), range.op, xs), reference::digamma, one), 8e-7) << range.low;
  }
}

// Those that stay exact where they are small.
TEST_P(FunctionKernels, AccuracyOfSmallDerivatives) {
  constexpr double kAllowed = 1e-6;
  for (const Range& range : {
           Range{UnaryOp::kGelu, -12.5f, -2},
           {UnaryOp::kSilu, -80, -2},
           {UnaryOp::kErf, -9, 9},
           {UnaryOp::kAsinh, -kLargest, kLargest},
           {UnaryOp::kElu, -87, 0},
           {UnaryOp::kSoftsign, -1e18f, 1e18f},
       }) {
    const std::vector<float> xs = Between(range.low, range.high);
    const Unary rule = ReferenceOf(range.op);
    const auto right = [&](double x) { return rule.backward(x, rule.forward(x, 1), 1); };
    EXPECT_LT(LargestError(xs, Slope(k(), range.op, xs), right, NoScale), kAllowed) << static_cast<int>(range.op);
  }
  const std::vector<float> xs = Between(-80, 80);
  EXPECT_LT(LargestError(
                xs, Slope(k(), UnaryOp::kSoftplus, xs), [](double x) { return Logistic(x); }, NoScale),
            kAllowed);
  EXPECT_LT(LargestError(
                xs, Slope(k(), UnaryOp::kLogSigmoid, xs), [](double x) { return Logistic(-x); }, NoScale),
            kAllowed);
}

TEST_P(FunctionKernels, AccuracyOfPowers) {
  // The larger the exponent, the more the logarithm's last digit counts.
  for (const auto& [least, most, exponent, allowed] : {std::tuple{0.1, 10.0, 3.0, 2.4e-7},
                                                       {1e-30, 1e30, 1.2, 2.4e-7},
                                                       {1e-37, 1e37, 1.0, 2.4e-7},
                                                       {0.5, 2.0, 120.0, 8e-7}}) {
    std::uniform_real_distribution<double> draw_log(std::log(least), std::log(most)), draw(-exponent, exponent);
    std::vector<float> as(100000), bs(as.size()), ys(as.size());
    for (float& a : as) a = static_cast<float>(std::exp(draw_log(random_)));
    for (float& b : bs) b = static_cast<float>(draw(random_));
    Broadcast loops;
    loops.size[0] = static_cast<int64_t>(as.size());
    k().binary_forward(static_cast<int>(BinaryOp::kPow), {ys.data(), nullptr, 0}, {as.data(), nullptr, 0},
                       {bs.data(), nullptr, 0}, 1, loops);
    for (size_t i = 0; i < as.size(); ++i) {
      const double want = std::pow(static_cast<double>(as[i]), static_cast<double>(bs[i]));
      ASSERT_NEAR(ys[i], want, allowed * want) << as[i] << " to the power of " << bs[i];
    }
  }
}

DYNNET_TEST_ALL_KERNELS(FunctionKernels);

}  // namespace
}  // namespace dynnet::test

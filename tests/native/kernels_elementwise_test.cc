// Elementwise operations: every one of the lists against double, in all layouts and broadcasts.

#include "kernels_elementwise_reference.h"
#include "kernels_testing.h"
#include "ops/elementwise.h"

namespace dynnet::test {
namespace {

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
                     {.inputs = {{n, right.low, right.high}, {n}, {n}},
                      .outputs = {{n}},
                      .run =
                          [&](const Rows* in, const Rows* out, int64_t first, int64_t r) {
                            k().unary_forward(op, in[1], in[0], scalars.data() + first, r, n);
                            k().unary_backward(op, out[0], in[0], in[1], in[2], scalars.data() + first, r, n,
                                               accumulate);
                          },
                      .reference =
                          [&](int64_t i, const auto& in, auto& out) {
                            for (size_t j = 0; j < in[0].size(); ++j) {
                              const double x = in[0][j], s = scalars[i];
                              Put(accumulate, out[0][j], in[2][j] * right.backward(x, right.forward(x, s), s));
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
  for (int op = 0; op < static_cast<int>(UnaryOp::kCount); ++op) {
    // As large as they may be for the operation.
    const Unary right = ReferenceOf(static_cast<UnaryOp>(op));
    x.Fill(random_, right.high / 2, right.high);
    k().unary_backward(op, dx.view(), kUses[op][0] ? x.view() : Rows{}, kUses[op][1] ? x.view() : Rows{}, x.view(),
                       scalars.data(), 3, 21, false);
    EXPECT_TRUE(std::isfinite(dx.At(2, 20)));
  }
}

/// Loops with random sizes; in each, an operand may be broadcast.
struct Sizes {
  Broadcast loops;
  int64_t a_size = 1, b_size = 1, size = 1;
};

Sizes RandomSizes(std::mt19937& random, bool one_loop) {
  Sizes shape;
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
void ForElements(const Sizes& shape, Body body) {
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
      const Sizes shape = RandomSizes(random_, trial % 2 == 0);
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
                                  out[0][side == 0 ? a : b] += in[2][y] * right.backward(side, in[0][a], in[1][b]);
                                });
                              },
                          .tolerance = 1e-4},
                         rows, random_);
        }
      }
    }
  }
}

DYNNET_TEST_ALL_KERNELS(ElementwiseKernels);

}  // namespace
}  // namespace dynnet::test

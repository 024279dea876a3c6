// The elementwise operations. Each is one small struct, with its forward and its backward, written once for all vector
// types: those of the CPU's instruction sets and, wrapped alike, CUDA's float. To add one: write its struct, and add
// its name to the list. Kernel tables are instantiated from the lists.
//
// V is a vector type (or a wrapped float) with the usual operators, < giving a mask, a constructor that repeats one
// float, and, found by its namespace: fma(a, b, c) = a b + c, fnma(a, b, c) = c - a b, min and max (the second operand
// where one is NaN), select(mask, yes, no), abs, copysign, floor, ceil, sqrt, rsqrt, exp, expm1 (of -87 to 88), log,
// tanh, logistic, and the functions of cpu/isa/functions.h and trigonometry.h.
//
// C++17, nothing of the standard library: kernel and CUDA files include it.
#ifndef DYNNET_OPS_ELEMENTWISE_H_
#define DYNNET_OPS_ELEMENTWISE_H_

#ifdef __CUDACC__
#define DYNNET_ELEMENTWISE __host__ __device__ __forceinline__ static
#else
#define DYNNET_ELEMENTWISE __attribute__((always_inline)) static inline
#endif

// Of one operand, y = f(x): forward(x, s) is y, s the scalar attribute where kScalar; backward(x, y, dy, s) is the
// gradient of x. Of x and y it reads those that kUsesX and kUsesY name; the other need not be kept.
#include "ops/elementwise_activations.h"
#include "ops/elementwise_arithmetic.h"
#include "ops/elementwise_functions.h"

namespace dynnet {

// clang-format off
// X(struct, name): the struct, and the operation dn_op_<name>.
#define DYNNET_ROUNDING_OPS(X) \
  X(Floor, floor) X(Ceil, ceil) X(Round, round)
// Those whose gradient is always their derivative.
#define DYNNET_FUNCTION_OPS(X) \
  X(Tanh, tanh) X(Logistic, logistic) X(Rectify, rectify) X(Exp, exp) X(Log, log) X(Square, square) X(Sqrt, sqrt) \
  X(Negate, negate) X(AddScalar, add_scalar) X(MultiplyScalar, multiply_scalar) \
  X(SubtractFromScalar, subtract_from_scalar) X(DivideScalar, divide_scalar) \
  X(DivideIntoScalar, divide_into_scalar) \
  X(Abs, abs) X(Cube, cube) X(Erf, erf) X(Lgamma, lgamma) \
  X(Sin, sin) X(Cos, cos) X(Tan, tan) X(Asin, asin) X(Acos, acos) X(Atan, atan) \
  X(Sinh, sinh) X(Cosh, cosh) X(Asinh, asinh) X(Acosh, acosh) X(Atanh, atanh) \
  X(LogSigmoid, log_sigmoid) X(Softplus, softplus) X(Elu, elu) X(Selu, selu) X(Silu, silu) X(Gelu, gelu) \
  X(Softsign, softsign) X(LeakyRectify, leaky_rectify) X(HardTanh, hard_tanh)
#define DYNNET_UNARY_OPS(X) DYNNET_FUNCTION_OPS(X) DYNNET_ROUNDING_OPS(X)
#define DYNNET_BINARY_OPS(X) \
  X(Add, add) X(Subtract, subtract) X(Cmult, cmult) X(Cdiv, cdiv) X(Pow, pow) X(Min, min) X(Max, max)

#define DYNNET_ENUMERATOR(type, name) k##type,
/// The numbers of the operations of one operand, as kernels take them.
enum class UnaryOp : int { DYNNET_UNARY_OPS(DYNNET_ENUMERATOR) kCount };
/// The numbers of the operations of two operands.
enum class BinaryOp : int { DYNNET_BINARY_OPS(DYNNET_ENUMERATOR) kCount };
#undef DYNNET_ENUMERATOR
// clang-format on

}  // namespace dynnet

#endif  // DYNNET_OPS_ELEMENTWISE_H_

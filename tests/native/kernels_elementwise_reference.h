// What is right of each elementwise operation, in double.
#ifndef DYNNET_TESTS_KERNELS_ELEMENTWISE_REFERENCE_H_
#define DYNNET_TESTS_KERNELS_ELEMENTWISE_REFERENCE_H_

#include "ops/elementwise.h"

namespace dynnet::testing {

struct Unary {
  double (*forward)(double x, double s);
  /// Of x or y, whichever the operation reads.
  double (*backward)(double x, double y, double s);
  /// Between which numbers it is tried in all layouts.
  double low = -3, high = 3;
};

struct Binary {
  double (*forward)(double a, double b);
  double (*backward[2])(double a, double b);
};

/// A new operation needs its case.
Unary ReferenceOf(UnaryOp op);
Binary ReferenceOf(BinaryOp op);

}  // namespace dynnet::testing

#endif  // DYNNET_TESTS_KERNELS_ELEMENTWISE_REFERENCE_H_

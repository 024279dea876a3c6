// What operations are compared with in speed: for each a plain loop that the compiler vectorises and an expression of
// Eigen's, forward and backward, on operands of the sizes that the benchmark of operations has (OpsBenchmarkCases.cs).
// They do the work that the operation does, no less: results are compared before anything is timed.
#ifndef DYNNET_TESTS_BENCHMARKS_NATIVE_REFERENCES_H_
#define DYNNET_TESTS_BENCHMARKS_NATIVE_REFERENCES_H_

#include <Eigen/Dense>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace references {

constexpr int kMostOperands = 6;
/// Elements of a tensor {64,256} or {16384}, of a matrix {64,64}, and the sides of these.
constexpr int64_t kElements = 16384, kSquare = 4096, kSide = 64, kColumns = 256;
/// The same as numbers that the compiler of a loop does not know, as that of a library does not.
extern const int64_t elements, square, side, columns;

/// What one node is computed from and what it gives. All memory is apart, but that a view's result is its operand.
struct Node {
  const float* x[kMostOperands];
  /// Gradients are added to what is there, as those of parameters are; only those of operands with a batch, which are
  /// no parameters, are overwritten.
  float* dx[kMostOperands];
  float* y;
  const float* dy;
  /// What forward keeps for backward.
  float* aux;
};

using Pass = void (*)(const Node&);

/// One side: forward and backward, or null where there is none.
struct Side {
  Pass forward = nullptr, backward = nullptr;
};

struct Reference {
  const char* op;
  /// Elements of the operands and of the result.
  std::vector<int64_t> operands;
  int64_t result;
  Side loop, eigen = {};
  int64_t aux = 0;
};

/// The parts of the table, by families.
std::span<const Reference> elementwise_references();
std::span<const Reference> arithmetic_references();
std::span<const Reference> noise_references();
std::span<const Reference> reduction_references();
std::span<const Reference> normalisation_references();
std::span<const Reference> shape_references();
std::span<const Reference> loss_references();
std::span<const Reference> matrix_references();
std::span<const Reference> cell_references();
std::span<const Reference> convolution_references();
std::span<const Reference> attention_references();

using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;
using Table = Eigen::Map<Eigen::ArrayXXf>;
using ConstTable = Eigen::Map<const Eigen::ArrayXXf>;
using Matrix = Eigen::Map<Eigen::MatrixXf>;
using ConstMatrix = Eigen::Map<const Eigen::MatrixXf>;
using Vector = Eigen::Map<Eigen::VectorXf>;
using ConstVector = Eigen::Map<const Eigen::VectorXf>;

/// A loop whose turns do not depend on one another.
#define EACH(i, n) _Pragma("GCC ivdep") for (int64_t i = 0, end_##i = (n); i < end_##i; ++i)

}  // namespace references

#endif  // DYNNET_TESTS_BENCHMARKS_NATIVE_REFERENCES_H_

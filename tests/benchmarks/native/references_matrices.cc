// Products and linear algebra, of matrices {64,64}; contractions of {16,16,64}; circular convolutions of {256}.
#include <algorithm>

#include "references.h"

namespace references {
namespace {

// ---- products ----

/// y (+)= a b, all {64,64}: for a column of y, columns of a one after the other.
void product(const float* a, const float* b, float* y) {
  for (int64_t j = 0; j < side; ++j) {
    float* __restrict to = y + j * side;
    for (int64_t k = 0; k < side; ++k) {
      const float* __restrict from = a + k * side;
      const float factor = b[k + j * side];
      EACH(i, side) to[i] += factor * from[i];
    }
  }
}
/// y += a b^T
void product_by_transpose(const float* a, const float* b, float* y) {
  for (int64_t j = 0; j < side; ++j) {
    float* __restrict to = y + j * side;
    for (int64_t k = 0; k < side; ++k) {
      const float* __restrict from = a + k * side;
      const float factor = b[j + k * side];
      EACH(i, side) to[i] += factor * from[i];
    }
  }
}
/// y += a^T b
void product_of_transpose(const float* a, const float* b, float* y) {
  for (int64_t j = 0; j < side; ++j)
    for (int64_t i = 0; i < side; ++i) {
      const float* __restrict u = a + i * side;
      const float* __restrict v = b + j * side;
      float sum = 0;
      EACH(k, side) sum += u[k] * v[k];
      y[i + j * side] += sum;
    }
}

void multiply_loop(const Node& n) {
  std::fill_n(n.y, square, 0.0f);
  product(n.x[0], n.x[1], n.y);
}
void multiply_loop_backward(const Node& n) {
  product_by_transpose(n.dy, n.x[1], n.dx[0]);
  product_of_transpose(n.x[0], n.dy, n.dx[1]);
}
void multiply_eigen(const Node& n) {
  Matrix(n.y, side, side).noalias() = ConstMatrix(n.x[0], side, side) * ConstMatrix(n.x[1], side, side);
}
void multiply_eigen_backward(const Node& n) {
  const ConstMatrix dy(n.dy, side, side);
  Matrix(n.dx[0], side, side).noalias() += dy * ConstMatrix(n.x[1], side, side).transpose();
  Matrix(n.dx[1], side, side).noalias() += ConstMatrix(n.x[0], side, side).transpose() * dy;
}

/// y = b + W x
void affine_loop(const Node& n) {
  for (int64_t j = 0; j < side; ++j) std::copy_n(n.x[0], side, n.y + j * side);
  product(n.x[1], n.x[2], n.y);
}
void affine_loop_backward(const Node& n) {
  float* __restrict db = n.dx[0];
  for (int64_t j = 0; j < side; ++j) {
    const float* __restrict dy = n.dy + j * side;
    EACH(i, side) db[i] += dy[i];
  }
  product_by_transpose(n.dy, n.x[2], n.dx[1]);
  product_of_transpose(n.x[1], n.dy, n.dx[2]);
}
void affine_eigen(const Node& n) {
  Matrix y(n.y, side, side);
  y.colwise() = ConstVector(n.x[0], side);
  y.noalias() += ConstMatrix(n.x[1], side, side) * ConstMatrix(n.x[2], side, side);
}
void affine_eigen_backward(const Node& n) {
  const ConstMatrix dy(n.dy, side, side);
  Vector(n.dx[0], side) += dy.rowwise().sum();
  Matrix(n.dx[1], side, side).noalias() += dy * ConstMatrix(n.x[2], side, side).transpose();
  Matrix(n.dx[2], side, side).noalias() += ConstMatrix(n.x[1], side, side).transpose() * dy;
}

// ---- by LU decomposition, in double as the operations are ----

void inverse_eigen(const Node& n) {
  Matrix(n.y, side, side) = ConstMatrix(n.x[0], side, side).cast<double>().inverse().cast<float>();
}
void inverse_eigen_backward(const Node& n) {
  const ConstMatrix y(n.y, side, side);
  const Eigen::MatrixXf left = y.transpose() * ConstMatrix(n.dy, side, side);
  Matrix(n.dx[0], side, side).noalias() -= left * y.transpose();
}

void logdet_eigen(const Node& n) {
  const Eigen::MatrixXd x = ConstMatrix(n.x[0], side, side).cast<double>();
  n.y[0] = static_cast<float>(x.partialPivLu().matrixLU().diagonal().array().abs().log().sum());
}
void logdet_eigen_backward(const Node& n) {
  const Eigen::MatrixXd x = ConstMatrix(n.x[0], side, side).cast<double>();
  Matrix(n.dx[0], side, side) += n.dy[0] * x.inverse().cast<float>().transpose();
}

// ---- contractions: x as a matrix {256,64} times a vector {64}, and that as {16,16} times one of {16} ----

enum { kX, kY, kZ };
constexpr int64_t kSmall = 16;

void contract_loop(const float* x, const float* y, float* z) {
  for (int64_t k = 0; k < side; ++k) {
    const float* __restrict from = x + k * columns;
    float* __restrict to = z;
    const float factor = y[k];
    EACH(i, columns) to[i] += factor * from[i];
  }
}
void contract_loop_backward(const Node& n, const float* dz) {
  for (int64_t k = 0; k < side; ++k) {
    const float* __restrict x = n.x[kX] + k * columns;
    const float* __restrict from = dz;
    float* __restrict d = n.dx[kX] + k * columns;
    const float factor = n.x[kY][k];
    float sum = 0;
    EACH(i, columns) {
      d[i] += factor * from[i];
      sum += x[i] * from[i];
    }
    n.dx[kY][k] += sum;
  }
}
void contract_eigen_backward(const Node& n, const ConstVector& dz) {
  Matrix(n.dx[kX], columns, side).noalias() += dz * ConstVector(n.x[kY], side).transpose();
  Vector(n.dx[kY], side).noalias() += ConstMatrix(n.x[kX], columns, side).transpose() * dz;
}

void contract3d_1d_loop(const Node& n) {
  std::fill_n(n.y, columns, 0.0f);
  contract_loop(n.x[kX], n.x[kY], n.y);
}
void contract3d_1d_loop_backward(const Node& n) { contract_loop_backward(n, n.dy); }
void contract3d_1d_eigen(const Node& n) {
  Vector(n.y, columns).noalias() = ConstMatrix(n.x[kX], columns, side) * ConstVector(n.x[kY], side);
}
void contract3d_1d_eigen_backward(const Node& n) { contract_eigen_backward(n, ConstVector(n.dy, columns)); }

void contract3d_1d_bias_loop(const Node& n) {
  std::copy_n(n.x[2], columns, n.y);
  contract_loop(n.x[kX], n.x[kY], n.y);
}
void contract3d_1d_bias_loop_backward(const Node& n) {
  contract_loop_backward(n, n.dy);
  EACH(i, columns) n.dx[2][i] += n.dy[i];
}
void contract3d_1d_bias_eigen(const Node& n) {
  Vector y(n.y, columns);
  y = ConstVector(n.x[2], columns);
  y.noalias() += ConstMatrix(n.x[kX], columns, side) * ConstVector(n.x[kY], side);
}
void contract3d_1d_bias_eigen_backward(const Node& n) {
  const ConstVector dy(n.dy, columns);
  contract_eigen_backward(n, dy);
  Vector(n.dx[2], columns) += dy;
}

void contract3d_1d_1d_eigen(const Node& n) {
  Vector(n.aux, columns).noalias() = ConstMatrix(n.x[kX], columns, side) * ConstVector(n.x[kY], side);
  Vector(n.y, kSmall).noalias() = ConstMatrix(n.aux, kSmall, kSmall) * ConstVector(n.x[kZ], kSmall);
}
void contract3d_1d_1d_eigen_backward(const Node& n) {
  const ConstVector dt(n.dy, kSmall);
  const Eigen::Matrix<float, kSmall, kSmall> dz = dt * ConstVector(n.x[kZ], kSmall).transpose();
  Vector(n.dx[kZ], kSmall).noalias() += ConstMatrix(n.aux, kSmall, kSmall).transpose() * dt;
  contract_eigen_backward(n, ConstVector(dz.data(), columns));
}
void contract3d_1d_1d_bias_eigen(const Node& n) {
  contract3d_1d_1d_eigen(n);
  Vector(n.y, kSmall) += ConstVector(n.x[3], kSmall);
}
void contract3d_1d_1d_bias_eigen_backward(const Node& n) {
  contract3d_1d_1d_eigen_backward(n);
  Vector(n.dx[3], kSmall) += ConstVector(n.dy, kSmall);
}

void contract3d_1d_1d_loop(const Node& n) {
  std::fill_n(n.aux, columns, 0.0f);
  contract_loop(n.x[kX], n.x[kY], n.aux);
  std::fill_n(n.y, kSmall, 0.0f);
  for (int64_t j = 0; j < kSmall; ++j) EACH(i, kSmall) n.y[i] += n.aux[i + j * kSmall] * n.x[kZ][j];
}
void contract3d_1d_1d_loop_backward(const Node& n) {
  float dz[kColumns];
  for (int64_t j = 0; j < kSmall; ++j) {
    float sum = 0;
    EACH(i, kSmall) {
      dz[i + j * kSmall] = n.dy[i] * n.x[kZ][j];
      sum += n.aux[i + j * kSmall] * n.dy[i];
    }
    n.dx[kZ][j] += sum;
  }
  contract_loop_backward(n, dz);
}
void contract3d_1d_1d_bias_loop(const Node& n) {
  contract3d_1d_1d_loop(n);
  EACH(i, kSmall) n.y[i] += n.x[3][i];
}
void contract3d_1d_1d_bias_loop_backward(const Node& n) {
  contract3d_1d_1d_loop_backward(n);
  EACH(i, kSmall) n.dx[3][i] += n.dy[i];
}

// ---- circular convolutions: a vector twice, one after the other, of which each step reads a part ----

struct Twice {
  float w[2 * kColumns];
  explicit Twice(const float* v) {
    std::copy_n(v, columns, w);
    std::copy_n(v, columns, w + columns);
  }
};

/// y_k += sum over i of u_i v_(k + i), or v_(k - i): 64 numbers of y at a time, in registers.
template <bool kBackwards>
void circular(const float* __restrict u, const float* v, float* y) {
  const Twice twice(v);
  for (int64_t begin = 0; begin < columns; begin += kSide) {
    float sum[kSide] = {};
    for (int64_t i = 0; i < columns; ++i) {
      const float* __restrict from = twice.w + begin + (kBackwards ? columns - i : i);
      for (int64_t k = 0; k < kSide; ++k) sum[k] += u[i] * from[k];
    }
    EACH(k, kSide) y[begin + k] += sum[k];
  }
}

/// The matrix whose element (k, i) is v_(k + i), without memory of its own.
template <bool kBackwards>
void circular_eigen(const float* u, const float* v, float* y) {
  const Twice twice(v);
  using Steps = Eigen::OuterStride<>;
  const Eigen::Map<const Eigen::MatrixXf, 0, Steps> all(twice.w, columns, columns, Steps(1));
  Eigen::VectorXf order(columns);
  if constexpr (kBackwards) {
    order[0] = u[0];
    order.tail(columns - 1) = ConstVector(u + 1, columns - 1).reverse();
  } else {
    order = ConstVector(u, columns);
  }
  Vector(y, columns).noalias() += all * order;
}

#define CIRCULAR(name, how)                         \
  void circ_conv_##name(const Node& n) {            \
    std::fill_n(n.y, columns, 0.0f);                \
    how<true>(n.x[0], n.x[1], n.y);                 \
  }                                                 \
  void circ_conv_##name##_backward(const Node& n) { \
    how<false>(n.x[1], n.dy, n.dx[0]);              \
    how<false>(n.x[0], n.dy, n.dx[1]);              \
  }                                                 \
  void circ_corr_##name(const Node& n) {            \
    std::fill_n(n.y, columns, 0.0f);                \
    how<false>(n.x[0], n.x[1], n.y);                \
  }                                                 \
  void circ_corr_##name##_backward(const Node& n) { \
    how<false>(n.dy, n.x[1], n.dx[0]);              \
    how<true>(n.dy, n.x[0], n.dx[1]);               \
  }

CIRCULAR(loop, circular)
CIRCULAR(eigen, circular_eigen)

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }
#define EIGEN(name) \
  {}, { name##_eigen, name##_eigen_backward }

}  // namespace

std::span<const Reference> matrix_references() {
  constexpr int64_t k = kElements, c = kColumns, s = kSquare;
  static const Reference table[] = {
      {"multiply", {s, s}, s, SIDES(multiply)},
      {"affine_transform", {kSide, s, s}, s, SIDES(affine)},
      {"inverse", {s}, s, EIGEN(inverse)},
      {"logdet", {s}, 1, EIGEN(logdet)},
      {"contract3d_1d", {k, kSide}, c, SIDES(contract3d_1d)},
      {"contract3d_1d_bias", {k, kSide, c}, c, SIDES(contract3d_1d_bias)},
      {"contract3d_1d_1d", {k, kSide, kSmall}, kSmall, SIDES(contract3d_1d_1d), c},
      {"contract3d_1d_1d_bias", {k, kSide, kSmall, kSmall}, kSmall, SIDES(contract3d_1d_1d_bias), c},
      {"circ_conv", {c, c}, c, SIDES(circ_conv)},
      {"circ_corr", {c, c}, c, SIDES(circ_corr)}};
  return table;
}

}  // namespace references

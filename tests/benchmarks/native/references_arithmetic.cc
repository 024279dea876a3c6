// Arithmetic of several operands.
#include <algorithm>

#include "references.h"

namespace references {
namespace {

/// y = F of a and b; da += dy DA, db += dy DB.
#define BINARY(name, F, DA, DB, EF, EDA, EDB)                                   \
  void name##_loop(const Node& n) {                                             \
    const float* __restrict as = n.x[0];                                        \
    const float* __restrict bs = n.x[1];                                        \
    float* __restrict ys = n.y;                                                 \
    EACH(i, elements) {                                                         \
      const float a = as[i], b = bs[i];                                         \
      ys[i] = (F);                                                              \
    }                                                                           \
  }                                                                             \
  void name##_loop_backward(const Node& n) {                                    \
    const float* __restrict as = n.x[0];                                        \
    const float* __restrict bs = n.x[1];                                        \
    const float* __restrict dys = n.dy;                                         \
    float* __restrict da = n.dx[0];                                             \
    float* __restrict db = n.dx[1];                                             \
    EACH(i, elements) {                                                         \
      [[maybe_unused]] const float a = as[i], b = bs[i];                        \
      da[i] += dys[i] * (DA);                                                   \
      db[i] += dys[i] * (DB);                                                   \
    }                                                                           \
  }                                                                             \
  void name##_eigen(const Node& n) {                                            \
    const ConstArray a(n.x[0], elements), b(n.x[1], elements);                  \
    Array(n.y, elements) = (EF);                                                \
  }                                                                             \
  void name##_eigen_backward(const Node& n) {                                   \
    [[maybe_unused]] const ConstArray a(n.x[0], elements), b(n.x[1], elements); \
    const ConstArray dy(n.dy, elements);                                        \
    Array(n.dx[0], elements) += dy * (EDA);                                     \
    Array(n.dx[1], elements) += dy * (EDB);                                     \
  }

BINARY(add, a + b, 1.0f, 1.0f, a + b, 1.0f, 1.0f)
BINARY(subtract, a - b, 1.0f, -1.0f, a - b, 1.0f, -1.0f)
BINARY(cmult, a* b, b, a, a* b, b, a)
BINARY(cdiv, a / b, 1 / b, -a / (b * b), a / b, b.inverse(), -a / b.square())
BINARY(min, std::min(a, b), a < b ? 1 : 0, a < b ? 0 : 1, a.min(b), (a < b).cast<float>(), (b <= a).cast<float>())
BINARY(max, std::max(a, b), a > b ? 1 : 0, a > b ? 0 : 1, a.max(b), (a > b).cast<float>(), (b >= a).cast<float>())
BINARY(pairwise_rank_loss, std::max(0.0f, 1 - a + b), 1 - a + b > 0 ? -1 : 0, 1 - a + b > 0 ? 1 : 0,
       (1 - a + b).max(0.0f), -(1 - a + b > 0).cast<float>(), (1 - a + b > 0).cast<float>())

// ---- pow with one exponent ----

void pow_loop(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  const float p = n.x[1][0];
  EACH(i, elements) y[i] = std::pow(x[i], p);
}

void pow_loop_backward(const Node& n) {
  const float* __restrict x = n.x[0];
  const float* __restrict y = n.y;
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  const float p = n.x[1][0];
  float sum = 0;
  EACH(i, elements) {
    d[i] += dy[i] * p * std::pow(x[i], p - 1);
    sum += dy[i] * y[i] * std::log(x[i]);
  }
  n.dx[1][0] += sum;
}

void pow_eigen(const Node& n) { Array(n.y, elements) = ConstArray(n.x[0], elements).pow(n.x[1][0]); }

void pow_eigen_backward(const Node& n) {
  const ConstArray x(n.x[0], elements), y(n.y, elements), dy(n.dy, elements);
  const float p = n.x[1][0];
  Array(n.dx[0], elements) += dy * (p * x.pow(p - 1));
  n.dx[1][0] += (dy * y * x.log()).sum();
}

// ---- three operands ----

/// y = F of a, b and c; each gradient += dy D, x being the operand.
#define TERNARY(name, F, D, EF, ED)                                                 \
  void name##_loop(const Node& n) {                                                 \
    const float* __restrict as = n.x[0];                                            \
    const float* __restrict bs = n.x[1];                                            \
    const float* __restrict cs = n.x[2];                                            \
    float* __restrict ys = n.y;                                                     \
    EACH(i, elements) {                                                             \
      const float a = as[i], b = bs[i], c = cs[i];                                  \
      ys[i] = (F);                                                                  \
    }                                                                               \
  }                                                                                 \
  void name##_loop_backward(const Node& n) {                                        \
    const float* __restrict ys = n.y;                                               \
    const float* __restrict dys = n.dy;                                             \
    for (int k = 0; k < 3; ++k) {                                                   \
      const float* __restrict xs = n.x[k];                                          \
      float* __restrict d = n.dx[k];                                                \
      EACH(i, elements) {                                                           \
        [[maybe_unused]] const float x = xs[i], y = ys[i];                          \
        d[i] += dys[i] * (D);                                                       \
      }                                                                             \
    }                                                                               \
  }                                                                                 \
  void name##_eigen(const Node& n) {                                                \
    const ConstArray a(n.x[0], elements), b(n.x[1], elements), c(n.x[2], elements); \
    Array(n.y, elements) = (EF);                                                    \
  }                                                                                 \
  void name##_eigen_backward(const Node& n) {                                       \
    [[maybe_unused]] const ConstArray y(n.y, elements);                             \
    const ConstArray dy(n.dy, elements);                                            \
    for (int k = 0; k < 3; ++k) {                                                   \
      [[maybe_unused]] const ConstArray x(n.x[k], elements);                        \
      Array(n.dx[k], elements) += dy * (ED);                                        \
    }                                                                               \
  }

float log_sum_exp(float a, float b, float c) {
  const float m = std::max(std::max(a, b), c);
  return m + std::log(std::exp(a - m) + std::exp(b - m) + std::exp(c - m));
}

TERNARY(max_list, std::max(std::max(a, b), c), x == y ? 1 : 0, a.max(b).max(c), (x == y).cast<float>())
TERNARY(logsumexp, log_sum_exp(a, b, c), std::exp(x - y),
        a.max(b).max(c) +
            ((a - a.max(b).max(c)).exp() + (b - a.max(b).max(c)).exp() + (c - a.max(b).max(c)).exp()).log(),
        (x - y).exp())
TERNARY(sum, a + b + c, 1.0f, a + b + c, 1.0f)
TERNARY(average, (a + b + c) / 3, 1.0f / 3, (a + b + c) / 3, 1.0f / 3)

// ---- a vector added to each column ----

void colwise_add_loop(const Node& n) {
  const float* __restrict b = n.x[1];
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    EACH(i, side) y[i] = x[i] + b[i];
  }
}

void colwise_add_loop_backward(const Node& n) {
  float* __restrict db = n.dx[1];
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict dy = n.dy + j * side;
    float* __restrict d = n.dx[0] + j * side;
    EACH(i, side) {
      d[i] += dy[i];
      db[i] += dy[i];
    }
  }
}

void colwise_add_eigen(const Node& n) {
  Table(n.y, side, columns) = ConstTable(n.x[0], side, columns).colwise() + ConstArray(n.x[1], side);
}

void colwise_add_eigen_backward(const Node& n) {
  const ConstTable dy(n.dy, side, columns);
  Table(n.dx[0], side, columns) += dy;
  Array(n.dx[1], side) += dy.rowwise().sum();
}

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }

}  // namespace

std::span<const Reference> arithmetic_references() {
  constexpr int64_t k = kElements;
  static const Reference table[] = {{"add", {k, k}, k, SIDES(add)},
                                    {"subtract", {k, k}, k, SIDES(subtract)},
                                    {"cmult", {k, k}, k, SIDES(cmult)},
                                    {"cdiv", {k, k}, k, SIDES(cdiv)},
                                    {"pow", {k, 1}, k, SIDES(pow)},
                                    {"min", {k, k}, k, SIDES(min)},
                                    {"max", {k, k}, k, SIDES(max)},
                                    {"pairwise_rank_loss", {k, k}, k, SIDES(pairwise_rank_loss)},
                                    {"max_list", {k, k, k}, k, SIDES(max_list)},
                                    {"logsumexp", {k, k, k}, k, SIDES(logsumexp)},
                                    {"sum", {k, k, k}, k, SIDES(sum)},
                                    {"average", {k, k, k}, k, SIDES(average)},
                                    {"colwise_add", {k, kSide}, k, SIDES(colwise_add)}};
  return table;
}

}  // namespace references

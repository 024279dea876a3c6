// Distributions along columns, and losses of labels.
#include <algorithm>
#include <limits>

#include "references.h"

namespace references {
namespace {

constexpr int kLabels[] = {0, 3, 17, 40};
constexpr float kNone = -std::numeric_limits<float>::max();

float largest(const float* __restrict x, int64_t n) {
  float most = kNone;
  EACH(i, n) most = std::max(most, x[i]);
  return most;
}

float log_sum(const float* __restrict x, int64_t n) {
  const float most = largest(x, n);
  float sum = 0;
  EACH(i, n) sum += std::exp(x[i] - most);
  return most + std::log(sum);
}

// ---- softmax ----

void softmax_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    const float most = largest(x, side);
    float sum = 0;
    EACH(i, side) {
      y[i] = std::exp(x[i] - most);
      sum += y[i];
    }
    const float factor = 1 / sum;
    EACH(i, side) y[i] *= factor;
  }
}
void softmax_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict y = n.y + j * side;
    const float* __restrict dy = n.dy + j * side;
    float* __restrict d = n.dx[0] + j * side;
    float dot = 0;
    EACH(i, side) dot += y[i] * dy[i];
    EACH(i, side) d[i] += y[i] * (dy[i] - dot);
  }
}
void softmax_eigen(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const ConstArray x(n.x[0] + j * side, side);
    Array y(n.y + j * side, side);
    y = (x - x.maxCoeff()).exp();
    y /= y.sum();
  }
}
void softmax_eigen_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const ConstArray y(n.y + j * side, side), dy(n.dy + j * side, side);
    Array(n.dx[0] + j * side, side) += y * (dy - (y * dy).sum());
  }
}

void log_softmax_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    const float z = log_sum(x, side);
    EACH(i, side) y[i] = x[i] - z;
  }
}
void log_softmax_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict y = n.y + j * side;
    const float* __restrict dy = n.dy + j * side;
    float* __restrict d = n.dx[0] + j * side;
    float sum = 0;
    EACH(i, side) sum += dy[i];
    EACH(i, side) d[i] += dy[i] - std::exp(y[i]) * sum;
  }
}
void log_softmax_eigen(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const ConstArray x(n.x[0] + j * side, side);
    const float most = x.maxCoeff();
    Array(n.y + j * side, side) = x - (most + std::log((x - most).exp().sum()));
  }
}
void log_softmax_eigen_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const ConstArray y(n.y + j * side, side), dy(n.dy + j * side, side);
    Array(n.dx[0] + j * side, side) += dy - y.exp() * dy.sum();
  }
}

/// Over four elements of each column only.
void restricted_loop(const Node& n) {
  std::fill_n(n.y, elements, -std::numeric_limits<float>::infinity());
  for (int64_t j = 0; j < columns; ++j) {
    const float* x = n.x[0] + j * side;
    float some[4];
    for (int l = 0; l < 4; ++l) some[l] = x[kLabels[l]];
    const float z = log_sum(some, 4);
    for (int l = 0; l < 4; ++l) n.y[j * side + kLabels[l]] = some[l] - z;
  }
}
void restricted_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float *y = n.y + j * side, *dy = n.dy + j * side;
    float *d = n.dx[0] + j * side, sum = 0;
    for (const int label : kLabels) sum += dy[label];
    for (const int label : kLabels) d[label] += dy[label] - std::exp(y[label]) * sum;
  }
}

// ---- sparsemax: the threshold by Newton's method (Michelot 1986) ----

float threshold(const float* __restrict x, int64_t n) {
  float t = largest(x, n) - 1, before = std::numeric_limits<float>::max();
  for (;;) {
    float sum = 0, count = 0;
    EACH(i, n) {
      sum += x[i] > t ? x[i] : 0.0f;
      count += x[i] > t ? 1.0f : 0.0f;
    }
    if (!(count < before)) return t;
    before = count;
    t = (sum - 1) / count;
  }
}

void sparsemax_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    const float t = threshold(x, side);
    EACH(i, side) y[i] = std::max(0.0f, x[i] - t);
  }
}
void sparsemax_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict y = n.y + j * side;
    const float* __restrict dy = n.dy + j * side;
    float* __restrict d = n.dx[0] + j * side;
    float sum = 0, count = 0;
    EACH(i, side) {
      sum += y[i] > 0 ? dy[i] : 0.0f;
      count += y[i] > 0 ? 1.0f : 0.0f;
    }
    const float mean = sum / count;
    EACH(i, side) d[i] += y[i] > 0 ? dy[i] - mean : 0.0f;
  }
}

void sparsemax_loss_loop(const Node& n) {
  const float* __restrict x = n.x[0];
  const float t = n.aux[0] = threshold(x, elements);
  float sum = 0;
  EACH(i, elements) sum += x[i] > t ? (x[i] - t) * (x[i] + t) : 0.0f;
  for (const int label : kLabels) sum += 0.25f * 0.25f - 2 * 0.25f * x[label];
  n.y[0] = 0.5f * sum;
}
void sparsemax_loss_loop_backward(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict d = n.dx[0];
  const float g = n.dy[0], t = n.aux[0];
  EACH(i, elements) d[i] += g * std::max(0.0f, x[i] - t);
  for (const int label : kLabels) d[label] -= 0.25f * g;
}

// ---- constrained softmax: what exceeds its bound takes it, until nothing does ----

void constrained_softmax_loop(const Node& n) {
  const float* __restrict x = n.x[0];
  const float* __restrict u = n.x[1];
  float* __restrict y = n.y;
  const float most = largest(x, elements);
  float sum = 0;
  EACH(i, elements) {
    y[i] = std::exp(x[i] - most);
    sum += y[i];
  }
  float factor = 1 / sum;
  for (;;) {
    float bound = 0, free = 0;
    EACH(i, elements) {
      bound += y[i] * factor < u[i] ? 0.0f : u[i];
      free += y[i] * factor < u[i] ? y[i] : 0.0f;
    }
    const float next = (1 - bound) / free;
    if (!(next > factor)) break;
    factor = next;
  }
  EACH(i, elements) y[i] = std::min(u[i], y[i] * factor);
}
void constrained_softmax_loop_backward(const Node& n) {
  const float* __restrict y = n.y;
  const float* __restrict u = n.x[1];
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  float* __restrict du = n.dx[1];
  float along = 0, sum = 0;
  EACH(i, elements) {
    along += y[i] < u[i] ? y[i] * dy[i] : 0.0f;
    sum += y[i] < u[i] ? y[i] : 0.0f;
  }
  const float m = along / sum;
  EACH(i, elements) {
    d[i] += y[i] < u[i] ? y[i] * (dy[i] - m) : 0.0f;
    du[i] += y[i] < u[i] ? 0.0f : dy[i] - m;
  }
}

// ---- labels: one vector {16384}, or four {4096} ----

/// y = ln sum exp x - x[label], which is kept.
template <int64_t kRows>
void nll_loop(const Node& n) {
  const int64_t m = elements / kRows;
  for (int64_t b = 0; b < kRows; ++b) {
    const float* x = n.x[0] + b * m;
    n.aux[b] = log_sum(x, m);
    n.y[b] = n.aux[b] - x[kRows == 1 ? 3 : kLabels[b]];
  }
}
template <int64_t kRows>
void nll_loop_backward(const Node& n) {
  const int64_t m = elements / kRows;
  for (int64_t b = 0; b < kRows; ++b) {
    const float* __restrict x = n.x[0] + b * m;
    float* __restrict d = n.dx[0] + b * m;
    const float z = n.aux[b], g = n.dy[b];
    EACH(i, m) d[i] = (kRows == 1 ? d[i] : 0.0f) + g * std::exp(x[i] - z);
    d[kRows == 1 ? 3 : kLabels[b]] -= g;
  }
}
template <int64_t kRows>
void nll_eigen(const Node& n) {
  const int64_t m = elements / kRows;
  for (int64_t b = 0; b < kRows; ++b) {
    const ConstArray x(n.x[0] + b * m, m);
    const float most = x.maxCoeff();
    n.aux[b] = most + std::log((x - most).exp().sum());
    n.y[b] = n.aux[b] - x[kRows == 1 ? 3 : kLabels[b]];
  }
}
template <int64_t kRows>
void nll_eigen_backward(const Node& n) {
  const int64_t m = elements / kRows;
  for (int64_t b = 0; b < kRows; ++b) {
    Array d(n.dx[0] + b * m, m);
    if constexpr (kRows == 1) {
      d += n.dy[b] * (ConstArray(n.x[0] + b * m, m) - n.aux[b]).exp();
    } else {
      d = n.dy[b] * (ConstArray(n.x[0] + b * m, m) - n.aux[b]).exp();
    }
    d[kRows == 1 ? 3 : kLabels[b]] -= n.dy[b];
  }
}

/// Of rows of m: the hinge loss with a margin of 1. The label itself counts 1 each time, which is taken off again.
void hinge(const Node& n, int64_t rows, int64_t m, const int* labels) {
  for (int64_t b = 0; b < rows; ++b) {
    const float* __restrict x = n.x[0] + b * m;
    const float offset = 1 - x[labels[b]];
    float sum = 0;
    EACH(i, m) sum += std::max(0.0f, x[i] + offset);
    n.y[b] = sum - 1;
  }
}
template <bool kAdd>
void hinge_backward(const Node& n, int64_t rows, int64_t m, const int* labels) {
  for (int64_t b = 0; b < rows; ++b) {
    const float* __restrict x = n.x[0] + b * m;
    float* __restrict d = n.dx[0] + b * m;
    const float offset = 1 - x[labels[b]], g = n.dy[b];
    float count = 0;
    EACH(i, m) {
      const float over = x[i] + offset > 0 ? 1.0f : 0.0f;
      count += over;
      d[i] = (kAdd ? d[i] : 0.0f) + g * over;
    }
    d[labels[b]] -= g * count;
  }
}
void hinge_eigen(const Node& n, int64_t rows, int64_t m, const int* labels) {
  for (int64_t b = 0; b < rows; ++b) {
    const ConstArray x(n.x[0] + b * m, m);
    n.y[b] = (x + (1 - x[labels[b]])).max(0.0f).sum() - 1;
  }
}
template <bool kAdd>
void hinge_eigen_backward(const Node& n, int64_t rows, int64_t m, const int* labels) {
  for (int64_t b = 0; b < rows; ++b) {
    const ConstArray x(n.x[0] + b * m, m);
    Array d(n.dx[0] + b * m, m);
    const float offset = 1 - x[labels[b]];
    const auto count = static_cast<float>((x + offset > 0).count());
    if constexpr (kAdd) {
      d += n.dy[b] * (x + offset > 0).select(Eigen::ArrayXf::Ones(m), 0.0f);
    } else {
      d = n.dy[b] * (x + offset > 0).select(Eigen::ArrayXf::Ones(m), 0.0f);
    }
    d[labels[b]] -= n.dy[b] * count;
  }
}

constexpr int kThird[] = {3};
const int* reversed() {
  static const std::vector<int> labels = [] {
    std::vector<int> all;
    for (int i = kSide; i-- > 0;) all.push_back(i);
    return all;
  }();
  return labels.data();
}

#define HINGE(name, add, rows, m, labels)                                               \
  void name##_loop(const Node& n) { hinge(n, rows, m, labels); }                        \
  void name##_loop_backward(const Node& n) { hinge_backward<add>(n, rows, m, labels); } \
  void name##_eigen(const Node& n) { hinge_eigen(n, rows, m, labels); }                 \
  void name##_eigen_backward(const Node& n) { hinge_eigen_backward<add>(n, rows, m, labels); }

HINGE(hinge, true, 1, elements, kThird)
HINGE(hinge_batch, false, 4, square, kLabels)
HINGE(hinge_dim, true, side, columns, reversed())

/// exp(x) - 3 x + ln 3! of each number.
void poisson_loop(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  EACH(i, elements) y[i] = std::exp(x[i]) - 3 * x[i] + 1.79175947f;
}
void poisson_loop_backward(const Node& n) {
  const float* __restrict x = n.x[0];
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  EACH(i, elements) d[i] = dy[i] * (std::exp(x[i]) - 3);
}
void poisson_eigen(const Node& n) {
  const ConstArray x(n.x[0], elements);
  Array(n.y, elements) = x.exp() - 3 * x + 1.79175947f;
}
void poisson_eigen_backward(const Node& n) {
  Array(n.dx[0], elements) = ConstArray(n.dy, elements) * (ConstArray(n.x[0], elements).exp() - 3);
}

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }
#define LOOP(name) \
  { name##_loop, name##_loop_backward }

}  // namespace

std::span<const Reference> loss_references() {
  constexpr int64_t k = kElements;
  static const Reference table[] = {
      {"softmax", {k}, k, SIDES(softmax)},
      {"log_softmax", {k}, k, SIDES(log_softmax)},
      {"log_softmax_restricted", {k}, k, LOOP(restricted)},
      {"sparsemax", {k}, k, LOOP(sparsemax)},
      {"sparsemax_loss", {k}, 1, LOOP(sparsemax_loss), {}, 1},
      {"constrained_softmax", {k, k}, k, LOOP(constrained_softmax)},
      {"pick_neg_log_softmax", {k}, 1, {nll_loop<1>, nll_loop_backward<1>}, {nll_eigen<1>, nll_eigen_backward<1>}, 1},
      {"pick_neg_log_softmax_batch",
       {k},
       4,
       {nll_loop<4>, nll_loop_backward<4>},
       {nll_eigen<4>, nll_eigen_backward<4>},
       4},
      {"hinge", {k}, 1, SIDES(hinge)},
      {"hinge_batch", {k}, 4, SIDES(hinge_batch)},
      {"hinge_dim", {k}, kSide, SIDES(hinge_dim)},
      {"poisson_loss", {k}, k, SIDES(poisson)}};
  return table;
}

}  // namespace references

// Sums, moments and extremes: of all elements, over the batch, or over one dimension of {64,256}.
#include <algorithm>

#include "references.h"

namespace references {
namespace {

constexpr int64_t kBatch = 4;

// ---- to one number ----

/// y = RESULT, of the sum of TERM; dx += g D with the g that is dy FACTOR.
#define TO_ONE(name, TERM, RESULT, FACTOR, D, ESUM, ED)    \
  void name##_loop(const Node& n) {                        \
    const float* __restrict xs = n.x[0];                   \
    float sum = 0;                                         \
    EACH(i, elements) {                                    \
      const float x = xs[i];                               \
      sum += (TERM);                                       \
    }                                                      \
    n.y[0] = (RESULT);                                     \
  }                                                        \
  void name##_loop_backward(const Node& n) {               \
    const float* __restrict xs = n.x[0];                   \
    float* __restrict d = n.dx[0];                         \
    [[maybe_unused]] const float y = n.y[0];               \
    const float g = n.dy[0] * (FACTOR);                    \
    EACH(i, elements) {                                    \
      [[maybe_unused]] const float x = xs[i];              \
      d[i] += g * (D);                                     \
    }                                                      \
  }                                                        \
  void name##_eigen(const Node& n) {                       \
    const ConstArray x(n.x[0], elements);                  \
    const float sum = (ESUM);                              \
    n.y[0] = (RESULT);                                     \
  }                                                        \
  void name##_eigen_backward(const Node& n) {              \
    [[maybe_unused]] const ConstArray x(n.x[0], elements); \
    [[maybe_unused]] const float y = n.y[0];               \
    Array(n.dx[0], elements) += n.dy[0] * (FACTOR) * (ED); \
  }

const float kCount = static_cast<float>(kElements);

TO_ONE(sum_elems, x, sum, 1.0f, 1.0f, x.sum(), Eigen::ArrayXf::Ones(elements))
TO_ONE(mean_elems, x, sum / kCount, 1 / kCount, 1.0f, x.sum(), Eigen::ArrayXf::Ones(elements))
TO_ONE(moment_elems, x* x, sum / kCount, 2 / kCount, x, x.square().sum(), x)
TO_ONE(l2_norm, x* x, std::sqrt(sum), 1 / y, x, x.square().sum(), x)
TO_ONE(squared_norm, x* x, sum, 2.0f, x, x.square().sum(), x)

/// y = sum of TERM over a and b; da += dy DA, db += dy DB.
#define PAIR_TO_ONE(name, COUNT, TERM, DA, DB, ETERM, EDA, EDB) \
  void name##_loop(const Node& n) {                             \
    const float* __restrict as = n.x[0];                        \
    const float* __restrict bs = n.x[1];                        \
    float sum = 0;                                              \
    EACH(i, COUNT) {                                            \
      const float a = as[i], b = bs[i];                         \
      sum += (TERM);                                            \
    }                                                           \
    n.y[0] = sum;                                               \
  }                                                             \
  void name##_loop_backward(const Node& n) {                    \
    const float* __restrict as = n.x[0];                        \
    const float* __restrict bs = n.x[1];                        \
    float* __restrict da = n.dx[0];                             \
    float* __restrict db = n.dx[1];                             \
    const float g = n.dy[0];                                    \
    EACH(i, COUNT) {                                            \
      const float a = as[i], b = bs[i];                         \
      da[i] += g * (DA);                                        \
      db[i] += g * (DB);                                        \
    }                                                           \
  }                                                             \
  void name##_eigen(const Node& n) {                            \
    const ConstArray a(n.x[0], COUNT), b(n.x[1], COUNT);        \
    n.y[0] = (ETERM).sum();                                     \
  }                                                             \
  void name##_eigen_backward(const Node& n) {                   \
    const ConstArray a(n.x[0], COUNT), b(n.x[1], COUNT);        \
    Array(n.dx[0], COUNT) += n.dy[0] * (EDA);                   \
    Array(n.dx[1], COUNT) += n.dy[0] * (EDB);                   \
  }

constexpr float kBound = 1.345f;
float clamp(float d) { return std::min(std::max(d, -kBound), kBound); }
float sign(float d) { return d > 0 ? 1.0f : d < 0 ? -1.0f : 0.0f; }
float huber(float d) {
  const float size = std::abs(d);
  return size <= kBound ? 0.5f * d * d : kBound * (size - 0.5f * kBound);
}
float entropy(float p, float t) { return -(t * std::log(p) + (1 - t) * std::log(1 - p)); }

PAIR_TO_ONE(dot_product, elements, a* b, b, a, a* b, b, a)
PAIR_TO_ONE(trace_of_product, square, a* b, b, a, a* b, b, a)
PAIR_TO_ONE(squared_distance, elements, (a - b) * (a - b), 2 * (a - b), 2 * (b - a), (a - b).square(), 2 * (a - b),
            2 * (b - a))
PAIR_TO_ONE(l1_distance, elements, std::abs(a - b), sign(a - b), sign(b - a), (a - b).abs(), (a - b).sign(),
            (b - a).sign())
PAIR_TO_ONE(huber_distance, elements, huber(a - b), clamp(a - b), clamp(b - a),
            ((a - b).abs() <= kBound).select(0.5f * (a - b).square(), kBound*((a - b).abs() - 0.5f * kBound)),
            (a - b).max(-kBound).min(kBound), (b - a).max(-kBound).min(kBound))
PAIR_TO_ONE(binary_log_loss, elements, entropy(a, b), (1 - b) / (1 - a) - b / a, std::log(1 - a) - std::log(a),
            -(b* a.log() + (1 - b) * (1 - a).log()), (1 - b) / (1 - a) - b / a, (1 - a).log() - a.log())

/// The standard deviation of m numbers, by their mean.
void deviation(const float* __restrict x, int64_t m, float& y, float& mean) {
  float sum = 0, squares = 0;
  EACH(i, m) sum += x[i];
  mean = sum / static_cast<float>(m);
  const float center = mean;
  EACH(i, m) squares += (x[i] - center) * (x[i] - center);
  y = std::sqrt(squares / static_cast<float>(m));
}

void deviation_backward(const float* __restrict x, int64_t m, float y, float mean, float dy, float* __restrict d) {
  const float g = dy / (static_cast<float>(m) * y);
  EACH(i, m) d[i] += g * (x[i] - mean);
}

void std_elems_loop(const Node& n) { deviation(n.x[0], elements, n.y[0], n.aux[0]); }
void std_elems_loop_backward(const Node& n) {
  deviation_backward(n.x[0], elements, n.y[0], n.aux[0], n.dy[0], n.dx[0]);
}
void std_elems_eigen(const Node& n) {
  const ConstArray x(n.x[0], elements);
  n.aux[0] = x.mean();
  n.y[0] = std::sqrt((x - n.aux[0]).square().mean());
}
void std_elems_eigen_backward(const Node& n) {
  Array(n.dx[0], elements) += n.dy[0] / (kCount * n.y[0]) * (ConstArray(n.x[0], elements) - n.aux[0]);
}

// ---- over the batch of {64,64}X4: y = RESULT of the sum of TERM, dx = dy D ----

#define OVER_BATCH(name, TERM, RESULT, D, ETERM, ED)                    \
  void name##_loop(const Node& n) {                                     \
    const float* __restrict x0 = n.x[0];                                \
    float* __restrict ys = n.y;                                         \
    const int64_t step = square;                                        \
    EACH(i, step) {                                                     \
      float sum = 0;                                                    \
      for (int64_t b = 0; b < kBatch; ++b) {                            \
        const float x = x0[i + b * step];                               \
        sum += (TERM);                                                  \
      }                                                                 \
      ys[i] = (RESULT);                                                 \
    }                                                                   \
  }                                                                     \
  void name##_loop_backward(const Node& n) {                            \
    for (int64_t b = 0; b < kBatch; ++b) {                              \
      const float* __restrict xs = n.x[0] + b * square;                 \
      const float* __restrict dys = n.dy;                               \
      float* __restrict d = n.dx[0] + b * square;                       \
      EACH(i, square) {                                                 \
        [[maybe_unused]] const float x = xs[i];                         \
        d[i] = dys[i] * (D);                                            \
      }                                                                 \
    }                                                                   \
  }                                                                     \
  void name##_eigen(const Node& n) {                                    \
    const ConstTable x(n.x[0], square, kBatch);                         \
    const auto sum = (ETERM).rowwise().sum();                           \
    Array(n.y, square) = (RESULT);                                      \
  }                                                                     \
  void name##_eigen_backward(const Node& n) {                           \
    const ConstArray dy(n.dy, square);                                  \
    for (int64_t b = 0; b < kBatch; ++b) {                              \
      [[maybe_unused]] const ConstArray x(n.x[0] + b * square, square); \
      Array(n.dx[0] + b * square, square) = dy * (ED);                  \
    }                                                                   \
  }

OVER_BATCH(sum_batches, x, sum, 1.0f, x, 1.0f)
OVER_BATCH(mean_batches, x, sum / 4, 0.25f, x, 0.25f)
OVER_BATCH(moment_batches, x* x, sum / 4, 0.5f * x, x.square(), 0.5f * x)

void std_batches_loop(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  float* __restrict mean = n.aux;
  const int64_t step = square;
  EACH(i, step) {
    const float a = x[i], b = x[i + step], c = x[i + 2 * step], d = x[i + 3 * step];
    const float m = (a + b + c + d) / 4;
    mean[i] = m;
    y[i] = std::sqrt(((a - m) * (a - m) + (b - m) * (b - m) + (c - m) * (c - m) + (d - m) * (d - m)) / 4);
  }
}

void std_batches_loop_backward(const Node& n) {
  for (int64_t b = 0; b < kBatch; ++b) {
    const float* __restrict x = n.x[0] + b * square;
    const float* __restrict y = n.y;
    const float* __restrict mean = n.aux;
    const float* __restrict dy = n.dy;
    float* __restrict d = n.dx[0] + b * square;
    EACH(i, square) d[i] = dy[i] / (4 * y[i]) * (x[i] - mean[i]);
  }
}

void std_batches_eigen(const Node& n) {
  const ConstTable x(n.x[0], square, kBatch);
  Array mean(n.aux, square);
  mean = x.rowwise().mean();
  Array(n.y, square) = (x.colwise() - mean).square().rowwise().mean().sqrt();
}

void std_batches_eigen_backward(const Node& n) {
  const ConstArray y(n.y, square), mean(n.aux, square), dy(n.dy, square);
  for (int64_t b = 0; b < kBatch; ++b)
    Array(n.dx[0] + b * square, square) = dy / (4 * y) * (ConstArray(n.x[0] + b * square, square) - mean);
}

// ---- over the columns: y_i = RESULT of the sum over j of x_ij ----

#define OVER_COLUMNS(name, SCALE)                                                                                    \
  void name##_loop(const Node& n) {                                                                                  \
    float* __restrict y = n.y;                                                                                       \
    EACH(i, side) y[i] = 0;                                                                                          \
    for (int64_t j = 0; j < columns; ++j) {                                                                          \
      const float* __restrict x = n.x[0] + j * side;                                                                 \
      EACH(i, side) y[i] += x[i];                                                                                    \
    }                                                                                                                \
    EACH(i, side) y[i] *= (SCALE);                                                                                   \
  }                                                                                                                  \
  void name##_loop_backward(const Node& n) {                                                                         \
    const float* __restrict dy = n.dy;                                                                               \
    for (int64_t j = 0; j < columns; ++j) {                                                                          \
      float* __restrict d = n.dx[0] + j * side;                                                                      \
      EACH(i, side) d[i] += (SCALE)*dy[i];                                                                           \
    }                                                                                                                \
  }                                                                                                                  \
  void name##_eigen(const Node& n) { Array(n.y, side) = (SCALE)*ConstTable(n.x[0], side, columns).rowwise().sum(); } \
  void name##_eigen_backward(const Node& n) {                                                                        \
    Table(n.dx[0], side, columns).colwise() += (SCALE)*ConstArray(n.dy, side);                                       \
  }

OVER_COLUMNS(sum_dim, 1.0f)
OVER_COLUMNS(sum_cols, 1.0f)
OVER_COLUMNS(average_cols, 1.0f / kColumns)

// ---- over the rows: y_j = RESULT of the sum over i of TERM, dx += g D with the g that is dy_j FACTOR ----

#define OVER_ROWS(name, TERM, SCALE, FACTOR, D, ETERM, ED)               \
  void name##_loop(const Node& n) {                                      \
    for (int64_t j = 0; j < columns; ++j) {                              \
      const float* __restrict xs = n.x[0] + j * side;                    \
      float sum = 0;                                                     \
      EACH(i, side) {                                                    \
        const float x = xs[i];                                           \
        sum += (TERM);                                                   \
      }                                                                  \
      n.y[j] = sum * (SCALE);                                            \
    }                                                                    \
  }                                                                      \
  void name##_loop_backward(const Node& n) {                             \
    for (int64_t j = 0; j < columns; ++j) {                              \
      const float* __restrict xs = n.x[0] + j * side;                    \
      float* __restrict d = n.dx[0] + j * side;                          \
      const float g = n.dy[j] * (FACTOR);                                \
      EACH(i, side) {                                                    \
        [[maybe_unused]] const float x = xs[i];                          \
        d[i] += g * (D);                                                 \
      }                                                                  \
    }                                                                    \
  }                                                                      \
  void name##_eigen(const Node& n) {                                     \
    const ConstTable x(n.x[0], side, columns);                           \
    Array(n.y, columns) = (SCALE) * (ETERM).colwise().sum().transpose(); \
  }                                                                      \
  void name##_eigen_backward(const Node& n) {                            \
    for (int64_t j = 0; j < columns; ++j) {                              \
      [[maybe_unused]] const ConstArray x(n.x[0] + j * side, side);      \
      Array(n.dx[0] + j * side, side) += n.dy[j] * (FACTOR) * (ED);      \
    }                                                                    \
  }

OVER_ROWS(sum_rows, x, 1.0f, 1.0f, 1.0f, x, Eigen::ArrayXf::Ones(side))
OVER_ROWS(mean_dim, x, 1.0f / kSide, 1.0f / kSide, 1.0f, x, Eigen::ArrayXf::Ones(side))
OVER_ROWS(moment_dim, x* x* x, 1.0f / kSide, 3.0f / kSide, x* x, x.cube(), x.square())

void std_dim_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) deviation(n.x[0] + j * side, side, n.y[j], n.aux[j]);
}
void std_dim_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j)
    deviation_backward(n.x[0] + j * side, side, n.y[j], n.aux[j], n.dy[j], n.dx[0] + j * side);
}
void std_dim_eigen(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const ConstArray x(n.x[0] + j * side, side);
    n.aux[j] = x.mean();
    n.y[j] = std::sqrt((x - n.aux[j]).square().mean());
  }
}
void std_dim_eigen_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j)
    Array(n.dx[0] + j * side, side) +=
        n.dy[j] / (static_cast<float>(side) * n.y[j]) * (ConstArray(n.x[0] + j * side, side) - n.aux[j]);
}

/// The place of what is largest after `better`, by a value and then by what equals it.
template <bool kLargest>
void extreme_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float most = x[0];
    EACH(i, side) most = kLargest ? std::max(most, x[i]) : std::min(most, x[i]);
    n.y[j] = most;
  }
}

void extreme_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict d = n.dx[0] + j * side;
    const float y = n.y[j], dy = n.dy[j];
    EACH(i, side) d[i] += x[i] == y ? dy : 0.0f;
  }
}

template <bool kLargest>
void extreme_eigen(const Node& n) {
  const ConstTable x(n.x[0], side, columns);
  if constexpr (kLargest) {
    Array(n.y, columns) = x.colwise().maxCoeff().transpose();
  } else {
    Array(n.y, columns) = x.colwise().minCoeff().transpose();
  }
}

/// Finds the element again, which touches less memory than to add to all.
void extreme_search_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* x = n.x[0] + j * side;
    const float y = n.y[j];
    int64_t place = 0;
    while (place + 1 < side && x[place] != y) ++place;
    n.dx[0][j * side + place] += n.dy[j];
  }
}

void argmax_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    float most = x[0];
    EACH(i, side) most = std::max(most, x[i]);
    EACH(i, side) y[i] = x[i] == most ? 1.0f : 0.0f;
  }
}

void argmax_eigen(const Node& n) {
  Array(n.y, elements).setZero();
  for (int64_t j = 0; j < columns; ++j) {
    Eigen::Index place;
    ConstArray(n.x[0] + j * side, side).maxCoeff(&place);
    n.y[j * side + place] = 1;
  }
}

/// The gradient as it is.
void copy_loop_backward(const Node& n) {
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  EACH(i, elements) d[i] += dy[i];
}
void copy_eigen_backward(const Node& n) { Array(n.dx[0], elements) += ConstArray(n.dy, elements); }

void logsumexp_dim_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float most = x[0], sum = 0;
    EACH(i, side) most = std::max(most, x[i]);
    EACH(i, side) sum += std::exp(x[i] - most);
    n.y[j] = most + std::log(sum);
  }
}
void logsumexp_dim_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict d = n.dx[0] + j * side;
    const float y = n.y[j], dy = n.dy[j];
    EACH(i, side) d[i] += dy * std::exp(x[i] - y);
  }
}
void logsumexp_dim_eigen(const Node& n) {
  for (int64_t j = 0; j < columns; ++j) {
    const ConstArray x(n.x[0] + j * side, side);
    const float most = x.maxCoeff();
    n.y[j] = most + std::log((x - most).exp().sum());
  }
}
void logsumexp_dim_eigen_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j)
    Array(n.dx[0] + j * side, side) += n.dy[j] * (ConstArray(n.x[0] + j * side, side) - n.y[j]).exp();
}

/// A chain of sums for each column; eight columns side by side, so that their chains overlap.
void cumsum_loop(const Node& n) {
  constexpr int64_t kChains = 8;
  for (int64_t j = 0; j < columns; j += kChains) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    float sum[kChains] = {};
    for (int64_t i = 0; i < side; ++i)
      for (int64_t c = 0; c < kChains; ++c) y[i + c * side] = sum[c] += x[i + c * side];
  }
}
void cumsum_loop_backward(const Node& n) {
  constexpr int64_t kChains = 8;
  for (int64_t j = 0; j < columns; j += kChains) {
    const float* __restrict dy = n.dy + j * side;
    float* __restrict d = n.dx[0] + j * side;
    float sum[kChains] = {};
    for (int64_t i = side - 1; i >= 0; --i)
      for (int64_t c = 0; c < kChains; ++c) d[i + c * side] += sum[c] += dy[i + c * side];
  }
}

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }

}  // namespace

std::span<const Reference> reduction_references() {
  constexpr int64_t k = kElements, c = kColumns;
  static const Reference table[] = {
      {"sum_elems", {k}, 1, SIDES(sum_elems)},
      {"mean_elems", {k}, 1, SIDES(mean_elems)},
      {"moment_elems", {k}, 1, SIDES(moment_elems)},
      {"std_elems", {k}, 1, SIDES(std_elems), 1},
      {"l2_norm", {k}, 1, SIDES(l2_norm)},
      {"squared_norm", {k}, 1, SIDES(squared_norm)},
      {"dot_product", {k, k}, 1, SIDES(dot_product)},
      {"trace_of_product", {kSquare, kSquare}, 1, SIDES(trace_of_product)},
      {"squared_distance", {k, k}, 1, SIDES(squared_distance)},
      {"l1_distance", {k, k}, 1, SIDES(l1_distance)},
      {"huber_distance", {k, k}, 1, SIDES(huber_distance)},
      {"binary_log_loss", {k, k}, 1, SIDES(binary_log_loss)},
      {"sum_batches", {k}, kSquare, SIDES(sum_batches)},
      {"mean_batches", {k}, kSquare, SIDES(mean_batches)},
      {"moment_batches", {k}, kSquare, SIDES(moment_batches)},
      {"std_batches", {k}, kSquare, SIDES(std_batches), kSquare},
      {"sum_dim", {k}, kSide, SIDES(sum_dim)},
      {"sum_cols", {k}, kSide, SIDES(sum_cols)},
      {"average_cols", {k}, kSide, SIDES(average_cols)},
      {"sum_rows", {k}, c, SIDES(sum_rows)},
      {"mean_dim", {k}, c, SIDES(mean_dim)},
      {"moment_dim", {k}, c, SIDES(moment_dim)},
      {"std_dim", {k}, c, SIDES(std_dim), c},
      {"max_dim", {k}, c, {extreme_loop<true>, extreme_loop_backward}, {extreme_eigen<true>, extreme_search_backward}},
      {"min_dim",
       {k},
       c,
       {extreme_loop<false>, extreme_loop_backward},
       {extreme_eigen<false>, extreme_search_backward}},
      {"argmax", {k}, k, {argmax_loop, copy_loop_backward}, {argmax_eigen, copy_eigen_backward}},
      {"logsumexp_dim", {k}, c, SIDES(logsumexp_dim)},
      {"cumsum", {k}, k, {cumsum_loop, cumsum_loop_backward}}};
  return table;
}

}  // namespace references

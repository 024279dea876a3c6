// Convolutions and pooling: 16 filters {3,3,16} on images {32,32,16}, windows of 2 by 2, and what slides over the
// columns of {64,256}.
#include <algorithm>

#include "references.h"

namespace references {
namespace {

// ---- conv2d ----

constexpr int64_t kImage = 32, kPlaces = 30, kChannels = 16, kFilter = 3;
constexpr int64_t kTaps = kFilter * kFilter * kChannels, kFilters = 16;

/// Four filters at a time on one column of places, in registers. It reads two floats beyond a column, which are there.
void conv2d_loop(const Node& n) {
  constexpr int64_t kSome = 4;
  for (int64_t o = 0; o < kFilters; o += kSome)
    for (int64_t j = 0; j < kPlaces; ++j) {
      float sum[kSome][kImage];
      for (int64_t s = 0; s < kSome; ++s)
        for (int64_t i = 0; i < kImage; ++i) sum[s][i] = 0;
      for (int64_t c = 0; c < kChannels; ++c)
        for (int64_t b = 0; b < kFilter; ++b)
          for (int64_t a = 0; a < kFilter; ++a) {
            const float* x = n.x[0] + (c * kImage + j + b) * kImage + a;
            const float* f = n.x[1] + ((o * kChannels + c) * kFilter + b) * kFilter + a;
            for (int64_t s = 0; s < kSome; ++s)
              for (int64_t i = 0; i < kImage; ++i) sum[s][i] += f[s * kTaps] * x[i];
          }
      for (int64_t s = 0; s < kSome; ++s) std::copy_n(sum[s], kPlaces, n.y + ((o + s) * kPlaces + j) * kPlaces);
    }
}

/// Calls body(tap, column of places, place in the image) for all columns of the matrix of what filters meet.
template <class Body>
void each_meeting(Body body) {
  for (int64_t tap = 0; tap < kTaps; ++tap) {
    const int64_t a = tap % kFilter, b = tap / kFilter % kFilter, c = tap / (kFilter * kFilter);
    for (int64_t j = 0; j < kPlaces; ++j) body((tap * kPlaces + j) * kPlaces, (c * kImage + j + b) * kImage + a);
  }
}

void conv2d_eigen(const Node& n) {
  each_meeting([&](int64_t to, int64_t from) { std::copy_n(n.x[0] + from, kPlaces, n.aux + to); });
  Matrix(n.y, kPlaces * kPlaces, kFilters).noalias() =
      ConstMatrix(n.aux, kPlaces * kPlaces, kTaps) * ConstMatrix(n.x[1], kTaps, kFilters);
}
void conv2d_eigen_backward(const Node& n) {
  const ConstMatrix dy(n.dy, kPlaces * kPlaces, kFilters);
  Matrix met(n.aux, kPlaces * kPlaces, kTaps);
  Matrix(n.dx[1], kTaps, kFilters).noalias() += met.transpose() * dy;
  // What the filters met is not needed any more.
  met.noalias() = dy * ConstMatrix(n.x[1], kTaps, kFilters).transpose();
  each_meeting([&](int64_t from, int64_t to) { Array(n.dx[0] + to, kPlaces) += ConstArray(n.aux + from, kPlaces); });
}

void conv2d_bias_loop(const Node& n) {
  conv2d_loop(n);
  for (int64_t o = 0; o < kFilters; ++o) {
    float* __restrict y = n.y + o * kPlaces * kPlaces;
    const float bias = n.x[2][o];
    EACH(i, kPlaces * kPlaces) y[i] += bias;
  }
}
void conv2d_bias_eigen(const Node& n) {
  conv2d_eigen(n);
  Table(n.y, kPlaces * kPlaces, kFilters).rowwise() += ConstArray(n.x[2], kFilters).transpose();
}
void conv2d_bias_eigen_backward(const Node& n) {
  Array(n.dx[2], kFilters) += ConstTable(n.dy, kPlaces * kPlaces, kFilters).colwise().sum().transpose();
  conv2d_eigen_backward(n);
}

// ---- maxpooling2d ----

void pool_loop(const Node& n) {
  constexpr int64_t kHalf = kImage / 2;
  for (int64_t column = 0; column < kHalf * kChannels; ++column) {
    const float* __restrict x = n.x[0] + column * 2 * kImage;
    float* __restrict y = n.y + column * kHalf;
    EACH(i, kHalf)
    y[i] = std::max(std::max(x[2 * i], x[2 * i + 1]), std::max(x[kImage + 2 * i], x[kImage + 2 * i + 1]));
  }
}
void pool_loop_backward(const Node& n) {
  constexpr int64_t kHalf = kImage / 2;
  for (int64_t column = 0; column < kHalf * kChannels; ++column) {
    const float* __restrict x = n.x[0] + column * 2 * kImage;
    const float* __restrict y = n.y + column * kHalf;
    const float* __restrict dy = n.dy + column * kHalf;
    float* __restrict d = n.dx[0] + column * 2 * kImage;
    EACH(i, kHalf) {
      d[2 * i] += x[2 * i] == y[i] ? dy[i] : 0.0f;
      d[2 * i + 1] += x[2 * i + 1] == y[i] ? dy[i] : 0.0f;
      d[kImage + 2 * i] += x[kImage + 2 * i] == y[i] ? dy[i] : 0.0f;
      d[kImage + 2 * i + 1] += x[kImage + 2 * i + 1] == y[i] ? dy[i] : 0.0f;
    }
  }
}

// ---- filter1d_narrow: y = F^T X, where a column of X is three columns of x, of which the next one begins one later
// ----

constexpr int64_t kSpan = 3 * kSide, kSlides = kColumns - 2;
using Overlapping = Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<kSide>>;

void filter1d_loop(const Node& n) {
  for (int64_t j = 0; j < kSlides; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    for (int64_t o = 0; o < kFilters; ++o) {
      const float* __restrict f = n.x[1] + o * kSpan;
      float sum = 0;
      EACH(k, 3 * side) sum += f[k] * x[k];
      n.y[j * kFilters + o] = sum;
    }
  }
}
void filter1d_loop_backward(const Node& n) {
  for (int64_t j = 0; j < kSlides; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict d = n.dx[0] + j * side;
    for (int64_t o = 0; o < kFilters; ++o) {
      const float* __restrict f = n.x[1] + o * kSpan;
      float* __restrict df = n.dx[1] + o * kSpan;
      const float g = n.dy[j * kFilters + o];
      EACH(k, 3 * side) {
        d[k] += g * f[k];
        df[k] += g * x[k];
      }
    }
  }
}
void filter1d_eigen(const Node& n) {
  Matrix(n.y, kFilters, kSlides).noalias() =
      ConstMatrix(n.x[1], kSpan, kFilters).transpose() * Overlapping(n.x[0], kSpan, kSlides);
}
void filter1d_eigen_backward(const Node& n) {
  const ConstMatrix dy(n.dy, kFilters, kSlides);
  Matrix(n.dx[1], kSpan, kFilters).noalias() += Overlapping(n.x[0], kSpan, kSlides) * dy.transpose();
  Matrix parts(n.aux, kSpan, kSlides);
  parts.noalias() = ConstMatrix(n.x[1], kSpan, kFilters) * dy;
  for (int64_t j = 0; j < kSlides; ++j) Vector(n.dx[0] + j * side, kSpan) += parts.col(j);
}

// ---- kmax_pooling: the 4 largest of each row, the rows side by side ----

void kmax_loop(const Node& n) {
  constexpr int64_t kMost = 4;
  float most[kMost][kSide];
  for (auto& row : most) std::fill_n(row, kSide, -1e30f);
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    EACH(i, kSide) {
      float next = x[i];
      for (auto& row : most) {
        const float larger = std::max(row[i], next);
        next = std::min(row[i], next);
        row[i] = larger;
      }
    }
  }
  int64_t found[kSide] = {};
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < kSide; ++i) {
      const float x = n.x[0][j * side + i];
      if (x < most[kMost - 1][i] || found[i] == kMost) continue;
      const int64_t to = found[i]++ * side + i;
      n.y[to] = x;
      n.aux[to] = static_cast<float>(j);
    }
}
void kmax_loop_backward(const Node& n) {
  for (int64_t k = 0; k < 4; ++k)
    for (int64_t i = 0; i < side; ++i)
      n.dx[0][static_cast<int64_t>(n.aux[k * side + i]) * side + i] += n.dy[k * side + i];
}

// ---- sums of columns and rows beside one another ----

void ngram_loop(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  const int64_t step = side;
  EACH(i, kSlides * step) y[i] = x[i] + x[i + step] + x[i + 2 * step];
}
void ngram_loop_backward(const Node& n) {
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  const int64_t step = side, m = kSlides * step;
  EACH(i, step) d[i] += dy[i];
  EACH(i, step) d[i + step] += dy[i] + dy[i + step];
  EACH(i, m - 2 * step) d[i + 2 * step] += dy[i] + dy[i + step] + dy[i + 2 * step];
  EACH(i, step) d[i + m] += dy[i + m - 2 * step] + dy[i + m - step];
  EACH(i, step) d[i + m + step] += dy[i + m - step];
}
void ngram_eigen(const Node& n) {
  const ConstArray x(n.x[0], elements);
  const int64_t m = kSlides * side;
  Array(n.y, m) = x.head(m) + x.segment(side, m) + x.tail(m);
}
void ngram_eigen_backward(const Node& n) {
  const int64_t m = kSlides * side;
  const ConstArray dy(n.dy, m);
  Array d(n.dx[0], elements);
  for (int64_t k = 0; k < 3; ++k) d.segment(k * side, m) += dy;
}

void fold_loop(const Node& n) {
  const float* __restrict x = n.x[0];
  float* __restrict y = n.y;
  EACH(i, elements / 2) y[i] = x[2 * i] + x[2 * i + 1];
}
void fold_loop_backward(const Node& n) {
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  EACH(i, elements / 2) {
    d[2 * i] += dy[i];
    d[2 * i + 1] += dy[i];
  }
}
void fold_eigen(const Node& n) {
  Array(n.y, elements / 2) = ConstTable(n.x[0], 2, elements / 2).colwise().sum().transpose();
}
void fold_eigen_backward(const Node& n) {
  Table(n.dx[0], 2, elements / 2).rowwise() += ConstArray(n.dy, elements / 2).transpose();
}

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }

}  // namespace

std::span<const Reference> convolution_references() {
  constexpr int64_t k = kElements, p = kPlaces * kPlaces;
  static const Reference table[] = {
      {"conv2d", {k, kTaps * kFilters}, p * kFilters, {conv2d_loop}, {conv2d_eigen, conv2d_eigen_backward}, p * kTaps},
      {"conv2d_bias",
       {k, kTaps * kFilters, kFilters},
       p * kFilters,
       {conv2d_bias_loop},
       {conv2d_bias_eigen, conv2d_bias_eigen_backward},
       p * kTaps},
      {"maxpooling2d", {k}, k / 4, {pool_loop, pool_loop_backward}},
      {"filter1d_narrow", {k, kSpan * kFilters}, kFilters * kSlides, SIDES(filter1d), kSpan * kSlides},
      {"kmax_pooling", {k}, 4 * kSide, {kmax_loop, kmax_loop_backward}, {}, 4 * kSide},
      {"kmh_ngram", {k}, kSlides * kSide, SIDES(ngram)},
      {"fold_rows", {k}, k / 2, SIDES(fold)}};
  return table;
}

}  // namespace references

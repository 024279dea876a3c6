// What moves elements. A gradient is added where it belongs. Views, which move nothing, have a backward only.
#include <algorithm>
#include <numeric>

#include "references.h"

namespace references {
namespace {

/// y = FACTOR x, dx += FACTOR dy, of which the first may be a view.
#define GRADIENT(name, FACTOR)                \
  void name##_loop_backward(const Node& n) {  \
    const float* __restrict dy = n.dy;        \
    float* __restrict d = n.dx[0];            \
    EACH(i, elements) d[i] += (FACTOR)*dy[i]; \
  }                                           \
  void name##_eigen_backward(const Node& n) { Array(n.dx[0], elements) += (FACTOR)*ConstArray(n.dy, elements); }

GRADIENT(copy, 1.0f)
GRADIENT(flip, -1.0f)
GRADIENT(scale, 2.0f)

/// Blocks of 16 by 16, so that lines of the cache are used whole on both sides.
template <bool kAdd>
void transpose(const float* __restrict x, float* __restrict y, int64_t m, int64_t n) {
  constexpr int64_t kBlock = 16;
  for (int64_t j0 = 0; j0 < n; j0 += kBlock)
    for (int64_t i0 = 0; i0 < m; i0 += kBlock)
      for (int64_t i = i0; i < i0 + kBlock; ++i)
        for (int64_t j = j0; j < j0 + kBlock; ++j) {
          float& to = y[j + n * i];
          to = kAdd ? to + x[i + m * j] : x[i + m * j];
        }
}

void transpose_loop(const Node& n) { transpose<false>(n.x[0], n.y, side, columns); }
void transpose_loop_backward(const Node& n) { transpose<true>(n.dy, n.dx[0], columns, side); }
void transpose_eigen(const Node& n) { Table(n.y, columns, side) = ConstTable(n.x[0], side, columns).transpose(); }
void transpose_eigen_backward(const Node& n) {
  Table(n.dx[0], side, columns) += ConstTable(n.dy, columns, side).transpose();
}

// {16,16,64} with its dimensions in the order 2, 0, 1: the transpose of {256,64}.
void transpose_dims_loop(const Node& n) { transpose<false>(n.x[0], n.y, columns, side); }
void transpose_dims_loop_backward(const Node& n) { transpose<true>(n.dy, n.dx[0], side, columns); }
void transpose_dims_eigen(const Node& n) { Table(n.y, side, columns) = ConstTable(n.x[0], columns, side).transpose(); }
void transpose_dims_eigen_backward(const Node& n) {
  Table(n.dx[0], columns, side) += ConstTable(n.dy, side, columns).transpose();
}

// ---- rows and columns in a given order: 63, 62, ... ----

const std::vector<int>& reversed() {
  static const std::vector<int> order = [] {
    std::vector<int> all(kSide);
    std::iota(all.rbegin(), all.rend(), 0);
    return all;
  }();
  return order;
}

void select_rows_loop(const Node& n) {
  const int* __restrict order = reversed().data();
  for (int64_t j = 0; j < columns; ++j) {
    const float* __restrict x = n.x[0] + j * side;
    float* __restrict y = n.y + j * side;
    EACH(i, side) y[i] = x[order[i]];
  }
}
/// Rows may be there twice, so that only one after the other is right.
void select_rows_loop_backward(const Node& n) {
  const int* __restrict order = reversed().data();
  for (int64_t j = 0; j < columns; ++j) {
    const float* dy = n.dy + j * side;
    float* d = n.dx[0] + j * side;
    for (int64_t i = 0; i < side; ++i) d[order[i]] += dy[i];
  }
}
void select_rows_eigen(const Node& n) {
  Table(n.y, side, columns) = ConstTable(n.x[0], side, columns)(reversed(), Eigen::all);
}

void select_cols_loop(const Node& n) {
  for (int64_t j = 0; j < side; ++j) {
    const float* __restrict x = n.x[0] + reversed()[static_cast<size_t>(j)] * side;
    float* __restrict y = n.y + j * side;
    EACH(i, side) y[i] = x[i];
  }
}
void select_cols_loop_backward(const Node& n) {
  for (int64_t j = 0; j < side; ++j) {
    const float* __restrict dy = n.dy + j * side;
    float* __restrict d = n.dx[0] + reversed()[static_cast<size_t>(j)] * side;
    EACH(i, side) d[i] += dy[i];
  }
}
void select_cols_eigen(const Node& n) {
  Table(n.y, side, side) = ConstTable(n.x[0], side, columns)(Eigen::all, reversed());
}

// ---- parts ----

/// y {h, w} from every `down`th row and every `right`th column of x {m, ...}, from row `first` on.
#define PART(name, m, first, h, w, down, right)                                                             \
  void name##_loop(const Node& n) {                                                                         \
    const int64_t height = h, width = w, from = m;                                                          \
    for (int64_t j = 0; j < width; ++j) {                                                                   \
      const float* __restrict x = n.x[0] + (first) + j * (right)*from;                                      \
      float* __restrict y = n.y + j * height;                                                               \
      EACH(i, height) y[i] = x[i * (down)];                                                                 \
    }                                                                                                       \
  }                                                                                                         \
  void name##_loop_backward(const Node& n) {                                                                \
    const int64_t height = h, width = w, to = m;                                                            \
    for (int64_t j = 0; j < width; ++j) {                                                                   \
      const float* __restrict dy = n.dy + j * height;                                                       \
      float* __restrict d = n.dx[0] + (first) + j * (right)*to;                                             \
      EACH(i, height) d[i * (down)] += dy[i];                                                               \
    }                                                                                                       \
  }                                                                                                         \
  using name##_stride = Eigen::Stride<Eigen::Dynamic, down>;                                                \
  void name##_eigen(const Node& n) {                                                                        \
    Table(n.y, h, w) =                                                                                      \
        Eigen::Map<const Eigen::ArrayXXf, 0, name##_stride>(n.x[0] + (first), h, w, {(right) * (m), down}); \
  }                                                                                                         \
  void name##_eigen_backward(const Node& n) {                                                               \
    Eigen::Map<Eigen::ArrayXXf, 0, name##_stride>(n.dx[0] + (first), h, w, {(right) * (m), down}) +=        \
        ConstTable(n.dy, h, w);                                                                             \
  }

PART(pick, side, 3, 1, columns, 1, 1)
PART(pick_range, side, 16, side / 2, columns, 1, 1)
PART(strided_select, side, 0, side / 2, (columns + 2) / 3, 2, 3)

/// Row 1 of the first of four matrices {64,64}, row 2 of the next, and so on.
void pick_batch_loop(const Node& n) {
  for (int64_t b = 0; b < 4; ++b)
    for (int64_t j = 0; j < side; ++j) n.y[b * side + j] = n.x[0][b * square + j * side + b + 1];
}
void pick_batch_loop_backward(const Node& n) {
  std::fill_n(n.dx[0], elements, 0.0f);
  for (int64_t b = 0; b < 4; ++b)
    for (int64_t j = 0; j < side; ++j) n.dx[0][b * square + j * side + b + 1] = n.dy[b * side + j];
}
using EveryRow = Eigen::InnerStride<>;
void pick_batch_eigen(const Node& n) {
  for (int64_t b = 0; b < 4; ++b)
    Array(n.y + b * side, side) =
        Eigen::Map<const Eigen::ArrayXf, 0, EveryRow>(n.x[0] + b * square + b + 1, side, EveryRow(side));
}
void pick_batch_eigen_backward(const Node& n) {
  Array(n.dx[0], elements).setZero();
  for (int64_t b = 0; b < 4; ++b)
    Eigen::Map<Eigen::ArrayXf, 0, EveryRow>(n.dx[0] + b * square + b + 1, side, EveryRow(side)) =
        ConstArray(n.dy + b * side, side);
}

/// Of four batch elements the third; a view.
void pick_batch_elem_loop_backward(const Node& n) {
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0] + 2 * square;
  std::fill_n(n.dx[0], elements, 0.0f);
  EACH(i, square) d[i] = dy[i];
}
void pick_batch_elem_eigen_backward(const Node& n) {
  Array(n.dx[0], elements).setZero();
  Array(n.dx[0] + 2 * square, square) = ConstArray(n.dy, square);
}

constexpr int64_t kPicked[] = {2, 0};
void pick_batch_elems_loop(const Node& n) {
  for (int64_t b = 0; b < 2; ++b) {
    const float* __restrict x = n.x[0] + kPicked[b] * square;
    float* __restrict y = n.y + b * square;
    EACH(i, square) y[i] = x[i];
  }
}
void pick_batch_elems_loop_backward(const Node& n) {
  std::fill_n(n.dx[0], elements, 0.0f);
  for (int64_t b = 0; b < 2; ++b) {
    const float* __restrict dy = n.dy + b * square;
    float* __restrict d = n.dx[0] + kPicked[b] * square;
    EACH(i, square) d[i] = dy[i];
  }
}
void pick_batch_elems_eigen(const Node& n) {
  for (int64_t b = 0; b < 2; ++b) Array(n.y + b * square, square) = ConstArray(n.x[0] + kPicked[b] * square, square);
}
void pick_batch_elems_eigen_backward(const Node& n) {
  Array(n.dx[0], elements).setZero();
  for (int64_t b = 0; b < 2; ++b) Array(n.dx[0] + kPicked[b] * square, square) = ConstArray(n.dy + b * square, square);
}

// ---- two operands one below the other, or one after the other ----

void concatenate_loop(const Node& n) {
  for (int64_t j = 0; j < columns; ++j)
    for (int k = 0; k < 2; ++k) {
      const float* __restrict x = n.x[k] + j * side;
      float* __restrict y = n.y + (2 * j + k) * side;
      EACH(i, side) y[i] = x[i];
    }
}
void concatenate_loop_backward(const Node& n) {
  for (int64_t j = 0; j < columns; ++j)
    for (int k = 0; k < 2; ++k) {
      const float* __restrict dy = n.dy + (2 * j + k) * side;
      float* __restrict d = n.dx[k] + j * side;
      EACH(i, side) d[i] += dy[i];
    }
}
void concatenate_eigen(const Node& n) {
  Table(n.y, 2 * side, columns) << ConstTable(n.x[0], side, columns), ConstTable(n.x[1], side, columns);
}
void concatenate_eigen_backward(const Node& n) {
  const ConstTable dy(n.dy, 2 * side, columns);
  Table(n.dx[0], side, columns) += dy.topRows(side);
  Table(n.dx[1], side, columns) += dy.bottomRows(side);
}

void append_loop(const Node& n) {
  for (int k = 0; k < 2; ++k) {
    const float* __restrict x = n.x[k];
    float* __restrict y = n.y + k * elements;
    EACH(i, elements) y[i] = x[i];
  }
}
void append_loop_backward(const Node& n) {
  for (int k = 0; k < 2; ++k) {
    const float* __restrict dy = n.dy + k * elements;
    float* __restrict d = n.dx[k];
    EACH(i, elements) d[i] += dy[i];
  }
}
void append_eigen(const Node& n) {
  Array(n.y, 2 * elements) << ConstArray(n.x[0], elements), ConstArray(n.x[1], elements);
}
void append_eigen_backward(const Node& n) {
  for (int k = 0; k < 2; ++k) Array(n.dx[k], elements) += ConstArray(n.dy + k * elements, elements);
}

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }
#define VIEW(name) \
  {nullptr, name##_loop_backward}, { nullptr, name##_eigen_backward }

}  // namespace

std::span<const Reference> shape_references() {
  constexpr int64_t k = kElements, s = kSquare;
  static const Reference table[] = {
      {"reshape", {k}, k, VIEW(copy)},
      {"flip_gradient", {k}, k, VIEW(flip)},
      {"scale_gradient", {k}, k, VIEW(scale)},
      {"transpose", {k}, k, SIDES(transpose)},
      {"transpose_dims", {k}, k, SIDES(transpose_dims)},
      {"select_rows", {k}, k, {select_rows_loop, select_rows_loop_backward}, {select_rows_eigen}},
      {"select_cols", {k}, s, {select_cols_loop, select_cols_loop_backward}, {select_cols_eigen}},
      {"pick", {k}, kColumns, SIDES(pick)},
      {"pick_batch", {k}, kColumns, SIDES(pick_batch)},
      {"pick_range", {k}, k / 2, SIDES(pick_range)},
      {"pick_batch_elem", {k}, s, VIEW(pick_batch_elem)},
      {"pick_batch_elems", {k}, 2 * s, SIDES(pick_batch_elems)},
      {"strided_select", {k}, 32 * 86, SIDES(strided_select)},
      {"concatenate", {k, k}, 2 * k, SIDES(concatenate)},
      {"concatenate_cols", {k, k}, 2 * k, SIDES(append)},
      {"concatenate_to_batch", {k, k}, 2 * k, SIDES(append)}};
  return table;
}

}  // namespace references

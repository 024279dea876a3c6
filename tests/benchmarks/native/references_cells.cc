// The parts of LSTM cells: 64 columns {256} of gates from inputs and states {64}, else vectors {4096}.
#include <algorithm>

#include "references.h"

namespace references {
namespace {

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// ---- vanilla_lstm_gates: [i; f; o; g] of b + Wx x + Wh h ----

enum { kInput, kState, kInputWeights, kStateWeights, kGateBias };

void activate(float* __restrict y) {
  EACH(i, side) y[i] = sigmoid(y[i]);
  EACH(i, side) y[side + i] = sigmoid(y[side + i] + 1);
  EACH(i, side) y[2 * side + i] = sigmoid(y[2 * side + i]);
  EACH(i, side) y[3 * side + i] = std::tanh(y[3 * side + i]);
}

void gates_loop(const Node& n) {
  for (int64_t j = 0; j < side; ++j) {
    float* __restrict y = n.y + j * columns;
    std::copy_n(n.x[kGateBias], columns, y);
    for (int part = 0; part < 2; ++part)
      for (int64_t k = 0; k < side; ++k) {
        const float* __restrict w = n.x[kInputWeights + part] + k * columns;
        const float factor = n.x[part][k + j * side];
        EACH(i, columns) y[i] += factor * w[i];
      }
    activate(y);
  }
}

void gates_eigen(const Node& n) {
  Matrix y(n.y, columns, side);
  y.colwise() = ConstVector(n.x[kGateBias], columns);
  y.noalias() += ConstMatrix(n.x[kInputWeights], columns, side) * ConstMatrix(n.x[kInput], side, side);
  y.noalias() += ConstMatrix(n.x[kStateWeights], columns, side) * ConstMatrix(n.x[kState], side, side);
  for (int64_t j = 0; j < side; ++j) {
    Array gates(n.y + j * columns, columns);
    gates.head(side) = gates.head(side).logistic();
    gates.segment(side, side) = (gates.segment(side, side) + 1).logistic();
    gates.segment(2 * side, side) = gates.segment(2 * side, side).logistic();
    gates.tail(side) = gates.tail(side).tanh();
  }
}

void gates_eigen_backward(const Node& n) {
  Matrix d(n.aux, columns, side);
  for (int64_t j = 0; j < side; ++j) {
    const ConstArray y(n.y + j * columns, columns), dy(n.dy + j * columns, columns);
    Array to(n.aux + j * columns, columns);
    to.head(3 * side) = dy.head(3 * side) * (y.head(3 * side) * (1 - y.head(3 * side)));
    to.tail(side) = dy.tail(side) * (1 - y.tail(side).square());
  }
  for (int part = 0; part < 2; ++part) {
    Matrix(n.dx[part], side, side).noalias() = ConstMatrix(n.x[kInputWeights + part], columns, side).transpose() * d;
    Matrix(n.dx[kInputWeights + part], columns, side).noalias() += d * ConstMatrix(n.x[part], side, side).transpose();
  }
  Vector(n.dx[kGateBias], columns) += d.rowwise().sum();
}

// ---- vanilla_lstm_c and vanilla_lstm_h ----

void c_loop(const Node& n) {
  const float* __restrict c = n.x[0];
  const float* __restrict gates = n.x[1];
  float* __restrict y = n.y;
  const int64_t m = square;
  EACH(i, m) y[i] = gates[m + i] * c[i] + gates[i] * gates[3 * m + i];
}
void c_loop_backward(const Node& n) {
  const float* __restrict c = n.x[0];
  const float* __restrict gates = n.x[1];
  const float* __restrict dy = n.dy;
  float* __restrict dc = n.dx[0];
  float* __restrict d = n.dx[1];
  const int64_t m = square;
  EACH(i, m) {
    dc[i] += dy[i] * gates[m + i];
    d[i] += dy[i] * gates[3 * m + i];
    d[m + i] += dy[i] * c[i];
    d[3 * m + i] += dy[i] * gates[i];
  }
}
void c_eigen(const Node& n) {
  const ConstArray c(n.x[0], square);
  const ConstTable gates(n.x[1], square, 4);
  Array(n.y, square) = gates.col(1) * c + gates.col(0) * gates.col(3);
}
void c_eigen_backward(const Node& n) {
  const ConstArray c(n.x[0], square), dy(n.dy, square);
  const ConstTable gates(n.x[1], square, 4);
  Array(n.dx[0], square) += dy * gates.col(1);
  Table d(n.dx[1], square, 4);
  d.col(0) += dy * gates.col(3);
  d.col(1) += dy * c;
  d.col(3) += dy * gates.col(0);
}

void h_loop(const Node& n) {
  const float* __restrict c = n.x[0];
  const float* __restrict o = n.x[1] + 2 * square;
  float* __restrict t = n.aux;
  float* __restrict y = n.y;
  EACH(i, square) {
    t[i] = std::tanh(c[i]);
    y[i] = o[i] * t[i];
  }
}
void h_loop_backward(const Node& n) {
  const float* __restrict t = n.aux;
  const float* __restrict o = n.x[1] + 2 * square;
  const float* __restrict dy = n.dy;
  float* __restrict dc = n.dx[0];
  float* __restrict d = n.dx[1] + 2 * square;
  EACH(i, square) {
    dc[i] += dy[i] * o[i] * (1 - t[i] * t[i]);
    d[i] += dy[i] * t[i];
  }
}
void h_eigen(const Node& n) {
  Array t(n.aux, square);
  t = ConstArray(n.x[0], square).tanh();
  Array(n.y, square) = ConstArray(n.x[1] + 2 * square, square) * t;
}
void h_eigen_backward(const Node& n) {
  const ConstArray t(n.aux, square), o(n.x[1] + 2 * square, square), dy(n.dy, square);
  Array(n.dx[0], square) += dy * o * (1 - t.square());
  Array(n.dx[1] + 2 * square, square) += dy * t;
}

// ---- tree_lstm_c with two children, operands [i; o; u], f, c, f, c; and tree_lstm_h ----

void tree_c_loop(const Node& n) {
  const int64_t m = square;
  const float* __restrict iou = n.x[0];
  const float* __restrict f1 = n.x[1];
  const float* __restrict c1 = n.x[2];
  const float* __restrict f2 = n.x[3];
  const float* __restrict c2 = n.x[4];
  float* __restrict kept = n.aux;
  float* __restrict y = n.y;
  EACH(i, m) {
    const float in = sigmoid(iou[i]), u = std::tanh(iou[2 * m + i]), s1 = sigmoid(f1[i]), s2 = sigmoid(f2[i]);
    kept[i] = in;
    kept[m + i] = u;
    kept[2 * m + i] = s1;
    kept[3 * m + i] = s2;
    y[i] = in * u + s1 * c1[i] + s2 * c2[i];
  }
}
void tree_c_loop_backward(const Node& n) {
  const int64_t m = square;
  const float* __restrict kept = n.aux;
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  EACH(i, m) {
    const float in = kept[i], u = kept[m + i];
    d[i] += dy[i] * u * in * (1 - in);
    d[2 * m + i] += dy[i] * in * (1 - u * u);
  }
  for (int child = 0; child < 2; ++child) {
    const float* __restrict s = kept + (2 + child) * m;
    const float* __restrict c = n.x[2 + 2 * child];
    float* __restrict df = n.dx[1 + 2 * child];
    float* __restrict dc = n.dx[2 + 2 * child];
    EACH(i, m) {
      df[i] += dy[i] * c[i] * s[i] * (1 - s[i]);
      dc[i] += dy[i] * s[i];
    }
  }
}
void tree_c_eigen(const Node& n) {
  const ConstTable iou(n.x[0], square, 3);
  Table kept(n.aux, square, 4);
  kept.col(0) = iou.col(0).logistic();
  kept.col(1) = iou.col(2).tanh();
  kept.col(2) = ConstArray(n.x[1], square).logistic();
  kept.col(3) = ConstArray(n.x[3], square).logistic();
  Array(n.y, square) =
      kept.col(0) * kept.col(1) + kept.col(2) * ConstArray(n.x[2], square) + kept.col(3) * ConstArray(n.x[4], square);
}
void tree_c_eigen_backward(const Node& n) {
  const ConstArray dy(n.dy, square);
  const ConstTable kept(n.aux, square, 4);
  Table d(n.dx[0], square, 3);
  d.col(0) += dy * kept.col(1) * kept.col(0) * (1 - kept.col(0));
  d.col(2) += dy * kept.col(0) * (1 - kept.col(1).square());
  for (int child = 0; child < 2; ++child) {
    const auto s = kept.col(2 + child);
    Array(n.dx[1 + 2 * child], square) += dy * ConstArray(n.x[2 + 2 * child], square) * s * (1 - s);
    Array(n.dx[2 + 2 * child], square) += dy * s;
  }
}

void tree_h_loop(const Node& n) {
  const int64_t m = square;
  const float* __restrict o = n.x[0] + m;
  const float* __restrict c = n.x[1];
  float* __restrict kept = n.aux;
  float* __restrict y = n.y;
  EACH(i, m) {
    const float s = sigmoid(o[i]), t = std::tanh(c[i]);
    kept[i] = s;
    kept[m + i] = t;
    y[i] = s * t;
  }
}
void tree_h_loop_backward(const Node& n) {
  const int64_t m = square;
  const float* __restrict kept = n.aux;
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0] + m;
  float* __restrict dc = n.dx[1];
  EACH(i, m) {
    const float s = kept[i], t = kept[m + i];
    d[i] += dy[i] * t * s * (1 - s);
    dc[i] += dy[i] * s * (1 - t * t);
  }
}
void tree_h_eigen(const Node& n) {
  Table kept(n.aux, square, 2);
  kept.col(0) = ConstArray(n.x[0] + square, square).logistic();
  kept.col(1) = ConstArray(n.x[1], square).tanh();
  Array(n.y, square) = kept.col(0) * kept.col(1);
}
void tree_h_eigen_backward(const Node& n) {
  const ConstArray dy(n.dy, square), s(n.aux, square), t(n.aux + square, square);
  Array(n.dx[0] + square, square) += dy * t * s * (1 - s);
  Array(n.dx[1], square) += dy * s * (1 - t.square());
}

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }

}  // namespace

std::span<const Reference> cell_references() {
  constexpr int64_t k = kElements, s = kSquare;
  static const Reference table[] = {
      {"vanilla_lstm_gates", {s, s, k, k, kColumns}, k, {gates_loop}, {gates_eigen, gates_eigen_backward}, k},
      {"vanilla_lstm_c", {s, k}, s, SIDES(c)},
      {"vanilla_lstm_h", {s, k}, s, SIDES(h), s},
      {"tree_lstm_c", {3 * s, s, s, s, s}, s, SIDES(tree_c), 4 * s},
      {"tree_lstm_h", {3 * s, s}, s, SIDES(tree_h), 2 * s}};
  return table;
}

}  // namespace references

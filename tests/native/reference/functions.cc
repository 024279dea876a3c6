// Operations that are no polynomials: elementwise functions, quotients, softmax and the losses with a label.
#include <cmath>
#include <limits>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// Below this, the logarithms of binary_log_loss stay as they are.
double bounded(double x) { return std::max(x, static_cast<double>(std::numeric_limits<float>::min())); }

// One function of one element; its derivative is of the element and the function's value.
template <double (*f)(double x), double (*derivative)(double x, double y)>
Rule elementwise(std::string_view name) {
  return {.name = name,
          .shape = same_shape,
          .forward =
              [](const Context& c) {
                for (size_t i = 0; i < c.y.size(); ++i) c.y[i] = f((*c.x[0])[i]);
              },
          .backward =
              [](const Context& c) {
                for (size_t i = 0; i < c.y.size(); ++i) (*c.dx[0])[i] += c.dy[i] * derivative((*c.x[0])[i], c.y[i]);
              }};
}

// ---- quotients ----

void cdiv_forward(const Context& x) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    x.y[static_cast<size_t>(i)] = (*x.x[0])[static_cast<size_t>(place(x.x_shapes[0], c))] /
                                  (*x.x[1])[static_cast<size_t>(place(x.x_shapes[1], c))];
  });
}

void cdiv_backward(const Context& x) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    const auto at_a = static_cast<size_t>(place(x.x_shapes[0], c));
    const auto at_b = static_cast<size_t>(place(x.x_shapes[1], c));
    const double a = (*x.x[0])[at_a];
    const double b = (*x.x[1])[at_b];
    (*x.dx[0])[at_a] += x.dy[static_cast<size_t>(i)] / b;
    (*x.dx[1])[at_b] -= x.dy[static_cast<size_t>(i)] * a / (b * b);
  });
}

// ---- softmax and its relatives ----

// n elements of a tensor, `step` apart.
struct Line {
  size_t begin, step, n;
  size_t at(size_t i) const { return begin + i * step; }
};

// The lines of a matrix, batch included, along one of its dimensions.
std::vector<Line> lines(const Shape& s, int32_t dim) {
  const auto rows = static_cast<size_t>(s.d[0]);
  const auto cols = static_cast<size_t>(s.d[1]);
  std::vector<Line> result;
  for (size_t b = 0; b < static_cast<size_t>(s.batch); ++b)
    for (size_t i = 0; i < (dim == 0 ? cols : rows); ++i)
      result.push_back(dim == 0 ? Line{(b * cols + i) * rows, 1, rows} : Line{b * cols * rows + i, rows, cols});
  return result;
}

// ln sum exp, of numbers of any size.
double log_sum_exp(const Numbers& x, const Line& line) {
  double most = x[line.at(0)];
  for (size_t i = 1; i < line.n; ++i) most = std::max(most, x[line.at(i)]);
  double sum = 0;
  for (size_t i = 0; i < line.n; ++i) sum += std::exp(x[line.at(i)] - most);
  return most + std::log(sum);
}

Shape log_softmax_shape(const Signature& s) {
  require(s.x.at(0).is_matrix(), s, "no matrix");
  return s.x[0];
}

Shape softmax_shape(const Signature& s) {
  require(s.attributes.dim == 0 || s.attributes.dim == 1, s, "no such dimension");
  return log_softmax_shape(s);
}

void softmax_forward(const Context& c) {
  for (const Line& line : lines(c.shape, c.attributes.dim)) {
    const double z = log_sum_exp(*c.x[0], line);
    for (size_t i = 0; i < line.n; ++i) c.y[line.at(i)] = std::exp((*c.x[0])[line.at(i)] - z);
  }
}

void softmax_backward(const Context& c) {
  for (const Line& line : lines(c.shape, c.attributes.dim))
    for (size_t i = 0; i < line.n; ++i)
      for (size_t j = 0; j < line.n; ++j)
        (*c.dx[0])[line.at(j)] += c.dy[line.at(i)] * c.y[line.at(i)] * ((i == j ? 1.0 : 0.0) - c.y[line.at(j)]);
}

void log_softmax_forward(const Context& c) {
  for (const Line& line : lines(c.shape, 0)) {
    const double z = log_sum_exp(*c.x[0], line);
    for (size_t i = 0; i < line.n; ++i) c.y[line.at(i)] = (*c.x[0])[line.at(i)] - z;
  }
}

void log_softmax_backward(const Context& c) {
  for (const Line& line : lines(c.shape, 0))
    for (size_t i = 0; i < line.n; ++i)
      for (size_t j = 0; j < line.n; ++j)
        (*c.dx[0])[line.at(j)] += c.dy[line.at(i)] * ((i == j ? 1.0 : 0.0) - std::exp(c.y[line.at(j)]));
}

// ---- losses with a label ----

Shape label_shape(const Signature& s) {
  require(s.x.at(0).is_vector(), s, "no vector");
  require(!s.attributes.indices.empty(), s, "no labels");
  for (const int32_t label : s.attributes.indices) require(label >= 0 && label < s.x[0].d[0], s, "no such label");
  return Shape({1}, s.x[0].batch);
}

Shape label_batch_shape(const Signature& s) {
  Shape y = label_shape(s);
  const auto count = static_cast<int64_t>(s.attributes.indices.size());
  require(y.batch == 1 || y.batch == count, s, "another number of labels");
  y.batch = count;
  return y;
}

// Calls f(batch element, column of x, label's place in x) for each batch element of the result.
template <class F>
void each_label(const Context& c, F f) {
  const Indices& labels = c.attributes.indices;
  const auto n = static_cast<size_t>(c.x_shapes[0].d[0]);
  for (size_t b = 0; b < static_cast<size_t>(c.shape.batch); ++b) {
    const Line column{c.x_shapes[0].batch == 1 ? 0 : b * n, 1, n};
    f(b, column, column.begin + static_cast<size_t>(labels[labels.size() == 1 ? 0 : b]));
  }
}

void pick_neg_log_softmax_forward(const Context& c) {
  each_label(
      c, [&](size_t b, const Line& column, size_t label) { c.y[b] = log_sum_exp(*c.x[0], column) - (*c.x[0])[label]; });
}

void pick_neg_log_softmax_backward(const Context& c) {
  each_label(c, [&](size_t b, const Line& column, size_t label) {
    const double z = log_sum_exp(*c.x[0], column);
    for (size_t i = 0; i < column.n; ++i) (*c.dx[0])[column.at(i)] += c.dy[b] * std::exp((*c.x[0])[column.at(i)] - z);
    (*c.dx[0])[label] -= c.dy[b];
  });
}

Shape hinge_shape(const Signature& s) {
  require(s.attributes.scalar >= 0, s, "a negative margin");
  return label_shape(s);
}

void hinge_forward(const Context& c) {
  each_label(c, [&](size_t b, const Line& column, size_t label) {
    const Numbers& x = *c.x[0];
    for (size_t j = column.begin; j < column.begin + column.n; ++j)
      if (j != label) c.y[b] += std::max(0.0, c.attributes.scalar - x[label] + x[j]);
  });
}

void hinge_backward(const Context& c) {
  each_label(c, [&](size_t b, const Line& column, size_t label) {
    const Numbers& x = *c.x[0];
    for (size_t j = column.begin; j < column.begin + column.n; ++j) {
      if (j == label || c.attributes.scalar - x[label] + x[j] <= 0) continue;
      (*c.dx[0])[j] += c.dy[b];
      (*c.dx[0])[label] -= c.dy[b];
    }
  });
}

}  // namespace

const std::vector<Rule> kFunctions = {
    elementwise<[](double x) { return std::tanh(x); }, [](double, double y) { return 1 - y * y; }>("tanh"),
    elementwise<logistic, [](double, double y) { return y * (1 - y); }>("logistic"),
    elementwise<[](double x) { return std::max(x, 0.0); }, [](double x, double) { return 0 < x ? 1.0 : 0.0; }>(
        "rectify"),
    elementwise<[](double x) { return std::exp(x); }, [](double, double y) { return y; }>("exp"),
    elementwise<[](double x) { return std::log(x); }, [](double x, double) { return 1 / x; }>("log"),
    elementwise<[](double x) { return std::sqrt(x); }, [](double, double y) { return 0.5 / y; }>("sqrt"),
    // Of binary_log_loss; no operation of its own.
    elementwise<[](double x) { return std::log(bounded(x)); }, [](double x, double) { return 1 / bounded(x); }>(
        "bounded_log"),
    {.name = "cdiv", .shape = broadcast_shape, .forward = cdiv_forward, .backward = cdiv_backward},
    {.name = "softmax", .shape = softmax_shape, .forward = softmax_forward, .backward = softmax_backward},
    {.name = "log_softmax",
     .shape = log_softmax_shape,
     .forward = log_softmax_forward,
     .backward = log_softmax_backward},
    {.name = "pick_neg_log_softmax",
     .shape = label_shape,
     .forward = pick_neg_log_softmax_forward,
     .backward = pick_neg_log_softmax_backward},
    {.name = "pick_neg_log_softmax_batch",
     .shape = label_batch_shape,
     .forward = pick_neg_log_softmax_forward,
     .backward = pick_neg_log_softmax_backward},
    {.name = "hinge", .shape = hinge_shape, .forward = hinge_forward, .backward = hinge_backward},
};

}  // namespace dynnet::reference

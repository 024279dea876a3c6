// Softmax and what is like it, and the losses with labels.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

// ---- softmax and its relatives ----

// n elements of a tensor, `step` apart.
struct Line {
  size_t begin, step, n;
  size_t at(size_t i) const { return begin + i * step; }
};

// The lines of a tensor, batch included, along one of its dimensions.
std::vector<Line> lines(const Shape& s, int32_t dim) {
  size_t inner = 1;
  for (size_t i = 0; i < static_cast<size_t>(dim); ++i) inner *= static_cast<size_t>(s.d[i]);
  const auto n = static_cast<size_t>(s.d[static_cast<size_t>(dim)]);
  std::vector<Line> result;
  for (size_t block = 0; block < static_cast<size_t>(s.total()) / (inner * n); ++block)
    for (size_t i = 0; i < inner; ++i) result.push_back({block * inner * n + i, inner, n});
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
  const Shape& x = s.x.at(0);
  const int32_t dim = s.attributes.dim;
  require(dim >= 0 && dim < DN_MAX_DIMS, s, "no such dimension");
  // Of trailing sizes of 1 only that of a vector counts.
  require(dim <= 1 || std::any_of(x.d.begin() + dim, x.d.end(), [](int64_t size) { return size > 1; }), s,
          "no such dimension");
  return x;
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

// The elements of a line that the operation is restricted to, each once.
std::set<size_t> restricted(const Context& c, const Line& line) {
  std::set<size_t> places;
  for (const int32_t index : c.attributes.indices) places.insert(line.at(static_cast<size_t>(index)));
  return places;
}

Shape restricted_shape(const Signature& s) {
  require(!s.attributes.indices.empty(), s, "no elements");
  for (const int32_t index : s.attributes.indices) require(index >= 0 && index < s.x.at(0).d[0], s, "no such element");
  return log_softmax_shape(s);
}

void restricted_forward(const Context& c) {
  std::fill(c.y.begin(), c.y.end(), -std::numeric_limits<double>::infinity());
  for (const Line& line : lines(c.shape, 0)) {
    Numbers own;
    for (const size_t i : restricted(c, line)) own.push_back((*c.x[0])[i]);
    const double z = log_sum_exp(own, {0, 1, own.size()});
    for (const size_t i : restricted(c, line)) c.y[i] = (*c.x[0])[i] - z;
  }
}

void restricted_backward(const Context& c) {
  for (const Line& line : lines(c.shape, 0))
    for (const size_t i : restricted(c, line))
      for (const size_t j : restricted(c, line)) (*c.dx[0])[j] += c.dy[i] * ((i == j ? 1.0 : 0.0) - std::exp(c.y[j]));
}

// ---- sparsemax ----

// The threshold of sparsemax, from the sorted elements: of the k largest, for the largest k that leaves all of them
// above it.
double sparsemax_threshold(const Numbers& x, const Line& line) {
  Numbers sorted;
  for (size_t i = 0; i < line.n; ++i) sorted.push_back(x[line.at(i)]);
  std::sort(sorted.rbegin(), sorted.rend());
  double sum = 0;
  double threshold = 0;
  for (size_t k = 0; k < line.n; ++k) {
    sum += sorted[k];
    const double t = (sum - 1) / static_cast<double>(k + 1);
    if (t < sorted[k]) threshold = t;
  }
  return threshold;
}

void sparsemax_forward(const Context& c) {
  for (const Line& line : lines(c.shape, 0)) {
    const double t = sparsemax_threshold(*c.x[0], line);
    for (size_t i = 0; i < line.n; ++i) c.y[line.at(i)] = std::max(0.0, (*c.x[0])[line.at(i)] - t);
  }
}

void sparsemax_backward(const Context& c) {
  for (const Line& line : lines(c.shape, 0)) {
    std::vector<size_t> support;
    for (size_t i = 0; i < line.n; ++i)
      if (c.y[line.at(i)] > 0) support.push_back(line.at(i));
    for (const size_t i : support)
      for (const size_t j : support)
        (*c.dx[0])[j] += c.dy[i] * ((i == j ? 1.0 : 0.0) - 1 / static_cast<double>(support.size()));
  }
}

// The distribution of the labels.
Numbers target(const Context& c) {
  Numbers q(static_cast<size_t>(c.x_shapes[0].d[0]), 0);
  for (const int32_t label : c.attributes.indices)
    q[static_cast<size_t>(label)] += 1 / static_cast<double>(c.attributes.indices.size());
  return q;
}

void sparsemax_loss_forward(const Context& c) {
  const Numbers q = target(c);
  const std::vector<Line> columns = lines(c.x_shapes[0], 0);
  for (size_t b = 0; b < columns.size(); ++b) {
    const double t = sparsemax_threshold(*c.x[0], columns[b]);
    double loss = 0;
    for (size_t i = 0; i < columns[b].n; ++i) {
      const double x = (*c.x[0])[columns[b].at(i)];
      if (x > t) loss += (x * x - t * t) / 2;
      loss += q[i] * q[i] / 2 - q[i] * x;
    }
    c.y[b] = loss;
  }
}

void sparsemax_loss_backward(const Context& c) {
  const Numbers q = target(c);
  const std::vector<Line> columns = lines(c.x_shapes[0], 0);
  for (size_t b = 0; b < columns.size(); ++b) {
    const double t = sparsemax_threshold(*c.x[0], columns[b]);
    for (size_t i = 0; i < columns[b].n; ++i) {
      const size_t at = columns[b].at(i);
      (*c.dx[0])[at] += c.dy[b] * (std::max(0.0, (*c.x[0])[at] - t) - q[i]);
    }
  }
}

// ---- constrained softmax ----

// What a batch element of the constrained softmax is computed from.
struct Constrained {
  Line x, u;
  /// Which elements are at their bounds.
  std::vector<bool> bound;
  /// What the bounds leave to the others, and the sum of those' exponentials.
  double rest = 1;
  double sum = 0;
};

Shape constrained_shape(const Signature& s) {
  require(s.x.at(0).is_vector() && s.x[0].d == s.x.at(1).d, s, "no vectors of one size");
  Shape y = s.x[0];
  y.batch = common_batch(s, s.x[0].batch, s.x[1].batch);
  return y;
}

// Puts one element after the other at its bound, the one that is furthest beyond it first.
Constrained constrained(const Context& c, size_t b) {
  const auto n = static_cast<size_t>(c.shape.d[0]);
  auto line = [&](size_t operand) { return Line{c.x_shapes[operand].batch == 1 ? 0 : b * n, 1, n}; };
  Constrained result{line(0), line(1), std::vector<bool>(n, false)};
  const Numbers& x = *c.x[0];
  const Numbers& u = *c.x[1];
  for (;;) {
    result.rest = 1;
    result.sum = 0;
    for (size_t i = 0; i < n; ++i) {
      if (result.bound[i])
        result.rest -= u[result.u.at(i)];
      else
        result.sum += std::exp(x[result.x.at(i)]);
    }
    size_t furthest = n;
    double most = 1;
    for (size_t i = 0; i < n; ++i) {
      if (result.bound[i]) continue;
      const double times = std::exp(x[result.x.at(i)]) * result.rest / result.sum / u[result.u.at(i)];
      if (times <= most) continue;
      most = times;
      furthest = i;
    }
    if (furthest == n) return result;
    result.bound[furthest] = true;
  }
}

void constrained_forward(const Context& c) {
  const auto n = static_cast<size_t>(c.shape.d[0]);
  for (size_t b = 0; b < static_cast<size_t>(c.shape.batch); ++b) {
    const Constrained s = constrained(c, b);
    for (size_t i = 0; i < n; ++i)
      c.y[b * n + i] = s.bound[i] ? (*c.x[1])[s.u.at(i)] : std::exp((*c.x[0])[s.x.at(i)]) * s.rest / s.sum;
  }
}

void constrained_backward(const Context& c) {
  const auto n = static_cast<size_t>(c.shape.d[0]);
  for (size_t b = 0; b < static_cast<size_t>(c.shape.batch); ++b) {
    const Constrained s = constrained(c, b);
    for (size_t i = 0; i < n; ++i) {
      const double dy = c.dy[b * n + i];
      if (s.bound[i]) {
        (*c.dx[1])[s.u.at(i)] += dy;
        continue;
      }
      const double part = c.y[b * n + i] / s.rest;
      for (size_t j = 0; j < n; ++j) {
        if (s.bound[j])
          (*c.dx[1])[s.u.at(j)] -= dy * part;
        else
          (*c.dx[0])[s.x.at(j)] += dy * c.y[b * n + i] * ((i == j ? 1.0 : 0.0) - c.y[b * n + j] / s.rest);
      }
    }
  }
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

Shape hinge_batch_shape(const Signature& s) {
  require(s.attributes.scalar >= 0, s, "a negative margin");
  return label_batch_shape(s);
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

// Calls f(loss, line of x, label's place in x) for each loss.
template <class F>
void each_hinge(const Context& c, F f) {
  const Indices& labels = c.attributes.indices;
  const std::vector<Line> all = lines(c.x_shapes[0], c.attributes.dim);
  for (size_t i = 0; i < c.y.size(); ++i) {
    const Line& line = all[i % all.size()];
    f(i, line, line.at(static_cast<size_t>(labels[i % labels.size()])));
  }
}

Shape hinge_dim_shape(const Signature& s) {
  const Attributes& a = s.attributes;
  const Shape& x = s.x.at(0);
  require(a.scalar >= 0, s, "a negative margin");
  require(a.dim == 0 || a.dim == 1, s, "no such dimension");
  require(x.is_matrix(), s, "no matrix");
  const int64_t losses = x.d[1 - static_cast<size_t>(a.dim)];
  const auto count = static_cast<int64_t>(a.indices.size());
  require(count > 0 && count % losses == 0, s, "another number of labels");
  require(count == losses || x.batch == 1 || count == losses * x.batch, s, "another number of labels");
  for (const int32_t label : a.indices)
    require(label >= 0 && label < x.d[static_cast<size_t>(a.dim)], s, "no such label");
  return Shape({losses}, std::max(x.batch, count / losses));
}

void hinge_dim_forward(const Context& c) {
  each_hinge(c, [&](size_t i, const Line& line, size_t label) {
    const Numbers& x = *c.x[0];
    for (size_t j = 0; j < line.n; ++j)
      if (line.at(j) != label) c.y[i] += std::max(0.0, c.attributes.scalar - x[label] + x[line.at(j)]);
  });
}

void hinge_dim_backward(const Context& c) {
  each_hinge(c, [&](size_t i, const Line& line, size_t label) {
    const Numbers& x = *c.x[0];
    for (size_t j = 0; j < line.n; ++j) {
      if (line.at(j) == label || c.attributes.scalar - x[label] + x[line.at(j)] <= 0) continue;
      (*c.dx[0])[line.at(j)] += c.dy[i];
      (*c.dx[0])[label] -= c.dy[i];
    }
  });
}

}  // namespace

const std::vector<Rule> kLosses = {
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
    {.name = "hinge_batch", .shape = hinge_batch_shape, .forward = hinge_forward, .backward = hinge_backward},
    {.name = "hinge_dim", .shape = hinge_dim_shape, .forward = hinge_dim_forward, .backward = hinge_dim_backward},
    {.name = "log_softmax_restricted",
     .shape = restricted_shape,
     .forward = restricted_forward,
     .backward = restricted_backward},
    {.name = "sparsemax", .shape = log_softmax_shape, .forward = sparsemax_forward, .backward = sparsemax_backward},
    {.name = "constrained_softmax",
     .shape = constrained_shape,
     .forward = constrained_forward,
     .backward = constrained_backward},
    {.name = "sparsemax_loss",
     .shape = label_shape,
     .forward = sparsemax_loss_forward,
     .backward = sparsemax_loss_backward},
};

}  // namespace dynnet::reference

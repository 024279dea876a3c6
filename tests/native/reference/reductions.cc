// Reductions over any dimensions, and what goes along one of them: for each result the list of its elements.
#include <algorithm>
#include <cmath>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

/// What an operation reduces: dimensions, as bits, and the batch; of moments, their order and divisor, 0 for the number
/// of elements.
struct Kind {
  uint32_t dims = 0;
  bool batch = false;
  int32_t order = 1;
  int32_t divisor = 0;
};

constexpr uint32_t kAll = (uint32_t{1} << DN_MAX_DIMS) - 1;

uint32_t bits(const Indices& dims) {
  uint32_t result = 0;
  for (const int32_t dim : dims) result |= uint32_t{1} << dim;
  return result;
}

// ---- the kinds, by attributes ----

Kind sum_dim(const Attributes& a) { return {bits(a.dims), a.batch != 0, 1, 1}; }
Kind sum_rows(const Attributes&) { return {1, false, 1, 1}; }
Kind sum_cols(const Attributes&) { return {2, false, 1, 1}; }
Kind elements(const Attributes&) { return {kAll}; }
Kind batches(const Attributes&) { return {0, true}; }
Kind mean_dim(const Attributes& a) { return {bits(a.dims), a.batch != 0, 1, a.divisor}; }
Kind average_cols(const Attributes&) { return {2}; }
Kind moment_elems(const Attributes& a) { return {kAll, false, a.order}; }
Kind moment_batches(const Attributes& a) { return {0, true, a.order}; }
Kind moment_dim(const Attributes& a) { return {bits(a.dims), a.batch != 0, a.order, a.divisor}; }
Kind one_dim(const Attributes& a) { return {uint32_t{1} << a.dim}; }
Kind vectors(const Attributes&) { return {1}; }

// ---- shapes ----

Shape reduced(const Shape& x, const Kind& kind) {
  Shape y;
  size_t next = 0;
  for (size_t i = 0; i < DN_MAX_DIMS; ++i)
    if ((kind.dims >> i & 1) == 0) y.d[next++] = x.d[i];
  y.batch = kind.batch ? 1 : x.batch;
  return y;
}

template <Kind (*kind)(const Attributes&)>
Shape reduced_shape(const Signature& s) {
  const Kind k = kind(s.attributes);
  require(k.order >= 1, s, "no such moment");
  require(k.divisor >= 0, s, "a negative divisor");
  return reduced(s.x.at(0), k);
}

template <Kind (*kind)(const Attributes&)>
Shape listed_shape(const Signature& s) {
  Indices dims = s.attributes.dims;
  std::sort(dims.begin(), dims.end());
  require(std::adjacent_find(dims.begin(), dims.end()) == dims.end(), s, "a dimension twice");
  for (const int32_t dim : dims) require(dim >= 0 && dim < DN_MAX_DIMS, s, "no such dimension");
  require(!dims.empty() || s.attributes.batch != 0, s, "nothing to reduce");
  return reduced_shape<kind>(s);
}

void require_dim(const Signature& s) {
  require(s.attributes.dim >= 0 && s.attributes.dim < DN_MAX_DIMS, s, "no such dimension");
}

Shape one_dim_shape(const Signature& s) {
  require_dim(s);
  return reduced_shape<one_dim>(s);
}

Shape cumsum_shape(const Signature& s) {
  require_dim(s);
  return s.x.at(0);
}

Shape argmax_shape(const Signature& s) {
  require(s.attributes.mode == 0 || s.attributes.mode == 1, s, "no such mode");
  return s.x.at(0);
}

// ---- the elements of x that each result is made of, in ascending order ----

using Groups = std::vector<std::vector<size_t>>;

Groups groups(const Shape& x, const Kind& kind) {
  const Shape y = reduced(x, kind);
  Groups result(static_cast<size_t>(y.total()));
  each_element(x, [&](const Coordinates& c, int64_t i) {
    Coordinates to{};
    size_t next = 0;
    for (size_t dim = 0; dim < DN_MAX_DIMS; ++dim)
      if ((kind.dims >> dim & 1) == 0) to[next++] = c[dim];
    to[kBatch] = kind.batch ? 0 : c[kBatch];
    result[static_cast<size_t>(place(y, to))].push_back(static_cast<size_t>(i));
  });
  return result;
}

// Calls f(place in y, the elements) for each result.
template <Kind (*kind)(const Attributes&), class F>
void each_group(const Context& c, F f) {
  const Groups all = groups(c.x_shapes[0], kind(c.attributes));
  for (size_t i = 0; i < all.size(); ++i) f(i, all[i]);
}

double divisor(const Kind& kind, const std::vector<size_t>& group) {
  return kind.divisor > 0 ? kind.divisor : static_cast<double>(group.size());
}

// ---- moments ----

template <Kind (*kind)(const Attributes&)>
void moment_forward(const Context& c) {
  const Kind k = kind(c.attributes);
  each_group<kind>(c, [&](size_t i, const std::vector<size_t>& group) {
    for (const size_t at : group) c.y[i] += std::pow((*c.x[0])[at], k.order) / divisor(k, group);
  });
}

template <Kind (*kind)(const Attributes&)>
void moment_backward(const Context& c) {
  const Kind k = kind(c.attributes);
  each_group<kind>(c, [&](size_t i, const std::vector<size_t>& group) {
    for (const size_t at : group)
      (*c.dx[0])[at] += c.dy[i] * k.order * std::pow((*c.x[0])[at], k.order - 1) / divisor(k, group);
  });
}

template <Kind (*kind)(const Attributes&)>
Rule moment(std::string_view name, Shape (*shape)(const Signature&) = reduced_shape<kind>) {
  return {.name = name, .shape = shape, .forward = moment_forward<kind>, .backward = moment_backward<kind>};
}

// ---- standard deviations ----

// About the first element, so that equal ones have a deviation of 0.
double mean(const Numbers& x, const std::vector<size_t>& group, double n) {
  const double first = x[group[0]];
  double sum = 0;
  for (const size_t at : group) sum += x[at] - first;
  return first * (static_cast<double>(group.size()) / n) + sum / n;
}

template <Kind (*kind)(const Attributes&)>
void std_forward(const Context& c) {
  each_group<kind>(c, [&](size_t i, const std::vector<size_t>& group) {
    const double n = divisor(kind(c.attributes), group);
    const double m = mean(*c.x[0], group, n);
    double squares = 0;
    for (const size_t at : group) squares += ((*c.x[0])[at] - m) * ((*c.x[0])[at] - m);
    c.y[i] = std::sqrt(squares / n);
  });
}

// By the chain rule through each distance from the mean, of which every element changes all.
template <Kind (*kind)(const Attributes&)>
void std_backward(const Context& c) {
  each_group<kind>(c, [&](size_t i, const std::vector<size_t>& group) {
    const double n = divisor(kind(c.attributes), group);
    const double m = mean(*c.x[0], group, n);
    if (c.y[i] == 0) return;
    double distances = 0;
    for (const size_t at : group) distances += (*c.x[0])[at] - m;
    for (const size_t at : group) (*c.dx[0])[at] += c.dy[i] / (n * c.y[i]) * ((*c.x[0])[at] - m - distances / n);
  });
}

template <Kind (*kind)(const Attributes&)>
Rule deviation(std::string_view name, Shape (*shape)(const Signature&) = reduced_shape<kind>) {
  return {.name = name, .shape = shape, .forward = std_forward<kind>, .backward = std_backward<kind>};
}

// ---- the norm ----

void l2_norm_forward(const Context& c) {
  each_group<elements>(c, [&](size_t i, const std::vector<size_t>& group) {
    double squares = 0;
    for (const size_t at : group) squares += (*c.x[0])[at] * (*c.x[0])[at];
    c.y[i] = std::sqrt(squares);
  });
}

void l2_norm_backward(const Context& c) {
  each_group<elements>(c, [&](size_t i, const std::vector<size_t>& group) {
    if (c.y[i] == 0) return;
    for (const size_t at : group) (*c.dx[0])[at] += c.dy[i] * (*c.x[0])[at] / c.y[i];
  });
}

// ---- extremes ----

// The first extreme element, `sign` -1 for the smallest.
template <int sign>
size_t extreme(const Numbers& x, const std::vector<size_t>& group) {
  size_t best = group[0];
  for (const size_t at : group)
    if (sign * x[at] > sign * x[best]) best = at;
  return best;
}

template <int sign>
Rule extreme_rule(std::string_view name) {
  return {.name = name,
          .shape = one_dim_shape,
          .forward =
              [](const Context& c) {
                each_group<one_dim>(c, [&](size_t i, const std::vector<size_t>& group) {
                  c.y[i] = (*c.x[0])[extreme<sign>(*c.x[0], group)];
                });
              },
          .backward =
              [](const Context& c) {
                each_group<one_dim>(c, [&](size_t i, const std::vector<size_t>& group) {
                  (*c.dx[0])[extreme<sign>(*c.x[0], group)] += c.dy[i];
                });
              }};
}

void argmax_forward(const Context& c) {
  each_group<vectors>(c, [&](size_t, const std::vector<size_t>& group) { c.y[extreme<1>(*c.x[0], group)] = 1; });
}

void argmax_backward(const Context& c) {
  for (size_t i = 0; i < c.dy.size(); ++i) (*c.dx[0])[i] += c.attributes.mode == 1 ? c.dy[i] : 0;
}

// ---- along one dimension ----

void logsumexp_dim_forward(const Context& c) {
  each_group<one_dim>(c, [&](size_t i, const std::vector<size_t>& group) {
    const double most = (*c.x[0])[extreme<1>(*c.x[0], group)];
    for (const size_t at : group) c.y[i] += std::exp((*c.x[0])[at] - most);
    c.y[i] = most + std::log(c.y[i]);
  });
}

void logsumexp_dim_backward(const Context& c) {
  each_group<one_dim>(c, [&](size_t i, const std::vector<size_t>& group) {
    for (const size_t at : group) (*c.dx[0])[at] += c.dy[i] * std::exp((*c.x[0])[at] - c.y[i]);
  });
}

void cumsum_terms(const Context& c, const Term& term) {
  each_group<one_dim>(c, [&](size_t, const std::vector<size_t>& group) {
    for (size_t to = 0; to < group.size(); ++to)
      for (size_t from = 0; from <= to; ++from)
        term(static_cast<int64_t>(group[to]), 1, {0, static_cast<int64_t>(group[from])}, {});
  });
}

}  // namespace

const std::vector<Rule> kReductions = {
    moment<sum_dim>("sum_dim", listed_shape<sum_dim>),
    moment<sum_rows>("sum_rows"),
    moment<sum_cols>("sum_cols"),
    moment<elements>("mean_elems"),
    moment<batches>("mean_batches"),
    moment<mean_dim>("mean_dim", listed_shape<mean_dim>),
    moment<average_cols>("average_cols"),
    moment<moment_elems>("moment_elems"),
    moment<moment_batches>("moment_batches"),
    moment<moment_dim>("moment_dim", listed_shape<moment_dim>),
    deviation<elements>("std_elems"),
    deviation<batches>("std_batches"),
    deviation<mean_dim>("std_dim", listed_shape<mean_dim>),
    {.name = "l2_norm", .shape = reduced_shape<elements>, .forward = l2_norm_forward, .backward = l2_norm_backward},
    extreme_rule<-1>("min_dim"),
    extreme_rule<1>("max_dim"),
    {.name = "argmax", .shape = argmax_shape, .forward = argmax_forward, .backward = argmax_backward},
    {.name = "logsumexp_dim",
     .shape = one_dim_shape,
     .forward = logsumexp_dim_forward,
     .backward = logsumexp_dim_backward},
    {.name = "cumsum", .shape = cumsum_shape, .terms = cumsum_terms},
};

}  // namespace dynnet::reference

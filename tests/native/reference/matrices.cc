// Linear algebra, contractions and circular convolution.
#include <cmath>
#include <utility>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

// ---- trace_of_product ----

Shape trace_of_product_shape(const Signature& s) {
  require(s.x.at(0).is_matrix(), s, "no matrices");
  return pair_to_scalar(s);
}

void trace_of_product_terms(const Context& x, const Term& term) {
  Shape both = x.x_shapes[0];
  both.batch = x.shape.batch;
  each_element(both, [&](const Coordinates& c, int64_t) { term(c[kBatch], 1, element(x, 0, c), element(x, 1, c)); });
}

// ---- inverse and logdet ----

Shape inverse_shape(const Signature& s) {
  require(s.x.at(0).is_matrix() && s.x[0].d[0] == s.x[0].d[1], s, "no square matrix");
  return s.x[0];
}

Shape logdet_shape(const Signature& s) { return Shape({1}, inverse_shape(s).batch); }

// The inverse and the determinant of a column-major {n, n} matrix, by Gauss and Jordan's elimination of rows.
std::pair<Numbers, double> eliminate(Numbers a, size_t n) {
  Numbers inverse(n * n, 0);
  for (size_t i = 0; i < n; ++i) inverse[i + i * n] = 1;
  double determinant = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i + k * n]) > std::abs(a[pivot + k * n])) pivot = i;
    if (pivot != k) determinant = -determinant;
    for (size_t j = 0; j < n; ++j) {
      std::swap(a[k + j * n], a[pivot + j * n]);
      std::swap(inverse[k + j * n], inverse[pivot + j * n]);
    }
    const double head = a[k + k * n];
    determinant *= head;
    for (size_t j = 0; j < n; ++j) {
      a[k + j * n] /= head;
      inverse[k + j * n] /= head;
    }
    for (size_t i = 0; i < n; ++i) {
      const double factor = a[i + k * n];
      if (i == k) continue;
      for (size_t j = 0; j < n; ++j) {
        a[i + j * n] -= factor * a[k + j * n];
        inverse[i + j * n] -= factor * inverse[k + j * n];
      }
    }
  }
  return {inverse, determinant};
}

// Calls f(batch element, inverse, determinant, offset of the matrix) for each matrix.
template <class F>
void each_matrix(const Context& c, F f) {
  const auto n = static_cast<size_t>(c.x_shapes[0].d[0]);
  for (size_t b = 0; b < static_cast<size_t>(c.shape.batch); ++b) {
    const auto begin = c.x[0]->begin() + static_cast<ptrdiff_t>(b * n * n);
    const auto [inverse, determinant] = eliminate(Numbers(begin, begin + static_cast<ptrdiff_t>(n * n)), n);
    f(b, inverse, determinant, b * n * n);
  }
}

void inverse_forward(const Context& c) {
  each_matrix(c, [&](size_t, const Numbers& inverse, double, size_t at) {
    for (size_t i = 0; i < inverse.size(); ++i) c.y[at + i] = inverse[i];
  });
}

// An element x_ij changes y_kl by -y_ki y_jl.
void inverse_backward(const Context& c) {
  const auto n = static_cast<size_t>(c.shape.d[0]);
  each_matrix(c, [&](size_t, const Numbers& y, double, size_t at) {
    for (size_t j = 0; j < n; ++j) {
      // dY times column j of Y^T.
      Numbers product(n, 0);
      for (size_t k = 0; k < n; ++k)
        for (size_t l = 0; l < n; ++l) product[k] += c.dy[at + k + l * n] * y[j + l * n];
      for (size_t i = 0; i < n; ++i)
        for (size_t k = 0; k < n; ++k) (*c.dx[0])[at + i + j * n] -= y[k + i * n] * product[k];
    }
  });
}

void logdet_forward(const Context& c) {
  each_matrix(c, [&](size_t b, const Numbers&, double determinant, size_t) { c.y[b] = std::log(determinant); });
}

void logdet_backward(const Context& c) {
  const auto n = static_cast<size_t>(c.x_shapes[0].d[0]);
  each_matrix(c, [&](size_t b, const Numbers& inverse, double, size_t at) {
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) (*c.dx[0])[at + i + j * n] += c.dy[b] * inverse[j + i * n];
  });
}

// ---- contractions; those with two vectors are composed of the one with one ----

Shape contract_shape(const Signature& s) {
  const Shape& x = s.x.at(0);
  require(x.size() == x.d[0] * x.d[1] * x.d[2], s, "not three dimensions");
  require(s.x.at(1).is_vector() && s.x[1].d[0] == x.d[2], s, "a vector that does not fit");
  return Shape({x.d[0], x.d[1]}, common_batch(s, x.batch, s.x[1].batch));
}

Shape contract_bias_shape(const Signature& s) {
  Shape y = contract_shape(s);
  require(s.x.at(2).d == y.d, s, "a bias that does not fit");
  y.batch = common_batch(s, y.batch, s.x[2].batch);
  return y;
}

void contract_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    for (int64_t k = 0; k < x.x_shapes[1].d[0]; ++k)
      term(i, 1, element(x, 0, {c[0], c[1], k, 0, 0, 0, 0, c[kBatch]}),
           element(x, 1, {k, 0, 0, 0, 0, 0, 0, c[kBatch]}));
    if (x.x.size() == 3) term(i, 1, element(x, 2, c), Element{});
  });
}

// ---- circular convolution and correlation ----

Shape circular_shape(const Signature& s) {
  require(s.x.at(0).is_vector() && s.x[0].d == s.x.at(1).d, s, "no vectors of one size");
  return Shape({s.x[0].d[0]}, common_batch(s, s.x[0].batch, s.x[1].batch));
}

// y_k = sum of u_i v_j with j = k - direction i, modulo n.
void circular_terms(const Context& x, const Term& term, int64_t direction) {
  const int64_t n = x.shape.d[0];
  each_element(x.shape, [&](const Coordinates& c, int64_t k) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t j = (c[0] - direction * i + n) % n;
      term(k, 1, element(x, 0, {i, 0, 0, 0, 0, 0, 0, c[kBatch]}), element(x, 1, {j, 0, 0, 0, 0, 0, 0, c[kBatch]}));
    }
  });
}

}  // namespace

const std::vector<Rule> kMatrices = {
    {.name = "trace_of_product", .shape = trace_of_product_shape, .terms = trace_of_product_terms},
    {.name = "inverse", .shape = inverse_shape, .forward = inverse_forward, .backward = inverse_backward},
    {.name = "logdet", .shape = logdet_shape, .forward = logdet_forward, .backward = logdet_backward},
    {.name = "contract3d_1d", .shape = contract_shape, .terms = contract_terms},
    {.name = "contract3d_1d_bias", .shape = contract_bias_shape, .terms = contract_terms},
    {.name = "circ_conv",
     .shape = circular_shape,
     .terms = [](const Context& x, const Term& term) { circular_terms(x, term, 1); }},
    {.name = "circ_corr",
     .shape = circular_shape,
     .terms = [](const Context& x, const Term& term) { circular_terms(x, term, -1); }},
};

}  // namespace dynnet::reference

// Operations that are sums of products of elements: arithmetic, reductions, and those that move elements.
#include <algorithm>

#include "reference/rules.h"

namespace dynnet::reference {

void reject(const Signature& s, const char* why) {
  std::string text = why;
  for (const Shape& shape : s.x) text += " " + shape.text();
  throw Rejected(text);
}

void require(bool fits, const Signature& s, const char* why) {
  if (!fits) reject(s, why);
}

int64_t common_batch(const Signature& s, int64_t a, int64_t b) {
  require(a == b || a == 1 || b == 1, s, "different batches");
  return std::max(a, b);
}

Shape same_shape(const Signature& s) { return s.x.at(0); }

Shape broadcast_shape(const Signature& s) {
  require(!s.x.empty(), s, "no operands");
  Shape y;
  for (const Shape& x : s.x) {
    for (size_t i = 0; i < y.d.size(); ++i) {
      require(y.d[i] == x.d[i] || y.d[i] == 1 || x.d[i] == 1, s, "sizes that cannot be broadcast");
      y.d[i] = std::max(y.d[i], x.d[i]);
    }
    y.batch = common_batch(s, y.batch, x.batch);
  }
  return y;
}

Shape pair_to_scalar(const Signature& s) {
  require(s.x.at(0).d == s.x.at(1).d, s, "different shapes");
  return Shape({1}, common_batch(s, s.x[0].batch, s.x[1].batch));
}

int64_t place(const Shape& shape, const Coordinates& c) {
  int64_t at = 0;
  int64_t step = 1;
  for (size_t i = 0; i < DN_MAX_DIMS; ++i) {
    if (shape.d[i] > 1) at += c[i] * step;
    step *= shape.d[i];
  }
  return shape.batch > 1 ? at + c[kBatch] * step : at;
}

Element element(const Context& x, int operand, const Coordinates& c) {
  return {operand, place(x.x_shapes[static_cast<size_t>(operand)], c)};
}

namespace {

// ---- arithmetic ----

// y = factor * (x0 + x1 + ...), broadcast.
void add_terms(const Context& x, const Term& term, double factor) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    for (int k = 0; k < static_cast<int>(x.x.size()); ++k) term(i, factor, element(x, k, c), kOne);
  });
}

void sum_terms(const Context& x, const Term& term) { add_terms(x, term, 1); }

void average_terms(const Context& x, const Term& term) { add_terms(x, term, 1.0 / static_cast<double>(x.x.size())); }

void subtract_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    term(i, 1, element(x, 0, c), kOne);
    term(i, -1, element(x, 1, c), kOne);
  });
}

void cmult_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) { term(i, 1, element(x, 0, c), element(x, 1, c)); });
}

void square_terms(const Context& x, const Term& term) {
  for (int64_t i = 0; i < x.shape.total(); ++i) term(i, 1, {0, i}, {0, i});
}

void negate_terms(const Context& x, const Term& term) {
  for (int64_t i = 0; i < x.shape.total(); ++i) term(i, -1, {0, i}, kOne);
}

void add_scalar_terms(const Context& x, const Term& term) {
  for (int64_t i = 0; i < x.shape.total(); ++i) {
    term(i, 1, {0, i}, kOne);
    term(i, x.attributes.scalar, kOne, kOne);
  }
}

void multiply_scalar_terms(const Context& x, const Term& term) {
  for (int64_t i = 0; i < x.shape.total(); ++i) term(i, x.attributes.scalar, {0, i}, kOne);
}

// ---- products ----

Shape product_shape(const Signature& s, size_t a, size_t b) {
  require(s.x.at(a).is_matrix() && s.x.at(b).is_matrix(), s, "not matrices");
  require(s.x[a].d[1] == s.x[b].d[0], s, "columns and rows differ");
  return Shape({s.x[a].d[0], s.x[b].d[1]}, common_batch(s, s.x[a].batch, s.x[b].batch));
}

// y += A B for operands a and b.
void product_terms(const Context& x, const Term& term, int a, int b) {
  const int64_t inner = x.x_shapes[static_cast<size_t>(a)].d[1];
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    for (int64_t k = 0; k < inner; ++k)
      term(i, 1, element(x, a, {c[0], k, 0, 0, 0, 0, 0, c[kBatch]}),
           element(x, b, {k, c[1], 0, 0, 0, 0, 0, c[kBatch]}));
  });
}

void multiply_terms(const Context& x, const Term& term) { product_terms(x, term, 0, 1); }

Shape affine_shape(const Signature& s) {
  require(s.x.size() % 2 == 1, s, "expected a bias and pairs");
  require(s.x[0].is_matrix(), s, "the bias is no matrix");
  if (s.x.size() == 1) return s.x[0];
  Shape y = product_shape(s, 1, 2);
  for (size_t i = 3; i < s.x.size(); i += 2) {
    const Shape other = product_shape(s, i, i + 1);
    require(other.d == y.d, s, "products of different shapes");
    y.batch = common_batch(s, y.batch, other.batch);
  }
  require(s.x[0].d[0] == y.d[0] && (s.x[0].d[1] == y.d[1] || s.x[0].d[1] == 1), s, "a bias that does not fit");
  y.batch = common_batch(s, y.batch, s.x[0].batch);
  return y;
}

void affine_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) { term(i, 1, element(x, 0, c), kOne); });
  for (int k = 1; k < static_cast<int>(x.x.size()); k += 2) product_terms(x, term, k, k + 1);
}

// ---- reductions ----

void sum_elems_terms(const Context& x, const Term& term) {
  each_element(x.x_shapes[0], [&](const Coordinates& c, int64_t i) { term(c[kBatch], 1, {0, i}, kOne); });
}

Shape sum_elems_shape(const Signature& s) { return Shape({1}, s.x.at(0).batch); }

void sum_batches_terms(const Context& x, const Term& term) {
  each_element(x.x_shapes[0], [&](const Coordinates& c, int64_t i) { term(place(x.shape, c), 1, {0, i}, kOne); });
}

Shape sum_batches_shape(const Signature& s) {
  Shape y = s.x.at(0);
  y.batch = 1;
  return y;
}

void dot_product_terms(const Context& x, const Term& term) {
  Shape both = x.x_shapes[0];
  both.batch = x.shape.batch;
  each_element(both, [&](const Coordinates& c, int64_t) { term(c[kBatch], 1, element(x, 0, c), element(x, 1, c)); });
}

// ---- shapes ----

void reshape_terms(const Context& x, const Term& term) {
  for (int64_t i = 0; i < x.shape.total(); ++i) term(i, 1, {0, i}, kOne);
}

Shape reshape_shape(const Signature& s) {
  Shape y = s.attributes.shape;
  if (y.batch == 1 && y.size() == s.x.at(0).size()) y.batch = s.x[0].batch;
  require(y.total() == s.x.at(0).total(), s, "another number of elements");
  return y;
}

void transpose_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    term(i, 1, element(x, 0, {c[1], c[0], 0, 0, 0, 0, 0, c[kBatch]}), kOne);
  });
}

Shape transpose_shape(const Signature& s) {
  require(s.x.at(0).is_matrix(), s, "no matrix");
  return Shape({s.x[0].d[1], s.x[0].d[0]}, s.x[0].batch);
}

size_t checked_dim(const Signature& s) {
  require(s.attributes.dim >= 0 && s.attributes.dim < DN_MAX_DIMS, s, "no such dimension");
  return static_cast<size_t>(s.attributes.dim);
}

Shape pick_shape(const Signature& s) {
  const size_t dim = checked_dim(s);
  Shape y = s.x.at(0);
  for (const int32_t index : s.attributes.indices) require(index >= 0 && index < y.d[dim], s, "no such slice");
  std::copy(y.d.begin() + static_cast<ptrdiff_t>(dim) + 1, y.d.end(), y.d.begin() + static_cast<ptrdiff_t>(dim));
  y.d.back() = 1;
  return y;
}

Shape pick_batch_shape(const Signature& s) {
  Shape y = pick_shape(s);
  const auto count = static_cast<int64_t>(s.attributes.indices.size());
  require(count > 0 && (y.batch == 1 || y.batch == count), s, "another number of indices");
  y.batch = count;
  return y;
}

// Puts the index of each batch element back where the dimension was removed.
void pick_terms(const Context& x, const Term& term) {
  const auto dim = static_cast<ptrdiff_t>(x.attributes.dim);
  const Indices& indices = x.attributes.indices;
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    Coordinates from = c;
    std::copy_backward(c.begin() + dim, c.begin() + kBatch - 1, from.begin() + kBatch);
    from[static_cast<size_t>(dim)] = indices[indices.size() == 1 ? 0 : static_cast<size_t>(c[kBatch])];
    term(i, 1, element(x, 0, from), kOne);
  });
}

Shape pick_range_shape(const Signature& s) {
  const size_t dim = checked_dim(s);
  const Attributes& a = s.attributes;
  require(0 <= a.start && a.start < a.end && a.end <= s.x.at(0).d[dim], s, "no such slices");
  Shape y = s.x[0];
  y.d[dim] = a.end - a.start;
  return y;
}

void pick_range_terms(const Context& x, const Term& term) {
  const auto dim = static_cast<size_t>(x.attributes.dim);
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    Coordinates from = c;
    from[dim] += x.attributes.start;
    term(i, 1, element(x, 0, from), kOne);
  });
}

// Operands one after the other along a dimension or, if it is kBatch, in the batch.
void concatenate_along(const Context& x, const Term& term, size_t dim) {
  int64_t offset = 0;
  for (int k = 0; k < static_cast<int>(x.x.size()); ++k) {
    Shape part = x.x_shapes[static_cast<size_t>(k)];
    if (dim != kBatch) part.batch = x.shape.batch;
    each_element(part, [&](const Coordinates& c, int64_t) {
      Coordinates to = c;
      to[dim] += offset;
      term(place(x.shape, to), 1, element(x, k, c), kOne);
    });
    offset += dim == kBatch ? part.batch : part.d[dim];
  }
}

Shape concatenated_shape(const Signature& s, size_t dim) {
  require(!s.x.empty(), s, "no operands");
  Shape y = s.x[0];
  for (size_t k = 1; k < s.x.size(); ++k) {
    for (size_t i = 0; i < y.d.size(); ++i) require(i == dim || s.x[k].d[i] == y.d[i], s, "sizes differ");
    if (dim == kBatch) {
      y.batch += s.x[k].batch;
    } else {
      y.d[dim] += s.x[k].d[dim];
      y.batch = common_batch(s, y.batch, s.x[k].batch);
    }
  }
  return y;
}

}  // namespace

const std::vector<Rule> kPolynomials = {
    {.name = "add", .shape = broadcast_shape, .terms = sum_terms},
    {.name = "subtract", .shape = broadcast_shape, .terms = subtract_terms},
    {.name = "cmult", .shape = broadcast_shape, .terms = cmult_terms},
    {.name = "sum", .shape = broadcast_shape, .terms = sum_terms},
    {.name = "average", .shape = broadcast_shape, .terms = average_terms},
    {.name = "square", .shape = same_shape, .terms = square_terms},
    {.name = "negate", .shape = same_shape, .terms = negate_terms},
    {.name = "add_scalar", .shape = same_shape, .terms = add_scalar_terms},
    {.name = "multiply_scalar", .shape = same_shape, .terms = multiply_scalar_terms},
    {.name = "multiply", .shape = [](const Signature& s) { return product_shape(s, 0, 1); }, .terms = multiply_terms},
    {.name = "affine_transform", .shape = affine_shape, .terms = affine_terms},
    {.name = "sum_elems", .shape = sum_elems_shape, .terms = sum_elems_terms},
    {.name = "sum_batches", .shape = sum_batches_shape, .terms = sum_batches_terms},
    {.name = "dot_product", .shape = pair_to_scalar, .terms = dot_product_terms},
    {.name = "reshape", .shape = reshape_shape, .terms = reshape_terms},
    {.name = "transpose", .shape = transpose_shape, .terms = transpose_terms},
    {.name = "pick", .shape = pick_shape, .terms = pick_terms},
    {.name = "pick_batch", .shape = pick_batch_shape, .terms = pick_terms},
    {.name = "pick_range", .shape = pick_range_shape, .terms = pick_range_terms},
    {.name = "concatenate",
     .shape = [](const Signature& s) { return concatenated_shape(s, checked_dim(s)); },
     .terms = [](const Context& x, const Term& t) { concatenate_along(x, t, static_cast<size_t>(x.attributes.dim)); }},
    {.name = "concatenate_cols",
     .shape = [](const Signature& s) { return concatenated_shape(s, 1); },
     .terms = [](const Context& x, const Term& t) { concatenate_along(x, t, 1); }},
    {.name = "concatenate_to_batch",
     .shape = [](const Signature& s) { return concatenated_shape(s, kBatch); },
     .terms = [](const Context& x, const Term& t) { concatenate_along(x, t, kBatch); }},
};

}  // namespace dynnet::reference

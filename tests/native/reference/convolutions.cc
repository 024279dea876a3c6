// Convolutions and pooling.
#include <algorithm>
#include <cmath>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

// A size, its stride and the padding before, in one dimension.
struct Slide {
  int64_t input, size, stride;
  bool is_valid;

  int64_t places() const {
    const auto n = static_cast<double>(is_valid ? input - size + 1 : input);
    return static_cast<int64_t>(std::ceil(n / static_cast<double>(stride)));
  }
  int64_t before() const { return is_valid ? 0 : std::max<int64_t>((places() - 1) * stride + size - input, 0) / 2; }
  /// The element of the input that element `at` of the window meets in a place, or -1 in the padding.
  int64_t meets(int64_t place, int64_t at) const {
    const int64_t i = place * stride + at - before();
    return i >= 0 && i < input ? i : -1;
  }
};

Slide slide(const Signature& s, size_t dim, int64_t size, int64_t stride) {
  require(stride >= 1 && size >= 1, s, "numbers below 1");
  const Slide result{s.x[0].d[dim], size, stride, s.attributes.flag};
  require(!result.is_valid || size <= result.input, s, "a window that is too large");
  return result;
}

void require_map(const Signature& s, size_t operand, size_t dims) {
  for (size_t i = dims; i < s.x.at(operand).d.size(); ++i) require(s.x[operand].d[i] == 1, s, "too many dimensions");
}

// ---- conv2d ----

Shape conv2d_shape(const Signature& s) {
  const Indices& strides = s.attributes.indices;
  require(strides.size() == 2, s, "not two strides");
  require_map(s, 0, 3);
  require_map(s, 1, 4);
  const Shape& f = s.x[1];
  require(f.d[2] == s.x[0].d[2], s, "other channels");
  int64_t batch = common_batch(s, s.x[0].batch, f.batch);
  if (s.x.size() > 2) {
    require(s.x[2].is_vector() && s.x[2].d[0] == f.d[3], s, "not a number for each filter");
    batch = common_batch(s, batch, s.x[2].batch);
  }
  return Shape({slide(s, 0, f.d[0], strides[0]).places(), slide(s, 1, f.d[1], strides[1]).places(), f.d[3]}, batch);
}

void conv2d_terms(const Context& x, const Term& term) {
  const Signature s{x.x_shapes, x.attributes};
  const Shape& f = x.x_shapes[1];
  const Slide down = slide(s, 0, f.d[0], x.attributes.indices[0]);
  const Slide across = slide(s, 1, f.d[1], x.attributes.indices[1]);
  each_element(x.shape, [&](const Coordinates& y, int64_t to) {
    const int64_t batch = y[DN_MAX_DIMS];
    for (int64_t a = 0; a < f.d[0]; ++a)
      for (int64_t b = 0; b < f.d[1]; ++b)
        for (int64_t c = 0; c < f.d[2]; ++c) {
          const int64_t i = down.meets(y[0], a);
          const int64_t j = across.meets(y[1], b);
          if (i < 0 || j < 0) continue;
          term(to, 1, {0, place(x.x_shapes[0], {i, j, c, 0, 0, 0, 0, batch})},
               {1, place(f, {a, b, c, y[2], 0, 0, 0, batch})});
        }
    if (x.x_shapes.size() > 2) term(to, 1, {2, place(x.x_shapes[2], {y[2], 0, 0, 0, 0, 0, 0, batch})}, {});
  });
}

// ---- maxpooling2d ----

Shape maxpooling2d_shape(const Signature& s) {
  const Indices& numbers = s.attributes.indices;
  require(numbers.size() == 4, s, "not two sizes and two strides");
  require_map(s, 0, 3);
  return Shape(
      {slide(s, 0, numbers[0], numbers[2]).places(), slide(s, 1, numbers[1], numbers[3]).places(), s.x[0].d[2]},
      s.x[0].batch);
}

// Calls f(element of y, the place of the largest in x).
template <class F>
void each_window(const Context& x, F f) {
  const Signature s{x.x_shapes, x.attributes};
  const Indices& numbers = x.attributes.indices;
  const Slide down = slide(s, 0, numbers[0], numbers[2]);
  const Slide across = slide(s, 1, numbers[1], numbers[3]);
  each_element(x.shape, [&](const Coordinates& y, int64_t to) {
    int64_t largest = -1;
    for (int64_t a = 0; a < down.size; ++a)
      for (int64_t b = 0; b < across.size; ++b) {
        const int64_t i = down.meets(y[0], a);
        const int64_t j = across.meets(y[1], b);
        if (i < 0 || j < 0) continue;
        const int64_t at = place(x.x_shapes[0], {i, j, y[2], 0, 0, 0, 0, y[DN_MAX_DIMS]});
        if (largest < 0 || (*x.x[0])[static_cast<size_t>(at)] > (*x.x[0])[static_cast<size_t>(largest)]) largest = at;
      }
    f(static_cast<size_t>(to), static_cast<size_t>(largest));
  });
}

void maxpooling2d_forward(const Context& x) {
  each_window(x, [&](size_t to, size_t from) { x.y[to] = (*x.x[0])[from]; });
}

void maxpooling2d_backward(const Context& x) {
  each_window(x, [&](size_t to, size_t from) { (*x.dx[0])[from] += x.dy[to]; });
}

// ---- filter1d_narrow ----

Shape filter1d_narrow_shape(const Signature& s) {
  require(s.x.at(0).is_matrix(), s, "no matrix");
  require_map(s, 1, 3);
  const Shape& f = s.x[1];
  require(f.d[0] == s.x[0].d[0] && f.d[1] <= s.x[0].d[1], s, "filters that do not fit");
  return Shape({f.d[2], s.x[0].d[1] - f.d[1] + 1}, common_batch(s, s.x[0].batch, f.batch));
}

void filter1d_narrow_terms(const Context& x, const Term& term) {
  const Shape& f = x.x_shapes[1];
  each_element(x.shape, [&](const Coordinates& y, int64_t to) {
    const int64_t batch = y[DN_MAX_DIMS];
    for (int64_t i = 0; i < f.d[0]; ++i)
      for (int64_t j = 0; j < f.d[1]; ++j)
        term(to, 1, {0, place(x.x_shapes[0], {i, y[1] + j, 0, 0, 0, 0, 0, batch})},
             {1, place(f, {i, j, y[0], 0, 0, 0, 0, batch})});
  });
}

// ---- kmax_pooling ----

Shape kmax_pooling_shape(const Signature& s) {
  const int32_t dim = s.attributes.dim;
  require(dim >= 0 && dim < DN_MAX_DIMS, s, "no such dimension");
  Shape y = s.x.at(0);
  int64_t& size = y.d[static_cast<size_t>(dim)];
  require(s.attributes.count >= 1 && s.attributes.count <= size, s, "more than there are");
  size = s.attributes.count;
  return y;
}

// Calls f(element of y, its place in x).
template <class F>
void each_of_the_largest(const Context& x, F f) {
  const auto dim = static_cast<size_t>(x.attributes.dim);
  const int64_t n = x.x_shapes[0].d[dim];
  each_element(x.shape, [&](Coordinates y, int64_t to) {
    const int64_t rank = y[dim];
    std::vector<size_t> line;
    for (y[dim] = 0; y[dim] < n; ++y[dim]) line.push_back(static_cast<size_t>(place(x.x_shapes[0], y)));
    // Those that are larger, or as large and earlier, number fewer than k.
    int64_t found = 0;
    for (size_t i = 0; i < line.size(); ++i) {
      int64_t before = 0;
      for (size_t j = 0; j < line.size(); ++j) {
        const double other = (*x.x[0])[line[j]];
        const double own = (*x.x[0])[line[i]];
        before += other > own || (other == own && j < i) ? 1 : 0;
      }
      if (before < x.attributes.count && found++ == rank) f(static_cast<size_t>(to), line[i]);
    }
  });
}

void kmax_pooling_forward(const Context& x) {
  each_of_the_largest(x, [&](size_t to, size_t from) { x.y[to] = (*x.x[0])[from]; });
}

void kmax_pooling_backward(const Context& x) {
  each_of_the_largest(x, [&](size_t to, size_t from) { (*x.dx[0])[from] += x.dy[to]; });
}

// ---- kmh_ngram and fold_rows ----

Shape kmh_ngram_shape(const Signature& s) {
  const int64_t n = s.attributes.count;
  require(s.x.at(0).is_matrix() && n >= 1 && n <= s.x[0].d[1], s, "no matrix of so many columns");
  return Shape({s.x[0].d[0], s.x[0].d[1] - n + 1}, s.x[0].batch);
}

void kmh_ngram_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](Coordinates y, int64_t to) {
    for (int64_t i = 0; i < x.attributes.count; ++i, ++y[1]) term(to, 1, {0, place(x.x_shapes[0], y)}, {});
  });
}

Shape fold_rows_shape(const Signature& s) {
  const int64_t n = s.attributes.count;
  require(s.x.at(0).is_matrix() && n >= 1 && s.x[0].d[0] % n == 0, s, "rows that are no multiple");
  return Shape({s.x[0].d[0] / n, s.x[0].d[1]}, s.x[0].batch);
}

void fold_rows_terms(const Context& x, const Term& term) {
  each_element(x.shape, [&](Coordinates y, int64_t to) {
    y[0] *= x.attributes.count;
    for (int64_t i = 0; i < x.attributes.count; ++i, ++y[0]) term(to, 1, {0, place(x.x_shapes[0], y)}, {});
  });
}

}  // namespace

const std::vector<Rule> kConvolutions = {
    {.name = "conv2d", .shape = conv2d_shape, .terms = conv2d_terms},
    {.name = "conv2d_bias", .shape = conv2d_shape, .terms = conv2d_terms},
    {.name = "maxpooling2d",
     .shape = maxpooling2d_shape,
     .forward = maxpooling2d_forward,
     .backward = maxpooling2d_backward},
    {.name = "filter1d_narrow", .shape = filter1d_narrow_shape, .terms = filter1d_narrow_terms},
    {.name = "kmax_pooling",
     .shape = kmax_pooling_shape,
     .forward = kmax_pooling_forward,
     .backward = kmax_pooling_backward},
    {.name = "kmh_ngram", .shape = kmh_ngram_shape, .terms = kmh_ngram_terms},
    {.name = "fold_rows", .shape = fold_rows_shape, .terms = fold_rows_terms},
};

}  // namespace dynnet::reference

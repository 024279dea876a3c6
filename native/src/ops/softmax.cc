// Softmax and its logarithm.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/context.h"
#include "ops/labels.h"

namespace dynnet {
namespace {

// Nanoseconds an element, roughly, for the choice of chunks.
constexpr double kExpCost = 0.6;

// ---- softmax ----
//
// The operand is seen as {inner, n, outer}.

enum { kInner, kSize, kOuter };

void softmax_shape(Shaping& s) {
  const int32_t dim = s.type.static_int(0);
  const auto dims = std::max<int32_t>(2, static_cast<int32_t>(s[0].nd));
  if (dim < 0 || dim >= dims)
    s.bad_argument("dimension %d of %s, expected 0 to %d", dim, s[0].text().c_str(), dims - 1);
  s.type.dim = s[0];
  int64_t inner = 1;
  for (int32_t i = 0; i < dim; ++i) inner *= s[0].d[i];
  s.type.v[kInner] = inner;
  s.type.v[kSize] = s[0].d[dim];
  s.type.v[kOuter] = s[0].size() / (inner * s[0].d[dim]);
}

// The {inner, n} blocks of all nodes, one row each.
struct Blocks {
  int64_t inner, n, each, count;

  explicit Blocks(const BatchContext& b)
      : inner(b.type.v[kInner]), n(b.type.v[kSize]), each(b.type.v[kOuter] * b.type.dim.bd), count(b.count * each) {}
  Rows of(const BatchContext& b, Rows rows) const { return b.elements(rows, inner * n, each, each); }
  double cost() const { return kExpCost * static_cast<double>(inner * n); }
};

void softmax_forward(const Forward& b) {
  const Blocks blocks(b);
  const Rows x = blocks.of(b, b.x[0]);
  const Rows y = blocks.of(b, b.y);
  b.parallel(blocks.count, blocks.cost(), [&](int64_t begin, int64_t end) {
    if (blocks.inner == 1)
      b.k.softmax(y.from(begin), x.from(begin), end - begin, blocks.n);
    else
      b.k.softmax_across(y.from(begin), x.from(begin), end - begin, blocks.inner, blocks.n);
  });
}

void softmax_backward(const Backward& b) {
  const Blocks blocks(b);
  const Backward::Operand dx = b.dx(0);
  const Rows to = blocks.of(b, dx.rows);
  const Rows y = blocks.of(b, b.y);
  const Rows dy = blocks.of(b, b.dy);
  b.parallel(
      blocks.count, blocks.cost(),
      [&](int64_t begin, int64_t end) {
        if (blocks.inner == 1)
          b.k.softmax_backward(to.from(begin), y.from(begin), dy.from(begin), end - begin, blocks.n, dx.accumulate);
        else
          b.k.softmax_across_backward(to.from(begin), y.from(begin), dy.from(begin), end - begin, blocks.inner,
                                      blocks.n, dx.accumulate);
      },
      dx.collides);
}

// ---- log_softmax ----

void log_softmax_columns(const Forward& b, Rows x) {
  const int64_t n = b.type.dim.rows();
  const Rows y = b.columns(b.y);
  b.parallel(b.column_count(), kExpCost * static_cast<double>(n),
             [&](int64_t begin, int64_t end) { b.k.log_softmax(y.from(begin), x.from(begin), end - begin, n); });
}

void log_softmax_columns_backward(const Backward& b, Rows dy) {
  const int64_t n = b.type.dim.rows();
  const Backward::Operand dx = b.dx(0);
  const Rows to = b.columns(dx.rows);
  const Rows y = b.columns(b.y);
  b.parallel(
      b.column_count(), kExpCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.log_softmax_backward(to.from(begin), y.from(begin), dy.from(begin), end - begin, n, dx.accumulate);
      },
      dx.collides);
}

void log_softmax_forward(const Forward& b) { log_softmax_columns(b, b.columns(b.x[0])); }

void log_softmax_backward(const Backward& b) { log_softmax_columns_backward(b, b.columns(b.dy)); }

// ---- log_softmax_restricted ----

void log_softmax_restricted_shape(Shaping& s) {
  matrix_shape(s);
  set_labels(s, s[0].rows(), true);
}

// `to` has the elements of `from` that a node is restricted to, and `other` everywhere else; all columns, one row each.
void restrict_columns(const BatchContext& b, Rows to, Rows from, float other) {
  const int64_t each = b.column_count() / b.count;
  const int64_t n = b.type.dim.rows();
  const int64_t count = b.type.span_count;
  const int32_t* indices = b.indices();
  b.parallel(b.column_count(), kExpCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.fill(to.from(begin), other, end - begin, n);
    for (int64_t i = begin; i < end; ++i) {
      const int32_t* own = indices + i / each * count;
      for (int64_t j = 0; j < count; ++j) to.at(i)[own[j]] = from.at(i)[own[j]];
    }
  });
}

// Where there is no distribution, all elements of a column have become NaN: only those that a node is restricted to
// stay it.
void keep_restriction(const Forward& b, Rows y) {
  const int64_t each = b.column_count() / b.count;
  const int64_t count = b.type.span_count;
  const int32_t* indices = b.indices();
  auto* kept = b.scratch.allocate<float>(count);
  for (int64_t i = 0; i < b.column_count(); ++i) {
    const int32_t* own = indices + i / each * count;
    if (!std::isnan(y.at(i)[own[0]])) continue;
    for (int64_t j = 0; j < count; ++j) kept[j] = y.at(i)[own[j]];
    b.k.fill(y.from(i), -std::numeric_limits<float>::infinity(), 1, b.type.dim.rows());
    for (int64_t j = 0; j < count; ++j) y.at(i)[own[j]] = kept[j];
  }
}

void log_softmax_restricted_forward(const Forward& b) {
  const Rows y = b.columns(b.y);
  restrict_columns(b, y, b.columns(b.x[0]), -std::numeric_limits<float>::infinity());
  log_softmax_columns(b, y);
  keep_restriction(b, y);
}

void log_softmax_restricted_backward(const Backward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows dy{b.scratch.allocate<float>(b.column_count() * n), nullptr, n};
  restrict_columns(b, dy, b.columns(b.dy), 0);
  log_softmax_columns_backward(b, dy);
}

}  // namespace

const OpDef op_softmax = {
    .name = "softmax", .shape = softmax_shape, .forward = softmax_forward, .backward = softmax_backward};

const OpDef op_log_softmax = {
    .name = "log_softmax", .shape = matrix_shape, .forward = log_softmax_forward, .backward = log_softmax_backward};

const OpDef op_log_softmax_restricted = {.name = "log_softmax_restricted",
                                         .shape = log_softmax_restricted_shape,
                                         .forward = log_softmax_restricted_forward,
                                         .backward = log_softmax_restricted_backward,
                                         .check = check_labels};

}  // namespace dynnet

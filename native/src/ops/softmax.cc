// Softmax and its logarithm.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/context.h"
#include "ops/elementwise.h"
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

// The elements that each node is restricted to, each of them once, and where these of all columns are worked on: side
// by side, as a matrix {columns, elements}.
class Restricted {
 public:
  // With memory for so many such matrices, and vectors of one number for each column.
  Restricted(const BatchContext& b, int64_t matrices, int64_t vectors)
      : columns_(b.column_count() / b.count), most_(b.type.span_count) {
    indices_ = b.indices();
    counts_ = b.scratch.allocate<int64_t>(b.count);
    size_ = (matrices * most_ + vectors) * columns_;
    memory_ = b.scratch.allocate<float>(b.count * size_);
    // The number of the latest node that has an element, counted from 1.
    auto* seen = b.scratch.allocate<int64_t>(b.type.dim.rows());
    std::fill_n(seen, b.type.dim.rows(), 0);
    for (int64_t node = 0; node < b.count; ++node) {
      int32_t* const own = indices_ + node * most_;
      int64_t count = 0;
      for (int64_t j = 0; j < most_; ++j) {
        if (seen[own[j]] == node + 1) continue;
        seen[own[j]] = node + 1;
        own[count++] = own[j];
      }
      counts_[node] = count;
    }
  }

  int64_t columns() const { return columns_; }
  int64_t count(int64_t node) const { return counts_[node]; }
  float* matrix(int64_t node, int64_t i) const { return memory_ + node * size_ + i * most_ * columns_; }

  // Calls f(column, each) for each of a node's columns; each(g) calls g(place in a matrix, element).
  template <class F>
  void each_column(int64_t node, F f) const {
    const int32_t* const own = indices_ + node * most_;
    const int64_t count = counts_[node];
    for (int64_t c = 0; c < columns_; ++c) {
      f(c, [&](auto g) {
        for (int64_t j = 0; j < count; ++j) g(j * columns_ + c, own[j]);
      });
    }
  }

  // A node's elements of the columns that begin with row node * columns() of `from`.
  void gather(int64_t node, float* to, const Rows& from) const {
    const Rows own = from.from(node * columns_);
    each_column(node, [&](int64_t c, auto each) {
      const float* const column = own.at(c);
      each([&](int64_t place, int32_t element) { to[place] = column[element]; });
    });
  }

 private:
  int64_t columns_, most_;
  int32_t* indices_;
  int64_t* counts_;
  int64_t size_;
  float* memory_;
};

double restricted_cost(const BatchContext& b, const Restricted& r) {
  return static_cast<double>(r.columns() * b.type.span_count) * kExpCost;
}

void log_softmax_restricted_forward(const Forward& b) {
  const Restricted restricted(b, 1, 3);
  const int64_t columns = restricted.columns();
  const Rows x = b.columns(b.x[0]);
  const Rows y = b.columns(b.y);
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  b.parallel(b.count, restricted_cost(b, restricted), [&](int64_t begin, int64_t end) {
    b.k.fill(y.from(begin * columns), kNone, (end - begin) * columns, b.type.dim.rows());
    for (int64_t node = begin; node < end; ++node) {
      float* const some = restricted.matrix(node, 0);
      float* const sums = restricted.matrix(node, 1);
      float* const shifts = sums + columns;
      float* const rests = shifts + columns;
      restricted.gather(node, some, x);
      Reduction loops;
      loops.inner = columns;
      loops.run = loops.count = restricted.count(node);
      loops.step = loops.results = columns;
      b.k.log_sum_exp(Rows{sums, nullptr, 0}, Rows{shifts, nullptr, 0}, Rows{some, nullptr, 0}, 1, loops);
      // Where there is no distribution, the rest is minus infinity, and the elements become NaN.
      for (int64_t c = 0; c < columns; ++c)
        if (!(sums[c] > kNone)) rests[c] = sums[c];
      const Rows own = y.from(node * columns);
      restricted.each_column(node, [&](int64_t c, auto each) {
        float* const column = own.at(c);
        const float shift = shifts[c];
        const float rest = rests[c];
        each([&](int64_t place, int32_t element) { column[element] = (some[place] - shift) - rest; });
      });
    }
  });
}

void log_softmax_restricted_backward(const Backward& b) {
  const Restricted restricted(b, 2, 1);
  const int64_t columns = restricted.columns();
  const Backward::Operand dx = b.dx(0);
  const Rows to = b.columns(dx.rows);
  const Rows y = b.columns(b.y);
  const Rows dy = b.columns(b.dy);
  if (!dx.accumulate) b.k.fill(to, 0, b.column_count(), b.type.dim.rows());
  b.parallel(
      b.count, restricted_cost(b, restricted),
      [&](int64_t begin, int64_t end) {
        for (int64_t node = begin; node < end; ++node) {
          const int64_t count = restricted.count(node);
          float* const p = restricted.matrix(node, 0);
          float* const d = restricted.matrix(node, 1);
          float* const sums = restricted.matrix(node, 2);
          restricted.gather(node, p, y);
          restricted.gather(node, d, dy);
          const Rows row{p, nullptr, 0};
          b.k.unary_forward(static_cast<int>(UnaryOp::kExp), row, row, nullptr, 1, count * columns);
          b.k.sum_rows(sums, Rows{d, nullptr, columns}, count, columns, false);
          const Rows own = to.from(node * columns);
          restricted.each_column(node, [&](int64_t c, auto each) {
            float* const column = own.at(c);
            const float sum = sums[c];
            each([&](int64_t place, int32_t element) { column[element] += d[place] - p[place] * sum; });
          });
        }
      },
      dx.collides);
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

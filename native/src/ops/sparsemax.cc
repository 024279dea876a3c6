// Distributions that are exactly 0, or at a bound, in places: sparsemax, its loss, and the constrained softmax.
#include "ops/context.h"
#include "ops/labels.h"
#include "ops/pairs.h"

namespace dynnet {
namespace {

// Nanoseconds an element, roughly, for the choice of chunks.
constexpr double kCost = 1;
constexpr double kBackwardCost = 0.3;

// ---- sparsemax ----

void sparsemax_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows y = b.columns(b.y);
  const Rows x = b.columns(b.x[0]);
  b.parallel(b.column_count(), kCost * static_cast<double>(n),
             [&](int64_t begin, int64_t end) { b.k.sparsemax(y.from(begin), x.from(begin), end - begin, n); });
}

void sparsemax_backward(const Backward& b) {
  const int64_t n = b.type.dim.rows();
  const Backward::Operand dx = b.dx(0);
  const Rows to = b.columns(dx.rows);
  const Rows y = b.columns(b.y);
  const Rows dy = b.columns(b.dy);
  b.parallel(
      b.column_count(), kBackwardCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.sparsemax_backward(to.from(begin), y.from(begin), dy.from(begin), end - begin, n, dx.accumulate);
      },
      dx.collides);
}

// ---- sparsemax_loss ----

void sparsemax_loss_shape(Shaping& s) {
  if (!s[0].is_vector()) s.mismatch("expected a vector, got %s", s[0].text().c_str());
  set_labels(s, s[0].rows(), true);
  s.type.dim = Dim({1}, s[0].bd);
  // The threshold of each batch element.
  s.type.aux = int64_t{2} * s[0].bd;
}

void sparsemax_loss_forward(const Forward& b) {
  const int64_t n = b.type.operands[0].rows();
  const Rows y = b.y_elements();
  const Rows z = b.elements(b.aux, 2, b.type.dim.bd, b.type.dim.bd);
  const Rows x = b.x_elements(0);
  const int32_t* indices = b.indices();
  const int64_t count = b.type.span_count;
  const float part = 1 / static_cast<float>(count);
  // The distribution of the labels. What runs together uses that of its first element in turn, so that little of the
  // cache is lost to it.
  float* const distributions = b.scratch.allocate<float>(b.element_count() * n);
  b.parallel(b.element_count(), kCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    float* const q = distributions + begin * n;
    b.k.fill({q}, 0, 1, n);
    for (int64_t i = begin; i < end; ++i) {
      const int32_t* labels = indices + i / b.type.dim.bd * count;
      for (int64_t l = 0; l < count; ++l) q[labels[l]] += part;
      b.k.sparsemax_loss(y.from(i), z.from(i), x.from(i), {q}, 1, n);
      for (int64_t l = 0; l < count; ++l) q[labels[l]] = 0;
    }
  });
}

void sparsemax_loss_backward(const Backward& b) {
  const int64_t n = b.type.operands[0].rows();
  const Backward::Operand dx = b.dx_elements(0);
  const Rows z = b.elements(b.aux, 2, b.type.dim.bd, b.type.dim.bd);
  const Rows x = b.x_elements(0);
  const Rows dy = b.dy_elements();
  const int32_t* indices = b.indices();
  const int64_t count = b.type.span_count;
  b.parallel(
      b.element_count(), kBackwardCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.sparsemax_loss_backward(dx.rows.from(begin), x.from(begin), z.from(begin), Rows{}, dy.from(begin),
                                    end - begin, n, dx.accumulate);
        // The targets are few: less them one by one.
        for (int64_t i = begin; i < end; ++i) {
          const int32_t* labels = indices + i / b.type.dim.bd * count;
          for (int64_t l = 0; l < count; ++l) dx.rows.at(i)[labels[l]] -= *dy.at(i) / static_cast<float>(count);
        }
      },
      dx.collides);
}

// ---- constrained_softmax ----

void constrained_softmax_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  const Rows u = b.x_elements(1);
  b.parallel(b.element_count(), 2 * kCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.constrained_softmax(y.from(begin), x.from(begin), u.from(begin), end - begin, n);
  });
}

void constrained_softmax_backward(const Backward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows y = b.y_elements();
  const Rows u = b.x_elements(1);
  const Rows dy = b.dy_elements();
  const auto both = [&](Rows dx, Rows du, int64_t first, int64_t rows, bool accumulate) {
    b.k.constrained_softmax_backward(dx, du, y.from(first), u.from(first), dy.from(first), rows, n, accumulate);
  };
  backward_of_sides(
      b, b.element_count(), n, kBackwardCost * static_cast<double>(n), [&](int side) { return b.dx_elements(side); },
      both);
}

}  // namespace

const OpDef op_sparsemax = {
    .name = "sparsemax", .shape = matrix_shape, .forward = sparsemax_forward, .backward = sparsemax_backward};

const OpDef op_constrained_softmax = {.name = "constrained_softmax",
                                      .shape = vectors_shape,
                                      .forward = constrained_softmax_forward,
                                      .backward = constrained_softmax_backward};

const OpDef op_sparsemax_loss = {.name = "sparsemax_loss",
                                 .shape = sparsemax_loss_shape,
                                 .forward = sparsemax_loss_forward,
                                 .backward = sparsemax_loss_backward,
                                 .check = check_labels};

}  // namespace dynnet

// Probabilities and losses.
#include "ops/context.h"

namespace dynnet {
namespace {

constexpr double kExpCost = 0.6;

// ---- softmax and log_softmax ----

void softmax_shape(Shaping& s) {
  const int32_t dim = s.type.static_int(0);
  if (dim != 0 && dim != 1) s.bad_argument("dimension %d, expected 0 or 1", dim);
  if (!s[0].is_matrix()) s.mismatch("expected a vector or matrix, got %s", s[0].text().c_str());
  s.type.dim = s[0];
}

void log_softmax_shape(Shaping& s) {
  if (!s[0].is_matrix()) s.mismatch("expected a vector or matrix, got %s", s[0].text().c_str());
  s.type.dim = s[0];
}

// All columns of all nodes, one row each.
Rows columns(const BatchContext& b, Rows rows) {
  const auto each = static_cast<int64_t>(b.type.dim.cols()) * b.type.dim.bd;
  return b.elements(rows, b.type.dim.rows(), each, each);
}

int64_t column_count(const BatchContext& b) { return b.element_count() * b.type.dim.cols(); }

// The transpose of each batch element, in scratch memory.
Rows transposed(const BatchContext& b, Rows elements) {
  const int64_t n = b.type.dim.size();
  const Rows to{b.scratch.allocate<float>(n * b.element_count()), nullptr, n};
  b.k.transpose(to, elements, b.type.dim.rows(), b.type.dim.cols(), b.element_count(), false);
  return to;
}

void softmax_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  if (b.type.static_int(0) == 0) {
    const Rows x = columns(b, b.x[0]);
    const Rows y = columns(b, b.y);
    b.parallel(column_count(b), kExpCost * static_cast<double>(n),
               [&](int64_t begin, int64_t end) { b.k.softmax(y.from(begin), x.from(begin), end - begin, n); });
    return;
  }
  // Along the rows: along the columns of the transpose.
  const int64_t cols = b.type.dim.cols();
  const Rows x = transposed(b, b.x_elements(0));
  const Rows rows{x.base, nullptr, cols};
  b.k.softmax(rows, rows, b.element_count() * n, cols);
  b.k.transpose(b.y_elements(), x, cols, n, b.element_count(), false);
}

void softmax_backward(const Backward& b) {
  const int64_t n = b.type.dim.rows();
  const Backward::Operand dx = b.dx(0);
  if (b.type.static_int(0) == 0) {
    const Rows to = columns(b, dx.rows);
    const Rows y = columns(b, b.y);
    const Rows dy = columns(b, b.dy);
    b.parallel(
        column_count(b), kExpCost * static_cast<double>(n),
        [&](int64_t begin, int64_t end) {
          b.k.softmax_backward(to.from(begin), y.from(begin), dy.from(begin), end - begin, n, dx.accumulate);
        },
        dx.collides);
    return;
  }
  const int64_t cols = b.type.dim.cols();
  const Rows y = transposed(b, b.y_elements());
  const Rows dy = transposed(b, b.dy_elements());
  const Rows rows{dy.base, nullptr, cols};
  b.k.softmax_backward(rows, Rows{y.base, nullptr, cols}, rows, b.element_count() * n, cols, false);
  b.k.transpose(b.elements(dx.rows, b.type.dim.size(), b.type.dim.bd, b.type.dim.bd), dy, cols, n, b.element_count(),
                dx.accumulate);
}

void log_softmax_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows x = columns(b, b.x[0]);
  const Rows y = columns(b, b.y);
  b.parallel(column_count(b), kExpCost * static_cast<double>(n),
             [&](int64_t begin, int64_t end) { b.k.log_softmax(y.from(begin), x.from(begin), end - begin, n); });
}

void log_softmax_backward(const Backward& b) {
  const int64_t n = b.type.dim.rows();
  const Backward::Operand dx = b.dx(0);
  const Rows to = columns(b, dx.rows);
  const Rows y = columns(b, b.y);
  const Rows dy = columns(b, b.dy);
  b.parallel(
      column_count(b), kExpCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.log_softmax_backward(to.from(begin), y.from(begin), dy.from(begin), end - begin, n, dx.accumulate);
      },
      dx.collides);
}

// ---- losses with a label ----

void label_shape(Shaping& s) {
  if (!s[0].is_vector()) s.mismatch("expected a vector, got %s", s[0].text().c_str());
  s.type.dim = Dim({1}, s[0].bd);
}

void label_batch_shape(Shaping& s) {
  label_shape(s);
  if (s.type.span_count == 0) s.bad_argument("no indices");
  const auto batch = static_cast<uint32_t>(s.type.span_count);
  if (s[0].bd != batch && s[0].bd != 1)
    s.mismatch("%u indices for %s, which has a batch of %u", batch, s[0].text().c_str(), s[0].bd);
  s.type.dim.bd = batch;
}

void check_labels(const Checking& c) {
  const int64_t each = c.type.span_count > 0 ? c.type.span_count : 1;
  const auto n = static_cast<int32_t>(c.type.operands[0].rows());
  for (int64_t i = 0; i < each; ++i) {
    const auto index = static_cast<int32_t>(c.data[i]);
    if (index < 0 || index >= n)
      fail(DN_E_INDEX, "%s: label %d of %s, which has 0 to %d", c.type.def->name, index,
           c.type.operands[0].text().c_str(), n - 1);
  }
}

// One label for each batch element.
const int32_t* labels(const BatchContext& b) {
  const int32_t* indices = b.indices();
  if (b.type.span_count > 0 || b.type.dim.bd == 1) return indices;
  auto* repeated = b.scratch.allocate<int32_t>(b.element_count());
  for (int64_t i = 0; i < b.element_count(); ++i) repeated[i] = indices[i / b.type.dim.bd];
  return repeated;
}

void pick_neg_log_softmax_shape(Shaping& s) {
  label_shape(s);
  s.type.aux = 2 * s.type.dim.bd;
}

void pick_neg_log_softmax_batch_shape(Shaping& s) {
  label_batch_shape(s);
  s.type.aux = 2 * s.type.dim.bd;
}

void pick_neg_log_softmax_forward(const Forward& b) {
  const int64_t n = b.type.operands[0].rows();
  const Rows y = b.y_elements();
  const Rows z = b.elements(b.aux, 2, b.type.dim.bd, b.type.dim.bd);
  const Rows x = b.x_elements(0);
  const int32_t* label = labels(b);
  b.parallel(b.element_count(), kExpCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.pick_neg_log_softmax(y.from(begin), z.from(begin), x.from(begin), label + begin, end - begin, n);
  });
}

void pick_neg_log_softmax_backward(const Backward& b) {
  const int64_t n = b.type.operands[0].rows();
  const Backward::Operand dx = b.dx_elements(0);
  const Rows z = b.elements(b.aux, 2, b.type.dim.bd, b.type.dim.bd);
  const Rows x = b.x_elements(0);
  const Rows dy = b.dy_elements();
  const int32_t* label = labels(b);
  b.parallel(
      b.element_count(), kExpCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.pick_neg_log_softmax_backward(dx.rows.from(begin), x.from(begin), z.from(begin), dy.from(begin),
                                          label + begin, end - begin, n, dx.accumulate);
      },
      dx.collides);
}

void hinge_shape(Shaping& s) {
  label_shape(s);
  const float margin = s.type.static_float(0);
  if (!(margin >= 0)) s.bad_argument("a margin of %g, expected 0 or more", margin);
}

const float* margins(const BatchContext& b) {
  auto* numbers = b.scratch.allocate<float>(b.element_count());
  for (int64_t i = 0; i < b.element_count(); ++i) numbers[i] = b.type.static_float(0);
  return numbers;
}

void hinge_forward(const Forward& b) {
  b.k.hinge(b.y_elements(), b.x_elements(0), labels(b), margins(b), b.element_count(), b.type.operands[0].rows());
}

void hinge_backward(const Backward& b) {
  const Backward::Operand dx = b.dx_elements(0);
  b.k.hinge_backward(dx.rows, b.x_elements(0), b.dy_elements(), labels(b), margins(b), b.element_count(),
                     b.type.operands[0].rows(), dx.accumulate);
}

// ---- binary_log_loss ----

void binary_log_loss_forward(const Forward& b) {
  b.k.binary_log_loss(b.y_elements(), b.x_elements(0), b.x_elements(1), b.element_count(), b.type.operands[0].size());
}

void binary_log_loss_backward(const Backward& b) {
  for (int side = 0; side < 2; ++side) {
    if (!b.wants(side)) continue;
    const Backward::Operand dx = b.dx_elements(side);
    b.k.binary_log_loss_backward(side, dx.rows, b.x_elements(0), b.x_elements(1), b.dy_elements(), b.element_count(),
                                 b.type.operands[0].size(), dx.accumulate);
  }
}

}  // namespace

const OpDef op_softmax = {
    .name = "softmax", .shape = softmax_shape, .forward = softmax_forward, .backward = softmax_backward};

const OpDef op_log_softmax = {.name = "log_softmax",
                              .shape = log_softmax_shape,
                              .forward = log_softmax_forward,
                              .backward = log_softmax_backward};

const OpDef op_pick_neg_log_softmax = {.name = "pick_neg_log_softmax",
                                       .shape = pick_neg_log_softmax_shape,
                                       .forward = pick_neg_log_softmax_forward,
                                       .backward = pick_neg_log_softmax_backward,
                                       .check = check_labels,
                                       .data_words = 1,
                                       .indexed = true};

const OpDef op_pick_neg_log_softmax_batch = {.name = "pick_neg_log_softmax_batch",
                                             .shape = pick_neg_log_softmax_batch_shape,
                                             .forward = pick_neg_log_softmax_forward,
                                             .backward = pick_neg_log_softmax_backward,
                                             .check = check_labels};

const OpDef op_hinge = {.name = "hinge",
                        .shape = hinge_shape,
                        .forward = hinge_forward,
                        .backward = hinge_backward,
                        .check = check_labels,
                        .data_words = 1,
                        .indexed = true};

const OpDef op_binary_log_loss = {.name = "binary_log_loss",
                                  .shape = pair_to_scalar,
                                  .forward = binary_log_loss_forward,
                                  .backward = binary_log_loss_backward};

}  // namespace dynnet

// Losses: of labels, and of probabilities.
#include <algorithm>
#include <cmath>

#include "ops/context.h"
#include "ops/labels.h"

namespace dynnet {
namespace {

// Nanoseconds an element, roughly, for the choice of chunks.
constexpr double kExpCost = 0.6;
constexpr double kHingeCost = 0.2;

// ---- losses with a label ----

void label_shape(Shaping& s) {
  if (!s[0].is_vector()) s.mismatch("expected a vector, got %s", s[0].text().c_str());
  set_labels(s, s[0].rows(), false);
  s.type.dim = Dim({1}, s[0].bd);
}

void label_batch_shape(Shaping& s) {
  label_shape(s);
  set_labels(s, s[0].rows(), true);
  const auto batch = static_cast<uint32_t>(s.type.span_count);
  if (s[0].bd != batch && s[0].bd != 1)
    s.mismatch("%u indices for %s, which has a batch of %u", batch, s[0].text().c_str(), s[0].bd);
  s.type.dim.bd = batch;
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
  s.type.aux = int64_t{2} * s.type.dim.bd;
}

void pick_neg_log_softmax_batch_shape(Shaping& s) {
  label_batch_shape(s);
  s.type.aux = int64_t{2} * s.type.dim.bd;
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

// ---- hinge, hinge_batch, hinge_dim ----

void check_margin(const Shaping& s, float margin) {
  if (!(margin >= 0) || !std::isfinite(margin)) s.bad_argument("a margin of %g, expected 0 or more", margin);
}

void hinge_shape(Shaping& s) {
  label_shape(s);
  check_margin(s, s.type.static_float(0));
}

void hinge_batch_shape(Shaping& s) {
  label_batch_shape(s);
  check_margin(s, s.type.static_float(0));
}

// The same margin for each loss.
const float* margins(const BatchContext& b, float margin, int64_t losses) {
  auto* numbers = b.scratch.allocate<float>(losses);
  for (int64_t i = 0; i < losses; ++i) numbers[i] = margin;
  return numbers;
}

void hinge_forward(const Forward& b) {
  const int64_t n = b.type.operands[0].rows();
  const int64_t losses = b.element_count();
  const Rows y = b.y_elements();
  const Rows x = b.x_elements(0);
  const int32_t* label = labels(b);
  const float* margin_of = margins(b, b.type.static_float(0), losses);
  b.parallel(losses, kHingeCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.hinge(y.from(begin), x.from(begin), label + begin, margin_of + begin, end - begin, n);
  });
}

void hinge_backward(const Backward& b) {
  const int64_t n = b.type.operands[0].rows();
  const int64_t losses = b.element_count();
  const Backward::Operand dx = b.dx_elements(0);
  const Rows x = b.x_elements(0);
  const Rows dy = b.dy_elements();
  const int32_t* label = labels(b);
  const float* margin_of = margins(b, b.type.static_float(0), losses);
  b.parallel(
      losses, kHingeCost * static_cast<double>(n),
      [&](int64_t begin, int64_t end) {
        b.k.hinge_backward(dx.rows.from(begin), x.from(begin), dy.from(begin), label + begin, margin_of + begin,
                           end - begin, n, dx.accumulate);
      },
      dx.collides);
}

void hinge_dim_shape(Shaping& s) {
  const int32_t dim = s.type.static_int(0);
  if (dim != 0 && dim != 1) s.bad_argument("dimension %d, expected 0 or 1", dim);
  check_margin(s, s.type.static_float(1));
  if (!s[0].is_matrix()) s.mismatch("expected a matrix, got %s", s[0].text().c_str());
  set_labels(s, s[0].d[dim], true);
  const uint32_t losses = s[0].d[1 - dim];
  const int64_t count = s.type.span_count;
  int64_t batch = s[0].bd;
  if (count != losses) {
    if (count % losses != 0 || (batch != 1 && count != losses * batch))
      s.mismatch("%lld indices for %s, expected one for each of %u %s, or that for each batch element",
                 static_cast<long long>(count), s[0].text().c_str(), losses, dim == 0 ? "columns" : "rows");
    batch = count / losses;
  }
  s.type.dim = Dim({losses}, static_cast<uint32_t>(batch));
}

// What hinge_dim's losses are made of: how many there are for a batch element and in all, of how many scores each.
struct HingeDim {
  int64_t each, losses, n;
  bool along_rows;

  explicit HingeDim(const BatchContext& b)
      : each(b.type.dim.rows()),
        losses(b.element_count() * each),
        n(b.type.v[0]),
        along_rows(b.type.static_int(0) == 1) {}
};

// Calls f(element, first, count, labels, margins) for losses of one batch element after the other, `count` of its
// losses from `first` on.
template <class F>
void for_losses(const BatchContext& b, const HingeDim& h, bool serial, F f) {
  const int64_t batch = b.type.dim.bd;
  // Batch elements may have the same labels.
  const int64_t step = b.type.span_count == h.each ? 0 : h.each;
  const float* margin_of = margins(b, b.type.static_float(1), h.each);
  b.parallel(
      h.losses, kHingeCost * static_cast<double>(h.n),
      [&](int64_t begin, int64_t end) {
        while (begin < end) {
          const int64_t element = begin / h.each;
          const int64_t first = begin % h.each;
          const int64_t count = std::min(h.each - first, end - begin);
          const auto* labels = b.own_indices(element / batch);
          f(element, first, count, labels + element % batch * step + first, margin_of);
          begin += count;
        }
      },
      serial);
}

// The scores of each loss in one row, by batch elements: columns as they are, rows by way of the transpose.
Rows scores_of(const BatchContext& b, const HingeDim& h) {
  const Rows x = b.x_elements(0);
  if (!h.along_rows) return x;
  const Rows to{b.scratch.allocate<float>(h.losses * h.n), nullptr, h.each * h.n};
  b.k.transpose(to, x, h.each, h.n, b.element_count(), false);
  return to;
}

void hinge_dim_forward(const Forward& b) {
  const HingeDim h(b);
  const Rows x = scores_of(b, h);
  const Rows y = b.y_elements();
  for_losses(b, h, false,
             [&](int64_t element, int64_t first, int64_t count, const int32_t* labels, const float* margin_of) {
               b.k.hinge({y.at(element) + first, nullptr, 1}, {x.at(element) + first * h.n, nullptr, h.n}, labels,
                         margin_of, count, h.n);
             });
}

void hinge_dim_backward(const Backward& b) {
  const HingeDim h(b);
  const Rows x = scores_of(b, h);
  const Rows dy = b.dy_elements();
  const Backward::Operand dx = b.dx_elements(0);
  const Backward::Operand to =
      h.along_rows ? Backward::Operand{{b.scratch.allocate<float>(h.losses * h.n), nullptr, h.each * h.n}, false, false}
                   : dx;
  for_losses(b, h, to.collides,
             [&](int64_t element, int64_t first, int64_t count, const int32_t* labels, const float* margin_of) {
               b.k.hinge_backward({to.rows.at(element) + first * h.n, nullptr, h.n},
                                  {x.at(element) + first * h.n, nullptr, h.n}, {dy.at(element) + first, nullptr, 1},
                                  labels, margin_of, count, h.n, to.accumulate);
             });
  if (h.along_rows) b.k.transpose(dx.rows, to.rows, h.n, h.each, b.element_count(), dx.accumulate);
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

const OpDef op_hinge_batch = {.name = "hinge_batch",
                              .shape = hinge_batch_shape,
                              .forward = hinge_forward,
                              .backward = hinge_backward,
                              .check = check_labels};

const OpDef op_hinge_dim = {.name = "hinge_dim",
                            .shape = hinge_dim_shape,
                            .forward = hinge_dim_forward,
                            .backward = hinge_dim_backward,
                            .check = check_labels};

const OpDef op_binary_log_loss = {.name = "binary_log_loss",
                                  .shape = pair_to_scalar,
                                  .forward = binary_log_loss_forward,
                                  .backward = binary_log_loss_backward};

}  // namespace dynnet

// Normalisation: of layers by their mean and standard deviation, of weights by their norm.
#include "ops/pairs.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

constexpr double kCost = 0.3;

double row_cost(const BatchContext& b) { return kCost * static_cast<double>(b.type.dim.size()); }

// ---- layer_norm: x, g, b ----

enum { kX, kGain, kBias };

void layer_norm_shape(Shaping& s) {
  s.type.dim = s[kX];
  for (const int i : {kGain, kBias}) {
    if (!s[i].same_shape(s[kX]))
      s.mismatch("expected %s of the shape of x, got %s for %s", i == kGain ? "a gain" : "a bias", s[i].text().c_str(),
                 s[kX].text().c_str());
    s.type.dim.bd = common_batch(s, s.type.dim.bd, s[i].bd);
  }
  s.type.aux = int64_t{2} * s.type.dim.bd;
}

// What forward keeps: a mean and a standard deviation.
Rows statistics(const BatchContext& b) { return b.elements(b.aux, 2, b.type.dim.bd, b.type.dim.bd); }

void layer_norm_forward(const Forward& b) {
  const Rows y = b.y_elements();
  const Rows z = statistics(b);
  const Rows x = b.x_elements(kX);
  const Rows gain = b.x_elements(kGain);
  const Rows bias = b.x_elements(kBias);
  b.parallel(b.element_count(), row_cost(b), [&](int64_t begin, int64_t end) {
    b.k.layer_norm(y.from(begin), z.from(begin), x.from(begin), gain.from(begin), bias.from(begin), end - begin,
                   b.type.dim.size());
  });
}

bool layer_norm_defers(const Type& type, int i) {
  return i != kX && type.shared[static_cast<size_t>(i)] && type.operands[static_cast<size_t>(i)].bd == 1;
}

// Where the gradient of the gain goes, which is no memory of its own if it is deferred: that lasts until the end of the
// pass.
Backward::Operand gain_gradient(const Backward& b) {
  const int64_t n = b.type.dim.size();
  if (!b.type.deferred[kGain]) return b.dx_elements(kGain);
  return {{b.scratch.allocate<float>(n * b.element_count()), nullptr, n}, false, false};
}

void bias_backward(const Backward& b, const Rows& dy) {
  const int64_t n = b.type.dim.size();
  if (b.type.deferred[kBias]) return b.defer_sum(kBias, n, dy, b.element_count());
  add_rows(b, b.dx_elements(kBias), dy, b.element_count(), n);
}

void layer_norm_backward(const Backward& b) {
  const int64_t n = b.type.dim.size();
  const int64_t elements = b.element_count();
  const Rows x = b.x_elements(kX);
  const Rows z = statistics(b);
  const Rows dy = b.dy_elements();
  Backward::Operand dx;
  Backward::Operand dg;
  if (b.wants(kX)) dx = b.dx_elements(kX);
  if (b.wants(kGain)) dg = gain_gradient(b);
  const bool together = b.wants(kX) && b.wants(kGain) && are_apart(dx.rows, dg.rows, elements, n);
  if (b.wants(kX)) {
    const Rows gain = b.x_elements(kGain);
    b.parallel(
        elements, row_cost(b),
        [&](int64_t begin, int64_t end) {
          b.k.layer_norm_backward(dx.rows.from(begin), dx.accumulate, together ? dg.rows.from(begin) : Rows{},
                                  dg.accumulate, x.from(begin), z.from(begin), gain.from(begin), dy.from(begin),
                                  end - begin, n);
        },
        dx.collides || (together && dg.collides));
  }
  if (b.wants(kGain) && !together) {
    b.parallel(
        elements, row_cost(b),
        [&](int64_t begin, int64_t end) {
          b.k.layer_norm_backward_g(dg.rows.from(begin), x.from(begin), z.from(begin), dy.from(begin), end - begin, n,
                                    dg.accumulate);
        },
        dg.collides);
  }
  if (b.wants(kGain) && b.type.deferred[kGain]) b.defer_sum(kGain, n, dg.rows, elements);
  if (b.wants(kBias)) bias_backward(b, dy);
}

// ---- weight_norm: w, g ----

enum { kW, kLength };

void weight_norm_shape(Shaping& s) {
  if (s[kLength].size() != 1) s.mismatch("expected a gain of one element, got %s", s[kLength].text().c_str());
  s.type.dim = s[kW];
  s.type.dim.bd = common_batch(s, s[kW].bd, s[kLength].bd);
  s.type.aux = s.type.dim.bd;
}

Rows norms(const BatchContext& b) { return b.elements(b.aux, 1, b.type.dim.bd, b.type.dim.bd); }

void weight_norm_forward(const Forward& b) {
  const Rows y = b.y_elements();
  const Rows z = norms(b);
  const Rows w = b.x_elements(kW);
  const Rows g = b.x_elements(kLength);
  b.parallel(b.element_count(), row_cost(b), [&](int64_t begin, int64_t end) {
    b.k.weight_norm(y.from(begin), z.from(begin), w.from(begin), g.from(begin), end - begin, b.type.dim.size());
  });
}

void weight_norm_backward(const Backward& b) {
  const int64_t n = b.type.dim.size();
  const Rows z = norms(b);
  const Rows w = b.x_elements(kW);
  const Rows dy = b.dy_elements();
  const Rows dots{b.scratch.allocate<float>(b.element_count()), nullptr, 1};
  if (b.wants(kW)) {
    const Rows g = b.x_elements(kLength);
    const Backward::Operand dw = b.dx_elements(kW);
    b.parallel(
        b.element_count(), row_cost(b),
        [&](int64_t begin, int64_t end) {
          b.k.weight_norm_backward(dw.rows.from(begin), w.from(begin), z.from(begin), g.from(begin), dots.from(begin),
                                   dy.from(begin), end - begin, n, dw.accumulate);
        },
        dw.collides);
  } else {
    b.k.dot(dots, w, dy, b.element_count(), n);
  }
  if (!b.wants(kLength)) return;
  const Backward::Operand dg = b.dx_elements(kLength);
  b.k.weight_norm_backward_g(dg.rows, dots, z, b.element_count(), dg.accumulate);
}

}  // namespace

const OpDef op_layer_norm = {.name = "layer_norm",
                             .shape = layer_norm_shape,
                             .forward = layer_norm_forward,
                             .backward = layer_norm_backward,
                             .defers = layer_norm_defers,
                             .weights = 0b110};

const OpDef op_weight_norm = {.name = "weight_norm",
                              .shape = weight_norm_shape,
                              .forward = weight_norm_forward,
                              .backward = weight_norm_backward};

}  // namespace dynnet

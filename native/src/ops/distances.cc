// Distances and losses of two operands, beside the squared distance, and the loss of a Poisson distribution.
#include <cmath>

#include "ops/pairs.h"

namespace dynnet {
namespace {

constexpr double kCost = 0.1;

double row_cost(const BatchContext& b) { return kCost * static_cast<double>(b.type.operands[0].size()); }

// Calls kernel(y, x0, x1, rows) for parts of the batch elements.
template <class Kernel>
void forward_of_pair(const Forward& b, Kernel kernel) {
  const Rows y = b.y_elements();
  const Rows first = b.x_elements(0);
  const Rows second = b.x_elements(1);
  b.parallel(b.element_count(), row_cost(b), [&](int64_t begin, int64_t end) {
    kernel(y.from(begin), first.from(begin), second.from(begin), end - begin);
  });
}

// ---- l1_distance and huber_distance ----

void l1_distance_forward(const Forward& b) {
  forward_of_pair(b, [&, n = b.type.operands[0].size()](Rows y, Rows x0, Rows x1, int64_t rows) {
    b.k.l1_distance(y, x0, x1, rows, n);
  });
}

void l1_distance_backward(const Backward& b) { pair_sum_backward(b, PairSum::kL1); }

void huber_distance_shape(Shaping& s) {
  const float c = s.type.static_float(0);
  if (!(c > 0) || !std::isfinite(c)) s.bad_argument("a bound of %g, expected a number above 0", c);
  pair_to_scalar(s);
}

void huber_distance_forward(const Forward& b) {
  forward_of_pair(b, [&, n = b.type.operands[0].size()](Rows y, Rows x0, Rows x1, int64_t rows) {
    b.k.huber_distance(y, x0, x1, b.type.static_float(0), rows, n);
  });
}

void huber_distance_backward(const Backward& b) { pair_sum_backward(b, PairSum::kHuber, b.type.static_float(0)); }

// ---- pairwise_rank_loss, of each pair of elements ----

void pairwise_rank_loss_shape(Shaping& s) {
  const float margin = s.type.static_float(0);
  if (!std::isfinite(margin)) s.bad_argument("a margin of %g, expected a finite number", margin);
  // The shape of the operands, once they are known to fit.
  pair_to_scalar(s);
  const uint32_t batch = s.type.dim.bd;
  s.type.dim = s[0];
  s.type.dim.bd = batch;
}

void pairwise_rank_loss_forward(const Forward& b) {
  forward_of_pair(b, [&, n = b.type.dim.size()](Rows y, Rows x0, Rows x1, int64_t rows) {
    b.k.rank_loss(y, x0, x1, b.type.static_float(0), rows, n);
  });
}

void pairwise_rank_loss_backward(const Backward& b) {
  const Rows y = b.y_elements();
  const Rows dy = b.dy_elements();
  for (int side = 0; side < 2; ++side) {
    if (!b.wants(side)) continue;
    const Backward::Operand dx = b.dx_elements(side);
    b.parallel(
        b.element_count(), row_cost(b),
        [&](int64_t begin, int64_t end) {
          b.k.rank_loss_backward(dx.rows.from(begin), y.from(begin), dy.from(begin), side == 0 ? -1.f : 1.f,
                                 end - begin, b.type.dim.size(), dx.accumulate);
        },
        dx.collides);
  }
}

// ---- poisson_loss ----

void poisson_loss_shape(Shaping& s) {
  if (s[0].size() != 1) s.mismatch("expected one element, got %s", s[0].text().c_str());
  s.type.dim = Dim({1}, s[0].bd);
}

void check_count(const Checking& c) {
  const auto count = static_cast<int32_t>(c.data[0]);
  if (count < 0) fail(DN_E_INDEX, "%s: a count of %d, expected 0 or more", c.type.def->name, count);
}

// ln(count!). The function of the standard library writes to a global variable, which threads would share.
double log_factorial(int32_t count) {
  constexpr int32_t kFew = 32;
  double sum = 0;
  if (count < kFew) {
    for (int32_t i = 2; i <= count; ++i) sum += std::log(static_cast<double>(i));
    return sum;
  }
  // Stirling's series for ln Gamma(z), z = count + 1; the next term is less than 1e-13.
  const double z = static_cast<double>(count) + 1;
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  const double inverse = 1 / z;
  const double square = inverse * inverse;
  return (z - 0.5) * std::log(z) - z + kHalfLogTwoPi +
         inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
}

// The counts of the nodes as numbers.
float* targets_of(const BatchContext& b) {
  auto* targets = b.scratch.allocate<float>(b.count);
  for (int64_t node = 0; node < b.count; ++node) targets[node] = static_cast<float>(b.data_int(node));
  return targets;
}

void poisson_loss_forward(const Forward& b) {
  const float* targets = targets_of(b);
  auto* constants = b.scratch.allocate<double>(b.count);
  for (int64_t node = 0; node < b.count; ++node) constants[node] = log_factorial(b.data_int(node));
  b.k.poisson_loss(b.y, b.x[0], targets, constants, b.count, b.type.dim.bd);
}

void poisson_loss_backward(const Backward& b) {
  const Backward::Operand dx = b.dx(0);
  b.k.poisson_loss_backward(dx.rows, b.x[0], b.dy, targets_of(b), b.count, b.type.dim.bd, dx.accumulate);
}

}  // namespace

const OpDef op_l1_distance = {
    .name = "l1_distance", .shape = pair_to_scalar, .forward = l1_distance_forward, .backward = l1_distance_backward};

const OpDef op_huber_distance = {.name = "huber_distance",
                                 .shape = huber_distance_shape,
                                 .forward = huber_distance_forward,
                                 .backward = huber_distance_backward};

const OpDef op_pairwise_rank_loss = {.name = "pairwise_rank_loss",
                                     .shape = pairwise_rank_loss_shape,
                                     .forward = pairwise_rank_loss_forward,
                                     .backward = pairwise_rank_loss_backward};

const OpDef op_poisson_loss = {.name = "poisson_loss",
                               .shape = poisson_loss_shape,
                               .forward = poisson_loss_forward,
                               .backward = poisson_loss_backward,
                               .check = check_count,
                               .data_words = 1,
                               .indexed = true};

}  // namespace dynnet

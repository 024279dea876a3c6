// Normalisation.
#include <algorithm>
#include <cmath>

#include "ops/rows.h"

namespace dynnet::test {
namespace {

// x, and a gain and a bias of its shape, mostly without a batch.
bool layer(Draw& d, World&, Example& e) {
  const Shape shape = e.x[0];
  const int64_t batch = d.other_batch(shape).batch;
  for (int i = 0; i < 2; ++i) {
    e.x.push_back(shape);
    e.x.back().batch = d.chance(0.7) ? 1 : std::max(batch, shape.batch);
  }
  return true;
}

// Weights and one number.
bool weight_and_scale(Draw& d, World&, Example& e) {
  e.x.push_back(Shape({1}, d.chance(0.6) ? 1 : d.other_batch(e.x[0]).batch));
  return true;
}

// The root of the sum of squared distances from the mean, or from 0, of each batch element is not small.
bool spreads(Program& program, int step, bool about_mean) {
  const Numbers& x = program.value(step);
  const auto n = static_cast<size_t>(program.shape(step).size());
  for (size_t begin = 0; begin < x.size(); begin += n) {
    double mean = 0;
    for (size_t i = begin; about_mean && i < begin + n; ++i) mean += x[i] / static_cast<double>(n);
    double squares = 0;
    for (size_t i = begin; i < begin + n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    if (std::sqrt(squares / static_cast<double>(n)) < 0.1) return false;
  }
  return true;
}

}  // namespace

std::vector<OpRow> normalisation_rows() {
  return {
      {.name = "layer_norm",
       .draw = layer,
       .record = RECORD(dn_op_layer_norm(r.graph, r.x[0], r.x[1], r.x[2], r.out)),
       .bad = {{{{3}, {2}, {3}}, {}, DN_E_SHAPE, "expected a gain of the shape of x, got {2} for {3}"},
               {{{3}, {3}, {1, 3}}, {}, DN_E_SHAPE, "expected a bias of the shape of x, got {1,3} for {3}"},
               {{Shape({3}, 2), {3}, Shape({3}, 3)}, {}, DN_E_SHAPE, "2 and 3"}},
       .weights = 0b110,
       .settled = [](Program& p,
                     const Step& step) { return p.shape(step.x[0]).size() == 1 || spreads(p, step.x[0], true); }},
      {.name = "weight_norm",
       .draw = weight_and_scale,
       .record = RECORD_BINARY(weight_norm),
       .bad = {{{{3}, {2}}, {}, DN_E_SHAPE, "expected a gain of one element, got {2}"},
               {{Shape({3}, 2), Shape({1}, 3)}, {}, DN_E_SHAPE, "2 and 3"}},
       .domains = {Domain::kNonZero, Domain::kAny},
       .settled = [](Program& p, const Step& step) { return spreads(p, step.x[0], false); }},
  };
}

}  // namespace dynnet::test

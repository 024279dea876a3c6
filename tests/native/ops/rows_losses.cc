// Probabilities and losses.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/rows.h"
#include "special.h"

namespace dynnet::test {
namespace {

using D = Domain;

const std::vector<Bad> kBadLabel = {{{{3}}, {.indices = {3}}, DN_E_INDEX, "label 3 of {3}"},
                                    {{{3}}, {.indices = {-1}}, DN_E_INDEX, "0 to 2"},
                                    {{{3, 2}}, {.indices = {0}}, DN_E_SHAPE, "{3,2}"}};

std::vector<Bad> with_scalar(std::vector<Bad> bad, double scalar) {
  for (Bad& each : bad) each.a.scalar = scalar;
  return bad;
}

bool pair_and_scalar(Draw& d, World& world, Example& e) {
  e.a.scalar = d.uniform(0.2, 2);
  return draws::pair(d, world, e);
}

// One element and a count.
bool count(Draw& d, World&, Example& e) {
  e.a.indices = {static_cast<int32_t>(d.below(8))};
  return e.x[0].size() == 1;
}

// Whether no x0 - x1 is near `jump`, but for an operand and itself.
bool differences_settled(Program& program, const Step& step, double jump) {
  if (step.x[0] == step.x[1] && jump == 0) return true;
  const Numbers& x0 = program.value(step.x[0]);
  const Numbers& x1 = program.value(step.x[1]);
  for (size_t i = 0; i < std::max(x0.size(), x1.size()); ++i)
    if (std::abs(x0[i % x0.size()] - x1[i % x1.size()] - jump) < 1e-4) return false;
  return true;
}

bool signs_settled(Program& program, const Step& step) { return differences_settled(program, step, 0); }

bool margins_settled(Program& program, const Step& step) {
  return differences_settled(program, step, step.example.a.scalar);
}

const std::vector<Bad> kBadList = {{{{3}}, {}, DN_E_ARGUMENT, "no indices"},
                                   {{{3}}, {.indices = {0, 3}}, DN_E_INDEX, "label 3 of {3}"},
                                   {{{3}}, {.indices = {-1, 0}}, DN_E_INDEX, "0 to 2"}};

const std::vector<Bad> kBadMargin = {
    {{{3}}, {.scalar = -1, .indices = {0}}, DN_E_ARGUMENT, "margin of -1"},
    {{{3}}, {.scalar = std::numeric_limits<double>::infinity(), .indices = {0}}, DN_E_ARGUMENT, "margin of inf"}};

// Some of the elements of a dimension, the same more than once now and then.
Indices some(Draw& d, int64_t n) { return d.indices(d.between(1, n), n); }

bool restriction(Draw& d, World&, Example& e) {
  e.a.indices = some(d, e.x[0].d[0]);
  return e.x[0].is_matrix();
}

bool target_support(Draw& d, World&, Example& e) {
  e.a.indices = some(d, e.x[0].d[0]);
  return e.x[0].is_vector();
}

bool hinge_batch(Draw& d, World& world, Example& e) {
  e.a.scalar = d.uniform(0, 2);
  return draws::label_batch(d, world, e);
}

bool hinge_dim(Draw& d, World&, Example& e) {
  const Shape& x = e.x[0];
  e.a.scalar = d.uniform(0, 2);
  e.a.dim = static_cast<int32_t>(d.below(2));
  const int64_t batch = d.chance(0.5) ? 1 : x.batch == 1 ? d.batch() : x.batch;
  e.a.indices = d.indices(x.d[1 - static_cast<size_t>(e.a.dim)] * batch, x.d[static_cast<size_t>(e.a.dim)]);
  return x.is_matrix();
}

}  // namespace

std::vector<OpRow> loss_rows() {
  return {
      {.name = "softmax",
       .draw = draws::softmax,
       .record = RECORD(dn_op_softmax(r.graph, r.x[0], r.a.dim, r.out)),
       .bad = {{{{2, 3}}, {.dim = 2}, DN_E_ARGUMENT, "dimension 2 of {2,3}, expected 0 to 1"},
               {{{2, 3}}, {.dim = -1}, DN_E_ARGUMENT, "dimension -1"},
               {{{2, 3, 2}}, {.dim = 3}, DN_E_ARGUMENT, "expected 0 to 2"}}},
      {.name = "log_softmax", .draw = draws::matrix, .record = RECORD_UNARY(log_softmax), .bad = no_matrix()},
      {.name = "log_softmax_restricted",
       .draw = restriction,
       .record = RECORD(dn_op_log_softmax_restricted(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.out)),
       .bad = kBadList + std::vector<Bad>{{{{2, 3, 2}}, {.indices = {0}}, DN_E_SHAPE, "{2,3,2}"}},
       .infinite = true},
      {.name = "sparsemax",
       .draw = draws::matrix,
       .record = RECORD_UNARY(sparsemax),
       .bad = no_matrix(),
       .domains = {D::kApart}},
      {.name = "constrained_softmax",
       .draw = draws::vector_pair,
       .record = RECORD_BINARY(constrained_softmax),
       .bad = {{{{2}, {3}}, {}, DN_E_SHAPE, "{2} and {3}"},
               {{{2, 2}, {2, 2}}, {}, DN_E_SHAPE, "{2,2} and {2,2}"},
               {{Shape({2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "2 and 3"}},
       .domains = {D::kAny, D::kProbability}},
      {.name = "pick_neg_log_softmax",
       .draw = draws::label,
       .record = RECORD(dn_op_pick_neg_log_softmax(r.graph, r.x[0], r.index(), r.out)),
       .bad = kBadLabel},
      {.name = "pick_neg_log_softmax_batch",
       .draw = draws::label_batch,
       .record = RECORD(dn_op_pick_neg_log_softmax_batch(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.out)),
       .bad =
           kBadLabel + std::vector<Bad>{{{{3}}, {}, DN_E_ARGUMENT, "no indices"},
                                        {{Shape({3}, 2)}, {.indices = {0, 1, 2}}, DN_E_SHAPE, "3 indices for {3}X2"}}},
      {.name = "binary_log_loss",
       .draw = draws::pair,
       .record = RECORD_BINARY(binary_log_loss),
       .bad = bad_pair(),
       .domains = {D::kProbability}},
      {.name = "l1_distance",
       .draw = draws::pair,
       .record = RECORD_BINARY(l1_distance),
       .bad = bad_pair(),
       .settled = signs_settled},
      {.name = "huber_distance",
       .draw = pair_and_scalar,
       .record = RECORD(dn_op_huber_distance(r.graph, r.x[0], r.x[1], r.a.scalar, r.out)),
       .bad =
           with_scalar(bad_pair(), 1) + std::vector<Bad>{{{{2}, {2}}, {.scalar = 0}, DN_E_ARGUMENT, "a bound of 0"},
                                                         {{{2}, {2}}, {.scalar = -1}, DN_E_ARGUMENT, "a bound of -1"},
                                                         {{{2}, {2}}, {.scalar = kNaN}, DN_E_ARGUMENT, "nan"}}},
      {.name = "pairwise_rank_loss",
       .draw = pair_and_scalar,
       .record = RECORD(dn_op_pairwise_rank_loss(r.graph, r.x[0], r.x[1], r.a.scalar, r.out)),
       .bad = bad_pair() + std::vector<Bad>{{{{2}, {2}}, {.scalar = kNaN}, DN_E_ARGUMENT, "a margin of"}},
       .settled = margins_settled},
      {.name = "poisson_loss",
       .draw = count,
       .record = RECORD(dn_op_poisson_loss(r.graph, r.x[0], r.index(), r.out)),
       .bad = {{{{1}}, {.indices = {-1}}, DN_E_INDEX, "a count of -1"},
               {{{2}}, {.indices = {1}}, DN_E_SHAPE, "one element, got {2}"}},
       .domains = {D::kSmall}},
      {.name = "hinge",
       .draw = draws::hinge,
       .record = RECORD(dn_op_hinge(r.graph, r.x[0], r.index(), r.a.scalar, r.out)),
       .bad = kBadLabel + kBadMargin},
      {.name = "hinge_batch",
       .draw = hinge_batch,
       .record = RECORD(dn_op_hinge_batch(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.a.scalar, r.out)),
       .bad = kBadLabel + kBadMargin +
              std::vector<Bad>{{{{3}}, {}, DN_E_ARGUMENT, "no indices"},
                               {{Shape({3}, 2)}, {.indices = {0, 1, 2}}, DN_E_SHAPE, "3 indices for {3}X2"}}},
      {.name = "hinge_dim",
       .draw = hinge_dim,
       .record = RECORD(dn_op_hinge_dim(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.a.dim, r.a.scalar, r.out)),
       .bad = kBadMargin +
              std::vector<Bad>{{{{3, 2}}, {}, DN_E_ARGUMENT, "no indices"},
                               {{{3, 2}}, {.indices = {0, 3}}, DN_E_INDEX, "label 3 of {3,2}, which has 0 to 2"},
                               {{{3, 2}}, {.indices = {0, 2, 1}, .dim = 1}, DN_E_INDEX, "0 to 1"},
                               {{{3, 2}}, {.indices = {0, 1, 2}}, DN_E_SHAPE, "3 indices for {3,2}"},
                               {{Shape({3, 2}, 2)}, {.indices = {0, 1, 2, 0, 1, 2}}, DN_E_SHAPE, "6 indices"},
                               {{{3, 2, 2}}, {.indices = {0}}, DN_E_SHAPE, "{3,2,2}"},
                               {{{3, 2}}, {.indices = {0}, .dim = 2}, DN_E_ARGUMENT, "dimension 2"}}},
      {.name = "sparsemax_loss",
       .draw = target_support,
       .record = RECORD(dn_op_sparsemax_loss(r.graph, r.x[0], r.a.indices.data(), r.indices(), r.out)),
       .bad = kBadList + std::vector<Bad>{{{{3, 2}}, {.indices = {0}}, DN_E_SHAPE, "{3,2}"}},
       .domains = {D::kApart}},
  };
}

}  // namespace dynnet::test

// Noise.
#include "ops/rows.h"

namespace dynnet::test {
namespace {

bool draw_rate(Draw& d, World&, Example& e) {
  e.a.scalar = d.uniform(0, 0.9);
  return true;
}

bool draw_slices(Draw& d, World& world, Example& e) {
  e.a.dim = static_cast<int32_t>(d.below(d.chance(0.9) ? to_dim(e.x[0]).nd : int64_t{DN_MAX_DIMS}));
  return draw_rate(d, world, e);
}

// What was not dropped was divided by 1 - rate. Of a 0 that would not show.
constexpr Domain kKept = Domain::kNonZero;

void take_mask(const Drawn& d) {
  Numbers mask;
  for (const float value : d.y) mask.push_back(value == 0 ? 0 : 1 / (1 - d.e.a.scalar));
  d.graph.set_mask(d.node, std::move(mask));
}

void take_noise(const Drawn& d) {
  Numbers noise;
  for (size_t i = 0; i < d.y.size(); ++i) noise.push_back(static_cast<double>(d.y[i]) - d.x[i]);
  d.graph.set_mask(d.node, std::move(noise));
}

const std::vector<Bad> kBadRates = {{{{2}}, {.scalar = 1}, DN_E_ARGUMENT, "rate of 1"},
                                    {{{2}}, {.scalar = -0.5}, DN_E_ARGUMENT, "-0.5"}};

}  // namespace

std::vector<OpRow> noise_rows() {
  return {
      {.name = "dropout",
       .draw = draw_rate,
       .record = RECORD(dn_op_dropout(r.graph, r.x[0], r.a.scalar, r.out)),
       .bad = kBadRates,
       .domains = {kKept},
       .take_draws = take_mask},
      {.name = "dropout_dim",
       .draw = draw_slices,
       .record = RECORD(dn_op_dropout_dim(r.graph, r.x[0], r.a.dim, r.a.scalar, r.out)),
       .bad = kBadRates + std::vector<Bad>{{{{2}}, {.dim = 7}, DN_E_ARGUMENT, "dimension 7"},
                                           {{{2}}, {.dim = -1}, DN_E_ARGUMENT, "dimension -1"}},
       .domains = {kKept},
       .take_draws = take_mask},
      {.name = "dropout_batch",
       .draw = draw_rate,
       .record = RECORD(dn_op_dropout_batch(r.graph, r.x[0], r.a.scalar, r.out)),
       .bad = kBadRates,
       .domains = {kKept},
       .take_draws = take_mask},
      {.name = "block_dropout",
       .draw = draw_rate,
       .record = RECORD(dn_op_block_dropout(r.graph, r.x[0], r.a.scalar, r.out)),
       .bad = {{{{2}}, {.scalar = 1.5}, DN_E_ARGUMENT, "rate of 1.5"},
               {{{2}}, {.scalar = -0.5}, DN_E_ARGUMENT, "-0.5"}},
       .domains = {kKept},
       .take_draws = take_mask},
      {.name = "noise",
       .draw = draw_rate,
       .record = RECORD(dn_op_noise(r.graph, r.x[0], r.a.scalar, r.out)),
       .bad = {{{{2}}, {.scalar = -0.5}, DN_E_ARGUMENT, "a standard deviation of -0.5"}},
       .take_draws = take_noise},
  };
}

}  // namespace dynnet::test

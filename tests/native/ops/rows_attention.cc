// Attention.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/rows.h"
#include "special.h"

namespace dynnet::test {
namespace {

int64_t batch_of(const Example& e) {
  int64_t batch = 1;
  for (const Shape& x : e.x) batch = std::max(batch, x.batch);
  return batch;
}

// Whether operands, scores and results are no larger than operands get.
bool is_small_with_scores(const Draw& d, const Example& e) {
  const int64_t queries = e.x[0].d[1] * batch_of(e);
  return queries * e.x[1].d[1] * e.a.count <= d.most_elements && queries * e.x.back().d[0] <= d.most_elements &&
         draws::is_small(d, e);
}

// Queries and keys, and the attributes of all attention.
bool scores(Draw& d, World&, Example& e) {
  const Shape q = e.x[0];
  if (!q.is_matrix() || q.d[0] % e.a.count != 0) return false;
  e.a.flag = d.chance(0.4);
  if (d.chance(0.5)) {
    const double usual = 1 / std::sqrt(static_cast<double>(q.d[0] / e.a.count));
    e.a.second = (d.chance(0.3) ? -usual : usual) * d.uniform(0.3, 1.5);
  }
  const int64_t keys = d.chance(0.3) ? q.d[1] : d.size();
  e.x.push_back(Shape({q.d[0], keys}, d.other_batch(q).batch));
  return is_small_with_scores(d, e);
}

bool attention(Draw& d, World& world, Example& e) {
  if (!scores(d, world, e)) return false;
  if (d.chance(0.3)) e.a.scalar = d.uniform(0.1, 0.8);
  const int64_t values = d.chance(0.3) ? e.x[0].d[0] : d.size() * e.a.count;
  e.x.push_back(Shape({values, e.x[1].d[1]}, d.other_batch(e.x[e.x[0].batch > 1 ? 0 : 1]).batch));
  return is_small_with_scores(d, e);
}

// Adds a mask, in which each size may be 1.
bool mask(Draw& d, Example& e) {
  const auto or_one = [&](int64_t size) { return d.chance(0.5) ? 1 : size; };
  e.x.push_back(Shape({or_one(e.x[1].d[1]), or_one(e.x[0].d[1]), or_one(e.a.count)}, or_one(batch_of(e))));
  return true;
}

bool masked(Draw& d, World& world, Example& e) { return attention(d, world, e) && mask(d, e); }

template <bool (*draw)(Draw&, World&, Example&)>
bool several_heads(Draw& d, World& world, Example& e) {
  e.a.count = static_cast<int32_t>(d.between(1, 3));
  return draw(d, world, e);
}

bool weights(Draw& d, World& world, Example& e) { return several_heads<scores>(d, world, e); }

bool weights_masked(Draw& d, World& world, Example& e) { return weights(d, world, e) && mask(d, e); }

// The weights that dropout may drop.
Shape drawn(const Example& e) { return Shape({e.x[1].d[1], e.x[0].d[1], e.a.count}, e.a.scalar > 0 ? batch_of(e) : 0); }

// The draws are those that dropout would make of ones in the node's place, in a graph of the same seed.
void take_draws(const Drawn& d) {
  const GraphHandle graph = new_graph();
  const dn_dim dim = to_dim(drawn(d.e));
  dn_expr ones{};
  do {
    ASSERT_OK(dn_op_constant(graph.get(), &dim, 1, &ones));
  } while (ones.node + 1 < d.expr.node);
  dn_expr dropped{};
  ASSERT_OK(dn_op_dropout(graph.get(), ones, d.e.a.scalar, &dropped));
  const std::vector<float> factors = value(graph.get(), dropped);
  d.graph.set_mask(d.node, Numbers(factors.begin(), factors.end()));
}

const std::vector<Bad> kBadScores = {
    {{{4, 2}, {3, 5}, {4, 5}}, {}, DN_E_SHAPE, "queries {4,2} and keys {3,5} differ in their rows"},
    {{{4, 2, 2}, {4, 5}, {4, 5}}, {}, DN_E_SHAPE, "{4,2,2} (operand 0)"},
    {{{4, 2}, {4, 5, 2}, {4, 5}}, {}, DN_E_SHAPE, "{4,5,2} (operand 1)"},
    {{Shape({4, 2}, 2), Shape({4, 5}, 3), {4, 5}}, {}, DN_E_SHAPE, "2 and 3"},
    {{{4, 2}, {4, 5}, {4, 5}}, {.second = kInfinity}, DN_E_ARGUMENT, "a scale of inf"},
    {{{4, 2}, {4, 5}, {4, 5}}, {.second = -1e39}, DN_E_ARGUMENT, "a scale of -inf"},
    {{{4, 2}, {4, 5}, {4, 5}}, {.second = std::nan("")}, DN_E_ARGUMENT, "a scale of nan"},
};

const std::vector<Bad> kBadAttention =
    kBadScores + std::vector<Bad>{
                     {{{4, 2}, {4, 5}, {4, 6}}, {}, DN_E_SHAPE, "keys {4,5} and values {4,6} differ in their columns"},
                     {{{4, 2}, {4, 5}, {4, 5, 2}}, {}, DN_E_SHAPE, "{4,5,2} (operand 2)"},
                     {{Shape({4, 2}, 2), {4, 5}, Shape({4, 5}, 3)}, {}, DN_E_SHAPE, "2 and 3"},
                     {{{4, 2}, {4, 5}, {4, 5}}, {.scalar = 1}, DN_E_ARGUMENT, "a dropout of 1"},
                     {{{4, 2}, {4, 5}, {4, 5}}, {.scalar = -0.5}, DN_E_ARGUMENT, "a dropout of -0.5"},
                     {{{4, 2}, {4, 5}, {4, 5}}, {.scalar = std::nan("")}, DN_E_ARGUMENT, "a dropout of nan"},
                 };

const std::vector<Bad> kFewHeads = {
    {{{4, 2}, {4, 5}, {4, 5}}, {.count = 0}, DN_E_ARGUMENT, "0 heads"},
    {{{4, 2}, {4, 5}, {6, 5}}, {.count = 3}, DN_E_SHAPE, "the rows of {4,2} are no multiple of 3 heads"},
};

const std::vector<Bad> kBadHeads =
    kFewHeads +
    std::vector<Bad>{
        {{{6, 2}, {6, 5}, {4, 5}}, {.count = 3}, DN_E_SHAPE, "the rows of {4,5} are no multiple of 3 heads"},
    };

const std::vector<Bad> kBadMask = {
    {{{4, 2}, {4, 5}, {4, 5}, {2, 5}},
     {},
     DN_E_SHAPE,
     "expected a mask {5,2}, of which any size may be 1, for queries {4,2} and keys {4,5}, got {2,5}"},
    {{{4, 2}, {4, 5}, {4, 5}, {5, 3}}, {}, DN_E_SHAPE, "got {5,3}"},
    {{{4, 2}, {4, 5}, {4, 5}, {1, 5}}, {}, DN_E_SHAPE, "got {1,5}"},
    {{{4, 2}, {4, 5}, {4, 5}, {5, 2, 2}}, {}, DN_E_SHAPE, "got {5,2,2}"},
    {{{4, 2}, {4, 5}, {4, 5}, {5, 1, 1, 2}}, {}, DN_E_SHAPE, "got {5,1,1,2}"},
    {{Shape({4, 2}, 2), {4, 5}, {4, 5}, Shape({5}, 3)}, {}, DN_E_SHAPE, "2 and 3"},
};

const std::vector<Bad> kBadMaskOfHeads = {
    {{{4, 2}, {4, 5}, {4, 5}, {5, 2, 3}},
     {.count = 2},
     DN_E_SHAPE,
     "expected a mask {5,2,2}, of which any size may be 1, for queries {4,2} and keys {4,5}, got {5,2,3}"},
};

// With a mask that fits.
std::vector<Bad> with_mask(std::vector<Bad> bad) {
  for (Bad& each : bad) each.x.push_back(Shape({each.x[1].d[1]}));
  return bad;
}

std::vector<Bad> without_values(std::vector<Bad> bad) {
  for (Bad& each : bad) each.x.erase(each.x.begin() + 2);
  return bad;
}

}  // namespace

std::vector<OpRow> attention_rows() {
  return {
      {.name = "scaled_dot_product_attention",
       .draw = attention,
       .record = RECORD(dn_op_scaled_dot_product_attention(r.graph, r.x[0], r.x[1], r.x[2], r.a.flag, r.a.scalar,
                                                           r.a.second, r.out)),
       .bad = kBadAttention,
       .take_draws = take_draws,
       .drawn = drawn},
      {.name = "scaled_dot_product_attention_masked",
       .draw = masked,
       .record = RECORD(dn_op_scaled_dot_product_attention_masked(r.graph, r.x[0], r.x[1], r.x[2], r.x[3], r.a.flag,
                                                                  r.a.scalar, r.a.second, r.out)),
       .bad = with_mask(kBadAttention) + kBadMask,
       .take_draws = take_draws,
       .drawn = drawn},
      {.name = "multi_head_attention",
       .draw = several_heads<attention>,
       .record = RECORD(dn_op_multi_head_attention(r.graph, r.x[0], r.x[1], r.x[2], r.a.count, r.a.flag, r.a.scalar,
                                                   r.a.second, r.out)),
       .bad = kBadAttention + kBadHeads,
       .take_draws = take_draws,
       .drawn = drawn},
      {.name = "multi_head_attention_masked",
       .draw = several_heads<masked>,
       .record = RECORD(dn_op_multi_head_attention_masked(r.graph, r.x[0], r.x[1], r.x[2], r.x[3], r.a.count, r.a.flag,
                                                          r.a.scalar, r.a.second, r.out)),
       .bad = with_mask(kBadAttention + kBadHeads) + kBadMask + kBadMaskOfHeads,
       .take_draws = take_draws,
       .drawn = drawn},
      {.name = "attention_weights",
       .draw = weights,
       .record = RECORD(dn_op_attention_weights(r.graph, r.x[0], r.x[1], r.a.count, r.a.flag, r.a.second, r.out)),
       .bad = without_values(kBadScores + kFewHeads)},
      {.name = "attention_weights_masked",
       .draw = weights_masked,
       .record = RECORD(
           dn_op_attention_weights_masked(r.graph, r.x[0], r.x[1], r.x[2], r.a.count, r.a.flag, r.a.second, r.out)),
       .bad = without_values(with_mask(kBadScores + kFewHeads) + kBadMask + kBadMaskOfHeads)},
  };
}

}  // namespace dynnet::test

// Attention.
#include <algorithm>

#include "ops/rows.h"

namespace dynnet::test {
namespace {

bool attention(Draw& d, World&, Example& e) {
  const Shape q = e.x[0];
  if (!q.is_matrix() || q.d[0] % e.a.count != 0) return false;
  e.a.flag = d.chance(0.4);
  const int64_t keys = d.chance(0.3) ? q.d[1] : d.size();
  e.x.push_back(Shape({q.d[0], keys}, d.other_batch(q).batch));
  const Shape& wide = e.x[q.batch > 1 ? 0 : 1];
  const int64_t values = d.chance(0.3) ? q.d[0] : d.size() * e.a.count;
  e.x.push_back(Shape({values, keys}, d.other_batch(wide).batch));
  const int64_t batch = std::max({e.x[0].batch, e.x[1].batch, e.x[2].batch});
  return q.d[1] * keys * e.a.count * batch <= d.most_elements &&
         std::all_of(e.x.begin(), e.x.end(), [&](const Shape& x) { return x.total() <= d.most_elements; });
}

bool masked(Draw& d, World& world, Example& e) {
  if (!attention(d, world, e)) return false;
  const int64_t batch = std::max({e.x[0].batch, e.x[1].batch, e.x[2].batch});
  e.x.push_back(Shape({e.x[1].d[1], d.chance(0.5) ? 1 : e.x[0].d[1]}, d.chance(0.5) ? 1 : batch));
  return true;
}

bool several_heads(Draw& d, World& world, Example& e) {
  e.a.count = static_cast<int32_t>(d.between(1, 3));
  return attention(d, world, e);
}

bool several_heads_masked(Draw& d, World& world, Example& e) {
  e.a.count = static_cast<int32_t>(d.between(1, 3));
  return masked(d, world, e);
}

const std::vector<Bad> kBadAttention = {
    {{{4, 2}, {3, 5}, {4, 5}}, {}, DN_E_SHAPE, "queries {4,2} and keys {3,5} differ in their rows"},
    {{{4, 2}, {4, 5}, {4, 6}}, {}, DN_E_SHAPE, "keys {4,5} and values {4,6} differ in their columns"},
    {{{4, 2, 2}, {4, 5}, {4, 5}}, {}, DN_E_SHAPE, "{4,2,2} (operand 0)"},
    {{{4, 2}, {4, 5, 2}, {4, 5}}, {}, DN_E_SHAPE, "{4,5,2} (operand 1)"},
    {{{4, 2}, {4, 5}, {4, 5, 2}}, {}, DN_E_SHAPE, "{4,5,2} (operand 2)"},
    {{Shape({4, 2}, 2), Shape({4, 5}, 3), {4, 5}}, {}, DN_E_SHAPE, "2 and 3"},
    {{Shape({4, 2}, 2), {4, 5}, Shape({4, 5}, 3)}, {}, DN_E_SHAPE, "2 and 3"},
};

const std::vector<Bad> kBadHeads = {
    {{{4, 2}, {4, 5}, {4, 5}}, {.count = 0}, DN_E_ARGUMENT, "0 heads"},
    {{{4, 2}, {4, 5}, {6, 5}}, {.count = 3}, DN_E_SHAPE, "the rows of {4,2} are no multiple of 3 heads"},
    {{{6, 2}, {6, 5}, {4, 5}}, {.count = 3}, DN_E_SHAPE, "the rows of {4,5} are no multiple of 3 heads"},
};

const std::vector<Bad> kBadMask = {
    {{{4, 2}, {4, 5}, {4, 5}, {2, 5}},
     {},
     DN_E_SHAPE,
     "expected a mask {5,2} or {5} for queries {4,2} and keys {4,5}, got {2,5}"},
    {{{4, 2}, {4, 5}, {4, 5}, {5, 3}}, {}, DN_E_SHAPE, "got {5,3}"},
    {{{4, 2}, {4, 5}, {4, 5}, {5, 2, 2}}, {}, DN_E_SHAPE, "got {5,2,2}"},
    {{Shape({4, 2}, 2), {4, 5}, {4, 5}, Shape({5}, 3)}, {}, DN_E_SHAPE, "2 and 3"},
};

// With a mask that fits.
std::vector<Bad> with_mask(std::vector<Bad> bad) {
  for (Bad& each : bad) each.x.push_back(Shape({each.x[1].d[1]}));
  return bad;
}

}  // namespace

std::vector<OpRow> attention_rows() {
  return {
      {.name = "scaled_dot_product_attention",
       .draw = attention,
       .record = RECORD(dn_op_scaled_dot_product_attention(r.graph, r.x[0], r.x[1], r.x[2], r.a.flag, r.out)),
       .bad = kBadAttention},
      {.name = "scaled_dot_product_attention_masked",
       .draw = masked,
       .record =
           RECORD(dn_op_scaled_dot_product_attention_masked(r.graph, r.x[0], r.x[1], r.x[2], r.x[3], r.a.flag, r.out)),
       .bad = with_mask(kBadAttention) + kBadMask},
      {.name = "multi_head_attention",
       .draw = several_heads,
       .record = RECORD(dn_op_multi_head_attention(r.graph, r.x[0], r.x[1], r.x[2], r.a.count, r.a.flag, r.out)),
       .bad = kBadAttention + kBadHeads},
      {.name = "multi_head_attention_masked",
       .draw = several_heads_masked,
       .record = RECORD(
           dn_op_multi_head_attention_masked(r.graph, r.x[0], r.x[1], r.x[2], r.x[3], r.a.count, r.a.flag, r.out)),
       .bad = with_mask(kBadAttention + kBadHeads) + kBadMask},
  };
}

}  // namespace dynnet::test

// Attention: one node for scores, weights and the weighted sums of values.
#include <algorithm>
#include <cmath>

#include "ops/context.h"
#include "ops/product.h"
#include "ops/sliding.h"

namespace dynnet {
namespace {

enum AttentionOperand { kQueries, kKeys, kValues, kMask };

struct Attention {
  int64_t heads;
  /// Rows of a head's queries and keys, and of its values.
  int64_t d, e;
  int64_t queries, keys;
  int64_t batch;
  float scale;
  bool causal;

  /// Scores of a head, and of a batch element.
  int64_t scores() const { return queries * keys; }
  int64_t each() const { return heads * scores(); }
  double cost() const {
    constexpr double kSpeed = 40;
    constexpr double kExpCost = 0.6;
    const auto pairs = static_cast<double>(scores());
    return pairs * (2.0 * static_cast<double>(d + e) / kSpeed + kExpCost) + 20;
  }
};

// The attributes are heads, where there can be several, and causal.
bool has_heads(const Type& type) { return type.statics.size() == 2; }

Attention attention_of(const Type& type) {
  const bool with_heads = has_heads(type);
  Attention a;
  a.heads = with_heads ? type.static_int(0) : 1;
  a.d = type.operands[kQueries].rows() / a.heads;
  a.e = type.operands[kValues].rows() / a.heads;
  a.queries = type.operands[kQueries].cols();
  a.keys = type.operands[kKeys].cols();
  a.batch = type.dim.bd;
  a.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(a.d)));
  a.causal = type.static_int(with_heads ? 1 : 0) != 0;
  return a;
}

void check_mask(const Shaping& s) {
  const Dim& mask = s[kMask];
  const uint32_t queries = s[kQueries].cols();
  const uint32_t keys = s[kKeys].cols();
  if (!mask.is_matrix() || mask.rows() != keys || (mask.cols() != queries && mask.cols() != 1))
    s.mismatch("expected a mask {%u,%u} or {%u} for queries %s and keys %s, got %s", keys, queries, keys,
               s[kQueries].text().c_str(), s[kKeys].text().c_str(), mask.text().c_str());
}

void attention_shape(Shaping& s) {
  const Dim& q = s[kQueries];
  const Dim& k = s[kKeys];
  const Dim& v = s[kValues];
  const int32_t heads = has_heads(s.type) ? s.type.static_int(0) : 1;
  if (heads < 1) s.bad_argument("%d heads, expected 1 or more", heads);
  for (int i = kQueries; i <= kValues; ++i)
    if (!s[i].is_matrix()) s.mismatch("expected matrices, got %s (operand %d)", s[i].text().c_str(), i);
  if (q.rows() != k.rows())
    s.mismatch("queries %s and keys %s differ in their rows", q.text().c_str(), k.text().c_str());
  if (k.cols() != v.cols())
    s.mismatch("keys %s and values %s differ in their columns", k.text().c_str(), v.text().c_str());
  for (const Dim* x : {&q, &v})
    if (x->rows() % static_cast<uint32_t>(heads) != 0)
      s.mismatch("the rows of %s are no multiple of %d heads", x->text().c_str(), heads);
  uint32_t batch = common_batch(s, common_batch(s, q.bd, k.bd), v.bd);
  if (s.count() > kMask) {
    check_mask(s);
    batch = common_batch(s, batch, s[kMask].bd);
  }
  s.type.dim = q.nd <= 1 ? Dim({v.rows()}, batch) : Dim({v.rows(), q.cols()}, batch);
  s.type.aux = total_if_possible(Dim({q.cols(), k.cols(), static_cast<uint32_t>(heads)}, batch));
}

// Room for the transposed rows of one operand, for each head of each batch element; null where few queries make dot
// products with what lies there the better choice.
struct Packed {
  float* memory = nullptr;
  int64_t size = 0;
  Packed(const BatchContext& b, const Attention& a, int64_t rows) {
    if (a.queries < kWorthPacking) return;
    size = (a.keys + 15) / 16 * 16 * rows;
    memory = b.scratch.allocate<float>(size * a.heads * b.element_count());
  }
};

// For each query: to = A^T x, of `rows` rows of A, the columns of which are keys or values and `lda` apart, and of x.
void transposed_product(const BatchContext& b, const Attention& a, const Packed& packed, int64_t item, int64_t rows,
                        const float* matrix, int64_t lda, float* x, int64_t ldx, float* to) {
  const Rows columns{x, nullptr, ldx};
  const Rows results{to, nullptr, a.keys};
  if (packed.memory == nullptr) {
    b.k.product_transposed(rows, a.queries, a.keys, matrix, lda, columns, results, false);
    return;
  }
  float* const own = packed.memory + item * packed.size;
  b.k.pack_transposed(rows, a.keys, matrix, lda, own);
  b.k.product(a.keys, a.queries, rows, Left{own, 16 * rows, 16, true}, columns, results, nullptr, false);
}

// Calls f(item, head, element) for each head of each batch element.
template <class F>
void each_head(const BatchContext& b, const Attention& a, F&& f) {
  b.parallel(b.element_count() * a.heads, a.cost(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i, i % a.heads, i / a.heads);
  });
}

Rows mask_elements(const BatchContext& b) { return b.type.operands.size() > kMask ? b.x_elements(kMask) : Rows{}; }

void attention_forward(const Forward& b) {
  const Attention a = attention_of(b.type);
  const Rows q = b.x_elements(kQueries);
  const Rows k = b.x_elements(kKeys);
  const Rows v = b.x_elements(kValues);
  const Rows mask = mask_elements(b);
  const bool masked = b.type.operands.size() > kMask;
  const int64_t mask_step = masked && b.type.operands[kMask].cols() > 1 ? a.keys : 0;
  const Rows y = b.y_elements();
  const Rows weights = b.elements(b.aux, a.each(), a.batch, a.batch);
  const Packed packed(b, a, a.d);
  each_head(b, a, [&](int64_t item, int64_t head, int64_t i) {
    float* const w = weights.at(i) + head * a.scores();
    transposed_product(b, a, packed, item, a.d, k.at(i) + head * a.d, a.heads * a.d, q.at(i) + head * a.d,
                       a.heads * a.d, w);
    const Rows columns{w, nullptr, a.keys};
    b.k.attention_weights(columns, masked ? Rows{mask.at(i), nullptr, mask_step} : Rows{}, a.scale,
                          a.causal ? a.keys - a.queries + 1 : a.keys, a.causal ? 1 : 0, a.queries, a.keys);
    b.k.product(a.e, a.queries, a.keys, Left{v.at(i) + head * a.e, 16, a.heads * a.e, false}, columns,
                Rows{y.at(i) + head * a.e, nullptr, a.heads * a.e}, nullptr, false);
  });
}

// What the gradients of all operands are made of, each for one batch element after the other.
struct AttentionGradient {
  const Attention& a;
  Rows q, k, dy, weights;
  /// Of the scores, of which all heads of a batch element lie together.
  float* ds;
};

// The gradients of the scores, as the mask is added to them.
void scores_backward(const Backward& b, const AttentionGradient& g) {
  const Attention& a = g.a;
  const Rows v = b.x_elements(kValues);
  const Packed packed(b, a, a.e);
  each_head(b, a, [&](int64_t item, int64_t head, int64_t i) {
    float* const to = g.ds + item * a.scores();
    transposed_product(b, a, packed, item, a.e, v.at(i) + head * a.e, a.heads * a.e, g.dy.at(i) + head * a.e,
                       a.heads * a.e, to);
    const Rows columns{to, nullptr, a.keys};
    b.k.softmax_backward(columns, Rows{g.weights.at(i) + head * a.scores(), nullptr, a.keys}, columns, a.queries,
                         a.keys, false);
  });
}

// The sum over the heads, over the batch elements if these share the mask, and over the queries if those do.
void mask_backward(const Backward& b, const AttentionGradient& g) {
  const Attention& a = g.a;
  const Backward::Operand dm = b.dx(kMask);
  const Dim& mask = b.type.operands[kMask];
  const int64_t each = a.each() * a.batch / mask.bd;
  const Rows to = b.elements(dm.rows, mask.size(), mask.bd, mask.bd);
  for (int64_t i = 0; i < b.count * mask.bd; ++i)
    b.k.sum_rows(to.at(i), Rows{g.ds + i * each, nullptr, mask.size()}, each / mask.size(), mask.size(), dm.accumulate);
}

// Calls f(head, element, where the head's gradient goes, whether to add) for each head of each batch element, of
// operand `operand`, a head of which has `rows` rows.
template <class F>
void each_gradient(const Backward& b, const Attention& a, int operand, int64_t rows, F&& f) {
  const Backward::Operand dx = b.dx_elements(operand);
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      f(i % a.heads, i / a.heads, dx.rows.at(i / a.heads) + i % a.heads * rows, dx.accumulate);
  };
  b.parallel(b.element_count() * a.heads, a.cost(), run, dx.collides);
}

void attention_backward(const Backward& b) {
  const Attention a = attention_of(b.type);
  const AttentionGradient g{a,
                            b.x_elements(kQueries),
                            b.x_elements(kKeys),
                            b.dy_elements(),
                            b.elements(b.aux, a.each(), a.batch, a.batch),
                            b.scratch.allocate<float>(a.each() * b.element_count())};
  const int64_t rows = a.heads * a.d;
  if (b.wants(kValues)) {
    const int64_t value_rows = a.heads * a.e;
    each_gradient(b, a, kValues, a.e, [&](int64_t head, int64_t i, float* to, bool add) {
      b.k.outer_sum(0, a.e, a.queries, a.keys, Rows{g.dy.at(i) + head * a.e, nullptr, value_rows},
                    Rows{g.weights.at(i) + head * a.scores(), nullptr, a.keys}, to, value_rows, add);
    });
  }
  const bool masked = b.type.operands.size() > kMask && b.wants(kMask);
  if (!b.wants(kQueries) && !b.wants(kKeys) && !masked) return;
  scores_backward(b, g);
  if (masked) mask_backward(b, g);
  // From here on those of the dot products.
  float scale = a.scale;
  const Rows all{g.ds, nullptr, a.each()};
  b.parallel(b.element_count(), kMoveCost * static_cast<double>(a.each()), [&](int64_t begin, int64_t end) {
    b.k.scale_by(all.from(begin), all.from(begin), Rows{&scale}, end - begin, a.each(), false);
  });
  if (b.wants(kQueries)) {
    each_gradient(b, a, kQueries, a.d, [&](int64_t head, int64_t i, float* to, bool add) {
      float* const ds = g.ds + (i * a.heads + head) * a.scores();
      b.k.product(a.d, a.queries, a.keys, Left{g.k.at(i) + head * a.d, 16, rows, false}, Rows{ds, nullptr, a.keys},
                  Rows{to, nullptr, rows}, nullptr, add);
    });
  }
  if (b.wants(kKeys)) {
    each_gradient(b, a, kKeys, a.d, [&](int64_t head, int64_t i, float* to, bool add) {
      float* const ds = g.ds + (i * a.heads + head) * a.scores();
      b.k.outer_sum(0, a.d, a.queries, a.keys, Rows{g.q.at(i) + head * a.d, nullptr, rows}, Rows{ds, nullptr, a.keys},
                    to, rows, add);
    });
  }
}

constexpr OpDef attention(const char* name) {
  return {.name = name, .shape = attention_shape, .forward = attention_forward, .backward = attention_backward};
}

}  // namespace

const OpDef op_scaled_dot_product_attention = attention("scaled_dot_product_attention");
const OpDef op_scaled_dot_product_attention_masked = attention("scaled_dot_product_attention_masked");
const OpDef op_multi_head_attention = attention("multi_head_attention");
const OpDef op_multi_head_attention_masked = attention("multi_head_attention_masked");

}  // namespace dynnet

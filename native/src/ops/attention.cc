// Attention: one node for scores, weights and the weighted sums of values, or for the weights alone.
#include <algorithm>
#include <cmath>

#include "ops/broadcast.h"
#include "ops/context.h"
#include "ops/elementwise.h"
#include "ops/product.h"
#include "ops/shapes.h"
#include "ops/sliding.h"

namespace dynnet {
namespace {

// A mask comes after them.
enum AttentionOperand { kQueries, kKeys, kValues };

bool has_one_head(Op op) {
  return op == Op::scaled_dot_product_attention || op == Op::scaled_dot_product_attention_masked;
}

// Whether the result is the weights, and there are no values.
bool gives_weights(Op op) { return op == Op::attention_weights || op == Op::attention_weights_masked; }

struct AttentionAttributes {
  int32_t heads = 1;
  bool causal;
  float dropout = 0;
  /// 0 for what follows from the size of a query.
  float scale;

  explicit AttentionAttributes(const Type& type) {
    size_t next = 0;
    if (!has_one_head(type.op)) heads = type.static_int(next++);
    causal = type.static_int(next++) != 0;
    if (!gives_weights(type.op)) dropout = type.static_float(next++);
    scale = type.static_float(next);
  }
};

struct Attention {
  int64_t heads;
  /// Rows of a head's queries and keys, and of its values.
  int64_t d, e = 0;
  int64_t queries, keys;
  int64_t batch;
  float scale;
  bool causal;
  float dropout;
  /// The operand that is the mask, or 0 if there is none.
  int mask = 0;
  /// What the mask has for a query: a number for each key, or one.
  int64_t mask_keys = 0;
  /// From one query's to the next, and from one head's.
  int64_t mask_query_step = 0, mask_head_step = 0;

  explicit Attention(const Type& type) {
    const AttentionAttributes attributes(type);
    heads = attributes.heads;
    causal = attributes.causal;
    dropout = attributes.dropout;
    d = type.operands[kQueries].rows() / heads;
    queries = type.operands[kQueries].cols();
    keys = type.operands[kKeys].cols();
    batch = type.dim.bd;
    scale = attributes.scale == 0 ? static_cast<float>(1 / std::sqrt(static_cast<double>(d))) : attributes.scale;
    size_t after = kValues;
    if (!gives_weights(type.op)) e = type.operands[after++].rows() / heads;
    if (type.operands.size() == after) return;
    mask = static_cast<int>(after);
    const Dim& of = type.operands[after];
    mask_keys = of.rows();
    if (of.cols() > 1) mask_query_step = mask_keys;
    if (of.d[2] > 1) mask_head_step = mask_keys * of.cols();
  }

  /// Scores of a head, of a batch element, and of a node.
  int64_t scores() const { return queries * keys; }
  int64_t each() const { return heads * scores(); }
  int64_t all() const { return batch * each(); }
  double cost() const {
    constexpr double kSpeed = 40;
    constexpr double kExpCost = 0.6;
    const auto pairs = static_cast<double>(scores());
    return pairs * (2.0 * static_cast<double>(d + e) / kSpeed + kExpCost) + 20;
  }
};

void check_mask(const Shaping& s, const Dim& mask, const Dim& scores) {
  bool fits = mask.size() == int64_t{mask.rows()} * mask.cols() * mask.d[2];
  for (int i = 0; i < 3; ++i) fits = fits && (mask.d[i] == 1 || mask.d[i] == scores.d[i]);
  if (!fits)
    s.mismatch("expected a mask %s, of which any size may be 1, for queries %s and keys %s, got %s",
               scores.text().c_str(), s[kQueries].text().c_str(), s[kKeys].text().c_str(), mask.text().c_str());
}

void attention_shape(Shaping& s) {
  const AttentionAttributes attributes(s.type);
  const bool has_values = !gives_weights(s.type.op);
  const Dim& q = s[kQueries];
  const Dim& k = s[kKeys];
  const int mask = has_values ? kValues + 1 : kValues;
  if (attributes.heads < 1) s.bad_argument("%d heads, expected 1 or more", attributes.heads);
  const auto heads = static_cast<uint32_t>(attributes.heads);
  if (!(attributes.dropout >= 0 && attributes.dropout < 1))
    s.bad_argument("a dropout of %g, expected 0 or more and less than 1", static_cast<double>(attributes.dropout));
  if (!std::isfinite(attributes.scale))
    s.bad_argument("a scale of %g, expected a finite number", static_cast<double>(attributes.scale));
  for (int i = kQueries; i < mask; ++i)
    if (!s[i].is_matrix()) s.mismatch("expected matrices, got %s (operand %d)", s[i].text().c_str(), i);
  if (q.rows() != k.rows())
    s.mismatch("queries %s and keys %s differ in their rows", q.text().c_str(), k.text().c_str());
  if (has_values && k.cols() != s[kValues].cols())
    s.mismatch("keys %s and values %s differ in their columns", k.text().c_str(), s[kValues].text().c_str());
  for (const Dim* x : {&q, &s[mask - 1]})
    if (x->rows() % heads != 0) s.mismatch("the rows of %s are no multiple of %u heads", x->text().c_str(), heads);
  Dim scores = heads == 1 ? Dim({k.cols(), q.cols()}) : Dim({k.cols(), q.cols(), heads});
  for (int i = kQueries; i < s.count(); ++i) scores.bd = common_batch(s, scores.bd, s[i].bd);
  const int64_t total = total_if_possible(scores);
  if (s.count() > mask) {
    check_mask(s, s[mask], scores);
    if (total >= 0) s.type.broadcast = broadcast_loops(scores, scores, s[mask]);
  }
  if (has_values) {
    s.type.dim = Dim({s[kValues].rows(), q.cols()}, scores.bd);
    s.type.aux = attributes.dropout > 0 ? 2 * total : total;
    s.type.random = attributes.dropout > 0;
  } else {
    s.type.dim = scores;
  }
  // A query {d} is one column.
  if (q.nd <= 1 && s.type.dim.nd == 2) s.type.dim.nd = 1;
}

// Room for the transposed rows of one operand, for each head of each batch element; null where few queries make dot
// products with what lies there the better choice.
struct Packed {
  float* memory = nullptr;
  int64_t size = 0;
  Packed(const BatchContext& b, const Attention& a, int64_t rows) {
    if (a.queries < kWorthPacking) return;
    size = packed_size(a.keys, rows);
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

// Makes the weights of one head of a batch element.
struct Weighing {
  const BatchContext& b;
  const Attention& a;
  Rows q = b.x_elements(kQueries);
  Rows k = b.x_elements(kKeys);
  Rows mask = a.mask > 0 ? b.x_elements(a.mask) : Rows{};
  Packed packed{b, a, a.d};

  void operator()(int64_t item, int64_t head, int64_t i, float* w) const {
    transposed_product(b, a, packed, item, a.d, k.at(i) + head * a.d, a.heads * a.d, q.at(i) + head * a.d,
                       a.heads * a.d, w);
    const Rows added = a.mask > 0 ? Rows{mask.at(i) + head * a.mask_head_step, nullptr, a.mask_query_step} : Rows{};
    b.k.attention_weights(Rows{w, nullptr, a.keys}, added, a.mask_keys, a.scale,
                          a.causal ? a.keys - a.queries + 1 : a.keys, a.causal ? 1 : 0, a.queries, a.keys);
  }
};

// What attention keeps: the weights, and those after dropout, which without are the same.
struct Kept {
  Rows weights, used;
  Kept(const BatchContext& b, const Attention& a) : weights(elements(b, a, b.aux)), used(weights) {
    if (a.dropout > 0) used = elements(b, a, shifted(b, b.aux, a.all(), b.count));
  }
  static Rows elements(const BatchContext& b, const Attention& a, Rows rows) {
    return b.elements(rows, a.each(), a.batch, a.batch);
  }
};

// Writes what each weight is multiplied by to where those after dropout go.
void draw_dropout(const Forward& b, const Attention& a) {
  constexpr double kDrawCost = 0.9;
  auto* rates = b.scratch.allocate<float>(b.count);
  std::fill(rates, rates + b.count, a.dropout);
  const Rows factors = shifted(b, b.aux, a.all(), b.count);
  b.parallel(b.count, kDrawCost * static_cast<double>(a.all()), [&](int64_t begin, int64_t end) {
    b.k.dropout_mask(factors.from(begin), b.keys + begin, rates + begin, end - begin, a.all());
  });
}

void attention_forward(const Forward& b) {
  const Attention a(b.type);
  const Weighing weigh{b, a};
  const Rows v = b.x_elements(kValues);
  const Rows y = b.y_elements();
  const Kept kept(b, a);
  if (a.dropout > 0) draw_dropout(b, a);
  Broadcast plain;
  plain.size[0] = a.scores();
  each_head(b, a, [&](int64_t item, int64_t head, int64_t i) {
    float* const w = kept.weights.at(i) + head * a.scores();
    float* const used = kept.used.at(i) + head * a.scores();
    weigh(item, head, i, w);
    if (a.dropout > 0)
      b.k.binary_forward(static_cast<int>(BinaryOp::kCmult), Rows{used}, Rows{used}, Rows{w}, 1, plain);
    b.k.product(a.e, a.queries, a.keys, Left{v.at(i) + head * a.e, 16, a.heads * a.e, false},
                Rows{used, nullptr, a.keys}, Rows{y.at(i) + head * a.e, nullptr, a.heads * a.e}, nullptr, false);
  });
}

void weights_forward(const Forward& b) {
  const Attention a(b.type);
  const Weighing weigh{b, a};
  const Rows y = b.y_elements();
  each_head(b, a, [&](int64_t item, int64_t head, int64_t i) { weigh(item, head, i, y.at(i) + head * a.scores()); });
}

bool wants_scores(const Backward& b, const Attention& a) {
  return b.wants(kQueries) || b.wants(kKeys) || (a.mask > 0 && b.wants(a.mask));
}

// The sum over all that share a number of the mask.
void mask_backward(const Backward& b, const Attention& a, float* ds) {
  const Backward::Operand dm = b.dx(a.mask);
  const Rows d{ds, nullptr, a.all()};
  const int64_t size = b.type.operands[static_cast<size_t>(a.mask)].total();
  b.parallel(
      b.count, kMoveCost * static_cast<double>(a.all()),
      [&](int64_t begin, int64_t end) {
        // The gradient of one side of y = scores + mask.
        b.k.binary_backward(static_cast<int>(BinaryOp::kAdd), 1, dm.rows.from(begin), d.from(begin),
                            b.x[a.mask].from(begin), d.from(begin), d.from(begin), end - begin, b.type.broadcast, size,
                            dm.accumulate);
      },
      dm.collides);
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

// The gradients of mask, queries and keys, from those of the scores as the mask is added to them, of which all heads of
// a batch element lie together.
void scores_backward(const Backward& b, const Attention& a, float* ds) {
  const Rows q = b.x_elements(kQueries);
  const Rows k = b.x_elements(kKeys);
  const int64_t rows = a.heads * a.d;
  if (a.mask > 0 && b.wants(a.mask)) mask_backward(b, a, ds);
  // From here on those of the dot products.
  float scale = a.scale;
  const Rows all{ds, nullptr, a.each()};
  b.parallel(b.element_count(), kMoveCost * static_cast<double>(a.each()), [&](int64_t begin, int64_t end) {
    b.k.scale_by(all.from(begin), all.from(begin), Rows{&scale}, end - begin, a.each(), false);
  });
  if (b.wants(kQueries)) {
    each_gradient(b, a, kQueries, a.d, [&](int64_t head, int64_t i, float* to, bool add) {
      float* const own = ds + (i * a.heads + head) * a.scores();
      b.k.product(a.d, a.queries, a.keys, Left{k.at(i) + head * a.d, 16, rows, false}, Rows{own, nullptr, a.keys},
                  Rows{to, nullptr, rows}, nullptr, add);
    });
  }
  if (b.wants(kKeys)) {
    each_gradient(b, a, kKeys, a.d, [&](int64_t head, int64_t i, float* to, bool add) {
      float* const own = ds + (i * a.heads + head) * a.scores();
      b.k.outer_sum(0, a.d, a.queries, a.keys, Rows{q.at(i) + head * a.d, nullptr, rows}, Rows{own, nullptr, a.keys},
                    to, rows, add);
    });
  }
}

void attention_backward(const Backward& b) {
  const Attention a(b.type);
  const Kept kept(b, a);
  const Rows dy = b.dy_elements();
  const int64_t rows = a.heads * a.e;
  if (b.wants(kValues)) {
    each_gradient(b, a, kValues, a.e, [&](int64_t head, int64_t i, float* to, bool add) {
      b.k.outer_sum(0, a.e, a.queries, a.keys, Rows{dy.at(i) + head * a.e, nullptr, rows},
                    Rows{kept.used.at(i) + head * a.scores(), nullptr, a.keys}, to, rows, add);
    });
  }
  if (!wants_scores(b, a)) return;
  auto* ds = b.scratch.allocate<float>(a.each() * b.element_count());
  const Rows v = b.x_elements(kValues);
  const Packed packed(b, a, a.e);
  each_head(b, a, [&](int64_t item, int64_t head, int64_t i) {
    float* const to = ds + item * a.scores();
    transposed_product(b, a, packed, item, a.e, v.at(i) + head * a.e, rows, dy.at(i) + head * a.e, rows, to);
    const Rows columns{to, nullptr, a.keys};
    const Rows weights{kept.weights.at(i) + head * a.scores(), nullptr, a.keys};
    if (a.dropout > 0)
      b.k.dropped_softmax_backward(columns, weights, Rows{kept.used.at(i) + head * a.scores(), nullptr, a.keys},
                                   columns, a.queries, a.keys);
    else
      b.k.softmax_backward(columns, weights, columns, a.queries, a.keys, false);
  });
  scores_backward(b, a, ds);
}

void weights_backward(const Backward& b) {
  const Attention a(b.type);
  if (!wants_scores(b, a)) return;
  auto* ds = b.scratch.allocate<float>(a.each() * b.element_count());
  const Rows y = b.y_elements();
  const Rows dy = b.dy_elements();
  each_head(b, a, [&](int64_t item, int64_t head, int64_t i) {
    const int64_t from = head * a.scores();
    b.k.softmax_backward(Rows{ds + item * a.scores(), nullptr, a.keys}, Rows{y.at(i) + from, nullptr, a.keys},
                         Rows{dy.at(i) + from, nullptr, a.keys}, a.queries, a.keys, false);
  });
  scores_backward(b, a, ds);
}

constexpr OpDef attention(const char* name) {
  return {.name = name, .shape = attention_shape, .forward = attention_forward, .backward = attention_backward};
}

constexpr OpDef weights(const char* name) {
  return {.name = name, .shape = attention_shape, .forward = weights_forward, .backward = weights_backward};
}

}  // namespace

const OpDef op_scaled_dot_product_attention = attention("scaled_dot_product_attention");
const OpDef op_scaled_dot_product_attention_masked = attention("scaled_dot_product_attention_masked");
const OpDef op_multi_head_attention = attention("multi_head_attention");
const OpDef op_multi_head_attention_masked = attention("multi_head_attention_masked");
const OpDef op_attention_weights = weights("attention_weights");
const OpDef op_attention_weights_masked = weights("attention_weights_masked");

}  // namespace dynnet

// Attention.
#include <cmath>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

// A mask comes after them.
enum { kQueries, kKeys, kValues };

// What an operation of the family is.
enum class Gives { kResults, kWeights };

// The operand that is the mask; there may be none of this number.
constexpr size_t mask_of(Gives gives) { return gives == Gives::kResults ? kValues + 1 : kValues; }

template <Gives gives>
Shape shape_with_heads(const Signature& s, int64_t heads) {
  constexpr size_t kMask = mask_of(gives);
  require(heads >= 1, s, "no heads");
  require(std::isfinite(s.attributes.second), s, "no such scale");
  const double rate = s.attributes.scalar;
  if (gives == Gives::kResults) require(rate >= 0 && rate < 1, s, "no such rate");
  int64_t batch = 1;
  for (size_t i = kQueries; i < kMask; ++i) {
    require(s.x.at(i).is_matrix(), s, "no matrix");
    require(s.x[i].d[0] % heads == 0, s, "rows that are no multiple of the heads");
    batch = common_batch(s, batch, s.x[i].batch);
  }
  const int64_t n = s.x[kKeys].d[1];
  const int64_t m = s.x[kQueries].d[1];
  require(s.x[kQueries].d[0] == s.x[kKeys].d[0], s, "queries and keys of other sizes");
  if (gives == Gives::kResults) require(n == s.x[kValues].d[1], s, "keys without values");
  if (s.x.size() > kMask) {
    const Shape& mask = s.x[kMask];
    require(mask.d[0] == 1 || mask.d[0] == n, s, "a mask for other keys");
    require(mask.d[1] == 1 || mask.d[1] == m, s, "a mask for other queries");
    require(mask.d[2] == 1 || mask.d[2] == heads, s, "a mask for other heads");
    require(mask.size() == mask.d[0] * mask.d[1] * mask.d[2], s, "a mask of further dimensions");
    batch = common_batch(s, batch, mask.batch);
  }
  return gives == Gives::kResults ? Shape({s.x[kValues].d[0], m}, batch) : Shape({n, m, heads}, batch);
}

template <Gives gives, bool kHeads>
Shape attention_shape(const Signature& s) {
  return shape_with_heads<gives>(s, kHeads ? s.attributes.count : 1);
}

// Where an element of an operand is, of one batch element; of a mask also of one head.
size_t at(const Context& x, size_t operand, int64_t row, int64_t column, int64_t batch, int64_t head = 0) {
  return static_cast<size_t>(place(x.x_shapes[operand], {row, column, head, 0, 0, 0, 0, batch}));
}

// One query of one head.
struct Query {
  int64_t head, column, batch;
  double scale;
  /// The weights of the keys, and what dropout multiplies each by.
  Numbers weights, factors;
};

// Calls f(query) for all of them.
template <Gives gives, class F>
void each_query(const Context& x, int64_t heads, F f) {
  constexpr size_t kMask = mask_of(gives);
  const int64_t d = x.x_shapes[kQueries].d[0] / heads;
  const int64_t m = x.shape.d[1];
  const int64_t n = x.x_shapes[kKeys].d[1];
  const Shape weights({n, m, heads}, x.shape.batch);
  const bool drops = gives == Gives::kResults && x.attributes.scalar > 0;
  const double scale = x.attributes.second != 0 ? x.attributes.second : 1 / std::sqrt(static_cast<double>(d));
  for (int64_t batch = 0; batch < x.shape.batch; ++batch)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < m; ++i) {
        const auto size = static_cast<size_t>(n);
        Query q{head, i, batch, scale, Numbers(size, 0), Numbers(size, 1)};
        double sum = 0;
        for (int64_t j = 0; j < n; ++j) {
          if (drops)
            q.factors[static_cast<size_t>(j)] =
                x.attributes.mask.at(static_cast<size_t>(place(weights, {j, i, head, 0, 0, 0, 0, batch})));
          if (x.attributes.flag && j > i + n - m) continue;
          double score = 0;
          for (int64_t r = head * d; r < (head + 1) * d; ++r)
            score += (*x.x[kQueries])[at(x, kQueries, r, i, batch)] * (*x.x[kKeys])[at(x, kKeys, r, j, batch)];
          score *= q.scale;
          if (x.x.size() > kMask) score += (*x.x[kMask])[at(x, kMask, j, i, batch, head)];
          sum += q.weights[static_cast<size_t>(j)] = std::exp(score);
        }
        for (double& weight : q.weights) weight = sum > 0 ? weight / sum : 0;
        f(q);
      }
}

template <bool kHeads>
void attention_forward(const Context& x) {
  const int64_t heads = kHeads ? x.attributes.count : 1;
  const int64_t e = x.shape.d[0] / heads;
  each_query<Gives::kResults>(x, heads, [&](const Query& q) {
    for (int64_t r = q.head * e; r < (q.head + 1) * e; ++r) {
      double& y = x.y[static_cast<size_t>(place(x.shape, {r, q.column, 0, 0, 0, 0, 0, q.batch}))];
      for (size_t j = 0; j < q.weights.size(); ++j)
        y += q.factors[j] * q.weights[j] * (*x.x[kValues])[at(x, kValues, r, static_cast<int64_t>(j), q.batch)];
    }
  });
}

void weights_forward(const Context& x) {
  each_query<Gives::kWeights>(x, x.attributes.count, [&](const Query& q) {
    for (size_t j = 0; j < q.weights.size(); ++j)
      x.y[static_cast<size_t>(place(x.shape, {static_cast<int64_t>(j), q.column, q.head, 0, 0, 0, 0, q.batch}))] =
          q.weights[j];
  });
}

// The gradients of mask, queries and keys, from those of one query's weights.
template <Gives gives>
void weights_gradient(const Context& x, int64_t heads, const Query& q, const Numbers& dw) {
  constexpr size_t kMask = mask_of(gives);
  const int64_t d = x.x_shapes[kQueries].d[0] / heads;
  double mean = 0;
  for (size_t j = 0; j < dw.size(); ++j) mean += dw[j] * q.weights[j];
  for (size_t j = 0; j < dw.size(); ++j) {
    const double ds = q.weights[j] * (dw[j] - mean);
    const auto key = static_cast<int64_t>(j);
    if (x.x.size() > kMask) (*x.dx[kMask])[at(x, kMask, key, q.column, q.batch, q.head)] += ds;
    for (int64_t r = q.head * d; r < (q.head + 1) * d; ++r) {
      const size_t from = at(x, kQueries, r, q.column, q.batch);
      const size_t to = at(x, kKeys, r, key, q.batch);
      (*x.dx[kQueries])[from] += ds * q.scale * (*x.x[kKeys])[to];
      (*x.dx[kKeys])[to] += ds * q.scale * (*x.x[kQueries])[from];
    }
  }
}

template <bool kHeads>
void attention_backward(const Context& x) {
  const int64_t heads = kHeads ? x.attributes.count : 1;
  const int64_t e = x.shape.d[0] / heads;
  each_query<Gives::kResults>(x, heads, [&](const Query& q) {
    Numbers dw(q.weights.size(), 0);
    for (size_t j = 0; j < dw.size(); ++j)
      for (int64_t r = q.head * e; r < (q.head + 1) * e; ++r) {
        const double dy = x.dy[static_cast<size_t>(place(x.shape, {r, q.column, 0, 0, 0, 0, 0, q.batch}))];
        const size_t value = at(x, kValues, r, static_cast<int64_t>(j), q.batch);
        dw[j] += dy * q.factors[j] * (*x.x[kValues])[value];
        (*x.dx[kValues])[value] += dy * q.factors[j] * q.weights[j];
      }
    weights_gradient<Gives::kResults>(x, heads, q, dw);
  });
}

void weights_backward(const Context& x) {
  each_query<Gives::kWeights>(x, x.attributes.count, [&](const Query& q) {
    Numbers dw;
    for (size_t j = 0; j < q.weights.size(); ++j)
      dw.push_back(
          x.dy[static_cast<size_t>(place(x.shape, {static_cast<int64_t>(j), q.column, q.head, 0, 0, 0, 0, q.batch}))]);
    weights_gradient<Gives::kWeights>(x, x.attributes.count, q, dw);
  });
}

template <bool kHeads>
Rule attention(std::string_view name) {
  return {.name = name,
          .shape = attention_shape<Gives::kResults, kHeads>,
          .forward = attention_forward<kHeads>,
          .backward = attention_backward<kHeads>};
}

Rule weights(std::string_view name) {
  return {.name = name,
          .shape = attention_shape<Gives::kWeights, true>,
          .forward = weights_forward,
          .backward = weights_backward};
}

}  // namespace

const std::vector<Rule> kAttention = {
    attention<false>("scaled_dot_product_attention"),
    attention<false>("scaled_dot_product_attention_masked"),
    attention<true>("multi_head_attention"),
    attention<true>("multi_head_attention_masked"),
    weights("attention_weights"),
    weights("attention_weights_masked"),
};

}  // namespace dynnet::reference

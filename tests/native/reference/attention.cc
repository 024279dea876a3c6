// Attention.
#include <cmath>

#include "reference/rules.h"

namespace dynnet::reference {
namespace {

enum { kQueries, kKeys, kValues, kMask };

Shape shape_with_heads(const Signature& s, int64_t heads) {
  require(heads >= 1, s, "no heads");
  Shape y;
  for (size_t i = kQueries; i <= kValues; ++i) {
    require(s.x.at(i).is_matrix(), s, "no matrix");
    require(s.x[i].d[0] % heads == 0, s, "rows that are no multiple of the heads");
    y.batch = common_batch(s, y.batch, s.x[i].batch);
  }
  require(s.x[kQueries].d[0] == s.x[kKeys].d[0], s, "queries and keys of other sizes");
  require(s.x[kKeys].d[1] == s.x[kValues].d[1], s, "keys without values");
  if (s.x.size() > kMask) {
    const Shape& mask = s.x[kMask];
    require(mask.is_matrix() && mask.d[0] == s.x[kKeys].d[1], s, "a mask for other keys");
    require(mask.d[1] == 1 || mask.d[1] == s.x[kQueries].d[1], s, "a mask for other queries");
    y.batch = common_batch(s, y.batch, mask.batch);
  }
  y.d[0] = s.x[kValues].d[0];
  y.d[1] = s.x[kQueries].d[1];
  return y;
}

template <bool kHeads>
Shape attention_shape(const Signature& s) {
  return shape_with_heads(s, kHeads ? s.attributes.count : 1);
}

// Where an element of an operand is, of one batch element.
size_t at(const Context& x, size_t operand, int64_t row, int64_t column, int64_t batch) {
  return static_cast<size_t>(place(x.x_shapes[operand], {row, column, 0, 0, 0, 0, 0, batch}));
}

// One query of one head.
struct Query {
  int64_t head, column, batch;
  double scale;
  /// The weights of the keys.
  Numbers weights;
};

// Calls f(query) for all of them.
template <class F>
void each_query(const Context& x, int64_t heads, F f) {
  const int64_t d = x.x_shapes[kQueries].d[0] / heads;
  const int64_t m = x.shape.d[1];
  const int64_t n = x.x_shapes[kKeys].d[1];
  for (int64_t batch = 0; batch < x.shape.batch; ++batch)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < m; ++i) {
        Query q{head, i, batch, 1 / std::sqrt(static_cast<double>(d)), Numbers(static_cast<size_t>(n), 0)};
        double sum = 0;
        for (int64_t j = 0; j < n; ++j) {
          if (x.attributes.flag && j > i + n - m) continue;
          double score = 0;
          for (int64_t r = head * d; r < (head + 1) * d; ++r)
            score += (*x.x[kQueries])[at(x, kQueries, r, i, batch)] * (*x.x[kKeys])[at(x, kKeys, r, j, batch)];
          score *= q.scale;
          if (x.x.size() > kMask) score += (*x.x[kMask])[at(x, kMask, j, i, batch)];
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
  each_query(x, heads, [&](const Query& q) {
    for (int64_t r = q.head * e; r < (q.head + 1) * e; ++r) {
      double& y = x.y[static_cast<size_t>(place(x.shape, {r, q.column, 0, 0, 0, 0, 0, q.batch}))];
      for (size_t j = 0; j < q.weights.size(); ++j)
        y += q.weights[j] * (*x.x[kValues])[at(x, kValues, r, static_cast<int64_t>(j), q.batch)];
    }
  });
}

template <bool kHeads>
void attention_backward(const Context& x) {
  const int64_t heads = kHeads ? x.attributes.count : 1;
  const int64_t e = x.shape.d[0] / heads;
  const int64_t d = x.x_shapes[kQueries].d[0] / heads;
  each_query(x, heads, [&](const Query& q) {
    Numbers dw(q.weights.size(), 0);
    double mean = 0;
    for (size_t j = 0; j < dw.size(); ++j) {
      for (int64_t r = q.head * e; r < (q.head + 1) * e; ++r) {
        const double dy = x.dy[static_cast<size_t>(place(x.shape, {r, q.column, 0, 0, 0, 0, 0, q.batch}))];
        const size_t value = at(x, kValues, r, static_cast<int64_t>(j), q.batch);
        dw[j] += dy * (*x.x[kValues])[value];
        (*x.dx[kValues])[value] += dy * q.weights[j];
      }
      mean += dw[j] * q.weights[j];
    }
    for (size_t j = 0; j < dw.size(); ++j) {
      const double ds = q.weights[j] * (dw[j] - mean);
      const auto key = static_cast<int64_t>(j);
      if (x.x.size() > kMask) (*x.dx[kMask])[at(x, kMask, key, q.column, q.batch)] += ds;
      for (int64_t r = q.head * d; r < (q.head + 1) * d; ++r) {
        const size_t from = at(x, kQueries, r, q.column, q.batch);
        const size_t to = at(x, kKeys, r, key, q.batch);
        (*x.dx[kQueries])[from] += ds * q.scale * (*x.x[kKeys])[to];
        (*x.dx[kKeys])[to] += ds * q.scale * (*x.x[kQueries])[from];
      }
    }
  });
}

template <bool kHeads>
Rule attention(std::string_view name) {
  return {.name = name,
          .shape = attention_shape<kHeads>,
          .forward = attention_forward<kHeads>,
          .backward = attention_backward<kHeads>};
}

}  // namespace

const std::vector<Rule> kAttention = {
    attention<false>("scaled_dot_product_attention"),
    attention<false>("scaled_dot_product_attention_masked"),
    attention<true>("multi_head_attention"),
    attention<true>("multi_head_attention_masked"),
};

}  // namespace dynnet::reference

// Matrix products and affine transformations.
#include <algorithm>

#include "ops/context.h"
#include "ops/elementwise.h"
#include "ops/product.h"

namespace dynnet {
namespace {

void check_product(const Shaping& s, int a, int x) {
  const Dim& left = s[a];
  const Dim& right = s[x];
  if (!left.is_matrix() || !right.is_matrix())
    s.mismatch("expected matrices, got %s (operand %d) and %s (operand %d)", left.text().c_str(), a,
               right.text().c_str(), x);
  if (left.cols() != right.rows())
    s.mismatch("expected W %s times x %s: W has %u columns, x has %u rows (operands %d and %d)", left.text().c_str(),
               right.text().c_str(), left.cols(), right.rows(), a, x);
}

// {m} where the right operand is a vector of one dimension, else {m, n}.
Dim product_dim(const Dim& a, const Dim& x, uint32_t batch) {
  return x.nd <= 1 ? Dim({a.rows()}, batch) : Dim({a.rows(), x.cols()}, batch);
}

ProductShape product_shape(const Type& type, int a, int x) {
  const Dim& left = type.operands[static_cast<size_t>(a)];
  const Dim& right = type.operands[static_cast<size_t>(x)];
  return {left.rows(), right.cols(), left.cols(), left.bd, right.bd, std::max(left.bd, right.bd)};
}

// Whether one matrix serves the whole batch, so that all columns of all nodes are one product.
bool one_matrix(const Type& type, int a) {
  return type.shared[static_cast<size_t>(a)] && type.operands[static_cast<size_t>(a)].bd == 1;
}

// Of an affine transformation: the bias, and every odd operand.
constexpr uint32_t kAffineWeights = 0xaaaaaaabu;
// Nanoseconds an element, roughly, for the choice of chunks.
constexpr double kActivationCost = 0.3;

// ---- y = A x ----

void multiply_shape(Shaping& s) {
  check_product(s, 0, 1);
  s.type.dim = product_dim(s[0], s[1], common_batch(s, s[0].bd, s[1].bd));
}

void multiply_forward(const Forward& b) {
  const ProductShape s = product_shape(b.type, 0, 1);
  if (!one_matrix(b.type, 0)) return own_product(b, 0, 1, s, false);
  const int64_t each = s.n * s.x_batch;
  run_product(b, s.m, b.count * each, s.k, shared_left(b, 0, s.m, s.k, b.count * each),
              b.elements(b.x[1], s.k, each, each), b.elements(b.y, s.m, each, each), nullptr, false);
}

void multiply_backward(const Backward& b) {
  const ProductShape s = product_shape(b.type, 0, 1);
  if (!b.type.deferred[0]) return own_product_backward(b, 0, 1, s);
  const int64_t each = s.n * s.x_batch;
  shared_product_backward(b, 0, 1, s.m, s.k, b.count * each, b.elements(b.x[1], s.k, each, each),
                          b.elements(b.dy, s.m, each, each));
}

// ---- y = b + W1 x1 + W2 x2 + ... ----

void affine_shape(Shaping& s) {
  if (s.count() % 2 == 0) s.bad_argument("%d operands, expected a bias and pairs of a matrix and an input", s.count());
  const Dim& bias = s[0];
  if (!bias.is_matrix()) s.mismatch("the bias %s has more than two dimensions", bias.text().c_str());
  if (s.count() == 1) {
    s.type.dim = bias;
    return;
  }
  uint32_t batch = bias.bd;
  const uint32_t rows = s[1].rows();
  const uint32_t cols = s[2].cols();
  bool vector = bias.nd <= 1;
  for (int i = 1; i < s.count(); i += 2) {
    check_product(s, i, i + 1);
    if (s[i].rows() != rows || s[i + 1].cols() != cols)
      s.mismatch("the product of %s and %s (operands %d and %d) is no {%u,%u} as the first one is", s[i].text().c_str(),
                 s[i + 1].text().c_str(), i, i + 1, rows, cols);
    batch = common_batch(s, batch, common_batch(s, s[i].bd, s[i + 1].bd));
    vector = vector && s[i + 1].nd <= 1;
  }
  if (bias.rows() != rows || (bias.cols() != cols && bias.cols() != 1))
    s.mismatch("the bias %s does not fit the products, which are {%u,%u}", bias.text().c_str(), rows, cols);
  s.type.dim = vector ? Dim({rows}, batch) : Dim({rows, cols}, batch);
}

// Whether the bias is one vector for all columns of all nodes.
bool one_bias(const Type& type) { return type.shared[0] && type.operands[0].cols() == 1 && type.operands[0].bd == 1; }

// Whether pair i is a product of all columns of the batch with one matrix.
bool all_columns(const Type& type, int i) {
  return one_matrix(type, i) && type.operands[static_cast<size_t>(i) + 1].bd == type.dim.bd;
}

// Puts the bias into y, one column after the other.
void spread_bias(const Forward& b) {
  const Dim& bias = b.type.operands[0];
  const int64_t m = b.type.dim.rows();
  const int64_t n = b.type.dim.cols();
  const int64_t batch = b.type.dim.bd;
  for (int64_t i = 0; i < b.count; ++i)
    for (int64_t e = 0; e < batch; ++e) {
      float* from = b.x[0].at(i) + (bias.bd == 1 ? 0 : e * m * bias.cols());
      b.k.copy(Rows{b.y.at(i) + e * m * n, nullptr, m}, Rows{from, nullptr, bias.cols() == 1 ? 0 : m}, n, m);
    }
}

// Where the pairs of a stage begin and end among the operands.
struct Pairs {
  int begin, end;
};
Pairs pairs_of(const BatchContext& b) {
  const auto count = static_cast<int>(b.type.operands.size());
  const int early = 1 + 2 * b.early;
  return {b.stage == Stage::kLate ? early : 1, b.stage == Stage::kEarly ? early : count};
}

// The first pairs whose matrix and input are ready, with the bias, provided that it is that of a product.
int affine_early(const Type& type, uint32_t ready) {
  const int pairs = static_cast<int>(type.operands.size()) / 2;
  if (!one_bias(type) || (ready & 1) == 0) return 0;
  int early = 0;
  while (early + 1 < pairs && early < 15 && (ready >> (1 + 2 * early) & 3) == 3 && all_columns(type, 1 + 2 * early))
    ++early;
  return early;
}

void affine_forward(const Forward& b) {
  const auto count = static_cast<int>(b.type.operands.size());
  const bool bias_in_product = count > 1 && one_bias(b.type) && all_columns(b.type, 1);
  const Pairs pairs = pairs_of(b);
  if (!bias_in_product) spread_bias(b);
  for (int i = pairs.begin; i < pairs.end; i += 2) {
    const ProductShape s = product_shape(b.type, i, i + 1);
    if (all_columns(b.type, i)) {
      const int64_t each = s.n * s.x_batch;
      const bool first = i == 1 && bias_in_product;
      run_product(b, s.m, b.count * each, s.k, shared_left(b, i, s.m, s.k, b.count * each),
                  b.elements(b.x[i + 1], s.k, each, each), b.elements(b.y, s.m, each, each),
                  first ? b.x[0].at(0) : nullptr, !first);
    } else if (s.batch == static_cast<int64_t>(b.type.dim.bd)) {
      own_product(b, i, i + 1, s, true);
    } else {
      // A pair without a batch in a sum that has one: its product is added to each batch element.
      for (int64_t node = 0; node < b.count; ++node)
        for (int64_t e = 0; e < static_cast<int64_t>(b.type.dim.bd); ++e)
          b.k.product(s.m, s.n, s.k, column_major(b.x[i].at(node), s.m), Rows{b.x[i + 1].at(node), nullptr, s.k},
                      Rows{b.y.at(node) + e * s.m * s.n, nullptr, s.m}, nullptr, true);
    }
  }
}

// The gradient of a pair without a batch in a sum that has one: that of one product, dy summed over the batch.
Rows sum_over_batch(const Backward& b) {
  const int64_t size = b.type.dim.size();
  const auto batch = static_cast<int64_t>(b.type.dim.bd);
  Rows sums{b.scratch.allocate<float>(size * b.count), nullptr, size};
  for (int64_t i = 0; i < b.count; ++i) b.k.sum_rows(sums.at(i), Rows{b.dy.at(i), nullptr, size}, batch, size, false);
  return sums;
}

bool affine_defers(const Type& type, int i) { return i == 0 ? one_bias(type) : i % 2 == 1 && all_columns(type, i); }

void affine_bias_backward(const Backward& b) {
  const Dim& bias = b.type.operands[0];
  const int64_t m = b.type.dim.rows();
  const int64_t n = b.type.dim.cols();
  const auto batch = static_cast<int64_t>(b.type.dim.bd);
  if (b.type.deferred[0]) {
    b.defer_sum(0, m, b.elements(b.dy, m, n * batch, n * batch), b.count * n * batch);
    return;
  }
  const Backward::Operand db = b.dx(0);
  for (int64_t i = 0; i < b.count; ++i) {
    float* to = db.rows.at(i);
    for (int64_t e = 0; e < batch; ++e) {
      float* dy = b.dy.at(i) + e * m * n;
      float* part = to + (bias.bd == 1 ? 0 : e * m * bias.cols());
      const bool add = db.accumulate || (bias.bd == 1 && e > 0);
      if (bias.cols() == 1)
        b.k.sum_rows(part, Rows{dy, nullptr, m}, n, m, add);
      else
        b.k.sum_rows(part, Rows{dy, nullptr, m * n}, 1, m * n, add);
    }
  }
}

void affine_backward(const Backward& b) {
  const Pairs pairs = pairs_of(b);
  if (b.stage != Stage::kLate && b.wants(0)) affine_bias_backward(b);
  for (int i = pairs.begin; i < pairs.end; i += 2) {
    const ProductShape s = product_shape(b.type, i, i + 1);
    const int64_t each = s.n * s.x_batch;
    if (b.type.deferred[static_cast<size_t>(i)]) {
      shared_product_backward(b, i, i + 1, s.m, s.k, b.count * each, b.elements(b.x[i + 1], s.k, each, each),
                              b.elements(b.dy, s.m, each, each));
    } else if (s.batch == static_cast<int64_t>(b.type.dim.bd)) {
      own_product_backward(b, i, i + 1, s);
    } else {
      own_product_backward(b.with_gradient(sum_over_batch(b)), i, i + 1, s);
    }
  }
}

// ---- y = f(b + W1 x1 + W2 x2 + ...), of which y alone is kept ----

template <UnaryOp op>
void activated_forward(const Forward& b) {
  affine_forward(b);
  if (b.stage == Stage::kEarly) return;
  const int64_t n = b.type.size;
  b.parallel(b.count, kActivationCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    const Rows y = b.y.from(begin);
    b.k.unary_forward(static_cast<int>(op), y, y, nullptr, end - begin, n);
  });
}

template <UnaryOp op>
void activated_backward(const Backward& b) {
  const int64_t n = b.type.size;
  // The gradient before the activation; it lasts until the end of the pass for the deferred products.
  const Rows d{b.stage == Stage::kWhole ? b.scratch.allocate<float>(n * b.count) : b.carry.base, nullptr, n};
  if (b.stage != Stage::kEarly) {
    b.parallel(b.count, kActivationCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
      const Rows y = b.y.from(begin);
      b.k.unary_backward(static_cast<int>(op), d.from(begin), y, y, b.dy.from(begin), nullptr, end - begin, n, false);
    });
  }
  affine_backward(b.with_gradient(d));
}

template <UnaryOp op>
constexpr OpDef activated(const char* name) {
  return {.name = name,
          // That of the affine transformation, which is known.
          .shape = [](Shaping&) {},
          .forward = activated_forward<op>,
          .backward = activated_backward<op>,
          .defers = affine_defers,
          .early = affine_early,
          .carries = true,
          .weights = kAffineWeights,
          .activation = static_cast<int>(op)};
}

}  // namespace

const OpDef op_affine_tanh = activated<UnaryOp::kTanh>("affine_transform, tanh");
const OpDef op_affine_logistic = activated<UnaryOp::kLogistic>("affine_transform, logistic");
const OpDef op_affine_rectify = activated<UnaryOp::kRectify>("affine_transform, rectify");

const OpDef op_multiply = {.name = "multiply",
                           .shape = multiply_shape,
                           .forward = multiply_forward,
                           .backward = multiply_backward,
                           .defers = [](const Type& type, int i) { return i == 0 && one_matrix(type, 0); },
                           .weights = 1u};

const OpDef op_affine_transform = {.name = "affine_transform",
                                   .shape = affine_shape,
                                   .forward = affine_forward,
                                   .backward = affine_backward,
                                   .defers = affine_defers,
                                   .early = affine_early,
                                   .weights = kAffineWeights};

}  // namespace dynnet

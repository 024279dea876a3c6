// Attention of queries, keys and values {64,64}, with one head or four: product, softmax, product; or the weights of
// four heads alone. A plain loop makes no sense here, nor does it for the products alone.
#include "references.h"

namespace references {
namespace {

enum { kQueries, kKeys, kValues };

using Rows = Eigen::OuterStride<>;
using Slice = Eigen::Map<Eigen::MatrixXf, 0, Rows>;
using ConstSlice = Eigen::Map<const Eigen::MatrixXf, 0, Rows>;

template <int kHeads>
float scale_of_head() {
  return 1 / std::sqrt(static_cast<float>(side / kHeads));
}

// A head's rows of a matrix.
template <int kHeads>
ConstSlice slice(const float* p, int64_t head) {
  return ConstSlice(p + head * (side / kHeads), side / kHeads, side, Rows(side));
}

template <int kHeads, bool kMasked>
void weigh(const Node& n, int64_t head, float* to) {
  static const Eigen::ArrayXf mask = Eigen::ArrayXf::Zero(side);
  const float scale = scale_of_head<kHeads>();
  Matrix(to, side, side).noalias() = slice<kHeads>(n.x[kKeys], head).transpose() * slice<kHeads>(n.x[kQueries], head);
  for (int64_t j = 0; j < side; ++j) {
    Array s(to + j * side, side);
    if constexpr (kMasked) {
      s = scale * s + mask;
    } else {
      s *= scale;
    }
    s = (s - s.maxCoeff()).exp();
    s /= s.sum();
  }
}

template <int kHeads, bool kMasked>
void attention(const Node& n) {
  for (int64_t h = 0; h < kHeads; ++h) {
    float* const weights = n.aux + h * square;
    weigh<kHeads, kMasked>(n, h, weights);
    Slice(n.y + h * (side / kHeads), side / kHeads, side, Rows(side)).noalias() =
        slice<kHeads>(n.x[kValues], h) * ConstMatrix(weights, side, side);
  }
}

template <int kHeads, bool kMasked>
void weights(const Node& n) {
  for (int64_t h = 0; h < kHeads; ++h) weigh<kHeads, kMasked>(n, h, n.y + h * square);
}

// The gradients of queries and keys, from those of a head's weights.
template <int kHeads>
void weights_gradient(const Node& n, int64_t head, const ConstMatrix& weights, Eigen::MatrixXf& d) {
  const float scale = scale_of_head<kHeads>();
  const int64_t depth = side / kHeads;
  for (int64_t j = 0; j < side; ++j) {
    const auto p = weights.col(j).array();
    auto s = d.col(j).array();
    const float along = (p * s).sum();
    s = scale * p * (s - along);
  }
  const auto gradient = [&](int i) { return Slice(n.dx[i] + head * depth, depth, side, Rows(side)); };
  gradient(kQueries).noalias() += slice<kHeads>(n.x[kKeys], head) * d;
  gradient(kKeys).noalias() += slice<kHeads>(n.x[kQueries], head) * d.transpose();
}

template <int kHeads>
void attention_backward(const Node& n) {
  static Eigen::MatrixXf d(kSide, kSide);
  const int64_t depth = side / kHeads;
  for (int64_t h = 0; h < kHeads; ++h) {
    const ConstMatrix weights(n.aux + h * square, side, side);
    Slice(n.dx[kValues] + h * depth, depth, side, Rows(side)).noalias() += slice<kHeads>(n.dy, h) * weights.transpose();
    d.noalias() = slice<kHeads>(n.x[kValues], h).transpose() * slice<kHeads>(n.dy, h);
    weights_gradient<kHeads>(n, h, weights, d);
  }
}

template <int kHeads>
void weights_backward(const Node& n) {
  static Eigen::MatrixXf d(kSide, kSide);
  for (int64_t h = 0; h < kHeads; ++h) {
    d = ConstMatrix(n.dy + h * square, side, side);
    weights_gradient<kHeads>(n, h, ConstMatrix(n.y + h * square, side, side), d);
  }
}

}  // namespace

std::span<const Reference> attention_references() {
  constexpr int64_t s = kSquare;
  static const Reference table[] = {
      {"scaled_dot_product_attention", {s, s, s}, s, {}, {attention<1, false>, attention_backward<1>}, s},
      {"scaled_dot_product_attention_masked", {s, s, s}, s, {}, {attention<1, true>, attention_backward<1>}, s},
      {"multi_head_attention", {s, s, s}, s, {}, {attention<4, false>, attention_backward<4>}, 4 * s},
      {"multi_head_attention_masked", {s, s, s}, s, {}, {attention<4, true>, attention_backward<4>}, 4 * s},
      {"attention_weights", {s, s}, 4 * s, {}, {weights<4, false>, weights_backward<4>}},
      {"attention_weights_masked", {s, s}, 4 * s, {}, {weights<4, true>, weights_backward<4>}}};
  return table;
}

}  // namespace references

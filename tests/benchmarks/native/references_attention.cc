// Attention of queries, keys and values {64,64}, with one head or four: product, softmax, product. A plain loop makes
// no sense here, nor does it for the products alone.
#include "references.h"

namespace references {
namespace {

enum { kQueries, kKeys, kValues };

using Rows = Eigen::OuterStride<>;
using Slice = Eigen::Map<Eigen::MatrixXf, 0, Rows>;
using ConstSlice = Eigen::Map<const Eigen::MatrixXf, 0, Rows>;

template <int kHeads, bool kMasked>
void attention(const Node& n) {
  static const Eigen::ArrayXf mask = Eigen::ArrayXf::Zero(side);
  const int64_t depth = side / kHeads;
  const float scale = 1 / std::sqrt(static_cast<float>(depth));
  for (int64_t h = 0; h < kHeads; ++h) {
    const auto slice = [&](const float* p) { return ConstSlice(p + h * depth, depth, side, Rows(side)); };
    Matrix weights(n.aux + h * square, side, side);
    weights.noalias() = slice(n.x[kKeys]).transpose() * slice(n.x[kQueries]);
    for (int64_t j = 0; j < side; ++j) {
      Array s(n.aux + h * square + j * side, side);
      if constexpr (kMasked) {
        s = scale * s + mask;
      } else {
        s *= scale;
      }
      s = (s - s.maxCoeff()).exp();
      s /= s.sum();
    }
    Slice(n.y + h * depth, depth, side, Rows(side)).noalias() = slice(n.x[kValues]) * weights;
  }
}

template <int kHeads>
void attention_backward(const Node& n) {
  const int64_t depth = side / kHeads;
  const float scale = 1 / std::sqrt(static_cast<float>(depth));
  static Eigen::MatrixXf d(kSide, kSide);
  for (int64_t h = 0; h < kHeads; ++h) {
    const auto slice = [&](const float* p) { return ConstSlice(p + h * depth, depth, side, Rows(side)); };
    const auto gradient = [&](int i) { return Slice(n.dx[i] + h * depth, depth, side, Rows(side)); };
    const ConstMatrix weights(n.aux + h * square, side, side);
    gradient(kValues).noalias() += slice(n.dy) * weights.transpose();
    d.noalias() = slice(n.x[kValues]).transpose() * slice(n.dy);
    for (int64_t j = 0; j < side; ++j) {
      const auto p = weights.col(j).array();
      auto s = d.col(j).array();
      const float along = (p * s).sum();
      s = scale * p * (s - along);
    }
    gradient(kQueries).noalias() += slice(n.x[kKeys]) * d;
    gradient(kKeys).noalias() += slice(n.x[kQueries]) * d.transpose();
  }
}

}  // namespace

std::span<const Reference> attention_references() {
  constexpr int64_t s = kSquare;
  static const Reference table[] = {
      {"scaled_dot_product_attention", {s, s, s}, s, {}, {attention<1, false>, attention_backward<1>}, s},
      {"scaled_dot_product_attention_masked", {s, s, s}, s, {}, {attention<1, true>, attention_backward<1>}, s},
      {"multi_head_attention", {s, s, s}, s, {}, {attention<4, false>, attention_backward<4>}, 4 * s},
      {"multi_head_attention_masked", {s, s, s}, s, {}, {attention<4, true>, attention_backward<4>}, 4 * s}};
  return table;
}

}  // namespace references

// Layer and weight normalisation of a vector.
#include "references.h"

namespace references {
namespace {

enum { kX, kGain, kBias };
enum { kMean, kInverse };

void layer_norm_loop(const Node& n) {
  const float* __restrict x = n.x[kX];
  const float* __restrict g = n.x[kGain];
  const float* __restrict b = n.x[kBias];
  float* __restrict y = n.y;
  float sum = 0, squares = 0;
  const auto count = static_cast<float>(elements);
  EACH(i, elements) sum += x[i];
  const float mean = sum / count;
  EACH(i, elements) squares += (x[i] - mean) * (x[i] - mean);
  const float inverse = 1 / (std::sqrt(squares / count) + 1e-8f);
  EACH(i, elements) y[i] = g[i] * ((x[i] - mean) * inverse) + b[i];
  n.aux[kMean] = mean;
  n.aux[kInverse] = inverse;
}

void layer_norm_loop_backward(const Node& n) {
  const float* __restrict x = n.x[kX];
  const float* __restrict g = n.x[kGain];
  const float* __restrict dy = n.dy;
  float* __restrict dx = n.dx[kX];
  float* __restrict dg = n.dx[kGain];
  float* __restrict db = n.dx[kBias];
  const float mean = n.aux[kMean], r = n.aux[kInverse], count = static_cast<float>(elements);
  float sum = 0, along = 0;
  EACH(i, elements) {
    const float h = g[i] * dy[i];
    sum += h;
    along += h * ((x[i] - mean) * r);
  }
  sum /= count;
  along /= count;
  EACH(i, elements) {
    const float normal = (x[i] - mean) * r;
    dx[i] += r * (g[i] * dy[i] - sum - normal * along);
    dg[i] += normal * dy[i];
    db[i] += dy[i];
  }
}

void layer_norm_eigen(const Node& n) {
  const ConstArray x(n.x[kX], elements), g(n.x[kGain], elements), b(n.x[kBias], elements);
  const float mean = n.aux[kMean] = x.mean();
  const float inverse = n.aux[kInverse] = 1 / (std::sqrt((x - mean).square().mean()) + 1e-8f);
  Array(n.y, elements) = g * ((x - mean) * inverse) + b;
}

void layer_norm_eigen_backward(const Node& n) {
  const ConstArray x(n.x[kX], elements), g(n.x[kGain], elements), dy(n.dy, elements);
  const float mean = n.aux[kMean], r = n.aux[kInverse];
  const float h = (g * dy).mean(), along = (g * dy * ((x - mean) * r)).mean();
  Array(n.dx[kX], elements) += r * (g * dy - h - ((x - mean) * r) * along);
  Array(n.dx[kGain], elements) += (x - mean) * r * dy;
  Array(n.dx[kBias], elements) += dy;
}

// ---- weight_norm: y = g w / |w| ----

void weight_norm_loop(const Node& n) {
  const float* __restrict w = n.x[0];
  float* __restrict y = n.y;
  float squares = 0;
  EACH(i, elements) squares += w[i] * w[i];
  const float length = n.aux[0] = std::sqrt(squares);
  const float factor = n.x[1][0] / length;
  EACH(i, elements) y[i] = factor * w[i];
}

void weight_norm_loop_backward(const Node& n) {
  const float* __restrict w = n.x[0];
  const float* __restrict dy = n.dy;
  float* __restrict d = n.dx[0];
  const float length = n.aux[0], factor = n.x[1][0] / length;
  float dot = 0;
  EACH(i, elements) dot += w[i] * dy[i];
  const float along = dot / (length * length);
  EACH(i, elements) d[i] += factor * (dy[i] - along * w[i]);
  n.dx[1][0] += dot / length;
}

void weight_norm_eigen(const Node& n) {
  const ConstVector w(n.x[0], elements);
  n.aux[0] = w.norm();
  Vector(n.y, elements) = n.x[1][0] / n.aux[0] * w;
}

void weight_norm_eigen_backward(const Node& n) {
  const ConstVector w(n.x[0], elements), dy(n.dy, elements);
  const float length = n.aux[0], dot = w.dot(dy);
  Vector(n.dx[0], elements) += n.x[1][0] / length * (dy - dot / (length * length) * w);
  n.dx[1][0] += dot / length;
}

#define SIDES(name) \
  {name##_loop, name##_loop_backward}, { name##_eigen, name##_eigen_backward }

}  // namespace

std::span<const Reference> normalisation_references() {
  constexpr int64_t k = kElements;
  static const Reference table[] = {{"layer_norm", {k, k, k}, k, SIDES(layer_norm), 2},
                                    {"weight_norm", {k, 1}, k, SIDES(weight_norm), 1}};
  return table;
}

}  // namespace references

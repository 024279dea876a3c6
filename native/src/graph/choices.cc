// Choices that are read off values: the largest elements, and draws from a distribution.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/kernels.h"
#include "graph/graph.h"

namespace dynnet {
namespace {

// The lines of a tensor along one dimension, in column-major order of all others, batch included.
struct Lines {
  int64_t inner, n, outer;
  int64_t count() const { return inner * outer; }
  /// Where line i begins; its elements are `inner` apart.
  int64_t begin(int64_t i) const { return i / inner * inner * n + i % inner; }
};

Lines lines_of(const Type& type, int32_t dim, const char* what) {
  if (dim < 0 || dim >= DN_MAX_DIMS)
    fail(DN_E_ARGUMENT, "%s: dimension %d, expected 0 to %d", what, dim, DN_MAX_DIMS - 1);
  Lines lines{1, type.dim.d[dim], 1};
  for (int i = 0; i < dim; ++i) lines.inner *= type.dim.d[i];
  lines.outer = type.size / (lines.inner * lines.n);
  return lines;
}

void expect_room(int64_t room, int64_t lines, int64_t each, const char* what) {
  if (room / each == lines && room % each == 0) return;
  fail(DN_E_ARGUMENT, "%s: room for %lld indices, expected %lld for each of %lld lines", what,
       static_cast<long long>(room), static_cast<long long>(each), static_cast<long long>(lines));
}

// Where the j-th choice of line i goes: as in a tensor whose dimension has `each` instead of n.
int64_t place(const Lines& lines, int64_t each, int64_t i, int64_t j) {
  return (i / lines.inner * each + j) * lines.inner + i % lines.inner;
}

// NaN comes after all numbers.
bool is_before(float a, float b) { return a > b || (std::isnan(b) && !std::isnan(a)); }

}  // namespace

void Graph::top_k(uint32_t node, int32_t dim, int32_t k, int32_t* indices, int64_t count) {
  const Type& type = type_of(node);
  const Lines lines = lines_of(type, dim, "top_k");
  if (k < 1 || k > lines.n)
    fail(DN_E_ARGUMENT, "top_k: %d of dimension %d of %s, which has %lld", k, dim, type.dim.text().c_str(),
         static_cast<long long>(lines.n));
  expect_room(count, lines.count(), k, "top_k");
  const float* const x = value(node);
  Array<int32_t> order(static_cast<size_t>(k > 1 ? lines.n : 0), 0);
  for (int64_t i = 0; i < lines.count(); ++i) {
    const float* const line = x + lines.begin(i);
    auto at = [&](int64_t j) { return line[j * lines.inner]; };
    if (k == 1) {
      int32_t best = 0;
      for (int32_t j = 1; j < lines.n; ++j)
        if (is_before(at(j), at(best))) best = j;
      indices[place(lines, 1, i, 0)] = best;
      continue;
    }
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int32_t a, int32_t b) {
      return is_before(at(a), at(b)) || (!is_before(at(b), at(a)) && a < b);
    });
    for (int32_t j = 0; j < k; ++j) indices[place(lines, k, i, j)] = order[static_cast<size_t>(j)];
  }
}

void Graph::sample(uint32_t node, int32_t dim, int32_t draws, int32_t* indices, int64_t count) {
  const Type& type = type_of(node);
  const Lines lines = lines_of(type, dim, "sample");
  if (draws < 1) fail(DN_E_ARGUMENT, "sample: %d draws, expected at least 1", draws);
  expect_room(count, lines.count(), draws, "sample");
  const float* const x = value(node);
  // Two numbers of 24 bits make one that reaches improbable elements too.
  Array<float> random(2 * static_cast<size_t>(draws), 0);
  Array<double> sums(static_cast<size_t>(lines.n), 0);
  for (int64_t i = 0; i < lines.count(); ++i) {
    const float* const line = x + lines.begin(i);
    float largest = -std::numeric_limits<float>::infinity();
    for (int64_t j = 0; j < lines.n; ++j) largest = std::max(largest, line[j * lines.inner]);
    double sum = 0;
    for (int64_t j = 0; j < lines.n; ++j) {
      sum += std::exp(static_cast<double>(line[j * lines.inner]) - static_cast<double>(largest));
      sums[static_cast<size_t>(j)] = sum;
    }
    if (!std::isfinite(sum))
      fail(DN_E_VALUE, "sample: line %lld along dimension %d of node %u (%s %s) is no distribution: its sum is %g",
           static_cast<long long>(i), dim, node, type.def->name, type.dim.text().c_str(), sum);
    kernels().random_uniform(random.data(), int64_t{2} * draws, random_key(node) + 0x9e3779b97f4a7c15u * ++samples_);
    for (int32_t j = 0; j < draws; ++j) {
      const double u = (static_cast<double>(random[2 * static_cast<size_t>(j)]) +
                        static_cast<double>(random[2 * static_cast<size_t>(j) + 1]) * 0x1p-24) *
                       sum;
      const auto chosen = std::upper_bound(sums.begin(), sums.end(), u);
      indices[place(lines, draws, i, j)] = static_cast<int32_t>(chosen - sums.begin());
    }
  }
}

}  // namespace dynnet

#include "ops/pairs.h"

#include <algorithm>

namespace dynnet {
namespace {

struct Extent {
  const float *lowest, *highest;
};

Extent extent_of(const Rows& r, int64_t rows) {
  Extent e{r.at(0), r.at(0)};
  for (int64_t i = r.list != nullptr ? 1 : rows - 1; i < rows; ++i) {
    e.lowest = std::min<const float*>(e.lowest, r.at(i));
    e.highest = std::max<const float*>(e.highest, r.at(i));
  }
  return e;
}

}  // namespace

bool are_apart(const Rows& a, const Rows& b, int64_t rows, int64_t n) {
  const Extent first = extent_of(a, rows);
  const Extent second = extent_of(b, rows);
  if (first.highest + n <= second.lowest || second.highest + n <= first.lowest) return true;
  // The two lie among one another: row by row, if that are few.
  constexpr int64_t kFew = 16;
  if (rows > kFew) return false;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < rows; ++j)
      if (a.at(i) < b.at(j) + n && b.at(j) < a.at(i) + n) return false;
  return true;
}

void pair_sum_backward(const Backward& b, PairSum sum, float c) {
  // Nanoseconds an element, roughly, for the choice of chunks.
  constexpr double kCost = 0.1;
  const int64_t n = b.type.operands[0].size();
  const Rows x0 = b.x_elements(0);
  const Rows x1 = b.x_elements(1);
  const Rows dy = b.dy_elements();
  backward_of_sides(
      b, b.element_count(), n, kCost * static_cast<double>(n), [&](int side) { return b.dx_elements(side); },
      [&](Rows da, Rows db, int64_t first, int64_t rows, bool accumulate) {
        b.k.pair_sum_backward(sum, da, db, x0.from(first), x1.from(first), dy.from(first), c, rows, n, accumulate);
      });
}

}  // namespace dynnet

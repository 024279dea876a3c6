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

}  // namespace dynnet

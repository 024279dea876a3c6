// What filters and windows slide over: the sizes of results and paddings.
#ifndef DYNNET_OPS_SLIDING_H_
#define DYNNET_OPS_SLIDING_H_

#include <algorithm>

#include "ops/op.h"

namespace dynnet {

/// Nanoseconds to move an element, roughly, for the choice of chunks.
constexpr double kMoveCost = 0.2;

/// Along one dimension: where a filter or window stops.
struct Slide {
  int64_t size, stride;
  int64_t places;
  /// The padding before the first element.
  int64_t before;

  /// From the first element that some place meets to the last, the padding included.
  int64_t extent() const { return (places - 1) * stride + size; }
};

inline Slide slide(int64_t input, int64_t size, int64_t stride, bool is_valid) {
  Slide s{size, stride, ((is_valid ? input - size + 1 : input) + stride - 1) / stride, 0};
  if (!is_valid) s.before = std::max<int64_t>(s.extent() - input, 0) / 2;
  return s;
}

/// In how many places something of this size stops in dimension `dim` of the first operand; throws where a number is
/// less than 1, and where it must lie in the operand and is larger.
inline uint32_t checked_places(const Shaping& s, int dim, int64_t size, int64_t stride, bool is_valid) {
  if (stride < 1) s.bad_argument("a stride of %lld, expected 1 or more", static_cast<long long>(stride));
  if (size < 1) s.bad_argument("a size of %lld, expected 1 or more", static_cast<long long>(size));
  const int64_t input = s[0].d[dim];
  if (is_valid && size > input)
    s.mismatch("%lld in dimension %d is more than there are of %s", static_cast<long long>(size), dim,
               s[0].text().c_str());
  return static_cast<uint32_t>(slide(input, size, stride, is_valid).places);
}

}  // namespace dynnet

#endif  // DYNNET_OPS_SLIDING_H_

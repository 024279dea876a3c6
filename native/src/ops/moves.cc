#include "ops/moves.h"

#include <algorithm>

namespace dynnet {

Moves make_moves(MovedDim* dims, int count) {
  MovedDim* end = std::remove_if(dims, dims + count, [](const MovedDim& dim) { return dim.size == 1; });
  std::sort(dims, end, [](const MovedDim& a, const MovedDim& b) { return a.to_stride < b.to_stride; });
  // Two become one where the second goes on where the first ends, on both sides.
  MovedDim* last = dims;
  for (MovedDim* dim = dims + 1; dim < end; ++dim) {
    if (dim->to_stride == last->to_stride * last->size && dim->from_stride == last->from_stride * last->size)
      last->size *= dim->size;
    else
      *++last = *dim;
  }
  if (end > dims) end = last + 1;
  const auto contiguous = std::find_if(dims, end, [](const MovedDim& dim) { return dim.from_stride == 1; });
  if (end - dims > 2 && contiguous > dims + 1 && contiguous < end) std::rotate(dims + 1, contiguous, contiguous + 1);
  Moves moves;
  for (const MovedDim* dim = dims; dim < end; ++dim) {
    const auto i = dim - dims;
    moves.size[i] = dim->size;
    moves.to_stride[i] = dim->to_stride;
    moves.from_stride[i] = dim->from_stride;
  }
  moves.loops = std::max<int32_t>(1, static_cast<int32_t>(end - dims));
  return moves;
}

}  // namespace dynnet

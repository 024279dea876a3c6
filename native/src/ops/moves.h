// Loops for elements that move: see Moves.
#ifndef DYNNET_OPS_MOVES_H_
#define DYNNET_OPS_MOVES_H_

#include "core/kernels.h"

namespace dynnet {

/// One dimension of what moves.
struct MovedDim {
  int64_t size;
  /// Floats between neighbours.
  int64_t to_stride;
  int64_t from_stride;
};

/// The loops over `count` dimensions in any order, as few as will do. Changes `dims`.
Moves make_moves(MovedDim* dims, int count);

/// Whether all elements stay side by side.
inline bool is_contiguous(const Moves& m) { return m.loops == 1 && m.to_stride[0] == 1 && m.from_stride[0] == 1; }

}  // namespace dynnet

#endif  // DYNNET_OPS_MOVES_H_

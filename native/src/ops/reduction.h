// Reductions over some dimensions of an operand: what is left of its shape, and the loops.
#ifndef DYNNET_OPS_REDUCTION_H_
#define DYNNET_OPS_REDUCTION_H_

#include "core/kernels.h"
#include "ops/op.h"

namespace dynnet {

/// The shape without the dimensions whose bits are set; {1} if none is left.
Dim without(const Dim& x, uint32_t dims);

/// The loops of a reduction over the dimensions whose bits are set and, if `batch`, over the batch. Else they are those
/// of one batch element.
Reduction reduction_loops(const Dim& x, uint32_t dims, bool batch);

}  // namespace dynnet

#endif  // DYNNET_OPS_REDUCTION_H_

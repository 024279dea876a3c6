// Broadcasting: a dimension of size 1, the batch included, is repeated to meet a larger one.
#ifndef DYNNET_OPS_BROADCAST_H_
#define DYNNET_OPS_BROADCAST_H_

#include "core/kernels.h"
#include "ops/op.h"

namespace dynnet {

/// The larger size in each dimension; throws if sizes differ and neither is 1.
Dim broadcast_dim(const Shaping& s, const Dim& a, const Dim& b);

/// The loops over a result of shape `y` whose operands have the shapes a and b, with as few loops as will do.
Broadcast broadcast_loops(const Dim& y, const Dim& a, const Dim& b);

}  // namespace dynnet

#endif  // DYNNET_OPS_BROADCAST_H_

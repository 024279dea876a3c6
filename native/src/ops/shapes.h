// What operations that move elements share.
#ifndef DYNNET_OPS_SHAPES_H_
#define DYNNET_OPS_SHAPES_H_

#include "ops/context.h"

namespace dynnet {

/// The product of sizes [0, dim).
int64_t below(const Dim& d, int dim);
/// The product of sizes (dim, 7).
inline int64_t above(const Dim& d, int dim) { return d.size() / below(d, dim + 1); }

/// `rows` with `offset` added to each.
Rows shifted(const BatchContext& b, Rows rows, int64_t offset, int64_t count);

/// Adds `count` rows of n floats to a gradient, or puts them there.
void add_rows(const Backward& b, const Backward::Operand& to, Rows from, int64_t count, int64_t n);

/// Of operations whose value is their operand's.
int64_t whole_view(const Type&, const uint32_t* data);
void copy_forward(const Forward& b);
/// The operand takes or adds to all elements of the gradient, in the same order.
void copy_gradient(const Backward& b);

}  // namespace dynnet

#endif  // DYNNET_OPS_SHAPES_H_

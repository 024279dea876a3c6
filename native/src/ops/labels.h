// Labels: indices that are a node's own, of the elements of a distribution or of scores.
#ifndef DYNNET_OPS_LABELS_H_
#define DYNNET_OPS_LABELS_H_

#include "ops/op.h"

namespace dynnet {

/// Says how many labels there are, and that a list of them must have one at least. A shape rule that calls it is of an
/// operation with check_labels.
void set_labels(Shaping& s, int64_t count, bool is_list);

/// Whether a node's labels exist.
void check_labels(const Checking& c);

}  // namespace dynnet

#endif  // DYNNET_OPS_LABELS_H_

// How the rows of the table draw examples: each completes the operands' shapes and attributes around e.x[0].
#ifndef DYNNET_TESTS_OPS_DRAWS_H_
#define DYNNET_TESTS_OPS_DRAWS_H_

#include "ops/program.h"

namespace dynnet::test::draws {

// What has no operands: e.x[0] is the shape of the result.
bool input(Draw&, World&, Example&);
bool input_scalar(Draw&, World&, Example&);
bool constant(Draw&, World&, Example&);
bool parameter(Draw&, World&, Example&);
bool lookup(Draw&, World&, Example&);
bool lookup_batch(Draw&, World&, Example&);
bool lookup_table(Draw&, World&, Example&);

/// Whether no operand is larger than operands get.
bool is_small(const Draw& d, const Example& e);

bool any(Draw&, World&, Example&);
bool any_and_scalar(Draw&, World&, Example&);
bool broadcast_pair(Draw&, World&, Example&);
bool broadcast_list(Draw&, World&, Example&);
bool product(Draw&, World&, Example&);
bool affine(Draw&, World&, Example&);
/// Two operands of one shape but for the batch.
bool pair(Draw&, World&, Example&);
/// The same, of vectors.
bool vector_pair(Draw&, World&, Example&);
/// A dimension of the operand, mostly one that is there.
bool one_dimension(Draw&, World&, Example&);

bool reshape(Draw&, World&, Example&);
bool matrix(Draw&, World&, Example&);
bool pick(Draw&, World&, Example&);
bool pick_batch(Draw&, World&, Example&);
bool pick_range(Draw&, World&, Example&);
bool concatenate(Draw&, World&, Example&);
bool concatenate_cols(Draw&, World&, Example&);
bool concatenate_to_batch(Draw&, World&, Example&);

bool softmax(Draw&, World&, Example&);
bool label(Draw&, World&, Example&);
bool label_batch(Draw&, World&, Example&);
bool hinge(Draw&, World&, Example&);

bool lstm_gates(Draw&, World&, Example&);
bool lstm_state(Draw&, World&, Example&);
bool tree_c(Draw&, World&, Example&);
bool tree_h(Draw&, World&, Example&);

}  // namespace dynnet::test::draws

#endif  // DYNNET_TESTS_OPS_DRAWS_H_

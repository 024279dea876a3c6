// Recording an operation of the engine by its name, with the attributes that the interpreter takes.
#ifndef DYNNET_TESTS_STATEFUL_ENGINE_OPS_H_
#define DYNNET_TESTS_STATEFUL_ENGINE_OPS_H_

#include <string_view>
#include <vector>

#include "dynnet/dynnet.h"
#include "reference/interpreter.h"

namespace dynnet::stateful {

dn_dim to_dim(const reference::Shape& shape);

/// Calls the dn_op_ of that name. Of dropout, `attributes.scalar` is the rate.
dn_status record(dn_graph* graph, std::string_view op, const std::vector<dn_expr>& operands,
                 const reference::Attributes& attributes, dn_expr* out);

}  // namespace dynnet::stateful

#endif  // DYNNET_TESTS_STATEFUL_ENGINE_OPS_H_

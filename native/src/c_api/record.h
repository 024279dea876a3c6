// The body of every dn_op_*.
#ifndef DYNNET_C_API_RECORD_H_
#define DYNNET_C_API_RECORD_H_

#include "c_api/guard.h"
#include "graph/recorder.h"

namespace dynnet::c_api {

template <class... Arguments>
dn_status record(dn_graph* graph, Op op, dn_expr* out, Arguments... arguments) noexcept {
  return guard([&] {
    required(out, "the result");
    const Entered entered(graph);
    *out = dynnet::record(*graph, op, arguments...);
  });
}

}  // namespace dynnet::c_api

#endif  // DYNNET_C_API_RECORD_H_

// Values as they are, gradients changed.
#include "ops/rows.h"

namespace dynnet::test {

std::vector<OpRow> gradient_rows() {
  return {
      {.name = "nobackprop",
       .draw = draws::any,
       .record = RECORD_UNARY(nobackprop),
       .gradient_factor = [](const Attributes&) { return 0.0; },
       .stops_gradient = true},
      {.name = "flip_gradient",
       .draw = draws::any,
       .record = RECORD_UNARY(flip_gradient),
       .gradient_factor = [](const Attributes&) { return -1.0; }},
      {.name = "scale_gradient",
       .draw = draws::any_and_scalar,
       .record = RECORD(dn_op_scale_gradient(r.graph, r.x[0], r.a.scalar, r.out)),
       .gradient_factor = [](const Attributes& a) { return a.scalar; }},
  };
}

}  // namespace dynnet::test

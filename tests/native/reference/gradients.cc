// Operations whose gradient is not that of their value.
#include "reference/rules.h"

namespace dynnet::reference {
namespace {

// The value is the operand's, and its gradient is the result's times factor(attributes).
template <double (*factor)(const Attributes&)>
Rule pass(std::string_view name) {
  return {.name = name,
          .shape = same_shape,
          .forward = [](const Context& c) { c.y = *c.x[0]; },
          .backward =
              [](const Context& c) {
                for (size_t i = 0; i < c.dy.size(); ++i) (*c.dx[0])[i] += factor(c.attributes) * c.dy[i];
              }};
}

}  // namespace

const std::vector<Rule> kGradients = {
    pass<[](const Attributes&) { return 0.0; }>("nobackprop"),
    pass<[](const Attributes&) { return -1.0; }>("flip_gradient"),
    pass<[](const Attributes& a) { return a.scalar; }>("scale_gradient"),
};

}  // namespace dynnet::reference

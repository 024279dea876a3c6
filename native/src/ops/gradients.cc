// Operations whose value is their operand's, and whose gradient is another.
#include "ops/elementwise.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

// The gradient through multiplication by a number, which the value has not seen.
void scale_backward(const Backward& b, const float* factors) {
  const Backward::Operand dx = b.dx(0);
  b.k.unary_backward(static_cast<int>(UnaryOp::kMultiplyScalar), dx.rows, b.x[0], b.y, b.dy, factors, b.count,
                     b.type.size, dx.accumulate);
}

void flip_backward(const Backward& b) {
  const Backward::Operand dx = b.dx(0);
  b.k.unary_backward(static_cast<int>(UnaryOp::kNegate), dx.rows, b.x[0], b.y, b.dy, nullptr, b.count, b.type.size,
                     dx.accumulate);
}

}  // namespace

const OpDef op_nobackprop = {.name = "nobackprop", .shape = same_shape, .forward = copy_forward, .view = whole_view};

const OpDef op_flip_gradient = {.name = "flip_gradient",
                                .shape = same_shape,
                                .forward = copy_forward,
                                .backward = flip_backward,
                                .view = whole_view};

const OpDef op_scale_gradient = {.name = "scale_gradient",
                                 .shape = same_shape,
                                 .forward = copy_forward,
                                 .backward = [](const Backward& b) { scale_backward(b, b.data_floats()); },
                                 .check = [](const Checking& c) { check_finite(c, 0, "a factor"); },
                                 .view = whole_view,
                                 .data_words = 1};

}  // namespace dynnet

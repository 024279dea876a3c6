// Noise: dropout of elements, slices, batch elements or all, and what is added.
#include <algorithm>

#include "ops/broadcast.h"
#include "ops/elementwise.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

// Nanoseconds an element, roughly.
constexpr double kCost = 0.9;

// ---- dropout: the mask is kept ----

// Of what a mask's elements are for one each.
enum class Dropped { kElements, kSlices, kBatchElements, kAll };

template <Dropped dropped>
Dim mask_dim(const Type& type) {
  Dim dim = type.operands[0];
  if (dropped == Dropped::kSlices) dim.d[type.static_int(0)] = 1;
  if (dropped == Dropped::kBatchElements) dim = Dim({1}, dim.bd);
  if (dropped == Dropped::kAll) dim = Dim({1});
  return dim;
}

// The rate is the last attribute.
float rate_of(const Type& type) { return type.static_float(type.statics.size() - 1); }

template <Dropped dropped>
void dropout_shape(Shaping& s) {
  const float rate = rate_of(s.type);
  if (dropped == Dropped::kAll) {
    if (!(rate >= 0 && rate <= 1)) s.bad_argument("a rate of %g, expected 0 to 1", static_cast<double>(rate));
  } else if (!(rate >= 0 && rate < 1)) {
    s.bad_argument("a rate of %g, expected 0 or more and less than 1", static_cast<double>(rate));
  }
  if (dropped == Dropped::kSlices) checked_dimension(s, s.type.static_int(0));
  s.type.dim = s[0];
  const Dim mask = mask_dim<dropped>(s.type);
  s.type.aux = mask.total();
  s.type.broadcast = broadcast_loops(s[0], s[0], mask);
}

template <Dropped dropped>
void dropout_forward(const Forward& b) {
  auto* rates = b.scratch.allocate<float>(b.count);
  std::fill(rates, rates + b.count, rate_of(b.type));
  b.parallel(b.count, kCost * static_cast<double>(b.type.size), [&](int64_t begin, int64_t end) {
    b.k.dropout_mask(b.aux.from(begin), b.keys + begin, rates + begin, end - begin, b.type.aux);
    b.k.binary_forward(static_cast<int>(BinaryOp::kCmult), b.y.from(begin), b.x[0].from(begin), b.aux.from(begin),
                       end - begin, b.type.broadcast);
  });
}

void dropout_backward(const Backward& b) {
  const Backward::Operand dx = b.dx(0);
  const Broadcast& loops = b.type.broadcast;
  // One number of the mask for each run of elements: a factor for each.
  if (loops.b_stride[0] == 0 && (loops.loops == 1 || (loops.loops == 2 && loops.b_stride[1] == 1))) {
    const int64_t run = loops.size[0];
    const auto rows = [&](const Rows& of, int64_t i) { return Rows{of.at(i), nullptr, run}; };
    for (int64_t i = 0; i < b.count; ++i)
      b.k.scale_by(rows(dx.rows, i), rows(b.dy, i), Rows{b.aux.at(i), nullptr, 1}, b.type.size / run, run,
                   dx.accumulate);
    return;
  }
  b.k.binary_backward(static_cast<int>(BinaryOp::kCmult), 0, dx.rows, b.x[0], b.aux, b.y, b.dy, b.count,
                      b.type.broadcast, b.type.size, dx.accumulate);
}

template <Dropped dropped>
constexpr OpDef dropout(const char* name) {
  return {.name = name,
          .shape = dropout_shape<dropped>,
          .forward = dropout_forward<dropped>,
          .backward = dropout_backward,
          .random = true};
}

// ---- noise ----

void noise_forward(const Forward& b) {
  const float* deviations = b.data_floats();
  b.parallel(b.count, kCost * static_cast<double>(b.type.size), [&](int64_t begin, int64_t end) {
    b.k.add_noise(b.y.from(begin), b.x[0].from(begin), b.keys + begin, deviations + begin, end - begin, b.type.size);
  });
}

}  // namespace

const OpDef op_dropout = dropout<Dropped::kElements>("dropout");
const OpDef op_dropout_dim = dropout<Dropped::kSlices>("dropout_dim");
const OpDef op_dropout_batch = dropout<Dropped::kBatchElements>("dropout_batch");
const OpDef op_block_dropout = dropout<Dropped::kAll>("block_dropout");

const OpDef op_noise = {.name = "noise",
                        .shape = same_shape,
                        .forward = noise_forward,
                        .backward = copy_gradient,
                        .check = [](const Checking& c) { check_not_negative(c, 0, "a standard deviation"); },
                        .data_words = 1,
                        .random = true};

}  // namespace dynnet

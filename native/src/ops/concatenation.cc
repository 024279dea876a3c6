// Tensors put together: concatenation in a dimension or in the batch.
#include <algorithm>

#include "ops/shapes.h"

namespace dynnet {
namespace {

// ---- concatenation ----

// The sum of two sizes of one dimension.
uint32_t added(const Shaping& s, uint32_t a, uint32_t b, const char* what) {
  if (b > UINT32_MAX - a) s.mismatch("the sum of the %s is more than 2^32 - 1", what);
  return a + b;
}

void concatenate_along(Shaping& s, int dim) {
  if (s.count() == 0) s.bad_argument("no operands");
  s.type.dim = s[0];
  s.type.dim.nd = std::max(s[0].nd, static_cast<uint32_t>(dim) + 1);
  s.type.v[0] = dim;
  for (int i = 1; i < s.count(); ++i) {
    for (int j = 0; j < DN_MAX_DIMS; ++j)
      if (j != dim && s[i].d[j] != s[0].d[j])
        s.mismatch("%s (operand 0) and %s (operand %d) differ in dimension %d; only dimension %d may differ",
                   s[0].text().c_str(), s[i].text().c_str(), i, j, dim);
    s.type.dim.d[dim] = added(s, s.type.dim.d[dim], s[i].d[dim], "sizes");
    s.type.dim.nd = std::max(s.type.dim.nd, s[i].nd);
    s.type.dim.bd = common_batch(s, s.type.dim.bd, s[i].bd);
  }
}

void concatenate_shape(Shaping& s) { concatenate_along(s, checked_dimension(s, s.type.static_int(0))); }

void concatenate_cols_shape(Shaping& s) { concatenate_along(s, 1); }

void concatenate_forward(const Forward& b) {
  const auto dim = static_cast<int>(b.type.v[0]);
  const int64_t step = below(b.type.dim, dim + 1);
  const Rows y = b.y_elements();
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t length = below(b.type.operands[i], dim + 1);
    b.k.copy_blocks(shifted(b, y, offset, b.element_count()), step, b.x_elements(static_cast<int>(i)), length,
                    above(b.type.dim, dim), length, b.element_count(), false);
    offset += length;
  }
}

void concatenate_backward(const Backward& b) {
  const auto dim = static_cast<int>(b.type.v[0]);
  const int64_t step = below(b.type.dim, dim + 1);
  const Rows dy = b.dy_elements();
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t length = below(b.type.operands[i], dim + 1);
    if (b.wants(static_cast<int>(i))) {
      const Backward::Operand dx = b.dx_elements(static_cast<int>(i));
      b.k.copy_blocks(dx.rows, length, shifted(b, dy, offset, b.element_count()), step, above(b.type.dim, dim), length,
                      b.element_count(), dx.accumulate);
    }
    offset += length;
  }
}

// ---- concatenate_to_batch ----

void concatenate_to_batch_shape(Shaping& s) {
  if (s.count() == 0) s.bad_argument("no operands");
  s.type.dim = s[0];
  for (int i = 1; i < s.count(); ++i) {
    if (!s[i].same_shape(s[0]))
      s.mismatch("%s (operand 0) and %s (operand %d) are not of one shape", s[0].text().c_str(), s[i].text().c_str(),
                 i);
    s.type.dim.bd = added(s, s.type.dim.bd, s[i].bd, "batches");
  }
}

void concatenate_to_batch_forward(const Forward& b) {
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t total = b.type.operands[i].total();
    b.k.copy(shifted(b, b.y, offset, b.count), b.x[i], b.count, total);
    offset += total;
  }
}

void concatenate_to_batch_backward(const Backward& b) {
  int64_t offset = 0;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    const int64_t total = b.type.operands[i].total();
    if (b.wants(static_cast<int>(i))) {
      const Backward::Operand dx = b.dx(static_cast<int>(i));
      b.k.copy_blocks(dx.rows, total, shifted(b, b.dy, offset, b.count), total, 1, total, b.count, dx.accumulate);
    }
    offset += total;
  }
}

}  // namespace

const OpDef op_concatenate = {.name = "concatenate",
                              .shape = concatenate_shape,
                              .forward = concatenate_forward,
                              .backward = concatenate_backward};

const OpDef op_concatenate_cols = {.name = "concatenate_cols",
                                   .shape = concatenate_cols_shape,
                                   .forward = concatenate_forward,
                                   .backward = concatenate_backward};

const OpDef op_concatenate_to_batch = {.name = "concatenate_to_batch",
                                       .shape = concatenate_to_batch_shape,
                                       .forward = concatenate_to_batch_forward,
                                       .backward = concatenate_to_batch_backward};

}  // namespace dynnet

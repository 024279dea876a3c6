// Matrix products as operations use them: chosen layout, split over threads.
#ifndef DYNNET_OPS_PRODUCT_H_
#define DYNNET_OPS_PRODUCT_H_

#include "ops/context.h"

namespace dynnet {

/// Below this many columns, transposing a matrix costs more than the slower product with it untransposed.
constexpr int64_t kWorthPacking = 12;

/// How many floats a packed {m, k} matrix has: strips of 16 rows, of which the last is filled up.
inline int64_t packed_size(int64_t m, int64_t k) { return (m + 15) / 16 * 16 * k; }

/// A column-major {m, k} matrix as the left operand of a product.
inline Left column_major(const float* a, int64_t m) { return {a, 16, m, false}; }

/// For each of n columns: y_j (+)= bias + A x_j; see Kernels::product.
void run_product(const BatchContext& b, int64_t m, int64_t n, int64_t k, Left a, Rows x, Rows y, const float* bias,
                 bool accumulate, bool serial = false);

/// A shared left operand {m, k} of a product of n columns, packed where that pays.
Left shared_left(const BatchContext& b, int operand, int64_t m, int64_t k, int64_t n);

/// The transpose of a shared left operand {m, k}, packed: a parameter's own packed copy, or one made for this batch.
Left packed_transpose(const Backward& b, int operand, int64_t m, int64_t k);

/// The gradients of y = W x for n columns, W being operand `w` {m, k}, shared by the batch, and x operand `x_operand`
/// as `columns`: adds to that of x, and defers that of W.
void shared_product_backward(const Backward& b, int w, int x_operand, int64_t m, int64_t k, int64_t n, Rows columns,
                             Rows dy);

/// A product's operands and result, one matrix for each batch element.
struct ProductShape {
  int64_t m, n, k;
  int64_t a_batch, x_batch, batch;
};

/// The gradients of y = A x where A differs from node to node.
void own_product_backward(const Backward& b, int a, int x_operand, const ProductShape& shape);
/// y (+)= A x where A differs from node to node.
void own_product(const Forward& b, int a, int x_operand, const ProductShape& shape, bool accumulate);

}  // namespace dynnet

#endif  // DYNNET_OPS_PRODUCT_H_

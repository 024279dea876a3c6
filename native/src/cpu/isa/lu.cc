// Inverse and determinant, by LU decomposition with partial pivoting, in double: what an ill-conditioned matrix costs
// in precision, floats do not have. The innermost loops go down columns; the compiler makes vectors of them.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// y -= factor * x, n elements.
DYNNET_INLINE void subtract(double* __restrict y, const double* __restrict x, double factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] -= factor * x[i];
}

/// The same for `columns` columns that are `step` apart, each with its own factor, which is the element `above` of it:
/// four at a time read x once.
DYNNET_INLINE void subtract_columns(double* y, int64_t step, const double* x, const double* above, int64_t columns,
                                    int64_t n) {
  int64_t j = 0;
  for (; j + 4 <= columns; j += 4) {
    double* __restrict a = y + j * step, * __restrict b = a + step, * __restrict c = b + step, * __restrict d = c + step;
    const double* __restrict from = x;
    const double fa = above[j * step], fb = above[(j + 1) * step], fc = above[(j + 2) * step],
                 fd = above[(j + 3) * step];
    for (int64_t i = 0; i < n; ++i) {
      a[i] -= fa * from[i];
      b[i] -= fb * from[i];
      c[i] -= fc * from[i];
      d[i] -= fd * from[i];
    }
  }
  for (; j < columns; ++j) subtract(y + j * step, x, above[j * step], n);
}

/// Makes L, below the diagonal, and U of a column-major {n, n} matrix whose rows are exchanged on the way: row i of the
/// result was row order[i]. Returns the sign of the exchanges, or 0 if the matrix is singular.
int decompose(double* a, double* order, int64_t n) {
  int sign = 1;
  for (int64_t i = 0; i < n; ++i) order[i] = static_cast<double>(i);
  for (int64_t k = 0; k < n; ++k) {
    double* column = a + k * n;
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      // NaN counts as the largest, so that it goes on into what follows.
      const double size = __builtin_fabs(column[i]), largest = __builtin_fabs(column[pivot]);
      if (size > largest || (size != size && largest == largest)) pivot = i;
    }
    if (column[pivot] == 0.0) return 0;
    if (pivot != k) {
      sign = -sign;
      const double number = order[k];
      order[k] = order[pivot];
      order[pivot] = number;
      for (int64_t j = 0; j < n; ++j) {
        const double moved = a[k + j * n];
        a[k + j * n] = a[pivot + j * n];
        a[pivot + j * n] = moved;
      }
    }
    const double scale = 1.0 / column[k];
    for (int64_t i = k + 1; i < n; ++i) column[i] *= scale;
    double* next = column + n;
    subtract_columns(next + k + 1, n, column + k + 1, next + k, n - k - 1, n - k - 1);
  }
  return sign;
}

void widen(double* to, const float* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<double>(from[i]);
}

void inverse(Rows y, Rows x, double* work, int64_t rows, int64_t n) {
  double *lu = work, *result = work + n * n, *order = result + n * n;
  for (int64_t m = 0; m < rows; ++m) {
    float* ys = row(y, m);
    widen(lu, row(x, m), n * n);
    if (decompose(lu, order, n) == 0) {
      for (int64_t i = 0; i < n * n; ++i) ys[i] = __builtin_nanf("");
      continue;
    }
    // The columns of the identity side by side: down with L, up with U. Column i of the result is that of row order[i].
    for (int64_t i = 0; i < n * n; ++i) result[i] = 0.0;
    for (int64_t i = 0; i < n; ++i) result[i + i * n] = 1.0;
    // Of column i, what is above row i stays 0.
    for (int64_t k = 0; k < n; ++k)
      subtract_columns(result + k + 1, n, lu + k * n + k + 1, result + k, k + 1, n - k - 1);
    for (int64_t k = n - 1; k >= 0; --k) {
      const double pivot = lu[k + k * n];
      for (int64_t i = 0; i < n; ++i) result[k + i * n] /= pivot;
      subtract_columns(result, n, lu + k * n, result + k, n, k);
    }
    for (int64_t i = 0; i < n; ++i) {
      float* to = ys + static_cast<int64_t>(order[i]) * n;
      for (int64_t j = 0; j < n; ++j) to[j] = static_cast<float>(result[j + i * n]);
    }
  }
}

void logdet(Rows y, Rows x, double* work, int64_t rows, int64_t n) {
  for (int64_t m = 0; m < rows; ++m) {
    const float* matrix = row(x, m);
    widen(work, matrix, n * n);
    int sign = decompose(work, work + n * n, n);
    double sum = 0.0;
    for (int64_t k = 0; k < n && sign != 0; ++k) {
      const double pivot = work[k + k * n];
      sum += __builtin_log(__builtin_fabs(pivot));
      if (pivot < 0.0) sign = -sign;
    }
    if (sign == 0) {
      // 0 times NaN or infinity is no number.
      const float rest =
          sum_of(n * n, [&](int64_t i, auto lanes) DYNNET_INLINE_BODY { return lanes.load(matrix + i) * Vec(0.0f); });
      *row(y, m) = rest == 0.0f ? -__builtin_inff() : __builtin_nanf("");
      continue;
    }
    *row(y, m) = sign < 0 ? __builtin_nanf("") : static_cast<float>(sum);
  }
}

}  // namespace

void fill_lu(Kernels* table) {
  table->inverse = inverse;
  table->logdet = logdet;
}

}  // namespace dynnet::cpu::DYNNET_ISA

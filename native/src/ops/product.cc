#include "ops/product.h"

#include <algorithm>

#include "nn/model.h"

namespace dynnet {
namespace {

// Floating-point operations a nanosecond, roughly, for the choice of chunks.
constexpr double kSpeed = 80;

double cost_of(int64_t m, int64_t k) { return 2.0 * static_cast<double>(m * k) / kSpeed + 2; }

}  // namespace

void run_product(const BatchContext& b, int64_t m, int64_t n, int64_t k, Left a, Rows x, Rows y, const float* bias,
                 bool accumulate, bool serial) {
  constexpr int64_t kColumns = 48;
  constexpr int64_t kStrip = 16;
  // Few columns of a large matrix are split by rows, so that each part still has many columns; lists of results only
  // by columns.
  const int64_t strips = (m + kStrip - 1) / kStrip;
  if (!serial && n <= kColumns && strips > 1 && y.list == nullptr) {
    const double strip_cost = cost_of(kStrip * n, k);
    const int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(3000 / strip_cost));
    parallel_for(strips, grain, [&](int64_t begin, int64_t end) {
      const int64_t row = begin * kStrip;
      const int64_t rows = std::min(end * kStrip, m) - row;
      const Left part{a.data + begin * a.strip, a.strip, a.step, a.padded};
      b.k.product(rows, n, k, part, x, Rows{y.base + row, nullptr, y.stride}, bias == nullptr ? nullptr : bias + row,
                  accumulate);
    });
    return;
  }
  const int64_t grain = std::max<int64_t>(kColumns, static_cast<int64_t>(3000 / cost_of(m, k)) / 12 * 12);
  if (serial) {
    b.k.product(m, n, k, a, x, y, bias, accumulate);
    return;
  }
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    b.k.product(m, end - begin, k, a, x.from(begin), y.from(begin), bias, accumulate);
  });
}

Left shared_left(const BatchContext& b, int operand, int64_t m, int64_t k, int64_t n) {
  dn_parameter* const parameter = b.parameter(operand);
  // Its packed copy is of a matrix with as many rows.
  if (parameter != nullptr && parameter->dim.rows() == m && parameter->is_worth_packing(n)) {
    try {
      return {parameter->packed(), 16 * k, 16, true};
    } catch (const Error& error) {
      // Without memory for a copy the values serve as they are.
      if (error.status() != DN_E_MEMORY) throw;
    }
  }
  return column_major(b.x[operand].at(0), m);
}

Left packed_transpose(const Backward& b, int operand, int64_t m, int64_t k) {
  const float* packed = nullptr;
  const float* values = b.x[operand].at(0);
  dn_parameter* const parameter = b.parameter(operand);
  if (parameter != nullptr && parameter->dim.rows() == m) {
    packed = parameter->packed_transpose();
  } else {
    auto* made = b.scratch.allocate<float>(packed_size(k, m));
    b.k.pack_transposed(m, k, values, m, made);
    packed = made;
  }
  return {packed, 16 * m, 16, true};
}

void shared_product_backward(const Backward& b, int w, int x_operand, int64_t m, int64_t k, int64_t n, Rows columns,
                             Rows dy) {
  if (b.wants(x_operand)) {
    const Backward::Operand dx = b.dx(x_operand);
    const Rows to = b.elements(dx.rows, k, n / b.count, n / b.count);
    run_product(b, k, n, m, packed_transpose(b, w, m, k), dy, to, nullptr, dx.accumulate, dx.collides);
  }
  if (b.wants(w)) b.defer_product(w, m, k, dy, columns, n);
}

void own_product(const Forward& b, int a, int x_operand, const ProductShape& s, bool accumulate) {
  b.parallel(b.count, cost_of(s.m * s.n * s.batch, s.k), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* left = b.x[a].at(i);
      float* x = b.x[x_operand].at(i);
      float* y = b.y.at(i);
      if (s.a_batch == 1) {
        // One matrix for the whole batch: its columns side by side. A single x is repeated only if A has a batch.
        b.k.product(s.m, s.n * s.batch, s.k, column_major(left, s.m), Rows{x, nullptr, s.k}, Rows{y, nullptr, s.m},
                    nullptr, accumulate);
        continue;
      }
      for (int64_t e = 0; e < s.batch; ++e) {
        const float* part = left + e * s.m * s.k;
        float* columns = x + (s.x_batch == 1 ? 0 : e * s.k * s.n);
        b.k.product(s.m, s.n, s.k, column_major(part, s.m), Rows{columns, nullptr, s.k},
                    Rows{y + e * s.m * s.n, nullptr, s.m}, nullptr, accumulate);
      }
    }
  });
}

void own_product_backward(const Backward& b, int a, int x_operand, const ProductShape& s) {
  const double cost = cost_of(s.m * s.n * s.batch, s.k);
  if (b.wants(a)) {
    const Backward::Operand da = b.dx(a);
    b.parallel(
        b.count, cost,
        [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            for (int64_t e = 0; e < s.batch; ++e) {
              const bool add = da.accumulate || (s.a_batch == 1 && e > 0);
              float* x = b.x[x_operand].at(i) + (s.x_batch == 1 ? 0 : e * s.k * s.n);
              float* dy = b.dy.at(i) + e * s.m * s.n;
              float* to = da.rows.at(i) + (s.a_batch == 1 ? 0 : e * s.m * s.k);
              b.k.outer_sum(0, s.m, s.n, s.k, Rows{dy, nullptr, s.m}, Rows{x, nullptr, s.k}, to, s.m, add);
            }
          }
        },
        da.collides);
  }
  if (!b.wants(x_operand)) return;
  const Backward::Operand dx = b.dx(x_operand);
  // Packing memory is taken before threads start: an arena serves one.
  const bool pack = s.n >= kWorthPacking;
  const int64_t size = packed_size(s.k, s.m);
  float* packed = pack ? b.scratch.allocate<float>(size * b.count) : nullptr;
  b.parallel(
      b.count, cost,
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          for (int64_t e = 0; e < s.batch; ++e) {
            const bool add = dx.accumulate || (s.x_batch == 1 && e > 0);
            const float* left = b.x[a].at(i) + (s.a_batch == 1 ? 0 : e * s.m * s.k);
            const Rows dy{b.dy.at(i) + e * s.m * s.n, nullptr, s.m};
            const Rows to{dx.rows.at(i) + (s.x_batch == 1 ? 0 : e * s.k * s.n), nullptr, s.k};
            if (!pack) {
              b.k.product_transposed(s.m, s.n, s.k, left, s.m, dy, to, add);
              continue;
            }
            float* own = packed + i * size;
            b.k.pack_transposed(s.m, s.k, left, s.m, own);
            b.k.product(s.k, s.n, s.m, Left{own, 16 * s.m, 16, true}, dy, to, nullptr, add);
          }
        }
      },
      dx.collides);
}

}  // namespace dynnet

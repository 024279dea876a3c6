// Elementwise operations of any number of operands, which are rows: the largest, and the logarithm of a sum of
// exponentials.

#include "cpu/isa/functions.h"
#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

void max_rows(float* y, float* which, Rows x, int64_t rows, int64_t n) {
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec largest = lanes.load(row(x, 0) + j), number(0.0f);
    for (int64_t i = 1; i < rows; ++i) {
      const Vec next = lanes.load(row(x, i) + j);
      const Mask stays = next < largest;
      largest = select(stays, largest, next);
      number = select(stays, number, Vec(static_cast<float>(i)));
    }
    lanes.store(y + j, largest);
    lanes.store(which + j, number);
  });
}

void max_rows_backward(Rows d, Rows which, float number, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  flatten(rows, n, d, which, dy);
  const Vec wanted(number), half(0.5f);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float *numbers = row(which, i), *dys = row(dy, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Mask here = abs(lanes.load(numbers + j) - wanted) < half;
        put<decltype(flag)::value>(lanes, to + j, select(here, lanes.load(dys + j), Vec(0.0f)));
      });
    }
  });
}

void log_sum_exp_rows(float* y, float* z, Rows x, int64_t rows, int64_t n) {
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec largest = lanes.load(row(x, 0) + j), sum(0.0f);
    for (int64_t i = 1; i < rows; ++i) largest = max(largest, lanes.load(row(x, i) + j));
    // Finite, so that no infinity is taken from itself.
    largest = max(Vec(-kLargest), min(Vec(kLargest), largest));
    for (int64_t i = 0; i < rows; ++i) sum = sum + exp(lanes.load(row(x, i) + j) - largest);
    lanes.store(y + j, largest + log(sum));
    lanes.store(z + j, largest);
    // At least 1, but 0 if all are minus infinity.
    lanes.store(z + n + j, Vec(1.0f) / max(Vec(1.0f), sum));
  });
}

void log_sum_exp_rows_backward(Rows d, Rows x, Rows z, Rows dy, int64_t rows, int64_t n, bool accumulate) {
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* to = row(d, i);
      const float *xs = row(x, i), *largest = row(z, i), *inverse = largest + n, *dys = row(dy, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec part = exp(lanes.load(xs + j) - lanes.load(largest + j)) * lanes.load(inverse + j);
        put<decltype(flag)::value>(lanes, to + j, lanes.load(dys + j) * part);
      });
    }
  });
}

}  // namespace

void fill_many(Kernels* table) {
  table->max_rows = max_rows;
  table->max_rows_backward = max_rows_backward;
  table->log_sum_exp_rows = log_sum_exp_rows;
  table->log_sum_exp_rows_backward = log_sum_exp_rows_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

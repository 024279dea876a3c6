// Moving: copies, sums of copies, transposes.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

void copy(Rows to, Rows from, int64_t rows, int64_t n) {
  flatten(rows, n, to, from);
  for (int64_t i = 0; i < rows; ++i) {
    float* t = row(to, i);
    const float* f = row(from, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(t + j, lanes.load(f + j)); });
  }
}

void add(Rows to, Rows from, float scale, int64_t rows, int64_t n) {
  flatten(rows, n, to, from);
  const Vec s(scale);
  for (int64_t i = 0; i < rows; ++i) {
    float* t = row(to, i);
    const float* f = row(from, i);
    for_vectors(n, [&](int64_t j, auto lanes)
                       DYNNET_INLINE_BODY { lanes.store(t + j, fma(s, lanes.load(f + j), lanes.load(t + j))); });
  }
}

void fill_rows(Rows to, float value, int64_t rows, int64_t n) {
  flatten(rows, n, to);
  const Vec v(value);
  for (int64_t i = 0; i < rows; ++i) {
    float* t = row(to, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(t + j, v); });
  }
}

void copy_blocks(Rows to, int64_t to_step, Rows from, int64_t from_step, int64_t blocks, int64_t length, int64_t rows,
                 bool accumulate) {
  if (to_step == length && from_step == length) {
    length *= blocks;
    blocks = blocks > 0 ? 1 : 0;
  }
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    for (int64_t i = 0; i < rows; ++i) {
      float* t = row(to, i);
      const float* f = row(from, i);
      for (int64_t b = 0; b < blocks; ++b, t += to_step, f += from_step) {
        for_vectors(length, [&](int64_t j, auto lanes)
                                DYNNET_INLINE_BODY { put<decltype(flag)::value>(lanes, t + j, lanes.load(f + j)); });
      }
    }
  });
}

/// The transpose of one matrix, in blocks of kWidth by kWidth that turn in registers.
template <bool kAccumulate>
void transpose_matrix(float* to, const float* from, int64_t m, int64_t n) {
  for (int64_t j = 0; j < n; j += kWidth) {
    const int64_t columns = n - j < kWidth ? n - j : kWidth;
    const Part across(columns);
    for (int64_t i = 0; i < m; i += kWidth) {
      const int64_t lines = m - i < kWidth ? m - i : kWidth;
      const Part down(lines);
      Vec block[kWidth];
      for (int64_t c = 0; c < kWidth; ++c) {
        block[c] = c < columns ? down.load(from + i + m * (j + c)) : Vec(0.0f);
      }
      transpose(block);
      for (int64_t l = 0; l < kWidth; ++l) {
        if (l < lines) put<kAccumulate>(across, to + j + n * (i + l), block[l]);
      }
    }
  }
}

void transpose_rows(Rows to, Rows from, int64_t m, int64_t n, int64_t rows, bool accumulate) {
  for (int64_t i = 0; i < rows; ++i) {
    if (accumulate) {
      transpose_matrix<true>(row(to, i), row(from, i), m, n);
    } else {
      transpose_matrix<false>(row(to, i), row(from, i), m, n);
    }
  }
}

}  // namespace

void fill_move(Kernels* table) {
  table->copy = copy;
  table->add = add;
  table->fill = fill_rows;
  table->copy_blocks = copy_blocks;
  table->transpose = transpose_rows;
}

}  // namespace dynnet::cpu::DYNNET_ISA

// Moving: copies, sums of copies, transposes, selections.

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
      if (length == 1) {
        for (int64_t b = 0; b < blocks; ++b) put<decltype(flag)::value>(t + b * to_step, f[b * from_step]);
        continue;
      }
      for (int64_t b = 0; b < blocks; ++b, t += to_step, f += from_step) {
        for_vectors(length, [&](int64_t j, auto lanes)
                                DYNNET_INLINE_BODY { put<decltype(flag)::value>(lanes, t + j, lanes.load(f + j)); });
      }
    }
  });
}

/// The transpose of one matrix {m, n}, to[j + to_step * i] = (or +=) from[i + from_step * j], in blocks of kWidth by
/// kWidth that turn in registers.
template <bool kAccumulate>
void transpose_matrix(float* to, int64_t to_step, const float* from, int64_t from_step, int64_t m, int64_t n) {
  for (int64_t j = 0; j < n; j += kWidth) {
    const int64_t columns = n - j < kWidth ? n - j : kWidth;
    const Part across(columns);
    for (int64_t i = 0; i < m; i += kWidth) {
      const int64_t lines = m - i < kWidth ? m - i : kWidth;
      const Part down(lines);
      Vec block[kWidth];
      for (int64_t c = 0; c < kWidth; ++c) {
        block[c] = c < columns ? down.load(from + i + from_step * (j + c)) : Vec(0.0f);
      }
      transpose(block);
      for (int64_t l = 0; l < kWidth; ++l) {
        if (l < lines) put<kAccumulate>(across, to + j + to_step * (i + l), block[l]);
      }
    }
  }
}

void transpose_rows(Rows to, Rows from, int64_t m, int64_t n, int64_t rows, bool accumulate) {
  for (int64_t i = 0; i < rows; ++i) {
    if (accumulate) {
      transpose_matrix<true>(row(to, i), n, row(from, i), m, m, n);
    } else {
      transpose_matrix<false>(row(to, i), n, row(from, i), m, m, n);
    }
  }
}

/// n elements, of which every second one is met on one side: steps that the compiler knows become shuffles.
template <bool kAccumulate, int kTo, int kFrom>
void move_every(float* __restrict to, const float* __restrict from, int64_t n) {
  for (int64_t j = 0; j < n; ++j) put<kAccumulate>(to + j * kTo, from[j * kFrom]);
}

/// n elements that are so far apart.
template <bool kAccumulate>
DYNNET_INLINE void move_line(float* to, int64_t to_step, const float* from, int64_t from_step, int64_t n) {
  if (to_step == 1 && from_step == 1) {
    for_vectors(
        n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { put<kAccumulate>(lanes, to + j, lanes.load(from + j)); });
  } else if (to_step == 1 && from_step == 2) {
    move_every<kAccumulate, 1, 2>(to, from, n);
  } else if (to_step == 2 && from_step == 1) {
    move_every<kAccumulate, 2, 1>(to, from, n);
  } else {
    for (int64_t j = 0; j < n; ++j) put<kAccumulate>(to + j * to_step, from[j * from_step]);
  }
}

template <bool kAccumulate>
void move_elements(float* to, const float* from, const Moves& m) {
  // The two innermost loops together are the transpose of a matrix.
  const bool turns = m.loops > 1 && m.to_stride[0] == 1 && m.from_stride[0] != 1 && m.from_stride[1] == 1;
  const int inner = turns ? 2 : 1;
  int64_t at[Moves::kMaxLoops] = {};
  for (;;) {
    if (turns) {
      transpose_matrix<kAccumulate>(to, m.to_stride[1], from, m.from_stride[0], m.size[1], m.size[0]);
    } else {
      move_line<kAccumulate>(to, m.to_stride[0], from, m.from_stride[0], m.size[0]);
    }
    int l = inner;
    for (; l < m.loops; ++l) {
      to += m.to_stride[l];
      from += m.from_stride[l];
      if (++at[l] < m.size[l]) break;
      to -= m.size[l] * m.to_stride[l];
      from -= m.size[l] * m.from_stride[l];
      at[l] = 0;
    }
    if (l >= m.loops) return;
  }
}

void move_rows(Rows to, Rows from, const Moves& moves, int64_t rows, bool accumulate) {
  for (int64_t i = 0; i < rows; ++i) {
    if (accumulate) {
      move_elements<true>(row(to, i), row(from, i), moves);
    } else {
      move_elements<false>(row(to, i), row(from, i), moves);
    }
  }
}

void select_elements(Rows to, Rows from, const int32_t* indices, int64_t k, int64_t m, int64_t columns, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i, indices += k) {
    float* t = row(to, i);
    const float* f = row(from, i);
    for (int64_t c = 0; c < columns; ++c, t += k, f += m) {
      for (int64_t j = 0; j < k; ++j) t[j] = f[indices[j]];
    }
  }
}

void add_selected(Rows to, Rows from, const int32_t* indices, int64_t k, int64_t m, int64_t columns, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i, indices += k) {
    float* t = row(to, i);
    const float* f = row(from, i);
    for (int64_t c = 0; c < columns; ++c, t += m, f += k) {
      for (int64_t j = 0; j < k; ++j) t[indices[j]] += f[j];
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
  table->move = move_rows;
  table->select = select_elements;
  table->add_selected = add_selected;
}

}  // namespace dynnet::cpu::DYNNET_ISA

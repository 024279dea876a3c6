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

/// n floats side by side, put there or added.
template <bool kAccumulate, class N>
DYNNET_INLINE void copy_line(float* to, const float* from, N n) {
  for_vectors(n,
              [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { put<kAccumulate>(lanes, to + j, lanes.load(from + j)); });
}

template <bool kAccumulate>
void copy_lines(float* to, int64_t to_step, const float* from, int64_t from_step, int64_t blocks, int64_t length) {
  for (int64_t b = 0; b < blocks; ++b, to += to_step, from += from_step) copy_line<kAccumulate>(to, from, length);
}

template <bool kAccumulate>
void copy_single(float* to, int64_t to_step, const float* from, int64_t from_step, int64_t blocks, int64_t) {
#pragma GCC unroll 4
  for (int64_t b = 0; b < blocks; ++b) put<kAccumulate>(to + b * to_step, from[b * from_step]);
}

void copy_blocks(Rows to, int64_t to_step, Rows from, int64_t from_step, int64_t blocks, int64_t length, int64_t rows,
                 bool accumulate) {
  if (to_step == length && from_step == length) {
    length *= blocks;
    blocks = blocks > 0 ? 1 : 0;
  }
  with_flag(accumulate, [&](auto flag) {
    const auto copy_row = length == 1 ? copy_single<decltype(flag)::value> : copy_lines<decltype(flag)::value>;
    for (int64_t i = 0; i < rows; ++i) copy_row(row(to, i), to_step, row(from, i), from_step, blocks, length);
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

/// n elements side by side, or added, from every second one. What follows the last of these is not read.
template <bool kAccumulate>
DYNNET_INLINE void take_every_second(float* to, const float* from, int64_t n) {
  int64_t j = 0;
  for (; j + kWidth < n; j += kWidth)
    put<kAccumulate>(Whole(), to + j, evens(load(from + 2 * j), load(from + 2 * j + kWidth)));
  const int64_t left = 2 * (n - j) - 1;
  const float* last = from + 2 * j;
  const Part low(smaller(left, kWidth)), high(larger(left - kWidth, 0));
  put<kAccumulate>(Part(n - j), to + j, evens(low.load(last), high.load(last + kWidth)));
}

/// n elements side by side, added to every second one. The others get minus zero, which changes no number.
DYNNET_INLINE void add_to_every_second(float* to, const float* from, int64_t n) {
  const Vec nothing(-0.0f);
  int64_t j = 0;
  Vec first, second;
  for (; j + kWidth < n; j += kWidth) {
    interleave(load(from + j), nothing, first, second);
    put<true>(Whole(), to + 2 * j, first);
    put<true>(Whole(), to + 2 * j + kWidth, second);
  }
  const int64_t left = 2 * (n - j) - 1;
  interleave(Part(n - j).load(from + j), nothing, first, second);
  put<true>(Part(smaller(left, kWidth)), to + 2 * j, first);
  put<true>(Part(larger(left - kWidth, 0)), to + 2 * j + kWidth, second);
}

/// n elements that are so far apart.
template <bool kAccumulate>
DYNNET_INLINE void move_line(float* to, int64_t to_step, const float* from, int64_t from_step, int64_t n) {
  if (to_step == 1 && from_step == 1) {
    copy_line<kAccumulate>(to, from, n);
  } else if (to_step == 1 && from_step == 2) {
    take_every_second<kAccumulate>(to, from, n);
  } else if (kAccumulate && to_step == 2 && from_step == 1) {
    add_to_every_second(to, from, n);
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

void select_slices(Rows to, Rows from, const int32_t* indices, int64_t inner, int64_t k, int64_t m, int64_t columns,
                   int64_t rows) {
  for (int64_t i = 0; i < rows; ++i, indices += k) {
    float* t = row(to, i);
    const float* f = row(from, i);
    for (int64_t c = 0; c < columns; ++c, t += k * inner, f += m * inner) {
      if (inner == 1) {
        for (int64_t j = 0; j < k; ++j) t[j] = f[indices[j]];
        continue;
      }
      with_size(inner, [&](auto n) DYNNET_INLINE_BODY {
        for (int64_t j = 0; j < k; ++j) copy_line<false>(t + j * inner, f + indices[j] * inner, n);
      });
    }
  }
}

void add_selected(Rows to, Rows from, const int32_t* indices, int64_t inner, int64_t k, int64_t m, int64_t columns,
                  int64_t rows) {
  for (int64_t i = 0; i < rows; ++i, indices += k) {
    float* t = row(to, i);
    const float* f = row(from, i);
    for (int64_t c = 0; c < columns; ++c, t += m * inner, f += k * inner) {
      if (inner == 1) {
        for (int64_t j = 0; j < k; ++j) t[indices[j]] += f[j];
        continue;
      }
      with_size(inner, [&](auto n) DYNNET_INLINE_BODY {
        for (int64_t j = 0; j < k; ++j) copy_line<true>(t + indices[j] * inner, f + j * inner, n);
      });
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
  table->select = select_slices;
  table->add_selected = add_selected;
}

}  // namespace dynnet::cpu::DYNNET_ISA

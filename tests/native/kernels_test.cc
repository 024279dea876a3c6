// The choice of kernels, and those that move.

#include <stdlib.h>

#include <algorithm>

#include "kernels_testing.h"
#include "ops/moves.h"

namespace dynnet::test {
namespace {

TEST(KernelTables, AreWholeAndNamed) {
  const auto all = AllKernels();
  ASSERT_FALSE(all.empty());
  for (const Kernels* table : all) {
    // All members are pointers.
    const void* entries[sizeof(Kernels) / sizeof(void*)];
    static_assert(sizeof(Kernels) % sizeof(void*) == 0);
    memcpy(entries, table, sizeof entries);
    for (size_t i = 0; i < std::size(entries); ++i) EXPECT_NE(entries[i], nullptr) << table->name << ", entry " << i;
    EXPECT_EQ(kernels_for(table->name), table);
  }
  EXPECT_EQ(kernels_for("v5"), nullptr);
  EXPECT_EQ(kernels_for(""), nullptr);
}

TEST(KernelTables, TheChosenOneIsWhatTheEnvironmentNamesOrTheBest) {
  const char* wanted = getenv("DYNNET_ISA");
  const Kernels* named = wanted != nullptr ? kernels_for(wanted) : nullptr;
  const Kernels* best = nullptr;
  for (const char* isa : {"portable", "v2", "v3", "v4"}) {
    if (const Kernels* table = kernels_for(isa)) best = table;
  }
  EXPECT_EQ(&kernels(), named != nullptr ? named : best);
}

using MoveKernels = KernelsTest;

TEST_P(MoveKernels, CopyAddAndFill) {
  for (int trial = 0; trial < 30; ++trial) {
    const int64_t rows = Size(9), n = Size(150);
    CheckRowKernel("copy",
                   {.inputs = {{n}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().copy(out[0], in[0], r, n); },
                    .reference = [](int64_t, const auto& in, auto& out) { out[0] = in[0]; },
                    .tolerance = 0},
                   rows, random_);
    CheckRowKernel(
        "add",
        {.inputs = {{n}},
         .outputs = {{n}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().add(out[0], in[0], -0.75f, r, n); },
         .reference =
             [](int64_t, const auto& in, auto& out) {
               for (size_t j = 0; j < in[0].size(); ++j) out[0][j] -= 0.75 * in[0][j];
             }},
        rows, random_);
    CheckRowKernel("fill",
                   {.outputs = {{n}},
                    .run = [&](const Rows*, const Rows* out, int64_t, int64_t r) { k().fill(out[0], 4.25f, r, n); },
                    .reference = [](int64_t, const auto&, auto& out) { out[0].assign(out[0].size(), 4.25); },
                    .tolerance = 0},
                   rows, random_);
  }
}

TEST_P(MoveKernels, AddToOneRowManyTimes) {
  // A lookup's gradient: several rows of a list are the same one.
  Operand to(Layout::kDense, 1, 19), from(Layout::kStrided, 4, 19);
  to.Fill(random_, 0, 0);
  from.Fill(random_, -1, 1);
  float* same[] = {to.Row(0), to.Row(0), to.Row(0), to.Row(0)};
  k().add({.list = same}, from.view(), 1.0f, 4, 19);
  for (int64_t j = 0; j < 19; ++j) {
    EXPECT_FLOAT_EQ(to.At(0, j), from.At(0, j) + from.At(1, j) + from.At(2, j) + from.At(3, j));
  }
  // So is a row with stride 0.
  k().fill(to.view(), 0.0f, 1, 19);
  k().add({.base = to.Row(0), .stride = 0}, from.view(), 1.0f, 4, 19);
  for (int64_t j = 0; j < 19; ++j) {
    EXPECT_FLOAT_EQ(to.At(0, j), from.At(0, j) + from.At(1, j) + from.At(2, j) + from.At(3, j));
  }
}

TEST_P(MoveKernels, CopyBlocks) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(5), blocks = Size(6), length = Size(40);
    const int64_t to_step = length + trial % 3, from_step = length + trial % 2 * 4;
    const bool accumulate = trial % 5 < 2;
    const int64_t to_n = (blocks - 1) * to_step + length, from_n = (blocks - 1) * from_step + length;
    CheckRowKernel(
        "copy_blocks",
        {.inputs = {{from_n}},
         .outputs = {{to_n}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().copy_blocks(out[0], to_step, in[0], from_step, blocks, length, r, accumulate); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (int64_t b = 0; b < blocks; ++b) {
                 for (int64_t j = 0; j < length; ++j) {
                   Put(accumulate, out[0][b * to_step + j], in[0][b * from_step + j]);
                 }
               }
             },
         .tolerance = 1e-6},
        rows, random_);
  }
}

TEST_P(MoveKernels, Transpose) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(4), m = Size(40), n = Size(40);
    const bool accumulate = trial % 2 == 1;
    CheckRowKernel("transpose",
                   {.inputs = {{m * n}},
                    .outputs = {{m * n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().transpose(out[0], in[0], m, n, r, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t i = 0; i < m; ++i) {
                            for (int64_t j = 0; j < n; ++j) Put(accumulate, out[0][j + n * i], in[0][i + m * j]);
                          }
                        },
                    .tolerance = 1e-6},
                   rows, random_);
  }
}

// Three dimensions in every order, cut out of larger tensors on both sides.
TEST_P(MoveKernels, Move) {
  for (int trial = 0; trial < 120; ++trial) {
    const int64_t rows = Size(3);
    const bool accumulate = trial % 2 == 1;
    int order[] = {0, 1, 2};
    for (int i = 0; i < trial / 2 % 6; ++i) std::next_permutation(order, order + 3);
    const int64_t cut = trial % 3 == 0 ? 1 : 0;
    const int64_t step = trial % 5 == 0 ? 2 : 1;
    MovedDim dims[3];
    int64_t to_n = 1, from_n = step;
    int64_t from_strides[3];
    for (int i = 0; i < 3; ++i) {
      dims[i].size = Size(trial % 4 == 0 ? 40 : 7);
      from_strides[i] = from_n;
      from_n *= dims[i].size + cut;
    }
    for (int i = 0; i < 3; ++i) {
      dims[order[i]].to_stride = to_n;
      dims[order[i]].from_stride = from_strides[order[i]];
      to_n *= dims[order[i]].size + cut;
    }
    const MovedDim d[3] = {dims[0], dims[1], dims[2]};
    const Moves moves = make_moves(dims, 3);
    CheckRowKernel("move",
                   {.inputs = {{from_n}},
                    .outputs = {{to_n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().move(out[0], in[0], moves, r, accumulate); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t a = 0; a < d[0].size; ++a) {
                            for (int64_t b = 0; b < d[1].size; ++b) {
                              for (int64_t c = 0; c < d[2].size; ++c) {
                                Put(accumulate, out[0][a * d[0].to_stride + b * d[1].to_stride + c * d[2].to_stride],
                                    in[0][a * d[0].from_stride + b * d[1].from_stride + c * d[2].from_stride]);
                              }
                            }
                          }
                        },
                    .tolerance = 1e-6},
                   rows, random_);
  }
}

TEST_P(MoveKernels, Select) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t inner = trial % 2 == 0 ? 1 : Size(70);
    const int64_t rows = Size(4), taken = Size(40), m = Size(40), columns = Size(5);
    std::vector<int32_t> indices(static_cast<size_t>(rows * taken));
    for (int32_t& index : indices) index = static_cast<int32_t>(random_() % static_cast<uint32_t>(m));
    // Calls f(element of what is whole, element of what is taken) for all of a row.
    const auto each = [&](int64_t row, const auto& f) {
      for (int64_t c = 0; c < columns; ++c)
        for (int64_t i = 0; i < taken; ++i)
          for (int64_t e = 0; e < inner; ++e)
            f(static_cast<size_t>((indices[static_cast<size_t>(row * taken + i)] + m * c) * inner + e),
              static_cast<size_t>((i + taken * c) * inner + e));
    };
    CheckRowKernel(
        "select",
        {.inputs = {{inner * m * columns}},
         .outputs = {{inner * taken * columns}},
         .run =
             [&](const Rows* in, const Rows* out, int64_t first, int64_t r) {
               k().select(out[0], in[0], indices.data() + first * taken, inner, taken, m, columns, r);
             },
         .reference = [&](int64_t row, const auto& in,
                          auto& out) { each(row, [&](size_t whole, size_t part) { out[0][part] = in[0][whole]; }); },
         .tolerance = 1e-6},
        rows, random_);
    CheckRowKernel(
        "add_selected",
        {.inputs = {{inner * taken * columns}},
         .outputs = {{inner * m * columns}},
         .run =
             [&](const Rows* in, const Rows* out, int64_t first, int64_t r) {
               k().add_selected(out[0], in[0], indices.data() + first * taken, inner, taken, m, columns, r);
             },
         .reference = [&](int64_t row, const auto& in,
                          auto& out) { each(row, [&](size_t whole, size_t part) { out[0][whole] += in[0][part]; }); },
         .tolerance = 1e-5},
        rows, random_);
  }
}

DYNNET_TEST_ALL_KERNELS(MoveKernels);

}  // namespace
}  // namespace dynnet::test

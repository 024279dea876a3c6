// The cells: against double, in all layouts, adding and overwriting, with and without each of their gradients.

#include "kernels_testing.h"

namespace dynnet::test {
namespace {

using CellKernels = KernelsTest;

/// Which of two gradients are wanted, and which of them add.
struct Wants {
  bool first, second, add_first, add_second;
};

Wants WantsOf(int trial) {
  static constexpr bool kWanted[][2] = {{true, true}, {true, false}, {false, true}};
  return {kWanted[trial % 3][0], kWanted[trial % 3][1], trial / 3 % 2 == 1, trial / 6 % 2 == 1};
}

TEST_P(CellKernels, LstmForward) {
  for (int trial = 0; trial < 30; ++trial) {
    const int64_t rows = Size(9), n = Size(140);
    CheckRowKernel("lstm_gates",
                   {.outputs = {{4 * n, -6, 6}},
                    .run = [&](const Rows*, const Rows* out, int64_t, int64_t r) { k().lstm_gates(out[0], r, n); },
                    .reference =
                        [&](int64_t, const auto&, auto& out) {
                          for (int64_t j = 0; j < 4 * n; ++j) {
                            double& y = out[0][j];
                            y = j >= 3 * n ? std::tanh(y) : Logistic(y + (j / n == 1 ? 1 : 0));
                          }
                        },
                    .tolerance = 5e-7},
                   rows, random_);
    CheckRowKernel(
        "lstm_c",
        {.inputs = {{n}, {4 * n}},
         .outputs = {{n}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().lstm_c(out[0], in[0], in[1], r, n); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (int64_t j = 0; j < n; ++j) {
                 out[0][j] = in[1][n + j] * in[0][j] + in[1][j] * in[1][3 * n + j];
               }
             }},
        rows, random_);
    CheckRowKernel("lstm_h",
                   {.inputs = {{n}, {4 * n}},
                    .outputs = {{n}, {n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().lstm_h(out[0], out[1], in[0], in[1], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = std::tanh(in[0][j]);
                            out[0][j] = in[1][2 * n + j] * out[1][j];
                          }
                        }},
                   rows, random_);
  }
}

TEST_P(CellKernels, LstmBackward) {
  for (int trial = 0; trial < 36; ++trial) {
    const int64_t rows = Size(9), n = Size(140);
    const auto [want_c, want_gates, add_c, add_gates] = WantsOf(trial);
    CheckRowKernel("lstm_gates_backward",
                   {.inputs = {{4 * n, -1, 1}, {4 * n}},
                    .outputs = {{4 * n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().lstm_gates_backward(out[0], in[0], in[1], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < 4 * n; ++j) {
                            const double y = in[0][j];
                            out[0][j] = in[1][j] * (j < 3 * n ? y * (1 - y) : 1 - y * y);
                          }
                        }},
                   rows, random_);
    CheckRowKernel("lstm_c_backward",
                   {.inputs = {{n}, {4 * n, -1, 1}, {n}},
                    .outputs = {{n}, {4 * n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().lstm_c_backward(want_c ? out[0] : Rows{}, add_c, want_gates ? out[1] : Rows{}, add_gates,
                                              in[0], in[1], in[2], r, n);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const auto& [c, gates, dy] = std::tie(in[0], in[1], in[2]);
                          for (int64_t j = 0; j < n; ++j) {
                            if (want_c) Put(add_c, out[0][j], dy[j] * gates[n + j]);
                            if (!want_gates) continue;
                            Put(add_gates, out[1][j], dy[j] * gates[3 * n + j]);
                            Put(add_gates, out[1][n + j], dy[j] * c[j]);
                            Put(add_gates, out[1][2 * n + j], 0);
                            Put(add_gates, out[1][3 * n + j], dy[j] * gates[j]);
                          }
                        }},
                   rows, random_);
    CheckRowKernel("lstm_h_backward",
                   {.inputs = {{n, -1, 1}, {4 * n, -1, 1}, {n}},
                    .outputs = {{n}, {4 * n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().lstm_h_backward(want_c ? out[0] : Rows{}, add_c, want_gates ? out[1] : Rows{}, add_gates,
                                              in[0], in[1], in[2], r, n);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const auto& [t, gates, dy] = std::tie(in[0], in[1], in[2]);
                          for (int64_t j = 0; j < n; ++j) {
                            if (want_c) Put(add_c, out[0][j], dy[j] * gates[2 * n + j] * (1 - t[j] * t[j]));
                            if (!want_gates) continue;
                            Put(add_gates, out[1][j], 0);
                            Put(add_gates, out[1][n + j], 0);
                            Put(add_gates, out[1][2 * n + j], dy[j] * t[j]);
                            Put(add_gates, out[1][3 * n + j], 0);
                          }
                        }},
                   rows, random_);
  }
}

TEST_P(CellKernels, TreeLstmForward) {
  for (int trial = 0; trial < 30; ++trial) {
    const int64_t rows = Size(9), n = Size(140);
    CheckRowKernel("tree_leaf_c",
                   {.inputs = {{3 * n, -6, 6}},
                    .outputs = {{n}, {2 * n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().tree_leaf_c(out[0], out[1], in[0], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = Logistic(in[0][j]);
                            out[1][n + j] = std::tanh(in[0][2 * n + j]);
                            out[0][j] = out[1][j] * out[1][n + j];
                          }
                        },
                    .tolerance = 5e-7},
                   rows, random_);
    CheckRowKernel("tree_child_c",
                   {.inputs = {{n, -6, 6}, {n}},
                    .outputs = {{n}, {n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().tree_child_c(out[0], out[1], in[0], in[1], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = Logistic(in[0][j]);
                            out[0][j] += out[1][j] * in[1][j];
                          }
                        },
                    .tolerance = 1e-6},
                   rows, random_);
    CheckRowKernel("tree_h",
                   {.inputs = {{3 * n, -6, 6}, {n}},
                    .outputs = {{n}, {2 * n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().tree_h(out[0], out[1], in[0], in[1], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < n; ++j) {
                            out[1][j] = Logistic(in[0][n + j]);
                            out[1][n + j] = std::tanh(in[1][j]);
                            out[0][j] = out[1][j] * out[1][n + j];
                          }
                        },
                    .tolerance = 5e-7},
                   rows, random_);
  }
}

TEST_P(CellKernels, TreeLstmBackward) {
  for (int trial = 0; trial < 36; ++trial) {
    const int64_t rows = Size(9), n = Size(140);
    const auto [want_first, want_second, add_first, add_second] = WantsOf(trial);
    CheckRowKernel("tree_leaf_c_backward",
                   {.inputs = {{2 * n, -1, 1}, {n}},
                    .outputs = {{3 * n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().tree_leaf_c_backward(out[0], add_first, in[0], in[1], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const auto& [s, dy] = std::tie(in[0], in[1]);
                          for (int64_t j = 0; j < n; ++j) {
                            const double i = s[j], u = s[n + j];
                            Put(add_first, out[0][j], dy[j] * u * i * (1 - i));
                            Put(add_first, out[0][n + j], 0);
                            Put(add_first, out[0][2 * n + j], dy[j] * i * (1 - u * u));
                          }
                        }},
                   rows, random_);
    CheckRowKernel("tree_child_c_backward",
                   {.inputs = {{n, -1, 1}, {n}, {n}},
                    .outputs = {{n}, {n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().tree_child_c_backward(want_first ? out[0] : Rows{}, add_first,
                                                    want_second ? out[1] : Rows{}, add_second, in[0], in[1], in[2], r,
                                                    n);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const auto& [s, c, dy] = std::tie(in[0], in[1], in[2]);
                          for (int64_t j = 0; j < n; ++j) {
                            if (want_first) Put(add_first, out[0][j], dy[j] * c[j] * s[j] * (1 - s[j]));
                            if (want_second) Put(add_second, out[1][j], dy[j] * s[j]);
                          }
                        }},
                   rows, random_);
    CheckRowKernel("tree_h_backward",
                   {.inputs = {{2 * n, -1, 1}, {n}},
                    .outputs = {{3 * n}, {n}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          k().tree_h_backward(want_first ? out[0] : Rows{}, add_first, want_second ? out[1] : Rows{},
                                              add_second, in[0], in[1], r, n);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          const auto& [s, dy] = std::tie(in[0], in[1]);
                          for (int64_t j = 0; j < n; ++j) {
                            const double o = s[j], t = s[n + j];
                            if (want_second) Put(add_second, out[1][j], dy[j] * o * (1 - t * t));
                            if (!want_first) continue;
                            Put(add_first, out[0][j], 0);
                            Put(add_first, out[0][n + j], dy[j] * t * o * (1 - o));
                            Put(add_first, out[0][2 * n + j], 0);
                          }
                        }},
                   rows, random_);
  }
}

DYNNET_TEST_ALL_KERNELS(CellKernels);

}  // namespace
}  // namespace dynnet::test

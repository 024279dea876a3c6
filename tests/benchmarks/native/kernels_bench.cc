// How fast the CPU's kernels are: GFLOP/s of products, ns an element of the rest. One JSON object a line.
//
//     kernels_bench [ISA [FILTER]]
//
// ISA is v2, v3, v4 or portable (default: the best); FILTER a part of the names to run.

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "core/kernels.h"
#include "cpu/kernels.h"
#include "ops/elementwise.h"

namespace {

using dynnet::Kernels;
using dynnet::Left;
using dynnet::Rows;

const char* filter = "";

/// Floats that begin on a cache line.
class Floats {
 public:
  explicit Floats(int64_t n) : memory_(static_cast<size_t>(n) + 16) {
    start_ = memory_.data();
    while (reinterpret_cast<uintptr_t>(start_) % 64 != 0) ++start_;
    std::minstd_rand random(7);
    std::uniform_real_distribution<float> draw(-1.0f, 1.0f);
    for (int64_t i = 0; i < n; ++i) start_[i] = draw(random);
  }
  Floats(const Floats&) = delete;
  operator float*() const { return start_; }

 private:
  std::vector<float> memory_;
  float* start_;
};

/// The pointers of evenly spaced rows, as a list.
std::vector<float*> ListOf(float* base, int64_t rows, int64_t stride) {
  std::vector<float*> list;
  for (int64_t i = 0; i < rows; ++i) list.push_back(base + i * stride);
  return list;
}

struct Times {
  double median, best;
};

/// Seconds of one call, of several runs, each of which takes long enough to measure. On a shared machine the median
/// says what one gets, the best what the kernel can do.
template <class Call>
Times Seconds(Call call) {
  using Clock = std::chrono::steady_clock;
  const auto time = [&](int64_t calls) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < calls; ++i) call();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  int64_t calls = 1;
  while (time(calls) < 0.002) calls *= 2;
  std::vector<double> runs;
  for (int i = 0; i < 25; ++i) runs.push_back(time(calls) / static_cast<double>(calls));
  std::sort(runs.begin(), runs.end());
  return {runs[runs.size() / 2], runs[0]};
}

template <class Call>
void Report(const Kernels& k, const std::string& name, const char* unit, double work, Call call) {
  if (name.find(filter) == std::string::npos) return;
  const Times times = Seconds(call);
  const auto figure = [&](double seconds) {
    return strcmp(unit, "gflops") == 0 ? work / seconds * 1e-9 : seconds * 1e9 / work;
  };
  printf("{\"kernel\": \"%s\", \"isa\": \"%s\", \"%s\": %.4g, \"best\": %.4g, \"us\": %.4g}\n", name.c_str(), k.name,
         unit, figure(times.median), figure(times.best), times.median * 1e6);
  fflush(stdout);
}

std::string Size(int64_t m, int64_t n, int64_t k) {
  return " " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

void Products(const Kernels& kernels) {
  static constexpr int64_t kSizes[][3] = {{512, 1, 256},   {512, 2, 256},  {512, 4, 256},   {512, 10, 256},
                                          {512, 128, 256}, {128, 10, 128}, {128, 256, 128}, {10000, 64, 256},
                                          {32, 10, 100},   {128, 1, 128},  {200, 7, 178},   {384, 24, 128}};
  for (const auto& [m, n, k] : kSizes) {
    const double work = 2.0 * static_cast<double>(m * n * k);
    const Floats a(m * k), packed((m + 15) / 16 * 16 * k), x(n * k), y(n * m), g(m * k);
    const auto xs = ListOf(x, n, k), ys = ListOf(y, n, m);
    const Left plain{a, 16, m, false}, strips{packed, 16 * k, 16, true};
    const Rows x_dense{x, nullptr, k}, y_dense{y, nullptr, m}, x_list{nullptr, xs.data(), 0},
        y_list{nullptr, ys.data(), 0};
    kernels.pack(m, k, a, m, packed);
    const std::string size = Size(m, n, k);
    Report(kernels, "product packed" + size, "gflops", work,
           [&] { kernels.product(m, n, k, strips, x_dense, y_dense, nullptr, false); });
    Report(kernels, "product packed lists" + size, "gflops", work,
           [&] { kernels.product(m, n, k, strips, x_list, y_list, nullptr, false); });
    Report(kernels, "product plain" + size, "gflops", work,
           [&] { kernels.product(m, n, k, plain, x_dense, y_dense, nullptr, false); });
    Report(kernels, "product_transposed" + size, "gflops", work,
           [&] { kernels.product_transposed(m, n, k, a, m, y_dense, x_dense, false); });
    kernels.fill(y_dense, 0.5f, n, m);
    Report(kernels, "outer_sum lists" + size, "gflops", work,
           [&] { kernels.outer_sum(0, m, n, k, y_list, x_list, g, m, false); });
  }
  for (const auto& [m, n, k] :
       {std::array<int64_t, 3>{384, 200, 256}, {384, 20, 256}, {512, 1000, 256}, {9, 200, 32}}) {
    const Floats d(n * m), x(n * k), g(m * k);
    const auto ds = ListOf(d, n, m), xs = ListOf(x, n, k);
    Report(kernels, "outer_sum lists" + Size(m, n, k), "gflops", 2.0 * static_cast<double>(m * n * k), [&] {
      kernels.outer_sum(0, m, n, k, {nullptr, ds.data(), 0}, {nullptr, xs.data(), 0}, g, m, false);
    });
  }
  const Floats a(512 * 256), to(512 * 256);
  Report(kernels, "pack 512x256", "ns", 512 * 256, [&] { kernels.pack(512, 256, a, 512, to); });
  Report(kernels, "pack_transposed 512x256", "ns", 512 * 256, [&] { kernels.pack_transposed(512, 256, a, 512, to); });
  Report(kernels, "transpose 512x256", "ns", 512 * 256, [&] {
    kernels.transpose({to, nullptr, 0}, {a, nullptr, 0}, 512, 256, 1, false);
  });
}

void Elementwise(const Kernels& kernels) {
  // As many rows as a batch has, of the size of a hidden state; all in the second cache.
  constexpr int64_t kRows = 64, kN = 128, kElements = kRows * kN;
  const Floats a(kElements), b(kElements), y(kElements), d(kElements);
  for (int64_t i = 0; i < kElements; ++i) a[i] = 0.01f + a[i] * a[i];
  const auto list = ListOf(a, kRows, kN);
  const Rows as{a, nullptr, kN}, bs{b, nullptr, kN}, ys{y, nullptr, kN}, ds{d, nullptr, kN};
  const std::vector<float> scalars(kRows, 0.5f);
  int op = 0;
#define DYNNET_BENCH(type, name)                                                                 \
  Report(kernels, "unary " #name, "ns", kElements,                                               \
         [&] { kernels.unary_forward(op, ys, as, scalars.data(), kRows, kN); });                 \
  Report(kernels, "unary " #name " backward", "ns", kElements,                                   \
         [&] { kernels.unary_backward(op, ds, as, ys, bs, scalars.data(), kRows, kN, false); }); \
  ++op;
  DYNNET_UNARY_OPS(DYNNET_BENCH)
#undef DYNNET_BENCH
  Report(kernels, "unary Tanh lists", "ns", kElements, [&] {
    kernels.unary_forward(static_cast<int>(dynnet::UnaryOp::kTanh), ys, {nullptr, list.data(), 0}, nullptr, kRows, kN);
  });
  dynnet::Broadcast same, vector, scalar;
  same.size[0] = vector.size[0] = scalar.size[0] = kN;
  vector.loops = 2;
  vector.size[1] = kRows;
  vector.a_stride[1] = kN;
  vector.b_stride[1] = 0;
  scalar.b_stride[0] = 0;
  constexpr int kCmult = static_cast<int>(dynnet::BinaryOp::kCmult);
  Report(kernels, "binary Cmult", "ns", kElements, [&] { kernels.binary_forward(kCmult, ys, as, bs, kRows, same); });
  Report(kernels, "binary Cmult scalar", "ns", kElements,
         [&] { kernels.binary_forward(kCmult, ys, as, bs, kRows, scalar); });
  Report(kernels, "binary Cmult vector", "ns", kElements,
         [&] { kernels.binary_forward(kCmult, ys, as, bs, 1, vector); });
  Report(kernels, "binary Cmult vector backward", "ns", kElements,
         [&] { kernels.binary_backward(kCmult, 1, ds, as, bs, ys, bs, 1, vector, kN, false); });
  Report(kernels, "copy", "ns", kElements, [&] { kernels.copy(ys, as, kRows, kN); });
  Report(kernels, "add", "ns", kElements, [&] { kernels.add(ys, as, 1.0f, kRows, kN); });
  Report(kernels, "sum_rows", "ns", kElements, [&] { kernels.sum_rows(y, as, kRows, kN, false); });
  Report(kernels, "dot", "ns", kElements, [&] { kernels.dot(ys, as, bs, kRows, kN); });
  Report(kernels, "softmax", "ns", kElements, [&] { kernels.softmax(ys, as, kRows, kN); });
  std::vector<int32_t> labels(kRows * 16, 3);
  Report(kernels, "pick_neg_log_softmax 128", "ns", kElements,
         [&] { kernels.pick_neg_log_softmax(ys, ds, as, labels.data(), kRows, kN); });
  Report(kernels, "pick_neg_log_softmax 5 (ns a row)", "ns", 512, [&] {
    kernels.pick_neg_log_softmax({y, nullptr, 1}, {d, nullptr, 1}, {a, nullptr, 8}, labels.data(), 512, 5);
  });
  for (int64_t i = 0; i < kElements; ++i) a[i] -= 0.3f;
  const Floats gates(4 * kElements), dgates(4 * kElements);
  const Rows gs{gates, nullptr, 4 * kN}, dgs{dgates, nullptr, 4 * kN};
  Report(kernels, "lstm_gates", "ns", 4 * kElements, [&] { kernels.lstm_gates(gs, kRows, kN); });
  Report(kernels, "lstm_gates_backward", "ns", 4 * kElements,
         [&] { kernels.lstm_gates_backward(dgs, gs, gs, kRows, kN); });
  Report(kernels, "lstm_c", "ns", kElements, [&] { kernels.lstm_c(ys, as, gs, kRows, kN); });
  Report(kernels, "lstm_c_backward", "ns", kElements,
         [&] { kernels.lstm_c_backward(ds, true, dgs, false, as, gs, bs, kRows, kN); });
  Report(kernels, "lstm_h", "ns", kElements, [&] { kernels.lstm_h(ys, ds, as, gs, kRows, kN); });
  Report(kernels, "lstm_h_backward", "ns", kElements,
         [&] { kernels.lstm_h_backward(ds, true, dgs, true, as, gs, bs, kRows, kN); });
  Report(kernels, "tree_leaf_c", "ns", kElements, [&] { kernels.tree_leaf_c(ys, dgs, gs, kRows, kN); });
  Report(kernels, "tree_h_backward", "ns", kElements,
         [&] { kernels.tree_h_backward(dgs, true, ds, true, gs, bs, kRows, kN); });
}

void RandomAndTraining(const Kernels& kernels) {
  // About the parameters of a small TreeLSTM.
  constexpr int64_t kN = 182000;
  const Floats w(kN), g(kN), m(kN), v(kN), most(kN);
  kernels.fill({m, nullptr, 0}, 0.0f, 1, kN);
  kernels.fill({v, nullptr, 0}, 0.0f, 1, kN);
  kernels.fill({most, nullptr, 0}, 0.0f, 1, kN);
  const dynnet::AdamStep step{0.9f, 0.999f, 1e-8f, 1e-3f, 1.0f, 1.0f, 0.1f, 0.001f};
  Report(kernels, "adam", "ns", kN, [&] { kernels.adam(w, g, m, v, kN, step); });
  Report(kernels, "sgd", "ns", kN, [&] { kernels.sgd(w, g, kN, 0.1f, 1.0f); });
  const dynnet::MomentumStep momentum{0.1f, 0.9f, 1.0f, 1.0f};
  Report(kernels, "momentum_sgd", "ns", kN, [&] { kernels.momentum_sgd(w, g, m, kN, momentum); });
  Report(kernels, "nesterov", "ns", kN, [&] { kernels.nesterov(w, g, m, kN, momentum); });
  const dynnet::AdaptiveStep adaptive{0.95f, 0.05f, 1e-6f, 1e-3f, 1.0f, 1.0f};
  Report(kernels, "rms_prop", "ns", kN, [&] { kernels.rms_prop(w, g, v, kN, adaptive); });
  Report(kernels, "adadelta", "ns", kN, [&] { kernels.adadelta(w, g, v, most, kN, adaptive); });
  Report(kernels, "amsgrad", "ns", kN, [&] { kernels.amsgrad(w, g, m, v, most, kN, step); });
  Report(kernels, "blend", "ns", kN, [&] { kernels.blend(m, w, kN, 0.01f); });
  int64_t clips = 0;
  Report(kernels, "clip", "ns", kN, [&] { clips += kernels.clip(g, kN, -0.5f, 0.5f); });
  kernels.fill({most, nullptr, 0}, 1.0f / kN, 1, kN);
  Report(kernels, "exponentiated_gradient", "ns", kN,
         [&] { kernels.exponentiated_gradient(most, g, m, kN, 1e-6f, 0.9f); });
  double sum = 0;
  Report(kernels, "sum_squares", "ns", kN, [&] { sum += kernels.sum_squares(g, kN); });
  int64_t found = 0;
  Report(kernels, "find_nonfinite", "ns", kN, [&] { found += kernels.find_nonfinite(g, kN); });
  Report(kernels, "random_uniform", "ns", kN, [&] { kernels.random_uniform(w, kN, 17); });
  Report(kernels, "random_normal", "ns", kN, [&] { kernels.random_normal(w, kN, 17); });
  if (sum < 0 || found > 0 || clips < 0) printf("{\"error\": \"impossible sums\"}\n");
}

}  // namespace

int main(int argc, char** argv) {
  const Kernels* kernels = argc > 1 ? dynnet::kernels_for(argv[1]) : &dynnet::kernels();
  if (kernels == nullptr) {
    fprintf(stderr, "kernels_bench: this processor or this build has no kernels named '%s'\n", argv[1]);
    return 2;
  }
  if (argc > 2) filter = argv[2];
  Products(*kernels);
  Elementwise(*kernels);
  RandomAndTraining(*kernels);
  return 0;
}

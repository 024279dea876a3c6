// Convolutions, pooling and the weights of attention: against double, in all layouts.

#include <limits>

#include "kernels_testing.h"
#include "special.h"

namespace dynnet::test {
namespace {

using ConvolutionKernels = KernelsTest;

TEST_P(ConvolutionKernels, LayOutAndBack) {
  for (int trial = 0; trial < 60; ++trial) {
    ImageLayout l{};
    l.h = Size(40);
    l.w = Size(6);
    l.channels = Size(3);
    l.top = trial % 3;
    l.left = trial % 4;
    l.stride = 1 + trial % 3;
    // Sometimes not all rows are wanted.
    l.phases = std::min<int64_t>(l.stride, 1 + trial % 4);
    // Padding below, and sometimes rows and columns that are not wanted.
    l.lines = std::max<int64_t>(1 + l.top / l.stride, (l.top + l.h + 2 - trial % 5) / l.stride);
    l.width = std::max<int64_t>(1 + l.left, l.left + l.w + 2 - trial % 5);
    const int64_t pitch = l.phases * l.lines;
    const int64_t size = pitch * l.width * l.channels;
    const int64_t image = l.h * l.w * l.channels;
    // Calls f(element of the image, its element of the layout) for those that are in both.
    const auto each = [&](const auto& f) {
      for (int64_t c = 0; c < l.channels; ++c)
        for (int64_t j = 0; j < l.w; ++j)
          for (int64_t i = 0; i < l.h; ++i) {
            const int64_t row = i + l.top, line = row / l.stride, phase = row % l.stride, column = j + l.left;
            if (phase >= l.phases || line >= l.lines || column >= l.width) continue;
            f(static_cast<size_t>(i + l.h * (j + l.w * c)),
              static_cast<size_t>(phase * l.lines + line + pitch * (column + l.width * c)));
          }
    };
    CheckRowKernel(
        "lay_out",
        {.inputs = {{image}},
         .outputs = {{size}},
         .run = [&](const Rows* in, const Rows* out, int64_t, int64_t r) { k().lay_out(out[0], in[0], l, r); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               out[0].assign(out[0].size(), 0);
               each([&](size_t from, size_t to) { out[0][to] = in[0][from]; });
             },
         .tolerance = 0},
        1 + trial % 3, random_);
    for (bool accumulate : {false, true})
      CheckRowKernel("lay_back",
                     {.inputs = {{size}},
                      .outputs = {{image}},
                      .run = [&](const Rows* in, const Rows* out, int64_t,
                                 int64_t r) { k().lay_back(out[0], in[0], l, r, accumulate); },
                      .reference =
                          [&](int64_t, const auto& in, auto& out) {
                            if (!accumulate) out[0].assign(out[0].size(), 0);
                            each([&](size_t to, size_t from) { out[0][to] += in[0][from]; });
                          },
                      .tolerance = 1e-6},
                     1 + trial % 3, random_);
  }
}

/// A sliding of taps at any offsets.
struct Taps {
  std::vector<int64_t> offsets;
  Sliding s;
  int64_t image, results;

  Taps(int64_t taps, int64_t filters, int64_t rows, int64_t columns, std::mt19937& random) {
    const int64_t step = rows + static_cast<int64_t>(random() % 3);
    image = step * (columns - 1) + rows + 30;
    for (int64_t t = 0; t < taps; ++t) offsets.push_back(static_cast<int64_t>(random() % 31));
    const int64_t pitch = rows * columns + static_cast<int64_t>(random() % 2);
    s = {taps, filters, rows, columns, step, pitch, offsets.data()};
    results = (filters - 1) * pitch + rows * columns;
  }
  /// Calls f(element of the results, of the image, of the filters, the filter) for each product.
  template <class F>
  void Each(F f) const {
    for (int64_t o = 0; o < s.filters; ++o)
      for (int64_t j = 0; j < s.columns; ++j)
        for (int64_t i = 0; i < s.rows; ++i)
          for (int64_t t = 0; t < s.taps; ++t)
            f(static_cast<size_t>(i + s.rows * j + s.pitch * o), static_cast<size_t>(s.offsets[t] + s.step * j + i),
              static_cast<size_t>(t + s.taps * o), static_cast<size_t>(o));
  }
};

TEST_P(ConvolutionKernels, ConvolveAndBack) {
  for (int trial = 0; trial < 60; ++trial) {
    const Taps t(Size(30), Size(20), Size(50), 1 + trial % 4, random_);
    const int64_t rows = 1 + trial % 3, weights = t.s.taps * t.s.filters;
    CheckRowKernel("convolve",
                   {.inputs = {{t.image, -0.5, 0.5}, {weights, -0.5, 0.5}, {t.s.filters}},
                    .outputs = {{t.results}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t, int64_t r) {
                          // In two parts.
                          const int64_t middle = t.s.filters / 2;
                          k().convolve(out[0], in[0], in[1], in[2], t.s, 0, middle, r);
                          k().convolve(out[0], in[0], in[1], in[2], t.s, middle, t.s.filters, r);
                        },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          t.Each([&](size_t y, size_t, size_t, size_t o) { out[0][y] = in[2][o]; });
                          t.Each([&](size_t y, size_t x, size_t w, size_t) { out[0][y] += in[0][x] * in[1][w]; });
                        }},
                   rows, random_);
    CheckRowKernel("convolve_back",
                   {.inputs = {{t.results, -0.5, 0.5}, {weights, -0.5, 0.5}},
                    .outputs = {{t.image}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().convolve_back(out[0], in[0], in[1], t.s, r); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          t.Each([&](size_t y, size_t x, size_t w, size_t) { out[0][x] += in[0][y] * in[1][w]; });
                        }},
                   rows, random_);
  }
}

TEST_P(ConvolutionKernels, ConvolveWithoutBias) {
  const Taps t(5, 9, 20, 3, random_);
  CheckRowKernel("convolve",
                 {.inputs = {{t.image}, {45}},
                  .outputs = {{t.results}},
                  .run = [&](const Rows* in, const Rows* out, int64_t,
                             int64_t r) { k().convolve(out[0], in[0], in[1], {}, t.s, 0, 9, r); },
                  .reference =
                      [&](int64_t, const auto& in, auto& out) {
                        t.Each([&](size_t y, size_t, size_t, size_t) { out[0][y] = 0; });
                        t.Each([&](size_t y, size_t x, size_t w, size_t) { out[0][y] += in[0][x] * in[1][w]; });
                      }},
                 2, random_);
}

TEST_P(ConvolutionKernels, GradientOfFilters) {
  for (int trial = 0; trial < 60; ++trial) {
    const Taps t(Size(30), Size(20), Size(50), 1 + trial % 4, random_);
    const int64_t rows = 1 + trial % 3, weights = t.s.taps * t.s.filters;
    for (Layout layout : kLayouts) {
      Operand x(layout, rows, t.image), dy(layout, rows, t.results), g(Layout::kDense, 1, weights);
      x.Fill(random_, -1, 1);
      dy.Fill(random_, -1, 1);
      g.Fill(random_, -1, 1);
      const bool accumulate = trial % 2 == 1;
      std::vector<double> want(static_cast<size_t>(weights), 0);
      for (int64_t w = 0; accumulate && w < weights; ++w) want[static_cast<size_t>(w)] = g.At(0, w);
      for (int64_t i = 0; i < rows; ++i)
        t.Each([&](size_t y_at, size_t x_at, size_t w, size_t) {
          want[w] += static_cast<double>(x.At(i, static_cast<int64_t>(x_at))) *
                     static_cast<double>(dy.At(i, static_cast<int64_t>(y_at)));
        });
      const int64_t middle = t.s.filters / 2;
      k().convolve_filters(g.Row(0), x.view(), dy.view(), t.s, 0, middle, rows, accumulate);
      k().convolve_filters(g.Row(0), x.view(), dy.view(), t.s, middle, t.s.filters, rows, accumulate);
      EXPECT_TRUE(g.GuardsAreIntact());
      for (int64_t w = 0; w < weights; ++w) ASSERT_NEAR(g.At(0, w), want[static_cast<size_t>(w)], 2e-5);
    }
  }
}

using PoolingKernels = KernelsTest;

TEST_P(PoolingKernels, MaxPoolAndBack) {
  for (int trial = 0; trial < 80; ++trial) {
    Window w{};
    w.h = Size(60);
    w.w = Size(9);
    w.fh = 1 + trial % 4;
    w.fw = 1 + trial % 3;
    w.sh = 1 + trial % 5;
    w.sw = 1 + trial % 2;
    // Padded by nearly a window, so that one element at least is met.
    w.oh = (w.h + w.sh - 1) / w.sh;
    w.ow = (w.w + w.sw - 1) / w.sw;
    w.top = std::max<int64_t>(0, (w.oh - 1) * w.sh + w.fh - w.h) / 2;
    w.left = std::max<int64_t>(0, (w.ow - 1) * w.sw + w.fw - w.w) / 2;
    const int64_t size = w.oh * w.ow;
    std::vector<float> scratch(static_cast<size_t>(3 * w.h));
    // Where the largest element of a window is in the image.
    const auto largest = [&](const std::vector<double>& x, int64_t i, int64_t j) {
      int64_t best = -1;
      for (int64_t a = 0; a < w.fh; ++a)
        for (int64_t b = 0; b < w.fw; ++b) {
          const int64_t row = i * w.sh - w.top + a, column = j * w.sw - w.left + b;
          if (row < 0 || row >= w.h || column < 0 || column >= w.w) continue;
          const int64_t at = row + w.h * column;
          if (best < 0 || x[static_cast<size_t>(at)] > x[static_cast<size_t>(best)]) best = at;
        }
      return best;
    };
    CheckRowKernel("max_pool",
                   {.inputs = {{w.h * w.w}},
                    .outputs = {{size}, {size}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().max_pool(out[0], out[1], in[0], w, r, scratch.data()); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (int64_t j = 0; j < w.ow; ++j)
                            for (int64_t i = 0; i < w.oh; ++i) {
                              const int64_t at = largest(in[0], i, j);
                              const auto to = static_cast<size_t>(i + w.oh * j);
                              out[0][to] = in[0][static_cast<size_t>(at)];
                              out[1][to] = static_cast<double>(at);
                            }
                        },
                    .tolerance = 0},
                   1 + trial % 3, random_);
    // Any places, of which each stands for the whole number below it; several places may be the same.
    CheckRowKernel("max_pool_backward",
                   {.inputs = {{size, 0, static_cast<double>(w.h * w.w) - 0.01}, {size}},
                    .outputs = {{w.h * w.w}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().max_pool_backward(out[0], in[0], in[1], w, r); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t i = 0; i < in[0].size(); ++i) out[0][static_cast<size_t>(in[0][i])] += in[1][i];
                        }},
                   1 + trial % 3, random_);
  }
}

// Numbers of which many are equal, infinite or none.
float Odd(std::mt19937& random, bool with_nan) {
  static const float numbers[] = {0, -0.0f, 1, 2, kInfinity, -kInfinity, std::numeric_limits<float>::denorm_min()};
  if (with_nan && random() % 6 == 0) return std::numeric_limits<float>::quiet_NaN();
  return numbers[random() % std::size(numbers)];
}

// Whether a comes before b where the largest come first: NaN before all numbers.
bool Above(float a, float b) { return std::isnan(a) ? !std::isnan(b) : a > b; }

TEST_P(PoolingKernels, MaxPoolOfNaNAndInfinities) {
  for (int trial = 0; trial < 200; ++trial) {
    Window w{};
    w.h = Size(40);
    w.w = Size(5);
    w.fh = std::min<int64_t>(w.h, 1 + trial % 4);
    w.fw = std::min<int64_t>(w.w, 1 + trial % 3);
    w.sh = 1 + trial % 3;
    w.sw = 1 + trial % 2;
    w.oh = (w.h - w.fh) / w.sh + 1;
    w.ow = (w.w - w.fw) / w.sw + 1;
    Operand x(Layout::kDense, 1, w.h * w.w), y(Layout::kDense, 1, w.oh * w.ow), where(Layout::kDense, 1, w.oh * w.ow);
    for (int64_t i = 0; i < x.n(); ++i) x.At(0, i) = Odd(random_, trial % 2 == 0);
    std::vector<float> scratch(static_cast<size_t>(3 * w.h));
    k().max_pool(y.view(), where.view(), x.view(), w, 1, scratch.data());
    for (int64_t j = 0; j < w.ow; ++j)
      for (int64_t i = 0; i < w.oh; ++i) {
        int64_t best = -1;
        for (int64_t a = 0; a < w.fh; ++a)
          for (int64_t b = 0; b < w.fw; ++b) {
            const int64_t at = i * w.sh + a + w.h * (j * w.sw + b);
            if (best < 0 || Above(x.At(0, at), x.At(0, best))) best = at;
          }
        ASSERT_EQ(where.At(0, i + w.oh * j), static_cast<float>(best)) << trial;
        ASSERT_TRUE(SameBits(y.At(0, i + w.oh * j), x.At(0, best))) << trial;
      }
  }
}

// To the bit, for equal elements, infinities and NaN too.
TEST_P(PoolingKernels, QuadsAreAsMaxPool) {
  for (int trial = 0; trial < 200; ++trial) {
    Window w{};
    w.h = 1 + Size(80);
    w.w = 1 + Size(5);
    w.fh = w.fw = w.sh = w.sw = 2;
    w.oh = w.h / 2;
    w.ow = w.w / 2;
    const int64_t rows = 1 + trial % 3;
    const Layout layout = kLayouts[trial / 3 % 3];
    Operand x(layout, rows, w.h * w.w), y(layout, rows, w.oh * w.ow), dy(layout, rows, y.n()), dx(layout, rows, x.n());
    Operand want(Layout::kDense, rows, y.n()), where(Layout::kDense, rows, y.n()), d(Layout::kDense, rows, x.n());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < x.n(); ++j) x.At(i, j) = Odd(random_, trial % 2 == 0);
    dy.Fill(random_, -1, 1);
    dx.Fill(random_, -1, 1);
    d.CopyFrom(dx);
    std::vector<float> scratch(static_cast<size_t>(3 * w.h));
    k().max_pool(want.view(), where.view(), x.view(), w, rows, scratch.data());
    k().max_pool_quads(y.view(), x.view(), w, rows);
    ExpectSameBits(y, want, "max_pool_quads");
    k().max_pool_backward(d.view(), where.view(), dy.view(), w, rows);
    k().max_pool_quads_backward(dx.view(), x.view(), y.view(), dy.view(), w, rows);
    ExpectSameBits(dx, d, "max_pool_quads_backward");
    ASSERT_TRUE(x.GuardsAreIntact() && y.GuardsAreIntact() && dy.GuardsAreIntact() && dx.GuardsAreIntact());
  }
}

TEST_P(PoolingKernels, KMaxOfNaNAndInfinities) {
  for (int trial = 0; trial < 200; ++trial) {
    const int64_t inner = Size(20), size = Size(100);
    const int64_t most = 1 + static_cast<int64_t>(random_() % static_cast<uint32_t>(size));
    Operand x(Layout::kDense, 1, inner * size), y(Layout::kDense, 1, inner * most), where(Layout::kDense, 1, y.n());
    for (int64_t i = 0; i < x.n(); ++i) x.At(0, i) = Odd(random_, trial % 2 == 0);
    std::vector<float> scratch(static_cast<size_t>(16 * std::min<int64_t>(most, 32)));
    k().k_max(y.view(), where.view(), x.view(), inner, size, most, 1, 1, scratch.data());
    for (int64_t l = 0; l < inner; ++l) {
      std::vector<int64_t> order;
      for (int64_t i = 0; i < size; ++i) order.push_back(i);
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return Above(x.At(0, l + inner * a), x.At(0, l + inner * b)); });
      order.resize(static_cast<size_t>(most));
      std::sort(order.begin(), order.end());
      for (int64_t r = 0; r < most; ++r) {
        const int64_t at = order[static_cast<size_t>(r)];
        ASSERT_EQ(where.At(0, l + inner * r), static_cast<float>(at)) << trial << ": " << most << " of " << size;
        ASSERT_TRUE(SameBits(y.At(0, l + inner * r), x.At(0, l + inner * at))) << trial;
      }
    }
    ASSERT_TRUE(x.GuardsAreIntact() && y.GuardsAreIntact() && where.GuardsAreIntact());
  }
}

TEST_P(PoolingKernels, KMax) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t inner = Size(40), size = Size(trial % 2 == 0 ? 30 : 200), outer = 1 + trial % 3;
    const int64_t most = 1 + static_cast<int64_t>(random_() % static_cast<uint32_t>(size));
    std::vector<float> scratch(static_cast<size_t>(16 * std::min<int64_t>(most, 32)));
    CheckRowKernel(
        "k_max",
        {.inputs = {{inner * size * outer}},
         .outputs = {{inner * most * outer}, {inner * most * outer}},
         .run = [&](const Rows* in, const Rows* out, int64_t,
                    int64_t r) { k().k_max(out[0], out[1], in[0], inner, size, most, outer, r, scratch.data()); },
         .reference =
             [&](int64_t, const auto& in, auto& out) {
               for (int64_t o = 0; o < outer; ++o)
                 for (int64_t l = 0; l < inner; ++l) {
                   std::vector<double> line;
                   for (int64_t i = 0; i < size; ++i)
                     line.push_back(in[0][static_cast<size_t>(l + inner * (i + size * o))]);
                   std::vector<double> sorted = line;
                   std::sort(sorted.rbegin(), sorted.rend());
                   int64_t next = 0;
                   for (int64_t i = 0; i < size; ++i) {
                     if (line[static_cast<size_t>(i)] < sorted[static_cast<size_t>(most - 1)]) continue;
                     const auto to = static_cast<size_t>(l + inner * (next++ + most * o));
                     out[0][to] = line[static_cast<size_t>(i)];
                     out[1][to] = static_cast<double>(i);
                   }
                 }
             },
         .tolerance = 0},
        1 + trial % 2, random_);
    CheckRowKernel("k_max_backward",
                   {.inputs = {{inner * most * outer, 0, static_cast<double>(size) - 0.01}, {inner * most * outer}},
                    .outputs = {{inner * size * outer}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().k_max_backward(out[0], in[0], in[1], inner, size, most, outer, r); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t i = 0; i < in[0].size(); ++i) {
                            const auto at = static_cast<int64_t>(i);
                            const int64_t l = at % inner, o = at / (inner * most);
                            const auto place = static_cast<int64_t>(in[0][i]);
                            out[0][static_cast<size_t>(l + inner * (place + size * o))] += in[1][i];
                          }
                        }},
                   1 + trial % 2, random_);
  }
}

TEST_P(PoolingKernels, SumSteps) {
  for (int trial = 0; trial < 80; ++trial) {
    const int64_t rows = Size(4), n = Size(100), step = 1 + trial % 7 * 9, terms = 1 + trial % 6;
    for (bool accumulate : {false, true})
      CheckRowKernel("sum_steps",
                     {.inputs = {{n + (terms - 1) * step}},
                      .outputs = {{n}},
                      .run = [&](const Rows* in, const Rows* out, int64_t,
                                 int64_t r) { k().sum_steps(out[0], in[0], step, terms, r, n, accumulate); },
                      .reference =
                          [&](int64_t, const auto& in, auto& out) {
                            for (size_t j = 0; j < out[0].size(); ++j) {
                              double sum = 0;
                              for (int64_t t = 0; t < terms; ++t) sum += in[0][j + static_cast<size_t>(t * step)];
                              Put(accumulate, out[0][j], sum);
                            }
                          }},
                     rows, random_);
  }
}

TEST_P(PoolingKernels, SumAndSpreadGroups) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(5), n = Size(60), group = trial % 2 == 0 ? 1 + trial % 6 : Size(70);
    CheckRowKernel("sum_groups",
                   {.inputs = {{n * group}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().sum_groups(out[0], in[0], group, r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          for (size_t j = 0; j < out[0].size(); ++j) {
                            out[0][j] = 0;
                            for (int64_t g = 0; g < group; ++g)
                              out[0][j] += in[0][j * static_cast<size_t>(group) + static_cast<size_t>(g)];
                          }
                        }},
                   rows, random_);
    for (bool accumulate : {false, true})
      CheckRowKernel("spread_groups",
                     {.inputs = {{n}},
                      .outputs = {{n * group}},
                      .run = [&](const Rows* in, const Rows* out, int64_t,
                                 int64_t r) { k().spread_groups(out[0], in[0], group, r, n, accumulate); },
                      .reference =
                          [&](int64_t, const auto& in, auto& out) {
                            for (size_t j = 0; j < out[0].size(); ++j)
                              Put(accumulate, out[0][j], in[0][j / static_cast<size_t>(group)]);
                          },
                      .tolerance = 1e-6},
                     rows, random_);
  }
}

using AttentionKernels = KernelsTest;

TEST_P(AttentionKernels, Weights) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = Size(9), n = Size(70), seen = trial % 3 == 0 ? n : trial % 9 - 4, more = trial % 2;
    const bool masked = trial % 4 < 2;
    const int64_t masks = trial % 8 < 4 ? n : 1;
    CheckRowKernel("attention_weights",
                   {.inputs = {{masks}},
                    .outputs = {{n, -6, 6}},
                    .run =
                        [&](const Rows* in, const Rows* out, int64_t first, int64_t r) {
                          k().attention_weights(out[0], masked ? in[0] : Rows{}, masks, 0.7f, seen + first * more, more,
                                                r, n);
                        },
                    .reference =
                        [&](int64_t i, const auto& in, auto& out) {
                          double sum = 0;
                          for (int64_t j = 0; j < n; ++j) {
                            double& w = out[0][static_cast<size_t>(j)];
                            const double added = masked ? in[0][static_cast<size_t>(masks == n ? j : 0)] : 0;
                            w = j < seen + i * more ? std::exp(static_cast<double>(0.7f) * w + added) : 0;
                            sum += w;
                          }
                          for (double& w : out[0]) w = sum > 0 ? w / sum : 0;
                        },
                    .tolerance = 1e-6},
                   rows, random_);
  }
}

TEST_P(AttentionKernels, DroppedSoftmaxBackward) {
  for (int trial = 0; trial < 30; ++trial) {
    const int64_t rows = Size(9), n = Size(70);
    CheckRowKernel("dropped_softmax_backward",
                   {.inputs = {{n, 0, 1}, {n}},
                    .outputs = {{n}},
                    .run = [&](const Rows* in, const Rows* out, int64_t,
                               int64_t r) { k().dropped_softmax_backward(out[0], in[0], in[1], out[0], r, n); },
                    .reference =
                        [&](int64_t, const auto& in, auto& out) {
                          double mean = 0;
                          for (size_t j = 0; j < out[0].size(); ++j) mean += in[1][j] * out[0][j];
                          for (size_t j = 0; j < out[0].size(); ++j) out[0][j] = in[1][j] * out[0][j] - in[0][j] * mean;
                        },
                    .tolerance = 1e-5},
                   rows, random_);
  }
}

// Zeros only where all that is seen is minus infinity; NaN shows, wherever it is.
TEST_P(AttentionKernels, WeightsOfInfinitiesAndNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const int64_t seen : {1, 4, 5, 8, 17}) {
    const int64_t n = seen + 3;
    for (const bool masked : {false, true}) {
      Operand s(Layout::kDense, 1, n), mask(Layout::kDense, 1, n);
      // Scores of `others`, or a mask of them, but one.
      const auto run = [&](float others, int64_t at, float one) {
        for (int64_t j = 0; j < n; ++j) {
          const float score = j == at ? one : others;
          s.At(0, j) = masked ? 0.25f : score;
          mask.At(0, j) = masked ? score : 0;
        }
        k().attention_weights(s.view(), masked ? mask.view() : Rows{}, n, 1, seen, 0, 1, n);
        ASSERT_TRUE(s.GuardsAreIntact() && mask.GuardsAreIntact());
        for (int64_t j = seen; j < n; ++j) EXPECT_EQ(s.At(0, j), 0) << j;
      };
      run(-kInfinity, 0, -kInfinity);
      for (int64_t j = 0; j < seen; ++j) EXPECT_EQ(s.At(0, j), 0) << j;
      // Beyond what is seen it is of no matter.
      run(-kInfinity, seen, nan);
      for (int64_t j = 0; j < seen; ++j) EXPECT_EQ(s.At(0, j), 0) << j;
      run(nan, 0, nan);
      for (int64_t j = 0; j < seen; ++j) EXPECT_TRUE(std::isnan(s.At(0, j))) << j << " of " << seen;
      for (int64_t at = 0; at < seen; ++at) {
        run(-kInfinity, at, 2);
        for (int64_t j = 0; j < seen; ++j) EXPECT_EQ(s.At(0, j), j == at ? 1 : 0) << j;
        for (const float others : {-kInfinity, 1.0f}) {
          run(others, at, nan);
          for (int64_t j = 0; j < seen; ++j)
            EXPECT_TRUE(std::isnan(s.At(0, j))) << j << " of " << seen << ", NaN at " << at << " among " << others;
        }
      }
    }
  }
}

DYNNET_TEST_ALL_KERNELS(ConvolutionKernels);
DYNNET_TEST_ALL_KERNELS(PoolingKernels);
DYNNET_TEST_ALL_KERNELS(AttentionKernels);

}  // namespace
}  // namespace dynnet::test

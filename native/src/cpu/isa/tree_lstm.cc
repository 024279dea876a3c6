// The elementwise part of a TreeLSTM cell. Stacked inputs lie in the order i, o, u, before their activation.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// s (1 - s) t: the gradient through a logistic whose value is s.
DYNNET_INLINE Vec through_logistic(Vec s, Vec t) { return t * (s * (Vec(1.0f) - s)); }

void tree_leaf_c(Rows y, Rows s, Rows iou, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float *ys = row(y, i), *kept = row(s, i);
    const float *in = row(iou, i), *update = in + 2 * n;
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec gate = logistic(lanes.load(in + j)), t = tanh(lanes.load(update + j));
      lanes.store(kept + j, gate);
      lanes.store(kept + n + j, t);
      lanes.store(ys + j, gate * t);
    });
  }
}

void tree_child_c(Rows y, Rows s, Rows f, Rows c, int64_t rows, int64_t n) {
  flatten(rows, n, y, s, f, c);
  for (int64_t i = 0; i < rows; ++i) {
    float *ys = row(y, i), *kept = row(s, i);
    const float *fs = row(f, i), *cs = row(c, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec gate = logistic(lanes.load(fs + j));
      lanes.store(kept + j, gate);
      lanes.store(ys + j, fma(gate, lanes.load(cs + j), lanes.load(ys + j)));
    });
  }
}

void tree_leaf_c_backward(Rows diou, bool accumulate, Rows s, Rows dy, int64_t rows, int64_t n) {
  const Vec one(1.0f);
  with_flag(accumulate, [&](auto flag) DYNNET_INLINE_BODY {
    constexpr bool kAdd = decltype(flag)::value;
    for (int64_t i = 0; i < rows; ++i) {
      float* d = row(diou, i);
      const float *kept = row(s, i), *dys = row(dy, i);
      for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
        const Vec gate = lanes.load(kept + j), t = lanes.load(kept + n + j), g = lanes.load(dys + j);
        put<kAdd>(lanes, d + j, through_logistic(gate, g * t));
        if constexpr (!kAdd) lanes.store(d + n + j, Vec(0.0f));
        put<kAdd>(lanes, d + 2 * n + j, g * gate * fnma(t, t, one));
      });
    }
  });
}

void tree_child_c_backward(Rows df, bool accumulate_f, Rows dc, bool accumulate_c, Rows s, Rows c, Rows dy,
                           int64_t rows, int64_t n) {
  const bool want_f = given(df), want_c = given(dc);
  with_flag(accumulate_f, [&](auto add_f) DYNNET_INLINE_BODY {
    with_flag(accumulate_c, [&](auto add_c) DYNNET_INLINE_BODY {
      constexpr bool kAddF = decltype(add_f)::value, kAddC = decltype(add_c)::value;
      for (int64_t i = 0; i < rows; ++i) {
        const float *kept = row(s, i), *dys = row(dy, i);
        const float* cs = want_f ? row(c, i) : nullptr;
        float* d = want_f ? row(df, i) : nullptr;
        float* e = want_c ? row(dc, i) : nullptr;
        for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          const Vec gate = lanes.load(kept + j), g = lanes.load(dys + j);
          if (d != nullptr) put<kAddF>(lanes, d + j, through_logistic(gate, g * lanes.load(cs + j)));
          if (e != nullptr) put<kAddC>(lanes, e + j, g * gate);
        });
      }
    });
  });
}

void tree_h(Rows y, Rows s, Rows iou, Rows c, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float *ys = row(y, i), *kept = row(s, i);
    const float *out = row(iou, i) + n, *cs = row(c, i);
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec gate = logistic(lanes.load(out + j)), t = tanh(lanes.load(cs + j));
      lanes.store(kept + j, gate);
      lanes.store(kept + n + j, t);
      lanes.store(ys + j, gate * t);
    });
  }
}

void tree_h_backward(Rows diou, bool accumulate_iou, Rows dc, bool accumulate_c, Rows s, Rows dy, int64_t rows,
                     int64_t n) {
  const bool want_iou = given(diou), want_c = given(dc);
  const Vec one(1.0f), zero(0.0f);
  with_flag(accumulate_iou, [&](auto add_iou) DYNNET_INLINE_BODY {
    with_flag(accumulate_c, [&](auto add_c) DYNNET_INLINE_BODY {
      constexpr bool kAddIou = decltype(add_iou)::value, kAddC = decltype(add_c)::value;
      for (int64_t i = 0; i < rows; ++i) {
        const float *kept = row(s, i), *dys = row(dy, i);
        float* d = want_iou ? row(diou, i) : nullptr;
        float* e = want_c ? row(dc, i) : nullptr;
        for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          const Vec gate = lanes.load(kept + j), t = lanes.load(kept + n + j), g = lanes.load(dys + j);
          if (d != nullptr) {
            if constexpr (!kAddIou) {
              lanes.store(d + j, zero);
              lanes.store(d + 2 * n + j, zero);
            }
            put<kAddIou>(lanes, d + n + j, through_logistic(gate, g * t));
          }
          if (e != nullptr) put<kAddC>(lanes, e + j, g * gate * fnma(t, t, one));
        });
      }
    });
  });
}

}  // namespace

void fill_tree_lstm(Kernels* table) {
  table->tree_leaf_c = tree_leaf_c;
  table->tree_child_c = tree_child_c;
  table->tree_leaf_c_backward = tree_leaf_c_backward;
  table->tree_child_c_backward = tree_child_c_backward;
  table->tree_h = tree_h;
  table->tree_h_backward = tree_h_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

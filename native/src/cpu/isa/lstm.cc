// The elementwise part of an LSTM cell. Gates lie in the order i, f, o, g.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

void lstm_gates(Rows y, int64_t rows, int64_t n) {
  const Vec one(1.0f);
  for (int64_t i = 0; i < rows; ++i) {
    float *in = row(y, i), *forget = in + n, *out = in + 2 * n, *update = in + 3 * n;
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      lanes.store(in + j, logistic(lanes.load(in + j)));
      lanes.store(forget + j, logistic(lanes.load(forget + j) + one));
      lanes.store(out + j, logistic(lanes.load(out + j)));
      lanes.store(update + j, tanh(lanes.load(update + j)));
    });
  }
}

void lstm_gates_backward(Rows d, Rows y, Rows dy, int64_t rows, int64_t n) {
  const Vec one(1.0f);
  for (int64_t i = 0; i < rows; ++i) {
    float* ds = row(d, i);
    const float *ys = row(y, i), *dys = row(dy, i);
    for_vectors(3 * n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec s = lanes.load(ys + j);
      lanes.store(ds + j, lanes.load(dys + j) * (s * (one - s)));
    });
    ds += 3 * n;
    ys += 3 * n;
    dys += 3 * n;
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec t = lanes.load(ys + j);
      lanes.store(ds + j, lanes.load(dys + j) * fnma(t, t, one));
    });
  }
}

void lstm_c(Rows y, Rows c, Rows gates, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float* ys = row(y, i);
    const float *cs = row(c, i), *in = row(gates, i), *forget = in + n, *update = in + 3 * n;
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      lanes.store(ys + j, fma(lanes.load(in + j), lanes.load(update + j), lanes.load(forget + j) * lanes.load(cs + j)));
    });
  }
}

void lstm_c_backward(Rows dc, bool accumulate_c, Rows dgates, bool accumulate_gates, Rows c, Rows gates, Rows dy,
                     int64_t rows, int64_t n) {
  const bool want_c = given(dc), want_gates = given(dgates);
  with_flag(accumulate_c, [&](auto add_c) DYNNET_INLINE_BODY {
    with_flag(accumulate_gates, [&](auto add_gates) DYNNET_INLINE_BODY {
      constexpr bool kAddC = decltype(add_c)::value, kAddGates = decltype(add_gates)::value;
      for (int64_t i = 0; i < rows; ++i) {
        const float *dys = row(dy, i), *in = row(gates, i), *forget = in + n, *update = in + 3 * n;
        const float* cs = want_gates ? row(c, i) : nullptr;
        float* d = want_c ? row(dc, i) : nullptr;
        float* e = want_gates ? row(dgates, i) : nullptr;
        for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          const Vec s = lanes.load(dys + j);
          if (e != nullptr) {
            put<kAddGates>(lanes, e + j, s * lanes.load(update + j));
            put<kAddGates>(lanes, e + n + j, s * lanes.load(cs + j));
            if constexpr (!kAddGates) lanes.store(e + 2 * n + j, Vec(0.0f));
            put<kAddGates>(lanes, e + 3 * n + j, s * lanes.load(in + j));
          }
          if (d != nullptr) put<kAddC>(lanes, d + j, s * lanes.load(forget + j));
        });
      }
    });
  });
}

void lstm_h(Rows y, Rows t, Rows c, Rows gates, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float *ys = row(y, i), *ts = row(t, i);
    const float *cs = row(c, i), *out = row(gates, i) + 2 * n;
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      const Vec kept = tanh(lanes.load(cs + j));
      lanes.store(ts + j, kept);
      lanes.store(ys + j, lanes.load(out + j) * kept);
    });
  }
}

void lstm_h_backward(Rows dc, bool accumulate_c, Rows dgates, bool accumulate_gates, Rows t, Rows gates, Rows dy,
                     int64_t rows, int64_t n) {
  const bool want_c = given(dc), want_gates = given(dgates);
  const Vec one(1.0f), zero(0.0f);
  with_flag(accumulate_c, [&](auto add_c) DYNNET_INLINE_BODY {
    with_flag(accumulate_gates, [&](auto add_gates) DYNNET_INLINE_BODY {
      constexpr bool kAddC = decltype(add_c)::value, kAddGates = decltype(add_gates)::value;
      for (int64_t i = 0; i < rows; ++i) {
        const float *dys = row(dy, i), *ts = row(t, i), *out = row(gates, i) + 2 * n;
        float* d = want_c ? row(dc, i) : nullptr;
        float* e = want_gates ? row(dgates, i) : nullptr;
        for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
          const Vec kept = lanes.load(ts + j), s = lanes.load(dys + j);
          if (e != nullptr) {
            if constexpr (!kAddGates) {
              lanes.store(e + j, zero);
              lanes.store(e + n + j, zero);
              lanes.store(e + 3 * n + j, zero);
            }
            put<kAddGates>(lanes, e + 2 * n + j, s * kept);
          }
          if (d != nullptr) put<kAddC>(lanes, d + j, s * lanes.load(out + j) * fnma(kept, kept, one));
        });
      }
    });
  });
}

}  // namespace

void fill_lstm(Kernels* table) {
  table->lstm_gates = lstm_gates;
  table->lstm_gates_backward = lstm_gates_backward;
  table->lstm_c = lstm_c;
  table->lstm_c_backward = lstm_c_backward;
  table->lstm_h = lstm_h;
  table->lstm_h_backward = lstm_h_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

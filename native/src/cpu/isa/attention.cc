// The weights of attention: a softmax of scaled scores, some of which are not seen.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// What is added to the scores of a row: nothing, a number to each, or one to all.
enum class Added { kNothing, kEach, kOne };

/// The softmax of n scores in place; whether any of them is more than minus infinity, or NaN.
template <Added added>
DYNNET_INLINE bool weigh(float* s, const float* mask, Vec scale, int64_t n) {
  const Vec none(-__builtin_inff());
  Vec most = none;
  const Vec one(added == Added::kOne ? *mask : 0.0f);
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec score = lanes.load(s + j) * scale;
    if constexpr (added == Added::kEach) score = score + lanes.load(mask + j);
    if constexpr (added == Added::kOne) score = score + one;
    lanes.store(s + j, score);
    most = max(most, lanes.keep(score, none));
  });
  const float largest = reduce_max(most);
  if (largest == -__builtin_inff()) {
    // The maximum drops NaN, the sum does not.
    const float total = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { return lanes.load(s + j); });
    if (total == -__builtin_inff() || n == 0) return false;
  }
  const Vec shift(largest);
  const float sum = sum_of(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    const Vec e = exp(lanes.load(s + j) - shift);
    lanes.store(s + j, e);
    return e;
  });
  const Vec factor(1.0f / sum);
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(s + j, lanes.load(s + j) * factor); });
  return true;
}

void attention_weights(Rows s, Rows mask, int64_t masks, float scale, int64_t seen, int64_t more, int64_t rows,
                       int64_t n) {
  const Vec by(scale);
  for (int64_t i = 0; i < rows; ++i, seen += more) {
    float* scores = row(s, i);
    int64_t count = seen < 0 ? 0 : seen < n ? seen : n;
    bool any;
    if (!given(mask))
      any = weigh<Added::kNothing>(scores, nullptr, by, count);
    else if (masks == n)
      any = weigh<Added::kEach>(scores, row(mask, i), by, count);
    else
      any = weigh<Added::kOne>(scores, row(mask, i), by, count);
    if (!any) count = 0;
    for_vectors(n - count,
                [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(scores + count + j, Vec(0.0f)); });
  }
}

void dropped_softmax_backward(Rows ds, Rows w, Rows u, Rows dy, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    float* to = row(ds, i);
    const float *ws = row(w, i), *us = row(u, i), *dys = row(dy, i);
    const Vec mean(dot_of(us, dys, n));
    for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
      lanes.store(to + j, fnma(lanes.load(ws + j), mean, lanes.load(us + j) * lanes.load(dys + j)));
    });
  }
}

}  // namespace

void fill_attention(Kernels* table) {
  table->attention_weights = attention_weights;
  table->dropped_softmax_backward = dropped_softmax_backward;
}

}  // namespace dynnet::cpu::DYNNET_ISA

// The weights of attention: a softmax of scaled scores, some of which are not seen.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {
namespace {

/// The softmax of n scores in place, with or without a mask; whether any of them is more than minus infinity, or NaN.
template <bool kMasked>
DYNNET_INLINE bool weigh(float* s, const float* mask, Vec scale, int64_t n) {
  const Vec none(-__builtin_inff());
  Vec most = none;
  for_vectors(n, [&](int64_t j, auto lanes) DYNNET_INLINE_BODY {
    Vec score = lanes.load(s + j) * scale;
    if constexpr (kMasked) score = score + lanes.load(mask + j);
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

void attention_weights(Rows s, Rows mask, float scale, int64_t seen, int64_t more, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, seen += more) {
    float* scores = row(s, i);
    int64_t count = seen < 0 ? 0 : seen < n ? seen : n;
    const bool any = given(mask) ? weigh<true>(scores, row(mask, i), Vec(scale), count)
                                 : weigh<false>(scores, nullptr, Vec(scale), count);
    if (!any) count = 0;
    for_vectors(n - count,
                [&](int64_t j, auto lanes) DYNNET_INLINE_BODY { lanes.store(scores + count + j, Vec(0.0f)); });
  }
}

}  // namespace

void fill_attention(Kernels* table) { table->attention_weights = attention_weights; }

}  // namespace dynnet::cpu::DYNNET_ISA

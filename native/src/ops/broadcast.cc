#include "ops/broadcast.h"

#include <algorithm>

namespace dynnet {

Dim broadcast_dim(const Shaping& s, const Dim& a, const Dim& b) {
  Dim y;
  y.nd = std::max(a.nd, b.nd);
  bool fits = a.bd == b.bd || a.bd == 1 || b.bd == 1;
  y.bd = std::max(a.bd, b.bd);
  for (uint32_t i = 0; i < y.nd; ++i) {
    fits = fits && (a.d[i] == b.d[i] || a.d[i] == 1 || b.d[i] == 1);
    y.d[i] = std::max(a.d[i], b.d[i]);
  }
  if (!fits) s.mismatch("%s and %s differ in a dimension in which neither is 1", a.text().c_str(), b.text().c_str());
  return y;
}

Broadcast broadcast_loops(const Dim& y, const Dim& a, const Dim& b) {
  Broadcast loops;
  loops.loops = 0;
  int64_t a_step = 1;
  int64_t b_step = 1;
  auto add_loop = [&](int64_t size, int64_t a_size, int64_t b_size) {
    if (size == 1) return;
    const int64_t a_stride = a_size == 1 ? 0 : a_step;
    const int64_t b_stride = b_size == 1 ? 0 : b_step;
    a_step *= a_size;
    b_step *= b_size;
    const int last = loops.loops - 1;
    if (last >= 0 && a_stride == loops.a_stride[last] * loops.size[last] &&
        b_stride == loops.b_stride[last] * loops.size[last]) {
      loops.size[last] *= size;
      return;
    }
    loops.size[loops.loops] = size;
    loops.a_stride[loops.loops] = a_stride;
    loops.b_stride[loops.loops] = b_stride;
    ++loops.loops;
  };
  for (uint32_t i = 0; i < y.nd; ++i) add_loop(y.d[i], a.d[i], b.d[i]);
  add_loop(y.bd, a.bd, b.bd);
  if (loops.loops == 0) loops = Broadcast{};
  return loops;
}

}  // namespace dynnet

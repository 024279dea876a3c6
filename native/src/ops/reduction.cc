#include "ops/reduction.h"

namespace dynnet {
namespace {

struct Loop {
  int64_t size;
  int64_t stride;
  bool reduced;
};

}  // namespace

Dim without(const Dim& x, uint32_t dims) {
  Dim y;
  for (uint32_t i = 0; i < x.nd; ++i)
    if ((dims >> i & 1) == 0) y.d[y.nd++] = x.d[i];
  if (y.nd == 0) y.nd = 1;
  y.bd = x.bd;
  return y;
}

Reduction reduction_loops(const Dim& x, uint32_t dims, bool batch) {
  // All loops, the innermost first, those of one kind merged.
  Loop loops[DN_MAX_DIMS + 1];
  int count = 0;
  int64_t stride = 1;
  auto add_loop = [&](int64_t size, bool reduced) {
    if (size == 1) return;
    if (count > 0 && loops[count - 1].reduced == reduced)
      loops[count - 1].size *= size;
    else
      loops[count++] = {size, stride, reduced};
    stride *= size;
  };
  for (uint32_t i = 0; i < x.nd; ++i) add_loop(x.d[i], (dims >> i & 1) != 0);
  if (batch) add_loop(x.bd, true);

  Reduction r;
  int next = 0;
  if (next < count && !loops[next].reduced) r.inner = loops[next++].size;
  if (next < count) {
    r.run = loops[next].size;
    r.step = loops[next].stride;
    ++next;
  }
  for (; next < count; ++next) {
    const Loop& loop = loops[next];
    int32_t& number = loop.reduced ? r.reduced_loops : r.kept_loops;
    (loop.reduced ? r.reduced_size : r.kept_size)[number] = loop.size;
    (loop.reduced ? r.reduced_stride : r.kept_stride)[number] = loop.stride;
    ++number;
  }
  for (int i = 0; i < count; ++i) (loops[i].reduced ? r.count : r.results) *= loops[i].size;
  return r;
}

}  // namespace dynnet

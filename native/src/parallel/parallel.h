// Work on several cores. Threads claim chunks, first of a share of their own and then of the others', so none waits for
// a slow one longer than one chunk. The pool is for one computation at a time: nested use, and use while another
// thread's computation has the pool, runs on the caller's own thread.
#ifndef DYNNET_PARALLEL_PARALLEL_H_
#define DYNNET_PARALLEL_PARALLEL_H_

#include <cstdint>
#include <type_traits>

namespace dynnet {

int threads();
void set_threads(int count);

namespace parallel {

using Body = void (*)(void* context, int64_t begin, int64_t end);
/// Whether a computation of the calling thread might have several threads now.
bool is_free();
/// Wakes the helpers, which then wait for a moment for work that is about to come.
void prepare();
/// How often a helper has done a part of a computation since the process began: for tests, since a pool that rests
/// leaves all to the caller.
int64_t shares_done();
/// Runs body over [0, items), in chunks of `grain` items if there are several threads. The body must not throw. Where
/// chunks are `uneven`, the last of them may take as long as all that the caller did without being taken for held up.
void run(int64_t items, int64_t grain, Body body, void* context, bool uneven);

}  // namespace parallel

/// Calls f(begin, end) for chunks that together are [0, items), of `grain` items where several threads share them. What
/// f does for an item must not depend on the chunk that it is in; f must not throw.
template <class F>
void parallel_for(int64_t items, int64_t grain, F&& f) {
  using Function = std::remove_reference_t<F>;
  if (items <= grain) {
    if (items > 0) f(int64_t{0}, items);
    return;
  }
  parallel::run(
      items, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<Function*>(context))(begin, end); },
      const_cast<std::remove_const_t<Function>*>(&f), false);
}

/// Calls f(part) for each of [0, parts), possibly on several threads: few parts, long and not of the same length.
template <class F>
void parallel_parts(int64_t parts, F&& f) {
  using Function = std::remove_reference_t<F>;
  parallel::run(
      parts, 1,
      [](void* context, int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) (*static_cast<Function*>(context))(part);
      },
      const_cast<std::remove_const_t<Function>*>(&f), true);
}

/// Sets flush-to-zero and denormals-are-zero on the calling thread for its own lifetime.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  uint32_t saved_ = 0;
};

}  // namespace dynnet

#endif  // DYNNET_PARALLEL_PARALLEL_H_

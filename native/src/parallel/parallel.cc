#include "parallel/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "core/error.h"
#include "dynnet/dynnet.h"
#include "parallel/processors.h"

namespace dynnet {
namespace {

constexpr int kMostThreads = 256;

int default_threads() {
  if (const char* text = std::getenv("DYNNET_THREADS")) {
    int asked = 0;
    const char* const last = text + std::strlen(text);
    const auto [end, error] = std::from_chars(text, last, asked);
    if (error == std::errc() && end == last && asked >= 1 && asked <= kMostThreads) return asked;
    fail(DN_E_DEVICE, "the environment variable DYNNET_THREADS is '%s', expected 1 to %d", text, kMostThreads);
  }
  return std::min(detect_processors("", allowed_processors(sched_getaffinity)), kMostThreads);
}

// 0 until it is first asked for or set.
std::atomic<int> thread_count{0};

inline void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

using Clock = std::chrono::steady_clock;

// Spinning this long before blocking covers the gaps between the kernels of one computation.
constexpr auto kSpin = std::chrono::microseconds(100);
// Waiting longer than this for another thread's last chunk means that it lost its processor to another process.
constexpr auto kStalled = std::chrono::microseconds(400);
constexpr std::chrono::nanoseconds kShortestRest = std::chrono::milliseconds(4);
constexpr std::chrono::nanoseconds kLongestRest = std::chrono::milliseconds(128);

// One computation's work. `state` is generation << 32 | helpers inside << 1 | open.
struct Pool {
  std::atomic<uint64_t> state{0};
  std::atomic<bool> taken{false};
  /// A thread's own share of the items, which the others take from once they have done theirs. Work of the same size is
  /// shared alike each time, so that a thread finds in its own cache what it wrote there the last time.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  Share shares[kMostThreads];
  int share_count = 1;
  int64_t grain = 1;
  parallel::Body body = nullptr;
  void* context = nullptr;
  std::atomic<int> wanted{0};
  int started = 0;
  /// Until when computations go on alone, while another process holds a processor; 0 if they do not.
  std::atomic<Clock::rep> resting_until{0};
  std::chrono::nanoseconds rest = kShortestRest;

  bool is_resting() {
    Clock::rep until = resting_until.load(std::memory_order_relaxed);
    if (until == 0) return false;
    if (until > Clock::now().time_since_epoch().count()) return true;
    resting_until.compare_exchange_strong(until, 0, std::memory_order_relaxed);
    return false;
  }

  /// Lets the helpers in.
  void open() {
    const uint64_t generation = (state.load(std::memory_order_relaxed) >> 32) + 1;
    state.store(generation << 32 | 1, std::memory_order_release);
    state.notify_all();
  }

  /// Whole chunks, as many for each thread.
  void share(int64_t items, int count) {
    share_count = count;
    const int64_t chunks = (items + grain - 1) / grain;
    for (int i = 0; i < count; ++i) {
      shares[i].next.store(chunks * i / count * grain, std::memory_order_relaxed);
      shares[i].end = std::min(chunks * (i + 1) / count * grain, items);
    }
  }

  /// Whether there was anything left to do.
  bool work(int self) {
    bool any = false;
    for (int i = 0; i < share_count; ++i) {
      Share& own = shares[(self + i) % share_count];
      while (own.next.load(std::memory_order_relaxed) < own.end) {
        const int64_t begin = own.next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= own.end) continue;
        body(context, begin, std::min(begin + grain, own.end));
        any = true;
      }
    }
    return any;
  }
};

// Leaked on purpose: a process may exit while threads are inside. Replaced in a forked child, which has no helpers.
std::atomic<Pool*> the_pool{nullptr};

thread_local bool inside = false;

std::atomic<int64_t> helpers_shares{0};

// Spins until the state is as wanted, and blocks between its changes if that takes long.
template <class Wanted>
uint64_t wait_until(Pool* pool, Wanted&& wanted) {
  constexpr int kLooks = 64;
  Clock::time_point start{};
  for (;;) {
    uint64_t state = 0;
    for (int i = 0; i < kLooks; ++i) {
      state = pool->state.load(std::memory_order_acquire);
      if (wanted(state)) return state;
      pause();
    }
    const Clock::time_point now = Clock::now();
    if (start == Clock::time_point{}) start = now;
    if (now - start > kSpin) {
      pool->state.wait(state, std::memory_order_acquire);
      start = {};
    }
  }
}

void help(Pool* pool, int number) {
  const FlushDenormals flush;
  inside = true;
  uint64_t seen = 0;
  for (;;) {
    uint64_t state = wait_until(pool, [&](uint64_t now) {
      return (now & 1) != 0 && now >> 32 != seen && number < pool->wanted.load(std::memory_order_relaxed);
    });
    if (!pool->state.compare_exchange_weak(state, state + 2, std::memory_order_acq_rel)) continue;
    seen = state >> 32;
    if (pool->work(number + 1)) helpers_shares.fetch_add(1, std::memory_order_relaxed);
    // The last one to leave a computation that is closed wakes who waits for it.
    if (((pool->state.fetch_sub(2, std::memory_order_acq_rel) - 2) & 0xffffffff) == 0) pool->state.notify_all();
  }
}

Pool* pool() {
  Pool* found = the_pool.load(std::memory_order_acquire);
  if (found != nullptr) return found;
  static std::atomic<bool> registered{false};
  if (!registered.exchange(true))
    pthread_atfork(nullptr, nullptr, [] {
      the_pool.store(nullptr, std::memory_order_release);
      inside = false;
    });
  auto* made = new Pool;
  if (the_pool.compare_exchange_strong(found, made)) return made;
  delete made;
  return found;
}

// Waits until the helpers have left, and rests the pool for a while if that took suspiciously long.
void join(Pool* pool, Clock::duration patience) {
  const uint64_t state = pool->state.fetch_and(~uint64_t{1}, std::memory_order_acq_rel) & ~uint64_t{1};
  if ((state & 0xffffffff) == 0) return;
  const Clock::time_point start = Clock::now();
  wait_until(pool, [](uint64_t now) { return (now & 0xffffffff) == 0; });
  const Clock::time_point end = Clock::now();
  if (end - start > patience) {
    pool->resting_until.store((end + pool->rest).time_since_epoch().count(), std::memory_order_relaxed);
    pool->rest = std::min(pool->rest * 2, kLongestRest);
  } else if (pool->rest > kShortestRest) {
    pool->rest -= pool->rest / 64;
  }
}

}  // namespace

int threads() {
  int count = thread_count.load(std::memory_order_relaxed);
  if (count > 0) [[likely]]
    return count;
  // If another thread sets it meanwhile, what it sets holds.
  const int found = default_threads();
  return thread_count.compare_exchange_strong(count, found, std::memory_order_relaxed) ? found : count;
}

void set_threads(int count) {
  if (count < 1 || count > kMostThreads) fail(DN_E_ARGUMENT, "threads: %d, expected 1 to %d", count, kMostThreads);
  thread_count.store(count, std::memory_order_relaxed);
}

int64_t parallel::shares_done() { return helpers_shares.load(std::memory_order_relaxed); }

bool parallel::is_free() {
  if (threads() < 2 || inside) return false;
  Pool* const found = the_pool.load(std::memory_order_acquire);
  return found == nullptr || (!found->taken.load(std::memory_order_relaxed) && !found->is_resting());
}

void parallel::prepare() {
  if (threads() < 2 || inside) return;
  Pool* const found = the_pool.load(std::memory_order_acquire);
  if (found == nullptr || found->is_resting()) return;
  // To the helpers, work that is closed before they see it.
  found->state.fetch_add(uint64_t{1} << 32, std::memory_order_release);
  found->state.notify_all();
}

void parallel::run(int64_t items, int64_t grain, Body body, void* context, bool uneven) {
  const Clock::time_point start = uneven ? Clock::now() : Clock::time_point{};
  const int count = threads();
  Pool* pool = nullptr;
  if (count > 1 && !inside) {
    pool = dynnet::pool();
    if (pool->taken.exchange(true, std::memory_order_acquire)) pool = nullptr;
  }
  if (pool != nullptr && pool->is_resting()) {
    pool->taken.store(false, std::memory_order_release);
    pool = nullptr;
  }
  if (pool == nullptr) {
    // All at once: what a chunk has to set up is set up only once.
    body(context, 0, items);
    return;
  }
  try {
    for (; pool->started < count - 1; ++pool->started) std::thread(help, pool, pool->started).detach();
  } catch (const std::exception&) {
    // The system allows no more threads, or has no memory for one: the computation goes on with those there are.
  }
  pool->grain = grain;
  pool->body = body;
  pool->context = context;
  pool->share(items, count);
  pool->wanted.store(count - 1, std::memory_order_relaxed);
  pool->open();
  inside = true;
  pool->work(0);
  inside = false;
  join(pool, uneven ? kStalled + (Clock::now() - start) : kStalled);
  pool->taken.store(false, std::memory_order_release);
}

FlushDenormals::FlushDenormals() {
#if defined(__x86_64__)
  constexpr uint32_t kFlushToZeroAndDenormalsAreZero = 0x8040;
  saved_ = _mm_getcsr();
  _mm_setcsr(saved_ | kFlushToZeroAndDenormalsAreZero);
#endif
}

FlushDenormals::~FlushDenormals() {
#if defined(__x86_64__)
  _mm_setcsr(saved_);
#endif
}

}  // namespace dynnet

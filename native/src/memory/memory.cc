#include "memory/memory.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "memory/limit.h"

namespace dynnet {
namespace {

constexpr int64_t kAlignment = 64;

std::atomic<int64_t> used{0};
/// The limit that was set, or 0 for the default.
std::atomic<int64_t> chosen_limit{0};

int64_t default_limit() {
  // Trivially destructible, so that a thread that runs while the process exits still reads it.
  static const int64_t limit = detect_memory_limit("", physical_memory());
  return limit;
}

long long printable(int64_t bytes) { return static_cast<long long>(bytes); }

}  // namespace

int64_t memory_used() { return used.load(std::memory_order_relaxed); }

int64_t memory_limit() {
  const int64_t chosen = chosen_limit.load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : default_limit();
}

void set_memory_limit(int64_t bytes) { chosen_limit.store(bytes, std::memory_order_relaxed); }

void reserve(int64_t bytes, const char* what) {
  const int64_t limit = memory_limit();
  int64_t before = memory_used();
  do {
    if (bytes > limit - before) {
      fail(DN_E_MEMORY, "%s: %lld bytes asked for, %lld in use, and the limit is %lld", what, printable(bytes),
           printable(before), printable(limit));
    }
  } while (!used.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
}

void unreserve(int64_t bytes) { used.fetch_sub(bytes, std::memory_order_relaxed); }

void* allocate(int64_t bytes, const char* what) {
  if (bytes < 0 || bytes > std::numeric_limits<int64_t>::max() - kAlignment)
    fail(DN_E_MEMORY, "%s: no machine has the memory asked for", what);
  reserve(bytes, what);
  const int64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, static_cast<size_t>(rounded > 0 ? rounded : kAlignment));
  if (memory == nullptr) {
    unreserve(bytes);
    fail(DN_E_MEMORY, "%s: %lld bytes asked for, %lld in use, below the limit of %lld, but the system has no more",
         what, printable(bytes), printable(memory_used()), printable(memory_limit()));
  }
  return memory;
}

void release(void* memory, int64_t bytes) {
  if (memory == nullptr) return;
  std::free(memory);
  unreserve(bytes);
}

Buffer::Buffer(int64_t count, const char* what) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / static_cast<int64_t>(sizeof(float));
  const int64_t bytes = count <= kMost ? count * static_cast<int64_t>(sizeof(float)) : -1;
  data_ = static_cast<float*>(allocate(bytes, what));
  count_ = count;
  std::memset(data_, 0, static_cast<size_t>(bytes));
}

void Buffer::reset() {
  release(data_, count_ * static_cast<int64_t>(sizeof(float)));
  data_ = nullptr;
  count_ = 0;
}

}  // namespace dynnet

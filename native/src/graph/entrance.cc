#include "graph/entrance.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dynnet {
namespace {

bool membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

bool register_barrier() { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

// A full barrier on every thread of the process.
void barrier() {
  if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
  // A forked child may have to register anew.
  if (register_barrier() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
  // Forbidden since the process began. What a processor has stored, others see long before this is over.
  constexpr useconds_t kLongerThanAnyStoreTakes = 10000;
  usleep(kLongerThanAnyStoreTakes);
}

}  // namespace

const bool Entrance::has_barrier = register_barrier();

void Entrance::take_ownership_away() {
  if (owner_.exchange(kNobodyAnyMore, std::memory_order_seq_cst) != kNobodyAnyMore && has_barrier) barrier();
}

Entrance::Entry Entrance::enter_slowly() {
  uint32_t state = kIdle;
  if (!state_.compare_exchange_strong(state, kBusy, std::memory_order_acq_rel))
    return (state & (kClosing | kShut)) != 0 ? Entry::kClosed : Entry::kBusy;
  const uintptr_t owner = owner_.load(std::memory_order_relaxed);
  if (owner == kNobodyYet) {
    owner_.store(self(), std::memory_order_relaxed);
    return Entry::kOther;
  }
  if (owner != self()) take_ownership_away();
  if (owner_inside_.load(std::memory_order_seq_cst) == 0) return Entry::kOther;
  state = kBusy;
  if (state_.compare_exchange_strong(state, kIdle, std::memory_order_acq_rel)) return Entry::kBusy;
  // Closed meanwhile. The owner, who is inside, finds that when it leaves, unless it just has.
  state_.store(kClosing, std::memory_order_seq_cst);
  return owner_inside_.load(std::memory_order_seq_cst) == 0 && claim() ? Entry::kLast : Entry::kBusy;
}

bool Entrance::leave_slowly() {
  uint32_t state = kBusy;
  if (state_.compare_exchange_strong(state, kIdle, std::memory_order_acq_rel)) return false;
  state_.store(kShut, std::memory_order_release);
  return true;
}

void Entrance::open() {
  owner_.store(kNobodyYet, std::memory_order_relaxed);
  owner_inside_.store(0, std::memory_order_relaxed);
  state_.store(kIdle, std::memory_order_release);
}

bool Entrance::close() {
  uint32_t state = state_.load(std::memory_order_relaxed);
  do {
    if ((state & (kClosing | kShut)) != 0) return false;
  } while (!state_.compare_exchange_weak(state, state | kClosing, std::memory_order_acq_rel));
  // A call that is inside finds it closing when it leaves.
  if (state == kBusy) return false;
  // The owner itself knows whether it is inside.
  const uintptr_t owner = owner_.load(std::memory_order_relaxed);
  if (owner != kNobodyYet && owner != self()) take_ownership_away();
  return owner_inside_.load(std::memory_order_seq_cst) == 0 && claim();
}

bool Entrance::claim() {
  uint32_t state = kClosing;
  return state_.compare_exchange_strong(state, kShut, std::memory_order_acq_rel);
}

}  // namespace dynnet

// The door of a graph: one call at a time, and none once it is closed.
#ifndef DYNNET_GRAPH_ENTRANCE_H_
#define DYNNET_GRAPH_ENTRANCE_H_

#include <atomic>
#include <cstdint>

namespace dynnet {

/// Recording a node takes some ten nanoseconds, of which two locked instructions would be a third. The first thread
/// that comes in is therefore the owner, and from then on passes with plain loads and stores. Another thread that wants
/// to come in ends that for good: it takes the ownership away, makes all threads see it (membarrier), and only then
/// looks whether the owner is inside. This is biased locking (Dice, Moir and Scherer 2010) with the operating system's
/// barrier.
class Entrance {
 public:
  enum class Entry {
    /// Inside, as the owner or as any other thread.
    kOwner,
    kOther,
    /// Not inside: another call is; it is closed; it is closed and the caller has what is behind it to itself.
    kBusy,
    kClosed,
    kLast,
  };

  Entry enter() {
    if (owner_.load(std::memory_order_relaxed) == self() && owner_inside_.load(std::memory_order_relaxed) == 0 &&
        state_.load(std::memory_order_relaxed) == kIdle) [[likely]] {
      set_owner_inside(1);
      if (owner_.load(std::memory_order_seq_cst) == self()) [[likely]]
        return Entry::kOwner;
      owner_inside_.store(0, std::memory_order_release);
    }
    return enter_slowly();
  }
  /// Leaves after an entry as kOwner or kOther; true if it was closed meanwhile, so that the caller now has what is
  /// behind it to itself.
  bool leave(Entry entry) {
    if (entry != Entry::kOwner) return leave_slowly();
    set_owner_inside(0);
    // Where the ownership was taken away before, whoever closes makes no barrier any more: this one does.
    const bool owner = owner_.load(std::memory_order_relaxed) == self();
    return (owner ? state_.load(std::memory_order_seq_cst) : state_.fetch_or(0, std::memory_order_seq_cst)) != kIdle &&
           claim();
  }
  /// Opens it for a first call.
  void open();
  /// Closes it; true if nobody is inside, so that the caller has what is behind it to itself. Closing twice is no
  /// error.
  bool close();

 private:
  // `state_`: of calls that are not the owner's.
  static constexpr uint32_t kIdle = 0;
  static constexpr uint32_t kBusy = 1;
  static constexpr uint32_t kClosing = 2;
  static constexpr uint32_t kShut = 4;
  // `owner_`: a thread, or
  static constexpr uintptr_t kNobodyYet = 0;
  static constexpr uintptr_t kNobodyAnyMore = 1;

  /// What tells the calling thread from all others that live.
  static uintptr_t self() {
#if defined(__has_builtin) && __has_builtin(__builtin_thread_pointer)
    return reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
#else
    static thread_local char place;
    return reinterpret_cast<uintptr_t>(&place);
#endif
  }
  void set_owner_inside(uint32_t inside) {
    if (has_barrier) [[likely]] {
      owner_inside_.store(inside, std::memory_order_release);
      // The compiler keeps the order; the barrier of whoever takes the ownership away makes the processor keep it.
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      owner_inside_.exchange(inside, std::memory_order_seq_cst);
    }
  }
  Entry enter_slowly();
  bool leave_slowly();
  void take_ownership_away();
  bool claim();

  static const bool has_barrier;

  std::atomic<uintptr_t> owner_{kNobodyYet};
  std::atomic<uint32_t> owner_inside_{0};
  std::atomic<uint32_t> state_{kShut};
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_ENTRANCE_H_

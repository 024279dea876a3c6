// Where a graph's time goes: every batch that it computes, with its operation, its size and its thread.
#ifndef DYNNET_GRAPH_PROFILE_H_
#define DYNNET_GRAPH_PROFILE_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ops/op.h"

namespace dynnet {

/// What a graph's time is spent on.
enum class Phase : uint8_t {
  /// Finding out what runs together.
  kPlan,
  kForward,
  kBackward,
  /// The sums of the gradients of parameters, at the end of a backward.
  kParameters,
  /// Waiting for another thread's part.
  kWait,
  kCount,
};

class Profile {
 public:
  using Clock = std::chrono::steady_clock;

  Profile() : start_(Clock::now()) {}

  /// What one thread, or one part of a divided computation, records; two threads never record into one.
  class Lane {
   public:
    void add(Phase phase, const Type* type, uint32_t nodes, Clock::time_point begin) {
      events_.push_back({phase, type, nodes, begin, Clock::now()});
    }

   private:
    friend class Profile;
    struct Event {
      Phase phase;
      const Type* type;
      uint32_t nodes;
      Clock::time_point begin;
      Clock::time_point end;
    };
    std::vector<Event> events_;
  };

  /// Makes lanes 0 to count - 1; 0 is the thread that computes the graph. Their addresses stay.
  void make_lanes(uint32_t count);
  Lane& lane(uint32_t number) { return *lanes_[number]; }
  /// Takes over what the lanes have recorded since. The types must still be there.
  void settle();
  /// Lets go of the types, which are about to be freed, and of what was recorded with them and not settled.
  void forget_types();

  /// A table: for each phase, operation and shapes, how many batches and nodes, and how long they took.
  const std::string& text();
  /// All batches in the trace format of Chromium, which chrome://tracing and Perfetto show.
  const std::string& trace();

 private:
  // Beyond this many, only sums are kept.
  static constexpr size_t kMostEvents = 1'000'000;

  struct Key {
    Phase phase;
    uint32_t name;
    auto operator<=>(const Key&) const = default;
  };
  struct Total {
    int64_t batches = 0;
    int64_t nodes = 0;
    int64_t largest = 0;
    std::chrono::nanoseconds time{0};
  };
  struct Kept {
    Phase phase;
    uint32_t name;
    uint32_t nodes;
    uint32_t lane;
    int64_t begin_ns;
    int64_t length_ns;
  };
  uint32_t name_of(const Type* type);

  Clock::time_point start_;
  Clock::time_point latest_ = start_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::string> names_;
  std::map<std::string, uint32_t> numbers_;
  std::unordered_map<const Type*, uint32_t> names_of_types_;
  std::map<Key, Total> totals_;
  /// Of lane 0: what it computed or waited, of all the time.
  std::chrono::nanoseconds inside_{0};
  std::vector<Kept> kept_;
  int64_t left_out_ = 0;
  std::string text_;
  std::string trace_;
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_PROFILE_H_

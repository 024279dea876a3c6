// A bump allocator that grows on demand and never moves or unmaps what it handed out while it lives.
#ifndef DYNNET_MEMORY_ARENA_H_
#define DYNNET_MEMORY_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace dynnet {

class Arena {
 public:
  /// `what` names the arena in messages about memory.
  explicit Arena(const char* what) : what_(what) {}
  ~Arena() { free_all(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Memory for n times `each` objects, aligned to 64 bytes where they are more than a few, not initialised.
  template <class T>
  T* allocate(int64_t n, int64_t each = 1) {
    static_assert(std::is_trivially_destructible_v<T>);
    int64_t bytes;
    if (__builtin_mul_overflow(n, each, &bytes) || __builtin_mul_overflow(bytes, int64_t{sizeof(T)}, &bytes) ||
        bytes > kMostBytes) [[unlikely]]
      refuse();
    return reinterpret_cast<T*>(allocate_bytes(bytes));
  }

  /// A place to come back to.
  struct Mark {
    size_t chunk = 0;
    int64_t used = 0;
  };
  Mark mark() const { return {current_, used_}; }
  /// Gives back everything allocated since the mark; the memory stays readable.
  void rewind(Mark mark) {
    current_ = mark.chunk;
    used_ = mark.used;
  }
  /// Gives back everything; the memory stays readable.
  void reset() { rewind({}); }
  /// Returns the memory itself. Nothing that was handed out may be read any more.
  void free_all();

 private:
  struct Chunk {
    uint8_t* memory;
    int64_t bytes;
  };
  static constexpr int64_t kAlignment = 64;
  static constexpr int64_t kFirstChunk = int64_t{1} << 16;
  static constexpr int64_t kLargestGrowth = int64_t{1} << 26;
  static constexpr int64_t kMostBytes = int64_t{1} << 62;

  uint8_t* allocate_bytes(int64_t bytes) {
    const int64_t rounded = (bytes + kAlignment - 1) & ~(kAlignment - 1);
    if (current_ < chunks_.size() && used_ + rounded <= chunks_[current_].bytes) {
      uint8_t* result = chunks_[current_].memory + used_;
      used_ += rounded;
      return result;
    }
    return allocate_in_next_chunk(rounded);
  }
  uint8_t* allocate_in_next_chunk(int64_t bytes);
  /// Throws DN_E_MEMORY for more bytes than can be counted.
  [[noreturn]] void refuse() const;

  const char* what_;
  std::vector<Chunk> chunks_;
  size_t current_ = 0;
  int64_t used_ = 0;
};

}  // namespace dynnet

#endif  // DYNNET_MEMORY_ARENA_H_

// Memory that is counted against a limit before it is taken, since Linux hands out more than there is and kills later.
#ifndef DYNNET_MEMORY_MEMORY_H_
#define DYNNET_MEMORY_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <utility>

namespace dynnet {

/// The bytes that graphs and models hold, and those that were reserved.
int64_t memory_used();
/// The bytes that they may hold.
int64_t memory_limit();
/// Sets the limit; 0 restores the default.
void set_memory_limit(int64_t bytes);

/// Counts bytes as used that are not taken here. Throws DN_E_MEMORY as `allocate` does.
void reserve(int64_t bytes, const char* what);
/// Counts them no more.
void unreserve(int64_t bytes);

/// Memory for floats, aligned to 64 bytes and counted; the content is not set. Throws DN_E_MEMORY naming `what`, the
/// bytes asked for, those in use and the limit.
void* allocate(int64_t bytes, const char* what);
void release(void* memory, int64_t bytes);

/// Owned floats, zero at first.
class Buffer {
 public:
  Buffer() = default;
  Buffer(int64_t count, const char* what);
  ~Buffer() {
    if (data_ != nullptr) reset();
  }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  void reset();

 private:
  float* data_ = nullptr;
  int64_t count_ = 0;
};

}  // namespace dynnet

#endif  // DYNNET_MEMORY_MEMORY_H_

// A vector whose memory is counted: what grows with the size of a graph.
#ifndef DYNNET_MEMORY_ARRAY_H_
#define DYNNET_MEMORY_ARRAY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "memory/memory.h"

namespace dynnet {

/// Of plain values only, so that growing is a copy of bytes, and appending, which recording does some ten times a node,
/// a comparison and a store. Named as in std::vector; grows by doubling and throws DN_E_MEMORY.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  Array() = default;
  Array(size_t count, const T& value) { assign(count, value); }
  Array(const Array& other) {
    reserve(other.size_);
    if (other.size_ > 0) std::memcpy(static_cast<void*>(data_), other.data_, other.size_ * sizeof(T));
    size_ = other.size_;
  }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() {
    if (data_ != nullptr) release(data_, static_cast<int64_t>(capacity_ * sizeof(T)));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }

  void push_back(const T& value) {
    if (size_ == capacity_) [[unlikely]] {
      // The value may be an element.
      const T copy = value;
      grow(size_ + 1);
      data_[size_++] = copy;
      return;
    }
    data_[size_++] = value;
  }
  /// Appends elements that are not set, and returns where they begin.
  T* extend(size_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(size_ + count);
    T* const first = data_ + size_;
    size_ += count;
    return first;
  }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }
  /// Takes memory for so many elements, or for twice as many as there was room for.
  void reserve(size_t count) {
    if (count > capacity_) grow(count);
  }
  /// New elements are zeros.
  void resize(size_t count) { resize(count, T{}); }
  void resize(size_t count, T value) {
    reserve(count);
    if (count > size_) std::fill(data_ + size_, data_ + count, value);
    size_ = count;
  }
  void assign(size_t count, T value) {
    size_ = 0;
    resize(count, value);
  }
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  [[gnu::noinline]] void grow(size_t least) {
    constexpr size_t kFirst = 16;
    const size_t grown = std::max({least, 2 * capacity_, kFirst});
    auto* memory = static_cast<T*>(allocate(static_cast<int64_t>(grown * sizeof(T)), "a graph's nodes"));
    if (data_ != nullptr) {
      std::memcpy(static_cast<void*>(memory), data_, size_ * sizeof(T));
      release(data_, static_cast<int64_t>(capacity_ * sizeof(T)));
    }
    data_ = memory;
    capacity_ = grown;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace dynnet

#endif  // DYNNET_MEMORY_ARRAY_H_

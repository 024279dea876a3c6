// Text handed on in blocks, and numbers as the text format has them.
#ifndef DYNNET_IO_BLOCK_WRITER_H_
#define DYNNET_IO_BLOCK_WRITER_H_

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "io/file.h"

namespace dynnet::io {

// "-1.23456789e-01 ", and "+inf " or "-nan ".
inline constexpr size_t kFiniteWidth = 16;
inline constexpr size_t kDigits = 8;

inline size_t width(float value) { return std::isfinite(value) ? kFiniteWidth : 5; }

// Independent of the locale, as printf is not.
inline char* print(char* to, char* end, float value) {
  if (!std::signbit(value)) *to++ = '+';
  to = std::to_chars(to, end, value, std::chars_format::scientific, kDigits).ptr;
  *to++ = ' ';
  return to;
}

// Hands text on in blocks.
class BlockWriter {
 public:
  explicit BlockWriter(const Sink& sink) : sink_(sink) {}

  void write(std::string_view text) {
    if (text.size() > sizeof block_ - used_) flush();
    if (text.size() > sizeof block_) return sink_(text);
    std::memcpy(block_ + used_, text.data(), text.size());
    used_ += text.size();
  }
  void write(const float* values, int64_t n) {
    constexpr size_t kLongestNumber = 32;
    for (int64_t i = 0; i < n; ++i) {
      if (sizeof block_ - used_ < kLongestNumber) flush();
      used_ = static_cast<size_t>(print(block_ + used_, block_ + sizeof block_, values[i]) - block_);
    }
  }
  void flush() {
    if (used_ > 0) sink_({block_, used_});
    used_ = 0;
  }

 private:
  const Sink& sink_;
  size_t used_ = 0;
  char block_[1 << 16];
};

// The bytes of a line of values, its end included.
inline size_t line_bytes(const float* values, int64_t n) {
  size_t bytes = 1;
  for (int64_t i = 0; i < n; ++i) bytes += width(values[i]);
  return bytes;
}

}  // namespace dynnet::io

#endif  // DYNNET_IO_BLOCK_WRITER_H_

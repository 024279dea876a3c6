// Files: read whole, and written so that a crash at any moment leaves the old file or the new one.
#ifndef DYNNET_IO_FILE_H_
#define DYNNET_IO_FILE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace dynnet::io {

/// Takes bytes in order; throws to stop whoever writes.
using Sink = std::function<void(std::string_view)>;

/// A file's content, in memory that counts against the limit.
class FileContent {
 public:
  /// Throws DN_E_NOT_FOUND if there is no such file, DN_E_IO with the system's words if it cannot be read.
  explicit FileContent(const std::string& path);
  ~FileContent();
  FileContent(const FileContent&) = delete;
  FileContent& operator=(const FileContent&) = delete;

  std::string_view text() const { return {bytes_, static_cast<size_t>(size_)}; }

 private:
  void read(int descriptor, const std::string& path);
  void grow(int64_t capacity);

  char* bytes_ = nullptr;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
};

/// Writes a file beside its place, syncs it and renames it; `write` gets the sink for its bytes. Permissions of a file
/// that is replaced are kept, symbolic links followed, and what is no regular file (a pipe, a terminal) written
/// directly. If anything fails the old file is as it was and nothing is left beside it. Throws DN_E_IO with the
/// system's words.
void write_file(const std::string& path, const std::function<void(const Sink&)>& write);

}  // namespace dynnet::io

#endif  // DYNNET_IO_FILE_H_

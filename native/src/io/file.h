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

/// A file that is written beside its place, and synced and renamed when it is committed. Permissions of a file that is
/// replaced are kept, symbolic links followed, and what is no regular file (a pipe, a terminal) is written directly. If
/// anything fails before the rename, or there is no commit, the old file is as it was and nothing is left beside it;
/// after it only that the folder cannot be synced is an error. Throws DN_E_IO, DN_E_PERMISSION or DN_E_NOT_FOUND with
/// the system's words.
class FileWriter {
 public:
  explicit FileWriter(const std::string& path);
  ~FileWriter() { discard(); }
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::string_view bytes);
  /// To be called once, after the last write.
  void commit();

 private:
  void discard();

  std::string path_;
  std::string target_;
  /// Where it is written until then; empty for what is written directly.
  std::string beside_;
  int descriptor_ = -1;
};

/// Writes a file by a FileWriter; `write` gets the sink for its bytes.
void write_file(const std::string& path, const std::function<void(const Sink&)>& write);

}  // namespace dynnet::io

#endif  // DYNNET_IO_FILE_H_

#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "memory/memory.h"

namespace dynnet::io {
namespace {

[[noreturn]] void fail_with_errno(const char* what, const std::string& path, int error) {
  const char* words = strerrordesc_np(error);
  dn_status status = DN_E_IO;
  if (error == EACCES || error == EPERM || error == EROFS) status = DN_E_PERMISSION;
  if (error == ENOENT) status = DN_E_NOT_FOUND;
  fail(status, "cannot %s '%s': %s", what, path.c_str(), words != nullptr ? words : "unknown error");
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  /// Closes it and returns what the system says; some file systems report failed writes only here.
  int close() { return ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

int open_retrying(const std::string& path, int flags, mode_t mode = 0) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno("write", path, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// The file that a path names once symbolic links are followed. A path that leads nowhere stays as it is.
std::string resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string result = real;
  std::free(real);
  return result;
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A new file beside `path`, and its name: unique among the process's threads by the counter, among processes by the
// identifier. A name that is taken, by a process of the same identifier that was killed while it saved, is passed over.
std::pair<int, std::string> create_beside(const std::string& path) {
  static std::atomic<uint32_t> counter{0};
  constexpr mode_t kReadableByAll = 0666;  // less the process's mask
  constexpr int kMostTries = 1000;
  for (int i = 0;; ++i) {
    std::string name = path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
    const int descriptor = open_retrying(name, O_WRONLY | O_CREAT | O_EXCL, kReadableByAll);
    if (descriptor >= 0 || errno != EEXIST || i == kMostTries) return {descriptor, std::move(name)};
  }
}

// Makes a rename survive a crash. Not every file system can sync a directory; then the rename is as durable as it gets.
void sync_directory(const std::string& directory) {
  const Descriptor descriptor(open_retrying(directory, O_RDONLY | O_DIRECTORY));
  if (descriptor.get() < 0) return;
  if (::fsync(descriptor.get()) != 0 && errno == EIO) fail_with_errno("sync the directory", directory, errno);
}

void write_directly(const std::string& path, const std::function<void(const Sink&)>& write) {
  Descriptor descriptor(open_retrying(path, O_WRONLY));
  if (descriptor.get() < 0) fail_with_errno("write", path, errno);
  write([&](std::string_view bytes) { write_all(descriptor.get(), bytes, path); });
  if (descriptor.close() != 0) fail_with_errno("write", path, errno);
}

// Removes a file unless it was renamed away.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void rename_to(const std::string& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) fail_with_errno("write", target, errno);
    path_.clear();
  }

 private:
  std::string path_;
};

}  // namespace

FileContent::FileContent(const std::string& path) {
  const Descriptor descriptor(open_retrying(path, O_RDONLY));
  if (descriptor.get() < 0) {
    if (errno == ENOENT) fail(DN_E_NOT_FOUND, "there is no file '%s'", path.c_str());
    fail_with_errno("read", path, errno);
  }
  try {
    read(descriptor.get(), path);
  } catch (...) {
    release(bytes_, capacity_);
    throw;
  }
}

FileContent::~FileContent() { release(bytes_, capacity_); }

void FileContent::read(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail_with_errno("read", path, errno);
  // One byte more than the file has shows its end without growing.
  constexpr int64_t kLeast = 4096;
  grow(std::max<int64_t>(status.st_size + 1, kLeast));
  while (true) {
    if (size_ == capacity_) grow(capacity_ * 2);
    const ssize_t count = ::read(descriptor, bytes_ + size_, static_cast<size_t>(capacity_ - size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_with_errno("read", path, errno);
    if (count == 0) return;
    size_ += count;
  }
}

void FileContent::grow(int64_t capacity) {
  char* bytes = static_cast<char*>(allocate(capacity, "reading a file"));
  if (size_ > 0) std::memcpy(bytes, bytes_, static_cast<size_t>(size_));
  release(bytes_, capacity_);
  bytes_ = bytes;
  capacity_ = capacity;
}

void write_file(const std::string& path, const std::function<void(const Sink&)>& write) {
  const std::string target = resolved(path);
  struct stat old {};
  const bool replaces = ::stat(target.c_str(), &old) == 0;
  if (replaces && S_ISDIR(old.st_mode)) fail_with_errno("write", path, EISDIR);
  if (replaces && !S_ISREG(old.st_mode)) return write_directly(path, write);
  // A rename would replace even a file that may not be written.
  if (replaces && ::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) fail_with_errno("write", path, errno);

  const auto [created, beside] = create_beside(target);
  Descriptor descriptor(created);
  if (descriptor.get() < 0) fail_with_errno("write", path, errno);
  Temporary temporary(beside);
  constexpr mode_t kPermissions = 07777;
  if (replaces && ::fchmod(descriptor.get(), old.st_mode & kPermissions) != 0) fail_with_errno("write", path, errno);
  write([&](std::string_view bytes) { write_all(descriptor.get(), bytes, path); });
  if (::fsync(descriptor.get()) != 0) fail_with_errno("sync", path, errno);
  if (descriptor.close() != 0) fail_with_errno("write", path, errno);
  temporary.rename_to(target);
  sync_directory(directory_of(target));
}

}  // namespace dynnet::io

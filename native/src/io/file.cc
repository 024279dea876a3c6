#include "io/file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <tuple>
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

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The file that a path names once symbolic links are followed, whether it is there or not. A path that cannot be
// followed stays as it is.
std::string resolved(const std::string& path) {
  if (char* const real = ::realpath(path.c_str(), nullptr)) {
    std::string result = real;
    std::free(real);
    return result;
  }
  constexpr int kMostLinks = 40;
  std::string target = path;
  for (int i = 0; i < kMostLinks; ++i) {
    std::string link(PATH_MAX, '\0');
    const ssize_t length = ::readlink(target.c_str(), link.data(), link.size());
    if (length < 0) return errno == EINVAL || errno == ENOENT ? target : path;
    link.resize(static_cast<size_t>(length));
    target = link.front() == '/' ? link : directory_of(target) + "/" + link;
  }
  return path;
}

// A new file beside `path`, and its name: unique among the process's threads by the counter, among processes by the
// identifier; short, since the name of the path may be as long as names can be. One that is taken, by a process of the
// same identifier that was killed while it saved, is passed over.
std::pair<int, std::string> create_beside(const std::string& path) {
  static std::atomic<uint32_t> counter{0};
  constexpr mode_t kReadableByAll = 0666;  // less the process's mask
  constexpr int kMostTries = 1000;
  for (int i = 0;; ++i) {
    std::string name =
        directory_of(path) + "/.tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
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

FileWriter::FileWriter(const std::string& path) : path_(path) {
  struct stat old {};
  const bool replaces = ::stat(path_.c_str(), &old) == 0;
  if (!replaces && errno != ENOENT) fail_with_errno("write", path_, errno);
  if (replaces && S_ISDIR(old.st_mode)) fail_with_errno("write", path_, EISDIR);
  if (replaces && !S_ISREG(old.st_mode)) {
    descriptor_ = open_retrying(path_, O_WRONLY);
    if (descriptor_ < 0) fail_with_errno("write", path_, errno);
    return;
  }
  target_ = resolved(path_);
  // A rename would replace even a file that may not be written.
  if (replaces && ::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) fail_with_errno("write", path_, errno);
  std::tie(descriptor_, beside_) = create_beside(target_);
  if (descriptor_ < 0) {
    beside_.clear();
    fail_with_errno("write", path_, errno);
  }
  constexpr mode_t kPermissions = 07777;
  if (replaces && ::fchmod(descriptor_, old.st_mode & kPermissions) != 0) {
    const int error = errno;
    discard();
    fail_with_errno("write", path_, error);
  }
}

void FileWriter::write(std::string_view bytes) {
  if (descriptor_ < 0) fail(DN_E_STATE, "'%s' is written already", path_.c_str());
  write_all(descriptor_, bytes, path_);
}

void FileWriter::commit() {
  if (descriptor_ < 0) fail(DN_E_STATE, "'%s' is written already", path_.c_str());
  const bool is_beside = !beside_.empty();
  if (is_beside && ::fsync(descriptor_) != 0) fail_with_errno("sync", path_, errno);
  // Some file systems report failed writes only here.
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_with_errno("write", path_, errno);
  if (!is_beside) return;
  if (::rename(beside_.c_str(), target_.c_str()) != 0) fail_with_errno("write", path_, errno);
  beside_.clear();
  sync_directory(directory_of(target_));
}

void FileWriter::discard() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!beside_.empty()) ::unlink(beside_.c_str());
  beside_.clear();
}

void write_file(const std::string& path, const std::function<void(const Sink&)>& write) {
  FileWriter writer(path);
  write([&](std::string_view bytes) { writer.write(bytes); });
  writer.commit();
}

}  // namespace dynnet::io

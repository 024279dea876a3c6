#include "memory/limit.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string_view>

namespace dynnet {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

// The number in a file. "max", which cgroup v2 writes for no limit, is no number, and neither is a missing file.
int64_t limit_in(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) return kUnlimited;
  int64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && bytes > 0 ? bytes : kUnlimited;
}

// The least limit of a cgroup and those above it: each binds all below. A container often sees its own cgroup at the
// mount's root, whatever path /proc names; walking up finds that too.
int64_t limit_along(const std::string& mount, std::string path, const char* file) {
  int64_t limit = kUnlimited;
  while (true) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    limit = std::min(limit, limit_in(mount + path + '/' + file));
    if (path.empty()) return limit;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

bool names_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "memory") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

int64_t detect_memory_limit(const std::string& root, int64_t physical) {
  int64_t limit = physical;
  std::ifstream cgroups(root + "/proc/self/cgroup");
  // Lines are hierarchy:controllers:path; version 2 is hierarchy 0 without controllers.
  for (std::string line; std::getline(cgroups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      limit = std::min(limit, limit_along(root + "/sys/fs/cgroup", path, "memory.max"));
    } else if (names_memory(controllers)) {
      limit = std::min(limit, limit_along(root + "/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

int64_t physical_memory() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES);
  const int64_t page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? pages * page : kUnlimited;
}

}  // namespace dynnet

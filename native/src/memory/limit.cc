#include "memory/limit.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>

#include "core/cgroups.h"

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

}  // namespace

int64_t detect_memory_limit(const std::string& root, int64_t physical) {
  int64_t limit = physical;
  visit_cgroups(root, "memory", [&](const std::string& folder, int version) {
    limit = std::min(limit, limit_in(folder + (version == 2 ? "/memory.max" : "/memory.limit_in_bytes")));
  });
  return limit;
}

int64_t physical_memory() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES);
  const int64_t page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? pages * page : kUnlimited;
}

}  // namespace dynnet

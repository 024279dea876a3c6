#include "parallel/processors.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>

#include "core/cgroups.h"

namespace dynnet {
namespace {

// The next number in a stream; 0 for "max", for -1, which mean no limit, and for whatever is no number.
int64_t number_in(std::ifstream& file) {
  std::string text;
  if (!(file >> text)) return 0;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::max<int64_t>(number, 0) : 0;
}

}  // namespace

int allowed_processors(ReadAffinity read) {
  constexpr int kMost = 1 << 20;
  // A set for fewer processors than the system has room for is refused, however few there are.
  for (int room = CPU_SETSIZE; room <= kMost; room *= 2) {
    cpu_set_t* const set = CPU_ALLOC(static_cast<size_t>(room));
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(room));
    CPU_ZERO_S(bytes, set);
    const bool known = read(0, bytes, set) == 0;
    const bool is_small = !known && errno == EINVAL;
    const int found = known ? CPU_COUNT_S(bytes, set) : 1;
    CPU_FREE(set);
    if (!is_small) return found;
  }
  return 1;
}

int detect_processors(const std::string& root, int available) {
  int64_t least = std::max(available, 1);
  visit_cgroups(root, "cpu", [&](const std::string& folder, int version) {
    std::ifstream quota_file(folder + (version == 2 ? "/cpu.max" : "/cpu.cfs_quota_us"));
    const int64_t quota = number_in(quota_file);
    std::ifstream period_file(folder + "/cpu.cfs_period_us");
    const int64_t period = number_in(version == 2 ? quota_file : period_file);
    if (quota > 0 && period > 0) least = std::min(least, std::max<int64_t>(1, (quota + period - 1) / period));
  });
  return static_cast<int>(least);
}

}  // namespace dynnet

#include "core/cgroups.h"

#include <algorithm>
#include <fstream>

namespace dynnet {
namespace {

// A container often sees its own cgroup at the mount's root, whatever path /proc names; walking up finds that too.
void visit_up(const std::string& mount, std::string path, int version,
              const std::function<void(const std::string&, int)>& visit) {
  while (true) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    visit(mount + path, version);
    if (path.empty()) return;
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

bool names(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == wanted) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

void visit_cgroups(const std::string& root, std::string_view controller,
                   const std::function<void(const std::string& folder, int version)>& visit) {
  std::ifstream cgroups(root + "/proc/self/cgroup");
  // Lines are hierarchy:controllers:path; version 2 is hierarchy 0 without controllers.
  for (std::string line; std::getline(cgroups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty())
      visit_up(root + "/sys/fs/cgroup", path, 2, visit);
    else if (names(controllers, controller))
      visit_up(root + "/sys/fs/cgroup/" + std::string(controller), path, 1, visit);
  }
}

}  // namespace dynnet

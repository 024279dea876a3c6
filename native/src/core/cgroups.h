// The control groups that bind this process.
#ifndef DYNNET_CORE_CGROUPS_H_
#define DYNNET_CORE_CGROUPS_H_

#include <functional>
#include <string>
#include <string_view>

namespace dynnet {

/// Calls `visit` with the folder of each cgroup, version 2 or 1, that binds the process by a controller ("memory",
/// "cpu"): the process's own and all above it, since each limits all below.
/// @param root where /proc and /sys are looked for: "" for the system's own
void visit_cgroups(const std::string& root, std::string_view controller,
                   const std::function<void(const std::string& folder, int version)>& visit);

}  // namespace dynnet

#endif  // DYNNET_CORE_CGROUPS_H_

// How much memory this process may use.
#ifndef DYNNET_MEMORY_LIMIT_H_
#define DYNNET_MEMORY_LIMIT_H_

#include <cstdint>
#include <string>

namespace dynnet {

/// The least of the machine's memory and the limits of the cgroups, version 2 or 1, that the process is in. Files that
/// are missing or unreadable set no limit.
/// @param root where /proc and /sys are looked for: "" for the system's own
/// @param physical the machine's memory in bytes
int64_t detect_memory_limit(const std::string& root, int64_t physical);

/// The machine's memory in bytes.
int64_t physical_memory();

}  // namespace dynnet

#endif  // DYNNET_MEMORY_LIMIT_H_

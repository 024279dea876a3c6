// How many processors this process may use.
#ifndef DYNNET_PARALLEL_PROCESSORS_H_
#define DYNNET_PARALLEL_PROCESSORS_H_

#include <sched.h>

#include <string>

namespace dynnet {

/// How the system is asked on which processors a process may run: sched_getaffinity.
using ReadAffinity = int (*)(pid_t process, size_t bytes, cpu_set_t* set);

/// How many processors the process may run on, however many the machine has; 1 where that cannot be found out.
int allowed_processors(ReadAffinity read);

/// The least of `available` and the cgroups' quotas, rounded up; at least 1. Files that are missing or unreadable set
/// no limit.
/// @param root where /proc and /sys are looked for: "" for the system's own
/// @param available the processors that the process may run on
int detect_processors(const std::string& root, int available);

}  // namespace dynnet

#endif  // DYNNET_PARALLEL_PROCESSORS_H_

// The library as a whole, and the device it computes on.
#ifndef DYNNET_DYNNET_LIBRARY_H_
#define DYNNET_DYNNET_LIBRARY_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The ABI version of the library that answers; equal to DN_ABI_VERSION of the header it was built from.
/// Thread-safe.
DN_API int32_t dn_abi_version(void);

/// The library's version, "major.minor.patch". The string is static. Thread-safe.
/// @param length gets the length in bytes; may be null
DN_API const char* dn_version(int64_t* length);

/// The message of the latest failed call on this thread, empty if there was none. It is valid until the next failed
/// call on this thread.
/// @param length gets the length in bytes; may be null
DN_API const char* dn_last_error(int64_t* length);

/// The instruction set whose kernels run: "v2", "v3" or "v4" of x86-64, or "portable". Chosen once, at first use, from
/// what the processor has; the environment variable DYNNET_ISA forces a lower one, and "none" is the answer if that is
/// not to be had: then every computation fails with DN_E_DEVICE. The string is static. Thread-safe.
/// @param length gets the length in bytes; may be null
DN_API const char* dn_device_isa(int64_t* length);

/// The number of threads that one computation may use. The default is the environment variable DYNNET_THREADS (1 to
/// 256), else the number of processors that the process may use (its cgroup's quota and affinity). 0 if the variable is
/// no such number: then every computation fails with DN_E_DEVICE until dn_device_set_threads. Thread-safe.
DN_API int32_t dn_device_threads(void);

/// Sets the number of threads that one computation may use. Takes effect at the next computation. Thread-safe.
/// @param threads 1 to 256
DN_API dn_status dn_device_set_threads(int32_t threads);

/// The bytes that graphs and models hold now, and those that callers have reserved. Thread-safe.
DN_API int64_t dn_memory_used(void);

/// The bytes that graphs and models may hold together. The default is the cgroup's limit, else the machine's memory.
/// Thread-safe.
DN_API int64_t dn_memory_limit(void);

/// Sets the bytes that graphs and models may hold together; a call that would need more fails with DN_E_MEMORY.
/// Thread-safe.
/// @param bytes at least 0; 0 restores the default
DN_API dn_status dn_memory_set_limit(int64_t bytes);

/// Counts memory of the caller's own as used, such as the text of a model that is about to be read: before it is taken,
/// and until dn_memory_unreserve. Thread-safe.
/// @param bytes at least 0
/// @throws DN_E_MEMORY if the limit does not allow it: nothing is counted
DN_API dn_status dn_memory_reserve(int64_t bytes);

/// Takes back what dn_memory_reserve counted, or a part of it. Thread-safe.
/// @param bytes at least 0, and no more than was reserved
DN_API dn_status dn_memory_unreserve(int64_t bytes);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_LIBRARY_H_

// Files that appear whole or not at all, as those of models and trainers do, for what else a program keeps beside them.
#ifndef DYNNET_DYNNET_FILES_H_
#define DYNNET_DYNNET_FILES_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A file that is being written. One thread uses it at a time.
typedef struct dn_file dn_file;

/// Begins a file. What is written goes to a new file beside its place until dn_file_commit. Permissions of a file that
/// is replaced are kept, symbolic links followed; what is no regular file (a pipe, a terminal) is written directly.
/// @param path UTF-8, as the operating system takes it
/// @throws DN_E_NOT_FOUND if there is no such folder, DN_E_PERMISSION if the file, or its folder, may not be written,
/// DN_E_IO if the operating system fails otherwise
DN_API dn_status dn_file_create(const char* path, int64_t path_length, dn_file** out);

/// Appends bytes.
/// @throws DN_E_IO if the operating system fails, DN_E_STATE after dn_file_commit
DN_API dn_status dn_file_write(dn_file* file, const uint8_t* bytes, int64_t bytes_count);

/// Puts what was written in its place, once it is on the disk: from now on the file is there whole, whatever happens.
/// If it fails, the old file is as it was, unless only the folder could not be written to the disk.
/// @throws DN_E_IO if the operating system fails, DN_E_STATE if it was done already
DN_API dn_status dn_file_commit(dn_file* file);

/// Gives a file back. Without a dn_file_commit nothing of it is left.
DN_API void dn_file_free(dn_file* file);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_FILES_H_

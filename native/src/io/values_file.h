// Bare numbers from a text file.
#ifndef DYNNET_IO_VALUES_FILE_H_
#define DYNNET_IO_VALUES_FILE_H_

#include <string>
#include <vector>

namespace dynnet::io {

/// All numbers of a file, which white space divides. Throws DN_E_FORMAT if there is anything else, and as files do.
/// @param name of the parameter they are for
std::vector<float> read_values_file(const std::string& path, const std::string& name);

}  // namespace dynnet::io

#endif  // DYNNET_IO_VALUES_FILE_H_

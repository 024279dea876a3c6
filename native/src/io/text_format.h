// DyNet's text format for models:
//
//     #Parameter# /name {8,2} 257 ZERO_GRAD
//     -7.02307463e-01 -1.41760743e+00 ...
//     #LookupParameter# /table {6,11} 2114 FULL_GRAD
//     +1.00000000e+00 ...
//     +0.00000000e+00 ...
//
// A header names the kind, the full name, the shape (of a table with its rows as the last dimension), the bytes of the
// lines that follow, and whether a line of gradients follows the line of values. Values are column-major, each printed
// as
// "%+.8e" and followed by a blank. All parameters come first, then all tables.
#ifndef DYNNET_IO_TEXT_FORMAT_H_
#define DYNNET_IO_TEXT_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/dim.h"
#include "io/file.h"
#include "memory/memory.h"
#include "nn/model.h"

namespace dynnet::io {

/// A path as given by a caller, brought to the form "/.../"; empty stays empty.
std::string checked_key(std::string_view key);

class BlockWriter;

/// A parameter's name as given by a caller, "/..." without whitespace and not ending in "/"; empty stays empty.
std::string checked_name(std::string_view name);

/// A shape as headers have it.
/// @param rows of a table, or 0
std::string shape_text(const Dim& dim, int64_t rows);

/// Writes the values of a parameter or, with rows, of a table, without gradients.
void write_entry(BlockWriter& out, const std::string& name, const Dim& dim, int64_t rows, const Buffer& values);

/// Writes the parameters below a model's path.
/// @param key the checked path that replaces the model's own, or empty
void write_model(const dn_model& model, const std::string& key, bool with_gradients, const Sink& sink);

/// Writes one parameter or table under a name.
void write_one(const dn_parameter& parameter, const std::string& name, bool with_gradients, const Sink& sink);
void write_one(const dn_lookup_parameter& table, const std::string& name, bool with_gradients, const Sink& sink);

/// One parameter or table as read.
struct Entry {
  bool is_table;
  std::string name;
  /// For a table the shape of one row.
  Dim dim;
  /// Of a table; 1 for a parameter.
  int64_t rows;
  /// The line of its header, from 1.
  int64_t line;
  Buffer values;
  /// Empty if the text has no gradient.
  Buffer gradient;
};

/// Reads the entries that `key` asks for: a path those below it, a name the one of that name, nothing all. The others
/// are checked for their form only. Throws DN_E_FORMAT that says what is wrong in which line, beginning with `source`.
/// Two entries of one name are an error.
/// @param lines_before how many lines of the source the text comes after
std::vector<Entry> read_entries(std::string_view text, const std::string& key, const std::string& source,
                                int64_t lines_before = 0);

}  // namespace dynnet::io

#endif  // DYNNET_IO_TEXT_FORMAT_H_

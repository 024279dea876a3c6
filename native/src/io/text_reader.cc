#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/error.h"
#include "io/text_format.h"
#include "io/words.h"

namespace dynnet::io {
namespace {

bool names_one(std::string_view key) { return !key.empty() && key.back() != '/'; }

struct Header {
  bool is_table = false;
  std::string name;
  Dim dim;
  int64_t rows = 1;
  int64_t bytes = 0;
  bool has_gradient = false;
  int64_t values() const { return dim.size() * rows; }
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& key, const std::string& source, int64_t lines_before)
      : text_(text), key_(key), source_(source), line_(lines_before) {}

  std::vector<Entry> read() {
    std::vector<Entry> entries;
    std::set<std::string> names;
    while (!only_blanks_left()) {
      Header header = read_header();
      const int64_t header_line = line_;
      if (!names.insert(header.name).second) fail_here(format("%s appears twice", header.name.c_str()));
      const bool is_wanted = names_one(key_) ? header.name == key_ : header.name.starts_with(key_);
      const size_t begin = place_;
      const int64_t returns_before = carriage_returns_;
      Buffer values = read_values(header, begin, "values", is_wanted);
      Buffer gradient;
      if (header.has_gradient) gradient = read_values(header, begin, "gradients", is_wanted);
      const int64_t bytes = static_cast<int64_t>(place_ - begin) - (carriage_returns_ - returns_before);
      if (bytes != header.bytes) {
        fail_here(format("%s: the header says that %lld bytes of values follow, but %lld do", header.name.c_str(),
                         static_cast<long long>(header.bytes), static_cast<long long>(bytes)));
      }
      if (!is_wanted) continue;
      entries.push_back({header.is_table, std::move(header.name), header.dim, header.rows, header_line,
                         std::move(values), std::move(gradient)});
    }
    return entries;
  }

 private:
  [[noreturn]] void fail_here(const std::string& message) const {
    fail(DN_E_FORMAT, "%s, line %lld: %s", source_.c_str(), static_cast<long long>(line_), message.c_str());
  }

  bool only_blanks_left() const {
    return std::all_of(text_.begin() + static_cast<int64_t>(place_), text_.end(), is_blank);
  }

  /// The next line without its end. False if the text stops before the line's end.
  bool take_line(std::string_view* line) {
    ++line_;
    const std::string_view rest = text_.substr(place_);
    const size_t end = rest.find('\n');
    *line = rest.substr(0, end);
    place_ += std::min(line->size() + 1, rest.size());
    if (!line->empty() && line->back() == '\r') {
      line->remove_suffix(1);
      ++carriage_returns_;
    }
    return end != std::string_view::npos;
  }

  Header read_header() {
    std::string_view line;
    const bool is_whole = take_line(&line);
    const std::string_view kind = take_word(line);
    const std::string_view name = take_word(line);
    const std::string_view shape = take_word(line);
    const std::string_view bytes = take_word(line);
    const std::string_view gradient = take_word(line);
    Header header;
    header.is_table = kind == "#LookupParameter#";
    if (!header.is_table && kind != "#Parameter#")
      fail_here(format("expected #Parameter# or #LookupParameter#, found %s", excerpt(kind).c_str()));
    if (name.empty() || name.back() == '/') fail_here(format("%s is no parameter's name", excerpt(name).c_str()));
    // A single parameter may have been saved under a name without a path.
    header.name = name.front() == '/' ? std::string(name) : '/' + std::string(name);
    read_shape(shape, &header);
    if (!parse_number(bytes, &header.bytes) || header.bytes < 0)
      fail_here(format("%s: %s is no number of bytes", header.name.c_str(), excerpt(bytes).c_str()));
    // Files of DyNet before 2.0.2 do not say, and always have gradients.
    header.has_gradient = gradient != "ZERO_GRAD";
    if (!gradient.empty() && gradient != "ZERO_GRAD" && gradient != "FULL_GRAD")
      fail_here(
          format("%s: expected ZERO_GRAD or FULL_GRAD, found %s", header.name.c_str(), excerpt(gradient).c_str()));
    if (!take_word(line).empty()) fail_here(format("%s: more in the header than there should be", header.name.c_str()));
    if (!is_whole) fail_here(format("%s: the text ends with the header", header.name.c_str()));
    return header;
  }

  void read_shape(std::string_view text, Header* header) {
    Dim& dim = header->dim;
    const std::string shape = excerpt(text);
    const char* const name = header->name.c_str();
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
      fail_here(format("%s: %s is no shape like {8,2}", name, shape.c_str()));
    text = text.substr(1, text.size() - 2);
    int64_t elements = 1;
    for (bool has_more = !text.empty(); has_more;) {
      if (dim.nd == DN_MAX_DIMS)
        fail_here(format("%s: %s has more than %d dimensions", name, shape.c_str(), DN_MAX_DIMS));
      const size_t comma = text.find(',');
      has_more = comma != std::string_view::npos;
      uint32_t size = 0;
      if (!parse_number(text.substr(0, comma), &size) || size == 0)
        fail_here(format("%s: %s is no shape like {8,2}", name, shape.c_str()));
      if (elements > kMostElements / size) fail_here(format("%s: %s has more than 2^40 elements", name, shape.c_str()));
      elements *= size;
      dim.d[dim.nd++] = size;
      if (has_more) text.remove_prefix(comma + 1);
    }
    if (!header->is_table) return;
    if (dim.nd == 0)
      fail_here(format("%s: a table's shape has its rows as the last dimension, %s has none", name, shape.c_str()));
    header->rows = std::exchange(dim.d[--dim.nd], 1);
    if (header->rows > std::numeric_limits<int32_t>::max())
      fail_here(format("%s: too many rows in %s", name, shape.c_str()));
  }

  Buffer read_values(const Header& header, size_t begin, const char* what, bool is_wanted) {
    const char* const name = header.name.c_str();
    std::string_view line;
    if (!take_line(&line)) {
      fail_here(format("%s: the text ends %lld bytes into the %lld bytes of values", name,
                       static_cast<long long>(place_ - begin), static_cast<long long>(header.bytes)));
    }
    if (!is_wanted) return {};
    const int64_t n = header.values();
    // Before taking memory for what a damaged header promises: a value has at least a digit and a blank.
    const int64_t most = (static_cast<int64_t>(line.size()) + 1) / 2;
    if (n > most) {
      fail_here(format("%s %s: %lld %s expected, a line of %lld bytes found", name, header.dim.text().c_str(),
                       static_cast<long long>(n), what, static_cast<long long>(line.size())));
    }
    Buffer values(n, name);
    for (int64_t i = 0; i < n; ++i) {
      const std::string_view word = take_word(line);
      if (word.empty())
        fail_here(format("%s: %lld %s expected, %lld found", name, static_cast<long long>(n), what,
                         static_cast<long long>(i)));
      if (!parse_value(word, values.data() + i))
        fail_here(format("%s: %s is no float (number %lld of the %s)", name, excerpt(word).c_str(),
                         static_cast<long long>(i + 1), what));
    }
    if (!take_word(line).empty())
      fail_here(format("%s: more than the %lld %s expected", name, static_cast<long long>(n), what));
    return values;
  }

  std::string_view text_;
  const std::string& key_;
  const std::string& source_;
  int64_t line_;
  size_t place_ = 0;
  int64_t carriage_returns_ = 0;
};

}  // namespace

std::vector<Entry> read_entries(std::string_view text, const std::string& key, const std::string& source,
                                int64_t lines_before) {
  return Reader(text, key, source, lines_before).read();
}

}  // namespace dynnet::io

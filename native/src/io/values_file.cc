#include "io/values_file.h"

#include "core/error.h"
#include "io/file.h"
#include "io/words.h"

namespace dynnet::io {

std::vector<float> read_values_file(const std::string& path, const std::string& name) {
  const FileContent content(path);
  std::string_view rest = content.text();
  std::vector<float> values;
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    float value = 0;
    if (!parse_value(word, &value))
      fail(DN_E_FORMAT, "%s: '%s': number %zu, %s, is no float", name.c_str(), path.c_str(), values.size() + 1,
           excerpt(word).c_str());
    values.push_back(value);
  }
  return values;
}

}  // namespace dynnet::io

// The words of a line of text, and the numbers among them.
#ifndef DYNNET_IO_WORDS_H_
#define DYNNET_IO_WORDS_H_

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace dynnet::io {

// Text of a foreign file as it may stand in a message: short, and nothing that a terminal would act on.
inline std::string excerpt(std::string_view text) {
  constexpr size_t kLongest = 40;
  std::string result = "\"";
  for (const char c : text.substr(0, kLongest)) result += c >= ' ' && c <= '~' ? c : '?';
  return result + (text.size() > kLongest ? "...\"" : "\"");
}

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// The next word of a line, which is cut off the line; empty at its end.
inline std::string_view take_word(std::string_view& line) {
  const char* begin = line.data();
  const char* const end = begin + line.size();
  while (begin != end && is_blank(*begin)) ++begin;
  const char* word_end = begin;
  while (word_end != end && !is_blank(*word_end)) ++word_end;
  line = {word_end, static_cast<size_t>(end - word_end)};
  return {begin, static_cast<size_t>(word_end - begin)};
}

/// A whole number, or a double as std::to_chars writes it.
template <class Number>
bool parse_number(std::string_view text, Number* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

/// A number as printf, DyNet or a human writes it, in any locale. What only a double can hold is 0 if it is too small
/// for a float, and no number if it is too large.
inline bool parse_value(std::string_view word, float* out) {
  if (word.size() > 1 && word[0] == '+' && word[1] != '-') word.remove_prefix(1);
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, *out);
  if (error == std::errc() && stop == end) return true;
  if (error != std::errc::result_out_of_range) return false;
  double value = 0;
  const auto [wide_stop, wide_error] = std::from_chars(word.data(), end, value);
  if (wide_error != std::errc() || wide_stop != end || std::abs(value) > 1) return false;
  *out = static_cast<float>(value);
  return true;
}

}  // namespace dynnet::io

#endif  // DYNNET_IO_WORDS_H_

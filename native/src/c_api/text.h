// Strings across the border.
#ifndef DYNNET_C_API_TEXT_H_
#define DYNNET_C_API_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "c_api/guard.h"
#include "io/file.h"

namespace dynnet::c_api {

/// A string as given; null is allowed where the length is 0.
inline std::string_view text(const char* bytes, int64_t length, const char* what) {
  if (length < 0 || (bytes == nullptr && length > 0)) fail(DN_E_ARGUMENT, "%s is null or its length is negative", what);
  return {bytes, static_cast<size_t>(length)};
}

/// A file's path as given.
inline std::string path_text(const char* bytes, int64_t length) {
  const std::string_view path = text(bytes, length, "the path");
  if (path.empty()) fail(DN_E_ARGUMENT, "the path is empty");
  if (path.find('\0') != std::string_view::npos) fail(DN_E_ARGUMENT, "the path has a zero byte in it");
  return std::string(path);
}

/// A caller's callback as a place for bytes.
inline io::Sink callback_sink(dn_write_callback write, void* context) {
  if (write == nullptr) fail(DN_E_ARGUMENT, "the callback is null");
  return [write, context](std::string_view bytes) {
    const dn_status status =
        write(context, reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int64_t>(bytes.size()));
    if (status != DN_OK) fail(status, "save: the callback stopped the writing");
  };
}

/// Hands a string out, borrowed from its owner.
inline void hand_out(const std::string& string, const char** out, int64_t* out_length) {
  required(out, "out") = string.c_str();
  if (out_length != nullptr) *out_length = static_cast<int64_t>(string.size());
}

}  // namespace dynnet::c_api

#endif  // DYNNET_C_API_TEXT_H_

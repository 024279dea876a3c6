#include "c_api/guard.h"

#include <cstring>
#include <exception>
#include <new>
#include <string>

namespace dynnet::c_api {
namespace {

// A fixed buffer for the message: reporting "out of memory" must not need memory.
constexpr size_t kLongestMessage = 2048;
thread_local char last_message[kLongestMessage];
thread_local int64_t last_length = 0;

void keep(const char* message) noexcept {
  size_t length = std::strlen(message);
  if (length >= kLongestMessage) length = kLongestMessage - 1;
  std::memcpy(last_message, message, length);
  last_message[length] = '\0';
  last_length = static_cast<int64_t>(length);
}

}  // namespace

dn_status report_current_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    keep(error.what());
    return error.status();
  } catch (const std::bad_alloc&) {
    keep("the operating system has no more memory for the library's own records");
    return DN_E_MEMORY;
  } catch (const std::exception& error) {
    keep(error.what());
    return DN_E_INTERNAL;
  } catch (...) {
    keep("an exception of an unknown type inside the library");
    return DN_E_INTERNAL;
  }
}

}  // namespace dynnet::c_api

const char* dn_last_error(int64_t* length) {
  if (length != nullptr) *length = dynnet::c_api::last_length;
  return dynnet::c_api::last_message;
}

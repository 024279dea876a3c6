// The engine's one exception type. It carries the status that the C ABI returns and a message that names the operation,
// the shapes and the numbers.
#ifndef DYNNET_CORE_ERROR_H_
#define DYNNET_CORE_ERROR_H_

#include <exception>
#include <string>
#include <utility>

#include "dynnet/dynnet.h"

namespace dynnet {

class Error : public std::exception {
 public:
  Error(dn_status status, std::string message) : status_(status), message_(std::move(message)) {}
  dn_status status() const { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  dn_status status_;
  std::string message_;
};

/// Throws an Error with a printf-formatted message.
[[noreturn]] [[gnu::format(printf, 2, 3)]] void fail(dn_status status, const char* format, ...);

/// What a pointer points to; throws if it is null.
template <class T>
T& required(T* pointer, const char* what) {
  if (pointer == nullptr) [[unlikely]]
    fail(DN_E_ARGUMENT, "%s is null", what);
  return *pointer;
}

/// A printf-formatted string.
[[gnu::format(printf, 1, 2)]] std::string format(const char* format, ...);

}  // namespace dynnet

#endif  // DYNNET_CORE_ERROR_H_

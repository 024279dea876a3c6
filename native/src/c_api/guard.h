// The border: every extern "C" body that can fail runs inside `guard`, which turns exceptions into a status and keeps
// the message for dn_last_error.
#ifndef DYNNET_C_API_GUARD_H_
#define DYNNET_C_API_GUARD_H_

#include "core/error.h"
#include "dynnet/dynnet.h"

namespace dynnet::c_api {

/// Keeps the current exception's message and returns its status. Called inside a catch block only.
dn_status report_current_exception() noexcept;

template <class Body>
dn_status guard(Body&& body) noexcept {
  try {
    body();
    return DN_OK;
  } catch (...) {
    return report_current_exception();
  }
}

}  // namespace dynnet::c_api

#endif  // DYNNET_C_API_GUARD_H_

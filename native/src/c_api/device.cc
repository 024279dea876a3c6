#include <cstring>

#include "c_api/guard.h"
#include "core/kernels.h"
#include "dynnet/dynnet.h"
#include "memory/memory.h"
#include "parallel/parallel.h"

using dynnet::fail;
using dynnet::c_api::guard;

namespace {

const char* with_length(const char* text, int64_t* length) {
  if (length != nullptr) *length = static_cast<int64_t>(std::strlen(text));
  return text;
}

}  // namespace

int32_t dn_abi_version(void) { return DN_ABI_VERSION; }

const char* dn_version(int64_t* length) { return with_length(DYNNET_VERSION, length); }

const char* dn_device_isa(int64_t* length) {
  const char* name = "none";
  guard([&] { name = dynnet::kernels().name; });
  return with_length(name, length);
}

int32_t dn_device_threads(void) {
  int32_t threads = 0;
  guard([&] { threads = dynnet::threads(); });
  return threads;
}

dn_status dn_device_set_threads(int32_t threads) {
  return guard([&] { dynnet::set_threads(threads); });
}

int64_t dn_memory_used(void) { return dynnet::memory_used(); }

int64_t dn_memory_limit(void) { return dynnet::memory_limit(); }

dn_status dn_memory_set_limit(int64_t bytes) {
  return guard([&] {
    if (bytes < 0) fail(DN_E_ARGUMENT, "a memory limit of %lld bytes", static_cast<long long>(bytes));
    dynnet::set_memory_limit(bytes);
  });
}

dn_status dn_memory_reserve(int64_t bytes) {
  return guard([&] {
    if (bytes < 0) fail(DN_E_ARGUMENT, "a reservation of %lld bytes", static_cast<long long>(bytes));
    dynnet::reserve(bytes, "the caller's own memory");
  });
}

dn_status dn_memory_unreserve(int64_t bytes) {
  return guard([&] {
    if (bytes < 0) fail(DN_E_ARGUMENT, "a reservation of %lld bytes", static_cast<long long>(bytes));
    dynnet::unreserve(bytes);
  });
}

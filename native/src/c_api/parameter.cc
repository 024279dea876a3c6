#include <cstring>

#include "c_api/guard.h"
#include "c_api/text.h"
#include "c_api/values.h"
#include "dynnet/dynnet.h"
#include "nn/gradients.h"
#include "nn/model.h"

using dynnet::fail;
using dynnet::required;
using dynnet::c_api::bytes;
using dynnet::c_api::check_count;
using dynnet::c_api::check_row;
using dynnet::c_api::guard;
using dynnet::c_api::hand_out;

namespace {

void hand_out(const float* values, int64_t count, const float** out, int64_t* out_count) {
  required(out, "out") = values;
  if (out_count != nullptr) *out_count = count;
}

}  // namespace

dn_status dn_parameter_name(const dn_parameter* parameter, const char** out, int64_t* out_length) {
  return guard([&] { hand_out(required(parameter, "the parameter").name, out, out_length); });
}

dn_status dn_parameter_dim(const dn_parameter* parameter, dn_dim* out) {
  return guard([&] {
    const dn_parameter& self = required(parameter, "the parameter");
    required(out, "out") = dynnet::to_c(self.dim);
  });
}

dn_status dn_parameter_values(const dn_parameter* parameter, const float** out, int64_t* out_count) {
  return guard([&] {
    const dn_parameter& self = required(parameter, "the parameter");
    hand_out(self.values.data(), self.dim.size(), out, out_count);
  });
}

dn_status dn_parameter_set_values(dn_parameter* parameter, const float* values, int64_t values_count) {
  return guard([&] {
    dn_parameter& self = required(parameter, "the parameter");
    check_count(values, values_count, self.dim.size(), self.name);
    std::memcpy(self.values.data(), values, bytes(values_count));
    self.version.fetch_add(1, std::memory_order_release);
  });
}

dn_status dn_parameter_gradient(dn_parameter* parameter, const float** out, int64_t* out_count) {
  return guard([&] {
    dn_parameter& self = required(parameter, "the parameter");
    required(out, "out");
    hand_out(self.storage->gradients().read(self), self.dim.size(), out, out_count);
  });
}

dn_status dn_lookup_parameter_name(const dn_lookup_parameter* parameter, const char** out, int64_t* out_length) {
  return guard([&] { hand_out(required(parameter, "the parameter").name, out, out_length); });
}

dn_status dn_lookup_parameter_dim(const dn_lookup_parameter* parameter, dn_dim* out) {
  return guard([&] {
    const dn_lookup_parameter& self = required(parameter, "the parameter");
    required(out, "out") = dynnet::to_c(self.dim);
  });
}

dn_status dn_lookup_parameter_rows(const dn_lookup_parameter* parameter, int64_t* out) {
  return guard([&] {
    const dn_lookup_parameter& self = required(parameter, "the parameter");
    required(out, "out") = self.rows;
  });
}

dn_status dn_lookup_parameter_values(const dn_lookup_parameter* parameter, const float** out, int64_t* out_count) {
  return guard([&] {
    const dn_lookup_parameter& self = required(parameter, "the parameter");
    hand_out(self.values.data(), self.rows * self.row_size(), out, out_count);
  });
}

dn_status dn_lookup_parameter_set_values(dn_lookup_parameter* parameter, const float* values, int64_t values_count) {
  return guard([&] {
    dn_lookup_parameter& self = required(parameter, "the parameter");
    check_count(values, values_count, self.rows * self.row_size(), self.name);
    std::memcpy(self.values.data(), values, bytes(values_count));
    self.version.fetch_add(1, std::memory_order_release);
  });
}

dn_status dn_lookup_parameter_set_row(dn_lookup_parameter* parameter, int64_t row, const float* values,
                                      int64_t values_count) {
  return guard([&] {
    dn_lookup_parameter& self = required(parameter, "the parameter");
    check_row(self, row);
    check_count(values, values_count, self.row_size(), self.name);
    std::memcpy(self.row(row), values, bytes(values_count));
    self.version.fetch_add(1, std::memory_order_release);
  });
}

dn_status dn_lookup_parameter_row_gradient(dn_lookup_parameter* parameter, int64_t row, float* values,
                                           int64_t values_count) {
  return guard([&] {
    dn_lookup_parameter& self = required(parameter, "the parameter");
    dynnet::c_api::copy_row_gradient(self.storage->gradients(), self, row, values, values_count);
  });
}

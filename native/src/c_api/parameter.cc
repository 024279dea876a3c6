#include <algorithm>
#include <cstring>

#include "c_api/guard.h"
#include "c_api/text.h"
#include "c_api/values.h"
#include "dynnet/dynnet.h"
#include "nn/gradients.h"
#include "nn/model.h"
#include "nn/scaling.h"

using dynnet::fail;
using dynnet::GradientLock;
using dynnet::GradientSet;
using dynnet::required;
using dynnet::c_api::bytes;
using dynnet::c_api::check_count;
using dynnet::c_api::check_row;
using dynnet::c_api::checked_factor;
using dynnet::c_api::guard;
using dynnet::c_api::hand_out;
using dynnet::c_api::living;

namespace {

void hand_out(const float* values, int64_t count, const float** out, int64_t* out_count) {
  required(out, "out") = values;
  if (out_count != nullptr) *out_count = count;
}

template <class Trained>
void advance(Trained& trained) {
  trained.version.fetch_add(1, std::memory_order_release);
}

template <class Trained>
dn_status updated(const Trained* trained, int32_t* out) {
  return guard([&] { required(out, "out") = living(trained).updated ? 1 : 0; });
}

template <class Trained>
dn_status set_updated(Trained* trained, int32_t on) {
  return guard([&] { living(trained).updated = on != 0; });
}

template <class Trained>
dn_status zero(Trained* trained) {
  return guard([&] {
    Trained& self = living(trained);
    GradientSet& gradients = self.storage->gradients();
    const GradientLock lock(gradients, "zero");
    gradients.reset(self);
    std::fill_n(self.values.data(), self.values.size(), 0.0f);
    advance(self);
  });
}

template <class Trained>
dn_status clip(Trained* trained, double low, double high) {
  return guard([&] {
    Trained& self = living(trained);
    if (!(low <= high)) fail(DN_E_ARGUMENT, "%s: clipped to %g and %g: the lower first", self.name.c_str(), low, high);
    dynnet::kernels().clip(self.values.data(), self.values.size(), static_cast<float>(low), static_cast<float>(high));
    advance(self);
  });
}

template <class Trained>
dn_status scale(Trained* trained, double factor) {
  return guard([&] {
    Trained& self = living(trained);
    dynnet::scale(self.values.data(), self.values.size(), checked_factor(factor));
    advance(self);
  });
}

template <class Trained>
dn_status scale_gradient(Trained* trained, double factor) {
  return guard([&] {
    Trained& self = living(trained);
    GradientSet& gradients = self.storage->gradients();
    const GradientLock lock(gradients, "scale gradient");
    dynnet::scale_gradient(gradients, self, checked_factor(factor));
  });
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
    const dn_parameter& self = living(parameter);
    hand_out(self.values.data(), self.dim.size(), out, out_count);
  });
}

dn_status dn_parameter_set_values(dn_parameter* parameter, const float* values, int64_t values_count) {
  return guard([&] {
    dn_parameter& self = living(parameter);
    check_count(values, values_count, self.dim.size(), self.name);
    std::memcpy(self.values.data(), values, bytes(values_count));
    self.version.fetch_add(1, std::memory_order_release);
  });
}

dn_status dn_parameter_gradient(dn_parameter* parameter, const float** out, int64_t* out_count) {
  return guard([&] {
    dn_parameter& self = living(parameter);
    required(out, "out");
    hand_out(self.storage->gradients().show(self), self.dim.size(), out, out_count);
  });
}

dn_status dn_parameter_updated(const dn_parameter* parameter, int32_t* out) { return updated(parameter, out); }

dn_status dn_parameter_set_updated(dn_parameter* parameter, int32_t on) { return set_updated(parameter, on); }

dn_status dn_parameter_zero(dn_parameter* parameter) { return zero(parameter); }

dn_status dn_parameter_clip(dn_parameter* parameter, double low, double high) { return clip(parameter, low, high); }

dn_status dn_parameter_scale(dn_parameter* parameter, double factor) { return scale(parameter, factor); }

dn_status dn_parameter_scale_gradient(dn_parameter* parameter, double factor) {
  return scale_gradient(parameter, factor);
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
    const dn_lookup_parameter& self = living(parameter);
    hand_out(self.values.data(), self.rows * self.row_size(), out, out_count);
  });
}

dn_status dn_lookup_parameter_set_values(dn_lookup_parameter* parameter, const float* values, int64_t values_count) {
  return guard([&] {
    dn_lookup_parameter& self = living(parameter);
    check_count(values, values_count, self.rows * self.row_size(), self.name);
    std::memcpy(self.values.data(), values, bytes(values_count));
    self.version.fetch_add(1, std::memory_order_release);
  });
}

dn_status dn_lookup_parameter_set_row(dn_lookup_parameter* parameter, int64_t row, const float* values,
                                      int64_t values_count) {
  return guard([&] {
    dn_lookup_parameter& self = living(parameter);
    check_row(self, row);
    check_count(values, values_count, self.row_size(), self.name);
    std::memcpy(self.row(row), values, bytes(values_count));
    self.version.fetch_add(1, std::memory_order_release);
  });
}

dn_status dn_lookup_parameter_row_gradient(dn_lookup_parameter* parameter, int64_t row, float* values,
                                           int64_t values_count) {
  return guard([&] {
    dn_lookup_parameter& self = living(parameter);
    dynnet::c_api::copy_row_gradient(self.storage->gradients(), self, row, values, values_count);
  });
}

dn_status dn_lookup_parameter_updated(const dn_lookup_parameter* parameter, int32_t* out) {
  return updated(parameter, out);
}

dn_status dn_lookup_parameter_set_updated(dn_lookup_parameter* parameter, int32_t on) {
  return set_updated(parameter, on);
}

dn_status dn_lookup_parameter_zero(dn_lookup_parameter* parameter) { return zero(parameter); }

dn_status dn_lookup_parameter_clip(dn_lookup_parameter* parameter, double low, double high) {
  return clip(parameter, low, high);
}

dn_status dn_lookup_parameter_scale(dn_lookup_parameter* parameter, double factor) { return scale(parameter, factor); }

dn_status dn_lookup_parameter_scale_gradient(dn_lookup_parameter* parameter, double factor) {
  return scale_gradient(parameter, factor);
}

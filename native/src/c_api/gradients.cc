#include "nn/gradients.h"

#include "c_api/guard.h"
#include "c_api/values.h"
#include "dynnet/dynnet.h"

using dynnet::fail;
using dynnet::GradientLock;
using dynnet::GradientSet;
using dynnet::required;
using dynnet::c_api::guard;
using dynnet::c_api::living;

dn_status dn_gradients_create(dn_model* model, dn_gradients** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    *out = new dn_gradients{owner.storage, GradientSet(*owner.storage)};
  });
}

void dn_gradients_free(dn_gradients* gradients) { delete gradients; }

dn_status dn_gradients_reset(dn_gradients* gradients) {
  return guard([&] {
    GradientSet& set = required(gradients, "the gradient set").set;
    const GradientLock lock(set, "reset gradients");
    set.reset();
  });
}

dn_status dn_gradients_parameter(dn_gradients* gradients, const dn_parameter* parameter, const float** out,
                                 int64_t* out_count) {
  return guard([&] {
    dn_gradients& self = required(gradients, "the gradient set");
    const dn_parameter& of = living(parameter);
    if (of.storage != self.storage.get())
      fail(DN_E_ARGUMENT, "%s is of another model than the gradient set", of.name.c_str());
    required(out, "out") = self.set.show(of);
    if (out_count != nullptr) *out_count = of.dim.size();
  });
}

dn_status dn_gradients_lookup_row(dn_gradients* gradients, const dn_lookup_parameter* parameter, int64_t row,
                                  float* values, int64_t values_count) {
  return guard([&] {
    dn_gradients& self = required(gradients, "the gradient set");
    const dn_lookup_parameter& of = living(parameter);
    if (of.storage != self.storage.get())
      fail(DN_E_ARGUMENT, "%s is of another model than the gradient set", of.name.c_str());
    dynnet::c_api::copy_row_gradient(self.set, of, row, values, values_count);
  });
}

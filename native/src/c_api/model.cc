#include "nn/model.h"

#include <algorithm>
#include <memory>

#include "c_api/guard.h"
#include "c_api/text.h"
#include "dynnet/dynnet.h"
#include "nn/gradients.h"

using dynnet::Dim;
using dynnet::fail;
using dynnet::GradientLock;
using dynnet::required;
using dynnet::Storage;
using dynnet::StorageRef;
using dynnet::c_api::guard;
using dynnet::c_api::hand_out;
using dynnet::c_api::text;

namespace {

Dim parameter_dim(const dn_dim* dim, const char* what) {
  const Dim result = dynnet::checked_dim(dim, what);
  if (result.bd != 1) fail(DN_E_ARGUMENT, "%s: a parameter has no batch, and %s has", what, result.text().c_str());
  return result;
}

void check_table(int64_t rows, const Dim& dim) {
  constexpr int64_t kMostRows = INT32_MAX;
  if (rows < 1 || rows > kMostRows)
    fail(DN_E_ARGUMENT, "a lookup parameter of %lld rows: 1 to %lld", static_cast<long long>(rows),
         static_cast<long long>(kMostRows));
  if (dim.nd == DN_MAX_DIMS)
    fail(DN_E_ARGUMENT, "a lookup parameter with rows of %s: at most %d dimensions, since the rows are one more",
         dim.text().c_str(), DN_MAX_DIMS - 1);
  if (rows > dynnet::kMostElements / dim.size())
    fail(DN_E_MEMORY, "a lookup parameter of %lld rows of %s has more than 2^40 elements", static_cast<long long>(rows),
         dim.text().c_str());
}

template <class Parameter>
int64_t count(const dn_model& model, const std::vector<std::unique_ptr<Parameter>>& all) {
  if (model.path == "/") return static_cast<int64_t>(all.size());
  return std::count_if(all.begin(), all.end(), [&](const auto& parameter) { return model.holds(parameter->name); });
}

// The index-th of those that lie below the model's path.
template <class Parameter>
Parameter* at(const dn_model& model, const std::vector<std::unique_ptr<Parameter>>& all, int64_t index,
              const char* what) {
  // A root holds them all.
  if (model.path == "/" && index >= 0 && index < static_cast<int64_t>(all.size()))
    return all[static_cast<size_t>(index)].get();
  int64_t left = index;
  for (const auto& parameter : all)
    if (model.holds(parameter->name) && left-- == 0) return parameter.get();
  fail(DN_E_INDEX, "there is no %s %lld: %s has %lld", what, static_cast<long long>(index), model.path.c_str(),
       static_cast<long long>(count(model, all)));
}

}  // namespace

dn_status dn_model_create(uint64_t seed, dn_model** out) {
  return guard([&] {
    required(out, "out");
    auto* const storage = new Storage(seed);
    StorageRef reference(storage);
    storage->release();  // the creator's reference; the handle holds its own
    *out = new dn_model{std::move(reference), "/"};
  });
}

void dn_model_free(dn_model* model) { delete model; }

dn_status dn_model_add_subcollection(dn_model* model, const char* name, int64_t name_length, dn_model** out) {
  return guard([&] {
    const dn_model& parent = required(model, "the model");
    required(out, "out");
    std::string path =
        parent.storage->unique_name(parent.path, text(name, name_length, "the name"), "sub-collection", "/");
    auto child = std::make_unique<dn_model>(dn_model{parent.storage, path});
    parent.storage->take_name(path);
    *out = child.release();
  });
}

dn_status dn_model_path(const dn_model* model, const char** out, int64_t* out_length) {
  return guard([&] { hand_out(required(model, "the model").path, out, out_length); });
}

dn_status dn_model_add_parameters(dn_model* model, const dn_dim* dim, const dn_initializer* initializer,
                                  const char* name, int64_t name_length, dn_parameter** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    const Dim shape = parameter_dim(dim, "parameter");
    const std::string full = owner.storage->unique_name(owner.path, text(name, name_length, "the name"), "parameter");
    *out = &owner.storage->add(shape, required(initializer, "the initializer"), full);
  });
}

dn_status dn_model_add_lookup_parameters(dn_model* model, int64_t rows, const dn_dim* dim,
                                         const dn_initializer* initializer, const char* name, int64_t name_length,
                                         dn_lookup_parameter** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    const Dim shape = parameter_dim(dim, "lookup parameter");
    check_table(rows, shape);
    const std::string full =
        owner.storage->unique_name(owner.path, text(name, name_length, "the name"), "lookup parameter");
    *out = &owner.storage->add_lookup(rows, shape, required(initializer, "the initializer"), full);
  });
}

dn_status dn_model_parameters_count(const dn_model* model, int64_t* out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out") = count(owner, owner.storage->parameters());
  });
}

dn_status dn_model_parameter_at(const dn_model* model, int64_t index, dn_parameter** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out") = at(owner, owner.storage->parameters(), index, "parameter");
  });
}

dn_status dn_model_lookup_parameters_count(const dn_model* model, int64_t* out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out") = count(owner, owner.storage->lookups());
  });
}

dn_status dn_model_lookup_parameter_at(const dn_model* model, int64_t index, dn_lookup_parameter** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out") = at(owner, owner.storage->lookups(), index, "lookup parameter");
  });
}

dn_status dn_model_values_count(const dn_model* model, int64_t* out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    int64_t total = 0;
    for (const auto& parameter : owner.storage->parameters())
      if (owner.holds(parameter->name)) total += parameter->dim.size();
    for (const auto& table : owner.storage->lookups())
      if (owner.holds(table->name)) total += table->rows * table->row_size();
    required(out, "out") = total;
  });
}

dn_status dn_model_weight_decay(const dn_model* model, double* out) {
  return guard([&] { required(out, "out") = required(model, "the model").storage->weight_decay; });
}

dn_status dn_model_set_weight_decay(dn_model* model, double lambda) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    if (!(lambda >= 0 && lambda < 1)) fail(DN_E_ARGUMENT, "a weight decay of %g: 0 or more, less than 1", lambda);
    owner.storage->weight_decay = lambda;
  });
}

dn_status dn_model_reset_gradients(dn_model* model) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    dynnet::GradientSet& gradients = owner.storage->gradients();
    const GradientLock lock(gradients, "reset gradients");
    for (const auto& parameter : owner.storage->parameters())
      if (owner.holds(parameter->name)) gradients.reset(*parameter);
    for (const auto& table : owner.storage->lookups())
      if (owner.holds(table->name)) gradients.reset(*table);
  });
}

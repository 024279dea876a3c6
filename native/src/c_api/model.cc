#include "nn/model.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "c_api/guard.h"
#include "c_api/text.h"
#include "c_api/values.h"
#include "dynnet/dynnet.h"
#include "io/values_file.h"
#include "nn/gradients.h"
#include "nn/scaling.h"

using dynnet::Dim;
using dynnet::fail;
using dynnet::GradientLock;
using dynnet::required;
using dynnet::Storage;
using dynnet::StorageRef;
using dynnet::c_api::checked_factor;
using dynnet::c_api::guard;
using dynnet::c_api::hand_out;
using dynnet::c_api::path_text;
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

// An initializer as a storage takes it: values of a file are given values. They lie in `read`.
dn_initializer resolved(const dn_initializer* initializer, const std::string& name, std::vector<float>* read) {
  dn_initializer result = required(initializer, "the initializer");
  if (result.kind != DN_INIT_FILE) return result;
  const std::string path = path_text(result.path, result.path_length);
  *read = dynnet::io::read_values_file(path, name);
  read->reserve(1);  // no values are not null
  result.kind = DN_INIT_VALUES;
  result.values = read->data();
  result.values_count = static_cast<int64_t>(read->size());
  return result;
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

int64_t count_subcollections(const dn_model& model) {
  const std::vector<std::string>& all = model.storage->subcollections();
  return std::count_if(all.begin(), all.end(), [&](const std::string& path) { return model.is_below(path); });
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
    parent.storage->take_path(path);
    *out = child.release();
  });
}

dn_status dn_model_subcollections_count(const dn_model* model, int64_t* out) {
  return guard([&] { required(out, "out") = count_subcollections(required(model, "the model")); });
}

dn_status dn_model_subcollection_at(const dn_model* model, int64_t index, dn_model** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    int64_t left = index;
    for (const std::string& path : owner.storage->subcollections()) {
      if (!owner.is_below(path) || left-- != 0) continue;
      *out = new dn_model{owner.storage, path};
      return;
    }
    fail(DN_E_INDEX, "there is no sub-collection %lld: %s has %lld", static_cast<long long>(index), owner.path.c_str(),
         static_cast<long long>(count_subcollections(owner)));
  });
}

dn_status dn_model_find_subcollection(const dn_model* model, const char* path, int64_t path_length, dn_model** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    std::string wanted(text(path, path_length, "the path"));
    const bool is_there = owner.is_below(wanted) && owner.storage->has_subcollection(wanted);
    *out = is_there ? new dn_model{owner.storage, std::move(wanted)} : nullptr;
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
    std::vector<float> read;
    *out = &owner.storage->add(shape, resolved(initializer, full, &read), full);
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
    std::vector<float> read;
    *out = &owner.storage->add_lookup(rows, shape, resolved(initializer, full, &read), full);
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

dn_status dn_mark_create(const dn_model* model, dn_mark** out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    *out = new dn_mark{owner.storage, owner.storage->mark()};
  });
}

void dn_mark_free(dn_mark* mark) { delete mark; }

dn_status dn_model_rollback(dn_model* model, const dn_mark* mark) {
  return guard([&] {
    Storage& storage = *required(model, "the model").storage;
    const dn_mark& from = required(mark, "the mark");
    if (from.storage.get() != &storage) fail(DN_E_ARGUMENT, "rollback: the mark is of another model");
    if (!storage.has(from.mark)) fail(DN_E_STATE, "rollback: what the mark noted was taken back itself");
    storage.rollback(from.mark);
  });
}

dn_status dn_model_values_count(const dn_model* model, int64_t* out) {
  return guard([&] {
    int64_t total = 0;
    required(model, "the model").for_each([&](const auto& trained) { total += trained.values.size(); });
    required(out, "out") = total;
  });
}

dn_status dn_model_updated_values_count(const dn_model* model, int64_t* out) {
  return guard([&] {
    int64_t total = 0;
    required(model, "the model").for_each([&](const auto& trained) {
      if (trained.updated) total += trained.values.size();
    });
    required(out, "out") = total;
  });
}

dn_status dn_model_set_updated(dn_model* model, int32_t on) {
  return guard([&] { required(model, "the model").for_each([&](auto& trained) { trained.updated = on != 0; }); });
}

dn_status dn_model_weight_decay(const dn_model* model, double* out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out") = owner.storage->weight_decay(owner.path);
  });
}

dn_status dn_model_set_weight_decay(dn_model* model, double lambda) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    if (!(lambda >= 0 && lambda < 1)) fail(DN_E_ARGUMENT, "a weight decay of %g: 0 or more, less than 1", lambda);
    owner.storage->set_weight_decay(owner.path, lambda);
  });
}

dn_status dn_model_reset_gradients(dn_model* model) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    dynnet::GradientSet& gradients = owner.storage->gradients();
    const GradientLock lock(gradients, "reset gradients");
    owner.for_each([&](const auto& trained) { gradients.reset(trained); });
  });
}

dn_status dn_model_gradient_norm(const dn_model* model, double* out) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    dynnet::GradientSet& gradients = owner.storage->gradients();
    const GradientLock lock(gradients, "gradient norm");
    double sum = 0;
    owner.for_each([&](const auto& trained) { sum += dynnet::squared_norm(gradients, trained); });
    *out = std::sqrt(sum);
  });
}

dn_status dn_model_scale_gradients(dn_model* model, double factor) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    const float by = checked_factor(factor);
    dynnet::GradientSet& gradients = owner.storage->gradients();
    const GradientLock lock(gradients, "scale gradients");
    owner.for_each([&](const auto& trained) { dynnet::scale_gradient(gradients, trained, by); });
  });
}

dn_status dn_model_scale_values(dn_model* model, double factor) {
  return guard([&] {
    const float by = checked_factor(factor);
    required(model, "the model").for_each([&](auto& trained) {
      dynnet::scale(trained.values.data(), trained.values.size(), by);
      trained.version.fetch_add(1, std::memory_order_release);
    });
  });
}

dn_status dn_model_project_weights(dn_model* model, double radius) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    if (!(radius > 0) || !std::isfinite(radius))
      fail(DN_E_ARGUMENT, "project weights: a radius of %g: finite, more than 0", radius);
    dynnet::project_weights(owner, radius);
  });
}

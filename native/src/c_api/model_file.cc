#include "io/model_file.h"

#include <memory>

#include "c_api/guard.h"
#include "c_api/text.h"
#include "c_api/values.h"
#include "dynnet/dynnet.h"
#include "io/file.h"
#include "io/text_format.h"
#include "nn/gradients.h"
#include "nn/model.h"

using dynnet::GradientLock;
using dynnet::required;
using dynnet::c_api::guard;
using dynnet::c_api::living;
using dynnet::c_api::path_text;
using dynnet::c_api::text;
using dynnet::io::checked_key;
using dynnet::io::checked_name;
using dynnet::io::FileContent;
using dynnet::io::Sink;

namespace {

constexpr const char* kGivenText = "the model's text";

std::string key_text(const char* key, int64_t length) { return checked_key(text(key, length, "the key")); }

std::string_view given_text(const uint8_t* bytes, int64_t count) {
  return text(reinterpret_cast<const char*>(bytes), count, kGivenText);
}

void save(const dn_model& model, const std::string& key, bool with_gradients, const Sink& sink) {
  if (!with_gradients) return dynnet::io::write_model(model, key, false, sink);
  const GradientLock lock(model.storage->gradients(), "save with gradients");
  dynnet::io::write_model(model, key, true, sink);
}

template <class Trained>
std::string name_text(const Trained& trained, const char* key, int64_t length) {
  std::string name = checked_name(text(key, length, "the key"));
  return name.empty() ? trained.name : name;
}

template <class Trained>
void save_one(const Trained& trained, const std::string& name, bool with_gradients, const Sink& sink) {
  if (!with_gradients) return dynnet::io::write_one(trained, name, false, sink);
  const GradientLock lock(trained.storage->gradients(), "save with gradients");
  dynnet::io::write_one(trained, name, true, sink);
}

template <class Trained>
dn_status save_one(const Trained* trained, const char* path, int64_t path_length, const char* key, int64_t key_length,
                   int32_t with_gradients) {
  return guard([&] {
    const Trained& self = living(trained);
    const std::string name = name_text(self, key, key_length);
    dynnet::io::write_file(path_text(path, path_length),
                           [&](const Sink& sink) { save_one(self, name, with_gradients != 0, sink); });
  });
}

template <class Trained>
dn_status save_one_to(const Trained* trained, dn_write_callback write, void* context, const char* key,
                      int64_t key_length, int32_t with_gradients) {
  return guard([&] {
    const Trained& self = living(trained);
    const Sink sink = dynnet::c_api::callback_sink(write, context);
    save_one(self, name_text(self, key, key_length), with_gradients != 0, sink);
  });
}

template <class Trained>
dn_status populate_one(Trained* trained, const char* path, int64_t path_length, const char* key, int64_t key_length) {
  return guard([&] {
    Trained& self = living(trained);
    const std::string file = path_text(path, path_length);
    const std::string name = name_text(self, key, key_length);
    const FileContent content(file);
    dynnet::io::populate_one(self, content.text(), name, "'" + file + "'");
  });
}

template <class Trained>
dn_status populate_one_from(Trained* trained, const uint8_t* bytes, int64_t bytes_count, const char* key,
                            int64_t key_length) {
  return guard([&] {
    Trained& self = living(trained);
    dynnet::io::populate_one(self, given_text(bytes, bytes_count), name_text(self, key, key_length), kGivenText);
  });
}

// Adds what load(storage, text, key, name, source) adds.
template <class Trained, class Load>
dn_status load_one(dn_model* model, const char* path, int64_t path_length, const char* key, int64_t key_length,
                   const char* name, int64_t name_length, const char* kind, Trained** out, Load load) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    const std::string file = path_text(path, path_length);
    const std::string read = checked_name(text(key, key_length, "the key"));
    if (read.empty()) dynnet::fail(DN_E_ARGUMENT, "the key of the %s in the file is empty", kind);
    const std::string full = owner.storage->unique_name(owner.path, text(name, name_length, "the name"), kind);
    const FileContent content(file);
    *out = &load(*owner.storage, content.text(), read, full, "'" + file + "'");
  });
}

dn_model* new_model(dynnet::StorageRef storage) { return new dn_model{std::move(storage), "/"}; }

}  // namespace

dn_status dn_model_save(const dn_model* model, const char* path, int64_t path_length, const char* key,
                        int64_t key_length, int32_t with_gradients) {
  return guard([&] {
    const dn_model& saved = required(model, "the model");
    const std::string prefix = key_text(key, key_length);
    dynnet::io::write_file(path_text(path, path_length),
                           [&](const Sink& sink) { save(saved, prefix, with_gradients != 0, sink); });
  });
}

dn_status dn_model_save_to(const dn_model* model, dn_write_callback write, void* context, const char* key,
                           int64_t key_length, int32_t with_gradients) {
  return guard([&] {
    const dn_model& saved = required(model, "the model");
    const Sink sink = dynnet::c_api::callback_sink(write, context);
    save(saved, key_text(key, key_length), with_gradients != 0, sink);
  });
}

dn_status dn_model_load(const char* path, int64_t path_length, const char* key, int64_t key_length, dn_model** out) {
  return guard([&] {
    required(out, "out");
    const std::string file = path_text(path, path_length);
    const std::string prefix = key_text(key, key_length);
    const FileContent content(file);
    *out = new_model(dynnet::io::load_model(content.text(), prefix, "'" + file + "'"));
  });
}

dn_status dn_model_load_from(const uint8_t* bytes, int64_t bytes_count, const char* key, int64_t key_length,
                             dn_model** out) {
  return guard([&] {
    required(out, "out");
    const std::string prefix = key_text(key, key_length);
    *out = new_model(dynnet::io::load_model(given_text(bytes, bytes_count), prefix, kGivenText));
  });
}

dn_status dn_model_populate(dn_model* model, const char* path, int64_t path_length, const char* key,
                            int64_t key_length) {
  return guard([&] {
    const dn_model& target = required(model, "the model");
    const std::string file = path_text(path, path_length);
    const std::string prefix = key_text(key, key_length);
    const FileContent content(file);
    dynnet::io::populate_model(target, content.text(), prefix, "'" + file + "'");
  });
}

dn_status dn_model_populate_from(dn_model* model, const uint8_t* bytes, int64_t bytes_count, const char* key,
                                 int64_t key_length) {
  return guard([&] {
    const dn_model& target = required(model, "the model");
    dynnet::io::populate_model(target, given_text(bytes, bytes_count), key_text(key, key_length), kGivenText);
  });
}

dn_status dn_model_load_parameters(dn_model* model, const char* path, int64_t path_length, const char* key,
                                   int64_t key_length, const char* name, int64_t name_length, dn_parameter** out) {
  return load_one(model, path, path_length, key, key_length, name, name_length, "parameter", out,
                  dynnet::io::load_parameter);
}

dn_status dn_model_load_lookup_parameters(dn_model* model, const char* path, int64_t path_length, const char* key,
                                          int64_t key_length, const char* name, int64_t name_length,
                                          dn_lookup_parameter** out) {
  return load_one(model, path, path_length, key, key_length, name, name_length, "lookup parameter", out,
                  dynnet::io::load_lookup_parameter);
}

dn_status dn_parameter_save(const dn_parameter* parameter, const char* path, int64_t path_length, const char* key,
                            int64_t key_length, int32_t with_gradients) {
  return save_one(parameter, path, path_length, key, key_length, with_gradients);
}

dn_status dn_parameter_save_to(const dn_parameter* parameter, dn_write_callback write, void* context, const char* key,
                               int64_t key_length, int32_t with_gradients) {
  return save_one_to(parameter, write, context, key, key_length, with_gradients);
}

dn_status dn_parameter_populate(dn_parameter* parameter, const char* path, int64_t path_length, const char* key,
                                int64_t key_length) {
  return populate_one(parameter, path, path_length, key, key_length);
}

dn_status dn_parameter_populate_from(dn_parameter* parameter, const uint8_t* bytes, int64_t bytes_count,
                                     const char* key, int64_t key_length) {
  return populate_one_from(parameter, bytes, bytes_count, key, key_length);
}

dn_status dn_lookup_parameter_save(const dn_lookup_parameter* parameter, const char* path, int64_t path_length,
                                   const char* key, int64_t key_length, int32_t with_gradients) {
  return save_one(parameter, path, path_length, key, key_length, with_gradients);
}

dn_status dn_lookup_parameter_save_to(const dn_lookup_parameter* parameter, dn_write_callback write, void* context,
                                      const char* key, int64_t key_length, int32_t with_gradients) {
  return save_one_to(parameter, write, context, key, key_length, with_gradients);
}

dn_status dn_lookup_parameter_populate(dn_lookup_parameter* parameter, const char* path, int64_t path_length,
                                       const char* key, int64_t key_length) {
  return populate_one(parameter, path, path_length, key, key_length);
}

dn_status dn_lookup_parameter_populate_from(dn_lookup_parameter* parameter, const uint8_t* bytes, int64_t bytes_count,
                                            const char* key, int64_t key_length) {
  return populate_one_from(parameter, bytes, bytes_count, key, key_length);
}

#include "io/trainer_file.h"

#include "c_api/guard.h"
#include "c_api/text.h"
#include "dynnet/dynnet.h"
#include "io/file.h"

using dynnet::required;
using dynnet::c_api::guard;
using dynnet::c_api::path_text;
using dynnet::io::FileContent;
using dynnet::io::Sink;

dn_status dn_trainer_save(const dn_trainer* trainer, const char* path, int64_t path_length) {
  return guard([&] {
    const dn_trainer& saved = required(trainer, "the trainer");
    dynnet::io::write_file(path_text(path, path_length),
                           [&](const Sink& sink) { dynnet::io::write_trainer(saved, sink); });
  });
}

dn_status dn_trainer_save_to(const dn_trainer* trainer, dn_write_callback write, void* context) {
  return guard([&] {
    const dn_trainer& saved = required(trainer, "the trainer");
    dynnet::io::write_trainer(saved, dynnet::c_api::callback_sink(write, context));
  });
}

dn_status dn_trainer_populate(dn_trainer* trainer, const char* path, int64_t path_length) {
  return guard([&] {
    dn_trainer& target = required(trainer, "the trainer");
    const std::string file = path_text(path, path_length);
    const FileContent content(file);
    dynnet::io::populate_trainer(target, content.text(), "'" + file + "'");
  });
}

dn_status dn_trainer_populate_from(dn_trainer* trainer, const uint8_t* bytes, int64_t bytes_count) {
  return guard([&] {
    dn_trainer& target = required(trainer, "the trainer");
    constexpr const char* kGivenText = "the trainer's text";
    dynnet::io::populate_trainer(
        target, dynnet::c_api::text(reinterpret_cast<const char*>(bytes), bytes_count, kGivenText), kGivenText);
  });
}

#include "io/file.h"

#include "c_api/guard.h"
#include "c_api/text.h"
#include "dynnet/dynnet.h"

using dynnet::required;
using dynnet::c_api::guard;

/// A file as handed out.
struct dn_file {
  dynnet::io::FileWriter writer;
};

dn_status dn_file_create(const char* path, int64_t path_length, dn_file** out) {
  return guard([&] {
    required(out, "out");
    *out = new dn_file{dynnet::io::FileWriter(dynnet::c_api::path_text(path, path_length))};
  });
}

dn_status dn_file_write(dn_file* file, const uint8_t* bytes, int64_t bytes_count) {
  return guard([&] {
    required(file, "the file")
        .writer.write(dynnet::c_api::text(reinterpret_cast<const char*>(bytes), bytes_count, "the bytes"));
  });
}

dn_status dn_file_commit(dn_file* file) {
  return guard([&] { required(file, "the file").writer.commit(); });
}

void dn_file_free(dn_file* file) { delete file; }

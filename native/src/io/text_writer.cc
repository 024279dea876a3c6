#include <algorithm>
#include <vector>

#include "core/error.h"
#include "io/block_writer.h"
#include "io/text_format.h"
#include "nn/gradients.h"

namespace dynnet::io {
namespace {

void write_header(BlockWriter& out, const std::string& name, const Dim& dim, int64_t rows, size_t bytes,
                  bool has_gradient) {
  out.write(format("#%s# %s %s %zu %s\n", rows > 0 ? "LookupParameter" : "Parameter", name.c_str(),
                   shape_text(dim, rows).c_str(), bytes, has_gradient ? "FULL_GRAD" : "ZERO_GRAD"));
}

void write_parameter(BlockWriter& out, const dn_parameter& parameter, const std::string& name, GradientSet* gradients) {
  const int64_t n = parameter.dim.size();
  const float* gradient = gradients != nullptr && gradients->has(parameter) ? gradients->read(parameter) : nullptr;
  size_t bytes = line_bytes(parameter.values.data(), n);
  if (gradient != nullptr) bytes += line_bytes(gradient, n);
  write_header(out, name, parameter.dim, 0, bytes, gradient != nullptr);
  out.write(parameter.values.data(), n);
  out.write("\n");
  if (gradient == nullptr) return;
  out.write(gradient, n);
  out.write("\n");
}

void write_table(BlockWriter& out, const dn_lookup_parameter& table, const std::string& name, GradientSet* gradients) {
  const int64_t n = table.rows * table.row_size();
  const bool has_gradient = gradients != nullptr && !gradients->rows(table).empty();
  const std::vector<float> zeros(has_gradient ? static_cast<size_t>(table.row_size()) : 0, 0.0f);
  // A row without a gradient has one of 0.
  const auto gradient_row = [&](int64_t i) {
    const float* row = gradients->row(table, static_cast<int32_t>(i));
    return row != nullptr ? row : zeros.data();
  };
  size_t bytes = line_bytes(table.values.data(), n);
  if (has_gradient) {
    bytes += 1;
    for (int64_t i = 0; i < table.rows; ++i) bytes += line_bytes(gradient_row(i), table.row_size()) - 1;
  }
  write_header(out, name, table.dim, table.rows, bytes, has_gradient);
  out.write(table.values.data(), n);
  out.write("\n");
  if (!has_gradient) return;
  for (int64_t i = 0; i < table.rows; ++i) out.write(gradient_row(i), table.row_size());
  out.write("\n");
}

std::string begun_by_slash(std::string_view key) {
  std::string result(key);
  if (result.empty()) return result;
  const bool has_space =
      std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (result.front() != '/' || has_space)
    fail(DN_E_ARGUMENT, "a key begins with '/' and has no whitespace in it: \"%s\"", result.c_str());
  return result;
}

}  // namespace

std::string shape_text(const Dim& dim, int64_t rows) {
  std::string shape = dim.text();
  if (rows > 0) {
    shape.pop_back();
    if (dim.nd > 0) shape += ',';
    shape += std::to_string(rows) + '}';
  }
  return shape;
}

void write_entry(BlockWriter& out, const std::string& name, const Dim& dim, int64_t rows, const Buffer& values) {
  write_header(out, name, dim, rows, line_bytes(values.data(), values.size()), false);
  out.write(values.data(), values.size());
  out.write("\n");
}

std::string checked_name(std::string_view name) {
  std::string result = begun_by_slash(name);
  if (!result.empty() && result.back() == '/')
    fail(DN_E_ARGUMENT, "a parameter's name does not end in '/': \"%s\"", result.c_str());
  return result;
}

std::string checked_key(std::string_view key) {
  std::string result = begun_by_slash(key);
  if (!result.empty() && result.back() != '/') result += '/';
  return result;
}

void write_one(const dn_parameter& parameter, const std::string& name, bool with_gradients, const Sink& sink) {
  BlockWriter out(sink);
  write_parameter(out, parameter, name, with_gradients ? &parameter.storage->gradients() : nullptr);
  out.flush();
}

void write_one(const dn_lookup_parameter& table, const std::string& name, bool with_gradients, const Sink& sink) {
  BlockWriter out(sink);
  write_table(out, table, name, with_gradients ? &table.storage->gradients() : nullptr);
  out.flush();
}

void write_model(const dn_model& model, const std::string& key, bool with_gradients, const Sink& sink) {
  Storage& storage = *model.storage;
  GradientSet* gradients = with_gradients ? &storage.gradients() : nullptr;
  const std::string& path = key.empty() ? model.path : key;
  const auto written_name = [&](const std::string& name) { return path + name.substr(model.path.size()); };
  BlockWriter out(sink);
  for (const auto& parameter : storage.parameters())
    if (model.holds(parameter->name)) write_parameter(out, *parameter, written_name(parameter->name), gradients);
  for (const auto& table : storage.lookups())
    if (model.holds(table->name)) write_table(out, *table, written_name(table->name), gradients);
  out.flush();
}

}  // namespace dynnet::io

#include "io/model_file.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "core/error.h"
#include "io/text_format.h"
#include "nn/gradients.h"

namespace dynnet::io {
namespace {

bool has_bits(const float* values, int64_t n) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(values);
  return std::any_of(bytes, bytes + n * static_cast<int64_t>(sizeof(float)), [](unsigned char b) { return b != 0; });
}

// Which rows had a gradient is not in the file: those that are not all +0.
void add_gradient_rows(GradientSet& gradients, const dn_lookup_parameter& table, const Buffer& gradient) {
  for (int32_t i = 0; i < table.rows; ++i) {
    const float* row = gradient.data() + i * table.row_size();
    if (has_bits(row, table.row_size())) gradients.add_rows(table, &i, &row, 1);
  }
}

void copy(const Buffer& from, float* to) {
  std::memcpy(to, from.data(), static_cast<size_t>(from.size()) * sizeof(float));
}

// Takes the paths of all sub-collections that a parameter's name passes through.
void take_path(Storage& storage, const std::string& name) {
  for (size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1))
    storage.take_path(name.substr(0, slash + 1));
}

// Adds what an entry holds.
dn_parameter& adopt(Storage& storage, Entry& entry, const std::string& name) {
  dn_parameter& parameter = storage.adopt(entry.dim, std::move(entry.values), name);
  if (!entry.gradient.empty()) copy(entry.gradient, storage.gradients().accumulate(parameter));
  return parameter;
}

dn_lookup_parameter& adopt_lookup(Storage& storage, Entry& entry, const std::string& name) {
  dn_lookup_parameter& table = storage.adopt_lookup(entry.rows, entry.dim, std::move(entry.values), name);
  if (entry.gradient.empty()) return table;
  storage.gradients().reserve_rows(table, table.rows);
  add_gradient_rows(storage.gradients(), table, entry.gradient);
  return table;
}

constexpr const char* kind_of(bool is_table) { return is_table ? "lookup parameter" : "parameter"; }

// Adds the one entry that the text has under `key` by adopt(storage, entry, name).
template <class Adopt>
auto& load_one(Storage& storage, std::string_view text, const std::string& key, const std::string& name,
               const std::string& source, bool is_table, Adopt adopt) {
  std::vector<Entry> entries = read_entries(text, key, source);
  if (entries.empty()) fail(DN_E_FORMAT, "%s has no %s %s", source.c_str(), kind_of(is_table), key.c_str());
  Entry& entry = entries.front();
  if (entry.is_table != is_table)
    fail(DN_E_FORMAT, "%s, line %lld: %s is no %s", source.c_str(), static_cast<long long>(entry.line), key.c_str(),
         kind_of(is_table));
  const GradientLock lock(storage.gradients(), "load");
  const Storage::Mark mark = storage.mark();
  try {
    return adopt(storage, entry, name);
  } catch (...) {
    storage.rollback(mark);
    throw;
  }
}

/// What of a text goes to which parameters.
class Population {
 public:
  /// @param path what read_entries takes
  Population(Storage& storage, std::string_view text, const std::string& path, const std::string& source)
      : storage_(storage), entries_(read_entries(text, path, source)), path_(path), source_(source) {
    for (const Entry& entry : entries_) by_name_.emplace(entry.name, &entry);
  }

  void add(dn_parameter& parameter, const std::string& name) {
    const Entry& entry = find(name, parameter.name, false);
    if (!entry.dim.same_shape(parameter.dim)) {
      fail(DN_E_FORMAT, "%s, line %lld: %s is %s, the model's %s is %s", source_.c_str(),
           static_cast<long long>(entry.line), entry.name.c_str(), entry.dim.text().c_str(), parameter.name.c_str(),
           parameter.dim.text().c_str());
    }
    parameters_.emplace_back(&parameter, &entry);
  }

  void add(dn_lookup_parameter& table, const std::string& name) {
    const Entry& entry = find(name, table.name, true);
    if (!entry.dim.same_shape(table.dim) || entry.rows != table.rows) {
      fail(DN_E_FORMAT, "%s, line %lld: %s has %lld rows of %s, the model's %s has %lld of %s", source_.c_str(),
           static_cast<long long>(entry.line), entry.name.c_str(), static_cast<long long>(entry.rows),
           entry.dim.text().c_str(), table.name.c_str(), static_cast<long long>(table.rows), table.dim.text().c_str());
    }
    tables_.emplace_back(&table, &entry);
  }

  void run() {
    GradientSet& gradients = storage_.gradients();
    const GradientLock lock(gradients, "populate");
    for (const auto& [parameter, entry] : parameters_)
      if (!entry->gradient.empty()) gradients.reserve(*parameter);
    for (const auto& [table, entry] : tables_)
      if (!entry->gradient.empty()) gradients.reserve_rows(*table, table->rows);

    // From here on nothing can fail.
    for (const auto& [parameter, entry] : parameters_) {
      copy(entry->values, parameter->values.data());
      parameter->version.fetch_add(1, std::memory_order_release);
      gradients.reset(*parameter);
      if (!entry->gradient.empty()) copy(entry->gradient, gradients.accumulate(*parameter));
    }
    for (const auto& [table, entry] : tables_) {
      copy(entry->values, table->values.data());
      table->version.fetch_add(1, std::memory_order_release);
      gradients.reset(*table);
      if (!entry->gradient.empty()) add_gradient_rows(gradients, *table, entry->gradient);
    }
  }

 private:
  const Entry& find(const std::string& name, const std::string& own_name, bool is_table) const {
    const char* const kind = kind_of(is_table);
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      const Entry& entry = *found->second;
      if (entry.is_table == is_table) return entry;
      fail(DN_E_FORMAT, "%s, line %lld: %s is no %s, as the model's %s is", source_.c_str(),
           static_cast<long long>(entry.line), name.c_str(), kind, own_name.c_str());
    }
    std::string hint;
    if (!entries_.empty())
      hint = ": the first of its " + std::to_string(entries_.size()) + " is " + entries_[0].name;
    else if (name != path_)
      hint = ": nothing in it lies below " + path_;
    fail(DN_E_FORMAT, "%s has no %s %s for the model's %s%s", source_.c_str(), kind, name.c_str(), own_name.c_str(),
         hint.c_str());
  }

  Storage& storage_;
  std::vector<Entry> entries_;
  const std::string& path_;
  const std::string& source_;
  std::map<std::string_view, const Entry*> by_name_;
  std::vector<std::pair<dn_parameter*, const Entry*>> parameters_;
  std::vector<std::pair<dn_lookup_parameter*, const Entry*>> tables_;
};

template <class Trained>
void populate_from(Trained& trained, std::string_view text, const std::string& name, const std::string& source) {
  Population population(*trained.storage, text, name, source);
  population.add(trained, name);
  population.run();
}

}  // namespace

StorageRef load_model(std::string_view text, const std::string& key, const std::string& source) {
  std::vector<Entry> entries = read_entries(text, key, source);
  if (entries.empty()) {
    const std::string where = key.empty() ? "no parameters" : "no parameters below " + key;
    fail(DN_E_FORMAT, "%s has %s", source.c_str(), where.c_str());
  }
  Storage* const storage = new Storage(0);
  StorageRef reference(storage);
  storage->release();  // the creator's reference; `reference` holds its own
  const GradientLock lock(storage->gradients(), "load");
  for (Entry& entry : entries) {
    const std::string name = key.empty() ? entry.name : '/' + entry.name.substr(key.size());
    take_path(*storage, name);
    if (entry.is_table)
      adopt_lookup(*storage, entry, name);
    else
      adopt(*storage, entry, name);
  }
  return reference;
}

void populate_model(const dn_model& model, std::string_view text, const std::string& key, const std::string& source) {
  const std::string& path = key.empty() ? model.path : key;
  Storage& storage = *model.storage;
  Population population(storage, text, path, source);
  const auto add = [&](const auto& all) {
    for (const auto& each : all)
      if (model.holds(each->name)) population.add(*each, path + each->name.substr(model.path.size()));
  };
  add(storage.parameters());
  add(storage.lookups());
  population.run();
}

void populate_one(dn_parameter& parameter, std::string_view text, const std::string& name, const std::string& source) {
  populate_from(parameter, text, name, source);
}

void populate_one(dn_lookup_parameter& table, std::string_view text, const std::string& name,
                  const std::string& source) {
  populate_from(table, text, name, source);
}

dn_parameter& load_parameter(Storage& storage, std::string_view text, const std::string& key, const std::string& name,
                             const std::string& source) {
  return load_one(storage, text, key, name, source, false, adopt);
}

dn_lookup_parameter& load_lookup_parameter(Storage& storage, std::string_view text, const std::string& key,
                                           const std::string& name, const std::string& source) {
  return load_one(storage, text, key, name, source, true, adopt_lookup);
}

}  // namespace dynnet::io

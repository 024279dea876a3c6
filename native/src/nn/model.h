// Models: parameters and lookup parameters in one name space. A model handle is a view of a storage under a path, so a
// sub-collection and its root share everything. Storages are counted by reference: graphs, trainers, builders and
// handles each hold one.
#ifndef DYNNET_NN_MODEL_H_
#define DYNNET_NN_MODEL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/dim.h"
#include "core/error.h"
#include "core/kernels.h"
#include "memory/memory.h"

namespace dynnet {

class Storage;
class GradientSet;

/// A number that no other parameter of the process has or had; a freed one's address may come back, its number not.
inline uint64_t next_parameter_id() {
  static std::atomic<uint64_t> id{0};
  return id.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace dynnet

/// A trained tensor. The canonical values are column-major and always current; packed copies carry the version that
/// they were made from.
struct dn_parameter {
  dynnet::Storage* storage;
  /// Its number among the storage's parameters, which none gets that comes after it, though it be taken back.
  uint32_t index;
  std::string name;
  dynnet::Dim dim;
  const uint64_t id = dynnet::next_parameter_id();
  dynnet::Buffer values;
  /// Advanced by whatever writes the values.
  std::atomic<uint64_t> version{1};
  /// Whether trainers update it.
  bool updated = true;
  /// Whether a graph has read it, and may hold its memory.
  std::atomic<bool> was_read{false};
  /// Whether it was taken back (Storage::rollback): nothing may use it any more, but graphs that did.
  bool is_gone = false;

  /// The values, and their transpose, packed for `Kernels::product`, made at most once per version. Any number of
  /// threads may ask at once while nobody writes the values.
  const float* packed();
  const float* packed_transpose();
  /// Whether a product of n columns should read the packed values: once as many columns were multiplied, since the
  /// values changed, as make up for packing.
  bool is_worth_packing(int64_t n);

 private:
  struct Copy {
    std::atomic<uint64_t> version{0};
    dynnet::Buffer values;
  };
  bool is_current(const Copy& copy) const {
    return copy.version.load(std::memory_order_acquire) == version.load(std::memory_order_acquire);
  }
  template <class Pack>
  const float* current(Copy& copy, int64_t rows, int64_t columns, Pack&& pack);

  std::mutex packing_;
  Copy packed_;
  Copy packed_transpose_;
  /// The low bits of a version, and how many columns were multiplied by the unpacked values of it; only speed depends
  /// on it.
  std::atomic<uint64_t> unpacked_columns_{0};
};

/// A table of trained rows.
struct dn_lookup_parameter {
  dynnet::Storage* storage;
  /// Its number among the storage's lookup parameters, which none gets that comes after it, though it be taken back.
  uint32_t index;
  std::string name;
  /// The shape of one row.
  dynnet::Dim dim;
  int64_t rows;
  const uint64_t id = dynnet::next_parameter_id();
  dynnet::Buffer values;
  std::atomic<uint64_t> version{1};
  /// Whether trainers update it.
  bool updated = true;
  /// Whether a graph has read it, and may hold its memory.
  std::atomic<bool> was_read{false};
  /// Whether it was taken back (Storage::rollback): nothing may use it any more, but graphs that did.
  bool is_gone = false;

  int64_t row_size() const { return dim.size(); }
  float* row(int64_t i) { return values.data() + i * row_size(); }
};

namespace dynnet {

/// Throws DN_E_STATE if a parameter or table was taken back.
template <class Trained>
void check_living(const Trained& trained) {
  if (trained.is_gone)
    fail(DN_E_STATE, "%s was taken back: it was made for a builder that failed", trained.name.c_str());
}

/// What a root model and its sub-collections share.
class Storage {
 public:
  explicit Storage(uint64_t seed);

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release();

  dn_parameter& add(const Dim& dim, const dn_initializer& initializer, const std::string& name);
  dn_lookup_parameter& add_lookup(int64_t rows, const Dim& dim, const dn_initializer& initializer,
                                  const std::string& name);
  /// Adds a parameter that was read from a file, under its full name, which must not be in use.
  dn_parameter& adopt(const Dim& dim, Buffer values, const std::string& name);
  dn_lookup_parameter& adopt_lookup(int64_t rows, const Dim& dim, Buffer values, const std::string& name);
  /// `name` below `path`, made unique as DyNet does. Parameters and lookup parameters share one set of names; those of
  /// sub-collections end in '/' and are apart from them. The name is in use once it is added or taken.
  /// @param what names the kind of thing in messages
  /// @param end "" or, for a sub-collection, "/"
  std::string unique_name(const std::string& path, std::string_view name, const char* what, const char* end = "");
  /// Takes the path of a sub-collection, if it was not yet.
  void take_path(const std::string& path);

  /// What rollback needs to take back everything added since.
  struct Mark {
    size_t parameters;
    size_t lookups;
    size_t subcollections;
    size_t names;
    /// The number of the latest of the names, which tells whether it is still the same; 0 if there was none.
    uint64_t latest_name;
    size_t number_changes;
  };
  Mark mark() const {
    const uint64_t latest = name_order_.empty() ? 0 : name_order_.back().number;
    return {parameters_.size(), lookups_.size(), subcollections_.size(),
            name_order_.size(), latest,          number_changes_.size()};
  }
  /// Takes back everything added since the mark, which must be there. Cannot fail. What is taken back stays where it is
  /// as long as the storage, so that whoever holds it finds that it is gone, and graphs their memory.
  void rollback(const Mark& mark);
  /// Whether everything that the mark notes is still there.
  bool has(const Mark& mark) const {
    return mark.names == 0 ||
           (mark.names <= name_order_.size() && name_order_[mark.names - 1].number == mark.latest_name);
  }
  /// More than the index of any parameter or table, those that were taken back included.
  size_t parameter_indices() const { return parameters_.size() + gone_parameters_.size(); }
  size_t lookup_indices() const { return lookups_.size() + gone_lookups_.size(); }

  std::vector<std::unique_ptr<dn_parameter>>& parameters() { return parameters_; }
  std::vector<std::unique_ptr<dn_lookup_parameter>>& lookups() { return lookups_; }
  /// The paths of all sub-collections, in the order of their creation.
  const std::vector<std::string>& subcollections() const { return subcollections_; }
  bool has_subcollection(const std::string& path) const { return path.ends_with('/') && names_.contains(path); }
  /// The model's own gradients.
  GradientSet& gradients() { return *gradients_; }

  /// The weight decay of a parameter, table or collection: that of the innermost collection around it, or which it is,
  /// that has one of its own.
  double weight_decay(std::string_view name) const;
  /// @param path of the root or of a sub-collection; throws DN_E_STATE if that was taken back
  void set_weight_decay(const std::string& path, double lambda);

 private:
  ~Storage();
  /// Takes a name; false if it was taken already.
  bool take_name(const std::string& name);
  std::atomic<int64_t> references_{1};
  uint64_t seed_;
  std::vector<std::unique_ptr<dn_parameter>> parameters_;
  std::vector<std::unique_ptr<dn_lookup_parameter>> lookups_;
  std::vector<std::string> subcollections_;
  /// What was taken back. There is always room for all that might be.
  std::vector<std::unique_ptr<dn_parameter>> gone_parameters_;
  std::vector<std::unique_ptr<dn_lookup_parameter>> gone_lookups_;
  /// Every name in use.
  std::set<std::string> names_;
  struct Name {
    std::set<std::string>::iterator place;
    /// Counted from 1, and given to no other name of this storage.
    uint64_t number;
  };
  /// The names in the order in which they were taken.
  std::vector<Name> name_order_;
  uint64_t names_taken_ = 0;
  using NextNumbers = std::map<std::string, int>;
  /// For what stands before the number of a numbered name, the first number that may be free.
  NextNumbers next_numbers_;
  struct NumberChange {
    NextNumbers::iterator place;
    int before;
  };
  /// What those numbers were, in the order in which they changed.
  std::vector<NumberChange> number_changes_;
  /// By the paths of the collections that have one of their own, which the root always has.
  std::map<std::string, double, std::less<>> weight_decays_{{"/", 0}};
  std::unique_ptr<GradientSet> gradients_;
};

/// A counted reference to a storage.
class StorageRef {
 public:
  StorageRef() = default;
  explicit StorageRef(Storage* storage) : storage_(storage) { storage_->retain(); }
  StorageRef(const StorageRef& other) : storage_(other.storage_) {
    if (storage_ != nullptr) storage_->retain();
  }
  StorageRef(StorageRef&& other) noexcept : storage_(std::exchange(other.storage_, nullptr)) {}
  StorageRef& operator=(StorageRef other) noexcept {
    std::swap(storage_, other.storage_);
    return *this;
  }
  ~StorageRef() {
    if (storage_ != nullptr) storage_->release();
  }
  Storage* get() const { return storage_; }
  Storage* operator->() const { return storage_; }
  Storage& operator*() const { return *storage_; }

 private:
  Storage* storage_ = nullptr;
};

}  // namespace dynnet

/// What a model had, as handed out.
struct dn_mark {
  dynnet::StorageRef storage;
  dynnet::Storage::Mark mark;
};

/// A model as handed out: a storage seen under a path that begins and ends with '/'.
struct dn_model {
  dynnet::StorageRef storage;
  std::string path;

  /// Whether a full name lies below the path.
  bool holds(std::string_view name) const { return name.starts_with(path); }
  /// Whether a path is that of a sub-collection of this model, not of this model itself.
  bool is_below(std::string_view other) const { return holds(other) && other.size() > path.size(); }
  /// Calls f for every parameter, then every lookup parameter, below the path.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& parameter : storage->parameters())
      if (holds(parameter->name)) f(*parameter);
    for (const auto& table : storage->lookups())
      if (holds(table->name)) f(*table);
  }
};

#endif  // DYNNET_NN_MODEL_H_

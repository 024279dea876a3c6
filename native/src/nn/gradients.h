// Gradient sets: where backward adds. A model has its own; a worker may bring another, merged at the update.
#ifndef DYNNET_NN_GRADIENTS_H_
#define DYNNET_NN_GRADIENTS_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "memory/array.h"
#include "nn/model.h"

namespace dynnet {

/// The gradients of one model's parameters. Dense buffers are made when first written and stay where they are; after a
/// reset they are stale rather than zeroed, so that the first writer can overwrite.
///
/// One caller writes at a time, under try_lock. While it holds the lock its threads may call `accumulate` and `begin`
/// for different parameters, and `add_rows` for different tables, side by side.
class GradientSet {
 public:
  explicit GradientSet(Storage& storage) : storage_(storage) {}

  /// Marks the set as being written; false if it already is. Backward and update hold it.
  bool try_lock();
  void unlock() { busy_.store(false, std::memory_order_release); }

  /// Whether a parameter has a gradient since the latest reset.
  bool has(const dn_parameter& parameter) const;
  /// The gradient's memory for a caller that adds to it: zeros if there was none since the reset.
  float* accumulate(const dn_parameter& parameter);
  /// The gradient's memory for a caller that overwrites all of it if `fresh` comes back true, and adds to it otherwise.
  float* begin(const dn_parameter& parameter, bool* fresh);
  /// Where the gradient lies, or would: for a caller that overwrites all of it unless the parameter `has` one, and then
  /// calls `keep`.
  float* place(const dn_parameter& parameter);
  /// What was put there is the parameter's gradient.
  void keep(const dn_parameter& parameter);
  /// The gradient for a caller that only reads and holds the set: zeros if there is none, which does not make one.
  const float* read(const dn_parameter& parameter);
  /// The same for a caller that does not hold the set. Throws DN_E_BUSY if there is none and somebody does, who may be
  /// writing it at this moment.
  const float* show(const dn_parameter& parameter);
  /// Copies the gradient of a row, zeros if it has none, for a caller that does not hold the set. Throws DN_E_BUSY if
  /// somebody does, who may be moving it at this moment.
  void copy_row(const dn_lookup_parameter& table, int32_t row, float* to);

  /// Adds n gradients of rows of a table: values[i] points to row_size floats for row rows[i]. Repeated rows are summed
  /// in the order given.
  void add_rows(const dn_lookup_parameter& table, const int32_t* rows, const float* const* values, int64_t n);
  /// The rows of a table that have a gradient, in order of their first addition.
  const std::vector<int32_t>& rows(const dn_lookup_parameter& table) const;
  /// The gradient of a row, or null if it has none. It moves when rows are added.
  float* row(const dn_lookup_parameter& table, int32_t row);

  void reset();
  void reset(const dn_parameter& parameter);
  void reset(const dn_lookup_parameter& table);

  /// Takes the memory that a later `begin`, or `add_rows` of up to n rows more, needs, so that those cannot fail.
  void reserve(const dn_parameter& parameter);
  void reserve_rows(const dn_lookup_parameter& table, int64_t n);
  /// Gives back the memory of what was taken back from the model.
  void release(const dn_parameter& parameter);
  void release(const dn_lookup_parameter& table);

  /// Adds another set's gradients to this one and resets the other. If memory fails, both are as they were.
  void merge(GradientSet& other);

  Storage& storage() { return storage_; }

 private:
  struct Dense {
    Buffer values;
    bool fresh = true;
    /// Whether the values are zeros although fresh.
    bool zeroed = false;
  };
  struct Sparse {
    /// For each row of the table its place in `values`, or -1; allocated at first use.
    Array<int32_t> places;
    std::vector<int32_t> rows;
    /// Grows by doubling; holds rows.size() rows.
    Buffer values;
  };
  Dense& dense(const dn_parameter& parameter);
  Sparse& sparse(const dn_lookup_parameter& table);
  /// Makes a place for each parameter there is, so that parameters can be written side by side.
  void grow();

  Storage& storage_;
  std::atomic<bool> busy_{false};
  /// Held while `show` makes zeros, which the set must not be taken beside.
  std::mutex reading_;
  std::vector<Dense> dense_;
  std::vector<Sparse> sparse_;
};

/// Holds a gradient set for one caller.
class GradientLock {
 public:
  /// Throws DN_E_BUSY if another call holds the set; `what` begins the message.
  GradientLock(GradientSet& set, const char* what);
  ~GradientLock() { set_.unlock(); }
  GradientLock(const GradientLock&) = delete;
  GradientLock& operator=(const GradientLock&) = delete;

 private:
  GradientSet& set_;
};

}  // namespace dynnet

/// A gradient set as handed out.
struct dn_gradients {
  dynnet::StorageRef storage;
  dynnet::GradientSet set;
};

#endif  // DYNNET_NN_GRADIENTS_H_

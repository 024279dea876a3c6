// Moving averages of a model's values, and the values changed for their averages and back.
#ifndef DYNNET_TRAINING_AVERAGE_H_
#define DYNNET_TRAINING_AVERAGE_H_

#include <cstdint>
#include <vector>

#include "memory/memory.h"
#include "nn/model.h"

namespace dynnet {

class MovingAverage {
 public:
  /// What is kept of one parameter or table.
  struct Average {
    /// The average of `count` values; empty before the first.
    Buffer values;
    int64_t count = 0;
    /// The values as they were before they were changed for their average.
    Buffer weights;
  };

  MovingAverage() = default;
  /// @param kind a dn_average_kind
  MovingAverage(int32_t kind, double beta, int64_t every);

  int32_t kind() const { return kind_; }
  double beta() const { return beta_; }
  int64_t every() const { return every_; }
  bool is_swapped() const { return swapped_; }

  /// Whether the values join the average in an update that follows so many.
  bool is_due(int64_t updates) const { return kind_ != DN_AVERAGE_NONE && updates % every_ == 0; }
  /// Takes the memory that `add` needs, so that it cannot fail.
  void reserve(const dn_model& model);
  void add(const dn_model& model);

  /// See dn_trainer_swap_to_average and dn_trainer_swap_to_weights. Both throw before anything changes.
  void swap_to_average(const dn_model& model, bool save_weights, bool bias_correction);
  void swap_to_weights(const dn_model& model);

  Average& of(const dn_parameter& parameter) { return at(parameters_, parameter.index); }
  Average& of(const dn_lookup_parameter& table) { return at(tables_, table.index); }
  /// Null if there is none.
  const Average* find(const dn_parameter& parameter) const { return find(parameters_, parameter.index); }
  const Average* find(const dn_lookup_parameter& table) const { return find(tables_, table.index); }

 private:
  static Average& at(std::vector<Average>& all, uint32_t index) {
    if (index >= all.size()) all.resize(index + 1);
    return all[index];
  }
  static const Average* find(const std::vector<Average>& all, uint32_t index) {
    return index < all.size() && all[index].count > 0 ? &all[index] : nullptr;
  }

  int32_t kind_ = DN_AVERAGE_NONE;
  double beta_ = 0;
  int64_t every_ = 1;
  bool swapped_ = false;
  bool saved_ = false;
  /// By the parameters' numbers.
  std::vector<Average> parameters_;
  std::vector<Average> tables_;
};

}  // namespace dynnet

#endif  // DYNNET_TRAINING_AVERAGE_H_

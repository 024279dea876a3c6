// Trainers: an update rule applied to the parameters of one model, with clipping, weight decay and sparse tables.
#ifndef DYNNET_TRAINING_TRAINER_H_
#define DYNNET_TRAINING_TRAINER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "memory/memory.h"
#include "nn/gradients.h"
#include "nn/model.h"
#include "training/average.h"
#include "training/rule.h"

namespace dynnet {

/// What a rule remembers of one parameter or table.
struct Moments {
  Buffer values[Rule::kMostMoments];
  /// Whether an update had a gradient of it.
  bool made = false;
};

/// All that a trainer remembers from one update to the next; its files hold this.
struct TrainerState {
  std::unique_ptr<Rule> rule;
  double learning_rate = 0;
  double clip_threshold = 5;
  double clip_value = 0;
  bool sparse = true;
  int64_t updates = 0;
  int64_t clips = 0;
  /// Updates since the trainer was made or restarted.
  int64_t steps = 0;
  /// Since the counts were last reset.
  int64_t status_updates = 0;
  int64_t status_clips = 0;
  /// By the parameters' numbers.
  std::vector<Moments> parameters;
  std::vector<Moments> tables;
  MovingAverage average;

  Moments& of(const dn_parameter& parameter) { return parameters[parameter.index]; }
  Moments& of(const dn_lookup_parameter& table) { return tables[table.index]; }
  /// Null if there are none.
  const Moments* find(const dn_parameter& parameter) const { return find(parameters, parameter.index); }
  const Moments* find(const dn_lookup_parameter& table) const { return find(tables, table.index); }
  /// Makes a place for each parameter there is.
  void grow(Storage& storage);
  /// Takes the memory for the moments of so many values, unless it was taken.
  void make(Moments& moments, int64_t count) const;

 private:
  static const Moments* find(const std::vector<Moments>& all, uint32_t index) {
    return index < all.size() && all[index].made ? &all[index] : nullptr;
  }
};

/// A learning rate, or clipping bound, as one may be.
double checked_learning_rate(double rate);
double checked_clipping(double bound, const char* what);

}  // namespace dynnet

/// A trainer of the parameters below a model's path.
struct dn_trainer {
 public:
  dn_trainer(const dn_model& model, std::unique_ptr<dynnet::Rule> rule, double learning_rate);

  /// One update from the model's own gradients, into which the sets are merged first. Throws before anything changes
  /// but for that, and for a swap to averages that is taken back.
  void update(dn_gradients* const* sets, int32_t sets_count);
  /// One update of these parameters and tables alone.
  void update_subset(dn_parameter* const* parameters, int32_t parameters_count, dn_lookup_parameter* const* tables,
                     int32_t tables_count);
  /// Forgets moments and steps.
  void restart();
  /// Keeps an average from now on, which must be before the first update.
  void use_average(dynnet::MovingAverage average);

  const dn_model& model() const { return model_; }
  dynnet::TrainerState& state() { return state_; }
  const dynnet::TrainerState& state() const { return state_; }

 private:
  /// A run of values that are updated alike. Without a gradient they only decay.
  struct Piece {
    float* values;
    float* gradient;
    /// Whether the gradient is of other pieces too: zeros.
    bool shares_gradient;
    float* moments[dynnet::Rule::kMostMoments];
    int64_t count;
    double weight_decay;
  };
  /// By the parameters' numbers, whether an update of a subset is of them.
  struct Subset {
    std::vector<bool> parameters;
    std::vector<bool> tables;
  };

  bool takes(const dn_parameter& parameter) const;
  bool takes(const dn_lookup_parameter& table) const;
  /// @param subset which parameters and tables, or none for all
  void run(dn_gradients* const* sets, int32_t sets_count, std::optional<Subset> subset);
  void merge(dn_gradients* const* sets, int32_t sets_count);
  void collect();
  void begin(dynnet::Moments& moments, int64_t count);
  void collect(dn_parameter& parameter);
  void collect(dn_lookup_parameter& table);
  void collect_rows(dn_lookup_parameter& table, dynnet::Moments& moments, double weight_decay);
  void collect_all_rows(dn_lookup_parameter& table, dynnet::Moments& moments, double weight_decay);
  void add_pieces(float* values, const float* gradient, dynnet::Moments& moments, int64_t offset, int64_t count,
                  double weight_decay);
  /// The weight decay of a parameter or table, which is one of this update's from now on.
  double weight_decay_of(const std::string& name);
  template <class F>
  void for_pieces(F&& f);
  bool clip_elements();
  double clip_scale();
  [[noreturn]] void fail_for_nonfinite_gradient();
  void apply(double gradient_scale);
  void finish();
  /// What values keep of themselves when they decay.
  double keep(double weight_decay) const;
  void check_decay() const;
  /// Whether values decay that have no gradient.
  bool decays(double weight_decay) const;

  dn_model model_;
  dynnet::TrainerState state_;
  /// Of the latest update, or none if it was of all.
  std::optional<Subset> subset_;
  /// For rows of tables without a gradient in a dense update; as long as the longest row of all that are taken.
  dynnet::Buffer zeros_;
  /// This update's work, kept to reuse the memory.
  std::vector<Piece> pieces_;
  /// Those that occur, each once; mostly there is one.
  std::vector<double> weight_decays_;
  std::vector<double> partial_sums_;
  std::vector<std::atomic<uint64_t>*> written_;
  std::vector<dynnet::Moments*> begun_;
};

#endif  // DYNNET_TRAINING_TRAINER_H_

// Trainers: an update rule applied to the parameters of one model, with clipping, weight decay and sparse tables.
#ifndef DYNNET_TRAINING_TRAINER_H_
#define DYNNET_TRAINING_TRAINER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "memory/memory.h"
#include "nn/gradients.h"
#include "nn/model.h"
#include "training/rule.h"

/// A trainer of the parameters below a model's path.
struct dn_trainer {
 public:
  dn_trainer(const dn_model& model, std::unique_ptr<dynnet::Rule> rule, double learning_rate);

  /// One update from the model's own gradients, into which the sets are merged first. Throws before anything but the
  /// gradients changes.
  void update(dn_gradients* const* sets, int32_t sets_count);

  double learning_rate() const { return learning_rate_; }
  void set_learning_rate(double rate);
  double clip_threshold() const { return clip_threshold_; }
  void set_clip_threshold(double threshold);
  bool sparse_updates() const { return sparse_; }
  void set_sparse_updates(bool on) { sparse_ = on; }
  int64_t updates() const { return updates_; }
  int64_t clips() const { return clips_; }

 private:
  /// A run of values that are updated alike. Without a gradient they only decay.
  struct Piece {
    float* values;
    const float* gradient;
    float* first;
    float* second;
    int64_t count;
  };
  /// What the rule remembers of one parameter; made at its first gradient.
  struct Moments {
    dynnet::Buffer first;
    dynnet::Buffer second;
    bool made = false;
  };

  void merge(dn_gradients* const* sets, int32_t sets_count);
  void make_moments(Moments& moments, int64_t count);
  void collect();
  void collect(dn_parameter& parameter);
  void collect(dn_lookup_parameter& table);
  void collect_all_rows(dn_lookup_parameter& table, const Moments& moments);
  void add_pieces(float* values, const float* gradient, const Moments& moments, int64_t offset, int64_t count);
  double clip_scale();
  [[noreturn]] void fail_for_nonfinite_gradient();
  void apply(const dynnet::UpdateStep& step);
  void finish();

  dn_model model_;
  std::unique_ptr<dynnet::Rule> rule_;
  double learning_rate_;
  double clip_threshold_ = 5;
  bool sparse_ = true;
  int64_t updates_ = 0;
  int64_t clips_ = 0;
  /// By the parameters' numbers.
  std::vector<Moments> dense_moments_;
  std::vector<Moments> table_moments_;
  /// For rows of tables without a gradient in a dense update; as long as the longest row.
  dynnet::Buffer zeros_;
  /// This update's work, kept to reuse the memory.
  std::vector<Piece> pieces_;
  std::vector<double> partial_sums_;
  std::vector<std::atomic<uint64_t>*> written_;
};

#endif  // DYNNET_TRAINING_TRAINER_H_

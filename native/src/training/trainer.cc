#include "training/trainer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/kernels.h"
#include "parallel/parallel.h"

using dynnet::Buffer;
using dynnet::fail;
using dynnet::GradientLock;
using dynnet::GradientSet;
using dynnet::kernels;
using dynnet::Moments;
using dynnet::parallel_for;

namespace {

// Long parameters are cut into pieces of this many values: enough to be worth a claim of work, few enough for two
// threads to share a layer, and a multiple of every vector length.
constexpr int64_t kPiece = 16384;
// Pieces, rows of tables above all, are claimed together until they have about this many values.
constexpr int64_t kGrainValues = 16384;

int64_t grain(size_t pieces, int64_t values) {
  const int64_t mean = std::max<int64_t>(values / std::max<int64_t>(static_cast<int64_t>(pieces), 1), 1);
  return std::max<int64_t>(kGrainValues / mean, 1);
}

}  // namespace

namespace dynnet {

void TrainerState::grow(Storage& storage) {
  parameters.resize(std::max(parameters.size(), storage.parameter_indices()));
  tables.resize(std::max(tables.size(), storage.lookup_indices()));
}

void TrainerState::make(Moments& moments, int64_t count) const {
  if (rule->moments() == 0 || !moments.values[0].empty()) return;
  Moments made;
  for (int i = 0; i < rule->moments(); ++i) made.values[i] = Buffer(count, "a trainer's moments");
  moments = std::move(made);
}

double checked_learning_rate(double rate) {
  if (!std::isfinite(rate) || rate < 0) fail(DN_E_ARGUMENT, "a learning rate of %g: finite, 0 or more", rate);
  return rate;
}

double checked_clipping(double bound, const char* what) {
  if (!std::isfinite(bound) || bound < 0) fail(DN_E_ARGUMENT, "a clipping %s of %g: finite, 0 or more", what, bound);
  return bound;
}

}  // namespace dynnet

dn_trainer::dn_trainer(const dn_model& model, std::unique_ptr<dynnet::Rule> rule, double learning_rate)
    : model_(model) {
  state_.rule = std::move(rule);
  state_.learning_rate = dynnet::checked_learning_rate(learning_rate);
}

void dn_trainer::update(dn_gradients* const* sets, int32_t sets_count) { run(sets, sets_count, std::nullopt); }

void dn_trainer::update_subset(dn_parameter* const* parameters, int32_t parameters_count,
                               dn_lookup_parameter* const* tables, int32_t tables_count) {
  dynnet::Storage& storage = *model_.storage;
  Subset subset{std::vector<bool>(storage.parameter_indices()), std::vector<bool>(storage.lookup_indices())};
  const auto choose = [&](auto* const* chosen, int32_t count, std::vector<bool>& among, const char* what) {
    for (int32_t i = 0; i < count; ++i) {
      if (chosen[i] == nullptr) fail(DN_E_ARGUMENT, "update: %s %d is null", what, i);
      if (chosen[i]->storage != &storage || chosen[i]->is_gone || !model_.holds(chosen[i]->name))
        fail(DN_E_ARGUMENT, "update: %s %d, %s, is not of the trainer's model", what, i, chosen[i]->name.c_str());
      among[chosen[i]->index] = true;
    }
  };
  choose(parameters, parameters_count, subset.parameters, "parameter");
  choose(tables, tables_count, subset.tables, "lookup parameter");
  run(nullptr, 0, std::move(subset));
}

void dn_trainer::restart() {
  for (dynnet::Moments& moments : state_.parameters) moments = {};
  for (dynnet::Moments& moments : state_.tables) moments = {};
  state_.steps = 0;
  state_.learning_rate = state_.rule->next_rate(0, state_.learning_rate);
}

void dn_trainer::use_average(dynnet::MovingAverage average) {
  if (state_.updates > 0) {
    fail(DN_E_STATE, "a moving average begins before the first update, and %lld were made",
         static_cast<long long>(state_.updates));
  }
  state_.average = std::move(average);
}

bool dn_trainer::takes(const dn_parameter& parameter) const {
  return parameter.updated && model_.holds(parameter.name) && (!subset_ || subset_->parameters[parameter.index]);
}

bool dn_trainer::takes(const dn_lookup_parameter& table) const {
  return table.updated && model_.holds(table.name) && (!subset_ || subset_->tables[table.index]);
}

double dn_trainer::keep(double weight_decay) const {
  return (1 - weight_decay) * (1 - state_.rule->decay(state_.learning_rate));
}

// A joint rule would put the sum of a distribution right at its next step, and leave it wrong until then.
bool dn_trainer::decays(double weight_decay) const { return keep(weight_decay) != 1 && !state_.rule->is_joint(); }

// Values that lose more than all of themselves would change their sign at each update.
void dn_trainer::check_decay() const {
  const double share = state_.rule->decay(state_.learning_rate);
  if (share <= 1) return;
  fail(DN_E_ARGUMENT,
       "update: with a learning rate of %g the decay takes %g of each value, more than all of it; nothing was updated",
       state_.learning_rate, share);
}

void dn_trainer::run(dn_gradients* const* sets, int32_t sets_count, std::optional<Subset> subset) {
  const GradientLock lock(model_.storage->gradients(), "update");
  check_decay();
  // Under the lock: another thread's update, which fails, must not change what this one takes.
  subset_ = std::move(subset);
  // The same treatment of denormals on every thread, or the result would depend on which one did what.
  const dynnet::FlushDenormals flush;
  state_.average.swap_to_weights(model_);
  merge(sets, sets_count);
  collect();
  const bool averages = state_.average.is_due(state_.updates);
  if (averages) state_.average.reserve(model_);
  bool clipped = clip_elements();
  const double scale = clip_scale();
  clipped |= scale < 1;
  apply(scale);
  finish();
  if (averages) state_.average.add(model_);
  ++state_.updates;
  ++state_.steps;
  ++state_.status_updates;
  state_.clips += clipped;
  state_.status_clips += clipped;
  state_.learning_rate = state_.rule->next_rate(state_.steps, state_.learning_rate);
}

void dn_trainer::merge(dn_gradients* const* sets, int32_t sets_count) {
  for (int32_t i = 0; i < sets_count; ++i) {
    if (sets[i] == nullptr) fail(DN_E_ARGUMENT, "update: gradient set %d is null", i);
    if (sets[i]->storage.get() != model_.storage.get())
      fail(DN_E_ARGUMENT, "update: gradient set %d is of another model", i);
  }
  for (int32_t i = 0; i < sets_count; ++i) {
    const GradientLock lock(sets[i]->set, "update");
    model_.storage->gradients().merge(sets[i]->set);
  }
}

// Lists the update's work and takes all memory that it needs, so that nothing can fail once values change.
void dn_trainer::collect() {
  pieces_.clear();
  weight_decays_.clear();
  written_.clear();
  begun_.clear();
  dynnet::Storage& storage = *model_.storage;
  state_.grow(storage);
  // Of one size before any piece points into them.
  int64_t longest = 0;
  for (const auto& table : storage.lookups())
    if (takes(*table)) longest = std::max(longest, table->row_size());
  if (!state_.sparse && zeros_.size() < longest) zeros_ = Buffer(longest, "a trainer's zeros");
  for (const auto& parameter : storage.parameters())
    if (takes(*parameter)) collect(*parameter);
  for (const auto& table : storage.lookups())
    if (takes(*table)) collect(*table);
  partial_sums_.resize(pieces_.size());
}

// Moments count as begun once the update has succeeded.
void dn_trainer::begin(Moments& moments, int64_t count) {
  state_.make(moments, count);
  begun_.push_back(&moments);
}

double dn_trainer::weight_decay_of(const std::string& name) {
  const double own = model_.storage->weight_decay(name);
  if (std::find(weight_decays_.begin(), weight_decays_.end(), own) == weight_decays_.end())
    weight_decays_.push_back(own);
  return own;
}

void dn_trainer::collect(dn_parameter& parameter) {
  GradientSet& gradients = model_.storage->gradients();
  Moments& moments = state_.of(parameter);
  const bool has_gradient = gradients.has(parameter);
  const int64_t count = parameter.dim.size();
  const double weight_decay = weight_decay_of(parameter.name);
  if (has_gradient) begin(moments, count);
  // As in DyNet, what has moments moves on by them when an update brings no gradient, which then is 0.
  const bool moves = has_gradient || (moments.made && !state_.rule->rests());
  if (!moves && !decays(weight_decay)) return;
  if (moves) state_.rule->check(parameter.values.data(), count, parameter.name, -1);
  add_pieces(parameter.values.data(), moves ? gradients.read(parameter) : nullptr, moments, 0, count, weight_decay);
  written_.push_back(&parameter.version);
}

void dn_trainer::collect(dn_lookup_parameter& table) {
  Moments& moments = state_.of(table);
  const bool has_gradient = !model_.storage->gradients().rows(table).empty();
  const double weight_decay = weight_decay_of(table.name);
  if (has_gradient) begin(moments, table.values.size());
  // Whether rows without a gradient go on by their moments.
  const bool all_move = !state_.sparse && !state_.rule->rests();
  const bool moves = has_gradient || (all_move && moments.made);
  if (!moves && !decays(weight_decay)) return;
  written_.push_back(&table.version);
  if (!moves) {
    add_pieces(table.values.data(), nullptr, moments, 0, table.values.size(), weight_decay);
  } else if (!all_move && !decays(weight_decay)) {
    collect_rows(table, moments, weight_decay);
  } else {
    collect_all_rows(table, moments, weight_decay);
  }
}

void dn_trainer::collect_rows(dn_lookup_parameter& table, Moments& moments, double weight_decay) {
  GradientSet& gradients = model_.storage->gradients();
  const int64_t size = table.row_size();
  for (const int32_t row : gradients.rows(table)) {
    state_.rule->check(table.row(row), size, table.name, row);
    add_pieces(table.row(row), gradients.row(table, row), moments, row * size, size, weight_decay);
  }
}

// Rows without a gradient decay in a sparse update, and have a gradient of 0 in a dense one.
void dn_trainer::collect_all_rows(dn_lookup_parameter& table, Moments& moments, double weight_decay) {
  const int64_t size = table.row_size();
  const float* const absent = state_.sparse ? nullptr : zeros_.data();
  for (int64_t i = 0; i < table.rows; ++i) {
    const float* gradient = model_.storage->gradients().row(table, static_cast<int32_t>(i));
    if (gradient == nullptr) gradient = absent;
    if (gradient != nullptr) state_.rule->check(table.row(i), size, table.name, i);
    add_pieces(table.row(i), gradient, moments, i * size, size, weight_decay);
  }
}

void dn_trainer::add_pieces(float* values, const float* gradient, Moments& moments, int64_t offset, int64_t count,
                            double weight_decay) {
  const int64_t length = state_.rule->is_joint() ? count : kPiece;
  for (int64_t begin = 0; begin < count; begin += length) {
    // Gradients are changed by clipping alone.
    float* const from = gradient != nullptr ? const_cast<float*>(gradient) + begin : nullptr;
    Piece piece{
        values + begin, from, gradient != nullptr && gradient == zeros_.data(), {}, std::min(length, count - begin),
        weight_decay};
    for (int i = 0; i < dynnet::Rule::kMostMoments; ++i) {
      if (!moments.values[i].empty()) piece.moments[i] = moments.values[i].data() + offset + begin;
    }
    pieces_.push_back(piece);
  }
}

/// Calls f(piece, number) for all pieces, on several threads.
template <class F>
void dn_trainer::for_pieces(F&& f) {
  int64_t values = 0;
  for (const Piece& piece : pieces_) values += piece.count;
  parallel_for(static_cast<int64_t>(pieces_.size()), grain(pieces_.size(), values), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(pieces_[static_cast<size_t>(i)], static_cast<size_t>(i));
  });
}

// Whether any element was out of its bounds. First all are looked at, so that a failure leaves them as they were.
bool dn_trainer::clip_elements() {
  if (state_.clip_value == 0) return false;
  std::atomic<bool> finite{true};
  for_pieces([&](const Piece& piece, size_t) {
    if (piece.gradient == nullptr || piece.shares_gradient) return;
    if (kernels().find_nonfinite(piece.gradient, piece.count) >= 0) finite.store(false, std::memory_order_relaxed);
  });
  if (!finite.load(std::memory_order_relaxed)) fail_for_nonfinite_gradient();
  const float bound = static_cast<float>(state_.clip_value);
  std::atomic<bool> clipped{false};
  for_pieces([&](const Piece& piece, size_t) {
    if (piece.gradient == nullptr || piece.shares_gradient) return;
    if (kernels().clip(piece.gradient, piece.count, -bound, bound)) clipped.store(true, std::memory_order_relaxed);
  });
  return clipped.load(std::memory_order_relaxed);
}

// The factor that brings the norm of all gradients down to the threshold, as in DyNet. Sums are in double and in the
// order of the pieces, so they depend neither on threads nor on the scale of the gradients.
double dn_trainer::clip_scale() {
  const double threshold = state_.clip_threshold;
  if (threshold == 0) return 1;
  for_pieces([&](const Piece& piece, size_t number) {
    partial_sums_[number] = piece.gradient != nullptr ? kernels().sum_squares(piece.gradient, piece.count) : 0;
  });
  double sum = 0;
  for (const double part : partial_sums_) sum += part;
  const double norm = std::sqrt(sum);
  if (!std::isfinite(norm)) fail_for_nonfinite_gradient();
  return norm > threshold ? threshold / norm : 1;
}

void dn_trainer::fail_for_nonfinite_gradient() {
  GradientSet& gradients = model_.storage->gradients();
  for (const auto& parameter : model_.storage->parameters()) {
    if (!takes(*parameter) || !gradients.has(*parameter)) continue;
    const float* gradient = gradients.read(*parameter);
    const int64_t i = kernels().find_nonfinite(gradient, parameter->dim.size());
    if (i >= 0) {
      fail(DN_E_VALUE, "update: the gradient of %s %s is %g at element %lld; nothing was updated",
           parameter->name.c_str(), parameter->dim.text().c_str(), static_cast<double>(gradient[i]),
           static_cast<long long>(i));
    }
  }
  for (const auto& table : model_.storage->lookups()) {
    if (!takes(*table)) continue;
    for (const int32_t row : gradients.rows(*table)) {
      const float* gradient = gradients.row(*table, row);
      const int64_t i = kernels().find_nonfinite(gradient, table->row_size());
      if (i >= 0) {
        fail(DN_E_VALUE, "update: the gradient of row %d of %s is %g at element %lld; nothing was updated", row,
             table->name.c_str(), static_cast<double>(gradient[i]), static_cast<long long>(i));
      }
    }
  }
  fail(DN_E_INTERNAL, "update: the norm of finite gradients is not finite");
}

void dn_trainer::apply(double gradient_scale) {
  for (const double weight_decay : weight_decays_) {
    const double kept = keep(weight_decay);
    state_.rule->begin({state_.learning_rate, state_.steps + 1, gradient_scale, kept, 1 - weight_decay});
    for_pieces([&](const Piece& piece, size_t) {
      if (piece.weight_decay != weight_decay) return;
      if (piece.gradient != nullptr) {
        state_.rule->apply(piece.values, piece.gradient, piece.moments, piece.count);
      } else {
        for (int64_t j = 0; j < piece.count; ++j) piece.values[j] *= static_cast<float>(kept);
      }
    });
  }
}

void dn_trainer::finish() {
  for (Moments* moments : begun_) moments->made = true;
  for (std::atomic<uint64_t>* version : written_) version->fetch_add(1, std::memory_order_release);
  GradientSet& gradients = model_.storage->gradients();
  for (const auto& parameter : model_.storage->parameters())
    if (takes(*parameter)) gradients.reset(*parameter);
  for (const auto& table : model_.storage->lookups())
    if (takes(*table)) gradients.reset(*table);
}

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
using dynnet::parallel_for;
using dynnet::UpdateStep;

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

dn_trainer::dn_trainer(const dn_model& model, std::unique_ptr<dynnet::Rule> rule, double learning_rate)
    : model_(model), rule_(std::move(rule)), learning_rate_(0) {
  set_learning_rate(learning_rate);
}

void dn_trainer::set_learning_rate(double rate) {
  if (!std::isfinite(rate) || rate < 0) fail(DN_E_ARGUMENT, "a learning rate of %g: finite, 0 or more", rate);
  learning_rate_ = rate;
}

void dn_trainer::set_clip_threshold(double threshold) {
  if (!std::isfinite(threshold) || threshold < 0)
    fail(DN_E_ARGUMENT, "a clipping threshold of %g: finite, 0 or more", threshold);
  clip_threshold_ = threshold;
}

void dn_trainer::update(dn_gradients* const* sets, int32_t sets_count) {
  const GradientLock lock(model_.storage->gradients(), "update");
  // The same treatment of denormals on every thread, or the result would depend on which one did what.
  const dynnet::FlushDenormals flush;
  merge(sets, sets_count);
  collect();
  const double scale = clip_scale();
  apply({learning_rate_, updates_ + 1, scale, 1 - model_.storage->weight_decay});
  finish();
  ++updates_;
  if (scale < 1) ++clips_;
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

void dn_trainer::make_moments(Moments& moments, int64_t count) {
  if (moments.made) return;
  Buffer first;
  Buffer second;
  if (rule_->moments() > 0) first = Buffer(count, "a trainer's moments");
  if (rule_->moments() > 1) second = Buffer(count, "a trainer's moments");
  moments = {std::move(first), std::move(second), true};
}

// Lists the update's work and takes all memory that it needs, so that nothing can fail once values change.
void dn_trainer::collect() {
  pieces_.clear();
  written_.clear();
  dynnet::Storage& storage = *model_.storage;
  dense_moments_.resize(std::max(dense_moments_.size(), storage.parameters().size()));
  table_moments_.resize(std::max(table_moments_.size(), storage.lookups().size()));
  for (const auto& parameter : storage.parameters())
    if (model_.holds(parameter->name)) collect(*parameter);
  for (const auto& table : storage.lookups())
    if (model_.holds(table->name)) collect(*table);
  partial_sums_.resize(pieces_.size());
}

void dn_trainer::collect(dn_parameter& parameter) {
  GradientSet& gradients = model_.storage->gradients();
  Moments& moments = dense_moments_[parameter.index];
  const bool has_gradient = gradients.has(parameter);
  const int64_t count = parameter.dim.size();
  if (has_gradient) make_moments(moments, count);
  // As in DyNet, what has moments moves on by them when an update brings no gradient, which then is 0.
  const bool moves = has_gradient || (moments.made && rule_->moments() > 0);
  if (!moves && model_.storage->weight_decay == 0) return;
  add_pieces(parameter.values.data(), moves ? gradients.read(parameter) : nullptr, moments, 0, count);
  written_.push_back(&parameter.version);
}

void dn_trainer::collect(dn_lookup_parameter& table) {
  GradientSet& gradients = model_.storage->gradients();
  Moments& moments = table_moments_[table.index];
  const std::vector<int32_t>& rows = gradients.rows(table);
  if (!rows.empty()) make_moments(moments, table.rows * table.row_size());
  const bool moves = !rows.empty() || (!sparse_ && moments.made && rule_->moments() > 0);
  const bool decays = model_.storage->weight_decay != 0;
  if (!moves && !decays) return;
  written_.push_back(&table.version);
  if (!moves) {
    add_pieces(table.values.data(), nullptr, moments, 0, table.rows * table.row_size());
  } else if ((sparse_ || rule_->moments() == 0) && !decays) {
    const int64_t size = table.row_size();
    for (const int32_t row : rows) add_pieces(table.row(row), gradients.row(table, row), moments, row * size, size);
  } else {
    collect_all_rows(table, moments);
  }
}

// Rows without a gradient decay in a sparse update, and have a gradient of 0 in a dense one.
void dn_trainer::collect_all_rows(dn_lookup_parameter& table, const Moments& moments) {
  const int64_t size = table.row_size();
  if (!sparse_ && zeros_.size() < size) zeros_ = Buffer(size, "a trainer's zeros");
  const float* const absent = sparse_ ? nullptr : zeros_.data();
  for (int64_t i = 0; i < table.rows; ++i) {
    const float* gradient = model_.storage->gradients().row(table, static_cast<int32_t>(i));
    add_pieces(table.row(i), gradient != nullptr ? gradient : absent, moments, i * size, size);
  }
}

void dn_trainer::add_pieces(float* values, const float* gradient, const Moments& moments, int64_t offset,
                            int64_t count) {
  const auto at = [](const Buffer& buffer, int64_t i) {
    return buffer.empty() ? nullptr : const_cast<float*>(buffer.data()) + i;
  };
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    pieces_.push_back({values + begin, gradient != nullptr ? gradient + begin : nullptr,
                       at(moments.first, offset + begin), at(moments.second, offset + begin),
                       std::min(kPiece, count - begin)});
  }
}

// The factor that brings the norm of all gradients down to the threshold, as in DyNet. Sums are in double and in the
// order of the pieces, so they depend neither on threads nor on the scale of the gradients.
double dn_trainer::clip_scale() {
  if (clip_threshold_ == 0) return 1;
  int64_t values = 0;
  for (const Piece& piece : pieces_) values += piece.count;
  parallel_for(static_cast<int64_t>(pieces_.size()), grain(pieces_.size(), values), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[static_cast<size_t>(i)];
      partial_sums_[static_cast<size_t>(i)] =
          piece.gradient != nullptr ? kernels().sum_squares(piece.gradient, piece.count) : 0;
    }
  });
  double sum = 0;
  for (const double part : partial_sums_) sum += part;
  const double norm = std::sqrt(sum);
  if (!std::isfinite(norm)) fail_for_nonfinite_gradient();
  return norm > clip_threshold_ ? clip_threshold_ / norm : 1;
}

void dn_trainer::fail_for_nonfinite_gradient() {
  GradientSet& gradients = model_.storage->gradients();
  for (const auto& parameter : model_.storage->parameters()) {
    if (!model_.holds(parameter->name) || !gradients.has(*parameter)) continue;
    const float* gradient = gradients.read(*parameter);
    const int64_t i = kernels().find_nonfinite(gradient, parameter->dim.size());
    if (i >= 0) {
      fail(DN_E_VALUE, "update: the gradient of %s %s is %g at element %lld; nothing was updated",
           parameter->name.c_str(), parameter->dim.text().c_str(), static_cast<double>(gradient[i]),
           static_cast<long long>(i));
    }
  }
  for (const auto& table : model_.storage->lookups()) {
    if (!model_.holds(table->name)) continue;
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

void dn_trainer::apply(const UpdateStep& step) {
  rule_->begin(step);
  const float decay = static_cast<float>(step.decay);
  int64_t values = 0;
  for (const Piece& piece : pieces_) values += piece.count;
  parallel_for(static_cast<int64_t>(pieces_.size()), grain(pieces_.size(), values), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[static_cast<size_t>(i)];
      if (piece.gradient != nullptr) {
        rule_->apply(piece.values, piece.gradient, piece.first, piece.second, piece.count);
      } else {
        for (int64_t j = 0; j < piece.count; ++j) piece.values[j] *= decay;
      }
    }
  });
}

void dn_trainer::finish() {
  for (std::atomic<uint64_t>* version : written_) version->fetch_add(1, std::memory_order_release);
  GradientSet& gradients = model_.storage->gradients();
  for (const auto& parameter : model_.storage->parameters())
    if (model_.holds(parameter->name)) gradients.reset(*parameter);
  for (const auto& table : model_.storage->lookups())
    if (model_.holds(table->name)) gradients.reset(*table);
}

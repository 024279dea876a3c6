#include "nn/gradients.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "parallel/parallel.h"

namespace dynnet {
namespace {

size_t bytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

void add(float* to, float* from, int64_t n) { kernels().add(Rows{to}, Rows{from}, 1.0f, 1, n); }

}  // namespace

bool GradientSet::try_lock() {
  const std::lock_guard<std::mutex> lock(reading_);
  if (busy_.exchange(true, std::memory_order_acquire)) return false;
  try {
    grow();
  } catch (...) {
    unlock();
    throw;
  }
  return true;
}

void GradientSet::grow() {
  if (dense_.size() < storage_.parameter_indices()) dense_.resize(storage_.parameter_indices());
  if (sparse_.size() < storage_.lookup_indices()) sparse_.resize(storage_.lookup_indices());
}

GradientSet::Dense& GradientSet::dense(const dn_parameter& parameter) {
  if (parameter.index >= dense_.size()) grow();
  return dense_[parameter.index];
}

GradientSet::Sparse& GradientSet::sparse(const dn_lookup_parameter& table) {
  if (table.index >= sparse_.size()) grow();
  return sparse_[table.index];
}

bool GradientSet::has(const dn_parameter& parameter) const {
  return parameter.index < dense_.size() && !dense_[parameter.index].fresh;
}

void GradientSet::reserve(const dn_parameter& parameter) {
  Dense& gradient = dense(parameter);
  if (!gradient.values.empty()) return;
  gradient.values = Buffer(parameter.dim.size(), "gradients");
  gradient.zeroed = true;
}

float* GradientSet::place(const dn_parameter& parameter) {
  reserve(parameter);
  Dense& gradient = dense(parameter);
  gradient.zeroed = false;
  return gradient.values.data();
}

void GradientSet::keep(const dn_parameter& parameter) {
  Dense& gradient = dense(parameter);
  gradient.fresh = false;
  gradient.zeroed = false;
}

float* GradientSet::begin(const dn_parameter& parameter, bool* fresh) {
  float* const values = place(parameter);
  *fresh = !has(parameter);
  keep(parameter);
  return values;
}

float* GradientSet::accumulate(const dn_parameter& parameter) {
  reserve(parameter);
  Dense& gradient = dense(parameter);
  if (gradient.fresh && !gradient.zeroed) std::memset(gradient.values.data(), 0, bytes(gradient.values.size()));
  gradient.fresh = false;
  gradient.zeroed = false;
  return gradient.values.data();
}

const float* GradientSet::read(const dn_parameter& parameter) {
  reserve(parameter);
  Dense& gradient = dense(parameter);
  if (gradient.fresh && !gradient.zeroed) {
    std::memset(gradient.values.data(), 0, bytes(gradient.values.size()));
    gradient.zeroed = true;
  }
  return gradient.values.data();
}

const float* GradientSet::show(const dn_parameter& parameter) {
  const std::lock_guard<std::mutex> lock(reading_);
  if (!has(parameter) && busy_.load(std::memory_order_acquire))
    fail(DN_E_BUSY, "the gradient of %s: there is none yet, and another call is writing these gradients",
         parameter.name.c_str());
  return read(parameter);
}

void GradientSet::copy_row(const dn_lookup_parameter& table, int32_t row_number, float* to) {
  const std::lock_guard<std::mutex> lock(reading_);
  if (busy_.load(std::memory_order_acquire))
    fail(DN_E_BUSY, "the gradient of row %d of %s: another call is writing these gradients", row_number,
         table.name.c_str());
  const float* gradient = row(table, row_number);
  if (gradient != nullptr)
    std::memcpy(to, gradient, bytes(table.row_size()));
  else
    std::fill_n(to, table.row_size(), 0.0f);
}

void GradientSet::release(const dn_parameter& parameter) {
  if (parameter.index < dense_.size()) dense_[parameter.index] = {};
}

void GradientSet::release(const dn_lookup_parameter& table) {
  if (table.index < sparse_.size()) sparse_[table.index] = {};
}

void GradientSet::reserve_rows(const dn_lookup_parameter& table, int64_t n) {
  Sparse& gradient = sparse(table);
  if (gradient.places.empty()) gradient.places.assign(static_cast<size_t>(table.rows), -1);
  const int64_t held = static_cast<int64_t>(gradient.rows.size());
  const int64_t wanted = std::min(held + n, table.rows);
  const int64_t size = table.row_size();
  if (wanted * size <= gradient.values.size()) return;
  const int64_t grown = std::min(std::max(wanted, 2 * held), table.rows);
  gradient.rows.reserve(static_cast<size_t>(grown));
  Buffer values(grown * size, "gradients");
  if (held > 0) std::memcpy(values.data(), gradient.values.data(), bytes(held * size));
  gradient.values = std::move(values);
}

void GradientSet::add_rows(const dn_lookup_parameter& table, const int32_t* rows, const float* const* values,
                           int64_t n) {
  reserve_rows(table, n);
  Sparse& gradient = sparse(table);
  const int64_t size = table.row_size();
  for (int64_t i = 0; i < n; ++i) {
    int32_t& place = gradient.places[static_cast<size_t>(rows[i])];
    if (place < 0) {
      place = static_cast<int32_t>(gradient.rows.size());
      gradient.rows.push_back(rows[i]);
      std::memcpy(gradient.values.data() + place * size, values[i], bytes(size));
    } else {
      add(gradient.values.data() + place * size, const_cast<float*>(values[i]), size);
    }
  }
}

const std::vector<int32_t>& GradientSet::rows(const dn_lookup_parameter& table) const {
  // Leaked, so that threads that run while the process exits still read it.
  static const auto* const none = new std::vector<int32_t>;
  return table.index < sparse_.size() ? sparse_[table.index].rows : *none;
}

float* GradientSet::row(const dn_lookup_parameter& table, int32_t row) {
  if (table.index >= sparse_.size()) return nullptr;
  Sparse& gradient = sparse_[table.index];
  if (gradient.places.empty() || gradient.places[static_cast<size_t>(row)] < 0) return nullptr;
  return gradient.values.data() + gradient.places[static_cast<size_t>(row)] * table.row_size();
}

void GradientSet::reset() {
  for (Dense& gradient : dense_) gradient.fresh = true;
  for (const auto& table : storage_.lookups()) reset(*table);
}

void GradientSet::reset(const dn_parameter& parameter) {
  if (parameter.index < dense_.size()) dense_[parameter.index].fresh = true;
}

void GradientSet::reset(const dn_lookup_parameter& table) {
  if (table.index >= sparse_.size()) return;
  Sparse& gradient = sparse_[table.index];
  for (const int32_t row : gradient.rows) gradient.places[static_cast<size_t>(row)] = -1;
  gradient.rows.clear();
}

void GradientSet::merge(GradientSet& other) {
  for (const auto& parameter : storage_.parameters())
    if (other.has(*parameter)) reserve(*parameter);
  for (const auto& table : storage_.lookups())
    if (!other.rows(*table).empty()) reserve_rows(*table, static_cast<int64_t>(other.rows(*table).size()));

  parallel_for(static_cast<int64_t>(storage_.parameters().size()), 1, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      const dn_parameter& parameter = *storage_.parameters()[static_cast<size_t>(i)];
      if (!other.has(parameter)) continue;
      float* from = other.dense(parameter).values.data();
      bool fresh = false;
      float* to = begin(parameter, &fresh);
      if (fresh) {
        std::memcpy(to, from, bytes(parameter.dim.size()));
      } else {
        add(to, from, parameter.dim.size());
      }
    }
  });
  parallel_for(static_cast<int64_t>(storage_.lookups().size()), 1, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      const dn_lookup_parameter& table = *storage_.lookups()[static_cast<size_t>(i)];
      for (const int32_t row : other.rows(table)) {
        const float* from = other.row(table, row);
        add_rows(table, &row, &from, 1);
      }
    }
  });
  other.reset();
}

GradientLock::GradientLock(GradientSet& set, const char* what) : set_(set) {
  if (!set.try_lock()) fail(DN_E_BUSY, "%s: another call is writing these gradients", what);
}

}  // namespace dynnet

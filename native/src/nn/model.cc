#include "nn/model.h"

#include <algorithm>

#include "core/error.h"
#include "memory/room.h"
#include "nn/gradients.h"
#include "nn/initializer.h"

namespace dynnet {
namespace {

// Spreads the bits of a number over all 64 (splitmix64; Steele, Lea and Flood 2014), so that seeds and parameters with
// neighbouring numbers get unrelated keys.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Parameters have the even numbers, tables the odd: adding one kind does not change the values of the other.
uint64_t parameter_key(uint64_t seed, size_t index) { return mix(mix(seed) + 2 * index); }
uint64_t lookup_key(uint64_t seed, size_t index) { return mix(mix(seed) + 2 * index + 1); }

void check_name(std::string_view name, const char* what) {
  for (const char c : name) {
    // Whitespace would end the name in a model file.
    if (c == '/' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f')
      fail(DN_E_ARGUMENT, "a %s's name may not contain '/', whitespace or control characters: \"%s\"", what,
           std::string(name).c_str());
  }
}

}  // namespace

Storage::Storage(uint64_t seed) : seed_(seed), gradients_(std::make_unique<GradientSet>(*this)) {}

Storage::~Storage() = default;

void Storage::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

dn_parameter& Storage::add(const Dim& dim, const dn_initializer& initializer, const std::string& name) {
  check_initializer(initializer, dim, 0, name);
  Buffer values(dim.size(), name.c_str());
  initialize(initializer, dim, 0, parameter_key(seed_, parameters_.size()), values.data());
  return adopt(dim, std::move(values), name);
}

dn_lookup_parameter& Storage::add_lookup(int64_t rows, const Dim& dim, const dn_initializer& initializer,
                                         const std::string& name) {
  check_initializer(initializer, dim, rows, name);
  Buffer values(dim.size() * rows, name.c_str());
  initialize(initializer, dim, rows, lookup_key(seed_, lookups_.size()), values.data());
  return adopt_lookup(rows, dim, std::move(values), name);
}

dn_parameter& Storage::adopt(const Dim& dim, Buffer values, const std::string& name) {
  auto parameter = std::make_unique<dn_parameter>();
  parameter->storage = this;
  parameter->index = static_cast<uint32_t>(parameter_indices());
  parameter->name = name;
  parameter->dim = dim;
  parameter->values = std::move(values);
  make_room(parameters_, 1);
  make_room(gone_parameters_, parameters_.size() + 1);
  take_name(name);
  return *parameters_.emplace_back(std::move(parameter));
}

dn_lookup_parameter& Storage::adopt_lookup(int64_t rows, const Dim& dim, Buffer values, const std::string& name) {
  auto table = std::make_unique<dn_lookup_parameter>();
  table->storage = this;
  table->index = static_cast<uint32_t>(lookup_indices());
  table->name = name;
  table->dim = dim;
  table->rows = rows;
  table->values = std::move(values);
  make_room(lookups_, 1);
  make_room(gone_lookups_, lookups_.size() + 1);
  take_name(name);
  return *lookups_.emplace_back(std::move(table));
}

bool Storage::take_name(const std::string& name) {
  make_room(name_order_, 1);
  const auto [place, is_new] = names_.insert(name);
  if (is_new) name_order_.push_back({place, ++names_taken_});
  return is_new;
}

std::string Storage::unique_name(const std::string& path, std::string_view name, const char* what, const char* end) {
  check_name(name, what);
  if (path != "/" && !names_.contains(path))
    fail(DN_E_STATE, "a %s below %s: that sub-collection was taken back, since a builder in it failed", what,
         path.c_str());
  const std::string base = path + std::string(name);
  if (!name.empty() && !names_.contains(base + end)) return base + end;
  make_room(number_changes_, 1);
  const auto [place, is_new] = next_numbers_.try_emplace(base + '_' + end, name.empty() ? 0 : 1);
  const int before = place->second;
  while (true) {
    std::string candidate = base + '_' + std::to_string(place->second) + end;
    if (!names_.contains(candidate)) {
      if (place->second != before) number_changes_.push_back({place, before});
      return candidate;
    }
    ++place->second;
  }
}

void Storage::take_path(const std::string& path) {
  make_room(subcollections_, 1);
  std::string own = path;
  if (take_name(path)) subcollections_.push_back(std::move(own));
}

namespace {

template <class Trained>
void bury(std::vector<std::unique_ptr<Trained>>& from, size_t kept, std::vector<std::unique_ptr<Trained>>& to) {
  for (size_t i = kept; i < from.size(); ++i) {
    from[i]->is_gone = true;
    if (!from[i]->was_read.load(std::memory_order_acquire)) from[i]->values = Buffer();
    to.push_back(std::move(from[i]));
  }
  from.resize(kept);
}

}  // namespace

void Storage::rollback(const Mark& mark) {
  for (size_t i = mark.parameters; i < parameters_.size(); ++i) gradients_->release(*parameters_[i]);
  for (size_t i = mark.lookups; i < lookups_.size(); ++i) gradients_->release(*lookups_[i]);
  bury(parameters_, mark.parameters, gone_parameters_);
  bury(lookups_, mark.lookups, gone_lookups_);
  for (; subcollections_.size() > mark.subcollections; subcollections_.pop_back())
    weight_decays_.erase(subcollections_.back());
  for (; name_order_.size() > mark.names; name_order_.pop_back()) names_.erase(name_order_.back().place);
  for (; number_changes_.size() > mark.number_changes; number_changes_.pop_back())
    number_changes_.back().place->second = number_changes_.back().before;
}

double Storage::weight_decay(std::string_view name) const {
  for (size_t slash = name.rfind('/');; slash = name.rfind('/', slash - 1)) {
    const auto own = weight_decays_.find(name.substr(0, slash + 1));
    if (own != weight_decays_.end()) return own->second;
  }
}

void Storage::set_weight_decay(const std::string& path, double lambda) {
  if (path != "/" && !has_subcollection(path))
    fail(DN_E_STATE, "the sub-collection %s was taken back: it was made for a builder that failed", path.c_str());
  weight_decays_.insert_or_assign(path, lambda);
}

}  // namespace dynnet

// The values as a matrix of so many rows and columns, in strips.
template <class Pack>
const float* dn_parameter::current(Copy& copy, int64_t rows, int64_t columns, Pack&& pack) {
  if (is_current(copy)) return copy.values.data();
  const std::lock_guard<std::mutex> lock(packing_);
  if (is_current(copy)) return copy.values.data();
  const uint64_t wanted = version.load(std::memory_order_acquire);
  constexpr int64_t kStrip = 16;
  if (copy.values.empty()) copy.values = dynnet::Buffer((rows + kStrip - 1) / kStrip * kStrip * columns, name.c_str());
  pack(copy.values.data());
  copy.version.store(wanted, std::memory_order_release);
  return copy.values.data();
}

const float* dn_parameter::packed() {
  const int64_t m = dim.rows();
  const int64_t k = dim.size() / m;
  return current(packed_, m, k, [&](float* to) { dynnet::kernels().pack(m, k, values.data(), m, to); });
}

const float* dn_parameter::packed_transpose() {
  const int64_t m = dim.rows();
  const int64_t k = dim.size() / m;
  return current(packed_transpose_, k, m,
                 [&](float* to) { dynnet::kernels().pack_transposed(m, k, values.data(), m, to); });
}

bool dn_parameter::is_worth_packing(int64_t n) {
  // Packing reads and writes a matrix once; a product of so many columns takes about as much longer unpacked.
  constexpr uint64_t kWorth = 16;
  constexpr int kCountBits = 8;
  if (is_current(packed_)) return true;
  const uint64_t own = version.load(std::memory_order_relaxed) << kCountBits;
  const uint64_t noted = unpacked_columns_.load(std::memory_order_relaxed);
  const uint64_t before = noted >> kCountBits << kCountBits == own ? noted - own : 0;
  if (before + static_cast<uint64_t>(n) >= kWorth) return true;
  unpacked_columns_.store(own + before + static_cast<uint64_t>(n), std::memory_order_relaxed);
  return false;
}

#include "graph/type_table.h"

#include <utility>

namespace dynnet {
namespace {

constexpr size_t kFirstSlots = 256;

}  // namespace

void KeyTable::clear() {
  slots_.assign(kFirstSlots, Slot{0, kNone});
  mask_ = kFirstSlots - 1;
  hashes_.clear();
  keys_.clear();
  words_.clear();
}

void KeyTable::place(uint64_t hash, uint32_t number) {
  size_t slot = hash & mask_;
  while (slots_[slot].number != kNone) slot = (slot + 1) & mask_;
  slots_[slot] = {static_cast<uint32_t>(hash >> 32), number};
}

uint32_t KeyTable::insert(const uint32_t* key, uint32_t words, uint64_t hash) {
  const uint32_t number = size();
  if ((number + 1) * 2 > slots_.size()) {
    slots_.assign(slots_.size() * 2, Slot{0, kNone});
    mask_ = slots_.size() - 1;
    for (uint32_t i = 0; i < number; ++i) place(hashes_[i], i);
  }
  keys_.push_back({static_cast<uint32_t>(words_.size()), words});
  words_.insert(words_.end(), key, key + words);
  hashes_.push_back(hash);
  place(hash, number);
  return number;
}

uint32_t TypeTable::add(const uint32_t* key, uint32_t words, uint64_t hash, std::unique_ptr<Type> type) {
  Shaping shaping(*type);
  type->def->shape(shaping);
  if (type->dim.total() > int64_t{1} << 40)
    fail(DN_E_MEMORY, "%s: the result %s has more than 2^40 elements", type->def->name, type->dim.text().c_str());
  type->size = type->dim.total();

  uint32_t dim_key[DN_MAX_DIMS + 2] = {type->dim.nd, type->dim.bd};
  std::memcpy(dim_key + 2, type->dim.d, sizeof type->dim.d);
  uint64_t dim_hash;
  uint32_t shape = dims_.find(dim_key, DN_MAX_DIMS + 2, &dim_hash);
  if (shape == KeyTable::kNone) shape = dims_.insert(dim_key, DN_MAX_DIMS + 2, dim_hash);
  type->shape = shape;

  types_.push_back(std::move(type));
  shapes_.push_back(shape);
  return keys_.insert(key, words, hash);
}

void TypeTable::clear() {
  keys_.clear();
  dims_.clear();
  types_.clear();
  shapes_.clear();
}

}  // namespace dynnet

#include "graph/type_table.h"

#include <algorithm>
#include <utility>

#include "memory/room.h"

namespace dynnet {
namespace {

constexpr size_t kFirstSlots = 256;

}  // namespace

void KeyTable::place(uint64_t hash, uint32_t number) {
  size_t slot = hash & mask_;
  while (slots_[slot].number != kNone) slot = (slot + 1) & mask_;
  slots_[slot] = {static_cast<uint32_t>(hash >> 32), number};
}

uint32_t KeyTable::insert(const KeyWriter& key) {
  const uint32_t number = size();
  const uint32_t words = key.count();
  // Memory first, so that nothing can fail once there is a change.
  keys_.reserve(keys_.size() + 1);
  hashes_.reserve(hashes_.size() + 1);
  words_.reserve(words_.size() + words);
  if ((number + 1) * 2 > slots_.size()) {
    slots_ = Array<Slot>(std::max(slots_.size() * 2, kFirstSlots), Slot{0, kNone});
    mask_ = slots_.size() - 1;
    for (uint32_t i = 0; i < number; ++i) place(hashes_[i], i);
  }
  keys_.push_back({static_cast<uint32_t>(words_.size()), words});
  std::copy(key.words(), key.words() + words, words_.extend(words));
  hashes_.push_back(key.hash());
  place(key.hash(), number);
  return number;
}

uint32_t TypeTable::add(const KeyWriter& key, std::unique_ptr<Type> type) {
  Shaping shaping(*type);
  type->random = type->def->random;
  type->def->shape(shaping);
  type->size = total_if_possible(type->dim);
  if (type->size < 0)
    fail(DN_E_MEMORY, "%s: the result %s has more than 2^40 elements", type->def->name, type->dim.text().c_str());
  if (type->aux < 0 || type->aux > kMostElements)
    fail(DN_E_MEMORY, "%s: what is kept of the result %s for its gradient has more than 2^40 elements", type->def->name,
         type->dim.text().c_str());

  type->deferred.resize(type->operands.size());
  for (size_t i = 0; i < type->operands.size() && type->def->defers != nullptr; ++i)
    type->deferred[i] = type->def->defers(*type, static_cast<int>(i));

  type->may_be_early = type->def->early != nullptr && type->def->early(*type, ~uint32_t{0}) > 0;

  uint32_t dim_words[DN_MAX_DIMS + 2];
  KeyWriter dim_key(dim_words);
  dim_key.add(type->dim.nd);
  dim_key.add(type->dim.bd);
  for (const uint32_t size : type->dim.d) dim_key.add(size);
  uint32_t shape = dims_.find(dim_key);
  if (shape == KeyTable::kNone) shape = dims_.insert(dim_key);
  type->shape = shape;

  // The numbers of keys, types and shapes must stay in step, whatever fails.
  make_room(types_, 1);
  make_room(shapes_, 1);
  const uint32_t number = keys_.insert(key);
  types_.push_back(std::move(type));
  shapes_.push_back(shape);
  return number;
}

void TypeTable::clear() { *this = TypeTable(); }

}  // namespace dynnet

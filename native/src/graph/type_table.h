// Interned shapes and node types. A hash finds the slot, equality of the whole key decides.
#ifndef DYNNET_GRAPH_TYPE_TABLE_H_
#define DYNNET_GRAPH_TYPE_TABLE_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "memory/memory.h"
#include "ops/op.h"

namespace dynnet {

/// Keys are sequences of words; each has a number, counted from 0 in the order of insertion.
class KeyTable {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  /// The number of a key, or kNone. `hash` gets what `insert` needs.
  uint32_t find(const uint32_t* key, uint32_t words, uint64_t* hash) const {
    *hash = hash_of(key, words);
    if (slots_.empty()) [[unlikely]]
      return kNone;
    for (size_t slot = *hash & mask_;; slot = (slot + 1) & mask_) {
      const Slot& s = slots_[slot];
      if (s.number == kNone) return kNone;
      if (s.hash == static_cast<uint32_t>(*hash >> 32) && equals(s.number, key, words)) return s.number;
    }
  }
  /// Adds a key that is not there.
  uint32_t insert(const uint32_t* key, uint32_t words, uint64_t hash);
  uint32_t size() const { return static_cast<uint32_t>(keys_.size()); }
  size_t words() const { return words_.size(); }

 private:
  struct Slot {
    uint32_t hash;
    uint32_t number;
  };
  struct Key {
    uint32_t begin;
    uint32_t words;
  };
  static uint64_t hash_of(const uint32_t* key, uint32_t words) {
    // Two words at a time, each pair multiplied on its own, so that no multiplication waits for another; where a pair
    // stands is part of its factor. Keys that collide cost time only, since equality decides.
    constexpr uint64_t kOdd = 0x9e3779b97f4a7c15u;
    uint64_t hash = words * kOdd;
    uint64_t factor = kOdd;
    uint32_t i = 0;
    for (; i + 1 < words; i += 2, factor += 2 * kOdd) hash += (key[i] | uint64_t{key[i + 1]} << 32) * factor;
    if (i < words) hash += key[i] * factor;
    hash ^= hash >> 32;
    hash *= kOdd;
    return hash ^ hash >> 29;
  }
  bool equals(uint32_t number, const uint32_t* key, uint32_t words) const {
    const Key& k = keys_[number];
    if (k.words != words) return false;
    // Keys are short: a call would take longer than the comparison.
    const uint32_t* const own = &words_[k.begin];
    uint32_t difference = 0;
    for (uint32_t i = 0; i < words; ++i) difference |= own[i] ^ key[i];
    return difference == 0;
  }
  void place(uint64_t hash, uint32_t number);

  /// Twice as many as keys at least; none before the first key, so that an empty table holds no memory.
  Array<Slot> slots_;
  Array<uint64_t> hashes_;
  Array<Key> keys_;
  Array<uint32_t> words_;
  size_t mask_ = 0;
};

/// The types of one graph, kept over renewals: the same program finds them again.
class TypeTable {
 public:
  uint32_t find(const uint32_t* key, uint32_t words, uint64_t* hash) const { return keys_.find(key, words, hash); }
  /// Adds a type whose operands and attributes are set: its shape rule runs here, and may throw.
  uint32_t add(const uint32_t* key, uint32_t words, uint64_t hash, std::unique_ptr<Type> type);
  const Type& operator[](uint32_t number) const { return *types_[number]; }
  uint32_t shape_of(uint32_t type) const { return shapes_[type]; }
  uint32_t size() const { return keys_.size(); }
  /// The words of all keys, which is how much memory the types take.
  size_t words() const { return keys_.words(); }
  /// Forgets all types and gives back their memory.
  void clear();

 private:
  KeyTable keys_;
  KeyTable dims_;
  std::vector<std::unique_ptr<Type>> types_;
  /// The shape's number for each type, apart from the types because recording reads nothing else of an operand.
  std::vector<uint32_t> shapes_;
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_TYPE_TABLE_H_

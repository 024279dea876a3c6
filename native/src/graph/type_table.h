// Interned shapes and node types. A hash finds the slot, equality of the whole key decides.
#ifndef DYNNET_GRAPH_TYPE_TABLE_H_
#define DYNNET_GRAPH_TYPE_TABLE_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "memory/array.h"
#include "ops/op.h"

namespace dynnet {

/// A sequence of words that is being written, and its hash. The hash is made of the words as they come: read back in
/// pairs, they would be waited for until they are all in memory.
class KeyWriter {
 public:
  /// @param words memory for all words that will come
  explicit KeyWriter(uint32_t* words) : words_(words) {}
  void add(uint32_t word) {
    // Each place has a factor of its own, which does not depend on the words, so that no word waits for another. Keys
    // that collide cost time only, since equality decides.
    hash_ += (uint64_t{word} + 1) * factor_;
    factor_ *= kNextFactor;
    words_[count_++] = word;
  }
  const uint32_t* words() const { return words_; }
  uint32_t count() const { return count_; }
  uint64_t hash() const {
    uint64_t hash = hash_ + count_ * kOdd;
    hash ^= hash >> 32;
    hash *= kOdd;
    return hash ^ hash >> 29;
  }

 private:
  static constexpr uint64_t kOdd = 0x9e3779b97f4a7c15u;
  static constexpr uint64_t kNextFactor = 0xd1342543de82ef95u;
  uint32_t* words_;
  uint32_t count_ = 0;
  uint64_t hash_ = 0;
  uint64_t factor_ = kOdd;
};

/// Keys are sequences of words; each has a number, counted from 0 in the order of insertion.
class KeyTable {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  /// The number of a key, or kNone.
  uint32_t find(const KeyWriter& key) const {
    if (slots_.empty()) [[unlikely]]
      return kNone;
    const uint64_t hash = key.hash();
    for (size_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
      const Slot& s = slots_[slot];
      if (s.number == kNone) return kNone;
      if (s.hash == static_cast<uint32_t>(hash >> 32) && equals(s.number, key)) return s.number;
    }
  }
  /// Adds a key that is not there.
  uint32_t insert(const KeyWriter& key);
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
  bool equals(uint32_t number, const KeyWriter& key) const {
    const Key& k = keys_[number];
    if (k.words != key.count()) return false;
    // Keys are short: a call would take longer than the comparison.
    const uint32_t* const own = &words_[k.begin];
    uint32_t difference = 0;
    for (uint32_t i = 0; i < k.words; ++i) difference |= own[i] ^ key.words()[i];
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
  uint32_t find(const KeyWriter& key) const { return keys_.find(key); }
  /// Adds a type whose operands and attributes are set: its shape rule runs here, and may throw.
  uint32_t add(const KeyWriter& key, std::unique_ptr<Type> type);
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

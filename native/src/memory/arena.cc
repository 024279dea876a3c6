#include "memory/arena.h"

#include <algorithm>

#include "memory/memory.h"

namespace dynnet {

uint8_t* Arena::allocate_in_next_chunk(int64_t bytes) {
  // Chunks that are too small for this request are passed over; the next reset uses them again.
  size_t next = chunks_.empty() ? 0 : current_ + 1;
  while (next < chunks_.size() && chunks_[next].bytes < bytes) ++next;
  if (next == chunks_.size()) {
    int64_t size = kFirstChunk;
    if (!chunks_.empty()) size = std::min(chunks_.back().bytes * 2, kLargestGrowth);
    size = std::max(size, bytes);
    chunks_.reserve(chunks_.size() + 1);
    chunks_.push_back({static_cast<uint8_t*>(dynnet::allocate(size, what_)), size});
  }
  current_ = next;
  used_ = bytes;
  return chunks_[next].memory;
}

bool Arena::is_after(const void* pointer, Mark mark) const {
  const auto* address = static_cast<const uint8_t*>(pointer);
  for (size_t i = mark.chunk; i < chunks_.size(); ++i) {
    const uint8_t* begin = chunks_[i].memory + (i == mark.chunk ? mark.used : 0);
    if (address >= begin && address < chunks_[i].memory + chunks_[i].bytes) return true;
  }
  return false;
}

void Arena::free_all() {
  for (const Chunk& chunk : chunks_) dynnet::release(chunk.memory, chunk.bytes);
  chunks_.clear();
  reset();
}

}  // namespace dynnet

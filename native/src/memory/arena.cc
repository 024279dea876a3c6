#include "memory/arena.h"

#include <algorithm>

#include "core/error.h"
#include "memory/memory.h"

namespace dynnet {

void Arena::refuse() const { fail(DN_E_MEMORY, "%s: no machine has the memory asked for", what_); }

uint8_t* Arena::allocate_in_next_chunk(int64_t bytes) {
  // Chunks that are too small for this request are passed over; the next reset uses them again.
  size_t next = chunks_.empty() ? 0 : current_ + 1;
  while (next < chunks_.size() && chunks_[next].bytes < bytes) ++next;
  if (next == chunks_.size()) {
    int64_t size = kFirstChunk;
    if (!chunks_.empty()) size = std::min(chunks_.back().bytes * 2, kLargestGrowth);
    size = std::max(size, bytes);
    chunks_.reserve(chunks_.size() + 1);
    void* memory;
    try {
      memory = dynnet::allocate(size, what_);
    } catch (const Error&) {
      // Close to the limit, no more than what is needed.
      if (size == bytes) throw;
      size = bytes;
      memory = dynnet::allocate(size, what_);
    }
    chunks_.push_back({static_cast<uint8_t*>(memory), size});
  }
  current_ = next;
  used_ = bytes;
  return chunks_[next].memory;
}

void Arena::free_all() {
  for (const Chunk& chunk : chunks_) dynnet::release(chunk.memory, chunk.bytes);
  chunks_.clear();
  reset();
}

}  // namespace dynnet

// The life of graphs. Headers are recycled and never given back to the allocator, so that a stale handle always reads
// valid memory and finds a stamp that is not its own.
#include <cstddef>
#include <mutex>

#include "graph/graph.h"

namespace dynnet {
namespace {

// First in, first out: a header rests as long as possible before it serves another graph. The list runs through the
// headers themselves, since freeing a graph must not need memory.
struct GraphPool {
  std::mutex mutex;
  dn_graph* first = nullptr;
  dn_graph* last = nullptr;
  size_t idle = 0;
};

// Leaked on purpose: threads may still be inside when the process exits.
GraphPool& graph_pool() {
  static auto* pool = new GraphPool;
  return *pool;
}

}  // namespace

dn_graph* Graph::create(uint64_t seed) {
  GraphPool& pool = graph_pool();
  dn_graph* graph = nullptr;
  {
    const std::lock_guard lock(pool.mutex);
    // A few headers stay idle so that none is reused at once.
    constexpr size_t kResting = 16;
    if (pool.idle > kResting) {
      graph = pool.first;
      pool.first = static_cast<dn_graph*>(graph->next_idle_);
      --pool.idle;
    }
  }
  if (graph == nullptr) graph = new dn_graph;
  graph->seed_ = seed;
  graph->advance_stamp();
  graph->entrance_.open();
  return graph;
}

void Graph::free(dn_graph* graph) {
  if (graph->entrance_.close()) graph->recycle();
}

void Graph::refuse(Entrance::Entry entry) {
  if (entry == Entrance::Entry::kBusy)
    fail(DN_E_BUSY, "another thread's call is inside this graph; a graph serves one call at a time");
  if (entry == Entrance::Entry::kLast) recycle();
  fail(DN_E_DISPOSED, "the graph has been disposed");
}

void Graph::recycle() {
  clear(false);
  advance_stamp();
  GraphPool& pool = graph_pool();
  const std::lock_guard lock(pool.mutex);
  auto* graph = static_cast<dn_graph*>(this);
  next_idle_ = nullptr;
  if (pool.idle == 0)
    pool.first = graph;
  else
    pool.last->next_idle_ = graph;
  pool.last = graph;
  ++pool.idle;
}

}  // namespace dynnet

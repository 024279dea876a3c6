// What the latest forward ran together, and what it could not.
#include <algorithm>
#include <map>

#include "graph/graph.h"

namespace dynnet {

dn_batch_stats Graph::batch_stats() const {
  dn_batch_stats stats{};
  for (size_t i = latest_batch_; i < plan_.batches.size(); ++i) {
    const Plan::Batch& batch = plan_.batches[i];
    if (batch.stage == Stage::kEarly) continue;
    stats.nodes += batch.count;
    ++stats.batches;
    if (batch.count > 1) stats.batched_nodes += batch.count;
  }
  return stats;
}

const std::string& Graph::batching_report() {
  struct Line {
    uint32_t nodes = 0;
    uint32_t batches = 0;
    uint32_t largest = 0;
    uint32_t alone = 0;
    bool early = false;
  };
  std::map<uint32_t, Line> lines;
  for (size_t i = latest_batch_; i < plan_.batches.size(); ++i) {
    const Plan::Batch& batch = plan_.batches[i];
    Line& line = lines[batch.type];
    if (batch.stage == Stage::kEarly) {
      line.early = true;
      continue;
    }
    line.nodes += batch.count;
    ++line.batches;
    line.largest = std::max(line.largest, batch.count);
    if (batch.count == 1) ++line.alone;
  }
  const dn_batch_stats stats = batch_stats();
  report_ = format("%lld nodes in %lld batches, %lld of them with company\n", static_cast<long long>(stats.nodes),
                   static_cast<long long>(stats.batches), static_cast<long long>(stats.batched_nodes));
  size_t merged = 0;
  for (size_t i = latest_batch_; i < plan_.batches.size(); ++i) merged += plan_.batches[i].alias_count;
  if (merged > 0) report_ += format("%zu more nodes equal others and were computed with them\n", merged);
  if (latest_batch_ == 0 && was_shared_)
    report_ += format("in %u parts, computed by several threads\n", division_.parts());
  for (const auto& [number, line] : lines) {
    const Type& type = types_[number];
    std::string operands;
    for (size_t i = 0; i < type.operands.size() && i < 6; ++i)
      operands += (i == 0 ? "" : ", ") + type.operands[i].text() + (type.shared[i] ? " shared" : "");
    if (type.operands.size() > 6) operands += ", ...";
    report_ += format("%s(%s) -> %s: %u nodes in %u batches, at most %u together", type.def->name, operands.c_str(),
                      type.dim.text().c_str(), line.nodes, line.batches, line.largest);
    if (line.early) report_ += "; what their first operands contribute, of all nodes at once";
    if (line.alone > 0) {
      const char* reason = "each waited for another of its type, or for operands that were ready at different times";
      if (line.nodes == 1) reason = "the only node with this operation, these shapes and these weights";
      if (!batching_) reason = "batching is off";
      report_ += format("; %u alone: %s", line.alone, reason);
    }
    report_ += '\n';
  }
  return report_;
}

void Graph::set_profiling(bool on) {
  profile_.reset();
  if (!on) return;
  profile_ = std::make_unique<Profile>();
  profile_->make_lanes(1);
}

Profile& Graph::profile() {
  if (profile_ == nullptr) fail(DN_E_STATE, "profile: none was begun for this graph");
  return *profile_;
}

}  // namespace dynnet

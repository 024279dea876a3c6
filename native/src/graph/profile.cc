#include "graph/profile.h"

#include <algorithm>

#include "core/error.h"

namespace dynnet {
namespace {

const char* name(Phase phase) {
  constexpr const char* kNames[] = {"plan", "forward", "backward", "parameters", "wait"};
  return kNames[static_cast<size_t>(phase)];
}

double milliseconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e6; }

// "affine_transform {128}, {128,256}, {256}"
std::string describe(const Type& type) {
  constexpr size_t kMost = 5;
  std::string text = type.def->name;
  for (size_t i = 0; i < type.operands.size() && i < kMost; ++i)
    text += (i == 0 ? " " : ", ") + type.operands[i].text();
  if (type.operands.size() > kMost) text += format(", ... (%zu)", type.operands.size());
  return text;
}

}  // namespace

void Profile::make_lanes(uint32_t count) {
  while (lanes_.size() < count) lanes_.push_back(std::make_unique<Lane>());
}

uint32_t Profile::name_of(const Type* type) {
  const auto known = names_of_types_.find(type);
  if (known != names_of_types_.end()) return known->second;
  std::string text = type == nullptr ? "" : describe(*type);
  const auto [place, is_new] = numbers_.try_emplace(std::move(text), static_cast<uint32_t>(names_.size()));
  if (is_new) names_.push_back(place->first);
  return names_of_types_[type] = place->second;
}

void Profile::settle() {
  for (uint32_t lane = 0; lane < lanes_.size(); ++lane) {
    for (const Lane::Event& event : lanes_[lane]->events_) {
      const std::chrono::nanoseconds length = event.end - event.begin;
      const uint32_t name = name_of(event.type);
      Total& total = totals_[{event.phase, name}];
      ++total.batches;
      total.nodes += event.nodes;
      total.largest = std::max<int64_t>(total.largest, event.nodes);
      total.time += length;
      if (lane == 0) inside_ += length;
      latest_ = std::max(latest_, event.end);
      if (kept_.size() < kMostEvents)
        kept_.push_back({event.phase, name, event.nodes, lane, std::chrono::nanoseconds(event.begin - start_).count(),
                         length.count()});
      else
        ++left_out_;
    }
    lanes_[lane]->events_.clear();
  }
}

void Profile::forget_types() {
  names_of_types_.clear();
  for (const auto& lane : lanes_) lane->events_.clear();
}

const std::string& Profile::text() {
  const std::chrono::nanoseconds whole = latest_ - start_;
  std::vector<std::pair<Key, Total>> rows(totals_.begin(), totals_.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second.time > b.second.time; });
  text_ = format("%.3f ms from the first to the last batch", milliseconds(whole));
  std::chrono::nanoseconds phases[static_cast<size_t>(Phase::kCount)]{};
  for (const auto& [key, total] : rows) phases[static_cast<size_t>(key.phase)] += total.time;
  for (size_t i = 0; i < static_cast<size_t>(Phase::kCount); ++i)
    text_ += format(", %s %.3f", name(static_cast<Phase>(i)), milliseconds(phases[i]));
  text_ += format("; outside (recording, updates, the program itself) %.3f\n", milliseconds(whole - inside_));
  text_ += "        ms   share   batches     nodes  largest  what\n";
  for (const auto& [key, total] : rows)
    text_ += format(
        "%10.3f  %5.1f%%  %8lld  %8lld  %7lld  %s %s\n", milliseconds(total.time),
        whole.count() > 0 ? 100.0 * static_cast<double>(total.time.count()) / static_cast<double>(whole.count()) : 0.0,
        static_cast<long long>(total.batches), static_cast<long long>(total.nodes),
        static_cast<long long>(total.largest), name(key.phase), names_[key.name].c_str());
  return text_;
}

const std::string& Profile::trace() {
  trace_ = "{\"displayTimeUnit\": \"ns\", \"otherData\": {\"batches left out\": " + std::to_string(left_out_) +
           "}, \"traceEvents\": [";
  const char* separator = "\n";
  for (const Kept& event : kept_) {
    const std::string& what = names_[event.name];
    trace_ += format(
        "%s{\"ph\": \"X\", \"pid\": 1, \"tid\": %u, \"ts\": %.3f, \"dur\": %.3f, \"cat\": \"%s\", \"name\": \"%s\", "
        "\"args\": {\"nodes\": %u}}",
        separator, event.lane, static_cast<double>(event.begin_ns) / 1e3, static_cast<double>(event.length_ns) / 1e3,
        name(event.phase), what.empty() ? name(event.phase) : what.c_str(), event.nodes);
    separator = ",\n";
  }
  trace_ += "\n]}\n";
  return trace_;
}

}  // namespace dynnet

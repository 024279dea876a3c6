// Computing values: what has to be computed, in which order, and each batch of it.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>

#include "graph/graph.h"

namespace dynnet {
namespace {

// The lists of what nodes use are in the order of the nodes: calls `visit` for those of [begin, end).
template <class Used, class Visit>
void visit_between(std::vector<Used>& list, uint32_t begin, uint32_t end, Visit&& visit) {
  for (size_t i = list.size(); i-- > 0 && list[i].node >= begin;)
    if (list[i].node < end) visit(list[i]);
}

}  // namespace

// A key for a node's random numbers: the same program draws the same numbers, and no two nodes or forwards share them.
uint64_t Graph::random_key(uint32_t node) const {
  const uint32_t reverts = nodes_[node].flags >> Node::kRevertsShift;
  uint64_t key = seed_;
  for (const uint64_t part : {uint64_t{renewals_}, uint64_t{reverts} << 32 | node, uint64_t{forwards_}}) {
    key ^= part + 0x9e3779b97f4a7c15u + (key << 6) + (key >> 2);
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdu;
    key ^= key >> 33;
  }
  return key;
}

void Graph::note_versions(uint32_t begin, uint32_t end) {
  visit_between(parameters_, begin, end,
                [](UsedParameter& used) { used.version = used.parameter->version.load(std::memory_order_relaxed); });
  visit_between(tables_, begin, end,
                [](UsedTable& used) { used.version = used.table->version.load(std::memory_order_relaxed); });
}

bool Graph::parameters_changed() const {
  for (const UsedParameter& used : parameters_) {
    if (used.node >= computed_) break;
    if (used.version != used.parameter->version.load(std::memory_order_relaxed)) return true;
  }
  for (const UsedTable& used : tables_) {
    if (used.node >= computed_) break;
    if (used.version != used.table->version.load(std::memory_order_relaxed)) return true;
  }
  return false;
}

void Graph::check_bound_indices(uint32_t end) const {
  for (const Input& input : inputs_) {
    if (input.node >= end) break;
    if (input.value != nullptr) continue;
    const Type& type = type_of(input.node);
    type.def->check({type, static_cast<const uint32_t*>(input.bound)});
  }
}

void Graph::take_pending(uint32_t end) {
  for (Input& input : inputs_) {
    if (input.node >= end) break;
    if (input.pending.empty()) continue;
    std::copy_n(input.pending.data(), input.pending.size(), input.value);
    input.pending.reset();
  }
  std::erase_if(pending_indices_, [&](const PendingIndices& pending) {
    if (pending.node >= end) return false;
    std::copy(pending.words.begin(), pending.words.end(), data_.begin() + nodes_[pending.node].data);
    return true;
  });
}

size_t Graph::read_inputs(uint32_t end) {
  size_t i = inputs_read_;
  for (; i < inputs_.size() && inputs_[i].node < end; ++i) {
    const Input& input = inputs_[i];
    if (input.bound == nullptr) continue;
    const Type& type = type_of(input.node);
    if (input.value != nullptr) {
      std::memcpy(input.value, input.bound, type.size * sizeof(float));
      values_[input.node] = input.value;
      continue;
    }
    uint32_t index;
    std::memcpy(&index, input.bound, sizeof index);
    type.def->check({type, &index});
    data_[nodes_[input.node].data] = index;
  }
  return i;
}

void Graph::drop_values(uint32_t begin, uint32_t end) {
  for (uint32_t node = begin; node < end; ++node)
    if ((nodes_[node].flags & Node::kGiven) == 0) values_[node] = nullptr;
}

void Graph::forward(uint32_t node) {
  // A folded node is computed with the one that it was folded into.
  const uint32_t end = std::max(node + (is_folded(node) ? 2 : 1), computed_);
  // First what may fail, so that a bad index leaves everything as it was.
  check_bound_indices(end);
  forget(end);
  compute(end);
  if (is_folded(node)) compute_folded(node);
}

void Graph::forget(uint32_t end) {
  drop_values(0, computed_);
  folded_values_.clear();
  computed_ranges_.clear();
  for (const Input& input : inputs_)
    if (input.bound != nullptr) values_[input.node] = nullptr;
  value_memory_.reset();
  computed_ = 0;
  inputs_read_ = 0;
  ++forwards_;
  take_pending(end);
}

void Graph::incremental_forward(uint32_t node) {
  if (is_folded(node)) return compute_folded(node);
  if (node >= computed_ && values_[node] == nullptr) compute(node + 1);
}

const float* Graph::value(uint32_t node) {
  incremental_forward(node);
  return values_[node];
}

void Graph::compute(uint32_t end) {
  const uint32_t begin = computed_;
  const Arena::Mark values = value_memory_.mark();
  const size_t folded_values = folded_values_.size();
  aux_.resize(size(), nullptr);
  // A few nodes more than what one plan computed, such as a loss over its length, are no reason to plan backward anew.
  constexpr uint32_t kFew = 16;
  const bool extends = plan_is_whole_ && begin > 0 && end - begin <= kFew && kFew * (end - begin) <= begin;
  if (!extends) plan_.clear();
  plan_is_whole_ = false;
  latest_batch_ = plan_.batches.size();
  try {
    const size_t inputs_read = read_inputs(end);
    note_versions(begin, end);
    const auto planned_from = profile_time();
    make_plan(begin, end);
    note(Phase::kPlan, planned_from);
    if (!extends) {
      rows_memory_.reset();
      operand_rows_.clear();
    }
    operand_rows_.resize(plan_.batches.size() * std::max<size_t>(division_.parts(), 1), nullptr);
    const FlushDenormals flush;
    if (latest_batch_ == 0 && division_.parts() > 0)
      run_divided();
    else
      run_batches(static_cast<uint32_t>(latest_batch_));
    if (profile_ != nullptr) profile_->settle();
    if (latest_folded_ >= begin) computed_ranges_.push_back({end, sum_of_versions(end)});
    computed_ = end;
    inputs_read_ = inputs_read;
    plan_is_whole_ = begin == 0 || extends;
  } catch (...) {
    // What was computed before the failure is forgotten, so that all values are always of one plan or another, whole.
    drop_values(begin, end);
    drop_folded_values(folded_values);
    value_memory_.rewind(values);
    for (size_t i = inputs_read_; i < inputs_.size() && inputs_[i].node < end; ++i)
      if (inputs_[i].bound != nullptr) values_[inputs_[i].node] = nullptr;
    plan_.clear();
    latest_batch_ = 0;
    throw;
  }
}

void Graph::make_plan(uint32_t begin, uint32_t end) {
  scratch_.reset();
  if (latest_batch_ == 0) {
    division_.clear();
    was_shared_ = false;
  }
  auto* include = scratch_.allocate<uint8_t>(end - begin);
  uint32_t pending = 0;
  uint32_t pending_node = 0;
  for (uint32_t node = begin; node < end; ++node) {
    include[node - begin] = values_[node] == nullptr && !is_folded(node);
    if (include[node - begin]) {
      ++pending;
      pending_node = node;
    }
  }
  if (pending == 1) {
    plan_.append_alone(pending_node, nodes_[pending_node].type);
  } else if (batching_) {
    scheduler_.schedule(recorded(), begin, end, include, types_, true, &plan_);
    if (latest_batch_ == 0) divide(plan_, begin, end, include, &divider_, &division_);
  } else {
    for (uint32_t node = begin; node < end; ++node)
      if (include[node - begin]) plan_.append_alone(node, nodes_[node].type);
  }
}

uint32_t Graph::first_joint_batch(const Plan& plan) const {
  constexpr int64_t kSmall = 16;
  size_t first = plan.batches.size();
  const auto is_small = [&](const Plan::Batch& batch) {
    return batch.stage == Stage::kWhole && batch.count == 1 && types_[batch.type].size <= kSmall;
  };
  while (first > 0 && is_small(plan.batches[first - 1])) --first;
  return static_cast<uint32_t>(first);
}

void Graph::divide(const Plan& plan, uint32_t begin, uint32_t end, const uint8_t* include, Divider* divider,
                   Division* division) {
  division->clear();
  // An error in a value is that of the first node in the order of the plan.
  if (check_values_ || !parallel::is_free()) return;
  const auto threads = static_cast<uint32_t>(dynnet::threads());
  if (!divider->find_parts(recorded(), begin, end, include, plan, first_joint_batch(plan), threads)) return;
  parallel::prepare();
  divider->divide(plan, division);
}

void Graph::make_parts(uint32_t count) {
  while (parts_.size() < count) parts_.push_back(std::make_unique<Part>());
  for (const auto& part : parts_) {
    part->scratch.reset();
    part->error = nullptr;
  }
}

bool Graph::run_parts(uint32_t count, const std::function<void(uint32_t)>& run_part) {
  if (profile_ != nullptr) profile_->make_lanes(count + 1);
  const std::thread::id self = std::this_thread::get_id();
  auto waited_from = profile_time();
  std::atomic<bool> shared{false};
  parallel_parts(count, [&](int64_t p) {
    try {
      run_part(static_cast<uint32_t>(p));
    } catch (...) {
      parts_[static_cast<size_t>(p)]->error = std::current_exception();
    }
    if (std::this_thread::get_id() != self)
      shared.store(true, std::memory_order_relaxed);
    else if (profile_ != nullptr)
      waited_from = Profile::Clock::now();
  });
  note(Phase::kWait, waited_from);
  for (const auto& part : parts_)
    if (part->error != nullptr) std::rethrow_exception(std::exchange(part->error, nullptr));
  return shared;
}

void Graph::run_batches(uint32_t first) {
  const Arena::Mark batch_scratch = scratch_.mark();
  const size_t parts = std::max<size_t>(division_.parts(), 1);
  for (size_t i = first; i < plan_.batches.size(); ++i) {
    const Plan::Batch& batch = plan_.batches[i];
    const uint32_t* nodes = &plan_.nodes[batch.begin];
    operand_rows_[i * parts] =
        run(batch, nodes, batch.count, allocate_results(batch, nodes[0]), rows_memory_, scratch_);
    assign_aliases(batch);
    if (check_values_ && batch.stage != Stage::kEarly) check(nodes, batch.count);
    scratch_.rewind(batch_scratch);
  }
}

void Graph::run_divided() {
  const Division& division = division_;
  make_parts(division.parts());
  auto* results = scratch_.allocate<Results>(division.joint_batch());
  for (uint32_t b = 0; b < division.joint_batch(); ++b) {
    const Plan::Batch& batch = plan_.batches[b];
    const uint32_t* nodes = &plan_.nodes[batch.begin];
    results[b] = allocate_results(batch, nodes[0]);
    if (!division.is_first(b)) continue;
    operand_rows_[size_t{b} * division.parts()] = run(batch, nodes, batch.count, results[b], rows_memory_, scratch_);
    assign_aliases(batch);
  }
  auto run_part = [&](uint32_t p) {
    Part& memory = *parts_[p];
    memory.rows.reset();
    for (uint32_t b = 0; b < division.joint_batch(); ++b) {
      const Division::Part part = division.part(b, p);
      if (part.count == 0) continue;
      const Plan::Batch& batch = plan_.batches[b];
      const Type& type = types_[batch.type];
      const auto before = static_cast<int64_t>(part.nodes - division.nodes(b));
      const Results own = results[b].y == nullptr
                              ? Results{}
                              : Results{results[b].y + before * type.size, results[b].aux + before * type.aux};
      operand_rows_[size_t{b} * division.parts() + p] =
          run(batch, part.nodes, part.count, own, memory.rows, memory.scratch, p + 1);
      memory.scratch.reset();
    }
  };
  was_shared_ = run_parts(division.parts(), run_part);
  run_batches(division.joint_batch());
}

Graph::Results Graph::allocate_results(const Plan::Batch& batch, uint32_t node) {
  const Type& type = types_[batch.type];
  const uint32_t count = batch.count;
  // A late stage completes what lies where the early one put it.
  if (batch.stage == Stage::kLate) return {};
  // What is a view for one node is a view for all of the type.
  if (type.def->view != nullptr && type.def->view(type, data_.data() + nodes_[node].data) >= 0) return {};
  return {value_memory_.allocate<float>(type.size, count),
          type.aux > 0 ? value_memory_.allocate<float>(type.aux, count) : nullptr};
}

void Graph::assign_aliases(const Plan::Batch& batch) {
  for (uint32_t i = batch.aliases; i < batch.aliases + batch.alias_count; ++i) {
    const Plan::Alias& alias = plan_.aliases[i];
    values_[alias.node] = values_[alias.of];
    aux_[alias.node] = aux_[alias.of];
  }
}

void Graph::assign_views(const Type& type, const uint32_t* nodes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const Node& node = nodes_[nodes[i]];
    values_[nodes[i]] = values_[operands_[node.operands]] + type.def->view(type, data_.data() + node.data);
  }
}

Rows Graph::rows_of(const uint32_t* nodes, uint32_t count, uint32_t operand, Arena& memory) const {
  const auto value = [&](uint32_t i) { return values_[operands_[nodes_[nodes[i]].operands + operand]]; };
  float* const first = value(0);
  if (count == 1) return {first, nullptr, 0};
  // Mostly they are evenly spaced, and nothing has to be written down.
  const int64_t stride = value(1) - first;
  uint32_t even = 2;
  for (float* before = value(1); even < count; ++even) {
    float* const next = value(even);
    if (next - before != stride) break;
    before = next;
  }
  if (even == count) return {first, nullptr, stride};
  auto** list = memory.allocate<float*>(count);
  for (uint32_t i = 0; i < count; ++i) list[i] = value(i);
  return {nullptr, list, 0};
}

Rows* Graph::operand_rows(const Type& type, const uint32_t* nodes, uint32_t count, Arena& memory) const {
  const auto operand_count = static_cast<uint32_t>(type.operands.size());
  auto* rows = memory.allocate<Rows>(operand_count);
  for (uint32_t i = 0; i < operand_count; ++i) rows[i] = rows_of(nodes, type.shared[i] ? 1 : count, i, memory);
  return rows;
}

Rows Graph::own_rows(const Array<float*>& of, const uint32_t* nodes, uint32_t count, int64_t size,
                     Arena& memory) const {
  // Nodes that were computed together lie one after the other; those that equal each other lie in one place.
  float* const first = of[nodes[0]];
  uint32_t even = 1;
  while (even < count && of[nodes[even]] == first + even * size) ++even;
  if (even == count) return {first, nullptr, size};
  auto** list = memory.allocate<float*>(count);
  for (uint32_t i = 0; i < count; ++i) list[i] = of[nodes[i]];
  return rows_from(list, count);
}

const uint32_t* const* Graph::data_of(const Type& type, const uint32_t* nodes, uint32_t count, Arena& scratch) const {
  if (!type.has_data) return nullptr;
  auto** list = scratch.allocate<const uint32_t*>(count);
  for (uint32_t i = 0; i < count; ++i) list[i] = data_.data() + nodes_[nodes[i]].data;
  return list;
}

dn_parameter* Graph::parameter(uint32_t node, uint32_t operand) const {
  const Type& type = type_of(operands_[nodes_[node].operands + operand]);
  return is_parameter(type.op) ? static_cast<dn_parameter*>(type.object) : nullptr;
}

dn_parameter* BatchContext::parameter(int i) const {
  return type.shared[static_cast<size_t>(i)] != 0 ? graph.parameter(nodes[0], static_cast<uint32_t>(i)) : nullptr;
}

const Rows* Graph::run(const Plan::Batch& batch, const uint32_t* nodes, uint32_t count, Results results, Arena& rows,
                       Arena& scratch, uint32_t lane) {
  const Type& type = types_[batch.type];
  const bool late = batch.stage == Stage::kLate;
  if (late) results = {values_[nodes[0]], type.aux > 0 ? aux_[nodes[0]] : nullptr};
  if (results.y == nullptr) {
    assign_views(type, nodes, count);
    return nullptr;
  }
  const auto begin = profile_time();
  const Rows* x = operand_rows(type, nodes, count, rows);
  uint64_t* keys = nullptr;
  if (type.random) {
    keys = scratch.allocate<uint64_t>(count);
    for (uint32_t i = 0; i < count; ++i) keys[i] = random_key(nodes[i]);
  }
  type.def->forward(Forward{
      {type, batch.stage, batch.early, count, Rows{results.y, nullptr, type.size}, x,
       Rows{results.aux, nullptr, type.aux}, data_of(type, nodes, count, scratch), kernels(), scratch, *this, nodes},
      keys});
  if (!late) {
    for (uint32_t i = 0; i < count; ++i) values_[nodes[i]] = results.y + i * type.size;
    for (uint32_t i = 0; i < count && type.aux > 0; ++i) aux_[nodes[i]] = results.aux + i * type.aux;
  }
  note(Phase::kForward, begin, &type, count, lane);
  return x;
}

void Graph::check(const uint32_t* nodes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    // An activation hides what is not finite.
    if (nodes[i] > 0 && is_folded(nodes[i] - 1)) {
      const uint32_t before = nodes[i] - 1;
      run_folded(before);
      check(&before, 1);
    }
    const int64_t found = kernels().find_nonfinite(values_[nodes[i]], type_of(nodes[i]).size);
    if (found < 0) continue;
    report_nonfinite(nodes[i], found, values_[nodes[i]][found]);
  }
}

void Graph::report_nonfinite(uint32_t node, int64_t element, float value) const {
  const Type& type = type_of(node);
  std::string operands;
  for (size_t i = 0; i < type.operands.size(); ++i) {
    const uint32_t operand = operands_[nodes_[node].operands + i];
    operands += format("%s%s of node %u (%s)", i == 0 ? ": operands " : ", ", type.operands[i].text().c_str(), operand,
                       type_of(operand).def->name);
  }
  fail(DN_E_VALUE, "%s: element %lld of node %u %s is %f%s", type.def->name, static_cast<long long>(element), node,
       type.dim.text().c_str(), static_cast<double>(value), operands.c_str());
}

}  // namespace dynnet

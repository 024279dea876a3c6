// Backward: over the whole graph, by the forward's plan if one forward computed all of it, else by its own.
#include "graph/backward.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace dynnet {
// ------------------------------------------------------------------------------------------------- gradient targets

GradientTargets::~GradientTargets() {
  for (GradientSet* set : locked_) set->unlock();
}

GradientSet& GradientTargets::of(Storage& storage) {
  for (GradientSet* set : locked_)
    if (&set->storage() == &storage) return *set;
  GradientSet* set = &storage.gradients();
  if (temporary_) {
    made_.push_back(std::make_unique<GradientSet>(storage));
    set = made_.back().get();
  } else if (given_ != nullptr && &given_->storage() == &storage) {
    set = given_;
  }
  locked_.reserve(locked_.size() + 1);
  if (!set->try_lock())
    fail(DN_E_BUSY,
         "backward: another backward or update is writing these gradients; give each thread a gradient set of its own");
  locked_.push_back(set);
  return *set;
}

void GradientTargets::check_given() const {
  if (given_ == nullptr || locked_.empty()) return;
  for (const GradientSet* set : locked_)
    if (set == given_) return;
  fail(DN_E_ARGUMENT, "backward: the gradient set is of a model of which the expression depends on no parameter");
}

// ---------------------------------------------------------------------------------------------- what operations call

bool Backward::wants(int i) const { return part.wants(*this, i); }

Backward::Operand Backward::dx(int i) const { return part.operand(*this, i); }

void Backward::defer_product(int i, int64_t m, int64_t k_size, Rows d, Rows columns, int64_t n) const {
  part.defer(*this, i, m, k_size, d, columns, n);
}

void Backward::defer_sum(int i, int64_t m, Rows d, int64_t n) const { part.defer(*this, i, m, 0, d, {}, n); }

void Backward::add_rows(const dn_lookup_parameter& table, const int32_t* rows, const float* const* values,
                        int64_t n) const {
  part.add_rows(table, rows, values, n);
}

bool BackwardPart::wants(const Backward& batch, int operand) const {
  const int64_t count = batch.type.shared[static_cast<size_t>(operand)] ? 1 : batch.count;
  for (int64_t i = 0; i < count; ++i)
    if (pass.wants(pass.operand_of(batch.nodes[i], operand))) return true;
  return false;
}

uint8_t* BackwardPass::row_of_states(const Backward& batch, int number, int64_t size) {
  const uint32_t first = operand_of(batch.nodes[0], number);
  const uint32_t slot = slots_[first];
  if (slot >= planned_) return nullptr;
  uint32_t last = first;
  for (int64_t i = 1; i < batch.count; ++i) {
    last = operand_of(batch.nodes[i], number);
    if (slots_[last] != slot + i) return nullptr;
  }
  // Gradients of the plan's nodes lie in the order of their slots, so that none is elsewhere if the last one is not.
  return gradient_of(last) == gradient_of(first) + (batch.count - 1) * size ? &states_[slot] : nullptr;
}

Backward::Operand BackwardPart::operand(const Backward& batch, int number) {
  const int64_t count = batch.count;
  const int64_t size = batch.type.operands[static_cast<size_t>(number)].total();
  Backward::Operand result;
  if (uint8_t* const states = pass.row_of_states(batch, number, size)) {
    uint8_t all = 0xff, any = 0;
    for (int64_t i = 0; i < count; ++i) {
      all &= states[i];
      any |= states[i];
    }
    if ((all & BackwardPass::kWanted) != 0) {
      result.rows = {pass.gradient_of(pass.operand_of(batch.nodes[0], number)), nullptr, size};
      result.accumulate = (any & BackwardPass::kTouched) != 0;
      result.collides = false;
      for (int64_t i = 0; i < count; ++i) {
        if (result.accumulate && (states[i] & BackwardPass::kTouched) == 0)
          std::memset(result.rows.at(i), 0, size * sizeof(float));
        states[i] |= BackwardPass::kTouched;
      }
      return result;
    }
  }
  auto** list = scratch.allocate<float*>(count);
  auto** fresh = scratch.allocate<float*>(count);
  int64_t fresh_count = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t node = pass.operand_of(batch.nodes[i], number);
    uint8_t& state = pass.state(node);
    if ((state & BackwardPass::kWanted) == 0) {
      // Some nodes of a batch may have an operand without gradient: what they write is not read.
      list[i] = fresh[fresh_count++] = scratch.allocate<float>(size);
    } else if (float* const gradient = pass.gradient_of(node)) {
      list[i] = gradient;
      if ((state & BackwardPass::kTouched) == 0) fresh[fresh_count++] = gradient;
      state |= BackwardPass::kTouched;
    } else {
      bool first;
      list[i] = pass.touch(node, &first);
      if (first) fresh[fresh_count++] = list[i];
    }
  }
  result.rows = rows_from(list, count);
  result.accumulate = fresh_count < count;
  // Rows that are all fresh are all different; of others, two may be the same.
  result.collides = result.accumulate && count > 1;
  if (result.accumulate)
    for (int64_t i = 0; i < fresh_count; ++i) std::memset(fresh[i], 0, size * sizeof(float));
  return result;
}

void BackwardPart::defer(const Backward& batch, int operand, int64_t m, int64_t k, Rows d, Rows x, int64_t n) {
  BatchPlace own = place;
  own.operand = static_cast<uint32_t>(operand);
  deferred.add(pass.operand_of(batch.nodes[0], operand), m, k, {own, d, x, n});
}

void BackwardPart::add_rows(const dn_lookup_parameter& table, const int32_t* rows, const float* const* values,
                            int64_t n) {
  deferred.add({place, &table, rows, values, n});
}

// ----------------------------------------------------------------------------------------------------------- the pass

// Only those that this pass writes: frozen models serve any number of passes at once.
void BackwardPass::lock_targets(uint32_t root) {
  visit_parameters(root, [&](const dn_parameter& parameter, uint32_t) { targets_.of(*parameter.storage); });
  for (const Graph::WholeTable& whole : graph_.whole_tables_)
    if (takes_gradient(whole, root)) targets_.of(*whole.table->storage);
  for (const Plan::Batch& batch : plan_->batches) {
    const Type& type = graph_.types_[batch.type];
    if (type.def->trained && is_run(batch)) targets_.of(*static_cast<const dn_lookup_parameter*>(type.object)->storage);
  }
  targets_.check_given();
}

const uint32_t* BackwardPass::computed_nodes(uint32_t root) const {
  if (replans_ || graph_.plan_.aliases.empty()) return nullptr;
  auto* of = graph_.scratch_.allocate<uint32_t>(root + 1);
  for (uint32_t node = 0; node <= root; ++node) of[node] = node;
  for (const Plan::Alias& alias : graph_.plan_.aliases)
    if (alias.node <= root) of[alias.node] = alias.of;
  return of;
}

void BackwardPass::find_wanted(uint32_t root) {
  if (knows_wanted_ = !replans_ && !full_ && graph_.plan_.sink == root; knows_wanted_) {
    wanted_ = graph_.plan_.wanted.data();
    return;
  }
  const uint32_t* const computed = computed_nodes(root);
  auto* const wanted = graph_.scratch_.allocate<uint8_t>(root + 1);
  wanted_ = wanted;
  std::memset(wanted, 0, root + 1);
  wanted[root] = 1;
  const Recorded record = graph_.recorded();
  for (uint32_t node = root + 1; node-- > 0;) {
    // First what is used by something wanted; whether it leads to a parameter is asked when its turn comes.
    if (!full_ && (graph_.nodes_[node].flags & Node::kTrained) == 0) wanted[node] = 0;
    if (wanted[node]) {
      if (computed != nullptr) wanted[computed[node]] = 1;
      // What is wanted only for the full gradients may be what no gradient flows through.
      if (full_ && graph_.type_of(node).def->backward == nullptr) continue;
      const uint32_t end = record.operands_end(node);
      for (uint32_t at = record.nodes[node].operands; at < end; ++at) wanted[record.operands[at]] = 1;
    }
  }
}

bool BackwardPass::is_as_forward(uint32_t root) const {
  if (!knows_wanted_ && (replans_ || root + 1 != graph_.computed_)) return false;
  for (const Plan::Batch& batch : graph_.plan_.batches) {
    const uint32_t* const nodes = &graph_.plan_.nodes[batch.begin];
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < batch.count; ++i) wanted += wanted_[nodes[i]];
    if (wanted != 0 && wanted != batch.count) return false;
  }
  return true;
}

void BackwardPass::copy_plan(uint32_t root, const uint8_t* include) {
  Plan& plan = graph_.backward_plan_;
  for (const Plan::Alias& alias : graph_.plan_.aliases) plan.aliases.push_back(alias);
  for (const Plan::Batch& batch : graph_.plan_.batches) {
    const auto begin = static_cast<uint32_t>(plan.nodes.size());
    for (uint32_t i = 0; i < batch.count; ++i) {
      const uint32_t node = graph_.plan_.nodes[batch.begin + i];
      if (node <= root && include[node]) plan.nodes.push_back(node);
    }
    Plan::Batch kept = batch;
    kept.begin = begin;
    kept.count = static_cast<uint32_t>(plan.nodes.size()) - begin;
    plan.batches.push_back(kept);
  }
}

void BackwardPass::make_plan(uint32_t root) {
  Plan& plan = graph_.backward_plan_;
  plan.clear();
  graph_.backward_division_.clear();
  if (is_as_forward(root)) {
    plan_ = &graph_.plan_;
    divide(root, nullptr);
    return;
  }
  auto* include = graph_.scratch_.allocate<uint8_t>(root + 1);
  for (uint32_t node = 0; node <= root; ++node)
    include[node] = wanted_[node] && (graph_.nodes_[node].flags & Node::kGiven) == 0;
  if (!replans_) {
    copy_plan(root, include);
  } else if (graph_.batching_) {
    graph_.scheduler_.schedule(graph_.recorded(), 0, root + 1, include, graph_.types_, false, &plan);
  } else {
    for (uint32_t node = 0; node <= root; ++node)
      if (include[node]) plan.append_alone(node, graph_.nodes_[node].type);
  }
  divide(root, include);
}

void BackwardPass::divide(uint32_t root, const uint8_t* include) {
  if (full_ || graph_.has_derived_weights_ || !graph_.batching_ || !parallel::is_free()) return;
  // What the forward could not divide, its own plan backward cannot be either.
  if ((!replans_ && graph_.division_.parts() == 0) || !defers_all()) return;
  if (plan_ == &graph_.plan_)
    division_ = &graph_.division_;
  else if (!replans_)
    graph_.divider_.divide(graph_.backward_plan_, &graph_.backward_division_);
  else
    graph_.divide(graph_.backward_plan_, 0, root + 1, include, &graph_.backward_divider_, &graph_.backward_division_);
}

bool BackwardPass::defers_all() const {
  const Plan& plan = *plan_;
  for (const Plan::Batch& batch : plan.batches) {
    if (!is_run(batch)) continue;
    const Type& type = graph_.types_[batch.type];
    for (uint32_t i = 0; i < type.operands.size(); ++i) {
      if (type.deferred[i]) continue;
      for (uint32_t at = batch.begin; at < batch.begin + batch.count; ++at)
        if (is_shared_target(operand_of(plan.nodes[at], static_cast<int>(i)))) return false;
    }
  }
  return true;
}

float* BackwardPass::allocate_gradients(const Plan::Batch& batch) {
  const Type& type = graph_.types_[batch.type];
  // What late stages carry lies behind the gradients of all nodes, in the same order.
  const bool carries = batch.stage == Stage::kEarly && type.def->carries;
  return graph_.gradient_memory_.allocate<float>(type.size, int64_t{batch.count} * (carries ? 2 : 1));
}

void BackwardPass::number_slots(uint32_t root) {
  const Plan& plan = *plan_;
  const Division& division = *division_;
  const uint32_t joint = division.parts() > 0 ? division.joint_batch() : 0;
  slots_ = graph_.scratch_.allocate<uint32_t>(root + 1);
  states_ = graph_.scratch_.allocate<uint8_t>(root + 1);
  std::memset(slots_, 0xff, (root + 1) * sizeof(uint32_t));
  uint32_t slot = 0;
  for (uint32_t b = 0; b < plan.batches.size(); ++b) {
    const Plan::Batch& batch = plan.batches[b];
    if (batch.stage == Stage::kLate || !is_run(batch)) continue;
    const bool divided = b < joint && !division.is_first(b);
    const uint32_t* nodes = divided ? division.nodes(b) : &plan.nodes[batch.begin];
    const int64_t size = graph_.types_[batch.type].size;
    float* gradient = allocate_gradients(batch);
    std::memset(states_ + slot, kWanted, batch.count);
    for (uint32_t i = 0; i < batch.count; ++i, gradient += size) {
      slots_[nodes[i]] = slot++;
      graph_.gradients_[nodes[i]] = gradient;
    }
  }
  planned_ = slot;
  for (uint32_t node = 0; node <= root; ++node) {
    if (slots_[node] != Graph::kNone) continue;
    states_[slot] = wanted_[node] ? kWanted : 0;
    slots_[node] = slot++;
  }
  for (const Plan::Alias& alias : aliases())
    if (alias.node <= root && wants(alias.node) && (alias.used || alias.node == root))
      graph_.gradients_[alias.node] = graph_.gradient_memory_.allocate<float>(graph_.type_of(alias.node).size);
}

void BackwardPass::place_parameters(uint32_t root) {
  visit_parameters(root, [&](const dn_parameter& parameter, uint32_t node) {
    GradientSet& set = targets_.of(*parameter.storage);
    graph_.gradients_[node] = set.place(parameter);
    if (set.has(parameter)) state(node) |= kTouched;
  });
}

void BackwardPass::keep_parameters(uint32_t root) {
  visit_parameters(root, [&](const dn_parameter& parameter, uint32_t node) {
    if ((state(node) & kTouched) != 0) targets_.of(*parameter.storage).keep(parameter);
    graph_.gradients_[node] = nullptr;
  });
}

void BackwardPass::merge_gradients(const Plan::Batch& batch) {
  for (uint32_t i = batch.aliases; i < batch.aliases + batch.alias_count; ++i) {
    const Plan::Alias& alias = aliases()[i];
    float* const gradient = alias.node < graph_.gradients_.size() ? gradient_of(alias.node) : nullptr;
    if (gradient == nullptr || (state(alias.node) & kTouched) == 0) continue;
    const int64_t size = graph_.type_of(alias.node).size;
    bool first;
    const Rows to{touch(alias.of, &first)};
    const Rows from{gradient};
    if (first)
      kernels().copy(to, from, 1, size);
    else
      kernels().add(to, from, 1, 1, size);
  }
}

void BackwardPass::run(uint32_t root) {
  const FlushDenormals flush;
  const auto planned_from = graph_.profile_time();
  graph_.scratch_.reset();
  graph_.gradients_.assign(root + 1, nullptr);
  find_wanted(root);
  if (!wanted_[root]) return;
  make_plan(root);
  lock_targets(root);
  number_slots(root);
  place_parameters(root);
  graph_.note(Phase::kPlan, planned_from);
  const Plan& plan = *plan_;
  const Division& division = *division_;
  const uint32_t joint = division.parts() > 0 ? division.joint_batch() : 0;
  as_forward_ = !replans_ && division.parts() == graph_.division_.parts();
  bool first;
  float* gradient = touch(root, &first);
  *gradient = first ? 1 : *gradient + 1;
  for (auto b = static_cast<uint32_t>(plan.batches.size()); b-- > joint;) {
    const Plan::Batch& batch = plan.batches[b];
    if (!is_run(batch)) continue;
    main_.place = {.batch = b, .count = batch.count};
    run_batch(main_, b, &plan.nodes[batch.begin], batch.count);
  }
  if (joint > 0) run_divided();
  for (uint32_t b = joint; b-- > 0;) {
    const Plan::Batch& batch = plan.batches[b];
    if (!is_run(batch) || !division.is_first(b)) continue;
    main_.place = {.batch = b, .count = batch.count};
    run_batch(main_, b, &plan.nodes[batch.begin], batch.count);
  }
  finish_parameters();
  finish_tables(root);
  keep_parameters(root);
  // What is known of nodes that were computed for others is the sum over all of them, and not handed out.
  for (const Plan::Alias& alias : aliases()) {
    if (alias.of <= root) graph_.gradients_[alias.of] = nullptr;
    if (alias.node <= root) graph_.gradients_[alias.node] = nullptr;
  }
  if (graph_.profile_ != nullptr) graph_.profile_->settle();
}

void BackwardPass::run_divided() {
  const Division& division = *division_;
  graph_.make_parts(division.parts());
  std::vector<BackwardPart> parts;
  parts.reserve(division.parts());
  for (uint32_t p = 0; p < division.parts(); ++p) parts.push_back({*this, graph_.parts_[p]->scratch});
  graph_.run_parts(division.parts(), [&](uint32_t p) {
    for (uint32_t b = division.joint_batch(); b-- > 0;) {
      const Division::Part own = division.part(b, p);
      if (own.count == 0 || !is_run(plan_->batches[b])) continue;
      parts[p].place = {.batch = b, .places = own.places, .count = own.count};
      run_batch(parts[p], b, own.nodes, own.count, p + 1);
    }
  });
  for (BackwardPart& part : parts) main_.deferred.merge(part.deferred);
}

// Those that the forward found are there still if it ran the same nodes together.
const Rows* BackwardPass::operand_rows(uint32_t batch, const uint32_t* nodes, uint32_t count, uint32_t lane,
                                       Arena& scratch) {
  if (as_forward_) {
    const Division& division = graph_.division_;
    const bool divided = lane > 0;
    const uint32_t forward_count = divided ? division.part(batch, lane - 1).count : graph_.plan_.batches[batch].count;
    const size_t parts = std::max<size_t>(division.parts(), 1);
    const Rows* rows = graph_.operand_rows_[batch * parts + (divided ? lane - 1 : 0)];
    if (forward_count == count && rows != nullptr) return rows;
  }
  return graph_.operand_rows(graph_.types_[plan_->batches[batch].type], nodes, count, scratch);
}

void BackwardPass::run_batch(BackwardPart& part, uint32_t number, const uint32_t* nodes, uint32_t count,
                             uint32_t lane) {
  const Plan::Batch& batch = plan_->batches[number];
  const Type& type = graph_.types_[batch.type];
  const auto begin = graph_.profile_time();
  merge_gradients(batch);
  finish_weights_among(nodes, count);
  float* const dy = graph_.gradients_[nodes[0]];
  const uint8_t* const states = &state(nodes[0]);
  uint8_t any_bits = 0;
  uint8_t common_bits = kTouched;
  for (uint32_t i = 0; i < count; ++i) {
    any_bits |= states[i];
    common_bits &= states[i];
  }
  const bool any = (any_bits & kTouched) != 0;
  if (common_bits == 0) {
    for (uint32_t i = 0; i < count; ++i)
      if ((states[i] & kTouched) == 0) std::memset(dy + i * type.size, 0, type.size * sizeof(float));
  }
  Rows carry;
  if (batch.stage != Stage::kWhole && type.def->carries) {
    const bool early = batch.stage == Stage::kEarly;
    const int64_t all = early ? batch.count : plan_->batches[batch.owner].count;
    carry = {dy + all * type.size, nullptr, type.size};
    if (!any && !early) std::memset(carry.base, 0, count * type.size * sizeof(float));
  }
  if (!any || type.def->backward == nullptr) return;

  Arena& scratch = part.scratch;
  const Arena::Mark before = scratch.mark();
  const uint64_t left = part.deferred.added();
  const Rows* x = operand_rows(number, nodes, count, lane, scratch);
  const Rows y = graph_.own_rows(graph_.values_, nodes, count, type.size, scratch);
  const Rows aux = type.aux > 0 ? graph_.own_rows(graph_.aux_, nodes, count, type.aux, scratch) : Rows{};
  type.def->backward(Backward{{type, batch.stage, batch.early, count, y, x, aux,
                               graph_.data_of(type, nodes, count, scratch), kernels(), scratch, graph_, nodes},
                              Rows{dy, nullptr, type.size},
                              carry,
                              part});
  // What was left to the end of the pass may lie there.
  if (part.deferred.added() == left) scratch.rewind(before);
  graph_.note(Phase::kBackward, begin, &type, count, lane);
}

float* BackwardPass::touch(uint32_t node, bool* first) {
  float*& gradient = graph_.gradients_[node];
  if (gradient == nullptr) gradient = graph_.gradient_memory_.allocate<float>(graph_.type_of(node).size);
  *first = (state(node) & kTouched) == 0;
  state(node) |= kTouched;
  return gradient;
}

void BackwardPass::finish_weights_among(const uint32_t* nodes, uint32_t count) {
  if (!graph_.has_derived_weights_ || main_.deferred.sums().empty()) return;
  for (uint32_t i = 0; i < count; ++i) {
    if ((graph_.nodes_[nodes[i]].flags & Node::kOfParameters) == 0) continue;
    for (DeferredSum& sum : main_.deferred.sums()) {
      if (sum.node != nodes[i] || sum.uses.empty()) continue;
      bool first;
      float* gradient = touch(nodes[i], &first);
      Deferred::finish({{&sum, gradient, !first}}, kernels(), graph_.scratch_);
    }
  }
}

// What was gathered for whole tables goes to their rows.
void BackwardPass::finish_tables(uint32_t root) {
  for (const Graph::WholeTable& whole : graph_.whole_tables_) {
    if (!takes_gradient(whole, root) || (state(whole.node) & kTouched) == 0) continue;
    const int64_t rows = whole.table->rows;
    auto* numbers = graph_.scratch_.allocate<int32_t>(rows);
    auto** values = graph_.scratch_.allocate<const float*>(rows);
    for (int64_t i = 0; i < rows; ++i) {
      numbers[i] = static_cast<int32_t>(i);
      values[i] = gradient_of(whole.node) + i * whole.table->row_size();
    }
    targets_.of(*whole.table->storage).add_rows(*whole.table, numbers, values, rows);
  }
}

void BackwardPass::finish_parameters() {
  main_.deferred.finish_rows(graph_.scratch_,
                             [&](const dn_lookup_parameter& table, const int32_t* rows, const float* const* values,
                                 int64_t n) { targets_.of(*table.storage).add_rows(table, rows, values, n); });
  main_.deferred.sort_sums();
  std::vector<DeferredResult> results;
  const auto finish = [&] {
    Deferred::finish(results, kernels(), graph_.scratch_);
    results.clear();
  };
  for (DeferredSum& sum : main_.deferred.sums()) {
    if (sum.uses.empty()) continue;
    const auto begin = graph_.profile_time();
    const auto uses = static_cast<uint32_t>(sum.uses.size());
    const Type& type = graph_.type_of(sum.node);
    bool fresh;
    float* const gradient = touch(sum.node, &fresh);
    // Both a matrix and a bias: one sum after the other.
    if (!results.empty() && results.back().gradient == gradient) finish();
    results.push_back({&sum, gradient, !fresh});
    if (graph_.profile_ == nullptr) continue;
    // A profile tells the parameters apart.
    finish();
    graph_.note(Phase::kParameters, begin, &type, uses);
  }
  finish();
}

}  // namespace dynnet

// Recording: nodes, types, renewal, checkpoints.
#include "graph/graph.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace dynnet {
namespace {

// Types are kept over renewals until their keys have this many words: some megabytes of types.
constexpr size_t kMostTypeWords = size_t{1} << 17;

// 0 is no stamp; one counter for the process, so that a stamp tells graphs apart.
std::atomic<uint32_t> last_stamp{0};

template <class T>
void empty(Array<T>& array, bool keep_memory) {
  if (keep_memory)
    array.clear();
  else
    Array<T>().swap(array);
}

bool is_input(Op op) {
  return op == Op::input || op == Op::input_sparse || op == Op::input_scalar || op == Op::input_bound;
}

// Checked before memory is taken, which a refused node would not give back.
void check_sparse(const Call& call, const Dim& dim, int64_t size) {
  const char* const name = op_def(call.op).name;
  if (call.indices_count != call.values_count)
    fail(DN_E_ARGUMENT, "%s: %lld indices and %lld values", name, static_cast<long long>(call.indices_count),
         static_cast<long long>(call.values_count));
  for (int64_t i = 0; i < call.indices_count; ++i) {
    const int32_t index = call.indices[i];
    if (index < 0 || index >= size)
      fail(DN_E_INDEX, "%s: index %d of %s, which has elements 0 to %lld", name, index, dim.text().c_str(),
           static_cast<long long>(size - 1));
  }
}

// The values of an input of which some are given: `size` numbers.
void fill_sparse(const Call& call, int64_t size, float* values) {
  float otherwise;
  std::memcpy(&otherwise, &call.words[call.word_count - 1], sizeof otherwise);
  std::fill_n(values, size, otherwise);
  for (int64_t i = 0; i < call.indices_count; ++i) values[call.indices[i]] = call.values[i];
}

// What a graph has read must stay where it is.
template <class Trained>
void note_read(Trained& trained) {
  check_living(trained);
  if (!trained.was_read.load(std::memory_order_relaxed)) trained.was_read.store(true, std::memory_order_release);
}

}  // namespace

Graph::Graph() = default;
Graph::~Graph() = default;

void Graph::advance_stamp() {
  do stamp_ = last_stamp.fetch_add(1, std::memory_order_relaxed) + 1;
  while (stamp_ == 0);
}

void Graph::report_stale(dn_expr x, const char* what) const {
  if (x.stamp == 0) fail(DN_E_STALE, "%s: the expression was never made (it is the default value)", what);
  fail(DN_E_STALE,
       "%s: expression %u (stamp %u) is of another graph, or of before this graph was renewed or reverted (%u nodes, "
       "stamp %u)",
       what, x.node, x.stamp, size(), stamp_);
}

dn_expr Graph::record(const Call& call) {
  const OpDef& def = op_def(call.op);
  if (call.object != nullptr) {
    if (const dn_expr found = existing(call); found.stamp != 0) return found;
  }

  if (def.after_affine != nullptr && folds(call, def)) return fold(call.op);

  // The key of the type: operation, operands' shapes and shared weights, then attributes that are not the node's own.
  constexpr size_t kMostOthers = 1 + Call::kMostWords + 4;
  const size_t most = kMostOthers + 2 * static_cast<size_t>(call.operand_count);
  if (key_.size() < most) key_.resize(2 * most);
  KeyWriter key(key_.data());
  key.add(static_cast<uint32_t>(call.op) | static_cast<uint32_t>(call.operand_count) << 16);
  uint32_t of_all = call.operand_count > 0 ? Node::kOfParameters : 0;
  uint32_t of_any = 0;
  uint32_t depth = 0;
  for (int32_t i = 0; i < call.operand_count; ++i) {
    const Node& operand = nodes_[checked(call.operands[i], def.name)];
    key.add(types_.shape_of(operand.type));
    if (def.is_weight(i)) key.add((operand.flags & Node::kOfParameters) != 0 ? call.operands[i].node : kNone);
    of_all &= operand.flags;
    of_any |= operand.flags;
    depth = std::max(depth, operand.depth + 1);
  }
  for (int32_t i = 0; i < call.word_count; ++i)
    if ((def.data_words >> i & 1) == 0) key.add(call.words[i]);
  if (call.object != nullptr) {
    key.add(static_cast<uint32_t>(call.object_id));
    key.add(static_cast<uint32_t>(call.object_id >> 32));
  }
  if (call.indices_count >= 0) {
    key.add(static_cast<uint32_t>(call.indices_count));
    key.add(static_cast<uint32_t>(call.indices_count >> 32));
  }
  if (call.values_count >= 0) {
    key.add(static_cast<uint32_t>(call.values_count));
    key.add(static_cast<uint32_t>(call.values_count >> 32));
  }

  if ((of_any & Node::kFolded) != 0) [[unlikely]]
    return record_unfolded(call);

  uint32_t type = types_.find(key);
  if (type == KeyTable::kNone) [[unlikely]]
    type = make_type(call, key);

  uint32_t flags = (of_all & Node::kOfParameters) | (of_any & Node::kTrained);
  if ((flags & Node::kOfParameters) != 0) has_derived_weights_ = true;
  if (is_parameter(call.op) || is_whole_table(call.op)) flags |= Node::kOfParameters;
  if (def.trained) flags |= Node::kTrained;
  if (def.backward == nullptr && !def.trained) flags &= ~Node::kTrained;
  return append(call, type, depth, flags | reverts_ << Node::kRevertsShift);
}

uint32_t Graph::make_type(const Call& call, const KeyWriter& key) { return types_.add(key, describe(call)); }

std::unique_ptr<Type> Graph::describe(const Call& call) const {
  auto type = std::make_unique<Type>();
  type->op = call.op;
  type->def = &op_def(call.op);
  for (int32_t i = 0; i < call.operand_count; ++i) {
    const Node& operand = nodes_[call.operands[i].node];
    type->operands.push_back(types_[operand.type].dim);
    type->shared.push_back(type->def->is_weight(i) && (operand.flags & Node::kOfParameters) != 0);
  }
  for (int32_t i = 0; i < call.word_count; ++i)
    if ((type->def->data_words >> i & 1) == 0) type->statics.push_back(call.words[i]);
  type->object = call.object;
  type->span_count = std::max<int64_t>({call.indices_count, call.values_count, 0});
  type->has_data = type->def->data_words != 0 || type->span_count > 0 || call.op == Op::lookup_bound;
  return type;
}

void Graph::append_data(const Call& call, uint32_t type) {
  const OpDef& def = op_def(call.op);
  const size_t begin = data_.size();
  for (int32_t i = 0; i < call.word_count; ++i)
    if ((def.data_words >> i & 1) != 0) data_.push_back(call.words[i]);
  if (call.indices_count > 0 && !is_input(call.op)) {
    const size_t at = data_.size();
    data_.resize(at + call.indices_count);
    std::memcpy(&data_[at], call.indices, call.indices_count * sizeof(uint32_t));
  }
  // A bound lookup's index is read by the forward, and kept here for the backward.
  if (call.op == Op::lookup_bound) data_.push_back(0);
  // Nodes have their places in 32 bits.
  if (data_.size() >> 32 != 0)
    fail(DN_E_MEMORY, "%s: the nodes of the graph have 2^32 indices or other attributes", def.name);
  if (def.check != nullptr) def.check({types_[type], data_.data() + begin});
}

dn_expr Graph::append(const Call& call, uint32_t type, uint32_t depth, uint32_t flags) {
  const uint32_t node = size();
  const size_t operands_begin = operands_.size();
  const size_t data_begin = data_.size();
  if (node == kNone) fail(DN_E_MEMORY, "the graph has 2^32 - 1 nodes");
  // Of which a node has fewer than 2^16, so that all places are in 32 bits.
  if (operands_begin >> 31 != 0) [[unlikely]]
    fail(DN_E_MEMORY, "the nodes of the graph have 2^31 operands");
  try {
    if (call.word_count > 0 || call.indices_count > 0 || call.bound != nullptr) append_data(call, type);
    uint32_t* const operands = operands_.extend(static_cast<size_t>(call.operand_count));
    for (int32_t i = 0; i < call.operand_count; ++i) operands[i] = call.operands[i].node;
    nodes_.push_back(
        {type, static_cast<uint32_t>(operands_begin), static_cast<uint32_t>(data_begin), stamp_, depth, flags});
    values_.push_back(nullptr);
    if (call.storage != nullptr) use_model(call.storage);
    if (call.object != nullptr || is_input(call.op)) give_value(call, node);
    if (immediate_) incremental_forward(node);
  } catch (...) {
    // A node whose recording failed was never there.
    nodes_.resize(node);
    values_.resize(node);
    operands_.resize(operands_begin);
    data_.resize(data_begin);
    computed_ = std::min(computed_, node);
    while (!inputs_.empty() && inputs_.back().node == node) inputs_.pop_back();
    while (!parameters_.empty() && parameters_.back().node == node) parameters_.pop_back();
    while (!tables_.empty() && tables_.back().node == node) tables_.pop_back();
    while (!whole_tables_.empty() && whole_tables_.back().node == node) whole_tables_.pop_back();
    inputs_read_ = std::min(inputs_read_, inputs_.size());
    throw;
  }
  return {node, stamp_};
}

dn_expr Graph::existing(const Call& call) const {
  if (is_parameter(call.op)) return existing_parameter(call);
  if (!is_whole_table(call.op)) return {0, 0};
  for (const WholeTable& whole : whole_tables_)
    if (whole.table == call.object && types_[nodes_[whole.node].type].op == call.op)
      return {whole.node, nodes_[whole.node].stamp};
  return {0, 0};
}

dn_expr Graph::existing_parameter(const Call& call) const {
  uint32_t& place = parameter_places_[call.object_id % std::size(parameter_places_)];
  auto matches = [&](const UsedParameter& used) {
    return used.parameter == call.object && types_[nodes_[used.node].type].op == call.op;
  };
  if (place >= parameters_.size() || !matches(parameters_[place])) {
    place = 0;
    while (place < parameters_.size() && !matches(parameters_[place])) ++place;
    if (place == parameters_.size()) return {0, 0};
  }
  const uint32_t node = parameters_[place].node;
  return {node, nodes_[node].stamp};
}

void Graph::give_value(const Call& call, uint32_t node) {
  if (is_parameter(call.op)) {
    auto* parameter = static_cast<dn_parameter*>(call.object);
    note_read(*parameter);
    parameters_.push_back({parameter, node, parameter->version.load(std::memory_order_relaxed)});
    values_[node] = parameter->values.data();
    nodes_[node].flags |= Node::kGiven;
  } else if (is_input(call.op)) {
    const Type& type = types_[nodes_[node].type];
    const int64_t elements = type.size;
    if (call.op == Op::input_sparse) check_sparse(call, type.dim, elements);
    auto* value = input_memory_.allocate<float>(elements);
    if (call.op == Op::input_sparse) fill_sparse(call, elements, value);
    inputs_.push_back({node, value, call.bound, {}});
    if (call.op == Op::input) std::memcpy(value, call.values, elements * sizeof(float));
    if (call.op == Op::input_scalar) std::memcpy(value, &call.words[0], sizeof(float));
    // A bound input is read by the forward; a copied one has its value now.
    if (call.bound == nullptr) values_[node] = value;
    nodes_[node].flags |= Node::kGiven;
  } else {
    if (call.bound != nullptr) inputs_.push_back({node, nullptr, call.bound, {}});
    auto* table = static_cast<dn_lookup_parameter*>(call.object);
    use_table(table, node);
    if (is_whole_table(call.op)) {
      whole_tables_.push_back({table, node});
      values_[node] = table->values.data();
      nodes_[node].flags |= Node::kGiven;
    }
  }
}

void Graph::use_table(dn_lookup_parameter* table, uint32_t node) {
  for (const UsedTable& used : tables_)
    if (used.table == table) return;
  note_read(*table);
  tables_.push_back({table, node, table->version.load(std::memory_order_relaxed)});
}

void Graph::use_model(Storage* storage) {
  for (const StorageRef& model : models_)
    if (model.get() == storage) return;
  models_.emplace_back(storage);
}

void Graph::clear(bool keep_memory) {
  empty(nodes_, keep_memory);
  empty(operands_, keep_memory);
  empty(data_, keep_memory);
  empty(values_, keep_memory);
  empty(aux_, keep_memory);
  empty(gradients_, keep_memory);
  empty(operand_rows_, keep_memory);
  checkpoints_.clear();
  inputs_.clear();
  pending_indices_.clear();
  parameters_.clear();
  has_derived_weights_ = false;
  if (!copies_.empty()) copies_ = {};
  copied_.clear();
  folded_values_.clear();
  computed_ranges_.clear();
  latest_folded_ = 0;
  tables_.clear();
  whole_tables_.clear();
  models_.clear();
  computed_ = 0;
  inputs_read_ = 0;
  forwards_ = 0;
  samples_ = 0;
  reverts_ = 0;
  plan_.clear();
  latest_batch_ = 0;
  plan_is_whole_ = false;
  differentiated_ = kNone;
  if (types_.words() > kMostTypeWords) {
    types_.clear();
    if (profile_ != nullptr) profile_->forget_types();
  }
  if (keep_memory) {
    value_memory_.reset();
    input_memory_.reset();
    gradient_memory_.reset();
    scratch_.reset();
    rows_memory_.reset();
    division_.clear();
    return;
  }
  value_memory_.free_all();
  input_memory_.free_all();
  gradient_memory_.free_all();
  scratch_.free_all();
  rows_memory_.free_all();
  plan_ = {};
  backward_plan_ = {};
  scheduler_ = {};
  divider_ = {};
  backward_divider_ = {};
  division_ = {};
  backward_division_ = {};
  parts_.clear();
  profile_.reset();
  report_ = {};
  graphviz_ = {};
  gradient_report_ = {};
  types_.clear();
  renewals_ = 0;
  immediate_ = check_values_ = false;
  batching_ = true;
}

void Graph::renew() {
  clear(true);
  ++renewals_;
  advance_stamp();
}

void Graph::checkpoint() {
  checkpoints_.push_back({size(), computed_, forwards_, operands_.size(), data_.size(), inputs_.size(),
                          parameters_.size(), tables_.size(), whole_tables_.size(), models_.size(),
                          folded_values_.size(), value_memory_.mark(), input_memory_.mark()});
}

void Graph::revert() {
  if (checkpoints_.empty()) fail(DN_E_STATE, "revert: the graph has no checkpoint");
  const Checkpoint at = checkpoints_.back();
  checkpoints_.pop_back();
  nodes_.resize(at.nodes);
  operands_.resize(at.operands);
  data_.resize(at.data);
  values_.resize(at.nodes);
  inputs_.erase(inputs_.begin() + static_cast<ptrdiff_t>(at.inputs), inputs_.end());
  parameters_.erase(parameters_.begin() + static_cast<ptrdiff_t>(at.parameters), parameters_.end());
  tables_.erase(tables_.begin() + static_cast<ptrdiff_t>(at.tables), tables_.end());
  whole_tables_.resize(at.whole_tables);
  models_.erase(models_.begin() + static_cast<ptrdiff_t>(at.models), models_.end());
  std::erase_if(pending_indices_, [&](const PendingIndices& pending) { return pending.node >= at.nodes; });
  forget_copies(at.nodes);
  // Values of older nodes that were computed since lie in memory that is given back: they are computed again when asked
  // for, from inputs as they were read. A forward since then computed all of them.
  const bool same_forward = forwards_ == at.forwards;
  computed_ = same_forward ? std::min(computed_, at.computed) : 0;
  while (!computed_ranges_.empty() && computed_ranges_.back().end > computed_) computed_ranges_.pop_back();
  drop_folded_values(same_forward ? at.folded_values : 0);
  drop_values(computed_, at.nodes);
  inputs_read_ = std::min(inputs_read_, at.inputs);
  value_memory_.rewind(same_forward ? at.values : Arena::Mark{});
  input_memory_.rewind(at.inputs_memory);
  gradients_.clear();
  differentiated_ = kNone;
  plan_.clear();
  latest_batch_ = 0;
  plan_is_whole_ = false;
  ++reverts_;
  advance_stamp();
}

void Graph::set_input(uint32_t node, const float* values, int64_t count) {
  const Type& type = type_of(node);
  if (!is_input(type.op) || type.op == Op::input_bound)
    fail(DN_E_ARGUMENT, "set_input: node %u is the result of %s, not an input", node, type.def->name);
  if (count != type.size)
    fail(DN_E_SHAPE, "set_input: %lld values for an input of shape %s", static_cast<long long>(count),
         type.dim.text().c_str());
  const auto found = std::lower_bound(inputs_.begin(), inputs_.end(), node,
                                      [](const Input& input, uint32_t wanted) { return input.node < wanted; });
  // The values wait beside the old ones: those stay readable until the next forward.
  if (found->pending.empty()) found->pending = Buffer(count, "a graph's inputs");
  std::copy_n(values, count, found->pending.data());
}

void Graph::set_indices(uint32_t node, const int32_t* indices, int64_t count) {
  const Type& type = type_of(node);
  const int64_t expected = type.def->indexed ? 1 : type.span_count;
  if (expected == 0 || is_input(type.op))
    fail(DN_E_ARGUMENT, "set_indices: node %u is the result of %s, which has no indices to set", node, type.def->name);
  if (count != expected)
    fail(DN_E_ARGUMENT, "set_indices: %lld indices for %s, which has %lld", static_cast<long long>(count),
         type.def->name, static_cast<long long>(expected));
  // The attribute words of the node are the indices, then what else the node has; checked as when it was recorded. They
  // wait for the next forward: until then, values and gradients belong to the old ones.
  const uint32_t begin = nodes_[node].data;
  Array<uint32_t> changed;
  std::copy(data_.begin() + begin, data_.begin() + recorded().data_end(node),
            changed.extend(recorded().data_end(node) - begin));
  std::memcpy(changed.data(), indices, count * sizeof(int32_t));
  if (type.def->check != nullptr) type.def->check({type, changed.data()});
  for (PendingIndices& pending : pending_indices_) {
    if (pending.node != node) continue;
    pending.words = std::move(changed);
    return;
  }
  pending_indices_.push_back({node, std::move(changed)});
}

}  // namespace dynnet

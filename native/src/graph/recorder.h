// How operations are recorded, by the generated extern "C" bodies and by builders: each argument says by its type what
// it is.
#ifndef DYNNET_GRAPH_RECORDER_H_
#define DYNNET_GRAPH_RECORDER_H_

#include <cstdint>
#include <cstring>

#include "core/error.h"
#include "graph/graph.h"

namespace dynnet {

/// A pointer and its count.
template <class T>
struct Span {
  const T* data;
  int64_t count;
};

template <class T>
Span<T> span(const T* data, int64_t count) {
  return {data, count};
}

/// Gathers a call from the arguments of an operation.
class Recorder {
 public:
  explicit Recorder(Op op) { call_.op = op; }

  void add(dn_expr x) {
    own_[own_count_++] = x;
    call_.operands = own_;
    call_.operand_count = own_count_;
  }
  void add(Span<dn_expr> xs) {
    check_span(xs.data, xs.count);
    constexpr int64_t kMostOperands = 0xffff;
    if (xs.count > kMostOperands)
      fail(DN_E_ARGUMENT, "%s: %lld operands, at most %lld are possible", name(), static_cast<long long>(xs.count),
           static_cast<long long>(kMostOperands));
    call_.operands = xs.data;
    call_.operand_count = static_cast<int32_t>(xs.count);
  }
  void add(int32_t value) { add_word(static_cast<uint32_t>(value)); }
  void add(double value) {
    const auto number = static_cast<float>(value);
    uint32_t word;
    std::memcpy(&word, &number, sizeof word);
    add_word(word);
  }
  void add(const dn_dim* dim) {
    const Dim checked = checked_dim(dim, name());
    add_word(checked.nd);
    add_word(checked.bd);
    for (const uint32_t size : checked.d) add_word(size);
  }
  void add(Span<float> values) {
    check_span(values.data, values.count);
    call_.values = values.data;
    call_.values_count = values.count;
  }
  void add(Span<int32_t> indices) {
    if (op_def(call_.op).static_lists) return add_list(indices);
    check_span(indices.data, indices.count);
    call_.indices = indices.data;
    call_.indices_count = indices.count;
  }
  void add(const float* bound) { call_.bound = &required(bound, name()); }
  void add(const int32_t* bound) { call_.bound = &required(bound, name()); }
  void add(dn_parameter* parameter) { add_object(required(parameter, name())); }
  void add(dn_lookup_parameter* table) { add_object(required(table, name())); }

  const Call& call() const { return call_; }

 private:
  const char* name() const { return op_def(call_.op).name; }
  void add_word(uint32_t word) { call_.words[call_.word_count++] = word; }
  void check_span(const void* data, int64_t count) const {
    if (count < 0 || (data == nullptr && count > 0))
      fail(DN_E_ARGUMENT, "%s: %lld values, and the pointer to them is %s", name(), static_cast<long long>(count),
           data == nullptr ? "null" : "not null");
  }
  // A list that belongs to the type: its count, then its numbers, among the words.
  void add_list(Span<int32_t> list) {
    check_span(list.data, list.count);
    const int most = DN_MAX_DIMS + (op_def(call_.op).lists_name_batch ? 1 : 0);
    if (list.count > most)
      fail(DN_E_ARGUMENT, "%s: a list of %lld numbers, at most %d are possible", name(),
           static_cast<long long>(list.count), most);
    add_word(static_cast<uint32_t>(list.count));
    for (int64_t i = 0; i < list.count; ++i) add_word(static_cast<uint32_t>(list.data[i]));
  }
  template <class Object>
  void add_object(Object& object) {
    call_.object = &object;
    call_.object_id = object.id;
    call_.storage = object.storage;
  }

  Call call_;
  static constexpr int kMostOwn = 8;
  dn_expr own_[kMostOwn];
  int32_t own_count_ = 0;
};

/// Records an operation into a graph that the caller has entered.
template <class... Arguments>
dn_expr record(Graph& graph, Op op, Arguments... arguments) {
  Recorder recorder(op);
  (recorder.add(arguments), ...);
  return graph.record(recorder.call());
}

}  // namespace dynnet

#endif  // DYNNET_GRAPH_RECORDER_H_

// What an operation's forward and backward work on: a batch of nodes of one type, their operands as rows.
#ifndef DYNNET_OPS_CONTEXT_H_
#define DYNNET_OPS_CONTEXT_H_

#include <cstdint>

#include "core/kernels.h"
#include "memory/arena.h"
#include "ops/op.h"
#include "parallel/parallel.h"

struct dn_parameter;
struct dn_lookup_parameter;

namespace dynnet {

class Graph;
struct BackwardPart;

/// Rows as one base and stride where they are evenly spaced, else as the list.
inline Rows rows_from(float* const* list, int64_t count) {
  if (count == 1) return {list[0], nullptr, 0};
  const int64_t stride = list[1] - list[0];
  for (int64_t i = 2; i < count; ++i)
    if (list[i] - list[i - 1] != stride) return {nullptr, list, 0};
  return {list[0], nullptr, stride};
}

/// What forward and backward share.
class BatchContext {
 public:
  const Type& type;
  Stage stage;
  /// What OpDef::early said, where the stage is not kWhole.
  int early;
  /// Nodes in the batch.
  int64_t count;
  /// The nodes' values, one row each.
  Rows y;
  /// The operands' values, by operand.
  const Rows* x;
  /// What forward keeps for backward, one row a node.
  Rows aux;
  /// Each node's own attributes.
  const uint32_t* const* data;
  const Kernels& k;
  /// Memory until the batch is done; where backward leaves something to the end of the pass, until that.
  Arena& scratch;
  const Graph& graph;
  /// The nodes' numbers.
  const uint32_t* nodes;

  /// The parameter that a shared operand is, or null if it is computed from parameters.
  dn_parameter* parameter(int operand) const;

  /// One row for each batch element instead of one for each node. `batch` is the batch of the rows' operand; if it is 1
  /// and `batches` is not, each row is repeated. n is the size of one batch element.
  Rows elements(Rows rows, int64_t n, int64_t batch, int64_t batches) const;

  /// The values of operand i, one row for each batch element of the result.
  Rows x_elements(int i) const {
    const Dim& dim = type.operands[static_cast<size_t>(i)];
    return elements(x[i], dim.size(), dim.bd, type.dim.bd);
  }
  /// The values of the nodes, one row for each batch element.
  Rows y_elements() const { return elements(y, type.dim.size(), type.dim.bd, type.dim.bd); }
  /// Batch elements of all nodes.
  int64_t element_count() const { return count * type.dim.bd; }
  /// The columns of all nodes' matrices, one row each, instead of one row for each node.
  Rows columns(Rows rows) const {
    const int64_t each = int64_t{type.dim.cols()} * type.dim.bd;
    return elements(rows, type.dim.rows(), each, each);
  }
  int64_t column_count() const { return element_count() * type.dim.cols(); }
  int32_t data_int(int64_t node, int word = 0) const { return static_cast<int32_t>(data[node][word]); }
  float data_float(int64_t node, int word = 0) const {
    float value;
    __builtin_memcpy(&value, &data[node][word], sizeof value);
    return value;
  }
  /// A node's own indices, as they were recorded.
  const int32_t* own_indices(int64_t node) const { return reinterpret_cast<const int32_t*>(data[node]); }
  /// The numbers of one attribute word of all nodes.
  float* data_floats(int word = 0) const;
  /// The indices of all nodes, one after the other: type.span_count each, or one from `word` where the type has no
  /// span.
  int32_t* indices(int word = 0) const;

  /// Calls f(begin, end) for parts of [0, rows), on several threads if the work is worth it. `cost` is the work of one
  /// row in nanoseconds, roughly.
  template <class F>
  void parallel(int64_t rows, double cost, F&& f, bool serial = false) const {
    constexpr double kChunk = 3000;
    const int64_t grain = cost * 2 > kChunk ? 1 : static_cast<int64_t>(kChunk / cost);
    if (serial) {
      if (rows > 0) f(int64_t{0}, rows);
      return;
    }
    parallel_for(rows, grain, f);
  }
};

class Forward : public BatchContext {
 public:
  /// A key for each node's random numbers.
  const uint64_t* keys;
};

class Backward : public BatchContext {
 public:
  /// Where the gradients of one operand go.
  struct Operand {
    Rows rows;
    /// Whether to add to what is there; else all of it must be written.
    bool accumulate = false;
    /// Whether two rows are the same memory, so that only one thread may write.
    bool collides = false;
  };

  /// The gradients of the nodes' values.
  Rows dy;
  /// What the late stage leaves to the early one, one row a node, if the operation carries anything.
  Rows carry;
  BackwardPart& part;

  /// The same batch with another gradient of the values, such as that before an activation.
  Backward with_gradient(Rows gradient) const {
    return {{type, stage, early, count, y, x, aux, data, k, scratch, graph, nodes}, gradient, carry, part};
  }
  /// Whether the gradient of an operand is wanted, of any node of the batch.
  bool wants(int i) const;
  /// Where to put the gradient of an operand that is wanted. Asked for once; gradients are written in the order in
  /// which they were asked for, unless the two cannot be the same node.
  Operand dx(int i) const;
  /// As `dx`, one row for each batch element of the result. Where the operand's batch is broadcast, rows repeat, so the
  /// caller must add.
  Operand dx_elements(int i) const;
  Rows dy_elements() const { return elements(dy, type.dim.size(), type.dim.bd, type.dim.bd); }
  /// Leaves the gradient of operand i, a shared left operand {m, k} of products with n columns x whose results have the
  /// gradients d, to the end of the pass: one product for all uses of the weight.
  void defer_product(int i, int64_t m, int64_t k, Rows d, Rows x, int64_t n) const;
  /// Leaves the gradient of operand i, a shared term of m floats, to the end of the pass: the sum of the n rows d of
  /// all its uses.
  void defer_sum(int i, int64_t m, Rows d, int64_t n) const;
  /// Leaves the gradients of rows of a lookup table to the end of the pass. `rows` and `values` must last until then.
  void add_rows(const dn_lookup_parameter& table, const int32_t* rows, const float* const* values, int64_t n) const;
};

}  // namespace dynnet

#endif  // DYNNET_OPS_CONTEXT_H_

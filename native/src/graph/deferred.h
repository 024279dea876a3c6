// What a backward pass leaves to its end: the gradients of parameters, each summed over all uses in the graph.
#ifndef DYNNET_GRAPH_DEFERRED_H_
#define DYNNET_GRAPH_DEFERRED_H_

#include <cstdint>
#include <vector>

#include "core/kernels.h"
#include "memory/arena.h"
#include "nn/gradients.h"

namespace dynnet {

/// Where in a pass something was left: uses are summed in the order of batches, of a batch's operands, and of the
/// places in a batch, whoever computed them.
struct BatchPlace {
  uint32_t batch = 0;
  /// Which operand of the batch's nodes it is the gradient of.
  uint32_t operand = 0;
  /// The places of the nodes in the plan's batch, ascending; null where the nodes are all of the batch.
  const uint32_t* places = nullptr;
  uint32_t count = 0;

  bool same_slots(const BatchPlace& other) const { return batch == other.batch && operand == other.operand; }
};

/// One use of a weight or a bias: n columns d and, of a weight, x, the same number for each node. Their memory must
/// last until the sum is done.
struct DeferredUse {
  BatchPlace place;
  Rows d;
  Rows x;
  int64_t n;
};

/// The uses of one parameter: as W {m, k} of products W x, whose gradient is the sum of d x^T; or, with k = 0, as a
/// term of m floats, whose gradient is the sum of d.
struct DeferredSum {
  uint32_t node;
  int64_t m;
  int64_t k;
  std::vector<DeferredUse> uses;
};

/// Where the sum over all uses of a parameter goes: overwritten, or added to.
struct DeferredResult {
  DeferredSum* sum;
  float* gradient;
  bool accumulate;
};

/// Rows of a lookup table and their gradients.
struct DeferredRows {
  BatchPlace place;
  const dn_lookup_parameter* table;
  const int32_t* rows;
  const float* const* values;
  int64_t n;
};

/// What one thread of a pass left.
class Deferred {
 public:
  void add(uint32_t node, int64_t m, int64_t k, const DeferredUse& use);
  void add(const DeferredRows& rows) {
    rows_.push_back(rows);
    ++added_;
  }
  std::vector<DeferredSum>& sums() { return sums_; }
  /// How much was left so far: it tells whether a batch left something.
  uint64_t added() const { return added_; }
  /// Puts the sums in an order that does not depend on who left what first.
  void sort_sums();
  /// Takes over what another thread left.
  void merge(Deferred& other);

  /// Computes sums, side by side where there are several threads. Their uses are then forgotten.
  static void finish(const std::vector<DeferredResult>& results, const Kernels& k, Arena& scratch);
  /// Calls add(table, rows, values, n) for all rows, which are then forgotten.
  template <class Add>
  void finish_rows(Arena& scratch, Add&& add) {
    sort_rows();
    for (size_t i = 0; i < rows_.size();) {
      size_t end = i + 1;
      while (end < rows_.size() && rows_[end].place.same_slots(rows_[i].place)) ++end;
      const DeferredRows joined = end == i + 1 ? rows_[i] : join_rows(&rows_[i], end - i, scratch);
      add(*joined.table, joined.rows, joined.values, joined.n);
      i = end;
    }
    rows_.clear();
  }

 private:
  void sort_rows();
  static DeferredRows join_rows(const DeferredRows* rows, size_t count, Arena& scratch);

  std::vector<DeferredSum> sums_;
  std::vector<DeferredRows> rows_;
  uint64_t added_ = 0;
};

}  // namespace dynnet

#endif  // DYNNET_GRAPH_DEFERRED_H_

#include "graph/deferred.h"

#include <algorithm>

#include "parallel/parallel.h"

namespace dynnet {
namespace {

// Backward runs through the batches from the last to the first, and through a batch's operands from the first to the
// last.
template <class List>
void sort_by_place(List& list) {
  const auto before = [](const auto& a, const auto& b) {
    return a.place.batch != b.place.batch ? a.place.batch > b.place.batch : a.place.operand < b.place.operand;
  };
  if (!std::is_sorted(list.begin(), list.end(), before)) std::stable_sort(list.begin(), list.end(), before);
}

// Calls visit(slot, i) for the i-th of n things that the nodes of a batch have, each node the same number; `slot` is
// where it belongs among those of all nodes of the batch.
template <class Visit>
void visit_slots(const BatchPlace& place, int64_t n, Visit&& visit) {
  const int64_t each = n / place.count;
  for (int64_t i = 0; i < n; ++i) visit(place.places == nullptr ? i : place.places[i / each] * each + i % each, i);
}

// How many slots the places go up to.
int64_t slots(const BatchPlace& place, int64_t n) {
  return place.places == nullptr ? n : (place.places[place.count - 1] + int64_t{1}) * (n / place.count);
}

// Takes out the slots that no thread filled; `more` is moved along with `list`.
template <class T, class U>
int64_t close_gaps(T* list, U* more, int64_t n) {
  int64_t kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (list[i] == nullptr) continue;
    list[kept] = list[i];
    more[kept++] = more[i];
  }
  return kept;
}

// The columns of all uses, in order.
int64_t join(const std::vector<DeferredUse>& uses, bool with_x, float** d, float** x) {
  int64_t at = 0;
  for (size_t i = 0; i < uses.size();) {
    size_t end = i + 1;
    int64_t room = slots(uses[i].place, uses[i].n);
    for (; end < uses.size() && uses[end].place.same_slots(uses[i].place) && uses[end].place.places != nullptr; ++end)
      room = std::max(room, slots(uses[end].place, uses[end].n));
    const bool parts = uses[i].place.places != nullptr;
    if (parts) std::fill(d + at, d + at + room, nullptr);
    for (; i < end; ++i) {
      visit_slots(uses[i].place, uses[i].n, [&](int64_t slot, int64_t column) {
        d[at + slot] = uses[i].d.at(column);
        x[at + slot] = with_x ? uses[i].x.at(column) : nullptr;
      });
    }
    at += parts ? close_gaps(d + at, x + at, room) : room;
  }
  return at;
}

}  // namespace

void Deferred::add(uint32_t node, int64_t m, int64_t k, const DeferredUse& use) {
  for (DeferredSum& sum : sums_) {
    if (sum.node != node || sum.k != k) continue;
    sum.uses.push_back(use);
    return;
  }
  sums_.push_back({node, m, k, {use}});
}

void Deferred::sort_sums() {
  std::sort(sums_.begin(), sums_.end(),
            [](const DeferredSum& a, const DeferredSum& b) { return a.node != b.node ? a.node < b.node : a.k < b.k; });
}

void Deferred::merge(Deferred& other) {
  for (const DeferredSum& sum : other.sums_)
    for (const DeferredUse& use : sum.uses) add(sum.node, sum.m, sum.k, use);
  rows_.insert(rows_.end(), other.rows_.begin(), other.rows_.end());
}

void Deferred::finish(DeferredSum& sum, float* g, bool accumulate, const Kernels& k, Arena& scratch) {
  sort_by_place(sum.uses);
  Rows d = sum.uses[0].d;
  Rows x = sum.uses[0].x;
  int64_t n = sum.uses[0].n;
  if (sum.uses.size() > 1) {
    int64_t room = 0;
    for (const DeferredUse& use : sum.uses) room += slots(use.place, use.n);
    auto** d_list = scratch.allocate<float*>(room);
    auto** x_list = scratch.allocate<float*>(room);
    n = join(sum.uses, sum.k > 0, d_list, x_list);
    d = {nullptr, d_list, 0};
    x = {nullptr, x_list, 0};
  }
  sum.uses.clear();
  if (sum.k == 0) {
    k.sum_rows(g, d, n, sum.m, accumulate);
    return;
  }
  // Multiples of the kernels' tile; few, since each part reads all of d.
  constexpr int64_t kTile = 12;
  const int64_t parts = 3 * static_cast<int64_t>(threads());
  const int64_t least = static_cast<int64_t>(3000 * 40 / static_cast<double>(sum.m * n));
  const int64_t grain = kTile * (std::max(sum.k / parts, least) / kTile + 1);
  parallel_for(sum.k, grain,
               [&](int64_t begin, int64_t end) { k.outer_sum(sum.m, n, begin, end, d, x, g, sum.m, accumulate); });
}

void Deferred::sort_rows() { sort_by_place(rows_); }

DeferredRows Deferred::join_rows(const DeferredRows* rows, size_t count, Arena& scratch) {
  int64_t room = 0;
  for (size_t i = 0; i < count; ++i) room = std::max(room, slots(rows[i].place, rows[i].n));
  auto* numbers = scratch.allocate<int32_t>(room);
  auto** values = scratch.allocate<const float*>(room);
  std::fill(values, values + room, nullptr);
  for (size_t i = 0; i < count; ++i) {
    visit_slots(rows[i].place, rows[i].n, [&](int64_t slot, int64_t at) {
      numbers[slot] = rows[i].rows[at];
      values[slot] = rows[i].values[at];
    });
  }
  return {{}, rows[0].table, numbers, values, close_gaps(values, numbers, room)};
}

}  // namespace dynnet

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

// All uses of a parameter, one after the other.
struct Columns {
  Rows d;
  Rows x;
  int64_t n;
};

Columns columns_of(DeferredSum& sum, Arena& scratch) {
  sort_by_place(sum.uses);
  if (sum.uses.size() == 1) return {sum.uses[0].d, sum.uses[0].x, sum.uses[0].n};
  int64_t room = 0;
  for (const DeferredUse& use : sum.uses) room += slots(use.place, use.n);
  auto** d = scratch.allocate<float*>(room);
  auto** x = scratch.allocate<float*>(room);
  const int64_t n = join(sum.uses, sum.k > 0, d, x);
  return {{nullptr, d, 0}, {nullptr, x, 0}, n};
}

// Some rows of a parameter's sum.
struct SumPart {
  DeferredResult result;
  Columns columns;
  int64_t r0, r1;
  /// Nanoseconds, roughly.
  double cost;
};

// A block of rows of the kernel, which copies the columns of x for each; half of it where there are few blocks.
int64_t rows_of_part(const std::vector<DeferredResult>& results) {
  constexpr int64_t kBlock = 128;
  int64_t blocks = 0;
  for (const DeferredResult& result : results)
    if (result.sum->k > 0) blocks += (result.sum->m + kBlock - 1) / kBlock;
  return blocks < 4 * threads() ? kBlock / 2 : kBlock;
}

void add_parts(const DeferredResult& result, const Columns& columns, int64_t block, std::vector<SumPart>& parts) {
  constexpr double kSpeed = 80;
  constexpr double kLeast = 3000;
  const DeferredSum& sum = *result.sum;
  const double row_cost = 2.0 * static_cast<double>(columns.n * std::max<int64_t>(sum.k, 1)) / kSpeed;
  const auto least = static_cast<int64_t>(kLeast / row_cost) / block * block + block;
  const int64_t rows = sum.k == 0 || threads() == 1 ? sum.m : std::min(least, sum.m);
  for (int64_t r = 0; r < sum.m; r += rows) {
    const int64_t end = std::min(r + rows, sum.m);
    parts.push_back({result, columns, r, end, row_cost * static_cast<double>(end - r)});
  }
}

}  // namespace

void Deferred::add(uint32_t node, int64_t m, int64_t k, const DeferredUse& use) {
  ++added_;
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

void Deferred::finish(const std::vector<DeferredResult>& results, const Kernels& k, Arena& scratch) {
  std::vector<SumPart> parts;
  const int64_t block = rows_of_part(results);
  for (const DeferredResult& result : results) add_parts(result, columns_of(*result.sum, scratch), block, parts);
  // The longest first, so that no thread begins one when the others end.
  std::stable_sort(parts.begin(), parts.end(), [](const SumPart& a, const SumPart& b) { return a.cost > b.cost; });
  parallel_for(static_cast<int64_t>(parts.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const SumPart& part = parts[static_cast<size_t>(i)];
      const DeferredSum& sum = *part.result.sum;
      const Columns& c = part.columns;
      if (sum.k == 0)
        k.sum_rows(part.result.gradient, c.d, c.n, sum.m, part.result.accumulate);
      else
        k.outer_sum(part.r0, part.r1, c.n, sum.k, c.d, c.x, part.result.gradient, sum.m, part.result.accumulate);
    }
  });
  for (const DeferredResult& result : results) result.sum->uses.clear();
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

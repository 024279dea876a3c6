// Backward of operations of two operands of one shape.
#ifndef DYNNET_OPS_PAIRS_H_
#define DYNNET_OPS_PAIRS_H_

#include "ops/context.h"

namespace dynnet {

/// Whether no memory is in both gradients, of so many rows of n floats each, as far as little work can tell.
bool are_apart(const Rows& a, const Rows& b, int64_t rows, int64_t n);

/// Puts the gradients of both operands, of so many rows of n floats, where of_side(side) says, as far as they are
/// wanted. Where the two are apart, both(da, db, first, count, accumulate) works out rows from `first` on in one pass;
/// else one(side, d, first, count, accumulate) does a side. `cost` is the work for one row and side.
template <class OfSide, class Both, class One>
void backward_of_sides(const Backward& b, int64_t rows, int64_t n, double cost, OfSide of_side, Both both, One one) {
  const bool wanted[] = {b.wants(0), b.wants(1)};
  Backward::Operand d[2];
  for (int side = 0; side < 2; ++side)
    if (wanted[side]) d[side] = of_side(side);
  if (wanted[0] && wanted[1] && d[0].accumulate == d[1].accumulate && are_apart(d[0].rows, d[1].rows, rows, n)) {
    b.parallel(
        rows, 2 * cost,
        [&](int64_t begin, int64_t end) {
          both(d[0].rows.from(begin), d[1].rows.from(begin), begin, end - begin, d[0].accumulate);
        },
        d[0].collides || d[1].collides);
    return;
  }
  for (int side = 0; side < 2; ++side) {
    if (!wanted[side]) continue;
    b.parallel(
        rows, cost,
        [&](int64_t begin, int64_t end) {
          one(side, d[side].rows.from(begin), begin, end - begin, d[side].accumulate);
        },
        d[side].collides);
  }
}

/// The same where both(da, db, first, count, accumulate) may also be given rows that are null, for a side alone.
template <class OfSide, class Both>
void backward_of_sides(const Backward& b, int64_t rows, int64_t n, double cost, OfSide of_side, Both both) {
  backward_of_sides(b, rows, n, cost, of_side, both,
                    [&](int side, Rows d, int64_t first, int64_t count, bool accumulate) {
                      both(side == 0 ? d : Rows{}, side == 0 ? Rows{} : d, first, count, accumulate);
                    });
}

/// The gradients through what two operands are reduced to; c is Huber's bound.
void pair_sum_backward(const Backward& b, PairSum sum, float c = 0);

}  // namespace dynnet

#endif  // DYNNET_OPS_PAIRS_H_

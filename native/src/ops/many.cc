// Elementwise operations of any number of operands, broadcast to one another: the largest, and the logarithm of a sum
// of exponentials.
#include "ops/broadcast.h"
#include "ops/context.h"
#include "ops/elementwise.h"

namespace dynnet {
namespace {

// Nanoseconds an element of an operand, roughly, for the choice of chunks.
constexpr double kCost = 1;

template <int kKept>
void many_shape(Shaping& s) {
  if (s.count() == 0) s.bad_argument("no operands");
  s.type.dim = s[0];
  for (int i = 1; i < s.count(); ++i) s.type.dim = broadcast_dim(s, s.type.dim, s[i]);
  s.type.aux = kKept * s.type.dim.total();
}

bool is_whole(const Type& type, size_t i) {
  return type.operands[i].same_shape(type.dim) && type.operands[i].bd == type.dim.bd;
}

Broadcast loops_of(const Type& type, size_t i) { return broadcast_loops(type.dim, type.dim, type.operands[i]); }

Rows new_rows(const BatchContext& b) {
  return {b.scratch.allocate<float>(b.count * b.type.size), nullptr, b.type.size};
}

// Writes operand i with what is broadcast in it repeated.
void repeat(const BatchContext& b, size_t i, Rows to, int64_t begin, int64_t end) {
  const Rows rows = to.from(begin);
  b.k.fill(rows, 0, end - begin, b.type.size);
  b.k.binary_forward(static_cast<int>(BinaryOp::kAdd), rows, rows, b.x[i].from(begin), end - begin,
                     loops_of(b.type, i));
}

// Calls compute(node, operands of the node) for all nodes; the operands have the result's shape.
template <class Compute>
void for_nodes(const Forward& b, Compute compute) {
  const size_t terms = b.type.operands.size();
  auto* operands = b.scratch.allocate<Rows>(static_cast<int64_t>(terms));
  for (size_t i = 0; i < terms; ++i) operands[i] = is_whole(b.type, i) ? b.x[i] : new_rows(b);
  // The operands of each node, side by side.
  auto** lists = b.scratch.allocate<float*>(b.count * static_cast<int64_t>(terms));
  b.parallel(b.count, kCost * static_cast<double>(b.type.size) * static_cast<double>(terms),
             [&](int64_t begin, int64_t end) {
               for (size_t i = 0; i < terms; ++i)
                 if (!is_whole(b.type, i)) repeat(b, i, operands[i], begin, end);
               for (int64_t node = begin; node < end; ++node) {
                 float** list = lists + node * static_cast<int64_t>(terms);
                 for (size_t i = 0; i < terms; ++i) list[i] = operands[i].at(node);
                 compute(node, Rows{nullptr, list, 0});
               }
             });
}

// Calls compute(i, x, d, begin, end, accumulate) for the gradient of each operand that is wanted, x being the operand
// and d its gradient, of the nodes from begin to end and in the result's shape. What was broadcast is summed
// afterwards.
template <class Compute>
void for_operands(const Backward& b, bool reads_x, Compute compute) {
  const int64_t n = b.type.size;
  // For the operands that are broadcast, one after the other.
  Rows repeated;
  Rows gradient;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    if (!b.wants(static_cast<int>(i))) continue;
    const Backward::Operand dx = b.dx(static_cast<int>(i));
    const bool whole = is_whole(b.type, i);
    if (!whole && gradient.base == nullptr) gradient = new_rows(b);
    if (!whole && reads_x && repeated.base == nullptr) repeated = new_rows(b);
    const Rows x = whole || !reads_x ? b.x[i] : repeated;
    const Rows d = whole ? dx.rows : gradient;
    b.parallel(
        b.count, kCost * static_cast<double>(n),
        [&](int64_t begin, int64_t end) {
          if (!whole && reads_x) repeat(b, i, x, begin, end);
          compute(i, x.from(begin), d.from(begin), begin, end, whole && dx.accumulate);
          if (whole) return;
          // The gradient of one side of y = rest + x_i.
          b.k.binary_backward(static_cast<int>(BinaryOp::kAdd), 1, dx.rows.from(begin), b.y.from(begin),
                              b.x[i].from(begin), b.y.from(begin), d.from(begin), end - begin, loops_of(b.type, i),
                              b.type.operands[i].total(), dx.accumulate);
        },
        dx.collides);
  }
}

void max_forward(const Forward& b) {
  for_nodes(b, [&](int64_t node, Rows operands) {
    b.k.max_rows(b.y.at(node), b.aux.at(node), operands, static_cast<int64_t>(b.type.operands.size()), b.type.size);
  });
}

void max_backward(const Backward& b) {
  for_operands(b, false, [&](size_t i, Rows, Rows d, int64_t begin, int64_t end, bool accumulate) {
    b.k.max_rows_backward(d, b.aux.from(begin), static_cast<float>(i), b.dy.from(begin), end - begin, b.type.size,
                          accumulate);
  });
}

void log_sum_exp_forward(const Forward& b) {
  for_nodes(b, [&](int64_t node, Rows operands) {
    b.k.log_sum_exp_rows(b.y.at(node), b.aux.at(node), operands, static_cast<int64_t>(b.type.operands.size()),
                         b.type.size);
  });
}

void log_sum_exp_backward(const Backward& b) {
  for_operands(b, true, [&](size_t, Rows x, Rows d, int64_t begin, int64_t end, bool accumulate) {
    b.k.log_sum_exp_rows_backward(d, x, b.aux.from(begin), b.dy.from(begin), end - begin, b.type.size, accumulate);
  });
}

}  // namespace

const OpDef op_max_list = {
    .name = "max_list", .shape = many_shape<1>, .forward = max_forward, .backward = max_backward};
const OpDef op_logsumexp = {
    .name = "logsumexp", .shape = many_shape<2>, .forward = log_sum_exp_forward, .backward = log_sum_exp_backward};

}  // namespace dynnet

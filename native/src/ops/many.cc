// Elementwise operations of any number of operands, broadcast to one another: the sum and the mean, the largest, and
// the logarithm of a sum of exponentials.
#include <algorithm>

#include "ops/broadcast.h"
#include "ops/context.h"
#include "ops/elementwise.h"

namespace dynnet {
namespace {

// Nanoseconds an element of an operand, roughly, for the choice of chunks.
constexpr double kCost = 1, kSumCost = 0.3;

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

// The operands in the result's shape: as they are, or room for what is broadcast in them.
Rows* operands_of(const BatchContext& b) {
  const size_t terms = b.type.operands.size();
  auto* operands = b.scratch.allocate<Rows>(static_cast<int64_t>(terms));
  for (size_t i = 0; i < terms; ++i) operands[i] = is_whole(b.type, i) ? b.x[i] : new_rows(b);
  return operands;
}

void fill_operands(const BatchContext& b, const Rows* operands, int64_t begin, int64_t end) {
  for (size_t i = 0; i < b.type.operands.size(); ++i)
    if (!is_whole(b.type, i)) repeat(b, i, operands[i], begin, end);
}

// Where the operands of each node lie, side by side.
class Lists {
 public:
  explicit Lists(const BatchContext& b)
      : terms_(static_cast<int64_t>(b.type.operands.size())), lists_(b.scratch.allocate<float*>(b.count * terms_)) {}

  Rows of(int64_t node, const Rows* operands) const {
    float** list = lists_ + node * terms_;
    for (int64_t i = 0; i < terms_; ++i) list[i] = operands[i].at(node);
    return {nullptr, list, 0};
  }

 private:
  int64_t terms_;
  float** lists_;
};

double cost(const BatchContext& b) {
  return kCost * static_cast<double>(b.type.size) * static_cast<double>(b.type.operands.size());
}

// Calls compute(node, operands of the node) for all nodes; the operands have the result's shape.
template <class Compute>
void for_nodes(const Forward& b, Compute compute) {
  const Rows* operands = operands_of(b);
  const Lists lists(b);
  b.parallel(b.count, cost(b), [&](int64_t begin, int64_t end) {
    fill_operands(b, operands, begin, end);
    for (int64_t node = begin; node < end; ++node) compute(node, lists.of(node, operands));
  });
}

// The gradient of an operand that is broadcast, whose gradient in the result's shape is d: that of one side of
// y = rest + x_i.
void sum_broadcast(const Backward& b, size_t i, const Backward::Operand& dx, Rows d, int64_t begin, int64_t end) {
  b.k.binary_backward(static_cast<int>(BinaryOp::kAdd), 1, dx.rows.from(begin), b.y.from(begin), b.x[i].from(begin),
                      b.y.from(begin), d.from(begin), end - begin, loops_of(b.type, i), b.type.operands[i].total(),
                      dx.accumulate);
}

void max_forward(const Forward& b) {
  for_nodes(b, [&](int64_t node, Rows operands) {
    b.k.max_rows(b.y.at(node), operands, static_cast<int64_t>(b.type.operands.size()), b.type.size);
  });
}

void max_backward(const Backward& b) {
  const auto terms = static_cast<int64_t>(b.type.operands.size());
  const Rows* x = operands_of(b);
  auto* dx = b.scratch.allocate<Backward::Operand>(terms);
  auto* d = b.scratch.allocate<Rows>(terms);
  // Whether the gradient goes straight to where it belongs.
  const auto direct = [&](int64_t i) {
    return b.wants(static_cast<int>(i)) && is_whole(b.type, static_cast<size_t>(i));
  };
  bool accumulate = false;
  bool shared = false;
  // Where the gradients go that nobody wants.
  Rows unread;
  for (int64_t i = 0; i < terms; ++i) {
    const bool wanted = b.wants(static_cast<int>(i));
    if (!wanted && unread.base == nullptr) unread = new_rows(b);
    dx[i] = wanted ? b.dx(static_cast<int>(i)) : Backward::Operand{};
    d[i] = direct(i) ? dx[i].rows : wanted ? new_rows(b) : unread;
    accumulate = accumulate || (direct(i) && dx[i].accumulate);
    shared = shared || (wanted && dx[i].accumulate);
  }
  // One node's first operand may be another one's second: nothing may be overwritten once something was added, and no
  // two threads may add.
  if (accumulate && unread.base != nullptr) b.k.fill(unread, 0, b.count, b.type.size);
  for (int64_t i = 0; accumulate && i < terms; ++i)
    if (b.wants(static_cast<int>(i)) && (!direct(i) || !dx[i].accumulate)) b.k.fill(d[i], 0, b.count, b.type.size);
  const Lists lists(b), gradients(b);
  b.parallel(
      b.count, cost(b),
      [&](int64_t begin, int64_t end) {
        fill_operands(b, x, begin, end);
        for (int64_t node = begin; node < end; ++node)
          b.k.max_rows_backward(gradients.of(node, d), lists.of(node, x), b.y.at(node), b.dy.at(node), terms,
                                b.type.size, accumulate);
        for (int64_t i = 0; i < terms; ++i)
          if (b.wants(static_cast<int>(i)) && !is_whole(b.type, static_cast<size_t>(i)))
            sum_broadcast(b, static_cast<size_t>(i), dx[i], d[i], begin, end);
      },
      shared);
}

void log_sum_exp_forward(const Forward& b) {
  for_nodes(b, [&](int64_t node, Rows operands) {
    b.k.log_sum_exp_rows(b.y.at(node), b.aux.at(node), operands, static_cast<int64_t>(b.type.operands.size()),
                         b.type.size);
  });
}

void log_sum_exp_backward(const Backward& b) {
  const int64_t n = b.type.size;
  // For the operands that are broadcast, one after the other.
  Rows repeated;
  Rows gradient;
  for (size_t i = 0; i < b.type.operands.size(); ++i) {
    if (!b.wants(static_cast<int>(i))) continue;
    const Backward::Operand dx = b.dx(static_cast<int>(i));
    const bool whole = is_whole(b.type, i);
    if (!whole && gradient.base == nullptr) {
      gradient = new_rows(b);
      repeated = new_rows(b);
    }
    const Rows x = whole ? b.x[i] : repeated;
    const Rows d = whole ? dx.rows : gradient;
    b.parallel(
        b.count, kCost * static_cast<double>(n),
        [&](int64_t begin, int64_t end) {
          if (!whole) repeat(b, i, x, begin, end);
          b.k.log_sum_exp_rows_backward(d.from(begin), x.from(begin), b.aux.from(begin), b.dy.from(begin), end - begin,
                                        n, whole && dx.accumulate);
          if (!whole) sum_broadcast(b, i, dx, d, begin, end);
        },
        dx.collides);
  }
}

// ---- sum and average: y = scale * (x1 + x2 + ...) ----

// Whether no operand is broadcast.
bool all_are_whole(const Type& type) {
  for (size_t i = 0; i < type.operands.size(); ++i)
    if (!is_whole(type, i)) return false;
  return true;
}

void add_broadcast(const Forward& b, Rows y, int64_t begin, int64_t end) {
  b.k.fill(y, 0, end - begin, b.type.size);
  for (size_t i = 0; i < b.type.operands.size(); ++i)
    b.k.binary_forward(static_cast<int>(BinaryOp::kAdd), y, y, b.x[i].from(begin), end - begin, loops_of(b.type, i));
}

template <bool average>
void sum_forward(const Forward& b) {
  const auto terms = static_cast<int64_t>(b.type.operands.size());
  const int64_t n = b.type.size;
  const float scale = average ? 1.0f / static_cast<float>(terms) : 1.0f;
  const double cost = kSumCost * static_cast<double>(n * terms);
  if (all_are_whole(b.type)) {
    const Lists lists(b);
    b.parallel(b.count, cost, [&](int64_t begin, int64_t end) {
      for (int64_t node = begin; node < end; ++node) {
        const Rows operands = lists.of(node, b.x);
        if (average)
          b.k.scaled_sum_rows(b.y.at(node), operands, scale, terms, n);
        else
          b.k.sum_rows(b.y.at(node), operands, terms, n, false);
      }
    });
    return;
  }
  auto* scales = b.scratch.allocate<float>(b.count);
  std::fill(scales, scales + b.count, scale);
  b.parallel(b.count, cost, [&](int64_t begin, int64_t end) {
    const Rows y = b.y.from(begin);
    add_broadcast(b, y, begin, end);
    if (average) b.k.unary_forward(static_cast<int>(UnaryOp::kMultiplyScalar), y, y, scales + begin, end - begin, n);
  });
}

// The gradients of operands that all have the result's shape, of each node in one pass. False, and nothing is done, if
// some are not wanted or there already.
bool sum_backward_of_all(const Backward& b, const Backward::Operand* dx, float scale) {
  const auto terms = static_cast<int64_t>(b.type.operands.size());
  for (int64_t i = 0; i < terms; ++i)
    if (!b.wants(static_cast<int>(i)) || dx[i].accumulate != dx[0].accumulate) return false;
  auto** list = b.scratch.allocate<float*>(terms);
  for (int64_t node = 0; node < b.count; ++node) {
    for (int64_t i = 0; i < terms; ++i) list[i] = dx[i].rows.at(node);
    b.k.add_to_rows(Rows{nullptr, list, 0}, b.dy.at(node), scale, terms, b.type.size, dx[0].accumulate);
  }
  return true;
}

template <bool average>
void sum_backward(const Backward& b) {
  const auto terms = static_cast<int>(b.type.operands.size());
  const int64_t n = b.type.size;
  const float scale = average ? 1.0f / static_cast<float>(terms) : 1.0f;
  auto* gradients = b.scratch.allocate<Backward::Operand>(terms);
  for (int i = 0; i < terms; ++i) gradients[i] = b.wants(i) ? b.dx(i) : Backward::Operand{};
  const bool all_whole = all_are_whole(b.type);
  if (all_whole && sum_backward_of_all(b, gradients, scale)) return;
  // What an operand gets that is broadcast: scaled once for all of them.
  Rows dy = b.dy;
  if (average && !all_whole) {
    dy = new_rows(b);
    b.k.fill(dy, 0, b.count, n);
    b.k.add(dy, b.dy, scale, b.count, n);
  }
  for (int i = 0; i < terms; ++i) {
    if (!b.wants(i)) continue;
    const Backward::Operand& dx = gradients[i];
    if (!is_whole(b.type, static_cast<size_t>(i))) {
      sum_broadcast(b, static_cast<size_t>(i), dx, dy, 0, b.count);
      continue;
    }
    if (!dx.accumulate && !average) {
      b.k.copy(dx.rows, b.dy, b.count, n);
      continue;
    }
    if (!dx.accumulate) b.k.fill(dx.rows, 0, b.count, n);
    b.k.add(dx.rows, b.dy, scale, b.count, n);
  }
}

template <bool average>
constexpr OpDef sum(const char* name) {
  return {.name = name, .shape = many_shape<0>, .forward = sum_forward<average>, .backward = sum_backward<average>};
}

}  // namespace

const OpDef op_max_list = {
    .name = "max_list", .shape = many_shape<0>, .forward = max_forward, .backward = max_backward};
const OpDef op_logsumexp = {
    .name = "logsumexp", .shape = many_shape<2>, .forward = log_sum_exp_forward, .backward = log_sum_exp_backward};
const OpDef op_sum = sum<false>("sum");
const OpDef op_average = sum<true>("average");

}  // namespace dynnet

// Recurrent and tree cells: one node for what would be a dozen elementary ones.
#include <algorithm>

#include "ops/context.h"
#include "ops/pairs.h"
#include "ops/product.h"
#include "ops/shapes.h"

namespace dynnet {
namespace {

constexpr double kGateCost = 1.5;

void expect_vector(const Shaping& s, int i, int64_t size, const char* what) {
  if (!s[i].is_vector() || s[i].size() != size)
    s.mismatch("expected %s {%lld}, got %s", what, static_cast<long long>(size), s[i].text().c_str());
}

// ---- vanilla_lstm_gates: x, h, wx, wh, b ----

enum { kX, kH, kWx, kWh, kB };

void gates_shape(Shaping& s) {
  const int64_t n = s[kH].size();
  const int64_t inputs = s[kX].size();
  if (!s[kX].is_vector()) s.mismatch("expected a vector x, got %s", s[kX].text().c_str());
  if (!s[kH].is_vector()) s.mismatch("expected a vector h, got %s", s[kH].text().c_str());
  auto expect_matrix = [&](int i, int64_t cols, const char* what) {
    if (!s[i].is_matrix() || s[i].rows() != 4 * n || s[i].cols() != cols || s[i].bd != 1)
      s.mismatch("expected %s {%lld,%lld} for x %s and h %s, got %s", what, static_cast<long long>(4 * n),
                 static_cast<long long>(cols), s[kX].text().c_str(), s[kH].text().c_str(), s[i].text().c_str());
  };
  expect_matrix(kWx, inputs, "wx");
  expect_matrix(kWh, n, "wh");
  expect_vector(s, kB, 4 * n, "b");
  if (s[kB].bd != 1) s.mismatch("b %s has a batch", s[kB].text().c_str());
  s.type.dim = Dim({static_cast<uint32_t>(4 * n)}, common_batch(s, s[kX].bd, s[kH].bd));
  s.type.v[0] = n;
}

ProductShape gates_product(const Type& type, int x) {
  const Dim& dim = type.operands[static_cast<size_t>(x)];
  return {4 * type.v[0], 1, dim.size(), 1, dim.bd, type.dim.bd};
}

bool gates_defer(const Type& type, int i) {
  return i == kB ? type.shared[kB] != 0
                 : (i == kWx || i == kWh) && type.shared[static_cast<size_t>(i)] != 0 && type.shared[kB] != 0;
}

// The inputs' part is early where the weights and the bias serve all nodes, as they do in a sequence.
int gates_early(const Type& type, uint32_t ready) {
  constexpr uint32_t kNeeded = 1u << kX | 1u << kWx | 1u << kB;
  return (ready & kNeeded) == kNeeded && type.shared[kWx] && type.shared[kWh] && type.shared[kB] ? 1 : 0;
}

// Whether x or h is multiplied in the batch's stage.
bool in_stage(const BatchContext& b, int x) {
  return b.stage == Stage::kWhole || (b.stage == Stage::kEarly) == (x == kX);
}

void gates_forward(const Forward& b) {
  const int64_t m = 4 * b.type.v[0];
  const int64_t n = b.element_count();
  const Rows y = b.y_elements();
  for (const int x : {kX, kH}) {
    if (!in_stage(b, x)) continue;
    const int w = x == kX ? kWx : kWh;
    const int64_t k = b.type.operands[static_cast<size_t>(x)].size();
    const Rows columns = b.x_elements(x);
    const bool first = x == kX;
    if (b.type.shared[static_cast<size_t>(w)] && b.type.shared[kB]) {
      run_product(b, m, n, k, shared_left(b, w, m, k, n), columns, y, first ? b.x[kB].at(0) : nullptr, !first);
      continue;
    }
    for (int64_t i = 0; i < n; ++i) {
      const int64_t node = i / b.type.dim.bd;
      b.k.product(m, 1, k, column_major(b.x[w].at(node), m), columns.from(i), y.from(i),
                  first ? b.x[kB].at(node) : nullptr, !first);
    }
  }
  if (b.stage == Stage::kEarly) return;
  b.parallel(n, kGateCost * static_cast<double>(m),
             [&](int64_t begin, int64_t end) { b.k.lstm_gates(y.from(begin), end - begin, b.type.v[0]); });
}

void gates_backward(const Backward& b) {
  const int64_t m = 4 * b.type.v[0];
  const int64_t n = b.element_count();
  // The gradient before the activation; it lasts until the end of the pass for the deferred products.
  const Rows d{b.stage == Stage::kWhole ? b.scratch.allocate<float>(m * n) : b.carry.base, nullptr, m};
  if (b.stage != Stage::kEarly) {
    const Rows y = b.y_elements();
    const Rows dy = b.dy_elements();
    b.parallel(n, kGateCost * static_cast<double>(m), [&](int64_t begin, int64_t end) {
      b.k.lstm_gates_backward(d.from(begin), y.from(begin), dy.from(begin), end - begin, b.type.v[0]);
    });
  }
  for (const int x : {kX, kH}) {
    if (!in_stage(b, x)) continue;
    const int w = x == kX ? kWx : kWh;
    const int64_t k = b.type.operands[static_cast<size_t>(x)].size();
    if (!b.type.deferred[static_cast<size_t>(w)]) {
      own_product_backward(b.with_gradient(Rows{d.base, nullptr, m * b.type.dim.bd}), w, x, gates_product(b.type, x));
      continue;
    }
    if (b.wants(x)) {
      const Backward::Operand dx = b.dx_elements(x);
      run_product(b, k, n, m, packed_transpose(b, w, m, k), d, dx.rows, nullptr, dx.accumulate, dx.collides);
    }
    if (b.wants(w)) b.defer_product(w, m, k, d, b.x_elements(x), n);
  }
  if (b.stage == Stage::kLate || !b.wants(kB)) return;
  if (b.type.deferred[kB]) return b.defer_sum(kB, m, d, n);
  const Backward::Operand db = b.dx(kB);
  const auto batch = static_cast<int64_t>(b.type.dim.bd);
  for (int64_t i = 0; i < b.count; ++i) b.k.sum_rows(db.rows.at(i), d.from(i * batch), batch, m, db.accumulate);
}

// ---- vanilla_lstm_c: c, gates; vanilla_lstm_h: c, gates ----

void lstm_state_shape(Shaping& s) {
  if (!s[0].is_vector()) s.mismatch("expected a vector c, got %s", s[0].text().c_str());
  expect_vector(s, 1, 4 * s[0].size(), "gates");
  s.type.dim = Dim({s[0].rows()}, common_batch(s, s[0].bd, s[1].bd));
}

// What forward keeps for backward, one row of n floats for each batch element of the result.
Rows kept_elements(const BatchContext& b, int64_t n) { return b.elements(b.aux, n, b.type.dim.bd, b.type.dim.bd); }

void lstm_c_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows y = b.y_elements();
  const Rows c = b.x_elements(0);
  const Rows gates = b.x_elements(1);
  b.parallel(b.element_count(), kGateCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.lstm_c(y.from(begin), c.from(begin), gates.from(begin), end - begin, n);
  });
}

void lstm_h_shape(Shaping& s) {
  lstm_state_shape(s);
  s.type.aux = s.type.dim.total();
}

void lstm_h_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows y = b.y_elements();
  const Rows t = kept_elements(b, n);
  const Rows c = b.x_elements(0);
  const Rows gates = b.x_elements(1);
  b.parallel(b.element_count(), kGateCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.lstm_h(y.from(begin), t.from(begin), c.from(begin), gates.from(begin), end - begin, n);
  });
}

// `x` is what the kernel reads beside the gates: c, or what forward kept.
void lstm_state_backward(const Backward& b, decltype(Kernels::lstm_c_backward) kernel, Rows x) {
  // c {n} and the gates {4n} are never one node.
  Backward::Operand dc{};
  Backward::Operand dgates{};
  if (b.wants(0)) dc = b.dx_elements(0);
  if (b.wants(1)) dgates = b.dx_elements(1);
  kernel(dc.rows, dc.accumulate, dgates.rows, dgates.accumulate, x, b.x_elements(1), b.dy_elements(), b.element_count(),
         b.type.dim.rows());
}

void lstm_c_backward(const Backward& b) { lstm_state_backward(b, b.k.lstm_c_backward, b.x_elements(0)); }

void lstm_h_backward(const Backward& b) {
  lstm_state_backward(b, b.k.lstm_h_backward, kept_elements(b, b.type.dim.rows()));
}

// ---- tree_lstm_c: iou, then f and c of each child ----

// Of [i; o; u] i and u are kept, and f of each child, for each element of c.
int64_t tree_c_kept(int operands) { return 2 + operands / 2; }

void tree_c_shape(Shaping& s) {
  if (s.count() % 2 == 0) s.bad_argument("%d operands, expected [i; o; u] and a pair f, c for each child", s.count());
  if (!s[0].is_vector() || s[0].size() % 3 != 0)
    s.mismatch("expected a vector [i; o; u] of three equal parts, got %s", s[0].text().c_str());
  const int64_t n = s[0].size() / 3;
  uint32_t batch = s[0].bd;
  for (int i = 1; i < s.count(); ++i) {
    expect_vector(s, i, n, i % 2 == 1 ? "f" : "c");
    batch = common_batch(s, batch, s[i].bd);
  }
  s.type.dim = Dim({static_cast<uint32_t>(n)}, batch);
  s.type.aux = tree_c_kept(s.count()) * s.type.dim.total();
}

// Where in each row of what is kept the part of pair i of operands begins.
Rows kept_of_child(const BatchContext& b, Rows kept, int i) {
  return shifted(b, kept, (2 + i / 2) * static_cast<int64_t>(b.type.dim.rows()), b.element_count());
}

void tree_c_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const auto count = static_cast<int>(b.type.operands.size());
  const Rows s = kept_elements(b, tree_c_kept(count) * n);
  auto* x = b.scratch.allocate<Rows>(count);
  for (int i = 0; i < count; ++i) x[i] = b.x_elements(i);
  auto* kept = b.scratch.allocate<Rows>(count / 2);
  for (int i = 1; i < count; i += 2) kept[i / 2] = kept_of_child(b, s, i);
  const Rows y = b.y_elements();
  b.parallel(b.element_count(), kGateCost * static_cast<double>(n * count), [&](int64_t begin, int64_t end) {
    b.k.tree_leaf_c(y.from(begin), s.from(begin), x[0].from(begin), end - begin, n);
    for (int i = 1; i < count; i += 2)
      b.k.tree_child_c(y.from(begin), kept[i / 2].from(begin), x[i].from(begin), x[i + 1].from(begin), end - begin, n);
  });
}

void tree_c_backward(const Backward& b) {
  const int64_t n = b.type.dim.rows();
  const int64_t rows = b.element_count();
  const auto count = static_cast<int>(b.type.operands.size());
  const Rows dy = b.dy_elements();
  const Rows kept = kept_elements(b, tree_c_kept(count) * n);
  if (b.wants(0)) {
    const Backward::Operand d = b.dx_elements(0);
    b.k.tree_leaf_c_backward(d.rows, d.accumulate, kept, dy, rows, n);
  }
  for (int i = 1; i < count; i += 2) {
    const Rows s = kept_of_child(b, kept, i);
    const Rows c = b.x_elements(i + 1);
    const auto child = [&](const Backward::Operand& df, const Backward::Operand& dc) {
      b.k.tree_child_c_backward(df.rows, df.accumulate, dc.rows, dc.accumulate, s, c, dy, rows, n);
    };
    Backward::Operand df{};
    Backward::Operand dc{};
    const bool wants_f = b.wants(i);
    const bool wants_c = b.wants(i + 1);
    if (wants_f) df = b.dx_elements(i);
    if (wants_c) dc = b.dx_elements(i + 1);
    // f and c may be one node, whose gradients are written one after the other.
    if (wants_f && wants_c && !are_apart(df.rows, dc.rows, rows, n)) {
      child(df, {});
      child({}, dc);
    } else if (wants_f || wants_c) {
      child(df, dc);
    }
  }
}

// ---- tree_lstm_h: iou, c ----

void tree_h_shape(Shaping& s) {
  if (!s[1].is_vector()) s.mismatch("expected a vector c, got %s", s[1].text().c_str());
  expect_vector(s, 0, 3 * s[1].size(), "[i; o; u]");
  s.type.dim = Dim({s[1].rows()}, common_batch(s, s[0].bd, s[1].bd));
  s.type.aux = 2 * s.type.dim.total();
}

void tree_h_forward(const Forward& b) {
  const int64_t n = b.type.dim.rows();
  const Rows y = b.y_elements();
  const Rows s = kept_elements(b, 2 * n);
  const Rows iou = b.x_elements(0);
  const Rows c = b.x_elements(1);
  b.parallel(b.element_count(), kGateCost * static_cast<double>(n), [&](int64_t begin, int64_t end) {
    b.k.tree_h(y.from(begin), s.from(begin), iou.from(begin), c.from(begin), end - begin, n);
  });
}

void tree_h_backward(const Backward& b) {
  // [i; o; u] {3n} and c {n} are never one node.
  Backward::Operand diou{};
  Backward::Operand dc{};
  if (b.wants(0)) diou = b.dx_elements(0);
  if (b.wants(1)) dc = b.dx_elements(1);
  const int64_t n = b.type.dim.rows();
  b.k.tree_h_backward(diou.rows, diou.accumulate, dc.rows, dc.accumulate, kept_elements(b, 2 * n), b.dy_elements(),
                      b.element_count(), n);
}

}  // namespace

const OpDef op_vanilla_lstm_gates = {.name = "vanilla_lstm_gates",
                                     .shape = gates_shape,
                                     .forward = gates_forward,
                                     .backward = gates_backward,
                                     .defers = gates_defer,
                                     .early = gates_early,
                                     .carries = true,
                                     .weights = 1u << kWx | 1u << kWh | 1u << kB};

const OpDef op_vanilla_lstm_c = {
    .name = "vanilla_lstm_c", .shape = lstm_state_shape, .forward = lstm_c_forward, .backward = lstm_c_backward};

const OpDef op_vanilla_lstm_h = {
    .name = "vanilla_lstm_h", .shape = lstm_h_shape, .forward = lstm_h_forward, .backward = lstm_h_backward};

const OpDef op_tree_lstm_c = {
    .name = "tree_lstm_c", .shape = tree_c_shape, .forward = tree_c_forward, .backward = tree_c_backward};

const OpDef op_tree_lstm_h = {
    .name = "tree_lstm_h", .shape = tree_h_shape, .forward = tree_h_forward, .backward = tree_h_backward};

}  // namespace dynnet

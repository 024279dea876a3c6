#include "ops/draws.h"

#include <algorithm>

namespace dynnet::test::draws {

bool is_small(const Draw& d, const Example& e) {
  return std::all_of(e.x.begin(), e.x.end(), [&](const Shape& x) { return x.total() <= d.most_elements; });
}

namespace {

Shape with_batch(Shape shape, int64_t batch) {
  shape.batch = batch;
  return shape;
}

// A shape that is broadcast to the given one in some of its sizes.
Shape narrowed(Draw& d, Shape shape) {
  for (int64_t& size : shape.d)
    if (size > 1 && d.chance(0.25)) size = 1;
  if (d.chance(0.25)) shape.batch = 1;
  return shape;
}

uint32_t least_dims(Draw& d) { return static_cast<uint32_t>(d.chance(0.7) ? 1 : d.below(4)); }

// One of the objects with this shape, or a new one.
template <class Object, class Add>
int existing_or_new(Draw& d, const std::vector<Object>& objects, const Shape& shape, Add add) {
  std::vector<int> fitting;
  for (size_t i = 0; i < objects.size(); ++i)
    if (objects[i].shape == shape) fitting.push_back(static_cast<int>(i));
  return fitting.empty() || d.chance(0.2) ? add() : d.of(fitting);
}

bool take_table(Draw& d, World& world, Example& e) {
  const int64_t count = e.x[0].batch;
  const Shape row = with_batch(e.x[0], 1);
  // The rows are one more dimension of a table.
  if (row.d.back() != 1) return false;
  e.object = existing_or_new(d, world.tables(), row, [&] {
    const int64_t rows = d.between(1, 6);
    return world.add_table(row, rows, d.values(with_batch(row, rows), Domain::kAny));
  });
  e.a.indices = d.indices(count, world.table(e.object).rows);
  e.x.clear();
  return true;
}

}  // namespace

bool input(Draw& d, World&, Example& e) {
  e.a.shape = e.x[0];
  e.least_dims = least_dims(d);
  e.values = d.values(e.x[0], Domain::kAny);
  e.x.clear();
  return true;
}

bool input_scalar(Draw& d, World&, Example& e) {
  if (e.x[0] != Shape()) return false;
  e.a.scalar = d.uniform(-2, 2);
  e.x.clear();
  return true;
}

bool constant(Draw& d, World&, Example& e) {
  e.a.shape = e.x[0];
  e.least_dims = least_dims(d);
  e.a.scalar = d.uniform(-2, 2);
  e.x.clear();
  return true;
}

bool parameter(Draw& d, World& world, Example& e) {
  if (e.x[0].batch != 1) return false;
  e.object = existing_or_new(d, world.parameters(), e.x[0],
                             [&] { return world.add_parameter(e.x[0], d.values(e.x[0], Domain::kAny)); });
  e.x.clear();
  return true;
}

bool lookup(Draw& d, World& world, Example& e) { return e.x[0].batch == 1 && take_table(d, world, e); }

bool lookup_batch(Draw& d, World& world, Example& e) { return take_table(d, world, e); }

bool lookup_table(Draw& d, World& world, Example& e) {
  // The last dimension is that of the rows; a row has at least one.
  const Shape all = e.x[0];
  const uint32_t nd = to_dim(all).nd;
  Shape row = all;
  row.d[nd - 1] = 1;
  if (all.batch != 1 || nd < 2 || to_dim(row).nd != nd - 1) return false;
  std::vector<int> fitting;
  for (size_t i = 0; i < world.tables().size(); ++i)
    if (world.tables()[i].shape == row && world.tables()[i].rows == all.d[nd - 1])
      fitting.push_back(static_cast<int>(i));
  e.object = fitting.empty() || d.chance(0.2) ? world.add_table(row, all.d[nd - 1], d.values(all, Domain::kAny))
                                              : d.of(fitting);
  e.x.clear();
  return true;
}

bool any(Draw&, World&, Example&) { return true; }

bool any_and_scalar(Draw& d, World&, Example& e) {
  e.a.scalar = d.uniform(-2, 2);
  return true;
}

bool broadcast_pair(Draw& d, World&, Example& e) {
  // Both may be the one that is broadcast, in different sizes.
  Shape wide = e.x[0];
  for (size_t i = 0; i < 2; ++i)
    if (wide.d[i] == 1 && d.chance(0.3)) wide.d[i] = d.size();
  if (wide.batch == 1 && d.chance(0.3)) wide.batch = d.batch();
  e.x.push_back(narrowed(d, wide));
  if (d.chance(0.5)) std::swap(e.x[0], e.x[1]);
  return is_small(d, e);
}

bool broadcast_list(Draw& d, World& world, Example& e) {
  if (d.chance(0.1)) return true;
  if (!broadcast_pair(d, world, e)) return false;
  Shape wide = e.x[0];
  for (size_t i = 0; i < wide.d.size(); ++i) wide.d[i] = std::max(wide.d[i], e.x[1].d[i]);
  wide.batch = std::max(wide.batch, e.x[1].batch);
  for (int64_t more = d.below(4); more > 0; --more) e.x.push_back(d.chance(0.7) ? wide : narrowed(d, wide));
  return is_small(d, e);
}

bool product(Draw& d, World&, Example& e) {
  const Shape first = e.x[0];
  if (!first.is_matrix()) return false;
  // The shape that is given is the left operand or the right one.
  if (d.chance(0.3))
    e.x.push_back(Shape({first.d[1], d.chance(0.6) ? 1 : d.size()}, d.other_batch(first).batch));
  else
    e.x.insert(e.x.begin(), Shape({d.size(), first.d[0]}, d.chance(0.7) ? 1 : d.other_batch(first).batch));
  return is_small(d, e);
}

bool affine(Draw& d, World&, Example& e) {
  const Shape x = e.x[0];
  if (!x.is_matrix()) return false;
  if (d.chance(0.05)) return true;
  const int64_t m = d.size();
  const int64_t n = x.d[1];
  const int64_t batch = x.batch == 1 && d.chance(0.3) ? d.batch() : x.batch;
  auto some_batch = [&](double one) { return d.chance(one) ? 1 : batch; };
  e.x = {Shape({m, d.chance(0.7) ? 1 : n}, some_batch(0.8)), Shape({m, x.d[0]}, some_batch(0.8)), x};
  for (int64_t more = d.below(3); more > 0; --more) {
    const int64_t k = d.size();
    e.x.push_back(Shape({m, k}, some_batch(0.8)));
    e.x.push_back(Shape({k, n}, some_batch(0.3)));
  }
  return is_small(d, e);
}

bool pair(Draw& d, World&, Example& e) {
  e.x.push_back(d.other_batch(e.x[0]));
  if (d.chance(0.5)) std::swap(e.x[0], e.x[1]);
  return is_small(d, e);
}

bool vector_pair(Draw& d, World& world, Example& e) { return e.x[0].is_vector() && pair(d, world, e); }

bool reshape(Draw& d, World&, Example& e) {
  const Shape& x = e.x[0];
  e.a.shape = Shape();
  e.least_dims = least_dims(d);
  // Each batch element by itself, or all elements together, the batch being one more size.
  const bool together = d.chance(0.3);
  int64_t rest = together ? x.total() : x.size();
  if (!together) e.a.shape.batch = d.chance(0.5) ? x.batch : 1;
  auto take_divisor = [&] {
    std::vector<int64_t> divisors;
    for (int64_t i = 1; i <= rest; ++i)
      if (rest % i == 0) divisors.push_back(i);
    const int64_t taken = d.of(divisors);
    rest /= taken;
    return taken;
  };
  for (size_t i = 0; i < 3; ++i) e.a.shape.d[i] = take_divisor();
  if (together && d.chance(0.5)) e.a.shape.batch = take_divisor();
  e.a.shape.d[static_cast<size_t>(d.between(3, DN_MAX_DIMS - 1))] = rest;
  return true;
}

bool matrix(Draw&, World&, Example& e) { return e.x[0].is_matrix(); }

namespace {

// Mostly a dimension that is there.
int32_t dimension(Draw& d, const Shape& x) {
  const auto nd = static_cast<int64_t>(to_dim(x).nd);
  return static_cast<int32_t>(d.below(d.chance(0.9) ? nd : int64_t{DN_MAX_DIMS}));
}

int64_t size_in(const Example& e) { return e.x[0].d[static_cast<size_t>(e.a.dim)]; }

}  // namespace

bool one_dimension(Draw& d, World&, Example& e) {
  e.a.dim = dimension(d, e.x[0]);
  return true;
}

bool pick(Draw& d, World&, Example& e) {
  e.a.dim = dimension(d, e.x[0]);
  e.a.indices = d.indices(1, size_in(e));
  return true;
}

bool pick_batch(Draw& d, World&, Example& e) {
  e.a.dim = dimension(d, e.x[0]);
  e.a.indices = d.indices(e.x[0].batch == 1 ? d.batch() : e.x[0].batch, size_in(e));
  return true;
}

bool pick_range(Draw& d, World&, Example& e) {
  e.a.dim = dimension(d, e.x[0]);
  e.a.start = static_cast<int32_t>(d.below(size_in(e)));
  e.a.end = static_cast<int32_t>(d.between(e.a.start + 1, size_in(e)));
  return true;
}

bool concatenate(Draw& d, World&, Example& e) {
  const Shape first = e.x[0];
  e.a.dim = dimension(d, first);
  const int64_t batch = first.batch == 1 ? d.batch() : first.batch;
  for (int64_t more = d.below(4); more > 0; --more) {
    Shape next = with_batch(first, d.chance(0.3) ? 1 : batch);
    next.d[static_cast<size_t>(e.a.dim)] = d.chance(0.5) ? size_in(e) : d.size();
    e.x.push_back(next);
  }
  return is_small(d, e);
}

bool concatenate_cols(Draw& d, World& world, Example& e) {
  if (!e.x[0].is_matrix()) return false;
  do {
    e.x.resize(1);
    if (!concatenate(d, world, e)) return false;
  } while (e.a.dim != 1);
  return true;
}

bool concatenate_to_batch(Draw& d, World&, Example& e) {
  for (int64_t more = d.below(4); more > 0; --more) e.x.push_back(with_batch(e.x[0], d.batch()));
  return is_small(d, e);
}

bool softmax(Draw& d, World&, Example& e) {
  e.a.dim = static_cast<int32_t>(d.below(std::max(2u, to_dim(e.x[0]).nd)));
  return true;
}

bool label(Draw& d, World&, Example& e) {
  e.a.indices = d.indices(1, e.x[0].d[0]);
  return e.x[0].is_vector();
}

bool label_batch(Draw& d, World&, Example& e) {
  e.a.indices = d.indices(e.x[0].batch == 1 ? d.batch() : e.x[0].batch, e.x[0].d[0]);
  return e.x[0].is_vector();
}

bool hinge(Draw& d, World& world, Example& e) {
  e.a.scalar = d.uniform(0, 2);
  return label(d, world, e);
}

bool lstm_gates(Draw& d, World&, Example& e) {
  const Shape given = e.x[0];
  if (!given.is_vector()) return false;
  const Shape other({d.size()}, d.other_batch(given).batch);
  const bool is_x = d.chance(0.5);
  const int64_t inputs = is_x ? given.size() : other.size();
  const int64_t n = is_x ? other.size() : given.size();
  e.x = {is_x ? given : other, is_x ? other : given, Shape({4 * n, inputs}), Shape({4 * n, n}), Shape({4 * n})};
  return is_small(d, e);
}

bool lstm_state(Draw& d, World&, Example& e) {
  e.x.push_back(Shape({4 * e.x[0].size()}, d.other_batch(e.x[0]).batch));
  return e.x[0].is_vector();
}

bool tree_c(Draw& d, World&, Example& e) {
  const Shape c = e.x[0];
  const int64_t batch = c.batch == 1 ? d.batch() : c.batch;
  auto some_batch = [&](int64_t n) { return Shape({n}, d.chance(0.3) ? 1 : batch); };
  e.x = {some_batch(3 * c.size())};
  for (int64_t children = d.below(4); children > 0; --children) {
    e.x.push_back(some_batch(c.size()));
    e.x.push_back(d.chance(0.7) ? c : some_batch(c.size()));
  }
  return c.is_vector();
}

bool tree_h(Draw& d, World&, Example& e) {
  e.x.insert(e.x.begin(), Shape({3 * e.x[0].size()}, d.other_batch(e.x[0]).batch));
  return e.x[1].is_vector();
}

}  // namespace dynnet::test::draws

// What graphs begin with: inputs, constants, parameters, lookup tables and their rows. Draws are in random.cc.
#include <algorithm>

#include "nn/gradients.h"
#include "nn/model.h"
#include "ops/context.h"

namespace dynnet {
namespace {

void input_shape(Shaping& s) {
  s.type.dim = s.type.static_dim();
  if (s.type.span_count != s.type.dim.total())
    s.mismatch("%lld values for shape %s, which has %lld elements", static_cast<long long>(s.type.span_count),
               s.type.dim.text().c_str(), static_cast<long long>(s.type.dim.total()));
}

void scalar_shape(Shaping& s) { s.type.dim = Dim({1}); }

void constant_forward(const Forward& b) {
  for (int64_t i = 0; i < b.count; ++i) b.k.fill(Rows{b.y.at(i), nullptr, 0}, b.data_float(i), 1, b.type.size);
}

template <int value>
void fill_forward(const Forward& b) {
  b.k.fill(b.y, static_cast<float>(value), b.count, b.type.size);
}

// ---- one_hot ----

void one_hot_shape(Shaping& s) {
  const int32_t size = s.type.static_int(0);
  if (size < 1) s.bad_argument("a size of %d, expected 1 or more", size);
  s.type.dim = Dim({static_cast<uint32_t>(size)});
}

void one_hot_batch_shape(Shaping& s) {
  if (s.type.span_count == 0) s.bad_argument("no indices");
  one_hot_shape(s);
  s.type.dim.bd = static_cast<uint32_t>(s.type.span_count);
}

void check_hot(const Checking& c) {
  const int64_t each = std::max<int64_t>(c.type.span_count, 1);
  const int32_t size = c.type.static_int(0);
  for (int64_t i = 0; i < each; ++i) {
    const auto index = static_cast<int32_t>(c.data[i]);
    if (index < 0 || index >= size)
      fail(DN_E_INDEX, "%s: index %d of a vector of %d elements, 0 to %d", c.type.def->name, index, size, size - 1);
  }
}

void one_hot_forward(const Forward& b) {
  fill_forward<0>(b);
  const Rows y = b.y_elements();
  const int32_t* indices = b.indices();
  for (int64_t i = 0; i < b.element_count(); ++i) y.at(i)[indices[i]] = 1;
}

// ---- parameters and tables ----

void parameter_shape(Shaping& s) { s.type.dim = static_cast<dn_parameter*>(s.type.object)->dim; }

void whole_table_shape(Shaping& s) {
  // A table is not made with rows that leave no dimension for their number.
  const auto& table = *static_cast<const dn_lookup_parameter*>(s.type.object);
  s.type.dim = table.dim;
  s.type.dim.d[s.type.dim.nd++] = static_cast<uint32_t>(table.rows);
}

void lookup_shape(Shaping& s) {
  s.type.dim = static_cast<dn_lookup_parameter*>(s.type.object)->dim;
  s.type.v[0] = s.type.dim.size();
}

void lookup_batch_shape(Shaping& s) {
  if (s.type.span_count == 0) s.bad_argument("no indices");
  lookup_shape(s);
  s.type.dim.bd = static_cast<uint32_t>(s.type.span_count);
}

void check_rows(const Checking& c) {
  const auto* table = static_cast<const dn_lookup_parameter*>(c.type.object);
  const int64_t each = std::max<int64_t>(c.type.span_count, 1);
  for (int64_t i = 0; i < each; ++i) {
    const auto index = static_cast<int32_t>(c.data[i]);
    if (index < 0 || index >= table->rows)
      fail(DN_E_INDEX, "%s: index %d of table %s, which has rows 0 to %lld", c.type.def->name, index,
           table->name.c_str(), static_cast<long long>(table->rows - 1));
  }
}

void lookup_forward(const Forward& b) {
  auto* table = static_cast<dn_lookup_parameter*>(b.type.object);
  const int64_t rows = b.count * b.type.dim.bd;
  const int64_t n = b.type.v[0];
  const int32_t* indices = b.indices();
  auto** list = b.scratch.allocate<float*>(rows);
  for (int64_t i = 0; i < rows; ++i) list[i] = table->row(indices[i]);
  b.k.copy(b.elements(b.y, n, b.type.dim.bd, b.type.dim.bd), Rows{nullptr, list, 0}, rows, n);
}

void lookup_backward(const Backward& b) {
  const auto* table = static_cast<const dn_lookup_parameter*>(b.type.object);
  const int64_t rows = b.count * b.type.dim.bd;
  const Rows dy = b.elements(b.dy, b.type.v[0], b.type.dim.bd, b.type.dim.bd);
  auto** list = b.scratch.allocate<const float*>(rows);
  for (int64_t i = 0; i < rows; ++i) list[i] = dy.at(i);
  b.add_rows(*table, b.indices(), list, rows);
}

// A bound index belongs to the caller's memory, so it cannot be set.
constexpr OpDef lookup(const char* name, bool batch, bool constant, bool indexed) {
  return {.name = name,
          .shape = batch ? lookup_batch_shape : lookup_shape,
          .forward = lookup_forward,
          .backward = constant ? nullptr : lookup_backward,
          .check = check_rows,
          .data_words = batch ? 0u : 1u,
          .trained = !constant,
          .indexed = indexed};
}

}  // namespace

const OpDef op_input = {.name = "input", .shape = input_shape};
// The number of all other elements stands behind the nine words of the shape, and is the node's own.
const OpDef op_input_sparse = {.name = "input_sparse", .shape = static_shape, .data_words = 1u << 9};
const OpDef op_input_scalar = {.name = "input_scalar", .shape = scalar_shape, .data_words = 1};
const OpDef op_input_bound = {.name = "input_bound", .shape = static_shape};
// The number is the node's own; the nine words of the shape before it are not.
const OpDef op_constant = {
    .name = "constant", .shape = static_shape, .forward = constant_forward, .data_words = 1u << 9};

const OpDef op_zeros = {.name = "zeros", .shape = static_shape, .forward = fill_forward<0>};
const OpDef op_ones = {.name = "ones", .shape = static_shape, .forward = fill_forward<1>};

const OpDef op_one_hot = {.name = "one_hot",
                          .shape = one_hot_shape,
                          .forward = one_hot_forward,
                          .check = check_hot,
                          .data_words = 2,
                          .indexed = true};
const OpDef op_one_hot_batch = {
    .name = "one_hot_batch", .shape = one_hot_batch_shape, .forward = one_hot_forward, .check = check_hot};

const OpDef op_parameter = {.name = "parameter", .shape = parameter_shape, .trained = true};
const OpDef op_const_parameter = {.name = "const_parameter", .shape = parameter_shape};

// The values are the table's own, and a backward pass gives the gradient to the rows at its end.
const OpDef op_lookup_table = {.name = "lookup_table", .shape = whole_table_shape, .trained = true};
const OpDef op_const_lookup_table = {.name = "const_lookup_table", .shape = whole_table_shape};

const OpDef op_lookup = lookup("lookup", false, false, true);
const OpDef op_lookup_batch = lookup("lookup_batch", true, false, false);
const OpDef op_lookup_bound = lookup("lookup_bound", false, false, false);
const OpDef op_const_lookup = lookup("const_lookup", false, true, true);
const OpDef op_const_lookup_batch = lookup("const_lookup_batch", true, true, false);

}  // namespace dynnet

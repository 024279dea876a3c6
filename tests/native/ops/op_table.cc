#include "ops/op_table.h"

#include <stdexcept>
#include <string>

#include "ops/op.h"
#include "ops/rows.h"

namespace dynnet::test {
namespace {

std::vector<OpRow> all_rows() {
  std::vector<OpRow> rows;
  for (auto family : {input_rows, arithmetic_rows, elementwise_rows, noise_rows, reduction_rows, normalisation_rows,
                      shape_rows, gradient_rows, loss_rows, matrix_rows, cell_rows, convolution_rows, attention_rows}) {
    const std::vector<OpRow> more = family();
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace

const dn_dim* shape_of(const Recording& r) {
  static thread_local dn_dim dim;
  dim = to_dim(r.a.shape, r.e.least_dims);
  return &dim;
}

std::vector<Bad> bad_broadcast() {
  return {
      {{{2}, {3}}, {}, DN_E_SHAPE, "{2} and {3}"},
      {{{4, 2}, {4, 3}}, {}, DN_E_SHAPE, "{4,2} and {4,3}"},
      {{Shape({2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "{2}X2 and {2}X3"},
  };
}

std::vector<Bad> bad_pair() {
  return {
      {{{2}, {3}}, {}, DN_E_SHAPE, "{2} and {3}"},
      {{{2}, {1, 2}}, {}, DN_E_SHAPE, "{2} and {1,2}"},
      {{Shape({2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "2 and 3"},
  };
}

std::vector<Bad> no_operands() { return {{{}, {}, DN_E_ARGUMENT, "no operands"}}; }

std::vector<Bad> no_matrix() { return {{{{2, 3, 2}}, {}, DN_E_SHAPE, "{2,3,2}"}}; }

std::vector<Bad> operator+(std::vector<Bad> a, const std::vector<Bad>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const std::vector<OpRow>& op_table() {
  static const std::vector<OpRow> table = all_rows();
  return table;
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const OpRow& row : op_table()) names.emplace_back(row.name);
  return names;
}

uint64_t seed_of(std::string_view name) {
  uint64_t seed = 0;
  for (const char c : name) seed = seed * 131 + static_cast<uint64_t>(c);
  return seed;
}

const OpRow& op_row(std::string_view name) {
  for (const OpRow& row : op_table())
    if (row.name == name) return row;
  throw std::logic_error("the table has no operation " + std::string(name));
}

const OpDef* definition(std::string_view name) {
  for (size_t i = 0; i < static_cast<size_t>(Op::kCount); ++i)
    if (op_defs[i]->name == name) return op_defs[i];
  return nullptr;
}

GradientKind gradient_kind(const OpRow& row) {
  if (row.stops_gradient || (row.is_leaf() && !definition(row.name)->trained)) return GradientKind::kNone;
  return row.estimated != nullptr || row.gradient_factor != nullptr ? GradientKind::kDefined
                                                                    : GradientKind::kDifferences;
}

Example draw_example(const OpRow& row, Draw& draw, World& world) {
  for (;;) {
    Example example;
    example.x = {draw.shape()};
    if (row.draw(draw, world, example)) return example;
  }
}

}  // namespace dynnet::test

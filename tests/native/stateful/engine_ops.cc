#include "stateful/engine_ops.h"

#include <map>
#include <stdexcept>
#include <string>

namespace dynnet::stateful {
namespace {

using reference::Attributes;
using Operands = std::vector<dn_expr>;
using Unary = dn_status (*)(dn_graph*, dn_expr, dn_expr*);
using Binary = dn_status (*)(dn_graph*, dn_expr, dn_expr, dn_expr*);
using Variadic = dn_status (*)(dn_graph*, const dn_expr*, int32_t, dn_expr*);
using Special = dn_status (*)(dn_graph*, const Operands&, const Attributes&, dn_expr*);

const std::map<std::string_view, Unary> kUnary = {
    {"negate", dn_op_negate},
    {"tanh", dn_op_tanh},
    {"logistic", dn_op_logistic},
    {"rectify", dn_op_rectify},
    {"exp", dn_op_exp},
    {"log", dn_op_log},
    {"square", dn_op_square},
    {"sqrt", dn_op_sqrt},
    {"sum_elems", dn_op_sum_elems},
    {"sum_batches", dn_op_sum_batches},
    {"transpose", dn_op_transpose},
    {"log_softmax", dn_op_log_softmax},
};

const std::map<std::string_view, Binary> kBinary = {
    {"add", dn_op_add},
    {"subtract", dn_op_subtract},
    {"cmult", dn_op_cmult},
    {"cdiv", dn_op_cdiv},
    {"multiply", dn_op_multiply},
    {"dot_product", dn_op_dot_product},
    {"squared_distance", dn_op_squared_distance},
    {"vanilla_lstm_c", dn_op_vanilla_lstm_c},
    {"vanilla_lstm_h", dn_op_vanilla_lstm_h},
};

const std::map<std::string_view, Variadic> kVariadic = {
    {"affine_transform", dn_op_affine_transform},
    {"sum", dn_op_sum},
    {"average", dn_op_average},
    {"concatenate_to_batch", dn_op_concatenate_to_batch},
    {"concatenate_cols", dn_op_concatenate_cols},
};

int32_t count_of(const std::vector<int32_t>& indices) { return static_cast<int32_t>(indices.size()); }

const std::map<std::string_view, Special> kSpecial = {
    {"add_scalar", [](dn_graph* g, const Operands& x, const Attributes& a,
                      dn_expr* out) { return dn_op_add_scalar(g, x[0], a.scalar, out); }},
    {"multiply_scalar", [](dn_graph* g, const Operands& x, const Attributes& a,
                           dn_expr* out) { return dn_op_multiply_scalar(g, x[0], a.scalar, out); }},
    {"dropout", [](dn_graph* g, const Operands& x, const Attributes& a,
                   dn_expr* out) { return dn_op_dropout(g, x[0], a.scalar, out); }},
    {"softmax", [](dn_graph* g, const Operands& x, const Attributes& a,
                   dn_expr* out) { return dn_op_softmax(g, x[0], a.dim, out); }},
    {"reshape",
     [](dn_graph* g, const Operands& x, const Attributes& a, dn_expr* out) {
       const dn_dim dim = to_dim(a.shape);
       return dn_op_reshape(g, x[0], &dim, out);
     }},
    {"pick", [](dn_graph* g, const Operands& x, const Attributes& a,
                dn_expr* out) { return dn_op_pick(g, x[0], a.indices[0], a.dim, out); }},
    {"pick_batch",
     [](dn_graph* g, const Operands& x, const Attributes& a, dn_expr* out) {
       return dn_op_pick_batch(g, x[0], a.indices.data(), count_of(a.indices), a.dim, out);
     }},
    {"pick_range", [](dn_graph* g, const Operands& x, const Attributes& a,
                      dn_expr* out) { return dn_op_pick_range(g, x[0], a.start, a.end, a.dim, out); }},
    {"concatenate",
     [](dn_graph* g, const Operands& x, const Attributes& a, dn_expr* out) {
       return dn_op_concatenate(g, x.data(), static_cast<int32_t>(x.size()), a.dim, out);
     }},
    {"pick_neg_log_softmax", [](dn_graph* g, const Operands& x, const Attributes& a,
                                dn_expr* out) { return dn_op_pick_neg_log_softmax(g, x[0], a.indices[0], out); }},
    {"pick_neg_log_softmax_batch",
     [](dn_graph* g, const Operands& x, const Attributes& a, dn_expr* out) {
       return dn_op_pick_neg_log_softmax_batch(g, x[0], a.indices.data(), count_of(a.indices), out);
     }},
    {"hinge", [](dn_graph* g, const Operands& x, const Attributes& a,
                 dn_expr* out) { return dn_op_hinge(g, x[0], a.indices[0], a.scalar, out); }},
    {"vanilla_lstm_gates", [](dn_graph* g, const Operands& x, const Attributes&,
                              dn_expr* out) { return dn_op_vanilla_lstm_gates(g, x[0], x[1], x[2], x[3], x[4], out); }},
};

}  // namespace

dn_dim to_dim(const reference::Shape& shape) {
  dn_dim dim{};
  for (size_t i = 0; i < shape.d.size(); ++i) {
    dim.d[i] = static_cast<uint32_t>(shape.d[i]);
    if (shape.d[i] != 1) dim.nd = static_cast<uint32_t>(i) + 1;
  }
  if (dim.nd == 0) dim.nd = 1;
  dim.bd = static_cast<uint32_t>(shape.batch);
  return dim;
}

dn_status record(dn_graph* graph, std::string_view op, const std::vector<dn_expr>& x, const Attributes& attributes,
                 dn_expr* out) {
  if (const auto found = kUnary.find(op); found != kUnary.end()) return found->second(graph, x.at(0), out);
  if (const auto found = kBinary.find(op); found != kBinary.end()) return found->second(graph, x.at(0), x.at(1), out);
  if (const auto found = kVariadic.find(op); found != kVariadic.end())
    return found->second(graph, x.data(), static_cast<int32_t>(x.size()), out);
  if (const auto found = kSpecial.find(op); found != kSpecial.end()) return found->second(graph, x, attributes, out);
  throw std::logic_error("no operation " + std::string(op));
}

}  // namespace dynnet::stateful

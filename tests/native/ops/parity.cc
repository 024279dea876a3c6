#include "ops/parity.h"

#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <regex>
#include <sstream>

namespace dynnet::test {
namespace {

std::string csharp_name(const std::string& name, const std::string& documentation) {
  static const std::regex tag("@op (\\S+)");
  if (std::smatch given; std::regex_search(documentation, given, tag))
    return given[1] == "-" ? "C++ only" : given[1].str();
  std::string csharp;
  bool upper = true;
  for (const char c : name) {
    if (c != '_') csharp += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return csharp;
}

std::vector<std::string> names_of_parameters(const std::string& list) {
  static const std::regex name(R"((\w+)(?:,|$))");
  std::vector<std::string> names;
  for (std::sregex_iterator at(list.begin(), list.end(), name), end; at != end; ++at) names.push_back((*at)[1]);
  return names;
}

// The operations of one header. Documentation is what stands right before a declaration.
void add_ops(const std::string& header, std::vector<HeaderOp>& ops) {
  static const std::regex function(R"(DN_API dn_status dn_op_(\w+)\((.*)\);)");
  std::string documentation;
  std::string declaration;
  for (const std::string& line : lines_of(header)) {
    if (line.starts_with("///")) {
      documentation += line.substr(3);
      continue;
    }
    if (line.starts_with("DN_API") || !declaration.empty()) declaration += line;
    if (!declaration.empty() && declaration.back() != ';') continue;
    if (std::smatch match; std::regex_match(declaration, match, function))
      ops.push_back({match[1], csharp_name(match[1], documentation), documentation, names_of_parameters(match[2])});
    documentation.clear();
    declaration.clear();
  }
}

}  // namespace

const std::vector<Parity>& parity_functions() {
  static const std::vector<Parity> list = {
      {"input", {"input", "input_scalar", "input_bound", "input_sparse"}},
      {"one_hot", {"one_hot", "one_hot_batch"}},
      {"constant", {"constant"}},
      {"zeros, zeroes", {"zeros"}},
      {"ones", {"ones"}},
      {"random_normal", {"random_normal"}},
      {"random_bernoulli", {"random_bernoulli"}},
      {"random_uniform", {"random_uniform"}},
      {"random_gumbel", {"random_gumbel"}},
      {"parameter", {"parameter", "lookup_table"}},
      {"const_parameter", {"const_parameter", "const_lookup_table"}},
      {"lookup", {"lookup", "lookup_batch", "lookup_bound"}},
      {"const_lookup", {"const_lookup", "const_lookup_batch"}},
      {"operator-", {"negate", "subtract", "subtract_from_scalar"}},
      {"operator+", {"add", "add_scalar"}},
      {"operator*", {"multiply", "multiply_scalar"}},
      {"operator/", {"cdiv", "divide_scalar", "divide_into_scalar"}},
      {"affine_transform", {"affine_transform"}},
      {"sum", {"sum"}},
      {"average", {"average"}},
      {"sqrt", {"sqrt"}},
      {"abs", {"abs"}},
      {"erf", {"erf"}},
      {"sin", {"sin"}},
      {"cos", {"cos"}},
      {"tan", {"tan"}},
      {"asin", {"asin"}},
      {"acos", {"acos"}},
      {"atan", {"atan"}},
      {"sinh", {"sinh"}},
      {"cosh", {"cosh"}},
      {"tanh", {"tanh"}},
      {"asinh", {"asinh"}},
      {"acosh", {"acosh"}},
      {"atanh", {"atanh"}},
      {"exp", {"exp"}},
      {"square", {"square"}},
      {"cube", {"cube"}},
      {"log_sigmoid", {"log_sigmoid"}},
      {"lgamma", {"lgamma"}},
      {"log", {"log"}},
      {"logistic", {"logistic"}},
      {"rectify", {"rectify"}},
      {"elu", {"elu"}},
      {"selu", {"selu"}},
      {"silu", {"silu"}},
      {"softsign", {"softsign"}},
      {"pow", {"pow"}},
      {"min", {"min"}},
      {"max", {"max", "max_list"}},
      {"dot_product", {"dot_product"}},
      {"circ_conv", {"circ_conv"}},
      {"circ_corr", {"circ_corr"}},
      {"cmult", {"cmult"}},
      {"cdiv", {"cdiv"}},
      {"colwise_add", {"colwise_add"}},
      {"sum_elems", {"sum_elems"}},
      {"sum_dim", {"sum_dim"}},
      {"sum_rows", {"sum_rows"}},
      {"sum_cols", {"sum_cols"}},
      {"sum_batches", {"sum_batches"}},
      {"cumsum", {"cumsum"}},
      {"mean_elems", {"mean_elems"}},
      {"mean_dim", {"mean_dim"}},
      {"mean_batches", {"mean_batches"}},
      {"moment_elems", {"moment_elems"}},
      {"moment_dim", {"moment_dim"}},
      {"moment_batches", {"moment_batches"}},
      {"std_elems", {"std_elems"}},
      {"std_dim", {"std_dim"}},
      {"std_batches", {"std_batches"}},
      {"average_cols", {"average_cols"}},
      {"softmax", {"softmax"}},
      {"log_softmax", {"log_softmax", "log_softmax_restricted"}},
      {"logsumexp", {"logsumexp"}},
      {"logsumexp_dim", {"logsumexp_dim"}},
      {"pickneglogsoftmax", {"pick_neg_log_softmax", "pick_neg_log_softmax_batch"}},
      {"hinge", {"hinge", "hinge_batch"}},
      {"hinge_dim", {"hinge_dim"}},
      {"sparsemax", {"sparsemax"}},
      {"sparsemax_loss", {"sparsemax_loss"}},
      {"constrained_softmax", {"constrained_softmax"}},
      {"squared_norm", {"squared_norm"}},
      {"l2_norm", {"l2_norm"}},
      {"squared_distance", {"squared_distance"}},
      {"l1_distance", {"l1_distance"}},
      {"huber_distance", {"huber_distance"}},
      {"binary_log_loss", {"binary_log_loss"}},
      {"pairwise_rank_loss", {"pairwise_rank_loss"}},
      {"poisson_loss", {"poisson_loss"}},
      {"nobackprop", {"nobackprop"}},
      {"flip_gradient", {"flip_gradient"}},
      {"scale_gradient", {"scale_gradient"}},
      {"argmax", {"argmax"}},
      {"reshape", {"reshape"}},
      {"transpose", {"transpose", "transpose_dims"}},
      {"select_rows", {"select_rows"}},
      {"select_cols", {"select_cols"}},
      {"pick", {"pick", "pick_batch"}},
      {"pick_range, pickrange", {"pick_range"}},
      {"pick_batch_elem", {"pick_batch_elem"}},
      {"pick_batch_elems", {"pick_batch_elems"}},
      {"strided_select", {"strided_select"}},
      {"concatenate_to_batch", {"concatenate_to_batch"}},
      {"concatenate", {"concatenate"}},
      {"concatenate_cols", {"concatenate_cols"}},
      {"max_dim", {"max_dim"}},
      {"min_dim", {"min_dim"}},
      {"noise", {"noise"}},
      {"dropout", {"dropout"}},
      {"dropout_dim", {"dropout_dim"}},
      {"dropout_batch", {"dropout_batch"}},
      {"block_dropout", {"block_dropout"}},
      {"filter1d_narrow", {"filter1d_narrow"}},
      {"kmax_pooling", {"kmax_pooling"}},
      {"fold_rows", {"fold_rows"}},
      {"kmh_ngram", {"kmh_ngram"}},
      {"conv2d", {"conv2d", "conv2d_bias"}},
      {"maxpooling2d", {"maxpooling2d"}},
      {"contract3d_1d", {"contract3d_1d", "contract3d_1d_bias"}},
      {"contract3d_1d_1d", {"contract3d_1d_1d", "contract3d_1d_1d_bias"}},
      {"inverse", {"inverse"}},
      {"logdet", {"logdet"}},
      {"trace_of_product", {"trace_of_product"}},
      {"layer_norm", {"layer_norm"}},
      {"weight_norm", {"weight_norm"}},
      {"round", {"round"}},
      {"ceil", {"ceil"}},
      {"floor", {"floor"}},
      {"to_device", {}, "ToDevice"},
      {"vanilla_lstm_gates", {"vanilla_lstm_gates"}},
      {"vanilla_lstm_gates_concat", {"concatenate", "vanilla_lstm_gates"}, "VanillaLstmGatesConcat"},
      {"vanilla_lstm_gates_dropout", {"cmult", "vanilla_lstm_gates"}, "VanillaLstmGatesDropout"},
      {"vanilla_lstm_gates_dropout_concat",
       {"concatenate", "cmult", "vanilla_lstm_gates"},
       "VanillaLstmGatesDropoutConcat"},
      {"vanilla_lstm_c", {"vanilla_lstm_c"}},
      {"vanilla_lstm_h", {"vanilla_lstm_h"}},
  };
  return list;
}

const std::vector<HeaderOp>& header_ops() {
  static const auto all = [] {
    std::vector<HeaderOp> ops;
    const std::string list = repository_file("native/include/dynnet/dynnet.h");
    static const std::regex include(R"(#include "(dynnet/ops/\w+\.h)\")");
    for (std::sregex_iterator file(list.begin(), list.end(), include), end; file != end; ++file)
      add_ops(repository_file("native/include/" + (*file)[1].str()), ops);
    return ops;
  }();
  return all;
}

std::string repository_file(const std::string& path) {
  const std::ifstream file(DYNNET_ROOT "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << path;
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream rest(text);
  for (std::string line; std::getline(rest, line);) lines.push_back(line);
  return lines;
}

}  // namespace dynnet::test

// The table of DyNet's operations in src/docs/dynet-parity.md says what the engine's and the tests' tables say. With
// DYNNET_WRITE_PARITY set, the test writes it.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "ops/op.h"
#include "ops/op_table.h"

namespace dynnet::test {
namespace {

constexpr std::string_view kBegin = "<!-- operations: written by the native tests -->\n";
constexpr std::string_view kEnd = "<!-- end of operations -->\n";

struct Parity {
  std::string_view dynet;
  /// Ours, after dn_op_; nothing where `csharp` says which methods of C# do it.
  std::vector<std::string_view> ours;
  std::string_view csharp{};
};

// Every function of DyNet 2.1 that makes an expression.
const std::vector<Parity>& functions() {
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
      {"operator/", {"divide_scalar", "divide_into_scalar"}},
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
      {"vanilla_lstm_gates_concat", {}, "VanillaLstmGatesConcat"},
      {"vanilla_lstm_gates_dropout", {}, "VanillaLstmGatesDropout"},
      {"vanilla_lstm_gates_dropout_concat", {}, "VanillaLstmGatesDropoutConcat"},
      {"vanilla_lstm_c", {"vanilla_lstm_c"}},
      {"vanilla_lstm_h", {"vanilla_lstm_h"}},
  };
  return list;
}

std::string read(const std::string& path) {
  const std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << path;
  return text.str();
}

// The names that the operations have in C#, from the headers' comments.
std::map<std::string, std::string> csharp_names() {
  std::map<std::string, std::string> names;
  const std::string folder = DYNNET_ROOT "/native/include/dynnet/";
  const std::string all = read(folder + "dynnet.h");
  static const std::regex include(R"(#include "dynnet/(ops/\w+\.h)\")");
  for (std::sregex_iterator file(all.begin(), all.end(), include), end; file != end; ++file) {
    std::istringstream lines(read(folder + (*file)[1].str()));
    static const std::regex tag(R"(/// @op (\S+))");
    static const std::regex function(R"(DN_API dn_status dn_op_(\w+)\(.*)");
    std::string given;
    for (std::string line; std::getline(lines, line);) {
      std::smatch match;
      if (std::regex_match(line, match, tag)) given = match[1];
      if (!std::regex_match(line, match, function)) continue;
      std::string& name = names[match[1]];
      bool upper = true;
      for (const char c : match[1].str()) {
        if (c != '_') name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        upper = c == '_';
      }
      if (!given.empty()) name = given == "-" ? "C++ only" : given;
      given.clear();
    }
  }
  return names;
}

const OpDef* definition(std::string_view name) {
  for (size_t i = 0; i < static_cast<size_t>(Op::kCount); ++i)
    if (op_defs[i]->name == name) return op_defs[i];
  return nullptr;
}

std::string line_of(std::string_view dynet, std::string_view ours, const std::map<std::string, std::string>& csharp) {
  const OpDef& def = *definition(ours);
  const bool differentiated = def.backward != nullptr || def.trained;
  std::string line = "| " + std::string(dynet) + " | `dn_op_" + std::string(ours) + "` | `";
  line += csharp.at(std::string(ours)) + "` | " + (differentiated ? "checked" : "none flows");
  return line + " | yes | yes | no |\n";
}

std::string table() {
  const std::map<std::string, std::string> csharp = csharp_names();
  std::string text = "\n| DyNet | C | C# | gradient | batches | CPU | CUDA |\n|---|---|---|---|---|---|---|\n";
  std::set<std::string_view> listed;
  for (const Parity& p : functions()) {
    if (p.ours.empty())
      text += "| " + std::string(p.dynet) + " | | `" + std::string(p.csharp) + "` | checked | yes | yes | no |\n";
    for (const std::string_view ours : p.ours) {
      listed.insert(ours);
      text += line_of(p.dynet, ours, csharp);
    }
  }
  for (const OpRow& row : op_table())
    if (!listed.contains(row.name)) text += line_of("", row.name, csharp);
  return text + "\n";
}

TEST(Parity, EveryFunctionOfDyNetHasItsOperation) {
  for (const Parity& p : functions()) {
    EXPECT_NE(p.ours.empty(), p.csharp.empty()) << p.dynet;
    for (const std::string_view ours : p.ours) EXPECT_NE(definition(ours), nullptr) << p.dynet << ": dn_op_" << ours;
  }
}

TEST(Parity, DocumentSaysWhatTheTablesSay) {
  for (const Parity& p : functions())
    for (const std::string_view ours : p.ours) ASSERT_NE(definition(ours), nullptr) << ours;
  const std::string path = DYNNET_ROOT "/src/docs/dynet-parity.md";
  const std::string text = read(path);
  const size_t begin = text.find(kBegin);
  const size_t end = text.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end);
  const std::string expected = text.substr(0, begin) + std::string(kBegin) + table() + text.substr(end);
  if (std::getenv("DYNNET_WRITE_PARITY") != nullptr)
    std::ofstream(path) << expected;
  else
    EXPECT_EQ(text, expected) << "write it anew: DYNNET_WRITE_PARITY=1 dynnet_tests --gtest_filter=Parity.*";
}

}  // namespace
}  // namespace dynnet::test

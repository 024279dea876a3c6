// The table of DyNet's operations in src/docs/dynet-parity.md says what the engine's and the tests' tables say, and the
// headers document each operation. With DYNNET_WRITE_PARITY set, the test writes the table.
#include "ops/parity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ops/op.h"
#include "ops/op_table.h"

namespace dynnet::test {
namespace {

constexpr const char* kDocument = "src/docs/dynet-parity.md";
constexpr std::string_view kBegin = "<!-- operations: written by the native tests -->\n";
constexpr std::string_view kEnd = "<!-- end of operations -->\n";

// The cells of the table, each from what the tests do with the operation's row or from what the engine has.

std::string gradient_cell(std::string_view op) {
  switch (gradient_kind(op_row(op))) {
    case GradientKind::kNone:
      return "none flows";
    case GradientKind::kDifferences:
      return "checked";
    case GradientKind::kDefined:
      return "by definition";
  }
  return "";
}

std::string batching_cell(std::string_view op) {
  // The same test runs for all, and asks for what the row and the definition say.
  if (definition(op)->forward == nullptr) return "nothing to compute";
  const std::string_view never = op_row(op).never_batches;
  return never.empty() ? "yes" : "no: " + std::string(never);
}

// A device's kernels are in a folder of its own.
std::string device_cell(std::string_view, const char* folder) {
  return std::filesystem::is_directory(DYNNET_ROOT "/native/src/" + std::string(folder)) ? "yes" : "no";
}

// The cell of what is made of several operations: what they all have, or what each has.
std::string common_cell(const std::vector<std::string_view>& ops,
                        const std::function<std::string(std::string_view)>& cell) {
  if (ops.empty()) return "no node";
  std::set<std::string> cells;
  std::string each;
  for (const std::string_view op : ops) {
    cells.insert(cell(op));
    each += (each.empty() ? "" : ", ") + std::string(op) + ": " + cell(op);
  }
  return cells.size() == 1 ? *cells.begin() : each;
}

std::string line_of(std::string_view dynet, const std::vector<std::string_view>& ops, const std::string& csharp) {
  std::string line = "| " + std::string(dynet) + " | ";
  for (size_t i = 0; i < ops.size(); ++i) line += (i == 0 ? "`dn_op_" : ", `dn_op_") + std::string(ops[i]) + "`";
  line += (ops.empty() ? "| `" : " | `") + csharp + "` | " + common_cell(ops, gradient_cell) + " | ";
  line += common_cell(ops, batching_cell);
  for (const char* folder : {"cpu", "cuda"})
    line += " | " + common_cell(ops, [&](std::string_view op) { return device_cell(op, folder); });
  return line + " |\n";
}

std::string table() {
  std::map<std::string_view, std::string> csharp;
  for (const HeaderOp& op : header_ops()) csharp[op.name] = op.csharp;
  std::string text = "\n| DyNet | C | C# | gradient | batches | CPU | CUDA |\n|---|---|---|---|---|---|---|\n";
  std::set<std::string_view> listed;
  for (const Parity& p : parity_functions()) {
    if (!p.csharp.empty()) {
      text += line_of(p.dynet, p.ours, std::string(p.csharp));
      continue;
    }
    for (const std::string_view ours : p.ours) {
      listed.insert(ours);
      text += line_of(p.dynet, {ours}, csharp.at(ours));
    }
  }
  for (const OpRow& row : op_table())
    if (!listed.contains(row.name)) text += line_of("", {row.name}, csharp.at(row.name));
  return text + "\n";
}

TEST(Parity, EveryFunctionOfDyNetHasItsOperation) {
  for (const Parity& p : parity_functions()) {
    EXPECT_FALSE(p.ours.empty() && p.csharp.empty()) << p.dynet;
    for (const std::string_view ours : p.ours) EXPECT_NE(definition(ours), nullptr) << p.dynet << ": dn_op_" << ours;
  }
}

TEST(Parity, DocumentSaysWhatTheTablesSay) {
  for (const Parity& p : parity_functions())
    for (const std::string_view ours : p.ours) ASSERT_NE(definition(ours), nullptr) << ours;
  const std::string text = repository_file(kDocument);
  const size_t begin = text.find(kBegin);
  const size_t end = text.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end);
  const std::string expected = text.substr(0, begin) + std::string(kBegin) + table() + text.substr(end);
  if (std::getenv("DYNNET_WRITE_PARITY") != nullptr)
    std::ofstream(DYNNET_ROOT "/" + std::string(kDocument)) << expected;
  else
    EXPECT_EQ(text, expected) << "write it anew: ./build.sh parity";
}

// A parameter is documented by its tag, or by its name in what is said of the others. One letter that is a word says
// nothing.
bool names(const HeaderOp& op, const std::string& parameter) {
  if (std::regex_search(op.documentation, std::regex("@param " + parameter + " \\S"))) return true;
  return parameter != "a" && std::regex_search(op.documentation, std::regex("\\b" + parameter + "\\b"));
}

TEST(Headers, DocumentEachOperation) {
  ASSERT_EQ(header_ops().size(), op_table().size());
  for (const HeaderOp& op : header_ops()) {
    SCOPED_TRACE("dn_op_" + op.name);
    const std::string& text = op.documentation;
    EXPECT_TRUE(std::regex_search(text, std::regex(R"(^ [A-Za-z0-9][^@]{9,}\.)"))) << "what does it compute?";
    EXPECT_TRUE(std::regex_search(text, std::regex(R"(@returns \S)"))) << "which shape has the result?";
    ASSERT_GE(op.parameters.size(), 2u);
    EXPECT_EQ(op.parameters.front(), "graph");
    EXPECT_EQ(op.parameters.back(), "out");
    for (size_t i = 1; i + 1 < op.parameters.size(); ++i) {
      const std::string& parameter = op.parameters[i];
      // The count belongs to the list before it.
      EXPECT_TRUE(parameter == op.parameters[i - 1] + "_count" || names(op, parameter))
          << "what is " << parameter << "?";
    }
    static const std::regex tag(R"(@param (\w+))");
    for (std::sregex_iterator at(text.begin(), text.end(), tag), end; at != end; ++at)
      EXPECT_TRUE(std::count(op.parameters.begin(), op.parameters.end(), (*at)[1].str()) == 1)
          << "it has no parameter " << (*at)[1];
  }
}

}  // namespace
}  // namespace dynnet::test

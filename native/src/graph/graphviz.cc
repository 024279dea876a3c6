// The graph as a drawing, in Graphviz's language.
#include <algorithm>

#include "graph/graph.h"
#include "nn/model.h"

namespace dynnet {
namespace {

// Text between quotes.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string name_of(const Type& type) {
  if (type.object == nullptr) return {};
  if (is_parameter(type.op)) return static_cast<const dn_parameter*>(type.object)->name;
  return static_cast<const dn_lookup_parameter*>(type.object)->name;
}

}  // namespace

const std::string& Graph::graphviz() {
  constexpr uint32_t kMostNumbers = 4;
  const Recorded record = recorded();
  graphviz_ = "digraph {\n  rankdir=LR;\n  node [shape=box];\n";
  for (uint32_t i = 0; i < size(); ++i) {
    const Type& type = type_of(i);
    // A node that was folded has lent its operands to the next, which has it for its only one.
    const bool folded = is_folded(i);
    const bool folds = (nodes_[i].flags & Node::kFolds) != 0;
    std::string label = op_defs[static_cast<size_t>(folds ? type.activation : type.op)]->name;
    if (const std::string name = name_of(type); !name.empty()) label += " " + name;
    // The numbers of an input are its value.
    const bool has_indices = type.def->indexed || (type.span_count > 0 && (nodes_[i].flags & Node::kGiven) == 0);
    if (has_indices) {
      const uint32_t begin = nodes_[i].data;
      const uint32_t count = type.def->indexed ? 1 : record.data_end(i) - begin;
      for (uint32_t j = 0; j < std::min(count, kMostNumbers); ++j)
        label += format("%s%d", j == 0 ? " [" : ", ", static_cast<int32_t>(data_[begin + j]));
      if (count > 0) label += count > kMostNumbers ? ", ...]" : "]";
    }
    graphviz_ += format("  %u [label=%s];\n", i, quoted(format("%u: ", i) + label + " " + type.dim.text()).c_str());
    const uint32_t lender = folded ? i + 1 : i;
    const uint32_t begin = folds ? record.operands_end(i) : nodes_[lender].operands;
    const uint32_t end = folds ? begin + 1 : record.operands_end(lender);
    for (uint32_t j = begin; j < end; ++j) graphviz_ += format("  %u -> %u;\n", operands_[j], i);
  }
  return graphviz_ += "}\n";
}

}  // namespace dynnet

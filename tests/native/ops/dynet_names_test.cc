// Every public name of DyNet 2.1 is somewhere in src/docs/dynet-parity.md, with where it is found here or with why it
// is not. The names are facts, in dynet_names.tsv: header, class or -, name, number of overloads, by tabs apart. It has
// functions, classes and their methods, constructors under the name of their class, each method in the class that first
// declares it, and the fields that are options or counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "ops/parity.h"

namespace dynnet::test {
namespace {

struct Name {
  std::string header, owner, name;
  int overloads = 0;

  bool is_free() const { return owner == "-"; }
  bool is_constructor() const { return owner == name; }
};

const std::vector<Name>& dynet_names() {
  static const auto all = [] {
    std::vector<Name> list;
    for (const std::string& line : lines_of(repository_file("tests/native/ops/dynet_names.tsv"))) {
      Name& name = list.emplace_back();
      std::istringstream(line) >> name.header >> name.owner >> name.name >> name.overloads;
    }
    return list;
  }();
  return all;
}

// The rows of the document's tables of two columns.
struct Pair {
  std::string dynet, here;
};

std::vector<Pair> rows() {
  std::vector<Pair> list;
  for (const std::string& line : lines_of(repository_file("src/docs/dynet-parity.md"))) {
    static const std::regex row(R"(\| ([^|]*) \| ([^|]*) \|)");
    if (std::smatch match; std::regex_match(line, match, row) && match[1] != "DyNet")
      list.push_back({match[1], match[2]});
  }
  return list;
}

// The names in the rows: what stands in their first columns between backticks, and the functions of the first table.
std::set<std::string> listed() {
  std::set<std::string> list;
  for (const Pair& row : rows()) {
    static const std::regex quoted("`([^`]+)`");
    for (std::sregex_iterator at(row.dynet.begin(), row.dynet.end(), quoted), end; at != end; ++at)
      list.insert((*at)[1]);
  }
  for (const Parity& p : parity_functions()) {
    std::istringstream functions{std::string(p.dynet)};
    for (std::string name; std::getline(functions >> std::ws, name, ',');) list.insert(name);
  }
  return list;
}

// A row may name several at once: all of a class, all that begin or end alike.
bool matches(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.starts_with("operator") ? pattern.npos : pattern.find('*');
  if (star == pattern.npos) return name == pattern;
  const std::string_view begin = pattern.substr(0, star);
  const std::string_view end = pattern.substr(star + 1);
  return name.size() >= begin.size() + end.size() && name.starts_with(begin) && name.ends_with(end);
}

TEST(DyNetNames, AreRead) {
  EXPECT_GT(dynet_names().size(), 600u);
  for (const Name& name : dynet_names()) EXPECT_GE(name.overloads, 1) << name.header << " " << name.name;
  EXPECT_GT(rows().size(), 150u);
}

TEST(DyNetNames, AreAllInTheTables) {
  // The classes that have a method of a name. A row may leave the class out only if there is no other.
  std::map<std::string, std::set<std::string>> owners;
  for (const Name& name : dynet_names())
    if (!name.is_constructor()) owners[name.name].insert(name.owner);
  const std::set<std::string> patterns = listed();
  for (const Name& name : dynet_names()) {
    const bool is_plain = name.is_free() || name.is_constructor() || owners[name.name].size() == 1;
    const std::string whole = name.is_free() ? name.name : name.owner + "::" + name.name;
    EXPECT_TRUE(
        std::any_of(patterns.begin(), patterns.end(),
                    [&](const std::string& p) { return matches(whole, p) || (is_plain && matches(name.name, p)); }))
        << name.header << ": " << whole << " has no row in src/docs/dynet-parity.md";
  }
}

// What is not here says why.
TEST(DyNetNames, HaveAPlaceOrAReason) {
  for (const Pair& row : rows()) {
    static const std::regex none("none[^:]*: .{8,}");
    if (row.here.starts_with("none"))
      EXPECT_TRUE(std::regex_match(row.here, none)) << row.dynet << ": why?";
    else
      EXPECT_TRUE(std::regex_search(row.here, std::regex("`\\w|\\.NET"))) << row.dynet << ": where is it?";
  }
}

}  // namespace
}  // namespace dynnet::test

// The example of README.md, all that an operation takes, is what the sources have.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ops/parity.h"

namespace dynnet::test {
namespace {

// Lines that a file has one after the other, and lines that it must no longer have.
struct Change {
  std::string path, added;
  std::vector<std::string> removed;
};

std::vector<Change> changes() {
  std::vector<Change> list;
  std::string path;
  bool is_diff = false;
  bool goes_on = false;
  for (const std::string& line : lines_of(repository_file("README.md"))) {
    if (line.starts_with("```")) is_diff = line == "```diff";
    if (!is_diff || line.starts_with("```")) continue;
    if (line.starts_with(" ")) path = line.substr(1);
    const bool is_change = line.starts_with("+") || line.starts_with("-");
    if (is_change && !goes_on) list.push_back({path, "\n", {}});
    goes_on = is_change;
    if (line.starts_with("+")) list.back().added += line.substr(1) + "\n";
    if (line.starts_with("-")) list.back().removed.push_back("\n" + line.substr(1) + "\n");
  }
  return list;
}

TEST(Readme, ShowsAllOfAnOperation) {
  const std::vector<Change> all = changes();
  // Its definition, its place in the list, its declaration, its row, its formula.
  ASSERT_EQ(all.size(), 5u);
  for (const Change& change : all) {
    const std::string file = "\n" + repository_file(change.path);
    EXPECT_GT(change.added.size(), 10u) << change.path;
    EXPECT_NE(file.find(change.added), file.npos) << change.path << " has no" << change.added;
    for (const std::string& line : change.removed) EXPECT_EQ(file.find(line), file.npos) << change.path << line;
  }
}

}  // namespace
}  // namespace dynnet::test

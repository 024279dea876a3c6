// Each operation batches: independent nodes of one example with operands of their own run as one batch, forward and
// backward.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ops/compare.h"
#include "ops/op.h"
#include "ops/op_table.h"

namespace dynnet::test {
namespace {

constexpr int kTogether = 30;
constexpr int kInstances = 6;

// The example again, where what is a node's own rather than its type's is another.
Example varied(const Example& example, const OpDef& def, Draw& d, int instance) {
  Example own = example;
  if (!def.static_lists)
    for (int32_t& index : own.a.indices) index = static_cast<int32_t>(d.below(index + 1));
  if (def.data_words != 0 && own.a.indices.empty()) own.a.scalar *= 1 - instance / 64.0;
  for (float& value : own.values) value += static_cast<float>(instance) / 64;
  return own;
}

// One example applied to operands of their own, the weights the same for all.
std::vector<int> instances(Program& program, Draw& d, const OpRow& row) {
  const Example example = draw_example(row, d, program.world());
  std::vector<int> shared(example.x.size(), -1);
  std::vector<int> steps;
  for (int i = 0; i < kInstances; ++i) {
    std::vector<int> x;
    for (size_t j = 0; j < example.x.size() && !row.is_leaf(); ++j) {
      const Shape& shape = example.x[j];
      if (row.is_weight(j) && shared[j] < 0)
        shared[j] = shape.batch > 1
                        ? program.input(shape, d.values(shape, row.domain(j)))
                        : program.parameter(program.world().add_parameter(shape, d.values(shape, row.domain(j))));
      x.push_back(row.is_weight(j) ? shared[j] : program.input(shape, d.values(shape, row.domain(j))));
    }
    steps.push_back(program.add(row, varied(example, *definition(row.name), d, i), x));
  }
  return steps;
}

// One number of them all, by operations other than their own.
int loss_of(Program& program, Draw& d, const OpRow& row, const std::vector<int>& steps) {
  const bool takes_products = row.name != "dot_product" && row.name != "sum_batches" && row.name != "sum";
  std::vector<int> losses;
  for (const int step : steps) {
    const int finite = row.infinite ? program.add("exp", {step}) : step;
    const int other = program.input(program.shape(step), d.values(program.shape(step), Domain::kAny));
    const int each = program.add(takes_products ? "dot_product" : "squared_distance", {finite, other});
    losses.push_back(program.add(takes_products ? "sum_batches" : "mean_batches", {each}));
  }
  return program.add(takes_products ? "sum" : "average", losses);
}

std::string text(dn_status (*ask)(dn_graph*, const char**, int64_t*), dn_graph* graph) {
  const char* data = nullptr;
  int64_t length = 0;
  EXPECT_OK(ask(graph, &data, &length));
  return {data, static_cast<size_t>(length)};
}

struct Count {
  long long batches = 0, nodes = 0;
  bool operator==(const Count&) const = default;
};

// What a profile says of the backwards of an operation, whatever the shapes.
Count backward_count(dn_graph* graph, std::string_view op) {
  const std::string profile = text(dn_graph_profile, graph);
  Count count;
  for (size_t begin = 0; begin < profile.size(); begin = profile.find('\n', begin) + 1) {
    const std::string line = profile.substr(begin, profile.find('\n', begin) - begin);
    double milliseconds, share;
    long long batches, nodes, largest;
    int end = 0;
    if (std::sscanf(line.c_str(), "%lf %lf%% %lld %lld %lld %n", &milliseconds, &share, &batches, &nodes, &largest,
                    &end) != 5)
      continue;
    const std::string what = line.substr(static_cast<size_t>(end)) + " ";
    if (!what.starts_with("backward " + std::string(op) + " ")) continue;
    count.batches += batches;
    count.nodes += nodes;
  }
  return count;
}

// Nodes that equal others and were computed with them.
int64_t merged(dn_graph* graph) {
  const std::string report = text(dn_graph_batching_report, graph);
  const size_t at = report.find(" more nodes equal others");
  return at == std::string::npos ? 0 : std::stoll(report.substr(report.rfind('\n', at) + 1));
}

class Together : public testing::TestWithParam<std::string> {
 protected:
  const OpRow& row() const { return op_row(GetParam()); }
  const OpDef& def() const { return *definition(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(All, Together, testing::ValuesIn(op_names()), [](const auto& test) { return test.param; });

TEST_P(Together, RunForward) {
  int64_t several = 0;
  for (int i = 0; i < kTogether; ++i) {
    SCOPED_TRACE(i);
    Draw d(seed_of(GetParam()) + static_cast<uint64_t>(i));
    World world;
    Program program(world);
    instances(program, d, row());
    for (const bool batching : {true, false}) {
      const GraphHandle graph = new_graph();
      ASSERT_OK(dn_graph_set_batching(graph.get(), batching ? 1 : 0));
      const std::vector<dn_expr> exprs = program.record(graph.get());
      ASSERT_OK(dn_graph_forward(graph.get(), exprs.back()));
      dn_batch_stats stats;
      ASSERT_OK(dn_graph_batch_stats(graph.get(), &stats));
      const std::string report = text(dn_graph_batching_report, graph.get());
      // What has its value from when it is recorded has none to compute.
      const int64_t computed = def().forward == nullptr ? 0 : kInstances - merged(graph.get());
      EXPECT_TRUE(row().is_leaf() || computed == kInstances) << report;
      EXPECT_EQ(stats.nodes, computed) << report;
      if (computed > 1) ++several;
      const bool one = batching && row().never_batches.empty();
      EXPECT_EQ(stats.batches, one ? std::min<int64_t>(computed, 1) : computed) << report;
      EXPECT_EQ(stats.batched_nodes, one && computed > 1 ? computed : 0) << report;
    }
  }
  // What is the same wherever it is recorded is computed once.
  EXPECT_TRUE(def().forward == nullptr || (def().data_words == 0 && !def().random) || several > kTogether);
}

TEST_P(Together, RunBackward) {
  if (def().backward == nullptr) return;
  for (int i = 0; i < kTogether; ++i) {
    SCOPED_TRACE(i);
    Draw d(seed_of(GetParam()) + static_cast<uint64_t>(i));
    World world;
    Program program(world);
    loss_of(program, d, row(), instances(program, d, row()));
    for (const bool batching : {true, false}) {
      const GraphHandle graph = new_graph();
      ASSERT_OK(dn_graph_set_batching(graph.get(), batching ? 1 : 0));
      ASSERT_OK(dn_graph_set_profiling(graph.get(), 1));
      const std::vector<dn_expr> exprs = program.record(graph.get());
      ASSERT_OK(dn_graph_backward(graph.get(), exprs.back(), nullptr, 1));
      const bool one = batching && row().never_batches.empty();
      EXPECT_EQ(backward_count(graph.get(), row().name), (Count{one ? 1 : kInstances, kInstances}))
          << text(dn_graph_profile, graph.get());
    }
  }
}

TEST(OpTable, LetsHardlyAnythingRunAlone) {
  // Linear algebra, of which batches are matrices one after the other anyway.
  const std::set<std::string_view> may{"inverse", "logdet"};
  for (const OpRow& row : op_table())
    EXPECT_TRUE(row.never_batches.empty() || may.contains(row.name)) << row.name << ": " << row.never_batches;
}

}  // namespace
}  // namespace dynnet::test

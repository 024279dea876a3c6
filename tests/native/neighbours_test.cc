// Nodes whose first operand is another node's second: the gradients that meet there are the same bits on any number of
// threads.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

using Record = dn_expr (*)(dn_graph*, const std::vector<dn_expr>&);

template <dn_status (*operation)(dn_graph*, dn_expr, dn_expr, dn_expr*)>
dn_expr of_two(dn_graph* graph, const std::vector<dn_expr>& x) {
  return make(graph, operation, x[0], x[1]);
}

template <dn_status (*operation)(dn_graph*, const dn_expr*, int32_t, dn_expr*)>
dn_expr of_many(dn_graph* graph, const std::vector<dn_expr>& x) {
  return make(graph, operation, x.data(), static_cast<int32_t>(x.size()));
}

struct Case {
  const char* name;
  Record record;
  /// Operands that a node has.
  size_t operands;
  bool broadcasts;
};

const Case kCases[] = {
    {"add", of_two<dn_op_add>, 2, true},
    {"subtract", of_two<dn_op_subtract>, 2, true},
    {"cmult", of_two<dn_op_cmult>, 2, true},
    {"cdiv", of_two<dn_op_cdiv>, 2, true},
    {"min", of_two<dn_op_min>, 2, true},
    {"max", of_two<dn_op_max>, 2, true},
    {"squared_distance", of_two<dn_op_squared_distance>, 2, false},
    {"l1_distance", of_two<dn_op_l1_distance>, 2, false},
    {"dot_product", of_two<dn_op_dot_product>, 2, false},
    {"sum", of_many<dn_op_sum>, 3, true},
    {"average", of_many<dn_op_average>, 3, true},
    {"max_list", of_many<dn_op_max_list>, 3, true},
    {"logsumexp", of_many<dn_op_logsumexp>, 3, true},
    {"concatenate_cols", of_many<dn_op_concatenate_cols>, 3, false},
    {"layer_norm",
     [](dn_graph* graph, const std::vector<dn_expr>& x) { return make(graph, dn_op_layer_norm, x[0], x[1], x[2]); }, 3,
     false},
};

std::vector<Case> broadcasting() {
  std::vector<Case> cases;
  for (const Case& op : kCases)
    if (op.broadcasts) cases.push_back(op);
  return cases;
}

class Neighbours : public testing::TestWithParam<Case> {
 protected:
  void TearDown() override { EXPECT_OK(dn_device_set_threads(threads_)); }

  /// The gradients of all operands, each node having some that follow one another; with `broadcast` they are single
  /// numbers, but for each node's first operand, which is its own.
  static std::vector<float> gradients(int32_t threads, uint32_t size, int nodes, bool broadcast) {
    const Case& op = GetParam();
    EXPECT_OK(dn_device_set_threads(threads));
    const GraphHandle graph = new_graph();
    std::vector<dn_expr> inputs, whole, losses;
    for (int i = 0; i < nodes + static_cast<int>(op.operands); ++i) {
      const uint32_t n = broadcast ? 1 : size;
      inputs.push_back(input(graph, {n}, some_values(n, i)));
    }
    for (int t = 0; t < nodes; ++t) {
      std::vector<dn_expr> x(inputs.begin() + t, inputs.begin() + t + static_cast<int64_t>(op.operands));
      if (broadcast) x[0] = whole.emplace_back(input(graph, {size}, some_values(size, 1000 + t)));
      const dn_expr y = op.record(graph.get(), x);
      losses.push_back(make(graph, dn_op_sum_elems, make(graph, dn_op_tanh, y)));
    }
    const dn_expr loss = make(graph, dn_op_sum, losses.data(), static_cast<int32_t>(losses.size()));
    EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 1));
    std::vector<float> all;
    for (const std::vector<dn_expr>* of : {&inputs, &whole}) {
      for (const dn_expr x : *of) {
        const std::vector<float> one = gradient(graph, x);
        all.insert(all.end(), one.begin(), one.end());
      }
    }
    return all;
  }

  static void expect_same_bits(bool broadcast) {
    for (const auto& [size, nodes] : {std::pair<uint32_t, int>{4000, 64}, {500, 64}, {20000, 16}}) {
      const std::vector<float> alone = gradients(1, size, nodes, broadcast);
      const auto run = [&, size = size, nodes = nodes](int32_t threads) {
        const std::vector<float> together = gradients(threads, size, nodes, broadcast);
        EXPECT_TRUE(same_bits(together, alone)) << nodes << " nodes of " << size;
      };
      for (int i = 0; i < 3; ++i)
        for (const int32_t threads : {2, 4}) EXPECT_TRUE(until_shared([&] { run(threads); }));
    }
  }

 private:
  const int32_t threads_ = dn_device_threads();
};

TEST_P(Neighbours, GiveTheSameBitsOnAnyNumberOfThreads) { expect_same_bits(false); }

class BroadcastNeighbours : public Neighbours {};

TEST_P(BroadcastNeighbours, GiveTheSameBitsOnAnyNumberOfThreads) { expect_same_bits(true); }

const auto kName = [](const auto& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Operations, Neighbours, testing::ValuesIn(kCases), kName);
INSTANTIATE_TEST_SUITE_P(Operations, BroadcastNeighbours, testing::ValuesIn(broadcasting()), kName);

}  // namespace
}  // namespace dynnet::test

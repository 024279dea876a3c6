// A graph's profile: what it counts must be what the graph computed, in text and in the trace.
#include <gtest/gtest.h>

#include <string>

#include "graph_support.h"

namespace dynnet::test {
namespace {

class ProfileTest : public testing::Test {
 protected:
  // Sequences, one piece each, with a loss at their ends.
  dn_expr record(int sequences, int length) {
    std::vector<dn_expr> losses;
    for (int i = 0; i < sequences; ++i) {
      dn_expr h = input(graph_, {6}, some_values(6, i));
      for (int j = 0; j < length; ++j)
        h = make(graph_, dn_op_tanh, make(graph_, dn_op_multiply, make(graph_, dn_op_parameter, w_), h));
      losses.push_back(make(graph_, dn_op_pick_neg_log_softmax, h, i % 6));
    }
    return make(graph_, dn_op_sum, losses.data(), static_cast<int32_t>(losses.size()));
  }

  void run(dn_expr loss) {
    value(graph_, loss);
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
  }

  std::string text() {
    const char* data = nullptr;
    int64_t length = 0;
    EXPECT_OK(dn_graph_profile(graph_.get(), &data, &length));
    return {data, static_cast<size_t>(length)};
  }

  std::string trace() {
    const char* data = nullptr;
    int64_t length = 0;
    EXPECT_OK(dn_graph_profile_trace(graph_.get(), &data, &length));
    return {data, static_cast<size_t>(length)};
  }

  // Batches, nodes and the largest batch in the row of the text that ends as given.
  std::vector<long long> row(const std::string& end) {
    const std::string all = text();
    const size_t at = all.find(end + "\n");
    if (at == std::string::npos) return {};
    double milliseconds = -1, share = -1;
    std::vector<long long> numbers(3, -1);
    const size_t begin = all.rfind('\n', at) + 1;
    EXPECT_EQ(std::sscanf(all.c_str() + begin, "%lf %lf%% %lld %lld %lld", &milliseconds, &share, &numbers[0],
                          &numbers[1], &numbers[2]),
              5);
    EXPECT_GE(milliseconds, 0);
    EXPECT_LE(share, 100.1);
    return numbers;
  }

  static int count(const std::string& text, const std::string& part) {
    int found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  const ThreadsKept threads_kept_;
  GraphHandle graph_ = new_graph();
  ModelHandle model_ = new_model();
  dn_parameter* w_ = add(model_, {6, 6}, initializer(DN_INIT_GLOROT, 1));
};

using Counts = std::vector<long long>;

TEST_F(ProfileTest, CountsBatchesAndNodesOfForwardAndBackward) {
  ASSERT_OK(dn_device_set_threads(1));
  ASSERT_OK(dn_graph_set_profiling(graph_.get(), 1));
  constexpr int kRuns = 3;
  for (int i = 0; i < kRuns; ++i) {
    run(record(5, 4));
    EXPECT_OK(dn_graph_renew(graph_.get()));
  }
  EXPECT_EQ(row("forward tanh {6}"), (Counts{kRuns * 4, kRuns * 20, 5}));
  EXPECT_EQ(row("backward tanh {6}"), (Counts{kRuns * 4, kRuns * 20, 5}));
  EXPECT_EQ(row("forward multiply {6,6}, {6}"), (Counts{kRuns * 4, kRuns * 20, 5}));
  EXPECT_EQ(row("forward sum {1}, {1}, {1}, {1}, {1}"), (Counts{kRuns, kRuns, 1}));
  // One weight, used by four batches of each backward.
  EXPECT_EQ(row("parameters parameter"), (Counts{kRuns, kRuns * 4, 4}));
  EXPECT_EQ(row("plan "), (Counts{kRuns * 2, 0, 0}));
  const std::string events = trace();
  EXPECT_EQ(count(events, "\"cat\": \"forward\""), kRuns * (4 + 4 + 1 + 1));
  EXPECT_EQ(count(events, "\"name\": \"tanh {6}\""), kRuns * 8);
  EXPECT_EQ(count(events, "\"ph\": \"X\""), count(events, "\"dur\""));
  EXPECT_EQ(count(events, "\"tid\": 1"), 0);
}

TEST_F(ProfileTest, ShowsThePartsThatThreadsComputed) {
  ASSERT_OK(dn_device_set_threads(2));
  // A pool that another process held up rests for a while.
  EXPECT_TRUE(wait_until([&] {
    EXPECT_OK(dn_graph_renew(graph_.get()));
    EXPECT_OK(dn_graph_set_profiling(graph_.get(), 1));
    run(record(20, 6));
    return count(trace(), "\"tid\": 2") > 0;
  }));
  // Of each batch, each part has one of its own.
  EXPECT_EQ(row("forward tanh {6}"), (Counts{12, 120, 10}));
  EXPECT_EQ(count(trace(), "\"tid\": 2, "), count(trace(), "\"tid\": 1, "));
  const Counts waits = row("wait ");
  ASSERT_FALSE(waits.empty());
  EXPECT_GE(waits[0], 1);
}

TEST_F(ProfileTest, BeginsAndEnds) {
  const char* data = nullptr;
  int64_t length = 0;
  expect_failure(dn_graph_profile(graph_.get(), &data, &length), DN_E_STATE, {"profile", "none was begun"});
  ASSERT_OK(dn_graph_set_profiling(graph_.get(), 1));
  EXPECT_EQ(count(text(), "\n"), 2);
  EXPECT_EQ(count(trace(), "\"ph\""), 0);
  run(record(2, 2));
  EXPECT_GT(count(text(), "\n"), 2);
  // A new one knows nothing of the old.
  ASSERT_OK(dn_graph_set_profiling(graph_.get(), 1));
  EXPECT_EQ(count(text(), "\n"), 2);
  ASSERT_OK(dn_graph_set_profiling(graph_.get(), 0));
  expect_failure(dn_graph_profile_trace(graph_.get(), &data, &length), DN_E_STATE, {"profile", "none was begun"});
}

TEST_F(ProfileTest, OutlivesTheTypesOfItsGraph) {
  ASSERT_OK(dn_device_set_threads(1));
  ASSERT_OK(dn_graph_set_profiling(graph_.get(), 1));
  // So many shapes that the graph forgets its types now and then.
  constexpr int kShapes = 20000;
  for (uint32_t i = 1; i <= kShapes; ++i) {
    value(graph_, make(graph_, dn_op_square, constant(graph_, {i % 1000 + 1, i % 37 + 1}, 1)));
    EXPECT_OK(dn_graph_renew(graph_.get()));
  }
  EXPECT_EQ(row("forward square {1000,1}"), (Counts{1, 1, 1}));
}

}  // namespace
}  // namespace dynnet::test

// Handles and shorthands for tests of graphs through the C ABI.
#ifndef DYNNET_TESTS_GRAPH_SUPPORT_H_
#define DYNNET_TESTS_GRAPH_SUPPORT_H_

#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "model_support.h"
#include "parallel/parallel.h"

// Sanitizers keep freed memory and add their own, so what the process holds says nothing there; and they are slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DYNNET_SANITIZED 1
#else
#define DYNNET_SANITIZED 0
#endif

namespace dynnet::test {

using GraphHandle = std::unique_ptr<dn_graph, Freer<dn_graph_free>>;
using LstmHandle = std::unique_ptr<dn_lstm, Freer<dn_lstm_free>>;

inline GraphHandle new_graph(uint64_t seed = 1) {
  dn_graph* graph = nullptr;
  EXPECT_OK(dn_graph_create(seed, &graph));
  return GraphHandle(graph);
}

inline GradientsHandle new_gradients(const ModelHandle& model) {
  dn_gradients* set = nullptr;
  EXPECT_OK(dn_gradients_create(model.get(), &set));
  return GradientsHandle(set);
}

/// Records an operation that takes its operands one by one: make(graph, dn_op_tanh, x).
template <class Operation, class... Arguments>
dn_expr make(dn_graph* graph, Operation operation, Arguments... arguments) {
  dn_expr result{};
  EXPECT_OK(operation(graph, arguments..., &result));
  return result;
}

template <class Operation, class... Arguments>
dn_expr make(const GraphHandle& graph, Operation operation, Arguments... arguments) {
  return make(graph.get(), operation, arguments...);
}

/// Records an operation on any number of operands.
inline dn_expr make_of(dn_graph* graph, dn_status (*operation)(dn_graph*, const dn_expr*, int32_t, dn_expr*),
                       std::initializer_list<dn_expr> operands) {
  return make(graph, operation, operands.begin(), static_cast<int32_t>(operands.size()));
}

inline dn_expr input(dn_graph* graph, std::initializer_list<uint32_t> sizes, const std::vector<float>& values,
                     uint32_t batch = 1) {
  const dn_dim shape = dim(sizes, batch);
  return make(graph, dn_op_input, &shape, values.data(), static_cast<int64_t>(values.size()));
}

inline dn_expr input(const GraphHandle& graph, std::initializer_list<uint32_t> sizes, const std::vector<float>& values,
                     uint32_t batch = 1) {
  return input(graph.get(), sizes, values, batch);
}

inline dn_expr constant(dn_graph* graph, std::initializer_list<uint32_t> sizes, double value, uint32_t batch = 1) {
  const dn_dim shape = dim(sizes, batch);
  return make(graph, dn_op_constant, &shape, value);
}

inline dn_expr constant(const GraphHandle& graph, std::initializer_list<uint32_t> sizes, double value,
                        uint32_t batch = 1) {
  return constant(graph.get(), sizes, value, batch);
}

inline std::vector<float> value(dn_graph* graph, dn_expr x) {
  const float* data = nullptr;
  int64_t count = 0;
  EXPECT_OK(dn_graph_value(graph, x, &data, &count));
  return {data, data + count};
}

inline std::vector<float> value(const GraphHandle& graph, dn_expr x) { return value(graph.get(), x); }

inline float scalar(const GraphHandle& graph, dn_expr x) {
  float result = -1;
  EXPECT_OK(dn_graph_scalar_value(graph.get(), x, &result));
  return result;
}

inline std::vector<float> gradient(dn_graph* graph, dn_expr x) {
  const float* data = nullptr;
  int64_t count = 0;
  EXPECT_OK(dn_graph_gradient(graph, x, &data, &count));
  return {data, data + count};
}

inline std::vector<float> gradient(const GraphHandle& graph, dn_expr x) { return gradient(graph.get(), x); }

inline int64_t nodes_count(const GraphHandle& graph) {
  int64_t count = -1;
  EXPECT_OK(dn_graph_nodes_count(graph.get(), &count));
  return count;
}

/// Numbers that are all different and small.
inline std::vector<float> some_values(int64_t n, int seed = 1) {
  std::vector<float> values(static_cast<size_t>(n));
  uint32_t state = static_cast<uint32_t>(seed) * 2654435761u + 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / (1 << 24) - 0.5f;
  }
  return values;
}

inline dn_batch_stats stats(const GraphHandle& graph) {
  dn_batch_stats result{};
  EXPECT_OK(dn_graph_batch_stats(graph.get(), &result));
  return result;
}

inline std::string report(const GraphHandle& graph) {
  const char* text = nullptr;
  int64_t length = 0;
  EXPECT_OK(dn_graph_batching_report(graph.get(), &text, &length));
  return {text, static_cast<size_t>(length)};
}

/// Whether threads divided the latest forward among themselves.
inline bool is_divided(const GraphHandle& graph) {
  return report(graph).find("computed by several threads") != std::string::npos;
}

/// At the end of its life, the number of threads is again what it was.
class ThreadsKept {
 public:
  ThreadsKept() = default;
  ThreadsKept(const ThreadsKept&) = delete;
  ThreadsKept& operator=(const ThreadsKept&) = delete;
  ~ThreadsKept() { dn_device_set_threads(before_); }
  int32_t before() const { return before_; }

 private:
  const int32_t before_ = dn_device_threads();
};

/// Waits until a condition holds; false if it does not in a time that is ample.
inline bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Expects numbers that differ by the order of sums alone.
inline void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5 * (1 + std::abs(a[i]))) << "element " << i;
}

/// Computes until a second thread has had a part in it: a pool that another process held up leaves all to the caller
/// for a while. False if none ever had.
inline bool until_shared(const std::function<void()>& compute) {
  return wait_until([&] {
    const int64_t before = parallel::shares_done();
    compute();
    return parallel::shares_done() > before;
  });
}

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_GRAPH_SUPPORT_H_

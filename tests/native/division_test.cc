// Graphs of several examples, which threads divide among themselves: the same bits as alone, in values and gradients.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "graph_support.h"
#include "parallel/parallel.h"

namespace dynnet::test {
namespace {

// Sequences of different lengths through a recurrent network, a loss at each step.
class Division : public testing::Test {
 protected:
  static constexpr int32_t kRows = 7;
  static constexpr uint32_t kSize = 20;
  static constexpr uint32_t kLabels = 5;

  struct Example {
    int length;
    int seed;
    dn_expr h;
  };

  dn_expr weight(dn_parameter* parameter) { return make(graph_, dn_op_parameter, parameter); }

  void step(Example& example, int i) {
    const int32_t row = (example.seed * 5 + i * 3) % kRows;
    const dn_expr x = make(graph_, dn_op_lookup, table_, row);
    const dn_expr sum =
        make_of(graph_.get(), dn_op_affine_transform, {weight(b_), weight(w_), x, weight(u_), example.h});
    example.h = make(graph_, dn_op_tanh, sum);
    // Every other example draws a mask, so that random numbers are in the comparison too.
    if (example.seed % 2 == 0) example.h = make(graph_, dn_op_dropout, example.h, 0.25);
    steps_.push_back(example.h);
    losses_.push_back(make(graph_, dn_op_pick_neg_log_softmax, make(graph_, dn_op_multiply, weight(v_), example.h),
                           static_cast<int32_t>((example.seed + i) % kLabels)));
  }

  std::vector<Example> examples(int count) {
    std::vector<Example> all;
    for (int i = 0; i < count; ++i) all.push_back({5 + (i * 7) % 6, i, input(graph_, {kSize}, some_values(kSize, i))});
    return all;
  }

  // One example after the other, or all of them step by step.
  dn_expr record(int count, bool interleaved) {
    std::vector<Example> all = examples(count);
    if (interleaved) {
      for (int i = 0; i < 12; ++i)
        for (Example& example : all)
          if (i < example.length) step(example, i);
    } else {
      for (Example& example : all)
        for (int i = 0; i < example.length; ++i) step(example, i);
    }
    const dn_expr sum = make(graph_, dn_op_sum, losses_.data(), static_cast<int32_t>(losses_.size()));
    return make(graph_, dn_op_multiply_scalar, sum, 1.0 / count);
  }

  // Examples that all begin with one node.
  dn_expr record_from(dn_expr shared) {
    for (Example& example : examples(12)) {
      example.h = make(graph_, dn_op_add, example.h, shared);
      for (int i = 0; i < example.length; ++i) step(example, i);
    }
    return make(graph_, dn_op_sum, losses_.data(), static_cast<int32_t>(losses_.size()));
  }

  void new_record() {
    EXPECT_OK(dn_model_reset_gradients(model_.get()));
    steps_.clear();
    losses_.clear();
    graph_ = new_graph(3);
  }

  // All that a forward and a backward give: values, gradients of nodes, of parameters and of rows.
  std::vector<float> results(dn_expr loss) {
    std::vector<float> all = value(graph_, loss);
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, nullptr, 0));
    const auto append = [&](const std::vector<float>& more) { all.insert(all.end(), more.begin(), more.end()); };
    for (const dn_expr x : steps_) append(value(graph_, x));
    for (const dn_expr x : steps_) append(gradient(graph_, x));
    for (dn_parameter* parameter : {b_, w_, u_, v_}) append(gradient(parameter));
    for (int32_t row = 0; row < kRows; ++row) {
      std::vector<float> gradient(kSize);
      EXPECT_OK(dn_lookup_parameter_row_gradient(table_, row, gradient.data(), kSize));
      append(gradient);
    }
    return all;
  }

  // A pool that another process held up rests for a while, and graphs are computed alone.
  void record_divided(int count, bool interleaved, dn_expr* loss) {
    EXPECT_TRUE(wait_until([&] {
      new_record();
      *loss = record(count, interleaved);
      value(graph_, *loss);
      return is_divided(graph_);
    }));
  }

  const ThreadsKept threads_kept_;
  GraphHandle graph_ = new_graph(3);
  ModelHandle model_ = new_model();
  dn_lookup_parameter* table_ = add_table(model_, kRows, {kSize}, initializer(DN_INIT_UNIFORM, -1, 1));
  dn_parameter* b_ = add(model_, {kSize}, initializer(DN_INIT_UNIFORM, -1, 1));
  dn_parameter* w_ = add(model_, {kSize, kSize}, initializer(DN_INIT_GLOROT, 1));
  dn_parameter* u_ = add(model_, {kSize, kSize}, initializer(DN_INIT_GLOROT, 1));
  dn_parameter* v_ = add(model_, {kLabels, kSize}, initializer(DN_INIT_GLOROT, 1));
  std::vector<dn_expr> steps_;
  std::vector<dn_expr> losses_;
};

TEST_F(Division, GivesTheSameBitsAsOneThread) {
  for (const bool interleaved : {false, true}) {
    ASSERT_OK(dn_device_set_threads(1));
    new_record();
    const std::vector<float> alone = results(record(12, interleaved));
    EXPECT_FALSE(is_divided(graph_));
    for (const int32_t threads : {2, 3, 4}) {
      ASSERT_OK(dn_device_set_threads(threads));
      dn_expr loss{};
      record_divided(12, interleaved, &loss);
      EXPECT_EQ(results(loss), alone) << threads << " threads, " << (interleaved ? "interleaved" : "in order");
    }
  }
}

TEST_F(Division, HoldsForABackwardThatPlansAnew) {
  // Many values were asked for one by one, so that backward makes its own plan.
  const auto run = [&] {
    new_record();
    const dn_expr loss = record(12, false);
    for (size_t i = 0; i < steps_.size(); i += 10) value(graph_, steps_[i]);
    return results(loss);
  };
  ASSERT_OK(dn_device_set_threads(1));
  const std::vector<float> alone = run();
  ASSERT_OK(dn_device_set_threads(2));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run(), alone);
}

TEST_F(Division, TakesALossThatIsScaledAfterItWasRead) {
  const auto run = [&](int32_t threads) {
    EXPECT_OK(dn_device_set_threads(threads));
    new_record();
    const dn_expr loss = record(12, false);
    value(graph_, loss);
    return results(make(graph_, dn_op_multiply_scalar, loss, 0.5));
  };
  const std::vector<float> alone = run(1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run(2), alone);
}

TEST_F(Division, LeavesWhatHangsTogetherToOneThread) {
  ASSERT_OK(dn_device_set_threads(2));
  // A sequence is one piece, however long.
  Example long_one{200, 1, input(graph_, {kSize}, some_values(kSize))};
  for (int i = 0; i < long_one.length; ++i) step(long_one, i);
  value(graph_, make(graph_, dn_op_sum, losses_.data(), static_cast<int32_t>(losses_.size())));
  EXPECT_FALSE(is_divided(graph_));
  // So are examples that all use one computed node.
  new_record();
  value(graph_, record_from(make(graph_, dn_op_tanh, input(graph_, {kSize}, some_values(kSize)))));
  EXPECT_FALSE(is_divided(graph_));
}

TEST_F(Division, MayShareConstants) {
  const auto run = [&] {
    new_record();
    return results(record_from(constant(graph_, {kSize}, 0.5)));
  };
  ASSERT_OK(dn_device_set_threads(1));
  const std::vector<float> alone = run();
  ASSERT_OK(dn_device_set_threads(2));
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(run(), alone);
    return is_divided(graph_);
  }));
}

TEST_F(Division, HoldsWhereParametersAreUsedInOtherWaysToo) {
  // The gradient of a parameter that is added is not left to the end, nor is that of one made of parameters.
  const auto run = [&](int32_t threads, bool derived) {
    EXPECT_OK(dn_device_set_threads(threads));
    new_record();
    const dn_expr added = derived ? make(graph_, dn_op_square, weight(b_)) : weight(b_);
    const dn_expr matrix = derived ? make(graph_, dn_op_tanh, weight(w_)) : weight(w_);
    for (Example& example : examples(12)) {
      for (int i = 0; i < example.length; ++i) {
        step(example, i);
        example.h = make(graph_, dn_op_add, make(graph_, dn_op_multiply, matrix, example.h), added);
      }
    }
    return results(make(graph_, dn_op_sum, losses_.data(), static_cast<int32_t>(losses_.size())));
  };
  for (const bool derived : {false, true}) {
    const std::vector<float> alone = run(1, derived);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(run(2, derived), alone);
  }
}

// However low the limit is: what some threads have computed when one has no memory is forgotten with the rest, and the
// same graph goes on.
TEST_F(Division, FailsAsAWhole) {
  constexpr int kExamples = 12;
  constexpr int64_t kStep = DYNNET_SANITIZED ? 6000 : 4000;
  const LimitRestorer restore;
  ASSERT_OK(dn_device_set_threads(1));
  new_record();
  const std::vector<float> expected = results(record(kExamples, false));
  ASSERT_OK(dn_device_set_threads(2));
  std::map<std::string, int> failures;
  bool failed = true;
  for (int64_t room = 0; failed; room += kStep) {
    // A pool that another process held up rests for a while, and the graph is not divided.
    EXPECT_TRUE(wait_until([&] {
      new_record();
      const dn_expr loss = record(kExamples, false);
      EXPECT_OK(dn_memory_set_limit(dn_memory_used() + room + 1));
      const dn_status status = dn_graph_backward(graph_.get(), loss, nullptr, 0);
      const std::string message = last_error();
      EXPECT_OK(dn_memory_set_limit(0));
      failed = status != DN_OK;
      if (failed) {
        EXPECT_EQ(status, DN_E_MEMORY) << message;
      }
      EXPECT_OK(dn_model_reset_gradients(model_.get()));
      EXPECT_EQ(results(loss), expected) << "after a failure with room for " << room << " bytes";
      if (failed && is_divided(graph_)) ++failures[message.substr(0, message.find(':'))];
      return is_divided(graph_);
    }));
  }
  for (const char* what : {"a graph's values", "a thread's rows", "a graph's gradients", "a thread's scratch memory"})
    EXPECT_GT(failures[what], 0) << what;
}

}  // namespace
}  // namespace dynnet::test

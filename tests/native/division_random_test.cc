// Random graphs of several examples: whatever operations they are made of and however often they are computed, threads
// that divide them must give the numbers of one thread. (A zero may differ in its sign: see architecture.md.)
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

constexpr uint32_t kSize = 8;
constexpr int32_t kRows = 6;
constexpr int kKinds = 13;

/// One random program: rounds of recording, computing and reading, all that is read in a list.
class RandomExamples {
 public:
  explicit RandomExamples(int seed) : random_(static_cast<uint32_t>(seed)), model_(new_model(seed)) {
    const auto add_weights = [&](std::initializer_list<uint32_t> sizes) {
      parameters_.push_back(add(model_, sizes, initializer(DN_INIT_UNIFORM, -0.5, 0.5)));
      return parameters_.back();
    };
    for (dn_parameter*& w : w_) w = add_weights({kSize, kSize});
    for (dn_parameter*& b : b_) b = add_weights({kSize});
    wx_ = add_weights({4 * kSize, kSize});
    wh_ = add_weights({4 * kSize, kSize});
    gates_b_ = add_weights({4 * kSize});
    v_ = add_weights({5, kSize});
    for (dn_lookup_parameter*& table : tables_)
      table = add_table(model_, kRows, {kSize}, initializer(DN_INIT_UNIFORM, -0.5, 0.5));
  }

  std::vector<float> run() {
    for (int round = 0; round < 2; ++round) {
      EXPECT_OK(dn_graph_renew(graph_.get()));
      EXPECT_OK(dn_graph_set_profiling(graph_.get(), 1));
      const dn_expr loss = record();
      see(loss);
      forward_was_divided_ |= has_parts("forward");
      backwards(loss);
      backward_was_divided_ |= has_parts("backward");
      for (const dn_expr x : steps_)
        if (chance(3)) see(x);
      for (dn_parameter* parameter : parameters_) append(gradient(parameter));
      for (dn_lookup_parameter* table : tables_) {
        for (int32_t row = 0; row < kRows; ++row) {
          std::vector<float> values(kSize);
          EXPECT_OK(dn_lookup_parameter_row_gradient(table, row, values.data(), kSize));
          append(values);
        }
      }
    }
    return std::move(seen_);
  }

  bool forward_was_divided() const { return forward_was_divided_; }
  bool backward_was_divided() const { return backward_was_divided_; }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  bool chance(int one_in) { return below(one_in) == 0; }
  void append(const std::vector<float>& values) { seen_.insert(seen_.end(), values.begin(), values.end()); }
  void see(dn_expr x) { append(value(graph_, x)); }
  dn_expr weight(dn_parameter* parameter) { return make(graph_, dn_op_parameter, parameter); }
  dn_expr lookup(int table) { return make(graph_, dn_op_lookup, tables_[table], below(kRows)); }
  dn_expr affine(std::initializer_list<dn_expr> operands) {
    return make_of(graph_.get(), dn_op_affine_transform, operands);
  }

  bool has_parts(const std::string& phase) {
    const char* data = nullptr;
    int64_t length = 0;
    EXPECT_OK(dn_graph_profile_trace(graph_.get(), &data, &length));
    const std::string trace(data, static_cast<size_t>(length));
    for (size_t at = trace.find("\"tid\": 2"); at != std::string::npos; at = trace.find("\"tid\": 2", at + 1))
      if (trace.compare(trace.find("\"cat\": \"", at) + 8, phase.size(), phase) == 0) return true;
    return false;
  }

  dn_expr step(int kind, dn_expr h, dn_expr* c) {
    switch (kind) {
      case 0:
        return make(graph_, dn_op_tanh, affine({weight(b_[0]), weight(w_[0]), lookup(0), weight(w_[1]), h}));
      case 1:
        return make(graph_, dn_op_tanh, make(graph_, dn_op_multiply, weight(w_[2]), h));
      case 2: {
        const dn_expr gates =
            make(graph_, dn_op_vanilla_lstm_gates, lookup(1), h, weight(wx_), weight(wh_), weight(gates_b_));
        *c = make(graph_, dn_op_vanilla_lstm_c, *c, gates);
        return make(graph_, dn_op_vanilla_lstm_h, *c, gates);
      }
      case 3:
        return make(graph_, dn_op_dropout, h, 0.3);
      case 4:
        return make(graph_, dn_op_cmult, h, *c);
      case 5:
        return make(graph_, dn_op_softmax, h, 0);
      case 6:
        return make(graph_, dn_op_add, h, lookup(0));
      case 7: {
        const dn_expr columns = make_of(graph_.get(), dn_op_concatenate_cols, {h, *c});
        const dn_expr scores = make(graph_, dn_op_multiply, make(graph_, dn_op_transpose, columns), h);
        return make(graph_, dn_op_multiply, columns, make(graph_, dn_op_softmax, scores, 0));
      }
      case 8:
        // One weight in two places of a node.
        return affine({weight(b_[1]), weight(w_[0]), *c, weight(w_[0]), h});
      case 9: {
        const dn_expr low = make(graph_, dn_op_pick_range, h, 0, 4, 0);
        const dn_expr high = make(graph_, dn_op_pick_range, h, 4, 8, 0);
        const dn_expr parts[] = {high, low};
        return make(graph_, dn_op_concatenate, parts, 2, 0);
      }
      case 10: {
        const int32_t rows[] = {below(kRows), below(kRows), below(kRows)};
        const dn_expr x = make(graph_, dn_op_lookup_batch, tables_[0], rows, 3);
        const dn_expr y = affine({weight(b_[0]), weight(w_[1]), x});
        return make(graph_, dn_op_add, h, make(graph_, dn_op_sum_batches, y));
      }
      case 11: {
        const dn_expr gates = make(graph_, dn_op_vanilla_lstm_gates, *c, h, weight(wx_), weight(wx_), weight(gates_b_));
        return make(graph_, dn_op_vanilla_lstm_h, *c, gates);
      }
      default:
        return make(graph_, dn_op_logistic, h);
    }
  }

  // Examples of different lengths that go through one pattern of operations, so that much runs together.
  dn_expr record() {
    steps_.clear();
    losses_.clear();
    inputs_.clear();
    int pattern[8];
    for (int& kind : pattern) kind = below(kKinds);
    const int period = 2 + below(7);
    const int examples = 4 + below(12);
    for (int e = 0; e < examples; ++e) {
      inputs_.push_back(input(graph_, {kSize}, some_values(kSize, below(1000))));
      dn_expr h = make(graph_, dn_op_add, inputs_.back(), lookup(0));
      dn_expr c = h;
      const int length = (3 + below(6)) * period / 2;
      for (int i = 0; i < length; ++i) {
        const dn_expr next = step(chance(10) ? below(kKinds) : pattern[i % period], h, &c);
        if (chance(4)) c = h;
        h = next;
        steps_.push_back(h);
        if (chance(3)) {
          const dn_expr scores = make(graph_, dn_op_multiply, weight(v_), h);
          losses_.push_back(make(graph_, dn_op_pick_neg_log_softmax, scores, below(5)));
        }
      }
      losses_.push_back(make(graph_, dn_op_sum_elems, make(graph_, dn_op_square, h)));
      if (chance(30)) see(steps_[static_cast<size_t>(below(static_cast<int>(steps_.size())))]);
    }
    return make(graph_, dn_op_sum, losses_.data(), static_cast<int32_t>(losses_.size()));
  }

  template <class List>
  const auto& any(const List& list) {
    return list[static_cast<size_t>(below(static_cast<int>(list.size())))];
  }

  void backwards(dn_expr loss) {
    if (chance(3)) loss = make(graph_, dn_op_multiply_scalar, loss, 0.25);
    const bool reverts = chance(3);
    if (reverts) {
      EXPECT_OK(dn_graph_checkpoint(graph_.get()));
    }
    const int times = 1 + below(3);
    for (int i = 0; i < times; ++i) {
      dn_expr from = i == 0 ? loss : any(losses_);
      if (chance(4)) from = make(graph_, dn_op_square, from);
      EXPECT_OK(dn_graph_backward(graph_.get(), from, nullptr, 0));
      for (int j = 0; j < 5; ++j) append(gradient(graph_, any(steps_)));
      if (chance(4)) append(gradient(graph_, weight(w_[1])));
      if (reverts && chance(2)) {
        EXPECT_OK(dn_graph_revert(graph_.get()));
        EXPECT_OK(dn_graph_checkpoint(graph_.get()));
        see(any(losses_));
      }
      if (chance(3)) {
        const std::vector<float> values(kSize, 0.3f);
        EXPECT_OK(dn_graph_set_input(graph_.get(), any(inputs_), values.data(), kSize));
        EXPECT_OK(dn_graph_forward(graph_.get(), losses_.back()));
      }
    }
  }

  std::mt19937 random_;
  ModelHandle model_;
  GraphHandle graph_ = new_graph(5);
  std::vector<dn_parameter*> parameters_;
  dn_parameter* w_[3];
  dn_parameter* b_[2];
  dn_parameter *wx_, *wh_, *gates_b_, *v_;
  dn_lookup_parameter* tables_[2];
  std::vector<dn_expr> steps_, losses_, inputs_;
  std::vector<float> seen_;
  bool forward_was_divided_ = false;
  bool backward_was_divided_ = false;
};

TEST(DivisionRandom, ExamplesAreTheSameForAnyNumberOfThreads) {
  const ThreadsKept threads_kept;
  constexpr int kPrograms = DYNNET_SANITIZED ? 30 : 300;
  constexpr int kMostRests = 200;
  int forwards = 0, backwards = 0, rests = 0;
  for (int seed = 0; seed < kPrograms; ++seed) {
    ASSERT_OK(dn_device_set_threads(1));
    const std::vector<float> alone = RandomExamples(seed).run();
    for (const int32_t threads : {2, 4}) {
      ASSERT_OK(dn_device_set_threads(threads));
      // Threads rest for a while where other processes hold the processors; then once more.
      bool forward = false, backward = false;
      for (int attempt = 0; attempt < 3 && !forward; ++attempt) {
        if (attempt > 0 && rests++ < kMostRests) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        RandomExamples examples(seed);
        EXPECT_EQ(examples.run(), alone) << "seed " << seed << ", " << threads << " threads";
        forward |= examples.forward_was_divided();
        backward |= examples.backward_was_divided();
      }
      forwards += forward;
      backwards += backward;
    }
  }
  EXPECT_GE(forwards, kPrograms);
  EXPECT_GE(backwards, kPrograms);
}

}  // namespace
}  // namespace dynnet::test

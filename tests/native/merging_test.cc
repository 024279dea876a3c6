// Nodes that compute the same are computed once: the same values and gradients as each on its own.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph_support.h"

namespace dynnet::test {
namespace {

// Words, letter by letter, through a recurrent network; the loss of a word is read from its end.
class Merging : public testing::Test {
 protected:
  static constexpr uint32_t kSize = 20;
  static constexpr uint32_t kLabels = 5;

  dn_expr weight(dn_parameter* parameter) { return make(graph_, dn_op_parameter, parameter); }

  dn_expr lookup(char letter) { return make(graph_, dn_op_lookup, table_, letter - 'a'); }

  // Each step's state; the first is the initial one, a constant.
  std::vector<dn_expr> read(const std::string& word, double dropout = 0) {
    std::vector<dn_expr> states{constant(graph_, {kSize}, 0)};
    for (const char letter : word) {
      const dn_expr sum = make_of(graph_.get(), dn_op_affine_transform,
                                  {weight(b_), weight(w_), lookup(letter), weight(u_), states.back()});
      dn_expr h = make(graph_, dn_op_tanh, sum);
      if (dropout > 0) h = make(graph_, dn_op_dropout, h, dropout);
      states.push_back(h);
    }
    return states;
  }

  // @param shared whether a row that was looked up before all words is part of each word's end
  dn_expr record(const std::vector<std::string>& words, double dropout = 0, bool shared = false) {
    EXPECT_OK(dn_graph_renew(graph_.get()));
    for (dn_parameter* parameter : {w_, u_, v_, b_}) weight(parameter);
    nodes_.clear();
    std::vector<dn_expr> losses;
    const dn_expr row = lookup('a');
    for (const std::string& word : words) {
      const std::vector<dn_expr> states = read(word, dropout);
      nodes_.insert(nodes_.end(), states.begin() + 1, states.end());
      const auto label = static_cast<int32_t>(losses.size() % kLabels);
      const dn_expr end = shared ? make(graph_, dn_op_cmult, row, states.back()) : states.back();
      losses.push_back(make(graph_, dn_op_pick_neg_log_softmax, make(graph_, dn_op_multiply, weight(v_), end), label));
    }
    return make(graph_, dn_op_sum, losses.data(), static_cast<int32_t>(losses.size()));
  }

  struct Result {
    std::vector<float> losses, gradients;
  };
  // The loss and the gradients of all parameters of one backward.
  Result run(dn_expr loss) {
    EXPECT_OK(dn_gradients_reset(gradients_.get()));
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, gradients_.get(), 0));
    Result result{{scalar(graph_, loss)}, {}};
    for (dn_parameter* parameter : {w_, u_, v_, b_}) {
      const float* values = nullptr;
      int64_t count = 0;
      EXPECT_OK(dn_gradients_parameter(gradients_.get(), parameter, &values, &count));
      result.gradients.insert(result.gradients.end(), values, values + count);
    }
    for (int64_t row = 0; row < 26; ++row) {
      std::vector<float> values(kSize);
      EXPECT_OK(dn_gradients_lookup_row(gradients_.get(), table_, row, values.data(), kSize));
      result.gradients.insert(result.gradients.end(), values.begin(), values.end());
    }
    return result;
  }

  const std::vector<std::string> words_{"abcde", "abcxy", "abc", "zbcde", "abcde", "abq", "q", "abcxyz", "zbc", "a"};
  const ThreadsKept threads_kept_;
  ModelHandle model_ = new_model();
  dn_lookup_parameter* table_ = add_table(model_, 26, {kSize}, values_of(some_values(26 * kSize, 9)), "E");
  dn_parameter* w_ = add(model_, {kSize, kSize}, values_of(some_values(kSize* kSize, 4)), "W");
  dn_parameter* u_ = add(model_, {kSize, kSize}, values_of(some_values(kSize* kSize, 5)), "U");
  dn_parameter* v_ = add(model_, {kLabels, kSize}, values_of(some_values(kLabels* kSize, 6)), "V");
  dn_parameter* b_ = add(model_, {kSize}, values_of(some_values(kSize, 3)), "b");
  GradientsHandle gradients_ = new_gradients(model_);
  GraphHandle graph_ = new_graph();
  std::vector<dn_expr> nodes_;
};

TEST_F(Merging, BeginningsOfWordsAreComputedOnce) {
  const dn_expr loss = record(words_);
  EXPECT_OK(dn_graph_forward(graph_.get(), loss));
  const std::string text = report(graph_);
  // Beside the four weights the sums have no nodes of their own in the plan, one for each of 37 letters.
  const int64_t merged = nodes_count(graph_) - 4 - 37 - stats(graph_).nodes;
  EXPECT_NE(text.find(std::to_string(merged) + " more nodes equal others"), std::string::npos) << text;
  // Of 37 letters the different beginnings: a ab abc abcd abcde abcx abcxy abcxyz abq q z zb zbc zbcd zbcde.
  EXPECT_NE(text.find("-> {20}: 15 nodes in"), std::string::npos) << text;
  // "abcde" has one product for both its losses.
  EXPECT_NE(text.find("-> {5}: 9 nodes in"), std::string::npos) << text;
  EXPECT_NE(text.find("-> {1}: 10 nodes in"), std::string::npos) << text;
}

TEST_F(Merging, ValuesAreTheSameBits) {
  const dn_expr loss = record(words_);
  EXPECT_OK(dn_graph_forward(graph_.get(), loss));
  std::vector<std::vector<float>> merged;
  for (const dn_expr& node : nodes_) merged.push_back(value(graph_, node));
  EXPECT_OK(dn_graph_set_batching(graph_.get(), 0));
  EXPECT_OK(dn_graph_forward(graph_.get(), loss));
  for (size_t i = 0; i < nodes_.size(); ++i) EXPECT_EQ(value(graph_, nodes_[i]), merged[i]) << i;
}

TEST_F(Merging, GradientsOfParametersAreTheSame) {
  const Result merged = run(record(words_));
  EXPECT_OK(dn_graph_set_batching(graph_.get(), 0));
  const Result alone = run(record(words_));
  EXPECT_EQ(merged.losses, alone.losses);
  expect_near(merged.gradients, alone.gradients);
}

TEST_F(Merging, EachNodeHasItsOwnGradient) {
  run(record(words_));
  std::vector<std::vector<float>> merged;
  for (const dn_expr& node : nodes_) merged.push_back(gradient(graph_, node));
  EXPECT_OK(dn_graph_set_batching(graph_.get(), 0));
  run(record(words_));
  for (size_t i = 0; i < nodes_.size(); ++i) expect_near(gradient(graph_, nodes_[i]), merged[i]);
}

TEST_F(Merging, FullGradientsAreOfEachNode) {
  const auto gradients = [&] {
    const dn_expr loss = record(words_);
    EXPECT_OK(dn_graph_backward(graph_.get(), loss, gradients_.get(), 1));
    std::vector<std::vector<float>> result;
    for (const dn_expr& node : nodes_) result.push_back(gradient(graph_, node));
    return result;
  };
  const auto merged = gradients();
  EXPECT_OK(dn_graph_set_batching(graph_.get(), 0));
  const auto alone = gradients();
  for (size_t i = 0; i < alone.size(); ++i) expect_near(merged[i], alone[i]);
}

// With and without a node that is computed for others and used by all examples, so that they cannot be divided.
TEST_F(Merging, ThreadsChangeNoBit) {
  std::vector<std::string> words;
  for (int i = 0; i < 8; ++i)
    for (const std::string& word : words_) words.push_back(word + static_cast<char>('a' + i) + word);
  for (const bool shared : {false, true}) {
    EXPECT_OK(dn_device_set_threads(1));
    const Result alone = run(record(words, 0, shared));
    EXPECT_GT(nodes_count(graph_) - stats(graph_).nodes, 200);
    for (const int threads : {2, 3}) {
      EXPECT_OK(dn_device_set_threads(threads));
      const auto divides = [&] {
        const dn_expr loss = record(words, 0, shared);
        scalar(graph_, loss);
        return is_divided(graph_);
      };
      // A pool that another process held up rests for a while, and graphs are computed alone.
      if (shared)
        EXPECT_FALSE(divides());
      else
        EXPECT_TRUE(wait_until(divides));
      for (int i = 0; i < 5; ++i) {
        const Result divided = run(record(words, 0, shared));
        EXPECT_EQ(divided.losses, alone.losses);
        EXPECT_EQ(divided.gradients, alone.gradients) << threads;
      }
    }
  }
}

TEST_F(Merging, GradientsOutliveALaterIncrementalForward) {
  run(record(words_));
  dn_expr more = nodes_[0];
  for (int i = 0; i < 40; ++i) more = make(graph_, dn_op_tanh, more);
  value(graph_, more);
  const std::vector<float> after = gradient(graph_, nodes_[0]);
  EXPECT_OK(dn_graph_set_batching(graph_.get(), 0));
  run(record(words_));
  expect_near(gradient(graph_, nodes_[0]), after);
}

TEST_F(Merging, GradientsOfEqualNodesEndWithAnUpdate) {
  run(record(words_));
  const TrainerHandle trainer = new_sgd(model_);
  EXPECT_OK(dn_trainer_update_from(trainer.get(), std::vector<dn_gradients*>{gradients_.get()}.data(), 1));
  const float* data = nullptr;
  int64_t count = 0;
  expect_failure(dn_graph_gradient(graph_.get(), nodes_[0], &data, &count), DN_E_STATE, {"parameters have changed"});
}

TEST_F(Merging, WhatLeadsToNoParameterHasNoGradient) {
  EXPECT_OK(dn_graph_renew(graph_.get()));
  const std::vector<dn_expr> first = read("abc"), second = read("abc");
  run(make(graph_, dn_op_sum_elems, make(graph_, dn_op_add, first.back(), second.back())));
  const float* data = nullptr;
  int64_t count = 0;
  expect_failure(dn_graph_gradient(graph_.get(), first[0], &data, &count), DN_E_STATE, {"no path to a parameter"});
}

TEST_F(Merging, AfterARevertEqualNodesAreFoundAnew) {
  EXPECT_OK(dn_graph_renew(graph_.get()));
  const std::vector<float> once = value(graph_, read("abc").back());
  EXPECT_OK(dn_graph_checkpoint(graph_.get()));
  value(graph_, make(graph_, dn_op_add, read("abc").back(), read("abq").back()));
  EXPECT_OK(dn_graph_revert(graph_.get()));
  const dn_expr a = read("abc").back(), b = read("abc").back();
  value(graph_, make(graph_, dn_op_add, a, b));
  EXPECT_EQ(value(graph_, a), once);
  EXPECT_EQ(value(graph_, b), once);
}

TEST_F(Merging, RandomNodesAreEachTheirOwn) {
  const dn_expr loss = record({"abc", "abc", "abc", "abc"}, 0.5);
  EXPECT_OK(dn_graph_forward(graph_.get(), loss));
  // The first masks differ, so all that follows does.
  EXPECT_NE(value(graph_, nodes_[0]), value(graph_, nodes_[3]));
}

TEST_F(Merging, TheExpressionItselfMayEqualAnother) {
  record({"abcd"});
  const auto end = [&] { return make(graph_, dn_op_sum_elems, read("abcd").back()); };
  const dn_expr first = end(), second = end();
  const Result of_second = run(second);
  const std::vector<float> own = gradient(graph_, second);
  EXPECT_EQ(own, std::vector<float>{1});
  EXPECT_EQ(gradient(graph_, first), std::vector<float>{0});
  EXPECT_OK(dn_graph_set_batching(graph_.get(), 0));
  record({"abcd"});
  expect_near(run(end()).gradients, of_second.gradients);
}

TEST_F(Merging, IndicesMayBeSetAnew) {
  EXPECT_OK(dn_graph_renew(graph_.get()));
  const dn_expr a = lookup('a'), b = lookup('a');
  const dn_expr both = make_of(graph_.get(), dn_op_sum, {make(graph_, dn_op_exp, a), make(graph_, dn_op_exp, b)});
  const std::vector<float> twice = value(graph_, both);
  EXPECT_EQ(stats(graph_).nodes, 3);
  const int32_t other = 7;
  EXPECT_OK(dn_graph_set_indices(graph_.get(), b, &other, 1));
  EXPECT_OK(dn_graph_forward(graph_.get(), both));
  EXPECT_NE(value(graph_, both), twice);
  EXPECT_NE(value(graph_, a), value(graph_, b));
}

}  // namespace
}  // namespace dynnet::test

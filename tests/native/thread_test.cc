// One model and many threads: the bits of one thread, whoever computes them; and errors where calls must not meet.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "graph_support.h"

namespace dynnet::test {
namespace {

// A sentence classifier: lookups, an LSTM, a softmax. Weights are used by products that read packed copies.
class Classifier {
 public:
  explicit Classifier(uint32_t hidden) : model_(new_model(3)), hidden_(hidden) {
    table_ = add_table(model_, kWords, {hidden}, initializer(DN_INIT_UNIFORM, -1, 1));
    wx_ = add(model_, {4 * hidden, hidden}, initializer(DN_INIT_GLOROT, 1));
    wh_ = add(model_, {4 * hidden, hidden}, initializer(DN_INIT_GLOROT, 1));
    b_ = add(model_, {4 * hidden}, initializer(DN_INIT_CONSTANT, 0.1));
    v_ = add(model_, {5, hidden}, initializer(DN_INIT_GLOROT, 1));
  }

  dn_expr loss(dn_graph* graph, int example) const {
    const dn_expr wx = make(graph, dn_op_parameter, wx_);
    const dn_expr wh = make(graph, dn_op_parameter, wh_);
    const dn_expr b = make(graph, dn_op_parameter, b_);
    dn_expr h = constant(graph, {hidden_}, 0);
    dn_expr c = h;
    for (int i = 0; i < 3 + example % 5; ++i) {
      const dn_expr x = make(graph, dn_op_lookup, table_, (example * 7 + i * 3) % kWords);
      const dn_expr gates = make(graph, dn_op_vanilla_lstm_gates, x, h, wx, wh, b);
      c = make(graph, dn_op_vanilla_lstm_c, c, gates);
      h = make(graph, dn_op_vanilla_lstm_h, c, gates);
    }
    const dn_expr scores = make(graph, dn_op_multiply, make(graph, dn_op_parameter, v_), h);
    return make(graph, dn_op_pick_neg_log_softmax, scores, example % 5);
  }

  // The sum of the losses of several examples, which are batched.
  dn_expr losses(dn_graph* graph, int first, int count) const {
    std::vector<dn_expr> all;
    for (int i = 0; i < count; ++i) all.push_back(loss(graph, first + i));
    return make(graph, dn_op_sum, all.data(), count);
  }

  std::vector<float> weights() const {
    std::vector<float> all = values(table_);
    for (const dn_parameter* parameter : {wx_, wh_, b_, v_}) {
      const std::vector<float> one = values(parameter);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  std::vector<float> gradients() const {
    std::vector<float> all;
    for (dn_parameter* parameter : {wx_, wh_, b_, v_}) {
      const std::vector<float> one = gradient(parameter);
      all.insert(all.end(), one.begin(), one.end());
    }
    for (int64_t row = 0; row < kWords; ++row) {
      const std::vector<float> one = row_gradient(table_, row);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  const ModelHandle& model() const { return model_; }
  dn_parameter* wx() const { return wx_; }

 private:
  static constexpr int kWords = 20;
  ModelHandle model_;
  uint32_t hidden_;
  dn_lookup_parameter* table_;
  dn_parameter* wx_;
  dn_parameter* wh_;
  dn_parameter* b_;
  dn_parameter* v_;
};

TEST(Threads, ForwardInManyGraphsGivesTheSequentialBits) {
  const Classifier classifier(24);
  constexpr int kExamples = 40;
  std::vector<std::vector<float>> alone;
  for (int i = 0; i < kExamples; ++i) {
    const GraphHandle graph = new_graph();
    alone.push_back(value(graph, classifier.losses(graph.get(), i, 3)));
  }
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      const GraphHandle graph = new_graph();
      for (int i = 0; i < kExamples; ++i) {
        const int example = (i + t * 7) % kExamples;
        EXPECT_OK(dn_graph_renew(graph.get()));
        const std::vector<float> here = value(graph, classifier.losses(graph.get(), example, 3));
        if (!same_bits(here, alone[static_cast<size_t>(example)])) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// Trains with workers, each with a gradient set of its own.
std::vector<float> train_with_workers(int workers, bool in_threads) {
  const Classifier classifier(16);
  const TrainerHandle trainer = new_sgd(classifier.model());
  std::vector<GradientsHandle> own;
  std::vector<dn_gradients*> sets;
  for (int i = 0; i < workers; ++i) {
    own.push_back(new_gradients(classifier.model()));
    sets.push_back(own.back().get());
  }
  for (int step = 0; step < 5; ++step) {
    auto work = [&](int worker) {
      const GraphHandle graph = new_graph();
      for (int i = 0; i < 3; ++i) {
        EXPECT_OK(dn_graph_renew(graph.get()));
        const dn_expr loss = classifier.losses(graph.get(), step * 31 + worker * 5 + i, 4);
        EXPECT_OK(dn_graph_backward(graph.get(), loss, sets[static_cast<size_t>(worker)], 0));
      }
    };
    std::vector<std::thread> threads;
    for (int worker = 0; worker < workers; ++worker) {
      if (in_threads)
        threads.emplace_back(work, worker);
      else
        work(worker);
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_OK(dn_trainer_update_from(trainer.get(), sets.data(), workers));
  }
  return classifier.weights();
}

TEST(Threads, GradientSetsMergedInOrderGiveTheSameBits) {
  const std::vector<float> alone = train_with_workers(4, false);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(train_with_workers(4, true), alone));
}

TEST(Threads, BackwardsIntoOneModelAreBusy) {
  const Classifier classifier(64);
  const GraphHandle first = new_graph();
  const GraphHandle second = new_graph();
  const dn_expr large = classifier.losses(first.get(), 0, DYNNET_SANITIZED ? 30 : 100);
  const dn_expr small = classifier.loss(second.get(), 0);
  EXPECT_OK(dn_graph_forward(first.get(), large));
  EXPECT_OK(dn_graph_forward(second.get(), small));
  EXPECT_OK(dn_graph_backward(second.get(), small, nullptr, 0));
  const std::vector<float> of_small = gradient(classifier.wx());
  EXPECT_OK(dn_model_reset_gradients(classifier.model().get()));

  // One thread differentiates again and again; the other, sooner or later, meets it.
  std::atomic<bool> done{false};
  std::atomic<int> strange{0};
  std::thread other([&] {
    while (!done) {
      const dn_status status = dn_graph_backward(first.get(), large, nullptr, 0);
      if (status != DN_OK && status != DN_E_BUSY) ++strange;
    }
  });
  const bool met = wait_until([&] {
    const dn_status status = dn_graph_backward(second.get(), small, nullptr, 0);
    if (status != DN_OK && status != DN_E_BUSY) ++strange;
    return status == DN_E_BUSY;
  });
  EXPECT_TRUE(met);
  EXPECT_NE(last_error().find("another backward or update is writing these gradients"), std::string::npos)
      << last_error();
  done = true;
  other.join();
  EXPECT_EQ(strange, 0);

  // Nothing is broken, and nobody holds the set.
  EXPECT_OK(dn_model_reset_gradients(classifier.model().get()));
  EXPECT_OK(dn_graph_backward(second.get(), small, nullptr, 0));
  EXPECT_TRUE(same_bits(gradient(classifier.wx()), of_small));
}

TEST(Threads, WhoeverHoldsAGradientSetKeepsOthersOut) {
  const Classifier classifier(8);
  const GraphHandle graph = new_graph();
  const dn_expr loss = classifier.loss(graph.get(), 0);
  const GradientsHandle own = new_gradients(classifier.model());
  const TrainerHandle trainer = new_sgd(classifier.model());
  {
    const GradientLock held(classifier.model()->storage->gradients(), "a test");
    expect_failure(dn_graph_backward(graph.get(), loss, nullptr, 0), DN_E_BUSY, {"gradient set of its own"});
    EXPECT_EQ(dn_trainer_update(trainer.get()), DN_E_BUSY);
    EXPECT_EQ(dn_model_reset_gradients(classifier.model().get()), DN_E_BUSY);
    // Another set is no concern of the holder.
    EXPECT_OK(dn_graph_backward(graph.get(), loss, own.get(), 0));
    // Nor is a gradient that goes to no set.
    gradient(graph, make(graph, dn_op_parameter, classifier.wx()));
  }
  {
    const GradientLock held(own->set, "a test");
    EXPECT_EQ(dn_graph_backward(graph.get(), loss, own.get(), 0), DN_E_BUSY);
    EXPECT_EQ(dn_gradients_reset(own.get()), DN_E_BUSY);
    dn_gradients* sets[] = {own.get()};
    EXPECT_EQ(dn_trainer_update_from(trainer.get(), sets, 1), DN_E_BUSY);
    EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 0));
  }
  EXPECT_OK(dn_graph_backward(graph.get(), loss, own.get(), 0));
}

// Products that are large enough to be split over threads.
TEST(Threads, TheSameBitsForAnyNumberOfThreads) {
  const ThreadsKept restore;
  auto train = [](int32_t threads) {
    EXPECT_OK(dn_device_set_threads(threads));
    const uint32_t hidden = DYNNET_SANITIZED ? 128 : 160;
    const Classifier classifier(hidden);
    dn_parameter* square = add(classifier.model(), {hidden, hidden}, initializer(DN_INIT_GLOROT, 1));
    const TrainerHandle trainer = new_sgd(classifier.model());
    std::vector<float> seen;
    auto remember = [&](const std::vector<float>& numbers) { seen.insert(seen.end(), numbers.begin(), numbers.end()); };
    for (int step = 0; step < 2; ++step) {
      const GraphHandle graph = new_graph();
      const dn_expr w = make(graph, dn_op_parameter, square);
      const dn_expr x = input(graph, {hidden, 40}, some_values(hidden * 40, step));
      dn_expr h = make(graph, dn_op_tanh, make(graph, dn_op_multiply, w, x));
      h = make(graph, dn_op_multiply, make(graph, dn_op_transpose, w), h);
      h = make(graph, dn_op_dropout, make(graph, dn_op_softmax, h, 0), 0.3);
      const dn_expr norm = make(graph, dn_op_sum_elems, make(graph, dn_op_square, h));
      const dn_expr loss = make(graph, dn_op_add, norm, classifier.losses(graph.get(), step, 30));
      EXPECT_OK(dn_graph_backward(graph.get(), loss, nullptr, 1));
      remember(value(graph, loss));
      remember(value(graph, h));
      remember(gradient(graph, x));
      remember(classifier.gradients());
      remember(gradient(square));
      EXPECT_OK(dn_trainer_update(trainer.get()));
      remember(classifier.weights());
    }
    return seen;
  };
  const std::vector<float> alone = train(1);
  for (const int32_t threads : {2, 3, 4})
    EXPECT_TRUE(until_shared([&] { EXPECT_TRUE(same_bits(train(threads), alone)) << threads << " threads"; }));
}

TEST(Threads, GraphsAreMadeAndFreedEverywhereAtOnce) {
  const Classifier classifier(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < (DYNNET_SANITIZED ? 100 : 1000); ++i) {
        const GraphHandle graph = new_graph();
        EXPECT_OK(dn_graph_forward(graph.get(), classifier.loss(graph.get(), t + i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Threads use each other's graphs, which may be gone, in use, or another graph by now.
TEST(Threads, AnotherThreadsGraphIsAnErrorNeverACrash) {
  std::vector<std::thread> threads;
  std::atomic<dn_graph*> shown{nullptr};
  const dn_dim shape = dim({10});
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < (DYNNET_SANITIZED ? 200 : 2000); ++i) {
        dn_graph* graph = nullptr;
        EXPECT_OK(dn_graph_create(1, &graph));
        dn_expr x{};
        dn_status status = DN_E_BUSY;
        while (status == DN_E_BUSY) status = dn_op_constant(graph, &shape, 1, &x);
        EXPECT_EQ(status, DN_OK);
        shown = graph;
        const dn_status other = dn_graph_forward(shown, {0, x.stamp + 1000000});
        EXPECT_TRUE(other == DN_E_STALE || other == DN_E_DISPOSED || other == DN_E_BUSY) << other;
        dn_graph_free(graph);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// References to a model are counted from many threads; the last one frees it.
TEST(Threads, TheLastOfManyGraphsFreesTheModel) {
  const int64_t before = dn_memory_used();
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    {
      ModelHandle model = new_model();
      dn_parameter* w = add(model, {100}, initializer(DN_INIT_CONSTANT, 1));
      std::atomic<int> ready{0};
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&ready, w] {
          const GraphHandle graph = new_graph();
          const dn_expr x = make(graph, dn_op_parameter, w);
          ++ready;
          EXPECT_EQ(scalar(graph, make(graph, dn_op_sum_elems, x)), 100);
        });
      }
      EXPECT_TRUE(wait_until([&] { return ready == 4; }));
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(dn_memory_used(), before);
  }
}

}  // namespace
}  // namespace dynnet::test

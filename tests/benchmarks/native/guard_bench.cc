// What `build.sh guard` counts the instructions of: the same work each time, on made-up data, by one thread.
//
//     guard_bench construction | scheduling | treelstm | tagger
//     guard_bench about
//
// A section does its work and prints how much that was, as "COUNT UNIT". All but scheduling do what is to be counted in
// the function `measured`, after a warm-up in which types are made and memory grows; scheduling is what the engine's
// scheduler does in all of the section. `about` prints the kernels that run, and the compiler.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"

namespace {

void Check(dn_status status) {
  if (status == DN_OK) return;
  int64_t length = 0;
  const char* const text = dn_last_error(&length);
  fprintf(stderr, "guard_bench: %.*s\n", static_cast<int>(length), text);
  exit(1);
}

/// Numbers that are the same with every standard library, as those of its distributions need not be.
class Random {
 public:
  /// 0 to n - 1.
  int Below(int n) { return static_cast<int>(engine_() % static_cast<uint32_t>(n)); }
  /// Of a sentence: 1 to 39 words, most often 20.
  int Length() { return 1 + Below(20) + Below(20); }

 private:
  std::minstd_rand engine_{7};
};

/// A model_, a graph, and shorthands for what is recorded in it.
class Network {
 public:
  Network() {
    Check(dn_model_create(1, &model_));
    Check(dn_graph_create(1, &graph_));
    Check(dn_trainer_create_adam(model_, 0.001, 0.9, 0.999, 1e-8, &trainer_));
    Check(dn_trainer_set_clip_threshold(trainer_, 0));
  }
  Network(const Network&) = delete;
  virtual ~Network() {
    dn_trainer_free(trainer_);
    dn_graph_free(graph_);
    dn_model_free(model_);
  }

  /// Renews the graph and records the next examples.
  /// @returns how many units they are
  virtual int64_t Record() = 0;

  int64_t NodesCount() const {
    int64_t count = 0;
    Check(dn_graph_nodes_count(graph_, &count));
    return count;
  }
  void Forward() {
    float loss = 0;
    Check(dn_graph_scalar_value(graph_, loss_, &loss));
  }
  void Update() {
    Check(dn_graph_backward(graph_, loss_, nullptr, 0));
    Check(dn_trainer_update(trainer_));
  }

 protected:
  dn_parameter* AddParameters(uint32_t rows, uint32_t columns) {
    dn_dim dim{};
    dim.d[0] = rows;
    dim.d[1] = columns;
    dim.nd = columns == 1 ? 1 : 2;
    dim.bd = 1;
    dn_initializer initializer{};
    initializer.kind = columns == 1 ? DN_INIT_CONSTANT : DN_INIT_GLOROT;
    initializer.a = columns == 1 ? 0 : 1;
    dn_parameter* parameter = nullptr;
    Check(dn_model_add_parameters(model_, &dim, &initializer, "", 0, &parameter));
    return parameter;
  }
  dn_lookup_parameter* AddTable(int64_t rows, uint32_t size) {
    dn_dim dim{};
    dim.d[0] = size;
    dim.nd = dim.bd = 1;
    dn_initializer initializer{};
    initializer.kind = DN_INIT_GLOROT;
    initializer.a = 1;
    dn_lookup_parameter* table = nullptr;
    Check(dn_model_add_lookup_parameters(model_, rows, &dim, &initializer, "", 0, &table));
    return table;
  }

  template <class Operation, class... Arguments>
  dn_expr Make(Operation operation, Arguments... arguments) {
    dn_expr result{};
    Check(operation(graph_, arguments..., &result));
    return result;
  }
  dn_expr Affine(std::initializer_list<dn_expr> xs) {
    return Make(dn_op_affine_transform, xs.begin(), static_cast<int32_t>(xs.size()));
  }
  dn_expr Concatenate(std::initializer_list<dn_expr> xs) {
    return Make(dn_op_concatenate, xs.begin(), static_cast<int32_t>(xs.size()), 0);
  }
  dn_expr Sum(std::initializer_list<dn_expr> xs) {
    return Make(dn_op_sum, xs.begin(), static_cast<int32_t>(xs.size()));
  }

  void Begin() {
    Check(dn_graph_renew(graph_));
    losses_.clear();
  }
  void AddLoss(dn_expr scores, int label) { losses_.push_back(Make(dn_op_pick_neg_log_softmax, scores, label)); }
  void End() { loss_ = Make(dn_op_sum, losses_.data(), static_cast<int32_t>(losses_.size())); }

  dn_model* model_ = nullptr;
  dn_graph* graph_ = nullptr;
  dn_trainer* trainer_ = nullptr;

 private:
  std::vector<dn_expr> losses_;
  dn_expr loss_{};
};

constexpr int kVocabulary = 1000;
constexpr int kLabels = 5;
constexpr int kExamples = 20;
constexpr int kBatch = 10;
constexpr uint32_t kWordSize = 128;

struct Tree {
  Tree(Random& random, int leaves) : label(random.Below(kLabels)) {
    if (leaves == 1) {
      word = random.Below(kVocabulary);
      return;
    }
    // Sentences branch to the right more often than not.
    const int size = random.Below(2) == 0 ? 1 : 1 + random.Below(leaves - 1);
    left = std::make_unique<Tree>(random, size);
    right = std::make_unique<Tree>(random, leaves - size);
  }
  int label;
  int word = 0;
  std::unique_ptr<Tree> left, right;
};

/// Binary TreeLSTM from elementary operations, with a loss at every node. Units are trees.
class TreeLstm : public Network {
 public:
  TreeLstm() {
    table_ = AddTable(kVocabulary, kWordSize);
    const auto add = [&](Weights& weights, uint32_t rows, uint32_t columns, int count) {
      for (int i = 0; i < count; ++i) weights.parameters.push_back(AddParameters(rows, columns));
      weights.expressions.resize(weights.parameters.size());
    };
    add(leaf_, kHidden, kWordSize, 3);
    add(inner_, kHidden, 2 * kHidden, 3);
    add(forget_, kHidden, kHidden, 2);
    add(biases_, kHidden, 1, 4);
    add(labels_, kLabels, kHidden, 1);
    Random random;
    for (int i = 0; i < kExamples; ++i) trees_.emplace_back(random, random.Length());
  }

  int64_t Record() override {
    Begin();
    for (Weights* weights : {&leaf_, &inner_, &forget_, &biases_, &labels_})
      for (size_t i = 0; i < weights->parameters.size(); ++i)
        weights->expressions[i] = Make(dn_op_parameter, weights->parameters[i]);
    for (int i = 0; i < kBatch; ++i, next_ = (next_ + 1) % kExamples) Record(trees_[static_cast<size_t>(next_)]);
    End();
    return kBatch;
  }

 private:
  static constexpr uint32_t kHidden = 128;

  struct Weights {
    std::vector<dn_parameter*> parameters;
    std::vector<dn_expr> expressions;
    dn_expr operator[](size_t i) const { return expressions[i]; }
  };
  struct State {
    dn_expr h, c;
  };

  State Record(const Tree& tree) {
    State state;
    if (tree.left == nullptr) {
      const dn_expr x = Make(dn_op_lookup, table_, tree.word);
      const Gates gates = Compute(leaf_, x);
      state = Output(gates.o, Make(dn_op_cmult, gates.i, gates.u));
    } else {
      const State left = Record(*tree.left), right = Record(*tree.right);
      const Gates gates = Compute(inner_, Concatenate({left.h, right.h}));
      const dn_expr f1 = Make(dn_op_logistic, Affine({biases_[3], forget_[0], left.h}));
      const dn_expr f2 = Make(dn_op_logistic, Affine({biases_[3], forget_[1], right.h}));
      state = Output(gates.o, Sum({Make(dn_op_cmult, gates.i, gates.u), Make(dn_op_cmult, f1, left.c),
                                   Make(dn_op_cmult, f2, right.c)}));
    }
    AddLoss(Make(dn_op_multiply, labels_[0], state.h), tree.label);
    return state;
  }

  struct Gates {
    dn_expr i, o, u;
  };
  Gates Compute(const Weights& weights, dn_expr x) {
    return {Make(dn_op_logistic, Affine({biases_[0], weights[0], x})),
            Make(dn_op_logistic, Affine({biases_[1], weights[1], x})),
            Make(dn_op_tanh, Affine({biases_[2], weights[2], x}))};
  }
  State Output(dn_expr o, dn_expr c) { return {Make(dn_op_cmult, o, Make(dn_op_tanh, c)), c}; }

  dn_lookup_parameter* table_;
  Weights leaf_, inner_, forget_, biases_, labels_;
  std::vector<Tree> trees_;
  int next_ = 0;
};

/// Tagger by a bidirectional LSTM from the builder's cells. Units are words.
class Tagger : public Network {
 public:
  Tagger() {
    table_ = AddTable(kVocabulary, kWordSize);
    for (dn_lstm*& lstm : lstms_) Check(dn_lstm_create(model_, 1, kWordSize, kHidden, &lstm));
    layer_ = AddParameters(kLayer, 2 * kHidden);
    tags_ = AddParameters(kLabels, kLayer);
    Check(dn_lstm_state_size(lstms_[0], &state_size_));
    Random random;
    for (int i = 0; i < kExamples; ++i) {
      sentences_.emplace_back();
      for (int n = random.Length(); n > 0; --n)
        sentences_.back().push_back({random.Below(kVocabulary), random.Below(kLabels)});
    }
  }
  ~Tagger() override {
    for (dn_lstm* lstm : lstms_) dn_lstm_free(lstm);
  }

  int64_t Record() override {
    Begin();
    const dn_expr layer = Make(dn_op_parameter, layer_), tags = Make(dn_op_parameter, tags_);
    int64_t words = 0;
    for (int i = 0; i < kBatch; ++i, next_ = (next_ + 1) % kExamples) {
      const std::vector<Word>& sentence = sentences_[static_cast<size_t>(next_)];
      words += static_cast<int64_t>(sentence.size());
      std::vector<dn_expr> inputs;
      for (const Word& word : sentence) inputs.push_back(Make(dn_op_lookup, table_, word.number));
      const std::vector<dn_expr> forward = Run(lstms_[0], inputs);
      std::reverse(inputs.begin(), inputs.end());
      std::vector<dn_expr> backward = Run(lstms_[1], inputs);
      std::reverse(backward.begin(), backward.end());
      for (size_t at = 0; at < sentence.size(); ++at) {
        const dn_expr both = Concatenate({forward[at], backward[at]});
        const dn_expr hidden = Make(dn_op_tanh, Make(dn_op_multiply, layer, both));
        AddLoss(Make(dn_op_multiply, tags, hidden), sentence[at].tag);
      }
    }
    End();
    return words;
  }

 private:
  static constexpr int32_t kHidden = 50;
  static constexpr uint32_t kLayer = 32;

  struct Word {
    int number, tag;
  };

  std::vector<dn_expr> Run(const dn_lstm* lstm, const std::vector<dn_expr>& inputs) {
    std::vector<dn_expr> state(static_cast<size_t>(state_size_)), next(state.size()), outputs;
    Check(dn_lstm_initial_state(lstm, graph_, nullptr, 0, state.data(), state_size_));
    for (const dn_expr& input : inputs) {
      Check(dn_lstm_add_input(lstm, graph_, state.data(), state_size_, input, next.data(), state_size_));
      state.swap(next);
      // c, then h, of the one layer.
      outputs.push_back(state[1]);
    }
    return outputs;
  }

  dn_lookup_parameter* table_;
  dn_lstm* lstms_[2]{};
  dn_parameter *layer_, *tags_;
  int32_t state_size_ = 0;
  std::vector<std::vector<Word>> sentences_;
  int next_ = 0;
};

using Step = int64_t (*)(Network&);

int64_t Construct(Network& network) {
  network.Record();
  return network.NodesCount();
}

int64_t Compute(Network& network) {
  network.Record();
  network.Forward();
  return network.NodesCount();
}

int64_t Train(Network& network) {
  const int64_t units = network.Record();
  network.Forward();
  network.Update();
  return units;
}

struct Section {
  const char* name;
  const char* unit;
  Step step;
  int warm_up;
  int steps;
};

// Few steps, since valgrind computes fused multiply-adds one number at a time; but whole updates of the real sizes.
constexpr Section kSections[] = {
    {"construction", "node", Construct, 4, 20},
    {"scheduling", "node", Compute, 0, 2},
    {"treelstm", "tree", Train, 1, 1},
    {"tagger", "word", Train, 1, 1},
};

}  // namespace

// Visible and whole, so that a profiler finds it by this name.
extern "C" __attribute__((noinline)) int64_t measured(Step step, Network& network, int steps) {
  int64_t units = 0;
  for (int i = 0; i < steps; ++i) units += step(network);
  return units;
}

int main(int argc, char** argv) {
  const std::string name = argc == 2 ? argv[1] : "";
  if (name == "about") {
#ifdef __clang__
    printf("%s clang-%d\n", dn_device_isa(nullptr), __clang_major__);
#else
    printf("%s gcc-%d\n", dn_device_isa(nullptr), __GNUC__);
#endif
    return 0;
  }
  for (const Section& section : kSections) {
    if (name != section.name) continue;
    Check(dn_device_set_threads(1));
    const std::unique_ptr<Network> network =
        name == "tagger" ? std::unique_ptr<Network>(new Tagger) : std::unique_ptr<Network>(new TreeLstm);
    for (int i = 0; i < section.warm_up; ++i) section.step(*network);
    printf("%lld %s\n", static_cast<long long>(measured(section.step, *network, section.steps)), section.unit);
    return 0;
  }
  fprintf(stderr, "usage: guard_bench about | SECTION\n");
  return 2;
}

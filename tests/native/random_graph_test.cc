// Thousands of random graphs of all operations, those that draw at random among them, against the interpreter: batched
// and one by one, on one thread and two.
//
// DYNNET_TEST_GRAPHS is how many. A failure names the graph's seed; DYNNET_TEST_GRAPH_SEED runs that one alone and
// prints it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ops/compare.h"
#include "ops/op.h"
#include "ops/op_table.h"
#include "ops/random_program.h"

namespace dynnet::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr int64_t kGraphs = 500;
#else
constexpr int64_t kGraphs = 10000;
#endif

// float32 through some dozens of operations.
constexpr Tolerance kValues{.relative = 1e-4, .floor = 0.1};
constexpr Tolerance kGradients{.relative = 1e-3, .floor = 0.1};
// The engine's gradients batched and one by one, which differ by the order of sums alone.
constexpr Tolerance kOrders{.relative = 1e-5, .floor = 0.1};
// Where terms cancel, their sum is as uncertain as they are. That comes up in as few graphs as this.
constexpr double kCancelling = 0.001;
// Graphs whose result hangs on the last bits of a float are passed over, if they are as few as this.
constexpr double kIllConditioned = 0.005;

int64_t environment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

std::string text_of(Program& program) {
  std::string text;
  for (int i = 0; i < program.count(); ++i) {
    const Step& step = program.steps()[static_cast<size_t>(i)];
    text += std::to_string(i) + " = " + std::string(step.row->name) + "(";
    for (const int x : step.x) text += " " + std::to_string(x);
    text += " ) " + program.shape(i).text();
    for (const int32_t index : step.example.a.indices) text += " [" + std::to_string(index) + "]";
    text += " largest " + std::to_string(largest(program.value(i))) + "\n";
  }
  return text;
}

// The gradients of the parameters, then those of rows.
std::vector<std::vector<float>> trained_by_object(const World& world) {
  std::vector<std::vector<float>> all;
  for (const World::Parameter& p : world.parameters()) all.push_back(gradient(p.handle));
  for (const World::Table& t : world.tables())
    for (int64_t row = 0; row < t.rows; ++row) all.push_back(row_gradient(t.handle, row));
  return all;
}

Numbers numbers(const std::vector<float>& floats) { return {floats.begin(), floats.end()}; }

// How far the results move, in units of what is allowed, if every number is disturbed as rounding to float would.
double sensitivity(Program& program, int loss) {
  reference::Graph& g = program.reference();
  std::vector<Numbers> values;
  std::vector<Numbers> gradients;
  for (int step = 0; step < program.count(); ++step) {
    values.push_back(program.value(step));
    gradients.push_back(program.gradient(step));
  }
  double most = 0;
  for (uint64_t seed = 0; seed <= 8; ++seed) {
    // Rounded only, then with the errors of functions too.
    g.disturb(seed == 0 ? 0 : 5e-7, seed);
    g.forget();
    g.backward(program.node(loss));
    Worst values_worst;
    Worst gradients_worst;
    for (int step = 0; step < program.count(); ++step) {
      const auto i = static_cast<size_t>(step);
      auto floats = [](const Numbers& numbers) { return std::vector<float>(numbers.begin(), numbers.end()); };
      values_worst.see(floats(program.value(step)), values[i], kValues, "");
      gradients_worst.see(floats(program.gradient(step)), gradients[i], kGradients, "");
    }
    most = std::max({most, values_worst.distance, gradients_worst.distance});
  }
  g.disturb();
  return most;
}

// Gradients batched and one by one: relative to themselves, and to the terms that they are sums of, which come from the
// steps that use a step.
class Orders {
 public:
  explicit Orders(const Program& program)
      : program_(program), of_steps_(static_cast<size_t>(program.count()), kOrders.floor) {
    const World& world = program.world();
    of_trained_.resize(world.parameters().size() + world.tables().size(), kOrders.floor);
  }

  /// Steps come with the last one first.
  void see_step(size_t step, const std::vector<float>& alone, const std::vector<float>& batched) {
    const Step& s = program_.steps()[step];
    see(alone, batched, of_steps_[step], "gradient of step " + std::to_string(step) + ", " + std::string(s.row->name));
    const double size = std::max(largest(numbers(batched)), largest(numbers(alone)));
    for (const int x : s.x) raise(of_steps_[static_cast<size_t>(x)], size);
    if (!s.row->is_leaf() || !definition(s.row->name)->trained) return;
    const size_t table = s.row->name == "parameter" ? 0 : program_.world().parameters().size();
    raise(of_trained_[table + static_cast<size_t>(s.example.object)], std::max(size, of_steps_[step]));
  }
  /// After the steps: of parameters, then of rows.
  void see_trained(const std::vector<std::vector<float>>& alone, const std::vector<std::vector<float>>& batched) {
    const World& world = program_.world();
    size_t at = 0;
    size_t object = 0;
    const auto next = [&](int64_t count) {
      for (int64_t i = 0; i < count; ++i, ++at)
        see(alone[at], batched[at], of_trained_[object], "gradient of parameter or row " + std::to_string(at));
      ++object;
    };
    for (size_t i = 0; i < world.parameters().size(); ++i) next(1);
    for (const World::Table& table : world.tables()) next(table.rows);
  }

  const Worst& terms() const { return terms_; }
  /// Whether some sum is much smaller than what it is of.
  bool cancel() const { return sums_.distance > 1; }

 private:
  static void raise(double& floor, double size) { floor = std::max(floor, size); }
  void see(const std::vector<float>& alone, const std::vector<float>& batched, double floor, const std::string& where) {
    const Numbers expected = numbers(batched);
    sums_.see(alone, expected, kOrders, where);
    terms_.see(alone, expected, {.relative = kOrders.relative, .floor = floor}, where);
  }

  const Program& program_;
  // How large the terms are of the gradients of steps, of parameters and of tables.
  std::vector<double> of_steps_;
  std::vector<double> of_trained_;
  Worst sums_;
  Worst terms_;
};

// Three graphs that are used again and again, as a program's would be, but for programs that draw at random: what these
// draw must not hang on how many graphs came before.
class RandomGraphs : public testing::Test {
 protected:
  ~RandomGraphs() override { EXPECT_OK(dn_device_set_threads(threads_)); }

  void run(uint64_t seed, bool print);
  void compare(Program& program, int loss, Draw& d);

  const int32_t threads_ = dn_device_threads();
  GraphHandle together_ = new_graph();
  GraphHandle alone_ = new_graph();
  GraphHandle threaded_ = new_graph();
  int64_t random_ = 0;
  int64_t nodes_ = 0;
  std::set<std::string_view> ops_;
  int64_t computed_ = 0;
  int64_t batched_ = 0;
  std::vector<uint64_t> cancelling_;
  uint64_t seed_ = 0;
  int64_t merged_ = 0;
  int64_t ill_conditioned_ = 0;
};

void RandomGraphs::run(uint64_t seed, bool print) {
  seed_ = seed;
  Draw d(seed);
  // Small sizes meet often; a few graphs have work enough for two threads.
  struct Scale {
    std::vector<int64_t> sizes;
    int64_t batch, nodes, elements;
  };
  static const Scale kScales[] = {
      {{2, 3, 4, 5, 8}, 4, 220, 600}, {{15, 16, 20, 24}, 12, 80, 600}, {{48, 64, 100, 128}, 10, 50, 30000}};
  const Scale& scale = kScales[d.chance(0.95) ? 0 : d.chance(0.8) ? 1 : 2];
  d.sizes = {1, d.of(scale.sizes), d.of(scale.sizes), d.of(scale.sizes)};
  d.batches = {1, 1, 1, d.between(2, scale.batch)};
  d.most_elements = scale.elements;
  World world;
  Program program(world);
  const int64_t nodes = d.between(5, scale.nodes);
  const bool draws_at_random = d.chance(0.3);
  RandomProgram grown = draws_at_random ? RandomProgram(program, d, seed) : RandomProgram(program, d);
  const int loss = grown.grow(static_cast<int>(nodes));
  for (GraphHandle* graph : {&together_, &alone_, &threaded_}) {
    if (draws_at_random)
      *graph = new_graph(seed);
    else
      ASSERT_OK(dn_graph_renew(graph->get()));
  }
  ASSERT_OK(dn_graph_set_batching(alone_.get(), 0));
  EXPECT_GE(program.count(), 5);
  EXPECT_LE(program.count(), 300);
  for (const Step& step : program.steps()) {
    ops_.insert(step.row->name);
    if (step.row->is_random()) ++random_;
  }
  nodes_ += program.count();
  if (print) std::printf("%s", text_of(program).c_str());
  compare(program, loss, d);
}

void RandomGraphs::compare(Program& program, int loss, Draw& d) {
  dn_model* model = program.world().model().get();
  // Batched, with the gradients of all nodes.
  ASSERT_OK(dn_device_set_threads(1));
  const std::vector<dn_expr> exprs = program.record(together_.get());
  ASSERT_OK(dn_graph_backward(together_.get(), exprs.back(), nullptr, 1));
  dn_batch_stats stats;
  ASSERT_OK(dn_graph_batch_stats(together_.get(), &stats));
  if (report(together_).find("more nodes equal others") != std::string::npos) ++merged_;
  computed_ += stats.nodes;
  batched_ += stats.batched_nodes;
  program.reference().backward(program.node(loss));
  std::vector<Worst> worst{compare_values(program, together_.get(), exprs, kValues),
                           compare_gradients(program, together_.get(), exprs, true, kGradients),
                           compare_trained(program, kGradients)};

  // One by one, the graph now and then computed in parts; the gradients of parameters and what lies on the way to them.
  const std::vector<float> trained = trained_gradients(program.world());
  const std::vector<std::vector<float>> trained_together = trained_by_object(program.world());
  ASSERT_OK(dn_model_reset_gradients(model));
  const std::vector<dn_expr> alone = program.record(alone_.get());
  if (d.chance(0.5)) value(alone_.get(), d.of(alone));
  ASSERT_OK(dn_graph_backward(alone_.get(), alone.back(), nullptr, 0));
  worst.push_back(compare_gradients(program, alone_.get(), alone, false, kGradients));
  worst.push_back(compare_trained(program, kGradients));

  // All gradients one by one, beside those of batches.
  ASSERT_OK(dn_model_reset_gradients(model));
  ASSERT_OK(dn_graph_backward(alone_.get(), alone.back(), nullptr, 1));
  Orders orders(program);
  for (size_t i = exprs.size(); i-- > 0;)
    orders.see_step(i, gradient(alone_.get(), alone[i]), gradient(together_.get(), exprs[i]));
  const std::vector<std::vector<float>> trained_alone = trained_by_object(program.world());
  orders.see_trained(trained_alone, trained_together);

  // Batched on two threads.
  ASSERT_OK(dn_model_reset_gradients(model));
  ASSERT_OK(dn_device_set_threads(2));
  const std::vector<dn_expr> threaded = program.record(threaded_.get());
  ASSERT_OK(dn_graph_backward(threaded_.get(), threaded.back(), nullptr, 1));
  EXPECT_TRUE(same_bits(trained_gradients(program.world()), trained)) << "on two threads";
  for (size_t i = 0; i < exprs.size(); ++i) {
    const std::string where = " of step " + std::to_string(i) + ", " + std::string(program.steps()[i].row->name);
    const std::vector<float> bits = value(together_.get(), exprs[i]);
    ASSERT_TRUE(same_bits(value(alone_.get(), alone[i]), bits)) << "one by one: value" << where;
    ASSERT_TRUE(same_bits(value(threaded_.get(), threaded[i]), bits)) << "on two threads: value" << where;
    ASSERT_TRUE(same_bits(gradient(threaded_.get(), threaded[i]), gradient(together_.get(), exprs[i])))
        << "on two threads: gradient" << where;
  }

  // As in training, for parameters alone: threads divide the graph, and what equals others has one gradient with them.
  ASSERT_OK(dn_model_reset_gradients(model));
  ASSERT_OK(dn_graph_backward(threaded_.get(), threaded.back(), nullptr, 0));
  const std::vector<float> trained_threaded = trained_gradients(program.world());
  ASSERT_OK(dn_model_reset_gradients(model));
  ASSERT_OK(dn_device_set_threads(1));
  ASSERT_OK(dn_graph_backward(together_.get(), exprs.back(), nullptr, 0));
  EXPECT_TRUE(same_bits(trained_gradients(program.world()), trained_threaded))
      << "for parameters alone, on two threads";
  orders.see_trained(trained_alone, trained_by_object(program.world()));
  worst.push_back(compare_trained(program, kGradients));
  worst.push_back(compare_gradients(program, together_.get(), exprs, false, kGradients));
  EXPECT_LE(orders.terms().distance, 1) << "one by one/batched: " << orders.terms().where;
  if (orders.cancel()) cancelling_.push_back(seed_);

  const Worst& most = *std::max_element(worst.begin(), worst.end(),
                                        [](const Worst& a, const Worst& b) { return a.distance < b.distance; });
  if (most.distance <= 1) return;
  // Where rounding alone moves a result further than is allowed, or nearly as far as it is off, nothing can be said.
  const double noise = sensitivity(program, loss);
  if (noise < 1 && noise * 5 < most.distance)
    FAIL() << most.distance << " times what is allowed (noise: " << noise << ")\n" << most.where;
  ++ill_conditioned_;
}

TEST_F(RandomGraphs, AreWhatTheInterpreterSays) {
  if (const int64_t seed = environment("DYNNET_TEST_GRAPH_SEED", 0); seed != 0) {
    run(static_cast<uint64_t>(seed), true);
    return;
  }
  const int64_t graphs = environment("DYNNET_TEST_GRAPHS", kGraphs);
  const int64_t shares = parallel::shares_done();
  for (int64_t i = 1; i <= graphs; ++i) {
    SCOPED_TRACE("DYNNET_TEST_GRAPH_SEED=" + std::to_string(i));
    run(static_cast<uint64_t>(i), false);
    if (HasFailure()) return;
  }
  std::string cancelling;
  for (const uint64_t seed : cancelling_) cancelling += " " + std::to_string(seed);
  std::printf(
      "%lld nodes, %lld of them drawn at random; of %lld computed %lld batched; %lld of %lld graphs "
      "ill-conditioned; nodes of %lld equal others; terms cancel in %zu:%s; helpers did %lld shares\n",
      static_cast<long long>(nodes_), static_cast<long long>(random_), static_cast<long long>(computed_),
      static_cast<long long>(batched_), static_cast<long long>(ill_conditioned_), static_cast<long long>(graphs),
      static_cast<long long>(merged_), cancelling_.size(), cancelling.c_str(),
      static_cast<long long>(parallel::shares_done() - shares));
  if (graphs >= 500) {
    EXPECT_EQ(ops_.size(), op_table().size());
    EXPECT_GE(parallel::shares_done() - shares, graphs / 1000) << "second threads took part in nearly nothing";
  }
  EXPECT_GE(batched_ * 2, computed_) << "fewer than half of the nodes ran in company";
  EXPECT_GE(merged_ * 200, graphs) << "few graphs have nodes that equal others";
  EXPECT_LE(static_cast<double>(cancelling_.size()), kCancelling * static_cast<double>(graphs)) << cancelling;
  EXPECT_LE(static_cast<double>(ill_conditioned_), kIllConditioned * static_cast<double>(graphs));
}

}  // namespace
}  // namespace dynnet::test

// The stateful property test: random sequences of calls against a model of what they mean. It keeps these contracts
// true, in any order and over several graphs at once:
//
//  * forward(e) computes all nodes up to e anew, and those after e that had a value; it reads inputs, indices and bound
//    memory as they are now. If a bound index is out of range it fails, and nothing has changed.
//  * incremental forward and value compute only what has no value, up to the node asked for.
//  * New values of an input or new indices (set_input, set_indices) show at the next forward that reaches the node, and
//    not before. Bound memory is read when a node is first computed, and at each forward.
//  * A value is computed from the parameters as they are when it is computed. Parameter nodes are the parameters, so
//    they always show the current values; what a reshape or slice of a parameter shows after the parameter was written,
//    up to the next forward, is left open.
//  * backward(e): if a parameter or table that the values were computed from has changed since, e is computed anew as
//    by forward; else only what has no value is. Gradients are at these values.
//  * Gradients of parameters accumulate in the set over backwards and graphs; a set takes those of its own model, of
//    which there must be some unless there are none at all.
//  * gradient(x) is for the latest backward. Revert and renewal end it; a parameter's, unless it was asked for before,
//    also ends with a forward or when a parameter that was used changes.
//  * Values from before a checkpoint survive revert. Nodes of before it that were computed after it are computed again,
//    from inputs as they were read: the same bits. If there was a forward since, all are.
//  * What is computed from the same is the same bits: batched or not, again after revert, in another graph.
//  * A failed computation (a NaN with checks on, no memory) leaves no new values, and can be repeated. A failed
//    recording, also of an immediate node, was never made. A failed call leaves its results untouched.
//
// DYNNET_STATEFUL_SEQUENCES is the number of sequences, DYNNET_STATEFUL_FIRST the first one's seed; each prints its
// seed if it fails, and DYNNET_STATEFUL_SEQUENCES=1 with that seed repeats it.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "stateful/sequence.h"

namespace dynnet::stateful {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(Stateful, RandomSequencesBehaveAsTheirModel) {
  const uint64_t first = from_environment("DYNNET_STATEFUL_FIRST", 1);
  const uint64_t count = from_environment("DYNNET_STATEFUL_SEQUENCES", 1000);
  const bool trace = from_environment("DYNNET_STATEFUL_TRACE", 0) != 0;
  int64_t nodes = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Sequence sequence(seed);
    sequence.run();
    nodes += sequence.nodes_recorded();
    if (trace) std::printf("sequence %llu\n%s", static_cast<unsigned long long>(seed), sequence.trace().c_str());
    if (HasFailure())
      FAIL() << "DYNNET_STATEFUL_FIRST=" << seed << " DYNNET_STATEFUL_SEQUENCES=1 repeats it:\n" << sequence.trace();
  }
  RecordProperty("nodes", std::to_string(nodes));
  // A test that hardly records anything would pass too.
  EXPECT_GT(nodes, static_cast<int64_t>(count) * 30);
}

}  // namespace
}  // namespace dynnet::stateful

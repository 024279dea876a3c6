// The border of the library of references: makes the operands of some nodes, runs one side on them, and tells how long
// forward and backward took, read from the clock as the engine's profile does.
#include "references.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>

namespace references {

const int64_t elements = kElements, square = kSquare, side = kSide, columns = kColumns;

namespace {

const Reference* find(const char* op) {
  for (const auto family : {elementwise_references, arithmetic_references, noise_references, reduction_references,
                            normalisation_references, shape_references, loss_references, matrix_references,
                            cell_references, convolution_references, attention_references})
    for (const Reference& reference : family())
      if (std::strcmp(reference.op, op) == 0) return &reference;
  return nullptr;
}

/// What the engine has no memory for: begins at a cache line.
class Memory {
 public:
  float* take(int64_t floats) {
    const size_t size = (static_cast<size_t>(floats) * sizeof(float) + kLine - 1) / kLine * kLine + kLine;
    blocks_.emplace_back(static_cast<float*>(::operator new (size, std::align_val_t{kLine})));
    std::memset(blocks_.back().get(), 0, size);
    return blocks_.back().get();
  }

 private:
  static constexpr size_t kLine = 64;
  struct Free {
    void operator()(float* p) const { ::operator delete (p, std::align_val_t{kLine}); }
  };
  std::vector<std::unique_ptr<float, Free>> blocks_;
};

struct Run {
  const Reference* reference;
  std::vector<Node> nodes;
  /// What dy is made of, as a loss that is a dot product makes it; one for all nodes where it is the same.
  std::vector<const float*> weights;
  Memory memory;
};

/// What lies between forward and backward: a loss that reads y, and its gradient that becomes dy.
float loss(const Run& run) {
  float sum = 0;
  for (size_t i = 0; i < run.nodes.size(); ++i) {
    const float *y = run.nodes[i].y, *w = run.weights[i];
    float* dy = const_cast<float*>(run.nodes[i].dy);
    EACH(j, run.reference->result) sum += y[j] * w[j];
    EACH(j, run.reference->result) dy[j] = w[j];
  }
  return sum;
}

}  // namespace
}  // namespace references

#define REFERENCES_API extern "C" __attribute__((visibility("default")))

using references::Pass;
using references::Run;

/// The references of an operation, for so many nodes; null if it has none, or has operands or a result of other sizes.
/// They use the memory of the operation's own nodes: of each node its operands, then their gradients, its result and
/// the gradient of that, which stays as it is now. What is null gets memory of its own.
REFERENCES_API Run* references_make(const char* op, int32_t nodes, const int64_t* sizes, int32_t operands,
                                    int64_t result, float* const* tensors) {
  const references::Reference* reference = references::find(op);
  if (reference == nullptr || reference->result != result ||
      !std::equal(reference->operands.begin(), reference->operands.end(), sizes, sizes + operands))
    return nullptr;
  auto* run = new Run{reference, {}, {}, {}};
  const auto next = [&](int64_t size) {
    float* tensor = *tensors++;
    return tensor != nullptr ? tensor : run->memory.take(size);
  };
  for (int32_t i = 0; i < nodes; ++i) {
    references::Node node{};
    for (int32_t k = 0; k < operands; ++k) node.x[k] = next(sizes[k]);
    for (int32_t k = 0; k < operands; ++k) node.dx[k] = next(sizes[k]);
    node.y = next(result);
    node.dy = next(result);
    node.aux = run->memory.take(reference->aux);
    if (i > 0 && std::equal(node.dy, node.dy + result, run->weights[0])) {
      run->weights.push_back(run->weights[0]);
    } else {
      float* weights = run->memory.take(result);
      std::copy_n(node.dy, result, weights);
      run->weights.push_back(weights);
    }
    run->nodes.push_back(node);
  }
  return run;
}

REFERENCES_API void references_free(Run* run) { delete run; }

/// Whether the operation is in the table, whatever its sizes.
REFERENCES_API int32_t references_has(const char* op) { return references::find(op) != nullptr ? 1 : 0; }

/// The result of a node.
REFERENCES_API const float* references_result(const Run* run, int32_t node) {
  return run->nodes[static_cast<size_t>(node)].y;
}

/// The gradient of an operand of a node.
REFERENCES_API float* references_gradient(const Run* run, int32_t node, int32_t operand) {
  return run->nodes[static_cast<size_t>(node)].dx[operand];
}

/// Runs a side (0: loops, 1: Eigen), and tells the nanoseconds of forward and backward. Returns which of these the side
/// has: bit 0 forward, bit 1 backward.
REFERENCES_API int32_t references_run(Run* run, int32_t side, double* forward, double* backward) {
  using Clock = std::chrono::steady_clock;
  const references::Side& passes = side == 0 ? run->reference->loop : run->reference->eigen;
  const auto time = [&](Pass pass, double& spent) {
    if (pass == nullptr) return;
    const auto begin = Clock::now();
    for (const references::Node& node : run->nodes) pass(node);
    spent = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
  };
  time(passes.forward, *forward);
  const volatile float kept = references::loss(*run);
  static_cast<void>(kept);
  time(passes.backward, *backward);
  return (passes.forward != nullptr ? 1 : 0) | (passes.backward != nullptr ? 2 : 0);
}

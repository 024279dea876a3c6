#include "training/average.h"

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/kernels.h"
#include "parallel/parallel.h"

namespace dynnet {
namespace {

constexpr int64_t kGrain = 16384;

void copy(const float* from, float* to, int64_t n) { std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float)); }

}  // namespace

MovingAverage::MovingAverage(int32_t kind, double beta, int64_t every) : kind_(kind), beta_(beta), every_(every) {
  if (kind != DN_AVERAGE_NONE && kind != DN_AVERAGE_CUMULATIVE && kind != DN_AVERAGE_EXPONENTIAL)
    fail(DN_E_ARGUMENT, "no moving average has the kind %d", kind);
  if (!(beta >= 0 && beta < 1)) fail(DN_E_ARGUMENT, "a moving average with a beta of %g: 0 or more, less than 1", beta);
  if (every < 1) fail(DN_E_ARGUMENT, "a moving average every %lld updates: 1 or more", static_cast<long long>(every));
}

void MovingAverage::reserve(const dn_model& model) {
  model.for_each([&](const auto& trained) {
    Average& average = of(trained);
    if (average.values.empty()) average.values = Buffer(trained.values.size(), "a moving average");
  });
}

void MovingAverage::add(const dn_model& model) {
  model.for_each([&](const auto& trained) {
    Average& average = of(trained);
    const double share = kind_ == DN_AVERAGE_CUMULATIVE ? 1 / static_cast<double>(average.count + 1) : 1 - beta_;
    parallel_for(trained.values.size(), kGrain, [&](int64_t begin, int64_t end) {
      kernels().blend(average.values.data() + begin, trained.values.data() + begin, end - begin,
                      static_cast<float>(share));
    });
    ++average.count;
  });
}

void MovingAverage::swap_to_average(const dn_model& model, bool save_weights, bool bias_correction) {
  if (kind_ == DN_AVERAGE_NONE) fail(DN_E_STATE, "swap to average: the trainer keeps no moving average");
  if (swapped_) return;
  bool some = false;
  model.for_each([&](const auto& trained) { some |= find(trained) != nullptr; });
  if (!some) fail(DN_E_STATE, "swap to average: no update was made yet, so there is nothing averaged");
  if (save_weights) {
    model.for_each([&](const auto& trained) {
      Average& average = of(trained);
      if (average.count > 0 && average.weights.empty())
        average.weights = Buffer(trained.values.size(), "the values beside their moving average");
    });
  }
  model.for_each([&](auto& trained) {
    Average& average = of(trained);
    if (average.count == 0) return;
    const int64_t n = trained.values.size();
    if (save_weights) copy(trained.values.data(), average.weights.data(), n);
    copy(average.values.data(), trained.values.data(), n);
    if (bias_correction && kind_ == DN_AVERAGE_EXPONENTIAL) {
      const double share = 1 - std::pow(beta_, static_cast<double>(average.count));
      for (int64_t i = 0; i < n; ++i) trained.values.data()[i] *= static_cast<float>(1 / share);
    }
    trained.version.fetch_add(1, std::memory_order_release);
  });
  swapped_ = true;
  saved_ = save_weights;
}

void MovingAverage::swap_to_weights(const dn_model& model) {
  if (!swapped_) return;
  if (!saved_) fail(DN_E_STATE, "the values are their moving averages, and were not saved when they became so");
  model.for_each([&](auto& trained) {
    const Average* average = find(trained);
    if (average == nullptr) return;
    copy(average->weights.data(), trained.values.data(), trained.values.size());
    trained.version.fetch_add(1, std::memory_order_release);
  });
  swapped_ = false;
}

}  // namespace dynnet

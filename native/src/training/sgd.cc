#include <cfloat>
#include <cmath>

#include "core/error.h"
#include "core/kernels.h"
#include "training/rule.h"

namespace dynnet {
namespace {

/// w -= rate * g, however the rate comes about.
class Descent : public Rule {
 public:
  using Rule::Rule;
  int moments() const override { return 0; }
  bool rests() const override { return true; }
  void begin(const UpdateStep& step) override {
    rate_ = static_cast<float>(step.learning_rate * step.gradient_scale * step.push);
    keep_ = static_cast<float>(step.keep);
  }
  void apply(float* values, const float* gradient, float* const*, int64_t n) const override {
    kernels().sgd(values, gradient, n, rate_, keep_);
  }

 private:
  float rate_ = 0;
  float keep_ = 1;
};

class SimpleSgd : public Descent {
 public:
  SimpleSgd() : Descent("simple_sgd", {}) {}
  std::unique_ptr<Rule> with(const std::vector<double>&) const override { return simple_sgd(); }
};

class CyclicalSgd : public Descent {
 public:
  CyclicalSgd(double least, double most, double step_size, double gamma)
      : Descent("cyclical_sgd", {least, most, step_size, gamma}) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override {
    return cyclical_sgd(s[0], s[1], s[2], s[3]);
  }
  double next_rate(int64_t steps, double) const override {
    const double least = settings()[0], most = settings()[1], step_size = settings()[2], gamma = settings()[3];
    if (steps == 0) return least;
    // The rate of the first two updates is the least, as in DyNet, which moves the rate after each update.
    const double t = static_cast<double>(steps - 1);
    const double cycle = std::floor(1 + t / (2 * step_size));
    const double x = std::abs(t / step_size - 2 * cycle + 1);
    return least + (most - least) * std::max(0.0, 1 - x) * std::pow(gamma, t);
  }
};

enum class Look { kBehind, kAhead };

template <Look kLook>
class Momentum : public Rule {
 public:
  Momentum(const char* name, double momentum) : Rule(name, {momentum}) {
    step_.momentum = static_cast<float>(momentum);
  }
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override {
    return kLook == Look::kAhead ? nesterov_sgd(s[0]) : momentum_sgd(s[0]);
  }
  int moments() const override { return 1; }
  void begin(const UpdateStep& step) override {
    step_.rate = static_cast<float>(step.learning_rate * step.gradient_scale);
    step_.decay = static_cast<float>(step.keep);
    step_.push = static_cast<float>(step.push);
  }
  void apply(float* values, const float* gradient, float* const* moments, int64_t n) const override {
    const auto kernel = kLook == Look::kAhead ? kernels().nesterov : kernels().momentum_sgd;
    kernel(values, gradient, moments[0], n, step_);
  }

 private:
  MomentumStep step_{};
};

void check_momentum(double momentum) {
  if (!is_decay_rate(momentum)) fail(DN_E_ARGUMENT, "a momentum of %g: 0 or more, less than 1", momentum);
}

class ExponentiatedGradient : public Rule {
 public:
  explicit ExponentiatedGradient(double momentum) : Rule("eg", {momentum}), momentum_(static_cast<float>(momentum)) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override { return exponentiated_gradient(s[0]); }
  int moments() const override { return 1; }
  bool is_joint() const override { return true; }
  void check(const float* values, int64_t n, const std::string& name, int64_t row) const override {
    const auto fail_for = [&](const std::string& fault) {
      const std::string where = row >= 0 ? format("row %lld of ", static_cast<long long>(row)) : "";
      fail(DN_E_STATE, "update: exponentiated gradients change distributions, and %s%s %s; nothing was updated",
           where.c_str(), name.c_str(), fault.c_str());
    };
    // Without a way out, so that the compiler makes vectors of it.
    int bad = 0, some = 0;
    for (int64_t i = 0; i < n; ++i) {
      bad |= !(values[i] >= 0 && values[i] <= FLT_MAX);
      some |= values[i] > 0;
    }
    for (int64_t i = 0; i < n && bad != 0; ++i) {
      if (!(values[i] >= 0 && values[i] <= FLT_MAX))
        fail_for(format("is %g at element %lld", static_cast<double>(values[i]), static_cast<long long>(i)));
    }
    if (some == 0) fail_for("is 0 everywhere");
  }
  void begin(const UpdateStep& step) override { rate_ = static_cast<float>(step.learning_rate * step.gradient_scale); }
  void apply(float* values, const float* gradient, float* const* moments, int64_t n) const override {
    kernels().exponentiated_gradient(values, gradient, moments[0], n, rate_, momentum_);
  }

 private:
  float momentum_;
  float rate_ = 0;
};

}  // namespace

std::unique_ptr<Rule> simple_sgd() { return std::make_unique<SimpleSgd>(); }

std::unique_ptr<Rule> cyclical_sgd(double least, double most, double step_size, double gamma) {
  if (!(least >= 0) || !(most >= least) || !std::isfinite(most))
    fail(DN_E_ARGUMENT, "a cyclical learning rate from %g to %g: finite, 0 or more, the least first", least, most);
  if (!(step_size > 0) || !std::isfinite(step_size))
    fail(DN_E_ARGUMENT, "a cyclical learning rate with a step size of %g: more than 0", step_size);
  if (!(gamma > 0 && gamma <= 1))
    fail(DN_E_ARGUMENT, "a cyclical learning rate with a gamma of %g: more than 0, at most 1", gamma);
  return std::make_unique<CyclicalSgd>(least, most, step_size, gamma);
}

std::unique_ptr<Rule> momentum_sgd(double momentum) {
  check_momentum(momentum);
  return std::make_unique<Momentum<Look::kBehind>>("momentum_sgd", momentum);
}

std::unique_ptr<Rule> nesterov_sgd(double momentum) {
  check_momentum(momentum);
  return std::make_unique<Momentum<Look::kAhead>>("nesterov_sgd", momentum);
}

std::unique_ptr<Rule> exponentiated_gradient(double momentum) {
  check_momentum(momentum);
  return std::make_unique<ExponentiatedGradient>(momentum);
}

}  // namespace dynnet

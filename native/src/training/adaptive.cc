#include <cmath>

#include "core/error.h"
#include "core/kernels.h"
#include "training/rule.h"

namespace dynnet {
namespace {

/// Rules whose rate adapts to the squares of the gradients.
class Adaptive : public Rule {
 public:
  int moments() const override { return 1; }
  int first_square() const override { return 0; }
  void begin(const UpdateStep& step) override {
    step_.rate = static_cast<float>(step.learning_rate * step.push);
    step_.gradient_scale = static_cast<float>(step.gradient_scale);
    step_.decay = static_cast<float>(step.keep);
  }
  void apply(float* values, const float* gradient, float* const* moments, int64_t n) const override {
    kernels().rms_prop(values, gradient, moments[0], n, step_);
  }

 protected:
  Adaptive(const char* name, std::vector<double> settings, double rho, double rest, double epsilon)
      : Rule(name, std::move(settings)) {
    step_.rho = static_cast<float>(rho);
    step_.rest = static_cast<float>(rest);
    step_.epsilon = positive(epsilon);
  }

  AdaptiveStep step_{};
};

class Adagrad : public Adaptive {
 public:
  explicit Adagrad(double epsilon) : Adaptive("adagrad", {epsilon}, 1, 1, epsilon) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override { return adagrad(s[0]); }
  bool rests() const override { return true; }
};

class RmsProp : public Adaptive {
 public:
  RmsProp(double epsilon, double rho) : Adaptive("rms_prop", {epsilon, rho}, rho, 1 - rho, epsilon) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override { return rms_prop(s[0], s[1]); }
};

class Adadelta : public Adaptive {
 public:
  Adadelta(double epsilon, double rho) : Adaptive("adadelta", {epsilon, rho}, rho, 1 - rho, epsilon) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override { return adadelta(s[0], s[1]); }
  int moments() const override { return 2; }
  void apply(float* values, const float* gradient, float* const* moments, int64_t n) const override {
    kernels().adadelta(values, gradient, moments[0], moments[1], n, step_);
  }
};

void check(const char* name, double epsilon, double rho) {
  if (!(epsilon > 0) || !std::isfinite(epsilon))
    fail(DN_E_ARGUMENT, "%s with an epsilon of %g: more than 0", name, epsilon);
  if (!is_decay_rate(rho)) fail(DN_E_ARGUMENT, "%s with a rho of %g: 0 or more, less than 1", name, rho);
}

}  // namespace

std::unique_ptr<Rule> adagrad(double epsilon) {
  check("Adagrad", epsilon, 0);
  return std::make_unique<Adagrad>(epsilon);
}

std::unique_ptr<Rule> rms_prop(double epsilon, double rho) {
  check("RMSProp", epsilon, rho);
  return std::make_unique<RmsProp>(epsilon, rho);
}

std::unique_ptr<Rule> adadelta(double epsilon, double rho) {
  check("Adadelta", epsilon, rho);
  return std::make_unique<Adadelta>(epsilon, rho);
}

}  // namespace dynnet

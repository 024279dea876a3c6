#include <cmath>

#include "core/error.h"
#include "core/kernels.h"
#include "training/rule.h"

namespace dynnet {
namespace {

class Adam : public Rule {
 public:
  Adam(double beta1, double beta2, double epsilon) : Adam("adam", {beta1, beta2, epsilon}) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override { return adam(s[0], s[1], s[2]); }
  int moments() const override { return 2; }
  int first_square() const override { return 1; }
  void begin(const UpdateStep& step) override {
    // The biases of both moments' start at 0, corrected in the rate (Kingma and Ba 2015, end of section 2).
    set_step(step, settings()[2]);
  }
  void apply(float* values, const float* gradient, float* const* moments, int64_t n) const override {
    kernels().adam(values, gradient, moments[0], moments[1], n, step_);
  }

 protected:
  Adam(const char* name, std::vector<double> settings) : Rule(name, std::move(settings)) {}
  void set_step(const UpdateStep& step, double epsilon) {
    const double beta1 = settings()[0], beta2 = settings()[1];
    const double rate =
        step.learning_rate * square_correction(step) / (1 - std::pow(beta1, static_cast<double>(step.number)));
    step_ = {static_cast<float>(beta1),
             static_cast<float>(beta2),
             positive(epsilon),
             static_cast<float>(rate * step.push),
             static_cast<float>(step.gradient_scale),
             static_cast<float>(step.keep),
             static_cast<float>(1 - beta1),
             static_cast<float>(1 - beta2)};
  }
  double square_correction(const UpdateStep& step) const {
    return std::sqrt(1 - std::pow(settings()[1], static_cast<double>(step.number)));
  }

  AdamStep step_{};
};

class AdamW : public Adam {
 public:
  AdamW(double beta1, double beta2, double epsilon, double decay) : Adam("adam_w", {beta1, beta2, epsilon, decay}) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override { return adam_w(s[0], s[1], s[2], s[3]); }
  double decay(double rate) const override { return rate * settings()[3]; }
  void begin(const UpdateStep& step) override {
    // m^ / (sqrt(v^) + eps) with the corrections in the rate: sqrt(v^) = sqrt(v) / c, so that eps becomes c * eps.
    set_step(step, settings()[2] * square_correction(step));
  }
};

class Amsgrad : public Adam {
 public:
  Amsgrad(double beta1, double beta2, double epsilon) : Adam("amsgrad", {beta1, beta2, epsilon}) {}
  std::unique_ptr<Rule> with(const std::vector<double>& s) const override { return amsgrad(s[0], s[1], s[2]); }
  int moments() const override { return 3; }
  void apply(float* values, const float* gradient, float* const* moments, int64_t n) const override {
    kernels().amsgrad(values, gradient, moments[0], moments[1], moments[2], n, step_);
  }
};

void check(const char* name, double beta1, double beta2, double epsilon) {
  if (!is_decay_rate(beta1) || !is_decay_rate(beta2))
    fail(DN_E_ARGUMENT, "%s with betas of %g and %g: each is 0 or more, less than 1", name, beta1, beta2);
  if (!(epsilon > 0) || !std::isfinite(epsilon))
    fail(DN_E_ARGUMENT, "%s with an epsilon of %g: more than 0", name, epsilon);
}

}  // namespace

std::unique_ptr<Rule> adam(double beta1, double beta2, double epsilon) {
  check("Adam", beta1, beta2, epsilon);
  return std::make_unique<Adam>(beta1, beta2, epsilon);
}

std::unique_ptr<Rule> adam_w(double beta1, double beta2, double epsilon, double decay) {
  check("AdamW", beta1, beta2, epsilon);
  if (!(decay >= 0) || !std::isfinite(decay)) fail(DN_E_ARGUMENT, "AdamW with a decay of %g: finite, 0 or more", decay);
  return std::make_unique<AdamW>(beta1, beta2, epsilon, decay);
}

std::unique_ptr<Rule> amsgrad(double beta1, double beta2, double epsilon) {
  check("AMSGrad", beta1, beta2, epsilon);
  return std::make_unique<Amsgrad>(beta1, beta2, epsilon);
}

}  // namespace dynnet

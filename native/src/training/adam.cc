#include <cmath>

#include "core/error.h"
#include "core/kernels.h"
#include "training/rule.h"

namespace dynnet {
namespace {

class Adam : public Rule {
 public:
  Adam(double beta1, double beta2, double epsilon) : beta1_(beta1), beta2_(beta2), epsilon_(epsilon) {}
  int moments() const override { return 2; }
  void begin(const UpdateStep& step) override {
    const double t = static_cast<double>(step.number);
    // The biases of both moments' start at 0, corrected in the rate (Kingma and Ba 2015, end of section 2).
    const double rate = step.learning_rate * std::sqrt(1 - std::pow(beta2_, t)) / (1 - std::pow(beta1_, t));
    step_ = {static_cast<float>(beta1_),
             static_cast<float>(beta2_),
             static_cast<float>(epsilon_),
             static_cast<float>(rate),
             static_cast<float>(step.gradient_scale),
             static_cast<float>(step.decay)};
  }
  void apply(float* values, const float* gradient, float* mean, float* variance, int64_t n) const override {
    kernels().adam(values, gradient, mean, variance, n, step_);
  }

 private:
  double beta1_;
  double beta2_;
  double epsilon_;
  AdamStep step_{};
};

bool is_decay_rate(double beta) { return beta >= 0 && beta < 1; }

}  // namespace

std::unique_ptr<Rule> adam(double beta1, double beta2, double epsilon) {
  if (!is_decay_rate(beta1) || !is_decay_rate(beta2))
    fail(DN_E_ARGUMENT, "Adam with betas of %g and %g: each is 0 or more, less than 1", beta1, beta2);
  if (!(epsilon > 0) || !std::isfinite(epsilon))
    fail(DN_E_ARGUMENT, "Adam with an epsilon of %g: more than 0", epsilon);
  return std::make_unique<Adam>(beta1, beta2, epsilon);
}

}  // namespace dynnet

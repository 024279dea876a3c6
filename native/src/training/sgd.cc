#include "core/error.h"
#include "core/kernels.h"
#include "training/rule.h"

namespace dynnet {
namespace {

class SimpleSgd : public Rule {
 public:
  int moments() const override { return 0; }
  void begin(const UpdateStep& step) override {
    rate_ = static_cast<float>(step.learning_rate * step.gradient_scale);
    decay_ = static_cast<float>(step.decay);
  }
  void apply(float* values, const float* gradient, float*, float*, int64_t n) const override {
    kernels().sgd(values, gradient, n, rate_, decay_);
  }

 private:
  float rate_ = 0;
  float decay_ = 1;
};

class MomentumSgd : public Rule {
 public:
  explicit MomentumSgd(double momentum) : momentum_(static_cast<float>(momentum)) {}
  int moments() const override { return 1; }
  void begin(const UpdateStep& step) override {
    rate_ = static_cast<float>(step.learning_rate * step.gradient_scale);
    decay_ = static_cast<float>(step.decay);
  }
  void apply(float* values, const float* gradient, float* velocity, float*, int64_t n) const override {
    kernels().momentum_sgd(values, gradient, velocity, n, rate_, momentum_, decay_);
  }

 private:
  float momentum_;
  float rate_ = 0;
  float decay_ = 1;
};

}  // namespace

std::unique_ptr<Rule> simple_sgd() { return std::make_unique<SimpleSgd>(); }

std::unique_ptr<Rule> momentum_sgd(double momentum) {
  if (!(momentum >= 0 && momentum < 1)) fail(DN_E_ARGUMENT, "a momentum of %g: 0 or more, less than 1", momentum);
  return std::make_unique<MomentumSgd>(momentum);
}

}  // namespace dynnet

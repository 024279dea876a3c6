// Update rules: how a value changes by its gradient. A rule is elementwise, so an update may cut parameters into pieces
// of any size.
#ifndef DYNNET_TRAINING_RULE_H_
#define DYNNET_TRAINING_RULE_H_

#include <cstdint>
#include <memory>

namespace dynnet {

/// What is common to all values in one update.
struct UpdateStep {
  double learning_rate;
  /// The number of this update, from 1.
  int64_t number;
  /// The factor by which clipping scales gradients.
  double gradient_scale;
  /// The factor by which weight decay scales values.
  double decay;
};

class Rule {
 public:
  virtual ~Rule() = default;
  /// How many numbers the rule remembers for each value; 0 to 2.
  virtual int moments() const = 0;
  /// Called once before the `apply`s of one update.
  virtual void begin(const UpdateStep& step) = 0;
  /// Updates n values. Called from several threads at once. Moments that the rule does not have are null.
  virtual void apply(float* values, const float* gradient, float* first, float* second, int64_t n) const = 0;
};

/// w -= rate * g
std::unique_ptr<Rule> simple_sgd();
/// v = momentum * v - rate * g; w += v
std::unique_ptr<Rule> momentum_sgd(double momentum);
/// See dn_trainer_create_adam.
std::unique_ptr<Rule> adam(double beta1, double beta2, double epsilon);

}  // namespace dynnet

#endif  // DYNNET_TRAINING_RULE_H_

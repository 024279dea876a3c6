// Update rules: how a value changes by its gradient. Most are elementwise, so that an update may cut parameters into
// pieces of any size.
#ifndef DYNNET_TRAINING_RULE_H_
#define DYNNET_TRAINING_RULE_H_

#include <algorithm>
#include <cfloat>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dynnet {

/// What is common to all values of one weight decay in one update: w = keep * w + push * (the rule's step).
struct UpdateStep {
  double learning_rate;
  /// The number of this update since the trainer was made or restarted, from 1.
  int64_t number;
  /// The factor by which clipping scales gradients.
  double gradient_scale;
  double keep;
  double push;
};

class Rule {
 public:
  static constexpr int kMostMoments = 3;

  /// @param name of the kind, in files
  /// @param settings the numbers that the rule was made of
  Rule(const char* name, std::vector<double> settings) : name_(name), settings_(std::move(settings)) {}
  virtual ~Rule() = default;

  const char* name() const { return name_; }
  const std::vector<double>& settings() const { return settings_; }
  /// A rule of the same kind made of other settings, as many as this one's.
  virtual std::unique_ptr<Rule> with(const std::vector<double>& settings) const = 0;

  /// How many numbers the rule remembers for each value.
  virtual int moments() const = 0;
  /// From which moment on they are sums of squares, never negative.
  virtual int first_square() const { return moments(); }
  /// Whether a gradient of 0 changes nothing, whatever the moments are.
  virtual bool rests() const { return false; }
  /// Whether a value's step depends on the whole parameter, or row of a table, which then is updated in one piece.
  virtual bool is_joint() const { return false; }
  /// The share of itself that a value loses in an update, before its step.
  virtual double decay(double) const { return 0; }
  /// The learning rate of the update that follows `steps` updates, from what it was.
  virtual double next_rate(int64_t, double rate) const { return rate; }
  /// Throws if the rule is not for these values.
  /// @param name of the parameter or table
  /// @param row of the table, or -1
  virtual void check(const float* values, int64_t n, const std::string& name, int64_t row) const;

  /// Called before the `apply`s of one update, once for each weight decay.
  virtual void begin(const UpdateStep& step) = 0;
  /// Updates n values. Called from several threads at once. Moments that the rule does not have are null.
  virtual void apply(float* values, const float* gradient, float* const* moments, int64_t n) const = 0;

 private:
  const char* name_;
  std::vector<double> settings_;
};

inline void Rule::check(const float*, int64_t, const std::string&, int64_t) const {}

/// A number that stays more than 0 as a float.
inline float positive(double number) { return std::max(static_cast<float>(number), FLT_MIN); }

/// Whether a number may be a momentum or a rate of decay.
inline bool is_decay_rate(double number) { return number >= 0 && number < 1; }

// For the formulas see the dn_trainer_create of the same name. All throw DN_E_ARGUMENT for what is out of its range.
std::unique_ptr<Rule> simple_sgd();
std::unique_ptr<Rule> cyclical_sgd(double least, double most, double step_size, double gamma);
std::unique_ptr<Rule> momentum_sgd(double momentum);
std::unique_ptr<Rule> nesterov_sgd(double momentum);
std::unique_ptr<Rule> adagrad(double epsilon);
std::unique_ptr<Rule> adadelta(double epsilon, double rho);
std::unique_ptr<Rule> rms_prop(double epsilon, double rho);
std::unique_ptr<Rule> adam(double beta1, double beta2, double epsilon);
std::unique_ptr<Rule> adam_w(double beta1, double beta2, double epsilon, double decay);
std::unique_ptr<Rule> amsgrad(double beta1, double beta2, double epsilon);
std::unique_ptr<Rule> exponentiated_gradient(double momentum);

}  // namespace dynnet

#endif  // DYNNET_TRAINING_RULE_H_

// Gradients against differences.
#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/backward.h"
#include "nn/gradients.h"
#include "nn/model.h"

namespace dynnet {
namespace {

/// Puts a value back, whatever happens.
class Changed {
 public:
  Changed(float* value, std::atomic<uint64_t>& version) : value_(value), before_(*value), version_(version) {}
  ~Changed() { set(before_); }
  Changed(const Changed&) = delete;
  Changed& operator=(const Changed&) = delete;
  float before() const { return before_; }
  void set(float value) {
    *value_ = value;
    version_.fetch_add(1, std::memory_order_release);
  }

 private:
  float* value_;
  float before_;
  std::atomic<uint64_t>& version_;
};

// Calls f(i) for n of `count` elements, evenly spread; for all if n is 0.
template <class F>
void visit_spread(int64_t count, int64_t n, F f) {
  const int64_t visits = n == 0 ? count : std::min(n, count);
  for (int64_t i = 0; i < visits; ++i) f(i * count / visits);
}

}  // namespace

dn_gradient_check Graph::check_gradients(uint32_t node, const dn_model& model, double step, double tolerance,
                                         int64_t most) {
  const Type& type = type_of(node);
  if (type.size != 1)
    fail(DN_E_SHAPE, "check_gradients: node %u (%s) has shape %s, expected one element", node, type.def->name,
         type.dim.text().c_str());
  // Of the numbers that a float can be and computing does not flush to 0.
  if (!(step >= std::numeric_limits<float>::min() && step <= std::numeric_limits<float>::max()))
    fail(DN_E_ARGUMENT, "check_gradients: a step of %g, expected 1.2e-38 to 3.4e38", step);
  if (!(tolerance >= 0)) fail(DN_E_ARGUMENT, "check_gradients: a tolerance of %g, expected 0 or more", tolerance);
  if (most < 0) fail(DN_E_ARGUMENT, "check_gradients: %lld elements, expected 0 or more", static_cast<long long>(most));

  node = root_of(node, "check_gradients");
  forward(node);
  gradient_memory_.reset();
  differentiated_ = kNone;
  // Sets that are thrown away, for other models of the graph too.
  GradientTargets targets(nullptr);
  targets.use_temporary();
  BackwardPass(*this, targets, false).run(node);
  GradientSet& gradients = targets.of(*model.storage);
  // Every forward draws the numbers that this one drew.
  const uint32_t forwards = forwards_;
  auto loss = [&] {
    forwards_ = forwards - 1;
    forward(node);
    return static_cast<double>(*value(node));
  };

  dn_gradient_check result{};
  gradient_report_.clear();
  auto check = [&](const std::string& name, int64_t element, float* place, std::atomic<uint64_t>& version,
                   double gradient) {
    Changed changed(place, version);
    const float before = changed.before();
    const auto own_step = static_cast<float>(step * std::max(1.0, std::abs(static_cast<double>(before))));
    // At least the next numbers, where the step is lost in rounding.
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float above = std::max(before + own_step, std::nextafter(before, kInfinity));
    const float below = std::min(before - own_step, std::nextafter(before, -kInfinity));
    changed.set(above);
    const double upper = loss();
    changed.set(below);
    const double lower = loss();
    const double distance = static_cast<double>(above) - static_cast<double>(below);
    const double difference = (upper - lower) / distance;
    // What rounding of the two losses does to the difference.
    const double rounding = 16 * static_cast<double>(std::numeric_limits<float>::epsilon()) *
                            std::max(std::abs(upper), std::abs(lower)) / distance;
    const double error = std::abs(gradient - difference);
    const double largest = std::max(std::abs(gradient), std::abs(difference));
    ++result.elements;
    if (largest <= rounding) ++result.undecided;
    if (!std::isfinite(error)) result.worst = std::numeric_limits<double>::infinity();
    if (error > rounding) result.worst = std::max(result.worst, error / largest);
    // Written so that NaN fails.
    if (error <= tolerance * largest + rounding) return;
    ++result.failed;
    gradient_report_ += format("%s, element %lld: gradient %g, difference %g\n", name.c_str(),
                               static_cast<long long>(element), gradient, difference);
  };
  for (const auto& parameter : model.storage->parameters()) {
    if (!model.holds(parameter->name)) continue;
    const float* const gradient = gradients.read(*parameter);
    visit_spread(parameter->dim.size(), most, [&](int64_t i) {
      check(parameter->name, i, parameter->values.data() + i, parameter->version, static_cast<double>(gradient[i]));
    });
  }
  for (const auto& table : model.storage->lookups()) {
    if (!model.holds(table->name)) continue;
    const std::vector<int32_t>& rows = gradients.rows(*table);
    const int64_t size = table->row_size();
    visit_spread(static_cast<int64_t>(rows.size()) * size, most, [&](int64_t i) {
      const int32_t row = rows[static_cast<size_t>(i / size)];
      check(table->name, row * size + i % size, table->row(row) + i % size, table->version,
            static_cast<double>(gradients.row(*table, row)[i % size]));
    });
  }
  loss();
  return result;
}

}  // namespace dynnet

// One of each kind of trainer, with its rule in double by the book.
#ifndef DYNNET_TESTS_TRAINER_SUPPORT_H_
#define DYNNET_TESTS_TRAINER_SUPPORT_H_

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "model_support.h"

namespace dynnet::test {

/// One value and what its rule remembers.
struct Remembered {
  double w = 0;
  double a = 0;
  double b = 0;
  double c = 0;
};

using Row = std::vector<Remembered>;

struct TrainerKind {
  std::string name;
  std::function<dn_status(dn_model*, dn_trainer**)> create;
  /// One update of a parameter, or of a row of a table, by its gradient; t is the number of the update.
  std::function<void(Row& row, const std::vector<double>& g, int t)> by_the_book;
  /// Whether a gradient of 0 changes nothing.
  bool rests = false;

  TrainerHandle make(const ModelHandle& model) const {
    dn_trainer* trainer = nullptr;
    EXPECT_OK(create(model.get(), &trainer));
    EXPECT_OK(dn_trainer_set_clip_threshold(trainer, 0));
    return TrainerHandle(trainer);
  }
  friend std::ostream& operator<<(std::ostream& out, const TrainerKind& kind) { return out << kind.name; }
};

/// A rule that treats each value alone.
inline auto elementwise(std::function<void(Remembered&, double g, int t)> rule) {
  return [rule](Row& row, const std::vector<double>& g, int t) {
    for (size_t i = 0; i < row.size(); ++i) rule(row[i], g[i], t);
  };
}

/// The cyclical rate of update t from the paper's triangle: up for 10 updates, down for 10, the first twice.
inline double cyclical_rate(int t) {
  const int k = std::max(t - 2, 0);
  const int in_cycle = k % 20;
  const double height = in_cycle < 10 ? in_cycle / 10.0 : 2 - in_cycle / 10.0;
  return 0.001 + 0.009 * height * std::pow(0.99, k);
}

/// Adam's moments, by the betas that all its kinds have here.
inline void adam_moments(Remembered& r, double g) {
  r.a = 0.9 * r.a + 0.1 * g;
  r.b = 0.999 * r.b + 0.001 * g * g;
}
inline double adam_mean(const Remembered& r, int t) { return r.a / (1 - std::pow(0.9, t)); }
inline double adam_correction(int t) { return std::sqrt(1 - std::pow(0.999, t)); }
inline void adam_by_the_book(Remembered& r, double g, int t, double rate, double epsilon) {
  adam_moments(r, g);
  r.w -= rate * adam_correction(t) * adam_mean(r, t) / (std::sqrt(r.b) + epsilon);
}

/// Where a rule has an epsilon, it is so large that it shows where it belongs.
inline std::vector<TrainerKind> trainer_kinds() {
  return {
      {"simple_sgd", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_simple_sgd(m, 0.01, out); },
       elementwise([](Remembered& r, double g, int) { r.w -= 0.01 * g; }), true},
      {"cyclical_sgd",
       [](dn_model* m, dn_trainer** out) { return dn_trainer_create_cyclical_sgd(m, 0.001, 0.01, 10, 0.99, out); },
       elementwise([](Remembered& r, double g, int t) { r.w -= cyclical_rate(t) * g; }), true},
      {"momentum_sgd", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_momentum_sgd(m, 1e-3, 0.9, out); },
       elementwise([](Remembered& r, double g, int) {
         r.a = 0.9 * r.a - 1e-3 * g;
         r.w += r.a;
       })},
      {"nesterov_sgd", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_nesterov_sgd(m, 1e-3, 0.9, out); },
       elementwise([](Remembered& r, double g, int) {
         r.a = 0.9 * r.a - 1e-3 * g;
         r.w += 0.9 * r.a - 1e-3 * g;
       })},
      {"adagrad", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_adagrad(m, 0.01, 0.1, out); },
       elementwise([](Remembered& r, double g, int) {
         r.a += g * g;
         r.w -= 0.01 * g / std::sqrt(r.a + 0.1);
       }),
       true},
      {"adadelta", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_adadelta(m, 1e-5, 0.95, out); },
       elementwise([](Remembered& r, double g, int) {
         r.a = 0.95 * r.a + 0.05 * g * g;
         const double d = g * std::sqrt(r.b + 1e-5) / std::sqrt(r.a + 1e-5);
         r.b = 0.95 * r.b + 0.05 * d * d;
         r.w -= d;
       })},
      {"rms_prop", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_rms_prop(m, 1e-3, 0.1, 0.95, out); },
       elementwise([](Remembered& r, double g, int) {
         r.a = 0.95 * r.a + 0.05 * g * g;
         r.w -= 1e-3 * g / std::sqrt(r.a + 0.1);
       })},
      {"adam", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_adam(m, 1e-3, 0.9, 0.999, 0.1, out); },
       elementwise([](Remembered& r, double g, int t) { adam_by_the_book(r, g, t, 1e-3, 0.1); })},
      {"adam_w",
       [](dn_model* m, dn_trainer** out) { return dn_trainer_create_adam_w(m, 1e-3, 0.9, 0.999, 0.1, 0.5, out); },
       elementwise([](Remembered& r, double g, int t) {
         adam_moments(r, g);
         r.w -= 1e-3 * (adam_mean(r, t) / (std::sqrt(r.b) / adam_correction(t) + 0.1) + 0.5 * r.w);
       })},
      {"amsgrad",
       [](dn_model* m, dn_trainer** out) { return dn_trainer_create_amsgrad(m, 1e-3, 0.9, 0.999, 0.1, out); },
       elementwise([](Remembered& r, double g, int t) {
         adam_moments(r, g);
         r.c = std::max(r.c, r.b);
         r.w -= 1e-3 * adam_correction(t) * adam_mean(r, t) / (std::sqrt(r.c) + 0.1);
       })},
      {"eg", [](dn_model* m, dn_trainer** out) { return dn_trainer_create_eg(m, 0.01, 0.9, out); },
       [](Row& row, const std::vector<double>& g, int) {
         double sum = 0;
         for (size_t i = 0; i < row.size(); ++i) {
           row[i].a = 0.9 * row[i].a - 0.01 * g[i];
           row[i].w *= std::exp(row[i].a);
           sum += row[i].w;
         }
         for (Remembered& r : row) r.w /= sum;
       }},
  };
}

inline std::vector<float> random_floats(int64_t n, uint32_t seed, float low = -1, float high = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> draw(low, high);
  std::vector<float> result(static_cast<size_t>(n));
  for (float& value : result) value = draw(generator);
  return result;
}

inline Row row_of(const std::vector<float>& values) {
  Row row(values.size());
  for (size_t i = 0; i < values.size(); ++i) row[i].w = values[i];
  return row;
}

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_TRAINER_SUPPORT_H_

#include "training/trainer.h"

#include "c_api/guard.h"
#include "dynnet/dynnet.h"
#include "training/rule.h"

using dynnet::checked_clipping;
using dynnet::fail;
using dynnet::MovingAverage;
using dynnet::required;
using dynnet::TrainerState;
using dynnet::c_api::guard;

namespace {

template <class MakeRule>
dn_status create(dn_model* model, double learning_rate, dn_trainer** out, MakeRule&& make_rule) {
  return guard([&] {
    const dn_model& owner = required(model, "the model");
    required(out, "out");
    *out = new dn_trainer(owner, make_rule(), learning_rate);
  });
}

const dn_trainer& checked(const dn_trainer* trainer) { return required(trainer, "the trainer"); }
dn_trainer& checked(dn_trainer* trainer) { return required(trainer, "the trainer"); }

template <class T>
T& result(T* out) {
  return required(out, "out");
}

}  // namespace

dn_status dn_trainer_create_simple_sgd(dn_model* model, double learning_rate, dn_trainer** out) {
  return create(model, learning_rate, out, [] { return dynnet::simple_sgd(); });
}

dn_status dn_trainer_create_momentum_sgd(dn_model* model, double learning_rate, double momentum, dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::momentum_sgd(momentum); });
}

dn_status dn_trainer_create_cyclical_sgd(dn_model* model, double learning_rate_min, double learning_rate_max,
                                         double step_size, double gamma, dn_trainer** out) {
  return create(model, learning_rate_min, out,
                [&] { return dynnet::cyclical_sgd(learning_rate_min, learning_rate_max, step_size, gamma); });
}

dn_status dn_trainer_create_nesterov_sgd(dn_model* model, double learning_rate, double momentum, dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::nesterov_sgd(momentum); });
}

dn_status dn_trainer_create_adagrad(dn_model* model, double learning_rate, double epsilon, dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::adagrad(epsilon); });
}

dn_status dn_trainer_create_adadelta(dn_model* model, double epsilon, double rho, dn_trainer** out) {
  return create(model, 1, out, [&] { return dynnet::adadelta(epsilon, rho); });
}

dn_status dn_trainer_create_rms_prop(dn_model* model, double learning_rate, double epsilon, double rho,
                                     dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::rms_prop(epsilon, rho); });
}

dn_status dn_trainer_create_adam(dn_model* model, double learning_rate, double beta1, double beta2, double epsilon,
                                 dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::adam(beta1, beta2, epsilon); });
}

dn_status dn_trainer_create_adam_w(dn_model* model, double learning_rate, double beta1, double beta2, double epsilon,
                                   double decay, dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::adam_w(beta1, beta2, epsilon, decay); });
}

dn_status dn_trainer_create_amsgrad(dn_model* model, double learning_rate, double beta1, double beta2, double epsilon,
                                    dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::amsgrad(beta1, beta2, epsilon); });
}

dn_status dn_trainer_create_eg(dn_model* model, double learning_rate, double momentum, dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::exponentiated_gradient(momentum); });
}

void dn_trainer_free(dn_trainer* trainer) { delete trainer; }

dn_status dn_trainer_update(dn_trainer* trainer) {
  return guard([&] { checked(trainer).update(nullptr, 0); });
}

dn_status dn_trainer_update_from(dn_trainer* trainer, dn_gradients* const* sets, int32_t sets_count) {
  return guard([&] {
    dn_trainer& self = checked(trainer);
    if (sets_count < 0 || (sets == nullptr && sets_count > 0))
      fail(DN_E_ARGUMENT, "the gradient sets are null or their number is negative");
    self.update(sets, sets_count);
  });
}

dn_status dn_trainer_update_subset(dn_trainer* trainer, dn_parameter* const* parameters, int32_t parameters_count,
                                   dn_lookup_parameter* const* tables, int32_t tables_count) {
  return guard([&] {
    dn_trainer& self = checked(trainer);
    if (parameters_count < 0 || (parameters == nullptr && parameters_count > 0))
      fail(DN_E_ARGUMENT, "the parameters are null or their number is negative");
    if (tables_count < 0 || (tables == nullptr && tables_count > 0))
      fail(DN_E_ARGUMENT, "the lookup parameters are null or their number is negative");
    self.update_subset(parameters, parameters_count, tables, tables_count);
  });
}

dn_status dn_trainer_restart(dn_trainer* trainer) {
  return guard([&] { checked(trainer).restart(); });
}

dn_status dn_trainer_learning_rate(const dn_trainer* trainer, double* out) {
  return guard([&] { result(out) = checked(trainer).state().learning_rate; });
}

dn_status dn_trainer_set_learning_rate(dn_trainer* trainer, double learning_rate) {
  return guard([&] { checked(trainer).state().learning_rate = dynnet::checked_learning_rate(learning_rate); });
}

dn_status dn_trainer_clip_threshold(const dn_trainer* trainer, double* out) {
  return guard([&] { result(out) = checked(trainer).state().clip_threshold; });
}

dn_status dn_trainer_set_clip_threshold(dn_trainer* trainer, double threshold) {
  return guard([&] { checked(trainer).state().clip_threshold = checked_clipping(threshold, "threshold"); });
}

dn_status dn_trainer_clip_value(const dn_trainer* trainer, double* out) {
  return guard([&] { result(out) = checked(trainer).state().clip_value; });
}

dn_status dn_trainer_set_clip_value(dn_trainer* trainer, double bound) {
  return guard([&] { checked(trainer).state().clip_value = checked_clipping(bound, "bound"); });
}

dn_status dn_trainer_sparse_updates(const dn_trainer* trainer, int32_t* out) {
  return guard([&] { result(out) = checked(trainer).state().sparse ? 1 : 0; });
}

dn_status dn_trainer_set_sparse_updates(dn_trainer* trainer, int32_t on) {
  return guard([&] { checked(trainer).state().sparse = on != 0; });
}

dn_status dn_trainer_updates_count(const dn_trainer* trainer, int64_t* out) {
  return guard([&] { result(out) = checked(trainer).state().updates; });
}

dn_status dn_trainer_clips_count(const dn_trainer* trainer, int64_t* out) {
  return guard([&] { result(out) = checked(trainer).state().clips; });
}

dn_status dn_trainer_steps_count(const dn_trainer* trainer, int64_t* out) {
  return guard([&] { result(out) = checked(trainer).state().steps; });
}

dn_status dn_trainer_status(dn_trainer* trainer, int32_t reset, int64_t* out_updates, int64_t* out_clips) {
  return guard([&] {
    TrainerState& state = checked(trainer).state();
    required(out_updates, "out_updates");
    required(out_clips, "out_clips");
    *out_updates = state.status_updates;
    *out_clips = state.status_clips;
    if (reset != 0) state.status_updates = state.status_clips = 0;
  });
}

dn_status dn_trainer_use_cumulative_average(dn_trainer* trainer, int64_t every) {
  return guard([&] { checked(trainer).use_average(MovingAverage(DN_AVERAGE_CUMULATIVE, 0, every)); });
}

dn_status dn_trainer_use_exponential_average(dn_trainer* trainer, double beta, int64_t every) {
  return guard([&] { checked(trainer).use_average(MovingAverage(DN_AVERAGE_EXPONENTIAL, beta, every)); });
}

dn_status dn_trainer_average_kind(const dn_trainer* trainer, int32_t* out) {
  return guard([&] { result(out) = checked(trainer).state().average.kind(); });
}

dn_status dn_trainer_swap_to_average(dn_trainer* trainer, int32_t save_weights, int32_t bias_correction) {
  return guard([&] {
    dn_trainer& self = checked(trainer);
    self.state().average.swap_to_average(self.model(), save_weights != 0, bias_correction != 0);
  });
}

dn_status dn_trainer_swap_to_weights(dn_trainer* trainer) {
  return guard([&] {
    dn_trainer& self = checked(trainer);
    self.state().average.swap_to_weights(self.model());
  });
}

dn_status dn_trainer_is_swapped(const dn_trainer* trainer, int32_t* out) {
  return guard([&] { result(out) = checked(trainer).state().average.is_swapped() ? 1 : 0; });
}

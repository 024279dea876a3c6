#include "training/trainer.h"

#include "c_api/guard.h"
#include "dynnet/dynnet.h"
#include "training/rule.h"

using dynnet::fail;
using dynnet::required;
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

dn_status dn_trainer_create_adam(dn_model* model, double learning_rate, double beta1, double beta2, double epsilon,
                                 dn_trainer** out) {
  return create(model, learning_rate, out, [&] { return dynnet::adam(beta1, beta2, epsilon); });
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

dn_status dn_trainer_learning_rate(const dn_trainer* trainer, double* out) {
  return guard([&] { result(out) = checked(trainer).learning_rate(); });
}

dn_status dn_trainer_set_learning_rate(dn_trainer* trainer, double learning_rate) {
  return guard([&] { checked(trainer).set_learning_rate(learning_rate); });
}

dn_status dn_trainer_clip_threshold(const dn_trainer* trainer, double* out) {
  return guard([&] { result(out) = checked(trainer).clip_threshold(); });
}

dn_status dn_trainer_set_clip_threshold(dn_trainer* trainer, double threshold) {
  return guard([&] { checked(trainer).set_clip_threshold(threshold); });
}

dn_status dn_trainer_sparse_updates(const dn_trainer* trainer, int32_t* out) {
  return guard([&] { result(out) = checked(trainer).sparse_updates() ? 1 : 0; });
}

dn_status dn_trainer_set_sparse_updates(dn_trainer* trainer, int32_t on) {
  return guard([&] { checked(trainer).set_sparse_updates(on != 0); });
}

dn_status dn_trainer_updates_count(const dn_trainer* trainer, int64_t* out) {
  return guard([&] { result(out) = checked(trainer).updates(); });
}

dn_status dn_trainer_clips_count(const dn_trainer* trainer, int64_t* out) {
  return guard([&] { result(out) = checked(trainer).clips(); });
}

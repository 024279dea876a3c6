// Trainers.
#ifndef DYNNET_DYNNET_TRAINERS_H_
#define DYNNET_DYNNET_TRAINERS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// In the formulas g is the gradient, after clipping; t counts updates since the trainer was made or restarted, from 1;
// operations are elementwise. What a rule remembers of a value (v, m, h, e, u) begins at 0.

/// Stochastic gradient descent: w -= rate * g.
DN_API dn_status dn_trainer_create_simple_sgd(dn_model* model, double learning_rate, dn_trainer** out);

/// Gradient descent with a cyclical learning rate (Smith 2017), w -= rate * g. The rate of the first update is the
/// least; that of update t + 2 is, for t from 0, min + (max - min) * max(0, 1 - x) * gamma^t, where
/// x = |t / step_size - 2 cycle + 1| and cycle = floor(1 + t / (2 step_size)): up and down in 2 step_size updates, as
/// in DyNet.
/// @param learning_rate_min finite, 0 or more
/// @param learning_rate_max finite, not less than the least
/// @param step_size half a cycle in updates, more than 0
/// @param gamma by how much each update shrinks the tops, more than 0, at most 1
DN_API dn_status dn_trainer_create_cyclical_sgd(dn_model* model, double learning_rate_min, double learning_rate_max,
                                                double step_size, double gamma, dn_trainer** out);

/// Gradient descent with momentum: v = momentum * v - rate * g; w += v.
/// @param momentum 0 or more, less than 1
DN_API dn_status dn_trainer_create_momentum_sgd(dn_model* model, double learning_rate, double momentum,
                                                dn_trainer** out);

/// Gradient descent with Nesterov's momentum (Sutskever, Martens, Dahl and Hinton 2013, in the values ahead):
/// v = momentum * v - rate * g; w += momentum * v - rate * g.
/// @param momentum 0 or more, less than 1
DN_API dn_status dn_trainer_create_nesterov_sgd(dn_model* model, double learning_rate, double momentum,
                                                dn_trainer** out);

/// Adagrad (Duchi, Hazan and Singer 2011): h += g^2; w -= rate * g / sqrt(h + eps), as in DyNet.
/// @param epsilon more than 0
DN_API dn_status dn_trainer_create_adagrad(dn_model* model, double learning_rate, double epsilon, dn_trainer** out);

/// Adadelta (Zeiler 2012): h = rho h + (1 - rho) g^2; d = g sqrt(e + eps) / sqrt(h + eps);
/// e = rho e + (1 - rho) d^2; w -= rate * d. The rate is 1, as in the paper and in DyNet, until it is set.
/// @param epsilon more than 0
/// @param rho 0 or more, less than 1
DN_API dn_status dn_trainer_create_adadelta(dn_model* model, double epsilon, double rho, dn_trainer** out);

/// RMSProp (Tieleman and Hinton 2012): h = rho h + (1 - rho) g^2; w -= rate * g / sqrt(h + eps), as in DyNet.
/// @param epsilon more than 0
/// @param rho 0 or more, less than 1
DN_API dn_status dn_trainer_create_rms_prop(dn_model* model, double learning_rate, double epsilon, double rho,
                                            dn_trainer** out);

/// Adam: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps),
/// as in DyNet (Kingma and Ba 2015, the order of section 2's last paragraph).
/// @param beta1 0 or more, less than 1; beta2 likewise
/// @param epsilon more than 0
DN_API dn_status dn_trainer_create_adam(dn_model* model, double learning_rate, double beta1, double beta2,
                                        double epsilon, dn_trainer** out);

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): m and v as in Adam;
/// w -= rate * (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay * w). The decay is of every value that the
/// trainer may change, whether it has a gradient or not, sparse updates included; it is apart from
/// dn_model_set_weight_decay, which comes after it. An update whose rate * decay is more than 1 would take more than
/// all of each value, and is DN_E_ARGUMENT.
/// @param epsilon more than 0
/// @param decay finite, 0 or more
DN_API dn_status dn_trainer_create_adam_w(dn_model* model, double learning_rate, double beta1, double beta2,
                                          double epsilon, double decay, dn_trainer** out);

/// AMSGrad (Reddi, Kale and Kumar 2018): m and v as in Adam; u = max(u, v);
/// w -= rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(u) + eps), with Adam's correction of the biases as in DyNet.
/// @param epsilon more than 0
DN_API dn_status dn_trainer_create_amsgrad(dn_model* model, double learning_rate, double beta1, double beta2,
                                           double epsilon, dn_trainer** out);

/// Exponentiated gradient (Kivinen and Warmuth 1997) with momentum, as in DyNet: v = momentum * v - rate * g;
/// w = w exp(v) / sum(w exp(v)). Each parameter, and each row of a lookup parameter, is one distribution, which sums to
/// 1 after its first update. (DyNet takes a whole table for one where updates are dense.) A value of 0 stays 0. Weight
/// decay has no effect, since the sum is 1 afterwards.
/// @param momentum 0 or more, less than 1
/// @throws DN_E_STATE from an update, if a value is negative or not finite or all of a distribution are 0: nothing is
/// updated
DN_API dn_status dn_trainer_create_eg(dn_model* model, double learning_rate, double momentum, dn_trainer** out);

/// Gives back a trainer.
DN_API void dn_trainer_free(dn_trainer* trainer);

/// Updates all parameters from the model's own gradients, and sets those to 0. A parameter that never had a gradient is
/// left alone, but for decay; one that had is updated with a gradient of 0 where there is none. Frozen parameters are
/// left out (dn_parameter_set_updated).
/// @throws DN_E_VALUE if clipping by norm or by value is on and a gradient is NaN or infinite: nothing is updated, the
/// gradients stay as they are, and dn_model_reset_gradients clears the way for the next. Without clipping a NaN goes
/// into the values
DN_API dn_status dn_trainer_update(dn_trainer* trainer);

/// Merges gradient sets into the model's own in the order given, sets them to 0, and updates as dn_trainer_update does.
/// @throws as dn_trainer_update, when the sets have been merged; DN_E_ARGUMENT if one is null or of another model,
/// before any is
DN_API dn_status dn_trainer_update_from(dn_trainer* trainer, dn_gradients* const* sets, int32_t sets_count);

/// Updates some of the trainer's parameters, and sets their gradients to 0. Nothing else is changed: the others keep
/// their values, moments and gradients, and do not count for the norm. Frozen ones are left out.
/// @param parameters each of the trainer's model
/// @param tables each of the trainer's model
/// @throws as dn_trainer_update; DN_E_ARGUMENT if one is null or the trainer does not train it
DN_API dn_status dn_trainer_update_subset(dn_trainer* trainer, dn_parameter* const* parameters,
                                          int32_t parameters_count, dn_lookup_parameter* const* tables,
                                          int32_t tables_count);

/// Forgets what the rule remembers of gradients and sets the count of its steps to 0, so that it starts anew, with the
/// values as they are. A cyclical rate begins its cycle again. Other settings, the counts of updates and clips, and the
/// moving average stay.
DN_API dn_status dn_trainer_restart(dn_trainer* trainer);

/// The learning rate.
DN_API dn_status dn_trainer_learning_rate(const dn_trainer* trainer, double* out);

/// Sets the learning rate.
/// @param learning_rate finite, 0 or more
DN_API dn_status dn_trainer_set_learning_rate(dn_trainer* trainer, double learning_rate);

/// The gradient norm above which all gradients are scaled down to it; 0 if clipping is off. The default is 5, as in
/// DyNet.
DN_API dn_status dn_trainer_clip_threshold(const dn_trainer* trainer, double* out);

/// Sets the clipping threshold.
/// @param threshold 0 (no clipping) or more
DN_API dn_status dn_trainer_set_clip_threshold(dn_trainer* trainer, double threshold);

/// The bound of each element of the gradients; 0, which is the default, if there is none.
DN_API dn_status dn_trainer_clip_value(const dn_trainer* trainer, double* out);

/// Sets the bound t: each element of the gradients is brought into [-t, t] before the norm is taken.
/// @param bound 0 (none) or more, finite
DN_API dn_status dn_trainer_set_clip_value(dn_trainer* trainer, double bound);

/// Whether only those rows of a lookup table are updated that have a gradient; on by default, as in DyNet. For simple,
/// cyclical and Adagrad updates that changes nothing, to the bit: with a gradient of 0 they move nothing. For the
/// others the moments of the rows without a gradient rest, where in exact (dense) updates they go on. Exact updates are
/// those of the table as a parameter, to the bit.
DN_API dn_status dn_trainer_sparse_updates(const dn_trainer* trainer, int32_t* out);

/// Chooses between updating only the rows of a lookup table that have a gradient, and the exact update of all.
DN_API dn_status dn_trainer_set_sparse_updates(dn_trainer* trainer, int32_t on);

/// The number of updates made.
DN_API dn_status dn_trainer_updates_count(const dn_trainer* trainer, int64_t* out);

/// The number of updates whose gradients were clipped.
DN_API dn_status dn_trainer_clips_count(const dn_trainer* trainer, int64_t* out);

/// The number of updates since the trainer was made or restarted, of a subset or of all: the t of the formulas.
DN_API dn_status dn_trainer_steps_count(const dn_trainer* trainer, int64_t* out);

/// The updates, and those of them whose gradients were clipped, since the counts were last reset.
/// @param reset whether they are reset to 0, which the counts since the beginning are not
DN_API dn_status dn_trainer_status(dn_trainer* trainer, int32_t reset, int64_t* out_updates, int64_t* out_clips);

// ---- moving averages of the values ----

/// Keeps the mean of all values: after the first update and each n-th after it the values join the average. Frozen
/// parameters are averaged too.
/// @param every n, 1 or more
/// @throws DN_E_STATE after the first update
DN_API dn_status dn_trainer_use_cumulative_average(dn_trainer* trainer, int64_t every);

/// Keeps an exponential average a = beta * a + (1 - beta) * w, from 0 as in DyNet: after the first update and each n-th
/// after it.
/// @param beta 0 or more, less than 1
/// @param every n, 1 or more
/// @throws DN_E_STATE after the first update
DN_API dn_status dn_trainer_use_exponential_average(dn_trainer* trainer, double beta, int64_t every);

/// Which average the trainer keeps: a dn_average_kind.
DN_API dn_status dn_trainer_average_kind(const dn_trainer* trainer, int32_t* out);

/// Sets the values of the model to their averages; nothing happens if they are that already. Values without an average,
/// of parameters added since, stay. Must not run beside anything else that uses the model.
/// Values that are set meanwhile, by hand, from a file or by another trainer, are lost when the weights come back.
/// @param save_weights whether the values are kept for dn_trainer_swap_to_weights; the next update then goes back to
/// them first, and without them is DN_E_STATE
/// @param bias_correction divides an exponential average of n values by 1 - beta^n, which takes out the 0 that it
/// started from; a cumulative one needs none
/// @throws DN_E_STATE if no average is kept, or none was taken yet
DN_API dn_status dn_trainer_swap_to_average(dn_trainer* trainer, int32_t save_weights, int32_t bias_correction);

/// Sets the values of the model back to what they were before dn_trainer_swap_to_average; nothing happens if they are
/// not its averages.
/// @throws DN_E_STATE if they were not saved
DN_API dn_status dn_trainer_swap_to_weights(dn_trainer* trainer);

/// Whether the values of the model are their averages.
DN_API dn_status dn_trainer_is_swapped(const dn_trainer* trainer, int32_t* out);

// ---- the trainer's state in files ----

/// Writes all that a trainer remembers, its settings included, as text: training that goes on after it is read, with
/// the model's values saved beside it, gives the same bits as training that never stopped. Values are the model's
/// file's matter; weight decay and what is frozen are in neither: set them again. The file appears whole or not at all.
/// @throws DN_E_STATE while the model's values are their averages
DN_API dn_status dn_trainer_save(const dn_trainer* trainer, const char* path, int64_t path_length);

/// Writes what dn_trainer_save writes through a callback.
DN_API dn_status dn_trainer_save_to(const dn_trainer* trainer, dn_write_callback write, void* context);

/// Reads what dn_trainer_save wrote into a trainer of the same kind, whose model has the same parameters. On failure
/// the trainer is as it was.
/// @throws DN_E_FORMAT if the file is damaged or incomplete, or of another kind of trainer or another model: the
/// message names what differs
/// @throws DN_E_STATE while the model's values are their averages
DN_API dn_status dn_trainer_populate(dn_trainer* trainer, const char* path, int64_t path_length);

/// Reads a trainer's state from text, as dn_trainer_populate does.
DN_API dn_status dn_trainer_populate_from(dn_trainer* trainer, const uint8_t* bytes, int64_t bytes_count);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_TRAINERS_H_

// The values and gradients of parameters multiplied by a number, clipped and measured.
#ifndef DYNNET_NN_SCALING_H_
#define DYNNET_NN_SCALING_H_

#include "nn/gradients.h"
#include "nn/model.h"

namespace dynnet {

/// Multiplies n floats.
void scale(float* values, int64_t n, float factor);

/// Multiplies the gradient that a set has of a parameter or table, if it has one. The caller holds the set.
void scale_gradient(GradientSet& gradients, const dn_parameter& parameter, float factor);
void scale_gradient(GradientSet& gradients, const dn_lookup_parameter& table, float factor);

/// The sum of the squares of a gradient.
double squared_norm(GradientSet& gradients, const dn_parameter& parameter);
double squared_norm(GradientSet& gradients, const dn_lookup_parameter& table);

/// Scales all values below the model's path so that their norm is the radius. Throws DN_E_STATE if they have none.
void project_weights(const dn_model& model, double radius);

}  // namespace dynnet

#endif  // DYNNET_NN_SCALING_H_

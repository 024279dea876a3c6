// The first values of parameters.
#ifndef DYNNET_NN_INITIALIZER_H_
#define DYNNET_NN_INITIALIZER_H_

#include <cstdint>
#include <string>

#include "core/dim.h"

namespace dynnet {

/// Checks that an initializer is complete and fits a parameter, before memory is taken for it.
/// @param dim the shape; for a table, of one row
/// @param rows of a table, or 0 for a parameter
/// @param name of the parameter, for messages
void check_initializer(const dn_initializer& initializer, const Dim& dim, int64_t rows, const std::string& name);

/// Fills `values` as a checked initializer says. Random kinds depend on the key alone.
void initialize(const dn_initializer& initializer, const Dim& dim, int64_t rows, uint64_t key, float* values);

}  // namespace dynnet

#endif  // DYNNET_NN_INITIALIZER_H_

// The CPU's tables of kernels, by name. core/kernels.h has the choice among them.
#ifndef DYNNET_CPU_KERNELS_H_
#define DYNNET_CPU_KERNELS_H_

#include "core/kernels.h"

namespace dynnet {

/// The table of an instruction set: "v2", "v3", "v4" or "portable"; null if the processor has it not, or the library
/// has no kernels for it.
const Kernels* kernels_for(const char* isa);

}  // namespace dynnet

#endif  // DYNNET_CPU_KERNELS_H_

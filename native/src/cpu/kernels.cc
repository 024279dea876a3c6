// Chooses the kernels for this processor.

#include "cpu/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

// Each set that the library was built with defines its function; those of the others are null.
namespace dynnet::cpu {
namespace v2 {
void fill(Kernels* table) __attribute__((weak));
}
namespace v3 {
void fill(Kernels* table) __attribute__((weak));
}
namespace v4 {
void fill(Kernels* table) __attribute__((weak));
}
namespace portable {
void fill(Kernels* table) __attribute__((weak));
}
}  // namespace dynnet::cpu

namespace dynnet {
namespace {

struct Set {
  const char* name;
  void (*fill)(Kernels*);
  /// Whether the processor has it, and the operating system keeps its registers.
  bool (*usable)();
};

bool always() { return true; }

#ifdef __x86_64__
bool has_v2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse3") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1") &&
         __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
}
bool has_v3() {
  return has_v2() && __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt") &&
         __builtin_cpu_supports("movbe") && __builtin_cpu_supports("f16c");
}
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
bool has_v2() { return false; }
bool has_v3() { return false; }
bool has_v4() { return false; }
#endif

/// The best first.
constexpr int kSets = 4;
const Set kAll[kSets] = {
    {"v4", cpu::v4::fill, has_v4},
    {"v3", cpu::v3::fill, has_v3},
    {"v2", cpu::v2::fill, has_v2},
    {"portable", cpu::portable::fill, always},
};

const Kernels* table_of(int set) {
  // Filled at first use, and never destroyed.
  struct Tables {
    Kernels table[kSets] = {};
    bool usable[kSets] = {};
    Tables() {
      for (int i = 0; i < kSets; ++i) {
        usable[i] = kAll[i].fill != nullptr && kAll[i].usable();
        if (usable[i]) kAll[i].fill(&table[i]);
      }
    }
  };
  static const Tables tables;
  return tables.usable[set] ? &tables.table[set] : nullptr;
}

const Kernels* choose() {
  if (const char* wanted = getenv("DYNNET_ISA")) {
    if (const Kernels* table = kernels_for(wanted)) return table;
    fail(DN_E_DEVICE, "DYNNET_ISA is '%s', which is none of v2, v3, v4 and portable, or which this processor lacks",
         wanted);
  }
  for (int i = 0; i < kSets; ++i) {
    if (const Kernels* table = table_of(i)) return table;
  }
  fail(DN_E_DEVICE, "the library has no kernels for this processor");
}

}  // namespace

const Kernels* kernels_for(const char* isa) {
  for (int i = 0; i < kSets; ++i) {
    if (strcmp(kAll[i].name, isa) == 0) return table_of(i);
  }
  return nullptr;
}

const Kernels& kernels() {
  static const Kernels* const chosen = choose();
  return *chosen;
}

}  // namespace dynnet

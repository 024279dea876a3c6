// What the shared library is from outside: its symbols, its needs, and the instructions that it holds.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>

#include <memory>
#include <regex>
#include <sstream>
#include <string>

namespace {

struct Outcome {
  int status;
  std::string output;
};

Outcome Shell(const std::string& command) {
  Outcome outcome{-1, ""};
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) outcome.output.append(buffer, n);
  outcome.status = pclose(pipe);
  return outcome;
}

bool Has(const std::string& tool) { return Shell("command -v " + tool).status == 0; }

const std::string kLibrary = DYNNET_LIBRARY;

TEST(SharedLibrary, ShowsNothingButTheCAbi) {
  if (!Has("nm")) GTEST_SKIP() << "needs nm";
  const Outcome nm = Shell("nm -D --defined-only --format=posix '" + kLibrary + "'");
  ASSERT_EQ(nm.status, 0) << nm.output;
  std::istringstream lines(nm.output);
  int count = 0;
  for (std::string name, rest; lines >> name && std::getline(lines, rest); ++count) {
    EXPECT_EQ(name.substr(0, 3), "dn_") << name;
  }
  EXPECT_GT(count, 0);
}

TEST(SharedLibrary, HasASonameAndNeedsOnlyTheCompilersLibraries) {
  if (!Has("objdump")) GTEST_SKIP() << "needs objdump";
  const Outcome objdump = Shell("objdump -p '" + kLibrary + "'");
  ASSERT_EQ(objdump.status, 0) << objdump.output;
  EXPECT_TRUE(std::regex_search(objdump.output, std::regex(R"(SONAME\s+libdynnet\.so\n)"))) << objdump.output;
  static const std::regex needed(R"(NEEDED\s+(\S+))");
  static const std::regex expected(R"((libc|libm|libstdc\+\+|libgcc_s|ld-linux.*)\.so\.\d+)");
  for (std::sregex_iterator i(objdump.output.begin(), objdump.output.end(), needed), end; i != end; ++i) {
    EXPECT_TRUE(std::regex_match((*i)[1].str(), expected)) << (*i)[1];
  }
}

// Programs that load it late, as .NET does, have next to no room left for thread-local variables at fixed places.
TEST(SharedLibrary, CanBeLoadedWhileAProgramRuns) {
  void* const library = dlopen(kLibrary.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_NE(dlsym(library, "dn_abi_version"), nullptr);
  dlclose(library);
  if (!Has("objdump")) GTEST_SKIP() << "needs objdump";
  const Outcome objdump = Shell("objdump -p '" + kLibrary + "'");
  std::smatch flags;
  if (!std::regex_search(objdump.output, flags, std::regex(R"(\sFLAGS\s+0x([0-9a-f]+))"))) return;
  constexpr unsigned long kStaticTls = 0x10;
  EXPECT_EQ(std::stoul(flags[1], nullptr, 16) & kStaticTls, 0u) << objdump.output;
}

TEST(SharedLibrary, RunsOnGlibc234) {
  if (!Has("objdump")) GTEST_SKIP() << "needs objdump";
  const Outcome objdump = Shell("objdump -T '" + kLibrary + "'");
  ASSERT_EQ(objdump.status, 0) << objdump.output;
  static const std::regex version(R"(GLIBC_2\.(\d+)\S*\s+(\S+))");
  int count = 0;
  for (std::sregex_iterator i(objdump.output.begin(), objdump.output.end(), version), end; i != end; ++i, ++count) {
    EXPECT_LE(std::stoi((*i)[1]), 34) << i->str();
  }
  EXPECT_GT(count, 0);
}

TEST(SharedLibrary, IsEnoughForAProgramInC) {
  const Outcome smoke = Shell("'" DYNNET_SMOKE "'");
  EXPECT_EQ(smoke.status, 0) << smoke.output;
}

#ifdef __x86_64__  // no other processor has kernels for several instruction sets

// A template or inline function that a kernel file shares with the rest would be one weak symbol for all, compiled for
// the newest instruction set, and older machines would fault on it. So: what is outside a kernel's namespace uses
// nothing that its set alone has.
TEST(SharedLibrary, KeepsEachInstructionSetInItsNamespace) {
  if (!Has("objdump")) GTEST_SKIP() << "needs objdump";
  FILE* pipe = popen(("objdump -d -C --no-show-raw-insn '" + kLibrary + "'").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  static const std::regex new_names("^(mulx|shlx|shrx|sarx|rorx|bzhi|pext|pdep|andn|blsr|blsi|blsmsk)$");
  enum { kBaseline, kV3, kV4 } allowed = kBaseline;
  std::string function;
  int functions_in_v3 = 0, functions_in_v4 = 0, violations = 0;
  char buffer[8192];
  while (fgets(buffer, sizeof buffer, pipe) != nullptr) {
    std::string line = buffer;
    if (line.ends_with(">:\n")) {
      function = line.substr(line.find('<'));
      const bool v4 = function.find("dynnet::cpu::v4::") != std::string::npos;
      const bool v3 = function.find("dynnet::cpu::v3::") != std::string::npos;
      functions_in_v4 += v4;
      functions_in_v3 += v3;
      allowed = v4 ? kV4 : v3 ? kV3 : kBaseline;
      continue;
    }
    const size_t tab = line.find('\t');
    if (tab == std::string::npos || allowed == kV4) continue;
    const std::string instruction = line.substr(tab + 1);
    const std::string name = instruction.substr(0, instruction.find_first_of(" \n"));
    const bool avx512 = instruction.find("%zmm") != std::string::npos || instruction.find("{%k") != std::string::npos;
    // All names that begin with v are those of AVX and later.
    const bool avx =
        name[0] == 'v' || instruction.find("%ymm") != std::string::npos || std::regex_match(name, new_names);
    if ((avx512 || (avx && allowed == kBaseline)) && ++violations <= 10) ADD_FAILURE() << function << line;
  }
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(violations, 0);
  EXPECT_GT(functions_in_v3, 0) << "the library has no kernels for x86-64-v3, or its symbols are stripped";
  EXPECT_GT(functions_in_v4, 0) << "the library has no kernels for x86-64-v4, or its symbols are stripped";
}

// A processor of 2008 has x86-64-v2 and no more: any newer instruction on the way is an illegal one there.
TEST(SharedLibrary, RunsOnAnX86_64_V2Processor) {
  if (!Has("qemu-x86_64")) GTEST_SKIP() << "needs qemu-x86_64 (Debian's package qemu-user)";
  // What the tests themselves are forced to is no matter here.
  const Outcome smoke = Shell("env -u DYNNET_ISA timeout 300 qemu-x86_64 -cpu Nehalem '" DYNNET_SMOKE "'");
  EXPECT_EQ(smoke.status, 0) << smoke.output;
  EXPECT_NE(smoke.output.find("instruction set v2"), std::string::npos) << smoke.output;
}

#endif

}  // namespace

// What src/docs/dynet-parity.md is made of and compared with: the functions of DyNet, and the headers.
#ifndef DYNNET_TESTS_OPS_PARITY_H_
#define DYNNET_TESTS_OPS_PARITY_H_

#include <string>
#include <string_view>
#include <vector>

namespace dynnet::test {

struct Parity {
  /// Names of DyNet's, separated by commas.
  std::string_view dynet;
  /// Ours, after dn_op_: those that do it or, where `csharp` says which method of C# does, those that this is made of.
  std::vector<std::string_view> ours;
  std::string_view csharp{};
};

/// Every function of DyNet 2.1 that makes an expression.
const std::vector<Parity>& parity_functions();

/// An operation as its header declares it.
struct HeaderOp {
  std::string name;
  /// The name of its method in C#, or "C++ only".
  std::string csharp;
  /// The lines of its documentation, one after the other; its tags begin with @.
  std::string documentation;
  std::vector<std::string> parameters;
};

/// In the order of dynnet.h.
const std::vector<HeaderOp>& header_ops();

/// A whole file, whose path is from the repository's root.
std::string repository_file(const std::string& path);
std::vector<std::string> lines_of(const std::string& text);

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_OPS_PARITY_H_

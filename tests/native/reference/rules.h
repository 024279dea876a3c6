// What the interpreter knows of an operation.
#ifndef DYNNET_TESTS_REFERENCE_RULES_H_
#define DYNNET_TESTS_REFERENCE_RULES_H_

#include <functional>
#include <string_view>
#include <vector>

#include "reference/interpreter.h"

namespace dynnet::reference {

/// The shapes and attributes that a result's shape follows from.
struct Signature {
  std::vector<Shape> x;
  const Attributes& attributes;
};

/// A node as its rule computes with it.
struct Context {
  std::vector<Shape> x_shapes;
  const Shape& shape;
  const Attributes& attributes;
  std::vector<const Numbers*> x;
  Numbers& y;
  const Numbers& dy;
  /// Where gradients are added to; the same more than once where an operand is.
  std::vector<Numbers*> dx;
};

/// An element of an operand; operand -1 is the number 1.
struct Element {
  int operand = -1;
  int64_t at = 0;
};

/// Where a place has its batch element, after its coordinates.
inline constexpr size_t kBatch = DN_MAX_DIMS;

inline constexpr Element kOne{};

/// Takes one term: y[to] += factor * a * b.
using Term = std::function<void(int64_t to, double factor, Element a, Element b)>;

struct Rule {
  std::string_view name;
  Shape (*shape)(const Signature&);
  /// A result that is a sum of products of at most two elements says so by listing the terms; its gradient follows.
  void (*terms)(const Context&, const Term&) = nullptr;
  /// All others compute y, and add to dx.
  void (*forward)(const Context&) = nullptr;
  void (*backward)(const Context&) = nullptr;

  /// Computes y, which is zeros before.
  void apply(const Context& context) const;
  /// Adds to dx.
  void differentiate(const Context& context) const;
};

/// The rule of an operation by its name in dynnet.h, without dn_op_; null if there is none.
const Rule* find_rule(std::string_view name);

// The families of rules.
extern const std::vector<Rule> kPolynomials;
extern const std::vector<Rule> kElementwise;
extern const std::vector<Rule> kReductions;
extern const std::vector<Rule> kDistances;
extern const std::vector<Rule> kLosses;
extern const std::vector<Rule> kMatrices;
extern const std::vector<Rule> kConvolutions;
extern const std::vector<Rule> kAttention;
extern const std::vector<Rule> kNoise;
extern const std::vector<Rule> kSlices;
extern const std::vector<Rule> kGradients;

/// Rejects with the shapes in the message.
[[noreturn]] void reject(const Signature& s, const char* why);
void require(bool fits, const Signature& s, const char* why);
int64_t common_batch(const Signature& s, int64_t a, int64_t b);
Shape same_shape(const Signature& s);
/// All operands broadcast to one another.
Shape broadcast_shape(const Signature& s);
/// Two operands of one shape, reduced to a number for each batch element.
Shape pair_to_scalar(const Signature& s);

/// Seven coordinates and the batch element.
using Coordinates = std::array<int64_t, DN_MAX_DIMS + 1>;
/// The place of an element in column-major order; a size of 1 takes any coordinate.
int64_t place(const Shape& shape, const Coordinates& c);
/// The element of an operand that belongs to those coordinates.
Element element(const Context& x, int operand, const Coordinates& c);

/// Calls f(coordinates, place) for each element of a shape.
template <class F>
void each_element(const Shape& shape, F f) {
  Coordinates c{};
  const int64_t total = shape.total();
  for (int64_t i = 0; i < total; ++i) {
    f(c, i);
    for (size_t j = 0; j < DN_MAX_DIMS; ++j) {
      if (++c[j] < shape.d[j]) break;
      c[j] = 0;
      if (j + 1 == DN_MAX_DIMS) ++c[DN_MAX_DIMS];
    }
  }
}

}  // namespace dynnet::reference

#endif  // DYNNET_TESTS_REFERENCE_RULES_H_

// The derivative of ln gamma, which the standard library does not have.
#ifndef DYNNET_TESTS_REFERENCE_DIGAMMA_H_
#define DYNNET_TESTS_REFERENCE_DIGAMMA_H_

namespace dynnet::reference {

/// In double; infinite at 0 and at negative whole numbers.
double digamma(double x);

}  // namespace dynnet::reference

#endif  // DYNNET_TESTS_REFERENCE_DIGAMMA_H_

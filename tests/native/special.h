// The largest number, and those beyond all numbers.
#ifndef DYNNET_TESTS_SPECIAL_H_
#define DYNNET_TESTS_SPECIAL_H_

#include <limits>

namespace dynnet {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kLargest = std::numeric_limits<float>::max();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

}  // namespace dynnet

#endif  // DYNNET_TESTS_SPECIAL_H_

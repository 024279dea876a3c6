// Shapes: up to 7 dimensions and the batch.
#ifndef DYNNET_CORE_DIM_H_
#define DYNNET_CORE_DIM_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "dynnet/dynnet.h"

namespace dynnet {

/// The most elements that a tensor may have.
constexpr int64_t kMostElements = int64_t{1} << 40;

/// A shape. Dimensions from nd on are 1, so two shapes that differ only in trailing ones compare equal by `same_shape`
/// and unequal by `==`.
struct Dim {
  uint32_t d[DN_MAX_DIMS] = {1, 1, 1, 1, 1, 1, 1};
  uint32_t nd = 0;
  uint32_t bd = 1;

  Dim() = default;
  Dim(std::initializer_list<uint32_t> sizes, uint32_t batch = 1) : bd(batch) {
    for (uint32_t size : sizes) d[nd++] = size;
  }

  /// Elements of one batch element.
  int64_t size() const {
    int64_t product = 1;
    for (uint32_t i = 0; i < nd; ++i) product *= d[i];
    return product;
  }
  /// Elements in all.
  int64_t total() const { return size() * bd; }
  uint32_t rows() const { return d[0]; }
  uint32_t cols() const { return d[1]; }
  /// Whether it is a matrix or less: all dimensions from the third on are 1.
  bool is_matrix() const { return size() == static_cast<int64_t>(d[0]) * d[1]; }
  /// Whether all dimensions from the second on are 1.
  bool is_vector() const { return size() == d[0]; }
  /// The same sizes, trailing ones and the batch disregarded.
  bool same_shape(const Dim& other) const {
    for (int i = 0; i < DN_MAX_DIMS; ++i)
      if (d[i] != other.d[i]) return false;
    return true;
  }
  bool operator==(const Dim& other) const { return nd == other.nd && bd == other.bd && same_shape(other); }

  /// "{8,2}", with a batch of 4 "{8,2}X4".
  std::string text() const;
};

/// The elements in all, or -1 if there are more than kMostElements: for shapes that nobody has checked yet.
int64_t total_if_possible(const Dim& dim);

/// A checked shape from one of the C ABI: sizes from 1, at most 7 dimensions, at most 2^40 elements.
Dim checked_dim(const dn_dim* dim, const char* what);

dn_dim to_c(const Dim& dim);

}  // namespace dynnet

#endif  // DYNNET_CORE_DIM_H_

#include "ops/context.h"

#include <cstring>

namespace dynnet {

Rows BatchContext::elements(Rows rows, int64_t n, int64_t batch, int64_t batches) const {
  if (batches == 1) return rows;
  if (batch == batches && rows.dense(count, n * batch)) return Rows{rows.at(0), nullptr, n};
  if (batch == 1 && count == 1) return Rows{rows.at(0), nullptr, 0};
  auto* list = scratch.allocate<float*>(count * batches);
  const int64_t step = batch == 1 ? 0 : n;
  for (int64_t i = 0; i < count; ++i) {
    float* row = rows.at(i);
    for (int64_t b = 0; b < batches; ++b) list[i * batches + b] = row + b * step;
  }
  return Rows{nullptr, list, 0};
}

Backward::Operand Backward::dx_elements(int i) const {
  const Dim& dim = type.operands[static_cast<size_t>(i)];
  Operand result = dx(i);
  if (dim.bd != type.dim.bd && !result.accumulate) {
    k.fill(result.rows, 0, count, dim.total());
    result.accumulate = true;
  }
  result.collides = result.collides || dim.bd != type.dim.bd;
  result.rows = elements(result.rows, dim.size(), dim.bd, type.dim.bd);
  return result;
}

float* BatchContext::data_floats(int word) const {
  auto* numbers = scratch.allocate<float>(count);
  for (int64_t i = 0; i < count; ++i) numbers[i] = data_float(i, word);
  return numbers;
}

int32_t* BatchContext::indices(int word) const {
  const int64_t each = type.span_count > 0 ? type.span_count : 1;
  auto* numbers = scratch.allocate<int32_t>(count * each);
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(numbers + i * each, data[i] + word, static_cast<size_t>(each) * sizeof(int32_t));
  return numbers;
}

}  // namespace dynnet

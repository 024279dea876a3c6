#include "ops/labels.h"

#include <algorithm>

namespace dynnet {

void set_labels(Shaping& s, int64_t count, bool is_list) {
  if (is_list && s.type.span_count == 0) s.bad_argument("no indices");
  s.type.v[0] = count;
}

void check_labels(const Checking& c) {
  const int64_t each = std::max<int64_t>(c.type.span_count, 1);
  for (int64_t i = 0; i < each; ++i) {
    const auto index = static_cast<int32_t>(c.data[i]);
    if (index < 0 || index >= c.type.v[0])
      fail(DN_E_INDEX, "%s: label %d of %s, which has 0 to %lld", c.type.def->name, index,
           c.type.operands[0].text().c_str(), static_cast<long long>(c.type.v[0] - 1));
  }
}

}  // namespace dynnet

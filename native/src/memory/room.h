// Memory taken before it is needed.
#ifndef DYNNET_MEMORY_ROOM_H_
#define DYNNET_MEMORY_ROOM_H_

#include <algorithm>
#include <cstddef>

namespace dynnet {

/// Room for n more, with doubling, so that appending them cannot fail.
template <class List>
void make_room(List& list, size_t n) {
  if (list.capacity() - list.size() < n) list.reserve(std::max(list.size() + n, 2 * list.capacity()));
}

}  // namespace dynnet

#endif  // DYNNET_MEMORY_ROOM_H_

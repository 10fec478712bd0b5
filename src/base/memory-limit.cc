#include "base/memory-limit.h"

#include <algorithm>

#include "base/error.h"
#include "base/units.h"

namespace schemascript {

Limits withMemory(Limits limits, std::uint64_t memoryBytes, std::string_view name) {
  constexpr std::uint64_t kPageBytes = 64 * 1024;
  if (memoryBytes < kMemoryBytesMaxMin || memoryBytes > kMemoryBytesMaxMax) {
    throw invalidRequest(str(name, " is ", formatSize(memoryBytes), "; it must be at least ",
                             formatSize(kMemoryBytesMaxMin), " and at most ",
                             formatSize(kMemoryBytesMaxMax)));
  }
  limits.memoryBytesMax = memoryBytes / kPageBytes * kPageBytes;
  // What is left is for the stack, for the guest's own data, and for freed memory that is not in
  // one piece.
  limits.heapBytesMax =
      limits.memoryBytesMax - std::max(limits.memoryBytesMax / 8, kOutsideHeapBytesMin);
  return limits;
}

}  // namespace schemascript

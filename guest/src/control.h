// The control block: what the host and the guest tell each other beside calls, as words in memory.
// docs/protocol.md describes them; src/sandbox/control-block.h has the host's side of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace schemascript::guest {

// In one page, whatever its size: the host has made that page private before it writes to it.
struct alignas(64) Control {
  // Written by the host. The first at any time, from another thread; the others before a call,
  // which then has them.
  volatile std::uint32_t stopRequested = 0;
  std::uint32_t timersMax = UINT32_MAX;
  std::uint64_t fuelMax = UINT64_MAX - 1;
  std::uint32_t heapBytesMax = UINT32_MAX;
  std::uint32_t stackBytesMax = UINT32_MAX;
  // Written by the guest, and read by the host once the call has ended, however it did.
  std::uint64_t fuelCredit = UINT64_MAX;  // 0: more than fuelMax was wanted.
  std::uint32_t fuelArmed = 0;            // What the engine's counter was set to last,
  std::uint32_t fuelCounterAt = 0;        // and where that counts down.
  std::uint32_t heapPeakBytes = 0;
  std::uint32_t unused = 0;
};
static_assert(offsetof(Control, fuelMax) == 8 && offsetof(Control, fuelCredit) == 24 &&
              offsetof(Control, heapPeakBytes) == 40);

inline constinit Control control;

}  // namespace schemascript::guest

// The words of memory through which a guest is told its limits, and tells what it used:
// docs/protocol.md. guest/src/control.h has the guest's side of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace schemascript {

// As it lies in the guest's memory. What the guest writes is its word, and trusted no further than
// for a report.
struct ControlBlock {
  std::uint32_t stopRequested;
  std::uint32_t timersMax;
  std::uint64_t fuelMax;
  std::uint32_t heapBytesMax;
  std::uint32_t stackBytesMax;
  std::uint64_t fuelCredit;
  std::uint32_t fuelArmed;
  std::uint32_t fuelCounterAt;
  std::uint32_t heapPeakBytes;
  std::uint32_t unused;

  // More than any guest can spend; leaves room for the one that is too much.
  static constexpr std::uint64_t kFuelMax = std::uint64_t{1} << 62;

  void setLimits(const Limits& limits) noexcept {
    constexpr std::uint64_t kWordMax = UINT32_MAX;
    timersMax = limits.timersMax;
    fuelMax = std::min(limits.fuelMax, kFuelMax);
    heapBytesMax = static_cast<std::uint32_t>(std::min(limits.heapBytesMax, kWordMax));
    stackBytesMax = static_cast<std::uint32_t>(std::min(limits.stackBytesMax, kWordMax));
    // Nothing was spent, until the guest begins.
    fuelCredit = fuelMax + 1;
    fuelArmed = 0;
    heapPeakBytes = 0;
  }

  // `counter`: what fuelCounterAt names. At most fuelMax.
  std::uint64_t fuelSpent(std::int32_t counter) const noexcept {
    const std::uint64_t taken = fuelMax + 1 - std::min(fuelCredit, fuelMax + 1);
    const auto armed = static_cast<std::int64_t>(fuelArmed);
    const std::int64_t since = std::clamp<std::int64_t>(armed - counter, 0, armed);
    return std::min(taken + static_cast<std::uint64_t>(since), fuelMax);
  }
};
static_assert(offsetof(ControlBlock, fuelMax) == 8 && offsetof(ControlBlock, fuelCredit) == 24 &&
              offsetof(ControlBlock, heapPeakBytes) == 40 && sizeof(ControlBlock) == 48);

}  // namespace schemascript

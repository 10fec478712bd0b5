// QuickJS's memory, with its true sizes counted: the engine's own accounting knows no block sizes
// on WASI.
#pragma once

#include <cstddef>

extern "C" {
#include <quickjs.h>
}

namespace schemascript::guest {

extern const JSMallocFunctions kCountingAllocator;

// True once an allocation was refused because of the heap limit, or because the memory could not
// grow: what the engine then reports as "out of memory" was a limit.
bool allocationWasRefused() noexcept;

// The most bytes that the engine's heap has had since measureHeapPeak() was called last.
std::size_t heapPeakBytes() noexcept;
void measureHeapPeak() noexcept;

}  // namespace schemascript::guest

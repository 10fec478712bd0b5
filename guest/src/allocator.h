// QuickJS's memory, with its true sizes counted: the engine's own accounting knows no block sizes
// on WASI. The engine calls it directly, which direct-allocator.h brings about.
#pragma once

#include <cstddef>

extern "C" {
#include <quickjs.h>
}

namespace schemascript::guest {

// A runtime whose memory is counted. Null where there is none. Ends the guest where QuickJS is
// another one than this was written for.
JSRuntime* newRuntime();

// True once an allocation was refused because of the heap limit, or because the memory could not
// grow: what the engine then reports as "out of memory" was a limit.
bool allocationWasRefused() noexcept;

// From now on, control.heapPeakBytes has the most bytes that the engine's heap has had since.
void measureHeapPeak() noexcept;

// Gives up, for ever, all that is free between the blocks that there are. What is allocated from
// now on lies side by side behind them, instead of in gaps on many pages: each page that a call
// writes has to be put back after it. Takes as much memory again for a moment; nothing happens
// where there is none.
void giveUpGaps() noexcept;

}  // namespace schemascript::guest

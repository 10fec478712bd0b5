#include "allocator.h"

#include <malloc.h>

#include <cstdlib>

#include "control.h"

namespace schemascript::guest {
namespace {

// dlmalloc's bookkeeping for one block.
constexpr std::size_t kOverheadBytes = 8;

bool refused = false;
std::size_t heapBytes = 0;

void notice(const JSMallocState* state) {
  heapBytes = state->malloc_size;
  if (heapBytes > control.heapPeakBytes)
    control.heapPeakBytes = static_cast<std::uint32_t>(heapBytes);
}

void count(JSMallocState* state, void* block) {
  ++state->malloc_count;
  state->malloc_size += malloc_usable_size(block) + kOverheadBytes;
  notice(state);
}

void uncount(JSMallocState* state, void* block) {
  --state->malloc_count;
  state->malloc_size -= malloc_usable_size(block) + kOverheadBytes;
  heapBytes = state->malloc_size;
}

void* allocate(JSMallocState* state, std::size_t size) {
  if (size > state->malloc_limit || state->malloc_size > state->malloc_limit - size) {
    refused = true;
    return nullptr;
  }
  void* const block = std::malloc(size);
  if (block == nullptr) {
    refused = true;
    return nullptr;
  }
  count(state, block);
  return block;
}

void release(JSMallocState* state, void* block) {
  if (block == nullptr) return;
  uncount(state, block);
  std::free(block);
}

void* reallocate(JSMallocState* state, void* block, std::size_t size) {
  if (block == nullptr) return size == 0 ? nullptr : allocate(state, size);
  if (size == 0) {
    release(state, block);
    return nullptr;
  }
  const std::size_t before = malloc_usable_size(block);
  if (size > before && (size - before > state->malloc_limit ||
                        state->malloc_size > state->malloc_limit - (size - before))) {
    refused = true;
    return nullptr;
  }
  void* const moved = std::realloc(block, size);
  if (moved == nullptr) {
    refused = true;
    return nullptr;
  }
  state->malloc_size += malloc_usable_size(moved) - before;
  notice(state);
  return moved;
}

// What JSRuntime, which quickjs.c alone knows, begins with.
struct RuntimeHead {
  JSMallocFunctions functions;
  JSMallocState state;
};

JSMallocState* stateOf(JSRuntime* runtime) {
  return &reinterpret_cast<RuntimeHead*>(runtime)->state;
}

}  // namespace

JSRuntime* newRuntime() {
  // QuickJS calls these for the runtime itself only.
  const JSMallocFunctions functions{allocate, release, reallocate, [](const void* block) {
                                      return malloc_usable_size(const_cast<void*>(block));
                                    }};
  JSRuntime* const runtime = JS_NewRuntime2(&functions, &refused);
  if (runtime != nullptr && stateOf(runtime)->opaque != &refused) std::abort();
  return runtime;
}

bool allocationWasRefused() noexcept { return refused; }

#ifdef __wasm__
void giveUpGaps() noexcept {
  constexpr std::size_t kBlockBytesMin = 16;
  constexpr std::size_t kLargeBytes = 4'096;
  // No gap is as large as all memory, so this is behind the last block.
  void* const behind = std::malloc(__builtin_wasm_memory_size(0) * 65'536);
  if (behind == nullptr) return;
  std::free(behind);
  // The largest first: it could be taken for a smaller one, and leave a gap again.
  for (std::size_t size = 1u << 20; size >= kBlockBytesMin;
       size = size > kLargeBytes ? size / 2 : size - kBlockBytesMin) {
    void* gap = std::malloc(size);
    while (gap != nullptr && gap < behind) gap = std::malloc(size);
    std::free(gap);
  }
}
#else
void giveUpGaps() noexcept {}  // Where the guest's code is tested, another allocator is below it.
#endif

void measureHeapPeak() noexcept { control.heapPeakBytes = static_cast<std::uint32_t>(heapBytes); }

}  // namespace schemascript::guest

// In place of QuickJS's own (direct-allocator.h): the same functions, called without pointers.
extern "C" {

void* js_malloc_rt(JSRuntime* runtime, std::size_t size) {
  using namespace schemascript::guest;
  return allocate(stateOf(runtime), size);
}

void js_free_rt(JSRuntime* runtime, void* block) {
  using namespace schemascript::guest;
  release(stateOf(runtime), block);
}

void* js_realloc_rt(JSRuntime* runtime, void* block, std::size_t size) {
  using namespace schemascript::guest;
  return reallocate(stateOf(runtime), block, size);
}

std::size_t js_malloc_usable_size_rt(JSRuntime*, const void* block) {
  return malloc_usable_size(const_cast<void*>(block));
}

}  // extern "C"

// How the memory of a guest, which people give as one number, is shared out among its limits.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/limits.h"

namespace schemascript {

// The guest itself takes some 6 MB before the script has done anything.
inline constexpr std::uint64_t kMemoryBytesMaxMin = 16ull << 20;
// All that 32-bit WebAssembly can address.
inline constexpr std::uint64_t kMemoryBytesMaxMax = 4ull << 30;

// What of a guest's memory its heap leaves free at least.
inline constexpr std::uint64_t kOutsideHeapBytesMin = 4ull << 20;

// The limits of a guest with `memoryBytes` in all, of which the heap gets its part. Throws
// InvalidRequest when that is too little or too much; `name` is what the setting is called.
Limits withMemory(Limits limits, std::uint64_t memoryBytes, std::string_view name);

}  // namespace schemascript

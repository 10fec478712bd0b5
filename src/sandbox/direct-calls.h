// Rewrites a WebAssembly module before it is compiled ahead of time, so that calls through its
// function table need nothing of WasmEdge's runtime. Part of the build tool compile-guest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace schemascript {

// What WasmEdge has compiled makes a `call_indirect` through a call into its runtime, which takes
// read locks and compares types. The table of the guest never changes, so each `call_indirect` of
// a type becomes a call of one new function for that type: a jump by the index to a direct call of
// what is in the table there. Every other index (empty, of another type, outside the table) gets to
// the `call_indirect` that stood there, and traps as before. Functions keep their indexes; the new
// ones come last, and are in the name section, too, if there is one.
//
// A module without a `call_indirect` is answered as it is. Throws InvalidRequest where the module
// cannot be read, holds something that is not known here, or may change its table. It does not
// validate: what a module that is not valid becomes is not valid either, or the same.
std::vector<std::uint8_t> withDirectCalls(std::span<const std::uint8_t> module);

}  // namespace schemascript

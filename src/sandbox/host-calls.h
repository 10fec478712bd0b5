// The functions that the guest imports: the only ways out of the sandbox. docs/protocol.md
// describes each.
#pragma once

#include <chrono>
#include <exception>

#include "bridge/session.h"
#include "sandbox/instance.h"
#include "sandbox/wasmedge-api.h"
#include "sandbox/watchdog.h"

namespace schemascript {

// What the host functions of one instance work on. Belongs to the guest's thread; must outlive the
// module made from it.
struct HostContext {
  Supervised& supervised;
  const std::function<void(LogStream, std::string_view)>& log;
  World world = World::Real;
  Session* session = nullptr;  // Of the call that runs. Changes only between calls.
  WasmEdge_MemoryInstanceContext* memory = nullptr;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  // What the guest may write, and what it has written.
  std::uint64_t logBytesMax = Limits().logBytesMax;
  std::uint64_t logBytes = 0;
  bool logEndsLine = true;
  // What a host function threw: it has stopped the guest, and is rethrown where the host had called
  // it.
  std::exception_ptr failure{};
};

// The import module `schemascript`. Null when WasmEdge is out of memory.
wasm::ModuleInstance newHostModule(HostContext& context);

}  // namespace schemascript

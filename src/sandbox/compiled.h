// The compiled guest, as Engine loads it and Instance uses it. Private to this folder.
#pragma once

#include <string>

#include "sandbox/engine.h"
#include "sandbox/page-map.h"
#include "sandbox/wasmedge-api.h"

namespace schemascript {

// Immutable after Engine's constructor; instances of many threads share it.
struct Engine::Compiled {
  wasm::Configure configure;
  wasm::Module module;
  std::string identity;  // Of this build of the guest; snapshots carry it.
  PageMap pageMap;
};

}  // namespace schemascript

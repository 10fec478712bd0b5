// The one guest of this module: the engine with everything that belongs to it. The exports of
// main.cc make it once and pass it calls; native functions of globals.cc find it through their
// context.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entity.h"
#include "js.h"
#include "modules.h"
#include "serve.h"
#include "sqlite.h"
#include "timers.h"

namespace schemascript::guest {

// What ss_poll answers when it has nothing to wait for.
enum class Progress : std::int32_t {
  Finished = -1,
  Failed = -2,
  NeverSettles = -3,
  WantsBody = -4
};

struct Rejection {
  Value promise;
  Value reason;
};

struct Guest {
  // While the app's module is loaded for a snapshot, it has no clock, no randomness and no timers.
  enum class Stage : bool { Running, Loading };

  JSRuntime* runtime = nullptr;
  JSContext* context = nullptr;
  Stage stage = Stage::Running;
  Modules modules;
  Timers timers;
  Sqlite sqlite;
  Entity entity;
  Server server;
  Value internals;                    // The namespace of `schemascript/internal`.
  Value describeError;                // Set by the built-in runtime: an error to JSON text.
  std::vector<Value> startCallbacks;  // Run by ss_start.
  Value interruption;                 // What the first interruption of the call threw.
  std::vector<Rejection> rejections;  // Of promises that nobody handles so far.
  std::array<std::uint64_t, 4> random{};
  bool isSeeded = false;  // What is random; never in a snapshot.
  Value date;             // The engine's own Date.
  Value exports;          // The namespace of the app's module, once it is loaded.
  Value evaluation;       // The promise of the app's module, or of the call that runs.
  // Keeps what a call answered, once it has settled; null for the app's module.
  bool (*keepAnswer)(Guest&, const Value&) = nullptr;
  bool pushFirst = false;      // The tables are still to be sent, before the first query.
  std::string failure;         // JSON; empty while nothing failed.
  std::string emitted;         // JSON; what the last ss_emit made.
  std::optional<Text> result;  // JSON; what the last call answered. None: undefined, or bytes.
  Value resultBytes;           // Undefined, or the Uint8Array or ArrayBuffer that it answered.
  JSClassID arrayBufferClass = 0;

  static Guest& of(JSContext* context) {
    return *static_cast<Guest*>(JS_GetContextOpaque(context));
  }
};

// Defines the globals that are native: `__host_sqlite_call`, `__host_sqlite`, Date, Math.random,
// and `__native` and `__native_entity` for the built-in modules.
void defineGlobals(Guest& guest);
// Sends the declared tables, if that is still to be done. False when it threw.
[[nodiscard]] bool pushSchema(Guest& guest);

}  // namespace schemascript::guest

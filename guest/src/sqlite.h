// `__host_sqlite`: the binary form of the wire as JavaScript functions, for the built-in driver.
// docs/protocol.md describes the object.
#pragma once

#include "js.h"

namespace schemascript::guest {

// What the functions need between two calls.
struct Sqlite {
  Value bytesClass;  // Uint8Array, as the engine made it.
  Value makeError;   // The driver's: the `error` of an answer to an exception.
};

// Defines the global. Once, after the engine's own globals.
void defineSqlite(JSContext* context, Sqlite& sqlite);

}  // namespace schemascript::guest

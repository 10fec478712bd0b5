// Drizzle's is(), natively: its query builders ask it several times for each part of a query.
#pragma once

#include "js.h"

namespace schemascript::guest {

struct Guest;

// What is() needs, given by guest/runtime/src/drizzle-entity.js.
struct Entity {
  Value plain;  // Drizzle's own is(); undefined before it was given.
  JSAtom kind = JS_ATOM_NULL;
  JSAtom constructor = JS_ATOM_NULL;
  JSAtom prototype = JS_ATOM_NULL;
  JSAtom hasInstance = JS_ATOM_NULL;
  Value ordinaryTest;  // What `instanceof` asks of a function that says nothing else.
};

// Defines the global `__native_entity`, which that module takes away again.
void defineEntity(Guest& guest);
// Gives back what the engine must have got back when it ends; only tests let it end.
void releaseEntity(Guest& guest);

}  // namespace schemascript::guest

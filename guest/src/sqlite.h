// The global `__host_sqlite`, through which the driver queries in the binary form of the wire.
// docs/protocol.md describes its functions.
#pragma once

#include "js.h"
#include "rows.h"
#include "wire.h"

namespace schemascript::guest {

struct Guest;

// What its functions share; a part of the Guest.
struct Sqlite {
  Value errorFactory;  // Set by the driver: the error of an answer to an exception.
  RowTools tools;
  JSClassID uint8ArrayClass = JS_INVALID_CLASS_ID;
  JSClassID dateClass = JS_INVALID_CLASS_ID;
  JSAtom length = JS_ATOM_NULL;
  JSAtom rows = JS_ATOM_NULL;
  JSAtom cursor = JS_ATOM_NULL;
  JSAtom changes = JS_ATOM_NULL;
  JSAtom lastInsertRowid = JS_ATOM_NULL;
  JSAtom error = JS_ATOM_NULL;
  JSAtom code = JS_ATOM_NULL;
  JSAtom message = JS_ATOM_NULL;
  JSAtom step = JS_ATOM_NULL;
  RequestMemory request;
  AnswerMemory answer;
};

// Defines the global. Once, before any JavaScript runs.
void defineSqlite(Guest& guest);
// Gives back what the engine must have got back when it ends; only tests let it end.
void releaseSqlite(Guest& guest);

}  // namespace schemascript::guest

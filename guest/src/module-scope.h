// What the app's module may not do while it is loaded for a snapshot: it is evaluated once, and
// every call starts from what it left, so that a time, a random number or a timer of that moment
// would be the same for all of them.
#pragma once

#include "js.h"

namespace schemascript::guest {

struct Guest;

enum class Denied { Clock, Randomness, Timers };

// True outside of module scope. False with an exception pending, which says where to do it instead.
[[nodiscard]] bool isAllowed(Guest& guest, Denied what);

// Puts a Date over the engine's own: the engine's cannot fail, and so cannot refuse the time. Once,
// before any JavaScript runs.
void defineDate(Guest& guest);

}  // namespace schemascript::guest

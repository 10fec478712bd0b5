// Fuel: the jumps and calls that QuickJS makes, and the steps of its regular expressions. Counted
// by the engine's own counter, which asks whether to go on when it ends: it is set so that it ends
// where the fuel does.
#pragma once

#include "js.h"

namespace schemascript::guest {

// Has `context` counted. Once, before any JavaScript runs, and for one context only.
void attachFuel(JSContext* context);
// From now on there is control.fuelMax, and nothing is spent.
void fillFuel();
// Whether more fuel was wanted than there was: nothing that JavaScript answers counts any more.
// Each of its calls and jumps ends it from then on, with an error that cannot be caught.
bool fuelIsExceeded() noexcept;
// That, or the host has asked to stop.
bool mustStop() noexcept;
// Where `mustStop()`: has the next call or jump, rather than one of the next 10,000, end
// JavaScript.
void stopAtOnce() noexcept;

}  // namespace schemascript::guest

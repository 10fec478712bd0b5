// How guest code ends, whether it is run, loaded or called: what the guest says of it, and what its
// instance throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "base/error.h"
#include "base/limits.h"
#include "runtime/error-description.h"
#include "sandbox/instance.h"
#include "sandbox/watchdog.h"

namespace schemascript {

// How a run, the loading of an app, or a call ended.
enum class CallEnd : std::uint8_t {
  Answered,
  Threw,
  TimeExceeded,  // runTimeMax. `error.stack` says where, if the guest could still tell.
  FuelExceeded,  // fuelMax; the same.
  MemoryExceeded,
  NeverSettles,
  Trapped,       // `error.message` says why.
  NoSuchExport,  // The app has no such function; nothing of it was run.
  BadArgument,   // The argument is not JSON; nothing was run.
  Cancelled,     // CallRequest::stop. `error.stack` says where, as with TimeExceeded.
};

// Whether the guest is as good as before: it may keep its state.
bool mayGoOn(CallEnd end) noexcept;

struct Ending {
  CallEnd end = CallEnd::Answered;
  ErrorDescription error{};
};

// What a guest that failed says itself. `limits`: those that it had.
Ending endingAsTold(Instance& instance, const Limits& limits);
// What ended a guest that could not say it. Throws `error` again when that is not the guest's
// doing.
Ending endingAsThrown(const Error& error, Instance& instance);

// Any report has an end and an error.
template <typename Report>
void endWith(Report& report, Ending ending) {
  report.end = ending.end;
  report.error = std::move(ending.error);
}

// When a guest that waits for a timer is to go on; `deadline` when that comes first. The guest's
// word may be too large for the clock.
Watchdog::Clock::time_point wakeUpAt(std::chrono::duration<double, std::milli> wait,
                                     Watchdog::Clock::time_point deadline) noexcept;

}  // namespace schemascript

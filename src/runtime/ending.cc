#include "runtime/ending.h"

#include <algorithm>

namespace schemascript {
namespace {

// Why a guest was asked to stop.
CallEnd endOfStopped(Instance& instance) noexcept {
  return instance.supervised().isCancelled ? CallEnd::Cancelled : CallEnd::TimeExceeded;
}

}  // namespace

bool mayGoOn(CallEnd end) noexcept {
  return end != CallEnd::TimeExceeded && end != CallEnd::FuelExceeded &&
         end != CallEnd::MemoryExceeded && end != CallEnd::Trapped && end != CallEnd::Cancelled;
}

Ending endingAsTold(Instance& instance, const Limits& limits) {
  using Kind = GuestFailure::Kind;
  GuestFailure failure = readFailure(instance.failure());
  Ending ending{CallEnd::Threw, std::move(failure.error)};
  switch (failure.kind) {
    case Kind::Threw:
      break;
    case Kind::Stopped:
      ending.end = endOfStopped(instance);
      break;
    case Kind::OutOfFuel:
      ending.end = CallEnd::FuelExceeded;
      ending.error.message = fuelExceededMessage(limits);
      break;
    case Kind::OutOfMemory:
      ending.end = CallEnd::MemoryExceeded;
      break;
    case Kind::NeverSettles:
      ending.end = CallEnd::NeverSettles;
      break;
    case Kind::NoSuchExport:
      ending.end = CallEnd::NoSuchExport;
      break;
    case Kind::BadArgument:
      ending.end = CallEnd::BadArgument;
      break;
  }
  return ending;
}

Ending endingAsThrown(const Error& error, Instance& instance) {
  const bool isLimit = error.code() == ErrorCode::LimitExceeded;
  if (!isLimit && error.code() != ErrorCode::GuestFailed) throw error;
  if (isLimit && instance.supervised().askedToStop) return {endOfStopped(instance)};
  Ending ending{isLimit ? CallEnd::MemoryExceeded : CallEnd::Trapped};
  ending.error.message = error.message();
  return ending;
}

Watchdog::Clock::time_point wakeUpAt(std::chrono::duration<double, std::milli> wait,
                                     Watchdog::Clock::time_point deadline) noexcept {
  const auto now = Watchdog::Clock::now();
  if (!(wait < deadline - now)) return deadline;
  return std::min(deadline, now + std::chrono::ceil<Watchdog::Clock::duration>(wait));
}

}  // namespace schemascript

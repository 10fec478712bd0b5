#include "fuel.h"

#include <algorithm>

#include "control.h"
#include "engine.h"
#include "guest.h"

namespace schemascript::guest {
namespace {

// How often the engine asks whether to stop. Well below a millisecond.
constexpr std::uint64_t kArmedMax = 10'000;

int* counter = nullptr;

// The counter ends with the credit, which is one more than there is fuel: the first that is too
// much is refused.
void arm() {
  control.fuelArmed = control.stopRequested != 0
                          ? 0
                          : static_cast<std::uint32_t>(std::min(control.fuelCredit, kArmedMax));
  *counter = static_cast<int>(control.fuelArmed);
}

void spend(std::uint64_t fuel) {
  control.fuelCredit -= std::min(control.fuelCredit, fuel);
  arm();
}

// What the engine has counted since it was armed, and `more`.
void spendWith(std::uint64_t more) {
  const int left = std::min(*counter, static_cast<int>(control.fuelArmed));
  spend(static_cast<std::uint64_t>(static_cast<int>(control.fuelArmed) - left) + more);
}

// The engine calls it at the end of its counter, which it has set anew.
int interruptRequested(JSRuntime* runtime, void*) {
  spend(control.fuelArmed);
  if (!mustStop()) return 0;
  // The engine makes an error, which it must be able to with a heap that is full: it would trap.
  // Nothing of the guest's runs on.
  JS_SetMemoryLimit(runtime, SIZE_MAX);
  return 1;
}

}  // namespace

void attachFuel(JSContext* context) {
  counter = engine_interrupt_counter(context);
  control.fuelCounterAt = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(counter));
  JS_SetInterruptHandler(JS_GetRuntime(context), interruptRequested, nullptr);
  arm();
}

void fillFuel() {
  control.fuelCredit = control.fuelMax + 1;
  arm();
}

bool fuelIsExceeded() noexcept { return control.fuelCredit == 0; }

bool mustStop() noexcept { return control.stopRequested != 0 || fuelIsExceeded(); }

void stopAtOnce() noexcept { spendWith(0); }

}  // namespace schemascript::guest

// In place of QuickJS's own (direct-allocator.h).
extern "C" {

// Called by regular expressions, after engine_regexp_steps.
int lre_check_timeout(void*) {
  using namespace schemascript::guest;
  if (counter == nullptr) return 0;
  spendWith(static_cast<std::uint64_t>(engine_regexp_steps));
  return mustStop() ? 1 : 0;
}

void engine_regexp_ended(int stepsLeft) {
  using namespace schemascript::guest;
  if (counter == nullptr) return;
  spendWith(static_cast<std::uint64_t>(engine_regexp_steps - stepsLeft));
}

// Marks what an interruption throws. The first is kept, whatever becomes of it: it gets the stack
// of where the guest was.
void JS_SetUncatchableError(JSContext* context, JSValueConst error, JS_BOOL uncatchable) {
  using namespace schemascript::guest;
  if (!JS_IsError(context, error)) return;
  engine_mark_uncatchable(error, uncatchable);
  Value& kept = Guest::of(context).interruption;
  if (uncatchable && kept.isUndefined()) kept = Value::share(context, error);
}

}  // extern "C"

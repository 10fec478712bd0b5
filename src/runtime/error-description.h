// What a guest says of its own failure, read from the JSON of ss_failure. Everything in it is the
// guest's word: shown to a person, never acted upon.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"

namespace schemascript {

// An error as guest code threw it.
struct ErrorDescription {
  std::string name;  // `TypeError`; empty when something was thrown that is not an error.
  std::string message;
  std::string stack;  // Lines `    at name (file:line:column)`, in positions of the bundle.
  std::string
      code;  // `conflict`, `not-allowed`, ...: of errors that the database answered; else empty.
  std::vector<ErrorDescription> causes;  // At most one.
  std::vector<ErrorDescription> errors;  // Of an AggregateError.
};

struct GuestFailure {
  enum class Kind : std::uint8_t {
    Threw,
    Stopped,  // By the watchdog.
    OutOfMemory,
    OutOfFuel,
    NeverSettles,  // It waits for a promise that nothing can settle.
    NoSuchExport,  // It was not even called.
    BadArgument,   // Neither: the argument is not JSON.
  };
  Kind kind = Kind::Threw;
  ErrorDescription error;
};

// What a guest that exceeded fuelMax is told to have done, in place of the engine's "interrupted".
std::string fuelExceededMessage(const Limits& limits);

// What is not as it should be is left out.
GuestFailure readFailure(const std::string& json);

}  // namespace schemascript

// How the program ends, as the shell sees it. `schemascript --help` prints the same list.
#pragma once

#include "base/error.h"

namespace schemascript {

enum class ExitCode : int {
  Success = 0,
  Threw = 1,          // The script threw what nobody caught, or a push was refused.
  Usage = 2,          // The command line is wrong, FILE cannot be read, or it does not compile.
  Limit = 3,          // A limit stopped the script: time, fuel or memory.
  Machine = 4,        // The database or the machine: locked, corrupt, not writable, disk full.
  NeverSettles = 13,  // The script waits for a promise that nothing can settle. Node's number.
  Internal = 70,      // A bug of ours, or a trap in the sandbox. EX_SOFTWARE of sysexits.h.
};

// For what ended the program outside of the script.
constexpr ExitCode exitCodeOf(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::InvalidRequest:
    case ErrorCode::NotAllowed:
      return ExitCode::Usage;
    case ErrorCode::Conflict:
      return ExitCode::Threw;
    case ErrorCode::Unavailable:
      return ExitCode::Machine;
    case ErrorCode::LimitExceeded:
      return ExitCode::Limit;
    case ErrorCode::GuestFailed:
    case ErrorCode::Internal:
      break;
  }
  return ExitCode::Internal;
}

}  // namespace schemascript

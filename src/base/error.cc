// Error, its factories, and the check for our own bugs.
#include "base/error.h"

#include <utility>

namespace schemascript {

std::string_view nameOf(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::InvalidRequest:
      return "invalid-request";
    case ErrorCode::NotAllowed:
      return "not-allowed";
    case ErrorCode::Conflict:
      return "conflict";
    case ErrorCode::Unavailable:
      return "unavailable";
    case ErrorCode::LimitExceeded:
      return "limit-exceeded";
    case ErrorCode::GuestFailed:
      return "guest-failed";
    case ErrorCode::Internal:
      break;
  }
  return "internal";
}

Error::Error(ErrorCode code, std::string message)
    : code_(code), message_(std::make_shared<const std::string>(std::move(message))) {}

Error::Error(ErrorCode code, std::string message, DatabaseErrorDetail detail)
    : code_(code),
      message_(std::make_shared<const std::string>(std::move(message))),
      detail_(std::make_shared<const DatabaseErrorDetail>(std::move(detail))) {}

Error invalidRequest(std::string message) {
  return {ErrorCode::InvalidRequest, std::move(message)};
}
Error notAllowed(std::string message) { return {ErrorCode::NotAllowed, std::move(message)}; }
Error conflict(std::string message) { return {ErrorCode::Conflict, std::move(message)}; }
Error unavailable(std::string message) { return {ErrorCode::Unavailable, std::move(message)}; }
Error limitExceeded(std::string message) { return {ErrorCode::LimitExceeded, std::move(message)}; }
Error guestFailed(std::string message) { return {ErrorCode::GuestFailed, std::move(message)}; }
Error internal(std::string message) { return {ErrorCode::Internal, std::move(message)}; }

void failCheck(const char* condition, const char* file, int line, const std::string& about) {
  std::string message =
      str("a bug of SchemaScript: ", condition, " does not hold at ", file, ":", line);
  if (!about.empty()) message += str(" (", about, ")");
  throw internal(std::move(message));
}

}  // namespace schemascript

// Error, its factories, and the check for our own bugs.
#include "base/error.h"

#include <utility>

namespace schemascript {
namespace {

// Not every conflict is one of a row: a transaction that waits for another one has no SQLite code.
[[noreturn]] void throwViolation(std::string message, DatabaseErrorDetail detail) {
  const std::string& violation = detail.violation;
  if (violation == "unique" || violation == "primary-key") {
    throw UniqueViolation(std::move(message), std::move(detail));
  }
  if (violation == "foreign-key") throw ForeignKeyViolation(std::move(message), std::move(detail));
  if (violation == "not-null") throw NotNullViolation(std::move(message), std::move(detail));
  if (violation == "check") throw CheckViolation(std::move(message), std::move(detail));
  if (violation == "type" || detail.sqliteCode.starts_with("SQLITE_CONSTRAINT")) {
    throw ConstraintViolation(std::move(message), std::move(detail));
  }
  throw Error(ErrorCode::Conflict, std::move(message), std::move(detail));
}

}  // namespace

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
NotAllowed notAllowed(std::string message) { return NotAllowed(std::move(message)); }
Error conflict(std::string message) { return {ErrorCode::Conflict, std::move(message)}; }
Error unavailable(std::string message) { return {ErrorCode::Unavailable, std::move(message)}; }
LimitExceeded limitExceeded(std::string message) { return LimitExceeded(std::move(message)); }
Error guestFailed(std::string message) { return {ErrorCode::GuestFailed, std::move(message)}; }
Error internal(std::string message) { return {ErrorCode::Internal, std::move(message)}; }

void throwError(ErrorCode code, std::string message) {
  if (code == ErrorCode::NotAllowed) throw NotAllowed(std::move(message));
  if (code == ErrorCode::LimitExceeded) throw LimitExceeded(std::move(message));
  throw Error(code, std::move(message));
}

void throwError(ErrorCode code, std::string message, DatabaseErrorDetail detail) {
  switch (code) {
    case ErrorCode::NotAllowed:
      throw NotAllowed(std::move(message), std::move(detail));
    case ErrorCode::LimitExceeded:
      throw LimitExceeded(std::move(message), std::move(detail));
    case ErrorCode::Unavailable:
      if (!detail.sqliteCode.starts_with("SQLITE_BUSY")) break;
      throw Busy(std::move(message), std::move(detail));
    case ErrorCode::Conflict:
      throwViolation(std::move(message), std::move(detail));
    default:
      break;
  }
  throw Error(code, std::move(message), std::move(detail));
}

void failCheck(const char* condition, const char* file, int line, const std::string& about) {
  std::string message =
      str("a bug of SchemaScript: ", condition, " does not hold at ", file, ":", line);
  if (!about.empty()) message += str(" (", about, ")");
  throw internal(std::move(message));
}

}  // namespace schemascript

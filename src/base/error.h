// The exception types of the host, and the check for our own bugs. Every layer throws these; the
// bridge turns those that guest code can handle into answers, the entry points report the others.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schemascript {

// Who has to act. The first four become answers that guest code can catch; the others stop the
// guest (see docs/protocol.md for the LimitExceeded that is answered).
enum class ErrorCode : std::uint8_t {
  InvalidRequest,  // The caller: the SQL text, the parameters or the message are wrong.
  NotAllowed,      // Nobody: this is refused by rule.
  Conflict,        // The caller: it disagrees with what is stored, or with what is open.
  Unavailable,     // The caller, later; or whoever runs the machine.
  LimitExceeded,   // The caller, with less; or whoever sets the limits.
  GuestFailed,     // The author of the guest's code.
  Internal,        // Us.
};

// `invalid-request` and so on: the spelling of docs/protocol.md. Valid for ever.
std::string_view nameOf(ErrorCode code) noexcept;

// What is known about an error that SQLite reported. Fields that SQLite does not tell are empty.
struct DatabaseErrorDetail {
  std::string violation{};  // One of the names in docs/protocol.md, such as `unique`.
  std::string table{};
  std::vector<std::string> columns{};
  std::string constraint{};  // The name of a CHECK constraint or of an index.
  std::string sqliteCode{};  // `SQLITE_CONSTRAINT_UNIQUE`
  int extendedCode = 0;
  std::uint32_t waitsFor = 0;  // The session's own transaction that has to end first; 0: none.
  std::uint32_t step = 0;      // Which statement of a batch it was, counted from 1; 0: no batch.
};

// Immutable, and cheap to copy as exceptions must be: copies share one text and one detail. A copy
// of the base forgets which of the classes below it was; throwError() finds that again.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);
  Error(ErrorCode code, std::string message, DatabaseErrorDetail detail);

  ErrorCode code() const noexcept { return code_; }
  // Never holds a bound value. Valid as long as a copy of this error lives.
  const std::string& message() const noexcept { return *message_; }
  // Null when the error did not come from SQLite. Valid as long as a copy of this error lives.
  const DatabaseErrorDetail* detail() const noexcept { return detail_.get(); }
  const char* what() const noexcept override { return message_->c_str(); }

 private:
  ErrorCode code_;
  // Shared by the copies of this error, which are its owners.
  std::shared_ptr<const std::string> message_;
  std::shared_ptr<const DatabaseErrorDetail> detail_;
};

// What a caller can catch by its type. Everything else is a plain Error: see its code().

class NotAllowed final : public Error {
 public:
  explicit NotAllowed(std::string message) : Error(ErrorCode::NotAllowed, std::move(message)) {}
  NotAllowed(std::string message, DatabaseErrorDetail detail)
      : Error(ErrorCode::NotAllowed, std::move(message), std::move(detail)) {}
};

class LimitExceeded final : public Error {
 public:
  explicit LimitExceeded(std::string message)
      : Error(ErrorCode::LimitExceeded, std::move(message)) {}
  LimitExceeded(std::string message, DatabaseErrorDetail detail)
      : Error(ErrorCode::LimitExceeded, std::move(message), std::move(detail)) {}
};

// Another process has the file, or has written after a transaction's first read: SQLITE_BUSY and
// its kin. Always with a detail. Code Unavailable.
class Busy final : public Error {
 public:
  Busy(std::string message, DatabaseErrorDetail detail)
      : Error(ErrorCode::Unavailable, std::move(message), std::move(detail)) {}
};

// A row disagrees with the schema; always with a detail. Of this class itself: a wrong type, what a
// trigger raises. Code Conflict.
class ConstraintViolation : public Error {
 public:
  ConstraintViolation(std::string message, DatabaseErrorDetail detail)
      : Error(ErrorCode::Conflict, std::move(message), std::move(detail)) {}
};

// Of a UNIQUE constraint, a unique index or a primary key.
class UniqueViolation final : public ConstraintViolation {
 public:
  using ConstraintViolation::ConstraintViolation;
};

class ForeignKeyViolation final : public ConstraintViolation {
 public:
  using ConstraintViolation::ConstraintViolation;
};

class NotNullViolation final : public ConstraintViolation {
 public:
  using ConstraintViolation::ConstraintViolation;
};

class CheckViolation final : public ConstraintViolation {
 public:
  using ConstraintViolation::ConstraintViolation;
};

Error invalidRequest(std::string message);
NotAllowed notAllowed(std::string message);
Error conflict(std::string message);
Error unavailable(std::string message);
LimitExceeded limitExceeded(std::string message);
Error guestFailed(std::string message);
Error internal(std::string message);

// Throws the most special of the classes above that `code` and `detail` stand for. For whoever
// throws an error again with another text.
[[noreturn]] void throwError(ErrorCode code, std::string message);
[[noreturn]] void throwError(ErrorCode code, std::string message, DatabaseErrorDetail detail);

// Concatenates whatever can be written to a stream. For messages, not for hot paths.
template <typename... Parts>
std::string str(const Parts&... parts) {
  std::ostringstream out;
  static_cast<void>((out << ... << parts));
  return std::move(out).str();
}

// Throws Internal. Called by SS_CHECK only.
[[noreturn]] void failCheck(const char* condition, const char* file, int line,
                            const std::string& about);

}  // namespace schemascript

// States what can only be false through a bug of ours; what follows the condition goes into the
// message. Throws Internal, so it is not for destructors and C callbacks.
#define SS_CHECK(condition, ...)                                                                   \
  do {                                                                                             \
    if (!(condition)) [[unlikely]] {                                                               \
      ::schemascript::failCheck(#condition, __FILE__, __LINE__, ::schemascript::str(__VA_ARGS__)); \
    }                                                                                              \
  } while (false)

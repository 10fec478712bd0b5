// Errors of the layers, and ends of calls, as the one exception of the public API.
#include <utility>

#include "api/parts.h"

namespace schemascript {
inline namespace v0 {
namespace {

ErrorCode publicCode(layers::ErrorCode code) noexcept {
  switch (code) {
    case layers::ErrorCode::InvalidRequest:
      return ErrorCode::InvalidRequest;
    case layers::ErrorCode::NotAllowed:
      return ErrorCode::NotAllowed;
    case layers::ErrorCode::Conflict:
      return ErrorCode::Conflict;
    case layers::ErrorCode::Unavailable:
      return ErrorCode::Unavailable;
    case layers::ErrorCode::LimitExceeded:
      return ErrorCode::LimitExceeded;
    case layers::ErrorCode::GuestFailed:
      return ErrorCode::GuestFailed;
    case layers::ErrorCode::Internal:
      break;
  }
  return ErrorCode::Internal;
}

layers::ErrorCode layerCode(ErrorCode code) noexcept {
  return static_cast<layers::ErrorCode>(code);
}
static_assert(static_cast<int>(ErrorCode::InvalidRequest) ==
              static_cast<int>(layers::ErrorCode::InvalidRequest));
static_assert(static_cast<int>(ErrorCode::Internal) ==
              static_cast<int>(layers::ErrorCode::Internal));

GuestError guestError(const ErrorDescription& error) {
  GuestError result{error.name, error.message, error.stack, error.code, {}, {}};
  for (const ErrorDescription& cause : error.causes) result.causes.push_back(guestError(cause));
  for (const ErrorDescription& one : error.errors) result.errors.push_back(guestError(one));
  return result;
}

std::string thrown(std::string_view subject, const ErrorDescription& error) {
  if (error.name.empty()) return str(subject, " threw: ", error.message);
  return str(subject, " threw ", error.name, ": ", error.message);
}

// A sentence with what is known beside it.
std::string withDetail(std::string sentence, const ErrorDescription& error) {
  return error.message.empty() ? sentence : str(sentence, ": ", error.message);
}

std::pair<ErrorCode, std::string> describe(std::string_view subject, CallEnd end,
                                           const ErrorDescription& error, const Limits& limits) {
  switch (end) {
    case CallEnd::Threw:
      return {ErrorCode::GuestFailed, thrown(subject, error)};
    case CallEnd::TimeExceeded:
      return {ErrorCode::LimitExceeded,
              withDetail(str(subject, " ran for longer than its time limit of ",
                             formatDuration(limits.runTimeMax), " (runTimeMax)"),
                         error)};
    case CallEnd::FuelExceeded:
      return {ErrorCode::LimitExceeded, str(subject, ": ", error.message)};
    case CallEnd::MemoryExceeded:
      return {ErrorCode::LimitExceeded,
              withDetail(str(subject, " needed more memory than it may have, ",
                             formatSize(limits.heapBytesMax), " (heapBytesMax) of ",
                             formatSize(limits.memoryBytesMax), " (memoryBytesMax)"),
                         error)};
    case CallEnd::NeverSettles:
      return {ErrorCode::GuestFailed,
              withDetail(str(subject, " waits for a promise that nothing can settle"), error)};
    case CallEnd::Trapped:
      return {ErrorCode::GuestFailed, withDetail(str(subject, " failed"), error)};
    case CallEnd::Cancelled:
      return {ErrorCode::Unavailable,
              withDetail(str(subject, " was stopped before its end (CallOptions::stop)"), error)};
    case CallEnd::NoSuchExport:
      return {ErrorCode::InvalidRequest, error.message};
    case CallEnd::BadArgument:
      return {ErrorCode::InvalidRequest,
              withDetail(str("the argument of ", subject, " is not JSON"), error)};
    case CallEnd::Answered:
      break;
  }
  return {ErrorCode::Internal, str(subject, " failed though it answered")};
}

}  // namespace

std::string_view nameOf(ErrorCode code) noexcept { return nameOf(layerCode(code)); }

Error::Error(std::shared_ptr<const Parts> parts) noexcept : parts_(std::move(parts)) {}
Error::Error(const Error&) noexcept = default;
Error& Error::operator=(const Error&) noexcept = default;
Error::~Error() = default;

const char* Error::what() const noexcept { return parts_->message.c_str(); }
ErrorCode Error::code() const noexcept { return parts_->code; }
const GuestError* Error::guest() const noexcept {
  return parts_->guest ? &*parts_->guest : nullptr;
}
const Cost& Error::cost() const noexcept { return parts_->cost; }
const std::vector<LogEntry>& Error::log() const noexcept { return parts_->log; }

Error publicError(ErrorCode code, std::string message) {
  auto parts = std::make_shared<Error::Parts>();
  parts->code = code;
  parts->message = std::move(message);
  return Error(std::move(parts));
}

Error publicError(const layers::Error& error) {
  return publicError(publicCode(error.code()), error.message());
}

Error publicError(std::string_view subject, CallEnd end, const ErrorDescription& error,
                  const Limits& limits, const Cost& cost, std::vector<LogEntry> log) {
  auto parts = std::make_shared<Error::Parts>();
  std::tie(parts->code, parts->message) = describe(subject, end, error, limits);
  if (end == CallEnd::Threw || !error.stack.empty()) parts->guest = guestError(error);
  parts->cost = cost;
  parts->log = std::move(log);
  return Error(std::move(parts));
}

}  // namespace v0
}  // namespace schemascript

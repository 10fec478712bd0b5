// What handlers do with a request. Everything here only notes what is wanted, under the exchange's
// mutex, and then has the reactor carry it out.
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "http/connection.h"
#include "http/request-head.h"
#include "http/server.h"

namespace schemascript {
namespace {

// Fields about one connection (RFC 9110, 7.6.1; those of proxies as RFC 2616, 13.5.1 has them),
// which is the server's: what a handler says in them would not be so. Upgrade is told apart.
constexpr std::array<std::string_view, 8> kOfConnection{"connection",
                                                        "keep-alive",
                                                        "te",
                                                        "trailer",
                                                        "proxy-connection",
                                                        "proxy-authenticate",
                                                        "proxy-authorization",
                                                        "proxy-authentication-info"};

constexpr int kUpgradeRequired = 426;

bool isListed(const auto& names, std::string_view name) noexcept {
  return std::ranges::any_of(
      names, [name](std::string_view each) { return equalsIgnoringCase(each, name); });
}

// What the fields Connection of an answer name: `close`, and other fields.
std::vector<std::string> connectionOptions(const HttpAnswerHead& head) {
  std::vector<std::string> options;
  for (const auto& [name, value] : head.headers) {
    if (!equalsIgnoringCase(name, "connection")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      std::string_view option = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      option.remove_prefix(std::min(option.find_first_not_of(" \t"), option.size()));
      option = option.substr(0, option.find_last_not_of(" \t") + 1);
      if (!option.empty()) options.emplace_back(option);
    }
  }
  return options;
}

// Takes out what is about the connection; true when that is to be closed. An Upgrade stays where it
// says what a client has to speak instead, which nobody but the handler knows.
bool takeOutConnection(HttpAnswerHead& head) {
  const std::vector<std::string> options = connectionOptions(head);
  std::erase_if(head.headers, [&options, status = head.status](const auto& field) {
    if (equalsIgnoringCase(field.first, "upgrade")) return status != kUpgradeRequired;
    return isListed(kOfConnection, field.first) || isListed(options, field.first);
  });
  return isListed(options, "close");
}

}  // namespace

std::optional<std::string_view> HttpRequest::tryFind(std::string_view name) const noexcept {
  for (const HttpField& field : headers) {
    if (equalsIgnoringCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

HttpExchange::~HttpExchange() = default;

bool HttpExchange::leavesBodyOut(int status) const noexcept {
  return status == 204 || status == 304 || request_.method == "HEAD";
}

HttpExchange::Answer HttpExchange::checked(HttpAnswerHead head) const {
  Answer answer;
  if (head.status < 200 || head.status > 599) {
    throw invalidRequest(str("an answer's status is 200 to 599, not ", head.status));
  }
  for (const auto& [name, value] : head.headers) {
    if (!isHttpToken(name)) throw invalidRequest("the name of an answer's header is not a token");
    if (!isHttpFieldValue(value)) {
      throw invalidRequest(str("the header ", name, " has a control character"));
    }
    if (equalsIgnoringCase(name, "transfer-encoding")) {
      throw invalidRequest("the server alone decides on Transfer-Encoding");
    }
  }
  answer.close = takeOutConnection(head);
  for (const auto& [name, value] : head.headers) {
    if (equalsIgnoringCase(name, "upgrade")) answer.upgrade = true;
    if (equalsIgnoringCase(name, "date")) answer.hasDate = true;
    if (!equalsIgnoringCase(name, "content-length")) continue;
    std::uint64_t length = 0;
    const char* last = value.data() + value.size();
    const auto [end, failure] = std::from_chars(value.data(), last, length);
    if (failure != std::errc() || end != last || (answer.length && *answer.length != length)) {
      throw invalidRequest("the Content-Length of an answer is not one number");
    }
    answer.length = length;
  }
  answer.head = std::move(head);
  return answer;
}

// Makes a change under the lock. When it answers true, the connection looks at it, after the lock.
template <typename Change>
void HttpExchange::change(Change&& change) {
  std::shared_ptr<HttpReactor> reactor;
  {
    const std::lock_guard lock(mutex_);
    if (change() && !queued_ && connection_) {
      queued_ = true;
      reactor = connection_->reactor().shared_from_this();
      reactor->enqueue(shared_from_this());
    }
  }
  if (reactor) reactor->flush();
}

void HttpExchange::respond(HttpAnswerHead head, std::string body) {
  Answer answer = checked(std::move(head));
  const bool isLeftOut = leavesBodyOut(answer.head.status);
  if (answer.length && *answer.length != body.size() && !isLeftOut) {
    throw invalidRequest(str("the Content-Length says ", *answer.length, ", but the body has ",
                             body.size(), " bytes"));
  }
  if (!answer.length && !(isLeftOut && body.empty())) answer.length = body.size();
  answer.written = body.size();
  if (!isLeftOut) answer.body = std::move(body);
  change([&] {
    SS_CHECK(phase_ == Phase::Waiting, "a request has one answer");
    answer_ = std::move(answer);
    phase_ = Phase::Complete;
    return true;
  });
}

void HttpExchange::begin(HttpAnswerHead head) {
  Answer answer = checked(std::move(head));
  change([&] {
    SS_CHECK(phase_ == Phase::Waiting, "a request has one answer");
    answer_ = std::move(answer);
    phase_ = Phase::Streaming;
    return true;
  });
}

WriteState HttpExchange::write(std::string_view bytes) {
  // As much again is on its way to the socket.
  const std::size_t bytesMax = writeBytesMax_ / 2;
  WriteState state = WriteState::Closed;
  change([&] {
    if (!connection_) return false;
    SS_CHECK(phase_ == Phase::Streaming, "write() comes between begin() and end()");
    if (!bytes.empty() && answer_.body.size() >= bytesMax) {
      throw limitExceeded(
          str("writeBytesMax of ", writeBytesMax_, " bytes wait: wait for onRoom()"));
    }
    const bool isLeftOut = leavesBodyOut(answer_.head.status);
    if (answer_.length && !isLeftOut && bytes.size() > *answer_.length - answer_.written) {
      throw invalidRequest(
          str("more than the Content-Length of ", *answer_.length, " bytes was written"));
    }
    answer_.written += bytes.size();
    const bool isTaken = !isLeftOut && !bytes.empty();
    if (isTaken) answer_.body += bytes;
    state = answer_.body.size() >= bytesMax ? WriteState::Full : WriteState::Room;
    return isTaken;
  });
  return state;
}

void HttpExchange::onRoom(std::function<void()> callback) {
  bool isOver = false;
  change([&] {
    isOver = !connection_;
    if (!isOver) onRoom_ = std::move(callback);
    return true;
  });
  if (isOver) callback();
}

void HttpExchange::end() {
  std::string shortage;
  change([&] {
    if (!connection_) return false;
    SS_CHECK(phase_ == Phase::Streaming, "end() comes once, after begin()");
    if (answer_.length && *answer_.length != answer_.written &&
        !leavesBodyOut(answer_.head.status)) {
      aborted_ = true;
      shortage = str("the Content-Length says ", *answer_.length, ", but ", answer_.written,
                     " bytes came");
    }
    phase_ = Phase::Complete;
    return true;
  });
  if (!shortage.empty()) throw invalidRequest(shortage);
}

void HttpExchange::readMore(BodyCallback callback) {
  bool isOver = false;
  change([&] {
    isOver = !connection_;
    if (isOver) return false;
    SS_CHECK(!onBody_, "one piece of a body may be asked for at a time");
    onBody_ = std::move(callback);
    return true;
  });
  if (isOver) callback({}, BodyState::Closed);
}

void HttpExchange::onClosed(CloseCallback callback) {
  std::optional<CloseReason> closed;
  {
    const std::lock_guard lock(mutex_);
    closed = closed_;
    if (!closed && connection_) onClosed_ = std::move(callback);
  }
  if (closed) callback(*closed);
}

void HttpExchange::abort() {
  change([this] {
    aborted_ = true;
    return true;
  });
}

bool HttpExchange::tryReset() {
#if defined(__SANITIZE_THREAD__)
  return false;  // It does not know fences.
#else
  // One owner is left, which calls this; the fence sees all that the others did before they let go.
  if (weak_from_this().use_count() != 1) return false;
  std::atomic_thread_fence(std::memory_order_acquire);
  headBytes_.clear();
  body_.clear();
  request_.headers.clear();
  request_.host = {};
  hasMore_ = false;
  const std::lock_guard lock(mutex_);
  phase_ = Phase::Waiting;
  answer_ = {};
  queued_ = false;
  aborted_ = false;
  onBody_ = nullptr;
  onClosed_ = nullptr;
  onRoom_ = nullptr;
  closed_.reset();
  return true;
#endif
}

}  // namespace schemascript

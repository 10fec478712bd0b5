#include "http/connection.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <ctime>
#include <utility>

#include "base/error.h"

namespace schemascript {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Failure = boost::system::error_code;

namespace {

// A new connection's buffer; most requests fit. It grows to readBytesMax.
constexpr std::size_t kFirstBufferBytes = 4096;
// Larger bodies are written from where they are, smaller ones copied behind their head.
constexpr std::size_t kCopiedBodyBytes = 16u << 10;

// What one may earn by having been fast: so that no sum of times overflows.
constexpr std::uint64_t kEarnedSecondsMax = 24 * 60 * 60;

void appendNumber(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 24> digits;
  out.append(digits.data(),
             std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr);
}

void appendStatus(std::string& out, int status) {
  out += "HTTP/1.1 ";
  appendNumber(out, static_cast<std::uint64_t>(status));
  out += ' ';
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  out.append(reason.data(), reason.size());
  out += "\r\n";
}

}  // namespace

HttpReactor::HttpReactor(HttpShared& shared)
    : shared_(shared), work_(context_.get_executor()), timer_(context_) {}

void HttpReactor::run() { context_.run(); }

void HttpReactor::add(tcp::socket socket) {
  dispatch([&] {
    auto connection = std::make_shared<HttpConnection>(*this, std::move(socket));
    connection->index = connections_.size();
    connections_.push_back(connection);
    if (isStopping_) return connection->close(CloseReason::Stopped);
    if (!isTicking_) tick();
    connection->start();
  });
}

void HttpReactor::remove(HttpConnection& connection) {
  const std::size_t index = connection.index;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index = index;
  connections_.pop_back();
  --shared_.open;
  shared_.closed();
  finishIfIdle();
}

void HttpReactor::enqueue(std::shared_ptr<HttpExchange> exchange) {
  if (hasTurn()) {
    local_.push_back(std::move(exchange));
    return;
  }
  const std::lock_guard lock(mutex_);
  woken_.push_back(std::move(exchange));
}

bool HttpReactor::hasWoken() {
  const std::lock_guard lock(mutex_);
  return !woken_.empty();
}

// Who does not get the turn has enqueued before: the one that has it looks once more after it has
// let go, and so nothing is left.
void HttpReactor::flush() {
  if (hasTurn()) return;
  while (hasWoken()) {
    const Turn turn(*this, std::try_to_lock);
    if (!turn) return;
    now_ = HttpClock::now();
    drain();
  }
}

void HttpReactor::drain() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      batch_.swap(woken_);
    }
    if (batch_.empty()) batch_.swap(local_);
    if (batch_.empty()) return;
    for (const auto& exchange : batch_) {
      if (const auto connection = HttpConnection::of(*exchange)) connection->woken(*exchange);
    }
    batch_.clear();
  }
}

void HttpReactor::tick() {
  isTicking_ = !connections_.empty();
  if (!isTicking_) return;
  const HttpLimits& limits = shared_.limits;
  const auto shortest = std::min({limits.headTimeMax, limits.idleTimeMax, limits.bodyTimeMax,
                                  limits.writeTimeMax, limits.lingerTimeMax});
  using namespace std::chrono_literals;
  timer_.expires_after(
      std::clamp<std::chrono::milliseconds>(isStopping_ ? 10ms : shortest / 4, 5ms, 250ms));
  timer_.async_wait([this](Failure failure) {
    if (failure) return;
    dispatch([this] {
      // From the back, because those that are closed are taken out.
      for (std::size_t i = connections_.size(); i-- > 0;) {
        if (i >= connections_.size()) continue;
        const auto connection = connections_[i];
        if (now_ >= stopAt_) {
          connection->close(CloseReason::Stopped);
        } else {
          connection->checkDeadline();
        }
      }
      tick();
    });
  });
}

void HttpReactor::stop(HttpClock::time_point until) {
  dispatch([this, until] {
    isStopping_ = true;
    stopAt_ = std::min(stopAt_, until);
    for (std::size_t i = connections_.size(); i-- > 0;) {
      if (i >= connections_.size()) continue;
      const auto connection = connections_[i];
      connection->stop();
    }
    if (!connections_.empty()) tick();  // Anew: with the pace of a stop.
    finishIfIdle();
  });
}

void HttpReactor::finishIfIdle() {
  if (!isStopping_ || !connections_.empty()) return;
  timer_.cancel();
  work_.reset();
}

std::string_view HttpReactor::date() {
  const std::time_t second = std::time(nullptr);
  if (second != dateSecond_) {
    dateSecond_ = second;
    std::tm parts{};
    ::gmtime_r(&second, &parts);
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    // Not strftime's %a and %b: they ask the locale.
    std::snprintf(date_.data(), date_.size(), "%s, %02u %s %04u %02u:%02u:%02u GMT",
                  kDays[parts.tm_wday], static_cast<unsigned>(parts.tm_mday) % 100u,
                  kMonths[parts.tm_mon], static_cast<unsigned>(parts.tm_year + 1900) % 10000u,
                  static_cast<unsigned>(parts.tm_hour) % 100u,
                  static_cast<unsigned>(parts.tm_min) % 100u,
                  static_cast<unsigned>(parts.tm_sec) % 100u);
  }
  return date_.data();
}

HttpConnection::HttpConnection(HttpReactor& reactor, tcp::socket socket)
    : reactor_(reactor), limits_(reactor.shared().limits), socket_(std::move(socket)) {}

std::shared_ptr<HttpConnection> HttpConnection::of(HttpExchange& exchange) {
  const std::lock_guard lock(exchange.mutex_);
  exchange.queued_ = false;
  return exchange.connection_;
}

void HttpConnection::start() {
  Failure failure;
  // Not native_non_blocking(): with that alone, Asio itself waits inside of write_some() and
  // read_some(), and with it all connections of this thread.
  socket_.non_blocking(true, failure);
  if (!failure) socket_.set_option(tcp::no_delay(true), failure);
  const auto peer = socket_.remote_endpoint(failure);
  if (failure) return close(CloseReason::Lost);
  peer_ = peer.address().to_string();
  in_.resize(kFirstBufferBytes);
  readDeadline_ = reactor_.now() + limits_.headTimeMax;
  run();
}

// Goes on as far as it can without waiting. The only function that others call to get further, so
// that nothing is nested inside of a callback.
void HttpConnection::run() {
  if (isRunning_) return;
  isRunning_ = true;
  const auto self = shared_from_this();
  while (!isClosed_ && !isLingering_) {
    if (!current_) {
      if (mustClose_ || !parseNext()) break;
      continue;
    }
    deliverBody();
    if (!current_ || isClosed_) continue;
    service();
    if (isClosed_ || !current_) continue;
    if (answerDone_ && !mustClose_ && bodyDone_ && large_.empty() && inEnd_ > inBegin_ &&
        out_.size() < kCopiedBodyBytes && !isWriting_) {
      finishExchange();  // More requests wait: their answers may go with this one.
      continue;
    }
    const bool hadOutput = hasOutput();
    if (!flush()) break;
    if (answerDone_) {
      finishExchange();
    } else if (!hadOutput) {
      break;
    }
  }
  if (!isClosed_ && flush() && !current_ && !isLingering_) {
    if (mustClose_) {
      linger();
    } else if (sawEnd_) {
      close(CloseReason::Lost);
    }
  }
  isRunning_ = false;
  if (!isClosed_) waitForRead();
}

// Takes the next request from what was read; false if that is not there yet.
bool HttpConnection::parseNext() {
  if (reactor_.isStopping()) {
    mustClose_ = true;
    return false;
  }
  // One empty line in front is what some clients send behind a body (RFC 9112, 2.2).
  if (!skippedLine_ && !scanner_.hasLine()) {
    if (input() == "\r") return false;
    if (input().starts_with("\r\n")) {
      inBegin_ += 2;
      skippedLine_ = true;
    }
  }
  const HeadScanner::State state = scanner_.scan(input());
  const std::size_t size = state == HeadScanner::State::Complete ? scanner_.end() : input().size();
  if (state == HeadScanner::State::Malformed) {
    refuse(400, "the head of the request is malformed");
  } else if (size > limits_.headBytesMax) {
    if (scanner_.hasLine()) {
      refuse(431, "the header fields are too long");
    } else {
      refuse(414, "the request target is too long");
    }
  } else if (state == HeadScanner::State::Complete) {
    return takeHead(size);
  }
  return false;
}

bool HttpConnection::takeHead(std::size_t size) {
  if (!spare_ || !spare_->tryReset()) spare_ = std::make_shared<HttpExchange>();
  HttpExchange& exchange = *spare_;
  exchange.headBytes_.assign(input().substr(0, size));
  inBegin_ += size;
  scanner_ = {};
  skippedLine_ = false;
  hadRequest_ = true;
  head_ = parseHead(exchange.headBytes_, limits_, exchange.request_);
  isHead_ = exchange.headBytes_.starts_with("HEAD ");
  if (head_.refusal != 0) {
    refuse(head_.refusal, head_.reason);
    return false;
  }
  readDeadline_ = TimePoint::max();
  bodyDone_ = head_.framing == BodyFraming::None;
  bodyMalformed_ = false;
  bodyLeft_ = head_.length;
  bodyBytes_ = 0;
  bodyWaited_ = {};
  chunks_ = ChunkDecoder(limits_.headBytesMax);
  headSent_ = isChunked_ = answerDone_ = false;
  mustClose_ = !head_.keepAlive;
  if (!bodyDone_) decodeBody(exchange.body_, limits_.readBytesMax);
  if (bodyMalformed_) {
    refuse(400, "the body is not chunked as it has to be");
    return false;
  }
  if (bodyBytes_ > limits_.bodyBytesMax) {
    refuse(413, "the body is too large");
    return false;
  }
  exchange.hasMore_ = !bodyDone_;
  exchange.peer_ = peer_;
  exchange.writeBytesMax_ = limits_.writeBytesMax;
  {
    const std::lock_guard lock(exchange.mutex_);
    exchange.connection_ = shared_from_this();
    exchange.queued_ = true;  // What the handler does at once needs no wake-up.
  }
  current_ = std::move(spare_);
  callHandler();
  return true;
}

void HttpConnection::callHandler() {
  ++reactor_.shared().requests;
  const auto exchange = current_.get();
  bool hasFailed = false;
  try {
    reactor_.shared().handler(current_);
  } catch (...) {
    // Whoever wants to know more catches it in the handler.
    hasFailed = true;
  }
  bool hasBegun = false;
  {
    const std::lock_guard lock(exchange->mutex_);
    exchange->queued_ = false;
    hasBegun = exchange->phase_ != HttpExchange::Phase::Waiting;
  }
  if (!hasFailed) return;
  if (hasBegun) return close(CloseReason::Lost);
  detach(CloseReason::Lost);
  refuse(500, "the request could not be answered");
}

// Moves what is there of the body behind `out`.
void HttpConnection::decodeBody(std::string& out, std::size_t outBytesMax) {
  std::string_view rest = input();
  const std::size_t before = out.size();
  if (head_.framing == BodyFraming::Length) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>({bodyLeft_, rest.size(), outBytesMax}));
    out.append(rest.substr(0, size));
    rest.remove_prefix(size);
    bodyLeft_ -= size;
    bodyDone_ = bodyLeft_ == 0;
  } else {
    const ChunkDecoder::State state = chunks_.decode(rest, out, outBytesMax);
    bodyDone_ = state == ChunkDecoder::State::Complete;
    bodyMalformed_ = state == ChunkDecoder::State::Malformed;
  }
  bodyBytes_ += out.size() - before;
  inBegin_ = inEnd_ - rest.size();
}

void HttpConnection::deliverBody() {
  {
    const std::lock_guard lock(current_->mutex_);
    if (!current_->onBody_) return;
  }
  std::string piece;
  if (!bodyDone_) decodeBody(piece, limits_.readBytesMax);
  if (bodyMalformed_) {
    return failBody(BodyState::Malformed, 400, "the body is not chunked as it has to be");
  }
  if (bodyBytes_ > limits_.bodyBytesMax) {
    return failBody(BodyState::TooLarge, 413, "the body is too large");
  }
  if (piece.empty() && !bodyDone_) {
    if (sawEnd_) return close(CloseReason::Lost);
    if (readDeadline_ == TimePoint::max()) {
      bodyWaitBegin_ = reactor_.now();
      setBodyDeadline();
    }
    if (head_.expectsContinue && !headSent_) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    head_.expectsContinue = false;
    return;
  }
  if (readDeadline_ != TimePoint::max()) bodyWaited_ += reactor_.now() - bodyWaitBegin_;
  readDeadline_ = TimePoint::max();
  HttpExchange::BodyCallback callback;
  {
    const std::lock_guard lock(current_->mutex_);
    callback = std::exchange(current_->onBody_, nullptr);
  }
  guarded([&] { callback(piece, bodyDone_ ? BodyState::Last : BodyState::More); });
}

// Some of the body has to come in bodyTimeMax, and all that came has to have been worth the wait.
void HttpConnection::setBodyDeadline() {
  readDeadline_ = reactor_.now() + limits_.bodyTimeMax;
  if (limits_.bodyBytesPerSecondMin == 0) return;
  const std::chrono::seconds earned(
      std::min(bodyBytes_ / limits_.bodyBytesPerSecondMin, kEarnedSecondsMax));
  readDeadline_ =
      std::min(readDeadline_, bodyWaitBegin_ - bodyWaited_ + limits_.bodyTimeMax + earned);
}

void HttpConnection::failBody(BodyState state, int status, const char* reason) {
  const auto exchange = current_;
  HttpExchange::BodyCallback callback;
  bool hasBegun = false;
  {
    const std::lock_guard lock(exchange->mutex_);
    callback = std::exchange(exchange->onBody_, nullptr);
    hasBegun = headSent_ || exchange->phase_ != HttpExchange::Phase::Waiting;
  }
  detach(CloseReason::Lost);
  if (callback) guarded([&] { callback({}, state); });
  if (isClosed_) return;
  if (hasBegun) return close(CloseReason::Lost);
  refuse(status, reason);
}

// Takes what the handler has answered, once what came before is on its way.
void HttpConnection::service() {
  std::function<void()> onRoom;
  bool isAborted = false;
  {
    const std::lock_guard lock(current_->mutex_);
    HttpExchange::Answer& answer = current_->answer_;
    isAborted = current_->aborted_;
    if (!isAborted && !answerDone_ && large_.empty() && !isWriting_) {
      const bool isComplete = current_->phase_ == HttpExchange::Phase::Complete;
      if (current_->phase_ != HttpExchange::Phase::Waiting) {
        if (!headSent_) writeHead(answer, isComplete);
        appendBody(answer);
        if (isComplete && isChunked_) (large_.empty() ? out_ : large_) += "0\r\n\r\n";
        answerDone_ = isComplete;
      }
      onRoom = std::exchange(current_->onRoom_, nullptr);
    }
  }
  if (isAborted) return close(CloseReason::Lost);
  if (onRoom) guarded([&] { onRoom(); });
}

void HttpConnection::writeHead(HttpExchange::Answer& answer, bool isComplete) {
  headSent_ = true;
  const int status = answer.head.status;
  const bool isLeftOut = current_->leavesBodyOut(status);
  if (isComplete && !answer.length && !isLeftOut) answer.length = answer.body.size();
  // What is not read of the body now would be taken for the next request.
  if (isComplete && !bodyDone_) {
    std::string ignored;
    decodeBody(ignored, limits_.readBytesMax);
    if (!bodyDone_) mustClose_ = true;
  }
  if (head_.expectsContinue) mustClose_ = true;  // It may send the body or not.
  const int minor = current_->request_.minorVersion;
  isChunked_ = !answer.length && !isLeftOut && minor == 1;
  if (!answer.length && !isLeftOut && minor == 0) mustClose_ = true;
  if (answer.close || reactor_.isStopping()) mustClose_ = true;

  appendStatus(out_, status);
  for (const auto& [name, value] : answer.head.headers) {
    if (equalsIgnoringCase(name, "content-length")) continue;
    out_.append(name).append(": ").append(value).append("\r\n");
  }
  if (!answer.hasDate) out_.append("Date: ").append(reactor_.date()).append("\r\n");
  if (answer.length && status != 204) {
    out_ += "Content-Length: ";
    appendNumber(out_, *answer.length);
    out_ += "\r\n";
  }
  if (isChunked_) out_ += "Transfer-Encoding: chunked\r\n";
  const char* const lasts = mustClose_ ? "close" : minor == 0 ? "keep-alive" : "";
  if (*lasts != '\0' || answer.upgrade) {
    // Who names a protocol has to say that it is meant for this connection (RFC 9110, 7.8).
    const char* const names = !answer.upgrade ? "" : *lasts == '\0' ? "upgrade" : ", upgrade";
    out_.append("Connection: ").append(lasts).append(names).append("\r\n");
  }
  out_ += "\r\n";
}

void HttpConnection::appendBody(HttpExchange::Answer& answer) {
  if (answer.body.empty()) return;
  if (isChunked_) {
    appendNumber(out_, answer.body.size(), 16);
    out_ += "\r\n";
    answer.body += "\r\n";
  }
  if (answer.body.size() <= kCopiedBodyBytes) {
    out_ += answer.body;
    answer.body.clear();
  } else {
    large_ = std::exchange(answer.body, {});
  }
}

// Writes what is to be written; false if that has to wait, or the client is gone.
bool HttpConnection::flush() {
  if (isWriting_) return false;
  while (hasOutput()) {
    const std::size_t skipped = std::min(sent_, out_.size());
    const std::array<asio::const_buffer, 2> buffers{
        asio::buffer(out_.data() + skipped, out_.size() - skipped),
        asio::buffer(large_.data() + (sent_ - skipped), large_.size() - (sent_ - skipped))};
    Failure failure;
    const std::size_t taken = large_.empty() ? socket_.write_some(buffers[0], failure)
                                             : socket_.write_some(buffers, failure);
    if (taken > 0) writeDeadline_ = TimePoint::max();
    sent_ += taken;
    written_ += taken;
    if (failure == asio::error::would_block || failure == asio::error::try_again) {
      waitForWrite();
      return false;
    }
    if (failure == asio::error::interrupted) continue;
    if (failure) {
      close(CloseReason::Lost);
      return false;
    }
    if (sent_ < out_.size() + large_.size()) continue;
    sent_ = 0;
    out_.clear();
    large_ = {};
  }
  return true;
}

void HttpConnection::waitForWrite() {
  isWriting_ = true;
  // A socket that says that it has room need not take anything: only that counts.
  if (writeDeadline_ == TimePoint::max()) writeDeadline_ = reactor_.now() + limits_.writeTimeMax;
  writeWaitBegin_ = reactor_.now();
  if (!hasWaited_) takenBefore_ = takenByClient();
  hasWaited_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](Failure) {
    self->reactor_.dispatch([&self] {
      self->isWriting_ = false;
      self->writeWaited_ += self->reactor_.now() - self->writeWaitBegin_;
      if (!self->isClosed_) self->run();
    });
  });
}

// What the kernel holds for the client is as much as it likes: megabytes, of which it says that
// there is room again only when a third is gone.
std::uint64_t HttpConnection::takenByClient() {
  int queued = 0;  // tcp(7): SIOCOUTQ. Not acknowledged, or not sent.
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &queued) != 0 || queued < 0) return written_;
  return written_ - std::min(written_, static_cast<std::uint64_t>(queued));
}

// Some of the answer has to be taken in writeTimeMax, and all that was has to have been worth the
// wait.
bool HttpConnection::isReadTooSlowly() {
  if (!isWriting_) return false;
  const auto now = reactor_.now();
  const std::uint64_t taken = takenByClient();
  if (taken > taken_) writeDeadline_ = now + limits_.writeTimeMax;
  taken_ = std::max(taken, taken_);
  if (now >= writeDeadline_) return true;
  if (limits_.answerBytesPerSecondMin == 0) return false;
  const std::uint64_t sinceBegin = taken_ - std::min(taken_, takenBefore_);
  const std::chrono::seconds earned(
      std::min(sinceBegin / limits_.answerBytesPerSecondMin, kEarnedSecondsMax));
  return now - writeWaitBegin_ + writeWaited_ >= limits_.writeTimeMax + earned;
}

// A reset is seen by reading, and nothing is read while a body waits to be asked for, or after the
// client's end. An end alone says nothing: it may come behind bytes that are still to be read.
bool HttpConnection::isReset() {
  if (isReading_ || !current_) return false;
  pollfd state{socket_.native_handle(), 0, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

void HttpConnection::finishExchange() {
  hasWaited_ = false;
  writeWaited_ = {};
  spare_ = detach(std::nullopt);
  isHead_ = false;
  if (!bodyDone_) {
    std::string ignored;
    decodeBody(ignored, limits_.readBytesMax);
    if (!bodyDone_) mustClose_ = true;
  }
  readDeadline_ = reactor_.now() + (inEnd_ == inBegin_ ? limits_.idleTimeMax : limits_.headTimeMax);
}

// Ends the exchange. With a reason, those who wait are told. Callbacks are destroyed outside of the
// lock: they may hold the last pointer to anything.
std::shared_ptr<HttpExchange> HttpConnection::detach(std::optional<CloseReason> reason) {
  const auto exchange = std::exchange(current_, nullptr);
  if (!exchange) return nullptr;
  std::shared_ptr<HttpConnection> connection;
  HttpExchange::BodyCallback onBody;
  HttpExchange::CloseCallback onClosed;
  std::function<void()> onRoom;
  {
    const std::lock_guard lock(exchange->mutex_);
    connection.swap(exchange->connection_);
    onBody.swap(exchange->onBody_);
    onClosed.swap(exchange->onClosed_);
    onRoom.swap(exchange->onRoom_);
    if (reason && !exchange->closed_) exchange->closed_ = reason;
  }
  if (onBody) guarded([&] { onBody({}, BodyState::Closed); });
  if (onRoom) guarded([&] { onRoom(); });
  if (reason && onClosed) guarded([&] { onClosed(*reason); });
  return exchange;
}

// An answer of the server's own, which is the connection's last.
void HttpConnection::refuse(int status, const char* reason) {
  ++reactor_.shared().refused;
  mustClose_ = true;
  appendStatus(out_, status);
  out_.append("Date: ").append(reactor_.date()).append("\r\n");
  out_ += "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ";
  appendNumber(out_, std::string_view(reason).size() + 1);
  out_ += "\r\nConnection: close\r\n\r\n";
  if (!isHead_) out_.append(reason).append("\n");
}

// Says that nothing more comes and reads until the client does as well: a socket that is closed
// with bytes unread resets the connection, and the client may lose the answer.
void HttpConnection::linger() {
  if (sawEnd_) return close(CloseReason::Lost);
  Failure ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  isLingering_ = true;
  readDeadline_ = reactor_.now() + limits_.lingerTimeMax;
}

void HttpConnection::waitForRead() {
  const bool isFull = inEnd_ - inBegin_ >= limits_.readBytesMax;
  if (isReading_ || sawEnd_ || (isFull && !isLingering_)) return;
  isReading_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](Failure) {
    self->reactor_.dispatch([&self] {
      self->isReading_ = false;
      if (!self->isClosed_) self->readable();
    });
  });
}

void HttpConnection::readable() {
  const bool wasEmpty = inBegin_ == inEnd_;
  const bool hasNew = readSome();
  if (isClosed_) return;
  if (isLingering_) {
    if (sawEnd_) return close(CloseReason::Lost);
    return waitForRead();
  }
  if (hasNew && !current_ && wasEmpty && hadRequest_) {
    readDeadline_ = reactor_.now() + limits_.headTimeMax;
  }
  if (hasNew && current_ && readDeadline_ != TimePoint::max()) {
    setBodyDeadline();
  }
  run();
}

bool HttpConnection::readSome() {
  if (isLingering_ || inBegin_ == inEnd_) inBegin_ = inEnd_ = 0;
  if (inEnd_ == in_.size() && inBegin_ > 0) {
    in_.erase(0, inBegin_);
    in_.resize(in_.size() + inBegin_);
    inEnd_ -= std::exchange(inBegin_, 0);
  }
  const std::size_t bytesMax = std::max(limits_.readBytesMax, limits_.headBytesMax + 1);
  if (inEnd_ == in_.size()) in_.resize(std::min(in_.size() * 2, bytesMax));
  Failure failure;
  const std::size_t size =
      socket_.read_some(asio::buffer(in_.data() + inEnd_, in_.size() - inEnd_), failure);
  inEnd_ += size;
  if (failure == asio::error::eof) {
    sawEnd();
  } else if (failure && failure != asio::error::would_block && failure != asio::error::try_again &&
             failure != asio::error::interrupted) {
    close(CloseReason::Lost);
  }
  return size > 0;
}

// The client sends no more. What it has asked for is answered all the same.
void HttpConnection::sawEnd() {
  sawEnd_ = true;
  if (!current_) return;
  HttpExchange::CloseCallback callback;
  {
    const std::lock_guard lock(current_->mutex_);
    current_->closed_ = CloseReason::HalfClosed;
    callback = std::exchange(current_->onClosed_, nullptr);
  }
  if (callback) guarded([&] { callback(CloseReason::HalfClosed); });
}

void HttpConnection::woken(const HttpExchange& exchange) {
  if (!isClosed_ && current_.get() == &exchange) run();
}

void HttpConnection::checkDeadline() {
  if (isClosed_) return;
  const auto now = reactor_.now();
  if (isReadTooSlowly() || isReset()) return close(CloseReason::Lost);
  if (now < readDeadline_) return;
  // A body that was asked for times out whatever comes after the answer.
  if (isLingering_ || (mustClose_ && !current_)) return close(CloseReason::Lost);
  readDeadline_ = TimePoint::max();
  if (current_) {
    failBody(BodyState::TimedOut, 408, "the body came too slowly");
  } else if (inBegin_ != inEnd_) {
    refuse(408, "the request came too slowly");
  } else {
    return close(CloseReason::Lost);
  }
  if (!isClosed_) run();
}

void HttpConnection::stop() {
  if (!isClosed_ && !current_ && !hasOutput() && !isLingering_) close(CloseReason::Stopped);
}

void HttpConnection::close(CloseReason reason) {
  if (isClosed_) return;
  isClosed_ = true;
  const auto self = shared_from_this();
  Failure ignored;
  // Without this, an answer that ends with the connection would look complete.
  if (current_) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  detach(reason);
  reactor_.remove(*this);
}

// A callback that throws breaks its connection off: there is nobody else to tell.
template <typename Call>
void HttpConnection::guarded(Call&& call) {
  try {
    call();
  } catch (...) {
    close(CloseReason::Lost);
  }
}

}  // namespace schemascript

// One client's connection: reads requests, one after the other, and writes their answers.
// Everything but enqueue() happens under its reactor's turn.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "http/chunk-decoder.h"
#include "http/request-head.h"
#include "http/server.h"

namespace schemascript {

using HttpClock = std::chrono::steady_clock;

// What all connections of a server share.
struct HttpShared {
  HttpLimits limits;
  HttpHandler handler;
  std::function<void()> closed{};  // A connection was closed: another may be accepted.
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> acceptFailures{0};
};

// An event loop and its connections. One thread at a time waits for events (`run()`, or `watch()`),
// but what they lead to, and what handlers answer, is done by whoever has the reactor's turn: an
// answer is written by the thread that gives it.
class HttpReactor : public std::enable_shared_from_this<HttpReactor> {
 public:
  explicit HttpReactor(HttpShared& shared);

  boost::asio::io_context& context() noexcept { return context_; }
  void run();  // Until stop() is carried out.
  void add(boost::asio::ip::tcp::socket socket);
  void remove(HttpConnection& connection);

  // From any thread: has the exchange looked at, by the next flush() or whoever has the turn.
  void enqueue(std::shared_ptr<HttpExchange> exchange);
  // Looks at what was enqueued, unless another thread has the turn, which does it then. Not with
  // the lock of an exchange held.
  void flush();
  // Takes the turn and runs what an event brought, and then what it led to.
  template <typename Work>
  void dispatch(Work&& work) {
    {
      const Turn turn(*this);
      now_ = HttpClock::now();
      work();
      drain();
    }
    flush();  // What was enqueued by a thread that did not get the turn since.
  }
  void stop(HttpClock::time_point until);
  bool isStopping() const noexcept { return isStopping_; }
  HttpClock::time_point now() const noexcept { return now_; }
  std::string_view date();  // As the header wants it; valid until the next call.
  HttpShared& shared() noexcept { return shared_; }

 private:
  // Of one thread. Taken again by the one that has it, it does nothing: a callback may answer.
  class Turn {
   public:
    explicit Turn(HttpReactor& reactor) : reactor_(reactor) {
      reactor.turn_.lock();
      begin();
    }
    Turn(HttpReactor& reactor, std::try_to_lock_t) : reactor_(reactor) {
      if (reactor.turn_.try_lock()) begin();
    }
    ~Turn() {
      if (!isMine_) return;
      reactor_.owner_.store({}, std::memory_order_relaxed);
      reactor_.turn_.unlock();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const noexcept { return isMine_; }

   private:
    void begin() noexcept {
      isMine_ = true;
      reactor_.owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }

    HttpReactor& reactor_;
    bool isMine_ = false;
  };

  bool hasTurn() const noexcept {
    return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  bool hasWoken();
  void drain();
  void tick();
  void finishIfIdle();

  HttpShared& shared_;
  // Before what refers to it, so that it is destroyed after that.
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::mutex mutex_{};  // Guards woken_.
  std::vector<std::shared_ptr<HttpExchange>> woken_{};
  std::mutex turn_{};                     // Guards what follows, and the connections.
  std::atomic<std::thread::id> owner_{};  // Who has the turn.
  boost::asio::steady_timer timer_;
  std::vector<std::shared_ptr<HttpConnection>> connections_{};
  std::vector<std::shared_ptr<HttpExchange>> local_{};  // Woken by the one who has the turn.
  std::vector<std::shared_ptr<HttpExchange>> batch_{};
  HttpClock::time_point now_{};
  HttpClock::time_point stopAt_ = HttpClock::time_point::max();
  bool isStopping_ = false;
  bool isTicking_ = false;
  std::time_t dateSecond_ = 0;
  std::array<char, 40> date_{};
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(HttpReactor& reactor, boost::asio::ip::tcp::socket socket);

  void start();
  HttpReactor& reactor() noexcept { return reactor_; }
  // The connection of an exchange that was woken, which may be woken again from now on.
  static std::shared_ptr<HttpConnection> of(HttpExchange& exchange);
  void woken(const HttpExchange& exchange);
  void checkDeadline();
  void stop();  // Closes it if nothing is being answered.
  void close(CloseReason reason);

  std::size_t index = 0;  // In the reactor's list.

 private:
  using TimePoint = HttpClock::time_point;

  void run();
  bool parseNext();
  bool takeHead(std::size_t size);
  void callHandler();
  void firstBody(HttpExchange& exchange);
  void decodeBody(std::string& out, std::size_t outBytesMax);
  void deliverBody();
  void setBodyDeadline();
  void failBody(BodyState state, int status, const char* reason);
  void service();
  void writeHead(HttpExchange::Answer& answer, bool isComplete);
  void appendBody(HttpExchange::Answer& answer);
  bool flush();
  void waitForWrite();
  std::uint64_t takenByClient();
  bool isReadTooSlowly();
  bool isReset();
  void finishExchange();
  std::shared_ptr<HttpExchange> detach(std::optional<CloseReason> reason);
  void refuse(int status, const char* reason);
  void linger();
  void waitForRead();
  void readable();
  bool readSome();
  void sawEnd();
  template <typename Call>
  void guarded(Call&& call);

  std::string_view input() const noexcept { return {in_.data() + inBegin_, inEnd_ - inBegin_}; }
  bool hasOutput() const noexcept { return !out_.empty() || !large_.empty(); }

  HttpReactor& reactor_;
  const HttpLimits& limits_;
  boost::asio::ip::tcp::socket socket_;
  std::string peer_{};

  std::string in_{};  // Read and not yet understood: from inBegin_ to inEnd_.
  std::size_t inBegin_ = 0;
  std::size_t inEnd_ = 0;
  HeadScanner scanner_{};
  std::string out_{};    // To be written first, ...
  std::string large_{};  // ... and then a body that is not worth copying.
  std::size_t sent_ = 0;

  std::shared_ptr<HttpExchange> current_{};
  std::shared_ptr<HttpExchange> spare_{};  // For the next request, if nobody else has kept it.
  HeadOutcome head_{};
  std::uint64_t bodyLeft_ = 0;
  std::uint64_t bodyBytes_ = 0;
  HttpClock::duration bodyWaited_{};  // For bytes of the body, before ...
  TimePoint bodyWaitBegin_{};         // ... the wait that goes on, if one does.
  ChunkDecoder chunks_{};
  bool bodyDone_ = true;
  bool bodyMalformed_ = false;
  bool isHead_ = false;
  bool headSent_ = false;
  bool isChunked_ = false;
  bool answerDone_ = false;
  bool mustClose_ = false;

  bool isReading_ = false;  // A wait is pending.
  bool isWriting_ = false;
  bool sawEnd_ = false;
  bool isLingering_ = false;
  bool isClosed_ = false;
  bool isRunning_ = false;
  bool hadRequest_ = false;
  bool skippedLine_ = false;  // The empty line in front of the present head.
  TimePoint readDeadline_ = TimePoint::max();
  TimePoint writeDeadline_ = TimePoint::max();
  std::uint64_t written_ = 0;          // To the kernel, since the connection began.
  std::uint64_t taken_ = 0;            // Of that, by the client, when it was looked at.
  std::uint64_t takenBefore_ = 0;      // The same when this answer had to wait first.
  bool hasWaited_ = false;             // It had.
  HttpClock::duration writeWaited_{};  // By this answer, before ...
  TimePoint writeWaitBegin_{};         // ... the wait that goes on, if one does.
};

}  // namespace schemascript

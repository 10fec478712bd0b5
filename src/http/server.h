// The HTTP/1.1 front end: sockets to requests, answers to sockets. It knows nothing of guests: what
// a request means is the business of a Handler.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/limits.h"

namespace schemascript {

// One field of a request's head. The name as the client wrote it: compare it without case.
struct HttpField {
  std::string_view name;
  std::string_view value;
};

// The head of a request. All views end with its Exchange.
struct HttpRequest {
  std::string_view method;  // A token; `HEAD` is a GET whose answer's body the server leaves out.
  std::string_view target;  // As the client wrote it.
  std::string_view path;    // With the query: `/notes?page=2`; `*` for OPTIONS of the whole server.
  std::string_view host;    // With the port if one was given; empty only in HTTP/1.0.
  int minorVersion = 1;     // HTTP/1.0 or HTTP/1.1.
  std::vector<HttpField> headers{};  // In order, each as often as it came.

  // The first field of that name, in any case.
  std::optional<std::string_view> tryFind(std::string_view name) const noexcept;
};

// The head of an answer. The server adds Date, Connection, and the framing of the body.
struct HttpAnswerHead {
  int status = 200;  // 200 to 599.
  // Sent in order; the same name may come several times (Set-Cookie). `Connection: close` ends the
  // connection after this answer. Left out is what is about a connection and so the server's alone:
  // Connection and the fields that it names, Keep-Alive, TE, Trailer, Proxy-Connection and those
  // for logging in to a proxy, and Upgrade unless the status is 426. Transfer-Encoding is refused.
  std::vector<std::pair<std::string, std::string>> headers{};
};

enum class WriteState : std::uint8_t {
  Room,    // More may come at once.
  Full,    // Taken; wait for onRoom() before the next.
  Closed,  // Not taken: the client is gone, or the exchange has ended.
};

enum class BodyState : std::uint8_t {
  More,       // The next piece has to be asked for.
  Last,       // The body is complete with these bytes, which may be none.
  Malformed,  // The rest are failures, without bytes. The server answers 400, ...
  TooLarge,   // ... 413 ...
  TimedOut,   // ... or 408 itself, unless an answer has begun; then the connection is closed.
  Closed,     // The client is gone, or the exchange has ended.
};

enum class CloseReason : std::uint8_t {
  HalfClosed,  // The client sends no more. Most are gone for good, some still read the answer.
  Lost,        // Reset, timed out or aborted: nobody reads an answer.
  Stopped,     // The server was stopped and its grace is over.
};

class HttpConnection;

// One request and its answer. All functions may be called from any thread, also at the same time,
// and wait for nobody. What they ask for is done at once where nobody else is at the connections,
// so that answers are written by the thread that gives them. Callbacks, of other connections, too,
// run on such a thread or on one that watches for events, one at a time, and must not block; they
// may call any function here, which may not be called with a lock held that a callback takes. What
// comes after the end of an exchange is ignored.
//
// Owners: the handler, as long as it needs it, and the connection, until the answer is complete. A
// handler that never answers keeps the connection until the server stops: its deadline is the
// caller's concern (answer 504, or abort()).
class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
 public:
  using BodyCallback = std::function<void(std::string_view bytes, BodyState state)>;
  using CloseCallback = std::function<void(CloseReason)>;

  HttpExchange() = default;
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  const HttpRequest& request() const noexcept { return request_; }
  // What of the body had come with the head; all of it unless hasMore(). Ends with the exchange.
  std::string_view body() const noexcept { return body_; }
  bool hasMore() const noexcept { return hasMore_; }
  // The client's address, numeric, without port.
  std::string_view peer() const noexcept { return peer_; }

  // Answers with all that there is. Throws InvalidRequest if the head cannot be sent: a status out
  // of range, a name that is not a token, a value with a control character, a Content-Length that
  // is not the body's size, Transfer-Encoding. Then nothing was sent, and another answer may be
  // given. Throws Internal if an answer was given before.
  void respond(HttpAnswerHead head, std::string body);

  // Answers in pieces. Throws as respond() does. With a Content-Length exactly so many bytes have
  // to follow; without, the body is chunked, or ends with the connection in HTTP/1.0.
  void begin(HttpAnswerHead head);
  // Empty pieces are allowed and say only how things are. Throws LimitExceeded, and takes nothing,
  // if it was full before the call; InvalidRequest if it is more than the Content-Length; Internal
  // without begin() or after end().
  WriteState write(std::string_view bytes);
  // Calls once, when there is room or the exchange has ended; soon if that is so already.
  void onRoom(std::function<void()> callback);
  // Throws InvalidRequest, and breaks the connection off, if less than the Content-Length came.
  void end();

  // Asks for the next piece of a body that hasMore(): at most `readBytesMax` bytes, valid during
  // the callback. One may be asked for at a time (Internal). The first sends `100 Continue` to a
  // client that waits for it.
  void readMore(BodyCallback callback);

  // Calls at most once, when the client has gone before the answer was complete; soon if it has
  // gone already. A reset is seen within 250 ms also while a body waits to be asked for; that the
  // client has closed, only when all before it has been read.
  void onClosed(CloseCallback callback);

  // Breaks the connection off, so that the client sees that the answer is not complete.
  void abort();

 private:
  friend class HttpConnection;

  enum class Phase : std::uint8_t { Waiting, Streaming, Complete };
  struct Answer {
    HttpAnswerHead head{};
    std::string body{};  // Whole, or what of the stream the connection has not taken yet.
    std::optional<std::uint64_t> length{};  // The Content-Length that the handler gave.
    std::uint64_t written = 0;
    bool close = false;
    bool upgrade = false;  // Names protocols.
    bool hasDate = false;
  };

  bool tryReset();  // False while somebody else has it.
  template <typename Change>
  void change(Change&& change);
  Answer checked(HttpAnswerHead head) const;
  bool leavesBodyOut(int status) const noexcept;

  // Written before the handler is called, then constant.
  std::string headBytes_{};
  std::string body_{};
  HttpRequest request_{};
  std::string peer_{};
  std::size_t writeBytesMax_ = 0;
  bool hasMore_ = false;

  std::mutex mutex_{};  // Guards all that follows.
  // Null after the end.
  std::shared_ptr<HttpConnection> connection_{};
  Phase phase_ = Phase::Waiting;
  Answer answer_{};
  bool queued_ = false;
  bool aborted_ = false;
  BodyCallback onBody_{};
  CloseCallback onClosed_{};
  std::function<void()> onRoom_{};
  std::optional<CloseReason> closed_{};
};

// Called on an I/O thread once a head is there, with the part of the body that came with it. Must
// not block; answers now or later. What it throws is answered with 500.
using HttpHandler = std::function<void(std::shared_ptr<HttpExchange>)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // Numeric, IPv4 or IPv6.
  std::uint16_t port = 0;             // 0: any that is free; port() tells it.
  unsigned threads = 1;               // I/O threads; one moves more than guests can answer.
  // Others watch() for events, and the server's one thread does only while they are busy. Called
  // when it has: whoever has nothing to do may take the watch.
  std::function<void()> watchIsFree{};
  HttpLimits limits{};
};

struct HttpCounters {
  std::uint64_t connections = 0;  // Accepted.
  std::uint64_t open = 0;         // Of these, now.
  std::uint64_t requests = 0;     // Given to the handler.
  std::uint64_t refused = 0;  // Answered by the server itself, because they were malformed or slow.
  // Times that accept() failed, as a rule for want of descriptors (EMFILE, ENFILE). It is tried
  // again after 100 ms; who waits meanwhile waits in the kernel's queue.
  std::uint64_t acceptFailures = 0;
};

// A listening socket and the threads that serve it. All functions may be called from any thread,
// but not from a handler or callback where they say that they wait.
class HttpServer {
 public:
  // Binds and listens; nothing is accepted before start(). Throws InvalidRequest for an address
  // that is none, Unavailable if the port cannot be had.
  HttpServer(HttpServerOptions options, HttpHandler handler);
  // Stops without grace, and waits.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const noexcept;
  void start();
  // Accepts no more, closes idle connections, lets exchanges finish for `grace`, then breaks them
  // off. Returns at once; a second call can only shorten the grace. Not for a signal handler
  // itself, but for what asio::signal_set or a signalfd calls.
  void stop(std::chrono::milliseconds grace);
  // Waits until a stop() has been carried out: no thread of the server runs any more.
  void wait();

  // With `watchIsFree`: what HttpWatch does.
  [[nodiscard]] bool tryTakeWatch() noexcept;
  void watch(std::chrono::steady_clock::time_point until) noexcept;
  void interruptWatch() noexcept;
  HttpCounters counters() const noexcept;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace schemascript

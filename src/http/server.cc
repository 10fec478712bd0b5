// The listening socket, and the threads behind it.
#include "http/server.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/error.h"
#include "http/connection.h"
#include "http/watch.h"

namespace schemascript {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Failure = boost::system::error_code;

class HttpServer::Implementation {
 public:
  Implementation(HttpServerOptions options, HttpHandler handler);
  ~Implementation();

  std::uint16_t port() const noexcept { return port_; }
  void start();
  void stop(std::chrono::milliseconds grace);
  void wait();
  const HttpShared& shared() const noexcept { return shared_; }
  HttpWatch& watch() noexcept { return *watch_; }

 private:
  void listen(const HttpServerOptions& options);
  void accept();
  void accepted(Failure failure, tcp::socket socket);

  HttpShared shared_;
  std::vector<std::shared_ptr<HttpReactor>> reactors_{};
  std::optional<HttpWatch> watch_{};
  // On the first reactor, as all that follows up to the mutex.
  std::optional<tcp::acceptor> acceptor_{};
  std::optional<asio::steady_timer> pause_{};
  std::size_t next_ = 0;
  bool isAccepting_ = false;
  std::atomic<bool> isFull_{false};
  std::uint16_t port_ = 0;
  std::mutex mutex_{};  // Guards what follows.
  std::vector<std::thread> threads_{};
  bool isStarted_ = false;
  bool isStopped_ = false;
};

HttpServer::Implementation::Implementation(HttpServerOptions options, HttpHandler handler)
    : shared_{.limits = options.limits, .handler = std::move(handler)} {
  SS_CHECK(options.threads >= 1, options.threads);
  for (unsigned i = 0; i < options.threads; ++i) {
    reactors_.push_back(std::make_shared<HttpReactor>(shared_));
  }
  if (options.watchIsFree) {
    SS_CHECK(options.threads == 1, options.threads);
    watch_.emplace(*reactors_.front(), std::move(options.watchIsFree));
  }
  shared_.closed = [this] {
    if (isFull_.exchange(false)) {
      asio::post(reactors_.front()->context(), [this] { accept(); });
    }
  };
  listen(options);
}

HttpServer::Implementation::~Implementation() {
  stop(std::chrono::milliseconds(0));
  wait();
}

void HttpServer::Implementation::listen(const HttpServerOptions& options) {
  Failure failure;
  const auto address = asio::ip::make_address(options.address, failure);
  if (failure) {
    throw invalidRequest(
        str("the address ", options.address, " is not a numeric one, such as 127.0.0.1 or ::1"));
  }
  const tcp::endpoint endpoint(address, options.port);
  auto& context = reactors_.front()->context();
  acceptor_.emplace(context);
  pause_.emplace(context);
  acceptor_->open(endpoint.protocol(), failure);
  if (!failure) acceptor_->set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor_->bind(endpoint, failure);
  if (!failure) acceptor_->listen(asio::socket_base::max_listen_connections, failure);
  if (failure) {
    throw unavailable(str("cannot listen on port ", options.port, " of ", options.address, ": ",
                          failure.message(), "; choose another port"));
  }
  port_ = acceptor_->local_endpoint().port();
}

void HttpServer::Implementation::start() {
  const std::lock_guard lock(mutex_);
  SS_CHECK(!isStarted_, "a server starts once");
  isStarted_ = true;
  if (isStopped_) return;
  asio::post(reactors_.front()->context(), [this] { accept(); });
  if (watch_) {
    threads_.emplace_back([this] { watch_->standIn(); });
    return;
  }
  for (const auto& reactor : reactors_) {
    threads_.emplace_back([raw = reactor.get()] { raw->run(); });
  }
}

void HttpServer::Implementation::accept() {
  if (isAccepting_ || !acceptor_->is_open()) return;
  if (shared_.open >= shared_.limits.connectionsMax) {
    isFull_ = true;
    // One may have been closed in between, and have seen that nobody waits.
    if (shared_.open >= shared_.limits.connectionsMax || !isFull_.exchange(false)) return;
  }
  isAccepting_ = true;
  acceptor_->async_accept(reactors_[next_]->context(), [this](Failure failure, tcp::socket socket) {
    isAccepting_ = false;
    accepted(failure, std::move(socket));
  });
}

void HttpServer::Implementation::accepted(Failure failure, tcp::socket socket) {
  if (!acceptor_->is_open()) return;
  if (failure && failure != asio::error::connection_aborted) {
    ++shared_.acceptFailures;
    // No descriptors or no memory: the connection stays in the queue, and would be tried without
    // end.
    pause_->expires_after(std::chrono::milliseconds(100));
    return pause_->async_wait([this](Failure) { accept(); });
  }
  if (!failure) {
    ++shared_.open;
    ++shared_.connections;
    HttpReactor* reactor = reactors_[next_].get();
    next_ = (next_ + 1) % reactors_.size();
    if (reactor == reactors_.front().get()) {
      reactor->add(std::move(socket));
    } else {
      asio::post(reactor->context(), [reactor, moved = std::move(socket)]() mutable {
        reactor->add(std::move(moved));
      });
    }
  }
  accept();
}

void HttpServer::Implementation::stop(std::chrono::milliseconds grace) {
  const auto until = HttpClock::now() + grace;
  const std::lock_guard lock(mutex_);
  isStopped_ = true;
  if (!isStarted_) return;
  asio::post(reactors_.front()->context(), [this, until] {
    Failure ignored;
    acceptor_->close(ignored);
    pause_->cancel();
    // Behind the connections that were handed out before.
    for (const auto& reactor : reactors_) {
      asio::post(reactor->context(), [raw = reactor.get(), until] { raw->stop(until); });
    }
  });
}

void HttpServer::Implementation::wait() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

HttpServer::HttpServer(HttpServerOptions options, HttpHandler handler)
    : implementation_(std::make_unique<Implementation>(std::move(options), std::move(handler))) {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::port() const noexcept { return implementation_->port(); }
void HttpServer::start() { implementation_->start(); }
void HttpServer::stop(std::chrono::milliseconds grace) { implementation_->stop(grace); }
void HttpServer::wait() { implementation_->wait(); }
bool HttpServer::tryTakeWatch() noexcept { return implementation_->watch().tryTake(); }
void HttpServer::watch(std::chrono::steady_clock::time_point until) noexcept {
  implementation_->watch().watch(until);
}
void HttpServer::interruptWatch() noexcept { implementation_->watch().interrupt(); }

HttpCounters HttpServer::counters() const noexcept {
  const HttpShared& shared = implementation_->shared();
  return {shared.connections, shared.open, shared.requests, shared.refused, shared.acceptFailures};
}

}  // namespace schemascript

// Who waits for a server's events: threads that lend themselves, and the server's own while they
// are busy.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/server.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Exchange = std::shared_ptr<HttpExchange>;

class Watching : public testing::Test {
 protected:
  void serve(HttpHandler handler) {
    server_ = std::make_unique<HttpServer>(HttpServerOptions{.watchIsFree = [this] { ++offers_; }},
                                           std::move(handler));
    server_->start();
  }

  // A client's request on a connection of its own, and the end of its answer.
  std::string ask() {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
    asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
    std::string answer;
    boost::system::error_code failure;
    asio::read_until(socket, asio::dynamic_buffer(answer), "done", failure);
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  // Also from the thread that stands in, which had it for want of another.
  void takeWatch() {
    while (!server_->tryTakeWatch()) {
      server_->interruptWatch();
      std::this_thread::yield();
    }
  }

  // As a worker does.
  void watchOnce() {
    if (server_->tryTakeWatch()) server_->watch(Clock::now() + 20ms);
  }

  std::atomic<int> offers_ = 0;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Watching, HandlesRequestsOnTheThreadThatWatches) {
  std::atomic<std::thread::id> handledBy;
  serve([&](const Exchange& exchange) {
    handledBy = std::this_thread::get_id();
    exchange->respond({}, "done");
  });
  takeWatch();
  auto answer = std::async(std::launch::async, [&] { return ask(); });
  server_->watch(Clock::now() + 300ms);
  EXPECT_EQ(answer.get(), "done");
  EXPECT_EQ(handledBy.load(), std::this_thread::get_id());
}

TEST_F(Watching, StandsInWhileNobodyElseWatches) {
  serve([](const Exchange& exchange) { exchange->respond({}, "done"); });
  for (int count = 0; count < 20; ++count) EXPECT_EQ(ask(), "done");
  EXPECT_GE(offers_, 1);
  // Also after it has slept because somebody else watched for long, and has left for good.
  takeWatch();
  server_->watch(Clock::now() + 400ms);
  EXPECT_EQ(ask(), "done");
}

TEST_F(Watching, GivesTheWatchToOneAtATime) {
  serve([](const Exchange& exchange) { exchange->respond({}, "done"); });
  takeWatch();
  EXPECT_FALSE(server_->tryTakeWatch());
  server_->interruptWatch();
  server_->watch(Clock::time_point::max());  // It was interrupted already.
  takeWatch();
  server_->watch(Clock::now());
}

TEST_F(Watching, EndsForOneThatHasSomethingElseToDo) {
  std::atomic<int> handled = 0;
  serve([&](const Exchange& exchange) {
    exchange->respond({}, "done");
    if (++handled == 1) server_->interruptWatch();
  });
  // From another thread.
  takeWatch();
  std::jthread interrupts([&] {
    std::this_thread::sleep_for(20ms);
    server_->interruptWatch();
  });
  server_->watch(Clock::time_point::max());
  // From within what it handles.
  takeWatch();
  auto answer = std::async(std::launch::async, [&] { return ask(); });
  server_->watch(Clock::time_point::max());
  EXPECT_EQ(answer.get(), "done");
}

TEST_F(Watching, EndsWithTheServer) {
  serve([](const Exchange& exchange) { exchange->respond({}, "done"); });
  std::jthread watches([&] {
    takeWatch();
    server_->watch(Clock::time_point::max());
  });
  EXPECT_EQ(ask(), "done");
  server_->stop(0ms);
  server_->wait();
  watches.join();
  EXPECT_FALSE(server_->tryTakeWatch());
}

TEST_F(Watching, LosesNothingWhileManyWatchAndAnswer) {
  std::mutex mutex;
  std::vector<Exchange> waiting;
  serve([&](Exchange exchange) {
    server_->interruptWatch();
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(exchange));
  });
  std::atomic<bool> isOver = false;
  std::vector<std::jthread> workers;
  for (int count = 0; count < 3; ++count) {
    workers.emplace_back([&] {
      while (!isOver) {
        watchOnce();
        std::vector<Exchange> taken;
        {
          const std::lock_guard lock(mutex);
          taken.swap(waiting);
        }
        for (const Exchange& exchange : taken) exchange->respond({}, "done");
      }
    });
  }
  std::vector<std::future<int>> clients;
  for (int client = 0; client < 8; ++client) {
    clients.push_back(std::async(std::launch::async, [&] {
      int done = 0;
      for (int count = 0; count < 100; ++count) done += ask() == "done" ? 1 : 0;
      return done;
    }));
  }
  for (auto& client : clients) EXPECT_EQ(client.get(), 100);
  isOver = true;
  workers.clear();
}

}  // namespace
}  // namespace schemascript

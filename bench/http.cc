// The HTTP front end alone, for wrk: a server that answers 100 bytes of JSON until its input ends.
//
//     http-bench spot|thread [PORT]
//
// spot: the handler answers at once. thread: another thread does, from a queue.
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <string>
#include <thread>

#include "http/server.h"

namespace schemascript {
namespace {

void answer(HttpExchange& exchange) {
  static const std::string body = R"({"text":")" + std::string(89, 'x') + "\"}";
  exchange.respond({.headers = {{"Content-Type", "application/json"}}}, body);
}

class Queue {
 public:
  void put(std::shared_ptr<HttpExchange> exchange) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(exchange));
    if (waiting_.size() == 1) ready_.notify_one();
  }
  // Null ends it.
  void serve() {
    std::deque<std::shared_ptr<HttpExchange>> batch;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return !waiting_.empty(); });
        batch.swap(waiting_);
      }
      for (const auto& exchange : batch) {
        if (!exchange) return;
        answer(*exchange);
      }
      batch.clear();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::shared_ptr<HttpExchange>> waiting_;
};

}  // namespace
}  // namespace schemascript

int main(int count, char** arguments) {
  using namespace schemascript;
  const bool isThread = count > 1 && std::string(arguments[1]) == "thread";
  const int port = count > 2 ? std::stoi(arguments[2]) : 0;
  Queue queue;
  std::thread thread;
  if (isThread) thread = std::thread([&queue] { queue.serve(); });
  HttpServer server({.port = static_cast<std::uint16_t>(port)},
                    [&](std::shared_ptr<HttpExchange> exchange) {
                      if (isThread) return queue.put(std::move(exchange));
                      answer(*exchange);
                    });
  server.start();
  std::printf("%u\n", server.port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server.stop(std::chrono::milliseconds(100));
  server.wait();
  if (isThread) {
    queue.put(nullptr);
    thread.join();
  }
}

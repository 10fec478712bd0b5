// Pages that listen, over real sockets.
#include "serve/live-reload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

class Listener {
 public:
  Listener(std::uint16_t port, std::string_view head) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string bytes = str(head, "\r\nHost: a\r\n\r\n");
    EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  ~Listener() { ::close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Whether this comes; `seen` has all that came.
  bool comes(std::string_view text) {
    while (seen.find(text) == std::string::npos) {
      pollfd readable{socket_, POLLIN, 0};
      char bytes[4'096];
      if (::poll(&readable, 1, 10'000) <= 0) return false;
      const auto size = ::recv(socket_, bytes, sizeof bytes, 0);
      if (size <= 0) return false;
      seen.append(bytes, static_cast<std::size_t>(size));
    }
    return true;
  }

  std::string seen;

 private:
  const int socket_;
};

class LiveReloadTest : public testing::Test {
 protected:
  LiveReloadTest()
      : reload_("b-1"), server_({}, [this](const std::shared_ptr<HttpExchange>& exchange) {
          if (!reload_.tryTake(exchange)) exchange->respond({200, {}}, "the app's");
        }) {
    server_.start();
  }

  std::unique_ptr<Listener> listen(std::string_view head = "GET /__schemascript/events HTTP/1.1") {
    return std::make_unique<Listener>(server_.port(), head);
  }
  bool isCounted(std::size_t count) const {
    for (int i = 0; i < 1'000; ++i) {
      if (reload_.streamCount() == count) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  LiveReload reload_;
  HttpServer server_;
};

TEST_F(LiveReloadTest, TellsAllThatListen) {
  const auto one = listen();
  const auto other = listen();
  ASSERT_TRUE(one->comes("id: b-1\n\n"));
  ASSERT_TRUE(other->comes("id: b-1\n\n"));
  EXPECT_NE(one->seen.find("200 OK"), std::string::npos);
  EXPECT_NE(one->seen.find("text/event-stream"), std::string::npos);
  EXPECT_EQ(one->seen.find("event: reload"), std::string::npos);
  reload_.tell("b-2");
  EXPECT_TRUE(one->comes("event: reload\nid: b-2\ndata: b-2\n\n"));
  EXPECT_TRUE(other->comes("event: reload\nid: b-2\ndata: b-2\n\n"));
  reload_.tell("b-3");
  EXPECT_TRUE(one->comes("data: b-3\n\n"));
}

TEST_F(LiveReloadTest, TellsAtOnceWhoComesTooLate) {
  reload_.tell("b-2");
  EXPECT_TRUE(listen("GET /__schemascript/events?x=1&build=b-1 HTTP/1.1")->comes("data: b-2\n\n"));
  EXPECT_TRUE(listen("GET /__schemascript/events?build=b-2 HTTP/1.1\r\nLast-Event-ID: b-1")
                  ->comes("data: b-2\n\n"));
  const auto current = listen("GET /__schemascript/events?build=b-2 HTTP/1.1");
  EXPECT_TRUE(current->comes("id: b-2\n\n"));
  EXPECT_EQ(current->seen.find("data:"), std::string::npos);
}

TEST_F(LiveReloadTest, LeavesOtherRequestsAlone) {
  EXPECT_TRUE(listen("GET /__schemascript/eventsx HTTP/1.1")->comes("the app's"));
  EXPECT_TRUE(listen("GET /events HTTP/1.1")->comes("the app's"));
  EXPECT_TRUE(listen("POST /__schemascript/events HTTP/1.1")->comes("405"));
  EXPECT_EQ(reload_.streamCount(), 0u);
}

TEST_F(LiveReloadTest, ForgetsWhoHasGone) {
  auto one = listen();
  const auto other = listen();
  ASSERT_TRUE(isCounted(2));
  one.reset();
  EXPECT_TRUE(isCounted(1));
  reload_.tell("b-2");
  EXPECT_TRUE(other->comes("b-2"));
  // Nor does the server wait for them.
  reload_.end();
  const auto begin = std::chrono::steady_clock::now();
  server_.stop(60s);
  server_.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
}

TEST_F(LiveReloadTest, TakesOnlySoMany) {
  std::vector<std::unique_ptr<Listener>> all;
  for (std::size_t i = 0; i < kEventStreamsMax; ++i) {
    all.push_back(listen());
    ASSERT_TRUE(all.back()->comes("id: b-1\n\n"));
  }
  EXPECT_TRUE(listen()->comes("503"));
  all.pop_back();
  ASSERT_TRUE(isCounted(kEventStreamsMax - 1));
  EXPECT_TRUE(listen()->comes("id: b-1\n\n"));
}

TEST_F(LiveReloadTest, EndsThemSoThatAServerCanEnd) {
  const auto one = listen();
  ASSERT_TRUE(one->comes("id: b-1\n\n"));
  reload_.end();
  EXPECT_TRUE(one->comes("\r\n0\r\n\r\n"));
  EXPECT_TRUE(listen()->comes("503"));
  const auto begin = std::chrono::steady_clock::now();
  server_.stop(60s);
  server_.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
}

TEST_F(LiveReloadTest, GivesUpWhoDoesNotRead) {
  const auto one = listen();
  ASSERT_TRUE(isCounted(1));
  const std::string build(10'000, 'b');
  for (int i = 0; i < 10'000 && reload_.streamCount() > 0; ++i) reload_.tell(build);
  EXPECT_EQ(reload_.streamCount(), 0u);
}

// A page that comes while a build is told hears of it, if only by having to come again.
TEST_F(LiveReloadTest, TellsWhileOthersComeAndGo) {
  std::atomic<bool> isOver = false;
  std::atomic<int> heard = 0;
  std::vector<std::jthread> pages;
  for (int i = 0; i < 4; ++i) {
    pages.emplace_back([this, &isOver, &heard] {
      while (!isOver) {
        // False only when the stream ended, as it may.
        if (listen("GET /__schemascript/events?build=b-0 HTTP/1.1")->comes("event: reload"))
          ++heard;
      }
    });
  }
  const auto end = std::chrono::steady_clock::now() + 20s;
  int build = 2;
  for (; build < 200 || (heard < 100 && std::chrono::steady_clock::now() < end); ++build) {
    reload_.tell(str("b-", build));
    std::this_thread::sleep_for(1ms);
  }
  isOver = true;
  pages.clear();
  EXPECT_GE(heard, 100);
  EXPECT_TRUE(isCounted(0));
  const auto last = listen("GET /__schemascript/events?build=b-0 HTTP/1.1");
  EXPECT_TRUE(last->comes(str("data: b-", build - 1, '\n')));
}

}  // namespace
}  // namespace schemascript

// The server over real sockets, with clients that write and read bytes.
#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
using Exchange = std::shared_ptr<HttpExchange>;

class Client {
 public:
  enum class Connect : std::uint8_t { Now, Later };

  Client(std::uint16_t port, Connect) : socket_(::socket(AF_INET, SOCK_STREAM, 0)), port_(port) {}
  explicit Client(std::uint16_t port, int receiveBytes = 0) : Client(port, Connect::Now) {
    if (receiveBytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receiveBytes, sizeof receiveBytes);
    }
    connect();
  }
  void connect() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  // What comes within `patience`; empty at the end.
  std::string receive(std::chrono::milliseconds patience = 5s) {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return {};
    char bytes[65536];
    const auto size = ::recv(socket_, bytes, sizeof bytes, 0);
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
  }
  std::string receiveUntil(std::string_view end) {
    std::string all;
    while (all.find(end) == std::string::npos) {
      const std::string more = receive();
      if (more.empty()) break;
      all += more;
    }
    return all;
  }
  std::string receiveAll() {
    std::string all;
    for (std::string more = receive(); !more.empty(); more = receive()) all += more;
    return all;
  }
  void shutdown() { ::shutdown(socket_, SHUT_WR); }
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
  std::uint16_t port_;
};

struct Running {
  explicit Running(HttpHandler handler, HttpLimits limits = {}, unsigned threads = 1)
      : server({.threads = threads, .limits = limits}, std::move(handler)) {
    server.start();
  }
  std::string ask(std::string_view bytes) {
    Client client(server.port());
    client.send(bytes);
    client.shutdown();
    return client.receiveAll();
  }
  HttpServer server;
};

void echo(Exchange exchange) {
  std::string text(exchange->request().method);
  text.append(" ").append(exchange->request().path).append(" ").append(exchange->body());
  exchange->respond({}, text);
}

void collect(Exchange exchange, std::shared_ptr<std::string> body) {
  exchange->readMore([exchange, body](std::string_view bytes, BodyState state) {
    *body += bytes;
    if (state == BodyState::More) return collect(exchange, body);
    if (state == BodyState::Last) exchange->respond({}, std::move(*body));
  });
}

void echoAll(Exchange exchange) {
  if (!exchange->hasMore()) return exchange->respond({}, std::string(exchange->body()));
  collect(exchange, std::make_shared<std::string>(exchange->body()));
}

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

std::size_t countOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  Running running(echo);
  Client client(running.server.port());
  for (int i = 0; i < 3; ++i) {
    client.send(kGet);
    const std::string answer = client.receiveUntil("GET /a ");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer;
    EXPECT_NE(answer.find("\r\nContent-Length: 7\r\n\r\n"), answer.npos) << answer;
    EXPECT_EQ(answer.find("Connection"), answer.npos);
  }
  EXPECT_EQ(running.server.counters().connections, 1u);
  EXPECT_EQ(running.server.counters().requests, 3u);
}

TEST(HttpServer, UnderstandsARequestSplitAnywhere) {
  Running running(echoAll);
  for (const std::string& request :
       {std::string(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
        std::string(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
            "\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\n\r\n")}) {
    for (std::size_t at = 1; at < request.size(); ++at) {
      Client client(running.server.port());
      client.send(std::string_view(request).substr(0, at));
      std::this_thread::sleep_for(1ms);
      client.send(std::string_view(request).substr(at));
      EXPECT_TRUE(client.receiveAll().ends_with("\r\n\r\nhello")) << at;
    }
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  std::vector<std::thread> threads;
  Running running([&threads](Exchange exchange) {
    const bool isSlow = exchange->request().path.size() % 2 == 0;
    if (!isSlow) return echo(exchange);
    threads.emplace_back([exchange] { std::this_thread::sleep_for(5ms), echo(exchange); });
  });
  std::string all;
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    all += "GET /" + std::string(i, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  const std::string answers = running.ask(all);
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("\r\n\r\nGET /" + std::string(i, 'x') + " ", at);
    ASSERT_NE(at, answers.npos) << i;
  }
  running.server.stop(0ms);
  running.server.wait();
  for (auto& thread : threads) thread.join();
}

TEST(HttpServer, RefusesMalformedRequestsAndCloses) {
  Running running(echo, {.headBytesMax = 1000, .targetBytesMax = 500, .bodyBytesMax = 10});
  const auto expect = [&](int status, std::string_view bytes) {
    Client client(running.server.port());
    client.send(bytes);
    const std::string answer = client.receiveAll();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status))) << bytes << answer;
    EXPECT_NE(answer.find("Connection: close"), answer.npos);
    EXPECT_EQ(countOf(answer, "\r\nDate: "), 1u);
  };
  expect(400, "GET / HTTP/1.1\r\n\r\n" + kGet);
  expect(400, "\x16\x03\x01");
  expect(400, "GET / HTTP/1.1\n");
  expect(413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  expect(413, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890");
  expect(414, "GET /" + std::string(600, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(414, "GET /" + std::string(2000, 'x'));
  expect(431, "GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(2000, 'x'));
  expect(417, "GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n");
  expect(501, "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n");
  expect(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n");
  expect(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx");
  EXPECT_EQ(running.server.counters().requests, 0u);
}

TEST(HttpServer, LeavesOutTheBodiesThatMustNotBe) {
  Running running([](Exchange exchange) {
    const int status = std::stoi(std::string(exchange->request().path.substr(1)));
    exchange->respond({.status = status}, "body");
  });
  const auto bodyOf = [](const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  const std::string head = running.ask("HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(bodyOf(head), "");
  EXPECT_NE(head.find("Content-Length: 4"), head.npos);
  EXPECT_EQ(bodyOf(running.ask("GET /304 HTTP/1.1\r\nHost: a\r\n\r\n")), "");
  const std::string none = running.ask("GET /204 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(bodyOf(none), "");
  EXPECT_EQ(none.find("Content-Length"), none.npos);
}

TEST(HttpServer, RefusesAnswersThatWouldSplit) {
  Running running([](Exchange exchange) {
    const auto refuses = [&](HttpAnswerHead head) {
      EXPECT_EQ(errorOf([&] { exchange->respond(head, "x"); }).code(), ErrorCode::InvalidRequest);
    };
    refuses({.headers = {{"A", "b\r\nC: d"}}});
    refuses({.headers = {{"A", "b\nc"}}});
    refuses({.headers = {{"A", std::string("b\0", 2)}}});
    refuses({.headers = {{"A b", "c"}}});
    refuses({.headers = {{"", "c"}}});
    refuses({.headers = {{"A:", "c"}}});
    refuses({.headers = {{"Transfer-Encoding", "chunked"}}});
    refuses({.headers = {{"Content-Length", "2"}}});
    refuses({.headers = {{"Content-Length", "1x"}}});
    refuses({.status = 101});
    refuses({.status = 600});
    exchange->respond({.headers = {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}}, "x");
    EXPECT_EQ(errorOf([&] { exchange->respond({}, "x"); }).code(), ErrorCode::Internal);
  });
  EXPECT_EQ(countOf(running.ask(kGet), "Set-Cookie: "), 2u);
}

// What of an answer's fields goes out, and whether the connection serves on.
std::string fieldsOf(const HttpAnswerHead& head, std::string_view version = "1.1") {
  Running running([&head](Exchange exchange) { exchange->respond(head, "x"); });
  const std::string request = str("GET / HTTP/", version, "\r\nHost: a\r\n\r\n");
  const std::string wire = running.ask(str(request, request));
  std::string fields = wire.substr(0, wire.find("\r\n\r\n") + 2);
  fields.erase(0, fields.find("\r\n") + 2);
  const std::size_t date = fields.find("Date: ");
  fields.erase(date, fields.find("\r\n", date) + 2 - date);
  for (auto at = fields.find("\r\n"); at != fields.npos; at = fields.find("\r\n")) {
    fields.erase(at, 1);
    fields[at] = '|';
  }
  return str(fields, ' ', countOf(wire, "HTTP/1.1 "));
}

TEST(HttpServer, KeepsTheConnectionToItself) {
  EXPECT_EQ(fieldsOf({.headers = {{"Keep-Alive", "timeout=5"},
                                  {"TE", "trailers"},
                                  {"Trailer", "X-Sum"},
                                  {"trailer", "X-More"},
                                  {"Proxy-Connection", "close"},
                                  {"Proxy-Authenticate", "Basic"},
                                  {"Proxy-Authorization", "Basic eA=="},
                                  {"Proxy-Authentication-Info", "a"},
                                  {"Proxy-Status", "a"},
                                  {"Upgrade", "websocket"},
                                  {"Te-", "1"}}}),
            "Proxy-Status: a|Te-: 1|Content-Length: 1| 2");
  // What Connection names, in any form; also what the server would have read, or sets itself.
  EXPECT_EQ(fieldsOf({.headers = {{"Connection", "keep-alive, X-One,,\t x-TWO \t,"},
                                  {"x-one", "1"},
                                  {"X-Two", "2"},
                                  {"X-Three", "3"},
                                  {"connection", "date"},
                                  {"Date", "never"},
                                  {"X-One", "1"}}}),
            "X-Three: 3|Content-Length: 1| 2");
  EXPECT_EQ(fieldsOf({.headers = {{"Connection", "Content-Length"}, {"Content-Length", "1"}}}),
            "Content-Length: 1| 2");
  EXPECT_EQ(fieldsOf({.headers = {{"Connection", ""}, {"Connection", " , "}}}),
            "Content-Length: 1| 2");
}

TEST(HttpServer, ClosesWhereAnAnswerSaysSo) {
  EXPECT_EQ(fieldsOf({.headers = {{"Connection", "close"}}}),
            "Content-Length: 1|Connection: close| 1");
  EXPECT_EQ(fieldsOf({.headers = {{"connection", "X, keep-alive , CLOSE"}}}),
            "Content-Length: 1|Connection: close| 1");
  EXPECT_EQ(fieldsOf({.headers = {{"Connection", "closed"}}}), "Content-Length: 1| 2");
}

TEST(HttpServer, SaysWhatHasToBeSpokenInstead) {
  const auto required = [](std::string connection, const char* version = "1.1") {
    return fieldsOf({.status = 426,
                     .headers = {{"Upgrade", "websocket"}, {"Connection", std::move(connection)}}},
                    version);
  };
  EXPECT_EQ(required("Upgrade"), "Upgrade: websocket|Content-Length: 1|Connection: upgrade| 2");
  EXPECT_EQ(required("close"),
            "Upgrade: websocket|Content-Length: 1|Connection: close, upgrade| 1");
  EXPECT_EQ(required("", "1.0"),
            "Upgrade: websocket|Content-Length: 1|Connection: close, upgrade| 1");
}

TEST(HttpServer, StreamsInBothVersionsOfHttp) {
  Running running([](Exchange exchange) {
    exchange->begin({});
    std::thread([exchange] {
      for (const char* piece : {"a", "bc", ""}) {
        exchange->write(piece);
        std::this_thread::sleep_for(5ms);
      }
      exchange->end();
    }).detach();
  });
  const std::string chunked = running.ask(kGet);
  EXPECT_NE(chunked.find("Transfer-Encoding: chunked"), chunked.npos);
  EXPECT_TRUE(chunked.ends_with("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")) << chunked;
  const std::string old = running.ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_NE(old.find("Connection: close"), old.npos);
  EXPECT_TRUE(old.ends_with("\r\n\r\nabc")) << old;
}

TEST(HttpServer, StopsAStreamWhoseReaderIsSlow) {
  constexpr std::size_t kPieces = 400;
  std::atomic<std::size_t> written{0};
  std::function<void(Exchange)> more = [&](Exchange exchange) {
    while (written < kPieces) {
      ++written;
      if (exchange->write(std::string(10'000, 'x')) == WriteState::Full) {
        return exchange->onRoom([&more, exchange] { more(exchange); });
      }
    }
    exchange->end();
  };
  Running running(
      [&](Exchange exchange) {
        exchange->begin({.headers = {{"Content-Length", std::to_string(kPieces * 10'000)}}});
        more(exchange);
      },
      {.writeBytesMax = 40'000});
  Client client(running.server.port(), 4096);
  client.send(kGet + "");
  std::this_thread::sleep_for(100ms);
  EXPECT_LT(written, kPieces);
  client.shutdown();
  EXPECT_EQ(countOf(client.receiveAll(), "x"), kPieces * 10'000);
}

TEST(HttpServer, ReadsABodyOnlyAsItIsAskedFor) {
  std::promise<Exchange> promise;
  Running running([&](Exchange exchange) { promise.set_value(exchange); },
                  {.bodyBytesMax = 1u << 30});
  Client client(running.server.port());
  const std::string body(20'000'000, 'x');
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
  std::atomic<bool> isSent{false};
  std::thread sender([&] { client.send(body), isSent = true; });
  const Exchange exchange = promise.get_future().get();
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(isSent);
  echoAll(exchange);
  sender.join();
  client.shutdown();
  EXPECT_EQ(client.receiveAll().size() / 1000, 20'000u);
}

TEST(HttpServer, SaysContinueWhenTheBodyIsWanted) {
  Running running(echoAll);
  Client client(running.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_TRUE(client.receiveUntil("ok").ends_with("ok"));
}

TEST(HttpServer, ClosesWhenABodyWasNotRead) {
  Running running(echo);
  const std::string answer = running.ask(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'G'));
  EXPECT_NE(answer.find("Connection: close"), answer.npos);
  EXPECT_EQ(countOf(answer, "HTTP/1.1"), 1u);
}

TEST(HttpServer, GivesUpSlowClients) {
  Running running(
      [](Exchange exchange) { echoAll(exchange); },
      {.headTimeMax = 50ms, .idleTimeMax = 100ms, .bodyTimeMax = 50ms, .lingerTimeMax = 50ms});
  Client silent(running.server.port());
  EXPECT_EQ(silent.receiveAll(), "");
  Client head(running.server.port());
  head.send("GET / HT");
  EXPECT_TRUE(head.receiveAll().starts_with("HTTP/1.1 408 "));
  Client body(running.server.port());
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_TRUE(body.receiveAll().starts_with("HTTP/1.1 408 "));
  Client idle(running.server.port());
  idle.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_TRUE(idle.receiveAll().ends_with("\r\n\r\nab"));
}

TEST(HttpServer, GivesUpABodyThatTrickles) {
  Running running(echoAll, {.bodyTimeMax = 200ms, .bodyBytesPerSecondMin = 500});
  for (const std::string framing :
       {"Content-Length: 900\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n384\r\n"}) {
    Client client(running.server.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\n" + framing);
    const auto begin = std::chrono::steady_clock::now();
    std::string answer;
    while (answer.empty() && std::chrono::steady_clock::now() - begin < 5s) {
      client.send("x");
      answer = client.receive(20ms);
    }
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 150ms);
  }
}

TEST(HttpServer, LetsABodyComeThatIsSlowButFastEnough) {
  Running running(echoAll, {.bodyTimeMax = 300ms, .bodyBytesPerSecondMin = 500});
  Client client(running.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n");
  for (int i = 0; i < 30; ++i) {
    client.send(std::string(1000, 'x'));
    std::this_thread::sleep_for(30ms);
  }
  client.shutdown();
  EXPECT_EQ(countOf(client.receiveAll(), "x"), 30'000u);
}

TEST(HttpServer, DoesNotBlameAClientForTheTimeInWhichNobodyAsks) {
  std::promise<Exchange> kept;
  Running running([&](Exchange exchange) { kept.set_value(exchange); }, {.bodyTimeMax = 100ms});
  Client client(running.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  const Exchange exchange = kept.get_future().get();
  std::this_thread::sleep_for(300ms);
  echoAll(exchange);
  client.send("cd");
  EXPECT_TRUE(client.receiveUntil("abcd").ends_with("abcd"));
}

TEST(HttpServer, Answers408AlsoOnAConnectionThatCloses) {
  std::promise<BodyState> ended;
  Running running(
      [&](Exchange exchange) {
        exchange->readMore([&](std::string_view, BodyState state) { ended.set_value(state); });
      },
      {.bodyTimeMax = 50ms, .lingerTimeMax = 50ms});
  Client client(running.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n");
  EXPECT_TRUE(client.receiveAll().starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(ended.get_future().get(), BodyState::TimedOut);
}

TEST(HttpServer, GivesUpAClientThatDoesNotTakeItsAnswer) {
  std::promise<CloseReason> closed;
  std::atomic<std::size_t> written{0};
  std::function<void(Exchange)> more = [&](Exchange exchange) {
    WriteState state = WriteState::Room;
    while (state == WriteState::Room) {
      state = exchange->write(std::string(10'000, 'x'));
      written += 10'000;
    }
    if (state == WriteState::Full) exchange->onRoom([&more, exchange] { more(exchange); });
  };
  Running running(
      [&](Exchange exchange) {
        exchange->onClosed([&](CloseReason reason) { closed.set_value(reason); });
        exchange->begin({});
        more(exchange);
      },
      {.writeTimeMax = 100ms});
  Client client(running.server.port(), 4096);
  client.send(kGet);
  auto reason = closed.get_future();
  ASSERT_EQ(reason.wait_for(5s), std::future_status::ready) << written;
  EXPECT_EQ(reason.get(), CloseReason::Lost);
}

TEST(HttpServer, GivesUpAnAnswerThatIsTakenInTrickles) {
  std::promise<CloseReason> closed;
  Running running(
      [&](Exchange exchange) {
        exchange->onClosed([&](CloseReason reason) { closed.set_value(reason); });
        exchange->respond({}, std::string(50'000'000, 'x'));
      },
      {.writeTimeMax = 300ms, .answerBytesPerSecondMin = 100'000'000});
  Client client(running.server.port(), 4096);
  const auto begin = std::chrono::steady_clock::now();
  client.send(kGet);
  auto reason = closed.get_future();
  // Something is taken all the time.
  while (reason.wait_for(10ms) != std::future_status::ready) {
    ASSERT_LT(std::chrono::steady_clock::now() - begin, 5s);
    client.receive(1ms);
  }
  EXPECT_EQ(reason.get(), CloseReason::Lost);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 250ms);
}

// Slower than the kernel, which holds megabytes and says for seconds that there is no room.
TEST(HttpServer, LetsAnAnswerBeTakenSlowlyButFastEnough) {
  Running running([](Exchange exchange) { exchange->respond({}, std::string(20'000'000, 'x')); },
                  {.writeTimeMax = 400ms, .answerBytesPerSecondMin = 500});
  Client client(running.server.port(), 16'384);
  client.send(kGet);
  std::size_t count = 0;
  for (int i = 0; i < 100; ++i) {
    count += countOf(client.receive(), "x");
    std::this_thread::sleep_for(15ms);
  }
  EXPECT_LT(count, 20'000'000u);
  client.shutdown();
  EXPECT_EQ(count + countOf(client.receiveAll(), "x"), 20'000'000u);
}

TEST(HttpServer, TellsOfAResetWhileABodyWaitsToBeAskedFor) {
  std::promise<CloseReason> closed;
  std::promise<Exchange> kept;
  Running running(
      [&](Exchange exchange) {
        exchange->onClosed([&](CloseReason reason) { closed.set_value(reason); });
        kept.set_value(exchange);
      },
      {.readBytesMax = 4096});
  Client client(running.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
              std::string(200'000, 'x'));
  const Exchange exchange = kept.get_future().get();
  auto reason = closed.get_future();
  // Longer than a look takes: it is full, and nobody has gone.
  EXPECT_EQ(reason.wait_for(600ms), std::future_status::timeout);
  client.reset();
  ASSERT_EQ(reason.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(reason.get(), CloseReason::Lost);
}

TEST(HttpServer, AnswersOthersWhileOneDoesNotTakeItsAnswer) {
  Running running([](Exchange exchange) {
    if (exchange->request().path == "/a") return echo(exchange);
    exchange->respond({}, std::string(50'000'000, 'x'));
  });
  Client stuck(running.server.port(), 4096);
  stuck.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  Client other(running.server.port());
  other.send(kGet);
  EXPECT_TRUE(other.receiveUntil("GET /a ").ends_with("GET /a "));
}

TEST(HttpServer, AbortsInEachPhase) {
  const auto answerOf = [](std::function<void(Exchange)> handle) {
    Running running(std::move(handle));
    Client client(running.server.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    return client.receiveAll();
  };
  EXPECT_EQ(answerOf([](Exchange exchange) { exchange->abort(); }), "");
  EXPECT_EQ(answerOf([](Exchange exchange) {
              exchange->readMore(
                  [](std::string_view, BodyState state) { EXPECT_EQ(state, BodyState::Closed); });
              exchange->abort();
            }),
            "");
  EXPECT_EQ(answerOf([](Exchange exchange) { exchange->begin({}), exchange->abort(); }), "");
  const std::string streamed = answerOf([](Exchange exchange) {
    exchange->begin({});
    exchange->write("piece");
    exchange->onRoom([exchange] { exchange->abort(); });
  });
  EXPECT_EQ(streamed.find("0\r\n\r\n"), streamed.npos);
  // Behind the answer there is nothing to abort.
  EXPECT_TRUE(answerOf([](Exchange exchange) {
                exchange->respond({}, "whole");
                exchange->onClosed([exchange](CloseReason) { exchange->abort(); });
              }).ends_with("whole"));
}

TEST(HttpServer, EndsItsLingeringWhileTheClientSendsOn) {
  Running running(echo, {.lingerTimeMax = 100ms});
  Client client(running.server.port());
  client.send("GET / HTTP/9\r\n\r\n");
  EXPECT_TRUE(client.receiveAll().starts_with("HTTP/1.1 400 "));
  const auto begin = std::chrono::steady_clock::now();
  while (running.server.counters().open > 0 && std::chrono::steady_clock::now() - begin < 5s) {
    client.send("x");
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(running.server.counters().open, 0u);
}

TEST(HttpServer, GoesOnAcceptingWhenThereWereNoDescriptors) {
  Running running(echo);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  Client client(running.server.port(), Client::Connect::Later);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  client.connect();
  client.send(kGet);
  EXPECT_EQ(client.receive(350ms), "");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  const std::uint64_t failures = running.server.counters().acceptFailures;
  EXPECT_GE(failures, 1u);
  EXPECT_LE(failures, 10u) << "it does not back off";
  EXPECT_TRUE(client.receiveUntil("GET /a ").ends_with("GET /a "));
}

TEST(HttpServer, TellsThatTheClientHasGone) {
  std::promise<CloseReason> closed;
  std::promise<Exchange> kept;
  Running running([&](Exchange exchange) {
    exchange->onClosed([&](CloseReason reason) { closed.set_value(reason); });
    kept.set_value(exchange);
  });
  Client client(running.server.port());
  client.send(kGet);
  const Exchange exchange = kept.get_future().get();
  client.reset();
  EXPECT_EQ(closed.get_future().get(), CloseReason::Lost);
  exchange->respond({}, "nobody reads this");
}

TEST(HttpServer, AnswersAClientThatHasHalfClosed) {
  std::promise<void> closed;
  Running running([&](Exchange exchange) {
    exchange->onClosed([&closed, exchange](CloseReason reason) {
      EXPECT_EQ(reason, CloseReason::HalfClosed);
      exchange->respond({}, "still");
      closed.set_value();
    });
  });
  EXPECT_TRUE(running.ask(kGet).ends_with("still"));
  closed.get_future().get();
}

TEST(HttpServer, Answers500WhenTheHandlerThrows) {
  Running running([](Exchange) { throw internal("secret"); });
  const std::string answer = running.ask(kGet);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  EXPECT_EQ(answer.find("secret"), answer.npos);
}

TEST(HttpServer, BreaksOffAnAnswerThatIsTooShort) {
  Running running([](Exchange exchange) {
    exchange->begin({.headers = {{"Content-Length", "5"}}});
    exchange->write("abc");
    EXPECT_EQ(errorOf([&] { exchange->write("def"); }).code(), ErrorCode::InvalidRequest);
    EXPECT_EQ(errorOf([&] { exchange->end(); }).code(), ErrorCode::InvalidRequest);
  });
  EXPECT_EQ(running.ask(kGet).find("abc"), std::string::npos);
}

TEST(HttpServer, FinishesWhatItHasBegunWhenStopped) {
  std::promise<Exchange> kept;
  Running running([&](Exchange exchange) { kept.set_value(exchange); });
  Client idle(running.server.port());
  Client busy(running.server.port());
  busy.send(kGet);
  const Exchange exchange = kept.get_future().get();
  running.server.stop(10s);
  EXPECT_EQ(idle.receiveAll(), "");
  exchange->respond({}, "done");
  const std::string answer = busy.receiveUntil("done");
  EXPECT_NE(answer.find("Connection: close"), answer.npos);
  busy.close();
  running.server.wait();
}

TEST(HttpServer, EndsAnExchangeThatOutlivesTheGrace) {
  std::promise<Exchange> kept;
  std::promise<CloseReason> closed;
  Running running([&](Exchange exchange) {
    exchange->onClosed([&](CloseReason reason) { closed.set_value(reason); });
    kept.set_value(exchange);
  });
  Client client(running.server.port());
  client.send(kGet);
  const Exchange exchange = kept.get_future().get();
  running.server.stop(50ms);
  running.server.wait();
  EXPECT_EQ(closed.get_future().get(), CloseReason::Stopped);
  exchange->respond({}, "late");
  EXPECT_EQ(client.receiveAll(), "");
}

TEST(HttpServer, TakesNoMoreConnectionsThanItMay) {
  Running running(echo, {.connectionsMax = 2});
  Client first(running.server.port());
  auto second = std::make_unique<Client>(running.server.port());
  first.send(kGet);
  second->send(kGet);
  EXPECT_FALSE(first.receive().empty());
  EXPECT_FALSE(second->receive().empty());
  Client third(running.server.port());
  third.send(kGet);
  EXPECT_EQ(third.receive(100ms), "");
  second.reset();
  EXPECT_FALSE(third.receive().empty());
}

TEST(HttpServer, ServesManyConnectionsFromManyThreads) {
  std::mutex mutex;
  std::vector<Exchange> waiting;
  std::atomic<bool> isOver{false};
  Running running(
      [&](Exchange exchange) {
        const std::lock_guard lock(mutex);
        waiting.push_back(std::move(exchange));
      },
      {}, 2);
  std::vector<std::thread> answerers;
  for (int i = 0; i < 2; ++i) {
    answerers.emplace_back([&] {
      while (!isOver) {
        std::vector<Exchange> batch;
        {
          const std::lock_guard lock(mutex);
          batch.swap(waiting);
        }
        for (const Exchange& exchange : batch) echo(exchange);
        std::this_thread::yield();
      }
    });
  }
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<Client>(running.server.port()));
  for (int round = 0; round < 10; ++round) {
    for (const auto& client : clients) client->send(kGet);
    for (const auto& client : clients) {
      ASSERT_TRUE(client->receiveUntil("GET /a ").ends_with("GET /a "));
    }
  }
  // Some leave in the middle.
  for (const auto& client : clients) client->send(kGet), client->reset();
  running.server.stop(0ms);
  running.server.wait();
  isOver = true;
  for (auto& thread : answerers) thread.join();
}

}  // namespace
}  // namespace schemascript

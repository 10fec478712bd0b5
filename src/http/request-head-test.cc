#include "http/request-head.h"

#include <gtest/gtest.h>

#include <random>

#include "base/testing.h"

namespace schemascript {
namespace {

struct Case {
  std::string head;
  int status;
};

const std::string kHost = "Host: a\r\n";

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
std::string getOf(const std::string& line) { return line + "\r\n" + kHost + "\r\n"; }

// What a server says to a head, as the connection puts scanner and parser together. 0: good.
int statusOf(const std::string& head, HttpRequest& request, const HttpLimits& limits = {}) {
  HeadScanner scanner;
  const auto state = scanner.scan(head);
  if (state == HeadScanner::State::Malformed) return 400;
  if (state == HeadScanner::State::Incomplete) return -1;
  return parseHead(head, limits, request).refusal;
}

int statusOf(const std::string& head, const HttpLimits& limits = {}) {
  HttpRequest request;
  return statusOf(head, request, limits);
}

TEST(RequestHead, RefusesWhatIsMalformed) {
  using namespace std::string_literals;
  const std::vector<Case> cases{
      {getOf("GET / HTTP/1.1"), 0},
      {getOf("G!#$%&'*+-.^_`|~9 / HTTP/1.1"), 0},
      {getOf("GET / HTTP/1.0"), 0},
      {"GET / HTTP/1.0\r\n\r\n", 0},
      // The request line.
      {getOf("GET  / HTTP/1.1"), 400},
      {getOf("GET /  HTTP/1.1"), 400},
      {getOf("GET / HTTP/1.1 "), 400},
      {getOf(" GET / HTTP/1.1"), 400},
      {getOf("GET\t/ HTTP/1.1"), 400},
      {getOf("GET /"), 400},
      {getOf("GET"), 400},
      {getOf("GET HTTP/1.1"), 400},
      {getOf("(GET) / HTTP/1.1"), 400},
      {getOf("G:T / HTTP/1.1"), 400},
      {getOf("G\x80T / HTTP/1.1"), 400},
      {getOf("GET / http/1.1"), 400},
      {getOf("GET / HTTP/11"), 400},
      {getOf("GET / HTTP/1.11"), 400},
      {getOf("GET / HTTP/1"), 400},
      {getOf("GET / HTTP/a.b"), 400},
      {getOf("GET / HTTPS/1.1"), 400},
      {getOf("GET / HTTP/2.0"), 505},
      {getOf("PRI * HTTP/2.0"), 505},
      {getOf("GET / HTTP/0.9"), 505},
      {getOf("GET / HTTP/1.2"), 505},
      {getOf("GET / HTTP/3.0"), 505},
      {"\x16\x03\x01\x02", 400},
      {"{\"a\":1}\r\n\r\n", 400},
      {"GET / HTTP/1.1\n"s + kHost + "\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"GET / HTTP/1.1\r"s + kHost + "\r\n", 400},
      {"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
      // Targets.
      {getOf("GET /a?b=c&d=%20;e|\"<> HTTP/1.1"), 0},
      {getOf("GET a HTTP/1.1"), 400},
      {getOf("GET ?a HTTP/1.1"), 400},
      {getOf("GET /a#b HTTP/1.1"), 400},
      {getOf("GET /\xc3\xa4 HTTP/1.1"), 400},
      {getOf("GET /\x7f HTTP/1.1"), 400},
      {getOf("GET /\x01 HTTP/1.1"), 400},
      {getOf("GET * HTTP/1.1"), 400},
      {getOf("OPTIONS * HTTP/1.1"), 0},
      {getOf("OPTIONS ** HTTP/1.1"), 400},
      {getOf("GET http://b/c HTTP/1.1"), 0},
      {getOf("GET HTTPS://b:8/ HTTP/1.1"), 0},
      {getOf("GET http://b HTTP/1.1"), 0},
      {getOf("GET http://b?c HTTP/1.1"), 400},
      {getOf("GET http:///c HTTP/1.1"), 400},
      {getOf("GET http://u@b/ HTTP/1.1"), 400},
      {getOf("GET ftp://b/ HTTP/1.1"), 400},
      {getOf("GET b:80 HTTP/1.1"), 400},
      {getOf("CONNECT b:80 HTTP/1.1"), 501},
      // Host.
      {get(""), 400},
      {get("Host:\r\n"), 400},
      {get("Host: a\r\nHost: a\r\n"), 400},
      {get("Host: a, b\r\n"), 400},
      {get("Host: a b\r\n"), 400},
      {get("Host: u@a\r\n"), 400},
      {get("Host: a/b\r\n"), 400},
      {get("Host: a:b\r\n"), 400},
      {get("Host: a:123456\r\n"), 400},
      {get("Host: :80\r\n"), 400},
      {get("Host: [::1\r\n"), 400},
      {get("Host: []\r\n"), 400},
      {get("Host: [::1]x\r\n"), 400},
      // What URLs take for no host must not get as far as an app, which makes a URL of it.
      {get("Host: a:65535\r\n"), 0},
      {get("Host: a:65536\r\n"), 400},
      {get("Host: a:\r\n"), 0},
      {get("Host: a:-1\r\n"), 400},
      {get("Host: a:+1\r\n"), 400},
      {get("Host: a:8 0\r\n"), 400},
      {get("Host: a%41\r\n"), 400},
      {get("Host: a%\r\n"), 400},
      {get("Host: a%2f\r\n"), 400},
      {get("Host: 1.2.3.4\r\n"), 0},
      {get("Host: 1.2.3.4.\r\n"), 0},
      {get("Host: 256.1.1.1\r\n"), 400},
      {get("Host: 1.2.3\r\n"), 400},
      {get("Host: 1.2.3.4.5\r\n"), 400},
      {get("Host: 01.2.3.4\r\n"), 400},
      {get("Host: 1\r\n"), 400},
      {get("Host: a.1\r\n"), 400},
      {get("Host: a.1.\r\n"), 400},
      {get("Host: a.0x\r\n"), 400},
      {get("Host: 0X7f\r\n"), 400},
      {get("Host: a.0xg\r\n"), 0},
      {get("Host: 1a\r\n"), 0},
      {get("Host: 1.a\r\n"), 0},
      {get("Host: a_b~!$&'()*+,;=\r\n"), 0},
      {get("Host: a\\b\r\n"), 400},
      {get("Host: a|b\r\n"), 400},
      {get("Host: a^b\r\n"), 400},
      {get("Host: <a>\r\n"), 400},
      {get("Host: a\xc3\xa4\r\n"), 400},
      {get("Host: http://a\r\n"), 400},
      {get("Host: [:::]\r\n"), 400},
      {get("Host: [1.2.3.4]\r\n"), 400},
      {get("Host: [::1.2.3.4]\r\n"), 0},
      {get("Host: [::1%25lo]\r\n"), 400},
      {get("Host: [::1]:65536\r\n"), 400},
      {get("Host: [v1.a]\r\n"), 400},
      {get("Host: [1:2:3:4:5:6:7:8:9]\r\n"), 400},
      {getOf("GET http://b:65536/ HTTP/1.1"), 400},
      {getOf("GET http://1.2.3.4.5/ HTTP/1.1"), 400},
      {get("Host: [::1]:80\r\n"), 0},
      {get("Host: a.b-c:80\r\n"), 0},
      {get("hOsT:a\r\n"), 0},
      // Fields.
      {get(kHost + "A: b\r\n"), 0},
      {get(kHost + "A:\r\n"), 0},
      {get(kHost + "A: \t b c \t \r\n"), 0},
      {get(kHost + "A: \xc3\xa4\r\n"), 0},
      {get(kHost + "A : b\r\n"), 400},
      {get(kHost + "A\t: b\r\n"), 400},
      {get(kHost + " A: b\r\n"), 400},
      {get(" A: b\r\n" + kHost), 400},
      {get(kHost + "A: b\r\n c\r\n"), 400},
      {get(kHost + "A: b\r\n\tc\r\n"), 400},
      {get(kHost + "A\r\n"), 400},
      {get(kHost + ": b\r\n"), 400},
      {get(kHost + "A@: b\r\n"), 400},
      {get(kHost + "\xc3\xa4: b\r\n"), 400},
      {get(kHost + "A: b\rc\r\n"), 400},
      {get(kHost + "A: b\nC: d\r\n"), 400},
      {get(kHost + "A: b\0\r\n"s), 400},
      {get(kHost + "A: b\x01\r\n"), 400},
      {get(kHost + "A: b\x1b\r\n"), 400},
      // Framing.
      {get(kHost + "Content-Length: 0\r\n"), 0},
      {get(kHost + "Content-Length: 5\r\n"), 0},
      {get(kHost + "Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {get(kHost + "Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {get(kHost + "Content-Length: 5, 5\r\n"), 400},
      {get(kHost + "Content-Length: 5, 6\r\n"), 400},
      {get(kHost + "Content-Length:\r\n"), 400},
      {get(kHost + "Content-Length: -1\r\n"), 400},
      {get(kHost + "Content-Length: +1\r\n"), 400},
      {get(kHost + "Content-Length: 1 2\r\n"), 400},
      {get(kHost + "Content-Length: 0x10\r\n"), 400},
      {get(kHost + "Content-Length: 1e3\r\n"), 400},
      {get(kHost + "Content-Length: 18446744073709551617\r\n"), 400},
      {get(kHost + "Content-Length: 9999999999999999999\r\n"), 413},
      {get(kHost + "Content-Length: 33554432\r\n"), 0},
      {get(kHost + "Content-Length: 33554433\r\n"), 413},
      {get(kHost + "Transfer-Encoding: chunked\r\n"), 0},
      {get(kHost + "Transfer-Encoding: CHUNKED\r\n"), 0},
      {get(kHost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {get(kHost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {get(kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {get(kHost + "Transfer-Encoding: identity\r\n"), 501},
      {get(kHost + "Transfer-Encoding: gzip, chunked\r\n"), 501},
      {get(kHost + "Transfer-Encoding: chunked, gzip\r\n"), 501},
      {get(kHost + "Transfer-Encoding: xchunked\r\n"), 501},
      {get(kHost + "Transfer-Encoding: \"chunked\"\r\n"), 501},
      {get(kHost + "Transfer-Encoding:\r\n"), 501},
      {get(kHost + "Transfer-Encoding : chunked\r\n"), 400},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {get(kHost + "Expect: 100-Continue\r\n"), 0},
      {get(kHost + "Expect: tea\r\n"), 417},
      {get(kHost + "Upgrade: websocket\r\nConnection: upgrade\r\n"), 0},
  };
  for (const Case& one : cases) EXPECT_EQ(statusOf(one.head), one.status) << one.head;
}

TEST(RequestHead, ReadsItsParts) {
  HttpRequest request;
  const std::string head =
      "GET http://b:8/c?d HTTP/1.1\r\nHost: a\r\nX: 1\r\nx:  2 \r\nConnection: close\r\n\r\n";
  ASSERT_EQ(statusOf(head, request), 0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "http://b:8/c?d");
  EXPECT_EQ(request.path, "/c?d");
  EXPECT_EQ(request.host, "b:8");
  ASSERT_EQ(request.headers.size(), 4u);
  EXPECT_EQ(request.headers[1].name, "X");
  EXPECT_EQ(request.headers[2].value, "2");
  EXPECT_EQ(request.tryFind("HOST"), "a");
  EXPECT_EQ(request.tryFind("Y"), std::nullopt);
}

TEST(RequestHead, HoldsItsLimits) {
  const HttpLimits limits{.targetBytesMax = 10, .headersMax = 3};
  EXPECT_EQ(statusOf(getOf("GET /123456789 HTTP/1.1"), limits), 0);
  EXPECT_EQ(statusOf(getOf("GET /1234567890 HTTP/1.1"), limits), 414);
  EXPECT_EQ(statusOf(get(kHost + "A: b\r\nA: b\r\n"), limits), 0);
  EXPECT_EQ(statusOf(get(kHost + "A: b\r\nA: b\r\nA: b\r\n"), limits), 431);
}

TEST(RequestHead, ScansTheSameInPieces) {
  std::mt19937 random(seedOr(7));
  const std::string good = get(kHost + "A: b\r\nContent-Length: 5\r\n");
  for (int round = 0; round < 20'000; ++round) {
    std::string head = good;
    for (unsigned i = random() % 3; i > 0; --i) {
      head[random() % head.size()] = "\r\n\0 :a\t\x80"[random() % 8];
    }
    HeadScanner whole;
    const auto expected = whole.scan(head);
    HeadScanner pieces;
    auto state = HeadScanner::State::Incomplete;
    for (std::size_t size = 1; size <= head.size() && state == HeadScanner::State::Incomplete;
         ++size) {
      state = pieces.scan(std::string_view(head).substr(0, size));
    }
    // A NUL behind the end is another matter.
    if (expected != state) {
      EXPECT_EQ(expected, HeadScanner::State::Malformed) << head;
    }
    HttpRequest request;
    if (state == HeadScanner::State::Complete) {
      parseHead(std::string_view(head).substr(0, pieces.end()), {}, request);
    }
  }
}

}  // namespace
}  // namespace schemascript

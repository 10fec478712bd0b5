#include "http/request-head.h"

#include <gtest/gtest.h>

#include <random>

#include "base/testing.h"
#include "http/head-cases.h"

namespace schemascript {
namespace {

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
  for (const HeadCase& one : headCases()) EXPECT_EQ(statusOf(one.head), one.status) << one.head;
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
  EXPECT_EQ(statusOf(headOf("GET /123456789 HTTP/1.1"), limits), 0);
  EXPECT_EQ(statusOf(headOf("GET /1234567890 HTTP/1.1"), limits), 414);
  EXPECT_EQ(statusOf(headWith(kHostField + "A: b\r\nA: b\r\n"), limits), 0);
  EXPECT_EQ(statusOf(headWith(kHostField + "A: b\r\nA: b\r\nA: b\r\n"), limits), 431);
}

TEST(RequestHead, ScansTheSameInPieces) {
  std::mt19937 random(seedOr(7));
  const std::string good = headWith(kHostField + "A: b\r\nContent-Length: 5\r\n");
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

// Messages about HTTP exchanges: what the host writes, and what it believes of a guest.
#include "runtime/http-message.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace schemascript {
namespace {

std::string number(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string bytes(std::string_view text) {
  return number(static_cast<std::uint32_t>(text.size())) + std::string(text);
}

std::string field(std::string_view name, std::string_view value) {
  return bytes(name) + bytes(value);
}

TEST(HttpMessage, WritesARequest) {
  const HeaderFields headers{{"accept", "*/*"}, {"x", "\xff"}};
  EXPECT_EQ(encodeFetch({.method = "PUT",
                         .url = "http://a.example/x",
                         .headers = headers,
                         .body = "abc",
                         .hasBody = true,
                         .bodyFollows = true}),
            number(3) + bytes("PUT") + bytes("http://a.example/x") + number(2) +
                field("accept", "*/*") + field("x", "\xff") + bytes("abc"));
  EXPECT_EQ(encodeFetch({.method = "GET", .url = "http://a/b c", .headers = {}}),
            number(0) + bytes("GET") + bytes("http://a/b c") + number(0));
}

TEST(HttpMessage, ReadsAnAnswer) {
  const FetchResponse response = decodeFetchResponse(
      number(3) + number(404) + bytes("Gone \xe4way") + number(2) + field("set-cookie", "a=b") +
      field("set-cookie", "c=\xff") + bytes(std::string_view("\0body", 5)));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.reason, "Gone \xe4way");
  EXPECT_EQ(response.headers, (HeaderFields{{"set-cookie", "a=b"}, {"set-cookie", "c=\xff"}}));
  EXPECT_EQ(response.body, std::string_view("\0body", 5));
  EXPECT_TRUE(response.following.body);
  EXPECT_TRUE(response.following.work);
  const BodyPiece piece = decodePiece(number(2) + bytes("xyz"));
  EXPECT_EQ(piece.bytes, "xyz");
  EXPECT_FALSE(piece.following.body);
  EXPECT_TRUE(piece.following.work);
}

TEST(HttpMessage, BelievesNothing) {
  const std::string head = number(0) + number(200) + bytes("OK");
  const std::string good = head + number(1) + field("a", "b") + bytes("body");
  EXPECT_NO_THROW(decodeFetchResponse(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(decodeFetchResponse(good.substr(0, size)), Error) << size;
  }
  for (const std::string& bad :
       {good + "x", number(4) + good.substr(4), number(0) + number(199) + good.substr(8),
        number(0) + number(600) + good.substr(8),
        number(0) + number(0x10000 + 200) + good.substr(8),
        number(0) + number(200) + bytes("a\nb") + number(0) + bytes(""),
        head + number(UINT32_MAX) + field("a", "b") + bytes(""),
        head + number(1) + field("", "b") + bytes(""),
        head + number(1) + field("a b", "b") + bytes(""),
        head + number(1) + field("a:", "b") + bytes(""),
        head + number(1) + field("a", "b\r\nc: d") + bytes(""),
        head + number(1) + field("a", std::string_view("\0", 1)) + bytes(""),
        head + number(0) + number(UINT32_MAX) + "abc"}) {
    EXPECT_THROW(decodeFetchResponse(bad), Error);
  }
  // What Headers take and HTTP does not has another error, which says what to do.
  for (int code = 0; code < 256; ++code) {
    const std::string value{'x', static_cast<char>(code)};
    const std::string message = head + number(1) + field("a", value) + bytes("");
    const bool isSent = code == '\t' || (code >= 0x20 && code != 0x7f);
    const bool isForged = code == 0 || code == '\r' || code == '\n';
    if (isSent) {
      EXPECT_EQ(decodeFetchResponse(message).headers.front().second, value) << code;
      continue;
    }
    const Error error = errorOf([&] { decodeFetchResponse(message); });
    EXPECT_EQ(error.code(), isForged ? ErrorCode::GuestFailed : ErrorCode::InvalidRequest) << code;
  }
  for (const std::string& bad : {std::string(), number(0), number(4) + bytes("a"),
                                 number(0) + bytes("a") + "b", number(0) + number(5) + "abcd"}) {
    EXPECT_THROW(decodePiece(bad), Error);
  }
}

}  // namespace
}  // namespace schemascript

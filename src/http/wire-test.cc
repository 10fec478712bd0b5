// What a server makes of bytes, well-formed and not: which answers they get, and whether the
// connection serves on. After RFC 9112 (HTTP/1.1) and RFC 9110 (HTTP semantics).
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/head-cases.h"
#include "http/server.h"

namespace schemascript {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Exchange = std::shared_ptr<HttpExchange>;

// Method, path and body, between brackets.
void answerWith(Exchange exchange, const std::string& body) {
  const HttpRequest& request = exchange->request();
  exchange->respond({}, str('[', request.method, ' ', request.path, ' ', body, ']'));
}

void readAll(Exchange exchange, std::shared_ptr<std::string> body) {
  exchange->readMore([exchange, body](std::string_view bytes, BodyState state) {
    *body += bytes;
    if (state == BodyState::More) return readAll(exchange, body);
    if (state == BodyState::Last) answerWith(exchange, *body);
  });
}

void echo(Exchange exchange) {
  auto body = std::make_shared<std::string>(exchange->body());
  if (exchange->hasMore()) return readAll(exchange, body);
  answerWith(exchange, *body);
}

class Wire : public testing::Test {
 protected:
  Wire() : server_({.limits = {.bodyBytesMax = 64}}, echo) { server_.start(); }

  // All that the server says before it closes; `bytes` are written in pieces of `step`.
  std::string say(std::string_view bytes, std::size_t step = SIZE_MAX) {
    asio::io_context context;
    tcp::socket socket(context);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_.port()});
    boost::system::error_code failure;
    socket.set_option(tcp::no_delay(true), failure);
    for (std::size_t at = 0; at < bytes.size() && !failure; at += std::min(step, bytes.size())) {
      asio::write(socket, asio::buffer(bytes.substr(at, step)), failure);
    }
    socket.shutdown(tcp::socket::shutdown_send, failure);
    std::string answers;
    asio::read(socket, asio::dynamic_buffer(answers), failure);
    return answers;
  }

  HttpServer server_;
};

// `200 [GET / ] 400`: the statuses, and of 200 the body.
std::string summaryOf(std::string_view answers) {
  constexpr std::string_view kBegin = "HTTP/1.1 ";
  std::string summary;
  while (answers.starts_with(kBegin)) {
    answers.remove_prefix(kBegin.size());
    const std::string_view status = answers.substr(0, 3);
    summary.append(summary.empty() ? "" : " ").append(status);
    auto next = answers.find(kBegin);
    // One in a body, or in what is said of a failure, does not begin an answer.
    while (next < answers.size() &&
           std::isdigit(static_cast<unsigned char>(answers[next + kBegin.size()])) == 0) {
      next = answers.find(kBegin, next + 1);
    }
    next = std::min(next, answers.size());
    const auto body = answers.substr(0, next).find("\r\n\r\n[");
    if (status == "200" && body != std::string_view::npos) {
      summary.append(" ").append(answers.substr(body + 4, next - body - 4));
    }
    answers.remove_prefix(next);
  }
  return summary;
}

TEST_F(Wire, AnswersEachHeadAsTheParserSays) {
  for (const HeadCase& one : headCases()) {
    // What has a body waits for it; its end comes first here, and then there is nothing to say.
    if (one.status == 0 && (one.head.find("Content-Length: 5\r") != std::string::npos ||
                            one.head.find("Length: 3355") != std::string::npos ||
                            one.head.find("ncoding: ") != std::string::npos)) {
      continue;
    }
    const bool isTooLarge = one.head.find("Content-Length: 3") != std::string::npos;
    const std::string expected = std::to_string(isTooLarge        ? 413
                                                : one.status == 0 ? 200
                                                                  : one.status);
    for (const std::size_t step : {SIZE_MAX, std::size_t{3}}) {
      const std::string answers = say(one.head, step);
      EXPECT_TRUE(summaryOf(answers).starts_with(expected)) << one.head << answers;
      if (one.status == 0) continue;
      EXPECT_NE(answers.find("\r\nConnection: close\r\n"), std::string::npos) << one.head;
    }
  }
}

struct Conversation {
  const char* what;
  std::string bytes;
  std::string summary;
};

const std::string kNext = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(const std::string& fields, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

// Behind each stands another request, which must be answered exactly when it is one: what a server
// and a proxy in front of it read differently is how requests are smuggled.
const std::vector<Conversation> kConversations{
    {"no body", kNext, "200 [GET /next ] 200 [GET /next ]"},
    {"an empty line in front", "\r\n" + kNext, "200 [GET /next ] 200 [GET /next ]"},
    {"many empty lines in front", "\r\n\r\n\r\n" + kNext, "400"},
    {"a lone line feed in front", "\n" + kNext, "400"},
    {"a body", post("Content-Length: 3\r\n", "abc"), "200 [POST / abc] 200 [GET /next ]"},
    {"an empty body", post("Content-Length: 0\r\n", ""), "200 [POST / ] 200 [GET /next ]"},
    {"zeros in front of a length", post("Content-Length: 0003\r\n", "abc"),
     "200 [POST / abc] 200 [GET /next ]"},
    {"a body longer than told", post("Content-Length: 2\r\n", "ab(c"), "200 [POST / ab] 400"},
    {"a body with a request in it",
     post("Content-Length: " + std::to_string(kNext.size()) + "\r\n", kNext),
     "200 [POST / GET /next HTTP/1.1\r\nHost: a\r\n\r\n] 200 [GET /next ]"},
    {"a GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
     "200 [GET / abc] 200 [GET /next ]"},
    {"two lengths", post("Content-Length: 3\r\nContent-Length: 0\r\n", "abc"), "400"},
    {"a length and chunks",
     post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {"chunks and a length",
     post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), "400"},
    {"a blank behind a field's name", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), "400"},
    {"an encoding after a tab", post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n"),
     "200 [POST / ] 200 [GET /next ]"},
    {"an encoding with a vertical tab", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"),
     "400"},
    {"an encoding over two lines", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), "400"},
    {"a field that hides another", post("X: a\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
     "400"},
    {"a field that ends with a carriage return", post("X: a\r\r\n", ""), "400"},
    {"chunks", chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "200 [POST / abcde] 200 [GET /next ]"},
    {"no chunk", chunked("0\r\n\r\n"), "200 [POST / ] 200 [GET /next ]"},
    {"digits of both cases", chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
     "200 [POST / 01234567890123456789] 200 [GET /next ]"},
    {"zeros in front of a size", chunked("0003\r\nabc\r\n000\r\n\r\n"),
     "200 [POST / abc] 200 [GET /next ]"},
    {"an extension", chunked("3;a=b;c=\"d;e\"\r\nabc\r\n0;last\r\n\r\n"),
     "200 [POST / abc] 200 [GET /next ]"},
    {"an extension over two lines", chunked("3;a\nb\r\nabc\r\n0\r\n\r\n"), "400"},
    {"trailers", chunked("3\r\nabc\r\n0\r\nX: y\r\nZ: z\r\n\r\n"),
     "200 [POST / abc] 200 [GET /next ]"},
    {"a trailer that frames", chunked("3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n"),
     "200 [POST / abc] 200 [GET /next ]"},
    {"a trailer with a lone line feed", chunked("0\r\nX: y\nZ: z\r\n\r\n"), "400"},
    {"a size that is none", chunked("x\r\n"), "400"},
    {"an empty size", chunked("\r\nabc\r\n"), "400"},
    {"a negative size", chunked("-3\r\nabc\r\n0\r\n\r\n"), "400"},
    {"a size with a sign", chunked("+3\r\nabc\r\n0\r\n\r\n"), "400"},
    {"a size with a prefix", chunked("0x3\r\nabc\r\n0\r\n\r\n"), "400"},
    {"a size with a separator", chunked("1_0\r\nabc\r\n0\r\n\r\n"), "400"},
    {"a size behind a blank", chunked(" 3\r\nabc\r\n0\r\n\r\n"), "400"},
    {"a size before a blank", chunked("3 \r\nabc\r\n0\r\n\r\n"), "400"},
    {"a size that overflows", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), "400"},
    {"a size beyond the limit", chunked("ffffffff\r\n" + std::string(65, 'x')), "413"},
    {"a size that ends with a lone line feed", chunked("3\nabc\r\n0\r\n\r\n"), "400"},
    {"a size that ends with a lone carriage return", chunked("3\rabc\r\n0\r\n\r\n"), "400"},
    {"a chunk longer than told", chunked("3\r\nabcd\r\n0\r\n\r\n"), "400"},
    {"a chunk shorter than told", chunked("4\r\nabc\r\n0\r\n\r\n"), "400"},
    {"a chunk without its end", chunked("3\r\nabc0\r\n\r\n"), "400"},
    {"a chunk that ends with a lone line feed", chunked("3\r\nabc\n0\r\n\r\n"), "400"},
    {"an end with a lone line feed", chunked("0\r\n\n"), "400"},
    {"a version without chunks", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400"},
    {"a version that closes", "GET / HTTP/1.0\r\n\r\n", "200 [GET / ]"},
    {"a version that may stay", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     "200 [GET / ] 200 [GET /next ]"},
    {"a close that is asked for", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
     "200 [GET / ]"},
    {"a close among others", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
     "200 [GET / ]"},
    {"an upgrade that is not done",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
     "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
     "200 [GET / ] 200 [GET /next ]"},
    {"a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
    {"a preface of TLS", "\x16\x03\x01\x02", "400"},
    {"an expectation that is not known", post("Content-Length: 3\r\nExpect: 200-ok\r\n", "abc"),
     "417"},
    {"a body that is too large", post("Content-Length: 65\r\n", std::string(65, 'x')), "413"},
    {"a body of any bytes", post("Content-Length: 4\r\n", std::string("\0\n\xff\x80", 4)),
     std::string("200 [POST / \0\n\xff\x80] 200 [GET /next ]", 34)},
    {"a body as large as may be", post("Content-Length: 64\r\n", std::string(64, 'x')),
     "200 [POST / " + std::string(64, 'x') + "] 200 [GET /next ]"},
    {"an error behind a good one", kNext + "GET / HTTP/1.1\r\n\r\n", "200 [GET /next ] 400"},
    {"a proxy's request", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "501"},
    {"a host in the target", "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
     "200 [GET /x ] 200 [GET /next ]"},
    {"all of the server", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
     "200 [OPTIONS * ] 200 [GET /next ]"},
    {"a method of its own", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
     "200 [BREW /pot ] 200 [GET /next ]"},
    {"a HEAD, which gets no body", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "200 200 [GET /next ]"},
};

TEST_F(Wire, ReadsWhatFollowsOnlyWhereItBegins) {
  for (const Conversation& one : kConversations) {
    for (const std::size_t step : {SIZE_MAX, std::size_t{1}, std::size_t{7}}) {
      EXPECT_EQ(summaryOf(say(one.bytes + kNext, step)), one.summary)
          << one.what << " in pieces of " << step;
    }
  }
}

}  // namespace
}  // namespace schemascript

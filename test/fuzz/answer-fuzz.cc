// Fuzz target: any bytes as what a guest that was broken into answers, through the server's checks
// to the wire, where a client's parser reads exactly one answer that says the same, and behind it
// the next request's. The first byte chooses the request and how the message is made.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "http/request-head.h"
#include "http/server.h"
#include "runtime/http-message.h"

namespace schemascript {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

constexpr unsigned kIsAssembled = 1;
constexpr unsigned kIsHead = 2;
constexpr unsigned kIsOld = 4;

void require(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "answer-fuzz: it does not hold that %s (errno: %s)\n", claim,
               std::strerror(errno));
  std::abort();
}

void addNumber(std::string& message, std::uint32_t number) {
  message.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void addBytes(std::string& message, std::string_view bytes) {
  addNumber(message, static_cast<std::uint32_t>(bytes.size()));
  message += bytes;
}

// Up to `end`, which goes, too.
std::string_view takeTo(std::string_view& rest, char end) {
  const std::size_t size = std::min(rest.find(end), rest.size());
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return taken;
}

// Well-formed around what is not: flags and status, then lines `name=value` up to an empty one, and
// the body.
std::string assembled(std::string_view rest) {
  std::string message;
  addNumber(message, rest.size() > 0 ? static_cast<unsigned char>(rest[0]) & 3u : 0);
  addNumber(message, rest.size() > 1 ? 200 + 2u * static_cast<unsigned char>(rest[1]) : 200);
  addBytes(message, "reason");
  rest.remove_prefix(std::min<std::size_t>(rest.size(), 2));
  std::string fields;
  std::uint32_t count = 0;
  while (!rest.empty() && rest.front() != '\x1e') {
    std::string_view line = takeTo(rest, '\x1f');
    addBytes(fields, takeTo(line, '='));
    addBytes(fields, line);
    ++count;
  }
  addNumber(message, count);
  message += fields;
  addBytes(message, rest.empty() ? rest : rest.substr(1));
  return message;
}

// The server, and what its handler is to answer next.
class Target {
 public:
  Target() : server_({}, [this](std::shared_ptr<HttpExchange> exchange) { answer(*exchange); }) {
    server_.start();
  }

  std::string ask(std::string_view requests, const FetchResponse& response,
                  const std::vector<BodyPiece>& pieces) {
    response_ = &response;
    pieces_ = &pieces;
    isBroken_ = isRefused_ = false;
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    errno = 0;  // Which require() shows.
    require(socket >= 0, "there is a socket for the client");
    require(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
            "the server takes connections");
    require(::send(socket, requests.data(), requests.size(), MSG_NOSIGNAL) > 0,
            "the server takes requests");
    std::string all;
    char bytes[16'384];
    ssize_t size = 0;
    while ((size = ::recv(socket, bytes, sizeof bytes, 0)) > 0) {
      all.append(bytes, static_cast<std::size_t>(size));
    }
    require(size == 0 || errno == ECONNRESET, "the server closes when it has answered");
    // No port is kept for minutes.
    const linger hard{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(socket);
    return all;
  }
  bool isBroken() const noexcept { return isBroken_; }
  bool isRefused() const noexcept { return isRefused_; }

 private:
  void answer(HttpExchange& exchange) {
    if (exchange.request().path == "/next") return exchange.respond({}, "next");
    const HttpAnswerHead head{response_->status, response_->headers};
    try {
      if (!response_->following.body) return exchange.respond(head, response_->body);
      exchange.begin(head);
    } catch (const Error& error) {
      require(error.code() == ErrorCode::InvalidRequest, "a head is refused as one");
      isRefused_ = true;
      return exchange.respond({500, {}}, "refused");
    }
    try {
      exchange.write(response_->body);
      for (const BodyPiece& piece : *pieces_) exchange.write(piece.bytes);
      exchange.end();
    } catch (const Error& error) {
      require(error.code() == ErrorCode::InvalidRequest, "a body of another length is refused");
      isBroken_ = true;
      exchange.abort();
    }
  }

  const FetchResponse* response_ = nullptr;
  const std::vector<BodyPiece>* pieces_ = nullptr;
  std::atomic<bool> isBroken_ = false;
  std::atomic<bool> isRefused_ = false;
  HttpServer server_;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool isOfServer(std::string_view name) {
  return equalsIgnoringCase(name, "connection") || equalsIgnoringCase(name, "content-length") ||
         equalsIgnoringCase(name, "transfer-encoding") || equalsIgnoringCase(name, "date");
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// In order, without those that the server sees to.
Fields fieldsOf(const Parser& parser) {
  Fields fields;
  for (const auto& field : parser.get()) {
    const auto name = field.name_string();
    const auto value = field.value();
    if (isOfServer({name.data(), name.size()})) continue;
    fields.emplace_back(std::string(name.data(), name.size()),
                        trimmed({value.data(), value.size()}));
  }
  std::ranges::sort(fields);
  return fields;
}

// What the fields Connection name, each between commas: `,close,x-one,`.
std::string namedByConnection(const FetchResponse& response) {
  std::string names = ",";
  for (const auto& [name, value] : response.headers) {
    if (!equalsIgnoringCase(name, "connection")) continue;
    std::string_view rest = value;
    while (!rest.empty()) names.append(trimmed(takeTo(rest, ','))).append(",");
  }
  return names;
}

bool isAboutConnection(const FetchResponse& response, const std::string& named,
                       std::string_view name) {
  constexpr std::array<std::string_view, 7> kAlways{"keep-alive",
                                                    "te",
                                                    "trailer",
                                                    "proxy-connection",
                                                    "proxy-authenticate",
                                                    "proxy-authorization",
                                                    "proxy-authentication-info"};
  const auto isName = [name](std::string_view other) { return equalsIgnoringCase(name, other); };
  if (isName("upgrade")) return response.status != 426;
  if (std::ranges::any_of(kAlways, isName)) return true;
  for (std::string_view rest = named; !rest.empty();) {
    if (isName(takeTo(rest, ','))) return true;
  }
  return false;
}

Fields fieldsOf(const FetchResponse& response) {
  const std::string named = namedByConnection(response);
  Fields fields;
  for (const auto& [name, value] : response.headers) {
    if (isOfServer(name) || isAboutConnection(response, named, name)) continue;
    fields.emplace_back(name, trimmed(value));
  }
  std::ranges::sort(fields);
  return fields;
}

// Takes one answer off the wire.
void parse(Parser& parser, std::string_view& wire, bool isHead) {
  boost::system::error_code failure;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  parser.header_limit(1u << 20);
  parser.skip(isHead);
  parser.eager(true);
  wire.remove_prefix(parser.put(boost::asio::buffer(wire.data(), wire.size()), failure));
  if (failure == http::error::need_more) failure = {};
  require(!failure, "what is sent is HTTP");
  if (!parser.is_done()) parser.put_eof(failure);
  require(!failure && parser.is_done(), "an answer is complete");
}

void checkAnswer(Target& target, unsigned choice, const FetchResponse& response,
                 const std::vector<BodyPiece>& pieces) {
  const bool isHead = (choice & kIsHead) != 0;
  const std::string requests =
      str(isHead ? "HEAD" : "GET", " / HTTP/1.", (choice & kIsOld) != 0 ? 0 : 1,
          "\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
          "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string all = target.ask(requests, response, pieces);
  if (target.isBroken()) return;
  std::string_view wire = all;
  Parser parser;
  parse(parser, wire, isHead);
  const auto& message = parser.get();
  if (target.isRefused()) {
    require(message.result_int() == 500, "another answer can be given");
  } else {
    require(message.result_int() == response.status, "the status is sent");
    require(fieldsOf(parser) == fieldsOf(response), "the fields are sent, and no others");
    std::string body = response.body;
    for (const BodyPiece& piece : pieces) body += piece.bytes;
    const bool isLeftOut = isHead || response.status == 204 || response.status == 304;
    require(message.body() == (isLeftOut ? "" : body), "the body is sent");
  }
  if (!parser.keep_alive()) return require(wire.empty(), "nothing comes after the last answer");
  Parser next;
  parse(next, wire, false);
  require(next.get().body() == "next" && wire.empty(), "the next answer follows");
}

}  // namespace
}  // namespace schemascript

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  using namespace schemascript;
  static Target target;
  if (size == 0) return 0;
  const unsigned choice = first[0];
  const std::string_view in(reinterpret_cast<const char*>(first) + 1, size - 1);
  try {
    decodePiece(in);
  } catch (const Error& error) {
    require(error.code() == ErrorCode::GuestFailed, "a forged piece is told from a bug");
  }
  FetchResponse response;
  try {
    response = decodeFetchResponse((choice & kIsAssembled) != 0 ? assembled(in) : std::string(in));
  } catch (const Error& error) {
    require(error.code() == ErrorCode::GuestFailed || error.code() == ErrorCode::InvalidRequest,
            "a forged answer is told from a bug");
    return 0;
  }
  std::vector<BodyPiece> pieces;
  if (response.following.body) {
    for (const std::size_t part : {std::size_t{0}, in.size() / 2, in.size()}) {
      std::string message;
      addNumber(message, 1);
      addBytes(message, in.substr(0, part));
      pieces.push_back(decodePiece(message));
    }
  }
  checkAnswer(target, choice, response, pieces);
  return 0;
}

// The grammar is Beast's parser; what it lets through and a server must not is refused here.
#include "http/request-head.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <cstring>
#include <limits>

namespace schemascript {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Failure = boost::system::error_code;

bool isAlphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool isDigit(char c) noexcept { return c >= '0' && c <= '9'; }

char lowerOf(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view viewOf(beast::string_view text) noexcept { return {text.data(), text.size()}; }

bool isPort(std::string_view text) noexcept {
  unsigned port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return text.empty() || (failure == std::errc() && end == text.data() + text.size() &&
                          text.size() <= 5 && port <= 65'535);
}

bool isAddress(int family, std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::ranges::copy(text, terminated.begin());
  std::array<std::byte, sizeof(in6_addr)> address;
  return ::inet_pton(family, terminated.data(), address.data()) == 1;
}

// Whether URLs take a name that ends with this label for an IPv4 address:
// https://url.spec.whatwg.org/#ends-in-a-number-checker
bool isNumberOfUrl(std::string_view label) noexcept {
  const auto isHex = [](char c) { return isDigit(c) || (lowerOf(c) >= 'a' && lowerOf(c) <= 'f'); };
  if (label.size() >= 2 && label[0] == '0' && lowerOf(label[1]) == 'x') {
    return std::ranges::all_of(label.substr(2), isHex);
  }
  return !label.empty() && std::ranges::all_of(label, isDigit);
}

// A registered name (RFC 3986, 3.2.2) that is also the host of a URL, as apps get it: no percent,
// and addresses in the form of four numbers alone.
bool isName(std::string_view name) noexcept {
  const auto belongs = [](char c) {
    return isAlphanumeric(c) || (c != 0 && std::strchr("-._~!$&'()*+,;=", c) != nullptr);
  };
  if (name.empty() || !std::ranges::all_of(name, belongs)) return false;
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !isNumberOfUrl(last) || isAddress(AF_INET, name);
}

// uri-host [ ":" port ] of RFC 3986, without looking up anything.
bool isHost(std::string_view host) noexcept {
  const bool isLiteral = host.starts_with('[');
  const std::size_t nameEnd = isLiteral ? host.find(']') : std::min(host.find(':'), host.size());
  if (nameEnd == std::string_view::npos) return false;
  const bool isGood = isLiteral ? isAddress(AF_INET6, host.substr(1, nameEnd - 1))
                                : isName(host.substr(0, nameEnd));
  const std::string_view rest = host.substr(nameEnd + (isLiteral ? 1 : 0));
  return isGood && (rest.empty() || (rest.front() == ':' && isPort(rest.substr(1))));
}

// Beast's parser, with the fields as views and the rules that it does not have.
class HeadParser final : public http::basic_parser<true> {
 public:
  HeadParser(const HttpLimits& limits, HttpRequest& request) : limits_(limits), request_(request) {
    header_limit(static_cast<std::uint32_t>(limits.headBytesMax + 1));
    // Not boost::none: GCC's sanitizers take its empty storage for a use of it.
    body_limit(std::numeric_limits<std::uint64_t>::max());
    eager(false);
  }

  HeadOutcome outcome{};
  bool hasHost = false;
  bool hasEncoding = false;
  bool hasLength = false;

  void refuse(int status, const char* reason) {
    if (outcome.refusal != 0) return;
    outcome.refusal = status;
    outcome.reason = reason;
  }

 private:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version, Failure& failure) override {
    request_.method = viewOf(method);
    request_.target = viewOf(target);
    request_.minorVersion = version - 10;
    if (target.size() > limits_.targetBytesMax) {
      refuse(414, "the request target is too long");
      failure = http::error::bad_target;
    }
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     Failure& failure) override {
    if (request_.headers.size() >= limits_.headersMax) {
      refuse(431, "there are too many header fields");
    } else {
      request_.headers.push_back({viewOf(name), viewOf(value)});
      special(field, viewOf(value));
    }
    if (outcome.refusal != 0) failure = http::error::bad_field;
  }

  void special(http::field field, std::string_view value) {
    if (field == http::field::host) {
      if (hasHost) refuse(400, "there are several Host fields");
      if (!isHost(value)) refuse(400, "the Host field is not a host");
      hasHost = true;
      request_.host = value;
    } else if (field == http::field::content_length) {
      // A list, even of equal numbers, is read differently by different servers.
      if (hasLength) refuse(400, "there are several Content-Length fields");
      if (value.empty() || value.size() > 19 || !std::ranges::all_of(value, isDigit)) {
        refuse(400, "the Content-Length is not a number");
      }
      hasLength = true;
    } else if (field == http::field::transfer_encoding) {
      if (hasEncoding) refuse(400, "there are several Transfer-Encoding fields");
      hasEncoding = true;
      encoding(value);
    } else if (field == http::field::expect) {
      if (!equalsIgnoringCase(value, "100-continue")) refuse(417, "only 100-continue is known");
      outcome.expectsContinue = true;
    }
  }

  void encoding(std::string_view value) {
    if (request_.minorVersion == 0) refuse(400, "HTTP/1.0 has no Transfer-Encoding");
    if (equalsIgnoringCase(value, "chunked")) return;
    refuse(501, "the only Transfer-Encoding is chunked");
  }

  void on_header_impl(Failure&) override {}
  void on_response_impl(int, beast::string_view, int, Failure&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Failure&) override {}
  std::size_t on_body_impl(beast::string_view body, Failure&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, Failure&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, Failure&) override {
    return body.size();
  }
  void on_finish_impl(Failure&) override {}

  const HttpLimits& limits_;
  HttpRequest& request_;
};

// Whether the first line names a version, which then is one that we do not speak.
bool namesVersion(std::string_view head) noexcept {
  const std::string_view line = head.substr(0, head.find('\r'));
  if (line.size() < 9) return false;
  const std::string_view version = line.substr(line.size() - 9);
  return version.starts_with(" HTTP/") && isDigit(version[6]) && version[7] == '.' &&
         isDigit(version[8]) && !version.ends_with(" HTTP/1.1") && !version.ends_with(" HTTP/1.0");
}

bool hasFold(std::string_view head) noexcept {
  for (std::size_t at = head.find('\n'); at != std::string_view::npos;
       at = head.find('\n', at + 1)) {
    if (at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t')) return true;
  }
  return false;
}

// Splits the target, in the three forms that an origin server has to know (RFC 9112, 3.2).
void readTarget(HeadParser& parser, HttpRequest& request) {
  std::string_view target = request.target;
  const bool isPlain =
      std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!isPlain) return parser.refuse(400, "the request target has bytes that have to be escaped");
  if (request.method == "CONNECT") return parser.refuse(501, "this is not a proxy");
  request.path = target;
  if (target.starts_with('/')) return;
  if (target == "*") {
    if (request.method != "OPTIONS") parser.refuse(400, "the target * is for OPTIONS only");
    return;
  }
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos ||
      !(equalsIgnoringCase(target.substr(0, scheme), "http") ||
        equalsIgnoringCase(target.substr(0, scheme), "https"))) {
    return parser.refuse(400, "the request target is neither a path nor a URL");
  }
  target.remove_prefix(scheme + 3);
  const std::size_t path = std::min(target.find_first_of("/?"), target.size());
  // The target's host counts, whatever the field says.
  request.host = target.substr(0, path);
  if (!isHost(request.host)) return parser.refuse(400, "the request target has no valid host");
  request.path = path == target.size() ? std::string_view("/") : target.substr(path);
  if (request.path.front() == '?') parser.refuse(400, "the request target has no path");
}

void readFraming(HeadParser& parser, const HttpLimits& limits) {
  HeadOutcome& outcome = parser.outcome;
  if (parser.chunked()) {
    outcome.framing = BodyFraming::Chunked;
  } else if (parser.hasLength && *parser.content_length() > 0) {
    outcome.framing = BodyFraming::Length;
    outcome.length = *parser.content_length();
    if (outcome.length > limits.bodyBytesMax) parser.refuse(413, "the body is too large");
  }
}

}  // namespace

bool equalsIgnoringCase(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lowerOf(x) == lowerOf(y); });
}

HeadScanner::State HeadScanner::scan(std::string_view bytes) noexcept {
  if (bytes.empty()) return State::Incomplete;
  if (scanned_ == 0 && !isHttpTokenByte(bytes.front())) return State::Malformed;
  while (scanned_ < bytes.size()) {
    // Line by line: what comes behind the head may be a body of any bytes.
    const std::size_t end = std::min(bytes.find('\n', scanned_), bytes.size());
    if (bytes.substr(scanned_, end - scanned_).find('\0') != std::string_view::npos) {
      return State::Malformed;
    }
    scanned_ = end;
    if (end == bytes.size()) break;
    if (end == 0 || bytes[end - 1] != '\r') return State::Malformed;
    const bool isEmpty = end == lineStart_ + 1;
    lineStart_ = ++scanned_;
    if (isEmpty) return State::Complete;
  }
  return State::Incomplete;
}

HeadOutcome parseHead(std::string_view head, const HttpLimits& limits, HttpRequest& request) {
  HeadParser parser(limits, request);
  if (hasFold(head)) {
    parser.refuse(400, "a header field goes over several lines");
    return parser.outcome;
  }
  Failure failure;
  parser.put({head.data(), head.size()}, failure);
  if (failure == http::error::bad_version && namesVersion(head)) {
    parser.refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  if (failure || !parser.is_header_done())
    parser.refuse(400, "the head of the request is malformed");
  if (parser.outcome.refusal != 0) return parser.outcome;
  if (!parser.hasHost && request.minorVersion == 1) parser.refuse(400, "there is no Host field");
  readTarget(parser, request);
  readFraming(parser, limits);
  parser.outcome.keepAlive = parser.keep_alive();
  // HTTP/1.0 knows no 100.
  if (request.minorVersion == 0 || parser.outcome.framing == BodyFraming::None) {
    parser.outcome.expectsContinue = false;
  }
  return parser.outcome;
}

}  // namespace schemascript

#include "runtime/http-message.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/http-token.h"

namespace schemascript {
namespace {

// Flags of a request.
constexpr std::uint32_t kHasBody = 1;
constexpr std::uint32_t kBodyFollows = 2;

// Flags of an answer.
constexpr std::uint32_t kBodyComes = 1;
constexpr std::uint32_t kWorkComes = 2;

void addNumber(std::string& message, std::uint32_t number) {
  message.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void addBytes(std::string& message, std::string_view bytes) {
  addNumber(message, static_cast<std::uint32_t>(bytes.size()));
  message += bytes;
}

class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}

  std::uint32_t number() {
    std::uint32_t number = 0;
    std::memcpy(&number, take(sizeof number).data(), sizeof number);
    return number;
  }
  std::string_view bytes() { return take(number()); }
  // A count of things that take at least `bytesEach`.
  std::uint32_t count(std::size_t bytesEach) {
    const std::uint32_t count = number();
    if (count > rest_.size() / bytesEach) refuse();
    return count;
  }
  Following following() {
    const std::uint32_t flags = number();
    if ((flags & ~(kBodyComes | kWorkComes)) != 0) refuse();
    return {(flags & kBodyComes) != 0, (flags & kWorkComes) != 0};
  }
  void end() const {
    if (!rest_.empty()) refuse();
  }

  [[noreturn]] static void refuse() {
    throw guestFailed("the guest answered what is no answer to an HTTP request");
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) refuse();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

// What Headers and Response let an app say. Less comes of guests that were broken into.
bool isFetchValue(std::string_view text) {
  return text.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos;
}

// HTTP takes less than Headers do; the app's author has to hear why it cannot be sent.
void checkField(std::string_view name, std::string_view value) {
  if (!isHttpToken(name) || !isFetchValue(value)) Reader::refuse();
  if (isHttpFieldValue(value)) return;
  throw invalidRequest(str("the header ", name,
                           " of the answer has a control character, which HTTP cannot carry: "
                           "encode its value, for example with encodeURIComponent()"));
}

}  // namespace

std::string encodeFetch(const FetchRequest& request) {
  std::string message;
  message.reserve(64 + request.url.size() + 48 * request.headers.size() + request.body.size());
  addNumber(message, (request.hasBody ? kHasBody : 0) | (request.bodyFollows ? kBodyFollows : 0));
  addBytes(message, request.method);
  addBytes(message, request.url);
  addNumber(message, static_cast<std::uint32_t>(request.headers.size()));
  for (const auto& [name, value] : request.headers) {
    addBytes(message, name);
    addBytes(message, value);
  }
  if (request.hasBody) addBytes(message, request.body);
  return message;
}

FetchResponse decodeFetchResponse(std::string_view message) {
  Reader reader(message);
  FetchResponse response;
  response.following = reader.following();
  const std::uint32_t status = reader.number();
  if (status < 200 || status > 599) Reader::refuse();
  response.status = static_cast<std::uint16_t>(status);
  response.reason = reader.bytes();
  if (!isFetchValue(response.reason)) Reader::refuse();
  const std::uint32_t count = reader.count(2 * sizeof(std::uint32_t));
  response.headers.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    const std::string_view name = reader.bytes();
    const std::string_view value = reader.bytes();
    checkField(name, value);
    response.headers.emplace_back(name, value);
  }
  response.body = reader.bytes();
  reader.end();
  return response;
}

BodyPiece decodePiece(std::string_view message) {
  Reader reader(message);
  BodyPiece piece;
  piece.following = reader.following();
  piece.bytes = reader.bytes();
  reader.end();
  return piece;
}

}  // namespace schemascript

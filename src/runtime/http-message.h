// An HTTP exchange as it passes between host and guest: docs/protocol.md, "Apps behind a server".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schemascript {

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

// What a handler gets. Names of fields are in lower case; values are bytes without CR, LF and NUL.
struct FetchRequest {
  std::string_view method;
  std::string_view url;  // Absolute, `http://host/path?query`.
  const HeaderFields& headers;
  std::string_view body{};
  bool hasBody = false;
  bool bodyFollows = false;  // There is more of it than `body`.
};

// The message for the guest.
std::string encodeFetch(const FetchRequest& request);

// What follows the part of an answer that is there.
struct Following {
  bool body = false;
  bool work = false;  // Promises given to waitUntil().
};

struct FetchResponse {
  std::uint16_t status = 200;  // From 200 to 599.
  std::string reason;          // May be empty.
  HeaderFields headers;        // As they may be sent: tokens, and values that isHttpFieldValue().
  std::string body;            // The first part of it, if more follows.
  Following following;
};

struct BodyPiece {
  std::string bytes;
  Following following;
};

// Read what a guest says. Throw GuestFailed when it is not as it should be: the guest was broken
// into; decodeFetchResponse() InvalidRequest for a header with a control character that Fetch
// allows and HTTP does not.
FetchResponse decodeFetchResponse(std::string_view message);
BodyPiece decodePiece(std::string_view message);

}  // namespace schemascript

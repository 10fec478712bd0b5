// Bytes to the head of a request: where it ends, whether it may be believed, and how its body is
// framed. Strict, because what two servers read differently is how requests are smuggled (RFC 9112,
// section 11.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/http-token.h"
#include "http/server.h"

namespace schemascript {

bool equalsIgnoringCase(std::string_view a, std::string_view b) noexcept;

// Finds the end of a head in bytes that grow, and looks at each of them once.
class HeadScanner {
 public:
  enum class State : std::uint8_t { Incomplete, Complete, Malformed };

  // `bytes` begin with all that was given before. Malformed: a line that ends without CR, a NUL, or
  // a first byte that begins no method.
  State scan(std::string_view bytes) noexcept;
  // Behind the empty line, when complete.
  std::size_t end() const noexcept { return lineStart_; }
  bool hasLine() const noexcept { return lineStart_ > 0; }

 private:
  std::size_t scanned_ = 0;
  std::size_t lineStart_ = 0;
};

enum class BodyFraming : std::uint8_t { None, Length, Chunked };

struct HeadOutcome {
  int refusal = 0;          // The status to answer with; 0: the head is good.
  const char* reason = "";  // For the client, when refused.
  bool keepAlive = false;
  bool expectsContinue = false;
  BodyFraming framing = BodyFraming::None;
  std::uint64_t length = 0;  // With BodyFraming::Length; never 0.
};

// Reads a whole head, up to and with its empty line, into `request`, whose views then point into
// `head`.
HeadOutcome parseHead(std::string_view head, const HttpLimits& limits, HttpRequest& request);

}  // namespace schemascript

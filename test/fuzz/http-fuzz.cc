// Fuzz target: from bytes to requests, as a connection does it. What is understood does not depend
// on how the bytes came, lies within the head, and keeps its limits.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "http/chunk-decoder.h"
#include "http/request-head.h"

namespace schemascript {
namespace {

void require(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "http-fuzz: it does not hold that %s\n", claim);
  std::abort();
}

struct Body {
  ChunkDecoder::State state;
  std::string bytes;
  std::size_t left;
};

Body decode(std::string_view in, std::size_t piece) {
  Body body{ChunkDecoder::State::More, {}, in.size()};
  ChunkDecoder decoder(50);
  while (body.left > 0 && body.state == ChunkDecoder::State::More) {
    std::string_view part = in.substr(in.size() - body.left, piece);
    const std::size_t before = part.size();
    body.state = decoder.decode(part, body.bytes, body.bytes.size() + 7);
    require(part.size() < before, "a decoder with room takes something");
    body.left -= before - part.size();
  }
  return body;
}

void checkBody(std::string_view in) {
  const Body whole = decode(in, in.size());
  const Body bytes = decode(in, 1);
  require(whole.state == bytes.state, "a body is complete however it comes");
  require(whole.bytes == bytes.bytes, "a body is the same however it comes");
  require(whole.left == bytes.left, "a body ends at one place");
}

void checkViews(std::string_view head, const HttpRequest& request) {
  const auto isInside = [head](std::string_view view) {
    return view.empty() ||
           (view.data() >= head.data() && view.data() + view.size() <= head.data() + head.size());
  };
  require(isInside(request.method) && (request.path == "/" || isInside(request.path)) &&
              isInside(request.host),
          "views point into the head");
  require(isHttpToken(request.method), "a method is a token");
  require(!request.path.empty(), "there is a path");
  for (const HttpField& field : request.headers) {
    require(isInside(field.name) && isInside(field.value), "fields point into the head");
    require(isHttpToken(field.name), "a field's name is a token");
    require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
            "a field's value is one line");
  }
}

}  // namespace
}  // namespace schemascript

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  using namespace schemascript;
  const std::string_view in(reinterpret_cast<const char*>(first), size);
  checkBody(in);
  const HttpLimits limits{.targetBytesMax = 100, .headersMax = 8, .bodyBytesMax = 1000};
  HeadScanner scanner;
  HeadScanner::State state = HeadScanner::State::Incomplete;
  for (std::size_t i = 1; i <= size && state == HeadScanner::State::Incomplete; ++i) {
    state = scanner.scan(in.substr(0, i));
  }
  if (state != HeadScanner::State::Complete) return 0;
  HeadScanner again;
  const std::string_view head = in.substr(0, scanner.end());
  require(again.scan(head) == HeadScanner::State::Complete && again.end() == scanner.end(),
          "a head ends at one place");
  HttpRequest request;
  const HeadOutcome outcome = parseHead(head, limits, request);
  require((outcome.refusal == 0) || (outcome.refusal >= 400 && outcome.refusal < 600),
          "a refusal is an error");
  if (outcome.refusal != 0) return 0;
  checkViews(head, request);
  require(request.headers.size() <= 8 && request.target.size() <= 100, "the limits hold");
  require(outcome.length <= 1000, "the body's limit holds");
  if (request.tryFind("transfer-encoding")) {
    require(outcome.framing == BodyFraming::Chunked && !request.tryFind("content-length"),
            "a body has one framing");
  }
  if (outcome.framing == BodyFraming::Chunked) checkBody(in.substr(scanner.end()));
  return 0;
}

// A server's requests: what the exports for HTTP do, on top of guest/runtime/src/serve.ts. The
// bytes are those of docs/protocol.md, "Apps behind a server".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "js.h"

namespace schemascript::guest {

struct Guest;

// Of a guest, between one request and the next.
struct Server {
  Value functions;  // What serve.ts offers; undefined without it.
  Value env;  // The second argument of all handlers; without setEnvironment() an empty object.
  bool wantsBody = false;
  std::string response;  // The message that the host fetches.
};

// The object that the handlers get as `env`, from JSON. False with an exception pending.
[[nodiscard]] bool setEnvironment(Guest& guest, std::string_view json);

// Each answers what the handler answered, or an exception. `handler` was found in the app's default
// export, which is `receiver`.
Value handleFetch(Guest& guest, const Value& handler, const Value& receiver,
                  std::string_view message);
Value handleScheduled(Guest& guest, const Value& handler, const Value& receiver,
                      std::string_view json);

// What `receive` and `next` of serve.ts answer.
Value receiveBody(Guest& guest, std::string_view bytes, std::uint32_t state);
Value nextPiece(Guest& guest);

// Makes Server::response of what a handler, or nextPiece(), has come to. False with an exception
// pending.
[[nodiscard]] bool keepHead(Guest& guest, const Value& answered);
[[nodiscard]] bool keepPiece(Guest& guest, const Value& answered);
// The same of a handler that has no answer: what is still to come, alone.
[[nodiscard]] bool keepRest(Guest& guest);

}  // namespace schemascript::guest

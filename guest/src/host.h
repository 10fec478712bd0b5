// The guest's only ways out: the functions that it imports from the host, as docs/protocol.md
// describes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "js.h"

namespace schemascript::guest {

enum class Stream : std::uint32_t { Output = 1, Error = 2 };
enum class Clock : std::uint32_t { Wall = 0, Monotonic = 1 };

inline constexpr std::size_t kRandomBytesMax = 65536;

void hostLog(Stream stream, std::string_view text);
// Milliseconds: since 1970, or since the isolate started.
double hostClock(Clock clock);
// Fills at most kRandomBytesMax bytes.
void hostRandom(void* first, std::size_t size);

// Sends one request and says how long its answer is, which then waits on the host. 0: the time
// limit came, and the exception that is pending cannot be caught.
std::uint32_t hostRequest(JSContext* context, std::string_view request);
// Copies the next bytes of the waiting answer, and says how many; 0 when nothing is left.
std::size_t hostCopyResult(void* first, std::size_t sizeMax);
// Throws what ends the guest at its deadline: it cannot be caught, and says where the guest was.
JSValue throwInterrupted(JSContext* context);

// Sends one request and fetches its whole answer as a JavaScript string. An answer that does not
// fit into memory is a JavaScript exception, as everywhere in the engine.
Value hostQuery(JSContext* context, std::string_view request);

}  // namespace schemascript::guest

// The imports themselves, and the one place that moves an answer from the host into this memory.
#include "host.h"

#include <cstdlib>
#include <memory>

#define SS_IMPORT(name) __attribute__((import_module("schemascript"), import_name(#name)))

extern "C" {
SS_IMPORT(host_db_query) std::uint32_t host_db_query(const void* first, std::uint32_t size);
SS_IMPORT(host_copy_result) std::uint32_t host_copy_result(void* first, std::uint32_t sizeMax);
SS_IMPORT(host_log) void host_log(std::uint32_t stream, const void* first, std::uint32_t size);
SS_IMPORT(host_clock) double host_clock(std::uint32_t kind);
SS_IMPORT(host_random) void host_random(void* first, std::uint32_t size);
}

namespace schemascript::guest {

void hostLog(Stream stream, std::string_view text) {
  host_log(static_cast<std::uint32_t>(stream), text.data(), text.size());
}

double hostClock(Clock clock) { return host_clock(static_cast<std::uint32_t>(clock)); }

void hostRandom(void* first, std::size_t size) { host_random(first, size); }

bool hostSend(JSContext* context, std::string_view request, std::uint32_t& size) {
  size = host_db_query(request.data(), request.size());
  if (size != 0) return true;
  // The deadline came while the host was working. This error cannot be caught, and says where the
  // guest was.
  JS_ThrowInternalError(context, "interrupted");
  const Value error(context, JS_GetException(context));
  JS_SetUncatchableError(context, error.get(), 1);
  JS_Throw(context, JS_DupValue(context, error.get()));
  return false;
}

std::size_t hostFetch(void* destination, std::size_t sizeMax) {
  return host_copy_result(destination, sizeMax);
}

Value hostQuery(JSContext* context, std::string_view request) {
  std::uint32_t size = 0;
  if (!hostSend(context, request, size)) return Value(context, JS_EXCEPTION);
  // Most answers are small. A large one goes through the engine's allocator, so that its limit
  // counts it.
  char local[4096];
  if (size <= sizeof local) {
    return newString(context, {local, host_copy_result(local, size)});
  }
  auto* buffer = static_cast<char*>(js_malloc(context, size));
  if (buffer == nullptr) return Value(context, JS_EXCEPTION);
  Value answer = newString(context, {buffer, host_copy_result(buffer, size)});
  js_free(context, buffer);
  return answer;
}

}  // namespace schemascript::guest

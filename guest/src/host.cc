// The imports themselves, and the one place that moves an answer from the host into this memory.
#include "host.h"

#include <cstdlib>
#include <memory>

// Compiled for the machine itself, for tests, these are ordinary functions.
#ifdef __wasm__
#define SS_IMPORT(name) __attribute__((import_module("schemascript"), import_name(#name)))
#else
#define SS_IMPORT(name)
#endif

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

JSValue throwInterrupted(JSContext* context) {
  JS_ThrowInternalError(context, "interrupted");
  const Value error(context, JS_GetException(context));
  JS_SetUncatchableError(context, error.get(), 1);
  return JS_Throw(context, JS_DupValue(context, error.get()));
}

std::uint32_t hostRequest(JSContext* context, std::string_view request) {
  const std::uint32_t size = host_db_query(request.data(), request.size());
  // The deadline came while the host was working.
  if (size == 0) throwInterrupted(context);
  return size;
}

std::size_t hostCopyResult(void* first, std::size_t sizeMax) {
  return host_copy_result(first, static_cast<std::uint32_t>(sizeMax));
}

Value hostQuery(JSContext* context, std::string_view request) {
  const std::uint32_t size = hostRequest(context, request);
  if (size == 0) return Value(context, JS_EXCEPTION);
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

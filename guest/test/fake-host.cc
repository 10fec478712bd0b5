#include "fake-host.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "allocator.h"
#include "control.h"

namespace schemascript::guest {
namespace {
FakeHost* present = nullptr;
}

FakeHost::FakeHost() { present = this; }
FakeHost::~FakeHost() { present = nullptr; }

NativeGuest::NativeGuest() {
  control.stopRequested = 0;  // The block outlives a guest.
  guest.runtime = newRuntime();
  guest.context = JS_NewContext(guest.runtime);
  JS_SetContextOpaque(guest.context, &guest);
  defineGlobals(guest);
}

NativeGuest::~NativeGuest() {
  releaseSqlite(guest);
  releaseEntity(guest);
  guest.date = Value();
  guest.interruption = Value();
  JS_FreeContext(guest.context);
  JS_FreeRuntime(guest.runtime);
}

std::string NativeGuest::run(std::string_view script) {
  const std::string source(script);
  const Value value(guest.context, JS_Eval(guest.context, source.c_str(), source.size(), "test",
                                           JS_EVAL_TYPE_GLOBAL));
  if (!value.isException()) return describe(value.get());
  const Value error(guest.context, JS_GetException(guest.context));
  return "throws " + describe(error.get());
}

std::string NativeGuest::call(const char* function, std::vector<const char*> globals,
                              std::size_t bytesMore) {
  JSContext* const context = guest.context;
  const Value global(context, JS_GetGlobalObject(context));
  const auto member = [context](const Value& object, const char* name) {
    return Value(context, JS_GetPropertyStr(context, object.get(), name));
  };
  const Value called = member(member(global, "__host_sqlite"), function);
  std::vector<Value> owners;
  std::vector<JSValue> arguments;
  for (const char* const name : globals) {
    owners.push_back(member(global, name));
    arguments.push_back(owners.back().get());
  }
  JSMemoryUsage usage;
  JS_RunGC(guest.runtime);
  JS_ComputeMemoryUsage(guest.runtime, &usage);
  JS_SetMemoryLimit(guest.runtime, static_cast<std::size_t>(usage.malloc_size) + bytesMore);
  const Value value(context, JS_Call(context, called.get(), JS_UNDEFINED,
                                     static_cast<int>(arguments.size()), arguments.data()));
  JS_SetMemoryLimit(guest.runtime, SIZE_MAX);
  if (!value.isException()) return "done";
  const Value error(context, JS_GetException(context));
  return "throws " + describe(error.get());
}

std::string NativeGuest::describe(JSValueConst value) {
  const Text text(guest.context, value);
  if (text.valid()) return std::string(text.view());
  JS_FreeValue(guest.context, JS_GetException(guest.context));
  return "(no string)";
}

}  // namespace schemascript::guest

using schemascript::guest::FakeHost;
using schemascript::guest::present;

extern "C" {

std::uint32_t host_db_query(const void* first, std::uint32_t size) {
  FakeHost& host = *present;
  host.requests.emplace_back(static_cast<const char*>(first), size);
  host.fetched = 0;
  host.waiting.clear();
  if (host.onQuery) host.onQuery();
  if (host.answers.empty()) return 0;
  host.waiting = std::move(host.answers.front());
  host.answers.pop_front();
  return host.claimedSize != 0 ? host.claimedSize : static_cast<std::uint32_t>(host.waiting.size());
}

std::uint32_t host_copy_result(void* first, std::uint32_t sizeMax) {
  FakeHost& host = *present;
  const std::size_t size =
      std::min({host.waiting.size() - host.fetched, std::size_t{sizeMax}, host.pieceMax});
  if (size != 0) std::memcpy(first, host.waiting.data() + host.fetched, size);
  host.fetched += size;
  return static_cast<std::uint32_t>(size);
}

void host_log(std::uint32_t, const void*, std::uint32_t) {}
double host_clock(std::uint32_t) { return 0; }
void host_random(void* first, std::uint32_t size) { std::memset(first, 1, size); }

}  // extern "C"

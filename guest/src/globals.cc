// The native functions that JavaScript in the guest sees.
#include <bit>
#include <cmath>

#include "bytes.h"
#include "control.h"
#include "guest.h"
#include "header.h"
#include "host.h"
#include "module-scope.h"
#include "text.h"
#include "url.h"

namespace schemascript::guest {
namespace {

// __host_sqlite_call(payload: string): string
JSValue hostSqliteCall(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest& guest = Guest::of(context);
  if (guest.pushFirst && !pushSchema(guest)) return JS_EXCEPTION;
  const Text payload(context, arguments[0]);
  if (!payload.valid()) return JS_EXCEPTION;
  return hostQuery(context, payload.view()).take();
}

JSValue nativeLog(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::int32_t stream = 0;
  if (JS_ToInt32(context, &stream, arguments[0]) < 0) return JS_EXCEPTION;
  const Text text(context, arguments[1]);
  if (!text.valid()) return JS_EXCEPTION;
  hostLog(stream == 1 ? Stream::Output : Stream::Error, text.view());
  return JS_UNDEFINED;
}

JSValue nativeClock(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::int32_t kind = 0;
  if (JS_ToInt32(context, &kind, arguments[0]) < 0) return JS_EXCEPTION;
  if (!isAllowed(Guest::of(context), Denied::Clock)) return JS_EXCEPTION;
  return JS_NewFloat64(context, hostClock(kind == 0 ? Clock::Wall : Clock::Monotonic));
}

JSValue nativeRandomFill(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::uint8_t* first = nullptr;
  std::size_t size = 0;
  if (!bytesOf(context, arguments[0], first, size)) return JS_EXCEPTION;
  if (size > kRandomBytesMax) {
    return JS_ThrowRangeError(context, "at most %zu random bytes at a time", kRandomBytesMax);
  }
  if (!isAllowed(Guest::of(context), Denied::Randomness)) return JS_EXCEPTION;
  if (size != 0) hostRandom(first, size);
  return JS_UNDEFINED;
}

JSValue nativeUtf8Encode(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const Text text(context, arguments[0]);
  if (!text.valid()) return JS_EXCEPTION;
  if (isUtf8(text.view())) return newUint8Array(context, text.view());
  return newUint8Array(context, toWellFormed(text.view()));
}

JSValue nativeUtf8Decode(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::uint8_t* first = nullptr;
  std::size_t size = 0;
  if (!bytesOf(context, arguments[0], first, size)) return JS_EXCEPTION;
  const std::string_view bytes(reinterpret_cast<const char*>(first), size);
  if (isUtf8(bytes)) return newString(context, bytes).take();
  if (JS_ToBool(context, arguments[1]) != 0) {
    return JS_ThrowTypeError(context, "the encoded data is not valid UTF-8");
  }
  return newString(context, toValidUtf8(bytes)).take();
}

JSValue nativeSetTimer(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  if (!isAllowed(Guest::of(context), Denied::Timers)) return JS_EXCEPTION;
  Timers& timers = Guest::of(context).timers;
  double delay = 0;
  if (JS_ToFloat64(context, &delay, arguments[1]) < 0) return JS_EXCEPTION;
  const Repeat repeat = JS_ToBool(context, arguments[2]) != 0 ? Repeat::Yes : Repeat::No;
  if (timers.size() >= control.timersMax) {
    return JS_ThrowRangeError(
        context, "timersMax is %u, and as many timers wait already: clear some of them",
        static_cast<unsigned>(control.timersMax));
  }
  return JS_NewUint32(context, timers.add(Value::share(context, arguments[0]), delay, repeat));
}

JSValue nativeClearTimer(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::uint32_t id = 0;
  if (JS_ToUint32(context, &id, arguments[0]) < 0) return JS_EXCEPTION;
  Guest::of(context).timers.remove(id);
  return JS_UNDEFINED;
}

JSValue nativeUnrefTimer(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  std::uint32_t id = 0;
  if (JS_ToUint32(context, &id, arguments[0]) < 0) return JS_EXCEPTION;
  Guest::of(context).timers.unreference(id);
  return JS_UNDEFINED;
}

// [0] pending, [1, value] fulfilled, [2, reason] rejected.
JSValue nativePromiseState(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const JSPromiseStateEnum state = JS_PromiseState(context, arguments[0]);
  const JSValue answer = JS_NewArray(context);
  JS_SetPropertyUint32(context, answer, 0, JS_NewInt32(context, state));
  if (state != JS_PROMISE_PENDING) {
    JS_SetPropertyUint32(context, answer, 1, JS_PromiseResult(context, arguments[0]));
  }
  return answer;
}

JSValue nativeIsNormalUrl(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const Text text(context, arguments[0]);
  if (!text.valid()) return JS_EXCEPTION;
  return JS_NewBool(context, isNormalUrl(text.view()));
}

// In lower case; undefined when it is no name.
JSValue nativeCleanHeaderName(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const Text text(context, arguments[0]);
  if (!text.valid()) return JS_EXCEPTION;
  switch (classifyHeaderName(text.view())) {
    case HeaderName::Normal:
      return JS_DupValue(context, arguments[0]);
    case HeaderName::Invalid:
      return JS_UNDEFINED;
    case HeaderName::HasCapitals:
      break;
  }
  std::string lower(text.view());
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return newString(context, lower).take();
}

// Without the blanks around it; undefined when it is no value.
JSValue nativeCleanHeaderValue(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const Text text(context, arguments[0]);
  if (!text.valid()) return JS_EXCEPTION;
  const auto clean = tryCleanHeaderValue(text.view());
  if (!clean) return JS_UNDEFINED;
  if (clean->size() == text.view().size()) return JS_DupValue(context, arguments[0]);
  return newString(context, *clean).take();
}

JSValue nativeWantBody(JSContext* context, JSValueConst, int, JSValueConst*) {
  Guest::of(context).server.wantsBody = true;
  return JS_UNDEFINED;
}

JSValue nativeSetServer(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest& guest = Guest::of(context);
  guest.server.functions = Value::share(context, arguments[0]);
  guest.server.env = Value(context, JS_NewObject(context));
  return JS_UNDEFINED;
}

JSValue nativeDetachArrayBuffer(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  JS_DetachArrayBuffer(context, arguments[0]);
  return JS_UNDEFINED;
}

JSValue nativeEnqueueJob(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const auto call = [](JSContext* of, int, JSValueConst* job) {
    return JS_Call(of, job[0], JS_UNDEFINED, 0, nullptr);
  };
  if (JS_EnqueueJob(context, call, 1, arguments) < 0) return JS_EXCEPTION;
  return JS_UNDEFINED;
}

JSValue nativeOnStart(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest::of(context).startCallbacks.push_back(Value::share(context, arguments[0]));
  return JS_UNDEFINED;
}

JSValue nativeSetDescribeErrorText(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Guest::of(context).describeError = Value::share(context, arguments[0]);
  return JS_UNDEFINED;
}

// xoshiro256**, public domain, by Blackman and Vigna (2018):
// https://prng.di.unimi.it/xoshiro256starstar.c
std::uint64_t nextRandom(std::array<std::uint64_t, 4>& state) {
  const std::uint64_t result = std::rotl(state[1] * 5, 7) * 9;
  const std::uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = std::rotl(state[3], 45);
  return result;
}

void seedRandom(Guest& guest) {
  hostRandom(guest.random.data(), sizeof guest.random);
  guest.random[0] |= 1;  // All zeros is the one state that the generator never leaves.
  guest.isSeeded = true;
}

// The engine's own Math.random is seeded when the engine is made, which is in the snapshot: the
// same in every isolate.
JSValue mathRandom(JSContext* context, JSValueConst, int, JSValueConst*) {
  Guest& guest = Guest::of(context);
  if (!isAllowed(guest, Denied::Randomness)) return JS_EXCEPTION;
  // At the first number, since most calls want none.
  if (!guest.isSeeded) seedRandom(guest);
  return JS_NewFloat64(context, static_cast<double>(nextRandom(guest.random) >> 11) * 0x1p-53);
}

struct Function {
  const char* name;
  JSCFunction* call;
  int arguments;  // QuickJS fills in undefined for those that a caller leaves out.
};

constexpr Function kNative[] = {
    {"log", nativeLog, 2},
    {"clock", nativeClock, 1},
    {"randomFill", nativeRandomFill, 1},
    {"utf8Encode", nativeUtf8Encode, 1},
    {"utf8Decode", nativeUtf8Decode, 2},
    {"setTimer", nativeSetTimer, 3},
    {"clearTimer", nativeClearTimer, 1},
    {"unrefTimer", nativeUnrefTimer, 1},
    {"enqueueJob", nativeEnqueueJob, 1},
    {"onStart", nativeOnStart, 1},
    {"setDescribeErrorText", nativeSetDescribeErrorText, 1},
    {"promiseState", nativePromiseState, 1},
    {"detachArrayBuffer", nativeDetachArrayBuffer, 1},
    {"isNormalUrl", nativeIsNormalUrl, 1},
    {"cleanHeaderName", nativeCleanHeaderName, 1},
    {"cleanHeaderValue", nativeCleanHeaderValue, 1},
    {"wantBody", nativeWantBody, 0},
    {"setServer", nativeSetServer, 1},
};

void define(JSContext* context, JSValueConst object, const Function& function) {
  JS_DefinePropertyValueStr(
      context, object, function.name,
      JS_NewCFunction(context, function.call, function.name, function.arguments),
      JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
}

}  // namespace

void defineGlobals(Guest& guest) {
  JSContext* const context = guest.context;
  const Value global(context, JS_GetGlobalObject(context));
  define(context, global.get(), {"__host_sqlite_call", hostSqliteCall, 1});
  defineSqlite(guest);
  defineEntity(guest);
  defineDate(guest);
  const Value math(context, JS_GetPropertyStr(context, global.get(), "Math"));
  define(context, math.get(), {"random", mathRandom, 0});
  const JSValue native = JS_NewObject(context);
  for (const Function& function : kNative) define(context, native, function);
  JS_DefinePropertyValueStr(context, global.get(), "__native", native, JS_PROP_CONFIGURABLE);
}

bool pushSchema(Guest& guest) {
  JSContext* const context = guest.context;
  guest.pushFirst = false;
  const Value push(context, JS_GetPropertyStr(context, guest.internals.get(), "pushSchema"));
  const Value done(context, JS_Call(context, push.get(), JS_UNDEFINED, 0, nullptr));
  return !done.isException();
}

}  // namespace schemascript::guest

#include "module-scope.h"

#include "guest.h"
#include "host.h"

namespace schemascript::guest {
namespace {

const char* sentenceFor(Denied what) {
  switch (what) {
    case Denied::Clock:
      return "module scope has no clock: it is evaluated once, and every call starts from what it "
             "left; read the time inside of the exported function";
    case Denied::Randomness:
      return "module scope has no randomness: it is evaluated once, and every call starts from "
             "what it left; make random values inside of the exported function";
    case Denied::Timers:
      return "module scope has no timers: it is evaluated once, and every call starts from what "
             "it left; set them inside of the exported function";
  }
  return "";
}

// Called as a function and without arguments, Date reads the clock.
JSValue date(JSContext* context, JSValueConst newTarget, int count, JSValueConst* arguments) {
  Guest& guest = Guest::of(context);
  const bool asFunction = JS_IsUndefined(newTarget);
  if ((asFunction || count == 0) && !isAllowed(guest, Denied::Clock)) return JS_EXCEPTION;
  if (asFunction) return JS_Call(context, guest.date.get(), JS_UNDEFINED, 0, nullptr);
  return JS_CallConstructor2(context, guest.date.get(), newTarget, count, arguments);
}

JSValue dateNow(JSContext* context, JSValueConst, int, JSValueConst*) {
  if (!isAllowed(Guest::of(context), Denied::Clock)) return JS_EXCEPTION;
  return JS_NewInt64(context, static_cast<std::int64_t>(hostClock(Clock::Wall)));
}

}  // namespace

bool isAllowed(Guest& guest, Denied what) {
  if (guest.stage != Guest::Stage::Loading) return true;
  JSContext* const context = guest.context;
  Value error(context, JS_NewError(context));
  constexpr int kFlags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE;
  JS_DefinePropertyValueStr(context, error.get(), "message",
                            newString(context, sentenceFor(what)).take(), kFlags);
  JS_DefinePropertyValueStr(context, error.get(), "code", newString(context, "not-allowed").take(),
                            kFlags);
  JS_Throw(context, error.take());
  return false;
}

void defineDate(Guest& guest) {
  JSContext* const context = guest.context;
  constexpr int kFlags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE;
  const Value global(context, JS_GetGlobalObject(context));
  guest.date = Value(context, JS_GetPropertyStr(context, global.get(), "Date"));
  const Value prototype(context, JS_GetPropertyStr(context, guest.date.get(), "prototype"));
  Value constructor(context,
                    JS_NewCFunction2(context, date, "Date", 7, JS_CFUNC_constructor_or_func, 0));
  JS_DefinePropertyValueStr(context, constructor.get(), "now",
                            JS_NewCFunction(context, dateNow, "now", 0), kFlags);
  for (const char* const name : {"parse", "UTC"}) {
    JS_DefinePropertyValueStr(context, constructor.get(), name,
                              JS_GetPropertyStr(context, guest.date.get(), name), kFlags);
  }
  JS_SetConstructor(context, constructor.get(), prototype.get());
  JS_DefinePropertyValueStr(context, global.get(), "Date", constructor.take(), kFlags);
}

}  // namespace schemascript::guest

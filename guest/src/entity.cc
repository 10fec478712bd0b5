#include "entity.h"

#include "guest.h"

namespace schemascript::guest {
namespace {

enum class Answer { No, Yes, Odd, Failed };

// Whether one of the classes above the value names itself as `type` does. Odd: what Drizzle's own
// function has an error for, or an opinion on.
Answer isOfKind(JSContext* context, const Entity& entity, JSValueConst value, JSValueConst type) {
  const JSAtom kind = entity.kind;
  const int isNamed = JS_GetOwnProperty(context, nullptr, type, kind);
  if (isNamed < 0) return Answer::Failed;
  if (isNamed == 0) return Answer::Odd;
  const Value name(context, JS_GetProperty(context, type, kind));
  if (name.isException()) return Answer::Failed;
  if (!JS_IsString(name.get())) return Answer::Odd;
  const Value prototype(context, JS_GetPrototype(context, value));
  if (prototype.isException()) return Answer::Failed;
  if (!JS_IsObject(prototype.get())) return Answer::Odd;
  Value above(context, JS_GetProperty(context, prototype.get(), entity.constructor));
  while (JS_IsObject(above.get())) {
    const Value other(context, JS_GetProperty(context, above.get(), kind));
    if (other.isException()) return Answer::Failed;
    if (JS_StrictEq(context, other.get(), name.get())) return Answer::Yes;
    above = Value(context, JS_GetPrototype(context, above.get()));
  }
  if (above.isException()) return Answer::Failed;
  return JS_IsNull(above.get()) || JS_IsUndefined(above.get()) ? Answer::No : Answer::Odd;
}

// is(value, type). Drizzle asks `instanceof` first; either is enough, and the other one is quicker.
JSValue is(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const Entity& entity = Guest::of(context).entity;
  const JSValueConst value = arguments[0];
  const JSValueConst type = arguments[1];
  if (!JS_IsObject(value) || JS_IsFunction(context, value)) return JS_FALSE;
  if (JS_IsFunction(context, type)) {
    switch (isOfKind(context, entity, value, type)) {
      case Answer::Yes:
        return JS_TRUE;
      case Answer::No: {
        const int isInstance = JS_IsInstanceOf(context, value, type);
        return isInstance < 0 ? JS_EXCEPTION : JS_NewBool(context, isInstance);
      }
      case Answer::Failed:
        return JS_EXCEPTION;
      case Answer::Odd:
        break;
    }
  }
  return JS_Call(context, entity.plain.get(), JS_UNDEFINED, 2,
                 const_cast<JSValueConst*>(arguments));
}

// __native_entity(plain, entityKind): a function that answers what `plain` does.
JSValue makeIs(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Entity& entity = Guest::of(context).entity;
  if (!JS_IsFunction(context, arguments[0]) || !JS_IsSymbol(arguments[1])) {
    return JS_ThrowTypeError(context, "__native_entity takes Drizzle's is() and entityKind");
  }
  releaseEntity(Guest::of(context));
  entity.plain = Value::share(context, arguments[0]);
  entity.kind = JS_ValueToAtom(context, arguments[1]);
  entity.constructor = JS_NewAtom(context, "constructor");
  return JS_NewCFunction(context, is, "is", 2);
}

}  // namespace

void releaseEntity(Guest& guest) {
  Entity& entity = guest.entity;
  JS_FreeAtom(guest.context, entity.kind);
  JS_FreeAtom(guest.context, entity.constructor);
  entity = Entity();
}

void defineEntity(Guest& guest) {
  JSContext* const context = guest.context;
  const Value global(context, JS_GetGlobalObject(context));
  JS_DefinePropertyValueStr(context, global.get(), "__native_entity",
                            JS_NewCFunction(context, makeIs, "__native_entity", 2),
                            JS_PROP_CONFIGURABLE);
}

}  // namespace schemascript::guest

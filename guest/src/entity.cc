#include "entity.h"

#include <utility>

#include "guest.h"

namespace schemascript::guest {
namespace {

enum class Answer { No, Yes, Odd, Failed };

bool isSameObject(JSValueConst one, JSValueConst other) {
  return JS_VALUE_GET_PTR(one) == JS_VALUE_GET_PTR(other);
}

// The name that a class gives itself; undefined where it gives none that is plain text.
Value ownName(JSContext* context, JSAtom kind, JSValueConst type) {
  JSPropertyDescriptor own{};
  const int isNamed = JS_GetOwnProperty(context, &own, type, kind);
  if (isNamed < 0) return Value(context, JS_EXCEPTION);
  if (isNamed == 0) return Value();
  Value name(context, own.value);
  const Value getter(context, own.getter);
  const Value setter(context, own.setter);
  return JS_IsString(name.get()) ? std::move(name) : Value();
}

// Whether one of the classes above the prototype has the name. Odd: what Drizzle's own function has
// an error for, or an opinion on.
Answer isNamed(JSContext* context, const Entity& entity, JSValueConst prototype,
               JSValueConst name) {
  Value above(context, JS_GetProperty(context, prototype, entity.constructor));
  while (JS_IsObject(above.get())) {
    // Its own, or the next one above that has any.
    const Value other(context, JS_GetProperty(context, above.get(), entity.kind));
    if (other.isException()) return Answer::Failed;
    if (other.isUndefined()) return Answer::No;
    if (JS_StrictEq(context, other.get(), name)) return Answer::Yes;
    above = Value(context, JS_GetPrototype(context, above.get()));
  }
  if (above.isException()) return Answer::Failed;
  return JS_IsNull(above.get()) || above.isUndefined() ? Answer::No : Answer::Odd;
}

// value instanceof type, where `prototype` is the value's. The engine's way to it is a call.
Answer isInstance(JSContext* context, const Entity& entity, JSValueConst value, Value prototype,
                  JSValueConst type) {
  const Value test(context, JS_GetProperty(context, type, entity.hasInstance));
  if (test.isException()) return Answer::Failed;
  const Value wanted(context, JS_GetProperty(context, type, entity.prototype));
  if (wanted.isException()) return Answer::Failed;
  const bool isOrdinary = JS_IsObject(test.get()) && JS_IsObject(wanted.get()) &&
                          isSameObject(test.get(), entity.ordinaryTest.get());
  if (!isOrdinary) {
    const int is = JS_IsInstanceOf(context, value, type);
    return is < 0 ? Answer::Failed : is != 0 ? Answer::Yes : Answer::No;
  }
  while (JS_IsObject(prototype.get())) {
    if (isSameObject(prototype.get(), wanted.get())) return Answer::Yes;
    prototype = Value(context, JS_GetPrototype(context, prototype.get()));
  }
  return prototype.isException() ? Answer::Failed : Answer::No;
}

// Drizzle asks `instanceof` first; either is enough, and the other one is quicker.
Answer isEntity(JSContext* context, const Entity& entity, JSValueConst value, JSValueConst type) {
  if (!JS_IsFunction(context, type)) return Answer::Odd;
  const Value name = ownName(context, entity.kind, type);
  if (name.isException()) return Answer::Failed;
  if (name.isUndefined()) return Answer::Odd;
  Value prototype(context, JS_GetPrototype(context, value));
  if (prototype.isException()) return Answer::Failed;
  if (!JS_IsObject(prototype.get())) return Answer::Odd;
  const Answer answer = isNamed(context, entity, prototype.get(), name.get());
  if (answer != Answer::No) return answer;
  return isInstance(context, entity, value, std::move(prototype), type);
}

// is(value, type)
JSValue is(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  const Entity& entity = Guest::of(context).entity;
  const JSValueConst value = arguments[0];
  if (!JS_IsObject(value) || JS_IsFunction(context, value)) return JS_FALSE;
  switch (isEntity(context, entity, value, arguments[1])) {
    case Answer::Yes:
      return JS_TRUE;
    case Answer::No:
      return JS_FALSE;
    case Answer::Failed:
      return JS_EXCEPTION;
    case Answer::Odd:
      break;
  }
  return JS_Call(context, entity.plain.get(), JS_UNDEFINED, 2,
                 const_cast<JSValueConst*>(arguments));
}

// __native_entity(plain, entityKind, Symbol.hasInstance): a function that answers what `plain`
// does.
JSValue makeIs(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  Entity& entity = Guest::of(context).entity;
  if (!JS_IsFunction(context, arguments[0]) || !JS_IsSymbol(arguments[1]) ||
      !JS_IsSymbol(arguments[2])) {
    return JS_ThrowTypeError(
        context, "__native_entity takes Drizzle's is(), entityKind and Symbol.hasInstance");
  }
  releaseEntity(Guest::of(context));
  entity.plain = Value::share(context, arguments[0]);
  entity.kind = JS_ValueToAtom(context, arguments[1]);
  entity.constructor = JS_NewAtom(context, "constructor");
  entity.prototype = JS_NewAtom(context, "prototype");
  entity.hasInstance = JS_ValueToAtom(context, arguments[2]);
  // Functions have it from Function.prototype, where nobody can replace it.
  entity.ordinaryTest = Value(context, JS_GetProperty(context, arguments[0], entity.hasInstance));
  return JS_NewCFunction(context, is, "is", 2);
}

}  // namespace

void releaseEntity(Guest& guest) {
  Entity& entity = guest.entity;
  for (const JSAtom atom :
       {entity.kind, entity.constructor, entity.prototype, entity.hasInstance}) {
    JS_FreeAtom(guest.context, atom);
  }
  entity = Entity();
}

void defineEntity(Guest& guest) {
  JSContext* const context = guest.context;
  const Value global(context, JS_GetGlobalObject(context));
  JS_DefinePropertyValueStr(context, global.get(), "__native_entity",
                            JS_NewCFunction(context, makeIs, "__native_entity", 3),
                            JS_PROP_CONFIGURABLE);
}

}  // namespace schemascript::guest

// The guest's is() beside Drizzle's: the same answers, and the same errors.
#include <gtest/gtest.h>

#include "fake-host.h"

namespace schemascript::guest {
namespace {

// drizzle-orm's function, and one that says how often it was asked.
constexpr const char* kPlain = R"(
var kind = Symbol.for('drizzle:entityKind');
var asked = 0;
function plain(value, type) {
  asked++;
  if (!value || typeof value !== 'object') return false;
  if (value instanceof type) return true;
  if (!Object.prototype.hasOwnProperty.call(type, kind)) throw new Error('no entity: ' + type.name);
  let above = Object.getPrototypeOf(value).constructor;
  while (above) {
    if (kind in above && above[kind] === type[kind]) return true;
    above = Object.getPrototypeOf(above);
  }
  return false;
}
var is = __native_entity(plain, kind, Symbol.hasInstance);
class Column { static [kind] = 'Column'; }
class Text extends Column { static [kind] = 'Text'; }
class Unnamed extends Text {}
class Sql { static [kind] = 'SQL'; }
class OtherColumn { static [kind] = 'Column'; }
class OtherText extends OtherColumn { static [kind] = 'OtherText'; }
class Getter { static get [kind]() { return 'Column'; } }
var bound = Object.assign(Column.bind(null), { [kind]: 'bound' });
class Claims { static [kind] = 'Claims'; static [Symbol.hasInstance](value) { return value.claimed; } }
var types = [Column, Text, Unnamed, Sql, OtherColumn, OtherText, Claims, Getter, bound, Object, Array, {}, undefined];
var refused = new Proxy({}, { getPrototypeOf() { throw new Error('refused'); } });
var withConstructor = (it) => Object.create({ constructor: it });
var values = [undefined, null, 0, 1, '', 'a', true, 1n, kind, () => 1, Column, {}, [], new Date(0),
  Object.create(null), { claimed: true }, { constructor: Column }, refused,
  withConstructor(null), withConstructor(0), withConstructor(5), withConstructor({}), withConstructor(Text),
  ...types.slice(0, 6).map((type) => new type()), ...types.slice(0, 6).map((type) => new Proxy(new type(), {}))];
var outcome = (of, value, type) => { try { return String(of(value, type)); } catch (error) { return error.message; } };
)";

TEST(Entity, AnswersWhatDrizzleDoes) {
  NativeGuest native;
  native.run(kPlain);
  EXPECT_EQ(native.run(R"(
values.flatMap((value, at) => types.map((type) => [at, type && type.name, outcome(plain, value, type), outcome(is, value, type)]))
  .filter(([, , one, other]) => one !== other).join('\n')
)"),
            "");
}

TEST(Entity, AsksDrizzleOnlyWhereSomethingIsOdd) {
  NativeGuest native;
  native.run(kPlain);
  EXPECT_EQ(native.run("asked = 0; [is(new Text(), Column), is(new OtherText(), Column), "
                       "is(new Text(), Sql), is({}, Sql), is('a', Sql), asked].join()"),
            "true,true,false,false,false,0");
  EXPECT_EQ(native.run("outcome(is, {}, Unnamed) + asked"), "no entity: Unnamed1");
}

TEST(Entity, IsMadeOfAFunctionAndASymbol) {
  NativeGuest native;
  EXPECT_EQ(
      native.run("__native_entity(1, Symbol(), Symbol())"),
      "throws TypeError: __native_entity takes Drizzle's is(), entityKind and Symbol.hasInstance");
  EXPECT_EQ(
      native.run("__native_entity(() => 1, 'kind', Symbol())"),
      "throws TypeError: __native_entity takes Drizzle's is(), entityKind and Symbol.hasInstance");
}

}  // namespace
}  // namespace schemascript::guest

// The guest's `__host_sqlite` against a host that answers with prepared bytes.
#include "sqlite.h"

#include <gtest/gtest.h>

#include <limits>

#include "control.h"
#include "fake-host.h"

namespace schemascript::guest {
namespace {

using Limits64 = std::numeric_limits<std::int64_t>;

class SqliteTest : public testing::Test {
 protected:
  // Evaluates with the answers that the host will give.
  std::string run(std::string_view script, std::vector<std::string> answers = {}) {
    native_.host.answers = {answers.begin(), answers.end()};
    return native_.run(script);
  }
  // What the host was sent last, behind the 12 bytes of the head and the SQL `q`.
  std::string sentValues() {
    return native_.host.requests.empty() ? "" : native_.host.requests.back().substr(12 + 4 + 1);
  }
  static std::string values(const Bytes& bytes, std::uint32_t count) {
    return std::string(Bytes().u32(count)) + std::string(bytes);
  }

  NativeGuest native_;
};

// A script's beginning: statements, and how a value is shown.
const std::string kShow = R"(
var show = (value) => JSON.stringify(value, (key, item) =>
  typeof item === 'bigint' ? item + 'n'
  : item instanceof Uint8Array ? 'bytes ' + [...item]
  : item === Infinity ? 'Infinity' : Object.is(item, -0) ? '-0' : item);
var plain = __host_sqlite.statement('q');
)";

std::string nothing() { return Bytes().rows(0, 0); }

TEST_F(SqliteTest, TheGlobalCanBeReplacedAndIsNotListed) {
  EXPECT_EQ(run("var d = Object.getOwnPropertyDescriptor(globalThis, '__host_sqlite');"
                "[d.writable, d.configurable, d.enumerable].join()"),
            "true,true,false");
  EXPECT_EQ(run("Object.getOwnPropertyNames(__host_sqlite).sort().join()"),
            "all,batch,begin,close,commit,fetch,get,iterate,rollback,run,setErrorFactory,statement,"
            "values");
}

TEST_F(SqliteTest, WritesARequestToTheByte) {
  run(kShow + "__host_sqlite.all(__host_sqlite.statement('select ?'), ['ä', 7], 258)", {nothing()});
  const std::string expected =
      Bytes().u8(1).u8(1).u8(0).u8(0).u32(258).u32(0).sized("select ?").u32(2).text("ä").integer(7);
  EXPECT_EQ(native_.host.requests.at(0), expected);
}

TEST_F(SqliteTest, WritesEveryKindOfParameter) {
  run(kShow +
          "__host_sqlite.run(plain, ['', 'a\\0b', 1, -1, 2147483648, 9007199254740991, "
          "9007199254740992, -0, 1.5, Infinity, true, false, 5n, -9223372036854775808n, "
          "9223372036854775807n, null, new Uint8Array([0, 255]), new Uint8Array(0)])",
      {nothing()});
  Bytes expected;
  expected.text("").text({"a\0b", 3}).integer(1).integer(-1).integer(2147483648);
  expected.integer(9007199254740991).real(9007199254740992.0).real(-0.0).real(1.5);
  expected.real(std::numeric_limits<double>::infinity()).integer(1).integer(0).integer(5);
  expected.integer(Limits64::min()).integer(Limits64::max()).null();
  expected.blob({"\0\xFF", 2}).blob("");
  EXPECT_EQ(sentValues(), values(expected, 18));
}

TEST_F(SqliteTest, WritesAViewIntoAnArrayBuffer) {
  run(kShow + "__host_sqlite.run(plain, [new Uint8Array([1,2,3,4,5]).subarray(1, 3)], 0)",
      {nothing()});
  EXPECT_EQ(sentValues(), values(Bytes().blob("\x02\x03"), 1));
}

TEST_F(SqliteTest, WritesMoreThanItsMemoryHolds) {
  run(kShow + "__host_sqlite.run(plain, ['x'.repeat(100000), 'y'.repeat(20), 1], 0)", {nothing()});
  EXPECT_EQ(
      sentValues(),
      values(Bytes().text(std::string(100000, 'x')).text(std::string(20, 'y')).integer(1), 3));
  EXPECT_FALSE(native_.guest.sqlite.request.isLent);
}

TEST_F(SqliteTest, ARopeIsWrittenAsItsText) {
  run(kShow +
          "var s = ''; for (let i = 0; i < 3000; i++) s += 'abcdefghij';"
          "__host_sqlite.run(plain, [s], 0)",
      {nothing()});
  EXPECT_EQ(sentValues().size(), 4u + 5u + 30000u);
}

TEST_F(SqliteTest, RefusesWhatSqliteHasNoValueFor) {
  const auto refused = [this](const std::string& params) {
    return run(kShow + "__host_sqlite.run(plain, " + params + ", 0)", {nothing()});
  };
  EXPECT_EQ(refused("[1, undefined]"),
            "throws Error: parameter 2 is undefined: SQLite has no value for it");
  EXPECT_EQ(refused("[{}]"),
            "throws Error: parameter 1 is of type object: SQLite has no value for it");
  EXPECT_EQ(refused("[[]]"),
            "throws Error: parameter 1 is of type object: SQLite has no value for it");
  EXPECT_EQ(refused("[() => 1]"),
            "throws Error: parameter 1 is of type function: SQLite has no value for it");
  EXPECT_EQ(refused("[Symbol()]"),
            "throws Error: parameter 1 is of type symbol: SQLite has no value for it");
  EXPECT_EQ(refused("[new Date(0)]"),
            "throws Error: parameter 1 is a Date (bind its getTime()): SQLite has no value for it");
  EXPECT_EQ(refused("[new Uint16Array(1)]"),
            "throws Error: parameter 1 is of type object: SQLite has no value for it");
  EXPECT_EQ(refused("[0, 9223372036854775808n]"),
            "throws Error: parameter 2 is outside of the range of a 64-bit INTEGER");
  EXPECT_EQ(refused("[-(2n ** 64n) - 1n]"),
            "throws Error: parameter 1 is outside of the range of a 64-bit INTEGER");
  EXPECT_TRUE(native_.host.requests.empty());
}

TEST_F(SqliteTest, TheErrorFactoryMakesWhatIsThrown) {
  const std::string factory =
      kShow +
      "__host_sqlite.setErrorFactory((e) => Object.assign(new TypeError(e.message), {e}));"
      "var caught = (f) => { try { f(); return 'nothing'; } catch (x) { return x.name + ' ' + "
      "JSON.stringify(x.e); } };";
  EXPECT_EQ(
      run(factory + "caught(() => __host_sqlite.run(plain, [undefined], 0))"),
      R"(TypeError {"code":"invalid-request","message":"parameter 1 is undefined: SQLite has no value for it"})");
  EXPECT_EQ(run(factory + "caught(() => __host_sqlite.run(plain, [], 0))",
                {R"({"error":{"code":"conflict","message":"taken","columns":["a"]}})"}),
            R"(TypeError {"code":"conflict","message":"taken","columns":["a"]})");
  EXPECT_EQ(
      run(factory + "caught(() => __host_sqlite.batch([[plain, 0, []], [plain, 0, [{}]]], 0))"),
      R"(TypeError {"code":"invalid-request","message":"parameter 1 is of type object: SQLite has no value for it","step":2})");
}

TEST_F(SqliteTest, WithoutFactoryAnErrorHasItsMessage) {
  EXPECT_EQ(run(kShow + "__host_sqlite.run(plain, [], 0)",
                {R"({"error":{"code":"conflict","message":"taken"}})"}),
            "throws Error: taken");
  EXPECT_EQ(run("__host_sqlite.begin()", {R"({"error":{"code":"conflict","message":"taken"}})"}),
            "throws Error: taken");
}

TEST_F(SqliteTest, ReadsEveryKindOfValueAsItIs) {
  Bytes answer = Bytes().rows(11, 1);
  answer.null().integer(-5).integer(9007199254740991).integer(9007199254740992);
  answer.integer(Limits64::min()).real(0.5).real(-0.0).text("ä\xF0\x9F\x98\x80");
  answer.text({"a\0b", 3}).blob({"\0\x01", 2}).malformed("\xFF");
  EXPECT_EQ(run(kShow + "show(__host_sqlite.values(plain, [], 0))", {answer}),
            "[[null,-5,9007199254740991,\"9007199254740992n\",\"-9223372036854775808n\",0.5,\"-0\","
            "\"ä\xF0\x9F\x98\x80\",\"a\\u0000b\",\"bytes 0,1\",\"bytes 255\"]]");
}

TEST_F(SqliteTest, EachMethodAnswersItsOwnShape) {
  const std::string two = Bytes().rows(1, 2, 0, 3, 1LL << 60).integer(1).integer(2);
  EXPECT_EQ(run(kShow + "show(__host_sqlite.run(plain, [], 0))", {two}),
            R"({"rows":[[1],[2]],"changes":3,"lastInsertRowid":"1152921504606846976n"})");
  EXPECT_EQ(run(kShow + "show(__host_sqlite.all(plain, [], 0))", {two}), "[[1],[2]]");
  EXPECT_EQ(run(kShow + "show(__host_sqlite.get(plain, [], 0))", {Bytes().rows(1, 1).integer(4)}),
            "[4]");
  EXPECT_EQ(run(kShow + "typeof __host_sqlite.get(plain, [], 0)", {Bytes().rows(1, 0)}),
            "undefined");
  const std::string page = Bytes().rows(1, 1, 9).integer(1);
  EXPECT_EQ(run(kShow + "show(__host_sqlite.iterate(plain, [], 0))", {page}),
            R"({"rows":[[1]],"cursor":9})");
  EXPECT_EQ(run(kShow + "show(__host_sqlite.fetch(plain, 9))", {Bytes().rows(1, 0)}),
            R"({"rows":[],"cursor":0})");
  const std::string fetch = Bytes().u8(1).u8(10).u8(0).u8(0).u32(0).u32(9);
  EXPECT_EQ(native_.host.requests.back(), fetch);
  EXPECT_EQ(run("typeof __host_sqlite.close(9)", {Bytes().answer(0)}), "undefined");
}

TEST_F(SqliteTest, Transactions) {
  EXPECT_EQ(run("__host_sqlite.begin('deferred', 3)", {Bytes().answer(1).u32(4000000000)}),
            "4000000000");
  const std::string begin = Bytes().u8(1).u8(4).u8(1).u8(0).u32(3).u32(0);
  EXPECT_EQ(native_.host.requests.back(), begin);
  run("__host_sqlite.commit(7)", {Bytes().answer(0)});
  const std::string commit = Bytes().u8(1).u8(5).u8(0).u8(0).u32(7).u32(0);
  EXPECT_EQ(native_.host.requests.back(), commit);
  EXPECT_EQ(run("__host_sqlite.begin('now')"),
            "throws Error: there is no behavior \"now\"; there are deferred, immediate and "
            "exclusive");
  for (const char* handle : {"4294967296", "-1", "1.5", "NaN", "'1'", "null", "{}"}) {
    EXPECT_EQ(run(kShow + "__host_sqlite.all(plain, [], " + handle + ")", {nothing()}),
              "throws Error: the transaction must be a number that begin has answered")
        << handle;
  }
}

TEST_F(SqliteTest, ABatchAnswersEachAsItsMethod) {
  const std::string answer =
      Bytes().answer(3).u32(4).result(1, 1).integer(1).result(1, 0).result(1, 1).text("x").result(
          0, 0, 0, 2, 5);
  EXPECT_EQ(
      run(kShow + "var s = __host_sqlite.statement('q', {columns: [{path: ['a', 'b'], kind: 0}]});"
                  "show(__host_sqlite.batch([[s, 1, []], [s, 3, [1]], [s, 2, []], [s, 0, []]], 6))",
          {answer}),
      R"([[{"a":{"b":1}}],null,[["x"]],{"rows":[],"changes":2,"lastInsertRowid":5}])");
  const std::string sent = Bytes()
                               .u8(1)
                               .u8(8)
                               .u8(0)
                               .u8(0)
                               .u32(6)
                               .u32(0)
                               .u32(4)
                               .u32(1)
                               .sized("q")
                               .u32(0)
                               .u32(3)
                               .sized("q")
                               .u32(1)
                               .integer(1)
                               .u32(2)
                               .sized("q")
                               .u32(0)
                               .u32(0)
                               .sized("q")
                               .u32(0);
  EXPECT_EQ(native_.host.requests.back(), sent);
  EXPECT_EQ(run(kShow + "__host_sqlite.batch([[plain, 4, []]], 0)"),
            "throws Error: the steps of a batch are run, all, values and get");
  EXPECT_EQ(run(kShow + "__host_sqlite.batch([[plain, 0, []]], 0)", {Bytes().answer(3).u32(2)}),
            "throws InternalError: the host's answer is not well-formed");
}

// Statement `s` of one column for each pair of kind and more, in objects `r.c0`...
std::string shaped(const std::vector<std::string>& columns) {
  std::string script = kShow +
                       "var decoder = {mapFromDriverValue: (v) => 'decoded ' + typeof v + ' ' + v};"
                       "var s = __host_sqlite.statement('q', {columns: [";
  for (std::size_t at = 0; at < columns.size(); ++at) {
    script += "{path: ['c" + std::to_string(at) + "'], " + columns[at] + "},";
  }
  return script + "]});";
}

TEST_F(SqliteTest, EachKindDecodesWhatItExpects) {
  Bytes answer = Bytes().rows(12, 1);
  answer.integer(1).real(2.5).integer(3).integer(1).integer(86400000).integer(86400);
  answer.text("{\"a\":[1]}").text("t").blob("b").integer(20).text("x").integer(1LL << 60);
  std::string script =
      shaped({"kind: 0", "kind: 1", "kind: 2", "kind: 3", "kind: 4", "kind: 5", "kind: 6",
              "kind: 7", "kind: 8", "kind: 9, names: ['low', 'high'], numbers: [10, 20]",
              "kind: 10, decoder", "kind: 11"});
  EXPECT_EQ(run(script + "show(__host_sqlite.all(s, [], 0))", {answer}),
            R"([{"c0":1,"c1":2.5,"c2":"3n","c3":true,"c4":"1970-01-02T00:00:00.000Z",)"
            R"("c5":"1970-01-02T00:00:00.000Z","c6":{"a":[1]},"c7":"t","c8":"bytes 98",)"
            R"("c9":"high","c10":"decoded string x","c11":1152921504606847000}])");
}

TEST_F(SqliteTest, NullIsNullWithoutACall) {
  Bytes answer = Bytes().rows(12, 1);
  std::vector<std::string> columns;
  for (int kind = 0; kind < 12; ++kind) {
    answer.null();
    columns.push_back("kind: " + std::to_string(kind) +
                      ", names: [], numbers: [], decoder: {mapFromDriverValue() { throw 1; }}");
  }
  EXPECT_EQ(run(shaped(columns) + "Object.values(__host_sqlite.get(s, [], 0)).every((v) => v === "
                                  "null)",
                {answer}),
            "true");
}

TEST_F(SqliteTest, WhatAKindDoesNotExpectGoesToItsDecoder) {
  Bytes answer = Bytes().rows(10, 1);
  answer.integer(1LL << 53).text("2").real(3).integer(2).integer(8640000000000001).text("5");
  answer.text("{").integer(7).text("8").integer(30);
  std::string script =
      shaped({"kind: 1, decoder", "kind: 1, decoder", "kind: 2, decoder", "kind: 3, decoder",
              "kind: 4, decoder", "kind: 5, decoder", "kind: 6, decoder", "kind: 7, decoder",
              "kind: 8, decoder", "kind: 9, names: ['a'], numbers: [10], decoder"});
  EXPECT_EQ(run(script + "Object.values(__host_sqlite.get(s, [], 0)).join()", {answer}),
            "decoded bigint 9007199254740992,decoded string 2,decoded number 3,decoded number 2,"
            "decoded number 8640000000000001,decoded string 5,decoded string {,decoded number 7,"
            "decoded string 8,decoded number 30");
}

TEST_F(SqliteTest, WithoutDecoderTheUnexpectedIsAsItIs) {
  Bytes answer = Bytes().rows(3, 1).text("x").text("{").integer(4);
  EXPECT_EQ(run(shaped({"kind: 1", "kind: 6", "kind: 10"}) +
                    "Object.values(__host_sqlite.get(s, [], 0)).join()",
                {answer}),
            "x,{,4");
}

TEST_F(SqliteTest, ObjectsInsideOfEachOther) {
  const std::string script =
      kShow +
      "var s = __host_sqlite.statement('q', {columns: ["
      "{path: ['users', 'id'], kind: 1}, {path: ['posts', 'id'], kind: 1}, "
      "{path: ['users', 'address', 'city'], kind: 7}, {path: ['n'], kind: 0}],"
      "nullable: [{node: 'posts', column: 1}, {node: 'users', column: 0}]});"
      "show(__host_sqlite.all(s, [], 0))";
  Bytes answer = Bytes().rows(4, 2);
  answer.integer(1).null().text("Rome").integer(5).integer(2).integer(3).null().null();
  EXPECT_EQ(run(script, {answer}),
            R"([{"users":{"id":1,"address":{"city":"Rome"}},"posts":null,"n":5},)"
            R"({"users":{"id":2,"address":{"city":null}},"posts":{"id":3},"n":null}])");
}

TEST_F(SqliteTest, AStatementTakesTheShapeOfAnother) {
  const std::string answer = Bytes().rows(1, 1).integer(7);
  const std::string script = kShow +
                             "var shape = {columns: [{path: ['a'], kind: 0}]};"
                             "var like = __host_sqlite.statement('r', shape);"
                             "var second = __host_sqlite.statement('s', like);"
                             "var third = __host_sqlite.statement('t', second);"
                             "like = second = undefined;";
  EXPECT_EQ(run(script + "show(__host_sqlite.get(third, []))", {answer}), R"({"a":7})");
  EXPECT_EQ(run("show(__host_sqlite.get(__host_sqlite.statement('u', plain), []))", {answer}),
            "[7]");
}

TEST_F(SqliteTest, ADeepOrWideShapeTakesItsFrameFromTheHeap) {
  std::string script = kShow +
                       "var path = [], columns = [];"
                       "for (let i = 0; i < 40; i++) { path.push('d' + i);"
                       "columns.push({path: [...path, 'v'], kind: 1}); }"
                       "var s = __host_sqlite.statement('q', {columns, nullable: "
                       "[{node: 'd0', column: 39}]});"
                       "show(__host_sqlite.all(s, [], 0)).length + ' ' +"
                       "show(__host_sqlite.all(s, [], 0))";
  Bytes full = Bytes().rows(40, 1);
  Bytes holed = Bytes().rows(40, 1);
  for (int at = 0; at < 40; ++at) full.integer(at);
  for (int at = 0; at < 39; ++at) holed.integer(at);
  holed.null();
  const std::string shown = run(script, {full, holed});
  EXPECT_TRUE(shown.ends_with(R"( [{"d0":null}])")) << shown;
}

TEST_F(SqliteTest, RefusesShapesThatCannotBe) {
  const auto refused = [this](const std::string& shape) {
    return run("__host_sqlite.statement('q', " + shape + ")");
  };
  EXPECT_EQ(refused("{columns: [{path: ['a'], kind: 0}, {path: ['a', 'b'], kind: 0}]}"),
            "throws TypeError: a column's path is the beginning of another one's");
  EXPECT_EQ(refused("{columns: [{path: ['a', 'b'], kind: 0}, {path: ['a'], kind: 0}]}"),
            "throws TypeError: a column's path is the beginning of another one's");
  EXPECT_EQ(refused("{columns: [{path: [], kind: 0}]}"),
            "throws TypeError: a column's path is empty");
  EXPECT_EQ(refused("{columns: [{path: ['a'], kind: 12}]}"),
            "throws RangeError: there is no kind 12 of columns");
  EXPECT_EQ(refused("{}"), "throws TypeError: the shape of a row needs an array of columns");
  EXPECT_EQ(refused("{columns: [{path: ['a'], kind: 9, names: ['x'], numbers: []}]}"),
            "throws TypeError: a column has 1 names and 0 numbers");
  EXPECT_EQ(refused("{columns: [{path: ['a'], kind: 9, names: [{}], numbers: [1]}]}"),
            "throws TypeError: a column's names must be strings");
  EXPECT_EQ(refused("{columns: [{path: ['a', 'b'], kind: 0}], nullable: [{node: 'b', column: 0}]}"),
            "throws TypeError: what is nullable must be an object of the row, by a column of it");
  EXPECT_EQ(refused("{columns: [{path: ['a', 'b'], kind: 0}], nullable: [{node: 'a', column: 1}]}"),
            "throws TypeError: what is nullable must be an object of the row, by a column of it");
  EXPECT_EQ(refused("null").substr(0, 16), "throws TypeError");
  EXPECT_EQ(run(shaped({"kind: 0"}) + "JSON.stringify(__host_sqlite.all(s, [], 0))",
                {Bytes().rows(2, 1).integer(1).integer(2)}),
            R"([{"c0":1}])");
  EXPECT_EQ(run(shaped({"kind: 0", "kind: 0", "kind: 1, decoder"}) +
                    "JSON.stringify(__host_sqlite.get(s, [], 0))",
                {Bytes().rows(1, 1).integer(1)}),
            R"({"c0":1,"c2":"decoded undefined undefined"})");
  // A cursor whose first rows cannot be decoded is closed: nobody else knows it.
  EXPECT_EQ(run("var s = __host_sqlite.statement('q', {columns: [{path: ['a'], kind: 10,"
                " decoder: {mapFromDriverValue() { throw new RangeError('no'); }}}]});"
                "__host_sqlite.iterate(s, [], 0)",
                {Bytes().rows(1, 2, 7).integer(1).integer(2), Bytes().answer(0)}),
            "throws RangeError: no");
  EXPECT_EQ(native_.host.requests.back()[1], 11) << "close";
  EXPECT_EQ(native_.host.requests.back()[8], 7);
  EXPECT_EQ(run("__host_sqlite.all({}, [], 0)").substr(0, 16), "throws TypeError");
}

TEST_F(SqliteTest, ProgramsCannotReachIntoDecoding) {
  const std::string hostile =
      "for (const name of ['c0', 'rows', '0', 'cursor', 'changes', 'error', 'message', 'c1']) {"
      "  for (const p of [Object.prototype, Array.prototype]) Object.defineProperty(p, name,"
      "    {get() { throw 'got ' + name; }, set() { throw 'set ' + name; }, configurable: true});"
      "}"
      "globalThis.Date = globalThis.Uint8Array = globalThis.ArrayBuffer = globalThis.BigInt ="
      "  function () { throw 'constructed'; };"
      "JSON.parse = () => { throw 'parsed'; };";
  Bytes row;
  row.integer(0).text("{\"c0\":[1]}");
  const std::string script = shaped({"kind: 4", "kind: 6"}) + hostile;
  EXPECT_EQ(run(script + "var r = __host_sqlite.all(s, [], 0);"
                         "var own = (o, k) => Object.getOwnPropertyDescriptor(o, k).value;"
                         "own(r, 0).c1.c0[0] + ' ' + own(own(r, 0), 'c0').getTime()",
                {Bytes().rows(2, 1).raw(std::string(row).data(), std::string(row).size())}),
            "1 0");
  EXPECT_EQ(
      run("__host_sqlite.values(plain, [], 0)[0][0].length", {Bytes().rows(1, 1).blob("abc")}),
      "3");
  EXPECT_EQ(run("__host_sqlite.run(plain, [], 0).rows[0][0]", {Bytes().rows(1, 1).integer(3)}),
            "3");
  EXPECT_EQ(run("__host_sqlite.iterate(plain, [], 0).cursor", {Bytes().rows(1, 0, 3)}), "3");
  EXPECT_EQ(run("__host_sqlite.all(plain, [], 0)", {"{}"}),
            "throws InternalError: the host's answer is not well-formed");
}

TEST_F(SqliteTest, ADecoderMayQueryWhileRowsAreRead) {
  // More rows than pass through the memory at once, so that the host still has some of them.
  Bytes outer = Bytes().rows(2, 3000);
  for (int at = 0; at < 3000; ++at) outer.integer(at).text("row " + std::to_string(at));
  const std::string script =
      kShow +
      "var decoder = {mapFromDriverValue: (v) => v === 0 || v === 2500"
      "  ? __host_sqlite.get(plain, [v], 0)[0] : v};"
      "var s = __host_sqlite.statement('q', {columns: [{path: ['id'], kind: 10, decoder}, "
      "{path: ['name'], kind: 7}]});"
      "var rows = __host_sqlite.all(s, [], 0);"
      "rows.length + ' ' + rows.every((r, i) => r.name === 'row ' + i && "
      "  r.id === (i === 0 ? 'zero' : i === 2500 ? 'more' : i))";
  EXPECT_EQ(run(script, {outer, Bytes().rows(1, 1).text("zero"), Bytes().rows(1, 1).text("more")}),
            "3000 true");
}

TEST_F(SqliteTest, ADecoderMayUseTheStatementThatItDecodes) {
  const std::string script =
      kShow +
      "var depth = 0;"
      "var decoder = {mapFromDriverValue: (v) => "
      "  v === 'deeper' ? __host_sqlite.get(s, ['x'.repeat(30000)], 0) : v};"
      "var s = __host_sqlite.statement('q', {columns: [{path: ['o', 'a'], kind: 10, decoder}, "
      "{path: ['o', 'b'], kind: 1}], nullable: [{node: 'o', column: 1}]});"
      "show(__host_sqlite.get(s, [], 0))";
  EXPECT_EQ(run(script, {Bytes().rows(2, 1).text("deeper").integer(1),
                         Bytes().rows(2, 1).text("deeper").integer(2),
                         Bytes().rows(2, 1).text("end").null()}),
            R"({"o":{"a":{"o":{"a":{"o":null},"b":2}},"b":1}})");
}

TEST_F(SqliteTest, AGetterAmongTheParametersMayQuery) {
  const std::string script =
      kShow +
      "var params = ['before', null, 'behind'];"
      "Object.defineProperty(params, 1, {get: () => __host_sqlite.get(plain, ['inner'], 0)[0]});"
      "show(__host_sqlite.all(plain, params, 0))";
  EXPECT_EQ(run(script, {Bytes().rows(1, 1).text("got"), Bytes().rows(1, 1).integer(5)}), "[[5]]");
  EXPECT_EQ(sentValues(), values(Bytes().text("before").text("got").text("behind"), 3));
}

TEST_F(SqliteTest, StepsMayChangeUnderTheDecoders) {
  const std::string script =
      kShow +
      "var steps = [];"
      "var decoder = {mapFromDriverValue(v) { steps.length = 0; return v; }};"
      "var make = () => __host_sqlite.statement('q', {columns: [{path: ['a'], kind: 10, "
      "decoder}]});"
      "steps.push([make(), 1, []], [make(), 1, []]);"
      "show(__host_sqlite.batch(steps, 0))";
  EXPECT_EQ(run(script, {Bytes().answer(3).u32(2).result(1, 1).integer(1).result(1, 1).integer(2)}),
            R"([[{"a":1}],[{"a":2}]])");
}

TEST_F(SqliteTest, ADecoderThatThrowsLeavesNothingBehind) {
  Bytes answer = Bytes().rows(2, 2000);
  for (int at = 0; at < 2000; ++at) answer.integer(at).text("a text of some length");
  const std::string script =
      kShow +
      "var decoder = {mapFromDriverValue(v) { if (v === 1500) throw new RangeError('no'); }};"
      "var s = __host_sqlite.statement('q', {columns: [{path: ['a', 'b'], kind: 10, decoder}, "
      "{path: ['a', 'c'], kind: 7}]});__host_sqlite.all(s, [], 0)";
  EXPECT_EQ(run(script, {answer}), "throws RangeError: no");
  EXPECT_EQ(run("__host_sqlite.get(plain, [], 0)[0]", {Bytes().rows(1, 1).integer(4)}), "4");
}

TEST_F(SqliteTest, LargeTextsAndBlobsComeWhole) {
  native_.host.pieceMax = 1000;
  std::string text;
  for (int at = 0; at < 20000; ++at) text += "é" + std::to_string(at);
  Bytes answer = Bytes().rows(3, 2);
  for (int row = 0; row < 2; ++row) {
    answer.text(text).blob(text).text("[\"" + std::string(50000, 'j') + "\"]");
  }
  EXPECT_EQ(run(shaped({"kind: 7", "kind: 8", "kind: 6"}) +
                    "var rows = __host_sqlite.all(s, [], 0);"
                    "var t = ''; for (let i = 0; i < 20000; i++) t += 'é' + i;"
                    "rows.map((r) => [r.c0 === t, r.c1.length, r.c2[0].length].join(' ')).join()",
                {answer}),
            "true " + std::to_string(text.size()) + " 50000,true " + std::to_string(text.size()) +
                " 50000");
}

TEST_F(SqliteTest, EveryTruncationIsAnException) {
  Bytes whole = Bytes().rows(5, 1, 0, 1, 2);
  whole.null().integer(1).real(1).text("text").blob("blob");
  const std::string answer = whole;
  for (std::size_t size = 1; size < answer.size(); ++size) {
    EXPECT_EQ(run(kShow + "__host_sqlite.all(plain, [], 0)", {answer.substr(0, size)}),
              "throws InternalError: the host's answer is not well-formed")
        << size;
    // The host says more than it then gives.
    native_.host.claimedSize = static_cast<std::uint32_t>(answer.size());
    EXPECT_EQ(run(kShow + "__host_sqlite.all(plain, [], 0)", {answer.substr(0, size)}),
              "throws InternalError: the host's answer is not well-formed")
        << size;
    native_.host.claimedSize = 0;
  }
  EXPECT_EQ(run(kShow + "__host_sqlite.all(plain, [], 0)", {answer + "x"}),
            "throws InternalError: the host's answer is not well-formed");
}

TEST_F(SqliteTest, CountsAndLengthsAreNotBelieved) {
  const auto malformed = [this](const std::string& answer) {
    EXPECT_EQ(run(kShow + "__host_sqlite.all(plain, [], 0)", {answer}),
              "throws InternalError: the host's answer is not well-formed");
  };
  malformed(Bytes().rows(1, 0xFFFFFFFF).null());
  malformed(Bytes().rows(0xFFFFFFFF, 0xFFFFFFFF).null());
  malformed(Bytes().rows(0x80000000, 2).null());
  malformed(Bytes().rows(0, 5));
  malformed(Bytes().rows(1, 1).u8(3).u32(0xFFFFFFFF));
  malformed(Bytes().rows(1, 1).u8(4).u32(1));
  malformed(Bytes().rows(1, 1).u8(6));
  malformed(Bytes().answer(0));
  malformed(Bytes().u8(2).u8(2).u8(0).u8(0).result(0, 0));
  malformed(Bytes().u8(1).u8(2).u8(1).u8(0).result(0, 0));
  EXPECT_EQ(run(kShow + "__host_sqlite.get(plain, [], 0)", {Bytes().rows(1, 2).null().null()}),
            "throws InternalError: the host's answer is not well-formed");
}

TEST_F(SqliteTest, TheDeadlineCannotBeCaught) {
  EXPECT_EQ(run(kShow + "try { __host_sqlite.all(plain, [], 0) } catch { 'caught' }"),
            "throws InternalError: interrupted");
  Bytes answer = Bytes().rows(1, 2).null().null();
  native_.host.onQuery = [this] { control.stopRequested = 1; };
  EXPECT_EQ(run("try { __host_sqlite.all(plain, [], 0) } catch { 'caught' }", {answer}),
            "throws InternalError: interrupted");
}

TEST_F(SqliteTest, MemoryThatRunsOutIsAnExceptionAtEveryPoint) {
  Bytes answer = Bytes().rows(4, 40);
  for (int at = 0; at < 40; ++at) {
    answer.integer(1LL << 62).text("some text").blob("a blob").integer(5);
  }
  const std::string setup = shaped({"kind: 2", "kind: 7", "kind: 8", "kind: 4"}) +
                            "var params = ['y'.repeat(17000)], none = 0;";
  ASSERT_EQ(run(setup), "undefined");
  int failures = 0;
  for (std::size_t more = 0; more < 100'000; more += 64) {
    native_.host.answers = {answer};
    const std::string outcome = native_.call("all", {"s", "params", "none"}, more);
    if (outcome == "done") break;
    ASSERT_EQ(outcome.substr(0, 6), "throws") << more;
    ASSERT_FALSE(native_.guest.sqlite.request.isLent);
    ++failures;
  }
  EXPECT_GT(failures, 100);
  native_.host.answers = {answer};
  EXPECT_EQ(native_.call("all", {"s", "params", "none"}, 1 << 20), "done");
}

TEST_F(SqliteTest, StatementsAndTheirDecodersAreCollectedInCycles) {
  // The destructor of the engine fails where one is left.
  EXPECT_EQ(run("for (let i = 0; i < 100; i++) {"
                "  const decoder = {mapFromDriverValue() {}};"
                "  decoder.statement = __host_sqlite.statement('q' + i,"
                "    {columns: [{path: ['a'], kind: 10, decoder}]});"
                "}"
                "'done'"),
            "done");
  JS_RunGC(native_.guest.runtime);
  JSMemoryUsage before;
  JS_ComputeMemoryUsage(native_.guest.runtime, &before);
  EXPECT_LT(before.obj_count, 2000);
}

}  // namespace
}  // namespace schemascript::guest

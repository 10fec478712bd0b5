#include "bridge/codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/testing.h"

namespace schemascript {
namespace {

std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Exactly as large as the text, so that ASan sees a byte read beyond it.
Query decoded(std::string_view request, const Limits& limits = {}) {
  const std::vector<char> exact(request.begin(), request.end());
  Query query;
  decodeQuery(bytesOf({exact.data(), exact.size()}), limits, query);
  return query;
}

// One parameter, written for comparison: its kind, then its value.
std::string paramOf(std::string_view json) {
  const std::string request = str(R"({"method":"all","sql":"","params":[)", json, "]}");
  Query query;
  decodeQuery(bytesOf(request), {}, query);
  EXPECT_EQ(query.params.size(), 1u);
  const ValueView& value = query.params.front();
  switch (value.kind) {
    case ValueKind::Null:
      return "null";
    case ValueKind::Integer:
      return str("integer ", value.integer);
    case ValueKind::Real:
      return str("real ", value.real);
    case ValueKind::Text:
      return str("text ", value.bytes);
    case ValueKind::Blob:
      return str("blob ", value.bytes);
  }
  return "";
}

void expectRefused(std::string_view request, std::string_view message) {
  SCOPED_TRACE(request);
  expectError(ErrorCode::InvalidRequest, message, [request] { decoded(request); });
}

void expectParamRefused(std::string_view json, std::string_view message) {
  expectRefused(str(R"({"method":"all","sql":"","params":[1,)", json, "]}"), message);
}

TEST(DecodeQuery, ReadsAWholeRequest) {
  const std::string request =
      " {\"sql\" : \"select \\\"id\\\" from t\",\n\"params\":[ 7 , \"x\" ],\"method\":\"all\","
      "\"transaction\":12}\r\n\t";
  Query query;
  decodeQuery(bytesOf(std::string_view(request).substr(1)), {}, query);
  EXPECT_EQ(query.method, Method::All);
  EXPECT_EQ(query.steps.at(0).sql, "select \"id\" from t");
  EXPECT_EQ(query.params.size(), 2u);
  EXPECT_EQ(query.transaction, TransactionHandle{12});
}

TEST(DecodeQuery, KnowsEveryMethodAndBehavior) {
  EXPECT_EQ(decoded(R"({"method":"run","sql":"a"})").method, Method::Run);
  EXPECT_EQ(decoded(R"({"method":"all","sql":"a"})").method, Method::All);
  EXPECT_EQ(decoded(R"({"method":"values","sql":"a"})").method, Method::Values);
  EXPECT_EQ(decoded(R"({"method":"get","sql":"a"})").method, Method::Get);
  EXPECT_EQ(decoded(R"({"method":"push","sql":"a"})").method, Method::Push);
  EXPECT_EQ(decoded(R"({"method":"commit","transaction":1})").method, Method::Commit);
  EXPECT_EQ(decoded(R"({"method":"rollback","transaction":1})").method, Method::Rollback);
  EXPECT_EQ(decoded(R"({"method":"begin"})").behavior, Behavior::Immediate);
  EXPECT_EQ(decoded(R"({"method":"begin","behavior":"deferred"})").behavior, Behavior::Deferred);
  EXPECT_EQ(decoded(R"({"method":"begin","behavior":"immediate"})").behavior, Behavior::Immediate);
  EXPECT_EQ(decoded(R"({"behavior":"exclusive","method":"begin"})").behavior, Behavior::Exclusive);
}

TEST(DecodeQuery, ForgetsTheRequestBefore) {
  Query query;
  decodeQuery(bytesOf(R"({"method":"begin","transaction":3,"behavior":"exclusive"})"), {}, query);
  decodeQuery(bytesOf(R"({"method":"all","sql":"a"})"), {}, query);
  EXPECT_EQ(query.transaction, std::nullopt);
  EXPECT_EQ(query.behavior, Behavior::Immediate);
  EXPECT_TRUE(query.params.empty());
}

TEST(DecodeQuery, TellsIntegersFromReals) {
  EXPECT_EQ(paramOf("7"), "integer 7");
  EXPECT_EQ(paramOf("-7"), "integer -7");
  EXPECT_EQ(paramOf("-0"), "integer 0");
  EXPECT_EQ(paramOf("9007199254740991"), "integer 9007199254740991");
  EXPECT_EQ(paramOf("-9007199254740991"), "integer -9007199254740991");
  EXPECT_EQ(paramOf("9007199254740992"), "real 9.0072e+15");
  EXPECT_EQ(paramOf("-9007199254740992"), "real -9.0072e+15");
  EXPECT_EQ(paramOf("123456789012345678901234567890"), "real 1.23457e+29");
  EXPECT_EQ(paramOf("7.0"), "real 7");
  EXPECT_EQ(paramOf("-0.0"), "real -0");
  EXPECT_EQ(paramOf("1e3"), "real 1000");
  EXPECT_EQ(paramOf("1E+3"), "real 1000");
  EXPECT_EQ(paramOf("2.5e-1"), "real 0.25");
  EXPECT_EQ(paramOf("5e-324"), "real 4.94066e-324");
}

TEST(DecodeQuery, ReadsTheOtherValues) {
  EXPECT_EQ(paramOf("null"), "null");
  EXPECT_EQ(paramOf("true"), "integer 1");
  EXPECT_EQ(paramOf("false"), "integer 0");
  EXPECT_EQ(paramOf(R"({"$int":"9223372036854775807"})"), "integer 9223372036854775807");
  EXPECT_EQ(paramOf(R"({ "$int" : "-9223372036854775808" })"), "integer -9223372036854775808");
  EXPECT_EQ(paramOf(R"({"$int":"5"})"), "integer 5");
  EXPECT_EQ(paramOf(R"({"$real":"Infinity"})"), "real inf");
  EXPECT_EQ(paramOf(R"({"$real":"-Infinity"})"), "real -inf");
  EXPECT_EQ(paramOf(R"({"$real":"-0"})"), "real -0");
  EXPECT_EQ(paramOf(R"({"$blob":""})"), "blob ");
  EXPECT_EQ(paramOf(R"({"$blob":"Zm9vYmE="})"), "blob fooba");
  EXPECT_EQ(paramOf(R"({"\u0024blob":"\/\/79"})"), "blob \xff\xfe\xfd");
}

TEST(DecodeQuery, ReadsStrings) {
  EXPECT_EQ(paramOf(R"("")"), "text ");
  EXPECT_EQ(paramOf("\"h\u00e9llo \U0001f600\""), "text h\u00e9llo \U0001f600");
  EXPECT_EQ(paramOf(R"("\"\\\/\b\f\n\r\t")"), "text \"\\/\b\f\n\r\t");
  EXPECT_EQ(paramOf(R"("a\u0000b")"), str("text ", std::string("a\0b", 3)));
  EXPECT_EQ(paramOf(R"("\u00E9\u20ac\ud83d\uDE00x")"), "text \u00e9\u20ac\U0001f600x");
}

TEST(DecodeQuery, KeepsEveryViewWhenManyStringsHaveEscapes) {
  std::string request = R"({"method":"all","sql":"\n","params":[)";
  for (int i = 0; i < 500; ++i)
    request += str(i == 0 ? "" : ",", "\"\\n", i, "\",{\"$blob\":\"\\/\\/79\"}");
  request += "]}";
  const Query query = decoded(request);
  EXPECT_EQ(query.steps.at(0).sql, "\n");
  for (std::size_t i = 0; i < 500; ++i) {
    EXPECT_EQ(query.params[2 * i].bytes, str("\n", i));
    EXPECT_EQ(query.params[2 * i + 1].bytes, "\xff\xfe\xfd");
  }
}

TEST(DecodeQuery, RefusesWhatIsNotJson) {
  expectRefused("", "a request begins with '{'");
  expectRefused(" {}", "a request begins with '{'");
  expectRefused("[1]", "a request begins with '{'");
  expectRefused("\xef\xbb\xbf{}", "a request begins with '{'");
  const auto prefix = "the request is not as it must be: expected ";
  expectRefused("{", str(prefix, "the name of a field at byte 1"));
  expectRefused("{,}", str(prefix, "the name of a field at byte 1"));
  expectRefused("{method:1}", str(prefix, "the name of a field at byte 1"));
  expectRefused(R"({"sql" "a"})", str(prefix, "':' at byte 7"));
  expectRefused(R"({"sql":"a",})", str(prefix, "the name of a field at byte 11"));
  expectRefused(R"({"sql":"a" "method":"all"})", str(prefix, "'}' at byte 11"));
  expectRefused(R"({"sql":"a"}x)", str(prefix, "nothing but blanks after the object at byte 11"));
  expectRefused(R"({"sql":"a"}{})", str(prefix, "nothing but blanks after the object at byte 11"));
  expectRefused(R"({"sql":7})", str(prefix, "a string for \"sql\" at byte 7"));
  expectRefused(R"({"method":null})", str(prefix, "a string for \"method\" at byte 10"));
  expectRefused(R"({"params":{}})", str(prefix, "an array for \"params\" at byte 10"));
  expectRefused(R"({"params":[1)", str(prefix, "']' at byte 12"));
  expectRefused(R"({"params":[1,]})", str(prefix, "a value at byte 13"));
  expectRefused(R"({"params":[nul]})", str(prefix, "a value at byte 11"));
  expectRefused(R"({"params":[01]})", str(prefix, "a number without leading zeros at byte 11"));
  expectRefused(R"({"params":[-]})", str(prefix, "a digit at byte 12"));
  expectRefused(R"({"params":[1.]})", str(prefix, "a digit at byte 13"));
  expectRefused(R"({"params":[1e]})", str(prefix, "a digit at byte 13"));
  expectRefused(R"({"params":[+1]})", str(prefix, "a value at byte 11"));
  expectRefused(R"({"params":[.5]})", str(prefix, "a value at byte 11"));
  expectRefused(R"({"params":[NaN]})", str(prefix, "a value at byte 11"));
  expectRefused(R"({"sql":"a)", str(prefix, "the end of a string at byte 9"));
  expectRefused(R"({"sql":"\)", str(prefix, "an escape that JSON has at byte 9"));
  expectRefused(R"({"sql":"\x41"})", str(prefix, "an escape that JSON has at byte 9"));
  expectRefused(R"({"sql":"\u12g4"})", str(prefix, "four hexadecimal digits at byte 10"));
  expectRefused(R"({"sql":"\u12)", str(prefix, "four hexadecimal digits at byte 10"));
  expectRefused(R"({"sql":"\u-123"})", str(prefix, "four hexadecimal digits at byte 10"));
  expectRefused("{\"sql\":\"a\nb\"}", str(prefix, "no bare control character at byte 9"));
  expectRefused("{\"sql\":\"a\xff\"}", str(prefix, "UTF-8 at byte 9"));
  expectRefused("{\"sql\":\"\xed\xa0\x80\"}", str(prefix, "UTF-8 at byte 8"));
}

TEST(DecodeQuery, RefusesHalfOfASurrogatePair) {
  for (const char* text : {R"("\ud83d")", R"("\ud83dx")", R"("\ude00")", R"("\ud83d\u0041")"}) {
    const Error error = errorOf([text] { paramOf(text); });
    EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
    EXPECT_NE(error.message().find("half of a surrogate pair"), std::string::npos);
  }
}

TEST(DecodeQuery, RefusesFieldsThatItDoesNotKnowOrKnowsAlready) {
  expectRefused(R"({"SQL":"a"})", "the request has an unknown field \"SQL\"");
  expectRefused(str("{\"", std::string(39, 'x'), "\u00e9\":1}"),
                str("the request has an unknown field \"", std::string(39, 'x'), "\""));
  expectRefused(R"({"sql":"a","sql":"b"})", "the request has two fields \"sql\"");
  expectRefused(R"({"sql":"a","\u0073ql":"b"})", "the request has two fields \"sql\"");
}

TEST(DecodeQuery, RefusesFieldsThatDoNotBelongToTheMethod) {
  expectRefused("{}", "the request has no \"method\"");
  expectRefused(R"({"sql":"a"})", "the request has no \"method\"");
  expectRefused(R"({"method":"ALL","sql":"a"})",
                "there is no method \"ALL\"; there are run, all, values, get, batch, iterate, "
                "fetch, close, begin, commit, rollback and push");
  expectRefused(R"({"method":"begin","behavior":"quick"})",
                "there is no behavior \"quick\"; there are deferred, immediate and exclusive");
  for (const char* method : {"run", "all", "values", "get", "push", "iterate"}) {
    expectRefused(str(R"({"method":")", method, "\"}"), "the request has no \"sql\"");
    expectRefused(str(R"({"method":")", method, R"(","sql":"","cursor":1})"),
                  "only fetch and close take a \"cursor\"");
    expectRefused(str(R"({"method":")", method, R"(","sql":"","steps":[]})"),
                  "only batch takes \"steps\"");
    expectRefused(str(R"({"method":")", method, R"(","sql":"","behavior":"deferred"})"),
                  "only begin takes a \"behavior\"");
  }
  for (const char* method : {"begin", "commit", "rollback", "fetch", "close", "batch"}) {
    for (const char* field : {R"("sql":"a")", R"("params":[1])"}) {
      expectRefused(str(R"({"method":")", method, R"(","transaction":1,"cursor":1,)", field, '}'),
                    str(method, " takes no \"sql\" and no \"params\""));
    }
  }
  expectRefused(R"({"method":"begin","cursor":1})", "only fetch and close take a \"cursor\"");
  expectRefused(R"({"method":"commit"})", "commit needs a \"transaction\"");
  expectRefused(R"({"method":"rollback","params":[]})", "rollback needs a \"transaction\"");
  expectRefused(R"({"method":"push","sql":"a","transaction":1})", "push takes no \"transaction\"");
  expectRefused(R"({"method":"push","sql":"a","params":[1]})", "push takes no \"params\"");
  expectRefused(R"({"method":"fetch"})", "fetch needs a \"cursor\"");
  expectRefused(R"({"method":"close","params":[]})", "close needs a \"cursor\"");
  expectRefused(R"({"method":"fetch","cursor":1,"transaction":1})",
                "fetch takes no \"transaction\"");
  expectRefused(R"({"method":"batch"})", "batch needs \"steps\", at least one");
  expectRefused(R"({"method":"batch","steps":[]})", "batch needs \"steps\", at least one");
  expectRefused(R"({"method":"all","sql":"a","behavior":"deferred"})",
                "only begin takes a \"behavior\"");
  for (const char* handle : {"null", "\"1\"", "-1", "0", "1.0", "4294967296", "{}"}) {
    expectRefused(str(R"({"method":"all","sql":"a","transaction":)", handle, "}"),
                  "\"transaction\" must be a number that begin has answered");
    expectRefused(str(R"({"method":"fetch","cursor":)", handle, "}"),
                  "\"cursor\" must be a number that iterate has answered");
  }
}

TEST(DecodeQuery, ReadsABatchAndCursors) {
  const Query batch = decoded(
      R"({"steps":[{"params":[1,"\n"],"sql":"a","method":"run"},{"method":"get","sql":"\t"},)"
      R"({"method":"all","sql":"c","params":[{"$blob":""}]}],"transaction":7,"method":"batch"})");
  EXPECT_EQ(batch.form, Form::Json);
  EXPECT_EQ(batch.method, Method::Batch);
  EXPECT_EQ(batch.transaction, TransactionHandle{7});
  ASSERT_EQ(batch.steps.size(), 3u);
  EXPECT_EQ(batch.steps[0].method, Method::Run);
  EXPECT_EQ(batch.steps[1].method, Method::Get);
  EXPECT_EQ(batch.steps[1].sql, "\t");
  EXPECT_EQ(batch.paramsOf(batch.steps[0]).size(), 2u);
  EXPECT_EQ(batch.paramsOf(batch.steps[0])[1].bytes, "\n");
  EXPECT_EQ(batch.paramsOf(batch.steps[1]).size(), 0u);
  EXPECT_EQ(batch.paramsOf(batch.steps[2])[0].kind, ValueKind::Blob);

  const Query iterate = decoded(R"({"method":"iterate","sql":"a","params":[1],"transaction":2})");
  EXPECT_EQ(iterate.method, Method::Iterate);
  EXPECT_EQ(iterate.paramsOf(iterate.steps.at(0)).size(), 1u);
  const Query fetch = decoded(R"({"method":"fetch","cursor":4294967295})");
  EXPECT_EQ(fetch.method, Method::Fetch);
  EXPECT_EQ(fetch.cursor, CursorHandle{4'294'967'295});
  EXPECT_TRUE(fetch.steps.empty());
  EXPECT_EQ(decoded(R"({"cursor":1,"method":"close"})").method, Method::Close);
}

TEST(DecodeQuery, NamesTheStepThatItRefuses) {
  const auto refused = [](std::string_view step, std::string_view message) {
    expectRefused(str(R"({"method":"batch","steps":[{"method":"run","sql":""},)", step, "]}"),
                  message);
  };
  refused(R"({"sql":"a"})", "steps[1] has no \"method\"");
  refused(R"({"method":"all"})", "steps[1] has no \"sql\"");
  refused(R"({"method":"all","method":"all"})", "steps[1] has two fields \"method\"");
  refused(R"({"method":"all","sql":"","transaction":1})",
          "steps[1] has an unknown field \"transaction\"");
  refused(R"({"method":"all","sql":"","params":[null,{}]})",
          "steps[1].params[1] is an object without \"$int\", \"$real\" or \"$blob\"");
  for (const char* method : {"begin", "commit", "rollback", "push", "batch", "iterate", "fetch"}) {
    refused(
        str(R"({"sql":"","method":")", method, "\"}"),
        str("steps[1] has the method \"", method, "\"; a batch takes run, all, values and get"));
  }
  expectRefused(R"({"steps":{}})",
                "the request is not as it must be: expected an array for \"steps\" at byte 9");
  expectRefused(R"({"steps":[1]})", "the request is not as it must be: expected '{' at byte 10");
}

TEST(DecodeQuery, CountsTheParametersOfABatch) {
  const std::string request =
      R"({"method":"batch","steps":[{"method":"run","sql":"","params":[1,2]},)"
      R"({"method":"run","sql":"","params":[3,4]}]})";
  EXPECT_NO_THROW(decoded(request, {.batchParametersMax = 4, .parametersMax = 2}));
  expectError(ErrorCode::LimitExceeded,
              "the request has more parameters than batchParametersMax, 3; send it in pieces",
              [&] { decoded(request, {.batchParametersMax = 3}); });
  expectError(ErrorCode::LimitExceeded, "steps[0] has more parameters than parametersMax, 1",
              [&] { decoded(request, {.parametersMax = 1}); });
}

TEST(DecodeQuery, RefusesValuesThatSqliteDoesNotHave) {
  expectParamRefused("[]", "params[1] is an array; SQLite has no such value");
  const auto noTag = "params[1] is an object without \"$int\", \"$real\" or \"$blob\"";
  expectParamRefused("{}", noTag);
  expectParamRefused(R"({"int":"1"})", noTag);
  expectParamRefused(R"({"$text":"YQ=="})", noTag);
  expectParamRefused(R"({"$int":"1","$int":"2"})", "params[1] is an object with a second key");
  expectParamRefused(R"({"$int":1})", "params[1] has no string for \"$int\"");
  for (const char* integer :
       {"", "9223372036854775808", "-9223372036854775809", "1.0", "+1", " 1", "1 ", "0x10", "1n"}) {
    expectParamRefused(str("{\"$int\":\"", integer, "\"}"),
                       "params[1] has an \"$int\" that is not an integer of 64 bits");
  }
  expectParamRefused(R"({"$real":"NaN"})", "params[1] is NaN, which SQLite would store as NULL");
  expectParamRefused(R"({"$real":"1.5"})",
                     "params[1] has a \"$real\" that is not \"Infinity\", \"-Infinity\" or \"-0\"");
  for (const char* blob : {"Zg", "Zg=", "Zh==", "Z*==", "===="}) {
    expectParamRefused(str("{\"$blob\":\"", blob, "\"}"),
                       "params[1] has a \"$blob\" that is not base64");
  }
  expectParamRefused("1e999", "the number at byte 37 is outside of what a double holds");
}

TEST(DecodeQuery, RefusesDeepNestingAtOnce) {
  expectParamRefused(std::string(1'000'000, '['),
                     "params[1] is an array; SQLite has no such value");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"$int\":";
  expectParamRefused(objects, "params[1] has no string for \"$int\"");
}

TEST(DecodeQuery, HoldsItsLimits) {
  const std::string request = R"({"method":"all","sql":"a","params":[1,2,3]})";
  EXPECT_NO_THROW(decoded(request, {.requestBytesMax = request.size()}));
  expectError(ErrorCode::LimitExceeded,
              str("the request has ", request.size(), " bytes; requestBytesMax is ",
                  request.size() - 1, "b"),
              [&] { decoded(request, {.requestBytesMax = request.size() - 1}); });
  EXPECT_NO_THROW(decoded(request, {.parametersMax = 3}));
  expectError(ErrorCode::LimitExceeded, "the request has more parameters than parametersMax, 2",
              [&] { decoded(request, {.parametersMax = 2}); });
}

// Whatever a guest sends is decoded or refused; the sanitizers see to the rest.
TEST(DecodeQuery, SurvivesRandomChanges) {
  const std::vector<std::string> corpus{
      R"({"sql":"select \"id\" from t where a = ?","params":[7,"x\n\u00e9\ud83d\ude00",null,true],"method":"all"})",
      R"({"method":"run","sql":"insert","params":[{"$int":"-9223372036854775808"},{"$blob":"Zm9vYg=="},1.5e-3]})",
      R"({"method":"begin","transaction":3,"behavior":"exclusive"})",
      R"({"method":"get","sql":"","params":[{"$real":"-Infinity"},false,-0.0,9007199254740993]})",
      "{\"sql\":\"h\u00e9llo \U0001f600\",\"method\":\"values\",\"transaction\":1}",
  };
  const std::string_view letters = "{}[]\",:\\/$u019aefntrl.-+ \n";
  std::mt19937 random(seedOr(4));
  std::size_t accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string request = corpus[random() % corpus.size()];
    for (std::uint32_t change = random() % 4 + 1; change > 0 && !request.empty(); --change) {
      const std::size_t at = random() % request.size();
      switch (random() % 5) {
        case 0:
          request[at] = static_cast<char>(random());
          break;
        case 1:
          request[at] = letters[random() % letters.size()];
          break;
        case 2:
          request.erase(at, random() % 4 + 1);
          break;
        case 3:
          request.insert(at, 1, letters[random() % letters.size()]);
          break;
        default:
          request.resize(at);
      }
    }
    try {
      decoded(request);
      ++accepted;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::InvalidRequest) << request;
    }
  }
  EXPECT_GT(accepted, 100u);
}

std::string written(const ValueView& value) {
  AnswerWriter answer{Limits{}};
  answer.openRows(Method::All);
  answer.openRow();
  answer.value(value);
  answer.closeRow();
  answer.closeRows({});
  const std::string_view prefix = "{\"rows\":[[";
  const std::string_view suffix = "]],\"changes\":0,\"lastInsertRowid\":0}";
  std::string_view bytes = answer.bytes();
  EXPECT_TRUE(bytes.starts_with(prefix) && bytes.ends_with(suffix)) << bytes;
  bytes.remove_prefix(prefix.size());
  bytes.remove_suffix(suffix.size());
  return std::string(bytes);
}

TEST(AnswerWriter, WritesValuesAsThePageSays) {
  EXPECT_EQ(written(ValueView::ofNull()), "null");
  EXPECT_EQ(written(ValueView::ofInteger(-7)), "-7");
  EXPECT_EQ(written(ValueView::ofInteger(9007199254740991)), "9007199254740991");
  EXPECT_EQ(written(ValueView::ofInteger(9007199254740992)), R"({"$int":"9007199254740992"})");
  EXPECT_EQ(written(ValueView::ofInteger(-9007199254740991)), "-9007199254740991");
  EXPECT_EQ(written(ValueView::ofInteger(std::numeric_limits<std::int64_t>::min())),
            R"({"$int":"-9223372036854775808"})");
  EXPECT_EQ(written(ValueView::ofReal(1)), "1.0");
  EXPECT_EQ(written(ValueView::ofReal(-0.0)), "-0.0");
  EXPECT_EQ(written(ValueView::ofReal(0.1)), "0.1");
  EXPECT_EQ(written(ValueView::ofReal(1e300)), "1e+300");
  EXPECT_EQ(written(ValueView::ofReal(5e-324)), "5e-324");
  EXPECT_EQ(written(ValueView::ofReal(123456789012345680.0)), "123456789012345680.0");
  EXPECT_EQ(written(ValueView::ofReal(std::numeric_limits<double>::infinity())),
            R"({"$real":"Infinity"})");
  EXPECT_EQ(written(ValueView::ofReal(-std::numeric_limits<double>::infinity())),
            R"({"$real":"-Infinity"})");
  EXPECT_EQ(written(ValueView::ofText(std::string_view("a\0\"", 3))), R"("a\u0000\"")");
  EXPECT_EQ(written(ValueView::ofText("\xff\xfe\xfd")), R"({"$text":"//79"})");
  EXPECT_EQ(written(ValueView::ofBlob("")), R"({"$blob":""})");
  EXPECT_EQ(written(ValueView::ofBlob("foob")), R"({"$blob":"Zm9vYg=="})");
}

TEST(AnswerWriter, WritesRowsAsTheMethodWantsThem) {
  AnswerWriter answer{Limits{}};
  const auto write = [&answer](Method method, int rows) {
    answer.begin(Form::Json);
    answer.openRows(method);
    for (int row = 0; row < rows; ++row) {
      answer.openRow();
      answer.value(ValueView::ofInteger(row));
      answer.value(ValueView::ofText("x"));
      answer.closeRow();
    }
    answer.closeRows({.rows = 2, .lastInsertRowid = 9007199254740993});
    return std::string(answer.bytes());
  };
  const std::string end = R"(,"changes":2,"lastInsertRowid":{"$int":"9007199254740993"}})";
  EXPECT_EQ(write(Method::All, 2), str(R"({"rows":[[0,"x"],[1,"x"]])", end));
  EXPECT_EQ(write(Method::Run, 0), str(R"({"rows":[])", end));
  EXPECT_EQ(write(Method::Get, 1), str(R"({"rows":[0,"x"])", end));
  EXPECT_EQ(write(Method::Get, 0), str(R"({"rows":null)", end));
}

TEST(AnswerWriter, WritesTheOtherAnswers) {
  AnswerWriter answer{Limits{}};
  answer.transaction(TransactionHandle{4'294'967'295});
  EXPECT_EQ(answer.bytes(), R"({"transaction":4294967295})");
  answer.begin(Form::Json);
  answer.nothing();
  EXPECT_EQ(answer.bytes(), "{}");
  answer.begin(Form::Json);
  answer.pushed({.created = {"table \"a\"", "index b"}, .unchanged = {}});
  EXPECT_EQ(answer.bytes(), R"({"created":["table \"a\"","index b"],"unchanged":[]})");
}

TEST(AnswerWriter, WritesErrorsWithWhatIsKnown) {
  AnswerWriter answer{Limits{}};
  answer.error(notAllowed("no \xff"));
  EXPECT_EQ(answer.bytes(), R"({"error":{"code":"not-allowed","message":"no ?"}})");
  answer.begin(Form::Json);
  answer.error(Error(ErrorCode::Conflict, "m",
                     {.violation = "unique",
                      .table = "t",
                      .columns = {"a", "b"},
                      .constraint = "c",
                      .sqliteCode = "SQLITE_CONSTRAINT_UNIQUE",
                      .extendedCode = 2067}));
  EXPECT_EQ(answer.bytes(),
            R"({"error":{"code":"conflict","message":"m","violation":"unique","table":"t",)"
            R"("constraint":"c","sqliteCode":"SQLITE_CONSTRAINT_UNIQUE","columns":["a","b"],)"
            R"("extendedCode":2067}})");
}

TEST(AnswerWriter, SaysWhatToWaitForAndWhichStepFailed) {
  AnswerWriter answer{Limits{}};
  answer.error(Error(ErrorCode::Conflict, "m", {.waitsFor = 4'294'967'295, .step = 2}));
  EXPECT_EQ(answer.bytes(),
            R"({"error":{"code":"conflict","message":"m","waitsFor":4294967295,"step":2}})");
}

TEST(AnswerWriter, WritesCursorsAndBatches) {
  AnswerWriter answer{Limits{}};
  const auto piece = [&answer](Method method, std::optional<CursorHandle> cursor) {
    answer.begin(Form::Json);
    answer.openRows(method);
    answer.openRow();
    answer.value(ValueView::ofInteger(1));
    answer.closeRow();
    answer.closeRows({}, cursor);
    return std::string(answer.bytes());
  };
  EXPECT_EQ(piece(Method::Iterate, CursorHandle{4'294'967'295}),
            R"({"rows":[[1]],"cursor":4294967295})");
  EXPECT_EQ(piece(Method::Fetch, CursorHandle{1}), R"({"rows":[[1]],"cursor":1})");
  EXPECT_EQ(piece(Method::Fetch, {}), R"({"rows":[[1]]})");

  answer.begin(Form::Json);
  answer.openBatch(2);
  answer.openRows(Method::Run);
  answer.closeRows({.rows = 1, .lastInsertRowid = 5});
  answer.openRows(Method::Get);
  answer.closeRows({});
  answer.closeBatch();
  EXPECT_EQ(answer.bytes(), R"({"results":[{"rows":[],"changes":1,"lastInsertRowid":5},)"
                            R"({"rows":null,"changes":0,"lastInsertRowid":0}]})");
}

TEST(AnswerWriter, BoundsTheResultsOfABatch) {
  AnswerWriter answer(Limits{.resultBytesMax = 1'000});
  answer.begin(Form::Json);
  answer.openBatch(1'000);
  const Error error = errorOf([&answer] {
    for (;;) {
      answer.openRows(Method::Run);
      answer.closeRows({});
    }
  });
  EXPECT_EQ(error.code(), ErrorCode::LimitExceeded);
  EXPECT_LT(answer.size(), 1'100u);
}

TEST(AnswerWriter, HoldsItsLimit) {
  const auto write = [](std::uint64_t resultBytesMax, const ValueView& value) {
    AnswerWriter answer(Limits{.resultBytesMax = resultBytesMax});
    answer.openRows(Method::All);
    answer.openRow();
    answer.value(value);
    answer.closeRow();
  };
  const auto message = [](int limit) {
    return str("the answer is longer than resultBytesMax (", limit,
               "b); read it in pieces with db.iterate(query)");
  };
  const std::string text(100, 'x');
  EXPECT_NO_THROW(write(113, ValueView::ofText(text)));  // {"rows":[["..."]
  expectError(ErrorCode::LimitExceeded, message(112), [&] { write(112, ValueView::ofText(text)); });
  const std::string escaped(100, '\n');
  EXPECT_NO_THROW(write(213, ValueView::ofText(escaped)));
  expectError(ErrorCode::LimitExceeded, message(212),
              [&] { write(212, ValueView::ofText(escaped)); });
  EXPECT_NO_THROW(write(159, ValueView::ofBlob(text)));
  expectError(ErrorCode::LimitExceeded, message(158), [&] { write(158, ValueView::ofBlob(text)); });
}

// What an answer says about a value is what a request says to get it: encoder and decoder agree.
TEST(Codec, GivesBackRandomValuesExactly) {
  std::mt19937_64 random(seedOr(11));
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 128);
    ValueView value;
    switch (random() % 4) {
      case 0:
        value = ValueView::ofInteger(static_cast<std::int64_t>(random() >> random() % 64));
        break;
      case 1: {
        const std::uint64_t bits = random();
        double real = 0;
        std::memcpy(&real, &bits, sizeof real);
        if (std::isnan(real)) continue;
        value = ValueView::ofReal(real);
        break;
      }
      case 2:
        value = ValueView::ofText(bytes);
        break;
      default:
        value = ValueView::ofBlob(bytes);
    }
    const std::string request = str(R"({"method":"all","sql":"","params":[)", written(value), "]}");
    Query query;
    decodeQuery(bytesOf(request), {}, query);
    const ValueView& read = query.params.at(0);
    ASSERT_EQ(read.kind, value.kind) << request;
    ASSERT_EQ(read.integer, value.integer) << request;
    ASSERT_EQ(std::memcmp(&read.real, &value.real, sizeof read.real), 0) << request;
    ASSERT_EQ(read.bytes, value.bytes) << request;
  }
}

}  // namespace
}  // namespace schemascript

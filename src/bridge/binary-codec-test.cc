// The binary form: every refusal, every limit, exactness, and memory that must not be taken.
#include "bridge/binary-codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/testing.h"
#include "bridge/codec.h"

namespace schemascript {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

template <typename Number>
std::string raw(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}
std::string word(std::uint32_t number) { return raw(number); }
std::string sized(std::string_view bytes) {
  return word(static_cast<std::uint32_t>(bytes.size())) + std::string(bytes);
}
std::string tagged(int tag, std::string_view payload = {}) {
  return std::string(1, static_cast<char>(tag)) + std::string(payload);
}

struct Head {
  int method = 1;
  int behavior = 0;
  int zero = 0;
  std::uint32_t transaction = 0;
  std::uint32_t cursor = 0;
};
std::string request(const Head& head, std::string_view rest = {}) {
  const char bytes[] = {1, static_cast<char>(head.method), static_cast<char>(head.behavior),
                        static_cast<char>(head.zero)};
  return std::string(bytes, 4) + word(head.transaction) + word(head.cursor) + std::string(rest);
}
std::string statement(std::string_view sql, const std::vector<std::string>& values = {}) {
  std::string bytes = sized(sql) + word(static_cast<std::uint32_t>(values.size()));
  for (const std::string& value : values) bytes += value;
  return bytes;
}
std::string step(int method, std::string_view sql, const std::vector<std::string>& values = {}) {
  return std::string(1, static_cast<char>(method)) + std::string(3, '\0') + statement(sql, values);
}
std::string batch(const std::vector<std::string>& steps) {
  std::string rest = word(static_cast<std::uint32_t>(steps.size()));
  for (const std::string& each : steps) rest += each;
  return request({.method = 8}, rest);
}

// A decoded request with bytes of its own: exactly as many as there are, so that ASan sees a byte
// read beyond them.
struct Decoded {
  explicit Decoded(std::string_view text, const Limits& limits = {})
      : bytes(text.begin(), text.end()) {
    decodeQuery(std::as_bytes(std::span(bytes)), limits, query);
  }
  std::vector<char> bytes;
  Query query;
};

Error refusal(std::string_view bytes, const Limits& limits = {}) {
  return errorOf([&] { Decoded(bytes, limits); });
}

void expectRefused(std::string_view bytes, std::string_view message) {
  expectError(ErrorCode::InvalidRequest, message, [bytes] { Decoded{bytes}; });
}

TEST(DecodeBinary, ReadsAWholeRequest) {
  const Decoded decoded(request(
      {.method = 1, .transaction = 12},
      statement("select ?", {tagged(0), tagged(1, raw<std::int64_t>(-7)), tagged(2, raw(0.5)),
                             tagged(3, sized("t")), tagged(4, sized("\xff"))})));
  const Query& query = decoded.query;
  EXPECT_EQ(query.form, Form::Binary);
  EXPECT_EQ(query.method, Method::All);
  EXPECT_EQ(query.transaction, TransactionHandle{12});
  EXPECT_EQ(query.cursor, std::nullopt);
  ASSERT_EQ(query.steps.size(), 1u);
  EXPECT_EQ(query.steps[0].sql, "select ?");
  const auto params = query.paramsOf(query.steps[0]);
  ASSERT_EQ(params.size(), 5u);
  EXPECT_EQ(params[0].kind, ValueKind::Null);
  EXPECT_EQ(params[1].kind, ValueKind::Integer);
  EXPECT_EQ(params[1].integer, -7);
  EXPECT_EQ(params[2].kind, ValueKind::Real);
  EXPECT_EQ(params[2].real, 0.5);
  EXPECT_EQ(params[3].kind, ValueKind::Text);
  EXPECT_EQ(params[3].bytes, "t");
  EXPECT_EQ(params[4].kind, ValueKind::Blob);
  EXPECT_EQ(params[4].bytes, "\xff");
}

TEST(DecodeBinary, KnowsEveryMethodAndBehavior) {
  const auto method = [](int number, const Head& head, std::string_view rest) {
    Head its = head;
    its.method = number;
    return Decoded(request(its, rest)).query.method;
  };
  for (const int number : {0, 1, 2, 3, 9}) {
    EXPECT_EQ(method(number, {}, statement("a")), static_cast<Method>(number));
  }
  EXPECT_EQ(method(4, {}, ""), Method::Begin);
  EXPECT_EQ(method(5, {.transaction = 1}, ""), Method::Commit);
  EXPECT_EQ(method(6, {.transaction = 1}, ""), Method::Rollback);
  EXPECT_EQ(method(7, {}, sized("a")), Method::Push);
  EXPECT_EQ(method(8, {}, word(1) + step(0, "a")), Method::Batch);
  EXPECT_EQ(method(10, {.cursor = 1}, ""), Method::Fetch);
  EXPECT_EQ(method(11, {.cursor = 1}, ""), Method::Close);
  const auto behavior = [](int number) {
    return Decoded(request({.method = 4, .behavior = number})).query.behavior;
  };
  EXPECT_EQ(behavior(0), Behavior::Immediate);
  EXPECT_EQ(behavior(1), Behavior::Deferred);
  EXPECT_EQ(behavior(2), Behavior::Exclusive);
}

TEST(DecodeBinary, ReadsABatch) {
  const Decoded decoded(batch({step(0, "a", {tagged(0), tagged(3, sized("x"))}), step(3, ""),
                               step(2, "c", {tagged(4, sized(""))})}));
  const Query& query = decoded.query;
  ASSERT_EQ(query.steps.size(), 3u);
  EXPECT_EQ(query.steps[0].method, Method::Run);
  EXPECT_EQ(query.paramsOf(query.steps[0])[1].bytes, "x");
  EXPECT_EQ(query.steps[1].method, Method::Get);
  EXPECT_TRUE(query.paramsOf(query.steps[1]).empty());
  EXPECT_EQ(query.steps[2].sql, "c");
  EXPECT_EQ(query.paramsOf(query.steps[2])[0].kind, ValueKind::Blob);
}

TEST(DecodeBinary, KeepsNumbersToTheBit) {
  for (const std::int64_t integer :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
        std::int64_t{0}, std::int64_t{-1}, (std::int64_t{1} << 53) + 1}) {
    const Decoded decoded(request({}, statement("", {tagged(1, raw(integer))})));
    EXPECT_EQ(decoded.query.params[0].integer, integer);
  }
  for (const double real :
       {0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, kInfinity, -kInfinity}) {
    const Decoded decoded(request({}, statement("", {tagged(2, raw(real))})));
    EXPECT_EQ(raw(decoded.query.params[0].real), raw(real));
  }
}

TEST(DecodeBinary, KeepsTextsToTheByte) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("a\0b", 3), std::string_view("\0", 1),
        std::string_view("h\u00e9llo \U0001f600 and some more than eight bytes")}) {
    const Decoded decoded(
        request({}, statement(text, {tagged(3, sized(text)), tagged(4, sized(text))})));
    EXPECT_EQ(decoded.query.steps[0].sql, text);
    EXPECT_EQ(decoded.query.params[0].bytes, text);
    EXPECT_EQ(decoded.query.params[1].bytes, text);
  }
}

TEST(DecodeBinary, RefusesWhatHasNoMeaning) {
  const auto prefix = "the request is not as it must be: expected ";
  const std::string plain = statement("");
  expectRefused(request({.method = 12}, plain), "there is no method 12; the last one is 11, close");
  expectRefused(request({.method = 255}, plain),
                "there is no method 255; the last one is 11, close");
  expectRefused(request({.method = 4, .behavior = 3}),
                "there is no behavior 3; 0 is immediate, 1 deferred and 2 exclusive");
  expectRefused(request({.behavior = 1}, plain), "only begin takes a \"behavior\"");
  expectRefused(request({.zero = 1}, plain), str(prefix, "a zero byte at byte 3"));
  expectRefused(request({.method = 5}), "commit needs a \"transaction\"");
  expectRefused(request({.method = 6}), "rollback needs a \"transaction\"");
  expectRefused(request({.method = 7, .transaction = 1}, sized("")),
                "push takes no \"transaction\"");
  expectRefused(request({.method = 10}), "fetch needs a \"cursor\"");
  expectRefused(request({.method = 11}), "close needs a \"cursor\"");
  expectRefused(request({.method = 11, .transaction = 1, .cursor = 1}),
                "close takes no \"transaction\"");
  expectRefused(request({.cursor = 1}, plain), "only fetch and close take a \"cursor\"");
  expectRefused(request({.method = 4, .cursor = 1}), "only fetch and close take a \"cursor\"");
  expectRefused(request({.method = 4}, plain),
                str(prefix, "nothing behind the message at byte 12"));
  expectRefused(request({.method = 7}, plain),
                str(prefix, "nothing behind the message at byte 16"));
  expectRefused(request({}, plain + '\0'), str(prefix, "nothing behind the message at byte 20"));
}

TEST(DecodeBinary, RefusesBatchesThatAreNone) {
  const auto prefix = "the request is not as it must be: expected ";
  expectRefused(batch({}), "batch needs \"steps\", at least one");
  expectRefused(batch({step(0, ""), step(4, "")}),
                "steps[1] has the method \"begin\"; a batch takes run, all, values and get");
  expectRefused(batch({step(12, "")}), "there is no method 12; the last one is 11, close");
  for (std::size_t zero : {17u, 18u, 19u}) {
    std::string bytes = batch({step(0, "")});
    bytes[zero] = 1;
    expectRefused(bytes, str(prefix, "a zero byte at byte ", zero));
  }
  expectRefused(batch({step(0, "", {tagged(0)}), step(0, "", {tagged(0), tagged(9)})}),
                "steps[1].params[1] has the tag 9, which no value has");
}

TEST(DecodeBinary, RefusesValuesThatSqliteDoesNotHave) {
  const auto refused = [](const std::string& value, std::string_view message) {
    expectRefused(request({}, statement("", {tagged(0), value})), message);
  };
  const auto prefix = "the request is not as it must be: expected ";
  refused(tagged(5, sized("\xff")), "params[1] is text that is not UTF-8; send it as a blob");
  refused(tagged(6), "params[1] has the tag 6, which no value has");
  refused(tagged(255), "params[1] has the tag 255, which no value has");
  for (const std::uint64_t bits : {0x7ff8000000000000u, 0xfff8000000000000u, 0x7ff0000000000001u}) {
    refused(tagged(2, raw(bits)), "params[1] is NaN, which SQLite would store as NULL");
  }
  refused(tagged(3, sized("abc\xff")), str(prefix, "UTF-8 at byte 29"));
  refused(tagged(3, sized("\xed\xa0\x80")), str(prefix, "UTF-8 at byte 26"));
  refused(tagged(3, sized("abcdefghijkl\xc3")), str(prefix, "UTF-8 at byte 38"));
  expectRefused(request({}, statement("a\x80")), str(prefix, "UTF-8 at byte 17"));
}

TEST(DecodeBinary, RefusesEveryMessageThatIsCutShort) {
  const std::vector<std::string> messages{
      request({},
              statement("select", {tagged(0), tagged(1, raw<std::int64_t>(1)), tagged(2, raw(1.0)),
                                   tagged(3, sized("text")), tagged(4, sized("blob"))})),
      batch({step(0, "a", {tagged(0)}), step(1, "b", {tagged(3, sized("c"))})}),
      request({.method = 4}), request({.method = 7}, sized("create")),
      request({.method = 10, .cursor = 1})};
  for (const std::string& message : messages) {
    EXPECT_NO_THROW(Decoded{message});
    for (std::size_t size = 0; size < message.size(); ++size) {
      const Error error = refusal(message.substr(0, size));
      EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
      EXPECT_TRUE(size == 0 || error.message().starts_with("the request is not as it must be"))
          << error.message();
    }
  }
}

TEST(DecodeBinary, TakesNoMemoryForWhatIsOnlyAnnounced) {
  const auto prefix = "the request is not as it must be: expected ";
  const std::string huge = word(4'294'967'295);
  expectError(ErrorCode::LimitExceeded, "the request has more parameters than parametersMax, 32766",
              [&] { Decoded(request({}, sized("") + huge)); });
  Query query;
  const auto decode = [&query](const std::string& bytes) {
    decodeQuery(bytesOf(bytes), {}, query);
  };
  expectError(ErrorCode::InvalidRequest, str(prefix, "32766 parameters at byte 20"),
              [&] { decode(request({}, sized("") + word(32'766) + std::string(100, '\0'))); });
  EXPECT_EQ(query.params.capacity(), 0u);
  expectError(ErrorCode::InvalidRequest, str(prefix, "4294967295 steps at byte 16"),
              [&] { decode(request({.method = 8}, huge + step(0, ""))); });
  EXPECT_EQ(query.steps.capacity(), 0u);
  expectRefused(request({}, huge), str(prefix, "an SQL text at byte 16"));
  expectRefused(request({}, statement("", {tagged(3, huge)})), str(prefix, "a text at byte 25"));
  expectRefused(request({}, statement("", {tagged(4, huge + "x")})),
                str(prefix, "a blob at byte 25"));
}

TEST(DecodeBinary, HoldsItsLimits) {
  const std::string bytes = request({}, statement("", {tagged(0), tagged(0), tagged(0)}));
  EXPECT_NO_THROW(Decoded(bytes, {.requestBytesMax = bytes.size()}));
  EXPECT_EQ(
      refusal(bytes, {.requestBytesMax = bytes.size() - 1}).message(),
      str("the request has ", bytes.size(), " bytes; requestBytesMax is ", bytes.size() - 1, "b"));
  EXPECT_NO_THROW(Decoded(bytes, {.parametersMax = 3}));
  EXPECT_EQ(refusal(bytes, {.parametersMax = 2}).message(),
            "the request has more parameters than parametersMax, 2");
  const std::string steps = batch({step(0, "", {tagged(0)}), step(0, "", {tagged(0), tagged(0)})});
  EXPECT_NO_THROW(Decoded(steps, {.batchParametersMax = 3, .parametersMax = 2}));
  EXPECT_EQ(refusal(steps, {.batchParametersMax = 2}).message(),
            "the request has more parameters than batchParametersMax, 2; send it in pieces");
  EXPECT_EQ(refusal(steps, {.parametersMax = 1}).message(),
            "steps[1] has more parameters than parametersMax, 1");
}

TEST(DecodeBinary, TellsTheFormOfARequestThatItRefuses) {
  Query query;
  const auto formOf = [&query](std::string_view bytes, const Limits& limits = {}) {
    errorOf([&] { decodeQuery(bytesOf(bytes), limits, query); });
    return query.form;
  };
  EXPECT_EQ(formOf("\x01"), Form::Binary);
  EXPECT_EQ(formOf("{"), Form::Json);
  EXPECT_EQ(formOf("\x01xxxxx", {.requestBytesMax = 2}), Form::Binary);
  EXPECT_EQ(formOf(""), Form::Json);
  EXPECT_EQ(formOf("\x02"), Form::Json);
}

TEST(DecodeBinary, ForgetsTheRequestBeforeAndReusesItsMemory) {
  Query query;
  const std::string first = batch({step(0, "a", {tagged(0), tagged(0)}), step(0, "b")});
  decodeQuery(bytesOf(first), {}, query);
  const void* const params = query.params.data();
  const std::string second = request({.method = 4, .behavior = 2, .transaction = 9});
  decodeQuery(bytesOf(second), {}, query);
  EXPECT_TRUE(query.steps.empty());
  EXPECT_TRUE(query.params.empty());
  const std::string third = request({}, statement("", {tagged(0)}));
  decodeQuery(bytesOf(third), {}, query);
  EXPECT_EQ(query.params.data(), params);
  EXPECT_EQ(query.transaction, std::nullopt);
  EXPECT_EQ(query.behavior, Behavior::Immediate);
  const std::string json = R"({"method":"fetch","cursor":3})";
  decodeQuery(bytesOf(json), {}, query);
  decodeQuery(bytesOf(third), {}, query);
  EXPECT_EQ(query.cursor, std::nullopt);
  // A large one is not kept for ever.
  const std::vector<std::string> many(32'766, tagged(0));
  const std::string large = request({}, statement("", many));
  decodeQuery(bytesOf(large), {}, query);
  decodeQuery(bytesOf(third), {}, query);
  EXPECT_LT(query.params.capacity(), 32'766u);
}

// Writes rows of the values in the binary form and answers what is behind the header.
std::string rowsOf(Method method, const std::vector<std::vector<ValueView>>& rows,
                   const Changes& changes = {}, std::optional<CursorHandle> cursor = {}) {
  AnswerWriter answer{Limits{}};
  answer.begin(Form::Binary);
  answer.openRows(method);
  for (const auto& row : rows) {
    answer.openRow();
    for (const ValueView& value : row) answer.value(value);
    answer.closeRow();
  }
  answer.closeRows(changes, cursor);
  EXPECT_EQ(answer.size(), answer.bytes().size());
  EXPECT_EQ(answer.bytes().substr(0, 4), std::string_view("\1\2\0\0", 4));
  return std::string(answer.bytes().substr(4));
}

std::string result(std::uint32_t columns, std::uint32_t rows, std::uint32_t cursor,
                   std::int64_t changes, std::int64_t rowid) {
  return word(columns) + word(rows) + word(cursor) + raw(changes) + raw(rowid);
}

TEST(BinaryAnswer, WritesRows) {
  EXPECT_EQ(rowsOf(Method::All, {}), result(0, 0, 0, 0, 0));
  EXPECT_EQ(rowsOf(Method::Run, {}, {.rows = 2, .lastInsertRowid = -9007199254740993}),
            result(0, 0, 0, 2, -9007199254740993));
  EXPECT_EQ(rowsOf(Method::Get, {{ValueView::ofNull()}}), result(1, 1, 0, 0, 0) + tagged(0));
  EXPECT_EQ(rowsOf(Method::Iterate, {{ValueView::ofNull()}}, {}, CursorHandle{4'294'967'295}),
            result(1, 1, 4'294'967'295, 0, 0) + tagged(0));
  EXPECT_EQ(rowsOf(Method::Values, {{ValueView::ofNull(), ValueView::ofInteger(1)},
                                    {ValueView::ofText("a"), ValueView::ofNull()}}),
            result(2, 2, 0, 0, 0) + tagged(0) + tagged(1, raw<std::int64_t>(1)) +
                tagged(3, sized("a")) + tagged(0));
}

TEST(BinaryAnswer, KeepsValuesToTheBit) {
  const auto written = [](const ValueView& value) {
    return rowsOf(Method::All, {{value}}).substr(28);
  };
  for (const std::int64_t integer : {std::numeric_limits<std::int64_t>::min(), std::int64_t{0},
                                     std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(written(ValueView::ofInteger(integer)), tagged(1, raw(integer)));
  }
  for (const double real : {-0.0, 0.1, 5e-324, kInfinity, -kInfinity}) {
    EXPECT_EQ(written(ValueView::ofReal(real)), tagged(2, raw(real)));
  }
  for (const std::string_view text : {std::string_view(""), std::string_view("a\0b", 3),
                                      std::string_view("h\u00e9llo \U0001f600, longer")}) {
    EXPECT_EQ(written(ValueView::ofText(text)), tagged(3, sized(text)));
    EXPECT_EQ(written(ValueView::ofBlob(text)), tagged(4, sized(text)));
  }
  for (const std::string_view text : {"\xff", "plain until \xc3", "\xed\xa0\x80"}) {
    EXPECT_EQ(written(ValueView::ofText(text)), tagged(5, sized(text)));
    EXPECT_EQ(written(ValueView::ofBlob(text)), tagged(4, sized(text)));
  }
}

TEST(BinaryAnswer, WritesABatch) {
  AnswerWriter answer{Limits{}};
  answer.begin(Form::Binary);
  answer.openBatch(2);
  answer.openRows(Method::Run);
  answer.closeRows({.rows = 1, .lastInsertRowid = 5});
  answer.openRows(Method::Get);
  answer.openRow();
  answer.value(ValueView::ofNull());
  answer.closeRow();
  answer.closeRows({});
  answer.closeBatch();
  EXPECT_EQ(answer.bytes(), std::string("\1\3\0\0", 4) + word(2) + result(0, 0, 0, 1, 5) +
                                result(1, 1, 0, 0, 0) + tagged(0));
}

TEST(BinaryAnswer, CountsTheResultsOfABatch) {
  for (const Form form : {Form::Json, Form::Binary}) {
    AnswerWriter answer{Limits{}};
    answer.begin(form);
    answer.openBatch(2);
    answer.openRows(Method::Run);
    answer.closeRows({});
    EXPECT_EQ(errorOf([&] { answer.closeBatch(); }).code(), ErrorCode::Internal);
    answer.begin(form);
    answer.openRows(Method::Run);
    answer.closeRows({});
    EXPECT_EQ(answer.bytes().substr(0, 4) == std::string_view("\1\2\0\0", 4), form == Form::Binary);
  }
}

TEST(BinaryAnswer, WritesTheOtherAnswers) {
  AnswerWriter answer{Limits{.resultBytesMax = 0}};
  answer.begin(Form::Binary);
  answer.transaction(TransactionHandle{4'294'967'295});
  EXPECT_EQ(answer.bytes(), std::string("\1\1\0\0", 4) + word(4'294'967'295));
  answer.begin(Form::Binary);
  answer.nothing();
  EXPECT_EQ(answer.bytes(), std::string_view("\1\0\0\0", 4));
}

TEST(BinaryAnswer, AnswersErrorsAndPushesInJson) {
  AnswerWriter answer{Limits{}};
  answer.begin(Form::Binary);
  answer.openRows(Method::All);
  answer.openRow();
  answer.error(notAllowed("no"));
  EXPECT_EQ(answer.bytes(), R"({"error":{"code":"not-allowed","message":"no"}})");
  answer.begin(Form::Binary);
  EXPECT_EQ(answer.bytes(), "");
  answer.pushed({.created = {"table a"}, .unchanged = {}});
  EXPECT_EQ(answer.bytes(), R"({"created":["table a"],"unchanged":[]})");
}

TEST(BinaryAnswer, HoldsItsLimit) {
  const auto write = [](std::uint64_t resultBytesMax, Method method) {
    AnswerWriter answer(Limits{.resultBytesMax = resultBytesMax});
    answer.begin(Form::Binary);
    answer.openRows(method);
    answer.openRow();
    answer.value(ValueView::ofBlob(std::string(10'000, 'x')));
    answer.value(ValueView::ofInteger(1));
    answer.closeRow();
    answer.closeRows({});
    EXPECT_EQ(answer.size(), 10'046u);
  };
  EXPECT_NO_THROW(write(10'046, Method::All));
  expectError(ErrorCode::LimitExceeded,
              "the answer is longer than resultBytesMax (10045b); read it in pieces with "
              "db.iterate(query)",
              [&] { write(10'045, Method::All); });
  expectError(ErrorCode::LimitExceeded,
              "a row is longer than resultBytesMax (64b); ask for fewer columns", [&] {
                AnswerWriter answer(Limits{.resultBytesMax = 64});
                answer.begin(Form::Binary);
                answer.openRows(Method::Fetch);
                answer.openRow();
                answer.value(ValueView::ofText(std::string(100, 'x')));
              });
}

TEST(BinaryAnswer, RefusesRowsOfDifferentLengths) {
  AnswerWriter answer{Limits{}};
  answer.begin(Form::Binary);
  answer.openRows(Method::All);
  for (const int values : {2, 2}) {
    answer.openRow();
    for (int i = 0; i < values; ++i) answer.value(ValueView::ofNull());
    answer.closeRow();
  }
  answer.openRow();
  answer.value(ValueView::ofNull());
  EXPECT_EQ(errorOf([&] { answer.closeRow(); }).code(), ErrorCode::Internal);
}

TEST(BinaryAnswer, GivesBackTheMemoryOfALargeAnswer) {
  AnswerWriter answer{Limits{}};
  const std::string large(3 << 20, 'x');
  for (int round = 0; round < 3; ++round) {
    answer.begin(Form::Binary);
    answer.openRows(Method::All);
    answer.openRow();
    answer.value(ValueView::ofBlob(large));
    answer.closeRow();
    answer.closeRows({});
    EXPECT_EQ(answer.size(), large.size() + 37);
    EXPECT_TRUE(answer.bytes().ends_with(large));
  }
  answer.begin(Form::Binary);
  EXPECT_EQ(answer.bytes().data(), nullptr);
}

// Whatever a guest sends is decoded or refused; the sanitizers see to the rest.
TEST(DecodeBinary, SurvivesRandomChanges) {
  const std::vector<std::string> corpus{
      request({.transaction = 3},
              statement("select \u00e9",
                        {tagged(0), tagged(1, raw<std::int64_t>(1)), tagged(2, raw(1.5)),
                         tagged(3, sized("t\u00e9xt")), tagged(4, sized("bl\xffob"))})),
      batch({step(0, "a", {tagged(0)}), step(3, "b"), step(1, "c", {tagged(3, sized("d"))})}),
      request({.method = 4, .behavior = 1}), request({.method = 11, .cursor = 2})};
  std::mt19937 random(seedOr(5));
  std::size_t accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes = corpus[random() % corpus.size()];
    for (std::uint32_t change = random() % 3 + 1; change > 0 && bytes.size() > 1; --change) {
      const std::size_t at = 1 + random() % (bytes.size() - 1);
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = static_cast<char>(random() % 6);
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(random() % 6));
          break;
        default:
          bytes.erase(at, 1);
      }
    }
    try {
      Decoded{bytes};
      ++accepted;
    } catch (const Error& error) {
      ASSERT_TRUE(error.code() == ErrorCode::InvalidRequest ||
                  error.code() == ErrorCode::LimitExceeded);
    }
  }
  EXPECT_GT(accepted, 100u);
}

}  // namespace
}  // namespace schemascript

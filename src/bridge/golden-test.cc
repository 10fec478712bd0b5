// The golden messages of test/golden/, which the TypeScript side reads, too.
#include "bridge/golden.h"

#include <gtest/gtest.h>

#include <cstring>
#include <sstream>

#include "base/testing.h"
#include "bridge/codec.h"

namespace schemascript {
namespace {

std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void expectSame(const Query& a, const Query& b) {
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.behavior, b.behavior);
  EXPECT_EQ(a.transaction, b.transaction);
  EXPECT_EQ(a.cursor, b.cursor);
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    EXPECT_EQ(a.steps[i].method, b.steps[i].method);
    EXPECT_EQ(a.steps[i].sql, b.steps[i].sql);
    EXPECT_EQ(a.steps[i].firstParam, b.steps[i].firstParam);
    EXPECT_EQ(a.steps[i].paramCount, b.steps[i].paramCount);
  }
  ASSERT_EQ(a.params.size(), b.params.size());
  for (std::size_t i = 0; i < a.params.size(); ++i) {
    EXPECT_EQ(a.params[i].kind, b.params[i].kind) << i;
    EXPECT_EQ(a.params[i].integer, b.params[i].integer) << i;
    EXPECT_EQ(std::memcmp(&a.params[i].real, &b.params[i].real, sizeof(double)), 0) << i;
    EXPECT_EQ(a.params[i].bytes, b.params[i].bytes) << i;
  }
}

TEST(Golden, RequestsAreTheSameInBothForms) {
  const auto cases = goldenCases("requests.txt");
  EXPECT_GT(cases.size(), 20u);
  for (const GoldenCase& each : cases) {
    SCOPED_TRACE(each.name);
    Query json;
    Query binary;
    ASSERT_NO_THROW(decodeQuery(bytesOf(each.json.value()), {}, json));
    ASSERT_NO_THROW(decodeQuery(bytesOf(each.binary.value()), {}, binary));
    EXPECT_EQ(json.form, Form::Json);
    EXPECT_EQ(binary.form, Form::Binary);
    expectSame(json, binary);
  }
}

TEST(Golden, MalformedRequestsAreRefused) {
  const auto cases = goldenCases("malformed.txt");
  EXPECT_GT(cases.size(), 20u);
  for (const GoldenCase& each : cases) {
    SCOPED_TRACE(each.name);
    const Error error = errorOf([&each] {
      Query query;
      decodeQuery(bytesOf(each.json ? *each.json : each.binary.value()), {}, query);
    });
    EXPECT_EQ(str(nameOf(error.code()), ": ", error.message()), each.error);
  }
}

// Reads a golden answer of the binary form and has it written again in `form`.
class Rewriter {
 public:
  Rewriter(std::string_view binary, std::string_view methods, Form form)
      : left_(binary), methods_(std::string(methods)) {
    answer_.begin(form);
  }

  std::string rewrite() {
    EXPECT_EQ(take<std::uint8_t>(), 1);
    const auto kind = take<std::uint8_t>();
    EXPECT_EQ(take<std::uint16_t>(), 0);
    if (kind == 0) answer_.nothing();
    if (kind == 1) answer_.transaction(TransactionHandle{take<std::uint32_t>()});
    if (kind == 2) result();
    if (kind == 3) batch();
    EXPECT_EQ(left_, "");
    return std::string(answer_.bytes());
  }

 private:
  template <typename Number>
  Number take() {
    Number number{};
    std::memcpy(&number, bytes(sizeof number).data(), sizeof number);
    return number;
  }
  std::string_view bytes(std::size_t count) {
    if (count > left_.size()) throw internal("a golden answer is cut short");
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  Method method() {
    std::string name;
    methods_ >> name;
    const std::pair<std::string_view, Method> known[] = {
        {"run", Method::Run}, {"all", Method::All},         {"values", Method::Values},
        {"get", Method::Get}, {"iterate", Method::Iterate}, {"fetch", Method::Fetch}};
    for (const auto& [candidate, method] : known) {
      if (candidate == name) return method;
    }
    throw internal("a golden answer has no method " + name);
  }

  void batch() {
    const auto count = take<std::uint32_t>();
    answer_.openBatch(count);
    for (std::uint32_t i = 0; i < count; ++i) result();
    answer_.closeBatch();
  }

  void result() {
    const auto columns = take<std::uint32_t>();
    const auto rows = take<std::uint32_t>();
    const auto cursor = take<std::uint32_t>();
    Changes changes;
    changes.rows = take<std::int64_t>();
    changes.lastInsertRowid = take<std::int64_t>();
    answer_.openRows(method());
    for (std::uint32_t row = 0; row < rows; ++row) {
      answer_.openRow();
      for (std::uint32_t column = 0; column < columns; ++column) value();
      answer_.closeRow();
    }
    answer_.closeRows(changes, cursor == 0 ? std::nullopt : std::optional(CursorHandle{cursor}));
  }

  void value() {
    switch (take<std::uint8_t>()) {
      case 0:
        return answer_.value(ValueView::ofNull());
      case 1:
        return answer_.value(ValueView::ofInteger(take<std::int64_t>()));
      case 2:
        return answer_.value(ValueView::ofReal(take<double>()));
      case 4:
        return answer_.value(ValueView::ofBlob(bytes(take<std::uint32_t>())));
      default:
        return answer_.value(ValueView::ofText(bytes(take<std::uint32_t>())));
    }
  }

  std::string_view left_;
  std::istringstream methods_;
  AnswerWriter answer_{Limits{}};
};

TEST(Golden, AnswersAreWrittenInBothForms) {
  std::size_t written = 0;
  for (const GoldenCase& each : goldenCases("answers.txt")) {
    if (!each.binary) continue;
    SCOPED_TRACE(each.name);
    EXPECT_EQ(Rewriter(*each.binary, each.methods, Form::Json).rewrite(), each.json.value());
    EXPECT_EQ(Rewriter(*each.binary, each.methods, Form::Binary).rewrite(), *each.binary);
    ++written;
  }
  EXPECT_GT(written, 10u);
}

}  // namespace
}  // namespace schemascript

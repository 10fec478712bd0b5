// The JSON form of requests and answers, exactly as in docs/protocol.md. Knows no database: the
// Session lies between this and that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "bridge/pusher.h"
#include "database/transactions.h"
#include "database/value.h"

namespace schemascript {

enum class Method : std::uint8_t { Run, All, Values, Get, Begin, Commit, Rollback, Push };

// A decoded request. Its views lead into the request's bytes and into `unescaped`.
struct Query {
  Method method = Method::Run;
  std::string_view sql;
  std::vector<ValueView> params;
  std::optional<TransactionHandle> transaction;
  Behavior behavior = Behavior::Immediate;
  // Texts that had escapes, and the bytes of blobs.
  std::string unescaped;
};

// Decodes `request` into `query`, whose memory is reused and whose views are valid as long as
// `request` and until the next call. Throws InvalidRequest that says where, LimitExceeded beyond
// requestBytesMax and parametersMax.
void decodeQuery(std::span<const std::byte> request, const Limits& limits, Query& query);

// Writes one answer after the other into memory that it keeps.
class AnswerWriter {
 public:
  explicit AnswerWriter(const Limits& limits) noexcept : resultBytesMax_(limits.resultBytesMax) {}

  // Drops the present answer.
  void clear();
  // Valid until the next call of anything else.
  std::string_view bytes() const noexcept { return bytes_; }

  // The rows of a statement: openRows(), then openRow(), value()... and closeRow() for each row,
  // then closeRows(). For `get` there is one row or none. value() and closeRow() throw
  // LimitExceeded beyond resultBytesMax.
  void openRows(Method method);
  void openRow();
  void value(const ValueView& value);
  void closeRow();
  void closeRows(const Changes& changes);

  void transaction(TransactionHandle handle);
  void nothing();
  void pushed(const PushResult& result);
  void error(const Error& error);

 private:
  void text(std::string_view text);
  void number(std::int64_t number);
  void integer(std::int64_t integer);
  void real(double real);
  void tagged(std::string_view tag, std::string_view base64Of);
  void list(const std::vector<std::string>& texts);
  void checkSize(std::uint64_t more) const;

  const std::uint64_t resultBytesMax_;
  std::string bytes_;
  Method method_ = Method::Run;
  bool firstRow_ = true;
  bool firstValue_ = true;
};

}  // namespace schemascript

// The JSON form of requests and answers, exactly as in docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "bridge/pusher.h"
#include "bridge/query.h"
#include "database/statement.h"

namespace schemascript {

// Decodes a request that begins with '{' into an empty query; see decodeQuery().
void decodeJson(std::string_view request, const Limits& limits, Query& query);

// The JSON half of an AnswerWriter, where its functions are described.
class JsonAnswer {
 public:
  explicit JsonAnswer(std::uint64_t resultBytesMax) noexcept : resultBytesMax_(resultBytesMax) {}

  void clear() noexcept;
  std::string_view bytes() const noexcept { return bytes_; }

  void openBatch(std::uint32_t count);
  void closeBatch();
  void openRows(Method method);
  void openRow();
  void value(const ValueView& value);
  void closeRow();
  void closeRows(const Changes& changes, std::optional<CursorHandle> cursor);
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
  bool isBatch_ = false;
  std::uint32_t resultsWanted_ = 0;
  std::uint32_t results_ = 0;
  bool firstRow_ = true;
  bool firstValue_ = true;
};

}  // namespace schemascript

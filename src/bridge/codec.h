// Requests and answers as bytes, in both forms of docs/protocol.md: this header is what a Session
// uses, json-codec.h and binary-codec.h are the forms. Knows no database.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/limits.h"
#include "bridge/binary-codec.h"
#include "bridge/json-codec.h"
#include "bridge/pusher.h"
#include "bridge/query.h"

namespace schemascript {

// Decodes `request` into `query`, whose memory is reused and whose views are valid as long as
// `request` and until the next call. Throws InvalidRequest that says where, and LimitExceeded
// beyond requestBytesMax, parametersMax and batchParametersMax. `query.form` is right also when it
// throws: the answer is to be written in that form.
void decodeQuery(std::span<const std::byte> request, const Limits& limits, Query& query);

// Writes one answer after the other into memory that it keeps. An answer is begin() and then one
// of: rows, a batch of rows, transaction(), nothing(), pushed(), error(). Belongs to one thread.
class AnswerWriter {
 public:
  explicit AnswerWriter(const Limits& limits) noexcept
      : json_(limits.resultBytesMax), binary_(limits.resultBytesMax) {}

  // Drops the present answer. The next one is in this form.
  void begin(Form form) noexcept {
    form_ = form;
    json_.clear();
    binary_.clear();
  }
  // Valid until the next call of anything else. Only a finished answer means something.
  std::string_view bytes() const noexcept { return isBinary() ? binary_.bytes() : json_.bytes(); }
  // What has been written up to now. Between closeRow() and the next openRow() it tells how much
  // the rows have taken.
  std::size_t size() const noexcept { return bytes().size(); }

  // The results of a batch: openBatch(), then openRows() to closeRows() `count` times, then
  // closeBatch(), which throws Internal if there were more or fewer.
  void openBatch(std::uint32_t count) {
    isBinary() ? binary_.openBatch(count) : json_.openBatch(count);
  }
  void closeBatch() { isBinary() ? binary_.closeBatch() : json_.closeBatch(); }

  // The rows of a statement: openRows(), then openRow(), value()... and closeRow() for each row,
  // all of the same length, then closeRows(). `method` is that of the statement, or fetch. For
  // `get` there is one row or none. All of them throw LimitExceeded beyond resultBytesMax, and
  // std::bad_alloc. The JSON form has no changes for iterate and fetch.
  void openRows(Method method) { isBinary() ? binary_.openRows(method) : json_.openRows(method); }
  void openRow() { isBinary() ? binary_.openRow() : json_.openRow(); }
  void value(const ValueView& value) { isBinary() ? binary_.value(value) : json_.value(value); }
  void closeRow() { isBinary() ? binary_.closeRow() : json_.closeRow(); }
  void closeRows(const Changes& changes, std::optional<CursorHandle> cursor = {}) {
    isBinary() ? binary_.closeRows(changes, cursor) : json_.closeRows(changes, cursor);
  }

  void transaction(TransactionHandle handle) {
    isBinary() ? binary_.transaction(handle) : json_.transaction(handle);
  }
  void nothing() { isBinary() ? binary_.nothing() : json_.nothing(); }
  // In the JSON form always, whatever begin() has said.
  void pushed(const PushResult& result) {
    begin(Form::Json);
    json_.pushed(result);
  }
  // In the JSON form always. Drops what was written, so it may come at any time.
  void error(const Error& error) {
    begin(Form::Json);
    json_.error(error);
  }

 private:
  bool isBinary() const noexcept { return form_ == Form::Binary; }

  Form form_ = Form::Json;
  JsonAnswer json_;
  BinaryAnswer binary_;
};

}  // namespace schemascript

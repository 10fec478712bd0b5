// A request as it is after decoding, whichever form it came in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "database/transactions.h"
#include "database/value.h"

namespace schemascript {

// How a message is written. Its first byte tells: '{' or 1.
enum class Form : std::uint8_t { Json, Binary };

// The numbers are those of the binary form.
enum class Method : std::uint8_t {
  Run,
  All,
  Values,
  Get,
  Begin,
  Commit,
  Rollback,
  Push,
  Batch,
  Iterate,
  Fetch,
  Close
};

// What a guest knows a cursor by. Never 0 on the wire.
enum class CursorHandle : std::uint32_t {};

// One statement of a request, and which of the request's parameters are its own.
struct Step {
  Method method = Method::Run;
  std::string_view sql{};
  std::uint32_t firstParam = 0;
  std::uint32_t paramCount = 0;
};

// Its views lead into the request's bytes and into `unescaped`; so it is valid as long as the
// request and until the next one is decoded into it.
struct Query {
  Form form = Form::Json;
  Method method = Method::Run;
  Behavior behavior = Behavior::Immediate;
  // There for commit and rollback; never there for push, fetch and close.
  std::optional<TransactionHandle> transaction;
  // There for fetch and close only.
  std::optional<CursorHandle> cursor;
  // One for run, all, values, get, iterate and push; at least one for batch, with run, all, values
  // or get each; none for the others.
  std::vector<Step> steps;
  // Of all steps, one after the other. Texts are UTF-8, reals are numbers.
  std::vector<ValueView> params;
  // The JSON form's texts that had escapes, and the bytes of its blobs.
  std::string unescaped;

  // Valid as long as this query. `step` must be one of `steps`.
  std::span<const ValueView> paramsOf(const Step& step) const {
    return std::span(params).subspan(step.firstParam, step.paramCount);
  }
};

}  // namespace schemascript

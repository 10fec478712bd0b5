// What both forms have in common: which methods there are, what each of them may have beside it,
// and how a refusal reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "base/error.h"
#include "base/limits.h"
#include "bridge/query.h"

namespace schemascript {

// The methods' names in the JSON form, by their numbers in the binary form.
constexpr std::string_view kMethodNames[] = {"run",   "all",     "values",   "get",
                                             "begin", "commit",  "rollback", "push",
                                             "batch", "iterate", "fetch",    "close"};
constexpr std::size_t kMethodCount = std::size(kMethodNames);
static_assert(static_cast<std::size_t>(Method::Close) + 1 == kMethodCount);

constexpr std::string_view nameOf(Method method) noexcept {
  return kMethodNames[static_cast<std::size_t>(method)];
}

// Whether it may be a step of a batch.
constexpr bool isStepMethod(Method method) noexcept { return method <= Method::Get; }
// Whether it has exactly one SQL text.
constexpr bool hasSql(Method method) noexcept {
  return isStepMethod(method) || method == Method::Push || method == Method::Iterate;
}

// The fields of a request, as bits. A binary request has those that are not zero.
enum RequestField : unsigned {
  kMethodField = 1,
  kSqlField = 2,
  kParamsField = 4,
  kTransactionField = 8,
  kBehaviorField = 16,
  kCursorField = 32,
  kStepsField = 64
};

// Throws InvalidRequest unless `query` has, of the fields that were `seen`, what its method needs
// and nothing else.
void checkFields(const Query& query, unsigned seen);

// Throws LimitExceeded when a statement with `count` parameters has more than parametersMax, or has
// them after so many of the statements `before` it that batchParametersMax is exceeded. `where`
// names the statement: "the request", "steps[2]".
void checkParamCount(std::uint64_t count, std::uint64_t before, const Limits& limits,
                     std::string_view where);

// The InvalidRequest of a step with a method that only a whole request can have. `where`:
// "steps[2]".
[[noreturn]] void failStepMethod(Method method, std::string_view where);

// `the request is not as it must be: expected a digit at byte 12`
[[noreturn]] void failExpected(std::string_view expected, std::size_t at);

// The LimitExceeded of an answer of more than `resultBytesMax`.
Error answerTooLong(std::uint64_t resultBytesMax, Method method);

}  // namespace schemascript

// Tells the forms of a request apart, and holds the rules that both share.
#include "bridge/codec.h"

#include "base/units.h"
#include "bridge/codec-rules.h"

namespace schemascript {
namespace {

// Memory that a large request needed is not kept beyond this.
constexpr std::size_t kKeptBytesMax = 1u << 20;

template <typename Container>
void clearAndGiveBack(Container& container) {
  container.clear();
  if (container.capacity() * sizeof(*container.data()) > kKeptBytesMax) container.shrink_to_fit();
}

void clear(Query& query) {
  query.method = Method::Run;
  query.behavior = Behavior::Immediate;
  query.transaction.reset();
  query.cursor.reset();
  clearAndGiveBack(query.steps);
  clearAndGiveBack(query.params);
  clearAndGiveBack(query.unescaped);
}

}  // namespace

void decodeQuery(std::span<const std::byte> request, const Limits& limits, Query& query) {
  const std::string_view bytes(reinterpret_cast<const char*>(request.data()), request.size());
  query.form = bytes.starts_with(kBinaryForm) ? Form::Binary : Form::Json;
  clear(query);
  if (bytes.size() > limits.requestBytesMax) {
    throw limitExceeded(str("the request has ", bytes.size(), " bytes; requestBytesMax is ",
                            formatSize(limits.requestBytesMax)));
  }
  if (query.form == Form::Binary) {
    decodeBinary(bytes, limits, query);
  } else if (bytes.starts_with('{')) {
    decodeJson(bytes, limits, query);
  } else {
    throw invalidRequest("a request begins with '{'");
  }
}

void checkFields(const Query& query, unsigned seen) {
  const Method method = query.method;
  const auto refuse = [method](std::string_view what) {
    throw invalidRequest(str(nameOf(method), ' ', what));
  };
  const bool hasSteps = method == Method::Batch;
  const bool ends = method == Method::Commit || method == Method::Rollback;
  const bool takesCursor = method == Method::Fetch || method == Method::Close;
  if (hasSql(method)) {
    if ((seen & kSqlField) == 0) throw invalidRequest("the request has no \"sql\"");
  } else if ((seen & kSqlField) != 0 || (!hasSteps && !query.params.empty()) ||
             (hasSteps && (seen & kParamsField) != 0)) {
    refuse("takes no \"sql\" and no \"params\"");
  }
  if (method == Method::Push && !query.params.empty()) refuse("takes no \"params\"");
  if (hasSteps && query.steps.empty()) refuse("needs \"steps\", at least one");
  if (!hasSteps && (seen & kStepsField) != 0) throw invalidRequest("only batch takes \"steps\"");
  if (ends && !query.transaction) refuse("needs a \"transaction\"");
  if (query.transaction && (takesCursor || method == Method::Push)) {
    refuse("takes no \"transaction\"");
  }
  if (takesCursor && !query.cursor) refuse("needs a \"cursor\"");
  if (!takesCursor && query.cursor) {
    throw invalidRequest("only fetch and close take a \"cursor\"");
  }
  if ((seen & kBehaviorField) != 0 && method != Method::Begin) {
    throw invalidRequest("only begin takes a \"behavior\"");
  }
}

void checkParamCount(std::uint64_t count, std::uint64_t before, const Limits& limits,
                     std::string_view where) {
  if (count > limits.parametersMax) {
    throw limitExceeded(
        str(where, " has more parameters than parametersMax, ", limits.parametersMax));
  }
  // Together they take much more memory on this side than in the request.
  if (before != 0 && before + count > limits.batchParametersMax) {
    throw limitExceeded(str("the request has more parameters than batchParametersMax, ",
                            limits.batchParametersMax, "; send it in pieces"));
  }
}

void failStepMethod(Method method, std::string_view where) {
  throw invalidRequest(str(where, " has the method \"", nameOf(method),
                           "\"; a batch takes run, all, values and get"));
}

void failExpected(std::string_view expected, std::size_t at) {
  throw invalidRequest(
      str("the request is not as it must be: expected ", expected, " at byte ", at));
}

Error answerTooLong(std::uint64_t resultBytesMax, Method method) {
  // Whoever reads in pieces already cannot take smaller ones.
  const bool isPiece = method == Method::Iterate || method == Method::Fetch;
  return limitExceeded(
      str(isPiece ? "a row" : "the answer", " is longer than resultBytesMax (",
          formatSize(resultBytesMax), "); ",
          isPiece ? "ask for fewer columns" : "read it in pieces with db.iterate(query)"));
}

}  // namespace schemascript

// Fuzz target: the decoder of requests. Arbitrary bytes are decoded or refused; and what is decoded
// means the same when it is written in the other form.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/base64.h"
#include "bridge/codec-rules.h"
#include "bridge/codec.h"
#include "bridge/text.h"

namespace schemascript {
namespace {

std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void require(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "decode-fuzz: it does not hold that %s\n", claim);
  std::abort();
}

// The parts of a JSON request. They know nothing of how the host writes answers.
class JsonWriter {
 public:
  static std::string write(const Query& query) {
    JsonWriter writer;
    writer.out_ = str(R"({"method":")", nameOf(query.method), '"');
    if (query.transaction) {
      writer.out_ += str(R"(,"transaction":)", static_cast<std::uint32_t>(*query.transaction));
    }
    if (query.cursor) {
      writer.out_ += str(R"(,"cursor":)", static_cast<std::uint32_t>(*query.cursor));
    }
    if (query.behavior == Behavior::Deferred) writer.out_ += R"(,"behavior":"deferred")";
    if (query.behavior == Behavior::Exclusive) writer.out_ += R"(,"behavior":"exclusive")";
    if (query.method == Method::Batch) {
      writer.steps(query);
    } else if (!query.steps.empty()) {
      writer.out_ += ',';
      writer.statement(query, query.steps.front());
    }
    return writer.out_ + '}';
  }

 private:
  void steps(const Query& query) {
    out_ += R"(,"steps":[)";
    for (const Step& step : query.steps) {
      if (out_.back() == '}') out_ += ',';
      out_ += str(R"({"method":")", nameOf(step.method), "\",");
      statement(query, step);
      out_ += '}';
    }
    out_ += ']';
  }

  void statement(const Query& query, const Step& step) {
    out_ += R"("sql":)";
    text(step.sql);
    out_ += R"(,"params":[)";
    for (const ValueView& value : query.paramsOf(step)) {
      if (out_.back() != '[') out_ += ',';
      param(value);
    }
    out_ += ']';
  }

  void param(const ValueView& value) {
    switch (value.kind) {
      case ValueKind::Null:
        out_ += "null";
        return;
      case ValueKind::Integer:
        out_ += str(R"({"$int":")", value.integer, "\"}");
        return;
      case ValueKind::Real:
        real(value.real);
        return;
      case ValueKind::Text:
        text(value.bytes);
        return;
      case ValueKind::Blob:
        out_ += R"({"$blob":")";
        appendBase64(out_, value.bytes);
        out_ += "\"}";
        return;
    }
  }

  void real(double real) {
    if (std::isinf(real)) {
      out_ += real < 0 ? R"({"$real":"-Infinity"})" : R"({"$real":"Infinity"})";
      return;
    }
    std::array<char, 40> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), real,
                                   std::chars_format::scientific)
                         .ptr;
    out_.append(digits.data(), end);
  }

  void text(std::string_view text) {
    require(tryAppendJsonString(out_, text), "a decoded text is UTF-8");
  }

  std::string out_;
};

class BinaryWriter {
 public:
  static std::string write(const Query& query) {
    BinaryWriter writer;
    const int behavior = query.behavior == Behavior::Deferred    ? 1
                         : query.behavior == Behavior::Exclusive ? 2
                                                                 : 0;
    writer.bytes({1, static_cast<int>(query.method), behavior, 0});
    writer.raw(query.transaction ? static_cast<std::uint32_t>(*query.transaction) : 0);
    writer.raw(query.cursor ? static_cast<std::uint32_t>(*query.cursor) : 0);
    if (query.method == Method::Batch) {
      writer.raw(static_cast<std::uint32_t>(query.steps.size()));
      for (const Step& step : query.steps) {
        writer.bytes({static_cast<int>(step.method), 0, 0, 0});
        writer.statement(query, step);
      }
    } else if (!query.steps.empty()) {
      writer.statement(query, query.steps.front());
    }
    return writer.out_;
  }

 private:
  template <typename Number>
  void raw(Number number) {
    out_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void bytes(std::initializer_list<int> bytes) {
    for (const int byte : bytes) out_ += static_cast<char>(byte);
  }
  void sized(std::string_view bytes) {
    raw(static_cast<std::uint32_t>(bytes.size()));
    out_ += bytes;
  }

  void statement(const Query& query, const Step& step) {
    sized(step.sql);
    if (step.method == Method::Push) return;
    raw(step.paramCount);
    for (const ValueView& value : query.paramsOf(step)) {
      bytes({static_cast<int>(value.kind)});  // The tags are in this order, too.
      if (value.kind == ValueKind::Integer) raw(value.integer);
      if (value.kind == ValueKind::Real) raw(value.real);
      if (value.kind == ValueKind::Text || value.kind == ValueKind::Blob) sized(value.bytes);
    }
  }

  std::string out_;
};

void requireSame(const Query& a, const Query& b) {
  require(a.method == b.method, "the method is the same in both forms");
  require(a.behavior == b.behavior, "the behavior is the same in both forms");
  require(a.transaction == b.transaction, "the transaction is the same in both forms");
  require(a.cursor == b.cursor, "the cursor is the same in both forms");
  require(a.steps.size() == b.steps.size(), "there are as many steps in both forms");
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    require(a.steps[i].method == b.steps[i].method, "a step's method is the same");
    require(a.steps[i].sql == b.steps[i].sql, "a step's SQL is the same");
    require(a.steps[i].paramCount == b.steps[i].paramCount, "a step's parameters are as many");
  }
  require(a.params.size() == b.params.size(), "there are as many parameters in both forms");
  for (std::size_t i = 0; i < a.params.size(); ++i) {
    const ValueView& x = a.params[i];
    const ValueView& y = b.params[i];
    require(x.kind == y.kind && x.integer == y.integer && x.bytes == y.bytes &&
                std::memcmp(&x.real, &y.real, sizeof x.real) == 0,
            "a parameter is the same in both forms");
  }
}

void requireOneStatement(const Query& query) {
  std::size_t params = 0;
  for (const Step& step : query.steps) {
    require(step.firstParam == params, "the parameters of a step are behind those before it");
    params += step.paramCount;
  }
  require(params == query.params.size(), "every parameter belongs to a step");
  const bool isBatch = query.method == Method::Batch;
  require(isBatch ? !query.steps.empty() : query.steps.size() == (hasSql(query.method) ? 1 : 0),
          "there are as many steps as the method has");
}

}  // namespace
}  // namespace schemascript

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  using namespace schemascript;
  // Small, so that they are met; the text is at most 8 times as long in the other form.
  const Limits limits{.requestBytesMax = 1u << 16, .batchParametersMax = 150, .parametersMax = 100};
  const Limits others{.requestBytesMax = 1u << 20, .batchParametersMax = 150, .parametersMax = 100};
  // Kept from one input to the next, as a session does.
  static Query query;
  try {
    decodeQuery(std::as_bytes(std::span(first, size)), limits, query);
  } catch (const Error& error) {
    require(error.code() == ErrorCode::InvalidRequest || error.code() == ErrorCode::LimitExceeded,
            "a request is refused as invalid or too large");
    std::string text;
    require(tryAppendJsonString(text, error.message()), "a message is UTF-8");
    require(error.message().size() < 300, "a message is short");
    return 0;
  }
  requireOneStatement(query);
  const bool wasBinary = query.form == Form::Binary;
  const std::string other = wasBinary ? JsonWriter::write(query) : BinaryWriter::write(query);
  Query again;
  decodeQuery(bytesOf(other), others, again);
  requireSame(query, again);
  // There is one way to write a request in the binary form.
  const std::string back = BinaryWriter::write(again);
  require(back == (wasBinary ? std::string(reinterpret_cast<const char*>(first), size) : other),
          "the binary form is the only one of its meaning");
  return 0;
}

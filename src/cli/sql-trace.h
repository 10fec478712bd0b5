// What --trace-sql shows: a line for each statement of an app, and their sum.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bridge/statement-trace.h"
#include "cli/text.h"

namespace schemascript {

// One thread.
class SqlTrace {
 public:
  using Write = std::function<void(std::string_view)>;

  // `write` gets whole lines. SQL is cut where a line would be longer than `columns`; 0: it is not.
  SqlTrace(Paint paint, std::size_t columns, Write write)
      : paint_(paint), columns_(columns), write_(std::move(write)) {}
  // To standard error, as wide as that is if it is a terminal.
  static SqlTrace onStandardError();

  // Its time, what came of it, and its SQL on one line; then the values and the error, if it has
  // them, each on a line of its own, which is not cut.
  void add(const TracedStatement& statement);
  // add() as a function. Keeps a reference to this object.
  StatementSink sink() {
    return [this](const TracedStatement& statement) { add(statement); };
  }
  // How many there were, what they took together, and the slowest one.
  void addSum();

 private:
  std::string begin(std::chrono::nanoseconds took) const;
  std::string fitted(std::string_view text, std::size_t before) const;

  const Paint paint_;
  const std::size_t columns_;
  const Write write_;
  std::uint64_t count_ = 0;
  std::uint64_t failed_ = 0;
  std::chrono::nanoseconds took_{};
  std::chrono::nanoseconds waited_{};
  std::chrono::nanoseconds slowest_{-1};
  std::string slowestText_;
};

}  // namespace schemascript

#include "cli/sql-trace.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "cli/output.h"

namespace schemascript {
namespace {

constexpr std::string_view kMark = "sql";
constexpr std::size_t kTimeColumns = 12;
constexpr std::size_t kOutcomeColumns = 10;
// Two blanks behind each of the columns.
constexpr std::size_t kTextColumn = kMark.size() + kTimeColumns + 2 + kOutcomeColumns + 2;
// Shorter pieces of SQL say nothing; the terminal breaks such lines.
constexpr std::size_t kTextColumnsMin = 20;
// Less is not worth a word.
constexpr std::chrono::milliseconds kWaitShown{1};

std::string rightAligned(std::string_view text, std::size_t columns) {
  return std::string(columns - std::min(columns, text.size()), ' ').append(text);
}

// What of the statement's text was executed, in which transaction.
std::string textOf(const TracedStatement& statement) {
  std::string text;
  if (statement.transaction) {
    text += str("tx ", static_cast<std::uint32_t>(*statement.transaction), ": ");
  }
  if (statement.method == Method::Push) text += "push: ";
  return text + oneLine(foldSql(statement.sql));
}

// 0 when it is no terminal, or one that does not tell.
std::size_t columnsOf(int file) noexcept {
  winsize size{};
  return ::ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

SqlTrace SqlTrace::onStandardError() {
  return {Paint(coloursFor(STDERR_FILENO)), columnsOf(STDERR_FILENO), writeToStandardError};
}

std::string SqlTrace::begin(std::chrono::nanoseconds took) const {
  return str(kMark, rightAligned(formatStatementTime(took), kTimeColumns), "  ");
}

// `text` behind `before` columns.
std::string SqlTrace::fitted(std::string_view text, std::size_t before) const {
  if (columns_ == 0) return std::string(text);
  return cutToColumns(text, std::max(columns_ - std::min(columns_, before), kTextColumnsMin));
}

void SqlTrace::add(const TracedStatement& statement) {
  const std::string text = textOf(statement);
  const bool failed = !statement.error.empty();
  ++count_;
  failed_ += failed ? 1 : 0;
  took_ += statement.took;
  waited_ += statement.waited;
  if (statement.took > slowest_) {
    slowest_ = statement.took;
    slowestText_ = text;
  }

  const std::string outcome = rightAligned(outcomeOf(statement), kOutcomeColumns);
  const std::string waited = statement.waited < kWaitShown
                                 ? ""
                                 : str("(waited ", formatStatementTime(statement.waited), ") ");
  const std::string indent(kTextColumn, ' ');
  std::string lines = str(paint_.quiet(begin(statement.took)),
                          failed ? paint_.error(outcome) : paint_.quiet(outcome), "  ",
                          waited.empty() ? "" : paint_.quiet(waited),
                          fitted(text, kTextColumn + waited.size()), '\n');
  if (!statement.values.empty()) {
    lines += str(indent, paint_.quiet(str("values ", oneLine(statement.values))), '\n');
  }
  if (failed) lines += str(indent, oneLine(statement.error), '\n');
  write_(lines);
}

void SqlTrace::addSum() {
  std::string sum = str("in ", count_, count_ == 1 ? " statement" : " statements");
  if (failed_ != 0) sum += str(", ", failed_, " of them failed");
  if (waited_ >= kWaitShown) sum += str(", waiting ", formatStatementTime(waited_), " of it");
  if (count_ > 1) {
    sum += str("; the slowest took ", formatStatementTime(slowest_), ": ", slowestText_);
  }
  const std::string time = begin(took_);
  write_(str(paint_.quiet(time), fitted(sum, time.size()), '\n'));
}

}  // namespace schemascript

#include "bridge/statement-trace.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.h"
#include "database/sql-text.h"

namespace schemascript {
namespace {

// How long the quoted text is that `sql` begins with; 0 when it begins with none. A quote that is
// written twice inside of it ends it here, and begins the next one.
std::size_t quotedLength(std::string_view sql) noexcept {
  const char first = sql.front();
  if (first != '\'' && first != '"' && first != '`' && first != '[') return 0;
  const std::size_t end = sql.find(first == '[' ? ']' : first, 1);
  return end == std::string_view::npos ? sql.size() : end + 1;
}

// `1 row`, `2 rows`.
std::string counted(std::uint64_t count, std::string_view what) {
  return str(count, ' ', what, count == 1 ? "" : "s");
}

}  // namespace

std::string foldSql(std::string_view sql) {
  std::string folded;
  folded.reserve(sql.size());
  while (!sql.empty()) {
    const std::string_view rest = skipBlanks(sql);
    if (rest.size() != sql.size()) {
      if (!folded.empty() && !rest.empty()) folded += ' ';
      sql = rest;
      continue;
    }
    const std::size_t length = std::max<std::size_t>(quotedLength(sql), 1);
    folded += sql.substr(0, length);
    sql.remove_prefix(length);
  }
  return folded;
}

std::string outcomeOf(const TracedStatement& statement) {
  if (!statement.error.empty()) return "failed";
  switch (statement.method) {
    case Method::Begin:
    case Method::Commit:
    case Method::Rollback:
    case Method::Push:
      return {};
    default:
      return statement.hasRows ? counted(statement.rows, "row")
                               : counted(static_cast<std::uint64_t>(statement.changes), "change");
  }
}

std::string formatStatementTime(std::chrono::nanoseconds time) {
  using std::chrono::microseconds;
  const auto all =
      std::max<std::int64_t>(0, std::chrono::duration_cast<microseconds>(time).count());
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%lld.%03lld ms", static_cast<long long>(all / 1'000),
                static_cast<long long>(all % 1'000));
  return text.data();
}

}  // namespace schemascript

// The syscall: decodes a request, has it executed in the right transaction, encodes the answer.
#include "bridge/session.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/error.h"
#include "database/database.h"

namespace schemascript {
namespace {

// The same error, with the news that it ended a transaction.
Error afterRollback(const Error& error) {
  std::string message = str(error.message(), "; the transaction was rolled back");
  if (error.detail() == nullptr) return {error.code(), std::move(message)};
  return {error.code(), std::move(message), *error.detail()};
}

}  // namespace

Session::Session(Database& database, SessionOptions options)
    : database_(database),
      options_(std::move(options)),
      transactions_(database),
      answer_(options_.limits) {
  SS_CHECK(!database_.inTransaction() && !database_.isAbandoned());
  database_.startRun(options_.limits.runTimeMax);
}

Session::~Session() = default;

std::uint32_t Session::query(std::span<const std::byte> request) {
  answer_.begin(Form::Json);
  fetched_ = 0;
  database_.throwIfInterrupted();
  try {
    execute(request);
  } catch (const Error& error) {
    const bool ended = transactions_.noticeEnd();
    if (error.code() == ErrorCode::GuestFailed || error.code() == ErrorCode::Internal) throw;
    if (!database_.isInterrupted()) {
      answer_.error(ended ? afterRollback(error) : error);
    }
  } catch (const std::bad_alloc&) {
    throw internal("there is no memory for a query's answer");
  }
  database_.throwIfInterrupted();
  const std::size_t length = answer_.bytes().size();
  SS_CHECK(length != 0 && length <= std::numeric_limits<std::uint32_t>::max(), length);
  return static_cast<std::uint32_t>(length);
}

std::uint32_t Session::copyResult(std::span<std::byte> destination) noexcept {
  const std::string_view left = answer_.bytes().substr(fetched_);
  const std::size_t count = std::min(left.size(), destination.size());
  if (count != 0) std::memcpy(destination.data(), left.data(), count);
  fetched_ += count;
  return static_cast<std::uint32_t>(count);
}

void Session::interrupt() noexcept { database_.interrupt(); }

std::size_t Session::finish() {
  answer_.begin(Form::Json);
  fetched_ = 0;
  return transactions_.rollbackAll();
}

void Session::execute(std::span<const std::byte> request) {
  decodeQuery(request, options_.limits, query_);
  answer_.begin(query_.form);
  if (query_.method == Method::Push) {
    if (!options_.pusher) throw notAllowed("this run may not push a schema");
    transactions_.check(std::nullopt);
    answer_.pushed(options_.pusher(database_, query_.steps.front().sql));
    return;
  }
  if (!options_.queriesRefusedBecause.empty()) throw notAllowed(options_.queriesRefusedBecause);
  switch (query_.method) {
    case Method::Begin:
      answer_.transaction(transactions_.begin(query_.transaction, query_.behavior));
      return;
    case Method::Commit:
      transactions_.commit(*query_.transaction);
      answer_.nothing();
      return;
    case Method::Rollback:
      transactions_.rollback(*query_.transaction);
      answer_.nothing();
      return;
    case Method::Batch:
    case Method::Iterate:
    case Method::Fetch:
    case Method::Close:
      throw notAllowed("there are no batches and no cursors yet");
    default:
      executeStatement();
  }
}

void Session::executeStatement() {
  transactions_.check(query_.transaction);
  Lease statement = database_.lend(query_.steps.front().sql);
  // A statement that has written when its answer becomes too long must not have written.
  if (!statement->isReadOnly() && statement->columnCount() > 0) {
    transactions_.atomically([this, &statement] { answerRows(*statement); });
  } else {
    answerRows(*statement);
  }
}

void Session::answerRows(Statement& statement) {
  const std::uint64_t rowsMax = options_.limits.resultRowsMax;
  // `get` needs one row, but a statement that writes may fail after its first.
  const bool stopsEarly = query_.method == Method::Get && statement.isReadOnly();
  Execution execution(statement, query_.params);
  answer_.openRows(query_.method);
  for (std::uint64_t rows = 0; execution.step(); ++rows) {
    if (query_.method == Method::Get && rows == 1) continue;
    if (rows == rowsMax) {
      throw limitExceeded(str("the answer has more rows than resultRowsMax, ", rowsMax,
                              "; ask for fewer at a time"));
    }
    answer_.openRow();
    // Counted only now: SQLite compiles again in step() when the schema has changed.
    const int columns = statement.columnCount();
    for (int column = 0; column < columns; ++column) answer_.value(execution.column(column));
    answer_.closeRow();
    if (stopsEarly) break;
  }
  answer_.closeRows(execution.finish());
}

}  // namespace schemascript

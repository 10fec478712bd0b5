// The syscall: decodes a request, has it executed on the right connection and in the right
// transaction, encodes the answer.
#include "bridge/session.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/units.h"
#include "database/database.h"

namespace schemascript {
namespace {

// Longer times are as good as none, and would not fit into nanoseconds.
constexpr std::chrono::milliseconds kLongestTime = std::chrono::hours(24 * 365);

Error with(const Error& error, std::string message, DatabaseErrorDetail detail) {
  return {error.code(), std::move(message), std::move(detail)};
}

DatabaseErrorDetail detailOf(const Error& error) {
  return error.detail() == nullptr ? DatabaseErrorDetail() : *error.detail();
}

// The same error, with the news that it ended a transaction.
Error afterRollback(const Error& error) {
  return with(error, str(error.message(), "; the transaction was rolled back"), detailOf(error));
}

// The same error, with the number of the statement that failed.
Error ofStep(const Error& error, std::size_t step) {
  DatabaseErrorDetail detail = detailOf(error);
  detail.step = static_cast<std::uint32_t>(step);
  return with(error, str("statement ", step, " of the batch: ", error.message()),
              std::move(detail));
}

std::uint32_t number(TransactionHandle handle) { return static_cast<std::uint32_t>(handle); }
std::uint32_t number(CursorHandle handle) { return static_cast<std::uint32_t>(handle); }

// The session itself has the turn to write: only the guest can end that wait.
Error mustWaitFor(TransactionHandle holder) {
  DatabaseErrorDetail detail;
  detail.waitsFor = number(holder);
  return {ErrorCode::Conflict,
          str("transaction ", number(holder),
              " is open and may write, and this request is not part of it; use its tx, or wait "
              "until it has ended"),
          std::move(detail)};
}

LimitExceeded tooManyRows(const Limits& limits) {
  return limitExceeded(str("the answers of this call have more rows than callRowsMax, ",
                           limits.callRowsMax, "; ask for fewer"));
}

LimitExceeded tooManyBytes(const Limits& limits) {
  return limitExceeded(str("the answers of this call are longer than callResultBytesMax (",
                           formatSize(limits.callResultBytesMax), "); ask for less"));
}

}  // namespace

struct Session::Seat {
  Seat(Connection own, std::uint32_t& lastTransaction)
      : connection(std::move(own)), transactions(*connection, lastTransaction) {}

  bool isIdle() const noexcept { return transactions.openCount() == 0 && cursors == 0; }

  std::optional<WriterTurn> turn;  // Ends after the connection's transaction.
  Connection connection;
  Transactions transactions;
  std::uint32_t cursors = 0;
};

// A statement that waits between two of its rows.
class Session::Cursor {
 public:
  // Copies the values, which the execution needs until its end.
  Cursor(CursorHandle own, Seat& on, std::optional<TransactionHandle> in, std::string_view sql,
         std::span<const ValueView> params, Tracer& tracer)
      : handle(own),
        seat(on),
        transaction(in),
        tracer_(tracer),
        values_(params.begin(), params.end()),
        bytes_(bytesOf(values_)),
        statement_(on.connection->lend(sql)) {
    if (!statement_->isReadOnly()) {
      throw invalidRequest("iterate is for statements that only read; use all()");
    }
    execution_.emplace(*statement_, values_);
    ++on.cursors;
  }
  ~Cursor() {
    if (execution_) --seat.cursors;
    tracer_.end(traced);
  }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  Statement& statement() noexcept { return *statement_; }
  Execution& execution() noexcept { return *execution_; }

  const CursorHandle handle;
  Seat& seat;
  const std::optional<TransactionHandle> transaction;  // The innermost one when it was opened.
  Tracer::Kept traced;                                 // Between two fetches.

 private:
  // Copies the texts and blobs, and makes the values views of the copy.
  static std::string bytesOf(std::vector<ValueView>& values) {
    std::string bytes;
    for (const ValueView& value : values) bytes += value.bytes;
    std::size_t at = 0;
    for (ValueView& value : values) {
      value.bytes = std::string_view(bytes).substr(at, value.bytes.size());
      at += value.bytes.size();
    }
    return bytes;
  }

  Tracer& tracer_;
  std::vector<ValueView> values_;
  const std::string bytes_;
  Lease statement_;
  std::optional<Execution> execution_;
};

Session::Session(ConnectionSource& source, SessionOptions options)
    : source_(source),
      options_(std::move(options)),
      sqlTimeMax_(std::min(options_.limits.sqlTimeMax, kLongestTime)),
      writer_(source.writers()),
      answer_(options_.limits),
      tracer_(std::move(options_.trace), options_.boundValues, cost_.rows) {
  options_.readOnly |= source.access() == Access::ReadOnly;
}

Session::~Session() {
  cursors_.clear();
  const std::lock_guard lock(interruptMutex_);
  connected_.clear();
}

std::uint32_t Session::query(std::span<const std::byte> request) {
  fetched_ = 0;
  rows_ = 0;
  throwIfInterrupted();
  try {
    execute(request);
  } catch (const Error& error) {
    cost_.answerBytes += answer_.size();
    const bool ended = noticeEnds();
    if (error.code() == ErrorCode::GuestFailed || error.code() == ErrorCode::Internal) {
      tracer_.tell();
      throw;
    }
    if (!interrupted_) answer_.error(ended ? afterRollback(error) : error);
  } catch (const std::bad_alloc&) {
    tracer_.tell();
    throw internal("there is no memory for a query's answer");
  }
  stopClock();
  settle();
  tracer_.tell();
  tracer_.throwFailure();
  throwIfInterrupted();
  const std::size_t length = answer_.bytes().size();
  cost_.answerBytes += length;
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

void Session::interrupt() noexcept {
  const std::lock_guard lock(interruptMutex_);
  interrupted_ = true;
  for (Database* const database : connected_) database->interrupt();
  writer_.cancel();
}

bool Session::hasTransaction() const noexcept {
  return std::ranges::any_of(seats_,
                             [](const auto& seat) { return seat->transactions.openCount() > 0; });
}

std::size_t Session::finish() {
  answer_.begin(Form::Json);
  fetched_ = 0;
  cursors_.clear();
  std::size_t open = 0;
  std::exception_ptr failure;
  for (const auto& seat : seats_) {
    try {
      open += seat->transactions.rollbackAll();
    } catch (const Error&) {
      failure = std::current_exception();  // The others are to be rolled back all the same.
    }
  }
  {
    const std::lock_guard lock(interruptMutex_);
    connected_.clear();
  }
  seats_.clear();
  tracer_.tell();
  if (failure) std::rethrow_exception(failure);
  tracer_.throwFailure();
  return open;
}

void Session::throwIfInterrupted() const {
  if (!interrupted_) return;
  throw limitExceeded(str("a query ran when the time was over: runTimeMax is ",
                          formatDuration(options_.limits.runTimeMax)));
}

// What only ends something is done whatever has been spent.
void Session::execute(std::span<const std::byte> request) {
  answer_.begin(Form::Json);
  decodeQuery(request, options_.limits, query_);
  answer_.begin(query_.form);
  if (query_.method != Method::Push && !options_.queriesRefusedBecause.empty()) {
    throw notAllowed(options_.queriesRefusedBecause);
  }
  switch (query_.method) {
    case Method::Commit:
    case Method::Rollback:
      return end();
    case Method::Close:
      return close();
    default:
      checkBudgets();
      return executeQuery();
  }
}

void Session::executeQuery() {
  if (query_.method == Method::Fetch) return fetch();
  countStatements();
  switch (query_.method) {
    case Method::Begin:
      return begin();
    case Method::Push:
      return push();
    case Method::Batch:
      return executeBatch();
    case Method::Iterate:
      return openCursor();
    default:
      return executeStatement();
  }
}

// Those that are used up already. A row or a byte too much has been counted.
void Session::checkBudgets() const {
  const Limits& limits = options_.limits;
  if (cost_.rows > limits.callRowsMax) throw tooManyRows(limits);
  if (cost_.answerBytes > limits.callResultBytesMax) throw tooManyBytes(limits);
  if (cost_.sqlTime >= sqlTimeMax_) failTimeOver();
}

// What does not fit is not begun, and not counted.
void Session::countStatements() {
  const std::uint64_t count = query_.method == Method::Batch ? query_.steps.size() : 1;
  const std::uint64_t max = options_.limits.statementsMax;
  if (count > max - std::min(cost_.statements, max)) {
    throw limitExceeded(str("this call has run ", cost_.statements, " statement",
                            cost_.statements == 1 ? "" : "s", " and asks for ", count,
                            " more; statementsMax is ", max, "; do more in each statement"));
  }
  cost_.statements += count;
}

void Session::countRow() {
  if (++cost_.rows > options_.limits.callRowsMax) throw tooManyRows(options_.limits);
}

// After each row: what an answer has beside its rows must not fail a statement that has written.
void Session::countBytes() const {
  if (answer_.size() + cost_.answerBytes > options_.limits.callResultBytesMax) {
    throw tooManyBytes(options_.limits);
  }
}

void Session::failTimeOver() const { throw timeIsOver(options_.limits.sqlTimeMax); }

// To be called with each connection that a request uses: what runs on it ends when the time of all
// requests is over.
Session::Seat& Session::use(Seat& seat) noexcept {
  seat.connection->useDeadline(deadline(), options_.limits.sqlTimeMax);
  return seat;
}

// When the time of all requests is over, as long as this one goes on.
std::chrono::steady_clock::time_point Session::deadline() noexcept {
  return startClock() + (sqlTimeMax_ - cost_.sqlTime);
}

std::chrono::steady_clock::time_point Session::startClock() noexcept {
  if (!inSqliteSince_) inSqliteSince_ = std::chrono::steady_clock::now();
  return *inSqliteSince_;
}

void Session::stopClock() noexcept {
  if (!inSqliteSince_) return;
  cost_.sqlTime += std::chrono::steady_clock::now() - *inSqliteSince_;
  inSqliteSince_.reset();
}

Tracer::Begun Session::tracedOf(const Step& step,
                                std::optional<TransactionHandle> transaction) const {
  return {.method = step.method,
          .transaction = transaction,
          .sql = step.sql,
          .values = query_.paramsOf(step)};
}

void Session::executeStatement() {
  Seat& seat = seatFor(query_.transaction);
  const Step& step = query_.steps.front();
  tracer_.statement(*seat.connection, tracedOf(step, query_.transaction), [&] {
    seat.transactions.check(query_.transaction);
    Lease statement = seat.connection->lend(step.sql);
    if (!statement->isReadOnly()) letWrite(seat);
    // A statement that has written when its answer becomes too long must not have written.
    if (!statement->isReadOnly() && statement->columnCount() > 0) {
      seat.transactions.atomically([&] { answerRows(*statement, step); });
    } else {
      answerRows(*statement, step);
    }
  });
}

void Session::executeBatch() {
  Seat& seat = seatFor(query_.transaction);
  const TransactionHandle transaction = beginIn(
      seat, query_.transaction, batchOnlyReads(seat) ? Behavior::Deferred : Behavior::Immediate);
  std::size_t step = 0;
  try {
    answer_.openBatch(static_cast<std::uint32_t>(query_.steps.size()));
    for (; step < query_.steps.size(); ++step) {
      const Step& each = query_.steps[step];
      tracer_.statement(*seat.connection, tracedOf(each, transaction), [&] {
        tracer_.takeCompilation(step);
        Lease statement = seat.connection->lend(each.sql);
        if (!statement->isReadOnly()) letWrite(seat);
        answerRows(*statement, each);
      });
    }
    answer_.closeBatch();
    commitIn(seat, transaction);
  } catch (const Error& error) {
    const bool endedAll =
        undoBatch(seat, transaction) && (query_.transaction || seat.transactions.hostHasEnded());
    const Error known = step == query_.steps.size() ? error : ofStep(error, step + 1);
    throw endedAll ? afterRollback(known) : known;
  }
}

// The guest does not know the transaction, and cannot end it. When it cannot be undone alone, then
// all of what it is part of is. True when that has happened, or SQLite had done it itself.
bool Session::undoBatch(Seat& seat, TransactionHandle transaction) {
  bool endedAll = seat.transactions.noticeEnd();
  if (!endedAll) {
    try {
      rollbackIn(seat, transaction);
      return false;
    } catch (const Error&) {
      seat.connection->rollbackOrAbandon();
      endedAll = seat.transactions.noticeEnd();
    }
  }
  seat.transactions.rollback(transaction);  // Of those that are lost.
  closeCursors(seat);
  return endedAll;
}

// A statement that is compiled here is in the cache when it runs. What does not compile may need
// what an earlier one creates.
bool Session::batchOnlyReads(Seat& seat) {
  tracer_.forgetCompilations();
  try {
    return std::ranges::all_of(query_.steps, [&](const Step& step) {
      bool isReadOnly = false;
      tracer_.compile(*seat.connection,
                      [&] { isReadOnly = seat.connection->lend(step.sql)->isReadOnly(); });
      return isReadOnly;
    });
  } catch (const Error&) {
    throwIfInterrupted();
    return false;
  }
}

void Session::begin() {
  Seat& seat = seatFor(query_.transaction);
  answer_.transaction(beginIn(seat, query_.transaction, query_.behavior));
}

TransactionHandle Session::beginIn(Seat& seat, std::optional<TransactionHandle> parent,
                                   Behavior behavior) {
  const auto openMax = options_.limits.openTransactionsMax;
  // The database has a limit of its own, which may be the larger one.
  if (const std::size_t open = seat.transactions.openCount(); open >= openMax) {
    throw limitExceeded(str(open, " transactions are open inside of each other; ",
                            "openTransactionsMax is ", openMax));
  }
  if (options_.readOnly) behavior = Behavior::Deferred;
  TransactionHandle begun{};
  tracer_.statement(*seat.connection,
                    {.method = Method::Begin,
                     .transaction = parent,
                     .sql = seat.transactions.sqlOfBegin(parent, behavior)},
                    [&] {
                      if (!parent && behavior != Behavior::Deferred) letWrite(seat);
                      begun = seat.transactions.begin(parent, behavior);
                      tracer_.inTransaction(begun);
                    });
  return begun;
}

void Session::commitIn(Seat& seat, TransactionHandle transaction) {
  tracer_.statement(*seat.connection,
                    {.method = Method::Commit,
                     .transaction = transaction,
                     .sql = seat.transactions.sqlOfCommit()},
                    [&] { seat.transactions.commit(transaction); });
}

void Session::rollbackIn(Seat& seat, TransactionHandle transaction) {
  tracer_.statement(*seat.connection,
                    {.method = Method::Rollback,
                     .transaction = transaction,
                     .sql = seat.transactions.sqlOfRollback()},
                    [&] { seat.transactions.rollback(transaction); });
}

void Session::end() {
  Seat& seat = seatFor(query_.transaction);
  if (query_.method == Method::Commit) {
    commitIn(seat, *query_.transaction);
  } else {
    rollbackIn(seat, *query_.transaction);
  }
  closeCursors(seat, query_.transaction);
  answer_.nothing();
}

void Session::push() {
  if (!options_.pusher || options_.capabilities) {
    throw notAllowed("this run may not push a schema");
  }
  Seat& seat = idleSeat();
  const std::string_view schema = query_.steps.front().sql;
  tracer_.statement(*seat.connection, {.method = Method::Push, .transaction = {}, .sql = schema},
                    [&] {
                      letWrite(seat);
                      answer_.pushed(options_.pusher(*seat.connection, schema));
                    });
}

void Session::openCursor() {
  if (cursors_.size() >= options_.limits.openCursorsMax) {
    throw limitExceeded(str(cursors_.size(), " cursors are open; openCursorsMax is ",
                            options_.limits.openCursorsMax,
                            "; let a loop over db.iterate() end before the next one begins"));
  }
  Seat& seat = seatFor(query_.transaction);
  const Step& step = query_.steps.front();
  tracer_.statement(*seat.connection, tracedOf(step, query_.transaction), [&] {
    seat.transactions.check(query_.transaction);
    cursors_.push_back(std::make_unique<Cursor>(CursorHandle{lastCursor_ + 1}, seat,
                                                query_.transaction, step.sql, query_.paramsOf(step),
                                                tracer_));
    ++lastCursor_;
    answerCursor(*cursors_.back());
  });
}

void Session::fetch() {
  const auto found = std::ranges::find(cursors_, *query_.cursor,
                                       [](const auto& cursor) { return cursor->handle; });
  if (found != cursors_.end()) {
    Cursor& cursor = **found;
    use(cursor.seat);
    return tracer_.goOn(*cursor.seat.connection, cursor.traced, [&] { answerCursor(cursor); });
  }
  const std::uint32_t wanted = number(*query_.cursor);
  if (wanted > lastCursor_) throw invalidRequest(str("there is no cursor ", wanted));
  throw conflict(
      str("cursor ", wanted, " is closed: its rows were at an end, or its transaction has ended"));
}

void Session::close() {
  const std::uint32_t wanted = number(*query_.cursor);
  if (wanted > lastCursor_) throw invalidRequest(str("there is no cursor ", wanted));
  std::erase_if(cursors_, [this](const auto& cursor) { return cursor->handle == *query_.cursor; });
  answer_.nothing();
}

// Closes the cursor at its end, and when it fails.
void Session::answerCursor(Cursor& cursor) {
  const auto drop = [this, &cursor] {
    std::erase_if(cursors_, [&cursor](const auto& each) { return each.get() == &cursor; });
  };
  try {
    answer_.openRows(Method::Iterate);
    const std::size_t begin = answer_.size();
    Execution& execution = cursor.execution();
    for (std::uint64_t rows = 0; rows < options_.limits.cursorBatchRowsMax; ++rows) {
      if (rows != 0 && answer_.size() - begin >= options_.limits.cursorBatchBytes) break;
      if (!execution.step()) {
        const Changes changes = execution.finish();
        tracer_.executed(true, changes);
        answer_.closeRows(changes);
        return drop();
      }
      countRow();
      answer_.openRow();
      const int columns = cursor.statement().columnCount();
      for (int column = 0; column < columns; ++column) answer_.value(execution.column(column));
      answer_.closeRow();
      countBytes();
    }
    answer_.closeRows({}, cursor.handle);
    tracer_.executed(true, {});
    tracer_.keepForLater(cursor.traced);
  } catch (...) {
    drop();
    throw;
  }
}

void Session::answerRows(Statement& statement, const Step& step) {
  const std::uint64_t rowsMax = options_.limits.resultRowsMax;
  // `get` needs one row, but a statement that writes may fail after its first.
  const bool stopsEarly = step.method == Method::Get && statement.isReadOnly();
  Execution execution(statement, query_.paramsOf(step));
  answer_.openRows(step.method);
  for (std::uint64_t rows = 0; execution.step(); ++rows) {
    if (step.method == Method::Get && rows == 1) continue;
    if (++rows_ > rowsMax) {
      throw limitExceeded(str("the answer has more rows than resultRowsMax, ", rowsMax,
                              "; read it in pieces with db.iterate(query)"));
    }
    countRow();
    answer_.openRow();
    // Counted only now: SQLite compiles again in step() when the schema has changed.
    const int columns = statement.columnCount();
    for (int column = 0; column < columns; ++column) answer_.value(execution.column(column));
    answer_.closeRow();
    countBytes();
    if (stopsEarly) break;
  }
  const Changes changes = execution.finish();
  tracer_.executed(statement.columnCount() > 0, changes);
  answer_.closeRows(changes);
}

Session::Seat& Session::seatFor(std::optional<TransactionHandle> handle) {
  if (!handle) return idleSeat();
  for (const auto& seat : seats_) {
    if (seat->transactions.holds(*handle)) return use(*seat);
  }
  if (number(*handle) <= lastTransaction_ && number(*handle) != 0) {
    throw conflict(str("transaction ", number(*handle), " has ended"));
  }
  throw invalidRequest(str("there is no transaction ", number(*handle)));
}

Session::Seat& Session::idleSeat() {
  for (const auto& seat : seats_) {
    if (seat->isIdle()) return use(*seat);
  }
  startClock();  // Opening a connection reads the file.
  std::optional<Connection> connection = source_.tryLendForRun(options_.limits.runTimeMax);
  if (!connection) return onlySeat();
  auto seat = std::make_unique<Seat>(std::move(*connection), lastTransaction_);
  Database& database = *seat->connection;
  database.useCapabilities(options_.capabilities);
  database.displayBoundValues(options_.boundValues);
  // Both have room first, so that a seat is either in both or in none.
  seats_.reserve(seats_.size() + 1);
  {
    const std::lock_guard lock(interruptMutex_);
    connected_.push_back(&database);
    if (interrupted_) database.interrupt();
  }
  seats_.push_back(std::move(seat));
  return use(*seats_.back());
}

// Where all that the guest does goes over one connection. What is outside of its transactions must
// not fall into one.
Session::Seat& Session::onlySeat() {
  SS_CHECK(seats_.size() == 1, seats_.size());
  Seat& seat = *seats_.front();
  if (seat.transactions.openCount() != 0) throw mustWaitFor(seat.transactions.outermost());
  return use(seat);
}

void Session::letWrite(Seat& seat) {
  if (seat.turn) return;
  if (options_.readOnly) throw notAllowed("this session may only read");
  for (const auto& other : seats_) {
    if (!other->turn) continue;
    if (other->transactions.openCount() != 0) throw mustWaitFor(other->transactions.outermost());
    other->connection->throwIfAbandoned();  // A rollback was due.
    other->turn.reset();
  }
  std::optional<WriterTurn> turn =
      tracer_.waiting([this] { return source_.writers().tryTakeTurn(writer_, deadline()); });
  if (!turn) failTimeOver();
  seat.turn.emplace(std::move(*turn));
}

void Session::closeCursors(const Seat& seat, std::optional<TransactionHandle> of) noexcept {
  std::erase_if(cursors_, [&seat, of](const auto& cursor) {
    return &cursor->seat == &seat && (!of || cursor->transaction == of);
  });
}

bool Session::noticeEnds() {
  bool ended = false;
  for (const auto& seat : seats_) {
    if (!seat->transactions.noticeEnd()) continue;
    closeCursors(*seat);
    ended = true;
  }
  return ended;
}

void Session::settle() noexcept {
  for (const auto& seat : seats_) {
    // Until a rollback that is due has succeeded, nobody else can write.
    const bool mayWrite = seat->transactions.openCount() != 0 || seat->connection->isAbandoned();
    if (!mayWrite) seat->turn.reset();
  }
  if (seats_.size() < 2) return;
  // One is kept for the next request.
  bool keptOne = false;
  const std::lock_guard lock(interruptMutex_);
  std::erase_if(seats_, [&](const auto& seat) {
    if (!seat->isIdle() || seat->transactions.holdsLost() || !std::exchange(keptOne, true)) {
      return false;
    }
    std::erase(connected_, &*seat->connection);
    return true;
  });
}

}  // namespace schemascript

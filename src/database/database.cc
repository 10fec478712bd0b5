// Opening and configuring a connection; compiling statements; stopping them.
#include "database/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "database/allocation.h"
#include "database/database-error.h"
#include "database/functions.h"
#include "database/search-functions.h"
#include "database/sql-text.h"
#include "database/watched-vfs.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// Virtual machine instructions between two looks at the stop flag: some ten microseconds.
constexpr int kProgressInstructions = 1'000;
constexpr std::chrono::milliseconds kTickInterval{100};
// Columns and tables that a compilation uses between two looks at the clock.
constexpr unsigned kAccessesBetweenLooks = 16;

constexpr std::uint64_t kPagesMax = 0xfffffffe;  // SQLite's own limit.

}  // namespace

void CloseConnection::operator()(sqlite3* raw) const noexcept { sqlite3_close_v2(raw); }

std::string_view Database::version() noexcept { return sqlite3_libversion(); }

Database::Database(DatabaseOptions options)
    : options_(std::move(options)),
      name_(options_.file.empty() ? "the database in memory" : options_.file.string()),
      use_(options_.limits),
      runTimeMax_(options_.limits.runTimeMax),
      cache_(*this) {
  open();
  configure();
  if (!options_.file.empty() && options_.access == Access::ReadWrite) useWriteAheadLog();
  const int status = registerSearchFunctions(handle_.get(), *this);
  if (status != SQLITE_OK) throwOpenError(status);
  sqlite3_set_authorizer(handle_.get(), &Database::onCompile, this);
}

std::string Database::pathForSqlite() const {
  SS_CHECK(options_.file.empty() || !options_.memory, "a file and a database in memory");
  if (options_.memory) return options_.memory->path();
  // An absolute path is never one of SQLite's special names, such as ":memory:" and "file:...".
  return options_.file.empty() ? ":memory:" : fs::absolute(options_.file).string();
}

void Database::open() {
  makeAllocationsInterruptible();
  const std::string path = pathForSqlite();
  const int mode = options_.access == Access::ReadOnly && !isPrivate()
                       ? SQLITE_OPEN_READONLY
                       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &raw, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      options_.memory ? MemoryFile::vfsName() : watchedVfs().zName);
  handle_.reset(raw);
  if (status != SQLITE_OK) throwOpenError(status);
  if (mode != SQLITE_OPEN_READONLY && sqlite3_db_readonly(raw, "main") == 1) {
    throwOpenError(SQLITE_READONLY);
  }
}

namespace {

// Virtual tables that exist without being made show what no guest may see: sqlite_stmt the
// statements of calls before, sqlite_dbpage and dbstat the pages of what was deleted. These are
// all that is left; fts3, fts4 and geopoly for files that have such tables already.
void dropModules(sqlite3* raw) noexcept {
  const char* kept[] = {"fts3",       "fts4",      "fts5",      "fts5vocab",
                        "geopoly",    "json_each", "json_tree", "jsonb_each",
                        "jsonb_tree", "rtree",     "rtree_i32", nullptr};
  sqlite3_drop_modules(raw, kept);
}

}  // namespace

void Database::configure() {
  sqlite3* const raw = handle_.get();
  sqlite3_busy_handler(raw, &Database::onBusy, this);
  sqlite3_progress_handler(raw, kProgressInstructions, &Database::onProgress, this);
  sqlite3_trace_v2(raw, SQLITE_TRACE_STMT, &Database::onStart, this);

  const std::pair<int, int> switches[] = {
      {SQLITE_DBCONFIG_ENABLE_FKEY, 1},     {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},  {SQLITE_DBCONFIG_DQS_DML, 0},
      {SQLITE_DBCONFIG_DQS_DDL, 0},         {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
  };
  for (const auto& [name, value] : switches) {
    const int status = sqlite3_db_config(raw, name, value, nullptr);
    if (status != SQLITE_OK) throwOpenError(status);
  }

  const Limits& limits = options_.limits;
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(raw, SQLITE_LIMIT_WORKER_THREADS, 0);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, static_cast<int>(limits.valueBytesMax));
  sqlite3_limit(raw, SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(limits.sqlBytesMax));
  sqlite3_limit(raw, SQLITE_LIMIT_COLUMN, static_cast<int>(limits.columnsMax));
  sqlite3_limit(raw, SQLITE_LIMIT_LIKE_PATTERN_LENGTH,
                static_cast<int>(limits.likePatternBytesMax));
  sqlite3_limit(raw, SQLITE_LIMIT_VARIABLE_NUMBER, static_cast<int>(limits.parametersMax));
  authorizer_.nestedTriggersMax = limits.nestedTriggersMax;
  dropModules(raw);
  const int status = registerFunctions(raw, *this);
  if (status != SQLITE_OK) throwOpenError(status);
}

void Database::useWriteAheadLog() {
  // The first access to the file: what is wrong with it shows here. Nothing is written when the
  // file has a write-ahead log already.
  for (const char* pragma : {"pragma journal_mode = wal", "pragma synchronous = normal"}) {
    const auto begin = std::chrono::steady_clock::now();
    int status = SQLITE_OK;
    // Where two processes make the same file a database at once, SQLite says busy without asking
    // the busy handler: each holds what the other one waits for, until it gives up.
    for (;;) {
      status = sqlite3_exec(handle_.get(), pragma, nullptr, nullptr, nullptr);
      if ((status & 0xff) != SQLITE_BUSY || isInterrupted()) break;
      if (std::chrono::steady_clock::now() - begin >= options_.limits.busyTimeMax) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (status != SQLITE_OK) throwOpenError(status);
  }
}

// Before a connection writes for the first time, and not when it is opened: SQLite reads the schema
// for the size. A database that is larger already keeps its size: it can be read, and what was
// deleted in it used again.
void Database::settleBeforeWriting() {
  Statement sizeOfPages = prepare("pragma page_size", Rules::Host);
  Execution execution(sizeOfPages);
  SS_CHECK(execution.step(), "no page size");
  const auto pageBytes = static_cast<std::uint64_t>(execution.column(0).integer);
  execution.finish();
  const std::uint64_t pages = options_.limits.databaseBytesMax / pageBytes;
  execute(str("pragma max_page_count = ", std::clamp<std::uint64_t>(pages, 1, kPagesMax)),
          Rules::Host);
  // What is deleted becomes zeros where its page is written anyway. Debian's SQLite writes each
  // page that becomes free, too: a table that is dropped would be written once more, whole.
  execute("pragma secure_delete = fast", Rules::Host);
  isSettled_ = true;
}

// SQLite moves the log into the database after a commit only, and without room there is none:
// a full log would stay full. Failing costs nothing; the statement says what is wrong.
void Database::makeRoom() noexcept {
  if (inTransaction()) return;
  wasFull_ = false;
  sqlite3_wal_checkpoint_v2(handle_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void Database::throwOpenError(int status) const {
  switch (status & 0xff) {
    case SQLITE_NOMEM:
      throw unavailable(
          str("cannot open ", name_, ": there is no memory left; try again later (SQLITE_NOMEM)"));
    case SQLITE_FULL:
      throw unavailable(str("cannot open ", name_,
                            ": there is no space left on its disk; free some and try again "
                            "(SQLITE_FULL)"));
    case SQLITE_IOERR:
      throw unavailable(str("cannot open ", name_,
                            ": reading or writing failed; look after its disk and try again "
                            "(SQLITE_IOERR, ",
                            status, ")"));
    default:
      break;
  }
  if (!options_.file.empty()) throwFileError(status);
  throw unavailable(str("cannot open ", name_, ": ", sqlite3_errstr(status)));
}

// What the file system says about a file that SQLite could not open.
void Database::throwFileError(int status) const {
  const fs::path absolute = fs::absolute(options_.file);
  const std::string folder = absolute.parent_path().string();
  std::error_code ignored;
  switch (status & 0xff) {
    case SQLITE_CANTOPEN:
      if (!fs::exists(absolute.parent_path(), ignored)) {
        throw invalidRequest(
            str("cannot open ", name_, ": there is no folder ", folder, "; create it first"));
      }
      if (fs::is_directory(absolute, ignored)) {
        throw invalidRequest(str("cannot open ", name_, ": it is a folder; name a file in it"));
      }
      if (options_.access == Access::ReadOnly && !fs::exists(absolute, ignored)) {
        throw invalidRequest(str("cannot open ", name_, ": there is no such file"));
      }
      [[fallthrough]];
    case SQLITE_READONLY:
    case SQLITE_PERM:
      throw unavailable(str("cannot open ", name_, ": the file or its folder ", folder,
                            " cannot be written; change the permissions or choose another file"));
    case SQLITE_BUSY:
      throw Busy(str("cannot open ", name_,
                     ": another process has locked it for longer than "
                     "busyTimeMax (",
                     formatDuration(options_.limits.busyTimeMax),
                     "); end that process or try again later"),
                 {.sqliteCode = "SQLITE_BUSY", .extendedCode = status});
    case SQLITE_NOTADB:
      throw invalidRequest(str("cannot open ", name_,
                               ": it is not a SQLite database; it was left as "
                               "it is, choose another file"));
    case SQLITE_CORRUPT:
      throw unavailable(str("cannot open ", name_,
                            ": the file is damaged; restore it from a backup, "
                            "or try the .recover command of the sqlite3 program"));
    default:
      throw unavailable(str("cannot open ", name_, ": ",
                            handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(status)));
  }
}

LimitExceeded timeIsOver(std::chrono::milliseconds sqlTimeMax) {
  return limitExceeded(
      str("the statements of this call have taken all of their time: sqlTimeMax is ",
          formatDuration(sqlTimeMax)));
}

void Database::throwIfInterrupted() const {
  if (!isInterrupted()) {
    lookAtClock();
    if (timeIsOver_) throw timeIsOver(sqlTimeMax_);
    return;
  }
  throw limitExceeded(
      str("a query ran when the time was over: runTimeMax is ", formatDuration(runTimeMax_)));
}

Statement Database::prepare(std::string_view sql, Rules rules) {
  std::size_t end = 0;
  std::optional<Statement> statement = tryPrepareNext(sql, end, rules);
  if (!statement) throw invalidRequest("the SQL text holds no statement");
  if (!skipBlanks(sql.substr(end)).empty()) {
    throw invalidRequest("the SQL text holds a second statement; send one at a time");
  }
  return std::move(*statement);
}

std::optional<Statement> Database::tryPrepareNext(std::string_view sql, std::size_t& at,
                                                  Rules rules) {
  throwIfAbandoned();
  const auto sqlBytesMax = options_.limits.sqlBytesMax;
  if (sql.size() > sqlBytesMax) {
    throw limitExceeded(
        str("the SQL text has ", sql.size(), " bytes; sqlBytesMax is ", formatSize(sqlBytesMax)));
  }
  if (sql.find('\0') != std::string_view::npos) {
    throw invalidRequest("the SQL text holds a NUL character; bind the text as a parameter");
  }
  while (!skipBlanks(sql.substr(at)).empty()) {
    const std::string_view left = sql.substr(at);
    StatementFacts facts;
    authorizer_.rules = rules;
    authorizer_.facts = &facts;
    authorizer_.refusal.clear();
    const auto capabilities = rules == Rules::Guest ? capabilities_ : nullptr;
    authorizer_.capabilities = capabilities.get();
    authorizer_.sql = left;
    authorizer_.running = nullptr;
    authorizer_.commonTables.clear();
    if (capabilities && !capabilities->readsEverything() && joinsByColumnNames(left)) {
      throw notAllowed(
          "NATURAL JOIN and JOIN ... USING are not allowed for this session, because SQLite does "
          "not tell which columns they read; write JOIN ... ON");
    }
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const AllocationScope allocations(*this);
    const auto compile = [&] {
      return sqlite3_prepare_v3(handle_.get(), left.data(), static_cast<int>(left.size()),
                                SQLITE_PREPARE_PERSISTENT, &raw, &rest);
    };
    int status = compile();
    if (status == SQLITE_INTERRUPT && rules == Rules::Host) {
      endGuests();
      status = compile();
    }
    StatementHandle statement(raw);
    authorizer_.facts = nullptr;
    if (status != SQLITE_OK) {
      if (mustStop()) throwIfInterrupted();
      throwDatabaseError(handle_.get(), status,
                         {.database = *this,
                          .values = BoundValues::None,
                          .refusal = authorizer_.refusal,
                          .facts = facts,
                          .sql = sql,
                          .sqlAt = at});
    }
    checkCommonTables();
    const std::string_view compiled = left.substr(0, static_cast<std::size_t>(rest - left.data()));
    if (rules != Rules::Host && nestsTokenizers(compiled)) {
      throw notAllowed(
          "a tokenizer of FTS5 is nested too deeply; name porter once, before the tokenizer that "
          "it works on");
    }
    if (rules != Rules::Host && leavesOutPositions(compiled)) {
      throw notAllowed(
          "the option detail of FTS5 is not available; leave it out, so that rank, highlight and "
          "snippet work");
    }
    at += static_cast<std::size_t>(rest - left.data());
    // A lone semicolon compiles to nothing.
    if (statement) {
      return Statement(*this, std::move(statement), rules, capabilities, std::move(facts));
    }
  }
  return std::nullopt;
}

Statement& Database::command(std::size_t index, std::string_view sql) {
  if (index >= commands_.size()) commands_.resize(index + 1);
  std::unique_ptr<Statement>& kept = commands_[index];
  if (!kept) kept = std::make_unique<Statement>(prepare(sql, Rules::Host));
  return *kept;
}

void Database::checkCommonTables() {
  std::vector<std::string> names;
  names.swap(authorizer_.commonTables);
  for (const std::string& name : names) {
    if (capabilities_->readsSomeOf(name)) continue;
    Statement known = prepare(
        "select 1 from sqlite_schema where type in ('table', 'view') and name = ? collate nocase",
        Rules::Host);
    const ValueView value = ValueView::ofText(name);
    Execution execution(known, {&value, 1});
    if (!execution.step()) continue;
    throw notAllowed(str("reading ", name,
                         " is not allowed for this session; if that is the name of a WITH of the "
                         "statement, choose another one"));
  }
}

// Ends what a guest has begun. Nothing of it may go on.
void Database::endGuests() noexcept {
  const AllocationScope allocations(*this);
  for (Execution* each = guests_; each != nullptr; each = each->next_) {
    sqlite3_reset(each->raw_);
    each->wasEnded_ = true;
  }
}

void Database::refuseCommits() noexcept {
  sqlite3_commit_hook(handle_.get(), [](void*) { return 1; }, nullptr);
}

void Database::allowCommits() noexcept { sqlite3_commit_hook(handle_.get(), nullptr, nullptr); }

bool Database::inTransaction() const noexcept { return sqlite3_get_autocommit(handle_.get()) == 0; }

void Database::rollbackOrAbandon() noexcept {
  if (!inTransaction()) return;
  try {
    execute("rollback", Rules::Host);
  } catch (...) {
    rollbackIsDue_ = true;
  }
}

void Database::recover() {
  SS_CHECK(!abandoned_, "a transaction was left open");
  rollbackIsDue_ = false;
  rollbackOrAbandon();
  if (rollbackIsDue_) {
    throw unavailable(str("a failed transaction on ", name_,
                          " cannot be rolled back yet; free memory and try again"));
  }
}

void Database::stopIfOver() const noexcept {
  if (mustStopNow()) sqlite3_interrupt(handle_.get());
}

void Database::interrupt() noexcept {
  // SQLite forgets its own interrupt when nothing runs; the flag is what a later statement sees.
  stop_.store(true, std::memory_order_release);
  sqlite3_interrupt(handle_.get());
}

void Database::startRun(std::chrono::milliseconds runTimeMax) noexcept {
  startRunWithin(runTimeMax);
  stop_.store(false, std::memory_order_relaxed);
}

void Database::startRunWithin(std::chrono::milliseconds runTimeMax) noexcept {
  runTimeMax_ = runTimeMax;
  deadline_ = Clock::time_point::max();
  timeIsOver_ = false;
  changesBeforeRun_ = sqlite3_total_changes64(handle_.get());
  sqlite3_set_last_insert_rowid(handle_.get(), 0);
}

std::int64_t Database::changes() const noexcept {
  // As long as nothing was changed, the last change is the one before startRun().
  return totalChanges() == 0 ? 0 : sqlite3_changes64(handle_.get());
}

std::int64_t Database::totalChanges() const noexcept {
  return sqlite3_total_changes64(handle_.get()) - changesBeforeRun_;
}

int Database::onCompile(void* self, int action, const char* first, const char* second,
                        const char* schema, const char* trigger) noexcept {
  auto& database = *static_cast<Database*>(self);
  // Views of views of views take seconds to compile.
  if (++database.compiled_ % kAccessesBetweenLooks == 0) database.lookAtClock();
  if (database.mustStop()) return SQLITE_DENY;
  return Authorizer::authorize(&database.authorizer_, action, first, second, schema, trigger);
}

int Database::onStart(unsigned, void* self, void*, void*) noexcept {
  // The first instruction of every statement, when SQLite has just forgotten an earlier interrupt.
  // One that fell between our look at the flag and that, a bare count(*) would not see again.
  auto& database = *static_cast<Database*>(self);
  if (database.tick_) [[unlikely]] {
    database.tick();
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);  // SQLite forgets first, then we look.
  if (database.mustStop()) sqlite3_interrupt(database.handle_.get());
  return 0;
}

int Database::onProgress(void* self) noexcept {
  auto& database = *static_cast<Database*>(self);
  if (database.tick_) [[unlikely]] {
    database.tick();
  }
  return database.mustStopNow();
}

void Database::useTick(std::function<void(std::uint64_t)> tick) {
  tick_ = std::move(tick);
  tickedAt_ = Clock::now();
  rowsWritten_ = 0;
  const auto count = [](void* rows, int, const char*, const char*, long long) {
    ++*static_cast<std::uint64_t*>(rows);
  };
  sqlite3_update_hook(handle_.get(), tick_ ? +count : nullptr, &rowsWritten_);
}

void Database::tick() noexcept {
  const auto now = Clock::now();
  if (now - tickedAt_ < kTickInterval) return;
  tickedAt_ = now;
  tick_(rowsWritten_);
}

int Database::onBusy(void* self, int attempt) noexcept {
  auto& database = *static_cast<Database*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (attempt == 0) database.busySince_ = now;
  if (database.isInterrupted() || now >= database.deadline_) return 0;
  if (now - database.busySince_ >= database.options_.limits.busyTimeMax) return 0;
  // From 100 us to 5 ms: a writer of this kind is done in less than the first.
  std::this_thread::sleep_for(
      std::chrono::microseconds(std::min(100 << std::min(attempt, 10), 5'000)));
  database.lockWait_ += std::chrono::steady_clock::now() - now;
  return 1;
}

}  // namespace schemascript

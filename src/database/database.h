// One connection to one SQLite database, opened with the settings that every guest meets.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "database/authorizer.h"
#include "database/capabilities.h"
#include "database/connection-use.h"
#include "database/memory-vfs.h"
#include "database/statement-cache.h"
#include "database/statement.h"

struct sqlite3;

namespace schemascript {

enum class Access : std::uint8_t { ReadWrite, ReadOnly };

struct DatabaseOptions {
  // Empty, without `memory`: a database in memory, which ends with the object.
  std::filesystem::path file{};
  // With ReadWrite, a file that does not exist is created.
  Access access = Access::ReadWrite;
  // Instead of `file`: a database in memory that several connections share. Owned together with
  // all of them.
  std::shared_ptr<MemoryFile> memory{};
  Limits limits{};
};

// Whether messages of failed statements end with the values that were bound to them.
enum class BoundValueDisplay : std::uint8_t { Hidden, Shown };

struct CloseConnection {
  void operator()(sqlite3* raw) const noexcept;
};

// The error of a statement that was ended, or is not begun, because sqlTimeMax is over.
LimitExceeded timeIsOver(std::chrono::milliseconds sqlTimeMax);

// Belongs to one thread, but for interrupt(). Leases and statements must end before it.
class Database {
 public:
  // Throws InvalidRequest (no such folder, not a database) or Unavailable (not writable, locked,
  // damaged): one sentence that names the file and what to do.
  explicit Database(DatabaseOptions options);
  // SQLite's, such as `3.46.1`. Valid for ever.
  static std::string_view version() noexcept;
  ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // A guest's statement, from the cache. Throws InvalidRequest, NotAllowed, LimitExceeded.
  Lease lend(std::string_view sql) { return cache_.lend(sql); }

  // Compiles exactly one statement, outside of the cache. Throws InvalidRequest when `sql` holds
  // none, or more than one.
  Statement prepare(std::string_view sql, Rules rules);
  // Compiles the statement that begins at the byte `at` of `sql`, and moves `at` behind it; nothing
  // when only blanks and comments are left.
  std::optional<Statement> tryPrepareNext(std::string_view sql, std::size_t& at, Rules rules);
  // One statement without parameters whose rows nobody wants.
  void execute(std::string_view sql, Rules rules) { prepare(sql, rules).run(); }

  // One of the host's own statements, compiled at its first use and kept: `index` counts from 0
  // over a short list that is the same for all callers. Valid as long as the database.
  Statement& command(std::size_t index, std::string_view sql);

  // Restricts guests' statements that are compiled from now on, those of lend() included, to what
  // `capabilities` names; null: no restriction. Statements that were lent before keep theirs.
  void useCapabilities(std::shared_ptr<const Capabilities> capabilities) noexcept {
    capabilities_ = std::move(capabilities);
  }
  const std::shared_ptr<const Capabilities>& capabilities() const noexcept { return capabilities_; }

  // For statements that begin from now on. Hidden, as it is at first: no message holds any.
  void displayBoundValues(BoundValueDisplay display) noexcept { display_ = display; }
  bool showsBoundValues() const noexcept { return display_ == BoundValueDisplay::Shown; }

  // Until allowCommits(), SQLite rolls back what would be committed, on whoever's behalf: COMMIT,
  // or the end of a statement outside of transactions, fails with Conflict.
  void refuseCommits() noexcept;
  void allowCommits() noexcept;

  // True from BEGIN or SAVEPOINT until the end of the transaction, which SQLite may also bring
  // about itself when it fails.
  bool inTransaction() const noexcept;

  // Stops the running statement, and every later one, with LimitExceeded naming runTimeMax; the
  // wait for a lock, too. From any thread.
  void interrupt() noexcept;
  bool isInterrupted() const noexcept { return stop_.load(std::memory_order_relaxed); }
  // Throws the LimitExceeded that an interrupt stands for, or the end of useDeadline().
  void throwIfInterrupted() const;
  // Whether the statement that runs, or ran last, is not one of the host's own.
  bool runsGuest() const noexcept { return authorizer_.rules != Rules::Host; }
  // Whether the statement that runs must end: after an interrupt and, once somebody has looked,
  // after its deadline; unless it is one of the host's, which cleans up.
  bool mustStop() const noexcept { return (isInterrupted() || timeIsOver_) && runsGuest(); }
  // The same with a look at the clock, some 25 ns.
  bool mustStopNow() const noexcept {
    lookAtClock();
    return mustStop();
  }
  // For the next guest: takes back an interrupt, the deadline, and what the SQL functions
  // last_insert_rowid(), changes() and total_changes() know of the one before. The next interrupt
  // will name this `runTimeMax`.
  void startRun(std::chrono::milliseconds runTimeMax) noexcept;
  // The same for a guest in the middle of what the host does on this connection: an interrupt
  // stands.
  void startRunWithin(std::chrono::milliseconds runTimeMax) noexcept;
  // What changes() and total_changes() answer: those since startRun().
  std::int64_t changes() const noexcept;
  std::int64_t totalChanges() const noexcept;
  // What runs at `deadline`, or begins later, ends with LimitExceeded naming sqlTimeMax; the wait
  // for a lock, too. Until the next call. Not the host's own statements, which only wait no longer.
  void useDeadline(std::chrono::steady_clock::time_point deadline,
                   std::chrono::milliseconds sqlTimeMax) noexcept {
    deadline_ = deadline;
    sqlTimeMax_ = sqlTimeMax;
    timeIsOver_ = false;
  }

  // After a transaction that nobody could end: every further use throws Internal. The end of this
  // object rolls back.
  void abandon() noexcept { abandoned_ = true; }
  // Whether another guest may have it. Not after SQLite was without memory, as it is when an
  // interrupt ends a long instruction.
  bool isReusable() const noexcept { return isReusable_ && !isAbandoned(); }
  // Rolls back what is open while an error is on its way. When that fails, too, as without memory,
  // the next use tries it again first, and throws Unavailable as long as it fails.
  void rollbackOrAbandon() noexcept;
  // A transaction is still open that no request can belong to any more.
  bool isAbandoned() const noexcept { return abandoned_ || rollbackIsDue_; }
  // What every use does first. Throws Internal after abandon(), Unavailable while a rollback is due
  // and fails again.
  void throwIfAbandoned() {
    if (isAbandoned()) [[unlikely]] {
      recover();
    }
  }

  // Stops the statement that runs now, once it must stop: for long instructions that look at
  // SQLite's own flag only. To be called from inside of SQLite.
  void stopIfOver() const noexcept;
  // All that statements have waited for the locks of other connections, since it was opened.
  std::chrono::nanoseconds lockWait() const noexcept { return lockWait_; }
  // What it has taken; changed while SQLite is called.
  ConnectionUse& use() const noexcept { return use_; }

  // From now on, `tick` is called from inside of SQLite some ten times a second while a statement
  // runs, with the rows that were written since this call, but for those of WITHOUT ROWID tables.
  // It must not use the database, nor throw. Empty: no more.
  void useTick(std::function<void(std::uint64_t rowsWritten)> tick);

  // How messages name it: the file as it was given, or "the database in memory".
  const std::string& name() const noexcept { return name_; }
  // What it was opened with; null for a file, and for a database of this connection alone.
  const MemoryFile* memory() const noexcept { return options_.memory.get(); }
  Access access() const noexcept { return options_.access; }
  const Limits& limits() const noexcept { return options_.limits; }
  const StatementCache::Counters& cacheCounters() const noexcept { return cache_.counters(); }

 private:
  using Clock = std::chrono::steady_clock;
  friend class Execution;

  void lookAtClock() const noexcept {
    if (!timeIsOver_ && Clock::now() >= deadline_) timeIsOver_ = true;
  }
  // What a guest's statement asks before it takes a step.
  bool mustNotStep() const noexcept { return isInterrupted() || timeIsOver_; }

  std::string pathForSqlite() const;
  void open();
  void configure();
  void useWriteAheadLog();
  void settleBeforeWriting();
  void makeRoom() noexcept;
  void recover();
  void endGuests() noexcept;
  bool isPrivate() const noexcept { return options_.file.empty() && !options_.memory; }
  [[noreturn]] void throwOpenError(int status) const;
  void checkCommonTables();
  [[noreturn]] void throwFileError(int status) const;

  static int onCompile(void* self, int action, const char* first, const char* second,
                       const char* schema, const char* trigger) noexcept;
  static int onStart(unsigned event, void* self, void* statement, void* sql) noexcept;
  static int onProgress(void* self) noexcept;
  static int onBusy(void* self, int attempt) noexcept;
  void tick() noexcept;

  const DatabaseOptions options_;
  const std::string name_;
  mutable ConnectionUse use_;
  std::atomic<bool> stop_{false};
  std::chrono::milliseconds runTimeMax_;
  std::chrono::milliseconds sqlTimeMax_{};
  Clock::time_point deadline_ = Clock::time_point::max();
  mutable bool timeIsOver_ = false;  // The deadline has passed, and somebody has looked.
  std::int64_t changesBeforeRun_ = 0;
  bool abandoned_ = false;
  bool rollbackIsDue_ = false;  // Since a rollbackOrAbandon() that failed.
  bool isReusable_ = true;
  // From SQLITE_FULL until makeRoom().
  bool wasFull_ = false;
  bool isSettled_ = false;  // As settleBeforeWriting() leaves it.
  Clock::time_point busySince_;
  std::chrono::nanoseconds lockWait_{};
  std::function<void(std::uint64_t)> tick_;
  Clock::time_point tickedAt_;
  std::uint64_t rowsWritten_ = 0;
  unsigned compiled_ = 0;  // Accesses that were compiled; may wrap around.
  Authorizer authorizer_;
  // Shared with the session that has the connection, and with its statements.
  std::shared_ptr<const Capabilities> capabilities_;
  BoundValueDisplay display_ = BoundValueDisplay::Hidden;
  Execution* guests_ = nullptr;  // Those that are not finished; they take themselves out.
  // Destroyed after the statements and before what its callbacks use.
  std::unique_ptr<sqlite3, CloseConnection> handle_;
  StatementCache cache_;
  std::vector<std::unique_ptr<Statement>> commands_;
};

}  // namespace schemascript

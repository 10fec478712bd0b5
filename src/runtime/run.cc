#include "runtime/run.h"

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"
#include "database/host-transaction.h"
#include "runtime/guest-options.h"

namespace schemascript {
namespace {

namespace json = boost::json;

std::string textAt(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The guest's word again: what is not as it should be is left out.
std::vector<EmittedFile> emittedFiles(const std::string& text) {
  std::vector<EmittedFile> files;
  boost::system::error_code invalid;
  const json::value parsed = json::parse(text, invalid);
  if (invalid || !parsed.is_array()) return files;
  for (const json::value& file : parsed.get_array()) {
    if (!file.is_object()) continue;
    files.push_back({textAt(file.get_object(), "fileName"), textAt(file.get_object(), "text")});
  }
  return files;
}

// Waiting that another thread can end, once and for all.
class Pause {
 public:
  // False when it was ended before `time`.
  bool waitUntil(Watchdog::Clock::time_point time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_until(lock, time, [this] { return isEnded_; });
  }

  void end() noexcept {
    {
      const std::lock_guard lock(mutex_);
      isEnded_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool isEnded_ = false;
};

class Run {
 public:
  Run(const Engine& engine, Watchdog& watchdog, ConnectionSource& source, RunOptions& options)
      : options_(options),
        deadline_(Watchdog::Clock::now() + options.limits.runTimeMax),
        session_(source, sessionOptions(options)),
        instance_(engine, engine.snapshot(), {options.limits, options.log}) {
    instance_.attach(&session_);
    watch_.emplace(watchdog, instance_.supervised(), deadline_);
  }

  // When it throws, the session is not finished.
  RunReport untilItEnds(std::string_view bundle) {
    try {
      if (!instance_.start(startOptions()) || !instance_.evaluate(bundle)) {
        return failed();
      }
      for (;;) {
        const Progress progress = instance_.poll();
        if (progress.state == Progress::State::Finished) break;
        if (progress.state != Progress::State::Waiting) return failed();
        const auto until = wakeUpAt(progress.wait, deadline_);
        if (!pause_.waitUntil(until)) return stoppedWaiting(CallEnd::Cancelled);
        if (until == deadline_) return stoppedWaiting(CallEnd::TimeExceeded);
      }
      if (options_.push != PushWhen::Never && !instance_.push()) {
        return failed();
      }
      return options_.emit.empty() ? RunReport() : emit();
    } catch (const Error& error) {
      return reportOf(endingAsThrown(error, instance_));
    }
  }

  // Once, behind untilItEnds().
  void finish(RunReport& report) {
    report.memoryBytes = instance_.memoryBytes();
    report.rolledBack = session_.finish();
    watch_.reset();
    report.fuel = instance_.usage().fuel;
  }

  // The same after it has thrown.
  void abandon() noexcept {
    try {
      session_.finish();
    } catch (...) {  // What ended the run is what to tell.
    }
  }

  // The guest ends, from any thread; before finish().
  void stop() noexcept {
    watch_->stop();
    pause_.end();
  }

  bool isOutOfTime() noexcept {
    const Supervised& guest = instance_.supervised();
    return guest.askedToStop && !guest.isCancelled;
  }

  std::uint64_t statements() const noexcept { return session_.cost().statements; }

 private:
  static SessionOptions sessionOptions(const RunOptions& options) {
    return {options.limits,
            options.push == PushWhen::AtEnd || !options.emit.empty()
                ? "this file is only read for its tables now, so it has no database: keep queries "
                  "out of the file that declares the tables, and name that file"
                : "",
            options.push == PushWhen::Never ? Pusher() : options.pusher,
            options.readOnly,
            options.capabilities,
            options.boundValues,
            options.trace};
  }

  std::string startOptions() const {
    return guestOptions(options_.arguments,
                        options_.push == PushWhen::Never ? PushFirst::No : PushFirst::Yes);
  }

  static RunReport reportOf(Ending ending) {
    RunReport report;
    endWith(report, std::move(ending));
    return report;
  }

  RunReport failed() { return reportOf(endingAsTold(instance_, options_.limits)); }

  RunReport emit() {
    if (!instance_.emit(options_.emit)) return failed();
    RunReport report;
    report.emitted = emittedFiles(instance_.emitted());
    return report;
  }

  static RunReport stoppedWaiting(CallEnd end) {
    RunReport report;
    report.end = end;
    report.error.message = "it was waiting for a timer";
    return report;
  }

  RunOptions& options_;
  const Watchdog::Clock::time_point deadline_;
  Session session_;
  Instance instance_;
  Pause pause_;
  std::optional<Watchdog::Watch> watch_;
};

// Stops a run when somebody interrupts its database, which SQLite alone would notice, and only
// while it is asked something. interrupt() is called by handlers of signals, too, which can wake
// nobody: so this one looks.
class InterruptListener {
 public:
  // Keeps references. Throws Unavailable when there is no thread to be had.
  InterruptListener(const Database& database, Run& run) try
      : database_(database), run_(run), thread_([this] { listen(); }) {
  } catch (const std::system_error&) {
    throw unavailable("there are no threads left to listen to interrupts; end some and try again");
  }
  ~InterruptListener() {
    end_.end();
    thread_.join();
  }
  InterruptListener(const InterruptListener&) = delete;
  InterruptListener& operator=(const InterruptListener&) = delete;

 private:
  static constexpr std::chrono::milliseconds kInterval{20};

  void listen() {
    do {
      if (database_.isInterrupted()) return run_.stop();
    } while (end_.waitUntil(Watchdog::Clock::now() + kInterval));
  }

  const Database& database_;
  Run& run_;
  Pause end_;
  std::thread thread_;
};

// Counts what a run does, and tells of it.
class ProgressTeller {
 public:
  // Keeps references.
  ProgressTeller(Database& database, const Run& run, const RunOptions& options)
      : database_(database), run_(run) {
    // The session does so with its first request: nothing is changed before.
    database.startRunWithin(options.limits.runTimeMax);
    if (!options.progress) return;
    database.useTick([this, &options](std::uint64_t rows) {
      rows_ = rows;
      options.progress(read());
    });
    isTelling_ = true;
  }
  ~ProgressTeller() {
    if (isTelling_) database_.useTick({});
  }
  ProgressTeller(const ProgressTeller&) = delete;
  ProgressTeller& operator=(const ProgressTeller&) = delete;

  RunProgress read() noexcept {
    // Each statement at its end.
    rows_ = std::max(rows_, static_cast<std::uint64_t>(database_.totalChanges()));
    return {.statements = run_.statements(),
            .rows = rows_,
            .elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
                Watchdog::Clock::now() - begin_)};
  }

 private:
  Database& database_;
  const Run& run_;
  const Watchdog::Clock::time_point begin_ = Watchdog::Clock::now();
  std::uint64_t rows_ = 0;
  bool isTelling_ = false;
};

// Whatever the app made of these.
void correctEnd(RunReport& report, const Database& database, Run& run) {
  if (database.isInterrupted()) {
    report.end = run.isOutOfTime() ? CallEnd::TimeExceeded : CallEnd::Cancelled;
    if (report.end == CallEnd::Cancelled) report.error.message = "it was interrupted";
  } else if (report.transactionEnded && report.end == CallEnd::Answered) {
    report.end = CallEnd::Threw;
    report.error.message =
        "all that was done was rolled back when a statement failed, and the code went on; let that "
        "error pass";
  }
}

RunReport runInTransaction(const Engine& engine, Watchdog& watchdog, Database& database,
                           std::string_view bundle, RunOptions& options) {
  HostTransaction transaction(database);
  Run run(engine, watchdog, transaction, options);
  ProgressTeller progress(database, run, options);
  RunReport report;
  try {
    const InterruptListener listener(database, run);
    report = run.untilItEnds(bundle);
  } catch (...) {
    run.abandon();
    throw;
  }
  run.finish(report);
  report.done = progress.read();
  report.transactionEnded = !transaction.isOpen();
  correctEnd(report, database, run);
  return report;
}

}  // namespace

RunReport run(const Engine& engine, Watchdog& watchdog, ConnectionPool& pool,
              std::string_view bundle, RunOptions options) {
  RunReport report;
  GuestThread::run([&] {
    Run whole(engine, watchdog, pool, options);
    report = whole.untilItEnds(bundle);
    whole.finish(report);
  });
  return report;
}

RunReport runWithin(const Engine& engine, Watchdog& watchdog, Database& database,
                    std::string_view bundle, RunOptions options) {
  SS_CHECK(options.push == PushWhen::Never && options.emit.empty(), "a push in a transaction");
  RunReport report;
  GuestThread::run([&] { report = runInTransaction(engine, watchdog, database, bundle, options); });
  return report;
}

Limits limitsOfMigration(Limits limits) noexcept {
  // Longer ones would not fit into the clock.
  limits.runTimeMax = std::chrono::hours(24 * 365);
  limits.sqlTimeMax = limits.runTimeMax;
  limits.fuelMax = std::numeric_limits<std::uint64_t>::max() - 1;  // The guest adds 1.
  limits.statementsMax = std::numeric_limits<std::uint64_t>::max();
  limits.callRowsMax = std::numeric_limits<std::uint64_t>::max();
  limits.callResultBytesMax = std::numeric_limits<std::uint64_t>::max();
  limits.logBytesMax = std::numeric_limits<std::uint64_t>::max();
  return limits;
}

}  // namespace schemascript

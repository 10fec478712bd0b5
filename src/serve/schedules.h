// When an app's scheduled() is called: once for each schedule, database and due time. What was done
// is kept in the database itself, in the host's table __schemascript_schedules, so that it outlives
// the server and several servers agree.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"
#include "serve/configuration.h"
#include "serve/cron.h"
#include "serve/metrics.h"

namespace schemascript {

using ScheduleTime = std::chrono::sys_time<std::chrono::milliseconds>;

// The latest time at which `cron` was due, after `after` and not after `now`; nothing when there is
// none. Takes some microseconds, however long ago `after` is.
std::optional<ScheduleTime> latestDue(const Cron& cron, ScheduleTime after, ScheduleTime now);

// How one run ended.
struct ScheduledEnd {
  enum class Kind : std::uint8_t {
    Succeeded,
    Failed,  // Counts as an attempt.
    NotRun,  // It never got its turn, or was cut off by the server's end. Does not count.
  };
  Kind kind = Kind::Failed;
  std::string error{};  // Of the others than Succeeded.
};

struct SchedulesOptions {
  std::vector<Schedule> schedules{};
  // Of the databases that there are; one without a name is fine. Asked every now and then. What it
  // throws is reported, and it is asked again.
  std::function<std::vector<std::string>()> names{};
  // How to open the one of this name; nothing when it is gone.
  std::function<std::optional<DatabaseOptions>(const std::string& name)> database{};
  // Begins a run, with the event as JSON. False: not now; it is asked again soon, and keeps nothing
  // of `done`. Else `done` is called exactly once, on any thread, at any time: also after the
  // Schedules have gone.
  std::function<bool(const std::string& name, std::string event,
                     std::function<void(ScheduledEnd)> done)>
      run{};
  // One sentence for the log of the server. `name` is the database's, and may be empty.
  std::function<void(const std::string& name, std::string_view text)> report{};
  // Empty: the system's.
  std::function<ScheduleTime()> clock{};

  // A claim is good for so long, and renewed when a third of it is over.
  std::chrono::milliseconds leaseTime{30'000};
  // Runs that fail are tried so often, the first time included.
  unsigned attemptsMax = 5;
  // After the first attempt; three times as long after each further one.
  std::chrono::milliseconds retryTime{10'000};
  // For a lock of somebody else's. What is locked longer is tried again later.
  std::chrono::milliseconds busyTimeMax{50};
  // Runs of all databases that were begun or wait for their turn.
  std::size_t runningMax = 64;
  // Databases that are looked at in one go, and the pause behind it.
  std::size_t batchMax = 16;
  std::chrono::milliseconds batchPause{50};
  // Between two looks at which databases there are.
  std::chrono::milliseconds namesTime{10'000};
};

struct SchedulesStatus {
  std::vector<ScheduleFigures> schedules{};  // In the order of the configuration.
  std::size_t databases = 0;
  std::size_t failingDatabases = 0;  // Could not be read or written when last tried.
  std::string lastProblem{};         // What was reported last. Empty: nothing ever.
};

// Thread-safe, but for start(), stop() and step(), which belong to the owner. All use of databases
// is on the thread that start() makes, or on step()'s.
class Schedules {
 public:
  // Throws InvalidRequest when one of the schedules is none that Cron takes.
  explicit Schedules(SchedulesOptions options);
  // As stop().
  ~Schedules();
  Schedules(const Schedules&) = delete;
  Schedules& operator=(const Schedules&) = delete;

  void start();
  // Begins nothing any more; what runs is still recorded.
  void pause() noexcept;
  // Records the runs that have ended, and returns; waits for its thread, not for runs. Those that
  // run are repeated, by whoever comes next, once their claim has expired.
  void stop() noexcept;

  // From now on these. What runs is not touched. Throws as the constructor does.
  void replace(std::vector<Schedule> schedules);

  SchedulesStatus status() const;

  // Does all that is due at `now`, and answers when to come again at the latest; also come when a
  // run has ended. For tests, and not after start(). Never throws for what a database does.
  ScheduleTime step(ScheduleTime now);

 private:
  class Core;
  const std::unique_ptr<Core> core_;
};

}  // namespace schemascript

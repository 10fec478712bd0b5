#include "serve/schedules.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "base/error.h"

namespace schemascript {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_seconds;
using Time = ScheduleTime;

constexpr milliseconds kDay{std::chrono::days(1)};
constexpr int kRetryFactor = 3;
// The thread looks at the clock so often, because somebody may set it.
constexpr milliseconds kWaitMax{1'000};
constexpr milliseconds kPostAgain{200};
constexpr milliseconds kProblemWaitMin{1'000};
constexpr milliseconds kProblemWaitMax{60'000};
// The same for one that is locked, and how often in a row it must be to be worth a line.
constexpr milliseconds kBusyWaitMax{5'000};
constexpr unsigned kBusyTold = 3;
constexpr std::size_t kErrorBytesMax = 1'024;

constexpr std::string_view kMakeTable =
    "create table if not exists __schemascript_schedules (cron text primary key, doneTime, "
    "dueTime, attempts, retryTime, owner, leaseUntil, lastError) without rowid";
constexpr std::string_view kHasTable =
    "select 1 from sqlite_schema where type = 'table' and name = '__schemascript_schedules'";
constexpr std::string_view kRead =
    "select doneTime, dueTime, attempts, retryTime, owner, leaseUntil "
    "from __schemascript_schedules where cron = ?";
// The values that were read are in the condition: of two servers, one changes the row.
constexpr std::string_view kSame =
    " where cron = ?1 and doneTime is ?2 and dueTime is ?3 and attempts is ?4 and retryTime is ?5 "
    "and owner is ?6 and leaseUntil is ?7";
constexpr std::string_view kBegin =
    "insert into __schemascript_schedules (cron, doneTime, attempts) values (?1, ?8, 0) "
    "on conflict (cron) do update set doneTime = ?8, dueTime = null, attempts = 0, "
    "retryTime = null, owner = null, leaseUntil = null"
    " where doneTime is ?2 and dueTime is ?3 and attempts is ?4 and retryTime is ?5 "
    "and owner is ?6 and leaseUntil is ?7";
constexpr std::string_view kClaim =
    "update __schemascript_schedules set dueTime = ?8, attempts = ?9, retryTime = null, "
    "owner = ?10, leaseUntil = ?11";
constexpr std::string_view kGiveUp =
    "update __schemascript_schedules set doneTime = dueTime, dueTime = null, attempts = 0, "
    "retryTime = null, owner = null, leaseUntil = null, lastError = coalesce(lastError, ?8)";
constexpr std::string_view kMine = " where cron = ?1 and owner = ?2 and dueTime = ?3";
constexpr std::string_view kRenew = "update __schemascript_schedules set leaseUntil = ?4";
constexpr std::string_view kSucceeded =
    "update __schemascript_schedules set doneTime = dueTime, dueTime = null, attempts = 0, "
    "retryTime = null, owner = null, leaseUntil = null, lastError = null";
constexpr std::string_view kGaveUp =
    "update __schemascript_schedules set doneTime = dueTime, dueTime = null, attempts = 0, "
    "retryTime = null, owner = null, leaseUntil = null, lastError = ?4";
constexpr std::string_view kAgain =
    "update __schemascript_schedules set attempts = ?4, retryTime = ?5, owner = null, "
    "leaseUntil = null, lastError = ?6";

std::int64_t number(Time time) noexcept { return time.time_since_epoch().count(); }
ValueView ofTime(Time time) noexcept { return ValueView::ofInteger(number(time)); }

// A value of the table, which somebody else may have written.
struct Cell {
  ValueKind kind = ValueKind::Null;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes{};

  static Cell of(const ValueView& value) {
    return {value.kind, value.integer, value.real, std::string(value.bytes)};
  }
  ValueView view() const noexcept {
    return {.kind = kind, .integer = integer, .real = real, .bytes = bytes};
  }
  std::optional<Time> time() const noexcept {
    // Beyond the years that calendars know, nothing is a time.
    constexpr std::int64_t kMax = 100'000'000ll * 86'400'000;
    if (kind != ValueKind::Integer || integer < 0 || integer > kMax) return std::nullopt;
    return Time(milliseconds(integer));
  }
};

struct Row {
  Cell doneTime, dueTime, attempts, retryTime, owner, leaseUntil;
};

// What is to be done about one schedule of one database.
struct Decision {
  enum class Kind : std::uint8_t { Wait, Begin, Claim, GiveUp };
  Kind kind = Kind::Wait;
  Time time{};  // Of Wait: until when. Of Claim: the due time.
  std::int64_t attempt = 1;
};

std::optional<Time> nextDue(const Cron& cron, Time after) {
  const auto next = cron.nextAfter(std::chrono::floor<std::chrono::seconds>(after));
  if (!next) return std::nullopt;
  return Time(*next);
}

std::string cut(std::string text) {
  if (text.size() > kErrorBytesMax) {
    std::size_t end = kErrorBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
    text += "...";
  }
  return text;
}

std::string newOwner() {
  std::random_device random;
  std::string owner;
  for (int i = 0; i < 32; ++i) owner += "0123456789abcdef"[random() % 16];
  return owner;
}

std::string eventOf(const std::string& cron, Time time) {
  return boost::json::serialize(
      boost::json::object{{"cron", cron}, {"scheduledTime", number(time)}});
}

// Where runs say how they ended. Owned by the Schedules and by each run that has not.
class Inbox {
 public:
  struct Letter {
    std::string name;
    std::uint64_t run = 0;
    ScheduledEnd end;
  };

  void put(Letter letter) {
    {
      const std::lock_guard lock(mutex_);
      letters_.push_back(std::move(letter));
    }
    changed_.notify_one();
  }
  std::vector<Letter> takeAll() {
    const std::lock_guard lock(mutex_);
    isWoken_ = false;
    return std::exchange(letters_, {});
  }
  void wake() noexcept {
    {
      const std::lock_guard lock(mutex_);
      isWoken_ = true;
    }
    changed_.notify_one();
  }
  void waitFor(milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [this] { return isWoken_ || !letters_.empty(); });
  }

 private:
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::vector<Letter> letters_;
  bool isWoken_ = false;
};

}  // namespace

std::optional<ScheduleTime> latestDue(const Cron& cron, ScheduleTime after, ScheduleTime now) {
  if (after >= now) return std::nullopt;
  std::optional<Time> latest;
  // The first window in which there is one: going forward from its begin meets few others.
  for (milliseconds window = std::chrono::minutes(1);; window *= 2) {
    const Time begin = std::max(after, now - window);
    latest = nextDue(cron, begin);
    if (latest && *latest <= now) break;
    if (begin == after) return std::nullopt;
  }
  for (auto next = latest; next && *next <= now; next = nextDue(cron, *next)) latest = next;
  return latest;
}

class Schedules::Core {
 public:
  explicit Core(SchedulesOptions options) : options_(std::move(options)) {
    if (!options_.clock) {
      options_.clock = [] {
        return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
      };
    }
    replacement_ = planned(std::exchange(options_.schedules, {}));
  }

  void start() { thread_ = std::thread(&Core::work, this); }
  void pause() noexcept { isPaused_ = true; }
  void stop() noexcept {
    isPaused_ = true;
    isStopping_ = true;
    inbox_->wake();
    if (thread_.joinable()) thread_.join();
  }

  void replace(std::vector<Schedule> schedules) {
    std::vector<Planned> next = planned(std::move(schedules));
    {
      const std::lock_guard lock(mutex_);
      replacement_ = std::move(next);
    }
    inbox_->wake();
  }

  SchedulesStatus status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

  Time step(Time now) {
    noticeClock(now);
    takeReplacement(now);
    takeLetters();
    if (isPaused_) takeBackClaims();
    if (!schedules_.empty() || !busy_.empty()) {
      if (now >= namesAt_) takeNames(now);
      visitBusy(now);
      visitIdle(now);
    }
    tell();
    return nextStep(now);
  }

 private:
  struct Planned {
    Cron cron;
    Schedule::Missed missed;
    std::optional<Time> since{};  // This server has been there for it.
    ScheduleFigures figures{};
  };

  // From its claim until its end is recorded.
  struct Run {
    enum class State : std::uint8_t { Claimed, Posted, Ended };
    std::uint64_t id = 0;
    std::string cron;
    Time dueTime;
    std::int64_t attempt = 1;
    State state = State::Claimed;
    ScheduledEnd end{};
    Time postAt;   // Of Claimed.
    Time renewAt;  // The claim.
  };

  // One database.
  struct Place {
    std::string name;
    Time checkAt;           // When a schedule may be due.
    Time notBefore = {};    // Does not want to be opened earlier; since a problem.
    unsigned problems = 0;  // In a row.
    std::string problem{};
    std::vector<Run> runs{};
    // Kept while there are runs: closing a file that nobody else has yet moves its log, on disk.
    std::unique_ptr<Database> database{};
  };

  static std::vector<Planned> planned(std::vector<Schedule> schedules) {
    std::vector<Planned> result;
    for (const Schedule& schedule : schedules) {
      const auto isSame = [&](const Planned& each) { return each.cron.text() == schedule.cron; };
      if (std::ranges::any_of(result, isSame)) continue;
      result.push_back({Cron(schedule.cron), schedule.missed});
      result.back().figures.cron = schedule.cron;
    }
    return result;
  }

  void work() noexcept {
    for (;;) {
      const bool isLast = isStopping_;
      milliseconds wait = kWaitMax;
      try {
        const Time now = options_.clock();
        wait = std::clamp(step(now) - now, milliseconds(0), kWaitMax);
      } catch (const std::exception& error) {
        reportSafely({}, error.what());  // Without memory. Everything is tried again.
      }
      if (isLast) return;
      inbox_->waitFor(wait);
    }
  }

  // Set back, it makes what waits for a time wait for too long.
  void noticeClock(Time now) {
    if (now + milliseconds(1'000) < lastNow_) {
      namesAt_ = batchAt_ = now;
      for (auto& [name, place] : places_) {
        place.notBefore = std::min(place.notBefore, now);
        for (Run& run : place.runs) run.renewAt = run.postAt = now;
        checkAt(place, now);
      }
    }
    lastNow_ = now;
    for (Planned& each : schedules_) each.since = std::min(each.since.value_or(now), now);
  }

  void takeReplacement(Time now) {
    std::optional<std::vector<Planned>> next;
    {
      const std::lock_guard lock(mutex_);
      next = std::exchange(replacement_, std::nullopt);
    }
    if (!next) return;
    for (Planned& each : *next) {
      each.since = now;
      if (const Planned* const old = tryFind(each.cron.text())) {
        each.since = old->since;
        each.figures = old->figures;
      }
    }
    schedules_ = std::move(*next);
    for (auto& [name, place] : places_) checkAt(place, now);
  }

  void takeLetters() {
    for (Inbox::Letter& letter : inbox_->takeAll()) {
      const auto place = places_.find(letter.name);
      if (place == places_.end()) continue;
      for (Run& run : place->second.runs) {
        if (run.id != letter.run) continue;
        run.state = Run::State::Ended;
        run.end = std::move(letter.end);
        run.end.error = cut(std::move(run.end.error));
        countEnd(place->second, run);
      }
    }
  }

  // What is not begun yet is somebody else's to begin.
  void takeBackClaims() {
    for (const std::string& name : busy_) {
      for (Run& run : places_.at(name).runs) {
        if (run.state != Run::State::Claimed) continue;
        run.state = Run::State::Ended;
        run.end = {ScheduledEnd::Kind::NotRun, "the server ended"};
      }
    }
  }

  void takeNames(Time now) {
    namesAt_ = now + options_.namesTime;
    std::vector<std::string> names;
    try {
      names = options_.names();
    } catch (const std::exception& error) {
      if (namesProblem_ != error.what()) report({}, error.what());
      namesProblem_ = error.what();
      return;
    }
    namesProblem_.clear();
    std::ranges::sort(names);
    for (const std::string& name : names) {
      const auto [place, isNew] = places_.try_emplace(name);
      if (!isNew) continue;
      place->second.name = name;
      checkAt(place->second, now);
    }
    std::erase_if(places_, [&](const auto& each) {
      const Place& place = each.second;
      if (!place.runs.empty() || std::ranges::binary_search(names, place.name)) return false;
      idle_.erase({place.checkAt, place.name});
      return true;
    });
  }

  // `place` is either among those with runs, or in the order in which the others want to be seen.
  void checkAt(Place& place, Time time) {
    idle_.erase({place.checkAt, place.name});
    place.checkAt = time;
    if (place.runs.empty()) {
      busy_.erase(place.name);
      idle_.emplace(time, place.name);
    } else {
      busy_.insert(place.name);
    }
  }

  void visitBusy(Time now) {
    const std::vector<std::string> names(busy_.begin(), busy_.end());
    for (const std::string& name : names) {
      Place& place = places_.at(name);
      if (wantsVisit(place) <= now) visit(place, now);
      post(place, now);
    }
  }

  void visitIdle(Time now) {
    if (isPaused_) return;
    if (now < batchAt_ && batchAt_ - now <= options_.batchPause) return;
    std::size_t visits = 0;
    while (!idle_.empty() && idle_.begin()->first <= now && hasRoom()) {
      if (visits++ == options_.batchMax) {
        batchAt_ = now + options_.batchPause;
        return;
      }
      Place& place = places_.at(idle_.begin()->second);
      visit(place, now);
      post(place, now);
    }
  }

  bool hasRoom() const { return runs_ < options_.runningMax; }

  // When the database of a place with runs has to be opened next.
  Time wantsVisit(const Place& place) const {
    Time next = isPaused_ ? Time::max() : place.checkAt;
    for (const Run& run : place.runs) {
      next = std::min(next, run.state == Run::State::Ended ? Time() : run.renewAt);
    }
    return std::max(next, place.notBefore);
  }

  // Opens the database, and does there what is to be done. What is wrong with it is this place's
  // problem alone.
  void visit(Place& place, Time now) {
    Time next = now + options_.namesTime;
    try {
      std::optional<DatabaseOptions> options = options_.database(place.name);
      if (options) {
        options->limits.busyTimeMax = options_.busyTimeMax;
        if (!place.database) place.database = std::make_unique<Database>(std::move(*options));
        next = use(*place.database, place, now);
      } else {
        place.database.reset();
        forgetEnded(place, now);
      }
      if (place.runs.empty()) place.database.reset();
      place.problems = 0;
      place.problem.clear();
      place.notBefore = {};
    } catch (const std::exception& error) {
      place.database.reset();
      next = noteProblem(place, error, now);
    }
    checkAt(place, next);
  }

  // Answers when to try again. A database where somebody writes just now is nothing to report.
  Time noteProblem(Place& place, const std::exception& error, Time now) {
    const bool isBusy = dynamic_cast<const Busy*>(&error) != nullptr;
    const auto shift = std::min(place.problems++, 6u);
    place.notBefore =
        now + std::min(kProblemWaitMin * (1 << shift), isBusy ? kBusyWaitMax : kProblemWaitMax);
    const bool isTold = place.problem == error.what() || (isBusy && place.problems < kBusyTold);
    if (!isTold) {
      place.problem = error.what();
      report(place.name,
             str("the schedules cannot use their database, which is tried again: ", place.problem));
    }
    return place.notBefore;
  }

  Time use(Database& database, Place& place, Time now) {
    for (std::size_t i = 0; i < place.runs.size();) {
      Run& run = place.runs[i];
      if (run.state == Run::State::Ended) {
        record(database, run, now);
        place.runs.erase(place.runs.begin() + static_cast<std::ptrdiff_t>(i));
        --runs_;
        continue;
      }
      if (run.renewAt <= now) renew(database, run, now);
      ++i;
    }
    Time next = now + kDay;
    if (isPaused_) return next;
    for (Planned& each : schedules_) {
      const auto isIts = [&](const Run& run) { return run.cron == each.cron.text(); };
      if (std::ranges::any_of(place.runs, isIts)) continue;
      next = std::min(next, look(database, place, each, now));
    }
    return next;
  }

  // Answers when to look again.
  Time look(Database& database, Place& place, Planned& schedule, Time now) {
    const std::optional<Row> row = tryRead(database, schedule.cron.text());
    const Decision decision = decide(row, schedule, now);
    switch (decision.kind) {
      case Decision::Kind::Wait:
        return decision.time;
      case Decision::Kind::Begin:
        change(database, kBegin, "", schedule, row.value_or(Row()), {ofTime(now)});
        return now;
      case Decision::Kind::GiveUp:
        if (change(database, kGiveUp, kSame, schedule, *row,
                   {ValueView::ofText("the server ended while it ran")})) {
          giveUp(place, schedule.cron.text(), decision.time,
                 "each time the server ended before its end could be recorded");
        }
        return now;
      case Decision::Kind::Claim:
        break;
    }
    if (!hasRoom()) return now + kWaitMax;
    const Time until = now + options_.leaseTime;
    const bool isOurs = change(database, kClaim, kSame, schedule, *row,
                               {ofTime(decision.time), ValueView::ofInteger(decision.attempt),
                                ValueView::ofText(owner_), ofTime(until)});
    if (!isOurs) return now;  // Somebody else was quicker.
    place.runs.push_back({.id = ++lastRun_,
                          .cron = schedule.cron.text(),
                          .dueTime = decision.time,
                          .attempt = decision.attempt,
                          .postAt = now,
                          .renewAt = now + options_.leaseTime / 3});
    ++runs_;
    return now + kDay;  // Its end brings us back.
  }

  Decision decide(const std::optional<Row>& row, const Planned& schedule, Time now) const {
    using Kind = Decision::Kind;
    if (!row) return {.kind = Kind::Begin};
    const auto done = row->doneTime.time();
    const auto due = row->dueTime.time();
    if (!done || *done > now + kDay || (due && *due > now + kDay)) return {.kind = Kind::Begin};
    const auto lease = row->leaseUntil.time();
    const bool isOwn = row->owner.bytes == owner_;
    if (!isOwn && lease && *lease > now && *lease <= now + 2 * options_.leaseTime) {
      return {.time = *lease};
    }
    if (due) return decideAgain(*row, *due, now);
    const auto next = nextDue(schedule.cron, *done);
    if (!next) return {.time = now + kDay};
    if (*next > now) return {.time = *next};
    const auto latest = latestDue(schedule.cron, *done, now);
    if (!latest) return {.time = now + kWaitMax};
    // Nothing is written: another server, which was there, may be about to run it.
    if (schedule.missed == Schedule::Missed::Skip && *latest < *schedule.since) {
      return {.time = nextDue(schedule.cron, now).value_or(now + kDay)};
    }
    return {.kind = Kind::Claim, .time = *latest};
  }

  // A run that was begun, and failed or was cut off.
  Decision decideAgain(const Row& row, Time due, Time now) const {
    const std::int64_t attempts = row.attempts.kind == ValueKind::Integer
                                      ? std::max<std::int64_t>(row.attempts.integer, 0)
                                      : 0;
    if (attempts >= options_.attemptsMax) return {.kind = Decision::Kind::GiveUp, .time = due};
    const auto retry = row.retryTime.time();
    if (retry && *retry > now && *retry <= now + waitAfter(options_.attemptsMax)) {
      return {.time = *retry};
    }
    return {.kind = Decision::Kind::Claim, .time = due, .attempt = attempts + 1};
  }

  milliseconds waitAfter(std::int64_t attempt) const {
    milliseconds wait = options_.retryTime;
    for (std::int64_t i = 1; i < attempt && wait < kDay; ++i) wait *= kRetryFactor;
    return std::min(wait, kDay);
  }

  static std::optional<Row> tryRead(Database& database, const std::string& cron) {
    {
      Statement statement = database.prepare(kHasTable, Rules::Host);
      Execution execution(statement);
      if (!execution.step()) {
        execution.finish();
        database.execute(kMakeTable, Rules::Host);
      }
    }
    const std::array values{ValueView::ofText(cron)};
    Statement statement = database.prepare(kRead, Rules::Host);
    Execution execution(statement, values);
    std::optional<Row> row;
    if (execution.step()) {
      const auto cell = [&](int index) { return Cell::of(execution.column(index)); };
      row = Row{cell(0), cell(1), cell(2), cell(3), cell(4), cell(5)};
    }
    execution.finish();
    return row;
  }

  // False when the row is not as it was read.
  static bool change(Database& database, std::string_view what, std::string_view where,
                     const Planned& schedule, const Row& row,
                     std::initializer_list<ValueView> more) {
    std::vector<ValueView> values{ValueView::ofText(schedule.cron.text()),
                                  row.doneTime.view(),
                                  row.dueTime.view(),
                                  row.attempts.view(),
                                  row.retryTime.view(),
                                  row.owner.view(),
                                  row.leaseUntil.view()};
    values.insert(values.end(), more);
    return database.prepare(str(what, where), Rules::Host).run(values).rows == 1;
  }

  bool changeOwn(Database& database, std::string_view what, const Run& run,
                 std::initializer_list<ValueView> more) {
    std::vector<ValueView> values{ValueView::ofText(run.cron), ValueView::ofText(owner_),
                                  ofTime(run.dueTime)};
    values.insert(values.end(), more);
    return database.prepare(str(what, kMine), Rules::Host).run(values).rows == 1;
  }

  // A claim that was lost, because we were too late, is its new owner's: nothing is to be done.
  void renew(Database& database, Run& run, Time now) {
    changeOwn(database, kRenew, run, {ofTime(now + options_.leaseTime)});
    run.renewAt = now + options_.leaseTime / 3;
  }

  void record(Database& database, const Run& run, Time now) {
    const ValueView error = ValueView::ofText(run.end.error);
    switch (run.end.kind) {
      case ScheduledEnd::Kind::Succeeded:
        changeOwn(database, kSucceeded, run, {});
        return;
      case ScheduledEnd::Kind::NotRun:
        changeOwn(database, kAgain, run,
                  {ValueView::ofInteger(run.attempt - 1), ofTime(now + options_.retryTime), error});
        return;
      case ScheduledEnd::Kind::Failed:
        break;
    }
    if (run.attempt >= options_.attemptsMax) {
      changeOwn(database, kGaveUp, run, {error});
    } else {
      changeOwn(database, kAgain, run,
                {ValueView::ofInteger(run.attempt), ofTime(now + waitAfter(run.attempt)), error});
    }
  }

  void forgetEnded(Place& place, Time now) {
    runs_ -=
        std::erase_if(place.runs, [](const Run& run) { return run.state != Run::State::Posted; });
    for (Run& run : place.runs) run.renewAt = now + options_.leaseTime / 3;
  }

  void post(Place& place, Time now) {
    for (Run& run : place.runs) {
      if (isPaused_ || run.state != Run::State::Claimed || run.postAt > now) continue;
      const auto done = [inbox = inbox_, name = place.name, id = run.id](ScheduledEnd end) {
        inbox->put({name, id, std::move(end)});
      };
      bool isTaken = false;
      try {
        isTaken = options_.run(place.name, eventOf(run.cron, run.dueTime), done);
      } catch (const std::exception& error) {
        report(place.name,
               str("the schedule \"", run.cron, "\" could not be begun: ", error.what()));
      }
      if (isTaken) run.state = Run::State::Posted;
      run.postAt = now + kPostAgain;
    }
  }

  // Counted when it happens, also if recording it takes some tries.
  void countEnd(const Place& place, const Run& run) {
    Planned* const schedule = tryFind(run.cron);
    if (run.end.kind == ScheduledEnd::Kind::Succeeded) {
      if (schedule) ++schedule->figures.succeeded;
      return;
    }
    if (schedule) schedule->figures.lastError = run.end.error;
    if (run.end.kind == ScheduledEnd::Kind::NotRun) return;
    if (schedule) ++schedule->figures.failed;
    if (run.attempt >= options_.attemptsMax) {
      giveUp(place, run.cron, run.dueTime, run.end.error);
      return;
    }
    const auto wait = std::chrono::duration_cast<std::chrono::seconds>(waitAfter(run.attempt));
    report(place.name, str("the schedule \"", run.cron, "\" failed (attempt ", run.attempt, " of ",
                           options_.attemptsMax, ") and is tried again in ", wait.count(),
                           " s: ", run.end.error));
  }

  void giveUp(const Place& place, const std::string& cron, Time due, std::string_view error) {
    if (Planned* const schedule = tryFind(cron)) {
      ++schedule->figures.givenUp;
      schedule->figures.lastError = error;
    }
    report(place.name, str("the schedule \"", cron, "\" was given up for the time ", number(due),
                           " after ", options_.attemptsMax,
                           " attempts; it goes on with its next "
                           "time: ",
                           error));
  }

  Planned* tryFind(std::string_view cron) {
    const auto found = std::ranges::find_if(
        schedules_, [&](const Planned& each) { return each.cron.text() == cron; });
    return found == schedules_.end() ? nullptr : &*found;
  }

  void report(const std::string& name, std::string_view text) {
    lastProblem_ = name.empty() ? std::string(text) : str(name, ": ", text);
    reportSafely(name, text);
  }
  void reportSafely(const std::string& name, std::string_view text) noexcept {
    try {
      if (options_.report) options_.report(name, text);
    } catch (...) {
      // Whoever reads the log learns nothing; the status still says it.
    }
  }

  void tell() {
    SchedulesStatus status{.databases = places_.size(), .lastProblem = lastProblem_};
    for (Planned& each : schedules_) each.figures.due = each.figures.running = 0;
    for (const std::string& name : busy_) {
      for (const Run& run : places_.at(name).runs) {
        Planned* const schedule = tryFind(run.cron);
        if (schedule == nullptr || run.state == Run::State::Ended) continue;
        ++(run.state == Run::State::Claimed ? schedule->figures.due : schedule->figures.running);
      }
    }
    for (const Planned& each : schedules_) status.schedules.push_back(each.figures);
    status.failingDatabases = static_cast<std::size_t>(
        std::ranges::count_if(places_, [](const auto& each) { return each.second.problems > 0; }));
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }

  Time nextStep(Time now) const {
    if (schedules_.empty() && busy_.empty()) return now + kDay;
    Time next = namesAt_;
    for (const std::string& name : busy_) {
      const Place& place = places_.at(name);
      next = std::min(next, wantsVisit(place));
      for (const Run& run : place.runs) {
        if (!isPaused_ && run.state == Run::State::Claimed) next = std::min(next, run.postAt);
      }
    }
    if (!isPaused_ && !idle_.empty() && hasRoom()) {
      Time idle = idle_.begin()->first;
      if (idle <= now) idle = std::max(idle, batchAt_);
      next = std::min(next, idle);
    }
    return std::max(next, now);
  }

  SchedulesOptions options_;
  const std::string owner_ = newOwner();
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::atomic<bool> isPaused_{false};
  std::atomic<bool> isStopping_{false};

  mutable std::mutex mutex_;  // Guards these two.
  std::optional<std::vector<Planned>> replacement_;
  SchedulesStatus status_;

  // Of the thread that takes the steps.
  std::vector<Planned> schedules_;
  std::map<std::string, Place> places_;
  std::set<std::pair<Time, std::string>> idle_;
  std::set<std::string> busy_;  // Those with runs.
  std::size_t runs_ = 0;
  std::uint64_t lastRun_ = 0;
  Time lastNow_{};
  Time namesAt_{};
  Time batchAt_{};
  std::string namesProblem_;
  std::string lastProblem_;

  std::thread thread_;
};

Schedules::Schedules(SchedulesOptions options)
    : core_(std::make_unique<Core>(std::move(options))) {}
Schedules::~Schedules() { stop(); }
void Schedules::start() { core_->start(); }
void Schedules::pause() noexcept { core_->pause(); }
void Schedules::stop() noexcept { core_->stop(); }
void Schedules::replace(std::vector<Schedule> schedules) { core_->replace(std::move(schedules)); }
SchedulesStatus Schedules::status() const { return core_->status(); }
ScheduleTime Schedules::step(ScheduleTime now) { return core_->step(now); }

}  // namespace schemascript

// Schedules, step by step: the tests say what time it is, and how each run ends.
#include "serve/schedules.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
using Kind = ScheduledEnd::Kind;
using Missed = Schedule::Missed;

constexpr ScheduleTime kNoon{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h};

struct BegunRun {
  std::string name{};
  std::string cron{};
  ScheduleTime time{};
  std::function<void(ScheduledEnd)> done{};

  void succeed() const { done({Kind::Succeeded}); }
  void fail(std::string error = "it broke") const { done({Kind::Failed, std::move(error)}); }
};

// One server: what its schedules begin and report.
struct Host {
  Host(const std::filesystem::path& folder, std::vector<std::string> databases,
       std::vector<Schedule> list)
      : names(std::move(databases)) {
    options.schedules = std::move(list);
    options.names = [this] { return names; };
    options.database = [folder](const std::string& name) -> std::optional<DatabaseOptions> {
      const auto file = folder / (name + ".db");
      if (!std::filesystem::exists(file)) return std::nullopt;
      return DatabaseOptions{.file = file};
    };
    options.run = [this](const std::string& name, std::string event, auto done) {
      if (isFull) return false;
      const auto json = boost::json::parse(event).as_object();
      runs.push_back({name, std::string(json.at("cron").as_string()),
                      ScheduleTime(std::chrono::milliseconds(json.at("scheduledTime").as_int64())),
                      std::move(done)});
      return true;
    };
    options.report = [this](const std::string& name, std::string_view text) {
      reports.push_back(name + ": " + std::string(text));
    };
  }

  // As long as there is something to do at this time.
  void at(ScheduleTime now) {
    if (!schedules) schedules.emplace(options);
    for (int i = 0; i < 5; ++i) {
      next = schedules->step(now);
      if (next > now) return;
    }
  }
  // All batches, by letting their pauses pass.
  void untilQuiet(ScheduleTime now) {
    if (!schedules) schedules.emplace(options);
    const ScheduleTime end = now + 900ms;
    for (next = now; next < end;) next = schedules->step(std::max(now, next));
  }
  BegunRun take() {
    if (runs.empty()) {
      ADD_FAILURE() << "nothing was begun";
      return {.done = [](const ScheduledEnd&) {}};
    }
    BegunRun run = std::move(runs.front());
    runs.erase(runs.begin());
    return run;
  }
  ScheduleFigures figures(std::size_t index = 0) const {
    return schedules->status().schedules.at(index);
  }

  std::vector<std::string> names;
  SchedulesOptions options;
  bool isFull = false;
  std::vector<BegunRun> runs;
  std::vector<std::string> reports;
  ScheduleTime next;
  std::optional<Schedules> schedules;
};

class Scheduling : public testing::Test {
 protected:
  void make(const std::string& name = "app") {
    Database({.file = file(name)}).execute("create table t (x)", Rules::Host);
  }
  std::filesystem::path file(const std::string& name = "app") const {
    return folder_ / (name + ".db");
  }
  Host host(std::vector<Schedule> schedules = {{"* * * * *"}},
            std::vector<std::string> names = {"app"}) {
    return Host(folder_.path(), std::move(names), std::move(schedules));
  }
  // Of the state's only row.
  std::string state(std::string_view column) {
    Database database({.file = file()});
    Statement statement =
        database.prepare(str("select ", column, " from __schemascript_schedules"), Rules::Host);
    Execution execution(statement);
    if (!execution.step()) return "no row";
    const ValueView value = execution.column(0);
    switch (value.kind) {
      case ValueKind::Null:
        return "null";
      case ValueKind::Integer:
        return std::to_string(value.integer);
      default:
        return std::string(value.bytes);
    }
  }
  void change(std::string_view sql) { Database({.file = file()}).execute(sql, Rules::Host); }
  void setDone(ScheduleTime time) {
    change(str("update __schemascript_schedules set doneTime = ", time.time_since_epoch().count()));
  }
  static std::string text(ScheduleTime time) {
    return std::to_string(time.time_since_epoch().count());
  }

  TemporaryFolder folder_;
};

TEST(LatestDue, IsTheLastOneInTheWindow) {
  const Cron everyMinute("* * * * *");
  EXPECT_EQ(latestDue(everyMinute, kNoon - 24h * 3650, kNoon + 30s), kNoon);
  EXPECT_EQ(latestDue(everyMinute, kNoon, kNoon + 59s), std::nullopt);
  EXPECT_EQ(latestDue(everyMinute, kNoon - 1ms, kNoon), kNoon);
  EXPECT_EQ(latestDue(everyMinute, kNoon + 1s, kNoon), std::nullopt);
  EXPECT_EQ(latestDue(Cron("* 0 * * *"), kNoon - 24h * 30, kNoon), kNoon - 11h - 1min);
  const ScheduleTime leapDay(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29));
  EXPECT_EQ(latestDue(Cron("0 0 29 2 *"), kNoon - 24h * 3650, kNoon), leapDay);
  EXPECT_EQ(latestDue(Cron("0 0 29 2 *"), leapDay, kNoon), std::nullopt);
  EXPECT_EQ(latestDue(Cron("0 0 30 2 *"), kNoon - 24h * 3650, kNoon), std::nullopt);
}

TEST_F(Scheduling, BeginsWithNowAndRunsEachTimeOnce) {
  make();
  Host server = host({{"* * * * *", Missed::Run}});
  server.at(kNoon);
  EXPECT_TRUE(server.runs.empty());
  EXPECT_EQ(state("doneTime"), text(kNoon));
  server.at(kNoon + 59999ms);
  EXPECT_TRUE(server.runs.empty());
  server.at(kNoon + 60s);
  const BegunRun run = server.take();
  EXPECT_EQ(run.time, kNoon + 60s);
  EXPECT_EQ(run.cron, "* * * * *");
  EXPECT_EQ(server.figures().running, 1u);
  run.succeed();
  server.at(kNoon + 61s);
  EXPECT_EQ(state("doneTime"), text(kNoon + 60s));
  EXPECT_EQ(state("dueTime"), "null");
  EXPECT_EQ(server.figures().succeeded, 1u);
  EXPECT_EQ(server.figures().running, 0u);
  server.at(kNoon + 119s);
  EXPECT_TRUE(server.runs.empty());
  server.at(kNoon + 120s);
  EXPECT_EQ(server.take().time, kNoon + 120s);
}

TEST_F(Scheduling, TakesADatabaseInMemory) {
  const auto memory = std::make_shared<MemoryFile>();
  Host server = host();
  server.options.database = [memory](const std::string&) {
    return DatabaseOptions{.memory = memory};
  };
  server.at(kNoon);
  for (int minute = 1; minute < 4; ++minute) {
    server.at(kNoon + minute * 60s);
    const BegunRun run = server.take();
    EXPECT_EQ(run.time, kNoon + minute * 60s);
    run.succeed();
    server.at(kNoon + minute * 60s);
  }
  EXPECT_TRUE(server.reports.empty());
}

TEST_F(Scheduling, SaysWhenItWantsToBeCalled) {
  make();
  Host server = host();
  server.options.namesTime = 1h;
  server.at(kNoon + 10s);
  EXPECT_EQ(server.next, kNoon + 60s);
}

TEST_F(Scheduling, RepeatsARunThatWasNotRecorded) {
  make();
  {
    Host server = host();
    server.at(kNoon);
    server.at(kNoon + 60s);
    server.take().succeed();  // And the server ends before it hears of it.
  }
  Host server = host();
  server.at(kNoon + 65s);
  EXPECT_TRUE(server.runs.empty()) << "the claim may be somebody's who lives";
  server.at(kNoon + 90s);
  const BegunRun run = server.take();
  EXPECT_EQ(run.time, kNoon + 60s);
  run.succeed();
  server.at(kNoon + 91s);
  EXPECT_EQ(state("doneTime"), text(kNoon + 60s));
}

TEST_F(Scheduling, RecordsWhatHasEndedWhenItStops) {
  make();
  auto now = std::make_shared<std::atomic<ScheduleTime>>(kNoon);
  Host server = host();
  server.at(kNoon);
  server.at(kNoon + 60s);
  server.options.clock = [now] { return now->load(); };
  const BegunRun left = server.take();
  server.schedules.reset();
  left.succeed();  // Goes nowhere, and breaks nothing.
  *now = kNoon + 100s;
  std::mutex mutex;
  std::condition_variable isBegun;
  std::optional<BegunRun> begun;
  server.options.run = [&](const std::string&, const std::string&, auto done) {
    const std::lock_guard lock(mutex);
    begun = BegunRun{.done = std::move(done)};
    isBegun.notify_one();
    return true;
  };
  Schedules schedules(server.options);
  schedules.start();
  {
    std::unique_lock lock(mutex);
    isBegun.wait(lock, [&] { return begun.has_value(); });
  }
  schedules.pause();
  begun->succeed();
  schedules.stop();
  EXPECT_EQ(state("doneTime"), text(kNoon + 60s));
  EXPECT_EQ(state("owner"), "null");
}

TEST_F(Scheduling, GivesBackWhatIsNotBegunWhenItPauses) {
  make();
  Host server = host();
  server.at(kNoon);
  server.isFull = true;
  server.at(kNoon + 60s);
  EXPECT_EQ(server.figures().due, 1u);
  server.schedules->pause();
  server.isFull = false;
  server.at(kNoon + 61s);
  EXPECT_TRUE(server.runs.empty());
  EXPECT_EQ(state("owner"), "null");
  EXPECT_EQ(state("attempts"), "0");
  server.at(kNoon + 3min);
  EXPECT_TRUE(server.runs.empty());
  Host other = host();
  other.at(kNoon + 3min);
  EXPECT_EQ(other.take().time, kNoon + 60s);
}

TEST_F(Scheduling, CatchesUpOnceWithTheLatestMissedTime) {
  make();
  host().at(kNoon);
  Host server = host({{"* * * * *", Missed::Run}});
  server.at(kNoon + 48h + 30s);
  const BegunRun run = server.take();
  EXPECT_EQ(run.time, kNoon + 48h);
  EXPECT_TRUE(server.runs.empty());
  run.succeed();
  server.at(kNoon + 48h + 31s);
  EXPECT_TRUE(server.runs.empty());
  server.at(kNoon + 48h + 60s);
  EXPECT_EQ(server.take().time, kNoon + 48h + 60s);
}

TEST_F(Scheduling, SkipsWhatWasMissedWhenToldTo) {
  make();
  host().at(kNoon);
  Host server = host({{"* * * * *", Missed::Skip}});
  server.at(kNoon + 48h + 30s);
  EXPECT_TRUE(server.runs.empty());
  server.at(kNoon + 48h + 60s);
  EXPECT_EQ(server.take().time, kNoon + 48h + 60s);
}

TEST_F(Scheduling, DoesNotSkipWhatAnotherServerIsAboutToRun) {
  make();
  Host one = host();
  one.at(kNoon);
  Host other = host();
  other.at(kNoon + 60200ms);
  one.at(kNoon + 60300ms);
  EXPECT_EQ(one.take().time, kNoon + 60s);
}

TEST_F(Scheduling, RetriesLaterAndLaterAndGivesUp) {
  make();
  Host server = host();
  server.at(kNoon);
  ScheduleTime now = kNoon + 60s;
  for (const auto wait : {10s, 30s, 90s, 270s}) {
    server.at(now);
    const BegunRun run = server.take();
    EXPECT_EQ(run.time, kNoon + 60s);
    run.fail();
    server.at(now);
    EXPECT_EQ(state("lastError"), "it broke");
    server.at(now + wait - 1ms);
    EXPECT_TRUE(server.runs.empty());
    now += wait;
  }
  server.at(now);
  server.take().fail("for the last time");
  server.at(now);
  EXPECT_EQ(state("lastError"), "for the last time");
  EXPECT_EQ(state("doneTime"), text(kNoon + 60s));
  EXPECT_EQ(server.figures().failed, 5u);
  EXPECT_EQ(server.figures().givenUp, 1u);
  EXPECT_EQ(server.figures().lastError, "for the last time");
  ASSERT_EQ(server.reports.size(), 5u);
  EXPECT_EQ(server.reports.front(),
            "app: the schedule \"* * * * *\" failed (attempt 1 of 5) and is tried again in 10 s: "
            "it broke");
  EXPECT_EQ(server.reports.back(),
            str("app: the schedule \"* * * * *\" was given up for the time ", text(kNoon + 60s),
                " after 5 attempts; it goes on with its next time: for the last time"));
  // The times meanwhile are one run.
  EXPECT_EQ(server.take().time, std::chrono::floor<std::chrono::minutes>(now));
  EXPECT_TRUE(server.runs.empty());
}

TEST_F(Scheduling, RemembersAttemptsAcrossServers) {
  make();
  for (int i = 0; i < 6; ++i) {
    Host server = host({{"* * * * *", Missed::Run}});
    if (i == 0) server.at(kNoon);
    server.at(kNoon + 60s + i * 31s);
    EXPECT_EQ(server.runs.size(), 1u);
    if (i < 5) {
      EXPECT_EQ(state("dueTime"), text(kNoon + 60s));
      continue;
    }
    // A run that ends the server each time is not repeated for ever.
    EXPECT_EQ(server.reports.size(), 1u);
    EXPECT_GT(server.take().time, kNoon + 60s);
  }
}

TEST_F(Scheduling, DoesNotCountWhatNeverRan) {
  make();
  Host server = host();
  server.at(kNoon);
  for (int i = 0; i < 20; ++i) {
    server.at(kNoon + 60s + i * 10s);
    const BegunRun run = server.take();
    EXPECT_EQ(run.time, kNoon + 60s);
    run.done({Kind::NotRun, "TooLate"});
    server.at(kNoon + 60s + i * 10s);
    EXPECT_EQ(state("attempts"), "0");
  }
  EXPECT_EQ(server.figures().failed, 0u);
  EXPECT_EQ(server.figures().lastError, "TooLate");
}

TEST_F(Scheduling, FollowsALongRunOnce) {
  make();
  Host server = host();
  server.at(kNoon);
  server.at(kNoon + 60s);
  const BegunRun slow = server.take();
  for (auto time = 61s; time < 400s; time += 1s) {
    server.at(kNoon + time);
    ASSERT_TRUE(server.runs.empty());
  }
  slow.succeed();
  server.at(kNoon + 400s);
  const BegunRun next = server.take();
  EXPECT_EQ(next.time, kNoon + 360s);
  EXPECT_TRUE(server.runs.empty());
}

TEST_F(Scheduling, RenewsTheClaimOfALongRun) {
  make();
  Host one = host();
  Host other = host();
  one.at(kNoon);
  one.at(kNoon + 60s);
  for (auto time = 60s; time < 400s; time += 5s) {
    one.at(kNoon + time);
    other.at(kNoon + time);
    ASSERT_TRUE(other.runs.empty());
  }
  // Its server is gone.
  one.schedules.reset();
  other.at(kNoon + 440s);
  EXPECT_EQ(other.take().time, kNoon + 60s);
}

TEST_F(Scheduling, LeavesTheEndOfALostClaimToItsNewOwner) {
  make();
  Host one = host();
  Host other = host();
  one.at(kNoon);
  one.at(kNoon + 60s);
  other.at(kNoon + 91s);
  const BegunRun second = other.take();
  one.take().fail();
  one.at(kNoon + 91s);
  EXPECT_EQ(state("dueTime"), text(kNoon + 60s));
  EXPECT_NE(state("owner"), "null");
  second.succeed();
  other.at(kNoon + 92s);
  EXPECT_EQ(state("doneTime"), text(kNoon + 60s));
}

TEST_F(Scheduling, AsksAgainWhenTheQueueIsFull) {
  make();
  Host server = host();
  server.at(kNoon);
  server.isFull = true;
  server.at(kNoon + 60s);
  EXPECT_LE(server.next, kNoon + 61s);
  server.isFull = false;
  server.at(server.next);
  EXPECT_EQ(server.take().time, kNoon + 60s);
}

TEST_F(Scheduling, SurvivesAClockThatJumps) {
  make();
  Host server = host();
  server.at(kNoon);
  server.at(kNoon + 24h * 400);  // Ahead: one run.
  server.take().succeed();
  server.at(kNoon + 24h * 400 + 1s);
  EXPECT_TRUE(server.runs.empty());
  // Back by more than a day: it begins with now.
  server.at(kNoon + 1s);
  EXPECT_TRUE(server.runs.empty());
  EXPECT_EQ(state("doneTime"), text(kNoon + 1s));
  server.at(kNoon + 60s);
  server.take().succeed();
  server.at(kNoon + 61s);
  // Back by less: what was done is not repeated.
  server.at(kNoon - 1h);
  server.at(kNoon + 59s);
  EXPECT_TRUE(server.runs.empty());
  server.at(kNoon + 120s);
  EXPECT_EQ(server.take().time, kNoon + 120s);
}

TEST_F(Scheduling, TakesAClaimTooFarAheadForExpired) {
  make();
  Host server = host();
  server.at(kNoon);
  const auto claimUntil = [&](ScheduleTime time) {
    change(str("update __schemascript_schedules set owner = 'other', leaseUntil = ", text(time)));
  };
  claimUntil(kNoon + 60s + 60s);
  server.at(kNoon + 60s);
  EXPECT_TRUE(server.runs.empty());
  server.schedules.reset();
  claimUntil(kNoon + 60s + 60s + 1ms);
  Host next = host({{"* * * * *", Missed::Run}});
  next.at(kNoon + 60s);
  EXPECT_EQ(next.take().time, kNoon + 60s);
}

TEST_F(Scheduling, SurvivesAnyRow) {
  make();
  host().at(kNoon);
  for (const char* const value : {"null", "'x'", "x'00ff'", "-1", "9223372036854775807",
                                  "-9223372036854775808", "1e300", "zeroblob(100000)"}) {
    for (const char* const column :
         {"doneTime", "dueTime", "attempts", "retryTime", "owner", "leaseUntil", "lastError"}) {
      change(str("update __schemascript_schedules set ", column, " = ", value));
    }
    Host server = host({{"* * * * *", Missed::Run}});
    server.at(kNoon + 1s);
    server.at(kNoon + 60s);
    EXPECT_EQ(server.take().time, kNoon + 60s) << value;
    EXPECT_TRUE(server.reports.empty()) << server.reports.front();
  }
}

TEST_F(Scheduling, RunsAllDatabasesInBatches) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back(str("t", i));
    make(names.back());
  }
  Host server = host({{"* * * * *"}}, names);
  server.options.runningMax = 30;
  server.schedules.emplace(server.options);
  EXPECT_EQ(server.schedules->step(kNoon), kNoon + 50ms);
  server.untilQuiet(kNoon);
  std::map<std::string, int> seen;
  for (ScheduleTime now = kNoon + 60s; seen.size() < 100 && now < kNoon + 110s; now += 1s) {
    server.untilQuiet(now);
    ASSERT_LE(server.runs.size(), 30u);
    while (!server.runs.empty()) {
      const BegunRun run = server.take();
      EXPECT_EQ(run.time, kNoon + 60s);
      ++seen[run.name];
      run.succeed();
    }
  }
  EXPECT_EQ(seen.size(), 100u);
  for (const auto& [name, count] : seen) EXPECT_EQ(count, 1) << name;
  EXPECT_EQ(server.schedules->status().databases, 100u);
  EXPECT_EQ(server.figures().succeeded + server.figures().running, 100u);
}

TEST_F(Scheduling, FindsNewDatabasesAndForgetsThoseThatWent) {
  make("a");
  Host server = host({{"* * * * *"}}, {"a"});
  server.at(kNoon);
  make("b");
  server.names = {"a", "b"};
  server.at(kNoon + 10s);
  server.at(kNoon + 60s);
  ASSERT_EQ(server.runs.size(), 2u);
  std::filesystem::remove(file("a"));
  server.names = {"b"};
  server.runs[0].succeed();
  server.runs[1].succeed();
  server.at(kNoon + 70s);
  server.at(kNoon + 80s);
  EXPECT_EQ(server.schedules->status().databases, 1u);
  EXPECT_FALSE(std::filesystem::exists(file("a")));
}

TEST_F(Scheduling, TakesOtherSchedulesWithoutForgettingWhatRuns) {
  make();
  Host server = host({{"* * * * *"}, {"0 0 1 1 *"}});
  server.at(kNoon);
  server.at(kNoon + 60s);
  const BegunRun run = server.take();
  server.schedules->replace({{"*/5 * * * *"}});
  server.at(kNoon + 61s);
  run.succeed();
  server.at(kNoon + 62s);
  server.at(kNoon + 5min);
  EXPECT_EQ(server.take().cron, "*/5 * * * *");
  EXPECT_EQ(errorOf([&] { server.schedules->replace({{"often"}}); }).code(),
            ErrorCode::InvalidRequest);
}

class SchedulingFaults : public Scheduling {
 protected:
  // `good` must run although something is wrong with `app`.
  void expectOthersGoOn(Host& server, ScheduleTime now) {
    server.at(now);
    bool isRun = false;
    for (const BegunRun& run : server.runs) {
      isRun = isRun || run.name == "good";
      run.succeed();
    }
    server.runs.clear();
    EXPECT_TRUE(isRun);
  }
};

TEST_F(SchedulingFaults, ALockedDatabaseIsTriedAgain) {
  make();
  make("good");
  Host server = host({{"* * * * *"}}, {"app", "good"});
  server.at(kNoon);
  {
    Database other({.file = file()});
    other.execute("begin immediate", Rules::Host);
    expectOthersGoOn(server, kNoon + 60s);
    EXPECT_TRUE(server.reports.empty());
    for (int i = 1; i < 8; ++i) server.at(kNoon + 60s + i * 1s);
    EXPECT_EQ(server.reports.size(), 1u);
    EXPECT_EQ(server.schedules->status().failingDatabases, 1u);
  }
  server.at(kNoon + 75s);
  EXPECT_EQ(server.take().name, "app");
  EXPECT_EQ(server.schedules->status().failingDatabases, 0u);
}

TEST_F(SchedulingFaults, AnEndThatCannotBeRecordedIsKeptUntilItCan) {
  make();
  Host server = host();
  server.at(kNoon);
  server.at(kNoon + 60s);
  server.take().succeed();
  {
    Database other({.file = file()});
    other.execute("begin immediate", Rules::Host);
    for (int i = 0; i < 100; ++i) server.at(kNoon + 61s + i * 1s);
    EXPECT_TRUE(server.runs.empty());
  }
  server.at(kNoon + 170s);
  EXPECT_EQ(server.take().time, kNoon + 120s);
  EXPECT_EQ(state("doneTime"), text(kNoon + 60s));
  EXPECT_EQ(server.figures().succeeded, 1u);
}

TEST_F(SchedulingFaults, ADamagedDatabaseIsReportedOnce) {
  make("good");
  std::ofstream(file()) << std::string(8'192, 'x');
  Host server = host({{"* * * * *"}}, {"app", "good"});
  for (int i = 0; i < 50; ++i) server.at(kNoon + i * 1s);
  expectOthersGoOn(server, kNoon + 60s);
  ASSERT_EQ(server.reports.size(), 1u);
  EXPECT_TRUE(server.reports[0].starts_with("app: the schedules cannot use their database"));
  EXPECT_EQ(server.schedules->status().failingDatabases, 1u);
  EXPECT_EQ(server.schedules->status().lastProblem, server.reports[0]);
  // Somebody brings it back.
  std::filesystem::remove(file());
  make();
  server.at(kNoon + 120s);
  server.at(kNoon + 180s);
  EXPECT_EQ(server.schedules->status().failingDatabases, 0u);
}

TEST_F(SchedulingFaults, ADamagedPageEndsNothing) {
  make();
  make("good");
  host().at(kNoon);
  {
    std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(100);
    out << std::string(3'000, '\xee');
  }
  Host server = host({{"* * * * *", Missed::Run}}, {"app", "good"});
  server.at(kNoon + 1s);
  expectOthersGoOn(server, kNoon + 60s);
  EXPECT_EQ(server.schedules->status().failingDatabases, 1u);
}

TEST_F(SchedulingFaults, AReadOnlyDatabaseIsReported) {
  make();
  make("good");
  Host server = host({{"* * * * *"}}, {"app", "good"});
  const auto database = server.options.database;
  server.options.database = [database](const std::string& name) {
    auto options = database(name);
    if (name == "app") options->access = Access::ReadOnly;
    return options;
  };
  server.at(kNoon);
  expectOthersGoOn(server, kNoon + 60s);
  ASSERT_EQ(server.reports.size(), 1u);
  EXPECT_NE(server.reports[0].find("READONLY"), std::string::npos) << server.reports[0];
}

TEST_F(SchedulingFaults, AFullDatabaseIsReported) {
  make();
  make("good");
  Host server = host({{"* * * * *"}}, {"app", "good"});
  const auto database = server.options.database;
  bool isFull = true;
  server.options.database = [database, &isFull](const std::string& name) {
    auto options = database(name);
    if (name == "app" && isFull) options->limits.databaseBytesMax = 8'192;  // As it is.
    return options;
  };
  server.at(kNoon);
  ASSERT_EQ(server.reports.size(), 1u);
  EXPECT_NE(server.reports[0].find("FULL"), std::string::npos) << server.reports[0];
  expectOthersGoOn(server, kNoon + 60s);
  isFull = false;
  server.names = {"app"};
  server.at(kNoon + 80s);
  server.at(kNoon + 120s);
  EXPECT_EQ(server.take().time, kNoon + 120s);
}

TEST_F(SchedulingFaults, AFolderThatCannotBeListedIsAskedAgain) {
  make();
  Host server = host();
  bool isBroken = true;
  server.options.names = [&isBroken]() -> std::vector<std::string> {
    if (isBroken) throw unavailable("cannot list");
    return {"app"};
  };
  for (int i = 0; i < 5; ++i) server.at(kNoon + i * 10s);
  EXPECT_EQ(server.reports.size(), 1u);
  isBroken = false;
  server.at(kNoon + 50s);
  server.at(kNoon + 60s);
  EXPECT_EQ(server.take().time, kNoon + 60s);
}

// Goes with others through `minutes`, all at the same time of day; each run is a row.
void goThrough(const std::filesystem::path& folder, int minutes, const std::function<void()>& meet,
               std::atomic<int>& running, std::atomic<int>& overlaps) {
  Host server(folder, {"app"}, {{"* * * * *"}});
  Database journal({.file = folder / "journal.db"});
  for (int minute = 0; minute <= minutes; ++minute) {
    for (const auto second : {0s, 2s, 4s}) {
      meet();
      server.at(kNoon + minute * 60s + second);
      if (server.runs.size() == 1) {
        const BegunRun run = server.take();
        if (running.fetch_add(1) != 0) ++overlaps;
        journal.execute(str("insert into runs values (", run.time.time_since_epoch().count(), ")"),
                        Rules::Host);
        --running;
        run.succeed();
      } else if (!server.runs.empty()) {
        ++overlaps;
      }
    }
  }
  server.at(kNoon + minutes * 60s + 30s);
}

class SeveralServers : public Scheduling {
 protected:
  void SetUp() override {
    make();
    Database({.file = file("journal")}).execute("create table runs (time)", Rules::Host);
  }
  void expectEachOnce(int minutes) {
    Database journal({.file = file("journal")});
    Statement statement = journal.prepare(
        "select count(*), count(distinct time), min(time), max(time) from runs", Rules::Host);
    Execution execution(statement);
    ASSERT_TRUE(execution.step());
    EXPECT_EQ(execution.column(0).integer, minutes);
    EXPECT_EQ(execution.column(1).integer, minutes);
    EXPECT_EQ(execution.column(2).integer, (kNoon + 60s).time_since_epoch().count());
    EXPECT_EQ(execution.column(3).integer, (kNoon + minutes * 60s).time_since_epoch().count());
  }
  static constexpr int kMinutes = 60;
};

TEST_F(SeveralServers, OfOneProcessRunEachTimeOnce) {
  std::atomic<int> running = 0;
  std::atomic<int> overlaps = 0;
  std::barrier barrier(3);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      goThrough(folder_.path(), kMinutes, [&] { barrier.arrive_and_wait(); }, running, overlaps);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(overlaps, 0);
  expectEachOnce(kMinutes);
}

TEST_F(SeveralServers, OfTwoProcessesRunEachTimeOnce) {
  struct Common {
    std::atomic<int> arrived, running, overlaps;
  };
  void* const memory =
      ::mmap(nullptr, sizeof(Common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  Common& common = *new (memory) Common{};
  const auto go = [&] {
    int round = 0;
    goThrough(
        folder_.path(), kMinutes,
        [&] {
          ++round;
          ++common.arrived;
          while (common.arrived < 2 * round) std::this_thread::yield();
        },
        common.running, common.overlaps);
  };
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    go();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  go();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(common.overlaps, 0);
  expectEachOnce(kMinutes);
  ::munmap(memory, sizeof(Common));
}

}  // namespace
}  // namespace schemascript

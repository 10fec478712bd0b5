// Isolates are found again, put back ahead of need, and given up when they should.
#include "runtime/isolate-pool.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/testing.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kBundle = R"js(
  let count = 0;
  let kept;
  export const next = () => ++count;
  export const keep = (mb) => { kept = new Uint8Array(mb << 20).fill(1); return ++count; };
  export const loop = () => { for (;;); };
  export const fill = () => { const all = []; for (;;) all.push(new Uint8Array(1e6)); };
  export const fail = () => { throw new Error("no"); };
)js";

class Pooling : public WithEngine<> {
 protected:
  static std::shared_ptr<const App> load(std::string_view bundle = kBundle) {
    AppOptions options;
    options.limits.runTimeMax = 1s;  // To load it, too, on a busy machine.
    App::Loaded loaded = App::load(*engine_, *watchdog_, bundle, std::move(options));
    if (!loaded.app) throw guestFailed("the app cannot be loaded: " + loaded.error.message);
    return loaded.app;
  }
  static std::shared_ptr<ConnectionPool> newDatabase() {
    return std::make_shared<ConnectionPool>(DatabaseOptions{});
  }

  // `use` gets a pool, on a guest's thread. Every reset is checked to the byte.
  template <typename Use>
  void with(IsolatePoolOptions options, Use&& use) {
    options.resetCheck = ResetCheck::Yes;
    GuestThread::run([&] {
      IsolatePool pool(*watchdog_, options);
      use(pool);
    });
  }

  std::string call(IsolatePool& pool, std::string_view name, Isolation isolation,
                   std::string_view argument = {}) {
    return call(pool, app_, database_, name, isolation, argument);
  }
  static std::string call(IsolatePool& pool, const std::shared_ptr<const App>& app,
                          const std::shared_ptr<ConnectionPool>& database, std::string_view name,
                          Isolation isolation, std::string_view argument = {}) {
    const CallReport report =
        pool.call(app, database, isolation, {.name = name, .argument = argument});
    return report.end == CallEnd::Answered ? report.result
                                           : std::to_string(static_cast<int>(report.end));
  }
  static std::string endedBy(CallEnd end) { return std::to_string(static_cast<int>(end)); }

  std::shared_ptr<const App> app_ = load();
  std::shared_ptr<ConnectionPool> database_ = newDatabase();
};

TEST_F(Pooling, ServesAllDatabasesOfAnAppWithOneIsolateThatForgets) {
  with({}, [&](IsolatePool& pool) {
    for (int round = 0; round < 5; ++round) {
      EXPECT_EQ(call(pool, app_, newDatabase(), "next", Isolation::Request), "1");
    }
    EXPECT_EQ(pool.counters().isolates, 1u);
    EXPECT_EQ(pool.counters().made, 1u);
    EXPECT_EQ(pool.counters().reset, 4u);
    EXPECT_EQ(pool.counters().discarded, 0u);
  });
}

TEST_F(Pooling, KeepsOneStateForEachAppAndDatabase) {
  const auto otherDatabase = newDatabase();
  const auto otherApp = load("let count = 100; export const next = () => ++count;");
  with({}, [&](IsolatePool& pool) {
    const auto next = [&](const auto& app, const auto& database) {
      return call(pool, app, database, "next", Isolation::Worker);
    };
    EXPECT_EQ(next(app_, database_), "1");
    EXPECT_EQ(next(app_, otherDatabase), "1");
    EXPECT_EQ(next(app_, database_), "2");
    EXPECT_EQ(next(otherApp, database_), "101");
    EXPECT_EQ(next(app_, otherDatabase), "2");
    // The same app without state, beside it.
    EXPECT_EQ(call(pool, "next", Isolation::Request), "1");
    EXPECT_EQ(next(app_, database_), "3");
    EXPECT_EQ(pool.counters().isolates, 4u);
  });
}

TEST_F(Pooling, GivesNoDatabaseTheStateOfOneThatWasClosed) {
  with({}, [&](IsolatePool& pool) {
    // Often at the address of the one before.
    for (int round = 0; round < 20; ++round) {
      const std::shared_ptr<ConnectionPool> database(new ConnectionPool(DatabaseOptions{}));
      EXPECT_EQ(call(pool, app_, database, "next", Isolation::Worker), "1");
    }
  });
}

TEST_F(Pooling, GivesUpWhatMisbehaved) {
  with({}, [&](IsolatePool& pool) {
    EXPECT_EQ(call(pool, "loop", Isolation::Worker), endedBy(CallEnd::TimeExceeded));
    EXPECT_EQ(pool.counters().discarded, 1u);
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
    EXPECT_EQ(call(pool, "fill", Isolation::Worker), endedBy(CallEnd::MemoryExceeded));
    EXPECT_EQ(pool.counters().discarded, 2u);
    EXPECT_EQ(pool.counters().bytes, 0u);
    // An error of the app's own is none of it.
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
    EXPECT_EQ(call(pool, "fail", Isolation::Worker), endedBy(CallEnd::Threw));
    EXPECT_EQ(call(pool, "absent", Isolation::Worker), endedBy(CallEnd::NoSuchExport));
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "2");
    EXPECT_EQ(pool.counters().discarded, 2u);
  });
}

TEST_F(Pooling, GivesUpWhatGrew) {
  with({.isolateBytesMax = 16u << 20}, [&](IsolatePool& pool) {
    EXPECT_EQ(call(pool, "keep", Isolation::Worker, "5"), "1");
    EXPECT_GT(pool.counters().bytes, 5u << 20);
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "2");
    EXPECT_EQ(call(pool, "keep", Isolation::Worker, "18"), "3");
    EXPECT_EQ(pool.counters().discarded, 1u);
    EXPECT_EQ(pool.counters().bytes, 0u);
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
  });
}

TEST_F(Pooling, StaysWithinItsBudget) {
  std::vector<std::shared_ptr<ConnectionPool>> databases;
  for (int count = 0; count < 20; ++count) databases.push_back(newDatabase());
  constexpr std::uint64_t kBytesMax = 3u << 20;
  with({.bytesMax = kBytesMax}, [&](IsolatePool& pool) {
    for (const auto& database : databases) {
      EXPECT_EQ(call(pool, app_, database, "next", Isolation::Worker), "1");
      EXPECT_LE(pool.counters().bytes, kBytesMax);
    }
    const std::size_t kept = pool.counters().isolates;
    EXPECT_GE(kept, 3u);
    EXPECT_LT(kept, 20u);
    EXPECT_EQ(pool.counters().discarded, 20 - kept);
    // The one that was used last is there, the one that was used first is not.
    EXPECT_EQ(call(pool, app_, databases.back(), "next", Isolation::Worker), "2");
    EXPECT_EQ(call(pool, app_, databases.front(), "next", Isolation::Worker), "1");
  });
  // One that takes more than all of it serves nevertheless.
  with({.bytesMax = 1}, [&](IsolatePool& pool) {
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "2");
  });
}

TEST_F(Pooling, PreparesAheadOfCalls) {
  with({}, [&](IsolatePool& pool) {
    EXPECT_FALSE(pool.prepareAhead());
    EXPECT_EQ(call(pool, "next", Isolation::Request), "1");
    EXPECT_TRUE(pool.prepareAhead());
    EXPECT_FALSE(pool.prepareAhead());
    EXPECT_EQ(pool.counters().reset, 1u);
    EXPECT_EQ(call(pool, "next", Isolation::Request), "1");
    EXPECT_EQ(pool.counters().reset, 1u);  // Not again.
    // Another one instead of the one that was given up.
    EXPECT_EQ(call(pool, "loop", Isolation::Request), endedBy(CallEnd::TimeExceeded));
    EXPECT_EQ(pool.counters().made, 1u);
    EXPECT_TRUE(pool.prepareAhead());
    EXPECT_EQ(pool.counters().made, 2u);
    EXPECT_FALSE(pool.prepareAhead());
    // What keeps its state is left alone.
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
    EXPECT_FALSE(pool.prepareAhead());
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "2");
  });
}

TEST_F(Pooling, LetsIsolatesRestAndKeepsTheirState) {
  with({.restAfter = 0ms}, [&](IsolatePool& pool) {
    EXPECT_EQ(pool.nextWork(), IsolatePool::Clock::time_point::max());
    for (const std::string_view count : {"1", "2", "3"}) {
      EXPECT_EQ(call(pool, "next", Isolation::Request), "1");
      EXPECT_EQ(call(pool, "next", Isolation::Worker), count);
      const std::uint64_t before = pool.counters().bytes;
      EXPECT_LE(pool.nextWork(), IsolatePool::Clock::now());
      EXPECT_TRUE(pool.prepareAhead());
      EXPECT_TRUE(pool.prepareAhead());
      EXPECT_FALSE(pool.prepareAhead());
      EXPECT_LT(pool.counters().bytes, before);
    }
    EXPECT_EQ(pool.counters().made, 2u);
    EXPECT_EQ(pool.counters().discarded, 0u);
  });
}

TEST_F(Pooling, GivesUpWhatNobodyUses) {
  with({.idleTimeMax = 20ms}, [&](IsolatePool& pool) {
    EXPECT_EQ(call(pool, "next", Isolation::Request), "1");
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
    while (pool.counters().isolates > 0) {
      std::this_thread::sleep_until(pool.nextWork());
      static_cast<void>(pool.prepareAhead());
    }
    EXPECT_EQ(pool.nextWork(), IsolatePool::Clock::time_point::max());
    EXPECT_EQ(pool.counters().isolates, 0u);
    EXPECT_EQ(pool.counters().bytes, 0u);
    EXPECT_EQ(pool.counters().discarded, 2u);
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
  });
}

TEST_F(Pooling, LendsAsManyAsAreInUse) {
  for (const Isolation isolation : {Isolation::Request, Isolation::Worker}) {
    with({}, [&](IsolatePool& pool) {
      const auto next = [&](const IsolatePool::Loan& loan) {
        return loan->call(*database_, {.name = "next"}).result;
      };
      IsolatePool::Loan one = pool.lend(app_, database_, isolation);
      IsolatePool::Loan other = pool.lend(app_, database_, isolation);
      EXPECT_EQ(next(one), "1");
      EXPECT_EQ(next(other), "1");
      EXPECT_EQ(pool.counters().isolates, 0u);
      pool.takeBack(std::move(one), CallEnd::Answered);
      EXPECT_EQ(pool.counters().isolates, 1u);
      EXPECT_GT(pool.counters().bytes, 0u);
      {
        const IsolatePool::Loan given = std::move(other);  // And given up.
      }
      EXPECT_EQ(next(pool.lend(app_, database_, isolation)),
                isolation == Isolation::Worker ? "2" : "1");
      EXPECT_EQ(pool.counters().made, 2u);
      EXPECT_EQ(pool.counters().isolates, 0u);
      EXPECT_EQ(pool.counters().bytes, 0u);
    });
  }
}

// The one that was used last is the warmest.
TEST_F(Pooling, LendsTheLastOneFirst) {
  with({}, [&](IsolatePool& pool) {
    std::vector<IsolatePool::Loan> loans;
    for (int count = 0; count < 3; ++count) {
      loans.push_back(pool.lend(app_, database_, Isolation::Worker));
    }
    for (int calls = 3; calls > 0; --calls) {
      for (int count = 0; count < calls; ++count) {
        EXPECT_EQ(loans[0]->call(*database_, {.name = "next"}).end, CallEnd::Answered);
      }
      pool.takeBack(std::move(loans[0]), CallEnd::Answered);
      loans.erase(loans.begin());
    }
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "2");
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "3");
  });
}

TEST_F(Pooling, TakesBackWhatAnotherPoolLent) {
  with({.restAfter = 0ms}, [&](IsolatePool& pool) {
    EXPECT_EQ(call(pool, "next", Isolation::Worker), "1");
    IsolatePool::Loan loan = pool.lend(app_, database_, Isolation::Worker);
    const auto pass = [&](IsolatePool& other) {
      EXPECT_EQ(loan->call(*database_, {.name = "next"}).result, "2");
      other.takeBack(std::move(loan), CallEnd::Answered);
      while (other.prepareAhead()) {
      }
      EXPECT_EQ(call(other, "next", Isolation::Worker), "3");
      EXPECT_EQ(other.counters().isolates, 1u);
    };
    with({.restAfter = 0ms}, pass);
    EXPECT_EQ(pool.counters().isolates, 0u);
    EXPECT_EQ(pool.nextWork(), IsolatePool::Clock::time_point::max());
    EXPECT_FALSE(pool.prepareAhead());
  });
}

TEST_F(Pooling, SurvivesWhatACallThrows) {
  with({}, [&](IsolatePool& pool) {
    const auto app = load("export const say = () => { console.log('x'); return 1; };");
    expectError(ErrorCode::Unavailable, "the log is full", [&] {
      pool.call(app, database_, Isolation::Worker,
                {.name = "say",
                 .log = [](LogStream, std::string_view) { throw unavailable("the log is full"); }});
    });
    EXPECT_EQ(pool.counters().isolates, 0u);
    EXPECT_EQ(pool.counters().bytes, 0u);
    EXPECT_EQ(call(pool, app, database_, "say", Isolation::Worker), "1");
  });
}

}  // namespace
}  // namespace schemascript

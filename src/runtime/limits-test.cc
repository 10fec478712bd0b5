// Limits of a call: each just inside and just outside, for the app and for one call of it; and
// fuel, which is exact.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "base/error.h"
#include "runtime/app.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

std::string shown(const CallReport& report) {
  return "end " + std::to_string(static_cast<int>(report.end)) + ": " + report.result +
         report.error.message + report.error.stack;
}

class LimitsOfCalls : public WithEngine<> {
 protected:
  static std::shared_ptr<const App> load(std::string_view bundle, const Limits& limits = {}) {
    AppOptions options;
    options.limits = limits;
    const App::Loaded loaded = App::load(*engine_, *watchdog_, bundle, std::move(options));
    EXPECT_TRUE(loaded.app) << loaded.error.message;
    return loaded.app;
  }

  // In an isolate of its own, on a thread of its own; `calls` times.
  CallReport call(const std::shared_ptr<const App>& app, std::string_view name,
                  std::string_view argument = {}, std::optional<Limits> limits = {},
                  int calls = 1) {
    CallReport report;
    GuestThread::run([&] {
      Isolate isolate(app, *watchdog_, {.resetCheck = ResetCheck::Yes});
      for (int count = 0; count < calls; ++count) {
        report = isolate.call(
            database_, {.name = name,
                        .argument = argument,
                        .limits = limits,
                        .log = [this](LogStream, std::string_view text) { written_ += text; }});
      }
    });
    return report;
  }

  // The same with the limits of the app, and with those of the call.
  void bothWays(std::string_view bundle, std::string_view argument, const Limits& limits,
                const std::function<void(const CallReport&)>& check) {
    written_.clear();
    check(call(load(bundle, limits), "f", argument));
    written_.clear();
    check(call(load(bundle), "f", argument, limits));
  }

  static Limits withFuel(std::uint64_t fuel) {
    Limits limits;
    limits.fuelMax = fuel;
    return limits;
  }

  ConnectionPool database_{DatabaseOptions{}};
  std::string written_;
};

constexpr std::string_view kKinds = R"js(
  import { sql } from "drizzle-orm";
  import { database, Table } from "schemascript";
  const things = Table("things", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
  const db = database({ things });
  const all = db.select().from(things).prepare();
  export const setUp = async () => {
    await db.run(sql`create table things (id integer primary key, name text) strict`);
    await db.insert(things).values(Array.from({ length: 100 }, (_, n) => ({ name: `thing ${n}` })));
  };
  export const nothing = () => {};
  export const straight = () => 1 + 1;
  export const loop = () => { let n = 0; for (let i = 0; i < 25_000; ++i) n += i; return n; };
  export const calls = () => { const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2); return fib(18); };
  export const drizzle = async () => (await db.select().from(things)).length;
  export const prepared = async () => (await all.all()).length;
  export const json = () => JSON.parse(JSON.stringify({ a: [1, { b: "c" }], d: null })).a[1].b;
  export const sets = () => {
    const map = new Map(), set = new Set();
    for (let i = 0; i < 2_000; ++i) { map.set({ i }, i); set.add(`${i % 97}`); }
    return map.size + set.size;
  };
  export const regexp = () => "a1b22c333".repeat(300).replace(/(\d+)([a-z])/g, (_, n, l) => l + n).length;
  export const backtracking = () => /^(a+)+$/.test("a".repeat(15) + "b");
  export const sort = () => Array.from({ length: 500 }, (_, n) => (n * 7919) % 1009).sort((a, b) => a - b)[3];
  export const throws = () => {
    let n = 0;
    for (let i = 0; i < 200; ++i) try { throw new Error(`no ${i}`); } catch (e) { n += e.stack.length; }
    return n;
  };
  export const waits = async () => {
    let n = 0;
    const one = async (i) => { await null; n += i; };
    await Promise.all(Array.from({ length: 100 }, (_, i) => one(i)));
    for await (const i of (async function* () { yield 1; yield 2; })()) n += i;
    return n;
  };
  export const generators = () => [...(function* () { for (let i = 0; i < 300; ++i) yield i; })()].length;
  export const proxies = () => {
    const p = new Proxy({}, { get: (_, name) => name.length });
    let n = 0; for (const name of ["a", "bb"]) n += p[name]; for (const k in { x: 1, y: 2 }) n += k.length;
    return n;
  };
  export const writes = () => { for (let i = 0; i < 20; ++i) console.log("line", i, { i }); };
)js";

constexpr std::string_view kNames[] = {
    "nothing", "straight",     "loop", "calls",  "drizzle", "prepared",   "json",    "sets",
    "regexp",  "backtracking", "sort", "throws", "waits",   "generators", "proxies", "writes"};

TEST_F(LimitsOfCalls, FuelIsTheSameEachTimeAndExact) {
  const auto app = load(kKinds);
  ASSERT_EQ(call(app, "setUp").end, CallEnd::Answered);
  for (const std::string_view name : kNames) {
    const CallReport first = call(app, name);
    ASSERT_EQ(first.end, CallEnd::Answered) << name << ' ' << shown(first);
    const std::uint64_t fuel = first.cost.fuel;
    EXPECT_GT(fuel, 0u) << name;
    // After resets; on another thread; of an app that was loaded anew.
    EXPECT_EQ(call(app, name, {}, {}, 3).cost.fuel, fuel) << name;
    std::thread([&] { EXPECT_EQ(call(app, name).cost.fuel, fuel) << name; }).join();
    EXPECT_EQ(call(load(kKinds), name).cost.fuel, fuel) << name;

    const CallReport inside = call(app, name, {}, withFuel(fuel));
    EXPECT_EQ(inside.end, CallEnd::Answered) << name << ' ' << shown(inside);
    EXPECT_EQ(inside.result, first.result) << name;
    EXPECT_EQ(inside.cost.fuel, fuel) << name;
    const CallReport outside = call(app, name, {}, withFuel(fuel - 1));
    EXPECT_EQ(outside.end, CallEnd::FuelExceeded) << name << ' ' << shown(outside);
    EXPECT_EQ(outside.cost.fuel, fuel - 1) << name;
    EXPECT_EQ(outside.result, "") << name;
  }
}

// Of one call, whatever the limit: no way through it ends well, and none hangs.
TEST_F(LimitsOfCalls, FuelEndsACallWhereverItEnds) {
  const auto app = load(kKinds);
  ASSERT_EQ(call(app, "setUp").end, CallEnd::Answered);
  for (const std::string_view name : {"drizzle", "waits", "throws"}) {
    const std::uint64_t fuel = call(app, name).cost.fuel;
    for (std::uint64_t limit = 1; limit < fuel; limit += 1 + fuel / 60) {
      const CallReport report = call(app, name, {}, withFuel(limit));
      EXPECT_EQ(report.end, CallEnd::FuelExceeded) << name << ' ' << limit << shown(report);
      EXPECT_EQ(report.cost.fuel, limit);
    }
  }
}

TEST_F(LimitsOfCalls, FuelCountsWhatIsWorked) {
  const auto app = load(
      "export const loop = (n) => { for (let i = 0; i < n; ++i); };"
      "export const test = (n) => /^(a+)+$/.test('a'.repeat(n) + 'b');");
  const std::uint64_t none = call(app, "loop", "0").cost.fuel;
  for (const std::uint64_t turns : {1, 9'999, 10'000, 10'001, 1'000'000}) {
    const CallReport report = call(app, "loop", std::to_string(turns));
    // Out of the loop or not, and back to its beginning.
    EXPECT_EQ(report.cost.fuel - none, 2 * turns);
  }
  // Each letter doubles the steps; those of short ones are counted, too.
  EXPECT_GT(call(app, "test", "8").cost.fuel, 250u);
  EXPECT_GT(call(app, "test", "18").cost.fuel, 900 * call(app, "test", "8").cost.fuel);
}

TEST_F(LimitsOfCalls, FuelSaysWhereTheGuestWas) {
  const std::string_view bundle =
      "function spin() { for (;;); }\nexport const f = async () => {\n  await null; spin(); };";
  bothWays(bundle, "", withFuel(100'000), [](const CallReport& report) {
    EXPECT_EQ(report.end, CallEnd::FuelExceeded);
    EXPECT_EQ(
        report.error.message,
        "it made more than 100000 jumps and calls (fuelMax); have it do less at once, or give "
        "it more fuel");
    EXPECT_NE(report.error.stack.find("at spin (schemascript:app:1:"), std::string::npos)
        << report.error.stack;
    EXPECT_NE(report.error.stack.find("schemascript:app:3:"), std::string::npos)
        << report.error.stack;
    EXPECT_EQ(report.cost.fuel, 100'000u);
  });
}

// Each tries to go on when its fuel has ended, and to tell that it did.
TEST_F(LimitsOfCalls, FuelCannotBeHadAgain) {
  constexpr std::string_view kAttempts[] = {
      "() => { try { for (;;); } catch { console.log('on'); } finally { console.log('on'); } }",
      "() => { for (;;) { try { for (;;); } catch {} finally { continue; } } }",
      "async () => { try { await (async () => { for (;;); })(); } catch { console.log('on'); } }",
      "async () => { try { await null; for (;;); } finally { console.log('on'); } }",
      "() => (async () => { for (;;); })().catch(() => console.log('on'))",
      "() => new Promise(() => { for (;;); }).then(() => {}, () => console.log('on'))",
      "() => Promise.allSettled([new Promise(() => { for (;;); })]).finally(() => "
      "console.log('on'))",
      // What was swallowed, and not even looked at.
      "() => { new Promise(() => { for (;;); }); return 'on'; }",
      "() => { new Promise(() => { for (;;); }).catch(() => {}); return 'on'; }",
      "() => { Promise.resolve({ then() { for (;;); } }); return 'on'; }",
      "() => { queueMicrotask(() => { for (;;); }); return 'on'; }",
      "() => { setTimeout(() => console.log('on')); for (;;); }",
      "() => new Promise((done) => { setTimeout(() => { for (;;); }); "
      "setTimeout(() => { console.log('on'); done(); }, 1); })",
      "() => { const timer = setInterval(() => { try { for (;;); } catch { console.log('on'); } }, "
      "1);"
      " return new Promise(() => {}); }",
      // Where the engine looks for a method, a getter or a toString.
      "() => ({ toJSON() { try { for (;;); } finally { console.log('on'); } } })",
      "() => ({ get x() { for (;;); } })",
      "() => { throw new Proxy(new Error('x'), { get() { for (;;); } }); }",
      "() => { for (const x of { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false "
      "}), "
      "return() { console.log('on'); return {}; } }) }) for (;;); }",
      "() => { const g = (function* () { try { yield 1; } finally { console.log('on'); } })(); "
      "for (const x of g) for (;;); }",
      "() => { [3, 2, 1].sort(() => { for (;;); }); return 'on'; }",
      "() => { 'a'.replace(/a/g, () => { for (;;); }); return 'on'; }",
      "() => { /^(a+)+$/.test('a'.repeat(40) + 'b'); return 'on'; }",
      "() => { while (true) /^(a+)+$/.test('aaaaab'); }",
      "() => { try { (function deep() { deep(); })(); } catch { for (;;); } finally { "
      "console.log('on'); } }",
      "() => { Object.defineProperty(Object.prototype, 'stack', { get() { console.log('on'); } }); "
      "Object.prototype.toJSON = () => console.log('on'); String.prototype.toJSON = () => "
      "console.log('on'); "
      "Error.prototype.toString = () => console.log('on'); Promise.prototype.then = () => "
      "console.log('on');"
      "for (;;); }",
      "() => { const reference = new FinalizationRegistry(() => console.log('on')); "
      "for (;;) reference.register({}, 1); }",
      "async () => { for (;;) await null; }",
      "async () => { for await (const x of (async function* () { try { for (;;) yield 1; } finally "
      "{ "
      "console.log('on'); } })()); }",
      "() => { const all = []; try { for (;;) all.push(new Uint8Array(1e5)); } catch { for (;;); } "
      "}",
      "() => { new Function('for (;;);')(); }",
      "() => { eval('try { for (;;); } catch { console.log(\"on\") }'); }",
  };
  const Limits limits = withFuel(300'000);
  for (const std::string_view attempt : kAttempts) {
    const auto app = load("let calls = 0; export const count = () => ++calls; export const f = " +
                          std::string(attempt) + ";");
    ASSERT_TRUE(app) << attempt;
    for (const Isolation isolation : {Isolation::Request, Isolation::Worker}) {
      GuestThread::run([&] {
        Isolate isolate(app, *watchdog_, {.isolation = isolation, .resetCheck = ResetCheck::Yes});
        const auto next = [&](std::string_view name) {
          return isolate.call(
              database_, {.name = name,
                          .limits = limits,
                          .log = [this](LogStream, std::string_view text) { written_ += text; }});
        };
        written_.clear();
        EXPECT_EQ(next("count").result, "1");
        for (int round = 0; round < 2; ++round) {
          const CallReport report = next("f");
          EXPECT_EQ(report.end, CallEnd::FuelExceeded) << attempt << '\n' << shown(report);
          EXPECT_EQ(report.cost.fuel, 300'000u) << attempt;
          EXPECT_EQ(written_, "") << attempt;
        }
        // From the snapshot, also as a worker.
        EXPECT_EQ(next("count").result, "1") << attempt;
      });
    }
  }
}

TEST_F(LimitsOfCalls, FuelHoldsWhileAnAppIsLoaded) {
  AppOptions options;
  options.limits = withFuel(1'000);
  const App::Loaded loaded = App::load(
      *engine_, *watchdog_, "const spin = () => { for (;;); };\nspin();", std::move(options));
  EXPECT_EQ(loaded.end, CallEnd::FuelExceeded);
  EXPECT_NE(loaded.error.message.find("more than 1000 jumps"), std::string::npos);
  EXPECT_NE(loaded.error.stack.find("at spin (schemascript:app:1:"), std::string::npos)
      << loaded.error.stack;
}

TEST_F(LimitsOfCalls, FuelIsToldOfAGuestThatWasStopped) {
  const auto app = load(
      "export const f = () => { for (;;); };"
      "export const g = () => { for (let i = 0; i < 50_000; ++i); return (new Array(3e7) + "
      "'').length; };");
  Limits limits;
  limits.runTimeMax = 50ms;
  const CallReport asked = call(app, "f", {}, limits);
  EXPECT_EQ(asked.end, CallEnd::TimeExceeded);
  EXPECT_GT(asked.cost.fuel, 100'000u);
  const CallReport forced = call(app, "g", {}, limits);
  EXPECT_EQ(forced.end, CallEnd::TimeExceeded);
  EXPECT_NEAR(static_cast<double>(forced.cost.fuel), 100'000, 100);
  EXPECT_GT(forced.cost.heapBytes, 1u << 20);
}

TEST_F(LimitsOfCalls, RunTime) {
  const std::string_view bundle =
      "export const f = (ms) => new Promise((done) => setTimeout(() => done(1), ms));";
  Limits limits;
  limits.runTimeMax = 300ms;
  bothWays(bundle, "20", limits,
           [](const CallReport& report) { EXPECT_EQ(report.end, CallEnd::Answered); });
  bothWays(bundle, "400", limits, [](const CallReport& report) {
    EXPECT_EQ(report.end, CallEnd::TimeExceeded);
    EXPECT_LT(report.cost.wall, 390ms);
  });
}

TEST_F(LimitsOfCalls, MemoryIsALimitOfTheApp) {
  const std::string_view bundle =
      "export const f = (mb) => new Uint8Array(mb << 20).fill(1).length;";
  Limits limits;
  limits.memoryBytesMax = 32ull << 20;
  limits.heapBytesMax = limits.memoryBytesMax;  // Not what is met first.
  const auto app = load(bundle, limits);
  EXPECT_EQ(call(app, "f", "18").end, CallEnd::Answered);
  EXPECT_EQ(call(app, "f", "33").end, CallEnd::MemoryExceeded);
  EXPECT_EQ(call(app, "f", "18", limits).end, CallEnd::Answered);
  try {
    call(app, "f", "1", Limits());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
    EXPECT_EQ(
        error.message(),
        "memoryBytesMax is 64mb for this call and 32mb for the app; it is a limit of apps, so "
        "load the app with it");
  }
}

TEST_F(LimitsOfCalls, Heap) {
  const std::string_view bundle = "export const f = (bytes) => new Uint8Array(bytes).length;";
  const std::uint64_t idle = call(load(bundle), "f", "0").cost.heapBytes;
  Limits limits;
  limits.heapBytesMax = 20u << 20;
  const std::uint64_t room = limits.heapBytesMax - idle;
  bothWays(bundle, std::to_string(room - 20'000), limits, [&](const CallReport& report) {
    EXPECT_EQ(report.end, CallEnd::Answered) << shown(report);
    EXPECT_LE(report.cost.heapBytes, limits.heapBytesMax + 64);
    EXPECT_GE(report.cost.heapBytes, limits.heapBytesMax - 40'000);
  });
  bothWays(bundle, std::to_string(room + 20'000), limits, [](const CallReport& report) {
    EXPECT_EQ(report.end, CallEnd::MemoryExceeded) << shown(report);
    EXPECT_EQ(report.error.message, "out of memory");
  });
}

TEST_F(LimitsOfCalls, Stack) {
  const std::string_view bundle =
      "export const f = (n) => n === 0 ? 0 : 1 + f(n - 1);"
      "export const deepest = () => { let n = 0; const go = () => { ++n; go(); }; try { go(); } "
      "catch {} return n; };";
  Limits limits;
  limits.stackBytesMax = 200u << 10;
  bothWays(bundle, "100", limits,
           [](const CallReport& report) { EXPECT_EQ(report.result, "100"); });
  bothWays(bundle, "2500", limits, [](const CallReport& report) {
    EXPECT_EQ(report.end, CallEnd::Threw);
    EXPECT_EQ(report.error.message, "stack overflow");
  });
  EXPECT_EQ(call(load(bundle), "f", "1000").result, "1000");
  const auto app = load(bundle);
  const int shallow = std::stoi(call(app, "deepest", {}, limits).result);
  const int deep = std::stoi(call(app, "deepest").result);
  EXPECT_NEAR(deep / static_cast<double>(shallow), 768.0 / 200, 0.3);
}

TEST_F(LimitsOfCalls, Timers) {
  const std::string_view bundle = R"js(
    export const f = (n) => {
      const all = [];
      for (let i = 0; i < n; ++i) all.push(setTimeout(() => {}, 60_000));
      all.forEach(clearTimeout);
      setInterval(() => {}, 60_000);
      return all.length;
    };)js";
  Limits limits;
  limits.timersMax = 100;
  bothWays(bundle, "100", limits,
           [](const CallReport& report) { EXPECT_EQ(report.result, "100") << shown(report); });
  bothWays(bundle, "101", limits, [](const CallReport& report) {
    EXPECT_EQ(report.end, CallEnd::Threw);
    EXPECT_EQ(report.error.name, "RangeError");
    EXPECT_EQ(report.error.message,
              "timersMax is 100, and as many timers wait already: clear some of them");
  });
  EXPECT_EQ(call(load(bundle), "f", "10000").result, "10000");
  EXPECT_EQ(call(load(bundle), "f", "10001").error.name, "RangeError");
}

TEST_F(LimitsOfCalls, Log) {
  const std::string_view bundle = "export const f = (n) => { console.log('é'.repeat(n)); };";
  const std::string end =
      "schemascript: the log ends here: what is written beyond 101b is dropped (logBytesMax)\n";
  Limits limits;
  limits.logBytesMax = 101;
  bothWays(bundle, "50", limits, [&](const CallReport& report) {
    EXPECT_EQ(report.cost.logBytes, 101u);
    EXPECT_FALSE(report.cost.logTruncated);
    EXPECT_EQ(written_.find("schemascript"), std::string::npos);
  });
  bothWays(bundle, "51", limits, [&](const CallReport& report) {
    EXPECT_EQ(report.end, CallEnd::Answered);
    EXPECT_EQ(report.cost.logBytes, 103u);
    EXPECT_TRUE(report.cost.logTruncated);
    EXPECT_EQ(written_.size(), 100 + 1 + end.size());
    EXPECT_TRUE(written_.ends_with("é\n" + end)) << written_;
  });
}

TEST_F(LimitsOfCalls, LogOfEachCall) {
  const auto app =
      load("export const f = (n) => { for (let i = 0; i < n; ++i) console.log('12345678'); };");
  Limits limits;
  limits.logBytesMax = 900;
  for (int calls = 1; calls < 4; ++calls) {
    written_.clear();
    EXPECT_FALSE(call(app, "f", "100", limits, calls).cost.logTruncated);
    EXPECT_EQ(written_.size(), 900u * static_cast<unsigned>(calls));
  }
  // A flood: one more line for the host, whatever the guest writes.
  written_.clear();
  EXPECT_EQ(call(app, "f", "20000", limits).cost.logBytes, 180'000u);
  EXPECT_LT(written_.size(), 1'000u);
}

TEST_F(LimitsOfCalls, OpenTransactionsAndCursors) {
  const std::string_view bundle = R"js(
    const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
    export const f = ({ transactions, cursors }) => {
      let transaction;
      for (let i = 0; i < transactions; ++i) {
        const answer = ask({ method: "begin", ...(transaction ? { transaction } : {}) });
        if (answer.error) return `${answer.error.code}: ${answer.error.message}`;
        transaction = answer.transaction;
      }
      for (let i = 0; i < cursors; ++i) {
        const answer = ask({ method: "iterate", sql: `with recursive n(i) as
          (select 1 union all select i + 1 from n where i < 5000) select i from n` });
        if (answer.error) return `${answer.error.code}: ${answer.error.message}`;
      }
      return "fine";
    };)js";
  Limits limits;
  limits.openTransactionsMax = 3;
  limits.openCursorsMax = 2;
  const auto expect = [&](std::string_view argument, std::string_view part) {
    bothWays(bundle, argument, limits, [&](const CallReport& report) {
      EXPECT_NE(report.result.find(part), std::string::npos) << shown(report);
    });
  };
  expect(R"({"transactions":3,"cursors":0})", "fine");
  expect(R"({"transactions":4,"cursors":0})", "limit-exceeded");
  expect(R"({"transactions":4,"cursors":0})", "openTransactionsMax");
  expect(R"({"transactions":0,"cursors":2})", "fine");
  expect(R"({"transactions":0,"cursors":3})", "limit-exceeded");
  expect(R"({"transactions":0,"cursors":3})", "openCursorsMax");
}

}  // namespace
}  // namespace schemascript

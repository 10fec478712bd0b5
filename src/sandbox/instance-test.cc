// Guests that are loaded once and called many times: what an app may do while it is loaded, how a
// call is answered, and that a reset leaves nothing of it.
#include "sandbox/instance.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "bridge/session.h"
#include "database/connection-pool.h"

namespace schemascript {
namespace {

constexpr std::string_view kInputs = "00000000000000000000000000000000";

class Loaded : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    engine_ = std::make_unique<Engine>(EngineFiles::in(SCHEMASCRIPT_GUEST_FOLDER));
  }
  static void TearDownTestSuite() { engine_.reset(); }

  InstanceOptions options(World world) {
    return {.limits = limits_,
            .log = [this](LogStream, std::string_view text) { written_ += text; },
            .world = world,
            .resetCheck = ResetCheck::Yes};
  }

  // The app's snapshot, or none and `failure_`.
  std::optional<Snapshot> load(std::string_view bundle) {
    Session session(pool_, {.queriesRefusedBecause = "module scope has no database"});
    Instance instance(*engine_, engine_->snapshot(), options(World::Frozen));
    instance.attach(&session);
    EXPECT_TRUE(instance.start(kStart));
    if (!instance.load(bundle)) {
      failure_ = instance.failure();
      return std::nullopt;
    }
    instance.reserveMemory();
    return instance.snapshot(kInputs);
  }

  // On a guest's thread: loads `bundle`, and lets `use` have an instance of it.
  void with(std::string_view bundle, const std::function<void(Instance&)>& use,
            ResetCheck resetCheck = ResetCheck::No) {
    GuestThread::run([&] {
      const auto snapshot = load(bundle);
      ASSERT_TRUE(snapshot) << failure_;
      Session session(pool_, {});
      InstanceOptions own = options(World::Real);
      own.resetCheck = resetCheck;
      Instance instance(*engine_, &*snapshot, std::move(own));
      instance.attach(&session);
      use(instance);
    });
  }

  // What loading fails with; empty when it does not.
  std::string loadFailure(std::string_view bundle) {
    failure_.clear();
    GuestThread::run([&] { load(bundle); });
    return failure_;
  }

  // The answer of a call, or the failure.
  static std::string call(Instance& instance, std::string_view name,
                          std::string_view argument = "") {
    if (!instance.start(kStart) || !instance.call(name, argument)) return instance.failure();
    Progress progress = instance.poll();
    while (progress.state == Progress::State::Waiting) progress = instance.poll();
    return progress.state == Progress::State::Finished ? instance.result() : instance.failure();
  }

  std::string callOnce(std::string_view bundle, std::string_view name,
                       std::string_view argument = "") {
    std::string answer;
    with(bundle, [&](Instance& instance) { answer = call(instance, name, argument); });
    return answer;
  }

  static constexpr std::string_view kStart = R"({"args":[]})";
  static inline std::unique_ptr<Engine> engine_;
  ConnectionPool pool_{DatabaseOptions{}};
  Limits limits_;
  std::string written_;
  std::string failure_;
};

TEST_F(Loaded, AnswersWithJson) {
  const std::string_view bundle = R"js(
    export const echo = (value) => ({ value, type: typeof value });
    export const count = function () { return arguments.length; };
    export async function later() { await null; return "später"; }
    export const thenable = () => ({ then(resolve) { resolve([1]); } });
    export const nothing = () => {};
    export const waits = () => new Promise((resolve) => setTimeout(() => resolve(7), 3));
  )js";
  EXPECT_EQ(callOnce(bundle, "echo", R"({"a":[1,"ü"]})"),
            R"({"value":{"a":[1,"ü"]},"type":"object"})");
  EXPECT_EQ(callOnce(bundle, "echo"), R"({"type":"undefined"})");
  EXPECT_EQ(callOnce(bundle, "count"), "0");
  EXPECT_EQ(callOnce(bundle, "count", "null"), "1");
  EXPECT_EQ(callOnce(bundle, "later"), "\"später\"");
  EXPECT_EQ(callOnce(bundle, "thenable"), "[1]");
  EXPECT_EQ(callOnce(bundle, "nothing"), "");
  EXPECT_EQ(callOnce(bundle, "waits"), "7");
}

TEST_F(Loaded, FindsWhatTheModuleOrItsDefaultExports) {
  const std::string_view bundle = R"js(
    export const both = () => "module";
    const text = "default";
    export default { both: () => "default", text, self() { return this.text; } };
  )js";
  EXPECT_EQ(callOnce(bundle, "both"), "\"module\"");
  EXPECT_EQ(callOnce(bundle, "self"), "\"default\"");
  EXPECT_EQ(callOnce("export default () => 1", "default"), "1");
  for (const std::string_view missing : {"text", "toString", "constructor", "", "__proto__"}) {
    EXPECT_EQ(callOnce(bundle, missing),
              R"({"kind":"missing","error":{"message":"the app exports no function )" +
                  std::string(missing) + R"(","exports":["both","self"]}})");
  }
  EXPECT_NE(callOnce("const own = 1;", "own").find(R"("kind":"missing")"), std::string::npos);
}

TEST_F(Loaded, TellsHowACallFailed) {
  const auto expectIn = [](const std::string& answer, std::string_view part) {
    EXPECT_NE(answer.find(part), std::string::npos) << answer;
  };
  const std::string_view bundle = R"js(
    export const throws = () => { throw new RangeError("no"); };
    export const rejects = async () => { throw new RangeError("later"); };
    export const lost = () => { Promise.reject(new Error("lost")); return 1; };
    export const never = () => new Promise(() => {});
    export const bigint = () => 1n;
    export const toJson = () => ({ toJSON() { throw new Error("toJSON"); } });
    export const fine = () => 1;
  )js";
  expectIn(callOnce(bundle, "throws"), R"("name":"RangeError","message":"no")");
  expectIn(callOnce(bundle, "rejects"), R"("message":"later")");
  expectIn(callOnce(bundle, "lost"), R"("message":"lost")");
  expectIn(callOnce(bundle, "never"), R"("kind":"pending")");
  expectIn(callOnce(bundle, "bigint"), R"("name":"TypeError")");
  expectIn(callOnce(bundle, "toJson"), R"("message":"toJSON")");
  expectIn(callOnce(bundle, "fine", "{"), R"("kind":"argument")");
  expectIn(callOnce(bundle, "fine", "1 2"), R"("kind":"argument")");
}

TEST_F(Loaded, ForgetsAFailureWhenItIsCalledAgainWithItsState) {
  const std::string_view bundle = R"js(
    let calls = 0;
    export const fail = () => { ++calls; throw new Error("no"); };
    export const count = () => calls;
    export const fill = () => { const all = []; for (;;) all.push(new Uint8Array(1e6)); };
  )js";
  limits_.heapBytesMax = 32u << 20;
  with(bundle, [](Instance& instance) {
    ASSERT_TRUE(instance.start(kStart));
    const auto next = [&instance](std::string_view name) {
      if (!instance.call(name, "")) return instance.failure();
      return instance.poll().state == Progress::State::Finished ? instance.result()
                                                                : instance.failure();
    };
    EXPECT_NE(next("fail").find("no"), std::string::npos);
    EXPECT_EQ(next("count"), "1");
    // The limit of the heap is lifted to describe a failure, and holds again.
    EXPECT_NE(next("fill").find(R"("kind":"memory")"), std::string::npos);
    EXPECT_EQ(next("count"), "1");
  });
}

TEST_F(Loaded, MayAwaitWhatSettlesByItself) {
  const std::string_view bundle = R"js(
    const value = await Promise.all([1, Promise.resolve(2)]);
    queueMicrotask(() => value.push(3));
    export const answer = () => value;
  )js";
  EXPECT_EQ(callOnce(bundle, "answer"), "[1,2,3]");
  EXPECT_NE(loadFailure("await new Promise(() => {});").find(R"("kind":"pending")"),
            std::string::npos);
  EXPECT_NE(loadFailure("await null; throw new Error('late');").find("late"), std::string::npos);
  EXPECT_NE(loadFailure("Promise.reject(new Error('lost'));").find("lost"), std::string::npos);
  EXPECT_NE(loadFailure("const = 1;").find("SyntaxError"), std::string::npos);
  EXPECT_NE(loadFailure("import 'fs';").find("not part of the bundle"), std::string::npos);
}

TEST_F(Loaded, HasNoClockRandomnessOrTimersInModuleScope) {
  const struct {
    std::string_view code;
    std::string_view sentence;
  } cases[] = {
      {"Date.now()", "module scope has no clock"},
      {"new Date()", "module scope has no clock"},
      {"Date()", "module scope has no clock"},
      {"new (class extends Date {})()", "module scope has no clock"},
      {"Reflect.construct(Date, [], Object)", "module scope has no clock"},
      {"new (Date.prototype.constructor)()", "module scope has no clock"},
      {"new (new Date(0).constructor)()", "module scope has no clock"},
      {"performance.now()", "module scope has no clock"},
      {"performance.timeOrigin", "module scope has no clock"},
      {"await Promise.resolve().then(() => Date.now())", "module scope has no clock"},
      {"Math.random()", "module scope has no randomness"},
      {"crypto.getRandomValues(new Uint8Array(8))", "module scope has no randomness"},
      {"crypto.randomUUID()", "module scope has no randomness"},
      {"setTimeout(() => {}, 1)", "module scope has no timers"},
      {"setInterval(() => {}, 1)", "module scope has no timers"},
      {"setImmediate(() => {})", "module scope has no timers"},
  };
  for (const auto& [code, sentence] : cases) {
    const std::string failure = loadFailure(code);
    EXPECT_NE(failure.find(sentence), std::string::npos) << code << ": " << failure;
    EXPECT_NE(failure.find("inside of the exported function"), std::string::npos) << failure;
    EXPECT_NE(failure.find(R"("code":"not-allowed")"), std::string::npos) << failure;
    EXPECT_NE(failure.find("schemascript:app:1"), std::string::npos) << failure;
    // The same, caught, does no harm; and in a call it works.
    const std::string caught =
        "let caught = 0; try { " + std::string(code) + " } catch { caught = 1 }";
    EXPECT_EQ(callOnce(caught + "; export const f = async () => { " + std::string(code) +
                           "; return caught; }",
                       "f"),
              "1")
        << code;
  }
}

TEST_F(Loaded, HasADateLikeAnyOther) {
  EXPECT_EQ(callOnce(R"js(
    const parsed = Date.parse("2024-02-03T04:05:06Z");
    class Later extends Date { get year() { return this.getUTCFullYear(); } }
    const D = Date;
    export const f = () => [
      parsed, Date.UTC(2024, 1), new Date(5).getTime(), new Date("2024-02-03T00:00:00Z").toISOString(),
      new Date(2024, 0, 2, 3).getHours(), new Later(0).year, new Later(0) instanceof Date,
      Date.name, Date.length, Object.keys(Date), typeof Date(), D === Date,
      new Date(0).constructor === Date, Object.getOwnPropertyNames(Date).sort().join(),
      Object.prototype.toString.call(new Date()), Math.abs(new Date() - Date.now()) < 1000,
      Object.getPrototypeOf(Reflect.construct(Date, [0], Array)) === Array.prototype,
      new Date(undefined).getTime(), structuredClone(new Date(9)).getTime(), isNaN(new Date(NaN)),
      Date.now() > 1.7e12, Number.isInteger(Date.now()),
    ];
  )js",
                     "f"),
            R"([1706933106000,1706745600000,5,"2024-02-03T00:00:00.000Z",3,1970,true,"Date",7,[],)"
            R"("string",true,true,"UTC,length,name,now,parse,prototype","[object Date]",true,true,)"
            R"(null,9,true,true,true])");
}

TEST_F(Loaded, HasNoDatabaseInModuleScope) {
  const std::string failure = loadFailure(R"js(
    const answer = __host_sqlite_call(JSON.stringify({ method: "all", sql: "select 1" }));
    throw new Error(answer);
  )js");
  EXPECT_NE(failure.find("not-allowed"), std::string::npos) << failure;
  EXPECT_NE(failure.find("module scope has no database"), std::string::npos) << failure;
}

TEST_F(Loaded, IsTheSameSnapshotForTheSameSource) {
  const std::string_view bundle =
      "const cache = new Map([['a', {}]]); export const f = () => cache.size;";
  GuestThread::run([&] {
    const auto one = load(bundle);
    const auto other = load(bundle);
    ASSERT_TRUE(one && other);
    Instance instance(*engine_, &*one, options(World::Real));
    EXPECT_TRUE(instance.reset());
    EXPECT_FALSE(other->firstDifference(instance.supervised().memory));
  });
}

// What a call may leave behind, and whether the next one sees it.
TEST_F(Loaded, IsResetToWhatItWas) {
  const std::string_view bundle = R"js(
    let calls = 0;
    const seen = [];
    export function leave(argument) {
      ++calls;
      seen.push(argument);
      globalThis.left = "left";
      Object.prototype.polluted = "polluted";
      Array.prototype.map = () => "patched";
      setTimeout(() => { seen.push("timer"); }, 0);
      new Promise(() => {}).then(() => seen.push("promise"));
      console.group();
      return [calls, seen.length, typeof left];
    }
    export const look = () =>
      [calls, seen.length, typeof left, typeof {}.polluted, [1].map((x) => x + 1), new Date(0) - 0];
  )js";
  with(bundle, [&](Instance& instance) {
    const std::uint64_t memoryBytes = instance.memoryBytes();
    for (int round = 0; round < 20; ++round) {
      EXPECT_EQ(call(instance, "leave", R"("secret")"), R"([1,1,"string"])");
      ASSERT_TRUE(instance.reset());
      EXPECT_EQ(call(instance, "look"), R"([0,0,"undefined","undefined",[2],0])");
      ASSERT_TRUE(instance.reset());
    }
    EXPECT_EQ(instance.memoryBytes(), memoryBytes);
  });
}

TEST_F(Loaded, IsResetAfterItUsedMostOfItsMemory) {
  with(
      "export const f = (mb) => new Uint8Array(mb << 20).fill(1).length; export const g = () => 1;",
      [&](Instance& instance) {
        for (const std::string_view size : {"1", "2", "3", "8", "40"}) {
          EXPECT_EQ(call(instance, "f", size), std::to_string(std::stoi(std::string(size)) << 20));
          ASSERT_TRUE(instance.reset()) << size;
          EXPECT_EQ(call(instance, "g"), "1");
          ASSERT_TRUE(instance.reset()) << size;
        }
      });
}

// What one call wrote is not copied for ever after.
TEST_F(Loaded, ForgetsWhatASingleCallWrote) {
  with(
      "export const f = (mb) => new Uint8Array(mb << 20).fill(1).length; export const g = () => 1;",
      [&](Instance& instance) {
        const auto take = [&](const char* name, const char* argument) {
          EXPECT_NE(call(instance, name, argument), "");
          EXPECT_TRUE(instance.reset());
          return instance.privateBytes();
        };
        take("g", "");
        const std::uint64_t little = take("g", "");
        EXPECT_GE(take("f", "1"), 1u << 20);
        EXPECT_GE(take("g", ""), 1u << 20);
        for (int count = 0; count < 100; ++count) take("g", "");
        EXPECT_LE(take("g", ""), 2 * little);
      });
}

TEST_F(Loaded, CannotBeResetWhenItsMemoryHasGrown) {
  GuestThread::run([&] {
    Session session(pool_, {});
    // The base snapshot, which has no memory in reserve.
    Instance instance(*engine_, engine_->snapshot(), options(World::Real));
    instance.attach(&session);
    ASSERT_TRUE(instance.start(kStart));
    ASSERT_TRUE(instance.evaluate("globalThis.x = new Uint8Array(2e7);"));
    EXPECT_FALSE(instance.reset());
  });
}

// The watchdog writes from its own thread, right before the reset or the one after it.
TEST_F(Loaded, IsNotStoppedByTheDeadlineOfTheCallBefore) {
  with("export const f = (mb) => { new Uint8Array(mb << 20).fill(1); return mb; };",
       [&](Instance& instance) {
         for (const std::string_view size : {"0", "1", "0", "20", "0", "0"}) {
           EXPECT_EQ(call(instance, "f", size), size);
           std::thread([&instance] {
             *instance.supervised().stopWord = 1;
             instance.supervised().askedToStop = true;
           }).join();
           ASSERT_TRUE(instance.reset());
           EXPECT_FALSE(instance.supervised().askedToStop);
         }
       });
}

// A second thread for guests, which lives on between its pieces of work.
class OtherThread {
 public:
  ~OtherThread() { give(nullptr); }

  void run(std::function<void()> work) {
    give(std::move(work));
    isDone_.acquire();
  }

 private:
  void give(std::function<void()> work) {
    work_ = std::move(work);
    isGiven_.release();
  }

  std::function<void()> work_;  // Null: it ends.
  std::binary_semaphore isGiven_{0};
  std::binary_semaphore isDone_{0};
  GuestThread thread_{[this] {
    for (isGiven_.acquire(); work_; isGiven_.acquire()) {
      work_();
      isDone_.release();
    }
  }};
};

// Each thread's page faults are counted by themselves: what one thread's call wrote has to be found
// by the reset of another, in whatever order they come.
TEST_F(Loaded, IsResetWhateverThreadsItsCallsAndResetsAreOn) {
  constexpr std::string_view kGrowing = R"js(
    const all = [];
    export const grow = (bytes) => all.push(new Uint8Array(bytes).fill(1));
  )js";
  with(
      kGrowing,
      [&](Instance& instance) {
        OtherThread other;
        const auto on = [&other](bool isOther, const std::function<void()>& work) {
          isOther ? other.run(work) : work();
        };
        for (unsigned order = 0; order < 64; ++order) {
          ASSERT_TRUE(instance.resetAndDrop());
          for (unsigned step = 0; step < 6; step += 2) {
            const std::string bytes = std::to_string(50'000 * (step + 1));
            on((order >> step & 1) != 0, [&] { EXPECT_EQ(call(instance, "grow", bytes), "1"); });
            on((order >> step & 2) != 0, [&] { ASSERT_TRUE(instance.reset()); });
          }
        }
      },
      ResetCheck::Yes);
}

TEST_F(Loaded, CannotBeResetAfterATrap) {
  with("export const f = () => { for (;;); };", [&](Instance& instance) {
    ASSERT_TRUE(instance.start(kStart));
    instance.supervised().state = GuestState::Condemned;
    EXPECT_THROW(static_cast<void>(instance.call("f", "")), LimitExceeded);
    EXPECT_FALSE(instance.reset());
  });
}

}  // namespace
}  // namespace schemascript

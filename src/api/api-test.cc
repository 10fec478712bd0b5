// The public API as an embedder has it: this file includes its header and nothing of src.
#include <gtest/gtest.h>
#include <schemascript/schemascript.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ss = schemascript;
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kApp = R"js(
  import { sql } from "drizzle-orm";
  import { args, database, Table } from "schemascript";
  console.log("loaded");
  const notes = Table("notes", (prop) => ({ id: prop.integer().identifier(), text: prop.text().unique() }));
  const db = database({ notes });
  let calls = 0;
  const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
  export const hello = ({ name }) => `Hello, ${name}`;
  export const nothing = () => {};
  export const count = () => ++calls;
  export const words = () => args;
  export const reversed = (bytes) => bytes.reverse();
  export const say = () => { console.log("one"); console.error("two"); return 1; };
  export const fail = () => { throw new TypeError("no", { cause: new RangeError("deep") }); };
  export const sayAndFail = () => { console.log("before"); throw "a string"; };
  export const never = () => new Promise(() => {});
  export const spin = () => { for (;;); };
  export const eat = () => { const all = []; for (;;) all.push(new Uint8Array(1e6)); };
  export const wait = (ms) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));
  export const leave = () => ask({ method: "begin" }).transaction;
  export const query = (text) => ask({ method: "all", sql: text });
  export const add = async (text) => (await db.insert(notes).values({ text }).returning().get()).id;
  export const all = async () => (await db.select().from(notes)).map((note) => note.text);
  export default { greet() { return typeof this.greet; } };
)js";

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "schemascript-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

template <typename Action>
ss::Error errorOf(Action&& action) {
  try {
    action();
  } catch (const ss::Error& error) {
    return error;
  }
  throw std::logic_error("no error was thrown");
}

template <typename Action>
void expectError(ss::ErrorCode code, std::string_view part, Action&& action) {
  const ss::Error error = errorOf(action);
  EXPECT_EQ(nameOf(error.code()), nameOf(code)) << error.what();
  EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
}

class Embedding : public testing::Test {
 protected:
  std::string call(std::string_view name, ss::Argument argument = {},
                   const ss::CallOptions& options = {}) {
    return app_.call(database_, name, std::move(argument), options).result;
  }

  ss::Runtime runtime_{{.threads = 2}};
  ss::Database database_ = runtime_.openInMemory();
  ss::App app_ = runtime_.load(kApp);
};

TEST_F(Embedding, AnswersJsonBytesAndNothing) {
  const ss::Answer hello = app_.call(database_, "hello", R"({"name":"Ada"})");
  EXPECT_EQ(hello.kind, ss::Answer::Kind::Json);
  EXPECT_EQ(hello.result, R"("Hello, Ada")");
  EXPECT_EQ(call("hello", std::string(R"({"name":"Bob"})")), R"("Hello, Bob")");
  EXPECT_EQ(call("greet"), R"("function")");

  const ss::Answer nothing = app_.call(database_, "nothing");
  EXPECT_EQ(nothing.kind, ss::Answer::Kind::Undefined);
  EXPECT_EQ(nothing.result, "");

  const std::string bytes("\0\xff{", 3);
  const ss::Answer reversed = app_.call(database_, "reversed", ss::Argument::bytes(bytes));
  EXPECT_EQ(reversed.kind, ss::Answer::Kind::Bytes);
  EXPECT_EQ(reversed.result, std::string("{\xff\0", 3));
  EXPECT_EQ(reversed.bytes()[0], std::byte{'{'});
  const ss::Answer empty = app_.call(database_, "reversed", ss::Argument::bytes(""));
  EXPECT_EQ(empty.kind, ss::Answer::Kind::Bytes);
}

TEST_F(Embedding, SaysWhatACallWroteAndTook) {
  const ss::Answer answer = app_.call(database_, "say");
  ASSERT_EQ(answer.log.size(), 2u);
  EXPECT_EQ(answer.log[0].text, "one\n");
  EXPECT_EQ(answer.log[0].stream, ss::LogStream::Output);
  EXPECT_EQ(answer.log[1].text, "two\n");
  EXPECT_EQ(answer.log[1].stream, ss::LogStream::Error);
  EXPECT_GT(answer.cost.wall, 0ns);
  EXPECT_GT(answer.cost.processor, 0ns);
  EXPECT_GT(answer.cost.heapBytes, 100'000u);

  std::string written;
  const auto log = [&](ss::LogStream, std::string_view text) { written += text; };
  EXPECT_TRUE(app_.call(database_, "say", {}, {.log = log}).log.empty());
  EXPECT_EQ(written, "one\ntwo\n");

  written.clear();
  runtime_.load(kApp, {.log = log});
  EXPECT_EQ(written, "loaded\n");
}

TEST_F(Embedding, SaysWhetherTheLogIsWhole) {
  ss::Limits limits;
  limits.logBytesMax = 8;  // Both lines of "say".
  const ss::Cost whole = app_.call(database_, "say", {}, {.limits = limits}).cost;
  EXPECT_FALSE(whole.logTruncated);
  EXPECT_EQ(whole.logBytes, 8u);
  limits.logBytesMax = 7;
  const ss::Cost cut = app_.call(database_, "say", {}, {.limits = limits}).cost;
  EXPECT_TRUE(cut.logTruncated);
  EXPECT_EQ(cut.logBytes, 8u);
}

TEST_F(Embedding, ForgetsEverythingBetweenCallsUnlessAsked) {
  for (int round = 0; round < 3; ++round) EXPECT_EQ(call("count"), "1");
  const ss::Runtime one({.threads = 1});
  const ss::App worker = one.load(kApp, {.isolation = ss::Isolation::Worker});
  EXPECT_EQ(worker.call(database_, "count").result, "1");
  EXPECT_EQ(worker.call(database_, "count").result, "2");
}

TEST_F(Embedding, TellsWhatTheAppDidWrong) {
  const ss::Error threw = errorOf([&] { call("fail"); });
  EXPECT_EQ(threw.code(), ss::ErrorCode::GuestFailed);
  EXPECT_STREQ(threw.what(), "fail threw TypeError: no");
  ASSERT_NE(threw.guest(), nullptr);
  EXPECT_EQ(threw.guest()->name, "TypeError");
  EXPECT_EQ(threw.guest()->message, "no");
  EXPECT_NE(threw.guest()->stack.find("schemascript:app"), std::string::npos);
  ASSERT_EQ(threw.guest()->causes.size(), 1u);
  EXPECT_EQ(threw.guest()->causes[0].message, "deep");
  EXPECT_GT(threw.cost().wall, 0ns);

  const ss::Error text = errorOf([&] { call("sayAndFail"); });
  EXPECT_EQ(text.code(), ss::ErrorCode::GuestFailed);
  ASSERT_EQ(text.log().size(), 1u);
  EXPECT_EQ(text.log()[0].text, "before\n");

  expectError(ss::ErrorCode::GuestFailed, "never waits for a promise that nothing can settle",
              [&] { call("never"); });
  EXPECT_EQ(errorOf([&] { call("add", R"("twice")"); }).guest()->message.empty(),
            false);  // There is no table.
}

TEST_F(Embedding, TellsWhatTheCallerDidWrong) {
  using enum ss::ErrorCode;
  expectError(InvalidRequest, "the app exports no function missing", [&] { call("missing"); });
  expectError(InvalidRequest, "the argument of hello is not JSON",
              [&] { call("hello", "nonsense"); });
  expectError(InvalidRequest, "has no name", [&] { call(""); });
  expectError(InvalidRequest, "the callback is empty",
              [&] { app_.callAsync(database_, "hello", {}, ss::Callback()); });
  expectError(InvalidRequest, "openInMemory", [&] { runtime_.open(""); });
  expectError(InvalidRequest, "nowhere", [&] { runtime_.open("/nowhere/at/all.db"); });
  expectError(InvalidRequest, "nowhere.js", [&] { runtime_.loadFile("/nowhere.js"); });
  expectError(InvalidRequest, "a guest takes at least",
              [&] { runtime_.load(kApp, {.limits = {.memoryBytesMax = 1 << 16}}); });
  const std::vector<std::string> wrong{"a.b.c"};
  expectError(InvalidRequest, "a.b.c", [&] { ss::Capabilities(wrong, {}); });
  const TemporaryFolder folder;
  std::ofstream(folder / "app.ts") << "const x: number = 1;";
  expectError(InvalidRequest, "schemascript bundle", [&] { runtime_.loadFile(folder / "app.ts"); });
  expectError(Unavailable, "guest.so", [&] { ss::Runtime({.guestFolder = folder / "no"}); });
}

TEST_F(Embedding, TellsWhyAnAppCannotBeLoaded) {
  using enum ss::ErrorCode;
  expectError(GuestFailed, "the app's module threw SyntaxError",
              [&] { runtime_.load("const = 1"); });
  expectError(GuestFailed, "the app's module threw Error: stop",
              [&] { runtime_.load("throw new Error('stop')"); });
  expectError(GuestFailed, "nothing can settle",
              [&] { runtime_.load("await new Promise(() => {})"); });
  expectError(LimitExceeded, "50ms (runTimeMax)",
              [&] { runtime_.load("for (;;);", {.limits = {.runTimeMax = 50ms}}); });
  expectError(LimitExceeded, "(memoryBytesMax)",
              [&] { runtime_.load("const all = []; for (;;) all.push(new Uint8Array(1e6));"); });
  // The runtime is as good as before.
  EXPECT_EQ(call("count"), "1");
}

TEST_F(Embedding, HoldsAppsToTheirLimits) {
  const ss::App app = runtime_.load(kApp, {.limits = {.runTimeMax = 100ms}});
  const auto begin = std::chrono::steady_clock::now();
  expectError(ss::ErrorCode::LimitExceeded, "100ms (runTimeMax)",
              [&] { app.call(database_, "spin"); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  expectError(ss::ErrorCode::LimitExceeded, "100ms (runTimeMax)",
              [&] { app.call(database_, "wait", "60000"); });
  EXPECT_EQ(app.call(database_, "wait", "1").result, "1");
  expectError(ss::ErrorCode::LimitExceeded, "memory", [&] { call("eat"); });
  EXPECT_EQ(call("count"), "1");
}

TEST_F(Embedding, CountsFuelAndHoldsCallsToTheirOwnLimits) {
  const std::uint64_t fuel = app_.call(database_, "count").cost.fuel;
  EXPECT_GT(fuel, 0u);
  EXPECT_EQ(app_.call(database_, "count").cost.fuel, fuel);
  ss::CallOptions options;
  options.limits = ss::Limits{.fuelMax = 100'000};
  const ss::Error fuelled = errorOf([&] { call("spin", {}, options); });
  EXPECT_EQ(fuelled.code(), ss::ErrorCode::LimitExceeded);
  EXPECT_NE(std::string_view(fuelled.what()).find("100000 jumps and calls (fuelMax)"),
            std::string_view::npos)
      << fuelled.what();
  EXPECT_EQ(fuelled.cost().fuel, 100'000u);
  options.limits = ss::Limits{.runTimeMax = 50ms};
  expectError(ss::ErrorCode::LimitExceeded, "50ms (runTimeMax)",
              [&] { call("spin", {}, options); });
  options.limits = ss::Limits{.memoryBytesMax = 128ull << 20};
  expectError(ss::ErrorCode::InvalidRequest, "memoryBytesMax", [&] { call("count", {}, options); });
  const ss::Answer said = app_.call(database_, "say");
  EXPECT_EQ(said.cost.logBytes, 8u);
  EXPECT_EQ(call("count"), "1");
}

TEST_F(Embedding, HandsArgumentsToTheApp) {
  const ss::App app = runtime_.load(kApp, {.arguments = {"one", "two"}});
  EXPECT_EQ(app.call(database_, "words").result, R"(["one","two"])");
}

TEST_F(Embedding, CreatesTheTablesOfAnApp) {
  const TemporaryFolder folder;
  const ss::Database database = runtime_.open(folder / "notes.db");
  EXPECT_EQ(database.name(), (folder / "notes.db").string());
  const ss::PushResult first = database.push(app_);
  EXPECT_EQ(first.created, (std::vector<std::string>{"table notes", "index notes_text_unique"}));
  const ss::PushResult second = database.push(app_);
  EXPECT_TRUE(second.created.empty());
  EXPECT_EQ(second.unchanged, (std::vector<std::string>{"table notes", "index notes_text_unique"}));
  EXPECT_EQ(app_.call(database, "add", R"("first")").result, "1");
  EXPECT_EQ(app_.call(database, "all").result, R"(["first"])");
  const ss::Error twice = errorOf([&] { app_.call(database, "add", R"("first")"); });
  EXPECT_EQ(twice.guest()->code, "conflict");

  const ss::App other = runtime_.load(R"js(import { Table } from "schemascript";
    Table("notes", (prop) => ({ id: prop.integer().identifier(), text: prop.integer() }));)js");
  expectError(ss::ErrorCode::Conflict, "notes", [&] { database.push(other); });
  EXPECT_EQ(app_.call(database, "all").result, R"(["first"])");
}

TEST_F(Embedding, RestrictsWhatACallMayTouch) {
  database_.push(app_);
  call("add", R"("kept")");
  ss::CallOptions readOnly;
  readOnly.readOnly = true;
  const ss::Error refused = errorOf([&] { call("add", R"("no")", readOnly); });
  EXPECT_EQ(refused.guest()->code, "not-allowed");
  EXPECT_EQ(call("all", {}, readOnly), R"(["kept"])");

  ss::CallOptions narrow;
  narrow.capabilities.emplace(std::vector<std::string>{"notes.id"}, std::vector<std::string>{});
  EXPECT_EQ(errorOf([&] { call("all", {}, narrow); }).guest()->code, "not-allowed");
  EXPECT_NE(call("query", R"("select id from notes")", narrow).find("[[1]]"), std::string::npos);

  const TemporaryFolder folder;
  runtime_.open(folder / "file.db").push(app_);
  const ss::Database file = runtime_.open(folder / "file.db", {.readOnly = true});
  EXPECT_EQ(app_.call(file, "all").result, "[]");
  EXPECT_THROW(app_.call(file, "add", R"("no")"), ss::Error);
}

TEST_F(Embedding, RollsBackWhatACallLeavesOpen) {
  EXPECT_EQ(app_.call(database_, "leave").rolledBack, 1u);
  EXPECT_EQ(app_.call(database_, "count").rolledBack, 0u);
}

TEST_F(Embedding, KeepsDatabasesApart) {
  std::vector<ss::Database> databases;
  for (int index = 0; index < 20; ++index) {
    databases.push_back(runtime_.openInMemory());
    databases.back().push(app_);
    app_.call(databases.back(), "add", '"' + std::to_string(index) + '"');
  }
  for (int index = 0; index < 20; ++index) {
    EXPECT_EQ(app_.call(databases[static_cast<std::size_t>(index)], "all").result,
              "[\"" + std::to_string(index) + "\"]");
  }
}

TEST_F(Embedding, ServesManyThreads) {
  database_.push(app_);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread] {
      for (int round = 0; round < 25; ++round) {
        const std::string text = std::to_string(thread) + "-" + std::to_string(round);
        EXPECT_EQ(call("hello", R"({"name":")" + text + R"("})"), "\"Hello, " + text + '"');
        call("add", '"' + text + '"');
        EXPECT_THROW(call("fail"), ss::Error);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string all = call("all");
  EXPECT_EQ(std::ranges::count(all, ','), 8 * 25 - 1);
}

TEST_F(Embedding, CallsWithoutWaiting) {
  std::vector<std::future<ss::Answer>> futures;
  for (int index = 0; index < 20; ++index)
    futures.push_back(app_.callAsync(database_, "wait", "20"));
  for (auto& future : futures) EXPECT_EQ(future.get().result, "20");
  auto failed = app_.callAsync(database_, "fail");
  expectError(ss::ErrorCode::GuestFailed, "fail threw", [&] { failed.get(); });
  // A future that nobody waits for is no reason to wait.
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(app_.callAsync(database_, "wait", "300"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 200ms);
}

TEST_F(Embedding, CallsBack) {
  std::promise<std::string> chain;
  app_.callAsync(database_, "count", {}, [&](ss::Outcome first) {
    ASSERT_TRUE(first.answer);
    EXPECT_FALSE(first.error);
    // Here one must not wait.
    expectError(ss::ErrorCode::InvalidRequest, "callAsync", [&] { call("count"); });
    app_.callAsync(database_, "fail", {}, [&chain, first](ss::Outcome second) {
      ASSERT_TRUE(second.error);
      EXPECT_FALSE(second.answer);
      chain.set_value(first.answer->result + second.error->what());
    });
  });
  EXPECT_EQ(chain.get_future().get(), "1fail threw TypeError: no");
}

TEST_F(Embedding, EndsACallWhoseLogThrows) {
  ss::CallOptions options;
  options.log = [](ss::LogStream, std::string_view) {
    throw std::runtime_error("the disk is full");
  };
  expectError(ss::ErrorCode::Internal, "the log threw: the disk is full",
              [&] { call("say", {}, options); });
  options.log = [](ss::LogStream, std::string_view) { throw 1; };
  expectError(ss::ErrorCode::Internal, "the log threw", [&] { call("say", {}, options); });
  options.log = [this](ss::LogStream, std::string_view) { call("count"); };
  expectError(ss::ErrorCode::Internal, "callAsync", [&] { call("say", {}, options); });
  expectError(ss::ErrorCode::Internal, "the log threw", [&] {
    runtime_.load(kApp, {.log = [](ss::LogStream, std::string_view) { throw 1; }});
  });
  EXPECT_EQ(call("say"), "1");
}

TEST(Queue, RefusesWhatDoesNotFit) {
  const ss::Runtime runtime({.threads = 1, .queueMax = 2});
  const ss::Database database = runtime.openInMemory();
  const ss::App app = runtime.load(kApp);
  // One runs, which is certain once it has written; two wait.
  std::promise<void> running;
  std::promise<void> mayEnd;
  ss::CallOptions options;
  options.log = [&, first = true](ss::LogStream, std::string_view) mutable {
    if (!std::exchange(first, false)) return;
    running.set_value();
    mayEnd.get_future().wait();
  };
  auto first = app.callAsync(database, "say", {}, options);
  running.get_future().wait();
  auto second = app.callAsync(database, "count");
  auto third = app.callAsync(database, "count", {}, {.queueTimeMax = 0ms});
  expectError(ss::ErrorCode::Unavailable, "the queue is full",
              [&] { static_cast<void>(app.callAsync(database, "count")); });
  mayEnd.set_value();
  EXPECT_EQ(first.get().result, "1");
  EXPECT_EQ(second.get().result, "1");
  expectError(ss::ErrorCode::Unavailable, "(queueTimeMax)", [&] { third.get(); });
  EXPECT_EQ(app.call(database, "count").result, "1");
}

// A call of "say" that holds its thread until end().
class Held {
 public:
  Held(const ss::App& app, const ss::Database& database, std::string tenant) {
    ss::CallOptions options;
    options.tenant = std::move(tenant);
    options.log = [this, first = true](ss::LogStream, std::string_view) mutable {
      if (!std::exchange(first, false)) return;
      running_.set_value();
      mayEnd_.get_future().wait();
    };
    answer_ = app.callAsync(database, "say", {}, options);
    running_.get_future().wait();
  }
  std::string end() {
    mayEnd_.set_value();
    return answer_.get().result;
  }

 private:
  std::promise<void> running_;
  std::promise<void> mayEnd_;
  std::future<ss::Answer> answer_;
};

TEST(Tenants, TakeTurns) {
  const ss::Runtime runtime({.threads = 1});
  const ss::Database database = runtime.openInMemory();
  const ss::App app = runtime.load(kApp);
  Held held(app, database, "x");
  std::mutex mutex;
  std::string order;
  std::vector<std::promise<void>> ended(5);
  std::size_t index = 0;
  for (const std::string tenant : {"a", "a", "a", "b", ""}) {
    app.callAsync(database, "count", {},
                  [&, tenant, index](ss::Outcome outcome) {
                    {
                      const std::lock_guard lock(mutex);
                      order += outcome.answer ? tenant.empty() ? "-" : tenant : "error";
                    }
                    ended[index].set_value();
                  },
                  {.tenant = tenant});
    ++index;
  }
  EXPECT_EQ(held.end(), "1");
  for (auto& one : ended) one.get_future().wait();
  EXPECT_EQ(order, "ab-aa");
}

TEST(Tenants, LeaveThreadsForOthers) {
  const ss::Runtime runtime({.threads = 2, .runningPerTenantMax = 1});
  const ss::Database database = runtime.openInMemory();
  const ss::App app = runtime.load(kApp);
  Held held(app, database, "greedy");
  auto second = app.callAsync(database, "count", {}, {.tenant = "greedy"});
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(app.call(database, "count", {}, {.tenant = "modest"}).result, "1");
  }
  EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
  EXPECT_EQ(held.end(), "1");
  EXPECT_EQ(second.get().result, "1");
}

TEST(Tenants, CannotFillTheQueue) {
  const ss::Runtime runtime({.threads = 1, .queueMax = 3, .waitingPerTenantMax = 2});
  const ss::Database database = runtime.openInMemory();
  const ss::App app = runtime.load(kApp);
  Held held(app, database, "greedy");
  const auto call = [&](std::string tenant) {
    return app.callAsync(database, "count", {}, {.tenant = std::move(tenant)});
  };
  auto first = call("greedy");
  auto second = call("greedy");
  expectError(ss::ErrorCode::Unavailable, "(waitingPerTenantMax)",
              [&] { static_cast<void>(call("greedy")); });
  auto other = call("modest");
  expectError(ss::ErrorCode::Unavailable, "(queueMax)", [&] { static_cast<void>(call("new")); });
  EXPECT_EQ(held.end(), "1");
  for (auto* const answer : {&first, &second, &other}) EXPECT_EQ(answer->get().result, "1");
}

TEST(Stopping, EndsACallWhereverItIs) {
  const ss::Runtime runtime({.threads = 1});
  const ss::Database database = runtime.openInMemory();
  ss::AppOptions options;
  options.limits.runTimeMax = std::chrono::hours(1);
  const ss::App app = runtime.load(kApp, options);
  std::stop_source running;
  std::stop_source waiting;
  std::stop_source late;
  auto first = app.callAsync(database, "spin", {}, {.stop = running.get_token()});
  auto second = app.callAsync(database, "spin", {}, {.stop = waiting.get_token()});
  auto third = app.callAsync(database, "count", {}, {.stop = late.get_token()});
  waiting.request_stop();
  running.request_stop();
  for (auto* const answer : {&first, &second}) {
    expectError(ss::ErrorCode::Unavailable, "spin was stopped before its end (CallOptions::stop)",
                [&] { answer->get(); });
  }
  EXPECT_EQ(third.get().result, "1");
  late.request_stop();
  EXPECT_EQ(app.call(database, "count").result, "1");
}

TEST(Ending, WaitsForAllCalls) {
  std::atomic<int> ended = 0;
  {
    const ss::Runtime runtime({.threads = 2});
    const ss::App app = runtime.load(kApp);
    const ss::Database database = runtime.openInMemory();
    for (int index = 0; index < 10; ++index) {
      app.callAsync(database, "wait", "20",
                    [&](ss::Outcome outcome) { ended += outcome.answer ? 1 : 0; });
    }
  }
  EXPECT_EQ(ended, 10);
}

TEST(Ending, MayComeInAnyOrder) {
  auto runtime = std::make_unique<ss::Runtime>(ss::RuntimeOptions{.threads = 2});
  auto app = std::make_unique<ss::App>(runtime->load(kApp));
  auto database = std::make_unique<ss::Database>(runtime->openInMemory());
  auto kept = runtime->openInMemory();
  auto future = app->callAsync(*database, "wait", "30");
  database.reset();
  const ss::App copy = *app;
  app.reset();
  runtime.reset();
  EXPECT_EQ(future.get().result, "30");
  expectError(ss::ErrorCode::Unavailable, "the Runtime of this app has ended",
              [&] { copy.call(kept, "count"); });
  // What needs no thread of it still works.
  EXPECT_EQ(kept.push(copy).created.size(), 2u);
}

// The last handles of everything end on a thread of the runtime.
TEST(Ending, MayComeInACallback) {
  auto runtime = std::make_unique<ss::Runtime>(ss::RuntimeOptions{.threads = 1});
  std::promise<void> done;
  {
    const auto app = std::make_shared<ss::App>(runtime->load(kApp));
    const auto database = std::make_shared<ss::Database>(runtime->openInMemory());
    app->callAsync(*database, "count", {}, [&, app, database](ss::Outcome) { done.set_value(); });
  }
  done.get_future().wait();
  runtime.reset();
}

TEST(Runtimes, ShareOneEngine) {
  for (int round = 0; round < 3; ++round) {
    ss::Runtime first({.threads = 1});
    ss::Runtime second({.threads = 1});
    EXPECT_EQ(first.guestFolder(), second.guestFolder());
    const ss::App app = first.load(kApp);
    const ss::App other = second.load(kApp);
    EXPECT_EQ(app.call(second.openInMemory(), "count").result, "1");
    first = std::move(second);
    EXPECT_EQ(other.call(first.openInMemory(), "count").result, "1");
    expectError(ss::ErrorCode::Unavailable, "has ended",
                [&] { app.call(first.openInMemory(), "count"); });
  }
  // One after the other, from many threads.
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([] {
      for (int round = 0; round < 10; ++round) {
        const ss::Runtime runtime({.threads = 1});
        const ss::App app = runtime.load("export const f = () => f() + 1;");
        EXPECT_THROW(app.call(runtime.openInMemory(), "f"), ss::Error);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Runtimes, OfAnotherGuestAreRefused) {
  const TemporaryFolder folder;
  const ss::Runtime runtime;
  std::filesystem::create_directories(folder / "guest");
  for (const auto& file : std::filesystem::directory_iterator(runtime.guestFolder())) {
    if (file.is_regular_file() && file.path().extension() != ".wasm") {
      std::filesystem::copy(file.path(), folder / "guest" / file.path().filename());
    }
  }
  expectError(ss::ErrorCode::InvalidRequest, "this process has its guest from",
              [&] { ss::Runtime({.guestFolder = folder / "guest"}); });
  EXPECT_EQ(ss::Runtime({.guestFolder = runtime.guestFolder()}).guestFolder(),
            runtime.guestFolder());
}

TEST(Runtimes, KeepLoadedApps) {
  const TemporaryFolder folder;
  const ss::RuntimeOptions options{.cacheFolder = folder / "cache", .threads = 1};
  EXPECT_FALSE(ss::Runtime(options).load(kApp).fromCache());
  const ss::Runtime runtime(options);
  const ss::App app = runtime.load(kApp);
  EXPECT_TRUE(app.fromCache());
  EXPECT_EQ(app.call(runtime.openInMemory(), "hello", R"({"name":"Ada"})").result,
            R"("Hello, Ada")");
  EXPECT_FALSE(runtime.load(kApp, {.arguments = {"other"}}).fromCache());
  EXPECT_FALSE(runtime.load(kApp, {.limits = {.heapBytesMax = 20u << 20}}).fromCache());
  EXPECT_TRUE(runtime.load(kApp).fromCache());
  EXPECT_FALSE(ss::Runtime({.threads = 1}).load(kApp).fromCache());
  // A folder that cannot be made is done without.
  EXPECT_FALSE(ss::Runtime({.cacheFolder = "/proc/nothing", .threads = 1}).load(kApp).fromCache());
}

TEST(Errors, AreCopiedCheaplyAndNamed) {
  using enum ss::ErrorCode;
  EXPECT_EQ(nameOf(InvalidRequest), "invalid-request");
  EXPECT_EQ(nameOf(NotAllowed), "not-allowed");
  EXPECT_EQ(nameOf(Conflict), "conflict");
  EXPECT_EQ(nameOf(Unavailable), "unavailable");
  EXPECT_EQ(nameOf(LimitExceeded), "limit-exceeded");
  EXPECT_EQ(nameOf(GuestFailed), "guest-failed");
  EXPECT_EQ(nameOf(Internal), "internal");
  const ss::Error error = errorOf([] { ss::Runtime({.guestFolder = "/nowhere"}); });
  const ss::Error copy = error;
  EXPECT_EQ(copy.what(), error.what());
  EXPECT_EQ(copy.guest(), nullptr);
  EXPECT_TRUE(copy.log().empty());
}

}  // namespace

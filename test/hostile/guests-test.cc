// Runs each hostile guest of the folder `guests`, a test for each: it comes to the end that it
// states, in time and within bounds of memory; the isolate that it was in answers the next call,
// reset to the last byte; and another app, in the same process and thread, is served as if nothing
// had been.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "base/file.h"
#include "base/testing.h"
#include "guest-file.h"
#include "runtime/app.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

// What the process may take more than before, at any moment. The guest has 64 MiB, twice while its
// snapshot is made; SQLite and the answers have the rest. AddressSanitizer keeps what was freed.
constexpr std::uint64_t kGrowthBytesMax = (kIsSanitized ? 1'200ull : 500ull) << 20;

// Not a measurement: a hang is to be told from a machine that has much else to do.
std::chrono::milliseconds wallMax(const Limits& limits) { return limits.runTimeMax + 20s; }

// What every app of the corpus exports besides, to be called when the attack is over.
constexpr std::string_view kFine = "\nexport const fineAfterwards = () => 42;\n";

constexpr std::string_view kGoodApp = R"js(
  import { eq, sql } from "drizzle-orm";
  import { database, Table } from "schemascript";
  const notes = Table("notes", (prop) => ({ id: prop.integer().identifier(), text: prop.text() }));
  const db = database({ notes });
  const byId = db.select().from(notes).where(eq(notes.id, sql.placeholder("id"))).prepare();
  export const setUp = () => db.run(sql`create table notes (id integer primary key, text text not null) strict`);
  export const work = async (text) => {
    const [{ id }] = await db.insert(notes).values({ text }).returning();
    const found = await byId.get({ id });
    await db.delete(notes).where(eq(notes.id, id));
    return [found.text, [3, 1, 2].sort(), JSON.stringify({ a: [1] }), Object.keys({}).length];
  };
)js";
constexpr std::string_view kGoodAnswer = R"(["ä",[1,2,3],"{\"a\":[1]}",0])";

// A number of /proc/self/status, which are in KiB.
std::uint64_t statusBytes(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stoull(line.substr(name.size() + 1)) << 10;
  }
  return 0;
}

// The most memory that the process has held since this was made, beyond what it held then.
class Growth {
 public:
  Growth() : before_(statusBytes("VmRSS")) {
    // Sets the peak back to the present, see proc_pid_clear_refs(5).
    std::ofstream("/proc/self/clear_refs") << "5";
  }
  std::uint64_t bytes() const {
    const std::uint64_t peak = statusBytes("VmHWM");
    return peak < before_ ? 0 : peak - before_;
  }

 private:
  std::uint64_t before_;
};

std::set<std::string> filesIn(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename());
  }
  return names;
}

// What all tests of the process share: the engine is one for each process.
class Host : public testing::Environment {
 public:
  void SetUp() override {
    engine_ = std::make_unique<Engine>(EngineFiles::in(SCHEMASCRIPT_GUEST_FOLDER));
    watchdog_ = std::make_unique<Watchdog>();
    database_ = std::make_unique<ConnectionPool>(DatabaseOptions{});
    good_ = App::load(*engine_, *watchdog_, kGoodApp, {}).app;
    ASSERT_TRUE(good_);
    GuestThread::run([&] {
      ASSERT_EQ(Isolate(good_, *watchdog_).call(*database_, {.name = "setUp"}).end,
                CallEnd::Answered);
    });
  }
  void TearDown() override {
    good_.reset();
    database_.reset();
    watchdog_.reset();
    engine_.reset();
  }

  const Engine& engine() const { return *engine_; }
  Watchdog& watchdog() const { return *watchdog_; }
  const std::shared_ptr<const App>& good() const { return good_; }

  void expectGood(Isolate& isolate) const {
    const CallReport report = isolate.call(*database_, {.name = "work", .argument = R"("ä")"});
    EXPECT_EQ(report.end, CallEnd::Answered) << report.error.message;
    EXPECT_EQ(report.result, kGoodAnswer);
  }

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<ConnectionPool> database_;
  std::shared_ptr<const App> good_;
};

Host* host = nullptr;

std::string describe(bool isLoading, CallEnd end, const ErrorDescription& error,
                     const std::string& result) {
  const auto shorten = [](const std::string& text) { return text.substr(0, 9000); };
  return str(isLoading ? "load " : "call ", wordOf(end), ' ', error.name, ": ",
             shorten(error.message), ' ', shorten(result), '\n', shorten(error.stack));
}

class Hostile : public testing::Test {
 public:
  explicit Hostile(std::filesystem::path path) : path_(std::move(path)) {}

  void TestBody() override {
    guest_ = readGuestFile(path_);
    GuestThread::run([this] {
      Isolate good(host->good(), host->watchdog(), {.resetCheck = ResetCheck::Yes});
      host->expectGood(good);
      attack();
      host->expectGood(good);
      Isolate other(host->good(), host->watchdog(), {.resetCheck = ResetCheck::Yes});
      host->expectGood(other);
    });
  }

 private:
  void attack() {
    const Growth growth;
    const App::Loaded loaded = load();
    if (loaded.end != CallEnd::Answered) {
      expectEnd(true, loaded.end, loaded.error, "");
    } else {
      ConnectionPool pool(databaseOptions());
      Isolate isolate(loaded.app, host->watchdog(), {.resetCheck = ResetCheck::Yes});
      attackIn(isolate, pool);
      expectDatabaseWorks(pool);
    }
    EXPECT_LT(growth.bytes(), kGrowthBytesMax);
    if (guest_.inFile) expectNoOtherFiles();
  }

  App::Loaded load() const {
    AppOptions options;
    options.limits = guest_.limits;
    // Nothing but the attack may be out of time, however busy the machine is.
    if (!mayEndByTime(true)) options.limits.runTimeMax = kRunTimeMaxOtherwise;
    options.log = log_;
    const auto begin = std::chrono::steady_clock::now();
    App::Loaded loaded = App::load(host->engine(), host->watchdog(),
                                   guest_.source + std::string(kFine), std::move(options));
    expectInTime(begin);
    return loaded;
  }

  void attackIn(Isolate& isolate, ConnectionPool& pool) {
    CallRequest request{
        .name = "attack", .limits = guest_.limits, .log = log_, .readOnly = guest_.readOnly};
    if (guest_.isRestricted)
      request.capabilities = Capabilities::parse(guest_.reads, guest_.writes);
    // Twice: what the first one left would show.
    for (int round = 0; round < rounds(); ++round) {
      const auto begin = std::chrono::steady_clock::now();
      const CallReport report = isolate.call(pool, request);
      expectInTime(begin);
      expectEnd(false, report.end, report.error, report.result);
      Limits enough = guest_.limits;
      enough.runTimeMax = kRunTimeMaxOtherwise;
      const CallReport after = isolate.call(pool, {.name = "fineAfterwards", .limits = enough});
      EXPECT_EQ(after.result, "42") << describe(false, after.end, after.error, after.result);
    }
  }

  bool mayEndByTime(bool isLoading) const {
    return std::ranges::any_of(guest_.ends, [isLoading](const ExpectedEnd& end) {
      return end.isLoading == isLoading && end.end == CallEnd::TimeExceeded;
    });
  }

  // An attack that time has to end is not repeated: the tests have to end, too.
  int rounds() const { return mayEndByTime(false) ? 1 : 2; }

  DatabaseOptions databaseOptions() const {
    DatabaseOptions options{.limits = guest_.limits};
    if (guest_.inFile) options.file = folder_ / "database";
    return options;
  }

  void expectInTime(std::chrono::steady_clock::time_point begin) const {
    EXPECT_LT(std::chrono::steady_clock::now() - begin, wallMax(guest_.limits));
  }

  void expectEnd(bool isLoading, CallEnd end, const ErrorDescription& error,
                 const std::string& result) const {
    const bool isExpected = std::ranges::any_of(guest_.ends, [&](const ExpectedEnd& expected) {
      return expected.isLoading == isLoading && expected.end == end &&
             (expected.name.empty() || expected.name == error.name) &&
             (expected.text.empty() ||
              (end == CallEnd::Answered ? result == expected.text
                                        : error.message.find(expected.text) != std::string::npos));
    });
    EXPECT_TRUE(isExpected) << "it ended otherwise than it says: "
                            << describe(isLoading, end, error, result);
  }

  // For the next guest that comes to the same database.
  static void expectDatabaseWorks(ConnectionPool& pool) {
    const Connection connection = pool.lend();
    EXPECT_FALSE(connection->inTransaction());
    connection->startRun(30s);
    connection->useCapabilities(nullptr);
    Statement statement = connection->prepare("select 42", Rules::Guest);
    statement.run();
    connection->execute("create table written_afterwards (x)", Rules::Guest);
    EXPECT_EQ(pool.counters().lent, 1u);
  }

  void expectNoOtherFiles() const {
    for (const std::string& name : filesIn(folder_.path())) {
      EXPECT_TRUE(name.starts_with("database")) << name << " was made";
    }
  }

  const std::filesystem::path path_;
  GuestFile guest_;
  TemporaryFolder folder_;
  const LogSink log_ = [](LogStream, std::string_view) {};
};

// `loop-for.js` is the test Guests.loop_for.
void registerTests() {
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(HOSTILE_GUESTS)) {
    paths.insert(entry.path());
  }
  for (const std::filesystem::path& path : paths) {
    std::string name = path.stem();
    std::ranges::replace(name, '-', '_');
    testing::RegisterTest("Guests", name.c_str(), nullptr, nullptr, path.c_str(), 1,
                          [path]() -> Hostile* { return new Hostile(path); });
  }
}

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  testing::InitGoogleTest(&count, words);
  schemascript::host = new schemascript::Host;
  testing::AddGlobalTestEnvironment(schemascript::host);
  schemascript::registerTests();
  return RUN_ALL_TESTS();
}

// A guest in which nothing can be relied upon: forged.c in the place of QuickJS, through the same
// engine, apps and isolates. Each attack ends with a documented error, and the same isolate serves
// the next call.
#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "base/testing.h"
#include "runtime/app.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStackOrMemory = "it ran out of stack or memory";
constexpr std::string_view kOutside = "which is outside of its memory";
constexpr std::string_view kNotInMemory = "is not in the guest's memory";

struct Attack {
  std::string_view name;
  CallEnd end;
  std::string_view message = "";  // A part of it.
  std::string_view result = "";   // Empty: anything.
};

void PrintTo(const Attack& attack, std::ostream* out) { *out << attack.name; }

constexpr Attack kAttacks[] = {
    // What the guest names to the host.
    {"query outside", CallEnd::Trapped, "the guest named 5 bytes at "},
    {"query wraps", CallEnd::Trapped, "the guest named 32 bytes at 4294967280, which is outside"},
    {"query all", CallEnd::Trapped, kOutside},
    {"query half", CallEnd::Trapped, kOutside},
    {"query empty", CallEnd::Answered, "", "42"},
    {"query its memory", CallEnd::Answered, "", "42"},
    {"query at the end", CallEnd::Answered, "", "42"},
    {"query over its request", CallEnd::Answered, "", "42"},
    {"query mutated", CallEnd::Answered, "", "42"},
    {"query random", CallEnd::Answered, "", "42"},
    {"query handles", CallEnd::Answered, "", "42"},
    {"query loops", CallEnd::TimeExceeded},
    {"copy without a query", CallEnd::Answered, "", "42"},
    {"copy twice", CallEnd::Answered, "", "42"},
    {"copy outside", CallEnd::Trapped, kOutside},
    {"copy too much", CallEnd::Trapped, kOutside},
    {"copy over everything", CallEnd::Answered, "", "42"},
    {"copy into what grew", CallEnd::Answered, "", "42"},
    {"ranges", CallEnd::Trapped, ""},
    {"log stream", CallEnd::Trapped, "the guest wrote to stream 3"},
    {"log stream zero", CallEnd::Trapped, "the guest wrote to stream 0"},
    {"log outside", CallEnd::Trapped, kOutside},
    {"log its memory", CallEnd::Answered, "", "42"},
    {"clock", CallEnd::Answered, "", "42"},
    {"random outside", CallEnd::Trapped, kOutside},
    {"random too much", CallEnd::Trapped, "the guest asked for 65537 random bytes at a time"},
    {"random over itself", CallEnd::Answered, "", "42"},
    // What its exports answer.
    {"result outside", CallEnd::Trapped, kNotInMemory},
    {"result at the end", CallEnd::Trapped, kNotInMemory},
    {"result names outside", CallEnd::Trapped, "what ss_result names is not in the guest's memory"},
    {"result wraps", CallEnd::Trapped, kNotInMemory},
    {"result is nothing anywhere", CallEnd::Answered, ""},
    {"result is its memory", CallEnd::Answered, ""},
    {"result unaligned", CallEnd::Answered, "", "42"},
    {"result loops", CallEnd::TimeExceeded},
    {"failure outside", CallEnd::Trapped, "what ss_failure names is not in the guest's memory"},
    {"failure names outside", CallEnd::Trapped, kNotInMemory},
    {"failure empty", CallEnd::Threw},
    {"failure malformed", CallEnd::Threw},
    {"failure not UTF-8", CallEnd::Threw},
    {"failure of wrong types", CallEnd::Threw},
    {"failure of an unknown kind", CallEnd::Threw, "x"},
    {"failure stopped", CallEnd::TimeExceeded},
    {"failure deep", CallEnd::Threw},
    {"failure of causes", CallEnd::Threw},
    {"failure huge", CallEnd::Threw, "of text about its failure, which is not read"},
    {"failure of errors", CallEnd::Threw, "of text about its failure, which is not read"},
    {"poll says infinity", CallEnd::TimeExceeded, "it was waiting for a timer"},
    {"poll says much", CallEnd::TimeExceeded, "it was waiting for a timer"},
    {"poll says a century", CallEnd::TimeExceeded, "it was waiting for a timer"},
    {"poll says no number", CallEnd::Threw},
    {"poll says minus infinity", CallEnd::Threw},
    {"poll says nothing is due", CallEnd::TimeExceeded},
    {"poll says less than a tick", CallEnd::TimeExceeded},
    {"poll says never", CallEnd::Threw},
    {"poll loops", CallEnd::TimeExceeded},
    {"call loops", CallEnd::TimeExceeded},
    {"release traps", CallEnd::Trapped, "unreachable"},
    // What it does to itself.
    {"unreachable", CallEnd::Trapped, "the guest trapped (unreachable"},
    {"divide by zero", CallEnd::Trapped, "integer divide by zero"},
    {"divide too far", CallEnd::Trapped, "integer overflow"},
    {"float to int", CallEnd::Trapped, "invalid conversion to integer"},
    {"float too large", CallEnd::Trapped, "integer overflow"},
    {"indirect call of nothing", CallEnd::Trapped, "uninitialized element"},
    {"indirect call outside", CallEnd::Trapped, "undefined element"},
    {"indirect call of another type", CallEnd::Trapped, "indirect call type mismatch"},
    {"read outside", CallEnd::Trapped, "out of bounds memory access"},
    {"read far outside", CallEnd::Trapped, "out of bounds memory access"},
    {"write outside", CallEnd::Trapped, "out of bounds memory access"},
    {"recursion", CallEnd::Trapped, kStackOrMemory},
    {"recursion with frames", CallEnd::Trapped, kStackOrMemory},
    {"stack pointer at zero", CallEnd::Trapped, "out of bounds memory access"},
    {"stack pointer outside", CallEnd::Trapped, "out of bounds memory access"},
    {"grow by one", CallEnd::Answered, "", "42"},
    {"grow to the end", CallEnd::Answered, "", "42"},
    {"grow by everything", CallEnd::Answered, "", "42"},
    {"erase itself", CallEnd::Trapped, "unreachable"},
};

// What a bundle makes of every call of the app.
struct HostileApp {
  std::string_view bundle;
  CallEnd loadEnd = CallEnd::Answered;
  std::string_view loadMessage = "";
  // Of the call, when it could be loaded; empty: it answers.
  std::string_view callFailure = "";
};

void PrintTo(const HostileApp& app, std::ostream* out) { *out << app.bundle; }

constexpr HostileApp kApps[] = {
    {"loop", CallEnd::TimeExceeded},
    {"trap", CallEnd::Trapped, "unreachable"},
    {"recursion", CallEnd::Trapped, kStackOrMemory},
    {"outside", CallEnd::Trapped, kOutside},
    {"failure", CallEnd::Threw, "said so"},
    {"fill"},
    {"stack=0", CallEnd::Answered, "", "out of bounds memory access"},
    {"stack=4294967280", CallEnd::Answered, "", "out of bounds memory access"},
    {"allocate=0", CallEnd::Answered, "", "do not fit into the guest's memory"},
    {"allocate=4294967295", CallEnd::Answered, "", "do not fit into the guest's memory"},
    {"allocate=2097150", CallEnd::Answered, "", "do not fit into the guest's memory"},
    {"allocate=2"},
    {"control=0"},
    {"counter=4294967295"},
    {"counter=4294967292"},
    {"counter=2097149"},
    {"counter=3"},
    {"kind=7"},
    {"control=65528"},
    {"control=65532", CallEnd::Answered, "", "65532"},
    {"control=2097104"},
    {"control=4294967288", CallEnd::Answered, "", "4294967288"},
    {"control=2097150", CallEnd::Answered, "", "2097150"},
    {"control=3", CallEnd::Answered, "", "3"},
    {"control=4294967292", CallEnd::Answered, "", "4294967292"},
    {"control=4294967295", CallEnd::Answered, "", "4294967295"},
};

std::string idOf(std::string_view name) {
  std::string id(name);
  for (char& character : id) {
    if (std::isalnum(static_cast<unsigned char>(character)) == 0) character = '_';
  }
  return id;
}

class Forged : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    files_ = EngineFiles::in(SCHEMASCRIPT_GUEST_FOLDER);
    files_.guest = FORGED_GUESTS "/forged.so";
    files_.snapshot.clear();
    {
      const Engine engine(files_);
      GuestThread::run([&engine] {
        Instance instance(engine, nullptr, {.limits = {}, .log = {}, .world = World::Frozen});
        instance.open();
        ASSERT_TRUE(instance.seal());
        instance.snapshot(engine.identity()).writeTo(*folder_ / "base.snapshot");
      });
    }
    files_.snapshot = *folder_ / "base.snapshot";
    engine_ = std::make_unique<Engine>(files_);
    watchdog_ = std::make_unique<Watchdog>();
  }
  static void TearDownTestSuite() {
    watchdog_.reset();
    engine_.reset();
    folder_.reset();
  }

  static App::Loaded load(std::string_view bundle, std::chrono::milliseconds runTimeMax = 150ms) {
    AppOptions options;
    options.limits.runTimeMax = runTimeMax;
    return App::load(*engine_, *watchdog_, bundle, std::move(options));
  }

  CallReport call(Isolate& isolate, std::string_view name, std::string_view argument = "1") {
    const auto begin = std::chrono::steady_clock::now();
    CallReport report = isolate.call(
        pool_, {.name = name, .argument = argument, .log = [](LogStream, std::string_view) {}});
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s) << name;
    return report;
  }

  // The app and the isolate that were attacked, a new isolate, and another app.
  void expectGood(Isolate& isolate, const std::shared_ptr<const App>& app) {
    EXPECT_EQ(call(isolate, "fine").result, "42");
    Isolate another(app, *watchdog_, {.resetCheck = ResetCheck::Yes});
    EXPECT_EQ(call(another, "fine").result, "42");
    const App::Loaded loaded = load("");
    ASSERT_TRUE(loaded.app);
    Isolate other(loaded.app, *watchdog_, {.resetCheck = ResetCheck::Yes});
    EXPECT_EQ(call(other, "query at the end").result, "42");
  }

  // How the app's call failed, or that it threw on our side; empty when it answered.
  std::string failureOf(Isolate& isolate) {
    try {
      const CallReport report = call(isolate, "fine");
      return report.end == CallEnd::Answered ? "" : "failed: " + report.error.message;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Internal);
      return error.message();
    }
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline EngineFiles files_;
  static inline std::unique_ptr<Engine> engine_;
  static inline std::unique_ptr<Watchdog> watchdog_;
  ConnectionPool pool_{DatabaseOptions{}};
};

class ForgedCall : public Forged, public testing::WithParamInterface<Attack> {};

TEST_P(ForgedCall, EndsAsDocumented) {
  const Attack& attack = GetParam();
  // Only an attack that time ends has to be ended soon.
  const App::Loaded loaded = load("", attack.end == CallEnd::TimeExceeded ? 150ms : 5s);
  ASSERT_TRUE(loaded.app) << loaded.error.message;
  GuestThread::run([&] {
    Isolate isolate(loaded.app, *watchdog_, {.resetCheck = ResetCheck::Yes});
    for (int round = 0; round < 2; ++round) {
      const CallReport report = call(isolate, attack.name, std::to_string(round + 1));
      EXPECT_EQ(report.end, attack.end) << report.error.message;
      EXPECT_NE(report.error.message.find(attack.message), std::string::npos)
          << report.error.message.substr(0, 1000);
      if (!attack.result.empty()) {
        EXPECT_EQ(report.result, attack.result);
      }
      expectGood(isolate, loaded.app);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Attacks, ForgedCall, testing::ValuesIn(kAttacks),
                         [](const auto& test) { return idOf(test.param.name); });

class ForgedApp : public Forged, public testing::WithParamInterface<HostileApp> {};

TEST_P(ForgedApp, EndsAsDocumented) {
  const HostileApp& app = GetParam();
  const App::Loaded loaded = load(app.bundle, app.loadEnd == CallEnd::TimeExceeded ? 150ms : 5s);
  ASSERT_EQ(loaded.end, app.loadEnd) << loaded.error.message;
  EXPECT_NE(loaded.error.message.find(app.loadMessage), std::string::npos) << loaded.error.message;
  GuestThread::run([&] {
    if (loaded.app) {
      Isolate isolate(loaded.app, *watchdog_, {.resetCheck = ResetCheck::Yes});
      for (int round = 0; round < 2; ++round) {
        const std::string failure = failureOf(isolate);
        EXPECT_NE(failure.find(app.callFailure), std::string::npos) << failure;
        EXPECT_EQ(failure.empty(), app.callFailure.empty()) << failure;
      }
    }
    const App::Loaded good = load("");
    Isolate isolate(good.app, *watchdog_, {.resetCheck = ResetCheck::Yes});
    expectGood(isolate, good.app);
  });
}

INSTANTIATE_TEST_SUITE_P(Apps, ForgedApp, testing::ValuesIn(kApps),
                         [](const auto& test) { return idOf(test.param.bundle); });

constexpr std::array<std::string_view, 3> kRandomAttacks{"query mutated", "query random", "ranges"};

// Requests that nobody has thought of. The seed is printed by seedOr.
TEST_F(Forged, RandomRequestsAndRangesEndAsDocumented) {
  std::uint32_t seed = seedOr(20261123);
  const App::Loaded loaded = load("");
  ASSERT_TRUE(loaded.app);
  GuestThread::run([&] {
    Isolate isolate(loaded.app, *watchdog_, {.resetCheck = ResetCheck::Yes});
    for (int round = 0; round < 60; ++round) {
      const std::string_view name =
          kRandomAttacks[static_cast<std::size_t>(round) % kRandomAttacks.size()];
      const CallReport report = call(isolate, name, std::to_string(++seed % 1'000'000'000));
      EXPECT_TRUE(report.end == CallEnd::Trapped || report.end == CallEnd::Answered ||
                  report.end == CallEnd::TimeExceeded)
          << seed << ": " << report.error.message;
    }
    expectGood(isolate, loaded.app);
  });
}

TEST(ForgedModule, IsRefusedWithoutAnExport) {
  EngineFiles files = EngineFiles::in(SCHEMASCRIPT_GUEST_FOLDER);
  files.guest = FORGED_GUESTS "/forged-bare.so";
  files.snapshot.clear();
  const Engine engine(files);
  GuestThread::run([&engine] {
    Instance instance(engine, nullptr, {.limits = {}, .log = {}});
    const Error error = errorOf([&] { instance.open(); });
    EXPECT_EQ(error.code(), ErrorCode::Internal);
    EXPECT_NE(error.message().find("ss_control"), std::string::npos) << error.message();
  });
}

}  // namespace
}  // namespace schemascript

// Guests that try to leak from one call to the next: `first` leaves something, `second` answers a
// list of what it found. In an isolate that is reset, that list is empty, and what `second` writes
// and takes is what it would be without a call before it; every byte of memory is compared after
// every reset. The same guests find something where nothing is reset: so each of them can fail.
//
// A guest says in its first lines how `first` ends, unless it answers ("// ends: Threw"), and why
// it finds nothing in an isolate that keeps its state ("// worker: nothing, since ..."), or why
// the heap of `second` is not always the same ("// heap: differs, since ...").
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/testing.h"
#include "runtime/app.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
using std::string_view_literals::operator""sv;

constexpr std::string_view kSecret = "sEcReT-4f7a1c09-d2b8";

CallEnd endOf(std::string_view name) {
  static const std::map<std::string_view, CallEnd> ends{
      {"Answered", CallEnd::Answered},         {"Threw", CallEnd::Threw},
      {"TimeExceeded", CallEnd::TimeExceeded}, {"MemoryExceeded", CallEnd::MemoryExceeded},
      {"NeverSettles", CallEnd::NeverSettles}, {"Trapped", CallEnd::Trapped},
  };
  return ends.at(name);
}

struct Guest {
  std::string name;
  std::string source;
  CallEnd end = CallEnd::Answered;  // Of `first`.
  bool isFoundInWorker = true;
  bool hasOneHeap = true;
  // Whether `first` keeps the secret where the collector does not find it.
  bool keepsTheSecret = false;
};

// What follows `label` in a line of the guest's beginning.
std::string_view directive(std::string_view source, std::string_view label) {
  const std::size_t at = source.find(label);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = source.substr(at + label.size());
  return rest.substr(0, rest.find_first_of("\n,"));
}

std::vector<Guest> readGuests() {
  std::vector<Guest> guests;
  for (const auto& entry : std::filesystem::directory_iterator(GUESTS)) {
    if (entry.path().extension() != ".js") continue;
    Guest guest{.name = entry.path().stem(), .source = readFile(entry.path())};
    const std::string_view end = directive(guest.source, "// ends: ");
    if (!end.empty()) guest.end = endOf(end);
    guest.isFoundInWorker = directive(guest.source, "// worker: ") != "nothing";
    guest.hasOneHeap = directive(guest.source, "// heap: ") != "differs";
    guest.keepsTheSecret = guest.source.find(" = secret;") != std::string::npos ||
                           guest.source.find("push(secret);") != std::string::npos;
    std::ranges::replace(guest.name, '-', '_');
    guests.push_back(std::move(guest));
  }
  std::ranges::sort(guests, {}, &Guest::name);
  return guests;
}

void PrintTo(const Guest& guest, std::ostream* out) { *out << guest.name; }

// Whoever calls finds these: what a call answered, how it ended, what it wrote, and what it took.
struct Seen {
  CallEnd end;
  std::string result;
  std::string written;
  std::uint64_t heapBytes;
};

class Leaking : public WithEngine<testing::TestWithParam<Guest>> {
 protected:
  static std::shared_ptr<const App> load(const Guest& guest) {
    AppOptions options;
    if (guest.end == CallEnd::TimeExceeded) options.limits.runTimeMax = 400ms;
    App::Loaded loaded = App::load(*engine_, *watchdog_, guest.source, std::move(options));
    if (!loaded.app) throw guestFailed(guest.name + " cannot be loaded: " + loaded.error.message);
    return loaded.app;
  }

  static Seen see(Isolate& isolate, ConnectionPool& database, std::string_view name) {
    const std::string argument = name == "first" ? '"' + std::string(kSecret) + '"' : "";
    std::string written;
    const CallReport report =
        isolate.call(database, {.name = name,
                                .argument = argument,
                                .log = [&](LogStream, std::string_view text) { written += text; }});
    return {report.end, report.end == CallEnd::Answered ? report.result : report.error.message,
            std::move(written), report.cost.heapBytes};
  }
};

// What `second` is without anything before it.
Seen expected(std::shared_ptr<const App> app, Watchdog& watchdog,
              Seen (*see)(Isolate&, ConnectionPool&, std::string_view)) {
  ConnectionPool database{DatabaseOptions{}};
  Isolate isolate(std::move(app), watchdog);
  return see(isolate, database, "second");
}

TEST_P(Leaking, LeavesNothingToTheNextCall) {
  const Guest& guest = GetParam();
  const auto app = load(guest);
  GuestThread::run([&] {
    const Seen alone = expected(app, *watchdog_, see);
    ASSERT_EQ(alone.result, "[]");
    ConnectionPool database{DatabaseOptions{}};
    Isolate isolate(app, *watchdog_, {.resetCheck = ResetCheck::Yes});
    const int rounds = guest.end == CallEnd::TimeExceeded ? 2 : 4;
    for (int round = 0; round < rounds; ++round) {
      const Seen first = see(isolate, database, "first");
      EXPECT_EQ(first.end, guest.end) << first.result;
      // The one that follows it directly, and one that follows a call that left nothing.
      for (int call = 0; call < 2; ++call) {
        const Seen second = see(isolate, database, "second");
        EXPECT_EQ(second.end, CallEnd::Answered);
        EXPECT_EQ(second.result, "[]");
        EXPECT_EQ(second.written, alone.written);
        if (guest.hasOneHeap) {
          EXPECT_EQ(second.heapBytes, alone.heapBytes);
        }
      }
    }
    isolate.refresh();
  });
}

TEST_P(Leaking, IsFoundWhereNothingIsReset) {
  const Guest& guest = GetParam();
  const auto app = load(guest);
  GuestThread::run([&] {
    const Seen alone = expected(app, *watchdog_, see);
    ConnectionPool database{DatabaseOptions{}};
    Isolate isolate(app, *watchdog_, {.isolation = Isolation::Worker});
    EXPECT_EQ(see(isolate, database, "first").end, guest.end);
    const Seen second = see(isolate, database, "second");
    const bool found = second.end != CallEnd::Answered || second.result != alone.result ||
                       second.written != alone.written;
    EXPECT_EQ(found, guest.isFoundInWorker) << second.result << second.written;
  });
}

// Where the bytes of the secret are in a memory: as UTF-8 and Latin-1, and as UTF-16.
std::size_t countSecrets(std::string_view memory) {
  std::string wide;
  for (const char byte : kSecret) wide += {byte, '\0'};
  std::size_t count = 0;
  for (const std::string_view needle : {kSecret, std::string_view(wide)}) {
    std::size_t at = 0;
    while (at < memory.size()) {
      const void* const found =
          memmem(memory.data() + at, memory.size() - at, needle.data(), needle.size());
      if (found == nullptr) break;
      ++count;
      at = static_cast<std::size_t>(static_cast<const char*>(found) - memory.data()) + 1;
    }
  }
  return count;
}

// Ends as it may: what is of interest is what it leaves.
void callOnce(Instance& instance, Session& session, Watchdog& watchdog,
              std::chrono::milliseconds runTimeMax) {
  instance.attach(&session);
  try {
    const auto deadline = Watchdog::Clock::now() + runTimeMax;
    const Watchdog::Watch watch(watchdog, instance.supervised(), deadline);
    if (instance.call("first", '"' + std::string(kSecret) + '"')) {
      while (instance.poll().state == Progress::State::Waiting &&
             Watchdog::Clock::now() < deadline) {
      }
    }
  } catch (const Error&) {
  }
  session.finish();
  instance.attach(nullptr);
}

// The host looks for it, with eyes that no guest has.
TEST_P(Leaking, LeavesNoByteOfASecret) {
  const Guest& guest = GetParam();
  const auto app = load(guest);
  GuestThread::run([&] {
    ConnectionPool database{DatabaseOptions{}};
    Session session(database, {.limits = app->limits()});
    Instance instance(*engine_, &app->snapshot(), {.limits = app->limits(), .log = {}});
    const auto memory = [&] {
      return std::string_view(reinterpret_cast<const char*>(instance.supervised().memory),
                              instance.memoryBytes());
    };
    ASSERT_EQ(countSecrets(memory()), 0u);
    callOnce(instance, session, *watchdog_, app->limits().runTimeMax);
    if (instance.supervised().isCondemned()) return;  // Nobody can read it any more.
    if (guest.keepsTheSecret) {
      EXPECT_GT(countSecrets(memory()), 0u);
    }
    if (!instance.reset()) return;  // Given up.
    EXPECT_EQ(countSecrets(memory()), 0u);
  });
}

INSTANTIATE_TEST_SUITE_P(Guests, Leaking, testing::ValuesIn(readGuests()),
                         [](const auto& parameter) { return parameter.param.name; });

// At least as many as were thought of: a folder that is not found would be no test.
TEST(Isolation, TriesManyWays) { EXPECT_GE(readGuests().size(), 100u); }

}  // namespace
}  // namespace schemascript

// What a fresh sandbox for every call costs: the same call of the same app with and without a reset
// in front of it, in turns, and new isolates up to their first answer.
//
//     isolates GUEST_FOLDER BUNDLE [EXPORT [ARGUMENT [CALLS]]]
//
// EXPORT (default: `get`) is called with ARGUMENT (default: none) CALLS (default: 2,000) times.
// `setUp` is called once before, if the app exports it.
#include <cstdio>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "runtime/app.h"
#include "timing.h"

namespace schemascript {
namespace {

void print(const char* what, const std::vector<double>& values) {
  std::printf("%-44s %9.1f us   (10%% %.1f, 90%% %.1f)\n", what, quantile(values, 0.5),
              quantile(values, 0.1), quantile(values, 0.9));
}

void check(const CallReport& report) {
  if (report.end != CallEnd::Answered) throw guestFailed("a call failed: " + report.error.message);
}

struct Arguments {
  std::string guestFolder;
  std::string bundle;
  std::string name = "get";
  std::string argument{};
  int calls = 2000;
};

void measure(const Arguments& arguments) {
  const Engine engine(EngineFiles::in(arguments.guestFolder));
  Watchdog watchdog;
  ConnectionPool pool{DatabaseOptions{}};
  const App::Loaded loaded = App::load(engine, watchdog, readFile(arguments.bundle), {});
  if (!loaded.app) throw guestFailed("the app cannot be loaded: " + loaded.error.message);
  const auto newIsolate = [&](Isolation isolation) {
    return std::make_unique<Isolate>(loaded.app, watchdog, IsolateOptions{.isolation = isolation});
  };
  GuestThread::run([&] {
    const auto fresh = newIsolate(Isolation::Request);
    const auto kept = newIsolate(Isolation::Worker);
    newIsolate(Isolation::Request)->call(pool, {.name = "setUp"});
    std::vector<double> with, without, ratios, resets, first;
    const auto call = [&](Isolate& isolate) {
      check(isolate.call(pool, {.name = arguments.name, .argument = arguments.argument}));
    };
    for (int count = -100; count < arguments.calls; ++count) {
      const double reset = microsecondsOf([&] { fresh->refresh(); });
      const double one = reset + microsecondsOf([&] { call(*fresh); });
      const double other = microsecondsOf([&] { call(*kept); });
      if (count < 0) continue;
      resets.push_back(reset);
      with.push_back(one);
      without.push_back(other);
      ratios.push_back(one / other);
    }
    for (int count = -10; count < arguments.calls / 10; ++count) {
      std::unique_ptr<Isolate> isolate;
      const double time = microsecondsOf([&] {
        isolate = newIsolate(Isolation::Request);
        call(*isolate);
      });
      if (count >= 0) first.push_back(time);
    }
    print("reset and call", with);
    print("  the reset", resets);
    print("call in a guest that keeps its state", without);
    std::printf("%-44s %9.3f\n", "ratio, median of pairs", quantile(ratios, 0.5));
    print("new isolate and its first answer", first);
  });
}

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  if (count < 3) {
    std::fprintf(stderr, "usage: isolates GUEST_FOLDER BUNDLE [EXPORT [ARGUMENT [CALLS]]]\n");
    return 2;
  }
  schemascript::Arguments arguments;
  arguments.guestFolder = words[1];
  arguments.bundle = words[2];
  if (count > 3) arguments.name = words[3];
  if (count > 4) arguments.argument = words[4];
  if (count > 5) arguments.calls = std::stoi(words[5]);
  try {
    schemascript::measure(arguments);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "isolates: %s\n", error.what());
    return 1;
  }
}

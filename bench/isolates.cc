// What a fresh sandbox for every call costs: the same call of the same app with and without a reset
// in front of it, in turns, and new isolates up to their first answer.
//
//     isolates GUEST_FOLDER BUNDLE [EXPORT [ARGUMENT [CALLS [OTHER]]]]
//
// EXPORT (default: `get`) is called with ARGUMENT (default: none) CALLS (default: 2,000) times.
// `setUp` is called once before, if the app exports it. With OTHER, its calls take turns with those
// of that export instead, first with a reset and then without.
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

// What it took.
const CallReport::Cost& check(const CallReport& report) {
  if (report.end != CallEnd::Answered) throw guestFailed("a call failed: " + report.error.message);
  return report.cost;
}

struct Arguments {
  std::string guestFolder;
  std::string bundle;
  std::string name = "get";
  std::string argument{};
  int calls = 2000;
  std::string other{};
};

using NewIsolate = std::function<std::unique_ptr<Isolate>(Isolation)>;

// An export that is measured, with an isolate of its own: what a call has written is put back with
// its own calls.
class Measured {
 public:
  Measured(ConnectionPool& pool, std::unique_ptr<Isolate> isolate, const Arguments& arguments,
           const std::string& name)
      : pool_(pool), isolate_(std::move(isolate)), name_(name), argument_(arguments.argument) {}

  std::uint64_t call() {
    isolate_->refresh();
    return check(isolate_->call(pool_, {.name = name_, .argument = argument_})).fuel;
  }

 private:
  ConnectionPool& pool_;
  std::unique_ptr<Isolate> isolate_;
  const std::string& name_;
  const std::string& argument_;
};

// Two exports in turns.
void compare(ConnectionPool& pool, const NewIsolate& newIsolate, const Arguments& arguments) {
  for (const Isolation isolation : {Isolation::Request, Isolation::Worker}) {
    Measured one(pool, newIsolate(isolation), arguments, arguments.name);
    Measured other(pool, newIsolate(isolation), arguments, arguments.other);
    std::vector<double> ones, others, ratios;
    for (int count = -100; count < arguments.calls; ++count) {
      const double time = microsecondsOf([&] { one.call(); });
      const double otherTime = microsecondsOf([&] { other.call(); });
      if (count < 0) continue;
      ones.push_back(time);
      others.push_back(otherTime);
      ratios.push_back(time / otherTime);
    }
    const bool isFresh = isolation == Isolation::Request;
    print(isFresh ? "reset and call" : "call in a guest that keeps its state", ones);
    print("  the other", others);
    std::printf("%-44s %9.3f\n", "ratio, median of pairs", quantile(ratios, 0.5));
    if (!isFresh) continue;
    std::printf("%-44s %9llu\n", "fuel", static_cast<unsigned long long>(one.call()));
    std::printf("%-44s %9llu\n", "  of the other", static_cast<unsigned long long>(other.call()));
  }
}

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
    if (!arguments.other.empty()) {
      compare(pool, newIsolate, arguments);
      return;
    }
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
    std::fprintf(stderr,
                 "usage: isolates GUEST_FOLDER BUNDLE [EXPORT [ARGUMENT [CALLS [OTHER]]]]\n");
    return 2;
  }
  schemascript::Arguments arguments;
  arguments.guestFolder = words[1];
  arguments.bundle = words[2];
  if (count > 3) arguments.name = words[3];
  if (count > 4) arguments.argument = words[4];
  if (count > 5) arguments.calls = std::stoi(words[5]);
  if (count > 6) arguments.other = words[6];
  try {
    schemascript::measure(arguments);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "isolates: %s\n", error.what());
    return 1;
  }
}

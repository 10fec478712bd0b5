// Two builds of the guest against each other: the same work of the same app in each, in turns.
//
//     guests GUEST_FOLDER GUEST_FOLDER BUNDLE [ROUNDS]
//
// ROUNDS (default: 31) pairs of each piece of work; which side begins changes from one to the next.
// Ratios are of the second folder to the first.
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "runtime/app.h"
#include "timing.h"

namespace schemascript {
namespace {

// An export of guests-app.ts, and how often it does its work in one call.
struct Work {
  const char* name = "";
  int count = 0;
  Isolation isolation = Isolation::Worker;
};

constexpr std::array kWork = {
    Work{"prepared", 1, Isolation::Request},
    Work{"prepared", 1000},
    Work{"built", 1, Isolation::Request},
    Work{"built", 50},
    Work{"rows", 1},
    Work{"inserts", 1000},
    Work{"urls", 500},
    Work{"json", 500},
    Work{"regexps", 500},
    Work{"builtIns", 200},
    Work{"fib", 20},
};
constexpr int kSingleCalls = 100;  // Of work that is done once in a call, for one figure.

// One build of the guest, with the app and a database of its own.
class Guest {
 public:
  Guest(const std::string& folder, const std::string& bundle) : engine_(EngineFiles::in(folder)) {
    const App::Loaded loaded = App::load(engine_, watchdog_, readFile(bundle), {});
    if (!loaded.app) throw guestFailed("the app cannot be loaded: " + loaded.error.message);
    fresh_ = std::make_unique<Isolate>(loaded.app, watchdog_,
                                       IsolateOptions{.isolation = Isolation::Request});
    kept_ = std::make_unique<Isolate>(loaded.app, watchdog_,
                                      IsolateOptions{.isolation = Isolation::Worker});
    call(*kept_, {.name = "setUp"});
  }

  // In microseconds. `answer` is what it has answered.
  double timeOf(const Work& work, std::string& answer) {
    const std::string count = std::to_string(work.count);
    const CallRequest request{.name = work.name, .argument = count};
    if (work.isolation == Isolation::Worker) {
      return microsecondsOf([&] { answer = call(*kept_, request); });
    }
    return microsecondsOf([&] {
      for (int round = 0; round < kSingleCalls; ++round) {
        fresh_->refresh();
        answer = call(*fresh_, request);
      }
    });
  }

 private:
  std::string call(Isolate& isolate, const CallRequest& request) {
    CallReport report = isolate.call(pool_, request);
    if (report.end != CallEnd::Answered) {
      throw guestFailed("a call failed: " + report.error.message);
    }
    return report.result;
  }

  Engine engine_;
  Watchdog watchdog_;
  ConnectionPool pool_{DatabaseOptions{}};
  std::unique_ptr<Isolate> fresh_;
  std::unique_ptr<Isolate> kept_;
};

void measure(Guest& first, Guest& second, const Work& work, int rounds) {
  std::vector<double> ones, others, ratios;
  for (int round = -2; round < rounds; ++round) {
    std::string answer;
    std::string otherAnswer;
    double one = 0;
    double other = 0;
    if (round % 2 == 0) one = first.timeOf(work, answer);
    other = second.timeOf(work, otherAnswer);
    if (round % 2 != 0) one = first.timeOf(work, answer);
    if (answer != otherAnswer) {
      throw guestFailed(str(work.name, " answered ", answer, " and ", otherAnswer));
    }
    if (round < 0) continue;
    ones.push_back(one);
    others.push_back(other);
    ratios.push_back(other / one);
  }
  const bool single = work.isolation == Isolation::Request;
  const int times = single ? kSingleCalls : 1;
  const std::string name = single ? str(work.name, ", fresh") : str(work.name, " x ", work.count);
  std::printf("%-20s %10.1f us %10.1f us   %.3f   (10%% %.3f, 90%% %.3f)\n", name.c_str(),
              quantile(ones, 0.5) / times, quantile(others, 0.5) / times, quantile(ratios, 0.5),
              quantile(ratios, 0.1), quantile(ratios, 0.9));
  std::fflush(stdout);
}

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  using namespace schemascript;
  if (count < 4) {
    std::fprintf(stderr, "usage: guests GUEST_FOLDER GUEST_FOLDER BUNDLE [ROUNDS]\n");
    return 2;
  }
  const int rounds = count > 4 ? std::stoi(words[4]) : 31;
  try {
    GuestThread::run([&] {
      Guest first(words[1], words[3]);
      Guest second(words[2], words[3]);
      for (const Work& work : kWork) measure(first, second, work, rounds);
    });
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "guests: %s\n", error.what());
    return 1;
  }
}

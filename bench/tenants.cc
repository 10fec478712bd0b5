// What many tenants in one process cost: the memory of isolates that wait for their next call, and
// calls that go round all tenants, each with a database file of its own.
//
//     tenants GUEST_FOLDER BUNDLE FOLDER memory
//     tenants GUEST_FOLDER BUNDLE FOLDER request|worker TENANTS [CALLS]
//
// `setUp` of the bundle is called once for each database, in FOLDER, which must exist; `get` is
// what is measured.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "runtime/isolate-pool.h"
#include "runtime/workers.h"
#include "timing.h"

namespace schemascript {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

// In kilobytes. `resident` counts a page once for each place where it is mapped; `proportional`
// once.
struct Memory {
  double resident = 0;
  double proportional = 0;
  double anonymous = 0;
  double pageTables = 0;
  double mappings = 0;

  static Memory now() {
    std::map<std::string, double> found;
    for (const char* const path : {"/proc/self/smaps_rollup", "/proc/self/status"}) {
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        found.emplace(line.substr(0, colon), std::atof(line.c_str() + colon + 1));
      }
    }
    std::ifstream maps("/proc/self/maps");
    double mappings = 0;
    for (std::string line; std::getline(maps, line);) ++mappings;
    return {found["Rss"], found["Pss"], found["Anonymous"], found["VmPTE"], mappings};
  }
};

void printHeader() {
  std::printf("%-44s %10s %12s %10s %11s %9s\n", "each, in KB", "resident", "proportional",
              "anonymous", "page tables", "mappings");
}

// What each of `count` has added since `before`.
void print(const char* what, const Memory& before, double count) {
  const Memory now = Memory::now();
  std::printf(
      "%-44s %10.1f %12.1f %10.1f %11.1f %9.2f\n", what, (now.resident - before.resident) / count,
      (now.proportional - before.proportional) / count, (now.anonymous - before.anonymous) / count,
      (now.pageTables - before.pageTables) / count, (now.mappings - before.mappings) / count);
}

void check(const CallReport& report) {
  if (report.end != CallEnd::Answered) throw guestFailed("a call failed: " + report.error.message);
}

class Bench {
 public:
  Bench(const std::string& guestFolder, const std::string& bundle, std::string folder)
      : engine_(EngineFiles::in(guestFolder)), folder_(std::move(folder)) {
    App::Loaded loaded = App::load(engine_, watchdog_, readFile(bundle), {});
    if (!loaded.app) throw guestFailed("the app cannot be loaded: " + loaded.error.message);
    app_ = std::move(loaded.app);
  }

  void memory() {
    constexpr int kCount = 200;
    const auto database = newDatabase(0);
    GuestThread::run([&] {
      std::vector<std::unique_ptr<Isolate>> isolates;
      const auto addIsolate = [&] {
        isolates.push_back(std::make_unique<Isolate>(app_, watchdog_));
        isolates.back()->refresh();
      };
      addIsolate();
      check(isolates[0]->call(*database, {.name = "get", .argument = "7"}));
      isolates[0]->refresh();
      printHeader();
      const Memory before = Memory::now();
      for (int count = 0; count < kCount; ++count) addIsolate();
      print("a new isolate", before, kCount);
      for (auto& isolate : isolates) {
        check(isolate->call(*database, {.name = "get", .argument = "7"}));
      }
      print("after a call", before, kCount);
      for (auto& isolate : isolates) isolate->refresh();
      print("put back", before, kCount);
      for (auto& isolate : isolates) isolate->rest();
      print("at rest", before, kCount);
      const auto timeCalls = [&](const char* what) {
        std::vector<double> times;
        for (auto& isolate : isolates) {
          const auto begin = Clock::now();
          isolate->refresh();
          check(isolate->call(*database, {.name = "get", .argument = "7"}));
          times.push_back(Microseconds(Clock::now() - begin).count());
        }
        std::printf("%-44s %10.1f us\n", what, quantile(times, 0.5));
      };
      timeCalls("a call after rest");
      timeCalls("a call without rest");
      std::vector<double> rests;
      for (auto& isolate : isolates) {
        const auto begin = Clock::now();
        isolate->rest();
        rests.push_back(Microseconds(Clock::now() - begin).count());
      }
      std::printf("%-44s %10.1f us\n", "the rest", quantile(rests, 0.5));
      const Memory beforeDatabases = Memory::now();
      std::vector<std::shared_ptr<ConnectionPool>> databases;
      for (int count = 1; count <= kCount; ++count) databases.push_back(newDatabase(count));
      print("a database that was called once", beforeDatabases, kCount);
      for (auto& each : databases) {
        check(isolates[0]->call(*each, {.name = "get", .argument = "7"}));
      }
      print("  twice", beforeDatabases, kCount);
    });
  }

  void tenants(Isolation isolation, int count, int calls) {
    allowManyFiles();
    const Memory before = Memory::now();
    std::vector<std::shared_ptr<ConnectionPool>> databases;
    for (int number = 0; number < count; ++number) databases.push_back(newDatabase(number));
    Workers workers(watchdog_, {.threads = 1, .isolateBytesMax = 2ull << 30});
    std::vector<double> times;
    const auto callAll = [&](int rounds) {
      times.clear();
      for (int round = 0; round < rounds; ++round) {
        for (auto& database : databases) times.push_back(callOnce(workers, database, isolation));
      }
    };
    callAll(3);
    callAll(std::max(1, calls / count));
    const Memory after = Memory::now();
    const auto counters = workers.counters();
    std::printf(
        "%5d tenants: a call takes %6.1f us (10%% %.1f, 90%% %.1f); %7.1f MB resident, %7.1f MB "
        "proportional, %5.1f MB of page tables, %6.0f mappings; %zu isolates count as %.1f MB; "
        "each tenant %.0f KB\n",
        count, quantile(times, 0.5), quantile(times, 0.1), quantile(times, 0.9),
        after.resident / 1024, after.proportional / 1024, after.pageTables / 1024, after.mappings,
        counters.isolates.isolates, static_cast<double>(counters.isolates.bytes) / (1 << 20),
        (after.resident - before.resident) / count);
    std::this_thread::sleep_for(std::chrono::seconds(4));
    const Memory resting = Memory::now();
    std::printf(
        "              after 4 s without a call: %7.1f MB resident, %7.1f MB proportional\n",
        resting.resident / 1024, resting.proportional / 1024);
  }

 private:
  std::shared_ptr<ConnectionPool> newDatabase(int number) {
    DatabaseOptions options;
    options.file = folder_ + "/" + std::to_string(number) + ".db";
    const bool isNew = !std::filesystem::exists(options.file);
    auto database = std::make_shared<ConnectionPool>(std::move(options));
    if (isNew) {
      GuestThread::run([&] {
        Isolate isolate(app_, watchdog_);
        check(isolate.call(*database, {.name = "setUp"}));
      });
    }
    return database;
  }

  double callOnce(Workers& workers, const std::shared_ptr<ConnectionPool>& database,
                  Isolation isolation) {
    std::promise<JobReport> answered;
    const bool posted = workers.tryPost(
        {.app = app_,
         .database = database,
         .isolation = isolation,
         .name = "get",
         .argument = "7",
         .done = [&answered](JobReport report) { answered.set_value(std::move(report)); }});
    if (!posted) throw unavailable("the queue is full");
    const JobReport report = answered.get_future().get();
    if (report.failure) throw *report.failure;
    check(report.call);
    return Microseconds(report.call.cost.wall).count();
  }

  const Engine engine_;
  Watchdog watchdog_;
  std::shared_ptr<const App> app_;
  const std::string folder_;
};

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  using namespace schemascript;
  if (count < 5) {
    std::fprintf(stderr,
                 "usage: tenants GUEST_FOLDER BUNDLE FOLDER (memory | request|worker TENANTS "
                 "[CALLS])\n");
    return 2;
  }
  try {
    Bench bench(words[1], words[2], words[3]);
    const std::string what = words[4];
    if (what == "memory") {
      bench.memory();
    } else {
      bench.tenants(what == "worker" ? Isolation::Worker : Isolation::Request, std::stoi(words[5]),
                    count > 6 ? std::stoi(words[6]) : 10'000);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tenants: %s\n", error.what());
    return 1;
  }
}

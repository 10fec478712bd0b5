// What every part of the stress test has: its random numbers, what it found, who watches for
// threads that are stuck, and the apps that are called.
#pragma once

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "runtime/app.h"
#include "runtime/workers.h"

namespace schemascript {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

// Threads that call for themselves, those that do it in steps, and those of Workers, of which there
// are two.
inline constexpr unsigned kCallers = 3;
inline constexpr unsigned kSteppers = 3;
inline constexpr unsigned kWorkers = 3;
// Nobody waits that long for anything here.
inline constexpr std::chrono::seconds kStuckAfter{kIsSanitized ? 180 : 60};
// What a call may take of the processor beyond its runTimeMax: the watchdog's grace, making or
// resetting the guest, rolling back, and the longest thing that cannot be interrupted.
inline constexpr std::chrono::milliseconds kProcessorBeyond{kIsSanitized ? 20'000 : 2'000};

// Functions of app.js that never end or take long.
inline constexpr auto kVictims = std::to_array<std::string_view>(
    {"loop",        "catching",     "regexp",   "builtIn",
     "sort",        "allocate",     "objects",  "recursion",
     "text",        "bigint",       "promises", "timers",
     "sleep",       "never",        "log",      "random",
     "longRead",    "longWrite",    "nested",   "longWriteInTransaction",
     "bigResult",   "bigValue",     "search",   "idleInTransaction",
     "batches",     "cursors",      "schema",   "cursorsLeft",
     "transfers",   "transferOnce", "sums",     "transfersOfDriver",
     "noSuchExport"});

// What `sums` answers, always: the sum and the count of accounts, the transfers that were counted
// but not kept, and the tables that should not be there.
inline constexpr std::string_view kSums = "[1000,10,0,0]";

inline constexpr auto kEnds =
    std::to_array<std::string_view>({"answered", "threw", "time", "fuel", "memory", "never settles",
                                     "trapped", "no such export", "bad argument", "cancelled"});
inline constexpr auto kJobEnds = std::to_array<std::string_view>(
    {"called", "failed", "too late", "cancelled", "without a database"});

class Random {
 public:
  Random(std::uint32_t seed, std::uint32_t round, std::uint32_t thread) {
    std::seed_seq sequence{seed, round, thread};
    engine_.seed(sequence);
  }
  // From 0 to `max`, both included.
  std::uint64_t upTo(std::uint64_t max) {
    return std::uniform_int_distribution<std::uint64_t>(0, max)(engine_);
  }
  bool oneIn(std::uint64_t count) { return upTo(count - 1) == 0; }
  template <typename List>
  auto& of(List& list) {
    return list[upTo(std::size(list) - 1)];
  }

 private:
  std::mt19937 engine_;
};

// What is counted, and what is wrong. Thread-safe.
class Findings {
 public:
  void countEnd(CallEnd end) { ++ends_[static_cast<std::size_t>(end)]; }
  void countThrown() { ++thrown_; }
  void countCheck() { ++checks_; }
  void countIsolate() { ++isolates_; }
  void countApp() { ++apps_; }
  void countPark() { ++parks_; }
  void countJob(JobEnd end) { ++jobs_[static_cast<std::size_t>(end)]; }
  void noteTimes(const CallReport& report, std::chrono::milliseconds runTimeMax) {
    const std::lock_guard lock(mutex_);
    processorBeyond_ = std::max(processorBeyond_, report.cost.processor - runTimeMax);
    wallBeyond_ = std::max(wallBeyond_, report.cost.wall - runTimeMax);
  }

  void wrong(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (++wrong_ <= 50) std::cerr << "WRONG: " << what << std::endl;
  }
  bool isAllRight() const { return wrong_ == 0; }

  void print(std::ostream& out, int rounds) {
    const std::lock_guard lock(mutex_);
    std::uint64_t calls = thrown_;
    for (const auto& count : ends_) calls += count;
    out << rounds << " rounds, " << calls << " calls:";
    for (std::size_t end = 0; end < kEnds.size(); ++end) {
      out << ' ' << ends_[end] << ' ' << kEnds[end] << ',';
    }
    out << ' ' << thrown_ << " ended by their log; " << checks_ << " checks; " << isolates_
        << " isolates; " << apps_ << " apps loaded; " << parks_ << " parks; jobs:";
    for (std::size_t end = 0; end < kJobEnds.size(); ++end) {
      out << ' ' << jobs_[end] << ' ' << kJobEnds[end] << ',';
    }
    out << " at most " << processorBeyond_ / 1ms << " ms of the processor and " << wallBeyond_ / 1ms
        << " ms of time beyond runTimeMax; " << wrong_ << " wrong" << std::endl;
  }

 private:
  std::mutex mutex_;
  std::array<std::atomic<std::uint64_t>, kEnds.size()> ends_{};
  std::array<std::atomic<std::uint64_t>, kJobEnds.size()> jobs_{};
  std::atomic<std::uint64_t> parks_{0};
  std::atomic<std::uint64_t> thrown_{0};
  std::atomic<std::uint64_t> checks_{0};
  std::atomic<std::uint64_t> isolates_{0};
  std::atomic<std::uint64_t> apps_{0};
  std::atomic<std::uint64_t> wrong_{0};
  std::chrono::nanoseconds processorBeyond_{};
  std::chrono::nanoseconds wallBeyond_{};
};

// Ends the process when somebody who said that he is at something has not said so for long.
class Supervisor {
 public:
  Supervisor() : thread_([this] { run(); }) {
    void* frame = nullptr;
    backtrace(&frame, 1);  // Loads what it needs, which a signal handler must not.
    struct sigaction action{};
    action.sa_handler = printStack;
    action.sa_flags = SA_ONSTACK | SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
  }
  ~Supervisor() {
    ending_ = true;
    thread_.join();
  }

  static constexpr std::size_t kSeats = kCallers + kSteppers + 3;
  // `what` must be valid for ever.
  void at(std::size_t seat, std::string_view what) {
    what_[seat] = what.data();
    since_[seat] = Clock::now().time_since_epoch().count();
  }
  void leave(std::size_t seat) { since_[seat] = 0; }

 private:
  void run() {
    while (!ending_) {
      std::this_thread::sleep_for(100ms);
      const auto now = Clock::now().time_since_epoch();
      for (std::size_t seat = 0; seat < kSeats; ++seat) {
        const Clock::duration since{since_[seat]};
        if (since != Clock::duration{} && now - since > kStuckAfter) giveUp(seat);
      }
    }
  }

  [[noreturn]] void giveUp(std::size_t stuck) {
    std::cerr << "STUCK: thread " << stuck << " is at " << what_[stuck] << " for more than "
              << kStuckAfter / 1s << " s. All threads:\n";
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      const pid_t id = std::stoi(task.path().filename());
      if (id == gettid()) continue;
      std::cerr << "thread " << id << ":" << std::endl;
      syscall(SYS_tgkill, getpid(), id, SIGUSR1);
      std::this_thread::sleep_for(200ms);
    }
    std::_Exit(3);
  }

  static void printStack(int) {
    std::array<void*, 64> frames;
    const int count = backtrace(frames.data(), frames.size());
    backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
  }

  std::array<std::atomic<const char*>, kSeats> what_{};
  std::array<std::atomic<Clock::rep>, kSeats> since_{};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

// The apps that are called, each of which is loaded again now and then. Thread-safe.
class Apps {
 public:
  Apps(const Engine& engine, Watchdog& watchdog, std::filesystem::path folder)
      : engine_(engine),
        watchdog_(watchdog),
        folder_(std::move(folder)),
        bundle_(readFile(STRESS_APP)) {
    for (std::size_t index = 0; index < apps_.size(); ++index) replace(index);
  }

  void replace(std::size_t index) {
    AppOptions options;
    options.limits.runTimeMax = kStuckAfter;
    options.limits.sqlTimeMax = kStuckAfter;
    if (index == 1) options.limits.memoryBytesMax = 32ull << 20;
    if (index == 2) options.snapshotFile = folder_ / "app.snapshot";
    auto loaded = App::load(engine_, watchdog_, bundle_, std::move(options));
    if (!loaded.app) throw guestFailed("app.js cannot be loaded: " + loaded.error.message);
    const std::lock_guard lock(mutex_);
    apps_[index] = std::move(loaded.app);
  }

  // How an app whose evaluation never ends was stopped.
  CallEnd loadEndless(std::chrono::milliseconds runTimeMax) {
    AppOptions options;
    options.limits.runTimeMax = runTimeMax;
    return App::load(engine_, watchdog_, "for (;;) [1].map(String);", std::move(options)).end;
  }

  std::size_t size() const { return apps_.size(); }
  std::shared_ptr<const App> get(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return apps_[index];
  }

 private:
  const Engine& engine_;
  Watchdog& watchdog_;
  const std::filesystem::path folder_;
  const std::string bundle_;
  mutable std::mutex mutex_;
  std::array<std::shared_ptr<const App>, 3> apps_;
};

// What all threads of all rounds share.
struct Common {
  Watchdog& watchdog;
  Apps& apps;
  Findings& findings;
  Supervisor& supervisor;
};

using Databases = std::vector<std::shared_ptr<ConnectionPool>>;

// A budget that ends most calls: time, and sometimes another one before it.
inline Limits shortLimits(Random& random, Limits limits) {
  limits.runTimeMax = std::chrono::milliseconds(random.upTo(20));
  if (random.oneIn(4)) limits.fuelMax = random.upTo(200'000);
  if (random.oneIn(4)) limits.sqlTimeMax = std::chrono::milliseconds(random.upTo(8));
  if (random.oneIn(4)) limits.statementsMax = random.upTo(20);
  if (random.oneIn(8)) limits.heapBytesMax = (2'000 + random.upTo(4'500)) << 10;
  return limits;
}

inline constexpr std::string_view kLogIsFull = "the log is full";

struct LogIsFull : std::exception {
  const char* what() const noexcept override { return kLogIsFull.data(); }
};

// A log that throws now and then: what it throws is no Error.
inline LogSink shortLog(Random& random) {
  if (!random.oneIn(2)) return [](LogStream, std::string_view) {};
  return [left = random.upTo(50)](LogStream, std::string_view) mutable {
    if (left-- == 0) throw LogIsFull();
  };
}

inline std::string describe(std::string_view name, const CallReport& report) {
  return str(name, " ended with ", kEnds[static_cast<std::size_t>(report.end)], ": ", report.result,
             report.error.name, ' ', report.error.message);
}

inline void checkStopped(Findings& findings, std::string_view name, const CallReport& report,
                         const Limits& limits) {
  const std::chrono::milliseconds runTimeMax = limits.runTimeMax;
  findings.countEnd(report.end);
  findings.noteTimes(report, runTimeMax);
  // QuickJS may trap where its stack overflows while its heap is full; no other guest may.
  const bool mayTrap = limits.heapBytesMax < Limits().heapBytesMax;
  if ((report.end == CallEnd::Trapped && !mayTrap) || report.end == CallEnd::BadArgument) {
    findings.wrong(describe(name, report));
  }
  if ((report.end == CallEnd::NoSuchExport && name != "noSuchExport") ||
      (report.end == CallEnd::Answered && name == "noSuchExport")) {
    findings.wrong(describe(name, report));
  }
  if (report.cost.processor > runTimeMax + kProcessorBeyond) {
    findings.wrong(str(name, " took ", report.cost.processor / 1ms, " ms of the processor with ",
                       runTimeMax / 1ms, " ms of runTimeMax"));
  }
}

// Workers that have too little of everything.
inline WorkersOptions smallWorkers(Random& random) {
  return {.threads = kWorkers,
          .queueMax = 40,
          .runningPerKeyMax = static_cast<unsigned>(random.upTo(2)),
          .openMax = 4 + random.upTo(20),
          .openPerKeyMax = random.upTo(6),
          .waitingPerKeyMax = 10,
          .isolateBytesMax = random.oneIn(2) ? 8ull << 20 : 512ull << 20,
          .isolateRestAfter = 5ms,
          .isolateIdleTimeMax = 50ms};
}

}  // namespace schemascript

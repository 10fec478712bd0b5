// Stops guests at random moments, in their own code and in the host's, many at the same time, and
// looks whether everything else is as it should be.
//
//   hard-stop-stress SECONDS SEED
//
// Works in rounds. In each of them threads with isolates of their own, and worker threads behind a
// queue, call one app's functions that never end, on databases that they share. Whatever becomes of
// such a call, the next call in its isolate works, a writer gets its turn, and no transaction was
// half done. After a round all connections are back and nothing of it is left: file descriptors,
// mappings, memory. The last line says what was done; status 1 when something was wrong.
#include <execinfo.h>
#include <malloc.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
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
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

// Threads that call for themselves, and those of Workers: 8 together.
constexpr unsigned kCallers = 5;
constexpr unsigned kWorkers = 3;
// Nobody waits that long for anything here.
constexpr std::chrono::seconds kStuckAfter{kIsSanitized ? 180 : 60};
// What a call may take of the processor beyond its runTimeMax: the watchdog's grace, making or
// resetting the guest, rolling back, and the longest thing that cannot be interrupted.
constexpr std::chrono::milliseconds kProcessorBeyond{kIsSanitized ? 20'000 : 2'000};
// Rounds after which nothing may grow any more.
constexpr int kWarmUpRounds = 3;

// Functions of app.js that never end or take long.
constexpr auto kVictims = std::to_array<std::string_view>(
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
constexpr std::string_view kSums = "[1000,10,0,0]";

constexpr std::array<std::string_view, 9> kEnds{"answered", "threw",          "time",
                                                "fuel",     "memory",         "never settles",
                                                "trapped",  "no such export", "bad argument"};

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
        << " isolates; " << apps_ << " apps loaded; jobs: " << jobs_[0] << " called, " << jobs_[1]
        << " failed, " << jobs_[2] << " too late, " << jobs_[3] << " cancelled; at most "
        << processorBeyond_ / 1ms << " ms of the processor and " << wallBeyond_ / 1ms
        << " ms of time beyond runTimeMax; " << wrong_ << " wrong" << std::endl;
  }

 private:
  std::mutex mutex_;
  std::array<std::atomic<std::uint64_t>, kEnds.size()> ends_{};
  std::array<std::atomic<std::uint64_t>, 4> jobs_{};
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

  static constexpr std::size_t kSeats = kCallers + kWorkers + 3;
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
Limits shortLimits(Random& random, Limits limits) {
  limits.runTimeMax = std::chrono::milliseconds(random.upTo(20));
  if (random.oneIn(4)) limits.fuelMax = random.upTo(200'000);
  if (random.oneIn(4)) limits.sqlTimeMax = std::chrono::milliseconds(random.upTo(8));
  if (random.oneIn(4)) limits.statementsMax = random.upTo(20);
  if (random.oneIn(8)) limits.heapBytesMax = (2'000 + random.upTo(4'500)) << 10;
  return limits;
}

constexpr std::string_view kLogIsFull = "the log is full";

struct LogIsFull : std::exception {
  const char* what() const noexcept override { return kLogIsFull.data(); }
};

// A log that throws now and then: what it throws is no Error.
LogSink shortLog(Random& random) {
  if (!random.oneIn(2)) return [](LogStream, std::string_view) {};
  return [left = random.upTo(50)](LogStream, std::string_view) mutable {
    if (left-- == 0) throw LogIsFull();
  };
}

std::string describe(std::string_view name, const CallReport& report) {
  return str(name, " ended with ", kEnds[static_cast<std::size_t>(report.end)], ": ", report.result,
             report.error.name, ' ', report.error.message);
}

void checkStopped(Findings& findings, std::string_view name, const CallReport& report,
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

// One thread with some isolates, each of which is called, stopped, and looked at.
class Caller {
 public:
  Caller(const Common& common, const Databases& shared, Random random, std::size_t seat)
      : common_(common), databases_(shared), random_(random), seat_(seat) {}

  // On a thread that GuestThread made.
  void until(Clock::time_point end) {
    databases_.push_back(std::make_shared<ConnectionPool>(DatabaseOptions{}));
    {
      Isolate isolate(common_.apps.get(0), common_.watchdog);
      expect(isolate, *databases_.back(), "setUp", "");
    }
    while (Clock::now() < end) {
      Slot& slot = random_.of(slots_);
      if (!slot.isolate) make(slot);
      ConnectionPool& database = *random_.of(databases_);
      stop(slot, database);
      lookAt(slot, database);
      change(slot);
    }
    for (Slot& slot : slots_) slot.isolate.reset();
    common_.supervisor.leave(seat_);
  }

 private:
  struct Slot {
    std::shared_ptr<const App> app;
    Isolation isolation = Isolation::Request;
    std::unique_ptr<Isolate> isolate;
  };

  void make(Slot& slot) {
    slot.app = common_.apps.get(random_.upTo(common_.apps.size() - 1));
    slot.isolation = random_.oneIn(3) ? Isolation::Worker : Isolation::Request;
    slot.isolate = std::make_unique<Isolate>(
        slot.app, common_.watchdog,
        IsolateOptions{slot.isolation, random_.oneIn(8) ? ResetCheck::Yes : ResetCheck::No});
    common_.findings.countIsolate();
  }

  void stop(Slot& slot, ConnectionPool& database) {
    const std::string_view name = random_.of(kVictims);
    common_.supervisor.at(seat_, name);
    CallRequest request{.name = name, .log = shortLog(random_)};
    request.limits = shortLimits(random_, slot.app->limits());
    request.readOnly = random_.oneIn(10);
    try {
      const CallReport report = slot.isolate->call(database, request);
      checkStopped(common_.findings, name, report, *request.limits);
    } catch (const Error& error) {
      common_.findings.wrong(str(name, " threw ", error.message()));
    } catch (const LogIsFull&) {
      common_.findings.countThrown();
    }
  }

  // A call with all the time that it needs.
  void expect(Isolate& isolate, ConnectionPool& database, std::string_view name,
              std::string_view result) {
    common_.supervisor.at(seat_, name);
    common_.findings.countCheck();
    try {
      const CallReport report = isolate.call(database, {.name = name});
      if (report.end != CallEnd::Answered || (!result.empty() && report.result != result)) {
        common_.findings.wrong("afterwards " + describe(name, report));
      }
    } catch (const std::exception& error) {
      common_.findings.wrong(str("afterwards ", name, " threw ", error.what()));
    }
  }

  void lookAt(Slot& slot, ConnectionPool& database) {
    // What is stopped and destroyed at once, or stopped again, must do no harm either.
    if (random_.oneIn(4)) return;
    expect(*slot.isolate, database, "fine", slot.isolation == Isolation::Request ? "1" : "");
    if (random_.oneIn(4)) expect(*slot.isolate, database, "sums", kSums);
    if (random_.oneIn(8)) expect(*slot.isolate, database, "transferOnce", "");
  }

  void change(Slot& slot) {
    switch (random_.upTo(30)) {
      case 0:
      case 1:
        return slot.isolate.reset();
      case 2:
        return slot.isolate->discard();
      case 3:
        return slot.isolate->rest();
      case 4:
        return slot.isolate->refresh();
      default:
        return;
    }
  }

  const Common& common_;
  Databases databases_;
  Random random_;
  const std::size_t seat_;
  std::array<Slot, 3> slots_;
};

// Jobs for worker threads, some of which are cancelled in the end.
class Poster {
 public:
  Poster(const Common& common, const Databases& databases, Random random, std::size_t seat)
      : common_(common), databases_(databases), random_(random), seat_(seat) {}

  void until(Clock::time_point end) {
    {
      Workers workers(common_.watchdog, options());
      while (Clock::now() < end) {
        common_.supervisor.at(seat_, "posting");
        if (!post(workers)) std::this_thread::sleep_for(2ms);
      }
      common_.supervisor.at(seat_, "the end of the workers");
      if (random_.oneIn(2)) workers.drain();
    }
    if (answered_ != accepted_) {
      common_.findings.wrong(str(accepted_, " jobs were accepted, ", answered_, " answered"));
    }
    common_.supervisor.leave(seat_);
  }

 private:
  WorkersOptions options() {
    return {.threads = kWorkers,
            .queueMax = 40,
            .runningPerKeyMax = static_cast<unsigned>(random_.upTo(2)),
            .waitingPerKeyMax = 10,
            .isolateBytesMax = random_.oneIn(2) ? 8ull << 20 : 512ull << 20,
            .isolateRestAfter = 5ms,
            .isolateIdleTimeMax = 50ms};
  }

  bool post(Workers& workers) {
    const bool isCheck = random_.oneIn(4);
    const std::string_view name =
        !isCheck ? random_.of(kVictims) : (random_.oneIn(2) ? "sums" : "fine");
    Job job{.app = common_.apps.get(random_.upTo(common_.apps.size() - 1)),
            .database = random_.of(databases_),
            .isolation = random_.oneIn(3) ? Isolation::Worker : Isolation::Request,
            .key = std::to_string(random_.upTo(6)),
            .name = std::string(name)};
    Limits limits = job.app->limits();
    if (!isCheck) {
      limits = shortLimits(random_, limits);
      job.request.limits = limits;
      job.request.log = shortLog(random_);
      if (random_.oneIn(4)) job.notAfter = Clock::now() + random_.upTo(100) * 1ms;
    }
    job.done = [this, name, isCheck, limits](const JobReport& report) {
      ++answered_;
      look(name, isCheck, limits, report);
      if (name == "loop") throw std::runtime_error("nobody listens");
    };
    if (!workers.tryPost(std::move(job))) return false;
    ++accepted_;
    return true;
  }

  void look(std::string_view name, bool isCheck, const Limits& limits, const JobReport& report) {
    common_.findings.countJob(report.end);
    if (report.end == JobEnd::Failed && report.failure->message() != kLogIsFull) {
      common_.findings.wrong(str("the job ", name, " failed: ", report.failure->message()));
    }
    if (report.end != JobEnd::Called) return;
    checkStopped(common_.findings, name, report.call, limits);
    const bool isRight =
        report.call.end == CallEnd::Answered && (name != "sums" || report.call.result == kSums);
    if (isCheck && !isRight) common_.findings.wrong("the job " + describe(name, report.call));
  }

  const Common& common_;
  const Databases& databases_;
  Random random_;
  const std::size_t seat_;
  std::uint64_t accepted_ = 0;
  std::atomic<std::uint64_t> answered_{0};
};

// Loads apps while the others call them; some of them never end their evaluation.
void loadUntil(const Common& common, Random random, std::size_t seat, Clock::time_point end) {
  while (Clock::now() < end) {
    common.supervisor.at(seat, "loading an app");
    try {
      common.apps.replace(random.upTo(common.apps.size() - 1));
      const CallEnd stopped = common.apps.loadEndless(random.upTo(20) * 1ms);
      if (stopped != CallEnd::TimeExceeded) {
        common.findings.wrong("loading an endless app ended with " +
                              std::string(kEnds[static_cast<std::size_t>(stopped)]));
      }
    } catch (const std::exception& error) {
      common.findings.wrong(str("loading an app threw ", error.what()));
    }
    common.findings.countApp();
    std::this_thread::sleep_for(random.upTo(200) * 1ms);
  }
  common.supervisor.leave(seat);
}

// SQLite's own word on a file, from a connection that knows nothing of ours.
void checkFile(Findings& findings, const std::filesystem::path& file) {
  sqlite3* raw = nullptr;
  sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> database(raw, sqlite3_close_v2);
  std::string answer;
  const auto append = [](void* text, int, char** values, char**) {
    *static_cast<std::string*>(text) += values[0];
    return 0;
  };
  const int status = sqlite3_exec(raw,
                                  "pragma integrity_check; begin immediate; "
                                  "select sum(balance) from accounts; commit",
                                  append, &answer, nullptr);
  if (status != SQLITE_OK || answer != "ok1000") {
    findings.wrong(str(file.string(), ": ", sqlite3_errstr(status), ", ", answer));
  }
}

// Of this process, when nothing runs.
struct Holdings {
  std::size_t files = 0;
  std::size_t mappings = 0;
  std::uint64_t bytes = 0;

  static Holdings now() {
    malloc_trim(0);
    Holdings holdings;
    const std::filesystem::directory_iterator files("/proc/self/fd");
    holdings.files = static_cast<std::size_t>(std::distance(begin(files), end(files)));
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) ++holdings.mappings;
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    holdings.bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return holdings;
  }
};

// Compares what each round leaves with the most that the first ones left.
class GrowthCheck {
 public:
  // The allocator keeps some memory for later, in arenas and in what is fragmented, now more and
  // now less: what counts is the least of some rounds. A sanitizer keeps what was freed, so that
  // only files are looked at there.
  static constexpr std::uint64_t kBytesBeyond = 48ull << 20;
  static constexpr std::size_t kRoundsOfBytes = 4;
  static constexpr std::size_t kMappingsBeyond = 64;

  void look(Findings& findings) {
    const Holdings now = Holdings::now();
    if (++rounds_ <= kWarmUpRounds) {
      most_ = {std::max(most_.files, now.files), std::max(most_.mappings, now.mappings),
               std::max(most_.bytes, now.bytes)};
    } else {
      const bool grew = now.mappings > most_.mappings + kMappingsBeyond ||
                        leastOfLast(now.bytes) > most_.bytes + kBytesBeyond;
      if (now.files > most_.files || (grew && !kIsSanitized)) {
        findings.wrong("after round " + std::to_string(rounds_) + " this process has " +
                       describe(now) + "; after the first ones it had " + describe(most_));
      }
    }
    last_ = now;
  }
  std::string summary() const { return "warm " + describe(most_) + "; last " + describe(last_); }

 private:
  // Of this round and those before it; 0 while there are too few.
  std::uint64_t leastOfLast(std::uint64_t bytes) {
    bytes_.push_back(bytes);
    if (bytes_.size() < kRoundsOfBytes) return 0;
    if (bytes_.size() > kRoundsOfBytes) bytes_.pop_front();
    return *std::ranges::min_element(bytes_);
  }

  static std::string describe(const Holdings& holdings) {
    return str(holdings.files, " files, ", holdings.mappings, " mappings, ", holdings.bytes >> 20,
               " MiB");
  }

  int rounds_ = 0;
  Holdings most_;
  Holdings last_;
  std::deque<std::uint64_t> bytes_;
};

class Round {
 public:
  Round(const Common& common, const std::filesystem::path& folder)
      : common_(common), files_{folder / "shared.db", folder / "single.db"} {
    // Two pools of one file do not know each other's writers: SQLite lets them wait.
    for (const auto& file : {files_[0], files_[0], files_[1]}) {
      databases_.push_back(std::make_shared<ConnectionPool>(options(file)));
    }
    databases_.push_back(std::make_shared<ConnectionPool>(options({})));
    for (const auto& database : databases_) callOnce(*database, "setUp", "");
  }

  void run(std::uint32_t seed, std::uint32_t round, Clock::time_point end) {
    {
      std::vector<std::unique_ptr<GuestThread>> threads;
      const auto begin = [&](auto work) {
        const std::size_t seat = threads.size();
        const Random random(seed, round, static_cast<std::uint32_t>(seat));
        threads.push_back(std::make_unique<GuestThread>([=] { work(random, seat); }));
      };
      for (unsigned caller = 0; caller < kCallers; ++caller) {
        begin([this, end](Random random, std::size_t seat) {
          Caller(common_, databases_, random, seat).until(end);
        });
      }
      begin([this, end](Random random, std::size_t seat) {
        Poster(common_, databases_, random, seat).until(end);
      });
      begin(
          [this, end](Random random, std::size_t seat) { loadUntil(common_, random, seat, end); });
    }
    for (const auto& database : databases_) {
      callOnce(*database, "transferOnce", "");
      callOnce(*database, "sums", kSums);
      if (const auto counters = database->counters(); counters.lent != 0) {
        common_.findings.wrong(str(counters.lent, " connections were not given back"));
      }
    }
    databases_.clear();
    for (const auto& file : files_) checkFile(common_.findings, file);
  }

 private:
  static DatabaseOptions options(const std::filesystem::path& file) {
    DatabaseOptions options{.file = file};
    if (file.empty()) options.memory = std::make_shared<MemoryFile>();
    options.limits.busyTimeMax = kStuckAfter;
    options.limits.connectionsMax = 1'000;
    return options;
  }

  void callOnce(ConnectionPool& database, std::string_view name, std::string_view result) {
    GuestThread::run([&] {
      Isolate isolate(common_.apps.get(0), common_.watchdog);
      const CallReport report = isolate.call(database, {.name = name});
      if (report.end != CallEnd::Answered || (!result.empty() && report.result != result)) {
        common_.findings.wrong("alone, " + describe(name, report));
      }
    });
  }

  const Common& common_;
  const std::array<std::filesystem::path, 2> files_;
  Databases databases_;
};

int stress(std::chrono::seconds time, std::uint32_t seed, const std::filesystem::path& folder) {
  const char* given = std::getenv("STRESS_GUEST_FOLDER");
  const Engine engine(EngineFiles::in(given == nullptr ? SCHEMASCRIPT_GUEST_FOLDER : given));
  Watchdog watchdog;
  Findings findings;
  Apps apps(engine, watchdog, folder);
  Supervisor supervisor;
  const Common common{watchdog, apps, findings, supervisor};
  GrowthCheck growth;
  const auto end = Clock::now() + time;
  const auto roundTime = std::min<Clock::duration>(time / 8, 5s);
  std::uint32_t round = 0;
  while (Clock::now() < end && findings.isAllRight()) {
    Round(common, folder).run(seed, ++round, Clock::now() + roundTime);
    growth.look(findings);
  }
  findings.print(std::cout, static_cast<int>(round));
  std::cout << growth.summary() << std::endl;
  return findings.isAllRight() ? 0 : 1;
}

int stressInFolder(std::chrono::seconds time, std::uint32_t seed) {
  std::string folder = (std::filesystem::temp_directory_path() / "hard-stop-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw unavailable("there is no folder for databases");
  const int status = stress(time, seed, folder);
  std::filesystem::remove_all(folder);
  return status;
}

}  // namespace
}  // namespace schemascript

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: hard-stop-stress SECONDS SEED\n";
    return 2;
  }
  try {
    return schemascript::stressInFolder(std::chrono::seconds(std::stoul(arguments[1])),
                                        static_cast<std::uint32_t>(std::stoul(arguments[2])));
  } catch (const std::exception& error) {
    std::cerr << "hard-stop-stress: " << error.what() << "\n";
    return 1;
  }
}

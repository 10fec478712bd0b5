// Stops guests at random moments, in their own code and in the host's, many at the same time, and
// looks whether everything else is as it should be.
//
//   hard-stop-stress SECONDS SEED
//
// Works in rounds. In each of them threads with isolates of their own, and worker threads behind a
// queue, call one app's functions that never end, on databases that they share. Whatever becomes of
// such a call, the next call in its isolate works, a writer gets its turn, and no transaction was
// half done. Handlers of requests are parked meanwhile, with clients that send and read as they
// like, and calls in steps pass from thread to thread. After a round all connections are back and
// nothing of it is left: file descriptors, mappings, memory. The last line says what was done;
// status 1 when something was wrong.
#include <execinfo.h>
#include <malloc.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "runtime/app.h"
#include "runtime/http-message.h"
#include "runtime/isolate-pool.h"
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

// Threads that call for themselves, those that do it in steps, and those of Workers, of which there
// are two.
constexpr unsigned kCallers = 3;
constexpr unsigned kSteppers = 3;
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

constexpr auto kEnds =
    std::to_array<std::string_view>({"answered", "threw", "time", "fuel", "memory", "never settles",
                                     "trapped", "no such export", "bad argument", "cancelled"});
constexpr auto kJobEnds = std::to_array<std::string_view>(
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

// The other ends of connections: what they do later, on a thread of their own.
class Clients {
 public:
  Clients() : thread_([this](std::stop_token stop) { run(stop); }) {}

  void later(std::chrono::milliseconds after, std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    actions_.emplace(Clock::now() + after, std::move(action));
    changed_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const auto next = actions_.empty() ? Clock::now() + 1s : actions_.begin()->first;
      if (next > Clock::now()) {
        changed_.wait_until(lock, stop, next,
                            [&] { return !actions_.empty() && actions_.begin()->first < next; });
        continue;
      }
      const auto action = std::move(actions_.extract(actions_.begin()).mapped());
      lock.unlock();
      action();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<Clock::time_point, std::function<void()>> actions_;
  std::jthread thread_;
};

// A request, and what is right about its answer.
struct Exchange {
  std::string_view name{};
  std::string url{};
  std::string body{};
  std::string expected{};  // Empty: whatever comes.
  bool mayEnd = false;     // It answers, unless it is stopped.
  bool isPatient = true;   // It has all the time it needs, and a client that stays.

  static Exchange of(Random& random) {
    constexpr auto kNames = std::to_array<std::string_view>(
        {"echo", "echo", "echo", "count", "count", "ticks", "ticks", "wait", "sums", "later",
         "loop", "fill", "fail", "failMidway", "open", "never", "unread"});
    constexpr std::size_t kFirstThatFails = 10;
    const std::uint64_t chosen = random.upTo(kNames.size() - 1);
    Exchange exchange{.name = kNames[chosen], .isPatient = false};
    const std::uint64_t ticks = random.upTo(6);
    exchange.url = str("http://a/", exchange.name, "?ms=", random.upTo(8), "&count=", ticks);
    exchange.mayEnd = chosen < kFirstThatFails || exchange.name == "unread";
    exchange.isPatient = exchange.mayEnd && random.oneIn(2);
    const bool hasBody = chosen < 5 || exchange.name == "unread";
    if (hasBody) exchange.body = textOf(random);
    exchange.expected = expectedOf(exchange, ticks);
    return exchange;
  }

  std::string message() const {
    const HeaderFields headers;
    return encodeFetch({.method = body.empty() ? "GET" : "POST",
                        .url = url,
                        .headers = headers,
                        .body = "",
                        .hasBody = !body.empty(),
                        .bodyFollows = !body.empty()});
  }

 private:
  static std::string textOf(Random& random) {
    std::string text(1 + random.upTo(random.oneIn(4) ? 60'000 : 300), ' ');
    for (char& byte : text) byte = static_cast<char>('a' + random.upTo(25));
    return text;
  }

  static std::string expectedOf(const Exchange& exchange, std::uint64_t ticks) {
    if (exchange.name == "echo") return exchange.body;
    if (exchange.name == "count") return str("got ", exchange.body.size());
    if (exchange.name == "sums") return std::string(kSums);
    if (exchange.name != "ticks") return exchange.mayEnd ? "done" : "";
    std::string text;
    for (std::uint64_t tick = 0; tick < ticks; ++tick) text += str("tick ", tick, ';');
    return text;
  }
};

// The client of an exchange: sends its body in pieces, and reads, now, later or never. Looks
// whether it is told things in their order.
class Client : public FetchPeer, public std::enable_shared_from_this<Client> {
 public:
  Client(Clients& clients, Findings& findings, Exchange its, Random random)
      : exchange(std::move(its)), clients_(clients), findings_(findings), random_(random) {}

  Taken respond(FetchResponse response) override {
    const std::lock_guard lock(mutex_);
    check(!std::exchange(hasHead_, true), "two heads");
    follows_ = response.following.body;
    return take(response.body);
  }
  Taken write(BodyPiece piece) override {
    const std::lock_guard lock(mutex_);
    check(hasHead_, "a piece before the head");
    check(follows_ || piece.bytes.empty(), "a piece after the last");
    follows_ = piece.following.body;
    return take(piece.bytes);
  }
  void whenRoom(std::function<void()> then) override {
    if (isAway()) return;
    soon([self = shared_from_this(), then = std::move(then)] {
      {
        const std::lock_guard lock(self->mutex_);
        self->isFull_ = false;
      }
      then();
    });
  }
  void readMore(GotBody then) override {
    {
      const std::lock_guard lock(mutex_);
      check(!std::exchange(isRead_, true), "two who read at the same time");
    }
    if (isAway()) return;
    soon([self = shared_from_this(), then = std::move(then)] { self->send(then); });
  }

  // What came of it.
  void look(const CallReport& report, bool isEnding) {
    const std::lock_guard lock(mutex_);
    hasEnded_ = true;
    const bool isWhole = report.end == CallEnd::Answered && !isGone_ && !isCut_;
    const std::string& expected = exchange.expected;
    const bool isRight =
        expected.empty() || (isWhole ? text_ == expected : expected.starts_with(text_));
    if (!isRight && !exchange.mayEnd) return;
    if (!isRight) findings_.wrong(describe(exchange.name, report) + ": it answered " + text_);
    if (exchange.isPatient && report.end != CallEnd::Answered && !isEnding) {
      findings_.wrong("with a patient client " + describe(exchange.name, report));
    }
  }

  const Exchange exchange;

 private:
  // Under the mutex.
  void check(bool isRight, std::string_view what) {
    if (!isRight || hasEnded_ || isGone_) {
      findings_.wrong(str(exchange.name, ": ",
                          hasEnded_ ? "told something after its end"
                          : isGone_ ? "told something after it went"
                                    : what));
    }
  }

  Taken take(std::string_view bytes) {
    check(!isFull_, "a piece without room");
    text_ += bytes;
    if (!exchange.isPatient && random_.oneIn(8)) {
      isGone_ = true;
      return Taken::Gone;
    }
    isFull_ = random_.oneIn(3);
    return isFull_ ? Taken::Full : Taken::Yes;
  }

  void soon(std::function<void()> action) {
    std::uint64_t after = 0;
    {
      const std::lock_guard lock(mutex_);
      after = random_.upTo(6);
    }
    if (after == 0) return action();
    clients_.later(after * 1ms, std::move(action));
  }

  bool isAway() {
    const std::lock_guard lock(mutex_);
    return !exchange.isPatient && random_.oneIn(12);
  }

  void send(const GotBody& then) {
    std::string piece;
    auto state = Instance::BodyState::Continues;
    {
      const std::lock_guard lock(mutex_);
      const std::size_t left = exchange.body.size() - sent_;
      const bool isLast = random_.oneIn(4);
      piece = exchange.body.substr(sent_, isLast ? left : random_.upTo(left));
      sent_ += piece.size();
      if (isLast) state = Instance::BodyState::Last;
      if (!exchange.isPatient && random_.oneIn(10)) {
        state = Instance::BodyState::ClientGone;
        isCut_ = true;
      }
      isRead_ = false;
    }
    then(piece, state);
  }

  Clients& clients_;
  Findings& findings_;
  std::mutex mutex_;  // Guards all below.
  Random random_;
  std::string text_;
  std::size_t sent_ = 0;
  bool hasHead_ = false;
  bool follows_ = false;
  bool isFull_ = false;
  bool isRead_ = false;
  bool isGone_ = false;  // As its last answer said,
  bool isCut_ = false;   // or its request.
  bool hasEnded_ = false;
};

// Requests for worker threads, which park them; some are stopped by somebody else.
class Requester {
 public:
  Requester(const Common& common, Clients& clients, const Databases& databases, Random random,
            std::size_t seat)
      : common_(common), clients_(clients), databases_(databases), random_(random), seat_(seat) {}

  void until(Clock::time_point end) {
    while (Clock::now() < end) {
      const auto until =
          std::min(end, Clock::now() + std::chrono::milliseconds(random_.upTo(2'000)));
      isEnding_ = false;
      Workers workers(common_.watchdog, options());
      while (Clock::now() < until) {
        common_.supervisor.at(seat_, "posting requests");
        if (!post(workers)) std::this_thread::sleep_for(2ms);
      }
      common_.supervisor.at(seat_, "the end of workers with parked calls");
      if (random_.oneIn(2)) workers.drain();
      isEnding_ = true;
    }
    if (answered_ != accepted_) {
      common_.findings.wrong(str(accepted_, " requests were accepted, ", answered_, " answered"));
    }
    common_.supervisor.leave(seat_);
  }

 private:
  WorkersOptions options() {
    return {.threads = kWorkers,
            .queueMax = 40,
            .runningPerKeyMax = static_cast<unsigned>(random_.upTo(2)),
            .openMax = 4 + random_.upTo(20),
            .openPerKeyMax = random_.upTo(6),
            .waitingPerKeyMax = 10,
            .isolateBytesMax = random_.oneIn(2) ? 8ull << 20 : 512ull << 20,
            .isolateRestAfter = 5ms,
            .isolateIdleTimeMax = 50ms};
  }

  bool post(Workers& workers) {
    auto client = std::make_shared<Client>(clients_, common_.findings, Exchange::of(random_),
                                           Random(static_cast<std::uint32_t>(random_.upTo(~0u)), 0,
                                                  static_cast<std::uint32_t>(seat_)));
    Job job{.app = common_.apps.get(random_.upTo(common_.apps.size() - 1)),
            .isolation = random_.oneIn(3) ? Isolation::Worker : Isolation::Request,
            .key = std::to_string(random_.upTo(6)),
            .argument = client->exchange.message()};
    const auto database = random_.of(databases_);
    if (random_.oneIn(2)) {
      job.database = database;
    } else {
      job.open = [database] { return database; };
    }
    Limits limits = job.app->limits();
    if (!client->exchange.isPatient) {
      limits = shortLimits(random_, limits);
      limits.runTimeMax = std::chrono::milliseconds(random_.upTo(200));
      std::stop_source stop;
      job.request.stop = stop.get_token();
      if (random_.oneIn(3)) {
        clients_.later(random_.upTo(30) * 1ms, [stop]() mutable { stop.request_stop(); });
      }
    }
    job.request.kind = CallKind::Fetch;
    job.request.limits = limits;
    job.peer = client;
    job.done = [this, client, limits](const JobReport& report) {
      ++answered_;
      look(*client, limits, report);
    };
    if (!workers.tryPost(std::move(job))) return false;
    ++accepted_;
    return true;
  }

  void look(Client& client, const Limits& limits, const JobReport& report) {
    common_.findings.countJob(report.end);
    const std::string_view name = client.exchange.name;
    if (report.end == JobEnd::Failed) {
      common_.findings.wrong(str("the request ", name, " failed: ", report.failure->message()));
    }
    if (report.end != JobEnd::Called) return;
    checkStopped(common_.findings, name, report.call, limits);
    client.look(report.call, isEnding_);
  }

  const Common& common_;
  Clients& clients_;
  const Databases& databases_;
  Random random_;
  const std::size_t seat_;
  std::uint64_t accepted_ = 0;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<bool> isEnding_{false};
};

// A call in steps, and what it has got so far.
struct SteppedCall {
  Exchange exchange;
  Limits limits;
  std::shared_ptr<ConnectionPool> database;
  std::shared_ptr<std::stop_source> stop;
  std::string text;
  std::size_t sent = 0;
  bool isCut = false;  // Its client has gone.
  bool wasGivenUp = false;
  IsolatePool::Loan loan;  // Ends before its database does.
};

// Where threads leave calls to each other. Thread-safe.
class ParkedCalls {
 public:
  void add(std::unique_ptr<SteppedCall> call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  // Null when there is none.
  std::unique_ptr<SteppedCall> take(Random& random) {
    const std::lock_guard lock(mutex_);
    if (calls_.empty()) return nullptr;
    std::swap(random.of(calls_), calls_.back());
    auto call = std::move(calls_.back());
    calls_.pop_back();
    return call;
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<SteppedCall>> calls_;
};

// One thread with a pool, which makes a step of this call and of that.
class Stepper {
 public:
  Stepper(const Common& common, ParkedCalls& parked, const Databases& databases, Random random,
          std::size_t seat)
      : common_(common),
        parked_(parked),
        databases_(databases),
        random_(random),
        seat_(seat),
        pool_(common.watchdog, {.bytesMax = 32ull << 20, .restAfter = 5ms, .idleTimeMax = 50ms}) {}

  // On a thread that GuestThread made.
  void until(Clock::time_point end) {
    while (Clock::now() < end) {
      auto call = random_.oneIn(4) ? nullptr : parked_.take(random_);
      common_.supervisor.at(seat_, call ? call->exchange.name : "beginning a call in steps");
      step(call ? std::move(call) : begin());
      if (random_.oneIn(8)) static_cast<void>(pool_.prepareAhead());
    }
    while (auto call = parked_.take(random_)) {
      common_.supervisor.at(seat_, "ending what is parked");
      if (random_.oneIn(2)) giveUp(*call);
      step(std::move(call));
    }
    common_.supervisor.leave(seat_);
  }

 private:
  std::unique_ptr<SteppedCall> begin() {
    auto call = std::make_unique<SteppedCall>();
    call->exchange = Exchange::of(random_);
    call->database = random_.of(databases_);
    call->stop = std::make_shared<std::stop_source>();
    const auto app = common_.apps.get(random_.upTo(common_.apps.size() - 1));
    call->limits = app->limits();
    if (!call->exchange.isPatient) {
      call->limits = shortLimits(random_, call->limits);
      call->limits.runTimeMax = std::chrono::milliseconds(random_.upTo(200));
    }
    call->loan =
        pool_.lend(app, call->database, random_.oneIn(3) ? Isolation::Worker : Isolation::Request);
    const std::string message = call->exchange.message();
    call->loan->begin(*call->database, {.argument = message,
                                        .kind = CallKind::Fetch,
                                        .limits = call->limits,
                                        .stop = call->stop->get_token()});
    return call;
  }

  // Until it has to wait, and then another thread may have it.
  void step(std::unique_ptr<SteppedCall> call) {
    try {
      for (;;) {
        if (!call->exchange.isPatient && random_.oneIn(20) && abandonOrStop(*call)) return;
        const CallStep step = call->loan->advance();
        switch (step.state) {
          case CallStep::State::Ended:
            return finish(*call);
          case CallStep::State::Response:
            call->text += call->loan->response().body;
            continue;
          case CallStep::State::Piece:
            call->text += call->loan->piece().bytes;
            continue;
          case CallStep::State::WantsBody:
            if (random_.oneIn(2)) receive(*call);
            break;
          case CallStep::State::Waits:
            break;
        }
        if (!call->loan->hasTransaction()) {
          call->loan->park();
          common_.findings.countPark();
          return parked_.add(std::move(call));
        }
        std::this_thread::sleep_until(std::min(step.until, Clock::now() + 1ms));
      }
    } catch (const std::exception& error) {
      common_.findings.wrong(str("in steps ", call->exchange.name, " threw ", error.what()));
      pool_.giveUp(std::move(call->loan));
    }
  }

  void receive(SteppedCall& call) {
    const std::string_view rest = std::string_view(call.exchange.body).substr(call.sent);
    const bool isLast = random_.oneIn(4);
    const std::string_view piece = isLast ? rest : rest.substr(0, random_.upTo(rest.size()));
    call.sent += piece.size();
    const bool isGone = !call.exchange.isPatient && random_.oneIn(10);
    call.isCut |= isGone;
    call.loan->receive(piece, isGone   ? Instance::BodyState::ClientGone
                              : isLast ? Instance::BodyState::Last
                                       : Instance::BodyState::Continues);
  }

  void giveUp(SteppedCall& call) {
    call.wasGivenUp = true;
    call.loan->giveUp("the round is over");
  }

  // True when it is gone.
  bool abandonOrStop(SteppedCall& call) {
    switch (random_.upTo(4)) {
      case 0:
        call.loan->abandon();
        pool_.giveUp(std::move(call.loan));
        return true;
      case 1:  // It is given up while it runs.
        return true;
      case 2:
        call.stop->request_stop();
        return false;
      default:
        giveUp(call);
        return false;
    }
  }

  void finish(SteppedCall& call) {
    const CallReport report = call.loan->finish();
    pool_.takeBack(std::move(call.loan), report.end);
    checkStopped(common_.findings, call.exchange.name, report, call.limits);
    const std::string& expected = call.exchange.expected;
    const bool isAnswered = report.end == CallEnd::Answered;
    if (call.exchange.mayEnd &&
        !(isAnswered && !call.isCut ? call.text == expected : expected.starts_with(call.text))) {
      common_.findings.wrong(describe(call.exchange.name, report) + " in steps: " + call.text);
    }
    if (call.exchange.isPatient && !isAnswered && !call.wasGivenUp) {
      common_.findings.wrong("in steps, with all its time " + describe(call.exchange.name, report));
    }
  }

  const Common& common_;
  ParkedCalls& parked_;
  const Databases& databases_;
  Random random_;
  const std::size_t seat_;
  IsolatePool pool_;
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
      Clients clients;
      ParkedCalls parked;
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
      begin([this, end, &clients](Random random, std::size_t seat) {
        Requester(common_, clients, databases_, random, seat).until(end);
      });
      for (unsigned stepper = 0; stepper < kSteppers; ++stepper) {
        begin([this, end, &parked](Random random, std::size_t seat) {
          Stepper(common_, parked, databases_, random, seat).until(end);
        });
      }
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

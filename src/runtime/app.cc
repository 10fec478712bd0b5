#include "runtime/app.h"

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/units.h"
#include "runtime/guest-options.h"

namespace schemascript {
namespace {

std::string startOptionsOf(const AppOptions& options) {
  return guestOptions(options.arguments, PushFirst::No);
}

constexpr std::string_view kNoDatabaseYet =
    "module scope has no database: it is evaluated once, and every call starts from what it left; "
    "query inside of the exported function";

// Evaluates the bundle. The snapshot, or nothing and why.
std::optional<Snapshot> evaluate(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                                 const AppOptions& options, const std::string& startOptions,
                                 std::string_view inputs, App::Loaded& loaded) {
  const auto deadline = Watchdog::Clock::now() + options.limits.runTimeMax;
  ConnectionPool nowhere{DatabaseOptions{}};
  Session session(nowhere,
                  {.limits = options.limits, .queriesRefusedBecause = std::string(kNoDatabaseYet)});
  Instance instance(engine, engine.snapshot(),
                    {.limits = options.limits, .log = options.log, .world = World::Frozen});
  instance.attach(&session);
  try {
    {
      const Watchdog::Watch watch(watchdog, instance.supervised(), deadline);
      if (!instance.start(startOptions) || !instance.load(bundle)) {
        endWith(loaded, endingAsTold(instance, options.limits));
        return std::nullopt;
      }
      instance.reserveMemory();
    }
    // The watchdog has asked it to stop when it was at its end: that must not be in the snapshot.
    if (instance.supervised().askedToStop) {
      endWith(loaded, {CallEnd::TimeExceeded});
      return std::nullopt;
    }
  } catch (const Error& error) {
    endWith(loaded, endingAsThrown(error, instance));
    return std::nullopt;
  }
  return instance.snapshot(inputs);
}

std::chrono::nanoseconds processorTime() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

App::App(const Engine& engine, Limits limits, Snapshot snapshot)
    : engine_(engine), limits_(limits), snapshot_(std::move(snapshot)) {}

std::string App::inputsOf(const Engine& engine, std::string_view bundle,
                          const AppOptions& options) {
  Hasher hasher;
  hasher.add(engine.identity());
  hasher.add(engine.snapshot()->checksum());
  // The limits that tell whether it can be evaluated.
  const Limits& limits = options.limits;
  for (const std::uint64_t limit :
       {limits.memoryBytesMax, limits.heapBytesMax, limits.stackBytesMax, limits.fuelMax}) {
    hasher.add(std::to_string(limit));
  }
  hasher.add(startOptionsOf(options));
  hasher.add(bundle);
  return hasher.hex();
}

App::Loaded App::load(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                      AppOptions options) {
  const std::string startOptions = startOptionsOf(options);
  const std::string inputs = inputsOf(engine, bundle, options);
  Loaded loaded;
  std::optional<Snapshot> snapshot;
  if (!options.snapshotFile.empty()) snapshot = Snapshot::tryLoad(options.snapshotFile, inputs);
  loaded.fromFile = snapshot.has_value();
  if (!snapshot) {
    GuestThread::run([&] {
      snapshot = evaluate(engine, watchdog, bundle, options, startOptions, inputs, loaded);
    });
    if (!snapshot) return loaded;
    if (!options.snapshotFile.empty()) {
      try {
        snapshot->writeTo(options.snapshotFile);
      } catch (const Error&) {
        // The next start takes longer.
      }
    }
  }
  loaded.app.reset(new App(engine, options.limits, *std::move(snapshot)));
  return loaded;
}

// One call, from its session to its report.
class Isolate::Call {
 public:
  Call(Isolate& isolate, ConnectionPool& database, const CallRequest& request)
      : isolate_(isolate),
        request_(request),
        instance_(*isolate.instance_),
        limits_(limitsOf(isolate, request)),
        deadline_(Watchdog::Clock::now() + limits_.runTimeMax),
        session_(database, sessionOptions(limits_, request)) {
    instance_.setLimits(limits_);
    instance_.attach(&session_);
    watch_.emplace(isolate.watchdog_, instance_.supervised(), deadline_);
    onStop_.emplace(request.stop, StopWatched{*watch_});
  }

  ~Call() {
    endWatch();
    instance_.attach(nullptr);
  }

  void toEnd(CallReport& report) {
    try {
      untilItSettles(report);
    } catch (const Error& error) {
      endWith(report, endingAsThrown(error, instance_));
    }
    report.rolledBack = session_.finish();
    const SessionCost sql = session_.cost();
    report.cost.statements = sql.statements;
    report.cost.rows = sql.rows;
    report.cost.sqlTime = sql.sqlTime;
    report.cost.answerBytes = sql.answerBytes;
    endWatch();
    const Usage usage = instance_.usage();
    report.cost.heapBytes = usage.heapPeakBytes;
    report.cost.fuel = usage.fuel;
    report.cost.logBytes = usage.logBytes;
    report.cost.logTruncated = usage.logTruncated;
  }

 private:
  struct StopWatched {
    Watchdog::Watch& watch;
    void operator()() const noexcept { watch.stop(); }
  };

  // Nobody asks this guest to stop afterwards, nor is about to.
  void endWatch() noexcept {
    onStop_.reset();
    watch_.reset();
  }

  static Limits limitsOf(const Isolate& isolate, const CallRequest& request) {
    return request.limits.value_or(isolate.app_->limits());
  }

  static SessionOptions sessionOptions(const Limits& limits, const CallRequest& request) {
    return {limits,       "", Pusher(), request.readOnly, request.capabilities, request.boundValues,
            request.trace};
  }

  void untilItSettles(CallReport& report) {
    if (isolate_.state_ == State::Fresh) instance_.restartClock();
    isolate_.state_ = State::Used;
    if (!instance_.call(request_.name, request_.argument, request_.argumentKind)) {
      return endWith(report, endingAsTold(instance_, limits_));
    }
    for (;;) {
      const Progress progress = instance_.poll();
      if (progress.state == Progress::State::Finished) {
        report.result = instance_.result();
        report.resultKind = instance_.resultKind();
        return;
      }
      if (progress.state != Progress::State::Waiting) {
        return endWith(report, endingAsTold(instance_, limits_));
      }
      if (!sleep(progress.wait)) {
        report.end = request_.stop.stop_requested() ? CallEnd::Cancelled : CallEnd::TimeExceeded;
        report.error.message = "it was waiting for a timer";
        return;
      }
    }
  }

  // False when the deadline comes first, or a request to stop.
  bool sleep(std::chrono::duration<double, std::milli> wait) const {
    const auto until = wakeUpAt(wait, deadline_);
    return sleepUntil(until) && until < deadline_;
  }

  // False when a request to stop comes first.
  bool sleepUntil(Watchdog::Clock::time_point until) const {
    if (!request_.stop.stop_possible()) {
      std::this_thread::sleep_until(until);
      return true;
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    stopped.wait_until(lock, request_.stop, until, [] { return false; });
    return !request_.stop.stop_requested();
  }

  Isolate& isolate_;
  const CallRequest& request_;
  Instance& instance_;
  const Limits limits_;
  const Watchdog::Clock::time_point deadline_;
  Session session_;
  std::optional<Watchdog::Watch> watch_;
  std::optional<std::stop_callback<StopWatched>> onStop_;
};

Isolate::Isolate(std::shared_ptr<const App> app, Watchdog& watchdog, IsolateOptions options)
    : app_(std::move(app)), watchdog_(watchdog), options_(options) {}

Isolate::~Isolate() = default;

namespace {

void checkMemory(const Limits& app, const CallRequest& request) {
  if (!request.limits || request.limits->memoryBytesMax == app.memoryBytesMax) return;
  throw invalidRequest(str("memoryBytesMax is ", formatSize(request.limits->memoryBytesMax),
                           " for this call and ", formatSize(app.memoryBytesMax),
                           " for the app; it is a limit of apps, so load the app with it"));
}

}  // namespace

CallReport Isolate::call(ConnectionPool& database, const CallRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  const auto processorBegin = processorTime();
  checkMemory(app_->limits(), request);
  CallReport report;
  if (request.stop.stop_requested()) {
    report.end = CallEnd::Cancelled;
    return report;
  }
  refresh();
  log_ = &request.log;
  try {
    Call(*this, database, request).toEnd(report);
  } catch (...) {
    log_ = nullptr;
    state_ = State::Used;
    throw;
  }
  log_ = nullptr;
  if (options_.isolation == Isolation::Worker && mayGoOn(report.end) &&
      !instance_->supervised().askedToStop) {
    state_ = State::Kept;
  }
  report.cost.processor = processorTime() - processorBegin;
  report.cost.wall = std::chrono::steady_clock::now() - begin;
  return report;
}

void Isolate::discard() noexcept {
  instance_.reset();
  state_ = State::Absent;
}

void Isolate::rest() noexcept {
  if (!instance_) return;
  try {
    if (state_ == State::Kept) {
      instance_->dropSharedPages();
    } else if (instance_->resetAndDrop()) {
      state_ = State::Fresh;
    } else {
      discard();
    }
  } catch (...) {
    discard();
  }
}

std::uint64_t Isolate::residentBytes() const {
  // WasmEdge's own structures, and the tables by which the processor finds the memory's pages.
  // bench/tenants.cc measures it.
  constexpr std::uint64_t kGuestBytes = 300u << 10;
  return instance_ ? kGuestBytes + instance_->privateBytes() : 0;
}

void Isolate::refresh() {
  if (!needsRefresh()) return;
  if (state_ == State::Used && instance_->reset()) {
    state_ = State::Fresh;
    return;
  }
  state_ = State::Absent;
  instance_.reset();  // Its addresses are free before the next one takes some.
  const auto log = [this](LogStream stream, std::string_view text) {
    if (log_ != nullptr && *log_) (*log_)(stream, text);
  };
  instance_ = std::make_unique<Instance>(
      app_->engine(), &app_->snapshot(),
      InstanceOptions{.limits = app_->limits(), .log = log, .resetCheck = options_.resetCheck});
  state_ = State::Fresh;
}

}  // namespace schemascript

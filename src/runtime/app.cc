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
      instance.settle();
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

// The same snapshot with an environment. Throws InvalidRequest when that is no JSON object, or too
// large for the app's memory.
Snapshot withEnvironment(const Engine& engine, const Snapshot& snapshot, const AppOptions& options,
                         std::string_view inputs) {
  Instance instance(engine, &snapshot, {.limits = options.limits, .log = options.log});
  const auto refuse = [](std::string_view why) {
    return invalidRequest(str("the app's environment cannot be set: ", why));
  };
  try {
    if (instance.setEnvironment(options.environment)) {
      instance.settle();
      return instance.snapshot(inputs);
    }
  } catch (const Error& error) {
    throw refuse(error.message());
  }
  throw refuse(endingAsTold(instance, options.limits).error.message);
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
  if (!options.environment.empty()) {
    GuestThread::run([&] { snapshot = withEnvironment(engine, *snapshot, options, inputs); });
  }
  loaded.app.reset(new App(engine, options.limits, *std::move(snapshot)));
  return loaded;
}

// One call, from its session to its report.
class Isolate::Call {
  using Clock = Watchdog::Clock;

 public:
  Call(Isolate& isolate, ConnectionPool& database, CallRequest request)
      : instance_(*isolate.instance_),
        watchdog_(isolate.watchdog_),
        kind_(request.kind),
        measuresProcessor_(request.measuresProcessor),
        limits_(request.limits.value_or(isolate.app_->limits())),
        log_(std::move(request.log)),
        stop_(std::move(request.stop)),
        deadline_(began_ + limits_.runTimeMax),
        session_(database, sessionOptions(limits_, request)) {
    instance_.setLimits(limits_);
    instance_.attach(&session_);
    resume();
  }

  ~Call() {
    endWatch();
    instance_.attach(nullptr);
  }

  void start(const CallRequest& request) {
    if (stop_.stop_requested()) return endWith(CallEnd::Cancelled, "it had not begun");
    guarded([&] {
      const bool started =
          kind_ == CallKind::Function
              ? instance_.call(request.name, request.argument, request.argumentKind)
          : kind_ == CallKind::Fetch ? instance_.fetch(request.argument)
                                     : instance_.scheduled(request.argument);
      if (!started) endAsTold();
    });
  }

  CallStep advance() {
    CallStep step;
    if (const char* const waitedFor = std::exchange(waitsFor_, nullptr)) endIfOver(waitedFor);
    if (hasEnded_) return step;
    guarded([&] {
      if (std::exchange(hasAnswered_, false) && !instance_.next()) {
        return endAsTold();
      }
      step = poll();
    });
    return step;
  }

  void receive(std::string_view bytes, Instance::BodyState state) {
    if (hasEnded_) return;
    waitsFor_ = nullptr;
    guarded([&] {
      if (!instance_.receive(bytes, state)) endAsTold();
    });
  }

  CallReport finish() {
    report_.rolledBack = session_.finish();
    const SessionCost sql = session_.cost();
    report_.cost.statements = sql.statements;
    report_.cost.rows = sql.rows;
    report_.cost.sqlTime = sql.sqlTime;
    report_.cost.answerBytes = sql.answerBytes;
    park();
    const Usage usage = instance_.usage();
    report_.cost.heapBytes = usage.heapPeakBytes;
    report_.cost.fuel = usage.fuel;
    report_.cost.logBytes = usage.logBytes;
    report_.cost.logTruncated = usage.logTruncated;
    report_.cost.wall = Clock::now() - began_;
    return std::move(report_);
  }

  // Between these two the call is on this thread, whose time is the call's.
  void resume() {
    if (watch_) return;
    if (measuresProcessor_) resumedAt_ = processorTime();
    watch_.emplace(watchdog_, instance_.supervised(), deadline_);
    onStop_.emplace(stop_, StopWatched{*watch_});
  }
  void park() noexcept {
    if (!watch_) return;
    endWatch();
    if (measuresProcessor_) report_.cost.processor += processorTime() - resumedAt_;
  }

  void giveUp(std::string_view why) {
    if (hasEnded_) return;
    endWith(Clock::now() < deadline_ ? CallEnd::Cancelled : CallEnd::TimeExceeded, why);
  }

  // False when a request to stop comes first.
  bool sleepUntil(Clock::time_point until) const {
    if (!stop_.stop_possible()) {
      std::this_thread::sleep_until(until);
      return true;
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    stopped.wait_until(lock, stop_, until, [] { return false; });
    return !stop_.stop_requested();
  }

  bool hasTransaction() const noexcept { return session_.hasTransaction(); }
  FetchResponse& response() noexcept { return response_; }
  BodyPiece& piece() noexcept { return piece_; }
  const LogSink& log() const noexcept { return log_; }

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

  static SessionOptions sessionOptions(const Limits& limits, const CallRequest& request) {
    return {limits,       "", Pusher(), request.readOnly, request.capabilities, request.boundValues,
            request.trace};
  }

  // Whatever runs the guest. What it throws of the guest's doing ends the call.
  template <typename Work>
  void guarded(Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      endWith(endingAsThrown(error, instance_));
    }
  }

  void endWith(Ending ending) {
    schemascript::endWith(report_, std::move(ending));
    hasEnded_ = true;
  }

  void endWith(CallEnd end, std::string_view why) {
    Ending ending{end};
    ending.error.message = why;
    endWith(std::move(ending));
  }

  void endAsTold() { endWith(endingAsTold(instance_, limits_)); }

  CallStep poll() {
    const Progress progress = instance_.poll();
    switch (progress.state) {
      case Progress::State::Finished:
        return answered();
      case Progress::State::Waiting:
        return waiting(progress.wait);
      case Progress::State::WantsBody:
        return waitingUntil(deadline_, CallStep::State::WantsBody);
      case Progress::State::Failed:
      case Progress::State::NeverSettles:
        break;
    }
    endAsTold();
    return {};
  }

  CallStep waiting(std::chrono::duration<double, std::milli> wait) {
    const auto state = kind_ == CallKind::Fetch && instance_.wantsBody()
                           ? CallStep::State::WantsBody
                           : CallStep::State::Waits;
    return waitingUntil(wakeUpAt(wait, deadline_), state);
  }

  CallStep waitingUntil(Clock::time_point until, CallStep::State state) {
    waitsFor_ = state == CallStep::State::Waits ? "it was waiting for a timer"
                                                : "it was waiting for the body of its request";
    return {state, until};
  }

  // Not the guest is asked to stop that had nothing to do.
  void endIfOver(const char* waitedFor) {
    if (stop_.stop_requested()) return endWith(CallEnd::Cancelled, waitedFor);
    if (Clock::now() >= deadline_) endWith(CallEnd::TimeExceeded, waitedFor);
  }

  CallStep answered() {
    if (kind_ == CallKind::Function) {
      report_.result = instance_.result();
      report_.resultKind = instance_.resultKind();
      hasEnded_ = true;
      return {};
    }
    const std::string message = instance_.response();
    const bool isHead = kind_ == CallKind::Fetch && !hasHead_;
    if (isHead) {
      response_ = decodeFetchResponse(message);
    } else {
      piece_ = decodePiece(message);
    }
    const Following following = isHead ? response_.following : piece_.following;
    // What follows is called for, or nothing does, and the next step is the end.
    hasAnswered_ = following.body || following.work;
    hasEnded_ = !hasAnswered_;
    hasHead_ = true;
    return {isHead ? CallStep::State::Response : CallStep::State::Piece, deadline_};
  }

  Instance& instance_;
  Watchdog& watchdog_;
  const CallKind kind_;
  const bool measuresProcessor_;
  const Limits limits_;
  const LogSink log_;
  const std::stop_token stop_;
  const Clock::time_point began_ = Clock::now();
  const Clock::time_point deadline_;
  Session session_;
  std::optional<Watchdog::Watch> watch_;  // While the call is on a thread.
  std::optional<std::stop_callback<StopWatched>> onStop_;
  std::chrono::nanoseconds resumedAt_{};
  CallReport report_;
  FetchResponse response_;
  BodyPiece piece_;
  const char* waitsFor_ = nullptr;  // As the last step said.
  bool hasHead_ = false;
  bool hasAnswered_ = false;  // Something was answered, and more follows.
  bool hasEnded_ = false;
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

void Isolate::make(ConnectionPool& database, CallRequest& request) {
  SS_CHECK(call_ == nullptr, "a call in an isolate that is in one");
  checkMemory(app_->limits(), request);
  refresh();
  call_ = std::make_unique<Call>(*this, database, request);
  if (state_ == State::Fresh) instance_->restartClock();
  state_ = State::Used;
  hasServed_ = true;
}

// What is thrown ends the call.
template <typename Work>
auto Isolate::orAbandon(Work&& work) {
  SS_CHECK(call_ != nullptr, "no call was begun");
  try {
    call_->resume();
    return work();
  } catch (...) {
    abandon();
    throw;
  }
}

CallReport Isolate::call(ConnectionPool& database, const CallRequest& request) {
  if (request.stop.stop_requested()) {
    checkMemory(app_->limits(), request);
    CallReport report;
    report.end = CallEnd::Cancelled;
    return report;
  }
  begin(database, request);
  return orAbandon([&] {
    for (;;) {
      const CallStep step = call_->advance();
      if (step.state == CallStep::State::Ended) return end();
      if (step.state == CallStep::State::Waits) call_->sleepUntil(step.until);
    }
  });
}

void Isolate::begin(ConnectionPool& database, CallRequest request) {
  make(database, request);
  orAbandon([&] { call_->start(request); });
}

CallStep Isolate::advance() {
  return orAbandon([this] { return call_->advance(); });
}

void Isolate::receive(std::string_view bytes, Instance::BodyState state) {
  orAbandon([&] { call_->receive(bytes, state); });
}

void Isolate::giveUp(std::string_view why) {
  orAbandon([&] { call_->giveUp(why); });
}

CallReport Isolate::finish() {
  return orAbandon([this] { return end(); });
}

CallReport Isolate::end() {
  CallReport report = call_->finish();
  call_.reset();
  if (options_.isolation == Isolation::Worker && mayGoOn(report.end) &&
      !instance_->supervised().askedToStop) {
    state_ = State::Kept;
  }
  return report;
}

void Isolate::abandon() noexcept { call_.reset(); }

void Isolate::park() noexcept { call_->park(); }

bool Isolate::hasTransaction() const noexcept { return call_ && call_->hasTransaction(); }

FetchResponse& Isolate::response() noexcept { return call_->response(); }

BodyPiece& Isolate::piece() noexcept { return call_->piece(); }

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
    if (call_ != nullptr && call_->log()) call_->log()(stream, text);
  };
  instance_ = std::make_unique<Instance>(
      app_->engine(), &app_->snapshot(),
      InstanceOptions{.limits = app_->limits(), .log = log, .resetCheck = options_.resetCheck});
  state_ = State::Fresh;
  hasServed_ = false;
}

}  // namespace schemascript

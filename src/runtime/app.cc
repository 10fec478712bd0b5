#include "runtime/app.h"

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/units.h"
#include "runtime/guest-options.h"

namespace schemascript {
namespace {

// A report or an App::Loaded: both have an end and an error.
template <typename Report>
void fail(Report& report, CallEnd end, ErrorDescription error = {}) {
  report.end = end;
  report.error = std::move(error);
}

// `limits`: those that it had.
template <typename Report>
void failAsTold(Report& report, const std::string& text, const Limits& limits) {
  using Kind = GuestFailure::Kind;
  GuestFailure failure = readFailure(text);
  CallEnd end = CallEnd::Threw;
  switch (failure.kind) {
    case Kind::Threw:
      break;
    case Kind::Stopped:
      end = CallEnd::TimeExceeded;
      break;
    case Kind::OutOfFuel:
      end = CallEnd::FuelExceeded;
      failure.error.message = fuelExceededMessage(limits);
      break;
    case Kind::OutOfMemory:
      end = CallEnd::MemoryExceeded;
      break;
    case Kind::NeverSettles:
      end = CallEnd::NeverSettles;
      break;
    case Kind::NoSuchExport:
      end = CallEnd::NoSuchExport;
      break;
    case Kind::BadArgument:
      end = CallEnd::BadArgument;
      break;
  }
  fail(report, end, std::move(failure.error));
}

// What ended a guest that could not say it itself.
template <typename Report>
void failAsThrown(Report& report, const Error& error, Instance& instance) {
  const bool isLimit = error.code() == ErrorCode::LimitExceeded;
  if (!isLimit && error.code() != ErrorCode::GuestFailed) throw error;
  if (isLimit && instance.supervised().askedToStop) return fail(report, CallEnd::TimeExceeded);
  ErrorDescription description;
  description.message = error.message();
  fail(report, isLimit ? CallEnd::MemoryExceeded : CallEnd::Trapped, std::move(description));
}

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
        failAsTold(loaded, instance.failure(), options.limits);
        return std::nullopt;
      }
      instance.reserveMemory();
    }
    // The watchdog has asked it to stop when it was at its end: that must not be in the snapshot.
    if (instance.supervised().askedToStop) {
      fail(loaded, CallEnd::TimeExceeded);
      return std::nullopt;
    }
  } catch (const Error& error) {
    failAsThrown(loaded, error, instance);
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
  using Clock = Watchdog::Clock;

 public:
  Call(Isolate& isolate, ConnectionPool& database, CallRequest request)
      : instance_(*isolate.instance_),
        kind_(request.kind),
        limits_(request.limits.value_or(isolate.app_->limits())),
        log_(std::move(request.log)),
        deadline_(began_ + limits_.runTimeMax),
        session_(database, sessionOptions(limits_, request)) {
    instance_.setLimits(limits_);
    instance_.attach(&session_);
    watch_.emplace(isolate.watchdog_, instance_.supervised(), deadline_);
  }

  ~Call() {
    watch_.reset();
    instance_.attach(nullptr);
  }

  void start(const CallRequest& request) {
    guarded([&] {
      const bool started =
          kind_ == CallKind::Function
              ? instance_.call(request.name, request.argument, request.argumentKind)
          : kind_ == CallKind::Fetch ? instance_.fetch(request.argument)
                                     : instance_.scheduled(request.argument);
      if (!started) failAsTold(instance_.failure());
    });
  }

  CallStep advance() {
    CallStep step;
    if (hasEnded_) return step;
    guarded([&] {
      if (std::exchange(hasAnswered_, false) && !instance_.next()) {
        return failAsTold(instance_.failure());
      }
      step = poll();
    });
    return step;
  }

  void receive(std::string_view bytes, Instance::BodyState state) {
    guarded([&] {
      if (!hasEnded_ && !instance_.receive(bytes, state)) failAsTold(instance_.failure());
    });
  }

  CallReport finish() {
    report_.rolledBack = session_.finish();
    const SessionCost sql = session_.cost();
    report_.cost.statements = sql.statements;
    report_.cost.rows = sql.rows;
    report_.cost.sqlTime = sql.sqlTime;
    report_.cost.answerBytes = sql.answerBytes;
    watch_.reset();
    const Usage usage = instance_.usage();
    report_.cost.heapBytes = usage.heapPeakBytes;
    report_.cost.fuel = usage.fuel;
    report_.cost.logBytes = usage.logBytes;
    report_.cost.logTruncated = usage.logTruncated;
    pause();
    report_.cost.wall = Clock::now() - began_;
    return std::move(report_);
  }

  // Between these two the thread's time is the call's.
  void resume() noexcept { resumed_ = processorTime(); }
  void pause() noexcept { report_.cost.processor += processorTime() - resumed_; }

  Clock::time_point deadline() const noexcept { return deadline_; }
  FetchResponse& response() noexcept { return response_; }
  BodyPiece& piece() noexcept { return piece_; }
  const LogSink& log() const noexcept { return log_; }

 private:
  static SessionOptions sessionOptions(const Limits& limits, const CallRequest& request) {
    return {limits, "", Pusher(), request.readOnly, request.capabilities, request.boundValues};
  }

  // Whatever runs the guest. What it throws of the guest's doing ends the call.
  template <typename Work>
  void guarded(Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      failAsThrown(report_, error, instance_);
      hasEnded_ = true;
    }
  }

  void failAsTold(const std::string& failure) {
    schemascript::failAsTold(report_, failure, limits_);
    hasEnded_ = true;
  }

  CallStep poll() {
    const Progress progress = instance_.poll();
    switch (progress.state) {
      case Progress::State::Finished:
        return answered();
      case Progress::State::Waiting:
        return waiting(progress.wait);
      case Progress::State::WantsBody:
        return waitingAtMostUntil(deadline_, CallStep::State::WantsBody);
      case Progress::State::Failed:
      case Progress::State::NeverSettles:
        break;
    }
    failAsTold(instance_.failure());
    return {};
  }

  CallStep waiting(std::chrono::duration<double, std::milli> wait) {
    const auto state = kind_ == CallKind::Fetch && instance_.wantsBody()
                           ? CallStep::State::WantsBody
                           : CallStep::State::Waits;
    // The guest's word may be too large for the clock.
    const auto now = Clock::now();
    const bool isLate = !(wait < deadline_ - now);
    return waitingAtMostUntil(isLate ? deadline_ : now + std::chrono::ceil<Clock::duration>(wait),
                              state);
  }

  CallStep waitingAtMostUntil(Clock::time_point until, CallStep::State state) {
    if (Clock::now() < deadline_) return {state, until};
    ErrorDescription description;
    description.message = state == CallStep::State::Waits
                              ? "it was waiting for a timer"
                              : "it was waiting for the body of its request";
    fail(report_, CallEnd::TimeExceeded, std::move(description));
    hasEnded_ = true;
    return {};
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
    return {isHead ? CallStep::State::Response : CallStep::State::Piece, {}};
  }

  Instance& instance_;
  const CallKind kind_;
  const Limits limits_;
  const LogSink log_;
  const Clock::time_point began_ = Clock::now();
  const Clock::time_point deadline_;
  Session session_;
  std::optional<Watchdog::Watch> watch_;
  std::chrono::nanoseconds resumed_ = processorTime();
  CallReport report_;
  FetchResponse response_;
  BodyPiece piece_;
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

// Whether a guest is as good as before, when it may keep its state.
bool mayGoOn(CallEnd end) noexcept {
  return end != CallEnd::TimeExceeded && end != CallEnd::FuelExceeded &&
         end != CallEnd::MemoryExceeded && end != CallEnd::Trapped;
}

}  // namespace

void Isolate::make(ConnectionPool& database, CallRequest& request) {
  SS_CHECK(call_ == nullptr, "a call in an isolate that is in one");
  checkMemory(app_->limits(), request);
  refresh();
  call_ = std::make_unique<Call>(*this, database, request);
  if (state_ == State::Fresh) instance_->restartClock();
  state_ = State::Used;
}

// What is thrown ends the call.
template <typename Work>
auto Isolate::orAbandon(Work&& work) {
  try {
    return work();
  } catch (...) {
    abandon();
    throw;
  }
}

CallReport Isolate::call(ConnectionPool& database, const CallRequest& request) {
  CallRequest own = request;
  make(database, own);
  return orAbandon([&] {
    call_->start(own);
    for (;;) {
      const CallStep step = call_->advance();
      if (step.state == CallStep::State::Ended) return end();
      if (step.state == CallStep::State::Waits) std::this_thread::sleep_until(step.until);
    }
  });
}

void Isolate::begin(ConnectionPool& database, CallRequest request) {
  make(database, request);
  orAbandon([&] {
    call_->start(request);
    call_->pause();
  });
}

CallStep Isolate::advance() {
  SS_CHECK(call_ != nullptr, "no call was begun");
  return orAbandon([&] {
    call_->resume();
    const CallStep step = call_->advance();
    call_->pause();
    return step;
  });
}

CallReport Isolate::finish() {
  SS_CHECK(call_ != nullptr, "no call was begun");
  return orAbandon([&] {
    call_->resume();
    return end();
  });
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

FetchResponse& Isolate::response() noexcept { return call_->response(); }

BodyPiece& Isolate::piece() noexcept { return call_->piece(); }

void Isolate::receive(std::string_view bytes, Instance::BodyState state) {
  SS_CHECK(call_ != nullptr, "no call was begun");
  orAbandon([&] {
    call_->resume();
    call_->receive(bytes, state);
    call_->pause();
  });
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
  constexpr std::uint64_t kGuestBytes = 200u << 10;
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
}

}  // namespace schemascript

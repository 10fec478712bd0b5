#include "runtime/run.h"

#include <boost/json.hpp>
#include <optional>
#include <thread>

#include "base/error.h"
#include "runtime/guest-options.h"

namespace schemascript {
namespace {

namespace json = boost::json;

std::string textAt(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The guest's account of its failure.
RunReport reportOf(const std::string& text, const Limits& limits) {
  GuestFailure failure = readFailure(text);
  RunReport report;
  report.end = RunReport::End::Threw;
  using Kind = GuestFailure::Kind;
  if (failure.kind == Kind::Stopped) report.end = RunReport::End::TimeExceeded;
  if (failure.kind == Kind::OutOfFuel) {
    report.end = RunReport::End::FuelExceeded;
    failure.error.message = fuelExceededMessage(limits);
  }
  if (failure.kind == Kind::OutOfMemory) report.end = RunReport::End::MemoryExceeded;
  if (failure.kind == Kind::NeverSettles) report.end = RunReport::End::NeverSettles;
  report.error = std::move(failure.error);
  return report;
}

// The guest's word again: what is not as it should be is left out.
std::vector<EmittedFile> emittedFiles(const std::string& text) {
  std::vector<EmittedFile> files;
  boost::system::error_code invalid;
  const json::value parsed = json::parse(text, invalid);
  if (invalid || !parsed.is_array()) return files;
  for (const json::value& file : parsed.get_array()) {
    if (!file.is_object()) continue;
    files.push_back({textAt(file.get_object(), "fileName"), textAt(file.get_object(), "text")});
  }
  return files;
}

class Run {
 public:
  Run(const Engine& engine, Watchdog& watchdog, ConnectionPool& pool, RunOptions& options)
      : options_(options),
        deadline_(Watchdog::Clock::now() + options.limits.runTimeMax),
        session_(pool, sessionOptions(options)),
        instance_(engine, engine.snapshot(), {options.limits, options.log}) {
    instance_.attach(&session_);
    watch_.emplace(watchdog, instance_.supervised(), deadline_);
  }

  RunReport toEnd(std::string_view bundle) {
    RunReport report = untilItEnds(bundle);
    report.memoryBytes = instance_.memoryBytes();
    report.rolledBack = session_.finish();
    watch_.reset();
    report.fuel = instance_.usage().fuel;
    return report;
  }

 private:
  static SessionOptions sessionOptions(const RunOptions& options) {
    return {options.limits,
            options.push == PushWhen::AtEnd || !options.emit.empty()
                ? "this file is only read for its tables now, so it has no database: keep queries "
                  "out of the file that declares the tables, and name that file"
                : "",
            options.push == PushWhen::Never ? Pusher() : options.pusher,
            options.readOnly,
            options.capabilities,
            options.boundValues};
  }

  std::string startOptions() const {
    return guestOptions(options_.arguments,
                        options_.push == PushWhen::Never ? PushFirst::No : PushFirst::Yes);
  }

  RunReport failed() { return reportOf(instance_.failure(), options_.limits); }

  RunReport untilItEnds(std::string_view bundle) {
    try {
      if (!instance_.start(startOptions()) || !instance_.evaluate(bundle)) {
        return failed();
      }
      for (;;) {
        const Progress progress = instance_.poll();
        if (progress.state == Progress::State::Finished) break;
        if (progress.state != Progress::State::Waiting) return failed();
        if (!sleep(progress.wait)) return timeExceeded("it was waiting for a timer");
      }
      if (options_.push != PushWhen::Never && !instance_.push()) {
        return failed();
      }
      return options_.emit.empty() ? RunReport() : emit();
    } catch (const Error& error) {
      return endOf(error);
    }
  }

  RunReport emit() {
    if (!instance_.emit(options_.emit)) return failed();
    RunReport report;
    report.emitted = emittedFiles(instance_.emitted());
    return report;
  }

  // False when the deadline comes first.
  bool sleep(std::chrono::duration<double, std::milli> wait) const {
    const auto until = Watchdog::Clock::now() + std::chrono::ceil<Watchdog::Clock::duration>(wait);
    std::this_thread::sleep_until(std::min(until, deadline_));
    return until < deadline_;
  }

  static RunReport timeExceeded(std::string where) {
    RunReport report;
    report.end = RunReport::End::TimeExceeded;
    report.error.message = std::move(where);
    return report;
  }

  static RunReport endOf(const Error& error) {
    if (error.code() == ErrorCode::LimitExceeded) return timeExceeded({});
    if (error.code() != ErrorCode::GuestFailed) throw error;
    RunReport report;
    report.end = RunReport::End::Trapped;
    report.error.message = error.message();
    return report;
  }

  RunOptions& options_;
  const Watchdog::Clock::time_point deadline_;
  Session session_;
  Instance instance_;
  std::optional<Watchdog::Watch> watch_;
};

}  // namespace

RunReport run(const Engine& engine, Watchdog& watchdog, ConnectionPool& pool,
              std::string_view bundle, RunOptions options) {
  RunReport report;
  GuestThread::run([&] { report = Run(engine, watchdog, pool, options).toEnd(bundle); });
  return report;
}

}  // namespace schemascript

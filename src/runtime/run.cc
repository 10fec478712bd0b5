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
            options.boundValues,
            options.trace};
  }

  std::string startOptions() const {
    return guestOptions(options_.arguments,
                        options_.push == PushWhen::Never ? PushFirst::No : PushFirst::Yes);
  }

  static RunReport reportOf(Ending ending) {
    RunReport report;
    endWith(report, std::move(ending));
    return report;
  }

  RunReport failed() { return reportOf(endingAsTold(instance_, options_.limits)); }

  RunReport untilItEnds(std::string_view bundle) {
    try {
      if (!instance_.start(startOptions()) || !instance_.evaluate(bundle)) {
        return failed();
      }
      for (;;) {
        const Progress progress = instance_.poll();
        if (progress.state == Progress::State::Finished) break;
        if (progress.state != Progress::State::Waiting) return failed();
        const auto until = wakeUpAt(progress.wait, deadline_);
        std::this_thread::sleep_until(until);
        if (until == deadline_) return stoppedWaiting();
      }
      if (options_.push != PushWhen::Never && !instance_.push()) {
        return failed();
      }
      return options_.emit.empty() ? RunReport() : emit();
    } catch (const Error& error) {
      return reportOf(endingAsThrown(error, instance_));
    }
  }

  RunReport emit() {
    if (!instance_.emit(options_.emit)) return failed();
    RunReport report;
    report.emitted = emittedFiles(instance_.emitted());
    return report;
  }

  static RunReport stoppedWaiting() {
    RunReport report;
    report.end = CallEnd::TimeExceeded;
    report.error.message = "it was waiting for a timer";
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

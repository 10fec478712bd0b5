// App and Database: calls, from their request to their outcome.
#include <atomic>
#include <utility>

#include "api/parts.h"

namespace schemascript {
inline namespace v0 {
namespace {

// What a call needs from its beginning to its outcome. Owned by the job, in whose functions it is.
struct CallState {
  std::string name;
  LogSink log;
  Limits limits;
  Callback callback;
  std::vector<LogEntry> written;  // Unless there is a log.
};

Cost costOf(const CallReport::Cost& from) {
  Cost cost;
  cost.wall = from.wall;
  cost.processor = from.processor;
  cost.sqlTime = from.sqlTime;
  cost.fuel = from.fuel;
  cost.heapBytes = from.heapBytes;
  cost.statements = from.statements;
  cost.rows = from.rows;
  cost.answerBytes = from.answerBytes;
  cost.logBytes = from.logBytes;
  cost.logTruncated = from.logTruncated;
  return cost;
}

Outcome outcomeOfCall(CallState& call, CallReport report) {
  const Cost cost = costOf(report.cost);
  if (report.end != CallEnd::Answered) {
    return {.error = publicError(call.name, report.end, report.error, call.limits, cost,
                                 std::move(call.written))};
  }
  Answer answer;
  if (report.resultKind == Payload::Bytes) {
    answer.kind = Answer::Kind::Bytes;
  } else if (!report.result.empty()) {
    answer.kind = Answer::Kind::Json;
  }
  answer.result = std::move(report.result);
  answer.log = std::move(call.written);
  answer.rolledBack = report.rolledBack;
  answer.cost = cost;
  return {.answer = std::move(answer)};
}

Outcome outcomeOf(CallState& call, JobReport report) {
  switch (report.end) {
    case JobEnd::Called:
      return outcomeOfCall(call, std::move(report.call));
    case JobEnd::Failed:
      return {.error = publicError(*report.failure)};
    case JobEnd::TooLate:
      return {.error = publicError(
                  ErrorCode::Unavailable,
                  str(call.name, " was not called: its turn came too late, after ",
                      std::chrono::ceil<std::chrono::milliseconds>(report.waited).count(),
                      "ms (queueTimeMax)"))};
    case JobEnd::NoDatabase:
      return {.error = publicError(schemascript::internal("a job without a database"))};
    case JobEnd::Cancelled:
      break;
  }
  return {.error = publicError(ErrorCode::Unavailable,
                               str(call.name, " was not called: the Runtime has ended"))};
}

// On the thread that runs the call.
void write(CallState& call, layers::LogStream stream, std::string_view text) {
  if (call.log) return callLog(call.log, stream, text);
  call.written.push_back({publicStream(stream), std::string(text)});
}

// An exception of the callback's ends the program.
void finish(CallState& call, Outcome outcome) noexcept {
  const OnWorker mark;
  call.callback(std::move(outcome));
}

void checkName(std::string_view name) {
  if (name.empty()) {
    throw publicError(ErrorCode::InvalidRequest, "the function to call has no name");
  }
}

}  // namespace

Capabilities::Capabilities(const std::vector<std::string>& reads,
                           const std::vector<std::string>& writes)
    : parsed_(translated([&] { return layers::Capabilities::parse(reads, writes); })) {}

Database::Database(std::shared_ptr<const Parts> parts) noexcept : parts_(std::move(parts)) {}

const std::string& Database::name() const noexcept { return parts_->name; }

PushResult Database::push(const App& app) const {
  const App::Parts& parts = *app.parts_;
  PushResult pushed;
  std::optional<layers::Error> failure;
  const auto pusher = [&](layers::Database& target, std::string_view desired) {
    try {
      layers::PushResult result = schemascript::push(target, desired);
      pushed = {result.created, result.unchanged};
      return result;
    } catch (const layers::Error& error) {
      failure = error;
      throw;
    }
  };
  const RunReport report = translated([&] {
    Machine& machine = *parts.core->machine;
    RunOptions options;
    options.limits = parts.options.limits;
    options.arguments = parts.options.arguments;
    options.push = PushWhen::AtEnd;
    options.pusher = pusher;
    return run(machine.engine, machine.watchdog, *parts_->pool, parts.bundle, std::move(options));
  });
  // The host's own words are better than the guest's about them.
  if (failure) throw publicError(*failure);
  if (report.end == CallEnd::Answered) return pushed;
  throw publicError("the app's module", report.end, report.error, parts.options.limits, {}, {});
}

App::App(std::shared_ptr<const Parts> parts) noexcept : parts_(std::move(parts)) {}

bool App::fromCache() const noexcept { return parts_->fromCache; }

void App::callAsync(const Database& database, std::string_view name, Argument argument,
                    Callback callback, const CallOptions& options) const {
  checkName(name);
  if (!callback) throw publicError(ErrorCode::InvalidRequest, "the callback is empty");
  const auto call = std::make_shared<CallState>();
  call->name = name;
  call->log = options.log;
  call->limits = options.limits.value_or(parts_->options.limits);
  call->callback = std::move(callback);
  Job job;
  job.app = parts_->app;
  job.database = database.parts_->pool;
  job.isolation = layerIsolation(parts_->options.isolation);
  job.key = options.tenant;
  job.name = name;
  job.argument = argument.value();
  if (options.queueTimeMax) {
    job.notAfter = std::chrono::steady_clock::now() + *options.queueTimeMax;
  }
  job.request.limits = options.limits;
  job.request.argumentKind = argument.isBytes() ? Payload::Bytes : Payload::Json;
  job.request.readOnly = options.readOnly;
  job.request.stop = options.stop;
  if (options.capabilities) {
    job.request.capabilities =
        std::static_pointer_cast<const layers::Capabilities>(options.capabilities->parsed_);
  }
  if (options.showBoundValues) job.request.boundValues = BoundValueDisplay::Shown;
  job.request.log = [call](layers::LogStream stream, std::string_view text) {
    write(*call, stream, text);
  };
  job.done = [call](JobReport report) { finish(*call, outcomeOf(*call, std::move(report))); };
  translated([&] { parts_->core->post(std::move(job)); });
}

std::future<Answer> App::callAsync(const Database& database, std::string_view name,
                                   Argument argument, const CallOptions& options) const {
  const auto promise = std::make_shared<std::promise<Answer>>();
  std::future<Answer> future = promise->get_future();
  callAsync(
      database, name, std::move(argument),
      [promise](Outcome outcome) {
        if (outcome.error) {
          promise->set_exception(std::make_exception_ptr(*outcome.error));
        } else {
          promise->set_value(*std::move(outcome.answer));
        }
      },
      options);
  return future;
}

Answer App::call(const Database& database, std::string_view name, Argument argument,
                 const CallOptions& options) const {
  if (isOnWorker()) {
    throw publicError(ErrorCode::InvalidRequest,
                      "call() on a thread of the runtime would wait for itself; use callAsync()");
  }
  return callAsync(database, name, std::move(argument), options).get();
}

}  // namespace v0
}  // namespace schemascript

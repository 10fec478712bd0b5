// `schemascript serve`
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/units.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/served-app.h"
#include "cli/text.h"
#include "serve/env-file.h"
#include "serve/service.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// What the process is told from outside, by kill(1) and the keyboard. They are blocked in all
// threads, and taken by the one that asks.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  // 0: none came in time.
  int next(std::chrono::seconds timeMax) const noexcept {
    const timespec time{.tv_sec = timeMax.count(), .tv_nsec = 0};
    const int signal = sigtimedwait(&set_, nullptr, &time);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_{};
};

std::optional<fs::path> configurationFileOf(const ServeCommand& command) {
  if (command.configurationFile) return command.configurationFile;
  return tryFindConfiguration(command.configuration.app.value_or(fs::path()));
}

// The file's settings, and the options, which win.
Configuration configurationOf(const ServeCommand& command) {
  const std::optional<fs::path> file = configurationFileOf(command);
  Configuration configuration = command.configuration;
  if (file) configuration = merge(readConfiguration(*file), command.configuration);
  checkTogether(configuration);
  if (!configuration.app) {
    throw invalidRequest(
        "name the app to serve: schemascript serve FILE.ts, or \"app\" in schemascript.json");
  }
  return configuration;
}

std::optional<LogLines> logLines(const Configuration& configuration) {
  switch (configuration.log.value_or(LogForm::Automatic)) {
    case LogForm::Off:
      return std::nullopt;
    case LogForm::Json:
      return LogLines::Json;
    case LogForm::Text:
      return LogLines::Text;
    case LogForm::Automatic:
      break;
  }
  return isatty(STDOUT_FILENO) != 0 ? LogLines::Text : LogLines::Json;
}

// `http://127.0.0.1:8787`
std::string urlOf(const std::string& address, std::uint16_t port) {
  const bool isV6 = address.find(':') != std::string::npos;
  return str("http://", isV6 ? "[" : "", address, isV6 ? "]" : "", ":", port);
}

void say(std::string_view text) {
  writeToStandardError(str("schemascript: ", printable(text), '\n'));
}

// A server, from its settings to its end.
class Server {
 public:
  explicit Server(const ServeCommand& command)
      : command_(command),
        configuration_(merge(defaultConfiguration(), configurationOf(command))),
        serverLimits_(serverLimitsOf(configuration_)),
        limits_(serverLimits_.call),
        engine_(EngineFiles::in(libraryFolder().string())) {}

  // Null: it failed, and has said why.
  bool start() {
    BuiltApp built = build();
    if (!built.problem.empty()) {
      writeToStandardError(built.problem + (built.problem.ends_with('\n') ? "" : "\n"));
      return false;
    }
    bundle_ = built.bundle;
    if (const auto lines = logLines(configuration_)) {
      log_.emplace(STDOUT_FILENO, RequestLogOptions{.form = *lines});
    }
    service_.emplace(watchdog_, std::move(built.served), serviceOptions());
    startSchedules();
    if (configuration_.adminPort) {
      admin_.emplace(*service_,
                     HttpServerOptions{.address = address(), .port = *configuration_.adminPort});
    }
    service_->start();
    sayWhere();
    return true;
  }

  void untilItEnds(const Signals& signals) {
    constexpr std::chrono::seconds kTidyEvery{1};
    for (;;) {
      const int signal = signals.next(kTidyEvery);
      if (signal == SIGHUP) {
        reload();
      } else if (signal != 0) {
        return;
      } else if (Tenants* const tenants = service_->tenants()) {
        tenants->closeIdle();
      }
    }
  }

  // False when something had to be cut off.
  bool end(const Signals& signals) {
    if (schedules_) schedules_->pause();
    say(str("ending; requests that were begun have ", formatDuration(*configuration_.grace),
            ", and another signal ends them at once"));
    service_->stop(*configuration_.grace);
    bool isDone = false;
    std::atomic<bool> isOver = false;
    std::thread waits([&] {
      isDone = service_->wait();
      isOver = true;
    });
    while (!isOver) {
      if (signals.next(std::chrono::seconds(1)) != 0) service_->stop(std::chrono::milliseconds(0));
    }
    waits.join();
    if (schedules_) schedules_->stop();
    return isDone;
  }

 private:
  std::string address() const { return *configuration_.address; }

  BuiltApp build() {
    std::string environment;
    if (configuration_.envFile) environment = readEnvFile(*configuration_.envFile);
    return buildApp(engine_, watchdog_,
                    {.file = *configuration_.app,
                     .limits = limits_,
                     .environment = std::move(environment),
                     .log = [](LogStream, std::string_view text) { writeToStandardError(text); }});
  }

  ServiceOptions serviceOptions() {
    const Access access = *configuration_.readOnly ? Access::ReadOnly : Access::ReadWrite;
    ServiceOptions options{
        .http = {.address = address(), .port = *configuration_.port, .limits = serverLimits_.http},
        .workers = serverLimits_.workers,
        .isolation = *configuration_.isolation,
        .readOnly = *configuration_.readOnly,
        .boundValues =
            *configuration_.showValues ? BoundValueDisplay::Shown : BoundValueDisplay::Hidden,
        .traceSql = *configuration_.traceSql,
        .queueTimeMax = serverLimits_.queueTimeMax,
        .log = log_ ? &*log_ : nullptr};
    if (configuration_.tenants) {
      options.tenants = TenantsOptions{.folder = *configuration_.tenants,
                                       .database = {.access = access, .limits = limits_},
                                       .idleTimeMax = serverLimits_.tenantIdleTimeMax,
                                       .openMax = serverLimits_.openTenantsMax};
      if (configuration_.push.value_or(false)) {
        options.tenants->prepare = [this](ConnectionPool& database) { pushInto(database); };
      }
      options.tenantFrom = *configuration_.tenantFrom;
    } else {
      options.database = openDatabase(configuration_.db.value_or(fs::path()), access, limits_);
      if (configuration_.push.value_or(false)) pushInto(*options.database);
    }
    return options;
  }

  void pushInto(ConnectionPool& database) {
    pushTables(engine_, watchdog_, database, *bundle_, limits_);
  }

  void sayWhere() {
    say(str("serving ", configuration_.app->string(), " at ", urlOf(address(), service_->port())));
    if (admin_) say(str("metrics and health at ", urlOf(address(), admin_->port())));
    if (!configuration_.db && !configuration_.tenants) {
      say("the database is in memory, and ends with this server; --db FILE keeps it");
    }
  }

  void startSchedules() {
    std::vector<Schedule> schedules = configuration_.schedules.value_or(std::vector<Schedule>());
    if (*configuration_.readOnly) {
      if (!schedules.empty()) say("nothing is run on schedule, because of --read-only");
      return;
    }
    SchedulesOptions options = service_->schedulesOptions();
    options.schedules = std::move(schedules);
    schedules_.emplace(std::move(options));
    service_->showSchedules([this] { return schedules_->status(); });
    schedules_->start();
  }

  void reload() {
    try {
      BuiltApp built = build();
      if (built.problem.empty()) {
        service_->replace(std::move(built.served));
        if (schedules_) {
          schedules_->replace(
              configurationOf(command_).schedules.value_or(std::vector<Schedule>()));
        }
        say("reloaded");
        return;
      }
      writeToStandardError(built.problem + (built.problem.ends_with('\n') ? "" : "\n"));
    } catch (const Error& error) {
      say(error.message());
    }
    say("not reloaded; the app from before is served on");
  }

  const ServeCommand& command_;
  const Configuration configuration_;
  const ServerLimits serverLimits_;
  const Limits limits_;  // Of the app.
  const Engine engine_;
  Watchdog watchdog_;
  std::shared_ptr<const std::string> bundle_;  // That the server began with.
  std::optional<RequestLog> log_;
  std::optional<Service> service_;
  std::optional<Schedules> schedules_;  // Uses the service.
  std::optional<AdminServer> admin_;
};

}  // namespace

ExitCode serveCommand(const ServeCommand& command) {
  if (command.printConfiguration) {
    const std::optional<fs::path> file = configurationFileOf(command);
    const Configuration settings = file ? readConfiguration(*file) : Configuration();
    checkTogether(merge(settings, command.configuration));
    Output(STDOUT_FILENO)
        .write(printable(
            describeConfiguration(command.configuration, settings, file ? file->string() : "")));
    return ExitCode::Success;
  }
  const Signals signals;
  allowManyFiles();
  Server server(command);
  if (!server.start()) return ExitCode::Usage;
  server.untilItEnds(signals);
  const bool isDone = server.end(signals);
  if (!isDone) say("requests were cut off");
  return ExitCode::Success;
}

}  // namespace schemascript

#include "cli/server.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "base/units.h"
#include "cli/app.h"
#include "cli/output.h"
#include "cli/text.h"
#include "serve/env-file.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

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

std::string urlOf(const std::string& address, std::uint16_t port) {
  const bool isV6 = address.find(':') != std::string::npos;
  return str("http://", isV6 ? "[" : "", address, isV6 ? "]" : "", ":", port);
}

Access accessOf(const Configuration& configuration) {
  return *configuration.readOnly ? Access::ReadOnly : Access::ReadWrite;
}

}  // namespace

Signals::Signals() {
  sigemptyset(&set_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

int Signals::next(std::chrono::seconds timeMax) const noexcept {
  const timespec time{.tv_sec = timeMax.count(), .tv_nsec = 0};
  const int signal = sigtimedwait(&set_, nullptr, &time);
  return signal > 0 ? signal : 0;
}

std::optional<fs::path> configurationFileOf(const ServeCommand& command) {
  if (command.configurationFile) return command.configurationFile;
  return tryFindConfiguration(command.configuration.app.value_or(fs::path()));
}

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

void say(std::string_view text) {
  writeToStandardError(str("schemascript: ", printable(text), '\n'));
}

void sayProblem(const std::string& problem) {
  writeToStandardError(str(problem, problem.ends_with('\n') ? "" : "\n"));
}

Server::Server(ServerOptions options)
    : options_(std::move(options)),
      serverLimits_(serverLimitsOf(options_.configuration)),
      limits_(serverLimits_.call),
      engine_(EngineFiles::in(libraryFolder().string())) {
  const Configuration& configuration = options_.configuration;
  if (!configuration.tenants) {
    database_ =
        openDatabase(configuration.db.value_or(fs::path()), accessOf(configuration), limits_);
  }
}

BuiltApp Server::build() const {
  const Configuration& configuration = options_.configuration;
  std::string environment;
  if (configuration.envFile) environment = readEnvFile(*configuration.envFile);
  return buildApp(engine_, watchdog_,
                  {.file = *configuration.app,
                   .limits = limits_,
                   .environment = std::move(environment),
                   .log = [](LogStream, std::string_view text) { writeToStandardError(text); }});
}

PushResult Server::push(const std::string& bundle) const {
  SS_CHECK(database_ != nullptr, "one database");
  return pushTables(engine_, watchdog_, *database_, bundle, limits_);
}

ServiceOptions Server::serviceOptions() {
  const Configuration& configuration = options_.configuration;
  const bool isPushed = configuration.push.value_or(false);
  ServiceOptions options{
      .http = {.address = address(), .port = *configuration.port, .limits = serverLimits_.http},
      .workers = serverLimits_.workers,
      .isolation = *configuration.isolation,
      .readOnly = *configuration.readOnly,
      .boundValues =
          *configuration.showValues ? BoundValueDisplay::Shown : BoundValueDisplay::Hidden,
      .traceSql = *configuration.traceSql,
      .database = database_,
      .queueTimeMax = serverLimits_.queueTimeMax,
      .log = log_ ? &*log_ : nullptr};
  if (configuration.tenants) {
    options.tenants =
        TenantsOptions{.folder = *configuration.tenants,
                       .database = {.access = accessOf(configuration), .limits = limits_},
                       .idleTimeMax = serverLimits_.tenantIdleTimeMax,
                       .openMax = serverLimits_.openTenantsMax};
    if (isPushed) {
      options.tenants->prepare = [this](ConnectionPool& database) {
        pushTables(engine_, watchdog_, database, *bundle_, limits_);
      };
    }
    options.tenantFrom = *configuration.tenantFrom;
  } else if (isPushed) {
    push(*bundle_);
  }
  if (options_.extend) options_.extend(options);
  return options;
}

void Server::start(BuiltApp built) {
  const Configuration& configuration = options_.configuration;
  bundle_ = built.bundle;
  if (const auto lines = logLines(configuration)) {
    log_.emplace(STDOUT_FILENO, RequestLogOptions{.form = *lines});
  }
  startService(std::move(built));
  startSchedules();
  if (configuration.adminPort) {
    admin_.emplace(*service_,
                   HttpServerOptions{.address = address(), .port = *configuration.adminPort});
  }
  service_->start();
}

void Server::startService(BuiltApp built) {
  ServiceOptions options = serviceOptions();
  for (unsigned left = options_.portsToTry; !service_; ++options.http.port) {
    try {
      service_.emplace(watchdog_, built.served, options);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unavailable || --left == 0) throw;
    }
  }
}

void Server::startSchedules() {
  const Configuration& configuration = options_.configuration;
  std::vector<Schedule> schedules = configuration.schedules.value_or(std::vector<Schedule>());
  if (*configuration.readOnly) {
    if (!schedules.empty()) say("nothing is run on schedule, because of --read-only");
    return;
  }
  SchedulesOptions options = service_->schedulesOptions();
  options.schedules = std::move(schedules);
  schedules_.emplace(std::move(options));
  service_->showSchedules([this] { return schedules_->status(); });
  schedules_->start();
}

void Server::replace(BuiltApp built, std::vector<Schedule> schedules) {
  service_->replace(std::move(built.served));
  if (schedules_) schedules_->replace(std::move(schedules));
}

std::string Server::url() const { return urlOf(address(), service_->port()); }

void Server::sayWhere() const {
  const Configuration& configuration = options_.configuration;
  say(str("serving ", configuration.app->string(), " at ", url()));
  if (admin_) say(str("metrics and health at ", urlOf(address(), admin_->port())));
  if (!configuration.db && !configuration.tenants) {
    say("the database is in memory, and ends with this server; --db FILE keeps it");
  }
}

void Server::serveUntil(const Signals& signals, const std::function<void()>& reload) {
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

bool Server::end(const Signals& signals) {
  const std::chrono::milliseconds grace = *options_.configuration.grace;
  if (schedules_) schedules_->pause();
  say(str("ending; requests that were begun have ", formatDuration(grace),
          ", and another signal ends them at once"));
  service_->stop(grace);
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

}  // namespace schemascript

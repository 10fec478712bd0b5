#include "cli/server.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "base/units.h"
#include "cli/app.h"
#include "cli/declared.h"
#include "cli/migration-code.h"
#include "cli/output.h"
#include "cli/stop-on-signal.h"
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

// `http://127.0.0.1:8787`
std::string urlOf(const std::string& address, std::uint16_t port) {
  const bool isV6 = address.find(':') != std::string::npos;
  return str("http://", isV6 ? "[" : "", address, isV6 ? "]" : "", ":", port);
}

// The first of them.
std::string listOf(const std::vector<std::string>& names) {
  constexpr std::size_t kNamesMax = 10;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesMax); ++i) {
    list += str(i == 0 ? "" : ", ", names[i]);
  }
  return names.size() > kNamesMax ? str(list, " and ", names.size() - kNamesMax, " more") : list;
}

void append(PushResult& all, PushResult one, const std::string& tenant) {
  const auto move = [&tenant](std::vector<std::string>& from, std::vector<std::string>& to) {
    for (std::string& name : from)
      to.push_back(tenant.empty() ? std::move(name) : str(tenant, ": ", name));
  };
  move(one.created, all.created);
  move(one.unchanged, all.unchanged);
}

}  // namespace

Signals::Signals() {
  sigemptyset(&set_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

int Signals::next(std::chrono::milliseconds timeMax) const noexcept {
  const timespec time{.tv_sec = timeMax.count() / 1'000,
                      .tv_nsec = timeMax.count() % 1'000 * 1'000'000};
  const int signal = sigtimedwait(&set_, nullptr, &time);
  return signal > 0 ? signal : 0;
}

std::optional<fs::path> configurationFileOf(const Configuration& options,
                                            const std::optional<fs::path>& given) {
  return given ? given : tryFindConfiguration(options.app.value_or(fs::path()));
}

Configuration configurationOf(const Configuration& options, const std::optional<fs::path>& file,
                              std::string_view command) {
  Configuration configuration = options;
  if (file) configuration = merge(readConfiguration(*file), options);
  checkTogether(configuration);
  if (!configuration.app) {
    throw invalidRequest(str("name the app to serve: schemascript ", command,
                             " FILE.ts, or \"app\" in schemascript.json"));
  }
  return configuration;
}

void say(std::string_view text) {
  writeToStandardError(str("schemascript: ", printable(text), '\n'));
}

Server::Server(ServerOptions options)
    : options_(std::move(options)),
      serverLimits_(serverLimitsOf(options_.configuration)),
      limits_(serverLimits_.call),
      engine_(EngineFiles::in(libraryFolder().string())) {}

Server::~Server() = default;

BuiltApp Server::build(SnapshotUse snapshot) {
  std::string environment;
  if (configuration().envFile) environment = readEnvFile(*configuration().envFile);
  return buildApp(engine_, watchdog_,
                  {.file = *configuration().app,
                   .limits = limits_,
                   .environment = std::move(environment),
                   .log = [](LogStream, std::string_view text) { writeToStandardError(text); },
                   .words = options_.words,
                   .snapshot = snapshot});
}

void Server::open(BuiltApp built) {
  setBundle(std::move(built.bundle));
  if (const auto lines = logLines(configuration())) {
    log_.emplace(STDOUT_FILENO, RequestLogOptions{.form = *lines});
  }
  if (!configuration().tenants) {
    database_ = openDatabase(configuration().db.value_or(fs::path()), access(), limits_);
  }
  listen(std::move(built.served));
  if (configuration().adminPort) {
    admin_.emplace(*service_, HttpServerOptions{.address = *configuration().address,
                                                .port = *configuration().adminPort});
  }
}

std::shared_ptr<const std::string> Server::bundle() const {
  const std::lock_guard lock(mutex_);
  return bundle_;
}

void Server::setBundle(std::shared_ptr<const std::string> bundle) {
  const std::lock_guard lock(mutex_);
  bundle_.swap(bundle);
}

// At the first port that is free.
void Server::listen(ServedApp app) {
  for (unsigned i = 0;; ++i) {
    const auto port = static_cast<std::uint16_t>(*configuration().port + i);
    const bool isLast = i + 1 >= options_.portsToTry || port == 65'535;
    if (!isLast && port == configuration().adminPort) continue;
    try {
      service_.emplace(watchdog_, app, serviceOptions(port));
      return;
    } catch (const Error& error) {
      if (isLast || error.code() != ErrorCode::Unavailable) throw;
    }
  }
}

std::shared_ptr<const SchemaGuard> Server::currentGuard() const {
  const std::lock_guard lock(mutex_);
  return guard_;
}

void Server::guard(const BuiltApp& built) {
  if (pushes()) return;
  const Configuration& given = configuration();
  // What its code writes belongs to no request.
  MigrationCodeOptions code{.limits = limits_, .log = writeToStandardError};
  std::optional<StopOnSignal> stop;
  if (given.migrate.value_or(false)) stop.emplace();
  std::shared_ptr<const SchemaGuard> guard = std::make_shared<const SchemaGuard>(
      readDeclared(engine_, watchdog_, *built.bundle, limits_).schema,
      SchemaGuardOptions{
          .app = *given.app,
          .migrations = given.migrations.value_or(kMigrationsFolder),
          .migrates = given.migrate.value_or(false),
          .readOnly = *given.readOnly,
          .data = std::make_shared<MigrationCode>(engine_, watchdog_, std::move(code)),
          .stop = stop ? stop->token() : std::stop_token(),
          .say = say});
  if (given.tenants) {
    guardTenants(*guard);
  } else {
    guardFile(*guard);
  }
  const std::lock_guard lock(mutex_);
  guard_ = std::move(guard);
}

void Server::guardFile(const SchemaGuard& guard) const {
  const fs::path file = configuration().db.value_or(fs::path());
  std::error_code ignored;
  if (database_) {
    guard.check(*database_);
  } else if (file.empty() || !fs::exists(file, ignored)) {
    guard.checkNew(file);
  } else {
    guard.check(*openDatabase(file, access(), limits_));
  }
}

void Server::guardTenants(const SchemaGuard& guard) {
  // Before there is a service, with a look of our own.
  std::optional<Tenants> own;
  if (!service_) own.emplace(tenantsOptions());
  const Tenants& tenants = own ? *own : *service_->tenants();
  std::optional<Error> first;
  std::vector<std::string> others;
  for (const std::string& name : tenants.names()) {
    try {
      if (const auto database = tenants.tryVisit(name)) guard.check(*database);
    } catch (const Error& error) {
      const std::string message = str("tenant ", name, ": ", error.message());
      if (error.code() != ErrorCode::Conflict) {
        say(message);  // A broken file is no reason to leave the others alone.
        continue;
      }
      if (configuration().migrate.value_or(false)) throw Error(error.code(), message);
      if (first) {
        others.push_back(name);
      } else {
        first = Error(error.code(), message);
      }
    }
  }
  if (!first) return;
  if (others.empty()) throw *first;
  throw Error(first->code(), str(first->message(), "\nthe same goes for ", listOf(others)));
}

Access Server::access() const noexcept {
  return *configuration().readOnly ? Access::ReadOnly : Access::ReadWrite;
}

bool Server::pushes() const noexcept {
  return configuration().push.value_or(false) && !*configuration().readOnly;
}

ServiceOptions Server::serviceOptions(std::uint16_t port) {
  const Configuration& given = configuration();
  ServiceOptions options{
      .http = {.address = *given.address, .port = port, .limits = serverLimits_.http},
      .workers = serverLimits_.workers,
      .isolation = *given.isolation,
      .readOnly = *given.readOnly,
      .boundValues = *given.showValues ? BoundValueDisplay::Shown : BoundValueDisplay::Hidden,
      .traceSql = *given.traceSql,
      .database = database_,
      .queueTimeMax = serverLimits_.queueTimeMax,
      .log = log_ ? &*log_ : nullptr,
      .intercept = options_.intercept};
  if (!given.tenants) return options;
  options.tenants = tenantsOptions();
  options.tenantFrom = *given.tenantFrom;
  options.tenants->prepare = [this](ConnectionPool& database) {
    if (const auto guard = currentGuard()) guard->check(database);
    if (!pushes()) return;
    if (const auto current = bundle()) pushTables(engine_, watchdog_, database, *current, limits_);
  };
  return options;
}

TenantsOptions Server::tenantsOptions() const {
  return {.folder = *configuration().tenants,
          .database = {.access = access(), .limits = limits_},
          .idleTimeMax = serverLimits_.tenantIdleTimeMax,
          .openMax = serverLimits_.openTenantsMax};
}

PushResult Server::push(const BuiltApp& built) {
  PushResult all;
  if (!pushes()) return all;
  if (database_) return pushTables(engine_, watchdog_, *database_, *built.bundle, limits_);
  for (const std::string& name : service_->tenants()->names()) {
    try {
      // Visited, so that nothing is prepared with the tables of before.
      const auto database = service_->tenants()->tryVisit(name);
      if (!database) continue;  // It has gone meanwhile.
      append(all, pushTables(engine_, watchdog_, *database, *built.bundle, limits_), name);
    } catch (const Error& error) {
      throw Error(error.code(), str("tenant ", name, ": ", error.message()));
    }
  }
  return all;
}

void Server::start() {
  startSchedules();
  service_->start();
  sayWhere();
}

void Server::replace(BuiltApp built) {
  if (built.bundle) setBundle(std::move(built.bundle));
  service_->replace(std::move(built.served));
}

void Server::replaceSchedules(std::vector<Schedule> schedules) {
  if (schedules_) schedules_->replace(std::move(schedules));
}

void Server::untilItEnds(const Signals& signals, const std::function<void()>& reload) {
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
  if (schedules_) schedules_->pause();
  const std::chrono::milliseconds grace = *configuration().grace;
  say(str("ending; requests that were begun have ", formatDuration(grace),
          ", and another signal ends them at once"));
  service_->stop(grace);
  bool isDone = false;
  std::atomic<bool> isOver = false;
  std::thread waits([this, &isDone, &isOver] {
    isDone = service_->wait();
    isOver = true;
  });
  constexpr std::chrono::milliseconds kLookEvery{20};
  while (!isOver) {
    if (signals.next(kLookEvery) != 0) service_->stop(std::chrono::milliseconds(0));
  }
  waits.join();
  if (schedules_) schedules_->stop();
  return isDone;
}

void Server::flushLog() {
  if (log_) log_->flush();
}

void Server::startSchedules() {
  std::vector<Schedule> schedules = configuration().schedules.value_or(std::vector<Schedule>());
  if (*configuration().readOnly) {
    if (!schedules.empty()) say("nothing is run on schedule, because of --read-only");
    return;
  }
  SchedulesOptions options = service_->schedulesOptions();
  options.schedules = std::move(schedules);
  schedules_.emplace(std::move(options));
  service_->showSchedules([this] { return schedules_->status(); });
  schedules_->start();
}

void Server::sayWhere() const {
  const Configuration& given = configuration();
  const bool isMoved = *given.port != 0 && service_->port() != *given.port;
  say(str("serving ", given.app->string(), " at ", urlOf(*given.address, service_->port()),
          isMoved ? str(" (port ", *given.port, " is taken)") : ""));
  if (admin_) say(str("metrics and health at ", urlOf(*given.address, admin_->port())));
  if (!given.db && !given.tenants) {
    say("the database is in memory, and ends with this server; --db FILE keeps it");
  }
}

}  // namespace schemascript

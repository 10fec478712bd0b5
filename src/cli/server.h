// A server of an app as a process: what `serve` and `dev` have in common.
#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/schema-guard.h"
#include "cli/served-app.h"
#include "sandbox/engine.h"
#include "sandbox/watchdog.h"
#include "serve/configuration.h"
#include "serve/request-log.h"
#include "serve/schedules.h"
#include "serve/service.h"

namespace schemascript {

// What the process is told from outside, by kill(1) and the keyboard: SIGTERM, SIGINT and SIGHUP.
// They are blocked in all threads, and taken by the one that asks. To be made before any thread is.
class Signals {
 public:
  Signals();
  // 0: none came in time.
  int next(std::chrono::milliseconds timeMax) const noexcept;

 private:
  sigset_t set_{};
};

// The file that the settings are in, if there is one: the one that was given, or the one beside the
// app.
std::optional<std::filesystem::path> configurationFileOf(
    const Configuration& options, const std::optional<std::filesystem::path>& given);

// The file's settings, and the options, which win. `command` is named when there is no app. Throws
// InvalidRequest.
Configuration configurationOf(const Configuration& options,
                              const std::optional<std::filesystem::path>& file,
                              std::string_view command);

// A line of ours on standard error.
void say(std::string_view text);

struct ServerOptions {
  Configuration configuration{};  // Complete.
  ReportWords words = kServeWords;
  unsigned portsToTry = 1;  // The configuration's, and those behind it.
  // As ServiceOptions has it.
  std::function<bool(const std::shared_ptr<HttpExchange>& exchange)> intercept{};
};

// One app, its databases and its ports: open(), start(), end(), each once. The others may be called
// in between, and while end() waits, from any thread, but one of them at a time.
class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const Configuration& configuration() const noexcept { return options_.configuration; }

  // From the sources and the file of `env`, as they are now; at any time. Throws as buildApp() and
  // readEnvFile() do.
  BuiltApp build(SnapshotUse snapshot);

  // Opens the databases and listens, but serves nothing yet. Throws as they do, and Unavailable
  // where none of the ports is to be had.
  void open(BuiltApp built);
  // Holds the app's tables against the databases from now on: all that there are now, and those of
  // tenants when they are opened; and carries out migrations first where the configuration says so.
  // Nothing where push() makes the tables. Before open(), too: then no file is made for nothing.
  // SIGINT and SIGTERM end a migration. Throws as SchemaGuard does, of a tenant with its name, and
  // as readDeclared(); the guard from before holds then.
  void guard(const BuiltApp& built);
  // Creates the tables that the app declares: in the one database, or in each that the tenants have
  // now. Throws as pushTables() does; of a tenant, with its name.
  PushResult push(const BuiltApp& built);
  // Serves, and says where.
  void start();

  // For requests from now on, and for databases of tenants that are opened from now on.
  void replace(BuiltApp built);
  void replaceSchedules(std::vector<Schedule> schedules);

  // Returns with the signal that ends the server; `reload` is called at each SIGHUP.
  void untilItEnds(const Signals& signals, const std::function<void()>& reload);
  // Lets what was begun finish. False when something had to be cut off.
  bool end(const Signals& signals);

  // Writes what of the log waits. For who does not destroy this.
  void flushLog();

 private:
  bool pushes() const noexcept;
  ServiceOptions serviceOptions(std::uint16_t port);
  std::shared_ptr<const std::string> bundle() const;
  void setBundle(std::shared_ptr<const std::string> bundle);
  std::shared_ptr<const SchemaGuard> currentGuard() const;
  void guardFile(const SchemaGuard& guard) const;
  void guardTenants(const SchemaGuard& guard);
  TenantsOptions tenantsOptions() const;
  Access access() const noexcept;
  void listen(ServedApp app);
  void startSchedules();
  void sayWhere() const;

  const ServerOptions options_;
  const ServerLimits serverLimits_;
  const Limits limits_;  // Of the app.
  const Engine engine_;
  Watchdog watchdog_;
  mutable std::mutex mutex_;  // Guards what follows.
  // Whose tables the databases of tenants get when they are opened; null: of none. Shared with
  // those who open one just now.
  std::shared_ptr<const std::string> bundle_;
  // What those databases are held against; null: nothing.
  std::shared_ptr<const SchemaGuard> guard_;

  std::shared_ptr<ConnectionPool> database_;  // Null: there are tenants.
  std::optional<RequestLog> log_;
  std::optional<Service> service_;
  std::optional<Schedules> schedules_;  // Uses the service.
  std::optional<AdminServer> admin_;
};

}  // namespace schemascript

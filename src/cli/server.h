// A server of an app, from its settings to its end: what `serve` and `dev` have in common.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command-line.h"
#include "cli/served-app.h"
#include "serve/configuration.h"
#include "serve/service.h"

namespace schemascript {

// What the process is told from outside, by kill(1) and the keyboard. They are blocked in all
// threads that are made from now on, and taken by the one that asks.
class Signals {
 public:
  Signals();

  // 0: none came in time.
  int next(std::chrono::seconds timeMax) const noexcept;

 private:
  sigset_t set_{};
};

// The file that the command names, or the one beside the app.
std::optional<std::filesystem::path> configurationFileOf(const ServeCommand& command);
// The file's settings, and the options, which win. Without the defaults. Throws InvalidRequest,
// also when no app is named.
Configuration configurationOf(const ServeCommand& command);

// A line on standard error, with the program's name.
void say(std::string_view text);
// Of many lines, which have been made fit for a terminal.
void sayProblem(const std::string& problem);

struct ServerOptions {
  Configuration configuration;  // With its defaults.
  // How many ports are tried, from the one in the settings on.
  unsigned portsToTry = 1;
  // What else the service does.
  std::function<void(ServiceOptions& options)> extend{};
};

// Used by one thread, but for build() and replace(), which another one may call, one at a time.
class Server {
 public:
  // Opens the database. Throws InvalidRequest and Unavailable.
  explicit Server(ServerOptions options);

  // From sources to what can be served. Throws what buildApp() does, and InvalidRequest for an
  // environment file that is none.
  BuiltApp build() const;
  // Creates in the one database what the app declares and it lacks. As pushTables().
  PushResult push(const std::string& bundle) const;

  // Serves `built`, which may be without an app. Throws Unavailable when no port is to be had.
  void start(BuiltApp built);
  // For the requests from now on.
  void replace(BuiltApp built, std::vector<Schedule> schedules);

  // `http://127.0.0.1:8787`, once it was started.
  std::string url() const;
  // Says where it serves what.
  void sayWhere() const;

  // Until a signal says so. `reload` is called for SIGHUP.
  void serveUntil(const Signals& signals, const std::function<void()>& reload);
  // Lets requests finish, for the grace at most. False when something had to be cut off.
  bool end(const Signals& signals);

 private:
  std::string address() const { return *options_.configuration.address; }
  ServiceOptions serviceOptions();
  void startService(BuiltApp built);
  void startSchedules();

  const ServerOptions options_;
  const ServerLimits serverLimits_;
  const Limits limits_;  // Of the app.
  const Engine engine_;
  mutable Watchdog watchdog_;
  std::shared_ptr<ConnectionPool> database_;   // Null with tenants.
  std::shared_ptr<const std::string> bundle_;  // That the server began with.
  std::optional<RequestLog> log_;
  std::optional<Service> service_;
  std::optional<Schedules> schedules_;  // Uses the service.
  std::optional<AdminServer> admin_;
};

}  // namespace schemascript

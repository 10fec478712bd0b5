// What `serve` and `dev` give their service: an app, built from its sources.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bundle.h"
#include "migrate/push.h"
#include "runtime/app.h"
#include "serve/service.h"

namespace schemascript {

// Loads an app, with its snapshot from the cache or into it. Throws as App::load().
App::Loaded loadThroughCache(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                             AppOptions options);

struct BuiltApp {
  // Why there is no app, for people. Not empty: `served.app` is null.
  std::string problem{};
  ServedApp served{};
  std::shared_ptr<const std::string> bundle{};
  // Of which the bundle was made: absolute. Empty where there is none.
  std::vector<std::string> files{};
};

struct BuildOptions {
  std::filesystem::path file;
  Limits limits{};
  std::string environment{};  // As AppOptions has it.
  LogSink log{};              // Of module scope, in source positions.
};

// From sources to what can be served. Throws InvalidRequest for a file that cannot be read, and
// Unavailable. Any thread.
BuiltApp buildApp(const Engine& engine, Watchdog& watchdog, BuildOptions options);

// Creates in `database` what the app declares and it lacks. Throws as push() does, and
// InvalidRequest when the app fails where it is read for its tables.
PushResult pushTables(const Engine& engine, Watchdog& watchdog, ConnectionPool& database,
                      std::string_view bundle, const Limits& limits);

}  // namespace schemascript

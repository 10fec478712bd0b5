// What `serve` and `dev` give their service: an app, built from its sources.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/bundle.h"
#include "cli/error-report.h"
#include "migrate/push.h"
#include "runtime/app.h"
#include "runtime/run.h"
#include "serve/service.h"

namespace schemascript {

// Loads an app, with its snapshot from the cache or into it. Throws as App::load().
App::Loaded loadThroughCache(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                             AppOptions options);

struct BuiltApp {
  enum class Missing : std::uint8_t { Nothing, Bundle, App };
  // What there is not, because of the sources: a bundle, or an app that could be loaded from it.
  Missing missing = Missing::Nothing;
  // Why, for people: ready for a terminal, ending with a newline; and one by one.
  std::string problem{};
  std::vector<Problem> problems{};
  ServedApp served{};  // Without an app if there is none.
  std::shared_ptr<const std::string> bundle{};
  std::string fingerprint{};         // Another one for another bundle, source map or environment.
  std::vector<std::string> files{};  // As Bundle has them.
  // What `served.describe` says, in parts. Any thread.
  std::function<Problem(const CallReport& report)> problemOf{};
};

// Whether an app's snapshot is looked for in the cache, and kept there. Of an app that is being
// written, each version would have one of some MB, for which others had to go.
enum class SnapshotUse : std::uint8_t { Cached, Own };

struct BuildOptions {
  std::filesystem::path file;
  Limits limits{};
  std::string environment{};  // As AppOptions has it.
  LogSink log{};              // Of module scope, in source positions.
  ReportWords words = kServeWords;
  SnapshotUse snapshot = SnapshotUse::Cached;
};

// From sources to what can be served. Throws InvalidRequest for a file that cannot be read, and
// Unavailable. Any thread.
BuiltApp buildApp(const Engine& engine, Watchdog& watchdog, BuildOptions options);

// What reading an app for its tables, and creating them, came to.
struct TablesPush {
  RunReport report{};
  PushResult result{};
  // Why the push failed, in the host's own words; the app threw then.
  std::optional<Error> failure{};
};

// Creates in `database` what the app declares and it lacks. The app is evaluated once more, without
// a word; `trace` is told of the SQL. Throws as run() does, but not for what the app or the push
// does.
TablesPush tryPushTables(const Engine& engine, Watchdog& watchdog, ConnectionPool& database,
                         std::string_view bundle, const Limits& limits, StatementSink trace = {});

// The same. Throws as push() does, and InvalidRequest when the app fails where it is read for its
// tables.
PushResult pushTables(const Engine& engine, Watchdog& watchdog, ConnectionPool& database,
                      std::string_view bundle, const Limits& limits);

}  // namespace schemascript

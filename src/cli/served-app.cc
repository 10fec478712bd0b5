#include "cli/served-app.h"

#include <mutex>
#include <system_error>
#include <utility>

#include "base/hash.h"
#include "cli/app.h"
#include "cli/cache-files.h"
#include "cli/error-report.h"
#include "cli/source-map.h"
#include "cli/text.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// Of all snapshots in the cache. One takes some 3 to 7 MB.
constexpr std::uint64_t kSnapshotsBytesMax = 256ull << 20;

// Empty when there is no place for it.
fs::path snapshotFile(const Engine& engine, std::string_view bundle, const AppOptions& options) {
  const fs::path cache = tryCacheFolder();
  if (cache.empty()) return {};
  const fs::path folder = cache / kSnapshots.folder;
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) return {};
  return folder / (App::inputsOf(engine, bundle, options) + std::string(kSnapshots.extension));
}

// A source map for several threads.
class SharedSourceMap {
 public:
  SharedSourceMap(SourceMapText text, const Limits& limits, const ReportWords& words)
      : limits_(limits), words_(words), map_(std::move(text)) {}

  std::string readable(std::string_view text) {
    if (!SourceMap::mentionsBundle(text)) return std::string(text);
    const std::lock_guard lock(mutex_);
    return map_.mapPositions(text);
  }

  // For a log, without colours and without a newline at the end.
  std::string describe(const RunReport& report) {
    const std::lock_guard lock(mutex_);
    std::string text = renderReport(report, limits_, map_, Paint(Colours::Off), words_);
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }

  Problem problemOf(const RunReport& report) {
    const std::lock_guard lock(mutex_);
    return schemascript::problemOf(report, limits_, map_, words_);
  }

 private:
  const Limits limits_;
  const ReportWords words_;
  std::mutex mutex_;
  SourceMap map_;
};

std::string fingerprintOf(const Bundle& bundle, std::string_view environment) {
  Hasher hasher;
  hasher.add(bundle.code);
  hasher.add(bundle.map.mappings);
  for (const std::string& source : bundle.map.sources) hasher.add(source);
  hasher.add(environment);
  return hasher.hex();
}

RunReport reportOf(CallEnd end, ErrorDescription error, std::size_t rolledBack = 0) {
  RunReport report;
  report.end = end;
  report.error = std::move(error);
  report.rolledBack = rolledBack;
  return report;
}

}  // namespace

App::Loaded loadThroughCache(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                             AppOptions options) {
  options.snapshotFile = snapshotFile(engine, bundle, options);
  const fs::path kept = options.snapshotFile;
  App::Loaded loaded = App::load(engine, watchdog, bundle, std::move(options));
  if (loaded.app && !loaded.fromFile && !kept.empty()) trimAround(kept, kSnapshotsBytesMax);
  return loaded;
}

BuiltApp buildApp(const Engine& engine, Watchdog& watchdog, BuildOptions options) {
  BuiltApp built;
  Bundle bundle = bundleSource(options.file);
  built.files = std::move(bundle.files);
  if (!bundle.complaints.empty()) {
    built.missing = BuiltApp::Missing::Bundle;
    built.problem = std::move(bundle.complaints);
    built.problems = std::move(bundle.problems);
    return built;
  }
  built.fingerprint = fingerprintOf(bundle, options.environment);
  const auto map =
      std::make_shared<SharedSourceMap>(std::move(bundle.map), options.limits, options.words);
  const LogSink log = [map, log = std::move(options.log)](LogStream stream, std::string_view text) {
    if (log) log(stream, map->readable(text));
  };
  AppOptions app{.limits = options.limits, .environment = options.environment, .log = log};
  App::Loaded loaded = options.snapshot == SnapshotUse::Cached
                           ? loadThroughCache(engine, watchdog, bundle.code, std::move(app))
                           : App::load(engine, watchdog, bundle.code, std::move(app));
  if (!loaded.app) {
    const RunReport report = reportOf(loaded.end, std::move(loaded.error));
    built.missing = BuiltApp::Missing::App;
    built.problem = map->describe(report) + '\n';
    built.problems.push_back(map->problemOf(report));
    return built;
  }
  built.bundle = std::make_shared<const std::string>(std::move(bundle.code));
  built.served.app = std::move(loaded.app);
  built.served.readable = [map](std::string_view text) { return map->readable(text); };
  built.served.describe = [map](const CallReport& report) {
    return map->describe(reportOf(report.end, report.error, report.rolledBack));
  };
  built.problemOf = [map](const CallReport& report) {
    return map->problemOf(reportOf(report.end, report.error, report.rolledBack));
  };
  return built;
}

TablesPush tryPushTables(const Engine& engine, Watchdog& watchdog, ConnectionPool& database,
                         std::string_view bundle, const Limits& limits, StatementSink trace) {
  TablesPush pushed;
  const auto pushAndRemember = [&pushed](Database& target, std::string_view desiredSql) {
    try {
      return pushed.result = push(target, desiredSql);
    } catch (const Error& error) {
      pushed.failure = error;
      throw;
    }
  };
  pushed.report = run(engine, watchdog, database, bundle,
                      {.limits = limits,
                       .arguments = {},
                       .push = PushWhen::AtEnd,
                       .pusher = pushAndRemember,
                       .trace = std::move(trace),
                       .log = [](LogStream, std::string_view) {}});
  return pushed;
}

PushResult pushTables(const Engine& engine, Watchdog& watchdog, ConnectionPool& database,
                      std::string_view bundle, const Limits& limits) {
  TablesPush pushed = tryPushTables(engine, watchdog, database, bundle, limits);
  if (pushed.failure) throw *pushed.failure;
  if (pushed.report.end != CallEnd::Answered) {
    const std::string& message = pushed.report.error.message;
    throw invalidRequest(str("the tables cannot be read from the app: ",
                             message.empty() ? "it was stopped by a limit" : message));
  }
  return std::move(pushed.result);
}

}  // namespace schemascript

#include "cli/served-app.h"

#include <mutex>
#include <system_error>
#include <utility>

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
  SharedSourceMap(SourceMapText text, const Limits& limits)
      : limits_(limits), map_(std::move(text)) {}

  std::string readable(std::string_view text) {
    if (!SourceMap::mentionsBundle(text)) return std::string(text);
    const std::lock_guard lock(mutex_);
    return map_.mapPositions(text);
  }

  std::string describe(CallEnd end, ErrorDescription error, std::size_t rolledBack) {
    RunReport report;
    report.end = end;
    report.error = std::move(error);
    report.rolledBack = rolledBack;
    const std::lock_guard lock(mutex_);
    std::string text =
        renderReport(report, limits_, map_, Paint(Colours::Off), LimitOptions::OfServers);
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }

 private:
  const Limits limits_;
  std::mutex mutex_;
  SourceMap map_;
};

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
  if (!bundle.complaints.empty()) {
    built.problem = std::move(bundle.complaints);
    return built;
  }
  built.files = std::move(bundle.files);
  const auto map = std::make_shared<SharedSourceMap>(std::move(bundle.map), options.limits);
  const LogSink log = [map, log = std::move(options.log)](LogStream stream, std::string_view text) {
    if (log) log(stream, map->readable(text));
  };
  App::Loaded loaded =
      loadThroughCache(engine, watchdog, bundle.code,
                       {.limits = options.limits, .environment = options.environment, .log = log});
  if (!loaded.app) {
    built.problem = map->describe(loaded.end, std::move(loaded.error), 0);
    return built;
  }
  built.bundle = std::make_shared<const std::string>(std::move(bundle.code));
  built.served.app = std::move(loaded.app);
  built.served.readable = [map](std::string_view text) { return map->readable(text); };
  built.served.describe = [map](const CallReport& report) {
    return map->describe(report.end, report.error, report.rolledBack);
  };
  return built;
}

PushResult pushTables(const Engine& engine, Watchdog& watchdog, ConnectionPool& database,
                      std::string_view bundle, const Limits& limits) {
  PushResult result;
  std::optional<Error> failure;
  const auto pushAndRemember = [&](Database& target, std::string_view desiredSql) {
    try {
      result = push(target, desiredSql);
      return result;
    } catch (const Error& error) {
      failure = error;
      throw;
    }
  };
  const RunReport report = run(engine, watchdog, database, bundle,
                               {.limits = limits,
                                .arguments = {},
                                .push = PushWhen::AtEnd,
                                .pusher = pushAndRemember,
                                .log = [](LogStream, std::string_view) {}});
  if (failure) throw *failure;
  if (report.end != CallEnd::Answered) {
    throw invalidRequest(
        str("the tables cannot be read from the app: ",
            report.error.message.empty() ? "it was stopped by a limit" : report.error.message));
  }
  return result;
}

}  // namespace schemascript

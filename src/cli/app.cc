// Opens everything that a run needs, in the order in which the user can have got it wrong.
#include "cli/app.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "cli/cache-files.h"
#include "cli/error-report.h"
#include "cli/output.h"
#include "migrate/push.h"
#include "sandbox/engine.h"
#include "sandbox/watchdog.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

void checkSource(const fs::path& file) {
  // O_NONBLOCK: a pipe without a writer must not keep us.
  const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor.isOpen() && errno == ENOENT)
    throw invalidRequest(str("there is no file ", file.string()));
  struct stat status{};
  if (!descriptor.isOpen() || ::fstat(descriptor.get(), &status) != 0) {
    throw invalidRequest(
        str("cannot read ", file.string(), ": ", std::generic_category().message(errno)));
  }
  if (S_ISDIR(status.st_mode)) {
    throw invalidRequest(str(file.string(), " is a folder; name a file in it"));
  }
  if (!S_ISREG(status.st_mode))
    throw invalidRequest(str(file.string(), " is not an ordinary file"));
}

}  // namespace

fs::path libraryFolder() {
  std::error_code failure;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure);
  if (failure) throw unavailable(str("cannot find this program's own files: ", failure.message()));
  return program.parent_path().parent_path() / "lib" / "schemascript";
}

Bundle bundleSource(const fs::path& file) {
  checkSource(file);
  const fs::path cache = tryCacheFolder();
  return bundleApp(file, {.esbuild = libraryFolder() / "esbuild",
                          .cacheFolder = cache.empty() ? fs::path() : cache / kBundles.folder});
}

std::unique_ptr<ConnectionPool> openDatabase(const fs::path& file, Access access, Limits limits) {
  // Whoever gives a script a second does not want to wait five for a lock.
  limits.busyTimeMax = std::min(limits.busyTimeMax, limits.runTimeMax);
  try {
    return std::make_unique<ConnectionPool>(
        DatabaseOptions{.file = file, .access = access, .limits = limits});
  } catch (const Error& error) {
    std::error_code ignored;
    // Here it is not the command line that is wrong, but what the file holds.
    if (error.code() == ErrorCode::InvalidRequest && fs::is_regular_file(file, ignored)) {
      throw unavailable(error.message());
    }
    throw;
  }
}

AppEnd runApp(ScriptOptions options) {
  Bundle bundle = bundleSource(options.file);
  AppEnd end{std::move(bundle.complaints), {}, {}, {}, SourceMap(std::move(bundle.map)), {}, {}};
  if (!end.complaints.empty()) return end;

  const auto database = openDatabase(
      options.database, options.readOnly ? Access::ReadOnly : Access::ReadWrite, options.limits);
  const Engine engine(EngineFiles::in(libraryFolder().string()));
  Watchdog watchdog;
  const auto pushAndRemember = [&end](Database& target, std::string_view desiredSql) {
    try {
      return end.pushed = push(target, desiredSql);
    } catch (const Error& error) {
      end.pushFailure = error;
      throw;
    }
  };
  const auto log = [&end, &options](LogStream stream, std::string_view text) {
    if (SourceMap::mentionsBundle(text)) return options.log(stream, end.map.mapPositions(text));
    options.log(stream, text);
  };
  const auto begin = std::chrono::steady_clock::now();
  end.report = run(engine, watchdog, *database, bundle.code,
                   {.limits = options.limits,
                    .arguments = std::move(options.arguments),
                    .push = options.push,
                    .pusher = pushAndRemember,
                    .readOnly = options.readOnly,
                    .capabilities = options.capabilities,
                    .boundValues = options.boundValues,
                    .trace = options.trace,
                    .emit = options.emit,
                    .log = log});
  end.took = std::chrono::steady_clock::now() - begin;
  end.statements = database->counters().statements;
  return end;
}

ExitCode reportEnd(AppEnd& end, const Limits& limits) {
  if (!end.complaints.empty()) {
    writeToStandardError(end.complaints);
    return ExitCode::Usage;
  }
  const Paint paint(coloursFor(STDERR_FILENO));
  writeToStandardError(renderReport(end.report, limits, end.map, paint));
  return exitCodeOf(end.report.end);
}

}  // namespace schemascript

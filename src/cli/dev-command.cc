// `schemascript dev`: a server that follows its sources.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/newest-build.h"
#include "cli/output.h"
#include "cli/server.h"
#include "cli/text.h"
#include "serve/watcher.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// From the default one on, where another server may be listening.
constexpr unsigned kPortsToTry = 20;
constexpr std::chrono::seconds kGrace{2};

// `.schemascript/dev.db` beside the app, in a folder that Git leaves alone.
fs::path developmentDatabase(const fs::path& app) {
  const fs::path folder = fs::absolute(app).parent_path() / ".schemascript";
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) {
    throw unavailable(str("cannot make ", folder.string(), " for the development database: ",
                          failure.message(), "; name another place: --db FILE"));
  }
  if (const fs::path ignored = folder / ".gitignore"; !fs::exists(ignored)) {
    std::ofstream(ignored) << "*\n";
  }
  return folder / "dev.db";
}

// The settings of the app's server, but for what is the business of where it runs for others: its
// databases, and its port for operators.
Configuration developmentSettings(const DevCommand& command) {
  const Configuration& options = command.serve.configuration;
  Configuration settings = configurationOf(command.serve);
  settings.tenants.reset();
  settings.tenantFrom.reset();
  settings.push.reset();
  settings.db = options.db ? *options.db : developmentDatabase(*settings.app);
  settings.adminPort = options.adminPort;
  settings.log = settings.log.value_or(LogForm::Text);
  settings.grace = options.grace.value_or(kGrace);
  return settings;
}

bool isSource(const fs::path& path) {
  if (path.filename().string().starts_with('.')) return false;
  static constexpr std::string_view kExtensions[] = {".ts",  ".mts", ".cts", ".tsx", ".js",
                                                     ".mjs", ".cjs", ".jsx", ".json"};
  const std::string extension = path.extension().string();
  return std::ranges::find(kExtensions, extension) != std::end(kExtensions);
}

// In which a file may be that an import was in vain for.
bool isFolder(const fs::path& path) {
  std::error_code failure;
  return !path.filename().string().starts_with('.') && fs::is_directory(path, failure);
}

bool isOfPackage(const fs::path& path) {
  return std::ranges::find(path, fs::path("node_modules")) != path.end();
}

// `table notes, column users.name`
std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += str(list.empty() ? "" : ", ", name);
  return list;
}

// From the first build to the last.
class Development {
 public:
  explicit Development(const DevCommand& command)
      : command_(command),
        settings_(developmentSettings(command)),
        server_({.configuration = merge(defaultConfiguration(), settings_),
                 .portsToTry = settings_.port ? 1 : kPortsToTry,
                 .extend = [this](ServiceOptions& options) { extend(options); }}),
        watcher_([this](const Watcher::Paths& paths) { changed(paths); }) {}

  void begin() {
    const std::lock_guard lock(mutex_);
    BuiltApp built = build();
    const std::vector<std::string> created = pushInto(built);
    const std::string problem = built.problem;
    server_.start(std::move(built));
    say(str("serving ", settings_.app->string(), " at ", server_.url(), ", with ",
            displayOf(*settings_.db)));
    if (!created.empty()) say(str("created ", listed(created)));
    tell(problem);
  }

  void serveUntil(const Signals& signals) {
    server_.serveUntil(signals, [this] { reload(); });
  }

  void end(const Signals& signals) {
    newest_.end();
    if (!server_.end(signals)) say("requests were cut off");
  }

 private:
  void extend(ServiceOptions& options) {
    options.intercept = [this](const std::shared_ptr<HttpExchange>& exchange) {
      return newest_.tryAnswer(exchange);
    };
    options.failurePage = [this](const HttpRequest& request, int status, std::string_view why) {
      return newest_.answerFailure(request, status, why);
    };
  }

  static std::string displayOf(const fs::path& path) {
    std::error_code failure;
    const fs::path relative = fs::proximate(path, failure);
    const bool isBelow = !failure && !relative.empty() && *relative.begin() != "..";
    return (isBelow ? relative : path).string();
  }

  void changed(const Watcher::Paths& paths) {
    const auto counts = [this](const fs::path& path) {
      return isSource(path) || isSetting(path) || (newest_.hasProblem() && isFolder(path));
    };
    if (std::ranges::any_of(paths, counts)) reload();
  }

  bool isSetting(const fs::path& path) const {
    return path == settings_.envFile || path == configurationFileOf(command_.serve);
  }

  void reload() {
    const std::lock_guard lock(mutex_);
    const auto begin = Clock::now();
    BuiltApp built = build();
    const std::vector<std::string> created = pushInto(built);
    std::string problem = built.problem;
    std::vector<Schedule> schedules;
    try {
      schedules = configurationOf(command_.serve).schedules.value_or(schedules);
    } catch (const Error& error) {
      if (problem.empty()) problem = error.message();
    }
    if (!problem.empty()) built.served = {};
    server_.replace(std::move(built), std::move(schedules));
    if (problem.empty()) {
      const auto time = std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - begin);
      say(str("reloaded in ", time.count(), " ms",
              created.empty() ? "" : str(" (created ", listed(created), ")")));
    }
    tell(problem);
  }

  void tell(const std::string& problem) {
    if (!problem.empty()) {
      sayProblem(problem);
      say("waiting for a change");
    }
    newest_.set(problem);
  }

  // As often as it takes: until no file has changed since the build that is answered began.
  BuiltApp build() {
    for (;;) {
      const auto begin = fs::file_time_type::clock::now();
      BuiltApp built;
      try {
        built = server_.build();
      } catch (const Error& error) {
        built.problem = error.message();
      }
      watch(built.files);
      if (!hasChangedSince(begin)) return built;
    }
  }

  // Those of the last good build, as long as there is no newer one; and where a file may come to be
  // that is missing now.
  void watch(const std::vector<std::string>& files) {
    if (!files.empty()) files_ = {files.begin(), files.end()};
    files_.insert(fs::absolute(*settings_.app));
    Watcher::Paths watched = files_;
    if (settings_.envFile) watched.insert(*settings_.envFile);
    if (const auto file = configurationFileOf(command_.serve)) watched.insert(*file);
    Watcher::Paths folders;
    for (const fs::path& file : files_) {
      if (!isOfPackage(file)) folders.insert(file.parent_path());
    }
    watcher_.watch(std::move(watched), std::move(folders));
  }

  bool hasChangedSince(fs::file_time_type begin) const {
    return std::ranges::any_of(files_, [begin](const fs::path& file) {
      std::error_code failure;
      const auto time = fs::last_write_time(file, failure);
      return !failure && time > begin;
    });
  }

  // What was created. What push refuses is the build's problem.
  std::vector<std::string> pushInto(BuiltApp& built) {
    if (!built.problem.empty() || settings_.readOnly.value_or(false)) return {};
    try {
      return server_.push(*built.bundle).created;
    } catch (const Error& error) {
      built.problem = error.message();
      if (error.code() == ErrorCode::Conflict) {
        built.problem += str(
            "\n\nTables, indexes and columns that rows do without are added by themselves. For all "
            "else, change the schema back, or begin with an empty database: end dev, remove ",
            displayOf(*settings_.db), ", and start it again.");
      }
      built.problem = printable(built.problem);
      built.served = {};
      return {};
    }
  }

  const DevCommand& command_;
  const Configuration settings_;
  NewestBuild newest_;
  std::mutex mutex_;  // One build at a time. Guards files_.
  Watcher::Paths files_;
  Server server_;
  Watcher watcher_;  // The last: its thread uses all of the above.
};

}  // namespace

ExitCode devCommand(const DevCommand& command) {
  const Signals signals;
  allowManyFiles();
  Development development(command);
  development.begin();
  development.serveUntil(signals);
  development.end(signals);
  return ExitCode::Success;
}

}  // namespace schemascript

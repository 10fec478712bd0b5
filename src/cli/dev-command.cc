// `schemascript dev`: a server whose app is built anew whenever its sources change.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/server.h"
#include "cli/text.h"
#include "serve/error-page.h"
#include "serve/live-reload.h"
#include "serve/local-host.h"
#include "serve/watcher.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kCommand = "dev";
constexpr unsigned kPortsToTry = 20;
// A developer waits for the end of it; nobody's requests are lost.
constexpr std::chrono::seconds kGrace{3};
// Of folders that are watched for the file that a broken build lacks.
constexpr std::size_t kFoldersMax = 200;

std::optional<fs::path> fileOf(const DevCommand& command) {
  return configurationFileOf(command.configuration, command.configurationFile);
}

// Where the file is, or would be.
fs::path placeOfSettings(const DevCommand& command, const fs::path& app) {
  const auto file = fileOf(command);
  return file ? *file : app.parent_path() / kConfigurationFile;
}

// `.schemascript/dev.db` beside the app, in a folder that git does not see.
fs::path makeDatabaseFolder(const fs::path& app) {
  const fs::path folder = app.parent_path() / ".schemascript";
  try {
    fs::create_directories(folder);
    if (!fs::exists(folder / ".gitignore")) writeFileAtomically(folder / ".gitignore", "*\n");
  } catch (const fs::filesystem_error& error) {
    throw unavailable(str("cannot make ", folder.string(), " for the development database: ",
                          error.code().message(), "; name another one with --db FILE"));
  }
  return folder / "dev.db";
}

Configuration completeConfiguration(const DevCommand& command) {
  const Configuration given = configurationOf(command.configuration, fileOf(command), kCommand);
  Configuration defaults = defaultConfiguration();
  defaults.push = true;
  defaults.log = LogForm::Text;
  defaults.grace = kGrace;
  // Those of the apps before are of no use any more; each app takes some MB.
  setLimit(defaults, "isolateIdleTimeMax", "5s");
  std::error_code ignored;
  // What is not there at the start is more likely mistyped than not written yet.
  if (!fs::exists(*given.app, ignored)) {
    throw invalidRequest(str("there is no file ", given.app->string()));
  }
  if (!given.db && !given.tenants) defaults.db = makeDatabaseFolder(*given.app);
  return merge(std::move(defaults), given);
}

bool hasFixedPort(const DevCommand& command) {
  return configurationOf(command.configuration, fileOf(command), kCommand).port.has_value();
}

// The names of the settings whose values differ. Both texts are describeConfiguration()'s.
std::vector<std::string> changedNames(std::string_view before, std::string_view now) {
  const auto linesOf = [](std::string_view text) {
    std::set<std::string> lines;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1);
      lines.emplace(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    return lines;
  };
  const std::set<std::string> one = linesOf(before);
  const std::set<std::string> other = linesOf(now);
  std::vector<std::string> different;
  std::ranges::set_symmetric_difference(one, other, std::back_inserter(different));
  std::set<std::string> names;
  for (const std::string& line : different) names.insert(line.substr(0, line.find(' ')));
  names.erase("schedules");
  return {names.begin(), names.end()};
}

// The first of them; a line is to stay one.
std::string joined(const std::vector<std::string>& words) {
  constexpr std::size_t kWordsMax = 5;
  std::string all;
  for (std::size_t i = 0; i < std::min(words.size(), kWordsMax); ++i) {
    all += str(i == 0 ? "" : ", ", words[i]);
  }
  return words.size() > kWordsMax ? str(all, " and ", words.size() - kWordsMax, " more") : all;
}

// In nanoseconds since 1970, by the clock that file systems stamp files with.
std::int64_t fileClock() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Written, or renamed to this.
bool changedSince(const fs::path& file, std::int64_t begin) noexcept {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return false;
  return status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec >= begin;
}

// Whether a build can depend on it: a source, settings, or by its name perhaps a folder.
bool mayMatter(const fs::path& path) {
  constexpr std::array<std::string_view, 10> kExtensions{"",    ".ts",  ".tsx", ".mts", ".cts",
                                                         ".js", ".jsx", ".mjs", ".cjs", ".json"};
  const std::string name = path.filename().string();
  return !name.starts_with('.') &&
         std::ranges::find(kExtensions, path.extension().string()) != kExtensions.end();
}

// `top` and what is below it, but for packages and what is hidden.
Watcher::Paths foldersBelow(const fs::path& top) {
  Watcher::Paths folders{top.empty() ? "." : top};
  std::error_code failure;
  fs::recursive_directory_iterator at(folders.begin()->native(),
                                      fs::directory_options::skip_permission_denied, failure);
  for (; !failure && at != fs::end(at) && folders.size() < kFoldersMax; at.increment(failure)) {
    std::error_code ignored;
    if (!at->is_directory(ignored)) continue;
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || name == "node_modules") {
      at.disable_recursion_pending();
    } else {
      folders.insert(at->path());
    }
  }
  return folders;
}

// Why there is no app to be served, as it is shown instead.
struct Failure {
  std::string title;
  std::string text;  // For the terminal, ending with a newline.
  std::vector<Problem> problems;
};

Failure failureOf(std::string title, const Error& error, std::string advice = {}) {
  Problem problem{.headline = printable(error.message()), .advice = std::move(advice)};
  std::string text = str("schemascript: ", problem.headline, '\n');
  if (!problem.advice.empty()) text += problem.advice + '\n';
  return {std::move(title), std::move(text), {std::move(problem)}};
}

// What a build came to: an app, or a failure.
struct Outcome {
  BuiltApp built{};
  PushResult pushed{};
  std::vector<Schedule> schedules{};
  std::string settings{};  // As describeConfiguration() has them.
  std::optional<Failure> failure{};
};

std::string titleOf(const JobReport& report) {
  if (report.end != JobEnd::Called) return "The request could not be served";
  switch (report.call.end) {
    case CallEnd::Threw:
      return "The app threw an error";
    case CallEnd::TimeExceeded:
      return "The request took too long";
    case CallEnd::FuelExceeded:
      return "The request computed too much";
    case CallEnd::MemoryExceeded:
      return "The request took too much memory";
    case CallEnd::NeverSettles:
      return "The app never answers";
    default:
      return "The request failed";
  }
}

bool isRepeatable(const HttpRequest& request) noexcept {
  return request.method == "GET" || request.method == "HEAD";
}

std::string subtitleOf(const HttpRequest& request) {
  return str(request.method, ' ', request.path.substr(0, request.path.find('?')));
}

// Builds on a thread of its own, so that signals are heard whatever the app does while it is
// loaded.
class Developer {
 public:
  explicit Developer(const DevCommand& command)
      : command_(command),
        reload_(nameOfBuild(0)),
        server_({.configuration = completeConfiguration(command),
                 .words = kDevWords,
                 .portsToTry = hasFixedPort(command) ? 1 : kPortsToTry,
                 .intercept = [this](const auto& exchange) { return tryTake(exchange); }}),
        watcher_([this](const Watcher::Paths& paths) { noteChanges(paths); }) {
    server_.open({});
    thread_ = std::thread([this] { buildAgainAndAgain(); });
  }

  ~Developer() {
    askToEnd();
    thread_.join();
  }
  Developer(const Developer&) = delete;
  Developer& operator=(const Developer&) = delete;

  void untilItEnds(const Signals& signals) {
    server_.untilItEnds(signals, [this] { askForBuild(Why::Saved); });
  }

  bool end(const Signals& signals) {
    askToEnd();
    reload_.end();
    return server_.end(signals);
  }

  // Nobody waits for the end of an app that is being loaded: it may loop until its time is over.
  // False: this must not be destroyed, because a build goes on. What was logged is written.
  bool tryEnd() {
    std::unique_lock lock(mutex_);
    constexpr std::chrono::seconds kPatience{1};
    if (hasEnded_.wait_for(lock, kPatience, [this] { return isOver_; })) return true;
    server_.flushLog();
    return false;
  }

 private:
  std::string nameOfBuild(unsigned number) const { return str(process_, '-', number); }

  // Whether somebody is sure to wait for it.
  enum class Why : std::uint8_t { Saved, Perhaps };

  void askForBuild(Why why) {
    const std::lock_guard lock(mutex_);
    isWanted_ = true;
    isAwaited_ = isAwaited_ || why == Why::Saved;
    isAsked_.notify_one();
  }

  void askToEnd() {
    const std::lock_guard lock(mutex_);
    isEnding_ = true;
    isAsked_.notify_one();
  }

  void noteChanges(const Watcher::Paths& paths) {
    std::unique_lock lock(mutex_);
    const bool isKnown =
        std::ranges::any_of(paths, [this](const fs::path& path) { return files_.contains(path); });
    lock.unlock();
    if (isKnown) {
      askForBuild(Why::Saved);
    } else if (std::ranges::any_of(paths, mayMatter)) {
      askForBuild(Why::Perhaps);
    }
  }

  void buildAgainAndAgain() noexcept {
    for (Why why = Why::Saved;;) {
      try {
        buildOnce(why);
      } catch (const std::exception& error) {  // No memory, no thread: the next change tries again.
        say(str("this build was given up: ", error.what()));
      }
      std::unique_lock lock(mutex_);
      isAsked_.wait(lock, [this] { return isWanted_ || isEnding_; });
      if (isEnding_) break;
      isWanted_ = false;
      why = std::exchange(isAwaited_, false) ? Why::Saved : Why::Perhaps;
    }
    const std::lock_guard lock(mutex_);
    isOver_ = true;
    hasEnded_.notify_all();
  }

  void buildOnce(Why why) {
    const auto begin = Clock::now();
    const std::int64_t fileBegin = fileClock();
    Outcome outcome = build();
    follow(outcome, fileBegin);
    if (outcome.failure) {
      fail(std::move(*outcome.failure), why);
    } else {
      serve(std::move(outcome), Clock::now() - begin);
    }
    if (!isServing_) start();
  }

  void start() {
    const std::lock_guard lock(mutex_);
    if (isEnding_) return;
    server_.start();
    isServing_ = true;
  }

  Outcome build() {
    Outcome outcome;
    try {
      readSettings(outcome);
    } catch (const Error& error) {
      outcome.failure = failureOf("The settings cannot be used", error);
      return outcome;
    }
    try {
      outcome.built = server_.build(isServing_ ? SnapshotUse::Own : SnapshotUse::Cached);
    } catch (const Error& error) {
      outcome.failure = failureOf("The app cannot be built", error);
      return outcome;
    }
    BuiltApp& built = outcome.built;
    if (built.missing != BuiltApp::Missing::Nothing) {
      outcome.failure =
          Failure{built.missing == BuiltApp::Missing::Bundle ? "The app does not build"
                                                             : "The app cannot be loaded",
                  std::move(built.problem), std::move(built.problems)};
      return outcome;
    }
    try {
      outcome.pushed = server_.push(built);
    } catch (const Error& error) {
      const bool differs = error.code() == ErrorCode::Conflict;
      outcome.failure = failureOf(
          differs ? "The schema does not fit the database" : "The tables cannot be created", error,
          differs ? adviceOnConflict() : std::string());
    }
    return outcome;
  }

  void readSettings(Outcome& outcome) const {
    const std::optional<fs::path> file = fileOf(command_);
    outcome.schedules = configurationOf(command_.configuration, file, kCommand)
                            .schedules.value_or(std::vector<Schedule>());
    outcome.settings = describeConfiguration(command_.configuration,
                                             file ? readConfiguration(*file) : Configuration(),
                                             kConfigurationFile);
  }

  std::string adviceOnConflict() const {
    const Configuration& given = server_.configuration();
    const std::string database =
        given.tenants ? "the database of the tenant" : printable(given.db.value_or("").string());
    return str(
        "Nothing was changed, because rows could be lost. Either take the change back; or end this "
        "server, delete ",
        database,
        " and start it again: it makes a new one; or change the database by hand, and save "
        "a file.");
  }

  // Goes on watching, now what this build was made of.
  void follow(const Outcome& outcome, std::int64_t fileBegin) {
    Watcher::Paths files;
    const fs::path app = *server_.configuration().app;
    files.insert(app);
    files.insert(placeOfSettings(command_, app));
    if (server_.configuration().envFile) files.insert(*server_.configuration().envFile);
    files.insert(outcome.built.files.begin(), outcome.built.files.end());
    // The cure of a broken build may be in a file that it does not name.
    if (outcome.failure) files.insert(known_.begin(), known_.end());
    Watcher::Paths folders;
    if (outcome.failure) folders = foldersBelow(app.parent_path());
    Watcher::Paths added;
    std::ranges::set_difference(files, known_, std::inserter(added, added.end()));
    std::ranges::set_difference(folders, knownFolders_, std::inserter(added, added.end()));
    watch(files, folders);
    known_ = std::move(files);
    knownFolders_ = std::move(folders);
    // What was read before it was watched.
    const bool isLate = std::ranges::any_of(
        added, [fileBegin](const fs::path& path) { return changedSince(path, fileBegin); });
    if (isLate) askForBuild(Why::Perhaps);
  }

  // Requests that are not the app's.
  bool tryTake(const std::shared_ptr<HttpExchange>& exchange) {
    const std::string_view host = exchange->request().host;
    if (!isForThisMachine() || isLocalHost(host)) return reload_.tryTake(exchange);
    exchange->respond(
        {403, {{"content-type", "text/plain; charset=utf-8"}}},
        str("This development server answers to localhost and to addresses, and not to the name ",
            host, ", which may lead pages of other sites here. For a name of your own, give the ",
            "address that it leads to: --address ADDRESS.\n"));
    return true;
  }

  // Where tenants are told apart by the host, its names are what the developer makes them.
  bool isForThisMachine() const {
    const Configuration& given = server_.configuration();
    const bool hasNames =
        given.tenants && (!given.tenantFrom || given.tenantFrom->kind == TenantSource::Kind::Host);
    return !hasNames && isLoopback(*given.address);
  }

  void watch(const Watcher::Paths& files, const Watcher::Paths& folders) {
    {
      const std::lock_guard lock(mutex_);
      files_ = files;
    }
    watcher_.watch(files, folders);
  }

  void fail(Failure failure, Why why) {
    if (shown_ && shown_->text == failure.text) {
      if (why == Why::Saved) say("still the same error");
      return;
    }
    ++number_;
    shown_ = std::make_shared<const Failure>(std::move(failure));
    BuiltApp nothing;
    nothing.served.failurePage = [failure = shown_, build = nameOfBuild(number_)](
                                     const HttpRequest& request, int, const JobReport*) {
      return errorAnswer(request, {.title = failure->title,
                                   .subtitle = subtitleOf(request),
                                   .problems = failure->problems,
                                   .build = build,
                                   .isRepeatable = isRepeatable(request)});
    };
    server_.replace(std::move(nothing));
    writeToStandardError(shown_->text);
    say(isServing_ ? "not reloaded: requests get this error until it is fixed"
                   : "requests get this error until it is fixed");
    reload_.tell(nameOfBuild(number_));
  }

  // Whether what is served is the same already. Then nobody is disturbed.
  bool isServed(const Outcome& outcome) const {
    return isServing_ && !shown_ && outcome.built.fingerprint == fingerprint_ &&
           outcome.settings == settings_ && outcome.schedules == schedules_ &&
           outcome.pushed.created.empty();
  }

  void serve(Outcome outcome, Clock::duration took) {
    if (isServed(outcome)) return;
    ++number_;
    fingerprint_ = outcome.built.fingerprint;
    outcome.built.served.failurePage =
        [problemOf = outcome.built.problemOf, build = nameOfBuild(number_)](
            const HttpRequest& request, int status, const JobReport* report) {
          return pageOf(request, status, *report, problemOf, build);
        };
    server_.replace(std::move(outcome.built));
    schedules_ = std::move(outcome.schedules);
    server_.replaceSchedules(schedules_);
    reload_.tell(nameOfBuild(number_));
    shown_ = nullptr;
    const std::string created = outcome.pushed.created.empty()
                                    ? std::string()
                                    : str("schema: created ", joined(outcome.pushed.created));
    if (!isServing_) {
      if (!created.empty()) say(created);
      settings_ = outcome.settings;
      return;
    }
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(took).count();
    say(str("reloaded in ", milliseconds, " ms", created.empty() ? "" : str(" (", created, ')')));
    saySettings(std::move(outcome.settings));
  }

  void saySettings(std::string settings) {
    const std::string before = std::exchange(settings_, std::move(settings));
    if (before.empty()) return;
    const std::vector<std::string> names = changedNames(before, settings_);
    if (names.empty()) return;
    say(str(kConfigurationFile, ": ", joined(names), names.size() == 1 ? " takes" : " take",
            " effect when this server is started again"));
  }

  static HostAnswer pageOf(const HttpRequest& request, int status, const JobReport& report,
                           const std::function<Problem(const CallReport&)>& problemOf,
                           const std::string& build) {
    ErrorPage page{.status = status,
                   .title = titleOf(report),
                   .subtitle = subtitleOf(request),
                   .build = build,
                   .isRepeatable = isRepeatable(request)};
    if (report.end == JobEnd::Called && report.call.end != CallEnd::Cancelled) {
      page.problems.push_back(problemOf(report.call));
    } else if (report.failure) {
      page.problems.push_back({.headline = printable(report.failure->message())});
    } else {
      page.problems.push_back({.headline = report.end == JobEnd::NoDatabase
                                               ? "there is no database of this tenant"
                                               : "the server is too busy, or ends"});
    }
    return errorAnswer(request, page);
  }

  const DevCommand& command_;
  // Different for each process: a page may be older than its server.
  const std::string process_ =
      str(std::hex, std::chrono::system_clock::now().time_since_epoch().count(), '-', ::getpid());
  LiveReload reload_;
  Server server_;  // Whose connections use the former.

  std::mutex mutex_;  // Guards what follows.
  std::condition_variable isAsked_;
  std::condition_variable hasEnded_;
  Watcher::Paths files_;  // That are watched.
  bool isWanted_ = false;
  bool isAwaited_ = false;
  bool isEnding_ = false;
  bool isOver_ = false;

  // Of the building thread.
  Watcher::Paths known_;  // What was watched last.
  Watcher::Paths knownFolders_;
  std::shared_ptr<const Failure> shown_;  // Null: an app is served.
  std::string settings_;
  std::vector<Schedule> schedules_;
  std::string fingerprint_;  // Of what was served last.
  unsigned number_ = 0;
  bool isServing_ = false;

  Watcher watcher_;     // Calls into all of the above.
  std::thread thread_;  // The last to begin, and the first to end.
};

}  // namespace

ExitCode devCommand(const DevCommand& command) {
  const Signals signals;
  allowManyFiles();
  auto developer = std::make_unique<Developer>(command);
  developer->untilItEnds(signals);
  if (!developer->end(signals)) say("requests were cut off");
  if (!developer->tryEnd()) ::_exit(static_cast<int>(ExitCode::Success));
  return ExitCode::Success;
}

}  // namespace schemascript

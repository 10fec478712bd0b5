// CLI11 takes the words apart; the sentences about what is wrong are ours.
#include "cli/command-line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/error.h"
#include "base/memory-limit.h"
#include "base/suggest.h"
#include "base/units.h"
#include "cli/help.h"

namespace schemascript {
namespace {

constexpr std::array<std::string_view, 4> kProgramOptions{"--help", "-h", "--version", "-V"};

// A word that this parser does not know.
Error unknown(std::string_view what, std::string_view word, std::span<const std::string_view> known,
              std::string_view help) {
  const auto nearest = tryFindNearest(word, known);
  return invalidRequest(nearest
                            ? str("unknown ", what, " '", word, "'; did you mean '", *nearest, "'?")
                            : str("unknown ", what, " '", word, "'; see ", help));
}

constexpr std::string_view kFile = "FILE";

// What esbuild takes for a program.
bool namesSource(std::string_view file) {
  constexpr std::array<std::string_view, 8> kExtensions{".ts", ".tsx", ".mts", ".cts",
                                                        ".js", ".jsx", ".mjs", ".cjs"};
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [file](std::string_view extension) { return file.ends_with(extension); });
}

// The options of one command, as they were given.
struct Given {
  std::vector<std::string> words;  // What is no option: FILE, and what may follow it.
  std::string database;
  std::string output;
  std::string to;
  std::string emit;
  std::string timeLimit;
  std::string memoryLimit;
  std::string fuelLimit;
  std::string reads;
  std::string writes;
  std::string tenants;
  std::string tenantFrom;
  std::string envFile;
  std::string configurationFile;
  std::string address;
  std::string port;
  std::string adminPort;
  std::string threads;
  std::string isolation;
  std::string log;
  std::string grace;
  std::string name;
  std::string folder;
  std::string baseline;
  std::string keepDays;
  std::vector<std::string> limits;
  std::vector<std::string> allowedLosses;
  bool withoutKept = false;
  bool pushFirst = false;
  bool migratesFirst = false;
  bool withData = false;
  std::string fromDrizzle;
  bool readOnly = false;
  bool showValues = false;
  bool traceSql = false;
  bool printConfiguration = false;
  bool showStatistics = false;
  bool asJson = false;
  bool sourceMap = false;
  bool dryRun = false;
  bool force = false;
  bool isPartial = false;
  bool help = false;
};

struct ValueOption {
  const char* names;  // As CLI11 writes them: "-o,--output"
  std::string Given::* value;
};

// May be given several times.
struct ListOption {
  const char* names;
  std::vector<std::string> Given::* values;
};

struct Flag {
  const char* names;
  bool Given::* value;
};

// What one command takes, and what is made of it.
struct Command {
  std::string_view name;
  std::string_view (*help)() noexcept;
  std::vector<std::string_view> words;  // What is no option, as the usage names it.
  std::vector<ValueOption> options;
  std::vector<Flag> flags;  // Beside --help.
  bool takesArguments;
  Invocation (*make)(const Given& given, std::vector<std::string> arguments);
  std::vector<ListOption> lists{};
};

class CommandParser {
 public:
  explicit CommandParser(const Command& command)
      : command_(command), help_(str("schemascript ", command.name, " --help")) {
    app_.set_help_flag();
    app_.allow_extras();
    addFlag({"-h,--help", &Given::help});
    for (const Flag& flag : command.flags) addFlag(flag);
    for (const ValueOption& option : command.options) addOption(option);
    for (const ListOption& option : command.lists) addList(option);
  }

  Given parse(std::vector<std::string> words) {
    checkValues(words);
    std::reverse(words.begin(), words.end());  // As CLI11 wants them.
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      throw invalidRequest(str(error.what(), "; see ", help_));
    }
    if (given_.help) return given_;
    for (std::string& word : app_.remaining()) take(std::move(word));
    if (!command_.words.empty() && command_.words.front() == kFile) checkFile();
    return given_;
  }

 private:
  void addFlag(const Flag& flag) {
    app_.add_flag(flag.names, given_.*flag.value);
    remember(flag.names, names_);
  }

  void addOption(const ValueOption& option) {
    // Of several, the last one counts: so a wrapper's setting can be overridden.
    app_.add_option(option.names, given_.*option.value)->take_last();
    remember(option.names, names_);
    remember(option.names, valued_);
  }

  void addList(const ListOption& option) {
    // One value each: what follows it is a word of its own.
    app_.add_option(option.names, given_.*option.values)->expected(1)->take_all();
    remember(option.names, names_);
    remember(option.names, valued_);
  }

  // Splits CLI11's "-o,--output".
  static void remember(std::string_view names, std::vector<std::string_view>& all) {
    for (std::size_t comma; (comma = names.find(',')) != std::string_view::npos;
         names.remove_prefix(comma + 1)) {
      all.push_back(names.substr(0, comma));
    }
    all.push_back(names);
  }

  // CLI11 would take `--db` at the end for a mistake in its own words.
  void checkValues(const std::vector<std::string>& words) const {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto option = std::find(valued_.begin(), valued_.end(), words[i]);
      if (option != valued_.end() && (i + 1 == words.size() || words[i + 1].starts_with("-"))) {
        throw invalidRequest(str(words[i], " needs a value; see ", help_));
      }
      if (option != valued_.end()) ++i;
    }
  }

  // A number below zero is a word like any other, where one can be meant.
  bool isOption(std::string_view word) const noexcept {
    if (!word.starts_with('-') || word == "-") return false;
    const bool isNumber = word[1] >= '0' && word[1] <= '9';
    return !isNumber || given_.words.size() < 2;
  }

  void take(std::string word) {
    if (isOption(word)) {
      throw unknown("option", word.substr(0, word.find('=')), names_, help_);
    }
    if (given_.words.size() == command_.words.size()) refuse(word);
    given_.words.push_back(std::move(word));
  }

  [[noreturn]] void refuse(std::string_view word) const {
    if (command_.words.size() != 1) {
      throw invalidRequest(str("'", word, "' is too much: ", usage()));
    }
    throw invalidRequest(
        str("there is one ", command_.words.front(), ", so '", word, "' is too much",
            command_.takesArguments ? "; what is meant for the script goes behind --" : ""));
  }

  std::string usage() const {
    std::string usage = str("schemascript ", command_.name);
    if (command_.words.empty()) usage += " takes options only";
    for (const std::string_view word : command_.words) {
      usage += str(' ', word, word == kFile ? ".ts" : "");
    }
    return usage;
  }

  void checkFile() const {
    if (given_.words.empty()) {
      throw invalidRequest(str("name the file to ", command_.name, ": ", usage()));
    }
    if (!namesSource(given_.words.front())) {
      throw invalidRequest(
          str(given_.words.front(), " is not a TypeScript or JavaScript file by its name"));
    }
  }

  const Command& command_;
  const std::string help_;
  CLI::App app_;
  Given given_;
  std::vector<std::string_view> names_;
  std::vector<std::string_view> valued_;
};

std::uint64_t parseFuel(const std::string& text) {
  std::uint64_t fuel = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, fuel);
  if (failure != std::errc{} || rest != end || fuel == 0) {
    throw invalidRequest(str("--fuel-limit: '", text, "' is not a whole number, such as 1000000"));
  }
  return fuel;
}

Limits limitsFrom(const Given& given) {
  Limits limits;
  const auto parse = [](std::string_view option, const std::string& text, auto parser) {
    try {
      return parser(text);
    } catch (const Error& error) {
      throw invalidRequest(str(option, ": ", error.message()));
    }
  };
  if (!given.timeLimit.empty()) {
    limits.runTimeMax = parse("--time-limit", given.timeLimit, parseDuration);
    if (limits.runTimeMax.count() == 0) throw invalidRequest("--time-limit must be more than 0");
  }
  if (!given.memoryLimit.empty()) {
    limits =
        withMemory(limits, parse("--memory-limit", given.memoryLimit, parseSize), "--memory-limit");
  }
  if (!given.fuelLimit.empty()) limits.fuelMax = parseFuel(given.fuelLimit);
  // Somebody's own script, on their own terminal.
  limits.logBytesMax = std::numeric_limits<std::uint64_t>::max();
  return limits;
}

// `a,b."c,d"`: names between commas that are not inside of quotes.
std::vector<std::string> splitNames(std::string_view list) {
  std::vector<std::string> names;
  bool isQuoted = false;
  std::string name;
  for (const char letter : list) {
    if (letter == '"') isQuoted = !isQuoted;
    if (letter == ',' && !isQuoted) {
      names.push_back(std::exchange(name, {}));
    } else {
      name += letter;
    }
  }
  if (!list.empty()) names.push_back(name);
  return names;
}

// What --reads and --writes allow; null: everything. `whose` is not allowed a push beside them.
std::shared_ptr<const Capabilities> capabilitiesFrom(const Given& given, std::string_view whose) {
  const bool isRestricted = !given.reads.empty() || !given.writes.empty();
  if (given.pushFirst && (isRestricted || given.readOnly)) {
    throw invalidRequest(str("--push changes the schema, which a ", whose,
                             " with --read-only, --reads or --writes may not; "
                             "push before: schemascript push FILE.ts --db FILE"));
  }
  if (!isRestricted) return nullptr;
  return Capabilities::parse(splitNames(given.reads), splitNames(given.writes));
}

Invocation makeRun(const Given& given, std::vector<std::string> arguments) {
  return RunCommand{given.words.front(),
                    given.database,
                    given.pushFirst,
                    given.readOnly,
                    capabilitiesFrom(given, "script"),
                    given.showValues,
                    given.traceSql,
                    given.showStatistics,
                    limitsFrom(given),
                    std::move(arguments)};
}

Invocation makePush(const Given& given, std::vector<std::string>) {
  if (given.database.empty()) {
    throw invalidRequest("push needs a database: schemascript push FILE.ts --db FILE");
  }
  return PushCommand{given.words.front(), given.database, limitsFrom(given)};
}

Invocation makePull(const Given& given, std::vector<std::string>) {
  if (given.database.empty()) {
    throw invalidRequest("pull needs a database: schemascript pull --db FILE");
  }
  return PullCommand{given.database, given.output, given.force ? Replace::Yes : Replace::No,
                     given.isPartial, limitsFrom(given)};
}

Invocation makeGenerate(const Given& given, std::vector<std::string>) {
  return GenerateCommand{.file = given.words.front(),
                         .folder = given.output.empty() ? "migrations" : given.output,
                         .name = given.name.empty() ? "migration" : given.name,
                         .allowedLosses = given.allowedLosses,
                         .withData = given.withData,
                         .limits = limitsFrom(given)};
}

Invocation makeMerge(const Given& given, std::vector<std::string> arguments) {
  GenerateCommand command = std::get<GenerateCommand>(makeGenerate(given, std::move(arguments)));
  command.isMerge = true;
  if (given.name.empty()) command.name = "merge";
  return command;
}

Invocation makeDiff(const Given& given, std::vector<std::string>) {
  if (given.words.size() < 2) {
    throw invalidRequest(
        "diff compares two: a schema file, a database or migrations each; schemascript diff A B");
  }
  return DiffCommand{given.words[0], given.words[1], limitsFrom(given)};
}

std::string folderFrom(const Given& given) {
  return given.folder.empty() ? "migrations" : given.folder;
}

MigrateCommand migrateCommandFrom(const Given& given, std::string_view name) {
  if (given.database.empty()) {
    throw invalidRequest(str(name, " needs a database: schemascript ", name, " --db FILE"));
  }
  return {.database = given.database,
          .folder = folderFrom(given),
          .to = given.to,
          .allowedLosses = given.allowedLosses,
          .dryRun = given.dryRun,
          .withoutKept = given.withoutKept,
          .asJson = given.asJson,
          .limits = limitsFrom(given)};
}

std::chrono::hours parseDays(const std::string& text) {
  constexpr int kDaysMax = 36'500;
  int days = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, days);
  if (failure != std::errc{} || rest != end || days < 0 || days > kDaysMax) {
    throw invalidRequest(
        str("--keep-days: '", text, "' is not a number of days, at most ", kDaysMax));
  }
  return std::chrono::hours(24 * days);
}

Invocation makeAdoptDrizzle(const Given& given) {
  if (!given.to.empty() || given.dryRun || !given.baseline.empty() || !given.keepDays.empty() ||
      !given.allowedLosses.empty()) {
    throw invalidRequest(
        "--from-drizzle carries nothing out; beside it there are --db, --dir and --json");
  }
  return MigrateCommand{.action = MigrateCommand::Action::AdoptDrizzle,
                        .database = given.database,
                        .folder = folderFrom(given),
                        .to = {},
                        .allowedLosses = {},
                        .asJson = given.asJson,
                        .from = given.fromDrizzle};
}

Invocation makeMigrate(const Given& given, std::vector<std::string>) {
  if (!given.fromDrizzle.empty()) return makeAdoptDrizzle(given);
  MigrateCommand command = migrateCommandFrom(given, "migrate");
  if (!given.keepDays.empty()) command.keepFor = parseDays(given.keepDays);
  if (given.baseline.empty()) return command;
  if (!given.to.empty() || given.dryRun) {
    throw invalidRequest(
        "--baseline carries nothing out, so --to and --dry-run say nothing beside it");
  }
  command.action = MigrateCommand::Action::Adopt;
  command.to = given.baseline;
  return command;
}

Invocation makeRollback(const Given& given, std::vector<std::string>) {
  MigrateCommand command = migrateCommandFrom(given, "rollback");
  command.action = MigrateCommand::Action::RollBack;
  return command;
}

Invocation makeStatus(const Given& given, std::vector<std::string>) {
  MigrateCommand command = migrateCommandFrom(given, "status");
  command.action = MigrateCommand::Action::Status;
  return command;
}

Invocation makeCompile(const Given& given, std::vector<std::string>) {
  constexpr std::array<std::string_view, 6> kOutputs{"ts", "json", "js", "sql", "mermaid", "svg"};
  std::string known;
  for (const std::string_view output : kOutputs) known += str(known.empty() ? "" : ", ", output);
  if (given.emit.empty()) {
    throw invalidRequest(
        str("say what to make: schemascript compile FILE.ts --emit KIND, one of ", known));
  }
  if (std::find(kOutputs.begin(), kOutputs.end(), given.emit) == kOutputs.end()) {
    throw invalidRequest(str("--emit knows no '", given.emit, "'; it is one of ", known));
  }
  return EmitCommand{given.words.front(), given.emit, given.output, limitsFrom(given)};
}

Invocation makeEvaluate(const Given& given, std::vector<std::string>) {
  return EmitCommand{
      given.words.front(), given.asJson ? "describe" : "text", {}, limitsFrom(given)};
}

Invocation makeCall(const Given& given, std::vector<std::string>) {
  if (given.words.size() < 2 || given.words[1].empty()) {
    throw invalidRequest(str("name the function to call: schemascript call ", given.words.front(),
                             " EXPORT [ARGUMENT]"));
  }
  return CallCommand{
      given.words[0],
      given.words[1],
      given.words.size() > 2 ? std::optional(given.words[2]) : std::nullopt,
      given.database,
      given.pushFirst,
      given.readOnly,
      capabilitiesFrom(given, "call"),
      given.showValues,
      given.traceSql,
      given.showStatistics,
      limitsFrom(given),
  };
}

Invocation makeBundle(const Given& given, std::vector<std::string>) {
  if (given.sourceMap && given.output.empty()) {
    throw invalidRequest(
        str("--source-map is a file beside the bundle: name that, schemascript bundle ",
            given.words.front(), " --output FILE.js --source-map"));
  }
  return BundleCommand{given.words.front(), given.output, given.sourceMap};
}

Invocation makeCache(const Given& given, std::vector<std::string>) {
  using Action = CacheCommand::Action;
  constexpr std::array<std::string_view, 2> kActions{"clean", "path"};
  CacheCommand command;
  if (!given.words.empty()) {
    const std::string& action = given.words.front();
    if (action != "clean" && action != "path") {
      throw unknown("action", action, kActions, "schemascript cache --help");
    }
    command.action = action == "clean" ? Action::Clean : Action::ShowPath;
  }
  command.dryRun = given.dryRun;
  if (command.dryRun && command.action != Action::Clean) {
    throw invalidRequest("--dry-run is for: schemascript cache clean --dry-run");
  }
  return command;
}

Invocation makeBackup(const Given& given, std::vector<std::string>) {
  if (given.database.empty() || given.to.empty()) {
    throw invalidRequest(
        "backup needs a database and a place for its copy: schemascript backup --db FILE --to "
        "FILE");
  }
  return BackupCommand{given.database, given.to, given.force ? Replace::Yes : Replace::No};
}

Invocation makeRestore(const Given& given, std::vector<std::string>) {
  if (given.words.empty() || given.words.front().empty() || given.database.empty()) {
    throw invalidRequest(
        "restore needs a backup and the database that gets its content: schemascript restore "
        "BACKUP --db FILE");
  }
  return RestoreCommand{given.words.front(), given.database,
                        given.force ? Replace::Yes : Replace::No};
}

template <typename Parser>
auto parsed(std::string_view option, const std::string& text, Parser parser) {
  try {
    return parser(text);
  } catch (const Error& error) {
    throw invalidRequest(str(option, ": ", error.message()));
  }
}

template <typename Number>
std::optional<Number> numberFrom(std::string_view option, const std::string& text, Number max) {
  if (text.empty()) return std::nullopt;
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || rest != end || number > max) {
    throw invalidRequest(str(option, ": '", text, "' is not a whole number up to ", max));
  }
  return number;
}

std::optional<std::filesystem::path> pathFrom(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::filesystem::path>(text);
}

Configuration configurationFrom(const Given& given) {
  Configuration configuration;
  if (!given.words.empty()) configuration.app = given.words.front();
  configuration.db = pathFrom(given.database);
  configuration.tenants = pathFrom(given.tenants);
  configuration.envFile = pathFrom(given.envFile);
  if (!given.tenantFrom.empty()) {
    configuration.tenantFrom = parsed("--tenant-from", given.tenantFrom, parseTenantSource);
  }
  if (!given.address.empty()) configuration.address = given.address;
  configuration.port = numberFrom<std::uint16_t>("--port", given.port, 65'535);
  configuration.adminPort = numberFrom<std::uint16_t>("--admin-port", given.adminPort, 65'535);
  configuration.threads = numberFrom<unsigned>("--threads", given.threads, kServerThreadsMax);
  if (configuration.threads == 0u) throw invalidRequest("--threads must be more than 0");
  if (!given.isolation.empty()) {
    configuration.isolation = parsed("--isolation", given.isolation, parseIsolation);
  }
  if (!given.log.empty()) configuration.log = parsed("--log", given.log, parseLogForm);
  if (!given.grace.empty()) configuration.grace = parsed("--grace", given.grace, parseDuration);
  if (given.pushFirst) configuration.push = true;
  if (given.migratesFirst) configuration.migrate = true;
  configuration.migrations = pathFrom(given.folder);
  if (given.readOnly) configuration.readOnly = true;
  if (given.showValues) configuration.showValues = true;
  if (given.traceSql) configuration.traceSql = true;
  for (const std::string& limit : given.limits) {
    const std::size_t equals = limit.find('=');
    if (equals == std::string::npos) {
      throw invalidRequest(str("--limit: '", limit, "' is no NAME=VALUE, such as runTimeMax=10s"));
    }
    parsed("--limit", limit, [&](const std::string& text) {
      setLimit(configuration, std::string_view(text).substr(0, equals),
               std::string_view(text).substr(equals + 1));
      return true;
    });
  }
  return configuration;
}

void checkApp(const Given& given) {
  if (!given.words.empty() && !namesSource(given.words.front())) {
    throw invalidRequest(
        str(given.words.front(), " is not a TypeScript or JavaScript file by its name"));
  }
}

Invocation makeServe(const Given& given, std::vector<std::string>) {
  checkApp(given);
  ServeCommand command{.configuration = configurationFrom(given),
                       .configurationFile = pathFrom(given.configurationFile),
                       .printConfiguration = given.printConfiguration};
  // What contradicts itself without the file does so with it, too.
  const int changes = int{given.readOnly} + int{given.pushFirst} + int{given.migratesFirst};
  if (changes > 1) checkTogether(command.configuration);
  return command;
}

Invocation makeDev(const Given& given, std::vector<std::string>) {
  checkApp(given);
  return DevCommand{.configuration = configurationFrom(given),
                    .configurationFile = pathFrom(given.configurationFile)};
}

const std::array<Command, 18>& commands() {
  const ValueOption time{"--time-limit", &Given::timeLimit};
  const ValueOption memory{"--memory-limit", &Given::memoryLimit};
  const ValueOption database{"--db", &Given::database};
  const ValueOption reads{"--reads", &Given::reads};
  const ValueOption writes{"--writes", &Given::writes};
  const ValueOption output{"-o,--output", &Given::output};
  const ValueOption fuel{"--fuel-limit", &Given::fuelLimit};
  const ListOption losses{"--allow-loss", &Given::allowedLosses};
  const std::vector<Flag> runFlags{{"--push", &Given::pushFirst},
                                   {"--read-only", &Given::readOnly},
                                   {"--show-values", &Given::showValues},
                                   {"--trace-sql", &Given::traceSql},
                                   {"--stats", &Given::showStatistics}};
  const std::vector<ValueOption> serverOptions{database,
                                               {"--tenants", &Given::tenants},
                                               {"--tenant-from", &Given::tenantFrom},
                                               {"--port", &Given::port},
                                               {"--address", &Given::address},
                                               {"--admin-port", &Given::adminPort},
                                               {"--threads", &Given::threads},
                                               {"--isolation", &Given::isolation},
                                               {"--env-file", &Given::envFile},
                                               {"--config", &Given::configurationFile},
                                               {"--log", &Given::log},
                                               {"--grace", &Given::grace}};
  std::vector<ValueOption> serveOptions = serverOptions;
  serveOptions.push_back({"--migrations", &Given::folder});
  static const std::array<Command, 18> kCommands{{
      {"run",
       runHelp,
       {kFile},
       {database, reads, writes, time, fuel, memory},
       runFlags,
       true,
       makeRun},
      {"call",
       callHelp,
       {kFile, "EXPORT", "[ARGUMENT]"},
       {database, reads, writes, time, fuel, memory},
       runFlags,
       false,
       makeCall},
      {"push", pushHelp, {kFile}, {database, time, memory}, {}, false, makePush},
      {"pull",
       pullHelp,
       {},
       {database, {"-o,--out", &Given::output}, time, memory},
       {{"--force", &Given::force}, {"--partial", &Given::isPartial}},
       false,
       makePull},
      {"generate",
       generateHelp,
       {kFile},
       {{"--out", &Given::output}, {"--name", &Given::name}, time, memory},
       {{"--data", &Given::withData}},
       false,
       makeGenerate,
       {losses}},
      {"merge",
       mergeHelp,
       {kFile},
       {{"--out", &Given::output}, {"--name", &Given::name}, time, memory},
       {},
       false,
       makeMerge,
       {losses}},
      {"diff", diffHelp, {"A", "B"}, {time, memory}, {}, false, makeDiff},
      {"migrate",
       migrateHelp,
       {},
       {database,
        {"--dir", &Given::folder},
        {"--to", &Given::to},
        {"--keep-days", &Given::keepDays},
        {"--baseline", &Given::baseline},
        {"--from-drizzle", &Given::fromDrizzle},
        memory},
       {{"--dry-run", &Given::dryRun}, {"--json", &Given::asJson}},
       false,
       makeMigrate,
       {losses}},
      {"rollback",
       rollbackHelp,
       {},
       {database, {"--dir", &Given::folder}, {"--to", &Given::to}, memory},
       {{"--dry-run", &Given::dryRun},
        {"--without-kept", &Given::withoutKept},
        {"--json", &Given::asJson}},
       false,
       makeRollback,
       {losses}},
      {"status",
       statusHelp,
       {},
       {database, {"--dir", &Given::folder}},
       {{"--json", &Given::asJson}},
       false,
       makeStatus},
      {"compile",
       compileHelp,
       {kFile},
       {{"--emit", &Given::emit}, output, time, memory},
       {},
       false,
       makeCompile},
      {"evaluate",
       evaluateHelp,
       {kFile},
       {time, memory},
       {{"--json", &Given::asJson}},
       false,
       makeEvaluate},
      {"bundle",
       bundleHelp,
       {kFile},
       {output},
       {{"--source-map", &Given::sourceMap}},
       false,
       makeBundle},
      {"cache", cacheHelp, {"ACTION"}, {}, {{"--dry-run", &Given::dryRun}}, false, makeCache},
      {"backup",
       backupHelp,
       {},
       {database, {"--to", &Given::to}},
       {{"--force", &Given::force}},
       false,
       makeBackup},
      {"restore",
       restoreHelp,
       {"BACKUP"},
       {database},
       {{"--force", &Given::force}},
       false,
       makeRestore},
      {"serve",
       serveHelp,
       {"[FILE.ts]"},
       serveOptions,
       {{"--push", &Given::pushFirst},
        {"--migrate", &Given::migratesFirst},
        {"--read-only", &Given::readOnly},
        {"--show-values", &Given::showValues},
        {"--trace-sql", &Given::traceSql},
        {"--print-config", &Given::printConfiguration}},
       false,
       makeServe,
       {{"--limit", &Given::limits}}},
      {"dev",
       devHelp,
       {"[FILE.ts]"},
       serverOptions,
       {{"--read-only", &Given::readOnly},
        {"--show-values", &Given::showValues},
        {"--trace-sql", &Given::traceSql}},
       false,
       makeDev,
       {{"--limit", &Given::limits}}},
  }};
  return kCommands;
}

const Command* tryFindCommand(std::string_view name) {
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [name](const Command& command) { return command.name == name; });
  return found == commands().end() ? nullptr : &*found;
}

[[noreturn]] void refuseFirst(const std::string& word) {
  if (word.starts_with("-")) throw unknown("option", word, kProgramOptions, "schemascript --help");
  if (namesSource(word)) {
    throw invalidRequest(
        str("unknown command '", word, "'; did you mean 'schemascript run ", word, "'?"));
  }
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  throw unknown("command", word, names, "schemascript --help");
}

}  // namespace

Invocation parseCommandLine(std::vector<std::string> words) {
  if (words.empty()) {
    throw invalidRequest("name a command, such as run or push; see schemascript --help");
  }
  const std::string first = words.front();
  words.erase(words.begin());
  if (first == "--help" || first == "-h" || first == "help") {
    const Command* const about = words.empty() ? nullptr : tryFindCommand(words.front());
    return ShowText{std::string(about == nullptr ? programHelp() : about->help())};
  }
  if (first == "--version" || first == "-V") return ShowText{versionText()};
  const Command* const command = tryFindCommand(first);
  if (command == nullptr) refuseFirst(first);

  // Behind `--`, everything is the script's, whatever it looks like.
  std::vector<std::string> arguments;
  const auto end = std::find(words.begin(), words.end(), "--");
  const bool hasArguments = end != words.end();
  if (hasArguments) {
    arguments.assign(end + 1, words.end());
    words.erase(end, words.end());
  }
  if (std::find(words.begin(), words.end(), "--version") != words.end()) {
    return ShowText{versionText()};
  }
  const Given given = CommandParser(*command).parse(std::move(words));
  if (given.help) return ShowText{std::string(command->help())};
  if (hasArguments && !command->takesArguments) {
    throw invalidRequest(
        str(command->name, command->name == "call"
                               ? " hands the function one ARGUMENT, which stands before any --"
                               : " takes no arguments for the script"));
  }
  return command->make(given, std::move(arguments));
}

}  // namespace schemascript

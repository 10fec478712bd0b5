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
#include "base/units.h"
#include "cli/help.h"
#include "cli/suggest.h"

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

// What esbuild takes for a program.
bool namesSource(std::string_view file) {
  constexpr std::array<std::string_view, 8> kExtensions{".ts", ".tsx", ".mts", ".cts",
                                                        ".js", ".jsx", ".mjs", ".cjs"};
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [file](std::string_view extension) { return file.ends_with(extension); });
}

// The options of one command, as they were given.
struct Given {
  std::string file;
  std::string database;
  std::string output;
  std::string emit;
  std::string timeLimit;
  std::string memoryLimit;
  std::string fuelLimit;
  std::string reads;
  std::string writes;
  bool pushFirst = false;
  bool readOnly = false;
  bool showValues = false;
  bool showStatistics = false;
  bool asJson = false;
  bool help = false;
};

struct ValueOption {
  const char* names;  // As CLI11 writes them: "-o,--output"
  std::string Given::* value;
};

struct Flag {
  const char* names;
  bool Given::* value;
};

// What one command takes, and what is made of it.
struct Command {
  std::string_view name;
  std::string_view (*help)() noexcept;
  std::vector<ValueOption> options;  // Beside the limits, which every command has.
  std::vector<Flag> flags;           // Beside --help.
  bool takesArguments;
  Invocation (*make)(const Given& given, std::vector<std::string> arguments);
};

class CommandParser {
 public:
  explicit CommandParser(const Command& command)
      : command_(command), help_(str("schemascript ", command.name, " --help")) {
    app_.set_help_flag();
    app_.allow_extras();
    app_.add_option("FILE", given_.file);
    addFlag({"-h,--help", &Given::help});
    for (const Flag& flag : command.flags) addFlag(flag);
    for (const ValueOption& option : command.options) addOption(option);
    addOption({"--time-limit", &Given::timeLimit});
    addOption({"--memory-limit", &Given::memoryLimit});
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
    for (const std::string& word : app_.remaining()) refuse(word);
    if (given_.file.empty()) {
      throw invalidRequest(
          str("name the file to ", command_.name, ": schemascript ", command_.name, " FILE.ts"));
    }
    if (!namesSource(given_.file)) {
      throw invalidRequest(str(given_.file, " is not a TypeScript or JavaScript file by its name"));
    }
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

  [[noreturn]] void refuse(std::string_view word) const {
    if (word.starts_with("-")) {
      throw unknown("option", word.substr(0, word.find('=')), names_, help_);
    }
    throw invalidRequest(
        str("there is one FILE, so '", word, "' is too much",
            command_.takesArguments ? "; what is meant for the script goes behind --" : ""));
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
    limits = withMemory(limits, parse("--memory-limit", given.memoryLimit, parseSize));
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

Invocation makeRun(const Given& given, std::vector<std::string> arguments) {
  const bool isRestricted = !given.reads.empty() || !given.writes.empty();
  if (given.pushFirst && (isRestricted || given.readOnly)) {
    throw invalidRequest(
        "--push changes the schema, which a script with --read-only, --reads or --writes may not; "
        "push before: schemascript push FILE.ts --db FILE");
  }
  return RunCommand{given.file,
                    given.database,
                    given.pushFirst,
                    given.readOnly,
                    isRestricted
                        ? Capabilities::parse(splitNames(given.reads), splitNames(given.writes))
                        : nullptr,
                    given.showValues,
                    given.showStatistics,
                    limitsFrom(given),
                    std::move(arguments)};
}

Invocation makePush(const Given& given, std::vector<std::string>) {
  if (given.database.empty()) {
    throw invalidRequest("push needs a database: schemascript push FILE.ts --db FILE");
  }
  return PushCommand{given.file, given.database, limitsFrom(given)};
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
  return EmitCommand{given.file, given.emit, given.output, limitsFrom(given)};
}

Invocation makeEvaluate(const Given& given, std::vector<std::string>) {
  return EmitCommand{given.file, given.asJson ? "describe" : "text", {}, limitsFrom(given)};
}

const std::array<Command, 4>& commands() {
  static const std::array<Command, 4> kCommands{{
      {"run",
       runHelp,
       {{"--db", &Given::database},
        {"--reads", &Given::reads},
        {"--writes", &Given::writes},
        {"--fuel-limit", &Given::fuelLimit}},
       {{"--push", &Given::pushFirst},
        {"--read-only", &Given::readOnly},
        {"--show-values", &Given::showValues},
        {"--stats", &Given::showStatistics}},
       true,
       makeRun},
      {"push", pushHelp, {{"--db", &Given::database}}, {}, false, makePush},
      {"compile",
       compileHelp,
       {{"--emit", &Given::emit}, {"-o,--output", &Given::output}},
       {},
       false,
       makeCompile},
      {"evaluate", evaluateHelp, {}, {{"--json", &Given::asJson}}, false, makeEvaluate},
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

Limits withMemory(Limits limits, std::uint64_t memoryBytes) {
  constexpr std::uint64_t kPageBytes = 64 * 1024;
  constexpr std::uint64_t kOutsideHeapBytesMin = 4ull << 20;
  if (memoryBytes < kMemoryLimitBytesMin || memoryBytes > kMemoryLimitBytesMax) {
    throw invalidRequest(str("--memory-limit is ", formatSize(memoryBytes),
                             "; it must be at least ", formatSize(kMemoryLimitBytesMin),
                             " and at most ", formatSize(kMemoryLimitBytesMax)));
  }
  limits.memoryBytesMax = memoryBytes / kPageBytes * kPageBytes;
  // What is left is for the stack, for the guest's own data, and for freed memory that is not in
  // one piece.
  limits.heapBytesMax =
      limits.memoryBytesMax - std::max(limits.memoryBytesMax / 8, kOutsideHeapBytesMin);
  return limits;
}

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
    throw invalidRequest(str(command->name, " takes no arguments for the script"));
  }
  return command->make(given, std::move(arguments));
}

}  // namespace schemascript

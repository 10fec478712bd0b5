// CLI11 takes the words apart; the sentences about what is wrong are ours.
#include "cli/command-line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/units.h"
#include "cli/help.h"
#include "cli/suggest.h"

namespace schemascript {
namespace {

constexpr std::array<std::string_view, 2> kCommands{"run", "push"};
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
  bool pushFirst = false;
  std::string timeLimit;
  std::string memoryLimit;
  bool help = false;
};

class CommandParser {
 public:
  explicit CommandParser(std::string_view command)
      : command_(command), help_(str("schemascript ", command, " --help")) {
    app_.set_help_flag();
    app_.allow_extras();
    app_.add_flag("-h,--help", given_.help);
    app_.add_option("FILE", given_.file);
    addOption("--db", given_.database);
    addOption("--time-limit", given_.timeLimit);
    addOption("--memory-limit", given_.memoryLimit);
    names_.insert(names_.end(), {"--help", "-h"});
    if (command == "run") {
      app_.add_flag("--push", given_.pushFirst);
      names_.push_back("--push");
    }
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
          str("name the file to ", command_, ": schemascript ", command_, " FILE.ts"));
    }
    if (!namesSource(given_.file)) {
      throw invalidRequest(str(given_.file, " is not a TypeScript or JavaScript file by its name"));
    }
    return given_;
  }

 private:
  void addOption(const char* name, std::string& value) {
    // Of several, the last one counts: so a wrapper's setting can be overridden.
    app_.add_option(name, value)->take_last();
    names_.push_back(name);
    valued_.push_back(name);
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
            command_ == "run" ? "; what is meant for the script goes behind --" : ""));
  }

  const std::string_view command_;
  const std::string help_;
  CLI::App app_;
  Given given_;
  std::vector<std::string_view> names_;
  std::vector<std::string_view> valued_;
};

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
  return limits;
}

Invocation parseRun(const Given& given, std::vector<std::string> arguments) {
  return RunCommand{given.file, given.database, given.pushFirst, limitsFrom(given),
                    std::move(arguments)};
}

Invocation parsePush(const Given& given) {
  if (given.database.empty()) {
    throw invalidRequest("push needs a database: schemascript push FILE.ts --db FILE");
  }
  return PushCommand{given.file, given.database, limitsFrom(given)};
}

[[noreturn]] void refuseFirst(const std::string& word) {
  if (word.starts_with("-")) throw unknown("option", word, kProgramOptions, "schemascript --help");
  if (namesSource(word)) {
    throw invalidRequest(
        str("unknown command '", word, "'; did you mean 'schemascript run ", word, "'?"));
  }
  throw unknown("command", word, kCommands, "schemascript --help");
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
  if (words.empty()) throw invalidRequest("name a command: run or push; see schemascript --help");
  const std::string command = words.front();
  words.erase(words.begin());
  if (command == "--help" || command == "-h" || command == "help") {
    const std::string_view about = words.empty() ? std::string_view() : words.front();
    return ShowText{std::string(about == "run"    ? runHelp()
                                : about == "push" ? pushHelp()
                                                  : programHelp())};
  }
  if (command == "--version" || command == "-V") return ShowText{versionText()};
  if (command != "run" && command != "push") refuseFirst(command);

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
  const Given given = CommandParser(command).parse(std::move(words));
  if (given.help) return ShowText{std::string(command == "run" ? runHelp() : pushHelp())};
  if (command == "run") return parseRun(given, std::move(arguments));
  if (hasArguments) throw invalidRequest("push takes no arguments for the script");
  return parsePush(given);
}

}  // namespace schemascript

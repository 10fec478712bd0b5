// The words of the command line, checked and turned into what is to be done.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "database/backup.h"
#include "database/capabilities.h"
#include "serve/configuration.h"

namespace schemascript {

struct RunCommand {
  std::filesystem::path file;
  std::filesystem::path database;  // Empty: in memory.
  bool pushFirst = false;
  bool readOnly = false;
  std::shared_ptr<const Capabilities> capabilities;  // Null: everything.
  bool showValues = false;
  bool traceSql = false;
  bool showStatistics = false;
  Limits limits;
  std::vector<std::string> arguments;  // Behind `--`.
};

struct PushCommand {
  std::filesystem::path file;
  std::filesystem::path database;
  Limits limits;
};

// A schema file is made of `database`.
struct PullCommand {
  std::filesystem::path database;
  std::filesystem::path output;  // Empty: standard output.
  Replace replace = Replace::No;
  bool isPartial = false;  // Also when something is left out.
  Limits limits;
};

// `compile` and `evaluate`: something is made of the tables that a file declares.
struct EmitCommand {
  std::filesystem::path file;
  std::string kind;              // As RunOptions::emit has it.
  std::filesystem::path folder;  // Where the files go; empty: to standard output.
  Limits limits;
};

// One exported function of an app is called once.
struct CallCommand {
  std::filesystem::path file;
  std::string exported;                 // The function's name.
  std::optional<std::string> argument;  // JSON as it was given; `-`: it is on standard input.
  std::filesystem::path database;       // Empty: in memory.
  bool pushFirst = false;
  bool readOnly = false;
  std::shared_ptr<const Capabilities> capabilities;  // Null: everything.
  bool showValues = false;
  bool traceSql = false;
  bool showStatistics = false;
  Limits limits;
};

struct BundleCommand {
  std::filesystem::path file;
  std::filesystem::path output;  // Empty: standard output.
  bool sourceMap = false;
};

struct CacheCommand {
  enum class Action : std::uint8_t { Show, ShowPath, Clean };
  Action action = Action::Show;
  bool dryRun = false;
};

// A migration is written: from where the folder's migrations lead to what a file declares.
struct GenerateCommand {
  std::filesystem::path file;
  std::filesystem::path folder;
  std::string name;
  std::vector<std::string> allowedLosses;
  bool isMerge = false;   // Of all ends of the folder.
  bool withData = false;  // With an up.ts and a down.ts to begin with.
  Limits limits;
};

// Two schemas are compared.
struct DiffCommand {
  std::filesystem::path from;
  std::filesystem::path to;
  Limits limits;
};

// A database goes through migrations.
struct MigrateCommand {
  enum class Action : std::uint8_t { Migrate, RollBack, Adopt, AdoptDrizzle, Status };
  Action action = Action::Migrate;
  std::filesystem::path database;
  std::filesystem::path folder;
  std::string to;
  std::vector<std::string> allowedLosses;
  std::optional<std::chrono::hours> keepFor{};
  bool dryRun = false;
  bool withoutKept = false;
  bool asJson = false;
  std::filesystem::path from{};  // drizzle-kit's folder.
  Limits limits{};               // Of the code in up.ts and down.ts: its memory.
};

// `database` is copied into the file `to`, while others may use it.
struct BackupCommand {
  std::filesystem::path database;
  std::filesystem::path to;
  Replace replace = Replace::No;
};

// `database` gets the content of `backup`.
struct RestoreCommand {
  std::filesystem::path backup;
  std::filesystem::path database;
  Replace replace = Replace::No;
};

// An app is served over HTTP.
struct ServeCommand {
  Configuration configuration;  // What the options say; the file's is to be merged with it.
  std::optional<std::filesystem::path> configurationFile;
  bool printConfiguration = false;  // Nothing is served: what would hold is printed.
};

// The same while it is being written: it is built anew whenever its sources change.
struct DevCommand {
  Configuration configuration;
  std::optional<std::filesystem::path> configurationFile;
};

// --help and --version.
struct ShowText {
  std::string text;
};

using Invocation =
    std::variant<RunCommand, PushCommand, PullCommand, EmitCommand, CallCommand, BundleCommand,
                 CacheCommand, BackupCommand, RestoreCommand, GenerateCommand, DiffCommand,
                 MigrateCommand, ServeCommand, DevCommand, ShowText>;

// `words` without the program's name. Throws InvalidRequest: what is wrong, and the word that was
// probably meant.
Invocation parseCommandLine(std::vector<std::string> words);

}  // namespace schemascript

#include "cli/command-line.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/memory-limit.h"
#include "cli/help.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

RunCommand parseRun(Words words) {
  words.insert(words.begin(), "run");
  return std::get<RunCommand>(parseCommandLine(words));
}

std::string refusal(const Words& words) {
  try {
    parseCommandLine(words);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
    return error.message();
  }
  return "accepted";
}

std::string shown(const Words& words) { return std::get<ShowText>(parseCommandLine(words)).text; }

TEST(CommandLine, TakesRunWithEverything) {
  const RunCommand command = parseRun({"app.ts", "--db", "a.db", "--push", "--time-limit=200ms",
                                       "--memory-limit", "32mb", "--", "--db", "-x", "--"});
  EXPECT_EQ(command.file, "app.ts");
  EXPECT_EQ(command.database, "a.db");
  EXPECT_TRUE(command.pushFirst);
  EXPECT_EQ(command.limits.runTimeMax, 200ms);
  EXPECT_EQ(command.limits.memoryBytesMax, 32u << 20);
  EXPECT_EQ(command.arguments, (Words{"--db", "-x", "--"}));
}

TEST(CommandLine, TakesOptionsBeforeTheFile) {
  const RunCommand command = parseRun({"--db", "a.db", "app.ts"});
  EXPECT_EQ(command.file, "app.ts");
  EXPECT_EQ(command.database, "a.db");
}

TEST(CommandLine, TakesTheLastOfSeveral) {
  EXPECT_EQ(parseRun({"app.ts", "--db", "a.db", "--db", "b.db"}).database, "b.db");
}

TEST(CommandLine, HasDefaults) {
  const RunCommand command = parseRun({"app.ts"});
  EXPECT_TRUE(command.database.empty());
  EXPECT_FALSE(command.pushFirst);
  EXPECT_EQ(command.limits.runTimeMax, Limits().runTimeMax);
  EXPECT_EQ(command.limits.heapBytesMax, Limits().heapBytesMax);
  EXPECT_TRUE(command.arguments.empty());
}

TEST(CommandLine, TakesEachSwitchForItself) {
  EXPECT_FALSE(parseRun({"a.ts"}).traceSql || parseRun({"a.ts"}).showValues);
  const RunCommand traced = parseRun({"a.ts", "--trace-sql"});
  EXPECT_TRUE(traced.traceSql);
  EXPECT_FALSE(traced.showValues || traced.showStatistics || traced.readOnly || traced.pushFirst);
  EXPECT_FALSE(parseRun({"a.ts", "--show-values", "--stats", "--read-only"}).traceSql);
  EXPECT_EQ(refusal({"push", "a.ts", "--db", "a.db", "--trace-sql"}),
            "unknown option '--trace-sql'; see schemascript push --help");
}

TEST(CommandLine, TakesPush) {
  const auto command = std::get<PushCommand>(parseCommandLine({"push", "s.ts", "--db", "a.db"}));
  EXPECT_EQ(command.file, "s.ts");
  EXPECT_EQ(command.database, "a.db");
}

TEST(CommandLine, TakesPull) {
  const auto plain = std::get<PullCommand>(parseCommandLine({"pull", "--db", "a.db"}));
  EXPECT_EQ(plain.database, "a.db");
  EXPECT_EQ(plain.output, "");
  EXPECT_TRUE(plain.replace == Replace::No && !plain.isPartial);
  const auto all = std::get<PullCommand>(
      parseCommandLine({"pull", "--db", "a.db", "--out", "s.ts", "--force", "--partial"}));
  EXPECT_EQ(all.output, "s.ts");
  EXPECT_TRUE(all.replace == Replace::Yes && all.isPartial);
  EXPECT_EQ(refusal({"pull"}), "pull needs a database: schemascript pull --db FILE");
  EXPECT_EQ(refusal({"pull", "s.ts", "--db", "a.db"}),
            "'s.ts' is too much: schemascript pull takes options only");
}

TEST(CommandLine, TakesOverWithOrWithoutADatabase) {
  const auto command = std::get<MigrateCommand>(
      parseCommandLine({"migrate", "--from-drizzle", "drizzle", "--dir", "out", "--json"}));
  EXPECT_EQ(command.action, MigrateCommand::Action::AdoptDrizzle);
  EXPECT_EQ(command.from, "drizzle");
  EXPECT_EQ(command.folder, "out");
  EXPECT_TRUE(command.database.empty());
  EXPECT_TRUE(command.asJson);
  for (const Words& words : {Words{"--to", "a"}, Words{"--dry-run"}, Words{"--baseline", "a"},
                             Words{"--keep-days", "1"}, Words{"--allow-loss", "users"}}) {
    Words all{"migrate", "--from-drizzle", "drizzle"};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_EQ(refusal(all),
              "--from-drizzle carries nothing out; beside it there are --db, --dir and --json");
  }
}

TEST(CommandLine, SuggestsTheNearOption) {
  EXPECT_EQ(refusal({"run", "a.ts", "--tiem-limit", "2s"}),
            "unknown option '--tiem-limit'; did you mean '--time-limit'?");
  EXPECT_EQ(refusal({"run", "a.ts", "--dbb=x"}), "unknown option '--dbb'; did you mean '--db'?");
  EXPECT_EQ(refusal({"--versoin"}), "unknown option '--versoin'; did you mean '--version'?");
}

TEST(CommandLine, SuggestsTheNearCommand) {
  EXPECT_EQ(refusal({"rnu", "a.ts"}), "unknown command 'rnu'; did you mean 'run'?");
  EXPECT_EQ(refusal({"deploy"}), "unknown command 'deploy'; see schemascript --help");
  EXPECT_EQ(refusal({"app.ts"}),
            "unknown command 'app.ts'; did you mean 'schemascript run app.ts'?");
}

TEST(CommandLine, RefusesAnOptionThatOnlyRunHas) {
  EXPECT_EQ(refusal({"push", "a.ts", "--db", "a.db", "--push"}),
            "unknown option '--push'; see schemascript push --help");
}

TEST(CommandLine, SaysWhatIsMissing) {
  EXPECT_EQ(refusal({}), "name a command, such as run or push; see schemascript --help");
  EXPECT_EQ(refusal({"run"}), "name the file to run: schemascript run FILE.ts");
  EXPECT_EQ(refusal({"push", "a.ts"}),
            "push needs a database: schemascript push FILE.ts --db FILE");
  EXPECT_EQ(refusal({"run", "a.ts", "--db"}), "--db needs a value; see schemascript run --help");
  EXPECT_EQ(refusal({"run", "a.ts", "--db", "--push"}),
            "--db needs a value; see schemascript run --help");
}

TEST(CommandLine, RefusesWhatIsTooMuch) {
  EXPECT_EQ(
      refusal({"run", "a.ts", "b.ts"}),
      "there is one FILE, so 'b.ts' is too much; what is meant for the script goes behind --");
  EXPECT_EQ(refusal({"push", "a.ts", "--db", "a.db", "--", "x"}),
            "push takes no arguments for the script");
}

TEST(CommandLine, RefusesOtherFiles) {
  EXPECT_EQ(refusal({"run", "notes.txt"}),
            "notes.txt is not a TypeScript or JavaScript file by its name");
}

TEST(CommandLine, NamesTheOptionWhoseUnitIsUnknown) {
  EXPECT_EQ(
      refusal({"run", "a.ts", "--time-limit", "2h"}).find("--time-limit: \"2h\" is not a duration"),
      0u);
  EXPECT_EQ(
      refusal({"run", "a.ts", "--memory-limit", "64"}).find("--memory-limit: \"64\" is not a size"),
      0u);
}

TEST(CommandLine, HasALeastAndALargestMemory) {
  EXPECT_EQ(parseRun({"a.ts", "--memory-limit", "16mb"}).limits.memoryBytesMax, 16u << 20);
  EXPECT_EQ(parseRun({"a.ts", "--memory-limit", "4gb"}).limits.memoryBytesMax, 4ull << 30);
  EXPECT_EQ(refusal({"run", "a.ts", "--memory-limit", "15mb"}),
            "--memory-limit is 15mb; it must be at least 16mb and at most 4gb");
  EXPECT_EQ(refusal({"run", "a.ts", "--memory-limit", "5gb"}),
            "--memory-limit is 5gb; it must be at least 16mb and at most 4gb");
}

TEST(CommandLine, TakesFuel) {
  EXPECT_EQ(parseRun({"a.ts", "--fuel-limit", "1"}).limits.fuelMax, 1u);
  EXPECT_EQ(parseRun({"a.ts"}).limits.fuelMax, Limits().fuelMax);
  for (const char* const wrong : {"0", "1k", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(refusal({"run", "a.ts", "--fuel-limit", wrong}),
              str("--fuel-limit: '", wrong, "' is not a whole number, such as 1000000"));
  }
}

TEST(CommandLine, LetsAScriptWriteAsMuchAsItLikes) {
  EXPECT_EQ(parseRun({"a.ts"}).limits.logBytesMax, UINT64_MAX);
}

TEST(CommandLine, KeepsTheHeapBelowTheMemory) {
  for (const std::uint64_t megabytes : {16, 64, 1024}) {
    const Limits limits = withMemory({}, megabytes << 20, "--memory-limit");
    EXPECT_LE(limits.heapBytesMax + (4u << 20), limits.memoryBytesMax);
    EXPECT_GE(limits.heapBytesMax, limits.memoryBytesMax / 2);
  }
}

TEST(CommandLine, RefusesNoTimeAtAll) {
  EXPECT_EQ(refusal({"run", "a.ts", "--time-limit", "0ms"}), "--time-limit must be more than 0");
}

TEST(CommandLine, ShowsHelpWhateverElseIsWrong) {
  EXPECT_EQ(shown({"--help"}), programHelp());
  EXPECT_EQ(shown({"help", "push"}), pushHelp());
  EXPECT_EQ(shown({"run", "--help"}), runHelp());
  EXPECT_EQ(shown({"push", "--nonsense", "-h"}), pushHelp());
  EXPECT_EQ(shown({"run", "--version"}), versionText());
}

// A drift between the two would be noticed by users only.
TEST(CommandLine, KnowsEveryOptionOfItsHelp) {
  for (const std::string command :
       {"run", "call", "push", "compile", "evaluate", "bundle", "backup", "restore"}) {
    const std::string help = shown({command, "--help"});
    for (std::size_t at = help.find("\n  -"); at != std::string::npos;
         at = help.find("\n  -", at + 1)) {
      const std::size_t begin = help.find("--", at);
      const std::string option = help.substr(begin, help.find_first_of(" \n", begin) - begin);
      if (option == "--help") continue;
      const std::string message = refusal({command, "a.ts", option});
      EXPECT_EQ(message.find("unknown"), std::string::npos) << message;
    }
  }
}

TEST(CommandLine, TakesCall) {
  const auto parse = [](Words words) {
    words.insert(words.begin(), "call");
    return std::get<CallCommand>(parseCommandLine(words));
  };
  const CallCommand command =
      parse({"a.ts", "--db", "a.db", "get", "--time-limit", "1s", R"({"id":1})", "--read-only",
             "--stats", "--show-values", "--trace-sql"});
  EXPECT_EQ(command.file, "a.ts");
  EXPECT_EQ(command.exported, "get");
  EXPECT_EQ(command.argument, R"({"id":1})");
  EXPECT_EQ(command.database, "a.db");
  EXPECT_EQ(command.limits.runTimeMax, 1s);
  EXPECT_TRUE(command.readOnly && command.showStatistics && command.showValues && command.traceSql);
  EXPECT_FALSE(command.pushFirst || command.capabilities);
  EXPECT_FALSE(parse({"a.ts", "get"}).argument);
  EXPECT_FALSE(parse({"a.ts", "get", "--show-values", "--stats"}).traceSql);
  // Whatever JSON looks like.
  for (const std::string argument : {"-", "-5", "-1e3", "[1,2]", "[]", "{}", "\"a b\"", "", "%%"}) {
    EXPECT_EQ(parse({"a.ts", "get", argument}).argument, argument);
  }
  EXPECT_TRUE(parse({"a.ts", "get", "--reads", "users"}).capabilities);
  EXPECT_TRUE(parse({"a.ts", "get", "--push"}).pushFirst);
}

TEST(CommandLine, SaysWhatIsWrongWithACall) {
  EXPECT_EQ(refusal({"call"}),
            "name the file to call: schemascript call FILE.ts EXPORT [ARGUMENT]");
  EXPECT_EQ(refusal({"call", "a.ts"}),
            "name the function to call: schemascript call a.ts EXPORT [ARGUMENT]");
  EXPECT_EQ(refusal({"call", "a.ts", "get", "1", "2"}),
            "'2' is too much: schemascript call FILE.ts EXPORT [ARGUMENT]");
  EXPECT_EQ(refusal({"call", "a.ts", "get", "--", "1"}),
            "call hands the function one ARGUMENT, which stands before any --");
  EXPECT_EQ(refusal({"call", "a.ts", "get", "-x"}).substr(0, 19), "unknown option '-x'");
  EXPECT_EQ(refusal({"call", "a.ts", "get", "--push", "--read-only"})
                .find("--push changes the schema, which a call with"),
            0u);
}

TEST(CommandLine, TakesBundle) {
  const auto command =
      std::get<BundleCommand>(parseCommandLine({"bundle", "a.ts", "-o", "a.js", "--source-map"}));
  EXPECT_EQ(command.file, "a.ts");
  EXPECT_EQ(command.output, "a.js");
  EXPECT_TRUE(command.sourceMap);
  EXPECT_EQ(refusal({"bundle", "a.ts", "--source-map"}),
            "--source-map is a file beside the bundle: name that, schemascript bundle a.ts "
            "--output FILE.js --source-map");
}

TEST(CommandLine, TakesCache) {
  using Action = CacheCommand::Action;
  const auto parse = [](Words words) {
    words.insert(words.begin(), "cache");
    return std::get<CacheCommand>(parseCommandLine(words));
  };
  EXPECT_EQ(parse({}).action, Action::Show);
  EXPECT_EQ(parse({"path"}).action, Action::ShowPath);
  EXPECT_EQ(parse({"clean"}).action, Action::Clean);
  EXPECT_FALSE(parse({"clean"}).dryRun);
  EXPECT_TRUE(parse({"--dry-run", "clean"}).dryRun);
  EXPECT_EQ(refusal({"cache", "claen"}), "unknown action 'claen'; did you mean 'clean'?");
  EXPECT_EQ(refusal({"cache", "clean", "all"}), "there is one ACTION, so 'all' is too much");
  EXPECT_EQ(refusal({"cache", "--dry-run"}),
            "--dry-run is for: schemascript cache clean --dry-run");
  EXPECT_EQ(shown({"cache", "--help"}), cacheHelp());
}

TEST(CommandLine, TakesBackup) {
  const auto parse = [](Words words) { return std::get<BackupCommand>(parseCommandLine(words)); };
  const BackupCommand command = parse({"backup", "--db", "a.db", "--to", "b.db"});
  EXPECT_EQ(command.database, "a.db");
  EXPECT_EQ(command.to, "b.db");
  EXPECT_EQ(command.replace, Replace::No);
  EXPECT_EQ(parse({"backup", "--to=b.db", "--force", "--db=a.db"}).replace, Replace::Yes);
  const std::string incomplete =
      "backup needs a database and a place for its copy: schemascript backup --db FILE --to FILE";
  EXPECT_EQ(refusal({"backup"}), incomplete);
  EXPECT_EQ(refusal({"backup", "--db", "a.db"}), incomplete);
  EXPECT_EQ(refusal({"backup", "--to", "a.db"}), incomplete);
  EXPECT_EQ(refusal({"backup", "a.db", "--to", "b.db"}),
            "'a.db' is too much: schemascript backup takes options only");
}

TEST(CommandLine, TakesServe) {
  const auto parse = [](Words words) {
    words.insert(words.begin(), "serve");
    return std::get<ServeCommand>(parseCommandLine(words));
  };
  const ServeCommand command =
      parse({"a.ts", "--tenants", "t", "--tenant-from", "header", "--grace", "5s", "--read-only",
             "--show-values", "--trace-sql", "--limit", "queueMax=7", "--limit=bodyBytesMax=1mb",
             "--port=0", "--config", "c.json"});
  const Configuration& settings = command.configuration;
  EXPECT_EQ(settings.app, "a.ts");
  EXPECT_EQ(settings.tenantFrom->header, "x-tenant");
  EXPECT_EQ(settings.grace, std::chrono::seconds(5));
  EXPECT_EQ(settings.readOnly, true);
  EXPECT_EQ(settings.showValues, true);
  EXPECT_EQ(settings.traceSql, true);
  EXPECT_EQ(settings.port, 0);
  EXPECT_EQ(settings.limits,
            (Configuration::LimitValues{{"queueMax", 7}, {"bodyBytesMax", 1u << 20}}));
  EXPECT_EQ(command.configurationFile, "c.json");
  EXPECT_FALSE(command.printConfiguration);
  EXPECT_TRUE(parse({"--print-config"}).printConfiguration);
  // What is not said leaves the file's settings as they are.
  EXPECT_TRUE(parse({}).configuration == Configuration());
  EXPECT_EQ(refusal({"serve", "--grace", "5"}).substr(0, 9), "--grace: ");
  EXPECT_EQ(refusal({"serve", "--limit", "queueMx=7"}),
            "--limit: unknown name \"queueMx\"; did you mean \"queueMax\"?");
  EXPECT_EQ(refusal({"serve", "--limit", "queueMax"}),
            "--limit: 'queueMax' is no NAME=VALUE, such as runTimeMax=10s");
  EXPECT_EQ(refusal({"serve", "--push", "--read-only"}),
            "push (--push) changes the schema, which a server with readOnly (--read-only) may not");
}

TEST(CommandLine, TakesDev) {
  const auto command = std::get<DevCommand>(parseCommandLine(
      {"dev", "a.ts", "--port", "9", "--config=c.json", "--limit", "queueMax=7", "--log", "off"}));
  EXPECT_EQ(command.configuration.app, "a.ts");
  EXPECT_EQ(command.configuration.port, 9);
  EXPECT_EQ(command.configuration.log, LogForm::Off);
  EXPECT_EQ(command.configuration.limits.at("queueMax"), 7u);
  EXPECT_EQ(command.configurationFile, "c.json");
  EXPECT_TRUE(std::get<DevCommand>(parseCommandLine({"dev"})).configuration == Configuration());
  EXPECT_EQ(refusal({"dev", "a.txt"}), "a.txt is not a TypeScript or JavaScript file by its name");
  EXPECT_EQ(refusal({"dev", "a.ts", "--pusch"}).substr(0, 25), "unknown option '--pusch';");
}

// Each option of serve is one of dev, but for what has no use there.
TEST(CommandLine, DevelopsWithTheOptionsOfServe) {
  const std::string serve = shown({"serve", "--help"});
  const std::string dev = shown({"help", "dev"});
  std::size_t count = 0;
  for (std::size_t at = 0; (at = serve.find("\n  --", at)) != std::string::npos; ++count) {
    at += 3;
    const std::string option = serve.substr(at, serve.find(' ', at) - at);
    const bool isLeftOut =
        option == "--push" || option.starts_with("--migrat") || option == "--print-config";
    EXPECT_EQ(dev.find("\n  " + option + " ") == std::string::npos, isLeftOut) << option;
  }
  EXPECT_GT(count, 15u);
}

// Each option is a setting of the same name, and the other way round.
TEST(CommandLine, HasAnOptionForEachSetting) {
  const std::string help = shown({"serve", "--help"});
  for (const std::string_view name : settingNames()) {
    if (name == "$schema" || name == "app" || name == "schedules") continue;
    std::string option = "--";
    for (const char letter : name == "limits" ? "limit" : name) {
      const bool isUpper = letter >= 'A' && letter <= 'Z';
      if (isUpper) option += '-';
      option += isUpper ? static_cast<char>(letter - 'A' + 'a') : letter;
    }
    EXPECT_NE(help.find("  " + option + " "), std::string::npos) << option;
  }
}

TEST(CommandLine, TakesRestore) {
  const auto parse = [](Words words) { return std::get<RestoreCommand>(parseCommandLine(words)); };
  const RestoreCommand command = parse({"restore", "b.db", "--db", "a.db"});
  EXPECT_EQ(command.backup, "b.db");
  EXPECT_EQ(command.database, "a.db");
  EXPECT_EQ(command.replace, Replace::No);
  EXPECT_EQ(parse({"restore", "--force", "b.db", "--db", "a.db"}).replace, Replace::Yes);
  const std::string incomplete =
      "restore needs a backup and the database that gets its content: schemascript restore BACKUP "
      "--db FILE";
  EXPECT_EQ(refusal({"restore"}), incomplete);
  EXPECT_EQ(refusal({"restore", "b.db"}), incomplete);
  EXPECT_EQ(refusal({"restore", "--db", "a.db"}), incomplete);
  EXPECT_EQ(refusal({"restore", "b.db", "c.db", "--db", "a.db"}),
            "there is one BACKUP, so 'c.db' is too much");
}

TEST(CommandLine, TakesCompileAndEvaluate) {
  const auto parse = [](Words words) { return std::get<EmitCommand>(parseCommandLine(words)); };
  const EmitCommand compile = parse({"compile", "a.ts", "--emit", "json", "-o", "out"});
  EXPECT_EQ(compile.file, "a.ts");
  EXPECT_EQ(compile.kind, "json");
  EXPECT_EQ(compile.folder, "out");
  EXPECT_EQ(parse({"compile", "a.ts", "--emit=ts", "--output", "x"}).folder, "x");
  EXPECT_EQ(parse({"evaluate", "a.ts"}).kind, "text");
  EXPECT_EQ(parse({"evaluate", "a.ts", "--json"}).kind, "describe");
  EXPECT_EQ(refusal({"compile", "a.ts"}),
            "say what to make: schemascript compile FILE.ts --emit KIND, one of ts, json, js, sql, "
            "mermaid, svg");
  EXPECT_EQ(refusal({"compile", "a.ts", "--emit", "text"}),
            "--emit knows no 'text'; it is one of ts, json, js, sql, mermaid, svg");
}

}  // namespace
}  // namespace schemascript

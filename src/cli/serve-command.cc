// `schemascript serve`
#include <unistd.h>

#include "cli/commands.h"
#include "cli/server.h"
#include "cli/text.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCommand = "serve";

std::optional<fs::path> fileOf(const ServeCommand& command) {
  return configurationFileOf(command.configuration, command.configurationFile);
}

void printConfiguration(const ServeCommand& command) {
  const std::optional<fs::path> file = fileOf(command);
  const Configuration settings = file ? readConfiguration(*file) : Configuration();
  checkTogether(merge(settings, command.configuration));
  Output(STDOUT_FILENO)
      .write(printable(
          describeConfiguration(command.configuration, settings, file ? file->string() : "")));
}

// What was served is served on when the app cannot be built anew.
void reload(Server& server, const ServeCommand& command) {
  try {
    BuiltApp built = server.build(SnapshotUse::Cached);
    if (built.missing == BuiltApp::Missing::Nothing) {
      server.guard(built);
      server.replace(std::move(built));
      server.replaceSchedules(configurationOf(command.configuration, fileOf(command), kCommand)
                                  .schedules.value_or(std::vector<Schedule>()));
      say("reloaded");
      return;
    }
    writeToStandardError(built.problem);
  } catch (const Error& error) {
    say(error.message());
  }
  say("not reloaded; the app from before is served on");
}

}  // namespace

ExitCode serveCommand(const ServeCommand& command) {
  if (command.printConfiguration) {
    printConfiguration(command);
    return ExitCode::Success;
  }
  const Signals signals;
  allowManyFiles();
  Server server(
      {.configuration = merge(defaultConfiguration(),
                              configurationOf(command.configuration, fileOf(command), kCommand))});
  const BuiltApp built = server.build(SnapshotUse::Cached);
  if (built.missing != BuiltApp::Missing::Nothing) {
    writeToStandardError(built.problem);
    return ExitCode::Usage;
  }
  server.guard(built);
  server.open(built);
  // Tenants' databases get their tables when they are opened.
  if (!server.configuration().tenants) server.push(built);
  server.start();
  server.untilItEnds(signals, [&server, &command] { reload(server, command); });
  if (!server.end(signals)) say("requests were cut off");
  return ExitCode::Success;
}

}  // namespace schemascript

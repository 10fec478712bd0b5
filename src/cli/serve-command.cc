// `schemascript serve`
#include <unistd.h>

#include <utility>

#include "cli/commands.h"
#include "cli/server.h"
#include "cli/text.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

ExitCode printConfiguration(const ServeCommand& command) {
  const std::optional<fs::path> file = configurationFileOf(command);
  const Configuration settings = file ? readConfiguration(*file) : Configuration();
  checkTogether(merge(settings, command.configuration));
  Output(STDOUT_FILENO)
      .write(printable(
          describeConfiguration(command.configuration, settings, file ? file->string() : "")));
  return ExitCode::Success;
}

void reload(Server& server, const ServeCommand& command) {
  try {
    BuiltApp built = server.build();
    if (built.problem.empty()) {
      server.replace(std::move(built),
                     configurationOf(command).schedules.value_or(std::vector<Schedule>()));
      say("reloaded");
      return;
    }
    sayProblem(built.problem);
  } catch (const Error& error) {
    say(error.message());
  }
  say("not reloaded; the app from before is served on");
}

}  // namespace

ExitCode serveCommand(const ServeCommand& command) {
  if (command.printConfiguration) return printConfiguration(command);
  const Signals signals;
  allowManyFiles();
  Server server({.configuration = merge(defaultConfiguration(), configurationOf(command))});
  BuiltApp built = server.build();
  if (!built.problem.empty()) {
    sayProblem(built.problem);
    return ExitCode::Usage;
  }
  server.start(std::move(built));
  server.sayWhere();
  server.serveUntil(signals, [&] { reload(server, command); });
  if (!server.end(signals)) say("requests were cut off");
  return ExitCode::Success;
}

}  // namespace schemascript

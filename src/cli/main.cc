// The program `schemascript`: from the words of the command line to an exit code.
#include <unistd.h>

#include <csignal>
#include <exception>
#include <new>

#include "cli/command-line.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace schemascript {
namespace {

ExitCode invoke(std::vector<std::string> words, Output& output) {
  const Invocation invocation = parseCommandLine(std::move(words));
  if (const auto* const command = std::get_if<RunCommand>(&invocation)) {
    return runCommand(*command, output);
  }
  if (const auto* const command = std::get_if<PushCommand>(&invocation)) {
    return pushCommand(*command, output);
  }
  if (const auto* const command = std::get_if<PullCommand>(&invocation)) {
    return pullCommand(*command, output);
  }
  if (const auto* const command = std::get_if<EmitCommand>(&invocation)) {
    return emitCommand(*command, output);
  }
  if (const auto* const command = std::get_if<CallCommand>(&invocation)) {
    return callCommand(*command, output);
  }
  if (const auto* const command = std::get_if<BundleCommand>(&invocation)) {
    return bundleCommand(*command, output);
  }
  if (const auto* const command = std::get_if<CacheCommand>(&invocation)) {
    return cacheCommand(*command, output);
  }
  if (const auto* const command = std::get_if<GenerateCommand>(&invocation)) {
    return generateCommand(*command, output);
  }
  if (const auto* const command = std::get_if<DiffCommand>(&invocation)) {
    return diffCommand(*command, output);
  }
  if (const auto* const command = std::get_if<MigrateCommand>(&invocation)) {
    return migrateCommand(*command, output);
  }
  if (const auto* const command = std::get_if<BackupCommand>(&invocation)) {
    return backupCommand(*command, output);
  }
  if (const auto* const command = std::get_if<RestoreCommand>(&invocation)) {
    return restoreCommand(*command, output);
  }
  if (const auto* const command = std::get_if<ServeCommand>(&invocation)) {
    return serveCommand(*command);
  }
  if (const auto* const command = std::get_if<DevCommand>(&invocation)) {
    return devCommand(*command);
  }
  output.write(std::get<ShowText>(invocation).text);
  return ExitCode::Success;
}

ExitCode report(const Error& error) {
  const Paint paint(coloursFor(STDERR_FILENO));
  writeToStandardError(str(paint.error("schemascript:"), ' ', printable(error.message()), '\n'));
  return exitCodeOf(error.code());
}

// As a program ends whose reader has gone: silently, by the signal, which a shell does not mention.
[[noreturn]] void endLikeABrokenPipe() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
  std::_Exit(128 + SIGPIPE);
}

ExitCode mainInside(int count, char** words) {
  openStandardFiles();
  // A reader that goes away must not end us in the middle of a transaction: write() says so, and we
  // end in order.
  std::signal(SIGPIPE, SIG_IGN);
  Output output(STDOUT_FILENO);
  try {
    return invoke({words + 1, words + count}, output);
  } catch (const Error& error) {
    if (output.isClosed()) endLikeABrokenPipe();
    return report(error);
  } catch (const std::bad_alloc&) {
    return report(unavailable("this machine has no memory left"));
  } catch (const std::exception& error) {
    return report(internal(str("a bug of SchemaScript: ", error.what())));
  }
}

}  // namespace
}  // namespace schemascript

int main(int count, char** words) {
  return static_cast<int>(schemascript::mainInside(count, words));
}

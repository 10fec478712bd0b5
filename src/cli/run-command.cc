// `schemascript run`
#include "cli/app.h"
#include "cli/commands.h"

namespace schemascript {
namespace {

// True when what nobody caught is the failure of the push, or was caused by it.
bool isAbout(const ErrorDescription& error, const Error& failure) {
  if (error.message == failure.message()) return true;
  return !error.causes.empty() && isAbout(error.causes.front(), failure);
}

}  // namespace

ExitCode runCommand(const RunCommand& command, Output& output) {
  AppEnd end = runApp({
      .file = command.file,
      .database = command.database,
      .limits = command.limits,
      .arguments = command.arguments,
      .push = command.pushFirst ? PushWhen::BeforeFirstQuery : PushWhen::Never,
      .readOnly = command.readOnly,
      .capabilities = command.capabilities,
      .boundValues = command.showValues ? BoundValueDisplay::Shown : BoundValueDisplay::Hidden,
      .log =
          [&output](LogStream stream, std::string_view text) {
            if (stream == LogStream::Output) return output.write(text);
            writeToStandardError(text);
          },
  });
  const bool threw = end.report.end == RunReport::End::Threw;
  if (threw && end.pushFailure && isAbout(end.report.error, *end.pushFailure)) {
    throw *end.pushFailure;
  }
  return reportEnd(end, command.limits);
}

}  // namespace schemascript

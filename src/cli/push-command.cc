// `schemascript push`
#include <unistd.h>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/error-report.h"

namespace schemascript {
namespace {

std::string renderResult(const PushResult& result) {
  std::string lines;
  for (const std::string& name : result.created) lines += str("created ", name, '\n');
  for (const std::string& name : result.unchanged) lines += str("unchanged ", name, '\n');
  return printable(lines);
}

}  // namespace

ExitCode pushCommand(const PushCommand& command, Output& output) {
  AppEnd end = runApp({
      .file = command.file,
      .database = command.database,
      .limits = command.limits,
      .arguments = {},
      .push = PushWhen::AtEnd,
      .log = [](LogStream, std::string_view text) { writeToStandardError(text); },
  });
  if (!end.complaints.empty()) {
    writeToStandardError(end.complaints);
    return ExitCode::Usage;
  }
  if (end.report.end == RunReport::End::Threw && end.pushFailure) throw *end.pushFailure;
  const Paint paint(coloursFor(STDERR_FILENO));
  writeToStandardError(renderReport(end.report, command.limits, end.map, paint));
  if (end.report.end != RunReport::End::Finished) return exitCodeOf(end.report.end);
  if (end.pushed.created.empty() && end.pushed.unchanged.empty()) {
    throw invalidRequest(str(command.file.string(), " declares no tables; nothing was changed"));
  }
  output.write(renderResult(end.pushed));
  return ExitCode::Success;
}

}  // namespace schemascript

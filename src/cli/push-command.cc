// `schemascript push`
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/text.h"

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
  if (end.report.end == RunReport::End::Threw && end.pushFailure) throw *end.pushFailure;
  const ExitCode code = reportEnd(end, command.limits);
  if (code != ExitCode::Success) return code;
  if (end.pushed.created.empty() && end.pushed.unchanged.empty()) {
    throw invalidRequest(str(command.file.string(), " declares no tables; nothing was changed"));
  }
  output.write(renderResult(end.pushed));
  return ExitCode::Success;
}

}  // namespace schemascript

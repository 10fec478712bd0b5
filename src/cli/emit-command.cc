// `schemascript compile` and `schemascript evaluate`
#include <system_error>

#include "base/file.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace schemascript {
namespace {

// Guest code names the files, so a name must stay one: no path out of the folder.
bool isPlainFileName(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

void writeFiles(const std::vector<EmittedFile>& files, const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw unavailable(str("cannot make the folder ", folder.string(), ": ", failure.message()));
  }
  for (const EmittedFile& file : files) {
    if (!isPlainFileName(file.name))
      throw guestFailed("the script named a file outside its folder");
    writeFileAtomically(folder / file.name, file.text);
    writeToStandardError(printable(str("wrote ", (folder / file.name).string(), '\n')));
  }
}

}  // namespace

ExitCode emitCommand(const EmitCommand& command, Output& output) {
  AppEnd end = runApp({
      .file = command.file,
      .database = {},
      .limits = command.limits,
      .arguments = {},
      .emit = command.kind,
      .log = [](LogStream, std::string_view text) { writeToStandardError(text); },
  });
  const ExitCode code = reportEnd(end, command.limits);
  if (code != ExitCode::Success) return code;
  if (command.folder.empty()) {
    for (const EmittedFile& file : end.report.emitted) output.write(file.text);
  } else {
    writeFiles(end.report.emitted, command.folder);
  }
  return ExitCode::Success;
}

}  // namespace schemascript

// `schemascript generate` and `schemascript merge`
#include <chrono>

#include "cli/commands.h"
#include "cli/declared.h"
#include "cli/text.h"
#include "migrate/migrations.h"

namespace schemascript {
namespace {

std::string render(const MadeMigration& made, const GenerateCommand& command) {
  std::string text = str("wrote ", (command.folder / made.files.id).string(), '\n');
  for (const MigrationStep& step : made.steps.up) {
    const std::string_view why = step.why;
    text += str("  ", step.subject, " (", nameOf(step.kind), "): ", why.substr(0, why.find('\n')),
                '\n');
  }
  if (command.withData)
    text += "  write the changes of data into up.ts and down.ts, or delete them\n";
  return printable(text);
}

}  // namespace

ExitCode generateCommand(const GenerateCommand& command, Output& output) {
  const std::string id = newMigrationId(command.name, std::chrono::system_clock::now());
  ExitCode code = ExitCode::Success;
  const auto declared = tryReadDeclared(command.file, command.limits, code);
  if (!declared) return code;
  const MigrationFolder folder = MigrationFolder::read(command.folder);
  const NewMigration description{
      .id = id, .renames = declared->renames, .allowedLosses = command.allowedLosses};
  const MadeMigration made = command.isMerge ? makeMerge(folder, declared->schema, description)
                                             : makeNext(folder, declared->schema, description);
  if (made.steps.up.empty() && !command.isMerge && !command.withData) {
    output.write(printable(str(command.file.string(), " declares what the migrations in ",
                               command.folder.string(), " lead to; nothing was written\n")));
    return ExitCode::Success;
  }
  writeMigration(command.folder, made.files, command.withData ? WithData::Yes : WithData::No);
  output.write(render(made, command));
  return ExitCode::Success;
}

}  // namespace schemascript

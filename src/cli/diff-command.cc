// `schemascript diff`
#include <system_error>

#include "cli/commands.h"
#include "cli/declared.h"
#include "cli/text.h"
#include "database/database.h"
#include "migrate/migrations.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

bool namesSource(const fs::path& file) {
  const std::string extension = file.extension().string();
  for (const char* known : {".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"}) {
    if (extension == known) return true;
  }
  return false;
}

// A schema file, a folder of migrations, one migration in it, or a database.
std::optional<Schema> tryReadSide(const fs::path& side, const Limits& limits, ExitCode& code) {
  std::error_code ignored;
  if (namesSource(side)) {
    auto declared = tryReadDeclared(side, limits, code);
    if (!declared) return std::nullopt;
    return std::move(declared->schema);
  }
  if (fs::is_directory(side, ignored)) {
    if (!fs::exists(side / "snapshot.json", ignored)) {
      return schemaOf(MigrationFolder::read(side).head());
    }
    const fs::path whole = fs::absolute(side).lexically_normal();
    const fs::path one = whole.has_filename() ? whole : whole.parent_path();
    return schemaOf(&MigrationFolder::read(one.parent_path()).find(one.filename().string()));
  }
  Database database({.file = side, .access = Access::ReadOnly});
  return readSchema(database);
}

}  // namespace

ExitCode diffCommand(const DiffCommand& command, Output& output) {
  ExitCode code = ExitCode::Success;
  const auto from = tryReadSide(command.from, command.limits, code);
  if (!from) return code;
  const auto to = tryReadSide(command.to, command.limits, code);
  if (!to) return code;
  std::string lines;
  for (const std::string& difference : differencesBetween(*from, *to)) {
    lines += str(difference, '\n');
  }
  output.write(printable(lines));
  return lines.empty() ? ExitCode::Success : ExitCode::Threw;
}

}  // namespace schemascript

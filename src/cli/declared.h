// The schema that a file declares, read in the sandbox.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "cli/exit-code.h"
#include "migrate/plan.h"
#include "migrate/schema.h"

namespace schemascript {

struct Declared {
  Schema schema;
  std::vector<Rename> renames;  // What `.was()` says.
};

// Nothing when the file cannot be evaluated: standard error says why then, and `code` is what the
// program ends with. Throws InvalidRequest for a file that declares no tables, and as readDesired()
// and runApp() do.
std::optional<Declared> tryReadDeclared(const std::filesystem::path& file, const Limits& limits,
                                        ExitCode& code);

}  // namespace schemascript

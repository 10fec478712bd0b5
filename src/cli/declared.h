// The schema that a file declares, read in the sandbox.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "cli/exit-code.h"
#include "migrate/plan.h"
#include "migrate/schema.h"
#include "sandbox/engine.h"
#include "sandbox/watchdog.h"

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

// The same of a bundle, which may declare no tables. The app is evaluated once more, without a
// word. Throws InvalidRequest when it fails, and as readDesired() and run() do.
Declared readDeclared(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                      const Limits& limits);

}  // namespace schemascript

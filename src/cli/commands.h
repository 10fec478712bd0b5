// The commands. Each answers how the program ends, having said why on standard error, or throws an
// Error that main() reports.
#pragma once

#include "cli/command-line.h"
#include "cli/exit-code.h"
#include "cli/output.h"

namespace schemascript {

// Runs a script; `output` is the script's alone.
ExitCode runCommand(const RunCommand& command, Output& output);

// Creates the tables that a file declares; writes to `output` what was created.
ExitCode pushCommand(const PushCommand& command, Output& output);

// Makes an output of the tables that a file declares; writes it to `output` or into files.
ExitCode emitCommand(const EmitCommand& command, Output& output);

}  // namespace schemascript

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

// Writes a schema file of a database to `output`, or into a file.
ExitCode pullCommand(const PullCommand& command, Output& output);

// Makes an output of the tables that a file declares; writes it to `output` or into files.
ExitCode emitCommand(const EmitCommand& command, Output& output);

// Calls an exported function of an app; writes its answer to `output`.
ExitCode callCommand(const CallCommand& command, Output& output);

// Writes the bundle of a file to `output`, or into a file.
ExitCode bundleCommand(const BundleCommand& command, Output& output);

// Shows what is in the cache, or removes it.
ExitCode cacheCommand(const CacheCommand& command, Output& output);

// Writes a migration, and says on `output` what it does.
ExitCode generateCommand(const GenerateCommand& command, Output& output);

// Shows in what two schemas differ; the exit code is 1 if they do.
ExitCode diffCommand(const DiffCommand& command, Output& output);

// Brings a database to a migration or back, or tells where it is.
ExitCode migrateCommand(const MigrateCommand& command, Output& output);

// Copies a database that may be in use.
ExitCode backupCommand(const BackupCommand& command, Output& output);

// Gives a database the content of a backup.
ExitCode restoreCommand(const RestoreCommand& command, Output& output);

// Serves an app over HTTP until it is told to end. Standard output is the log's.
ExitCode serveCommand(const ServeCommand& command);

// The same, and builds the app anew whenever its sources change.
ExitCode devCommand(const DevCommand& command);

}  // namespace schemascript

// Help is written by hand: it is read more often than it changes. A test compares it with the
// parser.
#include "cli/help.h"

namespace schemascript {

std::string_view programHelp() noexcept {
  return R"(Runs TypeScript beside a SQLite database, in a WebAssembly sandbox.

Usage: schemascript COMMAND [OPTIONS]

Commands:
  run FILE.ts        run a script; without --db its database is in memory
  push FILE.ts       create the tables and indexes that FILE.ts declares and --db FILE lacks
  compile FILE.ts    make TypeScript types, JSON Schema, a validator, SQL or a diagram of its tables
  evaluate FILE.ts   show the tables that it declares

Options:
  -h, --help         this text; behind a command, that command's
  -V, --version      the versions of this program and its parts

Exit codes:
  0    success
  1    the script threw an error that nobody caught, or a push was refused
  2    the command line is wrong, FILE cannot be read, or it does not compile
  3    a limit stopped the script: time, fuel or memory
  4    the database or the machine: locked, damaged, not writable, disk full
  13   the script waits for a promise that never settles
  70   an internal error of schemascript
)";
}

std::string_view runHelp() noexcept {
  return R"(Runs a script. Standard output is the script's alone.

Usage: schemascript run FILE.ts [OPTIONS] [-- ARGUMENTS...]

Options:
  --db FILE             the database; created if it is not there. Without it: one in memory
  --push                create the tables that the script declares before its first query
  --read-only           the script may read the database and not change it
  --reads LIST          it may read these tables and columns only, such as users,posts.title
  --writes LIST         it may write these only; what it does not name is not allowed
  --show-values         messages about failed statements show the bound values
  --stats               say at the end what the script took: time, fuel, memory, prepared statements
  --time-limit TIME     stop the script after that long, such as 200ms, 2s, 1m (default: 30s)
  --fuel-limit N        stop the script after so many jumps and calls of its code, at the same place
                        each time (default: 10000000000)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

What stands behind -- are the script's `args`.
The exit codes are listed by: schemascript --help
)";
}

std::string_view pushHelp() noexcept {
  return R"(Creates the tables and unique indexes that a file declares and the database lacks. One that exists and
differs is left as it is: push then says how it differs, and changes nothing at all.

Usage: schemascript push FILE.ts --db FILE [OPTIONS]

Options:
  --db FILE             the database; created if it is not there
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

FILE.ts is evaluated to find its tables, without a database: a file that declares tables and runs queries too
is for `schemascript run --push`. What it prints goes to standard error.
The exit codes are listed by: schemascript --help
)";
}

std::string_view compileHelp() noexcept {
  return R"(Makes something of the tables that a file declares, and prints it or writes it into a folder.

Usage: schemascript compile FILE.ts --emit KIND [OPTIONS]

Options:
  --emit KIND           ts       TypeScript interfaces, for select and insert
                        json     JSON Schema 2020-12
                        js       a validator without dependencies
                        sql      CREATE statements
                        mermaid  an entity-relationship diagram for Mermaid
                        svg      the same as a picture
  -o, --output FOLDER   write into this folder, which is created, instead of to standard output
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

FILE.ts is evaluated inside the sandbox, without a database. What it prints goes to standard error.
The exit codes are listed by: schemascript --help
)";
}

std::string_view evaluateHelp() noexcept {
  return R"(Shows the tables that a file declares.

Usage: schemascript evaluate FILE.ts [OPTIONS]

Options:
  --json                as JSON, for programs
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

FILE.ts is evaluated inside the sandbox, without a database. What it prints goes to standard error.
The exit codes are listed by: schemascript --help
)";
}

std::string versionText() {
  std::string text = "schemascript " SCHEMASCRIPT_VERSION "\n";
  text += "WasmEdge " SCHEMASCRIPT_WASMEDGE_VERSION ", QuickJS " SCHEMASCRIPT_QUICKJS_VERSION;
  text += ", SQLite " SCHEMASCRIPT_SQLITE_VERSION "\n";
  return text;
}

}  // namespace schemascript

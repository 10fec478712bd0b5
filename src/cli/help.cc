// Help is written by hand: it is read more often than it changes. A test compares it with the
// parser.
#include "cli/help.h"

namespace schemascript {

std::string_view programHelp() noexcept {
  return R"(Runs TypeScript beside a SQLite database, in a WebAssembly sandbox.

Usage: schemascript COMMAND [OPTIONS]

Commands:
  run FILE.ts        run a script; without --db its database is in memory
  call FILE.ts NAME  call one exported function of an app, and print its answer as JSON
  serve FILE.ts      serve an app over HTTP, each request in a sandbox of its own
  dev FILE.ts        serve it while it is being written: every change of its sources counts at once
  push FILE.ts       create the tables and indexes that FILE.ts declares and --db FILE lacks
  pull               write a schema file of a database that is there
  generate FILE.ts   write a migration from what the migrations so far lead to, to what FILE.ts declares
  migrate            carry out the migrations that --db FILE has not seen, after a rehearsal on a copy
  rollback           go back, with what was dropped
  status             show which migrations a database has seen, and what differs
  merge FILE.ts      join migrations that were made on two branches
  diff A B           show in what two schemas differ: of schema files, databases or migrations
  compile FILE.ts    make TypeScript types, JSON Schema, a validator, SQL or a diagram of its tables
  evaluate FILE.ts   show the tables that it declares
  bundle FILE.ts     make one ES module of it and its imports, for programs that embed SchemaScript
  cache              show what is cached; remove it with: cache clean
  backup             copy a database that is in use into a file
  restore BACKUP     give a database the content of such a copy

Options:
  -h, --help         this text; behind a command, that command's
  -V, --version      the versions of this program and its parts

Exit codes:
  0    success
  1    the script threw an error that nobody caught, a push or a migration was refused, or a pull left something out
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
  --trace-sql           show each SQL statement on standard error, what it took and what came of it
  --show-values         messages about failed statements, and --trace-sql, show the bound values
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

std::string_view serveHelp() noexcept {
  return R"(Serves an app over HTTP: each request is a call of its fetch(), in a sandbox of its own.

Usage: schemascript serve [FILE.ts] [OPTIONS]

Options:
  --db FILE             the database; created if it is not there. Without it: one in memory
  --tenants DIR         instead: a folder with a database for each tenant, NAME.db
  --tenant-from SOURCE  where a request says its tenant: host, path, header:NAME,
                        or header, which is header:x-tenant
  --push                create the tables that the app declares, in each database before its first use
  --migrate             or carry out the migrations that a database has not seen, after a rehearsal on a copy
  --migrations DIR      the folder of all migrations (default: migrations)
  --read-only           the app may read its databases and not change them
  --port N              where to listen (default: 8787; 0: any port that is free)
  --address ADDRESS     on which address (default: 127.0.0.1)
  --admin-port N        serve /metrics, /health and /live there
  --threads N           calls that run at the same time (default: one for each processor)
  --isolation KIND      what a request finds of the one before: request: nothing (default); worker: what
                        the module's variables hold
  --env-file FILE       the names and values that the app gets as `env`
  --limit NAME=VALUE    a limit, such as runTimeMax=10s or queueMax=100; several times for several. docs/serve.md
                        lists them
  --config FILE         settings (default: schemascript.json beside FILE.ts); options win
  --print-config        print what holds in the end, each with where it comes from, and serve nothing
  --log FORM            of the log on standard output: text, json, off (default: text on a terminal)
  --trace-sql           log each statement, with its time
  --show-values         with the values that were bound to it, in messages about failed ones too
  --grace TIME          for requests that were begun when the server is to end (default: 30s)
  -h, --help            this text

Without --push, a database that lacks what the app declares is refused, and the migrations that it has not seen are named.
SIGTERM and SIGINT end it when the requests that were begun have finished, or the grace is over; SIGHUP builds
the app anew and goes on with that. The exit codes are listed by: schemascript --help
)";
}

std::string_view devHelp() noexcept {
  return R"(Serves an app while it is being written. When one of its sources changes, or schemascript.json, or the file of its
environment, it is built anew; what was begun ends with the app from before, and no request is lost.

Usage: schemascript dev [FILE.ts] [OPTIONS]

Options:
  --db FILE             the database (default: .schemascript/dev.db beside FILE.ts). Tables that the app declares are
                        created in it; what exists and differs is told, and left as it is
  --tenants DIR         instead: a folder with a database for each tenant, NAME.db
  --tenant-from SOURCE  where a request says its tenant: host, path, header:NAME,
                        or header, which is header:x-tenant
  --read-only           the app may read its databases and not change them; no tables are created
  --port N              where to listen (default: 8787, or the next one that is free; 0: any)
  --address ADDRESS     on which address (default: 127.0.0.1)
  --admin-port N        serve /metrics, /health and /live there
  --threads N           calls that run at the same time (default: one for each processor)
  --isolation KIND      what a request finds of the one before: request: nothing (default); worker: what
                        the module's variables hold
  --env-file FILE       the names and values that the app gets as `env`
  --limit NAME=VALUE    a limit, such as runTimeMax=10s or queueMax=100; several times for several. docs/serve.md
                        lists them
  --config FILE         settings (default: schemascript.json beside FILE.ts); options win
  --log FORM            of the log on standard output: text, json, off (default: text)
  --trace-sql           log each statement, with its time
  --show-values         with the values that were bound to it, in messages about failed ones too
  --grace TIME          for requests that were begun when the server is to end (default: 3s)
  -h, --help            this text

While the app cannot be built, and where it fails, a browser gets a page that says why, with the line of the source; that
page loads itself again after the next change. SIGHUP builds anew without one; SIGTERM and SIGINT end the server.
The exit codes are listed by: schemascript --help
)";
}

std::string_view pushHelp() noexcept {
  return R"(Creates the tables, columns and indexes that a file declares and the database lacks. What exists and
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

std::string_view pullHelp() noexcept {
  return R"(Writes a schema file of a database that is there. Pushed to that database, it changes nothing.

Usage: schemascript pull --db FILE [OPTIONS]

Options:
  --db FILE             the database, which is only read
  -o, --out FILE.ts     write it there instead of to standard output
  --force               replace FILE.ts if it is there
  --partial             if the database has what a schema cannot have, write the rest; the exit code is 1 all the same
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

The file is evaluated and compared with the database before it is written. docs/pull.md tells what becomes of what.
The exit codes are listed by: schemascript --help
)";
}

std::string_view generateHelp() noexcept {
  return R"(Writes a migration: a folder with up.sql, down.sql and snapshot.json. Nothing is asked, and no database is used.

Usage: schemascript generate FILE.ts [OPTIONS]

Options:
  --name NAME           of the migration, behind the time (default: migration)
  --out DIR             the folder of all migrations (default: migrations)
  --allow-loss NAME     a table or column that may go with what it holds, such as users.email; several times for several
  --data                with an up.ts and a down.ts to write changes of data in, also where the schema stays as it is
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

What has another name now says so in FILE.ts: .was("old"). docs/migrations.md tells what becomes of what.
The exit codes are listed by: schemascript --help
)";
}

std::string_view mergeHelp() noexcept {
  return R"(Writes a migration that joins those which were made on two branches, if it does not matter in which order they are
carried out.

Usage: schemascript merge FILE.ts [OPTIONS]

Options:
  --name NAME           of the migration, behind the time (default: merge)
  --out DIR             the folder of all migrations (default: migrations)
  --allow-loss NAME     a table or column that may go with what it holds, such as users.email; several times for several
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

The exit codes are listed by: schemascript --help
)";
}

std::string_view diffHelp() noexcept {
  return R"(Shows in what two schemas differ. The exit code is 1 if they do.

Usage: schemascript diff A B [OPTIONS]

A and B are each a schema file (FILE.ts), a database, a folder of migrations, which stands for what they lead to, or one
migration in it. A line says what B lacks (+), and what it has beyond A (-).

Options:
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

The exit codes are listed by: schemascript --help
)";
}

std::string_view migrateHelp() noexcept {
  return R"(Carries out the migrations that a database has not seen: first on a copy of it, then each in a transaction of its own.

Usage: schemascript migrate --db FILE [OPTIONS]

Options:
  --db FILE             the database; created if it is not there
  --dir DIR             the folder of all migrations (default: migrations)
  --to ID               no further than that one
  --dry-run             the rehearsal only: say what would be done, and do nothing
  --allow-loss NAME     a table or column that may lose what it holds, such as users.email; several times for several
  --keep-days N         how long what migrations drop is kept for a rollback (default: 30)
  --baseline ID         instead: the database was made otherwise, and is where this migration leads to
  --from-drizzle DIR    instead: take over the migrations of drizzle-kit in DIR, and what its record in the database says
  --memory-limit SIZE   the memory of the code in up.ts, such as 32mb, 1gb (default: 64mb)
  --json                say it for a program
  -h, --help            this text

The exit codes are listed by: schemascript --help
)";
}

std::string_view rollbackHelp() noexcept {
  return R"(Goes back by one migration, or to one, with the values that were dropped on the way: first on a copy of the database.

Usage: schemascript rollback --db FILE [OPTIONS]

Options:
  --db FILE             the database
  --dir DIR             the folder of all migrations (default: migrations)
  --to ID               the last migration that stays
  --dry-run             the rehearsal only: say what would be done, and do nothing
  --allow-loss NAME     a table or column that may lose what it holds, such as users.email; several times for several
  --without-kept        go back also where what was dropped is not kept any more
  --memory-limit SIZE   the memory of the code in down.ts, such as 32mb, 1gb (default: 64mb)
  --json                say it for a program
  -h, --help            this text

The exit codes are listed by: schemascript --help
)";
}

std::string_view statusHelp() noexcept {
  return R"(Shows which migrations a database has seen and which not, and where its schema is not what they lead to. The exit code
is 1 if anything is to be done.

Usage: schemascript status --db FILE [OPTIONS]

Options:
  --db FILE             the database, which is only read
  --dir DIR             the folder of all migrations (default: migrations)
  --json                say it for a program
  -h, --help            this text

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

std::string_view callHelp() noexcept {
  return R"(Calls one exported function of an app, and prints its answer as JSON.

Usage: schemascript call FILE.ts EXPORT [ARGUMENT] [OPTIONS]

EXPORT is the function's name: an export of FILE.ts, or a member of its default export. ARGUMENT is JSON, which the
function gets as its only argument; - reads it from standard input. Without it the function is called with none.

Options:
  --db FILE             the database; created if it is not there. Without it: one in memory
  --push                before the call, create the tables that the app declares
  --read-only           the call may read the database and not change it
  --reads LIST          it may read these tables and columns only, such as users,posts.title
  --writes LIST         it may write these only; what it does not name is not allowed
  --trace-sql           show each SQL statement on standard error, what it took and what came of it
  --show-values         messages about failed statements, and --trace-sql, show the bound values
  --stats               say at the end what the call took: time, fuel, memory, prepared statements
  --time-limit TIME     stop after that long, such as 200ms, 2s, 1m (default: 30s)
  --fuel-limit N        stop the script after so many jumps and calls of its code, at the same place
                        each time (default: 10000000000)
  --memory-limit SIZE   the memory of the sandbox, such as 32mb, 1gb (default: 64mb)
  -h, --help            this text

Standard output is the answer's alone, on one line; nothing for undefined. What the app prints goes to standard error.
Module scope, all code outside of functions, is evaluated once, without a database. What it left is kept in the cache,
and every call starts from it: until the app changes, module scope neither runs nor prints again.
The exit codes are listed by: schemascript --help
)";
}

std::string_view bundleHelp() noexcept {
  return R"(Makes one ES module of a file and all that it imports, as programs that embed SchemaScript load it. What is built in
(schemascript, drizzle-orm) stays an import.

Usage: schemascript bundle FILE.ts [OPTIONS]

Options:
  -o, --output FILE.js  write it there instead of to standard output
  --source-map          also write FILE.js.map, which leads from the bundle to the sources
  -h, --help            this text

The exit codes are listed by: schemascript --help
)";
}

std::string_view cacheHelp() noexcept {
  return R"(Shows and removes what schemascript keeps to start faster: bundles of scripts, and snapshots of apps that were called.
All of it is made again when it is missing.

Usage: schemascript cache [ACTION] [OPTIONS]

Actions:
  path                  print the folder of the cache alone
  clean                 remove the bundles and snapshots, and nothing else that is in the folder

Without an action: the folder, and what is in it.

Options:
  --dry-run             with clean: say what would be removed, and remove nothing
  -h, --help            this text

The folder is $SCHEMASCRIPT_CACHE; without that $XDG_CACHE_HOME/schemascript, or else ~/.cache/schemascript.
The exit codes are listed by: schemascript --help
)";
}

std::string_view backupHelp() noexcept {
  return R"(Copies a database into a file, as it is at one moment. Others may go on reading and writing it meanwhile.

Usage: schemascript backup --db FILE --to FILE [OPTIONS]

Options:
  --db FILE             the database
  --to FILE             the copy
  --force               replace the copy if it is there
  -h, --help            this text

The copy is checked before it gets its name: whatever happens, that file is the old one or the new one.
The exit codes are listed by: schemascript --help
)";
}

std::string_view restoreHelp() noexcept {
  return R"(Gives a database the content of a backup, in one transaction: whoever has it open sees the old content or the new.

Usage: schemascript restore BACKUP --db FILE [OPTIONS]

Options:
  --db FILE             the database; created if it is not there
  --force               replace the content of a database that is there
  -h, --help            this text

The backup is checked first, and stays as it is. Whoever writes the database at the moment is waited for, 5 seconds long.
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

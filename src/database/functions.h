// Our own instr, replace, trim, like and glob. SQLite's take time with the product of their
// arguments, inside of one instruction, where no deadline stops them. And changes() and
// total_changes(), which for SQLite are the connection's, whoever had it before.
#pragma once

struct sqlite3;

namespace schemascript {

class Database;

// Registers them on `raw`: the same answers as SQLite's, in time linear in the arguments, or ended
// with SQLITE_INTERRUPT once `database` must stop. LIKE and GLOB lose the index that SQLite uses
// for a constant prefix. `database` must outlive the connection. Answers SQLite's status: not OK
// when there is no memory.
int registerFunctions(sqlite3* raw, const Database& database);

}  // namespace schemascript

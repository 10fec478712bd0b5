// `push`: creates what is missing of a schema, tables and also columns, and touches nothing else.
#pragma once

#include <string_view>

#include "bridge/pusher.h"
#include "database/database.h"

namespace schemascript {

// `desiredSql` holds CREATE statements from a guest, of tables, indexes, views, triggers and FTS5
// tables: nothing else in it is executed. The database must not be in a transaction; all happens in
// one of our own. Throws Conflict, with a line for each difference, when something that exists is
// not as it is wanted, and what readDesired() throws; nothing has been changed then. What the
// schema does not know is left alone, but for unique indexes on its tables, which are a difference.
// An FTS5 table that searches a table of the schema reads its rows when it, or a trigger of that
// table, is created.
PushResult push(Database& database, std::string_view desiredSql);

}  // namespace schemascript

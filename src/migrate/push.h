// `push`: creates the tables and indexes of a schema that are missing, and touches nothing else.
#pragma once

#include <string_view>

#include "bridge/pusher.h"
#include "database/database.h"

namespace schemascript {

// `desiredSql` holds CREATE TABLE and CREATE INDEX statements, from a guest: nothing else in it is
// executed. The database must not be in a transaction; all happens in one of our own. Throws
// Conflict, with a line for each difference, when something that exists is not as it is wanted;
// nothing has been changed then. Tables that the schema does not know are left alone, and so are
// their indexes.
PushResult push(Database& database, std::string_view desiredSql);

}  // namespace schemascript

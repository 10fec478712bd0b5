// The schema that is wanted: a guest's CREATE statements, as SQLite reads them into an empty
// database. What is hostile in them ends here.
#pragma once

#include <string_view>

#include "database/database.h"
#include "migrate/schema.h"

namespace schemascript {

// Throws NotAllowed for anything but CREATE statements, and for what views and triggers may not
// use; InvalidRequest for what SQLite does not take, also inside of views and triggers, which
// SQLite itself reads only when they are used; LimitExceeded for too much of it, and when
// `interruptible` was interrupted.
Schema readDesired(std::string_view sql, const Database& interruptible);

// Lets an FTS5 table read the texts of the table that it searches. Under the rules of guests, so
// that an interrupt ends it.
void fillSearch(Database& database, std::string_view name);

}  // namespace schemascript

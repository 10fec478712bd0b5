// `pull`: a schema.ts of a database that is there.
#pragma once

#include <string>
#include <vector>

#include "database/database.h"
#include "migrate/schema.h"

namespace schemascript {

// What a schema cannot have, and why: `virtual table boxes`.
struct LeftOut {
  std::string what;
  std::string why;
};

struct PulledSchema {
  std::string text;  // TypeScript.
  std::vector<LeftOut> leftOut;
  Schema schema;  // The database's, without what is left out. `text` evaluated is the same.
};

// Reads the database only, of which it sees one state: its schema, and up to 1,000 rows of tables
// whose types do not tell what they hold. Nothing in it becomes code of the text but SQL that it
// has in its own schema. The same database gives the same text. Throws LimitExceeded for a schema
// that readDesired() does not take, or when the database was interrupted.
PulledSchema pull(Database& database);

}  // namespace schemascript

// Turns what SQLite reports into an Error: who has to act, which table and columns, in one
// sentence.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "database/authorizer.h"

struct sqlite3;

namespace schemascript {

class Database;

// Whether parts of values can be in SQLite's text, which must not be shown.
enum class BoundValues : std::uint8_t { None, Some };

struct FailureContext {
  Database& database;
  BoundValues values;
  std::string_view refusal;  // The authorizer's reason, if it was that.
  const StatementFacts& facts;
  std::string_view sql;   // To tell the line of an error.
  std::size_t sqlAt = 0;  // Where in it the statement begins.
};

// For the last failure of `connection`, whose result was `status`. Reads the schema to find out
// which foreign key it was. Never holds a bound value.
Error databaseError(sqlite3* connection, int status, const FailureContext& context);

}  // namespace schemascript
